//! Keeping what was refused, so that it is not lost: whoever sent it may mend it and send it again.
//!
//! Keeping is a by-product of an answer that was given in full: it is never waited for, and never
//! changes the answer.

use axum::http::StatusCode;
use sayso_core::id::{ConnectionId, FormId, ImportId, WorkspaceId};
use sayso_core::limits;
use sayso_core::words::source::{Road, SourceName};
use sayso_core::workspace::Workspace;
use sayso_store::reject::{RejectBody, RejectDraft, RejectFault};

use crate::app::App;
use crate::caller::Caller;
use crate::problem::{Code, Problem};

/// The refused statements of one request.
pub(crate) struct Rejecting<'a> {
    app: &'a App,
    workspace: WorkspaceId,
    road: Road,
    source: Box<str>,
    drafts: Vec<RejectDraft>,
}

impl<'a> Rejecting<'a> {
    /// What an API key sent, or the operator of this machine.
    pub(crate) fn of_key<N>(app: &'a App, caller: &Caller<N>) -> Self {
        let (road, source) = match caller.api_key() {
            Some(id) => (Road::Api, id.to_string()),
            None => (Road::Operator, Road::Operator.to_string()),
        };
        Self::new(app, caller.workspace().id, road, source)
    }

    /// What the pages of a site sent.
    pub(crate) fn of_site(app: &'a App, workspace: &Workspace, site: &SourceName) -> Self {
        Self::new(app, workspace.id, Road::Tag, site.to_string())
    }

    /// What was typed into a form.
    pub(crate) fn of_form(app: &'a App, workspace: &Workspace, id: FormId) -> Self {
        Self::new(app, workspace.id, Road::Form, id.to_string())
    }

    /// Rows of an import.
    pub(crate) fn of_import(app: &'a App, workspace: &Workspace, id: ImportId) -> Self {
        Self::new(app, workspace.id, Road::Import, id.to_string())
    }

    /// What a provider sent.
    pub(crate) fn of_connection(app: &'a App, workspace: &Workspace, id: ConnectionId) -> Self {
        Self::new(app, workspace.id, Road::Provider, id.to_string())
    }

    fn new(app: &'a App, workspace: WorkspaceId, road: Road, source: String) -> Self {
        Self { app, workspace, road, source: source.into(), drafts: Vec::new() }
    }

    /// Adds what was sent and answered with this problem, if that is a fault of what was sent.
    pub(crate) fn add(&mut self, problem: &Problem, line: Option<u32>, sent: &[u8]) {
        if !is_about_the_statement(problem.code()) {
            return;
        }
        let errors = problem.errors().iter().take(limits::REJECT_FAULTS_MAX);
        self.drafts.push(RejectDraft {
            road: self.road,
            source: self.source.clone(),
            line,
            code: problem.code().as_str().into(),
            faults: errors
                .map(|error| {
                    let example = error.example.as_deref();
                    RejectFault::new(&error.pointer, error.code.as_str(), &error.fault, example)
                })
                .collect(),
            body: RejectBody::of(sent),
        });
    }

    /// Keeps them.
    pub(crate) fn keep(self) {
        if !self.drafts.is_empty() {
            self.app.store().keep_rejects(self.workspace, self.drafts);
        }
    }
}

/// Whether sending the same again would be refused again: not where the server or a limit was in
/// the way.
fn is_about_the_statement(code: Code) -> bool {
    let status = code.status();
    status.is_client_error()
        && status != StatusCode::TOO_MANY_REQUESTS
        && status != StatusCode::REQUEST_TIMEOUT
}
