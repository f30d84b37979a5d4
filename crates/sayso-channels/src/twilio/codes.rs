//! Twilio's error codes.

use sayso_core::words::channel::Provider;

use crate::failure::{ErrorMeaning, Failure, is_inferred};

/// What a code means, with words for operators: callbacks carry the code alone.
///
/// *Source*: twilio.com/docs/api/errors, and its table of WhatsApp's codes. 21610 and 63014 are
/// documented; what the others mean for us is our reading (unconfirmed), and Twilio moves cases from
/// one code of bad numbers to another (its changelog of July 2024).
fn known(code: i64) -> Option<(ErrorMeaning, &'static str)> {
    let known = match code {
        code if is_inferred(Provider::Twilio, code) => {
            (ErrorMeaning::InferredRefusal, "the person blocked this sender")
        }
        21_610 => (ErrorMeaning::SenderBlocked, "the person texted a stop word to this sender"),
        21_211 => (ErrorMeaning::PerhapsNotOnChannel, "the number is none"),
        21_614 => (ErrorMeaning::PerhapsNotOnChannel, "the number cannot receive text messages"),
        30_005 => (ErrorMeaning::PerhapsNotOnChannel, "the number is unknown to its network"),
        30_006 => (ErrorMeaning::PerhapsNotOnChannel, "the number is a landline or out of reach"),
        // The handset is off; the carrier blocks it; nobody knows. On WhatsApp: not reachable
        // there, in an experiment, past the person's limit of marketing.
        30_003 => (ErrorMeaning::SaysNothing, "the handset is out of reach"),
        30_004 => (ErrorMeaning::SaysNothing, "the message was blocked on its way"),
        30_008 => (ErrorMeaning::SaysNothing, "the carrier gives no reason"),
        63_003 | 63_024 => (ErrorMeaning::SaysNothing, "the person is not reachable on WhatsApp"),
        63_032 => (ErrorMeaning::SaysNothing, "WhatsApp holds it back for an experiment"),
        63_049 => (ErrorMeaning::SaysNothing, "WhatsApp limits marketing to this person"),
        63_016 => (ErrorMeaning::OutsideWindow, "free-form words need a message of the last 24 h"),
        14_107 | 20_429 | 63_018 => (ErrorMeaning::RateLimited, "too many requests"),
        30_007 => (ErrorMeaning::SpamLimited, "the carrier takes it for spam"),
        30_002 => (ErrorMeaning::AccountBlocked, "the account is suspended"),
        20_003 => (ErrorMeaning::WrongCredentials, "Twilio refuses our credentials"),
        30_001 => (ErrorMeaning::Retryable, "the sender's queue is full"),
        _ => return None,
    };
    Some(known)
}

/// A failure by its code, and Twilio's sentence where we have none of our own.
pub(super) fn failure(code: i64, words: &str) -> Failure {
    let (meaning, words) = known(code).unwrap_or((ErrorMeaning::Permanent, words));
    Failure::new(code.to_string(), meaning, words)
}
