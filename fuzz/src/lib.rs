//! Every parser of bytes that nobody vouches for, as a function that takes any bytes and returns.
//!
//! A function panics where a rule is broken: something is read that does not print back to the same, a
//! token verifies that nobody made, an answer is longer than its bound. The programs in `fuzz_targets`
//! hand these functions to the fuzzer; `tests/replay.rs` gives them what was found before, in `corpus`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a target says what it found"
)]

use std::cell::LazyCell;

use sayso_core::address::phone::PhoneBook;

mod addresses;
mod files;
mod hooks;
mod requests;
mod texts;
mod tokens;
mod words;

/// A target: its name, which is that of its program and of its corpus, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("answers", hooks::answers),
    ("batch", requests::batch),
    ("cells", words::cells),
    ("config", files::config),
    ("doctor_page", files::doctor_page),
    ("double_opt_in", tokens::double_opt_in),
    ("email", addresses::email),
    ("entry", requests::entry),
    ("erasures", files::erasures),
    ("facts", files::facts),
    ("form", requests::form),
    ("gate_index", files::gate_index),
    ("gupshup", hooks::gupshup),
    ("gupshup_users", hooks::gupshup_users),
    ("import", files::import),
    ("import_rows", requests::import_rows),
    ("kannel", hooks::kannel),
    ("logo", files::logo),
    ("manifest", files::manifest),
    ("meta", hooks::meta),
    ("origins", texts::origins),
    ("personal_link", tokens::personal_link),
    ("phone", addresses::phone),
    ("placeholders", texts::placeholders),
    ("references", tokens::references),
    ("requests", requests::requests),
    ("rules", words::rules),
    ("smtp_replies", hooks::smtp_replies),
    ("tag", requests::tag),
    ("twilio", hooks::twilio),
    ("words", words::words),
];

/// Runs the target of this name.
///
/// # Panics
///
/// Where there is no such target, and where a rule is broken.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(target, _)| *target == name);
    let (_, run) = target.expect("the name of a target");
    run(bytes);
}

thread_local!(static BOOK: LazyCell<PhoneBook> = const { LazyCell::new(PhoneBook::builtin) });

/// The numbering plans, compiled once.
fn book() -> PhoneBook {
    BOOK.with(|book| (**book).clone())
}

/// What stands before the first line end, and what stands behind it.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n');
    at.map_or((bytes, &[]), |at| (&bytes[..at], &bytes[at + 1..]))
}
