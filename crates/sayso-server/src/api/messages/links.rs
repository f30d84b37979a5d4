//! Whether the links that a message waits for can stand in it.

use sayso_core::channel::Channel;
use sayso_store::message::Payload;

use super::characters_max;
use crate::body::Faults;
use crate::personal_links::{self, texts, waits};
use crate::problem::Code;

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
        let limit = characters_max(*channel);
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
