//! `/f/{form}/preview`: the form in any of its states, for who makes it. Nothing can be sent from it:
//! its fields have no names, and its button leads to the next state.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use sayso_core::words::form::Brightness;
use sayso_pages::form::Sends;

use super::typed::{Judged, Typed};
use super::visit::Visit;
use crate::app::App;
use crate::people::link_end::LinkEnd;

/// Shows a state of the form: `?state=empty`, `error` or `done`; in the language `lang`, with
/// `embed=1` as in a frame, in the `brightness` that is asked for.
pub(crate) async fn preview(
    State(app): State<Arc<App>>,
    LinkEnd(form): LinkEnd,
    parts: Parts,
) -> Response {
    let mut visit = match Visit::find(&app, &form, &parts) {
        Ok(visit) => visit,
        Err(trouble) => return *trouble,
    };
    let asked = visit.query.brightness.as_deref();
    if let Some(brightness) = asked.and_then(|word| Brightness::parse(word).ok()) {
        let theme = &mut Arc::make_mut(&mut visit.published).form.theme;
        *theme = theme.seen_in(brightness);
    }
    let (typed, judged, next) = match visit.query.state.as_deref() {
        Some("done") => return visit.respond(StatusCode::OK, visit.done_page()),
        Some("error") => {
            // What a person might mistype: no box ticked, and half a number.
            let typed = Typed::read(b"phone=%2B1+201&email=ada");
            let judged = Judged::of(&app, &visit, &typed);
            (typed, judged, "done")
        }
        Some(_) | None => (Typed::default(), Judged::default(), "error"),
    };
    let action = format!("/f/{}/preview", visit.id);
    let sends = Sends::Preview { action, next: next_state(&visit, next) };
    let document = visit.page(&app, (&typed, &judged), None, sends);
    visit.respond(StatusCode::OK, document)
}

/// What leads to the next state, in the same look.
fn next_state(visit: &Visit, next: &str) -> Vec<(&'static str, String)> {
    let query = &visit.query;
    let lang = query.lang.map(|language| ("lang", language.tag().to_owned()));
    let embed = query.embed.map(|()| ("embed", "1".to_owned()));
    let brightness = query.brightness.clone().map(|word| ("brightness", word));
    let state = Some(("state", next.to_owned()));
    [state, lang, embed, brightness].into_iter().flatten().collect()
}
