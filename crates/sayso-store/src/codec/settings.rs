//! The stored form of settings.

use std::collections::{BTreeMap, BTreeSet};

use sayso_core::address::phone::Region;
use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::gate::cap::FrequencyCap;
use sayso_core::gate::quiet::QuietHours;
use sayso_core::gate::time_of_day::TimeOfDay;
use sayso_core::id::SenderId;
use sayso_core::limits;
use sayso_core::policy::demand::Shown;
use sayso_core::policy::pack::PackName;
use sayso_core::policy::settings::{ChannelDefault, Settings};
use sayso_core::policy::{Policies, Policy, Preset, Terms, Way};
use sayso_core::words::channel::{Category, Channel};
use sayso_core::words::statement::Level;

use super::{read_list, write_list};

const fn default_code(default: ChannelDefault) -> u8 {
    match default {
        ChannelDefault::OptedOut => 1,
        ChannelDefault::OptedIn => 2,
        ChannelDefault::OptedInAcknowledged => 3,
    }
}

pub(super) fn write(settings: &Settings, to: &mut Writer) {
    to.option(settings.region, |to, region| to.text(region.as_str()));
    to.byte(u8::from(settings.require_opt_in));
    to.byte(u8::from(settings.notice_required));
    to.length(settings.defaults.len());
    for (channel, default) in &settings.defaults {
        channel.write(to);
        to.byte(default_code(*default));
    }
    to.length(settings.least_levels.len());
    for (channel, level) in &settings.least_levels {
        channel.write(to);
        to.byte(level.code());
    }
    to.byte(u8::from(settings.audit_look_ups));
    to.number(u64::from(settings.inferred_refusals_per_day));
    to.length(settings.quiet_hours.len());
    for (channel, hours) in &settings.quiet_hours {
        channel.write(to);
        to.number(u64::from(hours.from().minutes()));
        to.number(u64::from(hours.to().minutes()));
        write_list(to, hours.categories().iter(), |to, category| category.write(to));
    }
    write_list(to, settings.frequency_caps.iter(), |to, cap| {
        cap.channel().write(to);
        cap.category().write(to);
        to.number(u64::from(cap.messages()));
        to.number(u64::from(cap.hours()));
    });
    write_policies(&settings.policies, to);
    write_list(to, settings.country_packs.iter(), |to, pack| to.byte(pack.code()));
    to.length(settings.default_senders.len());
    for (channel, sender) in &settings.default_senders {
        channel.write(to);
        sender.write(to);
    }
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Settings, Malformed> {
    Ok(Settings {
        region: from.option(|from| Region::parse(from.text()?).map_err(|_| Malformed))?,
        require_opt_in: from.byte()? != 0,
        notice_required: from.byte()? != 0,
        defaults: read_list(from, |from| {
            let channel = Channel::read(from)?;
            let code = from.byte()?;
            let all = [
                ChannelDefault::OptedOut,
                ChannelDefault::OptedIn,
                ChannelDefault::OptedInAcknowledged,
            ];
            let default =
                all.into_iter().find(|default| default_code(*default) == code).ok_or(Malformed)?;
            Ok((channel, default))
        })?,
        least_levels: read_list(from, |from| {
            Ok((Channel::read(from)?, Level::from_code(from.byte()?).ok_or(Malformed)?))
        })?,
        // Settings written before there was one of these end before it.
        audit_look_ups: from.end().is_err() && from.byte()? != 0,
        inferred_refusals_per_day: match from.end() {
            Ok(()) => limits::INFERRED_REFUSALS_PER_DAY,
            Err(Malformed) => u32::try_from(from.number()?).map_err(|_| Malformed)?,
        },
        quiet_hours: match from.end() {
            Ok(()) => BTreeMap::new(),
            Err(Malformed) => read_list(from, read_quiet_hours)?,
        },
        frequency_caps: match from.end() {
            Ok(()) => Vec::new(),
            Err(Malformed) => read_list(from, read_frequency_cap)?,
        },
        policies: match from.end() {
            Ok(()) => Policies::default(),
            Err(Malformed) => Policies::new(read_list(from, read_policy)?),
        },
        country_packs: match from.end() {
            Ok(()) => BTreeSet::new(),
            Err(Malformed) => read_list(from, |from| read_word(from, PackName::from_code))?,
        },
        default_senders: match from.end() {
            Ok(()) => BTreeMap::new(),
            Err(Malformed) => {
                read_list(from, |from| Ok((Channel::read(from)?, SenderId::read(from)?)))?
            }
        },
    })
}

/// A preset is its code; a policy of the workspace's own is a 0 and its terms.
fn write_policies(policies: &Policies, to: &mut Writer) {
    to.length(policies.named().len());
    for (channel, policy) in policies.named() {
        channel.write(to);
        match policy {
            Policy::Preset(preset) => to.byte(preset.code()),
            Policy::Custom(terms) => {
                to.byte(0);
                write_list(to, terms.ways.iter(), |to, way| to.byte(way.code()));
                write_list(to, terms.shows.iter(), |to, shown| to.byte(shown.code()));
                to.byte(terms.least_level.code());
            }
        }
    }
}

fn read_policy(from: &mut Reader<'_>) -> Result<(Channel, Policy), Malformed> {
    let channel = Channel::read(from)?;
    let policy = match from.byte()? {
        0 => Policy::Custom(Terms {
            ways: read_list(from, |from| read_word(from, Way::from_code))?,
            shows: read_list(from, |from| read_word(from, Shown::from_code))?,
            least_level: read_word(from, Level::from_code)?,
        }),
        code => Policy::Preset(Preset::from_code(code).ok_or(Malformed)?),
    };
    Ok((channel, policy))
}

fn read_word<T>(
    from: &mut Reader<'_>,
    from_code: impl FnOnce(u8) -> Option<T>,
) -> Result<T, Malformed> {
    from_code(from.byte()?).ok_or(Malformed)
}

fn read_quiet_hours(from: &mut Reader<'_>) -> Result<(Channel, QuietHours), Malformed> {
    let channel = Channel::read(from)?;
    let mut time = || {
        let minutes = u16::try_from(from.number()?).map_err(|_| Malformed)?;
        TimeOfDay::from_minutes(minutes).ok_or(Malformed)
    };
    let (begin, end) = (time()?, time()?);
    let hours = QuietHours::new(begin, end, read_list(from, Category::read)?);
    Ok((channel, hours.map_err(|_| Malformed)?))
}

fn read_frequency_cap(from: &mut Reader<'_>) -> Result<FrequencyCap, Malformed> {
    let (channel, category) = (Option::read(from)?, Category::read(from)?);
    let mut number = || u32::try_from(from.number()?).map_err(|_| Malformed);
    FrequencyCap::new(channel, category, number()?, number()?).map_err(|_| Malformed)
}
