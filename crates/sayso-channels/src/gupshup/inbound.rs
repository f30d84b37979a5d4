//! Calls in version 2: `{app, timestamp, version, type, payload}`.

use sayso_core::channel::{Category, Channel};
use sayso_core::phone::PhoneBook;
use sayso_core::time::ClaimedTime;

use super::codes;
use crate::call::Malformed;
use crate::inbound::{
    Choice, MessageNames, MessageState, Party, Prefers, ProviderEvent, Reported, TemplateChange,
    TemplateChanged, Written, Wrote, claimed,
};
use crate::json::Object;
use crate::meta::envelope;

/// What stands in place of a phone when a callback URL is being set.
const TRIAL_PHONE: &str = "callbackSetPhone";

/// What the envelope says about its one event.
struct Context<'a> {
    app: Option<String>,
    /// When Gupshup had it.
    time: Option<ClaimedTime>,
    payload: Object<'a>,
    book: &'a PhoneBook,
}

/// Reads a body of either version.
pub(super) fn parse(body: &[u8], book: &PhoneBook) -> Result<Vec<ProviderEvent>, Malformed> {
    let call = Object::read(body)?;
    if call.has("entry") {
        return envelope::parse(body, book);
    }
    let kind = call.word("type").ok_or(Malformed::Envelope { field: "type" })?;
    let payload = call.object("payload").ok_or(Malformed::Envelope { field: "payload" })?;
    let time = call.integer("timestamp").and_then(claimed);
    let context = Context { app: call.word("app"), time, payload, book };
    let event = match kind.as_str() {
        // What to bill, and whether the hook is there: no event of anybody's.
        "billing-event" | "platform-event" => return Ok(Vec::new()),
        "user-event" if context.payload.text("phone").as_deref() == Some(TRIAL_PHONE) => {
            return Ok(Vec::new());
        }
        "user-event" => read_user(&context),
        "message" => read_message(&context),
        "message-event" => read_report(&context),
        "template-event" => read_template(&context),
        _ => None,
    };
    let inner = context.payload.word("type");
    let name = inner.map_or_else(|| kind.clone(), |inner| format!("{kind}/{inner}"));
    Ok(vec![event.unwrap_or_else(|| ProviderEvent::unknown(name, call.raw()))])
}

fn read_user(context: &Context<'_>) -> Option<ProviderEvent> {
    let choice = match context.payload.text("type")?.as_str() {
        "opted-in" => Choice::OptIn,
        "opted-out" => Choice::OptOut,
        _ => return None,
    };
    Some(ProviderEvent::Prefers(Prefers {
        channel: Channel::WhatsApp,
        who: Party::of(Some(&context.payload.word("phone")?), None, context.book)?,
        sender: context.app.clone(),
        sender_group: None,
        choice,
        category: None,
        occurred_at: context.time,
    }))
}

fn read_message(context: &Context<'_>) -> Option<ProviderEvent> {
    let message = &context.payload;
    let person = message.object("sender");
    let phone = message
        .word("source")
        .or_else(|| person.as_ref().and_then(|person| person.word("phone")))?;
    let answered = message.object("context");
    let from = Party::of(Some(&phone), None, context.book)?;
    Some(ProviderEvent::Wrote(Wrote {
        channel: Channel::WhatsApp,
        message_id: message.word("id"),
        from: from.named(person.and_then(|person| person.text("name"))),
        sender: context.app.clone(),
        sender_group: None,
        content: read_content(message)?,
        reply_to: answered.and_then(|context| context.word("gsId").or_else(|| context.word("id"))),
        referral: None,
        occurred_at: context.time,
        handled_by_provider: None,
    }))
}

fn read_content(message: &Object<'_>) -> Option<Written> {
    let kind = message.word("type")?;
    let content = message.object("payload");
    let text = |name| content.as_ref().and_then(|content| content.text(name));
    match kind.as_str() {
        "text" => Some(Written::text(text("text")?)),
        "button_reply" | "list_reply" | "quick_reply" => {
            // A quick reply of a template has its words alone (unconfirmed), and they answer.
            let words = text("title").or_else(|| text("text"));
            let payload = text("id").or_else(|| text("postbackText")).or_else(|| words.clone())?;
            Some(Written::answer(payload, words))
        }
        "contact" | "contacts" => Some(Written::Contact { own_phone: None }),
        "image" | "video" | "file" | "document" | "audio" | "voice" | "sticker" | "location"
        | "order" | "unsupported" => Some(Written::other(kind, text("caption"))),
        _ => None,
    }
}

/// Reports name a message by Gupshup's id (`enqueued`, and `failed` at once), or by WhatsApp's, with
/// Gupshup's in `gsId` for a week.
fn read_report(context: &Context<'_>) -> Option<ProviderEvent> {
    let report = &context.payload;
    let details = report.object("payload");
    let kind = report.text("type")?;
    let state = match kind.as_str() {
        "enqueued" => MessageState::Accepted,
        "sent" => MessageState::Sent,
        "delivered" => MessageState::Delivered,
        "read" => MessageState::Read,
        "failed" => MessageState::Failed(codes::read(details.as_ref())),
        _ => return None,
    };
    let id = report.word("id");
    let message = match (kind.as_str(), report.word("gsId")) {
        (_, Some(gupshup)) => MessageNames::of(Some(gupshup), id, None),
        ("enqueued" | "failed", None) => {
            let whatsapp = details.as_ref().and_then(|details| details.word("whatsappMessageId"));
            MessageNames::of(id, whatsapp, None)
        }
        (_, None) => MessageNames::of(None, id, None),
    };
    let at = details.as_ref().and_then(|details| details.integer("ts")).and_then(claimed);
    Some(ProviderEvent::Reported(Reported {
        channel: Channel::WhatsApp,
        message: message?,
        sender: context.app.clone(),
        sender_group: None,
        to: report
            .word("destination")
            .and_then(|phone| Party::of(Some(&phone), None, context.book)),
        state,
        occurred_at: at.or(context.time),
    }))
}

fn read_template(context: &Context<'_>) -> Option<ProviderEvent> {
    let payload = &context.payload;
    let change = match payload.text("type").as_deref() {
        Some("category-update") => read_category(&payload.object("category")?)?,
        Some("status-update") | None => TemplateChange::Status {
            status: payload.word("status")?,
            category: None,
            reason: payload.word("rejectedReason").or_else(|| payload.word("description")),
        },
        Some(_) => return None,
    };
    Some(ProviderEvent::TemplateChanged(TemplateChanged {
        account: context.app.clone(),
        template_id: payload.word("id"),
        name: payload.word("elementName"),
        language: payload.word("languageCode"),
        change,
        occurred_at: context.time,
    }))
}

/// `{current, correct}` while it is announced, `{old, new}` once it is done.
fn read_category(categories: &Object<'_>) -> Option<TemplateChange> {
    let category = |name| Category::parse(&categories.text(name)?.to_ascii_lowercase()).ok();
    match category("correct") {
        Some(then) => Some(TemplateChange::CategoryAnnounced { now: category("current"), then }),
        None => Some(TemplateChange::Category { old: category("old"), new: category("new")? }),
    }
}
