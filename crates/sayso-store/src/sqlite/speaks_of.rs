//! Whether what was sent may speak of somebody, and how that is found without reading it.
//!
//! A refused statement may spell an address in any way. What each spelling of a phone has is its last
//! digits, what each of an email has is what stands before the `@`: keyed hashes of those are kept
//! beside a reject, and an erasure looks for its own among them. What is found so is read before it is
//! deleted. Ids of channels and of the caller have no form of their own, so for them all is read.
//!
//! A provider's id may hold the number inside Base64, as a `wamid` does: what such a run of letters says is
//! read along.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sayso_core::address::{Address, AddressKeySecret};
use sayso_core::canonical::Writer;
use sayso_core::limits;
use sayso_core::words::event_id::RequestHash;

/// The digits at the end of a phone number that every spelling of it has.
const TOLD_DIGITS: usize = 7;

/// A keyed hash of a part of an address that is in what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct About(pub(super) i64);

/// Hashes of what a text may speak of; `None` where that is too much to keep, so that it must be read.
pub(super) fn abouts(text: &str, secret: &AddressKeySecret) -> Option<BTreeSet<About>> {
    let text = with_what_is_inside(text);
    let mut parts: BTreeSet<String> = ends_of_numbers(&text);
    parts.extend(locals(&text));
    (parts.len() <= limits::REJECT_ABOUTS_MAX)
        .then(|| parts.iter().map(|part| hash(part, secret)).collect())
}

/// The hash by which rejects that may speak of an address are found; `None` where all must be read.
pub(super) fn about(address: &Address, secret: &AddressKeySecret) -> Option<About> {
    match address {
        Address::Phone(phone) => {
            let number = phone.digits().to_string();
            let told = number.get(number.len().checked_sub(TOLD_DIGITS)?..)?;
            Some(hash(told, secret))
        }
        Address::Email(email) => Some(hash(local(email.folded()), secret)),
        Address::ChannelId(_) | Address::ExternalId(_) => None,
    }
}

/// Whether a text may speak of an address. What was refused may be spelled in any way, so this
/// takes rather too much than too little.
pub(super) fn may_speak_of(text: &str, address: &Address) -> bool {
    let text = with_what_is_inside(text);
    match address {
        Address::Phone(phone) => {
            let number = phone.digits().to_string();
            let told = number.get(number.len().saturating_sub(TOLD_DIGITS)..).unwrap_or(&number);
            let text: String = text.chars().filter(|letter| !is_between(*letter)).collect();
            text.contains(told)
        }
        Address::Email(email) => text.to_lowercase().contains(local(email.folded())),
        Address::ChannelId(id) | Address::ExternalId(id) => text.contains(id.as_str()),
    }
}

/// The text, and after it what its runs of Base64 say, each on a line of its own. A JSON text may escape a
/// slash in them, and a form has some letters percent-encoded.
fn with_what_is_inside(text: &str) -> String {
    let mut all = text.to_owned();
    let is_of_base64 = |letter: char| letter.is_ascii_alphanumeric() || "+/-_".contains(letter);
    let plain = text.replace('\\', "");
    let from_form = plain.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    for spelled in [&plain, &from_form].into_iter().take(if plain == from_form { 1 } else { 2 }) {
        for run in spelled.split(|letter| !is_of_base64(letter)) {
            if run.len() >= BASE64_RUN_MIN {
                all.push('\n');
                all.push_str(&said_in(run));
            }
        }
    }
    all
}

/// What a run of Base64 says, of either alphabet; what is no text in it ends a number.
fn said_in(run: &str) -> String {
    let letters = run.replace('-', "+").replace('_', "/");
    // One letter too many says nothing.
    let whole = letters.len() - usize::from(letters.len() % 4 == 1);
    let bytes = BASE64.decode(letters.get(..whole).unwrap_or_default()).unwrap_or_default();
    bytes
        .iter()
        .map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '\u{1}' })
        .collect()
}

/// Letters of the shortest run that can hold the digits by which a number is told.
const BASE64_RUN_MIN: usize = 10;

/// Base64 without padding, whatever its last letter says beyond the last byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn hash(part: &str, secret: &AddressKeySecret) -> About {
    let mut fields = Writer::default();
    fields.text("reject about");
    fields.text(part);
    let RequestHash(full) = RequestHash::of(&fields, secret);
    About(full.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes)))
}

/// What stands before the `@`, with it.
fn local(email: &str) -> &str {
    email.split_inclusive('@').next().unwrap_or(email)
}

/// What people put between the digits of a number.
fn is_between(letter: char) -> bool {
    letter.is_whitespace() || "()-./".contains(letter)
}

/// The last digits before each place where a number may end, whatever stands between them.
fn ends_of_numbers(text: &str) -> BTreeSet<String> {
    let (mut ends, mut told) = (BTreeSet::new(), String::new());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_digit() {
            if told.len() == TOLD_DIGITS {
                told.remove(0);
            }
            told.push(letter);
            let ends_here = letters.peek().is_none_or(|next| !next.is_ascii_digit());
            if ends_here && told.len() == TOLD_DIGITS {
                ends.insert(told.clone());
            }
        } else if !is_between(letter) {
            told.clear();
        }
    }
    ends
}

/// What stands before each `@`, in small letters, from every place where an address may begin.
fn locals(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase();
    let mut locals = BTreeSet::new();
    for (at, _) in text.match_indices('@') {
        let before = text.get(..at).unwrap_or_default();
        let is_of_local =
            |letter: char| letter.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(letter);
        let run = before.rsplit(|letter: char| !is_of_local(letter)).next().unwrap_or_default();
        let begins = run.char_indices().filter(|(place, _)| {
            let previous = run.get(..*place).and_then(|before| before.chars().next_back());
            previous.is_none_or(|previous| !previous.is_alphanumeric())
        });
        locals.extend(begins.filter_map(|(place, _)| Some(format!("{}@", run.get(place..)?))));
    }
    locals
}

#[cfg(test)]
mod tests {
    use super::*;
    use sayso_core::address::email::Email;
    use sayso_core::address::phone::Phone;

    const SECRET: AddressKeySecret = AddressKeySecret::from_bytes([7; 32]);

    fn is_found(text: &str, address: &Address) -> bool {
        let about = about(address, &SECRET).unwrap();
        abouts(text, &SECRET).unwrap().contains(&about)
    }

    #[test]
    fn a_text_speaks_of_a_number_that_is_inside_the_id_of_a_provider() {
        let phone = Address::Phone(Phone::from_digits(14_155_550_123).unwrap());
        for before in 0..3 {
            let bytes = [&b"\x1c\x18\x0b"[before..], b"14155550123\x15\x02\x00\xff"].concat();
            let id = base64::engine::general_purpose::STANDARD.encode(bytes);
            for text in [
                format!("{{\"id\": \"wamid.{id}\"}}"),
                format!(
                    "id=wamid.{}",
                    id.replace('=', "%3D").replace('/', "%2F").replace('+', "%2B")
                ),
                format!("wamid.{}", id.replace('/', "\\/").replace('=', "")),
                format!("wamid.{}", id.replace('/', "_").replace('+', "-")),
            ] {
                assert!(may_speak_of(&text, &phone), "{text}");
                assert!(is_found(&text, &phone), "{text}");
            }
        }
        let other = Address::Phone(Phone::from_digits(14_155_550_124).unwrap());
        assert!(!may_speak_of("wamid.HBgLMTQxNTU1NTAxMjMVAgAR", &other));
    }

    #[test]
    fn a_text_speaks_of_an_address_however_it_spells_it_and_is_found_by_its_hash() {
        let phone = Address::Phone(Phone::from_digits(14_155_550_123).unwrap());
        for text in [
            "+1 (415) 555-0123",
            "{\"phone\": 14155550123}",
            "{\"phone\": \"+14155550123\", \"occurred_at\": \"2026-11-21T10:00:00Z\"}",
            "415.555.0123 ext 4",
            "14155550123 2026-11-21,yes",
            "2026-11-21 14155550123",
            "From=whatsapp%3A%2B14155550123&Body=STOP",
            "14155550123.0",
        ] {
            assert!(may_speak_of(text, &phone), "{text}");
            assert!(is_found(text, &phone), "{text}");
        }
        assert!(!may_speak_of("+1 (415) 555-0124", &phone));
        assert!(!is_found("+1 (415) 555-0124", &phone));
        let email = Address::Email(Email::parse("Ann.Lee@shop.example").unwrap());
        for text in [
            "mail ANN.LEE@SHOP.EXAMPLE now",
            "{\"email\":\"ann.lee@shop.example\"}",
            "email=ann.lee@other.example",
            "x,ann.lee@,y",
        ] {
            assert!(may_speak_of(text, &email), "{text}");
            assert!(is_found(text, &email), "{text}");
        }
        assert!(!may_speak_of("mail bob@shop.example now", &email));
        assert!(!is_found("mail bob@shop.example now", &email));
    }

    #[test]
    fn what_speaks_of_too_many_must_be_read() {
        let many: Vec<String> = (1_000_000..1_000_100).map(|n| n.to_string()).collect();
        let many = format!("{},", many.join(","));
        assert_eq!(abouts(&many, &SECRET), None);
        let secrets = [SECRET, AddressKeySecret::from_bytes([8; 32])];
        let [one, two] = secrets.map(|secret| abouts("14155550123", &secret));
        assert_ne!(one, two, "of another workspace it is another");
    }
}
