//! The words and the rules of consent.
//!
//! This crate is the heart of Sayso and does nothing but think: the same inputs give the same
//! outputs on every platform. There is no clock, no randomness, no input or output, no async and
//! no serialization framework in it; the time, the ids and the phone metadata are arguments.
//!
//! Reading order: the words ([`channel`], [`address`], [`statement`], [`source`], [`event`]), what
//! becomes of a request ([`capture`]), the state that events fold into ([`register`],
//! [`registers`]), and the questions it answers ([`status`], [`suppression`], [`decision`]).
//! "Rule n" in a comment is rule n of the rules of consent, `docs/concepts/rules.md`.

pub mod limits;
pub mod time;

pub mod id;

pub mod address;
pub mod email;
pub mod phone;

pub mod activity;
pub mod channel;
pub mod channel_facts;
pub mod color;
pub mod form;
pub mod notice;
pub mod source;
pub mod statement;

pub mod canonical;
pub mod event;
pub mod event_id;

pub mod register;
pub mod registers;

pub mod status;
pub mod suppression;

pub mod cap;
pub mod clause;
pub mod hours;
pub mod offer;
pub mod pack;
pub mod placeholder;
pub mod policy;
pub mod quiet;
pub mod settings;
pub mod zone;

pub mod decision;
pub mod effective;
pub mod message;
pub mod pacing;
mod sealed_token;
pub mod sender_health;
pub mod template;

pub mod account;
pub mod answered;
pub mod capture;
pub mod day;
pub mod double_opt_in;
pub mod guard;
pub mod lifting;
pub mod link;
pub mod list_word;
pub mod personal_link;
pub mod reference;
pub mod retraction;

pub mod rule;
pub mod wording;
pub mod workspace;
