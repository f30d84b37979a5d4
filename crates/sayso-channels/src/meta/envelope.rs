//! The envelope of Meta's calls: `{object, entry: [{id, time, changes: [{field, value}]}]}`.

use sayso_core::address::phone::PhoneBook;

use super::change::Change;
use super::{account, messages, system};
use crate::call::Malformed;
use crate::inbound::{Events, ProviderEvent, claimed};
use crate::json::{Item, Object};

/// Reads a body of Meta's, also as Gupshup passes it on.
pub(crate) fn parse(body: &[u8], book: &PhoneBook) -> Result<Vec<ProviderEvent>, Malformed> {
    let envelope = Object::read(body)?;
    if envelope.text("object").as_deref() != Some("whatsapp_business_account") {
        return Err(Malformed::Envelope { field: "object" });
    }
    let entries = envelope.items("entry").ok_or(Malformed::Envelope { field: "entry" })?;
    let mut events = Events::new();
    for entry in entries {
        read_entry(entry, book, &mut events)?;
    }
    Ok(events.into_vec())
}

fn read_entry(item: Item<'_>, book: &PhoneBook, events: &mut Events) -> Result<(), Malformed> {
    let Some(entry) = item.object() else {
        return events.push(ProviderEvent::unknown("entry", item.raw()));
    };
    let Some(changes) = entry.items("changes") else {
        return events.push(ProviderEvent::unknown("entry", item.raw()));
    };
    for item in changes {
        let change = item.object().and_then(|change| {
            Some(Change {
                account: entry.word("id"),
                time: entry.integer("time").and_then(claimed),
                field: change.text("field")?,
                value: change.object("value")?,
                book,
            })
        });
        match change {
            Some(change) => read_change(&change, events)?,
            None => events.push(ProviderEvent::unknown("change", item.raw()))?,
        }
    }
    Ok(())
}

/// The names of the two sides of a call or an echo.
const FROM: [&str; 3] = ["from", "from_user_id", "from_parent_user_id"];
const TO: [&str; 3] = ["to", "to_user_id", "to_parent_user_id"];

fn read_change(change: &Change<'_>, events: &mut Events) -> Result<(), Malformed> {
    match change.field.as_str() {
        "messages" | "standby" => messages::read(change, events),
        "user_preferences" => messages::read_preferences(change, events),
        "user_id_update" => system::read_updates(change, events),
        "history" => messages::read_history(change, events),
        "calls" => messages::read_named(change, ("calls", [FROM, TO]), events),
        "smb_message_echoes" => {
            messages::read_named(change, ("message_echoes", [TO, FROM]), events)
        }
        // Gupshup asks now and then whether the hook is there; nothing is in it.
        "platform-event" => Ok(()),
        _ => events.push(account::read(change).unwrap_or_else(|| change.unknown())),
    }
}
