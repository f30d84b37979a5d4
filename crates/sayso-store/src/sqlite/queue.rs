//! The queue before the one writer: a queue for each workspace, served in turn, so that a workspace
//! with very much to write delays the others by one use case and not by all of its own.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use sayso_core::limits;

use super::tail::WorkspaceNo;
use super::writer::UseCase;
use crate::store::StoreError;

/// What waits for the writer.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// The workspaces for which something waits, in the order in which they are served.
    turns: VecDeque<(WorkspaceNo, VecDeque<Box<dyn UseCase>>)>,
    count: usize,
    closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("count", &self.len()).finish_non_exhaustive()
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many use cases wait.
    pub(super) fn len(&self) -> usize {
        self.waiting().count
    }

    /// Adds a use case of a workspace.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if too many wait, of this workspace or of all; [`StoreError::Closed`].
    pub(super) fn push(
        &self,
        workspace: WorkspaceNo,
        case: Box<dyn UseCase>,
    ) -> Result<(), StoreError> {
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        if waiting.count >= limits::WRITER_QUEUE_MAX {
            return Err(StoreError::Busy);
        }
        match waiting.turns.iter_mut().find(|(no, _)| *no == workspace) {
            Some((_, cases)) if cases.len() >= limits::WORKSPACE_QUEUE_MAX => {
                return Err(StoreError::Busy);
            }
            Some((_, cases)) => cases.push_back(case),
            None => waiting.turns.push_back((workspace, VecDeque::from([case]))),
        }
        waiting.count += 1;
        drop(waiting);
        self.bell.notify_one();
        Ok(())
    }

    /// Waits until something waits and takes at most `cases` of it, one of each workspace in turn;
    /// `None` once the queue is closed and empty.
    pub(super) fn take(&self, cases: usize) -> Option<Vec<Box<dyn UseCase>>> {
        let mut waiting = self
            .bell
            .wait_while(self.waiting(), |waiting| waiting.count == 0 && !waiting.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::with_capacity(cases.min(waiting.count));
        while taken.len() < cases {
            let Some((workspace, mut of_workspace)) = waiting.turns.pop_front() else { break };
            taken.extend(of_workspace.pop_front());
            waiting.count -= 1;
            if !of_workspace.is_empty() {
                waiting.turns.push_back((workspace, of_workspace));
            }
        }
        (!taken.is_empty()).then_some(taken)
    }

    /// Takes no more; what waits is still given out.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.bell.notify_all();
    }

    /// Takes no more and gives nothing out: whoever waits hears that the store is closed.
    pub(super) fn abandon(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        waiting.count = 0;
        waiting.turns.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::group::Group;
    use crate::sqlite::writer::Urgency;

    /// A use case that says whose it is by its urgency.
    struct Named(Urgency);

    impl UseCase for Named {
        fn run(&mut self, _: &mut Group<'_>) -> Result<(), StoreError> {
            Ok(())
        }

        fn urgency(&self) -> Urgency {
            self.0
        }

        fn answer(self: Box<Self>, _: Result<(), StoreError>) {}
    }

    const BIG: WorkspaceNo = 1;
    const SMALL: WorkspaceNo = 2;

    fn push(queue: &Queue, workspace: WorkspaceNo, times: usize) -> Result<(), StoreError> {
        let urgency = if workspace == BIG { Urgency::Ordinary } else { Urgency::Refusal };
        (0..times).try_for_each(|_| queue.push(workspace, Box::new(Named(urgency))))
    }

    #[test]
    fn workspaces_are_served_in_turn() {
        let queue = Queue::default();
        push(&queue, BIG, 50).unwrap();
        push(&queue, SMALL, 2).unwrap();
        let group: Vec<Urgency> =
            queue.take(5).unwrap().iter().map(|case| case.urgency()).collect();
        let (of_big, of_small) = (Urgency::Ordinary, Urgency::Refusal);
        assert_eq!(group, [of_big, of_small, of_big, of_small, of_big]);
        assert_eq!(queue.len(), 47);
    }

    #[test]
    fn a_workspace_that_fills_its_queue_leaves_room_for_others() {
        let queue = Queue::default();
        push(&queue, BIG, limits::WORKSPACE_QUEUE_MAX).unwrap();
        assert!(matches!(push(&queue, BIG, 1), Err(StoreError::Busy)));
        push(&queue, SMALL, 1).unwrap();
    }

    #[test]
    fn a_closed_queue_gives_out_what_waits_and_takes_no_more() {
        let queue = Queue::default();
        push(&queue, SMALL, 1).unwrap();
        queue.close();
        assert!(matches!(push(&queue, SMALL, 1), Err(StoreError::Closed)));
        assert_eq!(queue.take(10).map(|cases| cases.len()), Some(1));
        assert!(queue.take(10).is_none());
    }
}
