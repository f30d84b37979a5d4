//! An answer that keeps its connection busy until it is taken.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use super::seats::UnderWay;

/// The body of the answer, and its request.
pub(super) struct Held {
    body: Body,
    _under_way: Option<UnderWay>,
}

impl Held {
    /// The body of the answer to a request.
    pub(super) const fn new(body: Body, under_way: Option<UnderWay>) -> Self {
        Self { body, _under_way: under_way }
    }
}

impl HttpBody for Held {
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
