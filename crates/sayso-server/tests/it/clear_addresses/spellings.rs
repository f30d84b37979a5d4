//! The ways in which an address may stand in a file, in clear or as good as that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Every spelling, by what it is called.
pub(super) type Spellings = BTreeMap<String, Vec<u8>>;

/// The spellings of an American phone number in E.164.
pub(super) fn of_phone(phone: &str) -> Spellings {
    let digits = phone.trim_start_matches('+');
    let national = &digits[1..];
    let (area, exchange, line) = (&national[..3], &national[3..6], &national[6..]);
    let texts = [
        phone.to_owned(),
        digits.to_owned(),
        national.to_owned(),
        national[3..].to_owned(),
        format!("{exchange}-{line}"),
        format!("00{digits}"),
        format!("+1 {area} {exchange} {line}"),
        format!("+1-{area}-{exchange}-{line}"),
        format!("({area}) {exchange}-{line}"),
        format!("{area}.{exchange}.{line}"),
        digits.chars().rev().collect(),
    ];
    let mut all: Spellings = texts.iter().flat_map(|text| encoded(text)).collect();
    let [in_order, swapped] = packed(digits);
    all.insert(format!("{digits} as packed digits"), in_order);
    all.insert(format!("{digits} as packed digits, swapped"), swapped);
    let number: u64 = digits.parse().unwrap();
    all.insert(format!("{digits} as a number"), number.to_be_bytes()[3..].to_vec());
    all.insert(
        format!("{digits} as a number, least byte first"),
        number.to_le_bytes()[..5].to_vec(),
    );
    for text in [phone, digits] {
        let hash = Sha256::digest(text.as_bytes()).to_vec();
        all.insert(format!("SHA-256 of {text}"), hash.clone());
        all.insert(format!("SHA-256 of {text} in hexadecimal"), hex(&hash).into_bytes());
    }
    all
}

/// The spellings of an email address.
pub(super) fn of_email(email: &str) -> Spellings {
    let (local, _) = email.split_once('@').unwrap();
    let texts = [email.to_owned(), email.to_uppercase(), format!("{local}@"), local.to_owned()];
    texts.iter().flat_map(|text| encoded(text)).collect()
}

/// A text and what it looks like in other encodings.
fn encoded(text: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = text.as_bytes();
    let each = |write: &dyn Fn(u8) -> String| -> String {
        bytes.iter().map(|byte| write(*byte)).collect()
    };
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let mut all = vec![
        (text.to_owned(), bytes.to_vec()),
        (format!("{text} in hexadecimal"), hex(bytes).into_bytes()),
        (format!("{text} in upper hexadecimal"), hex(bytes).to_uppercase().into_bytes()),
        (
            format!("{text} in a URL"),
            each(&|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .into_bytes(),
        ),
        (
            format!("{text} wholly percent-encoded"),
            each(&|byte| format!("%{byte:02X}")).into_bytes(),
        ),
        (format!("{text} in JSON"), each(&|byte| format!("\\u{byte:04x}")).into_bytes()),
        (format!("{text} in UTF-16"), wide(u16::to_le_bytes)),
        (format!("{text} in UTF-16, greatest byte first"), wide(u16::to_be_bytes)),
    ];
    // Whatever stands before and after it, these letters are the same.
    for before in 0..3_usize {
        let padded = [&vec![b'x'; before][..], bytes].concat();
        let whole = padded.len() - padded.len() % 3;
        for (name, engine) in [("Base64", &STANDARD_NO_PAD), ("Base64 of URLs", &URL_SAFE_NO_PAD)] {
            let letters = engine.encode(&padded[..whole]);
            let own = letters[if before == 0 { 0 } else { 4 }..].to_owned();
            all.push((format!("{text} in {name} after {before}"), own.into_bytes()));
        }
    }
    // Shorter ones would be found anywhere.
    all.retain(|(_, spelling)| spelling.len() >= 5);
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Two digits a byte, in their order, and as telephone networks write them: the second one first.
fn packed(digits: &str) -> [Vec<u8>; 2] {
    let digits: Vec<u8> = digits.bytes().map(|digit| digit - b'0').collect();
    let pairs = || digits.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    let in_order = pairs().map(|(first, second)| (first << 4) | second).collect();
    [in_order, pairs().map(|(first, second)| (second << 4) | first).collect()]
}

/// Which spellings are in which files below a directory.
pub(super) fn found(directory: &Path, spellings: &Spellings) -> BTreeSet<String> {
    let mut by_beginning: BTreeMap<[u8; 2], Vec<(&str, &[u8])>> = BTreeMap::new();
    for (name, spelling) in spellings {
        by_beginning.entry([spelling[0], spelling[1]]).or_default().push((name, spelling));
    }
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(found(&path, spellings));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "reserve" {
            assert!(bytes.iter().all(|byte| *byte == 0), "the reserve holds nothing");
            continue;
        }
        for at in 0..bytes.len().saturating_sub(1) {
            let Some(here) = by_beginning.get(&[bytes[at], bytes[at + 1]]) else { continue };
            for (spelled, spelling) in here {
                if bytes[at..].starts_with(spelling) {
                    all.insert(format!("{name}: {spelled}"));
                }
            }
        }
    }
    all
}
