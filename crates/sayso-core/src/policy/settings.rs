//! What a workspace decided for itself, dated, so that an as-of query judges with the settings of
//! then.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::phone::Region;
use crate::gate::cap::FrequencyCap;
use crate::gate::hours::Hours;
use crate::gate::quiet::QuietHours;
use crate::gate::zone::Zone;
use crate::id::SenderId;
use crate::limits;
use crate::policy::Policies;
use crate::policy::pack::{Pack, PackName, Place};
use crate::state::status::{Consent, Status};
use crate::time::Timestamp;
use crate::words::channel::{Category, Channel, Message};
use crate::words::statement::Level;

/// The settings of a workspace that bear on consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where national phone numbers belong, if the workspace says so.
    pub region: Option<Region>,
    /// Whether a send needs an opt-in where the caller does not say (rule 26).
    pub require_opt_in: bool,
    /// What holds where nothing was recorded (rule 10).
    pub defaults: BTreeMap<Channel, ChannelDefault>,
    /// The least level of opt-in that counts, where the workspace names one (rule 8).
    pub least_levels: BTreeMap<Channel, Level>,
    /// Whether an opt-in must name its notice.
    pub notice_required: bool,
    /// Whether it is noted who looks a person up (rule 29).
    pub audit_look_ups: bool,
    /// Refusals inferred from provider errors, per sender and day, past which the rest of the day's are
    /// held together (rule 15); at most [`limits::INFERRED_REFUSALS_PER_DAY_MAX`].
    pub inferred_refusals_per_day: u32,
    /// When people are left alone; never where a channel has none.
    pub quiet_hours: BTreeMap<Channel, QuietHours>,
    /// How much people get; as much as is sent where no cap covers it.
    pub frequency_caps: Vec<FrequencyCap>,
    /// Where opt-in may be collected (rule 6).
    pub policies: Policies,
    /// The countries whose packs apply.
    pub country_packs: BTreeSet<PackName>,
    /// Who sends what names no sender, on channels that have several.
    pub default_senders: BTreeMap<Channel, SenderId>,
}

/// What holds on a channel where nothing at all was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelDefault {
    /// Nobody is opted in.
    OptedOut,
    /// Everybody is, for messages that are not marketing.
    OptedIn,
    /// Everybody is, for marketing too, and somebody acknowledged in writing what that means. On
    /// SMS this covers no marketing all the same.
    OptedInAcknowledged,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: None,
            require_opt_in: true,
            defaults: BTreeMap::new(),
            least_levels: BTreeMap::new(),
            notice_required: false,
            audit_look_ups: false,
            inferred_refusals_per_day: limits::INFERRED_REFUSALS_PER_DAY,
            quiet_hours: BTreeMap::new(),
            frequency_caps: Vec::new(),
            policies: Policies::default(),
            country_packs: BTreeSet::new(),
            default_senders: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// What holds where nothing was recorded on the channel (rule 10).
    pub fn default_consent(&self, channel: Channel, category: Category) -> Consent {
        let marketing = category == Category::Marketing;
        let covers = match self.defaults.get(&channel) {
            None | Some(ChannelDefault::OptedOut) => false,
            Some(ChannelDefault::OptedIn) => !marketing,
            Some(ChannelDefault::OptedInAcknowledged) => !marketing || channel != Channel::Sms,
        };
        if covers {
            Consent { status: Status::OptedIn, level: Some(Level::Implied), basis: None }
        } else {
            Consent::NEVER
        }
    }

    /// The least level accepted on the channel: what the workspace named or its policy asks, whichever is
    /// more, and `single` where neither says anything, so that implied consent counts only where the
    /// workspace decided that it does.
    pub fn least_level(&self, channel: Channel) -> Level {
        let named = self.least_levels.get(&channel).copied();
        let policy = self.policies.of(channel).map(|policy| policy.terms().least_level);
        named.max(policy).unwrap_or(Level::Single)
    }

    /// The workspace's own quiet hours that hold such a message back. What the person is owed, whatever they refused
    /// (rule 26), waits for no hour.
    pub fn quiet_hours_for(&self, message: &Message, now: Timestamp) -> Option<&QuietHours> {
        let hours = self.quiet_hours.get(&message.channel)?;
        let bears = hours.categories().contains(&message.category) && !message.is_owed(now);
        bears.then_some(hours)
    }

    /// Whether hours of the workspace or of its country packs may hold such a message back.
    pub fn has_hours_for(&self, message: &Message, now: Timestamp) -> bool {
        self.quiet_hours_for(message, now).is_some()
            || self.packs_for(message, now).next().is_some()
    }

    /// All hours that bear on such a message to a person, each with the zone in which it counts. The
    /// workspace's own and those of its packs stand side by side.
    pub fn hours_for<'a>(
        &'a self,
        message: &Message,
        place: &Place,
        now: Timestamp,
    ) -> Vec<(Zone, Hours<'a>)> {
        let own = self.quiet_hours_for(message, now).into_iter().flat_map(|hours| {
            place.whereabouts.zones().into_iter().map(move |zone| (zone, Hours::Quiet(hours)))
        });
        let of_packs = self.packs_for(message, now).flat_map(|pack| {
            let hours = pack.hours_at(message.channel, place);
            hours.map(|(zone, hours)| (zone, Hours::Open(hours)))
        });
        own.chain(of_packs).collect()
    }

    /// The packs with hours for such a message. They are about marketing alone.
    fn packs_for(
        &self,
        message: &Message,
        now: Timestamp,
    ) -> impl Iterator<Item = &'static Pack> + use<> {
        let bears = message.category == Category::Marketing && !message.is_owed(now);
        let channel = message.channel;
        let packs: Vec<&'static Pack> = self
            .country_packs
            .iter()
            .map(|name| Pack::named(*name))
            .filter(|pack| {
                bears && pack.hours.iter().any(|hours| hours.channels.contains(&channel))
            })
            .collect();
        packs.into_iter()
    }

    /// The caps that cover such a message. What the person is owed goes all the same.
    pub fn frequency_caps_for(
        &self,
        message: &Message,
        now: Timestamp,
    ) -> impl Iterator<Item = &FrequencyCap> {
        let covering = self.frequency_caps.iter().filter(|cap| cap.covers(message));
        covering.filter(move |_| !message.is_owed(now))
    }

    /// Whether quiet hours or caps bear on such a message at all.
    pub fn paces(&self, message: &Message, now: Timestamp) -> bool {
        self.has_hours_for(message, now) || self.frequency_caps_for(message, now).next().is_some()
    }
}

/// All settings a workspace ever had, each in force from its time on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatedSettings(BTreeMap<Timestamp, Settings>);

impl DatedSettings {
    /// Puts settings in force from `from` on.
    pub fn put(&mut self, from: Timestamp, settings: Settings) {
        self.0.insert(from, settings);
    }

    /// The settings in force at `at`.
    pub fn at(&self, at: Timestamp) -> Settings {
        self.0.range(..=at).next_back().map(|(_, settings)| settings.clone()).unwrap_or_default()
    }

    /// The newest settings, if there are any.
    pub fn latest(&self) -> Option<&Settings> {
        self.0.last_key_value().map(|(_, settings)| settings)
    }

    /// From when on the newest version is in force.
    pub fn newest(&self) -> Option<Timestamp> {
        self.0.last_key_value().map(|(from, _)| *from)
    }

    /// Each version with the time from which it was in force.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, &Settings)> {
        self.0.iter().map(|(from, settings)| (*from, settings))
    }
}
