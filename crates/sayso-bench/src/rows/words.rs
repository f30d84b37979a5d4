//! How long it takes to read what somebody wrote: every text of the corpus, one after the other.

use std::hint::black_box;

use anyhow::{Context, Result};
use sayso_core::text::wording::{Codes, Conversation, Names, Offered, Question, read};
use sayso_core::words::channel::Channel;
use tokio::time::Instant;

use crate::measure::{Goal, Samples};
use crate::report::{Line, Outcome};
use crate::rig::Rig;

/// Texts as people write them: language, sort, and the text.
const TEXTS: &str = include_str!("../../../sayso-core/tests/data/readings.tsv");

/// What a reading may take, in microseconds: a provider's call is answered in less than a millisecond.
const READING_MAX_US: f64 = 20.0;

/// How often each text is read in one round.
const READINGS: usize = 20;

/// Measures the row.
pub(crate) fn measure(rig: &mut Rig) -> Result<Outcome> {
    let (names, codes, offered) = (Names::default(), Codes::default(), Offered::default());
    let conversation = Conversation {
        channel: Channel::Sms,
        names: &names,
        codes: &codes,
        question: Question::None,
        offered: &offered,
    };
    let texts: Vec<&str> = TEXTS.lines().filter_map(|line| line.split('\t').nth(2)).collect();
    for text in &texts {
        black_box(read(text, &conversation));
    }
    let (mut median, mut p99, mut bound) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in rig.rounds("words") {
        let mut times: Vec<f64> = Vec::with_capacity(texts.len() * READINGS);
        for text in std::iter::repeat_n(&texts, READINGS).flatten() {
            let began = Instant::now();
            black_box(read(black_box(text), &conversation));
            times.push(began.elapsed().as_secs_f64() * 1e6);
        }
        times.sort_unstable_by(f64::total_cmp);
        let at = |part: usize| times.get(times.len() * part / 100).context("no text to read");
        median.push(*at(50)?);
        p99.push(*at(99)?);
        bound.push(READING_MAX_US);
    }
    let line = |job: String, ours: Samples, goal| Line {
        job,
        unit: "µs",
        ours,
        rival: "the bound".to_owned(),
        theirs: bound.clone(),
        goal,
    };
    let mut outcome = Outcome::default();
    outcome.lines.push(line(
        format!("one of {} texts, median", texts.len()),
        median,
        Goal::AtMost(1.0),
    ));
    outcome.lines.push(line(format!("one of {} texts, p99", texts.len()), p99, Goal::Shown));
    outcome.notes.push("in one thread, without HTTP; no names, codes or offered words".to_owned());
    Ok(outcome)
}
