//! What forms and entry points lack, in the answers that make, change and read them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

const STRICT: &str = "meta-2020-strict";

async fn strict() -> TestApp {
    let app = TestApp::start().await;
    let settings = json!({ "policies": { "whatsapp": { "policy": STRICT } } });
    assert_eq!(app.call("PUT", "/v1/settings", &settings).await.status, StatusCode::OK);
    app
}

/// What is found, and how bad it is.
fn found(answer: &Value) -> Vec<String> {
    let findings = answer["findings"].as_array();
    let findings = findings.unwrap_or_else(|| panic!("no findings: {answer}")).iter();
    let word = |of: &Value, name: &str| of[name].as_str().unwrap().to_owned();
    findings
        .map(|finding| format!("{} {}", word(finding, "severity"), word(finding, "code")))
        .collect()
}

async fn topic(app: &TestApp, name: &str, category: &str) -> Value {
    let topic = json!({ "name": name, "category": category });
    app.post("/v1/topics", &topic).await.json()["id"].clone()
}

/// Publishes further words of a notice.
async fn publish(app: &TestApp, notice: &Value, version: u32, language: &str, text: &str) {
    let path = format!("/v1/notices/{}/versions", notice["id"].as_str().unwrap());
    let names = json!([{ "channel": "whatsapp" }]);
    let words = json!({ "version": version, "language": language, "text": text, "names": names });
    assert_eq!(app.post(&path, &words).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_form_tells_what_it_lacks_until_it_lacks_nothing() {
    let app = strict().await;
    let notice = app.notice(&[]).await;
    let mut form = json!({
        "name": "Footer", "business": "Harbour Shop", "channels": ["whatsapp"],
        "notice": notice["id"], "title": "Join us", "origins": ["https://shop.example"],
    });
    let made = app.post("/v1/forms", &form).await.json();
    let all = ["error business_missing", "error kinds_missing", "warning way_out_missing"];
    assert_eq!(found(&made), all, "the mark, the channel and the number are ours to show");
    let by = &made["findings"][0]["demanded_by"][0];
    assert_eq!((&by["name"], &by["version"]), (&json!(STRICT), &json!("1")));

    let path = format!("/v1/forms/{}", made["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.json()["findings"], made["findings"]);
    assert_eq!(app.call("PUT", &path, &form).await.json()["findings"], made["findings"]);
    form["title"] = Value::Null;
    let changed = app.call("PUT", &path, &form).await.json();
    assert_eq!(found(&changed), all[1..], "a title of ours names the business");
    form["topics"] =
        json!([topic(&app, "Offers", "marketing").await, topic(&app, "News", "marketing").await]);
    let changed = app.call("PUT", &path, &form).await.json();
    assert_eq!(found(&changed), all[2..], "each box names its topic");
    publish(&app, &notice, 2, "en", "Write to me. I can stop at any time.").await;
    assert_eq!(found(&app.get(&path).await.json()), [""; 0]);

    let listed = app.get("/v1/forms").await.json()["forms"][0].clone();
    assert_eq!(listed.get("findings"), None);
    assert_eq!(app.delete(&path).await.json().get("findings"), None);
}

#[tokio::test]
async fn a_form_that_asks_the_address_reaches_the_level_that_a_policy_wants() {
    let app = TestApp::start().await;
    let confirmed = json!({ "policy": "custom", "ways": ["form"], "least_level": "confirmed" });
    let settings = json!({ "policies": { "sms": confirmed } });
    assert_eq!(app.call("PUT", "/v1/settings", &settings).await.status, StatusCode::OK);
    let notice = app.notice(&[]).await;
    let mut form = json!({
        "name": "Footer", "business": "Harbour Shop", "channels": ["sms"], "notice": notice["id"],
    });
    let made = app.post("/v1/forms", &form).await.json();
    assert!(found(&made).iter().any(|it| it.ends_with("level_too_low")), "{made}");
    form["double_opt_in"] = json!("code");
    let path = format!("/v1/forms/{}", made["id"].as_str().unwrap());
    let changed = app.call("PUT", &path, &form).await.json();
    assert!(!found(&changed).iter().any(|it| it.ends_with("level_too_low")), "{changed}");
}

#[tokio::test]
async fn what_a_form_lacks_in_one_of_its_languages_is_lacking() {
    let app = strict().await;
    let notice = app.notice(&[]).await;
    publish(&app, &notice, 2, "en", "Offers from Harbour Shop. Reply STOP to end.").await;
    topic(&app, "Offers", "marketing").await;
    let mut form = json!({
        "name": "Footer", "business": "Harbour Shop", "channels": ["whatsapp"],
        "notice": notice["id"], "origins": ["https://shop.example"],
    });
    assert_eq!(found(&app.post("/v1/forms", &form).await.json()), [""; 0]);
    publish(&app, &notice, 2, "tr", "Offers, evet.").await;
    form["languages"] = json!({ "tr": {} });
    let found = found(&app.post("/v1/forms", &form).await.json());
    assert_eq!(found, ["warning way_out_missing"]);
}

#[tokio::test]
async fn an_entry_point_tells_what_its_page_lacks_by_policy_and_country_pack() {
    let app = strict().await;
    let notice = app.notice(&[]).await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    let sender = json!({ "channel": "whatsapp", "name": "Harbour", "address": "+15550100900", "connection": connection });
    let sender = app.post("/v1/senders", &sender).await.json()["id"].clone();
    let mut entry = json!({
        "name": "Poster", "sender": sender, "business": "Harbour Books",
        "notice": { "id": notice["id"], "version": 1 },
    });
    let made = app.post("/v1/entry-points", &entry).await.json();
    assert_eq!(found(&made), ["error kinds_missing", "warning way_out_missing"]);
    let path = format!("/v1/entry-points/{}", made["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.json()["findings"], made["findings"]);

    entry["topics"] = json!([topic(&app, "Offers", "marketing").await]);
    let changed = app.call("PUT", &path, &entry).await.json();
    assert_eq!(found(&changed), ["warning way_out_missing"]);
    let settings = json!({ "policies": { "whatsapp": { "policy": "custom", "ways": ["form"] } } });
    assert_eq!(app.call("PUT", "/v1/settings", &settings).await.status, StatusCode::OK);
    let now = app.get(&path).await.json();
    assert_eq!(found(&now), ["error way_not_admitted", "warning way_out_missing"]);
    let listed = app.get("/v1/entry-points").await.json()["entry_points"][0].clone();
    assert_eq!(listed.get("findings"), None);
}

#[tokio::test]
async fn a_form_that_no_page_may_show_says_so() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let form = json!({
        "name": "Footer", "business": "Harbour Shop", "channels": ["sms"], "notice": notice["id"],
    });
    let made = app.post("/v1/forms", &form).await.json();
    let last = made["findings"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["code"], &last["severity"]), (&json!("origins_missing"), &json!("warning")));
    assert!(last["advice"].as_str().unwrap().contains("https://"), "{last}");
    let path = format!("/v1/forms/{}", made["id"].as_str().unwrap());
    let shown = json!({ "origins": ["https://shop.example"] });
    for (patch, is_found) in [(shown, false), (json!({ "origins": null }), true)] {
        let changed = app.call("PATCH", &path, &patch).await.json();
        assert_eq!(found(&changed).contains(&"warning origins_missing".to_owned()), is_found);
    }
}
