//! Quiet hours and caps against the clock on the wall, as the library of time zones shows it.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeSet;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;
use proptest::sample::select;
use sayso_core::gate::cap::FrequencyCap;
use sayso_core::gate::pacing::Pacing;
use sayso_core::gate::quiet::QuietHours;
use sayso_core::gate::reason::{Reason, Reasons};
use sayso_core::gate::time_of_day::TimeOfDay;
use sayso_core::gate::zone::Zone;
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{Category, Channel, Message, Occasion};

/// Zones of both hemispheres, with and without summer time, with halves and quarters of hours, and one
/// that moves its clocks by half an hour.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "Pacific/Honolulu",
    "America/St_Johns",
    "America/Santiago",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
];

/// What the clock on the wall shows, in minutes since midnight.
fn minutes(zone: &TimeZone, at: Timestamp) -> i64 {
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap();
    let shown = instant.to_zoned(zone.clone());
    i64::from(shown.hour()) * 60 + i64::from(shown.minute())
}

/// Whether it is quiet by the definition alone.
fn is_quiet(hours: &QuietHours, zones: &[Zone], at: Timestamp) -> bool {
    let (from, to) = (i64::from(hours.from().minutes()), i64::from(hours.to().minutes()));
    let is_within = |shown: i64| {
        if from < to { from <= shown && shown < to } else { from <= shown || shown < to }
    };
    let database = TimeZoneDatabase::bundled();
    zones.iter().any(|zone| is_within(minutes(&database.get(zone.as_str()).unwrap(), at)))
}

fn hours() -> impl Strategy<Value = QuietHours> {
    let whole = (0_u16..96).prop_map(|quarter| quarter * 15);
    let time = prop_oneof![3 => whole, 1 => 0_u16..1_440];
    let distinct = (time.clone(), time).prop_filter("not empty", |(from, to)| from != to);
    distinct.prop_map(|(from, to)| {
        let time = |minutes| TimeOfDay::from_minutes(minutes).unwrap();
        QuietHours::new(time(from), time(to), [Category::Marketing].into()).unwrap()
    })
}

/// A moment of two years and the zones somebody may be in; half of the moments lie half a day around a
/// change of the clocks in one of them.
fn worlds() -> impl Strategy<Value = (Vec<Zone>, Timestamp)> {
    let start = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    let seconds = 0_i64..2 * 365 * 24 * 3_600;
    let anytime = (select(ZONES), seconds)
        .prop_map(move |(zone, seconds)| (zone, start.plus(Span::seconds(seconds))));
    let changes = select(vec![
        ("America/New_York", "2026-03-08T07:00:00Z"),
        ("Europe/Berlin", "2026-03-29T01:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
        ("Australia/Sydney", "2026-10-03T16:00:00Z"),
        ("Europe/London", "2026-10-25T01:00:00Z"),
        ("America/New_York", "2026-11-01T06:00:00Z"),
    ]);
    let near = (changes, -12_i64 * 3_600..12 * 3_600).prop_map(|((zone, change), seconds)| {
        (zone, Timestamp::parse(change).unwrap().plus(Span::seconds(seconds)))
    });
    let others = proptest::collection::vec(select(ZONES), 0..3);
    (prop_oneof![anytime, near], others).prop_map(|((zone, at), others)| {
        let names: BTreeSet<&str> = others.into_iter().chain([zone]).collect();
        (names.into_iter().map(|name| Zone::parse(name).unwrap()).collect(), at)
    })
}

proptest! {
    /// It is quiet until the answer, and not at it.
    #[test]
    fn the_first_open_instant_is_open_and_all_before_it_are_quiet(
        hours in hours(), (zones, at) in worlds(),
    ) {
        let open = hours.open_from(&zones, at);
        let end = open.unwrap_or_else(|| at.plus(limits::QUIET_SEARCH));
        let mut sample = at;
        while sample < end {
            prop_assert!(is_quiet(&hours, &zones, sample), "{sample} before {end}");
            sample = sample.plus(Span::seconds(599));
        }
        if let Some(open) = open {
            prop_assert!(!is_quiet(&hours, &zones, open), "{open}");
            prop_assert!(open == at || is_quiet(&hours, &zones, open.minus(Span::micros(1))));
        }
    }

    /// `retry_at` is true: at that time nothing holds the message back, a second earlier something did.
    #[test]
    fn at_retry_at_nothing_holds_the_message_back_and_a_second_earlier_something_does(
        hours in hours(),
        (zones, now) in worlds(),
        capped_for in proptest::option::of(1_i64..10 * 86_400),
        is_never_quiet in any::<bool>(),
    ) {
        let over = capped_for.map(|seconds| now.plus(Span::seconds(seconds)));
        let quiet = (!is_never_quiet).then_some((&hours, zones.as_slice()));
        let open_from = |at| quiet.map_or(Some(at), |(hours, zones)| hours.open_from(zones, at));
        let pacing = |at| Pacing::at(at, open_from, over);
        let held = pacing(now);
        prop_assert_eq!(held.reasons(now).iter().any(|it| it == Reason::FrequencyCap), over.is_some());
        let is_night = quiet.is_some_and(|(hours, zones)| is_quiet(hours, zones, now));
        prop_assert_eq!(held.reasons(now).iter().any(|it| it == Reason::QuietHours), is_night);
        match held.retry_at(now) {
            Some(retry_at) => {
                prop_assert!(held.reasons(now).pass_by_themselves() && now < retry_at);
                prop_assert_eq!(pacing(retry_at).reasons(retry_at), Reasons::NONE, "{}", retry_at);
                let before = retry_at.minus(Span::seconds(1)).max(now);
                prop_assert!(!pacing(before).reasons(before).is_empty(), "{before}");
            }
            None if held == Pacing::NONE => {}
            None => prop_assert!(quiet.is_some(), "caps end"),
        }
    }
}

#[test]
fn a_cap_that_is_over_by_night_lasts_until_the_morning() {
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let time = |text| TimeOfDay::parse(text).unwrap();
    let night =
        QuietHours::new(time("21:00"), time("08:00"), [Category::Marketing].into()).unwrap();
    let zones = [Zone::parse("Europe/Berlin").unwrap()];
    let open_from = |at| night.open_from(&zones, at);
    let noon = at("2026-11-21T11:00:00Z");
    let pacing = Pacing::at(noon, open_from, Some(at("2026-11-21T23:30:00Z")));
    assert_eq!(pacing.reasons(noon), Reasons::of(&[Reason::FrequencyCap]), "it is day now");
    assert_eq!(pacing.retry_at(noon), Some(at("2026-11-22T07:00:00Z")));
    let endless = Pacing::at(noon, |at| night.open_from(Zone::everywhere(), at), None);
    assert_eq!(endless.reasons(noon), Reasons::of(&[Reason::QuietHours]), "no end in sight");
    assert_eq!(endless.retry_at(noon), None);
}

#[test]
fn what_the_person_is_owed_waits_for_no_hour_and_no_cap() {
    let now = Timestamp::parse("2026-11-21T23:00:00Z").unwrap();
    let time = |text| TimeOfDay::parse(text).unwrap();
    let categories = [Category::Marketing, Category::Utility, Category::Service].into();
    let hours = QuietHours::new(time("21:00"), time("08:00"), categories).unwrap();
    let cap = |category| FrequencyCap::new(None, category, 1, 24).unwrap();
    let settings = Settings {
        quiet_hours: [(Channel::Sms, hours)].into(),
        frequency_caps: Category::ALL.iter().copied().map(cap).collect(),
        ..Settings::default()
    };
    let sms =
        |category, occasion| Message { occasion, ..Message::ordinary(Channel::Sms, category) };
    let is_held = |message: Message| {
        let caps = settings.frequency_caps_for(&message, now).count();
        (settings.quiet_hours_for(&message, now).is_some(), caps)
    };
    assert_eq!(is_held(sms(Category::Marketing, Occasion::Ordinary)), (true, 1));
    assert_eq!(is_held(sms(Category::Service, Occasion::Ordinary)), (true, 1));
    assert_eq!(is_held(sms(Category::Authentication, Occasion::Ordinary)), (false, 1));
    let elsewhere = Message::ordinary(Channel::WhatsApp, Category::Marketing);
    assert_eq!(is_held(elsewhere), (false, 1), "a cap without channel counts all of them");
    for owed in [
        sms(Category::Authentication, Occasion::Requested(now)),
        sms(Category::Service, Occasion::RefusalConfirmation(now)),
        sms(Category::Service, Occasion::HelpReply),
        sms(Category::Marketing, Occasion::OptInQuestion(None)),
    ] {
        assert_eq!(is_held(owed), (false, 0), "{owed:?}");
        assert!(!settings.paces(&owed, now));
    }
    let long_ago = now.minus(limits::REQUESTED_MESSAGE_WINDOW).minus(Span::seconds(1));
    assert_eq!(is_held(sms(Category::Authentication, Occasion::Requested(long_ago))), (false, 1));
}
