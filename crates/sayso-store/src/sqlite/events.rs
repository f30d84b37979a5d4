//! The ledger: the file of events and configuration, the only thing an acknowledgement waits for.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use sayso_core::address::AddressKey;
use sayso_core::canonical::Canonical;
use sayso_core::id::{EventId, WorkspaceId};
use sayso_core::time::Timestamp;
use sayso_core::words::event::{ConsentEvent, Sealed};
use sayso_core::words::event_id::{RequestHash, is_keyed};

use super::seal::Vault;
use super::tail::{Place, WorkspaceNo};
use super::{unreadable, unwritable};
use crate::codec::LogEntry;
use crate::store::StoreError;
use sayso_core::workspace::{Mode, RuntimeFact};

/// A row of the ledger.
#[derive(Clone, Debug)]
pub(super) struct LedgerRow {
    pub(super) row: i64,
    pub(super) workspace: WorkspaceNo,
    pub(super) event: ConsentEvent,
    pub(super) request: RequestHash,
    pub(super) leaf_hash: [u8; 32],
    pub(super) sealed: Option<Vec<u8>>,
}

/// What an append writes.
pub(super) struct NewRow<'a> {
    pub(super) row: i64,
    pub(super) workspace: WorkspaceNo,
    pub(super) event: &'a ConsentEvent,
    pub(super) request: &'a RequestHash,
    pub(super) leaf_hash: &'a [u8; 32],
    pub(super) facts: &'a [u8],
    pub(super) sealed: &'a [u8],
}

/// What is clear of an event; all columns begin with these.
const CLEAR_COLUMNS: &str = "row, workspace, address_key, event_id, recorded_at, facts";
const COLUMNS: &str =
    "row, workspace, address_key, event_id, recorded_at, facts, request_hash, leaf_hash, sealed";

/// The place for which the personal part of an event is sealed.
fn sealed_place(id: &EventId) -> [&[u8]; 2] {
    [b"event", id.as_bytes()]
}

/// Seals the personal part of an event.
pub(super) fn seal(
    vault: &Vault,
    id: &EventId,
    sealed: &Sealed,
    environment: &crate::environment::Environment,
) -> Vec<u8> {
    vault.seal(&sealed_place(id), &sealed.to_bytes(), environment)
}

/// Opens the personal part of an event; `None` once it was destroyed.
pub(super) fn open(vault: &Vault, row: &LedgerRow) -> Result<Option<Sealed>, StoreError> {
    let damaged = || StoreError::Corrupt { table: "event", id: row.row.to_string() };
    row.sealed
        .as_deref()
        .map(|sealed| {
            let plain = vault.open(&sealed_place(&row.event.id), sealed).map_err(|_| damaged())?;
            Sealed::from_bytes(&plain).map_err(|_| damaged())
        })
        .transpose()
}

/// The leaf hash that a row's facts and personal part have; `None` once the latter was destroyed.
pub(super) fn leaf(
    vault: &Vault,
    workspace: WorkspaceId,
    row: &LedgerRow,
) -> Result<Option<[u8; 32]>, StoreError> {
    let sealed = open(vault, row)?;
    Ok(sealed.map(|sealed| row.event.leaf_hash(workspace, &row.event.facts(), &sealed)))
}

/// The personal part of an event, or none where it was destroyed or is damaged: what is clear in the
/// event counts all the same.
pub(super) fn open_or_lose(vault: &Vault, row: &LedgerRow) -> Option<Sealed> {
    open(vault, row).unwrap_or_else(|_| {
        tracing::warn!(
            event.row = row.row,
            "the personal part of an event is damaged and left out: what the event says counts all the same"
        );
        None
    })
}

/// The personal part of an event whose leaf hash was compared with what is stored.
///
/// # Errors
/// [`StoreError::Corrupt`] where the stored facts are not those that were recorded. Where the personal
/// part is gone or damaged, so is its salt, and nobody can tell.
pub(super) fn open_whole(
    workspace: WorkspaceId,
    vault: &Vault,
    row: &LedgerRow,
) -> Result<Option<Sealed>, StoreError> {
    let Some(sealed) = open_or_lose(vault, row) else { return Ok(None) };
    if row.event.leaf_hash(workspace, &row.event.facts(), &sealed) == row.leaf_hash {
        return Ok(Some(sealed));
    }
    Err(StoreError::Corrupt { table: "event", id: row.row.to_string() })
}

/// Appends a row.
pub(super) fn append(ledger: &Connection, new: &NewRow<'_>) -> rusqlite::Result<()> {
    ledger
        .prepare_cached(
            "INSERT INTO event (row, workspace, address_key, event_id, recorded_at, request_hash, leaf_hash, facts, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            new.row,
            new.workspace,
            new.event.key.as_bytes(),
            new.event.id.as_bytes(),
            new.event.recorded_at.as_micros(),
            new.request.0,
            new.leaf_hash,
            new.facts,
            new.sealed
        ])
        .map(|_| ())
}

/// Destroys the personal part of a row (rule 17), which was read: it is about whom it should be.
pub(super) fn destroy_sealed(ledger: &Connection, row: i64) -> rusqlite::Result<()> {
    ledger
        .prepare_cached(
            "UPDATE event SET sealed = NULL WHERE row = ?1 /* a row names its workspace */",
        )?
        .execute(params![row])
        .map(|_| ())
}

/// What is clear of a row that begins with [`CLEAR_COLUMNS`]: its number, its workspace, its event.
fn clear_row(row: &Row<'_>) -> Result<(i64, WorkspaceNo, ConsentEvent), StoreError> {
    let number: i64 = row.get(0).map_err(unreadable)?;
    let facts = row.get_ref(5).and_then(|cell| Ok(cell.as_blob()?)).map_err(unreadable)?;
    let event = ConsentEvent::from_facts(
        EventId::from_bytes(row.get(3).map_err(unreadable)?),
        AddressKey::from_bytes(row.get(2).map_err(unreadable)?),
        Timestamp::from_micros(row.get(4).map_err(unreadable)?),
        facts,
    )
    .map_err(|_| StoreError::Corrupt { table: "event", id: number.to_string() })?;
    Ok((number, row.get(1).map_err(unreadable)?, event))
}

fn ledger_row(row: &Row<'_>) -> Result<LedgerRow, StoreError> {
    let (number, workspace, event) = clear_row(row)?;
    Ok(LedgerRow {
        row: number,
        workspace,
        event,
        request: RequestHash(row.get(6).map_err(unreadable)?),
        leaf_hash: row.get(7).map_err(unreadable)?,
        sealed: row.get(8).map_err(unreadable)?,
    })
}

/// A row about an address. Where it is about another, or is missing, whoever named it is wrong: the views.
pub(super) fn read(ledger: &Connection, place: &Place, row: i64) -> Result<LedgerRow, StoreError> {
    let damaged = || StoreError::Corrupt { table: "address", id: place.1.to_string() };
    let found = row_at(ledger, row)?.ok_or_else(damaged)?;
    if (found.workspace, found.event.key) == *place { Ok(found) } else { Err(damaged()) }
}

fn row_at(ledger: &Connection, row: i64) -> Result<Option<LedgerRow>, StoreError> {
    let mut statement = ledger
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM event WHERE row = ?1 /* a row names its workspace */"
        ))
        .map_err(unreadable)?;
    let mut rows = statement.query(params![row]).map_err(unreadable)?;
    rows.next().map_err(unreadable)?.map(ledger_row).transpose()
}

/// The row among these that holds an event: one about this address, or of this keyed request, whomever
/// it is about.
pub(super) fn read_among(
    ledger: &Connection,
    place: &Place,
    rows: &[i64],
    id: EventId,
) -> Result<Option<LedgerRow>, StoreError> {
    for row in rows {
        if is_keyed(&id) {
            let found = row_at(ledger, *row)?;
            let is_it = |found: &LedgerRow| found.workspace == place.0 && found.event.id == id;
            let damaged = || StoreError::Corrupt { table: "address", id: id.to_string() };
            return found.filter(is_it).ok_or_else(damaged).map(Some);
        }
        let found = read(ledger, place, *row)?;
        if found.event.id == id {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Calls `each` for every row after `after`, in order.
pub(super) fn for_each_after(
    ledger: &Connection,
    after: i64,
    mut each: impl FnMut(LedgerRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = ledger
        .prepare(&format!(
            "SELECT {COLUMNS} FROM event WHERE row > ?1 ORDER BY row /* every workspace: replay */"
        ))
        .map_err(unreadable)?;
    let mut rows = statement.query(params![after]).map_err(unreadable)?;
    while let Some(row) = rows.next().map_err(unreadable)? {
        each(ledger_row(row)?)?;
    }
    Ok(())
}

/// Calls `each` for every row of this range with what is clear in its event, in order, until it says that
/// this is enough.
pub(super) fn for_each_fact(
    ledger: &Connection,
    (after, last): (i64, i64),
    mut each: impl FnMut(i64, WorkspaceNo, ConsentEvent) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let mut statement = ledger
        .prepare_cached(&format!(
            "SELECT {CLEAR_COLUMNS} FROM event WHERE row > ?1 AND row <= ?2 ORDER BY row /* every workspace: in the order of time */"
        ))
        .map_err(unreadable)?;
    let mut rows = statement.query(params![after, last]).map_err(unreadable)?;
    while let Some(row) = rows.next().map_err(unreadable)? {
        let (row, workspace, event) = clear_row(row)?;
        if !each(row, workspace, event)? {
            break;
        }
    }
    Ok(())
}

/// The last row that was recorded before `at`, 0 where none was: rows are in the order of time.
pub(super) fn last_before(ledger: &Connection, at: Timestamp) -> Result<i64, StoreError> {
    let mut recorded_at = ledger
        .prepare_cached(
            "SELECT recorded_at FROM event WHERE row = ?1 /* a row names its workspace */",
        )
        .map_err(unreadable)?;
    let (mut before, mut not) = (0, last(ledger)?.0 + 1);
    while not - before > 1 {
        let middle = before + (not - before) / 2;
        let found: Option<i64> = recorded_at
            .query_row(params![middle], |row| row.get(0))
            .optional()
            .map_err(unreadable)?;
        let is_before = found.is_some_and(|recorded| recorded < at.as_micros());
        if is_before { before = middle } else { not = middle }
    }
    Ok(before)
}

/// The last row and the time it was recorded at.
pub(super) fn last(ledger: &Connection) -> Result<(i64, Timestamp), StoreError> {
    let found: Option<(i64, i64)> = ledger
        .query_row(
            "SELECT row, recorded_at FROM event ORDER BY row DESC LIMIT 1 /* every workspace: one clock */",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(unreadable)?;
    Ok(found.map_or((0, Timestamp::DISTANT_PAST), |(row, at)| (row, Timestamp::from_micros(at))))
}

/// When the ledger was last written to: an event, a workspace or a change of a configuration.
pub(super) fn last_written(ledger: &Connection) -> Result<Timestamp, StoreError> {
    let (_, recorded) = last(ledger)?;
    let micros = |sql| -> Result<Option<i64>, StoreError> {
        ledger.query_row(sql, [], |row| row.get(0)).optional().map_err(unreadable)
    };
    let changed = micros(
        "SELECT changed_at FROM configuration ORDER BY row DESC LIMIT 1 /* every workspace: one clock */",
    )?;
    let made = micros(
        "SELECT created_at FROM workspace ORDER BY workspace DESC LIMIT 1 /* every workspace: one clock */",
    )?;
    Ok([changed, made].into_iter().flatten().map(Timestamp::from_micros).fold(recorded, Ord::max))
}

/// A workspace's row.
pub(super) struct WorkspaceRow {
    pub(super) no: WorkspaceNo,
    pub(super) id: WorkspaceId,
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) secrets: Vec<u8>,
}

const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Test => "test",
    }
}

/// All workspaces.
pub(super) fn workspaces(ledger: &Connection) -> Result<Vec<WorkspaceRow>, StoreError> {
    ledger
        .prepare("SELECT workspace, id, name, mode, secrets FROM workspace ORDER BY workspace")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| {
                    let mode: String = row.get(3)?;
                    Ok(WorkspaceRow {
                        no: row.get(0)?,
                        id: WorkspaceId::from_bytes(row.get(1)?),
                        name: row.get(2)?,
                        mode: if mode == mode_word(Mode::Test) { Mode::Test } else { Mode::Live },
                        secrets: row.get(4)?,
                    })
                })?
                .collect()
        })
        .map_err(unreadable)
}

/// Adds a workspace and gives its number.
pub(super) fn add_workspace(
    ledger: &Connection,
    id: &WorkspaceId,
    (name, mode): (&str, Mode),
    secrets: &[u8],
    at: Timestamp,
) -> rusqlite::Result<WorkspaceNo> {
    ledger.execute(
        "INSERT INTO workspace (id, name, mode, created_at, secrets) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id.as_bytes(), name, mode_word(mode), at.as_micros(), secrets],
    )?;
    Ok(ledger.last_insert_rowid())
}

/// The place for which entries of a workspace's log are sealed, with the row of each: they may hold secrets of
/// the customer, and one that was put elsewhere opens there no more. Earlier releases sealed for the place alone.
const ENTRY_PLACE: &[u8] = b"configuration";

/// Appends an entry to a workspace's log.
pub(super) fn append_entry(
    ledger: &Connection,
    (workspace, vault): (WorkspaceNo, &Vault),
    at: Timestamp,
    entry: &LogEntry,
    environment: &crate::environment::Environment,
) -> Result<(), StoreError> {
    let row: i64 = ledger
        .query_row(
            "SELECT coalesce(max(row), 0) + 1 FROM configuration /* every workspace: one log */",
            [],
            |row| row.get(0),
        )
        .map_err(unreadable)?;
    let sealed = vault.seal(&[ENTRY_PLACE, &row.to_be_bytes()], &entry.to_bytes(), environment);
    ledger
        .execute(
            "INSERT INTO configuration (row, workspace, changed_at, change) VALUES (?1, ?2, ?3, ?4)",
            params![row, workspace, at.as_micros(), sealed],
        )
        .map(|_| ())
        .map_err(|error| unwritable(&error))
}

/// Whether an import was undone after an entry.
pub(super) fn undid_after(
    ledger: &Connection,
    change: i64,
    vaults: &BTreeMap<WorkspaceNo, Vault>,
) -> Result<bool, StoreError> {
    let mut statement = ledger
        .prepare("SELECT row, workspace, change FROM configuration WHERE row > ?1 ORDER BY row")
        .map_err(unreadable)?;
    let mut rows = statement.query(params![change]).map_err(unreadable)?;
    while let Some(found) = rows.next().map_err(unreadable)? {
        let row: i64 = found.get(0).map_err(unreadable)?;
        let workspace: WorkspaceNo = found.get(1).map_err(unreadable)?;
        let sealed: Vec<u8> = found.get(2).map_err(unreadable)?;
        let vault = vaults.get(&workspace).ok_or(StoreError::NoWorkspace)?;
        if let (LogEntry::Fact(RuntimeFact::UndoneImport(_)), _) = open_entry(vault, row, &sealed)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How an entry is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SealedFor {
    /// For its row.
    Row,
    /// For any row, as earlier releases did.
    AnyRow,
}

fn open_entry(vault: &Vault, row: i64, sealed: &[u8]) -> Result<(LogEntry, SealedFor), StoreError> {
    let damaged = || StoreError::Corrupt { table: "configuration", id: row.to_string() };
    let for_row = vault.open(&[ENTRY_PLACE, &row.to_be_bytes()], sealed);
    let (plain, sealed_for) = match for_row {
        Ok(plain) => (plain, SealedFor::Row),
        Err(_) => (vault.open(&[ENTRY_PLACE], sealed).map_err(|_| damaged())?, SealedFor::AnyRow),
    };
    Ok((LogEntry::from_bytes(&plain).map_err(|_| damaged())?, sealed_for))
}

/// All entries of a workspace's log, in order.
pub(super) fn entries(
    ledger: &Connection,
    workspace: WorkspaceNo,
    vault: &Vault,
) -> Result<Vec<(Timestamp, LogEntry)>, StoreError> {
    let rows: Vec<(i64, i64, Vec<u8>)> = ledger
        .prepare(
            "SELECT row, changed_at, change FROM configuration WHERE workspace = ?1 ORDER BY row",
        )
        .and_then(|mut statement| {
            statement
                .query_map(params![workspace], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })
        .map_err(unreadable)?;
    let mut newest = SealedFor::AnyRow;
    let mut entries = Vec::with_capacity(rows.len());
    for (row, at, sealed) in rows {
        let (entry, sealed_for) = open_entry(vault, row, &sealed)?;
        if (newest, sealed_for) == (SealedFor::Row, SealedFor::AnyRow) {
            // An old entry was put behind new ones: a key that was revoked would work again.
            return Err(StoreError::Corrupt { table: "configuration", id: row.to_string() });
        }
        newest = sealed_for;
        entries.push((Timestamp::from_micros(at), entry));
    }
    Ok(entries)
}
