//! The outermost layer of every request: it gives the id, ends what takes too long, and writes the body of a
//! problem.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use sayso_core::limits;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::advice::{Called, Listener};
use crate::app::{App, RequestId};
use crate::body::{duration, within};
use crate::host;
use crate::observe::TurnedAway;
use crate::problem::{Code, Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer.
#[derive(Clone)]
pub(crate) struct Track(pub(crate) Arc<App>, pub(crate) Listener);

/// Handlers within the outermost layer.
#[derive(Clone)]
pub(crate) struct Tracked<S> {
    app: Arc<App>,
    listener: Listener,
    handlers: S,
}

impl<S> Layer<S> for Track {
    type Service = Tracked<S>;

    fn layer(&self, handlers: S) -> Self::Service {
        Tracked { app: Arc::clone(&self.0), listener: self.1, handlers }
    }
}

impl<S> Service<Request> for Tracked<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.handlers.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let app = Arc::clone(&self.app);
        let id = app.next_request_id();
        request.extensions_mut().insert(RequestId(id.clone()));
        let called = Called::of(&request, self.listener);
        if !host::is_sound(request.uri(), request.headers()) {
            let refused = std::future::ready(Ok(Problem::new(Code::InvalidHost).into_response()));
            return Box::pin(track(app, id, called, refused));
        }
        Box::pin(track(app, id, called, self.handlers.call(request)))
    }
}

async fn track(
    app: Arc<App>,
    id: HeaderValue,
    called: Called,
    answering: impl Future<Output = Result<Response, Infallible>>,
) -> Result<Response, Infallible> {
    let started = Instant::now();
    let answering = AssertUnwindSafe(answering).catch_unwind();
    let response = match within(duration(limits::REQUEST_TIMEOUT), answering).await {
        Some(Ok(Ok(response))) => response,
        Some(Err(_panic)) => after_panic(),
        None => Problem::new(Code::Timeout).retry_after_seconds(5).into_response(),
    };
    let text = id.to_str().unwrap_or_default();
    let mut response = finish(response, &called, text);
    let (status, took) = (response.status(), started.elapsed());
    let (method, route) = (called.method(), called.route());
    log(text, method, route, status, took);
    app.metrics().count_request(method, route, status, took);
    protect(response.headers_mut(), called.listener(), &app);
    response.headers_mut().insert(REQUEST_ID, id);
    Ok(response)
}

/// Says what browsers and caches on the way may make of an answer: they guess no other type than it has,
/// keep nothing that does not say so itself, and come back encrypted where we are.
fn protect(headers: &mut HeaderMap, listener: Listener, app: &App) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if listener == Listener::Public && app.is_encrypted() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(A_YEAR));
    }
}

/// How long a browser remembers to come by TLS alone.
const A_YEAR: &str = "max-age=31536000";

/// Writes the body of a problem, which needs the id of the request and what it called.
fn finish(mut response: Response, called: &Called, id: &str) -> Response {
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => {
            let mut rendered = called.advise(problem).render(id);
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

fn log(id: &str, method: &Method, route: &str, status: StatusCode, took: Duration) {
    let (status, micros) = (status.as_u16(), took.as_micros());
    if status < 400 {
        tracing::debug!(request.id = id, http.method = %method, http.route = route, http.status = status, duration_us = micros, "answered a request");
    } else {
        tracing::info!(request.id = id, http.method = %method, http.route = route, http.status = status, duration_us = micros, "answered a request with a problem");
    }
}

/// What somebody hears for whom there is no seat.
pub(crate) fn turn_away(app: &App, why: TurnedAway) -> Response {
    app.metrics().count_turned_away(why);
    let id = app.next_request_id();
    let detail = "all connections are taken but those kept for hooks and leaving";
    let problem = Problem::new(Code::NoRoom).detail(detail).retry_after_seconds(1);
    let mut response = problem.render(id.to_str().unwrap_or_default());
    protect(response.headers_mut(), Listener::Public, app);
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// What a panicking handler answers.
fn after_panic() -> Response {
    tracing::error!("a handler panicked: this is a defect of Sayso");
    Problem::new(Code::Internal).into_response()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use axum::body::{Body, to_bytes};
    use sayso_store::environment::Environment;
    use sayso_store::sqlite::SqliteStore;
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::app::Options;
    use crate::rate::{Rate, RateLimits};

    #[tokio::test]
    async fn a_panic_is_answered_with_a_problem_that_names_the_request() {
        let environment = Environment::system();
        let store = Arc::new(SqliteStore::in_memory(environment.clone()).unwrap());
        let rate = Rate { requests: NonZeroU32::MIN, per: Duration::from_secs(1) };
        let rates = RateLimits { key: rate, network: rate, address: rate, workspace: rate };
        let app = App::new(store, environment, Options::with_rates(rates));
        let handlers = service_fn(|_: Request| async { panic!("a defect") });
        let response =
            Track(app, Listener::Public).layer(handlers).oneshot(Request::new(Body::empty())).await;
        let response: Response = response.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let id = response.headers()[REQUEST_ID].to_str().unwrap().to_owned();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["code"], &body["instance"]), (&"internal".into(), &id.into()));
    }
}
