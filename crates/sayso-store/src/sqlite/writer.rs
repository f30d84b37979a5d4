//! The one writer: every write is a use case, all that wait share one flush to disk.
//!
//! A use case runs inside the group's transaction and stages what it changes. After the commit is
//! durable the staged changes are published, first to the gate index, then to the tail, and only
//! then is the use case answered: who got an answer finds its effect everywhere.
//!
//! If anything fails in a group, the transaction is rolled back and each use case runs again
//! alone, so that one caller's trouble is not another's. If it is not known whether a commit is
//! durable, the process ends: what is acknowledged later must not rest on a guess.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sayso_core::limits;
use tokio::sync::oneshot;

use super::group::Group;
use super::queue::Queue;
use super::reserve::Reserve;
use super::tail::WorkspaceNo;
use super::{Shared, flusher, unwritable};
use crate::store::StoreError;

/// What a use case may use: the disk's reserve, the tail's room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// It takes something away: it is taken even when the disk is full.
    Refusal,
    /// It can wait for a bigger disk.
    Ordinary,
    /// It can wait for that and for a flush: it is one of very many.
    Import,
}

/// What came of a commit.
#[derive(Debug)]
pub enum Committed {
    /// It is on disk.
    Durable,
    /// It is not.
    Failed(rusqlite::Error),
    /// Nobody knows.
    Unknown(String),
}

/// How a transaction is committed; tests put faults here.
pub trait Commit: Send + std::fmt::Debug {
    /// Commits the open transaction.
    fn commit(&mut self, ledger: &Connection) -> Committed;
}

/// Commits for real.
#[derive(Clone, Copy, Debug)]
pub struct RealCommit;

impl Commit for RealCommit {
    fn commit(&mut self, ledger: &Connection) -> Committed {
        match ledger.execute_batch("COMMIT") {
            Ok(()) => Committed::Durable,
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure) =>
            {
                Committed::Unknown(error.to_string())
            }
            Err(error) => Committed::Failed(error),
        }
    }
}

/// One write, whole.
pub(super) trait UseCase: Send {
    /// Runs inside the group's transaction; may be called again after a rollback.
    fn run(&mut self, group: &mut Group<'_>) -> Result<(), StoreError>;
    /// Whether it may use the reserve.
    fn urgency(&self) -> Urgency;
    /// Answers the caller.
    fn answer(self: Box<Self>, settled: Result<(), StoreError>);
}

struct Case<F, T> {
    run: F,
    urgency: Urgency,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> UseCase for Case<F, T>
where
    F: FnMut(&mut Group<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, group: &mut Group<'_>) -> Result<(), StoreError> {
        self.value = Some((self.run)(group)?);
        Ok(())
    }

    fn urgency(&self) -> Urgency {
        self.urgency
    }

    fn answer(self: Box<Self>, settled: Result<(), StoreError>) {
        let Self { value, reply, .. } = *self;
        let answer = settled.and_then(|()| value.ok_or(StoreError::Closed));
        // A caller that went away does not need the answer; its write stands.
        drop(reply.send(answer));
    }
}

/// The way to the writer.
#[derive(Clone, Debug, Default)]
pub(super) struct WriterHandle {
    pub(super) queue: Arc<Queue>,
}

impl WriterHandle {
    /// Runs a use case of a workspace and waits until it is durable.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        workspace: WorkspaceNo,
        urgency: Urgency,
        run: impl FnMut(&mut Group<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(workspace, Box::new(Case { run, urgency, value: None, reply }))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs a use case of a workspace and waits until it is durable, in a thread that may wait.
    pub(super) fn submit_blocking<T: Send + 'static>(
        &self,
        workspace: WorkspaceNo,
        urgency: Urgency,
        run: impl FnMut(&mut Group<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(workspace, Box::new(Case { run, urgency, value: None, reply }))?;
        answer.blocking_recv().unwrap_or(Err(StoreError::Closed))
    }

    /// The same for a step of what goes on beside everybody else: where the store is busy, its views are
    /// flushed and the step is asked for again, at most [`STEP_TRIES`] times.
    pub(super) fn submit_step<T: Send + 'static, R>(
        &self,
        shared: &Shared,
        workspace: WorkspaceNo,
        mut step: impl FnMut() -> R,
    ) -> Result<T, StoreError>
    where
        R: FnMut(&mut Group<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        for _ in 0..STEP_TRIES {
            match self.submit_blocking(workspace, Urgency::Ordinary, step()) {
                Err(StoreError::Busy) => drop(flusher::flush(shared)),
                settled => return settled,
            }
        }
        Err(StoreError::Busy)
    }

    /// Takes no more; what waits is still done.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

/// How often a step is tried again when the store is busy, a flush of the views each time.
const STEP_TRIES: u32 = 1_000;

/// How long the last commits took, in microseconds.
#[derive(Debug, Default)]
pub(super) struct CommitTimes(Mutex<VecDeque<u64>>);

/// Commits that are remembered.
const COMMITS_REMEMBERED: usize = 1_024;

impl CommitTimes {
    fn times(&self) -> MutexGuard<'_, VecDeque<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, took: Duration) {
        let mut times = self.times();
        if times.len() == COMMITS_REMEMBERED {
            times.pop_front();
        }
        times.push_back(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// The time within which 99 of a hundred were done; zero before the first.
    pub(super) fn p99_us(&self) -> u64 {
        let mut times: Vec<u64> = self.times().iter().copied().collect();
        times.sort_unstable();
        times.get((times.len() * 99 / 100).min(times.len().saturating_sub(1))).copied().unwrap_or(0)
    }
}

/// The writer's thread.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) commit: Box<dyn Commit>,
    pub(super) reserve: Reserve,
}

/// Why an attempt came to nothing.
enum Failure {
    /// Nothing was written.
    Failed(StoreError),
    /// Nobody knows.
    Unknown(String),
}

impl Writer {
    /// Works until nobody can ask any more.
    pub(super) fn run(mut self, queue: &Queue) {
        while let Some(group) = queue.take(limits::COMMIT_GROUP_MAX) {
            if let Err(word) = self.settle(group) {
                queue.abandon();
                (self.shared.options.on_unknown_outcome)(&word);
                return;
            }
        }
    }

    /// Commits a group and answers everybody in it; an error is an unknown outcome.
    fn settle(&mut self, mut group: Vec<Box<dyn UseCase>>) -> Result<(), String> {
        match self.attempt(&mut group) {
            Ok(()) => {
                group.into_iter().for_each(|case| case.answer(Ok(())));
                Ok(())
            }
            Err(Failure::Unknown(word)) => {
                group.into_iter().for_each(|case| case.answer(Err(StoreError::Unknown)));
                Err(word)
            }
            Err(Failure::Failed(_)) if group.len() > 1 => {
                group.into_iter().try_for_each(|case| self.settle(vec![case]))
            }
            Err(Failure::Failed(error)) => {
                let is_full = matches!(error, StoreError::Unwritable(_));
                let is_refusal = group.iter().all(|case| case.urgency() == Urgency::Refusal);
                if is_full && is_refusal && self.reserve.release() {
                    // The reserve is given once, so this comes back here at most once.
                    return self.settle(group);
                }
                // The group is one use case here, so nobody shares the error.
                if let Some(case) = group.pop() {
                    case.answer(Err(error));
                }
                Ok(())
            }
        }
    }

    /// One transaction over the whole group.
    fn attempt(&mut self, cases: &mut [Box<dyn UseCase>]) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let live_bytes = shared.tail.live_bytes();
        let bound = shared.options.tail_bytes_max;
        let is_import = cases.iter().all(|case| case.urgency() == Urgency::Import);
        if shared.tail.is_due(bound) && !is_import {
            shared.flusher.ask();
        }
        if live_bytes > bound {
            return Err(Failure::Failed(StoreError::Busy));
        }
        if self.reserve.is_open() && cases.iter().any(|case| case.urgency() != Urgency::Refusal) {
            self.reserve.take_back();
            if self.reserve.is_open() {
                let word = "the disk is full, and only refusals are taken until it has room";
                return Err(Failure::Failed(StoreError::Unwritable(word.to_owned())));
            }
        }
        let ledger = shared.ledger.lock();
        let failed = |error: rusqlite::Error| Failure::Failed(unwritable(&error));
        ledger.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let mut group = Group::new(&shared, &ledger);
        let run = |case: &mut Box<dyn UseCase>| {
            case.run(&mut group)?;
            group.settle_accounts()
        };
        let ran = cases.iter_mut().try_for_each(run);
        let staged = group.into_staged();
        if let Err(error) = ran {
            roll_back(&ledger);
            return Err(Failure::Failed(error));
        }
        let (committed, took) = timed(|| self.commit.commit(&ledger));
        shared.counters.commits.note(took);
        match committed {
            Committed::Durable => {}
            Committed::Unknown(word) => return Err(Failure::Unknown(word)),
            Committed::Failed(error) => {
                roll_back(&ledger);
                return Err(failed(error));
            }
        }
        drop(ledger);
        staged.publish(&shared);
        Ok(())
    }
}

/// What a call gives, and how long it took.
#[expect(clippy::disallowed_methods, reason = "shown to operators; nothing is decided by it")]
fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let given = call();
    (given, started.elapsed())
}

fn roll_back(ledger: &Connection) {
    // Some failures roll back by themselves; then there is nothing left to do.
    if !ledger.is_autocommit()
        && let Err(error) = ledger.execute_batch("ROLLBACK")
    {
        tracing::warn!(error = %error, "a failed transaction could not be rolled back");
    }
}
