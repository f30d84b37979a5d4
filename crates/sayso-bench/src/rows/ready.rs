//! From the start of the program to its first decision: with its views, and without them.

use std::path::Path;

use anyhow::Result;

use crate::measure::{Goal, Samples};
use crate::redis;
use crate::report::{Line, Outcome};
use crate::rig::Rig;
use crate::server::Server;

/// The files that are derived, and may be deleted.
const DERIVED: [&str; 2] = ["views.db", "gate"];

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let loaded = rig.loaded().await?;
    rig.stop_server().await?;
    let program = rig.program()?;
    let directory = &loaded.data.directory;
    if let Some(redis) = rig.redis().await? {
        redis.save()?;
    }
    let (mut saved, mut rebuilt, mut theirs) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in rig.rounds("ready") {
        delete_derived(directory)?;
        let (server, time) = Server::start(&program, directory, &loaded.key).await?;
        rebuilt.push(time.as_secs_f64() * 1e3);
        server.stop().await?;
        let (server, time) = Server::start(&program, directory, &loaded.key).await?;
        saved.push(time.as_secs_f64() * 1e3);
        server.stop().await?;
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
        outcome.lines.push(line("by rebuild, derived files deleted", rebuilt, Goal::AtMost(3.0)));
    }
    outcome.notes.push(
        "from the start of the process to its first answered check, files in the page cache; Redis to its first answer".to_owned(),
    );
    Ok(outcome)
}

/// Deletes what the store can make again from its ledger.
fn delete_derived(directory: &Path) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if DERIVED.iter().any(|derived| name.starts_with(derived)) && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
