//! `/v1/reviews/inferred`: refusals that are held together (rule 15): those that were inferred from providers'
//! errors, more of a sender and day than people make, and those that nobody vouches for, more of a site and
//! hour. They deny until somebody decides, and after that if they are confirmed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::id::ImportId;
use sayso_core::workspace::{HeldOf, HeldRefusals, RuntimeFact, Workspace};
use sayso_store::configure::Plan;
use sayso_store::store::StoreError;
use sayso_store::tally::Counted;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::imports::ImportIdText;
use crate::api::page::{InPath, ListQuery, page};
use crate::api::revisions::revise;
use crate::app::App;
use crate::body::texts::texts;
use crate::body::{Asked, Sent, json_object};
use crate::caller::{Caller, Compliance};
use crate::problem::{Code, Problem, ProblemBody};

texts! {
    /// What inferred refusals that are held together are.
    GroupDecisionText(GroupDecision) = GroupDecision::parse, UnknownWord, "retract", Some(&["retract", "confirm"]);
}

json_object! {
    /// What inferred refusals are.
    #[derive(ToSchema)]
    GroupDecisionRequest {
        /// `retract`: they were none, and are all left out for good. `confirm`: they stand as refusals. Required.
        decision: GroupDecisionText,
    }
}

/// What a group was decided to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupDecision {
    /// No refusals.
    Retract,
    /// Refusals.
    Confirm,
}

impl GroupDecision {
    /// Parses the word.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "retract" => Ok(Self::Retract),
            "confirm" => Ok(Self::Confirm),
            _ => Err("is none of retract, confirm"),
        }
    }
}

/// A page of groups, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupsPage {
    /// The groups.
    groups: Vec<GroupView>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Inferred refusals that are held together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HeldRefusals)]
pub(crate) struct GroupView {
    /// Its id, which is the import that their events name.
    #[schema(example = "imp_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// The sender whose messages failed; absent for refusals of a site.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// The public key of the site whose pages refused without `user_hash`; absent for refusals of a sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    /// The day, in UTC.
    #[schema(example = "2026-11-21")]
    day: String,
    /// When the hour of a site began; absent for refusals of a sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-21T10:00:00.000000Z")]
    hour: Option<String>,
    /// How many are held.
    held: u64,
    /// `open`, `retracted` or `confirmed`. All but `retracted` deny.
    #[schema(example = "open")]
    state: &'static str,
    /// When the first was held.
    opened_at: String,
}

/// Lists the groups of inferred refusals that are held together, decided ones included.
#[utoipa::path(
    get, path = "/v1/reviews/inferred", tag = "Reviews", operation_id = "list_inferred_refusals",
    params(ListQuery),
    responses((status = 200, description = "A page of groups.", body = GroupsPage)),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    asked: Asked<ListQuery>,
) -> Result<Json<GroupsPage>, Problem> {
    app.write_counts().await;
    let workspace = caller.workspace();
    let (ids, next) =
        page(&workspace.runtime.held_refusals, asked, |id, held| (*id, held.clone()))?;
    let mut groups = Vec::with_capacity(ids.len());
    for (id, held) in ids {
        groups.push(view(&app, workspace, id, &held).await?);
    }
    Ok(Json(GroupsPage { groups, next }))
}

/// Decides what the refusals of a group are: all of them at once, and for good.
#[utoipa::path(
    post, path = "/v1/reviews/inferred/{id}/decision", tag = "Reviews", operation_id = "decide_inferred_refusals",
    params(("id" = String, Path, description = "The id of the group.")),
    request_body(content = GroupDecisionRequest, description = "What they are."),
    responses(
        (status = 200, description = "The decided group. May be repeated.", body = GroupView),
        (status = 404, description = "There is no such group.", body = ProblemBody),
        (status = 409, description = "It was decided otherwise before.", body = ProblemBody),
    ),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    id: InPath<ImportIdText>,
    sent: Sent<GroupDecisionRequest>,
) -> Result<Json<GroupView>, Problem> {
    let InPath(ImportIdText(id)) = id;
    let Sent { request, mut faults } = sent;
    let decision = request.decision.map(|GroupDecisionText(decision)| decision);
    let decision = faults.require("/decision", decision, "retract");
    let decision = faults.settle(decision)?;
    let workspace = caller.workspace().id;
    let plan = |known: &Workspace| {
        let held = known.runtime.held_refusals.get(&id).cloned();
        let held = held.ok_or_else(|| Problem::new(Code::NotFound))?;
        match (decision, state(known, id, &held)) {
            (GroupDecision::Retract, "open" | "retracted")
            | (GroupDecision::Confirm, "confirmed") => Ok(Plan::Stands(held)),
            (GroupDecision::Confirm, "open") => {
                let held = HeldRefusals { confirmed_at: Some(app.now()), ..held };
                Ok(Plan::Notes(RuntimeFact::HeldRefusals(id, held.clone()), held))
            }
            (GroupDecision::Retract | GroupDecision::Confirm, decided) => {
                let detail = format!("the group is {decided}, for good");
                Err(Problem::new(Code::AlreadyDecided).detail(detail))
            }
        }
    };
    let (_, held) = revise(app.store(), workspace, plan).await?;
    if decision == GroupDecision::Retract {
        match app.store().undo_import(workspace, id).await {
            Err(StoreError::Decided) => {
                let detail = "the group is confirmed, for good";
                return Err(Problem::new(Code::AlreadyDecided).detail(detail));
            }
            undone => undone?,
        };
    }
    let newest = newest(&app, &caller)?;
    Ok(Json(view(&app, &newest, id, &held).await?))
}

/// The configuration as it is now, which others may have changed since the key was looked at.
fn newest(app: &App, caller: &Caller<Compliance>) -> Result<Arc<Workspace>, Problem> {
    let workspaces = app.store().workspaces();
    workspaces.get(&caller.workspace().id).cloned().ok_or_else(|| Problem::new(Code::NotFound))
}

fn state(workspace: &Workspace, id: ImportId, held: &HeldRefusals) -> &'static str {
    if workspace.runtime.undone_imports.contains(&id) {
        "retracted"
    } else if held.confirmed_at.is_some() {
        "confirmed"
    } else {
        "open"
    }
}

async fn view(
    app: &App,
    workspace: &Workspace,
    id: ImportId,
    held: &HeldRefusals,
) -> Result<GroupView, Problem> {
    let tallied = app.store().tally(workspace.id, Counted::Group(id), &[]).await?;
    let (sender, site, hour) = match &held.of {
        HeldOf::Sender(sender) => (Some(sender.to_string()), None, None),
        HeldOf::Site(site) => (None, Some(site.to_string()), Some(held.since.to_string())),
    };
    Ok(GroupView {
        id: id.to_string(),
        sender,
        site,
        day: held.since.to_string().chars().take("2026-11-21".len()).collect(),
        hour,
        held: tallied.held,
        state: state(workspace, id, held),
        opened_at: held.opened_at.to_string(),
    })
}
