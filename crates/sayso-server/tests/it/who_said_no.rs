//! "Who had said no by the end of March, when, and how do we know?" has one answer.

use axum::http::StatusCode;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::{TestApp, act};

const ADA: &str = "+14155550101";
const BOB: &str = "+14155550102";
const EVE: &str = "+14155550103";

async fn record(app: &TestApp, consent: &Value) -> String {
    let answer = app.post("/v1/consents", consent).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json()["event"]["id"].as_str().unwrap().to_owned()
}

fn refusal(phone: &str, standing: &str, method: &str) -> Value {
    json!({ "phone": phone, "channel": "sms", "statement": "opt_out", "standing": standing,
        "method": method })
}

async fn who(app: &TestApp, more: &str) -> Vec<Value> {
    let answer = app.get(&format!("/v1/consents?channel=sms&status=opted_out{more}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.lines()
}

fn of<'a>(lines: &'a [Value], phone: &str) -> Option<&'a Value> {
    lines.iter().find(|line| line["phone"] == phone)
}

#[tokio::test]
async fn who_said_no_when_and_how_as_of_a_day_is_one_question() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let first = record(&app, &refusal(ADA, "act", "phone call")).await;
    let claimed = record(&app, &refusal(BOB, "report", "old list")).await;
    app.advance(Span::days(1));
    let then = app.now();
    app.advance(Span::days(1));
    let yes = act(ADA, "opt_in", &app.now(), &notice);
    record(&app, &yes).await;
    let late = record(&app, &refusal(EVE, "act", "letter")).await;

    let as_of = who(&app, &format!("&as_of={then}&explain=true")).await;
    assert_eq!(as_of.len(), 2, "{as_of:?}");
    let ada = of(&as_of, ADA).unwrap();
    assert_eq!((&ada["status"], &ada["basis"]["event"]), (&json!("opted_out"), &json!(first)));
    assert_eq!(ada["basis"]["method"], "phone call");
    assert_eq!(ada["basis"]["standing"], "act");
    assert_eq!(ada["basis"]["road"], "api");
    assert!(ada["since"].as_str().unwrap() < then.as_str());
    let bob = of(&as_of, BOB).unwrap();
    assert_eq!(
        (&bob["basis"]["event"], &bob["basis"]["standing"]),
        (&json!(claimed), &json!("report"))
    );

    let now = who(&app, "&explain=true").await;
    assert!(of(&now, ADA).is_none(), "she agreed since: {now:?}");
    assert_eq!(of(&now, EVE).unwrap()["basis"]["event"], json!(late));
    assert_eq!(of(&now, EVE).unwrap()["basis"]["method"], "letter");
}

#[tokio::test]
async fn what_was_true_then_counts_a_refusal_that_became_known_later() {
    let app = TestApp::start().await;
    let no = json!({ "phone": ADA, "channel": "sms", "statement": "opt_out", "standing": "act",
        "method": "letter", "occurred_at": "2026-03-12T10:00:00Z" });
    record(&app, &no).await;
    let true_then = who(&app, "&effective_at=2026-04-01T00:00:00Z&explain=true").await;
    let ada = of(&true_then, ADA).unwrap();
    assert!(ada["since"].as_str().unwrap().starts_with("2026-03-12T10:00:00"), "{ada}");
    assert!(ada["basis"]["recorded_at"].as_str().unwrap().starts_with("2026-11-21"));
    let known_then = who(&app, "&as_of=2026-04-01T00:00:00Z&explain=true").await;
    assert!(known_then.is_empty(), "{known_then:?}");
    let before = who(&app, "&effective_at=2026-03-11T00:00:00Z&explain=true").await;
    assert!(before.is_empty(), "{before:?}");
}

#[tokio::test]
async fn without_explain_a_line_is_an_address_and_no_more() {
    let app = TestApp::start().await;
    record(&app, &refusal(ADA, "act", "phone call")).await;
    assert_eq!(who(&app, "").await, [json!({ "phone": ADA })]);
    assert_eq!(who(&app, "&explain=false").await, [json!({ "phone": ADA })]);
    app.get("/v1/consents?channel=sms&explain=perhaps").await.is_problem("wrong-type");
}

#[tokio::test]
async fn a_refused_topic_and_an_opt_in_are_explained_as_well() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    record(&app, &act(ADA, "opt_in", "2026-11-20T10:00:00Z", &notice)).await;
    let topic = app.post("/v1/topics", &json!({ "name": "News", "category": "marketing" })).await;
    let scope = format!("topic:{}", topic.json()["id"].as_str().unwrap());
    let no = json!({ "phone": ADA, "channel": "sms", "statement": "opt_out", "standing": "act",
        "scope": scope });
    let refused = record(&app, &no).await;
    let lines = who(&app, &format!("&scope={scope}&explain=true")).await;
    assert_eq!(of(&lines, ADA).unwrap()["basis"]["event"], json!(refused));
    let opted_in = app.get("/v1/consents?channel=sms&explain=true").await.lines();
    let ada = of(&opted_in, ADA).unwrap();
    assert_eq!((&ada["status"], &ada["basis"]["method"]), (&json!("opted_in"), &json!("checkbox")));
    assert!(ada["basis"]["notice"]["id"].is_string(), "{ada}");
}
