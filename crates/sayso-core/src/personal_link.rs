//! The links that people leave by: one to their preference centre, one to unsubscribe with a click
//! (rule 22).
//!
//! A link carries a token: whom it is about, as an address key, what it leaves, and a code that only this
//! workspace can make. There is no table of tokens, so none can be lost, used up, or too old. The keys of
//! the codes are a ring, each made of the workspace's secret and a number: a store that was restored from
//! before a rotation still knows the keys made after it. *A token holds no address, and no key is ever
//! withdrawn: a link that stops working would keep somebody from leaving.*
//!
//! ```text
//! a sealed token, version 1, context "sayso personal link key 1", that says:
//! workspace ‖ address key ‖ channel ‖ purpose ‖ leaves ‖ sender?
//! leaves = 1 ‖ category | 2 ‖ topic
//! ```
//!
//! The parts are written as in [`crate::canonical`]. A golden vector stands in the tests of this file.

use crate::address::{AddressKey, AddressKeySecret};
use crate::canonical::{Canonical, Malformed, Reader, Writer};
use crate::channel::{Category, Channel, words};
use crate::id::{SenderId, TopicId, WorkspaceId};
use crate::sealed_token::{Kind, Unverified};

/// The tokens of links.
const KIND: Kind = Kind { version: 1, context: "sayso personal link key 1" };

words! {
    /// What a link is for. One is never taken for the other: the first shows what is known of a person,
    /// the second is read by everybody who carries a message.
    LinkPurpose: "preferences, one_click" {
        /// To see and change everything.
        Preferences = "preferences", 1;
        /// To leave, with a click.
        OneClick = "one_click", 2;
    }
}

/// What a person leaves by one click.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leaves {
    /// A category of messages on the channel.
    Category(Category),
    /// A topic on the channel.
    Topic(TopicId),
}

/// A key of the ring, by its number. Links are made with the newest; all are valid, also those that are
/// still to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkKey(u32);

/// What a link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonalLink {
    /// Whose link it is.
    pub workspace: WorkspaceId,
    /// Whom it is about.
    pub address: AddressKey,
    /// The channel of the message it stands in.
    pub channel: Channel,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// What it leaves.
    pub leaves: Leaves,
    /// Who sent the message, where that is not plain.
    pub sender: Option<SenderId>,
}

/// What a token says, before it is known who wrote it.
#[derive(Clone, Debug)]
pub struct UnverifiedLink(Unverified<PersonalLink>);

impl LinkKey {
    /// The key with this number; the first has 0.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The key after it; the last is its own.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl PersonalLink {
    /// The token of this link.
    ///
    /// *Shape:* 74 to 120 letters, digits, `-` and `_`.
    pub fn token(&self, key: LinkKey, secret: &AddressKeySecret) -> String {
        KIND.seal(key, secret, |to| self.write(to))
    }
}

impl UnverifiedLink {
    /// Reads a token; nothing where it is none.
    pub fn parse(token: &str) -> Option<Self> {
        KIND.parse(token, PersonalLink::read).map(Self)
    }

    /// The workspace that should know it.
    pub const fn workspace(&self) -> WorkspaceId {
        self.0.says.workspace
    }

    /// What it says, if the workspace with this secret made it.
    pub fn verify(&self, secret: &AddressKeySecret) -> Option<PersonalLink> {
        KIND.is_made_by(&self.0, secret).then_some(self.0.says)
    }
}

impl Canonical for PersonalLink {
    fn write(&self, to: &mut Writer) {
        to.raw(self.workspace.as_bytes());
        self.address.write(to);
        self.channel.write(to);
        to.byte(self.purpose.code());
        match self.leaves {
            Leaves::Category(category) => {
                to.byte(1);
                category.write(to);
            }
            Leaves::Topic(topic) => {
                to.byte(2);
                topic.write(to);
            }
        }
        self.sender.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            workspace: from.raw().map(WorkspaceId::from_bytes)?,
            address: AddressKey::read(from)?,
            channel: Channel::read(from)?,
            purpose: LinkPurpose::from_code(from.byte()?).ok_or(Malformed)?,
            leaves: match from.byte()? {
                1 => Category::read(from).map(Leaves::Category)?,
                2 => TopicId::read(from).map(Leaves::Topic)?,
                _ => return Err(Malformed),
            },
            sender: Option::read(from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits;

    const SECRET: AddressKeySecret = AddressKeySecret::from_bytes([7; 32]);

    fn link() -> PersonalLink {
        PersonalLink {
            workspace: WorkspaceId::from_bytes([1; 16]),
            address: AddressKey::from_bytes([2; 16]),
            channel: Channel::Sms,
            purpose: LinkPurpose::OneClick,
            leaves: Leaves::Category(Category::Marketing),
            sender: None,
        }
    }

    fn any_link() -> impl Strategy<Value = PersonalLink> {
        let leaves = prop_oneof![
            proptest::sample::select(Category::ALL).prop_map(Leaves::Category),
            any::<[u8; 16]>().prop_map(|id| Leaves::Topic(TopicId::from_bytes(id))),
        ];
        let ids = (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<Option<[u8; 16]>>());
        let words = (
            proptest::sample::select(Channel::ALL),
            proptest::sample::select(LinkPurpose::ALL),
            leaves,
        );
        (ids, words).prop_map(|((workspace, address, sender), (channel, purpose, leaves))| {
            PersonalLink {
                workspace: WorkspaceId::from_bytes(workspace),
                address: AddressKey::from_bytes(address),
                channel,
                purpose,
                leaves,
                sender: sender.map(SenderId::from_bytes),
            }
        })
    }

    /// Links in messages that were sent years ago must be read.
    #[test]
    fn tokens_are_what_they_were() {
        insta::assert_snapshot!(link().token(LinkKey::default(), &SECRET), @"AQABAQEBAQEBAQEBAQEBAQEBAgICAgICAgICAgICAgICAgICAQEAE445Iyq2cIvB5EBKfA1Nnw");
        let topic = PersonalLink {
            purpose: LinkPurpose::Preferences,
            leaves: Leaves::Topic(TopicId::from_bytes([3; 16])),
            sender: Some(SenderId::from_bytes([4; 16])),
            ..link()
        };
        insta::assert_snapshot!(topic.token(LinkKey::from_number(300), &SECRET), @"AawCAQEBAQEBAQEBAQEBAQEBAQICAgICAgICAgICAgICAgICAQIDAwMDAwMDAwMDAwMDAwMDAQQEBAQEBAQEBAQEBAQEBAQQRVROC2MitkeYandbf70k");
    }

    #[test]
    fn a_token_of_another_workspace_or_longer_than_any_is_refused() {
        let token = link().token(LinkKey::default(), &SECRET);
        let other = AddressKeySecret::from_bytes([8; 32]);
        assert_eq!(UnverifiedLink::parse(&token).unwrap().verify(&other), None);
        assert!(UnverifiedLink::parse(&"A".repeat(limits::LINK_TOKEN_BYTES_MAX + 1)).is_none());
        assert!(UnverifiedLink::parse("").is_none());
    }

    proptest! {
        #[test]
        fn a_token_says_what_its_link_says_whatever_key_made_it(link in any_link(), key: u32) {
            let token = link.token(LinkKey::from_number(key), &SECRET);
            let read = UnverifiedLink::parse(&token).unwrap();
            prop_assert_eq!(read.workspace(), link.workspace);
            prop_assert_eq!(read.verify(&SECRET), Some(link));
            prop_assert!(token.len() <= limits::LINK_TOKEN_BYTES_MAX);
        }

        /// What stands at the end of a text is often taken for punctuation.
        #[test]
        fn a_token_ends_with_a_letter_or_a_digit(link in any_link(), key in 0_u32..128) {
            let token = link.token(LinkKey::from_number(key), &SECRET);
            prop_assert!(token.ends_with(|last: char| last.is_ascii_alphanumeric()), "{}", token);
        }

        #[test]
        fn any_altered_byte_is_refused(link in any_link(), key: u32, at: prop::sample::Index, to in "[A-Za-z0-9_-]") {
            let token = link.token(LinkKey::from_number(key), &SECRET);
            let at = at.index(token.len());
            let mut altered = token.clone();
            altered.replace_range(at..=at, &to);
            prop_assume!(altered != token);
            let read = UnverifiedLink::parse(&altered).and_then(|read| read.verify(&SECRET));
            prop_assert_eq!(read, None);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,160}") {
            let _ = UnverifiedLink::parse(&text);
        }
    }
}
