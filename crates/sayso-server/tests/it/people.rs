//! `/v1/senders/{id}/people`: everyone who wrote to a sender or opted in to it, and how they stand.

use axum::http::StatusCode;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::{TestApp, act};

async fn sender(app: &TestApp, connection: &Value, address: &str) -> Value {
    let sender = json!({ "channel": "sms", "name": "Harbour Books", "address": address, "connection": connection });
    app.post("/v1/senders", &sender).await.json()["id"].clone()
}

async fn writes(app: &TestApp, phone: &str, to: &Value) {
    let path = format!("/v1/sandbox/phone/messages?phone={}", phone.replace('+', "%2B"));
    let wrote = app.post(&path, &json!({ "sender": to, "text": "Hello" })).await;
    assert_eq!(wrote.status, StatusCode::CREATED, "{}", wrote.text);
}

async fn people(app: &TestApp, sender: &Value, query: &str) -> Vec<Value> {
    let path = format!("/v1/senders/{}/people", sender.as_str().unwrap());
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{path}?limit=1{query}{cursor}")).await.json();
        found.extend(page["people"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    found.sort_by_key(|person| person["address"]["phone"].to_string());
    found
}

#[tokio::test]
async fn they_are_listed_with_activity_and_status_and_filtered_by_both() {
    let app = TestApp::start().await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    let (ours, other) =
        (sender(&app, &connection, "1").await, sender(&app, &connection, "2").await);
    let (ada, grace, joan, mary) = ("+14155552671", "+14155552672", "+14155552673", "+14155552674");
    writes(&app, ada, &ours).await;
    app.advance(Span::hours(24));
    writes(&app, grace, &ours).await;
    writes(&app, joan, &other).await;
    let notice = app.notice(&[]).await;
    let mut yes = act(mary, "opt_in", "2026-11-21T09:00:00Z", &notice);
    yes["scope"] = format!("sender:{}", ours.as_str().unwrap()).into();
    let recorded = app.post("/v1/consents", &yes).await;
    assert_eq!(recorded.status, StatusCode::CREATED, "{}", recorded.text);
    let seen = people(&app, &ours, "").await;
    let said: Vec<_> = seen
        .iter()
        .map(|it| {
            (
                it["address"]["phone"].as_str(),
                it["activity"].as_str(),
                it["consent"]["status"].as_str(),
            )
        })
        .collect();
    let wanted = [
        (Some(ada), Some("inactive"), Some("never")),
        (Some(grace), Some("active"), Some("never")),
        (Some(mary), Some("none"), Some("opted_in")),
    ];
    assert_eq!(said, wanted);
    let phones = async |query: &str| -> Vec<String> {
        let seen = people(&app, &ours, query).await;
        seen.iter().map(|it| it["address"]["phone"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(phones("&activity=active").await, [grace]);
    assert_eq!(phones("&status=opted_in").await, [mary]);
    assert_eq!(phones("&status=never&activity=none").await, Vec::<String>::new());
    let path = format!("/v1/senders/{}/people", ours.as_str().unwrap());
    app.get(&format!("{path}?cursor=zz")).await.is_problem("invalid-value");
    app.get(&format!("{path}?activity=sleepy")).await.is_problem("unknown-word");
    app.get("/v1/senders/snd_01jd6m9k3te5b8r5v3x5y6z7w8/people").await.is_problem("not-found");
}

#[tokio::test]
async fn who_was_erased_is_shown_no_more() {
    let app = TestApp::start().await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    let ours = sender(&app, &connection, "1").await;
    writes(&app, "+14155552671", &ours).await;
    assert_eq!(people(&app, &ours, "").await.len(), 1);
    let erased = app.post("/v1/erasures", &json!({ "phone": "+14155552671" })).await;
    assert!(erased.status.is_success(), "{}", erased.text);
    assert_eq!(people(&app, &ours, "").await.len(), 0);
}
