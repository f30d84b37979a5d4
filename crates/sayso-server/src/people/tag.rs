//! `POST /capture/tag`: what a page says about its user.
//!
//! Every flag is an undated report of the site (rule 4): repeating it appends nothing, and it never
//! undoes what the person did. Good fields are kept when others are bad. Without a valid
//! `user_hash` nothing is linked and no attribute is kept (rule 5), and the answer depends on
//! nothing but the request (rule 23): it also takes the same time.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sayso_core::limits;
use sayso_core::words::source::SourceName;
use sayso_core::workspace::{Site, Workspace};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::answer_time::Whole;
use crate::app::{App, Peer};
use crate::body::{Faults, FromJson, Pointer, as_text, json_object, parse_json, read_bytes};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::rejecting::Rejecting;

use statements::Statements;

pub(crate) mod forms;
mod profile;
mod said;
mod statements;
mod verify;
mod vouching;

json_object! {
    /// What a page says about its user.
    #[derive(ToSchema)]
    TagRequest {
        /// The public key of the site. Required.
        #[schema(example = "site_3x5y6z7w801jd6m9k3te5b8r5v")]
        site: String,
        /// What the page knows.
        user: UserRequest,
        /// The page, without query and fragment.
        page: String,
        /// The HMAC-SHA256, in hexadecimal digits, of the `uuid` (or else the phone number, or else the email), by the site's secret. Your server makes it.
        user_hash: String,
    }
}

json_object! {
    /// The keys of an Insider `user` object. Absent, `null` and `""` mean that nothing is said. Of a flag,
    /// only `true` is a yes; a no is read in every spelling that can only be one: `false`, `"false"`,
    /// `"no"`, `0`.
    #[derive(ToSchema)]
    UserRequest {
        /// Your own id of the person.
        #[schema(value_type = Option<String>)]
        uuid: Value,
        /// An email address.
        #[schema(value_type = Option<String>)]
        email: Value,
        /// A telephone number in E.164.
        #[schema(value_type = Option<String>, example = "+14155550123")]
        phone_number: Value,
        /// Whether the person's data may be processed at all.
        #[schema(value_type = Option<bool>)]
        gdpr_optin: Value,
        /// Whether the person agrees to WhatsApp messages.
        #[schema(value_type = Option<bool>)]
        whatsapp_optin: Value,
        /// Whether the person agrees to text messages.
        #[schema(value_type = Option<bool>)]
        sms_optin: Value,
        /// Whether the person agrees to emails.
        #[schema(value_type = Option<bool>)]
        email_optin: Value,
        /// The first name; kept with a valid `user_hash` only, as are those that follow.
        #[schema(value_type = Option<String>)]
        name: Value,
        /// The last name.
        #[schema(value_type = Option<String>)]
        surname: Value,
        /// The language, such as `en_US`.
        #[schema(value_type = Option<String>)]
        language: Value,
        /// Attributes of your own, by name.
        #[schema(value_type = Option<std::collections::BTreeMap<String, Value>>)]
        custom: Value,
    }
}

/// What became of what a page said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TagAnswer {
    /// The keys of `user` that were taken.
    accepted: Vec<&'static str>,
    /// The fields that were not, each with its fault.
    rejected: Vec<FieldError>,
    /// Whether the page may go on collecting: false once processing is refused.
    collect: bool,
}

/// A page that may speak for a site.
#[derive(Debug)]
struct Visit {
    workspace: Arc<Workspace>,
    key: SourceName,
    site: Site,
    origin: HeaderValue,
    ip: IpAddr,
    user_agent: Option<String>,
}

/// Takes what a page says about its user.
///
/// For the browser tag. The body is JSON whatever its content type says, so that browsers need no
/// preflight. The page's `Origin` must be on the site's list.
#[utoipa::path(
    post, path = "/capture/tag", tag = "Browser", operation_id = "capture_tag",
    request_body(content((TagRequest = "application/json"), (TagRequest = "text/plain")), description = "What the page knows."),
    responses(
        (status = 200, description = "All of it was taken.", body = TagAnswer),
        (status = 422, description = "Some of it was not; what was good was taken. Or it is no object at all: a problem.", content((TagAnswer = "application/json"), (ProblemBody = "application/problem+json"))),
        (status = 403, description = "The page's origin is not on the site's list.", body = ProblemBody),
    ),
    security(()),
)]
pub(crate) async fn capture(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Problem> {
    let peer = request.extensions().get::<Peer>().copied();
    let (parts, body) = request.into_parts();
    let ip = app.client_ip(peer, &parts.headers);
    // Past the limit of a network so much is read and no more: a refusal may be in it.
    let counted = app.rates().take_network(ip);
    if counted.is_err() {
        app.rates().take_refusal_past_limit(ip)?;
    }
    let bytes = read_bytes(body, limits::TAG_BODY_BYTES_MAX).await?;
    let whole = Whole::now();
    let (sent, faults) = read(&bytes)?;
    let visit = Visit::find(&app, sent.site.as_deref(), &parts.headers, ip)?;
    let heard = Statements::hear((sent, faults), counted, &app, &visit);
    let answer = match heard {
        Ok(heard) => heard.record(&app, &visit).await,
        Err(problem) => Err(problem),
    };
    visit.keep_reject(&app, &answer, &bytes);
    whole.wait(limits::PUBLIC_ANSWER_TIME).await;
    match answer {
        Ok(answer) => Ok(visit.respond(answer)),
        Err(problem) => {
            Err(problem.header(header::ACCESS_CONTROL_ALLOW_ORIGIN, visit.origin.clone()))
        }
    }
}

/// Answers a browser that asks before it sends JSON.
pub(crate) async fn preflight(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let origin = origin(&headers).ok_or_else(|| Problem::new(Code::OriginNotAllowed))?;
    let workspaces = app.store().workspaces();
    let mut sites = workspaces.values().flat_map(|workspace| workspace.sites.values());
    if !sites.any(|site| lists(site, &origin)) {
        return Err(Problem::new(Code::OriginNotAllowed));
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    allow(&mut response, origin);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn read(bytes: &[u8]) -> Result<(TagRequest, Faults), Problem> {
    let value = parse_json(as_text(bytes)?)?;
    let mut faults = Faults::default();
    match TagRequest::from_json(value, &Pointer::Body, &mut faults) {
        Some(request) => Ok((request, faults)),
        None => Err(faults.into_problem()),
    }
}

/// What a page said, without what no refusal is about: rule 5 keeps attributes only where the
/// customer's server vouches for them, rule 11 never of who refused processing.
fn without_attributes(sent: &[u8]) -> Vec<u8> {
    let Ok(mut body) = serde_json::from_slice::<Value>(sent) else { return Vec::new() };
    if let Some(user) = body.get_mut("user").and_then(Value::as_object_mut) {
        for attribute in ["name", "surname", "language", "custom"] {
            user.remove(attribute);
        }
    }
    if let Some(body) = body.as_object_mut() {
        body.remove("user_hash");
    }
    body.to_string().into_bytes()
}

fn origin(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(header::ORIGIN).cloned()
}

fn lists(site: &Site, origin: &HeaderValue) -> bool {
    site.deleted_at.is_none()
        && site.origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
}

fn allow(response: &mut Response, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

impl Visit {
    /// The site, if it is known and lists the page's origin. An unknown site is answered as one
    /// that does not list it.
    fn find(
        app: &App,
        key: Option<&str>,
        headers: &HeaderMap,
        ip: IpAddr,
    ) -> Result<Self, Problem> {
        let refused = || Problem::new(Code::OriginNotAllowed);
        let origin = origin(headers).ok_or_else(refused)?;
        let key = key.and_then(|key| SourceName::parse(key).ok()).ok_or_else(refused)?;
        let workspaces = app.store().workspaces();
        let found = workspaces.values().find_map(|workspace| {
            let site = workspace.sites.get(&key).filter(|site| lists(site, &origin))?;
            Some((Arc::clone(workspace), site.clone()))
        });
        let (workspace, site) = found.ok_or_else(refused)?;
        let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self { workspace, key, site, origin, ip, user_agent: user_agent.map(str::to_owned) })
    }

    /// Keeps what was not taken, without the attributes and the `user_hash` that came with it.
    fn keep_reject(&self, app: &App, answer: &Result<TagAnswer, Problem>, sent: &[u8]) {
        let problem = match answer {
            Ok(answer) if answer.rejected.is_empty() => return,
            Ok(answer) => &Problem::of_fields(answer.rejected.clone()),
            Err(problem) => problem,
        };
        let mut rejecting = Rejecting::of_site(app, &self.workspace, &self.site.name);
        rejecting.add(problem, None, &without_attributes(sent));
        rejecting.keep();
    }

    fn respond(&self, answer: TagAnswer) -> Response {
        let status = if answer.rejected.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        let mut response = (status, Json(answer)).into_response();
        allow(&mut response, self.origin.clone());
        response
    }
}
