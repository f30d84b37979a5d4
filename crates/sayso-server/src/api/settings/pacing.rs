//! Quiet hours and frequency caps, as requests and answers have them.
//!
//! Absent on purpose: presets. What a law asks for is named in `docs/concepts/quiet-hours-and-caps.md`,
//! and is the workspace's to choose.

use std::collections::{BTreeMap, BTreeSet};

use sayso_core::gate::cap::{FrequencyCap, FrequencyCapFault};
use sayso_core::gate::quiet::{QuietHours, QuietHoursFault};
use sayso_core::limits;
use sayso_core::words::channel::{Category, Channel};
use serde::Serialize;
use utoipa::ToSchema;

use super::parse_channel;
use crate::body::texts::{CategoryText, ChannelText, TimeOfDayText};
use crate::body::{Faults, json_object};
use crate::problem::Code;

json_object! {
    /// When people are left alone on a channel, by the clock where they are.
    #[derive(ToSchema)]
    QuietHoursRequest {
        /// When they begin. Required.
        from: TimeOfDayText,
        /// When they are over; on the next day where that is earlier than `from`. Required.
        #[schema(example = "08:00")]
        to: TimeOfDayText,
        /// What they hold back; `marketing` if absent. `authentication` never waits.
        #[schema(value_type = Vec<String>, example = json!(["marketing"]))]
        categories: Vec<CategoryText>,
    }
}

json_object! {
    /// At most so many messages of a category to one address within some hours.
    #[derive(ToSchema)]
    FrequencyCapRequest {
        /// The channel it counts; all channels together if absent.
        channel: ChannelText,
        /// The category it counts. Required.
        category: CategoryText,
        /// How many messages it lets through, 1 to 1,000. Required.
        #[schema(example = 3, minimum = 1, maximum = 1_000)]
        messages: u32,
        /// Within how many hours, 1 to 720. Required.
        #[schema(example = 24, minimum = 1, maximum = 720)]
        hours: u32,
    }
}

/// When people are left alone on a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuietHoursAnswer {
    /// When they begin.
    #[schema(example = "21:00")]
    from: String,
    /// When they are over.
    #[schema(example = "08:00")]
    to: String,
    /// What they hold back.
    #[schema(example = json!(["marketing"]))]
    categories: Vec<&'static str>,
}

/// At most so many messages of a category to one address within some hours.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FrequencyCapAnswer {
    /// The channel it counts; absent if all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    /// The category it counts.
    category: &'static str,
    /// How many messages it lets through.
    messages: u32,
    /// Within how many hours.
    hours: u32,
}

impl QuietHoursAnswer {
    /// The quiet hours of every channel that has some.
    pub(super) fn all(hours: &BTreeMap<Channel, QuietHours>) -> BTreeMap<&'static str, Self> {
        let answer = |hours: &QuietHours| Self {
            from: hours.from().to_string(),
            to: hours.to().to_string(),
            categories: hours.categories().iter().map(|category| category.as_str()).collect(),
        };
        hours.iter().map(|(channel, hours)| (channel.as_str(), answer(hours))).collect()
    }
}

impl FrequencyCapAnswer {
    /// The answer for a cap.
    pub(super) fn of(cap: &FrequencyCap) -> Self {
        Self {
            channel: cap.channel().map(Channel::as_str),
            category: cap.category().as_str(),
            messages: cap.messages(),
            hours: cap.hours(),
        }
    }
}

/// The quiet hours of each channel; what is wrong is noted.
pub(super) fn quiet_hours(
    asked: BTreeMap<String, QuietHoursRequest>,
    faults: &mut Faults,
) -> BTreeMap<Channel, QuietHours> {
    let read = asked.into_iter().filter_map(|(channel, asked)| {
        let at = format!("/quiet_hours/{channel}");
        let channel = parse_channel(&channel, &at, faults);
        let from = faults.require(&format!("{at}/from"), asked.from, "21:00");
        let to = faults.require(&format!("{at}/to"), asked.to, "08:00");
        let (TimeOfDayText(from), TimeOfDayText(to)) = from.zip(to)?;
        let categories: BTreeSet<Category> = match asked.categories {
            Some(named) => named.into_iter().map(|CategoryText(category)| category).collect(),
            None => [Category::Marketing].into(),
        };
        let hours = QuietHours::new(from, to, categories);
        let noted = hours.map_err(|fault| {
            let (field, example) = match fault {
                QuietHoursFault::Empty => ("to", "08:00"),
                QuietHoursFault::NoCategory | QuietHoursFault::Authentication => {
                    ("categories", "[\"marketing\"]")
                }
            };
            let pointer = format!("{at}/{field}");
            if !faults.is_wrong_at(&[&pointer]) {
                faults.note_with_example(pointer, Code::InvalidValue, fault, example);
            }
        });
        Some((channel?, noted.ok()?))
    });
    read.collect()
}

/// The caps; what is wrong is noted.
pub(super) fn frequency_caps(
    asked: Vec<FrequencyCapRequest>,
    faults: &mut Faults,
) -> Vec<FrequencyCap> {
    if asked.len() > limits::FREQUENCY_CAPS_MAX {
        let fault = format!("is more than {} caps", limits::FREQUENCY_CAPS_MAX);
        faults.note("/frequency_caps", Code::InvalidValue, fault);
        return Vec::new();
    }
    let read = asked.into_iter().enumerate().filter_map(|(index, asked)| {
        let at = |field: &str| format!("/frequency_caps/{index}/{field}");
        let category = faults.require(&at("category"), asked.category, "marketing");
        let messages = faults.require(&at("messages"), asked.messages, "3");
        let hours = faults.require(&at("hours"), asked.hours, "24");
        let CategoryText(category) = category?;
        let channel = asked.channel.map(|ChannelText(channel)| channel);
        let cap = FrequencyCap::new(channel, category, messages?, hours?);
        let noted = cap.map_err(|fault| {
            let (field, example) = match fault {
                FrequencyCapFault::Messages => ("messages", "3"),
                FrequencyCapFault::Hours => ("hours", "24"),
            };
            faults.note_with_example(at(field), Code::InvalidValue, fault, example);
        });
        noted.ok()
    });
    read.collect()
}
