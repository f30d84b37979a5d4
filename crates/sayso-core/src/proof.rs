//! What proves that somebody came by an address: references, answers to a double opt-in, personal links.

pub mod answered;
pub mod double_opt_in;
pub mod link_key;
pub mod personal_link;
pub mod reference;
pub(crate) mod sealed_token;
