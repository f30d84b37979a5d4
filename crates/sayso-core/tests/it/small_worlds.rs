//! Every history of a very small world: ten statements on three scopes at three times. The gate
//! answers each as the model does, and no order of events matters.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeSet;

use sayso_core::gate::decision::check;
use sayso_core::state::registers::{Joined, Registers};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Message, Scope};
use sayso_core::words::event::ConsentEvent;
use sayso_core::words::statement::{Level, Slot, Statement};

use crate::support::language::{
    SENDER_S, TOPIC_T, Telling, about_t, day, no, of, plain, said, settings_with_least, yes,
};
use crate::support::model::Model;

/// Events of a history whose answer is compared with the model's: 3 keep a debug build below a
/// minute, 4 (1.7 million histories) a release build below 20 seconds.
const ANSWERED_EVENTS_MAX: usize = if cfg!(debug_assertions) { 3 } else { 4 };

/// Events of a history that is told in every order.
const PERMUTED_EVENTS_MAX: usize = 3;

/// The times at which things are said.
const TIMES: [i64; 3] = [1, 2, 3];

/// When the gate is asked: while everything counts, when the questions of day 1 and 2 have lapsed,
/// and when the express term has ended but not the implied one.
const ASKED_ON: [i64; 3] = [4, 9, 11];

/// All that can be said, by time, then by scope and statement.
fn alphabet() -> Vec<Vec<ConsentEvent>> {
    let scopes = [Scope::All, Scope::Sender(SENDER_S), Scope::Topic(TOPIC_T)];
    let event = |slot, n| match slot {
        Slot::Yes => yes("site", n),
        Slot::No => no("site", n),
        Slot::Term => said(Statement::Term(day(10)), n),
        Slot::Implied => said(Statement::Implied(day(12)), n),
        Slot::OptOut
        | Slot::Hold
        | Slot::Pending
        | Slot::Start
        | Slot::Single
        | Slot::Confirmed => said(Statement::from_slot(slot, None).unwrap(), n),
    };
    let at = |n: i64| {
        scopes
            .iter()
            .flat_map(|scope| Slot::ALL.iter().map(move |slot| event(*slot, n).on(*scope)))
            .collect()
    };
    TIMES.map(at).into()
}

/// Calls `visit` with every set of at most `events_max` events. Only the order of times matters,
/// so a set whose times are not the first ones is skipped: an earlier one said the same.
fn every_history(events_max: usize, mut visit: impl FnMut(&[ConsentEvent])) {
    let alphabet = alphabet();
    let all: Vec<(usize, &ConsentEvent)> = alphabet
        .iter()
        .enumerate()
        .flat_map(|(time, events)| events.iter().map(move |event| (time, event)))
        .collect();
    let mut history = vec![];
    visit(&history);
    extend(&all, 0, events_max, &mut history, &mut visit);
}

fn extend(
    rest: &[(usize, &ConsentEvent)],
    times_used: usize,
    events_left: usize,
    history: &mut Vec<ConsentEvent>,
    visit: &mut impl FnMut(&[ConsentEvent]),
) {
    if events_left == 0 {
        return;
    }
    for (at, (time, event)) in rest.iter().enumerate() {
        if *time > times_used {
            return;
        }
        history.push((*event).clone());
        visit(history);
        extend(&rest[at + 1..], times_used.max(time + 1), events_left - 1, history, visit);
        history.pop();
    }
}

/// Two messages: about t from s, and a utility message from s about nothing in particular.
fn messages() -> [Message; 2] {
    [about_t(), of(Category::Utility)]
}

#[test]
fn every_small_history_is_answered_as_the_rules_say() {
    let settings = settings_with_least(Level::Single);
    let nothing_undone = BTreeSet::new();
    let asked_at: [Timestamp; 3] = ASKED_ON.map(day);
    let mut histories = 0_u32;
    every_history(ANSWERED_EVENTS_MAX, |history| {
        histories += 1;
        let registers = Registers::fold(history, &nothing_undone);
        let model = Model::of(history, &nothing_undone);
        for now in asked_at {
            let circumstances = plain(now, &settings);
            for message in messages() {
                let ours = check(&registers, &message, &circumstances);
                let rules = model.check(&message, &circumstances);
                let agrees = ours.consent.status == rules.status
                    && ours.consent.level == rules.level
                    && ours.reasons.iter().eq(rules.reasons.iter().copied());
                assert!(agrees, "{history:#?}\n{now}: {ours:?}\nthe rules: {rules:?}");
            }
        }
    });
    let all = [1, 31, 1_366, 58_526, 1_693_256];
    assert_eq!(histories, all[ANSWERED_EVENTS_MAX]);
}

/// Every order of `events`, by Heap's algorithm.
fn every_order(events: &mut [ConsentEvent], fixed: usize, visit: &mut impl FnMut(&[ConsentEvent])) {
    if fixed <= 1 {
        return visit(events);
    }
    for at in 0..fixed {
        every_order(events, fixed - 1, visit);
        let other = if fixed.is_multiple_of(2) { at } else { 0 };
        events.swap(other, fixed - 1);
    }
}

#[test]
fn every_order_of_a_small_history_gives_the_same_registers() {
    let nothing_undone = BTreeSet::new();
    let mut orders = 0_u32;
    every_history(PERMUTED_EVENTS_MAX, |history| {
        let expected = Registers::fold(history, &nothing_undone);
        let mut events = history.to_vec();
        every_order(&mut events, history.len(), &mut |told| {
            orders += 1;
            let mut registers = Registers::default();
            for event in told {
                assert_eq!(registers.join(event), Joined::Done);
            }
            assert!(registers == expected, "{told:#?}");
        });
    });
    let all = [1, 31, 2_701, 345_661];
    assert_eq!(orders, all[PERMUTED_EVENTS_MAX]);
}
