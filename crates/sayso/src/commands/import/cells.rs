//! Cells as spreadsheets and services spoil them, read where nothing of them is lost.
//!
//! A number that a spreadsheet took for an amount has `.0` behind it, or an exponent; one that was to be
//! kept from that an apostrophe, or a formula around it. Services put a letter before it, and several
//! into one cell.

/// Fewer digits are no telephone number.
const DIGITS_MIN: usize = 7;
/// More digits are none either: E.164 has 15, and some dial 00 before.
const DIGITS_MAX: usize = 17;

/// Why a cell holds no address that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spoilt {
    /// Its last digits are gone.
    Rounded,
    /// A spreadsheet's error.
    Error,
}

impl Spoilt {
    /// What to tell.
    pub(super) const fn words(&self) -> &'static str {
        match self {
            Self::Rounded => {
                "which the spreadsheet rounded: its last digits are lost; format the column as text and export it again"
            }
            Self::Error => {
                "which is an error of the spreadsheet: mend its formula and export it again"
            }
        }
    }
}

/// A cell without white space, marks of order and signs that cannot be seen around it.
pub(super) fn clean(cell: &str) -> &str {
    cell.trim_matches(|letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
    })
}

/// What a cell says; nothing if it is empty or says so.
pub(super) fn said(cell: &str) -> Option<&str> {
    let cell = clean(cell);
    let is_empty = cell.is_empty() || cell == "\\N" || cell.eq_ignore_ascii_case("null");
    (!is_empty).then(|| without_apostrophe(cell))
}

/// A cell without the apostrophe that an export puts before what a spreadsheet would run or round.
pub(super) fn without_apostrophe(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(NEUTRALIZED) => rest,
        // An id that a spreadsheet was not to take for an amount.
        Some(rest) if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        Some(_) | None => cell,
    }
}

/// What an export puts an apostrophe before.
const NEUTRALIZED: [char; 10] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r'];

/// Words of empty cells that name nobody.
const NOBODY: [&str; 10] =
    ["-", "--", "n/a", "na", "none", "nan", "nil", "#n/a", "undefined", "unknown"];

/// The telephone numbers of a cell.
pub(super) fn phones(cell: &str) -> Result<Vec<String>, Spoilt> {
    // As most are written, for speed.
    let digits_alone = cell.strip_prefix('+').unwrap_or(cell);
    if digits_alone.len() >= DIGITS_MIN && digits_alone.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(vec![cell.to_owned()]);
    }
    let Some(cell) = said(cell).filter(|cell| !is_among(cell, &NOBODY)) else {
        return Ok(Vec::new());
    };
    let parts = several(cell, |part| digits(part) >= DIGITS_MIN);
    parts.into_iter().map(phone).collect()
}

/// The email addresses of a cell.
pub(super) fn emails(cell: &str) -> Result<Vec<String>, Spoilt> {
    let Some(cell) = said(cell).filter(|cell| !is_among(cell, &NOBODY)) else {
        return Ok(Vec::new());
    };
    if is_error(cell) {
        return Err(Spoilt::Error);
    }
    let one = |part: &str| {
        let part = unwrapped(part);
        // `Ada Lovelace <ada@example.org>`
        let inner = part.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>'));
        clean(inner.unwrap_or(part)).to_owned()
    };
    Ok(several(cell, |part| part.contains('@')).into_iter().map(one).collect())
}

fn is_among(cell: &str, words: &[&str]) -> bool {
    words.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// What stands between several addresses in one cell.
const BETWEEN: [&str; 10] = [":::", ";", ",", "|", "\n", " / ", " or ", " and ", " & ", " oder "];

/// The parts of a cell, if each of several is an address; else the whole.
fn several(cell: &str, is_one: fn(&str) -> bool) -> Vec<&str> {
    for between in BETWEEN {
        let parts: Vec<&str> =
            cell.split(between).map(clean).filter(|part| !part.is_empty()).collect();
        if cell.contains(between) && !parts.is_empty() && parts.iter().all(|part| is_one(part)) {
            return parts.into_iter().flat_map(|part| several(part, is_one)).collect();
        }
    }
    vec![cell]
}

fn digits(text: &str) -> usize {
    text.chars().filter(|letter| letter.is_numeric()).count()
}

/// One number without what spreadsheets and services put around it.
fn phone(cell: &str) -> Result<String, Spoilt> {
    if is_error(cell) {
        return Err(Spoilt::Error);
    }
    let cell = unwrapped(cell);
    // `p:+91…`, `Mobile: …`: a label before the number. `tel:` and `whatsapp:` say nothing more.
    let cell = match cell.split_once(':') {
        Some((label, rest))
            if !label.is_empty()
                && label
                    .chars()
                    .all(|letter| letter.is_alphabetic() || letter == ' ' || letter == '.') =>
        {
            unwrapped(rest)
        }
        Some(_) | None => cell,
    };
    match cell.split_once(['e', 'E']) {
        Some((digits, exponent)) if is_amount(digits) && is_exponent(exponent) => {
            of_exponent(digits, exponent).ok_or(Spoilt::Rounded)
        }
        Some(_) | None => Ok(without_groups(without_decimals(cell))),
    }
}

/// `62,812,345,678`: digits in groups of three, as of an amount.
fn without_groups(cell: &str) -> String {
    let grouped = |sign: char| {
        let mut groups = cell.split(sign);
        let first = groups.next().unwrap_or_default();
        let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
        let mut further = groups.peekable();
        (1..=3).contains(&first.len())
            && is_digits(first)
            && further.peek().is_some()
            && further.all(|group| group.len() == 3 && is_digits(group))
    };
    match [',', '\'', '\u{2019}'].into_iter().find(|sign| grouped(*sign)) {
        Some(sign) => cell.replace(sign, ""),
        None => cell.to_owned(),
    }
}

/// A cell without a formula, quotes or an apostrophe around it: `="91…"`, `'91…`.
fn unwrapped(cell: &str) -> &str {
    let mut cell = clean(cell);
    loop {
        let inner = cell
            .strip_prefix(['=', '\'', '"', '\u{2018}', '\u{2019}', '\u{201c}', '\u{60}', '\u{b4}'])
            .unwrap_or(cell);
        let inner = clean(inner.strip_suffix(['"', '\'', '\u{2019}', '\u{201d}']).unwrap_or(inner));
        if inner.len() == cell.len() {
            return cell;
        }
        cell = inner;
    }
}

/// `62812345678.0`: the number of a spreadsheet that took it for an amount.
fn without_decimals(cell: &str) -> &str {
    let Some((whole, zeros)) = cell.rsplit_once(['.', ',']) else { return cell };
    let is_whole = |text: &str| {
        let text = text.strip_prefix('+').unwrap_or(text);
        text.len() >= DIGITS_MIN
            && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'\''))
    };
    let is_nothing = (1..=2).contains(&zeros.len()) && zeros.bytes().all(|byte| byte == b'0');
    if is_whole(whole) && is_nothing { whole } else { cell }
}

fn is_amount(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    let is_digit = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once(['.', ',']) {
        Some((whole, decimals)) => is_digit(whole) && is_digit(decimals),
        None => is_digit(text),
    }
}

fn is_exponent(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `9.19876543210E+11`, whose digits are all there.
fn of_exponent(digits: &str, exponent: &str) -> Option<String> {
    let exponent: usize = exponent.trim_start_matches('+').parse().ok()?;
    let (whole, decimals) = digits.split_once(['.', ','])?;
    let whole = whole.trim_start_matches('+');
    // A zero at the end would have been left out: only as many decimals as the exponent says are whole.
    (whole.len() == 1 && decimals.len() == exponent && exponent >= DIGITS_MIN - 1)
        .then(|| format!("{whole}{decimals}"))
}

/// `#N/A`, `#REF!`, `#VALUE!`, `#WERT!`.
fn is_error(cell: &str) -> bool {
    cell.starts_with('#')
        && cell.chars().skip(1).all(|letter| letter.is_alphabetic() || "/!?0_".contains(letter))
}

/// Whether a cell looks like a telephone number.
pub(super) fn is_like_a_phone(cell: &str) -> bool {
    let cell = clean(cell);
    let Ok(phones) = phones(cell) else { return digits(cell) > 0 };
    let is_one = |phone: &String| {
        let phone = phone.trim_start_matches("whatsapp:").trim_start_matches("tel:");
        (DIGITS_MIN..=DIGITS_MAX).contains(&digits(phone))
            && phone.chars().all(|letter| {
                letter.is_numeric()
                    || letter.is_whitespace()
                    || "+-.()/\u{2010}\u{2011}\u{2013}~".contains(letter)
            })
    };
    !phones.is_empty() && phones.iter().all(is_one) && !is_like_a_date(cell)
}

/// `2025-06-07`, perhaps with a time of day.
fn is_like_a_date(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    let is_sign = |at: usize| matches!(bytes.get(at), Some(b'-' | b'/' | b'.'));
    (is_sign(4) && is_sign(7) && bytes.len() >= 10)
        || (is_sign(2) && is_sign(5) && bytes.len() == 10)
}

/// Whether a cell looks like an email address.
pub(super) fn is_like_an_email(cell: &str) -> bool {
    emails(cell).is_ok_and(|emails| {
        let is_one = |email: &String| {
            email.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && domain.contains('.') && !email.contains(char::is_whitespace)
            })
        };
        !emails.is_empty() && emails.iter().all(is_one)
    })
}

/// Whether a cell looks like an address of a person.
pub(super) fn is_like_an_address(cell: &str) -> bool {
    is_like_a_phone(cell) || is_like_an_email(cell) || is_like_a_hash(cell)
}

/// The SHA-256 of an address in hexadecimal digits.
fn is_like_a_hash(cell: &str) -> bool {
    let cell = clean(cell);
    cell.len() == 64 && cell.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(cell: &str) -> String {
        phones(cell).unwrap().join(" & ")
    }

    #[test]
    fn b_a_number_that_a_spreadsheet_spoilt_is_read_where_its_digits_are_whole() {
        for (cell, number) in [
            ("62812345678.0", "62812345678"),
            ("14155550123.00", "14155550123"),
            ("4915112345678,0", "4915112345678"),
            ("62,812,345,678", "62812345678"),
            ("62,812,345,678.00", "62812345678"),
            ("62'812'345'678", "62812345678"),
            ("=\"919876543210\"", "919876543210"),
            ("=919876543210", "919876543210"),
            ("'919876543210", "919876543210"),
            ("'+919876543210", "+919876543210"),
            ("\u{2019}919876543210", "919876543210"),
            ("p:+919876543210", "+919876543210"),
            ("Mobile: +1 415 555 0101", "+1 415 555 0101"),
            ("tel:+14155550101", "+14155550101"),
            ("\u{a0}+1\u{a0}415\u{202f}555\u{a0}0101\u{200b}", "+1\u{a0}415\u{202f}555\u{a0}0101"),
            ("9.19876543210E+11", "919876543210"),
            ("1.415.555.0101", "1.415.555.0101"),
            ("030/1234567", "030/1234567"),
        ] {
            assert_eq!(one(cell), number, "{cell}");
        }
    }

    #[test]
    fn b_a_number_whose_digits_are_lost_is_named_for_what_it_is() {
        for cell in ["9.19877E+11", "9,19877E+11", "1.41556e10", "6.2812E+10", "6E+10"] {
            assert_eq!(phones(cell), Err(Spoilt::Rounded), "{cell}");
        }
        for cell in ["#N/A!", "#REF!", "#WERT!"] {
            assert_eq!(phones(cell), Err(Spoilt::Error), "{cell}");
        }
    }

    #[test]
    fn b_several_numbers_of_one_cell_are_all_read() {
        for cell in [
            "+1 415 555 0101 ::: +1 415 555 0102",
            "+1 415 555 0101; +1 415 555 0102",
            "+1 415 555 0101, +1 415 555 0102",
            "+1 415 555 0101 / +1 415 555 0102",
            "+1 415 555 0101\n+1 415 555 0102",
            "+1 415 555 0101 | p:+1 415 555 0102",
        ] {
            assert_eq!(one(cell), "+1 415 555 0101 & +1 415 555 0102", "{cell}");
        }
        assert_eq!(
            emails("ada@example.org ::: Ada <a@example.com>").unwrap(),
            ["ada@example.org", "a@example.com"]
        );
        for cell in ["", " ", "-", "N/A", "null", "\\N", "none"] {
            assert_eq!(phones(cell), Ok(Vec::new()), "{cell}");
        }
    }

    #[test]
    fn cells_look_like_what_they_are() {
        for cell in
            ["+14155550101", "(415) 555-0101", "9.19877E+11", "p:+919876543210", "62812345678.0"]
        {
            assert!(is_like_a_phone(cell), "{cell}");
        }
        for cell in
            ["2025-06-07", "07/06/2025", "Ada", "12", "1 Main Street 94105", "a@example.org", ""]
        {
            assert!(!is_like_a_phone(cell), "{cell}");
        }
        assert!(is_like_an_email("Ada <ada@example.org>") && !is_like_an_email("@ada"));
    }

    #[test]
    fn what_an_export_neutralized_is_read_as_it_was() {
        assert_eq!(without_apostrophe("'+1"), "+1");
        assert_eq!(without_apostrophe("'=x"), "=x");
        assert_eq!(without_apostrophe("'s-Gravenhage"), "'s-Gravenhage");
    }
}
