//! Builders: a workspace, drafts, questions, in the fewest words.

use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_core::address::phone::Phone;
use sayso_core::address::{Address, AddressKeySecret, OpaqueId};
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::gate::decision::Requirement;
use sayso_core::gate::reason::Reason;
use sayso_core::id::{EventId, WorkspaceId};
use sayso_core::state::guard::Guard;
use sayso_core::state::registers::Registers;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::source::{Actor, Evidence, Road, Source, SourceName};
use sayso_core::words::statement::Statement;

use crate::Store;
use crate::store::{Moment, Question, Recipient, Recorded};
use sayso_core::workspace::Mode;
use sayso_plan::draft::{Dating, Draft, Subject};

/// A day in November 2026, the zero of the suite's times.
pub const ZERO: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

/// `minutes` after [`ZERO`].
pub fn at(minutes: i64) -> Timestamp {
    ZERO.plus(Span::minutes(minutes))
}

/// A fresh workspace.
pub async fn workspace(store: &dyn Store) -> WorkspaceId {
    store.create_workspace("Example", Mode::Test).await.unwrap().id
}

/// The `n`-th invented phone.
pub fn phone(n: u64) -> Address {
    Address::Phone(Phone::from_digits(15_550_100_000 + n).unwrap())
}

/// A customer's own id of a person.
pub fn external(id: &str) -> Address {
    Address::ExternalId(OpaqueId::parse(id).unwrap())
}

/// The `n`-th invented id of a person on WhatsApp.
pub fn channel_id(n: u64) -> Address {
    Address::ChannelId(OpaqueId::parse(&format!("US.{n}")).unwrap())
}

/// A provider names two addresses as one account on WhatsApp, at [`at`] `minutes`.
pub fn one_account(
    store: &dyn Store,
    workspace: WorkspaceId,
    (one, other): (&Address, &Address),
    minutes: i64,
) -> Vec<Draft> {
    let secret = store.workspaces()[&workspace].secret.clone();
    let naming = |address: &Address, other: &Address| {
        let fact = Fact::SameAccount(Channel::WhatsApp, other.key(&secret));
        Draft {
            source: source(Road::Provider, "conformance"),
            actor: Actor::Provider,
            ..of_fact(workspace, address, fact, minutes)
        }
    };
    vec![naming(one, other), naming(other, one)]
}

/// A source.
pub fn source(road: Road, name: &str) -> Source {
    Source { road, name: SourceName::parse(name).unwrap(), spoke_of: None }
}

/// SMS, everything.
pub const SMS: Permission = Permission::Messages(Channel::Sms, Scope::All);

/// A statement about `permission` by an API client, dated [`at`] `minutes`.
pub fn said(
    workspace: WorkspaceId,
    address: &Address,
    permission: Permission,
    statement: Statement,
    minutes: i64,
) -> Draft {
    of_fact(workspace, address, Fact::Consent(permission, statement), minutes)
}

/// What the requests of these cases are hashed with.
const SECRET: AddressKeySecret = AddressKeySecret::from_bytes([7; 32]);

/// The id of the one event of a request with an idempotency key.
pub fn keyed_id(workspace: WorkspaceId, key: &str) -> EventId {
    event_id(workspace, RequestIdentity::Key(RequestHash::of_key(key, &SECRET)), 0)
}

/// Any fact, dated [`at`] `minutes`.
pub fn of_fact(workspace: WorkspaceId, address: &Address, fact: Fact, minutes: i64) -> Draft {
    let mut fields = Writer::default();
    address.write(&mut fields);
    fact.write(&mut fields);
    fields.instant(at(minutes));
    let request = RequestHash::of(&fields, &SECRET);
    Draft {
        subject: Subject::Address(address.clone()),
        id: event_id(workspace, RequestIdentity::Dated(request), 0),
        request,
        fact,
        source: source(Road::Api, "conformance"),
        actor: Actor::Subject,
        occurred_at: at(minutes),
        dating: Dating::Dated,
        import: None,
        basis: None,
        evidence: Evidence::default(),
        attributes: BTreeMap::new(),
        guard: Guard::None,
    }
}

/// An undated report of a site, as its tag sends it on page view `view`.
pub fn reported(
    workspace: WorkspaceId,
    address: &Address,
    statement: Statement,
    view: i64,
) -> Draft {
    let mut draft = said(workspace, address, SMS, statement, view);
    draft.source = source(Road::Tag, "shop");
    draft.dating = Dating::Undated;
    draft
}

/// Records one draft.
pub async fn record(store: &dyn Store, workspace: WorkspaceId, draft: Draft) -> Recorded {
    store.record(workspace, vec![draft]).await.unwrap().remove(0)
}

/// What is known of an address now.
pub async fn known(store: &dyn Store, workspace: WorkspaceId, address: &Address) -> Arc<Registers> {
    let subject = Subject::Address(address.clone());
    store.registers(workspace, &subject, Moment::Now).await.unwrap()
}

/// A marketing message by SMS.
pub fn marketing() -> Message {
    Message::ordinary(Channel::Sms, Category::Marketing)
}

/// The gate's first reason for `message` to an address.
pub async fn reason(
    store: &dyn Store,
    workspace: WorkspaceId,
    address: &Address,
    message: Message,
) -> Option<Reason> {
    let recipient = match address {
        Address::Phone(phone) => Recipient::Phone(*phone),
        Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
            Recipient::Key(address.key(&store.workspaces()[&workspace].secret))
        }
    };
    let question = Question { message, requirement: Requirement::OptIn, zone: None };
    store.screen(workspace, &question, &[recipient]).await.unwrap()[0].first()
}
