//! Addresses that a provider names as one account on a channel, a phone and a BSUID, are one for
//! refusals (rule 13): what one of them refuses by itself, the other refuses too.
//!
//! What is passed on stands beside the other's own: a refusal as `no` of a source of its own for
//! each address it came from, a hold and a suppression as what they are. What was passed on is not
//! passed on again, so that two addresses are one only where a provider named them together.
//! Absent on purpose: opt-ins. What lifts a refusal ends it at the other address too, by ending what
//! was passed on; it never lifts what the other address refused by itself.

use crate::address::{Address, AddressKey};
use crate::state::register::{Mark, Register, lifts};
use crate::state::registers::{Joined, Registers};
use crate::state::suppression::Switched;
use crate::state::suppression::{Cover, Suppression};
use crate::time::Timestamp;
use crate::words::channel::{Channel, Permission};
use crate::words::event::{ConsentEvent, Fact};
use crate::words::source::{ACCOUNT, Actor, Road, Source, SourceName, is_passed_on};
use crate::words::statement::{Slot, Statement};

/// The source of what another address of the account refuses.
pub fn source(of: AddressKey) -> Source {
    Source { road: Road::Link, name: SourceName::fixed(ACCOUNT), spoke_of: Some(of) }
}

/// Whether an address is a number, or the digits that a provider gave for one.
pub fn is_number(address: &Address) -> bool {
    match address {
        Address::Phone(_) => true,
        Address::ChannelId(id) => is_digits(id.as_str()),
        Address::Email(_) | Address::ExternalId(_) => false,
    }
}

/// Whether an id on a channel is the digits that a provider gave for a number.
pub fn is_digits(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// What an address refuses by itself on a channel, and of processing: the latest refusal of each
/// register that nothing lifts for good.
pub fn own_refusals(registers: &Registers, channel: Channel) -> Vec<(Permission, Mark)> {
    let messages = registers
        .on_channel(channel)
        .map(|(scope, register)| (Permission::Messages(channel, scope), register));
    let all = messages.chain([(Permission::Processing, registers.processing())]);
    all.filter_map(|(permission, register)| Some((permission, own_refusal(register)?))).collect()
}

/// The latest refusal of a register that was not passed on to it. What only an opt-in with an end
/// lifts stands again when that ends, so it counts.
fn own_refusal(register: &Register) -> Option<Mark> {
    let reports = register.reports().filter(|(source, _)| !is_passed_on(source));
    let refusals = register
        .act(Slot::OptOut)
        .into_iter()
        .chain(reports.filter_map(|(_, claims)| claims.counting_no()));
    refusals.filter(|refusal| !register.lifts_for_good(refusal)).max().copied()
}

/// The holds of an address on a channel that nothing ends, passed on or not.
pub fn holds(registers: &Registers, channel: Channel) -> Vec<(Permission, Mark)> {
    let stands = |register: &Register| {
        let hold = register.act(Slot::Hold)?;
        let is_ended =
            register.express(Timestamp::DISTANT_FUTURE).any(|express| lifts(express, hold));
        (!is_ended).then_some(*hold)
    };
    registers
        .on_channel(channel)
        .filter_map(|(scope, register)| {
            Some((Permission::Messages(channel, scope), stands(register)?))
        })
        .collect()
}

/// The suppressions of an address that bear on a channel and were not cleared, passed on or not.
pub fn blocks(registers: &Registers, channel: Channel) -> Vec<(Suppression, Cover, Mark)> {
    let bears = |cover: &Cover| cover.channel.is_none_or(|on| on == channel);
    registers
        .suppressions()
        .iter()
        .filter(|(_, cover, _)| bears(cover))
        .filter_map(|(suppression, cover, switch)| Some((suppression, cover, *switch.standing()?)))
        .collect()
}

/// Takes into what is known of an address what another form of its number refuses (rule 1), as an
/// account passes it on: refusals as `no`, holds and suppressions as what they are, never an opt-in.
/// That a number is invalid in one form says nothing of the other.
pub fn hear(registers: &mut Registers, of: AddressKey, other: &Registers) {
    let source = source(of);
    let channels = other.channels();
    let messages = channels.iter().flat_map(|channel| {
        let registers = other.on_channel(*channel);
        registers.map(|(scope, register)| (Permission::Messages(*channel, scope), register))
    });
    let refusals = messages
        .chain([(Permission::Processing, other.processing())])
        .filter_map(|(permission, register)| Some((permission, standing_refusal(register)?)))
        .map(|(permission, mark)| (Fact::Consent(permission, Statement::No), mark));
    let holds = channels
        .iter()
        .flat_map(|channel| holds(other, *channel))
        .map(|(permission, mark)| (Fact::Consent(permission, Statement::Hold), mark));
    let blocks = other
        .suppressions()
        .iter()
        .filter(|(suppression, ..)| *suppression != Suppression::Invalid)
        .filter_map(|(suppression, cover, switch)| {
            Some((Fact::Suppression(suppression, cover, Switched::On), *switch.standing()?))
        });
    for (fact, mark) in refusals.chain(holds).chain(blocks) {
        let heard = ConsentEvent {
            id: mark.event,
            key: of,
            fact,
            source: source.clone(),
            actor: Actor::System,
            occurred_at: mark.at,
            recorded_at: mark.at,
            import: None,
            basis: None,
        };
        // What is neither a retraction nor an erasure needs no history.
        let (Joined::Done | Joined::NeedsHistory) = registers.join(&heard);
    }
}

/// The latest refusal of a register that nothing lifts for good, passed on to it or not.
fn standing_refusal(register: &Register) -> Option<Mark> {
    let refusals = register.refusals();
    refusals.filter(|refusal| !register.lifts_for_good(refusal)).max().copied()
}
