//! `/v1/imports`: lists of consents and refusals, row by row, previewed, resumable, undone as a
//! whole (rule 16).
//!
//! Nothing is stored for an import but its events, which carry its id. Their own ids are derived
//! from the import's id, the line and the row, so that rows sent again are the same events: a
//! client that was cut off sends everything once more.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sayso_core::address::phone::Region;
use sayso_core::id::ImportId;
use sayso_core::words::source::SourceName;
use sayso_core::workspace::KeyScope;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::api::page::InPath;
use crate::app::App;
use crate::body::texts::{ClaimedTimeText, NameText, RegionText, texts};
use crate::body::{Asked, Faults, FromJson, ListText, Pointer, Sent, json_object};
use crate::caller::{Caller, Compliance, Needs};
use crate::problem::{Code, Problem, ProblemBody};

use answer::RowAnswer;
use intake::{Intake, Lifting, Mode, RowFormat};
use row::{ImportRow, ListKind};

pub(crate) mod answer;
mod gupshup;
pub(crate) mod intake;
mod number;
mod row;

/// The caller may import and export lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Import;

impl Needs for Import {
    const SCOPE: KeyScope = KeyScope::Import;
}

/// The id of an import.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImportIdText(pub(crate) ImportId);

impl FromJson for ImportIdText {
    fn from_json(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self> {
        let text = String::from_json(value, at, faults)?;
        ImportId::parse(&text)
            .map(Self)
            .map_err(|fault| faults.note_with_example(at, Code::InvalidId, fault, ID_EXAMPLE))
            .ok()
    }
}

impl PartialSchema for ImportIdText {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        String::schema()
    }
}

impl ToSchema for ImportIdText {}

const ID_EXAMPLE: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";

texts! {
    /// What a list lists.
    ListKindText(KindOfList) = KindOfList::parse, UnknownWord, "disconnected", Some(&["consents", "disconnected"]);
    /// How the rows of a list are written.
    RowFormatText(RowFormat) = RowFormat::parse, UnknownWord, "gupshup-users", Some(&["rows", "gupshup-users"]);
}

json_object! {
    /// An import to begin.
    #[derive(ToSchema)]
    ImportRequest {
        /// The name of the list: the source of what it reports. Required.
        #[schema(value_type = String, example = "crm 2026-11")]
        list: NameText,
        /// An id of your own making, such as one derived from the file, so that importing the same file again is the same import; made here if absent.
        #[schema(value_type = Option<String>, example = "imp_01jd6m9k3te5b8r5v3x5y6z7w8")]
        id: ImportIdText,
        /// Where the list's national phone numbers belong; without it the workspace's region.
        #[schema(value_type = Option<String>, example = "DE")]
        region: RegionText,
        /// `consents` (the default), or `disconnected`: numbers that belong to somebody else now.
        kind: ListKindText,
        /// The date of a list of disconnected numbers, for rows without one of their own. Required for such a list.
        #[schema(value_type = Option<String>, example = "2026-11-01")]
        date: ClaimedTimeText,
    }
}

json_object! {
    /// How rows are taken.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    RowsRequest {
        /// The name of the list: the source of what it reports. Required; the same for all rows of an import.
        #[param(value_type = String, required = true, example = "crm 2026-11")]
        list: NameText,
        /// Where national phone numbers belong; without it the workspace's region.
        #[param(value_type = Option<String>, example = "DE")]
        region: RegionText,
        /// What the list lists: `consents` (the default) or `disconnected`.
        #[param(inline, value_type = Option<ListKindText>, example = "disconnected")]
        kind: ListKindText,
        /// The date of a list of disconnected numbers. Required for such a list; the same for all its rows.
        #[param(value_type = Option<String>, example = "2026-11-01")]
        date: ClaimedTimeText,
        /// How the rows are written: `rows` (the default), or `gupshup-users`: a user a line, as Gupshup's API gives it, with `line` beside.
        #[param(inline, value_type = Option<RowFormatText>, example = "gupshup-users")]
        format: RowFormatText,
        /// Store nothing; answer what each row would do.
        #[param(value_type = Option<bool>)]
        preview: bool,
        /// Store rows although they lift refusals. Needs the scope `compliance`.
        #[param(value_type = Option<bool>)]
        lift_refusals: bool,
    }
}

/// An import that may be sent rows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportAnswer {
    /// The id of the import.
    #[schema(example = "imp_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// The name of the list.
    list: String,
    /// Where to send the rows.
    #[schema(example = "/v1/imports/imp_01jd6m9k3te5b8r5v3x5y6z7w8/rows?list=crm%202026-11")]
    rows: String,
}

/// What undoing came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UndoAnswer {
    /// The id of the import.
    #[schema(example = "imp_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// How many addresses it concerned.
    addresses: u64,
}

/// Begins an import.
///
/// Nothing is stored until rows are sent to the address that the answer names. Beginning the same
/// import again is no fault.
#[utoipa::path(
    post, path = "/v1/imports", tag = "Imports", operation_id = "begin_import",
    request_body(content = ImportRequest, description = "The list."),
    responses(
        (status = 201, description = "The import may be sent rows.", body = ImportAnswer),
        (status = 409, description = "The import was undone; an import begins anew under another id.", body = ProblemBody),
    ),
    security(("api_key" = ["import"])),
)]
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    caller: Caller<Import>,
    sent: Sent<ImportRequest>,
) -> Result<(StatusCode, Json<ImportAnswer>), Problem> {
    let Sent { request, mut faults } = sent;
    let list = request.list.map(|NameText(list)| list);
    let list = faults.require("/list", list, "crm 2026-11");
    let kind = kind_of(request.kind, request.date, "/date", &mut faults);
    let (list, kind) = faults.settle(list.zip(kind))?;
    let id = request.id.map_or_else(
        || ImportId::from_bytes(app.environment().time_sortable_id()),
        |ImportIdText(id)| id,
    );
    refuse_undone(&caller, id)?;
    let region = request.region.map(|RegionText(region)| format!("&region={region}"));
    let kind = match kind {
        ListKind::Consents => String::new(),
        ListKind::Disconnected(date) => {
            let date = percent_encoded(&date.to_string());
            format!("&kind=disconnected&date={date}")
        }
    };
    let rows = format!(
        "/v1/imports/{id}/rows?list={}{}{kind}",
        percent_encoded(list.as_str()),
        region.unwrap_or_default()
    );
    Ok((
        StatusCode::CREATED,
        Json(ImportAnswer { id: id.to_string(), list: list.to_string(), rows }),
    ))
}

/// Takes up to 10,000 rows of an import, one JSON object a line.
///
/// Each line is answered by one line, in order. A `phone` that an opt-in names must be valid, one
/// that a refusal names possible. With date, method, evidence and notice an opt-in is an act of the
/// person at that date, else a report of the list; a refusal is an act with date and method. An
/// undated yes is older than everything, an undated no is of now. A row that would lift a refusal
/// is held, and names the refusal, unless `lift_refusals` says otherwise. Rows are not counted among
/// the workspace's events a second: they wait while the store is busy with others.
#[utoipa::path(
    post, path = "/v1/imports/{id}/rows", tag = "Imports", operation_id = "import_rows",
    params(("id" = String, Path, description = "The id of the import."), RowsRequest),
    request_body(content = ImportRow, content_type = "application/x-ndjson", description = "One row a line."),
    responses(
        (status = 200, description = "One line for each line of the request. What was taken is durable.", body = RowAnswer, content_type = "application/x-ndjson"),
        (status = 403, description = "The key lacks the scope `import`, or `compliance` where refusals are to be lifted.", body = ProblemBody),
        (status = 404, description = "The path holds no id of an import.", body = ProblemBody),
        (status = 409, description = "The import was undone: its rows count for nothing.", body = ProblemBody),
        (status = 413, description = "There are more than 10,000 rows, or they are too long.", body = ProblemBody),
    ),
    security(("api_key" = ["import"])),
)]
pub(crate) async fn rows(
    State(app): State<Arc<App>>,
    caller: Caller<Import>,
    id: InPath<ImportIdText>,
    asked: Asked<RowsRequest>,
    list: ListText,
) -> Result<Response, Problem> {
    let InPath(ImportIdText(id)) = id;
    let rows = settle(asked, &caller)?;
    refuse_undone(&caller, id)?;
    let intake = Intake::begin(&app, &caller, id, rows.list);
    let intake = intake.region(rows.region).of(rows.kind, rows.format);
    let answers = intake.take(&list.text, rows.mode, rows.lifting).await?;
    let lines = crate::api::consents::lines(answers).await;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response())
}

/// Leaves out everything an import brought, refusals included, for good.
///
/// One retraction; what else was said about the same people stands again. May be repeated.
#[utoipa::path(
    post, path = "/v1/imports/{id}/undo", tag = "Imports", operation_id = "undo_import",
    params(("id" = String, Path, description = "The id of the import.")),
    responses(
        (status = 200, description = "The import counts for nothing from now on.", body = UndoAnswer),
        (status = 404, description = "The path holds no id of an import.", body = ProblemBody),
    ),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    id: InPath<ImportIdText>,
) -> Result<Json<UndoAnswer>, Problem> {
    let InPath(ImportIdText(id)) = id;
    let addresses = app.store().undo_import(caller.workspace().id, id).await?;
    Ok(Json(UndoAnswer { id: id.to_string(), addresses }))
}

/// How the rows of a request are to be taken.
struct Rows {
    list: SourceName,
    region: Option<Region>,
    kind: ListKind,
    format: RowFormat,
    mode: Mode,
    lifting: Lifting,
}

/// What a list lists, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KindOfList {
    /// Consents and refusals.
    Consents,
    /// Disconnected numbers.
    Disconnected,
}

impl KindOfList {
    /// Parses the word.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "consents" => Ok(Self::Consents),
            "disconnected" => Ok(Self::Disconnected),
            _ => Err("is none of consents, disconnected"),
        }
    }
}

/// What a list lists. One of disconnected numbers has a date.
fn kind_of(
    kind: Option<ListKindText>,
    date: Option<ClaimedTimeText>,
    place: &str,
    faults: &mut Faults,
) -> Option<ListKind> {
    // In doubt as late as it may be: a day to its end.
    let date = date.map(|ClaimedTimeText(date)| date.last());
    match kind.map(|ListKindText(kind)| kind) {
        Some(KindOfList::Disconnected) => {
            faults.require(place, date, "2026-11-01").map(ListKind::Disconnected)
        }
        Some(KindOfList::Consents) | None => {
            if date.is_some() {
                let fault = "is for a list of disconnected numbers alone; rows have `occurred_at`";
                faults.note(place, Code::InvalidValue, fault);
            }
            Some(ListKind::Consents)
        }
    }
}

fn settle(asked: Asked<RowsRequest>, caller: &Caller<Import>) -> Result<Rows, Problem> {
    let Asked { request, mut faults } = asked;
    let list = request.list.map(|NameText(list)| list);
    let list = faults.require("?list", list, "crm 2026-11");
    let region = request.region.map(|RegionText(region)| region);
    let mode = if request.preview == Some(true) { Mode::Preview } else { Mode::Record };
    let lifting =
        if request.lift_refusals == Some(true) { Lifting::Allowed } else { Lifting::Held };
    let kind = kind_of(request.kind, request.date, "?date", &mut faults);
    let format = request.format.map_or(RowFormat::Rows, |RowFormatText(format)| format);
    if format == RowFormat::GupshupUsers && kind.is_some_and(|kind| kind != ListKind::Consents) {
        faults.note("?format", Code::InvalidValue, "lists consents; leave `kind` out");
    }
    let (list, kind) = faults.settle(list.zip(kind))?;
    if lifting == Lifting::Allowed && !caller.may(KeyScope::Compliance) {
        let detail = format!("the key lacks the scope {}", KeyScope::Compliance.as_str());
        return Err(Problem::new(Code::ScopeMissing).detail(detail));
    }
    Ok(Rows { list, region, kind, format, mode, lifting })
}

/// What an undone import would bring counts for nothing: the caller must hear that.
fn refuse_undone(caller: &Caller<Import>, id: ImportId) -> Result<(), Problem> {
    if caller.workspace().runtime.undone_imports.contains(&id) {
        let detail = "what it brought counts for nothing, for good; import the list under another id, on the command line under another --list";
        Err(Problem::new(Code::ImportUndone).detail(detail))
    } else {
        Ok(())
    }
}

/// A query value (RFC 3986 section 2.1).
fn percent_encoded(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
