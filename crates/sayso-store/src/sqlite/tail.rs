//! The tail: what is durable in the ledger and not yet in the views.
//!
//! Two frames. The writer publishes into the live frame after each commit; a flush freezes it and
//! writes it into the views while a new live frame fills. An entry holds the whole state of its
//! address, so a reader takes the tail's answer if there is one and the views' otherwise, in that
//! order: a frame is dropped only after the views hold it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use sayso_core::address::AddressKey;
use sayso_core::id::{EventId, ProfileId};
use sayso_core::limits;
use sayso_core::state::registers::Registers;
use sayso_core::words::event_id::is_keyed;

use super::views::{ProfileState, registers_of};
use crate::store::StoreError;

/// A workspace's number in the store's tables.
pub(super) type WorkspaceNo = i64;
/// Where an address's rows stand.
pub(super) type Place = (WorkspaceNo, AddressKey);

/// What is known of one address, newer than the views.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The registers as the views keep them: a tenth of what they take unfolded.
    pub(super) registers: Arc<[u8]>,
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

/// What one commit group, or all groups since the last flush, changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    pub(super) addresses: HashMap<Place, Entry>,
    pub(super) profiles: HashMap<(WorkspaceNo, ProfileId), Arc<ProfileState>>,
    /// The rows of keyed requests, whomever they are about.
    pub(super) keyed: HashMap<(WorkspaceNo, EventId), i64>,
    /// Events in it.
    pub(super) events: usize,
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

/// Bytes of an entry besides what it points to: its share of the map, and of the allocator.
const ENTRY_BYTES: usize = 208;
/// Bytes of a row in an entry, and of a key.
const ROW_BYTES: usize = 64;

impl Entry {
    fn bytes(&self) -> usize {
        let sealed = match &self.sealed {
            SealedAddress::Known(sealed) => sealed.len(),
            SealedAddress::Unchanged | SealedAddress::Forgotten => 0,
        };
        ENTRY_BYTES + self.registers.len() + sealed + self.rows.len() * ROW_BYTES
    }
}

impl Frame {
    /// Takes in a newer frame.
    fn absorb(&mut self, newer: Self) {
        for (place, entry) in newer.addresses {
            match self.addresses.entry(place) {
                hashbrown::hash_map::Entry::Occupied(mut held) => {
                    let held = held.get_mut();
                    self.bytes -= held.bytes();
                    held.registers = entry.registers;
                    if !matches!(entry.sealed, SealedAddress::Unchanged) {
                        held.sealed = entry.sealed;
                    }
                    held.rows.extend(entry.rows);
                    self.bytes += held.bytes();
                }
                hashbrown::hash_map::Entry::Vacant(free) => {
                    self.bytes += entry.bytes();
                    free.insert(entry);
                }
            }
        }
        self.profiles.extend(newer.profiles);
        self.keyed.extend(newer.keyed);
        self.events += newer.events;
        self.last_row = self.last_row.max(newer.last_row);
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
    pub(super) fn registers(&self, place: &Place) -> Result<Option<Arc<Registers>>, StoreError> {
        let bytes = self.entry(place, |entry| Arc::clone(&entry.registers));
        bytes.map(|bytes| registers_of(&place.1, &bytes)).transpose()
    }

    /// Whether it holds an address.
    pub(super) fn holds(&self, place: &Place) -> bool {
        self.entry(place, |_| ()).is_some()
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

    /// The row of an event, if newer than the views.
    pub(super) fn row(&self, place: &Place, id: EventId) -> Option<i64> {
        if is_keyed(&id) {
            let frames = self.frames();
            let flushing = || frames.flushing.as_ref()?.keyed.get(&(place.0, id));
            return frames.live.keyed.get(&(place.0, id)).or_else(flushing).copied();
        }
        self.rows(place).into_iter().find(|(held, _)| *held == id).map(|(_, row)| row)
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

    /// Whether it holds enough for a flush, where it may hold `bytes_max`.
    pub(super) fn is_due(&self, bytes_max: usize) -> bool {
        self.live_bytes() > bytes_max / limits::TAIL_FLUSH_SHARE
    }

    /// Bytes and events in the whole tail.
    pub(super) fn size(&self) -> (usize, usize) {
        let frames = self.frames();
        let flushing = frames.flushing.as_ref();
        (
            frames.live.bytes + flushing.map_or(0, |frame| frame.bytes),
            frames.live.events + flushing.map_or(0, |frame| frame.events),
        )
    }

    /// Freezes the live frame for a flush; `None` if it is empty or a flush is under way.
    pub(super) fn freeze(&self) -> Option<Arc<Frame>> {
        let mut frames = self.frames();
        if frames.flushing.is_some()
            || (frames.live.addresses.is_empty() && frames.live.profiles.is_empty())
        {
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

    /// Forgets everything: a start that met damage takes the ledger in from the beginning.
    pub(super) fn clear(&self) {
        *self.frames() = Frames::default();
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
