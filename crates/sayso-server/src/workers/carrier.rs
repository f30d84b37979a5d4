//! Hands messages over to providers (rule 28): here by HTTP, by SMTP in [`relay`](super::relay).
//!
//! What is sent, and what an answer says, is in `sayso-channels`; here are the one client with its
//! bounds, and what an answer means for the message. *A message is tried again only where nothing was
//! written to the provider, or where it said that it did not take it.* All else is `unknown`. Where the
//! provider refuses because the person said no there, the address is blocked before the message ends
//! (rule 12). URLs, headers, bodies and addresses are never logged: they hold secrets and people.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url, header};
use sayso_channels::call::Method;
use sayso_channels::connection::Connection as HttpAccount;
use sayso_channels::failure::{ErrorMeaning, Failure};
use sayso_channels::outbound::{
    Answer, Button, CannotSend, HandOver, HttpRequest, Oddity, Outgoing, Payload as Said, Recipient,
};
use sayso_core::address::Address;
use sayso_core::channel::Provider;
use sayso_core::id::ConnectionId;
use sayso_core::limits;
use sayso_core::sender_health::Known;
use sayso_core::template::TemplateState;
use sayso_core::time::{Span, Timestamp};
use sayso_store::configuration::Configuration;
use sayso_store::message::{Claimed, HandOverEnd, Payload};
use sayso_store::store::StoreError;

use super::persist;
use super::relay::{self, Encryption};
use crate::account::Account;
use crate::app::App;
use crate::body::duration;
use crate::hooks::accounts;
use crate::hooks::failures::{self, Failed};
use crate::hooks::health;
use crate::hooks::question::{NO_BUTTON, YES_BUTTON};
use crate::outgoing::{self, Guard, GuardedResolver, Refused};

/// The one client of this server.
#[derive(Debug)]
pub(crate) struct Carrier {
    timeout: Duration,
    guard: Guard,
    /// Made when the first message goes; none if it cannot be made.
    client: OnceLock<Option<Client>>,
    encryption: Encryption,
}

/// How the messages of a sender go.
pub(crate) struct Carriage {
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) connection: ConnectionId,
    pub(crate) account: Account,
    /// Our side, as the provider names it.
    pub(crate) from: Box<str>,
    /// How our side is called.
    pub(crate) name: Box<str>,
    /// Where the provider is to report.
    pub(crate) status_url: Option<String>,
}

/// What became of the hand-over of a message.
pub(super) enum Handed {
    /// The provider said something.
    Answered(HandOver),
    /// Nothing was taken, and no message would be now; with what the provider said, if it spoke.
    NotBegun(Option<Failure>),
    /// Nothing was written, for the guard does not let it there.
    NotAllowed(Refused),
    /// Something may have been written, and no answer came.
    Unanswered,
    /// It can never go as it is: our word for why.
    Unsendable(&'static str),
}

/// What became of a request.
enum Exchange {
    /// There is an answer.
    Answered(Answered),
    /// Nothing was written.
    NotBegun,
    /// Nothing was written, for the guard does not let it there.
    NotAllowed(Refused),
    /// Something may have been written, and no answer came.
    Unanswered,
    /// It is no request.
    Unsendable,
}

/// An answer, and as much of its body as was read.
struct Answered {
    status: u16,
    retry_after: Option<Vec<u8>>,
    body: Vec<u8>,
}

impl Carrier {
    /// A client that waits this long for an answer.
    pub(crate) fn new(timeout: Duration, guard: Guard) -> Self {
        Self { timeout, guard, client: OnceLock::new(), encryption: Encryption::default() }
    }

    /// How relays are encrypted to.
    pub(super) const fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// How long a provider may take to answer.
    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What it may call.
    pub(crate) const fn guard(&self) -> &Guard {
        &self.guard
    }

    fn client(&self) -> Option<&Client> {
        self.client.get_or_init(|| self.build()).as_ref()
    }

    fn build(&self) -> Option<Client> {
        // The one provider of this process; that it is installed already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        Client::builder()
            .user_agent(concat!("sayso/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(duration(limits::PROVIDER_CONNECT_TIMEOUT))
            .timeout(self.timeout)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver::of_system(self.guard.clone())))
            .build()
            .inspect_err(|error| {
                tracing::error!(error = %error, "nothing can be sent: the HTTP client cannot be made");
            })
            .ok()
    }

    async fn exchange(&self, request: HttpRequest) -> Exchange {
        let Some(client) = self.client() else { return Exchange::NotBegun };
        let HttpRequest { method, url, headers, body } = request;
        let Ok(url) = Url::parse(&url) else { return Exchange::Unsendable };
        if let Err(refused) = self.guard.check(&url) {
            return Exchange::NotAllowed(refused);
        }
        let mut asking = match method {
            Method::Get => client.get(url),
            Method::Post => client.post(url).body(body),
        };
        for (name, value) in headers {
            asking = asking.header(name, value);
        }
        match asking.send().await {
            Ok(response) => Exchange::Answered(Answered::read(response).await),
            Err(error) if error.is_builder() => Exchange::Unsendable,
            Err(error) if error.is_connect() => {
                outgoing::refusal(&error).map_or(Exchange::NotBegun, Exchange::NotAllowed)
            }
            Err(_) => Exchange::Unanswered,
        }
    }
}

impl Answered {
    /// Reads an answer. A body that breaks off or is too long is what was read of it.
    async fn read(mut response: Response) -> Self {
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.map(|value| value.as_bytes().to_vec());
        let mut body = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            let room = limits::PROVIDER_ANSWER_BYTES_MAX.saturating_sub(body.len());
            body.extend(piece.iter().take(room));
            if room < piece.len() {
                break;
            }
        }
        Self { status: response.status().as_u16(), retry_after, body }
    }
}

/// Hands a message over that was begun, and says how that ended.
pub(crate) async fn carry(
    app: &App,
    carriage: &Carriage,
    claimed: Claimed,
) -> Result<HandOverEnd, StoreError> {
    let known = Known::all(app.now());
    let template = carriage.configuration.template(claimed.route.sender, &claimed.payload, known);
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
                app.dispatch().back_offs().went((carriage.configuration.workspace, sender));
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
        let queue = (carriage.configuration.workspace, sender);
        app.dispatch().back_offs().rest(queue, app.now(), asked);
    }
}

/// Makes what goes to the provider of a message.
pub(super) fn with_outgoing<T>(
    carriage: &Carriage,
    claimed: &Claimed,
    make: impl FnOnce(&Outgoing<'_>) -> Result<T, CannotSend>,
) -> Result<T, CannotSend> {
    let our_id = claimed.id.to_string();
    let filled: Vec<String>;
    let buttons: [Button; 2];
    let payload = match &claimed.payload {
        Payload::Text(text) | Payload::Email { text, .. } => Said::Text(text),
        Payload::Template { name, language, variables } => {
            filled = variables.iter().map(ToString::to_string).collect();
            let language = language.as_deref().unwrap_or_default();
            Said::Template { name, language, variables: &filled }
        }
        Payload::Question { text, yes, no } => {
            let button = |id: &str, title: &str| Button { id: id.into(), title: title.into() };
            buttons = [button(YES_BUTTON, yes), button(NO_BUTTON, no)];
            Said::Question { text, buttons: &buttons }
        }
    };
    make(&Outgoing {
        channel: claimed.route.channel,
        to: &claimed.to,
        from: &carriage.from,
        payload,
        our_id: &our_id,
        status_url: carriage.status_url.as_deref(),
    })
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
    let configuration = &carriage.configuration;
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
        failures::obey(app, configuration, carriage.connection, &failed)
    })
    .await?;
    let signal = health::of_failure(failure.meaning, &failure.code, at);
    let (Some(sender), Some(signal)) = (claimed.route.sender, signal) else { return Ok(()) };
    let tell = || health::tell(app, configuration.workspace, sender, signal.clone());
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
        accounts::join(app, &carriage.configuration, carriage.connection, of, (&told, None))
    })
    .await
}

/// The word for why no request could be made of a message.
pub(super) const fn word_of(fault: CannotSend) -> &'static str {
    match fault {
        CannotSend::WrongChannel => "wrong_channel",
        CannotSend::WrongAddress => "wrong_address",
        CannotSend::WrongSender { .. } => "wrong_sender",
        CannotSend::Empty { .. } => "empty_part",
        CannotSend::TooLong { .. } => "too_long",
        CannotSend::TooMany { .. } => "too_many_parts",
        CannotSend::WrongStatusUrl => "wrong_status_url",
        CannotSend::NoTemplates => "no_templates",
    }
}

/// The word for an answer that leaves the outcome open.
const fn oddity_word(oddity: Oddity) -> &'static str {
    match oddity {
        Oddity::ServerError(_) => "provider_broke_down",
        Oddity::Unreadable(_) => "answer_unreadable",
        Oddity::Status(_) => "answer_says_nothing",
    }
}
