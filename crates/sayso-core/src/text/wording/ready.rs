//! The data of all words, which is folded once, when the first text needs it.
//!
//! That takes some tenths of a second. A server does it before it lets anybody in, so that nobody's check
//! waits for somebody's first message.

use std::sync::LazyLock;

use super::lexicon::LEXICON;
use super::speech::SPEECH;
use super::{Codes, Conversation, Names, Offered, Question, read};
use crate::words::channel::Channel;

/// Makes the words of every language ready.
pub fn make_ready() {
    LazyLock::force(&LEXICON);
    LazyLock::force(&SPEECH);
    let (names, codes) = (Names::default(), Codes::default());
    let offered = Offered::of(["Reply STOP to leave"]);
    let channel = Channel::Sms;
    let conversation = Conversation {
        channel,
        names: &names,
        codes: &codes,
        question: Question::None,
        offered: &offered,
    };
    // A reaction, a misspelling, a sentence: each looks at other data.
    for text in ["Liked \u{201c}Sale\u{201d}", "stpo", "please take me off your list"] {
        let _reading = read(text, &conversation);
    }
}

/// Whether the words of every language are ready.
pub fn is_ready() -> bool {
    LazyLock::get(&LEXICON).is_some() && LazyLock::get(&SPEECH).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_ready_once_they_were_made_so() {
        make_ready();
        assert!(is_ready());
    }
}
