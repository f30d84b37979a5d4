//! Settings as a whole: what answers show in other words than requests have, and what a `PUT` leaves out.

use std::collections::BTreeSet;

use sayso_core::policy::settings::Settings;
use serde_json::{Map, Value};

use super::SettingsAnswer;
use super::policies::Named;
use crate::body::Faults;
use crate::problem::Code;

/// Settings by channel.
const BY_CHANNEL: [&str; 5] =
    ["defaults", "least_levels", "quiet_hours", "policies", "default_senders"];
/// What a preset says itself.
const OF_PRESETS: [&str; 3] = ["ways", "must_show", "least_level"];

/// Brings settings as answers show them into the form of requests: a channel that is `null` has none, and
/// what is shown of a preset comes with its name.
pub(super) fn adapt(sent: &mut Map<String, Value>, shown: &Map<String, Value>) {
    for member in BY_CHANNEL {
        if let Some(channels) = sent.get_mut(member).and_then(Value::as_object_mut) {
            channels.retain(|_, value| !value.is_null());
        }
    }
    let policies = sent.get_mut("policies").and_then(Value::as_object_mut);
    for (channel, policy) in policies.into_iter().flatten() {
        let Some(policy) = policy.as_object_mut() else { continue };
        let name = policy.get("policy").and_then(Value::as_str);
        if !matches!(name.map(Named::parse), Some(Ok(Named::Preset(_)))) {
            continue;
        }
        let known = shown.get("policies").and_then(|all| all.get(channel));
        for member in OF_PRESETS {
            let told = known.and_then(|known| known.get(member));
            if told.is_some() && told == policy.get(member) {
                policy.remove(member);
            }
        }
    }
}

/// Notes each setting that is not as by default, and would be if what was sent were all.
pub(super) fn refuse_resets(sent: &Map<String, Value>, before: &Settings, faults: &mut Faults) {
    let (now, usual) = (stated(before), stated(&Settings::default()));
    for (member, value) in &now {
        match (sent.get(member), value.as_object()) {
            (None, _) if usual.get(member) != Some(value) => note(member, value, faults),
            (Some(Value::Object(channels)), Some(known)) => {
                for (channel, value) in known {
                    if !channels.contains_key(channel) {
                        note(&format!("{member}/{channel}"), value, faults);
                    }
                }
            }
            (None | Some(_), _) => {}
        }
    }
}

fn note(member: &str, value: &Value, faults: &mut Faults) {
    let fault = "is left out, and would be reset: send it as it is to be, null for the default, or change single settings with PATCH";
    let example = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    faults.note_with_example(format!("/{member}"), Code::MissingField, fault, example);
}

/// What somebody decided, without what only follows from it.
fn stated(settings: &Settings) -> Map<String, Value> {
    let Ok(Value::Object(mut shown)) = serde_json::to_value(SettingsAnswer::of(settings)) else {
        return Map::new();
    };
    let mut keep = |member: &str, named: BTreeSet<&str>| {
        if let Some(channels) = shown.get_mut(member).and_then(Value::as_object_mut) {
            channels.retain(|channel, _| named.contains(channel.as_str()));
        }
    };
    keep("defaults", settings.defaults.keys().map(|channel| channel.as_str()).collect());
    keep("least_levels", settings.least_levels.keys().map(|channel| channel.as_str()).collect());
    keep("policies", settings.policies.named().keys().map(|channel| channel.as_str()).collect());
    shown
}
