//! `/v1/senders`: the business side on each channel.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::gate::sender_health::Known;
use sayso_core::id::{ConnectionId, SenderId};
use sayso_core::limits;
use sayso_core::text::rule::Keyword;
use sayso_core::text::wording::{
    Codes, Conversation, Names, Offered, Question as Open, Reading, read,
};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Permission};
use sayso_core::workspace::{Change, OptInQuestion, Sender, Workspace};
use sayso_store::configure::Plan;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::consents::request::NoticeRequest;
use crate::api::making::{Making, reused};
use crate::api::notices::published;
use crate::api::page::{InPath, ListQuery, has_room, name, page};
use crate::api::revisions::{
    Edit, Edited, Given, IfMatch, IfMatchHeader, Patch, Put, Shown, Tag, Tagged, Way, revise,
};
use crate::app::App;
use crate::body::texts::{ChannelText, ConnectionIdText, SenderIdText};
use crate::body::{Asked, Faults, IdempotencyKey, Sent, json_object};
use crate::caller::{Caller, Configure, Read};
use crate::problem::{Code, Problem, ProblemBody};
use crate::views::event::NoticeView;

use health::{HealthView, SignalView};

pub(crate) mod health;
mod relay;

json_object! {
    /// A sender.
    #[derive(ToSchema)]
    SenderRequest {
        /// The channel; never changes. Required when the sender is made.
        channel: ChannelText,
        /// How you call it. Required.
        #[schema(example = "Shop on WhatsApp")]
        name: String,
        /// The number, short code or mail domain that people see; by a mail relay the email address that mail is from. Required.
        #[schema(example = "+14155550100")]
        address: String,
        /// The account its messages go by; without one it sends none.
        connection: ConnectionIdText,
        /// What it asks of a person who writes to it for the first time. Without it nothing is asked any more.
        question: QuestionRequest,
    }
}

json_object! {
    /// An opt-in question. A yes gives what the notice names.
    #[derive(ToSchema)]
    QuestionRequest {
        /// The words, which show the notice; at most 1,024 characters. Required.
        #[schema(example = "May we send you offers by WhatsApp, about two a month? Reply STOP at any time.")]
        text: String,
        /// The words of a yes, on a button where the channel has them; at most 20 characters, `Yes` if absent.
        #[schema(example = "Yes, please")]
        yes: String,
        /// The words of a no; `No` if absent.
        #[schema(example = "No, thanks")]
        no: String,
        /// What is answered to a yes; nothing if absent.
        #[schema(example = "Welcome! Reply STOP to leave.")]
        thanks: String,
        /// What the person agrees to. Required; it names the sender's channel.
        notice: NoticeRequest,
    }
}

/// An opt-in question.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Question)]
pub(crate) struct QuestionView {
    /// The words.
    text: String,
    /// The words of a yes.
    #[schema(example = "Yes, please")]
    yes: String,
    /// The words of a no.
    #[schema(example = "No, thanks")]
    no: String,
    /// What is answered to a yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    thanks: Option<String>,
    /// What the person agrees to.
    notice: NoticeView,
}

/// A sender.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SenderAnswer {
    /// Its id.
    #[schema(example = "snd_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// The channel.
    channel: &'static str,
    /// How you call it.
    name: String,
    /// What people see.
    address: String,
    /// The account its messages go by; absent where it sends none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "con_01jd6m9k3te5b8r5v3x5y6z7w8")]
    connection: Option<String>,
    /// What it asks of a person who writes to it for the first time; absent where it asks nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<QuestionView>,
    /// When it was deleted; absent while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
    /// How it stands: `green`, `yellow`, `red` or `blocked`.
    level: &'static str,
    /// Whether an operator paused it.
    paused: bool,
    /// How it stands, and why; where one sender is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<HealthView>,
    /// What moved it, the newest first; where one sender is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<SignalView>>,
}

/// A page of senders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SendersPage {
    /// The senders.
    senders: Vec<SenderAnswer>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Lists the senders, deleted ones included: consents may name them.
#[utoipa::path(
    get, path = "/v1/senders", tag = "Senders", operation_id = "list_senders",
    params(ListQuery),
    responses((status = 200, description = "A page of senders, the oldest first.", body = SendersPage)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    asked: Asked<ListQuery>,
) -> Result<Json<SendersPage>, Problem> {
    let (workspace, now) = (caller.workspace(), app.now());
    let view = |id: &SenderId, sender| SenderAnswer::of(*id, sender, workspace, now);
    let (senders, next) = page(&workspace.senders, asked, view)?;
    Ok(Json(SendersPage { senders, next }))
}

/// Makes a sender.
#[utoipa::path(
    post, path = "/v1/senders", tag = "Senders", operation_id = "create_sender",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one sender; 1 to 255 visible ASCII characters.")),
    request_body(content = SenderRequest, description = "The sender."),
    responses(
        (status = 201, description = "The sender.", body = SenderAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 409, description = "The workspace has as many senders as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    given: Given,
) -> Result<Tagged<SenderAnswer>, Problem> {
    let limit = ("SENDERS_PER_WORKSPACE_MAX", limits::SENDERS_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "sender");
    let plan = |known: &Workspace| {
        let sender = made(given.read()?, known)?;
        match making.find(&known.senders, SenderId::as_bytes) {
            Some((id, made)) if *made != sender => return Err(reused(&id)),
            Some((id, _)) => return Ok(Plan::Stands(id)),
            None => has_room(known.senders.len(), limit)?,
        }
        let id = SenderId::from_bytes(making.id());
        Ok(Plan::Changes(Change::Sender(id, sender), id))
    };
    let (workspace, id) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&app, &workspace, id).map(Tagged::created)
}

/// Changes the name, address and question of a sender, and its connection if one is named.
#[utoipa::path(
    put, path = "/v1/senders/{id}", tag = "Senders", operation_id = "update_sender",
    params(("id" = String, Path, description = "The id of the sender."), IfMatchHeader),
    request_body(content = SenderRequest, description = "The new name and address, the question if it asks one, and the new connection if it changes."),
    responses(
        (status = 200, description = "The sender.", body = SenderAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such sender.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<SenderIdText>,
    Put(edit): Put,
) -> Result<Tagged<SenderAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Changes what is named of a sender.
///
/// A JSON merge patch (RFC 7396): members that are absent stay, `null` takes a member away.
#[utoipa::path(
    patch, path = "/v1/senders/{id}", tag = "Senders", operation_id = "patch_sender",
    params(("id" = String, Path, description = "The id of the sender."), IfMatchHeader),
    request_body(content = SenderRequest, content_type = "application/merge-patch+json", description = "What is to be different."),
    responses(
        (status = 200, description = "The sender.", body = SenderAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such sender.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<SenderIdText>,
    Patch(edit): Patch,
) -> Result<Tagged<SenderAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Deletes a sender. What people said about it stays; no refusal is lost.
#[utoipa::path(
    delete, path = "/v1/senders/{id}", tag = "Senders", operation_id = "delete_sender",
    params(("id" = String, Path, description = "The id of the sender."), IfMatchHeader),
    responses(
        (status = 200, description = "The deleted sender.", body = SenderAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such sender.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    InPath(SenderIdText(id)): InPath<SenderIdText>,
    condition: IfMatch,
) -> Result<Tagged<SenderAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let sender = find(known, id)?;
        if sender.deleted_at.is_none() {
            condition.check(&tag(known, id, sender))?;
        }
        let deleted_at = Some(sender.deleted_at.unwrap_or_else(|| app.now()));
        Ok(Plan::Changes(Change::Sender(id, Sender { deleted_at, ..sender.clone() }), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&app, &workspace, id)
}

/// What answers show besides what a client sets.
const SHOWN: Shown = Shown {
    fixed: &["id", "deleted_at"],
    told: &["level", "paused", "health", "history", "question.notice.text_sha256"],
    comes_back: false,
};

async fn change(
    app: &App,
    caller: &Caller<Configure>,
    InPath(SenderIdText(id)): InPath<SenderIdText>,
    edit: &Edit,
) -> Result<Tagged<SenderAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let sender = find(known, id)?;
        let edited = edit.read(&SenderAnswer::of(id, sender, known, app.now()), &SHOWN)?;
        let changed = changed(edited, edit, (id, sender), known)?;
        Ok(Plan::Changes(Change::Sender(id, changed), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    app.dispatch().wake(caller.workspace().id, id);
    answer(app, &workspace, id)
}

/// The sender that a request makes.
fn made(sent: Sent<SenderRequest>, known: &Workspace) -> Result<Sender, Problem> {
    let Sent { mut request, mut faults } = sent;
    let channel = request.channel.as_ref().map(|ChannelText(channel)| *channel);
    let channel = faults.require("/channel", channel, "sms");
    let connection = connection(&request, None, known, &mut faults);
    let question = question(request.question.take(), channel, known, &mut faults);
    let texts = texts(request, &mut faults);
    if let (Some(channel), Some((_, address))) = (channel, &texts) {
        relay::check(connection, (channel, address), known, &mut faults);
    }
    let (channel, (name, address)) = faults.settle(channel.zip(texts))?;
    Ok(Sender { channel, name, address, connection, question, deleted_at: None })
}

/// The sender as a change makes it.
fn changed(
    Edited { sent, basis }: Edited<SenderRequest>,
    edit: &Edit,
    (id, sender): (SenderId, &Sender),
    known: &Workspace,
) -> Result<Sender, Problem> {
    if basis.is_same {
        return Ok(sender.clone());
    }
    let Sent { mut request, mut faults } = sent;
    if request.channel.as_ref().is_some_and(|ChannelText(channel)| *channel != sender.channel) {
        faults.note("/channel", Code::InvalidValue, "never changes; make a new sender");
    }
    let named = connection(&request, sender.connection, known, &mut faults);
    let stays = edit.way() == Way::Put && !edit.clears("connection");
    let connection = named.or(sender.connection.filter(|_| stays));
    let asked = request.question.take();
    let question = question(asked, Some(sender.channel), known, &mut faults);
    let texts = texts(request, &mut faults);
    if let Some((_, address)) = &texts {
        relay::check(connection, (sender.channel, address), known, &mut faults);
    }
    let (name, address) = faults.settle(texts)?;
    let changed = Sender { name, address, connection, question, ..sender.clone() };
    edit.admit(&tag(known, id, sender), &basis, changed == *sender)?;
    Ok(changed)
}

fn find(known: &Workspace, id: SenderId) -> Result<&Sender, Problem> {
    known.senders.get(&id).ok_or_else(|| Problem::new(Code::NotFound))
}

fn tag(known: &Workspace, id: SenderId, sender: &Sender) -> Tag {
    Tag::of(&known.secret, 0, &[Change::Sender(id, sender.clone())])
}

fn answer(app: &App, known: &Workspace, id: SenderId) -> Result<Tagged<SenderAnswer>, Problem> {
    let sender = find(known, id)?;
    Ok(Tagged::new(tag(known, id, sender), SenderAnswer::of(id, sender, known, app.now())))
}

/// The connection that a request names: a living one, or the one that the sender has.
fn connection(
    request: &SenderRequest,
    own: Option<ConnectionId>,
    workspace: &Workspace,
    faults: &mut Faults,
) -> Option<ConnectionId> {
    let ConnectionIdText(id) = request.connection.as_ref()?;
    let known = workspace.connections.get(id);
    let is_own = own == Some(*id);
    if !is_own && known.is_none_or(|connection| connection.deleted_at.is_some()) {
        faults.note("/connection", Code::UnknownConnection, "is no living connection");
    }
    Some(*id)
}

/// The question that a sender is to ask.
fn question(
    sent: Option<QuestionRequest>,
    channel: Option<Channel>,
    workspace: &Workspace,
    faults: &mut Faults,
) -> Option<OptInQuestion> {
    let sent = sent?;
    let text = faults.require("/question/text", sent.text, "May we send you offers by WhatsApp?");
    let text = words("/question/text", text, limits::QUESTION_TEXT_CHARS_MAX, faults);
    let yes = Some(sent.yes.unwrap_or_else(|| "Yes".to_owned()));
    let yes = words("/question/yes", yes, limits::QUESTION_LABEL_CHARS_MAX, faults);
    let no = Some(sent.no.unwrap_or_else(|| "No".to_owned()));
    let no = words("/question/no", no, limits::QUESTION_LABEL_CHARS_MAX, faults);
    let has_thanks = sent.thanks.is_some();
    let thanks = words("/question/thanks", sent.thanks, limits::QUESTION_TEXT_CHARS_MAX, faults);
    let notice = faults.require(
        "/question/notice",
        sent.notice,
        "{\"id\": \"ntc_01jd6m9k3te5b8r5v3x5y6z7w8\", \"version\": 1, \"language\": \"en\"}",
    );
    let notice = published(notice?, "/question/notice", workspace, faults)?;
    let names = |channel| {
        notice.names.iter().any(|named| match named {
            Permission::Messages(on, _) => *on == channel,
            Permission::Processing => false,
        })
    };
    if channel.is_some_and(|channel| !names(channel)) {
        let fault = "does not name the sender's channel";
        faults.note("/question/notice", Code::NoticeDoesNotCover, fault);
    }
    let question =
        OptInQuestion { text: text?, yes: yes?, no: no?, thanks, notice: notice.reference() };
    let is_lost = has_thanks && question.thanks.is_none();
    are_two_answers(&question, faults);
    (!is_lost).then_some(question)
}

/// Notes words of a question that are none, or too many.
fn words(at: &str, text: Option<String>, most: usize, faults: &mut Faults) -> Option<Box<str>> {
    let text = text?;
    let length = text.trim().chars().count();
    if length == 0
        || length > most
        || text.chars().any(|letter| letter.is_control() && letter != '\n')
    {
        let fault = format!("is not 1 to {most} characters without control characters");
        faults.note(at, Code::InvalidValue, fault);
        return None;
    }
    Some(text.trim().into())
}

/// Notes answers that would be read as something else than they say.
fn are_two_answers(question: &OptInQuestion, faults: &mut Faults) {
    let (names, codes, offered) = (Names::default(), Codes::default(), Offered::default());
    let conversation = Conversation {
        channel: Channel::Sms,
        names: &names,
        codes: &codes,
        question: Open::Open,
        offered: &offered,
    };
    let reading = |text: &str| read(text, &conversation).reading;
    let says = |text: &str| Keyword::parse(text).is_ok();
    if !says(&question.yes) || !matches!(reading(&question.yes), Reading::Yes | Reading::Nothing) {
        let fault = "is read as something else than a yes";
        faults.note_with_example("/question/yes", Code::InvalidValue, fault, "Yes, please");
    }
    let no = reading(&question.no);
    let is_same = Keyword::parse(&question.no).is_ok_and(|no| no.is_said_by(&question.yes));
    if !says(&question.no) || is_same || !(no.is_refusal() || no == Reading::Nothing) {
        let fault = "is read as something else than a no";
        faults.note_with_example("/question/no", Code::InvalidValue, fault, "No, thanks");
    }
}

fn texts(request: SenderRequest, faults: &mut Faults) -> Option<(Box<str>, Box<str>)> {
    let name = name(request.name, faults);
    let address = faults.require("/address", request.address, "+14155550100")?;
    if address.trim().is_empty() || address.len() > limits::NAME_BYTES_MAX {
        faults.note_with_example(
            "/address",
            Code::InvalidValue,
            "is not 1 to 64 bytes",
            "+14155550100",
        );
    }
    Some((name?, address.trim().into()))
}

impl QuestionView {
    fn of(question: &OptInQuestion) -> Self {
        Self {
            text: question.text.to_string(),
            yes: question.yes.to_string(),
            no: question.no.to_string(),
            thanks: question.thanks.as_deref().map(str::to_owned),
            notice: NoticeView::of(&question.notice),
        }
    }
}

impl SenderAnswer {
    fn of(id: SenderId, sender: &Sender, workspace: &Workspace, now: Timestamp) -> Self {
        let health = workspace.runtime.health(id, Known::all(now));
        Self {
            id: id.to_string(),
            channel: sender.channel.as_str(),
            name: sender.name.to_string(),
            address: sender.address.to_string(),
            connection: sender.connection.map(|id| id.to_string()),
            question: sender.question.as_ref().map(QuestionView::of),
            deleted_at: sender.deleted_at.map(|at| at.to_string()),
            level: health.level.as_str(),
            paused: health.pause.is_some(),
            health: None,
            history: None,
        }
    }
}
