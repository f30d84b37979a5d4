//! Why a backup is not restored, in words for those who restore it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::Fingerprint;
use super::erasures::ErasureFault;
use crate::store::StoreError;

/// Why a backup is not restored. The target is as it was before.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// The manifest is not there.
    #[error(
        "{0} is not there, so this is no whole backup: name a directory that `sayso backup` made"
    )]
    NoManifest(PathBuf),
    /// The manifest cannot be read.
    #[error("{0} is no manifest of a backup: take another backup")]
    Manifest(PathBuf),
    /// A newer release made the backup.
    #[error(
        "{path} has {what} {found}, and this release knows {known}: use the release that made it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Whether the format of the manifest or of the rows is newer.
        what: &'static str,
        /// Which it has.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// An earlier build made the backup, whose manifest does not say enough.
    #[error(
        "{0} was written by an earlier build and does not say what every file holds: restore it with that build, and take another backup"
    )]
    Older(PathBuf),
    /// The master key did not make the manifest.
    #[error(
        "{0} was changed after the backup was made: its seal is not that of the master key. Take another backup"
    )]
    Forged(PathBuf),
    /// The copy is no sound database.
    #[error("{path} is damaged ({what}): take another backup")]
    Damaged {
        /// The copy.
        path: PathBuf,
        /// What the database engine says.
        what: String,
    },
    /// The copy is not the one that the manifest speaks of.
    #[error(
        "{path} has another {what} than its manifest says, so one of them was changed: take another backup"
    )]
    Differs {
        /// The copy.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// A file cannot be read.
    #[error("{path}: {source}: name a file that this user may read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The master key is none.
    #[error(
        "{0} is no master key, which has 32 bytes: name a copy of the `master.key` of that time"
    )]
    NotAKey(PathBuf),
    /// The master key is another one.
    #[error(
        "{key} has the fingerprint {has}, and backup.json says that the backup was made under {needs}: give the master key of that time"
    )]
    WrongKey {
        /// The key file.
        key: PathBuf,
        /// Its fingerprint.
        has: Fingerprint,
        /// That of the key the backup needs.
        needs: Fingerprint,
    },
    /// A line of the erasures is none.
    #[error("{path}, line {line} {fault}: take out that line, or write the list anew")]
    Erasures {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: ErasureFault,
    },
    /// Nobody knows who wrote a line of the erasures.
    #[error(
        "{path}, line {line} carries no code, so nobody knows who wrote it: an earlier release made the list, or somebody \
         changed it. Write the list anew with `sayso export --erasures`. Where its store is lost and you trust whoever kept \
         the list, give --unauthenticated: a line that somebody else wrote destroys what is known of its person"
    )]
    Unauthenticated {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// Another store wrote a line of the erasures, or somebody changed it.
    #[error(
        "{path}, line {line} is not what this store wrote: its code is wrong, so somebody changed the list, or it is another \
         store's. Write the list anew with `sayso export --erasures`"
    )]
    ForgedErasure {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The replaced store cannot be read.
    #[error("{path} cannot be read as a store: leave it out, and give its erasures as a list")]
    Replaced {
        /// Its ledger.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The directory holds something already.
    #[error(
        "{0} is there already: name an empty directory with --data, or move the store that is there away and name it with --compare"
    )]
    Occupied(PathBuf),
    /// Another process owns the directory.
    #[error("{0}: another process owns the store there: stop it, or name another directory")]
    Owned(PathBuf),
    /// The store cannot be written.
    #[error("{path}: {source}: name a directory that this user may write to, on a disk with room")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The erasures cannot be taken into the copy.
    #[error("{path}: the erasures cannot be taken in: look after that disk, and try again")]
    Replay {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
}
