//! The contract of every backend.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use sayso_core::address::{Address, AddressKey};
use sayso_core::gate::decision::Requirement;
use sayso_core::gate::pacing::Pacing;
use sayso_core::gate::reason::Reasons;
use sayso_core::gate::zone::Zone;
use sayso_core::id::{
    DoubleOptInId, EventId, ImportId, MessageId, ProfileId, SenderId, WorkspaceId,
};
use sayso_core::proof::double_opt_in::Answer;
use sayso_core::proof::reference::Reference;
use sayso_core::state::registers::Registers;
use sayso_core::state::retraction::{RetractionFault, Role};
use sayso_core::state::status::Status;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Message, Scope};
use sayso_core::words::event::{ConsentEvent, Fact};
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road, Source, SourceName};
use sayso_plan::draft::{Draft, Subject};
use thiserror::Error;

use crate::configure::Configured;
use crate::double_opt_in::{
    Answering, Asking, AskingEnd, DoubleOptInDraft, LinkRequest, StoredDoubleOptIn,
};
use crate::environment::Clock;
use crate::erasure::{Erased, ErasurePage, ErasureReach};
use crate::look_up::{LookUpDraft, LookUpPage, LookUpQuery};
use crate::message::{
    Claiming, FailureQuery, HandOver, MessageDraft, MessageName, MessagePage, MessageQuery,
    MessageReport, Queueing, StoredMessage,
};
use crate::reference::{Keeping, ReferenceDraft, StoredReference};
use crate::reject::{RejectDraft, RejectPage, RejectQuery};
use crate::tally::{Counted, Tallied, Tally};
use sayso_core::workspace::{Change, Mode, Revision, RuntimeFact, Workspace};

/// Why a store did not do what it was asked. Nothing was written unless a variant says otherwise.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The disk is full or may not be written.
    #[error("the store cannot write: {0}")]
    Unwritable(String),
    /// Too much is waiting; the caller should come back.
    #[error("the store is busy")]
    Busy,
    /// The store is closing.
    #[error("the store is closed")]
    Closed,
    /// Whether the write is durable is not known. The process ends.
    #[error("the outcome of a write is unknown")]
    Unknown,
    /// No such workspace.
    #[error("no such workspace")]
    NoWorkspace,
    /// Somebody decided first what the held refusals of this group are; nothing was written.
    #[error("the group of held refusals is decided")]
    Decided,
    /// A stored row is not what was written.
    #[error("table {table}, row {id} is damaged")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row, as far as it is known.
        id: String,
    },
    /// The database engine failed at reading.
    #[error("the store cannot read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a backup was not made. What was begun of it is gone again.
#[derive(Debug, Error)]
pub enum BackupError {
    /// There is something of that name, and nothing is overwritten.
    #[error("{0} is there already: name a directory that does not exist yet")]
    Exists(PathBuf),
    /// The directory or a file in it cannot be made.
    #[error(
        "{path}: {source}: name a new directory inside one that the server's user may write to"
    )]
    File {
        /// What could not be made.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The copy cannot be written.
    #[error("{path}: {source}: make room on that disk, or name another")]
    Copy {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The copy cannot be read back, so it is none.
    #[error("{path} cannot be read back: look after the disks, and try again")]
    ReadBack {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The event.
    pub id: EventId,
    /// Whether it is new.
    pub outcome: Outcome,
    /// What was stored, which a guard may have made weaker than what was asked; where nothing was stored,
    /// what was asked.
    pub fact: Fact,
    /// When it happened, as stored.
    pub occurred_at: Timestamp,
    /// When it was stored.
    pub recorded_at: Timestamp,
    /// What is known of the address after it.
    pub registers: Arc<Registers>,
}

/// Whether a recorded event is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was appended, and is durable.
    Appended,
    /// The same request was stored before; times are those of then.
    Retried,
    /// An undated report that says nothing new; nothing was stored.
    Repeated,
    /// The key of the request was used for other content; nothing was stored.
    KeyReused,
    /// Its guard did not let it be written; nothing was stored.
    Withheld,
}

/// A question to the gate, the same for many people.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The message.
    pub message: Message,
    /// Whether it needs an opt-in.
    pub requirement: Requirement,
    /// Where the people are, if the caller says so.
    pub zone: Option<Zone>,
}

/// Somebody the gate is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A phone, as its digits.
    Phone(sayso_core::address::phone::Phone),
    /// Any other address.
    Key(AddressKey),
    /// Somebody of whom the hash alone is told: it may be that of a known phone, or of nobody.
    Hashed(AddressKey),
}

/// Which knowledge an answer rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// All we know, now.
    Now,
    /// What we knew then: events and retractions recorded up to that time.
    AsOf(Timestamp),
    /// What was true then by all we know now: events that occurred up to that time.
    EffectiveAt(Timestamp),
}

impl Moment {
    /// The time at which it is judged.
    pub const fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Now => now,
            Self::AsOf(at) | Self::EffectiveAt(at) => at,
        }
    }
}

/// One event of a history, with its personal part as far as it still exists.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    /// The event.
    pub event: ConsentEvent,
    /// The address; absent if only a hash was known or the person was erased.
    pub address: Option<Address>,
    /// The evidence; absent once the person was erased.
    pub evidence: Option<Evidence>,
    /// The leaf of the transparency log.
    pub leaf_hash: [u8; 32],
    /// Whether a retraction leaves it out.
    pub retracted: Retraction,
}

/// What is known of one address.
#[derive(Clone, Debug)]
pub struct KnownAddress {
    /// Its key.
    pub key: AddressKey,
    /// The address; absent if only a hash was known or the person was erased.
    pub address: Option<Address>,
    /// All that is known of it.
    pub registers: Arc<Registers>,
}

/// Whether an event counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retraction {
    /// It counts.
    Counts,
    /// A retraction leaves it out.
    Retracted,
}

/// A person known to the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The profile.
    pub id: ProfileId,
    /// Its addresses, external ids among them, as far as they are known in clear.
    pub addresses: Vec<Address>,
    /// Attributes by name, as JSON text.
    pub attributes: BTreeMap<EvidenceText, Box<str>>,
}

/// What an upsert of a profile says.
#[derive(Clone, Debug)]
pub struct ProfileDraft {
    /// The profile, where the caller names it; else the addresses say which it is.
    pub profile: Option<ProfileId>,
    /// Addresses and external ids of the one person; not empty.
    pub addresses: Vec<Address>,
    /// Attributes to set, or to remove where `None`.
    pub attributes: BTreeMap<EvidenceText, Option<Box<str>>>,
    /// Where it came from.
    pub source: Source,
    /// Who acted.
    pub actor: Actor,
}

/// What became of an upsert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upserted {
    /// The profile, made or extended.
    Profile(Profile),
    /// The identifiers belong to several profiles, or to others than the one that was named;
    /// nothing was changed.
    Ambiguous(Vec<ProfileId>),
    /// The person refused processing: the attributes were discarded (rule 11).
    ProcessingRefused(Profile),
    /// The profile would have more than [`limits::ADDRESSES_PER_PROFILE_MAX`] addresses; nothing was changed.
    ///
    /// [`limits::ADDRESSES_PER_PROFILE_MAX`]: sayso_core::limits::ADDRESSES_PER_PROFILE_MAX
    Full(ProfileId),
    /// There is no profile as the caller named it.
    NoProfile,
}

/// What became of a retraction.
#[derive(Clone, Debug)]
pub enum Retracting {
    /// It is left out; this is known of the address now.
    Done(Arc<Registers>),
    /// There is no such event of this address.
    NoEvent,
    /// It may not be left out.
    Refused(RetractionFault),
}

/// Which people an audience holds.
#[derive(Clone, Copy, Debug)]
pub struct AudienceQuery {
    /// On this channel.
    pub channel: Channel,
    /// Within this scope; a topic goes with its category, a sender alone.
    pub scope: Scope,
    /// With this status.
    pub status: Status,
    /// The message whose status is meant.
    pub message: Message,
    /// At this moment, by the clock and the settings of then.
    pub moment: Moment,
}

/// Which events of an address a page of its history holds.
#[derive(Clone, Copy, Debug)]
pub struct HistoryQuery {
    /// As of a time: those recorded up to it, each retracted or not by what was known then.
    /// Effective at a time: those that occurred up to it, each retracted or not by all that is
    /// known now.
    pub moment: Moment,
    /// Those before this position; all if absent.
    pub after: Option<u64>,
    /// The newest of these, at most so many.
    pub items: usize,
}

impl HistoryQuery {
    /// The newest events of all.
    pub const fn newest(items: usize) -> Self {
        Self { moment: Moment::Now, after: None, items }
    }
}

/// Where a page of an audience goes on. A person is on exactly one page, however long the reading
/// takes. A cursor goes with the moment it was given for; at another it is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AudienceCursor {
    /// At the beginning.
    #[default]
    Beginning,
    /// At this segment of the index, which knows what is now.
    Segment(u16),
    /// After this address, in the order of the keys: a past audience.
    After(AddressKey),
}

/// One person of an audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The address.
    pub address: Address,
}

/// One page of an audience.
#[derive(Clone, Debug)]
pub struct AudiencePage {
    /// The people.
    pub members: Vec<Member>,
    /// Where the next page begins; absent on the last.
    pub next: Option<AudienceCursor>,
}

/// One page of a history, the newest first.
#[derive(Clone, Debug)]
pub struct HistoryPage {
    /// The events.
    pub entries: Vec<HistoryEntry>,
    /// The position after which the next page begins.
    pub next: Option<u64>,
}

/// How the store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Events in the ledger.
    pub events: u64,
    /// Events not yet in the views.
    pub watermark_lag: u64,
    /// Bytes in the tail.
    pub tail_bytes: u64,
    /// Requests waiting for the writer.
    pub queue: u64,
    /// The time within which 99 of the last hundred commits were durable, in microseconds; of the
    /// last 1,024.
    pub commit_p99_us: u64,
    /// Bytes that may still be written to the disk; absent for a store in memory.
    pub disk_left_bytes: Option<u64>,
    /// How far the clock of the machine is behind what was recorded last, in microseconds.
    pub clock_held_back_us: u64,
    /// Questions the gate index passed on to the store.
    pub index_asks: u64,
    /// Questions the gate index answered.
    pub index_answers: u64,
}

/// Where consent is kept.
///
/// *Durability:* a method that writes returns success only when the write is durable.
/// *Order:* effects are visible to every method before the write is answered.
/// *Retries:* every write may be repeated; a repeated event is the first one.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// Every workspace, as of now; kept in memory.
    fn workspaces(&self) -> Arc<BTreeMap<WorkspaceId, Arc<Workspace>>>;

    /// Makes a workspace.
    async fn create_workspace(&self, name: &str, mode: Mode) -> Result<Arc<Workspace>, StoreError>;

    /// Changes a workspace that is still at the revision on which the change was planned. It is judged where
    /// nothing can come between.
    async fn configure(
        &self,
        workspace: WorkspaceId,
        expected: Revision,
        change: Change,
    ) -> Result<Configured, StoreError>;

    /// Notes a fact of running a workspace, unless an earlier one excludes it
    /// ([`sayso_core::workspace::Runtime::admits`]). It is judged where nothing can come between.
    async fn note(
        &self,
        workspace: WorkspaceId,
        fact: RuntimeFact,
    ) -> Result<Configured, StoreError>;

    /// Records events, all or none; each is answered in order, and judged by its guard with all that is
    /// recorded before it, the earlier ones of this call too. What START says besides (see
    /// [`capture::start`]) names it as its basis, and is written with it or never. An event of held refusals that
    /// were decided is [`StoreError::Decided`].
    ///
    /// [`capture::start`]: sayso_core::state::capture::start
    async fn record(
        &self,
        workspace: WorkspaceId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Recorded>, StoreError>;

    /// Leaves an event out (rule 9), and what was carried from it to linked addresses.
    async fn retract(
        &self,
        workspace: WorkspaceId,
        target: RetractDraft,
    ) -> Result<Retracting, StoreError>;

    /// Answers a question for many people, in their order; no reason means allow.
    async fn screen(
        &self,
        workspace: WorkspaceId,
        question: &Question,
        recipients: &[Recipient],
    ) -> Result<Vec<Reasons>, StoreError>;

    /// What quiet hours and caps say to a message to one person. Caps count what is sent now, so they say
    /// nothing of an earlier moment; where the person is, is known as of now.
    async fn pacing(
        &self,
        workspace: WorkspaceId,
        question: &Question,
        recipient: Recipient,
        moment: Moment,
    ) -> Result<Pacing, StoreError>;

    /// What is known of an address.
    async fn registers(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        moment: Moment,
    ) -> Result<Arc<Registers>, StoreError>;

    /// One page of the events of an address, the newest first.
    async fn history(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        query: &HistoryQuery,
    ) -> Result<HistoryPage, StoreError>;

    /// One event of an address, by its id.
    async fn find_event(
        &self,
        workspace: WorkspaceId,
        key: AddressKey,
        event: EventId,
    ) -> Result<Option<HistoryEntry>, StoreError>;

    /// Every address of which anything is known, in the order of their keys, at most `items` after
    /// `after`; fewer only at the end. An address that becomes known meanwhile may be missed.
    async fn addresses(
        &self,
        workspace: WorkspaceId,
        after: Option<AddressKey>,
        items: usize,
    ) -> Result<Vec<KnownAddress>, StoreError>;

    /// The address of a key, if it is known: not of who was erased, or is known by hash only.
    async fn find_address(
        &self,
        workspace: WorkspaceId,
        key: AddressKey,
    ) -> Result<Option<Address>, StoreError>;

    /// The profile an address belongs to; the one linked first, where there are several.
    async fn find_profile(
        &self,
        workspace: WorkspaceId,
        by: &Subject,
    ) -> Result<Option<Profile>, StoreError>;

    /// A profile by its id.
    async fn profile(
        &self,
        workspace: WorkspaceId,
        id: ProfileId,
    ) -> Result<Option<Profile>, StoreError>;

    /// Makes or extends a profile: links its addresses, carrying refusals to new ones (rule 13),
    /// and sets attributes, unless the person refused processing (rule 11).
    async fn upsert_profile(
        &self,
        workspace: WorkspaceId,
        draft: ProfileDraft,
    ) -> Result<Upserted, StoreError>;

    /// Unlinks an address from a profile: a retraction of the link.
    async fn unlink(
        &self,
        workspace: WorkspaceId,
        profile: ProfileId,
        address: &Address,
    ) -> Result<Retracting, StoreError>;

    /// Leaves out everything an import brought (rules 9 and 16), in one retraction; answers with
    /// how many addresses it concerned. May be repeated. Of held refusals that were confirmed nothing is
    /// left out: [`StoreError::Decided`].
    async fn undo_import(
        &self,
        workspace: WorkspaceId,
        import: ImportId,
    ) -> Result<u64, StoreError>;

    /// Leaves out what one source said in a span of time, an event after the other, as many as the draft
    /// says (rules 9 and 15). What reached us from people stays. May be repeated, and goes on from
    /// [`SpanRetracted::next_from`].
    async fn retract_span(
        &self,
        workspace: WorkspaceId,
        draft: SpanDraft,
    ) -> Result<SpanRetracted, StoreError>;

    /// Erases an address, or the person by it (rule 17): destroys what is personal, keeps the refusals and
    /// the reason, which is the method of the draft's evidence.
    async fn erase(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        reach: ErasureReach,
        draft: Draft,
    ) -> Result<Erased, StoreError>;

    /// One page of erasures, the newest first.
    async fn erasures(
        &self,
        workspace: WorkspaceId,
        after: Option<u64>,
        items: usize,
    ) -> Result<ErasurePage, StoreError>;

    /// One page of an audience. The addresses are those known now, so who was erased since is in no
    /// past audience; who is known by hash only is in none at all.
    async fn audience(
        &self,
        workspace: WorkspaceId,
        query: &AudienceQuery,
        after: AudienceCursor,
    ) -> Result<AudiencePage, StoreError>;

    /// Keeps refused statements among the rejects (rule 1) for [`limits::REJECT_RETENTION`], at most
    /// [`limits::REJECTS_PER_WORKSPACE_MAX`] of a workspace. Returns at once and promises nothing: a
    /// reject that cannot be kept is counted in the log, since the refusal was answered in full.
    ///
    /// [`limits::REJECT_RETENTION`]: sayso_core::limits::REJECT_RETENTION
    /// [`limits::REJECTS_PER_WORKSPACE_MAX`]: sayso_core::limits::REJECTS_PER_WORKSPACE_MAX
    fn keep_rejects(&self, workspace: WorkspaceId, rejects: Vec<RejectDraft>);

    /// The rejects that were kept before this was called, the newest first, at most `items`.
    async fn rejects(
        &self,
        workspace: WorkspaceId,
        query: &RejectQuery,
        items: usize,
    ) -> Result<RejectPage, StoreError>;

    /// Notes that somebody looks a person up (rule 29), for [`limits::LOOK_UP_RETENTION`]; durable
    /// before it returns. Where it fails the person must not be shown.
    ///
    /// [`limits::LOOK_UP_RETENTION`]: sayso_core::limits::LOOK_UP_RETENTION
    async fn note_look_up(
        &self,
        workspace: WorkspaceId,
        look_up: LookUpDraft,
    ) -> Result<(), StoreError>;

    /// The look-ups, the newest first, at most `items`.
    async fn look_ups(
        &self,
        workspace: WorkspaceId,
        query: &LookUpQuery,
        items: usize,
    ) -> Result<LookUpPage, StoreError>;

    /// Queues a message. The same request with the same key queues it once.
    async fn queue_message(
        &self,
        workspace: WorkspaceId,
        draft: MessageDraft,
    ) -> Result<Queueing, StoreError>;

    /// What became of a message that a request with this key, hashed, asked for: nothing if there was
    /// none, [`Queueing::KeyReused`] if that was another request.
    async fn retried_message(
        &self,
        workspace: WorkspaceId,
        key: &RequestHash,
        request: &RequestHash,
    ) -> Result<Option<Queueing>, StoreError>;

    /// A message as it stands.
    async fn message(
        &self,
        workspace: WorkspaceId,
        id: MessageId,
    ) -> Result<Option<StoredMessage>, StoreError>;

    /// A message by a name that a report gives it.
    async fn message_named(
        &self,
        workspace: WorkspaceId,
        name: &MessageName,
    ) -> Result<Option<StoredMessage>, StoreError>;

    /// The messages, the newest first, at most `items`.
    async fn messages(
        &self,
        workspace: WorkspaceId,
        query: &MessageQuery,
        items: usize,
    ) -> Result<MessagePage, StoreError>;

    /// The senders of all workspaces that messages wait for.
    async fn waiting_senders(&self) -> Result<Vec<(WorkspaceId, SenderId)>, StoreError>;

    /// Decides at most `items` messages of a sender that are due, and claims those that may go; the
    /// claims are durable when this returns.
    async fn claim_messages(
        &self,
        workspace: WorkspaceId,
        sender: SenderId,
        items: usize,
    ) -> Result<Claiming, StoreError>;

    /// Begins the hand-over of a claimed message, and says when; not if something was recorded about
    /// the address since, or the claim is older than [`limits::CLAIM_HOLDS`]. What did not begin is
    /// settled as [`HandOverEnd::Requeued`], and what did must be handed over at once.
    ///
    /// [`limits::CLAIM_HOLDS`]: sayso_core::limits::CLAIM_HOLDS
    /// [`HandOverEnd::Requeued`]: crate::message::HandOverEnd::Requeued
    fn begin_hand_over(&self, message: MessageId) -> Option<Timestamp>;

    /// Writes how hand-overs of claimed messages ended.
    async fn settle_messages(
        &self,
        workspace: WorkspaceId,
        ended: Vec<HandOver>,
    ) -> Result<(), StoreError>;

    /// Takes in what a provider reports; for each, whether a message has that name and the store knows
    /// that it was handed over. A report may overtake the end of its hand-over: it is then to be
    /// brought again.
    async fn report_messages(
        &self,
        workspace: WorkspaceId,
        reports: Vec<MessageReport>,
    ) -> Result<Vec<bool>, StoreError>;

    /// How many messages to an address failed as the query says. What was erased is not counted.
    async fn failed_messages(
        &self,
        workspace: WorkspaceId,
        query: &FailureQuery,
    ) -> Result<u64, StoreError>;

    /// Counts these, and answers with what the counts come to; durable before it returns. Each message
    /// that is settled as [`HandOverEnd::Accepted`] is counted of its sender already.
    ///
    /// [`HandOverEnd::Accepted`]: crate::message::HandOverEnd::Accepted
    async fn tally(
        &self,
        workspace: WorkspaceId,
        counted: Counted,
        tallies: &[Tally],
    ) -> Result<Tallied, StoreError>;

    /// Keeps what was ticked on an opt-in page under a reference, for [`limits::REFERENCE_HOLDS`], at
    /// most [`limits::REFERENCES_PER_WORKSPACE_MAX`] of a workspace; durable before it returns.
    ///
    /// [`limits::REFERENCE_HOLDS`]: sayso_core::limits::REFERENCE_HOLDS
    /// [`limits::REFERENCES_PER_WORKSPACE_MAX`]: sayso_core::limits::REFERENCES_PER_WORKSPACE_MAX
    async fn keep_reference(
        &self,
        workspace: WorkspaceId,
        draft: ReferenceDraft,
    ) -> Result<Keeping, StoreError>;

    /// What a reference is good for, unless it is unknown or too old.
    async fn reference(
        &self,
        workspace: WorkspaceId,
        reference: Reference,
    ) -> Result<Option<StoredReference>, StoreError>;

    /// Uses a reference up by a message, named by the id of its first event, from this address; durable
    /// before it returns. The same message may take it again.
    async fn take_reference(
        &self,
        workspace: WorkspaceId,
        reference: Reference,
        message: EventId,
        address: AddressKey,
    ) -> Result<Keeping, StoreError>;

    /// Keeps what waits for an answer of its address, and queues the question about it, unless the address was
    /// asked within [`limits::DOUBLE_OPT_IN_INTERVAL`], what is pending is too old, or as many questions went as
    /// a day may have; durable before it returns. The same request may be made again.
    ///
    /// [`limits::DOUBLE_OPT_IN_INTERVAL`]: sayso_core::limits::DOUBLE_OPT_IN_INTERVAL
    async fn ask_double_opt_in(
        &self,
        workspace: WorkspaceId,
        draft: DoubleOptInDraft,
    ) -> Result<Asking, StoreError>;

    /// Counts that a link is to go to an address, and says whether it may: once for a request, and within the
    /// limits of all questions. It is durable before anybody looks whether the address is known (rule 23).
    async fn ask_link(
        &self,
        workspace: WorkspaceId,
        request: LinkRequest,
    ) -> Result<AskingEnd, StoreError>;

    /// A double opt-in, unless it is unknown or older than [`limits::DOUBLE_OPT_IN_ASKED_WITHIN`].
    ///
    /// [`limits::DOUBLE_OPT_IN_ASKED_WITHIN`]: sayso_core::limits::DOUBLE_OPT_IN_ASKED_WITHIN
    async fn double_opt_in(
        &self,
        workspace: WorkspaceId,
        id: DoubleOptInId,
    ) -> Result<Option<StoredDoubleOptIn>, StoreError>;

    /// Judges an answer; counts it, if it is wrong, against its code. What it came to is durable before it
    /// returns. The same answer may be given again, and has the time of the first.
    async fn answer_double_opt_in(
        &self,
        workspace: WorkspaceId,
        id: DoubleOptInId,
        answer: Answer,
    ) -> Result<Answering, StoreError>;

    /// The time of this store: the machine's, but always later than what was recorded last (rule 2).
    /// Everything that is dated, or judged "now", goes by it.
    fn clock(&self) -> Arc<dyn Clock>;

    /// How the store is.
    fn health(&self) -> Health;

    /// Copies the store, while it runs, into a new directory. The copy is on disk, whole and true of
    /// one moment when this returns. It takes its time, and takes it in the caller's thread.
    async fn backup(&self, to: &Path) -> Result<(), BackupError>;

    /// Writes what waits into the views and closes. Later calls get
    /// [`StoreError::Closed`].
    async fn close(&self) -> Result<(), StoreError>;
}

/// What a source said in a span of time, to be left out.
#[derive(Clone, Debug)]
pub struct SpanDraft {
    /// The road of the source.
    pub road: Road,
    /// Its name.
    pub name: SourceName,
    /// What was recorded from then on.
    pub from: Timestamp,
    /// What was recorded before then.
    pub until: Timestamp,
    /// Whether it is left out though somebody vouched for it.
    pub of: SpanOf,
    /// Whether it is done, or only counted.
    pub doing: Doing,
    /// How many events it leaves out at the most.
    pub events_max: usize,
    /// The role of who asks.
    pub role: Role,
    /// Where the retraction came from.
    pub source: Source,
    /// Who acted.
    pub actor: Actor,
    /// Why.
    pub reason: Option<EvidenceText>,
}

/// Which events of a span are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanOf {
    /// Those that nobody vouches for.
    Unproven,
    /// All that may be left out.
    All,
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It is.
    Done,
    /// It is only counted.
    Counted,
}

/// What the retraction of a span came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanRetracted {
    /// Events that are left out, those that were before among them.
    pub retracted: u64,
    /// Events of the source in the span that stay, since nobody may leave them out.
    pub kept: u64,
    /// From when on to go on, if there are more than the draft leaves out.
    pub next_from: Option<Timestamp>,
}

/// A retraction before it is stored.
#[derive(Clone, Debug)]
pub struct RetractDraft {
    /// Whose event.
    pub subject: Subject,
    /// Which event.
    pub event: EventId,
    /// The role of who asks.
    pub role: Role,
    /// Where it came from.
    pub source: Source,
    /// Who acted.
    pub actor: Actor,
    /// Why.
    pub reason: Option<EvidenceText>,
}
