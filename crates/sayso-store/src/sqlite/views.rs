//! The views: what is folded from the ledger, in a file that may be deleted and is rebuilt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use sayso_core::address::{Address, AddressKey};
use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::id::{EventId, ProfileId};
use sayso_core::state::register::Mark;
use sayso_core::state::registers::Registers;
use sayso_core::words::event_id::is_keyed;
use sayso_core::words::source::EvidenceText;
use sha2::{Digest, Sha256};

use super::seal::Vault;
use super::tail::{Frame, Place, SealedAddress, WorkspaceNo};
use super::unreadable;
use super::watermark::{self, Written};
use crate::environment::Environment;
use crate::store::StoreError;

/// A profile as folded from its events: later values of an attribute win, by time and event id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ProfileState {
    pub(super) addresses: BTreeSet<AddressKey>,
    pub(super) attributes: BTreeMap<EvidenceText, (Mark, Option<Box<str>>)>,
}

impl ProfileState {
    /// Takes in the attributes of one event.
    pub(super) fn join(
        &mut self,
        attributes: &BTreeMap<EvidenceText, Option<Box<str>>>,
        mark: Mark,
    ) {
        for (name, value) in attributes {
            let held = self.attributes.get(name);
            if held.is_none_or(|(at, _)| *at < mark) {
                self.attributes.insert(name.clone(), (mark, value.clone()));
            }
        }
    }
}

impl Canonical for ProfileState {
    fn write(&self, to: &mut Writer) {
        to.length(self.addresses.len());
        self.addresses.iter().for_each(|key| key.write(to));
        to.length(self.attributes.len());
        for (name, (mark, value)) in &self.attributes {
            name.write(to);
            mark.write(to);
            to.option(value.as_deref(), Writer::text);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut state = Self::default();
        for _ in 0..from.length()? {
            state.addresses.insert(AddressKey::read(from)?);
        }
        for _ in 0..from.length()? {
            let name = EvidenceText::read(from)?;
            let mark = Mark::read(from)?;
            let value = from.option(|from| from.text().map(Box::from))?;
            state.attributes.insert(name, (mark, value));
        }
        Ok(state)
    }
}

/// The place for which an address is sealed.
fn address_place(key: &AddressKey) -> [&[u8]; 2] {
    [b"address", key.as_bytes()]
}

/// The place for which a profile is sealed.
fn profile_place(id: &ProfileId) -> [&[u8]; 2] {
    [b"profile", id.as_bytes()]
}

/// Seals an address for its row.
pub(super) fn seal_address(
    vault: &Vault,
    key: &AddressKey,
    address: &Address,
    environment: &Environment,
) -> Vec<u8> {
    vault.seal(&address_place(key), &address.to_bytes(), environment)
}

/// Opens the address of a row.
pub(super) fn open_address(
    vault: &Vault,
    key: &AddressKey,
    sealed: &[u8],
) -> Result<Address, StoreError> {
    let damaged = || StoreError::Corrupt { table: "address", id: key.to_string() };
    let plain = vault.open(&address_place(key), sealed).map_err(|_| damaged())?;
    Address::from_bytes(&plain).map_err(|_| damaged())
}

/// A row of `address` without its history.
pub(super) struct AddressRow {
    pub(super) registers: Arc<Registers>,
    pub(super) sealed: Option<Vec<u8>>,
}

/// Registers as the views and the tail keep them.
pub(super) fn registers_of(key: &AddressKey, bytes: &[u8]) -> Result<Arc<Registers>, StoreError> {
    Registers::from_bytes(bytes)
        .map(Arc::new)
        .map_err(|_| StoreError::Corrupt { table: "address", id: key.to_string() })
}

/// The bytes of a row's digest.
const DIGEST_BYTES: usize = 8;

/// What a row's digest is: a changed bit in the row is told by it.
fn digest_of((workspace, key): &Place, registers: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut hasher = Sha256::new();
    hasher.update(workspace.to_be_bytes());
    hasher.update(key.as_bytes());
    hasher.update(registers);
    let full: [u8; 32] = hasher.finalize().into();
    *full.first_chunk().unwrap_or(&[0; DIGEST_BYTES])
}

/// The registers of a row that is what was written.
fn whole_registers(
    place: &Place,
    registers: &[u8],
    digest: Option<&[u8]>,
) -> Result<Arc<Registers>, StoreError> {
    if digest != Some(&digest_of(place, registers)[..]) {
        return Err(StoreError::Corrupt { table: "address", id: place.1.to_string() });
    }
    registers_of(&place.1, registers)
}

/// The row of an address.
pub(super) fn find_address(
    views: &Connection,
    place: &Place,
) -> Result<Option<AddressRow>, StoreError> {
    let (workspace, key) = place;
    let row = views
        .prepare_cached(
            "SELECT registers, sealed, digest FROM address WHERE workspace = ?1 AND address_key = ?2",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![workspace, key.as_bytes()], |row| {
                    let digest: Option<Vec<u8>> = row.get(2)?;
                    Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?, digest))
                })
                .optional()
        })
        .map_err(unreadable)?;
    row.map(|(registers, sealed, digest)| {
        let registers = whole_registers(place, &registers, digest.as_deref())?;
        Ok(AddressRow { registers, sealed })
    })
    .transpose()
}

/// Bytes of one event in an address's history: its row, then the beginning of its id.
const ROW_BYTES: usize = 6;
const ID_BYTES: usize = 4;

fn beginning(id: &EventId) -> [u8; ID_BYTES] {
    *id.as_bytes().first_chunk().unwrap_or(&[0; ID_BYTES])
}

/// Rows of the ledger as an address's history keeps them: appended, so it is written without being
/// read.
fn history_of(rows: &[(EventId, i64)]) -> Vec<u8> {
    let mut history = Vec::with_capacity(rows.len() * (ROW_BYTES + ID_BYTES));
    for (id, row) in rows {
        let [_, _, row @ ..] = row.to_be_bytes();
        history.extend_from_slice(&row);
        history.extend_from_slice(&beginning(id));
    }
    history
}

/// Each row of a history with the beginning of its event's id.
fn rows_in(history: &[u8]) -> impl Iterator<Item = (i64, [u8; ID_BYTES])> {
    history.chunks_exact(ROW_BYTES + ID_BYTES).filter_map(|entry| {
        let (row, id) = entry.split_first_chunk::<ROW_BYTES>()?;
        let row = row.iter().fold(0, |row, byte| (row << 8) | i64::from(*byte));
        Some((row, id.try_into().ok()?))
    })
}

fn history(views: &Connection, place: &Place) -> Result<Option<Vec<u8>>, StoreError> {
    views
        .prepare_cached("SELECT history FROM address WHERE workspace = ?1 AND address_key = ?2")
        .and_then(|mut find| {
            find.query_row(params![place.0, place.1.as_bytes()], |row| row.get(0)).optional()
        })
        .map_err(unreadable)
}

/// The rows of the ledger among which an event is, if it is stored: of this address, or by this
/// key. Seldom more than one; the ledger tells.
pub(super) fn may_hold(
    views: &Connection,
    place: &Place,
    id: EventId,
) -> Result<Vec<i64>, StoreError> {
    if is_keyed(&id) {
        return views
            .prepare_cached("SELECT row FROM keyed_event WHERE workspace = ?1 AND event_id = ?2")
            .and_then(|mut find| {
                find.query_map(params![place.0, id.as_bytes()], |row| row.get(0))?.collect()
            })
            .map_err(unreadable);
    }
    let history = history(views, place)?.unwrap_or_default();
    let same = |(_, found): &(i64, [u8; ID_BYTES])| *found == beginning(&id);
    Ok(rows_in(&history).filter(same).map(|(row, _)| row).collect())
}

/// The rows of the ledger about an address, in no order.
pub(super) fn rows_of(views: &Connection, place: &Place) -> Result<Vec<i64>, StoreError> {
    let history = history(views, place)?.unwrap_or_default();
    Ok(rows_in(&history).map(|(row, _)| row).collect())
}

/// A profile.
pub(super) fn find_profile(
    views: &Connection,
    workspace: WorkspaceNo,
    id: ProfileId,
    vault: &Vault,
) -> Result<Option<Arc<ProfileState>>, StoreError> {
    let sealed: Option<Vec<u8>> = views
        .prepare_cached("SELECT sealed FROM profile WHERE workspace = ?1 AND profile = ?2")
        .and_then(|mut statement| {
            statement.query_row(params![workspace, id.as_bytes()], |row| row.get(0)).optional()
        })
        .map_err(unreadable)?;
    let damaged = || StoreError::Corrupt { table: "profile", id: id.to_string() };
    sealed
        .map(|sealed| {
            let plain = vault.open(&profile_place(&id), &sealed).map_err(|_| damaged())?;
            ProfileState::from_bytes(&plain).map(Arc::new).map_err(|_| damaged())
        })
        .transpose()
}

/// Calls `each` for every address of a workspace whose key begins with a byte of `first`, in key
/// order.
pub(super) fn for_each_address(
    views: &Connection,
    workspace: WorkspaceNo,
    first: std::ops::RangeInclusive<u8>,
    mut each: impl FnMut(AddressKey, AddressRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = views
        .prepare(
            "SELECT address_key, registers, sealed, digest FROM address
             WHERE workspace = ?1 AND address_key BETWEEN ?2 AND ?3 ORDER BY address_key",
        )
        .map_err(unreadable)?;
    let (from, to) = ([*first.start()], [&[*first.end()][..], &[0xff; 15]].concat());
    let mut rows = statement.query(params![workspace, &from[..], to]).map_err(unreadable)?;
    while let Some(row) = rows.next().map_err(unreadable)? {
        let key = AddressKey::from_bytes(row.get(0).map_err(unreadable)?);
        let registers = row.get_ref(1).and_then(|cell| Ok(cell.as_blob()?)).map_err(unreadable)?;
        let digest = row.get_ref(3).and_then(|cell| Ok(cell.as_blob_or_null()?));
        let digest = digest.map_err(unreadable)?;
        let registers = whole_registers(&(workspace, key), registers, digest)?;
        each(key, AddressRow { registers, sealed: row.get(2).map_err(unreadable)? })?;
    }
    Ok(())
}

/// How many keys of a workspace have no known address.
pub(super) fn addressless(views: &Connection, workspace: WorkspaceNo) -> Result<u64, StoreError> {
    views
        .query_row(
            "SELECT count(*) FROM address INDEXED BY addressless WHERE workspace = ?1 AND sealed IS NULL",
            params![workspace],
            |row| row.get::<_, i64>(0),
        )
        .map(i64::unsigned_abs)
        .map_err(unreadable)
}

/// The next addresses of a workspace in key order.
pub(super) fn keys_after(
    views: &Connection,
    workspace: WorkspaceNo,
    after: Option<AddressKey>,
    items: usize,
) -> Result<Vec<AddressKey>, StoreError> {
    // The empty blob is before every key.
    let after = after.as_ref().map_or(&[][..], |key| key.as_bytes());
    let items = i64::try_from(items).unwrap_or(i64::MAX);
    views
        .prepare_cached(
            "SELECT address_key FROM address WHERE workspace = ?1 AND address_key > ?2
             ORDER BY address_key LIMIT ?3",
        )
        .and_then(|mut statement| {
            let key = |row: &rusqlite::Row<'_>| row.get(0).map(AddressKey::from_bytes);
            statement.query_map(params![workspace, after, items], key)?.collect()
        })
        .map_err(unreadable)
}

/// Writes a frame into the views, in key order, with its watermark: one transaction.
pub(super) fn flush(
    views: &mut Connection,
    (frame, written): (&Frame, &Written),
    vaults: &BTreeMap<WorkspaceNo, Vault>,
    environment: &Environment,
) -> rusqlite::Result<()> {
    let transaction = views.transaction()?;
    {
        let mut put_address = transaction.prepare_cached(
            "INSERT INTO address (workspace, address_key, registers, sealed, history, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (workspace, address_key) DO UPDATE
             SET registers = excluded.registers, digest = excluded.digest,
                 sealed = coalesce(excluded.sealed, sealed),
                 history = CAST(history || excluded.history AS BLOB)",
        )?;
        let mut forget_address = transaction.prepare_cached(
            "UPDATE address SET sealed = NULL WHERE workspace = ?1 AND address_key = ?2",
        )?;
        let mut put_keyed = transaction.prepare_cached(
            "INSERT INTO keyed_event (workspace, event_id, row) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
        )?;
        let mut places: Vec<&Place> = frame.addresses.keys().collect();
        places.sort_unstable();
        for place in places {
            let Some(entry) = frame.addresses.get(place) else {
                continue;
            };
            let (workspace, key) = (place.0, place.1.as_bytes());
            let sealed = match &entry.sealed {
                SealedAddress::Known(sealed) => Some(&**sealed),
                SealedAddress::Unchanged => None,
                SealedAddress::Forgotten => {
                    forget_address.execute(params![workspace, key])?;
                    None
                }
            };
            let history = history_of(&entry.rows);
            let digest = digest_of(place, &entry.registers);
            put_address.execute(params![
                workspace,
                key,
                &*entry.registers,
                sealed,
                history,
                digest
            ])?;
            for (id, row) in entry.rows.iter().filter(|(id, _)| is_keyed(id)) {
                put_keyed.execute(params![workspace, id.as_bytes(), row])?;
            }
        }
        let mut put_profile = transaction.prepare_cached(
            "INSERT OR REPLACE INTO profile (workspace, profile, sealed) VALUES (?1, ?2, ?3)",
        )?;
        for ((workspace, id), state) in &frame.profiles {
            if let Some(vault) = vaults.get(workspace) {
                let sealed = vault.seal(&profile_place(id), &state.to_bytes(), environment);
                put_profile.execute(params![workspace, id.as_bytes(), sealed])?;
            }
        }
        watermark::note(&transaction, written)?;
    }
    transaction.commit()
}
