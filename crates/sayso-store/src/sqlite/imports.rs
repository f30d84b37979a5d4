//! Undoing an import: one retraction, and every address it concerned folded anew.
//!
//! The retraction is durable first. Folding goes on in pieces, so that refusals are still taken
//! meanwhile; a process that ends in between goes on at its next start, which sees that the views
//! do not hold the retraction in full.

use std::sync::Arc;

use rusqlite::params;
use sayso_core::address::AddressKey;
use sayso_core::id::ImportId;
use sayso_core::limits;

use super::group::Group;
use super::writer::{Urgency, WriterHandle};
use super::{Shared, Tenant, derived, events, flusher, read_lock, unreadable, unwritable};
use crate::store::StoreError;
use sayso_core::workspace::RuntimeFact;

/// Undoes an import and answers with how many addresses it concerned. Runs in a thread of its own:
/// once the retraction is durable, the folding goes on whether or not anybody waits for it.
pub(super) fn undo(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    workspace: &Arc<Tenant>,
    import: ImportId,
) -> Result<u64, StoreError> {
    let of_retraction = Arc::clone(workspace);
    let is_new = !shared.model(workspace.id)?.runtime.undone_imports.contains(&import);
    if is_new {
        writer.submit_blocking(workspace.no, Urgency::Ordinary, move |group| {
            let undone = group.note(&of_retraction, RuntimeFact::UndoneImport(import))?;
            undone.changed().map(drop).ok_or(StoreError::Decided)
        })?;
    }
    let keys = concerned(shared, workspace, import)?;
    for piece in keys.chunks(limits::COMMIT_GROUP_MAX) {
        fold_piece(shared, writer, workspace, piece)?;
    }
    note_done(shared, workspace, import)?;
    u64::try_from(keys.len()).map_err(|_| StoreError::Closed)
}

fn fold_piece(
    shared: &Shared,
    writer: &WriterHandle,
    workspace: &Arc<Tenant>,
    piece: &[AddressKey],
) -> Result<(), StoreError> {
    writer.submit_step(shared, workspace.no, || {
        let (keys, of_piece) = (piece.to_vec(), Arc::clone(workspace));
        move |group: &mut Group<'_>| {
            keys.iter().try_for_each(|key| group.refold_without_undone(&of_piece, *key))
        }
    })
}

/// Goes on with what an earlier process did not finish.
pub(super) fn finish_undoing(shared: &Shared) -> Result<(), StoreError> {
    let workspaces: Vec<Arc<Tenant>> = read_lock(&shared.tenants).values().cloned().collect();
    for workspace in workspaces {
        for import in shared.model(workspace.id)?.runtime.undone_imports.iter().copied() {
            if is_done(shared, &workspace, import)? {
                continue;
            }
            let keys = concerned(shared, &workspace, import)?;
            let ledger = shared.ledger.lock();
            for piece in keys.chunks(limits::COMMIT_GROUP_MAX) {
                let transaction = ledger.unchecked_transaction().map_err(unreadable)?;
                let mut group = Group::new(shared, &ledger);
                for key in piece {
                    group.refold_without_undone(&workspace, *key)?;
                }
                group.settle_accounts()?;
                let staged = group.into_staged();
                transaction.commit().map_err(|error| unwritable(&error))?;
                staged.publish(shared);
                if shared.tail.is_due(shared.options.tail_bytes_max) {
                    flusher::flush(shared);
                }
            }
            drop(ledger);
            note_done(shared, &workspace, import)?;
        }
    }
    Ok(())
}

/// The addresses an import concerned.
fn concerned(
    shared: &Shared,
    workspace: &Tenant,
    import: ImportId,
) -> Result<Vec<AddressKey>, StoreError> {
    let mut keys = Vec::new();
    shared.ledger.read(|ledger| {
        events::for_each_after(ledger, 0, |row| {
            if row.workspace == workspace.no && row.event.import == Some(import) {
                keys.push(row.event.key);
            }
            Ok(())
        })
    })?;
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

fn is_done(shared: &Shared, workspace: &Tenant, import: ImportId) -> Result<bool, StoreError> {
    shared.read_views(|views| {
        views
            .query_row(
                "SELECT count(*) FROM undone_import WHERE workspace = ?1 AND import = ?2",
                params![workspace.no, import.as_bytes()],
                |row| row.get::<_, bool>(0),
            )
            .map_err(unreadable)
    })
}

/// Notes that the views hold a retraction in full, once they do, and once no file of the index says
/// what was before.
fn note_done(shared: &Shared, workspace: &Tenant, import: ImportId) -> Result<(), StoreError> {
    // Not noted: the next start folds the addresses again, which changes nothing.
    if !flusher::flush(shared) {
        return Ok(());
    }
    if let Err(error) = shared.forget_index() {
        tracing::warn!(error = %error, "a gate index from before an undoing could not be removed");
        return Ok(());
    }
    shared
        .views
        .lock()
        .execute(
            "INSERT OR IGNORE INTO undone_import (workspace, import) VALUES (?1, ?2)",
            params![workspace.no, import.as_bytes()],
        )
        .map(|_| ())
        .map_err(|error| derived::unwritten(&error))
        .inspect_err(|error| shared.note_damage(error))
}
