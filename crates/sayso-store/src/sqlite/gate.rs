//! The gate index: who may be sent what, in memory, exact.
//!
//! A phone takes one 64-bit word: its digits in 50 bits, which hold any E.164 number without a
//! hash, and in 14 bits the number of its effective state ([`Effective`]); millions of people share
//! a few hundred states. Other addresses take their 16-byte key and the state's number. What
//! depends on time, and what exceeds the numbers, reads "ask the store". The writer updates the
//! index after a commit and before its answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::HashMap;
use sayso_core::address::{Address, AddressKey};
use sayso_core::channel::Message;
use sayso_core::decision::{Circumstances, Findings, Reasons, decide};
use sayso_core::effective::Effective;
use sayso_core::limits;
use sayso_core::phone::Phone;

use crate::store::Recipient;

/// The number of an effective state. [`ASK`] is none.
type StateNo = u16;

/// "Ask the store."
const ASK: StateNo = 0x3fff;
const STATE_BITS: u32 = 14;
/// Recipients between two releases of the segments: a writer waits no longer than these take.
const CHUNK: usize = 4_096;
/// Slots of a new segment.
const FIRST_SLOTS: usize = 16;

/// The index of one workspace.
#[derive(Debug)]
pub(super) struct Gate {
    phones: Vec<RwLock<Phones>>,
    others: Vec<RwLock<HashMap<AddressKey, StateNo>>>,
    states: RwLock<States>,
    addressless: AtomicU64,
}

/// The numbered states.
#[derive(Debug, Default)]
struct States {
    list: Vec<Arc<Effective>>,
    numbers: HashMap<Arc<Effective>, StateNo>,
}

/// One segment of phones: open addressing with linear probing, never more than three quarters
/// full; a zero word is free.
#[derive(Debug)]
struct Phones {
    slots: Vec<u64>,
    filled: usize,
}

/// What the index could answer.
pub(super) struct Screened {
    /// The reasons for each recipient; empty where the store is to be asked.
    pub(super) reasons: Vec<Reasons>,
    /// The recipients about whom the store is to be asked.
    pub(super) asks: Vec<usize>,
}

/// Spreads digits over segments and slots (Fibonacci hashing).
const fn spread(digits: u64) -> u64 {
    digits.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn segment_of(spread: u64) -> usize {
    let [first, ..] = spread.to_be_bytes();
    usize::from(first)
}

fn slot_of(spread: u64, slots: usize) -> usize {
    // Below the eight bits that chose the segment; a segment never has 2^32 slots.
    usize::try_from((spread >> 24) & 0xffff_ffff).unwrap_or_default() & (slots - 1)
}

impl Phones {
    fn find(&self, digits: u64, spread: u64) -> Option<StateNo> {
        let mut at = slot_of(spread, self.slots.len());
        loop {
            let word = self.slots.get(at).copied().unwrap_or(0);
            if word >> STATE_BITS == digits {
                return StateNo::try_from(word & u64::from(ASK)).ok();
            }
            if word == 0 {
                return None;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    fn put(&mut self, digits: u64, state: StateNo) {
        if (self.filled + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let word = (digits << STATE_BITS) | u64::from(state);
        if Self::place(&mut self.slots, word) {
            self.filled += 1;
        }
    }

    /// Puts a word into its slot; whether the slot was free.
    fn place(slots: &mut [u64], word: u64) -> bool {
        let digits = word >> STATE_BITS;
        let mask = slots.len() - 1;
        let mut at = slot_of(spread(digits), slots.len());
        while let Some(slot) = slots.get_mut(at) {
            if *slot == 0 || *slot >> STATE_BITS == digits {
                let was_free = *slot == 0;
                *slot = word;
                return was_free;
            }
            at = (at + 1) & mask;
        }
        false
    }

    fn grow(&mut self) {
        let mut larger = vec![0; self.slots.len() * 2];
        for word in self.slots.iter().filter(|word| **word != 0) {
            Self::place(&mut larger, *word);
        }
        self.slots = larger;
    }

    fn remove(&mut self, digits: u64) {
        let words: Vec<u64> = self
            .slots
            .iter()
            .copied()
            .filter(|word| *word != 0 && *word >> STATE_BITS != digits)
            .collect();
        if words.len() < self.filled {
            self.filled = words.len();
            self.slots.fill(0);
            for word in words {
                Self::place(&mut self.slots, word);
            }
        }
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
        let phones = || RwLock::new(Phones { slots: vec![0; FIRST_SLOTS], filled: 0 });
        Self {
            phones: std::iter::repeat_with(phones).take(limits::GATE_SEGMENTS).collect(),
            others: std::iter::repeat_with(RwLock::default).take(limits::GATE_SEGMENTS).collect(),
            states: RwLock::default(),
            addressless: AtomicU64::new(0),
        }
    }
}

impl Gate {
    /// Puts an address with its effective state.
    pub(super) fn put(&self, address: &Address, key: AddressKey, effective: Effective) {
        let state = self.number_of(effective);
        match address {
            Address::Phone(phone) => {
                let digits = phone.digits();
                if let Some(segment) = self.phones.get(segment_of(spread(digits))) {
                    write(segment).put(digits, state);
                }
            }
            Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
                if let Some(segment) = self.others_of(&key) {
                    write(segment).insert(key, state);
                }
            }
        }
    }

    /// Takes an address out: the person was erased.
    pub(super) fn remove(&self, address: &Address, key: AddressKey) {
        match address {
            Address::Phone(phone) => {
                if let Some(segment) = self.phones.get(segment_of(spread(phone.digits()))) {
                    write(segment).remove(phone.digits());
                }
            }
            Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
                if let Some(segment) = self.others_of(&key) {
                    write(segment).remove(&key);
                }
            }
        }
    }

    /// Counts a key whose address is not known.
    pub(super) fn add_addressless(&self) {
        self.addressless.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a key whose address has become known.
    pub(super) fn sub_addressless(&self) {
        self.addressless.fetch_sub(1, Ordering::SeqCst);
    }

    fn others_of(&self, key: &AddressKey) -> Option<&RwLock<HashMap<AddressKey, StateNo>>> {
        let [first, ..] = key.as_bytes();
        self.others.get(usize::from(*first))
    }

    fn number_of(&self, effective: Effective) -> StateNo {
        if let Some(number) = read(&self.states).numbers.get(&effective) {
            return *number;
        }
        let mut states = write(&self.states);
        if states.list.len() >= limits::GATE_STATES_MAX {
            return ASK;
        }
        let number = StateNo::try_from(states.list.len()).unwrap_or(ASK);
        let effective = Arc::new(effective);
        states.list.push(Arc::clone(&effective));
        states.numbers.insert(effective, number);
        number
    }

    /// Answers what the index can answer.
    pub(super) fn screen(
        &self,
        message: &Message,
        circumstances: &Circumstances<'_>,
        recipients: &[Recipient],
    ) -> Screened {
        let unknown = self.reasons_of_unknown(message, circumstances);
        let mut by_state: Vec<Option<Answer>> = Vec::new();
        let mut screened =
            Screened { reasons: Vec::with_capacity(recipients.len()), asks: Vec::new() };
        let mut states = Vec::with_capacity(CHUNK.min(recipients.len()));
        for chunk in recipients.chunks(CHUNK) {
            states.clear();
            self.states_of(chunk, &mut states);
            for state in &states {
                let answer = match state {
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

    /// The state of each recipient; `None` for those nobody ever heard of.
    fn states_of(&self, recipients: &[Recipient], states: &mut Vec<Option<StateNo>>) {
        let find =
            |phones: &Phones, phone: Phone| phones.find(phone.digits(), spread(phone.digits()));
        if let [Recipient::Phone(phone)] = recipients {
            let segment = self.phones.get(segment_of(spread(phone.digits())));
            return states.push(segment.and_then(|segment| find(&read(segment), *phone)));
        }
        let phones: Vec<_> = self.phones.iter().map(read).collect();
        states.extend(recipients.iter().map(|recipient| {
            match recipient {
                Recipient::Phone(phone) => phones
                    .get(segment_of(spread(phone.digits())))
                    .and_then(|segment| find(segment, *phone)),
                Recipient::Key(key) => {
                    self.others_of(key).and_then(|segment| read(segment).get(key).copied())
                }
            }
        }));
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
        let effective = read(&self.states).list.get(at).cloned();
        let answer = match effective.and_then(|effective| effective.findings(message)) {
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

    /// What holds for somebody not in the index. Where that is "allow" and there are keys without
    /// an address (erased people, hashed refusals), only the store can tell.
    fn reasons_of_unknown(&self, message: &Message, circumstances: &Circumstances<'_>) -> Answer {
        let nothing = Findings { consent: None, standing: Reasons::NONE, wrote_at: None };
        let reasons = decide(&nothing, message, circumstances).reasons;
        if reasons.is_empty() && self.addressless.load(Ordering::SeqCst) > 0 {
            Answer::Ask
        } else {
            Answer::Reasons(reasons)
        }
    }

    /// The phones of one segment whose state satisfies `wanted`, and those for whom the store is
    /// to be asked.
    pub(super) fn phones_in(
        &self,
        segment: usize,
        wanted: impl Fn(&Effective) -> Option<bool>,
    ) -> Selected<Phone> {
        let words: Vec<u64> =
            self.phones.get(segment).map(|segment| read(segment).slots.clone()).unwrap_or_default();
        let of = |word: u64| {
            Some((
                Phone::from_digits(word >> STATE_BITS)?,
                StateNo::try_from(word & u64::from(ASK)).ok()?,
            ))
        };
        self.select(words.into_iter().filter_map(of), wanted)
    }

    /// The same for other addresses.
    pub(super) fn keys_in(
        &self,
        segment: usize,
        wanted: impl Fn(&Effective) -> Option<bool>,
    ) -> Selected<AddressKey> {
        let pairs: Vec<(AddressKey, StateNo)> = self
            .others
            .get(segment)
            .map(|segment| read(segment).iter().map(|(key, state)| (*key, *state)).collect())
            .unwrap_or_default();
        self.select(pairs.into_iter(), wanted)
    }

    fn select<T>(
        &self,
        members: impl Iterator<Item = (T, StateNo)>,
        wanted: impl Fn(&Effective) -> Option<bool>,
    ) -> Selected<T> {
        let verdicts: Vec<Option<bool>> =
            read(&self.states).list.iter().map(|effective| wanted(effective)).collect();
        let mut selected = Selected { members: Vec::new(), asks: Vec::new() };
        for (member, state) in members {
            match verdicts.get(usize::from(state)).copied().flatten() {
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
