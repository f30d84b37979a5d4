//! Sending through the Cloud API, and reading its answer.

use sayso_core::address::Address;
use sayso_core::state::account::is_digits;
use sayso_core::words::channel::Channel;
use serde_json::{Value, json};

use super::{Credentials, GRAPH_VERSION, codes};
use crate::call::Method;
use crate::json::Object;
use crate::outbound::{
    Answer, Button, CannotSend, HandOver, HttpRequest, Outgoing, Payload, check_template,
    check_text,
};
use crate::whatsapp;

/// Builds the request that sends a message.
///
/// `from` is the phone number id. Our id goes as `biz_opaque_callback_data`; that it comes back in
/// statuses is unconfirmed.
///
/// # Errors
/// [`CannotSend`], all but [`CannotSend::NoTemplates`].
pub fn send(outgoing: &Outgoing<'_>, credentials: &Credentials) -> Result<HttpRequest, CannotSend> {
    if outgoing.channel != Channel::WhatsApp {
        return Err(CannotSend::WrongChannel);
    }
    let (recipient, to) = match outgoing.to {
        Address::Phone(phone) => ("to", phone.digits().to_string()),
        // Digits that WhatsApp gave for a number. An id in their place would lose its letters.
        Address::ChannelId(id) if is_digits(id.as_str()) => ("to", id.as_str().to_owned()),
        Address::ChannelId(id) => ("recipient", id.as_str().to_owned()),
        Address::Email(_) | Address::ExternalId(_) => return Err(CannotSend::WrongAddress),
    };
    let (kind, content) = content(&outgoing.payload)?;
    let body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        recipient: to,
        "type": kind,
        kind: content,
        "biz_opaque_callback_data": outgoing.our_id,
    });
    post(outgoing.from, "messages", &body, credentials)
}

fn content(payload: &Payload<'_>) -> Result<(&'static str, Value), CannotSend> {
    match *payload {
        Payload::Text(text) => {
            check_text("the text", text, whatsapp::TEXT_CHARS_MAX)?;
            Ok(("text", json!({ "body": text })))
        }
        Payload::Template { name, language, variables } => {
            check_template(name, variables)?;
            check_text("the template's language", language, LANGUAGE_CHARS_MAX)?;
            Ok(("template", template(name, language, variables)))
        }
        Payload::Question { text, buttons } => {
            whatsapp::check_question(text, buttons)?;
            Ok(("interactive", question(text, buttons)))
        }
    }
}

/// The longest code of a language: `en_US` has five characters.
const LANGUAGE_CHARS_MAX: usize = 16;

/// Components are laid out as general knowledge has it (unconfirmed); a template without variables
/// has none.
fn template(name: &str, language: &str, variables: &[String]) -> Value {
    let parameters: Vec<_> =
        variables.iter().map(|text| json!({ "type": "text", "text": text })).collect();
    let mut template = json!({ "name": name, "language": { "code": language } });
    if let Some(fields) = template.as_object_mut().filter(|_| !parameters.is_empty()) {
        let body = json!([{ "type": "body", "parameters": parameters }]);
        fields.insert("components".to_owned(), body);
    }
    template
}

fn question(text: &str, buttons: &[Button]) -> Value {
    let buttons: Vec<_> = buttons
        .iter()
        .map(|Button { id, title }| json!({ "type": "reply", "reply": { "id": id, "title": title } }))
        .collect();
    json!({ "type": "button", "body": { "text": text }, "action": { "buttons": buttons } })
}

/// A `POST` below a phone number.
pub(super) fn post(
    phone_number_id: &str,
    path: &str,
    body: &Value,
    credentials: &Credentials,
) -> Result<HttpRequest, CannotSend> {
    // Ids are digits; anything else would name another path.
    let is_id = (1..=PHONE_NUMBER_ID_DIGITS_MAX).contains(&phone_number_id.len())
        && phone_number_id.bytes().all(|byte| byte.is_ascii_digit());
    if !is_id {
        return Err(CannotSend::WrongSender { expected: "the digits of a phone number id" });
    }
    let base = credentials.base_url.as_str();
    Ok(HttpRequest {
        method: Method::Post,
        url: format!("{base}/{GRAPH_VERSION}/{phone_number_id}/{path}"),
        headers: vec![
            ("authorization", format!("Bearer {}", credentials.access_token.as_str())),
            ("content-type", "application/json".to_owned()),
        ],
        body: body.to_string().into_bytes(),
    })
}

const PHONE_NUMBER_ID_DIGITS_MAX: usize = 32;

/// Reads the answer to [`send`]: `{contacts: [{input, wa_id}], messages: [{id}]}`, or `{error: {code, …}}`.
pub fn read_answer(answer: &Answer<'_>) -> HandOver {
    let Ok(body) = Object::read(answer.body) else { return answer.by_status() };
    if let Some(error) = body.object("error") {
        return answer.by_failure(codes::read(&error));
    }
    let id = body.first("messages").and_then(|message| message.word("id"));
    match id {
        Some(id) if answer.is_success() => {
            HandOver::Accepted { provider_id: Some(id), recipient: whatsapp::recipient(&body) }
        }
        Some(_) | None => answer.by_status(),
    }
}
