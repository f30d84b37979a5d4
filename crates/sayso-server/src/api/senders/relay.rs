//! What a sender needs whose messages go by a mail relay: the channel email, and an address that mail is
//! from and comes back to.

use sayso_core::address::email::Email;
use sayso_core::id::ConnectionId;
use sayso_core::words::channel::{Channel, Provider};
use sayso_core::workspace::Workspace;

use crate::body::Faults;
use crate::problem::Code;

/// Notes what keeps a sender from sending by its relay, where its connection is one.
pub(super) fn check(
    connection: Option<ConnectionId>,
    (channel, address): (Channel, &str),
    workspace: &Workspace,
    faults: &mut Faults,
) {
    let connection = connection.and_then(|id| workspace.connections.get(&id));
    if connection.is_none_or(|connection| connection.provider != Provider::Smtp) {
        return;
    }
    if channel != Channel::Email {
        let fault = "is a mail relay, which carries the channel email alone";
        faults.note("/connection", Code::InvalidValue, fault);
    } else if let Err(fault) = Email::parse(address) {
        let fault = format!("{fault}; a mail relay sends from an email address");
        faults.note_with_example("/address", Code::InvalidValue, fault, "news@shop.example");
    }
}
