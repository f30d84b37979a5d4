//! Hands the target `gupshup_users` to the fuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sayso_fuzz::run("gupshup_users", bytes));
