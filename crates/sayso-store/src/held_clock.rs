//! The time of a store, which never runs backwards (rule 2).
//!
//! A machine's clock may be set back: by hand, by a battery that died, by a copy of a virtual machine.
//! What is received then is still later than everything that was recorded, so the time of a store is
//! the machine's or a microsecond past the last record, whichever is later. Whatever is dated, and
//! whatever is judged "now", goes by this time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sayso_core::time::{Span, Timestamp};

use crate::environment::Clock;

/// A machine's clock, held where it lags behind what was recorded.
#[derive(Debug)]
pub struct HeldClock {
    machine: Arc<dyn Clock>,
    last_recorded: AtomicI64,
}

impl HeldClock {
    /// The time of a store whose last record is of `last_recorded`.
    pub fn new(machine: Arc<dyn Clock>, last_recorded: Timestamp) -> Self {
        Self { machine, last_recorded: AtomicI64::new(last_recorded.as_micros()) }
    }

    /// Notes that something was recorded.
    pub fn note(&self, recorded: Timestamp) {
        self.last_recorded.fetch_max(recorded.as_micros(), Ordering::SeqCst);
    }

    /// The machine's clock, for what only measures how long something takes.
    pub fn machine(&self) -> &dyn Clock {
        self.machine.as_ref()
    }

    fn earliest(&self) -> Timestamp {
        Timestamp::from_micros(self.last_recorded.load(Ordering::SeqCst)).plus(Span::micros(1))
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        self.machine.now().max(self.earliest())
    }

    fn held_back(&self) -> Span {
        let behind = self.earliest().as_micros().saturating_sub(self.machine.now().as_micros());
        Span::micros(behind.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that stands still.
    #[derive(Debug)]
    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0)
        }
    }

    #[test]
    fn the_time_is_later_than_the_last_record_however_far_the_clock_is_behind() {
        for (machine, last, now, held_back) in [
            (100, i64::MIN, 100, 0),
            (100, 98, 100, 0),
            (100, 99, 100, 0),
            (100, 100, 101, 1),
            (100, 4_000, 4_001, 3_901),
            (i64::MIN, 4_000, 4_001, i64::MAX),
        ] {
            let clock = HeldClock::new(Arc::new(At(machine)), Timestamp::from_micros(last));
            assert_eq!(clock.now(), Timestamp::from_micros(now), "{machine} after {last}");
            assert_eq!(clock.held_back(), Span::micros(held_back), "{machine} after {last}");
        }
    }

    #[test]
    fn what_is_noted_later_and_is_earlier_changes_nothing() {
        let clock = HeldClock::new(Arc::new(At(5)), Timestamp::from_micros(10));
        clock.note(Timestamp::from_micros(20));
        clock.note(Timestamp::from_micros(15));
        assert_eq!(clock.now(), Timestamp::from_micros(21));
        assert_eq!(clock.machine().now(), Timestamp::from_micros(5));
    }
}
