//! `/v1/link-keys`: the ring of keys by which people's links are known to be ours (rule 22).
//!
//! A key is never withdrawn and never shown: links that were sent years ago must go on working.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::limits;
use sayso_core::proof::link_key::LinkKey;
use sayso_core::time::Timestamp;
use sayso_core::workspace::{Change, Workspace};
use sayso_store::configure::Plan;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::revisions::revise;
use crate::app::App;
use crate::caller::{Caller, Configure};
use crate::problem::{Code, Problem, ProblemBody};

/// A key of the ring.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkKeyAnswer {
    /// Its number; the first has 0.
    #[schema(example = 1)]
    number: u32,
    /// Since when links are made with it; absent for the first, which was always there.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

/// The ring.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkKeys {
    /// The keys, the newest first: new links are made with that one. All of them are valid.
    keys: Vec<LinkKeyAnswer>,
}

/// Lists the keys of people's links, the newest first.
#[utoipa::path(
    get, path = "/v1/link-keys", tag = "Preferences", operation_id = "list_link_keys",
    responses((status = 200, description = "The keys.", body = LinkKeys)),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn list(caller: Caller<Configure>) -> Json<LinkKeys> {
    let later = &caller.workspace().link_keys;
    let later = later.iter().rev().map(|(key, since)| LinkKeyAnswer::of(*key, Some(*since)));
    let first = LinkKeyAnswer::of(LinkKey::default(), None);
    Json(LinkKeys { keys: later.chain([first]).collect() })
}

/// Takes a new key into use: new links are made with it from now on.
///
/// Links that were made before stay valid, for good.
#[utoipa::path(
    post, path = "/v1/link-keys", tag = "Preferences", operation_id = "rotate_link_keys",
    responses(
        (status = 201, description = "The key.", body = LinkKeyAnswer),
        (status = 409, description = "The workspace has as many keys as it may.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn rotate(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
) -> Result<(StatusCode, Json<LinkKeyAnswer>), Problem> {
    // Two at once make two keys.
    let plan = |known: &Workspace| {
        let next = known.link_key().next();
        if next.number() >= limits::LINK_KEYS_PER_WORKSPACE_MAX {
            let most = limits::LINK_KEYS_PER_WORKSPACE_MAX;
            let detail = format!("LINK_KEYS_PER_WORKSPACE_MAX is {most}");
            return Err(Problem::new(Code::LimitReached).detail(detail));
        }
        Ok(Plan::Changes(Change::LinkKey(next), ()))
    };
    let (changed, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    Ok((StatusCode::CREATED, Json(LinkKeyAnswer::newest(&changed))))
}

impl LinkKeyAnswer {
    fn of(key: LinkKey, since: Option<Timestamp>) -> Self {
        Self { number: key.number(), since: since.map(|at| at.to_string()) }
    }

    fn newest(workspace: &Workspace) -> Self {
        let key = workspace.link_key();
        Self::of(key, workspace.link_keys.get(&key).copied())
    }
}
