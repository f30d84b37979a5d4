//! The operator of this machine as a caller: whoever may open the socket in the data directory may do what any
//! key may.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use sayso_core::id::{KeyId, WorkspaceId};
use sayso_core::words::source::{Road, SourceName};
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{ApiKey, KeyScope};

use crate::app::App;
use crate::keyring::Holder;
use crate::problem::{Code, Problem};

/// The header that names the workspace a local command is about, where there is more than one.
pub const LOCAL_WORKSPACE_HEADER: &str = "sayso-workspace";

/// Marks a request that came from the operator of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalOperator;

/// Marks every request of a router as the operator's.
pub(crate) async fn as_operator(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(LocalOperator);
    next.run(request).await
}

/// The operator as the holder of a key that may do everything, in the workspace that the request
/// names, or in the only one there is.
pub(crate) fn holder(app: &App, headers: &HeaderMap) -> Result<Arc<Holder>, Problem> {
    let all = app.store().workspaces();
    let named = headers.get(LOCAL_WORKSPACE_HEADER).and_then(|value| value.to_str().ok());
    let workspace = match named {
        Some(text) => WorkspaceId::parse(text).ok().and_then(|id| all.get(&id)),
        None if all.len() == 1 => all.values().next(),
        None => None,
    };
    let workspace = workspace.ok_or_else(|| {
        let count = all.len();
        let fault = match named {
            _ if count == 0 => {
                "there is no workspace yet: make one with `sayso workspaces create NAME`".to_owned()
            }
            Some(text) => format!(
                "there is no workspace {text:?}: name one by its id, as `sayso workspaces list` shows it"
            ),
            None => format!(
                "there are {count} workspaces: name one with --workspace, by its id, as `sayso workspaces list` shows it"
            ),
        };
        Problem::new(Code::NotFound).detail(fault)
    })?;
    let name = SourceName::parse("operator").map_err(|_| Problem::new(Code::Internal))?;
    let key = ApiKey {
        name,
        sha256: [0; 32],
        scopes: KeyScope::ALL.to_vec(),
        highest: Standing::Act,
        created_at: app.now(),
        revoked_at: None,
    };
    let id = KeyId::from_bytes([0; 16]);
    Ok(Arc::new(Holder { workspace: Arc::clone(workspace), id, key, road: Road::Operator }))
}
