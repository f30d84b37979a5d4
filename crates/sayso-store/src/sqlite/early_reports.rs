//! Reports of a provider that came before its own id of the message was known.
//!
//! A provider may report on a message before its answer to the hand-over is written. A report that names
//! the message by the provider's id alone fits nothing yet: it is kept for a while, and applied when
//! that id is written. Reports on messages that others sent by the same account fit nothing ever; they
//! age, and there are never more than a bounded number. The id itself is not kept, only its keyed hash.

use rusqlite::{Connection, params};
use sayso_core::gate::message::MessageState;
use sayso_core::limits;
use sayso_core::time::Timestamp;

use super::provider_ids::ProviderKey;
use super::{Tenant, unreadable, unwritable};
use crate::message::{MessageName, MessageReport};
use crate::store::StoreError;

/// Keeps a report until its message is known by that id; one that names our id waits elsewhere.
pub(super) fn keep(
    work: &Connection,
    workspace: &Tenant,
    report: &MessageReport,
    now: Timestamp,
) -> Result<(), StoreError> {
    let MessageName::Provider(id) = &report.message else { return Ok(()) };
    forget_the_old(work, now)?;
    work.prepare_cached(
        "INSERT INTO early_report (workspace, provider_key, state, at, failure, kept_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .and_then(|mut statement| {
        statement.execute(params![
            workspace.id.as_bytes(),
            ProviderKey::of(workspace, id).as_bytes(),
            report.state.code(),
            report.at.as_micros(),
            report.failure,
            now.as_micros(),
        ])
    })
    .map(|_| ())
    .map_err(|error| unwritable(&error))
}

/// Takes the reports on the message with this id out.
pub(super) fn take(
    work: &Connection,
    workspace: &Tenant,
    provider_id: Option<&str>,
) -> Result<Vec<MessageReport>, StoreError> {
    let Some(provider_id) = provider_id else { return Ok(Vec::new()) };
    let mut statement = work
        .prepare_cached(
            "DELETE FROM early_report WHERE workspace = ?1 AND provider_key = ?2
             RETURNING state, at, failure",
        )
        .map_err(unreadable)?;
    let key = ProviderKey::of(workspace, provider_id);
    let mut rows =
        statement.query(params![workspace.id.as_bytes(), key.as_bytes()]).map_err(unreadable)?;
    let mut reports = Vec::new();
    while let Some(row) = rows.next().map_err(unreadable)? {
        let state: u8 = row.get(0).map_err(unreadable)?;
        // A state that is none is of no use to anybody.
        let Some(state) = MessageState::from_code(state) else { continue };
        reports.push(MessageReport {
            message: MessageName::Provider(provider_id.into()),
            state,
            at: Timestamp::from_micros(row.get(1).map_err(unreadable)?),
            failure: row.get(2).map_err(unreadable)?,
        });
    }
    Ok(reports)
}

/// Makes room: some of the oldest go if they are too old, or too many.
fn forget_the_old(work: &Connection, now: Timestamp) -> Result<(), StoreError> {
    work.prepare_cached(
        "DELETE /* every workspace: they age by the clock, and share one bound */ FROM early_report
         WHERE row IN (SELECT row FROM early_report ORDER BY row LIMIT ?1)
             AND (kept_at < ?2 OR row <= (SELECT max(row) FROM early_report) - ?3)",
    )
    .and_then(|mut statement| {
        statement.execute(params![
            OLD_AT_ONCE,
            now.minus(limits::EARLY_REPORT_KEPT).as_micros(),
            limits::EARLY_REPORTS_MAX,
        ])
    })
    .map(|_| ())
    .map_err(|error| unwritable(&error))
}

/// How many old reports one new one looks at: more than one, so that they grow no more.
const OLD_AT_ONCE: u32 = 8;
