//! Hands the target `import_rows` to the fuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sayso_fuzz::run("import_rows", bytes));
