//! Erasures: what one did, and the list of those that were done (rule 17).
//!
//! An erasure keeps the reason that it was given and destroys everything else that is personal. The
//! reason holds no personal data: who gives it is told so.

use sayso_core::address::AddressKey;
use sayso_core::id::EventId;
use sayso_core::time::Timestamp;
use sayso_core::words::source::{EvidenceText, Source};

use crate::store::Recorded;

/// How far an erasure reaches from the address that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasureReach {
    /// The address alone, with its old spellings. What is linked with it stays: nobody showed that it is the
    /// same person's.
    Address,
    /// The person: every address that is theirs alone.
    Person,
}

/// What an erasure did.
#[derive(Clone, Debug)]
pub struct Erased {
    /// Its event, about the address that was named.
    pub recorded: Recorded,
    /// How much it destroyed.
    pub counts: ErasureCounts,
}

/// How much an erasure destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasureCounts {
    /// Addresses that are the person's alone: erased.
    pub addresses: u64,
    /// Addresses shared with somebody: unlinked, with their refusals.
    pub unlinked: u64,
    /// Events whose personal part was destroyed.
    pub events: u64,
    /// Refused statements that might speak of the person: deleted.
    pub rejects: u64,
    /// Messages whose recipient and text were destroyed.
    pub messages: u64,
    /// Opt-ins that waited for an answer, and boxes ticked before a chat: deleted.
    pub waiting: u64,
}

/// An erasure that was done.
#[derive(Clone, Debug)]
pub struct StoredErasure {
    /// Its event.
    pub event: EventId,
    /// The key of the address that was named.
    pub address: AddressKey,
    /// When.
    pub erased_at: Timestamp,
    /// By whose request.
    pub source: Option<Source>,
    /// Why, as far as it was said.
    pub reason: Option<EvidenceText>,
    /// How much it destroyed.
    pub counts: ErasureCounts,
}

/// One page of erasures, the newest first.
#[derive(Clone, Debug)]
pub struct ErasurePage {
    /// The erasures.
    pub erasures: Vec<StoredErasure>,
    /// The position after which the next page begins.
    pub next: Option<u64>,
}
