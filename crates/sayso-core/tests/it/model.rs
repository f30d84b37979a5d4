//! Rules 7 to 13, 24 and 26: the gate over folded registers answers what the rules say about the
//! plain list of events.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use sayso_core::gate::decision::{Circumstances, Decision, check};
use sayso_core::gate::reason::Reason;
use sayso_core::state::registers::Registers;
use sayso_core::state::status::Status;
use sayso_core::words::channel::Message;
use sayso_core::words::event::ConsentEvent;

use crate::support::generate::{history, question};
use crate::support::language::{fold, undone_by};
use crate::support::model::{Answer, Model};

/// Random worlds tried; in a debug build the slowest part of this file.
const WORLDS: u32 = if cfg!(debug_assertions) { 100_000 } else { 500_000 };

fn answer(decision: &Decision) -> Answer {
    Answer {
        reasons: decision.reasons.iter().collect(),
        waived: decision.waived.iter().collect(),
        status: decision.consent.status,
        level: decision.consent.level,
        retry_at: decision.retry_at,
    }
}

fn both(
    history: &[ConsentEvent],
    registers: &Registers,
    message: &Message,
    circumstances: &Circumstances<'_>,
) -> (Answer, Answer) {
    let undone = undone_by(history);
    (
        answer(&check(registers, message, circumstances)),
        Model::of(history, &undone).check(message, circumstances),
    )
}

#[test]
fn the_gate_answers_what_the_rules_say() {
    let seen_statuses = RefCell::new(BTreeMap::<Status, u32>::new());
    let seen_reasons = RefCell::new(BTreeMap::<Reason, u32>::new());
    let mut runner =
        TestRunner::new(Config { cases: WORLDS, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&(history(), question()), |(history, question)| {
        let (ours, rules) =
            both(&history, &fold(&history), &question.message, &question.circumstances());
        *seen_statuses.borrow_mut().entry(ours.status).or_default() += 1;
        for reason in &ours.reasons {
            *seen_reasons.borrow_mut().entry(*reason).or_default() += 1;
        }
        prop_assert_eq!(ours, rules);
        Ok(())
    });
    ran.unwrap_or_else(|fault| panic!("{fault}"));
    let (statuses, reasons) = (seen_statuses.into_inner(), seen_reasons.into_inner());
    for status in Status::ALL {
        let times = statuses.get(status).copied().unwrap_or_default();
        assert!(times > WORLDS / 1_000, "{status} was hardly tried: {times}");
    }
    for reason in Reason::ALL {
        let times = reasons.get(reason).copied().unwrap_or_default();
        assert!(times > WORLDS / 1_000, "{reason} was hardly tried: {times}");
    }
}
