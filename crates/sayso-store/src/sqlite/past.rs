//! What was known, or was true, at an earlier moment.
//!
//! The views and the gate index hold what is known now, and nothing of before. An earlier moment is
//! read from the ledger: of an address's events those that bear on it are folded anew. That costs as
//! much as the history is long, so a past audience comes in small pages.

use std::collections::BTreeSet;
use std::sync::Arc;

use sayso_core::gate::decision::Circumstances;
use sayso_core::gate::decision::{Requirement, findings};
use sayso_core::id::ImportId;
use sayso_core::limits;
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::event::{ConsentEvent, Fact};

use super::questions::{is_member, phone_of};
use super::tail::Place;
use super::{Shared, Tenant, events};
use crate::codec::LogEntry;
use crate::store::{AudienceCursor, AudiencePage, AudienceQuery, Member, Moment, StoreError};
use sayso_core::workspace::RuntimeFact;

/// An earlier moment, and the imports that count for nothing at it.
pub(super) struct Past {
    line: Line,
    then: Timestamp,
    undone: Arc<BTreeSet<ImportId>>,
}

/// The line of time that a moment stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// What was known, by when it was recorded.
    Knowledge,
    /// What was true, by when it occurred.
    Truth,
}

/// What is told of an address at a moment.
pub(super) struct Told {
    /// The rows of its events, the newest first.
    pub(super) rows: Vec<i64>,
    /// What is known of it, its retractions among it.
    pub(super) registers: Arc<Registers>,
    /// The imports that count for nothing.
    pub(super) undone: Arc<BTreeSet<ImportId>>,
}

impl Past {
    /// Whether an event is in the history.
    fn holds(&self, event: &ConsentEvent) -> bool {
        match self.line {
            Line::Knowledge => event.recorded_at <= self.then,
            Line::Truth => event.occurred_at <= self.then,
        }
    }

    /// Whether an event bears on what was known or true. A retraction is not dated to the moment
    /// it was made: what we know now is wrong was never right.
    fn weighs(&self, event: &ConsentEvent) -> bool {
        let is_retraction = matches!(event.fact, Fact::Retraction(_));
        self.holds(event) || (is_retraction && self.line == Line::Truth)
    }

    /// What these events of an address come to.
    pub(super) fn registers(&self, events: &[(i64, ConsentEvent)]) -> Registers {
        let weighing = events.iter().map(|(_, event)| event).filter(|event| self.weighs(event));
        Registers::fold(weighing, &self.undone)
    }

    /// What these events of an address tell, given the newest first.
    pub(super) fn told(self, events: &[(i64, ConsentEvent)]) -> Told {
        let registers = Arc::new(self.registers(events));
        let rows = events.iter().filter(|(_, event)| self.holds(event)).map(|(row, _)| *row);
        Told { rows: rows.collect(), registers, undone: self.undone }
    }
}

impl Shared {
    /// What is needed to look at an earlier moment; `None` for now.
    pub(super) fn past(
        &self,
        workspace: &Tenant,
        moment: Moment,
    ) -> Result<Option<Past>, StoreError> {
        Ok(match moment {
            Moment::Now => None,
            Moment::AsOf(then) => {
                let undone = self.undone_by(workspace, then)?;
                Some(Past { line: Line::Knowledge, then, undone })
            }
            Moment::EffectiveAt(then) => {
                let undone = self.model(workspace.id)?.runtime.undone_imports.clone();
                Some(Past { line: Line::Truth, then, undone })
            }
        })
    }

    /// The imports that were undone by then.
    fn undone_by(
        &self,
        workspace: &Tenant,
        then: Timestamp,
    ) -> Result<Arc<BTreeSet<ImportId>>, StoreError> {
        let vault = &workspace.secrets.vault;
        let changes = self.ledger.read(|ledger| events::entries(ledger, workspace.no, vault))?;
        let changes = changes.into_iter().filter(|(at, _)| *at <= then);
        let undone = changes.filter_map(|(_, entry)| match entry {
            LogEntry::Fact(RuntimeFact::UndoneImport(id)) => Some(id),
            LogEntry::Fact(_) | LogEntry::Change(_) => None,
        });
        Ok(Arc::new(undone.collect()))
    }

    /// Every event of an address with its row, the newest first.
    pub(super) fn events_of(&self, place: &Place) -> Result<Vec<(i64, ConsentEvent)>, StoreError> {
        let rows = self.newest_rows_of(place)?;
        self.ledger
            .read(|ledger| {
                let read = |row| Ok((row, events::read(ledger, place, row)?.event));
                rows.into_iter().map(read).collect::<Result<_, _>>()
            })
            .inspect_err(|error| self.note_damage(error))
    }

    /// One page of a past audience, in the order of the keys.
    pub(super) fn past_audience(
        &self,
        workspace: &Tenant,
        query: &AudienceQuery,
        past: &Past,
        after: AudienceCursor,
    ) -> Result<AudiencePage, StoreError> {
        let settings = self.model(workspace.id)?.settings.at(past.then);
        let circumstances = Circumstances::of_consent(&settings, Requirement::OptIn, past.then);
        let after = match after {
            AudienceCursor::After(key) => Some(key),
            AudienceCursor::Beginning | AudienceCursor::Segment(_) => None,
        };
        let keys = self.keys_after(workspace, after, limits::EXPORT_PAGE_ADDRESSES)?;
        let mut members = Vec::new();
        for key in &keys {
            let then = |place: &Place| {
                Ok::<_, StoreError>(Arc::new(past.registers(&self.events_of(place)?)))
            };
            let is_one = |registers: &Registers| {
                let found = findings(registers, &query.message, past.then);
                is_member(&found, query, &circumstances)
            };
            let own = then(&(workspace.no, *key))?;
            if !is_one(&own) {
                continue;
            }
            let Some(address) = self.address_of(workspace, *key)? else { continue };
            if is_one(&*self.with_other_forms(workspace, phone_of(&address), own, then)?) {
                members.push(Member { address });
            }
        }
        let last = keys.last().filter(|_| keys.len() == limits::EXPORT_PAGE_ADDRESSES);
        Ok(AudiencePage { members, next: last.map(|key| AudienceCursor::After(*key)) })
    }
}
