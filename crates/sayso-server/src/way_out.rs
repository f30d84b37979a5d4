//! Whether a message that wants to sell says how to leave, in a way that works.
//!
//! A way out is a link of the person in the words; in an email besides the header by which mail programs
//! leave; and where people can answer, a word that this workspace takes for a refusal when it is all
//! somebody writes, or a phrase of such words. It must stand out as one to be sent: in capitals, where its script has them. So
//! "Reply STOP to leave" names a way out, and "don't stop now" none. A template is taken as it is: its
//! words are at the provider, whose platform approved them and has a marketing stop of its own
//! (unconfirmed). Absent on purpose: any judgment of whether the sentence around the word is a good one.

use sayso_core::limits::{WAY_OUT_PHRASE_WORDS_MAX, WAY_OUT_WORDS_MAX};
use sayso_core::words::channel::{Category, Channel, Message, Permission};
use sayso_core::words::statement::Statement;
use sayso_store::message::Payload;

use crate::personal_links::{has_one_click, waits};
use sayso_plan::understanding::Line;

/// Whether a message needs no way out, or has one that works; `base` is the server's URL.
pub(crate) fn stands(
    payload: &Payload,
    message: &Message,
    base: Option<&str>,
    line: &Line<'_>,
) -> bool {
    let said = match payload {
        // A question offers both answers.
        Payload::Template { .. } | Payload::Question { .. } => return true,
        Payload::Text(text) | Payload::Email { text, .. } => text,
    };
    stands_by_link(payload, message, base)
        || (message.channel.is_answered_in_writing() && names_refusal(said, message, line))
}

/// Whether a message needs no way out, or has one by a link that works.
pub(crate) fn stands_by_link(payload: &Payload, message: &Message, base: Option<&str>) -> bool {
    let needs_none = match message.category {
        Category::Marketing => false,
        Category::Utility | Category::Authentication | Category::Service => true,
    };
    let has_link = match payload {
        Payload::Template { .. } | Payload::Question { .. } => true,
        Payload::Text(text) | Payload::Email { text, .. } => base.is_some() && waits(text),
    };
    needs_none || has_link || (message.channel == Channel::Email && has_one_click(base, message))
}

/// Whether a text names a word that refuses such messages. Ways out stand at the end.
fn names_refusal(text: &str, message: &Message, line: &Line<'_>) -> bool {
    let mut words = words(text);
    words.retain(|word| stands_out(word));
    let last = words.split_at(words.len().saturating_sub(WAY_OUT_WORDS_MAX)).1;
    let phrases = (1..=WAY_OUT_PHRASE_WORDS_MAX).flat_map(|length| last.windows(length));
    phrases.into_iter().any(|phrase| refuses(&phrase.join(" "), message, line))
}

/// Whether a text alone refuses such messages.
fn refuses(text: &str, message: &Message, line: &Line<'_>) -> bool {
    let said = line.statements(&line.understand(text));
    said.iter().any(|(permission, statement)| match permission {
        Permission::Messages(channel, scope) => {
            *statement == Statement::OptOut
                && *channel == message.channel
                && message.scopes().any(|applies| applies == *scope)
        }
        Permission::Processing => false,
    })
}

/// The words of a text. Scripts without spaces end where letters of another begin.
fn words(text: &str) -> Vec<&str> {
    let parts = text.split(|letter: char| letter.is_whitespace() || MARKS.contains(letter));
    let mut words = Vec::new();
    for part in parts {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|letter| is_wide(letter) != is_wide(first)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            words.push(word);
            rest = after;
        }
    }
    words
}

/// What stands around words that are to be sent.
const MARKS: &str = ".,:;!?/=()[]<>*_\"'“”„‘’«»‹›،؛؟।।、。，：；！？「」『』（）【】";

/// Whether a letter is of a script that is written without spaces.
const fn is_wide(letter: char) -> bool {
    matches!(letter, '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn stands_out(word: &str) -> bool {
    word.chars().any(char::is_alphanumeric) && !word.chars().any(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use sayso_core::address::AddressKeySecret;
    use sayso_core::id::WorkspaceId;
    use sayso_core::workspace::{Mode, Workspace};

    use super::*;
    use crate::vocabularies::Vocabularies;

    /// Whether words by SMS have a way out, on a server that knows its URL.
    fn has_way_out(text: &str) -> bool {
        is_left(Channel::Sms, Category::Marketing, text)
    }

    fn is_left(channel: Channel, category: Category, text: &str) -> bool {
        let secret = AddressKeySecret::from_bytes([7; 32]);
        let workspace_id = WorkspaceId::from_bytes([1; 16]);
        let workspace = Workspace::new(workspace_id, "Shop", Mode::Test, secret).into();
        let vocabulary = Vocabularies::default().of(&workspace);
        let (workspace, vocabulary) = (&*workspace, &*vocabulary);
        let line = Line { workspace, vocabulary, channel, sender: None, open: None };
        let message = Message::ordinary(channel, category);
        let base = Some("http://consent.example");
        stands(&Payload::Text(text.into()), &message, base, &line)
    }

    #[test]
    fn a_word_that_refuses_is_a_way_out_where_it_stands_out() {
        for text in [
            "A new book has come. Reply STOP to leave.",
            "Sale! Text \"STOP\" to 12345.",
            "STOP=leave, HELP=help",
            "Sale today (STOP/HELP)",
            "Promo du jour. ARRET au 36111",
            "Yeni ürünler geldi. Çıkmak için RET yazın.",
            "Angebote! Mit STOPP beenden",
            "नई किताब आई है। संदेश नहीं चाहिए तो \"बंद करो\" लिखें।",
            "No more? Reply OPT OUT",
        ] {
            assert!(has_way_out(text), "{text}");
        }
        for text in [
            "",
            "A new book has come.",
            "Don't stop the music!",
            "Stop by today.",
            "NONSTOP SALE",
            "SALE: HELP yourself",
            "Reply YES to get more",
            "Write to us if you want no more",
        ] {
            assert!(!has_way_out(text), "{text}");
        }
    }

    #[test]
    fn a_link_of_the_person_is_a_way_out_on_every_channel() {
        for channel in Channel::ALL {
            for link in ["{unsubscribe_url}", "{preferences_url}"] {
                assert!(is_left(*channel, Category::Marketing, link), "{channel}");
            }
            assert!(!is_left(*channel, Category::Marketing, "{other}"), "{channel}");
        }
    }

    #[test]
    fn a_word_is_a_way_out_only_where_people_are_heard() {
        let answered = Channel::ALL
            .iter()
            .filter(|channel| is_left(**channel, Category::Marketing, "Reply STOP to leave"));
        let answered: Vec<&str> = answered.map(|channel| channel.as_str()).collect();
        assert_eq!(answered, ["whatsapp", "sms", "rcs", "viber", "telegram", "messenger", "line"]);
    }

    #[test]
    fn what_sells_nothing_needs_no_way_out() {
        for category in [Category::Utility, Category::Authentication, Category::Service] {
            assert!(is_left(Channel::Sms, category, "Your order is ready."), "{category}");
        }
    }

    #[test]
    fn a_way_out_is_found_at_the_end_of_the_longest_text() {
        assert!(has_way_out(&format!("{}STOP", "WORD ".repeat(3_000))));
        assert!(!has_way_out(&format!("STOP {}", "WORD ".repeat(WAY_OUT_WORDS_MAX))));
    }
}
