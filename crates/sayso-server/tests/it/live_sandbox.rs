//! Simulated phones of a live workspace: what is sent to them is counted, and not shown (rule 22: a link or a code
//! that somebody reads here proves nothing about the address).

use axum::http::StatusCode;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{KeyScope, Mode};
use sayso_server::app::Options;
use serde_json::{Value, json};

use crate::support::{TestApp, plenty};

const PHONE: &str = "+14155552671";
const BY_PHONE: &str = "/v1/sandbox/phone?phone=%2B14155552671";

/// A workspace of this mode with simulated phones, to one of which a code, a link and an order went.
async fn phone_of(mode: Mode) -> (TestApp, Value) {
    let mut options = Options::with_rates(plenty());
    options.outside.url = Some("https://consent.example".into());
    let mut app = TestApp::with_options(options).await;
    let name = if mode == Mode::Live { "live" } else { "trial" };
    app.workspace = app.store.create_workspace(name, mode).await.unwrap();
    app.key = app.make_key("all", KeyScope::ALL, Standing::Act).await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    for (channel, address) in [("sms", "12345"), ("email", "news@shop.example")] {
        let sender = json!({ "channel": channel, "name": "Shop", "address": address, "connection": connection });
        assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    }
    let notice = app.notice(&[]).await;
    let ask = json!({ "phone": PHONE, "channel": "sms", "method": "checkbox", "notice": notice });
    for by in ["code", "link"] {
        let mut ask = ask.clone();
        ask["by"] = by.into();
        let asked = app.post("/v1/double-opt-ins", &ask).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text);
    }
    for text in ["Your order. {preferences_url}", "482133 is your code to log in"] {
        let order = json!({ "to": PHONE, "channel": "sms", "category": "utility", "text": text, "require_opt_in": false });
        let taken = app.post("/v1/messages", &order).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    }
    app.send_due().await;
    let shown = app.get(BY_PHONE).await.json();
    (app, shown)
}

#[tokio::test]
async fn a_live_workspaces_simulated_phone_shows_no_code_and_no_link() {
    let (app, shown) = phone_of(Mode::Live).await;
    assert_eq!(shown["messages"].as_array().unwrap().len(), 3, "{shown}");
    let told = app.call("PUT", BY_PHONE, &json!({ "behavior": "delivers" })).await.json();
    assert_eq!(told["messages"], shown["messages"]);
    for message in shown["messages"].as_array().unwrap() {
        assert_eq!((&message["text"], &message["subject"]), (&Value::Null, &Value::Null));
        assert!(message["id"].as_str().unwrap().starts_with("msg_"), "{message}");
    }
    assert!(!shown.to_string().contains("consent.example"), "{shown}");
}

#[tokio::test]
async fn a_test_workspaces_simulated_phone_shows_them() {
    let (_, shown) = phone_of(Mode::Test).await;
    let texts = shown.to_string();
    assert!(texts.contains("https://consent.example/p/"), "{texts}");
    assert!(texts.contains("is your code to confirm") && texts.contains("482133"), "{texts}");
}
