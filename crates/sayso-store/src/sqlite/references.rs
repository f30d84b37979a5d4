//! References in `work.db`: what was ticked on an opt-in page, until its message arrives.

use rusqlite::{Connection, OptionalExtension, params};
use sayso_core::address::AddressKey;
use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::id::{EntryPointId, EventId, WorkspaceId};
use sayso_core::limits;
use sayso_core::proof::reference::Reference;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Permission;
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::source::Evidence;

use super::{Tenant, unreadable, unwritable};
use crate::environment::Environment;
use crate::reference::{Keeping, ReferenceDraft, StoredReference};
use crate::store::StoreError;

/// What is to be written about a reference.
pub(super) enum ReferenceWrite {
    /// Keep it, with its sealed part.
    Keep(Box<ReferenceDraft>, Vec<u8>),
    /// A message takes it, from this address.
    Take(Reference, EventId, AddressKey),
}

/// The sealed part of a reference.
struct Ticked {
    permissions: Vec<Permission>,
    evidence: Evidence,
}

impl Canonical for Ticked {
    fn write(&self, to: &mut Writer) {
        to.length(self.permissions.len());
        self.permissions.iter().for_each(|permission| permission.write(to));
        self.evidence.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = from.length()?;
        let permissions = (0..length).map(|_| Permission::read(from)).collect::<Result<_, _>>()?;
        Ok(Self { permissions, evidence: Evidence::read(from)? })
    }
}

/// The place for which what was ticked is sealed.
fn place<'a>(workspace: &'a WorkspaceId, reference: &'a Reference) -> [&'a [u8]; 3] {
    [b"reference", workspace.as_bytes(), reference.as_bytes()]
}

/// A row: whose it is, when it was kept and by which message it was taken, and its sealed part.
type Read = (([u8; 32], [u8; 16], Option<[u8; 16]>), (i64, Option<[u8; 16]>), Vec<u8>);

/// Seals what was ticked.
pub(super) fn seal(
    workspace: &Tenant,
    draft: &ReferenceDraft,
    environment: &Environment,
) -> Vec<u8> {
    let ticked =
        Ticked { permissions: draft.permissions.clone(), evidence: draft.evidence.clone() };
    let place = place(&workspace.id, &draft.reference);
    workspace.secrets.vault.seal(&place, &ticked.to_bytes(), environment)
}

/// Writes about a reference.
pub(super) fn write(
    work: &Connection,
    workspace: WorkspaceId,
    write: &ReferenceWrite,
    now: Timestamp,
) -> Result<Keeping, StoreError> {
    let done = match write {
        ReferenceWrite::Keep(draft, sealed) => keep(work, workspace, (draft, sealed), now),
        ReferenceWrite::Take(reference, message, address) => {
            take(work, workspace, *reference, (*message, *address), now)
        }
    };
    done.map_err(|error| unwritable(&error))
}

fn keep(
    work: &Connection,
    workspace: WorkspaceId,
    (draft, sealed): (&ReferenceDraft, &[u8]),
    now: Timestamp,
) -> rusqlite::Result<Keeping> {
    // One that is too old makes room for the next of the same digits.
    work.prepare_cached(
        "DELETE FROM reference WHERE workspace = ?1 AND reference = ?2 AND kept_at < ?3",
    )?
    .execute(params![workspace.as_bytes(), draft.reference.as_bytes(), oldest(now)])?;
    work.prepare_cached(
        "INSERT INTO reference (workspace, reference, request, entry_point, address_key, kept_at, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        workspace.as_bytes(),
        draft.reference.as_bytes(),
        draft.request.0,
        draft.entry_point.as_bytes(),
        draft.address.as_ref().map(AddressKey::as_bytes),
        now.as_micros(),
        sealed,
    ])?;
    let most = i64::try_from(limits::REFERENCES_PER_WORKSPACE_MAX).unwrap_or(i64::MAX);
    work.prepare_cached(
        "DELETE FROM reference WHERE workspace = ?1 AND row <= (
             SELECT row FROM reference WHERE workspace = ?1 ORDER BY row DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![workspace.as_bytes(), most])?;
    let kept: [u8; 32] = work
        .prepare_cached("SELECT request FROM reference WHERE workspace = ?1 AND reference = ?2")?
        .query_row(params![workspace.as_bytes(), draft.reference.as_bytes()], |row| row.get(0))?;
    Ok(if kept == draft.request.0 { Keeping::Done } else { Keeping::Another })
}

/// One message takes a reference, and may do so again: a provider tells some messages twice.
fn take(
    work: &Connection,
    workspace: WorkspaceId,
    reference: Reference,
    (message, address): (EventId, AddressKey),
    now: Timestamp,
) -> rusqlite::Result<Keeping> {
    let taken = work
        .prepare_cached(
            "UPDATE reference SET taken_by = ?3, address_key = coalesce(address_key, ?4)
             WHERE workspace = ?1 AND reference = ?2 AND kept_at >= ?5
               AND coalesce(taken_by, ?3) = ?3",
        )?
        .execute(params![
            workspace.as_bytes(),
            reference.as_bytes(),
            message.as_bytes(),
            address.as_bytes(),
            oldest(now),
        ])?;
    Ok(if taken == 1 { Keeping::Done } else { Keeping::Another })
}

/// A reference that is not too old.
pub(super) fn find(
    work: &Connection,
    workspace: &Tenant,
    reference: Reference,
    now: Timestamp,
) -> Result<Option<StoredReference>, StoreError> {
    let damaged = || StoreError::Corrupt { table: "reference", id: reference.to_string() };
    let row = work
        .prepare_cached(
            "SELECT request, entry_point, address_key, kept_at, taken_by, sealed FROM reference
             WHERE workspace = ?1 AND reference = ?2 AND kept_at >= ?3",
        )
        .and_then(|mut statement| {
            let asked = params![workspace.id.as_bytes(), reference.as_bytes(), oldest(now)];
            let read = |row: &rusqlite::Row<'_>| {
                let (request, entry, address) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let (kept_at, taken_by, sealed) = (row.get(3)?, row.get(4)?, row.get(5)?);
                Ok(((request, entry, address), (kept_at, taken_by), sealed))
            };
            statement.query_row(asked, read).optional()
        })
        .map_err(unreadable)?;
    let row: Option<Read> = row;
    let Some(((request, entry, address), (kept_at, taken_by), sealed)) = row else {
        return Ok(None);
    };
    let plain = workspace.secrets.vault.open(&place(&workspace.id, &reference), &sealed);
    let ticked = Ticked::from_bytes(&plain.map_err(|_| damaged())?).map_err(|_| damaged())?;
    let draft = ReferenceDraft {
        reference,
        request: RequestHash(request),
        entry_point: EntryPointId::from_bytes(entry),
        address: address.map(AddressKey::from_bytes),
        permissions: ticked.permissions,
        evidence: ticked.evidence,
    };
    let taken_by = taken_by.map(EventId::from_bytes);
    Ok(Some(StoredReference { draft, kept_at: Timestamp::from_micros(kept_at), taken_by }))
}

/// Deletes what an erased person ticked (rule 17).
pub(super) fn forget(
    work: &Connection,
    workspace: WorkspaceId,
    erased: AddressKey,
) -> rusqlite::Result<usize> {
    work.prepare_cached("DELETE FROM reference WHERE workspace = ?1 AND address_key = ?2")?
        .execute(params![workspace.as_bytes(), erased.as_bytes()])
}

/// Deletes what is too old, at most so many of the oldest rows.
pub(super) fn sweep(work: &Connection, rows: i64, now: Timestamp) -> rusqlite::Result<usize> {
    work.prepare_cached(
        "DELETE FROM reference WHERE row IN (
             SELECT row FROM (SELECT row, kept_at FROM reference ORDER BY row LIMIT ?1)
             WHERE kept_at < ?2) /* every workspace: the same age for all */",
    )?
    .execute(params![rows, oldest(now)])
}

/// What was kept before this is too old.
fn oldest(now: Timestamp) -> i64 {
    now.minus(limits::REFERENCE_HOLDS).as_micros()
}
