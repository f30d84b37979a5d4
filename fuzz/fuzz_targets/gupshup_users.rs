//! Any file given for a list of Gupshup's users.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sayso_channels::gupshup::users;
use sayso_fuzz::book;

fuzz_target!(|bytes: &[u8]| {
    let _ = users::parse(bytes, &book());
});
