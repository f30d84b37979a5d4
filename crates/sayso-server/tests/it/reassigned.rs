//! Numbers that belong to somebody else now (rule 12): told one by one, and by lists.

use axum::http::StatusCode;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, act};

const ADA: &str = "+14155552671";
const BOB: &str = "+14155552672";
const IMPORT: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";
const LIST: &str = "?list=carrier&kind=disconnected&date=2026-11-10";

async fn agree(app: &TestApp, phone: &str, at: &str) {
    let notice = app.notice(&[]).await;
    let said = app.post("/v1/consents", &act(phone, "opt_in", at, &notice)).await;
    assert_eq!(said.status, StatusCode::CREATED, "{}", said.text);
}

async fn reason(app: &TestApp, phone: &str) -> Value {
    app.sms(phone).await["reason"].clone()
}

fn reassigned(phone: &str) -> Value {
    json!({
        "phone": phone, "suppression": "reassigned", "blocked": true, "occurred_at": "2026-11-10",
    })
}

async fn send(app: &TestApp, query: &str, rows: &[Value]) -> Answer {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let path = format!("/v1/imports/{IMPORT}/rows{query}");
    app.post_text(&path, "application/x-ndjson", lines.join("\n")).await
}

async fn import(app: &TestApp, query: &str, rows: &[Value]) -> Vec<Value> {
    let answer = send(app, query, rows).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.lines()
}

#[tokio::test]
async fn a_reassigned_number_is_reached_again_only_by_what_its_new_holder_agrees_to() {
    let app = TestApp::start().await;
    agree(&app, ADA, "2026-11-10T23:00:00Z").await;
    let told = app.post("/v1/suppressions", &reassigned(ADA)).await;
    assert_eq!(told.status, StatusCode::CREATED, "{}", told.text);
    assert_eq!(
        told.json()["occurred_at"],
        "2026-11-11T11:59:59.999999Z",
        "a day counts to its end, anywhere on Earth"
    );
    assert_eq!(reason(&app, ADA).await, "suppressed");
    let events = app.get("/v1/events?phone=%2B14155552671").await.text;
    app.post("/v1/suppressions", &reassigned(ADA)).await;
    assert_eq!(app.get("/v1/events?phone=%2B14155552671").await.text, events, "told twice");
    agree(&app, ADA, "2026-11-11T12:00:00Z").await;
    assert_eq!(reason(&app, ADA).await, Value::Null);
}

#[tokio::test]
async fn a_reassignment_is_told_whole_and_by_those_who_may() {
    let mut app = TestApp::start().await;
    for (change, pointer) in [
        (json!({ "occurred_at": null }), "/occurred_at"),
        (json!({ "blocked": false }), "/blocked"),
        (json!({ "channel": "sms" }), "/channel"),
        (json!({ "phone": null, "email": "ada@example.org" }), "/phone"),
        (json!({ "suppression": "complaint" }), "/suppression"),
        (json!({ "suppression": "operator" }), "/occurred_at"),
    ] {
        let mut request = reassigned(ADA);
        for (name, value) in change.as_object().unwrap() {
            request[name] = value.clone();
        }
        let answer = app.post("/v1/suppressions", &request).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{change}: {}", answer.text);
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    for (scopes, status) in [
        (&[KeyScope::Write][..], StatusCode::FORBIDDEN),
        (&[KeyScope::Write, KeyScope::Import], StatusCode::CREATED),
        (&[KeyScope::Write, KeyScope::Compliance], StatusCode::CREATED),
    ] {
        app.key = app.make_key("one", scopes, Standing::Act).await;
        assert_eq!(app.post("/v1/suppressions", &reassigned(ADA)).await.status, status);
    }
}

#[tokio::test]
async fn a_list_of_disconnected_numbers_blocks_each_at_its_date() {
    let app = TestApp::start().await;
    agree(&app, ADA, "2026-11-09T12:00:00Z").await;
    agree(&app, BOB, "2026-11-09T12:00:00Z").await;
    let rows = [
        json!({ "line": 1, "phone": ADA, "occurred_at": "2026-11-08" }),
        json!({ "line": 2, "phone": "12" }),
        json!({ "line": 3, "phone": BOB, "occurred_at": "soon" }),
        json!({ "line": 4, "email": "ada@example.org" }),
        json!({ "line": 5, "phone": "+14155552673", "statement": "opt_in", "channel": "sms" }),
    ];
    let preview = import(&app, &format!("{LIST}&preview=true"), &rows).await;
    assert_eq!(preview[0]["outcome"], "would_append");
    assert_eq!(reason(&app, BOB).await, Value::Null, "a preview stores nothing");
    let answers = import(&app, LIST, &rows).await;
    let outcomes: Vec<_> = answers.iter().map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["appended", "rejected", "appended", "rejected", "appended"]);
    assert!(answers[2]["remarks"][0].as_str().unwrap().starts_with("/occurred_at"));
    assert_eq!(answers[1]["errors"][0]["pointer"], "/phone");
    assert_eq!(answers[3]["errors"][0]["pointer"], "/email");
    assert_eq!(reason(&app, ADA).await, Value::Null, "agreed to after its date");
    assert_eq!(reason(&app, BOB).await, "suppressed", "the list's date, where a row has none");
    assert_eq!(reason(&app, "+14155552673").await, "suppressed");
    let again = import(&app, LIST, &rows).await;
    assert_eq!(
        (&again[0]["outcome"], &again[2]["outcome"]),
        (&json!("retried"), &json!("retried"))
    );
    let undone = app.post(&format!("/v1/imports/{IMPORT}/undo"), &Value::Null).await;
    assert_eq!(undone.json()["addresses"], 3, "{}", undone.text);
    assert_eq!(reason(&app, BOB).await, Value::Null);
}

#[tokio::test]
async fn a_list_of_disconnected_numbers_has_a_date_and_one_of_consents_has_none() {
    let app = TestApp::start().await;
    let rows = [json!({ "line": 1, "phone": ADA })];
    let faults = [
        "?list=carrier&kind=disconnected",
        "?list=carrier&date=2026-11-10",
        "?list=carrier&kind=disconnected&date=soon",
    ];
    for query in faults {
        let answer = send(&app, query, &rows).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {}", answer.text);
        assert_eq!(answer.json()["errors"][0]["pointer"], "?date", "{}", answer.text);
    }
    let begin = json!({ "list": "carrier", "kind": "disconnected", "date": "2026-11-10" });
    let begun = app.post("/v1/imports", &begin).await.json();
    let path = begun["rows"].as_str().unwrap();
    assert!(path.ends_with("&kind=disconnected&date=2026-11-11T11%3A59%3A59.999999Z"), "{path}");
    let answer = app.post_text(path, "application/x-ndjson", rows[0].to_string()).await;
    assert_eq!(answer.lines()[0]["outcome"], "appended", "{}", answer.text);
}
