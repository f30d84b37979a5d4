//! What is so of each channel, whoever sends by it: one row each.
//!
//! To add a channel, add its word to [`Channel`] and its row here. The compiler then names what is left: its
//! mark and its name on pages, its verbs in texts, and the providers that do not carry it.

use crate::address::AddressKind;
use crate::limits;
use crate::words::channel::Channel;

/// What is so of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    /// The kind of address that it reaches.
    address: AddressKind,
    /// Whether only mobile phones have it.
    phones: Phones,
    /// Whether people answer on it by writing, and are heard.
    answers: Answers,
    /// What an opt-in page can lead to on it.
    chat: Chat,
    /// Characters that one message carries at most.
    characters_max: usize,
}

/// Which phone numbers a channel reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phones {
    /// Mobile ones alone.
    Mobile,
    /// Any, or it is not by number.
    Any,
}

/// How people answer on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// In words that reach us.
    Written,
    /// Not in words that reach us.
    None,
}

/// What an opt-in page can lead to on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chat {
    /// Nothing: there are no links to a chat on it.
    None,
    /// A message that the person may send; none of it comes in.
    Opens,
    /// A message whose arrival proves the address.
    Confirms,
}

const fn facts(channel: Channel) -> Facts {
    use AddressKind::{ChannelId, Email, Phone};
    use Answers::Written;
    use Phones::{Any, Mobile};
    let (address, phones, answers, chat, characters_max) = match channel {
        Channel::WhatsApp => (Phone, Mobile, Written, Chat::Confirms, 4_096),
        // Ten parts of 160, which is also what Twilio takes.
        Channel::Sms => (Phone, Mobile, Written, Chat::Confirms, 1_600),
        Channel::Email => (Email, Any, Answers::None, Chat::Opens, limits::MESSAGE_TEXT_BYTES_MAX),
        Channel::Rcs => (Phone, Mobile, Written, Chat::None, 3_072),
        Channel::Voice => (Phone, Any, Answers::None, Chat::None, 1_600),
        Channel::Push => (ChannelId, Any, Answers::None, Chat::None, 1_024),
        Channel::Viber => (Phone, Mobile, Written, Chat::None, 1_000),
        Channel::Telegram => (ChannelId, Any, Written, Chat::None, 4_096),
        Channel::Messenger => (ChannelId, Any, Written, Chat::None, 2_000),
        Channel::Line => (ChannelId, Any, Written, Chat::None, 5_000),
    };
    Facts { address, phones, answers, chat, characters_max }
}

impl Channel {
    /// The kind of address that it reaches.
    pub const fn address_kind(self) -> AddressKind {
        facts(self).address
    }

    /// Whether it reaches mobile phones alone.
    pub fn needs_mobile(self) -> bool {
        facts(self).phones == Phones::Mobile
    }

    /// Whether people answer on it by writing, and are heard.
    pub fn is_answered_in_writing(self) -> bool {
        facts(self).answers == Answers::Written
    }

    /// What an opt-in page can lead to on it.
    pub const fn chat(self) -> Chat {
        facts(self).chat
    }

    /// Characters that one message carries at most.
    pub const fn characters_max(self) -> usize {
        facts(self).characters_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_that_confirms_is_one_that_people_answer_in() {
        for channel in Channel::ALL {
            let confirms = channel.chat() == Chat::Confirms;
            assert!(!confirms || channel.is_answered_in_writing(), "{channel}");
        }
    }

    #[test]
    fn what_needs_a_mobile_reaches_a_phone_and_every_message_has_room_for_a_way_out() {
        for channel in Channel::ALL {
            let is_phone = channel.address_kind() == AddressKind::Phone;
            assert!(!channel.needs_mobile() || is_phone, "{channel}");
            assert!(channel.characters_max() > "Reply STOP to leave.".len(), "{channel}");
        }
    }
}
