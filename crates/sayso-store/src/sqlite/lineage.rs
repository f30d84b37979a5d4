//! Which ledger a derived file was made from, and up to where.
//!
//! A row's number alone does not tell: an older copy of the ledger has other events under the same
//! numbers once it went on, and another store has them from the beginning. So a derived file names its
//! store, the last event that it holds with its leaf hash, and the last change of a configuration that
//! it knows. A file that names what the ledger does not hold is not of this ledger, and is not used.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::{events, unreadable};
use crate::store::StoreError;

/// What tells a store from every other.
pub(super) type StoreId = [u8; 16];

/// What a derived file says of the ledger that it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lineage {
    store: StoreId,
    row: i64,
    /// Zeros before the first.
    event: [u8; 16],
    leaf_hash: [u8; 32],
    change: i64,
    change_digest: [u8; 32],
}

/// Whether a derived file is of the ledger at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// The ledger holds all that the file was made from.
    Fits,
    /// The file is of another store.
    OtherStore,
    /// The ledger ends before the file does: so many events are missing in it.
    Lost(u64),
    /// The ledger holds something else where the file ends: it was put back, and went on since.
    Parted,
}

impl Lineage {
    /// That of a file that holds nothing yet.
    pub(super) const fn beginning(store: StoreId) -> Self {
        Self {
            store,
            row: 0,
            event: [0; 16],
            leaf_hash: [0; 32],
            change: 0,
            change_digest: [0; 32],
        }
    }

    /// That of a file which holds every event up to `row`, and no change that the ledger does not hold
    /// now.
    pub(super) fn of(ledger: &Connection, store: StoreId, row: i64) -> Result<Self, StoreError> {
        let missing = || StoreError::Corrupt { table: "event", id: row.to_string() };
        let (event, leaf_hash) = match row {
            0 => ([0; 16], [0; 32]),
            row => event_at(ledger, row)?.ok_or_else(missing)?,
        };
        let (change, change_digest) = last_change(ledger)?.unwrap_or((0, [0; 32]));
        Ok(Self { store, row, event, leaf_hash, change, change_digest })
    }

    /// The last row of the ledger that the file holds.
    pub(super) const fn row(&self) -> i64 {
        self.row
    }

    /// The last change of a configuration that the file may know.
    pub(super) const fn change(&self) -> i64 {
        self.change
    }

    /// Compares it with a ledger.
    pub(super) fn fit(&self, ledger: &Connection, store: StoreId) -> Result<Fit, StoreError> {
        if self.store != store {
            return Ok(Fit::OtherStore);
        }
        let (last, _) = events::last(ledger)?;
        if self.row > last {
            return Ok(Fit::Lost(self.row.abs_diff(last)));
        }
        let is_held =
            self.row == 0 || event_at(ledger, self.row)? == Some((self.event, self.leaf_hash));
        let is_changed =
            self.change == 0 || change_at(ledger, self.change)? == Some(self.change_digest);
        Ok(if is_held && is_changed { Fit::Fits } else { Fit::Parted })
    }

    /// Its bytes: the store; the last event's row, id and leaf hash; the last change's row and digest.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        [
            &self.store[..],
            &self.row.to_be_bytes(),
            &self.event,
            &self.leaf_hash,
            &self.change.to_be_bytes(),
            &self.change_digest,
        ]
        .concat()
    }

    /// Reads its bytes.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (store, rest) = bytes.split_first_chunk()?;
        let (row, rest) = rest.split_first_chunk()?;
        let (event, rest) = rest.split_first_chunk()?;
        let (leaf_hash, rest) = rest.split_first_chunk()?;
        let (change, rest) = rest.split_first_chunk()?;
        Some(Self {
            store: *store,
            row: i64::from_be_bytes(*row),
            event: *event,
            leaf_hash: *leaf_hash,
            change: i64::from_be_bytes(*change),
            change_digest: rest.try_into().ok()?,
        })
    }
}

impl Fit {
    /// Says that a file is not used, and what the ledger lost where that can be told.
    pub(super) fn warn(self, file: &str) {
        match self {
            Self::Fits => {}
            Self::OtherStore => {
                tracing::warn!(file, "the file is of another store: it is rebuilt from events.db");
            }
            Self::Lost(lost_events) => tracing::warn!(
                file,
                lost_events,
                "events.db is older than this file, so events that were recorded are missing in it; the file is rebuilt from what is there"
            ),
            Self::Parted => tracing::warn!(
                file,
                "events.db was put back to an earlier state and went on since, so events may be missing in it; the file is rebuilt from what is there"
            ),
        }
    }
}

/// The id and the leaf hash of an event.
type EventMark = ([u8; 16], [u8; 32]);

/// Those of the event in a row.
fn event_at(ledger: &Connection, row: i64) -> Result<Option<EventMark>, StoreError> {
    ledger
        .prepare_cached(
            "SELECT event_id, leaf_hash FROM event WHERE row = ?1 /* a row names its workspace */",
        )
        .and_then(|mut find| {
            find.query_row(params![row], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(unreadable)
}

fn last_change(ledger: &Connection) -> Result<Option<(i64, [u8; 32])>, StoreError> {
    ledger
        .prepare_cached(
            "SELECT row, change FROM configuration ORDER BY row DESC LIMIT 1 /* every workspace: where it ends */",
        )
        .and_then(|mut find| {
            let digest = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, digest(row, 1)?));
            find.query_row([], digest).optional()
        })
        .map_err(unreadable)
}

fn change_at(ledger: &Connection, row: i64) -> Result<Option<[u8; 32]>, StoreError> {
    ledger
        .prepare_cached(
            "SELECT change FROM configuration WHERE row = ?1 /* a row names its workspace */",
        )
        .and_then(|mut find| find.query_row(params![row], |row| digest(row, 0)).optional())
        .map_err(unreadable)
}

/// The digest of a sealed change: its nonce makes it one of a kind.
fn digest(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<[u8; 32]> {
    Ok(Sha256::digest(row.get_ref(column)?.as_blob()?).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lineage_is_read_as_it_was_written() {
        let lineage = Lineage {
            store: [1; 16],
            row: 7,
            event: [2; 16],
            leaf_hash: [3; 32],
            change: 9,
            change_digest: [4; 32],
        };
        let bytes = lineage.to_bytes();
        assert_eq!(bytes.len(), 16 + 8 + 16 + 32 + 8 + 32);
        assert_eq!(Lineage::from_bytes(&bytes), Some(lineage));
        assert_eq!(Lineage::from_bytes(&bytes[1..]), None);
        assert_eq!(Lineage::from_bytes(&[&bytes[..], &[0]].concat()), None);
    }
}
