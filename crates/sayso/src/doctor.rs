//! What `sayso doctor` looks at, and how it gets it.

pub(crate) mod fetch;
pub(crate) mod page;
