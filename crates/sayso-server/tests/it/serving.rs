//! The listeners, over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sayso_server::config::{Config, Sources};
use sayso_server::serve::Server;
use sayso_store::environment::Environment;
use sayso_store::sqlite::SqliteStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// A server on free ports, and how to stop it.
struct Running {
    public: SocketAddr,
    admin: SocketAddr,
    stop: oneshot::Sender<()>,
    _directory: tempfile::TempDir,
    ended: JoinHandle<Result<(), sayso_server::serve::ServeError>>,
}

async fn run(arguments: &[(&str, &str)]) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let own = [
        ("server.address", "127.0.0.1:0"),
        ("admin.address", "127.0.0.1:0"),
        ("store.directory", directory.path().to_str().unwrap()),
    ];
    let arguments =
        own.iter().chain(arguments).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let config =
        Config::load(&Sources { arguments: arguments.collect(), ..Sources::default() }).unwrap();
    let store = Arc::new(SqliteStore::in_memory(Environment::system()).unwrap());
    let server = Server::bind(config, store, Environment::system()).await.unwrap();
    let (public, admin) = (server.public_address().unwrap(), server.admin_address().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let (_changes, reload) = watch::channel(None);
    #[expect(clippy::disallowed_methods, reason = "the test waits for it")]
    let ended = tokio::spawn(server.run(async { drop(stopped.await) }, reload, None));
    Running { public, admin, stop, _directory: directory, ended }
}

async fn ask(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn words_are_ready_before_the_first_text_can_come() {
    assert!(!sayso_core::text::wording::is_ready(), "each test has a process of its own");
    let running = run(&[]).await;
    assert!(sayso_core::text::wording::is_ready());
    drop(running);
}

#[tokio::test]
async fn operators_have_a_listener_of_their_own() {
    let running = run(&[]).await;
    assert!(ask(running.admin, &get("/livez")).await.starts_with("HTTP/1.1 204"));
    assert!(ask(running.admin, &get("/readyz")).await.starts_with("HTTP/1.1 204"));
    assert!(ask(running.public, &get("/metrics")).await.starts_with("HTTP/1.1 404"));
    ask(running.public, &get("/openapi.json")).await;
    let metrics = ask(running.admin, &get("/metrics")).await;
    for name in [
        "sayso_http_requests_total",
        "sayso_check_answers_total",
        "sayso_store_watermark_lag_events",
        "sayso_store_tail_bytes",
        "sayso_store_writer_queue_requests",
        "sayso_store_commit_p99_us",
        "sayso_store_clock_held_back_us",
        "sayso_gate_asks",
        "sayso_gate_asks_total",
        "sayso_store_events_total",
        "sayso_gate_answers",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    running.stop.send(()).unwrap();
    running.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_waits_for_requests_under_way_and_takes_no_new_ones() {
    let running = run(&[]).await;
    let mut slow = TcpStream::connect(running.public).await.unwrap();
    slow.write_all(b"POST /capture/tag HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{")
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(5), async {
        while !ask(running.admin, &get("/metrics")).await.contains("/readyz") {
            ask(running.admin, &get("/readyz")).await;
        }
    })
    .await
    .unwrap();
    running.stop.send(()).unwrap();
    while TcpStream::connect(running.public).await.is_ok() {
        tokio::task::yield_now().await;
    }
    slow.write_all(b"}").await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    running.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_said_before_anything_starts() {
    let running = run(&[]).await;
    let address = running.public.to_string();
    let arguments = vec![
        ("server.address".to_owned(), address.clone()),
        ("admin.address".to_owned(), "127.0.0.1:0".to_owned()),
    ];
    let config = Config::load(&Sources { arguments, ..Sources::default() }).unwrap();
    let store = Arc::new(SqliteStore::in_memory(Environment::system()).unwrap());
    let error = Server::bind(config, store, Environment::system()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {address}: choose another address, or stop what listens there")
    );
}
