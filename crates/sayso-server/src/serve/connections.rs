//! The accept loop: a seat for each connection, a time-out for each wait on a client, a graceful end.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use sayso_core::limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::held::Held;
use super::prompt::Prompt;
use super::seats::{Place, Rules, SeatKind, Seats, UnderWay, Using};
use super::streams::Streams;
use crate::app::{App, Peer};
use crate::body::duration;
use crate::observe::TurnedAway;
use crate::surfaces::track;

/// How long to wait when the system has no more file handles, and until seats that nobody left are
/// looked through again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener and what answers on it.
pub(super) struct Listening {
    /// The application.
    pub(super) app: Arc<App>,
    /// The listener.
    pub(super) listener: TcpListener,
    /// What answers.
    pub(super) router: Router,
    /// TLS, if it is on.
    pub(super) tls: Option<Arc<RwLock<TlsAcceptor>>>,
    /// How many may come.
    pub(super) rules: Rules,
    /// How long a client is waited for.
    pub(super) patience: Patience,
}

/// How long a client is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For the head of a request.
    pub(super) head: Duration,
    /// For taking anything of an answer.
    pub(super) taking: Duration,
    /// For a request.
    pub(super) idle: Duration,
    /// For anything to move on a stream of HTTP/2; its handler may take a while.
    pub(super) stream: Duration,
    /// Between two looks for idle connections.
    pub(super) look: Duration,
}

/// What every connection of a listener shares.
#[derive(Clone)]
struct Serving {
    app: Arc<App>,
    http: Arc<Builder<Streams>>,
    router: Router,
    tls: Option<Arc<RwLock<TlsAcceptor>>>,
    patience: Patience,
}

/// Somebody who waits for a seat.
struct Newcomer {
    stream: TcpStream,
    ip: IpAddr,
}

impl Default for Patience {
    fn default() -> Self {
        let taking = duration(limits::ANSWER_TAKE_TIMEOUT);
        Self {
            head: duration(limits::HEADER_READ_TIMEOUT),
            taking,
            idle: duration(limits::CONNECTION_IDLE_MAX),
            stream: duration(limits::REQUEST_TIMEOUT) + taking,
            look: duration(limits::CONNECTIONS_LOOK_INTERVAL),
        }
    }
}

impl Listening {
    /// Serves until stopped, then waits for requests under way.
    pub(super) async fn serve(self, mut stopped: watch::Receiver<bool>) {
        let serving = Serving {
            http: Arc::new(http(self.patience)),
            app: self.app,
            router: self.router,
            tls: self.tls,
            patience: self.patience,
        };
        let mut seats = Seats::new(self.rules);
        let mut connections = JoinSet::new();
        let mut look = tokio::time::interval(self.patience.look);
        let mut waiting = None;
        loop {
            tokio::select! {
                accepted = accept(&self.listener), if waiting.is_none() => match accepted {
                    Ok(newcomer) => waiting = Some(newcomer),
                    Err(error) => {
                        tracing::warn!(error = %error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = connections.join_next_with_id() => seats.leave(id_of(&ended)),
                () = tokio::time::sleep(ACCEPT_PAUSE), if waiting.is_some() => {}
                _ = look.tick() => seats.close_idle(self.patience.idle),
                () = until_stopped(&mut stopped) => break,
            }
            // Whoever left makes room before anybody is asked to go.
            while let Some(ended) = connections.try_join_next_with_id() {
                seats.leave(id_of(&ended));
            }
            waiting = waiting.and_then(|Newcomer { stream, ip }| match seats.find(ip) {
                Place::Free(using) => {
                    let task =
                        connections.spawn(serving.clone().serve(stream, ip, Arc::clone(&using)));
                    seats.take(ip, using, task);
                    None
                }
                Place::Wait => Some(Newcomer { stream, ip }),
                Place::NetworkFull => {
                    serving.app.metrics().count_turned_away(TurnedAway::NetworkFull);
                    None
                }
            });
        }
        drop(self.listener);
        seats.close_all();
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(duration(limits::DRAIN_TIMEOUT), drained).await.is_err() {
            tracing::warn!("requests under way were cut off after the drain time");
        }
    }
}

/// Takes the next connection.
async fn accept(listener: &TcpListener) -> io::Result<Newcomer> {
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(Newcomer { stream, ip: peer.ip() })
}

fn id_of(ended: &Result<(Id, ()), JoinError>) -> Id {
    match ended {
        Ok((id, ())) => *id,
        Err(error) => error.id(),
    }
}

/// Ends when the server stops, or nobody could tell it to.
async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    let _either = stopped.wait_for(|stopped| *stopped).await.is_ok();
}

fn http(patience: Patience) -> Builder<Streams> {
    let mut builder = Builder::new(Streams(patience.stream));
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(limits::REQUEST_AHEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(duration(limits::HTTP2_PING_INTERVAL)))
        .keep_alive_timeout(patience.head)
        .max_send_buf_size(limits::HTTP2_UNSENT_BYTES_MAX)
        .max_concurrent_streams(limits::HTTP2_STREAMS_MAX);
    builder
}

impl Serving {
    async fn serve(self, stream: TcpStream, peer: IpAddr, using: Arc<Using>) {
        let acceptor =
            self.tls.as_ref().map(|tls| tls.read().unwrap_or_else(PoisonError::into_inner).clone());
        match acceptor {
            None => self.speak(stream, peer, using).await,
            Some(acceptor) => {
                let shaking = tokio::time::timeout(self.patience.head, acceptor.accept(stream));
                // Who cannot agree on TLS gets nothing; scanners do this all day.
                if let Ok(Ok(stream)) = shaking.await {
                    self.speak(stream, peer, using).await;
                }
            }
        }
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self,
        stream: S,
        peer: IpAddr,
        using: Arc<Using>,
    ) {
        let Self { app, router, patience, .. } = self;
        let service = service_fn(|request: Request<Incoming>| {
            let under_way = using.begin().filter(|_| may_sit(&using, &request));
            let answering = match &under_way {
                Some(_) => Ok(router.clone().oneshot(with_peer(request, peer))),
                None => Err(turn_away(&app, &using, &request)),
            };
            async move {
                let response = match answering {
                    Ok(answering) => answering.await?,
                    Err(turned_away) => turned_away,
                };
                Ok::<_, std::convert::Infallible>(holding(response, under_way))
            }
        });
        let stream = Prompt::new(stream, patience.head, patience.taking);
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        tokio::select! {
            biased;
            _ended = &mut connection => {}
            () = using.closing.notified() => {
                connection.as_mut().graceful_shutdown();
                let _ended = connection.await;
            }
        }
    }
}

fn with_peer(request: Request<Incoming>, peer: IpAddr) -> Request {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer));
    request
}

/// Whether the request may be answered on this seat.
fn may_sit(using: &Using, request: &Request<Incoming>) -> bool {
    let path = request.uri().path();
    match using.kind() {
        SeatKind::Open => true,
        SeatKind::Kept => ["/hooks/", "/u/"].iter().any(|kept| path.starts_with(kept)),
    }
}

/// Answers somebody for whom there is no seat, and closes the connection.
fn turn_away(app: &App, using: &Using, request: &Request<Incoming>) -> Response {
    using.closing.notify_one();
    let mut response = track::turn_away(app, TurnedAway::SeatKept);
    if request.version() != Version::HTTP_2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The answer, during which the request is under way. An answer that is ready, and small, is as good as
/// gone; to wrap it would cost every check.
fn holding(response: Response, under_way: Option<UnderWay>) -> Response {
    let size = response.body().size_hint().exact();
    if size.is_some_and(|bytes| bytes <= SMALL_ANSWER_BYTES) {
        return response;
    }
    response.map(|body| Body::new(Held::new(body, under_way)))
}

/// What fits into any connection's buffers.
const SMALL_ANSWER_BYTES: u64 = 16_384;

#[cfg(test)]
mod tests;
