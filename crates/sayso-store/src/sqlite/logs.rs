//! Emptying the write-ahead logs after an erasure (rule 17): what it destroyed in the files still stands in
//! the logs beside them, until they are moved into the files and cut off.
//!
//! An erasure waits for that; those that wait at the same time share it. Where somebody reads what a log
//! would lose, the flusher tries again every few seconds, until it is done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Shared, flusher};

/// Who asked for empty logs, and up to whom it was done.
#[derive(Debug, Default)]
pub(super) struct Logs {
    asked: AtomicU64,
    done: Mutex<u64>,
}

impl Shared {
    /// Empties every log of what was destroyed until now.
    pub(super) fn empty_logs(&self) {
        let mine = self.logs.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.empty_logs_up_to(mine);
    }

    /// Empties them where that was asked for and could not be done.
    pub(super) fn empty_logs_again(&self) {
        self.empty_logs_up_to(self.logs.asked.load(Ordering::SeqCst));
    }

    /// Empties those that the last process left; that of the views was when they were opened.
    pub(super) fn empty_logs_at_start(&self) {
        for (file, database) in [("events.db", &self.ledger), ("work.db", self.work.database())] {
            if let Err(error) = database.empty_log() {
                tracing::debug!(file, error = %error, "a log stays as long as it was");
            }
        }
    }

    fn empty_logs_up_to(&self, mine: u64) {
        let mut done = self.logs.done.lock().unwrap_or_else(PoisonError::into_inner);
        if *done >= mine {
            return;
        }
        let up_to = self.logs.asked.load(Ordering::SeqCst);
        // The views lack the erasure until they are flushed.
        let are_empty = flusher::flush(self) && self.empty_each();
        if are_empty {
            *done = up_to;
        }
    }

    fn empty_each(&self) -> bool {
        let emptied = [
            ("events.db", self.ledger.empty_log()),
            ("work.db", self.work.database().empty_log()),
            ("views.db", flusher::empty_log(self)),
        ];
        let mut are_empty = true;
        for (file, emptied) in emptied {
            match emptied {
                Ok(is_empty) => are_empty &= is_empty,
                Err(error) => {
                    are_empty = false;
                    tracing::warn!(file, error = %error, "a log that holds what was erased could not be emptied: the next flush tries again");
                }
            }
        }
        are_empty
    }
}
