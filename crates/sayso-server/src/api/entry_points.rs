//! `/v1/entry-points`: QR codes, links and widgets that lead to a chat through an opt-in page.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sayso_core::id::EntryPointId;
use sayso_core::limits;
use sayso_core::proof::reference::EntryCode;
use sayso_core::workspace::{Change, EntryPoint, Workspace};
use sayso_store::configure::Plan;
use sayso_store::tally::{Counted, Reach};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::making::{Making, reused};
use crate::api::page::{InPath, ListQuery, has_room, page};
use crate::api::policies::{FindingAnswer, offered};
use crate::api::revisions::{
    Edit, Edited, Given, IfMatch, IfMatchHeader, Patch, Put, Shown, Tag, Tagged, revise,
};
use crate::app::App;
use crate::body::texts::EntryPointIdText;
use crate::body::{Asked, IdempotencyKey};
use crate::caller::{Caller, Configure, Read};
use crate::paths;
use crate::problem::{Code, Problem, ProblemBody};

use request::EntryPointRequest;

pub(crate) mod pictures;
pub(crate) mod renderings;
pub(crate) mod request;

/// An entry point.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EntryPoint)]
pub(crate) struct EntryPointAnswer {
    /// Its id.
    #[schema(example = "ent_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// Which state of it this is: each change is the next. Events of its page name it.
    version: u32,
    /// The end of its link.
    #[schema(example = "7m29qx4k0c")]
    code: String,
    /// Its link; a path of this server unless `server.public_url` is set.
    #[schema(example = "https://consent.example/e/7m29qx4k0c")]
    link: String,
    /// How you call it.
    name: String,
    /// Whom people write to.
    sender: String,
    /// Where the chat is.
    #[schema(example = "+14155550100")]
    address: String,
    /// The business, as people know it.
    business: String,
    /// What is offered, a box each.
    topics: Vec<String>,
    /// The words that are shown.
    notice: EntryNoticeView,
    /// What stands in the chat when it is opened.
    prefill: String,
    /// What the print sheet and the widget call for; absent where the pages' own words do.
    #[serde(skip_serializing_if = "Option::is_none")]
    call_to_action: Option<String>,
    /// The languages of its page.
    languages: Vec<String>,
    /// What the events of its page name as their source.
    source: String,
    /// How its floating button looks.
    widget: WidgetView,
    /// The logo in its QR code, a PNG as base64; where one entry point is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    logo: Option<String>,
    /// How far people came; where one entry point is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<ReachView>,
    /// What its page lacks or does wrong by the policy of its channel and your country packs, the worst
    /// first; absent in lists, and once it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<FindingAnswer>>,
    /// When it was deleted; absent while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

/// The words of an entry point.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EntryNotice)]
pub(crate) struct EntryNoticeView {
    /// The notice.
    #[schema(example = "ntc_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// Its version.
    version: u32,
}

/// How a floating button looks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Widget)]
pub(crate) struct WidgetView {
    /// Its color.
    #[schema(example = "#0b6b50")]
    background: String,
    /// The color of its words.
    #[schema(example = "#ffffff")]
    text: String,
    /// Where it floats.
    #[schema(example = "bottom_end")]
    corner: &'static str,
}

/// How far people came from an entry point. Counts, half a minute of which may be lost when the server dies.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reach)]
pub(crate) struct ReachView {
    /// Pages that were shown.
    shown: u64,
    /// Chats that were opened from them.
    started: u64,
    /// Opt-ins.
    opted_in: u64,
    /// Those that a message from the address confirmed.
    confirmed: u64,
    /// Those who refused later, by message, by their preference centre, by a link of theirs or through the API.
    refused: u64,
}

/// A page of entry points.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryPointsPage {
    /// The entry points.
    entry_points: Vec<EntryPointAnswer>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Lists the entry points, deleted ones included.
#[utoipa::path(
    get, path = "/v1/entry-points", tag = "Entry points", operation_id = "list_entry_points",
    params(ListQuery),
    responses((status = 200, description = "A page of entry points, the oldest first.", body = EntryPointsPage)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    asked: Asked<ListQuery>,
) -> Result<Json<EntryPointsPage>, Problem> {
    let view = |id: &EntryPointId, entry| EntryPointAnswer::of(&app, *id, entry);
    let (entry_points, next) = page(&caller.workspace().entry_points, asked, view)?;
    Ok(Json(EntryPointsPage { entry_points, next }))
}

/// Reads an entry point, with how far people came from it.
#[utoipa::path(
    get, path = "/v1/entry-points/{id}", tag = "Entry points", operation_id = "get_entry_point",
    params(("id" = String, Path, description = "The id of the entry point.")),
    responses(
        (status = 200, description = "The entry point.", body = EntryPointAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such entry point.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    InPath(EntryPointIdText(id)): InPath<EntryPointIdText>,
) -> Result<Tagged<EntryPointAnswer>, Problem> {
    let known = caller.workspace();
    let entry = find(known, id)?;
    app.reach().write(app.store()).await?;
    let tallied = app.store().tally(caller.workspace().id, Counted::EntryPoint(id), &[]).await?;
    let reach = Some(ReachView::of(tallied.reach));
    let answer = EntryPointAnswer { reach, ..whole(&app, known, id, entry) };
    Ok(Tagged::new(tag(known, id, entry), answer))
}

/// Makes an entry point.
#[utoipa::path(
    post, path = "/v1/entry-points", tag = "Entry points", operation_id = "create_entry_point",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one entry point; 1 to 255 visible ASCII characters.")),
    request_body(content = EntryPointRequest, description = "The entry point."),
    responses(
        (status = 201, description = "The entry point.", body = EntryPointAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 409, description = "The workspace has as many entry points as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    given: Given,
) -> Result<Tagged<EntryPointAnswer>, Problem> {
    let limit = ("ENTRY_POINTS_PER_WORKSPACE_MAX", limits::ENTRY_POINTS_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "entry point");
    let plan = |known: &Workspace| {
        let entry = request::entry_point(given.read()?, None, &app, known)?;
        match making.find(&known.entry_points, EntryPointId::as_bytes) {
            Some((id, made)) if *made != entry => return Err(reused(&id)),
            Some((id, _)) => return Ok(Plan::Stands(id)),
            None => has_room(known.entry_points.len(), limit)?,
        }
        let id = EntryPointId::from_bytes(making.id());
        Ok(Plan::Changes(Change::EntryPoint(id, Box::new(entry)), id))
    };
    let (workspace, id) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&app, &workspace, id).map(Tagged::created)
}

/// Replaces an entry point by its next version. Its link and its sender stay.
#[utoipa::path(
    put, path = "/v1/entry-points/{id}", tag = "Entry points", operation_id = "update_entry_point",
    params(("id" = String, Path, description = "The id of the entry point."), IfMatchHeader),
    request_body(content = EntryPointRequest, description = "The whole of it; the sender may be left out."),
    responses(
        (status = 200, description = "The entry point.", body = EntryPointAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such entry point.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<EntryPointIdText>,
    Put(edit): Put,
) -> Result<Tagged<EntryPointAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Changes what is named of an entry point: its next version.
///
/// A JSON merge patch (RFC 7396): members that are absent stay, `null` takes a member away.
#[utoipa::path(
    patch, path = "/v1/entry-points/{id}", tag = "Entry points", operation_id = "patch_entry_point",
    params(("id" = String, Path, description = "The id of the entry point."), IfMatchHeader),
    request_body(content = EntryPointRequest, content_type = "application/merge-patch+json", description = "What is to be different."),
    responses(
        (status = 200, description = "The entry point.", body = EntryPointAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such entry point.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<EntryPointIdText>,
    Patch(edit): Patch,
) -> Result<Tagged<EntryPointAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Deletes an entry point: its link says that it is closed. What people said there stays.
#[utoipa::path(
    delete, path = "/v1/entry-points/{id}", tag = "Entry points", operation_id = "delete_entry_point",
    params(("id" = String, Path, description = "The id of the entry point."), IfMatchHeader),
    responses(
        (status = 200, description = "The deleted entry point.", body = EntryPointAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such entry point.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    InPath(EntryPointIdText(id)): InPath<EntryPointIdText>,
    condition: IfMatch,
) -> Result<Tagged<EntryPointAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let entry = find(known, id)?;
        if entry.deleted_at.is_none() {
            condition.check(&tag(known, id, entry))?;
        }
        let deleted_at = Some(entry.deleted_at.unwrap_or_else(|| app.now()));
        let deleted = Box::new(EntryPoint { deleted_at, ..entry.clone() });
        Ok(Plan::Changes(Change::EntryPoint(id, deleted), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&app, &workspace, id)
}

/// What answers show besides what a client sets.
const SHOWN: Shown = Shown {
    fixed: &["id", "version", "code", "deleted_at"],
    told: &["link", "reach", "findings"],
    comes_back: false,
};

async fn change(
    app: &App,
    caller: &Caller<Configure>,
    InPath(EntryPointIdText(id)): InPath<EntryPointIdText>,
    edit: &Edit,
) -> Result<Tagged<EntryPointAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let it = find(known, id)?;
        let Edited { sent, basis } = edit.read(&whole(app, known, id, it), &SHOWN)?;
        let entry = if basis.is_same {
            it.clone()
        } else {
            request::entry_point(sent, Some(it), app, known)?
        };
        let is_there = entry == *it;
        edit.admit(&tag(known, id, it), &basis, is_there)?;
        if is_there {
            return Ok(Plan::Stands(()));
        }
        let next = EntryPoint { version: it.version.saturating_add(1), ..entry };
        Ok(Plan::Changes(Change::EntryPoint(id, Box::new(next)), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(app, &workspace, id)
}

fn find(known: &Workspace, id: EntryPointId) -> Result<&EntryPoint, Problem> {
    known.entry_points.get(&id).ok_or_else(|| Problem::new(Code::NotFound))
}

fn tag(known: &Workspace, id: EntryPointId, entry: &EntryPoint) -> Tag {
    let change = Change::EntryPoint(id, Box::new(entry.clone()));
    Tag::of(&known.secret, entry.version, &[change])
}

fn answer(
    app: &App,
    known: &Workspace,
    id: EntryPointId,
) -> Result<Tagged<EntryPointAnswer>, Problem> {
    let entry = find(known, id)?;
    Ok(Tagged::new(tag(known, id, entry), whole(app, known, id, entry)))
}

/// An entry point with what its page lacks, unless it is deleted.
fn whole(
    app: &App,
    workspace: &Workspace,
    id: EntryPointId,
    entry: &EntryPoint,
) -> EntryPointAnswer {
    let lives = entry.deleted_at.is_none();
    let findings = lives.then(|| offered::by_entry_point(entry, workspace, app.now()));
    let logo = entry.logo.as_ref().map(|logo| STANDARD.encode(logo));
    EntryPointAnswer { logo, findings, ..EntryPointAnswer::of(app, id, entry) }
}

impl EntryPointAnswer {
    fn of(app: &App, id: EntryPointId, entry: &EntryPoint) -> Self {
        let code = EntryCode::of(id);
        Self {
            id: id.to_string(),
            version: entry.version,
            code: code.to_string(),
            link: format!("{}{}", app.public_url().unwrap_or_default(), paths::entry_page(code)),
            name: entry.name.to_string(),
            sender: entry.sender.to_string(),
            address: entry.thread.to_string(),
            business: entry.business.to_string(),
            topics: entry.topics.iter().map(ToString::to_string).collect(),
            notice: EntryNoticeView { id: entry.notice.to_string(), version: entry.notice_version },
            prefill: entry.prefill.to_string(),
            call_to_action: entry.call.as_deref().map(str::to_owned),
            languages: entry.languages.iter().map(ToString::to_string).collect(),
            source: entry.source.to_string(),
            widget: WidgetView {
                background: entry.widget.background.to_string(),
                text: entry.widget.text.to_string(),
                corner: entry.widget.corner.as_str(),
            },
            logo: None,
            reach: None,
            findings: None,
            deleted_at: entry.deleted_at.map(|at| at.to_string()),
        }
    }
}

impl ReachView {
    const fn of(reach: Reach) -> Self {
        let Reach { shown, started, opted_in, confirmed, refused } = reach;
        Self { shown, started, opted_in, confirmed, refused }
    }
}
