//! `/v1/connections`: accounts at providers, by which senders send.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::channel::Provider;
use sayso_core::id::ConnectionId;
use sayso_core::limits;
use sayso_store::configuration::{Change, Connection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::making::{Making, reused};
use crate::api::page::{InPath, ListQuery, has_room, name, page};
use crate::app::App;
use crate::body::texts::{ConnectionIdText, ProviderText};
use crate::body::{Asked, IdempotencyKey, Sent, json_object};
use crate::caller::{Caller, Configure};
use crate::problem::{Code, Problem, ProblemBody};

json_object! {
    /// An account at a provider.
    #[derive(ToSchema)]
    ConnectionRequest {
        /// How you call it. Required.
        #[schema(example = "Simulated phones")]
        name: String,
        /// The provider. Required. `sandbox` delivers to simulated phones inside this server.
        provider: ProviderText,
    }
}

/// An account at a provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionAnswer {
    /// Its id.
    #[schema(example = "con_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// How you call it.
    name: String,
    /// The provider.
    provider: &'static str,
    /// When it was deleted; absent while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

/// A page of connections.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionsPage {
    /// The connections.
    connections: Vec<ConnectionAnswer>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Lists the connections, deleted ones included.
#[utoipa::path(
    get, path = "/v1/connections", tag = "Connections", operation_id = "list_connections",
    params(ListQuery),
    responses((status = 200, description = "A page of connections, the oldest first.", body = ConnectionsPage)),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn list(
    caller: Caller<Configure>,
    asked: Asked<ListQuery>,
) -> Result<Json<ConnectionsPage>, Problem> {
    let (connections, next) =
        page(&caller.configuration().connections, asked, |id, connection| {
            ConnectionAnswer::of(*id, connection)
        })?;
    Ok(Json(ConnectionsPage { connections, next }))
}

/// Makes a connection.
#[utoipa::path(
    post, path = "/v1/connections", tag = "Connections", operation_id = "create_connection",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one connection; 1 to 255 visible ASCII characters.")),
    request_body(content = ConnectionRequest, description = "The account."),
    responses(
        (status = 201, description = "The connection. Name it in a sender next.", body = ConnectionAnswer),
        (status = 409, description = "The workspace has as many connections as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    sent: Sent<ConnectionRequest>,
) -> Result<(StatusCode, Json<ConnectionAnswer>), Problem> {
    let Sent { request, mut faults } = sent;
    let name = name(request.name, &mut faults);
    let provider = request.provider.map(|ProviderText(provider)| provider);
    let provider = faults.require("/provider", provider, "sandbox");
    if provider.is_some_and(|provider| provider != Provider::Sandbox) {
        let fault = "is not served yet; sandbox is";
        faults.note_with_example("/provider", Code::InvalidValue, fault, "sandbox");
    }
    let (name, provider) = faults.settle(name.zip(provider))?;
    let limit = ("CONNECTIONS_PER_WORKSPACE_MAX", limits::CONNECTIONS_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "connection").await?;
    let known = &making.configuration().connections;
    let credentials = std::collections::BTreeMap::new();
    let connection = Connection { name, provider, credentials, deleted_at: None };
    match making.find(known, ConnectionId::as_bytes) {
        Some((id, made)) if *made != connection => return Err(reused(&id)),
        Some((id, made)) => {
            return Ok((StatusCode::CREATED, Json(ConnectionAnswer::of(id, made))));
        }
        None => has_room(known.len(), limit)?,
    }
    let id = ConnectionId::from_bytes(making.id());
    let answer = ConnectionAnswer::of(id, &connection);
    app.store().configure(caller.workspace(), Change::Connection(id, connection)).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Deletes a connection. Its senders send no more; what they sent stays.
#[utoipa::path(
    delete, path = "/v1/connections/{id}", tag = "Connections", operation_id = "delete_connection",
    params(("id" = String, Path, description = "The id of the connection.")),
    responses(
        (status = 200, description = "The deleted connection.", body = ConnectionAnswer),
        (status = 404, description = "There is no such connection.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<ConnectionIdText>,
) -> Result<Json<ConnectionAnswer>, Problem> {
    let InPath(ConnectionIdText(id)) = id;
    let known = caller.configuration().connections.get(&id);
    let known = known.ok_or_else(|| Problem::new(Code::NotFound))?;
    let deleted_at = Some(known.deleted_at.unwrap_or_else(|| app.now()));
    let connection = Connection { deleted_at, ..known.clone() };
    let answer = ConnectionAnswer::of(id, &connection);
    app.store().configure(caller.workspace(), Change::Connection(id, connection)).await?;
    Ok(Json(answer))
}

impl ConnectionAnswer {
    fn of(id: ConnectionId, connection: &Connection) -> Self {
        Self {
            id: id.to_string(),
            name: connection.name.to_string(),
            provider: connection.provider.as_str(),
            deleted_at: connection.deleted_at.map(|at| at.to_string()),
        }
    }
}
