//! Reports on messages: how far each has come, and what a failure says about the person
//! (rule 12) and the sender.

use std::time::Duration;

use sayso_channels::inbound::{MessageState as Told, Reported};
use sayso_channels::party::Party;
use sayso_core::address::Address;
use sayso_core::gate::message::MessageState;
use sayso_core::id::{ConnectionId, MessageId};
use sayso_core::limits;
use sayso_core::workspace::Workspace;
use sayso_store::message::{MessageName, MessageReport, StoredMessage};

use super::accounts::join;
use super::failures::{self, Failed};
use super::health;
use super::sender::sender_named;
use crate::app::App;
use crate::body::duration;
use crate::problem::Problem;

/// How often a report that came too early is brought again.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Takes in a report. One on a message that is not ours is as good as taken.
pub(crate) async fn take(
    app: &App,
    workspace: &Workspace,
    connection: ConnectionId,
    reported: &Reported,
) -> Result<(), Problem> {
    obey(app, workspace, connection, reported).await?;
    let state = match &reported.state {
        // That it was handed over is known from the answer to it.
        Told::Accepted => return Ok(()),
        Told::Sent => MessageState::Sent,
        Told::Delivered => MessageState::Delivered,
        Told::Read => MessageState::Read,
        Told::Failed(_) => MessageState::Failed,
    };
    let failure = match &reported.state {
        Told::Failed(failure) => Some(failure.code.as_str().into()),
        Told::Accepted | Told::Sent | Told::Delivered | Told::Read => None,
    };
    let received = app.now();
    let at = reported.occurred_at.map_or(received, |claimed| claimed.last().min(received));
    for message in names(reported) {
        let report = MessageReport { message, state, at, failure: failure.clone() };
        if bring(app, workspace, &report).await? {
            break;
        }
    }
    Ok(())
}

/// The names by which we may know the message: ours first, for the provider's may not be written yet.
fn names(reported: &Reported) -> impl Iterator<Item = MessageName> {
    let ours = reported.message.ours().and_then(|id| MessageId::parse(id).ok());
    let theirs = reported.message.provider().into_iter().chain(reported.message.platform());
    let theirs = theirs.map(|id| MessageName::Provider(id.into()));
    ours.map(MessageName::Ours).into_iter().chain(theirs)
}

/// Brings a report to the store, and says whether it knew the message. A report that names ours by our
/// id may come before the end of its hand-over is written: it waits for that.
async fn bring(app: &App, workspace: &Workspace, report: &MessageReport) -> Result<bool, Problem> {
    let workspace_id = workspace.id;
    let bringing = async {
        loop {
            let known = app.store().report_messages(workspace_id, vec![report.clone()]).await?;
            if known.contains(&true) {
                return Ok(true);
            }
            let MessageName::Ours(id) = &report.message else { return Ok(false) };
            let message = app.store().message(workspace_id, *id).await?;
            let Some(state) = message.map(|message| message.state) else { return Ok(false) };
            if state == MessageState::Claimed {
                tokio::time::sleep(AGAIN_AFTER).await;
            } else if !state.is_with_provider() {
                return Ok(false);
            }
            // Its hand-over has ended since, or may have.
        }
    };
    tokio::time::timeout(duration(limits::REPORT_WAIT), bringing).await.unwrap_or(Ok(false))
}

/// The message of ours that a report is about.
async fn find(
    app: &App,
    workspace: &Workspace,
    reported: &Reported,
) -> Result<Option<StoredMessage>, Problem> {
    for name in names(reported) {
        let found = app.store().message_named(workspace.id, &name).await?;
        // An id of another channel's provider may look the same.
        let is_it = |sent: &StoredMessage| {
            let route = sent.routes.get(usize::from(sent.route));
            route.is_some_and(|route| route.channel == reported.channel)
        };
        if let Some(found) = found.filter(is_it) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Obeys what a failure says about the person, and about the sender; and that addresses are one account
/// where the report names several. What is said of a message of ours is said of the address that we wrote
/// to, whatever the report names: another address there is another of the same account.
async fn obey(
    app: &App,
    workspace: &Workspace,
    connection: ConnectionId,
    reported: &Reported,
) -> Result<(), Problem> {
    let sent = find(app, workspace, reported).await?;
    let route = sent.as_ref().and_then(|sent| sent.routes.get(usize::from(sent.route)).copied());
    let written_to =
        sent.as_ref().and_then(|sent| sent.personal.as_ref()).map(|(to, _)| to.clone());
    let named = reported.to.iter().flat_map(Party::addresses);
    let mut to: Vec<Address> = written_to.iter().cloned().collect();
    to.extend(named.filter(|named| Some(named) != written_to.as_ref()));
    let (channel, at) = (reported.channel, reported.occurred_at);
    let told = ("account of a report", at);
    join(app, workspace, connection, (channel, to.clone()), told).await?;
    let Told::Failed(failure) = &reported.state else { return Ok(()) };
    let names = &reported.message;
    let ours = sent.as_ref().map(|sent| sent.id.to_string());
    let message = ours.as_deref().or(names.ours()).or(names.provider()).or(names.platform());
    let at = at.map_or(app.now(), |claimed| claimed.last().min(app.now()));
    let named = sender_named(workspace, (connection, channel), reported.sender.as_deref());
    // Kannel's reports name the message alone.
    let sender = named.or(route.and_then(|route| route.sender));
    let message = message.unwrap_or_default();
    let failed = Failed { message, to: &to, channel, sender, failure, at };
    failures::obey(app, workspace, connection, &failed).await?;
    let Some(sender) = sender else { return Ok(()) };
    let workspace_id = workspace.id;
    if failure.meaning.is_of_the_sender() {
        app.dispatch().back_offs().rest((workspace_id, sender), app.now(), None);
    }
    if let Some(signal) = health::of_failure(failure.meaning, &failure.code, at) {
        health::tell(app, workspace_id, sender, signal).await?;
    }
    Ok(())
}
