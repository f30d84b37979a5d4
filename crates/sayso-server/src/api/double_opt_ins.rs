//! `/v1/double-opt-ins`: prove that an address is a person's, and confirm what they agreed to, where their
//! sign-up is not a form of ours.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::address::AddressKind;
use sayso_core::limits;
use sayso_core::proof::double_opt_in::{Answer, AnswerBy, Code as SixDigits};
use sayso_core::time::{ClaimedTime, Timestamp};
use sayso_core::words::channel::Channel;
use sayso_core::words::event::Fact;
use sayso_core::words::form::Theme;
use sayso_core::words::notice::Language as Tag;
use sayso_core::words::statement::{Standing, Statement};
use sayso_core::workspace::{QuestionTemplate, Workspace};
use sayso_pages::double_opt_in::Answered;
use sayso_pages::form::FormLook;
use sayso_pages::language::Language;
use sayso_pages::page::Frame;
use sayso_plan::draft::Subject;
use sayso_store::double_opt_in::Answering;
use sayso_store::store::Outcome;
use serde::Serialize;
use utoipa::ToSchema;

use super::consents::Recording;
use super::consents::plan::plan;
use super::consents::request::{ConsentRequest, EvidenceRequest, NoticeRequest};
use super::forms::request::{QuestionTemplateRequest, question_template};
use super::page::InPath;
use crate::app::App;
use crate::body::address::addressed_object;
use crate::body::texts::{
    AnswerByText, ChannelText, ClaimedTimeText, DoubleOptInIdText, LanguageText, NoteText,
    RegionText, Said, ScopeText, StandingText, StatementText,
};
use crate::body::{Faults, IdempotencyKey, Sent, json_object};
use crate::caller::{Caller, Write};
use crate::double_opt_in::{Asks, Confirmation, Put};
use crate::observe::DoubleOptInEnd;
use crate::problem::{Code, Problem, ProblemBody};

addressed_object! {
    /// What a person agreed to, and is to confirm through their address. Exactly one of `phone` and `email` names them.
    #[derive(ToSchema)]
    DoubleOptInRequest {
        /// Where a national phone number belongs; without it the workspace's region.
        region: RegionText,
        /// The channel that they agreed to, by which they are asked. Required.
        channel: ChannelText,
        /// What is covered; `all` if absent.
        scope: ScopeText,
        /// How they answer: by a `code`, which you take and send on, or by a `link`, whose page is ours. `code` if absent.
        by: AnswerByText,
        /// The language of the question: `en`, `tr`, `hi` or `ar`; that of the notice if absent, or else `en`.
        language: LanguageText,
        /// The template that brings the question by WhatsApp. Required there.
        double_opt_in_template: QuestionTemplateRequest,
        /// When they agreed; now if absent.
        occurred_at: ClaimedTimeText,
        /// How they agreed: `checkbox`. Required.
        method: NoteText,
        /// The words that were shown. Required.
        notice: NoticeRequest,
        /// What proves it.
        evidence: EvidenceRequest,
    }
}

json_object! {
    /// What a person answered.
    #[derive(ToSchema)]
    DoubleOptInReply {
        /// The six digits, as the person typed them. Required.
        #[schema(example = "048213")]
        code: String,
    }
}

/// A double opt-in as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DoubleOptInAnswer {
    /// Its id.
    #[schema(example = "dbl_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// `asked`: a question went. `simulated`: it went to a simulated phone, for no sender of the channel is connected. `too_soon`: the address was asked in the last three days; the code of then is good for this too. `limited`: as many questions went today as may. `confirmed`: it was answered. `not_enough`: it was answered, and the policy of the channel asks for an opt-in of another kind. `not_any_more`: it was answered before, and refused since. `over`: its sender or topic is deleted.
    #[schema(example = "asked")]
    state: &'static str,
    /// The channel that the question goes by.
    channel: &'static str,
    /// When an answer comes too late.
    lapses_at: String,
    /// The events: pending ones, or those that confirm them.
    events: Vec<String>,
}

/// Records that a person agreed as `pending`, and asks their address to confirm it.
///
/// The question goes by a connected sender of the channel; where there is none, to the simulated phone of the
/// address. It is asked once in three days, and as often a day as the limits allow, so that nobody sends codes
/// at your expense. Sending the same request with the same `Idempotency-Key` asks once.
#[utoipa::path(
    post, path = "/v1/double-opt-ins", tag = "Consents", operation_id = "ask_double_opt_in",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one question; 1 to 255 visible ASCII characters.")),
    request_body(content = DoubleOptInRequest, description = "Whom to ask, and about what."),
    responses(
        (status = 202, description = "It is pending. `state` says whether a question went.", body = DoubleOptInAnswer),
        (status = 409, description = "The idempotency key was used for another request.", body = ProblemBody),
    ),
    security(("api_key" = ["write"])),
)]
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    caller: Caller<Write>,
    key: IdempotencyKey,
    sent: Sent<DoubleOptInRequest>,
) -> Result<(StatusCode, Json<DoubleOptInAnswer>), Problem> {
    let recording = Recording::begin(&app, &caller, key);
    let workspace = caller.workspace();
    let received = app.now();
    let Sent { mut request, mut faults } = sent;
    let question = Wording::read(&mut request, &app, &mut faults);
    let mut plan = plan(consent(request, received), faults, 0, &recording.context())?;
    for draft in &mut plan.drafts {
        let Fact::Consent(permission, _) = draft.fact else { continue };
        draft.fact = Fact::Consent(permission, Statement::Pending);
    }
    let first = plan.drafts.first().cloned().ok_or_else(|| Problem::new(Code::Internal))?;
    let Subject::Address(address) = &first.subject else {
        return Err(Problem::new(Code::OneAddress).detail("send phone or email"));
    };
    app.rates().take_events(workspace.id, plan.drafts.len())?;
    let drafts = plan.drafts.clone();
    let recorded = app.store().record(workspace.id, drafts).await?;
    if recorded.iter().any(|event| event.outcome == Outcome::KeyReused) {
        return Err(Problem::new(Code::IdempotencyKeyReused));
    }
    recorded.iter().for_each(|event| app.metrics().count_consent(event.outcome));
    let pending = plan.drafts.iter().filter_map(|draft| {
        let Fact::Consent(permission, _) = draft.fact else { return None };
        Some((draft.id, permission))
    });
    let asks = Asks {
        workspace,
        address,
        channels: vec![question.channel],
        sender: None,
        by: question.by,
        look: question.look(workspace),
        template: question.template.as_ref(),
        network: None,
        home: workspace.settings.at(received).region.into_iter().collect(),
        pending: pending.collect(),
        pending_at: recorded.first().map_or(received, |event| event.occurred_at),
        evidence: first.evidence.clone(),
        source: first.source.clone(),
        form: None,
    };
    let lapses_at = asks.pending_at.plus(limits::LAPSE_OF_PENDING);
    let Put { id, channel, end, .. } = asks.put(&app).await?;
    let events = recorded.iter().map(|event| event.id.to_string()).collect();
    let answer = DoubleOptInAnswer {
        id: id.to_string(),
        state: end.as_str(),
        channel: channel.as_str(),
        lapses_at: lapses_at.to_string(),
        events,
    };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// Confirms what a person agreed to, by the code that they were sent.
///
/// After five wrong codes a code is dead. The same right answer may be sent again.
#[utoipa::path(
    post, path = "/v1/double-opt-ins/{id}/answer", tag = "Consents", operation_id = "answer_double_opt_in",
    params(("id" = String, Path, description = "The id of the double opt-in.")),
    request_body(content = DoubleOptInReply, description = "The six digits."),
    responses(
        (status = 200, description = "It is confirmed; or was, and `state` says what became of it.", body = DoubleOptInAnswer),
        (status = 404, description = "There is no such double opt-in that a code answers, or it is forgotten: ten days after, or with its person.", body = ProblemBody),
        (status = 422, description = "The code is wrong, or dead; `detail` says how many tries are left.", body = ProblemBody),
        (status = 410, description = "The answer came more than seven days after.", body = ProblemBody),
    ),
    security(("api_key" = ["write"])),
)]
pub(crate) async fn answer(
    State(app): State<Arc<App>>,
    caller: Caller<Write>,
    id: InPath<DoubleOptInIdText>,
    sent: Sent<DoubleOptInReply>,
) -> Result<Json<DoubleOptInAnswer>, Problem> {
    let InPath(DoubleOptInIdText(id)) = id;
    let workspace = caller.workspace();
    let workspace_id = workspace.id;
    let code = code(sent)?;
    let stored = app.store().double_opt_in(workspace_id, id).await?;
    let stored = stored.filter(|stored| stored.waiting.by == AnswerBy::Code);
    let stored = stored.ok_or_else(|| Problem::new(Code::NotFound))?;
    let code = code.hash(stored.waiting.address, &workspace.secret);
    match app.store().answer_double_opt_in(workspace_id, id, Answer::Code(code)).await? {
        Answering::Right(stored, at) => {
            let confirmation =
                Confirmation { workspace, stored: &stored, at, ip: None, user_agent: None };
            let (answered, recorded) = confirmation.record(&app).await?;
            let lapses_at = stored.waiting.pending_at.plus(limits::LAPSE_OF_PENDING);
            Ok(Json(DoubleOptInAnswer {
                id: id.to_string(),
                state: match answered {
                    Answered::Confirmed => "confirmed",
                    Answered::NotEnough => "not_enough",
                    Answered::NotAnyMore => "not_any_more",
                    Answered::Lapsed => "lapsed",
                    Answered::Over => "over",
                },
                channel: stored.waiting.channel.as_str(),
                lapses_at: lapses_at.to_string(),
                events: recorded.iter().map(|event| event.id.to_string()).collect(),
            }))
        }
        Answering::Wrong { tries_left } => {
            app.metrics().count_double_opt_in(DoubleOptInEnd::Wrong);
            let detail = match tries_left {
                0 => {
                    "no try is left: the person may sign up again three days after they were asked"
                        .to_owned()
                }
                1 => "1 try is left".to_owned(),
                left => format!("{left} tries are left"),
            };
            Err(Problem::new(Code::WrongCode).detail(detail))
        }
        Answering::Lapsed => {
            app.metrics().count_double_opt_in(DoubleOptInEnd::Lapsed);
            Err(Problem::new(Code::DoubleOptInLapsed))
        }
        Answering::Unknown => Err(Problem::new(Code::NotFound)),
    }
}

fn code(sent: Sent<DoubleOptInReply>) -> Result<SixDigits, Problem> {
    let Sent { request, mut faults } = sent;
    let typed = faults.require("/code", request.code, "048213");
    let code = typed.and_then(|typed| {
        let code = SixDigits::parse(&typed);
        if code.is_none() {
            faults.note_with_example("/code", Code::InvalidValue, "is not six digits", "048213");
        }
        code
    });
    faults.settle(code)
}

/// How the question is put.
struct Wording {
    channel: Channel,
    by: AnswerBy,
    language: Language,
    template: Option<QuestionTemplate>,
}

impl Wording {
    /// Reads it; what is wrong is noted, and nothing is asked then.
    fn read(request: &mut DoubleOptInRequest, app: &App, faults: &mut Faults) -> Self {
        let by = request.by.take().map_or(AnswerBy::Code, |AnswerByText(by)| by);
        if by == AnswerBy::Link && app.public_url().is_none() {
            let fault = "needs the server's own URL: set server.public_url, or send `code`";
            faults.note_with_example("/by", Code::InvalidValue, fault, "code");
        }
        let template = request.double_opt_in_template.take();
        let template = template.and_then(|template| question_template(template, faults));
        let channel = request.channel.as_ref().map(|ChannelText(channel)| *channel);
        if channel == Some(Channel::WhatsApp) && template.is_none() {
            let fault =
                "is needed: WhatsApp takes no other words from who is not in a conversation";
            let place = "/double_opt_in_template";
            if !faults.is_wrong_at(&[place]) {
                let example = "{\"name\": \"confirm_opt_in\"}";
                faults.note_with_example(place, Code::MissingField, fault, example);
            }
        }
        let kind = channel.map(AddressKind::on);
        for (given, of, place) in [
            (request.phone.is_some(), AddressKind::Phone, "/phone"),
            (request.email.is_some(), AddressKind::Email, "/email"),
        ] {
            if given && kind.is_some_and(|kind| kind != of) {
                faults.note(place, Code::InvalidValue, "is no address that the channel reaches");
            }
        }
        let is_other = request.external_id.is_some() || request.channel_id.is_some();
        if is_other || request.hash.is_some() {
            let fault = "names nobody who can be asked: send phone or email";
            faults.note_with_example("", Code::OneAddress, fault, "{\"phone\": \"+14155550123\"}");
        }
        let shown = request.notice.as_ref().and_then(|notice| notice.language.as_ref());
        let tag = request.language.take();
        let tag: Option<&Tag> = tag.as_ref().or(shown).map(|LanguageText(tag)| tag);
        let language = tag.and_then(|tag| Language::find(tag.as_str())).unwrap_or_default();
        Self { channel: channel.unwrap_or(Channel::Sms), by, language, template }
    }

    fn look<'a>(&self, workspace: &'a Workspace) -> FormLook<'a> {
        FormLook {
            language: self.language,
            business: &workspace.name,
            theme: Theme::default(),
            frame: Frame::Window,
        }
    }
}

/// What is pending, as the opt-in that it will be: it needs all that an act needs.
fn consent(mut request: DoubleOptInRequest, received: Timestamp) -> ConsentRequest {
    let now = ClaimedTimeText(ClaimedTime::exact(received));
    let address = request.take_address();
    ConsentRequest {
        phone: address.phone,
        email: address.email,
        external_id: address.external_id,
        channel_id: address.channel_id,
        hash: address.hash,
        kind: address.kind,
        region: request.region,
        channel: request.channel,
        scope: request.scope,
        statement: Some(StatementText(Said::OptIn)),
        standing: Some(StandingText(Standing::Act)),
        occurred_at: request.occurred_at.or(Some(now)),
        method: request.method,
        notice: request.notice,
        evidence: request.evidence,
        ..ConsentRequest::default()
    }
}
