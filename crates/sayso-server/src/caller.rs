//! Who calls: an API key with the scope that the operation needs.
//!
//! A handler that names `Caller<Write>` in its signature is authorized by that: it cannot run for a
//! key without the scope, and it cannot forget to ask. The workspace of all it does is the key's.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use sayso_core::id::KeyId;
use sayso_core::state::retraction::Role;
use sayso_core::words::source::{Road, Source};
use sayso_core::workspace::{ApiKey, KeyScope, Workspace};

use crate::app::App;
use crate::keyring::{Holder, Unheld};
use crate::problem::{Code, Problem};

use operator::LocalOperator;

pub(crate) mod operator;

/// What an operation needs.
pub(crate) trait Needs: std::marker::Send + Sync + 'static {
    /// The scope.
    const SCOPE: KeyScope;
    /// What becomes of a call past the limit of its key.
    const PAST_THE_LIMIT: PastTheLimit = PastTheLimit::Refused;
}

/// What becomes of a call past the limit of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PastTheLimit {
    /// It is not heard.
    Refused,
    /// It is heard, and does what [`Caller::counted`] leaves to it: people's refusals are always taken.
    Heard,
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name;

        impl Needs for $name {
            const SCOPE: KeyScope = KeyScope::$name;
        }
    )+};
}

needs! {
    /// The caller may ask the gate.
    Check;
    /// The caller may read consents, profiles and history.
    Read;
    /// The caller may record consents and profiles.
    Write;
    /// The caller may send messages.
    Send;
    /// The caller may retract and erase.
    Compliance;
    /// The caller may change the configuration.
    Configure;
    /// The caller may make links that people leave by.
    Links;
}

/// The caller may record consents, and people's refusals past every limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record;

impl Needs for Record {
    const SCOPE: KeyScope = KeyScope::Write;
    const PAST_THE_LIMIT: PastTheLimit = PastTheLimit::Heard;
}

/// An authorized caller.
#[derive(Debug)]
pub(crate) struct Caller<N> {
    holder: Arc<Holder>,
    counted: Result<(), Problem>,
    needs: PhantomData<N>,
}

impl<N> Caller<N> {
    /// The workspace.
    pub(crate) fn workspace(&self) -> &Arc<Workspace> {
        &self.holder.workspace
    }

    /// The key's id.
    pub(crate) fn key_id(&self) -> KeyId {
        self.holder.id
    }

    /// The id of the API key; the operator of this machine has none.
    pub(crate) fn api_key(&self) -> Option<KeyId> {
        (self.holder.road != Road::Operator).then_some(self.holder.id)
    }

    /// The key.
    pub(crate) fn key(&self) -> &ApiKey {
        &self.holder.key
    }

    /// Whether the key has a scope besides the one it needs here.
    pub(crate) fn may(&self, scope: KeyScope) -> bool {
        self.holder.key.scopes.contains(&scope)
    }

    /// The source of what the key records.
    pub(crate) fn source(&self) -> Source {
        Source { road: self.holder.road, name: self.holder.key.name.clone(), spoke_of: None }
    }

    /// Whether the call is within the limit of its key; else nothing but refusals may be done.
    pub(crate) const fn counted(&self) -> &Result<(), Problem> {
        &self.counted
    }

    /// The role it retracts in.
    pub(crate) fn role(&self) -> Role {
        if self.may(KeyScope::Compliance) { Role::Compliance } else { Role::Other }
    }
}

/// A call without a key that works, and what is wrong with what it carries.
fn unauthorized(challenge: &'static str, fault: &str) -> Problem {
    Problem::new(Code::Unauthorized)
        .detail(fault)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// The key that a request carries.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    const SCHEME: &str = "bearer ";
    const NO_KEY: &str = "Bearer realm=\"sayso\"";
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        let fault = if headers.contains_key("x-api-key") {
            "the key is in the header x-api-key; send it as `Authorization: Bearer sk_…`"
        } else {
            "the request has no API key; send the header `Authorization: Bearer sk_…`"
        };
        return Err(unauthorized(NO_KEY, fault));
    };
    let value = value.to_str().unwrap_or_default();
    let (scheme, key) = value.split_at_checked(SCHEME.len()).unwrap_or_default();
    if scheme.eq_ignore_ascii_case(SCHEME) {
        return Ok(key.trim());
    }
    let fault =
        "the header authorization does not begin with `Bearer `; send `Authorization: Bearer sk_…`";
    Err(unauthorized(NO_KEY, fault))
}

/// Scopes in words.
pub(crate) fn scope_words(scopes: &[KeyScope]) -> String {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// The answer to a key that is not in force.
fn not_in_force(why: Unheld) -> Problem {
    const NO_GOOD: &str = "Bearer realm=\"sayso\", error=\"invalid_token\"";
    let fault = match why {
        Unheld::Malformed => {
            "this is not an API key: one begins with `sk_live_` or `sk_test_` and has 46 characters"
        }
        Unheld::Mistyped => "the key has a typing error or lost a part: its checksum does not fit",
        Unheld::Unknown => {
            "no workspace of this server has this key; does it belong to another server?"
        }
        Unheld::Revoked => {
            "the key was revoked; make another with `sayso keys create` or `POST /v1/keys`"
        }
    };
    unauthorized(NO_GOOD, fault)
}

impl<N: Needs> FromRequestParts<Arc<App>> for Caller<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let is_local = parts.extensions.get::<LocalOperator>().is_some();
        let (holder, counted) = if is_local {
            (operator::holder(app, &parts.headers)?, Ok(()))
        } else {
            let holder = app.find_holder(bearer(&parts.headers)?).map_err(not_in_force)?;
            let counted = app.rates().take_key(holder.id);
            if N::PAST_THE_LIMIT == PastTheLimit::Refused {
                counted.clone()?;
            }
            (holder, counted)
        };
        if !holder.key.scopes.contains(&N::SCOPE) {
            let (needed, held) = (N::SCOPE.as_str(), scope_words(&holder.key.scopes));
            let detail = format!("the key lacks the scope {needed}; it has {held}");
            return Err(Problem::new(Code::ScopeMissing).detail(detail));
        }
        Ok(Self { holder, counted, needs: PhantomData })
    }
}
