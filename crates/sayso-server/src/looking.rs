//! Noting who looks people up (rule 29), whatever surface shows them.
//!
//! A handler that shows a person names [`LookingUp`] in its signature and notes whom it is asked about
//! before it reads anything: what cannot be noted is not shown.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::Method;
use axum::http::request::Parts;
use sayso_core::id::KeyId;
use sayso_core::workspace::Workspace;
use sayso_store::look_up::{LookUpDraft, LookedUp};

use crate::app::{App, RequestId};
use crate::caller::Caller;
use crate::problem::Problem;

/// What is noted of a request that looks a person up, besides its caller.
#[derive(Debug)]
pub(crate) struct LookingUp {
    method: Method,
    route: Option<MatchedPath>,
    request: Option<RequestId>,
}

impl LookingUp {
    /// What is noted of this request.
    pub(crate) fn by(parts: &Parts) -> Self {
        Self {
            method: parts.method.clone(),
            // The template: the path itself may hold a profile, or a token.
            route: parts.extensions.get::<MatchedPath>().cloned(),
            request: parts.extensions.get::<RequestId>().cloned(),
        }
    }

    /// Notes whom the caller looks up, if the workspace asks for that. Nobody may be shown where it
    /// fails.
    pub(crate) async fn note<N>(
        &self,
        app: &App,
        caller: &Caller<N>,
        asked: Vec<LookedUp>,
    ) -> Result<(), Problem> {
        self.note_by(app, caller.workspace(), caller.api_key(), asked).await
    }

    /// Notes whom somebody without a key looks up, which is themselves.
    pub(crate) async fn note_oneself(
        &self,
        app: &App,
        workspace: &Workspace,
        asked: Vec<LookedUp>,
    ) -> Result<(), Problem> {
        self.note_by(app, workspace, None, asked).await
    }

    async fn note_by(
        &self,
        app: &App,
        workspace: &Workspace,
        api_key: Option<KeyId>,
        asked: Vec<LookedUp>,
    ) -> Result<(), Problem> {
        if !workspace.settings.at(app.now()).audit_look_ups {
            return Ok(());
        }
        let route = self.route.as_ref().map_or("", MatchedPath::as_str);
        let request =
            self.request.as_ref().and_then(|RequestId(id)| id.to_str().ok()).unwrap_or_default();
        let draft = LookUpDraft {
            api_key,
            route: format!("{} {route}", self.method).into(),
            request: request.into(),
            asked,
        };
        Ok(app.store().note_look_up(workspace.id, draft).await?)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LookingUp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::by(parts))
    }
}
