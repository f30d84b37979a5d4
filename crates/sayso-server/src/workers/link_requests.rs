//! Sends people the links that they asked for at `/p`, after their answer (rules 22, 23 and 26).
//!
//! *Whatever is looked up here nobody can time.* A request is counted first, with the questions of double
//! opt-ins and whether or not anything is known of the address: so the counts tell nothing either, and nobody
//! can have many messages sent. The link goes to the address itself, or to an email address of the same person;
//! once a day at the most, and only where the person once said something through it or was written to: nothing goes to an address of which a list
//! or a page alone speaks. The message is one that the person asked for, so it goes despite an opt-out and
//! past no block.

use std::sync::Arc;

use sayso_core::address::{Address, AddressKind};
use sayso_core::gate::decision::{RequireOptIn, Requirement};
use sayso_core::id::{DoubleOptInId, MessageId};
use sayso_core::limits;
use sayso_core::proof::double_opt_in::Counters;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Message;
use sayso_core::words::event_id::RequestHash;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Subject;
use sayso_store::double_opt_in::{AskingEnd, LinkRequest};
use sayso_store::message::{MessageDraft, MessageQuery, Payload, Queueing};
use sayso_store::store::{Moment, StoreError};
use tokio::sync::watch;

use crate::app::App;
use crate::app::link_requests::{AskedLink, Goes, routes};

/// The request of messages that no client requested.
const NO_REQUEST: RequestHash = RequestHash([0; 32]);

/// Sends what is asked for, until the server stops; what was asked for by then is sent too.
pub(crate) async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        send_asked(&app).await;
        tokio::select! {
            _ = stopped.changed() => {}
            () = app.link_requests().is_asked() => {}
        }
    }
    send_asked(&app).await;
}

/// Sends what is asked for.
pub(crate) async fn send_asked(app: &App) {
    loop {
        let Some(asked) = app.link_requests().next() else { return };
        let workspace = asked.workspace;
        if let Err(error) = send(app, asked).await {
            tracing::error!(error = %error, workspace.id = %workspace, "a link that somebody asked for is not sent");
        }
    }
}

async fn send(app: &App, asked: AskedLink) -> Result<(), StoreError> {
    let workspaces = app.store().workspaces();
    let Some(workspace) = workspaces.get(&asked.workspace) else { return Ok(()) };
    let now = app.now();
    let key = asked.address.key(&workspace.secret);
    let day: String = now.to_string().chars().take(10).collect();
    let once = format!("preference link{}:{key}:{day}", asked.answered);
    let once = RequestHash::of_key(&once, &workspace.secret);
    let network = asked.network.bytes();
    let home: Vec<_> = workspace.settings.at(now).region.into_iter().collect();
    let known = (app.phones(), &workspace.secret);
    let request = LinkRequest {
        id: DoubleOptInId::from_bytes(app.environment().time_sortable_id()),
        request: once,
        counters: Counters::of(&asked.address, Some(&network), &home, known),
        address: key,
    };
    match app.store().ask_link(asked.workspace, request).await? {
        AskingEnd::Asked => {}
        AskingEnd::Limited(by) => {
            tracing::warn!(workspace_id.id = %asked.workspace, limit = by.as_str(), "a link does not go: as many questions went today as may");
            return Ok(());
        }
        AskingEnd::Retried | AskingEnd::TooSoon => return Ok(()),
    }
    if !is_reached(app, workspace, &asked.address).await? {
        return Ok(());
    }
    let email = match asked.goes {
        Goes::ByEmailFirst => email_of(app, workspace, &asked.address, now).await?,
        Goes::There => None,
    };
    let asked = match email {
        Some(address) => AskedLink { address, ..asked },
        None => asked,
    };
    let routes = routes(workspace, &asked.address, now);
    if routes.is_empty() {
        return Ok(());
    }
    queue(app, asked, (once, routes), now).await
}

/// Whether the person said something through the address, or was written to.
async fn is_reached(
    app: &App,
    workspace: &Workspace,
    address: &Address,
) -> Result<bool, StoreError> {
    let workspace_id = workspace.id;
    let key = address.key(&workspace.secret);
    let subject = Subject::Address(address.clone());
    let known = app.store().registers(workspace_id, &subject, Moment::Now).await?;
    if known.was_heard() {
        return Ok(true);
    }
    let to_them = MessageQuery { addresses: Some(vec![key]), ..MessageQuery::default() };
    let messages = app.store().messages(workspace_id, &to_them, 1).await?;
    Ok(!messages.messages.is_empty())
}

/// The email address of somebody whose phone this is, where a link can go there: one that they were heard
/// from, and whose phone is nobody else's too.
async fn email_of(
    app: &App,
    workspace: &Workspace,
    phone: &Address,
    now: Timestamp,
) -> Result<Option<Address>, StoreError> {
    let workspace_id = workspace.id;
    let subject = Subject::Address(phone.clone());
    let known = app.store().registers(workspace_id, &subject, Moment::Now).await?;
    if phone.kind() != AddressKind::Phone || known.links().count() != 1 {
        return Ok(None);
    }
    let Some(person) = app.store().find_profile(workspace_id, &subject).await? else {
        return Ok(None);
    };
    for email in person.addresses.into_iter().filter(|it| it.kind() == AddressKind::Email) {
        let can_go = !routes(workspace, &email, now).is_empty();
        if can_go && is_reached(app, workspace, &email).await? {
            return Ok(Some(email));
        }
    }
    Ok(None)
}

async fn queue(
    app: &App,
    asked: AskedLink,
    (once, routes): (RequestHash, Vec<Message>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let AskedLink { workspace, address, subject, text, .. } = asked;
    let payload = match address.kind() {
        AddressKind::Email => Payload::Email { subject, text },
        AddressKind::Phone | AddressKind::ChannelId | AddressKind::ExternalId => {
            Payload::Text(text)
        }
    };
    let draft = MessageDraft {
        id: MessageId::from_bytes(app.environment().time_sortable_id()),
        key: Some(once),
        request: NO_REQUEST,
        to: address,
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
