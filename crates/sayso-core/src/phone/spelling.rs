//! From a text to its digits: schemes, separators, scripts, and what is refused by its shape.

use super::{PHONE_TEXT_BYTES_MAX, PhoneFault};

/// The digits of a text, and how it began.
pub(super) struct Spelling {
    start: Start,
    leading_zeros: usize,
    /// The digits after the leading zeros, at most 19.
    rest: u64,
}

enum Start {
    Plus,
    Digit,
}

const SCHEMES: [&str; 2] = ["whatsapp:", "tel:"];

const PLUSES: [char; 2] = ['+', '\u{ff0b}'];

/// Words and signs before an extension; without their punctuation, in lower case.
const EXTENSION_LABELS: [&str; 11] = [
    "x",
    "ext",
    "extn",
    "extension",
    "extensi\u{f3}n",
    "anexo",
    "int",
    "isub",
    "\u{434}\u{43e}\u{431}",
    "\u{ff58}",
    "\u{ff45}\u{ff58}\u{ff54}",
];

/// Signs that alone begin an extension.
const EXTENSION_SIGNS: [char; 4] = [',', ';', '#', '\u{ff03}'];

/// Reads the digits of a text.
pub(super) fn read(text: &str) -> Result<Spelling, PhoneFault> {
    if text.len() > PHONE_TEXT_BYTES_MAX {
        return Err(PhoneFault::TextTooLong);
    }
    let text = without_scheme(text.trim_matches(is_separator));
    if text.is_empty() {
        return Err(PhoneFault::Empty);
    }
    let after_plus = text.trim_start_matches(PLUSES);
    let mut spelling = Spelling {
        start: if after_plus.len() < text.len() { Start::Plus } else { Start::Digit },
        leading_zeros: 0,
        rest: 0,
    };
    for (at, character) in after_plus.char_indices() {
        match digit(character) {
            Some(digit) => spelling.push(digit)?,
            None if is_separator(character) => {}
            None => {
                let (before, rest) = after_plus.split_at(at);
                return Err(refuse(before, rest));
            }
        }
    }
    if spelling.is_empty() {
        return Err(PhoneFault::NoDigits);
    }
    Ok(spelling)
}

impl Spelling {
    /// The digits as an international number, `00` before it left out.
    pub(super) fn international(&self) -> Result<u64, PhoneFault> {
        match (&self.start, self.leading_zeros) {
            (_, 0 | 2) => Ok(self.rest),
            (Start::Digit, 1) => Err(PhoneFault::NeedsRegion),
            (Start::Plus | Start::Digit, _) => Err(PhoneFault::UnknownCallingCode),
        }
    }

    /// The digits as dialled within a country, unless a plus says otherwise.
    pub(super) fn national(&self) -> Option<String> {
        match self.start {
            Start::Plus => None,
            Start::Digit => Some(format!("{}{}", "0".repeat(self.leading_zeros), self.rest)),
        }
    }

    fn push(&mut self, digit: u64) -> Result<(), PhoneFault> {
        if self.rest == 0 && digit == 0 {
            self.leading_zeros += 1;
            return Ok(());
        }
        self.rest = self
            .rest
            .checked_mul(10)
            .and_then(|rest| rest.checked_add(digit))
            .ok_or(PhoneFault::TooLong)?;
        Ok(())
    }

    const fn is_empty(&self) -> bool {
        self.leading_zeros == 0 && self.rest == 0
    }
}

fn without_scheme(text: &str) -> &str {
    SCHEMES
        .iter()
        .find_map(|scheme| {
            let (head, rest) = text.split_at_checked(scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then(|| rest.trim_start_matches(is_separator))
        })
        .unwrap_or(text)
}

/// The value of a decimal digit of any script. A script's ten digits follow one another (Unicode
/// stability policy), so their zeros tell them all.
pub(super) fn digit(character: char) -> Option<u64> {
    if character.is_ascii() {
        return character.to_digit(10).map(u64::from);
    }
    let zeros_up_to = ZEROS.partition_point(|zero| *zero <= character);
    let zero = *ZEROS.get(zeros_up_to.checked_sub(1)?)?;
    let value = u32::from(character) - u32::from(zero);
    (value < 10).then_some(value.into())
}

/// White space, dashes, dots, slashes, parentheses, and the marks of direction that programs put
/// around numbers.
fn is_separator(character: char) -> bool {
    matches!(
        character,
        '-' | '.' | '/' | '(' | ')' | '~' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2010}'..='\u{2015}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{2212}' | '\u{30fc}'
            | '\u{feff}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0d}'..='\u{ff0f}'
    ) || character.is_whitespace()
}

/// Why `rest`, which begins with neither digit nor separator, makes the text no number.
fn refuse(before: &str, rest: &str) -> PhoneFault {
    let number = rest.find(|character| digit(character).is_some());
    let label: String = rest
        .get(..number.unwrap_or(rest.len()))
        .unwrap_or_default()
        .chars()
        .filter(|character| character.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    let is_label = EXTENSION_LABELS.contains(&label.as_str())
        || label.is_empty() && rest.starts_with(EXTENSION_SIGNS);
    if is_label && number.is_some() && before.chars().any(|before| digit(before).is_some()) {
        PhoneFault::Extension
    } else if rest.starts_with(char::is_alphabetic) {
        PhoneFault::Letters
    } else {
        PhoneFault::Symbol
    }
}

/// The zeros of the scripts of Unicode 16 beyond ASCII (general category Nd), ascending.
const ZEROS: [char; 75] = [
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{ff10}',
    '\u{104a0}',
    '\u{10d30}',
    '\u{10d40}',
    '\u{11066}',
    '\u{110f0}',
    '\u{11136}',
    '\u{111d0}',
    '\u{112f0}',
    '\u{11450}',
    '\u{114d0}',
    '\u{11650}',
    '\u{116c0}',
    '\u{116d0}',
    '\u{116da}',
    '\u{11730}',
    '\u{118e0}',
    '\u{11950}',
    '\u{11bf0}',
    '\u{11c50}',
    '\u{11d50}',
    '\u{11da0}',
    '\u{11de0}',
    '\u{11f50}',
    '\u{16a60}',
    '\u{16ac0}',
    '\u{16b50}',
    '\u{16d70}',
    '\u{1ccf0}',
    '\u{1d7ce}',
    '\u{1d7d8}',
    '\u{1d7e2}',
    '\u{1d7ec}',
    '\u{1d7f6}',
    '\u{1e140}',
    '\u{1e2f0}',
    '\u{1e4f0}',
    '\u{1e5f1}',
    '\u{1e950}',
    '\u{1fbf0}',
];
