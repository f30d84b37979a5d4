//! Somebody who has no link asks for theirs (rules 22, 23 and 26).

use axum::http::StatusCode;
use sayso_core::time::Span;
use sayso_server::app::Options;
use serde_json::{Value, json};

use crate::support::links::PHONE;
use crate::support::{TestApp, plenty};

async fn shop() -> TestApp {
    let mut options = Options::with_rates(plenty());
    options.outside.url = Some("https://consent.example".into());
    let app = TestApp::with_options(options).await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    for channel in ["whatsapp", "sms"] {
        let sender = json!({ "channel": channel, "name": "Shop", "address": "12345", "connection": connection });
        assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    }
    app
}

async fn arrived(app: &TestApp) -> Vec<Value> {
    app.send_due().await;
    let phone = app.get("/v1/sandbox/phone?phone=%2B14155552671").await.json();
    phone["messages"].as_array().unwrap().clone()
}

/// The person says something through their phone.
async fn says(app: &TestApp) {
    let stop =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    assert_eq!(app.post("/v1/consents", &stop).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_link_goes_to_the_address_itself_also_to_who_refused() {
    let app = shop().await;
    says(&app).await;
    let asked = app.open("/p?language=en").await;
    assert!(asked.text.contains("Phone number or email address"), "{}", asked.text);
    let sent = app.submit("/p", &[("address", "+1 415 555 2671")]).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.text);
    let messages = arrived(&app).await;
    let text = messages[0]["text"].as_str().unwrap();
    assert_eq!((messages.len(), &messages[0]["channel"]), (1, &json!("sms")));
    let (_, path) = text.split_once("https://consent.example").unwrap();
    assert!(app.open(path).await.text.contains("Your messages from"), "{text}");
}

#[tokio::test]
async fn the_answer_is_the_same_whoever_is_known_and_strangers_are_not_written_to() {
    let app = shop().await;
    let unknown = app.submit("/p", &[("address", PHONE)]).await;
    assert_eq!(arrived(&app).await, Vec::<Value>::new());
    says(&app).await;
    app.advance(Span::days(1));
    let known = app.submit("/p", &[("address", PHONE)]).await;
    assert_eq!(arrived(&app).await.len(), 1);
    assert_eq!((unknown.status, &unknown.text), (known.status, &known.text));
}

#[tokio::test]
async fn a_link_is_sent_once_a_day() {
    let app = shop().await;
    says(&app).await;
    for _ in 0..3 {
        assert_eq!(app.submit("/p", &[("address", PHONE)]).await.status, StatusCode::OK);
    }
    assert_eq!(arrived(&app).await.len(), 1);
    app.advance(Span::days(1));
    app.submit("/p", &[("address", PHONE)]).await;
    assert_eq!(arrived(&app).await.len(), 2);
}

#[tokio::test]
async fn who_is_blocked_gets_no_link() {
    let app = shop().await;
    says(&app).await;
    app.post("/v1/erasures", &json!({ "phone": PHONE })).await;
    assert_eq!(app.submit("/p", &[("address", PHONE)]).await.status, StatusCode::OK);
    assert_eq!(arrived(&app).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_is_no_address_is_named_with_a_good_example() {
    let app = shop().await;
    for given in ["", "Ada", "ada@", "+1"] {
        let answer = app.submit("/p", &[("address", given)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{given}");
        assert!(answer.text.contains("ada@example.org"), "{}", answer.text);
        assert!(answer.text.contains("aria-invalid=\"true\""), "{}", answer.text);
    }
    let other = app.submit("/p", &[("workspace", "ws_x"), ("address", PHONE)]).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_server_with_several_workspaces_wants_one_named() {
    let app = shop().await;
    app.store.create_workspace("other", sayso_core::workspace::Mode::Test).await.unwrap();
    assert_eq!(app.open("/p").await.status, StatusCode::NOT_FOUND);
    let path = format!("/p?workspace={}", app.workspace.id);
    assert_eq!(app.open(&path).await.status, StatusCode::OK);
}
