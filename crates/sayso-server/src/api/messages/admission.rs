//! Whether a message is taken: by which of its channels it may go now, or, where time alone holds it
//! back, by which it may go first.

use sayso_core::address::Address;
use sayso_core::gate::pacing::Pacing;
use sayso_core::gate::reason::Reasons;
use sayso_core::gate::sender_health::Known;
use sayso_core::words::channel::Message;
use sayso_core::workspace::Workspace;
use sayso_store::message::{Held, MessageDraft};
use sayso_store::store::{Moment, Question, Recipient};

use super::as_template;
use crate::app::App;
use crate::problem::{Code, Problem};

/// What the gate says to one channel of a message.
enum Answer {
    /// It may go now.
    Free,
    /// It may go later.
    Held(Held),
    /// It may not go, or not before it is of no use any more.
    Refused(Reasons),
}

/// Sets the channels of a message that it may go by, the first one by which it goes, and what holds it
/// back there. A problem where it may go by none.
///
/// The first channel by which it may go now wins; what stood before it was refused or held back longer,
/// and is left out. Where it may go by none now, it waits for the one by which it may go first, and the
/// others that may still be free one day come after that.
pub(super) async fn admit(
    app: &App,
    workspace: &Workspace,
    draft: &mut MessageDraft,
) -> Result<bool, Problem> {
    let mut held: Vec<(usize, Held)> = Vec::new();
    let mut refused = None;
    for (place, route) in draft.routes.iter().enumerate() {
        match ask(app, workspace, draft, *route).await? {
            Answer::Free => {
                draft.routes = draft.routes.split_off(place);
                return Ok(true);
            }
            Answer::Held(until) => held.push((place, until)),
            Answer::Refused(reasons) => {
                refused.get_or_insert(reasons);
            }
        }
    }
    let Some((first, waits)) = held.iter().copied().min_by_key(|(_, held)| held.until) else {
        if let Some(reasons) = refused {
            app.metrics().count_refused_message(reasons);
        }
        return Ok(false);
    };
    let is_kept = |place: usize| place > first || held.iter().any(|(held, _)| *held == place);
    let others = (0..).zip(&draft.routes).filter(|(place, _)| *place != first && is_kept(*place));
    let others: Vec<Message> = others.map(|(_, route)| *route).collect();
    draft.routes = draft.routes.get(first).copied().into_iter().chain(others).collect();
    draft.held = Some(waits);
    Ok(true)
}

async fn ask(
    app: &App,
    workspace: &Workspace,
    draft: &MessageDraft,
    route: Message,
) -> Result<Answer, Problem> {
    let workspace_id = workspace.id;
    let recipient = match &draft.to {
        Address::Phone(phone) => Recipient::Phone(*phone),
        address @ (Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_)) => {
            Recipient::Key(address.key(&workspace.secret))
        }
    };
    let (mut reasons, mut pacing) = (Reasons::NONE, Pacing::NONE);
    for question in questions(workspace, draft, route, Known::all(app.now())) {
        let screened = app.store().screen(workspace_id, &question, &[recipient]).await?;
        // No answer is not an allow.
        let further = screened.first().ok_or_else(|| Problem::new(Code::StoreUnreadable))?;
        reasons = reasons.or(*further);
        if further.pass_by_themselves() {
            let held = app.store().pacing(workspace_id, &question, recipient, Moment::Now).await?;
            pacing = pacing.and(held);
        }
    }
    if reasons.is_empty() {
        return Ok(Answer::Free);
    }
    if !reasons.pass_by_themselves() {
        return Ok(Answer::Refused(reasons));
    }
    let now = app.now();
    Ok(match pacing.retry_at(now) {
        Some(until) if until < draft.expires_at => {
            Answer::Held(Held { reasons: pacing.reasons(now), until })
        }
        None if pacing.reasons(now).is_empty() => Answer::Free,
        Some(_) | None => Answer::Refused(reasons),
    })
}

fn questions(
    workspace: &Workspace,
    draft: &MessageDraft,
    message: Message,
    known: Known,
) -> Vec<Question> {
    let settings = workspace.settings.at(known.at);
    let requirement = draft.require_opt_in.requirement(message.category, &settings);
    let own = Question { message, requirement, zone: draft.zone };
    as_template::questions(workspace, own, &draft.payload, known)
}

/// The refusal of a message, with the decision on its first channel.
pub(super) async fn refusal(
    app: &App,
    workspace: &Workspace,
    draft: &MessageDraft,
) -> Result<Problem, Problem> {
    let route = draft.routes.first().ok_or_else(|| Problem::new(Code::Internal))?;
    let questions = questions(workspace, draft, *route, Known::all(app.now()));
    let asked = (questions, &draft.to);
    let decision = as_template::decision(app, workspace, asked, Moment::Now, None).await?;
    let problem = Problem::new(Code::MessageNotAllowed).decision(&decision);
    if !decision.is_held() {
        return Ok(problem);
    }
    let expires_at = draft.expires_at;
    Ok(problem.detail(match decision.retry_at() {
        Some(retry_at) => format!(
            "it may go from {retry_at} on and is of no use after {expires_at}; a later expires_at lets it wait"
        ),
        None => "it is quiet somewhere where the person may be at every hour of the next 7 days; time_zone \
                 says where they are"
            .to_owned(),
    }))
}
