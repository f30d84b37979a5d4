//! How things are shown, on whatever surface: a person, where they stand, an event, an address. What a surface
//! alone shows is its own.

pub(crate) mod address;
pub(crate) mod consent;
pub(crate) mod event;
pub(crate) mod hex;
pub(crate) mod history;
pub(crate) mod language;
pub(crate) mod permission;
pub(crate) mod profile;
pub(crate) mod words;
