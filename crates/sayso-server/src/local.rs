//! The operator of this machine: whoever may open the socket in the data directory may do what any
//! key may, and what no key may: make workspaces and back the store up.
//!
//! These routes are on no network listener. The socket's permissions are those of the store's
//! directory; a command that owns the store itself uses the same routes without a socket.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use sayso_core::workspace::Mode;
use sayso_store::store::BackupError;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use crate::app::App;
use crate::problem::{Code, FieldError, Problem};

/// The routes that only the operator of this machine has.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/local/workspaces", get(list).post(create))
        .route("/local/backups", post(back_up))
}

const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Test => "test",
    }
}

async fn list(State(app): State<Arc<App>>) -> Json<Value> {
    let all = app.store().workspaces();
    let items: Vec<Value> = all
        .values()
        .map(|one| json!({ "id": one.id.to_string(), "name": &*one.name, "mode": mode_word(one.mode) }))
        .collect();
    Json(json!({ "items": items }))
}

/// A workspace to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWorkspace {
    name: String,
    mode: WorkspaceMode,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WorkspaceMode {
    Live,
    Test,
}

async fn create(
    State(app): State<Arc<App>>,
    Json(new): Json<NewWorkspace>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mode = match new.mode {
        WorkspaceMode::Live => Mode::Live,
        WorkspaceMode::Test => Mode::Test,
    };
    let made = app.store().create_workspace(new.name.trim(), mode).await?;
    let shown =
        json!({ "id": made.id.to_string(), "name": &*made.name, "mode": mode_word(made.mode) });
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Where to put a backup.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBackup {
    directory: PathBuf,
}

async fn back_up(
    State(app): State<Arc<App>>,
    Json(new): Json<NewBackup>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let to = &new.directory;
    // A copy takes as long as the disk does. Where there are other threads, this one is given to
    // it, and they go on with what else waits here.
    let made = if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        block_in_place(|| Handle::current().block_on(app.store().backup(to)))
    } else {
        app.store().backup(to).await
    };
    made.map_err(not_backed_up)?;
    Ok((StatusCode::CREATED, Json(json!({ "directory": to }))))
}

/// The operator of this machine may see its paths, and needs them.
fn not_backed_up(error: BackupError) -> Problem {
    match error {
        BackupError::Exists(_) | BackupError::File { .. } => Problem::of_fields(vec![FieldError {
            pointer: "/directory".to_owned(),
            code: Code::InvalidValue,
            fault: error.to_string(),
            example: None,
        }]),
        BackupError::Copy { .. } => {
            tracing::error!(error = %error, "a backup could not be written");
            Problem::new(Code::StoreUnwritable).detail(error)
        }
        BackupError::ReadBack { ref source, .. } => {
            tracing::error!(error = %error, cause = %source, "a backup could not be read back");
            Problem::new(Code::StoreUnreadable).detail(error)
        }
    }
}
