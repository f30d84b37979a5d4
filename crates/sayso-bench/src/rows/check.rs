//! One recipient over HTTP, 64 kept connections, the server on one processor.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use hyper::{Method, StatusCode};

use super::batch::sender_member;
use crate::child::pin;
use crate::hello::Hello;
use crate::http::{Load, Maker, Target};
use crate::machine::{cores, processor_seconds};
use crate::measure::{Goal, Samples, float};
use crate::people::People;
use crate::postgres;
use crate::report::{Line, Outcome};
use crate::rig::Rig;

/// Kept connections.
const CLIENTS: usize = 64;
/// The processor of the servers.
const PROCESSOR: &str = "1";

/// The values of one server.
#[derive(Default)]
struct Figures {
    rate: Samples,
    processor_us: Samples,
    p99_ms: Samples,
}

/// Whether each server ran on one processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pinning {
    Done,
    Impossible,
}

/// Asks about random people, nine in ten of them known.
fn maker(people: &People) -> Maker {
    let people = people.clone();
    let sender = sender_member(&people);
    Arc::new(move |target, turn| {
        let number = if turn % 10 == 9 { people.stranger(turn) } else { people.known(turn) };
        let body = format!("{{\"channel\":\"sms\",{sender}\"phone\":\"+{number}\"}}");
        target.call(Method::POST, "/v1/check", Bytes::from(body))
    })
}

/// Asks about nobody: everything but the decision.
fn idle_maker(people: &People) -> Maker {
    let sender = sender_member(people);
    let body = Bytes::from(format!("{{\"channel\":\"sms\",{sender}\"to\":[]}}"));
    Arc::new(move |target, _| target.call(Method::POST, "/v1/check/batch", body.clone()))
}

impl Figures {
    async fn round(&mut self, process: u32, target: &Target, load: &Load) -> Result<()> {
        let before = processor_seconds(process)?;
        let mut answers = load.put_on(target).await?;
        let seconds = processor_seconds(process)? - before;
        self.rate.push(answers.rate());
        self.processor_us.push(seconds * 1e6 / float(answers.wanted));
        self.p99_ms.push(answers.within_ms(99));
        Ok(())
    }
}

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let rival_socket =
        rig.postgres_with_contacts().await?.map(|rival| rival.socket().to_path_buf());
    let hello = Hello::start(&rig.scratch, None).await?;
    let table = match &rival_socket {
        Some(socket) => Some(Hello::start(&rig.scratch, Some(socket)).await?),
        None => None,
    };
    let server = rig.server().await?;
    let (process, target) = (server.id()?, server.target.clone());
    let processes = [Some(process), Some(hello.id()?), table.as_ref().map(Hello::id).transpose()?];
    let pinning = pin_all(processes.into_iter().flatten()).await;
    let load = |make: &Maker| load(make, rig.time());
    let (asking, idle) = (load(&maker(&rig.people)), load(&idle_maker(&rig.people)));
    let [mut ours, mut constant, mut bare, mut decided] = <[Figures; 4]>::default();
    for _ in rig.rounds("check") {
        ours.round(process, &target, &asking).await?;
        constant.round(process, &target, &idle).await?;
        bare.round(hello.id()?, &hello.target, &asking).await?;
        if let Some(table) = &table {
            decided.round(table.id()?, &table.target, &asking).await?;
        }
    }
    if pinning == Pinning::Done {
        pin(process, &format!("0-{}", cores() - 1)).await;
    }
    hello.stop().await?;
    if let Some(table) = table {
        table.stop().await?;
    }
    Ok(outcome([&ours, &constant, &bare, &decided], pinning))
}

async fn pin_all(processes: impl Iterator<Item = u32>) -> Pinning {
    if cores() < 2 {
        return Pinning::Impossible;
    }
    for process in processes {
        if !pin(process, PROCESSOR).await {
            return Pinning::Impossible;
        }
    }
    Pinning::Done
}

fn load(make: &Maker, time: Duration) -> Load {
    Load {
        clients: CLIENTS,
        time,
        make: Arc::clone(make),
        next: Arc::new(AtomicU64::new(0)),
        wanted: StatusCode::OK,
    }
}

fn outcome([ours, constant, bare, decided]: [&Figures; 4], pinning: Pinning) -> Outcome {
    let mut outcome = Outcome::default();
    let mut line = |unit, (ours, rival, theirs): (&Samples, &str, &Samples), goal| {
        if theirs.spread().is_some() {
            outcome.lines.push(Line {
                job: format!("one recipient, {CLIENTS} connections"),
                unit,
                ours: ours.clone(),
                rival: rival.to_owned(),
                theirs: theirs.clone(),
                goal,
            });
        }
    };
    let idle = "the same server's check/batch of nobody";
    let table = "bare hyper deciding by PostgreSQL, prepared, 16 pipelined connections";
    let hello = "bare hyper's hello";
    line("requests/s", (&ours.rate, idle, &constant.rate), Goal::AtLeast(0.9));
    line("requests/s", (&ours.rate, table, &decided.rate), Goal::AtLeast(2.0));
    line("CPU µs a request", (&ours.processor_us, hello, &bare.processor_us), Goal::AtMost(2.5));
    line("requests/s", (&ours.rate, hello, &bare.rate), Goal::Shown);
    line("p99 ms", (&ours.p99_ms, hello, &bare.p99_ms), Goal::Shown);
    outcome.notes = vec![
        "no route of the server answers a constant: check/batch of nobody has the same key, limits, metrics and a body of the same shape".to_owned(),
        "CPU is that of the server's process alone, in the kernel's steps of 10 ms; the client of one thread may be the limit of the rates".to_owned(),
    ];
    let place = match pinning {
        Pinning::Done => "each server ran on one processor",
        Pinning::Impossible => "no server was pinned: there is one processor, or no taskset",
    };
    outcome.notes.push(place.to_owned());
    if decided.rate.spread().is_none() {
        outcome.left_out.push(postgres::ABSENT.to_owned());
    }
    outcome
}
