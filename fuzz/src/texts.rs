//! What businesses configure: origins, addresses of pages, colors, names, and texts with placeholders.

use std::collections::BTreeMap;

use sayso_core::limits;
use sayso_core::policy::placeholder::{Placeholder, fill};
use sayso_core::words::color::Color;
use sayso_core::words::form::{FieldName, Origin, Redirect, Trigger};
use sayso_core::words::notice::{Language, Notice};
use sayso_core::words::source::{EvidenceText, SourceName};

/// Any text as an origin, as the address of a page, as what makes a form appear, as a color and as a name.
pub(crate) fn origins(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(origin) = Origin::parse(&text) {
        assert_eq!(Origin::parse(origin.as_str()).as_ref(), Ok(&origin), "printed, and read again");
        assert_eq!(Origin::of_url(origin.as_str()).as_ref(), Ok(&origin));
    }
    if let Ok(origin) = Origin::of_url(&text) {
        assert_eq!(Origin::parse(origin.as_str()), Ok(origin));
    }
    if let Ok(redirect) = Redirect::parse(&text) {
        assert!(redirect.as_str().len() <= limits::FORM_URL_BYTES_MAX);
        assert_eq!(Origin::of_url(redirect.as_str()).as_ref(), Ok(redirect.origin()));
        assert_eq!(Redirect::parse(redirect.as_str()), Ok(redirect));
    }
    if let Ok(trigger) = Trigger::parse(&text) {
        assert_eq!(Trigger::parse(&trigger.to_string()), Ok(trigger));
    }
    if let Ok(color) = Color::parse(&text) {
        assert_eq!(Color::parse(&color.to_string()), Ok(color));
        assert!(color.readable_on(Color::WHITE).is_readable_on(Color::WHITE));
    }
    if let Ok(name) = FieldName::parse(&text) {
        assert_eq!(FieldName::parse(name.as_str()), Ok(name));
    }
    if let Ok(name) = SourceName::parse(&text) {
        assert_eq!(SourceName::parse(name.as_str()), Ok(name));
    }
    if let Ok(language) = Language::parse(&text) {
        assert_eq!(Language::parse(language.as_str()), Ok(language));
    }
    if let Ok(evidence) = EvidenceText::parse(&text) {
        assert_eq!(EvidenceText::parse(evidence.as_str()), Ok(evidence));
    }
}

/// Any text of a notice, with every placeholder filled in by a brace and a name.
pub(crate) fn placeholders(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let values = |value: &str| -> BTreeMap<Placeholder, String> {
        Placeholder::ALL.iter().map(|place| (*place, value.to_owned())).collect()
    };
    let plain = fill(&text, &values("x"));
    let nested = fill(&text, &values("{business}"));
    assert_eq!(plain.is_ok(), nested.is_ok(), "a value is no part of the text");
    if let (Ok(plain), Ok(nested)) = (plain, nested) {
        assert_eq!(plain.shows, nested.shows);
        assert!(!plain.shows.is_empty() || plain.text == text, "nothing else is changed");
    }
    if let Ok(kept) = Notice::parse_text(&text) {
        assert_eq!(Notice::parse_text(&kept).as_ref(), Ok(&kept));
    }
}
