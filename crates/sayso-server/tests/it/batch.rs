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

/// A server whose workspaces record two events an hour.
async fn with_two_events_an_hour() -> TestApp {
    let mut rates = crate::support::plenty();
    rates.workspace.requests = std::num::NonZeroU32::new(2).unwrap();
    rates.workspace.per = std::time::Duration::from_hours(1);
    TestApp::with_rates(rates).await
}

#[tokio::test]
async fn past_the_limit_of_events_refusals_alone_are_recorded() {
    let app = with_two_events_an_hour().await;
    let said = |n: u32, statement: &str| json!({ "phone": format!("+1415555267{n}"), "channel": "sms", "statement": statement, "standing": "report" });
    for n in 0..2 {
        let answer = app.post("/v1/consents", &said(n, "opt_in")).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    }
    let limited = app.post("/v1/consents", &said(2, "opt_in")).await;
    let problem = limited.is_problem("rate-limited");
    assert_eq!(problem["detail"], "the workspace may record 2 events in 3600 s");
    assert!(limited.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(app.post("/v1/consents", &said(0, "opt_out")).await.status, StatusCode::CREATED);
    let lines = format!("{}\n{}", said(2, "opt_in"), said(1, "opt_out"));
    let batch = app.post_text("/v1/consents/batch", "application/x-ndjson", lines).await.lines();
    assert_eq!(
        (&batch[0]["status"], &batch[0]["problem"]["code"]),
        (&json!(429), &json!("rate-limited"))
    );
    assert_eq!(batch[1]["consent"]["consent"]["status"], "opted_out");
    for n in 0..2 {
        assert_eq!(app.sms(&format!("+1415555267{n}")).await["reason"], "opted_out");
    }
    let person = json!({ "phone": "+14155552675" });
    app.post("/v1/profiles", &person).await.is_problem("rate-limited");
}

#[tokio::test]
async fn past_the_limit_of_its_key_refusals_alone_are_recorded() {
    let mut rates = crate::support::plenty();
    rates.key.requests = std::num::NonZeroU32::new(1).unwrap();
    rates.key.per = std::time::Duration::from_hours(1);
    let app = TestApp::with_rates(rates).await;
    let said = |statement: &str| json!({ "phone": "+14155552671", "channel": "sms", "statement": statement, "standing": "report" });
    assert_eq!(app.post("/v1/consents", &said("opt_in")).await.status, StatusCode::CREATED);
    app.post("/v1/consents", &said("opt_in")).await.is_problem("rate-limited");
    let out = app.post("/v1/consents", &said("opt_out")).await;
    assert_eq!(out.status, StatusCode::CREATED, "{}", out.text);
    assert_eq!(out.json()["consent"]["status"], "opted_out");
    let lines = format!("{}\n{}", said("opt_in"), said("opt_out"));
    let batch = app.post_text("/v1/consents/batch", "application/x-ndjson", lines).await.lines();
    assert_eq!(batch[0]["problem"]["code"], "rate-limited");
    assert_eq!(batch[1]["consent"]["consent"]["status"], "opted_out");
}

#[tokio::test]
async fn a_list_waits_for_room_and_is_not_counted_among_the_events_a_second() {
    let app = with_two_events_an_hour().await;
    let row = |line: u32| json!({ "line": line, "phone": format!("+1415555267{line}"), "channel": "sms", "statement": "opt_in" });
    let path = "/v1/imports/imp_01jd6m9k3te5b8r5v3x5y6z7w8/rows?list=crm";
    let lines: Vec<String> = (1..5).map(|line| row(line).to_string()).collect();
    let answer = app.post_text(path, "application/x-ndjson", lines.join("\n")).await;
    assert_eq!((answer.status, answer.lines().len()), (StatusCode::OK, 4));
}
