//! Hands the target `smtp_replies` to the fuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sayso_fuzz::run("smtp_replies", bytes));
