//! What a provider says to us, in our words.
//!
//! An event tells what was said. It never tells what follows for consent.
//! Absent on purpose: media, locations, orders and payments, which nobody needs to obey a person.

use sayso_core::address::phone::Phone;
use sayso_core::gate::sender_health::{HealthCause, HealthLevel};
use sayso_core::limits::{HOOK_EVENTS_MAX, HOOK_TEXT_BYTES_MAX, HOOK_WORD_BYTES_MAX};
use sayso_core::time::{ClaimedTime, Span, Timestamp};
use sayso_core::words::channel::{Category, Channel};

use crate::call::Malformed;
use crate::failure::{Failure, cut};
use crate::party::Party;

/// One thing that a provider told us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderEvent {
    /// A person wrote.
    Wrote(Wrote),
    /// What became of a message of ours.
    Reported(Reported),
    /// A person used a switch of the platform.
    Prefers(Prefers),
    /// How a sender or its account stands with the platform.
    SenderHealth(SenderHealth),
    /// A template is another one than before.
    TemplateChanged(TemplateChanged),
    /// A person has another number, or another id on the channel.
    NumberChanged(NumberChanged),
    /// Addresses of one account, where nobody said anything: in a call, in a copy of our own words.
    Named(Named),
    /// Something else, or something that cannot be read: kept sealed, and counted.
    Unknown {
        /// What it is, as far as one can tell: `messages/reaction`, `user-event/blocked`.
        kind: String,
        /// The part of the call it stands in, as it came.
        raw: Vec<u8>,
    },
}

/// A message of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrote {
    /// The channel it came by.
    pub channel: Channel,
    /// The provider's id of it; the same again is the same message. Absent where the provider was
    /// not told to send it (Kannel): a refusal is not lost for want of an id.
    pub message_id: Option<String>,
    /// Who wrote.
    pub from: Party,
    /// Our side, as the provider names it: a phone number id, an app, a number or short code.
    pub sender: Option<String>,
    /// What our side belongs to: a WhatsApp business account, a Messaging Service of Twilio's, for
    /// all of which a stop holds there.
    pub sender_group: Option<String>,
    /// Where they wrote it.
    pub place: Place,
    /// What they wrote.
    pub content: Written,
    /// Words beside it that may be theirs: answers in a flow, what stands under a row of a list. A
    /// refusal among them is doubtful. At most [`ASIDES_MAX`].
    pub asides: Vec<String>,
    /// The provider's id of the message they answered.
    pub reply_to: Option<String>,
    /// The provider's id of the ad or post that the chat began from.
    pub referral: Option<String>,
    /// When, if the provider says; as exactly as it says.
    pub occurred_at: Option<ClaimedTime>,
    /// The provider took it as this keyword and has answered it already: do not answer again.
    pub handled_by_provider: Option<KeywordKind>,
}

/// The most words beside a message that are read: a flow has few fields to write in.
pub const ASIDES_MAX: usize = 16;

/// Where a message was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To us, now.
    Chat,
    /// In a group, or in a kind of message that we do not know: what refuses there refuses, and nothing
    /// else follows.
    Aside,
    /// In a history that was handed to us later: what refused there is doubtful.
    Past,
}

/// What a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Words; at most [`HOOK_TEXT_BYTES_MAX`] bytes, the rest is cut off.
    Text(String),
    /// A button or a row of a list that they chose.
    Answer {
        /// What we gave the button to send back.
        payload: String,
        /// The words on it.
        title: Option<String>,
    },
    /// Contact cards.
    Contact {
        /// The writer's own number, where they were asked for it and shared it.
        own_phone: Option<Phone>,
    },
    /// An image, a place, or a kind that even the provider does not support.
    Other {
        /// The provider's word for it.
        kind: String,
        /// The words beside it: a refusal may stand there.
        caption: Option<String>,
    },
    /// Words or a choice of theirs that the provider could not pass on: a refusal may be lost with them.
    Lost {
        /// The provider's word for it.
        kind: String,
    },
}

/// The kinds of keyword that a provider acts on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeywordKind {
    /// It blocks the sender for this person now.
    Stop,
    /// It no longer does.
    Start,
    /// It has sent its help text.
    Help,
}

/// A report on a message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The channel it went by.
    pub channel: Channel,
    /// Which message.
    pub message: MessageNames,
    /// Our side, as the provider names it.
    pub sender: Option<String>,
    /// What our side belongs to, as in [`Wrote::sender_group`].
    pub sender_group: Option<String>,
    /// The person, if the report names them.
    pub to: Option<Party>,
    /// What became of it.
    pub state: MessageState,
    /// When, if the provider says.
    pub occurred_at: Option<ClaimedTime>,
}

/// The names of a message of ours; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageNames {
    provider: Option<String>,
    platform: Option<String>,
    ours: Option<String>,
}

/// What became of a message. Reports come late and in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// The provider has it.
    Accepted,
    /// The provider handed it on.
    Sent,
    /// It is on the person's phone.
    Delivered,
    /// They saw it.
    Read,
    /// It did not get there and will not.
    Failed(Failure),
}

/// A switch of the platform that a person used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefers {
    /// The channel.
    pub channel: Channel,
    /// Who.
    pub who: Party,
    /// Our side, as the provider names it.
    pub sender: Option<String>,
    /// What our side belongs to, as in [`Wrote::sender_group`].
    pub sender_group: Option<String>,
    /// What they chose.
    pub choice: Choice,
    /// What it concerns; absent means all.
    pub category: Option<Category>,
    /// When, if the provider says.
    pub occurred_at: Option<ClaimedTime>,
}

/// What a person chose on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Messages are blocked by the platform from now on.
    Stop,
    /// That block is lifted, which is no opt-in.
    Resume,
    /// An opt-in on a page of the platform that shows our words.
    SignUp {
        /// The provider's id of that page.
        page: Option<String>,
    },
    /// An opt-in that the provider registered.
    OptIn,
    /// An opt-out that the provider registered.
    OptOut,
}

/// How a sender or its account stands with the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderHealth {
    /// The account at the platform: WhatsApp's business account id, Gupshup's app.
    pub account: Option<String>,
    /// The number concerned, as the provider spells it; absent means all of the account.
    pub number: Option<String>,
    /// What it tells of.
    pub cause: HealthCause,
    /// How it stands now in that; absent where the event says nothing of it.
    pub health: Option<HealthLevel>,
    /// How many people may be written to a day, in the provider's words: `TIER_10K`, `2000`.
    pub limit: Option<String>,
    /// The provider's own words: the event, restrictions, violations.
    pub words: Vec<String>,
    /// When a restriction ends, if it says so.
    pub until: Option<ClaimedTime>,
    /// When, if the provider says.
    pub occurred_at: Option<ClaimedTime>,
}

/// A change of a template at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateChanged {
    /// The account at the platform.
    pub account: Option<String>,
    /// The provider's id of the template.
    pub template_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its language, in the provider's spelling: `en_US`.
    pub language: Option<String>,
    /// What changed.
    pub change: TemplateChange,
    /// When, if the provider says.
    pub occurred_at: Option<ClaimedTime>,
}

/// What changed about a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateChange {
    /// Whether it may be used, in the provider's word: `APPROVED`, `PAUSED`.
    Status {
        /// The word.
        status: String,
        /// Its category, if the event names it.
        category: Option<Category>,
        /// Why.
        reason: Option<String>,
    },
    /// Its category, and with it the consent it needs (rule 25).
    Category {
        /// What it was, if the event says.
        old: Option<Category>,
        /// What it is.
        new: Category,
    },
    /// The platform thinks another category right, and will change it by itself. Not changed yet.
    CategoryAnnounced {
        /// What it is.
        now: Option<Category>,
        /// What it will be.
        then: Category,
    },
    /// What people think of it.
    Quality {
        /// What it was, in the provider's word: `GREEN`.
        old: Option<String>,
        /// What it is.
        new: String,
    },
}

/// A person's change of number, of channel id, or of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberChanged {
    /// The channel.
    pub channel: Channel,
    /// Our side, as the provider names it.
    pub sender: Option<String>,
    /// Who they were.
    pub old: Party,
    /// Who they are.
    pub new: Party,
    /// When, if the provider says.
    pub occurred_at: Option<ClaimedTime>,
}

/// Addresses that a provider names as one account, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The channel.
    pub channel: Channel,
    /// Who has them.
    pub who: Party,
    /// When, if the provider says.
    pub occurred_at: Option<ClaimedTime>,
}

impl Wrote {
    /// The words to read for what the person wants: their text, the title of what they chose, or
    /// the words beside an image.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Written::Text(text) => Some(text),
            Written::Answer { title, .. } => title.as_deref(),
            Written::Contact { .. } | Written::Lost { .. } => None,
            Written::Other { caption, .. } => caption.as_deref(),
        }
    }
}

impl Written {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(cut(text.into(), HOOK_TEXT_BYTES_MAX))
    }

    pub(crate) fn answer(payload: impl Into<String>, title: Option<String>) -> Self {
        let payload = cut(payload.into(), HOOK_WORD_BYTES_MAX);
        Self::Answer { payload, title: title.map(|title| cut(title, HOOK_TEXT_BYTES_MAX)) }
    }

    pub(crate) fn other(kind: impl Into<String>, caption: Option<String>) -> Self {
        let caption = caption.filter(|caption| !caption.is_empty());
        Self::Other {
            kind: cut(kind.into(), HOOK_WORD_BYTES_MAX),
            caption: caption.map(|caption| cut(caption, HOOK_TEXT_BYTES_MAX)),
        }
    }

    pub(crate) fn lost(kind: impl Into<String>) -> Self {
        Self::Lost { kind: cut(kind.into(), HOOK_WORD_BYTES_MAX) }
    }
}

/// As many words beside a message as are read.
pub(crate) fn asides(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let said = words.into_iter().filter(|words| !words.trim().is_empty());
    said.take(ASIDES_MAX).map(|words| cut(words, HOOK_TEXT_BYTES_MAX)).collect()
}

impl MessageNames {
    /// The names there are; `None` if there is none.
    pub(crate) fn of(
        provider: Option<String>,
        platform: Option<String>,
        ours: Option<String>,
    ) -> Option<Self> {
        let is_named = provider.is_some() || platform.is_some() || ours.is_some();
        is_named.then_some(Self { provider, platform, ours })
    }

    /// The id that the provider gave when it accepted the message.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// A second id, of the platform behind the provider: Gupshup's reports carry WhatsApp's own,
    /// and after a week nothing else.
    pub fn platform(&self) -> Option<&str> {
        self.platform.as_deref()
    }

    /// The id we gave, if it came back.
    pub fn ours(&self) -> Option<&str> {
        self.ours.as_deref()
    }
}

impl ProviderEvent {
    pub(crate) fn unknown(kind: impl Into<String>, raw: &str) -> Self {
        Self::Unknown { kind: cut(kind.into(), HOOK_WORD_BYTES_MAX), raw: raw.as_bytes().to_vec() }
    }
}

/// The events of one call while it is read: bounded.
pub(crate) struct Events(Vec<ProviderEvent>);

impl Events {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, event: ProviderEvent) -> Result<(), Malformed> {
        if self.0.len() >= HOOK_EVENTS_MAX {
            return Err(Malformed::TooManyEvents);
        }
        self.0.push(event);
        Ok(())
    }

    pub(crate) fn into_vec(self) -> Vec<ProviderEvent> {
        self.0
    }
}

/// The end of the year 9999, in seconds since 1970: the last that can be written.
const SECONDS_MAX: i64 = 253_402_300_799;

/// From here on a number is read as milliseconds: it would be the year 5138 in seconds, and is 1973
/// in milliseconds.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Reads seconds or milliseconds since 1970, whichever the size of the number says; the claim is as
/// exact as that.
pub(crate) fn claimed(number: i64) -> Option<ClaimedTime> {
    let (unit_micros, units_max) = if number < MILLISECONDS_FROM {
        (1_000_000, SECONDS_MAX)
    } else {
        (1_000, SECONDS_MAX.saturating_mul(1_000))
    };
    if !(0..=units_max).contains(&number) {
        return None;
    }
    let first = Timestamp::from_micros(number.checked_mul(unit_micros)?);
    Some(ClaimedTime::within(first, Span::micros(unit_micros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_time_as_exact_as_its_unit() {
        let second = claimed(1_795_255_200).unwrap();
        assert_eq!(second.first().to_string(), "2026-11-21T10:00:00.000000Z");
        assert_eq!(second.last().to_string(), "2026-11-21T10:00:00.999999Z");
        let milli = claimed(1_795_255_200_123).unwrap();
        assert_eq!(milli.first().to_string(), "2026-11-21T10:00:00.123000Z");
        assert_eq!(milli.last().to_string(), "2026-11-21T10:00:00.123999Z");
        for number in [-1, i64::MIN, i64::MAX, 253_402_300_800_000] {
            assert_eq!(claimed(number), None, "{number}");
        }
    }

    #[test]
    fn events_are_bounded() {
        let mut events = Events::new();
        for _ in 0..HOOK_EVENTS_MAX {
            events.push(ProviderEvent::unknown("a", "")).unwrap();
        }
        let past = events.push(ProviderEvent::unknown("a", ""));
        assert_eq!(past, Err(Malformed::TooManyEvents));
    }

    #[test]
    fn a_long_text_is_cut_and_not_lost() {
        let text = format!("stop {}", "é".repeat(HOOK_TEXT_BYTES_MAX));
        let Written::Text(kept) = Written::text(text) else { panic!("a text") };
        assert!(kept.starts_with("stop ") && kept.len() <= HOOK_TEXT_BYTES_MAX);
    }
}
