//! Messages and reports: parameters of a form, or of a query.

use sayso_core::words::channel::Channel;

use super::{codes, validator};
use crate::call::{Call, Malformed};
use crate::failure::{ErrorMeaning, Failure};
use crate::form::Parameters;
use crate::inbound::{
    KeywordKind, MessageNames, MessageState, Place, ProviderEvent, Reported, Written, Wrote, asides,
};
use crate::meta::content::{Content, answers_of_flow};
use crate::outbound::OUR_ID_PARAMETER;
use crate::party::{Numbers, Party};

pub(super) fn parse(
    call: &Call<'_>,
    numbers: &Numbers<'_>,
) -> Result<Vec<ProviderEvent>, Malformed> {
    if !call.body.is_empty() && !validator::is_form(call) {
        let raw = String::from_utf8_lossy(call.body);
        return Ok(vec![ProviderEvent::unknown("body", &raw)]);
    }
    let parameters = Parameters::read(call.query(), call.body)?;
    let status = parameters.word("MessageStatus").or_else(|| parameters.word("SmsStatus"));
    let event = match status {
        Some("received" | "receiving") => read_message(&parameters, numbers),
        Some(status) => read_report(status, &parameters, numbers),
        None if says_something(&parameters) => read_message(&parameters, numbers),
        None => None,
    };
    let kind = || status.map_or_else(|| "none".to_owned(), |status| format!("status/{status}"));
    Ok(vec![event.unwrap_or_else(|| ProviderEvent::unknown(kind(), &parameters.raw()))])
}

/// Whether a call without a status is a message: one of Conversations has none. What we posted there
/// ourselves is none, nor what became of it.
fn says_something(parameters: &Parameters) -> bool {
    let places = ["Body", "OptOutType", "ButtonPayload", "ButtonText", "ListId", "InteractiveData"];
    let is_message = parameters.word("EventType").is_none_or(|event| {
        ["onMessageAdded", "onMessageUpdated"].iter().any(|it| event.eq_ignore_ascii_case(it))
    });
    let is_ours = parameters
        .word("Source")
        .is_some_and(|source| ["API", "SDK"].iter().any(|it| source.eq_ignore_ascii_case(it)));
    is_message && !is_ours && places.iter().any(|name| parameters.text(name).is_some())
}

/// The first of these parameters that is given, or else the first.
fn given<const N: usize>(parameters: &Parameters, names: [&'static str; N]) -> &'static str {
    let found = names.into_iter().find(|name| parameters.word(name).is_some());
    found.or_else(|| names.first().copied()).unwrap_or_default()
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

/// The names of a person's id on WhatsApp: the one for all portfolios of a business last.
const IDS: [&str; 3] = ["ExternalUserId", "ExternalUserIdentifier", "ParentExternalUserId"];

/// The channel of a message or report, by the first address that names one.
fn channel(parameters: &Parameters, addresses: [&str; 2]) -> Option<Channel> {
    let word = |name: &&str| parameters.word(name);
    let named = addresses.iter().chain(&IDS).filter_map(word).find_map(split_address);
    named.map(|(channel, _)| channel)
}

/// The person at one end: on WhatsApp by a number, an id or both, each in the place of the other. A
/// short code or a name writes text messages too, and is nobody.
fn party(
    parameters: &Parameters,
    channel: Channel,
    [theirs, ours]: [&str; 2],
    numbers: &Numbers<'_>,
) -> Option<Party> {
    let bare = |name: &str| {
        let (of, bare) = split_address(parameters.word(name)?)?;
        // An id needs no prefix.
        (of == channel || of == Channel::Sms).then_some(bare)
    };
    if channel == Channel::WhatsApp {
        let named = [bare(theirs), bare("WaId")].into_iter().flatten();
        return Party::on_whatsapp(named, IDS.into_iter().filter_map(bare), numbers.book);
    }
    Party::of_number(bare(theirs)?, bare(ours), numbers)
}

fn read_message(parameters: &Parameters, numbers: &Numbers<'_>) -> Option<ProviderEvent> {
    // Conversations names the two sides in its own way.
    let theirs = given(parameters, ["From", "Author", "MessagingBinding.Address"]);
    let ours = given(parameters, ["To", "MessagingBinding.ProxyAddress"]);
    let channel = channel(parameters, [theirs, ours])?;
    let name = parameters.text("ProfileName").map(str::to_owned);
    let handled_by_provider = parameters.text("OptOutType").and_then(keyword);
    let said = read_content(parameters, handled_by_provider)?;
    Some(ProviderEvent::Wrote(Wrote {
        channel,
        message_id: message_id(parameters),
        from: party(parameters, channel, [theirs, ours], numbers)?.named(name),
        sender: parameters.word(ours).map(str::to_owned),
        sender_group: parameters.word("MessagingServiceSid").map(str::to_owned),
        place: Place::Chat,
        content: said.written,
        asides: said.asides,
        // These two names are from public receivers (unconfirmed).
        reply_to: parameters.word("OriginalRepliedMessageSid").map(str::to_owned),
        referral: parameters.word("ReferralSourceId").map(str::to_owned),
        occurred_at: None,
        handled_by_provider,
    }))
}

/// A button or a row first, then words, then media without any. A keyword that Twilio acted on needs no
/// words.
fn read_content(parameters: &Parameters, handled: Option<KeywordKind>) -> Option<Content> {
    let said = |name: &str| parameters.text(name).filter(|text| !text.trim().is_empty());
    let body = parameters.text("Body");
    let has_media = parameters.word("NumMedia").is_some_and(|count| count != "0");
    let words = said("ButtonText").or_else(|| said("ListTitle")).or_else(|| said("Body"));
    let payload = said("ButtonPayload").or_else(|| said("ListId"));
    let answers = said("InteractiveData").map(answers_of_flow).unwrap_or_default();
    let beside = said("ListDescription").map(str::to_owned).into_iter();
    let asides = asides(beside.chain(answers));
    if let Some(payload) = payload.or_else(|| said("ButtonText")).or_else(|| said("ListTitle")) {
        let answer = Written::answer(payload, words.map(str::to_owned));
        return Some(Content { asides, ..answer.into() });
    }
    let written = match body {
        Some(text) if !text.is_empty() || !has_media => Written::text(text),
        Some(_) | None if has_media => Written::other("media", None),
        Some(_) | None if handled.is_some() => Written::text(""),
        Some(_) | None if !asides.is_empty() => Written::other("interactive", None),
        Some(_) | None => return None,
    };
    Some(Content { asides, ..written.into() })
}

fn keyword(word: &str) -> Option<KeywordKind> {
    match word.trim().to_ascii_uppercase().as_str() {
        "STOP" => Some(KeywordKind::Stop),
        "START" => Some(KeywordKind::Start),
        "HELP" => Some(KeywordKind::Help),
        _ => None,
    }
}

fn read_report(
    status: &str,
    parameters: &Parameters,
    numbers: &Numbers<'_>,
) -> Option<ProviderEvent> {
    let state = match status {
        "accepted" | "scheduled" | "queued" | "sending" => MessageState::Accepted,
        "sent" | "partially_delivered" => MessageState::Sent,
        "delivered" => MessageState::Delivered,
        "read" => MessageState::Read,
        "failed" | "undelivered" | "canceled" => MessageState::Failed(read_failure(parameters)),
        _ => return None,
    };
    let ours = parameters.word(OUR_ID_PARAMETER).map(str::to_owned);
    let channel = channel(parameters, ["To", "From"]).unwrap_or(Channel::Sms);
    Some(ProviderEvent::Reported(Reported {
        channel,
        message: MessageNames::of(message_id(parameters), None, ours)?,
        sender: parameters.word("From").map(str::to_owned),
        sender_group: parameters.word("MessagingServiceSid").map(str::to_owned),
        to: party(parameters, channel, ["To", "From"], numbers),
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
