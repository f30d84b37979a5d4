//! `/v1/sites`: web sites whose pages may use the tag.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::form::Origin;
use sayso_core::limits;
use sayso_core::source::SourceName;
use sayso_store::configuration::{Change, Site};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::making::{Making, reused, said_before};
use crate::api::page::{InPath, ListQuery, has_room, page};
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
        page(&caller.configuration().sites, asked, |key, site| SiteAnswer::of(key, site, None))?;
    Ok(Json(SitesPage { sites, next }))
}

/// Makes a site.
#[utoipa::path(
    post, path = "/v1/sites", tag = "Sites", operation_id = "create_site",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one site; 1 to 255 visible ASCII characters.")),
    request_body(content = SiteRequest, description = "The site."),
    responses(
        (status = 201, description = "The site and, if asked for, its secret.", body = SiteAnswer),
        (status = 409, description = "The workspace has as many sites as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    sent: Sent<SiteRequest>,
) -> Result<(StatusCode, Json<SiteAnswer>), Problem> {
    let Sent { request, mut faults } = sent;
    let name = faults.require("/name", request.name, "shop.example");
    let origins = origins(request.origins, &mut faults);
    let (NameText(name), origins) = faults.settle(name.zip(origins))?;
    let limit = ("SITES_PER_WORKSPACE_MAX", limits::SITES_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "site").await?;
    let known = &making.configuration().sites;
    let key = format!("site_{}", letters(&making.name_bytes()));
    let key = SourceName::parse(&key).map_err(|_| Problem::new(Code::Internal))?;
    let secret = request.new_user_hash_secret.unwrap_or(false).then(|| new_secret(&app));
    let site = Site {
        name,
        origins,
        user_hash_secret: secret.as_deref().map(Into::into),
        deleted_at: None,
    };
    match known.get(&key) {
        Some(_) if secret.is_some() => return Err(said_before(&key)),
        Some(made) if *made != site => return Err(reused(&key)),
        Some(made) => {
            return Ok((StatusCode::CREATED, Json(SiteAnswer::of(&key, made, None))));
        }
        None => has_room(known.len(), limit)?,
    }
    store(&app, &caller, key, site, secret).await.map(|answer| (StatusCode::CREATED, answer))
}

/// Changes the origins of a site, or its secret.
#[utoipa::path(
    put, path = "/v1/sites/{site}", tag = "Sites", operation_id = "update_site",
    params(("site" = String, Path, description = "The public key of the site.")),
    request_body(content = SiteRequest, description = "The new origins."),
    responses(
        (status = 200, description = "The site and, if asked for, its new secret.", body = SiteAnswer),
        (status = 404, description = "There is no such site.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: InPath<NameText>,
    sent: Sent<SiteRequest>,
) -> Result<Json<SiteAnswer>, Problem> {
    let (key, known) = find(&caller, key)?;
    let Sent { request, mut faults } = sent;
    if request.name.as_ref().is_some_and(|NameText(name)| *name != known.name) {
        faults.note(
            "/name",
            Code::InvalidValue,
            "never changes: it names the source of what was said",
        );
    }
    let origins = origins(request.origins, &mut faults);
    let origins = faults.settle(origins)?;
    let secret = request.new_user_hash_secret.unwrap_or(false).then(|| new_secret(&app));
    let user_hash_secret = secret.as_deref().map(Into::into).or(known.user_hash_secret.clone());
    store(&app, &caller, key, Site { origins, user_hash_secret, ..known }, secret).await
}

/// Deletes a site: its pages are no longer heard. What they said stays.
#[utoipa::path(
    delete, path = "/v1/sites/{site}", tag = "Sites", operation_id = "delete_site",
    params(("site" = String, Path, description = "The public key of the site.")),
    responses(
        (status = 200, description = "The deleted site.", body = SiteAnswer),
        (status = 404, description = "There is no such site.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: InPath<NameText>,
) -> Result<Json<SiteAnswer>, Problem> {
    let (key, known) = find(&caller, key)?;
    let deleted_at = Some(known.deleted_at.unwrap_or_else(|| app.now()));
    store(&app, &caller, key, Site { deleted_at, ..known }, None).await
}

fn new_secret(app: &App) -> String {
    format!("uh_{}", letters(&app.environment().random::<20>()))
}

fn find(caller: &Caller<Configure>, key: InPath<NameText>) -> Result<(SourceName, Site), Problem> {
    let InPath(NameText(key)) = key;
    let known = caller.configuration().sites.get(&key).cloned();
    known.map(|site| (key, site)).ok_or_else(|| Problem::new(Code::NotFound))
}

async fn store(
    app: &App,
    caller: &Caller<Configure>,
    key: SourceName,
    site: Site,
    secret: Option<String>,
) -> Result<Json<SiteAnswer>, Problem> {
    let answer = SiteAnswer::of(&key, &site, secret);
    app.store().configure(caller.workspace(), Change::Site(key, site)).await?;
    Ok(Json(answer))
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
            user_hash_secret: secret,
            deleted_at: site.deleted_at.map(|at| at.to_string()),
        }
    }
}
