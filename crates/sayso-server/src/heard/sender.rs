//! Which of our senders a provider names.

use sayso_core::id::{ConnectionId, SenderId};
use sayso_core::words::channel::Channel;
use sayso_core::workspace::Workspace;

/// The sender that a provider names: the living one of this connection with that address. Where it names
/// none, or what is no number (an app), it is the only one.
pub(crate) fn sender_named(
    workspace: &Workspace,
    (connection, channel): (ConnectionId, Channel),
    named: Option<&str>,
) -> Option<SenderId> {
    let plain =
        |text: &str| text.trim_start_matches("whatsapp:").trim_start_matches('+').to_owned();
    let living = || {
        workspace.senders.iter().filter(|(_, sender)| {
            let is_ours = sender.channel == channel && sender.connection == Some(connection);
            is_ours && sender.deleted_at.is_none()
        })
    };
    let named = named.map(plain);
    let of_name = named.as_ref().and_then(|named| {
        living().find(|(_, sender)| plain(&sender.address) == *named).map(|(id, _)| *id)
    });
    let is_number = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
    if of_name.is_some() || named.as_ref().is_some_and(is_number) {
        return of_name;
    }
    let mut all = living().map(|(id, _)| *id);
    all.next().filter(|_| all.next().is_none())
}
