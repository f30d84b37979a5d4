//! The manifest of a backup: what is true of its files, under a seal of the master key.
//!
//! The seal is HMAC-SHA-256 over the manifest in a byte form of its own, so that whoever may write to
//! the place where backups lie cannot change a backup and its manifest together.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rusqlite::Connection;
use sayso_core::canonical::Writer;
use sayso_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::seal::MasterKey;
use super::super::{events, unreadable};
use super::fault::RestoreError;
use super::{Fingerprint, LEDGER, Refusals, WORK, hexadecimal, restore};
use crate::store::StoreError;

/// The version of the manifest, and of the digest in it.
pub(super) const FORMAT: u32 = 2;

/// What is true of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The version of its rows.
    pub row_version: i64,
    /// The last row of its ledger; 0 where there is none.
    pub last_row: i64,
    /// When the last event was recorded.
    pub recorded_at: Option<Timestamp>,
    /// How many workspaces it holds.
    pub workspaces: u64,
    /// The master key that opens it.
    pub master_key: Fingerprint,
    /// All refusals in it.
    pub refusals: Refusals,
    /// Its files.
    pub(super) files: Copied,
}

/// The files of a backup, byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) ledger: Content,
    pub(super) work: Content,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) bytes: u64,
    pub(super) sha256: [u8; 32],
}

/// A manifest as it was read, with its seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) manifest: Manifest,
    mac: [u8; 32],
}

/// Why a text is no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ManifestFault {
    /// A newer release wrote it.
    Newer(u32),
    /// An earlier one, whose manifests said too little.
    Older,
    /// It is not what any release writes.
    Malformed,
}

/// The manifest as it stands in its file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    format: u32,
    row_version: i64,
    last_row: i64,
    recorded_at: Option<String>,
    workspaces: u64,
    master_key_fingerprint: String,
    refusals: u64,
    refusals_sha256: String,
    files: FilesRecord,
    mac: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilesRecord {
    #[serde(rename = "events.db")]
    ledger: ContentRecord,
    #[serde(rename = "work.db")]
    work: ContentRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentRecord {
    bytes: u64,
    sha256: String,
}

/// The one field that every version of a manifest has.
#[derive(Deserialize)]
struct Versioned {
    format: u32,
}

impl Content {
    /// Reads a file to its end.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let (mut hasher, mut bytes) = (Sha256::new(), 0);
        let mut piece = vec![0_u8; 65_536];
        loop {
            let read = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hasher.update(piece.get(..read).unwrap_or_default());
            bytes += u64::try_from(read).unwrap_or(u64::MAX);
        }
        Ok(Self { bytes, sha256: hasher.finalize().into() })
    }

    fn to_record(self) -> ContentRecord {
        ContentRecord { bytes: self.bytes, sha256: hexadecimal::write(&self.sha256) }
    }

    fn from_record(record: &ContentRecord) -> Option<Self> {
        Some(Self { bytes: record.bytes, sha256: hexadecimal::read_exact(&record.sha256)? })
    }
}

impl Copied {
    /// The files of a backup that lie in `directory`.
    pub(super) fn of(directory: &Path) -> io::Result<Self> {
        let content = |name: &str| Content::of(&directory.join(name));
        Ok(Self { ledger: content(LEDGER)?, work: content(WORK)? })
    }
}

impl Sealed {
    /// The manifest's file.
    fn to_json(self) -> String {
        let Self { manifest, mac } = self;
        let record = Record {
            format: FORMAT,
            row_version: manifest.row_version,
            last_row: manifest.last_row,
            recorded_at: manifest.recorded_at.map(|at| at.to_string()),
            workspaces: manifest.workspaces,
            master_key_fingerprint: manifest.master_key.to_string(),
            refusals: manifest.refusals.count,
            refusals_sha256: hexadecimal::write(&manifest.refusals.digest),
            files: FilesRecord {
                ledger: manifest.files.ledger.to_record(),
                work: manifest.files.work.to_record(),
            },
            mac: hexadecimal::write(&mac),
        };
        // Numbers and plain texts always serialize; a manifest without text is refused by `parse`.
        let mut text = serde_json::to_string_pretty(&record).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether the master key made the seal.
    pub(super) fn is_of(&self, master: &MasterKey) -> bool {
        self.manifest.mac(master) == self.mac
    }
}

impl Manifest {
    /// Reads the manifest of the backup in `directory`. Whether its seal is right, a restore finds out.
    ///
    /// # Errors
    /// [`RestoreError`] where there is none, or none that this release can read.
    pub fn read(directory: &Path) -> Result<Self, RestoreError> {
        restore::read_manifest(directory).map(|sealed| sealed.manifest)
    }

    /// What is true of a ledger, with the files of the backup that it is in.
    pub(super) fn of(ledger: &Connection, files: Copied) -> Result<Self, StoreError> {
        let (row_version, fingerprint) = ledger
            .query_row("SELECT row_version, key_fingerprint FROM store", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(unreadable)?;
        let (last_row, recorded_at) = events::last(ledger)?;
        let workspaces = events::workspaces(ledger)?.len();
        Ok(Self {
            row_version,
            last_row,
            recorded_at: (last_row > 0).then_some(recorded_at),
            workspaces: u64::try_from(workspaces).unwrap_or(u64::MAX),
            master_key: Fingerprint(fingerprint),
            refusals: Refusals::of(ledger)?,
            files,
        })
    }

    /// The seal of the master key.
    fn mac(&self, master: &MasterKey) -> [u8; 32] {
        let mut to = Writer::default();
        to.number(FORMAT.into());
        to.raw(&self.row_version.to_be_bytes());
        to.raw(&self.last_row.to_be_bytes());
        to.option(self.recorded_at, Writer::instant);
        to.number(self.workspaces);
        to.raw(&self.master_key.0);
        to.number(self.refusals.count);
        to.raw(&self.refusals.digest);
        for content in [self.files.ledger, self.files.work] {
            to.number(content.bytes);
            to.raw(&content.sha256);
        }
        master.mac(b"sayso backup manifest\n", to.bytes())
    }

    pub(super) fn to_json(self, master: &MasterKey) -> String {
        Sealed { manifest: self, mac: self.mac(master) }.to_json()
    }

    pub(super) fn parse(text: &[u8]) -> Result<Sealed, ManifestFault> {
        match serde_json::from_slice(text) {
            Ok(Versioned { format: FORMAT }) => {}
            Ok(Versioned { format }) if format > FORMAT => {
                return Err(ManifestFault::Newer(format));
            }
            Ok(Versioned { format: 1 }) => return Err(ManifestFault::Older),
            Ok(_) | Err(_) => return Err(ManifestFault::Malformed),
        }
        let record: Record = serde_json::from_slice(text).map_err(|_| ManifestFault::Malformed)?;
        let sealed = record.read().ok_or(ManifestFault::Malformed)?;
        // To the byte: a value has one spelling.
        if sealed.to_json().as_bytes() == text { Ok(sealed) } else { Err(ManifestFault::Malformed) }
    }
}

impl Record {
    fn read(self) -> Option<Sealed> {
        let recorded_at = match &self.recorded_at {
            None => None,
            Some(text) => Some(Timestamp::parse(text).ok()?),
        };
        let manifest = Manifest {
            row_version: self.row_version,
            last_row: self.last_row,
            recorded_at,
            workspaces: self.workspaces,
            master_key: Fingerprint(hexadecimal::read_exact(&self.master_key_fingerprint)?),
            refusals: Refusals {
                count: self.refusals,
                digest: hexadecimal::read_exact(&self.refusals_sha256)?,
            },
            files: Copied {
                ledger: Content::from_record(&self.files.ledger)?,
                work: Content::from_record(&self.files.work)?,
            },
        };
        Some(Sealed { manifest, mac: hexadecimal::read_exact(&self.mac)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    fn manifest() -> Manifest {
        Manifest {
            row_version: 1,
            last_row: 7,
            recorded_at: Some(Timestamp::from_micros(1_767_225_600_000_001)),
            workspaces: 2,
            master_key: Fingerprint([1, 2, 3, 4, 5, 6, 7, 255]),
            refusals: Refusals { count: 3, digest: [9; 32] },
            files: Copied {
                ledger: Content { bytes: 4_096, sha256: [8; 32] },
                work: Content { bytes: 8_192, sha256: [7; 32] },
            },
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let master = MasterKey::ephemeral(&Environment::system());
        let empty = Manifest { last_row: 0, recorded_at: None, ..manifest() };
        for one in [manifest(), empty] {
            let read = Manifest::parse(one.to_json(&master).as_bytes()).unwrap();
            assert_eq!(read.manifest, one);
            assert!(read.is_of(&master));
        }
    }

    #[test]
    fn the_seal_is_of_every_word_and_of_one_master_key() {
        let environment = Environment::system();
        let master = MasterKey::ephemeral(&environment);
        let text = manifest().to_json(&master);
        for (said, forged) in [
            ("\"last_row\": 7", "\"last_row\": 6"),
            ("\"row_version\": 1", "\"row_version\": 0"),
            ("\"workspaces\": 2", "\"workspaces\": 3"),
            ("00.000001Z", "00.000002Z"),
            ("\"refusals\": 3", "\"refusals\": 2"),
            ("\"bytes\": 4096", "\"bytes\": 4097"),
            ("0909", "0908"),
            ("0808", "0809"),
            ("0707", "0706"),
            ("ff\"", "fe\""),
        ] {
            let forged = text.replacen(said, forged, 1);
            assert_ne!(forged, text, "{said}");
            let read = Manifest::parse(forged.as_bytes()).unwrap();
            assert!(!read.is_of(&master), "{said}");
        }
        let read = Manifest::parse(text.as_bytes()).unwrap();
        assert!(!read.is_of(&MasterKey::ephemeral(&environment)));
    }

    #[test]
    fn a_manifest_of_another_release_is_told_from_a_broken_one() {
        let text = manifest().to_json(&MasterKey::ephemeral(&Environment::system()));
        let newer = text.replace("\"format\": 2", "\"format\": 3, \"more\": true");
        assert_eq!(Manifest::parse(newer.as_bytes()), Err(ManifestFault::Newer(3)));
        let older = text.replace("\"format\": 2", "\"format\": 1");
        assert_eq!(Manifest::parse(older.as_bytes()), Err(ManifestFault::Older));
        for broken in [
            text.replace("\"format\": 2", "\"format\": 0"),
            text.replace("\"last_row\"", "\"row\""),
            text.replace("ff\"", "f\""),
            text.replace("2026-", "26-"),
            text.replace("work.db", "werk.db"),
            String::new(),
        ] {
            assert_ne!(broken, text);
            assert_eq!(Manifest::parse(broken.as_bytes()), Err(ManifestFault::Malformed));
        }
    }
}
