//! What a message says, and every place where a refusal may stand in it.
//!
//! An edit is the message that it was made into. A kind that nobody told us of is read where it has
//! words, and only for a refusal.

use serde_json::Value;

use super::change::Change;
use crate::inbound::{Place, Written, asides};
use crate::json::Object;
use crate::party::Party;

/// What a message says.
pub(crate) struct Content {
    pub(crate) written: Written,
    pub(crate) asides: Vec<String>,
    pub(crate) place: Place,
    /// The writer, where they shared their own number.
    pub(crate) own: Option<Party>,
    /// The message that it answers, where that stands inside of it.
    pub(crate) reply_to: Option<String>,
}

impl From<Written> for Content {
    fn from(written: Written) -> Self {
        Self { written, asides: Vec::new(), place: Place::Chat, own: None, reply_to: None }
    }
}

/// Reads what a message of a kind says; `None` for what says nothing: a reaction, a message that was
/// taken back, news of the platform. Whether those open the window of 24 hours nobody told us, and in
/// doubt it stays shut.
pub(super) fn read(change: &Change<'_>, kind: &str, message: &Object<'_>) -> Option<Content> {
    let part = message.object(kind);
    let text = |name| part.as_ref().and_then(|part| part.text(name));
    match kind {
        "text" => Some(Written::text(text("body")?).into()),
        "button" => Some(button(text("payload"), text("text"))?.into()),
        "interactive" => interactive(part.as_ref()?),
        "contacts" => Some(contacts(change, message)),
        "order" => Some(Written::other(kind, text("text").or_else(|| text("caption"))).into()),
        "image" | "video" | "document" | "audio" | "voice" | "sticker" | "location" => {
            Some(Written::other(kind, text("caption")).into())
        }
        "unsupported" | "unknown" => Some(unsupported(kind, message).into()),
        "edit" | "ephemeral" | "view_once" => Some(wrapped(change, kind, part.as_ref())),
        "reaction" | "revoke" | "system" | "request_welcome" | "errors" => None,
        _ => unheard_of(kind, message, part.as_ref()),
    }
}

/// A button that was pressed: what we gave it to send back, and the words on it.
fn button(payload: Option<String>, words: Option<String>) -> Option<Written> {
    let payload = payload.filter(|payload| !payload.is_empty()).or_else(|| words.clone())?;
    Some(Written::answer(payload, words.filter(|words| !words.is_empty())))
}

fn interactive(interactive: &Object<'_>) -> Option<Content> {
    let kind = interactive.word("type")?;
    let named = || format!("interactive/{kind}");
    let reply = interactive.object(&kind);
    match (kind.as_str(), reply) {
        ("button_reply" | "list_reply", Some(reply)) => {
            let answer = button(reply.text("id"), reply.text("title"))?;
            Some(Content { asides: asides(reply.text("description")), ..answer.into() })
        }
        ("button_reply" | "list_reply", None) => Some(Written::lost(named()).into()),
        ("nfm_reply", Some(reply)) => {
            let answers = reply.text("response_json").map(|json| answers_of_flow(&json));
            let said = answers.unwrap_or_default().into_iter().chain(reply.text("body"));
            Some(Content { asides: asides(said), ..Written::other(named(), None).into() })
        }
        (_, _) => Some(Written::other(named(), None).into()),
    }
}

/// The texts that a person left in a flow.
pub(crate) fn answers_of_flow(json: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(answers) = serde_json::from_str::<Value>(json) else { return found };
    let mut open = vec![answers];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                let is_said = |name: &str| !matches!(name, "flow_token" | "screen" | "version");
                open.extend(fields.into_iter().filter(|(name, _)| is_said(name)).map(|it| it.1));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found
}

/// Contact cards. The writer's own number stands in the answer to a request for it; any other card may
/// be anybody's.
fn contacts(change: &Change<'_>, message: &Object<'_>) -> Content {
    let is_answer = |card: &Object<'_>| card.text("origin").as_deref() == Some("contact_request");
    let own = || {
        let [card] = message.items("contacts")?[..] else { return None };
        let card = card.object().filter(is_answer)?;
        let phone = card.first("phones")?;
        let number = phone.word("wa_id").or_else(|| phone.word("phone"))?;
        Party::on_whatsapp([number.as_str()], [], change.book)
    };
    let own = own();
    let own_phone = own.as_ref().and_then(Party::phone);
    Content { own, ..Written::Contact { own_phone }.into() }
}

/// What WhatsApp has and its API has not. Some kinds are words or a choice, which are lost; so may be
/// what is named by no kind.
fn unsupported(kind: &str, message: &Object<'_>) -> Written {
    let what = message.object(kind).and_then(|part| part.word("type"));
    let named = what.as_ref().map_or_else(|| kind.to_owned(), |what| format!("{kind}/{what}"));
    match what.as_deref() {
        None | Some("edit" | "button" | "list" | "interactive" | "text" | "unknown") => {
            Written::lost(named)
        }
        Some(_) => Written::other(named, None),
    }
}

/// A message inside of another: what it was edited into, or what would vanish.
fn wrapped(change: &Change<'_>, kind: &str, part: Option<&Object<'_>>) -> Content {
    let lost = || Written::lost(kind).into();
    let Some(inner) = part.and_then(|part| part.object("message")) else { return lost() };
    let known = ["text", "interactive", "button", "image", "video", "document", "order"];
    let named = known.iter().find(|kind| inner.has(kind)).map(|kind| (*kind).to_owned());
    let Some(read) = inner.word("type").or(named).and_then(|kind| read(change, &kind, &inner))
    else {
        return lost();
    };
    let answered = inner.object("context").and_then(|context| context.word("id"));
    Content { reply_to: read.reply_to.clone().or(answered), ..read }
}

/// A kind that we do not know, where it has words.
fn unheard_of(kind: &str, message: &Object<'_>, part: Option<&Object<'_>>) -> Option<Content> {
    let inside = |name| part.and_then(|part| part.text(name));
    let words = ["body", "text", "caption", "title"].into_iter().find_map(inside);
    let words = words.or_else(|| message.text(kind))?;
    Some(Content { place: Place::Aside, ..Written::other(kind, Some(words)).into() })
}
