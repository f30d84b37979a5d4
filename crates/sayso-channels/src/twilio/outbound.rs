//! Sending through the Messages API, and reading its answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sayso_core::address::Address;
use sayso_core::state::account::is_digits;
use sayso_core::words::channel::Channel;
use serde_json::Value;

use super::{Credentials, codes, is_sid};
use crate::call::Method;
use crate::form::{encode, with_parameter};
use crate::json::Object;
use crate::outbound::{
    Answer, CannotSend, HandOver, HttpRequest, OUR_ID_PARAMETER, Outgoing, Payload, Recipient,
    check_template, check_text, question_as_text,
};

/// The longest text, in characters, on either channel.
///
/// *Source*: Twilio, Messages resource, `Body`.
const TEXT_CHARS_MAX: usize = 1_600;

/// The longest name in place of a number, in characters.
const ALPHANUMERIC_SENDER_CHARS_MAX: usize = 11;

/// Builds the request that sends a message.
///
/// `from` is a number with plus, a short code, a name of up to 11 letters and digits, or the id of a
/// Messaging Service (`MG…`). A template is a Content SID (`HX…`). Buttons need a template, so the
/// answers of a question stand under its words.
///
/// # Errors
/// [`CannotSend`].
pub fn send(outgoing: &Outgoing<'_>, credentials: &Credentials) -> Result<HttpRequest, CannotSend> {
    let prefix = match outgoing.channel {
        Channel::Sms => "",
        Channel::WhatsApp => "whatsapp:",
        Channel::Email
        | Channel::Rcs
        | Channel::Voice
        | Channel::Push
        | Channel::Viber
        | Channel::Telegram
        | Channel::Messenger
        | Channel::Line => return Err(CannotSend::WrongChannel),
    };
    let to = match outgoing.to {
        Address::Phone(to) => to.to_string(),
        // Digits that WhatsApp gave for a number.
        Address::ChannelId(id) if !prefix.is_empty() && is_digits(id.as_str()) => {
            format!("+{}", id.as_str())
        }
        Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
            return Err(CannotSend::WrongAddress);
        }
    };
    let mut pairs = vec![("To", format!("{prefix}{to}"))];
    pairs.push(sender(outgoing.from, prefix)?);
    pairs.extend(content(&outgoing.payload)?);
    if let Some(url) = outgoing.status_url {
        pairs.push(("StatusCallback", with_parameter(url, OUR_ID_PARAMETER, outgoing.our_id)));
    }
    let account = credentials.account.as_str();
    let login = STANDARD.encode(format!("{account}:{}", credentials.auth_token.as_str()));
    let base = credentials.base_url.as_str();
    Ok(HttpRequest {
        method: Method::Post,
        url: format!("{base}/2010-04-01/Accounts/{account}/Messages.json"),
        headers: vec![
            ("authorization", format!("Basic {login}")),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ],
        body: encode(pairs.iter().map(|(name, value)| (*name, value.as_str()))).into_bytes(),
    })
}

fn sender(from: &str, prefix: &str) -> Result<(&'static str, String), CannotSend> {
    let bare = from.strip_prefix("whatsapp:").unwrap_or(from);
    let digits = bare.strip_prefix('+').unwrap_or(bare);
    let is_number =
        (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = (1..=ALPHANUMERIC_SENDER_CHARS_MAX).contains(&bare.len())
        && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
    if is_sid(from, "MG") {
        Ok(("MessagingServiceSid", from.to_owned()))
    } else if is_number || (is_name && prefix.is_empty()) {
        Ok(("From", format!("{prefix}{bare}")))
    } else {
        Err(CannotSend::WrongSender { expected: "+ and digits, a short code, a name, or MG…" })
    }
}

fn content(payload: &Payload<'_>) -> Result<Vec<(&'static str, String)>, CannotSend> {
    match *payload {
        Payload::Text(text) => {
            check_text("the text", text, TEXT_CHARS_MAX)?;
            Ok(vec![("Body", text.to_owned())])
        }
        Payload::Template { name, language: _, variables } => {
            check_template(name, variables)?;
            let numbered = (1_usize..).zip(variables);
            let variables: serde_json::Map<_, _> = numbered
                .map(|(number, text)| (number.to_string(), Value::String(text.clone())))
                .collect();
            let mut pairs = vec![("ContentSid", name.to_owned())];
            if !variables.is_empty() {
                pairs.push(("ContentVariables", Value::Object(variables).to_string()));
            }
            Ok(pairs)
        }
        Payload::Question { text, buttons } => {
            check_text("the question", text, TEXT_CHARS_MAX)?;
            if buttons.is_empty() {
                return Err(CannotSend::Empty { part: "the list of buttons" });
            }
            let text = question_as_text(text, buttons);
            check_text("the question with its answers", &text, TEXT_CHARS_MAX)?;
            Ok(vec![("Body", text)])
        }
    }
}

/// Reads the answer to [`send`]: `{sid, status, …}`, or `{code, message, status}`.
pub fn read_answer(answer: &Answer<'_>) -> HandOver {
    let Ok(body) = Object::read(answer.body) else { return answer.by_status() };
    match (body.word("sid"), body.integer("code")) {
        (Some(id), None) if answer.is_success() => {
            let to = body.word("to").filter(|to| to.starts_with("whatsapp:"));
            HandOver::Accepted { provider_id: Some(id), recipient: Recipient::of(None, [to]) }
        }
        (None, Some(code)) => {
            let words = body.text("message").unwrap_or_default();
            answer.by_failure(codes::failure(code, &words))
        }
        (_, _) => answer.by_status(),
    }
}
