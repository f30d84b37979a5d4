//! Country packs: what the law and the practice of a country ask for, as data with sources.
//!
//! A workspace names the packs that apply. They feed the linter, the hours in which people are left alone,
//! and the end of what a relation implies. They are files in `data/policies`.
//!
//! Absent on purpose: public holidays, courts, and any promise that a pack is complete.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use crate::address::phone::Region;
use crate::gate::hours::OpenHours;
use crate::gate::zone::{Whereabouts, Zone};
use crate::policy::clause::{Clause, Grounds, clauses, heading, headings};
use crate::policy::demand::Demand;
use crate::time::Span;
use crate::words::channel::{Channel, words};

words! {
    /// A country pack.
    PackName {
        /// The United States.
        Us = "us", 1;
        /// Canada.
        Ca = "ca", 2;
        /// The European Union and the European Economic Area.
        Eu = "eu", 3;
        /// The United Kingdom.
        Uk = "uk", 4;
        /// India.
        In = "in", 5;
        /// Australia.
        Au = "au", 6;
        /// Brazil.
        Br = "br", 7;
    }
}

words! {
    /// What a relation rests on that implies consent.
    Basis {
        /// They bought, leased or traded something.
        Purchase = "purchase", 1;
        /// A written contract, from when it ended.
        Contract = "contract", 2;
        /// They asked or applied for something.
        Inquiry = "inquiry", 3;
        /// They gave to a charity or a party.
        Donation = "donation", 4;
        /// They worked for it without pay.
        Volunteering = "volunteering", 5;
        /// They are a member of it, from when that ended.
        Membership = "membership", 6;
    }
}

words! {
    /// What a pack says of double opt-in.
    DoubleOptIn {
        /// It is good practice, or the way to prove it.
        Advised = "advised", 1;
        /// Nothing less counts.
        Required = "required", 2;
    }
}

/// A part of a country.
///
/// *Shape:* ISO 3166-2, `US-TX`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subdivision(Box<str>);

/// A country pack.
#[derive(Debug)]
pub struct Pack {
    /// Which it is.
    pub name: PackName,
    /// Its version.
    pub version: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Where it applies.
    pub regions: Vec<Region>,
    /// What it demands of an offer.
    pub demands: Vec<Demand>,
    /// What it says of double opt-in.
    pub double_opt_in: Vec<AsksDoubleOptIn>,
    /// When people may be written to.
    pub hours: Vec<LegalHours>,
    /// How long a relation implies consent.
    pub implied: Vec<ImpliedTerm>,
    /// Within how many business days a stop is to be honored.
    pub stop_business_days: Option<(u32, Grounds)>,
    /// What else is to be known.
    pub notes: Vec<(&'static str, Grounds)>,
}

/// What a pack says of double opt-in on some channels.
#[derive(Debug)]
pub struct AsksDoubleOptIn {
    /// Whether it must be.
    pub is: DoubleOptIn,
    /// Where.
    pub channels: BTreeSet<Channel>,
    /// What that rests on.
    pub grounds: Grounds,
}

/// The hours of a country, or of a part of it.
#[derive(Debug)]
pub struct LegalHours {
    /// The part of the country that they are for; absent where they are for all of it.
    pub part: Option<Subdivision>,
    /// The zones in which that part lies.
    pub zones: BTreeSet<Zone>,
    /// The hours.
    pub open: OpenHours,
    /// The channels they are for.
    pub channels: BTreeSet<Channel>,
    /// What they rest on.
    pub grounds: Grounds,
}

/// How long a relation implies consent.
#[derive(Debug)]
pub struct ImpliedTerm {
    /// The relation.
    pub basis: Basis,
    /// Days from what made it; never more than the law's months or years.
    pub days: u32,
    /// Where.
    pub channels: BTreeSet<Channel>,
    /// What that rests on.
    pub grounds: Grounds,
}

/// Where a person may be, and which country's number they have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Where they may be.
    pub whereabouts: Whereabouts,
    /// The regions that their number may belong to.
    pub of_number: Vec<Region>,
    /// The parts of countries that their profiles name.
    pub parts: BTreeSet<Subdivision>,
}

impl Subdivision {
    /// Parses two letters, a hyphen, and one to three letters or digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (country, part) = text.split_once('-')?;
        Region::parse(country).ok()?;
        let fits = matches!(part.len(), 1..=3) && part.bytes().all(|it| it.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_ascii_uppercase().into()))
    }

    /// The country it is a part of.
    fn country(&self) -> Option<Region> {
        Region::parse(self.0.split('-').next()?).ok()
    }
}

impl fmt::Display for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pack {
    /// The pack of this name.
    pub fn named(name: PackName) -> &'static Self {
        static US: LazyLock<Pack> = LazyLock::new(|| Pack::read(PackName::Us));
        static CA: LazyLock<Pack> = LazyLock::new(|| Pack::read(PackName::Ca));
        static EU: LazyLock<Pack> = LazyLock::new(|| Pack::read(PackName::Eu));
        static UK: LazyLock<Pack> = LazyLock::new(|| Pack::read(PackName::Uk));
        static IN: LazyLock<Pack> = LazyLock::new(|| Pack::read(PackName::In));
        static AU: LazyLock<Pack> = LazyLock::new(|| Pack::read(PackName::Au));
        static BR: LazyLock<Pack> = LazyLock::new(|| Pack::read(PackName::Br));
        match name {
            PackName::Us => &US,
            PackName::Ca => &CA,
            PackName::Eu => &EU,
            PackName::Uk => &UK,
            PackName::In => &IN,
            PackName::Au => &AU,
            PackName::Br => &BR,
        }
    }

    const fn text(name: PackName) -> &'static str {
        match name {
            PackName::Us => include_str!("../../data/policies/us.tsv"),
            PackName::Ca => include_str!("../../data/policies/ca.tsv"),
            PackName::Eu => include_str!("../../data/policies/eu.tsv"),
            PackName::Uk => include_str!("../../data/policies/uk.tsv"),
            PackName::In => include_str!("../../data/policies/in.tsv"),
            PackName::Au => include_str!("../../data/policies/au.tsv"),
            PackName::Br => include_str!("../../data/policies/br.tsv"),
        }
    }

    fn read(name: PackName) -> Self {
        let text = Self::text(name);
        let all = |kind: &'static str| clauses(text).filter(move |clause| clause.kind == kind);
        let regions = heading(text, "regions").unwrap_or_default().split(' ');
        let stop = all("stop").next();
        Self {
            name,
            version: heading(text, "version").unwrap_or_default(),
            title: heading(text, "name").unwrap_or_default(),
            regions: regions.filter_map(|code| Region::parse(code).ok()).collect(),
            demands: clauses(text).filter_map(|clause| Demand::of(&clause)).collect(),
            double_opt_in: all("double_opt_in").filter_map(AsksDoubleOptIn::of).collect(),
            hours: all("hours").filter_map(|clause| LegalHours::of(clause, text)).collect(),
            implied: all("implied").filter_map(ImpliedTerm::of).collect(),
            stop_business_days: stop
                .and_then(|clause| Some((clause.value.parse().ok()?, clause.grounds))),
            notes: all("note").map(|clause| (clause.what, clause.grounds)).collect(),
        }
    }

    /// The hours that it has for messages on a channel to a person, each with the zone in which it counts.
    /// Where it is not known in which part of the country they are, those of every part count that their
    /// zone may mean.
    pub(crate) fn hours_at(
        &self,
        channel: Channel,
        place: &Place,
    ) -> impl Iterator<Item = (Zone, &OpenHours)> {
        let zones = self.zones_of(place);
        let own: Vec<&Subdivision> = place
            .parts
            .iter()
            .filter(|part| part.country().is_some_and(|it| self.regions.contains(&it)))
            .collect();
        let bearing = self.hours.iter().filter(move |hours| hours.channels.contains(&channel));
        bearing.flat_map(move |hours| {
            let counts = |zone: &Zone| match &hours.part {
                None => true,
                Some(part) if own.is_empty() => {
                    part.country().is_some() && hours.zones.contains(zone)
                }
                Some(part) => own.contains(&part),
            };
            let zones: Vec<Zone> = zones.iter().copied().filter(counts).collect();
            zones.into_iter().map(move |zone| (zone, &hours.open))
        })
    }

    /// The zones in which a person may be while the pack applies to them.
    fn zones_of(&self, place: &Place) -> BTreeSet<Zone> {
        let of_regions = |regions: &[Region]| -> BTreeSet<Zone> {
            regions.iter().flat_map(|region| Zone::of_region(*region)).copied().collect()
        };
        let is_ours = |region: &Region| self.regions.contains(region);
        match &place.whereabouts {
            Whereabouts::Anywhere => of_regions(&self.regions),
            Whereabouts::Regions(regions) => {
                let ours: Vec<Region> = regions.iter().copied().filter(is_ours).collect();
                of_regions(&ours)
            }
            Whereabouts::Zones(zones) => {
                let parts = place.parts.iter().filter_map(Subdivision::country);
                let belongs = place.of_number.iter().copied().chain(parts).any(|it| is_ours(&it));
                let here = of_regions(&self.regions);
                zones.iter().copied().filter(|zone| belongs || here.contains(zone)).collect()
            }
        }
    }

    /// How long a relation implies consent on a channel.
    pub fn implied_for(&self, basis: Basis, channel: Channel) -> Option<Span> {
        let mut terms = self.implied.iter();
        let term = terms.find(|term| term.basis == basis && term.channels.contains(&channel))?;
        Some(Span::days(i64::from(term.days)))
    }
}

impl AsksDoubleOptIn {
    fn of(clause: Clause) -> Option<Self> {
        let is = DoubleOptIn::parse(clause.what).ok()?;
        Some(Self { is, channels: clause.channels, grounds: clause.grounds })
    }
}

impl LegalHours {
    fn of(clause: Clause, text: &'static str) -> Option<Self> {
        let part = match clause.what {
            "-" => None,
            part => Some(Subdivision::parse(part)?),
        };
        let zones = headings(text, "zones").filter_map(|line| line.split_once('\t'));
        let own =
            zones.filter(|(of, _)| *of == clause.what).flat_map(|(_, zones)| zones.split(' '));
        Some(Self {
            zones: own.filter_map(|zone| Zone::parse(zone).ok()).collect(),
            part,
            open: OpenHours::parse(clause.value)?,
            channels: clause.channels,
            grounds: clause.grounds,
        })
    }
}

impl ImpliedTerm {
    fn of(clause: Clause) -> Option<Self> {
        let basis = Basis::parse(clause.what).ok()?;
        let days = clause.value.parse().ok()?;
        Some(Self { basis, days, channels: clause.channels, grounds: clause.grounds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::hours::open_from;
    use crate::policy::clause::assert_whole;
    use crate::policy::settings::Settings;
    use crate::time::Timestamp;
    use crate::words::channel::{Category, Message};

    fn region(code: &str) -> Region {
        Region::parse(code).unwrap()
    }

    fn in_zone(zone: &str, of_number: &[&str], parts: &[&str]) -> Place {
        Place {
            whereabouts: Whereabouts::Zones(vec![Zone::parse(zone).unwrap()]),
            of_number: of_number.iter().map(|code| region(code)).collect(),
            parts: parts.iter().map(|part| Subdivision::parse(part).unwrap()).collect(),
        }
    }

    #[track_caller]
    fn opens(packs: &[PackName], place: &Place, at: &str, open: &str) {
        let settings =
            Settings { country_packs: packs.iter().copied().collect(), ..Settings::default() };
        let message = Message::ordinary(Channel::Sms, Category::Marketing);
        let at = Timestamp::parse(at).unwrap();
        let found = open_from(settings.hours_for(&message, place, at), at);
        let found = found.unwrap_or(Timestamp::DISTANT_PAST);
        assert_eq!(found, Timestamp::parse(open).unwrap(), "{found}");
    }

    #[test]
    fn every_line_of_every_pack_is_read() {
        let kinds = ["show", "flaw", "double_opt_in", "hours", "implied", "stop", "note"];
        for name in PackName::ALL {
            let text = Pack::text(*name);
            assert_whole(text, &kinds, &["version", "name", "regions", "zones"]);
            let pack = Pack::named(*name);
            assert_eq!(pack.name, *name);
            assert!(!pack.title.is_empty() && !pack.version.is_empty(), "{name}");
            let stops = usize::from(pack.stop_business_days.is_some());
            let read = pack.demands.len()
                + pack.double_opt_in.len()
                + pack.hours.len()
                + pack.implied.len()
                + pack.notes.len()
                + stops;
            assert_eq!(read, clauses(text).count(), "{name}");
            let regions = heading(text, "regions").unwrap().split(' ').count();
            assert_eq!(pack.regions.len(), regions, "{name}");
            for hours in &pack.hours {
                assert_eq!(hours.part.is_some(), !hours.zones.is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn a_part_of_a_country_is_a_code_and_nothing_else() {
        assert_eq!(Subdivision::parse("us-tx").unwrap().to_string(), "US-TX");
        for text in ["", "US", "US-", "TX", "US-TEXAS", "ZZ-AA", "US-T X"] {
            assert_eq!(Subdivision::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_hours_of_a_state_count_where_the_person_is_known_to_be_in_it() {
        let us = &[PackName::Us];
        // Sunday 22 November 2026, nine in the morning in Chicago.
        let sunday = "2026-11-22T15:00:00Z";
        let texas = in_zone("America/Chicago", &["US"], &["US-TX"]);
        opens(us, &texas, sunday, "2026-11-22T18:00:00Z");
        let illinois = in_zone("America/Chicago", &["US"], &["US-IL"]);
        opens(us, &illinois, sunday, sunday);
        let rhode_island = in_zone("America/New_York", &["US"], &["US-RI"]);
        opens(us, &rhode_island, "2026-11-20T23:00:00Z", "2026-11-21T15:00:00Z");
    }

    #[test]
    fn where_the_state_is_unknown_the_narrowest_hours_that_its_zone_may_mean_count() {
        let us = &[PackName::Us];
        let sunday = "2026-11-22T15:00:00Z";
        opens(us, &in_zone("America/Chicago", &["US"], &[]), sunday, "2026-11-22T18:00:00Z");
        // No state with hours of its own lies in the zone of Los Angeles.
        let west = in_zone("America/Los_Angeles", &["US"], &[]);
        opens(us, &west, "2026-11-22T16:00:00Z", "2026-11-22T16:00:00Z");
        opens(us, &west, "2026-11-22T15:59:59Z", "2026-11-22T16:00:00Z");
    }

    #[test]
    fn a_pack_holds_back_those_whom_it_concerns_and_nobody_else() {
        let us = &[PackName::Us];
        // Four in the morning in Berlin.
        let night = "2026-11-21T03:00:00Z";
        let german = in_zone("Europe/Berlin", &["DE"], &[]);
        opens(us, &german, night, night);
        let traveller = in_zone("Europe/Berlin", &["US"], &[]);
        opens(us, &traveller, night, "2026-11-21T07:00:00Z");
        let anywhere = Place {
            whereabouts: Whereabouts::Anywhere,
            of_number: Vec::new(),
            parts: BTreeSet::new(),
        };
        opens(&[PackName::In], &anywhere, night, "2026-11-21T04:30:00Z");
        let indian = Place { whereabouts: Whereabouts::Regions(vec![region("IN")]), ..anywhere };
        opens(&[PackName::In], &indian, "2026-11-21T15:30:00Z", "2026-11-22T04:30:00Z");
        opens(&[PackName::Au], &indian, night, night);
    }

    #[test]
    fn packs_hold_back_marketing_on_their_channels_alone() {
        let settings = Settings { country_packs: [PackName::Us].into(), ..Settings::default() };
        let now = Timestamp::parse("2026-11-21T03:00:00Z").unwrap();
        let bears =
            |channel, category| settings.has_hours_for(&Message::ordinary(channel, category), now);
        assert!(bears(Channel::Sms, Category::Marketing));
        assert!(!bears(Channel::Sms, Category::Utility));
        assert!(!bears(Channel::Email, Category::Marketing));
    }

    #[test]
    fn what_a_relation_implies_ends_as_the_law_says() {
        let canada = Pack::named(PackName::Ca);
        let span = |basis| canada.implied_for(basis, Channel::Sms);
        assert_eq!(span(Basis::Purchase), Some(Span::days(730)));
        assert_eq!(span(Basis::Inquiry), Some(Span::days(181)));
        assert_eq!(Pack::named(PackName::Us).implied_for(Basis::Purchase, Channel::Sms), None);
    }
}
