//! Why it is in doubt what a statement is about, or what it is worth, kept as evidence.

use crate::words::channel::words;
use crate::words::source::{Evidence, EvidenceText};

words! {
    /// Why it is in doubt what a statement is about, or what it is worth (rules 5 and 6).
    Doubt {
        /// The workspace has no such sender on the channel, or has it no longer.
        UnknownSender = "unknown_sender", 1;
        /// The workspace has no such topic, or has it no longer.
        UnknownTopic = "unknown_topic", 2;
        /// The policy of the channel does not admit it (rule 6).
        NotAdmitted = "not_admitted", 3;
        /// Anybody may have typed the address, and it would lift a refusal.
        Unproven = "unproven", 4;
    }
}

/// The name of the evidence that says why an opt-in is pending.
pub const DOUBT_FIELD: &str = "sayso:doubt";

impl Doubt {
    /// Keeps with the evidence why an opt-in is pending.
    pub fn keep_in(self, evidence: &mut Evidence) {
        let name = EvidenceText::parse(DOUBT_FIELD).ok();
        evidence.fields.extend(name.zip(EvidenceText::parse(self.as_str()).ok()));
    }
}
