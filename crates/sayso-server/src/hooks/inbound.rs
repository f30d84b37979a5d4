//! What people write, and what follows from it (rules 18, 19 and 21).
//!
//! Everything that a call tells is recorded before this returns, so the provider's 2xx comes after the
//! refusal is durable and obeyed. A reply is queued afterwards and is not waited for.

use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_channels::inbound::{Choice, KeywordKind, Prefers, ProviderEvent, Written, Wrote};
use sayso_core::address::Address;
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::capture::{settle_time, start};
use sayso_core::channel::{
    Category, Channel, Content, Message, Occasion, Permission, Provider, Scope,
};
use sayso_core::decision::{Reason, Reasons, Requirement};
use sayso_core::event::{Fact, Switched};
use sayso_core::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::id::{ConnectionId, MessageId, SenderId};
use sayso_core::limits;
use sayso_core::source::{Actor, Evidence, EvidenceText, Road, Source, SourceName};
use sayso_core::statement::Statement;
use sayso_core::suppression::{Cover, Suppression};
use sayso_core::time::{ClaimedTime, Timestamp};
use sayso_core::wording::{
    Because, Code, Codes, Conversation, Heard, Names, Question, Reading, read,
};
use sayso_store::configuration::Configuration;
use sayso_store::message::{MessageDraft, Payload, Queueing};
use sayso_store::store::{
    Dating, Draft, Moment, Outcome, Question as StoreQuestion, Recipient, Subject,
};

use super::reported;
use crate::api::rejects::Rejecting;
use crate::app::App;
use crate::problem::{Code as ProblemCode, Problem};

/// How the words of a person were understood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Understood {
    /// How they were read; absent where there were none.
    pub(crate) heard: Option<Heard>,
    /// The reply that was queued.
    pub(crate) reply: Option<MessageId>,
}

/// Takes in what a connection's provider told: people first, in order, and whatever fails holds up
/// nobody else in the call. The first failure is the answer, so that the provider tells it again.
pub(crate) async fn take(
    app: &App,
    configuration: &Arc<Configuration>,
    connection: ConnectionId,
    events: Vec<ProviderEvent>,
) -> Result<(), Problem> {
    let listening = Listening { app, configuration, connection, received: app.now() };
    let mut unknown = Rejecting::of_connection(app, configuration, connection);
    let (mut reports, mut first) = (Vec::new(), Ok(()));
    for event in events {
        match event {
            ProviderEvent::Wrote(wrote) => {
                first = first.and(listening.hear(&wrote).await.map(|_| ()));
            }
            ProviderEvent::Prefers(prefers) => first = first.and(listening.obey(&prefers).await),
            ProviderEvent::Reported(report) => reports.push(report),
            ProviderEvent::SenderHealth(_)
            | ProviderEvent::TemplateChanged(_)
            | ProviderEvent::NumberChanged(_) => {}
            ProviderEvent::Unknown { kind, raw } => {
                app.metrics().count_unknown_event();
                let detail = format!("an event of the kind {kind}");
                unknown.add(
                    &Problem::new(ProblemCode::HookEventUnknown).detail(detail),
                    None,
                    &raw,
                );
            }
        }
    }
    unknown.keep();
    for report in reports {
        first = first.and(reported::take(app, configuration, connection, &report).await);
    }
    first
}

/// Takes in what one person wrote, and says how it was understood.
pub(crate) async fn take_words(
    app: &App,
    configuration: &Arc<Configuration>,
    connection: ConnectionId,
    wrote: &Wrote,
) -> Result<Understood, Problem> {
    Listening { app, configuration, connection, received: app.now() }.hear(wrote).await
}

/// One call that is taken in.
struct Listening<'a> {
    app: &'a App,
    configuration: &'a Arc<Configuration>,
    connection: ConnectionId,
    received: Timestamp,
}

/// What something in a call is recorded as.
struct Saying<'a> {
    source: Source,
    actor: Actor,
    identity: RequestIdentity,
    request: RequestHash,
    occurred_at: Option<ClaimedTime>,
    evidence: Evidence,
    addresses: &'a [Address],
}

impl Listening<'_> {
    /// A person wrote: they are active, and their words are obeyed.
    async fn hear(&self, wrote: &Wrote) -> Result<Understood, Problem> {
        let sender = self.sender(wrote.channel, wrote.sender.as_deref());
        let addresses: Vec<Address> = wrote.from.addresses().collect();
        let heard = wrote_text(wrote).map(|text| self.read(wrote.channel, text));
        let heard = match (wrote.handled_by_provider.map(taken_by_provider), heard) {
            // Of two readings the refusing one wins.
            (Some(_), Some(own)) if may_refuse(own.reading) => Some(own),
            (Some(theirs), _) => Some(theirs),
            (None, own) => own,
        };
        let saying = Saying { addresses: &addresses, ..self.saying_of(wrote, heard)? };
        let mut facts: Vec<Fact> = sender.map(Fact::Activity).into_iter().collect();
        for statement in self.statements(wrote.channel, heard, &addresses).await? {
            facts.push(Fact::Consent(statement.0, statement.1));
        }
        facts.extend(self.unblocked(wrote, heard, sender));
        let said_before = self.record(&saying, &facts).await?;
        let is_answered = wrote.handled_by_provider.is_some() || said_before;
        let refused_at = wrote.occurred_at.map_or(self.received, |at| at.last().min(self.received));
        let reply = match (heard, sender, addresses.first()) {
            (Some(heard), Some(sender), Some(to)) if !is_answered => {
                let said = (heard.reading, refused_at);
                let reply = self.reply(said, (wrote.channel, sender), to).await;
                // What was said is recorded; that nothing is answered is no reason to hear it again.
                reply.unwrap_or_else(|problem| {
                    let code = problem.code().as_str();
                    tracing::error!(problem.code = code, "a reply could not be queued");
                    None
                })
            }
            _ => None,
        };
        Ok(Understood { heard, reply })
    }

    /// The end of the provider's own block, where the provider ends it by itself at a start word.
    fn unblocked(
        &self,
        wrote: &Wrote,
        heard: Option<Heard>,
        sender: Option<SenderId>,
    ) -> Option<Fact> {
        let connection = self.configuration.connections.get(&self.connection)?;
        let is_start = heard.is_some_and(|heard| heard.reading == Reading::Start);
        let unblocks = connection.provider == Provider::Twilio
            || wrote.handled_by_provider == Some(KeywordKind::Start);
        let cover = Cover { channel: Some(wrote.channel), sender: Some(sender?), category: None };
        let off = Fact::Suppression(Suppression::Provider, cover, Switched::Off);
        (is_start && unblocks).then_some(off)
    }

    /// What words say, as statements about permissions.
    async fn statements(
        &self,
        channel: Channel,
        heard: Option<Heard>,
        addresses: &[Address],
    ) -> Result<Vec<(Permission, Statement)>, Problem> {
        let on = |scope| Permission::Messages(channel, scope);
        let Some(heard) = heard else { return Ok(Vec::new()) };
        Ok(match heard.reading {
            Reading::Stop { topic: None } | Reading::No => {
                vec![(on(Scope::All), Statement::OptOut)]
            }
            Reading::Stop { topic: Some(topic) } => {
                vec![(on(Scope::Topic(topic)), Statement::OptOut)]
            }
            Reading::Unclear => vec![(on(Scope::All), Statement::Hold)],
            Reading::Start => {
                let Some(address) = addresses.first() else { return Ok(Vec::new()) };
                let subject = Subject::Address(address.clone());
                let workspace = self.configuration.workspace;
                let registers =
                    self.app.store().registers(workspace, &subject, Moment::Now).await?;
                let says = start(&registers, channel).iter();
                says.map(|statement| (on(Scope::All), *statement)).collect()
            }
            Reading::Help | Reading::Yes | Reading::Nothing => Vec::new(),
        })
    }

    /// A person used a switch of the platform, which says so.
    async fn obey(&self, prefers: &Prefers) -> Result<(), Problem> {
        let addresses: Vec<Address> = prefers.who.addresses().collect();
        let sender = self.sender(prefers.channel, prefers.sender.as_deref());
        let all = Permission::Messages(prefers.channel, Scope::All);
        let cover = Cover { channel: Some(prefers.channel), sender, category: prefers.category };
        let block = |switched| Fact::Suppression(Suppression::Provider, cover, switched);
        let fact = match &prefers.choice {
            Choice::Stop => block(Switched::On),
            Choice::Resume => block(Switched::Off),
            Choice::OptOut => Fact::Consent(all, Statement::OptOut),
            // What a provider registered is what it believes: our notice was not shown there.
            Choice::OptIn | Choice::SignUp { .. } => Fact::Consent(all, Statement::Yes),
        };
        let mut fields = self.fields("provider's switch");
        addresses.iter().for_each(|address| address.write(&mut fields));
        fields.text(&format!("{fact:?}"));
        let request = self.dated(fields, prefers.occurred_at);
        let saying = Saying {
            source: self.source(Road::Provider)?,
            actor: Actor::Provider,
            identity: self.identity(request, None, prefers.occurred_at),
            request,
            occurred_at: prefers.occurred_at,
            evidence: evidence("provider", &[]),
            addresses: &addresses,
        };
        self.record(&saying, &[fact]).await.map(|_| ())
    }

    /// Records facts about every address of a person, in one transaction; says whether all of it was
    /// known.
    async fn record(&self, saying: &Saying<'_>, facts: &[Fact]) -> Result<bool, Problem> {
        let workspace = self.configuration.workspace;
        let mut drafts = Vec::with_capacity(facts.len() * saying.addresses.len());
        for address in saying.addresses {
            for fact in facts {
                // What is dated in the future is no yes (rule 2).
                let Some(occurred_at) = self.settled(*fact, saying.occurred_at) else { continue };
                let part = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
                drafts.push(Draft {
                    subject: Subject::Address(address.clone()),
                    id: event_id(workspace, saying.identity, part),
                    request: saying.request,
                    fact: *fact,
                    source: saying.source.clone(),
                    actor: saying.actor,
                    occurred_at,
                    dating: Dating::Dated,
                    import: None,
                    basis: None,
                    evidence: saying.evidence.clone(),
                    attributes: BTreeMap::new(),
                });
            }
        }
        if drafts.is_empty() {
            return Ok(true);
        }
        let recorded = self.app.store().record(workspace, drafts).await?;
        Ok(recorded.iter().all(|recorded| recorded.outcome == Outcome::Retried))
    }

    /// When something happened (rule 2): nothing is later than our receipt.
    fn settled(&self, fact: Fact, claimed: Option<ClaimedTime>) -> Option<Timestamp> {
        Some(match fact {
            Fact::Consent(_, statement) => settle_time(statement, claimed, self.received).ok()?,
            Fact::Suppression(_, _, Switched::On) => {
                claimed.map_or(self.received, |at| at.last().min(self.received))
            }
            Fact::Suppression(_, _, Switched::Off)
            | Fact::Activity(_)
            | Fact::Retraction(_)
            | Fact::Link(_)
            | Fact::Attributes(_)
            | Fact::Erasure => claimed.map_or(self.received, |at| at.first().min(self.received)),
        })
    }

    fn sender(&self, channel: Channel, named: Option<&str>) -> Option<SenderId> {
        sender_named(self.configuration, (self.connection, channel), named)
    }

    /// Reads words against what the workspace calls itself and its topics.
    fn read(&self, channel: Channel, text: &str) -> Heard {
        let senders = self.configuration.senders.values();
        let living = senders.filter(|sender| sender.deleted_at.is_none());
        let names = living.map(|sender| sender.name.as_ref());
        let names = Names::of([self.configuration.name.as_ref()].into_iter().chain(names));
        let living =
            self.configuration.topics.iter().filter(|(_, topic)| topic.deleted_at.is_none());
        let codes: Vec<(Code, _)> =
            living.filter_map(|(id, topic)| Some((Code::parse(&topic.name).ok()?, *id))).collect();
        let codes = Codes::of(codes.iter().map(|(code, id)| (code, *id)));
        let conversation =
            Conversation { channel, names: &names, codes: &codes, question: Question::None };
        read(text, &conversation)
    }

    fn saying_of(&self, wrote: &Wrote, heard: Option<Heard>) -> Result<Saying<'static>, Problem> {
        let mut fields = self.fields("inbound");
        fields.option(wrote.message_id.as_deref(), Writer::text);
        wrote.from.addresses().for_each(|address| address.write(&mut fields));
        fields.option(wrote.sender.as_deref(), Writer::text);
        fields.text(wrote.channel.as_str());
        fields.option(wrote_text(wrote), Writer::text);
        fields.option(wrote.handled_by_provider, |fields, kind| fields.text(&format!("{kind:?}")));
        let request = self.dated(fields, wrote.occurred_at);
        let told = [
            ("text", wrote_text(wrote).unwrap_or_default()),
            ("message_id", wrote.message_id.as_deref().unwrap_or_default()),
            ("reading", heard.map_or("", |heard| heard.reading.as_str())),
            ("because", heard.map_or("", |heard| heard.because.as_str())),
        ];
        Ok(Saying {
            source: self.source(Road::Inbound)?,
            actor: Actor::Subject,
            identity: self.identity(request, wrote.message_id.as_deref(), wrote.occurred_at),
            request,
            occurred_at: wrote.occurred_at,
            evidence: evidence("message", &told),
            addresses: &[],
        })
    }

    fn fields(&self, what: &str) -> Writer {
        let mut fields = Writer::default();
        fields.text(what);
        fields.raw(self.connection.as_bytes());
        fields
    }

    fn dated(&self, mut fields: Writer, at: Option<ClaimedTime>) -> RequestHash {
        fields.option(at, |fields, at| {
            fields.instant(at.first());
            fields.instant(at.last());
        });
        RequestHash::of(&fields, &self.configuration.secret)
    }

    /// The same words with the provider's id or time are the same message. Without either they may have
    /// been said again: a refusal is not lost for looking like an older one.
    fn identity(
        &self,
        request: RequestHash,
        message_id: Option<&str>,
        at: Option<ClaimedTime>,
    ) -> RequestIdentity {
        if message_id.is_some() || at.is_some() {
            RequestIdentity::Dated(request)
        } else {
            RequestIdentity::Undated(request, self.received)
        }
    }

    fn source(&self, road: Road) -> Result<Source, Problem> {
        let name = SourceName::parse(&self.connection.to_string());
        let name = name.map_err(|_| Problem::new(ProblemCode::Internal))?;
        Ok(Source { road, name, spoke_of: None })
    }

    /// Queues the one confirmation of a refusal (rule 21), or the answer to a call for help.
    async fn reply(
        &self,
        (reading, refused_at): (Reading, Timestamp),
        (channel, sender): (Channel, SenderId),
        to: &Address,
    ) -> Result<Option<MessageId>, Problem> {
        let configuration = self.configuration;
        let Some(ours) = configuration.senders.get(&sender) else { return Ok(None) };
        let (occasion, text) = match reading {
            Reading::Stop { topic: None } | Reading::No => (
                Occasion::RefusalConfirmation(refused_at),
                format!(
                    "{}: you will get no more messages from us here. Reply START to change that.",
                    ours.name
                ),
            ),
            Reading::Stop { topic: Some(topic) } => {
                let topic = configuration.topics.get(&topic).map_or("this", |topic| &topic.name);
                (
                    Occasion::RefusalConfirmation(refused_at),
                    format!(
                        "{}: you will get no more messages about {topic}. Reply STOP to leave everything.",
                        ours.name
                    ),
                )
            }
            Reading::Help => (
                Occasion::HelpReply,
                format!("{}: reply STOP to get no more messages from us here.", ours.name),
            ),
            Reading::Start | Reading::Yes | Reading::Unclear | Reading::Nothing => return Ok(None),
        };
        let kind = if reading == Reading::Help { "help" } else { "confirmation" };
        let is_late = self.received > refused_at.plus(limits::CONFIRMATION_WINDOW);
        let stands = kind == "help" || self.stands(reading, channel, to).await?;
        if is_late || !stands || self.has_replied_today(kind, sender, to).await? {
            return Ok(None);
        }
        let message = Message {
            sender: Some(sender),
            content: Content::FreeForm,
            occasion,
            ..Message::ordinary(channel, Category::Service)
        };
        let draft = MessageDraft {
            id: MessageId::from_bytes(self.app.environment().time_sortable_id()),
            key: Some(self.reply_key(kind, sender, to, self.received)),
            request: RequestHash([0; 32]),
            to: to.clone(),
            routes: vec![message],
            requirement: Requirement::OptIn,
            payload: Payload::Text(text.into()),
            expires_at: refused_at.plus(limits::CONFIRMATION_WINDOW),
        };
        match self.app.store().queue_message(configuration.workspace, draft).await? {
            Queueing::Queued(message) => {
                self.app.dispatch().wake(configuration.workspace, sender);
                Ok(Some(message.id))
            }
            Queueing::Retried(_) | Queueing::KeyReused => Ok(None),
        }
    }

    /// Whether a refusal still stands: a late one may have been lifted before it came in.
    async fn stands(
        &self,
        reading: Reading,
        channel: Channel,
        to: &Address,
    ) -> Result<bool, Problem> {
        let topic = match reading {
            Reading::Stop { topic } => topic,
            Reading::Start
            | Reading::Help
            | Reading::Yes
            | Reading::No
            | Reading::Unclear
            | Reading::Nothing => None,
        };
        let category = topic.and_then(|topic| self.configuration.topics.get(&topic));
        let category = category.map_or(Category::Marketing, |topic| topic.category);
        let message = Message { topic, ..Message::ordinary(channel, category) };
        let recipient = match to {
            Address::Phone(phone) => Recipient::Phone(*phone),
            Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
                Recipient::Key(to.key(&self.configuration.secret))
            }
        };
        let question = StoreQuestion { message, requirement: Requirement::OptIn };
        let workspace = self.configuration.workspace;
        let screened = self.app.store().screen(workspace, &question, &[recipient]).await?;
        let is_refused = |reasons: &Reasons| reasons.iter().any(|it| it == Reason::OptedOut);
        Ok(screened.first().is_some_and(is_refused))
    }

    /// Whether a reply of this kind was queued in the last 24 hours. Its key holds the day, so that two
    /// that come at once are one.
    async fn has_replied_today(
        &self,
        kind: &str,
        sender: SenderId,
        to: &Address,
    ) -> Result<bool, Problem> {
        let day_before = self.received.minus(limits::QUESTION_INTERVAL);
        let key = self.reply_key(kind, sender, to, day_before);
        let nothing = RequestHash([0; 32]);
        let workspace = self.configuration.workspace;
        let before = self.app.store().retried_message(workspace, &key, &nothing).await?;
        Ok(match before {
            Some(Queueing::Queued(message) | Queueing::Retried(message)) => {
                message.times.queued_at > day_before
            }
            Some(Queueing::KeyReused) => true,
            None => false,
        })
    }

    fn reply_key(&self, kind: &str, sender: SenderId, to: &Address, at: Timestamp) -> RequestHash {
        let key = to.key(&self.configuration.secret);
        let day: String = at.to_string().chars().take(10).collect();
        let text = format!("reply:{kind}:{sender}:{key}:{day}");
        RequestHash::of_key(&text, &self.configuration.secret)
    }
}

/// The sender that a provider names: the living one of this connection with that address. Where it names
/// none, or what is no number (an app), it is the only one.
pub(crate) fn sender_named(
    configuration: &Configuration,
    (connection, channel): (ConnectionId, Channel),
    named: Option<&str>,
) -> Option<SenderId> {
    let plain =
        |text: &str| text.trim_start_matches("whatsapp:").trim_start_matches('+').to_owned();
    let living = || {
        configuration.senders.iter().filter(|(_, sender)| {
            let is_ours = sender.channel == channel && sender.connection == Some(connection);
            is_ours && sender.deleted_at.is_none()
        })
    };
    let named = named.map(plain);
    let of_name = named.as_ref().and_then(|named| {
        living().find(|(_, sender)| plain(&sender.address) == *named).map(|(id, _)| *id)
    });
    let is_number = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
    if of_name.is_some() || named.as_ref().is_some_and(is_number) {
        return of_name;
    }
    let mut all = living().map(|(id, _)| *id);
    all.next().filter(|_| all.next().is_none())
}

/// Whether a text refuses, or may.
const fn may_refuse(reading: Reading) -> bool {
    reading.is_refusal() || matches!(reading, Reading::Unclear)
}

/// The words of a message, wherever they stand.
fn wrote_text(wrote: &Wrote) -> Option<&str> {
    match &wrote.content {
        Written::Text(text) => Some(text),
        Written::Answer { payload, title } => Some(title.as_deref().unwrap_or(payload)),
        Written::Other { caption, .. } => caption.as_deref(),
        Written::Contact { .. } => None,
    }
}

/// What a provider took words for, and acted on.
const fn taken_by_provider(kind: KeywordKind) -> Heard {
    let reading = match kind {
        KeywordKind::Stop => Reading::Stop { topic: None },
        KeywordKind::Start => Reading::Start,
        KeywordKind::Help => Reading::Help,
    };
    Heard { reading, because: Because::WholeText }
}

/// Evidence of a message: what it said and how it was read.
fn evidence(method: &str, told: &[(&str, &str)]) -> Evidence {
    let fields = told.iter().filter_map(|(name, text)| {
        let plain: String =
            text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let end = plain.floor_char_boundary(limits::EVIDENCE_TEXT_BYTES_MAX);
        let text = EvidenceText::parse(plain.get(..end).unwrap_or_default()).ok()?;
        Some((EvidenceText::parse(name).ok()?, text))
    });
    Evidence {
        method: EvidenceText::parse(method).ok(),
        fields: fields.collect(),
        ..Evidence::default()
    }
}
