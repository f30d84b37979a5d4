//! Double opt-in: the question that goes to an address, and what its answer records (rules 14 and 26).
//!
//! A question goes by the first channel that was agreed to and has a connected sender. *Where none has, it
//! goes to the simulated phone of that address*, so that a trial needs no account anywhere. What keeps a
//! question from going is told to nobody outside (rule 23): it is counted, and logged without its address.
//! The code and the link stand in the sealed message alone; no answer of the API and no log shows them.

use std::net::IpAddr;

use sayso_core::address::phone::Region;
use sayso_core::address::{Address, AddressKind};
use sayso_core::canonical::Writer;
use sayso_core::gate::decision::{RequireOptIn, Requirement};
use sayso_core::id::{DoubleOptInId, EventId, FormId, MessageId, SenderId};
use sayso_core::limits;
use sayso_core::policy::Way;
use sayso_core::proof::double_opt_in::{AnswerBy, Code, Counters, DoubleOptInToken};
use sayso_core::state::status::{Status, consent};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Content, Message, Occasion, Permission};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Source};
use sayso_core::words::statement::Statement;
use sayso_core::workspace::{Mode, QuestionTemplate, Workspace};
use sayso_pages::double_opt_in::Answered;
use sayso_pages::form::FormLook;
use sayso_plan::draft::{Draft, Drafter, Subject};
use sayso_plan::evidence;
use sayso_store::double_opt_in::{AskingEnd, DoubleOptInDraft, StoredDoubleOptIn, Waiting};
use sayso_store::message::{MessageDraft, Payload};
use sayso_store::store::{Question, Recipient, Recorded, StoreError};

use crate::app::App;
use crate::app::sandbox::Arrived;
use crate::observe::DoubleOptInEnd;
use crate::problem::Problem;
use crate::rate::Network;
use sayso_plan::judging::message_for;
use sayso_plan::ticked;

/// The request of messages that no client requested.
const NO_REQUEST: RequestHash = RequestHash([0; 32]);

/// A question that is to be put to an address.
#[derive(Clone, Debug)]
pub(crate) struct Asks<'a> {
    /// The workspace.
    pub(crate) workspace: &'a Workspace,
    /// Whom.
    pub(crate) address: &'a Address,
    /// The channels that were agreed to, in order; not empty.
    pub(crate) channels: Vec<Channel>,
    /// The sender that should ask, if it can.
    pub(crate) sender: Option<SenderId>,
    /// How it is answered.
    pub(crate) by: AnswerBy,
    /// Who asks, in which language.
    pub(crate) look: FormLook<'a>,
    /// The template for WhatsApp.
    pub(crate) template: Option<&'a QuestionTemplate>,
    /// The network that the sign-up came from; none from a server of the business.
    pub(crate) network: Option<Network>,
    /// The workspace's own countries.
    pub(crate) home: Vec<Region>,
    /// What is pending.
    pub(crate) pending: Vec<(EventId, Permission)>,
    /// Since when.
    pub(crate) pending_at: Timestamp,
    /// What proves it.
    pub(crate) evidence: Evidence,
    /// Where it came from.
    pub(crate) source: Source,
    /// The form that it came by.
    pub(crate) form: Option<FormId>,
}

/// A question that was put, or need not be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Put {
    /// The double opt-in.
    pub(crate) id: DoubleOptInId,
    /// The channel that a question goes by.
    pub(crate) channel: Channel,
    /// How it is answered.
    pub(crate) by: AnswerBy,
    /// Whether it went.
    pub(crate) end: DoubleOptInEnd,
}

/// How a question goes.
#[derive(Clone, Copy, Debug)]
struct Going {
    channel: Channel,
    /// Absent where a simulated phone takes it.
    sender: Option<SenderId>,
}

impl Asks<'_> {
    /// Puts the question, unless the address was asked lately or a limit stops it.
    pub(crate) async fn put(self, app: &App) -> Result<Put, StoreError> {
        let going = self.going();
        let by = self.by;
        let workspace = self.workspace.id;
        let secret = &self.workspace.secret;
        let id = DoubleOptInId::from_bytes(app.environment().time_sortable_id());
        let put = Put { id, channel: going.channel, by, end: DoubleOptInEnd::NoUrl };
        let code = Code::from_random(app.environment().random());
        let Some(payload) = self.payload(app, (id, code), going.channel) else {
            // The page is the same; there is nobody to tell but the operator.
            tracing::error!("a double opt-in link cannot be sent: set server.public_url");
            app.metrics().count_double_opt_in(put.end);
            return Ok(put);
        };
        let address = self.address.key(secret);
        let network = self.network.map(Network::bytes);
        let known = (app.phones(), secret);
        let draft = DoubleOptInDraft {
            id,
            request: self.request(),
            counters: Counters::of(self.address, network.as_deref(), &self.home, known),
            code: (by == AnswerBy::Code).then(|| code.hash(address, secret)),
            message: going
                .sender
                .map(|sender| self.message(app, (going.channel, sender), &payload)),
            waiting: Waiting {
                address,
                by,
                channel: going.channel,
                pending: self.pending.clone(),
                pending_at: self.pending_at,
                evidence: self.evidence.clone(),
                source: self.source.clone(),
                form: self.form,
            },
        };
        // Before the address counts as asked: what cannot be read is tried again.
        let arrives = match going.sender {
            Some(_) => false,
            None => self.may_be_simulated(app, going.channel).await?,
        };
        let asking = app.store().ask_double_opt_in(workspace, draft).await?;
        let end = match (asking.end, going.sender) {
            (AskingEnd::Asked, Some(sender)) => {
                app.dispatch().wake(workspace, sender);
                DoubleOptInEnd::Asked
            }
            (AskingEnd::Asked, None) => {
                if arrives {
                    self.simulate(app, going.channel, payload);
                }
                DoubleOptInEnd::Simulated
            }
            (AskingEnd::Retried | AskingEnd::TooSoon, _) => DoubleOptInEnd::TooSoon,
            (AskingEnd::Limited(by), _) => {
                tracing::warn!(workspace.id = %workspace, limit = by.as_str(), "a double opt-in question does not go: as many went today as may");
                DoubleOptInEnd::Limited
            }
        };
        app.metrics().count_double_opt_in(end);
        Ok(Put { id: asking.id, end, ..put })
    }

    /// The first channel with a connected sender; those whose words may go come first.
    fn going(&self) -> Going {
        let speaks = |channel: &Channel| *channel != Channel::WhatsApp || self.template.is_some();
        let (mut channels, mute): (Vec<Channel>, Vec<Channel>) =
            self.channels.iter().copied().partition(speaks);
        channels.extend(mute);
        let of_form = |channel| {
            let mut connected = self.workspace.connected_senders(channel);
            connected.find(|sender| Some(*sender) == self.sender)
        };
        let first = |channel| self.workspace.connected_senders(channel).next();
        let connected = channels.iter().find_map(|channel| {
            let sender = of_form(*channel).or_else(|| first(*channel))?;
            Some(Going { channel: *channel, sender: Some(sender) })
        });
        let channel = channels.first().copied().unwrap_or(Channel::Sms);
        connected.unwrap_or(Going { channel, sender: None })
    }

    /// What the question says; nothing where there is no link.
    fn payload(
        &self,
        app: &App,
        (id, code): (DoubleOptInId, Code),
        channel: Channel,
    ) -> Option<Payload> {
        let (variable, text) = match self.by {
            AnswerBy::Code => (code.to_string(), self.look.code_message(&code.to_string())),
            AnswerBy::Link => {
                let url = format!("{}/c/{}", app.public_url()?, token(self.workspace, id));
                let text = format!("{} {url}", self.look.link_message());
                (url, text)
            }
        };
        Some(match self.template.filter(|_| channel == Channel::WhatsApp) {
            Some(template) => Payload::Template {
                name: template.name.clone(),
                language: template.language.clone(),
                variables: vec![variable.into()],
            },
            None if self.address.kind() == AddressKind::Email => {
                Payload::Email { subject: self.look.message_subject().into(), text: text.into() }
            }
            None => Payload::Text(text.into()),
        })
    }

    fn message(
        &self,
        app: &App,
        (channel, sender): (Channel, SenderId),
        payload: &Payload,
    ) -> MessageDraft {
        let content = match payload {
            Payload::Template { .. } => Content::Template,
            Payload::Text(_) | Payload::Email { .. } | Payload::Question { .. } => {
                Content::FreeForm
            }
        };
        MessageDraft {
            id: MessageId::from_bytes(app.environment().time_sortable_id()),
            key: None,
            request: NO_REQUEST,
            to: self.address.clone(),
            routes: vec![Message { content, ..question(channel, Some(sender)) }],
            require_opt_in: RequireOptIn::Said(Requirement::OptIn),
            payload: payload.clone(),
            expires_at: app.now().plus(limits::DOUBLE_OPT_IN_MESSAGE_HOLDS),
            zone: None,
            held: None,
        }
    }

    /// Whether the gate lets the question reach a simulated phone.
    async fn may_be_simulated(&self, app: &App, channel: Channel) -> Result<bool, StoreError> {
        let recipient = match self.address {
            Address::Phone(phone) => Recipient::Phone(*phone),
            Address::Email(_) | Address::ExternalId(_) | Address::ChannelId(_) => {
                Recipient::Key(self.address.key(&self.workspace.secret))
            }
        };
        // A simulated phone takes any template.
        let message = Message { content: Content::Template, ..question(channel, None) };
        let asked = Question { message, requirement: Requirement::OptIn, zone: None };
        let answers = app.store().screen(self.workspace.id, &asked, &[recipient]).await?;
        Ok(answers.first().is_some_and(|reasons| reasons.is_empty()))
    }

    /// Puts the question to a simulated phone.
    fn simulate(&self, app: &App, channel: Channel, payload: Payload) {
        let workspace = self.workspace.id;
        if self.workspace.mode == Mode::Live {
            tracing::warn!(workspace.id = %workspace, channel = channel.as_str(), "a double opt-in question goes to a simulated phone: no sender of the channel is connected");
        }
        let key = self.address.key(&self.workspace.secret);
        let id = MessageId::from_bytes(app.environment().time_sortable_id());
        let arrived = Arrived { id, channel, sender: None, payload, at: app.now() };
        app.sandbox().take((workspace, key), arrived);
    }

    /// What makes a question the same one: what is pending.
    fn request(&self) -> RequestHash {
        let mut fields = Writer::default();
        fields.text("double opt-in");
        fields.byte(self.by.code());
        for (event, _) in &self.pending {
            fields.raw(event.as_bytes());
        }
        RequestHash::of(&fields, &self.workspace.secret)
    }
}

/// The question as the gate sees it. The store asks an address once in three days at the most, so none of
/// the day before is to be named.
const fn question(channel: Channel, sender: Option<SenderId>) -> Message {
    let ordinary = Message::ordinary(channel, Category::Authentication);
    Message { sender, occasion: Occasion::OptInQuestion(None), ..ordinary }
}

/// The token of a double opt-in.
pub(crate) fn token(workspace: &Workspace, id: DoubleOptInId) -> String {
    let token = DoubleOptInToken { workspace: workspace.id, id };
    token.token(workspace.link_key(), &workspace.secret)
}

/// A right answer, as it is recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Confirmation<'a> {
    /// The workspace.
    pub(crate) workspace: &'a Workspace,
    /// What is confirmed.
    pub(crate) stored: &'a StoredDoubleOptIn,
    /// When it was first answered.
    pub(crate) at: Timestamp,
    /// Where the answer came from, if that is known.
    pub(crate) ip: Option<IpAddr>,
    /// What the browser says it is.
    pub(crate) user_agent: Option<&'a EvidenceText>,
}

impl Confirmation<'_> {
    /// Records what is confirmed, all or nothing, and says what it came to. The same answer is the same
    /// events, so an old link lifts no later refusal.
    pub(crate) async fn record(self, app: &App) -> Result<(Answered, Vec<Recorded>), Problem> {
        let workspace = self.workspace.id;
        let waiting = &self.stored.waiting;
        let address = app.store().find_address(workspace, waiting.address).await?;
        let subject = address.map_or(Subject::Key(waiting.address), Subject::Address);
        let pending = (0_u32..).zip(&waiting.pending);
        let living = pending.filter(|(_, (_, permission))| is_living(self.workspace, *permission));
        let mut drafts: Vec<Draft> = living
            .map(|(part, (event, permission))| self.draft(&subject, part, (*event, *permission)))
            .collect();
        // The permission to process belongs to what it came with.
        if !drafts
            .iter()
            .any(|draft| matches!(draft.fact, Fact::Consent(Permission::Messages(..), _)))
        {
            return Ok((Answered::Over, Vec::new()));
        }
        for draft in &mut drafts {
            let way = self.way(draft);
            ticked::judge(self.workspace, way, app.now(), std::slice::from_mut(draft));
        }
        app.rates().take_events(workspace, drafts.len())?;
        let permissions: Vec<Fact> = drafts.iter().map(|draft| draft.fact).collect();
        let recorded = app.store().record(workspace, drafts).await?;
        recorded.iter().for_each(|event| app.metrics().count_consent(event.outcome));
        app.metrics().count_double_opt_in(DoubleOptInEnd::Confirmed);
        let statuses = permissions.iter().zip(&recorded);
        let statuses = statuses.filter_map(|(fact, event)| self.status(*fact, event, app));
        let answered = statuses.map(answered_by).min().unwrap_or(Answered::NotAnyMore);
        Ok((answered, recorded))
    }

    fn draft(
        &self,
        subject: &Subject,
        part: u32,
        (event, permission): (EventId, Permission),
    ) -> Draft {
        let mut fields = Writer::default();
        fields.text("double opt-in answer");
        fields.raw(self.stored.id.as_bytes());
        let request = RequestHash::of(&fields, &self.workspace.secret);
        let identity = RequestIdentity::Dated(request);
        let source = self.stored.waiting.source.clone();
        Drafter::new((self.workspace.id, identity), source, Actor::Subject, self.at)
            .with_evidence(self.evidence(event))
            .draft(subject.clone(), Fact::Consent(permission, Statement::Confirmed), part)
    }

    /// What the words were, and how the address answered; what was pending has the evidence of the page.
    fn evidence(&self, pending: EventId) -> Evidence {
        let text = |text: &str| EvidenceText::parse(text).ok();
        let shown = &self.stored.waiting.evidence;
        let mut fields = shown.fields.clone();
        fields.extend(evidence::fields([
            (evidence::DOUBLE_OPT_IN, self.stored.id.to_string()),
            (evidence::PENDING_EVENT, pending.to_string()),
        ]));
        Evidence {
            method: text(match self.stored.waiting.by {
                AnswerBy::Link => "double opt-in by link",
                AnswerBy::Code => "double opt-in by code",
            }),
            notice: shown.notice.clone(),
            page: shown.page.clone(),
            ip: self.ip.and_then(|ip| text(&ip.to_string())),
            user_agent: self.user_agent.cloned(),
            fields,
        }
    }

    /// How what is confirmed was collected.
    fn way(&self, draft: &Draft) -> Way {
        let waiting = &self.stored.waiting;
        let method = waiting.evidence.method.as_ref().map_or("", EvidenceText::as_str);
        let agreed_to = match draft.fact.consent() {
            Some((Permission::Messages(channel, _), _)) => channel,
            Some((Permission::Processing, _)) | None => waiting.channel,
        };
        Way::of_road(waiting.source.road, method, agreed_to)
    }

    /// How it stands after the answer.
    fn status(&self, fact: Fact, recorded: &Recorded, app: &App) -> Option<Status> {
        let Fact::Consent(permission @ Permission::Messages(..), _) = fact else { return None };
        let message = message_for(permission, self.workspace);
        Some(consent(&recorded.registers, &message, app.now())?.status)
    }
}

/// What an answer came to by which a permission has this status.
const fn answered_by(status: Status) -> Answered {
    match status {
        Status::OptedIn => Answered::Confirmed,
        Status::Pending => Answered::NotEnough,
        Status::Never | Status::OptedOut | Status::UnderReview | Status::Expired => {
            Answered::NotAnyMore
        }
    }
}

/// Whether what a permission is about can still be agreed to.
pub(crate) fn is_living(workspace: &Workspace, permission: Permission) -> bool {
    match permission {
        Permission::Messages(_, scope) => workspace.is_living(scope),
        Permission::Processing => true,
    }
}
