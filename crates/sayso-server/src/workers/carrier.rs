//! Hands messages over to providers (rule 28): here by HTTP, by SMTP in [`relay`](super::relay).
//!
//! What is sent, and what an answer says, is in `sayso-channels`; here are the one client with its
//! bounds, and what an answer means for the message. *A message is tried again only where nothing was
//! written to the provider, or where it said that it did not take it.* All else is `unknown`. Where the
//! provider refuses because the person said no there, the address is blocked before the message ends
//! (rule 12). URLs, headers, bodies and addresses are never logged: they hold secrets and people.

use sayso_channels::connection::Connection as HttpAccount;
use sayso_channels::failure::{ErrorMeaning, Failure};
use sayso_channels::outbound::{Answer, HandOver, Oddity, Recipient};
use sayso_core::address::Address;
use sayso_core::gate::sender_health::Known;
use sayso_core::gate::template::TemplateState;
use sayso_core::limits;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::Provider;
use sayso_store::message::{Claimed, HandOverEnd};
use sayso_store::store::StoreError;

use super::carriage::{Carriage, Handed, with_outgoing, word_of};
use super::persist;
use super::relay;
use crate::account::Account;
use crate::app::App;
use crate::app::carrier::Exchange;
use crate::heard::accounts;
use crate::heard::failures::{self, Failed};
use crate::heard::health;

/// Hands a message over that was begun, and says how that ended.
pub(crate) async fn carry(
    app: &App,
    carriage: &Carriage,
    claimed: Claimed,
) -> Result<HandOverEnd, StoreError> {
    let known = Known::all(app.now());
    let template =
        carriage.workspace.template(claimed.route.sender, claimed.payload.template(), known);
    if let Some(why) = template.state.and_then(TemplateState::failure) {
        return Ok(HandOverEnd::Failed { why: why.into() });
    }
    let handed = match &carriage.account {
        Account::Http(account) => by_http(app, carriage, account, &claimed).await,
        Account::Smtp(relay) => relay::hand_over(app, carriage, relay, &claimed).await,
    };
    let answered = match handed {
        Handed::Answered(answered) => answered,
        Handed::NotAllowed(refused) => {
            app.metrics().count_outgoing_refused();
            tracing::error!(error = %refused, connection.id = %carriage.connection, "messages wait: their provider's address is not to be called");
            rest(app, carriage, &claimed, None);
            return Ok(later(&claimed, app.now(), None));
        }
        Handed::NotBegun(failure) => {
            if let Some(failure) = failure {
                obey(app, carriage, &claimed, &failure).await?;
            }
            rest(app, carriage, &claimed, None);
            return Ok(later(&claimed, app.now(), None));
        }
        Handed::Unanswered => return Ok(HandOverEnd::Unknown { why: "no_answer".into() }),
        Handed::Unsendable(why) => return Ok(HandOverEnd::Failed { why: why.into() }),
    };
    Ok(match answered {
        HandOver::Accepted { provider_id, recipient } => {
            if let Some(recipient) = &recipient {
                join(app, carriage, &claimed, recipient).await?;
            }
            if let Some(sender) = claimed.route.sender {
                app.dispatch().back_offs().went((carriage.workspace.id, sender));
            }
            HandOverEnd::Accepted { provider_id: provider_id.map(Box::from) }
        }
        HandOver::Refused(failure) => {
            obey(app, carriage, &claimed, &failure).await?;
            HandOverEnd::Failed { why: failure.code.into() }
        }
        HandOver::TryLater { after, failure } => {
            if failure.meaning.is_of_the_sender() {
                rest(app, carriage, &claimed, after);
            }
            obey(app, carriage, &claimed, &failure).await?;
            later(&claimed, app.now(), after)
        }
        HandOver::Unknown { why } => HandOverEnd::Unknown { why: oddity_word(why).into() },
    })
}

async fn by_http(
    app: &App,
    carriage: &Carriage,
    account: &HttpAccount,
    claimed: &Claimed,
) -> Handed {
    let request = match with_outgoing(carriage, claimed, |outgoing| account.send(outgoing)) {
        Ok(request) => request,
        Err(fault) => return Handed::Unsendable(word_of(fault)),
    };
    match app.carrier().exchange(request).await {
        Exchange::Answered(answered) => Handed::Answered(account.read_answer(&Answer {
            status: answered.status,
            retry_after: answered.retry_after.as_deref(),
            body: &answered.body,
        })),
        Exchange::NotAllowed(refused) => Handed::NotAllowed(refused),
        Exchange::NotBegun => Handed::NotBegun(None),
        Exchange::Unanswered => Handed::Unanswered,
        Exchange::Unsendable => Handed::Unsendable("no_request"),
    }
}

/// Rests the sender of a message that its provider did not take.
fn rest(app: &App, carriage: &Carriage, claimed: &Claimed, asked: Option<Span>) {
    if let Some(sender) = claimed.route.sender {
        let queue = (carriage.workspace.id, sender);
        app.dispatch().back_offs().rest(queue, app.now(), asked);
    }
}

/// Our side as a provider names it: Gupshup wants the digits alone.
pub(crate) fn named_by(provider: Provider, address: &str) -> Box<str> {
    match provider {
        Provider::Gupshup => address.trim_start_matches('+').into(),
        Provider::Sandbox
        | Provider::Meta
        | Provider::Twilio
        | Provider::Kannel
        | Provider::Smtp => address.into(),
    }
}

/// When a message that was not taken is decided anew: when the provider says, else after as long again
/// as it has waited, and never after it is of no use.
fn later(claimed: &Claimed, now: Timestamp, asked: Option<Span>) -> HandOverEnd {
    let waited = now.as_micros().saturating_sub(claimed.queued_at.as_micros());
    let wait = asked.unwrap_or(Span::micros(waited).min(limits::RESEND_AFTER_MAX));
    let due_at = now.plus(wait.max(limits::RESEND_AFTER_MIN)).min(claimed.expires_at);
    HandOverEnd::Requeued { due_at }
}

/// Records what the provider's refusal says about the person and the sender, trying until it can; says
/// what it says about the account.
async fn obey(
    app: &App,
    carriage: &Carriage,
    claimed: &Claimed,
    failure: &Failure,
) -> Result<(), StoreError> {
    if matches!(failure.meaning, ErrorMeaning::WrongCredentials | ErrorMeaning::AccountBlocked) {
        tracing::error!(connection.id = %carriage.connection, provider.meaning = failure.meaning.as_str(), "a provider refuses an account of ours");
    }
    let workspace = &carriage.workspace;
    let at = app.now();
    let failed = Failed {
        message: &claimed.id.to_string(),
        to: std::slice::from_ref(&claimed.to),
        channel: claimed.route.channel,
        sender: claimed.route.sender,
        failure,
        at,
    };
    persist("a provider's refusal", || {
        failures::obey(app, workspace, carriage.connection, &failed)
    })
    .await?;
    let signal = health::of_failure(failure.meaning, &failure.code, at);
    let (Some(sender), Some(signal)) = (claimed.route.sender, signal) else { return Ok(()) };
    let tell = || health::tell(app, workspace.id, sender, signal.clone());
    persist("how a sender stands", tell).await
}

/// Records that whom the provider says it sends to and whom we wrote to are one account, trying until it
/// can: the next refusal may come under that name alone.
async fn join(
    app: &App,
    carriage: &Carriage,
    claimed: &Claimed,
    recipient: &Recipient,
) -> Result<(), StoreError> {
    let Some(party) = recipient.party(&claimed.to, app.phones()) else { return Ok(()) };
    let told = format!("account of the answer to {}", claimed.id);
    let addresses: Vec<Address> =
        std::iter::once(claimed.to.clone()).chain(party.addresses()).collect();
    persist("that two addresses are one account", || {
        let of = (claimed.route.channel, addresses.clone());
        accounts::join(app, &carriage.workspace, carriage.connection, of, (&told, None))
    })
    .await
}

/// The word for an answer that leaves the outcome open.
const fn oddity_word(oddity: Oddity) -> &'static str {
    match oddity {
        Oddity::ServerError(_) => "provider_broke_down",
        Oddity::Unreadable(_) => "answer_unreadable",
        Oddity::Status(_) => "answer_says_nothing",
    }
}
