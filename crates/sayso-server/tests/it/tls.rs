//! TLS over real sockets: the certificate is served, and exchanged while the server runs.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use sayso_core::words::source::SourceName;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{Change, KeyScope, Mode};
use sayso_server::config::{Config, Sources};
use sayso_server::keyring::{KeyGrant, mint};
use sayso_server::serve::{ServeError, Server, signals};
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::environment::Environment;
use sayso_store::sqlite::SqliteStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, MutexGuard, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::certificate::Certificate;

/// The longest that a state is waited for.
const BOUND: Duration = Duration::from_secs(20);

/// Held by a test that signals this process: every server in it would hear the signal.
static SIGNALS: Mutex<()> = Mutex::const_new(());

/// A server with TLS.
struct Running {
    address: SocketAddr,
    store: Arc<SqliteStore>,
    directory: tempfile::TempDir,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
    _signals: MutexGuard<'static, ()>,
}

/// Where the server is told to find the certificate and the key.
fn put(certificate: &Certificate, key_of: &Certificate, directory: &Path) {
    std::fs::write(directory.join("tls.pem"), &certificate.pem).unwrap();
    std::fs::write(directory.join("tls.key"), &key_of.key_pem).unwrap();
}

fn config(directory: &Path, more: &[(&str, &str)]) -> Config {
    let at = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let own = [
        ("server.address", "127.0.0.1:0".to_owned()),
        ("admin.address", "127.0.0.1:0".to_owned()),
        ("store.directory", at("")),
        ("tls.certificate", at("tls.pem")),
        ("tls.key", at("tls.key")),
    ];
    let more = more.iter().map(|(key, value)| (*key, (*value).to_owned()));
    let arguments = own.into_iter().chain(more).map(|(key, value)| (key.to_owned(), value));
    Config::load(&Sources { arguments: arguments.collect(), ..Sources::default() }).unwrap()
}

impl Running {
    /// Serves with this certificate; SIGHUP to this process reads the configuration anew, with
    /// these settings more.
    async fn start(first: &Certificate, more: &'static [(&str, &str)]) -> Self {
        let signals_held = SIGNALS.lock().await;
        let directory = tempfile::tempdir().unwrap();
        put(first, first, directory.path());
        let store = Arc::new(SqliteStore::in_memory(Environment::system()).unwrap());
        let config_now = config(directory.path(), &[]);
        let shared = Arc::<SqliteStore>::clone(&store);
        let server = Server::bind(config_now, shared, Environment::system()).await.unwrap();
        let address = server.public_address().unwrap();
        let (changes, changed) = watch::channel(None);
        let path = directory.path().to_owned();
        let reload = Box::new(move || Some(config(&path, more)));
        let signaled = signals::until_stop(reload, changes).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async {
            tokio::select! {
                () = signaled => {}
                _ = stopped => {}
            }
        };
        #[expect(clippy::disallowed_methods, reason = "the test waits for it")]
        let ended = tokio::spawn(server.run(until, changed, None));
        Self { address, store, directory, stop, ended, _signals: signals_held }
    }

    /// A connection by a client that trusts this certificate alone.
    async fn connect(&self, trusted: &Certificate) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(client)).connect(name, stream).await
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
    }
}

/// Sends a request on a connection, the last one, and reads the answer.
async fn ask(mut stream: TlsStream<TcpStream>, path: &str, key: &str) -> String {
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Tells this process to reload, as an operator would.
fn send_reload() {
    let command = format!("kill -HUP {}", std::process::id());
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
}

#[tokio::test]
async fn a_new_certificate_is_served_after_a_reload_and_open_connections_live_on() {
    let (old, new) = (Certificate::of(1), Certificate::of(2));
    let running = Running::start(&old, &[]).await;
    let open = running.connect(&old).await.unwrap();
    assert_eq!(open.get_ref().1.peer_certificates().unwrap(), std::slice::from_ref(&old.der));
    let answer = ask(running.connect(&old).await.unwrap(), "/openapi.json", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(running.connect(&new).await.is_err(), "the old one is served, and nothing else");

    put(&new, &new, running.directory.path());
    send_reload();
    let renewed = async {
        loop {
            if let Ok(stream) = running.connect(&new).await {
                break stream;
            }
        }
    };
    let renewed = tokio::time::timeout(BOUND, renewed).await.unwrap();
    assert_eq!(renewed.get_ref().1.peer_certificates().unwrap(), std::slice::from_ref(&new.der));
    assert!(running.connect(&old).await.is_err(), "the old one is gone");
    for stream in [renewed, open] {
        let answer = ask(stream, "/openapi.json", "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_leaves_the_old_one_in_place() {
    let (old, new) = (Certificate::of(1), Certificate::of(2));
    // By the limit it is seen that the configuration was read again.
    let one_an_hour = &[("limits.key_requests", "1"), ("limits.key_seconds", "3600")];
    let running = Running::start(&old, one_an_hour).await;
    let workspace = running.store.create_workspace("test", Mode::Test).await.unwrap().id;
    let grant = KeyGrant {
        name: SourceName::parse("test").unwrap(),
        scopes: vec![KeyScope::Read],
        highest: Standing::Report,
    };
    let minted = mint(&Environment::system(), Mode::Test, grant);
    configure_now(&*running.store, workspace, Change::Key(minted.id, minted.key)).await.unwrap();
    let topics = async || {
        let stream = running.connect(&old).await.unwrap();
        ask(stream, "/v1/topics", &minted.secret).await
    };
    for _ in 0..3 {
        assert!(topics().await.starts_with("HTTP/1.1 200"));
    }
    // The key of another certificate.
    put(&new, &old, running.directory.path());
    send_reload();
    let limited = async { while !topics().await.starts_with("HTTP/1.1 429") {} };
    tokio::time::timeout(BOUND, limited).await.unwrap();
    assert!(topics().await.starts_with("HTTP/1.1 429"), "the old one is served still");
    assert!(running.connect(&new).await.is_err());
    running.stop().await;
}
