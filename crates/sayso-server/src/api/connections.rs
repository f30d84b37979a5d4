//! `/v1/connections`: accounts at providers, by which senders send.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::id::ConnectionId;
use sayso_core::limits;
use sayso_core::words::channel::Provider;
use sayso_core::workspace::{Change, Connection, Workspace};
use sayso_store::configure::Plan;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::account::{
    BASE_URL, CredentialFault, HOOK_TOKEN, HOST, NoAccount, PLACES, PORT, TLS, account_of,
    base_url_of, names, relay_of,
};
use crate::api::making::{Making, reused, said_before};
use crate::api::page::{InPath, ListQuery, has_room, name, page};
use crate::api::revisions::{
    Edit, Edited, Given, IfMatch, IfMatchHeader, IfNoneMatch, IfNoneMatchHeader, Patch, Put, Shown,
    Tag, Tagged, Way, revise,
};
use crate::app::App;
use crate::body::texts::{ConnectionIdText, ProviderText};
use crate::body::{Asked, Faults, IdempotencyKey, Sent, json_object};
use crate::caller::{Caller, Configure};
use crate::keyring::letters;
use crate::outgoing::Refused;
use crate::paths;
use crate::problem::{Code, Problem, ProblemBody};

json_object! {
    /// An account at a provider.
    #[derive(ToSchema)]
    ConnectionRequest {
        /// How you call it. Required.
        #[schema(example = "Shop at Twilio")]
        name: String,
        /// The provider; never changes. Required when the connection is made. `sandbox` delivers to simulated phones inside this server.
        provider: ProviderText,
        /// What is needed to speak with the provider. `sandbox` needs nothing. A change names those that are new; the others stay, and `PATCH` takes away those that are `null`. The list of names that answers show may be sent too, and changes nothing.
        credentials: CredentialsRequest,
    }
}

json_object! {
    /// The credentials of an account; none is ever shown again. `meta` needs `app_secret`,
    /// `verify_token` and `access_token`; `gupshup` needs `api_key` and `app`; `twilio` needs `account`
    /// and `auth_token`; `kannel` needs `username` and `password`; `smtp` needs `host`.
    #[derive(ToSchema)]
    CredentialsRequest {
        /// Meta: the secret of the app, which signs what Meta sends.
        app_secret: String,
        /// Meta: the word that you enter there beside the hook's URL.
        verify_token: String,
        /// Meta: the access token of a system user.
        access_token: String,
        /// Gupshup: the API key of the account.
        api_key: String,
        /// Gupshup: the name of the app.
        app: String,
        /// Twilio: the id of the account.
        #[schema(example = "AC00112233445566778899aabbccddeeff")]
        account: String,
        /// Twilio: the token of the account.
        auth_token: String,
        /// Kannel: the user of the group `sendsms-user`. SMTP: with whom we log in, if the relay asks for that.
        username: String,
        /// Kannel and SMTP: the password of that user.
        password: String,
        /// Gupshup and Kannel, which sign nothing: the token in the hook's URL. Made here if it is absent.
        hook_token: String,
        /// Where the API is, if not at the provider's own address; a Kannel on this machine if absent.
        base_url: String,
        /// SMTP: the relay's name or address.
        #[schema(example = "smtp.shop.example")]
        host: String,
        /// SMTP: 465 if absent, 587 for `starttls`, 25 for `none`.
        #[schema(maximum = 65_535, minimum = 1, example = 465)]
        port: u32,
        /// SMTP: `implicit` if absent; `starttls`, without which nothing is said; `none` within a private network.
        #[schema(example = "implicit")]
        tls: String,
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
    /// The names of the credentials that are set.
    credentials: Vec<String>,
    /// Where the provider calls, to be entered there: a path of this server, the whole URL where `server.public_url` is set. The token of one that signs nothing stands in it once, when it is made or changed. Absent for `sandbox` and `smtp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/hooks/con_01jd6m9k3te5b8r5v3x5y6z7w8")]
    hook: Option<String>,
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
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    asked: Asked<ListQuery>,
) -> Result<Json<ConnectionsPage>, Problem> {
    let (connections, next) = page(&caller.workspace().connections, asked, |id, connection| {
        ConnectionAnswer::of(&app, *id, connection, Hook::WithoutToken)
    })?;
    Ok(Json(ConnectionsPage { connections, next }))
}

/// Makes a connection.
#[utoipa::path(
    post, path = "/v1/connections", tag = "Connections", operation_id = "create_connection",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one connection; 1 to 255 visible ASCII characters.")),
    request_body(content = ConnectionRequest, description = "The account."),
    responses(
        (status = 201, description = "The connection. Name it in a sender next.", body = ConnectionAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 409, description = "The workspace has as many connections as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    given: Given,
) -> Result<Tagged<ConnectionAnswer>, Problem> {
    let making = Making::begin(&app, &caller, key, "connection");
    let token = letters(&app.environment().random::<20>());
    let plan = |known: &Workspace| {
        let (connection, makes_token) = made(&app, given.read()?, &token)?;
        match making.find(&known.connections, ConnectionId::as_bytes) {
            Some((id, _)) if makes_token => return Err(said_before(&id)),
            Some((id, made)) if *made != connection => return Err(reused(&id)),
            Some((id, _)) => return Ok(Plan::Stands(id)),
            None => has_room(known.connections.len(), LIMIT)?,
        }
        let id = ConnectionId::from_bytes(making.id());
        Ok(Plan::Changes(Change::Connection(id, connection), id))
    };
    let (workspace, id) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&app, &workspace, id, Hook::WithToken).map(Tagged::created)
}

/// Reads a connection.
#[utoipa::path(
    get, path = "/v1/connections/{id}", tag = "Connections", operation_id = "get_connection",
    params(("id" = String, Path, description = "The id of the connection."), IfNoneMatchHeader),
    responses(
        (status = 200, description = "The connection, without what its credentials are.", body = ConnectionAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 304, description = "It is as you have it."),
        (status = 404, description = "There is no such connection.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    InPath(ConnectionIdText(id)): InPath<ConnectionIdText>,
    condition: IfNoneMatch,
) -> Result<Tagged<ConnectionAnswer>, Problem> {
    let answer = answer(&app, caller.workspace(), id, Hook::WithoutToken);
    answer.map(|answer| answer.unless_known(&condition))
}

/// Changes the name or the credentials of a connection.
#[utoipa::path(
    put, path = "/v1/connections/{id}", tag = "Connections", operation_id = "update_connection",
    params(("id" = String, Path, description = "The id of the connection."), IfMatchHeader),
    request_body(content = ConnectionRequest, description = "The name, and the credentials that are new."),
    responses(
        (status = 200, description = "The connection.", body = ConnectionAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such connection.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<ConnectionIdText>,
    Put(edit): Put,
) -> Result<Tagged<ConnectionAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Changes what is named of a connection.
///
/// A JSON merge patch (RFC 7396): members that are absent stay, `null` takes a member away.
#[utoipa::path(
    patch, path = "/v1/connections/{id}", tag = "Connections", operation_id = "patch_connection",
    params(("id" = String, Path, description = "The id of the connection."), IfMatchHeader),
    request_body(content = ConnectionRequest, content_type = "application/merge-patch+json", description = "What is to be different."),
    responses(
        (status = 200, description = "The connection.", body = ConnectionAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such connection.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<ConnectionIdText>,
    Patch(edit): Patch,
) -> Result<Tagged<ConnectionAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Deletes a connection. Its senders send no more; what they sent stays.
#[utoipa::path(
    delete, path = "/v1/connections/{id}", tag = "Connections", operation_id = "delete_connection",
    params(("id" = String, Path, description = "The id of the connection."), IfMatchHeader),
    responses(
        (status = 200, description = "The deleted connection.", body = ConnectionAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such connection.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    InPath(ConnectionIdText(id)): InPath<ConnectionIdText>,
    condition: IfMatch,
) -> Result<Tagged<ConnectionAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let it = find(known, id)?;
        if it.deleted_at.is_none() {
            condition.check(&tag(known, id, it))?;
        }
        let deleted_at = Some(it.deleted_at.unwrap_or_else(|| app.now()));
        let deleted = Connection { deleted_at, ..it.clone() };
        Ok(Plan::Changes(Change::Connection(id, deleted), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&app, &workspace, id, Hook::WithoutToken)
}

const LIMIT: (&str, usize) =
    ("CONNECTIONS_PER_WORKSPACE_MAX", limits::CONNECTIONS_PER_WORKSPACE_MAX);

/// What answers show besides what a client sets.
const SHOWN: Shown = Shown { fixed: &["id", "deleted_at"], told: &["hook"], comes_back: false };

async fn change(
    app: &App,
    caller: &Caller<Configure>,
    InPath(ConnectionIdText(id)): InPath<ConnectionIdText>,
    edit: &Edit,
) -> Result<Tagged<ConnectionAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let it = find(known, id)?;
        let now = ConnectionAnswer::of(app, id, it, Hook::WithoutToken);
        let edited = edit.read_as(&now, &SHOWN, without_names)?;
        let (changed, hook) = changed(app, edited, edit, (id, it), known)?;
        Ok(Plan::Changes(Change::Connection(id, changed), hook))
    };
    let (workspace, hook) = revise(app.store(), caller.workspace().id, plan).await?;
    let senders = workspace.senders.iter();
    for (sender, _) in senders.filter(|(_, sender)| sender.connection == Some(id)) {
        app.dispatch().wake(caller.workspace().id, *sender);
    }
    answer(app, &workspace, id, hook)
}

/// The list of names that answers show in place of credentials says nothing new.
fn without_names(sent: &mut Map<String, Value>, shown: &Map<String, Value>) {
    if sent.get("credentials").is_some_and(Value::is_array)
        && sent.get("credentials") == shown.get("credentials")
    {
        sent.remove("credentials");
    }
}

/// The connection that a request makes, and whether the token of its hook is the one made here.
fn made(
    app: &App,
    sent: Sent<ConnectionRequest>,
    token: &str,
) -> Result<(Connection, bool), Problem> {
    let Sent { request, mut faults } = sent;
    let name = name(request.name, &mut faults);
    let provider = request.provider.map(|ProviderText(provider)| provider);
    let provider = faults.require("/provider", provider, "sandbox");
    let Some(provider) = provider else { return Err(faults.into_problem()) };
    let mut credentials = named(request.credentials.unwrap_or_default());
    let makes_token =
        names(provider).contains(&HOOK_TOKEN) && !credentials.contains_key(HOOK_TOKEN);
    if makes_token {
        credentials.insert(HOOK_TOKEN.into(), token.into());
    }
    let mut connection = Connection { name: "".into(), provider, credentials, deleted_at: None };
    check(app, &connection, &mut faults);
    connection.name = faults.settle(name)?;
    Ok((connection, makes_token))
}

/// The connection as a change makes it, and whether its answer shows the token of the hook.
fn changed(
    app: &App,
    Edited { sent, basis }: Edited<ConnectionRequest>,
    edit: &Edit,
    (id, it): (ConnectionId, &Connection),
    known: &Workspace,
) -> Result<(Connection, Hook), Problem> {
    if basis.is_same {
        return Ok((it.clone(), Hook::WithoutToken));
    }
    let Sent { request, mut faults } = sent;
    if request.provider.is_some_and(|ProviderText(provider)| provider != it.provider) {
        faults.note("/provider", Code::InvalidValue, "never changes; make a new connection");
    }
    let name = name(request.name, &mut faults);
    let changed = named(request.credentials.unwrap_or_default());
    let hook = if changed.contains_key(HOOK_TOKEN) { Hook::WithToken } else { Hook::WithoutToken };
    let removed = removed(edit);
    keep_at_home(it, &changed, &removed, &mut faults);
    let mut connection = it.clone();
    connection.credentials.retain(|name, _| !removed.contains(name));
    connection.credentials.extend(changed);
    check(app, &connection, &mut faults);
    connection.name = faults.settle(name)?;
    edit.admit(&tag(known, id, it), &basis, connection == *it)?;
    Ok((connection, hook))
}

/// The credentials that a patch takes away.
fn removed(edit: &Edit) -> BTreeSet<Box<str>> {
    let sent = edit.members().filter(|_| edit.way() == Way::Patch);
    let sent = sent.and_then(|members| members.get("credentials")?.as_object());
    let nulls = sent.into_iter().flatten().filter(|(_, value)| value.is_null());
    nulls.map(|(name, _)| name.as_str().into()).collect()
}

fn find(known: &Workspace, id: ConnectionId) -> Result<&Connection, Problem> {
    known.connections.get(&id).ok_or_else(|| Problem::new(Code::NotFound))
}

fn tag(known: &Workspace, id: ConnectionId, connection: &Connection) -> Tag {
    Tag::of(&known.secret, 0, &[Change::Connection(id, connection.clone())])
}

fn answer(
    app: &App,
    known: &Workspace,
    id: ConnectionId,
    hook: Hook,
) -> Result<Tagged<ConnectionAnswer>, Problem> {
    let connection = find(known, id)?;
    let tag = tag(known, id, connection);
    Ok(Tagged::new(tag, ConnectionAnswer::of(app, id, connection, hook)))
}

/// Notes what a change would take elsewhere: what is stored goes to no other place, and no other way, than
/// it was given for.
fn keep_at_home(
    known: &Connection,
    changed: &BTreeMap<Box<str>, Box<str>>,
    removed: &BTreeSet<Box<str>>,
    faults: &mut Faults,
) {
    let moves = |place: &&str| {
        let to = changed.get(*place);
        let from = known.credentials.get(*place);
        (to.is_some() && to != from) || (removed.contains(*place) && from.is_some())
    };
    let Some(place) = PLACES.iter().copied().find(moves) else { return };
    let kept = known.credentials.keys();
    let kept = kept.filter(|name| !changed.contains_key(*name) && !removed.contains(*name));
    for name in kept.filter(|name| !PLACES.contains(&name.as_ref())) {
        let fault = format!("is to be sent again, because {place} changes");
        faults.note(format!("/credentials/{name}"), Code::MissingField, fault);
    }
}

/// The credentials that were given, by name.
fn named(request: CredentialsRequest) -> BTreeMap<Box<str>, Box<str>> {
    let given = [
        ("app_secret", request.app_secret),
        ("verify_token", request.verify_token),
        ("access_token", request.access_token),
        ("api_key", request.api_key),
        ("app", request.app),
        ("account", request.account),
        ("auth_token", request.auth_token),
        ("username", request.username),
        ("password", request.password),
        (HOOK_TOKEN, request.hook_token),
        (BASE_URL, request.base_url),
        (HOST, request.host),
        (PORT, request.port.map(|port| port.to_string())),
        (TLS, request.tls),
    ];
    let given = given.into_iter().filter_map(|(name, text)| Some((name.into(), text?.into())));
    given.collect()
}

/// Notes what keeps a connection from speaking with its provider.
fn check(app: &App, connection: &Connection, faults: &mut Faults) {
    let (provider, known) = (connection.provider, names(connection.provider));
    for name in connection.credentials.keys().filter(|name| !known.contains(&name.as_ref())) {
        let fault = if known.is_empty() {
            format!("is not for {provider}, which needs no credentials")
        } else {
            format!("is not for {provider}; its credentials are {}", known.join(", "))
        };
        faults.note(format!("/credentials/{name}"), Code::UnknownField, fault);
    }
    let place = format!("/credentials/{BASE_URL}");
    if let Some(Err(refused)) = base_url_of(connection).map(|url| app.carrier().guard().check(&url))
    {
        let example = "https://api.example";
        faults.note_with_example(place, Code::InvalidValue, refused.to_string(), example);
    }
    if let Some((host, port)) = relay_of(connection)
        && let Err(refused) = app.carrier().guard().check_relay(host.as_str(), port.number())
    {
        let (name, example) = fault_of_relay(refused);
        let place = format!("/credentials/{name}");
        faults.note_with_example(place, Code::InvalidValue, refused.to_string(), example);
    }
    let Err(NoAccount::Faults(wrong)) = account_of(connection) else { return };
    for CredentialFault { name, fault, example } in wrong {
        let place = format!("/credentials/{name}");
        if faults.is_wrong_at(&[&place]) {
            continue;
        }
        match fault {
            Some(fault) => faults.note_with_example(place, Code::InvalidValue, fault, example),
            None => faults.note_with_example(place, Code::MissingField, "is missing", example),
        }
    }
}

/// Which part of a relay's place is refused, and one that would do.
const fn fault_of_relay(refused: Refused) -> (&'static str, &'static str) {
    match refused {
        Refused::Port(_) | Refused::RelayPort(_) => (PORT, "465"),
        Refused::NoHost | Refused::Localhost | Refused::Private(_) | Refused::Nowhere(_) => {
            (HOST, "smtp.shop.example")
        }
    }
}

/// Whether an answer shows the token of the hook.
#[derive(Clone, Copy)]
enum Hook {
    WithToken,
    WithoutToken,
}

impl ConnectionAnswer {
    fn of(app: &App, id: ConnectionId, connection: &Connection, hook: Hook) -> Self {
        let path = match (connection.provider, hook) {
            (Provider::Sandbox | Provider::Smtp, _) => None,
            (_, Hook::WithToken) => Some(paths::hook(id, connection)),
            (_, Hook::WithoutToken) => Some(format!("/hooks/{id}")),
        };
        Self {
            id: id.to_string(),
            name: connection.name.to_string(),
            provider: connection.provider.as_str(),
            credentials: connection.credentials.keys().map(ToString::to_string).collect(),
            hook: path.map(|path| format!("{}{path}", app.public_url().unwrap_or_default())),
            deleted_at: connection.deleted_at.map(|at| at.to_string()),
        }
    }
}
