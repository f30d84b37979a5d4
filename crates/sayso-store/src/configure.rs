//! Changing a workspace: a plan on what was read, applied only if nobody changed it meanwhile.

use std::sync::Arc;

use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::workspace::{Change, RuntimeFact, Workspace};

use crate::Store;
use crate::store::StoreError;

/// What became of a change, or of a fact.
#[derive(Clone, Debug)]
pub enum Configured {
    /// It is applied, and durable; this is the workspace with it.
    Changed(Arc<Workspace>),
    /// Something else came first and excludes it: nothing was applied. This is how the workspace is now;
    /// plan again.
    Moved(Arc<Workspace>),
}

/// What a plan comes to, and what it answers.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once for each request, and taken apart at once"
)]
pub enum Plan<T> {
    /// All is as it should be.
    Stands(T),
    /// This is to be changed.
    Changes(Change, T),
    /// This is to be noted.
    Notes(RuntimeFact, T),
}

impl Configured {
    /// The workspace, if the change was applied.
    pub fn changed(self) -> Option<Arc<Workspace>> {
        match self {
            Self::Changed(workspace) => Some(workspace),
            Self::Moved(_) => None,
        }
    }
}

/// Applies what a plan makes of a workspace, and plans again where somebody changed it meanwhile. Answers
/// with the workspace that the plan stands in.
///
/// # Errors
/// The plan's and the store's; [`StoreError::Busy`] after [`limits::CONFIGURE_TRIES_MAX`] tries.
pub async fn revise<T, E: From<StoreError>>(
    store: &dyn Store,
    id: WorkspaceId,
    mut plan: impl FnMut(&Workspace) -> Result<Plan<T>, E>,
) -> Result<(Arc<Workspace>, T), E> {
    let known = store.workspaces().get(&id).cloned();
    let mut known = known.ok_or(StoreError::NoWorkspace)?;
    for _ in 0..limits::CONFIGURE_TRIES_MAX {
        let (configured, answer) = match plan(&known)? {
            Plan::Stands(answer) => return Ok((known, answer)),
            Plan::Changes(change, answer) => {
                (store.configure(id, known.revision, change).await?, answer)
            }
            Plan::Notes(fact, answer) => (store.note(id, fact).await?, answer),
        };
        match configured {
            Configured::Changed(now) => return Ok((now, answer)),
            Configured::Moved(now) => known = now,
        }
    }
    Err(StoreError::Busy.into())
}

/// Applies a change that rests on nothing: for whoever sets a store up.
///
/// # Errors
/// The store's.
pub async fn configure_now(
    store: &dyn Store,
    id: WorkspaceId,
    change: Change,
) -> Result<Arc<Workspace>, StoreError> {
    let applied = revise(store, id, |_| Ok(Plan::Changes(change.clone(), ())));
    applied.await.map(|(workspace, ())| workspace)
}
