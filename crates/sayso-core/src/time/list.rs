//! Times as lists have them: written by spreadsheets, databases and people, in the order of days and
//! months of a country and by the clocks of a place.
//!
//! Nothing is guessed. A date that can be read in two ways is a fault until somebody says in which
//! order its numbers stand, and a time of day without a zone is as coarse as the Earth is round.

use jiff::civil::{Date, DateTime, Time};
use thiserror::Error;

use super::{ClaimedTime, EASTERNMOST, Span, Timestamp, WESTERNMOST};
use crate::gate::zone::Zone;

/// The longest text that is read as a time.
///
/// *Units*: bytes of UTF-8.
const TEXT_BYTES_MAX: usize = 64;

/// In which order the numbers of a date stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `06/07/2025` is 7 June.
    MonthDayYear,
    /// `06/07/2025` is 6 July.
    DayMonthYear,
    /// `2025/06/07` is 7 June, and so is `25/06/07`.
    YearMonthDay,
}

/// A text that names no order of dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is none of mdy, dmy, ymd")]
pub struct DateOrderFault;

/// How the times of a list are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListTimes {
    /// In which order the numbers of its dates stand, if somebody said so.
    pub order: Option<DateOrder>,
    /// Where its clocks are, if somebody said so.
    pub zone: Option<Zone>,
}

/// A time of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListTime {
    /// What it can mean.
    pub claimed: ClaimedTime,
    /// Whether it is a time of day whose zone nobody named, read as anywhere on Earth.
    pub is_anywhere: bool,
}

/// Why a text of a list is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ListTimeFault {
    /// Not the shape of a date, or no day of the calendar.
    #[error("is no date and time")]
    Shape,
    /// Day and month can stand in either order.
    #[error("can be read as day and month or as month and day")]
    Ambiguous,
}

impl DateOrder {
    /// Parses `mdy`, `dmy` or `ymd`.
    ///
    /// # Errors
    /// [`DateOrderFault`].
    pub fn parse(text: &str) -> Result<Self, DateOrderFault> {
        match text {
            "mdy" => Ok(Self::MonthDayYear),
            "dmy" => Ok(Self::DayMonthYear),
            "ymd" => Ok(Self::YearMonthDay),
            _ => Err(DateOrderFault),
        }
    }
}

impl ListTimes {
    /// Reads a time.
    ///
    /// *Shape*: what [`ClaimedTime::parse`] reads; dates such as `2025-06-07`, `6/7/2025`,
    /// `07.06.2025`, `7 June 2025`, `Sat, 07 Jun 2025`; after them a time of day, `8:09`,
    /// `08:09:10.5`, `8:09 pm`, and `Z`, `UTC`, `GMT` or an offset; seconds or milliseconds since
    /// 1970.
    ///
    /// # Errors
    /// [`ListTimeFault`].
    ///
    /// ```
    /// use sayso_core::time::list::{DateOrder, ListTimeFault, ListTimes};
    ///
    /// let times = ListTimes::default();
    /// assert_eq!(times.read("06/07/2025"), Err(ListTimeFault::Ambiguous));
    /// let times = ListTimes { order: Some(DateOrder::MonthDayYear), ..times };
    /// assert_eq!(times.read("06/07/2025"), times.read("2025-06-07"));
    /// ```
    pub fn read(&self, text: &str) -> Result<ListTime, ListTimeFault> {
        let text = text.trim();
        if text.len() > TEXT_BYTES_MAX {
            return Err(ListTimeFault::Shape);
        }
        if let Some(claimed) = since_1970(text) {
            return Ok(ListTime { claimed, is_anywhere: false });
        }
        let tokens = tokens_of(text).ok_or(ListTimeFault::Shape)?;
        let mut parts = Parts::of(&tokens)?;
        let date = self.date(&parts)?;
        let Some((time, width)) = parts.clock()? else {
            return match parts.offset {
                Some(offset) => {
                    within(DateTime::from_parts(date, Time::midnight()), offset, Span::days(1))
                }
                None => self.day(date),
            };
        };
        let local = DateTime::from_parts(date, time);
        match parts.offset {
            Some(offset) => within(local, offset, width),
            None => self.somewhere(local, width),
        }
    }

    fn date(self, parts: &Parts) -> Result<Date, ListTimeFault> {
        let [one, two, three] = parts.numbers;
        let (year, month, day) = match (parts.month, one.digits) {
            (Some(month), 4) => (one, month, two.value),
            (Some(month), _) => (two, month, one.value),
            (None, 4) => (one, two.value, three.value),
            (None, _) => {
                let (month, day, year) = self.ordered(one, two, three)?;
                (year, month, day)
            }
        };
        let year = match year.digits {
            4 => year.value,
            // Lists are of this century; a year of two digits says so only where its place is known.
            2 if self.order.is_some() || parts.month.is_some() => 2_000 + year.value,
            _ => return Err(ListTimeFault::Shape),
        };
        let small = |number: u32| i8::try_from(number).map_err(|_| ListTimeFault::Shape);
        let year = i16::try_from(year).map_err(|_| ListTimeFault::Shape)?;
        Date::new(year, small(month)?, small(day)?).map_err(|_| ListTimeFault::Shape)
    }

    /// Month, day and year of numbers whose first is no year of four digits.
    fn ordered(
        self,
        one: Number,
        two: Number,
        three: Number,
    ) -> Result<(u32, u32, Number), ListTimeFault> {
        match self.order {
            Some(DateOrder::MonthDayYear) => Ok((one.value, two.value, three)),
            Some(DateOrder::DayMonthYear) => Ok((two.value, one.value, three)),
            Some(DateOrder::YearMonthDay) if one.digits == 2 && three.digits <= 2 => {
                Ok((two.value, three.value, one))
            }
            Some(DateOrder::YearMonthDay) => Err(ListTimeFault::Shape),
            None if three.digits != 4 => Err(ListTimeFault::Ambiguous),
            None if one.value > 12 || one.value == two.value => Ok((two.value, one.value, three)),
            None if two.value > 12 => Ok((one.value, two.value, three)),
            None => Err(ListTimeFault::Ambiguous),
        }
    }

    /// A whole day where the list is, or anywhere.
    fn day(self, date: Date) -> Result<ListTime, ListTimeFault> {
        let midnight = DateTime::from_parts(date, Time::midnight());
        let Some(zone) = self.zone else {
            let claimed = ClaimedTime::day_anywhere(in_utc(midnight)?);
            return Ok(ListTime { claimed, is_anywhere: false });
        };
        let next = date.tomorrow().map_err(|_| ListTimeFault::Shape)?;
        let next = DateTime::from_parts(next, Time::midnight());
        let (first, _) = zone.in_utc(midnight).ok_or(ListTimeFault::Shape)?;
        let (_, end) = zone.in_utc(next).ok_or(ListTimeFault::Shape)?;
        let claimed = ClaimedTime { first, last: end.minus(Span::micros(1)) };
        Ok(ListTime { claimed, is_anywhere: false })
    }

    /// A time of day where the list is, or anywhere.
    fn somewhere(self, local: DateTime, width: Span) -> Result<ListTime, ListTimeFault> {
        let rest = Span::micros(width.as_micros() - 1);
        let (first, last, is_anywhere) = if let Some(zone) = self.zone {
            let (first, last) = zone.in_utc(local).ok_or(ListTimeFault::Shape)?;
            (first, last, false)
        } else {
            let at = in_utc(local)?;
            (at.minus(EASTERNMOST), at.plus(WESTERNMOST), true)
        };
        Ok(ListTime { claimed: ClaimedTime { first, last: last.plus(rest) }, is_anywhere })
    }
}

/// A time of day whose zone is told, as minutes ahead of UTC.
fn within(local: DateTime, offset: i64, width: Span) -> Result<ListTime, ListTimeFault> {
    let first = in_utc(local)?.minus(Span::minutes(offset));
    Ok(ListTime { claimed: ClaimedTime::within(first, width), is_anywhere: false })
}

/// The instant at which clocks in UTC show this.
fn in_utc(local: DateTime) -> Result<Timestamp, ListTimeFault> {
    let instant = jiff::tz::Offset::UTC.to_timestamp(local).map_err(|_| ListTimeFault::Shape)?;
    Ok(Timestamp::from_micros(instant.as_microsecond()))
}

/// Seconds (10 digits) or milliseconds (13 digits) since 1970, as databases write them: of the years
/// 2001 to 2286.
fn since_1970(text: &str) -> Option<ClaimedTime> {
    let number: i64 = text.parse().ok().filter(|_| !text.starts_with(['+', '-', '0']))?;
    match text.len() {
        10 => {
            let first = Timestamp::from_micros(number.checked_mul(1_000_000)?);
            Some(ClaimedTime::within(first, Span::seconds(1)))
        }
        13 => {
            let first = Timestamp::from_micros(number.checked_mul(1_000)?);
            Some(ClaimedTime::within(first, Span::micros(1_000)))
        }
        _ => None,
    }
}

/// A number with how many digits it was written.
#[derive(Clone, Copy, Debug, Default)]
struct Number {
    value: u32,
    digits: usize,
}

/// A piece of a text.
#[derive(Clone, Copy, Debug)]
enum Token<'a> {
    Number(Number, &'a str),
    Word(&'a str),
    Sign(char),
}

/// A text in pieces, without white space; none if it has a character that no time has.
fn tokens_of(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = |is: fn(char) -> bool| rest.find(|one| !is(one)).unwrap_or(rest.len());
        let length = if first.is_ascii_digit() {
            end(|one| one.is_ascii_digit())
        } else if first.is_ascii_alphabetic() {
            end(|one| one.is_ascii_alphabetic())
        } else {
            first.len_utf8()
        };
        let (piece, further) = rest.split_at(length);
        rest = further;
        if first.is_ascii_digit() {
            let value = if length <= 8 { piece.parse().ok()? } else { u32::MAX };
            tokens.push(Token::Number(Number { value, digits: length }, piece));
        } else if first.is_ascii_alphabetic() {
            tokens.push(Token::Word(piece));
        } else if matches!(first, '-' | '+' | '/' | '.' | ':' | ',' | '(' | ')') {
            tokens.push(Token::Sign(first));
        } else if !first.is_whitespace() {
            return None;
        }
    }
    Some(tokens)
}

/// What the pieces of a time say.
#[derive(Debug, Default)]
struct Parts {
    /// The numbers of the date, in their order; with a month that is a word the third is nothing.
    numbers: [Number; 3],
    month: Option<u32>,
    /// Hour, minute, and perhaps second.
    clock: Vec<u32>,
    fraction: Option<String>,
    is_afternoon: Option<bool>,
    /// Minutes ahead of UTC.
    offset: Option<i64>,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH_NAMES: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_NAMES: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Parts {
    fn of(tokens: &[Token<'_>]) -> Result<Self, ListTimeFault> {
        let mut parts = Self::default();
        let mut tokens = parts.take_date(tokens)?;
        if let [Token::Word("T" | "t" | "at") | Token::Sign(','), rest @ ..] = tokens {
            tokens = rest;
        }
        let tokens = parts.take_clock(tokens)?;
        parts.take_zone(tokens)?;
        Ok(parts)
    }

    /// Takes the date off the front.
    fn take_date<'a, 'b>(
        &mut self,
        mut tokens: &'b [Token<'a>],
    ) -> Result<&'b [Token<'a>], ListTimeFault> {
        if let [Token::Word(word), rest @ ..] = tokens
            && is_among(word, &DAYS, &DAY_NAMES).is_some()
        {
            tokens = match rest {
                [Token::Sign(',' | '.'), rest @ ..] => rest,
                _ => rest,
            };
        }
        // `20250607`
        if let [Token::Number(Number { value, digits: 8 }, _), rest @ ..] = tokens {
            let number = |value, digits| Number { value, digits };
            self.numbers =
                [number(value / 10_000, 4), number(value / 100 % 100, 2), number(value % 100, 2)];
            return Ok(rest);
        }
        let mut found = 0;
        while found + usize::from(self.month.is_some()) < 3 {
            match tokens {
                [Token::Number(number, _), rest @ ..] => {
                    *self.numbers.get_mut(found).ok_or(ListTimeFault::Shape)? = *number;
                    found += 1;
                    tokens = rest;
                }
                [Token::Word(word), rest @ ..] if self.month.is_none() => {
                    let month = is_among(word, &MONTHS, &MONTH_NAMES);
                    self.month = Some(month.ok_or(ListTimeFault::Shape)?);
                    tokens = rest;
                }
                _ => return Err(ListTimeFault::Shape),
            }
            let is_done = found + usize::from(self.month.is_some()) == 3;
            if let [Token::Sign('-' | '/' | '.' | ','), rest @ ..] = tokens
                && !is_done
            {
                tokens = rest;
            }
        }
        Ok(tokens)
    }

    /// Takes the time of day off the front, if there is one.
    fn take_clock<'a, 'b>(
        &mut self,
        mut tokens: &'b [Token<'a>],
    ) -> Result<&'b [Token<'a>], ListTimeFault> {
        let [Token::Number(hour, _), Token::Sign(':'), ..] = tokens else {
            // `8 pm`
            if let [Token::Number(hour, _), Token::Word(word), rest @ ..] = tokens
                && let Some(is_afternoon) = half_of_day(word)
            {
                (self.clock, self.is_afternoon) = (vec![hour.value, 0], Some(is_afternoon));
                return Ok(rest);
            }
            return Ok(tokens);
        };
        self.clock.push(hour.value);
        tokens = tokens.get(1..).unwrap_or_default();
        while let [Token::Sign(':'), Token::Number(number, _), rest @ ..] = tokens {
            if number.digits != 2 || self.clock.len() == 3 {
                return Err(ListTimeFault::Shape);
            }
            self.clock.push(number.value);
            tokens = rest;
        }
        if let [Token::Sign('.'), Token::Number(_, digits), rest @ ..] = tokens
            && self.clock.len() == 3
        {
            self.fraction = Some((*digits).to_owned());
            tokens = rest;
        }
        if let [Token::Word(word), rest @ ..] = tokens
            && let Some(is_afternoon) = half_of_day(word)
        {
            self.is_afternoon = Some(is_afternoon);
            tokens = rest;
        }
        Ok(tokens)
    }

    /// Takes the zone; nothing may be left.
    fn take_zone(&mut self, mut tokens: &[Token<'_>]) -> Result<(), ListTimeFault> {
        if let [Token::Word(word), rest @ ..] = tokens
            && ["z", "utc", "gmt"].iter().any(|zone| word.eq_ignore_ascii_case(zone))
        {
            (self.offset, tokens) = (Some(0), rest);
        }
        if let [Token::Sign(sign @ ('+' | '-')), Token::Number(number, _), rest @ ..] = tokens {
            let (minutes, rest) = match (number.digits, rest) {
                (2, [Token::Sign(':'), Token::Number(minutes, _), rest @ ..])
                    if minutes.digits == 2 =>
                {
                    (number.value * 60 + minutes.value, rest)
                }
                (1 | 2, rest) => (number.value * 60, rest),
                (4, rest) => (number.value / 100 * 60 + number.value % 100, rest),
                _ => return Err(ListTimeFault::Shape),
            };
            if minutes > 15 * 60 {
                return Err(ListTimeFault::Shape);
            }
            let minutes = i64::from(minutes);
            self.offset = Some(if *sign == '-' { -minutes } else { minutes });
            tokens = rest;
        }
        // JavaScript writes the zone's name behind its offset.
        if let [Token::Sign('('), .., Token::Sign(')')] = tokens
            && self.offset.is_some()
        {
            tokens = &[];
        }
        if tokens.is_empty() { Ok(()) } else { Err(ListTimeFault::Shape) }
    }

    /// The time of day and how long it is, if there is one.
    fn clock(&mut self) -> Result<Option<(Time, Span)>, ListTimeFault> {
        let (hour, minute, second, mut width) = match self.clock[..] {
            [] => return Ok(None),
            [hour, minute] => (hour, minute, 0, Span::minutes(1)),
            [hour, minute, second, ..] => (hour, minute, second, Span::seconds(1)),
            [_] => return Err(ListTimeFault::Shape),
        };
        let hour = match self.is_afternoon {
            None => hour,
            Some(_) if !(1..=12).contains(&hour) => return Err(ListTimeFault::Shape),
            Some(is_afternoon) => hour % 12 + if is_afternoon { 12 } else { 0 },
        };
        let mut nanoseconds = 0;
        if let Some(fraction) = self.fraction.take()
            && fraction.bytes().any(|digit| digit != b'0')
        {
            let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
            nanoseconds = digits.parse::<i32>().map_err(|_| ListTimeFault::Shape)? * 1_000;
            width = Span::micros(1);
        }
        let small = |number: u32| i8::try_from(number).map_err(|_| ListTimeFault::Shape);
        let time = Time::new(small(hour)?, small(minute)?, small(second)?, nanoseconds);
        Ok(Some((time.map_err(|_| ListTimeFault::Shape)?, width)))
    }
}

/// Whether a word stands for the afternoon (`pm`) or the morning (`am`).
fn half_of_day(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "pm" | "p" => Some(true),
        "am" | "a" => Some(false),
        _ => None,
    }
}

/// The place of a word among names or their first letters, from 1.
fn is_among(word: &str, short: &[&str], long: &[&str]) -> Option<u32> {
    let word = word.to_ascii_lowercase();
    let at = short.iter().zip(long).position(|(short, long)| word == *short || word == *long);
    let at = at.or_else(|| (word == "sept").then_some(8).filter(|at| *at < short.len()));
    u32::try_from(at? + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(times: ListTimes, text: &str) -> String {
        match times.read(text) {
            Err(fault) => format!("{fault:?}"),
            Ok(ListTime { claimed, is_anywhere }) => {
                let short = |at: Timestamp| at.to_string().replace(".000000Z", "Z");
                let mark = if is_anywhere { " anywhere" } else { "" };
                format!("{}/{}{mark}", short(claimed.first()), short(claimed.last()))
            }
        }
    }

    fn first(times: ListTimes, text: &str) -> String {
        read(times, text).split('/').next().unwrap_or_default().to_owned()
    }

    const PLAIN: ListTimes = ListTimes { order: None, zone: None };

    fn told(order: &str, zone: &str) -> ListTimes {
        ListTimes { order: DateOrder::parse(order).ok(), zone: Zone::parse(zone).ok() }
    }

    #[test]
    fn what_the_api_reads_is_read_the_same() {
        for text in [
            "2025-06-07",
            "2025-06-07T08:09Z",
            "2025-06-07T08:09:10Z",
            "2025-06-07T08:09:10.000Z",
            "2025-06-07T08:09:10.25+02:00",
            "2025-06-07+02:00",
        ] {
            let read = PLAIN.read(text).unwrap();
            assert_eq!(read.claimed, ClaimedTime::parse(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn day_and_month_in_either_order_are_told_and_never_guessed() {
        for text in ["06/07/2025", "6.7.2025", "06-07-2025 08:09", "06/07/25"] {
            assert_eq!(PLAIN.read(text), Err(ListTimeFault::Ambiguous), "{text}");
        }
        assert_eq!(first(told("mdy", "UTC"), "06/07/2025"), "2025-06-07T00:00:00Z");
        assert_eq!(first(told("dmy", "UTC"), "06/07/2025"), "2025-07-06T00:00:00Z");
        assert_eq!(first(told("dmy", "UTC"), "06.07.25 8:09"), "2025-07-06T08:09:00Z");
        assert_eq!(first(told("ymd", "UTC"), "25/06/07"), "2025-06-07T00:00:00Z");
        assert_eq!(first(told("", "UTC"), "25/12/2025"), "2025-12-25T00:00:00Z");
        assert_eq!(first(told("", "UTC"), "12/25/2025"), "2025-12-25T00:00:00Z");
        assert_eq!(first(told("mdy", "UTC"), "2025-06-07"), "2025-06-07T00:00:00Z");
        assert_eq!(read(told("mdy", "UTC"), "25/12/2025"), "Shape");
    }

    #[test]
    fn a_time_of_day_is_that_of_the_zone_that_is_named_or_of_any() {
        let la = told("", "America/Los_Angeles");
        assert_eq!(
            read(la, "2025-06-07 08:09:10"),
            "2025-06-07T15:09:10Z/2025-06-07T15:09:10.999999Z"
        );
        assert_eq!(
            read(la, "2025-06-07"),
            "2025-06-07T07:00:00Z/2025-06-08T06:59:59.999999Z",
            "a day of summer"
        );
        assert_eq!(
            read(PLAIN, "2025-06-07 08:09:10"),
            "2025-06-06T18:09:10Z/2025-06-07T20:09:10.999999Z anywhere"
        );
        assert_eq!(
            read(la, "2025-11-02 01:30"),
            "2025-11-02T08:30:00Z/2025-11-02T09:30:59.999999Z",
            "an hour that comes twice"
        );
    }

    #[test]
    fn times_of_exports_are_read_as_they_are_written() {
        for text in [
            "2025-06-07 15:09:10 +0000",
            "2025-06-07 08:09:10 -0700",
            "2025-06-07T08:09:10-0700",
            "Sat, 07 Jun 2025 15:09:10 +0000",
            "Jun 7, 2025 3:09:10 PM UTC",
            "7 June 2025 15:09:10Z",
            "2025/06/07 15:09:10 UTC",
            "20250607T15:09:10Z",
            "1749308950",
            "2025-06-07 15:09:10.000 GMT",
            "Sat Jun 07 2025 08:09:10 GMT-0700 (Pacific Daylight Time)",
        ] {
            assert_eq!(first(PLAIN, text), "2025-06-07T15:09:10Z", "{text}");
        }
        assert_eq!(first(PLAIN, "1749308950123"), "2025-06-07T15:09:10.123000Z");
        assert_eq!(first(told("", "UTC"), "07-Jun-2025 12:09 am"), "2025-06-07T00:09:00Z");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "2025-13-01",
            "2025-06-31",
            "10Z",
            "2025-06-07T10Z",
            "25:00",
            "8 pm",
            "2025-06-07 25:00:00",
            "2025-06-07 13:00 pm",
            "2025-06-07 08:09:10 PST",
            "45815",
            "n/a",
            "2025-06-07 08:09 maybe",
            "1/2",
            "2025-06-07 08:09:10 +99:00",
            "99999999999999999999",
        ] {
            assert_eq!(PLAIN.read(text), Err(ListTimeFault::Shape), "{text}");
        }
    }
}
