//! An HTTP client over kept connections, and a load of many of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, interval_at, sleep};

use crate::measure::{float, nanos, percentile};

/// A request with its whole body.
pub(crate) type Call = Request<Full<Bytes>>;

/// A server, and who calls it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    address: SocketAddr,
    bearer: String,
}

/// One kept connection.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Drives the connection; it ends with this.
    _driver: JoinSet<()>,
}

/// Makes the request with a number that no other request has.
pub(crate) type Maker = Arc<dyn Fn(&Target, u64) -> Result<Call> + Send + Sync>;

/// Many clients, each of which sends its next request when the last one is answered.
#[derive(Clone)]
pub(crate) struct Load {
    /// How many clients, each with a connection of its own.
    pub(crate) clients: usize,
    /// For how long.
    pub(crate) time: Duration,
    /// What they send.
    pub(crate) make: Maker,
    /// The number of the next request.
    pub(crate) next: Arc<AtomicU64>,
    /// The answer they should get.
    pub(crate) wanted: StatusCode,
}

/// What a load came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    /// Requests answered as wanted.
    pub(crate) wanted: u64,
    /// Requests answered "come back later" (503).
    pub(crate) put_off: u64,
    /// The time from the first request to the last answer.
    pub(crate) time: Duration,
    /// How long each wanted answer took, in nanoseconds.
    latencies: Vec<u64>,
}

impl Target {
    /// A server at a URL such as `http://127.0.0.1:8080`.
    pub(crate) fn new(url: &str, key: &str) -> Result<Self> {
        let address = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
        let address = address.parse().with_context(|| format!("the URL {url}"))?;
        Ok(Self { address, bearer: format!("Bearer {key}") })
    }

    /// A request.
    pub(crate) fn call(&self, method: Method, path: &str, body: Bytes) -> Result<Call> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, &self.bearer)
            .header(header::CONTENT_TYPE, "application/json");
        Ok(request.body(Full::new(body))?)
    }

    /// A connection.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(self.address).await.context("the server is not there")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        // A connection that fails makes the request on it fail, which is where it is seen.
        driver.spawn(async move { drop(connection.await) });
        Ok(Connection { sender, _driver: driver })
    }
}

impl Connection {
    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn begin(&mut self, call: Call) -> Result<Response<Incoming>> {
        self.sender.ready().await?;
        Ok(self.sender.send_request(call).await?)
    }

    /// Sends a request and waits for the whole answer.
    pub(crate) async fn send(&mut self, call: Call) -> Result<(StatusCode, Bytes)> {
        let (head, body) = self.begin(call).await?.into_parts();
        Ok((head.status, body.collect().await?.to_bytes()))
    }

    /// Sends a request and waits for the whole answer, which must be the wanted one.
    pub(crate) async fn expect(&mut self, call: Call, wanted: StatusCode) -> Result<Bytes> {
        let (status, body) = self.send(call).await?;
        ensure!(status == wanted, "answered {status}: {}", excerpt(&body));
        Ok(body)
    }
}

fn excerpt(body: &Bytes) -> String {
    String::from_utf8_lossy(body).chars().take(400).collect()
}

impl Load {
    /// Puts the load on a server.
    pub(crate) async fn put_on(&self, target: &Target) -> Result<Answers> {
        self.run(target, None).await
    }

    /// Puts the load on a server at a steady pace, in requests a second of all clients together. An answer
    /// is timed from when its request was due: a server that stalls holds up the ones behind it too.
    pub(crate) async fn put_steadily_on(&self, target: &Target, pace: f64) -> Result<Answers> {
        ensure!(pace > 0.0, "there is no pace");
        self.run(target, Some(Duration::from_secs_f64(1.0 / pace))).await
    }

    async fn run(&self, target: &Target, pause: Option<Duration>) -> Result<Answers> {
        let mut connections = Vec::with_capacity(self.clients);
        for _ in 0..self.clients {
            connections.push(target.connect().await?);
        }
        let started = Instant::now();
        let mut clients = JoinSet::new();
        let mut first = started;
        for connection in connections {
            let (load, target, until) = (self.clone(), target.clone(), started + self.time);
            match pause {
                None => clients.spawn(load.be_client(target, connection, until)),
                Some(pause) => {
                    first += pause;
                    let ticks = interval_at(first, pause * u32::try_from(self.clients)?);
                    clients.spawn(load.be_steady(target, connection, (ticks, until)))
                }
            };
        }
        let mut all = Answers::default();
        while let Some(one) = clients.join_next().await {
            let one = one??;
            all.wanted += one.wanted;
            all.put_off += one.put_off;
            all.latencies.extend(one.latencies);
        }
        all.time = started.elapsed();
        ensure!(all.wanted > 0, "no request was answered as wanted, {} were put off", all.put_off);
        Ok(all)
    }

    async fn be_steady(
        self,
        target: Target,
        mut connection: Connection,
        (mut ticks, until): (Interval, Instant),
    ) -> Result<Answers> {
        let mut answers = Answers::default();
        loop {
            let due = ticks.tick().await;
            if due >= until {
                return Ok(answers);
            }
            let call = (self.make)(&target, self.next.fetch_add(1, Ordering::Relaxed))?;
            connection.expect(call, self.wanted).await?;
            answers.wanted += 1;
            answers.latencies.push(nanos(due.elapsed()));
        }
    }

    async fn be_client(
        self,
        target: Target,
        mut connection: Connection,
        until: Instant,
    ) -> Result<Answers> {
        let mut answers = Answers::default();
        loop {
            let started = Instant::now();
            if started >= until {
                return Ok(answers);
            }
            let call = (self.make)(&target, self.next.fetch_add(1, Ordering::Relaxed))?;
            let (status, body) = connection.send(call).await?;
            if status == self.wanted {
                answers.wanted += 1;
                answers.latencies.push(nanos(started.elapsed()));
            } else if status == StatusCode::SERVICE_UNAVAILABLE {
                answers.put_off += 1;
                sleep(Duration::from_millis(5)).await;
            } else {
                bail!("answered {status} where {} was wanted: {}", self.wanted, excerpt(&body));
            }
        }
    }
}

impl Answers {
    /// Wanted answers a second.
    pub(crate) fn rate(&self) -> f64 {
        float(self.wanted) / self.time.as_secs_f64()
    }

    /// The time within which `percent` of a hundred answers came, in milliseconds.
    pub(crate) fn within_ms(&mut self, percent: usize) -> f64 {
        float(percentile(&mut self.latencies, percent)) / 1e6
    }
}
