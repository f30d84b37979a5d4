//! Over arbitrary bytes, and over recorded calls with a few bytes altered: nothing panics, what is
//! altered is not believed, and every event is bounded.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;
use sayso_channels::call::{Call, Malformed, Method};
use sayso_channels::inbound::{ASIDES_MAX, ProviderEvent};
use sayso_channels::outbound::{Answer, HandOver};
use sayso_channels::{gupshup, kannel, meta, twilio};
use sayso_core::limits::{HOOK_TEXT_BYTES_MAX, HOOK_WORD_BYTES_MAX};

use crate::fixtures::files;
use crate::support::{FORM, HOOK, PROVIDERS, book, meta_signature, read, twilio_signature, verify};

/// The bodies and queries of every recorded call, with their provider.
fn recorded() -> Vec<(&'static str, Method, Vec<u8>)> {
    let is_call = |file: &std::path::PathBuf| file.extension().is_some_and(|it| it != "expected");
    PROVIDERS
        .into_iter()
        .flat_map(|provider| files(provider).into_iter().map(move |file| (provider, file)))
        .filter(|(_, file)| is_call(file))
        .map(|(provider, file)| {
            let is_url = file.extension().is_some_and(|it| it == "url");
            let method = if is_url { Method::Get } else { Method::Post };
            (provider, method, fs::read_to_string(file).unwrap().trim_end().as_bytes().to_vec())
        })
        .collect()
}

/// Reads bytes as a signed call of a provider: the body of a `POST`, the query of a `GET`.
fn read_bytes(
    provider: &str,
    method: Method,
    bytes: &[u8],
) -> Result<Vec<ProviderEvent>, Malformed> {
    if method == Method::Get {
        // A server hands us a URL of ASCII; anything else is percent-encoded.
        let query: String = bytes
            .iter()
            .map(|byte| match byte {
                b'!'..=b'~' if *byte != b'#' => char::from(*byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect();
        read(provider, Method::Get, &query, b"")
    } else {
        read(provider, Method::Post, "", bytes)
    }
}

/// Everything an event carries is bounded, whatever was sent.
fn assert_bounded(events: &Result<Vec<ProviderEvent>, Malformed>) {
    for event in events.iter().flatten() {
        match event {
            ProviderEvent::Wrote(wrote) => {
                assert!(wrote.text().is_none_or(|text| text.len() <= HOOK_TEXT_BYTES_MAX));
                assert!((1..=8).contains(&wrote.from.addresses().count()));
                assert!(wrote.asides.len() <= ASIDES_MAX);
                assert!(wrote.asides.iter().all(|words| words.len() <= HOOK_TEXT_BYTES_MAX));
                assert!(wrote.from.name().is_none_or(|name| name.len() <= HOOK_WORD_BYTES_MAX));
            }
            ProviderEvent::Unknown { kind, .. } => assert!(kind.len() <= HOOK_WORD_BYTES_MAX),
            ProviderEvent::Reported(_)
            | ProviderEvent::Prefers(_)
            | ProviderEvent::SenderHealth(_)
            | ProviderEvent::TemplateChanged(_)
            | ProviderEvent::NumberChanged(_)
            | ProviderEvent::Named(_) => {}
        }
    }
}

/// Some changes of some bytes: overwritten, taken out, doubled.
fn altered(mut bytes: Vec<u8>, changes: &[(Index, u8, u8)]) -> Vec<u8> {
    for (index, kind, byte) in changes {
        if bytes.is_empty() {
            break;
        }
        let at = index.index(bytes.len());
        match kind % 3 {
            0 => bytes[at] = *byte,
            1 => drop(bytes.remove(at)),
            // Longer ones would have more parameters than are hashed for a stranger.
            _ if bytes.len() > 4_096 => {}
            _ => {
                let tail = bytes[at..].to_vec();
                bytes.extend(tail);
            }
        }
    }
    bytes
}

proptest! {
    #[test]
    fn any_bytes_are_events_unknowns_or_a_refusal(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        for provider in PROVIDERS {
            assert_bounded(&read_bytes(provider, Method::Post, &bytes));
            // Meta asks with a `GET` only whether the hook is there.
            if provider != "meta" {
                assert_bounded(&read_bytes(provider, Method::Get, &bytes));
            }
        }
    }

    #[test]
    fn an_altered_call_is_events_unknowns_or_a_refusal(
        which in any::<Index>(),
        changes in prop::collection::vec(any::<(Index, u8, u8)>(), 1..8),
    ) {
        let recorded = recorded();
        let (provider, method, bytes) = which.get(&recorded);
        assert_bounded(&read_bytes(provider, *method, &altered(bytes.clone(), &changes)));
    }

    #[test]
    fn any_answer_says_something(status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let answer = Answer { status, retry_after: Some(&body), body: &body };
        for read in [meta::read_answer, gupshup::read_answer, twilio::read_answer, kannel::read_answer] {
            let is_accepted = matches!(read(&answer), HandOver::Accepted { .. });
            prop_assert!(!is_accepted || (200..300).contains(&status));
        }
        let _ = meta::read_qr_link(&answer);
        let _ = gupshup::users::read_list(&answer, &book());
    }

    #[test]
    fn any_list_of_users_is_rows_or_a_refusal(
        changes in prop::collection::vec(any::<(Index, u8, u8)>(), 0..8),
    ) {
        let list = br#"{"status":"success","users":[{"countryCode":"1","phoneCode":"5550100001",
            "optinStatus":"OPT_IN","optinSource":"URL","optinTimeStamp":1795255200123}]}"#;
        let _ = gupshup::users::parse(&altered(list.to_vec(), &changes), &book());
    }

    #[test]
    fn any_url_and_header_is_verified_or_not(url in ".{0,60}", header in prop::collection::vec(any::<u8>(), 0..60)) {
        let headers = [("x-hub-signature-256", &header[..]), ("x-twilio-signature", &header[..]), ("content-type", &header[..])];
        let call = Call { method: Method::Post, url: &url, headers: &headers, body: b"a=b" };
        for provider in PROVIDERS {
            prop_assert!(verify(provider, &call).is_err());
        }
    }
}

#[test]
fn every_altered_byte_of_a_body_that_meta_signed_is_refused() {
    for (provider, _, body) in recorded() {
        if provider != "meta" {
            continue;
        }
        let signature = meta_signature(&body);
        let headers = [("x-hub-signature-256", signature.as_bytes())];
        for at in 0..body.len() {
            let mut body = body.clone();
            body[at] ^= 1;
            let call = Call { method: Method::Post, url: HOOK, headers: &headers, body: &body };
            assert!(verify(provider, &call).is_err(), "byte {at}");
        }
    }
}

/// `%2B` and `%2b` are the same parameter, and so it must be believed; whatever else is altered is
/// refused, and so is each altered byte of the URL and of the signature.
#[test]
fn every_altered_byte_of_a_call_that_twilio_signed_is_refused_or_means_the_same() {
    let pairs = |body: &[u8]| {
        form_urlencoded::parse(body).into_owned().collect::<std::collections::BTreeSet<_>>()
    };
    let is_verified = |url: &str, signature: &str, body: &[u8]| {
        let headers = [("content-type", FORM), ("x-twilio-signature", signature.as_bytes())];
        let call = Call { method: Method::Post, url, headers: &headers, body };
        verify("twilio", &call).is_ok()
    };
    let url = format!("{HOOK}?a=b");
    for (provider, method, body) in recorded() {
        if provider != "twilio" || method == Method::Get || body.first() == Some(&b'{') {
            continue;
        }
        let signature = twilio_signature(&url, &body);
        assert!(is_verified(&url, &signature, &body));
        for (at, bit) in (0..body.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut altered = body.clone();
            altered[at] ^= 1 << bit;
            let same = pairs(&altered) == pairs(&body);
            assert_eq!(is_verified(&url, &signature, &altered), same, "byte {at}, bit {bit}");
        }
        for at in 0..url.len() {
            let mut altered = url.clone().into_bytes();
            altered[at] ^= 1;
            let altered = String::from_utf8(altered).unwrap();
            assert!(!is_verified(&altered, &signature, &body), "{altered}");
        }
        for at in 0..signature.len() {
            let mut altered = signature.clone().into_bytes();
            altered[at] ^= 1;
            let altered = String::from_utf8(altered).unwrap();
            assert!(!is_verified(&url, &altered, &body), "{altered}");
        }
    }
}
