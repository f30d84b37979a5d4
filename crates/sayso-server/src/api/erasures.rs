//! `/v1/erasures`: a person asks to be forgotten (rule 17).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::canonical::Writer;
use sayso_core::event::Fact;
use sayso_core::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::guard::Guard;
use sayso_core::source::{Actor, Evidence};
use sayso_store::store::{Dating, Draft, Moment, Subject};
use utoipa::ToSchema;

use crate::api::address::{Care, Place, Reading, addressed_object};
use crate::api::consents::answer::EventAnswer;
use crate::app::App;
use crate::body::Sent;
use crate::body::texts::{NoteText, RegionText};
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

/// Erases a person: destroys addresses, attributes and evidence; keeps refusals.
///
/// What stays is a key without an address, blocked as `erased`, so that an old list imported again
/// reaches nobody. An address shared with another profile is unlinked and keeps its refusals.
#[utoipa::path(
    post, path = "/v1/erasures", tag = "Erasures", operation_id = "erase",
    request_body(content = ErasureRequest, description = "Who is to be erased."),
    responses(
        (status = 201, description = "The person is erased. Erasing again is answered the same.", body = EventAnswer),
        (status = 409, description = "Several people share the address; nothing was changed.", body = ProblemBody),
    ),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn erase(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    sent: Sent<ErasureRequest>,
) -> Result<(StatusCode, Json<EventAnswer>), Problem> {
    let draft = draft(sent, &app, &caller)?;
    let subject = draft.subject.clone();
    name_one_person(&app, &caller, &subject).await?;
    let recorded = app.store().erase(caller.workspace(), &subject, draft).await?;
    Ok((StatusCode::CREATED, Json(EventAnswer::of(&recorded))))
}

/// An address that several people share does not say which of them asks to be forgotten.
async fn name_one_person(
    app: &App,
    caller: &Caller<Compliance>,
    subject: &Subject,
) -> Result<(), Problem> {
    let known = app.store().registers(caller.workspace(), subject, Moment::Now).await?;
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
    let region = region.or(caller.configuration().settings.at(received).region);
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
    let subject = request.take_address().settle(&reading, &mut faults);
    let subject = faults.settle(subject)?;
    let hash = hash(&subject, caller);
    Ok(Draft {
        subject,
        id: event_id(caller.workspace(), RequestIdentity::Undated(hash, received), 0),
        request: hash,
        fact: Fact::Erasure,
        source: caller.source(),
        actor: Actor::Operator,
        occurred_at: received,
        dating: Dating::Undated,
        import: None,
        basis: None,
        evidence: Evidence { method: reason, ..Evidence::default() },
        attributes: BTreeMap::new(),
        guard: Guard::None,
    })
}

fn hash(subject: &Subject, caller: &Caller<Compliance>) -> RequestHash {
    let mut fields = Writer::default();
    fields.text("api erasure");
    fields.raw(subject.key(&caller.configuration().secret).as_bytes());
    RequestHash::of(&fields, &caller.configuration().secret)
}
