//! The SQLite store: the conformance suite on disk and in memory, restarts, faults, views and an
//! index that cannot be written, the gate, rejects and look-ups, backups.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod accounts;
mod addresses;
mod backup;
mod clock;
mod conformance;
mod damage;
mod derived;
mod faults;
mod gate;
mod life;
mod logs;
mod provider_ids;
mod reserve;
mod restart;
mod sending;
mod simulation;
mod start;
mod tampering;
mod views;
mod warnings;
mod work;
mod writes;
