//! What WhatsApp itself bounds, whoever carries the message.

use crate::json::Object;
use crate::outbound::{Button, CannotSend, Recipient, check_count, check_text};

/// The longest free-form text, in characters.
///
/// *Source*: Meta, text messages.
pub(crate) const TEXT_CHARS_MAX: usize = 4_096;

/// The longest text above buttons, in characters.
///
/// *Source*: Meta, interactive reply buttons.
pub(crate) const QUESTION_CHARS_MAX: usize = 1_024;

/// Buttons under one message.
///
/// *Source*: Meta, interactive reply buttons.
pub(crate) const BUTTONS_MAX: usize = 3;

/// The longest words on a button, in characters.
///
/// *Source*: Meta, interactive reply buttons.
pub(crate) const BUTTON_TITLE_CHARS_MAX: usize = 20;

/// The longest payload of a button, in characters.
///
/// *Source*: Meta, interactive reply buttons.
pub(crate) const BUTTON_ID_CHARS_MAX: usize = 256;

/// Refuses a question that WhatsApp would refuse.
pub(crate) fn check_question(text: &str, buttons: &[Button]) -> Result<(), CannotSend> {
    check_text("the question", text, QUESTION_CHARS_MAX)?;
    if buttons.is_empty() {
        return Err(CannotSend::Empty { part: "the list of buttons" });
    }
    check_count("buttons", buttons.len(), BUTTONS_MAX)?;
    buttons.iter().try_for_each(|button| {
        check_text("a button's title", &button.title, BUTTON_TITLE_CHARS_MAX)?;
        check_text("a button's id", &button.id, BUTTON_ID_CHARS_MAX)
    })
}

/// Whom WhatsApp says a message goes to: `contacts: [{input, wa_id, user_id}]`, of one contact.
pub(crate) fn recipient(body: &Object<'_>) -> Option<Recipient> {
    let [contact] = body.items("contacts")?[..] else { return None };
    let contact = contact.object()?;
    let names = ["wa_id", "user_id", "parent_user_id"].map(|name| contact.word(name));
    Recipient::of(contact.word("input"), names)
}
