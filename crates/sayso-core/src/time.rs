//! Instants and the times that people and systems claim.
//!
//! Every instant is UTC in microseconds. A claimed time may be coarser than that; rule 2 reads a
//! coarse time for the refusal: an opt-out at the end of its second or minute, an opt-in at its
//! start.

use std::fmt;

use thiserror::Error;

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
/// alone: `2026-11-21T10:00:00.25Z`, `2026-11-21T10:00Z`, `2026-11-21`. A date means that day in
/// UTC.
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

    /// Parses a time as claimed; its precision is what the text shows.
    ///
    /// # Errors
    /// [`TimeFault`] when the text is not RFC 3339 or names no zone.
    pub fn parse(text: &str) -> Result<Self, TimeFault> {
        if !text.is_ascii() {
            return Err(TimeFault::Shape);
        }
        let Some((date, clock)) = text.split_at_checked(10) else {
            return Err(TimeFault::Shape);
        };
        if clock.is_empty() {
            return Ok(Self::within(instant(&format!("{date}T00:00:00Z"))?, Span::days(1)));
        }
        let zone_at = clock
            .char_indices()
            .skip(1)
            .find(|(_, c)| matches!(c, 'Z' | 'z' | '+' | '-'))
            .map(|(at, _)| at)
            .ok_or(TimeFault::NoZone)?;
        let (clock, zone) = clock.split_at(zone_at);
        match clock.len() {
            6 => Ok(Self::within(instant(&format!("{date}{clock}:00{zone}"))?, Span::minutes(1))),
            9 => Ok(Self::within(instant(text)?, Span::seconds(1))),
            _ => Ok(Self::exact(instant(text)?)),
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
        let day = ClaimedTime::parse("2026-11-21").unwrap();
        assert_eq!(day.last().as_micros() - day.first().as_micros(), 86_399_999_999);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        assert_eq!(ClaimedTime::parse("2026-11-21T10:00:00"), Err(TimeFault::NoZone));
        for text in
            ["", "yesterday", "21.11.2026", "2026-13-01", "2026-11-21T25:00:00Z", "２０２６"]
        {
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
