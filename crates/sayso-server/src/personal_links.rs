//! The links that people leave by, as URLs, and in the words of messages (rule 22).
//!
//! A text holds a placeholder until its message begins to be handed over; then the links of its person
//! stand there. So no text that is stored says whose it is by a link, every link is made with the newest
//! key, and only what goes to the address itself is made as [`Making::Sent`].

use sayso_core::address::AddressKey;
use sayso_core::limits;
use sayso_core::proof::personal_link::{Leaves, LinkPurpose, Making, PersonalLink};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Message};
use sayso_core::words::day::Day;
use sayso_core::workspace::Workspace;
use sayso_store::message::Payload;

/// What stands in a text for the link to unsubscribe with one click.
const UNSUBSCRIBE_URL: &str = "{unsubscribe_url}";
/// What stands in a text for the link to the preference centre.
pub(crate) const PREFERENCES_URL: &str = "{preferences_url}";

const PLACEHOLDERS: [(&str, LinkPurpose); 2] =
    [(UNSUBSCRIBE_URL, LinkPurpose::OneClick), (PREFERENCES_URL, LinkPurpose::Preferences)];

/// The URL of a link; `base` is the server's, without a slash at the end.
pub(crate) fn url(base: &str, workspace: &Workspace, link: &PersonalLink) -> String {
    let place = place_of(link.purpose);
    let token = link.token(workspace.link_key(), &workspace.secret);
    format!("{base}/{place}/{token}")
}

/// Where a mail program leaves for its reader with one click: in every email but those that guard an
/// account, which nobody leaves. None where the server is not called by https.
///
/// *Source*: RFC 8058, section 3.1.
pub(crate) fn one_click_url(
    base: Option<&str>,
    workspace: &Workspace,
    (message, address): (&Message, AddressKey),
    at: Timestamp,
) -> Option<String> {
    let base = base.filter(|base| has_one_click(Some(base), message))?;
    let sent = Making::Sent(Day::of(at));
    let link = link_in(workspace, (message, address), LinkPurpose::OneClick, sent);
    Some(url(base, workspace, &link))
}

/// Whether an email says where a mail program leaves.
pub(crate) fn has_one_click(base: Option<&str>, message: &Message) -> bool {
    let is_left = match message.category {
        Category::Marketing | Category::Utility | Category::Service => true,
        Category::Authentication => false,
    };
    is_left && base.is_some_and(|base| base.starts_with("https://"))
}

const fn place_of(purpose: LinkPurpose) -> &'static str {
    match purpose {
        LinkPurpose::Preferences => "p",
        LinkPurpose::OneClick => "u",
    }
}

/// The link of somebody who gets this message: it leaves the message's topic, or else its category.
pub(crate) fn link_in(
    workspace: &Workspace,
    (message, address): (&Message, AddressKey),
    purpose: LinkPurpose,
    making: Making,
) -> PersonalLink {
    let only = workspace.only_sender(message.channel);
    PersonalLink {
        workspace: workspace.id,
        address,
        channel: message.channel,
        purpose,
        leaves: message.topic.map_or(Leaves::Category(message.category), Leaves::Topic),
        // The one sender of a channel needs no naming: a text message is short.
        sender: message.sender.filter(|sender| only != Some(*sender)),
        making,
    }
}

/// Whether a text waits for a link.
pub(crate) fn waits(text: &str) -> bool {
    PLACEHOLDERS.iter().any(|(placeholder, _)| text.contains(placeholder))
}

/// How many characters a text has at the most once its links stand in it.
pub(crate) fn characters_max(text: &str, base: &str) -> usize {
    // A slash, a letter, and a slash before the token.
    let url = base.chars().count() + 3 + limits::SENT_LINK_TOKEN_BYTES_MAX;
    let grown = PLACEHOLDERS.iter().map(|(placeholder, _)| {
        text.matches(placeholder).count() * url.saturating_sub(placeholder.len())
    });
    text.chars().count() + grown.sum::<usize>()
}

/// What is said, with the links of its person in the place of their placeholders, as they go to the address
/// itself at this time.
pub(crate) fn fill(
    payload: Payload,
    base: &str,
    workspace: &Workspace,
    person: (&Message, AddressKey),
    at: Timestamp,
) -> Payload {
    let sent = Making::Sent(Day::of(at));
    let fill = |text: Box<str>| {
        let filled = PLACEHOLDERS.iter().filter(|(placeholder, _)| text.contains(placeholder));
        filled.fold(text.clone(), |text, (placeholder, purpose)| {
            let link = link_in(workspace, person, *purpose, sent);
            text.replace(placeholder, &url(base, workspace, &link)).into()
        })
    };
    match payload {
        Payload::Text(text) => Payload::Text(fill(text)),
        Payload::Template { name, language, variables } => {
            let variables = variables.into_iter().map(fill).collect();
            Payload::Template { name, language, variables }
        }
        Payload::Email { subject, text } => Payload::Email { subject, text: fill(text) },
        Payload::Question { .. } => payload,
    }
}

/// The texts of a payload that may wait for links.
pub(crate) fn texts(payload: &Payload) -> impl Iterator<Item = &str> {
    let (text, variables): (Option<&str>, &[Box<str>]) = match payload {
        Payload::Text(text) | Payload::Email { text, .. } => (Some(text), &[]),
        Payload::Template { variables, .. } => (None, variables),
        Payload::Question { .. } => (None, &[]),
    };
    text.into_iter().chain(variables.iter().map(AsRef::as_ref))
}
