//! Double opt-ins: what is pending until its address answers, and whether a question went there; and requests
//! for a link, which draw on the same budget: what anybody can have sent costs money.
//!
//! A row is kept for whoever signs up, also where no question goes: one that went within three days is
//! enough, and a limit is told to nobody. So a page that waits for a code is the same for all (rule 23).
//! They are no events: that something is pending is one, and that it is confirmed is another. Rows are gone
//! after [`limits::DOUBLE_OPT_IN_ASKED_WITHIN`].
//!
//! [`limits::DOUBLE_OPT_IN_ASKED_WITHIN`]: sayso_core::limits::DOUBLE_OPT_IN_ASKED_WITHIN

use sayso_core::address::AddressKey;
use sayso_core::id::{DoubleOptInId, EventId, FormId};
use sayso_core::proof::double_opt_in::{AnswerBy, CodeHash, CountedBy, Counters};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Permission};
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::source::{Evidence, Source};

use crate::message::MessageDraft;

/// What was ticked and is pending, and the question about it.
#[derive(Clone, Debug)]
pub struct DoubleOptInDraft {
    /// Its id, if the request was not made before.
    pub id: DoubleOptInId,
    /// The request: the same again is the same double opt-in.
    pub request: RequestHash,
    /// Under what its question is counted.
    pub counters: Counters,
    /// The code in the question; none in one that brings a link.
    pub code: Option<CodeHash>,
    /// The question, where it goes by a sender; absent where a simulated phone takes it.
    pub message: Option<MessageDraft>,
    /// What waits for the answer.
    pub waiting: Waiting,
}

/// A question for somebody's own link, which is sent to their address. It is counted with the questions of
/// double opt-ins, whether or not anything is known of the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRequest {
    /// Its id, if the request was not made before.
    pub id: DoubleOptInId,
    /// The request: the same again is not counted, and sends nothing.
    pub request: RequestHash,
    /// Under what it is counted.
    pub counters: Counters,
    /// The address that was typed.
    pub address: AddressKey,
}

/// What waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Whose answer.
    pub address: AddressKey,
    /// How it is given.
    pub by: AnswerBy,
    /// The channel that the question goes by.
    pub channel: Channel,
    /// The pending events, with what they are about; not empty.
    pub pending: Vec<(EventId, Permission)>,
    /// When they occurred.
    pub pending_at: Timestamp,
    /// What proves them, the notice among it.
    pub evidence: Evidence,
    /// Where they came from.
    pub source: Source,
    /// The form that they came by, if they did.
    pub form: Option<FormId>,
}

/// A double opt-in as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDoubleOptIn {
    /// Its id.
    pub id: DoubleOptInId,
    /// What waits.
    pub waiting: Waiting,
    /// When its own question went; absent where none did.
    pub asked_at: Option<Timestamp>,
    /// When it was first answered.
    pub answered_at: Option<Timestamp>,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// The double opt-in: the one that the same request made before, if it did.
    pub id: DoubleOptInId,
    /// Whether its question goes.
    pub end: AskingEnd,
}

/// Whether a question goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskingEnd {
    /// It does; its message is queued, if it has one.
    Asked,
    /// The same request asked it before.
    Retried,
    /// The address was asked too lately, or what is pending is too old.
    TooSoon,
    /// As many went today as may.
    Limited(CountedBy),
}

/// What an answer came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answering {
    /// It proves the address, now or by the same answer before; the time is that of the first.
    Right(Box<StoredDoubleOptIn>, Timestamp),
    /// It does not; so many tries are left.
    Wrong {
        /// How many.
        tries_left: u32,
    },
    /// It proves the address, and comes too late.
    Lapsed,
    /// There is no such double opt-in.
    Unknown,
}
