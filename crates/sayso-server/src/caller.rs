//! Who calls: an API key with the scope that the operation needs.
//!
//! A handler that names `Caller<Write>` in its signature is authorized by that: it cannot run for a
//! key without the scope, and it cannot forget to ask. The workspace of all it does is the key's.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use sayso_core::id::{KeyId, WorkspaceId};
use sayso_core::retraction::Role;
use sayso_core::source::{Road, Source};
use sayso_store::configuration::{ApiKey, Configuration, KeyScope};

use crate::app::App;
use crate::keyring::Holder;
use crate::local::{self, LocalOperator};
use crate::problem::{Code, Problem};

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
    pub(crate) fn workspace(&self) -> WorkspaceId {
        self.holder.configuration.workspace
    }

    /// The workspace's configuration.
    pub(crate) fn configuration(&self) -> &Arc<Configuration> {
        &self.holder.configuration
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

fn unauthorized() -> Problem {
    Problem::new(Code::Unauthorized)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"sayso\""))
}

fn bearer(parts: &Parts) -> Option<&str> {
    const SCHEME: &str = "bearer ";
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| key.trim())
}

impl<N: Needs> FromRequestParts<Arc<App>> for Caller<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let is_local = parts.extensions.get::<LocalOperator>().is_some();
        let (holder, counted) = if is_local {
            (local::holder(app, &parts.headers)?, Ok(()))
        } else {
            let key = bearer(parts).ok_or_else(unauthorized)?;
            let holder = app.find_holder(key).ok_or_else(unauthorized)?;
            let counted = app.rates().take_key(holder.id);
            if N::PAST_THE_LIMIT == PastTheLimit::Refused {
                counted.clone()?;
            }
            (holder, counted)
        };
        if !holder.key.scopes.contains(&N::SCOPE) {
            let detail = format!("the key lacks the scope {}", N::SCOPE.as_str());
            return Err(Problem::new(Code::ScopeMissing).detail(detail));
        }
        Ok(Self { holder, counted, needs: PhantomData })
    }
}
