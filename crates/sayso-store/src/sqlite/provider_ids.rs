//! The ids by which providers name messages. Some hold the phone number that the message went to: the
//! Base64 of a `wamid.…` does. So such an id is as personal as the address: rows are found by a keyed hash
//! of it, it is shown from what is sealed beside, and an erasure destroys both.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, params};
use sayso_core::canonical::Writer;
use sayso_core::id::{MessageId, WorkspaceId};
use sayso_core::limits;
use sayso_core::words::event_id::RequestHash;

use super::database::{self, Database, Durability};
use super::files::sync_directory;
use super::{OpenError, Shared, Tenant, backup, unreadable, unwritable};
use crate::environment::Environment;
use crate::store::StoreError;

/// What a message is found by: 16 bytes of a keyed hash of the provider's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProviderKey([u8; 16]);

impl ProviderKey {
    /// The key of an id in a workspace.
    pub(super) fn of(workspace: &Tenant, id: &str) -> Self {
        let mut fields = Writer::default();
        fields.text("provider's id of a message");
        fields.text(id);
        let RequestHash(full) = RequestHash::of(&fields, &workspace.secrets.address_keys);
        Self(full.first_chunk().copied().unwrap_or_default())
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

fn place<'a>(workspace: &'a WorkspaceId, message: &'a MessageId) -> [&'a [u8]; 3] {
    [b"provider id", workspace.as_bytes(), message.as_bytes()]
}

/// Seals the id of a message.
pub(super) fn seal(
    workspace: &Tenant,
    message: &MessageId,
    id: &str,
    environment: &Environment,
) -> Vec<u8> {
    workspace.secrets.vault.seal(&place(&workspace.id, message), id.as_bytes(), environment)
}

/// Opens the id of a message; `None` where it is damaged.
pub(super) fn open(workspace: &Tenant, message: &MessageId, sealed: &[u8]) -> Option<Box<str>> {
    let plain = workspace.secrets.vault.open(&place(&workspace.id, message), sealed).ok()?;
    String::from_utf8(plain).ok().map(String::into_boxed_str)
}

/// Seals the ids that an earlier release wrote in clear, and writes the file anew, so that they are in none
/// of its pages. A start doesn't fail for it: what is cut short here goes on at the next one.
pub(super) fn seal_those_of_before(shared: &Shared) -> Result<(), OpenError> {
    let work = shared.work.database();
    let (are_sealed, has_messages): (bool, bool) = work.lock().query_row(
        "SELECT ids_are_sealed, EXISTS (SELECT 1 FROM message /* every workspace: any row */) FROM store",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if are_sealed {
        return Ok(());
    }
    if has_messages {
        match seal_all(shared, work) {
            Ok(sealed) => {
                tracing::info!(messages = sealed, "the ids of providers in work.db are sealed");
            }
            Err(error) => {
                tracing::warn!(error = %error, "not all ids of providers in work.db could be sealed: the next start tries again");
                return Ok(());
            }
        }
        if !write_anew(work)? {
            return Ok(());
        }
    }
    if let Err(error) = work.lock().execute("UPDATE store SET ids_are_sealed = 1", []) {
        tracing::warn!(error = %error, "that the ids in work.db are sealed could not be noted: the next start looks again");
    }
    Ok(())
}

/// Seals row by row, in bounded steps; those of people who were erased are destroyed. Gives how many.
fn seal_all(shared: &Shared, work: &Database) -> Result<usize, StoreError> {
    let (mut after, mut sealed) = (0, 0);
    loop {
        let mut work = work.lock();
        let step = work.transaction().map_err(|error| unwritable(&error))?;
        let found = in_clear(&step, after)?;
        let Some(last) = found.last() else { return Ok(sealed) };
        (after, sealed) = (last.row, sealed + found.len());
        for clear in &found {
            clear.seal(shared, &step).map_err(|error| unwritable(&error))?;
        }
        step.commit().map_err(|error| unwritable(&error))?;
    }
}

/// A message with its id in clear.
struct InClear {
    row: i64,
    workspace: WorkspaceId,
    message: MessageId,
    id: String,
    is_erased: bool,
}

fn in_clear(work: &Connection, after: i64) -> Result<Vec<InClear>, StoreError> {
    let items = i64::try_from(limits::SWEEP_ROWS_MAX).unwrap_or(i64::MAX);
    let read = || -> rusqlite::Result<Vec<InClear>> {
        work.prepare_cached(
            "SELECT row, workspace, message, provider_id, sealed IS NULL FROM message
             WHERE row > ?1 AND provider_id IS NOT NULL ORDER BY row LIMIT ?2 /* every workspace: each of its own key */",
        )?
        .query_map(params![after, items], |row| {
            Ok(InClear {
                row: row.get(0)?,
                workspace: WorkspaceId::from_bytes(row.get(1)?),
                message: MessageId::from_bytes(row.get(2)?),
                id: row.get(3)?,
                is_erased: row.get(4)?,
            })
        })?
        .collect()
    };
    read().map_err(unreadable)
}

impl InClear {
    fn seal(&self, shared: &Shared, work: &Connection) -> rusqlite::Result<()> {
        // Nobody can open what is of a workspace that this ledger lacks.
        let workspace = shared.tenant(self.workspace).ok().filter(|_| !self.is_erased);
        let of = workspace.as_deref();
        let key = of.map(|workspace| ProviderKey::of(workspace, &self.id));
        let sealed =
            of.map(|workspace| seal(workspace, &self.message, &self.id, &shared.environment));
        work.prepare_cached(
            "UPDATE message SET provider_id = NULL, provider_key = ?3, provider_sealed = ?4
             WHERE workspace = ?1 AND row = ?2",
        )?
        .execute(params![
            self.workspace.as_bytes(),
            self.row,
            key.as_ref().map(ProviderKey::as_bytes),
            sealed,
        ])
        .map(|_| ())
    }
}

/// Puts a copy without anything deleted in the place of the file, which nobody else has open; whether it is
/// there.
fn write_anew(work: &Database) -> Result<bool, OpenError> {
    let Some(path) = work.path() else { return Ok(true) };
    let beside = path.with_extension("db.new");
    let copied = remove(&beside).map_err(|error| error.to_string()).and_then(|()| {
        backup::copy(work, &beside).map_err(|error| error.to_string())?;
        // The connection that closes last leaves no log behind: one would be taken for the copy's.
        work.close().map_err(|error| error.to_string())?;
        remove(&database::beside(path, "-shm")).map_err(|error| error.to_string())?;
        if database::beside(path, "-wal").exists() {
            return Err("its log is in use".to_owned());
        }
        let renamed = fs::rename(&beside, path);
        renamed
            .and_then(|()| path.parent().map_or(Ok(()), sync_directory))
            .map_err(|error| error.to_string())
    });
    work.reopen(Durability::Full)?;
    if let Err(reason) = &copied {
        tracing::warn!(
            reason,
            "work.db could not be written anew without ids in clear: the next start tries again"
        );
        // On a full disk it takes the room of others.
        if let Err(error) = remove(&beside) {
            tracing::warn!(error = %error, "a copy of work.db that is not used stays");
        }
    }
    Ok(copied.is_ok())
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
