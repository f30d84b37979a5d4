//! The document and the page made from it.

use sayso_core::gate::message::MessageState;
use sayso_core::gate::reason::Reason;
use sayso_core::state::status::Status;
use sayso_core::words::channel::{Category, Channel};
use sayso_core::workspace::{KeyRole, KeyScope};
use serde_json::{Value, json};

use crate::support::TestApp;

fn document() -> Value {
    serde_json::from_str(&sayso_server::openapi()).unwrap()
}

/// Every `$ref` in a value.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "$ref" {
                    found.push(member.as_str().unwrap().to_owned());
                }
                references(member, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[test]
fn every_operation_response_parameter_and_field_has_a_description() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let described =
        |value: &Value| value["description"].as_str().is_some_and(|text| !text.trim().is_empty());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(
                operation["summary"].is_string() && operation["operationId"].is_string(),
                "{name}"
            );
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(described(response), "{name} {status}");
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(described(parameter), "{name} {}", parameter["name"]);
            }
        }
    }
    for (schema, body) in document["components"]["schemas"].as_object().unwrap() {
        for (field, value) in body["properties"].as_object().into_iter().flatten() {
            let named = value["$ref"].is_string() || value["oneOf"].is_array();
            assert!(described(value) || named, "{schema}.{field}");
        }
    }
}

#[tokio::test]
async fn the_reference_page_loads_nothing_from_elsewhere_and_runs_no_script() {
    let app = TestApp::start().await;
    for path in ["/docs", "/docs/problems"] {
        let page = app.get(path).await;
        assert!(
            page.headers["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert!(
            !page.text.contains("<script")
                && !page.text.contains("http://")
                && !page.text.contains("style=\"")
        );
        let sources = page.text.matches("https://").count();
        assert_eq!(sources, page.text.matches("<code>https://").count(), "{path}");
    }
    let page = app.get("/docs").await.text;
    for (_, item) in document()["paths"].as_object().unwrap() {
        for (_, operation) in item.as_object().unwrap() {
            assert!(page.contains(&format!(
                "<section id=\"{}\">",
                operation["operationId"].as_str().unwrap()
            )));
        }
    }
    assert_eq!(app.get("/openapi.json").await.text, sayso_server::openapi());
}

/// The code declares `phone` before `channel` and `explain` at the end, which no alphabet does.
#[tokio::test]
async fn the_reference_page_lists_fields_in_the_order_of_their_declaration() {
    let page = TestApp::start().await.get("/docs").await.text;
    let from = page.find("<section id=\"check\">").unwrap();
    let section = &page[from..from + page[from..].find("</section>").unwrap()];
    let names = ["phone", "email", "hash", "kind", "channel", "category", "explain", "as_of"];
    let places: Vec<usize> = names
        .iter()
        .map(|name| section.find(&format!("<dt><code>{name}</code>")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[tokio::test]
async fn the_menu_is_folded_for_phones_and_open_beside_the_text() {
    let app = TestApp::start().await;
    for (path, item) in [("/docs", "href=\"#check\""), ("/docs/problems", "href=\"#not-json\"")] {
        let page = app.get(path).await.text;
        let (folded, open) = page.split_once("</details>").unwrap();
        assert!(folded.contains("<details class=\"folded\">") && folded.contains(item), "{path}");
        assert!(open.contains(item), "{path}");
    }
}

#[tokio::test]
async fn the_reference_names_every_value_of_a_word() {
    let document = document();
    let page = TestApp::start().await.get("/docs").await.text;
    let named = |section: &str, words: &[&str]| {
        let from = page.find(&format!("<section id=\"{section}\">")).unwrap();
        let section = &page[from..from + page[from..].find("</section>").unwrap()];
        for word in words {
            assert!(
                section.contains(&format!("<code>{word}</code>")),
                "{word} is not in {section}"
            );
        }
    };
    named("record_consent", &["opt_in", "opt_out", "hold", "pending", "start", "implied"]);
    named("record_consent", &["act", "report", "whatsapp", "line"]);
    named("check", &["marketing", "utility", "authentication", "service", "whatsapp", "line"]);
    named("check", Reason::WORDS);
    named("check_batch", Category::WORDS);
    named("list_messages", MessageState::WORDS);
    named("list_audience", Status::WORDS);
    named("create_key", KeyScope::WORDS);
    named("create_key", KeyRole::WORDS);
    for (schema, words) in [
        ("Statement", &["opt_in", "opt_out", "hold", "pending", "start", "implied"][..]),
        ("Channel", Channel::WORDS),
        ("Category", Category::WORDS),
        ("Status", Status::WORDS),
        ("Reason", Reason::WORDS),
        ("KeyScope", KeyScope::WORDS),
        ("KeyRole", KeyRole::WORDS),
    ] {
        assert_eq!(document["components"]["schemas"][schema]["enum"], json!(words), "{schema}");
    }
}
