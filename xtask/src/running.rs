//! The program as its users meet it: a server in a directory and on a port of its own, a client that may
//! misbehave, and a shop to try things on.

pub(crate) mod client;
pub(crate) mod server;
pub(crate) mod shop;
