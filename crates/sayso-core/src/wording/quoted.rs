//! What in a text is not the writer's own: quoted lines, the header above them, a signature, and the
//! reactions that phones send as text.
//!
//! Our own messages say "reply STOP to unsubscribe"; a quote of one is no wish to stop.

use std::borrow::Cow;

use crate::channel::Channel;

/// How phones begin the text that stands for a reaction to a message.
const REACTIONS: [&str; 7] =
    ["liked", "loved", "disliked", "laughed at", "emphasized", "emphasised", "questioned"];

/// The part of a text that the person wrote; the whole text where that would leave nothing.
pub(crate) fn own_words(text: &str, channel: Channel) -> Cow<'_, str> {
    if is_reaction(text) {
        return Cow::Borrowed("");
    }
    let mut own = String::new();
    for line in text.lines() {
        let line_start = line.trim();
        if is_signature(line_start) || (channel == Channel::Email && is_header(line_start)) {
            break;
        }
        if !line_start.starts_with('>') {
            own.push_str(line);
            own.push('\n');
        }
    }
    if own.chars().any(char::is_alphanumeric) { Cow::Owned(own) } else { Cow::Borrowed(text) }
}

/// `Liked “…”`: the whole text is a verb and a quote.
fn is_reaction(text: &str) -> bool {
    let text = text.trim();
    let quote = REACTIONS.iter().find_map(|verb| {
        let (head, rest) = text.split_at_checked(verb.len())?;
        head.eq_ignore_ascii_case(verb).then(|| rest.trim_start())
    });
    quote.is_some_and(|quote| {
        quote.starts_with(['\u{201c}', '"', '\u{ab}'])
            && quote.ends_with(['\u{201d}', '"', '\u{bb}'])
    })
}

/// *Source*: RFC 3676, section 4.3; mail programs drop its space.
fn is_signature(line: &str) -> bool {
    matches!(line, "--" | "\u{2014}" | "__")
}

/// The line that mail programs put above what is quoted, and the rule of one of them.
fn is_header(line: &str) -> bool {
    let ends = [
        "wrote:",
        "écrit :",
        "a écrit:",
        "schrieb:",
        "escribió:",
        "escreveu:",
        "ha scritto:",
        "yazdı:",
    ];
    ends.iter().any(|end| line.ends_with(end))
        || line.starts_with("-----Original Message")
        || line.starts_with("________")
}
