//! A start: workspaces, the gate index, and what the ledger holds beyond the views.
//!
//! The index is loaded from its file and brought up to the views; where there is no file, or what
//! happened since cannot be told from the ledger's clear facts, it is rebuilt from the views. Then
//! the rows beyond the views are replayed, which brings the tail and the index up to now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sayso_core::address::AddressKey;
use sayso_core::limits;
use sayso_core::words::event::Fact;

use super::events::LedgerRow;
use super::gate::Gate;
use super::gate::file::{self, NoIndex};
use super::group::Group;
use super::lineage::{Fit, Lineage};
use super::tail::WorkspaceNo;
use super::{
    OpenError, Shared, Tenant, events, flusher, imports, read_lock, views, watermark, write_lock,
};
use crate::store::StoreError;
use sayso_core::workspace::Workspace;

/// The file of the gate index, and what it holds.
#[derive(Debug)]
pub(super) struct SavedIndex {
    path: PathBuf,
    /// The last row that is in the file; none while there is no file that counts.
    row: Mutex<Option<i64>>,
}

impl SavedIndex {
    pub(super) fn at(path: PathBuf) -> Self {
        let saved = Self { path, row: Mutex::new(None) };
        if let Err(error) = remove(&file::beside(&saved.path)) {
            tracing::warn!(error = %error, "what is left of a gate index half saved stays");
        }
        saved
    }
}

/// Threads that rebuild an index: the rows are read, opened and folded on all of them.
const REBUILDERS_MAX: usize = 8;

impl Shared {
    /// Reads the workspaces.
    pub(super) fn load_workspaces(&self) -> Result<(), OpenError> {
        let ledger = self.ledger.lock();
        for row in events::workspaces(&ledger)? {
            let secrets = self
                .master
                .open_secrets(row.id.as_bytes(), &row.secrets)
                .map_err(|_| StoreError::Corrupt { table: "workspace", id: row.id.to_string() })?;
            let mut model =
                Workspace::new(row.id, &row.name, row.mode, secrets.address_keys.clone());
            for (at, entry) in events::entries(&ledger, row.no, &secrets.vault)? {
                entry.apply_to(&mut model, at);
            }
            self.add_models(BTreeMap::from([(row.id, Arc::new(model))]));
            self.add_tenants(vec![Arc::new(Tenant { no: row.no, id: row.id, secrets })]);
        }
        Ok(())
    }

    /// Takes in what the ledger holds: the gate indexes, then what is beyond the views.
    pub(super) fn take_in(&self) -> Result<(), StoreError> {
        self.load_gates()?;
        self.replay()?;
        imports::finish_undoing(self)
    }

    /// Loads the gate indexes, or builds them from the views.
    fn load_gates(&self) -> Result<(), StoreError> {
        let is_loaded = match self.open_index() {
            Ok(Some(row)) => self.catch_up(row)?,
            Ok(None) => false,
            Err(NoIndex::Ledger(error)) => return Err(error),
            Err(NoIndex::OtherLedger(fit)) => {
                fit.warn("gate.index");
                false
            }
            Err(error @ (NoIndex::Undone | NoIndex::OtherRules)) => {
                tracing::info!(reason = %error, "gate.index is not used: it is rebuilt from the views");
                false
            }
            Err(error) => {
                tracing::warn!(reason = %error, "gate.index cannot be used: it is rebuilt from the views");
                false
            }
        };
        if !is_loaded {
            // It may say what is no longer so, and must never be met again.
            if let Err(error) = self.forget_index() {
                tracing::warn!(error = %error, "a gate index that is not used could not be removed");
            }
            write_lock(&self.gates).clear();
            // All of the views is read now: a page of them that is damaged is found.
            if self.read_views(watermark::row)? > 0 {
                self.read_views(watermark::check)?;
            }
        }
        let workspaces: Vec<Arc<Tenant>> = read_lock(&self.tenants).values().cloned().collect();
        for workspace in workspaces {
            let gate = self.gate(workspace.no);
            if !is_loaded {
                self.build_gate(&workspace, &gate)?;
            }
            let addressless = |views: &_| views::addressless(views, workspace.no);
            gate.set_addressless(self.read_views(addressless)?);
        }
        Ok(())
    }

    /// Opens the saved index; with the last row it holds.
    fn open_index(&self) -> Result<Option<i64>, NoIndex> {
        let Some(saved) = self.index.as_ref().filter(|saved| saved.path.exists()) else {
            return Ok(None);
        };
        let (gates, row, made_from) = file::open(&saved.path, &self.master.vault())?;
        let compared = self.ledger.read(|ledger| {
            let undid = || events::undid_after(ledger, made_from.change(), &self.vaults());
            let fit = made_from.fit(ledger, self.store_id)?;
            Ok((fit, fit == Fit::Fits && undid()?))
        });
        match compared.map_err(NoIndex::Ledger)? {
            (Fit::Fits, false) => {}
            (Fit::Fits, true) => return Err(NoIndex::Undone),
            (misfit, _) => return Err(NoIndex::OtherLedger(misfit)),
        }
        *write_lock(&self.gates) = gates;
        *saved.row.lock().unwrap_or_else(PoisonError::into_inner) = Some(row);
        Ok(Some(row))
    }

    /// Puts into the index what the views took in after it was saved at `row`; what is beyond the
    /// views too is replayed. False if somebody was erased after it was saved: nobody knows their
    /// phone any more, so it cannot be taken out.
    fn catch_up(&self, row: i64) -> Result<bool, StoreError> {
        let watermark = self.read_views(watermark::row)?;
        let mut keys: BTreeSet<(WorkspaceNo, AddressKey)> = BTreeSet::new();
        let mut erased = false;
        self.ledger.read(|ledger| {
            events::for_each_after(ledger, row, |row| {
                erased |= matches!(row.event.fact, Fact::Erasure);
                if row.row <= watermark {
                    keys.insert((row.workspace, row.event.key));
                }
                Ok(())
            })
        })?;
        if erased {
            return Ok(false);
        }
        let workspaces = self.workspaces_by_no();
        for (no, key) in keys {
            let workspace = workspaces.get(&no).ok_or(StoreError::NoWorkspace)?;
            let row = self.read_views(|views| views::find_address(views, &(no, key)))?;
            if let Some((row, sealed)) = row.and_then(|mut row| {
                let sealed = row.sealed.take()?;
                Some((row, sealed))
            }) {
                let address = views::open_address(&workspace.secrets.vault, &key, &sealed)?;
                self.gate(no).put(&address, key, &row.registers);
            }
        }
        Ok(true)
    }

    /// Builds one workspace's index from the views, on all processors.
    fn build_gate(&self, workspace: &Tenant, gate: &Gate) -> Result<(), StoreError> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let parts = u8::try_from(processors.min(REBUILDERS_MAX)).unwrap_or(1);
        let width = u8::MAX / parts;
        let vault = &workspace.secrets.vault;
        let build = |part: u8| {
            let first = part * width + u8::from(part > 0);
            let last = if part + 1 == parts { u8::MAX } else { (part + 1) * width };
            self.read_views(|views| {
                views::for_each_address(views, workspace.no, first..=last, |key, row| {
                    if let Some(sealed) = row.sealed {
                        gate.put(&views::open_address(vault, &key, &sealed)?, key, &row.registers);
                    }
                    Ok(())
                })
            })
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..parts).map(|part| scope.spawn(move || build(part))).collect();
            let own = build(0);
            let joined = others.into_iter().map(std::thread::ScopedJoinHandle::join);
            joined.fold(own, |built, other| built.and(other.map_err(|_| StoreError::Closed)?))
        })
    }

    fn workspaces_by_no(&self) -> BTreeMap<WorkspaceNo, Arc<Tenant>> {
        let workspaces = read_lock(&self.tenants);
        workspaces.values().map(|workspace| (workspace.no, Arc::clone(workspace))).collect()
    }

    /// Takes in what the ledger holds beyond the views.
    fn replay(&self) -> Result<(), StoreError> {
        let watermark = self.read_views(watermark::row)?;
        let ledger = self.ledger.lock();
        let mut waiting: Vec<LedgerRow> = Vec::new();
        let mut expected = watermark;
        events::for_each_after(&ledger, watermark, |row| {
            expected += 1;
            if row.row != expected {
                return Err(StoreError::Corrupt { table: "event", id: expected.to_string() });
            }
            waiting.push(row);
            if waiting.len() >= limits::COMMIT_GROUP_MAX {
                self.replay_rows(&ledger, &mut waiting)?;
            }
            Ok(())
        })?;
        self.replay_rows(&ledger, &mut waiting)
    }

    fn replay_rows(
        &self,
        ledger: &rusqlite::Connection,
        rows: &mut Vec<LedgerRow>,
    ) -> Result<(), StoreError> {
        let by_no = self.workspaces_by_no();
        let mut group = Group::new(self, ledger);
        for row in rows.drain(..) {
            let workspace = by_no.get(&row.workspace).ok_or(StoreError::NoWorkspace)?;
            group.replay(workspace, &row)?;
        }
        group.into_staged().publish(self);
        let is_due = self.tail.is_due(self.options.tail_bytes_max);
        if is_due && !flusher::flush(self) && self.is_damaged() {
            let id = "a flush".to_owned();
            return Err(StoreError::Corrupt { table: watermark::TABLE, id });
        }
        Ok(())
    }

    /// Saves the index if it is newer than the file. A file that cannot be written costs a slower
    /// start and nothing else.
    pub(super) fn save_index(&self) {
        let Some(saved) = self.index.as_ref().filter(|_| !self.is_damaged()) else { return };
        let mut row = saved.row.lock().unwrap_or_else(PoisonError::into_inner);
        let up_to = self.position().next_row - 1;
        if *row == Some(up_to) || up_to == 0 {
            return;
        }
        let gates = read_lock(&self.gates).clone();
        // What is written while the file is: it may be in it, so the ledger must hold it.
        let made_from = || {
            let made_from = self.ledger.read(|ledger| {
                let (last, _) = events::last(ledger)?;
                Lineage::of(ledger, self.store_id, last)
            });
            made_from.map_err(std::io::Error::other)
        };
        let sealing = (&self.master.vault(), &self.environment);
        match file::save(&saved.path, (&gates, up_to), made_from, sealing) {
            Ok(()) => *row = Some(up_to),
            Err(error) => tracing::warn!(error = %error, "the gate index could not be saved"),
        }
    }

    /// Removes the file: it holds the phones of people who were erased since.
    pub(super) fn forget_index(&self) -> Result<(), StoreError> {
        let Some(saved) = &self.index else { return Ok(()) };
        let mut row = saved.row.lock().unwrap_or_else(PoisonError::into_inner);
        *row = None;
        let removed = remove(&file::beside(&saved.path)).and(remove(&saved.path));
        removed.map_err(|error| StoreError::Unwritable(error.to_string()))
    }
}

/// Removes a file; one that is not there is removed.
fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
