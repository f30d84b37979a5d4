//! Meta's error codes. They also come through Gupshup.

use crate::failure::{ErrorMeaning, Failure};
use crate::json::Object;

/// What a code means.
///
/// *Source*: Meta, Cloud API error codes; which of them say something about consent is rule 12's.
pub(crate) const fn meaning(code: i64) -> Option<ErrorMeaning> {
    match code {
        131_050 => Some(ErrorMeaning::MarketingStop),
        // The person's limit of marketing, the holdout of an experiment, not reachable: rule 12
        // says that they are no refusals.
        131_049 | 130_472 | 131_026 => Some(ErrorMeaning::SaysNothing),
        131_047 => Some(ErrorMeaning::OutsideWindow),
        131_048 => Some(ErrorMeaning::SpamLimited),
        // The app's, the account's, the number's limit; and the one for two who write to each other.
        4 | 80_007 | 130_429 => Some(ErrorMeaning::RateLimited),
        131_056 => Some(ErrorMeaning::PersonLimited),
        // Locked, blocked for policy, too many wrong categories.
        368 | 131_031 | 131_064 => Some(ErrorMeaning::AccountBlocked),
        // An expired or wrong token, a missing permission (from general knowledge, unconfirmed).
        0 | 3 | 10 | 190 | 200..=299 => Some(ErrorMeaning::WrongCredentials),
        // Something went wrong, the service is away (from general knowledge, unconfirmed).
        1 | 2 | 131_000 | 131_016 => Some(ErrorMeaning::Retryable),
        // The sender itself, a BSUID where a phone is needed, marketing sent by the wrong API, a
        // country that may not be written to, a kind of message, a template that is missing,
        // paused or disabled.
        131_021 | 131_051 | 131_062 | 131_063 | 130_497 | 132_001 | 132_015 | 132_016 => {
            Some(ErrorMeaning::Permanent)
        }
        _ => None,
    }
}

/// Reads an error of Meta's: `{code, title, message, error_data: {details}}`.
pub(crate) fn read(error: &Object<'_>) -> Failure {
    let code = error.integer("code");
    let meaning = code.and_then(meaning).unwrap_or(ErrorMeaning::Permanent);
    // The message of a send repeats what was sent; the title and the details are of a catalog.
    let details = error.object("error_data").and_then(|data| data.text("details"));
    let words = details.or_else(|| error.text("title")).or_else(|| error.text("message"));
    let code = code.map_or_else(|| "none".to_owned(), |code| code.to_string());
    Failure::new(code, meaning, &words.unwrap_or_default())
}
