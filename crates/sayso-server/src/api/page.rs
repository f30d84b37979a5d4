//! Paging, ids in paths, texts and bounds that several resources share.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use sayso_core::limits;
use serde_json::Value;

use crate::body::{Faults, FromJson, Pointer};
use crate::problem::{Code, Problem};

/// The number of items of a page that a client asks for.
pub(crate) fn items(asked: Option<u32>, faults: &mut Faults) -> usize {
    let items = asked
        .map_or(limits::PAGE_ITEMS_DEFAULT, |asked| usize::try_from(asked).unwrap_or(usize::MAX));
    if items == 0 || items > limits::PAGE_ITEMS_MAX {
        let fault = format!("is not 1 to {}", limits::PAGE_ITEMS_MAX);
        faults.note_with_example(
            "?limit",
            Code::InvalidValue,
            fault,
            limits::PAGE_ITEMS_DEFAULT.to_string(),
        );
    }
    items
}

/// The position after which a page begins, as `next` of the page before gave it.
pub(crate) fn position(cursor: Option<&str>, faults: &mut Faults) -> Option<u64> {
    let cursor = cursor?;
    let position = cursor.parse().ok();
    if position.is_none() {
        let fault = "is no cursor of ours; use `next` as it was given";
        faults.note("?cursor", Code::InvalidValue, fault);
    }
    position
}

/// The one id in the path of a request. What cannot be an id names nothing.
#[derive(Debug)]
pub(crate) struct InPath<T>(pub(crate) T);

impl<S: Send + Sync, T: FromJson + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| Problem::new(Code::NotFound))?;
        let value = params.iter().next().map(|(_, value)| Value::String(value.to_owned()));
        value
            .and_then(|value| T::from_json(value, &Pointer::Body, &mut Faults::default()))
            .map(Self)
            .ok_or_else(|| Problem::new(Code::NotFound))
    }
}

/// Whether a workspace that holds so many of a kind may have one more; `limit` is the bound by its
/// name. What was deleted counts too: events may name it.
pub(crate) fn has_room(held: usize, limit: (&str, usize)) -> Result<(), Problem> {
    let (name, most) = limit;
    if held < most {
        Ok(())
    } else {
        Err(Problem::new(Code::LimitReached).detail(format!("{name} is {most}")))
    }
}

/// A name of 1 to 64 bytes without control characters.
pub(crate) fn name(text: Option<String>, faults: &mut Faults) -> Option<Box<str>> {
    let text = faults.require("/name", text, "Order updates")?;
    let name = text.trim();
    if name.is_empty() || name.len() > limits::NAME_BYTES_MAX || name.chars().any(char::is_control)
    {
        let fault = "is not 1 to 64 bytes without control characters";
        faults.note_with_example("/name", Code::InvalidValue, fault, "Order updates");
        return None;
    }
    Some(name.into())
}
