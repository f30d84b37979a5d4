//! A new number is a new consent (rule 13): what an address passes on, and what it never does.

use crate::state::register::Mark;
use crate::state::registers::Registers;
use crate::state::suppression::Suppression;
use crate::state::suppression::Switched;
use crate::time::Timestamp;
use crate::words::channel::Permission;
use crate::words::event::Fact;
use crate::words::statement::Statement;

/// A fact that linking carries to the new address, with its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// What the new address's event says; consents as a report of the source `link`.
    pub fact: Fact,
    /// When the refusal was made.
    pub at: Timestamp,
    /// The event it rests on.
    pub from: crate::id::EventId,
}

/// What linking carries from an address with these registers to another of the same kind:
/// effective opt-outs as `no`, processing refusals, operators' suppressions. Never an opt-in.
///
/// A refusal that only an opt-in with an end lifts is carried too: it stands again when that ends.
pub fn carried(from: &Registers) -> Vec<Carried> {
    let now = Timestamp::DISTANT_FUTURE;
    let refusals = from.consents.iter().filter_map(|((channel, scope), register)| {
        let refusal = register.standing_refusal(now)?;
        Some(no(Permission::Messages(*channel, *scope), refusal))
    });
    let processing =
        from.processing.standing_refusal(now).map(|mark| no(Permission::Processing, mark));
    let blocks = from.suppressions.iter().filter_map(|(suppression, cover, switch)| {
        let set = switch.standing().filter(|_| suppression == Suppression::Operator)?;
        let fact = Fact::Suppression(suppression, cover, Switched::On);
        Some(Carried { fact, at: set.at, from: set.event })
    });
    refusals.chain(processing).chain(blocks).collect()
}

fn no(permission: Permission, refusal: &Mark) -> Carried {
    Carried { fact: Fact::Consent(permission, Statement::No), at: refusal.at, from: refusal.event }
}
