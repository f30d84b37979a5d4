//! Any form that Twilio could sign, any query, and any header given for its signature.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sayso_channels::call::{Call, Method};
use sayso_channels::party::Numbers;
use sayso_channels::twilio;
use sayso_fuzz::{HOOK, book, twilio_credentials, twilio_signature};

const FORM: &[u8] = b"application/x-www-form-urlencoded";

fuzz_target!(|bytes: &[u8]| {
    let credentials = twilio_credentials();
    let signature = twilio_signature(HOOK, bytes);
    let headers = [("content-type", FORM), ("x-twilio-signature", signature.as_bytes())];
    let call = Call { method: Method::Post, url: HOOK, headers: &headers, body: bytes };
    // More parameters than are hashed for a stranger are refused, signed or not.
    if let Ok(verified) = twilio::verify(&call, &credentials) {
        let _ = twilio::parse(&verified, &Numbers::international(&book()));
    }
    if let Ok(url) = str::from_utf8(bytes) {
        let signature = twilio_signature(url, b"");
        let headers = [("x-twilio-signature", signature.as_bytes())];
        let call = Call { method: Method::Get, url, headers: &headers, body: b"" };
        if let Ok(verified) = twilio::verify(&call, &credentials) {
            let _ = twilio::parse(&verified, &Numbers::international(&book()));
        }
    }
    let headers = [("content-type", FORM), ("x-twilio-signature", bytes)];
    assert!(twilio::verify(&Call { headers: &headers, ..call }, &credentials).is_err());
});
