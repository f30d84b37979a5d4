//! One segment of phones: each a 64-bit word, its digits above, the number of its state below.

use hashbrown::HashMap;
use sayso_core::address::phone::Phone;

use super::states::{STATE_BITS, StateNo, Turns, at_of};

/// Slots of a new segment.
const FIRST_SLOTS: usize = 16;
/// Look-ups whose words are fetched together: as many as a processor waits for at a time.
const TOGETHER: usize = 16;

/// One segment: open addressing with linear probing, never more than three quarters full; a zero
/// word is free.
#[derive(Debug)]
pub(super) struct Phones {
    slots: Vec<u64>,
    filled: usize,
    turns: HashMap<u64, Turns>,
}

/// A phone to look up: its digits, and where they fall.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    pub(super) digits: u64,
    spread: u64,
}

impl Wanted {
    pub(super) const fn of(digits: u64) -> Self {
        // Fibonacci hashing spreads digits over segments and slots.
        Self { digits, spread: digits.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }

    pub(super) fn segment(self) -> usize {
        let [first, ..] = self.spread.to_be_bytes();
        usize::from(first)
    }

    fn slot(self, slots: usize) -> usize {
        // Below the eight bits that chose the segment; a segment never has 2^32 slots.
        usize::try_from((self.spread >> 24) & 0xffff_ffff).unwrap_or_default() & (slots - 1)
    }
}

impl Default for Phones {
    fn default() -> Self {
        Self { slots: vec![0; FIRST_SLOTS], filled: 0, turns: HashMap::new() }
    }
}

impl Phones {
    /// The words and turns as saved; `None` if they are none that a segment can have.
    pub(super) fn from_saved(slots: Vec<u64>, turns: HashMap<u64, Turns>) -> Option<Self> {
        let filled = slots.iter().filter(|word| **word != 0).count();
        let is_sound = slots.len().is_power_of_two() && filled * 4 <= slots.len() * 3;
        is_sound.then_some(Self { slots, filled, turns })
    }

    /// All phones of the segment.
    pub(super) fn phones(&self) -> impl Iterator<Item = Phone> {
        self.slots.iter().filter_map(|word| Phone::from_digits(word >> STATE_BITS))
    }

    pub(super) fn slots(&self) -> &[u64] {
        &self.slots
    }

    pub(super) const fn turns(&self) -> &HashMap<u64, Turns> {
        &self.turns
    }

    /// The word in the slot where a phone's search begins.
    fn first_word(&self, wanted: Wanted) -> u64 {
        self.slots.get(wanted.slot(self.slots.len())).copied().unwrap_or(0)
    }

    pub(super) fn find(&self, wanted: Wanted) -> Option<StateNo> {
        self.find_from(wanted, self.first_word(wanted))
    }

    fn find_from(&self, wanted: Wanted, first: u64) -> Option<StateNo> {
        let mut word = first;
        let mut at = wanted.slot(self.slots.len());
        while word >> STATE_BITS != wanted.digits {
            if word == 0 {
                return None;
            }
            at = (at + 1) & (self.slots.len() - 1);
            word = self.slots.get(at).copied().unwrap_or(0);
        }
        Some(state_of(word))
    }

    /// How the phone's state turns with time, where it does.
    pub(super) fn turns_of(&self, digits: u64) -> Option<&Turns> {
        self.turns.get(&digits)
    }

    /// Each phone's digits with its state at a time.
    pub(super) fn members(&self, now: sayso_core::time::Timestamp) -> Vec<(u64, StateNo)> {
        let words = self.slots.iter().filter(|word| **word != 0);
        words
            .map(|word| {
                let digits = word >> STATE_BITS;
                (digits, at_of(state_of(*word), now, || self.turns_of(digits)))
            })
            .collect()
    }

    pub(super) fn put(&mut self, digits: u64, state: StateNo, turns: Option<Turns>) {
        if (self.filled + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        if place(&mut self.slots, (digits << STATE_BITS) | u64::from(state)) {
            self.filled += 1;
        }
        match turns {
            Some(turns) => drop(self.turns.insert(digits, turns)),
            None if self.turns.is_empty() => {}
            None => drop(self.turns.remove(&digits)),
        }
    }

    fn grow(&mut self) {
        let mut larger = vec![0; self.slots.len() * 2];
        for word in self.slots.iter().filter(|word| **word != 0) {
            place(&mut larger, *word);
        }
        self.slots = larger;
    }

    pub(super) fn remove(&mut self, digits: u64) {
        let is_other = |word: &u64| *word != 0 && *word >> STATE_BITS != digits;
        let words: Vec<u64> = self.slots.iter().copied().filter(is_other).collect();
        if words.len() < self.filled {
            self.filled = words.len();
            self.slots.fill(0);
            for word in words {
                place(&mut self.slots, word);
            }
        }
        self.turns.remove(&digits);
    }
}

/// The state in a word.
fn state_of(word: u64) -> StateNo {
    StateNo::try_from(word & ((1 << STATE_BITS) - 1)).unwrap_or(super::states::ASK)
}

/// Puts a word into its slot; whether the slot was free.
fn place(slots: &mut [u64], word: u64) -> bool {
    let digits = word >> STATE_BITS;
    let mask = slots.len() - 1;
    let mut at = Wanted::of(digits).slot(slots.len());
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

/// Looks phones up in all segments, in order. The first word of several is fetched before any is
/// judged, so that their ways to memory overlap.
pub(super) fn find_all(
    segments: &[impl std::ops::Deref<Target = Phones>],
    wanted: &[Wanted],
    mut found: impl FnMut(Option<StateNo>),
) {
    for some in wanted.chunks(TOGETHER) {
        let mut first = [0; TOGETHER];
        for (word, wanted) in first.iter_mut().zip(some) {
            *word = segments.get(wanted.segment()).map_or(0, |phones| phones.first_word(*wanted));
        }
        for (word, wanted) in first.iter().zip(some) {
            let phones = segments.get(wanted.segment());
            found(phones.and_then(|phones| phones.find_from(*wanted, *word)));
        }
    }
}
