//! What becomes of a request before it is an event: its time, its standing, and whether it says
//! anything new (rules 2, 4, 14, 16, 19).

use std::iter;

use thiserror::Error;

use crate::id::SenderId;
use crate::limits;
use crate::state::guard::Guard;
use crate::state::register::{Mark, Register};
use crate::state::registers::Registers;
use crate::time::{ClaimedTime, Timestamp};
use crate::words::channel::{Category, Channel, Permission, Scope};
use crate::words::notice::Notice;
use crate::words::source::Source;
use crate::words::statement::{Slot, Statement};

/// The opt-in is dated in the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("lies more than 5 minutes in the future")]
pub struct InTheFuture;

/// Whether the server's clock tells what time it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerClock {
    /// It does, as far as anybody knows.
    #[default]
    Right,
    /// It is behind what was recorded: the time is held there, and a caller's later time may be right.
    Behind,
}

/// When the server received something, by a clock that may be known to be behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// When: later than everything recorded before.
    pub at: Timestamp,
    /// What the clock is worth.
    pub clock: ServerClock,
}

impl From<Timestamp> for Receipt {
    fn from(at: Timestamp) -> Self {
        Self { at, clock: ServerClock::Right }
    }
}

/// Settles when a statement was made (rule 2). No time counts later than our receipt. A coarse
/// time is read for the refusal: an opt-out at its end, an opt-in at its start. Without a claimed
/// time it is our receipt.
///
/// Of a refusal the receipt is the moment in which it is written, so that nothing written while it was on
/// its way counts as later: its time may lie ahead here, [`Timestamp::DISTANT_FUTURE`] where none was
/// claimed, and is cut when the event is made.
///
/// # Errors
/// [`InTheFuture`] for what is no refusal and lies more than [`limits::CLOCK_AHEAD_MAX`] past
/// `received`, by a clock that is right. A refusal is never refused: it is cut to the receipt.
pub fn settle_time(
    statement: Statement,
    claimed: Option<ClaimedTime>,
    received: impl Into<Receipt>,
) -> Result<Timestamp, InTheFuture> {
    let Receipt { at: received, clock } = received.into();
    let Some(claimed) = claimed else {
        return Ok(said_now(statement, received));
    };
    if statement.is_refusal() {
        return Ok(claimed.last());
    }
    let is_ahead = claimed.first() > received.plus(limits::CLOCK_AHEAD_MAX);
    if is_ahead && clock == ServerClock::Right {
        return Err(InTheFuture);
    }
    Ok(claimed.first().min(received))
}

/// When a statement without a time of its own was made: at our receipt, of a refusal when it is written.
pub const fn said_now(statement: Statement, received: Timestamp) -> Timestamp {
    if statement.is_refusal() { Timestamp::DISTANT_FUTURE } else { received }
}

/// How a statement is read when it is in doubt what it is about (rule 5): a refusal refuses
/// everything on its channel; anything else is `pending` in the scope it named, and so grants,
/// refuses and hides nothing.
pub const fn read_in_doubt(statement: Statement, named: Scope) -> (Statement, Scope) {
    if statement.is_refusal() { (statement, Scope::All) } else { (Statement::Pending, named) }
}

/// Whether an undated report says nothing new: it repeats its source's last one (rule 4).
pub fn repeats(register: Option<&Register>, source: &Source, statement: Statement) -> bool {
    let Some(claims) = register.and_then(|register| register.report_of(source)) else {
        return false;
    };
    match statement {
        Statement::Yes => claims.counting_yes().is_some(),
        Statement::No => claims.counting_no().is_some(),
        Statement::OptOut
        | Statement::Hold
        | Statement::Pending
        | Statement::Start
        | Statement::Single
        | Statement::Confirmed
        | Statement::Term(_)
        | Statement::Implied(_) => false,
    }
}

/// What START says (rule 19), each with what must hold when it is written: it lifts refusals of all
/// messages, of those from the sender that it was written to, and of each category that is refused; it
/// revives opt-ins older than them. Where there is no opt-in on the channel the person is to be asked,
/// which is a `pending` besides.
pub fn start(
    channel: Channel,
    sender: Option<SenderId>,
) -> impl Iterator<Item = (Permission, Statement, Guard)> {
    let on = move |scope| Permission::Messages(channel, scope);
    let of_sender = sender.map(|sender| (on(Scope::Sender(sender)), Statement::Start, Guard::None));
    let of_category = move |category: &Category| {
        (on(Scope::Category(*category)), Statement::Start, Guard::WhereRefused)
    };
    iter::once((on(Scope::All), Statement::Start, Guard::None))
        .chain(of_sender)
        .chain(Category::ALL.iter().map(of_category))
        .chain([(on(Scope::All), Statement::Pending, Guard::WithoutOptIn)])
}

/// The general scopes that the words of a yes cover (rule 8): a box without a topic is about everything
/// on its channel, and about marketing, so that somebody who left marketing alone can come back by it. A
/// yes to anything narrower is about that alone.
pub fn covered_by(said: Permission) -> impl Iterator<Item = Permission> {
    let marketing = match said {
        Permission::Messages(channel, Scope::All) => {
            Some(Permission::Messages(channel, Scope::Category(Category::Marketing)))
        }
        Permission::Messages(..) | Permission::Processing => None,
    };
    iter::once(said).chain(marketing)
}

/// The categories of a channel that stay refused although everything on it was agreed to: each needs a yes
/// of its own (rule 8).
pub fn still_refused(
    registers: &Registers,
    channel: Channel,
    now: Timestamp,
) -> impl Iterator<Item = Category> {
    Category::ALL.iter().copied().filter(move |category| {
        let register = registers.register(channel, Scope::Category(*category));
        register.is_some_and(|register| register.standing_refusal(now).is_some())
    })
}

/// What the answer to a double opt-in question says: `confirmed`, or nothing when the question has
/// lapsed and must be asked again (rule 14).
pub fn answer(pending: &Mark, answered_at: Timestamp) -> Option<Statement> {
    (answered_at < pending.at.plus(limits::LAPSE_OF_PENDING)).then_some(Statement::Confirmed)
}

/// The permissions that a statement speaks of: the one asked for, and with an express opt-in also
/// the processing of the person's data, if and only if the notice that was shown names it
/// (rule 11). Each becomes an event of its own.
pub fn permissions_of(
    asked: Permission,
    statement: Statement,
    notice: Option<&Notice>,
) -> impl Iterator<Item = Permission> + use<> {
    let express = match statement {
        Statement::Single | Statement::Confirmed | Statement::Term(_) => true,
        Statement::OptOut
        | Statement::Hold
        | Statement::Pending
        | Statement::Start
        | Statement::Implied(_)
        | Statement::Yes
        | Statement::No => false,
    };
    let besides = (express && notice.is_some_and(Notice::names_processing))
        .then_some(Permission::Processing)
        .filter(|besides| *besides != asked);
    [Some(asked), besides].into_iter().flatten()
}

/// What an import row without a date is dated: a yes is older than everything, a no is new
/// (rule 16).
pub const fn undated_row_at(statement: Statement) -> Timestamp {
    said_now(statement, Timestamp::DISTANT_PAST)
}

/// A caller's statement that lacks what an act needs is a report (rule 4): a time and a method,
/// and for an opt-in the notice. `None` where a report cannot say it.
pub fn as_report(statement: Statement) -> Option<Statement> {
    match statement {
        Statement::OptOut | Statement::No => Some(Statement::No),
        Statement::Single | Statement::Confirmed | Statement::Yes => Some(Statement::Yes),
        Statement::Hold
        | Statement::Pending
        | Statement::Start
        | Statement::Term(_)
        | Statement::Implied(_) => None,
    }
}

/// Whether an opt-out of this scope stands and nothing inside the scope lifts any of it: saying it again
/// says nothing new.
pub fn refuses_already(
    registers: &Registers,
    channel: Channel,
    scope: Scope,
    now: Timestamp,
) -> bool {
    let opt_out = registers.register(channel, scope).and_then(|it| it.act(Slot::OptOut));
    let inside = || registers.on_channel(channel).filter(|(inner, _)| scope.covers(*inner));
    opt_out.is_some_and(|opt_out| {
        let mut lifting = inside().flat_map(|(_, it)| it.express(now).chain(it.act(Slot::Start)));
        !lifting.any(|mark| mark.at > opt_out.at)
    })
}

/// Whether the registers of reporting sources, which are bounded for each address and scope, have
/// room for this one: past [`limits::SOURCES_PER_REGISTER_MAX`] a new source's yes is not taken. Its no
/// always is; one of a page, which may invent as many sources as it likes, as the site's own.
pub fn has_room_for(register: Option<&Register>, source: &Source) -> bool {
    register.is_none_or(|register| {
        register.report_of(source).is_some()
            || register.reports().count() < limits::SOURCES_PER_REGISTER_MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EventId, TopicId};
    use crate::state::guard::refused_since;
    use crate::words::channel::Message;
    use crate::words::source::{Road, SourceName};

    const TOPIC: Scope = Scope::Topic(TopicId::from_bytes([1; 16]));
    const MARKETING: Scope = Scope::Category(Category::Marketing);

    fn time(minutes: u8) -> Timestamp {
        Timestamp::from_micros(i64::from(minutes))
    }

    /// What is known after these statements by SMS, a minute after each other.
    fn known(said: &[(Scope, Statement)]) -> Registers {
        let source = Source { road: Road::Api, name: SourceName::fixed("api"), spoke_of: None };
        let mut registers = Registers::default();
        for (minute, (scope, statement)) in (1_u8..).zip(said) {
            let register = registers.consents.entry((Channel::Sms, *scope)).or_default();
            register.join(*statement, &source, time(minute), EventId::from_bytes([minute; 16]));
        }
        registers
    }

    #[test]
    fn a_refusal_says_nothing_new_while_nothing_inside_it_was_lifted() {
        let out = (MARKETING, Statement::OptOut);
        for (said, expected) in [
            (vec![], false),
            (vec![out], true),
            (vec![out, (Scope::All, Statement::Confirmed)], true),
            (vec![out, (TOPIC, Statement::Confirmed)], false),
            (vec![out, (MARKETING, Statement::Start)], false),
            (vec![(TOPIC, Statement::Confirmed), out], true),
            (vec![(Scope::All, Statement::OptOut)], false),
            (vec![(MARKETING, Statement::No)], false),
        ] {
            let refused = refuses_already(&known(&said), Channel::Sms, MARKETING, time(100));
            assert_eq!(refused, expected, "{said:?}");
        }
    }

    #[test]
    fn a_refusal_around_a_box_counts_from_when_the_page_was_made() {
        let ordinary = Message::ordinary(Channel::Sms, Category::Marketing);
        let message = Message { topic: Some(TopicId::from_bytes([1; 16])), ..ordinary };
        for (scope, statement, expected) in [
            (Scope::All, Statement::OptOut, true),
            (MARKETING, Statement::No, true),
            (TOPIC, Statement::Hold, true),
            (TOPIC, Statement::Confirmed, false),
            (Scope::Category(Category::Utility), Statement::OptOut, false),
        ] {
            let registers = known(&[(scope, statement)]);
            assert_eq!(refused_since(&registers, &message, TOPIC, time(0)), expected, "{scope}");
            assert!(
                !refused_since(&registers, &message, TOPIC, time(1)),
                "seen on the page: {scope}"
            );
        }
    }
}
