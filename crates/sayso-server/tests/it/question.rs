//! The opt-in question of a sender (rule 18): asked once at the first message, answered by a yes or a no;
//! silence means nothing.

use axum::http::StatusCode;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::TestApp;

const GRACE: &str = "+14155552672";

struct Shop {
    app: TestApp,
    sender: Value,
    notice: Value,
}

impl Shop {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
        let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
        let notice = app.notice(&[]).await;
        let question = json!({ "text": "May we send you offers?", "yes": "Sure thing", "no": "Rather not", "thanks": "Welcome!", "notice": notice });
        let sender = json!({ "channel": "sms", "name": "Harbour Books", "address": "12345", "connection": connection, "question": question });
        let made = app.post("/v1/senders", &sender).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        assert_eq!(made.json()["question"]["yes"], "Sure thing");
        Self { sender: made.json()["id"].clone(), app, notice }
    }

    async fn says(&self, text: &str) -> Value {
        let message = json!({ "sender": self.sender, "text": text });
        let path = "/v1/sandbox/phone/messages?phone=%2B14155552672";
        self.app.post(path, &message).await.json()
    }

    async fn consent(&self) -> (Value, Value) {
        let ask = json!({ "phone": GRACE, "channel": "sms", "explain": true });
        let answer = self.app.post("/v1/check", &ask).await.json();
        (
            answer["explanation"]["consent"]["status"].clone(),
            answer["explanation"]["consent"]["level"].clone(),
        )
    }

    async fn arrived(&self) -> Vec<Value> {
        self.app.send_due().await;
        let phone = self.app.get("/v1/sandbox/phone?phone=%2B14155552672").await.json();
        phone["messages"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn the_first_message_is_answered_with_the_question_once() {
    let shop = Shop::open().await;
    assert!(shop.says("Hello, are you open?").await["reply"].is_string());
    let arrived = shop.arrived().await;
    assert_eq!(arrived[0]["text"], "May we send you offers?");
    assert_eq!(arrived[0]["buttons"], json!(["Sure thing", "Rather not"]));
    assert!(shop.says("Still there?").await.get("reply").is_none());
    shop.app.advance(Span::days(3));
    assert!(shop.says("Hello again").await.get("reply").is_none());
    assert_eq!(shop.consent().await.0, "never", "silence means nothing");
}

#[tokio::test]
async fn a_yes_is_recorded_with_the_notice_and_is_confirmed() {
    for yes in ["yes", "Sure thing!", "oui"] {
        let shop = Shop::open().await;
        shop.says("Hello").await;
        shop.arrived().await;
        shop.app.advance(Span::minutes(1));
        assert_eq!(shop.says(yes).await["reading"], "yes", "{yes}");
        assert_eq!(shop.consent().await, (json!("opted_in"), json!("confirmed")), "{yes}");
        assert_eq!(shop.arrived().await[0]["text"], "Welcome!");
        let events = shop.app.get("/v1/events?phone=%2B14155552672").await.json();
        assert_eq!(events["events"][0]["evidence"]["notice"]["id"], shop.notice["id"], "{events}");
        assert_eq!(shop.says("yes").await["reading"], "nothing", "it was answered");
    }
}

#[tokio::test]
async fn a_no_is_a_refusal_and_is_confirmed_once() {
    let shop = Shop::open().await;
    shop.says("Hello").await;
    shop.arrived().await;
    shop.app.advance(Span::minutes(1));
    assert_eq!(shop.says("rather not").await["reading"], "no");
    assert_eq!(shop.consent().await.0, "opted_out");
    assert_eq!(shop.arrived().await.len(), 2);
    assert_eq!(shop.says("yes").await["reading"], "nothing", "nothing is open any more");
}

#[tokio::test]
async fn a_yes_to_nothing_or_after_a_week_says_nothing() {
    let shop = Shop::open().await;
    assert_eq!(shop.says("yes").await["reading"], "nothing");
    assert_eq!(shop.consent().await.0, "never");
    shop.arrived().await;
    shop.app.advance(Span::days(7));
    assert_eq!(shop.says("yes").await["reading"], "nothing");
    assert_eq!(shop.consent().await.0, "never");
}

#[tokio::test]
async fn a_yes_written_before_the_question_was_asked_is_no_answer() {
    let shop = Shop::open().await;
    let before = shop.app.now();
    shop.app.advance(Span::minutes(5));
    shop.says("Hello").await;
    shop.arrived().await;
    let late = json!({ "sender": shop.sender, "text": "yes", "occurred_at": before });
    let path = "/v1/sandbox/phone/messages?phone=%2B14155552672";
    assert_eq!(shop.app.post(path, &late).await.json()["reading"], "nothing");
}

#[tokio::test]
async fn who_wrote_a_refusal_or_a_doubtful_text_first_is_not_asked() {
    for text in ["STOP", "why do I get these", "HELP"] {
        let shop = Shop::open().await;
        shop.says(text).await;
        let arrived = shop.arrived().await;
        assert!(arrived.iter().all(|it| it["text"] != "May we send you offers?"), "{arrived:?}");
    }
}

#[tokio::test]
async fn start_of_somebody_who_never_opted_in_is_asked_and_the_answer_counts() {
    let shop = Shop::open().await;
    shop.says("STOP").await;
    shop.app.advance(Span::days(2));
    assert_eq!(shop.says("START").await["reading"], "start");
    assert_eq!(shop.consent().await.0, "pending");
    assert_eq!(shop.arrived().await[0]["text"], "May we send you offers?");
    shop.app.advance(Span::minutes(1));
    shop.says("yes").await;
    assert_eq!(shop.consent().await, (json!("opted_in"), json!("confirmed")));
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_is_refused_with_its_field() {
    let shop = Shop::open().await;
    let put = async |name: &str, value: Value| {
        let mut question = json!({ "text": "May we?", "notice": shop.notice });
        question[name] = value;
        let sender = json!({ "name": "Harbour Books", "address": "12345", "question": question });
        let path = format!("/v1/senders/{}", shop.sender.as_str().unwrap());
        shop.app.call("PUT", &path, &sender).await
    };
    for (name, value, code) in [
        ("text", Value::Null, "missing-field"),
        ("text", json!("x".repeat(1_025)), "invalid-value"),
        ("yes", json!("x".repeat(21)), "invalid-value"),
        ("yes", json!("stop"), "invalid-value"),
        ("yes", json!("🙂"), "invalid-value"),
        ("no", json!("yes"), "invalid-value"),
        ("notice", Value::Null, "missing-field"),
    ] {
        let problem = put(name, value).await.is_problem(code);
        assert_eq!(problem["errors"][0]["pointer"], format!("/question/{name}"), "{problem}");
    }
    assert_eq!(put("no", json!("Non merci")).await.status, StatusCode::OK);
}
