//! Refusals that nobody vouches for: what a page says of its user without `user_hash` (rules 11 and 15).
//!
//! They are always taken, and a stranger can send them too. So they have a slow lane, in which a flood
//! delays itself alone; and past what a site usually has in an hour they are held as one group, which
//! compliance confirms or retracts together.

use sayso_core::words::source::{Actor, SourceName};
use sayso_core::workspace::{HeldOf, Workspace};
use sayso_plan::draft::Draft;
use sayso_store::store::{Outcome, Recorded};

use crate::app::App;
use crate::held::hold;
use crate::problem::Problem;

/// Whether a draft refuses something and nobody vouches for it.
fn is_unproven_refusal(draft: &Draft) -> bool {
    draft.fact.is_refusal() && draft.actor == Actor::Visitor
}

/// Records what a page of a site says. Refusals that nobody vouches for wait for the lane, and are held
/// together where the site has too many.
///
/// # Errors
/// The store's, and [`Code::Busy`](crate::problem::Code::Busy) where the lane is full.
pub(crate) async fn record(
    app: &App,
    workspace: &Workspace,
    site: &SourceName,
    drafts: Vec<Draft>,
) -> Result<Vec<Recorded>, Problem> {
    let workspace_id = workspace.id;
    if !drafts.iter().any(is_unproven_refusal) {
        return Ok(app.store().record(workspace_id, drafts).await?);
    }
    let unproven = app.unproven();
    let _lane = unproven.enter().await?;
    let place = (workspace_id, site.clone());
    let hour = unproven.this_hour(app.store(), &place, app.now()).await?;
    let (group, recorded) = if hour.refused < hour.most {
        (None, app.store().record(workspace_id, drafts).await?)
    } else {
        let of = HeldOf::Site(site.clone());
        let at = (&of, hour.began);
        let (group, recorded) = hold(app, workspace, at, drafts, is_unproven_refusal).await?;
        (Some(group), recorded)
    };
    let refused = |it: &Recorded| it.fact.is_refusal() && it.outcome == Outcome::Appended;
    if recorded.iter().any(refused) {
        unproven.count(&place, group);
    }
    Ok(recorded)
}
