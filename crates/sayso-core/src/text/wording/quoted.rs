//! What in a text is not the writer's own: quoted lines, the header above them, a signature, links, and
//! what stands in quotation marks.
//!
//! Our own messages say "reply STOP to unsubscribe"; a quotation of one is no wish to stop. Up to
//! [`OWN_QUOTED_WORDS_MAX`] words in quotation marks are the writer's: people copy the marks.

use crate::words::channel::Channel;

/// Words in quotation marks that are the writer's own.
const OWN_QUOTED_WORDS_MAX: usize = 3;

/// Marks that open a quotation and close it.
const MARKS: [(char, char); 6] = [
    ('\u{201c}', '\u{201d}'),
    ('"', '"'),
    ('\u{201e}', '\u{201c}'),
    ('\u{ab}', '\u{bb}'),
    ('\u{300c}', '\u{300d}'),
    ('\u{300e}', '\u{300f}'),
];

/// What mail programs and phones write under a message.
const SENT_FROM: [&str; 24] = [
    "sent from",
    "get outlook",
    "envoyé de mon",
    "envoyé depuis",
    "enviado desde mi",
    "enviado do meu",
    "obtener outlook",
    "gesendet von",
    "von meinem",
    "inviato da",
    "verzonden vanaf",
    "verstuurd vanaf",
    "skickat från",
    "sendt fra",
    "lähetetty",
    "wysłane z",
    "odesláno z",
    "odoslané z",
    "отправлено с",
    "надіслано з",
    "iphoneから送信",
    "나의 iphone에서 보냄",
    "发自我的",
    "從我的 iphone",
];

/// A text in parts: what the writer says, and what is quoted in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    /// What the writer says; the whole text where that would be nothing.
    pub(crate) text: String,
    /// What stands in quotation marks, and the words of links.
    pub(crate) others: Vec<String>,
}

/// The parts of a text.
pub(crate) fn own_words(text: &str, channel: Channel) -> Own {
    let mut own = Own::default();
    let mut has_words = false;
    for line in text.lines() {
        let line_start = line.trim();
        if is_signature(line_start)
            || (channel == Channel::Email && is_header(line_start))
            || (has_words && is_sent_from(line_start))
        {
            break;
        }
        if !line_start.starts_with('>') {
            has_words = has_words || line.chars().any(char::is_alphanumeric);
            own.text.push_str(line);
            own.text.push('\n');
        }
    }
    own.take_links();
    let is_link = !own.others.is_empty();
    own.take_quotations();
    if !is_link && !own.text.chars().any(char::is_alphanumeric) {
        text.clone_into(&mut own.text);
    }
    own
}

impl Own {
    fn take_links(&mut self) {
        if !self.text.contains("://") && !self.text.contains("www.") {
            return;
        }
        let is_link = |word: &&str| word.contains("://") || word.starts_with("www.");
        let links: Vec<String> = self
            .text
            .split_whitespace()
            .filter(is_link)
            .map(|link| link.replace('.', " "))
            .collect();
        let rest: Vec<&str> =
            self.text.split(' ').map(|word| if is_link(&word) { "" } else { word }).collect();
        self.text = rest.join(" ");
        self.others.extend(links);
    }

    fn take_quotations(&mut self) {
        let mut rest = String::with_capacity(self.text.len());
        let mut text = self.text.as_str();
        while let Some((from, (open, close))) = text.char_indices().find_map(|(at, letter)| {
            MARKS.iter().find(|mark| mark.0 == letter).map(|mark| (at, *mark))
        }) {
            let inside = text.get(from + open.len_utf8()..).unwrap_or_default();
            let Some(end) = inside.find(close) else { break };
            let quoted = inside.get(..end).unwrap_or_default();
            let upto = from + open.len_utf8() + end + close.len_utf8();
            if is_own(quoted) {
                rest.push_str(text.get(..upto).unwrap_or_default());
            } else {
                rest.push_str(text.get(..from).unwrap_or_default());
                rest.push(' ');
                self.others.push(quoted.to_owned());
            }
            text = text.get(upto..).unwrap_or_default();
        }
        rest.push_str(text);
        self.text = rest;
    }
}

/// Whether a quotation is so short that it may be the writer's own word.
fn is_own(quoted: &str) -> bool {
    let spaced = quoted.split_whitespace().count();
    let letters = quoted.chars().filter(|letter| *letter >= '\u{e00}').count();
    spaced <= OWN_QUOTED_WORDS_MAX && letters <= 2 * OWN_QUOTED_WORDS_MAX
}

fn is_sent_from(line: &str) -> bool {
    let line = line.to_lowercase();
    SENT_FROM.iter().any(|head| line.starts_with(head))
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
