//! `/v1/forms`: web opt-in forms. Each change is a new version, which every event of the form names.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_core::id::FormId;
use sayso_core::limits;
use sayso_store::configuration::{Change, Configuration, Form, PublishedForm};

use crate::api::making::{Making, reused};
use crate::api::page::{InPath, ListQuery, has_room, page};
use crate::api::policies::offered;
use crate::app::App;
use crate::body::texts::FormIdText;
use crate::body::{Asked, IdempotencyKey, Sent};
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
        page(&caller.configuration().forms, asked, |id, form| FormAnswer::of(*id, form))?;
    Ok(Json(FormsPage { forms, next }))
}

/// Reads a form.
#[utoipa::path(
    get, path = "/v1/forms/{id}", tag = "Forms", operation_id = "get_form",
    params(("id" = String, Path, description = "The id of the form.")),
    responses(
        (status = 200, description = "The form.", body = FormAnswer),
        (status = 404, description = "There is no such form.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    id: InPath<FormIdText>,
) -> Result<Json<FormAnswer>, Problem> {
    let InPath(FormIdText(id)) = id;
    let known =
        caller.configuration().forms.get(&id).ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(Json(whole(&app, caller.configuration(), id, known)))
}

/// Makes a form. People find it at `/f/{id}`.
#[utoipa::path(
    post, path = "/v1/forms", tag = "Forms", operation_id = "create_form",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one form; 1 to 255 visible ASCII characters.")),
    request_body(content = FormRequest, description = "The form."),
    responses(
        (status = 201, description = "The form, in its first version.", body = FormAnswer),
        (status = 409, description = "The workspace has as many forms as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    sent: Sent<FormRequest>,
) -> Result<(StatusCode, Json<FormAnswer>), Problem> {
    let form = request::read(sent, caller.configuration(), app.public_url())?;
    let limit = ("FORMS_PER_WORKSPACE_MAX", limits::FORMS_PER_WORKSPACE_MAX);
    let making = Making::begin(&app, &caller, key, "form").await?;
    let known = &making.configuration().forms;
    match making.find(known, FormId::as_bytes) {
        Some((id, made)) if made.form != form => return Err(reused(&id)),
        Some((id, made)) => {
            let answer = whole(&app, making.configuration(), id, made);
            return Ok((StatusCode::CREATED, Json(answer)));
        }
        None => has_room(known.len(), limit)?,
    }
    let id = FormId::from_bytes(making.id());
    store(&app, &caller, id, form).await.map(|answer| (StatusCode::CREATED, answer))
}

/// Replaces a form by its next version. What was agreed to by earlier ones stays as it was.
///
/// The same form again makes no new version. A deleted form comes back.
#[utoipa::path(
    put, path = "/v1/forms/{id}", tag = "Forms", operation_id = "replace_form",
    params(("id" = String, Path, description = "The id of the form.")),
    request_body(content = FormRequest, description = "The whole form: what is left out is gone."),
    responses(
        (status = 200, description = "The form, in its new version.", body = FormAnswer),
        (status = 404, description = "There is no such form.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<FormIdText>,
    sent: Sent<FormRequest>,
) -> Result<Json<FormAnswer>, Problem> {
    let (id, known) = find(&caller, id)?;
    let form = request::read(sent, caller.configuration(), app.public_url())?;
    if known.form == form {
        return Ok(Json(whole(&app, caller.configuration(), id, &known)));
    }
    store(&app, &caller, id, form).await
}

/// Deletes a form: its page says that it is closed. What people said by it stays.
#[utoipa::path(
    delete, path = "/v1/forms/{id}", tag = "Forms", operation_id = "delete_form",
    params(("id" = String, Path, description = "The id of the form.")),
    responses(
        (status = 200, description = "The deleted form.", body = FormAnswer),
        (status = 404, description = "There is no such form.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<FormIdText>,
) -> Result<Json<FormAnswer>, Problem> {
    let (id, known) = find(&caller, id)?;
    if known.form.deleted_at.is_some() {
        return Ok(Json(FormAnswer::of(id, &known)));
    }
    let form = Form { deleted_at: Some(app.now()), ..known.form.clone() };
    store(&app, &caller, id, form).await
}

fn find(
    caller: &Caller<Configure>,
    InPath(FormIdText(id)): InPath<FormIdText>,
) -> Result<(FormId, Arc<PublishedForm>), Problem> {
    let known = caller.configuration().forms.get(&id);
    known.map(|form| (id, Arc::clone(form))).ok_or_else(|| Problem::new(Code::NotFound))
}

async fn store(
    app: &App,
    caller: &Caller<Configure>,
    id: FormId,
    form: Form,
) -> Result<Json<FormAnswer>, Problem> {
    let change = Change::Form(id, form);
    let configuration = app.store().configure(caller.workspace(), change).await?;
    let kept = configuration.forms.get(&id).ok_or_else(|| Problem::new(Code::Internal))?;
    Ok(Json(whole(app, &configuration, id, kept)))
}

/// A form with what it lacks, unless it is deleted.
fn whole(
    app: &App,
    configuration: &Configuration,
    id: FormId,
    published: &PublishedForm,
) -> FormAnswer {
    let form = &published.form;
    let lives = form.deleted_at.is_none();
    let findings = lives.then(|| offered::by_form(form, configuration, app.now()));
    FormAnswer::of(id, published).with(findings)
}
