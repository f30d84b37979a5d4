//! The page before a chat.

use sayso_pages::entry::{Choice, EntryFault, EntryPage, Thread, Ticked, Words};
use sayso_pages::language::Language;

const CHOICES: [Choice<'_>; 2] = [
    Choice { value: "top_1", topic: Some("Offers & more"), ticked: Ticked::No },
    Choice { value: "top_2", topic: None, ticked: Ticked::No },
];

const fn page(language: Language, faults: &[EntryFault]) -> EntryPage<'_> {
    EntryPage {
        language,
        languages: &Language::ALL,
        action: "/e/7m29qx4k0c",
        visit: "v1",
        business: "Harbour <Books>",
        thread: Thread::WhatsApp,
        number: "+15550100900",
        choices: &CHOICES,
        notice: Words { text: "Yes, write to me.\nAt most weekly.", language: "en" },
        example: "+14155550123",
        typed: "",
        faults,
    }
}

#[test]
fn nothing_is_ticked_and_the_chat_alone_is_a_button_like_the_other() {
    for language in Language::ALL {
        let html = page(language, &[]).render().html;
        assert_eq!(html.matches("type=\"checkbox\"").count(), 2, "{html}");
        assert!(!html.contains("checked"), "{html}");
        assert_eq!(html.matches("<button").count(), 2, "{html}");
        assert!(html.contains("Harbour &lt;Books&gt;") && html.contains("Offers &amp; more"));
        assert!(html.contains("WhatsApp") && !html.contains("entry-"), "{language:?}: {html}");
        assert!(html.contains("href=\"/e/7m29qx4k0c?lang="), "{html}");
        assert!(html.len() < 30_000, "{} bytes", html.len());
    }
}

#[test]
fn each_fault_stands_in_the_summary_and_at_its_place() {
    let faults = [EntryFault::NothingTicked, EntryFault::BadAddress];
    let choices = [Choice { ticked: Ticked::Yes, ..CHOICES[0] }];
    let page = EntryPage { choices: &choices, typed: "12\"3", ..page(Language::English, &faults) };
    let html = page.render().html;
    assert!(html.contains("role=\"alert\"") && html.contains("href=\"#choice-0\""), "{html}");
    assert!(html.contains("id=\"choice-0\"") && html.contains(" checked"), "{html}");
    assert!(html.contains("href=\"#address\"") && html.contains("aria-invalid=\"true\""), "{html}");
    assert!(html.contains("aria-describedby=\"address-fault address-hint\""), "{html}");
    assert!(html.contains("value=\"12&quot;3\""), "{html}");
}

#[test]
fn every_fault_is_said_in_every_language() {
    let faults = [
        EntryFault::NothingTicked,
        EntryFault::NoAddress,
        EntryFault::BadAddress,
        EntryFault::NotMobile,
    ];
    for language in Language::ALL {
        for thread in [Thread::WhatsApp, Thread::Sms, Thread::Email] {
            let html = EntryPage { thread, ..page(language, &faults) }.render().html;
            assert!(!html.contains("entry-") && !html.contains("{ $"), "{language:?}: {html}");
        }
    }
}

#[test]
fn the_form_may_lead_to_the_chat_and_the_page_has_no_script() {
    let policy = page(Language::Turkish, &[]).render().policy;
    assert!(policy.contains("form-action 'self' https: sms: mailto:"), "{policy}");
    assert!(policy.contains("script-src 'none'"), "{policy}");
}

#[test]
fn an_email_page_asks_for_an_address_of_its_kind() {
    let page = EntryPage { thread: Thread::Email, ..page(Language::English, &[]) };
    let html = page.render().html;
    assert!(html.contains("type=\"email\"") && !html.contains("type=\"tel\""), "{html}");
}
