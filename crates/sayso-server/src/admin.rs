//! The listener for operators: whether the process lives, whether it is ready, its metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sayso_core::gate::sender_health::{HealthLevel, Known};

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

/// How many living senders stand at each level; paused ones at the level that they have besides.
fn senders_by_level(app: &App) -> BTreeMap<HealthLevel, u64> {
    let known = Known::all(app.now());
    let mut senders = BTreeMap::new();
    for workspace in app.store().workspaces().values() {
        let living = workspace.senders.iter().filter(|(_, sender)| sender.deleted_at.is_none());
        for (id, _) in living {
            *senders.entry(workspace.runtime.health(*id, known).level).or_default() += 1;
        }
    }
    senders
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let page = app.metrics().render(&app.store().health(), &senders_by_level(&app));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response()
}
