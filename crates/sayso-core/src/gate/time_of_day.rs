//! A time by the clock on the wall.

use std::fmt;

use thiserror::Error;

use crate::time::Span;

/// A time of day, as a clock on the wall shows it.
///
/// *Shape:* hours and minutes, `08:00`, from `00:00` to `23:59`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

/// A text that is no time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no time of day from 00:00 to 23:59")]
pub struct TimeOfDayFault;

impl TimeOfDay {
    /// Parses `08:00`.
    ///
    /// # Errors
    /// [`TimeOfDayFault`].
    pub fn parse(text: &str) -> Result<Self, TimeOfDayFault> {
        let two = |digits: &str| {
            let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|_| is_number)
        };
        let (hour, minute) = text.split_once(':').ok_or(TimeOfDayFault)?;
        let (hour, minute) = two(hour).zip(two(minute)).ok_or(TimeOfDayFault)?;
        if hour < 24 && minute < 60 { Ok(Self(hour * 60 + minute)) } else { Err(TimeOfDayFault) }
    }

    /// Minutes since midnight.
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// The time of day so many minutes after midnight; below a day.
    pub const fn from_minutes(minutes: u16) -> Option<Self> {
        if minutes < 24 * 60 { Some(Self(minutes)) } else { None }
    }

    pub(crate) fn since_midnight(self) -> Span {
        Span::minutes(i64::from(self.0))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}
