//! Clients that misbehave, over real sockets.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::routing::get;
use futures_util::{StreamExt, stream};
use sayso_store::environment::Environment;
use sayso_store::sqlite::SqliteStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::*;
use crate::app::Options;
use crate::rate::{Rate, RateLimits};

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_mins(1);
/// Nothing that is waited for takes as long.
const BOUND: Duration = Duration::from_secs(20);
const PIECE: usize = 16_384;
const PIECES: usize = 1_024;

/// A listener that answers `/big` with 16 mebibytes, and everything else at once.
struct House {
    address: SocketAddr,
    /// Hears of each big answer that is no longer under way.
    ended: UnboundedReceiver<()>,
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
    _stop: watch::Sender<bool>,
}

/// A big answer; says when it is gone.
struct Ended(UnboundedSender<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _nobody_listens = self.0.send(());
    }
}

fn patient() -> Patience {
    Patience { head: LONG, taking: LONG, idle: LONG, stream: LONG, look: SHORT }
}

fn rules(seats: usize, kept: usize, of_network: usize) -> Rules {
    Rules { seats, kept, of_network, proxies: Vec::new() }
}

impl House {
    async fn open(rules: Rules, patience: Patience) -> Self {
        let (ending, ended) = unbounded_channel();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let big = move || {
            count.fetch_add(1, Ordering::SeqCst);
            let held = Ended(ending.clone());
            let pieces = stream::iter(0..PIECES).map(move |_| {
                let _held = &held;
                Ok::<_, io::Error>(Bytes::from_static(&[b'x'; PIECE]))
            });
            async move { Body::from_stream(pieces) }
        };
        let router = Router::new().route("/big", get(big)).fallback(async || "small");
        let rate = Rate { requests: NonZeroU32::MAX, per: Duration::from_secs(1) };
        let rates = RateLimits { key: rate, network: rate, address: rate, workspace: rate };
        let store = Arc::new(SqliteStore::in_memory(Environment::system()).unwrap());
        let app = App::new(store, Environment::system(), Options::with_rates(rates));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(Listening { app, listener, router, tls: None, rules, patience }.serve(stopped));
        Self { address, ended, asked, _tasks: tasks, _stop: stop }
    }

    /// A connection from somewhere on this machine.
    async fn connect(&self, from: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Waits until so many big answers are no longer under way.
    async fn ends(&mut self, answers: usize) {
        for _ in 0..answers {
            let ended = tokio::time::timeout(BOUND, self.ended.recv()).await;
            ended.expect("the answer is held for ever").unwrap();
        }
    }
}

async fn ask(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// The head of the answer, with what came of the body.
async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4_096];
    let read = tokio::time::timeout(BOUND, stream.read(&mut bytes)).await;
    let read = read.expect("there is no answer").unwrap_or(0);
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

/// Waits until the server closes the connection.
async fn is_closed(stream: &mut TcpStream) {
    let mut bytes = vec![0; 4_096];
    let closed = async { while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {} };
    tokio::time::timeout(BOUND, closed).await.expect("the connection stays");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_is_answered_little_ahead() {
    let patience = Patience { taking: SHORT, ..patient() };
    let mut house = House::open(rules(8, 0, 8), patience).await;
    let mut client = house.connect("127.0.0.1").await;
    for _ in 0..64 {
        ask(&mut client, "/big").await;
    }
    let begun = async {
        while house.asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, begun).await.unwrap();
    let first = tokio::time::timeout(BOUND, house.ended.recv()).await;
    first.expect("the answer is held for ever").unwrap();
    // The buffers of the operating system take some mebibytes; what is written is bounded beyond them.
    let asked = house.asked.load(Ordering::SeqCst);
    house.ends(asked - 1).await;
    assert!(asked <= 2, "{asked} of 64 were answered ahead");
}

#[tokio::test]
async fn a_stream_of_http_2_whose_answer_nobody_takes_ends() {
    let patience = Patience { stream: SHORT, ..patient() };
    let mut house = House::open(rules(8, 0, 8), patience).await;
    let mut client = house.connect("127.0.0.1").await;
    // The preface; settings: no room for any answer; GET http://x/big on stream 1.
    client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    client.write_all(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]).await.unwrap();
    client.write_all(&[0, 0, 11, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x41, 1, b'x']).await.unwrap();
    client.write_all(&[0x44, 4, b'/', b'b', b'i', b'g']).await.unwrap();
    house.ends(1).await;
    assert_eq!(house.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_of_http_2_that_asks_for_nothing_is_closed() {
    let house = House::open(rules(8, 0, 8), Patience { idle: SHORT, ..patient() }).await;
    let mut client = house.connect("127.0.0.1").await;
    client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    client.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    is_closed(&mut client).await;
}

#[tokio::test]
async fn with_all_seats_taken_the_longest_idle_goes_and_providers_and_leavers_are_answered() {
    let house = House::open(rules(4, 1, 4), patient()).await;
    let mut strangers = Vec::new();
    for _ in 0..3 {
        let mut stranger = house.connect("127.0.0.1").await;
        ask(&mut stranger, "/").await;
        assert!(answer(&mut stranger).await.ends_with("small"));
        strangers.push(stranger);
    }
    for path in ["/", "/v1/check", "/hooksx", "/preferences"] {
        let mut late = house.connect("127.0.1.1").await;
        ask(&mut late, path).await;
        let told = answer(&mut late).await;
        assert!(told.starts_with("HTTP/1.1 503"), "{path}: {told}");
        for part in ["connection: close", "retry-after: 1", "x-request-id: req_", "\"no-room\""] {
            assert!(told.contains(part), "{part}: {told}");
        }
        is_closed(&mut late).await;
    }
    let mut provider = house.connect("127.0.1.1").await;
    ask(&mut provider, "/hooks/con_1").await;
    assert!(answer(&mut provider).await.ends_with("small"));
    // All four are taken. The first of the strangers asked for nothing for the longest.
    let mut leaver = house.connect("127.0.2.1").await;
    ask(&mut leaver, "/u/token").await;
    assert!(answer(&mut leaver).await.ends_with("small"));
    is_closed(&mut strangers[0]).await;
    for stayed in &mut strangers[1..] {
        ask(stayed, "/").await;
        assert!(answer(stayed).await.ends_with("small"));
    }
}

#[tokio::test]
async fn one_network_holds_its_share_of_the_seats_and_no_more() {
    let house = House::open(rules(8, 0, 2), patient()).await;
    let mut busy = house.connect("127.0.0.1").await;
    ask(&mut busy, "/big").await;
    assert!(answer(&mut busy).await.starts_with("HTTP/1.1 200"));
    let mut idle = house.connect("127.0.0.2").await;
    ask(&mut idle, "/").await;
    assert!(answer(&mut idle).await.ends_with("small"));
    let mut next = house.connect("127.0.0.3").await;
    ask(&mut next, "/big").await;
    assert!(answer(&mut next).await.starts_with("HTTP/1.1 200"));
    is_closed(&mut idle).await;
    is_closed(&mut house.connect("127.0.0.4").await).await;
    let mut elsewhere = house.connect("127.0.1.1").await;
    ask(&mut elsewhere, "/").await;
    assert!(answer(&mut elsewhere).await.ends_with("small"));
}
