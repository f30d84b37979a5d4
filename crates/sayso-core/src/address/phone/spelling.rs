//! From a text to its digits: schemes, separators, scripts, and what is refused by its shape.

use super::{PHONE_TEXT_BYTES_MAX, PhoneFault};

/// The digits of a text, and how they were written.
pub(super) struct Spelling {
    start: Start,
    leading_zeros: usize,
    /// The digits after the leading zeros, at most 19.
    rest: u64,
    /// The same without a zero that stands alone in parentheses: `+48 (0)512 345 678`.
    without_trunk: Option<u64>,
    /// How many digits stand in each of the first groups between separators.
    groups: [u8; GROUPS],
    groups_count: usize,
    /// The value of the first group.
    first: u64,
    has_national_sign: bool,
}

/// Groups that are looked at: four are one more than a national number of North America has.
const GROUPS: usize = 4;

enum Start {
    Plus,
    Digit,
}

/// What the way in which a number is written says of its country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placing {
    /// A plus: its digits begin with a calling code.
    International,
    /// Digits alone, or groups of which the first is a calling code.
    Open,
    /// Groups of which the first is no calling code.
    LikelyNational,
    /// A leading zero, parentheses around an area code, a slash, the groups of North America.
    National,
}

/// `p:` stands in Meta's exports of lead ads.
const SCHEMES: [&str; 3] = ["whatsapp:", "tel:", "p:"];

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
    let written = without_scheme(text.trim_matches(is_blank));
    let text = written.trim_matches(is_separator);
    if text.is_empty() {
        return Err(PhoneFault::Empty);
    }
    if is_spoilt(text) {
        return Err(PhoneFault::Spoilt);
    }
    let after_plus = text.trim_start_matches(PLUSES);
    let start = if after_plus.len() < text.len() { Start::Plus } else { Start::Digit };
    let mut spelling = Spelling {
        start,
        leading_zeros: 0,
        rest: 0,
        without_trunk: None,
        groups: [0; GROUPS],
        groups_count: 0,
        first: 0,
        has_national_sign: written.starts_with(['(', '\u{ff08}'])
            || text.contains(['/', '\u{ff0f}']),
    };
    let mut is_in_group = false;
    let mut before = None;
    for (at, character) in after_plus.char_indices() {
        let beside = (before.replace(character), after_plus.get(at + character.len_utf8()..));
        match digit(character) {
            Some(0) if spelling.rest > 0 && is_in_parentheses(beside) => {
                spelling.without_trunk = Some(spelling.rest);
                spelling.rest = spelling.rest.checked_mul(10).ok_or(PhoneFault::TooLong)?;
                spelling.groups_count += 1;
                spelling.push_to_group(0);
                is_in_group = true;
            }
            Some(digit) => {
                spelling.push(digit)?;
                spelling.groups_count += usize::from(!is_in_group);
                spelling.push_to_group(digit);
                is_in_group = true;
            }
            None if is_separator(character) => is_in_group &= is_mark(character),
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
    /// What the writing says of the country; `is_code` tells calling codes.
    pub(super) fn placing(&self, is_code: impl Fn(u16) -> bool) -> Placing {
        match (&self.start, self.leading_zeros) {
            (Start::Plus, _) => return Placing::International,
            (Start::Digit, 1) => return Placing::National,
            (Start::Digit, 0) if self.has_national_sign => return Placing::National,
            (Start::Digit, 0) if self.groups_count > 1 => {}
            // Exit codes are written in many ways.
            (Start::Digit, _) => return Placing::Open,
        }
        if self.groups_count == 3 && self.groups.starts_with(&[3, 3, 4]) {
            return Placing::National;
        }
        let is_first_code = u16::try_from(self.first).is_ok_and(is_code);
        if is_first_code { Placing::Open } else { Placing::LikelyNational }
    }

    /// The digits as an international number, `00` before it left out.
    pub(super) fn international(&self) -> Result<u64, PhoneFault> {
        match (&self.start, self.leading_zeros) {
            (_, 0 | 2) => Ok(self.rest),
            (Start::Digit, 1) => Err(PhoneFault::NeedsRegion),
            (Start::Plus | Start::Digit, _) => Err(PhoneFault::UnknownCallingCode),
        }
    }

    /// The digits as an international number without the zero in parentheses, where there is one: it is
    /// dialed within the country alone, if at all.
    pub(super) const fn without_trunk(&self) -> Option<u64> {
        self.without_trunk
    }

    /// The digits as dialled within a country.
    pub(super) fn national(&self) -> String {
        format!("{}{}", "0".repeat(self.leading_zeros), self.rest)
    }

    fn push_to_group(&mut self, digit: u64) {
        if self.groups_count == 1 {
            self.first = self.first.saturating_mul(10).saturating_add(digit);
        }
        let group = self.groups_count.checked_sub(1).and_then(|group| self.groups.get_mut(group));
        if let Some(digits) = group {
            *digits = digits.saturating_add(1);
        }
    }

    fn push(&mut self, digit: u64) -> Result<(), PhoneFault> {
        if self.rest == 0 && digit == 0 {
            self.leading_zeros += 1;
            return Ok(());
        }
        let more = |rest: u64| rest.checked_mul(10)?.checked_add(digit);
        self.rest = more(self.rest).ok_or(PhoneFault::TooLong)?;
        self.without_trunk = self.without_trunk.and_then(more);
        Ok(())
    }

    const fn is_empty(&self) -> bool {
        self.leading_zeros == 0 && self.rest == 0
    }
}

/// Whether these stand around a character in parentheses.
fn is_in_parentheses((before, after): (Option<char>, Option<&str>)) -> bool {
    matches!(before, Some('(' | '\u{ff08}'))
        && after.is_some_and(|after| after.starts_with([')', '\u{ff09}']))
}

/// What a spreadsheet makes of a long number: a decimal fraction, or a power of ten.
fn is_spoilt(text: &str) -> bool {
    let text = text.trim_start_matches(PLUSES);
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((number, power)) = text.split_once(['e', 'E']) {
        let power = power.trim_start_matches(['+', '-']);
        let mut parts = number.split(['.', ',']);
        return is_digits(power) && parts.clone().count() <= 2 && parts.all(is_digits);
    }
    text.split_once(['.', ',']).is_some_and(|(whole, fraction)| {
        let is_nothing = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
        whole.len() >= DIGITS_OF_A_NUMBER_MIN && is_digits(whole) && is_nothing
    })
}

/// Fewer before a point are a group of digits.
const DIGITS_OF_A_NUMBER_MIN: usize = 6;

fn without_scheme(text: &str) -> &str {
    SCHEMES
        .iter()
        .find_map(|scheme| {
            let (head, rest) = text.split_at_checked(scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then(|| rest.trim_start_matches(is_blank))
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

/// White space, dashes, dots, slashes, parentheses, and what is no sign at all.
fn is_separator(character: char) -> bool {
    matches!(
        character,
        '-' | '.' | '/' | '(' | ')' | '~' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}'
            | '\u{ff08}' | '\u{ff09}' | '\u{ff0d}'..='\u{ff0f}'
    ) || is_blank(character)
}

/// White space, and the marks of direction that programs put around numbers.
fn is_blank(character: char) -> bool {
    is_mark(character) || character.is_whitespace()
}

/// A sign that nobody sees: it separates nothing.
fn is_mark(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
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
