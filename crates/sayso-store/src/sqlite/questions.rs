//! Reading: the gate, what is known of an address, its history, audiences.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use sayso_core::address::{Address, AddressKey};
use sayso_core::decision::{Circumstances, Reasons, Requirement, SenderState, check, decide};
use sayso_core::effective::Effective;
use sayso_core::id::{EventId, ImportId, ProfileId, WorkspaceId};
use sayso_core::limits;
use sayso_core::registers::Registers;
use sayso_core::settings::Settings;

use super::{Shared, Workspace, events, views};
use crate::store::{
    AudienceCursor, AudiencePage, AudienceQuery, HistoryEntry, HistoryPage, KnownAddress, Member,
    Moment, Profile, Question, Recipient, Retraction, StoreError, Subject,
};

impl Recipient {
    fn key(self, workspace: &Workspace) -> AddressKey {
        match self {
            Self::Phone(phone) => Address::Phone(phone).key(&workspace.secrets.address_keys),
            Self::Key(key) => key,
        }
    }
}

/// One event of an address with these registers.
fn entry(
    ledger: &Connection,
    row: i64,
    workspace: &Workspace,
    registers: &Registers,
    undone: &BTreeSet<ImportId>,
) -> Result<HistoryEntry, StoreError> {
    let stored = events::read(ledger, row)?;
    let sealed = events::open(&workspace.secrets.vault, &stored)?;
    let (address, evidence) = sealed.map_or((None, None), |s| (s.address, Some(s.evidence)));
    let is_out = registers.leaves_out(&stored.event)
        || stored.event.import.is_some_and(|import| undone.contains(&import));
    let retracted = if is_out { Retraction::Retracted } else { Retraction::Counts };
    Ok(HistoryEntry {
        event: stored.event,
        address,
        evidence,
        leaf_hash: stored.leaf_hash,
        retracted,
    })
}

impl Shared {
    /// What a decision now depends on besides consent.
    fn circumstances<'a>(
        &self,
        settings: &'a Settings,
        requirement: Requirement,
    ) -> Circumstances<'a> {
        Circumstances {
            now: self.environment.clock.now(),
            settings,
            requirement,
            quiet_until: None,
            capped_until: None,
            sender: SenderState::Sending,
        }
    }

    /// Answers from the gate index, and from the registers where the index passes.
    pub(super) fn screen(
        &self,
        workspace: WorkspaceId,
        question: &Question,
        recipients: &[Recipient],
    ) -> Result<Vec<Reasons>, StoreError> {
        let workspace = self.workspace(workspace)?;
        let settings = self.configuration(workspace.id)?.settings.at(self.environment.clock.now());
        let circumstances = self.circumstances(&settings, question.requirement);
        let mut screened =
            self.gate(workspace.no).screen(&question.message, &circumstances, recipients);
        for at in &screened.asks {
            if let (Some(recipient), Some(reasons)) =
                (recipients.get(*at), screened.reasons.get_mut(*at))
            {
                let registers = self.registers_now(&(workspace.no, recipient.key(&workspace)))?;
                *reasons = check(&registers, &question.message, &circumstances).reasons;
            }
        }
        let count = |of: usize| u64::try_from(of).unwrap_or(0);
        self.counters.asks.fetch_add(count(screened.asks.len()), Ordering::Relaxed);
        self.counters
            .answers
            .fetch_add(count(recipients.len() - screened.asks.len()), Ordering::Relaxed);
        Ok(screened.reasons)
    }

    /// What is, or was, known of an address.
    pub(super) fn registers_at(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        moment: Moment,
    ) -> Result<Arc<Registers>, StoreError> {
        let workspace = self.workspace(workspace)?;
        let place = (workspace.no, subject.key(&workspace.secrets.address_keys));
        let undone = &self.configuration(workspace.id)?.undone_imports;
        let (history, undone) = match moment {
            Moment::Now => return self.registers_now(&place),
            Moment::AsOf(then) => {
                let known = |event: &sayso_core::event::ConsentEvent| event.recorded_at <= then;
                (self.events_of(&place, known)?, self.undone_by(workspace.id, then)?)
            }
            Moment::EffectiveAt(then) => {
                // A retraction is not dated to then: what we know now is wrong was never right.
                let happened = |event: &sayso_core::event::ConsentEvent| {
                    event.occurred_at <= then
                        || matches!(event.fact, sayso_core::event::Fact::Retraction(_))
                };
                (self.events_of(&place, happened)?, undone.clone())
            }
        };
        Ok(Arc::new(Registers::fold(&history, &undone)))
    }

    fn events_of(
        &self,
        place: &super::Place,
        wanted: impl Fn(&sayso_core::event::ConsentEvent) -> bool,
    ) -> Result<Vec<sayso_core::event::ConsentEvent>, StoreError> {
        let rows = self.rows_of(place)?;
        self.ledger.read(|ledger| {
            let mut history = Vec::with_capacity(rows.len());
            for row in rows {
                history.push(events::read(ledger, row)?.event);
            }
            history.retain(|event| wanted(event));
            Ok(history)
        })
    }

    /// The imports that were undone by then.
    fn undone_by(
        &self,
        workspace: WorkspaceId,
        then: sayso_core::time::Timestamp,
    ) -> Result<std::collections::BTreeSet<sayso_core::id::ImportId>, StoreError> {
        let workspace = self.workspace(workspace)?;
        let vault = &workspace.secrets.vault;
        let changes = self.ledger.read(|ledger| events::changes(ledger, workspace.no, vault))?;
        let undone =
            changes.into_iter().filter(|(at, _)| *at <= then).filter_map(
                |(_, change)| match change {
                    crate::configuration::Change::UndoImport(id) => Some(id),
                    crate::configuration::Change::Settings(_)
                    | crate::configuration::Change::Sender(..)
                    | crate::configuration::Change::Topic(..)
                    | crate::configuration::Change::NoticeName(..)
                    | crate::configuration::Change::Notice(_)
                    | crate::configuration::Change::Site(..)
                    | crate::configuration::Change::Key(..) => None,
                },
            );
        Ok(undone.collect())
    }

    /// One page of an address's events, the newest first.
    pub(super) fn history(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        after: Option<u64>,
        items: usize,
    ) -> Result<HistoryPage, StoreError> {
        let workspace = self.workspace(workspace)?;
        let place = (workspace.no, subject.key(&workspace.secrets.address_keys));
        let registers = self.registers_now(&place)?;
        let undone = &self.configuration(workspace.id)?.undone_imports;
        let before = after.map_or(i64::MAX, |after| i64::try_from(after).unwrap_or(i64::MAX));
        let mut rows = self.rows_of(&place)?;
        rows.retain(|row| *row < before);
        rows.sort_unstable_by(|a, b| b.cmp(a));
        rows.dedup();
        let more = rows.len() > items;
        rows.truncate(items);
        let next = rows.last().filter(|_| more).and_then(|row| u64::try_from(*row).ok());
        let entries = self.ledger.read(|ledger| {
            rows.iter()
                .map(|row| entry(ledger, *row, &workspace, &registers, undone))
                .collect::<Result<Vec<_>, StoreError>>()
        })?;
        Ok(HistoryPage { entries, next })
    }

    /// One event of an address.
    pub(super) fn event_of(
        &self,
        workspace: WorkspaceId,
        key: AddressKey,
        event: EventId,
    ) -> Result<Option<HistoryEntry>, StoreError> {
        let workspace = self.workspace(workspace)?;
        let place = (workspace.no, key);
        // The tail first: what leaves it is in the views by then.
        let rows = match self.tail.row(&place, event) {
            Some(row) => vec![row],
            None => self.views.read(|views| views::may_hold(views, &place, event))?,
        };
        let registers = self.registers_now(&place)?;
        let undone = &self.configuration(workspace.id)?.undone_imports;
        self.ledger.read(|ledger| {
            let row = events::read_among(ledger, &rows, event)?;
            let row = row.filter(|row| row.event.key == key).map(|row| row.row);
            row.map(|row| entry(ledger, row, &workspace, &registers, undone)).transpose()
        })
    }

    /// One page of all addresses, in key order.
    pub(super) fn addresses(
        &self,
        workspace: WorkspaceId,
        after: Option<AddressKey>,
        items: usize,
    ) -> Result<Vec<KnownAddress>, StoreError> {
        let workspace = self.workspace(workspace)?;
        // The tail first: what leaves it is in the views by then.
        let mut keys = self.tail.keys_after(workspace.no, after);
        keys.extend(self.views.read(|views| views::keys_after(views, workspace.no, after, items))?);
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(items);
        let known = |key| {
            let registers = self.registers_now(&(workspace.no, key))?;
            Ok(KnownAddress { key, address: self.address_of(&workspace, key)?, registers })
        };
        keys.into_iter().map(known).collect()
    }

    /// The profile an address belongs to: the one linked first.
    pub(super) fn find_profile_by(
        &self,
        workspace: WorkspaceId,
        by: &Subject,
    ) -> Result<Option<Profile>, StoreError> {
        let workspace = self.workspace(workspace)?;
        let registers =
            self.registers_now(&(workspace.no, by.key(&workspace.secrets.address_keys)))?;
        let first: Option<ProfileId> =
            registers.links().min_by_key(|(_, link)| link.at).map(|(profile, _)| profile);
        first.map_or(Ok(None), |profile| self.profile(&workspace, profile))
    }

    /// One segment of an audience: of phones first, then of other addresses.
    pub(super) fn audience(
        &self,
        workspace: WorkspaceId,
        query: &AudienceQuery,
        after: AudienceCursor,
    ) -> Result<AudiencePage, StoreError> {
        let workspace = self.workspace(workspace)?;
        let settings = self.configuration(workspace.id)?.settings.at(self.environment.clock.now());
        let circumstances = self.circumstances(&settings, Requirement::OptIn);
        let gate = self.gate(workspace.no);
        let matches = |effective: &Effective| {
            let findings = effective.findings(&query.message)?;
            findings.consent?;
            Some(decide(&findings, &query.message, &circumstances).consent.status == query.status)
        };
        let wanted = |effective: &Effective| match effective.findings(&query.message) {
            Some(findings) if findings.consent.is_none() => Some(false),
            Some(_) => matches(effective),
            None => None,
        };
        let asked = |key: AddressKey| {
            let registers = self.registers_now(&(workspace.no, key))?;
            let decision = check(&registers, &query.message, &circumstances);
            Ok::<_, StoreError>(decision.consent.status == query.status)
        };
        let segment = usize::from(after.0);
        let mut members = Vec::new();
        if segment < limits::GATE_SEGMENTS {
            let selected = gate.phones_in(segment, circumstances.now, wanted);
            members.extend(
                selected.members.into_iter().map(|phone| Member { address: Address::Phone(phone) }),
            );
            for phone in selected.asks {
                let address = Address::Phone(phone);
                if asked(address.key(&workspace.secrets.address_keys))? {
                    members.push(Member { address });
                }
            }
        } else {
            let selected = gate.keys_in(segment - limits::GATE_SEGMENTS, circumstances.now, wanted);
            let mut keys = selected.members;
            for key in selected.asks {
                if asked(key)? {
                    keys.push(key);
                }
            }
            for key in keys {
                let address = self.address_of(&workspace, key)?;
                members.extend(address.map(|address| Member { address }));
            }
        }
        let is_last = segment + 1 >= 2 * limits::GATE_SEGMENTS;
        let next = (!is_last).then(|| AudienceCursor(after.0 + 1));
        Ok(AudiencePage { members, next })
    }
}
