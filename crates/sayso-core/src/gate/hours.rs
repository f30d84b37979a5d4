//! Hours by the clock where a person is: a workspace's own quiet hours, and the hours that a country leaves
//! open on each day of the week.
//!
//! Of somebody who may be in several places, it is quiet where it is quiet in any; what two rules say of one
//! place holds together, so the stricter one wins.

use std::collections::BTreeSet;
use std::fmt;

use crate::gate::quiet::QuietHours;
use crate::gate::time_of_day::TimeOfDay;
use crate::gate::zone::{Course, Zone};
use crate::limits;
use crate::time::{Span, Timestamp};

const DAY: Span = Span::days(1);

/// A day of the week, as hours name it.
const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// When people may be written to, on each day of the week, Monday first; never on a day without hours.
///
/// *Shape:* `mon-sat 09:00-21:00, sun 12:00-21:00`; `all` is every day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpenHours([Option<(TimeOfDay, TimeOfDay)>; 7]);

/// Hours of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hours<'a> {
    /// It is quiet within.
    Quiet(&'a QuietHours),
    /// It is quiet outside.
    Open(&'a OpenHours),
}

impl OpenHours {
    /// Parses the text form; each day at most once.
    pub fn parse(text: &str) -> Option<Self> {
        let mut week = [None; 7];
        for part in text.split(", ") {
            let (days, hours) = part.split_once(' ')?;
            let (from, to) = hours.split_once('-')?;
            let (from, to) = TimeOfDay::parse(from).ok().zip(TimeOfDay::parse(to).ok())?;
            let place = |day: &str| WEEK.iter().position(|known| *known == day);
            let (first, last) = match days.split_once('-') {
                None if days == "all" => (0, 6),
                None => (place(days)?, place(days)?),
                Some((first, last)) => (place(first)?, place(last)?),
            };
            for day in week.get_mut(first..=last)? {
                let is_new = day.replace((from, to)).is_none();
                if !is_new || from >= to {
                    return None;
                }
            }
        }
        Some(Self(week))
    }

    /// The hours of each day, Monday first.
    pub fn week(&self) -> impl Iterator<Item = (&'static str, Option<(TimeOfDay, TimeOfDay)>)> {
        WEEK.into_iter().zip(self.0)
    }

    /// How long it is still quiet by a clock that shows this time; no longer than until midnight.
    fn left(&self, shown: Span) -> Option<Span> {
        let micros = shown.as_micros();
        let since_midnight = micros.rem_euclid(DAY.as_micros());
        // 1 January 1970 was a Thursday.
        let day = micros.div_euclid(DAY.as_micros()).saturating_add(3).rem_euclid(7);
        let hours = usize::try_from(day).ok().and_then(|day| self.0.get(day)).copied().flatten();
        let at = |time: TimeOfDay| Span::minutes(i64::from(time.minutes())).as_micros();
        match hours {
            Some((from, to)) if (at(from)..at(to)).contains(&since_midnight) => None,
            Some((from, _)) if since_midnight < at(from) => {
                Some(Span::micros(at(from) - since_midnight))
            }
            Some(_) | None => Some(Span::micros(DAY.as_micros() - since_midnight)),
        }
    }
}

impl fmt::Display for OpenHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<(usize, usize, (TimeOfDay, TimeOfDay))> = Vec::new();
        for (day, hours) in self.0.iter().enumerate() {
            let Some(hours) = hours else { continue };
            match parts.last_mut() {
                Some((_, last, same)) if same == hours && *last + 1 == day => *last = day,
                Some(_) | None => parts.push((day, day, *hours)),
            }
        }
        let name = |day: usize| WEEK.get(day).copied().unwrap_or_default();
        for (place, (first, last, (from, to))) in parts.into_iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            match (first, last) {
                (0, 6) => write!(f, "{comma}all {from}-{to}")?,
                _ if first == last => write!(f, "{comma}{} {from}-{to}", name(first))?,
                _ => write!(f, "{comma}{}-{} {from}-{to}", name(first), name(last))?,
            }
        }
        Ok(())
    }
}

impl QuietHours {
    /// The first instant from `at` on at which it is quiet in none of `zones`: `at` itself where it is
    /// not quiet. None where there is no such instant within [`QUIET_SEARCH`].
    ///
    /// [`QUIET_SEARCH`]: crate::limits::QUIET_SEARCH
    pub fn open_from(&self, zones: &[Zone], at: Timestamp) -> Option<Timestamp> {
        open_from(zones.iter().map(|zone| (*zone, Hours::Quiet(self))), at)
    }
}

impl Hours<'_> {
    /// How long it is still quiet by a clock that shows this time, counted from midnight of 1 January 1970.
    fn left(self, shown: Span) -> Option<Span> {
        match self {
            Self::Quiet(hours) => {
                hours.left(Span::micros(shown.as_micros().rem_euclid(DAY.as_micros())))
            }
            Self::Open(hours) => hours.left(shown),
        }
    }

    /// When it ends to be quiet in a zone of this course; `None` where it is not quiet at `at`.
    fn end(self, course: &Course, at: Timestamp) -> Option<Timestamp> {
        let (offset, turn) = course.at(at);
        let left = self.left(Span::micros(at.plus(offset).as_micros()))?;
        let end = at.plus(left);
        match turn {
            // The clocks change before: what they show then decides.
            Some(turn) if turn < end => Some(self.end(course, turn).unwrap_or(turn)),
            Some(_) | None => Some(end),
        }
    }
}

/// The first instant from `at` on at which it is quiet nowhere by any of these hours: `at` itself where it
/// is not quiet. None where there is no such instant within [`limits::QUIET_SEARCH`].
pub fn open_from<'a>(
    hours: impl IntoIterator<Item = (Zone, Hours<'a>)>,
    at: Timestamp,
) -> Option<Timestamp> {
    let until = at.plus(limits::QUIET_SEARCH);
    // Few zones differ within days, so a whole continent is a handful of courses.
    let courses: BTreeSet<(Course, Hours<'a>)> =
        hours.into_iter().map(|(zone, hours)| (zone.course(at, until), hours)).collect();
    let mut open = at;
    // Until the latest of the ends it is quiet in the zone whose end that is.
    while let Some(end) = courses.iter().filter_map(|(course, it)| it.end(course, open)).max() {
        if end > until {
            return None;
        }
        open = end;
    }
    Some(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> OpenHours {
        OpenHours::parse(text).unwrap()
    }

    #[track_caller]
    fn opens(hours: &str, zones: &[&str], at: &str, found: &str) {
        let hours = open(hours);
        let zones = zones.iter().map(|zone| (Zone::parse(zone).unwrap(), Hours::Open(&hours)));
        let instant = |text| Timestamp::parse(text).unwrap();
        let first = open_from(zones, instant(at));
        assert_eq!(first, Some(instant(found)), "{}", first.unwrap_or(Timestamp::DISTANT_PAST));
    }

    #[test]
    fn hours_are_those_of_the_day_of_the_week() {
        let texas = "mon-sat 09:00-21:00, sun 12:00-21:00";
        let chicago = &["America/Chicago"];
        // 2026-11-21 is a Saturday; Chicago is six hours behind.
        opens(texas, chicago, "2026-11-21T15:00:00Z", "2026-11-21T15:00:00Z");
        opens(texas, chicago, "2026-11-21T14:59:59Z", "2026-11-21T15:00:00Z");
        opens(texas, chicago, "2026-11-22T03:00:00Z", "2026-11-22T18:00:00Z");
        opens(texas, chicago, "2026-11-22T15:00:00Z", "2026-11-22T18:00:00Z");
        opens(texas, chicago, "2026-11-23T03:00:00Z", "2026-11-23T15:00:00Z");
    }

    #[test]
    fn a_day_without_hours_is_quiet_from_midnight_to_midnight() {
        let calls = "mon-fri 09:00-20:00, sat 09:00-17:00";
        let sydney = &["Australia/Sydney"];
        // Saturday 17:00 in Sydney is 06:00Z; Monday 09:00 is Sunday 22:00Z.
        opens(calls, sydney, "2026-11-21T05:59:59Z", "2026-11-21T05:59:59Z");
        opens(calls, sydney, "2026-11-21T06:00:00Z", "2026-11-22T22:00:00Z");
    }

    #[test]
    fn the_stricter_of_two_hours_wins_and_own_quiet_hours_hold_beside() {
        let (federal, florida) = (open("all 08:00-21:00"), open("all 08:00-20:00"));
        let new_york = Zone::parse("America/New_York").unwrap();
        let at = |text| Timestamp::parse(text).unwrap();
        let both = [Hours::Open(&federal), Hours::Open(&florida)];
        // Eight in the evening in New York is 01:00Z.
        let found = open_from(both.map(|hours| (new_york, hours)), at("2026-11-21T01:00:00Z"));
        assert_eq!(found, Some(at("2026-11-21T13:00:00Z")));
        let time = |text| TimeOfDay::parse(text).unwrap();
        let categories = [crate::words::channel::Category::Marketing].into();
        let own = QuietHours::new(time("07:00"), time("10:00"), categories).unwrap();
        let with_own = both.into_iter().chain([Hours::Quiet(&own)]);
        let found = open_from(with_own.map(|it| (new_york, it)), at("2026-11-21T01:00:00Z"));
        assert_eq!(found, Some(at("2026-11-21T15:00:00Z")));
    }

    #[test]
    fn hours_are_shown_as_they_are_written_and_nothing_else_is_read() {
        for text in [
            "all 08:00-21:00",
            "mon-sat 09:00-21:00, sun 12:00-21:00",
            "mon-fri 09:00-18:00, sat-sun 10:00-17:00",
            "mon-fri 09:00-20:00, sat 09:00-17:00",
        ] {
            assert_eq!(open(text).to_string(), text);
        }
        for text in [
            "",
            "all",
            "mon 21:00-08:00",
            "sun-mon 08:00-09:00",
            "mon 8-9",
            "day 08:00-09:00",
            "mon-fri 08:00-09:00, fri 08:00-09:00",
        ] {
            assert_eq!(OpenHours::parse(text), None, "{text}");
        }
    }
}
