//! A no, in every spelling that can only be one.
//!
//! Programs write flags as they please, and a refusal is accepted in doubt (rule 5). There is no such list
//! for a yes.

/// The words that can only be a no, without marks between their letters.
const NO: [&str; 52] = [
    "false",
    "no",
    "n",
    "f",
    "off",
    "falsch",
    "nein",
    "faux",
    "non",
    "falso",
    "nao",
    "não",
    "nee",
    "nej",
    "nei",
    "ei",
    "ne",
    "nie",
    "nu",
    "нет",
    "ні",
    "не",
    "όχι",
    "hayır",
    "hayir",
    "لا",
    "いいえ",
    "否",
    "아니요",
    "không",
    "tidak",
    "optout",
    "optedout",
    "optsout",
    "unsubscribe",
    "unsubscribed",
    "notsubscribed",
    "neversubscribed",
    "nooptin",
    "nothanks",
    "denied",
    "deny",
    "declined",
    "refused",
    "rejected",
    "revoked",
    "withdrawn",
    "blocked",
    "dnd",
    "stop",
    "stopped",
    "disagree",
];

/// Whether a text can only be a no.
pub(crate) fn is_no(text: &str) -> bool {
    let word = plain(text);
    NO.contains(&word.as_str()) || word.parse::<f64>() == Ok(0.0)
}

/// A word in small letters, without the marks around and inside it.
pub(crate) fn plain(text: &str) -> String {
    let is_mark = |letter: &char| {
        letter.is_whitespace() || matches!(letter, '_' | '-' | '\'' | '"' | '!' | '\u{feff}')
    };
    text.chars().filter(|letter| !is_mark(letter)).flat_map(char::to_lowercase).collect()
}
