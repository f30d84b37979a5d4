//! The immutable facts that everything else is derived from.

use std::collections::BTreeMap;

use crate::address::{Address, AddressKey};
use crate::id::{EventId, ImportId, ProfileId, SenderId};
use crate::state::suppression::{Cover, Suppression, Switched};
use crate::time::Timestamp;
use crate::words::channel::{Channel, Permission};
use crate::words::source::{Actor, Evidence, EvidenceText, Source};
use crate::words::statement::Statement;

/// An immutable fact about one address: appended, never edited (rule 2).
///
/// These are the clear facts; state and rebuild need no more. What is personal stands in
/// [`Sealed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentEvent {
    /// Derived from the request (rule 3).
    pub id: EventId,
    /// The address it is about.
    pub key: AddressKey,
    /// What happened.
    pub fact: Fact,
    /// Where it came from.
    pub source: Source,
    /// Who acted.
    pub actor: Actor,
    /// When it happened, as settled by [`crate::state::capture::settle_time`].
    pub occurred_at: Timestamp,
    /// When we stored it. Never runs backwards in a store.
    pub recorded_at: Timestamp,
    /// The import that brought it; retracting the import leaves it out.
    pub import: Option<ImportId>,
    /// The event it follows from (a link); retracting that leaves it out.
    pub basis: Option<EventId>,
}

impl ConsentEvent {
    /// Whether nobody vouches for it: a stranger may have said it of somebody else's address (rules 11
    /// and 15).
    pub fn is_unproven(&self) -> bool {
        self.actor == Actor::Visitor
    }
}

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A permission was given, refused, asked for or reported.
    Consent(Permission, Statement),
    /// A suppression was set or cleared (rule 12).
    Suppression(Suppression, Cover, Switched),
    /// The person wrote to this sender (rule 18).
    Activity(SenderId),
    /// An event, or a whole import, is to be left out (rule 9).
    Retraction(Retracted),
    /// The address belongs to this profile from now on (rule 13). Unlinking is a retraction of it.
    Link(ProfileId),
    /// A provider named that other address as one account with this one on the channel (rule 13).
    /// Untying is a retraction of it.
    SameAccount(Channel, AddressKey),
    /// The person of that other address has this one now, as a provider told (rule 13).
    MovedFrom(AddressKey),
    /// Attributes of a profile, in the sealed part.
    Attributes(ProfileId),
    /// Address, evidence, attributes and salts are destroyed; refusals stay (rule 17).
    Erasure,
}

impl Fact {
    /// The permission that it speaks of, and what it says of it; absent where it speaks of other things.
    pub const fn consent(&self) -> Option<(Permission, Statement)> {
        match self {
            Self::Consent(permission, statement) => Some((*permission, *statement)),
            Self::Suppression(..)
            | Self::Activity(_)
            | Self::Retraction(_)
            | Self::Link(_)
            | Self::SameAccount(..)
            | Self::MovedFrom(_)
            | Self::Attributes(_)
            | Self::Erasure => None,
        }
    }

    /// Whether it refuses a permission. A block refuses none, though it takes messages away
    /// ([`Fact::takes_away`]); and who says no to what is on which road is another question
    /// ([`is_refusal_of_the_person`](crate::state::retraction::is_refusal_of_the_person)).
    pub fn is_refusal(&self) -> bool {
        self.consent().is_some_and(|(_, statement)| statement.is_refusal())
    }

    /// Whether it takes something away: a refusal, a block, an erasure. A backup counts these, for they are
    /// what must not be lost.
    pub fn takes_away(&self) -> bool {
        let is_block = matches!(self, Self::Suppression(_, _, Switched::On));
        self.is_refusal() || is_block || *self == Self::Erasure
    }

    /// Whether recording it may take something away: what does so itself, and what may bring the refusals of
    /// another address along. It is written before anything else, and lives on the reserve of a full disk. A
    /// block that is cleared goes along, so that it stays behind the one that it clears.
    pub fn may_take_away(&self) -> bool {
        let brings = matches!(
            self,
            Self::SameAccount(..) | Self::MovedFrom(_) | Self::Suppression(_, _, Switched::Off)
        );
        brings || self.takes_away()
    }

    /// Whether it may change if the person's data may be processed (rule 11), of the address or through a
    /// profile.
    pub const fn bears_on_processing(&self) -> bool {
        matches!(
            self,
            Self::Consent(Permission::Processing, _) | Self::Link(_) | Self::Retraction(_)
        )
    }

    /// The one event that it leaves out, if it is a retraction of one.
    pub const fn retracted_event(&self) -> Option<EventId> {
        match self {
            Self::Retraction(Retracted::Event(id)) => Some(*id),
            Self::Retraction(Retracted::Import(_))
            | Self::Consent(..)
            | Self::Suppression(..)
            | Self::Activity(_)
            | Self::Link(_)
            | Self::SameAccount(..)
            | Self::MovedFrom(_)
            | Self::Attributes(_)
            | Self::Erasure => None,
        }
    }

    /// Whether it refuses the processing of the person's data (rule 11).
    pub fn refuses_processing(&self) -> bool {
        self.is_refusal() && matches!(self, Self::Consent(Permission::Processing, _))
    }
}

/// What a retraction names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Retracted {
    /// One event.
    Event(EventId),
    /// All events of one import.
    Import(ImportId),
}

/// The personal part of an event: encrypted at rest, destroyed by erasure.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sealed {
    /// The address; absent where only its hash was known.
    pub address: Option<Address>,
    /// The evidence.
    pub evidence: Evidence,
    /// Attributes by name, the value as JSON text, `None` where one was removed.
    pub attributes: BTreeMap<EvidenceText, Option<Box<str>>>,
    /// 32 random bytes that make the leaf hash say nothing about the person.
    pub salt: [u8; 32],
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(..)")
    }
}
