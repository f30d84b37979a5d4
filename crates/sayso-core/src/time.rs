//! Instants and the times that people and systems claim.
//!
//! Every instant is UTC in microseconds. A claimed time may be coarser than that; rule 2 reads a
//! coarse time for the refusal: an opt-out at the end of its second, minute or day, an opt-in at
//! its start. A day without a zone is that day anywhere on Earth.

use std::fmt;

use thiserror::Error;

pub mod list;

/// An instant in UTC, in whole microseconds since 1970-01-01T00:00:00Z.
///
/// *Shape:* RFC 3339 with a `Z`, six digits of fraction: `2026-11-21T10:00:00.000000Z`.
/// *Bounds:* years 0001 to 9999 when parsed. [`Timestamp::DISTANT_PAST`] is older than all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A length of time in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// A time as somebody claimed it: the first and last microsecond it can mean.
///
/// *Shape:* RFC 3339 date-time with seconds (fraction optional), with minutes only, or a date
/// alone, with or without an offset: `2026-11-21T10:00:00.25Z`, `2026-11-21T10:00Z`, `2026-11-21`,
/// `2026-11-21+01:00`. A date without an offset is that day anywhere on Earth: it begins at UTC+14
/// and ends at UTC−12. A fraction of zeros says no more than the second: programs write `.000` of
/// times they know to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimedTime {
    first: Timestamp,
    last: Timestamp,
}

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TimeFault {
    /// Not RFC 3339.
    #[error("is not a date and time in RFC 3339")]
    Shape,
    /// A date and time without `Z` or an offset.
    #[error("has no time zone: add Z or an offset")]
    NoZone,
}

impl Span {
    /// A span of whole microseconds.
    pub const fn micros(micros: i64) -> Self {
        Self(micros)
    }

    /// A span of whole seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// A span of whole minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self::seconds(minutes.saturating_mul(60))
    }

    /// A span of whole hours.
    pub const fn hours(hours: i64) -> Self {
        Self::minutes(hours.saturating_mul(60))
    }

    /// A span of whole days of 24 hours.
    pub const fn days(days: i64) -> Self {
        Self::hours(days.saturating_mul(24))
    }

    /// The span in whole microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0
    }
}

impl Timestamp {
    /// Older than every time that can be claimed; the time of an imported "yes" without a date
    /// (rule 16).
    pub const DISTANT_PAST: Self = Self(i64::MIN);

    /// Later than every time; a store cuts it to the receipt (rule 2).
    pub const DISTANT_FUTURE: Self = Self(i64::MAX);

    /// The instant that many microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Parses an exact RFC 3339 date-time.
    ///
    /// # Errors
    /// [`TimeFault`] when the text is not RFC 3339 or names no zone.
    pub fn parse(text: &str) -> Result<Self, TimeFault> {
        // A bare date is a claim about a day; where an instant is asked for, its midnight in UTC.
        if text.len() == DATE_BYTES {
            return Written::of(text)?.midnight();
        }
        ClaimedTime::parse(text).map(|claimed| claimed.first)
    }

    /// This instant moved later by `span`.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This instant moved earlier by `span`.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// When the stretch of this length began that this instant lies in, in UTC.
    ///
    /// # Panics
    /// If the stretch has no length.
    #[must_use]
    pub const fn start_of(self, stretch: Span) -> Self {
        Self(self.0.div_euclid(stretch.0).saturating_mul(stretch.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant:.6}"),
            Err(_) => f.write_str("-infinity"),
        }
    }
}

impl ClaimedTime {
    /// A time that is exact to the microsecond.
    pub const fn exact(at: Timestamp) -> Self {
        Self { first: at, last: at }
    }

    /// A time known to lie in the `width` that begins at `first`.
    pub const fn within(first: Timestamp, width: Span) -> Self {
        Self { first, last: first.plus(Span(width.0.saturating_sub(1))) }
    }

    /// The day that begins at this midnight in UTC, anywhere on Earth (rule 2).
    const fn day_anywhere(midnight: Timestamp) -> Self {
        let first = midnight.minus(EASTERNMOST);
        Self::within(first, Span(Span::days(1).0 + EASTERNMOST.0 + WESTERNMOST.0))
    }

    /// Parses a time as claimed; its precision is what the text shows.
    ///
    /// # Errors
    /// [`TimeFault`] when the text is not RFC 3339 or names no zone.
    pub fn parse(text: &str) -> Result<Self, TimeFault> {
        let written = Written::of(text)?;
        match (written.clock, written.zone) {
            ("", "") => written.midnight().map(Self::day_anywhere),
            ("", zone) => {
                let first = instant(&format!("{}T00:00:00{zone}", written.date))?;
                Ok(Self::within(first, Span::days(1)))
            }
            (_, "") => Err(TimeFault::NoZone),
            (clock, zone) => {
                let seconds = if clock.len() == MINUTE_BYTES { ":00" } else { "" };
                let at = instant(&format!("{}T{clock}{seconds}{zone}", written.date))?;
                Ok(Self::within(at, width_of(clock)))
            }
        }
    }

    /// The first microsecond the claim can mean.
    pub const fn first(self) -> Timestamp {
        self.first
    }

    /// The last microsecond the claim can mean.
    pub const fn last(self) -> Timestamp {
        self.last
    }
}

/// How far the clocks of the first place of a day are ahead of UTC.
const EASTERNMOST: Span = Span::hours(14);
/// How far the clocks of the last place of a day are behind UTC.
const WESTERNMOST: Span = Span::hours(12);

/// Bytes of a date, `2026-11-21`.
const DATE_BYTES: usize = 10;
/// Bytes of a time of day to the minute, `10:00`.
const MINUTE_BYTES: usize = 5;
/// Bytes of a time of day to the second, `10:00:00`.
const SECOND_BYTES: usize = 8;

/// A text in the parts of RFC 3339, each of the right shape; a part that is absent is empty.
struct Written<'a> {
    date: &'a str,
    clock: &'a str,
    zone: &'a str,
}

impl<'a> Written<'a> {
    fn of(text: &'a str) -> Result<Self, TimeFault> {
        if !text.is_ascii() {
            return Err(TimeFault::Shape);
        }
        let (date, rest) = text.split_at_checked(DATE_BYTES).ok_or(TimeFault::Shape)?;
        let clock = rest.strip_prefix(['T', 't', ' ']);
        let (clock, zone) = match clock {
            Some(clock) => clock.split_at(clock.find(['Z', 'z', '+', '-']).unwrap_or(clock.len())),
            None => ("", rest),
        };
        let (whole, fraction) = clock.split_at_checked(SECOND_BYTES).unwrap_or((clock, ""));
        let is_clock = fits(whole, "00:00") || fits(whole, "00:00:00");
        let is_fraction = fraction.is_empty()
            || fraction.strip_prefix('.').is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            });
        let is_zone =
            matches!(zone, "" | "Z" | "z") || fits(zone, "+00:00") || fits(zone, "-00:00");
        let is_right = fits(date, "0000-00-00")
            && is_zone
            && is_fraction
            && (is_clock || (clock.is_empty() && !rest.starts_with(['T', 't', ' '])));
        is_right.then_some(Self { date, clock, zone }).ok_or(TimeFault::Shape)
    }

    /// The beginning of the date in UTC.
    fn midnight(&self) -> Result<Timestamp, TimeFault> {
        instant(&format!("{}T00:00:00Z", self.date))
    }
}

/// Whether a text looks like a pattern, in which a zero is any digit.
fn fits(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            _ => byte == wanted,
        })
}

/// How long the time is that a time of day can mean.
fn width_of(clock: &str) -> Span {
    match clock.len() {
        MINUTE_BYTES => Span::minutes(1),
        SECOND_BYTES => Span::seconds(1),
        _ if clock.bytes().skip(SECOND_BYTES + 1).all(|digit| digit == b'0') => Span::seconds(1),
        _ => Span::micros(1),
    }
}

/// Reads a full RFC 3339 date-time; years 0001 to 9999.
fn instant(text: &str) -> Result<Timestamp, TimeFault> {
    let parsed: jiff::Timestamp = text.parse().map_err(|_| TimeFault::Shape)?;
    Ok(Timestamp(parsed.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_time_is_as_coarse_as_its_text() {
        let exact = ClaimedTime::parse("2026-11-21T10:00:00.25Z").unwrap();
        assert_eq!(exact.first(), exact.last());
        let second = ClaimedTime::parse("2026-11-21T10:00:00Z").unwrap();
        assert_eq!(second.last().as_micros() - second.first().as_micros(), 999_999);
        let minute = ClaimedTime::parse("2026-11-21T12:00+02:00").unwrap();
        assert_eq!(minute.first(), second.first());
        assert_eq!(minute.last(), second.first().plus(Span::minutes(1)).minus(Span::micros(1)));
        let day = ClaimedTime::parse("2026-11-21Z").unwrap();
        assert_eq!(day.last().as_micros() - day.first().as_micros(), 86_399_999_999);
        let day = ClaimedTime::parse("2026-11-21-08:00").unwrap();
        assert_eq!(day.first().to_string(), "2026-11-21T08:00:00.000000Z");
    }

    #[test]
    fn a_day_without_a_zone_is_that_day_anywhere_on_earth() {
        let day = ClaimedTime::parse("2026-11-20").unwrap();
        assert_eq!(day.first().to_string(), "2026-11-19T10:00:00.000000Z", "at UTC+14");
        assert_eq!(day.last().to_string(), "2026-11-21T11:59:59.999999Z", "at UTC-12");
        let evening = ClaimedTime::parse("2026-11-20T20:00:00-08:00").unwrap();
        assert!(evening.first() < day.last(), "scenario 53");
        assert_eq!(Timestamp::parse("2026-11-20"), Timestamp::parse("2026-11-20T00:00:00Z"));
    }

    #[test]
    fn a_fraction_of_zeros_is_a_whole_second() {
        for text in [
            "2026-11-21T10:00:00.000Z",
            "2026-11-21T10:00:00.0Z",
            "2026-11-21 10:00:00.000000+00:00",
        ] {
            let claimed = ClaimedTime::parse(text).unwrap();
            let second = ClaimedTime::parse("2026-11-21T10:00:00Z").unwrap();
            assert_eq!(claimed, second, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        assert_eq!(ClaimedTime::parse("2026-11-21T10:00:00"), Err(TimeFault::NoZone));
        for text in [
            "",
            "yesterday",
            "21.11.2026",
            "2026-13-01",
            "2026-11-21T25:00:00Z",
            "２０２６",
            "2026-11-21T10Z",
            "2026-11-21T",
            "2026-11-21T10:00:00.Z",
            "20261121T100000Z",
            "2026-11-21T10:00:00+0100",
            "2026-11-21T10:00:00+01",
            "2026-11-21T1:00:00Z",
        ] {
            assert_eq!(ClaimedTime::parse(text), Err(TimeFault::Shape), "{text}");
        }
    }

    #[test]
    fn display_and_parse_are_inverse() {
        let at = Timestamp::from_micros(1_795_255_200_123_456);
        assert_eq!(at.to_string(), "2026-11-21T10:00:00.123456Z");
        assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
    }
}
