//! `/v1/check`: may we send? One person or a hundred thousand.
//!
//! Fails closed: when consent cannot be read the answer is a problem, never `allow`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sayso_core::address::Address;
use sayso_core::gate::decision::Requirement;
use sayso_core::gate::reason::{Reason, Reasons};
use sayso_core::gate::sender_health::Known;
use sayso_core::policy::settings::Settings;
use sayso_core::time::Timestamp;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Subject;
use sayso_store::look_up::LookedUp;
use sayso_store::store::{Moment, Question, Recipient};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::body::address::{Care, Place, Reading, addressed_object};
use crate::body::texts::{
    CategoryText, ChannelText, RegionText, SenderIdText, TimeText, TopicIdText, ZoneText,
};
use crate::body::{Batch, BatchForm, Faults, Sent};
use crate::caller::{Caller, Check};
use crate::looking::LookingUp;
use crate::problem::{Code, Problem};
use crate::views::words::{DecisionWord, ReasonWord};

use batch::{BatchAnswer, BatchRequest};
use explain::Explanation;
pub(crate) use explain::{decide, decide_paced};
pub(crate) use question::{MessageFields, require_exemption};

mod batch;
mod explain;
mod question;

addressed_object! {
    /// A message that somebody wants to send, and to whom. Exactly one of `phone`, `email`,
    /// `external_id`, `channel_id` and `hash` names the person.
    #[derive(ToSchema)]
    CheckRequest {
        /// Where a national phone number belongs; without it the workspace's region.
        region: RegionText,
        /// The channel the message goes by. Required.
        channel: ChannelText,
        /// Who sends it. May be left out where the workspace has one living sender on the channel, or none.
        sender: SenderIdText,
        /// What it is about.
        topic: TopicIdText,
        /// What it is for; `marketing` if absent. A topic's own category wins.
        category: CategoryText,
        /// Whether an opt-in is needed; the workspace's setting if absent. `false` needs the key scope `send:exempt` and a message that is not marketing.
        require_opt_in: bool,
        /// When the person asked for this authentication message: it may go for 10 minutes despite an opt-out.
        requested_at: TimeText,
        /// Whether the words were approved by the platform beforehand. On WhatsApp other words may go only within 24 hours of the person's last message.
        template: bool,
        /// Where the person is, for quiet hours; what their profile or number tells if absent.
        time_zone: ZoneText,
        /// Whether to say all: the status, the events it rests on, the claims of sources.
        explain: bool,
        /// Decide by what we knew then.
        as_of: TimeText,
        /// Decide by what was true then, by all we know now.
        effective_at: TimeText,
    }
}

/// The answer of the gate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckAnswer {
    /// `allow` or `deny`.
    #[schema(value_type = DecisionWord, example = "deny")]
    decision: &'static str,
    /// The weightiest reason; `null` where the message may go.
    #[schema(value_type = Option<ReasonWord>, example = "opted_out")]
    reason: Option<&'static str>,
    /// All reasons, the weightiest first.
    #[schema(value_type = Vec<ReasonWord>)]
    reasons: Vec<&'static str>,
    /// The number that was understood, where the phone was written in another way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+14155550123")]
    phone: Option<String>,
    /// When to ask again, where the reasons pass by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-22T07:00:00.000000Z")]
    retry_at: Option<String>,
    /// Reasons that were waived (rule 26); said where `explain`, `as_of`, `effective_at` or `require_opt_in: false` was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<ReasonWord>)]
    waived: Vec<&'static str>,
    /// What the answer rests on; said where `explain` was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
}

/// One question about one person.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) question: Question,
    pub(crate) subject: Subject,
    pub(crate) moment: Moment,
    pub(crate) depth: Depth,
}

/// How much the answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The reasons.
    Reasons,
    /// What was waived, too.
    Waived,
    /// Everything.
    Explanation,
}

/// Asks whether a message may be sent to one person.
///
/// `deny` is an answer, not an error. When consent cannot be read the answer is a problem: unknown
/// is not allow.
#[utoipa::path(
    post, path = "/v1/check", tag = "Check", operation_id = "check",
    request_body(content = CheckRequest, description = "The message and the person."),
    responses((status = 200, description = "The decision.", body = CheckAnswer)),
    security(("api_key" = ["check"])),
)]
pub(crate) async fn check(
    State(app): State<Arc<App>>,
    caller: Caller<Check>,
    looking: LookingUp,
    sent: Sent<CheckRequest>,
) -> Result<Json<CheckAnswer>, Problem> {
    let settings = caller.workspace().settings.at(app.now());
    let written = sent.request.phone.clone();
    let asking = ask(sent, &app, &caller, &settings)?;
    if asking.depth == Depth::Explanation {
        let key = asking.subject.key(&caller.workspace().secret);
        looking.note(&app, &caller, vec![LookedUp::Address(key)]).await?;
    }
    let answer = match asking.depth {
        Depth::Reasons => compact(&app, &caller, &asking).await?,
        Depth::Waived | Depth::Explanation => {
            explain::decide(&app, caller.workspace(), &asking).await?
        }
    };
    let phone = understood(written.as_deref(), &asking.subject);
    Ok(Json(CheckAnswer { phone, ..answer }))
}

/// The number that a text was understood as, where it was written in another way.
fn understood(written: Option<&str>, subject: &Subject) -> Option<String> {
    let Subject::Address(Address::Phone(phone)) = subject else { return None };
    let understood = phone.to_string();
    (written != Some(&*understood)).then_some(understood)
}

/// Asks whether a message may be sent to each of up to 100,000 people.
///
/// The answers come in the order of the recipients. In JSON, `to` lists the recipients and
/// `answers` the answers; in NDJSON the first line is the question without `to`, each further line
/// a recipient as a JSON text, each answered by a line, and the last line sums up.
/// Lines come while later recipients are still being asked about: an answer without the last line
/// is not whole, and whoever got no line may not be written to.
#[utoipa::path(
    post, path = "/v1/check/batch", tag = "Check", operation_id = "check_batch",
    request_body(
        content((BatchRequest = "application/json"), (BatchRequest = "application/x-ndjson")),
        description = "The message and the recipients."
    ),
    responses((status = 200, description = "The decisions, in order, and their sum. In NDJSON each answer is a line and the sum the last one.",
        content((BatchAnswer = "application/json"), (BatchAnswer = "application/x-ndjson")))),
    security(("api_key" = ["check"])),
)]
pub(crate) async fn check_batch(
    State(app): State<Arc<App>>,
    caller: Caller<Check>,
    sent: Batch,
) -> Result<Response, Problem> {
    let settings = caller.workspace().settings.at(app.now());
    let asking = batch::ask(&sent, &app, &caller, &settings).await?;
    let body = match sent.form {
        BatchForm::Json => Body::from(batch::answer(&app, caller.workspace().id, &asking).await?),
        BatchForm::Lines => batch::stream(app, caller.workspace().id, asking).await?,
    };
    Ok(([(header::CONTENT_TYPE, batch::media_type(sent.form))], body).into_response())
}

fn ask(
    sent: Sent<CheckRequest>,
    app: &App,
    caller: &Caller<Check>,
    settings: &Settings,
) -> Result<Asking, Problem> {
    let Sent { mut request, mut faults } = sent;
    let fields = MessageFields {
        channel: request.channel.take(),
        sender: request.sender.take(),
        topic: request.topic.take(),
        category: request.category.take(),
        require_opt_in: request.require_opt_in,
        requested_at: request.requested_at.take(),
        template: request.template,
        time_zone: request.time_zone.take(),
    };
    let question = fields.settle(caller.workspace(), settings, &mut faults);
    let moment = moment(request.as_of.take(), request.effective_at.take(), &mut faults);
    let region = request.region.take().map(|RegionText(region)| region).or(settings.region);
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
    let explain = request.explain.unwrap_or(false);
    let subject = request.take_address().settle(&reading, &mut faults);
    let (question, subject) = faults.settle(question.zip(subject))?;
    require_exemption(&question, settings, &caller.key().scopes)?;
    let depth = match (explain, moment, question.requirement) {
        (true, _, _) => Depth::Explanation,
        (false, Moment::Now, Requirement::OptIn) => Depth::Reasons,
        (false, Moment::Now | Moment::AsOf(_) | Moment::EffectiveAt(_), _) => Depth::Waived,
    };
    Ok(Asking { question, subject, moment, depth })
}

/// The moment that is asked about.
pub(crate) fn moment(
    as_of: Option<TimeText>,
    effective_at: Option<TimeText>,
    faults: &mut Faults,
) -> Moment {
    match (as_of, effective_at) {
        (None, None) => Moment::Now,
        (Some(TimeText(at)), None) => Moment::AsOf(at),
        (None, Some(TimeText(at))) => Moment::EffectiveAt(at),
        (Some(_), Some(_)) => {
            faults.note("", Code::OneMoment, "names both as_of and effective_at");
            Moment::Now
        }
    }
}

/// What is known of senders and templates at a moment.
pub(crate) fn known_at(moment: Moment, now: Timestamp) -> Known {
    match moment {
        Moment::Now => Known::all(now),
        Moment::AsOf(at) => Known { by: at, at },
        Moment::EffectiveAt(at) => Known::all(at),
    }
}

/// The compact answer: from the gate index, unless it is to say when to ask again.
async fn compact(
    app: &App,
    caller: &Caller<Check>,
    asking: &Asking,
) -> Result<CheckAnswer, Problem> {
    let recipient = recipient(&asking.subject, caller.workspace());
    let screened =
        app.store().screen(caller.workspace().id, &asking.question, &[recipient]).await?;
    // No answer is not an allow.
    let reasons = screened.first().copied().ok_or_else(|| Problem::new(Code::StoreUnreadable))?;
    let passing = [Reason::QuietHours, Reason::FrequencyCap, Reason::SenderPaused];
    if !reasons.and(Reasons::of(&passing)).is_empty() {
        let answer = explain::decide(app, caller.workspace(), asking).await?;
        return Ok(CheckAnswer { waived: Vec::new(), ..answer });
    }
    app.metrics().count_decision(reasons, Reasons::NONE);
    Ok(CheckAnswer::of(reasons))
}

fn recipient(subject: &Subject, workspace: &Workspace) -> Recipient {
    match subject {
        Subject::Address(Address::Phone(phone)) => Recipient::Phone(*phone),
        Subject::Address(address) => Recipient::Key(address.key(&workspace.secret)),
        Subject::Hash(hash) => Recipient::Hashed(hash.key(&workspace.secret)),
        Subject::Key(key) => Recipient::Hashed(*key),
    }
}

impl CheckAnswer {
    /// Whether the message may not go.
    pub(crate) fn denies(&self) -> bool {
        self.reason.is_some()
    }

    /// Whether nothing but time holds the message back.
    pub(crate) fn is_held(&self) -> bool {
        let passing = [Reason::QuietHours.as_str(), Reason::FrequencyCap.as_str()];
        !self.reasons.is_empty() && self.reasons.iter().all(|reason| passing.contains(reason))
    }

    /// When to ask again.
    pub(crate) fn retry_at(&self) -> Option<&str> {
        self.retry_at.as_deref()
    }

    fn of(reasons: Reasons) -> Self {
        Self {
            decision: if reasons.is_empty() { "allow" } else { "deny" },
            reason: reasons.first().map(Reason::as_str),
            reasons: words(reasons),
            phone: None,
            retry_at: None,
            waived: Vec::new(),
            explanation: None,
        }
    }
}

/// The words of reasons, in order.
fn words(reasons: Reasons) -> Vec<&'static str> {
    reasons.iter().map(Reason::as_str).collect()
}
