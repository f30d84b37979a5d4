//! `/v1/forms`: web opt-in forms. Each change is a new version, which every event of the form names.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::id::FormId;
use sayso_core::limits;
use sayso_core::workspace::{Change, Form, PublishedForm, Workspace};
use sayso_store::configure::Plan;

use crate::api::making::{Making, reused};
use crate::api::page::{InPath, ListQuery, has_room, page};
use crate::api::policies::{FindingAnswer, offered};
use crate::api::revisions::{
    Edit, Edited, Given, IfMatch, IfMatchHeader, Patch, Put, Shown, Tag, Tagged, revise,
};
use crate::app::App;
use crate::body::texts::FormIdText;
use crate::body::{Asked, IdempotencyKey};
use crate::caller::{Caller, Configure, Read};
use crate::problem::{Code, Problem, ProblemBody};

use answer::{FormAnswer, FormsPage};
use request::FormRequest;

pub(crate) mod answer;
pub(crate) mod code;
pub(crate) mod request;
pub(crate) mod showing;

/// Lists the forms, deleted ones included: events name them.
#[utoipa::path(
    get, path = "/v1/forms", tag = "Forms", operation_id = "list_forms",
    params(ListQuery),
    responses((status = 200, description = "A page of forms, the oldest first.", body = FormsPage)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn list(
    caller: Caller<Read>,
    asked: Asked<ListQuery>,
) -> Result<Json<FormsPage>, Problem> {
    let (forms, next) =
        page(&caller.workspace().forms, asked, |id, form| FormAnswer::of(*id, form))?;
    Ok(Json(FormsPage { forms, next }))
}

/// Reads a form.
#[utoipa::path(
    get, path = "/v1/forms/{id}", tag = "Forms", operation_id = "get_form",
    params(("id" = String, Path, description = "The id of the form.")),
    responses(
        (status = 200, description = "The form.", body = FormAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such form.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    id: InPath<FormIdText>,
) -> Result<Tagged<FormAnswer>, Problem> {
    let InPath(FormIdText(id)) = id;
    answer(&app, caller.workspace(), id)
}

/// Makes a form. People find it at `/f/{id}`.
#[utoipa::path(
    post, path = "/v1/forms", tag = "Forms", operation_id = "create_form",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one form; 1 to 255 visible ASCII characters.")),
    request_body(content = FormRequest, description = "The form."),
    responses(
        (status = 201, description = "The form, in its first version.", body = FormAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 409, description = "The workspace has as many forms as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    given: Given,
) -> Result<Tagged<FormAnswer>, Problem> {
    let limit = ("FORMS_PER_WORKSPACE_MAX", limits::FORMS_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "form");
    let plan = |known: &Workspace| {
        let form = request::read(given.read()?, known, app.public_url())?;
        match making.find(&known.forms, FormId::as_bytes) {
            Some((id, made)) if made.form != form => return Err(reused(&id)),
            Some((id, _)) => return Ok(Plan::Stands(id)),
            None => has_room(known.forms.len(), limit)?,
        }
        let id = FormId::from_bytes(making.id());
        Ok(Plan::Changes(Change::Form(id, form), id))
    };
    let (workspace, id) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&app, &workspace, id).map(Tagged::created)
}

/// Replaces a form by its next version. What was agreed to by earlier ones stays as it was.
///
/// The same form again makes no new version. A deleted form stays deleted, unless `deleted_at` is sent as
/// `null`: then it comes back.
#[utoipa::path(
    put, path = "/v1/forms/{id}", tag = "Forms", operation_id = "replace_form",
    params(("id" = String, Path, description = "The id of the form."), IfMatchHeader),
    request_body(content = FormRequest, description = "The whole form: what is left out is gone."),
    responses(
        (status = 200, description = "The form, in its new version.", body = FormAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such form.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<FormIdText>,
    Put(edit): Put,
) -> Result<Tagged<FormAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Changes what is named of a form: its next version.
///
/// A JSON merge patch (RFC 7396): members that are absent stay, `null` takes a member away, and
/// `"deleted_at": null` brings a deleted form back.
#[utoipa::path(
    patch, path = "/v1/forms/{id}", tag = "Forms", operation_id = "patch_form",
    params(("id" = String, Path, description = "The id of the form."), IfMatchHeader),
    request_body(content = FormRequest, content_type = "application/merge-patch+json", description = "What is to be different."),
    responses(
        (status = 200, description = "The form, in its new version.", body = FormAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such form.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<FormIdText>,
    Patch(edit): Patch,
) -> Result<Tagged<FormAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Deletes a form: its page says that it is closed. What people said by it stays.
#[utoipa::path(
    delete, path = "/v1/forms/{id}", tag = "Forms", operation_id = "delete_form",
    params(("id" = String, Path, description = "The id of the form."), IfMatchHeader),
    responses(
        (status = 200, description = "The deleted form.", body = FormAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such form.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    InPath(FormIdText(id)): InPath<FormIdText>,
    condition: IfMatch,
) -> Result<Tagged<FormAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let it = find(known, id)?;
        if it.form.deleted_at.is_some() {
            return Ok(Plan::Stands(()));
        }
        condition.check(&tag(known, id, it))?;
        let form = Form { deleted_at: Some(app.now()), ..it.form.clone() };
        Ok(Plan::Changes(Change::Form(id, form), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&app, &workspace, id)
}

/// What answers show besides what a client sets.
const SHOWN: Shown = Shown {
    fixed: &["id", "version", "path", "deleted_at"],
    told: &["findings"],
    comes_back: true,
};

async fn change(
    app: &App,
    caller: &Caller<Configure>,
    InPath(FormIdText(id)): InPath<FormIdText>,
    edit: &Edit,
) -> Result<Tagged<FormAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let it = find(known, id)?;
        let Edited { sent, basis } = edit.read(&FormAnswer::of(id, it), &SHOWN)?;
        let form = if basis.is_same {
            it.form.clone()
        } else {
            request::read(sent, known, app.public_url())?
        };
        let comes_back = edit.clears("deleted_at");
        let deleted_at = it.form.deleted_at.filter(|_| !comes_back);
        let form = Form { deleted_at, ..form };
        let is_there = form == it.form;
        edit.admit(&tag(known, id, it), &basis, is_there)?;
        if is_there {
            return Ok(Plan::Stands(()));
        }
        Ok(Plan::Changes(Change::Form(id, form), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(app, &workspace, id)
}

fn find(known: &Workspace, id: FormId) -> Result<&PublishedForm, Problem> {
    let form = known.forms.get(&id).map(AsRef::as_ref);
    form.ok_or_else(|| Problem::new(Code::NotFound))
}

fn tag(known: &Workspace, id: FormId, it: &PublishedForm) -> Tag {
    Tag::of(&known.secret, it.version, &[Change::Form(id, it.form.clone())])
}

fn answer(app: &App, known: &Workspace, id: FormId) -> Result<Tagged<FormAnswer>, Problem> {
    let it = find(known, id)?;
    Ok(Tagged::new(tag(known, id, it), whole(app, known, id, it)))
}

/// A form with what it lacks, unless it is deleted.
fn whole(app: &App, workspace: &Workspace, id: FormId, published: &PublishedForm) -> FormAnswer {
    let form = &published.form;
    let lives = form.deleted_at.is_none();
    let findings = lives.then(|| {
        let mut findings = offered::by_form(form, workspace, app.now());
        if form.origins.is_empty() {
            findings.push(FindingAnswer::origins_missing(&form.channels));
        }
        findings
    });
    FormAnswer::of(id, published).with(findings)
}
