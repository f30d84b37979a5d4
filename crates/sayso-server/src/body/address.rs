//! The one address that a request names.

use sayso_core::address::email::Email;
use sayso_core::address::phone::{Phone, PhoneBook, Region};
use sayso_core::address::{Address, AddressHash, AddressKind, OpaqueId};
use sayso_plan::draft::Subject;

use super::Faults;
use super::texts::{KindText, OpaqueIdText, Sha256Text};
use crate::problem::Code;

const PLACES: [&str; 11] = [
    "/phone",
    "/email",
    "/external_id",
    "/channel_id",
    "/hash",
    "/kind",
    "?phone",
    "?email",
    "?external_id",
    "?channel_id",
    "?hash",
];

/// The fields that may name a person. Exactly one of them does.
#[derive(Debug, Default)]
pub(crate) struct AddressFields {
    /// A telephone number.
    pub(crate) phone: Option<String>,
    /// An email address.
    pub(crate) email: Option<String>,
    /// The customer's own id of the person.
    pub(crate) external_id: Option<OpaqueIdText>,
    /// A channel's own id.
    pub(crate) channel_id: Option<OpaqueIdText>,
    /// The SHA-256 of the normal form of an address.
    pub(crate) hash: Option<Sha256Text>,
    /// The kind of the hashed address.
    pub(crate) kind: Option<KindText>,
}

/// Declares what an operation takes that is about one address: the fields that may name it, and more.
macro_rules! addressed_object {
    ($(#[$meta:meta])* $name:ident { $($more:tt)* }) => {
        $crate::body::json_object! {
            $(#[$meta])*
            $name {
                /// A telephone number: E.164, a provider's spelling of it, or a national number with a region.
                #[schema(example = "+14155550123")]
                phone: String,
                /// An email address.
                #[schema(example = "ada@example.org")]
                email: String,
                /// Your own id of the person.
                external_id: $crate::body::texts::OpaqueIdText,
                /// A channel's own id of the person: a WhatsApp BSUID, a push token.
                channel_id: $crate::body::texts::OpaqueIdText,
                /// The SHA-256 of the address's normal form, for people you know by hash only. A phone is hashed as its digits.
                hash: $crate::body::texts::Sha256Text,
                /// The kind of the hashed address.
                kind: $crate::body::texts::KindText,
                $($more)*
            }
        }

        impl $name {
            /// The fields that name the address.
            pub(crate) fn take_address(&mut self) -> $crate::body::address::AddressFields {
                $crate::body::address::AddressFields {
                    phone: self.phone.take(),
                    email: self.email.take(),
                    external_id: self.external_id.take(),
                    channel_id: self.channel_id.take(),
                    hash: self.hash.take(),
                    kind: self.kind.take(),
                }
            }
        }
    };
}
pub(crate) use addressed_object;

/// How well a phone number must be known to be one (rule 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// For opt-ins: assigned by a numbering plan.
    Valid,
    /// For refusals and questions: possible at all.
    Possible,
}

/// What is needed to read addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    /// What is known of phone numbers.
    pub(crate) phones: &'a PhoneBook,
    /// Where national numbers belong.
    pub(crate) region: Option<Region>,
    /// How careful to be.
    pub(crate) care: Care,
    /// Where the fields stand.
    pub(crate) place: Place,
}

/// Where the fields of an address stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the body.
    Body,
    /// In the query.
    Query,
}

impl Reading<'_> {
    /// Reads a phone number; notes what is wrong with it.
    pub(crate) fn phone(&self, text: &str, pointer: &str, faults: &mut Faults) -> Option<Phone> {
        let parsed = match self.care {
            Care::Valid => Phone::parse(text, self.region, self.phones),
            Care::Possible => Phone::parse_possible(text, self.region, self.phones),
        };
        parsed
            .map_err(|fault| {
                let example = fault.example(self.region, self.phones).to_string();
                faults.note_with_example(pointer, Code::InvalidPhone, fault, example);
            })
            .ok()
    }

    /// Reads an email address; notes what is wrong with it.
    #[expect(clippy::unused_self, reason = "the same shape as phone")]
    pub(crate) fn email(&self, text: &str, pointer: &str, faults: &mut Faults) -> Option<Email> {
        Email::parse(text)
            .map_err(|fault| {
                faults.note_with_example(pointer, Code::InvalidEmail, fault, fault.example());
            })
            .ok()
    }

    /// Reads an address of a known kind; notes what is wrong with it.
    pub(crate) fn of_kind(
        &self,
        kind: AddressKind,
        text: &str,
        pointer: &str,
        faults: &mut Faults,
    ) -> Option<Address> {
        let id = |faults: &mut Faults| {
            OpaqueId::parse(text)
                .map_err(|fault| {
                    faults.note_with_example(pointer, Code::InvalidId, fault, "u-1001");
                })
                .ok()
        };
        match kind {
            AddressKind::Phone => self.phone(text, pointer, faults).map(Address::Phone),
            AddressKind::Email => self.email(text, pointer, faults).map(Address::Email),
            AddressKind::ChannelId => id(faults).map(Address::ChannelId),
            AddressKind::ExternalId => id(faults).map(Address::ExternalId),
        }
    }
}

impl AddressFields {
    /// All addresses that are given, for a request that may name a person by several. Notes what is
    /// wrong with any.
    pub(crate) fn settle_all(self, reading: &Reading<'_>, faults: &mut Faults) -> Vec<Address> {
        let phone = self.phone.and_then(|text| reading.phone(&text, "/phone", faults));
        let email = self.email.and_then(|text| reading.email(&text, "/email", faults));
        let external = self.external_id.map(|OpaqueIdText(id)| Address::ExternalId(id));
        let channel_id = self.channel_id.map(|OpaqueIdText(id)| Address::ChannelId(id));
        let all = [external, phone.map(Address::Phone), email.map(Address::Email), channel_id];
        let all: Vec<Address> = all.into_iter().flatten().collect();
        if all.is_empty() && !faults.is_wrong_at(&PLACES) {
            note_absent(faults);
        }
        all
    }

    /// The one address, unless something is wrong with it, which is noted.
    pub(crate) fn settle(self, reading: &Reading<'_>, faults: &mut Faults) -> Option<Subject> {
        let given = [
            self.phone.is_some(),
            self.email.is_some(),
            self.external_id.is_some(),
            self.channel_id.is_some(),
            self.hash.is_some(),
        ];
        match given.into_iter().filter(|given| *given).count() {
            1 => {}
            0 if faults.is_wrong_at(&PLACES) => return None,
            0 => {
                note_absent(faults);
                return None;
            }
            _ => {
                faults.note(
                    "",
                    Code::OneAddress,
                    "names several addresses; send one request for each",
                );
                return None;
            }
        }
        if let Some(Sha256Text(sha256)) = self.hash {
            let KindText(kind) = faults.require("/kind", self.kind, "phone")?;
            return Some(Subject::Hash(AddressHash { kind, sha256 }));
        }
        let (phone, email) = match reading.place {
            Place::Body => ("/phone", "/email"),
            Place::Query => ("?phone", "?email"),
        };
        let address = if let Some(text) = self.phone.as_deref() {
            reading.phone(text, phone, faults).map(Address::Phone)
        } else if let Some(text) = self.email.as_deref() {
            reading.email(text, email, faults).map(Address::Email)
        } else {
            let external = self.external_id.map(|OpaqueIdText(id)| Address::ExternalId(id));
            external.or(self.channel_id.map(|OpaqueIdText(id)| Address::ChannelId(id)))
        };
        address.map(Subject::Address)
    }
}

fn note_absent(faults: &mut Faults) {
    let fault = "names nobody: send phone, email, external_id, channel_id or hash";
    faults.note_with_example("", Code::OneAddress, fault, "{\"phone\": \"+14155550123\"}");
}
