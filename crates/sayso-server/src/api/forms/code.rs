//! `GET /v1/forms/{id}/code`: what to paste into a page so that it shows the form.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use sayso_core::words::form::Shape;
use sayso_pages::snippet;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::page::InPath;
use crate::app::{App, Peer};
use crate::body::texts::{FormIdText, LanguageText, TriggerText};
use crate::body::{Asked, json_object};
use crate::caller::{Caller, Read};
use crate::paths;
use crate::problem::{Code, Problem, ProblemBody};

json_object! {
    /// How a form is to be shown.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    CodeQuery {
        /// When it appears; a popup after five seconds if absent, a slide-in or bar at half the page.
        #[param(value_type = Option<String>, example = "time:5")]
        trigger: TriggerText,
        /// The language it is shown in; if absent, the one that the browser asks for.
        #[param(value_type = Option<String>, example = "en")]
        language: LanguageText,
    }
}

/// What to paste into a page: one of these. The page must be of one of the form's origins.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeAnswer {
    /// A frame that stands where it is pasted, and a script that makes it as high as the form. Without the script it works too, with a scroll bar.
    iframe: String,
    /// A script that puts the form where it is pasted.
    inline: String,
    /// A script that shows it above the page, with everything else at rest.
    popup: String,
    /// A script that shows it in the corner.
    slide_in: String,
    /// A script that shows it along the foot of the window.
    bar: String,
    /// What keeps the form from being shown; absent where nothing does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<&'static str>,
}

/// The finding of a form that no page may show.
const NO_ORIGINS: &str = "origins is empty, so no page may show the form: browsers leave the place empty. List the origins of your pages, such as https://shop.example, with PUT /v1/forms/{id}.";

/// The code to paste into a page.
#[utoipa::path(
    get, path = "/v1/forms/{id}/code", tag = "Forms", operation_id = "get_form_code",
    params(("id" = String, Path, description = "The id of the form."), CodeQuery),
    responses(
        (status = 200, description = "HTML, one for each way to show the form.", body = CodeAnswer),
        (status = 404, description = "There is no such form.", body = ProblemBody),
        (status = 409, description = "The workspace is live, and `server.public_url` is not set.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    id: InPath<FormIdText>,
    parts: Parts,
    asked: Asked<CodeQuery>,
) -> Result<Json<CodeAnswer>, Problem> {
    let InPath(FormIdText(id)) = id;
    let Asked { request, faults } = asked;
    let request = faults.settle(Some(request))?;
    let known = caller.workspace().forms.get(&id).ok_or_else(|| Problem::new(Code::NotFound))?;
    let peer = parts.extensions.get::<Peer>().copied();
    let server = app.link_base(caller.workspace(), peer, &parts)?;
    let language = request.language.map(|LanguageText(language)| language.to_string());
    let trigger = request.trigger.map(|TriggerText(trigger)| trigger);
    let script = |query: String| snippet::script(&format!("{server}/form.js?{query}"));
    let above = |shape: Shape| {
        let trigger = trigger.clone().unwrap_or_else(|| shape.usual_trigger());
        script(paths::form_query(id, shape.as_str(), Some(&trigger), language.as_deref()))
    };
    let lang = language.as_deref().map(|tag| format!("&lang={tag}")).unwrap_or_default();
    let frame = format!("{server}/f/{id}?embed=1{lang}");
    Ok(Json(CodeAnswer {
        iframe: snippet::iframe(&frame, &known.form.business, &format!("{server}/form.js")),
        inline: script(paths::form_query(id, "inline", None, language.as_deref())),
        popup: above(Shape::Popup),
        slide_in: above(Shape::SlideIn),
        bar: above(Shape::Bar),
        findings: if known.form.origins.is_empty() { vec![NO_ORIGINS] } else { Vec::new() },
    }))
}
