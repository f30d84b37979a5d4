//! Which suppressions block a message, and which the person lifted (rule 12).

use crate::state::register::{Mark, lifts};
use crate::state::registers::Registers;
use crate::state::suppression::Suppression;
use crate::time::Timestamp;
use crate::words::channel::Message;

/// The suppressions that block `message` at `now`, each with the mark that set it.
pub fn blocking<'a>(
    registers: &'a Registers,
    message: &'a Message,
    now: Timestamp,
) -> impl Iterator<Item = (Suppression, &'a Mark)> {
    registers
        .suppressions()
        .iter()
        .filter(|(_, cover, _)| cover.covers(message))
        .filter_map(|(suppression, _, switch)| Some((suppression, switch.standing()?)))
        .filter(move |(suppression, set)| !is_lifted(registers, *suppression, set, message, now))
}

/// Whether the person lifted it: a complaint, an erasure and a reassignment by a later express
/// opt-in that applies to this very message, so that what a former holder of the number agreed to
/// never comes back; an invalid address by a message from it. Operators and providers lift their
/// own.
fn is_lifted(
    registers: &Registers,
    suppression: Suppression,
    set: &Mark,
    message: &Message,
    now: Timestamp,
) -> bool {
    match suppression {
        Suppression::Complaint | Suppression::Erased | Suppression::Reassigned => message
            .scopes()
            .filter_map(|scope| registers.register(message.channel, scope))
            .flat_map(|register| register.express(now))
            .any(|express| lifts(express, set)),
        Suppression::Invalid => registers.last_message_at().is_some_and(|at| at > set.at),
        Suppression::Operator | Suppression::Provider => false,
    }
}
