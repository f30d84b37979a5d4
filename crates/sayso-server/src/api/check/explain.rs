//! Why the gate says what it says: the status, the events it rests on, the claims of sources.

use sayso_core::gate::decision::{Circumstances, check};
use sayso_core::gate::pacing::Pacing;
use sayso_core::state::blocking::blocking;
use sayso_core::state::register::Register;
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Message;
use sayso_core::workspace::Workspace;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Asking, CheckAnswer, Depth, known_at, recipient, words};
use crate::app::App;
use crate::problem::Problem;
use crate::views::consent::{Claim, ConsentView, claims_of, processing_word, standing};

/// What an answer rests on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explanation {
    /// The time the answer is for.
    at: String,
    /// Where the person stands towards this message.
    consent: ConsentView,
    /// `allowed` or `refused`: the processing of the person's data.
    processing: &'static str,
    /// Every act and block that bears on this message.
    rests_on: Vec<Ground>,
    /// What sources believe. A claim may be without effect: an act outweighs it.
    claims: Vec<Claim>,
    /// When the person last wrote to the sender; absent if never.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrote_at: Option<String>,
}

/// An event that bears on a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ground {
    /// What it says: a slot such as `opt_out`, `single`, `term`, or `suppressed:` and the kind.
    #[schema(example = "opt_out")]
    says: String,
    /// `processing`, or the scope on the channel.
    #[schema(example = "all")]
    about: String,
    /// When it was said.
    at: String,
    /// Until when it counts; absent if it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    /// The event.
    event: String,
}

/// Decides from all that is known at the moment that is asked about.
pub(crate) async fn decide(
    app: &App,
    workspace: &Workspace,
    asking: &Asking,
) -> Result<CheckAnswer, Problem> {
    let at = asking.moment.time(app.now());
    let pacing = if workspace.settings.at(at).paces(&asking.question.message, at) {
        let recipient = recipient(&asking.subject, workspace);
        let (workspace_id, question) = (workspace.id, &asking.question);
        app.store().pacing(workspace_id, question, recipient, asking.moment).await?
    } else {
        Pacing::NONE
    };
    decide_paced(app, workspace, asking, pacing).await
}

/// The same, where it is known what quiet hours and caps say.
pub(crate) async fn decide_paced(
    app: &App,
    workspace: &Workspace,
    asking: &Asking,
    pacing: Pacing,
) -> Result<CheckAnswer, Problem> {
    let registers = app.store().registers(workspace.id, &asking.subject, asking.moment).await?;
    let at = asking.moment.time(app.now());
    let settings = workspace.settings.at(at);
    let message = &asking.question.message;
    let circumstances = Circumstances {
        sender: workspace.runtime.sender_state(message, known_at(asking.moment, app.now())),
        quiet_until: pacing.quiet_until,
        capped_until: pacing.capped_until,
        ..Circumstances::of_consent(&settings, asking.question.requirement, at)
    };
    let decision = check(&registers, message, &circumstances);
    app.metrics().count_decision(decision.reasons, decision.waived);
    let explanation = match asking.depth {
        Depth::Reasons | Depth::Waived => None,
        Depth::Explanation => Some(Explanation {
            at: at.to_string(),
            consent: standing(&registers, message, &settings, at),
            processing: processing_word(&registers, at),
            rests_on: grounds(&registers, message, at),
            claims: claims(&registers, message),
            wrote_at: match message.sender {
                Some(sender) => registers.wrote_to_at(sender),
                None => registers.last_message_at(),
            }
            .map(|at| at.to_string()),
        }),
    };
    Ok(CheckAnswer {
        retry_at: decision.retry_at.map(|at| at.to_string()),
        waived: words(decision.waived),
        explanation,
        ..CheckAnswer::of(decision.reasons)
    })
}

/// The registers that bear on a message, each with what it is about.
fn bearing<'a>(
    registers: &'a Registers,
    message: &'a Message,
) -> impl Iterator<Item = (String, &'a Register)> {
    let scopes = message.scopes().filter_map(|scope| {
        let register = registers.register(message.channel, scope)?;
        Some((scope.to_string(), register))
    });
    scopes.chain(std::iter::once(("processing".to_owned(), registers.processing())))
}

fn grounds(registers: &Registers, message: &Message, at: Timestamp) -> Vec<Ground> {
    let blocks = blocking(registers, message, at).map(|(suppression, mark)| Ground {
        says: format!("suppressed:{suppression}"),
        about: message.channel.to_string(),
        at: mark.at.to_string(),
        ends_at: None,
        event: mark.event.to_string(),
    });
    let acts = bearing(registers, message).flat_map(|(about, register)| {
        register.acts().map(move |(slot, mark)| Ground {
            says: slot.to_string(),
            about: about.clone(),
            at: mark.at.to_string(),
            ends_at: mark.ends_at.map(|end| end.to_string()),
            event: mark.event.to_string(),
        })
    });
    blocks.chain(acts).collect()
}

fn claims(registers: &Registers, message: &Message) -> Vec<Claim> {
    bearing(registers, message)
        .flat_map(|(about, register)| claims_of(about, register).collect::<Vec<_>>())
        .collect()
}
