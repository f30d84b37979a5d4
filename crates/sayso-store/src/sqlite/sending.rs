//! The thread that moves messages on: queued, claimed, handed over, reported.
//!
//! All that wait share one transaction of `work.db` and one flush to disk. A claim is decided here, on
//! what the gate knows now, and is durable before it is answered; what makes it safe against refusals
//! that are recorded at the same time stands in [`super::claims`].

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, ErrorCode};
use sayso_core::address::{Address, AddressKey};
use sayso_core::gate::decision::{Requirement, SenderState};
use sayso_core::gate::reason::{Reason, Reasons};
use sayso_core::gate::sender_health::Known;
use sayso_core::id::{DoubleOptInId, MessageId, SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::proof::double_opt_in::Answer;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Message;
use tokio::sync::oneshot;

use super::double_opt_ins::{self, Drafted};
use super::messages::{self, Due, Queued, Verdict, Way};
use super::pacing::Pacer;
use super::references::{self, ReferenceWrite};
use super::tail::Place;
use super::{Shared, Tenant, early_reports, tallies};
use crate::double_opt_in::{Answering, Asking};
use crate::message::{
    Claimed, Claiming, HandOver, HandOverEnd, Held, MessageDraft, MessageReport, MessageTimes,
    Queueing, StoredMessage,
};
use crate::reference::Keeping;
use crate::store::{Question, Recipient, StoreError};
use crate::tally::{Counted, Tallied, Tally};
use sayso_core::workspace::Workspace;

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Sending {
    jobs: Mutex<Option<SyncSender<Job>>>,
    /// The newest signal of each sender, or newest settings, that its messages were decided after.
    heeded: Mutex<HashMap<(WorkspaceId, SenderId), Timestamp>>,
}

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked for.
pub(super) enum Job {
    Queue(Arc<Tenant>, Box<(MessageDraft, Vec<u8>)>, Reply<Queueing>),
    Claim(Arc<Tenant>, SenderId, usize, Reply<Claiming>),
    Settle(Arc<Tenant>, Vec<HandOver>, Reply<()>),
    Report(Arc<Tenant>, Vec<MessageReport>, Reply<Vec<bool>>),
    Tally(Arc<Tenant>, Counted, Vec<Tally>, Reply<Tallied>),
    Reference(Arc<Tenant>, ReferenceWrite, Reply<Keeping>),
    Ask(Arc<Tenant>, Drafted, Reply<Asking>),
    Answer(Arc<Tenant>, DoubleOptInId, Answer, Reply<Answering>),
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job(..)")
    }
}

impl Sending {
    /// The way, and what the thread waits for.
    pub(super) fn new() -> (Self, Receiver<Job>) {
        let (jobs, waiting) = std::sync::mpsc::sync_channel(limits::WRITER_QUEUE_MAX);
        (Self { jobs: Mutex::new(Some(jobs)), heeded: Mutex::default() }, waiting)
    }

    /// Takes no more; what waits is still done.
    pub(super) fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Asks for something, and waits until it is durable.
    pub(super) async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.ok_or(StoreError::Closed)?.try_send(job(reply)).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::Closed,
        })?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }
}

/// Works until nobody can ask any more.
pub(super) fn run(shared: &Shared, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut decided = first.decides();
        let mut round = vec![first];
        while round.len() < limits::COMMIT_GROUP_MAX && decided < limits::CLAIM_ROUND_MAX {
            let Ok(job) = jobs.try_recv() else { break };
            decided += job.decides();
            round.push(job);
        }
        if let Err(word) = write(shared, round) {
            (shared.options.on_unknown_outcome)(&word);
            return;
        }
    }
}

/// What a job came to, to be answered once it is durable.
enum Done {
    Queue(Reply<Queueing>, Result<Queueing, StoreError>),
    Claim(Reply<Claiming>, Result<Claiming, StoreError>),
    Settle(Reply<()>, Vec<MessageId>, Result<(), StoreError>),
    Report(Reply<Vec<bool>>, Result<Vec<bool>, StoreError>),
    Tally(Reply<Tallied>, Result<Tallied, StoreError>),
    Reference(Reply<Keeping>, Result<Keeping, StoreError>),
    Ask(Reply<Asking>, Result<Asking, StoreError>),
    Answer(Reply<Answering>, Result<Answering, StoreError>),
}

/// Does a round in one transaction, and answers; an error is an unknown outcome.
fn write(shared: &Shared, round: Vec<Job>) -> Result<(), String> {
    let mut work = shared.work.writing();
    let begun = shared
        .work
        .check_room()
        .map_err(StoreError::Unwritable)
        .and_then(|()| work.transaction().map_err(|error| super::unwritable(&error)));
    let work = match begun {
        Ok(work) => work,
        Err(error) => {
            round.into_iter().for_each(|job| job.refuse(&error));
            return Ok(());
        }
    };
    let done: Vec<Done> = round.into_iter().map(|job| job.run_alone(&work, shared)).collect();
    // Some failures roll back by themselves: then nothing of the round is written.
    let is_whole = !work.is_autocommit();
    match work.commit() {
        Ok(()) if !is_whole => {
            let error = || StoreError::Unwritable("the transaction was rolled back".to_owned());
            done.into_iter().for_each(|done| done.fail(shared, error));
        }
        Ok(()) => done.into_iter().for_each(|done| done.answer(shared)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
            done.into_iter().for_each(|done| done.fail(shared, || StoreError::Unknown));
            return Err(error.to_string());
        }
        Err(error) => {
            done.into_iter().for_each(|done| done.fail(shared, || super::unwritable(&error)));
        }
    }
    Ok(())
}

/// Gives an answer; a caller that went away does not need it.
fn give<T>(reply: Reply<T>, answer: Result<T, StoreError>) {
    drop(reply.send(answer));
}

impl Job {
    /// How many messages it may decide.
    const fn decides(&self) -> usize {
        match self {
            Self::Claim(_, _, items, _) => *items,
            Self::Queue(..)
            | Self::Settle(..)
            | Self::Report(..)
            | Self::Tally(..)
            | Self::Reference(..)
            | Self::Ask(..)
            | Self::Answer(..) => 0,
        }
    }

    /// Does the job so that it leaves nothing behind if it fails.
    fn run_alone(self, work: &Connection, shared: &Shared) -> Done {
        if let Err(error) = work.execute_batch("SAVEPOINT job") {
            return self.fail(super::unwritable(&error));
        }
        let done = self.run(work, shared);
        let ended = if done.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
        if let Err(error) = work.execute_batch(ended) {
            tracing::error!(error = %error, "a job on messages could not be ended");
        }
        done
    }

    fn run(self, work: &Connection, shared: &Shared) -> Done {
        let now = shared.environment.clock.now();
        match self {
            Self::Queue(workspace, drafted, reply) => {
                let (draft, sealed) = *drafted;
                Done::Queue(reply, queue(work, &workspace, &draft, &sealed, now))
            }
            Self::Claim(workspace, sender, items, reply) => {
                Done::Claim(reply, claim(work, shared, &workspace, (sender, items), now))
            }
            Self::Settle(workspace, ended, reply) => {
                let written = settle(work, shared, &workspace, &ended, now);
                Done::Settle(reply, ended.into_iter().map(|ended| ended.id).collect(), written)
            }
            Self::Report(workspace, reports, reply) => {
                let known = reports.iter().map(|report| take_in(work, &workspace, report, now));
                Done::Report(reply, known.collect())
            }
            Self::Tally(workspace, counted, tallies, reply) => {
                let added = tallies::add(work, workspace.id, &counted, &tallies, now);
                let tallied = || tallies::tallied(work, workspace.id, &counted, now);
                Done::Tally(reply, added.and_then(|()| tallied()))
            }
            Self::Reference(workspace, write, reply) => {
                Done::Reference(reply, references::write(work, workspace.id, &write, now))
            }
            Self::Ask(workspace, drafted, reply) => {
                Done::Ask(reply, double_opt_ins::ask(work, &workspace, &drafted, now))
            }
            Self::Answer(workspace, id, answer, reply) => {
                let answered = double_opt_ins::answer(work, &workspace, (id, answer), now);
                Done::Answer(reply, answered)
            }
        }
    }

    /// The job undone, with its error.
    fn fail(self, error: StoreError) -> Done {
        match self {
            Self::Queue(_, _, reply) => Done::Queue(reply, Err(error)),
            Self::Claim(_, _, _, reply) => Done::Claim(reply, Err(error)),
            Self::Settle(_, _, reply) => Done::Settle(reply, Vec::new(), Err(error)),
            Self::Report(_, _, reply) => Done::Report(reply, Err(error)),
            Self::Tally(_, _, _, reply) => Done::Tally(reply, Err(error)),
            Self::Reference(_, _, reply) => Done::Reference(reply, Err(error)),
            Self::Ask(_, _, reply) => Done::Ask(reply, Err(error)),
            Self::Answer(_, _, _, reply) => Done::Answer(reply, Err(error)),
        }
    }

    /// Answers that nothing can be written.
    fn refuse(self, error: &StoreError) {
        let again = || StoreError::Unwritable(error.to_string());
        match self {
            Self::Queue(_, _, reply) => give(reply, Err(again())),
            Self::Claim(_, _, _, reply) => give(reply, Err(again())),
            Self::Settle(_, _, reply) => give(reply, Err(again())),
            Self::Report(_, _, reply) => give(reply, Err(again())),
            Self::Tally(_, _, _, reply) => give(reply, Err(again())),
            Self::Reference(_, _, reply) => give(reply, Err(again())),
            Self::Ask(_, _, reply) => give(reply, Err(again())),
            Self::Answer(_, _, _, reply) => give(reply, Err(again())),
        }
    }
}

impl Done {
    const fn is_ok(&self) -> bool {
        match self {
            Self::Queue(_, result) => result.is_ok(),
            Self::Claim(_, result) => result.is_ok(),
            Self::Settle(_, _, result) => result.is_ok(),
            Self::Report(_, result) => result.is_ok(),
            Self::Tally(_, result) => result.is_ok(),
            Self::Reference(_, result) => result.is_ok(),
            Self::Ask(_, result) => result.is_ok(),
            Self::Answer(_, result) => result.is_ok(),
        }
    }

    fn answer(self, shared: &Shared) {
        match self {
            Self::Queue(reply, queued) => give(reply, queued),
            Self::Claim(reply, claiming) => give(reply, claiming),
            Self::Settle(reply, ended, written) => {
                if written.is_ok() {
                    shared.claims.leave(ended.into_iter());
                }
                give(reply, written);
            }
            Self::Report(reply, known) => give(reply, known),
            Self::Tally(reply, tallied) => give(reply, tallied),
            Self::Reference(reply, kept) => give(reply, kept),
            Self::Ask(reply, asking) => give(reply, asking),
            Self::Answer(reply, answering) => give(reply, answering),
        }
    }

    /// Answers that nothing was written, or that nobody knows; no claim was made.
    fn fail(self, shared: &Shared, error: impl Fn() -> StoreError) {
        match self {
            Self::Queue(reply, _) => give(reply, Err(error())),
            Self::Claim(reply, claiming) => {
                let claimed = claiming.into_iter().flat_map(|claiming| claiming.claimed);
                shared.claims.leave(claimed.map(|claimed| claimed.id));
                give(reply, Err(error()));
            }
            Self::Settle(reply, _, _) => give(reply, Err(error())),
            Self::Report(reply, _) => give(reply, Err(error())),
            Self::Tally(reply, _) => give(reply, Err(error())),
            Self::Reference(reply, _) => give(reply, Err(error())),
            Self::Ask(reply, _) => give(reply, Err(error())),
            Self::Answer(reply, _) => give(reply, Err(error())),
        }
    }
}

fn queue(
    work: &Connection,
    workspace: &Tenant,
    draft: &MessageDraft,
    sealed: &[u8],
    now: Timestamp,
) -> Result<Queueing, StoreError> {
    let queued = messages::queue(work, workspace, draft, sealed, now)?;
    queueing(work, workspace, queued)
}

/// What became of a message, with the message.
pub(super) fn queueing(
    work: &Connection,
    workspace: &Tenant,
    queued: Queued,
) -> Result<Queueing, StoreError> {
    let find = |id: MessageId| {
        let found = messages::find(work, workspace, id)?;
        let lost = || StoreError::Corrupt { table: "message", id: id.to_string() };
        Ok::<_, StoreError>(Box::new(found.ok_or_else(lost)?))
    };
    Ok(match queued {
        Queued::New(id) => Queueing::Queued(find(id)?),
        Queued::Before(id) => Queueing::Retried(find(id)?),
        Queued::KeyReused => Queueing::KeyReused,
    })
}

/// Takes in a report; whether a message has that name. If none has, it is kept for a while.
fn take_in(
    work: &Connection,
    workspace: &Tenant,
    report: &MessageReport,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let is_known = messages::report(work, workspace, report)?;
    if !is_known {
        early_reports::keep(work, workspace, report, now)?;
    }
    Ok(is_known)
}

/// Writes how hand-overs ended, and counts of each sender those that went.
fn settle(
    work: &Connection,
    shared: &Shared,
    workspace: &Tenant,
    ended: &[HandOver],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut went: BTreeMap<SenderId, u64> = BTreeMap::new();
    for hand_over in ended {
        let sender = messages::settle(work, workspace, hand_over, &shared.environment)?;
        if let (Some(sender), HandOverEnd::Accepted { provider_id }) = (sender, &hand_over.end) {
            *went.entry(sender).or_default() += 1;
            // What was reported before is heard now.
            for early in early_reports::take(work, workspace, provider_id.as_deref())? {
                messages::report(work, workspace, &early)?;
            }
        }
    }
    went.into_iter().try_for_each(|(sender, times)| {
        tallies::handed_over(work, workspace.id, &Counted::Sender(sender), times, now)
    })
}

/// Brings forward what waits because of how its sender stood before the newest signal about it, or
/// because of settings that are no longer in force.
fn heed(
    work: &Connection,
    shared: &Shared,
    workspace: &Tenant,
    sender: SenderId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let model = shared.model(workspace.id)?;
    let newest = model.runtime.signaled_at(sender).max(model.settings.newest());
    let Some(signaled_at) = newest else { return Ok(()) };
    let mut heeded = shared.sending.heeded.lock().unwrap_or_else(PoisonError::into_inner);
    if heeded.get(&(workspace.id, sender)).is_none_or(|heeded| *heeded < signaled_at) {
        messages::bring_forward(work, workspace.id, sender, now)?;
        heeded.insert((workspace.id, sender), signaled_at);
    }
    Ok(())
}

/// Decides the messages of a sender that are due, and claims those that may go.
fn claim(
    work: &Connection,
    shared: &Shared,
    workspace: &Tenant,
    (sender, items): (SenderId, usize),
    now: Timestamp,
) -> Result<Claiming, StoreError> {
    let mut failed = messages::expire(work, workspace.id, sender, now)?;
    heed(work, shared, workspace, sender, now)?;
    let found = messages::due(work, workspace, sender, now, items)?;
    let more = items > 0 && found.len() == items;
    let mut due = Vec::with_capacity(found.len());
    for Due { row, key, message } in found {
        if let Some(message) = message {
            due.push(Waiting { row, key, message });
        } else {
            tracing::error!(store.row = row, "a message is damaged and fails");
            messages::decide(work, workspace.id, row, (Verdict::Damaged, now))?;
            failed += 1;
        }
    }
    // Before the gate is asked: see `claims`.
    let places = due.iter().map(|due| (due.message.id, places_of(workspace, due)));
    shared.claims.enter(sender, places, shared.clock.machine().now());
    let decided = decide(work, shared, workspace, &due).and_then(|decided| {
        let next = messages::next_due_at(work, workspace.id, sender);
        Ok((decided, if more { None } else { next? }))
    });
    let entered = due.iter().map(|due| due.message.id);
    match decided {
        Ok((claiming, next_due_at)) => {
            let kept = |id: &MessageId| claiming.claimed.iter().any(|claimed| claimed.id == *id);
            shared.claims.leave(entered.filter(|id| !kept(id)));
            Ok(Claiming { failed, more, next_due_at, ..claiming })
        }
        Err(error) => {
            shared.claims.leave(entered);
            Err(error)
        }
    }
}

/// A message that waits to be decided.
struct Waiting {
    row: i64,
    key: AddressKey,
    message: StoredMessage,
}

impl Waiting {
    /// The channel and sender in force.
    fn route(&self) -> Option<&Message> {
        self.message.routes.get(usize::from(self.message.route))
    }

    /// That it waits for its sender, where nothing else stands in its way: a pause refuses nobody.
    fn waits(
        &self,
        shared: &Shared,
        workspace: &Tenant,
        answer: Option<Reasons>,
        now: Timestamp,
    ) -> Option<Verdict> {
        let reasons = answer.filter(|reasons| *reasons == Reasons::of(&[Reason::SenderPaused]))?;
        let model = shared.model(workspace.id).ok()?;
        let known = Known::all(now);
        let route = self.route()?;
        let as_template = self.as_template(&model, now);
        let states = [Some(*route), as_template];
        let states = states.iter().flatten();
        // Where it has just been let go, it is decided again at once.
        let until = states
            .map(|message| match model.runtime.sender_state(message, known) {
                SenderState::Sending => now,
                SenderState::Paused(until) => until.unwrap_or(Timestamp::DISTANT_FUTURE),
            })
            .max()?;
        let look_again = now.plus(limits::SENDER_PAUSE_LOOK_AGAIN);
        let until = until.min(look_again).min(self.message.times.expires_at);
        let (place, channel) = (self.message.route, route.channel);
        Some(Verdict::Held(Way { place, channel, sender: route.sender? }, Held { reasons, until }))
    }

    /// Whether it needs an opt-in on this way.
    fn requirement(&self, route: &Message, settings: &Settings) -> Requirement {
        self.message.require_opt_in.requirement(route.category, settings)
    }

    /// What it is, where the provider says that its template needs more consent than it does
    /// (rule 25).
    fn as_template(&self, model: &Workspace, now: Timestamp) -> Option<Message> {
        let (_, payload) = self.message.personal.as_ref()?;
        model.as_template(self.route()?, payload.template(), Known::all(now))
    }

    /// Whether it needs an opt-in as its template. No opt-in of marketing is waived.
    fn template_requirement(&self, as_template: &Message, settings: &Settings) -> Requirement {
        match self.route().map(|route| self.requirement(route, settings)) {
            Some(Requirement::Waived(_)) => {
                Requirement::waived(as_template.category).unwrap_or(Requirement::OptIn)
            }
            Some(Requirement::OptIn) | None => Requirement::OptIn,
        }
    }

    /// What becomes of it, by the answer of the gate; and what may go.
    fn verdict(&self, answer: Option<Reasons>, now: Timestamp) -> (Verdict, Option<Claimed>) {
        let Some(reasons) = answer else {
            return (Verdict::Postponed(now.plus(limits::UNDECIDED_PAUSE)), None);
        };
        let message = &self.message;
        match (self.route(), &message.personal) {
            (Some(route), Some((to, payload))) if reasons.is_empty() => {
                let (to, payload) = (to.clone(), payload.clone());
                let MessageTimes { queued_at, expires_at, .. } = message.times;
                let (id, route) = (message.id, *route);
                let waived = Reasons::NONE;
                let claimed = Claimed { id, to, route, payload, waived, queued_at, expires_at };
                return (Verdict::Claimed, Some(claimed));
            }
            // Who was erased has no address any more, and is suppressed besides.
            (_, None) if reasons.is_empty() => {
                return (Verdict::Refused(Reasons::of(&[Reason::Suppressed])), None);
            }
            _ => {}
        }
        match self.further_ways().next().filter(|_| message.personal.is_some()) {
            Some((way, _)) => (Verdict::Rerouted(way), None),
            None => (Verdict::Refused(reasons), None),
        }
    }

    /// The ways after the one in force.
    fn further_ways(&self) -> impl Iterator<Item = (Way, &Message)> {
        let places = (0_u16..).zip(&self.message.routes);
        places.skip(usize::from(self.message.route) + 1).map_while(|(place, route)| {
            Some((Way { place, channel: route.channel, sender: route.sender? }, route))
        })
    }

    /// What the gate is asked about a way.
    fn question(&self, message: Message, settings: &Settings) -> Question {
        let requirement = self.requirement(&message, settings);
        Question { message, requirement, zone: self.message.zone }
    }

    /// What becomes of it where the gate allows it and time holds it back: it goes by the first further
    /// way by which it may go now, else it waits for the one by which it may go first.
    fn held(
        &self,
        pacer: &mut Pacer<'_>,
        work: &Connection,
        as_template: Option<Message>,
    ) -> Result<Option<Verdict>, StoreError> {
        let Some((route, sender)) = self.route().and_then(|route| Some((route, route.sender?)))
        else {
            return Ok(None);
        };
        let settings = pacer.settings();
        let held = |pacer: &mut Pacer<'_>, route: &Message| {
            pacer.held(work, &self.question(*route, settings), recipient(self))
        };
        let own = held(pacer, route)?;
        let as_template = match as_template {
            Some(message) => held(pacer, &message)?,
            None => None,
        };
        let Some(mut first) = both(own, as_template) else { return Ok(None) };
        let mut by = Way { place: self.message.route, channel: route.channel, sender };
        for (way, route) in self.further_ways() {
            if !pacer.allows(&self.question(*route, settings), recipient(self))? {
                continue;
            }
            match held(pacer, route)? {
                None => return Ok(Some(Verdict::Rerouted(way))),
                Some(other) if other.until < first.until => (by, first) = (way, other),
                Some(_) => {}
            }
        }
        // Past that time it is of no use, and ends.
        let until = first.until.min(self.message.times.expires_at);
        Ok(Some(Verdict::Held(by, Held { until, ..first })))
    }
}

/// What holds a message back that one of two does, or both.
fn both(one: Option<Held>, other: Option<Held>) -> Option<Held> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let reasons = one.reasons.or(other.reasons);
            Some(Held { reasons, until: one.until.max(other.until) })
        }
        (one, other) => one.or(other),
    }
}

fn decide(
    work: &Connection,
    shared: &Shared,
    workspace: &Tenant,
    due: &[Waiting],
) -> Result<Claiming, StoreError> {
    let answers = screen(shared, workspace, due);
    let answers = screen_templates(shared, workspace, due, answers);
    // After the asking: as of this moment the decision is what was known.
    let now = shared.environment.clock.now();
    let model = shared.model(workspace.id)?;
    let settings = model.settings.at(now);
    let mut pacer = Pacer::new(shared, workspace, &settings, now);
    let mut claiming = Claiming::default();
    for (due, answer) in due.iter().zip(answers) {
        let (mut verdict, mut may_go) = match due.waits(shared, workspace, answer, now) {
            Some(waits) => (waits, None),
            None => due.verdict(answer, now),
        };
        // One after the other: what is claimed here counts for what comes after it.
        if may_go.is_some() {
            let as_template = due.as_template(&model, now);
            let held = due.held(&mut pacer, work, as_template).unwrap_or_else(|error| {
                tracing::error!(error = %error, "a message waits: what its person got cannot be read");
                Some(Verdict::Postponed(now.plus(limits::UNDECIDED_PAUSE)))
            });
            if let Some(held) = held {
                (verdict, may_go) = (held, None);
            }
        }
        match verdict {
            Verdict::Refused(reasons) => claiming.refused.push(reasons),
            Verdict::Rerouted(way) | Verdict::Held(way, _) => claiming.rerouted.push(way.sender),
            Verdict::Claimed | Verdict::Postponed(_) | Verdict::Damaged => {}
        }
        let waived = |claimed: &Claimed| waived(shared, workspace, due, (claimed, &settings));
        let may_go = may_go.map(|claimed| Claimed { waived: waived(&claimed), ..claimed });
        claiming.claimed.extend(may_go);
        messages::decide(work, workspace.id, due.row, (verdict, now))?;
    }
    Ok(claiming)
}

/// What would have refused a message that may go, had its opt-in not been waived. It is told, and decides
/// nothing: what cannot be read is none.
fn waived(
    shared: &Shared,
    workspace: &Tenant,
    due: &Waiting,
    (claimed, settings): (&Claimed, &Settings),
) -> Reasons {
    let question = due.question(claimed.route, settings);
    match question.requirement {
        Requirement::OptIn => Reasons::NONE,
        Requirement::Waived(_) => {
            let question = Question { requirement: Requirement::OptIn, ..question };
            let now = shared.environment.clock.now();
            let asked =
                shared.screen_consent(workspace, &question, &[recipient(due)], (settings, now));
            asked.ok().and_then(|answers| answers.first().copied()).unwrap_or(Reasons::NONE)
        }
    }
}

/// Asks the gate for every message, those with the same question at once; no answer where the person
/// cannot be read, who holds nobody else up.
fn screen(shared: &Shared, workspace: &Tenant, due: &[Waiting]) -> Vec<Option<Reasons>> {
    if cfg!(feature = "undecided-claims") {
        return vec![Some(Reasons::NONE); due.len()];
    }
    let Ok(model) = shared.model(workspace.id) else {
        return vec![None; due.len()];
    };
    let now = shared.environment.clock.now();
    let settings = model.settings.at(now);
    let mut questions: HashMap<(Message, bool), Vec<usize>> = HashMap::new();
    for (at, due) in due.iter().enumerate() {
        if let Some(route) = due.route() {
            let is_waived = due.requirement(route, &settings) != Requirement::OptIn;
            questions.entry((*route, is_waived)).or_default().push(at);
        }
    }
    let mut answers = vec![None; due.len()];
    for ((message, _), places) in questions {
        let asked: Vec<&Waiting> = places.iter().filter_map(|at| due.get(*at)).collect();
        let Some(first) = asked.first() else { continue };
        // Where people are bears on quiet hours alone, which are looked at one by one.
        let question = Question { zone: None, ..first.question(message, &settings) };
        let recipients: Vec<Recipient> = asked.iter().map(|due| recipient(due)).collect();
        let screened = ask(&recipients, |recipients| {
            shared.screen_consent(workspace, &question, recipients, (&settings, now))
        });
        for (at, answer) in places.iter().zip(screened) {
            if let Some(place) = answers.get_mut(*at) {
                *place = answer;
            }
        }
    }
    answers
}

/// Asks again for each message whose template needs more consent than it does: both answers count.
fn screen_templates(
    shared: &Shared,
    workspace: &Tenant,
    due: &[Waiting],
    mut answers: Vec<Option<Reasons>>,
) -> Vec<Option<Reasons>> {
    if cfg!(feature = "undecided-claims") {
        return answers;
    }
    let now = shared.environment.clock.now();
    let Ok(model) = shared.model(workspace.id) else {
        return vec![None; due.len()];
    };
    let settings = model.settings.at(now);
    for (due, answer) in due.iter().zip(&mut answers) {
        if let Some(message) = due.as_template(&model, now) {
            let requirement = due.template_requirement(&message, &settings);
            let question = Question { message, requirement, zone: None };
            let further = ask(&[recipient(due)], |recipients| {
                shared.screen_consent(workspace, &question, recipients, (&settings, now))
            });
            let further = further.first().copied().flatten();
            *answer = answer.zip(further).map(|(one, other)| one.or(other));
        }
    }
    answers
}

/// Asks for all at once, and one by one where that fails.
fn ask(
    recipients: &[Recipient],
    screen: impl Fn(&[Recipient]) -> Result<Vec<Reasons>, StoreError>,
) -> Vec<Option<Reasons>> {
    if let Ok(answers) = screen(recipients)
        && answers.len() == recipients.len()
    {
        return answers.into_iter().map(Some).collect();
    }
    let one = |recipient: &Recipient| {
        let answer = screen(std::slice::from_ref(recipient));
        answer.inspect_err(|error| tracing::error!(error = %error, "a message waits: what is known of the person cannot be read")).ok()?.first().copied()
    };
    recipients.iter().map(one).collect()
}

/// Whose refusals keep a message back: those of its address, and of the other forms of its number.
fn places_of(workspace: &Tenant, due: &Waiting) -> Vec<Place> {
    let forms = match recipient(due) {
        Recipient::Phone(phone) => phone.other_forms(),
        Recipient::Key(_) | Recipient::Hashed(_) => Vec::new(),
    };
    let key = |form| Address::Phone(form).key(&workspace.secrets.address_keys);
    let keys = [due.key].into_iter().chain(forms.into_iter().map(key));
    keys.map(|key| (workspace.no, key)).collect()
}

fn recipient(due: &Waiting) -> Recipient {
    match &due.message.personal {
        Some((Address::Phone(phone), _)) => Recipient::Phone(*phone),
        Some((Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_), _)) => {
            Recipient::Key(due.key)
        }
        None => Recipient::Hashed(due.key),
    }
}
