//! Reading: the gate, what is known of an address, its history, audiences.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use sayso_core::address::phone::Phone;
use sayso_core::address::{Address, AddressKey};
use sayso_core::gate::decision::{Circumstances, Findings, Requirement, check, decide, findings};
use sayso_core::gate::reason::Reasons;
use sayso_core::gate::sender_health::Known;
use sayso_core::id::{EventId, ImportId, ProfileId, WorkspaceId};
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::state::account;
use sayso_core::state::effective::Effective;
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;

use super::events::LedgerRow;
use super::pacing::Pacer;
use super::past::Told;
use super::tail::Place;
use super::{Shared, Tenant, events, views};
use crate::store::{
    AudienceCursor, AudiencePage, AudienceQuery, HistoryEntry, HistoryPage, HistoryQuery,
    KnownAddress, Member, Moment, Profile, Question, Recipient, Retraction, StoreError,
};
use sayso_plan::draft::Subject;

impl Recipient {
    pub(super) fn key(self, workspace: &Tenant) -> AddressKey {
        match self {
            Self::Phone(phone) => Address::Phone(phone).key(&workspace.secrets.address_keys),
            Self::Key(key) | Self::Hashed(key) => key,
        }
    }

    /// The phone, where it is known.
    const fn phone(self) -> Option<Phone> {
        match self {
            Self::Phone(phone) => Some(phone),
            Self::Key(_) | Self::Hashed(_) => None,
        }
    }
}

pub(super) const fn phone_of(address: &Address) -> Option<Phone> {
    match address {
        Address::Phone(phone) => Some(*phone),
        Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => None,
    }
}

/// One event of an address with these registers.
fn entry(
    stored: LedgerRow,
    workspace: &Tenant,
    registers: &Registers,
    undone: &BTreeSet<ImportId>,
) -> HistoryEntry {
    let sealed = events::open_or_lose(&workspace.secrets.vault, &stored);
    let (address, evidence) = sealed.map_or((None, None), |s| (s.address, Some(s.evidence)));
    let is_out = registers.leaves_out(&stored.event)
        || stored.event.import.is_some_and(|import| undone.contains(&import));
    let retracted = if is_out { Retraction::Retracted } else { Retraction::Counts };
    HistoryEntry { event: stored.event, address, evidence, leaf_hash: stored.leaf_hash, retracted }
}

/// Whether these findings make somebody a member. Nobody is, of whom nothing is recorded that bears
/// on the message: the default holds for everybody else in the world too.
pub(super) fn is_member(
    findings: &Findings,
    query: &AudienceQuery,
    circumstances: &Circumstances<'_>,
) -> bool {
    let status = || decide(findings, &query.message, circumstances).consent.status;
    findings.consent.is_some() && status() == query.status
}

/// Segments of the index on one page of an audience: few people are spread over many segments.
const AUDIENCE_SEGMENTS: usize = 8;

impl Shared {
    /// What stands against a message for many people, quiet hours and caps among it.
    pub(super) fn screen(
        &self,
        workspace: WorkspaceId,
        question: &Question,
        recipients: &[Recipient],
    ) -> Result<Vec<Reasons>, StoreError> {
        let workspace = self.tenant(workspace)?;
        let now = self.environment.clock.now();
        let settings = self.model(workspace.id)?.settings.at(now);
        let mut reasons =
            self.screen_consent(&workspace, question, recipients, (&settings, now))?;
        if settings.paces(&question.message, now) {
            let mut pacer = Pacer::new(self, &workspace, &settings, now);
            for (recipient, reasons) in recipients.iter().zip(&mut reasons) {
                *reasons = reasons.or(pacer.pacing(question, *recipient)?.reasons(now));
            }
        }
        Ok(reasons)
    }

    /// What stands against a message besides quiet hours and caps: from the gate index, and from the
    /// registers where the index passes.
    pub(super) fn screen_consent(
        &self,
        workspace: &Tenant,
        question: &Question,
        recipients: &[Recipient],
        (settings, now): (&Settings, Timestamp),
    ) -> Result<Vec<Reasons>, StoreError> {
        let model = self.model(workspace.id)?;
        let sender = model.runtime.sender_state(&question.message, Known::all(now));
        let circumstances = Circumstances {
            sender,
            ..Circumstances::of_consent(settings, question.requirement, now)
        };
        let mut screened =
            self.gate(workspace.no).screen(&question.message, &circumstances, recipients);
        for at in &screened.asks {
            if let (Some(recipient), Some(reasons)) =
                (recipients.get(*at), screened.reasons.get_mut(*at))
            {
                let place = (workspace.no, recipient.key(workspace));
                let registers = self.registers_heard(workspace, recipient.phone(), &place)?;
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
        let workspace = self.tenant(workspace)?;
        let key = subject.key(&workspace.secrets.address_keys);
        let place = (workspace.no, key);
        let phone = match subject {
            Subject::Address(address) => phone_of(address),
            Subject::Hash(_) | Subject::Key(_) => None,
        };
        match self.past(&workspace, moment)? {
            None if phone.is_some() => self.registers_heard(&workspace, phone, &place),
            None if !self.may_know(&workspace, subject, &key) => Ok(Arc::default()),
            None => self.registers_now(&place),
            Some(past) => {
                let then = |place: &Place| {
                    Ok::<_, StoreError>(Arc::new(past.registers(&self.events_of(place)?)))
                };
                self.with_other_forms(&workspace, phone, then(&place)?, then)
            }
        }
    }

    /// What is known of an address as of now, and what the other forms of its number refuse.
    pub(super) fn registers_heard(
        &self,
        workspace: &Tenant,
        phone: Option<Phone>,
        place: &Place,
    ) -> Result<Arc<Registers>, StoreError> {
        let may_know = |phone| self.gate(workspace.no).may_know(&Address::Phone(phone), &place.1);
        let own = match phone {
            Some(phone) if !may_know(phone) => Arc::default(),
            Some(_) | None => self.registers_now(place)?,
        };
        self.with_other_forms(workspace, phone, own, |place| self.registers_now(place))
    }

    /// Adds what the other forms of a number refuse (rule 1).
    pub(super) fn with_other_forms(
        &self,
        workspace: &Tenant,
        phone: Option<Phone>,
        mut registers: Arc<Registers>,
        read: impl Fn(&Place) -> Result<Arc<Registers>, StoreError>,
    ) -> Result<Arc<Registers>, StoreError> {
        for form in phone.map(Phone::other_forms).unwrap_or_default() {
            let address = Address::Phone(form);
            let key = address.key(&workspace.secrets.address_keys);
            if !self.gate(workspace.no).may_know(&address, &key) {
                continue;
            }
            let other = read(&(workspace.no, key))?;
            if !other.is_empty() {
                account::hear(Arc::make_mut(&mut registers), key, &other);
            }
        }
        Ok(registers)
    }

    /// One page of an address's events, the newest first.
    pub(super) fn history(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        query: &HistoryQuery,
    ) -> Result<HistoryPage, StoreError> {
        let workspace = self.tenant(workspace)?;
        let place = (workspace.no, subject.key(&workspace.secrets.address_keys));
        let Told { mut rows, registers, undone } = match self.past(&workspace, query.moment)? {
            None => self.told_until_now(&workspace, &place)?,
            Some(past) => past.told(&self.events_of(&place)?),
        };
        if rows.is_empty()
            && let Subject::Address(address) = subject
            && self.has_lost(&place, address)?
        {
            let lost = StoreError::Corrupt { table: "address", id: place.1.to_string() };
            self.note_damage(&lost);
            return Err(lost);
        }
        let before = query.after.map_or(i64::MAX, |after| i64::try_from(after).unwrap_or(i64::MAX));
        rows.retain(|row| *row < before);
        let more = rows.len() > query.items;
        rows.truncate(query.items);
        let next = rows.last().filter(|_| more).and_then(|row| u64::try_from(*row).ok());
        let entries = self.ledger.read(|ledger| {
            let stored = |row: &i64| events::read(ledger, &place, *row);
            let entry = |row| Ok(entry(stored(row)?, &workspace, &registers, &undone));
            rows.iter().map(entry).collect::<Result<Vec<_>, StoreError>>()
        });
        let entries = entries.inspect_err(|error| self.note_damage(error))?;
        Ok(HistoryPage { entries, next })
    }

    /// What was ever told of an address.
    fn told_until_now(&self, workspace: &Tenant, place: &Place) -> Result<Told, StoreError> {
        let registers = self.registers_now(place)?;
        let undone = self.model(workspace.id)?.runtime.undone_imports.clone();
        Ok(Told { rows: self.newest_rows_of(place)?, registers, undone })
    }

    /// Whether the views lost what the gate knows of an address. The writer tells the gate before the tail, so
    /// this is looked at while it tells neither.
    fn has_lost(&self, place: &Place, address: &Address) -> Result<bool, StoreError> {
        let is_known = || self.gate(place.0).knows(address, &place.1);
        if !is_known() {
            return Ok(false);
        }
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(is_known() && self.rows_of(place)?.is_empty())
    }

    /// The rows about an address, the newest first.
    pub(super) fn newest_rows_of(&self, place: &Place) -> Result<Vec<i64>, StoreError> {
        let mut rows = self.rows_of(place)?;
        rows.sort_unstable_by(|a, b| b.cmp(a));
        rows.dedup();
        Ok(rows)
    }

    /// One event of an address.
    pub(super) fn event_of(
        &self,
        workspace: WorkspaceId,
        key: AddressKey,
        event: EventId,
    ) -> Result<Option<HistoryEntry>, StoreError> {
        let workspace = self.tenant(workspace)?;
        let place = (workspace.no, key);
        // The tail first: what leaves it is in the views by then.
        let rows = match self.tail.row(&place, event) {
            Some(row) => vec![row],
            None => self.read_views(|views| views::may_hold(views, &place, event))?,
        };
        let registers = self.registers_now(&place)?;
        let undone = &self.model(workspace.id)?.runtime.undone_imports;
        let found = self.ledger.read(|ledger| events::read_among(ledger, &place, &rows, event));
        let found = found.inspect_err(|error| self.note_damage(error))?;
        let found = found.filter(|row| row.event.key == key);
        Ok(found.map(|row| entry(row, &workspace, &registers, undone)))
    }

    /// One page of all addresses, in key order.
    pub(super) fn addresses(
        &self,
        workspace: WorkspaceId,
        after: Option<AddressKey>,
        items: usize,
    ) -> Result<Vec<KnownAddress>, StoreError> {
        let workspace = self.tenant(workspace)?;
        let known = |key| {
            let registers = self.registers_now(&(workspace.no, key))?;
            Ok(KnownAddress { key, address: self.address_of(&workspace, key)?, registers })
        };
        self.keys_after(&workspace, after, items)?.into_iter().map(known).collect()
    }

    /// The next keys of a workspace, in their order.
    pub(super) fn keys_after(
        &self,
        workspace: &Tenant,
        after: Option<AddressKey>,
        items: usize,
    ) -> Result<Vec<AddressKey>, StoreError> {
        // The tail first: what leaves it is in the views by then.
        let mut keys = self.tail.keys_after(workspace.no, after);
        keys.extend(self.read_views(|views| views::keys_after(views, workspace.no, after, items))?);
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(items);
        Ok(keys)
    }

    /// The profile an address belongs to: the one linked first.
    pub(super) fn find_profile_by(
        &self,
        workspace: WorkspaceId,
        by: &Subject,
    ) -> Result<Option<Profile>, StoreError> {
        let workspace = self.tenant(workspace)?;
        let registers =
            self.registers_now(&(workspace.no, by.key(&workspace.secrets.address_keys)))?;
        let first: Option<ProfileId> =
            registers.links().min_by_key(|(_, link)| link.at).map(|(profile, _)| profile);
        first.map_or(Ok(None), |profile| self.profile(&workspace, profile))
    }

    /// One page of an audience.
    pub(super) fn audience(
        &self,
        workspace: WorkspaceId,
        query: &AudienceQuery,
        after: AudienceCursor,
    ) -> Result<AudiencePage, StoreError> {
        let workspace = self.tenant(workspace)?;
        match self.past(&workspace, query.moment)? {
            None => self.audience_now(&workspace, query, after),
            Some(past) => self.past_audience(&workspace, query, &past, after),
        }
    }

    /// Some segments of the audience of now: of phones first, then of other addresses.
    fn audience_now(
        &self,
        workspace: &Tenant,
        query: &AudienceQuery,
        after: AudienceCursor,
    ) -> Result<AudiencePage, StoreError> {
        let now = self.environment.clock.now();
        let settings = self.model(workspace.id)?.settings.at(now);
        let circumstances = Circumstances::of_consent(&settings, Requirement::OptIn, now);
        let gate = self.gate(workspace.no);
        let wanted = |effective: &Effective| {
            let findings = effective.findings(&query.message)?;
            Some(is_member(&findings, query, &circumstances))
        };
        let asked = |phone: Option<Phone>, key: AddressKey| {
            let registers = self.registers_heard(workspace, phone, &(workspace.no, key))?;
            let found = findings(&registers, &query.message, now);
            Ok::<_, StoreError>(is_member(&found, query, &circumstances))
        };
        let number = match after {
            AudienceCursor::Segment(number) => number,
            AudienceCursor::Beginning | AudienceCursor::After(_) => 0,
        };
        let first = usize::from(number);
        let end = (first + AUDIENCE_SEGMENTS).min(2 * limits::GATE_SEGMENTS);
        let mut members = Vec::new();
        for segment in first..end {
            if segment < limits::GATE_SEGMENTS {
                let selected = gate.phones_in(segment, now, wanted);
                members.extend(
                    selected
                        .members
                        .into_iter()
                        .map(|phone| Member { address: Address::Phone(phone) }),
                );
                for phone in selected.asks {
                    let address = Address::Phone(phone);
                    if asked(Some(phone), address.key(&workspace.secrets.address_keys))? {
                        members.push(Member { address });
                    }
                }
                continue;
            }
            let selected = gate.keys_in(segment - limits::GATE_SEGMENTS, now, wanted);
            let mut keys = selected.members;
            for key in selected.asks {
                if asked(None, key)? {
                    keys.push(key);
                }
            }
            for key in keys {
                let address = self.address_of(workspace, key)?;
                members.extend(address.map(|address| Member { address }));
            }
        }
        let is_last = end == 2 * limits::GATE_SEGMENTS;
        let next = u16::try_from(end).ok().filter(|_| !is_last).map(AudienceCursor::Segment);
        Ok(AudiencePage { members, next })
    }
}
