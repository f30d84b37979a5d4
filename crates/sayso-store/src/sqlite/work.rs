//! `work.db`: what cannot be derived and is no event. So far rejects and look-ups.
//!
//! It has a connection and a thread of its own, so that neither waits for the one writer of the
//! ledger, nor the writer for them. A look-up is durable before it is answered; all that wait share
//! one flush. A reject is not waited for: it queues in a bounded room, and is lost, and counted in
//! the log, where there is none.
//!
//! Only a disk that has room is written to: what is left of a full one belongs to refusals.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use sayso_core::address::AddressKey;
use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::id::{KeyId, ProfileId, RejectId, WorkspaceId};
use sayso_core::limits;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::source::Road;
use tokio::sync::oneshot;

use super::database::Database;
use super::seal::Vault;
use super::speaks_of::{About, abouts};
use super::writer::WriterHandle;
use super::{Shared, Tenant, double_opt_ins, hiding, messages, references, reserve, unreadable};
use crate::environment::Environment;
use crate::look_up::{LookUp, LookUpDraft, LookUpPage, LookUpQuery, LookedUp};
use crate::reject::{
    Extent, Reject, RejectBody, RejectDraft, RejectFault, RejectPage, RejectQuery,
};
use crate::store::{BackupError, StoreError};

/// The file, and the way to the thread that writes it.
#[derive(Debug)]
pub(super) struct Work {
    database: Database,
    /// Where the reserve of the disk lies; a store in memory has none.
    reserve: Option<PathBuf>,
    jobs: Mutex<Option<SyncSender<Job>>>,
    /// Bytes of rejects that wait.
    waiting_bytes: AtomicUsize,
    /// Rejects that found no room, since the log last said so.
    lost: AtomicU64,
    /// The message up to which those that are too old were looked for.
    messages_swept: AtomicI64,
}

/// What the thread is asked for.
#[derive(Debug)]
pub(super) enum Job {
    Reject(Vec<Kept>),
    LookUp(Noted, oneshot::Sender<Result<(), StoreError>>),
    /// To say when everything asked for before is done.
    Settle(oneshot::Sender<()>),
}

/// A reject to be written.
pub(super) struct Kept {
    workspace: Arc<Tenant>,
    refused_at: Timestamp,
    draft: RejectDraft,
}

/// A look-up to be written.
#[derive(Debug)]
pub(super) struct Noted {
    workspace: WorkspaceId,
    looked_up_at: Timestamp,
    draft: LookUpDraft,
}

/// What is written together.
#[derive(Default)]
struct Round {
    jobs: usize,
    rejects: Vec<Kept>,
    look_ups: Vec<Noted>,
    noted: Vec<oneshot::Sender<Result<(), StoreError>>>,
    settled: Vec<oneshot::Sender<()>>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("refused_at", &self.refused_at).finish_non_exhaustive()
    }
}

impl Work {
    /// The way to a database that is up to date, and what its thread waits for.
    pub(super) fn new(database: Database, reserve: Option<PathBuf>) -> (Self, Receiver<Job>) {
        let (jobs, waiting) = std::sync::mpsc::sync_channel(limits::WRITER_QUEUE_MAX);
        let work = Self {
            database,
            reserve,
            jobs: Mutex::new(Some(jobs)),
            waiting_bytes: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            messages_swept: AtomicI64::new(0),
        };
        (work, waiting)
    }

    fn ask(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.as_ref().ok_or(StoreError::Closed)?.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::Closed,
        })
    }

    /// Takes no more; what waits is still written.
    pub(super) fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Queues rejects as far as there is room for them.
    pub(super) fn keep(
        &self,
        workspace: &Arc<Tenant>,
        refused_at: Timestamp,
        drafts: Vec<RejectDraft>,
    ) {
        let (mut kept, mut kept_bytes) = (Vec::with_capacity(drafts.len()), 0);
        for draft in drafts {
            let bytes = bytes_of(&draft);
            let waiting = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
            if waiting.saturating_add(bytes) > limits::REJECT_QUEUE_BYTES_MAX {
                self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
                self.lose(1);
            } else {
                kept.push(Kept { workspace: Arc::clone(workspace), refused_at, draft });
                kept_bytes += bytes;
            }
        }
        let count = kept.len();
        if count > 0 && self.ask(Job::Reject(kept)).is_err() {
            self.waiting_bytes.fetch_sub(kept_bytes, Ordering::Relaxed);
            self.lose(count);
        }
    }

    fn lose(&self, rejects: usize) {
        self.lost.fetch_add(u64::try_from(rejects).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Notes a look-up, and waits until it is durable.
    pub(super) async fn note(
        &self,
        workspace: WorkspaceId,
        looked_up_at: Timestamp,
        draft: LookUpDraft,
    ) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::LookUp(Noted { workspace, looked_up_at, draft }, reply))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Waits until what was asked for before is done.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::Settle(reply))?;
        answer.await.map_err(|_| StoreError::Closed)
    }

    /// The same, in a thread that may wait.
    pub(super) fn settle_blocking(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::Settle(reply))?;
        answer.blocking_recv().map_err(|_| StoreError::Closed)
    }

    /// The file.
    pub(super) const fn database(&self) -> &Database {
        &self.database
    }

    /// The connection that writes, for messages.
    pub(super) fn writing(&self) -> MutexGuard<'_, Connection> {
        self.database.lock()
    }

    /// Reads.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database.read(read)
    }

    /// Copies the file as of now.
    pub(super) fn back_up(&self, to: &std::path::Path) -> Result<(), BackupError> {
        super::backup::copy(&self.database, to)
    }

    /// One page of rejects that are not too old at `now`.
    pub(super) fn rejects(
        &self,
        workspace: &Tenant,
        query: &RejectQuery,
        items: usize,
        now: Timestamp,
    ) -> Result<RejectPage, StoreError> {
        let mut rows = self.database.read(|work| {
            read_rows(
                work,
                "SELECT row, reject, refused_at, road, source, line, code, sealed FROM reject
                 WHERE workspace = ?1 AND row < ?2 AND refused_at >= ?3
                   AND source = coalesce(?4, source) AND code = coalesce(?5, code)
                 ORDER BY row DESC LIMIT ?6",
                params![
                    workspace.id.as_bytes(),
                    before(query.after),
                    now.minus(limits::REJECT_RETENTION).as_micros(),
                    query.source,
                    query.code,
                    one_more(items),
                ],
                |row| reject(row, workspace.id, &workspace.secrets.vault),
            )
        })?;
        let next = cut(&mut rows, items);
        Ok(RejectPage { rejects: rows.into_iter().map(|(_, reject)| reject).collect(), next })
    }

    /// One page of look-ups that are not too old at `now`.
    pub(super) fn look_ups(
        &self,
        workspace: WorkspaceId,
        query: &LookUpQuery,
        items: usize,
        now: Timestamp,
    ) -> Result<LookUpPage, StoreError> {
        let (after, items_read) = (before(query.after), one_more(items));
        let since = now.minus(limits::LOOK_UP_RETENTION).as_micros();
        // Two statements, so that each finds its index.
        let mut rows = self.database.read(|work| match query.asked {
            None => read_rows(
                work,
                "SELECT row, looked_up_at, api_key, route, request, asked FROM look_up
                 WHERE workspace = ?1 AND row < ?2 AND looked_up_at >= ?3
                 ORDER BY row DESC LIMIT ?4",
                params![workspace.as_bytes(), after, since, items_read],
                look_up,
            ),
            Some(asked) => read_rows(
                work,
                "SELECT row, looked_up_at, api_key, route, request, asked FROM look_up
                 WHERE workspace = ?1 AND row < ?2 AND looked_up_at >= ?3 AND asked = ?5
                 ORDER BY row DESC LIMIT ?4",
                params![workspace.as_bytes(), after, since, items_read, asked_bytes(asked)],
                look_up,
            ),
        })?;
        let next = cut(&mut rows, items);
        Ok(LookUpPage { look_ups: rows.into_iter().map(|(_, look_up)| look_up).collect(), next })
    }

    /// Refuses to write where what is left of the disk is for refusals.
    pub(super) fn check_room(&self) -> Result<(), String> {
        match &self.reserve {
            Some(reserve) if !reserve::has_room(reserve) => {
                Err("the disk is full, and what is left of it is for refusals".to_owned())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Writes look-ups, all or none; the error says why not.
    fn write_look_ups(&self, look_ups: &[Noted]) -> Result<(), String> {
        self.check_room()?;
        let mut work = self.database.lock();
        let written = work.transaction().and_then(|work| {
            for noted in look_ups {
                for asked in &noted.draft.asked {
                    insert_look_up(&work, noted, *asked)?;
                }
            }
            work.commit()
        });
        written.map_err(|error| error.to_string())
    }

    /// Writes rejects, all or none; the oldest of a workspace that has too many go.
    fn write_rejects(&self, rejects: &[Kept], environment: &Environment) -> Result<(), String> {
        self.check_room()?;
        let mut work = self.database.lock();
        let written = work.transaction().and_then(|work| {
            for kept in rejects {
                insert_reject(&work, kept, environment)?;
            }
            let workspaces: BTreeSet<WorkspaceId> =
                rejects.iter().map(|kept| kept.workspace.id).collect();
            for workspace in workspaces {
                delete_surplus(&work, workspace)?;
            }
            work.commit()
        });
        written.map_err(|error| error.to_string())
    }

    /// Deletes what is too old to be kept, a bounded number of rows; says how many.
    fn sweep(&self, now: Timestamp) -> rusqlite::Result<usize> {
        let rows = i64::try_from(limits::SWEEP_ROWS_MAX).unwrap_or(i64::MAX);
        let before = |age: Span| now.minus(age).as_micros();
        let work = self.database.lock();
        // Rows are in the order of their writing, so the oldest come first.
        let (aged, before_rejects) = (rows, before(limits::REJECT_RETENTION));
        work.prepare_cached(
            "DELETE FROM reject_about WHERE (workspace, row) IN (
                 SELECT workspace, row FROM (
                     SELECT workspace, row, refused_at FROM reject ORDER BY row LIMIT ?1)
                 WHERE refused_at < ?2)",
        )?
        .execute(params![aged, before_rejects])?;
        let rejects = work
            .prepare_cached(
                "DELETE FROM reject WHERE row IN (
                     SELECT row FROM (SELECT row, refused_at FROM reject ORDER BY row LIMIT ?1)
                     WHERE refused_at < ?2) /* every workspace: the same age for all */",
            )?
            .execute(params![rows, before_rejects])?;
        let look_ups = work
            .prepare_cached(
                "DELETE FROM look_up WHERE row IN (
                     SELECT row FROM (SELECT row, looked_up_at FROM look_up ORDER BY row LIMIT ?1)
                     WHERE looked_up_at < ?2) /* every workspace: the same age for all */",
            )?
            .execute(params![rows, before(limits::LOOK_UP_RETENTION)])?;
        let references = references::sweep(&work, rows, now)?;
        let double_opt_ins = double_opt_ins::sweep(&work, rows, now)?;
        let mut after = self.messages_swept.load(Ordering::Relaxed);
        let messages = messages::sweep(&work, (&mut after, rows), now)?;
        self.messages_swept.store(after, Ordering::Relaxed);
        Ok(rejects + look_ups + references + double_opt_ins + messages)
    }
}

/// Works until nobody can ask any more. At the start and every [`limits::SWEEP_INTERVAL`], and
/// whenever rejects are read, what is too old is deleted.
pub(super) fn run(shared: &Shared, jobs: &Receiver<Job>, writer: &WriterHandle) {
    let interval = u64::try_from(limits::SWEEP_INTERVAL.as_micros()).unwrap_or(u64::MAX);
    let mut swept_at = sweep(shared, writer);
    loop {
        let mut round = Round::default();
        match jobs.recv_timeout(Duration::from_micros(interval)) {
            Ok(job) => round.take(job),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while round.jobs < limits::COMMIT_GROUP_MAX {
            let Ok(job) = jobs.try_recv() else { break };
            round.take(job);
        }
        let settled = round.write(shared);
        let now = shared.environment.clock.now();
        let due = swept_at
            .is_none_or(|swept_at| now < swept_at || now.minus(limits::SWEEP_INTERVAL) >= swept_at);
        if due || !settled.is_empty() {
            swept_at = sweep(shared, writer);
        }
        for reply in settled {
            // A caller that went away does not need the answer.
            let _nobody_waits = reply.send(());
        }
    }
}

/// Deletes what is too old; says when, unless there is more to delete.
fn sweep(shared: &Shared, writer: &WriterHandle) -> Option<Timestamp> {
    let now = shared.environment.clock.now();
    if let Err(error) = hiding::destroy_due(shared, writer) {
        tracing::warn!(error = %error, "attributes that were hidden long enough could not be destroyed");
    }
    match shared.work.sweep(now) {
        Ok(deleted) => (deleted < limits::SWEEP_ROWS_MAX).then_some(now),
        Err(error) => {
            tracing::warn!(error = %error, "rows too old to be kept could not be deleted");
            Some(now)
        }
    }
}

impl Round {
    fn take(&mut self, job: Job) {
        self.jobs += 1;
        match job {
            Job::Reject(mut kept) => self.rejects.append(&mut kept),
            Job::LookUp(noted, reply) => {
                self.look_ups.push(noted);
                self.noted.push(reply);
            }
            Job::Settle(reply) => self.settled.push(reply),
        }
    }

    /// Writes everything, look-ups first, since somebody waits for them; gives back who waits for
    /// the end of the round.
    fn write(self, shared: &Shared) -> Vec<oneshot::Sender<()>> {
        let work = &shared.work;
        if !self.look_ups.is_empty() {
            let word = work.write_look_ups(&self.look_ups).err();
            for reply in self.noted {
                let answer = word.clone().map_or(Ok(()), |word| Err(StoreError::Unwritable(word)));
                // A caller that went away does not need the answer.
                drop(reply.send(answer));
            }
        }
        if !self.rejects.is_empty() {
            if let Err(error) = work.write_rejects(&self.rejects, &shared.environment) {
                tracing::warn!(error = %error, "refused statements could not be kept");
                work.lose(self.rejects.len());
            }
            let bytes: usize = self.rejects.iter().map(|kept| bytes_of(&kept.draft)).sum();
            work.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        let lost = work.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(rejects.lost = lost, "refused statements were answered and not kept");
        }
        self.settled
    }
}

/// Deletes every reject of a workspace.
pub(super) fn forget_rejects(work: &Connection, workspace: WorkspaceId) -> rusqlite::Result<()> {
    work.execute("DELETE FROM reject_about WHERE workspace = ?1", params![workspace.as_bytes()])?;
    work.execute("DELETE FROM reject WHERE workspace = ?1", params![workspace.as_bytes()])
        .map(|_| ())
}

/// The memory that a waiting reject takes.
fn bytes_of(draft: &RejectDraft) -> usize {
    let fault = |fault: &RejectFault| {
        let example = fault.example.as_ref().map_or(0, |example| example.len());
        fault.pointer.len() + fault.code.len() + fault.fault.len() + example
    };
    let faults: usize = draft.faults.iter().map(fault).sum();
    size_of::<Kept>() + draft.source.len() + draft.body.text().len() + faults
}

pub(super) fn before(after: Option<u64>) -> i64 {
    after.map_or(i64::MAX, |after| i64::try_from(after).unwrap_or(i64::MAX))
}

/// One row more than a page has tells whether there is another page.
pub(super) fn one_more(items: usize) -> i64 {
    i64::try_from(items).map_or(i64::MAX, |items| items.saturating_add(1))
}

/// Leaves a page of rows; where there were more, the position after it.
pub(super) fn cut<T>(rows: &mut Vec<(i64, T)>, items: usize) -> Option<u64> {
    let is_last = rows.len() <= items;
    rows.truncate(items);
    rows.last().filter(|_| !is_last).and_then(|(row, _)| u64::try_from(*row).ok())
}

fn insert_reject(
    work: &Connection,
    kept: &Kept,
    environment: &Environment,
) -> rusqlite::Result<()> {
    let Kept { workspace, refused_at, draft } = kept;
    let id = RejectId::from_bytes(environment.time_sortable_id());
    let said = Said { faults: draft.faults.clone(), body: draft.body.clone() };
    let place = sealed_place(&workspace.id, &id);
    let sealed = workspace.secrets.vault.seal(&place, &said.to_bytes(), environment);
    let abouts = abouts(&all_said(draft), &workspace.secrets.address_keys);
    work.prepare_cached(
        "INSERT INTO reject (workspace, reject, refused_at, road, source, line, code, sealed, hashed, bytes_up_to)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, length(?8) + coalesce(
             (SELECT bytes_up_to FROM reject WHERE workspace = ?1 ORDER BY row DESC LIMIT 1), 0))",
    )?
    .execute(params![
        workspace.id.as_bytes(),
        id.as_bytes(),
        refused_at.as_micros(),
        draft.road.as_str(),
        draft.source,
        draft.line,
        draft.code,
        sealed,
        abouts.is_some(),
    ])?;
    let row = work.last_insert_rowid();
    for About(about) in abouts.into_iter().flatten() {
        work.prepare_cached(
            "INSERT OR IGNORE INTO reject_about (workspace, row, about) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![workspace.id.as_bytes(), row, about])?;
    }
    Ok(())
}

/// All texts of a reject: a fault may name what stood after the part of the body that is kept.
fn all_said(draft: &RejectDraft) -> String {
    let faults = draft.faults.iter().flat_map(|fault| [&fault.pointer, &fault.fault]);
    faults.fold(draft.body.text().to_owned(), |all, text| all + "\n" + text)
}

/// What was sent and what was said of it, of one reject; `None` where it is gone.
pub(super) fn reject_text(
    work: &Connection,
    workspace: &Tenant,
    row: i64,
) -> Result<Option<Box<str>>, StoreError> {
    let found = read_rows(
        work,
        "SELECT row, reject, refused_at, road, source, line, code, sealed FROM reject
         WHERE workspace = ?1 AND row = ?2",
        params![workspace.id.as_bytes(), row],
        |row| reject(row, workspace.id, &workspace.secrets.vault),
    )?;
    Ok(found.into_iter().next().map(|(_, reject)| all_said(&reject.draft).into()))
}

/// Deletes the oldest rejects of a workspace that has too many, or too many bytes of them. Those that went
/// since otherwise count as if they were there.
fn delete_surplus(work: &Connection, workspace: WorkspaceId) -> rusqlite::Result<()> {
    let (of, kept) = (workspace.as_bytes(), number(limits::REJECTS_PER_WORKSPACE_MAX));
    let too_many: Option<i64> = work
        .prepare_cached(
            "SELECT row FROM reject WHERE workspace = ?1 ORDER BY row DESC LIMIT 1 OFFSET ?2",
        )?
        .query_row(params![of, kept], |row| row.get(0))
        .optional()?;
    let bytes = number(limits::REJECT_BYTES_PER_WORKSPACE_MAX);
    let first_kept: Option<i64> = work
        .prepare_cached(
            "SELECT row FROM reject
             WHERE workspace = ?1 AND bytes_up_to - length(sealed) + ?2 >= (
                 SELECT bytes_up_to FROM reject WHERE workspace = ?1 ORDER BY row DESC LIMIT 1)
             ORDER BY row LIMIT 1",
        )?
        .query_row(params![of, bytes], |row| row.get(0))
        .optional()?;
    let too_large = first_kept.map(|row| row - 1);
    let Some(last) = too_many.max(too_large) else { return Ok(()) };
    work.prepare_cached("DELETE FROM reject_about WHERE workspace = ?1 AND row <= ?2")?
        .execute(params![of, last])?;
    work.prepare_cached("DELETE FROM reject WHERE workspace = ?1 AND row <= ?2")?
        .execute(params![of, last])
        .map(|_| ())
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn insert_look_up(work: &Connection, noted: &Noted, asked: LookedUp) -> rusqlite::Result<()> {
    let Noted { workspace, looked_up_at, draft } = noted;
    work.prepare_cached(
        "INSERT INTO look_up (workspace, looked_up_at, api_key, route, request, asked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        workspace.as_bytes(),
        looked_up_at.as_micros(),
        draft.api_key.as_ref().map(KeyId::as_bytes),
        draft.route,
        draft.request,
        asked_bytes(asked),
    ])
    .map(|_| ())
}

/// The place for which what was said is sealed.
fn sealed_place<'a>(workspace: &'a WorkspaceId, id: &'a RejectId) -> [&'a [u8]; 3] {
    [b"reject", workspace.as_bytes(), id.as_bytes()]
}

fn reject(
    row: &Row<'_>,
    workspace: WorkspaceId,
    vault: &Vault,
) -> Result<(i64, Reject), StoreError> {
    let number: i64 = row.get(0).map_err(unreadable)?;
    let damaged = || StoreError::Corrupt { table: "reject", id: number.to_string() };
    let id = RejectId::from_bytes(row.get(1).map_err(unreadable)?);
    let road: Box<str> = row.get(3).map_err(unreadable)?;
    let sealed = row.get_ref(7).and_then(|cell| Ok(cell.as_blob()?)).map_err(unreadable)?;
    let plain = vault.open(&sealed_place(&workspace, &id), sealed).map_err(|_| damaged())?;
    let Said { faults, body } = Said::from_bytes(&plain).map_err(|_| damaged())?;
    let draft = RejectDraft {
        road: Road::parse(&road).map_err(|_| damaged())?,
        source: row.get(4).map_err(unreadable)?,
        line: row.get(5).map_err(unreadable)?,
        code: row.get(6).map_err(unreadable)?,
        faults,
        body,
    };
    let refused_at = Timestamp::from_micros(row.get(2).map_err(unreadable)?);
    Ok((number, Reject { id, refused_at, draft }))
}

/// Runs a statement that reads rows, each with its number.
pub(super) fn read_rows<T>(
    work: &Connection,
    statement: &str,
    parameters: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<(i64, T), StoreError>,
) -> Result<Vec<(i64, T)>, StoreError> {
    let mut statement = work.prepare_cached(statement).map_err(unreadable)?;
    let mut rows = statement.query(parameters).map_err(unreadable)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(unreadable)? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn look_up(row: &Row<'_>) -> Result<(i64, LookUp), StoreError> {
    let number: i64 = row.get(0).map_err(unreadable)?;
    let asked: [u8; 17] = row.get(5).map_err(unreadable)?;
    let [kind, id @ ..] = asked;
    let asked = match kind {
        ADDRESS => LookedUp::Address(AddressKey::from_bytes(id)),
        PROFILE => LookedUp::Profile(ProfileId::from_bytes(id)),
        MANY => LookedUp::Many,
        _ => return Err(StoreError::Corrupt { table: "look_up", id: number.to_string() }),
    };
    let api_key: Option<[u8; 16]> = row.get(2).map_err(unreadable)?;
    let look_up = LookUp {
        looked_up_at: Timestamp::from_micros(row.get(1).map_err(unreadable)?),
        api_key: api_key.map(KeyId::from_bytes),
        route: row.get(3).map_err(unreadable)?,
        request: row.get(4).map_err(unreadable)?,
        asked,
    };
    Ok((number, look_up))
}

const ADDRESS: u8 = 1;
const PROFILE: u8 = 2;
const MANY: u8 = 3;

fn asked_bytes(asked: LookedUp) -> Vec<u8> {
    let (kind, id) = match &asked {
        LookedUp::Address(key) => (ADDRESS, key.as_bytes()),
        LookedUp::Profile(id) => (PROFILE, id.as_bytes()),
        LookedUp::Many => (MANY, &[0; 16]),
    };
    [&[kind], &id[..]].concat()
}

/// The sealed part of a reject.
struct Said {
    faults: Vec<RejectFault>,
    body: RejectBody,
}

impl Canonical for Said {
    fn write(&self, to: &mut Writer) {
        to.length(self.faults.len());
        for fault in &self.faults {
            to.text(&fault.pointer);
            to.text(&fault.code);
            to.text(&fault.fault);
            to.option(fault.example.as_deref(), Writer::text);
        }
        to.text(self.body.text());
        to.byte(match self.body.extent() {
            Extent::Whole => 1,
            Extent::Beginning => 2,
        });
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = from.length()?;
        let faults = (0..length).map(|_| {
            Ok(RejectFault {
                pointer: from.text()?.into(),
                code: from.text()?.into(),
                fault: from.text()?.into(),
                example: from.option(|from| from.text().map(Box::from))?,
            })
        });
        let faults = faults.collect::<Result<_, Malformed>>()?;
        let text = from.text()?;
        let extent = match from.byte()? {
            1 => Extent::Whole,
            2 => Extent::Beginning,
            _ => return Err(Malformed),
        };
        Ok(Self { faults, body: RejectBody::kept(text, extent) })
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_full_disk_is_for_refusals() {
        let at = |reserve: Option<&str>| {
            let database = Database::in_memory().unwrap();
            Work::new(database, reserve.map(PathBuf::from)).0.check_room()
        };
        // The kernel's own files have no room, and no reserve lies among them.
        assert!(at(Some("/proc/reserve")).is_err());
        assert!(at(Some("/proc/self")).is_ok(), "a reserve that lies there is room enough");
        assert!(at(None).is_ok());
    }
}
