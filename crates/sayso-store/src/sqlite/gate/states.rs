//! The numbered effective states of a workspace, and states that turn with time.

use std::sync::Arc;

use hashbrown::HashMap;
use sayso_core::canonical::Canonical;
use sayso_core::limits;
use sayso_core::state::effective::{Effective, Shape, turning_points};
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;

/// The number of an effective state. [`ASK`] and [`TURNS`] are none.
pub(super) type StateNo = u16;

/// Bits of a number.
pub(super) const STATE_BITS: u32 = 14;
/// "Ask the store."
pub(super) const ASK: StateNo = 0x3fff;
/// "It depends on the time": the segment holds the states in turn.
pub(super) const TURNS: StateNo = 0x3ffe;

/// The states of one address in turn, each from a time on; the first from the beginning of time.
pub(super) type Turns = Box<[(Timestamp, StateNo)]>;

/// What the index keeps for one address.
pub(super) struct Entry {
    pub(super) state: StateNo,
    pub(super) turns: Option<Turns>,
}

/// Registers that have a state, and when: what the state is computed from anew after a start.
#[derive(Clone, Debug)]
pub(super) struct Example {
    pub(super) registers: Arc<[u8]>,
    pub(super) at: Timestamp,
}

/// The numbered states.
#[derive(Debug, Default)]
pub(super) struct States {
    list: Vec<(Arc<Effective>, Example)>,
    numbers: HashMap<Arc<Effective>, StateNo>,
    shapes: HashMap<Shape, StateNo>,
}

/// The state at a time.
pub(super) fn at_of<'a>(
    state: StateNo,
    now: Timestamp,
    turns: impl FnOnce() -> Option<&'a Turns>,
) -> StateNo {
    if state != TURNS {
        return state;
    }
    let started = |turns: &&Turns| turns.partition_point(|(from, _)| *from <= now).checked_sub(1);
    turns().and_then(|turns| turns.get(started(&turns)?)).map_or(ASK, |(_, state)| *state)
}

impl States {
    /// The entry of an address whose shape was seen before.
    pub(super) fn known(&self, shape: &Shape) -> Option<Entry> {
        self.shapes.get(shape).map(|state| Entry { state: *state, turns: None })
    }

    /// The entry of an address, its states numbered.
    pub(super) fn number(&mut self, registers: &Registers, shape: Option<Shape>) -> Entry {
        if let Some(shape) = shape {
            let state = self.number_at(registers, Timestamp::DISTANT_PAST);
            if self.shapes.len() < limits::GATE_SHAPES_MAX {
                self.shapes.insert(shape, state);
            }
            return Entry { state, turns: None };
        }
        let points = turning_points(registers);
        if points.len() > limits::GATE_TURNS_MAX {
            return Entry { state: ASK, turns: None };
        }
        let mut turns: Vec<(Timestamp, StateNo)> = Vec::with_capacity(points.len() + 1);
        for at in [Timestamp::DISTANT_PAST].into_iter().chain(points) {
            let state = self.number_at(registers, at);
            if turns.last().is_none_or(|(_, last)| *last != state) {
                turns.push((at, state));
            }
        }
        match turns.as_slice() {
            [(_, only)] => Entry { state: *only, turns: None },
            [..] => Entry { state: TURNS, turns: Some(turns.into_boxed_slice()) },
        }
    }

    fn number_at(&mut self, registers: &Registers, at: Timestamp) -> StateNo {
        let effective = Effective::of(registers, at);
        if let Some(number) = self.numbers.get(&effective) {
            return *number;
        }
        let example = || Example { registers: registers.to_bytes().into(), at };
        self.add(effective, example)
    }

    fn add(&mut self, effective: Effective, example: impl FnOnce() -> Example) -> StateNo {
        let number = StateNo::try_from(self.list.len()).unwrap_or(ASK);
        if self.list.len() >= limits::GATE_STATES_MAX {
            return ASK;
        }
        let effective = Arc::new(effective);
        self.list.push((Arc::clone(&effective), example()));
        self.numbers.insert(effective, number);
        number
    }

    /// Adds the state of an example under the next number; whether it is a new one.
    pub(super) fn add_example(&mut self, example: Example) -> Option<()> {
        let registers = Registers::from_bytes(&example.registers).ok()?;
        let effective = Effective::of(&registers, example.at);
        if self.numbers.contains_key(&effective) || self.list.len() >= limits::GATE_STATES_MAX {
            return None;
        }
        self.add(effective, || example);
        Some(())
    }

    /// The state of a number.
    pub(super) fn get(&self, state: StateNo) -> Option<&Effective> {
        self.list.get(usize::from(state)).map(|(effective, _)| &**effective)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// An example of each state, by number.
    pub(super) fn examples(&self) -> Vec<Example> {
        self.list.iter().map(|(_, example)| example.clone()).collect()
    }
}
