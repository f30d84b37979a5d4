//! Changes of templates at providers: which consent a message with one needs (rule 25), and whether it
//! may be used.
//!
//! An announced change is none yet. What people think of a template is shown at the provider.

use sayso_channels::inbound::{TemplateChange, TemplateChanged};
use sayso_core::gate::template::{TemplateSays, TemplateState, TemplateWord};
use sayso_core::id::ConnectionId;
use sayso_core::limits;
use sayso_core::words::channel::Provider;
use sayso_core::workspace::{RuntimeFact, TemplateName, Workspace};

use crate::app::App;
use crate::problem::Problem;

/// Takes in a change of a template.
pub(crate) async fn take(
    app: &App,
    workspace: &Workspace,
    connection: ConnectionId,
    changed: &TemplateChanged,
) -> Result<(), Problem> {
    let provider = workspace.connections.get(&connection).map(|known| known.provider);
    let named = match provider {
        Some(Provider::Gupshup | Provider::Twilio) => changed.template_id.as_deref(),
        Some(Provider::Meta | Provider::Kannel | Provider::Smtp | Provider::Sandbox) | None => {
            changed.name.as_deref()
        }
    };
    let Some(named) = named else { return Ok(()) };
    let name = TemplateName { connection, name: named.into() };
    let received = app.now();
    let at = changed.occurred_at.map_or(received, |at| at.last().min(received));
    for says in says(&changed.change) {
        let language = changed.language.as_deref().map(Box::from);
        let word = TemplateWord { at, language, says };
        let workspaces = app.store().workspaces();
        let known = workspaces.get(&workspace.id).map(|all| &all.runtime.templates);
        let is_full = known.is_some_and(|known| {
            known.len() >= limits::TEMPLATES_PER_WORKSPACE_MAX && !known.contains_key(&name)
        });
        if is_full {
            tracing::error!(connection.id = %connection, "a change of a template is not kept: there are too many");
            continue;
        }
        let words = known.and_then(|known| known.get(&name));
        if !words.is_some_and(|words| words.holds(&word)) {
            let fact = RuntimeFact::Template(name.clone(), word);
            app.store().note(workspace.id, fact).await?;
        }
    }
    Ok(())
}

/// What a change says of the template as it is now.
fn says(change: &TemplateChange) -> Vec<TemplateSays> {
    let (state, category) = match change {
        TemplateChange::Status { status, category, reason: _ } => {
            (TemplateState::of_provider(status), *category)
        }
        TemplateChange::Category { old: _, new } => (None, Some(*new)),
        TemplateChange::CategoryAnnounced { now, then: _ } => (None, *now),
        TemplateChange::Quality { .. } => (None, None),
    };
    let state = state.map(TemplateSays::State);
    state.into_iter().chain(category.map(TemplateSays::Category)).collect()
}
