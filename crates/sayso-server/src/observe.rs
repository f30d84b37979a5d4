//! What operators see: metrics with fixed names, logs, request ids.
//!
//! Neither holds personal data. A log line names the route by its template, never the path, the
//! query or a body; addresses, tokens and evidence are never logged (a test scans for them).

use sayso_core::gate::reason::{Reason, Reasons};
use sayso_store::store::Outcome;

pub(crate) use ends::{DoubleOptInEnd, FormEnd};
pub use metrics::Metrics;
pub(crate) use metrics::TurnedAway;
pub(crate) use request_id::RequestIds;

mod ends;
mod logs;
mod metrics;
mod request_id;
mod seldom;

pub use logs::{LogControl, LogFault, LogForm, start_logs, subscriber};

/// The word for the outcome of recording.
pub(crate) const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Appended => "appended",
        Outcome::Retried => "retried",
        Outcome::Repeated => "repeated",
        Outcome::KeyReused => "key_reused",
        Outcome::Withheld => "withheld",
    }
}

/// The word a compact answer gives: `allow`, or the first reason.
pub(crate) fn answer_word(reasons: Reasons) -> &'static str {
    reasons.first().map_or("allow", Reason::as_str)
}
