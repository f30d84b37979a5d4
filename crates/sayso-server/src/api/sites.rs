//! `/v1/sites`: web sites whose pages may use the tag.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::limits;
use sayso_core::words::form::Origin;
use sayso_core::words::source::SourceName;
use sayso_core::workspace::{Change, Site, Workspace};
use sayso_store::configure::Plan;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::making::{Making, reused, said_before};
use crate::api::page::{InPath, ListQuery, has_room, page};
use crate::api::revisions::{
    Edit, Edited, Given, IfMatch, IfMatchHeader, IfNoneMatch, IfNoneMatchHeader, Patch, Put, Shown,
    Tag, Tagged, revise,
};
use crate::app::App;
use crate::body::texts::NameText;
use crate::body::{Asked, Faults, IdempotencyKey, Sent, json_object};
use crate::caller::{Caller, Configure};
use crate::keyring::letters;
use crate::problem::{Code, Problem, ProblemBody};

json_object! {
    /// A site.
    #[derive(ToSchema)]
    SiteRequest {
        /// How you call it; also the name of the source of what its pages say. Required when the site is made; never changes.
        name: NameText,
        /// The origins whose pages may use it, at most 50. Required.
        #[schema(example = json!(["https://shop.example"]))]
        origins: Vec<String>,
        /// Whether to make a new secret for `user_hash`. The old one ends at once.
        new_user_hash_secret: bool,
        /// Whether what a page says is taken only where `user_hash` vouches for it, refusals included; `false` if absent. It needs a secret.
        requires_user_hash: bool,
    }
}

/// A site.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SiteAnswer {
    /// The public key that stands in the tag's `data-site`.
    #[schema(example = "site_3x5y6z7w801jd6m9k3te5b8r5v")]
    site: String,
    /// How you call it.
    name: String,
    /// The origins whose pages may use it.
    origins: Vec<String>,
    /// Whether it has a secret for `user_hash`.
    user_hash: bool,
    /// Whether what a page says is taken only where `user_hash` vouches for it, refusals included.
    requires_user_hash: bool,
    /// The secret: the key of an HMAC-SHA256 over the `uuid` that your server writes into the page as `user_hash`. Said once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_hash_secret: Option<String>,
    /// When it was deleted; absent while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

const ORIGINS_MAX: usize = 50;

/// A page of sites.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SitesPage {
    /// The sites.
    sites: Vec<SiteAnswer>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Lists the sites, deleted ones included.
#[utoipa::path(
    get, path = "/v1/sites", tag = "Sites", operation_id = "list_sites",
    params(ListQuery),
    responses((status = 200, description = "A page of sites, by key.", body = SitesPage)),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn list(
    caller: Caller<Configure>,
    asked: Asked<ListQuery>,
) -> Result<Json<SitesPage>, Problem> {
    let (sites, next) =
        page(&caller.workspace().sites, asked, |key, site| SiteAnswer::of(key, site, None))?;
    Ok(Json(SitesPage { sites, next }))
}

/// Makes a site.
#[utoipa::path(
    post, path = "/v1/sites", tag = "Sites", operation_id = "create_site",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one site; 1 to 255 visible ASCII characters.")),
    request_body(content = SiteRequest, description = "The site."),
    responses(
        (status = 201, description = "The site and, if asked for, its secret.", body = SiteAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 409, description = "The workspace has as many sites as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    given: Given,
) -> Result<Tagged<SiteAnswer>, Problem> {
    let limit = ("SITES_PER_WORKSPACE_MAX", limits::SITES_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "site");
    let key = format!("site_{}", letters(&making.name_bytes()));
    let key = SourceName::parse(&key).map_err(|_| Problem::new(Code::Internal))?;
    let fresh = new_secret(&app);
    let plan = |known: &Workspace| {
        let (site, secret) = made(given.read()?, &fresh)?;
        match known.sites.get(&key) {
            Some(_) if secret.is_some() => return Err(said_before(&key)),
            Some(made) if *made != site => return Err(reused(&key)),
            Some(_) => return Ok(Plan::Stands(None)),
            None => has_room(known.sites.len(), limit)?,
        }
        Ok(Plan::Changes(Change::Site(key.clone(), site), secret))
    };
    let (workspace, secret) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, &key, secret).map(Tagged::created)
}

/// Reads a site.
#[utoipa::path(
    get, path = "/v1/sites/{site}", tag = "Sites", operation_id = "get_site",
    params(("site" = String, Path, description = "The public key of the site."), IfNoneMatchHeader),
    responses(
        (status = 200, description = "The site.", body = SiteAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 304, description = "It is as you have it."),
        (status = 404, description = "There is no such site.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn get(
    caller: Caller<Configure>,
    InPath(NameText(key)): InPath<NameText>,
    condition: IfNoneMatch,
) -> Result<Tagged<SiteAnswer>, Problem> {
    let answer = answer(caller.workspace(), &key, None);
    answer.map(|answer| answer.unless_known(&condition))
}

/// Changes the origins of a site, or its secret.
#[utoipa::path(
    put, path = "/v1/sites/{site}", tag = "Sites", operation_id = "update_site",
    params(("site" = String, Path, description = "The public key of the site."), IfMatchHeader),
    request_body(content = SiteRequest, description = "The new origins."),
    responses(
        (status = 200, description = "The site and, if asked for, its new secret.", body = SiteAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such site.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: InPath<NameText>,
    Put(edit): Put,
) -> Result<Tagged<SiteAnswer>, Problem> {
    change(&app, &caller, key, &edit).await
}

/// Changes what is named of a site.
///
/// A JSON merge patch (RFC 7396): members that are absent stay, `null` takes a member away.
#[utoipa::path(
    patch, path = "/v1/sites/{site}", tag = "Sites", operation_id = "patch_site",
    params(("site" = String, Path, description = "The public key of the site."), IfMatchHeader),
    request_body(content = SiteRequest, content_type = "application/merge-patch+json", description = "What is to be different."),
    responses(
        (status = 200, description = "The site and, if asked for, its new secret.", body = SiteAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such site.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: InPath<NameText>,
    Patch(edit): Patch,
) -> Result<Tagged<SiteAnswer>, Problem> {
    change(&app, &caller, key, &edit).await
}

/// Deletes a site: its pages are no longer heard. What they said stays.
#[utoipa::path(
    delete, path = "/v1/sites/{site}", tag = "Sites", operation_id = "delete_site",
    params(("site" = String, Path, description = "The public key of the site."), IfMatchHeader),
    responses(
        (status = 200, description = "The deleted site.", body = SiteAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such site.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    InPath(NameText(key)): InPath<NameText>,
    condition: IfMatch,
) -> Result<Tagged<SiteAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let site = find(known, &key)?;
        if site.deleted_at.is_none() {
            condition.check(&tag(known, &key, site))?;
        }
        let deleted_at = Some(site.deleted_at.unwrap_or_else(|| app.now()));
        Ok(Plan::Changes(Change::Site(key.clone(), Site { deleted_at, ..site.clone() }), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, &key, None)
}

/// What answers show besides what a client sets.
const SHOWN: Shown =
    Shown { fixed: &["site", "user_hash", "deleted_at"], told: &[], comes_back: false };

async fn change(
    app: &App,
    caller: &Caller<Configure>,
    InPath(NameText(key)): InPath<NameText>,
    edit: &Edit,
) -> Result<Tagged<SiteAnswer>, Problem> {
    let fresh = new_secret(app);
    let plan = |known: &Workspace| {
        let site = find(known, &key)?;
        let edited = edit.read(&SiteAnswer::of(&key, site, None), &SHOWN)?;
        let (changed, secret) = changed(edited, edit, (&key, site), (known, &fresh))?;
        Ok(Plan::Changes(Change::Site(key.clone(), changed), secret))
    };
    let (workspace, secret) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, &key, secret)
}

/// The site that a request makes, and its secret if it asks for one.
fn made(sent: Sent<SiteRequest>, fresh: &str) -> Result<(Site, Option<String>), Problem> {
    let Sent { request, mut faults } = sent;
    let name = faults.require("/name", request.name, "shop.example");
    let origins = origins(request.origins, &mut faults);
    let secret = request.new_user_hash_secret.unwrap_or(false).then(|| fresh.to_owned());
    let user_hash_secret = secret.as_deref().map(Into::into);
    let requires_user_hash = request.requires_user_hash.unwrap_or(false);
    if requires_user_hash {
        check_secret(user_hash_secret.as_deref(), &mut faults);
    }
    let (NameText(name), origins) = faults.settle(name.zip(origins))?;
    let site = Site { name, origins, user_hash_secret, requires_user_hash, deleted_at: None };
    Ok((site, secret))
}

/// The site as a change makes it, and its new secret if it asks for one.
fn changed(
    Edited { sent, basis }: Edited<SiteRequest>,
    edit: &Edit,
    (key, site): (&SourceName, &Site),
    (known, fresh): (&Workspace, &str),
) -> Result<(Site, Option<String>), Problem> {
    if basis.is_same {
        return Ok((site.clone(), None));
    }
    let Sent { request, mut faults } = sent;
    if request.name.as_ref().is_some_and(|NameText(name)| *name != site.name) {
        let fault = "never changes: it names the source of what was said";
        faults.note("/name", Code::InvalidValue, fault);
    }
    let origins = origins(request.origins, &mut faults);
    let secret = request.new_user_hash_secret.unwrap_or(false).then(|| fresh.to_owned());
    let user_hash_secret = secret.as_deref().map(Into::into).or(site.user_hash_secret.clone());
    let requires_user_hash = request.requires_user_hash.unwrap_or(false);
    if requires_user_hash {
        check_secret(user_hash_secret.as_deref(), &mut faults);
    }
    let origins = faults.settle(origins)?;
    let changed = Site { origins, user_hash_secret, requires_user_hash, ..site.clone() };
    edit.admit(&tag(known, key, site), &basis, changed == *site)?;
    Ok((changed, secret))
}

/// Notes that a site which wants its pages to be vouched for has no secret to do it by.
fn check_secret(secret: Option<&str>, faults: &mut Faults) {
    if secret.is_none() {
        let fault =
            "needs a secret, which your server signs with: say new_user_hash_secret beside it";
        faults.note("/requires_user_hash", Code::InvalidValue, fault);
    }
}

fn new_secret(app: &App) -> String {
    format!("uh_{}", letters(&app.environment().random::<20>()))
}

fn find<'a>(known: &'a Workspace, key: &SourceName) -> Result<&'a Site, Problem> {
    known.sites.get(key).ok_or_else(|| Problem::new(Code::NotFound))
}

fn tag(known: &Workspace, key: &SourceName, site: &Site) -> Tag {
    Tag::of(&known.secret, 0, &[Change::Site(key.clone(), site.clone())])
}

fn answer(
    known: &Workspace,
    key: &SourceName,
    secret: Option<String>,
) -> Result<Tagged<SiteAnswer>, Problem> {
    let site = find(known, key)?;
    Ok(Tagged::new(tag(known, key, site), SiteAnswer::of(key, site, secret)))
}

fn origins(sent: Option<Vec<String>>, faults: &mut Faults) -> Option<Vec<Box<str>>> {
    let sent = faults.require("/origins", sent, "[\"https://shop.example\"]")?;
    if sent.is_empty() || sent.len() > ORIGINS_MAX {
        faults.note(
            "/origins",
            Code::InvalidValue,
            format!("does not have 1 to {ORIGINS_MAX} origins"),
        );
    }
    let parsed = sent.iter().enumerate().filter_map(|(place, text)| {
        let origin = Origin::parse(text).map_err(|fault| {
            let pointer = format!("/origins/{place}");
            faults.note_with_example(pointer, Code::InvalidValue, fault, "https://shop.example");
        });
        origin.ok().map(|origin| origin.as_str().into())
    });
    Some(parsed.collect())
}

impl SiteAnswer {
    fn of(key: &SourceName, site: &Site, secret: Option<String>) -> Self {
        Self {
            site: key.to_string(),
            name: site.name.to_string(),
            origins: site.origins.iter().map(ToString::to_string).collect(),
            user_hash: site.user_hash_secret.is_some(),
            requires_user_hash: site.requires_user_hash,
            user_hash_secret: secret,
            deleted_at: site.deleted_at.map(|at| at.to_string()),
        }
    }
}
