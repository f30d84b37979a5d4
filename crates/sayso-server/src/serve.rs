//! The listeners: accept, serve, reload, stop.
//!
//! Both listeners are bound before anything else starts. A stop goes: unready, no new connections,
//! then up to 20 s for requests under way, then the store is closed, which flushes its views. A
//! reload (SIGHUP) takes in the certificate, the log level and the limits; all else says that it
//! needs a restart.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sayso_core::text::wording;
use sayso_store::Store;
use sayso_store::environment::Environment;
use sayso_store::store::StoreError;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::config::{Config, TlsConfig};
use crate::observe::LogControl;
use crate::workers;

use self::connections::{Listening, Patience};
use self::seats::Rules;
use self::socket::Socket;

pub use socket::SOCKET;
pub use tls::TlsFault;

mod connections;
mod files;
mod held;
mod prompt;
mod seats;
pub mod signals;
mod socket;
mod streams;
mod tls;

/// How often idle counters are forgotten.
const TIDY_INTERVAL: Duration = Duration::from_secs(30);

/// Why the server did not start, or did not end well.
#[derive(Debug, Error)]
pub enum ServeError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: choose another address, or stop what listens there")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The socket for commands of this machine cannot be made.
    #[error("cannot make the socket {SOCKET} in the data directory")]
    Socket(#[source] io::Error),
    /// The certificate cannot be used.
    #[error("cannot use the certificate")]
    Tls(#[source] TlsFault),
    /// The store did not close.
    #[error("the store did not close")]
    Close(#[source] StoreError),
    /// Signals cannot be heard.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
}

/// Reads the configuration anew.
pub type Reload = Box<dyn Fn() -> Option<Config> + Send + Sync>;

/// A server whose listeners are bound.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    store: Arc<dyn Store>,
    public: TcpListener,
    admin: TcpListener,
    local: Socket,
    tls: Option<Tls>,
    rules: Rules,
    running: RwLock<Config>,
}

/// TLS with a certificate that can be exchanged.
struct Tls {
    acceptor: Arc<RwLock<TlsAcceptor>>,
}

impl Server {
    /// Binds both listeners.
    ///
    /// # Errors
    /// [`ServeError::Bind`] and [`ServeError::Tls`].
    pub async fn bind(
        config: Config,
        store: Arc<dyn Store>,
        environment: Environment,
    ) -> Result<Self, ServeError> {
        let tls = config.tls.as_ref().map(Tls::load).transpose().map_err(ServeError::Tls)?;
        // Before anybody is let in: the first text would hold up everybody's checks.
        let _made = tokio::task::spawn_blocking(wording::make_ready).await;
        let public = bind(config.server.address).await?;
        let admin = bind(config.admin.address).await?;
        let local = Socket::bind(&config.store.directory).map_err(ServeError::Socket)?;
        let app = App::new(Arc::clone(&store), environment, config.app_options());
        let seats = files::seats(config.server.connections_max);
        let proxies = config.server.trusted_proxies.clone();
        let rules = Rules::public(seats, config.server.network_connections_max, proxies);
        Ok(Self { app, store, public, admin, local, tls, rules, running: RwLock::new(config) })
    }

    /// Where clients and browsers connect.
    ///
    /// # Errors
    /// The operating system's.
    pub fn public_address(&self) -> io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// Where operators connect.
    ///
    /// # Errors
    /// The operating system's.
    pub fn admin_address(&self) -> io::Result<SocketAddr> {
        self.admin.local_addr()
    }

    /// The application.
    pub const fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Serves until `stop` ends; `reload` says when to take in a new configuration.
    ///
    /// # Errors
    /// [`ServeError::Close`].
    pub async fn run(
        self,
        stop: impl Future<Output = ()> + Send,
        mut reload: watch::Receiver<Option<Config>>,
        logs: Option<LogControl>,
    ) -> Result<(), ServeError> {
        let (stopping, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let tls = self.tls.as_ref().map(|tls| Arc::clone(&tls.acceptor));
        let public = Listening {
            app: Arc::clone(&self.app),
            listener: self.public,
            router: self.app.public_router(),
            tls,
            rules: self.rules,
            patience: Patience::default(),
        };
        let admin = Listening {
            app: Arc::clone(&self.app),
            listener: self.admin,
            router: self.app.admin_router(),
            tls: None,
            rules: Rules::of_operators(),
            patience: Patience::default(),
        };
        tasks.spawn(self.local.serve(self.app.local_router(), stopped.clone()));
        tasks.spawn(public.serve(stopped.clone()));
        tasks.spawn(workers::dispatch::run(Arc::clone(&self.app), stopped.clone()));
        tasks.spawn(workers::counting::run(Arc::clone(&self.app), stopped.clone()));
        tasks.spawn(workers::link_requests::run(Arc::clone(&self.app), stopped.clone()));
        tasks.spawn(admin.serve(stopped));
        let mut tidy = tokio::time::interval(TIDY_INTERVAL);
        let mut second = tokio::time::interval(Duration::from_secs(1));
        let mut stop: Pin<Box<dyn Future<Output = ()> + Send + '_>> = Box::pin(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = second.tick() => {
                    if let Some(logs) = &logs {
                        logs.tell_left_out();
                    }
                }
                _ = tidy.tick() => {
                    self.app.keep_tidy();
                    self.app.write_counts().await;
                }
                Ok(()) = reload.changed() => {
                    let config = reload.borrow_and_update().clone();
                    if let Some(config) = config {
                        take_in(&self.app, self.tls.as_ref(), &self.running, config, logs.as_ref());
                    }
                }
            }
        }
        tracing::info!("stopping: no new connections, waiting for requests under way");
        self.app.stop_being_ready();
        let _nobody_listens = stopping.send(true);
        while tasks.join_next().await.is_some() {}
        self.app.write_counts().await;
        self.store.close().await.map_err(ServeError::Close)
    }
}

/// Runs a server until the process is told to stop, and reloads when it is told to.
///
/// # Errors
/// [`ServeError`].
pub async fn run(
    config: Config,
    store: Arc<dyn Store>,
    environment: Environment,
    reload: Reload,
    logs: Option<LogControl>,
) -> Result<(), ServeError> {
    let server = Server::bind(config, store, environment).await?;
    let (changes, changed) = watch::channel(None);
    let stop = signals::until_stop(reload, changes).map_err(ServeError::Signals)?;
    server.run(stop, changed, logs).await
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Bind { address, source })
}

/// Takes in what can be changed while running, and says what cannot.
fn take_in(
    app: &App,
    tls: Option<&Tls>,
    running: &RwLock<Config>,
    config: Config,
    logs: Option<&LogControl>,
) {
    app.set_rates(&config.limits);
    if let Some(logs) = logs
        && let Err(error) = logs.set_level(&config.log.level)
    {
        tracing::warn!(error = %error, "the log level was not changed");
    }
    match (tls, &config.tls) {
        (Some(tls), Some(files)) => match tls.reload(files) {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => {
                tracing::error!(error = %error, "the certificate was not read again; the old one stays");
            }
        },
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            tracing::warn!("turning TLS on or off needs a restart");
        }
    }
    let mut running = running.write().unwrap_or_else(PoisonError::into_inner);
    let (before, now) = (&running.server, &config.server);
    let fixed = [
        ("server.address", before.address != now.address),
        ("server.connections_max", before.connections_max != now.connections_max),
        (
            "server.network_connections_max",
            before.network_connections_max != now.network_connections_max,
        ),
        ("server.trusted_proxies", before.trusted_proxies != now.trusted_proxies),
        ("server.public_url", before.public_url != now.public_url),
        ("outgoing.allow_private", running.outgoing != config.outgoing),
        ("admin.address", running.admin.address != config.admin.address),
        ("store.directory", running.store.directory != config.store.directory),
        ("log.form", running.log.form != config.log.form),
    ];
    for (setting, _) in fixed.into_iter().filter(|(_, changed)| *changed) {
        tracing::warn!(setting, "this setting changed, and needs a restart");
    }
    *running = config;
    tracing::info!("the configuration was read again");
}

impl Tls {
    fn load(files: &TlsConfig) -> Result<Self, TlsFault> {
        Ok(Self { acceptor: Arc::new(RwLock::new(tls::acceptor(files)?)) })
    }

    fn reload(&self, files: &TlsConfig) -> Result<(), TlsFault> {
        let acceptor = tls::acceptor(files)?;
        *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(..)")
    }
}
