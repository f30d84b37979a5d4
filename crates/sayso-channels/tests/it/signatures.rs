//! Who may speak: signatures computed elsewhere, tokens, the handshake.

use sayso_channels::call::{Call, Method, Unverified};
use sayso_channels::{meta, twilio};

use crate::support::{
    APP_SECRET, AUTH_TOKEN, FORM, JSON, TOKEN, hex, hmac, meta_credentials, meta_signature,
    twilio_credentials, twilio_signature, verify,
};

fn post<'a>(url: &'a str, headers: &'a [(&'a str, &'a [u8])], body: &'a [u8]) -> Call<'a> {
    Call { method: Method::Post, url, headers, body }
}

fn verified(provider: &str, call: &Call<'_>) -> Result<(), Unverified> {
    verify(provider, call).map(|_| ())
}

#[test]
fn the_second_implementation_gives_the_values_of_the_standard() {
    // RFC 4231, test case 2.
    let found = hmac::<sha2::Sha256>(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(hex(&found), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    // RFC 2202, test case 2 for SHA-1.
    let found = hmac::<sha1::Sha1>(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(hex(&found), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

#[test]
fn a_call_of_meta_is_signed_over_its_raw_body() {
    // Computed with Python's hmac module.
    let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    let header = "sha256=e00129f1742f07f65edf017dd20646d40021ae97ccaf67721837a6c2d2297956";
    assert_eq!(header, meta_signature(body));
    let headers = [("x-hub-signature-256", header.as_bytes())];
    assert_eq!(verified("meta", &post("https://h.example/", &headers, body)), Ok(()));
    let upper = header.replace("sha256=", "").to_uppercase();
    let upper = format!("sha256={upper}");
    let headers = [("x-hub-signature-256", upper.as_bytes())];
    assert_eq!(verified("meta", &post("https://h.example/", &headers, body)), Ok(()));
}

#[test]
fn a_signature_of_meta_that_is_no_signature_is_refused() {
    let body = b"{}";
    let good = meta_signature(body);
    let key_of_nobody = format!("sha256={}", hex(&hmac::<sha2::Sha256>(b"", body)));
    for header in [
        "",
        "sha256=",
        "sha256",
        &good[..70],
        &good[7..],
        &format!("{good}0"),
        &format!("{good}00"),
        &good.replace("sha256", "sha1"),
        "sha256=zz",
        &key_of_nobody,
    ] {
        let headers = [("x-hub-signature-256", header.as_bytes())];
        let call = post("https://h.example/", &headers, body);
        assert_eq!(verified("meta", &call), Err(Unverified::Wrong), "{header}");
    }
    let none = post("https://h.example/", &[], body);
    assert_eq!(verified("meta", &none), Err(Unverified::Missing));
    let headers = [("x-hub-signature-256", good.as_bytes())];
    let get = Call { method: Method::Get, ..post("https://h.example/", &headers, body) };
    assert_eq!(verified("meta", &get), Err(Unverified::Missing));
}

#[test]
fn the_handshake_of_meta_gives_the_challenge_to_who_knows_the_word() {
    let shake = |method, query: &str| {
        let url = format!("https://h.example/hooks/con_1?{query}");
        meta::handshake(&Call { method, url: &url, headers: &[], body: b"" }, &meta_credentials())
    };
    let good = "hub.mode=subscribe&hub.challenge=115%2B8&hub.verify_token=word-of-nobody";
    assert_eq!(shake(Method::Get, good).as_deref(), Ok("115+8"));
    assert_eq!(shake(Method::Post, good), Err(Unverified::Missing));
    assert_eq!(shake(Method::Get, &good.replace("nobody", "anybody")), Err(Unverified::Wrong));
    for part in ["hub.mode=subscribe", "hub.challenge=115%2B8", "hub.verify_token=word-of-nobody"] {
        assert_eq!(shake(Method::Get, &good.replace(part, "")), Err(Unverified::Missing), "{part}");
    }
}

/// Computed with Python's hmac module, from Twilio's description.
const TWILIO_FORM: &[u8] =
    b"To=%2B15550100900&From=%2B15550100001&Tag=b&Tag=a&Body=STOP+%C3%A9&Tag=b";

#[test]
fn a_call_of_twilio_is_signed_over_url_and_distinct_parameters_with_or_without_port() {
    let without = "ro1+MTdsxqpaePiHqxnyjyg4og4=";
    let with = "dcqaHuhkyUe0pLiin9XhWpOHZMo=";
    let other = "XSc1oHAEsQ1JRr9X8heksm6iBvM=";
    let url = "https://h.example/hooks/con_1?a=b";
    assert_eq!(twilio_signature(url, TWILIO_FORM), without);
    let is_good = |url: &str, signature: &str| {
        let headers = [("content-type", FORM), ("x-twilio-signature", signature.as_bytes())];
        verified("twilio", &post(url, &headers, TWILIO_FORM)).is_ok()
    };
    assert!(is_good(url, without) && is_good(url, with));
    let with_port = "https://h.example:443/hooks/con_1?a=b";
    assert!(is_good(with_port, without) && is_good(with_port, with));
    let other_port = "https://h.example:8443/hooks/con_1?a=b";
    assert!(is_good(other_port, other) && is_good(other_port, without));
    assert!(!is_good(url, other) && !is_good(other_port, with));
    assert!(!is_good("https://h.example/hooks/con_1", without));
    assert!(!is_good("http://h.example/hooks/con_1?a=b", without));
    for signature in ["", "ro1+", "!", &without.replace('=', ""), &without.to_lowercase()] {
        assert!(!is_good(url, signature), "{signature}");
    }
}

#[test]
fn a_body_that_is_no_form_needs_its_hash_in_the_signed_url() {
    let body = br#"{"a":1}"#;
    let hash = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    let url = format!("https://h.example/hooks/con_1?bodySHA256={hash}");
    let signature = "b+UtzJktpHxfy7D5EPVMYIl2RPw=";
    assert_eq!(twilio_signature(&url, b""), signature);
    let is_good = |kind: &[u8], body: &[u8]| {
        let headers = [("content-type", kind), ("x-twilio-signature", signature.as_bytes())];
        verified("twilio", &post(&url, &headers, body)).is_ok()
    };
    assert!(is_good(JSON, body));
    assert!(!is_good(JSON, br#"{"a":2}"#));
    // A form whose parameters were not signed.
    assert!(!is_good(FORM, b"Body=STOP"));
    // Bytes of an unnamed kind, with a signature over the URL alone.
    let plain = "https://h.example/hooks/con_1";
    let signature = twilio_signature(plain, b"");
    let headers =
        [("content-type", &b"text/plain"[..]), ("x-twilio-signature", signature.as_bytes())];
    assert!(verified("twilio", &post(plain, &headers, b"Body=STOP")).is_err());
    assert!(verified("twilio", &post(plain, &headers, b"")).is_ok());
}

#[test]
fn a_call_of_twilio_without_a_signature_is_missing_one() {
    let call = post("https://h.example/", &[("content-type", FORM)], TWILIO_FORM);
    let fault = twilio::verify(&call, &twilio_credentials()).err();
    assert_eq!(fault, Some(Unverified::Missing));
}

#[test]
fn a_provider_that_signs_nothing_is_known_by_the_token_of_its_hook() {
    for provider in ["gupshup", "kannel"] {
        let url = |token: &str| format!("https://h.example/hooks/con_1?from=1&token={token}");
        assert_eq!(verified(provider, &post(&url(TOKEN), &[], b"")), Ok(()));
        let fragment = format!("https://h.example/hooks/con_1#?token={TOKEN}");
        assert_eq!(verified(provider, &post(&fragment, &[], b"")), Err(Unverified::Missing));
        for token in ["", "TOKEN-OF-NOBODY-0", "token-of-nobody-01", "token-of-nobody-"] {
            assert_eq!(verified(provider, &post(&url(token), &[], b"")), Err(Unverified::Wrong));
        }
    }
}

#[test]
fn credentials_show_no_secret() {
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        meta_credentials(),
        crate::support::gupshup_credentials(),
        twilio_credentials(),
        crate::support::kannel_credentials(),
    );
    for secret in [APP_SECRET, AUTH_TOKEN, TOKEN, "EAAofnobody", "key-of-nobody", "a word"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
