//! `/v1/senders`: the business side on each channel.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::id::{ConnectionId, SenderId};
use sayso_core::limits;
use sayso_store::configuration::{Change, Configuration, Sender};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::making::{Making, reused};
use crate::api::page::{InPath, ListQuery, has_room, name, page};
use crate::app::App;
use crate::body::texts::{ChannelText, ConnectionIdText, SenderIdText};
use crate::body::{Asked, Faults, IdempotencyKey, Sent, json_object};
use crate::caller::{Caller, Configure, Read};
use crate::problem::{Code, Problem, ProblemBody};

json_object! {
    /// A sender.
    #[derive(ToSchema)]
    SenderRequest {
        /// The channel; never changes. Required when the sender is made.
        channel: ChannelText,
        /// How you call it. Required.
        #[schema(example = "Shop on WhatsApp")]
        name: String,
        /// The number, short code or mail domain that people see. Required.
        #[schema(example = "+14155550100")]
        address: String,
        /// The account its messages go by; without one it sends none.
        connection: ConnectionIdText,
    }
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
    /// When it was deleted; absent while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
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
    caller: Caller<Read>,
    asked: Asked<ListQuery>,
) -> Result<Json<SendersPage>, Problem> {
    let (senders, next) =
        page(&caller.configuration().senders, asked, |id, sender| SenderAnswer::of(*id, sender))?;
    Ok(Json(SendersPage { senders, next }))
}

/// Makes a sender.
#[utoipa::path(
    post, path = "/v1/senders", tag = "Senders", operation_id = "create_sender",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one sender; 1 to 255 visible ASCII characters.")),
    request_body(content = SenderRequest, description = "The sender."),
    responses(
        (status = 201, description = "The sender.", body = SenderAnswer),
        (status = 409, description = "The workspace has as many senders as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    sent: Sent<SenderRequest>,
) -> Result<(StatusCode, Json<SenderAnswer>), Problem> {
    let Sent { request, mut faults } = sent;
    let channel = request.channel.as_ref().map(|ChannelText(channel)| *channel);
    let channel = faults.require("/channel", channel, "sms");
    let connection = connection(&request, caller.configuration(), &mut faults);
    let texts = texts(request, &mut faults);
    let (channel, (name, address)) = faults.settle(channel.zip(texts))?;
    let limit = ("SENDERS_PER_WORKSPACE_MAX", limits::SENDERS_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "sender").await?;
    let known = &making.configuration().senders;
    let sender = Sender { channel, name, address, connection, deleted_at: None };
    match making.find(known, SenderId::as_bytes) {
        Some((id, made)) if *made != sender => return Err(reused(&id)),
        Some((id, made)) => return Ok((StatusCode::CREATED, Json(SenderAnswer::of(id, made)))),
        None => has_room(known.len(), limit)?,
    }
    let id = SenderId::from_bytes(making.id());
    store(&app, &caller, id, sender).await.map(|answer| (StatusCode::CREATED, answer))
}

/// Changes the name and address of a sender, and its connection if one is named.
#[utoipa::path(
    put, path = "/v1/senders/{id}", tag = "Senders", operation_id = "update_sender",
    params(("id" = String, Path, description = "The id of the sender.")),
    request_body(content = SenderRequest, description = "The new name and address, and the new connection if it changes."),
    responses(
        (status = 200, description = "The sender.", body = SenderAnswer),
        (status = 404, description = "There is no such sender.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<SenderIdText>,
    sent: Sent<SenderRequest>,
) -> Result<Json<SenderAnswer>, Problem> {
    let (id, known) = find(&caller, id)?;
    let Sent { request, mut faults } = sent;
    if request.channel.as_ref().is_some_and(|ChannelText(channel)| *channel != known.channel) {
        faults.note("/channel", Code::InvalidValue, "never changes; make a new sender");
    }
    let connection = connection(&request, caller.configuration(), &mut faults);
    let texts = texts(request, &mut faults);
    let (name, address) = faults.settle(texts)?;
    let connection = connection.or(known.connection);
    let answer = store(&app, &caller, id, Sender { name, address, connection, ..known }).await?;
    app.dispatch().wake(caller.workspace(), id);
    Ok(answer)
}

/// Deletes a sender. What people said about it stays; no refusal is lost.
#[utoipa::path(
    delete, path = "/v1/senders/{id}", tag = "Senders", operation_id = "delete_sender",
    params(("id" = String, Path, description = "The id of the sender.")),
    responses(
        (status = 200, description = "The deleted sender.", body = SenderAnswer),
        (status = 404, description = "There is no such sender.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<SenderIdText>,
) -> Result<Json<SenderAnswer>, Problem> {
    let (id, known) = find(&caller, id)?;
    let deleted_at = Some(known.deleted_at.unwrap_or_else(|| app.now()));
    store(&app, &caller, id, Sender { deleted_at, ..known }).await
}

fn find(
    caller: &Caller<Configure>,
    InPath(SenderIdText(id)): InPath<SenderIdText>,
) -> Result<(SenderId, Sender), Problem> {
    let known = caller.configuration().senders.get(&id);
    known.map(|sender| (id, sender.clone())).ok_or_else(|| Problem::new(Code::NotFound))
}

async fn store(
    app: &App,
    caller: &Caller<Configure>,
    id: SenderId,
    sender: Sender,
) -> Result<Json<SenderAnswer>, Problem> {
    let answer = SenderAnswer::of(id, &sender);
    app.store().configure(caller.workspace(), Change::Sender(id, sender)).await?;
    Ok(Json(answer))
}

fn connection(
    request: &SenderRequest,
    configuration: &Configuration,
    faults: &mut Faults,
) -> Option<ConnectionId> {
    let ConnectionIdText(id) = request.connection.as_ref()?;
    let known = configuration.connections.get(id);
    if known.is_none_or(|connection| connection.deleted_at.is_some()) {
        faults.note("/connection", Code::UnknownConnection, "is no living connection");
    }
    Some(*id)
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

impl SenderAnswer {
    fn of(id: SenderId, sender: &Sender) -> Self {
        Self {
            id: id.to_string(),
            channel: sender.channel.as_str(),
            name: sender.name.to_string(),
            address: sender.address.to_string(),
            connection: sender.connection.map(|id| id.to_string()),
            deleted_at: sender.deleted_at.map(|at| at.to_string()),
        }
    }
}
