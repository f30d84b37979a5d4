//! The subject of an email: what is sent by email has one, and nothing else has.

use sayso_core::limits;
use sayso_core::words::channel::Channel;
use sayso_store::message::Payload;

use crate::body::Faults;
use crate::personal_links::waits;
use crate::problem::Code;

/// One that would do.
const EXAMPLE: &str = "Your order is ready";

/// The payload with its subject, where it goes by email.
pub(super) fn with_subject(
    payload: Option<Payload>,
    subject: Option<String>,
    channels: &[Channel],
    faults: &mut Faults,
) -> Option<Payload> {
    if !channels.contains(&Channel::Email) {
        if subject.is_some() {
            faults.note("/subject", Code::InvalidValue, "is for the channel email alone");
        }
        return payload;
    }
    let subject = read(subject, faults);
    match payload? {
        Payload::Text(text) => Some(Payload::Email { subject: subject?, text }),
        Payload::Template { .. } => {
            let fault =
                "is for channels whose providers have templates; an email has subject and text";
            faults.note("/template", Code::InvalidValue, fault);
            None
        }
        payload @ (Payload::Email { .. } | Payload::Question { .. }) => Some(payload),
    }
}

fn read(subject: Option<String>, faults: &mut Faults) -> Option<Box<str>> {
    let subject = faults.require("/subject", subject, EXAMPLE)?;
    let subject = subject.trim();
    if waits(subject) {
        faults.note("/subject", Code::InvalidValue, "holds a link, which stands in the text");
        return None;
    }
    let is_good = (1..=limits::MESSAGE_SUBJECT_CHARS_MAX).contains(&subject.chars().count())
        && !subject.chars().any(char::is_control);
    if !is_good {
        let most = limits::MESSAGE_SUBJECT_CHARS_MAX;
        let fault = format!("is not 1 to {most} characters in one line");
        faults.note_with_example("/subject", Code::InvalidValue, fault, EXAMPLE);
        return None;
    }
    Some(subject.into())
}
