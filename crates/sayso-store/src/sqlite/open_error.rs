//! Why a store does not open, in words for those who run it.
//!
//! An error names the file, says what is wrong with it, and what to do. Codes of the database engine
//! and of the system are turned into words here; what no word fits is shown as it came.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::store::StoreError;

/// Why a store does not open. Nothing in it was changed.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no store, and none was to be made.
    #[error(
        "there is no store in {0}: name its directory with --data or in a file with --config, or make one with `sayso workspaces create \"My shop\"`"
    )]
    NoStore(PathBuf),
    /// A file of the store is gone.
    #[error("{missing} is gone, but the rest of its store is there ({}): {}", there.join(", "), remedy(missing))]
    Gone {
        /// The file.
        missing: PathBuf,
        /// What is there.
        there: Vec<&'static str>,
    },
    /// A restore into the directory was broken off.
    #[error("a restore into {0} was broken off: run the same `sayso restore` again")]
    BrokenOff(PathBuf),
    /// A file belongs to another store.
    #[error(
        "{0} belongs to another store than events.db beside it: put back the file that belongs here, or restore a backup into an empty directory"
    )]
    Foreign(PathBuf),
    /// A file is damaged.
    #[error(
        "{path} is damaged ({what}): move this directory away and restore a backup with `sayso restore`; --compare finds what the backup lacks where the old file can still be read"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Somebody put into a file what no release puts there.
    #[error(
        "{path} was changed by somebody: {what}. Nothing in it was run or touched. Move this directory away and restore a backup with `sayso restore`"
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// What is in it, or missing.
        what: String,
    },
    /// The directory or a file in it cannot be used.
    #[error("{path}: {}", of_system(source))]
    File {
        /// What could not be used.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process owns the store.
    #[error("{0}: another process owns this store")]
    Owned(PathBuf),
    /// The file was written by a newer release.
    #[error(
        "{path} was written by a newer release (row version {found}, this release knows {known}); it was not touched"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in it.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The master key is not the one the store was made with.
    #[error("{0} is not the key this store was made with: put the right one there")]
    WrongKey(PathBuf),
    /// The database engine refuses.
    #[error("the database cannot be opened: {}", of_engine(.0))]
    Engine(#[from] rusqlite::Error),
    /// The schema cannot be brought up to date.
    #[error("the schema cannot be brought up to date")]
    Migration(#[from] refinery::Error),
    /// A row is damaged.
    #[error("the store cannot be read")]
    Store(#[from] StoreError),
}

impl OpenError {
    /// The engine's error about a file.
    pub(super) fn of_file(path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.into();
        move |error| match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => {
                Self::Damaged { path, what: "it is not a database".to_owned() }
            }
            Some(ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path, what: "parts of it are missing or overwritten".to_owned() }
            }
            Some(_) | None => Self::File { path, source: io::Error::other(of_engine(&error)) },
        }
    }
}

/// What to do about a file that is gone.
fn remedy(missing: &std::path::Path) -> &'static str {
    match missing.file_name().and_then(|name| name.to_str()) {
        Some("master.key") => {
            "put the key back from where you keep it; without it nobody in this store can be looked up"
        }
        Some("work.db") => {
            "put it back. If it is lost for good, make an empty file work.db.lost beside events.db and start again: \
             messages, rejects and look-ups begin anew, and no consent is lost"
        }
        Some(_) | None => {
            "put it back, or move what is left away and restore a backup with `sayso restore`"
        }
    }
}

/// The system's error in words, with what to do.
#[expect(clippy::wildcard_enum_match_arm, reason = "the system may say anything")]
pub(super) fn of_system(error: &io::Error) -> String {
    let words = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk is full: make room on it and start again"
        }
        ErrorKind::PermissionDenied => {
            "this user may not use it: start Sayso as the user that owns the data directory, or give it to this one \
             with chown"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "the disk is mounted read-only: mount it for writing, or name another directory with --data"
        }
        ErrorKind::IsADirectory => {
            "this is a directory, and a file belongs there: move it away and put the file back"
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "this is a file, and a directory belongs there: name another directory with --data"
        }
        ErrorKind::NotFound => "it is not there",
        _ => return error.to_string(),
    };
    words.to_owned()
}

/// The engine's error in words, with what to do.
fn of_engine(error: &rusqlite::Error) -> String {
    let words = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full: make room on it and start again",
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            "this user may not write it: start Sayso as the user that owns the data directory"
        }
        Some(ErrorCode::CannotOpen) => {
            "it cannot be opened: see whether this user may read and write it and the directory it is in, and whether \
             the disk has room"
        }
        Some(ErrorCode::SystemIoFailure) => {
            "the disk does not read or write: see whether it has room, and look after it"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program has it open: end that program and start again"
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "it is damaged: restore a backup with `sayso restore`"
        }
        Some(_) | None => return error.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_system_says_what_to_do_and_no_code() {
        for (code, words) in [
            (28, "make room"),
            (13, "chown"),
            (30, "read-only"),
            (21, "move it away"),
            (20, "--data"),
        ] {
            let source = io::Error::from_raw_os_error(code);
            let shown = OpenError::File { path: "/data/events.db".into(), source }.to_string();
            assert!(shown.starts_with("/data/events.db: ") && shown.contains(words), "{shown}");
            assert!(!shown.contains("os error"), "{shown}");
        }
    }

    #[test]
    fn an_error_of_the_engine_says_what_to_do_and_no_code() {
        for (code, words) in
            [(13, "make room"), (8, "owns the data directory"), (14, "room"), (10, "disk")]
        {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            let shown = OpenError::of_file("/data/work.db")(error).to_string();
            assert!(shown.starts_with("/data/work.db: ") && shown.contains(words), "{shown}");
        }
        for code in [11, 26] {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            let shown = OpenError::of_file("/data/work.db")(error).to_string();
            assert!(shown.contains("is damaged") && shown.contains("sayso restore"), "{shown}");
        }
    }
}
