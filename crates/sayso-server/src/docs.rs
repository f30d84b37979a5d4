//! `/openapi.json`, and `/docs`: a reference made from that very document.
//!
//! The page loads nothing from elsewhere and runs no script.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::app::App;

pub(crate) use document::document;
pub use document::openapi;

mod document;
mod html;
mod reference;

const STYLE: &str = include_str!("docs/style.css");
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static DOCUMENT: LazyLock<String> = LazyLock::new(openapi);
static REFERENCE: LazyLock<String> = LazyLock::new(reference::page);
static PROBLEMS: LazyLock<String> = LazyLock::new(reference::problems_page);

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/docs") }))
        .route("/openapi.json", get(|| async { typed("application/json", &DOCUMENT) }))
        .route("/docs", get(|| async { page(&REFERENCE) }))
        .route("/docs/problems", get(|| async { page(&PROBLEMS) }))
        .route("/docs/style.css", get(|| async { typed("text/css; charset=utf-8", STYLE) }))
}

fn page(html: &'static str) -> Response {
    let mut response = typed("text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn typed(media_type: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
