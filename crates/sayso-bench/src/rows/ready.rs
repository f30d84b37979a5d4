//! From the start of the program to its first decision: with the saved index, with views alone, and
//! with the ledger alone.

use std::path::Path;

use anyhow::Result;

use crate::measure::{Goal, Samples};
use crate::redis;
use crate::report::{Line, Outcome};
use crate::rig::Rig;
use crate::server::Server;

/// What the gate index is rebuilt without.
const INDEX: &[&str] = &["gate"];
/// All that is derived.
const DERIVED: &[&str] = &["views.db", "gate"];
/// From so many people on, the ledger is replayed in one round only.
const REPLAY_ONCE_FROM: u64 = 1_000_000;

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let loaded = rig.loaded().await?;
    rig.stop_server().await?;
    let program = rig.program()?;
    let directory = &loaded.data.directory;
    if let Some(redis) = rig.redis().await? {
        redis.save()?;
    }
    let (mut saved, mut rebuilt, mut replayed) =
        (Samples::default(), Samples::default(), Samples::default());
    let mut theirs = Samples::default();
    let replay_once = rig.people.contacts >= REPLAY_ONCE_FROM;
    for round in rig.rounds("ready") {
        let start = async |samples: &mut Samples| -> Result<()> {
            let (server, time) = Server::start(&program, directory, &loaded.key).await?;
            samples.push(time.as_secs_f64() * 1e3);
            server.stop().await
        };
        if round == 0 || !replay_once {
            delete(directory, DERIVED)?;
            start(&mut replayed).await?;
        }
        delete(directory, INDEX)?;
        start(&mut rebuilt).await?;
        start(&mut saved).await?;
        if let Some(time) = rig.restart_redis().await? {
            theirs.push(time.as_secs_f64() * 1e3);
        }
    }
    let mut outcome = Outcome::default();
    if theirs.spread().is_none() {
        outcome.left_out.push(redis::ABSENT.to_owned());
    } else {
        let line = |job: &str, ours, goal| Line {
            job: format!("{job}, {} contacts", rig.people.contacts),
            unit: "ms",
            ours,
            rival: "Redis loading an RDB file of the same people".to_owned(),
            theirs: theirs.clone(),
            goal,
        };
        outcome.lines.push(line("from what a clean stop left", saved, Goal::AtMost(0.25)));
        outcome.lines.push(line("by rebuild from the views", rebuilt, Goal::AtMost(3.0)));
        outcome.lines.push(line("by replay of the ledger", replayed, Goal::Shown));
    }
    outcome.notes.push(
        "from the start of the process to its first answered check, files in the page cache; Redis to its first answer".to_owned(),
    );
    Ok(outcome)
}

/// Deletes files that the store can make again.
fn delete(directory: &Path, names: &[&str]) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if names.iter().any(|derived| name.starts_with(derived)) && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
