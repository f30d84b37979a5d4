//! Hands the target `doctor_page` to the fuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sayso_fuzz::run("doctor_page", bytes));
