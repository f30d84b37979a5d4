//! What a client sends to make or change something configured, read against what is there now.
//!
//! It is read once and understood as often as the change is planned, since each time it may meet another
//! state.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderName, HeaderValue};
use sayso_core::limits;
use serde::Serialize;
use serde_json::{Map, Value};

use super::merge::{merge, strip, without_nulls};
use super::{IfMatch, Tag, condition};
use crate::body::{
    Faults, FromJson, Pointer, Sent, Unread, as_text, media_type, parse_json, read_bytes,
};
use crate::problem::{Code, Problem};

/// The media type of a merge patch.
const MERGE_PATCH: &str = "application/merge-patch+json";

/// A JSON body, not yet understood.
#[derive(Clone, Debug)]
pub(crate) struct Given(Value);

/// A change of something, and the states that it is for.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    way: Way,
    sent: Value,
    condition: IfMatch,
}

/// The whole of something, as it is to be.
#[derive(Clone, Debug)]
pub(crate) struct Put(pub(crate) Edit);

/// What is to be different (RFC 7396).
#[derive(Clone, Debug)]
pub(crate) struct Patch(pub(crate) Edit);

/// How a change is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The whole.
    Put,
    /// What is to be different.
    Patch,
}

/// What answers show and clients do not set, by kind of thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// May be sent as it is shown, and is refused otherwise.
    pub(crate) fixed: &'static [&'static str],
    /// May be sent, and changes nothing; names between dots, `*` for every member or item.
    pub(crate) told: &'static [&'static str],
    /// Whether `deleted_at` may be sent as `null`, which brings it back.
    pub(crate) comes_back: bool,
}

/// A change, understood.
#[derive(Debug)]
pub(crate) struct Edited<T> {
    /// The whole as it is to be, and what is wrong with it.
    pub(crate) sent: Sent<T>,
    /// What it rests on.
    pub(crate) basis: Basis,
}

/// What a change rests on.
#[derive(Debug, Default)]
pub(crate) struct Basis {
    /// Whether it says what is there, in the same words.
    pub(crate) is_same: bool,
    /// The version there is, where it names another.
    stale: Option<Value>,
}

impl Given {
    /// Understands it.
    pub(crate) fn read<T: FromJson>(&self) -> Result<Sent<T>, Problem> {
        understand(self.0.clone(), Faults::default())
    }
}

fn understand<T: FromJson>(value: Value, mut faults: Faults) -> Result<Sent<T>, Problem> {
    match T::from_json(value, &Pointer::Body, &mut faults) {
        Some(request) => Ok(Sent { request, faults }),
        None => Err(faults.into_problem()),
    }
}

impl Edit {
    /// How it is sent.
    pub(crate) const fn way(&self) -> Way {
        self.way
    }

    /// The members that were sent.
    pub(crate) fn members(&self) -> Option<&Map<String, Value>> {
        self.sent.as_object()
    }

    /// Whether a member was sent as `null`.
    pub(crate) fn clears(&self, name: &str) -> bool {
        self.sent.get(name).is_some_and(Value::is_null)
    }

    /// Understands it against what is shown now.
    pub(crate) fn read<T: FromJson>(
        &self,
        now: &impl Serialize,
        shown: &Shown,
    ) -> Result<Edited<T>, Problem> {
        self.read_as(now, shown, |_, _| {})
    }

    /// The same; `adapt` brings what is to be understood into the form of requests where answers have
    /// another, and is given what is shown.
    pub(crate) fn read_as<T: FromJson>(
        &self,
        now: &impl Serialize,
        shown: &Shown,
        adapt: impl FnOnce(&mut Map<String, Value>, &Map<String, Value>),
    ) -> Result<Edited<T>, Problem> {
        let Value::Object(mut sent) = self.sent.clone() else {
            return understand(self.sent.clone(), Faults::default())
                .map(|sent| Edited { sent, basis: Basis::default() });
        };
        let now = serde_json::to_value(now).map_err(|_| Problem::new(Code::Internal))?;
        let Value::Object(now) = now else { return Err(Problem::new(Code::Internal)) };
        let mut faults = Faults::default();
        let mut stale = None;
        let mut base = now.clone();
        for name in shown.fixed {
            let known = base.remove(*name).unwrap_or_default();
            let Some(value) = sent.remove(*name).filter(|value| *value != known) else { continue };
            match *name {
                "version" if value.is_u64() => stale = Some(known),
                "deleted_at" if shown.comes_back && value.is_null() => {}
                _ => note_fixed(name, &known, &mut faults),
            }
        }
        for pattern in shown.told {
            strip(&mut sent, pattern);
            strip(&mut base, pattern);
        }
        let mut whole = match self.way {
            Way::Put => sent,
            Way::Patch => {
                let mut whole = base.clone();
                merge(&mut whole, sent);
                whole
            }
        };
        let is_same = faults.is_empty() && without_nulls(whole.clone()) == without_nulls(base);
        adapt(&mut whole, &now);
        let sent = understand(Value::Object(whole), faults)?;
        Ok(Edited { sent, basis: Basis { is_same, stale } })
    }

    /// Refuses what rests on another state than the one there is. What is there already is as it was asked for,
    /// whatever it rests on: a retry is answered as the first was.
    #[expect(clippy::fn_params_excessive_bools, reason = "it is there or it isn't")]
    pub(crate) fn admit(&self, tag: &Tag, basis: &Basis, is_there: bool) -> Result<(), Problem> {
        if is_there {
            return Ok(());
        }
        self.condition.check(tag)?;
        match &basis.stale {
            Some(now) => {
                let detail = format!(
                    "its version is {now} now: read it, make your change on that, or leave `version` out"
                );
                Err(condition::refused(tag, detail))
            }
            None => Ok(()),
        }
    }
}

/// Notes a member that is shown, never set, and was sent otherwise.
fn note_fixed(name: &str, known: &Value, faults: &mut Faults) {
    let pointer = format!("/{name}");
    let fault = "is set by the server: leave it out, or send it as it is";
    match known {
        Value::Null => faults.note(pointer, Code::InvalidValue, fault),
        Value::String(text) => {
            faults.note_with_example(pointer, Code::InvalidValue, fault, text.clone());
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            faults.note_with_example(pointer, Code::InvalidValue, fault, known.to_string());
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Given {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Unread(bytes) = Unread::from_request(request, state).await?;
        parse_json(as_text(&bytes)?).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for Put {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let condition = IfMatch::of(request.headers())?;
        let Given(sent) = Given::from_request(request, state).await?;
        Ok(Self(Edit { way: Way::Put, sent, condition }))
    }
}

impl<S: Send + Sync> FromRequest<S> for Patch {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let condition = IfMatch::of(request.headers())?;
        if !matches!(media_type(request.headers()), None | Some("application/json" | MERGE_PATCH)) {
            let problem = Problem::new(Code::MediaType)
                .detail(format!("PATCH takes {MERGE_PATCH} (RFC 7396) or application/json"))
                .header(
                    HeaderName::from_static("accept-patch"),
                    HeaderValue::from_static(MERGE_PATCH),
                );
            return Err(problem);
        }
        let bytes = read_bytes(request.into_body(), limits::BODY_BYTES_MAX).await?;
        let sent = parse_json(as_text(&bytes)?)?;
        Ok(Self(Edit { way: Way::Patch, sent, condition }))
    }
}
