//! Hands the target `double_opt_in` to the fuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sayso_fuzz::run("double_opt_in", bytes));
