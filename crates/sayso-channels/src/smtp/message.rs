//! Writing an email: its headers, and its words as plain text.
//!
//! All of it is ASCII but addresses that are not: other letters are encoded, so that no relay on the way
//! has to. Nothing that is given can add a header or a recipient.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use sayso_core::address::Address;
use sayso_core::address::email::Email;
use sayso_core::limits::{MESSAGE_SUBJECT_CHARS_MAX, MESSAGE_TEXT_BYTES_MAX};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Channel;

use crate::outbound::{CannotSend, Outgoing, Payload, check_text, question_as_text};

/// What an email says besides its words.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'a> {
    /// How the sender is called.
    pub name: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// Where a mail program leaves with one click, `https` alone; absent in what nobody leaves.
    pub unsubscribe_url: Option<&'a str>,
    /// When it is sent.
    pub at: Timestamp,
}

/// An email as it goes to a relay.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who is told that it cannot be delivered: the sender.
    pub from: lettre::Address,
    /// To whom.
    pub to: lettre::Address,
    /// Its `Message-ID`, without the angle brackets.
    pub id: String,
    /// The whole message, lines ended by CR and LF.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Writes the email of a message.
///
/// `from` is an email address. The message's id and the sender's domain make the `Message-ID`, by which
/// reports of other systems may name it.
///
/// # Errors
/// [`CannotSend`]: templates there are none.
pub fn compose(outgoing: &Outgoing<'_>, heading: &Heading<'_>) -> Result<Mail, CannotSend> {
    if outgoing.channel != Channel::Email {
        return Err(CannotSend::WrongChannel);
    }
    let Address::Email(to) = outgoing.to else { return Err(CannotSend::WrongAddress) };
    let to = path(to).ok_or(CannotSend::WrongAddress)?;
    let wrong_sender = CannotSend::WrongSender { expected: "an email address" };
    let from = Email::parse(outgoing.from).ok().as_ref().and_then(path).ok_or(wrong_sender)?;
    check_text("the subject", heading.subject, MESSAGE_SUBJECT_CHARS_MAX)?;
    let text = text(&outgoing.payload)?;
    let id = format!("{}@{}", outgoing.our_id, from.domain());
    let mut builder = Message::builder()
        .from(Mailbox::new(Some(one_line(heading.name)), from.clone()))
        .to(Mailbox::new(None, to.clone()))
        .subject(one_line(heading.subject))
        .date(moment(heading.at))
        .message_id(Some(format!("<{id}>")))
        .header(ContentType::TEXT_PLAIN);
    if let Some(url) = heading.unsubscribe_url {
        for (name, value) in
            [("List-Unsubscribe", format!("<{url}>")), ("List-Unsubscribe-Post", ONE_CLICK.into())]
        {
            builder = builder.raw_header(plain_header(name, value)?);
        }
    }
    let message = builder.body(text).map_err(|_| CannotSend::WrongAddress)?;
    Ok(Mail { from, to, id, bytes: message.formatted() })
}

/// What a mail program posts to leave.
///
/// *Source*: RFC 8058, section 3.2.
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// The longest line of a header that stands as it is. *Source*: RFC 5322, section 2.1.1.
const HEADER_BYTES_MAX: usize = 998;

/// A header whose value stands as it is: folded or encoded, a URL would be none.
fn plain_header(name: &'static str, value: String) -> Result<HeaderValue, CannotSend> {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_graphic());
    let length = name.len() + value.len() + 2;
    if !is_plain {
        return Err(CannotSend::WrongStatusUrl);
    }
    if length > HEADER_BYTES_MAX {
        let part = "the link to unsubscribe";
        return Err(CannotSend::TooLong { part, length, limit: HEADER_BYTES_MAX });
    }
    let name = HeaderName::new_from_ascii_str(name);
    Ok(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value))
}

fn path(email: &Email) -> Option<lettre::Address> {
    let (user, domain) = email.as_str().rsplit_once('@')?;
    lettre::Address::new(user, domain).ok()
}

fn text(payload: &Payload<'_>) -> Result<String, CannotSend> {
    let (part, text) = match *payload {
        Payload::Text(text) => ("the text", text.to_owned()),
        Payload::Template { .. } => return Err(CannotSend::NoTemplates),
        Payload::Question { text, buttons } => {
            check_text("the question", text, MESSAGE_TEXT_BYTES_MAX)?;
            ("the question with its answers", question_as_text(text, buttons))
        }
    };
    let text = plain_lines(&text);
    check_text(part, &text, MESSAGE_TEXT_BYTES_MAX)?;
    Ok(text)
}

/// The lines of a text as relays take them: each way to end a line is one, and of the other control
/// characters only the tab stays. A bare CR or LF ends a line for some relays and not for others, which is how
/// one email becomes two; a NUL ends the text for some.
///
/// *Source*: RFC 5321, sections 2.3.8 and 4.1.1.4.
fn plain_lines(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}', '\u{85}'], "\n");
    lines.chars().filter(|letter| matches!(letter, '\n' | '\t') || !letter.is_control()).collect()
}

/// A text in one line: a header ends with it.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn moment(at: Timestamp) -> SystemTime {
    let micros = u64::try_from(at.as_micros()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}
