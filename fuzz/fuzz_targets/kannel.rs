//! Any query behind the token of a hook.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sayso_channels::call::{Call, Method};
use sayso_channels::kannel;
use sayso_channels::party::Numbers;
use sayso_fuzz::{HOOK, TOKEN, book, kannel_credentials};

fuzz_target!(|query: &str| {
    // What stands behind a `#` is no query.
    let query = query.replace('#', "");
    let url = format!("{HOOK}?token={TOKEN}&{query}");
    let call = Call { method: Method::Get, url: &url, headers: &[], body: b"" };
    let verified = kannel::verify(&call, &kannel_credentials()).expect("its own token");
    let _ = kannel::parse(&verified, &Numbers::international(&book()));
});
