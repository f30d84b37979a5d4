//! How an opt-in was judged by the policy of its channel, kept as evidence (rule 6).
//!
//! The judgment itself is `Policies::judge`. Whoever captures an opt-in asks it once and keeps what it said
//! with the event, so that no later policy promotes it.

use crate::evidence::{POLICY, fields};
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::doubt::Doubt;
use sayso_core::words::source::Evidence;
use sayso_core::workspace::Workspace;

/// Keeps with the evidence by what policy an opt-in was judged and why it is in doubt.
pub fn keep(judged_by: Option<&str>, doubt: Option<Doubt>, evidence: &mut Evidence) {
    evidence.fields.extend(fields(judged_by.map(|policy| (POLICY, policy))));
    if let Some(doubt) = doubt {
        doubt.keep_in(evidence);
    }
}

/// A message that needs the permission: marketing, unless the scope says otherwise.
pub fn message_for(permission: Permission, workspace: &Workspace) -> Message {
    let (channel, scope) = match permission {
        Permission::Messages(channel, scope) => (channel, scope),
        Permission::Processing => (Channel::Sms, Scope::All),
    };
    let message = Message::ordinary(channel, Category::Marketing);
    match scope {
        Scope::All => message,
        Scope::Sender(sender) => Message { sender: Some(sender), ..message },
        Scope::Category(category) => Message::ordinary(channel, category),
        Scope::Topic(topic) => {
            let category = workspace.topics.get(&topic).map(|topic| topic.category);
            Message {
                topic: Some(topic),
                ..Message::ordinary(channel, category.unwrap_or(Category::Marketing))
            }
        }
    }
}
