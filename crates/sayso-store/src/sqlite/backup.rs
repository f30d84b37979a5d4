//! Backups: a copy of the ledger as of one moment, and a manifest that says what is true of it.
//!
//! | File | Holds |
//! |---|---|
//! | `work.db` | rejects and look-ups, copied first: no refusal in `events.db` is older than they are |
//! | `events.db` | the ledger, in one file |
//! | `backup.json` | the [`Manifest`], written last: a directory without it is no backup |
//!
//! Views are not in it, because they are rebuilt, and neither is the master key: only its
//! fingerprint. Nothing is ever overwritten.

mod erasures;
mod hexadecimal;
mod restore;

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use sayso_core::event::{Fact, Switched};
use sayso_core::id::WorkspaceId;
use sayso_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::database::{Database, make_private_file};
use super::events::{self, LedgerRow};
use super::files::sync_directory;
use super::tail::WorkspaceNo;
use super::{Shared, unreadable};
use crate::store::{BackupError, StoreError};

pub use self::erasures::{Erasure, ErasureFault, Replayed, erasures};
pub use self::restore::{Restore, RestoreError, Restored};

/// The copy of the ledger.
const LEDGER: &str = "events.db";
/// The copy of rejects and look-ups.
const WORK: &str = "work.db";
/// The manifest.
const MANIFEST: &str = "backup.json";
/// The version of the manifest, and of the digest in it.
const FORMAT: u32 = 1;

/// What tells a master key from another without giving it away.
///
/// *Shape:* the first 8 bytes of SHA-256 over `sayso master key fingerprint\n` and the key; shown
/// as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub(super) [u8; 8]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal::write(&self.0))
    }
}

/// What is true of a copy of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The version of its rows.
    pub row_version: i64,
    /// Its last row; 0 where there is none.
    pub last_row: i64,
    /// When the last event was recorded.
    pub recorded_at: Option<Timestamp>,
    /// The master key that opens it.
    pub master_key: Fingerprint,
    /// All refusals in it.
    pub refusals: Refusals,
}

/// How many refusals a ledger holds, and which.
///
/// A *refusal* is an event that says `opt_out`, `hold` or `no` of messages or of processing, that
/// sets a suppression, or that erases. It counts whatever became of it: lifted, retracted or
/// brought by an import that was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// How many.
    pub count: u64,
    /// SHA-256 over `sayso refusals 1\n` and, for each refusal in the order of the ledger, the 16
    /// bytes of its workspace's id, the 16 of its address key and the 16 of its event id.
    pub digest: [u8; 32],
}

/// Whether an event takes something away.
const fn is_refusal(fact: &Fact) -> bool {
    match fact {
        Fact::Consent(_, statement) => statement.is_refusal(),
        Fact::Suppression(_, _, Switched::On) | Fact::Erasure => true,
        Fact::Suppression(_, _, Switched::Off)
        | Fact::Activity(_)
        | Fact::Retraction(_)
        | Fact::Link(_)
        | Fact::SameAccount(..)
        | Fact::MovedFrom(_)
        | Fact::Attributes(_) => false,
    }
}

/// The ids of the workspaces, by the numbers that rows name.
#[derive(Debug)]
struct Workspaces(Vec<(WorkspaceNo, WorkspaceId)>);

impl Workspaces {
    fn read(ledger: &Connection) -> Result<Self, StoreError> {
        let rows = events::workspaces(ledger)?;
        Ok(Self(rows.into_iter().map(|row| (row.no, row.id)).collect()))
    }

    fn id_of(&self, row: &LedgerRow) -> Result<WorkspaceId, StoreError> {
        let found = self.0.iter().find(|(no, _)| *no == row.workspace);
        let damaged = || StoreError::Corrupt { table: "event", id: row.row.to_string() };
        found.map(|(_, id)| *id).ok_or_else(damaged)
    }

    fn no_of(&self, id: WorkspaceId) -> Option<WorkspaceNo> {
        self.0.iter().find(|(_, known)| *known == id).map(|(no, _)| *no)
    }
}

impl Refusals {
    fn of(ledger: &Connection) -> Result<Self, StoreError> {
        let workspaces = Workspaces::read(ledger)?;
        let mut hasher = Sha256::new();
        hasher.update(b"sayso refusals 1\n");
        let mut count = 0;
        events::for_each_after(ledger, 0, |row| {
            if is_refusal(&row.event.fact) {
                hasher.update(workspaces.id_of(&row)?.as_bytes());
                hasher.update(row.event.key.as_bytes());
                hasher.update(row.event.id.as_bytes());
                count += 1;
            }
            Ok(())
        })?;
        Ok(Self { count, digest: hasher.finalize().into() })
    }
}

/// The manifest as it stands in its file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    format: u32,
    row_version: i64,
    last_row: i64,
    recorded_at: Option<String>,
    master_key_fingerprint: String,
    refusals: u64,
    refusals_sha256: String,
}

/// The one field that every version of a manifest has.
#[derive(Deserialize)]
struct Versioned {
    format: u32,
}

/// Why a text is no manifest.
#[derive(Debug, PartialEq, Eq)]
enum ManifestFault {
    /// A newer release wrote it.
    Newer(u32),
    /// It is not what any release writes.
    Malformed,
}

impl Manifest {
    /// Reads the manifest of the backup in `directory`.
    ///
    /// # Errors
    /// [`RestoreError`] where there is none, or none that this release can read.
    pub fn read(directory: &Path) -> Result<Self, RestoreError> {
        restore::read_manifest(directory)
    }

    /// What is true of a ledger.
    fn of(ledger: &Connection) -> Result<Self, StoreError> {
        let (row_version, fingerprint) = ledger
            .query_row("SELECT row_version, key_fingerprint FROM store", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(unreadable)?;
        let (last_row, recorded_at) = events::last(ledger)?;
        Ok(Self {
            row_version,
            last_row,
            recorded_at: (last_row > 0).then_some(recorded_at),
            master_key: Fingerprint(fingerprint),
            refusals: Refusals::of(ledger)?,
        })
    }

    fn to_json(self) -> String {
        let record = Record {
            format: FORMAT,
            row_version: self.row_version,
            last_row: self.last_row,
            recorded_at: self.recorded_at.map(|at| at.to_string()),
            master_key_fingerprint: self.master_key.to_string(),
            refusals: self.refusals.count,
            refusals_sha256: hexadecimal::write(&self.refusals.digest),
        };
        // Numbers and plain texts always serialize; a manifest without text is refused by `parse`.
        let mut text = serde_json::to_string_pretty(&record).unwrap_or_default();
        text.push('\n');
        text
    }

    fn parse(text: &[u8]) -> Result<Self, ManifestFault> {
        let malformed = ManifestFault::Malformed;
        match serde_json::from_slice(text) {
            Ok(Versioned { format: FORMAT }) => {}
            Ok(Versioned { format }) if format > FORMAT => {
                return Err(ManifestFault::Newer(format));
            }
            Ok(_) | Err(_) => return Err(malformed),
        }
        let record: Record = serde_json::from_slice(text).map_err(|_| ManifestFault::Malformed)?;
        let at = |text: String| Timestamp::parse(&text).map_err(|_| ManifestFault::Malformed);
        let fingerprint = hexadecimal::read_exact(&record.master_key_fingerprint);
        let digest = hexadecimal::read_exact(&record.refusals_sha256);
        Ok(Self {
            row_version: record.row_version,
            last_row: record.last_row,
            recorded_at: record.recorded_at.map(at).transpose()?,
            master_key: Fingerprint(fingerprint.ok_or(ManifestFault::Malformed)?),
            refusals: Refusals { count: record.refusals, digest: digest.ok_or(malformed)? },
        })
    }
}

/// Opens a ledger that nobody writes to through this connection.
fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

/// Copies a ledger, while it is written to, into a new directory.
pub(super) fn make(store: &Shared, to: &Path) -> Result<Manifest, BackupError> {
    let made = DirBuilder::new().mode(0o700).create(to);
    made.map_err(|source| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            BackupError::Exists(to.to_path_buf())
        } else {
            BackupError::File { path: to.to_path_buf(), source }
        }
    })?;
    fill(store, to).inspect_err(|_| {
        // The directory was made here, so all that is in it was too.
        if let Err(error) = fs::remove_dir_all(to) {
            tracing::warn!(error = %error, "a backup that failed could not be removed");
        }
    })
}

fn fill(store: &Shared, to: &Path) -> Result<Manifest, BackupError> {
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |source| BackupError::File { path, source }
    };
    store.work.back_up(&to.join(WORK))?;
    let path = to.join(LEDGER);
    copy(&store.ledger, &path)?;
    let copy = open_to_read(&path).map_err(unreadable);
    let manifest = copy
        .and_then(|copy| Manifest::of(&copy))
        .map_err(|source| BackupError::ReadBack { path, source })?;
    let path = to.join(MANIFEST);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(&path).and_then(|mut file| {
        file.write_all(manifest.to_json().as_bytes())?;
        file.sync_all()
    });
    written.map_err(at(&path))?;
    sync_directory(to).map_err(at(to))?;
    to.parent().map_or(Ok(()), sync_directory).map_err(at(to))?;
    Ok(manifest)
}

/// Copies a database as of now into a new file that nobody else may read, and waits for the disk.
pub(super) fn copy(database: &Database, to: &Path) -> Result<(), BackupError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| BackupError::Copy {
        path: to.to_path_buf(),
        source,
    };
    let text = to.to_str().ok_or_else(|| failed("the path is not UTF-8".into()))?;
    // SQLite writes into an empty file that is there already.
    make_private_file(to).map_err(|source| BackupError::File { path: to.to_path_buf(), source })?;
    match database.read(|from| Ok(from.execute("VACUUM INTO ?1", [text]))) {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(failed(error.into())),
        Err(error) => return Err(failed(error.into())),
    }
    // It does not wait for the disk when it writes a copy.
    File::open(to).and_then(|copy| copy.sync_all()).map_err(|error| failed(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            row_version: 1,
            last_row: 7,
            recorded_at: Some(Timestamp::from_micros(1_767_225_600_000_001)),
            master_key: Fingerprint([1, 2, 3, 4, 5, 6, 7, 255]),
            refusals: Refusals { count: 3, digest: [9; 32] },
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let empty = Manifest { last_row: 0, recorded_at: None, ..manifest() };
        for one in [manifest(), empty] {
            assert_eq!(Manifest::parse(one.to_json().as_bytes()), Ok(one));
        }
    }

    #[test]
    fn a_manifest_of_a_newer_release_is_told_from_a_broken_one() {
        let text = manifest().to_json();
        let newer = text.replace("\"format\": 1", "\"format\": 2, \"more\": true");
        assert_eq!(Manifest::parse(newer.as_bytes()), Err(ManifestFault::Newer(2)));
        for broken in [
            text.replace("\"format\": 1", "\"format\": 0"),
            text.replace("\"last_row\"", "\"row\""),
            text.replace("ff\"", "f\""),
            text.replace("2026-", "26-"),
            String::new(),
        ] {
            assert_ne!(broken, text);
            assert_eq!(Manifest::parse(broken.as_bytes()), Err(ManifestFault::Malformed));
        }
    }
}
