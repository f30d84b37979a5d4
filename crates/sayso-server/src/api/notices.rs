//! `/v1/notices`: the exact words shown to people. A published version never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::id::NoticeId;
use sayso_core::limits;
use sayso_core::policy::demand::Shown;
use sayso_core::policy::placeholder::{Placeholder, PlaceholderFault, fill};
use sayso_core::words::channel::{Permission, Scope};
use sayso_core::words::notice::{Language, Notice};
use sayso_core::workspace::{Change, PublishedNotice, Workspace};
use sayso_store::configure::Plan;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::consents::request::NoticeRequest;
use crate::api::making::{Making, reused};
use crate::api::page::{InPath, ListQuery, has_room, name, page};
use crate::api::policies::{FindingAnswer, offered};
use crate::api::revisions::{Given, IfNoneMatch, IfNoneMatchHeader, Tag, Tagged, revise};
use crate::app::App;
use crate::body::texts::{
    ChannelText, LanguageText, NoticeIdText, PermissionKind, PermissionText, ScopeText,
};
use crate::body::{Asked, Faults, IdempotencyKey, Sent, json_object};
use crate::caller::{Caller, Configure, Read};
use crate::problem::{Code, Problem, ProblemBody};
use crate::views::hex::hex;

json_object! {
    /// A notice to be made.
    #[derive(ToSchema)]
    NoticeMakeRequest {
        /// How you call it. Required.
        #[schema(example = "Checkout box")]
        name: String,
    }
}

json_object! {
    /// A version of a notice in one language.
    #[derive(ToSchema)]
    VersionRequest {
        /// The version, from 1. The same version may be published in several languages. Required.
        #[schema(example = 1)]
        version: u32,
        /// The language. Required.
        language: LanguageText,
        /// The words, at most 16,384 bytes. `{business}`, `{channels}`, `{topics}`, `{frequency}`, `{contact}`, `{terms}` and `{privacy}` are filled in from `values` now: the filled text is what is kept, shown and hashed. Required.
        #[schema(example = "Yes, send me offers by SMS. I can stop at any time by replying STOP.")]
        text: String,
        /// What stands for each placeholder of the text, at most 1,024 bytes each.
        #[schema(example = json!({"business": "Ada's Shop"}))]
        values: BTreeMap<String, String>,
        /// What the words name: an opt-in under them can give no more. Required.
        names: Vec<NamedRequest>,
    }
}

json_object! {
    /// A permission that the words name.
    #[derive(ToSchema)]
    NamedRequest {
        /// `messages` (the default) or `processing`.
        permission: PermissionText,
        /// The channel; required for messages.
        channel: ChannelText,
        /// What is covered; `all` if absent.
        scope: ScopeText,
    }
}

/// A notice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoticeAnswer {
    /// Its id.
    #[schema(example = "ntc_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// How you call it.
    name: String,
    /// Every published version in every language.
    versions: Vec<VersionAnswer>,
    /// What the words just published lack, as far as words show it; only in the answer to publishing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingAnswer>,
}

/// A published version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionAnswer {
    /// The version.
    version: u32,
    /// The language.
    #[schema(example = "en")]
    language: String,
    /// The exact words.
    text: String,
    /// The SHA-256 of the words, which every event under them keeps.
    text_sha256: String,
    /// What the words name.
    names: Vec<NamedAnswer>,
}

/// A permission that the words name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NamedAnswer {
    /// `messages` or `processing`.
    permission: &'static str,
    /// The channel; absent for processing.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    /// What is covered; absent for processing.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// A page of notices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoticesPage {
    /// The notices.
    notices: Vec<NoticeAnswer>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Lists the notices with all their versions.
#[utoipa::path(
    get, path = "/v1/notices", tag = "Notices", operation_id = "list_notices",
    params(ListQuery),
    responses((status = 200, description = "A page of notices, the oldest first.", body = NoticesPage)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn list(
    caller: Caller<Read>,
    asked: Asked<ListQuery>,
) -> Result<Json<NoticesPage>, Problem> {
    let (notices, next) =
        page(&caller.workspace().notices, asked, |id, notice| NoticeAnswer::of(*id, notice))?;
    Ok(Json(NoticesPage { notices, next }))
}

/// Reads a notice with all its versions.
#[utoipa::path(
    get, path = "/v1/notices/{id}", tag = "Notices", operation_id = "get_notice",
    params(("id" = String, Path, description = "The id of the notice."), IfNoneMatchHeader),
    responses(
        (status = 200, description = "The notice.", body = NoticeAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 304, description = "It is as you have it."),
        (status = 404, description = "There is no such notice.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    caller: Caller<Read>,
    InPath(NoticeIdText(id)): InPath<NoticeIdText>,
    condition: IfNoneMatch,
) -> Result<Tagged<NoticeAnswer>, Problem> {
    let answer = answer(caller.workspace(), id, Vec::new());
    answer.map(|answer| answer.unless_known(&condition))
}

/// Makes a notice, without words yet.
#[utoipa::path(
    post, path = "/v1/notices", tag = "Notices", operation_id = "create_notice",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one notice; 1 to 255 visible ASCII characters.")),
    request_body(content = NoticeMakeRequest, description = "How you call it."),
    responses(
        (status = 201, description = "The notice. Publish its first version next.", body = NoticeAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 409, description = "The workspace has as many notices as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    sent: Sent<NoticeMakeRequest>,
) -> Result<Tagged<NoticeAnswer>, Problem> {
    let Sent { request, mut faults } = sent;
    let name = name(request.name, &mut faults);
    let name = faults.settle(name)?;
    let limit = ("NOTICES_PER_WORKSPACE_MAX", limits::NOTICES_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "notice");
    let plan = |known: &Workspace| {
        match making.find(&known.notices, NoticeId::as_bytes) {
            Some((id, made)) if made.name != name => return Err(reused(&id)),
            Some((id, _)) => return Ok(Plan::Stands(id)),
            None => has_room(known.notices.len(), limit)?,
        }
        let id = NoticeId::from_bytes(making.id());
        Ok(Plan::Changes(Change::NoticeName(id, name.clone()), id))
    };
    let (workspace, id) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, id, Vec::new()).map(Tagged::created)
}

/// Publishes a version of a notice in one language. It never changes afterwards.
///
/// Publishing the very same words again is answered as if it were the first time.
#[utoipa::path(
    post, path = "/v1/notices/{id}/versions", tag = "Notices", operation_id = "publish_notice",
    params(("id" = String, Path, description = "The id of the notice.")),
    request_body(content = VersionRequest, description = "The words."),
    responses(
        (status = 201, description = "The notice with the new version.", body = NoticeAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such notice.", body = ProblemBody),
        (status = 409, description = "This version is published in this language with other words, or the workspace has as many versions as it may.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn publish(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    InPath(NoticeIdText(id)): InPath<NoticeIdText>,
    given: Given,
) -> Result<Tagged<NoticeAnswer>, Problem> {
    let limit = ("NOTICE_VERSIONS_PER_WORKSPACE_MAX", limits::NOTICE_VERSIONS_PER_WORKSPACE_MAX);
    let plan = |known: &Workspace| {
        let (notice, shows) = parse_version(id, given.read()?)?;
        let findings = offered::in_notice(&notice, shows, known, app.now());
        let place = (notice.version, notice.language.clone());
        match find(known, id)?.versions.get(&place) {
            Some(published) if *published != notice => {
                let versions = find(known, id)?.versions.keys();
                let newest = versions.map(|(version, _)| *version).max().unwrap_or(0);
                let mut faults = Faults::default();
                let fault = format!("is published in {} with other words", place.1);
                let next = newest.saturating_add(1).to_string();
                faults.note_with_example("/version", Code::VersionExists, fault, next);
                return Err(faults.into_problem());
            }
            Some(_) => {}
            None => {
                let published = known.notices.values();
                has_room(published.map(|notice| notice.versions.len()).sum(), limit)?;
            }
        }
        Ok(Plan::Changes(Change::Notice(notice), findings))
    };
    find(caller.workspace(), id)?;
    let (workspace, findings) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, id, findings).map(Tagged::created)
}

fn find(known: &Workspace, id: NoticeId) -> Result<&PublishedNotice, Problem> {
    known.notices.get(&id).ok_or_else(|| Problem::new(Code::NotFound))
}

fn answer(
    known: &Workspace,
    id: NoticeId,
    findings: Vec<FindingAnswer>,
) -> Result<Tagged<NoticeAnswer>, Problem> {
    let notice = find(known, id)?;
    let name = Change::NoticeName(id, notice.name.clone());
    let versions = notice.versions.values().cloned().map(Change::Notice);
    let all: Vec<Change> = [name].into_iter().chain(versions).collect();
    let tag = Tag::of(&known.secret, 0, &all);
    Ok(Tagged::new(tag, NoticeAnswer { findings, ..NoticeAnswer::of(id, notice) }))
}

/// The notice, and what its placeholders showed.
fn parse_version(
    id: NoticeId,
    sent: Sent<VersionRequest>,
) -> Result<(Notice, BTreeSet<Shown>), Problem> {
    let Sent { request, mut faults } = sent;
    let version = faults.require("/version", request.version, "1");
    if version == Some(0) {
        faults.note_with_example("/version", Code::InvalidValue, "is not 1 or more", "1");
    }
    let language = request.language.map(|LanguageText(language)| language);
    let language: Option<Language> = faults.require("/language", language, "en");
    let text = faults.require("/text", request.text, "Yes, send me offers by SMS.");
    let values = values(request.values.unwrap_or_default(), &mut faults);
    let text = text.and_then(|text| filled(&text, &values, &mut faults));
    let names = faults.require("/names", request.names, "[{\"channel\": \"sms\"}]");
    let names: Vec<Permission> = names
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(place, named)| parse_named(named, place, &mut faults))
        .collect();
    let notice = version.zip(language).zip(text);
    let notice = notice.map(|((version, language), (text, shows))| {
        (Notice { id, version, language, text, names }, shows)
    });
    faults.settle(notice)
}

/// The values of placeholders; what is wrong is noted.
fn values(sent: BTreeMap<String, String>, faults: &mut Faults) -> BTreeMap<Placeholder, String> {
    let read = sent.into_iter().filter_map(|(name, value)| {
        let pointer = format!("/values/{name}");
        let place = Placeholder::parse(&name)
            .map_err(|fault| faults.note(&pointer, Code::UnknownWord, fault))
            .ok()?;
        let value = value.trim();
        let fault = match value.len() {
            0 => Some("is empty".to_owned()),
            1..=limits::PLACEHOLDER_VALUE_BYTES_MAX => None,
            _ => Some(format!("is longer than {} bytes", limits::PLACEHOLDER_VALUE_BYTES_MAX)),
        };
        if let Some(fault) = fault {
            faults.note_with_example(&pointer, Code::InvalidValue, fault, "Ada's Shop");
        }
        Some((place, value.to_owned()))
    });
    read.collect()
}

/// The words as they are shown, and what their placeholders showed. A text that is too long is not filled.
fn filled(
    text: &str,
    values: &BTreeMap<Placeholder, String>,
    faults: &mut Faults,
) -> Option<(Box<str>, BTreeSet<Shown>)> {
    let whole = Notice::parse_text(text);
    let whole = whole.map_err(|fault| faults.note("/text", Code::InvalidValue, fault)).ok()?;
    let filled = match fill(&whole, values) {
        Ok(filled) => filled,
        Err(PlaceholderFault::NoValue(place)) => {
            let pointer = format!("/values/{place}");
            if !faults.is_wrong_at(&[&pointer]) {
                let fault = "is missing, and the text has a place for it";
                faults.note_with_example(&pointer, Code::MissingField, fault, "Ada's Shop");
            }
            return None;
        }
        Err(fault @ PlaceholderFault::Unknown(_)) => {
            faults.note_with_example("/text", Code::InvalidValue, fault, "{business}");
            return None;
        }
    };
    let text = Notice::parse_text(&filled.text);
    let text = text.map_err(|fault| faults.note("/text", Code::InvalidValue, fault)).ok()?;
    Some((text, filled.shows))
}

/// The published words that a request names at `at`.
pub(crate) fn published<'a>(
    sent: NoticeRequest,
    at: &str,
    workspace: &'a Workspace,
    faults: &mut Faults,
) -> Option<&'a Notice> {
    let id = faults.require(&format!("{at}/id"), sent.id, "ntc_01jd6m9k3te5b8r5v3x5y6z7w8");
    let version = faults.require(&format!("{at}/version"), sent.version, "1");
    let language = faults.require(&format!("{at}/language"), sent.language, "en");
    let (NoticeIdText(id), (version, LanguageText(language))) = id.zip(version.zip(language))?;
    let known = workspace.notices.get(&id);
    let notice = known.and_then(|notice| notice.versions.get(&(version, language)));
    if notice.is_none() {
        let fault = "is not published in this version and language";
        faults.note(at, Code::UnknownNotice, fault);
    }
    notice
}

fn parse_named(named: NamedRequest, place: usize, faults: &mut Faults) -> Option<Permission> {
    let kind = named.permission.map_or(PermissionKind::Messages, |PermissionText(kind)| kind);
    match kind {
        PermissionKind::Processing => Some(Permission::Processing),
        PermissionKind::Messages => {
            let channel = named.channel.map(|ChannelText(channel)| channel);
            let channel = faults.require(&format!("/names/{place}/channel"), channel, "sms")?;
            let scope = named.scope.map_or(Scope::All, |ScopeText(scope)| scope);
            Some(Permission::Messages(channel, scope))
        }
    }
}

impl NoticeAnswer {
    fn of(id: NoticeId, notice: &PublishedNotice) -> Self {
        let versions = notice.versions.values().map(|version| VersionAnswer {
            version: version.version,
            language: version.language.to_string(),
            text: version.text.to_string(),
            text_sha256: hex(&version.reference().text_sha256),
            names: version.names.iter().map(NamedAnswer::of).collect(),
        });
        Self {
            id: id.to_string(),
            name: notice.name.to_string(),
            versions: versions.collect(),
            findings: Vec::new(),
        }
    }
}

impl NamedAnswer {
    /// How a permission is shown.
    pub(crate) fn of(permission: &Permission) -> Self {
        match permission {
            Permission::Processing => Self { permission: "processing", channel: None, scope: None },
            Permission::Messages(channel, scope) => Self {
                permission: "messages",
                channel: Some(channel.as_str()),
                scope: Some(scope.to_string()),
            },
        }
    }
}
