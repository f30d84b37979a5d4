//! How long a future keeps its thread: others wait as long.

use std::fs::OpenOptions;
use std::future::poll_fn;
use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What a poll may take: 50 ms in what ships, and twenty times as much without optimization.
pub(crate) const POLL_MAX: Duration =
    Duration::from_millis(if cfg!(debug_assertions) { 1_000 } else { 50 });

/// What a future comes to, and its longest poll. The time of this thread alone counts, so that a busy
/// machine changes nothing.
pub(crate) async fn longest_poll<F: Future>(future: F) -> (F::Output, Duration) {
    let mut future = pin!(future);
    let mut longest = Duration::ZERO;
    let output = poll_fn(|context| {
        let begun = thread_time();
        let polled = future.as_mut().poll(context);
        longest = longest.max(thread_time().saturating_sub(begun));
        polled
    })
    .await;
    tell(longest);
    (output, longest)
}

/// Adds it, in microseconds, to the file that `cargo xtask attack --polls` names.
fn tell(longest: Duration) {
    let Some(path) = std::env::var_os("SAYSO_TEST_POLLS") else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{}\n", longest.as_micros()).as_bytes()).unwrap();
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = Duration::from_secs(time.tv_sec.try_into().unwrap());
    seconds + Duration::from_nanos(time.tv_nsec.try_into().unwrap())
}
