//! The word of a workspace that an address answered: a part of a link to another address of the same person.
//!
//! Whoever can read what is sent to one address is shown what is kept about that address. Everything about the
//! person is for whoever can read at two of their addresses (rule 22): so the link that the second gets carries
//! this word about the first. *It opens nothing by itself, and holds no address.*
//!
//! ```text
//! a sealed token, version 4, context "sayso answered address key 1", that says:
//! workspace ‖ address key ‖ day
//! ```

use crate::address::{AddressKey, AddressKeySecret};
use crate::id::WorkspaceId;
use crate::proof::link_key::LinkKey;
use crate::proof::sealed_token::Kind;
use crate::time::Timestamp;
use crate::words::day::Day;

const KIND: Kind = Kind { version: 4, context: "sayso answered address key 1" };

/// That an address answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whose word it is.
    pub workspace: WorkspaceId,
    /// Which address.
    pub address: AddressKey,
    /// On which day.
    pub day: Day,
}

impl Answered {
    /// The token that says so.
    ///
    /// *Shape:* 70 letters, digits, `-` and `_` or a few more.
    pub fn token(&self, key: LinkKey, secret: &AddressKeySecret) -> String {
        KIND.seal(key, secret, |to| {
            to.raw(self.workspace.as_bytes());
            to.raw(self.address.as_bytes());
            self.day.write(to);
        })
    }

    /// What a token says, if this workspace wrote it within the days that a link is fresh.
    pub fn read(
        token: &str,
        (workspace, secret): (WorkspaceId, &AddressKeySecret),
        now: Timestamp,
    ) -> Option<Self> {
        let token = KIND.parse(token, |from| {
            Ok(Self {
                workspace: from.raw().map(WorkspaceId::from_bytes)?,
                address: from.raw().map(AddressKey::from_bytes)?,
                day: Day::read(from)?,
            })
        })?;
        let is_ours = KIND.is_made_by(&token, secret) && token.says.workspace == workspace;
        (is_ours && token.says.day.is_fresh(now)).then_some(token.says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    const SECRET: AddressKeySecret = AddressKeySecret::from_bytes([7; 32]);

    #[test]
    fn a_word_is_believed_of_its_workspace_alone_and_for_seven_days() {
        let now = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
        let workspace = WorkspaceId::from_bytes([1; 16]);
        let answered =
            Answered { workspace, address: AddressKey::from_bytes([2; 16]), day: Day::of(now) };
        let token = answered.token(LinkKey::default(), &SECRET);
        insta::assert_snapshot!(token, @"BAABAQEBAQEBAQEBAQEBAQEBAgICAgICAgICAgICAgICAlEqAzu4e0XkKCvq-6HMh1u-TA");
        assert_eq!(Answered::read(&token, (workspace, &SECRET), now), Some(answered));
        let other = WorkspaceId::from_bytes([9; 16]);
        assert_eq!(Answered::read(&token, (other, &SECRET), now), None);
        let secret = AddressKeySecret::from_bytes([8; 32]);
        assert_eq!(Answered::read(&token, (workspace, &secret), now), None);
        let late = now.plus(Span::days(7));
        assert_eq!(Answered::read(&token, (workspace, &SECRET), late), None);
        assert_eq!(Answered::read("", (workspace, &SECRET), now), None);
    }

    #[test]
    fn it_is_no_link() {
        let now = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
        let workspace = WorkspaceId::from_bytes([1; 16]);
        let answered =
            Answered { workspace, address: AddressKey::from_bytes([2; 16]), day: Day::of(now) };
        let token = answered.token(LinkKey::default(), &SECRET);
        assert!(crate::proof::personal_link::UnverifiedLink::parse(&token).is_none());
    }
}
