//! The built binary, from outside: its commands, its server, and what a kill leaves behind.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and its tasks end with it"
)]

mod backup;
mod browser;
mod commands;
mod disk;
mod doctor;
mod http;
mod import;
mod kept_stores;
mod keys;
mod kill;
mod lists;
mod private_files;
mod reload;
mod running;
mod started;
mod transcripts;
