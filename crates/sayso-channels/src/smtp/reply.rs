//! What a relay's reply means that is no success.
//!
//! A relay that has not answered the end of the text with success has not taken the message: it says so
//! with every other reply, and a code that begins with 4 says that it may take it later. An enhanced code
//! (`5.1.1`) says what is wrong; without one, only that something is.
//!
//! *Source*: RFC 5321, sections 4.2 and 6.1; RFC 3463 and the registry of enhanced status codes.

use crate::failure::{ErrorMeaning, Failure};
use crate::outbound::{HandOver, Oddity};

/// What the relay was asked when it replied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// To speak with us.
    Opening,
    /// To let us in.
    LogIn,
    /// To take a message of this sender.
    Sender,
    /// To take it for this person.
    Recipient,
    /// To take the text.
    Text,
}

impl Stage {
    /// Whether nothing of a message was said yet: its other messages would fare the same.
    pub const fn is_before_message(self) -> bool {
        match self {
            Self::Opening | Self::LogIn => true,
            Self::Sender | Self::Recipient | Self::Text => false,
        }
    }
}

/// Reads a reply that is no success: its code of three digits, and its words.
///
/// Never [`HandOver::Accepted`]. A relay that lets nobody in refuses no message: it is asked again later.
pub fn read_refusal(stage: Stage, code: u16, words: &str) -> HandOver {
    let (enhanced, rest) = match words.split_once(' ').unwrap_or((words, "")) {
        (first, rest) if is_enhanced(first, code) => (Some(first), rest),
        _ => (None, words),
    };
    let name = enhanced.map_or_else(|| format!("smtp {code}"), str::to_owned);
    let failure = |meaning| Failure::new(name.clone(), meaning, rest);
    let is_log_in = stage == Stage::LogIn || (!stage.is_before_message() && asks_for_log_in(code));
    let later = |meaning| HandOver::TryLater { after: None, failure: failure(meaning) };
    match code {
        400..=499 if stage == Stage::Recipient => later(ErrorMeaning::PersonLimited),
        400..=499 => later(ErrorMeaning::Retryable),
        500..=599 if is_log_in => later(ErrorMeaning::WrongCredentials),
        500..=599 if stage.is_before_message() => later(ErrorMeaning::Retryable),
        500..=599 if stage == Stage::Recipient => HandOver::Refused(failure(of_person(enhanced))),
        500..=599 => HandOver::Refused(failure(ErrorMeaning::Permanent)),
        _ => HandOver::Unknown { why: Oddity::Status(code) },
    }
}

/// Whether a reply to anything means that we are not logged in. *Source*: RFC 4954, section 6.
const fn asks_for_log_in(code: u16) -> bool {
    matches!(code, 530 | 534 | 535 | 538)
}

/// Whether a word is an enhanced code of the same class as the code.
fn is_enhanced(word: &str, code: u16) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let is_number = |part: &str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    match parts.as_slice() {
        [class, subject, detail] => {
            *class == (code / 100).to_string() && is_number(subject) && is_number(detail)
        }
        _ => false,
    }
}

/// What the refusal of a recipient says about the person. A code that a relay also uses for its own
/// policies says nothing: it must not block everybody whom a wrongly set relay refuses.
fn of_person(enhanced: Option<&str>) -> ErrorMeaning {
    match enhanced {
        // No such mailbox; a domain that takes no mail (RFC 7505).
        Some("5.1.1" | "5.1.10") => ErrorMeaning::NotOnChannel,
        // No such domain; no address; moved away (by our reading).
        Some("5.1.2" | "5.1.3" | "5.1.6") => ErrorMeaning::PerhapsNotOnChannel,
        // Disabled or full.
        Some("5.2.1" | "5.2.2") => ErrorMeaning::SaysNothing,
        Some(_) | None => ErrorMeaning::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: [Stage; 5] =
        [Stage::Opening, Stage::LogIn, Stage::Sender, Stage::Recipient, Stage::Text];

    /// One line for what a reply means.
    fn means(stage: Stage, code: u16, words: &str) -> String {
        match read_refusal(stage, code, words) {
            HandOver::Accepted { .. } => "accepted".to_owned(),
            HandOver::Refused(failure) => {
                format!("refused {} [{}] {}", failure.meaning, failure.code, failure.reason)
            }
            HandOver::TryLater { after: None, failure } => {
                format!("later {} [{}] {}", failure.meaning, failure.code, failure.reason)
            }
            HandOver::TryLater { after: Some(_), .. } => "later, at a time".to_owned(),
            HandOver::Unknown { why } => format!("unknown: {why}"),
        }
    }

    #[test]
    fn every_reply_of_the_table_means_what_its_code_says() {
        let table = [
            (
                Stage::Recipient,
                550,
                "5.1.1 No such user",
                "refused not_on_channel [5.1.1] No such user",
            ),
            (Stage::Recipient, 556, "5.1.10 null MX", "refused not_on_channel [5.1.10] null MX"),
            (
                Stage::Recipient,
                550,
                "5.1.2 no host",
                "refused perhaps_not_on_channel [5.1.2] no host",
            ),
            (
                Stage::Recipient,
                552,
                "5.2.2 Mailbox full",
                "refused says_nothing [5.2.2] Mailbox full",
            ),
            (
                Stage::Recipient,
                550,
                "No such user here",
                "refused permanent [smtp 550] No such user here",
            ),
            (Stage::Recipient, 550, "4.1.1 odd", "refused permanent [smtp 550] … odd"),
            (
                Stage::Recipient,
                554,
                "5.7.1 Relay access denied",
                "refused permanent [5.7.1] Relay access denied",
            ),
            (Stage::Recipient, 451, "4.7.1 Greylisted", "later person_limited [4.7.1] Greylisted"),
            (Stage::Recipient, 450, "", "later person_limited [smtp 450] no reason given"),
            (
                Stage::Sender,
                530,
                "5.7.0 Log in first",
                "later wrong_credentials [5.7.0] Log in first",
            ),
            (Stage::Sender, 550, "5.1.1 You?", "refused permanent [5.1.1] You?"),
            (Stage::Sender, 421, "4.3.2 Closing", "later retryable [4.3.2] Closing"),
            (Stage::LogIn, 535, "5.7.8 No", "later wrong_credentials [5.7.8] No"),
            (Stage::LogIn, 454, "4.7.0 Later", "later retryable [4.7.0] Later"),
            (Stage::Opening, 554, "No service", "later retryable [smtp 554] No service"),
            (Stage::Text, 554, "5.6.0 Not like this", "refused permanent [5.6.0] Not like this"),
            (Stage::Text, 452, "4.3.1 Full", "later retryable [4.3.1] Full"),
            (
                Stage::Text,
                354,
                "Go on",
                "unknown: the provider answered with status 354, which says nothing",
            ),
        ];
        for (stage, code, words, wanted) in table {
            assert_eq!(means(stage, code, words), wanted, "{stage:?} {code} {words}");
        }
    }

    #[test]
    fn no_refusal_is_a_success_and_none_names_anybody() {
        for stage in STAGES {
            for code in 0..=999 {
                let meaning = means(stage, code, "5.1.1 <ada@example.org> is unknown");
                assert!(!meaning.starts_with("accepted"), "{stage:?} {code}");
                assert!(!meaning.contains("ada@"), "{meaning}");
            }
        }
    }

    #[test]
    fn what_is_said_before_a_message_refuses_no_message() {
        for stage in STAGES.into_iter().filter(|stage| stage.is_before_message()) {
            for code in 400..=599 {
                assert!(means(stage, code, "").starts_with("later"), "{stage:?} {code}");
            }
        }
    }
}
