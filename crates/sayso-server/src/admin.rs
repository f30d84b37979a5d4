//! The listener for operators: whether the process lives, whether it is ready, its metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;
use crate::problem::{Code, Problem};

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/livez", get(|| async { StatusCode::NO_CONTENT }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.is_ready() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Problem::new(Code::Stopping).retry_after_seconds(5).into_response()
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let page = app.metrics().render(&app.store().health());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response()
}
