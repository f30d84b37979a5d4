//! Whether the links that a message waits for can stand in it, and whether it says how to leave.

use std::sync::Arc;

use sayso_core::words::channel::{Channel, Message};
use sayso_core::workspace::Workspace;
use sayso_store::message::Payload;

use crate::app::App;
use crate::body::Faults;
use crate::personal_links::{self, texts, waits};
use crate::problem::Code;
use crate::way_out;
use sayso_plan::understanding::Line;

/// Notes that a message has no way out that works, on one of the routes that it needs one for. Said once
/// nothing else is wrong with it.
pub(super) fn check_way_out<'a>(
    app: &App,
    workspace: &Arc<Workspace>,
    payload: &Payload,
    mut routes: impl Iterator<Item = &'a Message>,
    faults: &mut Faults,
) {
    if !faults.is_empty() {
        return;
    }
    let vocabulary = app.vocabularies().of(workspace);
    let has_none = |message: &&Message| {
        let (channel, sender, vocabulary) = (message.channel, message.sender, &vocabulary);
        let line = Line { workspace, vocabulary, channel, sender, open: None };
        !way_out::stands(payload, message, app.public_url(), &line)
    };
    let Some(message) = routes.find(has_none) else { return };
    let (fault, example) = match message.channel {
        Channel::Email => (
            "has no way out, which marketing needs: set server.public_url to an https URL",
            "Leave: {unsubscribe_url}",
        ),
        Channel::Voice | Channel::Push => (
            "names no way out, which marketing needs; if it is none, name its category",
            "Sale today. Leave: {unsubscribe_url}",
        ),
        Channel::WhatsApp
        | Channel::Sms
        | Channel::Rcs
        | Channel::Viber
        | Channel::Telegram
        | Channel::Messenger
        | Channel::Line => (
            "names no way out, which marketing needs; if it is none, name its category",
            super::WORDS,
        ),
    };
    faults.note_with_example("/text", Code::WayOutRequired, fault, example);
}

/// Notes what is wrong with the links of a message; `base` is the server's URL, if it is known.
pub(super) fn check_links(
    payload: &Payload,
    base: Option<&str>,
    channels: &[Channel],
    faults: &mut Faults,
) {
    if !texts(payload).any(waits) {
        return;
    }
    let (place, text) = match payload {
        Payload::Text(text) | Payload::Email { text, .. } => ("/text", Some(text)),
        Payload::Template { .. } | Payload::Question { .. } => ("/template/variables", None),
    };
    let Some(base) = base else {
        let fault = "holds a link, and the server does not know its own URL: set server.public_url";
        faults.note(place, Code::InvalidValue, fault);
        return;
    };
    for channel in channels {
        let limit = channel.characters_max();
        let grows_too_long = |text: &str| {
            text.chars().count() <= limit && personal_links::characters_max(text, base) > limit
        };
        if text.is_some_and(|text| grows_too_long(text)) {
            let fault = format!(
                "is longer than the {limit} characters of {channel} once its links stand in it"
            );
            faults.note(place, Code::TextTooLong, fault);
        }
    }
}
