//! Hands messages over: one worker for each sender claims, begins, hands over, and writes how it ended
//! (rule 28).
//!
//! A worker claims a window of messages, which the store decides on what it knows then. Right before
//! each hand-over it asks the store whether it may still begin: something recorded about the person
//! since revokes the claim, and the message goes back to be decided anew. A worker that cannot write
//! how a hand-over ended tries until it can; if the process ends before, the message is `unknown`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use sayso_core::gate::message::MessageState;
use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Channel;
use sayso_store::message::{Claimed, Claiming, HandOver, HandOverEnd, MessageReport};
use sayso_store::store::StoreError;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::carriage::Carriage;
use super::carrier::{carry, named_by};
use super::{BACK_OFF, persist};
use crate::account::{Account, NoAccount, account_of};
use crate::app::App;
use crate::app::back_off::Queue;
use crate::app::sandbox::{Arrived, Taken};
use crate::body::duration;
use crate::paths;
use crate::personal_links::{fill, texts, waits};
use crate::way_out::stands_by_link;

/// A worker that has nothing to do looks again after this time: what it waits for may have come
/// without a word.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Runs a worker for every sender that has something to do, until the server stops. Nothing is
/// claimed after that, and what is under way is finished.
pub(crate) async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut workers = JoinSet::new();
    let mut rescan = tokio::time::interval(LOOK_AGAIN);
    let mut working: HashSet<Queue> = HashSet::new();
    loop {
        let fresh: Vec<(Queue, Arc<Notify>)> = app
            .dispatch()
            .bells()
            .into_iter()
            .filter(|(queue, _)| !working.contains(queue))
            .collect();
        for (queue, bell) in fresh {
            working.insert(queue);
            workers.spawn(work(Arc::clone(&app), queue, bell, stopped.clone()));
        }
        tokio::select! {
            _ = stopped.changed() => break,
            () = app.dispatch().is_fresh() => {}
            // At the start, and whenever a word was lost with a request that went away.
            _ = rescan.tick() => wake_waiting(&app).await,
        }
    }
    let drained = async { while workers.join_next().await.is_some() {} };
    if tokio::time::timeout(duration(limits::DRAIN_TIMEOUT), drained).await.is_err() {
        tracing::warn!("hand-overs under way are cut off: how they ended is unknown");
    }
}

/// Wakes every sender that messages wait for.
async fn wake_waiting(app: &App) {
    match app.store().waiting_senders().await {
        Ok(waiting) => {
            for (workspace, sender) in waiting {
                app.dispatch().wake(workspace, sender);
            }
        }
        Err(error) => {
            tracing::error!(error = %error, "which messages wait cannot be read; it is tried again");
        }
    }
}

/// Works for one sender until the server stops.
async fn work(app: Arc<App>, queue: Queue, bell: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let pause = match send_some(&app, queue).await {
            Ok(Progress::More) => continue,
            Ok(Progress::Idle(due_at)) => due_at.map_or(LOOK_AGAIN, |due_at| {
                let wait = due_at.as_micros().saturating_sub(app.now().as_micros());
                LOOK_AGAIN.min(Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
            }),
            Err(error) => {
                tracing::error!(error = %error, "messages wait: the store does not decide them");
                BACK_OFF
            }
        };
        tokio::select! {
            _ = stopped.changed() => {}
            () = bell.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// How far a worker came.
enum Progress {
    /// There is more to do at once.
    More,
    /// There is nothing to do until then, or until it is woken.
    Idle(Option<Timestamp>),
}

/// Hands over every message that is due, of every sender.
pub(crate) async fn send_due(app: &App) -> Result<usize, StoreError> {
    let mut claimed = 0;
    loop {
        let mut more = false;
        for queue in app.store().waiting_senders().await? {
            let (claiming, some) = claim_and_send(app, queue).await?;
            claimed += some;
            more |= some > 0 || claiming.more || !claiming.rerouted.is_empty();
        }
        if !more {
            return Ok(claimed);
        }
    }
}

async fn send_some(app: &App, queue: Queue) -> Result<Progress, StoreError> {
    let (claiming, claimed) = claim_and_send(app, queue).await?;
    let more = claiming.more || claimed > 0;
    Ok(if more { Progress::More } else { Progress::Idle(claiming.next_due_at) })
}

/// Claims a window of messages and hands them over; how many there were.
async fn claim_and_send(app: &App, queue: Queue) -> Result<(Claiming, usize), StoreError> {
    let (workspace, sender) = queue;
    let way = way_of(app, queue);
    let rests_until = app.dispatch().back_offs().until(queue, app.now());
    // Without a way, or while it rests, nothing is claimed, but what is of no use any more ends.
    let is_going = way.is_some() && rests_until.is_none();
    let items = way.as_ref().filter(|_| is_going).map_or(0, Way::window);
    let mut claiming = app.store().claim_messages(workspace, sender, items).await?;
    let metrics = app.metrics();
    metrics.count_messages(MessageState::Failed, claiming.failed);
    claiming.refused.iter().for_each(|reasons| metrics.count_refused_message(*reasons));
    for sender in &claiming.rerouted {
        app.dispatch().wake(workspace, *sender);
    }
    claiming.next_due_at =
        claiming.next_due_at.map(|due_at| rests_until.map_or(due_at, |until| due_at.max(until)));
    let claimed = std::mem::take(&mut claiming.claimed);
    let count = claimed.len();
    let Some(way) = way else {
        claiming.next_due_at = None;
        return Ok((claiming, 0));
    };
    let handed: FuturesUnordered<_> =
        claimed.into_iter().map(|claimed| hand_over(app, workspace, &way, claimed)).collect();
    // What ended is written while others are still on their way.
    let mut handed = handed.ready_chunks(limits::CLAIM_MESSAGES_MAX);
    while let Some(some) = handed.next().await {
        let (ended, reports): (Vec<HandOver>, Vec<Vec<MessageReport>>) = some.into_iter().unzip();
        settle(app, workspace, ended).await?;
        let reports: Vec<MessageReport> = reports.into_iter().flatten().collect();
        if !reports.is_empty() {
            // The others of the window go on whatever becomes of these.
            if let Err(error) = app.store().report_messages(workspace, reports).await {
                tracing::error!(error = %error, "reports of simulated phones are lost");
            }
        }
    }
    Ok((claiming, count))
}

/// How the messages of a sender go.
enum Way {
    /// To simulated phones.
    Sandbox,
    /// To a provider.
    Carriage(Box<Carriage>),
}

impl Way {
    /// How many messages go by it at the same time.
    const fn window(&self) -> usize {
        match self {
            Self::Sandbox => limits::CLAIM_MESSAGES_MAX,
            Self::Carriage(carriage) => match carriage.account {
                Account::Http(_) => limits::CLAIM_MESSAGES_MAX,
                Account::Smtp(_) => limits::SMTP_CONNECTIONS_MAX,
            },
        }
    }
}

/// The way of a sender that sends.
fn way_of(app: &App, (workspace_id, sender): Queue) -> Option<Way> {
    let workspaces = app.store().workspaces();
    let workspace = workspaces.get(&workspace_id)?;
    let sender = workspace.senders.get(&sender)?;
    let id = sender.connection?;
    let connection = workspace.connections.get(&id)?;
    if sender.deleted_at.is_some() || connection.deleted_at.is_some() {
        return None;
    }
    match account_of(connection) {
        Ok(account) => Some(Way::Carriage(Box::new(Carriage {
            workspace: Arc::clone(workspace),
            connection: id,
            account,
            from: named_by(connection.provider, &sender.address),
            name: sender.name.clone(),
            status_url: app.public_url().map(|url| format!("{url}{}", paths::hook(id, connection))),
        }))),
        Err(NoAccount::Sandbox) => Some(Way::Sandbox),
        Err(error @ NoAccount::Faults(_)) => {
            tracing::error!(error = %error, connection.id = %id, "messages wait: their connection cannot be used");
            None
        }
    }
}

/// Begins the hand-over of a message, if it may, and sees it to its end.
async fn hand_over(
    app: &App,
    workspace: WorkspaceId,
    way: &Way,
    claimed: Claimed,
) -> (HandOver, Vec<MessageReport>) {
    let id = claimed.id;
    let Some(began_at) = app.store().begin_hand_over(id) else {
        let at = app.now();
        let end = HandOverEnd::Requeued { due_at: at };
        return (HandOver { id, began_at: None, at, end }, Vec::new());
    };
    let is_exempt = !claimed.waived.is_empty();
    // An email is left by a header that needs the server's URL, which may have gone since it was queued.
    let can_be_left = claimed.route.channel != Channel::Email
        || stands_by_link(&claimed.payload, &claimed.route, app.public_url());
    let linked = can_be_left.then(|| with_links(app, workspace, claimed));
    let Some(claimed) = linked.flatten() else {
        let end = HandOverEnd::Failed { why: "no_public_url".into() };
        return (HandOver { id, began_at: Some(began_at), at: app.now(), end }, Vec::new());
    };
    let Taken { end, reports } = match way {
        Way::Sandbox => to_sandbox(app, workspace, claimed).await,
        Way::Carriage(carriage) => {
            let end = carry(app, carriage, claimed).await.unwrap_or_else(|error| {
                tracing::error!(error = %error, "what a provider said of a message cannot be recorded");
                HandOverEnd::Unknown { why: "not_recorded".into() }
            });
            Taken { end, reports: Vec::new() }
        }
    };
    if is_exempt && matches!(end, HandOverEnd::Accepted { .. }) {
        app.metrics().count_exempt_message();
    }
    (HandOver { id, began_at: Some(began_at), at: app.now(), end }, reports)
}

/// The message with the links of its person; none where the server does not know its own URL any more.
fn with_links(app: &App, workspace_id: WorkspaceId, claimed: Claimed) -> Option<Claimed> {
    if !texts(&claimed.payload).any(waits) {
        return Some(claimed);
    }
    let workspaces = app.store().workspaces();
    let workspace = workspaces.get(&workspace_id)?;
    let key = claimed.to.key(&workspace.secret);
    let person = (&claimed.route, key);
    let payload = fill(claimed.payload, app.public_url()?, workspace, person, app.now());
    Some(Claimed { payload, ..claimed })
}

async fn to_sandbox(app: &App, workspace_id: WorkspaceId, claimed: Claimed) -> Taken {
    let workspaces = app.store().workspaces();
    let Some(workspace) = workspaces.get(&workspace_id) else {
        let end = HandOverEnd::Failed { why: "no_workspace".into() };
        return Taken { end, reports: Vec::new() };
    };
    let place = (workspace_id, claimed.to.key(&workspace.secret));
    let delay = app.sandbox().phone(place.0, place.1).delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let Claimed { id, route, payload, .. } = claimed;
    let arrived =
        Arrived { id, channel: route.channel, sender: route.sender, payload, at: app.now() };
    app.sandbox().take(place, arrived)
}

/// Writes how hand-overs ended: what is not written is `unknown` after a restart.
async fn settle(app: &App, workspace: WorkspaceId, ended: Vec<HandOver>) -> Result<(), StoreError> {
    let written = persist("how messages were handed over", || {
        app.store().settle_messages(workspace, ended.clone())
    });
    written.await?;
    for hand_over in &ended {
        let end = match &hand_over.end {
            HandOverEnd::Accepted { .. } => MessageState::HandedOver,
            HandOverEnd::Failed { .. } => MessageState::Failed,
            HandOverEnd::Unknown { .. } => MessageState::Unknown,
            HandOverEnd::Requeued { .. } => continue,
        };
        app.metrics().count_messages(end, 1);
    }
    Ok(())
}
