//! How an opt-in was judged by the policy of its channel, kept as evidence (rule 6).
//!
//! The judgment itself is `Policies::judge`. Whoever captures an opt-in asks it once and keeps what it said
//! with the event, so that no later policy promotes it.

use sayso_core::capture::Doubt;
use sayso_core::source::{Evidence, EvidenceText};

/// The name of the evidence that says by which policy, in which version, an opt-in was judged.
const POLICY_FIELD: &str = "sayso:policy";

/// Keeps with the evidence by what policy an opt-in was judged and why it is in doubt.
pub(crate) fn keep(judged_by: Option<&str>, doubt: Option<Doubt>, evidence: &mut Evidence) {
    let policy = judged_by.and_then(|policy| EvidenceText::parse(policy).ok());
    evidence.fields.extend(EvidenceText::parse(POLICY_FIELD).ok().zip(policy));
    if let Some(doubt) = doubt {
        doubt.keep_in(evidence);
    }
}
