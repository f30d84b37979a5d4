//! Frequency caps: how many messages of a kind a person gets within some time.
//!
//! A cap counts what was handed over, or is about to be, in the hours before a moment. Counting is for
//! those who keep messages; here is what a cap says about a count.

use thiserror::Error;

use crate::limits;
use crate::time::{Span, Timestamp};
use crate::words::channel::{Category, Channel, Message};

/// At most so many messages of a category to one address, on a channel or on all, within some hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrequencyCap {
    channel: Option<Channel>,
    category: Category,
    messages: u32,
    hours: u32,
}

/// Why numbers are no cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrequencyCapFault {
    /// Too few or too many messages.
    #[error("is not 1 to {} messages", limits::FREQUENCY_CAP_MESSAGES_MAX)]
    Messages,
    /// Too few or too many hours.
    #[error("is not 1 to {} hours", limits::FREQUENCY_CAP_HOURS_MAX)]
    Hours,
}

impl FrequencyCap {
    /// At most `messages` of `category` in `hours`; on all channels together where none is named.
    ///
    /// # Errors
    /// [`FrequencyCapFault`].
    pub fn new(
        channel: Option<Channel>,
        category: Category,
        messages: u32,
        hours: u32,
    ) -> Result<Self, FrequencyCapFault> {
        if !(1..=limits::FREQUENCY_CAP_MESSAGES_MAX).contains(&messages) {
            return Err(FrequencyCapFault::Messages);
        }
        if !(1..=limits::FREQUENCY_CAP_HOURS_MAX).contains(&hours) {
            return Err(FrequencyCapFault::Hours);
        }
        Ok(Self { channel, category, messages, hours })
    }

    /// The channel it counts; all together where absent.
    pub const fn channel(&self) -> Option<Channel> {
        self.channel
    }

    /// The category it counts.
    pub const fn category(&self) -> Category {
        self.category
    }

    /// How many messages it lets through.
    pub const fn messages(&self) -> u32 {
        self.messages
    }

    /// Within how many hours.
    pub const fn hours(&self) -> u32 {
        self.hours
    }

    /// Whether it counts messages of this kind.
    pub fn covers(&self, message: &Message) -> bool {
        self.category == message.category
            && self.channel.is_none_or(|channel| channel == message.channel)
    }

    /// The time after which a message counts at `now`.
    pub fn counts_after(&self, now: Timestamp) -> Timestamp {
        now.minus(self.window())
    }

    /// Until when nothing more may go, if the last but ([`FrequencyCap::messages`] − 1) of the counted
    /// messages was at `at`: with it, one too many would be counted.
    pub fn until(&self, at: Timestamp) -> Timestamp {
        at.plus(self.window())
    }

    fn window(&self) -> Span {
        Span::hours(i64::from(self.hours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_covers_its_category_on_its_channel_or_on_all() {
        let cap = |channel| FrequencyCap::new(channel, Category::Marketing, 3, 24).unwrap();
        let by = |channel, category| Message::ordinary(channel, category);
        let on_sms = cap(Some(Channel::Sms));
        assert!(on_sms.covers(&by(Channel::Sms, Category::Marketing)));
        assert!(!on_sms.covers(&by(Channel::Sms, Category::Utility)));
        assert!(!on_sms.covers(&by(Channel::WhatsApp, Category::Marketing)));
        assert!(cap(None).covers(&by(Channel::WhatsApp, Category::Marketing)));
    }

    #[test]
    fn a_message_leaves_the_window_when_the_cap_is_over() {
        let cap = FrequencyCap::new(None, Category::Marketing, 1, 24).unwrap();
        let sent = Timestamp::from_micros(1_795_000_000_000_000);
        let over = cap.until(sent);
        assert!(cap.counts_after(over) >= sent, "it does not count any more");
        assert!(cap.counts_after(over.minus(Span::micros(1))) < sent, "it counted until then");
    }

    #[test]
    fn a_cap_has_bounds() {
        let new = |messages, hours| FrequencyCap::new(None, Category::Marketing, messages, hours);
        assert_eq!(new(0, 24), Err(FrequencyCapFault::Messages));
        assert_eq!(new(1_001, 24), Err(FrequencyCapFault::Messages));
        assert_eq!(new(1, 0), Err(FrequencyCapFault::Hours));
        assert_eq!(new(1, 721), Err(FrequencyCapFault::Hours));
        assert!(new(1_000, 720).is_ok());
    }
}
