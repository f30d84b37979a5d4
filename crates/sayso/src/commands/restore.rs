//! `sayso restore`: make a store from a backup and its master key.

use std::path::Path;

use anyhow::Context;
use sayso_store::sqlite::SqliteStore;
use serde_json::json;

use super::Place;
use crate::exit::{Exit, Failure};
use crate::local;
use crate::options::Restore;
use crate::printer::Printer;

/// Copies a backup into the empty data directory and opens it once, so that what does not fit is
/// said now.
pub(crate) fn run(place: &Place, options: &Restore, printer: Printer) -> Result<Exit, Failure> {
    let directory = place.config()?.store.directory;
    if directory.join("events.db").exists() {
        return Err(Failure::Input(format!(
            "{} holds a store already: name an empty directory with --data",
            directory.display()
        )));
    }
    std::fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
    let store = fill(&directory, options).inspect_err(|_| {
        // What was copied is a copy: without it the next try finds an empty directory.
        for name in [
            "events.db",
            "events.db-wal",
            "events.db-shm",
            "work.db",
            "work.db-wal",
            "work.db-shm",
            "views.db",
            "master.key",
        ] {
            drop(std::fs::remove_file(directory.join(name)));
        }
    })?;
    let events = sayso_store::Store::health(&store).events;
    printer.value(&json!({ "directory": directory, "events": events }), |_| {
        format!("{events} events restored into {}", directory.display())
    });
    Ok(Exit::Yes)
}

fn fill(directory: &Path, options: &Restore) -> Result<SqliteStore, Failure> {
    // Consent is restored also where nothing else was saved.
    if options.from.join("work.db").exists() {
        copy(&options.from.join("work.db"), &directory.join("work.db"))?;
    }
    copy(&options.from.join("events.db"), &directory.join("events.db"))?;
    copy(&options.master_key, &directory.join("master.key"))?;
    local::open(directory).map_err(|error| local::open_failure(directory, error))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::copy(from, to)
        .map(|_| ())
        .map_err(|error| Failure::Input(format!("{}: {error}", from.display())))
}
