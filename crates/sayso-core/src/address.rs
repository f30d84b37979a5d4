//! Where a person is reached, and the key that stands for it everywhere.

pub mod email;
pub mod phone;

use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::address::email::Email;
use crate::address::phone::Phone;
use crate::words::channel::{Channel, words};

words! {
    /// The kinds of address.
    AddressKind {
        /// A telephone number.
        Phone = "phone", 1;
        /// An electronic mail address.
        Email = "email", 2;
        /// A channel's own id: a WhatsApp BSUID, a push token.
        ChannelId = "channel_id", 3;
        /// A customer's own id of a person; keys what is said about a person of whom no address
        /// is known.
        ExternalId = "external_id", 4;
    }
}

impl AddressKind {
    /// The kind of address that a channel reaches.
    pub const fn on(channel: Channel) -> Self {
        channel.address_kind()
    }

    /// Whether people know theirs by heart, so that a form can ask for it.
    pub const fn is_known_by_heart(self) -> bool {
        match self {
            Self::Phone | Self::Email => true,
            Self::ChannelId | Self::ExternalId => false,
        }
    }
}

/// An id of a person that is not a phone number or an email: 1 to 256 bytes without white space
/// and control characters. Compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpaqueId(Box<str>);

/// Why a text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpaqueIdFault {
    /// Empty.
    #[error("is empty")]
    Empty,
    /// Longer than 256 bytes.
    #[error("is longer than 256 bytes")]
    TooLong,
    /// Has control characters or begins or ends with white space.
    #[error("has control characters")]
    Character,
    /// A word that programs write when they have no id.
    #[error("is a placeholder, not an id")]
    Placeholder,
}

/// What programs write when they have no id; every visitor would become one person.
const PLACEHOLDERS: [&str; 8] =
    ["undefined", "anonymous", "null", "none", "nan", "0", "1", "[object Object]"];

impl OpaqueId {
    /// Parses an id; outer white space is dropped.
    ///
    /// # Errors
    /// [`OpaqueIdFault`].
    pub fn parse(text: &str) -> Result<Self, OpaqueIdFault> {
        let text = text.trim();
        if text.is_empty() {
            Err(OpaqueIdFault::Empty)
        } else if text.len() > 256 {
            Err(OpaqueIdFault::TooLong)
        } else if text.chars().any(char::is_control) {
            Err(OpaqueIdFault::Character)
        } else if PLACEHOLDERS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            Err(OpaqueIdFault::Placeholder)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a person is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A telephone number.
    Phone(Phone),
    /// An electronic mail address.
    Email(Email),
    /// A channel's own id.
    ChannelId(OpaqueId),
    /// A customer's own id of the person.
    ExternalId(OpaqueId),
}

/// SHA-256 of an address's normal form: a phone as its digits, an email folded, an id as it is.
/// What a list of hashed refusals carries (rule 16).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressHash {
    /// The kind of address.
    pub kind: AddressKind,
    /// SHA-256 of the normal form.
    pub sha256: [u8; 32],
}

/// The key of every row about an address: 16 bytes, a keyed hash of (kind, SHA-256 of the normal
/// form). It survives erasure, and without the workspace's secret it cannot be linked to a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey([u8; 16]);

/// The secret of a workspace's address keys. Fixed for the workspace's life.
#[derive(Clone)]
pub struct AddressKeySecret([u8; 32]);

impl Address {
    /// The kind.
    pub const fn kind(&self) -> AddressKind {
        match self {
            Self::Phone(_) => AddressKind::Phone,
            Self::Email(_) => AddressKind::Email,
            Self::ChannelId(_) => AddressKind::ChannelId,
            Self::ExternalId(_) => AddressKind::ExternalId,
        }
    }

    /// Its hash.
    pub fn hash(&self) -> AddressHash {
        let mut digits = [0_u8; 20];
        let sha256 = match self {
            Self::Phone(phone) => Sha256::digest(write_digits(phone.digits(), &mut digits)),
            Self::Email(email) => Sha256::digest(email.folded()),
            Self::ChannelId(id) | Self::ExternalId(id) => Sha256::digest(id.as_str()),
        };
        AddressHash { kind: self.kind(), sha256: sha256.into() }
    }

    /// Its key in a workspace.
    pub fn key(&self, secret: &AddressKeySecret) -> AddressKey {
        self.hash().key(secret)
    }
}

/// Writes decimal digits into the end of `buffer`; no allocation, for hashing millions of phones.
fn write_digits(mut number: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut written = 0;
    for byte in buffer.iter_mut().rev() {
        *byte = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        written += 1;
        if number == 0 {
            break;
        }
    }
    buffer.get(buffer.len() - written..).unwrap_or_default()
}

impl AddressHash {
    /// The key of the address with this hash.
    pub fn key(&self, secret: &AddressKeySecret) -> AddressKey {
        let mut input = [0_u8; 33];
        let (kind, hash) = input.split_at_mut(1);
        kind.fill(self.kind.code());
        hash.copy_from_slice(&self.sha256);
        let mut key = [0_u8; 16];
        let full = blake3::keyed_hash(&secret.0, &input);
        key.copy_from_slice(full.as_bytes().first_chunk::<16>().unwrap_or(&[0; 16]));
        AddressKey(key)
    }
}

impl AddressKey {
    /// The key with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl AddressKey {
    /// Parses the 32 hexadecimal digits in which a key is shown.
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_one)?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AddressKey({self})")
    }
}

impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl AddressKeySecret {
    /// The secret with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for sealing.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for AddressKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressKeySecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(digits: u64) -> Address {
        Address::Phone(Phone::from_digits(digits).unwrap())
    }

    #[test]
    fn a_phone_is_hashed_as_its_digits() {
        let expected: [u8; 32] = Sha256::digest("15550100001").into();
        assert_eq!(phone(15_550_100_001).hash().sha256, expected);
    }

    #[test]
    fn keys_differ_by_kind_value_and_workspace() {
        let (one, two) =
            (AddressKeySecret::from_bytes([1; 32]), AddressKeySecret::from_bytes([2; 32]));
        let id = |text| OpaqueId::parse(text).unwrap();
        let keys = [
            phone(15_550_100_001).key(&one),
            phone(15_550_100_002).key(&one),
            phone(15_550_100_001).key(&two),
            Address::ChannelId(id("15550100001")).key(&one),
            Address::ExternalId(id("15550100001")).key(&one),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn placeholders_are_no_ids() {
        for text in ["undefined", "NULL", " 0 ", "anonymous"] {
            assert_eq!(OpaqueId::parse(text), Err(OpaqueIdFault::Placeholder));
        }
    }

    #[test]
    fn a_secret_never_shows_itself() {
        assert_eq!(format!("{:?}", AddressKeySecret::from_bytes([7; 32])), "AddressKeySecret(..)");
    }
}
