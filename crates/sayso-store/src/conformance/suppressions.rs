//! Suppressions: what blocks whatever the person agreed to, and who lifts it (rule 12).

use sayso_core::address::Address;
use sayso_core::gate::reason::Reason;
use sayso_core::id::{SenderId, WorkspaceId};
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::source::{Actor, Road};
use sayso_core::words::statement::Statement;

use super::build::{
    SMS, known, marketing, of_fact, phone, reason, record, said, source, workspace,
};
use crate::Store;
use sayso_plan::draft::Draft;

const OURS: SenderId = SenderId::from_bytes([1; 16]);
const ANOTHER: SenderId = SenderId::from_bytes([2; 16]);
const EVERYTHING: Cover = Cover { channel: None, sender: None, category: None };
const SUPPRESSED: Option<Reason> = Some(Reason::Suppressed);

/// What somebody does, and who does it.
type Deed = (Actor, Road, Fact);

const fn set(kind: Suppression) -> Deed {
    by_nature(kind, EVERYTHING, Switched::On)
}

const fn cleared(kind: Suppression) -> Deed {
    by_nature(kind, EVERYTHING, Switched::Off)
}

/// The switching of a block by whom it belongs to.
const fn by_nature(kind: Suppression, cover: Cover, switched: Switched) -> Deed {
    let fact = Fact::Suppression(kind, cover, switched);
    match kind {
        Suppression::Operator => (Actor::Operator, Road::Operator, fact),
        Suppression::Complaint
        | Suppression::Erased
        | Suppression::Invalid
        | Suppression::Reassigned
        | Suppression::Provider => (Actor::Provider, Road::Provider, fact),
    }
}

/// An answer that came through the address.
const fn answered(channel: Channel, scope: Scope) -> Deed {
    let permission = Permission::Messages(channel, scope);
    (Actor::Subject, Road::Inbound, Fact::Consent(permission, Statement::Confirmed))
}

const YES: Deed = answered(Channel::Sms, Scope::All);
const WROTE: Deed = (Actor::Subject, Road::Inbound, Fact::Activity(OURS));
const REPORTED: Deed = (Actor::Subject, Road::Import, Fact::Consent(SMS, Statement::Yes));

/// One person with an opt-in of minute 1, in the hour before the store's own now.
struct Person<'a> {
    store: &'a dyn Store,
    workspace: WorkspaceId,
    address: Address,
    since: Timestamp,
}

impl<'a> Person<'a> {
    async fn with_an_opt_in(store: &'a dyn Store, workspace: WorkspaceId, n: u64) -> Self {
        let first = said(workspace, &phone(99), SMS, Statement::OptOut, 0);
        let now = record(store, workspace, first).await.recorded_at;
        let since = now.minus(Span::hours(1));
        let person = Self { store, workspace, address: phone(n), since };
        for channel in [Channel::Sms, Channel::WhatsApp] {
            person.sees(answered(channel, Scope::All), 1).await;
        }
        person
    }

    /// The deed becomes known now and happened at that minute.
    async fn sees(&self, (actor, road, fact): Deed, minute: i64) {
        let occurred_at = self.since.plus(Span::minutes(minute));
        let source = source(road, "conformance");
        let draft = of_fact(self.workspace, &self.address, fact, minute);
        let draft = Draft { source, actor, occurred_at, ..draft };
        record(self.store, self.workspace, draft).await;
    }

    async fn reason(&self, message: Message) -> Option<Reason> {
        reason(self.store, self.workspace, &self.address, message).await
    }

    /// The block of minute 10 stands whatever follows in `idle` and whatever `lifting` was before
    /// it; then `lifting` lifts it, and it can be set again.
    async fn is_blocked_until(&self, kind: Suppression, idle: &[Deed], lifting: Deed) {
        assert_eq!(self.reason(marketing()).await, None, "{kind} is not set yet");
        self.sees(lifting, 9).await;
        self.sees(set(kind), 10).await;
        assert_eq!(self.reason(marketing()).await, SUPPRESSED, "{kind} outlives what was before");
        self.sees(lifting, 8).await;
        assert_eq!(self.reason(marketing()).await, SUPPRESSED, "{kind} outlives late news");
        self.sees(lifting, 10).await;
        assert_eq!(self.reason(marketing()).await, SUPPRESSED, "{kind} wins on equal times");
        for (deed, minute) in idle.iter().zip(11..) {
            self.sees(*deed, minute).await;
            assert_eq!(self.reason(marketing()).await, SUPPRESSED, "{kind} outlives {deed:?}");
        }
        self.sees(lifting, 30).await;
        assert_eq!(self.reason(marketing()).await, None, "{kind} is lifted by {lifting:?}");
        self.sees(set(kind), 31).await;
        assert_eq!(self.reason(marketing()).await, SUPPRESSED, "{kind} is set again");
        let registers = known(self.store, self.workspace, &self.address).await;
        let standing = registers.suppressions().iter().filter_map(|(kind, cover, switch)| {
            switch.standing().map(|mark| (kind, cover, mark.at))
        });
        let expected = (kind, EVERYTHING, self.since.plus(Span::minutes(31)));
        assert_eq!(standing.collect::<Vec<_>>(), [expected]);
    }
}

/// Who complained, or holds a number that was another's, is reached again once they say yes to this
/// very channel; a list's word for it, their messages and another block's end do nothing.
pub async fn a_complaint_and_a_reassignment_are_lifted_by_a_later_act_of_the_person(
    store: &dyn Store,
) {
    let workspace = workspace(store).await;
    for (kind, n) in [(Suppression::Complaint, 1), (Suppression::Reassigned, 2)] {
        let idle = [
            REPORTED,
            WROTE,
            answered(Channel::WhatsApp, Scope::All),
            answered(Channel::Sms, Scope::Category(Category::Utility)),
            (Actor::Subject, Road::Inbound, Fact::Consent(SMS, Statement::Pending)),
            cleared(Suppression::Operator),
            cleared(Suppression::Provider),
        ];
        let person = Person::with_an_opt_in(store, workspace, n).await;
        person.is_blocked_until(kind, &idle, YES).await;
    }
}

/// An address that did not exist exists once somebody writes from it, and not because somebody
/// entered it in a form again.
pub async fn an_invalid_address_is_lifted_by_a_message_from_it(store: &dyn Store) {
    let workspace = workspace(store).await;
    let form = (Actor::Subject, Road::Form, Fact::Consent(SMS, Statement::Single));
    let idle = [REPORTED, form, YES, cleared(Suppression::Operator)];
    let person = Person::with_an_opt_in(store, workspace, 1).await;
    person.is_blocked_until(Suppression::Invalid, &idle, WROTE).await;
}

/// What an operator blocked, an operator lifts, whatever the person or the provider says.
pub async fn an_operators_block_is_lifted_by_an_operator(store: &dyn Store) {
    let workspace = workspace(store).await;
    let idle = [REPORTED, YES, WROTE, cleared(Suppression::Provider)];
    let person = Person::with_an_opt_in(store, workspace, 1).await;
    let lifting = cleared(Suppression::Operator);
    person.is_blocked_until(Suppression::Operator, &idle, lifting).await;
}

/// What a provider blocks, its own signal lifts, whatever the person or an operator says.
pub async fn a_providers_block_is_lifted_by_its_own_signal(store: &dyn Store) {
    let workspace = workspace(store).await;
    let idle = [REPORTED, YES, WROTE, cleared(Suppression::Operator)];
    let person = Person::with_an_opt_in(store, workspace, 1).await;
    let lifting = cleared(Suppression::Provider);
    person.is_blocked_until(Suppression::Provider, &idle, lifting).await;
}

/// A block covers the channel, the sender and the category that it names, and is cleared for
/// exactly these: WhatsApp's stop is one of marketing, a carrier's one of a sender.
pub async fn a_suppression_blocks_what_it_names_and_nothing_else(store: &dyn Store) {
    let workspace = workspace(store).await;
    let person = Person::with_an_opt_in(store, workspace, 1).await;
    let (channel, category) = (Some(Channel::WhatsApp), Some(Category::Marketing));
    let platforms = Cover { channel, category, ..EVERYTHING };
    let carriers = Cover { channel: Some(Channel::Sms), sender: Some(OURS), ..EVERYTHING };
    let on = |cover| by_nature(Suppression::Provider, cover, Switched::On);
    let off = |cover| by_nature(Suppression::Provider, cover, Switched::Off);
    let by = |channel, category, sender| Message {
        sender: Some(sender),
        ..Message::ordinary(channel, category)
    };
    let messages = [
        by(Channel::WhatsApp, Category::Marketing, OURS),
        by(Channel::WhatsApp, Category::Utility, OURS),
        by(Channel::Sms, Category::Marketing, OURS),
        by(Channel::Sms, Category::Utility, OURS),
        by(Channel::Sms, Category::Marketing, ANOTHER),
        // Without a sender in doubt blocked.
        marketing(),
    ];
    let [free, blocked] = [None, SUPPRESSED];
    let steps = [
        (on(platforms), [blocked, free, free, free, free, free]),
        (on(carriers), [blocked, free, blocked, blocked, free, blocked]),
        (off(EVERYTHING), [blocked, free, blocked, blocked, free, blocked]),
        (off(platforms), [free, free, blocked, blocked, free, blocked]),
        (off(carriers), [free; 6]),
    ];
    for ((deed, expected), minute) in steps.into_iter().zip(10..) {
        person.sees(deed, minute).await;
        for (message, expected) in messages.iter().zip(expected) {
            assert_eq!(person.reason(*message).await, expected, "{deed:?}: {message:?}");
        }
    }
}
