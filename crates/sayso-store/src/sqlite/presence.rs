//! What a directory holds before anything in it is touched: a store, none, or one of which a file is
//! gone.
//!
//! A store that is being made has the file [`MAKING`] until it stands, so that a first start that was
//! broken off goes on at the next. Without it, any file of a store means that there was one: what is
//! gone then is named, and never begun anew in silence.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use super::OpenError;
use super::files::file_error;

/// Lies in the directory while the first start makes the store.
pub(super) const MAKING: &str = "store.new";
/// Made by an operator whose `work.db` is lost: it may be begun anew.
pub(super) const WORK_LOST: &str = "work.db.lost";

const LEDGER: &str = "events.db";
const WORK: &str = "work.db";
const KEY: &str = "master.key";
const NEXT_KEY: &str = "master.key.next";
const RESTORING: &str = "events.db.restoring";

/// What only a store has, and what is in it matters.
const SIGNS: [&str; 12] = [
    LEDGER,
    "events.db-wal",
    WORK,
    "work.db-wal",
    "views.db",
    "views.db-wal",
    "gate.index",
    KEY,
    NEXT_KEY,
    "lock",
    RESTORING,
    WORK_LOST,
];

/// What a directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// No store.
    None,
    /// One that the first start did not finish.
    Unfinished,
    /// One with all files that cannot be made again.
    Whole,
}

/// Looks, and changes nothing.
pub(super) fn look(directory: &Path) -> Result<Presence, OpenError> {
    if fs::metadata(directory).is_ok_and(|found| !found.is_dir()) {
        return Err(file_error(directory)(ErrorKind::NotADirectory.into()));
    }
    let mut there = Vec::new();
    for name in SIGNS {
        let path = directory.join(name);
        let is_sign = |path: &Path| [LEDGER, WORK].contains(&name) || !path.is_dir();
        if is_there(&path)? && is_sign(&path) {
            there.push(name);
        }
    }
    if is_there(&directory.join(MAKING))? {
        return Ok(Presence::Unfinished);
    }
    if there.is_empty() {
        return Ok(Presence::None);
    }
    let has = |name: &str| there.contains(&name);
    if !has(LEDGER) && has(RESTORING) {
        return Err(OpenError::BrokenOff(directory.to_path_buf()));
    }
    let missing = [
        (LEDGER, has(LEDGER)),
        (KEY, has(KEY) || has(NEXT_KEY)),
        (WORK, has(WORK) || has(WORK_LOST)),
    ];
    if let Some((missing, _)) = missing.into_iter().find(|(_, is_there)| !is_there) {
        return Err(OpenError::Gone { missing: directory.join(missing), there });
    }
    for name in [LEDGER, WORK].into_iter().filter(|name| has(name)) {
        usable(&directory.join(name))?;
    }
    Ok(Presence::Whole)
}

fn is_there(path: &Path) -> Result<bool, OpenError> {
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(file_error(path)(error)),
    }
}

/// Whether a database can be one: a file that this user may read and write, and not an empty one.
fn usable(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).open(path).map_err(file_error(path))?;
    if file.metadata().map_err(file_error(path))?.len() == 0 {
        return Err(OpenError::Damaged {
            path: path.to_path_buf(),
            what: "it is empty".to_owned(),
        });
    }
    Ok(())
}
