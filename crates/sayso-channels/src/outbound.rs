//! What we say to a provider: the message, the request it becomes, and how the answer is read.

use std::fmt;

use sayso_core::address::Address;
use sayso_core::address::phone::PhoneBook;
use sayso_core::limits::{RETRY_AFTER_MAX, TEMPLATE_VARIABLES_MAX};
use sayso_core::state::account::is_digits;
use sayso_core::time::Span;
use sayso_core::words::channel::Channel;
use thiserror::Error;

use crate::call::Method;
use crate::failure::{ErrorMeaning, Failure};
use crate::party::Party;

/// One message to one person.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The channel it goes by.
    pub channel: Channel,
    /// To whom.
    pub to: &'a Address,
    /// Our side, as the provider names it.
    pub from: &'a str,
    /// What is said.
    pub payload: Payload<'a>,
    /// Our id of the message. It comes back in reports where the provider can carry it; no
    /// provider here takes it as an idempotency key.
    pub our_id: &'a str,
    /// Where the provider should report, if it is told with each message (Twilio, Kannel): the
    /// hook's URL with its token. The message's id is added to it.
    pub status_url: Option<&'a str>,
}

/// What a message says.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// Free-form words.
    Text(&'a str),
    /// An approved template.
    Template {
        /// Its name at Meta, its id at Gupshup and Twilio.
        name: &'a str,
        /// Its language in the provider's spelling; only Meta asks for it.
        language: &'a str,
        /// What stands for `{{1}}`, `{{2}}` and so on in its body.
        variables: &'a [String],
    },
    /// Words with buttons to answer by. Where there are no buttons, their titles follow the words.
    Question {
        /// The words.
        text: &'a str,
        /// The buttons.
        buttons: &'a [Button],
    },
}

/// A button of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What comes back as the answer's payload.
    pub id: String,
    /// The words on it.
    pub title: String,
}

/// Why no request can be made of a message. The message will never go as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CannotSend {
    /// The provider does not serve the channel.
    #[error("this provider does not send on that channel")]
    WrongChannel,
    /// The provider cannot reach such an address.
    #[error("this provider cannot send to that kind of address")]
    WrongAddress,
    /// The sender has not the form of the provider's.
    #[error("the sender is none of this provider's: {expected}")]
    WrongSender {
        /// What it should look like.
        expected: &'static str,
    },
    /// No words, no name of a template, no button, or a button without words.
    #[error("{part} is empty")]
    Empty {
        /// What is empty.
        part: &'static str,
    },
    /// Longer than the channel carries.
    #[error("{part} has {length} characters, more than {limit}")]
    TooLong {
        /// What is too long.
        part: &'static str,
        /// Its length.
        length: usize,
        /// The most there can be, both in characters (Unicode scalar values).
        limit: usize,
    },
    /// More of something than the channel carries.
    #[error("{count} {part} are more than {limit}")]
    TooMany {
        /// Of what.
        part: &'static str,
        /// How many there are.
        count: usize,
        /// The most there can be.
        limit: usize,
    },
    /// The URL for reports, or our id in it, has characters that the provider would not send back
    /// as they are.
    #[error("the URL for reports cannot go through this provider: use plain characters")]
    WrongStatusUrl,
    /// The provider has no templates: fill it in first and send the words.
    #[error("this provider has no templates")]
    NoTemplates,
}

/// A request to a provider, ready to go.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The whole URL. Kannel's holds a password: never log it.
    pub url: String,
    /// The headers, names in lower case. One may hold a token: never log them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A provider's answer.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<&'a [u8]>,
    /// The body, or as much of it as was read.
    pub body: &'a [u8],
}

/// What became of the hand-over of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// The provider has it. That is not delivery.
    Accepted {
        /// The provider's id, if it gives one.
        provider_id: Option<String>,
        /// How it names whom it sends to, if it does.
        recipient: Option<Recipient>,
    },
    /// The provider said no, and it will not go.
    Refused(Failure),
    /// The provider said not now, and did not take it.
    TryLater {
        /// How long it asked us to wait, at most [`RETRY_AFTER_MAX`].
        after: Option<Span>,
        /// Why.
        failure: Failure,
    },
    /// It may have gone or not: never sent again by itself.
    Unknown {
        /// What was odd about the answer.
        why: Oddity,
    },
}

/// How a provider names whom it sends to on WhatsApp, as it came: the one place where WhatsApp itself
/// says that two spellings of a number are one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// What we wrote, if it is repeated.
    input: Option<String>,
    /// The names that the provider has for it.
    names: Vec<String>,
}

/// What is odd about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Oddity {
    /// The provider broke down, perhaps after it took the message.
    #[error("the provider failed with status {0}")]
    ServerError(u16),
    /// Success, with a body that does not say of what.
    #[error("the provider answered {0} with a body that cannot be read")]
    Unreadable(u16),
    /// Neither success nor refusal: a redirect, an interim answer.
    #[error("the provider answered with status {0}, which says nothing")]
    Status(u16),
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

impl Recipient {
    /// The recipient with these names; `None` if there are none.
    pub(crate) fn of(
        input: Option<String>,
        names: impl IntoIterator<Item = Option<String>>,
    ) -> Option<Self> {
        let names: Vec<String> = names.into_iter().flatten().collect();
        (!names.is_empty()).then_some(Self { input, names })
    }

    /// Whoever was written to as `to`, by the provider's names; `None` where it speaks of somebody else.
    pub fn party(&self, to: &Address, book: &PhoneBook) -> Option<Party> {
        let read = |names: &mut dyn Iterator<Item = &str>| Party::on_whatsapp(names, [], book);
        let is_other = |input: &String| {
            let repeated = read(&mut std::iter::once(input.as_str()));
            !repeated.is_some_and(|party| party.addresses().any(|address| address == *to))
        };
        if self.input.as_ref().is_some_and(is_other) {
            return None;
        }
        read(&mut self.names.iter().map(String::as_str))
    }
}

impl Answer<'_> {
    /// What an answer means by its status alone.
    pub(crate) fn by_status(&self) -> HandOver {
        match self.status {
            429 => self.later(Failure::of_status(self.status)),
            200..=299 => HandOver::Unknown { why: Oddity::Unreadable(self.status) },
            400..=499 => HandOver::Refused(Failure::of_status(self.status)),
            500..=599 => HandOver::Unknown { why: Oddity::ServerError(self.status) },
            _ => HandOver::Unknown { why: Oddity::Status(self.status) },
        }
    }

    /// What an answer means that names a failure: by its status where that says more, else by the
    /// code.
    pub(crate) fn by_failure(&self, failure: Failure) -> HandOver {
        match self.status {
            429 if failure.meaning.is_passing() => self.later(failure),
            429 => self.later(Failure { meaning: ErrorMeaning::RateLimited, ..failure }),
            200..=299 | 400..=499 if failure.meaning.is_passing() => self.later(failure),
            200..=299 | 400..=499 => HandOver::Refused(failure),
            _ => self.by_status(),
        }
    }

    pub(crate) fn later(&self, failure: Failure) -> HandOver {
        HandOver::TryLater { after: self.retry_after(), failure }
    }

    /// The wait that the provider asks for. A date in place of seconds would need a clock.
    fn retry_after(&self) -> Option<Span> {
        let seconds: u32 = str::from_utf8(self.retry_after?).ok()?.trim().parse().ok()?;
        Some(Span::seconds(i64::from(seconds)).min(RETRY_AFTER_MAX))
    }

    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

/// Refuses an empty text and one that is longer than the channel carries.
pub(crate) fn check_text(part: &'static str, text: &str, limit: usize) -> Result<(), CannotSend> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        Err(CannotSend::Empty { part })
    } else if length > limit {
        Err(CannotSend::TooLong { part, length, limit })
    } else {
        Ok(())
    }
}

/// Refuses more of something than the channel carries.
pub(crate) const fn check_count(
    part: &'static str,
    count: usize,
    limit: usize,
) -> Result<(), CannotSend> {
    if count > limit { Err(CannotSend::TooMany { part, count, limit }) } else { Ok(()) }
}

/// Refuses a template without a name, or with more variables than any has.
pub(crate) fn check_template(name: &str, variables: &[String]) -> Result<(), CannotSend> {
    check_text("the template's name", name, TEMPLATE_NAME_CHARS_MAX)?;
    check_count("variables", variables.len(), TEMPLATE_VARIABLES_MAX)
}

/// The query parameter that carries our id of a message in the URL for its reports.
pub const OUR_ID_PARAMETER: &str = "sayso_message";

/// Meta's bound, the widest of all.
const TEMPLATE_NAME_CHARS_MAX: usize = 512;

/// A question where there are no buttons: its words, and the answers to choose from under them.
pub(crate) fn question_as_text(text: &str, buttons: &[Button]) -> String {
    let titles: Vec<_> = buttons.iter().map(|button| button.title.as_str()).collect();
    format!("{text}\n{}", titles.join(" / "))
}

/// A person's phone as digits without plus, or the digits that WhatsApp gave for one; other addresses are
/// of the wrong kind.
pub(crate) fn phone_digits(to: &Address) -> Result<String, CannotSend> {
    match to {
        Address::Phone(phone) => Ok(phone.digits().to_string()),
        Address::ChannelId(id) if is_digits(id.as_str()) => Ok(id.as_str().to_owned()),
        Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
            Err(CannotSend::WrongAddress)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&'static [u8]>) -> Answer<'static> {
        Answer { status, retry_after, body: b"" }
    }

    #[test]
    fn a_pause_is_bounded_and_a_date_is_none() {
        let after = |header| answer(429, Some(header)).retry_after();
        assert_eq!(after(b" 30 "), Some(Span::seconds(30)));
        assert_eq!(after(b"4000000000"), Some(RETRY_AFTER_MAX));
        for header in [&b"Fri, 31 Dec 1999 23:59:59 GMT"[..], b"-1", b"", b"\xff", b"99999999999"] {
            assert_eq!(after(header), None);
        }
    }

    #[test]
    fn every_status_says_something() {
        for status in 0..=u16::MAX {
            let passing = Failure::new("1", ErrorMeaning::Retryable, "");
            let failed = answer(status, None).by_failure(passing);
            let alone = answer(status, None).by_status();
            match status {
                429 => assert!(matches!(alone, HandOver::TryLater { .. })),
                400..=499 => assert!(matches!(alone, HandOver::Refused(_))),
                _ => assert!(matches!(alone, HandOver::Unknown { .. })),
            }
            match status {
                200..=299 | 400..=499 => assert!(matches!(failed, HandOver::TryLater { .. })),
                _ => assert!(matches!(failed, HandOver::Unknown { .. })),
            }
        }
    }

    #[test]
    fn a_request_shows_no_secret() {
        let request = HttpRequest {
            method: Method::Get,
            url: "http://h/?password=secret".to_owned(),
            headers: vec![("authorization", "secret".to_owned())],
            body: b"secret".to_vec(),
        };
        assert!(!format!("{request:?}").contains("secret"));
    }

    #[test]
    fn a_text_at_the_limit_goes_and_one_past_it_does_not() {
        assert_eq!(check_text("the text", "éé", 2), Ok(()));
        let past = CannotSend::TooLong { part: "the text", length: 3, limit: 2 };
        assert_eq!(check_text("the text", "ééé", 2), Err(past));
        assert_eq!(check_text("the text", " ", 2), Err(CannotSend::Empty { part: "the text" }));
    }
}
