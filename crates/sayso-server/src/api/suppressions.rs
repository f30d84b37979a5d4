//! `/v1/suppressions`: blocks that operators set and clear. They outrank consent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::address::AddressKind;
use sayso_core::canonical::Writer;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::Timestamp;
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::source::{Actor, Evidence};
use sayso_core::workspace::KeyScope;
use sayso_plan::draft::{Dating, Draft, Drafter, Subject};
use sayso_store::store::Outcome;
use utoipa::ToSchema;

use crate::api::consents::answer::EventAnswer;
use crate::app::App;
use crate::body::address::{Care, Place, Reading, addressed_object};
use crate::body::texts::{
    CategoryText, ChannelText, ClaimedTimeText, KindText, NoteText, RegionText, SenderIdText, texts,
};
use crate::body::{Faults, IdempotencyKey, Sent};
use crate::caller::{Caller, Write};
use crate::problem::{Code, Problem, ProblemBody};

texts! {
    /// A block that is set by hand: an operator's, or that a number belongs to somebody else now.
    SuppressionText(SetByHand) = SetByHand::parse, UnknownWord, "reassigned", Some(&["operator", "reassigned"]);
}

addressed_object! {
    /// A block on one address. Exactly one of `phone`, `email`, `external_id`, `channel_id` and
    /// `hash` names it.
    #[derive(ToSchema)]
    SuppressionRequest {
        /// Where a national phone number belongs.
        region: RegionText,
        /// Whether the block is set (`true`) or cleared (`false`). Required.
        blocked: bool,
        /// `operator` (the default): a block of yours. `reassigned`: the number belongs to somebody else since `occurred_at`; it covers everything, and a later opt-in of the new holder alone lifts it. Needs the scope `compliance` or `import`.
        suppression: SuppressionText,
        /// When a reassigned number was disconnected, as coarse as it is known; a day counts to its end. Required for such, and for nothing else.
        occurred_at: ClaimedTimeText,
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

/// Sets or clears a block of an operator, or says that a number belongs to somebody else now.
///
/// Only an operator's block is cleared here: what a person, a complaint or a provider blocked, they lift.
#[utoipa::path(
    post, path = "/v1/suppressions", tag = "Suppressions", operation_id = "switch_suppression",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one event.")),
    request_body(content = SuppressionRequest, description = "The block."),
    responses(
        (status = 201, description = "The block is set or cleared.", body = EventAnswer),
        (status = 403, description = "The key lacks the scope `write`; or `compliance`, to clear a block; or both `compliance` and `import`, for a reassigned number.", body = ProblemBody),
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
    let recorded = app.store().record(caller.workspace().id, vec![draft]).await?;
    let recorded = recorded.first().ok_or_else(|| Problem::new(Code::Internal))?;
    match recorded.outcome {
        Outcome::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
        Outcome::Appended | Outcome::Retried | Outcome::Repeated | Outcome::Withheld => {
            Ok((StatusCode::CREATED, Json(EventAnswer::of(recorded))))
        }
    }
}

/// What may be set by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetByHand {
    /// A block of an operator's.
    Operator,
    /// That a number belongs to somebody else.
    Reassigned,
}

impl SetByHand {
    /// Parses the word.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "operator" => Ok(Self::Operator),
            "reassigned" => Ok(Self::Reassigned),
            _ => Err("is none of operator, reassigned"),
        }
    }
}

/// What is set or cleared, when, and what the request is known by besides.
struct Settled {
    suppression: Suppression,
    cover: Cover,
    switched: Switched,
    occurred_at: Timestamp,
    dating: Dating,
}

fn draft(
    sent: Sent<SuppressionRequest>,
    key: IdempotencyKey,
    app: &App,
    caller: &Caller<Write>,
) -> Result<Draft, Problem> {
    let Sent { mut request, mut faults } = sent;
    let received = app.now();
    let named = request.suppression.take().map(|SuppressionText(named)| named);
    let settled = match named.unwrap_or(SetByHand::Operator) {
        SetByHand::Operator => {
            if request.blocked == Some(false) {
                refuse_without_compliance(caller)?;
            }
            Some(of_operator(&request, received, caller, &mut faults))
        }
        SetByHand::Reassigned => {
            refuse_the_others(caller)?;
            reassigned(&request, &mut faults)
        }
    };
    let reason = request.reason.take().map(|NoteText(reason)| reason);
    let region = request.region.take().map(|RegionText(region)| region);
    let region = region.or(caller.workspace().settings.at(received).region);
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
    let subject = request.take_address().settle(&reading, &mut faults);
    let (subject, settled) = faults.settle(subject.zip(settled))?;
    let request = hash(&subject, &settled, caller);
    let own_key = key.0.map(|key| format!("{}:{key}", caller.key_id()));
    let identity = match (&own_key, settled.dating) {
        (Some(key), _) => {
            RequestIdentity::Key(RequestHash::of_key(key, &caller.workspace().secret))
        }
        (None, Dating::Dated) => RequestIdentity::Dated(request),
        (None, Dating::Undated) => RequestIdentity::Undated(request, received),
    };
    let fact = Fact::Suppression(settled.suppression, settled.cover, settled.switched);
    let identity = (caller.workspace().id, identity);
    Ok(Drafter::new(identity, caller.source(), Actor::Operator, settled.occurred_at)
        .of_request(request)
        .with_dating(settled.dating)
        .with_evidence(Evidence { method: reason, ..Evidence::default() })
        .draft(subject, fact, 0))
}

fn of_operator(
    request: &SuppressionRequest,
    received: Timestamp,
    caller: &Caller<Write>,
    faults: &mut Faults,
) -> Settled {
    let switched = match faults.require("/blocked", request.blocked, "true") {
        Some(false) => Switched::Off,
        Some(true) | None => Switched::On,
    };
    if request.occurred_at.is_some() {
        let fault = "is for a reassigned number alone; an operator's block is of now";
        faults.note("/occurred_at", Code::InvalidValue, fault);
    }
    Settled {
        suppression: Suppression::Operator,
        cover: cover(request, caller, faults),
        switched,
        occurred_at: received,
        dating: Dating::Undated,
    }
}

/// That a number belongs to somebody else: it covers everything, and nobody here clears it.
fn reassigned(request: &SuppressionRequest, faults: &mut Faults) -> Option<Settled> {
    if faults.require("/blocked", request.blocked, "true") == Some(false) {
        let fault = "is lifted by a later opt-in of the new holder alone; what was said by mistake is retracted by its event";
        faults.note_with_example("/blocked", Code::InvalidValue, fault, "true");
    }
    let is_narrow = [
        ("/channel", request.channel.is_some()),
        ("/sender", request.sender.is_some()),
        ("/category", request.category.is_some()),
    ];
    for (pointer, _) in is_narrow.into_iter().filter(|(_, is_there)| *is_there) {
        let fault =
            "is left out here: a number that belongs to somebody else is blocked for everything";
        faults.note(pointer, Code::InvalidValue, fault);
    }
    let is_hash_of_phone =
        || request.kind.as_ref().is_some_and(|KindText(kind)| *kind == AddressKind::Phone);
    let others =
        request.email.is_some() || request.external_id.is_some() || request.channel_id.is_some();
    if others || (request.hash.is_some() && !is_hash_of_phone()) {
        let fault = "is what is reassigned: send a phone, or the hash of one";
        faults.note_with_example("/phone", Code::InvalidValue, fault, "+14155550123");
    }
    let at = request.occurred_at.as_ref().map(|ClaimedTimeText(at)| at.last());
    // The store cuts it to our receipt.
    let occurred_at = faults.require("/occurred_at", at, "2026-11-01")?;
    Some(Settled {
        suppression: Suppression::Reassigned,
        cover: Cover::default(),
        switched: Switched::On,
        occurred_at,
        dating: Dating::Dated,
    })
}

/// Who may clear a block: the compliance role alone. Setting one keeps messages from somebody, clearing one
/// lets them go again.
fn refuse_without_compliance(caller: &Caller<Write>) -> Result<(), Problem> {
    if caller.may(KeyScope::Compliance) {
        return Ok(());
    }
    let scope = KeyScope::Compliance.as_str();
    let detail = format!("the key lacks the scope {scope}, which clearing a block needs");
    Err(Problem::new(Code::ScopeMissing).detail(detail))
}

/// Who may say so: whoever imports lists of such numbers, and the compliance role.
fn refuse_the_others(caller: &Caller<Write>) -> Result<(), Problem> {
    if caller.may(KeyScope::Compliance) || caller.may(KeyScope::Import) {
        return Ok(());
    }
    let scopes = (KeyScope::Compliance.as_str(), KeyScope::Import.as_str());
    let detail = format!("the key has neither the scope {} nor {}", scopes.0, scopes.1);
    Err(Problem::new(Code::ScopeMissing).detail(detail))
}

fn cover(request: &SuppressionRequest, caller: &Caller<Write>, faults: &mut Faults) -> Cover {
    let sender = request.sender.as_ref().map(|SenderIdText(sender)| *sender);
    if sender.is_some_and(|sender| !caller.workspace().senders.contains_key(&sender)) {
        faults.note("/sender", Code::UnknownSender, "is no sender of this workspace");
    }
    Cover {
        channel: request.channel.as_ref().map(|ChannelText(channel)| *channel),
        sender,
        category: request.category.as_ref().map(|CategoryText(category)| *category),
    }
}

fn hash(subject: &Subject, settled: &Settled, caller: &Caller<Write>) -> RequestHash {
    let mut fields = Writer::default();
    fields.text("api suppression");
    fields.raw(subject.key(&caller.workspace().secret).as_bytes());
    fields.text(&format!("{:?}", settled.cover));
    fields.byte(match settled.switched {
        Switched::On => 1,
        Switched::Off => 0,
    });
    if settled.dating == Dating::Dated {
        fields.text(settled.suppression.as_str());
        fields.instant(settled.occurred_at);
    }
    RequestHash::of(&fields, &caller.workspace().secret)
}
