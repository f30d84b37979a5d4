//! What goes on without being asked: messages are handed over to their providers, refusals are counted.

use std::time::Duration;

use sayso_store::store::StoreError;

use crate::app::App;

mod carriage;
pub(crate) mod carrier;
pub(crate) mod counting;
pub(crate) mod dispatch;
pub(crate) mod link_requests;
pub(crate) mod relay;

/// How long a worker whose store fails waits before it tries again.
const BACK_OFF: Duration = Duration::from_secs(1);

/// Writes something that must be written, trying until the store can or will never.
async fn persist<T, F: Future<Output = Result<T, StoreError>>>(
    what: &'static str,
    write: impl Fn() -> F,
) -> Result<T, StoreError> {
    loop {
        match write().await {
            Ok(written) => return Ok(written),
            Err(
                error @ (StoreError::Closed
                | StoreError::Unknown
                | StoreError::NoWorkspace
                | StoreError::Decided),
            ) => return Err(error),
            Err(
                error @ (StoreError::Busy
                | StoreError::Unwritable(_)
                | StoreError::Unreadable(_)
                | StoreError::Corrupt { .. }),
            ) => {
                tracing::error!(error = %error, what, "this cannot be written yet");
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
}

impl App {
    /// Counts what people said to senders so far; for those who cannot wait for the worker.
    pub async fn count_noted(&self) {
        counting::count_noted(self).await;
    }

    /// Sends the links that were asked for and hands over every message that is due, and says how many it
    /// claimed; for those who cannot wait for the workers.
    ///
    /// # Errors
    /// The store's.
    pub async fn send_due(&self) -> Result<usize, StoreError> {
        link_requests::send_asked(self).await;
        dispatch::send_due(self).await
    }
}
