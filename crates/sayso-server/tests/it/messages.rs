//! `/v1/messages`: one gate in front of every send (rules 24 to 28), by the sandbox.

use axum::body::Body;
use axum::http::StatusCode;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, act};

const ADA: &str = "+14155552671";
const BOB: &str = "+14155552672";

/// A server with a sender on SMS and one on WhatsApp, both by simulated phones; Ada agreed to SMS.
async fn shop() -> TestApp {
    let app = TestApp::start().await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    for channel in ["sms", "whatsapp"] {
        let sender = json!({ "channel": channel, "name": "Shop", "address": "12345", "connection": connection });
        assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    }
    agree(&app, ADA).await;
    app
}

async fn agree(app: &TestApp, phone: &str) {
    let notice = app.notice(&[]).await;
    let yes = act(phone, "opt_in", "2026-11-21T09:00:00Z", &notice);
    assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
}

async fn refuse(app: &TestApp, phone: &str) {
    let no =
        json!({ "phone": phone, "channel": "sms", "statement": "opt_out", "standing": "report" });
    assert_eq!(app.post("/v1/consents", &no).await.status, StatusCode::CREATED);
}

fn hello(to: &str) -> Value {
    json!({ "to": to, "channel": "sms", "text": "Hello. STOP ends it." })
}

async fn send(app: &TestApp, message: &Value) -> String {
    let answer = app.post("/v1/messages", message).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert_eq!(answer.json()["state"], "queued");
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn read(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/v1/messages/{id}")).await.json()
}

async fn arrived(app: &TestApp, phone: &str) -> Vec<Value> {
    let phone = phone.replace('+', "%2B");
    let phone = app.get(&format!("/v1/sandbox/phone?phone={phone}")).await.json();
    phone["messages"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_message_to_somebody_who_agreed_arrives_and_shows_every_state_on_its_way() {
    let app = shop().await;
    let id = send(&app, &hello(ADA)).await;
    assert_eq!(app.send_due().await, 1);
    let message = read(&app, &id).await;
    assert_eq!(message["state"], "delivered", "{message}");
    for time in ["queued_at", "decided_at", "began_at", "handed_over_at", "sent_at", "delivered_at"]
    {
        assert!(message[time].is_string(), "{time}: {message}");
    }
    assert_eq!(message["to"]["phone"], ADA);
    assert_eq!(message["decision"]["decision"], "allow");
    assert!(message["decision"]["explanation"]["rests_on"][0]["event"].is_string());
    let arrived = arrived(&app, ADA).await;
    assert_eq!(
        (&arrived[0]["id"], &arrived[0]["text"]),
        (&json!(id), &json!("Hello. STOP ends it."))
    );
    let listed = app.get("/v1/messages?state=delivered").await.json();
    assert_eq!(listed["messages"][0]["id"], json!(id));
    assert_eq!(app.get("/v1/messages?state=failed").await.json()["messages"], json!([]));
}

#[tokio::test]
async fn a_message_that_the_gate_refuses_is_not_queued_and_the_answer_says_why() {
    let app = shop().await;
    refuse(&app, ADA).await;
    let problem = app.post("/v1/messages", &hello(ADA)).await.is_problem("message-not-allowed");
    assert_eq!(problem["decision"]["reasons"], json!(["opted_out"]));
    assert!(problem["decision"]["explanation"]["rests_on"].is_array());
    let stranger = app.post("/v1/messages", &hello(BOB)).await.is_problem("message-not-allowed");
    assert_eq!(stranger["decision"]["reason"], "no_opt_in");
    assert_eq!(app.get("/v1/messages").await.json()["messages"], json!([]));
}

#[tokio::test]
async fn a_refusal_while_the_message_waits_is_obeyed_and_the_decision_of_then_is_kept() {
    let app = shop().await;
    let id = send(&app, &hello(ADA)).await;
    refuse(&app, ADA).await;
    app.advance(Span::seconds(1));
    assert_eq!(app.send_due().await, 0);
    let message = read(&app, &id).await;
    assert_eq!(
        (&message["state"], &message["reasons"]),
        (&json!("refused"), &json!(["opted_out"]))
    );
    assert!(message.get("began_at").is_none() && arrived(&app, ADA).await.is_empty());
    app.advance(Span::hours(1));
    let start = json!({ "phone": ADA, "channel": "sms", "statement": "start", "standing": "act", "method": "keyword", "occurred_at": app.now() });
    app.post("/v1/consents", &start).await;
    let message = read(&app, &id).await;
    assert_eq!(message["decision"]["reasons"], json!(["opted_out"]), "as of then: {message}");
}

async fn keyed(app: &TestApp, key: &str, message: &Value) -> Answer {
    let request = app.request("POST", "/v1/messages").header("content-type", "application/json");
    let request = request.header("idempotency-key", key);
    app.send(request.body(Body::from(message.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_retry_is_the_first_message_also_after_a_refusal() {
    let app = shop().await;
    let first = keyed(&app, "k", &hello(ADA)).await.json();
    app.send_due().await;
    refuse(&app, ADA).await;
    let again = keyed(&app, "k", &hello(ADA)).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "{}", again.text);
    assert_eq!((&again.json()["id"], &again.json()["state"]), (&first["id"], &json!("delivered")));
    let other = json!({ "to": ADA, "channel": "sms", "text": "Something else. STOP ends it." });
    keyed(&app, "k", &other).await.is_problem("idempotency-key-reused");
    assert_eq!(arrived(&app, ADA).await.len(), 1);
}

#[tokio::test]
async fn the_next_channel_is_tried_where_the_first_is_refused() {
    let app = shop().await;
    let message =
        json!({ "to": ADA, "channel": ["whatsapp", "sms"], "text": "Hello. STOP ends it." });
    let id = send(&app, &message).await;
    app.send_due().await;
    let sent = read(&app, &id).await;
    assert_eq!((&sent["channel"], &sent["state"]), (&json!("sms"), &json!("delivered")));
    app.post(
        "/v1/messages",
        &json!({ "to": BOB, "channel": ["whatsapp", "sms"], "text": "Hello. STOP ends it." }),
    )
    .await
    .is_problem("message-not-allowed");
    let twice = json!({ "to": ADA, "channel": ["sms", "sms"], "text": "Hello. STOP ends it." });
    app.post("/v1/messages", &twice).await.is_problem("invalid-value");
    let kinds = json!({ "to": ADA, "channel": ["sms", "email"], "text": "Hello. STOP ends it." });
    app.post("/v1/messages", &kinds).await.is_problem("invalid-value");
}

#[tokio::test]
async fn free_words_on_whatsapp_need_the_window_and_a_template_does_not() {
    let app = shop().await;
    let notice = app.notice(&[]).await;
    let mut yes = act(ADA, "opt_in", "2026-11-21T09:00:00Z", &notice);
    yes["channel"] = json!("whatsapp");
    assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
    let words = json!({ "to": ADA, "channel": "whatsapp", "text": "Hello. STOP ends it." });
    let problem = app.post("/v1/messages", &words).await.is_problem("message-not-allowed");
    assert_eq!(problem["decision"]["reasons"], json!(["outside_window"]));
    let template = json!({ "to": ADA, "channel": "whatsapp", "template": { "name": "hello", "language": "en", "variables": ["Ada"] } });
    send(&app, &template).await;
    app.send_due().await;
    assert_eq!(arrived(&app, ADA).await[0]["text"], "hello Ada");
}

#[tokio::test]
async fn a_person_named_by_your_own_id_is_reached_at_their_one_address() {
    let app = shop().await;
    app.post("/v1/profiles", &json!({ "external_id": "u-1", "phone": ADA })).await;
    let message = json!({ "external_id": "u-1", "channel": "sms", "text": "Hello. STOP ends it." });
    let id = send(&app, &message).await;
    assert_eq!(read(&app, &id).await["to"]["phone"], ADA);
    let unknown = json!({ "external_id": "u-2", "channel": "sms", "text": "Hello. STOP ends it." });
    app.post("/v1/messages", &unknown).await.is_problem("invalid-value");
    let two = json!({ "to": ADA, "phone": BOB, "channel": "sms", "text": "Hello. STOP ends it." });
    app.post("/v1/messages", &two).await.is_problem("one-address-needed");
}

#[tokio::test]
async fn each_behavior_of_a_provider_ends_in_its_state() {
    let app = shop().await;
    let told = async |behavior: &str| {
        let path = "/v1/sandbox/phone?phone=%2B14155552671";
        let told = app.call("PUT", path, &json!({ "behavior": behavior })).await;
        assert_eq!(told.json()["behavior"], behavior, "{}", told.text);
        let id = send(&app, &hello(ADA)).await;
        app.send_due().await;
        read(&app, &id).await
    };
    for (behavior, state, failure) in [
        ("loses", "failed", "sandbox-lost"),
        ("refuses", "failed", "sandbox-refused"),
        ("silent", "unknown", "no_answer"),
    ] {
        let message = told(behavior).await;
        assert_eq!((&message["state"], &message["failure"]), (&json!(state), &json!(failure)));
    }
    let busy = told("busy").await;
    assert_eq!((&busy["state"], busy.get("began_at")), (&json!("queued"), None));
    assert!(arrived(&app, ADA).await.is_empty());
    let path = "/v1/sandbox/phone?phone=%2B14155552671";
    app.call("PUT", path, &json!({ "behavior": "delivers" })).await;
    assert_eq!(app.send_due().await, 0, "not before its time");
    app.advance(Span::seconds(2));
    assert_eq!(app.send_due().await, 1);
    assert_eq!(arrived(&app, ADA).await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_with_the_field_and_what_to_do() {
    let app = shop().await;
    let sender = json!({ "channel": "viber", "name": "Shop", "address": "12345" });
    app.post("/v1/senders", &sender).await;
    let cases = [
        (json!({ "to": ADA, "channel": "sms" }), "missing-field", "/text"),
        (json!({ "to": ADA, "channel": "fax", "text": "a" }), "unknown-channel", "/channel"),
        (json!({ "to": "12", "channel": "sms", "text": "a" }), "invalid-phone", "/to"),
        (json!({ "to": ADA, "channel": "sms", "text": " " }), "invalid-value", "/text"),
        (
            json!({ "to": ADA, "channel": "sms", "text": "a".repeat(1_601) }),
            "text-too-long",
            "/text",
        ),
        (json!({ "to": ADA, "channel": "viber", "text": "a" }), "sender-unconnected", "/sender"),
        (
            json!({ "to": ADA, "channel": "sms", "text": "a", "sender": "snd_01jd6m9k3te5b8r5v3x5y6z7w8" }),
            "unknown-sender",
            "/sender",
        ),
        (
            json!({ "to": ADA, "channel": "sms", "text": "a", "topic": "top_01jd6m9k3te5b8r5v3x5y6z7w8" }),
            "unknown-topic",
            "/topic",
        ),
        (
            json!({ "to": ADA, "channel": "sms", "text": "a", "expires_at": "2026-11-20T00:00:00Z" }),
            "invalid-value",
            "/expires_at",
        ),
        (json!({ "to": ADA, "channel": "sms", "template": {} }), "missing-field", "/template/name"),
    ];
    for (message, code, pointer) in cases {
        let problem = app.post("/v1/messages", &message).await.is_problem(code);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{message}: {problem}");
    }
    app.get("/v1/messages/msg_01jd6m9k3te5b8r5v3x5y6z7w8").await.is_problem("not-found");
}

#[tokio::test]
async fn a_message_that_nobody_could_take_in_its_time_fails() {
    let app = shop().await;
    let id = send(&app, &hello(ADA)).await;
    app.advance(Span::days(2));
    app.send_due().await;
    let message = read(&app, &id).await;
    assert_eq!((&message["state"], &message["failure"]), (&json!("failed"), &json!("expired")));
}

#[tokio::test]
async fn marketing_needs_an_opt_in_and_an_exempt_key_may_send_the_rest_without() {
    let app = shop().await;
    let receipt = json!({ "to": BOB, "channel": "sms", "text": "Paid", "category": "utility", "require_opt_in": false });
    send(&app, &receipt).await;
    let offer = json!({ "to": BOB, "channel": "sms", "text": "Offer", "require_opt_in": false });
    app.post("/v1/messages", &offer).await.is_problem("exemption-for-marketing");
    assert_eq!(app.send_due().await, 1);
    assert_eq!(arrived(&app, BOB).await.len(), 1);
}

#[tokio::test]
async fn a_message_whose_sender_lost_its_connection_ends_at_its_time() {
    let app = shop().await;
    let connections = app.get("/v1/connections").await.json();
    let id = send(&app, &hello(ADA)).await;
    app.delete(&format!(
        "/v1/connections/{}",
        connections["connections"][0]["id"].as_str().unwrap()
    ))
    .await;
    app.send_due().await;
    assert_eq!(read(&app, &id).await["state"], "queued");
    app.advance(Span::days(2));
    app.send_due().await;
    let message = read(&app, &id).await;
    assert_eq!((&message["state"], &message["failure"]), (&json!("failed"), &json!("expired")));
}

#[tokio::test]
async fn a_renamed_sender_keeps_its_connection() {
    let app = shop().await;
    let senders = app.get("/v1/senders").await.json();
    let sender = &senders["senders"][0];
    let path = format!("/v1/senders/{}", sender["id"].as_str().unwrap());
    let renamed =
        app.call("PUT", &path, &json!({ "name": "New", "address": "12345" })).await.json();
    assert_eq!(renamed["connection"], sender["connection"]);
}

#[tokio::test]
async fn a_retry_with_another_end_or_requirement_is_another_request() {
    let app = shop().await;
    keyed(&app, "k", &hello(ADA)).await;
    let mut other = hello(ADA);
    other["require_opt_in"] = json!(true);
    keyed(&app, "k", &other).await.is_problem("idempotency-key-reused");
    let short = json!({ "to": ADA, "channel": "sms", "text": "Soon", "expires_at": "2026-11-21T10:10:00Z" });
    let first = keyed(&app, "s", &short).await.json();
    app.advance(Span::hours(1));
    assert_eq!(keyed(&app, "s", &short).await.json()["id"], first["id"], "also past its time");
}

#[tokio::test]
async fn messages_are_counted_by_their_end_and_those_that_went_without_an_opt_in_apart() {
    let app = shop().await;
    let receipt = |to: &str| json!({ "to": to, "channel": "sms", "text": "Paid", "category": "utility", "require_opt_in": false });
    send(&app, &hello(ADA)).await;
    // Ada agreed: nothing had to be waived for her.
    send(&app, &receipt(ADA)).await;
    let waived = send(&app, &receipt(BOB)).await;
    app.send_due().await;
    let refused = send(&app, &hello(ADA)).await;
    refuse(&app, ADA).await;
    app.send_due().await;
    assert_eq!(read(&app, &refused).await["state"], "refused");
    app.post("/v1/messages", &hello(BOB)).await.is_problem("message-not-allowed");
    let expiring = send(&app, &receipt(BOB)).await;
    app.advance(Span::days(2));
    app.send_due().await;
    assert_eq!(read(&app, &expiring).await["state"], "failed");
    assert_eq!(read(&app, &waived).await["decision"]["waived"], json!(["no_opt_in"]));
    let metrics = app.metrics().await;
    for line in [
        r#"sayso_messages_total{end="handed_over"} 3"#,
        r#"sayso_messages_total{end="failed"} 1"#,
        r#"sayso_messages_total{end="unknown"} 0"#,
        r#"sayso_messages_total{end="refused"} 2"#,
        r#"sayso_messages_refused_total{reason="opted_out"} 1"#,
        r#"sayso_messages_refused_total{reason="no_opt_in"} 1"#,
        "sayso_messages_exempt_total 1",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line}: {metrics}");
    }
}
