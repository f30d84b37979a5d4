//! What a provider's error codes mean to us, and its reasons without anybody's address in them.

use std::fmt;

use sayso_core::limits::HOOK_WORD_BYTES_MAX;
use sayso_core::words::channel::Provider;

/// Why a message did not reach its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The provider's own code, or the HTTP status where it gave none: `131050`, `http 401`.
    pub code: String,
    /// What it means to us.
    pub meaning: ErrorMeaning,
    /// The provider's words for operators. Holds no address and nothing of the message; at most
    /// [`HOOK_WORD_BYTES_MAX`] bytes.
    pub reason: String,
}

/// What an error code means: for consent, for the sender, and for another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorMeaning {
    /// The person stopped marketing from this business on the platform: a `provider` suppression
    /// of marketing (rule 12).
    MarketingStop,
    /// The person stopped this sender at the provider: a `provider` suppression of that sender.
    SenderBlocked,
    /// The person blocked this sender, says an error of a send: a refusal that is inferred, for nobody
    /// says that they did (rule 15).
    InferredRefusal,
    /// No such address on this channel: an `invalid` suppression.
    NotOnChannel,
    /// The same, by our reading of a code (unconfirmed): it counts once several messages fail so.
    PerhapsNotOnChannel,
    /// Not delivered, for reasons that say nothing about consent, and trying again soon is no use.
    SaysNothing,
    /// Free-form words outside the 24 hours after the person's last message.
    OutsideWindow,
    /// Too fast for the account or the number: back off.
    RateLimited,
    /// Too fast for this person: only what is for them waits.
    PersonLimited,
    /// Too many earlier messages were blocked or flagged: back off, and the sender's health is bad.
    SpamLimited,
    /// The sender or its account is locked or restricted: stop sending.
    AccountBlocked,
    /// The provider does not accept our credentials: stop sending until they are renewed.
    WrongCredentials,
    /// Something passing at the provider; the same message may go later.
    Retryable,
    /// This message will never go as it is.
    Permanent,
}

impl ErrorMeaning {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MarketingStop => "marketing_stop",
            Self::SenderBlocked => "sender_blocked",
            Self::InferredRefusal => "inferred_refusal",
            Self::NotOnChannel => "not_on_channel",
            Self::PerhapsNotOnChannel => "perhaps_not_on_channel",
            Self::SaysNothing => "says_nothing",
            Self::OutsideWindow => "outside_window",
            Self::RateLimited => "rate_limited",
            Self::PersonLimited => "person_limited",
            Self::SpamLimited => "spam_limited",
            Self::AccountBlocked => "account_blocked",
            Self::WrongCredentials => "wrong_credentials",
            Self::Retryable => "retryable",
            Self::Permanent => "permanent",
        }
    }

    /// Whether the sender's other messages would be told the same: they wait together.
    pub const fn is_of_the_sender(self) -> bool {
        match self {
            Self::RateLimited | Self::SpamLimited | Self::Retryable => true,
            Self::MarketingStop
            | Self::SenderBlocked
            | Self::InferredRefusal
            | Self::NotOnChannel
            | Self::PerhapsNotOnChannel
            | Self::SaysNothing
            | Self::OutsideWindow
            | Self::PersonLimited
            | Self::AccountBlocked
            | Self::WrongCredentials
            | Self::Permanent => false,
        }
    }

    /// Whether the same message may go when asked again: the provider did not take it, and said so.
    pub const fn is_passing(self) -> bool {
        match self {
            Self::RateLimited | Self::PersonLimited | Self::SpamLimited | Self::Retryable => true,
            Self::MarketingStop
            | Self::SenderBlocked
            | Self::InferredRefusal
            | Self::NotOnChannel
            | Self::PerhapsNotOnChannel
            | Self::SaysNothing
            | Self::OutsideWindow
            | Self::AccountBlocked
            | Self::WrongCredentials
            | Self::Permanent => false,
        }
    }
}

/// Every code from which a refusal is inferred, by provider, with its source: the person acted, and the
/// provider has no signal of its own for it. Codes with which a provider tells of its own block (131050,
/// 21610, 1012) are none: it lifts that block itself. Codes that rule 12 names say nothing about consent.
pub const INFERRED_REFUSALS: &[(Provider, i64, &str)] = &[(
    Provider::Twilio,
    63_014,
    "twilio.com/docs/api/errors/63014: the recipient blocked the sender, or withdrew consent, on the channel",
)];

/// Whether a refusal is inferred from this code.
pub(crate) fn is_inferred(provider: Provider, code: i64) -> bool {
    INFERRED_REFUSALS.iter().any(|(of, known, _)| (*of, *known) == (provider, code))
}

impl fmt::Display for ErrorMeaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Failure {
    /// A failure with the provider's own words, from which every token that could be part of an
    /// address is taken out.
    pub(crate) fn new(code: impl Into<String>, meaning: ErrorMeaning, words: &str) -> Self {
        let words = without_addresses(words);
        let reason = if words.is_empty() { "no reason given".to_owned() } else { words };
        let code = cut(code.into(), HOOK_WORD_BYTES_MAX);
        // It is stored in clear: no provider has codes that could be an address.
        let code = if may_hold_address(&code) { "withheld".to_owned() } else { code };
        Self { code, meaning, reason }
    }

    /// A failure known from the HTTP status alone.
    pub(crate) fn of_status(status: u16) -> Self {
        let (meaning, reason) = match status {
            401 | 403 => (ErrorMeaning::WrongCredentials, "the provider refuses our credentials"),
            429 => (ErrorMeaning::RateLimited, "the provider asks for fewer requests"),
            _ => (ErrorMeaning::Permanent, "the provider refuses the request"),
        };
        Self { code: format!("http {status}"), meaning, reason: reason.to_owned() }
    }
}

/// A provider's sentence for logs and operators. A word with three digits or more may be part of a
/// number, one with an `@` or a dotted id an address; a code of three digits lost is no harm, since
/// the code has a field of its own.
fn without_addresses(words: &str) -> String {
    let may_be_address = |word: &str| {
        word.contains('@')
            || word.chars().filter(char::is_ascii_digit).count() >= 3
            || word.chars().any(|c| c.is_numeric() && !c.is_ascii())
    };
    let kept = words.split_whitespace().map(|word| if may_be_address(word) { "…" } else { word });
    let mut sentence = String::new();
    for word in kept {
        if sentence.len() + word.len() >= HOOK_WORD_BYTES_MAX {
            break;
        }
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(word);
    }
    sentence
}

/// Whether a code has an `@`, or as many digits in a row as the shortest number.
fn may_hold_address(code: &str) -> bool {
    let longest = code
        .split(|letter: char| !letter.is_numeric())
        .map(|digits| digits.trim_start_matches('0').len());
    code.contains('@') || longest.max().unwrap_or(0) >= SHORTEST_NUMBER_DIGITS
}

/// Codes are shorter: six digits at Meta, and SMPP's are filled up with zeros.
const SHORTEST_NUMBER_DIGITS: usize = 7;

/// The longest beginning of `text` that has at most `bytes` bytes and ends between characters.
pub(crate) fn cut(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_holds_no_address() {
        let code = |code: &str| Failure::new(code, ErrorMeaning::Permanent, "").code;
        for kept in ["131050", "0x0000000b", "UNDELIV 001", "5.1.1", "http 503", "30003"] {
            assert_eq!(code(kept), kept);
        }
        for withheld in ["4155550101", "no-route-14155550101", "ada@shop.example", "٤١٥٥٥٥٠١"]
        {
            assert_eq!(code(withheld), "withheld");
        }
    }

    #[test]
    fn a_reason_holds_no_address() {
        let words = "The 'To' number +1 (555) 010-0001 of ana@example.org is wrong, see 24 h";
        assert_eq!(without_addresses(words), "The 'To' number +1 … … of … is wrong, see 24 h");
        assert_eq!(without_addresses("Nummer ٠١٢٣ falsch"), "Nummer … falsch");
    }

    #[test]
    fn a_reason_is_short() {
        let reason = without_addresses(&"word ".repeat(1_000));
        assert!(reason.len() <= HOOK_WORD_BYTES_MAX, "{}", reason.len());
    }

    #[test]
    fn a_cut_ends_between_characters() {
        assert_eq!(cut("aé".to_owned(), 2), "a");
        assert_eq!(cut("aé".to_owned(), 3), "aé");
    }
}
