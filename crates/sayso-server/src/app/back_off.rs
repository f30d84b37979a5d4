//! Senders that their providers ask for patience rest, all of their messages together.
//!
//! The first refusal rests a sender for [`limits::QUEUE_BACK_OFF_MIN`], each further one twice as long,
//! up to [`limits::QUEUE_BACK_OFF_MAX`] or as long as the provider says; a message that it takes ends
//! that. In memory: after a start the first answer says again how things are.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sayso_core::id::{SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_core::time::{Span, Timestamp};

/// Whose messages wait or rest: a sender of a workspace.
pub(crate) type Queue = (WorkspaceId, SenderId);

/// The senders that rest.
#[derive(Debug, Default)]
pub(crate) struct BackOffs(Mutex<HashMap<Queue, Rest>>);

#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Timestamp,
    /// How often in a row, those that came while it rested already counted once.
    times: u32,
}

impl BackOffs {
    fn rests(&self) -> MutexGuard<'_, HashMap<Queue, Rest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rests a sender: its provider took nothing at `now`, and asked for this long if it said so.
    pub(crate) fn rest(&self, queue: Queue, now: Timestamp, asked: Option<Span>) {
        let mut rests = self.rests();
        let rest = rests.entry(queue).or_insert(Rest { until: now, times: 0 });
        if rest.until <= now {
            rest.times = rest.times.saturating_add(1);
            rest.until = now.plus(wait(rest.times));
        }
        let asked = asked.map(|asked| now.plus(asked.min(limits::RETRY_AFTER_MAX)));
        rest.until = asked.map_or(rest.until, |asked| rest.until.max(asked));
    }

    /// Ends the counting: the provider took a message.
    pub(crate) fn went(&self, queue: Queue) {
        self.rests().remove(&queue);
    }

    /// Until when a sender rests, if it does.
    pub(crate) fn until(&self, queue: Queue, now: Timestamp) -> Option<Timestamp> {
        self.rests().get(&queue).map(|rest| rest.until).filter(|until| *until > now)
    }
}

/// How long the `times`-th rest in a row is.
fn wait(times: u32) -> Span {
    let doubled = 1_i64.checked_shl(times.saturating_sub(1)).unwrap_or(i64::MAX);
    let micros = limits::QUEUE_BACK_OFF_MIN.as_micros().saturating_mul(doubled.max(1));
    Span::micros(micros).min(limits::QUEUE_BACK_OFF_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);
    const QUEUE: Queue = (WorkspaceId::from_bytes([1; 16]), SenderId::from_bytes([2; 16]));

    #[test]
    fn each_rest_is_twice_the_one_before_up_to_the_longest() {
        let back_offs = BackOffs::default();
        let mut now = T;
        let mut waits = Vec::new();
        for _ in 0..70 {
            back_offs.rest(QUEUE, now, None);
            let until = back_offs.until(QUEUE, now).unwrap();
            waits.push((until.as_micros() - now.as_micros()) / 1_000_000);
            now = until;
            assert_eq!(back_offs.until(QUEUE, now), None, "it is over then");
        }
        assert_eq!(waits.first_chunk(), Some(&[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600]));
        assert_eq!(waits.last(), Some(&600));
    }

    #[test]
    fn refusals_of_one_burst_are_one_and_a_message_that_went_ends_the_counting() {
        let back_offs = BackOffs::default();
        for _ in 0..256 {
            back_offs.rest(QUEUE, T, None);
        }
        assert_eq!(back_offs.until(QUEUE, T), Some(T.plus(limits::QUEUE_BACK_OFF_MIN)));
        let other = (QUEUE.0, SenderId::from_bytes([3; 16]));
        assert_eq!(back_offs.until(other, T), None);
        back_offs.went(QUEUE);
        assert_eq!(back_offs.until(QUEUE, T), None);
    }

    #[test]
    fn a_provider_that_names_a_longer_time_gets_it_within_a_day() {
        let back_offs = BackOffs::default();
        back_offs.rest(QUEUE, T, Some(Span::minutes(20)));
        assert_eq!(back_offs.until(QUEUE, T), Some(T.plus(Span::minutes(20))));
        back_offs.rest(QUEUE, T, Some(Span::days(9)));
        assert_eq!(back_offs.until(QUEUE, T), Some(T.plus(limits::RETRY_AFTER_MAX)));
    }
}
