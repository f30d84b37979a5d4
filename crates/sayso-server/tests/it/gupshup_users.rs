//! Gupshup's list of an app's users, imported (rule 16).

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestApp, act};

const LIST: &str = include_str!("data/gupshup-users.json");
const IMPORT: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";
const OPTED_IN: &str = "+14155552671";
const OPTED_OUT: &str = "+14155552672";

async fn import(app: &TestApp, query: &str) -> Vec<Value> {
    let list: Value = serde_json::from_str(LIST).unwrap();
    let users = list["users"].as_array().unwrap().iter().zip(1..);
    let lines: Vec<String> = users
        .map(|(user, line)| {
            let mut user = user.clone();
            user["line"] = line.into();
            user.to_string()
        })
        .collect();
    let path = format!("/v1/imports/{IMPORT}/rows?list=gupshup&format=gupshup-users{query}");
    let answer = app.post_text(&path, "application/x-ndjson", lines.join("\n")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.lines()
}

async fn reason(app: &TestApp, phone: &str) -> Value {
    let question = json!({ "phone": phone, "channel": "whatsapp", "category": "marketing" });
    app.post("/v1/check", &question).await.json()["reason"].clone()
}

#[tokio::test]
async fn each_user_is_taken_or_refused_in_its_place() {
    let app = TestApp::start().await;
    let answers = import(&app, "").await;
    let outcomes: Vec<_> = answers.iter().map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["appended", "appended", "rejected", "repeated", "appended"]);
    let lines: Vec<_> = answers.iter().map(|it| it["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5]);
    assert_eq!(answers[0]["standing"], "report", "nobody knows what was shown to them");
    assert_eq!(answers[2]["errors"][0]["fault"], "the number has too few digits");
    assert_eq!(
        (reason(&app, OPTED_IN).await, reason(&app, OPTED_OUT).await),
        (Value::Null, json!("opted_out"))
    );
    assert_eq!(reason(&app, "+14155552673").await, "no_opt_in");
    let event = app.get("/v1/events?phone=%2B14155552671").await.json()["events"][0].clone();
    assert_eq!(event["occurred_at"], "2025-11-21T10:00:00.123000Z");
    assert_eq!(event["evidence"]["fields"]["source"], "gupshup URL");
    let again = import(&app, "").await;
    assert_eq!(again[0]["outcome"], "retried");
}

#[tokio::test]
async fn a_yes_of_the_list_lifts_no_refusal_and_a_no_refuses_whoever_agreed_before() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    for (phone, statement) in [(OPTED_IN, "opt_out"), (OPTED_OUT, "opt_in")] {
        let mut said = act(phone, statement, "2025-01-01T09:00:00Z", &notice);
        said["channel"] = "whatsapp".into();
        assert_eq!(app.post("/v1/consents", &said).await.status, StatusCode::CREATED);
    }
    assert_eq!(import(&app, "&preview=true").await[0]["outcome"], "would_append");
    import(&app, "").await;
    assert_eq!(reason(&app, OPTED_IN).await, "opted_out");
    assert_eq!(reason(&app, OPTED_OUT).await, "opted_out");
    app.post(&format!("/v1/imports/{IMPORT}/undo"), &Value::Null).await;
    assert_eq!(reason(&app, OPTED_OUT).await, Value::Null);
}
