//! What is true of the frame around every page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::html;
use sayso_pages::language::Language;
use sayso_pages::page::{Document, Frame, Page};
use sayso_pages::trouble::Trouble;
use sha2::{Digest, Sha256};

fn page(language: Language, frame: Frame, scripts: &[&'static str]) -> Document {
    let page = Page {
        language,
        title: "Offers & more <Harbour Shop>",
        styles: &["p{margin:0}"],
        made_style: ":root{--accent:#123456}",
        scripts,
        frame,
        main: html! { h1 { "A page" } },
    };
    page.render()
}

#[test]
fn the_policy_lets_only_what_stands_in_the_page_run() {
    let document = page(Language::English, Frame::Window, &["let a = 1;", "let b = 2;"]);
    let scripts = document.policy.split("; ").find(|part| part.starts_with("script-src")).unwrap();
    assert_eq!(scripts.matches("'sha256-").count(), 2, "{scripts}");
    assert!(!document.policy.contains("unsafe"), "{}", document.policy);
    assert!(document.policy.contains("form-action 'self'"), "{}", document.policy);
    let without = page(Language::English, Frame::Window, &[]);
    assert!(without.policy.contains("script-src 'none'"), "{}", without.policy);
}

#[test]
fn the_policy_names_every_style_and_script_of_the_page_by_its_hash() {
    // Twice: what was hashed before is remembered.
    for _ in 0..2 {
        let document = page(Language::English, Frame::Window, &["let a = 1;", "let b = 2;"]);
        for (element, count) in [("style", 3), ("script", 2)] {
            let (open, close) = (format!("<{element}>"), format!("</{element}>"));
            let texts: Vec<&str> = document.html.split(&open).skip(1).collect();
            assert_eq!(texts.len(), count, "{element}: {}", document.html);
            for text in texts {
                let hash = STANDARD.encode(Sha256::digest(text.split(&close).next().unwrap()));
                assert!(document.policy.contains(&format!("'sha256-{hash}'")), "{text}");
            }
        }
    }
}

#[test]
fn a_page_says_its_language_and_which_way_it_is_written() {
    let html = page(Language::Arabic, Frame::Window, &[]).html;
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"ar\" dir=\"rtl\">"), "{html}");
    assert!(html.contains("<footer>"), "{html}");
}

#[test]
fn a_page_inside_another_has_no_foot() {
    let html = page(Language::English, Frame::Embedded, &[]).html;
    assert!(html.contains("class=\"embedded\""), "{html}");
    assert!(!html.contains("<footer>"), "{html}");
}

#[test]
fn a_title_is_text() {
    let html = page(Language::English, Frame::Window, &[]).html;
    assert!(html.contains("<title>Offers &amp; more &lt;Harbour Shop&gt;</title>"), "{html}");
}

#[test]
fn every_trouble_says_in_every_language_what_to_do_next() {
    for language in Language::ALL {
        for trouble in Trouble::ALL {
            let html = trouble.page(language).html;
            assert!(html.contains("<h1>") && html.contains("<p>"), "{trouble:?}: {html}");
            assert!(!html.contains("trouble-"), "{language:?}: {html}");
        }
    }
}
