//! What the gate is asked about a message: itself, and what its template makes of it where the provider
//! says that the template needs more consent (rule 25). Both must be allowed.

use sayso_core::address::Address;
use sayso_core::gate::decision::Requirement;
use sayso_core::gate::pacing::Pacing;
use sayso_core::gate::sender_health::Known;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Subject;
use sayso_store::message::Payload;
use sayso_store::store::{Moment, Question};

use crate::api::check::{Asking, CheckAnswer, Depth, decide, decide_paced};
use crate::app::App;
use crate::problem::{Code, Problem};

/// The questions about a message on one route, its own first.
pub(super) fn questions(
    workspace: &Workspace,
    own: Question,
    payload: &Payload,
    known: Known,
) -> Vec<Question> {
    let as_template =
        workspace.as_template(&own.message, payload.template(), known).map(|message| {
            let waived = Requirement::waived(message.category);
            let is_waived = own.requirement != Requirement::OptIn;
            let requirement = waived.filter(|_| is_waived).unwrap_or(Requirement::OptIn);
            Question { message, requirement, zone: own.zone }
        });
    std::iter::once(own).chain(as_template).collect()
}

/// The decision on a message, or on what its template makes of it where that is what says no; with what
/// quiet hours and caps said, where that is known.
pub(super) async fn decision(
    app: &App,
    workspace: &Workspace,
    (questions, to): (Vec<Question>, &Address),
    moment: Moment,
    pacing: Option<Pacing>,
) -> Result<CheckAnswer, Problem> {
    let mut decision = None;
    for question in questions {
        let subject = Subject::Address(to.clone());
        let asking = Asking { question, subject, moment, depth: Depth::Explanation };
        let decided = match pacing {
            Some(pacing) => decide_paced(app, workspace, &asking, pacing).await?,
            None => decide(app, workspace, &asking).await?,
        };
        let denies = decided.denies();
        decision = Some(decided);
        if denies {
            break;
        }
    }
    decision.ok_or_else(|| Problem::new(Code::Internal))
}
