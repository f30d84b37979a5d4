//! What the tests of the rules share: a small language for histories, random worlds, and the
//! model.

pub(crate) mod corpus;
pub(crate) mod generate;
pub(crate) mod language;
pub(crate) mod model;
