//! Log lines that say the same again and again, of which so many a second are written and the others counted.
//!
//! A full disk, or a stranger, can make each request a line. The bound is for each place in the code that
//! writes a line, and for what is written by default: who turns on `debug` gets everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sayso_core::limits;
use tokio::time::Instant;
use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// A layer that leaves lines out.
#[derive(Clone, Debug, Default)]
pub(super) struct Seldom(Arc<Mutex<HashMap<Identifier, Written>>>);

/// What one place wrote.
#[derive(Debug)]
struct Written {
    metadata: &'static Metadata<'static>,
    /// The beginning of the second that is counted.
    since: Instant,
    lines: u32,
    left_out: u64,
}

/// The time over which lines are counted.
const SECOND: Duration = Duration::from_secs(1);

impl Seldom {
    /// Takes what was left out since it was last taken: the place, and how many lines.
    pub(super) fn take_left_out(&self) -> Vec<(&'static Metadata<'static>, u64)> {
        let mut written = self.written();
        let left_out = written.values_mut().filter(|written| written.left_out > 0);
        left_out.map(|it| (it.metadata, std::mem::take(&mut it.left_out))).collect()
    }

    fn written(&self) -> MutexGuard<'_, HashMap<Identifier, Written>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more line of a place may be written.
    fn may_write(&self, metadata: &'static Metadata<'static>, now: Instant) -> bool {
        let mut written = self.written();
        let fresh = || Written { metadata, since: now, lines: 0, left_out: 0 };
        let of_place = written.entry(metadata.callsite()).or_insert_with(fresh);
        if now.duration_since(of_place.since) >= SECOND {
            (of_place.since, of_place.lines) = (now, 0);
        }
        let may = of_place.lines < limits::LOG_LINES_A_SECOND_MAX;
        if may {
            of_place.lines += 1;
        } else {
            of_place.left_out += 1;
        }
        may
    }
}

impl<S: Subscriber> Layer<S> for Seldom {
    fn event_enabled(&self, event: &Event<'_>, _context: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        *metadata.level() > Level::INFO || self.may_write(metadata, Instant::now())
    }
}
