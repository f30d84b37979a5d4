//! Time zones: where a person may be, and what time of day it is there.
//!
//! The rules of the zones are those of the time zone database that is built in; no file of the machine
//! is read, so the same question has the same answer everywhere. Which zones a region has is told by
//! `data/zone.tab`.
//!
//! Absent on purpose: offsets as people write them (`+02:00`), which know nothing of summer; and
//! guessing from an area code which zone of its country a number belongs to: numbers move with people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::OnceLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use thiserror::Error;

use crate::address::phone::Region;
use crate::limits;
use crate::time::{Span, Timestamp};

/// Which zones a region has: `data/README.md` tells how to renew it.
const ZONES_OF_REGIONS: &str = include_str!("../../data/zone.tab");

/// Regions of the phone metadata that `zone.tab` counts to another, or does not name.
const REGIONS_ELSEWHERE: [(&str, &str); 3] =
    [("AC", "Atlantic/St_Helena"), ("TA", "Atlantic/St_Helena"), ("XK", "Europe/Belgrade")];

/// A time zone.
///
/// *Shape:* a name of the IANA time zone database, `Europe/Berlin`; case does not matter when it is
/// read.
/// *Source:* <https://www.iana.org/time-zones>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zone(u16);

/// A text that names no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no time zone of the IANA database, which has names like Europe/Berlin")]
pub struct ZoneFault;

/// Where a person may be, as far as it is known: what is said of them, else what their number tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whereabouts {
    /// In one of these zones.
    Zones(Vec<Zone>),
    /// Somewhere in these regions.
    Regions(Vec<Region>),
    /// Anywhere on earth.
    Anywhere,
}

/// The offsets of a zone from some time on. Zones of equal courses have the same time of day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Course {
    first: Span,
    /// When the offset changes, in order, and what it is from then on.
    turns: Vec<(Timestamp, Span)>,
}

impl Zone {
    /// Parses a name.
    ///
    /// # Errors
    /// [`ZoneFault`].
    ///
    /// ```
    /// use sayso_core::gate::zone::Zone;
    ///
    /// let berlin = Zone::parse("europe/berlin")?;
    /// assert_eq!(berlin.to_string(), "Europe/Berlin");
    /// assert!(Zone::parse("Berlin").is_err());
    /// # Ok::<(), sayso_core::gate::zone::ZoneFault>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ZoneFault> {
        if text.len() > limits::ZONE_BYTES_MAX {
            return Err(ZoneFault);
        }
        table().find(text).ok_or(ZoneFault)
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        table().names.get(usize::from(self.0)).map_or("", |named| &named.name)
    }

    /// The zones of a region.
    pub fn of_region(region: Region) -> &'static [Self] {
        table().of_regions.get(&region).map_or(&[], Vec::as_slice)
    }

    /// Every zone that people live in.
    pub fn everywhere() -> &'static [Self] {
        &table().everywhere
    }

    /// What the time of day there is in UTC: the first and the last instant it can mean, where clocks
    /// are put back; none of years that the calendar does not have.
    pub(crate) fn in_utc(self, local: jiff::civil::DateTime) -> Option<(Timestamp, Timestamp)> {
        let zone = table().names.get(usize::from(self.0)).and_then(Named::zone)?;
        let ambiguous = zone.to_ambiguous_timestamp(local);
        let at = |instant: jiff::Timestamp| Timestamp::from_micros(instant.as_microsecond());
        Some((at(ambiguous.earlier().ok()?), at(ambiguous.later().ok()?)))
    }

    /// How its time of day goes from `from` until `until`.
    pub(crate) fn course(self, from: Timestamp, until: Timestamp) -> Course {
        let Some(zone) = table().names.get(usize::from(self.0)).and_then(Named::zone) else {
            return Course { first: Span::seconds(0), turns: Vec::new() };
        };
        let (from, until) = (instant(from), instant(until));
        let span = |offset: jiff::tz::Offset| Span::seconds(i64::from(offset.seconds()));
        let turns = zone
            .following(from)
            .take_while(|turn| turn.timestamp() <= until)
            .map(|turn| (Timestamp::from_micros(turn.timestamp().as_microsecond()), turn.offset()))
            .map(|(at, offset)| (at, span(offset)))
            .collect();
        Course { first: span(zone.to_offset(from)), turns }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Whereabouts {
    /// Where a person may be: the zone that the caller names, else those that their profiles name, else
    /// the regions of their number, else the workspace's own region, else anywhere.
    pub fn of(
        named: Option<Zone>,
        told: Vec<Zone>,
        of_number: Vec<Region>,
        workspace: Option<Region>,
    ) -> Self {
        if let Some(zone) = named {
            return Self::Zones(vec![zone]);
        }
        let told: BTreeSet<Zone> = told.into_iter().collect();
        if !told.is_empty() {
            return Self::Zones(told.into_iter().collect());
        }
        match (of_number.is_empty(), workspace) {
            (false, _) => Self::Regions(of_number),
            (true, Some(region)) => Self::Regions(vec![region]),
            (true, None) => Self::Anywhere,
        }
    }

    /// The zones in which the person may be; never none.
    pub fn zones(&self) -> Vec<Zone> {
        let zones: BTreeSet<Zone> = match self {
            Self::Zones(zones) => zones.iter().copied().collect(),
            Self::Regions(regions) => {
                regions.iter().flat_map(|region| Zone::of_region(*region)).copied().collect()
            }
            Self::Anywhere => BTreeSet::new(),
        };
        if zones.is_empty() { Zone::everywhere().to_vec() } else { zones.into_iter().collect() }
    }
}

impl Course {
    /// The offset at `at`, and when it changes next.
    pub(crate) fn at(&self, at: Timestamp) -> (Span, Option<Timestamp>) {
        let past = self.turns.partition_point(|(turn, _)| *turn <= at);
        let offset = past.checked_sub(1).and_then(|last| self.turns.get(last));
        let next = self.turns.get(past).map(|(turn, _)| *turn);
        (offset.map_or(self.first, |(_, offset)| *offset), next)
    }
}

/// The instant in the library's form; one beyond its range is cut to it.
fn instant(at: Timestamp) -> jiff::Timestamp {
    let cut =
        if at < Timestamp::from_micros(0) { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(cut)
}

/// All zones, by their names.
struct Table {
    /// In the order of their names in small letters.
    names: Vec<Named>,
    of_regions: BTreeMap<Region, Vec<Zone>>,
    everywhere: Vec<Zone>,
}

/// A zone, read when it is first asked about.
struct Named {
    name: String,
    folded: String,
    zone: OnceLock<Option<TimeZone>>,
}

impl Named {
    fn zone(&self) -> Option<&TimeZone> {
        self.zone.get_or_init(|| TimeZoneDatabase::bundled().get(&self.name).ok()).as_ref()
    }
}

impl Table {
    fn read() -> Self {
        let database = TimeZoneDatabase::bundled();
        let mut names: Vec<Named> = database
            .available()
            .map(|name| name.as_str().to_owned())
            .map(|name| Named { folded: name.to_ascii_lowercase(), name, zone: OnceLock::new() })
            .collect();
        names.sort_by(|one, other| one.folded.cmp(&other.folded));
        let mut table = Self { names, of_regions: BTreeMap::new(), everywhere: Vec::new() };
        let rows = ZONES_OF_REGIONS.lines().filter(|line| !line.starts_with('#'));
        let rows = rows.filter_map(|line| {
            let mut columns = line.split('\t');
            Some((columns.next()?, columns.nth(1)?))
        });
        let mut everywhere = BTreeSet::new();
        for (region, name) in rows.chain(REGIONS_ELSEWHERE) {
            let Some(zone) = table.find(name) else { continue };
            everywhere.insert(zone);
            // Where nobody has a telephone, nobody can be asked about.
            if let Ok(region) = Region::parse(region) {
                table.of_regions.entry(region).or_default().push(zone);
            }
        }
        table.everywhere = everywhere.into_iter().collect();
        table
    }

    fn find(&self, name: &str) -> Option<Zone> {
        let folded = name.to_ascii_lowercase();
        let at = self.names.binary_search_by(|named| named.folded.as_str().cmp(&folded)).ok()?;
        u16::try_from(at).ok().map(Zone)
    }
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(Table::read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn region(code: &str) -> Region {
        Region::parse(code).unwrap()
    }

    #[test]
    fn every_zone_of_the_file_is_known_and_every_region_has_one() {
        for line in ZONES_OF_REGIONS.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split('\t').nth(2).unwrap();
            let zone = zone(name);
            assert_eq!(zone.as_str(), name);
            assert!(table().names[usize::from(zone.0)].zone().is_some(), "{name}");
        }
        for region in Region::all() {
            assert!(!Zone::of_region(region).is_empty(), "{region}");
        }
        assert_eq!(Zone::of_region(region("DE")).len(), 2, "Berlin and Büsingen");
        assert!(Zone::of_region(region("US")).contains(&zone("Pacific/Honolulu")));
        assert!(!Zone::of_region(region("US")).contains(&zone("Pacific/Guam")), "GU");
    }

    #[test]
    fn a_name_is_read_in_any_case_and_nothing_else_is_a_zone() {
        assert_eq!(zone("AMERICA/new_york").as_str(), "America/New_York");
        assert_eq!(zone("US/Pacific").as_str(), "US/Pacific");
        for text in ["", "Berlin", "CEST", "+02:00", "Europe/", "Etc/Unknown", "../etc/passwd"] {
            assert_eq!(Zone::parse(text), Err(ZoneFault), "{text}");
        }
        assert_eq!(Zone::parse(&"a".repeat(limits::ZONE_BYTES_MAX + 1)), Err(ZoneFault));
    }

    #[test]
    fn a_course_tells_the_offset_before_and_after_each_change_of_the_clocks() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let course =
            zone("Europe/Berlin").course(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        let (spring, autumn) = (at("2026-03-29T01:00:00Z"), at("2026-10-25T01:00:00Z"));
        let second = Span::micros(1);
        assert_eq!(course.at(spring.minus(second)), (Span::hours(1), Some(spring)));
        assert_eq!(course.at(spring), (Span::hours(2), Some(autumn)));
        assert_eq!(course.at(autumn), (Span::hours(1), None));
        let (first, last) = (Timestamp::DISTANT_PAST, Timestamp::DISTANT_FUTURE);
        assert!(zone("UTC").course(first, last).turns.is_empty(), "beyond all times");
    }

    #[test]
    fn what_is_said_of_a_person_outweighs_their_number_and_that_the_workspace() {
        let (berlin, tokyo) = (zone("Europe/Berlin"), zone("Asia/Tokyo"));
        let (us, gb) = (region("US"), region("GB"));
        let of = Whereabouts::of;
        let named = Whereabouts::Zones(vec![berlin]);
        assert_eq!(of(Some(berlin), vec![tokyo], vec![us], Some(gb)), named);
        let told = Whereabouts::Zones([berlin.min(tokyo), berlin.max(tokyo)].to_vec());
        assert_eq!(of(None, vec![tokyo, berlin, tokyo], vec![us], Some(gb)), told);
        assert_eq!(of(None, vec![], vec![us], Some(gb)), Whereabouts::Regions(vec![us]));
        assert_eq!(of(None, vec![], vec![], Some(gb)), Whereabouts::Regions(vec![gb]));
        assert_eq!(of(None, vec![], vec![], None), Whereabouts::Anywhere);
        assert_eq!(Whereabouts::Anywhere.zones(), Zone::everywhere());
        assert_eq!(Whereabouts::Regions(vec![gb]).zones(), [zone("Europe/London")]);
    }
}
