//! Many consents at once.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

const LINES: &str = "application/x-ndjson";

fn report(phone: &str) -> Value {
    json!({ "phone": phone, "channel": "sms", "statement": "opt_in", "standing": "report" })
}

#[tokio::test]
async fn each_line_is_answered_by_a_line_in_order() {
    let app = TestApp::start().await;
    let lines = [
        report("+14155552671").to_string(),
        "{".to_owned(),
        report("12").to_string(),
        report("+14155552672").to_string(),
    ];
    let answer = app.post_text("/v1/consents/batch", LINES, lines.join("\n")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let items = answer.lines();
    let statuses: Vec<&Value> = items.iter().map(|item| &item["status"]).collect();
    assert_eq!(statuses, [201, 400, 422, 201]);
    assert_eq!(items[1]["problem"]["code"], "not-json");
    assert_eq!(items[2]["problem"]["code"], "invalid-phone");
    assert_eq!(items[3]["consent"]["consent"]["status"], "opted_in");
    assert_eq!(app.sms("+14155552672").await["decision"], "allow");
}

#[tokio::test]
async fn a_batch_with_a_key_is_recorded_once() {
    let app = TestApp::start().await;
    let lines = [report("+14155552671").to_string(), report("+14155552672").to_string()].join("\n");
    for outcome in ["appended", "retried"] {
        let request = app
            .request("POST", "/v1/consents/batch")
            .header("content-type", LINES)
            .header("idempotency-key", "b");
        let items = app.send(request.body(lines.clone().into()).unwrap()).await.lines();
        assert!(
            items.iter().all(|item| item["consent"]["event"]["outcome"] == outcome),
            "{items:?}"
        );
    }
}

#[tokio::test]
async fn a_batch_past_its_limit_is_refused_whole() {
    let app = TestApp::start().await;
    let lines = "{}\n".repeat(10_001);
    app.post_text("/v1/consents/batch", LINES, lines).await.is_problem("too-many-items");
}
