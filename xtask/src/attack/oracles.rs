//! Oracles: whether an answer, or its time, tells who is known.
//!
//! For each door that could tell it, as many people are asked about who are known as who are not, in turn,
//! over several connections, with bodies that come late and beside a load. What is judged is the area under
//! the curve (Mann and Whitney): of all pairs of an answer about somebody known and one about somebody
//! unknown, the share in which the former took longer, to the microsecond. It is a half if the time tells
//! nothing. A fair coin of so many pairs falls outside the bound once in seventy; so what falls outside is
//! measured once more, with other people, and only what falls outside on the same side again is an oracle.
//! The answers have to be the same but for what is random in them.

mod asking;

pub(super) use asking::ticked;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

use super::Finding;
use super::people::{self, Person};
use crate::running::client::{Answer, Request, dawdle};
use crate::running::server::{Server, phone};

/// How late the body comes: as late as the answer would have been.
const LATE: Duration = Duration::from_millis(110);
/// How much later some bodies come than others: connections that ask in step would wait for each other's
/// commits, which hides what one of them costs.
const STAGGER: Duration = Duration::from_millis(150);
/// Connections that ask at the same time.
const AT_ONCE: usize = 4;
/// Writes of a burst of load.
const BURST: usize = 10;
/// The pause between two bursts.
const PAUSE: Duration = Duration::from_millis(300);
/// Pairs of the control at the least: it has to be sure, also where the others are few.
const CONTROL_PAIRS: usize = 150;
/// How far from a half the goal allows.
const GOAL: f64 = 0.05;
/// The pairs for which the goal is set.
const GOAL_PAIRS: f64 = 400.0;

/// What is measured together: what one door answers, another is asked with.
pub(super) struct Timed {
    /// The doors, by method and route.
    pub(super) doors: &'static [&'static str],
    ask: fn(&Asking<'_>) -> Result<Vec<Told>>,
}

/// All that is measured.
pub(super) const TIMED: &[Timed] = &[
    Timed { doors: &["POST /capture/tag"], ask: asking::tag },
    Timed { doors: &["POST /p"], ask: asking::link_request },
    Timed { doors: &["POST /e/{code}"], ask: asking::opt_in_page },
    Timed { doors: &["POST /f/{form}"], ask: asking::form },
    Timed { doors: &["POST /f/{form}", "GET /c/{token}", "POST /c/{token}"], ask: asking::code },
    Timed { doors: &["GET /u/{token}", "POST /u/{token}"], ask: asking::leaving },
    Timed { doors: &["GET /p/{token}", "POST /p/{token}"], ask: asking::forged_links },
    Timed { doors: &["POST /hooks/{connection}"], ask: asking::unsigned_hook },
    Timed { doors: &[], ask: asking::wrong_key },
];

/// Who is asked about in one measure.
struct Asking<'a> {
    server: &'a Server,
    people: Vec<[Person; 2]>,
}

/// What was told of those who are known and those who are not.
struct Told {
    tried: &'static str,
    answers: Vec<[Answer; 2]>,
}

/// Measures all doors.
pub(super) fn all(server: &Server, pairs: usize) -> Result<Vec<Finding>> {
    let quiet = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| load(server, &quiet));
        let found = doors(server, pairs);
        quiet.store(true, Ordering::Relaxed);
        found
    })
}

/// Something else that the server has to do meanwhile, in bursts: a load that never pauses hides in its own
/// commits what a quiet moment would tell.
fn load(server: &Server, quiet: &AtomicBool) {
    let mut person = 0;
    while !quiet.load(Ordering::Relaxed) {
        for _ in 0..BURST {
            person += 1;
            drop(server.knows(&phone(7, person % 10_000)));
        }
        dawdle(PAUSE);
    }
}

fn doors(server: &Server, pairs: usize) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (index, timed) in TIMED.iter().enumerate() {
        let ask = |measure| -> Result<Vec<Told>> {
            let asking = Asking::of(server, measure, pairs)?;
            (timed.ask)(&asking).with_context(|| timed.doors.join(", "))
        };
        let told = ask(index)?;
        let width = width(pairs);
        if told.iter().all(|told| told.differ().is_none() && !is_outside(told.area(), width)) {
            findings.extend(told.iter().map(|told| told.judged(None, width)));
            continue;
        }
        let again = ask(index + TIMED.len())?;
        findings.extend(told.iter().zip(&again).map(|(it, then)| it.judged(Some(then), width)));
    }
    findings.push(control(server, pairs)?);
    Ok(findings)
}

/// What does tell who is known, for whoever has a key: what is measured here has to see it.
fn control(server: &Server, pairs: usize) -> Result<Finding> {
    let pairs = pairs.max(CONTROL_PAIRS);
    let asking = Asking::of(server, 2 * TIMED.len(), pairs)?;
    let told = asking::said_again(&asking)?;
    let (area, width) = (told.area(), width(pairs));
    let may = format!("not 0.5 ± {width:.2}");
    let held = is_outside(area, width);
    Ok(Finding { tried: told.tried, came: format!("{area:.3}"), may, held })
}

/// How far from a half the area may be: the goal, and as much more as fewer pairs are less sure.
fn width(pairs: usize) -> f64 {
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a few hundred pairs")]
    let pairs = pairs.max(1) as f64;
    GOAL * (GOAL_PAIRS / pairs).sqrt().max(1.0)
}

fn is_outside(area: f64, width: f64) -> bool {
    (area - 0.5).abs() > width
}

impl<'a> Asking<'a> {
    fn of(server: &'a Server, measure: usize, pairs: usize) -> Result<Self> {
        let people = people::pairs(measure, pairs);
        each(&people, |[known, _]| people::introduce(server, known))?;
        Ok(Self { server, people })
    }

    /// What is asked about each person.
    fn requests(
        &self,
        make: impl Fn(&Person) -> Result<Request> + Sync,
    ) -> Result<Vec<[Request; 2]>> {
        each(&self.people, |[known, unknown]| Ok([make(known)?, make(unknown)?]))
    }

    /// Asks about each pair. Who is asked about first takes turns.
    fn time(&self, tried: &'static str, requests: &[[Request; 2]]) -> Result<Told> {
        let turn = AtomicUsize::new(0);
        let answers = each(requests, |[known, unknown]| {
            let turn = turn.fetch_add(1, Ordering::Relaxed);
            // Both of a pair come as late, and no two pairs in a row.
            let late = LATE + STAGGER.mul_f64(f64::from(u8::try_from(turn * 97 % 256)?) / 256.0);
            let ask = |request: &Request| request.send_late(self.server.address, late);
            if turn.is_multiple_of(2) {
                let of_known = ask(known)?;
                Ok([of_known, ask(unknown)?])
            } else {
                let of_unknown = ask(unknown)?;
                Ok([ask(known)?, of_unknown])
            }
        })?;
        Ok(Told { tried, answers })
    }
}

/// Does something with each, on several threads, and gives what came of it in the same order.
fn each<T: Sync, R: Send>(items: &[T], act: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return Ok(()) };
            let result = act(item)?;
            if let Ok(mut done) = done.lock() {
                done.push((index, result));
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|it| it.join().ok().context("a worker fell")?)
    })?;
    let mut done = done.into_inner().ok().context("a worker fell")?;
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

impl Told {
    /// The share of pairs in which the answer about somebody known took longer.
    fn area(&self) -> f64 {
        let took = |which: fn(&[Answer; 2]) -> &Answer| -> Vec<u128> {
            self.answers.iter().map(|pair| which(pair).took.as_micros()).collect()
        };
        area(&took(|[known, _]| known), &took(|[_, unknown]| unknown))
    }

    /// The first two answers that are not the same.
    fn differ(&self) -> Option<String> {
        let differ = |[known, unknown]: &[Answer; 2]| {
            let (known, unknown) = (known.seen(), unknown.seen());
            let mut lines = known.lines().zip(unknown.lines());
            let found = lines.find(|(known, unknown)| known != unknown);
            let found = found.map(|(known, unknown)| format!("`{known}` and `{unknown}`"));
            (known != unknown).then(|| found.unwrap_or_else(|| "one is longer".to_owned()))
        };
        self.answers.iter().find_map(differ)
    }

    fn judged(&self, again: Option<&Self>, width: f64) -> Finding {
        let may = format!("0.5 ± {width:.2}");
        let differ = self.differ().or_else(|| again.and_then(Self::differ));
        if let Some(differ) = differ {
            let came = format!("the answers differ: {}", differ.replace('|', "/"));
            return Finding { tried: self.tried, came, may, held: false };
        }
        let area = self.area();
        let (came, held) = match again.map(Self::area) {
            None => (format!("{area:.3}"), !is_outside(area, width)),
            Some(then) => {
                let is_same_side = (area > 0.5) == (then > 0.5);
                let is_oracle = is_outside(area, width) && is_outside(then, width) && is_same_side;
                (format!("{area:.3}, then {then:.3}"), !is_oracle)
            }
        };
        Finding { tried: self.tried, came, may, held }
    }
}

/// The area under the curve of what tells the first from the second by being larger.
fn area(known: &[u128], unknown: &[u128]) -> f64 {
    let halves = known.iter().flat_map(|known| unknown.iter().map(move |it| known.cmp(it)));
    let halves: usize = halves
        .map(|order| match order {
            std::cmp::Ordering::Greater => 2,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Less => 0,
        })
        .sum();
    let pairs = (known.len() * unknown.len()).max(1);
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "some 10⁵ pairs")]
    let share = halves as f64 / (2 * pairs) as f64;
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_a_half_where_nothing_is_told_and_one_where_everything_is() {
        let close = |area: f64, to: f64| assert!((area - to).abs() < 1e-9, "{area}");
        close(area(&[1, 2, 3], &[1, 2, 3]), 0.5);
        close(area(&[4, 5], &[1, 2, 3]), 1.0);
        close(area(&[1], &[2]), 0.0);
    }

    #[test]
    fn fewer_pairs_are_less_sure_and_more_are_no_surer_than_the_goal() {
        let close = |width: f64, to: f64| assert!((width - to).abs() < 1e-9, "{width}");
        close(width(400), 0.05);
        close(width(4_000), 0.05);
        close(width(100), 0.1);
    }
}
