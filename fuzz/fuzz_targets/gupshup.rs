//! Any body behind the token of a hook.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sayso_channels::call::{Call, Method};
use sayso_channels::gupshup;
use sayso_fuzz::{HOOK, TOKEN, book, gupshup_credentials};

fuzz_target!(|body: &[u8]| {
    let url = format!("{HOOK}?token={TOKEN}");
    let call = Call { method: Method::Post, url: &url, headers: &[], body };
    let verified = gupshup::verify(&call, &gupshup_credentials()).expect("its own token");
    let _ = gupshup::parse(&verified, &book());
});
