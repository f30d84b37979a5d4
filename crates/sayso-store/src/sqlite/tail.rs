//! The tail: what is durable in the ledger and not yet in the views.
//!
//! Two frames. The writer publishes into the live frame after each commit; a flush freezes it and
//! writes it into the views while a new live frame fills. An entry holds the whole state of its
//! address, so a reader takes the tail's answer if there is one and the views' otherwise, in that
//! order: a frame is dropped only after the views hold it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use sayso_core::address::AddressKey;
use sayso_core::event_id::RequestHash;
use sayso_core::id::{EventId, ProfileId};
use sayso_core::registers::Registers;
use sayso_core::time::Timestamp;

use super::views::ProfileState;

/// A workspace's number in the store's tables.
pub(super) type WorkspaceNo = i64;
/// Where an address's rows stand.
pub(super) type Place = (WorkspaceNo, AddressKey);

/// What is known of one address, newer than the views.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) registers: Arc<Registers>,
    /// The address as the views are to hold it.
    pub(super) sealed: SealedAddress,
    /// The rows of the ledger that the views do not index yet.
    pub(super) rows: Vec<(EventId, i64)>,
}

/// What the views are to do with an address they keep sealed.
#[derive(Clone, Debug)]
pub(super) enum SealedAddress {
    /// Leave what they have.
    Unchanged,
    /// Keep this.
    Known(Arc<[u8]>),
    /// Forget it: the person was erased.
    Forgotten,
}

/// One event as a retry needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownEvent {
    pub(super) row: i64,
    pub(super) request: RequestHash,
    pub(super) occurred_at: Timestamp,
    pub(super) recorded_at: Timestamp,
}

/// What one commit group, or all groups since the last flush, changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    pub(super) addresses: HashMap<Place, Entry>,
    pub(super) profiles: HashMap<(WorkspaceNo, ProfileId), Arc<ProfileState>>,
    pub(super) events: HashMap<(WorkspaceNo, EventId), KnownEvent>,
    pub(super) last_row: i64,
    pub(super) bytes: usize,
}

#[derive(Debug, Default)]
struct Frames {
    live: Frame,
    flushing: Option<Arc<Frame>>,
    /// How many flushes the views hold.
    flushed: u64,
}

/// The tail, shared by the writer, the flusher and the readers.
#[derive(Debug, Default)]
pub(super) struct Tail(Mutex<Frames>);

/// A guess at one address's bytes in memory besides its rows: map slots and registers.
const ENTRY_BYTES: usize = 320;
/// A guess at one event's bytes in memory.
const EVENT_BYTES: usize = 120;

impl Frame {
    fn account(&self) -> usize {
        self.addresses.len() * ENTRY_BYTES + self.events.len() * EVENT_BYTES
    }

    /// Takes in a newer frame.
    fn absorb(&mut self, newer: Self) {
        for (place, entry) in newer.addresses {
            match self.addresses.entry(place) {
                hashbrown::hash_map::Entry::Occupied(mut held) => {
                    let held = held.get_mut();
                    held.registers = entry.registers;
                    if !matches!(entry.sealed, SealedAddress::Unchanged) {
                        held.sealed = entry.sealed;
                    }
                    held.rows.extend(entry.rows);
                }
                hashbrown::hash_map::Entry::Vacant(free) => {
                    free.insert(entry);
                }
            }
        }
        self.profiles.extend(newer.profiles);
        self.events.extend(newer.events);
        self.last_row = self.last_row.max(newer.last_row);
        self.bytes = self.account();
    }
}

impl Tail {
    fn frames(&self) -> MutexGuard<'_, Frames> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes what a commit made durable.
    pub(super) fn publish(&self, committed: Frame) {
        self.frames().live.absorb(committed);
    }

    /// The registers of an address, if newer than the views.
    pub(super) fn registers(&self, place: &Place) -> Option<Arc<Registers>> {
        self.entry(place, |entry| Arc::clone(&entry.registers))
    }

    /// The address, sealed for the views: `None` if the tail does not say.
    pub(super) fn sealed_address(&self, place: &Place) -> Option<SealedAddress> {
        let frames = self.frames();
        let says = |entry: &&Entry| !matches!(entry.sealed, SealedAddress::Unchanged);
        let flushing = || frames.flushing.as_ref()?.addresses.get(place).filter(says);
        let live = frames.live.addresses.get(place).filter(says);
        live.or_else(flushing).map(|entry| entry.sealed.clone())
    }

    fn entry<T>(&self, place: &Place, read: impl Fn(&Entry) -> T) -> Option<T> {
        let frames = self.frames();
        let flushing = || frames.flushing.as_ref()?.addresses.get(place);
        frames.live.addresses.get(place).or_else(flushing).map(read)
    }

    /// All rows about an address that the views may not index yet.
    pub(super) fn rows(&self, place: &Place) -> Vec<(EventId, i64)> {
        let frames = self.frames();
        let flushing = frames.flushing.as_ref().and_then(|frame| frame.addresses.get(place));
        let entries = flushing.into_iter().chain(frames.live.addresses.get(place));
        entries.flat_map(|entry| entry.rows.iter().copied()).collect()
    }

    /// The addresses of a workspace that the views may not hold yet, after `after`, in no order.
    pub(super) fn keys_after(
        &self,
        workspace: WorkspaceNo,
        after: Option<AddressKey>,
    ) -> Vec<AddressKey> {
        let frames = self.frames();
        let places = frames.live.addresses.keys();
        let flushing = frames.flushing.iter().flat_map(|frame| frame.addresses.keys());
        places
            .chain(flushing)
            .filter(|(no, key)| *no == workspace && after.is_none_or(|after| after < *key))
            .map(|(_, key)| *key)
            .collect()
    }

    /// An event, if newer than the views.
    pub(super) fn event(&self, workspace: WorkspaceNo, id: EventId) -> Option<KnownEvent> {
        let frames = self.frames();
        let flushing = || frames.flushing.as_ref()?.events.get(&(workspace, id));
        frames.live.events.get(&(workspace, id)).or_else(flushing).copied()
    }

    /// A profile, if newer than the views.
    pub(super) fn profile(
        &self,
        workspace: WorkspaceNo,
        id: ProfileId,
    ) -> Option<Arc<ProfileState>> {
        let frames = self.frames();
        let flushing = || frames.flushing.as_ref()?.profiles.get(&(workspace, id));
        frames.live.profiles.get(&(workspace, id)).or_else(flushing).cloned()
    }

    /// How many flushes the views hold; a read of the views is current while this stands.
    pub(super) fn flushed(&self) -> u64 {
        self.frames().flushed
    }

    /// Bytes in the live frame.
    pub(super) fn live_bytes(&self) -> usize {
        self.frames().live.bytes
    }

    /// Bytes and events in the whole tail.
    pub(super) fn size(&self) -> (usize, usize) {
        let frames = self.frames();
        let flushing = frames.flushing.as_ref();
        (
            frames.live.bytes + flushing.map_or(0, |frame| frame.bytes),
            frames.live.events.len() + flushing.map_or(0, |frame| frame.events.len()),
        )
    }

    /// Freezes the live frame for a flush; `None` if it is empty or a flush is under way.
    pub(super) fn freeze(&self) -> Option<Arc<Frame>> {
        let mut frames = self.frames();
        if frames.flushing.is_some() || frames.live.last_row == 0 {
            return None;
        }
        let frame = Arc::new(std::mem::take(&mut frames.live));
        frames.flushing = Some(Arc::clone(&frame));
        Some(frame)
    }

    /// The views hold the frozen frame.
    pub(super) fn thaw(&self) {
        let mut frames = self.frames();
        frames.flushing = None;
        frames.flushed += 1;
    }

    /// The flush failed: the frozen frame is live again, under what came since.
    pub(super) fn unfreeze(&self) {
        let mut frames = self.frames();
        if let Some(frozen) = frames.flushing.take() {
            let newer = std::mem::replace(&mut frames.live, Arc::unwrap_or_clone(frozen));
            frames.live.absorb(newer);
        }
    }
}
