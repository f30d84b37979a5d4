//! How a sender stands, what moved it, and operators' pause and resume.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::gate::sender_health::{HealthCause, Known, Says, Signal, Signals};
use sayso_core::id::SenderId;
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::workspace::{RuntimeFact, Workspace};
use sayso_store::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::{SenderAnswer, find, tag};
use crate::api::page::InPath;
use crate::api::revisions::Tagged;
use crate::app::App;
use crate::body::texts::{NoteText, SenderIdText};
use crate::body::{Sent, json_object};
use crate::caller::{Caller, Configure, Read};
use crate::problem::{Code, Problem, ProblemBody};

json_object! {
    /// Why a sender is paused or resumed.
    #[derive(ToSchema)]
    PauseRequest {
        /// Why, for whoever reads the history. Required.
        #[schema(value_type = String, example = "the list was wrong")]
        reason: NoteText,
    }
}

/// How a sender stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthView {
    /// `green`; `yellow`, a warning; `red`, marketing rests; `blocked`, nothing can be sent.
    #[schema(example = "red")]
    level: &'static str,
    /// Whether an operator paused it: nothing goes but confirmations of refusals and answers to HELP.
    paused: bool,
    /// Since when; `null` if it always was so.
    since: Option<String>,
    /// What it rests on, the worst first.
    because: Vec<SignalView>,
    /// When marketing may go again; `null` where it may now, or where nobody knows.
    retry_at: Option<String>,
    /// Until when all its messages wait because the provider asks for patience; `null` while it does not.
    rests_until: Option<String>,
}

/// What was said of a sender.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SenderSignal)]
pub(crate) struct SignalView {
    /// What it is about: `quality`, `restriction`, `violation`, `account`, `spam_limit`, `account_refused`, `complaints`, `refusals` or `operator`.
    #[schema(example = "spam_limit")]
    cause: &'static str,
    /// `green`, `yellow`, `red`, `blocked`, `paused` or `resumed`.
    #[schema(example = "red")]
    says: &'static str,
    /// When, by the clock of who says so.
    at: String,
    /// Until when it counts; absent if nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// The number that it is about, as the provider spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    /// The words of the provider, or the operator's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "provider's code 131048")]
    words: Option<String>,
    /// When Sayso was told; in the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_at: Option<String>,
}

/// Reads a sender: how it stands, and the newest hundred signals that moved it.
#[utoipa::path(
    get, path = "/v1/senders/{id}", tag = "Senders", operation_id = "get_sender",
    params(("id" = String, Path, description = "The id of the sender.")),
    responses(
        (status = 200, description = "The sender, with `health` and `history`.", body = SenderAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such sender.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    id: InPath<SenderIdText>,
) -> Result<Tagged<SenderAnswer>, Problem> {
    let InPath(SenderIdText(id)) = id;
    let known = caller.workspace();
    let tag = tag(known, id, find(known, id)?);
    let detail = detail(&app, known, id).ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(Tagged::new(tag, detail))
}

/// Pauses a sender: what waits and what comes waits, until it is resumed or of no use any more.
///
/// Confirmations of refusals and answers to HELP still go. What the provider has is not called back.
#[utoipa::path(
    post, path = "/v1/senders/{id}/pause", tag = "Senders", operation_id = "pause_sender",
    params(("id" = String, Path, description = "The id of the sender.")),
    request_body(content = PauseRequest, description = "Why."),
    responses(
        (status = 200, description = "The paused sender: no hand-over begins after this answer.", body = SenderAnswer),
        (status = 404, description = "There is no such sender.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn pause(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<SenderIdText>,
    sent: Sent<PauseRequest>,
) -> Result<Json<SenderAnswer>, Problem> {
    say(&app, &caller, id, sent, Says::Paused).await
}

/// Resumes a sender: ends the pause, and every bad signal that has no end of its own.
///
/// What ends by itself stands until then.
#[utoipa::path(
    post, path = "/v1/senders/{id}/resume", tag = "Senders", operation_id = "resume_sender",
    params(("id" = String, Path, description = "The id of the sender.")),
    request_body(content = PauseRequest, description = "Why."),
    responses(
        (status = 200, description = "The sender as it stands now.", body = SenderAnswer),
        (status = 404, description = "There is no such sender.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn resume(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<SenderIdText>,
    sent: Sent<PauseRequest>,
) -> Result<Json<SenderAnswer>, Problem> {
    say(&app, &caller, id, sent, Says::Resumed).await
}

async fn say(
    app: &App,
    caller: &Caller<Configure>,
    InPath(SenderIdText(id)): InPath<SenderIdText>,
    sent: Sent<PauseRequest>,
    says: Says,
) -> Result<Json<SenderAnswer>, Problem> {
    find(caller.workspace(), id)?;
    let Sent { request, mut faults } = sent;
    let reason = request.reason.map(|NoteText(reason)| reason);
    let reason = faults.require("/reason", reason, "the list was wrong");
    let reason = faults.settle(reason)?;
    let signal = Signal::new(HealthCause::Operator, says, app.now(), reason.as_str());
    let workspace = caller.workspace().id;
    let noted = app.store().note(workspace, RuntimeFact::Signal(id, signal)).await?;
    app.dispatch().wake(workspace, id);
    let noted = noted.changed().ok_or(StoreError::Busy)?;
    detail(app, &noted, id).map(Json).ok_or_else(|| Problem::new(Code::NotFound))
}

fn detail(app: &App, workspace: &Workspace, id: SenderId) -> Option<SenderAnswer> {
    let sender = workspace.senders.get(&id)?;
    let now = app.now();
    let rests_until = app.dispatch().back_offs().until((workspace.id, id), now);
    let signals = workspace.runtime.signals.get(&id);
    let history = signals.map_or_else(Vec::new, history);
    let answer = SenderAnswer::of(id, sender, workspace, now);
    let health = HealthView::of(&workspace.runtime.health(id, Known::all(now)), rests_until);
    Some(SenderAnswer { health: Some(health), history: Some(history), ..answer })
}

fn history(signals: &Signals) -> Vec<SignalView> {
    let shown = signals.newest().take(limits::SENDER_HISTORY_SHOWN);
    shown
        .map(|(recorded_at, signal)| SignalView {
            recorded_at: Some(recorded_at.to_string()),
            ..SignalView::of(signal)
        })
        .collect()
}

impl HealthView {
    fn of(
        health: &sayso_core::gate::sender_health::Health,
        rests_until: Option<Timestamp>,
    ) -> Self {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            level: health.level.as_str(),
            paused: health.pause.is_some(),
            since: text(health.since),
            because: health.pause.iter().chain(&health.because).map(SignalView::of).collect(),
            retry_at: text(health.retry_at()),
            rests_until: text(rests_until),
        }
    }
}

impl SignalView {
    fn of(signal: &Signal) -> Self {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            cause: signal.cause.as_str(),
            says: match signal.says {
                Says::Level(level) => level.as_str(),
                Says::Paused => "paused",
                Says::Resumed => "resumed",
            },
            at: signal.at.to_string(),
            until: signal.until.map(|until| until.to_string()),
            number: some(&signal.about),
            words: some(&signal.words),
            recorded_at: None,
        }
    }
}
