//! What a client still sends when its answer is ready.
//!
//! Many answers need no body: a key is unknown, a path has another method, a body is announced as too
//! large. If the connection let go of the body at once, HTTP/2 would reset the stream and HTTP/1.1
//! close the connection, and a client in the middle of sending, such as curl 7.88, would lose the
//! answer that says what was wrong. So the answer waits until the rest has come: a bounded part of it
//! ([`limits::UNREAD_BYTES_MAX`]), in a bounded time ([`limits::UNREAD_TIMEOUT`]). Of a longer one that
//! comes by HTTP/2, reading goes on while the answer is under way, until the client has read it and stops
//! sending; that is bounded too ([`limits::UNREAD_TAIL_BYTES_MAX`], [`limits::UNREAD_TAIL_TIMEOUT`]).
//! Nothing of it is kept.
//!
//! A client that asks first, by `expect: 100-continue`, is answered at once: it has sent nothing, and
//! reading would invite it to.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{Version, header};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use sayso_core::limits;
use tokio::time::Sleep;
use tower::{Layer, Service};

use crate::body::{duration, within};

/// The layer that reads what handlers leave unread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadRest;

/// Handlers within the layer.
#[derive(Clone, Debug)]
pub(crate) struct Handlers<S>(S);

/// A body that is given back when its reader lets go of it before its end.
struct Lent {
    body: Body,
    left: Left,
}

/// An answer that ends once its request has, or after its bounds.
struct Lingering {
    answer: Body,
    /// What is left of the request; none once it has ended.
    rest: Option<Body>,
    read: usize,
    deadline: Pin<Box<Sleep>>,
}

/// Where the body is given back.
type Left = Arc<Mutex<Option<Body>>>;

impl<S> Layer<S> for ReadRest {
    type Service = Handlers<S>;

    fn layer(&self, handlers: S) -> Self::Service {
        Handlers(handlers)
    }
}

impl<S> Service<Request> for Handlers<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
            return Box::pin(self.0.call(request));
        }
        let (left, is_http_2) = (Left::default(), request.version() == Version::HTTP_2);
        let request = request.map(|body| Body::new(Lent { body, left: Arc::clone(&left) }));
        let answering = self.0.call(request);
        Box::pin(async move {
            let answer = answering.await;
            let rest = left.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(mut rest) = rest else { return answer };
            let ended = within(duration(limits::UNREAD_TIMEOUT), has_ended(&mut rest)).await;
            if ended == Some(true) || !is_http_2 {
                return answer;
            }
            answer.map(|answer| answer.map(|answer| Body::new(Lingering::new(answer, rest))))
        })
    }
}

/// Reads a body to its end, its fault or its limit; whether there is no more of it.
async fn has_ended(body: &mut Body) -> bool {
    let mut read = 0;
    while read < limits::UNREAD_BYTES_MAX {
        match body.frame().await {
            Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => return true,
        }
    }
    body.is_end_stream()
}

impl Lingering {
    fn new(answer: Body, rest: Body) -> Self {
        let deadline = tokio::time::sleep(duration(limits::UNREAD_TAIL_TIMEOUT));
        Self { answer, rest: Some(rest), read: 0, deadline: Box::pin(deadline) }
    }

    /// Reads what is there of the rest; ready once nothing more is to be read.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while let Some(rest) = &mut self.rest
            && self.read < limits::UNREAD_TAIL_BYTES_MAX
        {
            match Pin::new(rest).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.read += frame.data_ref().map_or(0, Bytes::len);
                }
                Poll::Ready(Some(Err(_)) | None) => self.rest = None,
                Poll::Pending => return self.deadline.as_mut().poll(context),
            }
        }
        Poll::Ready(())
    }
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // The client may be unable to read before it has written.
        let rest = self.poll_rest(context);
        match Pin::new(&mut self.answer).poll_frame(context) {
            Poll::Ready(None) if rest.is_pending() => Poll::Pending,
            polled @ (Poll::Ready(_) | Poll::Pending) => polled,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            let body = std::mem::take(&mut self.body);
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
