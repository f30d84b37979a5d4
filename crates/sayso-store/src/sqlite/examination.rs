//! Examining a store, without changing it: whether its files are what Sayso wrote, to the fact.
//!
//! The clear facts of an event decide who may be written to, and whoever may write to the file could change
//! them: each is compared with its leaf hash, which the sealed part of its row opens. What an erasure
//! destroyed has a hash that nobody can compute any more; of such a row it is asked whether an erasure is
//! there that accounts for it. A server may run on the store meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;
use sayso_core::address::AddressKey;
use sayso_core::words::event::Fact;

use super::backup::belongs_to_an_erasure;
use super::database::open_to_read;
use super::schema::Schema;
use super::seal::{MasterKey, Vault};
use super::tail::WorkspaceNo;
use super::{OpenError, events, rotation, unreadable};
use crate::store::StoreError;

/// Faults that are named; of more it is said how many there are.
const NAMED_MAX: usize = 20;

/// What an examination found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// How many events are what their hashes say.
    pub proven: u64,
    /// How many lost what proves them to an erasure.
    pub destroyed: u64,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which file.
    pub file: &'static str,
    /// What it is.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What to do where the truth was changed or damaged.
const RESTORE: &str = "Keep the file for whoever looks into this, and restore a backup with `sayso restore --compare`.";
/// What to do where something derived was.
const REBUILD: &str =
    "Stop the server, delete views.db and gate.index, and start it: they are rebuilt.";

/// What the events of a ledger came to.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    proven: u64,
    destroyed: u64,
    /// Rows whose facts are not those that were recorded.
    pub(super) wrong: Vec<i64>,
    /// Rows that lost their sealed part, and no erasure or refusal says why.
    unexplained: Vec<i64>,
    /// The rows after which some are missing.
    gaps: Vec<i64>,
}

impl Leaves {
    /// Compares every event with its leaf hash.
    pub(super) fn of(ledger: &Connection, key: &MasterKey) -> Result<Self, StoreError> {
        let (mut ids, mut vaults) = (BTreeMap::new(), BTreeMap::<WorkspaceNo, Vault>::new());
        for row in events::workspaces(ledger)? {
            let secrets = key
                .open_secrets(row.id.as_bytes(), &row.secrets)
                .map_err(|_| StoreError::Corrupt { table: "workspace", id: row.id.to_string() })?;
            ids.insert(row.no, row.id);
            vaults.insert(row.no, secrets.vault);
        }
        let (mut leaves, mut last) = (Self::default(), 0);
        let mut erased: BTreeSet<(WorkspaceNo, AddressKey)> = BTreeSet::new();
        let mut emptied: Vec<(i64, (WorkspaceNo, AddressKey))> = Vec::new();
        events::for_each_after(ledger, 0, |row| {
            if row.row != last + 1 {
                leaves.gaps.push(last);
            }
            last = row.row;
            let place = (row.workspace, row.event.key);
            if row.event.fact == Fact::Erasure {
                erased.insert(place);
            }
            let known = vaults.get(&row.workspace).zip(ids.get(&row.workspace));
            let (vault, id) = known.ok_or(StoreError::NoWorkspace)?;
            match events::leaf(vault, *id, &row) {
                Ok(Some(leaf)) if leaf == row.leaf_hash => leaves.proven += 1,
                Ok(Some(_)) | Err(StoreError::Corrupt { .. }) => leaves.wrong.push(row.row),
                Ok(None) => {
                    leaves.destroyed += 1;
                    let is_attributes = matches!(row.event.fact, Fact::Attributes(_));
                    if !is_attributes && !belongs_to_an_erasure(&row.event) {
                        emptied.push((row.row, place));
                    }
                }
                Err(error) => return Err(error),
            }
            Ok(())
        })?;
        let unexplained = emptied.into_iter().filter(|(_, place)| !erased.contains(place));
        leaves.unexplained = unexplained.map(|(row, _)| row).collect();
        Ok(leaves)
    }
}

/// Examines the store in a directory.
///
/// # Errors
/// [`OpenError::NoStore`] where there is none, and what keeps its ledger or its master key from being read
/// at all.
pub fn examine(directory: &Path) -> Result<Examined, OpenError> {
    let path = directory.join("events.db");
    if !path.exists() {
        return Err(OpenError::NoStore(directory.to_path_buf()));
    }
    let mut examined = Examined::default();
    let ledger = open_to_read(&path).map_err(OpenError::of_file(&path))?;
    let is_sound = examined.pages_and_schema(&ledger, ("events.db", Schema::Ledger), RESTORE);
    if is_sound {
        let key = rotation::find_key(directory, &ledger)?;
        // As of one moment, so that no row names a workspace made after they were read.
        let ledger = ledger.unchecked_transaction().map_err(unreadable)?;
        examined.events(&ledger, &key);
    }
    for (name, schema, remedy) in
        [("work.db", Schema::Work, RESTORE), ("views.db", Schema::Views, REBUILD)]
    {
        let path = directory.join(name);
        if path.exists() {
            match open_to_read(&path) {
                Ok(file) => {
                    examined.pages_and_schema(&file, (name, schema), remedy);
                }
                Err(error) => examined.fault(name, error.to_string(), remedy),
            }
        }
    }
    Ok(examined)
}

impl Examined {
    fn fault(&mut self, file: &'static str, what: String, remedy: &'static str) {
        self.faults.push(Fault { file, what, remedy });
    }

    /// Whether every page is what the engine wrote, and nothing is in the file that Sayso did not make.
    fn pages_and_schema(
        &mut self,
        file: &Connection,
        (name, schema): (&'static str, Schema),
        remedy: &'static str,
    ) -> bool {
        let checked: Result<String, _> =
            file.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        let what = match checked {
            Ok(word) if word == "ok" => schema.check(file).err(),
            Ok(word) => Some(format!("it is damaged: {word}")),
            Err(error) => Some(format!("it is damaged: {error}")),
        };
        let is_sound = what.is_none();
        if let Some(what) = what {
            self.fault(name, what, remedy);
        }
        is_sound
    }

    fn events(&mut self, ledger: &Connection, key: &MasterKey) {
        let leaves = match Leaves::of(ledger, key) {
            Ok(leaves) => leaves,
            Err(error) => return self.fault("events.db", error.to_string(), RESTORE),
        };
        (self.proven, self.destroyed) = (leaves.proven, leaves.destroyed);
        for (rows, what) in [
            (leaves.wrong, "is not what its hash says: somebody changed it"),
            (leaves.unexplained, "lost what proves it, and no erasure says why"),
            (leaves.gaps, "is not followed by the next: somebody deleted events"),
        ] {
            for row in rows.iter().take(NAMED_MAX) {
                self.fault("events.db", format!("event {row} {what}"), RESTORE);
            }
            if rows.len() > NAMED_MAX {
                let more = rows.len() - NAMED_MAX;
                self.fault("events.db", format!("{more} more events, of each: it {what}"), RESTORE);
            }
        }
    }
}
