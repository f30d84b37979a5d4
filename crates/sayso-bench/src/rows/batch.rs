//! `check/batch`: 10,000 recipients, one question.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use sayso_core::words::channel::Channel;
use serde::Deserialize;
use tokio::time::Instant;

use crate::http::{Connection, Target};
use crate::measure::{Goal, Samples, float};
use crate::people::{Detail, People, sender};
use crate::redis::{self, Reply, Resp, encode_question};
use crate::report::{Line, Outcome};
use crate::rig::Rig;

/// Recipients of one question.
const RECIPIENTS: u64 = 10_000;
/// Different questions, in turn: 640,000 look-ups before one comes again.
const QUESTIONS: u64 = 64;

/// The questions, made beforehand, in the bytes that each server gets.
pub(crate) struct Questions {
    compact: Vec<Bytes>,
    reasons: Vec<Bytes>,
    redis: Vec<Vec<u8>>,
}

/// What parsing alone is: each recipient found and taken as a piece of the body.
#[derive(Deserialize)]
struct Parsed<'a> {
    #[serde(borrow)]
    to: Vec<Text<'a>>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Answer {
    allowed: u64,
    answers: Vec<serde_json::Value>,
}

impl Questions {
    /// Random people, nine in ten of them known.
    pub(crate) fn new(people: &People) -> Self {
        let mut questions = Self { compact: Vec::new(), reasons: Vec::new(), redis: Vec::new() };
        for question in 0..QUESTIONS {
            let turns = question * RECIPIENTS..(question + 1) * RECIPIENTS;
            let numbers: Vec<u64> = turns
                .map(|turn| if turn % 10 == 9 { people.stranger(turn) } else { people.known(turn) })
                .collect();
            questions.compact.push(body(people, &numbers, "compact"));
            questions.reasons.push(body(people, &numbers, "reasons"));
            let members: Vec<Vec<u8>> =
                numbers.iter().map(|number| number.to_string().into_bytes()).collect();
            questions.redis.push(encode_question(&members));
        }
        questions
    }

    /// The bodies that are answered compactly.
    pub(crate) fn compact(&self) -> &[Bytes] {
        &self.compact
    }
}

fn body(people: &People, numbers: &[u64], detail: &str) -> Bytes {
    let mut text =
        format!("{{\"channel\":\"sms\",{}\"detail\":\"{detail}\",\"to\":[", sender_member(people));
    let recipients: Vec<String> = numbers.iter().map(|number| format!("\"+{number}\"")).collect();
    text += &recipients.join(",");
    text += "]}";
    Bytes::from(text)
}

/// The member that names a sender, where the workspace has several.
pub(crate) fn sender_member(people: &People) -> String {
    match people.detail {
        Detail::Plain => String::new(),
        Detail::Scoped => format!("\"sender\":\"{}\",", sender(Channel::Sms, 0)),
    }
}

/// Asks one question after another for a time; gives nanoseconds a recipient.
async fn time_ours(
    (target, connection): (&Target, &mut Connection),
    bodies: &[Bytes],
    time: Duration,
) -> Result<f64> {
    let mut asked = 0;
    let started = Instant::now();
    for body in bodies.iter().cycle() {
        let call = target.call(Method::POST, "/v1/check/batch", body.clone())?;
        connection.expect(call, StatusCode::OK).await?;
        asked += 1;
        if started.elapsed() >= time {
            break;
        }
    }
    Ok(a_recipient(started.elapsed(), asked))
}

fn time_redis(connection: &mut Resp, questions: &[Vec<u8>], time: Duration) -> Result<f64> {
    let mut asked = 0;
    let started = Instant::now();
    for question in questions.iter().cycle() {
        black_box(connection.ask(question)?);
        asked += 1;
        if started.elapsed() >= time {
            break;
        }
    }
    Ok(a_recipient(started.elapsed(), asked))
}

fn time_parse(bodies: &[Bytes], time: Duration) -> Result<f64> {
    let mut asked = 0;
    let started = Instant::now();
    for body in bodies.iter().cycle() {
        let parsed: Parsed<'_> = serde_json::from_slice(body)?;
        ensure!(
            parsed.to.last().is_some_and(|Text(text)| text.starts_with('+')),
            "nothing was parsed"
        );
        black_box(parsed);
        asked += 1;
        if started.elapsed() >= time {
            break;
        }
    }
    Ok(a_recipient(started.elapsed(), asked))
}

fn a_recipient(time: Duration, questions: u64) -> f64 {
    time.as_secs_f64() * 1e9 / float(questions * RECIPIENTS)
}

/// Looks once whether both servers answer what was asked.
async fn look(
    (target, connection): (&Target, &mut Connection),
    questions: &Questions,
) -> Result<u64> {
    let first = questions.compact.first().context("no questions")?;
    let call = target.call(Method::POST, "/v1/check/batch", first.clone())?;
    let body = connection.expect(call, StatusCode::OK).await?;
    let answer: Answer = serde_json::from_slice(&body)?;
    let answers = u64::try_from(answer.answers.len())?;
    ensure!(answers == RECIPIENTS, "{answers} answers to {RECIPIENTS} recipients");
    Ok(answer.allowed)
}

fn look_at_redis(connection: &mut Resp, questions: &Questions) -> Result<()> {
    let first = questions.redis.first().context("no questions")?;
    let Reply::Numbers(known) = connection.ask(first)? else {
        anyhow::bail!("Redis did not answer with numbers");
    };
    let known: i64 = known.iter().sum();
    ensure!(known == 9_000, "Redis knows {known} of 10,000 recipients");
    Ok(())
}

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let questions = Questions::new(&rig.people);
    let target = rig.server().await?.target.clone();
    // Filled first: a server does not keep a silent connection as long as that takes.
    if let Some(redis) = rig.redis().await? {
        look_at_redis(redis.connection(), &questions)?;
    }
    let mut connection = target.connect().await?;
    let allowed = look((&target, &mut connection), &questions).await?;
    let (mut compact, mut reasons) = (Samples::default(), Samples::default());
    let (mut redis, mut parse) = (Samples::default(), Samples::default());
    let time = rig.time();
    for _ in rig.rounds("check/batch") {
        compact.push(time_ours((&target, &mut connection), &questions.compact, time).await?);
        if let Some(rival) = rig.redis().await? {
            redis.push(time_redis(rival.connection(), &questions.redis, time)?);
        }
        parse.push(time_parse(&questions.compact, time)?);
        reasons.push(time_ours((&target, &mut connection), &questions.reasons, time).await?);
    }
    let has_redis = redis.spread().is_some();
    let left_out = if has_redis { Vec::new() } else { vec![redis::ABSENT.to_owned()] };
    let lines = lines(rig.people.detail, [&compact, &reasons, &redis, &parse]);
    let notes = vec![
        format!("{allowed} of the first 10,000 recipients were allowed"),
        "bodies and commands were made beforehand on both sides; one connection each; ours over TCP and HTTP, Redis over a unix socket".to_owned(),
    ];
    Ok(Outcome { lines, notes, left_out })
}

fn lines(detail: Detail, [compact, reasons, redis, parse]: [&Samples; 4]) -> Vec<Line> {
    let (of_redis, of_parse) = match detail {
        Detail::Plain => (Goal::AtMost(1.0 / 8.0), Goal::AtMost(3.0)),
        Detail::Scoped => (Goal::AtMost(1.0 / 6.0), Goal::Shown),
    };
    let line = |job: &str, ours: &Samples, rival: &str, theirs: &Samples, goal| Line {
        job: job.to_owned(),
        unit: "ns a recipient",
        ours: ours.clone(),
        rival: rival.to_owned(),
        theirs: theirs.clone(),
        goal,
    };
    let mut lines = Vec::new();
    if redis.spread().is_some() {
        lines.push(line(
            "10,000, compact answer",
            compact,
            "Redis SMISMEMBER 10,000",
            redis,
            of_redis,
        ));
    }
    let alone = "serde_json parse of the same bodies alone";
    lines.push(line("10,000, compact answer", compact, alone, parse, of_parse));
    lines.push(line("10,000, all reasons", reasons, alone, parse, Goal::AtMost(6.0)));
    lines
}
