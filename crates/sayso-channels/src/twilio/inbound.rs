//! Messages and reports: parameters of a form, or of a query.

use sayso_core::channel::Channel;
use sayso_core::phone::PhoneBook;

use super::{codes, validator};
use crate::call::{Call, Malformed};
use crate::failure::{ErrorMeaning, Failure};
use crate::form::Parameters;
use crate::inbound::{
    KeywordKind, MessageNames, MessageState, Party, ProviderEvent, Reported, Written, Wrote,
};
use crate::outbound::OUR_ID_PARAMETER;

pub(super) fn parse(call: &Call<'_>, book: &PhoneBook) -> Result<Vec<ProviderEvent>, Malformed> {
    if !call.body.is_empty() && !validator::is_form(call) {
        let raw = String::from_utf8_lossy(call.body);
        return Ok(vec![ProviderEvent::unknown("body", &raw)]);
    }
    let parameters = Parameters::read(call.query(), call.body)?;
    let status = parameters.word("MessageStatus").or_else(|| parameters.word("SmsStatus"));
    let event = match status {
        Some("received" | "receiving") => read_message(&parameters, book),
        Some(status) => read_report(status, &parameters, book),
        None => parameters.text("Body").and_then(|_| read_message(&parameters, book)),
    };
    let kind = || status.map_or_else(|| "none".to_owned(), |status| format!("status/{status}"));
    Ok(vec![event.unwrap_or_else(|| ProviderEvent::unknown(kind(), &parameters.raw()))])
}

/// The provider's id of a message; three parameters hold the same.
fn message_id(parameters: &Parameters) -> Option<String> {
    ["MessageSid", "SmsSid", "SmsMessageSid"]
        .iter()
        .find_map(|name| parameters.word(name))
        .map(str::to_owned)
}

/// The channel of an address, and the address without its prefix.
fn split_address(address: &str) -> Option<(Channel, &str)> {
    match address.split_once(':') {
        None => Some((Channel::Sms, address)),
        Some(("whatsapp", rest)) => Some((Channel::WhatsApp, rest)),
        Some(("rcs", rest)) => Some((Channel::Rcs, rest)),
        Some(_) => None,
    }
}

/// The person behind an address. A BSUID after `whatsapp:` is read as one (unconfirmed); a short
/// code or a name writes text messages too, and is nobody.
fn party(channel: Channel, address: &str, book: &PhoneBook) -> Option<Party> {
    let channel_id = (channel == Channel::WhatsApp).then_some(address);
    Party::of(Some(address), None, book).or_else(|| Party::of(None, channel_id, book))
}

fn read_message(parameters: &Parameters, book: &PhoneBook) -> Option<ProviderEvent> {
    let (channel, from) = split_address(parameters.word("From")?)?;
    let name = parameters.text("ProfileName").map(str::to_owned);
    Some(ProviderEvent::Wrote(Wrote {
        channel,
        message_id: message_id(parameters),
        from: party(channel, from, book)?.named(name),
        sender: parameters.word("To").map(str::to_owned),
        sender_group: parameters.word("MessagingServiceSid").map(str::to_owned),
        content: read_content(parameters)?,
        // These two names are from public receivers (unconfirmed).
        reply_to: parameters.word("OriginalRepliedMessageSid").map(str::to_owned),
        referral: parameters.word("ReferralSourceId").map(str::to_owned),
        occurred_at: None,
        handled_by_provider: parameters.text("OptOutType").and_then(keyword),
    }))
}

/// A button first, then words, then media without any.
fn read_content(parameters: &Parameters) -> Option<Written> {
    let body = parameters.text("Body");
    let has_media = parameters.word("NumMedia").is_some_and(|count| count != "0");
    if let Some(payload) = parameters.word("ButtonPayload") {
        let title = parameters.word("ButtonText").or(body).map(str::to_owned);
        return Some(Written::answer(payload, title));
    }
    match body {
        Some(text) if !text.is_empty() || !has_media => Some(Written::text(text)),
        Some(_) | None => has_media.then(|| Written::other("media", None)),
    }
}

fn keyword(word: &str) -> Option<KeywordKind> {
    match word.to_ascii_uppercase().as_str() {
        "STOP" => Some(KeywordKind::Stop),
        "START" => Some(KeywordKind::Start),
        "HELP" => Some(KeywordKind::Help),
        _ => None,
    }
}

fn read_report(status: &str, parameters: &Parameters, book: &PhoneBook) -> Option<ProviderEvent> {
    let state = match status {
        "accepted" | "scheduled" | "queued" | "sending" => MessageState::Accepted,
        "sent" | "partially_delivered" => MessageState::Sent,
        "delivered" => MessageState::Delivered,
        "read" => MessageState::Read,
        "failed" | "undelivered" | "canceled" => MessageState::Failed(read_failure(parameters)),
        _ => return None,
    };
    let ours = parameters.word(OUR_ID_PARAMETER).map(str::to_owned);
    let to = parameters.word("To").and_then(split_address);
    let from = parameters.word("From");
    Some(ProviderEvent::Reported(Reported {
        channel: to.or_else(|| from.and_then(split_address)).map_or(Channel::Sms, |(it, _)| it),
        message: MessageNames::of(message_id(parameters), None, ours)?,
        sender: from.map(str::to_owned),
        sender_group: parameters.word("MessagingServiceSid").map(str::to_owned),
        to: to.and_then(|(channel, address)| party(channel, address, book)),
        state,
        occurred_at: None,
    }))
}

fn read_failure(parameters: &Parameters) -> Failure {
    let words = parameters.text("ErrorMessage").unwrap_or_default();
    match parameters.word("ErrorCode").and_then(|code| code.parse().ok()) {
        Some(code) => codes::failure(code, words),
        None => Failure::new("none", ErrorMeaning::SaysNothing, words),
    }
}
