//! The flusher: moves the tail into the views, in key order, in large batches.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use sayso_core::limits;
use tokio::sync::Notify;

use super::lineage::Lineage;
use super::tail::{Frame, Tail};
use super::{Shared, derived, views, watermark};
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
    /// Whether the views' write-ahead log holds what their file lacks.
    has_log: AtomicBool,
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

    /// Notes whether the views' write-ahead log holds anything. If not, the next flush begins another.
    #[expect(clippy::fn_params_excessive_bools, reason = "it holds something or it doesn't")]
    pub(super) fn note_log(&self, has_log: bool) {
        self.has_log.store(has_log, Ordering::Relaxed);
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
    let now = || shared.clock.machine().now();
    let mut saved_at = now();
    while shared.flusher.wait() {
        flush(shared);
        shared.empty_logs_again();
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
    match write(shared, &frame) {
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

/// Moves the views' log into their file, so that the next flush begins another; false where somebody reads
/// what it would lose.
pub(super) fn empty_log(shared: &Shared) -> rusqlite::Result<bool> {
    let _alone = shared.flusher.flushing.lock().unwrap_or_else(PoisonError::into_inner);
    let is_empty = shared.views.empty_log()?;
    if is_empty {
        shared.flusher.note_log(false);
    }
    Ok(is_empty)
}

/// Writes a frame into the views, with what it was made from.
fn write(shared: &Shared, frame: &Frame) -> Result<(), StoreError> {
    let handle = &shared.flusher;
    // Before the views are locked: whoever holds the ledger may wait for them.
    let row = match frame.last_row {
        // Nothing was appended, but something folded again.
        0 => shared.read_views(watermark::row)?,
        row => row,
    };
    let lineage = shared.ledger.read(|ledger| Lineage::of(ledger, shared.store_id, row))?;
    let begins_log = !handle.has_log.load(Ordering::Relaxed);
    let generation = begins_log.then(|| shared.environment.random());
    let written = watermark::Written { lineage, generation };
    let mut views = shared.views.lock();
    let (vaults, environment) = (shared.vaults(), &shared.environment);
    views::flush(&mut views, (frame, &written), &vaults, environment)
        .map_err(|error| derived::unwritten(&error))
        .inspect_err(|error| shared.note_damage(error))?;
    handle.note_log(true);
    if shared.views.log_bytes() < limits::VIEWS_LOG_BYTES {
        return Ok(());
    }
    match watermark::checkpoint(&views) {
        Ok(true) => handle.note_log(false),
        // Somebody reads what the file would lose: the next flush tries again.
        Ok(false) => {}
        Err(error) => {
            tracing::warn!(error = %error, "the views' log could not be moved into their file");
        }
    }
    Ok(())
}
