//! Calls in version 2: `{app, timestamp, version, type, payload}`.

use sayso_core::address::phone::PhoneBook;
use sayso_core::time::ClaimedTime;
use sayso_core::words::channel::{Category, Channel};

use super::codes;
use crate::call::Malformed;
use crate::inbound::{
    Choice, Events, MessageNames, MessageState, Place, Prefers, ProviderEvent, Reported,
    TemplateChange, TemplateChanged, Written, Wrote, asides, claimed,
};
use crate::json::{Item, Object};
use crate::meta::content::Content;
use crate::meta::envelope;
use crate::meta::messages::choice;
use crate::party::Party;

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
        "preference-event" => return read_preferences(&context, call.raw()),
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
    let user = &context.payload;
    Some(ProviderEvent::Prefers(Prefers {
        channel: Channel::WhatsApp,
        who: party(context, &[user.word("phone")], &[user_id(user)])?,
        sender: context.app.clone(),
        sender_group: None,
        choice,
        category: None,
        occurred_at: context.time,
    }))
}

/// The id of a person on WhatsApp; Gupshup writes it in one word or two.
fn user_id(part: &Object<'_>) -> Option<String> {
    ["userId", "userid", "user_id"].iter().find_map(|name| part.word(name))
}

fn party<const N: usize, const M: usize>(
    context: &Context<'_>,
    numbers: &[Option<String>; N],
    ids: &[Option<String>; M],
) -> Option<Party> {
    let numbers = numbers.iter().filter_map(|number| number.as_deref());
    Party::on_whatsapp(numbers, ids.iter().filter_map(|id| id.as_deref()), context.book)
}

/// Reads what people chose at the platform's own switch: Meta's list inside of Gupshup's envelope.
fn read_preferences(context: &Context<'_>, raw: &str) -> Result<Vec<ProviderEvent>, Malformed> {
    let unknown = || ProviderEvent::unknown("preference-event", raw);
    let inner = context.payload.object("payload");
    let inner = inner.as_ref().unwrap_or(&context.payload);
    let mut events = Events::new();
    for item in inner.items("user_preferences").unwrap_or_default() {
        let event = item.object().and_then(|preference| read_preference(context, &preference));
        let odd = || ProviderEvent::unknown("preference-event/user_preferences", Item::raw(item));
        events.push(event.unwrap_or_else(odd))?;
    }
    let events = events.into_vec();
    Ok(if events.is_empty() { vec![unknown()] } else { events })
}

fn read_preference(context: &Context<'_>, preference: &Object<'_>) -> Option<ProviderEvent> {
    let ids = [user_id(preference), preference.word("parent_user_id")];
    let (choice, category) = choice(preference)?;
    Some(ProviderEvent::Prefers(Prefers {
        channel: Channel::WhatsApp,
        who: party(context, &[preference.word("wa_id")], &ids)?,
        sender: context.app.clone(),
        sender_group: None,
        choice,
        category,
        occurred_at: preference.integer("timestamp").and_then(claimed).or(context.time),
    }))
}

fn read_message(context: &Context<'_>) -> Option<ProviderEvent> {
    let message = &context.payload;
    let person = message.object("sender");
    let of_person = |name: &str| person.as_ref().and_then(|person| person.word(name));
    let ids = [person.as_ref().and_then(user_id), user_id(message), of_person("parentUserId")];
    let from = party(context, &[message.word("source"), of_person("phone")], &ids)?;
    let answered = message.object("context");
    let kind = message.word("type")?;
    let said = read_content(&kind, message)?;
    Some(ProviderEvent::Wrote(Wrote {
        channel: Channel::WhatsApp,
        message_id: message.word("id"),
        from: from.named(person.and_then(|person| person.text("name"))),
        sender: context.app.clone(),
        sender_group: None,
        place: said.place,
        content: said.written,
        asides: said.asides,
        reply_to: answered.and_then(|context| context.word("gsId").or_else(|| context.word("id"))),
        referral: None,
        occurred_at: context.time,
        handled_by_provider: None,
    }))
}

fn read_content(kind: &str, message: &Object<'_>) -> Option<Content> {
    let content = message.object("payload");
    let text = |name| {
        let text = content.as_ref().and_then(|content| content.text(name));
        text.filter(|text: &String| !text.is_empty())
    };
    let words = || ["text", "title", "caption", "body"].into_iter().find_map(text);
    match kind {
        "text" => Some(Written::text(content.as_ref()?.text("text")?).into()),
        "button_reply" | "list_reply" | "quick_reply" | "button" => {
            // A quick reply of a template has its words alone (unconfirmed), and they answer.
            let words = text("title").or_else(|| text("text")).or_else(|| text("reply"));
            // Where both stand, the id is of the message that asked.
            let payload = ["postbackText", "id", "payload"].into_iter().find_map(text);
            let answer = Written::answer(payload.or_else(|| words.clone())?, words);
            Some(Content { asides: asides(text("description")), ..answer.into() })
        }
        "contact" | "contacts" => Some(Written::Contact { own_phone: None }.into()),
        "image" | "video" | "file" | "document" | "audio" | "voice" | "sticker" | "location"
        | "order" => Some(Written::other(kind, text("caption").or_else(|| text("text"))).into()),
        "unsupported" | "unknown" => Some(Written::lost(kind).into()),
        "edit" | "edited" | "ephemeral" => Some(read_wrapped(kind, content.as_ref())),
        "reaction" | "revoke" | "deleted" | "system" | "request_welcome" => None,
        // A kind that nobody told us of is read for a refusal alone.
        _ => {
            let written = Written::other(kind, Some(words()?));
            Some(Content { place: Place::Aside, ..written.into() })
        }
    }
}

/// A message inside of another; how Gupshup passes on an edit is not documented, so it is looked for as
/// Meta has it and as Gupshup has texts.
fn read_wrapped(kind: &str, content: Option<&Object<'_>>) -> Content {
    let inner = content
        .and_then(|content| content.object("message"))
        .or_else(|| content.and_then(|content| content.object("edit")?.object("message")));
    let of_meta = inner.and_then(|inner| {
        let body = inner.object("text").and_then(|text| text.text("body"));
        let caption = || {
            let media = ["image", "video", "document"].into_iter().find_map(|it| inner.object(it));
            media.and_then(|media| media.text("caption"))
        };
        body.or_else(caption).or_else(|| inner.text("text")).or_else(|| inner.text("caption"))
    });
    let own = || {
        ["text", "caption", "body"]
            .into_iter()
            .find_map(|name| content.and_then(|content| content.text(name)))
    };
    of_meta.or_else(own).map_or_else(|| Written::lost(kind), Written::text).into()
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
        to: party(context, &[report.word("destination")], &[user_id(report)]),
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
