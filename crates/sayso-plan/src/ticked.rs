//! What a tick is recorded as: judged by the policy of its channel (rule 6), and lifting nothing where
//! anybody may have typed the address.
//!
//! A page does not know who fills it in. Whoever knows the address of a person who refused could lift the
//! refusal by typing it. So a tick that would lift anything is `pending`, until the address itself answers:
//! by the reference of the page, or by an opt-in that comes through it.

use crate::draft::Draft;
use sayso_core::policy::Way;
use sayso_core::state::guard::Guard;
use sayso_core::time::Timestamp;
use sayso_core::words::event::Fact;
use sayso_core::workspace::Workspace;

use crate::judging;
use crate::judging::message_for;

/// Judges ticks by the policies of their channels.
pub fn judge(workspace: &Workspace, way: Way, now: Timestamp, drafts: &mut [Draft]) {
    let policies = workspace.settings.at(now).policies;
    for draft in drafts {
        let Fact::Consent(about, statement) = draft.fact else { continue };
        let judgment = policies.judge(about, statement, way);
        judging::keep(judgment.judged_by.as_deref(), judgment.doubt, &mut draft.evidence);
        draft.fact = Fact::Consent(about, judgment.statement);
    }
}

/// Has the writer leave `pending` what would lift a refusal, for nobody has proven that the address is
/// theirs.
pub fn lift_nothing(workspace: &Workspace, drafts: &mut [Draft]) {
    for draft in drafts {
        if let Fact::Consent(about, _) = draft.fact {
            draft.guard = Guard::LiftsNothing(message_for(about, workspace));
        }
    }
}
