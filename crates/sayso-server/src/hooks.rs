//! `/hooks/{connection}`: what providers tell us.
//!
//! A call is read only once it is known to be the provider's own, over its raw bytes. *The 2xx comes
//! after what was told is durable*; a provider that gets none tells it again, which changes nothing. An
//! unknown connection is answered as a call that cannot be verified, and not before the same time.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sayso_channels::call::{Call, Malformed, Method as CallMethod, Unverified};
use sayso_channels::connection::Connection as Account;
use sayso_channels::inbound::ProviderEvent;
use sayso_channels::meta;
use sayso_channels::party::Numbers;
use sayso_core::address::phone::{Phone, PhoneBook, Region};
use sayso_core::id::ConnectionId;
use sayso_core::limits;
use sayso_core::words::channel::Provider;
use sayso_core::workspace::Workspace;

use crate::account::{self, account_of};
use crate::answer_time::Whole;
use crate::app::{App, Peer};
use crate::body::{read_past, read_within};
use crate::heard::inbound;
use crate::problem::{Code, Problem};
use crate::rejecting::Rejecting;

/// The routes. They are no part of the API that clients call.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/hooks/{connection}", get(take).post(take))
}

async fn take(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let peer = request.extensions().get::<Peer>().copied();
    let (parts, body) = request.into_parts();
    // What is no text names no connection.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let hook = Hook::find(&app, &id);
    let body = if hook.is_some() {
        let read = read_within(body, limits::HOOK_BODY_BYTES_MAX, app.hook_room()).await;
        read.map(|(bytes, taken)| (bytes, Some(taken)))
    } else {
        // It is heard to its end as any other would be, and not kept.
        let read = read_past(body, limits::HOOK_BODY_BYTES_MAX).await;
        read.map(|()| (Vec::new(), None))
    };
    let whole = Whole::now();
    let proven = body.and_then(|(body, taken)| {
        let hook = hook.ok_or_else(|| unverified(&app))?;
        let told = hook.prove(&app, (&parts, peer), &body)?;
        Ok((hook, told, body, taken))
    });
    let (hook, told, body, _taken) = match proven {
        Ok(proven) => proven,
        Err(problem) => {
            // Whoever proves nothing does not learn which connections there are, from its time neither.
            whole.wait(limits::PUBLIC_ANSWER_TIME).await;
            return Err(problem);
        }
    };
    match told {
        Told::Handshake(challenge) => {
            let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            Ok((plain, challenge).into_response())
        }
        Told::Events(events) => {
            inbound::take(&app, &hook.workspace, hook.id, events).await?;
            Ok(taken(hook.account.provider()))
        }
        Told::Malformed(malformed) => Err(hook.reject(&app, malformed, &body)),
    }
}

/// What a provider proved to have told.
enum Told {
    /// That it wants to see this challenge again.
    Handshake(String),
    /// What happened.
    Events(Vec<ProviderEvent>),
    /// Something that cannot be read.
    Malformed(Malformed),
}

/// The hook of a living connection.
struct Hook {
    workspace: Arc<Workspace>,
    id: ConnectionId,
    account: Account,
}

impl Hook {
    fn find(app: &App, id: &str) -> Option<Self> {
        let id = ConnectionId::parse(id).ok()?;
        let workspaces = app.store().workspaces();
        workspaces.values().find_map(|workspace| {
            let connection = workspace.connections.get(&id)?;
            let connection = Some(connection).filter(|found| found.deleted_at.is_none())?;
            // A relay calls nobody.
            let account::Account::Http(account) = account_of(connection).ok()? else { return None };
            Some(Self { workspace: Arc::clone(workspace), id, account })
        })
    }

    /// What a call tells, if it is the provider's own.
    fn prove(
        &self,
        app: &App,
        (parts, peer): (&Parts, Option<Peer>),
        body: &[u8],
    ) -> Result<Told, Problem> {
        let url = app.outer_url(peer, parts);
        let headers: Vec<(&str, &[u8])> =
            parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let call = Call { method: method_of(parts), url: &url, headers: &headers, body };
        let told = match (&self.account, call.method) {
            (Account::Meta(credentials), CallMethod::Get) => {
                meta::handshake(&call, credentials).map(Told::Handshake)
            }
            (account, _) => account
                .receive(&call, &self.numbers(app))
                .map(|read| read.map_or_else(Told::Malformed, Told::Events)),
        };
        told.map_err(|(Unverified::Missing | Unverified::Wrong)| unverified(app))
    }

    /// How numbers in its calls are read: national ones by the region of the workspace, else by that of
    /// our own number there.
    fn numbers<'a>(&self, app: &'a App) -> Numbers<'a> {
        let book = app.phones();
        let region = self.workspace.settings.at(app.now()).region;
        let home = if region.is_some() { None } else { self.home(book) };
        Numbers { book, region, home }
    }

    /// The region of all its senders that are numbers of one.
    fn home(&self, book: &PhoneBook) -> Option<Region> {
        let senders = self.workspace.senders.values();
        let ours = senders
            .filter(|sender| sender.connection == Some(self.id) && sender.deleted_at.is_none());
        let mut regions =
            ours.filter_map(|sender| Phone::parse(&sender.address, None, book).ok()?.region(book));
        let first = regions.next();
        first.filter(|first| regions.all(|other| other == *first))
    }

    /// Keeps a call that cannot be read.
    fn reject(&self, app: &App, malformed: Malformed, body: &[u8]) -> Problem {
        let problem = Problem::new(Code::HookMalformed).detail(format!("the call {malformed}"));
        let mut rejecting = Rejecting::of_connection(app, &self.workspace, self.id);
        rejecting.add(&problem, None, body);
        rejecting.keep();
        problem
    }
}

fn method_of(parts: &Parts) -> CallMethod {
    if parts.method == Method::POST { CallMethod::Post } else { CallMethod::Get }
}

/// The answer to who cannot prove that they are the provider: the same whatever is wrong.
fn unverified(app: &App) -> Problem {
    app.metrics().count_unverified_hook();
    Problem::new(Code::HookUnverified)
}

/// The answer to a call that was taken: nothing to do, and nothing to say to the person.
fn taken(provider: Provider) -> Response {
    match provider {
        Provider::Twilio => ([(header::CONTENT_TYPE, "text/xml")], "<Response/>").into_response(),
        Provider::Sandbox
        | Provider::Meta
        | Provider::Gupshup
        | Provider::Kannel
        | Provider::Smtp => StatusCode::OK.into_response(),
    }
}
