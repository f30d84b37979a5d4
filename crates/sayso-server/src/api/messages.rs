//! `/v1/messages`: the one gate in front of every send.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::address::{Address, AddressKeySecret, AddressKind};
use sayso_core::canonical::Writer;
use sayso_core::gate::decision::RequireOptIn;
use sayso_core::gate::message::MessageState;
use sayso_core::gate::pacing::Pacing;
use sayso_core::gate::reason::Reason;
use sayso_core::gate::zone::Zone;
use sayso_core::id::{MessageId, SenderId};
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message};
use sayso_core::words::event_id::RequestHash;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Subject;
use sayso_store::look_up::LookedUp;
use sayso_store::message::{MessageDraft, MessageTimes, Payload, Queueing, StoredMessage};
use sayso_store::store::{Moment, Question};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::check::{CheckAnswer, MessageFields, known_at, require_exemption};
use crate::api::page::InPath;
use crate::app::App;
use crate::body::address::{Care, Place, Reading, addressed_object};
use crate::body::texts::{
    CategoryText, ChannelText, MessageIdText, MessageStateText, OpaqueIdText, RegionText,
    SenderIdText, TimeText, TopicIdText, ZoneText,
};
use crate::body::{Faults, IdempotencyKey, OneOrMore, Sent, json_object};
use crate::caller::{Caller, Read, Send};
use crate::looking::LookingUp;
use crate::problem::{Code, Problem, ProblemBody};
use crate::views::address::ShownAddress;
use crate::views::words::ReasonWord;

mod admission;
mod as_template;
mod links;
pub(crate) mod list;
mod subject;

addressed_object! {
    /// A message to one person. `to`, or exactly one of `phone`, `email`, `external_id` and
    /// `channel_id`, names the person.
    #[derive(ToSchema)]
    MessageRequest {
        /// The address as the channel needs it: a telephone number, on the channel email an email address.
        #[schema(example = "+14155550123")]
        to: String,
        /// Where a national phone number belongs; without it the workspace's region.
        region: RegionText,
        /// The channel, or several that are tried in this order until one allows the message. All of them reach one kind of address. Required.
        #[schema(value_type = Vec<String>, example = json!(["whatsapp", "sms"]))]
        channel: OneOrMore<ChannelText>,
        /// Who sends it, one for each channel that has several living senders.
        #[schema(value_type = Vec<String>, example = json!(["snd_01jd6m9k3te5b8r5v3x5y6z7w8"]))]
        sender: OneOrMore<SenderIdText>,
        /// What it is about.
        topic: TopicIdText,
        /// What it is for; `marketing` if absent. A topic's own category wins.
        category: CategoryText,
        /// The words. This or `template` is required. `{unsubscribe_url}` and `{preferences_url}` become links of the person. Marketing says how to leave.
        #[schema(example = "A new book has come. Reply STOP to leave.")]
        text: String,
        /// The subject. Required on the channel email, and for it alone; at most 200 characters in one line.
        #[schema(example = "Your order is ready")]
        subject: String,
        /// A template that the provider knows. None on the channel email.
        template: TemplateRequest,
        /// Whether an opt-in is needed; see `check`.
        require_opt_in: bool,
        /// When the person asked for this authentication message.
        requested_at: TimeText,
        /// Where the person is, for quiet hours; what their profile or number tells if absent.
        time_zone: ZoneText,
        /// When the message is of no use any more; a day from now if absent, at most 30 days.
        expires_at: TimeText,
    }
}

json_object! {
    /// A template that the provider knows.
    #[derive(ToSchema)]
    TemplateRequest {
        /// Its name at the provider. Required.
        #[schema(example = "order_ready")]
        name: String,
        /// Its language in the provider's spelling.
        #[schema(example = "en_US")]
        language: String,
        /// What stands for its variables, in order; at most 32. They may hold links as `text` may.
        variables: Vec<String>,
    }
}

/// A message as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageView {
    /// Its id.
    #[schema(example = "msg_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// Where it is on its way.
    #[schema(value_type = MessageStateText, example = "delivered")]
    state: &'static str,
    /// To whom; absent once the person is erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<ShownAddress>,
    /// The channel it goes by.
    #[schema(value_type = ChannelText)]
    channel: &'static str,
    /// Who sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// What it is for.
    #[schema(value_type = CategoryText)]
    category: &'static str,
    /// What its template is for, as the provider says; it must be allowed as that too. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<CategoryText>, example = "marketing")]
    template_category: Option<&'static str>,
    /// Why it failed, or why its end is unknown: a word of ours or the provider's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// The provider's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_id: Option<String>,
    /// When it was taken.
    queued_at: String,
    /// When it is of no use any more.
    expires_at: String,
    /// When the gate last decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<String>,
    /// When the hand-over to the provider began.
    #[serde(skip_serializing_if = "Option::is_none")]
    began_at: Option<String>,
    /// When the provider had taken it.
    #[serde(skip_serializing_if = "Option::is_none")]
    handed_over_at: Option<String>,
    /// When the provider sent it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<String>,
    /// When it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<String>,
    /// When the person saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<String>,
    /// When it was refused, failed, or became unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    /// Why the gate refused it, or, while it is queued, holds it back; the weightiest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<ReasonWord>)]
    reasons: Vec<&'static str>,
    /// Until when it is held back; absent where it is not, or not before it is of no use any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<String>,
    /// The decision with the events it rests on, as of when it was made; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<CheckAnswer>,
}

/// Sends a message, if the gate allows it.
///
/// The message is decided now, and again when its turn comes: a refusal that is recorded meanwhile is
/// obeyed. It is durable when this is answered. Where no channel allows it the answer is 409 with the
/// decision, and nothing is queued. Quiet hours and frequency caps refuse no message: it waits until
/// `retry_at`, unless it is of no use by then.
#[utoipa::path(
    post, path = "/v1/messages", tag = "Messages", operation_id = "send_message",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one message; 1 to 255 visible ASCII characters.")),
    request_body(content = MessageRequest, description = "The message and the person."),
    responses(
        (status = 202, description = "The message is queued.", body = MessageView),
        (status = 409, description = "The gate says no (`decision` says why), or the idempotency key was used for another request.", body = ProblemBody),
    ),
    security(("api_key" = ["send"])),
)]
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    caller: Caller<Send>,
    looking: LookingUp,
    IdempotencyKey(key): IdempotencyKey,
    sent: Sent<MessageRequest>,
) -> Result<(StatusCode, Json<MessageView>), Problem> {
    let now = app.now();
    let workspace = caller.workspace();
    let workspace_id = workspace.id;
    let settings = workspace.settings.at(now);
    let own_key = key.map(|key| format!("message:{}:{key}", caller.key_id()));
    let key = own_key.map(|key| RequestHash::of_key(&key, &workspace.secret));
    let request = sent.request.hash(&workspace.secret);
    // A retry is answered with what became of the first, whatever would be said to it by now.
    if let Some(key) = &key
        && let Some(before) = app.store().retried_message(workspace_id, key, &request).await?
    {
        return taken(&app, &caller, before);
    }
    app.vocabularies().ready(caller.workspace()).await;
    let composed = compose(sent, &app, &caller, &settings, now)?;
    let to = resolve(&app, workspace, composed.to).await?;
    let mut draft = MessageDraft {
        id: MessageId::from_bytes(app.environment().time_sortable_id()),
        request,
        key,
        to,
        routes: composed.routes,
        require_opt_in: composed.require_opt_in,
        payload: composed.payload,
        expires_at: composed.expires_at,
        zone: composed.zone,
        held: None,
    };
    if !admission::admit(&app, workspace, &mut draft).await? {
        let key = draft.to.key(&workspace.secret);
        looking.note(&app, &caller, vec![LookedUp::Address(key)]).await?;
        return Err(admission::refusal(&app, workspace, &draft).await?);
    }
    let queueing = app.store().queue_message(workspace_id, draft).await?;
    taken(&app, &caller, queueing)
}

/// The answer to a message that was taken, now or before.
fn taken(
    app: &App,
    caller: &Caller<Send>,
    queueing: Queueing,
) -> Result<(StatusCode, Json<MessageView>), Problem> {
    match queueing {
        Queueing::Queued(message) | Queueing::Retried(message) => {
            if let Some(sender) = route_of(&message).and_then(|route| route.sender) {
                app.dispatch().wake(caller.workspace().id, sender);
            }
            Ok((StatusCode::ACCEPTED, Json(MessageView::of(&message))))
        }
        Queueing::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
    }
}

/// Reads a message: its state, and the decision with the events it rests on.
#[utoipa::path(
    get, path = "/v1/messages/{id}", tag = "Messages", operation_id = "get_message",
    params(("id" = String, Path, description = "The id of the message.")),
    responses(
        (status = 200, description = "The message.", body = MessageView),
        (status = 404, description = "There is no such message.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    looking: LookingUp,
    id: InPath<MessageIdText>,
) -> Result<Json<MessageView>, Problem> {
    let InPath(MessageIdText(id)) = id;
    let message = app.store().message(caller.workspace().id, id).await?;
    let message = message.ok_or_else(|| Problem::new(Code::NotFound))?;
    looking.note(&app, &caller, whom(&caller, std::slice::from_ref(&message))).await?;
    let mut view = MessageView::of(&message);
    if let (Some((to, payload)), Some(route)) = (&message.personal, route_of(&message)) {
        let workspace = caller.workspace();
        let moment = message.times.decided_at.map_or(Moment::Now, Moment::AsOf);
        let known = known_at(moment, app.now());
        let template = workspace.template(route.sender, payload.template(), known);
        view.template_category = template.category.map(Category::as_str);
        let settings = workspace.settings.at(known.at);
        let requirement = message.require_opt_in.requirement(route.category, &settings);
        let own = Question { message: *route, requirement, zone: message.zone };
        let questions = as_template::questions(workspace, own, payload, known);
        // What quiet hours and caps said then is kept: where the person was, and what they had got by
        // then, nobody knows any more.
        let pacing = message.times.decided_at.map(|_| pacing_of(&message));
        let decision = as_template::decision(&app, workspace, (questions, to), moment, pacing);
        view.decision = Some(decision.await?);
    }
    Ok(Json(view))
}

/// What quiet hours and caps said to a message when it was last decided.
fn pacing_of(message: &StoredMessage) -> Pacing {
    let until = held_until(message).unwrap_or(Timestamp::DISTANT_FUTURE);
    let until = |reason: Reason| message.reasons.iter().any(|it| it == reason).then_some(until);
    Pacing { quiet_until: until(Reason::QuietHours), capped_until: until(Reason::FrequencyCap) }
}

/// Until when a message is held back, if it is of use then.
fn held_until(message: &StoredMessage) -> Option<Timestamp> {
    let MessageTimes { due_at, expires_at, .. } = message.times;
    let is_held = message.state == MessageState::Queued && !message.reasons.is_empty();
    (is_held && due_at < expires_at).then_some(due_at)
}

/// Whom messages are to, for the record of look-ups.
fn whom(caller: &Caller<Read>, messages: &[StoredMessage]) -> Vec<LookedUp> {
    let secret = &caller.workspace().secret;
    let people = messages.iter().filter_map(|message| message.personal.as_ref());
    people.map(|(to, _)| LookedUp::Address(to.key(secret))).collect()
}

/// A message as it was asked for.
struct Composed {
    to: To,
    routes: Vec<Message>,
    require_opt_in: RequireOptIn,
    payload: Payload,
    expires_at: Timestamp,
    zone: Option<Zone>,
}

/// Whom a message is to: an address, or somebody whose address of a kind is to be found.
enum To {
    Address(Address),
    Person(Address, AddressKind),
}

fn compose(
    sent: Sent<MessageRequest>,
    app: &App,
    caller: &Caller<Send>,
    settings: &Settings,
    now: Timestamp,
) -> Result<Composed, Problem> {
    let Sent { mut request, mut faults } = sent;
    let workspace = caller.workspace();
    let payload = payload(&mut request, &mut faults);
    let expires_at = expires_at(request.expires_at.as_ref(), now, &mut faults);
    let channels = channels(request.channel.take(), &mut faults);
    let subject = request.subject.take();
    let payload = match &channels {
        Some(channels) => subject::with_subject(payload, subject, channels, &mut faults),
        None => payload,
    };
    let kind =
        channels.as_ref().and_then(|channels| channels.first().copied()).map(AddressKind::on);
    let region = request.region.take().map(|RegionText(region)| region).or(settings.region);
    let reading = Reading { phones: app.phones(), region, care: Care::Valid, place: Place::Body };
    let to = kind.and_then(|kind| to(&mut request, kind, &reading, &mut faults));
    let questions = channels.as_ref().and_then(|channels| {
        questions(&mut request, channels, payload.as_ref(), (workspace, settings), &mut faults)
    });
    let says_nothing = request.require_opt_in.is_none();
    if let (Some(payload), Some(channels)) = (&payload, &channels) {
        links::check_links(payload, app.public_url(), channels, &mut faults);
        let routes = questions.iter().flatten().map(|question| &question.message);
        links::check_way_out(app, workspace, payload, routes, &mut faults);
    }
    let composed = to.zip(questions).zip(payload.zip(expires_at));
    let ((to, questions), (payload, expires_at)) = faults.settle(composed)?;
    let first = questions.first().ok_or_else(|| Problem::new(Code::Internal))?;
    require_exemption(first, settings, &caller.key().scopes)?;
    let require_opt_in =
        if says_nothing { RequireOptIn::AsSettings } else { RequireOptIn::Said(first.requirement) };
    let zone = first.zone;
    let routes = questions.iter().map(|question| question.message).collect();
    Ok(Composed { to, routes, require_opt_in, payload, expires_at, zone })
}

fn payload(request: &mut MessageRequest, faults: &mut Faults) -> Option<Payload> {
    match (request.text.take(), request.template.take()) {
        (Some(text), None) => {
            if text.trim().is_empty() {
                let fault = "is empty";
                faults.note_with_example("/text", Code::InvalidValue, fault, WORDS);
                return None;
            }
            Some(Payload::Text(text.into()))
        }
        (None, Some(template)) => {
            let name = faults.require("/template/name", template.name, "order_ready")?;
            let is_name = |text: &str| (1..=TEMPLATE_NAME_BYTES_MAX).contains(&text.trim().len());
            for (place, text) in [("name", Some(&name)), ("language", template.language.as_ref())] {
                if text.is_some_and(|text| !is_name(text)) {
                    let fault = format!("is not 1 to {TEMPLATE_NAME_BYTES_MAX} bytes");
                    let pointer = format!("/template/{place}");
                    faults.note_with_example(pointer, Code::InvalidValue, fault, "order_ready");
                }
            }
            let variables: Vec<Box<str>> =
                template.variables.into_iter().flatten().map(Box::from).collect();
            let size: usize = variables.iter().map(|variable| variable.len()).sum();
            if variables.len() > limits::MESSAGE_VARIABLES_MAX
                || size > limits::MESSAGE_TEXT_BYTES_MAX
            {
                let fault = format!(
                    "is more than {} variables or {} bytes",
                    limits::MESSAGE_VARIABLES_MAX,
                    limits::MESSAGE_TEXT_BYTES_MAX
                );
                faults.note("/template/variables", Code::InvalidValue, fault);
            }
            let language = template.language.map(Box::from);
            Some(Payload::Template { name: name.into(), language, variables })
        }
        (None, None) => {
            if !faults.is_wrong_at(&["/text", "/template"]) {
                let fault = "is missing, and so is template";
                faults.note_with_example("/text", Code::MissingField, fault, WORDS);
            }
            None
        }
        (Some(_), Some(_)) => {
            faults.note("/template", Code::InvalidValue, "stands beside text; send one of them");
            None
        }
    }
}

fn expires_at(asked: Option<&TimeText>, now: Timestamp, faults: &mut Faults) -> Option<Timestamp> {
    let Some(TimeText(at)) = asked else {
        return Some(now.plus(limits::MESSAGE_EXPIRY_DEFAULT));
    };
    let at = *at;
    if at <= now || at > now.plus(limits::MESSAGE_EXPIRY_MAX) {
        let example = now.plus(limits::MESSAGE_EXPIRY_DEFAULT).to_string();
        let fault = "is not within the next 30 days";
        faults.note_with_example("/expires_at", Code::InvalidValue, fault, example);
        return None;
    }
    Some(at)
}

/// The channels to try, all of which reach one kind of address.
fn channels(asked: Option<OneOrMore<ChannelText>>, faults: &mut Faults) -> Option<Vec<Channel>> {
    let OneOrMore(asked) = faults.require("/channel", asked, "sms")?;
    let channels: Vec<Channel> = asked.into_iter().map(|ChannelText(channel)| channel).collect();
    let first = channels.first().copied();
    let distinct: std::collections::BTreeSet<Channel> = channels.iter().copied().collect();
    let is_bounded = (1..=limits::MESSAGE_ROUTES_MAX).contains(&channels.len());
    if !is_bounded || distinct.len() != channels.len() {
        if faults.is_wrong_at(&["/channel"]) {
            return None;
        }
        let fault = format!("is not 1 to {} different channels", limits::MESSAGE_ROUTES_MAX);
        faults.note_with_example("/channel", Code::InvalidValue, fault, "sms");
        return None;
    }
    if channels.iter().any(|channel| Some(AddressKind::on(*channel)) != first.map(AddressKind::on))
    {
        let fault = "reach different kinds of address; send a message for each kind";
        faults.note("/channel", Code::InvalidValue, fault);
        return None;
    }
    Some(channels)
}

fn to(
    request: &mut MessageRequest,
    kind: AddressKind,
    reading: &Reading<'_>,
    faults: &mut Faults,
) -> Option<To> {
    let fields = request.take_address();
    if let Some(text) = request.to.take() {
        let names_another = fields.phone.is_some()
            || fields.email.is_some()
            || fields.external_id.is_some()
            || fields.channel_id.is_some()
            || fields.hash.is_some();
        if names_another {
            faults.note("/to", Code::OneAddress, "stands beside another address; send one of them");
        }
        return reading.of_kind(kind, &text, "/to", faults).map(To::Address);
    }
    match fields.settle(reading, faults)? {
        Subject::Address(address) if address.kind() == kind => Some(To::Address(address)),
        Subject::Address(person @ Address::ExternalId(_)) => Some(To::Person(person, kind)),
        Subject::Address(_) | Subject::Hash(_) | Subject::Key(_) => {
            let fault = format!("is needed: the channel reaches no other kind than {kind}");
            faults.note("/to", Code::InvalidValue, fault);
            None
        }
    }
}

/// The question of each channel.
fn questions(
    request: &mut MessageRequest,
    channels: &[Channel],
    payload: Option<&Payload>,
    (workspace, settings): (&Workspace, &Settings),
    faults: &mut Faults,
) -> Option<Vec<Question>> {
    let named: Vec<SenderId> = request.sender.take().map_or_else(Vec::new, |OneOrMore(senders)| {
        senders.into_iter().map(|SenderIdText(sender)| sender).collect()
    });
    let on = |sender: &SenderId, channel: Channel| {
        workspace.living_senders(channel).any(|living| living == *sender)
    };
    for sender in &named {
        if !channels.iter().any(|channel| on(sender, *channel)) {
            faults.note("/sender", Code::UnknownSender, "is no living sender of these channels");
        }
    }
    let mut questions = Vec::with_capacity(channels.len());
    for channel in channels {
        let sender = named.iter().copied().find(|sender| on(sender, *channel));
        let fields = MessageFields {
            channel: Some(ChannelText(*channel)),
            sender: sender.map(SenderIdText),
            topic: request.topic.clone(),
            category: request.category.clone(),
            require_opt_in: request.require_opt_in,
            requested_at: request.requested_at.clone(),
            template: payload.map(|payload| matches!(payload, Payload::Template { .. })),
            time_zone: request.time_zone.clone(),
        };
        let question = fields.settle(workspace, settings, faults)?;
        sends(&question.message, payload, workspace, faults);
        questions.push(question);
    }
    Some(questions)
}

/// Notes what keeps a message from going by its channel at all.
fn sends(message: &Message, payload: Option<&Payload>, workspace: &Workspace, faults: &mut Faults) {
    let sender = message.sender.and_then(|id| workspace.senders.get(&id));
    let connection = sender.and_then(|sender| sender.connection);
    let connection = connection.and_then(|id| workspace.connections.get(&id));
    if connection.is_none_or(|connection| connection.deleted_at.is_some())
        && !faults.is_wrong_at(&["/sender"])
    {
        let fault = format!("has no connection, so nothing goes by {}", message.channel);
        faults.note("/sender", Code::SenderUnconnected, fault);
    }
    let limit = message.channel.characters_max();
    if let Some(Payload::Text(text) | Payload::Email { text, .. }) = payload
        && text.chars().count() > limit
    {
        let fault = format!("is longer than the {limit} characters of {}", message.channel);
        faults.note("/text", Code::TextTooLong, fault);
    }
}

/// Words that would do.
const WORDS: &str = "A new book has come. Reply STOP to leave.";

/// The longest name of a template or its language, in bytes: Meta's is 512 characters.
pub(crate) const TEMPLATE_NAME_BYTES_MAX: usize = 512;

/// The address of a person, where they are named by the customer's id.
async fn resolve(app: &App, workspace: &Workspace, to: To) -> Result<Address, Problem> {
    let (person, kind) = match to {
        To::Address(address) => return Ok(address),
        To::Person(person, kind) => (person, kind),
    };
    let subject = Subject::Address(person);
    let profile = app.store().find_profile(workspace.id, &subject).await?;
    let addresses = profile.into_iter().flat_map(|profile| profile.addresses);
    let mut of_kind = addresses.filter(|address| address.kind() == kind);
    let fault = |fault: &str| {
        let mut faults = Faults::default();
        faults.note("/external_id", Code::InvalidValue, fault);
        faults.into_problem()
    };
    let first = of_kind.next().ok_or_else(|| fault("has no address that the channel reaches"))?;
    match of_kind.next() {
        None => Ok(first),
        Some(_) => Err(fault("has several addresses that the channel reaches; name one of them")),
    }
}

impl MessageRequest {
    /// The hash of what was sent, field by field, in an order that never changes.
    fn hash(&self, secret: &AddressKeySecret) -> RequestHash {
        let mut fields = Writer::default();
        fields.text("api message");
        let mut put = |text: Option<String>| fields.option(text.as_deref(), Writer::text);
        put(self.to.clone());
        put(self.phone.clone());
        put(self.email.clone());
        put(self.external_id.as_ref().map(|OpaqueIdText(id)| id.as_str().to_owned()));
        put(self.channel_id.as_ref().map(|OpaqueIdText(id)| id.as_str().to_owned()));
        put(self.region.as_ref().map(|RegionText(region)| region.to_string()));
        put(self.channel.as_ref().map(|OneOrMore(channels)| {
            channels
                .iter()
                .map(|ChannelText(channel)| channel.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        }));
        put(self.sender.as_ref().map(|OneOrMore(senders)| {
            senders.iter().map(|SenderIdText(id)| id.to_string()).collect::<Vec<_>>().join(" ")
        }));
        put(self.topic.as_ref().map(|TopicIdText(topic)| topic.to_string()));
        put(self.category.as_ref().map(|CategoryText(category)| category.to_string()));
        put(self.text.clone());
        let template = self.template.as_ref();
        put(template.and_then(|template| template.name.clone()));
        put(template.and_then(|template| template.language.clone()));
        let variables = template.and_then(|template| template.variables.as_ref());
        put(variables.map(|variables| variables.len().to_string()));
        variables.into_iter().flatten().for_each(|variable| put(Some(variable.clone())));
        put(self.require_opt_in.map(|required| required.to_string()));
        put(self.requested_at.as_ref().map(|TimeText(at)| at.to_string()));
        put(self.expires_at.as_ref().map(|TimeText(at)| at.to_string()));
        put(self.time_zone.as_ref().map(|ZoneText(zone)| zone.to_string()));
        put(self.subject.clone());
        RequestHash::of(&fields, secret)
    }
}

fn route_of(message: &StoredMessage) -> Option<&Message> {
    message.routes.get(usize::from(message.route))
}

impl MessageView {
    fn of(message: &StoredMessage) -> Self {
        let route = route_of(message);
        let times = &message.times;
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            id: message.id.to_string(),
            state: message.state.as_str(),
            to: message.personal.as_ref().map(|(to, _)| ShownAddress::of(to)),
            channel: route.map_or("", |route| route.channel.as_str()),
            sender: route.and_then(|route| route.sender).map(|sender| sender.to_string()),
            topic: route.and_then(|route| route.topic).map(|topic| topic.to_string()),
            category: route.map_or("", |route| route.category.as_str()),
            template_category: None,
            failure: message.failure.as_ref().map(ToString::to_string),
            provider_id: message.provider_id.as_ref().map(ToString::to_string),
            queued_at: times.queued_at.to_string(),
            expires_at: times.expires_at.to_string(),
            decided_at: text(times.decided_at),
            began_at: text(times.began_at),
            handed_over_at: text(times.handed_over_at),
            sent_at: text(times.sent_at),
            delivered_at: text(times.delivered_at),
            read_at: text(times.read_at),
            ended_at: text(times.ended_at),
            reasons: message.reasons.iter().map(Reason::as_str).collect(),
            retry_at: text(held_until(message)),
            decision: None,
        }
    }
}
