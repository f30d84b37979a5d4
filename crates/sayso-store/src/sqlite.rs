//! The store in files of this machine.
//!
//! | File | Holds | Losing it costs |
//! |---|---|---|
//! | `events.db` | the events and the configuration: the truth | everything |
//! | `work.db` | what cannot be derived and is no event: rejects, look-ups | those |
//! | `views.db` | what is folded from them | a rebuild at the next start |
//! | `views.db-damaged` | nothing: left where damage was met, until the views are begun anew | nothing |
//! | `gate.index` | what the gate answers from, as of a row | a slower start |
//! | `master.key` | the key that opens addresses, evidence and address-key secrets | every look-up |
//! | `master.key.next` | the key that a rotation under way puts in its place | nothing |
//! | `reserve` | nothing: room on the disk for refusals | that room |
//! | `store.new` | nothing: lies there until the first start has made the store | nothing |
//! | `work.db.lost` | nothing: an operator says that `work.db` may be begun anew | nothing |
//! | `lock` | nothing: held while a process owns the store | nothing |
//!
//! An acknowledgement waits for the append to `events.db` and for nothing else.

mod accounts;
pub mod backup;
mod claims;
mod database;
mod derived;
mod double_opt_ins;
mod early_reports;
mod erasing;
mod erasures;
mod events;
pub mod examination;
mod files;
mod flusher;
mod forgetting;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod group;
mod hiding;
mod imports;
mod lineage;
mod logs;
mod messages;
mod open_error;
mod pacing;
mod past;
mod people;
mod presence;
mod provider_ids;
mod questions;
mod queue;
mod references;
mod reserve;
pub mod rotation;
mod schema;
mod seal;
mod sending;
mod spans;
mod speaks_of;
mod start;
mod tail;
mod tallies;
mod views;
mod watermark;
mod work;
mod writer;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use async_trait::async_trait;
use sayso_core::address::{Address, AddressKey};
use sayso_core::gate::pacing::Pacing;
use sayso_core::gate::reason::Reasons;
use sayso_core::id::{
    DoubleOptInId, EventId, ImportId, MessageId, ProfileId, SenderId, WorkspaceId,
};
use sayso_core::limits;
use sayso_core::proof::double_opt_in::Answer;
use sayso_core::proof::reference::Reference;
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::event_id::{RequestHash, is_keyed};

pub use self::open_error::OpenError;
pub use self::writer::{Commit, Committed, RealCommit};

use self::backup::Fingerprint;
use self::claims::Claims;
use self::database::Database;
use self::double_opt_ins::Drafted;
use self::files::Files;
use self::flusher::FlusherHandle;
use self::gate::Gate;
use self::gate::file::Gates;
use self::group::Hint;
use self::group::Storing;
use self::lineage::StoreId;
use self::logs::Logs;
use self::references::ReferenceWrite;
use self::seal::{MasterKey, Secrets, Vault};
use self::sending::{Job, Sending};
use self::start::SavedIndex;
use self::tail::{Place, Tail, WorkspaceNo};
use self::views::ProfileState;
use self::work::Work;
use self::writer::{CommitTimes, Urgency, Writer, WriterHandle};
use crate::Store;
use crate::configure::Configured;
use crate::double_opt_in::{
    Answering, Asking, AskingEnd, DoubleOptInDraft, LinkRequest, StoredDoubleOptIn,
};
use crate::environment::{Clock, Environment};
use crate::erasure::{Erased, ErasurePage, ErasureReach};
use crate::held_clock::HeldClock;
use crate::look_up::{LookUpDraft, LookUpPage, LookUpQuery};
use crate::message::{
    Claiming, FailureQuery, HandOver, MessageDraft, MessageName, MessagePage, MessageQuery,
    MessageReport, Queueing, StoredMessage,
};
use crate::reference::{Keeping, ReferenceDraft, StoredReference};
use crate::reject::{RejectDraft, RejectPage, RejectQuery};
use crate::store::{
    AudienceCursor, AudiencePage, AudienceQuery, BackupError, Health, HistoryEntry, HistoryPage,
    HistoryQuery, KnownAddress, Moment, Profile, ProfileDraft, Question, Recipient, Recorded,
    RetractDraft, Retracting, SpanDraft, SpanRetracted, StoreError, Upserted,
};
use crate::tally::{Counted, Tallied, Tally};
use sayso_core::workspace::{Change, Mode, Revision, RuntimeFact, Workspace};
use sayso_plan::draft::{Draft, Subject};

/// Where the making of a workspace queues: it has no number yet.
const NEW_WORKSPACE: WorkspaceNo = 0;

/// Whether a store is made where none is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Making {
    /// It is made.
    #[default]
    IfNone,
    /// That is [`OpenError::NoStore`].
    Never,
}

/// How a store is run.
#[derive(Clone)]
pub struct Options {
    /// Whether it is made where none is.
    pub making: Making,
    /// Bytes of events in memory between two flushes of the views.
    pub tail_bytes_max: usize,
    /// Called when it is not known whether a commit is durable. The binary says so and ends the
    /// process; the store takes nothing more.
    pub on_unknown_outcome: Arc<dyn Fn(&str) + Send + Sync>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("making", &self.making)
            .field("tail_bytes_max", &self.tail_bytes_max)
            .finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            making: Making::default(),
            tail_bytes_max: limits::TAIL_BYTES_MAX,
            on_unknown_outcome: Arc::new(|word| tracing::error!(outcome = word, "the store stops")),
        }
    }
}

/// A reading error of the engine.
fn unreadable(error: rusqlite::Error) -> StoreError {
    StoreError::Unreadable(Box::new(error))
}

/// A writing error of the engine.
fn unwritable(error: &rusqlite::Error) -> StoreError {
    StoreError::Unwritable(error.to_string())
}

/// A workspace as the store needs it.
#[derive(Clone)]
struct Tenant {
    no: WorkspaceNo,
    id: WorkspaceId,
    secrets: Secrets,
}

/// Where the ledger ends.
#[derive(Clone, Copy, Debug)]
struct Position {
    next_row: i64,
    last_recorded: Timestamp,
}

/// Counters for the metrics.
#[derive(Debug, Default)]
struct Counters {
    asks: AtomicU64,
    answers: AtomicU64,
    commits: CommitTimes,
}

/// What the writer, the flusher and the readers share.
struct Shared {
    options: Options,
    /// Its clock is `clock`.
    environment: Environment,
    clock: Arc<HeldClock>,
    master: MasterKey,
    store_id: StoreId,
    ledger: Database,
    views: Database,
    /// Whether the views were found to be damaged.
    damage: AtomicBool,
    work: Work,
    sending: Sending,
    claims: Claims,
    /// Held while the gate and the tail are told of a commit, the one after the other.
    telling: Mutex<()>,
    tail: Tail,
    flusher: FlusherHandle,
    logs: Logs,
    gates: RwLock<Gates>,
    index: Option<SavedIndex>,
    tenants: RwLock<BTreeMap<WorkspaceId, Arc<Tenant>>>,
    models: RwLock<Arc<BTreeMap<WorkspaceId, Arc<Workspace>>>>,
    position: Mutex<Position>,
    counters: Counters,
}

/// The store in files of this machine.
pub struct SqliteStore {
    shared: Arc<Shared>,
    writer: WriterHandle,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held for the life of the store; the system lets go of it however the process ends.
    lock: Mutex<Option<File>>,
    /// The directory of a store that this start made.
    made: Option<PathBuf>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store in `directory`, making it at the first start if it may ([`Options::making`]).
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong; nothing was changed then.
    pub fn open(
        directory: &Path,
        options: Options,
        environment: Environment,
    ) -> Result<Self, OpenError> {
        Self::open_with(directory, options, environment, Box::new(RealCommit))
    }

    /// Opens the store with another way to commit: tests put faults there.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_with(
        directory: &Path,
        options: Options,
        environment: Environment,
        commit: Box<dyn Commit>,
    ) -> Result<Self, OpenError> {
        let files = Files::open(directory, options.making, &environment)?;
        Self::start(files, options, environment, commit)
    }

    /// What tells this store's master key from another.
    pub fn master_key(&self) -> Fingerprint {
        Fingerprint(self.shared.master.fingerprint())
    }

    /// A store that is gone with the process.
    ///
    /// # Errors
    /// [`OpenError::Engine`] when there is no memory for it.
    pub fn in_memory(environment: Environment) -> Result<Self, OpenError> {
        let files = Files::in_memory(&environment)?;
        Self::start(files, Options::default(), environment, Box::new(RealCommit))
    }

    fn start(
        files: Files,
        options: Options,
        environment: Environment,
        commit: Box<dyn Commit>,
    ) -> Result<Self, OpenError> {
        let store_id = files.bring_up_to_date(&environment)?;
        let views = files.open_views(store_id, &environment)?;
        let Files { ledger, work, master, reserve, reserve_path, index, lock, made, .. } = files;
        let (row, last_recorded) = {
            let ledger = ledger.lock();
            (events::last(&ledger)?.0, events::last_written(&ledger)?)
        };
        let clock = Arc::new(HeldClock::new(environment.clock, last_recorded));
        let entropy = environment.entropy;
        let environment = Environment { clock: Arc::<HeldClock>::clone(&clock), entropy };
        warn_of_clock(&clock, last_recorded);
        give_up_claimed(&work, &environment)?;
        let (work, work_jobs) = Work::new(work, reserve_path);
        let (sending, sending_jobs) = Sending::new();
        let shared = Arc::new(Shared {
            options,
            environment,
            clock,
            master,
            store_id,
            ledger,
            views,
            damage: AtomicBool::new(false),
            work,
            sending,
            claims: Claims::default(),
            telling: Mutex::default(),
            tail: Tail::default(),
            flusher: FlusherHandle::default(),
            logs: Logs::default(),
            gates: RwLock::default(),
            index,
            tenants: RwLock::default(),
            models: RwLock::default(),
            position: Mutex::new(Position { next_row: row + 1, last_recorded }),
            counters: Counters::default(),
        });
        shared.flusher.note_log(shared.views.log_bytes() > 0);
        shared.load_workspaces()?;
        provider_ids::seal_those_of_before(&shared)?;
        // A process that was killed leaves what it erased in them.
        shared.empty_logs_at_start();
        if let Err(met) = shared.take_in() {
            shared.begin_derived_anew(met)?;
            shared.take_in()?;
        }
        let handle = WriterHandle::default();
        let queue = Arc::clone(&handle.queue);
        let writer = Writer { shared: Arc::clone(&shared), commit, reserve };
        let (for_flusher, for_work) = (Arc::clone(&shared), Arc::clone(&shared));
        let (for_sending, for_hiding) = (Arc::clone(&shared), handle.clone());
        let threads = vec![
            thread("sayso-writer", move || writer.run(&queue))?,
            thread("sayso-flusher", move || flusher::run(&for_flusher))?,
            thread("sayso-work", move || work::run(&for_work, &work_jobs, &for_hiding))?,
            thread("sayso-sending", move || sending::run(&for_sending, &sending_jobs))?,
        ];
        let (threads, lock) = (Mutex::new(threads), Mutex::new(lock));
        Ok(Self { shared, writer: handle, threads, lock, made })
    }

    /// The directory, if this start made the store in it.
    pub fn made(&self) -> Option<&Path> {
        self.made.as_deref()
    }

    /// Does what takes longer in a thread of its own. Who asked may be gone; what they asked for is done
    /// all the same.
    async fn in_thread<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, answer) = tokio::sync::oneshot::channel();
        let working = thread(name, move || drop(done.send(work())));
        let working = working.map_err(|error| StoreError::Unwritable(error.to_string()))?;
        {
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            threads.retain(|thread| !thread.is_finished());
            threads.push(working);
        }
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Checks what a caller may rely on, in this thread: that the workspace exists.
    fn tenant(&self, id: WorkspaceId) -> Result<Arc<Tenant>, StoreError> {
        self.shared.tenant(id)
    }
}

/// Says that the machine's clock is behind what the store recorded: until it has caught up, the time
/// stands still between two records.
fn warn_of_clock(clock: &HeldClock, last_recorded: Timestamp) {
    let behind = clock.held_back();
    if behind >= limits::CLOCK_BEHIND_MIN {
        tracing::warn!(
            behind_s = behind.as_micros() / 1_000_000,
            last_recorded = %last_recorded,
            "the clock of this machine is behind what the store recorded last; set it right: until then, what arrives counts as recorded last"
        );
    }
}

/// Says of what was claimed when the last process ended that its end is unknown (rule 28).
fn give_up_claimed(work: &Database, environment: &Environment) -> Result<(), OpenError> {
    let given_up = messages::give_up_claimed(&work.lock(), environment.clock.now())?;
    if given_up > 0 {
        tracing::warn!(
            messages = given_up,
            "the last process ended while it handed messages over: whether they went is unknown"
        );
    }
    Ok(())
}

/// Lets others have their turn on this thread.
async fn others_first() {
    let mut is_first = true;
    std::future::poll_fn(|context| {
        if std::mem::take(&mut is_first) {
            context.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(())
    })
    .await;
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|source| OpenError::File { path: PathBuf::from(name), source })
}

fn read_lock<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write_lock<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn position_guard(&self) -> MutexGuard<'_, Position> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn position(&self) -> Position {
        *self.position_guard()
    }

    fn set_position(&self, next_row: i64, last_recorded: Timestamp) {
        *self.position_guard() = Position { next_row, last_recorded };
        self.clock.note(last_recorded);
    }

    fn tenant(&self, id: WorkspaceId) -> Result<Arc<Tenant>, StoreError> {
        read_lock(&self.tenants).get(&id).cloned().ok_or(StoreError::NoWorkspace)
    }

    fn model(&self, id: WorkspaceId) -> Result<Arc<Workspace>, StoreError> {
        read_lock(&self.models).get(&id).cloned().ok_or(StoreError::NoWorkspace)
    }

    fn gate(&self, workspace: WorkspaceNo) -> Arc<Gate> {
        if let Some(gate) = read_lock(&self.gates).get(&workspace) {
            return Arc::clone(gate);
        }
        Arc::clone(write_lock(&self.gates).entry(workspace).or_default())
    }

    fn vaults(&self) -> BTreeMap<WorkspaceNo, Vault> {
        let workspaces = read_lock(&self.tenants);
        workspaces
            .values()
            .map(|workspace| (workspace.no, workspace.secrets.vault.clone()))
            .collect()
    }

    fn add_tenants(&self, made: Vec<Arc<Tenant>>) {
        if !made.is_empty() {
            write_lock(&self.tenants)
                .extend(made.into_iter().map(|workspace| (workspace.id, workspace)));
        }
    }

    fn add_models(&self, changed: BTreeMap<WorkspaceId, Arc<Workspace>>) {
        if !changed.is_empty() {
            let mut models = write_lock(&self.models);
            Arc::make_mut(&mut models).extend(changed);
        }
    }

    fn find_profile(
        &self,
        workspace: &Tenant,
        id: ProfileId,
    ) -> Result<Option<Arc<ProfileState>>, StoreError> {
        match self.tail.profile(workspace.no, id) {
            Some(newer) => Ok(Some(newer)),
            None => self.read_views(|views| {
                views::find_profile(views, workspace.no, id, &workspace.secrets.vault)
            }),
        }
    }

    /// The rows about an address in the tail and the views, in no order.
    fn rows_of(&self, place: &Place) -> Result<Vec<i64>, StoreError> {
        // The tail first: what leaves it is in the views by then.
        let mut rows: Vec<i64> = self.tail.rows(place).into_iter().map(|(_, row)| row).collect();
        rows.extend(self.read_views(|views| views::rows_of(views, place))?);
        Ok(rows)
    }

    /// The registers of an address as of now.
    fn registers_now(&self, place: &Place) -> Result<Arc<Registers>, StoreError> {
        if let Some(newer) = self.tail.registers(place)? {
            return Ok(newer);
        }
        let row = self.read_views(|views| views::find_address(views, place))?;
        Ok(row.map(|row| row.registers).unwrap_or_default())
    }

    /// Whether anything may be stored about a subject: false is certain.
    fn may_know(&self, workspace: &Tenant, subject: &Subject, key: &AddressKey) -> bool {
        match subject {
            Subject::Address(address) => self.gate(workspace.no).may_know(address, key),
            Subject::Hash(_) | Subject::Key(_) => true,
        }
    }

    /// Reads in the caller's thread what the writer will need, for all drafts in one transaction.
    /// What cannot be read here is read by the writer, who answers for it.
    fn hints(&self, workspace: &Tenant, drafts: &[(AddressKey, Draft)]) -> Vec<Option<Hint>> {
        let flushed = self.tail.flushed();
        let is_read = |(key, draft): &(AddressKey, Draft)| {
            is_keyed(&draft.id) || self.may_know(workspace, &draft.subject, key)
        };
        let nothing = || Hint { flushed, row: None, sealed: None, event: Vec::new() };
        if !drafts.iter().any(is_read) {
            return drafts.iter().map(|_| Some(nothing())).collect();
        }
        let hints = self.read_views(|views| {
            let transaction = views.unchecked_transaction().map_err(unreadable)?;
            let hint = |drafted: &(AddressKey, Draft)| {
                let (key, draft) = drafted;
                let place = (workspace.no, *key);
                if self.tail.holds(&place) {
                    return Ok(None);
                }
                if !is_read(drafted) {
                    return Ok(Some(nothing()));
                }
                let row = views::find_address(&transaction, &place)?;
                let event = match &row {
                    None if !is_keyed(&draft.id) => Vec::new(),
                    Some(_) | None => views::may_hold(&transaction, &place, draft.id)?,
                };
                let (row, sealed) =
                    row.map_or((None, None), |row| (Some(row.registers), row.sealed));
                Ok(Some(Hint { flushed, row, sealed, event }))
            };
            drafts.iter().map(hint).collect::<Result<Vec<_>, StoreError>>()
        });
        hints.unwrap_or_else(|_| drafts.iter().map(|_| None).collect())
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn workspaces(&self) -> Arc<BTreeMap<WorkspaceId, Arc<Workspace>>> {
        Arc::clone(&read_lock(&self.shared.models))
    }

    async fn create_workspace(&self, name: &str, mode: Mode) -> Result<Arc<Workspace>, StoreError> {
        let shared = Arc::clone(&self.shared);
        let name = name.to_owned();
        self.writer
            .submit(NEW_WORKSPACE, Urgency::Ordinary, move |group| {
                let id = WorkspaceId::from_bytes(shared.environment.time_sortable_id());
                let (secrets, sealed) =
                    shared.master.make_secrets(id.as_bytes(), &shared.environment);
                let model = Workspace::new(id, &name, mode, secrets.address_keys.clone());
                let made = Tenant { no: 0, id, secrets };
                group.add_workspace(&made, &sealed, model.clone())?;
                Ok(Arc::new(model))
            })
            .await
    }

    async fn configure(
        &self,
        workspace: WorkspaceId,
        expected: Revision,
        change: Change,
    ) -> Result<Configured, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.writer
            .submit(workspace.no, Urgency::Ordinary, move |group| {
                group.configure(&workspace, expected, change.clone())
            })
            .await
    }

    async fn note(
        &self,
        workspace: WorkspaceId,
        fact: RuntimeFact,
    ) -> Result<Configured, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.writer
            .submit(workspace.no, Urgency::Ordinary, move |group| {
                group.note(&workspace, fact.clone())
            })
            .await
    }

    async fn record(
        &self,
        workspace: WorkspaceId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Recorded>, StoreError> {
        let workspace = self.tenant(workspace)?;
        let is_import = drafts.iter().any(|draft| draft.import.is_some());
        if is_import {
            let bytes_max = self.shared.options.tail_bytes_max;
            self.shared.flusher.room_for_import(&self.shared.tail, bytes_max).await?;
        }
        let may_refuse = drafts.iter().any(|draft| draft.fact.may_take_away());
        let urgency = match (may_refuse, is_import) {
            (true, _) => Urgency::Refusal,
            (false, true) => Urgency::Import,
            (false, false) => Urgency::Ordinary,
        };
        let key = |draft: &Draft| draft.subject.key(&workspace.secrets.address_keys);
        let mut prepared = Vec::with_capacity(drafts.len());
        let mut drafts = drafts.into_iter();
        while drafts.len() > 0 {
            if !prepared.is_empty() {
                others_first().await;
            }
            let piece = drafts.by_ref().take(limits::BATCH_LINES_A_TURN);
            let piece: Vec<_> = piece.map(|draft| (key(&draft), draft)).collect();
            let hints = self.shared.hints(&workspace, &piece);
            prepared.extend(
                piece
                    .into_iter()
                    .zip(hints)
                    .map(|((key, draft), hint)| draft.prepare(&workspace, &self.shared, key, hint)),
            );
        }
        self.writer
            .submit(workspace.no, urgency, move |group| group.record_all(&workspace, &prepared))
            .await
    }

    async fn retract(
        &self,
        workspace: WorkspaceId,
        target: RetractDraft,
    ) -> Result<Retracting, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.writer
            .submit(workspace.no, Urgency::Ordinary, move |group| {
                group.retract(&workspace, &target)
            })
            .await
    }

    async fn screen(
        &self,
        workspace: WorkspaceId,
        question: &Question,
        recipients: &[Recipient],
    ) -> Result<Vec<Reasons>, StoreError> {
        self.shared.screen(workspace, question, recipients)
    }

    async fn pacing(
        &self,
        workspace: WorkspaceId,
        question: &Question,
        recipient: Recipient,
        moment: Moment,
    ) -> Result<Pacing, StoreError> {
        self.shared.pacing(workspace, question, recipient, moment)
    }

    async fn registers(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        moment: Moment,
    ) -> Result<Arc<Registers>, StoreError> {
        self.shared.registers_at(workspace, subject, moment)
    }

    async fn history(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        query: &HistoryQuery,
    ) -> Result<HistoryPage, StoreError> {
        self.shared.history(workspace, subject, query)
    }

    async fn find_event(
        &self,
        workspace: WorkspaceId,
        key: AddressKey,
        event: EventId,
    ) -> Result<Option<HistoryEntry>, StoreError> {
        self.shared.event_of(workspace, key, event)
    }

    async fn addresses(
        &self,
        workspace: WorkspaceId,
        after: Option<AddressKey>,
        items: usize,
    ) -> Result<Vec<KnownAddress>, StoreError> {
        self.shared.addresses(workspace, after, items)
    }

    async fn find_address(
        &self,
        workspace: WorkspaceId,
        key: AddressKey,
    ) -> Result<Option<Address>, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.address_of(&workspace, key)
    }

    async fn find_profile(
        &self,
        workspace: WorkspaceId,
        by: &Subject,
    ) -> Result<Option<Profile>, StoreError> {
        self.shared.find_profile_by(workspace, by)
    }

    async fn profile(
        &self,
        workspace: WorkspaceId,
        id: ProfileId,
    ) -> Result<Option<Profile>, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.profile(&workspace, id)
    }

    async fn upsert_profile(
        &self,
        workspace: WorkspaceId,
        draft: ProfileDraft,
    ) -> Result<Upserted, StoreError> {
        let workspace = self.tenant(workspace)?;
        let shared = Arc::clone(&self.shared);
        let upserting = {
            let workspace = Arc::clone(&workspace);
            self.writer
                .submit(workspace.no, Urgency::Ordinary, move |group| {
                    group.upsert_profile(&workspace, &draft)
                })
                .await?
        };
        upserting.read_back(&shared, &workspace)
    }

    async fn unlink(
        &self,
        workspace: WorkspaceId,
        profile: ProfileId,
        address: &Address,
    ) -> Result<Retracting, StoreError> {
        let workspace = self.tenant(workspace)?;
        let address = address.clone();
        self.writer
            .submit(workspace.no, Urgency::Ordinary, move |group| {
                group.unlink(&workspace, profile, &address)
            })
            .await
    }

    async fn undo_import(
        &self,
        workspace: WorkspaceId,
        import: ImportId,
    ) -> Result<u64, StoreError> {
        let workspace = self.tenant(workspace)?;
        let (shared, writer) = (Arc::clone(&self.shared), self.writer.clone());
        self.in_thread("sayso-undo", move || imports::undo(&shared, &writer, &workspace, import))
            .await
    }

    async fn retract_span(
        &self,
        workspace: WorkspaceId,
        draft: SpanDraft,
    ) -> Result<SpanRetracted, StoreError> {
        let workspace = self.tenant(workspace)?;
        let (shared, writer) = (Arc::clone(&self.shared), self.writer.clone());
        self.in_thread("sayso-retraction", move || {
            spans::retract(&shared, &writer, &workspace, &draft)
        })
        .await
    }

    async fn erase(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        reach: ErasureReach,
        draft: Draft,
    ) -> Result<Erased, StoreError> {
        let workspace = self.tenant(workspace)?;
        let (shared, writer) = (Arc::clone(&self.shared), self.writer.clone());
        let subject = subject.clone();
        self.in_thread("sayso-erasure", move || {
            erasing::erase(&shared, &writer, &workspace, (&subject, reach), &draft)
        })
        .await
    }

    async fn erasures(
        &self,
        workspace: WorkspaceId,
        after: Option<u64>,
        items: usize,
    ) -> Result<ErasurePage, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.erasures(&workspace, after, items)
    }

    async fn audience(
        &self,
        workspace: WorkspaceId,
        query: &AudienceQuery,
        after: AudienceCursor,
    ) -> Result<AudiencePage, StoreError> {
        self.shared.audience(workspace, query, after)
    }

    fn keep_rejects(&self, workspace: WorkspaceId, rejects: Vec<RejectDraft>) {
        if let Ok(workspace) = self.tenant(workspace) {
            self.shared.work.keep(&workspace, self.shared.environment.clock.now(), rejects);
        }
    }

    async fn rejects(
        &self,
        workspace: WorkspaceId,
        query: &RejectQuery,
        items: usize,
    ) -> Result<RejectPage, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.work.settle().await?;
        let now = self.shared.environment.clock.now();
        self.shared.work.rejects(&workspace, query, items, now)
    }

    async fn note_look_up(
        &self,
        workspace: WorkspaceId,
        look_up: LookUpDraft,
    ) -> Result<(), StoreError> {
        let workspace = self.tenant(workspace)?;
        let now = self.shared.environment.clock.now();
        self.shared.work.note(workspace.id, now, look_up).await
    }

    async fn look_ups(
        &self,
        workspace: WorkspaceId,
        query: &LookUpQuery,
        items: usize,
    ) -> Result<LookUpPage, StoreError> {
        let workspace = self.tenant(workspace)?;
        let now = self.shared.environment.clock.now();
        self.shared.work.look_ups(workspace.id, query, items, now)
    }

    async fn queue_message(
        &self,
        workspace: WorkspaceId,
        draft: MessageDraft,
    ) -> Result<Queueing, StoreError> {
        let workspace = self.tenant(workspace)?;
        let sealed = messages::seal(&workspace, &draft, &self.shared.environment);
        let drafted = Box::new((draft, sealed));
        self.shared.sending.ask(|reply| Job::Queue(workspace, drafted, reply)).await
    }

    async fn retried_message(
        &self,
        workspace: WorkspaceId,
        key: &RequestHash,
        request: &RequestHash,
    ) -> Result<Option<Queueing>, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.work.read(|work| {
            let known = messages::of_request(work, workspace.id, key, request)?;
            known.map(|known| sending::queueing(work, &workspace, known)).transpose()
        })
    }

    async fn message(
        &self,
        workspace: WorkspaceId,
        id: MessageId,
    ) -> Result<Option<StoredMessage>, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.work.read(|work| messages::find(work, &workspace, id))
    }

    async fn message_named(
        &self,
        workspace: WorkspaceId,
        name: &MessageName,
    ) -> Result<Option<StoredMessage>, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.work.read(|work| messages::find_by_name(work, &workspace, name))
    }

    async fn messages(
        &self,
        workspace: WorkspaceId,
        query: &MessageQuery,
        items: usize,
    ) -> Result<MessagePage, StoreError> {
        let workspace = self.tenant(workspace)?;
        let range = (work::before(query.after), work::one_more(items));
        let mut rows =
            self.shared.work.read(|work| messages::list(work, &workspace, query, range))?;
        let next = work::cut(&mut rows, items);
        Ok(MessagePage { messages: rows.into_iter().map(|(_, message)| message).collect(), next })
    }

    async fn waiting_senders(&self) -> Result<Vec<(WorkspaceId, SenderId)>, StoreError> {
        self.shared.work.read(messages::waiting_senders)
    }

    async fn claim_messages(
        &self,
        workspace: WorkspaceId,
        sender: SenderId,
        items: usize,
    ) -> Result<Claiming, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.sending.ask(|reply| Job::Claim(workspace, sender, items, reply)).await
    }

    fn begin_hand_over(&self, message: MessageId) -> Option<Timestamp> {
        // The time first: it is told as when the hand-over began, and whoever begins may be interrupted.
        let began_at = self.shared.clock.now();
        let begun = self.shared.claims.begin(message, self.shared.clock.machine());
        begun.map(|_| began_at)
    }

    async fn settle_messages(
        &self,
        workspace: WorkspaceId,
        ended: Vec<HandOver>,
    ) -> Result<(), StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.sending.ask(|reply| Job::Settle(workspace, ended, reply)).await
    }

    async fn report_messages(
        &self,
        workspace: WorkspaceId,
        reports: Vec<MessageReport>,
    ) -> Result<Vec<bool>, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.sending.ask(|reply| Job::Report(workspace, reports, reply)).await
    }

    async fn failed_messages(
        &self,
        workspace: WorkspaceId,
        query: &FailureQuery,
    ) -> Result<u64, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.work.read(|work| messages::count_failed(work, &workspace, query))
    }

    async fn tally(
        &self,
        workspace: WorkspaceId,
        counted: Counted,
        tallies: &[Tally],
    ) -> Result<Tallied, StoreError> {
        let workspace = self.tenant(workspace)?;
        let add = tallies.to_vec();
        self.shared.sending.ask(|reply| Job::Tally(workspace, counted, add, reply)).await
    }

    async fn keep_reference(
        &self,
        workspace: WorkspaceId,
        draft: ReferenceDraft,
    ) -> Result<Keeping, StoreError> {
        let workspace = self.tenant(workspace)?;
        let sealed = references::seal(&workspace, &draft, &self.shared.environment);
        let write = ReferenceWrite::Keep(Box::new(draft), sealed);
        self.shared.sending.ask(|reply| Job::Reference(workspace, write, reply)).await
    }

    async fn reference(
        &self,
        workspace: WorkspaceId,
        reference: Reference,
    ) -> Result<Option<StoredReference>, StoreError> {
        let workspace = self.tenant(workspace)?;
        let now = self.shared.environment.clock.now();
        self.shared.work.read(|work| references::find(work, &workspace, reference, now))
    }

    async fn take_reference(
        &self,
        workspace: WorkspaceId,
        reference: Reference,
        message: EventId,
        address: AddressKey,
    ) -> Result<Keeping, StoreError> {
        let workspace = self.tenant(workspace)?;
        let write = ReferenceWrite::Take(reference, message, address);
        self.shared.sending.ask(|reply| Job::Reference(workspace, write, reply)).await
    }

    async fn ask_double_opt_in(
        &self,
        workspace: WorkspaceId,
        draft: DoubleOptInDraft,
    ) -> Result<Asking, StoreError> {
        let workspace = self.tenant(workspace)?;
        let drafted = double_opt_ins::seal(&workspace, draft, &self.shared.environment);
        self.shared.sending.ask(|reply| Job::Ask(workspace, drafted, reply)).await
    }

    async fn ask_link(
        &self,
        workspace: WorkspaceId,
        request: LinkRequest,
    ) -> Result<AskingEnd, StoreError> {
        let workspace = self.tenant(workspace)?;
        let drafted = Drafted::Link(request);
        let asking = self.shared.sending.ask(|reply| Job::Ask(workspace, drafted, reply)).await?;
        Ok(asking.end)
    }

    async fn double_opt_in(
        &self,
        workspace: WorkspaceId,
        id: DoubleOptInId,
    ) -> Result<Option<StoredDoubleOptIn>, StoreError> {
        let workspace = self.tenant(workspace)?;
        let now = self.shared.environment.clock.now();
        self.shared.work.read(|work| double_opt_ins::find(work, &workspace, id, now))
    }

    async fn answer_double_opt_in(
        &self,
        workspace: WorkspaceId,
        id: DoubleOptInId,
        answer: Answer,
    ) -> Result<Answering, StoreError> {
        let workspace = self.tenant(workspace)?;
        self.shared.sending.ask(|reply| Job::Answer(workspace, id, answer, reply)).await
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<HeldClock>::clone(&self.shared.clock)
    }

    fn health(&self) -> Health {
        let (tail_bytes, tail_events) = self.shared.tail.size();
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let counters = &self.shared.counters;
        let position = self.shared.position();
        Health {
            events: u64::try_from(position.next_row - 1).unwrap_or(0),
            watermark_lag: number(tail_events),
            tail_bytes: number(tail_bytes),
            queue: number(self.writer.queue.len()),
            commit_p99_us: counters.commits.p99_us(),
            disk_left_bytes: self.shared.ledger.path().and_then(reserve::free_bytes),
            clock_held_back_us: self.shared.clock.held_back().as_micros().unsigned_abs(),
            index_asks: counters.asks.load(Ordering::Relaxed),
            index_answers: counters.answers.load(Ordering::Relaxed),
        }
    }

    async fn backup(&self, to: &Path) -> Result<(), BackupError> {
        backup::make(&self.shared, to).map(|_| ())
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.writer.close();
        self.shared.flusher.close();
        self.shared.sending.close();
        self.shared.work.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            thread.join().map_err(|_| StoreError::Unknown)?;
        }
        if flusher::flush(&self.shared) {
            self.shared.save_index();
            self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
            Ok(())
        } else {
            Err(StoreError::Unwritable(
                "the views were not flushed; the next start replays them".to_owned(),
            ))
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.writer.close();
        self.shared.flusher.close();
        self.shared.sending.close();
        self.shared.work.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store ended by a panic");
            }
        }
    }
}
