//! Gupshup's own error codes; beyond them come Meta's.

use crate::failure::{ErrorMeaning, Failure};
use crate::json::Object;
use crate::meta;

/// What a code means.
///
/// *Source*: partner-docs.gupshup.io, error codes.
pub(super) fn meaning(code: i64) -> ErrorMeaning {
    match code {
        // Not on WhatsApp. An outage of Gupshup's once gave it to everybody, so rule 12 lets it say
        // nothing.
        1002 => ErrorMeaning::SaysNothing,
        // Outside the 24 hours, and no template or no opt-in that Gupshup knows of.
        1004..=1008 => ErrorMeaning::OutsideWindow,
        // The person is on the app's list of opt-outs.
        1012 => ErrorMeaning::SenderBlocked,
        // No money in the account.
        1003 => ErrorMeaning::AccountBlocked,
        4001 => ErrorMeaning::RateLimited,
        500 | 4002 => ErrorMeaning::Retryable,
        _ => meta::codes::meaning(code).unwrap_or(ErrorMeaning::Permanent),
    }
}

/// Reads `{code, reason}` of a failed message.
pub(super) fn read(payload: Option<&Object<'_>>) -> Failure {
    let code = payload.and_then(|payload| payload.integer("code"));
    let reason = payload.and_then(|payload| payload.text("reason")).unwrap_or_default();
    match code {
        Some(code) => Failure::new(code.to_string(), meaning(code), &reason),
        None => Failure::new("none", ErrorMeaning::SaysNothing, &reason),
    }
}
