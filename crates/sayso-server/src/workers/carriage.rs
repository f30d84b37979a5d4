//! How the messages of a sender go, and what can become of one, by whatever road.

use std::sync::Arc;

use sayso_channels::failure::Failure;
use sayso_channels::outbound::{Button, CannotSend, HandOver, Outgoing, Payload as Said};
use sayso_core::id::ConnectionId;
use sayso_core::workspace::Workspace;
use sayso_store::message::{Claimed, Payload};

use crate::account::Account;
use crate::heard::question::{NO_BUTTON, YES_BUTTON};
use crate::outgoing::Refused;

/// How the messages of a sender go.
pub(crate) struct Carriage {
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) connection: ConnectionId,
    pub(crate) account: Account,
    /// Our side, as the provider names it.
    pub(crate) from: Box<str>,
    /// How our side is called.
    pub(crate) name: Box<str>,
    /// Where the provider is to report.
    pub(crate) status_url: Option<String>,
}

/// What became of the hand-over of a message.
pub(super) enum Handed {
    /// The provider said something.
    Answered(HandOver),
    /// Nothing was taken, and no message would be now; with what the provider said, if it spoke.
    NotBegun(Option<Failure>),
    /// Nothing was written, for the guard does not let it there.
    NotAllowed(Refused),
    /// Something may have been written, and no answer came.
    Unanswered,
    /// It can never go as it is: our word for why.
    Unsendable(&'static str),
}

/// Makes what goes to the provider of a message.
pub(super) fn with_outgoing<T>(
    carriage: &Carriage,
    claimed: &Claimed,
    make: impl FnOnce(&Outgoing<'_>) -> Result<T, CannotSend>,
) -> Result<T, CannotSend> {
    let our_id = claimed.id.to_string();
    let filled: Vec<String>;
    let buttons: [Button; 2];
    let payload = match &claimed.payload {
        Payload::Text(text) | Payload::Email { text, .. } => Said::Text(text),
        Payload::Template { name, language, variables } => {
            filled = variables.iter().map(ToString::to_string).collect();
            let language = language.as_deref().unwrap_or_default();
            Said::Template { name, language, variables: &filled }
        }
        Payload::Question { text, yes, no } => {
            let button = |id: &str, title: &str| Button { id: id.into(), title: title.into() };
            buttons = [button(YES_BUTTON, yes), button(NO_BUTTON, no)];
            Said::Question { text, buttons: &buttons }
        }
    };
    make(&Outgoing {
        channel: claimed.route.channel,
        to: &claimed.to,
        from: &carriage.from,
        payload,
        our_id: &our_id,
        status_url: carriage.status_url.as_deref(),
    })
}

/// The word for why no request could be made of a message.
pub(super) const fn word_of(fault: CannotSend) -> &'static str {
    match fault {
        CannotSend::WrongChannel => "wrong_channel",
        CannotSend::WrongAddress => "wrong_address",
        CannotSend::WrongSender { .. } => "wrong_sender",
        CannotSend::Empty { .. } => "empty_part",
        CannotSend::TooLong { .. } => "too_long",
        CannotSend::TooMany { .. } => "too_many_parts",
        CannotSend::WrongStatusUrl => "wrong_status_url",
        CannotSend::NoTemplates => "no_templates",
    }
}
