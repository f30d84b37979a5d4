//! `/v1/topics`: kinds of message promised to people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::id::TopicId;
use sayso_core::limits;
use sayso_core::text::rule::Keyword;
use sayso_core::text::wording::Code;
use sayso_core::workspace::{Change, Topic, Workspace};
use sayso_store::configure::Plan;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::making::{Making, reused};
use crate::api::page::{InPath, ListQuery, has_room, name, page};
use crate::api::revisions::{
    Edit, Edited, Given, IfMatch, IfMatchHeader, IfNoneMatch, IfNoneMatchHeader, Patch, Put, Shown,
    Tag, Tagged, revise,
};
use crate::app::App;
use crate::body::texts::{CategoryText, TopicIdText};
use crate::body::{Asked, Faults, IdempotencyKey, Sent, json_object};
use crate::caller::{Caller, Configure, Read};
use crate::problem::{Code as ProblemCode, Problem, ProblemBody};

json_object! {
    /// A topic.
    #[derive(ToSchema)]
    TopicRequest {
        /// How people know it. Required.
        #[schema(example = "Order updates")]
        name: String,
        /// Its category; never changes. Required when the topic is made.
        category: CategoryText,
        /// What people write after STOP to leave it; without one its name.
        #[schema(example = "OFFERS")]
        code: String,
    }
}

/// A topic.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TopicAnswer {
    /// Its id.
    #[schema(example = "top_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// How people know it.
    name: String,
    /// Its category.
    category: &'static str,
    /// What people write after STOP to leave it; absent where that is its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "OFFERS")]
    code: Option<String>,
    /// When it was deleted; absent while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

/// A page of topics.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TopicsPage {
    /// The topics.
    topics: Vec<TopicAnswer>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Lists the topics, deleted ones included: consents may name them.
#[utoipa::path(
    get, path = "/v1/topics", tag = "Topics", operation_id = "list_topics",
    params(ListQuery),
    responses((status = 200, description = "A page of topics, the oldest first.", body = TopicsPage)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn list(
    caller: Caller<Read>,
    asked: Asked<ListQuery>,
) -> Result<Json<TopicsPage>, Problem> {
    let (topics, next) =
        page(&caller.workspace().topics, asked, |id, topic| TopicAnswer::of(*id, topic))?;
    Ok(Json(TopicsPage { topics, next }))
}

/// Makes a topic.
#[utoipa::path(
    post, path = "/v1/topics", tag = "Topics", operation_id = "create_topic",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one topic; 1 to 255 visible ASCII characters.")),
    request_body(content = TopicRequest, description = "The topic."),
    responses(
        (status = 201, description = "The topic.", body = TopicAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 409, description = "The workspace has as many topics as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    given: Given,
) -> Result<Tagged<TopicAnswer>, Problem> {
    let limit = ("TOPICS_PER_WORKSPACE_MAX", limits::TOPICS_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "topic");
    let plan = |known: &Workspace| {
        let topic = made(given.read()?, known)?;
        match making.find(&known.topics, TopicId::as_bytes) {
            Some((id, made)) if *made != topic => return Err(reused(&id)),
            Some((id, _)) => return Ok(Plan::Stands(id)),
            None => has_room(known.topics.len(), limit)?,
        }
        let id = TopicId::from_bytes(making.id());
        Ok(Plan::Changes(Change::Topic(id, topic), id))
    };
    let (workspace, id) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, id).map(Tagged::created)
}

/// Reads a topic.
#[utoipa::path(
    get, path = "/v1/topics/{id}", tag = "Topics", operation_id = "get_topic",
    params(("id" = String, Path, description = "The id of the topic."), IfNoneMatchHeader),
    responses(
        (status = 200, description = "The topic.", body = TopicAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 304, description = "It is as you have it."),
        (status = 404, description = "There is no such topic.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    caller: Caller<Read>,
    InPath(TopicIdText(id)): InPath<TopicIdText>,
    condition: IfNoneMatch,
) -> Result<Tagged<TopicAnswer>, Problem> {
    answer(caller.workspace(), id).map(|answer| answer.unless_known(&condition))
}

/// Changes the name and the code of a topic.
#[utoipa::path(
    put, path = "/v1/topics/{id}", tag = "Topics", operation_id = "update_topic",
    params(("id" = String, Path, description = "The id of the topic."), IfMatchHeader),
    request_body(content = TopicRequest, description = "The new name, and the code if it has one of its own."),
    responses(
        (status = 200, description = "The topic.", body = TopicAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such topic.", body = ProblemBody),
        (status = 409, description = "The category is another; it never changes.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<TopicIdText>,
    Put(edit): Put,
) -> Result<Tagged<TopicAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Changes the name or the code of a topic.
///
/// A JSON merge patch (RFC 7396): members that are absent stay, `null` takes a member away.
#[utoipa::path(
    patch, path = "/v1/topics/{id}", tag = "Topics", operation_id = "patch_topic",
    params(("id" = String, Path, description = "The id of the topic."), IfMatchHeader),
    request_body(content = TopicRequest, content_type = "application/merge-patch+json", description = "What is to be different."),
    responses(
        (status = 200, description = "The topic.", body = TopicAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such topic.", body = ProblemBody),
        (status = 409, description = "The category is another; it never changes.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<TopicIdText>,
    Patch(edit): Patch,
) -> Result<Tagged<TopicAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Deletes a topic. What people said about it stays; no refusal is lost.
#[utoipa::path(
    delete, path = "/v1/topics/{id}", tag = "Topics", operation_id = "delete_topic",
    params(("id" = String, Path, description = "The id of the topic."), IfMatchHeader),
    responses(
        (status = 200, description = "The deleted topic.", body = TopicAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such topic.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    InPath(TopicIdText(id)): InPath<TopicIdText>,
    condition: IfMatch,
) -> Result<Tagged<TopicAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let topic = find(known, id)?;
        if topic.deleted_at.is_none() {
            condition.check(&tag(known, id, topic))?;
        }
        let deleted_at = Some(topic.deleted_at.unwrap_or_else(|| app.now()));
        Ok(Plan::Changes(Change::Topic(id, Topic { deleted_at, ..topic.clone() }), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, id)
}

/// What answers show besides what a client sets.
const SHOWN: Shown = Shown { fixed: &["id", "deleted_at"], told: &[], comes_back: false };

async fn change(
    app: &App,
    caller: &Caller<Configure>,
    InPath(TopicIdText(id)): InPath<TopicIdText>,
    edit: &Edit,
) -> Result<Tagged<TopicAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let topic = find(known, id)?;
        let edited = edit.read(&TopicAnswer::of(id, topic), &SHOWN)?;
        let changed = changed(edited, edit, (id, topic), known)?;
        Ok(Plan::Changes(Change::Topic(id, changed), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, id)
}

/// The topic that a request makes.
fn made(sent: Sent<TopicRequest>, known: &Workspace) -> Result<Topic, Problem> {
    let Sent { request, mut faults } = sent;
    let category = request.category.map(|CategoryText(category)| category);
    let category = faults.require("/category", category, "marketing");
    let name = name(request.name, &mut faults);
    let code = code(request.code, None, known, &mut faults);
    let (name, category) = faults.settle(name.zip(category))?;
    Ok(Topic { name, category, code, deleted_at: None })
}

/// The topic as a change makes it.
fn changed(
    Edited { sent, basis }: Edited<TopicRequest>,
    edit: &Edit,
    (id, topic): (TopicId, &Topic),
    known: &Workspace,
) -> Result<Topic, Problem> {
    if basis.is_same {
        return Ok(topic.clone());
    }
    let Sent { request, mut faults } = sent;
    let moved =
        request.category.as_ref().is_some_and(|CategoryText(category)| *category != topic.category);
    let name = name(request.name, &mut faults);
    let code = code(request.code, Some(id), known, &mut faults);
    let name = faults.settle(name)?;
    if moved {
        let mut faults = Faults::default();
        let fault = format!("is not the topic's, which is {} for good", topic.category);
        let example = topic.category.as_str();
        faults.note_with_example("/category", ProblemCode::CategoryFixed, fault, example);
        return Err(faults.into_problem());
    }
    let changed = Topic { name, code, ..topic.clone() };
    edit.admit(&tag(known, id, topic), &basis, changed == *topic)?;
    Ok(changed)
}

/// The code of a topic, if it has one of its own: no other living topic is left by it.
fn code(
    sent: Option<String>,
    own: Option<TopicId>,
    workspace: &Workspace,
    faults: &mut Faults,
) -> Option<Box<str>> {
    let sent = sent?;
    let code = sent.trim();
    if let Err(fault) = Code::parse(code) {
        faults.note_with_example("/code", ProblemCode::InvalidValue, fault, "OFFERS");
    }
    let others = workspace.topics.iter().filter(|(id, _)| Some(**id) != own);
    let mut living = others.filter(|(_, topic)| topic.deleted_at.is_none());
    let same = |words: &str| Keyword::parse(words).is_ok_and(|words| words.is_said_by(code));
    if living.any(|(_, topic)| same(topic.code.as_ref().unwrap_or(&topic.name))) {
        let fault = "leaves another topic already";
        faults.note("/code", ProblemCode::InvalidValue, fault);
    }
    Some(code.into())
}

fn find(known: &Workspace, id: TopicId) -> Result<&Topic, Problem> {
    known.topics.get(&id).ok_or_else(|| Problem::new(ProblemCode::NotFound))
}

fn tag(known: &Workspace, id: TopicId, topic: &Topic) -> Tag {
    Tag::of(&known.secret, 0, &[Change::Topic(id, topic.clone())])
}

fn answer(known: &Workspace, id: TopicId) -> Result<Tagged<TopicAnswer>, Problem> {
    let topic = find(known, id)?;
    Ok(Tagged::new(tag(known, id, topic), TopicAnswer::of(id, topic)))
}

impl TopicAnswer {
    fn of(id: TopicId, topic: &Topic) -> Self {
        Self {
            id: id.to_string(),
            name: topic.name.to_string(),
            category: topic.category.as_str(),
            code: topic.code.as_deref().map(str::to_owned),
            deleted_at: topic.deleted_at.map(|at| at.to_string()),
        }
    }
}
