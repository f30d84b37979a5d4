//! The renderings of an entry point: QR code, print sheet, and what is pasted into a page. All of them lead
//! to its opt-in page.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sayso_core::id::EntryPointId;
use sayso_core::limits;
use sayso_core::proof::reference::EntryCode;
use sayso_core::workspace::{Corner, EntryPoint, Mode};
use sayso_pages::language::Language;
use sayso_pages::qr::logo::Logo;
use sayso_pages::qr::{Correction, Extent, QUIET_MODULES_MIN, Qr, QrFault};
use sayso_pages::sheet::Sheet;
use sayso_pages::widget::{Button, Side};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::pictures::{Pictures, Wanted};
use crate::api::page::InPath;
use crate::app::{App, Peer};
use crate::body::texts::{CorrectionText, EntryPointIdText, LanguageText};
use crate::body::{Asked, Faults, json_object};
use crate::caller::{Caller, Read};
use crate::paths;
use crate::problem::{Code, Problem, ProblemBody};
use crate::thread;

json_object! {
    /// How a QR code is drawn.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    QrQuery {
        /// The side of the picture in pixels, 64 to 4,096; 512 if absent.
        #[param(minimum = 64, maximum = 4_096)]
        size: u32,
        /// The white edge in modules, 4 to 16; 4 if absent.
        #[param(minimum = 4, maximum = 16)]
        quiet: u32,
        /// How much of it may be dirty or covered; `M` if absent, `H` with a logo and nothing else then.
        #[param(value_type = Option<String>, example = "M")]
        correction: CorrectionText,
    }
}

json_object! {
    /// In which language.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    LanguageQuery {
        /// One of the entry point's languages; its first if absent.
        #[param(value_type = Option<String>, example = "en")]
        language: LanguageText,
    }
}

/// What is pasted, printed or sent. Opening any of it records nothing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EntryCode)]
pub(crate) struct CodeAnswer {
    /// HTML of the floating button, to be pasted anywhere in a page: a link without a script.
    widget: String,
    /// The short link to the opt-in page.
    #[schema(example = "https://consent.example/e/7m29qx4k0c")]
    link: String,
    /// The link that opens the chat itself, past the opt-in page: `https://wa.me/…`, `sms:…` or `mailto:…`. Nobody opts in by it.
    #[schema(example = "https://wa.me/14155550100?text=Hello")]
    chat: String,
}

const PIXELS_MIN: usize = 64;
const PIXELS_DEFAULT: usize = 512;

/// Draws the QR code as SVG.
#[utoipa::path(
    get, path = "/v1/entry-points/{id}/qr.svg", tag = "Entry points", operation_id = "get_entry_point_qr_svg",
    params(("id" = String, Path, description = "The id of the entry point."), QrQuery),
    responses(
        (status = 200, description = "The picture.", content_type = "image/svg+xml", body = String),
        (status = 404, description = "There is no such entry point.", body = ProblemBody),
        (status = 409, description = "The workspace is live, and `server.public_url` is not set.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn qr_svg(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    id: InPath<EntryPointIdText>,
    asked: Asked<QrQuery>,
    parts: Parts,
) -> Result<Response, Problem> {
    let rendering = Rendering::find(&app, &caller, id, &parts)?;
    let look = rendering.look(asked)?;
    let business = &rendering.entry.business;
    let draw = |qr: &Qr| Ok(qr.svg(look.0, business).into_bytes());
    rendering.drawn(&parts, ("image/svg+xml", look), draw)
}

/// Draws the QR code as PNG.
#[utoipa::path(
    get, path = "/v1/entry-points/{id}/qr.png", tag = "Entry points", operation_id = "get_entry_point_qr_png",
    params(("id" = String, Path, description = "The id of the entry point."), QrQuery),
    responses(
        (status = 200, description = "The picture: black and white, with a logo in color.", content_type = "image/png", body = Vec<u8>),
        (status = 404, description = "There is no such entry point.", body = ProblemBody),
        (status = 409, description = "The workspace is live, and `server.public_url` is not set.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn qr_png(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    id: InPath<EntryPointIdText>,
    asked: Asked<QrQuery>,
    parts: Parts,
) -> Result<Response, Problem> {
    let rendering = Rendering::find(&app, &caller, id, &parts)?;
    let look = rendering.look(asked)?;
    rendering.drawn(&parts, ("image/png", look), |qr| qr.png(look.0))
}

/// Draws a sheet of A4 to print: business, call to action, QR code, link in words.
#[utoipa::path(
    get, path = "/v1/entry-points/{id}/sheet.svg", tag = "Entry points", operation_id = "get_entry_point_sheet",
    params(("id" = String, Path, description = "The id of the entry point."), LanguageQuery),
    responses(
        (status = 200, description = "The sheet.", content_type = "image/svg+xml", body = String),
        (status = 404, description = "There is no such entry point.", body = ProblemBody),
        (status = 409, description = "The workspace is live, and `server.public_url` is not set.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn sheet(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    id: InPath<EntryPointIdText>,
    asked: Asked<LanguageQuery>,
    parts: Parts,
) -> Result<Response, Problem> {
    let rendering = Rendering::find(&app, &caller, id, &parts)?;
    let language = rendering.language(asked)?;
    // A sheet gets dirty.
    let qr = rendering.qr(Correction::Quartile).map_err(|fault| refused(&fault))?;
    let sheet = Sheet {
        language,
        business: &rendering.entry.business,
        call: rendering.entry.call.as_deref(),
        thread: rendering.thread,
        link: &rendering.link,
        qr: &qr,
    };
    Ok(picture("image/svg+xml", sheet.svg()))
}

/// Gives what is pasted into pages and messages: floating button, short link, link to the chat.
#[utoipa::path(
    get, path = "/v1/entry-points/{id}/code", tag = "Entry points", operation_id = "get_entry_point_code",
    params(("id" = String, Path, description = "The id of the entry point."), LanguageQuery),
    responses(
        (status = 200, description = "What is pasted.", body = CodeAnswer),
        (status = 404, description = "There is no such entry point.", body = ProblemBody),
        (status = 409, description = "The workspace is live, and `server.public_url` is not set.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn code(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    id: InPath<EntryPointIdText>,
    asked: Asked<LanguageQuery>,
    parts: Parts,
) -> Result<Json<CodeAnswer>, Problem> {
    let rendering = Rendering::find(&app, &caller, id, &parts)?;
    let language = rendering.language(asked)?;
    let Rendering { entry, thread, link, .. } = rendering;
    let button = Button {
        language,
        call: entry.call.as_deref(),
        thread,
        link: &link,
        background: &entry.widget.background.to_string(),
        text: &entry.widget.text.to_string(),
        side: match entry.widget.corner {
            Corner::BottomStart => Side::Start,
            Corner::BottomEnd => Side::End,
        },
    };
    let chat = thread::link(thread, &entry.thread, &entry.prefill);
    Ok(Json(CodeAnswer { widget: button.html(), chat, link }))
}

/// An entry point that is to be shown somewhere.
struct Rendering {
    id: EntryPointId,
    entry: EntryPoint,
    thread: thread::Thread,
    link: String,
}

impl Rendering {
    fn find(
        app: &App,
        caller: &Caller<Read>,
        InPath(EntryPointIdText(id)): InPath<EntryPointIdText>,
        parts: &Parts,
    ) -> Result<Self, Problem> {
        let workspace = caller.workspace();
        let entry = workspace.entry_points.get(&id);
        let sender = entry.and_then(|entry| workspace.senders.get(&entry.sender));
        let thread = sender.and_then(|sender| thread::on(sender.channel));
        let (entry, thread) = entry.zip(thread).ok_or_else(|| Problem::new(Code::NotFound))?;
        if workspace.mode == Mode::Live && app.public_url().is_none() {
            let detail = "`server.public_url` is not set; a good value: https://consent.example";
            return Err(Problem::new(Code::PublicUrlRequired).detail(detail));
        }
        let peer = parts.extensions.get::<Peer>().copied();
        let base = app.link_base(workspace, peer, parts)?;
        let link = format!("{base}{}", paths::entry_page(EntryCode::of(id)));
        Ok(Self { id, entry: entry.clone(), thread, link })
    }

    /// The code: with the logo, if there is one, and the highest correction then.
    fn qr(&self, correction: Correction) -> Result<Qr, QrFault> {
        // It was parsed before it was kept.
        let logo = self.entry.logo.as_ref().and_then(|file| Logo::parse(file).ok());
        match logo {
            Some(logo) => Qr::with_logo(&self.link, logo),
            None => Qr::of(&self.link, correction),
        }
    }

    /// The code as a picture of this media type: as it was drawn before, or drawn now.
    fn drawn(
        &self,
        parts: &Parts,
        (kind, look): (&'static str, (Extent, Correction)),
        draw: impl FnOnce(&Qr) -> Result<Vec<u8>, QrFault>,
    ) -> Result<Response, Problem> {
        let wanted = Wanted::new((self.id, self.entry.version), &self.link, kind, look);
        // Each router keeps its own; without one it is drawn each time.
        let pictures = parts.extensions.get::<Arc<Pictures>>().cloned().unwrap_or_default();
        if let Some(drawn) = pictures.find(&wanted) {
            return Ok(picture(kind, drawn));
        }
        let drawn = self.qr(look.1).and_then(|qr| draw(&qr)).map_err(|fault| refused(&fault))?;
        let drawn = Bytes::from(drawn);
        pictures.keep(wanted, &drawn);
        Ok(picture(kind, drawn))
    }

    /// How large the picture is, and how much of it may be dirty.
    fn look(&self, asked: Asked<QrQuery>) -> Result<(Extent, Correction), Problem> {
        let Asked { request, mut faults } = asked;
        let size = (request.size, PIXELS_DEFAULT);
        let pixels = within("?size", size, PIXELS_MIN, limits::QR_PIXELS_MAX, &mut faults);
        let quiet = (request.quiet, QUIET_MODULES_MIN);
        let quiet =
            within("?quiet", quiet, QUIET_MODULES_MIN, limits::QR_QUIET_MODULES_MAX, &mut faults);
        let correction = request.correction.map(|CorrectionText(correction)| correction);
        let is_too_low = correction.is_some_and(|asked| asked != Correction::High);
        if is_too_low && self.entry.logo.is_some() {
            let fault = "is too low for a code with a logo";
            faults.note_with_example("?correction", Code::InvalidValue, fault, "H");
        }
        faults.settle(Some((Extent { pixels, quiet }, correction.unwrap_or_default())))
    }

    /// The language that was asked for, or the first.
    fn language(&self, asked: Asked<LanguageQuery>) -> Result<Language, Problem> {
        let Asked { request, mut faults } = asked;
        let known = || self.entry.languages.iter().filter_map(|tag| Language::find(tag.as_str()));
        let language = match &request.language {
            None => known().next(),
            Some(LanguageText(tag)) => {
                let language = Language::find(tag.as_str());
                let language = language.filter(|asked| known().any(|known| known == *asked));
                if language.is_none() {
                    let fault = "is no language of the entry point";
                    faults.note("?language", Code::InvalidValue, fault);
                }
                language
            }
        };
        faults.settle(language)
    }
}

/// A number that was asked for, or the usual one; notes what is too little or too much.
fn within(
    at: &str,
    (asked, usual): (Option<u32>, usize),
    least: usize,
    most: usize,
    faults: &mut Faults,
) -> usize {
    let number = asked.map_or(usual, |asked| usize::try_from(asked).unwrap_or(usize::MAX));
    if !(least..=most).contains(&number) {
        let fault = format!("is not {least} to {most}");
        faults.note_with_example(at, Code::InvalidValue, fault, usual.to_string());
    }
    number
}

fn refused(fault: &QrFault) -> Problem {
    match fault {
        QrFault::TooSmall { least } => {
            let mut faults = Faults::default();
            faults.note_with_example("?size", Code::InvalidValue, fault, least.to_string());
            faults.into_problem()
        }
        // A link of ours is far shorter than a code can be, and memory takes every byte.
        QrFault::TooLong | QrFault::Unwritten => Problem::new(Code::Internal),
    }
}

fn picture(kind: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
