//! What a tick is recorded as: judged by the policy of its channel (rule 6), and lifting nothing where
//! anybody may have typed the address.
//!
//! A page does not know who fills it in. Whoever knows the address of a person who refused could lift the
//! refusal by typing it. So a tick that would lift anything is `pending`, until the address itself answers:
//! by the reference of the page, or by an opt-in that comes through it.

use sayso_core::capture::Doubt;
use sayso_core::event::Fact;
use sayso_core::lifting::lifted_by;
use sayso_core::policy::Way;
use sayso_core::statement::Statement;
use sayso_core::time::Timestamp;
use sayso_store::configuration::Configuration;
use sayso_store::store::{Draft, Moment, StoreError, Subject};

use crate::api::consents::plan::message_for;
use crate::app::App;
use crate::judging;

/// Judges ticks by the policies of their channels.
pub(crate) fn judge(configuration: &Configuration, way: Way, now: Timestamp, drafts: &mut [Draft]) {
    let policies = configuration.settings.at(now).policies;
    for draft in drafts {
        let Fact::Consent(about, statement) = draft.fact else { continue };
        let judgment = policies.judge(about, statement, way);
        judging::keep(judgment.judged_by.as_deref(), judgment.doubt, &mut draft.evidence);
        draft.fact = Fact::Consent(about, judgment.statement);
    }
}

/// Makes `pending` what would lift a refusal, for nobody has proven that the address is theirs.
///
/// # Errors
/// The store's: what a person refused must be known.
pub(crate) async fn lift_nothing(
    app: &App,
    configuration: &Configuration,
    drafts: &mut [Draft],
) -> Result<(), StoreError> {
    for draft in drafts {
        let Fact::Consent(about, _) = draft.fact else { continue };
        let Subject::Address(address) = &draft.subject else { continue };
        let key = address.key(&configuration.secret);
        let workspace = configuration.workspace;
        let known = app.store().registers(workspace, &draft.subject, Moment::Now).await?;
        let message = message_for(about, configuration);
        let now = app.now();
        if !lifted_by(&known, &draft.event(key, now), &message, now).is_empty() {
            judging::keep(None, Some(Doubt::Unproven), &mut draft.evidence);
            draft.fact = Fact::Consent(about, Statement::Pending);
        }
    }
    Ok(())
}
