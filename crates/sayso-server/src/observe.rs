//! What operators see: metrics with fixed names, logs, request ids.
//!
//! Neither holds personal data. A log line names the route by its template, never the path, the
//! query or a body; addresses, tokens and evidence are never logged (a test scans for them). This
//! is also the outermost layer of every request: it gives the id, ends what takes too long, and
//! writes the body of a problem.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sayso_core::decision::{Reason, Reasons};
use sayso_core::limits;
use sayso_store::store::Outcome;
use tokio::time::Instant;

use crate::app::App;
use crate::body::duration;
use crate::keyring::letters;
use crate::problem::{Code, Problem};

pub use metrics::Metrics;

mod logs;
mod metrics;

pub use logs::{LogControl, LogFault, LogForm, start_logs, subscriber};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer.
pub(crate) async fn track(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = format!("req_{}", letters(&app.environment().time_sortable_id()));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let response =
        match tokio::time::timeout(duration(limits::REQUEST_TIMEOUT), next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::new(Code::Timeout).retry_after_seconds(5).into_response(),
        };
    let mut response = finish(response, &id);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let route = route.as_deref().unwrap_or("none");
    log(&id, &method, route, response.status(), started);
    app.metrics().count_request(&method, route, response.status(), started.elapsed());
    response
}

/// Writes the body of a problem, which needs the id of the request.
fn finish(mut response: Response, id: &str) -> Response {
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => {
            let mut rendered = problem.render(id);
            for (name, value) in response.headers() {
                if !rendered.headers().contains_key(name) {
                    rendered.headers_mut().append(name, value.clone());
                }
            }
            rendered
        }
        None => response,
    }
}

fn log(id: &str, method: &Method, route: &str, status: StatusCode, started: Instant) {
    let (status, micros) = (status.as_u16(), started.elapsed().as_micros());
    if status < 400 {
        tracing::debug!(request.id = id, http.method = %method, http.route = route, http.status = status, duration_us = micros, "answered a request");
    } else {
        tracing::info!(request.id = id, http.method = %method, http.route = route, http.status = status, duration_us = micros, "answered a request with a problem");
    }
}

/// What a panicking handler answers.
pub(crate) fn after_panic(_panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked: this is a defect of Sayso");
    Problem::new(Code::Internal).into_response()
}

/// The word for the outcome of recording.
pub(crate) const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Appended => "appended",
        Outcome::Retried => "retried",
        Outcome::Repeated => "repeated",
        Outcome::KeyReused => "key_reused",
    }
}

/// The word a compact answer gives: `allow`, or the first reason.
pub(crate) fn answer_word(reasons: Reasons) -> &'static str {
    reasons.first().map_or("allow", Reason::as_str)
}
