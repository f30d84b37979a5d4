//! The body of a batch: what it says of the message, and the list of recipients.
//!
//! The list is the whole cost of a batch. What most clients send, an object whose `to` is a list of
//! phone numbers in E.164, is read here byte by byte: such a number becomes its digits at once, any
//! other recipient stays a piece of the body. All else (other texts, the other members) is read by
//! `serde_json`, as much of it as an operation without recipients takes. Where anything is wrong with
//! the body, `judge` reads it once more, and says what.

use std::borrow::Cow;
use std::fmt;

use sayso_core::address::phone::Phone;
use sayso_core::limits;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::{Map, Value};

use crate::body::{Turn, check_depth, not_json, too_long};
use crate::problem::{Code, Problem};

mod judge;

/// The body: the recipients, and the other members as values.
#[derive(Debug, Default)]
pub(super) struct Sheet<'a> {
    /// The recipients, if there is a list of them.
    pub(super) to: Option<Recipients<'a>>,
    /// The other members.
    pub(super) rest: Map<String, Value>,
}

/// Recipients, in order: at most one more than a batch takes.
#[derive(Default)]
pub(super) struct Recipients<'a> {
    /// Those written as a plus and 7 to 15 digits, as written: no plan was asked yet.
    numbers: Vec<Phone>,
    /// The others, each with its place among all.
    texts: Vec<(usize, Cow<'a, str>)>,
}

/// A recipient, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written<'a> {
    /// A plus and these digits, and nothing else; whether they are a number is to be read.
    Number(Phone),
    /// Anything else.
    Text(&'a str),
}

struct Text<'a>(Cow<'a, str>);

impl<'a> Sheet<'a> {
    /// Reads JSON. Depth is looked at only where reading fails: a list of texts cannot nest, and
    /// looking at every byte twice would cost a fifth of a batch.
    pub(super) async fn parse(text: &'a str) -> Result<Self, Problem> {
        match Self::read(text).await {
            Some(sheet) => Ok(sheet),
            None => Err(judge::judge(text).await),
        }
    }

    /// Reads NDJSON: the question, then a recipient a line.
    pub(super) async fn parse_lines(text: &'a str) -> Result<Self, Problem> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let question =
            lines.next().ok_or_else(|| Problem::new(Code::NotJson).detail("there is no line"))?;
        if question.len() > limits::BODY_BYTES_MAX {
            return Err(too_long("the question", limits::BODY_BYTES_MAX));
        }
        check_depth(question)?;
        let rest = serde_json::from_str(question).map_err(|error| not_json(&error))?;
        let mut to = Recipients::with_room();
        let mut turn = Turn::default();
        for line in lines.take(limits::CHECK_BATCH_ITEMS_MAX + 1) {
            if turn.is_over(line.len()) {
                turn.others().await;
            }
            if line.len() > limits::RECIPIENT_BYTES_MAX {
                return Err(too_long("a recipient", limits::RECIPIENT_BYTES_MAX));
            }
            if let Some((number, [])) = read_number(line.as_bytes()) {
                to.numbers.push(number);
                continue;
            }
            let Text(recipient) = serde_json::from_str(line).map_err(|_| {
                let detail = format!("recipient {} is not a JSON text", to.len());
                Problem::new(Code::NotJson).detail(detail)
            })?;
            to.push(recipient);
        }
        Ok(Self { to: Some(to), rest })
    }

    /// Reads what is as it should be; `None` where anything is not.
    async fn read(text: &'a str) -> Option<Self> {
        let mut sheet = Self::default();
        let mut text = after(text, '{')?;
        if let Some(rest) = after(text, '}') {
            return rest.trim_matches(SPACE).is_empty().then_some(sheet);
        }
        // Of all that is no recipient, as much as a request without recipients may have.
        let mut left = limits::BODY_BYTES_MAX;
        loop {
            let (name, value): (String, _) = read_value(text, left)?;
            left -= text.len() - value.len();
            let value = after(value, ':')?;
            if name == "to" {
                let (to, rest) = Recipients::read(value).await?;
                sheet.to = Some(to);
                text = rest;
            } else {
                let (member, rest) = read_value(value, left)?;
                left -= value.len() - rest.len();
                sheet.rest.insert(name, member);
                text = rest;
            }
            match after(text, ',') {
                Some(rest) => text = rest,
                None => return after(text, '}')?.trim_matches(SPACE).is_empty().then_some(sheet),
            }
        }
    }
}

/// What JSON takes for white space.
const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

/// What comes after a sign, if that is what comes next.
fn after(text: &str, sign: char) -> Option<&str> {
    text.trim_start_matches(SPACE).strip_prefix(sign)
}

/// The same within a list, where a text is only cut where it must be.
fn skip_space(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// Reads one value of at most so many bytes, and gives what follows it.
fn read_value<'a, T: Deserialize<'a>>(text: &'a str, bytes_max: usize) -> Option<(T, &'a str)> {
    let within = text.get(..text.floor_char_boundary(bytes_max))?;
    let mut values = serde_json::Deserializer::from_str(within).into_iter();
    let value = values.next()?.ok()?;
    Some((value, text.get(values.byte_offset()..)?))
}

/// Reads a text that is a plus and 7 to 15 digits, and gives what follows it.
fn read_number(bytes: &[u8]) -> Option<(Phone, &[u8])> {
    let [b'"', b'+', digits @ ..] = bytes else { return None };
    let [b'1'..=b'9', ..] = digits else { return None };
    let eight =
        digits.split_first_chunk().and_then(|(eight, rest)| Some((eight_digits(*eight)?, rest)));
    let (mut number, mut rest) = eight.unwrap_or((0, digits));
    while let [digit @ b'0'..=b'9', others @ ..] = rest {
        number = number * 10 + u64::from(digit - b'0');
        rest = others;
        if number >= 1_000_000_000_000_000 {
            return None;
        }
    }
    let [b'"', rest @ ..] = rest else { return None };
    Some((Phone::from_digits(number)?, rest))
}

/// A text of 7 to 15 digits that does not begin with a zero.
fn plain_digits(text: &str) -> Option<Phone> {
    if !(7..=15).contains(&text.len()) || text.starts_with('0') {
        return None;
    }
    let number = text.bytes().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u64::from(digit))
    });
    number.and_then(Phone::from_digits)
}

/// Eight digits as their number, all at once: neighbors are joined to pairs, pairs to fours, fours
/// to the whole.
const fn eight_digits(text: [u8; 8]) -> Option<u64> {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let bytes = u64::from_le_bytes(text);
    // With six added, a digit stays below the next sixteen and what follows the nine does not.
    if bytes & HIGH != ZEROS || (bytes + 0x0606_0606_0606_0606) & HIGH != ZEROS {
        return None;
    }
    let digits = bytes & !HIGH;
    let pairs = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000 << 32 | 1) >> 32)
}

impl<'a> Recipients<'a> {
    /// An empty list with room for a usual one.
    fn with_room() -> Self {
        Self { numbers: Vec::with_capacity(1_024), texts: Vec::new() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len() + self.texts.len()
    }

    /// Each, as it is written.
    pub(super) fn iter(&self) -> impl Iterator<Item = Written<'_>> {
        let mut numbers = self.numbers.iter();
        let mut texts = self.texts.iter().peekable();
        (0..self.len()).filter_map(move |place| match texts.next_if(|(at, _)| *at == place) {
            Some((_, text)) => Some(Written::Text(text)),
            None => numbers.next().map(|number| Written::Number(*number)),
        })
    }

    fn push(&mut self, text: Cow<'a, str>) {
        match text.strip_prefix('+').and_then(plain_digits) {
            Some(number) => self.numbers.push(number),
            None => self.texts.push((self.len(), text)),
        }
    }

    /// Reads a list of texts, and gives what follows it.
    async fn read(text: &'a str) -> Option<(Self, &'a str)> {
        let from = |rest: &[u8]| text.get(text.len() - rest.len()..);
        let mut list = Self::with_room();
        let mut rest = skip_space(after(text, '[')?.as_bytes());
        if let [b']', rest @ ..] = rest {
            return Some((list, from(rest)?));
        }
        let mut turn = Turn::default();
        while list.len() < limits::CHECK_BATCH_ITEMS_MAX {
            let before = rest.len();
            if let Some((number, others)) = read_number(rest) {
                list.numbers.push(number);
                rest = others;
            } else {
                let (Text(recipient), others) =
                    read_value(from(rest)?, limits::RECIPIENT_BYTES_MAX)?;
                list.push(recipient);
                rest = others.as_bytes();
            }
            match skip_space(rest) {
                [b',', others @ ..] => rest = skip_space(others),
                [b']', others @ ..] => return Some((list, from(others)?)),
                _ => return None,
            }
            if turn.is_over(before - rest.len()) {
                turn.others().await;
            }
        }
        None
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Shows how many there are, never who.
impl fmt::Debug for Recipients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipients").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn read(body: &str) -> Option<Sheet<'_>> {
        Sheet::read(body).now_or_never().expect("a small body is read at once")
    }

    fn parse(body: &str) -> Result<Sheet<'_>, Problem> {
        Sheet::parse(body).now_or_never().expect("a small body is read at once")
    }

    fn parse_lines(body: &str) -> Result<Sheet<'_>, Problem> {
        Sheet::parse_lines(body).now_or_never().expect("a small body is read at once")
    }

    /// What was read, as JSON.
    fn as_json(sheet: Sheet<'_>) -> Value {
        let mut members = sheet.rest;
        members.extend(sheet.to.map(|to| {
            let text = |written: Written<'_>| match written {
                Written::Number(number) => Value::from(number.to_string()),
                Written::Text(text) => Value::from(text),
            };
            ("to".to_owned(), to.iter().map(text).collect())
        }));
        Value::Object(members)
    }

    #[test]
    fn a_sheet_is_what_json_says() {
        for body in [
            r#"{"to":["+14155552671","+14155552672"],"channel":"sms"}"#,
            r#" { "channel" : "sms" , "to" : [ "+14155552671" , "a@b.example" ] } "#,
            "{\"to\":[\n\t\"+1234567\",\r\n\"+123456789012345\"]}\n",
            r#"{"to":["+123456","+1234567890123456","+0123456789","+12345678901a","+1 415 555 2671"]}"#,
            r#"{"to":["14155552671","","\"","\u002b14155552671","é\n"],"template":true}"#,
            "{}",
            " { } ",
            r#"{"to":[],"n":-1.5e3,"deep":[{"a":[null]}]}"#,
            r#"{"to":["+14155552671"],"to":["x"],"a":1,"a":2}"#,
        ] {
            let json: Value = serde_json::from_str(body).unwrap();
            assert_eq!(as_json(read(body).expect(body)), json, "{body}");
        }
    }

    #[test]
    fn only_a_plus_and_7_to_15_digits_are_a_number() {
        let numbers = |body| {
            let sheet = parse(body).unwrap();
            let is_number = |written| matches!(written, Written::Number(_));
            sheet.to.unwrap().iter().map(is_number).collect::<Vec<bool>>()
        };
        assert_eq!(
            numbers(r#"{"to":["+1234567","+123456789012345","\u002b12345678"]}"#),
            [true; 3]
        );
        let others =
            r#"{"to":["+123456","+1234567890123456","+01234567","1234567","+1234567x",""]}"#;
        assert_eq!(numbers(others), [false; 6]);
        let lines = parse_lines("{}\n\"+12345678\"\n \"+12345678\" \n\"12345678\"\n").unwrap();
        let number = Written::Number(Phone::from_digits(12_345_678).unwrap());
        let written: Vec<Written<'_>> = lines.to.as_ref().unwrap().iter().collect();
        assert_eq!(written, [number, number, Written::Text("12345678")]);
    }

    #[test]
    fn what_is_wrong_is_left_to_the_judge() {
        for body in [
            "",
            "{",
            "{}x",
            "[]",
            "null",
            r#"{"to":null}"#,
            r#"{"to":["+14155552671",]}"#,
            r#"{"to":["+14155552671"}"#,
            r#"{"to":["+14155552671" "+14155552672"]}"#,
            r#"{"to":["+14155552671"#,
            r#"{"to":[1]}"#,
            r#"{"to":["\x"]}"#,
            r#"{"to":[]]}"#,
            r#"{"to":[],}"#,
            r#"{"to":[]} {}"#,
            r"{to:[]}",
            r#"{"a":1 "to":[]}"#,
            "{\"to\":[\u{a0}]}",
        ] {
            assert!(read(body).is_none() && parse(body).is_err(), "{body}");
        }
    }

    #[tokio::test]
    async fn what_is_no_recipient_and_what_is_too_long_for_one_is_not_built() {
        let deep = format!("{{\"to\":[],\"x\":[{}1]}}", "1,".repeat(limits::BODY_BYTES_MAX));
        let long = format!("{{\"to\":[\"{}\"]}}", "x".repeat(limits::RECIPIENT_BYTES_MAX));
        let names = format!("{{{}\"to\":[]}}", "\"a\":1,".repeat(limits::BODY_BYTES_MAX / 4));
        for body in [deep, long, names] {
            assert_eq!(Sheet::parse(&body).await.unwrap_err().code(), Code::TooLarge);
        }
        let many = "\"\",".repeat(limits::CHECK_BATCH_ITEMS_MAX);
        let many = format!("{{\"to\":[{many}\"\"]}}");
        assert_eq!(Sheet::parse(&many).await.unwrap_err().code(), Code::TooManyItems);
        let most = many.replacen("\"\",", "", 1);
        assert_eq!(Sheet::parse(&most).await.unwrap().to.unwrap().len(), 100_000);
    }

    #[test]
    fn eight_digits_are_read_at_once_and_nothing_else_is() {
        assert_eq!(eight_digits(*b"12345678"), Some(12_345_678));
        assert_eq!(eight_digits(*b"00000000"), Some(0));
        assert_eq!(eight_digits(*b"99999999"), Some(99_999_999));
        for place in 0..8 {
            for byte in (0..=255_u8).filter(|byte| !byte.is_ascii_digit()) {
                let mut text = *b"90123459";
                text[place] = byte;
                assert_eq!(eight_digits(text), None, "{byte} at {place}");
            }
        }
    }
}
