//! Destroying in `work.db` what is about an erased person (rule 17), in bounded steps: between two of
//! them whoever waits for the file has its turn.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use sayso_core::address::{Address, AddressKey};
use sayso_core::id::WorkspaceId;
use sayso_core::limits;

use super::erasing::ErasedAddress;
use super::speaks_of::{about, may_speak_of};
use super::work::{Work, reject_text};
use super::{Tenant, double_opt_ins, messages, references, unreadable, unwritable};
use crate::erasure::ErasureCounts;
use crate::store::StoreError;

impl Work {
    /// Deletes every reject after a row that may speak of one of these addresses, and destroys to whom
    /// and what messages to them say. Gives the last reject that was looked at, too.
    pub(super) fn forget(
        &self,
        workspace: &Tenant,
        erased: &[ErasedAddress],
        after: i64,
    ) -> Result<(ErasureCounts, i64), StoreError> {
        let mut counts = ErasureCounts::default();
        let addresses: Vec<&Address> =
            erased.iter().filter_map(|(_, address)| address.as_ref()).collect();
        let (candidates, last) =
            self.read(|work| candidates(work, workspace, &addresses, after))?;
        let candidates: Vec<i64> = candidates.into_iter().collect();
        for step in candidates.chunks(limits::ERASURE_STEP_ROWS) {
            let named = self.read(|work| named(work, workspace, &addresses, step))?;
            counts.rejects += self.in_one(&named, |work, row| {
                work.prepare_cached("DELETE FROM reject_about WHERE workspace = ?1 AND row = ?2")?
                    .execute(params![workspace.id.as_bytes(), row])?;
                work.prepare_cached("DELETE FROM reject WHERE workspace = ?1 AND row = ?2")?
                    .execute(params![workspace.id.as_bytes(), row])
            })?;
        }
        for (key, _) in erased {
            let rows = self.read(|work| messages_to(work, workspace.id, *key))?;
            for step in rows.chunks(limits::ERASURE_STEP_ROWS) {
                counts.messages +=
                    self.in_one(step, |work, row| messages::forget_row(work, workspace.id, *row))?;
            }
        }
        let keys: Vec<AddressKey> = erased.iter().map(|(key, _)| *key).collect();
        counts.waiting += self.in_one(&keys, |work, key| {
            let ticked = references::forget(work, workspace.id, *key)?;
            Ok(ticked + double_opt_ins::forget(work, workspace.id, *key)?)
        })?;
        Ok((counts, last))
    }

    /// One step: a transaction over what it is given; how many rows it changed.
    fn in_one<T>(
        &self,
        step: &[T],
        mut change: impl FnMut(&Connection, &T) -> rusqlite::Result<usize>,
    ) -> Result<u64, StoreError> {
        if step.is_empty() {
            return Ok(0);
        }
        let mut work = self.writing();
        let changed = work.transaction().and_then(|work| {
            let mut changed = 0;
            for one in step {
                changed += change(&work, one)?;
            }
            work.commit()?;
            Ok(changed)
        });
        let changed = changed.map_err(|error| unwritable(&error))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }
}

/// Rejects after a row that may speak of these addresses, by their hashes, and those that must be
/// read; with the last row there is.
fn candidates(
    work: &Connection,
    workspace: &Tenant,
    addresses: &[&Address],
    after: i64,
) -> Result<(BTreeSet<i64>, i64), StoreError> {
    let mut found = BTreeSet::new();
    let last = work
        .query_row(
            "SELECT coalesce(max(row), 0) FROM reject WHERE workspace = ?1",
            params![workspace.id.as_bytes()],
            |row| row.get(0),
        )
        .map_err(unreadable)?;
    if addresses.is_empty() {
        return Ok((found, last));
    }
    let secret = &workspace.secrets.address_keys;
    let abouts: Option<Vec<i64>> =
        addresses.iter().map(|address| about(address, secret).map(|about| about.0)).collect();
    let mut add = |statement: &str, about: i64| -> rusqlite::Result<()> {
        let mut statement = work.prepare_cached(statement)?;
        let mut rows = statement.query(params![workspace.id.as_bytes(), after, about])?;
        while let Some(row) = rows.next()? {
            found.insert(row.get(0)?);
        }
        Ok(())
    };
    let added = match abouts {
        None => add("SELECT row FROM reject WHERE workspace = ?1 AND row > ?2 AND ?3 = 0", 0),
        Some(abouts) => {
            let unhashed = "SELECT row FROM reject
                 WHERE workspace = ?1 AND row > ?2 AND hashed = 0 AND ?3 = 0";
            let by_hash = "SELECT row FROM reject_about
                 WHERE workspace = ?1 AND row > ?2 AND about = ?3";
            abouts
                .into_iter()
                .try_for_each(|about| add(by_hash, about))
                .and_then(|()| add(unhashed, 0))
        }
    };
    added.map_err(unreadable)?;
    Ok((found, last))
}

/// Those among rows that speak of the addresses. One that cannot be read any more may.
fn named(
    work: &Connection,
    workspace: &Tenant,
    addresses: &[&Address],
    rows: &[i64],
) -> Result<Vec<i64>, StoreError> {
    let mut named = Vec::new();
    for row in rows {
        match reject_text(work, workspace, *row) {
            Ok(Some(text)) => {
                let speaks = addresses.iter().any(|address| may_speak_of(&text, address));
                named.extend(speaks.then_some(*row));
            }
            Ok(None) => {}
            Err(StoreError::Corrupt { .. }) => named.push(*row),
            Err(error) => return Err(error),
        }
    }
    Ok(named)
}

/// Messages to an address of which the recipient and the text are there.
fn messages_to(
    work: &Connection,
    workspace: WorkspaceId,
    key: AddressKey,
) -> Result<Vec<i64>, StoreError> {
    let read = || -> rusqlite::Result<Vec<i64>> {
        work.prepare_cached(
            "SELECT row FROM message
             WHERE workspace = ?1 AND address_key = ?2 AND sealed IS NOT NULL",
        )?
        .query_map(params![workspace.as_bytes(), key.as_bytes()], |row| row.get(0))?
        .collect()
    };
    read().map_err(unreadable)
}
