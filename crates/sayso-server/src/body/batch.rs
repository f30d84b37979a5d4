//! Bodies of many lines, of which all together have a bounded room.

use axum::extract::{FromRef, FromRequest, Request};
use sayso_core::limits;

use super::room::{Room, Taken};
use super::{media_type, read_within};
use crate::problem::{Code, Problem};

/// The whole text of a batch.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The text.
    pub(crate) text: String,
    /// How it is written.
    pub(crate) form: BatchForm,
    _room: Taken,
}

/// The rows of a list. Bytes that are no UTF-8 stand as U+FFFD: they cost the value that they are in, and
/// no other row.
#[derive(Debug)]
pub(crate) struct ListText {
    /// The rows.
    pub(crate) text: String,
    _room: Taken,
}

/// How a batch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchForm {
    /// One JSON value.
    Json,
    /// One JSON value a line.
    Lines,
}

/// The problem of a piece of a batch that is longer than `bytes_max`.
pub(crate) fn too_long(what: &str, bytes_max: usize) -> Problem {
    Problem::new(Code::TooLarge).detail(format!("{what} holds at most {bytes_max} bytes"))
}

impl<S: Send + Sync> FromRequest<S> for Batch
where
    Room: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let form = match media_type(request.headers()) {
            None | Some("application/json") => BatchForm::Json,
            Some("application/x-ndjson" | "application/jsonl") => BatchForm::Lines,
            Some(_) => return Err(Problem::new(Code::MediaType)),
        };
        let (bytes, room) =
            read_within(request.into_body(), limits::BATCH_BODY_BYTES_MAX, &Room::from_ref(state))
                .await?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Problem::new(Code::NotUtf).detail(format!("the fault is at byte {at}"))
        })?;
        Ok(Self { text, form, _room: room })
    }
}

impl<S: Send + Sync> FromRequest<S> for ListText
where
    Room: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match media_type(request.headers()) {
            None | Some("application/json" | "application/x-ndjson" | "application/jsonl") => {}
            Some(_) => return Err(Problem::new(Code::MediaType)),
        }
        let (bytes, mut room) =
            read_within(request.into_body(), limits::BATCH_BODY_BYTES_MAX, &Room::from_ref(state))
                .await?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let bytes = error.into_bytes();
                let length = bytes.len();
                // A large list takes a while, and at the worst each byte becomes three.
                let reading = move || String::from_utf8_lossy(&bytes).into_owned();
                let read = tokio::task::spawn_blocking(reading).await;
                let text = read.map_err(|_| Problem::new(Code::Internal))?;
                room.grow(text.len().saturating_sub(length))?;
                text
            }
        };
        Ok(Self { text, _room: room })
    }
}
