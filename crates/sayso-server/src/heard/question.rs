//! The question that a sender asks of a person who writes for the first time (rule 18): whether it waits
//! for an answer, and whether it is to be asked. Silence changes nothing, so nothing is recorded of it
//! but the message itself.

use sayso_core::address::Address;
use sayso_core::gate::decision::findings;
use sayso_core::gate::reason::Reason;
use sayso_core::id::SenderId;
use sayso_core::limits;
use sayso_core::policy::Way;
use sayso_core::state::registers::Registers;
use sayso_core::state::status::Status;
use sayso_core::text::wording::Reading;
use sayso_core::time::{ClaimedTime, Timestamp};
use sayso_core::words::channel::{Category, Channel, Message};
use sayso_core::words::event_id::RequestHash;
use sayso_core::workspace::{OptInQuestion, Workspace};
use sayso_plan::draft::Subject;
use sayso_store::message::{Queueing, StoredMessage};
use sayso_store::store::Moment;

use super::said::Said;
use crate::app::App;
use crate::problem::Problem;

/// What comes back when the button of a yes is pressed.
pub(crate) const YES_BUTTON: &str = "sayso:yes";
/// What comes back when the button of a no is pressed.
pub(crate) const NO_BUTTON: &str = "sayso:no";

/// A sender that asks, and a person who wrote to it.
pub(super) struct Questioning<'a> {
    /// The question.
    pub(super) question: &'a OptInQuestion,
    /// The last time it was asked of this person.
    last: Option<Box<StoredMessage>>,
    /// How often it was asked of them.
    times: usize,
    /// Whether they wrote to this sender before.
    wrote_before: bool,
    /// Whether the policy of the channel admits an answer in the thread (rule 6).
    is_admitted: bool,
    /// Whether nothing is decided yet: no yes and no refusal on the channel.
    is_undecided: bool,
}

impl<'a> Questioning<'a> {
    /// What is known before the person's new message; `None` where the sender asks nothing.
    pub(super) async fn of(
        app: &App,
        workspace: &'a Workspace,
        (channel, sender): (Channel, SenderId),
        to: &Address,
        received: Timestamp,
    ) -> Result<Option<Self>, Problem> {
        let ours = workspace.senders.get(&sender);
        let Some(question) = ours.and_then(|sender| sender.question.as_ref()) else {
            return Ok(None);
        };
        let workspace_id = workspace.id;
        let subject = Subject::Address(to.clone());
        let known = app.store().registers(workspace_id, &subject, Moment::Now).await?;
        let (mut last, mut times) = (None, 0);
        while times < limits::QUESTIONS_PER_PERSON_MAX {
            let key = question_key(workspace, sender, to, times);
            let asked = app.store().retried_message(workspace_id, &key, &NO_REQUEST).await?;
            let Some(Queueing::Queued(asked) | Queueing::Retried(asked)) = asked else { break };
            last = Some(asked);
            times += 1;
        }
        Ok(Some(Self {
            question,
            last,
            times,
            wrote_before: known.wrote_to_at(sender).is_some(),
            is_admitted: workspace
                .settings
                .at(received)
                .policies
                .admits(channel, Way::ThreadQuestion),
            is_undecided: is_undecided(&known, workspace, (channel, sender), received),
        }))
    }

    /// Whether the question waits for an answer, and this was written after it. Its hand-over began,
    /// less than [`limits::LAPSE_OF_PENDING`] ago.
    pub(super) fn is_open(&self, written_at: Option<ClaimedTime>, received: Timestamp) -> bool {
        let Some(asked_at) = self.last.as_ref().and_then(|last| last.times.began_at) else {
            return false;
        };
        let written_at = written_at.map_or(received, |at| at.last().min(received));
        self.is_undecided
            && written_at >= asked_at
            && written_at < asked_at.plus(limits::LAPSE_OF_PENDING)
    }

    /// Whether the question is to be asked in answer to what was read so: to the first message, or to a
    /// START that left an opt-in `pending`; never twice in [`limits::QUESTION_INTERVAL`], and never where
    /// the policy of the channel admits no answer.
    pub(super) fn is_due(&self, said: &Said<'_>, received: Timestamp) -> bool {
        let rests =
            |last: &StoredMessage| received < last.times.queued_at.plus(limits::QUESTION_INTERVAL);
        let may = self.is_admitted
            && self.times < limits::QUESTIONS_PER_PERSON_MAX
            && !self.last.as_deref().is_some_and(rests);
        may && match said.understood.map(|understood| understood.heard.reading) {
            None | Some(Reading::Nothing) => {
                self.is_undecided && !self.wrote_before && self.times == 0
            }
            Some(Reading::Start) => said.left_pending,
            Some(
                Reading::Stop { .. }
                | Reading::Help
                | Reading::Yes
                | Reading::No
                | Reading::Unclear,
            ) => false,
        }
    }

    /// When it was last asked.
    pub(super) fn last_asked_at(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|last| last.times.queued_at)
    }

    /// The key of the next question, so that two messages at once are asked once.
    pub(super) fn next_key(
        &self,
        workspace: &Workspace,
        sender: SenderId,
        to: &Address,
    ) -> RequestHash {
        question_key(workspace, sender, to, self.times)
    }
}

/// The request of messages that nobody requested.
pub(super) const NO_REQUEST: RequestHash = RequestHash([0; 32]);

fn question_key(
    workspace: &Workspace,
    sender: SenderId,
    to: &Address,
    times: usize,
) -> RequestHash {
    let key = to.key(&workspace.secret);
    RequestHash::of_key(&format!("question:{sender}:{key}:{times}"), &workspace.secret)
}

/// Whether a person neither agreed to anything on the channel nor refused it, or their processing.
fn is_undecided(
    known: &Registers,
    workspace: &Workspace,
    (channel, sender): (Channel, SenderId),
    now: Timestamp,
) -> bool {
    let ordinary = Message::ordinary(channel, Category::Marketing);
    let message = Message { sender: Some(sender), ..ordinary };
    let found = findings(known, &message, now);
    let settings = workspace.settings.at(now);
    let default = settings.default_consent(channel, Category::Marketing);
    let is_open = match found.consent.unwrap_or(default).status {
        Status::Never | Status::Pending => true,
        Status::OptedIn | Status::OptedOut | Status::UnderReview | Status::Expired => false,
    };
    let mut standing = found.standing.iter();
    is_open
        && !standing.any(|it| matches!(it, Reason::ProcessingRefused | Reason::CategoryNotCovered))
}
