//! `/v1/suppressions`: blocks that operators set and clear. They outrank consent.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::canonical::Writer;
use sayso_core::event::{Fact, Switched};
use sayso_core::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::source::{Actor, Evidence};
use sayso_core::suppression::{Cover, Suppression};
use sayso_store::store::{Dating, Draft, Outcome, Subject};
use utoipa::ToSchema;

use crate::api::address::{Care, Place, Reading, addressed_object};
use crate::api::consents::answer::EventAnswer;
use crate::app::App;
use crate::body::texts::{CategoryText, ChannelText, NoteText, RegionText, SenderIdText};
use crate::body::{Faults, IdempotencyKey, Sent};
use crate::caller::{Caller, Write};
use crate::problem::{Code, Problem, ProblemBody};

addressed_object! {
    /// A block on one address. Exactly one of `phone`, `email`, `external_id`, `channel_id` and
    /// `hash` names it.
    #[derive(ToSchema)]
    SuppressionRequest {
        /// Where a national phone number belongs.
        region: RegionText,
        /// Whether the block is set (`true`) or cleared (`false`). Required.
        blocked: bool,
        /// The channel; all if absent.
        channel: ChannelText,
        /// The sender; all if absent.
        sender: SenderIdText,
        /// The category; all if absent.
        category: CategoryText,
        /// Why.
        reason: NoteText,
    }
}

/// Sets or clears a block of an operator.
///
/// Only such a block is cleared here: what a person, a complaint or a provider blocked, they lift.
#[utoipa::path(
    post, path = "/v1/suppressions", tag = "Suppressions", operation_id = "switch_suppression",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one event.")),
    request_body(content = SuppressionRequest, description = "The block."),
    responses(
        (status = 201, description = "The block is set or cleared.", body = EventAnswer),
        (status = 409, description = "The idempotency key was used for another request.", body = ProblemBody),
    ),
    security(("api_key" = ["write"])),
)]
pub(crate) async fn switch(
    State(app): State<Arc<App>>,
    caller: Caller<Write>,
    key: IdempotencyKey,
    sent: Sent<SuppressionRequest>,
) -> Result<(StatusCode, Json<EventAnswer>), Problem> {
    let draft = draft(sent, key, &app, &caller)?;
    let recorded = app.store().record(caller.workspace(), vec![draft]).await?;
    let recorded = recorded.first().ok_or_else(|| Problem::new(Code::Internal))?;
    match recorded.outcome {
        Outcome::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
        Outcome::Appended | Outcome::Retried | Outcome::Repeated => {
            Ok((StatusCode::CREATED, Json(EventAnswer::of(recorded))))
        }
    }
}

fn draft(
    sent: Sent<SuppressionRequest>,
    key: IdempotencyKey,
    app: &App,
    caller: &Caller<Write>,
) -> Result<Draft, Problem> {
    let Sent { mut request, mut faults } = sent;
    let received = app.now();
    let switched = match faults.require("/blocked", request.blocked, "true") {
        Some(false) => Switched::Off,
        Some(true) | None => Switched::On,
    };
    let cover = cover(&request, caller, &mut faults);
    let reason = request.reason.take().map(|NoteText(reason)| reason);
    let region = request.region.take().map(|RegionText(region)| region);
    let region = region.or(caller.configuration().settings.at(received).region);
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
    let subject = request.take_address().settle(&reading, &mut faults);
    let subject = faults.settle(subject)?;
    let request = hash(&subject, &cover, switched, caller);
    let own_key = key.0.map(|key| format!("{}:{key}", caller.key_id()));
    let identity = match &own_key {
        Some(key) => RequestIdentity::Key(RequestHash::of_key(key, &caller.configuration().secret)),
        None => RequestIdentity::Undated(request, received),
    };
    Ok(Draft {
        subject,
        id: event_id(caller.workspace(), identity, 0),
        request,
        fact: Fact::Suppression(Suppression::Operator, cover, switched),
        source: caller.source(),
        actor: Actor::Operator,
        occurred_at: received,
        dating: Dating::Undated,
        import: None,
        basis: None,
        evidence: Evidence { method: reason, ..Evidence::default() },
        attributes: BTreeMap::new(),
    })
}

fn cover(request: &SuppressionRequest, caller: &Caller<Write>, faults: &mut Faults) -> Cover {
    let sender = request.sender.as_ref().map(|SenderIdText(sender)| *sender);
    if sender.is_some_and(|sender| !caller.configuration().senders.contains_key(&sender)) {
        faults.note("/sender", Code::UnknownSender, "is no sender of this workspace");
    }
    Cover {
        channel: request.channel.as_ref().map(|ChannelText(channel)| *channel),
        sender,
        category: request.category.as_ref().map(|CategoryText(category)| *category),
    }
}

fn hash(
    subject: &Subject,
    cover: &Cover,
    switched: Switched,
    caller: &Caller<Write>,
) -> RequestHash {
    let mut fields = Writer::default();
    fields.text("api suppression");
    fields.raw(subject.key(&caller.configuration().secret).as_bytes());
    fields.text(&format!("{cover:?}"));
    fields.byte(match switched {
        Switched::On => 1,
        Switched::Off => 0,
    });
    RequestHash::of(&fields, &caller.configuration().secret)
}
