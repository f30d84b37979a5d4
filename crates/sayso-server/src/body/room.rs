//! Room for large bodies: of all requests together, a bounded number of bytes. Providers' calls have a room of
//! their own: no list that a client sends keeps a refusal out.

use std::sync::Arc;

use sayso_core::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Code, Problem};

/// The room that all large bodies share.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// What one body takes of it, until it is dropped. A body up to [`limits::BODY_BYTES_MAX`] takes nothing.
#[derive(Debug)]
pub(crate) struct Taken {
    room: Room,
    held: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(limits::LARGE_BODIES_BYTES_MAX)
    }
}

impl Room {
    /// The room of providers' calls.
    pub(crate) fn of_hooks() -> Self {
        Self::of(limits::HOOK_BODIES_BYTES_MAX)
    }

    fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// The room that a body takes of which nothing has come yet.
    pub(crate) fn begin(&self) -> Taken {
        Taken { room: self.clone(), held: None, bytes: 0 }
    }
}

impl Taken {
    /// Takes room for further bytes.
    ///
    /// # Errors
    /// [`Code::NoRoom`] where too much is in memory.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes <= limits::BODY_BYTES_MAX {
            return Ok(());
        }
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(self.bytes - held).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.room.0).try_acquire_many_owned(more).map_err(|_| {
            let detail = "as much of large bodies is in memory as may be";
            Problem::new(Code::NoRoom).detail(detail).retry_after_seconds(2)
        })?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_share_their_room_and_small_ones_need_none() {
        let room = Room::of(limits::BODY_BYTES_MAX * 2);
        let (mut one, mut other, mut small) = (room.begin(), room.begin(), room.begin());
        for _ in 0..3 {
            one.grow(limits::BODY_BYTES_MAX / 2).unwrap();
        }
        let refused = other.grow(limits::BODY_BYTES_MAX + 1).unwrap_err();
        assert_eq!(refused.code(), Code::NoRoom);
        small.grow(limits::BODY_BYTES_MAX).unwrap();
        drop(one);
        let mut next = room.begin();
        next.grow(limits::BODY_BYTES_MAX * 2).unwrap();
    }
}
