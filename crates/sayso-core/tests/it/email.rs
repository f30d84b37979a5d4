//! Every spelling of an address is one address, and what is refused is refused by name.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::HashSet;

use proptest::prelude::*;
use sayso_core::address::email::{EMAIL_BYTES_MAX, Email, EmailFault, LOCAL_PART_BYTES_MAX};

/// Text, as sent to, as matched, domain.
const READ: [(&str, &str, &str, &str); 16] = [
    ("ada@example.org", "ada@example.org", "ada@example.org", "example.org"),
    ("Ada@EXAMPLE.org", "Ada@example.org", "ada@example.org", "example.org"),
    (" mailto:ada@example.org\n", "ada@example.org", "ada@example.org", "example.org"),
    ("MAILTO: ada@example.org", "ada@example.org", "ada@example.org", "example.org"),
    ("\u{feff}ada@example.org\u{200b}", "ada@example.org", "ada@example.org", "example.org"),
    (
        "A.da+News@a.example.org",
        "A.da+News@a.example.org",
        "a.da+news@a.example.org",
        "a.example.org",
    ),
    (
        "o'hara/x=1@ex-ample.org",
        "o'hara/x=1@ex-ample.org",
        "o'hara/x=1@ex-ample.org",
        "ex-ample.org",
    ),
    ("a_b@example.org", "a_b@example.org", "a_b@example.org", "example.org"),
    (
        "ada@Bücher.example",
        "ada@xn--bcher-kva.example",
        "ada@xn--bcher-kva.example",
        "xn--bcher-kva.example",
    ),
    (
        "ada@XN--BCHER-KVA.example",
        "ada@xn--bcher-kva.example",
        "ada@xn--bcher-kva.example",
        "xn--bcher-kva.example",
    ),
    (
        "ada@例え.テスト",
        "ada@xn--r8jz45g.xn--zckzah",
        "ada@xn--r8jz45g.xn--zckzah",
        "xn--r8jz45g.xn--zckzah",
    ),
    (
        "ada@例え。テスト",
        "ada@xn--r8jz45g.xn--zckzah",
        "ada@xn--r8jz45g.xn--zckzah",
        "xn--r8jz45g.xn--zckzah",
    ),
    ("ada@ｅｘａｍｐｌｅ.org", "ada@example.org", "ada@example.org", "example.org"),
    ("ÉVA@example.org", "ÉVA@example.org", "éva@example.org", "example.org"),
    ("用户@example.org", "用户@example.org", "用户@example.org", "example.org"),
    (
        "ПОЧТА@пример.рф",
        "ПОЧТА@xn--e1afmkfd.xn--p1ai",
        "почта@xn--e1afmkfd.xn--p1ai",
        "xn--e1afmkfd.xn--p1ai",
    ),
];

fn parts(text: &str) -> (String, String, String) {
    let email = Email::parse(text).unwrap();
    (email.as_str().to_owned(), email.folded().to_owned(), email.domain().to_owned())
}

#[test]
fn the_local_part_is_sent_to_as_given_and_matched_in_lower_case() {
    for (text, written, folded, domain) in READ {
        let expected = (written.to_owned(), folded.to_owned(), domain.to_owned());
        assert_eq!(parts(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_bare_address_is_refused_by_name() {
    let label = |length| "a".repeat(length);
    for (text, fault) in [
        ("", EmailFault::Empty),
        ("  ", EmailFault::Empty),
        ("mailto:", EmailFault::Empty),
        ("Ada <ada@example.org>", EmailFault::DisplayName),
        ("<ada@example.org>", EmailFault::DisplayName),
        ("\"Ada\" <ada@example.org>", EmailFault::DisplayName),
        ("ada", EmailFault::MissingAt),
        ("example.org", EmailFault::MissingAt),
        ("ada@@example.org", EmailFault::SecondAt),
        ("ada@home@example.org", EmailFault::SecondAt),
        ("a\u{0}da@example.org", EmailFault::Control),
        ("ada@exam\u{200b}ple.org", EmailFault::Control),
        ("ada@example.org\r\nBcc: eve@example.org", EmailFault::Control),
        ("ada lovelace@example.org", EmailFault::WhiteSpace),
        ("ada@example.org, eve@example.org", EmailFault::WhiteSpace),
        ("ada @example.org", EmailFault::WhiteSpace),
        ("ada@\u{3000}example.org", EmailFault::WhiteSpace),
        ("\"ada lovelace\"@example.org", EmailFault::QuotedLocalPart),
        ("\"a@b\"@example.org", EmailFault::QuotedLocalPart),
        ("@example.org", EmailFault::EmptyLocalPart),
        (".ada@example.org", EmailFault::LocalPartDots),
        ("ada.@example.org", EmailFault::LocalPartDots),
        ("a..da@example.org", EmailFault::LocalPartDots),
        ("a,da@example.org", EmailFault::LocalPartCharacter),
        ("a\"da@example.org", EmailFault::LocalPartCharacter),
        ("ada(work)@example.org", EmailFault::LocalPartCharacter),
        ("a\\da@example.org", EmailFault::LocalPartCharacter),
        // A Greek question mark, of which composing makes a semicolon.
        ("a\u{37e}da@example.org", EmailFault::LocalPartCharacter),
        ("ada@[192.0.2.1]", EmailFault::IpAddress),
        ("ada@[IPv6:2001:db8::1]", EmailFault::IpAddress),
        ("ada@192.0.2.1", EmailFault::IpAddress),
        ("ada@localhost", EmailFault::DomainWithoutDot),
        ("ada@", EmailFault::EmptyLabel),
        ("ada@.example.org", EmailFault::EmptyLabel),
        ("ada@example..org", EmailFault::EmptyLabel),
        ("ada@example.org.", EmailFault::EmptyLabel),
        ("ada@ex_ample.org", EmailFault::Domain),
        ("ada@-example.org", EmailFault::Domain),
        ("ada@example-.org", EmailFault::Domain),
        ("ada@example.org?subject=hi", EmailFault::Domain),
        ("ada@xn--a.example", EmailFault::Domain),
        ("ada@exam/ple.org", EmailFault::Domain),
        (&format!("ada@{}.org", label(64)), EmailFault::LabelTooLong),
        (&format!("{}@example.org", label(LOCAL_PART_BYTES_MAX + 1)), EmailFault::LocalPartTooLong),
    ] {
        assert_eq!(Email::parse(text), Err(fault), "{text}");
    }
}

#[test]
fn the_longest_address_is_accepted_and_one_byte_more_is_not() {
    let local = "l".repeat(LOCAL_PART_BYTES_MAX);
    let rest = EMAIL_BYTES_MAX - LOCAL_PART_BYTES_MAX - "@".len();
    let label = format!("{}.", "d".repeat(62));
    let domain = |bytes: usize| format!("{}{}", label.repeat(2), "e".repeat(bytes - 126));
    assert!(Email::parse(&format!("{local}@{}", domain(rest))).is_ok());
    let longer = format!("{local}@{label}{}", domain(rest - 62));
    assert_eq!(Email::parse(&longer), Err(EmailFault::TooLong));
}

#[test]
fn a_domain_that_grows_as_a_labels_is_measured_as_a_labels() {
    let domain = "ü.".repeat(40) + "example";
    let text = format!("a@{domain}");
    assert!(text.len() < EMAIL_BYTES_MAX);
    assert_eq!(Email::parse(&text), Err(EmailFault::TooLong));
}

#[test]
fn addresses_are_equal_by_their_normal_form() {
    let same = ["Éva@example.org", "e\u{301}va@EXAMPLE.org", "éVA@example.org"];
    let distinct: HashSet<Email> = same.iter().map(|text| Email::parse(text).unwrap()).collect();
    assert_eq!(distinct.len(), 1);

    let others = ["ada@example.org", "ada+news@example.org", "a.da@example.org"];
    let distinct: HashSet<Email> = others.iter().map(|text| Email::parse(text).unwrap()).collect();
    assert_eq!(distinct.len(), 3);
}

#[test]
fn a_fault_shows_nothing_of_the_text_and_offers_a_right_one() {
    let fault = Email::parse("secret@@name.example").unwrap_err();
    assert!(!fault.to_string().contains("secret"));
    assert!(Email::parse(fault.example()).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,300}") {
        let _ = Email::parse(&text);
    }

    #[test]
    fn what_is_written_reads_as_itself(text in "[^@]{1,20}@[^@]{1,20}\\.\\PC{1,8}") {
        assert_stable(&text)?;
    }

    #[test]
    fn plain_addresses_read_as_themselves(
        text in "[a-zA-Z0-9+_äÉİß-]{1,20}@[a-zA-Z0-9äÉ]{1,20}\\.[a-z]{2,8}",
    ) {
        assert_stable(&text)?;
        prop_assert!(Email::parse(&text).is_ok());
    }
}

fn assert_stable(text: &str) -> Result<(), TestCaseError> {
    if let Ok(email) = Email::parse(text) {
        let written = Email::parse(&email.to_string());
        prop_assert_eq!(written.as_ref().map(Email::as_str), Ok(email.as_str()));
        prop_assert_eq!(&written, &Ok(email.clone()));
        let folded = Email::parse(email.folded());
        prop_assert_eq!(folded.as_ref().map(Email::as_str), Ok(email.folded()));
        prop_assert_eq!(folded, Ok(email.clone()));
        let domain = email.as_str().rsplit_once('@').map(|(_, domain)| domain);
        prop_assert_eq!(domain, Some(email.domain()));
    }
    Ok(())
}
