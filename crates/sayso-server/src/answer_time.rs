//! When the answer to a stranger leaves, so that its time tells nothing about a person (rule 23).
//!
//! The clock starts when the request is whole: a body that comes late would otherwise use the time up in
//! which the answer hides. And an answer leaves at a multiple of the floor, so that one that took longer,
//! since the server was busy, still tells no more than how busy it was.

use sayso_core::time::Span;
use tokio::time::Instant;

use crate::body::duration;

/// When a request was whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole(Instant);

impl Whole {
    /// Now: its body was read.
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }

    /// Waits until the next multiple of `floor` after the request was whole.
    pub(crate) async fn wait(self, floor: Span) {
        let floor = duration(floor);
        let elapsed = self.0.elapsed().as_micros() / floor.as_micros().max(1);
        let steps = u32::try_from(elapsed).unwrap_or(u32::MAX).saturating_add(1);
        tokio::time::sleep_until(self.0 + floor.saturating_mul(steps)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_leaves_at_a_multiple_of_the_floor_after_the_request_is_whole() {
        let floor = Span::micros(100_000);
        for (took, leaves) in [(0, 100), (99, 100), (100, 200), (101, 200), (250, 300)] {
            let whole = Whole::now();
            let started = Instant::now();
            tokio::time::advance(Duration::from_millis(took)).await;
            whole.wait(floor).await;
            assert_eq!(started.elapsed(), Duration::from_millis(leaves), "{took} ms");
        }
    }
}
