//! What goes on without being asked: messages are handed over to their providers.

pub(crate) mod carrier;
pub(crate) mod dispatch;
pub(crate) mod sandbox;
