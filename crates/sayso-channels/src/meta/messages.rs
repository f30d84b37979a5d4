//! What people write, what becomes of our messages, and the switch for marketing.

use sayso_core::channel::{Category, Channel};
use sayso_core::phone::Phone;
use sayso_core::time::ClaimedTime;

use super::codes;
use super::envelope::Change;
use crate::call::Malformed;
use crate::failure::{ErrorMeaning, Failure};
use crate::inbound::{
    Choice, Events, MessageNames, MessageState, NumberChanged, Party, Prefers, ProviderEvent,
    Reported, Written, Wrote, claimed,
};
use crate::json::{Item, Object};

/// One entry of `contacts`: who is spoken of in the same change.
struct Contact {
    phone: Option<String>,
    user_id: Option<String>,
    name: Option<String>,
}

/// Reads the field `messages`: `messages[]` and `statuses[]`.
pub(super) fn read(change: &Change<'_>, events: &mut Events) -> Result<(), Malformed> {
    let contacts = contacts(change);
    let parts = [change.value.items("messages"), change.value.items("statuses")];
    let has_other = |name, part: &Option<_>| part.is_none() && change.value.has(name);
    let [messages, statuses] = &parts;
    if has_other("messages", messages) || has_other("statuses", statuses) || has_none(&parts) {
        events.push(change.unknown())?;
    }
    let [messages, statuses] = parts;
    for item in messages.into_iter().flatten() {
        let event = item.object().and_then(|message| read_message(change, &contacts, &message));
        events.push(event.unwrap_or_else(|| unknown("messages", item)))?;
    }
    for item in statuses.into_iter().flatten() {
        let event = item.object().and_then(|status| read_status(change, &contacts, &status));
        events.push(event.unwrap_or_else(|| unknown("statuses", item)))?;
    }
    Ok(())
}

/// Reads the field `user_preferences`.
pub(super) fn read_preferences(change: &Change<'_>, events: &mut Events) -> Result<(), Malformed> {
    let Some(preferences) = change.value.items("user_preferences") else {
        return events.push(change.unknown());
    };
    let contacts = contacts(change);
    for item in preferences {
        let event = item.object().and_then(|item| read_preference(change, &contacts, &item));
        events.push(event.unwrap_or_else(|| unknown("user_preferences", item)))?;
    }
    Ok(())
}

fn has_none(parts: &[Option<Vec<Item<'_>>>]) -> bool {
    parts.iter().flatten().all(Vec::is_empty)
}

/// `messages/reaction`, `statuses/warning`: a part that is not understood.
fn unknown(list: &str, item: Item<'_>) -> ProviderEvent {
    let named = |object: Object<'_>| {
        let kind = object.word("type").or_else(|| object.word("status"))?;
        let system = object.object("system").and_then(|system| system.word("type"));
        Some(system.map_or(kind.clone(), |system| format!("{kind}/{system}")))
    };
    let kind =
        item.object().and_then(named).map_or_else(|| list.to_owned(), |k| format!("{list}/{k}"));
    ProviderEvent::unknown(kind, item.raw())
}

fn contacts(change: &Change<'_>) -> Vec<Contact> {
    let items = change.value.items("contacts").unwrap_or_default();
    let contact = |contact: Object<'_>| Contact {
        phone: contact.word("wa_id"),
        user_id: contact.word("user_id"),
        name: contact.object("profile").and_then(|profile| profile.text("name")),
    };
    items.into_iter().filter_map(Item::object).map(contact).collect()
}

/// The person with this phone and this user id, completed by the contact that has one of the two,
/// or by the only contact if both are absent. Contacts that match neither add nothing: they could
/// be somebody else.
fn party(
    change: &Change<'_>,
    contacts: &[Contact],
    phone: Option<String>,
    user_id: Option<String>,
) -> Option<Party> {
    let same = |left: &Option<String>, right: &Option<String>| left.is_some() && left == right;
    let contact = match contacts {
        [only] if phone.is_none() && user_id.is_none() => Some(only),
        _ => contacts
            .iter()
            .find(|contact| same(&contact.user_id, &user_id) || same(&contact.phone, &phone)),
    };
    let phone = phone.or_else(|| contact?.phone.clone());
    let user_id = user_id.or_else(|| contact?.user_id.clone());
    let party = Party::of(phone.as_deref(), user_id.as_deref(), change.book)?;
    Some(party.named(contact.and_then(|contact| contact.name.clone())))
}

/// Our number, as Meta names it in requests too.
fn sender(change: &Change<'_>) -> Option<String> {
    change.value.object("metadata")?.word("phone_number_id")
}

fn occurred_at(part: &Object<'_>) -> Option<ClaimedTime> {
    part.integer("timestamp").and_then(claimed)
}

fn read_message(
    change: &Change<'_>,
    contacts: &[Contact],
    message: &Object<'_>,
) -> Option<ProviderEvent> {
    let kind = message.word("type")?;
    if kind == "system" {
        return read_system(change, message);
    }
    let context = message.object("context");
    Some(ProviderEvent::Wrote(Wrote {
        channel: Channel::WhatsApp,
        message_id: message.word("id"),
        from: party(change, contacts, message.word("from"), message.word("from_user_id"))?,
        sender: sender(change),
        sender_group: change.account.clone(),
        content: read_content(change, &kind, message)?,
        reply_to: context.and_then(|context| context.word("id")),
        referral: message.object("referral").and_then(|referral| referral.word("source_id")),
        occurred_at: occurred_at(message),
        handled_by_provider: None,
    }))
}

/// What a message says. Reactions and kinds that we do not know are no messages: whether they open
/// the window of 24 hours nobody told us, and in doubt it stays shut.
fn read_content(change: &Change<'_>, kind: &str, message: &Object<'_>) -> Option<Written> {
    let part = message.object(kind);
    let text = |name| part.as_ref().and_then(|part| part.text(name));
    match kind {
        "text" => Some(Written::text(text("body")?)),
        "button" => Some(Written::answer(text("payload").or_else(|| text("text"))?, text("text"))),
        "interactive" => read_answer_to_list(part.as_ref()?),
        "contacts" => Some(Written::Contact { own_phone: shared_phone(change, message) }),
        "image" | "video" | "document" | "audio" | "voice" | "sticker" | "location" | "order"
        | "unsupported" | "unknown" => Some(Written::other(kind, text("caption"))),
        _ => None,
    }
}

fn read_answer_to_list(interactive: &Object<'_>) -> Option<Written> {
    let kind = interactive.word("type")?;
    match kind.as_str() {
        "button_reply" | "list_reply" => {
            let reply = interactive.object(&kind)?;
            Some(Written::answer(reply.text("id")?, reply.text("title")))
        }
        _ => Some(Written::other(format!("interactive/{kind}"), None)),
    }
}

/// The writer's own number, if this is their answer to a request for it; any other card may be
/// anybody's.
fn shared_phone(change: &Change<'_>, message: &Object<'_>) -> Option<Phone> {
    let is_answer = |card: &Object<'_>| card.text("origin").as_deref() == Some("contact_request");
    let [card] = message.items("contacts")?[..] else { return None };
    let card = card.object().filter(is_answer)?;
    let phone = card.first("phones")?.word("wa_id")?;
    Party::of(Some(&phone), None, change.book)?.phone()
}

/// Changes of number and of user id. `customer_identity_changed`, a new security code, says nothing
/// about consent.
fn read_system(change: &Change<'_>, message: &Object<'_>) -> Option<ProviderEvent> {
    let system = message.object("system")?;
    let new_phone = match system.text("type")?.as_str() {
        "user_changed_number" | "customer_changed_number" => {
            Some(system.word("wa_id").or_else(|| system.word("new_wa_id"))?)
        }
        "user_changed_user_id" => None,
        _ => return None,
    };
    let old_id = system.word("previous_user_id");
    let new_id = system.word("user_id");
    let old_phone = message.word("from");
    Some(ProviderEvent::NumberChanged(NumberChanged {
        channel: Channel::WhatsApp,
        sender: sender(change),
        old: Party::of(old_phone.as_deref(), old_id.as_deref(), change.book)?,
        new: Party::of(new_phone.as_deref(), new_id.as_deref(), change.book)?,
        occurred_at: occurred_at(message),
    }))
}

fn read_status(
    change: &Change<'_>,
    contacts: &[Contact],
    status: &Object<'_>,
) -> Option<ProviderEvent> {
    let state = match status.text("status")?.as_str() {
        "enqueued" => MessageState::Accepted,
        "sent" => MessageState::Sent,
        "delivered" => MessageState::Delivered,
        "read" | "played" => MessageState::Read,
        "failed" => MessageState::Failed(status.first("errors").map_or_else(
            || Failure::new("none", ErrorMeaning::SaysNothing, "no reason given"),
            |error| codes::read(&error),
        )),
        _ => return None,
    };
    let recipient = status.word("recipient_id");
    let (phone, user_id) = match recipient {
        Some(id) if is_user_id(&id) => (None, Some(id)),
        phone => (phone, status.word("recipient_user_id")),
    };
    let ours = status.word("biz_opaque_callback_data");
    // Gupshup adds its own id, which is the one that it gave when it accepted the message.
    let message = match (status.word("gs_id"), status.word("id")) {
        (None, id) => MessageNames::of(id, None, ours),
        (gupshup, id) => {
            let whatsapp = id.filter(|id| gupshup.as_ref() != Some(id));
            MessageNames::of(gupshup, whatsapp, ours)
        }
    };
    Some(ProviderEvent::Reported(Reported {
        channel: Channel::WhatsApp,
        message: message?,
        sender: sender(change),
        sender_group: change.account.clone(),
        to: match (&phone, &user_id) {
            (None, None) => None,
            (Some(_), _) | (_, Some(_)) => party(change, contacts, phone, user_id),
        },
        state,
        occurred_at: occurred_at(status),
    }))
}

/// Whether an id is a BSUID: two capitals, a dot, letters and digits.
fn is_user_id(id: &str) -> bool {
    let country = id.split_once('.').map_or("", |(country, _)| country);
    country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn read_preference(
    change: &Change<'_>,
    contacts: &[Contact],
    preference: &Object<'_>,
) -> Option<ProviderEvent> {
    let choice = match preference.text("value")?.as_str() {
        "stop" => Choice::Stop,
        "resume" => Choice::Resume,
        "signup" => Choice::SignUp { page: preference.word("signup_id") },
        _ => return None,
    };
    if preference.text("category")? != "marketing_messages" {
        return None;
    }
    Some(ProviderEvent::Prefers(Prefers {
        channel: Channel::WhatsApp,
        who: party(change, contacts, preference.word("wa_id"), preference.word("user_id"))?,
        sender: sender(change),
        sender_group: change.account.clone(),
        choice,
        category: Some(Category::Marketing),
        occurred_at: occurred_at(preference),
    }))
}
