//! One change of a call: what it says, and about which account.

use sayso_core::address::phone::PhoneBook;
use sayso_core::time::ClaimedTime;

use crate::inbound::{ProviderEvent, claimed};
use crate::json::Object;

/// One change, with what the envelope says about all changes of its entry.
pub(super) struct Change<'a> {
    /// The WhatsApp business account.
    pub(super) account: Option<String>,
    /// When the call was made.
    pub(super) time: Option<ClaimedTime>,
    pub(super) field: String,
    pub(super) value: Object<'a>,
    pub(super) book: &'a PhoneBook,
}

impl Change<'_> {
    /// The whole change as a recorded unknown.
    pub(super) fn unknown(&self) -> ProviderEvent {
        ProviderEvent::unknown(self.field.as_str(), self.value.raw())
    }
}

/// Our number, as Meta names it in requests too.
pub(super) fn sender(change: &Change<'_>) -> Option<String> {
    change.value.object("metadata")?.word("phone_number_id")
}

/// When a part says that it happened.
pub(super) fn occurred_at(part: &Object<'_>) -> Option<ClaimedTime> {
    part.integer("timestamp").and_then(claimed)
}
