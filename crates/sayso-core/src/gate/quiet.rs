//! Quiet hours: when people are left alone, by the clock where they are.
//!
//! It is quiet at an instant where the clock on the wall shows a time from `from` on and before `to`.
//! Nothing else counts: an hour that the clocks skip is nobody's, and one that they show twice is quiet
//! twice. Of somebody who may be in several zones, it is quiet where it is quiet in any.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::gate::time_of_day::TimeOfDay;
use crate::time::Span;
use crate::words::channel::Category;

const DAY: Span = Span::days(1);

/// When people are left alone on a channel, and with what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuietHours {
    from: TimeOfDay,
    to: TimeOfDay,
    categories: BTreeSet<Category>,
}

/// Why hours are no quiet hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum QuietHoursFault {
    /// They begin when they end.
    #[error("is the time at which they begin")]
    Empty,
    /// They hold nothing back.
    #[error("names no category")]
    NoCategory,
    /// A code that somebody waits for is of no use in the morning.
    #[error("names authentication, which never waits")]
    Authentication,
}

impl QuietHours {
    /// The hours from `from` until `to`, over midnight where that is earlier, for these categories.
    ///
    /// # Errors
    /// [`QuietHoursFault`].
    pub fn new(
        from: TimeOfDay,
        to: TimeOfDay,
        categories: BTreeSet<Category>,
    ) -> Result<Self, QuietHoursFault> {
        if from == to {
            return Err(QuietHoursFault::Empty);
        }
        if categories.is_empty() {
            return Err(QuietHoursFault::NoCategory);
        }
        if categories.contains(&Category::Authentication) {
            return Err(QuietHoursFault::Authentication);
        }
        Ok(Self { from, to, categories })
    }

    /// When they begin.
    pub const fn from(&self) -> TimeOfDay {
        self.from
    }

    /// When they are over.
    pub const fn to(&self) -> TimeOfDay {
        self.to
    }

    /// The categories they hold back.
    pub const fn categories(&self) -> &BTreeSet<Category> {
        &self.categories
    }

    /// How long it is still quiet by a clock that shows this time.
    pub(crate) fn left(&self, since_midnight: Span) -> Option<Span> {
        let (from, to) = (self.from.since_midnight(), self.to.since_midnight());
        let over_midnight = to < from;
        let until = |end: Span| Span::micros(end.as_micros() - since_midnight.as_micros());
        if over_midnight && since_midnight >= from {
            return Some(until(Span::micros(to.as_micros() + DAY.as_micros())));
        }
        let is_quiet = since_midnight < to && (over_midnight || since_midnight >= from);
        is_quiet.then(|| until(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::phone::Region;
    use crate::gate::time_of_day::TimeOfDayFault;
    use crate::gate::zone::Zone;
    use crate::time::Timestamp;

    fn hours(from: &str, to: &str) -> QuietHours {
        let time = |text| TimeOfDay::parse(text).unwrap();
        QuietHours::new(time(from), time(to), [Category::Marketing].into()).unwrap()
    }

    #[track_caller]
    fn opens(from_to: (&str, &str), zones: &[&str], at: &str, open: &str) {
        let zones: Vec<Zone> = zones.iter().map(|zone| Zone::parse(zone).unwrap()).collect();
        let instant = |text| Timestamp::parse(text).unwrap();
        let found = hours(from_to.0, from_to.1).open_from(&zones, instant(at));
        assert_eq!(found, Some(instant(open)), "{}", found.unwrap_or(Timestamp::DISTANT_PAST));
    }

    const NIGHT: (&str, &str) = ("21:00", "08:00");

    #[test]
    fn hours_over_midnight_and_by_day_end_at_their_exact_edges() {
        let utc = &["UTC"];
        opens(NIGHT, utc, "2026-11-21T20:59:59.999999Z", "2026-11-21T20:59:59.999999Z");
        opens(NIGHT, utc, "2026-11-21T21:00:00Z", "2026-11-22T08:00:00Z");
        opens(NIGHT, utc, "2026-11-21T00:00:00Z", "2026-11-21T08:00:00Z");
        opens(NIGHT, utc, "2026-11-21T07:59:59.999999Z", "2026-11-21T08:00:00Z");
        opens(NIGHT, utc, "2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z");
        let noon = ("12:30", "14:00");
        opens(noon, utc, "2026-11-21T12:29:59Z", "2026-11-21T12:29:59Z");
        opens(noon, utc, "2026-11-21T12:30:00Z", "2026-11-21T14:00:00Z");
        opens(noon, utc, "2026-11-21T23:00:00Z", "2026-11-21T23:00:00Z");
        let from_midnight = ("00:00", "06:00");
        opens(from_midnight, utc, "2026-11-21T23:59:59Z", "2026-11-21T23:59:59Z");
        opens(from_midnight, utc, "2026-11-22T00:00:00Z", "2026-11-22T06:00:00Z");
        let until_midnight = ("20:00", "00:00");
        opens(until_midnight, utc, "2026-11-21T20:00:00Z", "2026-11-22T00:00:00Z");
    }

    #[test]
    fn the_clock_of_the_place_counts_on_both_hemispheres_and_at_odd_offsets() {
        opens(NIGHT, &["America/New_York"], "2026-11-21T12:59:00Z", "2026-11-21T13:00:00Z");
        opens(NIGHT, &["America/New_York"], "2026-07-21T11:59:00Z", "2026-07-21T12:00:00Z");
        opens(NIGHT, &["Australia/Sydney"], "2026-11-21T10:00:00Z", "2026-11-21T21:00:00Z");
        opens(NIGHT, &["Australia/Sydney"], "2026-07-21T11:00:00Z", "2026-07-21T22:00:00Z");
        opens(NIGHT, &["Asia/Kolkata"], "2026-11-21T15:30:00Z", "2026-11-22T02:30:00Z");
        opens(NIGHT, &["Asia/Kathmandu"], "2026-11-21T15:15:00Z", "2026-11-22T02:15:00Z");
        opens(NIGHT, &["Pacific/Kiritimati"], "2026-11-21T07:00:00Z", "2026-11-21T18:00:00Z");
    }

    #[test]
    fn a_night_in_which_the_clocks_change_ends_by_the_new_time() {
        // Berlin loses an hour on 29 March 2026 at 01:00Z and gains one on 25 October at 01:00Z.
        opens(NIGHT, &["Europe/Berlin"], "2026-03-28T20:00:00Z", "2026-03-29T06:00:00Z");
        opens(NIGHT, &["Europe/Berlin"], "2026-10-24T19:00:00Z", "2026-10-25T07:00:00Z");
        // Sydney gains an hour on 5 April 2026 and loses one on 4 October.
        opens(NIGHT, &["Australia/Sydney"], "2026-04-04T10:00:00Z", "2026-04-04T22:00:00Z");
        opens(NIGHT, &["Australia/Sydney"], "2026-10-03T11:00:00Z", "2026-10-03T21:00:00Z");
        // Lord Howe moves its clocks by half an hour.
        opens(NIGHT, &["Australia/Lord_Howe"], "2026-04-04T10:00:00Z", "2026-04-04T21:30:00Z");
    }

    #[test]
    fn an_hour_that_the_clocks_skip_is_nobodys_and_one_they_show_twice_is_quiet_twice() {
        // 02:00 to 03:00 is skipped, so quiet hours that would end within end where it begins.
        opens(
            ("01:00", "02:30"),
            &["Europe/Berlin"],
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:00:00Z",
        );
        // And those within it are not at all.
        opens(
            ("02:10", "02:50"),
            &["Europe/Berlin"],
            "2026-03-29T00:59:00Z",
            "2026-03-29T00:59:00Z",
        );
        opens(
            ("02:10", "02:50"),
            &["Europe/Berlin"],
            "2026-03-29T01:20:00Z",
            "2026-03-29T01:20:00Z",
        );
        // 02:00 to 03:00 comes twice.
        opens(
            ("01:00", "02:30"),
            &["Europe/Berlin"],
            "2026-10-25T00:10:00Z",
            "2026-10-25T00:30:00Z",
        );
        opens(
            ("01:00", "02:30"),
            &["Europe/Berlin"],
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
        );
        // Quiet until the clocks go back, they show a quiet time again.
        opens(
            ("01:00", "03:00"),
            &["Europe/Berlin"],
            "2026-10-25T00:30:00Z",
            "2026-10-25T02:00:00Z",
        );
    }

    #[test]
    fn who_may_be_in_several_zones_is_left_alone_while_it_is_quiet_in_any() {
        let coasts = &["America/New_York", "America/Los_Angeles"];
        opens(NIGHT, coasts, "2026-11-21T13:00:00Z", "2026-11-21T16:00:00Z");
        opens(NIGHT, coasts, "2026-11-21T16:00:00Z", "2026-11-21T16:00:00Z");
        opens(NIGHT, coasts, "2026-11-22T01:59:59Z", "2026-11-22T01:59:59Z");
        opens(NIGHT, coasts, "2026-11-22T02:00:00Z", "2026-11-22T16:00:00Z");
        let opposite = ["Europe/London", "Pacific/Auckland"];
        let zones = opposite.map(|zone| Zone::parse(zone).unwrap());
        let at = Timestamp::parse("2026-07-21T12:00:00Z").unwrap();
        assert_eq!(hours("20:00", "09:00").open_from(&zones, at), None, "no hour fits both");
    }

    #[test]
    fn a_country_of_many_zones_leaves_the_hours_that_are_day_in_all_of_them() {
        let zones = |code| Zone::of_region(Region::parse(code).unwrap());
        let at = |text| Timestamp::parse(text).unwrap();
        let night = hours(NIGHT.0, NIGHT.1);
        // From eight in Kaliningrad until nine in Kamchatka.
        let (opens, closes) = (at("2026-11-21T06:00:00Z"), at("2026-11-21T09:00:00Z"));
        assert_eq!(night.open_from(zones("RU"), at("2026-11-20T09:00:00Z")), Some(opens));
        let last = closes.minus(Span::micros(1));
        assert_eq!(night.open_from(zones("RU"), last), Some(last));
        assert_eq!(night.open_from(zones("RU"), closes), Some(at("2026-11-22T06:00:00Z")));
        assert_eq!(
            night.open_from(zones("US"), at("2026-11-21T02:00:00Z")),
            Some(at("2026-11-21T18:00:00Z")),
            "from nine in New York until eight in Honolulu"
        );
    }

    #[test]
    fn no_hour_of_the_day_is_day_everywhere_on_earth() {
        let at = Timestamp::parse("2026-11-21T12:00:00Z").unwrap();
        assert_eq!(hours("21:00", "08:00").open_from(Zone::everywhere(), at), None);
        assert_eq!(
            hours("12:00", "12:01").open_from(Zone::everywhere(), at),
            Some(at.plus(Span::minutes(1)))
        );
    }

    #[test]
    fn only_what_can_be_quiet_hours_is_taken() {
        let time = |text| TimeOfDay::parse(text).unwrap();
        let new = |from, to, categories: &[Category]| {
            QuietHours::new(time(from), time(to), categories.iter().copied().collect())
        };
        let marketing = [Category::Marketing];
        assert_eq!(new("08:00", "08:00", &marketing), Err(QuietHoursFault::Empty));
        assert_eq!(new("21:00", "08:00", &[]), Err(QuietHoursFault::NoCategory));
        let all = new("21:00", "08:00", Category::ALL);
        assert_eq!(all, Err(QuietHoursFault::Authentication));
        for text in ["", "8:00", "08", "24:00", "12:60", "+1:00", "08:00:00", " 08:00", "٠٨:٠٠"]
        {
            assert_eq!(TimeOfDay::parse(text), Err(TimeOfDayFault), "{text}");
        }
        assert_eq!(time("23:59").to_string(), "23:59");
        assert_eq!(TimeOfDay::from_minutes(1_440), None);
    }
}
