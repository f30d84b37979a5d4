//! What is counted of a sender, by the hour: what went, and what came back.
//!
//! Counts are no facts about people: they say how a sender stands (`sayso-core::sender_health`), and how
//! many inferred refusals a day has seen (rule 15). They are kept for two days, those of groups for good.

use sayso_core::id::{ImportId, SenderId};
use sayso_core::sender_health::Traffic;

/// Of what something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Of a sender.
    Sender(SenderId),
    /// Of refusals that are held together.
    Group(ImportId),
}

/// What is counted. The store counts by itself what was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// A person said no.
    Refused,
    /// A person blocked the sender.
    Complained,
    /// A refusal was inferred from a provider's error.
    Inferred,
    /// An inferred refusal was held.
    Held,
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
}
