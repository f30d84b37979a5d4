//! Messages: what is to be sent, to whom, and what became of it (rule 28).
//!
//! A message waits in the queue of its sender. A claim decides it on what is known at that moment and
//! marks it; the claim is durable before the hand-over may begin. A refusal that is recorded between
//! the claim and the beginning of the hand-over revokes the claim before it is answered, and the
//! message is decided anew. What began and has no known end is `unknown`, and never tried again.

use sayso_core::address::{Address, AddressKey};
use sayso_core::gate::decision::RequireOptIn;
use sayso_core::gate::message::MessageState;
use sayso_core::gate::reason::Reasons;
use sayso_core::gate::zone::Zone;
use sayso_core::id::{MessageId, SenderId};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Message;
use sayso_core::words::event_id::RequestHash;
use sayso_core::workspace::TemplateUse;

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Words.
    Text(Box<str>),
    /// Words with a subject.
    Email {
        /// The subject.
        subject: Box<str>,
        /// The words.
        text: Box<str>,
    },
    /// A template that the provider knows.
    Template {
        /// Its name at the provider.
        name: Box<str>,
        /// Its language in the provider's spelling, if the provider asks for one.
        language: Option<Box<str>>,
        /// What stands for its variables, in order.
        variables: Vec<Box<str>>,
    },
    /// An opt-in question, with buttons for the answers where the channel has them.
    Question {
        /// The words.
        text: Box<str>,
        /// The words of a yes.
        yes: Box<str>,
        /// The words of a no.
        no: Box<str>,
    },
}

impl Payload {
    /// The template that it uses, if it is one.
    pub fn template(&self) -> Option<TemplateUse<'_>> {
        let Self::Template { name, language, .. } = self else { return None };
        Some(TemplateUse { name, language: language.as_deref() })
    }
}

/// A message before it is queued.
#[derive(Clone, Debug)]
pub struct MessageDraft {
    /// Its id.
    pub id: MessageId,
    /// The idempotency key of the request, hashed.
    pub key: Option<RequestHash>,
    /// The request, hashed; tells a retry from a key used for something else.
    pub request: RequestHash,
    /// To whom.
    pub to: Address,
    /// The channels and senders it may go by, the preferred first; each names its sender.
    pub routes: Vec<Message>,
    /// Whether it needs an opt-in.
    pub require_opt_in: RequireOptIn,
    /// What is said.
    pub payload: Payload,
    /// When it is of no use any more.
    pub expires_at: Timestamp,
    /// Where the person is, if the caller says so; kept with what is personal.
    pub zone: Option<Zone>,
    /// What holds it back by the first of its routes, if anything does.
    pub held: Option<Held>,
}

/// What holds a message back that may go later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Why; these pass by themselves.
    pub reasons: Reasons,
    /// When it is decided again.
    pub until: Timestamp,
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub enum Queueing {
    /// It is queued, and durable.
    Queued(Box<StoredMessage>),
    /// The same request queued it before.
    Retried(Box<StoredMessage>),
    /// The key was used for another request; nothing was queued.
    KeyReused,
}

/// A message as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its id.
    pub id: MessageId,
    /// To whom, and what is said; absent once the person is erased.
    pub personal: Option<(Address, Payload)>,
    /// The channels and senders it may go by.
    pub routes: Vec<Message>,
    /// The place of the one in force.
    pub route: u16,
    /// Whether it needs an opt-in.
    pub require_opt_in: RequireOptIn,
    /// Where the person is, if the caller said so; gone once the person is erased.
    pub zone: Option<Zone>,
    /// Where it is on its way.
    pub state: MessageState,
    /// Why the gate said no, or, while it is queued, not yet; none unless it did.
    pub reasons: Reasons,
    /// Why it failed or is unknown: a word of ours or a provider's code.
    pub failure: Option<Box<str>>,
    /// The provider's id of it.
    pub provider_id: Option<Box<str>>,
    /// What came when.
    pub times: MessageTimes,
}

/// What came when; absent until it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageTimes {
    /// It was taken.
    pub queued_at: Timestamp,
    /// While it is queued, when it is decided next.
    pub due_at: Timestamp,
    /// It is of no use any more.
    pub expires_at: Timestamp,
    /// The gate last decided it.
    pub decided_at: Option<Timestamp>,
    /// The hand-over began.
    pub began_at: Option<Timestamp>,
    /// The provider took it.
    pub handed_over_at: Option<Timestamp>,
    /// The provider sent it on.
    pub sent_at: Option<Timestamp>,
    /// It arrived.
    pub delivered_at: Option<Timestamp>,
    /// The person saw it.
    pub read_at: Option<Timestamp>,
    /// It was refused, failed, or became unknown.
    pub ended_at: Option<Timestamp>,
}

/// Which messages are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageQuery {
    /// Those to these addresses, erased people's left out; all if absent.
    pub addresses: Option<Vec<AddressKey>>,
    /// Those of this sender.
    pub sender: Option<SenderId>,
    /// Those in this state.
    pub state: Option<MessageState>,
    /// Those after this position.
    pub after: Option<u64>,
}

/// Which failures of messages to one address are asked for: those after the last message that arrived
/// there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureQuery {
    /// The address.
    pub key: AddressKey,
    /// The provider's code.
    pub failure: Box<str>,
    /// Those that ended later.
    pub since: Timestamp,
    /// All but this message.
    pub besides: Option<MessageName>,
}

/// One page of messages, the newest first.
#[derive(Clone, Debug)]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<StoredMessage>,
    /// The position after which the next page begins.
    pub next: Option<u64>,
}

/// A message that was decided and may go, until its claim is revoked.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its id.
    pub id: MessageId,
    /// To whom.
    pub to: Address,
    /// How it goes.
    pub route: Message,
    /// What is said.
    pub payload: Payload,
    /// What would have refused it and was waived (rule 26).
    pub waived: Reasons,
    /// When it was taken.
    pub queued_at: Timestamp,
    /// When it is of no use any more.
    pub expires_at: Timestamp,
}

/// What a claim gave.
#[derive(Clone, Debug, Default)]
pub struct Claiming {
    /// What may be handed over now.
    pub claimed: Vec<Claimed>,
    /// Why the gate said no, for each message that it refused for good.
    pub refused: Vec<Reasons>,
    /// How many messages failed, being of no use any more or damaged.
    pub failed: usize,
    /// The senders of other ways that refused messages wait for now.
    pub rerouted: Vec<SenderId>,
    /// Whether more is due at once.
    pub more: bool,
    /// When the next message of the sender is due, if one waits.
    pub next_due_at: Option<Timestamp>,
}

/// How the hand-over of a claimed message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// The message.
    pub id: MessageId,
    /// When it began; absent if it did not.
    pub began_at: Option<Timestamp>,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    pub end: HandOverEnd,
}

/// How a hand-over ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandOverEnd {
    /// The provider has it.
    Accepted {
        /// The provider's id of it, if it gave one.
        provider_id: Option<Box<str>>,
    },
    /// It will never go.
    Failed {
        /// A word of ours or the provider's code.
        why: Box<str>,
    },
    /// Nobody knows.
    Unknown {
        /// A word of ours.
        why: Box<str>,
    },
    /// It did not begin, or the provider did not take it: it is decided anew at this time.
    Requeued {
        /// When.
        due_at: Timestamp,
    },
}

/// How a report names a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageName {
    /// By the provider's id of it.
    Provider(Box<str>),
    /// By ours, where the provider sends that back.
    Ours(MessageId),
}

/// A provider's report on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageReport {
    /// Which message.
    pub message: MessageName,
    /// How far it has come: `sent`, `delivered`, `read` or `failed`.
    pub state: MessageState,
    /// When.
    pub at: Timestamp,
    /// The provider's code, of a failure.
    pub failure: Option<Box<str>>,
}
