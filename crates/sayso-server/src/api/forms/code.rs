//! `GET /v1/forms/{id}/code`: what to paste into a page so that it shows the form.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use sayso_core::id::FormId;
use sayso_pages::snippet;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::page::InPath;
use crate::app::{App, Peer};
use crate::body::texts::{FormIdText, LanguageText, TriggerText};
use crate::body::{Asked, json_object};
use crate::caller::{Caller, Read};
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
}

/// When a form appears on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// After so many seconds.
    Time(u16),
    /// When so many percent of the page were seen.
    Scroll(u8),
    /// When the pointer leaves the window.
    Exit,
    /// When what this selector of CSS finds is pressed.
    Click(Box<str>),
}

/// The longest selector. *Units*: bytes.
const SELECTOR_BYTES_MAX: usize = 200;

impl Trigger {
    /// Parses a trigger.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let fault = "is none of time:5, scroll:50, exit, click:#join";
        let (word, value) = text.split_once(':').unwrap_or((text, ""));
        let is_selector = !value.is_empty()
            && value.len() <= SELECTOR_BYTES_MAX
            && !value.chars().any(char::is_control);
        match word {
            "time" => value.parse().map(Self::Time).map_err(|_| fault),
            "scroll" => {
                let percent = value.parse().ok().filter(|percent| *percent <= 100);
                percent.map(Self::Scroll).ok_or(fault)
            }
            "exit" if text == word => Ok(Self::Exit),
            "click" if is_selector => Ok(Self::Click(value.into())),
            _ => Err(fault),
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(seconds) => write!(f, "time:{seconds}"),
            Self::Scroll(percent) => write!(f, "scroll:{percent}"),
            Self::Exit => f.write_str("exit"),
            Self::Click(selector) => write!(f, "click:{selector}"),
        }
    }
}

/// The code to paste into a page.
#[utoipa::path(
    get, path = "/v1/forms/{id}/code", tag = "Forms", operation_id = "get_form_code",
    params(("id" = String, Path, description = "The id of the form."), CodeQuery),
    responses(
        (status = 200, description = "HTML, one for each way to show the form.", body = CodeAnswer),
        (status = 404, description = "There is no such form.", body = ProblemBody),
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
    let known =
        caller.configuration().forms.get(&id).ok_or_else(|| Problem::new(Code::NotFound))?;
    let peer = parts.extensions.get::<Peer>().copied();
    let here = app.outer_url(peer, &parts);
    let server = here.split("/v1/").next().unwrap_or_default();
    let language = request.language.map(|LanguageText(language)| language.to_string());
    let trigger = request.trigger.map(|TriggerText(trigger)| trigger);
    let script = |shape: &str, usual: Option<Trigger>| {
        let trigger = usual.map(|usual| trigger.clone().unwrap_or(usual));
        let query = query(id, shape, trigger.as_ref(), language.as_deref());
        snippet::script(&format!("{server}/form.js?{query}"))
    };
    let lang = language.as_deref().map(|tag| format!("&lang={tag}")).unwrap_or_default();
    let frame = format!("{server}/f/{id}?embed=1{lang}");
    Ok(Json(CodeAnswer {
        iframe: snippet::iframe(&frame, &known.form.business, &format!("{server}/form.js")),
        inline: script("inline", None),
        popup: script("popup", Some(Trigger::Time(5))),
        slide_in: script("slide-in", Some(Trigger::Scroll(50))),
        bar: script("bar", Some(Trigger::Scroll(50))),
    }))
}

fn query(id: FormId, shape: &str, trigger: Option<&Trigger>, language: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("form", &id.to_string()).append_pair("as", shape);
    if let Some(trigger) = trigger {
        query.append_pair("trigger", &trigger.to_string());
    }
    if let Some(language) = language {
        query.append_pair("lang", language);
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_read_as_it_is_written() {
        for text in ["time:0", "time:5", "scroll:100", "exit", "click:#join", "click:a[href$=':x']"]
        {
            assert_eq!(Trigger::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "time", "time:-1", "scroll:101", "exit:", "exit:1", "click:", "hover:#a"] {
            assert!(Trigger::parse(text).is_err(), "{text}");
        }
    }
}
