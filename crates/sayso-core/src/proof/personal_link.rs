//! The links that people leave by: one to their preference centre, one to unsubscribe with a click
//! (rule 22).
//!
//! A link carries a token: whom it is about, as an address key, what it leaves, how it was made, and a code
//! that only this workspace can make. There is no table of tokens, so none can be lost, used up, or too old
//! to leave by. The keys of the codes are a ring, each made of the workspace's secret and a number: a store
//! that was restored from before a rotation still knows the keys made after it. *A token holds no address,
//! and no key is ever withdrawn: a link that stops working would keep somebody from leaving.*
//!
//! **Leaving works with any link, for years. Anything more needs a link that went through the address
//! itself** within [`LINK_FRESH_DAYS`](crate::limits::LINK_FRESH_DAYS): whoever opens it can read what is sent there. A link that was
//! handed to a key was read by a program first, so it may only refuse, and what is done by it names that key.
//!
//! ```text
//! a sealed token, version 3, context "sayso personal link key 3", that says:
//! workspace ‖ address key ‖ channel ‖ purpose ‖ leaves ‖ sender? ‖ day ‖ making
//! leaves = 1 ‖ category | 2 ‖ topic
//! day    = days since 1970-01-01, 2 bytes, big-endian
//! making = 1 | 2 ‖ key ‖ 0 ‖ 0
//! ```
//!
//! Version 1, context "sayso personal link key 1", ends after the sender and says nothing of how it was made.
//! The parts are written as in [`crate::canonical`]. Golden vectors stand in the tests of this file.

use crate::address::{AddressKey, AddressKeySecret};
use crate::canonical::{Canonical, Malformed, Reader, Writer};
use crate::id::{KeyId, SenderId, TopicId, WorkspaceId};
use crate::proof::link_key::LinkKey;
use crate::proof::sealed_token::{Kind, Unverified};
use crate::time::Timestamp;
use crate::words::channel::{Category, Channel, words};
use crate::words::day::Day;

/// The tokens of links that say how they were made.
const SAYING: Kind = Kind { version: 3, context: "sayso personal link key 3" };
/// Those of links from before that.
const SILENT: Kind = Kind { version: 1, context: "sayso personal link key 1" };

/// What follows a key: with it no token ends with a `-` or a `_`, which are often taken for punctuation.
const FILLER: [u8; 2] = [0; 2];

words! {
    /// What a link is for. One is never taken for the other: the first shows what is known of a person,
    /// the second is read by everybody who carries a message.
    LinkPurpose {
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

/// How a link came to whoever holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// It does not say: it was made before links did.
    Unsaid,
    /// We put it into a message to the address itself, on that day.
    Sent(Day),
    /// This key was given it, on that day.
    Handed(KeyId, Day),
}

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
    /// How it was made.
    pub making: Making,
}

/// What a token says, before it is known who wrote it.
#[derive(Clone, Debug)]
pub struct UnverifiedLink {
    kind: Kind,
    token: Unverified<PersonalLink>,
}

impl Making {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsaid => "unsaid",
            Self::Sent(_) => "sent",
            Self::Handed(..) => "handed",
        }
    }

    /// The day, if it is known.
    pub const fn day(self) -> Option<Day> {
        match self {
            Self::Unsaid => None,
            Self::Sent(day) | Self::Handed(_, day) => Some(day),
        }
    }

    /// The key that was given it.
    pub const fn handed_to(self) -> Option<KeyId> {
        match self {
            Self::Unsaid | Self::Sent(_) => None,
            Self::Handed(key, _) => Some(key),
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Unsaid => SILENT,
            Self::Sent(_) | Self::Handed(..) => SAYING,
        }
    }
}

impl PersonalLink {
    /// The token of this link.
    ///
    /// *Shape:* 78 to 147 letters, digits, `-` and `_`; at most [`SENT_LINK_TOKEN_BYTES_MAX`](crate::limits::SENT_LINK_TOKEN_BYTES_MAX) if it was
    /// not handed to a key.
    pub fn token(&self, key: LinkKey, secret: &AddressKeySecret) -> String {
        self.making.kind().seal(key, secret, |to| self.write(to))
    }

    /// Whether it may do more than leave: agree, download, erase, allow processing.
    pub fn may_do_more(&self, at: Timestamp) -> bool {
        match self.making {
            Making::Sent(day) => day.is_fresh(at),
            Making::Unsaid | Making::Handed(..) => false,
        }
    }

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
        match self.making {
            Making::Unsaid => {}
            Making::Sent(day) => {
                day.write(to);
                to.byte(1);
            }
            Making::Handed(key, day) => {
                day.write(to);
                to.byte(2);
                key.write(to);
                to.raw(&FILLER);
            }
        }
    }

    /// Reads what a token of this kind says.
    fn read(kind: Kind, from: &mut Reader<'_>) -> Result<Self, Malformed> {
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
            making: if kind == SILENT { Making::Unsaid } else { Making::read(from)? },
        })
    }
}

impl Making {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let day = Day::read(from)?;
        match from.byte()? {
            1 => Ok(Self::Sent(day)),
            2 => {
                let key = KeyId::read(from)?;
                if from.raw()? == FILLER { Ok(Self::Handed(key, day)) } else { Err(Malformed) }
            }
            _ => Err(Malformed),
        }
    }
}

impl UnverifiedLink {
    /// Reads a token; nothing where it is none.
    pub fn parse(token: &str) -> Option<Self> {
        [SAYING, SILENT].into_iter().find_map(|kind| {
            let token = kind.parse(token, |from| PersonalLink::read(kind, from))?;
            Some(Self { kind, token })
        })
    }

    /// The workspace that should know it.
    pub const fn workspace(&self) -> WorkspaceId {
        self.token.says.workspace
    }

    /// What it says, if the workspace with this secret made it.
    pub fn verify(&self, secret: &AddressKeySecret) -> Option<PersonalLink> {
        self.kind.is_made_by(&self.token, secret).then_some(self.token.says)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits;
    use crate::time::Span;

    const SECRET: AddressKeySecret = AddressKeySecret::from_bytes([7; 32]);

    fn link() -> PersonalLink {
        PersonalLink {
            workspace: WorkspaceId::from_bytes([1; 16]),
            address: AddressKey::from_bytes([2; 16]),
            channel: Channel::Sms,
            purpose: LinkPurpose::OneClick,
            leaves: Leaves::Category(Category::Marketing),
            sender: None,
            making: Making::Unsaid,
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn any_making() -> impl Strategy<Value = Making> {
        prop_oneof![
            Just(Making::Unsaid),
            any::<u16>().prop_map(|day| Making::Sent(Day::from_number(day))),
            any::<([u8; 16], u16)>().prop_map(|(key, day)| Making::Handed(
                KeyId::from_bytes(key),
                Day::from_number(day)
            )),
        ]
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
            any_making(),
        );
        (ids, words).prop_map(
            |((workspace, address, sender), (channel, purpose, leaves, making))| PersonalLink {
                workspace: WorkspaceId::from_bytes(workspace),
                address: AddressKey::from_bytes(address),
                channel,
                purpose,
                leaves,
                sender: sender.map(SenderId::from_bytes),
                making,
            },
        )
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
    fn a_token_says_how_it_was_made() {
        let day = Day::of(at("2026-11-21T10:00:00Z"));
        let sent = PersonalLink { making: Making::Sent(day), ..link() };
        insta::assert_snapshot!(sent.token(LinkKey::default(), &SECRET), @"AwABAQEBAQEBAQEBAQEBAQEBAgICAgICAgICAgICAgICAgICAQEAUSoB4A7kgr4KGy9NE3iJ7eg2aw");
        let handed = Making::Handed(KeyId::from_bytes([5; 16]), day);
        let handed = PersonalLink { making: handed, ..link() };
        insta::assert_snapshot!(handed.token(LinkKey::default(), &SECRET), @"AwABAQEBAQEBAQEBAQEBAQEBAgICAgICAgICAgICAgICAgICAQEAUSoCBQUFBQUFBQUFBQUFBQUFBQAASpYjQGZd771L1VhsfrdU6g");
    }

    #[test]
    fn only_a_link_that_went_through_the_address_within_seven_days_does_more_than_leave() {
        let made = at("2026-11-21T10:00:00Z");
        let link_of = |making| PersonalLink { making, ..link() };
        let sent = link_of(Making::Sent(Day::of(made)));
        for (days, may) in
            [(0, true), (6, true), (7, false), (8, false), (4_000, false), (-1, false)]
        {
            assert_eq!(sent.may_do_more(made.plus(Span::days(days))), may, "{days}");
        }
        let handed = link_of(Making::Handed(KeyId::from_bytes([5; 16]), Day::of(made)));
        assert!(!handed.may_do_more(made));
        assert!(!link_of(Making::Unsaid).may_do_more(made));
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
            let longest = match link.making {
                Making::Handed(..) => limits::LINK_TOKEN_BYTES_MAX,
                Making::Unsaid | Making::Sent(_) => limits::SENT_LINK_TOKEN_BYTES_MAX,
            };
            prop_assert!(token.len() <= longest);
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
