//! Refusals of people that are yet to be counted of the senders they said no to.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use sayso_core::id::{SenderId, WorkspaceId};
use tokio::sync::Notify;

/// What is to be counted: of a sender, how many said no.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    refused: Mutex<BTreeMap<(WorkspaceId, SenderId), usize>>,
    bell: Notify,
}

impl Counting {
    /// Says that a person said no to a sender.
    pub(crate) fn note_refusal(&self, workspace: WorkspaceId, sender: SenderId) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let times = refused.entry((workspace, sender)).or_default();
        *times = times.saturating_add(1);
        drop(refused);
        self.bell.notify_one();
    }

    /// What was noted since it was last taken.
    pub(crate) fn take(&self) -> BTreeMap<(WorkspaceId, SenderId), usize> {
        std::mem::take(&mut *self.refused.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until something is noted.
    pub(crate) async fn is_noted(&self) {
        self.bell.notified().await;
    }
}
