//! Links that are printed or sent begin with the server's own URL, and not as a request calls it.

use axum::body::Body;
use axum::http::StatusCode;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{KeyScope, Mode};
use sayso_server::app::Options;
use serde_json::json;

use crate::support::{Answer, TestApp, plenty};

/// Where links are handed out, of an entry point and a form.
async fn places(app: &TestApp) -> Vec<String> {
    let notice = app.notice(&[]).await;
    let sender = json!({ "channel": "sms", "name": "s", "address": "+15550100900" });
    let sender = app.post("/v1/senders", &sender).await.json()["id"].clone();
    let words = json!({ "id": notice["id"], "version": 1 });
    let entry = json!({ "name": "Poster", "sender": sender, "notice": words });
    let entry = app.post("/v1/entry-points", &entry).await.json()["id"].clone();
    let form = json!({
        "name": "Footer", "business": "Shop", "channels": ["sms"], "notice": notice["id"],
    });
    let form = app.post("/v1/forms", &form).await.json()["id"].clone();
    let entry = format!("/v1/entry-points/{}", entry.as_str().unwrap());
    let mut places: Vec<String> =
        ["qr.svg", "qr.png", "sheet.svg", "code"].map(|it| format!("{entry}/{it}")).to_vec();
    places.push(format!("/v1/forms/{}/code", form.as_str().unwrap()));
    places.push("/v1/preference-links".to_owned());
    places
}

/// Asks for the links at a place, and calls the server by any name.
async fn ask(app: &TestApp, place: &str) -> Answer {
    let person = json!({ "channel": "sms", "phone": "+14155550123" }).to_string();
    let (method, body) = match place {
        "/v1/preference-links" => ("POST", person),
        _ => ("GET", String::new()),
    };
    let request = app.request(method, place).header("host", "mallory.example");
    let request = request.header("content-type", "application/json");
    app.send(request.body(Body::from(body)).unwrap()).await
}

async fn workspace(mode: Mode, url: Option<&str>) -> TestApp {
    let mut options = Options::with_rates(plenty());
    options.outside.url = url.map(Box::from);
    let mut app = TestApp::with_options(options).await;
    app.workspace = app.store.create_workspace("shop", mode).await.unwrap();
    app.key = app.make_key("shop", KeyScope::ALL, Standing::Act).await;
    app
}

#[tokio::test]
async fn a_live_workspace_prints_no_link_that_a_request_named() {
    let app = workspace(Mode::Live, None).await;
    for place in places(&app).await {
        let refused = ask(&app, &place).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{place}: {}", refused.text);
        refused.is_problem("public-url-required");
    }
    let app = workspace(Mode::Live, Some("https://consent.example")).await;
    for place in places(&app).await {
        let answer = ask(&app, &place).await;
        assert!(answer.status.is_success(), "{place}: {}", answer.text);
        assert!(!answer.text.contains("mallory.example"), "{place}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_test_workspace_goes_on_with_the_name_that_a_request_uses() {
    let app = workspace(Mode::Test, None).await;
    for place in places(&app).await {
        let answer = ask(&app, &place).await;
        assert!(answer.status.is_success(), "{place}: {}", answer.text);
        let is_picture = place.contains("/qr.");
        assert!(is_picture || answer.text.contains("mallory.example"), "{place}: {}", answer.text);
    }
}
