//! A day in UTC, as a token says it.

use std::fmt;

use crate::canonical::{Malformed, Reader, Writer};
use crate::limits;
use crate::time::{Span, Timestamp};

/// A day in UTC.
///
/// *Bounds:* 1970-01-01 to 2149-06-06; an instant outside them is of the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u16);

impl Day {
    /// The day of an instant.
    pub fn of(at: Timestamp) -> Self {
        let days = at.as_micros().div_euclid(Span::days(1).as_micros());
        Self(u16::try_from(days).unwrap_or(if days < 0 { 0 } else { u16::MAX }))
    }

    /// The day that is so many after 1970-01-01.
    pub const fn from_number(days: u16) -> Self {
        Self(days)
    }

    /// Whether it is one of the last [`limits::LINK_FRESH_DAYS`] days, today included. A day that is still to
    /// come is none: whoever wrote it had another clock.
    pub fn is_fresh(self, now: Timestamp) -> bool {
        let age = Self::of(now).0.checked_sub(self.0);
        age.is_some_and(|days| usize::from(days) < limits::LINK_FRESH_DAYS)
    }

    /// Writes it, in two bytes.
    pub(crate) fn write(self, to: &mut Writer) {
        to.raw(&self.0.to_be_bytes());
    }

    /// Reads it.
    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(u16::from_be_bytes(from.raw()?)))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Timestamp::from_micros(0).plus(Span::days(i64::from(self.0)));
        f.write_str(midnight.to_string().get(..10).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_of_utc_and_reads_as_a_date() {
        for (at, day) in [
            ("1970-01-01T00:00:00Z", "1970-01-01"),
            ("2026-11-21T23:59:59.999999Z", "2026-11-21"),
            ("2026-11-22T00:00:00Z", "2026-11-22"),
            ("1969-01-01T00:00:00Z", "1970-01-01"),
            ("2200-01-01T00:00:00Z", "2149-06-06"),
        ] {
            assert_eq!(Day::of(Timestamp::parse(at).unwrap()).to_string(), day, "{at}");
        }
    }
}
