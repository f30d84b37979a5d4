//! The words and the rules of consent.
//!
//! This crate is the heart of Sayso and does nothing but think: the same inputs give the same
//! outputs on every platform. There is no clock, no randomness, no input or output, no async and
//! no serialization framework in it; the time, the ids and the phone metadata are arguments.
//!
//! Reading order: [`words`] (channels, statements, sources, events), [`address`], [`state`] (what an address's
//! events fold into, and what becomes of a request), [`gate`] (whether a message may go), [`policy`] (where
//! opt-in may be collected, and the settings), [`text`] (what people write), [`proof`] (what shows that somebody
//! came by an address) and [`workspace`] (what a business set up).
//! "Rule n" in a comment is rule n of the rules of consent, `docs/concepts/rules.md`.

pub mod canonical;
pub mod id;
pub mod limits;
pub mod time;

pub mod address;
pub mod gate;
pub mod policy;
pub mod proof;
pub mod state;
pub mod text;
pub mod words;
pub mod workspace;
