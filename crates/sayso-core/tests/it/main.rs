//! The words and the rules of consent, held to the scenarios, to an independent model, and to
//! properties.

mod support;

mod email;
mod phone;
mod rule;
mod sentences;
mod wording;

mod canonical;
mod model;
mod pacing;
mod properties;
mod scenarios;
mod small_worlds;
