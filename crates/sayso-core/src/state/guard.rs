//! What must hold when an event is written.
//!
//! Whoever drafts an event has seen an older state: between their look and the write a refusal may come.
//! So the condition travels with the draft, and the writer judges it with what is known in the moment of
//! writing, where nothing can come between.

use crate::state::lifting::lifted_by;
use crate::state::registers::Registers;
use crate::time::Timestamp;
use crate::words::channel::{Message, Permission, Scope};
use crate::words::doubt::Doubt;
use crate::words::event::{ConsentEvent, Fact};
use crate::words::statement::Slot;

/// What must hold when an event is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// Nothing: it is written as it is.
    #[default]
    None,
    /// Nobody vouches for the address: what would lift a refusal is written as `pending` (rule 23). The
    /// message is one that needs the permission.
    LiftsNothing(Message),
    /// A row of a list that nobody has approved: what would lift a refusal is not written (rule 16).
    HeldIfLifting(Message),
    /// A yes that nobody vouches for: what would lift a refusal is not written, unless nobody vouches for the
    /// refusal either. Who said it, the writer knows.
    LiftsUnproven(Message),
    /// A yes given on a page: it is not written if something around it was refused after the page was made.
    NotRefusedSince(Message, Timestamp),
    /// START on a category: it is written only where the category itself is refused (rule 19).
    WhereRefused,
    /// The question that START leaves open: it is written only where there is no opt-in on the channel.
    WithoutOptIn,
}

/// What a guard makes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarded {
    /// It is written as it is.
    Stands,
    /// It is written as `pending`, for this reason.
    Doubted(Doubt),
    /// It is not written.
    Withheld,
}

impl Guard {
    /// What becomes of `event`, which these registers do not hold yet.
    pub fn judge(&self, event: &ConsentEvent, known: &Registers, now: Timestamp) -> Guarded {
        let Fact::Consent(permission, _) = event.fact else { return Guarded::Stands };
        let lifts = |message: &Message| !lifted_by(known, event, message, now).is_empty();
        let (channel, scope) = match permission {
            Permission::Messages(channel, scope) => (Some(channel), scope),
            Permission::Processing => (None, Scope::All),
        };
        let withheld = |is_withheld| if is_withheld { Guarded::Withheld } else { Guarded::Stands };
        match self {
            Self::LiftsNothing(message) if lifts(message) => Guarded::Doubted(Doubt::Unproven),
            Self::None | Self::LiftsNothing(_) => Guarded::Stands,
            Self::HeldIfLifting(message) | Self::LiftsUnproven(message) => withheld(lifts(message)),
            Self::NotRefusedSince(message, since) => {
                if channel.is_some() {
                    withheld(refused_since(known, message, scope, *since))
                } else {
                    let mut refusals = known.processing().refusals();
                    withheld(refusals.any(|refused| refused.at > *since))
                }
            }
            Self::WhereRefused => {
                let own = known.of(permission);
                withheld(own.and_then(|own| own.standing_refusal(now)).is_none())
            }
            Self::WithoutOptIn => withheld(channel.is_some_and(|channel| {
                known.on_channel(channel).any(|(_, register)| register.opt_ins().next().is_some())
            })),
        }
    }
}

/// Whether a refusal that bears on `message` within its scopes around `scope` was said after a page was
/// made: a yes that was given on that page does not know of it.
pub fn refused_since(
    registers: &Registers,
    message: &Message,
    scope: Scope,
    since: Timestamp,
) -> bool {
    let around = message.scopes().filter(|outer| outer.covers(scope));
    let registers = around.filter_map(|outer| registers.register(message.channel, outer));
    registers.flat_map(|it| it.refusals().chain(it.act(Slot::Hold))).any(|mark| mark.at > since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::AddressKey;
    use crate::id::EventId;
    use crate::words::channel::{Category, Channel};
    use crate::words::source::{Actor, Road, Source, SourceName};
    use crate::words::statement::Statement;

    const MARKETING: Scope = Scope::Category(Category::Marketing);

    fn said(scope: Scope, statement: Statement, at: u8) -> ConsentEvent {
        ConsentEvent {
            id: EventId::from_bytes([at; 16]),
            key: AddressKey::from_bytes([0; 16]),
            fact: Fact::Consent(Permission::Messages(Channel::Sms, scope), statement),
            source: Source { road: Road::Form, name: SourceName::fixed("shop"), spoke_of: None },
            actor: Actor::Subject,
            occurred_at: Timestamp::from_micros(i64::from(at)),
            recorded_at: Timestamp::from_micros(i64::from(at)),
            import: None,
            basis: None,
        }
    }

    fn judged(guard: Guard, event: &ConsentEvent, before: &[ConsentEvent]) -> Guarded {
        let known = Registers::fold(before, &std::collections::BTreeSet::new());
        guard.judge(event, &known, Timestamp::from_micros(100))
    }

    #[test]
    fn what_would_lift_a_refusal_is_doubted_or_held() {
        let message = Message::ordinary(Channel::Sms, Category::Marketing);
        let out = [said(Scope::All, Statement::OptOut, 1)];
        let tick = said(Scope::All, Statement::Single, 2);
        let lifting = Guard::LiftsNothing(message);
        assert_eq!(judged(lifting, &tick, &out), Guarded::Doubted(Doubt::Unproven));
        assert_eq!(judged(lifting, &tick, &[]), Guarded::Stands);
        assert_eq!(judged(Guard::HeldIfLifting(message), &tick, &out), Guarded::Withheld);
        assert_eq!(judged(Guard::None, &tick, &out), Guarded::Stands);
    }

    #[test]
    fn a_yes_from_a_page_knows_of_no_refusal_since_the_page_was_made() {
        let message = Message::ordinary(Channel::Sms, Category::Marketing);
        let made = |at| Guard::NotRefusedSince(message, Timestamp::from_micros(at));
        let out = [said(Scope::All, Statement::OptOut, 5)];
        let tick = said(MARKETING, Statement::Confirmed, 9);
        assert_eq!(judged(made(4), &tick, &out), Guarded::Withheld);
        assert_eq!(judged(made(5), &tick, &out), Guarded::Stands, "shown on the page");
    }

    #[test]
    fn start_speaks_of_a_category_only_where_it_is_refused() {
        let start = said(MARKETING, Statement::Start, 9);
        let refused = [said(MARKETING, Statement::OptOut, 1)];
        let lifted = [refused[0].clone(), said(MARKETING, Statement::Confirmed, 2)];
        assert_eq!(judged(Guard::WhereRefused, &start, &refused), Guarded::Stands);
        assert_eq!(judged(Guard::WhereRefused, &start, &lifted), Guarded::Withheld);
        assert_eq!(judged(Guard::WhereRefused, &start, &[]), Guarded::Withheld);
    }

    #[test]
    fn start_asks_only_who_has_no_opt_in_on_the_channel() {
        let pending = said(Scope::All, Statement::Pending, 9);
        let agreed = [said(MARKETING, Statement::Single, 1)];
        assert_eq!(judged(Guard::WithoutOptIn, &pending, &agreed), Guarded::Withheld);
        assert_eq!(judged(Guard::WithoutOptIn, &pending, &[]), Guarded::Stands);
    }
}
