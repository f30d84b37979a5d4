//! Policies, country packs and findings, as answers show them.

use sayso_core::policy::clause::Grounds;
use sayso_core::policy::demand::{Demand, Demanded, Severity};
use sayso_core::policy::offer::{DemandedBy, Every, Finding};
use sayso_core::policy::pack::{AsksDoubleOptIn, ImpliedTerm, LegalHours, Pack, PackName};
use sayso_core::policy::{Preset, PresetFile, Way};
use sayso_core::words::channel::Channel;
use serde::Serialize;
use utoipa::ToSchema;

/// What a clause rests on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroundsAnswer {
    /// Where it comes from.
    sources: Vec<SourceAnswer>,
    /// `confirmed`: seen with whoever makes the rule; `secondary`: told by others; `unconfirmed`: seen nowhere yet.
    #[schema(example = "confirmed")]
    confidence: &'static str,
    /// The day on which it was looked at.
    #[schema(example = "2026-11-21")]
    checked: &'static str,
}

/// Where a clause comes from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceAnswer {
    /// What it is.
    title: &'static str,
    /// Its address; absent where it has none.
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'static str,
}

/// Something that an offer must show, or must not do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DemandAnswer {
    /// What must be shown; absent where something must not be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "business")]
    shows: Option<&'static str>,
    /// What must not be done; absent where something must be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    avoids: Option<&'static str>,
    /// `error` or `warning`.
    #[schema(example = "error")]
    severity: &'static str,
    /// The channels it is about.
    channels: Vec<&'static str>,
    /// What it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    grounds: Option<GroundsAnswer>,
}

/// A way to collect an opt-in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WayAnswer {
    /// The way.
    #[schema(example = "form")]
    way: &'static str,
    /// What it rests on.
    grounds: GroundsAnswer,
}

/// What every opt-in needs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EveryAnswer {
    /// Its version.
    version: &'static str,
    /// What it is.
    title: &'static str,
    /// What it demands of an offer.
    demands: Vec<DemandAnswer>,
}

/// A policy that comes with Sayso.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PresetAnswer {
    /// Its name, for `policies` of the settings.
    #[schema(example = "meta-2024-11")]
    policy: &'static str,
    /// Its version, which the evidence of each opt-in names.
    #[schema(example = "1")]
    version: &'static str,
    /// What it is.
    title: &'static str,
    /// The least level that counts.
    #[schema(example = "single")]
    least_level: &'static str,
    /// How an opt-in may be collected.
    ways: Vec<WayAnswer>,
    /// What it demands of an offer.
    demands: Vec<DemandAnswer>,
}

/// What a pack says of double opt-in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DoubleOptInAnswer {
    /// `advised` or `required`.
    #[schema(example = "advised")]
    is: &'static str,
    /// Where.
    channels: Vec<&'static str>,
    /// What it rests on.
    grounds: GroundsAnswer,
}

/// When people may be written to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenHoursAnswer {
    /// The part of the country, ISO 3166-2; absent where they are for all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "US-TX")]
    region: Option<String>,
    /// The hours by the clock where the person is.
    #[schema(example = "mon-sat 09:00-21:00, sun 12:00-21:00")]
    open: String,
    /// The channels they are for.
    channels: Vec<&'static str>,
    /// What they rest on.
    grounds: GroundsAnswer,
}

/// How long a relation implies consent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImpliedAnswer {
    /// The relation, for `basis` of an implied consent.
    #[schema(example = "purchase")]
    basis: &'static str,
    /// Days from what made it.
    #[schema(example = 730)]
    days: u32,
    /// Where.
    channels: Vec<&'static str>,
    /// What it rests on.
    grounds: GroundsAnswer,
}

/// Within how many business days a stop is to be honored. Sayso does so at once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StopAnswer {
    /// Business days.
    #[schema(example = 10)]
    business_days: u32,
    /// What it rests on.
    grounds: GroundsAnswer,
}

/// What else is to be known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RemarkAnswer {
    /// In words.
    text: &'static str,
    /// What it rests on.
    grounds: GroundsAnswer,
}

/// A country pack.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PackAnswer {
    /// Its name, for `country_packs` of the settings.
    #[schema(example = "us")]
    country_pack: &'static str,
    /// Its version.
    #[schema(example = "1")]
    version: &'static str,
    /// What it is.
    title: &'static str,
    /// Where it applies, ISO 3166-1.
    regions: Vec<String>,
    /// What it demands of an offer that asks for marketing; of others it advises it.
    demands: Vec<DemandAnswer>,
    /// What it says of double opt-in.
    double_opt_in: Vec<DoubleOptInAnswer>,
    /// When people may be written to; at other times `check` says `quiet_hours` to marketing.
    hours: Vec<OpenHoursAnswer>,
    /// How long a relation implies consent.
    implied: Vec<ImpliedAnswer>,
    /// Within how many business days a stop is to be honored; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<StopAnswer>,
    /// What else is to be known.
    remarks: Vec<RemarkAnswer>,
}

/// The policies and country packs that come with Sayso.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoliciesAnswer {
    /// What every opt-in needs, by whatever policy.
    every: EveryAnswer,
    /// The policies.
    policies: Vec<PresetAnswer>,
    /// The country packs.
    country_packs: Vec<PackAnswer>,
}

/// Who demands something of an offer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DemandedByAnswer {
    /// `sayso`, a policy or a country pack.
    #[schema(example = "meta-2024-11")]
    name: &'static str,
    /// Which version of it.
    #[schema(example = "1")]
    version: String,
    /// How bad it is there.
    #[schema(example = "error")]
    severity: &'static str,
    /// What that rests on; absent for a policy of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    grounds: Option<GroundsAnswer>,
}

/// Something that an offer lacks or does wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingAnswer {
    /// What it is.
    #[schema(example = "business_missing")]
    code: &'static str,
    /// The worst that somebody says of it: `error` or `warning`.
    #[schema(example = "error")]
    severity: &'static str,
    /// The channels that it concerns.
    channels: Vec<&'static str>,
    /// What to write or do instead.
    advice: &'static str,
    /// Who demands it.
    demanded_by: Vec<DemandedByAnswer>,
}

fn words<'a>(channels: impl IntoIterator<Item = &'a Channel>) -> Vec<&'static str> {
    channels.into_iter().map(|channel| channel.as_str()).collect()
}

impl GroundsAnswer {
    fn of(grounds: Grounds) -> Self {
        let sources = grounds.references();
        Self {
            sources: sources.map(|it| SourceAnswer { title: it.title, url: it.url }).collect(),
            confidence: grounds.confidence.as_str(),
            checked: grounds.checked,
        }
    }
}

impl DemandAnswer {
    fn all(demands: &[Demand]) -> Vec<Self> {
        demands.iter().map(Self::of).collect()
    }

    fn of(demand: &Demand) -> Self {
        let (shows, avoids) = match demand.of {
            Demanded::Show(shown) => (Some(shown.as_str()), None),
            Demanded::Avoid(flaw) => (None, Some(flaw.as_str())),
        };
        Self {
            shows,
            avoids,
            severity: demand.severity.as_str(),
            channels: words(&demand.channels),
            grounds: demand.grounds.map(GroundsAnswer::of),
        }
    }
}

impl PresetAnswer {
    fn of(file: &'static PresetFile) -> Self {
        let way = |(way, grounds): &(Way, Grounds)| WayAnswer {
            way: way.as_str(),
            grounds: GroundsAnswer::of(*grounds),
        };
        Self {
            policy: file.preset.as_str(),
            version: file.version,
            title: file.title,
            least_level: file.terms.least_level.as_str(),
            ways: file.ways.iter().map(way).collect(),
            demands: DemandAnswer::all(&file.demands),
        }
    }
}

impl PackAnswer {
    fn of(pack: &'static Pack) -> Self {
        let stop = pack.stop_business_days.map(|(business_days, grounds)| StopAnswer {
            business_days,
            grounds: GroundsAnswer::of(grounds),
        });
        let remark = |(text, grounds): &(&'static str, Grounds)| RemarkAnswer {
            text,
            grounds: GroundsAnswer::of(*grounds),
        };
        Self {
            country_pack: pack.name.as_str(),
            version: pack.version,
            title: pack.title,
            regions: pack.regions.iter().map(ToString::to_string).collect(),
            demands: DemandAnswer::all(&pack.demands),
            double_opt_in: pack.double_opt_in.iter().map(DoubleOptInAnswer::of).collect(),
            hours: pack.hours.iter().map(OpenHoursAnswer::of).collect(),
            implied: pack.implied.iter().map(ImpliedAnswer::of).collect(),
            stop,
            remarks: pack.notes.iter().map(remark).collect(),
        }
    }
}

impl DoubleOptInAnswer {
    fn of(asks: &AsksDoubleOptIn) -> Self {
        let grounds = GroundsAnswer::of(asks.grounds);
        Self { is: asks.is.as_str(), channels: words(&asks.channels), grounds }
    }
}

impl OpenHoursAnswer {
    fn of(hours: &LegalHours) -> Self {
        Self {
            region: hours.part.as_ref().map(ToString::to_string),
            open: hours.open.to_string(),
            channels: words(&hours.channels),
            grounds: GroundsAnswer::of(hours.grounds),
        }
    }
}

impl ImpliedAnswer {
    fn of(term: &ImpliedTerm) -> Self {
        Self {
            basis: term.basis.as_str(),
            days: term.days,
            channels: words(&term.channels),
            grounds: GroundsAnswer::of(term.grounds),
        }
    }
}

impl PoliciesAnswer {
    /// All of them.
    pub(crate) fn all() -> Self {
        let every = Every::opt_in();
        let packs = PackName::ALL.iter().map(|name| PackAnswer::of(Pack::named(*name)));
        Self {
            every: EveryAnswer {
                version: every.version,
                title: every.title,
                demands: DemandAnswer::all(&every.demands),
            },
            policies: Preset::ALL.iter().map(|it| PresetAnswer::of(it.file())).collect(),
            country_packs: packs.collect(),
        }
    }
}

impl FindingAnswer {
    /// How a finding is shown.
    pub(crate) fn of(finding: &Finding) -> Self {
        let by = |by: &DemandedBy| DemandedByAnswer {
            name: by.name,
            version: by.version.to_string(),
            severity: by.severity.as_str(),
            grounds: by.grounds.map(GroundsAnswer::of),
        };
        Self {
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
            channels: words(&finding.channels),
            advice: finding.code.advice(),
            demanded_by: finding.demanded_by.iter().map(by).collect(),
        }
    }

    /// A form without origins: no page may show it.
    pub(crate) fn origins_missing(channels: &[Channel]) -> Self {
        Self {
            code: "origins_missing",
            severity: Severity::Warning.as_str(),
            channels: words(channels),
            advice: "Name the pages that are to show it in `origins`, such as `https://shop.example`. Until then the form opens at its own address alone: code that is pasted into a page shows nothing.",
            demanded_by: Vec::new(),
        }
    }

    /// Whether somebody says that it is an error.
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error.as_str()
    }
}
