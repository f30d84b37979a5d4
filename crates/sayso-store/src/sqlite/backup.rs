//! Backups: a copy of the ledger as of one moment, and a manifest that says what is true of it.
//!
//! | File | Holds |
//! |---|---|
//! | `work.db` | rejects and look-ups, copied first: no refusal in `events.db` is older than they are |
//! | `events.db` | the ledger, in one file |
//! | `backup.json` | the [`Manifest`], written last and sealed by the master key: a directory without it is no backup |
//!
//! Views are not in it, because they are rebuilt, and neither is the master key: only its
//! fingerprint. Nothing is ever overwritten.

mod erasures;
mod fault;
mod hexadecimal;
mod made;
mod manifest;
mod restore;

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rusqlite::Connection;
use sayso_core::id::WorkspaceId;
use sha2::{Digest, Sha256};

use super::database::{Database, make_private_file, open_to_read};
use super::events::{self, LedgerRow};
use super::files::sync_directory;
use super::tail::WorkspaceNo;
use super::{Shared, unreadable};
use crate::store::{BackupError, StoreError};

pub(super) use self::erasures::belongs_to_an_erasure;
pub use self::erasures::{Erasure, ErasureFault, Replayed, erasures};
use self::manifest::Copied;

pub use self::fault::RestoreError;
pub use self::manifest::Manifest;
pub use self::restore::{Lines, Restore, Restored};

/// The copy of the ledger.
const LEDGER: &str = "events.db";
/// The copy of rejects and look-ups.
const WORK: &str = "work.db";
/// The manifest.
const MANIFEST: &str = "backup.json";

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

/// How many refusals a ledger holds, and which.
///
/// A *refusal* is an event that says `opt_out`, `hold` or `no` of messages or of processing, that
/// sets a suppression, or that erases. It counts whatever became of it: lifted, retracted or
/// brought by an import that was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// How many.
    pub count: u64,
    /// SHA-256 over `sayso refusals 2\n` and, for each refusal in the order of the ledger: the 16 bytes
    /// each of its workspace's id, its address key and its event id; when it was recorded, in
    /// microseconds since 1970 as 8 bytes; the length of its facts as 8 bytes, and those facts in
    /// [canonical bytes](sayso_core::canonical), which say channel, scope, statement and time; and the
    /// 32 bytes of its leaf hash. Numbers have their greatest byte first.
    pub digest: [u8; 32],
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
        hasher.update(b"sayso refusals 2\n");
        let mut count = 0;
        events::for_each_after(ledger, 0, |row| {
            if row.event.fact.takes_away() {
                hasher.update(workspaces.id_of(&row)?.as_bytes());
                hasher.update(row.event.key.as_bytes());
                hasher.update(row.event.id.as_bytes());
                hasher.update(row.event.recorded_at.as_micros().to_be_bytes());
                let facts = row.event.facts();
                hasher.update(u64::try_from(facts.len()).unwrap_or(u64::MAX).to_be_bytes());
                hasher.update(&facts);
                hasher.update(row.leaf_hash);
                count += 1;
            }
            Ok(())
        })?;
        Ok(Self { count, digest: hasher.finalize().into() })
    }
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
    let files = Copied::of(to).map_err(at(to))?;
    let manifest = copy
        .and_then(|copy| Manifest::of(&copy, files))
        .map_err(|source| BackupError::ReadBack { path, source })?;
    let path = to.join(MANIFEST);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(&path).and_then(|mut file| {
        file.write_all(manifest.to_json(&store.master).as_bytes())?;
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

/// Whether a text is a manifest; it has not this key's seal.
#[cfg(feature = "fuzzing")]
pub(super) fn reads_manifest(text: &[u8], master: &super::seal::MasterKey) -> bool {
    let read = Manifest::parse(text);
    assert!(!read.is_ok_and(|sealed| sealed.is_of(master)), "a seal that nobody made");
    read.is_ok()
}

/// Whether bytes are a list of erasures, each of which is printed as it was read.
#[cfg(feature = "fuzzing")]
pub(super) fn reads_erasures(bytes: &[u8]) -> bool {
    let Ok(Ok(read)) = erasures::read_list(bytes) else { return false };
    let lines = String::from_utf8_lossy(bytes);
    assert!(read.iter().map(Erasure::to_line).eq(lines.split_terminator('\n')), "other lines");
    true
}
