//! `/v1/consents`: record what people said, one or many; read who said it.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use sayso_core::address::Address;
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::state::status::Status;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Message, Scope};
use sayso_core::words::source::Source;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Draft;
use sayso_store::look_up::LookedUp;
use sayso_store::store::{AudienceCursor, AudienceQuery, Outcome, Recorded, StoreError};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use crate::api::check::moment;
use crate::app::App;
use crate::body::texts::{CategoryText, ChannelText, ScopeText, StatusText, TimeText};
use crate::body::{
    Asked, Batch, IdempotencyKey, Turn, Unread, json_object, parse_object, too_long,
};
use crate::caller::{Caller, Read, Record};
use crate::looking::LookingUp;
use crate::problem::{Code, Problem, ProblemBody};
use crate::reach::Leaving;
use crate::rejecting::Rejecting;
use crate::views::address::ShownAddress;

use answer::ConsentAnswer;
use member::{Explaining, MemberLine};
use plan::{Context, Plan, plan};
use request::ConsentRequest;

pub(crate) mod answer;
mod member;
pub(crate) mod plan;
pub(crate) mod request;

json_object! {
    /// Which people are asked for, and of when.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    AudienceRequest {
        /// The channel. Required.
        #[param(inline, value_type = ChannelText, required = true, example = "sms")]
        channel: ChannelText,
        /// What their consent must cover; `all` if absent.
        #[param(value_type = Option<String>, example = "all")]
        scope: ScopeText,
        /// Their status; `opted_in` if absent.
        #[param(inline, value_type = Option<StatusText>, example = "opted_in")]
        status: StatusText,
        /// The category of the message that is meant; `marketing` if absent. A topic's own wins.
        #[param(inline, value_type = Option<CategoryText>, example = "marketing")]
        category: CategoryText,
        /// Who had the status by what we knew then.
        #[param(value_type = Option<String>)]
        as_of: TimeText,
        /// Who had the status then, by all we know now.
        #[param(value_type = Option<String>)]
        effective_at: TimeText,
        /// Whether each line also says since when, and which event it rests on.
        explain: bool,
    }
}

/// One item's result.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItemAnswer {
    /// The place of the item, from 0.
    index: usize,
    /// The HTTP status the item would have had alone.
    #[schema(example = 201)]
    status: u16,
    /// The answer, if it was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<ConsentAnswer>,
    /// Why not, if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
}

/// What recording needs to know of its caller.
#[derive(Debug)]
pub(crate) struct Recording<'a> {
    app: &'a App,
    workspace: &'a Workspace,
    settings: Settings,
    received: Timestamp,
    source: Source,
    highest: Standing,
    key: Option<String>,
    /// Whether the caller is within the limit of its key.
    counted: &'a Result<(), Problem>,
}

/// Records one consent.
///
/// An opt-in by act needs a time, a method and a notice; a refusal is accepted in doubt, and
/// `remarks` says how it was read; an opt-in that names an unknown sender or topic is recorded as
/// `pending`, which grants nothing, and `doubt` says why and what to do. Sending the same request again is one event: by its
/// `Idempotency-Key`, or by its content where it has a time of its own.
#[utoipa::path(
    post, path = "/v1/consents", tag = "Consents", operation_id = "record_consent",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one event; 1 to 255 visible ASCII characters.")),
    request_body(content = ConsentRequest, description = "What was said."),
    responses(
        (status = 201, description = "The consent is recorded for good. The answer states where the person stands now.", body = ConsentAnswer),
        (status = 200, description = "The same was recorded before: a retry, or an undated report that says nothing new.", body = ConsentAnswer),
        (status = 409, description = "The idempotency key was used for another request.", body = ProblemBody),
    ),
    security(("api_key" = ["write"])),
)]
pub(crate) async fn record(
    State(app): State<Arc<App>>,
    caller: Caller<Record>,
    key: IdempotencyKey,
    sent: Unread,
) -> Result<(StatusCode, Json<ConsentAnswer>), Problem> {
    let recorded = Recording::begin(&app, &caller, key).record(&sent).await;
    if let Err(problem) = &recorded {
        let mut rejecting = Rejecting::of_key(&app, &caller);
        rejecting.add(problem, None, &sent.0);
        rejecting.keep();
    }
    recorded.map(|(status, answer)| (status, Json(answer)))
}

/// Records up to 10,000 consents, one JSON object a line.
///
/// Each line is answered by one line, in order: what can be recorded is recorded, together and
/// durably, and each other line says why not. Past the limits of the key and of the workspace's events
/// refusals are recorded all the same, and the other lines say so.
#[utoipa::path(
    post, path = "/v1/consents/batch", tag = "Consents", operation_id = "record_consents",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this batch one set of events; the lines must be the same, in the same order.")),
    request_body(content = ConsentRequest, content_type = "application/x-ndjson", description = "One consent a line."),
    responses((status = 200, description = "One line for each line of the request.", body = ItemAnswer, content_type = "application/x-ndjson")),
    security(("api_key" = ["write"])),
)]
pub(crate) async fn record_batch(
    State(app): State<Arc<App>>,
    caller: Caller<Record>,
    key: IdempotencyKey,
    batch: Batch,
) -> Result<Response, Problem> {
    let recording = Recording::begin(&app, &caller, key);
    let plans = plan_lines(&batch.text, &recording.context()).await?;
    let (wanted, places): (Vec<Plan>, Vec<Result<(), Problem>>) = split(plans);
    let recorded = recording.run(wanted).await?;
    let answered = merge(places, recorded);
    let mut rejecting = Rejecting::of_key(&app, &caller);
    let mut turn = Turn::default();
    for ((index, line), answered) in (0..).zip(lines_of(&batch.text)).zip(&answered) {
        if let Err(problem) = answered {
            rejecting.add(problem, Some(index), line.as_bytes());
            turn.line(line.len()).await;
        }
    }
    rejecting.keep();
    let items = answered.into_iter().enumerate();
    let lines = lines(items.map(|(index, answered)| ItemAnswer::of(index, answered))).await;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response())
}

/// Streams the people with a status, one JSON object a line.
///
/// With `explain` each line also says since when, and which event it rests on: `status=opted_out` with
/// `as_of` answers who had said no by then, when, and how we know.
///
/// Every person is on exactly one line, however long the reading takes. People known by hash only
/// are not listed: nobody could write to them. At an earlier moment the clock and the settings of
/// then count; people who were erased since are not listed, for their address is gone.
#[utoipa::path(
    get, path = "/v1/consents", tag = "Consents", operation_id = "list_audience",
    params(AudienceRequest),
    responses((status = 200, description = "One address a line, in no particular order.", body = MemberLine, content_type = "application/x-ndjson")),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn audience(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    looking: LookingUp,
    asked: Asked<AudienceRequest>,
) -> Result<Response, Problem> {
    let explain = asked.request.explain.unwrap_or(false);
    let query = audience_query(asked, caller.workspace())?;
    looking.note(&app, &caller, vec![LookedUp::Many]).await?;
    let workspace_id = caller.workspace().id;
    let store = app.shared_store();
    let workspace = Arc::clone(caller.workspace());
    let explaining =
        explain.then(|| Explaining::new(Arc::clone(&store), workspace, &query, app.now()));
    let first = store.audience(workspace_id, &query, AudienceCursor::default()).await?;
    let pages = stream::try_unfold(Some(first), move |page| {
        let (store, explaining) = (Arc::clone(&store), explaining.clone());
        async move {
            let Some(page) = page else { return Ok::<_, StoreError>(None) };
            let mut lines = String::with_capacity(page.members.len() * PHONE_LINE_BYTES);
            for member in &page.members {
                match &explaining {
                    None => member_line(&member.address, &mut lines),
                    Some(how) => lines.push_str(&line(&how.line(&query, &member.address).await?)),
                }
            }
            let next = match page.next {
                Some(cursor) => Some(store.audience(workspace_id, &query, cursor).await?),
                None => None,
            };
            Ok(Some((Bytes::from(lines), next)))
        }
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(pages)).into_response())
}

/// Bytes of a line that holds a phone of twelve digits.
const PHONE_LINE_BYTES: usize = 26;

/// Adds the line of one person. A phone needs no escaping, and millions are written.
fn member_line(address: &Address, lines: &mut String) {
    match address {
        Address::Phone(phone) => {
            lines.push_str("{\"phone\":\"");
            lines.push_str(&phone.to_string());
            lines.push_str("\"}\n");
        }
        Address::Email(_) | Address::ExternalId(_) | Address::ChannelId(_) => {
            lines.push_str(&line(&ShownAddress::of(address)));
        }
    }
}

/// One line of NDJSON.
pub(crate) fn line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).unwrap_or_default();
    line.push('\n');
    line
}

/// Many lines of NDJSON.
pub(crate) async fn lines(items: impl IntoIterator<Item = impl Serialize>) -> String {
    let (mut lines, mut turn) = (String::new(), Turn::default());
    for item in items {
        let line = line(&item);
        lines.push_str(&line);
        turn.line(line.len()).await;
    }
    lines
}

fn audience_query(
    asked: Asked<AudienceRequest>,
    workspace: &Workspace,
) -> Result<AudienceQuery, Problem> {
    let Asked { request, mut faults } = asked;
    let moment = moment(request.as_of, request.effective_at, &mut faults);
    let channel = request.channel.map(|ChannelText(channel)| channel);
    let channel = faults.require("?channel", channel, "sms");
    let scope = request.scope.map_or(Scope::All, |ScopeText(scope)| scope);
    let category = request.category.map_or(Category::Marketing, |CategoryText(category)| category);
    let (sender, topic, category) = match scope {
        Scope::All => (None, None, category),
        Scope::Sender(sender) => (Some(sender), None, category),
        Scope::Category(category) => (None, None, category),
        Scope::Topic(topic) => {
            let known = workspace.topics.get(&topic).map(|topic| topic.category);
            (None, Some(topic), known.unwrap_or(category))
        }
    };
    let status = request.status.map_or(Status::OptedIn, |StatusText(status)| status);
    let query = channel.map(|channel| AudienceQuery {
        channel,
        scope,
        status,
        message: Message { sender, topic, ..Message::ordinary(channel, category) },
        moment,
    });
    faults.settle(query)
}

/// The items of a batch.
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

async fn plan_lines(
    text: &str,
    context: &Context<'_>,
) -> Result<Vec<Result<Plan, Problem>>, Problem> {
    let mut plans = Vec::new();
    let (mut turn, mut told) = (Turn::default(), 0);
    for (index, line) in (0_u32..).zip(lines_of(text)) {
        if plans.len() == limits::CONSENT_BATCH_ITEMS_MAX {
            let detail = format!("at most {} lines are taken", limits::CONSENT_BATCH_ITEMS_MAX);
            return Err(Problem::new(Code::TooManyItems).detail(detail));
        }
        let sent = if line.len() > limits::BODY_BYTES_MAX {
            Err(too_long("a line", limits::BODY_BYTES_MAX))
        } else {
            parse_object::<ConsentRequest>(line)
        };
        let planned = sent.and_then(|sent| plan(sent.request, sent.faults, index, context));
        plans.push(planned.map_err(|problem| {
            told += problem.errors().len();
            if told > limits::BATCH_FAULTS_MAX { problem.telling(1) } else { problem }
        }));
        turn.line(line.len()).await;
    }
    Ok(plans)
}

/// Takes the plans out, and keeps the place of each.
fn split(plans: Vec<Result<Plan, Problem>>) -> (Vec<Plan>, Vec<Result<(), Problem>>) {
    let mut wanted = Vec::with_capacity(plans.len());
    let places = plans.into_iter().map(|plan| plan.map(|plan| wanted.push(plan))).collect();
    (wanted, places)
}

type Answered = Result<(StatusCode, ConsentAnswer), Problem>;

/// Puts the answers of what was recorded into their places.
fn merge(places: Vec<Result<(), Problem>>, recorded: Vec<Answered>) -> Vec<Answered> {
    let mut recorded = recorded.into_iter();
    let answered = |place: Result<(), Problem>| {
        place.and_then(|()| recorded.next().unwrap_or_else(|| Err(Problem::new(Code::Internal))))
    };
    places.into_iter().map(answered).collect()
}

impl ItemAnswer {
    fn of(index: usize, answered: Answered) -> Self {
        match answered {
            Ok((status, consent)) => {
                Self { index, status: status.as_u16(), consent: Some(consent), problem: None }
            }
            Err(problem) => Self {
                index,
                status: problem.code().status().as_u16(),
                consent: None,
                problem: Some(problem.body(&format!("#{index}"))),
            },
        }
    }
}

impl<'a> Recording<'a> {
    /// Recording for an API key.
    pub(crate) fn begin<N>(app: &'a App, caller: &'a Caller<N>, key: IdempotencyKey) -> Self {
        let received = app.now();
        let workspace = caller.workspace();
        Self {
            app,
            workspace,
            settings: workspace.settings.at(received),
            received,
            source: caller.source(),
            highest: caller.key().highest,
            // Keys of different API keys never meet.
            key: key.0.map(|key| format!("{}:{key}", caller.key_id())),
            counted: caller.counted(),
        }
    }

    /// What planning needs.
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            phones: self.app.phones(),
            workspace: self.workspace,
            settings: &self.settings,
            received: self.received,
            clock: self.app.server_clock(),
            source: &self.source,
            highest: self.highest,
            key: self.key.as_deref(),
            doubt: None,
        }
    }

    /// Records the one consent that was sent.
    async fn record(&self, sent: &Unread) -> Answered {
        let sent = sent.parse::<ConsentRequest>()?;
        let plan = plan(sent.request, sent.faults, 0, &self.context())?;
        let answers = self.run(vec![plan]).await?;
        answers.into_iter().next().unwrap_or_else(|| Err(Problem::new(Code::Internal)))
    }

    /// Records the plans, all or none, and answers each. Past the limit of the key, or of the
    /// workspace's events, only refusals are recorded.
    pub(crate) async fn run(&self, plans: Vec<Plan>) -> Result<Vec<Answered>, Problem> {
        let started = Instant::now();
        let workspace = self.workspace.id;
        let events = plans.iter().map(|plan| plan.drafts.len()).sum();
        let within = || self.app.rates().take_events(workspace, events);
        let counted = self.counted.clone().and_then(|()| within());
        let is_taken = |plan: &Plan| counted.is_ok() || plan.refuses();
        let taken = plans.iter().filter(|plan| is_taken(plan));
        let drafts: Vec<Draft> = taken.flat_map(|plan| plan.drafts.iter().cloned()).collect();
        let leaving = Leaving::of(self.app, self.workspace, &drafts).await;
        let recorded = if drafts.is_empty() {
            Vec::new()
        } else {
            self.app.store().record(workspace, drafts).await?
        };
        leaving.count(self.app, workspace, &recorded);
        let mut recorded = recorded.into_iter();
        let mut answers = Vec::with_capacity(plans.len());
        let mut turn = Turn::default();
        for plan in &plans {
            answers.push(match &counted {
                Err(limit) if !plan.refuses() => Err(limit.clone()),
                Ok(()) | Err(_) => {
                    let of_plan: Vec<Recorded> =
                        recorded.by_ref().take(plan.drafts.len()).collect();
                    self.answer(plan, &of_plan, started)
                }
            });
            turn.line(0).await;
        }
        Ok(answers)
    }

    fn answer(&self, plan: &Plan, recorded: &[Recorded], started: Instant) -> Answered {
        let (Some(first), Some(last)) = (recorded.first(), recorded.last()) else {
            return Err(Problem::new(Code::Internal));
        };
        for event in recorded {
            self.app.metrics().count_consent(event.outcome);
        }
        if plan.refuses() {
            self.app.metrics().time_refusal(started.elapsed());
        }
        let status = match first.outcome {
            Outcome::Appended => StatusCode::CREATED,
            Outcome::Retried | Outcome::Repeated | Outcome::Withheld => StatusCode::OK,
            Outcome::KeyReused => return Err(Problem::new(Code::IdempotencyKeyReused)),
        };
        let now = self.app.now().max(last.recorded_at);
        let answer = ConsentAnswer::of(plan, first, &last.registers, &self.settings, now);
        Ok((status, answer))
    }
}
