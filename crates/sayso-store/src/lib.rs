//! Where consent is kept: the ledger of events, what is folded from it, and the gate.
//!
//! [`Store`] is the contract: each method is a whole use case and one transaction, the workspace
//! its first argument. [`sqlite`] keeps it in files of this machine. The `conformance` suite holds
//! every backend to the same behaviour.
//!
//! A store never decides what a rule means: it keeps events, folds them by `sayso-core`, and
//! answers from what is durable.

#[cfg(all(feature = "undecided-claims", not(debug_assertions)))]
compile_error!("a build that decides nothing is for one test alone");

pub mod codec;
pub mod configure;
pub mod double_opt_in;
pub mod environment;
pub mod erasure;
pub mod held_clock;
pub mod look_up;
pub mod message;
pub mod reference;
pub mod reject;
pub mod sqlite;
pub mod store;
pub mod tally;

pub use store::Store;

#[cfg(feature = "conformance")]
pub mod conformance;
