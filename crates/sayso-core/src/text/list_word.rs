//! Yes and no as lists have them: flags of spreadsheets and databases, states of the services that
//! people come from, and words of the languages they are written in.
//!
//! A no is taken in every spelling that can only be one, and in doubt (rule 5); a yes in an exact word
//! alone. Whether a bounced address consented is not told by its bouncing.

use std::collections::HashMap;
use std::sync::OnceLock;

use icu_normalizer::DecomposingNormalizerBorrowed;

/// The words, a kind and a word a line.
const WORDS: &str = include_str!("../../data/list-words.tsv");

/// Words in a row that refuse.
const PHRASES: [&str; 22] = [
    "opt out",
    "opted out",
    "do not",
    "dont",
    "don t",
    "not subscribed",
    "no longer",
    "no more",
    "not interested",
    "take off",
    "taken off",
    "no thanks",
    "no thank",
    "withdrew",
    "withdrawn",
    "keine werbung",
    "nicht mehr",
    "plus de",
    "no mas",
    "nao quer",
    "niet meer",
    "non piu",
];

/// Words that refuse among others.
const SIGNS: [&str; 23] = [
    "unsubscribe",
    "unsubscribed",
    "unsub",
    "optout",
    "stop",
    "stopped",
    "refused",
    "revoked",
    "declined",
    "blocked",
    "blacklisted",
    "blocklisted",
    "suppressed",
    "complained",
    "complaint",
    "dnc",
    "dnd",
    "abgemeldet",
    "widerrufen",
    "desabonne",
    "baja",
    "descadastrado",
    "uitgeschreven",
];

/// What there is none of where nobody refuses: "no objection".
const HARMLESS: [&str; 14] = [
    "objection",
    "objections",
    "problem",
    "problems",
    "preference",
    "unsubscribe",
    "complaint",
    "complaints",
    "opt",
    "stop",
    "refusal",
    "answer",
    "data",
    "response",
];

/// What the cell of a flag says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListWord {
    /// True, as an answer: yes, of whatever was asked.
    True,
    /// False, as an answer: no, to whatever was asked.
    False,
    /// That the person agreed, whatever the column is called.
    OptedIn,
    /// That the person refused, whatever the column is called.
    OptedOut,
    /// That the address takes nothing; the person said neither yes nor no.
    Invalid,
    /// Nothing: a state that nobody said.
    Silent,
}

impl ListWord {
    /// Reads the cell of a flag; none if it is no word that is known.
    ///
    /// ```
    /// use sayso_core::text::list_word::ListWord;
    ///
    /// assert_eq!(ListWord::parse("FALSCH"), Some(ListWord::False));
    /// assert_eq!(ListWord::parse("Opted-Out"), Some(ListWord::OptedOut));
    /// assert_eq!(ListWord::parse("perhaps"), None);
    /// ```
    pub fn parse(cell: &str) -> Option<Self> {
        let word = plain(cell);
        if word.is_empty() {
            let is_dash = |letter: char| {
                "-\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}_./\\'\"[]{}()".contains(letter)
            };
            let is_silent = cell.chars().all(|letter| letter.is_whitespace() || is_dash(letter));
            return is_silent.then_some(Self::Silent);
        }
        match number(cell) {
            Some("0") => Some(Self::False),
            Some("1") => Some(Self::True),
            Some(_) => None,
            None => table().get(&word).copied(),
        }
    }

    /// Whether a cell that is no known word can only be a refusal: it says so among other words, and
    /// denies it nowhere ("no thanks", "asked to STOP on 3 May"; not "no objection").
    pub fn refuses_in_doubt(cell: &str) -> bool {
        let text = plain(cell);
        let words: Vec<&str> = text.split(' ').collect();
        let has = |word: &&str| words.contains(word);
        let is_pair = PHRASES.iter().filter(|pair| holds(&words, pair)).count();
        let said = is_pair + SIGNS.iter().filter(|sign| has(sign)).count();
        let begins = words
            .first()
            .is_some_and(|first| ["no", "nein", "non", "nao", "nee", "nej", "нет"].contains(first));
        let denies_it = (begins || has(&"not") || has(&"never") || has(&"without"))
            && words.windows(2).any(|pair| match pair {
                [before, after] => {
                    ["no", "not", "never", "without", "nein"].contains(before)
                        && HARMLESS.contains(after)
                }
                _ => false,
            });
        let is_double = denies_it
            || holds(&words, "not opted out")
            || holds(&words, "not unsubscribed")
            || holds(&words, "not blocked")
            || holds(&words, "never opted out")
            || holds(&words, "never unsubscribed");
        let asks = cell.contains('?');
        !is_double && !asks && (said > 0 || begins)
    }
}

/// What each word says. A word of several kinds is of the first: in doubt it refuses.
fn table() -> &'static HashMap<String, ListWord> {
    static TABLE: OnceLock<HashMap<String, ListWord>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = HashMap::new();
        for line in WORDS.lines().filter(|line| !line.starts_with('#')) {
            let said = match line.split_once('\t') {
                Some(("out", word)) => (word, ListWord::OptedOut),
                Some(("false", word)) => (word, ListWord::False),
                Some(("invalid", word)) => (word, ListWord::Invalid),
                Some(("silent", word)) => (word, ListWord::Silent),
                Some(("in", word)) => (word, ListWord::OptedIn),
                Some(("true", word)) => (word, ListWord::True),
                Some(_) | None => continue,
            };
            table.entry(plain(said.0)).or_insert(said.1);
        }
        table
    })
}

/// Whether the words hold these words in a row.
fn holds(words: &[&str], wanted: &str) -> bool {
    let wanted: Vec<&str> = wanted.split(' ').collect();
    words.windows(wanted.len()).any(|window| window == wanted)
}

/// A cell that is a number, without the zeros that say nothing: `0.0` and `0,00` are `0`, `01` is `1`.
fn number(cell: &str) -> Option<&str> {
    let cell = cell.trim().trim_matches(['"', '\'', '=']);
    let (whole, decimals) = cell.split_once(['.', ',']).unwrap_or((cell, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(decimals) {
        return None;
    }
    if decimals.bytes().any(|digit| digit != b'0') {
        return Some(cell);
    }
    let short = whole.trim_start_matches('0');
    Some(if short.is_empty() { "0" } else { short })
}

/// A cell as words are compared: small letters without marks, one space between words, nothing around
/// them.
pub fn plain(cell: &str) -> String {
    let mut plain = String::with_capacity(cell.len());
    if cell.is_ascii() {
        cell.chars().for_each(|letter| add_plain(&mut plain, letter.to_ascii_lowercase()));
    } else {
        let normalizer = DecomposingNormalizerBorrowed::new_nfd();
        let lower = cell.to_lowercase();
        normalizer.normalize_iter(lower.chars()).for_each(|letter| add_plain(&mut plain, letter));
    }
    plain.truncate(plain.trim_end().len());
    plain
}

fn add_plain(plain: &mut String, letter: char) {
    // A dotless i and a barred l carry no mark that could be taken off.
    let letter = match letter {
        'ı' => 'i',
        'ł' => 'l',
        'ø' => 'o',
        other => other,
    };
    if letter.is_alphanumeric() || is_joined(letter) {
        plain.push(letter);
    } else if !is_mark(letter) && !plain.is_empty() && !plain.ends_with(' ') {
        plain.push(' ');
    }
}

/// The marks of Latin, Greek, Cyrillic, Hebrew and Arabic letters.
const fn is_mark(letter: char) -> bool {
    matches!(
        letter,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}'
    )
}

/// Signs that belong to a word without being letters: vowels and joiners of Indic and Thai scripts, voicing
/// of kana, and the signs of prohibition that people put into flags.
const fn is_joined(letter: char) -> bool {
    matches!(
        letter,
        '\u{900}'..='\u{dff}' | '\u{e31}'..='\u{e4e}' | '\u{3099}' | '\u{309a}' | '🚫' | '⛔' | '👎' | '❌'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_words_is_read() {
        for line in WORDS.lines().filter(|line| !line.starts_with('#')) {
            let (kind, word) = line.split_once('\t').unwrap();
            assert!(["out", "false", "invalid", "silent", "in", "true"].contains(&kind), "{line}");
            assert!(ListWord::parse(word).is_some(), "{line}");
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn a_no_is_read_in_the_languages_of_the_words() {
        for cell in [
            "false",
            "FALSE",
            "no",
            "No",
            "n",
            "0",
            "0.0",
            "0,0",
            "0.00",
            "off",
            "nein",
            "non",
            "não",
            "NAO",
            "nee",
            "nej",
            "FALSCH",
            "FAUX",
            "FALSO",
            "FAŁSZ",
            "ЛОЖЬ",
            "нет",
            "hayır",
            "HAYIR",
            "いいえ",
            "否",
            "아니요",
            "لا",
            "לא",
            "नहीं",
            "ei",
            "nem",
            "\"no\"",
            " no. ",
            "ONWAAR",
            "Epätosi",
            "YANLIŞ",
            "όχι",
            "tidak",
            "không",
            "'0",
        ] {
            assert_eq!(ListWord::parse(cell), Some(ListWord::False), "{cell}");
        }
        for cell in [
            "unsubscribed",
            "Unsubscribe",
            "UNSUBSCRIBED",
            "NEVER_SUBSCRIBED",
            "not subscribed",
            "blocked",
            "Blocked",
            "DND",
            "opted out",
            "Opted-Out",
            "OPT_OUT",
            "opt-out",
            "cleaned",
            "do not contact",
            "Don't contact",
            "stop",
            "STOP",
            "complained",
            "[\"UNSUBSCRIBED\"]",
            "Abgemeldet",
            "désabonné",
            "dado de baja",
            "Отписан",
            "退订",
            "수신거부",
            "הסר",
            "Uitgeschreven",
            "TU CHOI",
            "AVSLUTA",
        ] {
            assert_eq!(ListWord::parse(cell), Some(ListWord::OptedOut), "{cell}");
        }
    }

    #[test]
    fn a_yes_is_an_exact_word() {
        for cell in [
            "true", "TRUE", "yes", "y", "1", "1.0", "ja", "oui", "sí", "sim", "WAHR", "VRAI", "да",
            "はい", "on",
        ] {
            assert_eq!(ListWord::parse(cell), Some(ListWord::True), "{cell}");
        }
        for cell in ["subscribed", "SUBSCRIBED", "opted_in", "opt-in", "confirmed"] {
            assert_eq!(ListWord::parse(cell), Some(ListWord::OptedIn), "{cell}");
        }
        for cell in ["maybe", "yes but", "2", "-1", "x", "yes/no", "subscribe?? ask", "active"] {
            assert_eq!(ListWord::parse(cell), None, "{cell}");
            assert!(!ListWord::refuses_in_doubt(cell), "{cell}");
        }
    }

    #[test]
    fn what_nobody_said_says_nothing() {
        for cell in
            ["", "-", "n/a", "N/A", "null", "NULL", "pending", "never", "unknown", "NaN", "—"]
        {
            assert_eq!(ListWord::parse(cell), Some(ListWord::Silent), "{cell}");
        }
        for cell in ["bounced", "hard_bounce", "Invalid"] {
            assert_eq!(ListWord::parse(cell), Some(ListWord::Invalid), "{cell}");
        }
    }

    #[test]
    fn a_refusal_among_other_words_is_taken_in_doubt() {
        for cell in [
            "no thanks",
            "asked to STOP on 3 May",
            "please unsubscribe me",
            "opted out 12/2024",
            "Nein danke",
            "do not text him",
            "No - moved away",
            "not interested",
            "blocked by admin",
        ] {
            assert_eq!(ListWord::parse(cell), None, "{cell}");
            assert!(ListWord::refuses_in_doubt(cell), "{cell}");
        }
        for cell in [
            "no objection",
            "not opted out",
            "no problem",
            "stop?",
            "never unsubscribed",
            "no unsubscribe yet",
            "call later",
        ] {
            assert!(!ListWord::refuses_in_doubt(cell), "{cell}");
        }
    }
}
