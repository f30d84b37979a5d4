//! What browsers send: the tag of a site, web opt-in forms, the page before a chat, and the pages of people's
//! own links. Unauthenticated by nature, so what a page says is a report at most and what a person ticks is
//! `single` at most; all of it is limited by network and address, and answered the same whoever the person is.

use std::sync::Arc;

use axum::Extension;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, options};
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::views::hex::hex;

use form::kept::KeptForms;

mod double_opt_in;
mod entry;
pub(crate) mod form;
mod fresh_link;
mod link_end;
pub(crate) mod pages;
mod preference_request;
mod preferences;
pub(crate) mod tag;
mod unsubscribe;
mod visitor;

/// The tag's source, as browsers get it.
const TAG: &[u8] = include_bytes!("../../../web/tag.js");

/// What shows a form in a page of a customer.
const FORM_SCRIPT: &[u8] = include_bytes!("../../../web/form.js");

/// The routes, with their documentation.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    let kept = Extension(Arc::<KeptForms>::default());
    OpenApiRouter::new()
        .routes(routes!(tag::capture))
        .routes(routes!(tag::forms::forms))
        .route("/capture/tag", options(tag::preflight))
        .route("/tag.js", get(async |headers| script(TAG, &headers)))
        .route("/form.js", get(async |headers| script(FORM_SCRIPT, &headers)))
        .route("/f/{form}", get(form::show).layer(kept).post(form::submit))
        .route("/f/{form}/preview", get(form::preview))
        .route("/e/{code}", get(entry::show).post(entry::send))
        .route("/c/{token}", get(double_opt_in::show).post(double_opt_in::take))
        .route("/p", get(preference_request::ask).post(preference_request::take))
        .route("/p/{token}", get(preferences::show).post(preferences::change))
        .route("/u/{token}", get(unsubscribe::ask).post(unsubscribe::leave))
}

/// Serves a script. Browsers keep it for five minutes, then ask whether it changed.
fn script(source: &'static [u8], headers: &HeaderMap) -> Response {
    let hash: String = hex(&Sha256::digest(source)).chars().take(32).collect();
    let tag = format!("\"{hash}\"");
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|known| known.contains(&tag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], source).into_response()
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, value);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response
}
