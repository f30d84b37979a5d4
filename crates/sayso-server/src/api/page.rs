//! Paging, ids in paths, texts and bounds that several resources share.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use sayso_core::limits;
use serde_json::Value;
use utoipa::IntoParams;

use crate::body::{Asked, Faults, FromJson, Pointer, json_object};
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

json_object! {
    /// Which part of a list is asked for.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    ListQuery {
        /// How many items; 50 if absent, at most 500.
        #[param(maximum = 500, minimum = 1)]
        limit: u32,
        /// Where to go on: `next` of the page before.
        cursor: String,
    }
}

/// A page of what a workspace configured, in the order of its keys; and where the next begins.
pub(crate) fn page<'a, K: Ord + ToString, V, T>(
    all: &'a BTreeMap<K, V>,
    asked: Asked<ListQuery>,
    view: impl Fn(&'a K, &'a V) -> T,
) -> Result<(Vec<T>, Option<String>), Problem> {
    let Asked { request, mut faults } = asked;
    let limit = items(request.limit, &mut faults);
    let from = request.cursor.map_or(Some(0), |cursor| {
        let last = all.keys().position(|key| key.to_string() == cursor);
        if last.is_none() {
            let fault = "is no cursor of ours; use `next` as it was given";
            faults.note("?cursor", Code::InvalidValue, fault);
        }
        last.map(|last| last + 1)
    });
    let from = faults.settle(from)?;
    let page: Vec<(&K, &V)> = all.iter().skip(from).take(limit).collect();
    let is_last = from + page.len() >= all.len();
    let next = page.last().filter(|_| !is_last).map(|(key, _)| key.to_string());
    Ok((page.into_iter().map(|(key, it)| view(key, it)).collect(), next))
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
        let mut faults = Faults::default();
        let read = value.and_then(|value| T::from_json(value, &Pointer::Body, &mut faults));
        read.map(Self).ok_or_else(|| {
            let example = faults.into_errors().into_iter().find_map(|error| error.example);
            let problem = Problem::new(Code::NotFound);
            match example {
                Some(example) => problem.detail(format!(
                    "the path holds something that is not an id of this kind: one looks like `{example}`"
                )),
                None => problem,
            }
        })
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
