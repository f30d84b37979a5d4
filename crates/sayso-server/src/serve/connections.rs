//! The accept loop: at most so many connections, a time-out for headers, a graceful end.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use sayso_core::limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::prompt::Prompt;
use crate::app::Peer;
use crate::body::duration;

/// How long to wait when the system has no more file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener and what answers on it.
pub(super) struct Listening {
    /// The listener.
    pub(super) listener: TcpListener,
    /// What answers.
    pub(super) router: Router,
    /// TLS, if it is on.
    pub(super) tls: Option<Arc<RwLock<TlsAcceptor>>>,
    /// Open connections at most.
    pub(super) connections_max: usize,
}

/// What every connection of a listener shares.
#[derive(Clone)]
struct Serving {
    http: Arc<Builder<TokioExecutor>>,
    router: Router,
    tls: Option<Arc<RwLock<TlsAcceptor>>>,
    stopped: watch::Receiver<bool>,
}

impl Listening {
    /// Serves until stopped, then waits for requests under way.
    pub(super) async fn serve(self, mut stopped: watch::Receiver<bool>) {
        let seats = Arc::new(Semaphore::new(self.connections_max));
        let serving = Serving {
            http: Arc::new(http()),
            router: self.router,
            tls: self.tls,
            stopped: stopped.clone(),
        };
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = accept(&self.listener, &seats) => match accepted {
                    Ok((stream, peer, seat)) => {
                        connections.spawn(serving.clone().serve(stream, peer, seat));
                    }
                    Err(error) => {
                        tracing::warn!(error = %error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = until_stopped(&mut stopped) => break,
            }
        }
        drop(self.listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(duration(limits::DRAIN_TIMEOUT), drained).await.is_err() {
            tracing::warn!("requests under way were cut off after the drain time");
        }
    }
}

/// Takes the next connection, once there is a seat for it.
async fn accept(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> io::Result<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, peer.ip(), seat))
}

/// Ends when the server stops, or nobody could tell it to.
async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    let _either = stopped.wait_for(|stopped| *stopped).await.is_ok();
}

fn http() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(duration(limits::HEADER_READ_TIMEOUT));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(duration(limits::HTTP2_PING_INTERVAL)))
        .keep_alive_timeout(duration(limits::HEADER_READ_TIMEOUT))
        .max_concurrent_streams(limits::HTTP2_STREAMS_MAX);
    builder
}

impl Serving {
    async fn serve(self, stream: TcpStream, peer: IpAddr, seat: OwnedSemaphorePermit) {
        let acceptor =
            self.tls.as_ref().map(|tls| tls.read().unwrap_or_else(PoisonError::into_inner).clone());
        match acceptor {
            None => self.speak(stream, peer).await,
            Some(acceptor) => {
                let shaking = tokio::time::timeout(
                    duration(limits::HEADER_READ_TIMEOUT),
                    acceptor.accept(stream),
                );
                // Who cannot agree on TLS gets nothing; scanners do this all day.
                if let Ok(Ok(stream)) = shaking.await {
                    self.speak(stream, peer).await;
                }
            }
        }
        drop(seat);
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        mut self,
        stream: S,
        peer: IpAddr,
    ) {
        let router = self.router;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            router.clone().oneshot(request)
        });
        let stream = Prompt::new(stream, duration(limits::HEADER_READ_TIMEOUT));
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        tokio::select! {
            biased;
            _ended = &mut connection => {}
            () = until_stopped(&mut self.stopped) => {
                connection.as_mut().graceful_shutdown();
                let _ended = connection.await;
            }
        }
    }
}
