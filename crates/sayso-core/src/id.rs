//! Typed ids: a prefix that names the kind, and 128 bits.
//!
//! *Shape:* prefix, underscore, 26 characters of Crockford's base 32 in lower case, the form of
//! TypeID 0.3 (`snd_01jd6m9k3te5b8r5v3x5y6z7w8`). Ids that a server makes are UUIDv7 (RFC 9562
//! section 5.7), so they sort by time; an event's id is derived from its request ([`crate::words::event_id`]).

use std::fmt;

use thiserror::Error;

/// Why a text is not the id it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdFault {
    /// The text does not begin with the kind's prefix.
    #[error("does not begin with {expected}_")]
    Prefix {
        /// The prefix of the kind that was asked for.
        expected: &'static str,
    },
    /// What follows the prefix is not 26 characters of the alphabet.
    #[error("is not {expected}_ and 26 letters or digits")]
    Shape {
        /// The prefix of the kind that was asked for.
        expected: &'static str,
    },
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 26;

fn write_base32(bits: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for position in (0..DIGITS).rev() {
        let digit = (bits >> (5 * position)) & 31;
        let letter = usize::try_from(digit).ok().and_then(|at| ALPHABET.get(at));
        fmt::Write::write_char(f, char::from(*letter.unwrap_or(&b'0')))?;
    }
    Ok(())
}

fn read_base32(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    // The first digit holds three bits only, so it is at most 7.
    if bytes.len() != DIGITS || *bytes.first()? > b'7' {
        return None;
    }
    bytes.iter().try_fold(0_u128, |bits, byte| {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        Some((bits << 5) | u128::try_from(digit).ok()?)
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id with these 128 bits.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 128 bits, big-endian.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Parses the text form.
            ///
            /// # Errors
            /// [`IdFault`] when the prefix or the rest does not fit.
            pub fn parse(text: &str) -> Result<Self, IdFault> {
                let rest = text
                    .strip_prefix($prefix)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .ok_or(IdFault::Prefix { expected: $prefix })?;
                read_base32(rest)
                    .map(|bits| Self(bits.to_be_bytes()))
                    .ok_or(IdFault::Shape { expected: $prefix })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                write_base32(u128::from_be_bytes(self.0), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}

ids! {
    /// An isolated customer of this server.
    WorkspaceId = "ws";
    /// A person known to a workspace.
    ProfileId = "pro";
    /// The business side on one channel.
    SenderId = "snd";
    /// A kind of message promised to people.
    TopicId = "top";
    /// The words shown to people, all versions and languages of them.
    NoticeId = "ntc";
    /// A web opt-in form.
    FormId = "frm";
    /// One import of a list.
    ImportId = "imp";
    /// One API key.
    KeyId = "key";
    /// An account at a provider.
    ConnectionId = "con";
    /// One send.
    MessageId = "msg";
    /// One statement that was refused.
    RejectId = "rej";
    /// One rule: an inbound text that opts in or out.
    RuleId = "rul";
    /// One entry point: a QR code, link or widget that leads to a chat.
    EntryPointId = "ent";
    /// One double opt-in: what is pending, and the question that confirms it.
    DoubleOptInId = "dbl";
    /// One consent event; derived, see [`crate::words::event_id`].
    EventId = "evt";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_and_parse_are_inverse() {
        for bits in [0, 1, u128::MAX, 0x0192_f3a4_b5c6_7d8e_9f01_2345_6789_abcd] {
            let id = EventId::from_bytes(bits.to_be_bytes());
            assert_eq!(EventId::parse(&id.to_string()), Ok(id));
        }
    }

    #[test]
    fn ids_sort_as_their_text_does() {
        let (a, b) = (SenderId::from_bytes([1; 16]), SenderId::from_bytes([2; 16]));
        assert!(a < b && a.to_string() < b.to_string());
    }

    #[test]
    fn another_kind_and_a_broken_id_are_refused() {
        let id = SenderId::from_bytes([7; 16]).to_string();
        assert_eq!(TopicId::parse(&id), Err(IdFault::Prefix { expected: "top" }));
        assert_eq!(SenderId::parse("snd_123"), Err(IdFault::Shape { expected: "snd" }));
        assert_eq!(
            SenderId::parse("snd_80000000000000000000000000"),
            Err(IdFault::Shape { expected: "snd" })
        );
    }
}
