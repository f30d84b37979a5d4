//! The built binary, from outside: its commands, its server, and what a kill leaves behind.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod browser;
mod commands;
mod http;
mod kill;
mod running;
