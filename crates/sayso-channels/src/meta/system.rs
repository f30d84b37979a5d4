//! News of people's accounts: another number, another id.

use sayso_core::words::channel::Channel;

use super::change::Change;
use super::change::{occurred_at, sender};
use super::people::Names;
use crate::call::Malformed;
use crate::inbound::{Events, NumberChanged, ProviderEvent};
use crate::json::{Item, Object};

/// Reads a change of number or of user id. `customer_identity_changed`, a new security code, says
/// nothing about consent.
pub(super) fn read(change: &Change<'_>, message: &Object<'_>) -> Option<ProviderEvent> {
    let system = message.object("system")?;
    let new_number = match system.text("type")?.as_str() {
        "user_changed_number" | "customer_changed_number" => {
            Some(system.word("wa_id").or_else(|| system.word("new_wa_id"))?)
        }
        "user_changed_user_id" | "user_id_update" => None,
        _ => return None,
    };
    let was = |name: &str| current_or_previous(&system, name, "previous");
    let is = |name: &str| current_or_previous(&system, name, "current");
    let old = Names {
        number: message.word("from"),
        user_id: was("user_id"),
        parent: was("parent_user_id"),
    };
    let new = Names { number: new_number, user_id: is("user_id"), parent: is("parent_user_id") };
    changed(change, message, (&old, &new))
}

/// Reads the field `user_id_update`, in which gateways pass on what became a system message.
pub(super) fn read_updates(change: &Change<'_>, events: &mut Events) -> Result<(), Malformed> {
    let Some(items) = change.value.items("user_id_update") else {
        return events.push(change.unknown());
    };
    for item in items {
        let event = item.object().and_then(|update| read_update(change, &update));
        let unknown = || ProviderEvent::unknown("user_id_update", Item::raw(item));
        events.push(event.unwrap_or_else(unknown))?;
    }
    Ok(())
}

fn read_update(change: &Change<'_>, update: &Object<'_>) -> Option<ProviderEvent> {
    let of = |which: &str| Names {
        number: update.word("wa_id"),
        user_id: current_or_previous(update, "user_id", which),
        parent: current_or_previous(update, "parent_user_id", which),
    };
    changed(change, update, (&of("previous"), &of("current")))
}

/// An id as it is or was: `user_id` and `previous_user_id`, or `{previous, current}` in one.
fn current_or_previous(part: &Object<'_>, name: &str, which: &str) -> Option<String> {
    match part.object(name) {
        Some(both) => both.word(which),
        None if which == "previous" => part.word(&format!("previous_{name}")),
        None => part.word(name),
    }
}

fn changed(
    change: &Change<'_>,
    part: &Object<'_>,
    (old, new): (&Names, &Names),
) -> Option<ProviderEvent> {
    Some(ProviderEvent::NumberChanged(NumberChanged {
        channel: Channel::WhatsApp,
        sender: sender(change),
        old: old.party(change)?,
        new: new.party(change)?,
        occurred_at: occurred_at(part),
    }))
}
