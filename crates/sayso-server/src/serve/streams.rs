//! Requests of HTTP/2, each a task, which end when nobody takes their answers.
//!
//! A client of HTTP/2 says for each stream how much of its answer it has room for. One that never makes
//! room, and answers pings, would hold its streams and their answers for ever: its connection is alive.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::{Instant, sleep};

/// Runs the streams of connections, each until nothing moved on it for so long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams(pub(super) Duration);

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, stream: F) {
        let patience = self.0;
        #[expect(
            clippy::disallowed_methods,
            reason = "a stream ends with its connection, which its owner waits for"
        )]
        tokio::spawn(async move {
            let _ended = while_moving(stream, patience).await;
        });
    }
}

/// What a future comes to, unless nothing wakes it for `patience`.
async fn while_moving<F: Future>(stream: F, patience: Duration) -> Option<F::Output> {
    let (mut stream, mut alarm) = (pin!(stream), pin!(sleep(patience)));
    let mut moved = Instant::now();
    poll_fn(|context| {
        if let Poll::Ready(output) = stream.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        let mut rang = false;
        while alarm.as_mut().poll(context).is_ready() {
            rang = true;
            let deadline = moved + patience;
            if deadline <= Instant::now() {
                return Poll::Ready(None);
            }
            alarm.as_mut().reset(deadline);
        }
        if !rang {
            moved = Instant::now();
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(50);

    #[tokio::test(start_paused = true)]
    async fn what_moves_may_take_as_long_as_it_likes_and_what_does_not_ends() {
        let moving = async {
            for _ in 0..10 {
                drop(timeout(Duration::from_secs(49), pending::<()>()).await);
            }
        };
        assert_eq!(while_moving(moving, PATIENCE).await, Some(()));
        let begun = Instant::now();
        let stuck = async {
            drop(timeout(Duration::from_secs(30), pending::<()>()).await);
            pending::<()>().await;
        };
        assert_eq!(while_moving(stuck, PATIENCE).await, None);
        assert_eq!(begun.elapsed().as_secs(), 80);
    }
}
