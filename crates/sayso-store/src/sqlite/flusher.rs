//! The flusher: moves the tail into the views, in key order, in large batches.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use sayso_core::limits;
use tokio::sync::Notify;

use super::tail::Tail;
use super::{Shared, views};
use crate::store::StoreError;

/// What the flusher was asked.
#[derive(Debug, Default)]
struct Asked {
    flush: bool,
    close: bool,
}

/// The way to the flusher.
#[derive(Debug, Default)]
pub(super) struct FlusherHandle {
    asked: Mutex<Asked>,
    bell: Condvar,
    room: Notify,
    /// Held by whoever flushes: who comes meanwhile flushes after them what came meanwhile.
    flushing: Mutex<()>,
    /// Whether the last flush failed.
    is_stuck: AtomicBool,
}

impl FlusherHandle {
    /// Asks for a flush soon.
    pub(super) fn ask(&self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).flush = true;
        self.bell.notify_all();
    }

    /// Waits until the tail has room for an import, and asks for a flush meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the views cannot be written, so that nothing makes room.
    pub(super) async fn room_for_import(
        &self,
        tail: &Tail,
        bytes_max: usize,
    ) -> Result<(), StoreError> {
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            // What is being flushed makes room, unless the last flush gave it back.
            let held = if self.is_stuck() { tail.size().0 } else { tail.live_bytes() };
            if held <= bytes_max / limits::TAIL_IMPORT_SHARE {
                return Ok(());
            }
            self.ask();
            room.await;
            if self.is_stuck() {
                return Err(StoreError::Busy);
            }
        }
    }

    fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Relaxed)
    }

    /// Tells those who wait that there is room: a flush began, or the views are written again.
    fn has_room(&self) {
        self.is_stuck.store(false, Ordering::Relaxed);
        self.room.notify_waiters();
    }

    /// Tells those who wait that a flush failed.
    fn is_without_room(&self) {
        self.is_stuck.store(true, Ordering::Relaxed);
        self.room.notify_waiters();
    }

    /// Asks the thread to end.
    pub(super) fn close(&self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).close = true;
        self.bell.notify_all();
    }

    /// Waits until asked, or until the interval is over; whether to go on.
    fn wait(&self) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let interval = u64::try_from(limits::FLUSH_INTERVAL.as_micros()).unwrap_or(0);
        let (mut asked, _) = self
            .bell
            .wait_timeout_while(asked, Duration::from_micros(interval), |asked| {
                !asked.flush && !asked.close
            })
            .unwrap_or_else(PoisonError::into_inner);
        asked.flush = false;
        !asked.close
    }
}

/// How much less of a processor the flusher takes than the writer when there are too few (nice(2)).
const NICENESS: i32 = 10;

/// The flusher's thread.
pub(super) fn run(shared: &Arc<Shared>) {
    let own = Some(rustix::thread::gettid());
    if let Err(error) = rustix::process::setpriority_process(own, NICENESS) {
        tracing::debug!(error = %error, "the flusher runs at the writer's priority");
    }
    let now = || shared.environment.clock.now();
    let mut saved_at = now();
    while shared.flusher.wait() {
        flush(shared);
        if saved_at.plus(limits::INDEX_SAVE_INTERVAL) <= now() {
            shared.save_index();
            saved_at = now();
        }
    }
}

/// Flushes the tail once; whether the views hold everything that was in it.
pub(super) fn flush(shared: &Shared) -> bool {
    let _alone = shared.flusher.flushing.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(frame) = shared.tail.freeze() else {
        return true;
    };
    let was_stuck = shared.flusher.is_stuck();
    if !was_stuck {
        shared.flusher.has_room();
    }
    match views::flush(&mut shared.views.lock(), &frame, &shared.vaults(), &shared.environment) {
        Ok(()) => {
            shared.tail.thaw();
            if was_stuck {
                shared.flusher.has_room();
            }
            true
        }
        Err(error) => {
            // The ledger has it all; the tail keeps what the views could not take.
            tracing::error!(error = %error, "the views could not be written; the tail keeps what they lack");
            shared.tail.unfreeze();
            shared.flusher.is_without_room();
            false
        }
    }
}
