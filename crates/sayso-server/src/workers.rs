//! What goes on without being asked: messages are handed over to their providers, refusals are counted.

use std::time::Duration;

use sayso_store::store::StoreError;

pub(crate) mod back_off;
pub(crate) mod carrier;
pub(crate) mod counting;
pub(crate) mod dispatch;
pub(crate) mod link_requests;
pub(crate) mod relay;
pub(crate) mod sandbox;

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
