//! A no, in every spelling that can only be one.
//!
//! Programs write flags as they please, and a refusal is accepted in doubt (rule 5). There is no such list
//! for a yes. The words are those of lists.

use sayso_core::text::list_word::ListWord;

/// Whether a text can only be a no.
pub(crate) fn is_no(text: &str) -> bool {
    let said =
        |text: &str| matches!(ListWord::parse(text), Some(ListWord::False | ListWord::OptedOut));
    let word = plain(text);
    said(text) || said(&word) || word.parse::<f64>() == Ok(0.0)
}

/// A word in small letters, without the marks around and inside it.
pub(crate) fn plain(text: &str) -> String {
    let is_mark = |letter: &char| {
        letter.is_whitespace() || matches!(letter, '_' | '-' | '\'' | '"' | '!' | '\u{feff}')
    };
    text.chars().filter(|letter| !is_mark(letter)).flat_map(char::to_lowercase).collect()
}
