//! The email of a message, byte by byte.

#![expect(clippy::unwrap_used, reason = "test code")]

use sayso_channels::credentials::Secret;
use sayso_channels::outbound::{Button, CannotSend, Outgoing, Payload};
use sayso_channels::smtp::{Heading, LogIn, Mail, compose};
use sayso_core::address::Address;
use sayso_core::address::email::Email;
use sayso_core::address::phone::{Phone, PhoneBook};
use sayso_core::limits::{MESSAGE_SUBJECT_CHARS_MAX, MESSAGE_TEXT_BYTES_MAX};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Channel;

const ID: &str = "msg_01jd6m9k3te5b8r5v3x5y6z7w8";
const LINK: &str = "https://consent.example/u/AQBtokenOf120Letters-_";

fn heading(subject: &str) -> Heading<'_> {
    let at = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
    Heading { name: "Shop", subject, unsubscribe_url: None, at }
}

fn email(text: &str) -> Address {
    Address::Email(Email::parse(text).unwrap())
}

fn outgoing<'a>(to: &'a Address, text: &'a str) -> Outgoing<'a> {
    Outgoing {
        channel: Channel::Email,
        to,
        from: "news@shop.example",
        payload: Payload::Text(text),
        our_id: ID,
        status_url: None,
    }
}

fn written(text: &str, heading: &Heading<'_>) -> Result<Mail, CannotSend> {
    compose(&outgoing(&email("Ada@example.org"), text), heading)
}

fn lines(mail: &Mail) -> Vec<&str> {
    str::from_utf8(&mail.bytes).unwrap().split("\r\n").collect()
}

#[test]
fn an_email_is_its_headers_and_its_words() {
    let heading = Heading { unsubscribe_url: Some(LINK), ..heading("Your order is ready") };
    let mail = written("Come by.\nWe are open.", &heading).unwrap();
    assert_eq!(
        lines(&mail),
        [
            "From: Shop <news@shop.example>",
            "To: Ada@example.org",
            "Subject: Your order is ready",
            "Date: Sat, 21 Nov 2026 10:00:00 +0000",
            "Message-ID: <msg_01jd6m9k3te5b8r5v3x5y6z7w8@shop.example>",
            "Content-Type: text/plain; charset=utf-8",
            "List-Unsubscribe: <https://consent.example/u/AQBtokenOf120Letters-_>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Content-Transfer-Encoding: 7bit",
            "",
            "Come by.",
            "We are open.",
        ]
    );
    assert_eq!(mail.id, format!("{ID}@shop.example"));
    assert_eq!(
        (mail.from.to_string(), mail.to.to_string()),
        ("news@shop.example".into(), "Ada@example.org".into())
    );
}

#[test]
fn an_email_that_nobody_leaves_names_no_way_to() {
    let mail = written("Your code is 123456.", &heading("Your code")).unwrap();
    assert!(!lines(&mail).iter().any(|line| line.starts_with("List-")), "{:?}", lines(&mail));
}

#[test]
fn letters_of_every_script_go_as_ascii() {
    let texts =
        ["Grüße & mehr", "आपका ऑर्डर तैयार है", "طلبك جاهز", &"é".repeat(MESSAGE_TEXT_BYTES_MAX / 2)];
    for text in texts {
        let subject: String = text.chars().take(MESSAGE_SUBJECT_CHARS_MAX).collect();
        let mail = written(text, &Heading { name: text, ..heading(&subject) }).unwrap();
        assert!(mail.bytes.is_ascii(), "{text}");
        assert!(lines(&mail).iter().all(|line| line.len() <= 998), "{text}");
    }
}

#[test]
fn a_link_stands_whole_in_its_header() {
    let link = format!("https://{}.example/u/{}", "a".repeat(60), "b".repeat(128));
    let heading = Heading { unsubscribe_url: Some(&link), ..heading("Hi") };
    let mail = written("Hi", &heading).unwrap();
    assert!(lines(&mail).contains(&format!("List-Unsubscribe: <{link}>").as_str()));
}

#[test]
fn nothing_that_is_given_adds_a_header_or_a_line() {
    let evil = "Hi\r\nBcc: eve@example.org\r\n\r\nText";
    let mail = written("Hi", &Heading { name: evil, ..heading(evil) }).unwrap();
    let (head, _) = str::from_utf8(&mail.bytes).unwrap().split_once("\r\n\r\n").unwrap();
    let names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(
        names,
        [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Content-Type",
            "Content-Transfer-Encoding"
        ]
    );
    for evil in [
        "https://a.example/u/x\r\nBcc: eve@example.org",
        "https://a.example/u/x y",
        "https://é.example",
    ] {
        let heading = Heading { unsubscribe_url: Some(evil), ..heading("Hi") };
        assert_eq!(written("Hi", &heading).err(), Some(CannotSend::WrongStatusUrl), "{evil}");
    }
}

#[test]
fn no_bare_line_end_and_no_nul_reaches_a_relay() {
    let control = (0_u8..0x20).chain(0x7f..0xa0).map(char::from);
    for letter in control.chain(['\u{2028}', '\u{2029}']) {
        for evil in [
            format!("Hi{letter}.{letter}MAIL FROM:<eve@example.org>"),
            format!("Hi\r\n{letter}\n.\r{letter}\r\nRCPT TO:<eve@example.org>é"),
        ] {
            let subject: String = evil.chars().take(MESSAGE_SUBJECT_CHARS_MAX).collect();
            let heading = Heading { name: &evil, ..heading(&subject) };
            let mail = written(&evil, &heading).unwrap();
            let text = str::from_utf8(&mail.bytes).unwrap();
            let (head, _) = text.split_once("\r\n\r\n").unwrap();
            let headers = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
            assert_eq!(headers.count(), 7, "{letter:?}: {head}");
            let bare = text.replace("\r\n", "");
            assert!(!bare.contains(['\r', '\n', '\0']), "{letter:?}: {text:?}");
        }
    }
}

#[test]
fn each_way_to_end_a_line_is_one_line_end() {
    let mail = written("one\rtwo\r\nthree\nfour\0\u{7}\tfive", &heading("Hi")).unwrap();
    let lines = lines(&mail);
    assert_eq!(lines.get(lines.len() - 4..).unwrap(), ["one", "two", "three", "four\tfive"]);
}

#[test]
fn a_question_stands_with_its_answers() {
    let to = email("ada@example.org");
    let buttons = ["Yes", "No"].map(|title| Button { id: title.into(), title: title.into() });
    let payload = Payload::Question { text: "May we?", buttons: &buttons };
    let mail = compose(&Outgoing { payload, ..outgoing(&to, "") }, &heading("Hi")).unwrap();
    assert!(lines(&mail).ends_with(&["May we?", "Yes / No"]), "{:?}", lines(&mail));
}

#[test]
fn what_is_no_email_is_not_written() {
    let (to, heading) = (email("ada@example.org"), heading("Hi"));
    let base = outgoing(&to, "Hi");
    let fault = |outgoing: &Outgoing<'_>| compose(outgoing, &heading).err();
    let sms = Outgoing { channel: Channel::Sms, ..base };
    assert_eq!(fault(&sms), Some(CannotSend::WrongChannel));
    let phone = Address::Phone(Phone::parse("+14155552671", None, &PhoneBook::builtin()).unwrap());
    assert_eq!(fault(&Outgoing { to: &phone, ..base }), Some(CannotSend::WrongAddress));
    for from in ["shop.example", "Shop <news@shop.example>", "", "news@shop.example\r\nX: y"] {
        let wrong = CannotSend::WrongSender { expected: "an email address" };
        assert_eq!(fault(&Outgoing { from, ..base }), Some(wrong), "{from}");
    }
    let template = Payload::Template { name: "offer", language: "en", variables: &[] };
    assert_eq!(fault(&Outgoing { payload: template, ..base }), Some(CannotSend::NoTemplates));
    let empty = |part| Some(CannotSend::Empty { part });
    assert_eq!(fault(&Outgoing { payload: Payload::Text(" "), ..base }), empty("the text"));
    assert_eq!(written("Hi", &Heading { subject: " ", ..heading }).err(), empty("the subject"));
    let long = "x".repeat(MESSAGE_SUBJECT_CHARS_MAX + 1);
    let past = written("Hi", &Heading { subject: &long, ..heading });
    assert!(matches!(past, Err(CannotSend::TooLong { part: "the subject", .. })), "{past:?}");
}

#[test]
fn neither_words_nor_passwords_are_shown() {
    let log_in = LogIn {
        username: Secret::parse("user").unwrap(),
        password: Secret::parse("pass").unwrap(),
    };
    let shown = format!("{log_in:?} {:?}", written("secret words", &heading("secret")).unwrap());
    assert!(!shown.contains("pass\"") && !shown.contains("secret"), "{shown}");
    assert_eq!(log_in.to_relay(), ("user", "pass"));
}
