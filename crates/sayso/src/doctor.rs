//! What `sayso doctor` looks at.

pub(crate) mod page;
