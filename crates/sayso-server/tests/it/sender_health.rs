//! How a sender stands, what moves it, and what goes meanwhile.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::faulty::Fault;
use crate::support::provider::{HOOK_TOKEN, Says, Shop, credentials, meta_signature};
use crate::support::{Answer, TestApp, act};

const ADA: &str = "+14155552671";
const BOB: &str = "+14155552672";

/// When the tests begin, as Meta counts: seconds since 1970.
const START: i64 = 1_795_255_200;

async fn told(app: &TestApp, connection: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let request = Request::builder()
        .method("POST")
        .uri(format!("/hooks/{connection}"))
        .header("x-hub-signature-256", meta_signature(&body));
    app.send(request.body(Body::from(body)).unwrap()).await
}

fn change(field: &str, value: &Value, time: i64) -> Value {
    let changes = json!([{ "field": field, "value": value }]);
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "time": time, "changes": changes }] })
}

fn quality(event: &str, time: i64) -> Value {
    let value = json!({ "display_phone_number": "15550100900", "event": event, "current_limit": "TIER_10K" });
    change("phone_number_quality_update", &value, time)
}

async fn meta_tells(shop: &Shop, body: &Value) {
    let answer = told(&shop.app, &shop.connection, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

async fn sender_id(app: &TestApp) -> String {
    let senders = app.get("/v1/senders").await.json();
    senders["senders"][0]["id"].as_str().unwrap().to_owned()
}

async fn sender(shop: &Shop) -> Value {
    let id = sender_id(&shop.app).await;
    shop.app.get(&format!("/v1/senders/{id}")).await.json()
}

async fn operator(shop: &Shop, word: &str) -> Value {
    let id = sender_id(&shop.app).await;
    let reason = json!({ "reason": "the list was wrong" });
    let answer = shop.app.post(&format!("/v1/senders/{id}/{word}"), &reason).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

async fn check(shop: &Shop, category: &str) -> Value {
    let ask = json!({ "phone": ADA, "channel": shop.channel, "category": category });
    shop.app.post("/v1/check", &ask).await.json()
}

/// A message that is of use for a week.
fn patient(shop: &Shop, to: &str) -> Value {
    let mut message = shop.message(to);
    message["expires_at"] = "2026-11-28T10:00:00Z".into();
    message
}

fn error(code: u32) -> Says {
    let error = json!({ "error": { "message": "No", "code": code } });
    Says::Answer(400, error.to_string())
}

fn accepted() -> Says {
    Says::Answer(200, json!({ "messages": [{ "id": "wamid.1" }] }).to_string())
}

#[tokio::test]
async fn a_flagged_number_rests_marketing_until_it_is_unflagged_and_says_what_moved_it() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    let green = sender(&shop).await;
    assert_eq!((&green["level"], &green["health"]["since"]), (&json!("green"), &Value::Null));
    meta_tells(&shop, &quality("FLAGGED", START - 20)).await;
    let red = sender(&shop).await;
    assert_eq!(red["health"]["level"], "red", "{red}");
    assert_eq!(red["health"]["because"][0]["words"], "FLAGGED");
    assert_eq!(red["health"]["because"][0]["number"], "15550100900");
    assert_eq!(red["health"]["since"], "2026-11-21T09:59:40.999999Z");
    assert_eq!(shop.app.get("/v1/senders").await.json()["senders"][0]["level"], "red");
    assert_eq!(check(&shop, "marketing").await["reason"], "sender_paused");
    assert_eq!(check(&shop, "utility").await["decision"], "allow");
    let metrics = shop.app.metrics().await;
    assert!(metrics.contains("sayso_senders{level=\"red\"} 1"), "{metrics}");
    assert!(metrics.contains("sayso_senders{level=\"green\"} 0"), "{metrics}");
    meta_tells(&shop, &quality("FLAGGED", START - 20)).await;
    assert_eq!(sender(&shop).await["history"], red["history"], "a replay is no news");
    meta_tells(&shop, &quality("UNFLAGGED", START - 10)).await;
    assert_eq!(check(&shop, "marketing").await["decision"], "allow");
    let history = sender(&shop).await["history"].clone();
    let says: Vec<&Value> = history.as_array().unwrap().iter().map(|it| &it["says"]).collect();
    assert_eq!(says, ["green", "red"]);
}

#[tokio::test]
async fn signals_that_come_in_the_wrong_order_fold_as_they_happened() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    meta_tells(&shop, &quality("UNFLAGGED", START - 10)).await;
    meta_tells(&shop, &quality("FLAGGED", START - 20)).await;
    assert_eq!(sender(&shop).await["level"], "green");
    let then =
        json!({ "phone": ADA, "channel": "whatsapp", "effective_at": "2026-11-21T09:59:45Z" });
    assert_eq!(shop.app.post("/v1/check", &then).await.json()["reason"], "sender_paused");
}

#[tokio::test]
async fn a_provider_hears_of_success_only_once_its_signal_is_durable() {
    let (app, store) = TestApp::faulty().await;
    let account =
        json!({ "name": "Account", "provider": "meta", "credentials": credentials("meta") });
    let connection = app.post("/v1/connections", &account).await.json()["id"].clone();
    let number = json!({ "channel": "whatsapp", "name": "Shop", "address": "106540352242922", "connection": connection });
    app.post("/v1/senders", &number).await;
    let connection = connection.as_str().unwrap();
    store.fail(Fault::Unwritable);
    let answer = told(&app, connection, &quality("FLAGGED", START)).await;
    assert!(answer.status.is_server_error(), "{}", answer.text);
    store.heal();
    assert_eq!(app.get("/v1/senders").await.json()["senders"][0]["level"], "green");
    assert_eq!(told(&app, connection, &quality("FLAGGED", START)).await.status, StatusCode::OK);
    assert_eq!(app.get("/v1/senders").await.json()["senders"][0]["level"], "red");
}

#[tokio::test]
async fn a_restriction_ends_when_the_platform_says() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    let value = json!({
        "event": "ACCOUNT_RESTRICTION",
        "restriction_info": [{ "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": START + 3_600 }],
    });
    meta_tells(&shop, &change("account_update", &value, START)).await;
    let refused = check(&shop, "marketing").await;
    assert_eq!(refused["reason"], "sender_paused");
    assert_eq!(refused["retry_at"], "2026-11-21T11:00:00.999999Z", "{refused}");
    assert_eq!(sender(&shop).await["health"]["retry_at"], refused["retry_at"]);
    shop.app.advance(Span::minutes(61));
    assert_eq!(check(&shop, "marketing").await["decision"], "allow");
}

#[tokio::test]
async fn a_refusal_because_of_spam_reports_rests_marketing_for_a_day_and_the_message_waits() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    shop.provider.tell(error(131_048));
    let id = shop.queue(&patient(&shop, ADA)).await;
    shop.app.send_due().await;
    let health = sender(&shop).await["health"].clone();
    assert_eq!(
        (&health["level"], &health["because"][0]["cause"]),
        (&json!("red"), &json!("spam_limit"))
    );
    let refused = shop.app.post("/v1/messages", &patient(&shop, ADA)).await;
    let decision = refused.is_problem("message-not-allowed")["decision"].clone();
    assert_eq!(decision["reasons"], json!(["sender_paused"]));
    assert_eq!(decision["retry_at"], health["retry_at"]);
    shop.provider.seen();
    shop.app.advance(Span::hours(2));
    shop.app.send_due().await;
    let waiting = shop.read(&id).await;
    assert_eq!(
        (&waiting["state"], &waiting["reasons"]),
        (&json!("queued"), &json!(["sender_paused"]))
    );
    assert!(shop.provider.seen().is_empty());
    shop.provider.tell(accepted());
    shop.app.advance(Span::hours(23));
    shop.app.send_due().await;
    assert_eq!(shop.read(&id).await["state"], "handed_over");
}

#[tokio::test]
async fn what_a_report_says_of_the_sender_counts_as_if_it_was_said_at_once() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    assert_eq!(shop.send(ADA, accepted()).await["state"], "handed_over");
    let status = json!({ "id": "wamid.1", "status": "failed", "timestamp": (START - 2).to_string(), "recipient_id": "14155552671", "errors": [{ "code": 131_048, "title": "Spam rate limit hit" }] });
    let metadata =
        json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
    let value =
        json!({ "messaging_product": "whatsapp", "metadata": metadata, "statuses": [status] });
    meta_tells(&shop, &change("messages", &value, START)).await;
    let health = sender(&shop).await["health"].clone();
    assert_eq!(
        (&health["level"], &health["because"][0]["words"]),
        (&json!("red"), &json!("provider's code 131048"))
    );
    assert!(health["rests_until"].is_string(), "{health}");
    assert_eq!(check(&shop, "marketing").await["reason"], "sender_paused");
}

#[tokio::test]
async fn an_account_that_is_refused_is_blocked_for_an_hour_and_nothing_goes() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    let failed = shop.send(ADA, error(131_031)).await;
    assert_eq!((&failed["state"], &failed["failure"]), (&json!("failed"), &json!("131031")));
    assert_eq!(sender(&shop).await["level"], "blocked");
    assert_eq!(check(&shop, "utility").await["reason"], "sender_paused");
    shop.app.advance(Span::minutes(61));
    assert_eq!(check(&shop, "utility").await["decision"], "allow");
}

#[tokio::test]
async fn a_paused_sender_sends_the_confirmation_of_a_refusal_alone() {
    let app = TestApp::start().await;
    let connection = json!({ "name": "Phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    let number =
        json!({ "channel": "sms", "name": "Shop", "address": "12345", "connection": connection });
    let id = app.post("/v1/senders", &number).await.json()["id"].clone();
    let path = format!("/v1/senders/{}", id.as_str().unwrap());
    let notice = app.notice(&[]).await;
    for phone in [ADA, BOB] {
        app.post("/v1/consents", &act(phone, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    }
    let message = json!({ "to": ADA, "channel": "sms", "text": "Hello. STOP ends it." });
    let queued = app.post("/v1/messages", &message).await.json()["id"].clone();
    let queued = format!("/v1/messages/{}", queued.as_str().unwrap());
    let nameless = app.post(&format!("{path}/pause"), &json!({})).await;
    assert_eq!(nameless.is_problem("missing-field")["errors"][0]["pointer"], "/reason");
    let unknown = "/v1/senders/snd_01jd6m9k3te5b8r5v3x5y6z7w8/pause";
    app.post(unknown, &json!({ "reason": "why" })).await.is_problem("not-found");
    let paused =
        app.post(&format!("{path}/pause"), &json!({ "reason": "wrong list" })).await.json();
    assert_eq!((&paused["paused"], &paused["level"]), (&json!(true), &json!("green")));
    assert_eq!(paused["health"]["because"][0]["words"], "wrong list");
    assert_eq!(app.sms(ADA).await["reason"], "sender_paused");
    app.post("/v1/messages", &message).await.is_problem("message-not-allowed");
    let stop = json!({ "sender": id, "text": "STOP" });
    app.post("/v1/sandbox/phone/messages?phone=%2B14155552672", &stop).await;
    app.send_due().await;
    let bob = app.get("/v1/sandbox/phone?phone=%2B14155552672").await.json();
    assert!(bob["messages"][0]["text"].as_str().unwrap().contains("no more messages"), "{bob}");
    assert_eq!(app.get(&queued).await.json()["state"], "queued");
    app.post(&format!("{path}/resume"), &json!({ "reason": "mended" })).await;
    app.send_due().await;
    assert_eq!(app.get(&queued).await.json()["state"], "delivered");
}

#[tokio::test]
async fn a_message_that_waits_for_its_sender_longer_than_it_is_of_use_fails() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    let id = shop.queue(&shop.message(ADA)).await;
    operator(&shop, "pause").await;
    shop.app.send_due().await;
    shop.app.advance(Span::hours(25));
    shop.app.send_due().await;
    let message = shop.read(&id).await;
    assert_eq!((&message["state"], &message["failure"]), (&json!("failed"), &json!("expired")));
    assert!(shop.provider.seen().is_empty());
}

#[tokio::test]
async fn a_provider_that_asks_for_patience_rests_the_whole_sender_ever_longer() {
    for (provider, refusal) in [
        ("meta", error(130_429)),
        ("meta", error(80_007)),
        ("twilio", Says::Answer(429, json!({ "code": 20_429, "status": 429 }).to_string())),
        ("kannel", Says::Answer(503, "Temporal failure, try again later.".into())),
    ] {
        let shop = Shop::at(provider).await;
        shop.agree(ADA).await;
        shop.agree(BOB).await;
        shop.provider.tell(refusal.clone());
        shop.queue(&shop.message(ADA)).await;
        shop.app.send_due().await;
        assert!(sender(&shop).await["health"]["rests_until"].is_string(), "{provider}");
        shop.queue(&shop.message(BOB)).await;
        shop.provider.seen();
        shop.app.send_due().await;
        assert!(shop.provider.seen().is_empty(), "{provider}: Bob's waits too");
        for _ in 0..2 {
            shop.provider.tell(refusal.clone());
        }
        shop.app.advance(Span::seconds(1));
        shop.app.send_due().await;
        assert!(!shop.provider.seen().is_empty(), "{provider}");
        shop.app.advance(Span::seconds(1));
        shop.app.send_due().await;
        assert!(shop.provider.seen().is_empty(), "{provider}: the second rest is longer");
        shop.app.advance(Span::seconds(2));
        shop.app.send_due().await;
        assert!(!shop.provider.seen().is_empty(), "{provider}");
    }
}

#[tokio::test]
async fn the_limit_of_one_person_rests_nobody_else() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    shop.agree(BOB).await;
    let waiting = shop.send(ADA, error(131_056)).await;
    assert_eq!(waiting["state"], "queued");
    assert_eq!(sender(&shop).await["health"]["rests_until"], Value::Null);
    assert_eq!(shop.send(BOB, accepted()).await["state"], "handed_over");
}

#[tokio::test]
async fn too_many_refusals_of_a_days_messages_rest_marketing() {
    let shop = Shop::at("kannel").await;
    let people: Vec<String> = (0..200).map(|n| format!("+1415555{:04}", 2_000 + n)).collect();
    let notice = shop.app.notice(&[]).await;
    for phone in &people {
        let yes = act(phone, "opt_in", "2026-11-21T09:00:00Z", &notice);
        shop.app.post("/v1/consents", &yes).await;
        shop.provider.tell(Says::Answer(202, "0: Accepted for delivery".into()));
        shop.queue(&shop.message(phone)).await;
    }
    shop.app.send_due().await;
    for (n, phone) in people.iter().enumerate().take(10) {
        let level = sender(&shop).await["level"].clone();
        let expected = if n < 4 { "green" } else { "yellow" };
        assert_eq!(level, expected, "after {n} refusals");
        let from = phone.replace('+', "%2B");
        let path = format!(
            "/hooks/{}?token={HOOK_TOKEN}&from={from}&to=%2B15550100900&ts={}&id=k-{n}&text=STOP&charset=UTF-8&smsc=a&account=",
            shop.connection,
            START - 1
        );
        // Told twice, counted once.
        for _ in 0..2 {
            let request = Request::builder().uri(&path).body(Body::empty()).unwrap();
            assert_eq!(shop.app.send(request).await.status, StatusCode::OK);
        }
    }
    let red = sender(&shop).await["health"].clone();
    assert_eq!(red["level"], "red", "{red}");
    assert_eq!(red["because"][0]["cause"], "refusals");
    assert_eq!(red["because"][0]["words"], "10 of 200 in a day");
    let ask = json!({ "phone": people[50], "channel": "sms" });
    let answer = shop.app.post("/v1/check", &ask).await.json();
    assert_eq!(
        (&answer["reason"], &answer["retry_at"]),
        (&json!("sender_paused"), &red["retry_at"])
    );
    operator(&shop, "resume").await;
    assert_eq!(sender(&shop).await["level"], "red", "what ends by itself stands until then");
}

#[tokio::test]
async fn a_template_that_the_platform_calls_marketing_needs_the_consent_of_marketing() {
    let shop = Shop::at("meta").await;
    let notice = shop.app.notice(&[]).await;
    let mut yes = act(ADA, "opt_in", "2026-11-21T09:00:00Z", &notice);
    yes["channel"] = "whatsapp".into();
    yes["scope"] = "category:utility".into();
    let recorded = shop.app.post("/v1/consents", &yes).await;
    assert_eq!(recorded.status, StatusCode::CREATED, "{}", recorded.text);
    let mut receipt = shop.message(ADA);
    receipt["category"] = "utility".into();
    let id = shop.queue(&receipt).await;
    let moved = |category: &str, time| {
        let value = json!({ "message_template_id": 7, "message_template_name": "offer", "message_template_language": "en_US", "previous_category": "UTILITY", "new_category": category });
        change("template_category_update", &value, time)
    };
    meta_tells(&shop, &moved("MARKETING", START - 5)).await;
    let refused = shop.app.post("/v1/messages", &receipt).await;
    let decision = refused.is_problem("message-not-allowed")["decision"].clone();
    assert_eq!(decision["reason"], "category_not_covered", "{decision}");
    shop.app.send_due().await;
    let message = shop.read(&id).await;
    assert_eq!((&message["state"], &message["category"]), (&json!("refused"), &json!("utility")));
    assert_eq!(message["template_category"], "marketing");
    assert_eq!(message["decision"]["reason"], "category_not_covered");
    assert!(shop.provider.seen().is_empty());
    let mut german = receipt.clone();
    german["template"]["language"] = "de".into();
    shop.queue(&german).await;
    meta_tells(&shop, &moved("UTILITY", START - 9)).await;
    shop.app.post("/v1/messages", &receipt).await.is_problem("message-not-allowed");
    meta_tells(&shop, &moved("UTILITY", START - 3)).await;
    shop.queue(&receipt).await;
}

#[tokio::test]
async fn a_template_that_may_not_be_used_fails_before_the_provider_is_asked() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    for (n, (event, failure)) in (1..).zip([
        ("PAUSED", "template_paused"),
        ("DISABLED", "template_disabled"),
        ("REJECTED", "template_rejected"),
    ]) {
        let value = json!({ "event": event, "message_template_id": 7, "message_template_name": "offer", "message_template_language": "en_US", "reason": "NONE" });
        meta_tells(&shop, &change("message_template_status_update", &value, START - 10 + n)).await;
        let id = shop.queue(&shop.message(ADA)).await;
        shop.app.send_due().await;
        let message = shop.read(&id).await;
        assert_eq!((&message["state"], &message["failure"]), (&json!("failed"), &json!(failure)));
    }
    assert!(shop.provider.seen().is_empty());
    let value = json!({ "event": "APPROVED", "message_template_id": 7, "message_template_name": "offer", "message_template_language": "en_US", "reason": "NONE" });
    meta_tells(&shop, &change("message_template_status_update", &value, START)).await;
    assert_eq!(shop.send(ADA, accepted()).await["state"], "handed_over");
}
