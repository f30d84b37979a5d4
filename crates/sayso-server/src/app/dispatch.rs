//! The way to those who hand messages over: which senders have something to do, and which of them rest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sayso_core::id::{SenderId, WorkspaceId};
use tokio::sync::Notify;

use super::back_off::{BackOffs, Queue};

/// The way to the workers.
#[derive(Debug, Default)]
pub(crate) struct Dispatch {
    queues: Mutex<HashMap<Queue, Arc<Notify>>>,
    /// A queue without a worker was woken.
    fresh: Notify,
    /// The senders that their providers ask for patience.
    back_offs: BackOffs,
}

impl Dispatch {
    /// Every sender that was woken, with its bell.
    pub(crate) fn bells(&self) -> Vec<(Queue, Arc<Notify>)> {
        self.queues().iter().map(|(queue, bell)| (*queue, Arc::clone(bell))).collect()
    }

    /// Waits for a sender that nobody works for.
    pub(crate) async fn is_fresh(&self) {
        self.fresh.notified().await;
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Queue, Arc<Notify>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The senders that rest.
    pub(crate) const fn back_offs(&self) -> &BackOffs {
        &self.back_offs
    }

    /// Says that a sender has something to do.
    pub(crate) fn wake(&self, workspace: WorkspaceId, sender: SenderId) {
        let mut queues = self.queues();
        if let Some(bell) = queues.get(&(workspace, sender)) {
            bell.notify_one();
        } else {
            queues.insert((workspace, sender), Arc::default());
            drop(queues);
            self.fresh.notify_one();
        }
    }
}
