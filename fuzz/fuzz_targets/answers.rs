//! Any answer of any provider to a send.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sayso_channels::outbound::{Answer, HandOver};
use sayso_channels::{gupshup, kannel, meta, twilio};

fuzz_target!(|input: (u16, &[u8], &[u8])| {
    let (status, retry_after, body) = input;
    let answer = Answer { status, retry_after: Some(retry_after), body };
    let _ = meta::read_qr_link(&answer);
    for read in [meta::read_answer, gupshup::read_answer, twilio::read_answer, kannel::read_answer]
    {
        let is_accepted = matches!(read(&answer), HandOver::Accepted { .. });
        assert!(!is_accepted || (200..300).contains(&status));
    }
});
