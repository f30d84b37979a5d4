//! The list of erasures in `work.db`: which there were, and how much each destroyed.
//!
//! It is a convenience for those who must account for erasures: the events in the ledger are the
//! truth, keep the reason, and are what `sayso export --erasures` writes.

use rusqlite::{Row, params};
use sayso_core::address::AddressKey;
use sayso_core::id::EventId;
use sayso_core::time::Timestamp;

use super::work::{Work, before, cut, one_more, read_rows};
use super::{Shared, Tenant, unreadable};
use crate::erasure::{Erased, ErasureCounts, ErasurePage, StoredErasure};
use crate::store::StoreError;

impl Work {
    /// Notes an erasure that was done; one that is noted already stays as it was.
    pub(super) fn note_erasure(&self, workspace: &Tenant, erased: &Erased, address: AddressKey) {
        let Erased { recorded, counts } = erased;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let noted = self.writing().execute(
            "INSERT OR IGNORE INTO erasure
                 (workspace, event, address_key, erased_at, addresses, unlinked, events, rejects, messages, waiting)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                workspace.id.as_bytes(),
                recorded.id.as_bytes(),
                address.as_bytes(),
                recorded.recorded_at.as_micros(),
                number(counts.addresses),
                number(counts.unlinked),
                number(counts.events),
                number(counts.rejects),
                number(counts.messages),
                number(counts.waiting),
            ],
        );
        if let Err(error) = noted {
            tracing::warn!(error = %error, event.id = %recorded.id, "an erasure was done and could not be listed");
        }
    }
}

impl Shared {
    /// One page of erasures with what the ledger says of each, the newest first.
    pub(super) fn erasures(
        &self,
        workspace: &Tenant,
        after: Option<u64>,
        items: usize,
    ) -> Result<ErasurePage, StoreError> {
        let mut rows = self.work.read(|work| {
            read_rows(
                work,
                "SELECT row, event, address_key, erased_at, addresses, unlinked, events, rejects, messages, waiting
                 FROM erasure WHERE workspace = ?1 AND row < ?2 ORDER BY row DESC LIMIT ?3",
                params![workspace.id.as_bytes(), before(after), one_more(items)],
                erasure,
            )
        })?;
        let next = cut(&mut rows, items);
        let mut erasures = Vec::with_capacity(rows.len());
        for (_, mut erasure) in rows {
            if let Some(entry) = self.event_of(workspace.id, erasure.address, erasure.event)? {
                erasure.reason = entry.evidence.and_then(|evidence| evidence.method);
                erasure.source = Some(entry.event.source);
            }
            erasures.push(erasure);
        }
        Ok(ErasurePage { erasures, next })
    }
}

fn erasure(row: &Row<'_>) -> Result<(i64, StoredErasure), StoreError> {
    let count = |place: usize| row.get::<_, i64>(place).map(i64::unsigned_abs).map_err(unreadable);
    let erasure = StoredErasure {
        event: EventId::from_bytes(row.get(1).map_err(unreadable)?),
        address: AddressKey::from_bytes(row.get(2).map_err(unreadable)?),
        erased_at: Timestamp::from_micros(row.get(3).map_err(unreadable)?),
        source: None,
        reason: None,
        counts: ErasureCounts {
            addresses: count(4)?,
            unlinked: count(5)?,
            events: count(6)?,
            rejects: count(7)?,
            messages: count(8)?,
            waiting: count(9)?,
        },
    };
    Ok((row.get(0).map_err(unreadable)?, erasure))
}
