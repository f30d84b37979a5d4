//! What is known of an address: registers that events fold into, and what may be done to them.
//!
//! State is a function of the set of events (rule 7). What becomes of a request before it is an event is in
//! [`capture`]; what must hold when it is written, in [`guard`].

pub mod account;
pub mod activity;
pub mod blocking;
pub mod capture;
pub mod effective;
pub mod guard;
pub mod lifting;
pub mod link;
pub mod register;
pub mod registers;
pub mod retraction;
pub mod status;
pub mod suppression;
