//! What is counted of a sender, by the hour: what went, and what came back.
//!
//! Counts are no facts about people: they say how a sender stands (`sayso-core::sender_health`), and how
//! many inferred refusals a day has seen (rule 15), how many unproven ones an hour of a site, and how far people
//! come from an entry point. Those of senders are kept for two days, those of sites for a week, the others for
//! good.

use sayso_core::gate::sender_health::Traffic;
use sayso_core::id::{EntryPointId, ImportId, SenderId};
use sayso_core::words::source::SourceName;
use sha2::{Digest, Sha256};

/// Of what something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Of a sender.
    Sender(SenderId),
    /// Of refusals that are held together.
    Group(ImportId),
    /// Of an entry point.
    EntryPoint(EntryPointId),
    /// Of a site, by a hash of its public key.
    Site([u8; 16]),
}

impl Counted {
    /// Of the site with this public key.
    pub fn site(key: &SourceName) -> Self {
        let full: [u8; 32] = Sha256::digest(key.as_str()).into();
        Self::Site(full.first_chunk().copied().unwrap_or_default())
    }
}

/// What is counted. The store counts by itself what was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// A person said no; of an entry point, one who opted in there.
    Refused,
    /// A person blocked the sender.
    Complained,
    /// A refusal was inferred from a provider's error.
    Inferred,
    /// An inferred refusal was held.
    Held,
    /// An opt-in page was shown.
    Shown,
    /// A chat was opened from it.
    Started,
    /// A person opted in there.
    OptedIn,
    /// A message from the address confirmed it.
    Confirmed,
    /// A page of a site said no of somebody, and nobody vouched for it.
    Unproven,
}

/// What the counts come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tallied {
    /// In this hour and the 23 before.
    pub traffic: Traffic,
    /// Since the day began, in UTC.
    pub inferred_today: u64,
    /// Ever.
    pub held: u64,
    /// Ever, of an entry point.
    pub reach: Reach,
    /// Lately, of a site.
    pub unproven: UnprovenRefusals,
}

/// Refusals of a site that nobody vouched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnprovenRefusals {
    /// In this hour.
    pub this_hour: u64,
    /// In the hours of [`UNPROVEN_USUAL_WINDOW`](sayso_core::limits::UNPROVEN_USUAL_WINDOW) before it.
    pub before: u64,
}

/// How far people came from an entry point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Pages that were shown.
    pub shown: u64,
    /// Chats that were opened from them.
    pub started: u64,
    /// Opt-ins.
    pub opted_in: u64,
    /// Those that a message from the address confirmed.
    pub confirmed: u64,
    /// People who opted in there and said no later.
    pub refused: u64,
}
