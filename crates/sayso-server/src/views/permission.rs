//! What a permission is about, in words.

use sayso_core::words::channel::{Permission, Scope};

/// What a permission is about, in the words of answers.
pub(crate) fn about(permission: Permission) -> String {
    match permission {
        Permission::Processing => "processing".to_owned(),
        Permission::Messages(channel, Scope::All) => channel.to_string(),
        Permission::Messages(channel, scope) => format!("{channel} {scope}"),
    }
}
