//! `/v1/erasures`: a person asks to be forgotten (rule 17).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::canonical::Writer;
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::source::{Actor, Evidence};
use sayso_plan::draft::{Draft, Drafter, Subject};
use sayso_store::erasure::ErasureReach;
use sayso_store::erasure::{ErasureCounts, StoredErasure};
use sayso_store::store::Moment;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::consents::answer::EventAnswer;
use crate::api::page::{items, position};
use crate::app::App;
use crate::body::address::{Care, Place, Reading, addressed_object};
use crate::body::texts::{NoteText, RegionText};
use crate::body::{Asked, Sent, json_object};
use crate::caller::{Caller, Compliance};
use crate::problem::{Code, Problem, ProblemBody};

addressed_object! {
    /// Who is to be erased, by one address.
    #[derive(ToSchema)]
    ErasureRequest {
        /// Where a national phone number belongs.
        region: RegionText,
        /// Who asked, or the number of the request; no personal data.
        reason: NoteText,
    }
}

json_object! {
    /// Which page of erasures is asked for.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    ErasuresQuery {
        /// How many erasures; 50 if absent, at most 500.
        #[param(maximum = 500, minimum = 1)]
        limit: u32,
        /// Where to go on: `next` of the page before.
        cursor: String,
    }
}

/// How much an erasure destroyed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Destroyed)]
pub(crate) struct DestroyedView {
    /// Addresses that were the person's alone.
    #[schema(example = 2)]
    addresses: u64,
    /// Addresses shared with somebody else: unlinked, with their refusals kept.
    #[schema(example = 0)]
    unlinked: u64,
    /// Events that lost their address and evidence; their facts stay.
    #[schema(example = 14)]
    events: u64,
    /// Rejected statements that might have spoken of the person.
    #[schema(example = 1)]
    rejects: u64,
    /// Messages that lost their recipient and text.
    #[schema(example = 9)]
    messages: u64,
    /// Opt-ins that waited for an answer, and boxes ticked before a chat.
    #[schema(example = 0)]
    waiting: u64,
}

/// What an erasure did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasureAnswer {
    /// The event.
    #[serde(flatten)]
    event: EventAnswer,
    /// How much was destroyed. Erasing again finds nothing more.
    destroyed: DestroyedView,
}

/// An erasure that was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Erasure)]
pub(crate) struct ErasureView {
    /// The id of its event.
    #[schema(example = "evt_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// When.
    #[schema(example = "2026-11-21T10:00:01.000000Z")]
    erased_at: String,
    /// The key of the address that was named: all that is left of it.
    address_key: String,
    /// The reason that was given; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ticket 7")]
    reason: Option<String>,
    /// By which road the request came, as in `api` or `preferences`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "api")]
    road: Option<&'static str>,
    /// The name of the API key, or what else asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "shop")]
    source: Option<String>,
    /// How much was destroyed.
    destroyed: DestroyedView,
}

/// A page of erasures, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasuresPage {
    /// The erasures.
    erasures: Vec<ErasureView>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Erases a person: destroys addresses, attributes and evidence; keeps refusals and your reason.
///
/// What stays is a key without an address, blocked as `erased`, so that an old list imported again
/// reaches nobody. An address shared with another profile is unlinked and keeps its refusals. The answer
/// says how much was destroyed.
#[utoipa::path(
    post, path = "/v1/erasures", tag = "Erasures", operation_id = "erase",
    request_body(content = ErasureRequest, description = "Who is to be erased."),
    responses(
        (status = 201, description = "The person is erased. Erasing again is answered the same.", body = ErasureAnswer),
        (status = 409, description = "Several people share the address; nothing was changed.", body = ProblemBody),
    ),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn erase(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    sent: Sent<ErasureRequest>,
) -> Result<(StatusCode, Json<ErasureAnswer>), Problem> {
    let draft = draft(sent, &app, &caller)?;
    let subject = draft.subject.clone();
    name_one_person(&app, &caller, &subject).await?;
    let erased =
        app.store().erase(caller.workspace().id, &subject, ErasureReach::Person, draft).await?;
    let event = EventAnswer::of(&erased.recorded);
    let destroyed = DestroyedView::of(&erased.counts);
    Ok((StatusCode::CREATED, Json(ErasureAnswer { event, destroyed })))
}

/// Lists the erasures that were done, the newest first, with the reason given for each.
///
/// For the record that you must keep of them. The list begins with the release that introduced it, and a
/// store restored from a backup has those of the backup; `sayso export --erasures` writes all.
#[utoipa::path(
    get, path = "/v1/erasures", tag = "Erasures", operation_id = "list_erasures",
    params(ErasuresQuery),
    responses((status = 200, description = "A page of erasures.", body = ErasuresPage)),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    asked: Asked<ErasuresQuery>,
) -> Result<Json<ErasuresPage>, Problem> {
    let Asked { mut request, mut faults } = asked;
    let limit = items(request.limit, &mut faults);
    let after = position(request.cursor.take().as_deref(), &mut faults);
    let after = faults.settle(Some(after))?;
    let page = app.store().erasures(caller.workspace().id, after, limit).await?;
    Ok(Json(ErasuresPage {
        erasures: page.erasures.into_iter().map(ErasureView::of).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

impl DestroyedView {
    const fn of(counts: &ErasureCounts) -> Self {
        let ErasureCounts { addresses, unlinked, events, rejects, messages, waiting } = *counts;
        Self { addresses, unlinked, events, rejects, messages, waiting }
    }
}

impl ErasureView {
    fn of(erasure: StoredErasure) -> Self {
        Self {
            id: erasure.event.to_string(),
            erased_at: erasure.erased_at.to_string(),
            address_key: erasure.address.to_string(),
            reason: erasure.reason.map(|reason| reason.as_str().to_owned()),
            road: erasure.source.as_ref().map(|source| source.road.as_str()),
            source: erasure.source.map(|source| source.name.to_string()),
            destroyed: DestroyedView::of(&erasure.counts),
        }
    }
}

/// An address that several people share does not say which of them asks to be forgotten.
async fn name_one_person(
    app: &App,
    caller: &Caller<Compliance>,
    subject: &Subject,
) -> Result<(), Problem> {
    let known = app.store().registers(caller.workspace().id, subject, Moment::Now).await?;
    let people: Vec<String> = known.links().map(|(profile, _)| profile.to_string()).collect();
    if people.len() > 1 {
        let detail = format!("belongs to {}; name the person by external_id", people.join(", "));
        return Err(Problem::new(Code::AmbiguousProfile).detail(detail));
    }
    Ok(())
}

fn draft(
    sent: Sent<ErasureRequest>,
    app: &App,
    caller: &Caller<Compliance>,
) -> Result<Draft, Problem> {
    let Sent { mut request, mut faults } = sent;
    let received = app.now();
    let reason = request.reason.take().map(|NoteText(reason)| reason);
    let region = request.region.take().map(|RegionText(region)| region);
    let region = region.or(caller.workspace().settings.at(received).region);
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
    let subject = request.take_address().settle(&reading, &mut faults);
    let subject = faults.settle(subject)?;
    let hash = hash(&subject, caller);
    let identity = (caller.workspace().id, RequestIdentity::Undated(hash, received));
    Ok(Drafter::new(identity, caller.source(), Actor::Operator, received)
        .with_evidence(Evidence { method: reason, ..Evidence::default() })
        .draft(subject, Fact::Erasure, 0))
}

fn hash(subject: &Subject, caller: &Caller<Compliance>) -> RequestHash {
    let mut fields = Writer::default();
    fields.text("api erasure");
    fields.raw(subject.key(&caller.workspace().secret).as_bytes());
    RequestHash::of(&fields, &caller.workspace().secret)
}
