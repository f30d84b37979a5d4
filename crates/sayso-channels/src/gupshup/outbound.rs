//! Sending through Gupshup, and reading its answer.

use sayso_core::words::channel::Channel;
use serde_json::json;

use super::{Credentials, codes};
use crate::call::Method;
use crate::failure::{ErrorMeaning, Failure};
use crate::form::encode;
use crate::json::Object;
use crate::outbound::{
    Answer, Button, CannotSend, HandOver, HttpRequest, Outgoing, Payload, check_template,
    check_text, phone_digits,
};
use crate::whatsapp;

/// Builds the request that sends a message.
///
/// `from` is the number with its country code, without plus. Gupshup takes no id of ours, except as
/// the `msgid` of a question, which comes back with the answer to it.
///
/// # Errors
/// [`CannotSend`], all but [`CannotSend::NoTemplates`]. A BSUID is the wrong kind of address: how
/// Gupshup sends to one is not documented to us.
pub fn send(outgoing: &Outgoing<'_>, credentials: &Credentials) -> Result<HttpRequest, CannotSend> {
    if outgoing.channel != Channel::WhatsApp {
        return Err(CannotSend::WrongChannel);
    }
    let is_number = (1..=15).contains(&outgoing.from.len())
        && outgoing.from.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(CannotSend::WrongSender { expected: "the digits of a number, without plus" });
    }
    let to = phone_digits(outgoing.to)?;
    let (path, field, content) = content(outgoing)?;
    let body = encode([
        ("channel", "whatsapp"),
        ("source", outgoing.from),
        ("destination", &to),
        (field, &content),
        ("src.name", credentials.app.as_str()),
    ]);
    Ok(HttpRequest {
        method: Method::Post,
        url: format!("{}{path}", credentials.base_url.as_str()),
        headers: vec![
            ("apikey", credentials.api_key.as_str().to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ],
        body: body.into_bytes(),
    })
}

const MESSAGE_PATH: &str = "/wa/api/v1/msg";
const TEMPLATE_PATH: &str = "/wa/api/v1/template/msg";

/// The path, the field that holds what is said, and that field as JSON text.
fn content(outgoing: &Outgoing<'_>) -> Result<(&'static str, &'static str, String), CannotSend> {
    match outgoing.payload {
        Payload::Text(text) => {
            check_text("the text", text, whatsapp::TEXT_CHARS_MAX)?;
            let message = json!({ "type": "text", "text": text });
            Ok((MESSAGE_PATH, "message", message.to_string()))
        }
        Payload::Template { name, language: _, variables } => {
            check_template(name, variables)?;
            let template = json!({ "id": name, "params": variables });
            Ok((TEMPLATE_PATH, "template", template.to_string()))
        }
        Payload::Question { text, buttons } => {
            whatsapp::check_question(text, buttons)?;
            Ok((MESSAGE_PATH, "message", question(outgoing.our_id, text, buttons)))
        }
    }
}

/// A message with buttons (its layout is taken from public clients, unconfirmed).
fn question(our_id: &str, text: &str, buttons: &[Button]) -> String {
    let options: Vec<_> = buttons
        .iter()
        .map(|Button { id, title }| json!({ "type": "text", "title": title, "postbackText": id }))
        .collect();
    let content = json!({ "type": "text", "text": text });
    json!({ "type": "quick_reply", "msgid": our_id, "content": content, "options": options })
        .to_string()
}

/// Reads the answer to [`send`]: `{status: "submitted", messageId}`, or `{status: "error", message}`,
/// the latter also with a status of success.
pub fn read_answer(answer: &Answer<'_>) -> HandOver {
    let Ok(body) = Object::read(answer.body) else { return answer.by_status() };
    let id = body.word("messageId");
    match (body.text("status").as_deref(), id) {
        (Some("submitted"), Some(id)) if answer.is_success() => {
            HandOver::Accepted { provider_id: Some(id), recipient: whatsapp::recipient(&body) }
        }
        (Some("error"), _) => answer.by_failure(read_error(answer, &body)),
        (Some(_) | None, _) => answer.by_status(),
    }
}

/// An error of the API; its message is a sentence, or an object with a code (unconfirmed).
fn read_error(answer: &Answer<'_>, body: &Object<'_>) -> Failure {
    let inner = body.object("message");
    let code = inner.as_ref().and_then(|inner| inner.integer("code"));
    let code = code.or_else(|| body.integer("code"));
    let words = inner.and_then(|inner| inner.text("reason")).or_else(|| body.text("message"));
    let words = words.unwrap_or_default();
    match (code, answer.status) {
        (Some(code), _) => Failure::new(code.to_string(), codes::meaning(code), &words),
        (None, 200..=299) => Failure::new("none", ErrorMeaning::Permanent, &words),
        (None, status) => {
            let known = Failure::of_status(status);
            Failure::new(known.code, known.meaning, &words)
        }
    }
}
