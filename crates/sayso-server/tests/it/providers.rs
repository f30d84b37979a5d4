//! Hand-over by HTTP (rule 28), to stand-ins that check what they are sent against the providers'
//! documentation; and what their refusals say about people (rule 12).

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sayso_core::time::Span;
use sayso_server::app::{App, Options};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::plenty;
use crate::support::provider::{ACCOUNT, AUTH_TOKEN, HOOK_TOKEN, Says, Seen, Shop, credentials};

const ADA: &str = "+14155552671";

/// Every provider with an answer of success and the id in it.
const ALL: [(&str, u16, &str, Option<&str>); 4] = [
    (
        "meta",
        200,
        r#"{"messaging_product":"whatsapp","contacts":[{"input":"14155552671","wa_id":"14155552671"}],"messages":[{"id":"wamid.1"}]}"#,
        Some("wamid.1"),
    ),
    ("gupshup", 202, r#"{"status":"submitted","messageId":"gs-1"}"#, Some("gs-1")),
    (
        "twilio",
        201,
        r#"{"sid":"SM00112233445566778899aabbccddeeff","status":"queued"}"#,
        Some("SM00112233445566778899aabbccddeeff"),
    ),
    ("kannel", 202, "0: Accepted for delivery", None),
];

fn says(status: u16, body: &str) -> Says {
    Says::Answer(status, body.to_owned())
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort();
    pairs
}

/// Checks what a provider was sent against what it documents.
fn check(shop: &Shop, provider: &str, id: &str, seen: &Seen) {
    let hook = format!("https://consent.example/hooks/{}", shop.connection);
    match provider {
        "meta" => {
            assert_eq!(
                (&seen.method, seen.uri.path()),
                (&Method::POST, "/v25.0/106540352242922/messages")
            );
            assert_eq!(seen.header("authorization"), "Bearer EAAG");
            assert_eq!(seen.header("content-type"), "application/json");
            let parameters = json!([{ "type": "text", "text": "Ana" }]);
            let body: Value = serde_json::from_str(&seen.body).unwrap();
            let wanted = json!({
                "messaging_product": "whatsapp", "recipient_type": "individual", "to": "14155552671",
                "type": "template", "biz_opaque_callback_data": id,
                "template": { "name": "offer", "language": { "code": "en_US" },
                    "components": [{ "type": "body", "parameters": parameters }] },
            });
            assert_eq!(body, wanted);
        }
        "gupshup" => {
            assert_eq!((&seen.method, seen.uri.path()), (&Method::POST, "/wa/api/v1/template/msg"));
            assert_eq!(seen.header("apikey"), "key");
            let wanted = pairs(&[
                ("channel", "whatsapp"),
                ("source", "15550100900"),
                ("destination", "14155552671"),
                ("src.name", "ShopApp"),
                ("template", r#"{"id":"offer","params":["Ana"]}"#),
            ]);
            assert_eq!(seen.parameters(), wanted);
        }
        "twilio" => {
            let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
            assert_eq!((&seen.method, seen.uri.path()), (&Method::POST, path.as_str()));
            let login = STANDARD.encode(format!("{ACCOUNT}:{AUTH_TOKEN}"));
            assert_eq!(seen.header("authorization"), format!("Basic {login}"));
            assert_eq!(seen.header("content-type"), "application/x-www-form-urlencoded");
            let callback = format!("{hook}?sayso_message={id}");
            let wanted = pairs(&[
                ("To", ADA),
                ("From", "+15550100900"),
                ("Body", "Grüße & STOP"),
                ("StatusCallback", &callback),
            ]);
            assert_eq!(seen.parameters(), wanted);
        }
        _ => {
            assert_eq!((&seen.method, seen.uri.path()), (&Method::GET, "/cgi-bin/sendsms"));
            let report = format!(
                "{hook}?token={HOOK_TOKEN}&sayso_message={id}&dlr=%d&foreign=%F&answer=%A&ts=%T"
            );
            let wanted = pairs(&[
                ("username", "us"),
                ("password", "pa ss"),
                ("from", "+15550100900"),
                ("to", ADA),
                ("charset", "UTF-8"),
                ("coding", "0"),
                ("text", "Grüße & STOP"),
                ("dlr-mask", "31"),
                ("dlr-url", &report),
            ]);
            assert_eq!(seen.parameters(), wanted);
        }
    }
}

#[tokio::test]
async fn each_provider_is_sent_what_it_documents_and_its_id_is_kept() {
    for (provider, status, body, provider_id) in ALL {
        let shop = Shop::at(provider).await;
        shop.agree(ADA).await;
        let message = shop.send(ADA, says(status, body)).await;
        assert_eq!(message["state"], "handed_over", "{provider}: {message}");
        assert_eq!(message["provider_id"].as_str(), provider_id, "{provider}");
        let seen = shop.provider.seen();
        assert_eq!(seen.len(), 1, "{provider}");
        check(&shop, provider, message["id"].as_str().unwrap(), &seen[0]);
    }
}

#[tokio::test]
async fn a_provider_that_asks_for_patience_gets_the_message_when_it_said() {
    for (provider, status, body, _) in ALL {
        let shop = Shop::at(provider).await;
        shop.agree(ADA).await;
        let message = shop.send(ADA, Says::Later(30)).await;
        assert_eq!(message["state"], "queued", "{provider}: {message}");
        shop.app.advance(Span::seconds(29));
        assert_eq!(shop.app.send_due().await, 0, "{provider}: not before its time");
        shop.app.advance(Span::seconds(1));
        shop.provider.tell(says(status, body));
        assert_eq!(shop.app.send_due().await, 1);
        let message = shop.read(message["id"].as_str().unwrap()).await;
        assert_eq!(message["state"], "handed_over", "{provider}: {message}");
    }
}

#[tokio::test]
async fn what_may_have_gone_is_unknown_and_never_sent_again() {
    for (provider, status, _, _) in ALL {
        let shop = Shop::at(provider).await;
        shop.agree(ADA).await;
        for (says, failure) in [
            (says(500, "{}"), "provider_broke_down"),
            (says(status, "<html>It works!</html>"), "answer_unreadable"),
            (says(302, ""), "answer_says_nothing"),
            (Says::Silence, "no_answer"),
        ] {
            let message = shop.send(ADA, says).await;
            assert_eq!(
                (&message["state"], &message["failure"]),
                (&json!("unknown"), &json!(failure)),
                "{provider}"
            );
            shop.app.advance(Span::hours(1));
            assert_eq!(shop.app.send_due().await, 0, "{provider}: {failure}");
            assert_eq!(shop.provider.seen().len(), 1, "{provider}: {failure}");
        }
    }
}

#[tokio::test]
async fn a_message_waits_for_a_provider_out_of_reach_until_it_is_of_no_use() {
    let shop = Shop::at("twilio").await;
    shop.agree(ADA).await;
    let path = format!("/v1/connections/{}", shop.connection);
    let mut nobody = credentials("twilio");
    nobody["base_url"] = "http://127.0.0.1:1024".into();
    let nobody = json!({ "name": "Account", "credentials": nobody });
    assert_eq!(shop.app.call("PUT", &path, &nobody).await.status, StatusCode::OK);
    let id = shop.queue(&shop.message(ADA)).await;
    assert_eq!(shop.app.send_due().await, 1);
    for _ in 0..20 {
        assert_eq!(shop.read(&id).await["state"], "queued");
        assert_eq!(shop.app.send_due().await, 0, "it waits as long again");
        shop.app.advance(Span::minutes(10));
        assert_eq!(shop.app.send_due().await, 1);
    }
    shop.app.advance(Span::days(1));
    shop.app.send_due().await;
    let message = shop.read(&id).await;
    assert_eq!((&message["state"], &message["failure"]), (&json!("failed"), &json!("expired")));
}

#[tokio::test]
async fn a_message_waits_while_its_provider_is_where_the_settings_let_nothing_go() {
    let shop = Shop::at("twilio").await;
    shop.agree(ADA).await;
    let id = shop.queue(&shop.message(ADA)).await;
    // The same store after a restart with settings that allow no private network.
    let (store, environment) = (Arc::clone(&shop.app.store), shop.app.environment.clone());
    let strict = App::new(store, environment, Options::with_rates(plenty()));
    assert_eq!(strict.send_due().await.unwrap(), 1);
    assert!(shop.provider.seen().is_empty());
    let request = Request::builder().uri("/metrics").body(Body::empty()).unwrap();
    let metrics = strict.admin_router().oneshot(request).await.unwrap().into_body();
    let metrics = to_bytes(metrics, usize::MAX).await.unwrap();
    let metrics = str::from_utf8(&metrics).unwrap();
    assert!(metrics.contains("sayso_outgoing_refused_total 1"), "{metrics}");
    assert_eq!(shop.read(&id).await["state"], "queued");
    shop.app.advance(Span::minutes(10));
    shop.provider.tell(says(201, r#"{"sid":"SM00112233445566778899aabbccddeeff"}"#));
    assert_eq!(shop.app.send_due().await, 1);
    assert_eq!(shop.read(&id).await["state"], "handed_over");
}

fn meta_error(code: u32) -> Says {
    Says::Answer(400, json!({ "error": { "code": code, "title": "No" } }).to_string())
}

fn twilio_error(code: u32) -> Says {
    Says::Answer(400, json!({ "code": code, "message": "No", "status": 400 }).to_string())
}

#[tokio::test]
async fn a_stop_that_only_the_provider_knew_of_blocks_that_sender_from_then_on() {
    let shop = Shop::at("twilio").await;
    shop.agree(ADA).await;
    let message = shop.send(ADA, twilio_error(21_610)).await;
    assert_eq!((&message["state"], &message["failure"]), (&json!("failed"), &json!("21610")));
    let refused = shop.app.post("/v1/messages", &shop.message(ADA)).await;
    let refused = refused.is_problem("message-not-allowed");
    assert_eq!(refused["decision"]["reason"], "suppressed", "{refused}");
    let mut receipt = shop.message(ADA);
    receipt["category"] = "utility".into();
    shop.app.post("/v1/messages", &receipt).await.is_problem("message-not-allowed");
    let history = shop.app.get("/v1/events?phone=%2B14155552671").await.text;
    assert!(history.contains("provider's code 21610"), "{history}");
}

#[tokio::test]
async fn a_stop_of_marketing_on_the_platform_blocks_marketing_alone() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    let message = shop.send(ADA, meta_error(131_050)).await;
    assert_eq!((&message["state"], &message["failure"]), (&json!("failed"), &json!("131050")));
    let refused = shop.app.post("/v1/messages", &shop.message(ADA)).await;
    assert_eq!(refused.is_problem("message-not-allowed")["decision"]["reason"], "suppressed");
    let mut receipt = shop.message(ADA);
    receipt["category"] = "utility".into();
    shop.queue(&receipt).await;
}

#[tokio::test]
async fn codes_that_say_nothing_about_consent_block_nobody() {
    let meta = Shop::at("meta").await;
    meta.agree(ADA).await;
    for code in [131_049, 130_472, 131_026] {
        let message = meta.send(ADA, meta_error(code)).await;
        assert_eq!(
            (&message["state"], &message["failure"]),
            (&json!("failed"), &json!(code.to_string()))
        );
    }
    let gupshup = Shop::at("gupshup").await;
    gupshup.agree(ADA).await;
    let error = json!({ "status": "error", "message": { "code": 1002, "reason": "No" } });
    let message = gupshup.send(ADA, says(400, &error.to_string())).await;
    assert_eq!((&message["state"], &message["failure"]), (&json!("failed"), &json!("1002")));
    for shop in [meta, gupshup] {
        shop.queue(&shop.message(ADA)).await;
    }
}

#[tokio::test]
async fn what_the_provider_cannot_carry_fails_with_a_word_and_nothing_is_sent() {
    let shop = Shop::at("kannel").await;
    shop.agree(ADA).await;
    let template = json!({ "to": ADA, "channel": "sms", "template": { "name": "offer" } });
    let id = shop.queue(&template).await;
    shop.app.send_due().await;
    let message = shop.read(&id).await;
    assert_eq!(
        (&message["state"], &message["failure"]),
        (&json!("failed"), &json!("no_templates"))
    );
    assert!(shop.provider.seen().is_empty());
}
