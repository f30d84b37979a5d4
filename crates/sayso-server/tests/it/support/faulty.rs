//! A store that fails when it is told to.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sayso_core::address::{Address, AddressKey};
use sayso_core::gate::pacing::Pacing;
use sayso_core::gate::reason::Reasons;
use sayso_core::id::{
    DoubleOptInId, EventId, ImportId, MessageId, ProfileId, SenderId, WorkspaceId,
};
use sayso_core::proof::double_opt_in::Answer;
use sayso_core::proof::reference::Reference;
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::event_id::RequestHash;
use sayso_core::workspace::{Change, Mode, Revision, RuntimeFact, Workspace};
use sayso_plan::draft::{Draft, Subject};
use sayso_store::Store;
use sayso_store::configure::Configured;
use sayso_store::double_opt_in::{
    Answering, Asking, AskingEnd, DoubleOptInDraft, LinkRequest, StoredDoubleOptIn,
};
use sayso_store::environment::Clock;
use sayso_store::erasure::{Erased, ErasurePage, ErasureReach};
use sayso_store::look_up::{LookUpDraft, LookUpPage, LookUpQuery};
use sayso_store::message::{
    Claiming, FailureQuery, HandOver, MessageDraft, MessageName, MessagePage, MessageQuery,
    MessageReport, Queueing, StoredMessage,
};
use sayso_store::reference::{Keeping, ReferenceDraft, StoredReference};
use sayso_store::reject::{RejectDraft, RejectPage, RejectQuery};
use sayso_store::store::{
    AudienceCursor, AudiencePage, AudienceQuery, BackupError, Health, HistoryEntry, HistoryPage,
    HistoryQuery, KnownAddress, Moment, Profile, ProfileDraft, Question, Recipient, Recorded,
    RetractDraft, Retracting, SpanDraft, SpanRetracted, StoreError, Upserted,
};
use sayso_store::tally::{Counted, Tallied, Tally};

/// What is in the inner error of a fault, and must reach no client.
pub(crate) const INNER: &str = "sector 7 of +14155552671";

/// How a store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The disk is full.
    Unwritable,
    /// Too much is waiting.
    Busy,
    /// It is closing.
    Closed,
    /// Nothing was done, and nobody knows.
    Unknown,
    /// Everything was done, and nobody knows.
    Kept,
    /// The engine cannot read.
    Unreadable,
    /// A row is not what was written.
    Corrupt,
    /// Questions to the gate get no answer, and no error either.
    Silent,
}

/// A store that fails when it is told to, and is another store otherwise.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    inner: Arc<dyn Store>,
    plan: Mutex<Option<Plan>>,
}

/// When a store fails.
#[derive(Clone, Copy, Debug)]
struct Plan {
    fault: Fault,
    calls_before: usize,
}

impl Fault {
    /// Every way in which a call ends in an error.
    pub(crate) const ERRORS: [Self; 7] = [
        Self::Unwritable,
        Self::Busy,
        Self::Closed,
        Self::Unknown,
        Self::Kept,
        Self::Unreadable,
        Self::Corrupt,
    ];

    fn error(self) -> StoreError {
        match self {
            Self::Unwritable => StoreError::Unwritable(INNER.to_owned()),
            Self::Busy => StoreError::Busy,
            Self::Closed => StoreError::Closed,
            Self::Unknown | Self::Kept => StoreError::Unknown,
            Self::Unreadable => StoreError::Unreadable(INNER.into()),
            Self::Corrupt | Self::Silent => {
                StoreError::Corrupt { table: "address", id: INNER.to_owned() }
            }
        }
    }
}

impl FaultyStore {
    /// This store, well.
    pub(crate) const fn over(inner: Arc<dyn Store>) -> Self {
        Self { inner, plan: Mutex::new(None) }
    }

    /// Fails from now on.
    pub(crate) fn fail(&self, fault: Fault) {
        self.fail_after(0, fault);
    }

    /// Fails after so many calls that do not.
    pub(crate) fn fail_after(&self, calls_before: usize, fault: Fault) {
        *self.plan.lock().unwrap() = Some(Plan { fault, calls_before });
    }

    /// Does not fail any more.
    pub(crate) fn heal(&self) {
        *self.plan.lock().unwrap() = None;
    }

    /// The fault of the next call.
    fn next(&self) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let plan = plan.as_mut()?;
        if plan.calls_before == 0 {
            return Some(plan.fault);
        }
        plan.calls_before -= 1;
        None
    }

    async fn run<T: Send>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self.next() {
            None | Some(Fault::Silent) => call.await,
            Some(Fault::Kept) => {
                call.await?;
                Err(Fault::Kept.error())
            }
            Some(fault) => Err(fault.error()),
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    fn workspaces(&self) -> Arc<BTreeMap<WorkspaceId, Arc<Workspace>>> {
        self.inner.workspaces()
    }

    async fn create_workspace(&self, name: &str, mode: Mode) -> Result<Arc<Workspace>, StoreError> {
        self.run(self.inner.create_workspace(name, mode)).await
    }

    async fn configure(
        &self,
        workspace: WorkspaceId,
        expected: Revision,
        change: Change,
    ) -> Result<Configured, StoreError> {
        self.run(self.inner.configure(workspace, expected, change)).await
    }

    async fn note(
        &self,
        workspace: WorkspaceId,
        fact: RuntimeFact,
    ) -> Result<Configured, StoreError> {
        self.run(self.inner.note(workspace, fact)).await
    }

    async fn record(
        &self,
        workspace: WorkspaceId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.run(self.inner.record(workspace, drafts)).await
    }

    async fn retract(
        &self,
        workspace: WorkspaceId,
        target: RetractDraft,
    ) -> Result<Retracting, StoreError> {
        self.run(self.inner.retract(workspace, target)).await
    }

    async fn screen(
        &self,
        workspace: WorkspaceId,
        question: &Question,
        recipients: &[Recipient],
    ) -> Result<Vec<Reasons>, StoreError> {
        match self.next() {
            None => self.inner.screen(workspace, question, recipients).await,
            Some(Fault::Silent) => Ok(Vec::new()),
            Some(fault) => Err(fault.error()),
        }
    }

    async fn pacing(
        &self,
        workspace: WorkspaceId,
        question: &Question,
        recipient: Recipient,
        moment: Moment,
    ) -> Result<Pacing, StoreError> {
        self.run(self.inner.pacing(workspace, question, recipient, moment)).await
    }

    async fn registers(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        moment: Moment,
    ) -> Result<Arc<Registers>, StoreError> {
        self.run(self.inner.registers(workspace, subject, moment)).await
    }

    async fn history(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        query: &HistoryQuery,
    ) -> Result<HistoryPage, StoreError> {
        self.run(self.inner.history(workspace, subject, query)).await
    }

    async fn find_event(
        &self,
        workspace: WorkspaceId,
        key: AddressKey,
        event: EventId,
    ) -> Result<Option<HistoryEntry>, StoreError> {
        self.run(self.inner.find_event(workspace, key, event)).await
    }

    async fn addresses(
        &self,
        workspace: WorkspaceId,
        after: Option<AddressKey>,
        items: usize,
    ) -> Result<Vec<KnownAddress>, StoreError> {
        self.run(self.inner.addresses(workspace, after, items)).await
    }

    async fn find_address(
        &self,
        workspace: WorkspaceId,
        key: AddressKey,
    ) -> Result<Option<Address>, StoreError> {
        self.run(self.inner.find_address(workspace, key)).await
    }

    async fn find_profile(
        &self,
        workspace: WorkspaceId,
        by: &Subject,
    ) -> Result<Option<Profile>, StoreError> {
        self.run(self.inner.find_profile(workspace, by)).await
    }

    async fn profile(
        &self,
        workspace: WorkspaceId,
        id: ProfileId,
    ) -> Result<Option<Profile>, StoreError> {
        self.run(self.inner.profile(workspace, id)).await
    }

    async fn upsert_profile(
        &self,
        workspace: WorkspaceId,
        draft: ProfileDraft,
    ) -> Result<Upserted, StoreError> {
        self.run(self.inner.upsert_profile(workspace, draft)).await
    }

    async fn unlink(
        &self,
        workspace: WorkspaceId,
        profile: ProfileId,
        address: &Address,
    ) -> Result<Retracting, StoreError> {
        self.run(self.inner.unlink(workspace, profile, address)).await
    }

    async fn undo_import(
        &self,
        workspace: WorkspaceId,
        import: ImportId,
    ) -> Result<u64, StoreError> {
        self.run(self.inner.undo_import(workspace, import)).await
    }

    async fn retract_span(
        &self,
        workspace: WorkspaceId,
        draft: SpanDraft,
    ) -> Result<SpanRetracted, StoreError> {
        self.run(self.inner.retract_span(workspace, draft)).await
    }

    async fn erase(
        &self,
        workspace: WorkspaceId,
        subject: &Subject,
        reach: ErasureReach,
        draft: Draft,
    ) -> Result<Erased, StoreError> {
        self.run(self.inner.erase(workspace, subject, reach, draft)).await
    }

    async fn erasures(
        &self,
        workspace: WorkspaceId,
        after: Option<u64>,
        items: usize,
    ) -> Result<ErasurePage, StoreError> {
        self.run(self.inner.erasures(workspace, after, items)).await
    }

    fn keep_rejects(&self, workspace: WorkspaceId, rejects: Vec<RejectDraft>) {
        self.inner.keep_rejects(workspace, rejects);
    }

    async fn rejects(
        &self,
        workspace: WorkspaceId,
        query: &RejectQuery,
        items: usize,
    ) -> Result<RejectPage, StoreError> {
        self.run(self.inner.rejects(workspace, query, items)).await
    }

    async fn note_look_up(
        &self,
        workspace: WorkspaceId,
        look_up: LookUpDraft,
    ) -> Result<(), StoreError> {
        self.run(self.inner.note_look_up(workspace, look_up)).await
    }

    async fn look_ups(
        &self,
        workspace: WorkspaceId,
        query: &LookUpQuery,
        items: usize,
    ) -> Result<LookUpPage, StoreError> {
        self.run(self.inner.look_ups(workspace, query, items)).await
    }

    async fn audience(
        &self,
        workspace: WorkspaceId,
        query: &AudienceQuery,
        after: AudienceCursor,
    ) -> Result<AudiencePage, StoreError> {
        self.run(self.inner.audience(workspace, query, after)).await
    }

    async fn queue_message(
        &self,
        workspace: WorkspaceId,
        draft: MessageDraft,
    ) -> Result<Queueing, StoreError> {
        self.run(self.inner.queue_message(workspace, draft)).await
    }

    async fn retried_message(
        &self,
        workspace: WorkspaceId,
        key: &RequestHash,
        request: &RequestHash,
    ) -> Result<Option<Queueing>, StoreError> {
        self.run(self.inner.retried_message(workspace, key, request)).await
    }

    async fn message(
        &self,
        workspace: WorkspaceId,
        id: MessageId,
    ) -> Result<Option<StoredMessage>, StoreError> {
        self.run(self.inner.message(workspace, id)).await
    }

    async fn message_named(
        &self,
        workspace: WorkspaceId,
        name: &MessageName,
    ) -> Result<Option<StoredMessage>, StoreError> {
        self.run(self.inner.message_named(workspace, name)).await
    }

    async fn messages(
        &self,
        workspace: WorkspaceId,
        query: &MessageQuery,
        items: usize,
    ) -> Result<MessagePage, StoreError> {
        self.run(self.inner.messages(workspace, query, items)).await
    }

    async fn waiting_senders(&self) -> Result<Vec<(WorkspaceId, SenderId)>, StoreError> {
        self.run(self.inner.waiting_senders()).await
    }

    async fn claim_messages(
        &self,
        workspace: WorkspaceId,
        sender: SenderId,
        items: usize,
    ) -> Result<Claiming, StoreError> {
        self.run(self.inner.claim_messages(workspace, sender, items)).await
    }

    fn begin_hand_over(&self, message: MessageId) -> Option<Timestamp> {
        self.inner.begin_hand_over(message)
    }

    async fn settle_messages(
        &self,
        workspace: WorkspaceId,
        ended: Vec<HandOver>,
    ) -> Result<(), StoreError> {
        self.run(self.inner.settle_messages(workspace, ended)).await
    }

    async fn report_messages(
        &self,
        workspace: WorkspaceId,
        reports: Vec<MessageReport>,
    ) -> Result<Vec<bool>, StoreError> {
        self.run(self.inner.report_messages(workspace, reports)).await
    }

    async fn failed_messages(
        &self,
        workspace: WorkspaceId,
        query: &FailureQuery,
    ) -> Result<u64, StoreError> {
        self.run(self.inner.failed_messages(workspace, query)).await
    }

    async fn tally(
        &self,
        workspace: WorkspaceId,
        counted: Counted,
        tallies: &[Tally],
    ) -> Result<Tallied, StoreError> {
        self.run(self.inner.tally(workspace, counted, tallies)).await
    }

    async fn keep_reference(
        &self,
        workspace: WorkspaceId,
        draft: ReferenceDraft,
    ) -> Result<Keeping, StoreError> {
        self.run(self.inner.keep_reference(workspace, draft)).await
    }

    async fn reference(
        &self,
        workspace: WorkspaceId,
        reference: Reference,
    ) -> Result<Option<StoredReference>, StoreError> {
        self.run(self.inner.reference(workspace, reference)).await
    }

    async fn take_reference(
        &self,
        workspace: WorkspaceId,
        reference: Reference,
        message: EventId,
        address: AddressKey,
    ) -> Result<Keeping, StoreError> {
        self.run(self.inner.take_reference(workspace, reference, message, address)).await
    }

    async fn ask_double_opt_in(
        &self,
        workspace: WorkspaceId,
        draft: DoubleOptInDraft,
    ) -> Result<Asking, StoreError> {
        self.run(self.inner.ask_double_opt_in(workspace, draft)).await
    }

    async fn ask_link(
        &self,
        workspace: WorkspaceId,
        request: LinkRequest,
    ) -> Result<AskingEnd, StoreError> {
        self.run(self.inner.ask_link(workspace, request)).await
    }

    async fn double_opt_in(
        &self,
        workspace: WorkspaceId,
        id: DoubleOptInId,
    ) -> Result<Option<StoredDoubleOptIn>, StoreError> {
        self.run(self.inner.double_opt_in(workspace, id)).await
    }

    async fn answer_double_opt_in(
        &self,
        workspace: WorkspaceId,
        id: DoubleOptInId,
        answer: Answer,
    ) -> Result<Answering, StoreError> {
        self.run(self.inner.answer_double_opt_in(workspace, id, answer)).await
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock()
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    async fn backup(&self, to: &Path) -> Result<(), BackupError> {
        self.inner.backup(to).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.run(self.inner.close()).await
    }
}
