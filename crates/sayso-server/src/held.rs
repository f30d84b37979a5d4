//! Refusals that are held together, because there are more of them than people make (rule 15): they deny
//! meanwhile, and compliance confirms or retracts them as one.

use sayso_core::id::ImportId;
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::workspace::{HeldOf, HeldRefusals, RuntimeFact, Workspace};
use sayso_plan::draft::Draft;
use sayso_store::configure::{Plan, revise};
use sayso_store::store::{Recorded, StoreError};

use crate::app::App;

/// Records refusals, those at `held` in a group that nobody decided yet; says which group took them in.
pub(crate) async fn hold(
    app: &App,
    workspace: &Workspace,
    (of, since): (&HeldOf, Timestamp),
    mut drafts: Vec<Draft>,
    is_held: impl Fn(&Draft) -> bool,
) -> Result<(ImportId, Vec<Recorded>), StoreError> {
    let workspace_id = workspace.id;
    for _ in 0..limits::CONFIGURE_TRIES_MAX {
        let group = group(app, workspace, (of, since)).await?;
        let held = drafts.iter_mut().filter(|draft| is_held(draft));
        held.for_each(|draft| draft.import = Some(group));
        match app.store().record(workspace_id, drafts.clone()).await {
            // Somebody decided about the group after it was found: the next one takes them in.
            Err(StoreError::Decided) => {}
            recorded => return Ok((group, recorded?)),
        }
    }
    Err(StoreError::Busy)
}

/// The group that takes in what is held now.
async fn group(
    app: &App,
    workspace: &Workspace,
    (of, since): (&HeldOf, Timestamp),
) -> Result<ImportId, StoreError> {
    let id = ImportId::from_bytes(app.environment().time_sortable_id());
    let plan = |known: &Workspace| {
        if let Some(open) = known.runtime.open_group(of, since) {
            return Ok::<_, StoreError>(Plan::Stands(open));
        }
        let of = of.clone();
        let held = HeldRefusals { of, since, opened_at: app.now(), confirmed_at: None };
        Ok(Plan::Notes(RuntimeFact::HeldRefusals(id, held), id))
    };
    let (_, group) = revise(app.store(), workspace.id, plan).await?;
    if group == id {
        app.metrics().count_held_group();
        match of {
            HeldOf::Sender(sender) => {
                tracing::warn!(sender.id = %sender, import.id = %id, "inferred refusals are held together: there are more than a day should have");
            }
            HeldOf::Site(site) => {
                tracing::warn!(site = %site, import.id = %id, "refusals of a site that nobody vouches for are held together: there are more than an hour should have");
            }
        }
    }
    Ok(group)
}
