//! `/v1/reviews`: texts that nobody could read for certain. Until somebody decides, no marketing goes to
//! the person (rule 19).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::address::Address;
use sayso_core::canonical::Writer;
use sayso_core::id::EventId;
use sayso_core::state::retraction::RetractionFault;
use sayso_core::state::status::Status;
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::source::is_passed_on;
use sayso_core::words::source::{Actor, Evidence, EvidenceText};
use sayso_core::words::statement::{Slot, Statement};
use sayso_plan::draft::{Drafter, Subject};
use sayso_plan::evidence::{BECAUSE, REVIEW_OF, TEXT, find};
use sayso_store::look_up::LookedUp;
use sayso_store::store::{
    AudienceCursor, AudienceQuery, HistoryEntry, Moment, RetractDraft, Retracting,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::events::retracted;
use crate::api::page::{InPath, items};
use crate::app::App;
use crate::body::address::{Care, Place, Reading, addressed_object};
use crate::body::texts::{ChannelText, EventIdText, RegionText, texts};
use crate::body::{Asked, Faults, Sent, json_object};
use crate::caller::{Caller, Compliance};
use crate::looking::LookingUp;
use crate::problem::{Code, Problem, ProblemBody};
use crate::views::address::ShownAddress;

pub(crate) mod inferred;

texts! {
    /// What a text under review means.
    ReviewedText(Reviewed) = Reviewed::parse, UnknownWord, "opt_out", Some(&["opt_out", "nothing"]);
}

json_object! {
    /// Which texts are asked for.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    ReviewsQuery {
        /// Those on this channel. Required.
        #[param(inline, value_type = ChannelText, example = "sms")]
        channel: ChannelText,
        /// About how many texts; 50 if absent, at most 500. A page may hold some more.
        #[param(maximum = 500, minimum = 1)]
        limit: u32,
        /// Where to go on: `next` of the page before.
        cursor: String,
    }
}

addressed_object! {
    /// What a text means. Exactly one of `phone`, `email`, `external_id`, `channel_id` and `hash` names
    /// who wrote it.
    #[derive(ToSchema)]
    DecisionRequest {
        /// Where a national phone number belongs.
        region: RegionText,
        /// `opt_out`: the person wants no more, from the time of the text on. `nothing`: it was no wish to stop. Required.
        decision: ReviewedText,
    }
}

/// What a text under review was decided to mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reviewed {
    /// A refusal.
    OptOut,
    /// No wish to stop.
    Nothing,
}

impl Reviewed {
    /// Parses the word.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "opt_out" => Ok(Self::OptOut),
            "nothing" => Ok(Self::Nothing),
            _ => Err("is none of opt_out, nothing"),
        }
    }
}

/// A page of texts under review, in no particular order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewsPage {
    /// The texts.
    reviews: Vec<ReviewView>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// A text under review.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Review)]
pub(crate) struct ReviewView {
    /// The event that holds marketing back: `hold`.
    #[schema(example = "evt_4k4zzzrrtd26adzcwdrs25ab3h")]
    id: String,
    /// Who wrote it.
    address: ShownAddress,
    /// The channel.
    #[schema(example = "sms")]
    channel: &'static str,
    /// When it was written.
    held_at: String,
    /// The text, if it came by a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "why do I get these")]
    text: Option<String>,
    /// Why it could not be read for certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "doubtful")]
    because: Option<String>,
}

/// A decided text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionAnswer {
    /// The event that held marketing back, and does no more.
    id: String,
    /// The refusal that was recorded in its place, at its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
}

/// Lists the texts that wait for somebody to read them.
#[utoipa::path(
    get, path = "/v1/reviews", tag = "Reviews", operation_id = "list_reviews",
    params(ReviewsQuery),
    responses((status = 200, description = "A page of texts.", body = ReviewsPage)),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    looking: LookingUp,
    asked: Asked<ReviewsQuery>,
) -> Result<Json<ReviewsPage>, Problem> {
    let Asked { request, mut faults } = asked;
    let limit = items(request.limit, &mut faults);
    let channel = request.channel.map(|ChannelText(channel)| channel);
    let channel = faults.require("?channel", channel, "sms");
    let cursor = cursor(request.cursor.as_deref(), &mut faults);
    let channel = faults.settle(channel)?;
    let query = AudienceQuery {
        channel,
        scope: Scope::All,
        status: Status::UnderReview,
        message: Message::ordinary(channel, Category::Marketing),
        moment: Moment::Now,
    };
    let (mut reviews, mut asked_about, mut next) = (Vec::new(), Vec::new(), Some(cursor));
    while let Some(place) = next.filter(|_| reviews.len() < limit) {
        let page = app.store().audience(caller.workspace().id, &query, place).await?;
        for member in page.members {
            let key = member.address.key(&caller.workspace().secret);
            asked_about.push(LookedUp::Address(key));
            reviews.extend(review(&app, &caller, &member.address, channel).await?);
        }
        next = page.next;
    }
    looking.note(&app, &caller, asked_about).await?;
    let next = next.and_then(|next| match next {
        AudienceCursor::Segment(segment) => Some(segment.to_string()),
        AudienceCursor::Beginning | AudienceCursor::After(_) => None,
    });
    Ok(Json(ReviewsPage { reviews, next }))
}

/// Decides what a text means. It is decided for good: a refusal counts from the time of the text on.
#[utoipa::path(
    post, path = "/v1/reviews/{id}/decision", tag = "Reviews", operation_id = "decide_review",
    params(("id" = String, Path, description = "The id of the event that holds marketing back.")),
    request_body(content = DecisionRequest, description = "Who wrote it, and what it means."),
    responses(
        (status = 200, description = "The text is decided.", body = DecisionAnswer),
        (status = 404, description = "There is no such text of this person under review.", body = ProblemBody),
        (status = 409, description = "The event may not be left out; `detail` says why.", body = ProblemBody),
    ),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    id: InPath<EventIdText>,
    sent: Sent<DecisionRequest>,
) -> Result<Json<DecisionAnswer>, Problem> {
    let InPath(EventIdText(id)) = id;
    let Sent { mut request, mut faults } = sent;
    let decision = request.decision.take().map(|ReviewedText(decision)| decision);
    let decision = faults.require("/decision", decision, "opt_out");
    let region = request.region.take().map(|RegionText(region)| region);
    let region = region.or(caller.workspace().settings.at(app.now()).region);
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
    let subject = request.take_address().settle(&reading, &mut faults);
    let (subject, decision) = faults.settle(subject.zip(decision))?;
    let key = subject.key(&caller.workspace().secret);
    let held = app.store().find_event(caller.workspace().id, key, id).await?;
    let held = held.ok_or_else(|| Problem::new(Code::NotFound))?;
    let Fact::Consent(permission, Statement::Hold) = held.event.fact else {
        return Err(Problem::new(Code::NotFound));
    };
    if is_passed_on(&held.event.source) {
        retracted(Retracting::Refused(RetractionFault::PassedOn))?;
    }
    let refusal = match decision {
        Reviewed::Nothing => None,
        Reviewed::OptOut => Some(refuse(&app, &caller, &subject, (permission, &held)).await?),
    };
    let draft = RetractDraft {
        subject,
        event: id,
        role: caller.role(),
        source: caller.source(),
        actor: Actor::Operator,
        reason: EvidenceText::parse("review").ok(),
    };
    retracted(app.store().retract(caller.workspace().id, draft).await?)?;
    Ok(Json(DecisionAnswer { id: id.to_string(), refusal: refusal.map(|id| id.to_string()) }))
}

/// Records the refusal that a text was, at its time, before what held in its place is left out.
async fn refuse(
    app: &App,
    caller: &Caller<Compliance>,
    subject: &Subject,
    (permission, held): (Permission, &HistoryEntry),
) -> Result<EventId, Problem> {
    let mut fields = Writer::default();
    fields.text("review");
    fields.raw(held.event.id.as_bytes());
    let request = RequestHash::of(&fields, &caller.workspace().secret);
    let mut evidence = Evidence {
        method: EvidenceText::parse("review").ok(),
        ..held.evidence.clone().unwrap_or_default()
    };
    evidence.fields.extend(sayso_plan::evidence::fields([(REVIEW_OF, held.event.id.to_string())]));
    let identity = (caller.workspace().id, RequestIdentity::Dated(request));
    let at = held.event.occurred_at;
    // What is held is not its basis: what rests on an event is left out with it.
    let draft = Drafter::new(identity, caller.source(), Actor::Operator, at)
        .with_evidence(evidence)
        .draft(subject.clone(), Fact::Consent(permission, Statement::OptOut), 0);
    let id = draft.id;
    app.store().record(caller.workspace().id, vec![draft]).await?;
    Ok(id)
}

fn cursor(text: Option<&str>, faults: &mut Faults) -> AudienceCursor {
    let Some(text) = text else { return AudienceCursor::Beginning };
    if let Ok(segment) = text.parse() {
        return AudienceCursor::Segment(segment);
    }
    let fault = "is no cursor of ours; use `next` as it was given";
    faults.note("?cursor", Code::InvalidValue, fault);
    AudienceCursor::Beginning
}

/// What holds marketing back from somebody.
async fn review(
    app: &App,
    caller: &Caller<Compliance>,
    address: &Address,
    channel: Channel,
) -> Result<Option<ReviewView>, Problem> {
    let subject = Subject::Address(address.clone());
    let known = app.store().registers(caller.workspace().id, &subject, Moment::Now).await?;
    let register = known.register(channel, Scope::All);
    let Some(mark) = register.and_then(|register| register.act(Slot::Hold)) else {
        return Ok(None);
    };
    let key = address.key(&caller.workspace().secret);
    let held = app.store().find_event(caller.workspace().id, key, mark.event).await?;
    // What was passed on from another address of the account, or is heard of another form of the number,
    // is reviewed there.
    if held.as_ref().is_none_or(|held| is_passed_on(&held.event.source)) {
        return Ok(None);
    }
    let evidence = held.and_then(|held| held.evidence).unwrap_or_default();
    let field = |name| find(&evidence, name).map(str::to_owned);
    Ok(Some(ReviewView {
        id: mark.event.to_string(),
        address: ShownAddress::of(address),
        channel: channel.as_str(),
        held_at: mark.at.to_string(),
        text: field(TEXT),
        because: field(BECAUSE),
    }))
}
