//! What is said to a person who wrote: the one confirmation of a refusal (rule 21), the answer to a call
//! for help, the opt-in question (rule 18), and the reply of a rule (rule 20). Each is queued like any
//! message, and the gate decides it.

use sayso_core::address::Address;
use sayso_core::gate::decision::{RequireOptIn, Requirement};
use sayso_core::gate::reason::{Reason, Reasons};
use sayso_core::id::{MessageId, SenderId};
use sayso_core::limits;
use sayso_core::state::status::Status;
use sayso_core::text::wording::Reading;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Content, Message, Occasion, Scope};
use sayso_core::words::event_id::RequestHash;
use sayso_core::workspace::Workspace;
use sayso_store::message::{MessageDraft, Payload, Queueing};
use sayso_store::store::{Question as StoreQuestion, Recipient};

use super::question::{NO_REQUEST, Questioning};
use super::said::Said;
use crate::app::App;
use crate::problem::Problem;

/// Somebody who wrote to one of our senders, and is to be answered.
pub(super) struct Replying<'a> {
    pub(super) app: &'a App,
    pub(super) workspace: &'a Workspace,
    pub(super) received: Timestamp,
    pub(super) channel: Channel,
    pub(super) sender: SenderId,
    pub(super) to: &'a Address,
}

/// One reply.
struct Reply {
    /// Of one kind a person gets one a day.
    kind: String,
    occasion: Occasion,
    text: String,
    expires_at: Timestamp,
}

impl Replying<'_> {
    /// Answers what was said, at most once.
    pub(super) async fn answer(
        &self,
        said: &Said<'_>,
        questioning: Option<&Questioning<'_>>,
    ) -> Result<Option<MessageId>, Problem> {
        if let Some(reply) = self.reply_to(said, questioning) {
            if self.received >= reply.expires_at {
                return Ok(None);
            }
            let stands = match said.refused {
                Some(scope) => self.stands(scope).await?,
                None => true,
            };
            if !stands || self.has_said_today(&reply.kind).await? {
                return Ok(None);
            }
            let key = self.key(&reply.kind, self.received);
            let payload = Payload::Text(reply.text.into());
            return self.queue(key, reply.occasion, payload, reply.expires_at).await;
        }
        let has_rule = said.understood.is_some_and(|understood| understood.rule.is_some());
        match questioning.filter(|it| !has_rule && it.is_due(said, self.received)) {
            Some(questioning) => self.ask(questioning).await,
            None => Ok(None),
        }
    }

    /// Asks the opt-in question.
    async fn ask(&self, questioning: &Questioning<'_>) -> Result<Option<MessageId>, Problem> {
        let question = questioning.question;
        let payload = Payload::Question {
            text: question.text.clone(),
            yes: question.yes.clone(),
            no: question.no.clone(),
        };
        let key = questioning.next_key(self.workspace, self.sender, self.to);
        let occasion = Occasion::OptInQuestion(questioning.last_asked_at());
        self.queue(key, occasion, payload, self.received.plus(limits::REPLY_HOLDS)).await
    }

    /// The reply to what was said, if there is one besides a question.
    fn reply_to(&self, said: &Said<'_>, questioning: Option<&Questioning<'_>>) -> Option<Reply> {
        let understood = said.understood?;
        let own_words = understood.rule.and_then(|rule| rule.says().reply.as_deref());
        if let Some(scope) = said.refused {
            return Some(Reply {
                kind: "confirmation".to_owned(),
                occasion: Occasion::RefusalConfirmation(said.at),
                text: own_words.map_or_else(|| self.confirmation(scope), str::to_owned),
                expires_at: said.at.plus(limits::CONFIRMATION_WINDOW),
            });
        }
        let ours = self.name();
        let (kind, occasion, text) = match understood.heard.reading {
            Reading::Help => (
                "help".to_owned(),
                Occasion::HelpReply,
                format!(
                    "{ours}: to get no more messages, reply STOP. Questions? Just write to us here."
                ),
            ),
            Reading::Yes => {
                let thanks = questioning?.question.thanks.as_deref()?;
                ("thanks".to_owned(), Occasion::Ordinary, thanks.to_owned())
            }
            Reading::Start if own_words.is_none() => {
                ("start".to_owned(), Occasion::Ordinary, self.answer_to_start(said.start?)?)
            }
            Reading::Stop { .. }
            | Reading::No
            | Reading::Start
            | Reading::Unclear
            | Reading::Nothing => {
                let kind = format!("rule:{}", understood.rule?.says().id);
                (kind, Occasion::Ordinary, own_words?.to_owned())
            }
        };
        let expires_at = self.received.plus(limits::REPLY_HOLDS);
        Some(Reply { kind, occasion, text, expires_at })
    }

    /// The words that confirm a refusal.
    fn confirmation(&self, refused: Scope) -> String {
        let ours = self.name();
        let topics = &self.workspace.topics;
        match refused {
            Scope::All => {
                format!(
                    "{ours}: you will get no more messages from us here. Reply START to change that."
                )
            }
            Scope::Topic(topic) => {
                let topic = topics.get(&topic).map_or("this", |topic| &topic.name);
                format!(
                    "{ours}: you will get no more messages about {topic}. Reply STOP to leave everything."
                )
            }
            Scope::Sender(_) | Scope::Category(_) => {
                format!(
                    "{ours}: you will get no more of these messages. Reply STOP to leave everything."
                )
            }
        }
    }

    /// The words that say what START did. Where there is no opt-in to return to, the question of the sender
    /// says so better.
    fn answer_to_start(&self, status: Status) -> Option<String> {
        let ours = self.name();
        match status {
            Status::OptedIn => Some(format!(
                "{ours}: welcome back. You will get messages from us here again. Reply STOP to leave."
            )),
            Status::UnderReview => Some(format!(
                "{ours}: thank you. Somebody will read what you wrote before we send you anything else."
            )),
            Status::Expired => Some(format!(
                "{ours}: thank you. Your earlier agreement has ended, so we will only write to you once you agree again."
            )),
            Status::Never | Status::Pending | Status::OptedOut => None,
        }
    }

    /// What the sender is called.
    fn name(&self) -> &str {
        let sender = self.workspace.senders.get(&self.sender);
        sender.map_or(&self.workspace.name, |sender| &sender.name)
    }

    async fn queue(
        &self,
        key: RequestHash,
        occasion: Occasion,
        payload: Payload,
        expires_at: Timestamp,
    ) -> Result<Option<MessageId>, Problem> {
        let message = Message {
            sender: Some(self.sender),
            content: Content::FreeForm,
            occasion,
            ..Message::ordinary(self.channel, Category::Service)
        };
        let draft = MessageDraft {
            id: MessageId::from_bytes(self.app.environment().time_sortable_id()),
            key: Some(key),
            request: NO_REQUEST,
            to: self.to.clone(),
            routes: vec![message],
            require_opt_in: RequireOptIn::Said(Requirement::OptIn),
            payload,
            expires_at,
            zone: None,
            held: None,
        };
        let workspace = self.workspace.id;
        match self.app.store().queue_message(workspace, draft).await? {
            Queueing::Queued(message) => {
                self.app.dispatch().wake(workspace, self.sender);
                Ok(Some(message.id))
            }
            Queueing::Retried(_) | Queueing::KeyReused => Ok(None),
        }
    }

    /// Whether a refusal still stands: a late one may have been lifted before it came in.
    async fn stands(&self, refused: Scope) -> Result<bool, Problem> {
        let (sender, category, topic) = match refused {
            Scope::All => (None, Category::Marketing, None),
            Scope::Sender(sender) => (Some(sender), Category::Marketing, None),
            Scope::Category(category) => (None, category, None),
            Scope::Topic(id) => {
                let topic = self.workspace.topics.get(&id);
                (None, topic.map_or(Category::Marketing, |topic| topic.category), Some(id))
            }
        };
        let message = Message { sender, topic, ..Message::ordinary(self.channel, category) };
        let recipient = match self.to {
            Address::Phone(phone) => Recipient::Phone(*phone),
            Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
                Recipient::Key(self.to.key(&self.workspace.secret))
            }
        };
        let question = StoreQuestion { message, requirement: Requirement::OptIn, zone: None };
        let workspace = self.workspace.id;
        let screened = self.app.store().screen(workspace, &question, &[recipient]).await?;
        let is_refused = |reasons: &Reasons| reasons.iter().any(|it| it == Reason::OptedOut);
        Ok(screened.first().is_some_and(is_refused))
    }

    /// Whether a reply of this kind was queued in the last 24 hours. Its key holds the day, so that two
    /// that come at once are one.
    async fn has_said_today(&self, kind: &str) -> Result<bool, Problem> {
        let day_before = self.received.minus(limits::QUESTION_INTERVAL);
        let key = self.key(kind, day_before);
        let workspace = self.workspace.id;
        let before = self.app.store().retried_message(workspace, &key, &NO_REQUEST).await?;
        Ok(match before {
            Some(Queueing::Queued(message) | Queueing::Retried(message)) => {
                message.times.queued_at > day_before
            }
            Some(Queueing::KeyReused) => true,
            None => false,
        })
    }

    fn key(&self, kind: &str, at: Timestamp) -> RequestHash {
        let key = self.to.key(&self.workspace.secret);
        let day: String = at.to_string().chars().take(10).collect();
        let text = format!("reply:{kind}:{}:{key}:{day}", self.sender);
        RequestHash::of_key(&text, &self.workspace.secret)
    }
}
