//! From which entry point a person came who leaves, so that it is counted there.

use std::collections::BTreeSet;

use sayso_core::id::{EntryPointId, WorkspaceId};
use sayso_core::state::register::Mark;
use sayso_core::words::channel::{Channel, Permission};
use sayso_core::words::event::Fact;
use sayso_core::words::source::Road;
use sayso_core::words::statement::{Slot, Statement};
use sayso_core::workspace::Workspace;
use sayso_plan::draft::{Draft, Subject};
use sayso_plan::evidence::{ENTRY_POINT, find};
use sayso_store::store::{Moment, Outcome, Recorded, StoreError};
use sayso_store::tally::Tally;

use crate::app::App;

/// The entry points that refusals are counted of, for each the refusal's place: a person once, however much
/// they refuse at a time, and not again until they opt in there anew.
#[derive(Debug, Default)]
pub(crate) struct Leaving(Vec<(usize, EntryPointId)>);

impl Leaving {
    /// Of the refusals among these, which are yet to be recorded.
    pub(crate) async fn of(app: &App, workspace: &Workspace, drafts: &[Draft]) -> Self {
        let mut leaving = Self::default();
        if workspace.entry_points.is_empty() {
            return leaving;
        }
        let (mut asked, mut left) = (BTreeSet::new(), BTreeSet::new());
        for (place, draft) in drafts.iter().enumerate() {
            let Fact::Consent(permission, Statement::OptOut) = draft.fact else { continue };
            let channels = match permission {
                Permission::Messages(channel, _) => vec![channel],
                Permission::Processing => Channel::ALL.to_vec(),
            };
            let key = draft.subject.key(&workspace.secret);
            for channel in channels {
                if !asked.insert((key, channel)) {
                    continue;
                }
                let origin = origin(app, workspace, channel, &draft.subject).await;
                if let Some(entry) = origin.filter(|entry| left.insert((key, *entry))) {
                    leaving.0.push((place, entry));
                }
            }
        }
        leaving
    }

    /// Counts those that were recorded, and are no retries.
    pub(crate) fn count(self, app: &App, workspace: WorkspaceId, recorded: &[Recorded]) {
        for (place, entry) in self.0 {
            if recorded.get(place).is_some_and(|it| it.outcome == Outcome::Appended) {
                app.reach().count(workspace, entry, Tally::Refused);
            }
        }
    }
}

/// The entry point by which a person last opted in on a channel, if they did and nothing refused it since.
/// It is asked of whoever refuses, and for a count alone: what cannot be read holds no refusal up.
pub(crate) async fn origin(
    app: &App,
    workspace: &Workspace,
    channel: Channel,
    subject: &Subject,
) -> Option<EntryPointId> {
    if workspace.entry_points.is_empty() {
        return None;
    }
    let found = find_origin(app, workspace, channel, subject).await;
    found.unwrap_or_else(|error| {
        tracing::error!(error = %error, "a refusal is not counted of its entry point");
        None
    })
}

async fn find_origin(
    app: &App,
    workspace: &Workspace,
    channel: Channel,
    subject: &Subject,
) -> Result<Option<EntryPointId>, StoreError> {
    let workspace_id = workspace.id;
    let known = app.store().registers(workspace_id, subject, Moment::Now).await?;
    let marks = |slot: Slot| known.on_channel(channel).filter_map(move |(_, it)| it.act(slot));
    // Who typed a number on the page and says no in the chat has left it too.
    let opted_in = [Slot::Single, Slot::Confirmed, Slot::Pending].into_iter().flat_map(marks);
    let Some(opted_in) = opted_in.max_by_key(|mark: &&Mark| mark.at) else { return Ok(None) };
    let refusals = marks(Slot::OptOut).chain(known.processing().act(Slot::OptOut));
    if refusals.into_iter().any(|refused| refused.at >= opted_in.at) {
        return Ok(None);
    }
    let key = subject.key(&workspace.secret);
    let event = app.store().find_event(workspace_id, key, opted_in.event).await?;
    let event = event.filter(|found| found.event.source.road == Road::EntryPoint);
    let told = event.and_then(|found| found.evidence);
    Ok(told.and_then(|told| EntryPointId::parse(find(&told, ENTRY_POINT)?).ok()))
}
