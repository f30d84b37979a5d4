//! What is true of every opt-in form, whatever stands in it.

use sayso_core::words::channel::Channel;
use sayso_core::words::color::Color;
use sayso_core::words::form::{Brightness, Font, Theme};
use sayso_pages::form::{
    AsksFor, Country, FieldFault, FormField, FormLook, FormPage, Group, Needed, Remark, Sends,
    Tick, TickBox, Trial,
};
use sayso_pages::language::Language;
use sayso_pages::page::{Document, Frame};

const HOSTILE: &str = "\"><script>alert(1)</script>&'";

fn look(language: Language, theme: Theme) -> FormLook<'static> {
    FormLook { language, business: HOSTILE, theme, frame: Frame::Embedded }
}

fn boxes(names: &[&str]) -> Vec<TickBox<'static>> {
    let tick = Tick::Empty;
    let of = |name: &&str| TickBox { name: (*name).to_owned(), topic: Some(HOSTILE), tick };
    names.iter().map(of).collect()
}

fn country(letters: &str, number: u16, shape: &str) -> Country {
    Country { letters: letters.into(), number, shape: shape.into() }
}

fn page(language: Language, names: &[&str], fault: Option<FieldFault>) -> Document {
    let field = |name: &str, asks, fault| FormField {
        name: name.to_owned(),
        asks,
        value: HOSTILE,
        needed: Needed::Never,
        fault,
    };
    let phone = AsksFor::Phone {
        countries: vec![country("DE", 49, "0#### #######"), country("AT", 43, "0### ######")],
        chosen: "AT".into(),
        shape: HOSTILE.into(),
        example: "+4915123456789".into(),
    };
    let page = FormPage {
        look: look(language, Theme::default()),
        title: None,
        description: Some(HOSTILE),
        button: Some(HOSTILE),
        notice: (HOSTILE, "en"),
        groups: vec![Group { channel: Channel::WhatsApp, boxes: boxes(names) }],
        boxes_fault: fault.clone(),
        fields: vec![field("phone", phone, fault), field("own-size", AsksFor::Text(HOSTILE), None)],
        remark: Some(Remark::Wait(8)),
        sends: Sends::Form {
            action: "/f/x?embed=1&lang=en".into(),
            challenge: "00".into(),
            bits: 16,
            page: HOSTILE,
            trial: Trial::Tried,
        },
    };
    page.render()
}

#[test]
fn no_text_of_a_customer_or_a_person_becomes_markup() {
    for document in [
        page(Language::English, &["one"], Some(FieldFault::NoBox)),
        page(Language::English, &["one", "two"], None),
        look(Language::English, Theme::default()).done(Some(HOSTILE), Some("https://a.example/")),
        look(Language::English, Theme::default()).tried(&[vec![(HOSTILE.into(), HOSTILE.into())]]),
    ] {
        assert!(!document.html.contains("<script>alert"), "{}", document.html);
    }
}

#[test]
fn every_state_is_said_in_every_language_and_every_input_has_a_label() {
    let example = || "+12015550123".to_owned();
    let faults = [
        FieldFault::NoBox,
        FieldFault::Missing,
        FieldFault::Phone(example()),
        FieldFault::PhoneTooShort(example()),
        FieldFault::PhoneTooLong(example()),
        FieldFault::PhoneCountry(example()),
        FieldFault::PhoneNotInUse(example()),
        FieldFault::PhoneNotMobile(example()),
        FieldFault::Email,
        FieldFault::TooLong(200),
    ];
    for language in Language::ALL {
        for fault in &faults {
            let html = page(language, &["one", "two"], Some(fault.clone())).html;
            let main = html.split("<main>").nth(1).unwrap_or_default();
            let main = main.split("</main>").next().unwrap_or_default();
            for key in ["form-fault", "form-remark", "form-box", "form-phone<"] {
                assert!(!main.contains(key), "{language:?}: {main}");
            }
            for id in ["phone", "own-size", "one", "two", "homepage"] {
                assert!(main.contains(&format!("<label for=\"{id}\">")), "{id}: {main}");
            }
            assert!(
                main.contains("href=\"#phone\"") && main.contains("id=\"phone-fault\""),
                "{main}"
            );
        }
    }
}

#[test]
fn one_box_has_the_words_of_consent_for_its_label_and_several_are_described_by_them() {
    let one = page(Language::English, &["one"], None).html;
    assert!(
        !one.contains("id=\"notice\"") && one.contains("<label for=\"one\"><span lang=\"en\""),
        "{one}"
    );
    let two = page(Language::English, &["one", "two"], None).html;
    assert_eq!(two.matches("aria-describedby=\"notice\"").count(), 2, "{two}");
    let legend = two.split("<legend>").nth(1).and_then(|rest| rest.split("</legend>").next());
    let legend = legend.unwrap();
    assert!(legend.starts_with("<svg") && legend.ends_with("WhatsApp"), "name and mark: {legend}");
}

#[test]
fn a_theme_is_style_of_the_page_and_its_button_can_be_read() {
    let accent = Color::parse("#0b6b50").ok();
    for (brightness, scheme) in [
        (Brightness::Auto, "color-scheme:light dark;"),
        (Brightness::Light, "color-scheme:light;"),
        (Brightness::Dark, "color-scheme:dark;"),
    ] {
        let theme = Theme::default().seen_in(brightness);
        assert!(look(Language::English, theme).done(None, None).html.contains(scheme));
    }
    let theme = Theme::new(accent, 3, Font::Serif, Brightness::Light).unwrap_or_default();
    let html = look(Language::English, theme).done(None, None).html;
    assert!(html.contains("--accent:light-dark(#0b6b50,"), "{html}");
    assert!(html.contains("--on-accent:light-dark(#ffffff,#000000)"), "{html}");
    assert!(html.contains("--radius:3px;") && html.contains("--font:Charter"), "{html}");
}
