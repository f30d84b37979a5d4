//! What people carry from an opt-in page into a chat: the code of an entry point's address, and the
//! short reference that stands in the prefilled text.
//!
//! Both are written in Crockford's base 32, which has no letter that looks like a digit, and are read
//! loosely: in any letter case, with O for 0 and I or L for 1. What a reference is good for is kept
//! elsewhere; here it is only read and written.

use std::fmt;
use std::ops::Range;

use crate::id::EntryPointId;
use crate::limits;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const REFERENCE_DIGITS: usize = 8;
const CODE_DIGITS: usize = 10;
/// The last 50 of the random bits of a `UUIDv7`.
const CODE_BITS: u128 = (1 << 50) - 1;

/// The short reference in a prefilled text.
///
/// *Shape:* 40 bits as two groups of four digits: `K7M2-9QX4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference([u8; 5]);

/// A reference that a text seems to carry, and the bytes of the text that are no words of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The reference.
    pub reference: Reference,
    /// Where it stands, with the word `ref` and the brackets around it.
    pub at: Range<usize>,
}

/// The code of an entry point, as in `/e/{code}`: the last 50 bits of its id, so that it is not kept
/// besides.
///
/// *Shape:* ten digits in lower case: `7m29qx4k0c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryCode(u64);

impl Reference {
    /// The reference with these 40 bits.
    pub const fn from_bytes(bytes: [u8; 5]) -> Self {
        Self(bytes)
    }

    /// The 40 bits, big-endian.
    pub const fn as_bytes(&self) -> &[u8; 5] {
        &self.0
    }

    /// A text with this reference at its end, as it is prefilled: `Hello (ref K7M2-9QX4)`.
    pub fn after(&self, text: &str) -> String {
        format!("{text} (ref {self})")
    }

    /// What a text may carry, in the order in which it is to be looked for: at most
    /// [`limits::REFERENCES_PER_TEXT_MAX`], those after the word `ref` first.
    ///
    /// After the word its digits may be parted by spaces and dashes anywhere; without it they are two
    /// groups of four with a dash.
    pub fn carried(text: &str) -> Vec<Carried> {
        let mut found: Vec<Carried> = named(text).collect();
        found.extend(bare(text));
        found.truncate(limits::REFERENCES_PER_TEXT_MAX);
        found
    }
}

impl Carried {
    /// The words of the text without the reference.
    pub fn words(&self, text: &str) -> String {
        let (before, after) = (text.get(..self.at.start), text.get(self.at.end..));
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        format!("{} {}", before.trim_end(), after.trim_start()).trim().to_owned()
    }
}

impl EntryCode {
    /// The code of an entry point.
    pub fn of(id: EntryPointId) -> Self {
        let bits = u128::from_be_bytes(*id.as_bytes()) & CODE_BITS;
        Self(u64::try_from(bits).unwrap_or(0))
    }

    /// Reads a code as people copy it; what cannot be one is none.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> = text.chars().map(digit).collect();
        let digits = digits.filter(|digits| digits.len() == CODE_DIGITS)?;
        Some(Self(number(&digits)))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let text = text_of(number, REFERENCE_DIGITS);
        let text = text.to_ascii_uppercase();
        let (first, second) = text.split_at(REFERENCE_DIGITS / 2);
        write!(f, "{first}-{second}")
    }
}

impl fmt::Display for EntryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text_of(self.0, CODE_DIGITS))
    }
}

/// What stands after the word `ref`.
fn named(text: &str) -> impl Iterator<Item = Carried> {
    let word = text.char_indices().filter(|(at, _)| {
        let rest = text.get(*at..).unwrap_or_default();
        let is_word = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("ref"));
        is_word && !ends_in_letter(text, *at)
    });
    word.filter_map(|(at, _)| {
        let after = at + 3;
        let rest = text.get(after..)?;
        let skipped = rest.find(|letter: char| letter.is_alphanumeric())?;
        // The word may have grown: `reference` is none of ours, `ref.` and `ref:` are.
        let is_parted = skipped > 0 && skipped <= PARTED_BYTES_MAX;
        let (digits, length) = digits_at(rest.get(skipped..)?, Gaps::Anywhere)?;
        is_parted.then(|| Carried {
            reference: reference_of(&digits),
            at: within_brackets(text, at..after + skipped + length),
        })
    })
}

/// What stands by itself.
fn bare(text: &str) -> impl Iterator<Item = Carried> {
    text.char_indices().filter(|(at, _)| !ends_in_letter(text, *at)).filter_map(|(at, _)| {
        let (digits, length) = digits_at(text.get(at..)?, Gaps::OneDash)?;
        let at = within_brackets(text, at..at + length);
        Some(Carried { reference: reference_of(&digits), at })
    })
}

/// The bytes between the word `ref` and the digits: a dot or a colon, and spaces.
const PARTED_BYTES_MAX: usize = 4;

/// Where what parts digits may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gaps {
    Anywhere,
    OneDash,
}

/// Eight digits at the beginning of a text, and how many bytes they take; not if a ninth follows.
fn digits_at(text: &str, gaps: Gaps) -> Option<(Vec<u8>, usize)> {
    let mut digits = Vec::with_capacity(REFERENCE_DIGITS);
    let mut dashes = 0;
    for (at, letter) in text.char_indices() {
        if digits.len() == REFERENCE_DIGITS {
            let fits = !letter.is_alphanumeric() && (gaps == Gaps::Anywhere || dashes == 1);
            return fits.then_some((digits, at));
        }
        match digit(letter) {
            Some(digit) => digits.push(digit),
            None if is_dash(letter) && may_part(gaps, digits.len()) => dashes += 1,
            None if letter.is_whitespace() && may_part(gaps, digits.len()) => {}
            None => return None,
        }
    }
    let is_whole = digits.len() == REFERENCE_DIGITS && (gaps == Gaps::Anywhere || dashes == 1);
    is_whole.then_some((digits, text.len()))
}

const fn may_part(gaps: Gaps, before: usize) -> bool {
    match gaps {
        Gaps::Anywhere => before > 0,
        Gaps::OneDash => before == REFERENCE_DIGITS / 2,
    }
}

const fn is_dash(letter: char) -> bool {
    matches!(letter, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn ends_in_letter(text: &str, at: usize) -> bool {
    text.get(..at).and_then(|before| before.chars().next_back()).is_some_and(char::is_alphanumeric)
}

/// The range with the brackets around it, where both are there.
fn within_brackets(text: &str, at: Range<usize>) -> Range<usize> {
    let before = text.get(..at.start).unwrap_or_default();
    let after = text.get(at.end..).unwrap_or_default();
    for (open, close) in [('(', ')'), ('[', ']')] {
        if before.ends_with(open) && after.trim_start().starts_with(close) {
            let spaces = after.len() - after.trim_start().len();
            return at.start - 1..at.end + spaces + 1;
        }
    }
    at
}

/// A digit as people write it.
fn digit(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|known| char::from(*known) == letter)?;
    u8::try_from(place).ok()
}

fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, digit| number << 5 | u64::from(*digit))
}

fn reference_of(digits: &[u8]) -> Reference {
    let [_, _, _, bytes @ ..] = number(digits).to_be_bytes();
    Reference(bytes)
}

fn text_of(number: u64, digits: usize) -> String {
    let letter = |place: usize| {
        let digit = usize::try_from(number >> (5 * place) & 31).unwrap_or(0);
        char::from(ALPHABET.get(digit).copied().unwrap_or(b'0'))
    };
    (0..digits).rev().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first(text: &str) -> Option<String> {
        Reference::carried(text).first().map(|carried| carried.reference.to_string())
    }

    #[test]
    fn a_reference_is_read_however_it_was_copied() {
        for text in [
            "Hello (ref K7M2-9QX1)",
            "Hello (ref k7m2-9qx1)",
            "ref: k7m29qxi",
            "Hello REF K7M2 9QXL thanks",
            "(ref K7M2\u{2013}9QX1 )",
            "Hi there k7m2-9qx1!",
            "[ref. K 7 M 2 9 Q X 1]",
        ] {
            assert_eq!(first(text).as_deref(), Some("K7M2-9QX1"), "{text}");
        }
        assert_eq!(first("ref OOOO-IILL").as_deref(), Some("0000-1111"));
    }

    #[test]
    fn what_is_no_reference_is_not_taken_for_one() {
        for text in [
            "",
            "call me at noon",
            "messages",
            "my ref is unknown",
            "K7M2 9QX1",
            "K7M2-9QX12",
            "xK7M2-9QX1",
            "K7-M29QX1",
            "reference",
            "K7U2-9QX1",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }

    #[test]
    fn the_words_are_what_is_left_without_the_reference() {
        for (text, words) in [
            ("Hello (ref K7M2-9QX1)", "Hello"),
            ("STOP ref k7m29qx1", "STOP"),
            ("Hi (ref K7M2-9QX1 ) there", "Hi there"),
            ("(ref K7M2-9QX1)", ""),
            ("Hi (K7M2-9QX1", "Hi ("),
        ] {
            assert_eq!(Reference::carried(text).first().unwrap().words(text), words, "{text}");
        }
    }

    #[test]
    fn only_so_many_are_looked_for_and_those_after_the_word_first() {
        let text = "1111-2222 3333-4444 5555-6666 7777-8888 ref 9999-0000";
        let found = Reference::carried(text);
        assert_eq!(found.len(), limits::REFERENCES_PER_TEXT_MAX);
        assert_eq!(first(text).as_deref(), Some("9999-0000"));
    }

    #[test]
    fn a_code_is_the_end_of_the_id_and_is_read_loosely() {
        let id = EntryPointId::parse("ent_01jd6m9k3te5b8r5v10o0o0o0o".replace('o', "0").as_str());
        let code = EntryCode::of(id.unwrap());
        assert_eq!(code.to_string(), "v100000000".chars().collect::<String>());
        assert_eq!(EntryCode::parse("VIOOOOOOOO"), Some(code));
        assert_eq!(EntryCode::parse("v10000000"), None);
        assert_eq!(EntryCode::parse("v10000000u"), None);
    }

    proptest! {
        #[test]
        fn a_prefilled_text_carries_its_reference(bytes: [u8; 5], text in "\\PC{0,40}") {
            let reference = Reference::from_bytes(bytes);
            let sent = reference.after(&text);
            let carried = Reference::carried(&sent);
            prop_assert!(carried.iter().any(|carried| carried.reference == reference), "{}", sent);
        }

        #[test]
        fn no_text_makes_the_search_fail(text in "\\PC{0,80}") {
            for carried in Reference::carried(&text) {
                prop_assert!(carried.words(&text).len() <= text.len());
            }
        }
    }
}
