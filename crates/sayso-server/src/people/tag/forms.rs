//! `GET /capture/forms`: the forms that the tag of a site shows. Nothing is told of any person, and nothing
//! is recorded.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{Visit, allow};
use crate::app::{App, Peer};
use crate::body::{Asked, json_object};
use crate::paths;
use crate::problem::{Problem, ProblemBody};

json_object! {
    /// Whose forms.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    SiteQuery {
        /// The public key of the site. Required.
        #[param(example = "site_3x5y6z7w801jd6m9k3te5b8r5v")]
        site: String,
    }
}

/// The forms that the tag of a site shows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TagForms {
    /// Scripts of this server, by path; each shows one form.
    #[schema(example = json!(["/form.js?form=frm_01jd6m9k3te5b8r5v3x5y6z7w8&as=popup&trigger=time%3A5"]))]
    scripts: Vec<String>,
}

/// The forms that the tag of a site shows.
///
/// For the browser tag. The page's `Origin` must be on the site's list.
#[utoipa::path(
    get, path = "/capture/forms", tag = "Browser", operation_id = "capture_forms",
    params(SiteQuery),
    responses(
        (status = 200, description = "The living forms that name the site.", body = TagForms),
        (status = 403, description = "The page's origin is not on the site's list.", body = ProblemBody),
    ),
    security(()),
)]
pub(crate) async fn forms(
    State(app): State<Arc<App>>,
    parts: Parts,
    asked: Asked<SiteQuery>,
) -> Result<Response, Problem> {
    let ip = app.client_ip(parts.extensions.get::<Peer>().copied(), &parts.headers);
    app.rates().take_network(ip)?;
    let Asked { request, faults } = asked;
    let request = faults.settle(Some(request))?;
    let visit = Visit::find(&app, request.site.as_deref(), &parts.headers, ip)?;
    let mut scripts = Vec::new();
    for (id, published) in visit.workspace.forms.iter() {
        let form = &published.form;
        let showing = form.showings.iter().find(|showing| showing.site == visit.key);
        if let Some(showing) = showing.filter(|_| form.deleted_at.is_none()) {
            let query =
                paths::form_query(*id, showing.shape.as_str(), Some(&showing.trigger), None);
            scripts.push(format!("/form.js?{query}"));
        }
    }
    let mut response = Json(TagForms { scripts }).into_response();
    allow(&mut response, visit.origin);
    Ok(response)
}
