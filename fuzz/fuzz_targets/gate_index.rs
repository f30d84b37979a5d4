//! Hands the target `gate_index` to the fuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sayso_fuzz::run("gate_index", bytes));
