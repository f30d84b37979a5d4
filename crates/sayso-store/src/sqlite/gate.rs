//! The gate index: who may be sent what, in memory, exact.
//!
//! A phone takes one 64-bit word: its digits in 50 bits, which hold any E.164 number without a
//! hash, and in 14 bits the number of its effective state ([`Effective`]); millions of people share
//! a few hundred states. Other addresses take their 16-byte key and the state's number. A state
//! that turns at known times (an opt-in that ends) has its turns beside the words. What exceeds
//! the numbers, or depends on the person's last message, reads "ask the store". The writer updates
//! the index after a commit and before its answer.

pub(super) mod file;
mod forms;
mod phones;
mod states;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::HashMap;
use sayso_core::address::phone::Phone;
use sayso_core::address::{Address, AddressKey};
use sayso_core::gate::decision::{Circumstances, Findings, decide};
use sayso_core::gate::reason::Reasons;
use sayso_core::limits;
use sayso_core::state::effective::{Effective, Shape};
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Message;

use self::forms::KnownForms;
use self::phones::{Phones, Wanted, find_all};
use self::states::{ASK, Entry, StateNo, States, TURNS, Turns, at_of};
use crate::store::Recipient;

/// Recipients between two releases of the segments: a writer waits no longer than these take.
const CHUNK: usize = 4_096;

/// The index of one workspace.
#[derive(Debug)]
pub(super) struct Gate {
    phones: Vec<RwLock<Phones>>,
    forms: KnownForms,
    others: Vec<RwLock<Others>>,
    states: RwLock<States>,
    addressless: AtomicU64,
}

/// One segment of other addresses, by their keys.
#[derive(Debug, Default)]
struct Others {
    states: HashMap<AddressKey, StateNo>,
    turns: HashMap<AddressKey, Turns>,
}

/// What the index could answer.
pub(super) struct Screened {
    /// The reasons for each recipient; empty where the store is to be asked.
    pub(super) reasons: Vec<Reasons>,
    /// The recipients about whom the store is to be asked.
    pub(super) asks: Vec<usize>,
}

impl Others {
    fn put(&mut self, key: AddressKey, entry: Entry) {
        self.states.insert(key, entry.state);
        match entry.turns {
            Some(turns) => drop(self.turns.insert(key, turns)),
            None => drop(self.turns.remove(&key)),
        }
    }

    fn remove(&mut self, key: &AddressKey) {
        self.states.remove(key);
        self.turns.remove(key);
    }

    fn find(&self, key: &AddressKey, now: Timestamp) -> Option<StateNo> {
        self.states.get(key).map(|state| at_of(*state, now, || self.turns.get(key)))
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            phones: std::iter::repeat_with(RwLock::default).take(limits::GATE_SEGMENTS).collect(),
            forms: KnownForms::default(),
            others: std::iter::repeat_with(RwLock::default).take(limits::GATE_SEGMENTS).collect(),
            states: RwLock::default(),
            addressless: AtomicU64::new(0),
        }
    }
}

impl Gate {
    /// Puts an address with its effective state.
    pub(super) fn put(&self, address: &Address, key: AddressKey, registers: &Registers) {
        let entry = self.entry_of(registers);
        match address {
            Address::Phone(phone) => {
                self.forms.note(*phone);
                let wanted = Wanted::of(phone.digits());
                if let Some(segment) = self.phones.get(wanted.segment()) {
                    write(segment).put(wanted.digits, entry.state, entry.turns);
                }
            }
            Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
                if let Some(segment) = self.others_of(&key) {
                    write(segment).put(key, entry);
                }
            }
        }
    }

    /// Takes an address out: the person was erased.
    pub(super) fn remove(&self, address: &Address, key: AddressKey) {
        match address {
            Address::Phone(phone) => {
                let wanted = Wanted::of(phone.digits());
                if let Some(segment) = self.phones.get(wanted.segment()) {
                    write(segment).remove(wanted.digits);
                }
            }
            Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
                if let Some(segment) = self.others_of(&key) {
                    write(segment).remove(&key);
                }
            }
        }
    }

    /// Sets how many keys have no known address.
    pub(super) fn set_addressless(&self, keys: u64) {
        self.addressless.store(keys, Ordering::SeqCst);
    }

    /// Counts a key whose address is not known.
    pub(super) fn add_addressless(&self) {
        self.addressless.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a key whose address has become known.
    pub(super) fn sub_addressless(&self) {
        self.addressless.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether anything may be stored about an address: false is certain.
    pub(super) fn may_know(&self, address: &Address, key: &AddressKey) -> bool {
        // Before and after, since an erasure may come between.
        self.has_addressless() || self.knows(address, key) || self.has_addressless()
    }

    /// Whether anything may be stored about another form of a phone: false is certain. Nearly every
    /// number has no other form.
    pub(super) fn may_know_other_forms(&self, phone: Phone) -> bool {
        let is_other_known = || {
            self.forms.may_hold_other_of(phone)
                && phone.other_forms().iter().any(|form| self.knows_phone(*form))
        };
        // An imported hash may be that of any form.
        (self.has_addressless() || is_other_known() || self.has_addressless())
            && !phone.other_forms().is_empty()
    }

    /// Whether there are keys without an address.
    fn has_addressless(&self) -> bool {
        self.addressless.load(Ordering::SeqCst) > 0
    }

    /// Whether it holds an address.
    pub(super) fn knows(&self, address: &Address, key: &AddressKey) -> bool {
        match address {
            Address::Phone(phone) => self.knows_phone(*phone),
            Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
                self.others_of(key).is_none_or(|segment| read(segment).states.contains_key(key))
            }
        }
    }

    fn knows_phone(&self, phone: Phone) -> bool {
        let wanted = Wanted::of(phone.digits());
        let segment = self.phones.get(wanted.segment());
        segment.is_none_or(|segment| read(segment).find(wanted).is_some())
    }

    fn others_of(&self, key: &AddressKey) -> Option<&RwLock<Others>> {
        let [first, ..] = key.as_bytes();
        self.others.get(usize::from(*first))
    }

    fn entry_of(&self, registers: &Registers) -> Entry {
        let shape = Shape::of(registers);
        let known = shape.as_ref().and_then(|shape| read(&self.states).known(shape));
        known.unwrap_or_else(|| write(&self.states).number(registers, shape))
    }

    /// Answers what the index can answer.
    pub(super) fn screen(
        &self,
        message: &Message,
        circumstances: &Circumstances<'_>,
        recipients: &[Recipient],
    ) -> Screened {
        let nothing = Findings { consent: None, standing: Reasons::NONE, wrote_at: None };
        let of_unknown = decide(&nothing, message, circumstances).reasons;
        let mut by_state: Vec<Option<Answer>> = Vec::new();
        let mut screened =
            Screened { reasons: Vec::with_capacity(recipients.len()), asks: Vec::new() };
        let mut states = Vec::with_capacity(CHUNK.min(recipients.len()));
        for chunk in recipients.chunks(CHUNK) {
            states.clear();
            // Where the answer for somebody not in the index is "allow" and there are keys without an
            // address (erased people, hashed refusals), only the store can tell. Looked at before and
            // after, since an erasure may come between.
            let before = self.has_addressless();
            self.states_of(chunk, circumstances.now, &mut states);
            let may_be_known = before || self.has_addressless();
            let unknown = if of_unknown.is_empty() && may_be_known {
                Answer::Ask
            } else {
                Answer::Reasons(of_unknown)
            };
            for (state, recipient) in states.iter().zip(chunk) {
                let answer = match state {
                    _ if self.is_of_several_forms(recipient) => Answer::Ask,
                    None => unknown,
                    Some(state) => self.answer_of(*state, &mut by_state, message, circumstances),
                };
                match answer {
                    Answer::Reasons(reasons) => screened.reasons.push(reasons),
                    Answer::Ask => {
                        screened.asks.push(screened.reasons.len());
                        screened.reasons.push(Reasons::NONE);
                    }
                }
            }
        }
        screened
    }

    /// Whether the store is to be asked what other forms of a number refuse.
    fn is_of_several_forms(&self, recipient: &Recipient) -> bool {
        match recipient {
            Recipient::Phone(phone) => self.may_know_other_forms(*phone),
            Recipient::Key(_) | Recipient::Hashed(_) => false,
        }
    }

    /// The state of each recipient; `None` for those nobody ever heard of.
    fn states_of(
        &self,
        recipients: &[Recipient],
        now: Timestamp,
        states: &mut Vec<Option<StateNo>>,
    ) {
        if let [Recipient::Phone(phone)] = recipients {
            let wanted = Wanted::of(phone.digits());
            return states.push(self.phones.get(wanted.segment()).and_then(|segment| {
                let phones = read(segment);
                let state = phones.find(wanted)?;
                Some(at_of(state, now, || phones.turns_of(wanted.digits)))
            }));
        }
        let phones: Vec<_> = self.phones.iter().map(read).collect();
        let wanted: Vec<Wanted> = recipients
            .iter()
            .map(|recipient| match recipient {
                Recipient::Phone(phone) => Wanted::of(phone.digits()),
                // Looked up below, by their keys.
                Recipient::Key(_) | Recipient::Hashed(_) => Wanted::default(),
            })
            .collect();
        find_all(&phones, &wanted, |state| states.push(state));
        for ((recipient, wanted), state) in recipients.iter().zip(&wanted).zip(states) {
            match (recipient, *state) {
                (Recipient::Key(key), _) => {
                    *state = self.others_of(key).and_then(|segment| read(segment).find(key, now));
                }
                // Phones are not here by their keys, so nobody can say who this is.
                (Recipient::Hashed(_), _) => *state = Some(ASK),
                (Recipient::Phone(_), Some(TURNS)) => {
                    let turns = phones.get(wanted.segment());
                    let turns = || turns.and_then(|phones| phones.turns_of(wanted.digits));
                    *state = Some(at_of(TURNS, now, turns));
                }
                (Recipient::Phone(_), _) => {}
            }
        }
    }

    fn answer_of(
        &self,
        state: StateNo,
        by_state: &mut Vec<Option<Answer>>,
        message: &Message,
        circumstances: &Circumstances<'_>,
    ) -> Answer {
        let at = usize::from(state);
        if let Some(Some(answer)) = by_state.get(at) {
            return *answer;
        }
        let states = read(&self.states);
        let findings = states.get(state).and_then(|effective| effective.findings(message));
        let answer = match findings {
            Some(findings) => Answer::Reasons(decide(&findings, message, circumstances).reasons),
            None => Answer::Ask,
        };
        if by_state.len() <= at {
            by_state.resize(at + 1, None);
        }
        if let Some(memo) = by_state.get_mut(at) {
            *memo = Some(answer);
        }
        answer
    }

    /// The phones of one segment whose state satisfies `wanted`, and those for whom the store is
    /// to be asked: what another form of a number refuses, its own state does not say.
    pub(super) fn phones_in(
        &self,
        segment: usize,
        now: Timestamp,
        wanted: impl Fn(&Effective) -> Option<bool>,
    ) -> Selected<Phone> {
        let members =
            self.phones.get(segment).map(|segment| read(segment).members(now)).unwrap_or_default();
        let phone = |(digits, state)| Some((Phone::from_digits(digits)?, state));
        let (of_several, of_one): (Vec<_>, Vec<_>) = members
            .into_iter()
            .filter_map(phone)
            .partition(|(phone, _)| self.may_know_other_forms(*phone));
        let mut selected = self.select(of_one.into_iter(), wanted);
        selected.asks.extend(of_several.into_iter().map(|(phone, _)| phone));
        selected
    }

    /// The same for other addresses.
    pub(super) fn keys_in(
        &self,
        segment: usize,
        now: Timestamp,
        wanted: impl Fn(&Effective) -> Option<bool>,
    ) -> Selected<AddressKey> {
        let members: Vec<(AddressKey, StateNo)> = match self.others.get(segment).map(read) {
            None => Vec::new(),
            Some(others) => {
                let at = |key, state| at_of(state, now, || others.turns.get(key));
                others.states.iter().map(|(key, state)| (*key, at(key, *state))).collect()
            }
        };
        self.select(members.into_iter(), wanted)
    }

    fn select<T>(
        &self,
        members: impl Iterator<Item = (T, StateNo)>,
        wanted: impl Fn(&Effective) -> Option<bool>,
    ) -> Selected<T> {
        let states = read(&self.states);
        // Each state that is met is judged once.
        let mut verdicts: Vec<Option<Option<bool>>> = vec![None; states.count()];
        let mut selected = Selected { members: Vec::new(), asks: Vec::new() };
        for (member, state) in members {
            let judge = || states.get(state).and_then(&wanted);
            let verdict = match verdicts.get_mut(usize::from(state)) {
                Some(verdict) => *verdict.get_or_insert_with(judge),
                None => None,
            };
            match verdict {
                Some(true) => selected.members.push(member),
                Some(false) => {}
                None => selected.asks.push(member),
            }
        }
        selected
    }
}

/// What a selection came to.
pub(super) struct Selected<T> {
    /// Those who belong to it.
    pub(super) members: Vec<T>,
    /// Those about whom the store is to be asked.
    pub(super) asks: Vec<T>,
}

/// What a state answers to one question.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Reasons(Reasons),
    Ask,
}
