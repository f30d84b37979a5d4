//! Where things of ours are found: the paths of pages and hooks that answers, pages and providers are given.

use sayso_channels::credentials::HOOK_TOKEN_PARAMETER;
use sayso_core::id::{ConnectionId, FormId};
use sayso_core::proof::reference::EntryCode;
use sayso_core::words::form::Trigger;
use sayso_core::workspace::Connection;

use crate::account::HOOK_TOKEN;

/// The path of an entry point's page.
pub(crate) fn entry_page(code: EntryCode) -> String {
    format!("/e/{code}")
}

/// Where a provider calls, with the token where it signs nothing. It is a secret then.
pub(crate) fn hook(id: ConnectionId, connection: &Connection) -> String {
    match connection.credentials.get(HOOK_TOKEN) {
        Some(token) => format!("/hooks/{id}?{HOOK_TOKEN_PARAMETER}={token}"),
        None => format!("/hooks/{id}"),
    }
}

/// What a script that shows a form is told, as a query.
pub(crate) fn form_query(
    id: FormId,
    shape: &str,
    trigger: Option<&Trigger>,
    language: Option<&str>,
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("form", &id.to_string()).append_pair("as", shape);
    if let Some(trigger) = trigger {
        query.append_pair("trigger", &trigger.to_string());
    }
    if let Some(language) = language {
        query.append_pair("lang", language);
    }
    query.finish()
}
