//! The application: what every handler and every worker shares. It knows no surface.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::extract::FromRef;
use axum::http::request::Parts;
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{HeaderMap, HeaderValue};
use sayso_core::address::phone::PhoneBook;
use sayso_core::limits;
use sayso_core::state::capture::{Receipt, ServerClock};
use sayso_core::time::Timestamp;
use sayso_core::workspace::{Mode, Workspace};
use sayso_store::Store;
use sayso_store::environment::Environment;

use crate::body::{Room, duration};
use crate::keyring::{Holder, Keyring, Unheld};
use crate::observe::{Metrics, RequestIds};
use crate::outgoing::Guard;
use crate::problem::{Code, Problem};
use crate::rate::{RateLimits, Rates};
use crate::vocabularies::Vocabularies;

use carrier::Carrier;
use counting::Counting;
use dispatch::Dispatch;
use link_requests::{AskedLink, LinkRequests};
use reached::Reached;
use sandbox::Sandbox;
use unproven::Unproven;

pub(crate) mod back_off;
pub(crate) mod carrier;
pub(crate) mod counting;
pub(crate) mod dispatch;
mod encryption;
pub(crate) mod link_requests;
pub(crate) mod reached;
pub(crate) mod sandbox;
pub(crate) mod unproven;

/// What every handler shares.
pub struct App {
    store: Arc<dyn Store>,
    environment: Environment,
    phones: PhoneBook,
    keyring: Keyring,
    rates: RwLock<Arc<Rates>>,
    metrics: Metrics,
    request_ids: RequestIds,
    trusted_proxies: Vec<IpAddr>,
    ready: AtomicBool,
    dispatch: Dispatch,
    counting: Counting,
    unproven: Unproven,
    link_requests: LinkRequests,
    carrier: Carrier,
    sandbox: Sandbox,
    vocabularies: Vocabularies,
    reach: Reached,
    room: Room,
    hook_room: Room,
    outside: Outside,
}

/// What an application is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The limits of requests.
    pub rates: RateLimits,
    /// Proxies whose `x-forwarded-for` and `x-forwarded-proto` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How the server is called from outside.
    pub outside: Outside,
    /// Where the server may call.
    pub outgoing: Guard,
    /// How long a provider may take to answer a message.
    pub provider_timeout: Duration,
}

/// How the server is called from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// Its URL, without a slash at the end, if it is known.
    pub url: Option<Box<str>>,
    /// What the public listener speaks.
    pub listens: Scheme,
}

/// What a listener speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// In clear.
    #[default]
    Http,
    /// TLS.
    Https,
}

impl Options {
    /// These limits, and nothing in front of the server.
    pub fn with_rates(rates: RateLimits) -> Self {
        Self {
            rates,
            trusted_proxies: Vec::new(),
            outside: Outside::default(),
            outgoing: Guard::default(),
            provider_timeout: duration(limits::PROVIDER_ANSWER_TIMEOUT),
        }
    }
}

/// The address of the other end of the connection; the accept loop puts it into each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The id of the request, as its answer and its log line have it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) HeaderValue);

impl App {
    /// An application over a store, whose time is the application's. It is ready at once.
    pub fn new(store: Arc<dyn Store>, environment: Environment, options: Options) -> Arc<Self> {
        let environment = Environment { clock: store.clock(), entropy: environment.entropy };
        Arc::new(Self {
            request_ids: RequestIds::new(&environment),
            store,
            environment,
            phones: PhoneBook::builtin(),
            keyring: Keyring::default(),
            rates: RwLock::new(Arc::new(Rates::new(&options.rates))),
            metrics: Metrics::new(),
            trusted_proxies: options.trusted_proxies,
            ready: AtomicBool::new(true),
            dispatch: Dispatch::default(),
            counting: Counting::default(),
            unproven: Unproven::default(),
            link_requests: LinkRequests::default(),
            carrier: Carrier::new(options.provider_timeout, options.outgoing),
            sandbox: Sandbox::default(),
            vocabularies: Vocabularies::default(),
            reach: Reached::default(),
            room: Room::default(),
            hook_room: Room::of_hooks(),
            outside: options.outside,
        })
    }

    /// The store.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The store, to be kept.
    pub(crate) fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// The room that the bodies of providers' calls share.
    pub(crate) const fn hook_room(&self) -> &Room {
        &self.hook_room
    }

    /// The clock and the random bytes.
    pub(crate) const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The time now: later than everything that the store recorded (rule 2).
    pub(crate) fn now(&self) -> Timestamp {
        self.environment.clock.now()
    }

    /// Whether the machine's clock tells what time it is, as far as the store knows.
    pub(crate) fn server_clock(&self) -> ServerClock {
        if self.environment.clock.held_back() < limits::CLOCK_BEHIND_MIN {
            ServerClock::Right
        } else {
            ServerClock::Behind
        }
    }

    /// The receipt of what arrived at `at`.
    pub(crate) fn receipt(&self, at: Timestamp) -> Receipt {
        Receipt { at, clock: self.server_clock() }
    }

    /// What is known of phone numbers.
    pub(crate) const fn phones(&self) -> &PhoneBook {
        &self.phones
    }

    /// The metrics.
    pub(crate) const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// An id for the next request.
    pub(crate) fn next_request_id(&self) -> HeaderValue {
        self.request_ids.next(self.now())
    }

    /// The counters of requests.
    pub(crate) fn rates(&self) -> Arc<Rates> {
        match self.rates.read() {
            Ok(rates) => Arc::clone(&rates),
            Err(poisoned) => Arc::clone(&poisoned.into_inner()),
        }
    }

    /// Puts other limits in force; counting begins anew.
    pub fn set_rates(&self, limits: &RateLimits) {
        if let Ok(mut rates) = self.rates.write() {
            *rates = Arc::new(Rates::new(limits));
        }
    }

    /// Does what is to be done every few seconds.
    pub fn keep_tidy(&self) {
        self.rates().forget_idle();
        self.metrics.keep_tidy();
    }

    /// Who presents this key; why nobody does, if it is not in force.
    pub(crate) fn find_holder(&self, key: &str) -> Result<Arc<Holder>, Unheld> {
        self.keyring.find(key, &self.store.workspaces())
    }

    /// The way to those who hand messages over.
    pub(crate) const fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// The way to providers.
    pub(crate) const fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// The simulated phones.
    pub(crate) const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// What workspaces call themselves and their topics.
    pub(crate) const fn vocabularies(&self) -> &Vocabularies {
        &self.vocabularies
    }

    /// What is to be counted of senders.
    pub(crate) const fn counting(&self) -> &Counting {
        &self.counting
    }

    /// Those who asked for their link.
    pub(crate) const fn link_requests(&self) -> &LinkRequests {
        &self.link_requests
    }

    /// Has the link of an address sent, where that may be. What keeps it from going is told to nobody.
    ///
    /// # Errors
    /// [`Code::Internal`] where the server does not know its own URL, [`Code::Busy`] where too many wait.
    pub(crate) fn ask_link(&self, asked: AskedLink) -> Result<(), Problem> {
        if self.public_url().is_none() {
            tracing::error!("no link can be sent to who asks for it: set server.public_url");
            return Err(Problem::new(Code::Internal));
        }
        self.link_requests.put(asked)
    }

    /// The lane of refusals that nobody vouches for.
    pub(crate) const fn unproven(&self) -> &Unproven {
        &self.unproven
    }

    /// What was counted of entry points.
    pub(crate) const fn reach(&self) -> &Reached {
        &self.reach
    }

    /// Writes what was counted since it was last written.
    pub async fn write_counts(&self) {
        if let Err(error) = self.reach.write(self.store()).await {
            tracing::warn!(error = %error, "counts of entry points wait to be written");
        }
        if let Err(error) = self.unproven.write(self.store()).await {
            tracing::warn!(error = %error, "counts of sites wait to be written");
        }
    }

    /// Whether new requests are welcome.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Says that no new requests are welcome.
    pub fn stop_being_ready(&self) {
        self.ready.store(false, Ordering::Release);
    }

    /// The server's URL as others call it, if the operator named it.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.outside.url.as_deref()
    }

    /// Whether clients come by TLS, to us or to a proxy before us.
    pub(crate) fn is_encrypted(&self) -> bool {
        let is_https = |url: &str| url.starts_with("https://");
        self.outside.listens == Scheme::Https || self.public_url().is_some_and(is_https)
    }

    /// The URL of a request as its client called it.
    pub(crate) fn outer_url(&self, peer: Option<Peer>, parts: &Parts) -> String {
        let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        format!("{}{path}", self.outer_base(peer, parts))
    }

    /// The URL of this server as the client of a request calls it, without a slash at the end.
    pub(crate) fn outer_base(&self, peer: Option<Peer>, parts: &Parts) -> String {
        if let Some(url) = self.public_url() {
            return url.to_owned();
        }
        let word = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let is_proxied =
            peer.is_some_and(|Peer(ip)| self.trusted_proxies.contains(&ip.to_canonical()));
        let forwarded = word("x-forwarded-proto").filter(|_| is_proxied);
        let scheme = match forwarded.and_then(|hops| hops.split(',').next()).map(str::trim) {
            Some(scheme @ ("http" | "https")) => scheme,
            Some(_) | None => match self.outside.listens {
                Scheme::Http => "http",
                Scheme::Https => "https",
            },
        };
        let host =
            word("host").or(parts.uri.authority().map(Authority::as_str)).unwrap_or_default();
        format!("{scheme}://{host}")
    }

    /// The URL that links which are printed or sent begin with, without a slash at the end: the server's, if the
    /// operator named it; in a test workspace without one that of the request. What is printed is printed for
    /// years, and a request may call the server anything.
    pub(crate) fn link_base(
        &self,
        workspace: &Workspace,
        peer: Option<Peer>,
        parts: &Parts,
    ) -> Result<String, Problem> {
        if workspace.mode == Mode::Live && self.public_url().is_none() {
            return Err(Problem::new(Code::PublicUrlRequired));
        }
        Ok(self.outer_base(peer, parts))
    }

    /// Counts a request of a network. In what strangers reach it comes before anything is looked up: a counter
    /// behind a look-up tells by its limit what was found (rule 23).
    ///
    /// # Errors
    /// [`Code::RateLimited`].
    ///
    /// [`Code::RateLimited`]: crate::problem::Code::RateLimited
    pub(crate) fn take_network(&self, parts: &Parts) -> Result<(), Problem> {
        let peer = parts.extensions.get::<Peer>().copied();
        self.rates().take_network(self.client_ip(peer, &parts.headers))
    }

    /// Where a request came from: the last hop that is no proxy of ours.
    pub(crate) fn client_ip(&self, peer: Option<Peer>, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.map_or(IpAddr::from([0, 0, 0, 0]), |Peer(ip)| ip.to_canonical());
        let hops = headers.get_all("x-forwarded-for").iter().rev();
        let hops = hops.filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(','));
        for hop in hops {
            if !self.trusted_proxies.contains(&client) {
                break;
            }
            match hop.trim().parse::<IpAddr>() {
                Ok(ip) => client = ip.to_canonical(),
                Err(_) => break,
            }
        }
        client
    }
}

/// What reading large bodies needs.
impl FromRef<Arc<App>> for Room {
    fn from_ref(app: &Arc<App>) -> Self {
        app.room.clone()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("store", &self.store).finish_non_exhaustive()
    }
}
