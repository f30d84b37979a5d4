//! Which refusals a statement would lift, before it is made: the preview of an import lists them,
//! and an import lifts none without the compliance role (rule 16).
//!
//! The answer is about every message that the statement covers, so it names more rather than less:
//! a refusal counts as lifted already only if what lifts it covers all of those messages too.

use crate::state::register::{Mark, Register, lifts};
use crate::state::registers::Registers;
use crate::state::suppression::Suppression;
use crate::time::Timestamp;
use crate::words::channel::{Category, Message, Permission, words};
use crate::words::event::{ConsentEvent, Fact};
use crate::words::statement::{Slot, Statement};

words! {
    /// What kind of refusal it is.
    Refusal {
        /// The person said no.
        OptOut = "opt_out", 1;
        /// The person wrote something unclear, and marketing waits.
        Hold = "hold", 2;
        /// A source reported a no.
        Report = "report", 3;
        /// A block that outranks consent.
        Suppression = "suppression", 4;
    }
}

/// A refusal that a statement would lift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifted {
    /// What kind it is.
    pub refusal: Refusal,
    /// What it refuses.
    pub permission: Permission,
    /// When it was said, and by which event.
    pub mark: Mark,
}

/// The refusals that `event` would lift in these registers, which do not hold it yet. `message` is
/// one that needs the event's permission.
pub fn lifted_by(
    registers: &Registers,
    event: &ConsentEvent,
    message: &Message,
    now: Timestamp,
) -> Vec<Lifted> {
    let Fact::Consent(permission, statement) = event.fact else {
        return Vec::new();
    };
    let mark = Mark { ends_at: statement.ends_at(), at: event.occurred_at, event: event.id };
    let around = around(registers, permission, message);
    match statement {
        Statement::Single | Statement::Confirmed | Statement::Term(_) => {
            let standing = around.iter().flat_map(|(outer, register)| {
                let refusals = refusals_in(register);
                refusals.map(|(refusal, mark)| Lifted { refusal, permission: *outer, mark })
            });
            standing
                .chain(holds_beside(registers, permission, message, now))
                .filter(|lifted| lifts(&mark, &lifted.mark))
                .filter(|lifted| !is_lifted(&around, lifted, now))
                .chain(suppressions(registers, permission, mark, &around, now))
                .collect()
        }
        Statement::Start => {
            let own = around.iter().filter(|(outer, _)| *outer == permission);
            let refusals = own.flat_map(|(_, register)| register.refusals());
            refusals
                .map(|refused| Lifted { refusal: Refusal::OptOut, permission, mark: *refused })
                .filter(|lifted| lifts(&mark, &lifted.mark) && !is_lifted(&around, lifted, now))
                .collect()
        }
        Statement::Yes => {
            let claims = registers.of(permission).and_then(|own| own.report_of(&event.source));
            let no = claims.and_then(|claims| claims.counting_no()).copied();
            no.map(|mark| Lifted { refusal: Refusal::Report, permission, mark })
                .into_iter()
                .filter(|lifted| lifts(&mark, &lifted.mark) && !is_lifted(&around, lifted, now))
                .collect()
        }
        Statement::OptOut
        | Statement::Hold
        | Statement::Pending
        | Statement::Implied(_)
        | Statement::No => Vec::new(),
    }
}

/// The registers whose refusals cover everything that the permission covers.
fn around<'a>(
    registers: &'a Registers,
    permission: Permission,
    message: &Message,
) -> Vec<(Permission, &'a Register)> {
    match permission {
        Permission::Processing => vec![(permission, registers.processing())],
        Permission::Messages(channel, scope) => message
            .scopes()
            .filter(|outer| outer.covers(scope))
            .filter_map(|outer| {
                Some((Permission::Messages(channel, outer), registers.register(channel, outer)?))
            })
            .collect(),
    }
}

/// The refusals of one register, without what it holds back.
fn refusals_in(register: &Register) -> impl Iterator<Item = (Refusal, Mark)> {
    let opt_out = register.act(Slot::OptOut).map(|mark| (Refusal::OptOut, *mark));
    let reports = register.reports().filter_map(|(_, claims)| claims.counting_no());
    opt_out.into_iter().chain(reports.map(|no| (Refusal::Report, *no)))
}

/// The holds that an express opt-in to this permission would end: those of every scope that applies to
/// a marketing message together with it (rule 8, line 2), unless something ended them before.
fn holds_beside(
    registers: &Registers,
    permission: Permission,
    message: &Message,
    now: Timestamp,
) -> impl Iterator<Item = Lifted> {
    let place = match permission {
        Permission::Messages(channel, scope) if message.category == Category::Marketing => {
            Some((channel, scope))
        }
        Permission::Messages(..) | Permission::Processing => None,
    };
    place.into_iter().flat_map(move |(channel, scope)| {
        let beside = registers.on_channel(channel);
        beside.filter(move |(held, _)| held.may_meet(scope)).filter_map(move |(held, register)| {
            let mark = *register.act(Slot::Hold)?;
            let is_ended = register.express(now).any(|express| lifts(express, &mark));
            let permission = Permission::Messages(channel, held);
            (!is_ended).then_some(Lifted { refusal: Refusal::Hold, permission, mark })
        })
    })
}

/// Whether something in its scope, or between it and the permission, lifted it before; of a hold,
/// whether any opt-in around the permission did.
fn is_lifted(around: &[(Permission, &Register)], lifted: &Lifted, now: Timestamp) -> bool {
    let is_hold = lifted.refusal == Refusal::Hold;
    let inside = around.iter().filter(|(inner, _)| match (lifted.permission, *inner) {
        (Permission::Messages(_, outer), Permission::Messages(_, inner)) => {
            is_hold || outer.covers(inner)
        }
        (one, other) => one == other,
    });
    inside.map(|(_, register)| register).any(|register| {
        let start = register.act(Slot::Start).filter(|_| !is_hold);
        register.express(now).chain(start).any(|mark| lifts(mark, &lifted.mark))
    })
}

/// The suppressions that an express opt-in would lift (rule 12).
fn suppressions(
    registers: &Registers,
    permission: Permission,
    mark: Mark,
    around: &[(Permission, &Register)],
    now: Timestamp,
) -> impl Iterator<Item = Lifted> {
    let liftable = |suppression| match suppression {
        Suppression::Complaint | Suppression::Erased | Suppression::Reassigned => true,
        Suppression::Invalid | Suppression::Operator | Suppression::Provider => false,
    };
    let channel = match permission {
        Permission::Messages(channel, _) => Some(channel),
        Permission::Processing => None,
    };
    registers
        .suppressions()
        .iter()
        .filter(move |(suppression, cover, _)| {
            liftable(*suppression)
                && channel.is_some_and(|on| cover.channel.is_none_or(|channel| channel == on))
        })
        .filter_map(|(_, _, switch)| switch.standing())
        .filter(move |set| {
            let express = around.iter().flat_map(|(_, register)| register.express(now));
            lifts(&mark, set) && !express.into_iter().any(|express| lifts(express, set))
        })
        .map(move |set| Lifted { refusal: Refusal::Suppression, permission, mark: *set })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::AddressKey;
    use crate::id::{EventId, TopicId};
    use crate::words::channel::{Channel, Scope};
    use crate::words::source::{Actor, Road, Source, SourceName};

    const TOPIC: TopicId = TopicId::from_bytes([1; 16]);
    const ALL: Scope = Scope::All;

    fn event(scope: Scope, statement: Statement, source: &str, at: i64) -> ConsentEvent {
        let name = SourceName::parse(source).unwrap();
        ConsentEvent {
            id: EventId::from_bytes([u8::try_from(at).unwrap(); 16]),
            key: AddressKey::from_bytes([0; 16]),
            fact: Fact::Consent(Permission::Messages(Channel::Sms, scope), statement),
            source: Source { road: Road::Import, name, spoke_of: None },
            actor: Actor::Subject,
            occurred_at: Timestamp::from_micros(at),
            recorded_at: Timestamp::from_micros(at),
            import: None,
            basis: None,
        }
    }

    /// The times of the refusals that the last event would lift.
    fn lifted(history: &[ConsentEvent]) -> Vec<i64> {
        let (said, history) = history.split_last().unwrap();
        let registers = Registers::fold(history, &std::collections::BTreeSet::new());
        let mut message = Message::ordinary(Channel::Sms, Category::Marketing);
        if matches!(said.fact, Fact::Consent(Permission::Messages(_, Scope::Topic(_)), _)) {
            message.topic = Some(TOPIC);
        }
        let lifted = lifted_by(&registers, said, &message, Timestamp::from_micros(100));
        lifted.iter().map(|lifted| lifted.mark.at.as_micros()).collect()
    }

    #[test]
    fn an_act_lifts_older_refusals_around_it_and_no_newer_ones() {
        let said = |statement, at| event(ALL, statement, "crm", at);
        let out = said(Statement::OptOut, 2);
        assert_eq!(lifted(&[out.clone(), said(Statement::Single, 3)]), [2]);
        assert!(lifted(&[out.clone(), said(Statement::Single, 2)]).is_empty());
        let on_topic = event(Scope::Topic(TOPIC), Statement::Single, "crm", 3);
        assert_eq!(lifted(&[out, on_topic.clone()]), [2]);
        let elsewhere = event(Scope::Topic(TOPIC), Statement::OptOut, "crm", 2);
        assert!(lifted(&[elsewhere, said(Statement::Single, 3)]).is_empty());
    }

    #[test]
    fn what_was_lifted_for_all_of_it_is_not_lifted_again() {
        let said = |scope, statement, at| event(scope, statement, "crm", at);
        let out = said(ALL, Statement::OptOut, 1);
        let history =
            [out.clone(), said(ALL, Statement::Single, 2), said(ALL, Statement::Single, 3)];
        assert!(lifted(&history).is_empty());
        // Lifted for marketing only, it still stands for the rest of what the row covers.
        let marketing = said(Scope::Category(Category::Marketing), Statement::Single, 2);
        assert_eq!(lifted(&[out, marketing, said(ALL, Statement::Single, 3)]), [1]);
    }

    #[test]
    fn a_report_lifts_its_own_sources_no_alone() {
        let no = event(ALL, Statement::No, "crm", 1);
        assert_eq!(lifted(&[no.clone(), event(ALL, Statement::Yes, "crm", 2)]), [1]);
        assert!(lifted(&[no, event(ALL, Statement::Yes, "shop", 2)]).is_empty());
        let out = event(ALL, Statement::OptOut, "crm", 1);
        assert!(lifted(&[out, event(ALL, Statement::Yes, "crm", 2)]).is_empty());
    }

    #[test]
    fn an_act_ends_the_holds_of_every_scope_that_may_apply_with_it() {
        let hold = event(Scope::Topic(TOPIC), Statement::Hold, "crm", 1);
        assert_eq!(lifted(&[hold.clone(), event(ALL, Statement::Single, "crm", 2)]), [1]);
        let before = event(ALL, Statement::Single, "crm", 2);
        assert!(
            lifted(&[hold.clone(), before, event(ALL, Statement::Single, "crm", 3)]).is_empty()
        );
        let utility = Scope::Category(Category::Utility);
        let marketing = Scope::Category(Category::Marketing);
        let held = event(utility, Statement::Hold, "crm", 1);
        assert!(lifted(&[held, event(marketing, Statement::Single, "crm", 2)]).is_empty());
    }
}
