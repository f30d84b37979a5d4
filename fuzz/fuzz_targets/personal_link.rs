//! Hands the target `personal_link` to the fuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sayso_fuzz::run("personal_link", bytes));
