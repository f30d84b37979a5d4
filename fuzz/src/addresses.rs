//! Phones and email addresses as people and providers write them.

use sayso_core::address::OpaqueId;
use sayso_core::address::email::Email;
use sayso_core::address::phone::{Phone, PhoneBook, PhoneFault, Region};

use crate::{book, halves};

/// Any text as a phone; what stands before the first line end is the region in which it is read.
pub(crate) fn phone(bytes: &[u8]) {
    let (region, text) = halves(bytes);
    let region = str::from_utf8(region).ok().and_then(|text| Region::parse(text).ok());
    let text = String::from_utf8_lossy(text);
    let book = book();
    let valid = Phone::parse(&text, region, &book);
    let possible = Phone::parse_possible(&text, region, &book);
    if let Ok(phone) = valid {
        assert_eq!(possible, Ok(phone), "what is valid is possible, and the same number");
        assert!(phone.is_valid(&book));
        is_read_again(phone, &book, Phone::parse);
    }
    if let Ok(phone) = possible {
        is_read_again(phone, &book, Phone::parse_possible);
        assert_eq!(Phone::read_possible(phone.digits(), &book), Ok(phone));
        assert_eq!(Phone::from_digits(phone.digits()), Some(phone));
        for other in phone.other_forms() {
            assert!(other.other_forms().contains(&phone), "{phone} is no form of {other}");
        }
    }
    if let Err(fault) = valid {
        let _ = (fault.to_string(), fault.example(region, &book));
    }
}

type Read = fn(&str, Option<Region>, &PhoneBook) -> Result<Phone, PhoneFault>;

/// What is printed is read as the same number, in whatever region.
fn is_read_again(phone: Phone, book: &PhoneBook, read: Read) {
    let printed = phone.to_string();
    for region in [None, Region::parse("US").ok(), Region::parse("DE").ok()] {
        assert_eq!(read(&printed, region, book), Ok(phone), "{printed} is read as itself");
    }
}

/// Any text as an email address, and as an id that somebody else gave.
pub(crate) fn email(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(email) = Email::parse(&text) {
        assert_eq!(Email::parse(email.as_str()).as_ref(), Ok(&email), "printed, and read again");
        let folded = Email::parse(email.folded());
        assert_eq!(folded.as_ref().map(Email::folded), Ok(email.folded()), "folded once");
        assert!(email.as_str().ends_with(email.domain()), "{email:?}");
    }
    if let Ok(id) = OpaqueId::parse(&text) {
        assert_eq!(OpaqueId::parse(id.as_str()), Ok(id));
    }
}
