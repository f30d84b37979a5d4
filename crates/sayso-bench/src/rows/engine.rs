//! The store alone: commits of 64 events, sealing and hashing included, beside a raw log.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use sayso_store::Store;
use sayso_store::sqlite::SqliteStore;
use sayso_store::store::{Outcome as Stored, StoreError};
use tokio::time::Instant;

use super::record::Rival;
use crate::data::{self, Data, RowBytes};
use crate::measure::{Goal, Samples, count, float, nanos, percentile};
use crate::people::{PEOPLE_MAX, People};
use crate::postgres;
use crate::report::{Line, Outcome};
use crate::rig::Rig;

/// Events of one commit.
const EVENTS: usize = 64;
/// People whose events fill several commits; each says two or more things.
const PEOPLE_AT_ONCE: u64 = 1_024;

/// What one measurement came to.
#[derive(Default)]
struct Commits {
    nanos: Vec<u64>,
    put_off: u64,
}

impl Commits {
    fn rate(&self) -> f64 {
        let seconds = float(self.nanos.iter().sum()) / 1e9;
        count(self.nanos.len() * EVENTS) / seconds
    }

    fn worst_ms(&mut self) -> f64 {
        float(percentile(&mut self.nanos, 99)) / 1e6
    }

    fn has_taken(&self, time: Duration) -> bool {
        self.nanos.iter().sum::<u64>() >= nanos(time)
    }
}

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let directory = rig.scratch.directory("engine")?;
    let data = data::furnish(directory.clone(), rig.people.detail).await?;
    let store = data::open(&data.directory)?;
    let mut next = 0;
    // The first commits are not measured; they tell how large an event is.
    record(&store, (&rig.people, &data), &mut next, Duration::from_millis(200)).await?;
    let bytes = data::row_bytes(&data.directory)?;
    let mut log = File::options().create_new(true).append(true).open(directory.join("raw.log"))?;
    let (mut rate, mut worst) = (Samples::default(), Samples::default());
    let (mut raw_rate, mut raw_worst) = (Samples::default(), Samples::default());
    let mut grouped = Samples::default();
    let rival = match rig.postgres().await? {
        Some(postgres) => Some(Rival::new(postgres.session(1).await?, bytes).await?),
        None => None,
    };
    let mut put_off = 0;
    for _ in rig.rounds("engine") {
        let mut ours = record(&store, (&rig.people, &data), &mut next, rig.time()).await?;
        let mut raw = append(&mut log, bytes, rig.time())?;
        rate.push(ours.rate());
        raw_rate.push(raw.rate());
        worst.push(ours.worst_ms());
        raw_worst.push(raw.worst_ms());
        if let Some(rival) = &rival {
            grouped.push(rival.insert_groups(EVENTS, rig.time()).await?);
        }
        put_off += ours.put_off;
    }
    store.close().await?;
    drop(log);
    remove(&directory)?;
    let raw_log = format!("raw log, {} bytes an event, fdatasync at {EVENTS}", bytes.total());
    let line = |job: &str, unit, ours, theirs, goal| Line {
        job: job.to_owned(),
        unit,
        ours,
        rival: raw_log.clone(),
        theirs,
        goal,
    };
    let beside_postgres = Line {
        rival: format!("PostgreSQL, {EVENTS} events a statement, one connection"),
        theirs: grouped.clone(),
        goal: Goal::Shown,
        ..line(
            "64 events a commit, one caller",
            "events/s",
            rate.clone(),
            Samples::default(),
            Goal::Shown,
        )
    };
    let mut lines = vec![
        line("64 events a commit, one caller", "events/s", rate, raw_rate, Goal::AtLeast(0.2)),
        line("64 events a commit, p99", "ms", worst, raw_worst, Goal::AtMost(3.0)),
    ];
    let mut left_out = Vec::new();
    if grouped.spread().is_some() {
        lines.push(beside_postgres);
    } else {
        left_out.push(postgres::ABSENT.to_owned());
    }
    Ok(Outcome { lines, notes: notes(next, put_off), left_out })
}

fn notes(people: u64, put_off: u64) -> Vec<String> {
    let mut notes = vec![
        "one caller: what it does for the writer (look-ups, sealing) and the commit follow each other; making the drafts is not counted".to_owned(),
        format!("{people} people are in the store at the end; the log grows, it is not laid out beforehand"),
    ];
    if put_off > 0 {
        notes.push(format!(
            "the store said {put_off} times that it is busy; the waiting is in its times"
        ));
    }
    notes
}

/// Records events of people who said nothing before, for a time.
async fn record(
    store: &SqliteStore,
    (people, data): (&People, &Data),
    next: &mut u64,
    time: Duration,
) -> Result<Commits> {
    let mut commits = Commits::default();
    while !commits.has_taken(time) {
        ensure!(*next + PEOPLE_AT_ONCE <= PEOPLE_MAX, "there are no more people");
        let drafts = people.drafts(*next..*next + PEOPLE_AT_ONCE, data.workspace)?;
        *next += PEOPLE_AT_ONCE;
        for batch in drafts.chunks_exact(EVENTS) {
            let owned = batch.to_vec();
            let started = Instant::now();
            let (recorded, put_off) = match store.record(data.workspace, owned).await {
                Err(StoreError::Busy) => data::record(store, data.workspace, batch).await?,
                recorded => (recorded?, 0),
            };
            commits.nanos.push(nanos(started.elapsed()));
            commits.put_off += u64::from(put_off);
            let new = recorded.iter().filter(|one| one.outcome == Stored::Appended).count();
            ensure!(new == EVENTS, "{new} of {EVENTS} events were new");
        }
    }
    Ok(commits)
}

/// Appends the same bytes to a plain file, for a time.
fn append(log: &mut File, bytes: RowBytes, time: Duration) -> Result<Commits> {
    let piece = vec![0xa5; bytes.total() * EVENTS];
    let mut commits = Commits::default();
    while !commits.has_taken(time) {
        let started = Instant::now();
        log.write_all(&piece)?;
        log.sync_data()?;
        commits.nanos.push(nanos(started.elapsed()));
    }
    Ok(commits)
}

/// Gives the room back to the rows that follow.
fn remove(directory: &Path) -> Result<()> {
    Ok(std::fs::remove_dir_all(directory)?)
}
