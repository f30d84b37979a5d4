//! `/p`: somebody who has no link asks for theirs, by their address.
//!
//! The answer is the same, and takes the same time, whoever is known (rule 23); the link goes to the
//! address itself, once a day at the most, and only where something is known of it: nobody can have
//! strangers written to. The message is one that the person asked for, so it goes despite an opt-out (rule
//! 26) and past no block.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use sayso_core::address::{Address, AddressKind};
use sayso_core::channel::{Category, Channel, Content, Message, Occasion};
use sayso_core::decision::{RequireOptIn, Requirement};
use sayso_core::event_id::RequestHash;
use sayso_core::id::{MessageId, WorkspaceId};
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_pages::personal::request::{ADDRESS, LinkRequest, WORKSPACE};
use sayso_store::configuration::Configuration;
use sayso_store::message::{MessageDraft, Payload, Queueing};
use sayso_store::store::{Moment, Subject};
use tokio::time::Instant;

use super::pages::respond;
use super::visitor::{Fields, answer, language_of};
use crate::api::address::{Care, Place, Reading};
use crate::api::check::kind_on;
use crate::app::{App, Peer};
use crate::body::{Faults, duration};
use crate::personal_links::PREFERENCES_URL;
use crate::problem::{Code, Problem};

/// The request of messages that no client requested.
const NO_REQUEST: RequestHash = RequestHash([0; 32]);

/// Asks for the address.
pub(super) async fn ask(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == WORKSPACE);
    let asked = find(&app, named.as_ref().map(|(_, id)| id.as_ref())).and_then(|configuration| {
        take_network(&app, &parts)?;
        let workspace = configuration.workspace.to_string();
        let page = page(&configuration, &workspace, &parts);
        Ok(respond(StatusCode::OK, page.ask(), &[]))
    });
    answer(asked, &parts.headers)
}

/// Sends the link, if the address is known.
pub(super) async fn take(State(app): State<Arc<App>>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let taken = async {
        let counted = take_network(&app, &parts);
        let fields = Fields::read(body).await;
        let configuration = find(&app, fields.find(WORKSPACE))?;
        counted?;
        let workspace = configuration.workspace.to_string();
        let page = page(&configuration, &workspace, &parts);
        let given = fields.find(ADDRESS).unwrap_or_default().trim();
        let Some(address) = address(given, &configuration, &app) else {
            let refused = LinkRequest { refused: Some(given), ..page };
            return Ok(respond(StatusCode::UNPROCESSABLE_ENTITY, refused.ask(), &[]));
        };
        send(&app, &configuration, address, &page).await?;
        Ok(respond(StatusCode::OK, page.sent(), &[]))
    };
    let taken = taken.await;
    tokio::time::sleep_until(started + duration(limits::PUBLIC_ANSWER_TIME)).await;
    answer(taken, &parts.headers)
}

fn take_network(app: &App, parts: &Parts) -> Result<(), Problem> {
    let peer = parts.extensions.get::<Peer>().copied();
    app.rates().take_network(app.client_ip(peer, &parts.headers))
}

/// The workspace of that id; the only one, where none is named.
fn find(app: &App, named: Option<&str>) -> Result<Arc<Configuration>, Problem> {
    let configurations = app.store().configurations();
    let found = match named {
        Some(id) => WorkspaceId::parse(id).ok().and_then(|id| configurations.get(&id)),
        None => configurations.values().next().filter(|_| configurations.len() == 1),
    };
    found.cloned().ok_or_else(|| Problem::new(Code::NotFound))
}

fn page<'a>(configuration: &'a Configuration, id: &'a str, parts: &Parts) -> LinkRequest<'a> {
    LinkRequest {
        language: language_of(parts),
        business: &configuration.name,
        workspace: id,
        refused: None,
    }
}

/// A phone number or an email address, if it is one.
fn address(given: &str, configuration: &Configuration, app: &App) -> Option<Address> {
    let region = configuration.settings.at(app.now()).region;
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
    let mut faults = Faults::default();
    if given.contains('@') {
        reading.email(given, ADDRESS, &mut faults).map(Address::Email)
    } else {
        reading.phone(given, ADDRESS, &mut faults).map(Address::Phone)
    }
}

/// Sends the link to an address of which something is known. What keeps it from going is told to nobody.
async fn send(
    app: &App,
    configuration: &Configuration,
    to: Address,
    page: &LinkRequest<'_>,
) -> Result<(), Problem> {
    if app.public_url().is_none() {
        tracing::error!("no link can be sent to who asks for it: set server.public_url");
        return Err(Problem::new(Code::Internal));
    }
    let workspace = configuration.workspace;
    let subject = Subject::Address(to.clone());
    let known = app.store().registers(workspace, &subject, Moment::Now).await?;
    let now = app.now();
    let routes = routes(configuration, &to, now);
    let key = to.key(&configuration.secret);
    if known.is_empty() || routes.is_empty() || app.rates().take_address(key).is_err() {
        return Ok(());
    }
    let day: String = now.to_string().chars().take(10).collect();
    let once = format!("preference link:{key}:{day}");
    let text = format!("{} {PREFERENCES_URL}", page.message()).into();
    let payload = match to.kind() {
        AddressKind::Email => Payload::Email { subject: page.subject().into(), text },
        AddressKind::Phone | AddressKind::ChannelId | AddressKind::ExternalId => {
            Payload::Text(text)
        }
    };
    let draft = MessageDraft {
        id: MessageId::from_bytes(app.environment().time_sortable_id()),
        key: Some(RequestHash::of_key(&once, &configuration.secret)),
        request: NO_REQUEST,
        to,
        routes,
        require_opt_in: RequireOptIn::Said(Requirement::OptIn),
        payload,
        expires_at: now.plus(limits::REQUESTED_MESSAGE_WINDOW),
        zone: None,
        held: None,
    };
    match app.store().queue_message(workspace, draft).await? {
        Queueing::Queued(message) => {
            let sender = message.routes.first().and_then(|route| route.sender);
            sender.into_iter().for_each(|sender| app.dispatch().wake(workspace, sender));
        }
        Queueing::Retried(_) | Queueing::KeyReused => {}
    }
    Ok(())
}

/// The senders by which it may go, one for each channel: those that are connected.
fn routes(configuration: &Configuration, to: &Address, now: Timestamp) -> Vec<Message> {
    let reaching = Channel::ALL.iter().copied().filter(|channel| kind_on(*channel) == to.kind());
    let route = |channel| {
        configuration.connected_senders(channel).next().map(|sender| Message {
            sender: Some(sender),
            content: Content::FreeForm,
            occasion: Occasion::Requested(now),
            ..Message::ordinary(channel, Category::Authentication)
        })
    };
    reaching.filter_map(route).take(limits::MESSAGE_ROUTES_MAX).collect()
}
