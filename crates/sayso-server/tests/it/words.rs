//! What people write is understood and obeyed (rules 18, 19, 21), on a simulated phone.

use axum::http::StatusCode;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::{TestApp, act};

const ADA: &str = "+14155552671";
const PHONE: &str = "/v1/sandbox/phone?phone=%2B14155552671";

/// A server with a sender on SMS by simulated phones; Ada agreed to its messages.
struct Shop {
    app: TestApp,
    sender: Value,
}

impl Shop {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
        let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
        let sender = json!({ "channel": "sms", "name": "Harbour Books", "address": "12345", "connection": connection });
        let sender = app.post("/v1/senders", &sender).await.json()["id"].clone();
        let notice = app.notice(&[]).await;
        let yes = act(ADA, "opt_in", "2026-11-21T09:00:00Z", &notice);
        assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
        Self { app, sender }
    }

    async fn write(&self, message: &Value) -> Value {
        let mut message = message.clone();
        message["sender"] = self.sender.clone();
        let path = "/v1/sandbox/phone/messages?phone=%2B14155552671";
        let answer = self.app.post(path, &message).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()
    }

    async fn says(&self, text: &str) -> Value {
        self.write(&json!({ "text": text })).await
    }

    async fn reason(&self) -> Value {
        self.app.sms(ADA).await["reason"].clone()
    }

    async fn events(&self) -> usize {
        let page = self.app.get("/v1/events?phone=%2B14155552671&limit=500").await.json();
        page["events"].as_array().unwrap().len()
    }

    async fn arrived(&self) -> Vec<String> {
        self.app.send_due().await;
        let phone = self.app.get(PHONE).await.json();
        let messages = phone["messages"].as_array().unwrap().iter();
        messages.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_stop_is_obeyed_by_the_next_send_and_confirmed_once() {
    let shop = Shop::open().await;
    let hello = json!({ "to": ADA, "channel": "sms", "text": "Hello. STOP ends it." });
    assert_eq!(shop.app.post("/v1/messages", &hello).await.status, StatusCode::ACCEPTED);
    let heard = shop.says("Stop. Thank you!").await;
    assert_eq!((&heard["reading"], &heard["because"]), (&json!("stop"), &json!("courtesy")));
    assert!(heard["reply"].is_string());
    assert_eq!(shop.reason().await, "opted_out");
    shop.app.post("/v1/messages", &hello).await.is_problem("message-not-allowed");
    let arrived = shop.arrived().await;
    assert_eq!(arrived.len(), 1, "the confirmation, and not what waited: {arrived:?}");
    assert!(arrived[0].starts_with("Harbour Books: you will get no more messages"));
    assert!(shop.says("STOP").await.get("reply").is_none(), "one a day");
    shop.app.advance(Span::hours(25));
    assert!(shop.says("STOP").await["reply"].is_string());
}

#[tokio::test]
async fn the_same_message_again_records_and_answers_nothing() {
    let shop = Shop::open().await;
    let stop = json!({ "text": "STOP", "message_id": "m-1" });
    assert!(shop.write(&stop).await["reply"].is_string());
    let events = shop.events().await;
    shop.app.advance(Span::hours(30));
    assert!(shop.write(&stop).await.get("reply").is_none());
    assert_eq!(shop.events().await, events);
}

#[tokio::test]
async fn start_lifts_a_stop_and_a_late_stop_of_before_changes_nothing() {
    let shop = Shop::open().await;
    shop.says("STOP").await;
    shop.app.advance(Span::minutes(1));
    assert_eq!(shop.says("START").await["reading"], "start");
    assert_eq!(shop.reason().await, Value::Null);
    let late = json!({ "text": "STOP", "occurred_at": "2026-11-21T09:30:00Z" });
    shop.write(&late).await;
    assert_eq!(shop.reason().await, Value::Null, "it is older than the start");
}

#[tokio::test]
async fn a_refusal_that_comes_late_is_obeyed_and_not_confirmed() {
    let shop = Shop::open().await;
    shop.app.advance(Span::minutes(10));
    let late = json!({ "text": "STOP", "occurred_at": "2026-11-21T09:30:00Z" });
    assert!(shop.write(&late).await.get("reply").is_none());
    assert_eq!(shop.reason().await, "opted_out");
}

#[tokio::test]
async fn words_dated_in_the_future_start_nothing_and_stop_at_once() {
    let shop = Shop::open().await;
    shop.says("STOP").await;
    let later = |text: &str| json!({ "text": text, "occurred_at": "2026-12-24T12:00:00Z" });
    shop.write(&later("START")).await;
    assert_eq!(shop.reason().await, "opted_out");
    shop.app.advance(Span::minutes(1));
    shop.says("START").await;
    assert_eq!(shop.reason().await, Value::Null);
    shop.app.advance(Span::minutes(1));
    shop.write(&later("STOP")).await;
    assert_eq!(shop.reason().await, "opted_out");
}

#[tokio::test]
async fn unclear_words_hold_marketing_and_ordinary_words_do_nothing() {
    let shop = Shop::open().await;
    for text in ["What time do you open?", "please don't stop", "cancel my order"] {
        let heard = shop.says(text).await;
        assert_eq!(heard["reading"], "nothing", "{text}");
        assert!(heard.get("reply").is_none());
    }
    assert_eq!(shop.reason().await, Value::Null);
    assert_eq!(shop.says("why do I get these").await["reading"], "unclear");
    assert_eq!(shop.reason().await, "under_review");
}

#[tokio::test]
async fn a_stop_with_the_name_of_a_topic_leaves_that_topic() {
    let shop = Shop::open().await;
    let topic = |name: &str| json!({ "name": name, "category": "marketing" });
    let offers = shop.app.post("/v1/topics", &topic("OFFERS")).await.json()["id"].clone();
    let news = shop.app.post("/v1/topics", &topic("NEWS")).await.json()["id"].clone();
    assert_eq!(shop.says("STOP OFFERS").await["reading"], "stop_topic");
    let about = async |topic: &Value| {
        let ask = json!({ "phone": ADA, "channel": "sms", "topic": topic });
        shop.app.post("/v1/check", &ask).await.json()["decision"].clone()
    };
    assert_eq!((about(&offers).await, about(&news).await), (json!("deny"), json!("allow")));
    assert!(shop.arrived().await[0].contains("no more messages about OFFERS"));
}

#[tokio::test]
async fn a_topic_is_left_by_its_code() {
    let shop = Shop::open().await;
    let topic =
        |code: &str| json!({ "name": "Weekly offers", "category": "marketing", "code": code });
    assert_eq!(shop.app.post("/v1/topics", &topic("12345")).await.json()["code"], "12345");
    assert_eq!(shop.says("STOP 12345").await["reading"], "stop_topic");
    for (code, fault) in
        [("all", "already has a meaning"), ("!", "has no letter"), ("12345", "leaves another")]
    {
        let problem = shop.app.post("/v1/topics", &topic(code)).await.is_problem("invalid-value");
        assert_eq!(problem["errors"][0]["pointer"], "/code");
        assert!(problem["errors"][0]["fault"].as_str().unwrap().contains(fault), "{problem}");
    }
}

#[tokio::test]
async fn whoever_writes_is_active_for_24_hours_on_that_sender_and_opts_into_nothing() {
    let shop = Shop::open().await;
    shop.says("Hello there").await;
    let activity = async || {
        let profile = shop.app.get("/v1/events?phone=%2B14155552671").await.json();
        profile["events"].as_array().unwrap().len()
    };
    assert_eq!(activity().await, 2, "the opt-in and the message");
    let service = async || {
        let ask =
            json!({ "phone": ADA, "channel": "sms", "category": "service", "sender": shop.sender });
        shop.app.post("/v1/check", &ask).await.json()["decision"].clone()
    };
    assert_eq!(service().await, "allow");
    let help = shop.says("HELP").await;
    assert!(help["reply"].is_string());
    assert!(shop.arrived().await[0].contains("reply STOP"));
}

#[tokio::test]
async fn a_message_to_nobody_of_ours_is_refused_with_the_field() {
    let shop = Shop::open().await;
    let path = "/v1/sandbox/phone/messages?phone=%2B14155552671";
    let stranger = json!({ "sender": "snd_01jd6m9k3te5b8r5v3x5y6z7w8", "text": "STOP" });
    shop.app.post(path, &stranger).await.is_problem("sender-unconnected");
    shop.app.post(path, &json!({ "text": "STOP" })).await.is_problem("missing-field");
    let deleted = shop.sender.as_str().unwrap();
    assert_eq!(shop.app.delete(&format!("/v1/senders/{deleted}")).await.status, StatusCode::OK);
    let gone = json!({ "sender": deleted, "text": "STOP" });
    shop.app.post(path, &gone).await.is_problem("sender-unconnected");
}

#[tokio::test]
async fn an_unclear_text_waits_until_somebody_decides_what_it_means() {
    let shop = Shop::open().await;
    let reviews = async || shop.app.get("/v1/reviews?channel=sms").await.json()["reviews"].clone();
    assert_eq!(reviews().await, json!([]));
    for (decision, reason) in [("nothing", Value::Null), ("opt_out", json!("opted_out"))] {
        shop.says("why do I get these").await;
        assert_eq!(shop.reason().await, "under_review");
        let waiting = reviews().await;
        let review = &waiting[0];
        assert_eq!(
            (&review["text"], &review["address"]["phone"]),
            (&json!("why do I get these"), &json!(ADA))
        );
        let path = format!("/v1/reviews/{}/decision", review["id"].as_str().unwrap());
        let body = json!({ "phone": ADA, "decision": decision });
        let decided = shop.app.post(&path, &body).await;
        assert_eq!(decided.status, StatusCode::OK, "{}", decided.text);
        assert_eq!(decided.json()["refusal"].is_string(), decision == "opt_out");
        assert_eq!(shop.reason().await, reason, "{decision}");
        assert_eq!(reviews().await, json!([]));
        shop.app.advance(Span::minutes(1));
    }
    let nobody = "/v1/reviews/evt_01jd6m9k3te5b8r5v3x5y6z7w8/decision";
    let body = json!({ "phone": ADA, "decision": "nothing" });
    shop.app.post(nobody, &body).await.is_problem("not-found");
    shop.app
        .post(nobody, &json!({ "phone": ADA, "decision": "yes" }))
        .await
        .is_problem("unknown-word");
}

#[tokio::test]
async fn what_the_shop_is_called_is_known_as_soon_as_it_is_called_so() {
    let shop = Shop::open().await;
    let read = async |text: &str| shop.says(text).await["reading"].clone();
    assert_ne!(read("Stop Harbor Lights").await, "stop");
    let path = format!("/v1/senders/{}", shop.sender.as_str().unwrap());
    let senders = shop.app.get("/v1/senders").await.json();
    let connection = &senders["senders"][0]["connection"];
    let named = json!({ "name": "Harbor Lights", "address": "12345", "connection": connection });
    let renamed = shop.app.call("PUT", &path, &named).await;
    assert_eq!(renamed.status, StatusCode::OK, "{}", renamed.text);
    assert_eq!(read("Stop Harbor Lights").await, "stop");
}

#[tokio::test]
async fn what_people_write_is_timed_from_its_receipt_until_the_gate_knows_where_it_refuses() {
    let shop = Shop::open().await;
    let is_timed = async || shop.app.metrics().await.contains("sayso_refusal_seconds_count 1\n");
    shop.says("How are you?").await;
    assert!(!is_timed().await);
    shop.says("Stop").await;
    assert!(is_timed().await);
}
