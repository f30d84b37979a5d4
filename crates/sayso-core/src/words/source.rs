//! Where an event came from, who acted, and on what evidence (rule 29).

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use crate::address::AddressKey;
use crate::limits;
use crate::words::channel::words;
use crate::words::notice::NoticeRef;

words! {
    /// Who acted.
    Actor {
        /// The person.
        Subject = "subject", 1;
        /// Somebody of the business.
        Operator = "operator", 2;
        /// The platform that carries the messages.
        Provider = "provider", 3;
        /// Sayso itself.
        System = "system", 4;
        /// Somebody who visits a page, and whom nobody vouches for: the person, or a stranger who knows the
        /// address.
        Visitor = "visitor", 5;
    }
}

words! {
    /// The road by which a statement came in.
    Road {
        /// An API client.
        Api = "api", 1;
        /// The browser tag of a site.
        Tag = "tag", 2;
        /// A web opt-in form.
        Form = "form", 3;
        /// A QR code, link or widget.
        EntryPoint = "entry_point", 4;
        /// An imported list.
        Import = "import", 5;
        /// A message of the person.
        Inbound = "inbound", 6;
        /// The person's preference centre.
        PreferenceCentre = "preference_centre", 7;
        /// One-click unsubscribe.
        OneClick = "one_click", 8;
        /// A provider's own signal.
        Provider = "provider", 9;
        /// Carried over when an address was linked (rule 13).
        Link = "link", 10;
        /// An operator.
        Operator = "operator", 11;
        /// Sayso itself.
        System = "system", 12;
        /// A message of the person that has no keyword, and refuses by its sentence as we read it.
        Sentence = "inbound_sentence", 13;
    }
}

impl Road {
    /// Whether the statement reached us from the person as it is recorded, so that a refusal by it is
    /// never retracted (rule 9). What we read in a sentence may be our error.
    pub const fn is_from_the_person(self) -> bool {
        match self {
            Self::Form
            | Self::EntryPoint
            | Self::Inbound
            | Self::PreferenceCentre
            | Self::OneClick
            | Self::Provider => true,
            Self::Api
            | Self::Tag
            | Self::Import
            | Self::Link
            | Self::Operator
            | Self::System
            | Self::Sentence => false,
        }
    }
}

/// The name of a source.
///
/// *Shape:* 1 to 64 bytes, letters, digits and `. _ - / : @` and space inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Box<str>);

/// Why a text names no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SourceNameFault {
    /// Empty.
    #[error("is empty")]
    Empty,
    /// Longer than [`limits::NAME_BYTES_MAX`].
    #[error("is longer than 64 bytes")]
    TooLong,
    /// Has a character that names do not have.
    #[error("has a character other than letters, digits, space and . _ - / : @")]
    Character,
}

impl SourceName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`SourceNameFault`].
    pub fn parse(text: &str) -> Result<Self, SourceNameFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SourceNameFault::Empty);
        }
        if text.len() > limits::NAME_BYTES_MAX {
            return Err(SourceNameFault::TooLong);
        }
        let fits =
            |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@' | ' ');
        if text.chars().all(fits) { Ok(Self(text.into())) } else { Err(SourceNameFault::Character) }
    }

    /// A name of ours.
    pub(crate) fn fixed(name: &'static str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an event came from. A reporting source is the whole of this: the same site speaking of
/// another profile has registers of its own (rule 4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The road.
    pub road: Road,
    /// Which site, integration or list.
    pub name: SourceName,
    /// The profile it spoke of, as the key of the external id it gave.
    pub spoke_of: Option<AddressKey>,
}

/// One text of the evidence: at most [`limits::EVIDENCE_TEXT_BYTES_MAX`] bytes, no control
/// characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceText(Box<str>);

/// Why a text cannot be evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EvidenceFault {
    /// Longer than [`limits::EVIDENCE_TEXT_BYTES_MAX`].
    #[error("is longer than 2048 bytes")]
    TooLong,
    /// Has control characters.
    #[error("has control characters")]
    Control,
    /// Empty where something must stand.
    #[error("is empty")]
    Empty,
}

impl EvidenceText {
    /// Parses one text of evidence.
    ///
    /// # Errors
    /// [`EvidenceFault`].
    pub fn parse(text: &str) -> Result<Self, EvidenceFault> {
        let text = text.trim();
        if text.is_empty() {
            Err(EvidenceFault::Empty)
        } else if text.len() > limits::EVIDENCE_TEXT_BYTES_MAX {
            Err(EvidenceFault::TooLong)
        } else if text.chars().any(char::is_control) {
            Err(EvidenceFault::Control)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What proves a statement. It is personal: sealed at rest, destroyed by erasure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// How it was said: `checkbox`, `keyword`, `paper form`, `phone call`.
    pub method: Option<EvidenceText>,
    /// The words that were shown.
    pub notice: Option<NoticeRef>,
    /// The page it happened on, without query and fragment where the tag sent it.
    pub page: Option<EvidenceText>,
    /// The IP address it came from.
    pub ip: Option<EvidenceText>,
    /// The user agent.
    pub user_agent: Option<EvidenceText>,
    /// Further fields, by name; at most [`limits::EVIDENCE_FIELDS_MAX`].
    pub fields: BTreeMap<EvidenceText, EvidenceText>,
}

/// What names the source of what another address of an account refuses.
pub(crate) const ACCOUNT: &str = "account";

/// Whether an event was passed on from another address of the account.
pub fn is_passed_on(source: &Source) -> bool {
    source.road == Road::Link && source.name.as_str() == ACCOUNT && source.spoke_of.is_some()
}
