//! `/v1/retractions`: what one source said in a span of time is left out: a stranger at a page, an
//! integration gone wrong (rules 9 and 15).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::limits;
use sayso_core::words::source::{Actor, Road};
use sayso_store::store::{Doing, SpanDraft, SpanOf};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::body::texts::{NameText, NoteText, RoadText, TimeText};
use crate::body::{Sent, json_object};
use crate::caller::{Caller, Compliance};
use crate::problem::{Code, Problem};

json_object! {
    /// Which events are to be left out.
    #[derive(ToSchema)]
    SpanRequest {
        /// The name of the source, as events show it: of a site, an integration, a list. Required.
        #[schema(example = "shop")]
        source: NameText,
        /// How it came in, as events show it; `tag` if absent.
        #[schema(example = "tag")]
        road: RoadText,
        /// What was recorded from this time on. Required.
        #[schema(example = "2026-11-30T10:00:00Z")]
        from: TimeText,
        /// What was recorded before this time. Required.
        #[schema(example = "2026-11-30T10:05:00Z")]
        until: TimeText,
        /// Whether only what nobody vouches for is left out; `true` if absent.
        only_unproven: bool,
        /// Whether it is only counted what would be left out.
        dry_run: bool,
        /// Why.
        reason: NoteText,
    }
}

/// What was left out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpanRetraction)]
pub(crate) struct SpanAnswer {
    /// Events that are left out; with `dry_run`, those that would be. What was retracted before counts too.
    #[schema(example = 10000)]
    retracted: u64,
    /// Events of the source in that time that stay, since they came from the people themselves.
    #[schema(example = 0)]
    kept: u64,
    /// The `from` to go on with, if the span holds more than one request leaves out; `null` once all is done.
    next_from: Option<String>,
}

/// Leaves out what a source said in a span of time, for good (rule 9).
///
/// What reached us from people themselves stays. Attributes that refusals by strangers hid are shown again.
#[utoipa::path(
    post, path = "/v1/retractions", tag = "Events", operation_id = "retract_span",
    request_body(content = SpanRequest, description = "The source, the span, and why."),
    responses((status = 200, description = "What was left out. May be repeated.", body = SpanAnswer)),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn retract(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    sent: Sent<SpanRequest>,
) -> Result<Json<SpanAnswer>, Problem> {
    let Sent { request, mut faults } = sent;
    let name = faults.require("/source", request.source, "shop");
    let from = faults.require("/from", request.from, "2026-11-30T10:00:00Z");
    let until = faults.require("/until", request.until, "2026-11-30T10:05:00Z");
    if let (Some(TimeText(from)), Some(TimeText(until))) = (&from, &until)
        && until <= from
    {
        let fault = "is not after `from`";
        faults.note_with_example("/until", Code::InvalidTime, fault, "2026-11-30T10:05:00Z");
    }
    let span = name.zip(from.zip(until));
    let (NameText(name), (TimeText(from), TimeText(until))) = faults.settle(span)?;
    let only_unproven = request.only_unproven.unwrap_or(true);
    let draft = SpanDraft {
        road: request.road.map_or(Road::Tag, |RoadText(road)| road),
        name,
        from,
        until,
        of: if only_unproven { SpanOf::Unproven } else { SpanOf::All },
        doing: if request.dry_run.unwrap_or(false) { Doing::Counted } else { Doing::Done },
        events_max: limits::RETRACTED_SPAN_EVENTS_MAX,
        role: caller.role(),
        source: caller.source(),
        actor: Actor::Operator,
        reason: request.reason.map(|NoteText(reason)| reason),
    };
    let done = app.store().retract_span(caller.workspace().id, draft).await?;
    let next_from = done.next_from.map(|from| from.to_string());
    Ok(Json(SpanAnswer { retracted: done.retracted, kept: done.kept, next_from }))
}
