//! `/v1/rejects`: statements that were refused (rule 1).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_store::look_up::LookedUp;
use sayso_store::reject::{Extent, Reject, RejectFault, RejectQuery};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::page::{items, position};
use crate::app::App;
use crate::body::{Asked, Faults, json_object};
use crate::caller::{Caller, Compliance};
use crate::looking::LookingUp;
use crate::problem::{Code, Problem};

json_object! {
    /// Which rejects are asked for.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    RejectsQuery {
        /// Those of one source: the id of an API key, of an import or of a connection, the name of a site, or `operator`.
        #[param(example = "key_01jd6m9k3te5b8r5v3x5y6z7w8")]
        source: String,
        /// Those that were answered with this code.
        #[param(example = "invalid-phone")]
        code: String,
        /// How many rejects; 50 if absent, at most 500.
        #[param(maximum = 500, minimum = 1)]
        limit: u32,
        /// Where to go on: `next` of the page before.
        cursor: String,
    }
}

/// A page of rejects, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectsPage {
    /// The rejects.
    rejects: Vec<RejectView>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// One statement that was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reject)]
pub(crate) struct RejectView {
    /// Its id.
    #[schema(example = "rej_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// When it was refused.
    #[schema(example = "2026-11-21T10:00:00.000000Z")]
    refused_at: String,
    /// How it came in: `api`, `tag`, `import`, `provider`, or `operator` for commands on the server's machine.
    #[schema(example = "api")]
    road: &'static str,
    /// Who sent it: the id of an API key, of an import or of a connection, the name of a site, or `operator`.
    #[schema(example = "key_01jd6m9k3te5b8r5v3x5y6z7w8")]
    source: String,
    /// The line of the import, or the place in the batch, from 0; absent for a single statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// The code of the problem that it was answered with.
    #[schema(example = "invalid-phone")]
    code: String,
    /// What was wrong with it, field by field; at most 32.
    errors: Vec<RejectError>,
    /// What was sent, as text; of what a page sent without attributes. At most 16 KiB.
    #[schema(example = r#"{"phone": "12", "channel": "sms", "statement": "opt_in"}"#)]
    body: String,
    /// Whether `body` is only the beginning of what was sent.
    body_is_cut: bool,
}

/// One field that was wrong. Texts longer than 512 bytes are cut.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectError {
    /// Where it stood in the request, as a JSON pointer.
    #[schema(example = "/phone")]
    pointer: String,
    /// The code of the fault.
    #[schema(example = "invalid-phone")]
    code: String,
    /// What was wrong with the value.
    fault: String,
    /// A value that would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<String>,
}

/// Lists the statements that were refused in the last 30 days, the newest first.
///
/// At most 10,000 of a workspace are kept; the oldest go first. A preview of an import, a request
/// that came too often or too large, and one whose sender is not known leave nothing here.
#[utoipa::path(
    get, path = "/v1/rejects", tag = "Compliance", operation_id = "list_rejects",
    params(RejectsQuery),
    responses((status = 200, description = "A page of rejects.", body = RejectsPage)),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    looking: LookingUp,
    asked: Asked<RejectsQuery>,
) -> Result<Json<RejectsPage>, Problem> {
    let Asked { request, mut faults } = asked;
    let limit = items(request.limit, &mut faults);
    let after = position(request.cursor.as_deref(), &mut faults);
    let code = request.code.and_then(|code| known_code(&code, &mut faults));
    let query = RejectQuery {
        source: request.source.map(Box::from),
        code: code.map(|code| code.as_str().into()),
        after,
    };
    let query = faults.settle(Some(query))?;
    looking.note(&app, &caller, vec![LookedUp::Many]).await?;
    let page = app.store().rejects(caller.workspace().id, &query, limit).await?;
    Ok(Json(RejectsPage {
        rejects: page.rejects.into_iter().map(RejectView::of).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

fn known_code(text: &str, faults: &mut Faults) -> Option<Code> {
    let code = Code::ALL.iter().copied().find(|code| code.as_str() == text);
    if code.is_none() {
        let fault = "is no code; the list is at /docs/problems";
        faults.note_with_example("?code", Code::UnknownWord, fault, Code::InvalidPhone.as_str());
    }
    code
}

impl RejectView {
    fn of(reject: Reject) -> Self {
        let Reject { id, refused_at, draft } = reject;
        Self {
            id: id.to_string(),
            refused_at: refused_at.to_string(),
            road: draft.road.as_str(),
            source: draft.source.into(),
            line: draft.line,
            code: draft.code.into(),
            errors: draft.faults.into_iter().map(RejectError::of).collect(),
            body: draft.body.text().to_owned(),
            body_is_cut: draft.body.extent() == Extent::Beginning,
        }
    }
}

impl RejectError {
    fn of(fault: RejectFault) -> Self {
        Self {
            pointer: fault.pointer.into(),
            code: fault.code.into(),
            fault: fault.fault.into(),
            example: fault.example.map(String::from),
        }
    }
}
