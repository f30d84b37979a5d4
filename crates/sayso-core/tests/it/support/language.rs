//! A small language for histories: `out(1).on(topic(TOPIC_T))` is the event that the person
//! refused messages about topic t on day 1, by SMS and by an act of their own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a history that cannot be told is a mistake in the test"
)]

use std::collections::BTreeSet;

use sayso_core::address::{AddressKey, AddressKeySecret};
use sayso_core::gate::decision::{Circumstances, Requirement, SenderState};
use sayso_core::id::{EventId, ImportId, ProfileId, SenderId, TopicId, WorkspaceId};
use sayso_core::policy::settings::Settings;
use sayso_core::state::account;
use sayso_core::state::registers::Registers;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::{ConsentEvent, Fact, Retracted};
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::source::{Actor, Road, Source, SourceName};
use sayso_core::words::statement::{Level, Statement};

pub(crate) const WORKSPACE: WorkspaceId = WorkspaceId::from_bytes([0x77; 16]);
/// What the requests of the histories are hashed with.
pub(crate) const SECRET: AddressKeySecret = AddressKeySecret::from_bytes([0x5e; 32]);
pub(crate) const KEY: AddressKey = AddressKey::from_bytes([0xaa; 16]);
/// The sender "s" of the scenarios.
pub(crate) const SENDER_S: SenderId = SenderId::from_bytes([0x51; 16]);
pub(crate) const SENDER_R: SenderId = SenderId::from_bytes([0x52; 16]);
/// The topic "t" of the scenarios, in category marketing.
pub(crate) const TOPIC_T: TopicId = TopicId::from_bytes([0x71; 16]);
/// Another topic "u", in category marketing as well.
pub(crate) const TOPIC_U: TopicId = TopicId::from_bytes([0x72; 16]);
/// A topic in category utility.
pub(crate) const TOPIC_ORDERS: TopicId = TopicId::from_bytes([0x73; 16]);
pub(crate) const PROFILE_A: ProfileId = ProfileId::from_bytes([0xa1; 16]);
pub(crate) const IMPORT: ImportId = ImportId::from_bytes([0x11; 16]);

/// Midnight of day `n` of 2026, UTC.
pub(crate) const fn day(n: i64) -> Timestamp {
    Timestamp::from_micros(1_767_139_200_000_000).plus(Span::days(n))
}

/// The source of a road and a name, speaking of nobody in particular.
pub(crate) fn source(road: Road, name: &str) -> Source {
    Source { road, name: SourceName::parse(name).unwrap(), spoke_of: None }
}

/// An event of the person on a form, on day `n`, named after its content: saying the same thing
/// twice is one event.
pub(crate) fn event(fact: Fact, n: i64) -> ConsentEvent {
    ConsentEvent {
        id: EventId::from_bytes([0; 16]),
        key: KEY,
        fact,
        source: source(Road::Form, "form"),
        actor: Actor::Subject,
        occurred_at: day(n),
        recorded_at: day(n),
        import: None,
        basis: None,
    }
    .named()
}

/// What the person, or a source, says about all messages by SMS on day `n`.
pub(crate) fn said(statement: Statement, n: i64) -> ConsentEvent {
    event(Fact::Consent(Permission::Messages(Channel::Sms, Scope::All), statement), n)
}

pub(crate) fn out(n: i64) -> ConsentEvent {
    said(Statement::OptOut, n)
}

pub(crate) fn hold(n: i64) -> ConsentEvent {
    said(Statement::Hold, n).from(source(Road::Inbound, "words"))
}

pub(crate) fn pending(n: i64) -> ConsentEvent {
    said(Statement::Pending, n)
}

pub(crate) fn start(n: i64) -> ConsentEvent {
    said(Statement::Start, n).from(source(Road::Inbound, "words"))
}

pub(crate) fn single(n: i64) -> ConsentEvent {
    said(Statement::Single, n)
}

pub(crate) fn confirmed(n: i64) -> ConsentEvent {
    said(Statement::Confirmed, n)
}

/// An express opt-in that ends on day `end`.
pub(crate) fn term(n: i64, end: i64) -> ConsentEvent {
    said(Statement::Term(day(end)), n)
}

/// An implied opt-in that ends on day `end`.
pub(crate) fn implied(n: i64, end: i64) -> ConsentEvent {
    said(Statement::Implied(day(end)), n)
}

/// A source believes yes.
pub(crate) fn yes(name: &str, n: i64) -> ConsentEvent {
    said(Statement::Yes, n).from(source(Road::Tag, name)).by(Actor::System)
}

/// A source believes no.
pub(crate) fn no(name: &str, n: i64) -> ConsentEvent {
    said(Statement::No, n).from(source(Road::Tag, name)).by(Actor::System)
}

pub(crate) fn set(suppression: Suppression, cover: Cover, n: i64) -> ConsentEvent {
    event(Fact::Suppression(suppression, cover, Switched::On), n)
}

pub(crate) fn clear(suppression: Suppression, cover: Cover, n: i64) -> ConsentEvent {
    event(Fact::Suppression(suppression, cover, Switched::Off), n)
}

/// The person writes to a sender.
pub(crate) fn wrote_to(sender: SenderId, n: i64) -> ConsentEvent {
    event(Fact::Activity(sender), n)
}

pub(crate) fn erasure(n: i64) -> ConsentEvent {
    event(Fact::Erasure, n).from(source(Road::Operator, "portal"))
}

pub(crate) fn retraction_of(retracted: &ConsentEvent, n: i64) -> ConsentEvent {
    event(Fact::Retraction(Retracted::Event(retracted.id)), n)
        .from(source(Road::Operator, "portal"))
        .by(Actor::Operator)
}

pub(crate) fn undoing_of(import: ImportId, n: i64) -> ConsentEvent {
    event(Fact::Retraction(Retracted::Import(import)), n)
        .from(source(Road::Operator, "portal"))
        .by(Actor::Operator)
}

/// What may be said about an event besides.
pub(crate) trait Telling: Sized {
    fn named(self) -> Self;
    fn on(self, scope: Scope) -> Self;
    fn via(self, channel: Channel) -> Self;
    fn about_processing(self) -> Self;
    fn from(self, source: Source) -> Self;
    fn by(self, actor: Actor) -> Self;
    fn speaking_of(self, profile: u8) -> Self;
    fn recorded(self, n: i64) -> Self;
    fn in_import(self, import: ImportId) -> Self;
    fn following(self, basis: EventId) -> Self;
    fn at(self, at: Timestamp) -> Self;
}

impl Telling for ConsentEvent {
    /// Gives the event the id of its content.
    fn named(self) -> Self {
        let mut fields = sayso_core::canonical::Writer::default();
        fields.raw(&self.facts());
        let identity = RequestIdentity::Dated(RequestHash::of(&fields, &SECRET));
        Self { id: event_id(WORKSPACE, identity, 0), ..self }
    }

    fn on(self, scope: Scope) -> Self {
        let Fact::Consent(Permission::Messages(channel, _), statement) = self.fact else {
            panic!("only consent to messages has a scope");
        };
        let fact = Fact::Consent(Permission::Messages(channel, scope), statement);
        Self { fact, ..self }.named()
    }

    fn via(self, channel: Channel) -> Self {
        let Fact::Consent(Permission::Messages(_, scope), statement) = self.fact else {
            panic!("only consent to messages has a channel");
        };
        let fact = Fact::Consent(Permission::Messages(channel, scope), statement);
        Self { fact, ..self }.named()
    }

    fn about_processing(self) -> Self {
        let Fact::Consent(_, statement) = self.fact else {
            panic!("only consent is about processing");
        };
        let fact = Fact::Consent(Permission::Processing, statement);
        Self { fact, ..self }.named()
    }

    fn from(self, source: Source) -> Self {
        Self { source, ..self }.named()
    }

    fn by(self, actor: Actor) -> Self {
        Self { actor, ..self }.named()
    }

    fn speaking_of(mut self, profile: u8) -> Self {
        self.source.spoke_of = Some(AddressKey::from_bytes([profile; 16]));
        self.named()
    }

    fn recorded(self, n: i64) -> Self {
        Self { recorded_at: day(n), ..self }
    }

    fn in_import(self, import: ImportId) -> Self {
        Self { import: Some(import), source: source(Road::Import, "list"), ..self }.named()
    }

    fn following(self, basis: EventId) -> Self {
        Self { basis: Some(basis), ..self }.named()
    }

    fn at(self, at: Timestamp) -> Self {
        Self { occurred_at: at, ..self }.named()
    }
}

pub(crate) const fn topic(id: TopicId) -> Scope {
    Scope::Topic(id)
}

/// A marketing message by SMS from s about topic t.
pub(crate) const fn about_t() -> Message {
    Message {
        sender: Some(SENDER_S),
        topic: Some(TOPIC_T),
        ..Message::ordinary(Channel::Sms, Category::Marketing)
    }
}

/// A marketing message by SMS from s about topic u.
pub(crate) const fn about_u() -> Message {
    Message { topic: Some(TOPIC_U), ..about_t() }
}

/// A message by SMS from s of this category, about no topic.
pub(crate) const fn of(category: Category) -> Message {
    Message { sender: Some(SENDER_S), ..Message::ordinary(Channel::Sms, category) }
}

/// The same message by another channel.
pub(crate) const fn sent_by(channel: Channel, message: Message) -> Message {
    Message { channel, ..message }
}

/// Settings that ask for this level on every channel.
pub(crate) fn settings_with_least(level: Level) -> Settings {
    Settings {
        least_levels: Channel::ALL.iter().map(|channel| (*channel, level)).collect(),
        ..Settings::default()
    }
}

/// The imports that a history undoes.
pub(crate) fn undone_by(history: &[ConsentEvent]) -> BTreeSet<ImportId> {
    history
        .iter()
        .filter_map(|event| match event.fact {
            Fact::Retraction(Retracted::Import(import)) => Some(import),
            Fact::Retraction(Retracted::Event(_))
            | Fact::Consent(..)
            | Fact::Suppression(..)
            | Fact::Activity(_)
            | Fact::Link(_)
            | Fact::SameAccount(..)
            | Fact::MovedFrom(_)
            | Fact::Attributes(_)
            | Fact::Erasure => None,
        })
        .collect()
}

/// The registers that a history folds into.
pub(crate) fn fold(history: &[ConsentEvent]) -> Registers {
    Registers::fold(history, &undone_by(history))
}

/// A history, and what is passed on to it from another address of the account on a channel.
pub(crate) fn one_account(
    own: &[ConsentEvent],
    other: &[ConsentEvent],
    channel: Channel,
) -> Vec<ConsentEvent> {
    let other = fold(other);
    let refusals = account::own_refusals(&other, channel).into_iter();
    let refusals = refusals.map(|(permission, at)| (Fact::Consent(permission, Statement::No), at));
    let holds = account::holds(&other, channel).into_iter();
    let holds = holds.map(|(permission, at)| (Fact::Consent(permission, Statement::Hold), at));
    let blocks = account::blocks(&other, channel).into_iter();
    let blocks = blocks.map(|(kind, cover, at)| (Fact::Suppression(kind, cover, Switched::On), at));
    let passed_on = refusals.chain(holds).chain(blocks).map(|(fact, mark)| {
        event(fact, 0).from(account::source(KEY)).by(Actor::System).at(mark.at)
    });
    own.iter().cloned().chain(passed_on).collect()
}

/// The circumstances in which nothing but consent matters.
pub(crate) const fn plain(now: Timestamp, settings: &Settings) -> Circumstances<'_> {
    Circumstances {
        now,
        settings,
        requirement: Requirement::OptIn,
        quiet_until: None,
        capped_until: None,
        sender: SenderState::Sending,
    }
}
