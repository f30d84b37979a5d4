//! `/v1/keys`: API keys, made, listed, revoked. A key itself is shown once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::id::KeyId;
use sayso_core::limits;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{ApiKey, Change, KeyRole, KeyScope, Workspace};
use sayso_store::configure::Plan;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::making::{Making, said_before};
use crate::api::page::{InPath, ListQuery, has_room, page};
use crate::api::revisions::{
    IfMatch, IfMatchHeader, IfNoneMatch, IfNoneMatchHeader, Tag, Tagged, revise,
};
use crate::app::App;
use crate::body::texts::{KeyIdText, KeyRoleText, KeyScopeText, NameText, StandingText};
use crate::body::{Asked, IdempotencyKey, Sent, json_object};
use crate::caller::{Caller, Configure, scope_words};
use crate::keyring::{KeyGrant, mint};
use crate::problem::{Code, Problem, ProblemBody};

json_object! {
    /// A key to be made.
    #[derive(ToSchema)]
    KeyRequest {
        /// How you call it; also the name of the source of what it records. Required.
        name: NameText,
        /// What it is for: its scopes and its highest standing at once. This or `scopes` is needed.
        role: KeyRoleText,
        /// What it may do; with a role, what it may do in addition.
        scopes: Vec<KeyScopeText>,
        /// The highest standing it may record: that of its role if absent, without one `report`.
        highest: StandingText,
    }
}

/// A key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyAnswer {
    /// Its id.
    #[schema(example = "key_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// How you call it.
    name: String,
    /// What it may do.
    #[schema(value_type = Vec<KeyScopeText>)]
    scopes: Vec<&'static str>,
    /// The highest standing it may record.
    #[schema(value_type = StandingText)]
    highest: &'static str,
    /// When it was made.
    created_at: String,
    /// When it was revoked; absent while it is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    /// The key itself; said once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// A page of keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeysPage {
    /// The keys.
    keys: Vec<KeyAnswer>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Lists the keys of the workspace, revoked ones included.
#[utoipa::path(
    get, path = "/v1/keys", tag = "Keys", operation_id = "list_keys",
    params(ListQuery),
    responses((status = 200, description = "A page of keys, the oldest first.", body = KeysPage)),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn list(
    caller: Caller<Configure>,
    asked: Asked<ListQuery>,
) -> Result<Json<KeysPage>, Problem> {
    let (keys, next) =
        page(&caller.workspace().keys, asked, |id, key| KeyAnswer::of(*id, key, None))?;
    Ok(Json(KeysPage { keys, next }))
}

/// Makes a key. The answer holds the key itself, which is never shown again.
///
/// A key can give only scopes and a standing that it has itself.
#[utoipa::path(
    post, path = "/v1/keys", tag = "Keys", operation_id = "create_key",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one key; 1 to 255 visible ASCII characters.")),
    request_body(content = KeyRequest, description = "What the key may do."),
    responses(
        (status = 201, description = "The key. Store `secret` now.", body = KeyAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 409, description = "The workspace has as many keys as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    sent: Sent<KeyRequest>,
) -> Result<Tagged<KeyAnswer>, Problem> {
    let grant = grant(sent, &caller)?;
    let limit = ("KEYS_PER_WORKSPACE_MAX", limits::KEYS_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "key");
    let mut minted = mint(app.environment(), caller.workspace().mode, grant);
    minted.id = KeyId::from_bytes(making.id());
    let plan = |known: &Workspace| {
        match making.find(&known.keys, KeyId::as_bytes) {
            Some((id, _)) => return Err(said_before(&id)),
            None => has_room(known.keys.len(), limit)?,
        }
        Ok(Plan::Changes(Change::Key(minted.id, minted.key.clone()), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, minted.id, Some(minted.secret)).map(Tagged::created)
}

/// Reads a key.
#[utoipa::path(
    get, path = "/v1/keys/{id}", tag = "Keys", operation_id = "get_key",
    params(("id" = String, Path, description = "The id of the key."), IfNoneMatchHeader),
    responses(
        (status = 200, description = "The key, without its secret.", body = KeyAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 304, description = "It is as you have it."),
        (status = 404, description = "There is no such key.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn get(
    caller: Caller<Configure>,
    InPath(KeyIdText(id)): InPath<KeyIdText>,
    condition: IfNoneMatch,
) -> Result<Tagged<KeyAnswer>, Problem> {
    let answer = answer(caller.workspace(), id, None);
    answer.map(|answer| answer.unless_known(&condition))
}

/// Revokes a key, at once and for good. What it recorded stays.
#[utoipa::path(
    delete, path = "/v1/keys/{id}", tag = "Keys", operation_id = "revoke_key",
    params(("id" = String, Path, description = "The id of the key."), IfMatchHeader),
    responses(
        (status = 200, description = "The revoked key.", body = KeyAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such key.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    InPath(KeyIdText(id)): InPath<KeyIdText>,
    condition: IfMatch,
) -> Result<Tagged<KeyAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let key = find(known, id)?;
        if key.is_live() {
            condition.check(&tag(known, id, key))?;
        }
        let revoked_at = Some(key.revoked_at.unwrap_or_else(|| app.now()));
        Ok(Plan::Changes(Change::Key(id, ApiKey { revoked_at, ..key.clone() }), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, id, None)
}

fn find(known: &Workspace, id: KeyId) -> Result<&ApiKey, Problem> {
    known.keys.get(&id).ok_or_else(|| Problem::new(Code::NotFound))
}

fn tag(known: &Workspace, id: KeyId, key: &ApiKey) -> Tag {
    Tag::of(&known.secret, 0, &[Change::Key(id, key.clone())])
}

fn answer(
    known: &Workspace,
    id: KeyId,
    secret: Option<String>,
) -> Result<Tagged<KeyAnswer>, Problem> {
    let key = find(known, id)?;
    Ok(Tagged::new(tag(known, id, key), KeyAnswer::of(id, key, secret)))
}

fn grant(sent: Sent<KeyRequest>, caller: &Caller<Configure>) -> Result<KeyGrant, Problem> {
    let Sent { request, mut faults } = sent;
    let name = faults.require("/name", request.name, "crm");
    let role = request.role.map(|KeyRoleText(role)| role);
    let named = request.scopes.into_iter().flatten().map(|KeyScopeText(scope)| scope);
    let asked: BTreeSet<KeyScope> =
        role.map_or(&[][..], KeyRole::scopes).iter().copied().chain(named).collect();
    if asked.is_empty() && !faults.is_wrong_at(&["/role", "/scopes"]) {
        let fault =
            format!("are missing, and so is role; scopes are {}", KeyScope::WORDS.join(", "));
        faults.note_with_example("/scopes", Code::MissingField, fault, "[\"check\"]");
    }
    let scopes = Some(asked.into_iter().collect());
    let highest = request.highest.map(|StandingText(standing)| standing);
    let highest = highest.or(role.map(KeyRole::highest)).unwrap_or(Standing::Report);
    let grant = name.zip(scopes).map(|(NameText(name), scopes)| KeyGrant { name, scopes, highest });
    let grant = faults.settle(grant)?;
    if let Some(scope) = grant.scopes.iter().find(|scope| !caller.may(**scope)) {
        let held = scope_words(&caller.key().scopes);
        let scope = scope.as_str();
        let detail =
            format!("a key cannot give the scope {scope}, which it lacks itself; it has {held}");
        return Err(Problem::new(Code::ScopeMissing).detail(detail));
    }
    match (caller.key().highest, grant.highest) {
        (Standing::Report, Standing::Act) => Err(Problem::new(Code::StandingTooHigh)),
        (Standing::Act | Standing::Report, _) => Ok(grant),
    }
}

impl KeyAnswer {
    fn of(id: KeyId, key: &ApiKey, secret: Option<String>) -> Self {
        Self {
            id: id.to_string(),
            name: key.name.to_string(),
            scopes: key.scopes.iter().map(|scope| scope.as_str()).collect(),
            highest: key.highest.as_str(),
            created_at: key.created_at.to_string(),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
            secret,
        }
    }
}
