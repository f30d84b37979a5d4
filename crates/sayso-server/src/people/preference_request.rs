//! `/p`: somebody who has no link asks for theirs, by their address.
//!
//! The answer is the same, and takes the same time, whoever is known (rule 23): what is known is looked up
//! after it, by [`crate::workers::link_requests`].

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use sayso_core::address::Address;
use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::workspace::Workspace;
use sayso_pages::personal::request::{ADDRESS, LinkRequest, WORKSPACE};

use super::pages::respond;
use super::visitor::{Fields, answer, language_of};
use crate::answer_time::Whole;
use crate::app::link_requests::AskedLink;
use crate::app::{App, Peer};
use crate::body::Faults;
use crate::body::address::{Care, Place, Reading};
use crate::problem::{Code, Problem};
use crate::rate::Network;

/// Asks for the address.
pub(super) async fn ask(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == WORKSPACE);
    let counted = app.take_network(&parts);
    let asked = find(&app, named.as_ref().map(|(_, id)| id.as_ref())).and_then(|workspace| {
        counted?;
        let workspace_id = workspace.id.to_string();
        let page = page(&workspace, &workspace_id, &parts);
        Ok(respond(StatusCode::OK, page.ask(), &[]))
    });
    answer(asked, &parts.headers)
}

/// Takes a request for the link of an address. Whether anything is known of it is looked up after the answer.
pub(super) async fn take(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let counted = app.take_network(&parts);
    let fields = Fields::read(body).await;
    let whole = Whole::now();
    let taken = find(&app, fields.find(WORKSPACE)).and_then(|workspace| {
        counted?;
        let workspace_id = workspace.id.to_string();
        let page = page(&workspace, &workspace_id, &parts);
        let given = fields.find(ADDRESS).unwrap_or_default().trim();
        let Some(address) = address(given, &workspace, &app) else {
            let refused = LinkRequest { refused: Some(given), ..page };
            return Ok(respond(StatusCode::UNPROCESSABLE_ENTITY, refused.ask(), &[]));
        };
        let peer = parts.extensions.get::<Peer>().copied();
        let network = Network::of(app.client_ip(peer, &parts.headers));
        let workspace_id = workspace.id;
        let asked = AskedLink::of(workspace_id, address, network, &page).by_email_first();
        app.ask_link(asked)?;
        Ok(respond(StatusCode::OK, page.sent(), &[]))
    });
    whole.wait(limits::PUBLIC_ANSWER_TIME).await;
    answer(taken, &parts.headers)
}

/// The workspace of that id; the only one, where none is named.
fn find(app: &App, named: Option<&str>) -> Result<Arc<Workspace>, Problem> {
    let workspaces = app.store().workspaces();
    let found = match named {
        Some(id) => WorkspaceId::parse(id).ok().and_then(|id| workspaces.get(&id)),
        None => workspaces.values().next().filter(|_| workspaces.len() == 1),
    };
    found.cloned().ok_or_else(|| Problem::new(Code::NotFound))
}

fn page<'a>(workspace: &'a Workspace, id: &'a str, parts: &Parts) -> LinkRequest<'a> {
    LinkRequest {
        language: language_of(parts),
        business: &workspace.name,
        workspace: id,
        refused: None,
        answered: None,
    }
}

/// A phone number or an email address, if it is one.
fn address(given: &str, workspace: &Workspace, app: &App) -> Option<Address> {
    let region = workspace.settings.at(app.now()).region;
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
    let mut faults = Faults::default();
    if given.contains('@') {
        reading.email(given, ADDRESS, &mut faults).map(Address::Email)
    } else {
        reading.phone(given, ADDRESS, &mut faults).map(Address::Phone)
    }
}
