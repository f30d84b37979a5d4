//! Look-ups: who asked for which person, where the workspace wants that noted (rule 29).
//!
//! A look-up holds no address: it names the person by address key or profile, both of which an
//! erasure leaves.

use sayso_core::address::AddressKey;
use sayso_core::id::{KeyId, ProfileId};
use sayso_core::time::Timestamp;

/// A look-up before it is noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUpDraft {
    /// Whose API key asks; absent for the operator of this machine, and for people by links of their own.
    pub api_key: Option<KeyId>,
    /// What is asked: method and route, without what stands for the person in it.
    pub route: Box<str>,
    /// The id of the request.
    pub request: Box<str>,
    /// Whom it is about, by everything that names them.
    pub asked: Vec<LookedUp>,
}

/// Whom a look-up is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LookedUp {
    /// Whoever has this address.
    Address(AddressKey),
    /// This profile.
    Profile(ProfileId),
    /// Many people at once: a list names nobody.
    Many,
}

/// One look-up of one address or profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// When.
    pub looked_up_at: Timestamp,
    /// Whose API key asked; absent for the operator of this machine, and for people by links of their own.
    pub api_key: Option<KeyId>,
    /// What was asked: method and route.
    pub route: Box<str>,
    /// The id of the request.
    pub request: Box<str>,
    /// Whom it was about.
    pub asked: LookedUp,
}

/// Which look-ups are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookUpQuery {
    /// Those of this address or profile.
    pub asked: Option<LookedUp>,
    /// Those after this position.
    pub after: Option<u64>,
}

/// One page of look-ups, the newest first.
#[derive(Clone, Debug)]
pub struct LookUpPage {
    /// The look-ups.
    pub look_ups: Vec<LookUp>,
    /// The position after which the next page begins.
    pub next: Option<u64>,
}
