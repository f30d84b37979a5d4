//! Whom a change speaks of: the names beside a message or report, and those of the contact that goes
//! with it.

use super::change::Change;
use crate::json::{Item, Object};
use crate::party::Party;

/// The names that one part of a change gives one person, as they came.
#[derive(Default)]
pub(super) struct Names {
    /// A number, or an id in the place of one.
    pub(super) number: Option<String>,
    pub(super) user_id: Option<String>,
    /// The id for all portfolios of a business.
    pub(super) parent: Option<String>,
}

/// One entry of `contacts`.
struct Contact {
    names: Names,
    display: Option<String>,
}

impl Names {
    /// The names under these fields.
    pub(super) fn read(part: &Object<'_>, [number, user_id, parent]: [&str; 3]) -> Self {
        let word = |name| part.word(name).filter(|word| !word.trim().is_empty());
        Self { number: word(number), user_id: word(user_id), parent: word(parent) }
    }

    fn is_none(&self) -> bool {
        self.number.is_none() && self.user_id.is_none()
    }

    /// Whether the two have a name in common, wherever it stands.
    fn share(&self, other: &Self) -> bool {
        let all = |names: &Self| [names.number.clone(), names.user_id.clone()];
        let theirs = all(other);
        let plain = |name: &str| name.trim().trim_start_matches('+').to_owned();
        all(self)
            .iter()
            .flatten()
            .any(|name| theirs.iter().flatten().any(|theirs| plain(name) == plain(theirs)))
    }

    /// Whoever has these names.
    pub(super) fn party(&self, change: &Change<'_>) -> Option<Party> {
        party_of(change, &[self])
    }
}

fn party_of(change: &Change<'_>, names: &[&Names]) -> Option<Party> {
    let numbers = names.iter().filter_map(|names| names.number.as_deref());
    let ids = names.iter().flat_map(|names| [&names.user_id, &names.parent]);
    Party::on_whatsapp(numbers, ids.filter_map(|id| id.as_deref()), change.book)
}

fn contacts(change: &Change<'_>) -> Vec<Contact> {
    let items = change.value.items("contacts").unwrap_or_default();
    let contact = |contact: Object<'_>| Contact {
        names: Names::read(&contact, ["wa_id", "user_id", "parent_user_id"]),
        display: contact.object("profile").and_then(|profile| profile.text("name")),
    };
    items.into_iter().filter_map(Item::object).map(contact).collect()
}

/// The person with these names, completed by the contact that shares one of them, or by the only contact
/// if there are none. Contacts that share none add nothing: they could be somebody else.
pub(super) fn party(change: &Change<'_>, names: &Names) -> Option<Party> {
    let contacts = contacts(change);
    let contact = match &contacts[..] {
        [only] if names.is_none() => Some(only),
        all => all.iter().find(|contact| contact.names.share(names)),
    };
    let party = match contact {
        Some(contact) => party_of(change, &[names, &contact.names]),
        None => names.party(change),
    };
    Some(party?.named(contact.and_then(|contact| contact.display.clone())))
}
