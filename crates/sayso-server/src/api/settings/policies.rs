//! Policies and country packs of a workspace, as requests and answers have them.

use std::collections::{BTreeMap, BTreeSet};

use sayso_core::policy::demand::Shown;
use sayso_core::policy::settings::Settings;
use sayso_core::policy::{Policies, Policy, Preset, Terms, Way};
use sayso_core::words::channel::Channel;
use sayso_core::words::statement::Level;
use serde::Serialize;
use utoipa::ToSchema;

use super::parse_channel;
use crate::body::texts::{LevelText, ShownText, WayText, texts};
use crate::body::{Faults, json_object};
use crate::problem::Code;

texts! {
    /// A policy that comes with Sayso, or `custom`.
    PolicyText(Named) = Named::parse, UnknownWord, "meta-2024-11",
        Some(&["meta-2020-strict", "meta-2020-07", "meta-2024-11", "custom"]);
}

json_object! {
    /// Where opt-in may be collected on a channel.
    #[derive(ToSchema)]
    PolicyRequest {
        /// A policy that comes with Sayso, or `custom`. Required.
        policy: PolicyText,
        /// For `custom`: how an opt-in may be collected. Required there.
        #[schema(value_type = Option<Vec<String>>, example = json!(["form", "in_person"]))]
        ways: Vec<WayText>,
        /// For `custom`: what must be shown where it is collected; nothing if absent.
        #[schema(value_type = Option<Vec<String>>, example = json!(["business", "way_out"]))]
        must_show: Vec<ShownText>,
        /// For `custom`: the least level that counts; `single` if absent.
        least_level: LevelText,
    }
}

/// Where opt-in may be collected on a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyAnswer {
    /// Its name.
    #[schema(example = "meta-2024-11")]
    policy: &'static str,
    /// Its version, as the evidence of each opt-in names it.
    #[schema(example = "1")]
    version: String,
    /// How an opt-in may be collected.
    #[schema(example = json!(["form", "in_person"]))]
    ways: Vec<&'static str>,
    /// What must be shown where it is collected.
    #[schema(example = json!(["business"]))]
    must_show: Vec<&'static str>,
    /// The least level that counts.
    #[schema(example = "single")]
    least_level: &'static str,
}

/// The name of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// One that comes with Sayso.
    Preset(Preset),
    /// The workspace's own.
    Custom,
}

impl Named {
    /// Parses the name.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let fault = "is none of meta-2020-strict, meta-2020-07, meta-2024-11, custom";
        match text {
            "custom" => Ok(Self::Custom),
            preset => Preset::parse(preset).map(Self::Preset).map_err(|_| fault),
        }
    }
}

impl PolicyAnswer {
    /// The policies of every channel that has one.
    pub(super) fn all(policies: &Policies) -> BTreeMap<&'static str, Self> {
        let of = |channel: &Channel| Some((channel.as_str(), Self::of(policies.of(*channel)?)));
        Channel::ALL.iter().filter_map(of).collect()
    }

    fn of(policy: &Policy) -> Self {
        let terms = policy.terms();
        Self {
            policy: policy.name(),
            version: policy.version(),
            ways: terms.ways.iter().map(|way| way.as_str()).collect(),
            must_show: terms.shows.iter().map(|shown| shown.as_str()).collect(),
            least_level: terms.least_level.as_str(),
        }
    }
}

/// The policies; what is wrong is noted. A channel that has its policy anyway does not name it by showing it.
pub(super) fn policies(
    asked: BTreeMap<String, PolicyRequest>,
    before: &Policies,
    faults: &mut Faults,
) -> Policies {
    let read = asked.into_iter().filter_map(|(channel, asked)| {
        let at = format!("/policies/{channel}");
        let channel = parse_channel(&channel, &at, faults);
        let policy = policy(asked, &at, faults);
        channel.zip(policy)
    });
    let is_named = |(channel, policy): &(Channel, Policy)| {
        before.named().contains_key(channel) || before.of(*channel) != Some(policy)
    };
    Policies::new(read.filter(is_named).collect())
}

fn policy(asked: PolicyRequest, at: &str, faults: &mut Faults) -> Option<Policy> {
    let named = asked.policy.map(|PolicyText(named)| named);
    let named = faults.require(&format!("{at}/policy"), named, "meta-2024-11")?;
    let own = [
        ("ways", asked.ways.is_some()),
        ("must_show", asked.must_show.is_some()),
        ("least_level", asked.least_level.is_some()),
    ];
    match named {
        Named::Preset(preset) => {
            for (field, _) in own.into_iter().filter(|(_, is_sent)| *is_sent) {
                let fault = "goes with the policy custom only";
                faults.note(format!("{at}/{field}"), Code::InvalidValue, fault);
            }
            Some(Policy::Preset(preset))
        }
        Named::Custom => {
            let pointer = format!("{at}/ways");
            let ways = faults.require(&pointer, asked.ways, "[\"form\"]")?;
            let ways: BTreeSet<Way> = ways.into_iter().map(|WayText(way)| way).collect();
            if ways.is_empty() && !faults.is_wrong_at(&[&pointer]) {
                let fault = "names no way: then nobody could opt in";
                faults.note_with_example(&pointer, Code::InvalidValue, fault, "[\"form\"]");
            }
            let shows = asked.must_show.unwrap_or_default().into_iter();
            let shows: BTreeSet<Shown> = shows.map(|ShownText(shown)| shown).collect();
            let least_level = asked.least_level.map_or(Level::Single, |LevelText(level)| level);
            Some(Policy::Custom(Terms { ways, shows, least_level }))
        }
    }
}

/// Notes each level that is less than the policy of its channel asks.
pub(super) fn check_levels(settings: &Settings, faults: &mut Faults) {
    for (channel, level) in &settings.least_levels {
        let Some(policy) = settings.policies.of(*channel) else { continue };
        let least = policy.terms().least_level;
        if *level < least {
            let fault = format!("is less than {} accepts on this channel", policy.name());
            let pointer = format!("/least_levels/{channel}");
            faults.note_with_example(pointer, Code::InvalidValue, fault, least.as_str());
        }
    }
}
