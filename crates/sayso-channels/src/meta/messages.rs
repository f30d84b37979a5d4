//! What people write, what becomes of our messages, and the switch for marketing.

use sayso_core::words::channel::{Category, Channel};

use super::change::{Change, occurred_at, sender};
use super::content::{self, Content};
use super::people::{Names, party};
use super::{codes, system};
use crate::call::Malformed;
use crate::failure::{ErrorMeaning, Failure};
use crate::inbound::{
    Choice, Events, MessageNames, MessageState, Named, Place, Prefers, ProviderEvent, Reported,
    Written, Wrote,
};
use crate::json::{Item, Object};
use crate::party::Party;

/// The names of whoever wrote.
const WRITER: [&str; 3] = ["from", "from_user_id", "from_parent_user_id"];

/// Reads the field `messages`, and `standby`, which stands for it where Meta's own agent answers:
/// `messages[]` and `statuses[]`.
pub(super) fn read(change: &Change<'_>, events: &mut Events) -> Result<(), Malformed> {
    let parts = [change.value.items("messages"), change.value.items("statuses")];
    let has_other = |name, part: &Option<_>| part.is_none() && change.value.has(name);
    let [messages, statuses] = &parts;
    if has_other("messages", messages) || has_other("statuses", statuses) || has_none(&parts) {
        events.push(change.unknown())?;
    }
    let [messages, statuses] = parts;
    for item in messages.into_iter().flatten() {
        let event = item.object().and_then(|message| read_message(change, &message));
        events.push(event.unwrap_or_else(|| unknown("messages", item)))?;
    }
    for item in statuses.into_iter().flatten() {
        let event = item.object().and_then(|status| read_status(change, &status));
        events.push(event.unwrap_or_else(|| unknown("statuses", item)))?;
    }
    Ok(())
}

/// Reads the field `user_preferences`.
pub(super) fn read_preferences(change: &Change<'_>, events: &mut Events) -> Result<(), Malformed> {
    each(change, "user_preferences", events, read_preference)
}

/// Reads the field `history`: what people wrote before the number was connected.
pub(super) fn read_history(change: &Change<'_>, events: &mut Events) -> Result<(), Malformed> {
    let mut found = false;
    for piece in objects(&change.value, "history") {
        for thread in objects(&piece, "threads") {
            for message in objects(&thread, "messages") {
                if let Some(event) = read_past(change, &thread, &message) {
                    found = true;
                    events.push(event)?;
                }
            }
        }
    }
    if found { Ok(()) } else { events.push(change.unknown()) }
}

/// Reads the fields `calls` and `smb_message_echoes`: nothing that a person said stands there, but who
/// they are.
pub(super) fn read_named(
    change: &Change<'_>,
    (list, names): (&'static str, [[&'static str; 3]; 2]),
    events: &mut Events,
) -> Result<(), Malformed> {
    each(change, list, events, |change, part| {
        // Of the two sides one is ours, which has no id there.
        let side = names.iter().map(|names| Names::read(part, *names));
        let theirs =
            side.filter(|names| names.user_id.is_some()).find_map(|it| it.party(change))?;
        let (channel, occurred_at) = (Channel::WhatsApp, occurred_at(part));
        Some(ProviderEvent::Named(Named { channel, who: theirs, occurred_at }))
    })
}

/// The objects of a list.
fn objects<'a>(part: &Object<'a>, list: &str) -> impl Iterator<Item = Object<'a>> + use<'a> {
    part.items(list).unwrap_or_default().into_iter().filter_map(Item::object)
}

fn each(
    change: &Change<'_>,
    list: &'static str,
    events: &mut Events,
    read: impl Fn(&Change<'_>, &Object<'_>) -> Option<ProviderEvent>,
) -> Result<(), Malformed> {
    let Some(items) = change.value.items(list) else { return events.push(change.unknown()) };
    for item in items {
        let event = item.object().and_then(|part| read(change, &part));
        events.push(event.unwrap_or_else(|| unknown(list, item)))?;
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

fn read_message(change: &Change<'_>, message: &Object<'_>) -> Option<ProviderEvent> {
    let kind = message.word("type")?;
    if kind == "system" {
        return system::read(change, message);
    }
    let from = party(change, &Names::read(message, WRITER));
    let Content { written, asides, place, own, reply_to } = content::read(change, &kind, message)?;
    let from = match (from, own) {
        (Some(from), Some(own)) => from.also(&own),
        (from, own) => from.or(own)?,
    };
    let is_in_group = message.word("group_id").is_some();
    let context = message.object("context");
    Some(ProviderEvent::Wrote(Wrote {
        channel: Channel::WhatsApp,
        message_id: message.word("id"),
        from,
        sender: sender(change),
        sender_group: change.account.clone(),
        place: if is_in_group { Place::Aside } else { place },
        content: written,
        asides,
        reply_to: reply_to.or_else(|| context.and_then(|context| context.word("id"))),
        referral: message.object("referral").and_then(|referral| referral.word("source_id")),
        occurred_at: occurred_at(message),
        handled_by_provider: None,
    }))
}

/// A message of a thread of the past, if the person wrote it: the thread has their name.
fn read_past(
    change: &Change<'_>,
    thread: &Object<'_>,
    message: &Object<'_>,
) -> Option<ProviderEvent> {
    let names = Names::read(message, WRITER);
    let theirs = thread.word("id")?;
    if names.number.as_ref() != Some(&theirs) && names.user_id.as_ref() != Some(&theirs) {
        return None;
    }
    let kind = message.word("type")?;
    let content = content::read(change, &kind, message)?;
    // A reference in it was for another day.
    let written = match content.written {
        Written::Text(text) => Written::other(kind, Some(text)),
        other @ (Written::Answer { .. }
        | Written::Contact { .. }
        | Written::Other { .. }
        | Written::Lost { .. }) => other,
    };
    Some(ProviderEvent::Wrote(Wrote {
        channel: Channel::WhatsApp,
        message_id: message.word("id"),
        from: party(change, &names)?,
        sender: sender(change),
        sender_group: change.account.clone(),
        place: Place::Past,
        content: written,
        asides: content.asides,
        reply_to: None,
        referral: None,
        occurred_at: occurred_at(message),
        handled_by_provider: None,
    }))
}

fn read_status(change: &Change<'_>, status: &Object<'_>) -> Option<ProviderEvent> {
    let state = match status.text("status")?.as_str() {
        "enqueued" => MessageState::Accepted,
        "sent" => MessageState::Sent,
        "delivered" => MessageState::Delivered,
        "read" | "played" => MessageState::Read,
        "failed" => MessageState::Failed(read_failure(status)),
        _ => return None,
    };
    let ours = status.word("biz_opaque_callback_data");
    // Gupshup adds its own id, which is the one that it gave when it accepted the message, and in some
    // reports it is the first; WhatsApp's own is beside it then.
    let (id, whatsapp) = (status.word("id"), status.word("meta_msg_id"));
    let message = match (status.word("gs_id").or_else(|| whatsapp.as_ref().and(id.clone())), id) {
        (None, id) => MessageNames::of(id, None, ours),
        (gupshup, id) => {
            let whatsapp = whatsapp.or_else(|| id.filter(|id| gupshup.as_ref() != Some(id)));
            MessageNames::of(gupshup, whatsapp, ours)
        }
    };
    Some(ProviderEvent::Reported(Reported {
        channel: Channel::WhatsApp,
        message: message?,
        sender: sender(change),
        sender_group: change.account.clone(),
        to: read_recipient(change, status),
        state,
        occurred_at: occurred_at(status),
    }))
}

/// To whom a message went; nobody's name is a group's.
fn read_recipient(change: &Change<'_>, status: &Object<'_>) -> Option<Party> {
    if status.text("recipient_type").as_deref() == Some("group") {
        return None;
    }
    let mut names =
        Names::read(status, ["recipient_id", "recipient_user_id", "recipient_parent_user_id"]);
    names.parent = names.parent.or_else(|| status.word("parent_recipient_user_id"));
    let is_named = names.number.is_some() || names.user_id.is_some() || names.parent.is_some();
    is_named.then(|| party(change, &names)).flatten()
}

/// The failure that says most of the person: of several, a refusal is what counts.
fn read_failure(status: &Object<'_>) -> Failure {
    let errors = status.items("errors").unwrap_or_default();
    let mut failures: Vec<Failure> =
        errors.into_iter().filter_map(Item::object).map(|error| codes::read(&error)).collect();
    let refuses = |failure: &Failure| {
        matches!(failure.meaning, ErrorMeaning::MarketingStop | ErrorMeaning::SenderBlocked)
    };
    let place = failures.iter().position(refuses).unwrap_or(0);
    if place < failures.len() {
        return failures.swap_remove(place);
    }
    Failure::new("none", ErrorMeaning::SaysNothing, "no reason given")
}

fn read_preference(change: &Change<'_>, preference: &Object<'_>) -> Option<ProviderEvent> {
    let names = Names::read(preference, ["wa_id", "user_id", "parent_user_id"]);
    let (choice, category) = choice(preference)?;
    Some(ProviderEvent::Prefers(Prefers {
        channel: Channel::WhatsApp,
        who: party(change, &names)?,
        sender: sender(change),
        sender_group: change.account.clone(),
        choice,
        category,
        occurred_at: occurred_at(preference),
    }))
}

/// What a person chose at the platform's switch. A stop of anything but marketing, for which there is no
/// switch known, is one of all.
pub(crate) fn choice(preference: &Object<'_>) -> Option<(Choice, Option<Category>)> {
    let is_marketing = preference.text("category").as_deref() == Some("marketing_messages");
    let choice = match preference.text("value")?.trim().to_ascii_lowercase().as_str() {
        "stop" => Choice::Stop,
        "resume" if is_marketing => Choice::Resume,
        "signup" if is_marketing => Choice::SignUp { page: preference.word("signup_id") },
        _ => return None,
    };
    Some((choice, is_marketing.then_some(Category::Marketing)))
}
