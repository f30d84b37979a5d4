//! Counts, beside the answers to providers, how many people said no to a sender.
//!
//! What a person said is an event, and durable before the provider's 2xx. The count of a sender says how
//! it stands, and is made afterwards, for all who said no meanwhile at once. A process that is killed
//! loses the counts of its last moments, never what was said.

use std::sync::Arc;

use sayso_core::id::{SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_store::store::StoreError;
use sayso_store::tally::{Counted, Tally};
use tokio::sync::watch;

use crate::app::App;
use crate::heard::health::heed;

/// Counts whatever is noted, until the server stops; what was noted by then is counted too.
pub(crate) async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        count_noted(&app).await;
        tokio::select! {
            _ = stopped.changed() => {}
            () = app.counting().is_noted() => {}
        }
    }
    count_noted(&app).await;
}

/// Counts what is noted, and sees what the rates say then.
pub(crate) async fn count_noted(app: &App) {
    for ((workspace, sender), times) in app.counting().take() {
        if let Err(error) = count(app, workspace, sender, times).await {
            tracing::error!(error = %error, sender.id = %sender, "how a sender stands misses a count");
        }
    }
}

async fn count(
    app: &App,
    workspace: WorkspaceId,
    sender: SenderId,
    times: usize,
) -> Result<(), StoreError> {
    let mut rest = times;
    while rest > 0 {
        let some = rest.min(limits::TALLIES_AT_ONCE);
        let refused = vec![Tally::Refused; some];
        let tallied = app.store().tally(workspace, Counted::Sender(sender), &refused).await?;
        heed(app, workspace, sender, &tallied).await?;
        rest -= some;
    }
    Ok(())
}
