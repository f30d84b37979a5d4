//! What a use case does inside a commit group: load, append, stage.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use hashbrown::HashMap;
use rusqlite::Connection;
use sayso_core::address::{Address, AddressKey};
use sayso_core::canonical::Canonical;
use sayso_core::id::{EventId, ProfileId, SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_core::state::account;
use sayso_core::state::capture::{self};
use sayso_core::state::guard::{Guard, Guarded};
use sayso_core::state::lifting::lifted_by;
use sayso_core::state::register::{Claims, Mark};
use sayso_core::state::registers::{Joined, Registers};
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::Permission;
use sayso_core::words::event::{ConsentEvent, Fact, Sealed};
use sayso_core::words::event_id::is_keyed;
use sayso_core::words::source::{Actor, Evidence, Road};
use sayso_core::words::statement::{Slot, Statement};

use super::accounts::{Due, is_no_new_account};
use super::events::{self, LedgerRow, NewRow};
use super::gate::Gate;
use super::tail::{Entry, Frame, Place, SealedAddress, WorkspaceNo};
use super::views::{self, ProfileState};
use super::{Shared, Tenant, unwritable};
use crate::codec::LogEntry;
use crate::configure::Configured;
use crate::store::{Outcome, Recorded, StoreError};
use sayso_core::workspace::{Revision, RuntimeFact, Workspace};
use sayso_plan::draft::{Dating, Draft, Subject};

/// One address as the group sees it.
struct Working {
    registers: Arc<Registers>,
    /// The address in clear, if known.
    address: Option<Address>,
    /// Whether a row existed whose address nobody knew.
    addressless: Addressless,
    sealed: SealedAddress,
    rows: Vec<(EventId, i64)>,
    change: Change,
}

/// Whether a group changed an address or only looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Looked,
    Changed,
}

/// Whether the gate counts a key as one without an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Addressless {
    Counted,
    Not,
}

/// What a caller's thread read of the views before it queued; good while `flushed` stands.
#[derive(Clone, Debug)]
pub(super) struct Hint {
    pub(super) flushed: u64,
    pub(super) row: Option<Arc<Registers>>,
    pub(super) sealed: Option<Vec<u8>>,
    /// The rows among which the event is, if it is stored.
    pub(super) event: Vec<i64>,
}

/// A draft with what the caller's thread could do for the writer.
pub(super) struct Prepared {
    pub(super) draft: Draft,
    pub(super) key: AddressKey,
    pub(super) sealed: Sealed,
    pub(super) sealed_bytes: Vec<u8>,
    /// The address as the views keep it, if it seemed to be new.
    pub(super) sealed_address: Option<Arc<[u8]>>,
    pub(super) hint: Option<Hint>,
}

/// An address as its event tells it, and sealed if the caller's thread did that.
#[derive(Clone, Copy)]
struct Told<'a> {
    address: &'a Address,
    sealed: Option<&'a Arc<[u8]>>,
}

impl Prepared {
    fn told(&self) -> Option<Told<'_>> {
        let address = self.sealed.address.as_ref()?;
        Some(Told { address, sealed: self.sealed_address.as_ref() })
    }
}

/// The transaction of a group.
pub(super) struct Group<'a> {
    shared: &'a Shared,
    ledger: &'a Connection,
    addresses: HashMap<Place, Working>,
    profiles: HashMap<(i64, ProfileId), Arc<ProfileState>>,
    keyed: HashMap<(i64, EventId), i64>,
    events: usize,
    models: BTreeMap<WorkspaceId, Arc<Workspace>>,
    tenants: Vec<Arc<Tenant>>,
    signaled: Vec<Signaled>,
    next_row: i64,
    last_row: i64,
    last_recorded: Timestamp,
    dues: Vec<Due>,
}

/// Whose open claims were decided on what is no longer so.
#[derive(Clone, Copy, Debug)]
enum Signaled {
    /// Those of a sender that something was said of.
    Sender(WorkspaceNo, SenderId),
    /// Those of a workspace in which everybody may be decided otherwise.
    Workspace(WorkspaceNo),
}

impl Signaled {
    /// Whom an entry of a workspace's log concerns; nobody where it bears on no decision, or only on
    /// those of messages that are not yet asked for.
    const fn by(workspace: WorkspaceNo, entry: &LogEntry) -> Option<Self> {
        use sayso_core::workspace::Change as Of;
        match entry {
            LogEntry::Fact(RuntimeFact::Signal(sender, _)) => {
                Some(Self::Sender(workspace, *sender))
            }
            LogEntry::Change(Of::Settings(_))
            | LogEntry::Fact(RuntimeFact::Template(..) | RuntimeFact::UndoneImport(_)) => {
                Some(Self::Workspace(workspace))
            }
            LogEntry::Change(
                Of::Sender(..)
                | Of::Connection(..)
                | Of::Topic(..)
                | Of::Rule(..)
                | Of::NoticeName(..)
                | Of::Notice(_)
                | Of::Site(..)
                | Of::Key(..)
                | Of::EntryPoint(..)
                | Of::LinkKey(_)
                | Of::Form(..),
            )
            | LogEntry::Fact(RuntimeFact::HeldRefusals(..)) => None,
        }
    }
}

/// What a committed group changed.
pub(super) struct Staged {
    addresses: HashMap<Place, Working>,
    profiles: HashMap<(i64, ProfileId), Arc<ProfileState>>,
    keyed: HashMap<(i64, EventId), i64>,
    events: usize,
    models: BTreeMap<WorkspaceId, Arc<Workspace>>,
    tenants: Vec<Arc<Tenant>>,
    signaled: Vec<Signaled>,
    next_row: i64,
    last_row: i64,
    last_recorded: Timestamp,
}

/// Whether the personal part of an erasure is its reason and nothing else: one of an earlier release
/// holds an address. One that does not open holds nothing for anybody.
fn keeps_reason(workspace: &Tenant, row: &LedgerRow) -> bool {
    let Ok(Some(sealed)) = events::open(&workspace.secrets.vault, row) else { return false };
    let method = sealed.evidence.method.clone();
    let keeps = method.is_some();
    let evidence = Evidence { method, ..Evidence::default() };
    keeps && sealed == Sealed { evidence, salt: sealed.salt, ..Sealed::default() }
}

/// What the store adds to a draft.
pub(super) trait Storing {
    /// The answer where nothing is stored.
    fn left_out(&self, outcome: Outcome, registers: Arc<Registers>, now: Timestamp) -> Recorded;

    /// Seals the personal part, in the caller's thread.
    fn prepare(
        self,
        workspace: &Tenant,
        shared: &Shared,
        key: AddressKey,
        hint: Option<Hint>,
    ) -> Prepared;
}

impl Storing for Draft {
    fn left_out(&self, outcome: Outcome, registers: Arc<Registers>, now: Timestamp) -> Recorded {
        let at = self.occurred_at.min(now);
        let Self { id, fact, .. } = *self;
        Recorded { id, outcome, fact, occurred_at: at, recorded_at: at, registers }
    }

    fn prepare(
        self,
        workspace: &Tenant,
        shared: &Shared,
        key: AddressKey,
        hint: Option<Hint>,
    ) -> Prepared {
        let address = match &self.subject {
            Subject::Address(address) => Some(address.clone()),
            Subject::Hash(_) | Subject::Key(_) => None,
        };
        let salt = shared.environment.random();
        let sealed = if self.fact == Fact::Erasure {
            // It destroys everything personal, and keeps why it was done.
            let evidence = Evidence { method: self.evidence.method.clone(), ..Evidence::default() };
            Sealed { evidence, salt, ..Sealed::default() }
        } else {
            let (evidence, attributes) = (self.evidence.clone(), self.attributes.clone());
            Sealed { address, evidence, attributes, salt }
        };
        let sealed_bytes =
            events::seal(&workspace.secrets.vault, &self.id, &sealed, &shared.environment);
        let is_new = hint.as_ref().is_some_and(|hint| hint.sealed.is_none());
        let sealed_address = sealed.address.as_ref().filter(|_| is_new).map(|address| {
            let vault = &workspace.secrets.vault;
            views::seal_address(vault, &key, address, &shared.environment).into()
        });
        Prepared { draft: self, key, sealed, sealed_bytes, sealed_address, hint }
    }
}

impl<'a> Group<'a> {
    pub(super) fn new(shared: &'a Shared, ledger: &'a Connection) -> Self {
        let position = shared.position();
        Self {
            shared,
            ledger,
            addresses: HashMap::new(),
            profiles: HashMap::new(),
            keyed: HashMap::new(),
            events: 0,
            models: BTreeMap::new(),
            tenants: Vec::new(),
            signaled: Vec::new(),
            next_row: position.next_row,
            last_row: 0,
            last_recorded: position.last_recorded,
            dues: Vec::new(),
        }
    }

    pub(super) fn into_staged(self) -> Staged {
        Staged {
            addresses: self.addresses,
            profiles: self.profiles,
            keyed: self.keyed,
            events: self.events,
            models: self.models,
            tenants: self.tenants,
            signaled: self.signaled,
            next_row: self.next_row,
            last_row: self.last_row,
            last_recorded: self.last_recorded,
        }
    }

    /// What the store's parts share.
    pub(super) fn shared(&self) -> &'a Shared {
        self.shared
    }

    /// The addresses whose accounts are to be settled before the use case is done.
    pub(super) fn dues(&mut self) -> &mut Vec<Due> {
        &mut self.dues
    }

    /// The ledger, inside the group's transaction.
    pub(super) fn ledger(&self) -> &'a Connection {
        self.ledger
    }

    /// The next time to record at: the clock's, but later than the last (rule 2).
    pub(super) fn tick(&mut self) -> Timestamp {
        let now = self.shared.environment.clock.now();
        let next = now.max(self.last_recorded.plus(Span::micros(1)));
        self.last_recorded = next;
        next
    }

    /// The time now, for what is judged and not written.
    fn now(&self) -> Timestamp {
        self.shared.environment.clock.now().max(self.last_recorded)
    }

    /// The registers of an address as of now, what this group staged included.
    pub(super) fn registers(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
    ) -> Result<Arc<Registers>, StoreError> {
        Ok(Arc::clone(&self.working(workspace, key, None, None)?.registers))
    }

    /// What is known of an address, and what the other forms of its number refuse (rule 1).
    fn heard(
        &mut self,
        workspace: &Tenant,
        subject: &Subject,
        mut registers: Arc<Registers>,
    ) -> Result<Arc<Registers>, StoreError> {
        let Subject::Address(Address::Phone(phone)) = subject else { return Ok(registers) };
        for form in phone.other_forms() {
            let address = Address::Phone(form);
            let key = address.key(&workspace.secrets.address_keys);
            let is_staged = self.addresses.contains_key(&(workspace.no, key));
            if !is_staged && !self.shared.gate(workspace.no).may_know(&address, &key) {
                continue;
            }
            let other = self.registers(workspace, key)?;
            if !other.is_empty() {
                account::hear(Arc::make_mut(&mut registers), key, &other);
            }
        }
        Ok(registers)
    }

    /// The address of a key, if it is known.
    pub(super) fn address(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
    ) -> Result<Option<Address>, StoreError> {
        Ok(self.working(workspace, key, None, None)?.address.clone())
    }

    /// Loads an address into the group: staged, else the tail's, else the views'.
    fn working(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        hint: Option<&Hint>,
        told: Option<Told<'_>>,
    ) -> Result<&mut Working, StoreError> {
        let place = (workspace.no, key);
        if !self.addresses.contains_key(&place) {
            let loaded = self.load(workspace, key, hint, told)?;
            self.addresses.insert(place, loaded);
        }
        let shared = self.shared;
        let working = self.addresses.entry(place).or_insert_with(Working::empty);
        if let (None, Some(told)) = (&working.address, told) {
            let seal = |address| -> Arc<[u8]> {
                let vault = &workspace.secrets.vault;
                views::seal_address(vault, &key, address, &shared.environment).into()
            };
            let sealed = told.sealed.cloned().unwrap_or_else(|| seal(told.address));
            working.sealed = SealedAddress::Known(sealed);
            working.address = Some(told.address.clone());
        }
        Ok(working)
    }

    fn load(
        &self,
        workspace: &Tenant,
        key: AddressKey,
        hint: Option<&Hint>,
        told: Option<Told<'_>>,
    ) -> Result<Working, StoreError> {
        let place = (workspace.no, key);
        let tail = &self.shared.tail;
        let in_tail = tail.registers(&place)?;
        let tail_says = tail.sealed_address(&place);
        let current = hint.filter(|hint| hint.flushed == tail.flushed());
        let row = match (&in_tail, &tail_says, current) {
            (Some(_), Some(_), _) => None,
            (_, _, Some(hint)) => hint
                .row
                .clone()
                .map(|registers| views::AddressRow { registers, sealed: hint.sealed.clone() }),
            (_, _, None) => self.shared.read_views(|views| views::find_address(views, &place))?,
        };
        let stored = match tail_says {
            Some(SealedAddress::Known(sealed)) => Some(sealed.to_vec()),
            Some(SealedAddress::Forgotten) => None,
            Some(SealedAddress::Unchanged) | None => {
                row.as_ref().and_then(|row| row.sealed.clone())
            }
        };
        // Views that lost a row would make a refusal of it be forgotten.
        if let (None, None, Some(told), Some(_)) = (&in_tail, &row, told, hint)
            && self.shared.gate(workspace.no).knows(told.address, &key)
        {
            let lost = StoreError::Corrupt { table: "address", id: key.to_string() };
            self.shared.note_damage(&lost);
            return Err(lost);
        }
        // The text of a known address is opened only where nobody told it.
        let address = match (stored, told) {
            (Some(_), Some(told)) => Some(told.address.clone()),
            (Some(sealed), None) => {
                let opened = views::open_address(&workspace.secrets.vault, &key, &sealed);
                Some(opened.inspect_err(|error| self.shared.note_damage(error))?)
            }
            (None, _) => None,
        };
        let registers = in_tail.or_else(|| row.map(|row| row.registers));
        let addressless = match (&registers, &address) {
            (Some(registers), None) if !registers.is_empty() => Addressless::Counted,
            (Some(_) | None, _) => Addressless::Not,
        };
        let registers = registers.unwrap_or_default();
        Ok(Working {
            registers,
            address,
            addressless,
            sealed: SealedAddress::Unchanged,
            rows: Vec::new(),
            change: Change::Looked,
        })
    }

    /// An event of this address, or of its key, if it is stored or staged.
    pub(super) fn find_event(
        &self,
        workspace: &Tenant,
        key: AddressKey,
        id: EventId,
        hint: Option<&Hint>,
    ) -> Result<Option<LedgerRow>, StoreError> {
        let place = (workspace.no, key);
        let staged = if is_keyed(&id) {
            self.keyed.get(&(workspace.no, id)).copied()
        } else {
            let rows = self.addresses.get(&place).map(|working| working.rows.as_slice());
            rows.and_then(|rows| rows.iter().find(|(held, _)| *held == id)).map(|(_, row)| *row)
        };
        if let Some(row) = staged.or_else(|| self.shared.tail.row(&place, id)) {
            return events::read_among(self.ledger, &place, &[row], id);
        }
        let current = hint.filter(|hint| hint.flushed == self.shared.tail.flushed());
        let rows = match current {
            Some(hint) => hint.event.clone(),
            None => self.shared.read_views(|views| views::may_hold(views, &place, id))?,
        };
        let found = events::read_among(self.ledger, &place, &rows, id);
        found.inspect_err(|error| self.shared.note_damage(error))
    }

    /// Appends one event, unless it was stored before or says nothing new. What is known of its address
    /// then is told with what the other forms of a number refuse.
    pub(super) fn append(
        &mut self,
        workspace: &Tenant,
        prepared: &Prepared,
    ) -> Result<Recorded, StoreError> {
        let recorded = self.append_one(workspace, prepared)?;
        let registers = self.heard(workspace, &prepared.draft.subject, recorded.registers)?;
        Ok(Recorded { registers, ..recorded })
    }

    fn append_one(
        &mut self,
        workspace: &Tenant,
        prepared: &Prepared,
    ) -> Result<Recorded, StoreError> {
        let Prepared { draft, key, hint, .. } = prepared;
        let registers =
            Arc::clone(&self.working(workspace, *key, hint.as_ref(), prepared.told())?.registers);
        if let Some(known) = self.find_event(workspace, *key, draft.id, hint.as_ref())? {
            let outcome =
                if known.request == draft.request { Outcome::Retried } else { Outcome::KeyReused };
            let ConsentEvent { fact, occurred_at, recorded_at, .. } = known.event;
            let id = draft.id;
            return Ok(Recorded { id, outcome, fact, occurred_at, recorded_at, registers });
        }
        if let Some(import) = draft.import
            && self.model(workspace)?.runtime.is_decided(import)
        {
            return Err(StoreError::Decided);
        }
        if let Some(own) = as_the_sites_own(draft, &registers) {
            let own = own.prepare(workspace, self.shared, *key, hint.clone());
            return self.append_one(workspace, &own);
        }
        if says_nothing_new(draft, &registers) && !self.vouches(workspace, prepared, &registers)? {
            return Ok(draft.left_out(Outcome::Repeated, registers, self.now()));
        }
        let now = self.now();
        if let Some(tick) = self.outrunning(workspace, prepared, &registers, now)? {
            // On equal times the refusal wins.
            let refusal = Draft { occurred_at: tick, ..draft.clone() };
            let refusal = refusal.prepare(workspace, self.shared, *key, hint.clone());
            return self.append_new(workspace, &refusal);
        }
        let heard = self.heard(workspace, &draft.subject, Arc::clone(&registers))?;
        match draft.guard.judge(&draft.event(*key, now), &heard, now) {
            Guarded::Stands => self.append_new(workspace, prepared),
            Guarded::Doubted(doubt) => {
                let weaker = draft.clone().doubted(doubt);
                let weaker = weaker.prepare(workspace, self.shared, *key, hint.clone());
                self.append_new(workspace, &weaker)
            }
            Guarded::Withheld if self.lifts_unproven_alone(workspace, prepared, &heard, now)? => {
                self.append_new(workspace, prepared)
            }
            Guarded::Withheld => Ok(draft.left_out(Outcome::Withheld, registers, now)),
        }
    }

    /// Whether a report repeats a no of its source that nobody vouched for, and is vouched for: it stands
    /// where the other is retracted.
    fn vouches(
        &self,
        workspace: &Tenant,
        Prepared { draft, key, .. }: &Prepared,
        registers: &Registers,
    ) -> Result<bool, StoreError> {
        let Fact::Consent(permission, Statement::No) = draft.fact else { return Ok(false) };
        let said = registers.of(permission).and_then(|known| known.report_of(&draft.source));
        let Some(no) = said.and_then(Claims::counting_no) else { return Ok(false) };
        if draft.actor == Actor::Visitor {
            return Ok(false);
        }
        let before = self.find_event(workspace, *key, no.event, None)?;
        Ok(before.is_some_and(|before| before.event.is_unproven()))
    }

    /// Whether a yes that nobody vouches for would lift only what nobody vouches for.
    fn lifts_unproven_alone(
        &self,
        workspace: &Tenant,
        Prepared { draft, key, .. }: &Prepared,
        heard: &Registers,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Guard::LiftsUnproven(message) = draft.guard else { return Ok(false) };
        for lifted in lifted_by(heard, &draft.event(*key, now), &message, now) {
            let found = self.find_event(workspace, *key, lifted.mark.event, None)?;
            if !found.is_some_and(|found| found.event.is_unproven()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// When the last tick was made that nobody vouches for and that would outrun a refusal: one dated after
    /// it, while the refusal was on its way. What a refusal claims of its time is read for the refusal.
    fn outrunning(
        &mut self,
        workspace: &Tenant,
        Prepared { draft, key, .. }: &Prepared,
        registers: &Registers,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let Fact::Consent(permission, Statement::OptOut) = draft.fact else { return Ok(None) };
        let said = draft.occurred_at;
        let is_on_its_way = said < now && said >= now.minus(limits::CLOCK_AHEAD_MAX);
        if !is_on_its_way || draft.import.is_some() {
            return Ok(None);
        }
        let covered: Vec<Mark> = match permission {
            Permission::Messages(channel, scope) => registers
                .on_channel(channel)
                .filter(|(inner, _)| scope.covers(*inner))
                .filter_map(|(_, register)| register.act(Slot::Single).copied())
                .collect(),
            Permission::Processing => {
                registers.processing().act(Slot::Single).copied().into_iter().collect()
            }
        };
        let mut last = None;
        for mark in covered.into_iter().filter(|mark| mark.at > said) {
            let row = self.find_event(workspace, *key, mark.event, None)?;
            let road = row.map(|row| row.event.source.road);
            if matches!(road, Some(Road::Form | Road::EntryPoint)) {
                last = last.max(Some(mark.at));
            }
        }
        Ok(last)
    }

    /// What is known of a draft that is not written.
    pub(super) fn leave_out(
        &mut self,
        workspace: &Tenant,
        prepared: &Prepared,
        outcome: Outcome,
    ) -> Result<Recorded, StoreError> {
        let registers = self.registers(workspace, prepared.key)?;
        Ok(prepared.draft.left_out(outcome, registers, self.now()))
    }

    fn append_new(
        &mut self,
        workspace: &Tenant,
        prepared: &Prepared,
    ) -> Result<Recorded, StoreError> {
        let Prepared { draft, key, .. } = prepared;
        let event = draft.event(*key, self.tick());
        let facts = event.facts();
        let leaf_hash = event.leaf_hash(workspace.id, &facts, &prepared.sealed);
        let row = self.next_row;
        let (request, sealed) = (&draft.request, &prepared.sealed_bytes[..]);
        let new = NewRow {
            row,
            workspace: workspace.no,
            event: &event,
            request,
            leaf_hash: &leaf_hash,
            facts: &facts,
            sealed,
        };
        events::append(self.ledger, &new).map_err(|error| unwritable(&error))?;
        self.next_row += 1;
        self.last_row = row;
        self.take_in(workspace, &event, row, &prepared.sealed)?;
        self.discard_where_refused(workspace, &event)?;
        let registers = self.registers(workspace, *key)?;
        self.note_account(workspace, &event, &registers);
        Ok(Recorded {
            id: draft.id,
            outcome: Outcome::Appended,
            fact: event.fact,
            occurred_at: event.occurred_at,
            recorded_at: event.recorded_at,
            registers,
        })
    }

    /// Takes in a row that the ledger holds beyond the views.
    pub(super) fn replay(&mut self, workspace: &Tenant, row: &LedgerRow) -> Result<(), StoreError> {
        let vault = &workspace.secrets.vault;
        let sealed = events::open_whole(workspace.id, vault, row)?.unwrap_or_default();
        self.last_row = row.row;
        if !may_destroy(row.event.fact) {
            return self.take_in(workspace, &row.event, row.row, &sealed);
        }
        let key = row.event.key;
        let before: Vec<ProfileId> =
            self.registers(workspace, key)?.links().map(|(profile, _)| profile).collect();
        self.take_in(workspace, &row.event, row.row, &sealed)?;
        if row.event.fact == Fact::Erasure {
            self.forget_address(workspace, key)?;
        }
        self.replay_destruction(workspace, key, before)
    }

    /// Takes an event of the ledger into the staged state.
    fn take_in(
        &mut self,
        workspace: &Tenant,
        event: &ConsentEvent,
        row: i64,
        sealed: &Sealed,
    ) -> Result<(), StoreError> {
        self.events += 1;
        if is_keyed(&event.id) {
            self.keyed.insert((workspace.no, event.id), row);
        }
        let is_undone = match event.import {
            None => false,
            Some(import) => self.model(workspace)?.runtime.undone_imports.contains(&import),
        };
        let told = sealed.address.as_ref().map(|address| Told { address, sealed: None });
        let shared = self.shared;
        let working = self.working(workspace, event.key, None, told)?;
        if let (SealedAddress::Forgotten, Some(told)) = (&working.sealed, &sealed.address) {
            // Who was erased comes back in the same group.
            let vault = &workspace.secrets.vault;
            let sealed = views::seal_address(vault, &event.key, told, &shared.environment);
            working.sealed = SealedAddress::Known(sealed.into());
        }
        working.rows.push((event.id, row));
        working.change = Change::Changed;
        let before: Vec<ProfileId> =
            working.registers.links().map(|(profile, _)| profile).collect();
        if is_undone {
            return Ok(());
        }
        if Arc::make_mut(&mut working.registers).join(event) == Joined::NeedsHistory {
            self.refold(workspace, event.key)?;
        }
        self.relink(workspace, event.key, &before)?;
        if let Fact::Attributes(profile) = event.fact {
            let mark = Mark { ends_at: None, at: event.occurred_at, event: event.id };
            self.profile(workspace, profile)?.join(&sealed.attributes, mark);
        }
        Ok(())
    }

    /// Folds an address anew, leaving out an import that was undone.
    pub(super) fn refold_without_undone(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
    ) -> Result<(), StoreError> {
        let before: Vec<ProfileId> =
            self.registers(workspace, key)?.links().map(|(profile, _)| profile).collect();
        self.refold(workspace, key)?;
        self.working(workspace, key, None, None)?.change = Change::Changed;
        self.relink(workspace, key, &before)?;
        self.discard_if_refused(workspace, key, self.last_recorded)?;
        self.note_refolded(workspace, key)
    }

    /// Folds an address anew from all its rows.
    fn refold(&mut self, workspace: &Tenant, key: AddressKey) -> Result<(), StoreError> {
        let history: Vec<ConsentEvent> =
            self.rows(workspace, key)?.into_iter().map(|row| row.event).collect();
        let model = self.model(workspace)?;
        let registers = Arc::new(Registers::fold(&history, &model.runtime.undone_imports));
        self.working(workspace, key, None, None)?.registers = registers;
        Ok(())
    }

    /// A workspace's configuration, what this group staged included.
    pub(super) fn model(&self, workspace: &Tenant) -> Result<Arc<Workspace>, StoreError> {
        match self.models.get(&workspace.id) {
            Some(staged) => Ok(Arc::clone(staged)),
            None => self.shared.model(workspace.id),
        }
    }

    /// All rows of the ledger about an address.
    pub(super) fn rows(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let place = (workspace.no, key);
        let mut rows = self.shared.rows_of(&place)?;
        rows.extend(self.working(workspace, key, None, None)?.rows.iter().map(|(_, row)| *row));
        rows.sort_unstable();
        rows.dedup();
        let read = |row| events::read(self.ledger, &place, row);
        let read: Result<Vec<_>, _> = rows.into_iter().map(read).collect();
        read.inspect_err(|error| self.shared.note_damage(error))
    }

    /// Brings the profiles' lists of addresses in line with an address's links.
    fn relink(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        before: &[ProfileId],
    ) -> Result<(), StoreError> {
        let after: Vec<ProfileId> =
            self.registers(workspace, key)?.links().map(|(profile, _)| profile).collect();
        for profile in after.iter().filter(|profile| !before.contains(profile)) {
            self.profile(workspace, *profile)?.addresses.insert(key);
        }
        for profile in before.iter().filter(|profile| !after.contains(profile)) {
            self.profile(workspace, *profile)?.addresses.remove(&key);
        }
        Ok(())
    }

    /// A profile as of now, to be read or changed.
    pub(super) fn profile(
        &mut self,
        workspace: &Tenant,
        id: ProfileId,
    ) -> Result<&mut ProfileState, StoreError> {
        let place = (workspace.no, id);
        if !self.profiles.contains_key(&place) {
            let found = self.shared.find_profile(workspace, id)?.unwrap_or_default();
            self.profiles.insert(place, found);
        }
        Ok(Arc::make_mut(self.profiles.entry(place).or_default()))
    }

    /// Destroys what is personal about an address: the sealed part of every row but the reason of an
    /// erasure, and the address. Gives how many rows of other events had one.
    pub(super) fn destroy_personal(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
    ) -> Result<u64, StoreError> {
        let mut destroyed = 0;
        for row in self.rows(workspace, key)? {
            let is_erasure = row.event.fact == Fact::Erasure;
            if is_erasure && keeps_reason(workspace, &row) {
                continue;
            }
            destroyed += u64::from(row.sealed.is_some() && !is_erasure);
            events::destroy_sealed(self.ledger, row.row).map_err(|error| unwritable(&error))?;
        }
        self.forget_address(workspace, key)?;
        Ok(destroyed)
    }

    fn forget_address(&mut self, workspace: &Tenant, key: AddressKey) -> Result<(), StoreError> {
        let working = self.working(workspace, key, None, None)?;
        // A refusal known by its hash alone has no address to forget.
        if working.address.is_some() {
            working.sealed = SealedAddress::Forgotten;
        }
        Ok(())
    }

    /// Makes a workspace.
    pub(super) fn add_workspace(
        &mut self,
        made: &Tenant,
        secrets: &[u8],
        model: Workspace,
    ) -> Result<i64, StoreError> {
        let at = self.tick();
        let name_and_mode = (&*model.name, model.mode);
        let no = events::add_workspace(self.ledger, &made.id, name_and_mode, secrets, at)
            .map_err(|error| unwritable(&error))?;
        self.tenants.push(Arc::new(Tenant { no, ..made.clone() }));
        self.models.insert(made.id, Arc::new(model));
        Ok(no)
    }

    /// Changes a workspace that is still at the revision on which the change was planned.
    pub(super) fn configure(
        &mut self,
        workspace: &Tenant,
        expected: Revision,
        change: sayso_core::workspace::Change,
    ) -> Result<Configured, StoreError> {
        let known = self.model(workspace)?;
        if known.revision != expected {
            return Ok(Configured::Moved(known));
        }
        self.append_entry(workspace, known, LogEntry::Change(change))
    }

    /// Notes a fact of running a workspace that no earlier one excludes.
    pub(super) fn note(
        &mut self,
        workspace: &Tenant,
        fact: RuntimeFact,
    ) -> Result<Configured, StoreError> {
        let known = self.model(workspace)?;
        if !known.runtime.admits(&fact) {
            return Ok(Configured::Moved(known));
        }
        self.append_entry(workspace, known, LogEntry::Fact(fact))
    }

    fn append_entry(
        &mut self,
        workspace: &Tenant,
        known: Arc<Workspace>,
        entry: LogEntry,
    ) -> Result<Configured, StoreError> {
        let at = self.tick();
        let place = (workspace.no, &workspace.secrets.vault);
        events::append_entry(self.ledger, place, at, &entry, &self.shared.environment)?;
        self.signaled.extend(Signaled::by(workspace.no, &entry));
        let mut model = Arc::unwrap_or_clone(known);
        entry.apply_to(&mut model, at);
        let model = Arc::new(model);
        self.models.insert(workspace.id, Arc::clone(&model));
        Ok(Configured::Changed(model))
    }
}

/// Whether the commit that appended it may have destroyed what was kept of a person (rules 11, 17).
fn may_destroy(fact: Fact) -> bool {
    fact.bears_on_processing() || fact == Fact::Erasure
}

/// The no of a page that nobody vouches for, as the site's own, where an address has heard of as many sources
/// as it remembers: a page names whom it speaks of as it likes, and each would be a source of its own.
fn as_the_sites_own(draft: &Draft, registers: &Registers) -> Option<Draft> {
    let Fact::Consent(permission, Statement::No) = draft.fact else { return None };
    let is_unproven = draft.actor == Actor::Visitor && draft.source.spoke_of.is_some();
    if !is_unproven || capture::has_room_for(registers.of(permission), &draft.source) {
        return None;
    }
    let mut own = draft.clone();
    own.source.spoke_of = None;
    Some(own)
}

/// Whether a report repeats its source's last one, or comes from one source too many; and so with the
/// naming of an account.
fn says_nothing_new(draft: &Draft, registers: &Registers) -> bool {
    if is_no_new_account(draft.fact, registers) {
        return true;
    }
    let Fact::Consent(permission, statement) = draft.fact else {
        return false;
    };
    let register = registers.of(permission);
    let repeated =
        draft.dating == Dating::Undated && capture::repeats(register, &draft.source, statement);
    repeated || (statement == Statement::Yes && !capture::has_room_for(register, &draft.source))
}

impl Working {
    fn empty() -> Self {
        Self {
            registers: Arc::default(),
            address: None,
            addressless: Addressless::Not,
            sealed: SealedAddress::Unchanged,
            rows: Vec::new(),
            change: Change::Looked,
        }
    }
}

impl Staged {
    /// Makes a durable group visible: the gate index, then the tail. In this order, whoever the index
    /// does not know is not in the views either, unless they were flushed after the asking.
    pub(super) fn publish(self, shared: &Shared) {
        let (next_row, last_recorded) = (self.next_row, self.last_recorded);
        self.show(shared);
        // Last: a gate index saved meanwhile claims no row that it may lack.
        shared.set_position(next_row, last_recorded);
    }

    fn show(self, shared: &Shared) {
        shared.add_tenants(self.tenants);
        shared.add_models(self.models);
        // After it can be seen: who asked the gate before is in the claims by now.
        for signaled in self.signaled {
            match signaled {
                Signaled::Sender(workspace, sender) => {
                    shared.claims.revoke_of_sender(workspace, sender);
                }
                Signaled::Workspace(workspace) => shared.claims.revoke_of_workspace(workspace),
            }
        }
        let mut frame = Frame { last_row: self.last_row, ..Frame::default() };
        let mut changed = Vec::new();
        for (place, working) in self.addresses {
            // Addresses that were only looked at are as the views and the tail have them.
            if working.change == Change::Looked {
                continue;
            }
            let Working { registers, address, addressless, sealed, rows, change: _ } = working;
            let presence = Presence::of(&sealed, address, addressless);
            let bytes = registers.to_bytes().into();
            changed.push((place, registers, presence));
            frame.addresses.insert(place, Entry { registers: bytes, sealed, rows });
        }
        if frame.addresses.is_empty() && self.profiles.is_empty() {
            return;
        }
        frame.profiles = self.profiles;
        frame.keyed = self.keyed;
        frame.events = self.events;
        let touched: Vec<Place> = changed.iter().map(|(place, ..)| *place).collect();
        {
            let _telling = shared.telling.lock().unwrap_or_else(PoisonError::into_inner);
            for ((workspace, key), registers, presence) in changed {
                presence.tell(&shared.gate(workspace), key, &registers);
            }
            shared.tail.publish(frame);
        }
        // Last: who asked the gate before is in the claims by now.
        shared.claims.revoke(touched.into_iter());
    }
}

/// What a group did to an address's place in the gate index.
enum Presence {
    /// The address is known.
    Known(Address),
    /// It has become known; before there was a key alone.
    Found(Address),
    /// The person was erased.
    Erased(Address),
    /// There is a key alone, for the first time.
    KeyAlone,
    /// There is a key alone, as before.
    StillKeyAlone,
}

impl Presence {
    fn of(sealed: &SealedAddress, address: Option<Address>, before: Addressless) -> Self {
        match (sealed, address, before) {
            (SealedAddress::Forgotten, Some(address), _) => Self::Erased(address),
            (_, Some(address), Addressless::Counted) => Self::Found(address),
            (_, Some(address), Addressless::Not) => Self::Known(address),
            (_, None, Addressless::Counted) => Self::StillKeyAlone,
            (_, None, Addressless::Not) => Self::KeyAlone,
        }
    }

    fn tell(self, gate: &Gate, key: AddressKey, registers: &Registers) {
        match self {
            Self::Known(address) => gate.put(&address, key, registers),
            Self::Found(address) => {
                gate.put(&address, key, registers);
                gate.sub_addressless();
            }
            Self::Erased(address) => {
                gate.add_addressless();
                gate.remove(&address, key);
            }
            Self::KeyAlone => gate.add_addressless(),
            Self::StillKeyAlone => {}
        }
    }
}
