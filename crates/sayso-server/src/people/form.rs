//! `/f/{form}`: a web opt-in form, for people. Works without a script and inside a sandboxed frame,
//! and sets no cookie.
//!
//! A box that was ticked is an act of the person, `single`, under the words that the page showed; a
//! box that was not is no statement. What is said is unverified, so no addresses are linked by it and
//! no attribute of a known person changes (rule 5), and the answer depends on nothing but the request
//! (rule 23): it also takes the same time. What keeps programs out stands in `challenge`. Where the form, or
//! the person's country, wants the address itself to confirm it, a tick is `pending`, and the question goes
//! there (`crate::double_opt_in`).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sayso_core::limits;
use sayso_core::words::form::Origin;
use sayso_core::workspace::FormPurpose;
use sayso_pages::form::Remark;
use sayso_pages::page::Frame;

use crate::answer_time::Whole;
use crate::app::{App, Peer};
use crate::body::read_bytes;
use crate::observe::FormEnd;
use crate::people::link_end::LinkEnd;
use crate::problem::{Code, Problem};
use crate::rejecting::Rejecting;

use challenge::{Challenge, is_proven};
use kept::KeptForms;
use typed::{Judged, Submission, Typed};
use visit::Visit;

mod challenge;
pub(crate) mod kept;
mod preview;
mod record;
mod trial;
mod typed;
mod view;
mod visit;

pub(crate) use preview::preview;

/// Shows the form.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(kept): Extension<Arc<KeptForms>>,
    LinkEnd(form): LinkEnd,
    parts: Parts,
) -> Response {
    match Visit::find(&app, &form, &parts) {
        Ok(visit) => visit.opened(&app, &kept),
        Err(trouble) => *trouble,
    }
}

/// Takes the form as it was filled in.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    LinkEnd(form): LinkEnd,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let counted = app.rates().take_network(client_ip(&app, &parts));
    match Visit::find(&app, &form, &parts) {
        Err(trouble) => *trouble,
        Ok(mut visit) => match read(&app, &visit, &parts, body).await {
            Err(problem) => problem.into_response(),
            Ok(typed) => {
                let whole = Whole::now();
                visit.page = visit.trusted_page(typed.get("page")).or(visit.page.take());
                let (end, response) = answer(&app, &visit, &typed, counted).await;
                app.metrics().count_form_submission(end);
                whole.wait(limits::FORM_ANSWER_TIME).await;
                response
            }
        },
    }
}

fn client_ip(app: &App, parts: &Parts) -> std::net::IpAddr {
    app.client_ip(parts.extensions.get::<Peer>().copied(), &parts.headers)
}

/// What was typed, if it comes from a page that may send the form.
async fn read(
    app: &App,
    visit: &Visit,
    parts: &Parts,
    body: axum::body::Body,
) -> Result<Typed, Problem> {
    let word = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let kind = word(header::CONTENT_TYPE).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        let detail = "send `application/x-www-form-urlencoded`, as browsers do";
        return Err(Problem::new(Code::MediaType).detail(detail));
    }
    // Our pages say `null`, for they tell nobody where they are; a page of somebody else may say so
    // too, and is stopped by the challenge.
    let origin = word(header::ORIGIN).filter(|origin| *origin != "null");
    let may_send = |origin: &str| {
        Origin::parse(origin).is_ok_and(|origin| visit.is_listed_or_ours(app, parts, &origin))
    };
    if origin.is_some_and(|origin| !may_send(origin)) {
        return Err(Problem::new(Code::OriginNotAllowed));
    }
    let bytes = read_bytes(body, limits::FORM_BODY_BYTES_MAX).await?;
    Ok(Typed::read(&bytes))
}

/// The status of a form that is to be sent once more.
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// What becomes of a submission, and the page that says so.
async fn answer(
    app: &App,
    visit: &Visit,
    typed: &Typed,
    counted: Result<(), Problem>,
) -> (FormEnd, Response) {
    let judged = Judged::of(app, visit, typed);
    let again = |end: FormEnd, status: StatusCode, remark: Option<Remark>| {
        (end, visit.form(app, (typed, &judged), (status, remark)))
    };
    if counted.is_err() {
        return again(FormEnd::Limited, StatusCode::TOO_MANY_REQUESTS, Some(Remark::TooMany));
    }
    let sealing = visit.sealing();
    let challenge = Challenge::open(typed.get("challenge"), &sealing, visit.received);
    let challenge = challenge.filter(|it| it.form_version == visit.published.version);
    let notice = challenge.as_ref().and_then(|challenge| visit.notice_shown(challenge));
    let Some((challenge, notice)) = challenge.zip(notice) else {
        // Somebody else may have made the browser send it: who reads it ticks for themselves.
        let (typed, judged) = (typed.without_ticks(), Judged::default());
        let page = visit.form(app, (&typed, &judged), (WRONG, Some(Remark::Again)));
        return (FormEnd::Stale, page);
    };
    if !typed.get("homepage").is_empty() {
        return again(FormEnd::Trapped, WRONG, Some(Remark::Program));
    }
    let Some(submission) = judged.submission.clone() else {
        keep_reject(app, visit, (&judged, typed));
        return again(FormEnd::Faulty, WRONG, None);
    };
    if let Err(wait) = is_let_in(app, visit, typed, &challenge) {
        return match wait {
            Some(seconds) => again(FormEnd::Early, WRONG, Some(Remark::Wait(seconds))),
            None => again(FormEnd::Limited, StatusCode::TOO_MANY_REQUESTS, Some(Remark::TooMany)),
        };
    }
    if visit.published.form.purpose == FormPurpose::Test {
        let submission = submission.of_test_person();
        let plan = record::Plan::of(app, visit, &submission, (&challenge, &notice));
        return trial::try_out(app, visit, plan).await;
    }
    let plan = record::Plan::of(app, visit, &submission, (&challenge, &notice));
    if take(app, visit, &submission, plan.drafts.len()).is_err() {
        return again(FormEnd::Limited, StatusCode::TOO_MANY_REQUESTS, Some(Remark::TooMany));
    }
    match plan.record(app, visit).await {
        Ok(put) => (FormEnd::Recorded, visit.done(&put)),
        Err(error) => {
            tracing::warn!(form.id = %visit.id, error = %error, "a form was not recorded");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            again(FormEnd::Failed, status, Some(Remark::Unavailable))
        }
    }
}

/// Whether it brings proof of work, or the patience of who runs no script; else how many seconds are
/// to be waited, or nothing where too many came so.
fn is_let_in(
    app: &App,
    visit: &Visit,
    typed: &Typed,
    challenge: &Challenge,
) -> Result<(), Option<u32>> {
    let addresses = ["phone", "country", "email"].map(|name| typed.get(name));
    if is_proven(typed.get("challenge"), addresses, typed.get("proof")) {
        return Ok(());
    }
    let welcome_at = challenge.issued_at.plus(limits::FORM_PATIENCE);
    if visit.received < welcome_at {
        let micros = welcome_at.as_micros() - visit.received.as_micros();
        return Err(Some(u32::try_from(micros / 1_000_000 + 1).unwrap_or(u32::MAX)));
    }
    app.rates().take_unproven(visit.network).map_err(|_| None)
}

/// Counts what is to be recorded against the limits of its addresses and of the workspace.
fn take(app: &App, visit: &Visit, submission: &Submission, events: usize) -> Result<(), Problem> {
    let rates = app.rates();
    for address in submission.addresses() {
        let key = address.key(&visit.workspace.secret);
        rates.take_address(key)?;
        rates.take_form_address(key)?;
    }
    rates.take_events(visit.workspace.id, events)
}

/// How a page of a form is shown: in a frame of another page, or by itself.
const fn frame(is_embedded: Option<()>) -> Frame {
    match is_embedded {
        Some(()) => Frame::Embedded,
        None => Frame::Window,
    }
}

/// Keeps what was wrong with the addresses that were typed (rule 1).
fn keep_reject(app: &App, visit: &Visit, (judged, typed): (&Judged, &Typed)) {
    let errors = judged.errors();
    if errors.is_empty() {
        return;
    }
    let mut rejecting = Rejecting::of_form(app, &visit.workspace, visit.id);
    rejecting.add(&Problem::of_fields(errors), None, &typed.addresses());
    rejecting.keep();
}
