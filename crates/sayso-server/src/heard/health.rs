//! How our senders stand: what providers tell of them, and what the rates of a day say.
//!
//! What a provider tells is durable before it gets its 2xx. What it says of an account counts for every
//! sender there. It names a number in its own spelling, which need not be the one that our sender has:
//! then it counts for all of them too, as a thing of its own, so that another number's green ends nothing.

use sayso_channels::failure::ErrorMeaning;
use sayso_channels::inbound::SenderHealth;
use sayso_core::gate::sender_health::{HealthCause, HealthLevel, Says, Signal, Signals, of_rates};
use sayso_core::id::{ConnectionId, SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_core::time::{ClaimedTime, Timestamp};
use sayso_core::workspace::{RuntimeFact, Workspace};
use sayso_store::store::StoreError;
use sayso_store::tally::Tallied;

use crate::app::App;
use crate::problem::Problem;

/// Takes in what a provider tells of a number or an account.
pub(crate) async fn take(
    app: &App,
    workspace: &Workspace,
    connection: ConnectionId,
    told: &SenderHealth,
) -> Result<(), Problem> {
    let Some(level) = told.health else { return Ok(()) };
    let received = app.now();
    let at = told.occurred_at.map_or(received, |at| at.last().min(received));
    let about = told.number.as_deref().map(digits).unwrap_or_default();
    let until = told.until.map(ClaimedTime::last);
    let is_warning = told.cause == HealthCause::Violation;
    let until = until.or_else(|| is_warning.then(|| at.plus(limits::WARNING_HOLDS)));
    let signal = Signal::new(told.cause, Says::Level(level), at, &told.words.join(" "));
    let signal = Signal { until, about: about.into(), ..signal };
    for sender in concerned(workspace, connection, &signal.about) {
        tell(app, workspace.id, sender, signal.clone()).await?;
    }
    Ok(())
}

/// The senders of an account that a number may be: the one with it, else all.
fn concerned(workspace: &Workspace, connection: ConnectionId, number: &str) -> Vec<SenderId> {
    let ours = || {
        let senders = workspace.senders.iter();
        senders.filter(|(_, sender)| {
            sender.connection == Some(connection) && sender.deleted_at.is_none()
        })
    };
    let named = ours().find(|(_, sender)| !number.is_empty() && digits(&sender.address) == number);
    match named {
        Some((id, _)) => vec![*id],
        None => ours().map(|(id, _)| *id).collect(),
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Records a signal, unless it says nothing new; those who wait for the sender are woken.
pub(crate) async fn tell(
    app: &App,
    workspace: WorkspaceId,
    sender: SenderId,
    signal: Signal,
) -> Result<(), StoreError> {
    let workspaces = app.store().workspaces();
    let known = workspaces.get(&workspace).and_then(|all| all.runtime.signals.get(&sender));
    if !known.unwrap_or(&Signals::default()).is_news(&signal) {
        return Ok(());
    }
    app.store().note(workspace, RuntimeFact::Signal(sender, signal)).await?;
    app.dispatch().wake(workspace, sender);
    Ok(())
}

/// What a refused message says of its sender, if it says anything.
pub(crate) fn of_failure(meaning: ErrorMeaning, code: &str, at: Timestamp) -> Option<Signal> {
    let signal = |cause, level, holds| {
        let words = format!("provider's code {code}");
        Some(Signal::new(cause, Says::Level(level), at, &words).until(at.plus(holds)))
    };
    match meaning {
        ErrorMeaning::SpamLimited => {
            signal(HealthCause::SpamLimit, HealthLevel::Red, limits::SPAM_LIMIT_HOLDS)
        }
        ErrorMeaning::AccountBlocked => {
            let holds = limits::ACCOUNT_REFUSED_HOLDS;
            signal(HealthCause::AccountRefused, HealthLevel::Blocked, holds)
        }
        ErrorMeaning::MarketingStop
        | ErrorMeaning::SenderBlocked
        | ErrorMeaning::InferredRefusal
        | ErrorMeaning::NotOnChannel
        | ErrorMeaning::PerhapsNotOnChannel
        | ErrorMeaning::SaysNothing
        | ErrorMeaning::OutsideWindow
        | ErrorMeaning::RateLimited
        | ErrorMeaning::PersonLimited
        | ErrorMeaning::WrongCredentials
        | ErrorMeaning::Retryable
        | ErrorMeaning::Permanent => None,
    }
}

/// Records what the rates of a day say.
pub(crate) async fn heed(
    app: &App,
    workspace: WorkspaceId,
    sender: SenderId,
    tallied: &Tallied,
) -> Result<(), StoreError> {
    for signal in of_rates(&tallied.traffic, app.now()) {
        tell(app, workspace, sender, signal).await?;
    }
    Ok(())
}
