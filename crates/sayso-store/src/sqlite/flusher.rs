//! The flusher: moves the tail into the views, in key order, in large batches.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use sayso_core::limits;

use super::{Shared, views};

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
}

impl FlusherHandle {
    /// Asks for a flush soon.
    pub(super) fn ask(&self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).flush = true;
        self.bell.notify_all();
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

/// The flusher's thread.
pub(super) fn run(shared: &Arc<Shared>) {
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
    let Some(frame) = shared.tail.freeze() else {
        return true;
    };
    match views::flush(&mut shared.views.lock(), &frame, &shared.vaults(), &shared.environment) {
        Ok(()) => {
            shared.tail.thaw();
            true
        }
        Err(error) => {
            // The ledger has it all; the tail keeps what the views could not take.
            tracing::error!(error = %error, "the views could not be written; the tail keeps what they lack");
            shared.tail.unfreeze();
            false
        }
    }
}
