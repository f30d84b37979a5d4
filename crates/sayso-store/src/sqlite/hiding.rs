//! What a refusal that nobody vouches for hides is destroyed once it was hidden long enough (rule 11).
//!
//! Such a refusal is an event of the ledger, which is in the order of time: a cursor follows 30 days behind,
//! and looks at each refusal once. What was retracted meanwhile destroys nothing.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use sayso_core::address::AddressKey;
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::words::event::ConsentEvent;

use super::tail::WorkspaceNo;
use super::writer::{Urgency, WriterHandle};
use super::{Shared, Tenant, events, read_lock, unreadable, unwritable};
use crate::store::StoreError;

const CURSOR: &str = "hidden attributes";

/// Refusals of processing that are due, and the last row that was looked at.
struct Due {
    refused: Vec<(WorkspaceNo, AddressKey)>,
    last: i64,
}

/// Destroys what was hidden for longer than it may be; a bounded part of the ledger is looked at.
pub(super) fn destroy_due(shared: &Shared, writer: &WriterHandle) -> Result<(), StoreError> {
    let now = shared.environment.clock.now();
    let after = cursor(shared)?;
    let due = due(shared, after, now.minus(limits::UNPROVEN_REFUSAL_HIDES))?;
    for (no, key) in due.refused {
        let workspace = read_lock(&shared.tenants).values().find(|it| it.no == no).cloned();
        if let Some(workspace) = workspace {
            destroy(writer, workspace, key, now)?;
        }
    }
    if due.last > after { keep_cursor(shared, due.last) } else { Ok(()) }
}

fn destroy(
    writer: &WriterHandle,
    workspace: Arc<Tenant>,
    key: AddressKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    writer.submit_blocking(workspace.no, Urgency::Ordinary, move |group| {
        group.discard_if_refused(&workspace, key, now)
    })
}

/// The refusals of processing after a row that nobody vouched for, recorded up to `until`.
fn due(shared: &Shared, after: i64, until: Timestamp) -> Result<Due, StoreError> {
    let mut due = Due { refused: Vec::new(), last: after };
    let last = after.saturating_add(limits::HIDDEN_ROWS_AT_ONCE);
    shared.ledger.read(|ledger| {
        events::for_each_fact(ledger, (after, last), |row, workspace, event| {
            let is_due = event.recorded_at <= until;
            if is_due {
                due.last = row;
            }
            if is_due && hides(&event) {
                due.refused.push((workspace, event.key));
            }
            Ok(is_due)
        })
    })?;
    Ok(due)
}

fn hides(event: &ConsentEvent) -> bool {
    event.fact.refuses_processing() && event.is_unproven()
}

/// Where to go on. A ledger that ends before it is an older one: it is looked at anew.
fn cursor(shared: &Shared) -> Result<i64, StoreError> {
    let kept: Option<i64> = shared.work.read(|work| {
        work.query_row("SELECT row FROM cursor WHERE name = ?1", params![CURSOR], |row| row.get(0))
            .optional()
            .map_err(unreadable)
    })?;
    let ends = shared.position().next_row;
    Ok(kept.filter(|row| *row < ends).unwrap_or(0))
}

fn keep_cursor(shared: &Shared, row: i64) -> Result<(), StoreError> {
    shared
        .work
        .writing()
        .execute(
            "INSERT INTO cursor (name, row) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET row = excluded.row",
            params![CURSOR, row],
        )
        .map(|_| ())
        .map_err(|error| unwritable(&error))
}
