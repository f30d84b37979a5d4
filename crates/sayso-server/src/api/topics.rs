//! `/v1/topics`: kinds of message promised to people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::id::TopicId;
use sayso_core::limits;
use sayso_core::rule::Keyword;
use sayso_core::wording::Code;
use sayso_store::configuration::{Change, Configuration, Topic};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::making::{Making, reused};
use crate::api::page::{InPath, ListQuery, has_room, name, page};
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
        page(&caller.configuration().topics, asked, |id, topic| TopicAnswer::of(*id, topic))?;
    Ok(Json(TopicsPage { topics, next }))
}

/// Makes a topic.
#[utoipa::path(
    post, path = "/v1/topics", tag = "Topics", operation_id = "create_topic",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one topic; 1 to 255 visible ASCII characters.")),
    request_body(content = TopicRequest, description = "The topic."),
    responses(
        (status = 201, description = "The topic.", body = TopicAnswer),
        (status = 409, description = "The workspace has as many topics as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    sent: Sent<TopicRequest>,
) -> Result<(StatusCode, Json<TopicAnswer>), Problem> {
    let Sent { request, mut faults } = sent;
    let category = request.category.map(|CategoryText(category)| category);
    let category = faults.require("/category", category, "marketing");
    let name = name(request.name, &mut faults);
    let code = code(request.code, None, caller.configuration(), &mut faults);
    let (name, category) = faults.settle(name.zip(category))?;
    let limit = ("TOPICS_PER_WORKSPACE_MAX", limits::TOPICS_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "topic").await?;
    let known = &making.configuration().topics;
    let topic = Topic { name, category, code, deleted_at: None };
    match making.find(known, TopicId::as_bytes) {
        Some((id, made)) if *made != topic => return Err(reused(&id)),
        Some((id, made)) => return Ok((StatusCode::CREATED, Json(TopicAnswer::of(id, made)))),
        None => has_room(known.len(), limit)?,
    }
    let id = TopicId::from_bytes(making.id());
    store(&app, &caller, id, topic).await.map(|answer| (StatusCode::CREATED, answer))
}

/// Changes the name and the code of a topic.
#[utoipa::path(
    put, path = "/v1/topics/{id}", tag = "Topics", operation_id = "update_topic",
    params(("id" = String, Path, description = "The id of the topic.")),
    request_body(content = TopicRequest, description = "The new name, and the code if it has one of its own."),
    responses(
        (status = 200, description = "The topic.", body = TopicAnswer),
        (status = 404, description = "There is no such topic.", body = ProblemBody),
        (status = 409, description = "The category is another; it never changes.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<TopicIdText>,
    sent: Sent<TopicRequest>,
) -> Result<Json<TopicAnswer>, Problem> {
    let (id, known) = find(&caller, id)?;
    let Sent { request, mut faults } = sent;
    let changed =
        request.category.as_ref().is_some_and(|CategoryText(category)| *category != known.category);
    let name = name(request.name, &mut faults);
    let code = code(request.code, Some(id), caller.configuration(), &mut faults);
    let name = faults.settle(name)?;
    if changed {
        let mut faults = Faults::default();
        let fault = format!("is not the topic's, which is {} for good", known.category);
        let example = known.category.as_str();
        faults.note_with_example("/category", ProblemCode::CategoryFixed, fault, example);
        return Err(faults.into_problem());
    }
    store(&app, &caller, id, Topic { name, code, ..known }).await
}

/// Deletes a topic. What people said about it stays; no refusal is lost.
#[utoipa::path(
    delete, path = "/v1/topics/{id}", tag = "Topics", operation_id = "delete_topic",
    params(("id" = String, Path, description = "The id of the topic.")),
    responses(
        (status = 200, description = "The deleted topic.", body = TopicAnswer),
        (status = 404, description = "There is no such topic.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<TopicIdText>,
) -> Result<Json<TopicAnswer>, Problem> {
    let (id, known) = find(&caller, id)?;
    let deleted_at = Some(known.deleted_at.unwrap_or_else(|| app.now()));
    store(&app, &caller, id, Topic { deleted_at, ..known }).await
}

/// The code of a topic, if it has one of its own: no other living topic is left by it.
fn code(
    sent: Option<String>,
    own: Option<TopicId>,
    configuration: &Configuration,
    faults: &mut Faults,
) -> Option<Box<str>> {
    let sent = sent?;
    let code = sent.trim();
    if let Err(fault) = Code::parse(code) {
        faults.note_with_example("/code", ProblemCode::InvalidValue, fault, "OFFERS");
    }
    let others = configuration.topics.iter().filter(|(id, _)| Some(**id) != own);
    let mut living = others.filter(|(_, topic)| topic.deleted_at.is_none());
    let same = |words: &str| Keyword::parse(words).is_ok_and(|words| words.is_said_by(code));
    if living.any(|(_, topic)| same(topic.code.as_ref().unwrap_or(&topic.name))) {
        let fault = "leaves another topic already";
        faults.note("/code", ProblemCode::InvalidValue, fault);
    }
    Some(code.into())
}

fn find(
    caller: &Caller<Configure>,
    InPath(TopicIdText(id)): InPath<TopicIdText>,
) -> Result<(TopicId, Topic), Problem> {
    let known = caller.configuration().topics.get(&id);
    known.map(|topic| (id, topic.clone())).ok_or_else(|| Problem::new(ProblemCode::NotFound))
}

async fn store(
    app: &App,
    caller: &Caller<Configure>,
    id: TopicId,
    topic: Topic,
) -> Result<Json<TopicAnswer>, Problem> {
    let answer = TopicAnswer::of(id, &topic);
    app.store().configure(caller.workspace(), Change::Topic(id, topic)).await?;
    Ok(Json(answer))
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
