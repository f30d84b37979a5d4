//! The words of each messaging provider: from bytes, and to bytes.
//!
//! A provider calls us: `verify` proves, over the raw bytes and in constant time, that the call is
//! its own, and gives a [`Verified`](call::Verified) call; `parse` turns that into
//! [`ProviderEvent`](inbound::ProviderEvent)s. We call a provider: `send` builds the
//! [`HttpRequest`](outbound::HttpRequest), `read_answer` says what became of it. *Nothing unverified
//! becomes a `ProviderEvent`*, and no bytes whatever make a parser panic: they become events, a
//! recorded unknown, or a refusal with its reason.
//!
//! There is no clock, no randomness, no socket and no async in this crate. It knows what a provider
//! said and not what that means for consent: the rules are in `sayso-core`, and what an event does is
//! decided by the server. The sandbox provider delivers inside Sayso and lives in the server too.
//!
//! Four modules have the same four functions, and a [`connection`] chooses among them. What they share is in [`call`],
//! [`inbound`], [`party`], [`outbound`], [`failure`] and [`credentials`]. [`smtp`] stands beside them: a relay calls nobody, and is
//! spoken with line by line.

pub mod call;
pub mod credentials;
pub mod failure;
pub mod inbound;
pub mod outbound;
pub mod party;

pub mod connection;

pub mod gupshup;
pub mod kannel;
pub mod meta;
pub mod smtp;
pub mod twilio;

mod form;
mod json;
mod signature;
mod whatsapp;
