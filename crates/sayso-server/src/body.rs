//! Reading what clients send: JSON bodies and query strings, with every fault by its place.
//!
//! Reading goes in two passes over one list of [`Faults`]. The first takes the fields of a
//! `json_object!` by name and type; what is wrong is noted and left out. The second, in the module
//! of the operation, turns what is left into words of the domain and notes what is wrong there. So
//! a client hears of every mistake at once, and nothing is done unless there is none.
//!
//! Unknown fields are refused: a misspelled field would otherwise be lost in silence.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use sayso_core::limits;
use sayso_core::time::Span;
use serde_json::Value;

use crate::problem::{Code, Problem};

pub(crate) use batch::{Batch, BatchForm, ListText, too_long};
pub(crate) use faults::{Faults, Pointer, Told};
pub(crate) use object::{FromJson, Members, OneOrMore, json_object, nearest, wrong_type};
pub(crate) use room::{Room, Taken};
pub(crate) use turn::Turn;

pub(crate) mod address;
pub(crate) mod attribute;
mod batch;
mod faults;
pub(crate) mod no;
mod object;
mod room;
pub(crate) mod texts;
mod turn;

/// Room for a body before any of it is there: 1 MiB.
const ROOM_BYTES: usize = 1 << 20;

/// What a client sent as a JSON object, with the faults found so far.
#[derive(Debug)]
pub(crate) struct Sent<T> {
    /// The fields that could be read.
    pub(crate) request: T,
    /// What is wrong with the others.
    pub(crate) faults: Faults,
}

/// What a client sent as the query of an address, with the faults found so far.
#[derive(Debug)]
pub(crate) struct Asked<T> {
    /// The parameters that could be read.
    pub(crate) request: T,
    /// What is wrong with the others.
    pub(crate) faults: Faults,
}

/// The bytes of a JSON body, before they are read.
#[derive(Debug)]
pub(crate) struct Unread(pub(crate) Vec<u8>);

/// The `Idempotency-Key` of a request.
#[derive(Clone, Debug)]
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

/// A span as the clock of the runtime takes it.
pub(crate) fn duration(span: Span) -> Duration {
    Duration::from_micros(u64::try_from(span.as_micros()).unwrap_or(0))
}

/// What a future comes to within a span. Most never wait for anything outside of this process, and
/// for those a timer costs more than it is worth: it is set only when the future waits again after
/// a second chance.
pub(crate) async fn within<F: Future>(span: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut chances = 2_u8;
    let at_once = poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            chances = chances.saturating_sub(1);
            if chances == 0 {
                return Poll::Ready(None);
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }
    });
    match at_once.await {
        Some(output) => Some(output),
        None => tokio::time::timeout(span, future).await.ok(),
    }
}

/// Reads a whole body of at most `bytes_max` bytes, in the time a client may take for it.
pub(crate) async fn read_bytes(body: Body, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    in_time(gather(body, bytes_max, |_| Ok(()))).await
}

/// The same, where all bodies of a kind share a room.
pub(crate) async fn read_within(
    body: Body,
    bytes_max: usize,
    room: &Room,
) -> Result<(Vec<u8>, Taken), Problem> {
    let mut taken = room.begin();
    let let_in = |bytes| taken.grow(bytes);
    let bytes = in_time(gather(body, bytes_max, let_in)).await?;
    Ok((bytes, taken))
}

/// Reads a body as [`read_bytes`] does, and keeps nothing of it.
pub(crate) async fn read_past(body: Body, bytes_max: usize) -> Result<(), Problem> {
    let mut body = Limited::new(body, bytes_max);
    let reading = async {
        while let Some(frame) = body.frame().await {
            frame.map_err(|error| unended(&error, bytes_max))?;
        }
        Ok(())
    };
    in_time(reading).await
}

/// What reading came to, in the time a client may take for a body.
async fn in_time<T>(reading: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let read = within(duration(limits::BODY_READ_TIMEOUT), reading).await;
    read.unwrap_or_else(|| Err(Problem::new(Code::TooSlow)))
}

/// Puts the pieces of a body together, each copied once, and each let in first. Room is made for what the
/// client says it sends, but no more than [`ROOM_BYTES`] before it has sent as much.
async fn gather(
    body: Body,
    bytes_max: usize,
    mut let_in: impl FnMut(usize) -> Result<(), Problem>,
) -> Result<Vec<u8>, Problem> {
    let mut body = Limited::new(body, bytes_max);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(ROOM_BYTES);
    let mut bytes = Vec::with_capacity(announced.min(ROOM_BYTES));
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame.map_err(|error| unended(&error, bytes_max))?.into_data() {
            let_in(piece.len())?;
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(bytes)
}

/// The problem of a body that did not come to its end.
fn unended(error: &BoxError, bytes_max: usize) -> Problem {
    if error.is::<LengthLimitError>() {
        Problem::new(Code::TooLarge).detail(format!("at most {bytes_max} bytes are taken"))
    } else {
        Problem::new(Code::TooSlow).detail("the connection ended within the body")
    }
}

/// The bytes as text.
pub(crate) fn as_text(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        Problem::new(Code::NotUtf).detail(format!("the fault is at byte {}", error.valid_up_to()))
    })
}

/// Reads one JSON value that is not nested too deeply.
pub(crate) fn parse_json(text: &str) -> Result<Value, Problem> {
    check_depth(text)?;
    serde_json::from_str(text).map_err(|error| not_json(&error))
}

/// The problem for a text that is not JSON; says where, never what.
pub(crate) fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::new(Code::NotJson).detail(format!("reading stopped at line {line}, column {column}"))
}

/// Refuses a text that nests deeper than any request does, before anything is built from it.
pub(crate) fn check_depth(text: &str) -> Result<(), Problem> {
    // Most texts open fewer brackets than may be nested, and counting is many times faster.
    let opened = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if opened <= limits::JSON_DEPTH_MAX {
        return Ok(());
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limits::JSON_DEPTH_MAX {
            return Err(Problem::new(Code::TooDeep));
        }
    }
    Ok(())
}

/// Reads an object from a JSON text.
pub(crate) fn parse_object<T: FromJson>(text: &str) -> Result<Sent<T>, Problem> {
    let mut faults = Faults::default();
    match T::from_json(parse_json(text)?, &Pointer::Body, &mut faults) {
        Some(request) => Ok(Sent { request, faults }),
        None => Err(faults.into_problem()),
    }
}

/// The media type of a body, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim())
}

impl Unread {
    /// Reads an object from them.
    pub(crate) fn parse<T: FromJson>(&self) -> Result<Sent<T>, Problem> {
        parse_object(as_text(&self.0)?)
    }
}

impl<S: Send + Sync> FromRequest<S> for Unread {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        match media_type(request.headers()) {
            None | Some("application/json") => {}
            Some(_) => return Err(Problem::new(Code::MediaType)),
        }
        read_bytes(request.into_body(), limits::BODY_BYTES_MAX).await.map(Self)
    }
}

impl<S: Send + Sync, T: FromJson> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Unread::from_request(request, state).await?.parse()
    }
}

impl<S: Send + Sync, T: FromJson> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let mut members = serde_json::Map::new();
        for pair in parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = percent_decode(name).zip(percent_decode(value));
            let (name, value) = decoded.ok_or_else(|| Problem::new(Code::InvalidQuery))?;
            members.insert(name, Value::String(value));
        }
        match T::from_json(Value::Object(members), &Pointer::Query, &mut faults) {
            Some(request) => Ok(Self { request, faults }),
            None => Err(faults.into_problem()),
        }
    }
}

/// Decodes one name or value of a query.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let key = value.to_str().ok().map(str::trim);
        match key.filter(|key| (1..=limits::IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len())) {
            Some(key) => Ok(Self(Some(key.to_owned()))),
            None => Err(Problem::new(Code::InvalidValue)
                .detail("the header idempotency-key is not 1 to 255 visible ASCII characters")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_within_texts_do_not_nest() {
        assert!(check_depth(r#"{"a":"[[[[[[[[[[[[[[[[[[[\"[[["}"#).is_ok());
        assert_eq!(check_depth(&"[".repeat(17)).unwrap_err().code(), Code::TooDeep);
        assert!(check_depth(&"[".repeat(16)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_longer_than_its_span_is_given_up() {
        let span = Duration::from_secs(1);
        assert_eq!(within(span, std::future::pending::<()>()).await, None);
        for waits in 0..4 {
            let waiting = async {
                for _ in 0..waits {
                    tokio::task::yield_now().await;
                }
                waits
            };
            assert_eq!(within(span, waiting).await, Some(waits));
        }
    }

    #[tokio::test]
    async fn a_body_of_several_pieces_is_read_whole_up_to_its_limit() {
        let body = || {
            let pieces = ["{\"a\"", ":", "1}"].map(Ok::<_, std::convert::Infallible>);
            Body::from_stream(futures_util::stream::iter(pieces))
        };
        assert_eq!(read_bytes(body(), 7).await.unwrap(), b"{\"a\":1}");
        assert_eq!(read_bytes(body(), 6).await.unwrap_err().code(), Code::TooLarge);
    }

    #[test]
    fn a_query_is_decoded() {
        assert_eq!(percent_decode("a%2Bb+c"), Some("a+b c".to_owned()));
        assert_eq!(percent_decode("%2"), None);
        assert_eq!(percent_decode("%ff"), None);
    }
}
