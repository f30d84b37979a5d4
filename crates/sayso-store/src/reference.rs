//! What the reference in a prefilled text is good for, until its message arrives.
//!
//! It is no event: nobody agreed to anything through the address yet. What was ticked, and the evidence of
//! the page, wait here for [`limits::REFERENCE_HOLDS`].
//!
//! [`limits::REFERENCE_HOLDS`]: sayso_core::limits::REFERENCE_HOLDS

use sayso_core::address::AddressKey;
use sayso_core::id::{EntryPointId, EventId};
use sayso_core::proof::reference::Reference;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Permission;
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::source::Evidence;

/// What was ticked on an opt-in page, under the reference that the person takes into the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceDraft {
    /// The reference.
    pub reference: Reference,
    /// The page's request: the same again keeps it once.
    pub request: RequestHash,
    /// Whose page it was.
    pub entry_point: EntryPointId,
    /// The address that was typed: a message from another confirms nothing. Absent if none was.
    pub address: Option<AddressKey>,
    /// What was ticked.
    pub permissions: Vec<Permission>,
    /// The evidence of the page, the notice among it.
    pub evidence: Evidence,
}

/// A reference that was kept, and is not too old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReference {
    /// As it was kept.
    pub draft: ReferenceDraft,
    /// When.
    pub kept_at: Timestamp,
    /// The message that used it up, by the id of its first event.
    pub taken_by: Option<EventId>,
}

/// Whether a write about a reference was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// It is kept, or taken, now or by the same before.
    Done,
    /// Another page has this reference, or another message took it; nothing was written.
    Another,
}

impl StoredReference {
    /// Whether a message may use it: it is from the address that was typed, if one was, and no other
    /// message did.
    pub fn is_good_for(&self, addresses: &[AddressKey], message: EventId) -> bool {
        self.draft.address.is_none_or(|typed| addresses.contains(&typed))
            && self.taken_by.is_none_or(|taken_by| taken_by == message)
    }
}
