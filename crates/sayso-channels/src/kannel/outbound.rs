//! Sending through smsbox, and reading its answer.

use sayso_core::address::Address;
use sayso_core::words::channel::Channel;

use super::{Credentials, charset, inbound};
use crate::call::Method;
use crate::failure::{ErrorMeaning, Failure};
use crate::form::{encode, with_parameter};
use crate::outbound::{
    Answer, CannotSend, HandOver, HttpRequest, OUR_ID_PARAMETER, Outgoing, Payload, check_text,
    question_as_text,
};

/// The longest text, in characters: as long as Twilio's, about ten messages on the phone. Kannel
/// itself has no such bound.
const TEXT_CHARS_MAX: usize = 1_600;

/// The longest sender: a number of 15 digits with its plus.
const SENDER_CHARS_MAX: usize = 16;

/// The reports asked for: delivered 1, not delivered 2, buffered 4, accepted by the carrier 8, and
/// rejected by it 16.
const REPORTS: &str = "31";

/// Builds the request that sends a message.
///
/// `from` is a number, a short code or a name. The URL holds the password.
///
/// # Errors
/// [`CannotSend`]: templates there are none, and the URL for reports must do without `%`, which
/// Kannel would read as an escape.
pub fn send(outgoing: &Outgoing<'_>, credentials: &Credentials) -> Result<HttpRequest, CannotSend> {
    if outgoing.channel != Channel::Sms {
        return Err(CannotSend::WrongChannel);
    }
    let Address::Phone(to) = outgoing.to else { return Err(CannotSend::WrongAddress) };
    let is_sender = (1..=SENDER_CHARS_MAX).contains(&outgoing.from.len())
        && outgoing
            .from
            .bytes()
            .all(|byte| matches!(byte, b'+' | b' ') || byte.is_ascii_alphanumeric());
    if !is_sender {
        return Err(CannotSend::WrongSender { expected: "a number, a short code or a name" });
    }
    let text = text(&outgoing.payload)?;
    let coding = if charset::is_gsm(&text) { "0" } else { "2" };
    let to = to.to_string();
    let mut pairs = vec![
        ("username", credentials.username.as_str()),
        ("password", credentials.password.as_str()),
        ("from", outgoing.from),
        ("to", &to),
        ("charset", "UTF-8"),
        ("coding", coding),
        ("text", &text),
    ];
    let report_url = outgoing.status_url.map(|url| report_url(url, outgoing.our_id)).transpose()?;
    if let Some(url) = &report_url {
        pairs.extend([("dlr-mask", REPORTS), ("dlr-url", url)]);
    }
    Ok(HttpRequest {
        method: Method::Get,
        url: format!("{}/cgi-bin/sendsms?{}", credentials.base_url.as_str(), encode(pairs)),
        headers: Vec::new(),
        body: Vec::new(),
    })
}

fn text(payload: &Payload<'_>) -> Result<String, CannotSend> {
    let (part, text) = match *payload {
        Payload::Text(text) => ("the text", text.to_owned()),
        Payload::Template { .. } => return Err(CannotSend::NoTemplates),
        Payload::Question { text, buttons } => {
            check_text("the question", text, TEXT_CHARS_MAX)?;
            if buttons.is_empty() {
                return Err(CannotSend::Empty { part: "the list of buttons" });
            }
            ("the question with its answers", question_as_text(text, buttons))
        }
    };
    check_text(part, &text, TEXT_CHARS_MAX)?;
    Ok(text)
}

/// The URL for reports, with our id and the escapes for what is read.
fn report_url(status_url: &str, our_id: &str) -> Result<String, CannotSend> {
    let url = with_parameter(status_url, OUR_ID_PARAMETER, our_id);
    if url.contains('%') {
        return Err(CannotSend::WrongStatusUrl);
    }
    Ok(format!("{url}&{}", inbound::with_escapes(&inbound::REPORT)))
}

/// Reads the answer to [`send`]: `0: Accepted for delivery`, `3: Queued for later delivery`, or
/// `Temporal failure, try again later.`, the one failure that Kannel documents as not taken.
pub fn read_answer(answer: &Answer<'_>) -> HandOver {
    let body = answer.body.trim_ascii();
    let is_taken = [&b"0:"[..], b"3:"].iter().any(|word| body.starts_with(word));
    if answer.is_success() && is_taken {
        return HandOver::Accepted { provider_id: None, recipient: None };
    }
    if answer.status == 503 && body.starts_with(b"Temporal failure") {
        let words = "Kannel asks to try again later";
        return answer.later(Failure::new("http 503", ErrorMeaning::RateLimited, words));
    }
    answer.by_status()
}
