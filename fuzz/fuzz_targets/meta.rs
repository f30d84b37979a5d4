//! Any body that Meta could sign; and the same bytes as its signature.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sayso_channels::call::{Call, Method};
use sayso_channels::meta;
use sayso_fuzz::{HOOK, book, meta_credentials, meta_signature};

fuzz_target!(|body: &[u8]| {
    let credentials = meta_credentials();
    let signature = meta_signature(body);
    let headers = [("x-hub-signature-256", signature.as_bytes())];
    let call = Call { method: Method::Post, url: HOOK, headers: &headers, body };
    let verified = meta::verify(&call, &credentials).expect("its own signature");
    let _ = meta::parse(&verified, &book());
    let headers = [("x-hub-signature-256", body)];
    assert!(meta::verify(&Call { headers: &headers, body: b"", ..call }, &credentials).is_err());
});
