//! `/hooks/{connection}`: who may speak, and what becomes of reports.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::id::MessageId;
use sayso_core::limits;
use sayso_server::app::{Options, Peer};
use sayso_store::message::{HandOver, HandOverEnd};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::faulty::{Fault, INNER};
use crate::support::provider::{
    AUTH_TOKEN, HOOK_TOKEN, Says, Shop, credentials, meta_signature, twilio_signature,
};
use crate::support::{Answer, TestApp, plenty};

const ADA: &str = "+14155552671";
const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) async fn call(
    app: &TestApp,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = Request::builder().method("POST").uri(path).header("host", "10.0.0.1:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

pub(crate) async fn get(app: &TestApp, path: &str) -> Answer {
    app.send(Request::builder().uri(path).body(Body::empty()).unwrap()).await
}

/// A call of Meta's about one message.
pub(crate) fn meta_status(id: &str, status: &str, errors: &Value) -> String {
    let mut told = json!({ "id": id, "status": status, "timestamp": "1795255201", "recipient_id": "14155552671" });
    if !errors.is_null() {
        told["errors"] = errors.clone();
    }
    let metadata =
        json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
    let value =
        json!({ "messaging_product": "whatsapp", "metadata": metadata, "statuses": [told] });
    let changes = json!([{ "field": "messages", "value": value }]);
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] })
        .to_string()
}

async fn meta_call(shop: &Shop, body: &str, signature: &str) -> Answer {
    let path = format!("/hooks/{}", shop.connection);
    call(&shop.app, &path, &[("x-hub-signature-256", signature)], body).await
}

pub(crate) async fn meta_told(shop: &Shop, body: &str) {
    let answer = meta_call(shop, body, &meta_signature(body)).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""));
}

async fn sent_by_meta(shop: &Shop, name: &str) -> String {
    let accepted = json!({ "messages": [{ "id": name }] }).to_string();
    let message = shop.send(ADA, Says::Answer(200, accepted)).await;
    assert_eq!(message["state"], "handed_over", "{message}");
    message["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn reports_of_meta_move_the_message_and_a_replay_changes_nothing() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    let id = sent_by_meta(&shop, "wamid.1").await;
    for state in ["sent", "delivered", "read"] {
        meta_told(&shop, &meta_status("wamid.1", state, &Value::Null)).await;
        assert_eq!(shop.read(&id).await["state"], state);
    }
    let before = shop.read(&id).await;
    for state in ["sent", "delivered", "read"] {
        meta_told(&shop, &meta_status("wamid.1", state, &Value::Null)).await;
    }
    assert_eq!(shop.read(&id).await, before);
    meta_told(&shop, &meta_status("wamid.of.others", "sent", &Value::Null)).await;
}

#[tokio::test]
async fn a_failure_reported_later_blocks_marketing_before_it_is_answered_and_once() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    let id = sent_by_meta(&shop, "wamid.1").await;
    let errors = json!([{ "code": 131_050, "title": "User has stopped marketing messages" }]);
    let body = meta_status("wamid.1", "failed", &errors);
    meta_told(&shop, &body).await;
    let message = shop.read(&id).await;
    assert_eq!((&message["state"], &message["failure"]), (&json!("failed"), &json!("131050")));
    let refused = shop.app.post("/v1/messages", &shop.message(ADA)).await;
    assert_eq!(refused.is_problem("message-not-allowed")["decision"]["reason"], "suppressed");
    let events = shop.app.get("/v1/events?phone=%2B14155552671").await.text;
    meta_told(&shop, &body).await;
    assert_eq!(shop.app.get("/v1/events?phone=%2B14155552671").await.text, events);
}

#[tokio::test]
async fn a_call_that_proves_nothing_is_answered_alike_whether_or_not_its_connection_exists() {
    let shop = Shop::at("meta").await;
    let known = format!("/hooks/{}", shop.connection);
    let small = meta_status("wamid.1", "sent", &Value::Null);
    let large = "a".repeat(limits::HOOK_BODY_BYTES_MAX + 1);
    for (body, problem) in [(&small, "hook-unverified"), (&large, "body-too-large")] {
        for path in [known.as_str(), "/hooks/con_01jd6m9k3te5b8r5v3x5y6z7w8", "/hooks/nobody"] {
            let asked = Instant::now();
            let headers = [("x-hub-signature-256", "sha256=00")];
            call(&shop.app, path, &headers, body).await.is_problem(problem);
            let took = asked.elapsed();
            assert!(took >= Duration::from_millis(100), "{path}: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_call_with_one_byte_changed_is_refused_and_counted() {
    let shop = Shop::at("meta").await;
    let body = meta_status("wamid.1", "sent", &Value::Null);
    let signature = meta_signature(&body);
    let changed = body.replace("wamid.1", "wamid.2");
    meta_call(&shop, &changed, &signature).await.is_problem("hook-unverified");
    let tail = if signature.ends_with('0') { "1" } else { "0" };
    let other = format!("{}{tail}", &signature[..signature.len() - 1]);
    let refused = meta_call(&shop, &body, &other).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let path = format!("/hooks/{}", shop.connection);
    call(&shop.app, &path, &[], &body).await.is_problem("hook-unverified");
    for nobody in ["/hooks/con_01jd6m9k3te5b8r5v3x5y6z7w8", "/hooks/nobody"] {
        call(&shop.app, nobody, &[("x-hub-signature-256", &signature)], &body)
            .await
            .is_problem("hook-unverified");
    }
    let metrics = shop.app.metrics().await;
    assert!(metrics.contains("sayso_hook_unverified_total 5"), "{metrics}");
    shop.app.delete(&format!("/v1/connections/{}", shop.connection)).await;
    meta_call(&shop, &body, &signature).await.is_problem("hook-unverified");
}

#[tokio::test]
async fn what_many_people_wrote_in_one_call_is_heard_and_each_ones_words_in_their_order() {
    let shop = Shop::at("meta").await;
    let people: Vec<String> = (0..100).map(|n| format!("1415555{:04}", 2_000 + n)).collect();
    let mut messages = Vec::new();
    for (n, phone) in people.iter().enumerate() {
        shop.agree(&format!("+{phone}")).await;
        // Those of odd number come back after their refusal.
        let said = if n % 2 == 0 { ["hello", "STOP"] } else { ["STOP", "START"] };
        for (place, text) in said.iter().enumerate() {
            messages.push(json!({
                "from": phone, "id": format!("wamid.{n}.{place}"), "type": "text",
                "timestamp": (1_795_255_100 + place).to_string(), "text": { "body": text },
            }));
        }
    }
    let metadata =
        json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
    let value =
        json!({ "messaging_product": "whatsapp", "metadata": metadata, "messages": messages });
    let changes = json!([{ "field": "messages", "value": value }]);
    let entry = json!([{ "id": "1", "changes": changes }]);
    let body = json!({ "object": "whatsapp_business_account", "entry": entry }).to_string();
    meta_told(&shop, &body).await;
    for (n, phone) in people.iter().enumerate() {
        let question = json!({ "channel": "whatsapp", "phone": format!("+{phone}") });
        let decision = shop.app.post("/v1/check", &question).await.json();
        let expected = if n % 2 == 0 { json!("opted_out") } else { Value::Null };
        assert_eq!(decision["reason"], expected, "{n}: {decision}");
    }
}

#[tokio::test]
async fn meta_hears_its_challenge_when_it_knows_the_word() {
    let shop = Shop::at("meta").await;
    let asked = |word: &str| {
        format!(
            "/hooks/{}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={word}",
            shop.connection
        )
    };
    let answer = get(&shop.app, &asked("a-word")).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "1158201444"));
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    get(&shop.app, &asked("another")).await.is_problem("hook-unverified");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_kept_among_the_rejects() {
    let shop = Shop::at("meta").await;
    let body = r#"{"object":"page","entry":[]}"#;
    let refused = meta_call(&shop, body, &meta_signature(body)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    refused.is_problem("hook-malformed");
    let path = format!("/v1/rejects?source={}", shop.connection);
    let rejects = shop.app.get(&path).await.json();
    assert_eq!(rejects["rejects"][0]["road"], "provider");
    assert_eq!(rejects["rejects"][0]["body"], body);
}

pub(crate) fn encoded(form: &[(&str, &str)]) -> String {
    let pairs = form.iter().map(|(name, value)| format!("{name}={}", value.replace('+', "%2B")));
    pairs.collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn twilio_signs_the_url_it_calls_and_names_our_message() {
    let shop = Shop::at("twilio").await;
    shop.agree(ADA).await;
    let sid = "SM00112233445566778899aabbccddeeff";
    let accepted = json!({ "sid": sid, "status": "queued" }).to_string();
    let message = shop.send(ADA, Says::Answer(201, accepted)).await;
    let id = message["id"].as_str().unwrap();
    let path = format!("/hooks/{}?sayso_message={id}", shop.connection);
    let told = |status: &'static str| {
        [("MessageSid", sid), ("MessageStatus", status), ("From", "+15550100900"), ("To", ADA)]
    };
    for (told, state) in [(told("sent"), "sent"), (told("delivered"), "delivered")] {
        let signature = twilio_signature(&format!("https://consent.example{path}"), &told);
        let headers = [("x-twilio-signature", signature.as_str()), ("content-type", FORM)];
        let answer = call(&shop.app, &path, &headers, &encoded(&told)).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "<Response/>"));
        assert_eq!(answer.headers["content-type"], "text/xml");
        assert_eq!(shop.read(id).await["state"], state);
    }
    let form = told("failed");
    let inner = twilio_signature(&format!("http://10.0.0.1:8080{path}"), &form);
    for signature in [inner.as_str(), AUTH_TOKEN, ""] {
        let headers = [("x-twilio-signature", signature), ("content-type", FORM)];
        call(&shop.app, &path, &headers, &encoded(&form)).await.is_problem("hook-unverified");
    }
    assert_eq!(shop.read(id).await["state"], "delivered");
}

#[tokio::test]
async fn kannel_and_gupshup_prove_themselves_by_the_token_in_the_url() {
    let kannel = Shop::at("kannel").await;
    kannel.agree(ADA).await;
    let message = kannel.send(ADA, Says::Answer(202, "0: Accepted for delivery".into())).await;
    let id = message["id"].as_str().unwrap();
    let told = |token: &str, dlr: u8| {
        format!(
            "/hooks/{}?token={token}&sayso_message={id}&dlr={dlr}&foreign=7&answer=&ts=1795255201",
            kannel.connection
        )
    };
    get(&kannel.app, &told("kSx3PzQ7wLm9RtY3", 1)).await.is_problem("hook-unverified");
    for (dlr, state) in [(8, "sent"), (1, "delivered"), (2, "delivered")] {
        assert_eq!(get(&kannel.app, &told(HOOK_TOKEN, dlr)).await.status, StatusCode::OK);
        assert_eq!(kannel.read(id).await["state"], state, "{dlr}");
    }
    let gupshup = Shop::at("gupshup").await;
    gupshup.agree(ADA).await;
    let accepted = json!({ "status": "submitted", "messageId": "gs-1" }).to_string();
    let message = gupshup.send(ADA, Says::Answer(202, accepted)).await;
    let path = format!("/hooks/{}?token={HOOK_TOKEN}", gupshup.connection);
    let event = json!({ "id": "wa-1", "gsId": "gs-1", "type": "delivered", "destination": "14155552671", "payload": { "ts": 1_795_255_201 } });
    let body = json!({ "app": "ShopApp", "timestamp": 1_795_255_201_000_i64, "version": 2, "type": "message-event", "payload": event });
    assert_eq!(call(&gupshup.app, &path, &[], &body.to_string()).await.status, StatusCode::OK);
    assert_eq!(gupshup.read(message["id"].as_str().unwrap()).await["state"], "delivered");
}

#[tokio::test]
async fn without_a_public_url_the_request_says_how_it_was_addressed() {
    let mut options = Options::with_rates(plenty());
    options.trusted_proxies = vec![[10, 0, 0, 2].into()];
    let app = TestApp::with_options(options).await;
    let account =
        json!({ "name": "Account", "provider": "twilio", "credentials": credentials("twilio") });
    let made = app.post("/v1/connections", &account).await.json();
    let path = format!("/hooks/{}", made["id"].as_str().unwrap());
    let form = [("MessageSid", "SM1"), ("Body", "Hello"), ("From", ADA), ("To", "+15550100900")];
    let status = async |scheme: &str, hop: [u8; 4]| {
        let signature = twilio_signature(&format!("{scheme}://shop.example{path}"), &form);
        let request = Request::builder()
            .method("POST")
            .uri(&path)
            .header("host", "shop.example")
            .header("x-forwarded-proto", "https")
            .header("content-type", FORM)
            .header("x-twilio-signature", signature)
            .extension(Peer(hop.into()));
        app.send(request.body(Body::from(encoded(&form))).unwrap()).await.status
    };
    assert_eq!(status("https", [10, 0, 0, 2]).await, StatusCode::OK);
    assert_eq!(status("http", [10, 0, 0, 2]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status("http", [10, 0, 0, 3]).await, StatusCode::OK, "no proxy of ours");
    assert_eq!(status("https", [10, 0, 0, 3]).await, StatusCode::UNAUTHORIZED);
}

/// A Kannel and a message that it may deliver: the server, the message, and the hook for reports on it.
async fn waiting(app: &TestApp) -> (MessageId, String) {
    let account =
        json!({ "name": "Account", "provider": "kannel", "credentials": credentials("kannel") });
    let connection = app.post("/v1/connections", &account).await.json();
    let sender = json!({ "channel": "sms", "name": "Shop", "address": "12345", "connection": connection["id"] });
    app.post("/v1/senders", &sender).await;
    let message = json!({ "to": ADA, "channel": "sms", "text": "Paid", "category": "utility", "require_opt_in": false });
    let message = app.post("/v1/messages", &message).await.json();
    let id = message["id"].as_str().unwrap();
    let hook = connection["hook"].as_str().unwrap();
    (MessageId::parse(id).unwrap(), format!("{hook}&sayso_message={id}&dlr=1"))
}

/// Claims the message, and begins it.
async fn begin(app: &TestApp, id: MessageId) {
    let workspace = app.workspace.id;
    let (_, sender) = app.store.waiting_senders().await.unwrap()[0];
    assert_eq!(app.store.claim_messages(workspace, sender, 1).await.unwrap().claimed.len(), 1);
    assert!(app.store.begin_hand_over(id).is_some());
}

async fn end(app: &TestApp, id: MessageId) {
    let at = app.environment.clock.now();
    let end = HandOverEnd::Accepted { provider_id: None };
    let ended = vec![HandOver { id, began_at: Some(at), at, end }];
    app.store.settle_messages(app.workspace.id, ended).await.unwrap();
}

#[tokio::test]
async fn a_report_that_overtakes_the_end_of_its_hand_over_is_not_lost() {
    let app = TestApp::start().await;
    let (id, hook) = waiting(&app).await;
    begin(&app, id).await;
    let (told, ()) = tokio::join!(get(&app, &hook), end(&app, id));
    assert_eq!(told.status, StatusCode::OK);
    assert_eq!(app.get(&format!("/v1/messages/{id}")).await.json()["state"], "delivered");
}

#[tokio::test]
async fn a_provider_hears_of_success_only_once_what_it_told_is_durable() {
    let (app, store) = TestApp::faulty().await;
    let (id, hook) = waiting(&app).await;
    begin(&app, id).await;
    end(&app, id).await;
    for fault in Fault::ERRORS {
        store.fail(fault);
        let told = get(&app, &hook).await;
        assert!(told.status.is_server_error(), "{fault:?}: {}", told.status);
        assert!(!told.text.contains(INNER), "{}", told.text);
    }
    store.heal();
    assert_eq!(get(&app, &hook).await.status, StatusCode::OK);
    assert_eq!(app.get(&format!("/v1/messages/{id}")).await.json()["state"], "delivered");
}

/// What Ada wrote, as Twilio brings it.
async fn write_by_twilio(shop: &Shop, words: &[(&str, &str)]) -> Answer {
    let path = format!("/hooks/{}", shop.connection);
    let mut form = words.to_vec();
    form.extend([("From", ADA), ("To", "+15550100900")]);
    let signature = twilio_signature(&format!("https://consent.example{path}"), &form);
    let headers = [("x-twilio-signature", signature.as_str()), ("content-type", FORM)];
    call(&shop.app, &path, &headers, &encoded(&form)).await
}

/// A person's words, as each provider brings them; and what it is answered.
pub(crate) async fn write(shop: &Shop, provider: &str, text: &str) -> Answer {
    let path = format!("/hooks/{}", shop.connection);
    let secret = format!("{path}?token={HOOK_TOKEN}");
    match provider {
        "meta" => {
            let message = json!({ "from": "14155552671", "id": "wamid.in.1", "timestamp": "1795255199", "type": "text", "text": { "body": text } });
            let metadata = json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
            let contacts = json!([{ "profile": { "name": "Ana" }, "wa_id": "14155552671" }]);
            let value = json!({ "messaging_product": "whatsapp", "metadata": metadata, "contacts": contacts, "messages": [message] });
            let changes = json!([{ "field": "messages", "value": value }]);
            let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] }).to_string();
            meta_call(shop, &body, &meta_signature(&body)).await
        }
        "gupshup" => {
            let sender = json!({ "phone": "14155552671", "name": "Ana", "country_code": "1", "dial_code": "4155552671" });
            let payload = json!({ "id": "ABE1", "source": "14155552671", "type": "text", "payload": { "text": text }, "sender": sender });
            let body = json!({ "app": "ShopApp", "timestamp": 1_795_255_199_000_i64, "version": 2, "type": "message", "payload": payload });
            call(&shop.app, &secret, &[("content-type", "application/json")], &body.to_string())
                .await
        }
        "twilio" => write_by_twilio(shop, &[("MessageSid", "SM1"), ("Body", text)]).await,
        "kannel" => {
            let told = "from=%2B14155552671&to=%2B15550100900&ts=1795255199&smsc=a&id=k-1&charset=UTF-8&account=";
            get(&shop.app, &format!("{secret}&{told}&text={text}")).await
        }
        other => panic!("no provider {other}"),
    }
}

#[tokio::test]
async fn a_stop_by_each_provider_is_obeyed_before_the_2xx_and_a_replay_changes_nothing() {
    for provider in ["meta", "gupshup", "twilio", "kannel"] {
        let shop = Shop::at(provider).await;
        shop.agree(ADA).await;
        let told = write(&shop, provider, "STOP").await;
        assert_eq!(told.status, StatusCode::OK, "{provider}: {}", told.text);
        let refused = shop.app.post("/v1/messages", &shop.message(ADA)).await;
        let problem = refused.is_problem("message-not-allowed");
        assert_eq!(problem["decision"]["reason"], "opted_out", "{provider}");
        let events = shop.app.get("/v1/events?phone=%2B14155552671").await.text;
        shop.app.advance(sayso_core::time::Span::seconds(5));
        assert_eq!(write(&shop, provider, "STOP").await.status, StatusCode::OK);
        assert_eq!(
            shop.app.get("/v1/events?phone=%2B14155552671").await.text,
            events,
            "{provider}"
        );
        // The one confirmation goes out through the provider.
        let confirmed = match provider {
            "meta" => json!({ "messages": [{ "id": "wamid.2" }] }).to_string(),
            "gupshup" => json!({ "status": "submitted", "messageId": "gs-2" }).to_string(),
            "twilio" => json!({ "sid": "SM2", "status": "queued" }).to_string(),
            _ => "0: Accepted for delivery".to_owned(),
        };
        shop.provider.tell(Says::Answer(if provider == "meta" { 200 } else { 202 }, confirmed));
        shop.app.send_due().await;
        assert_eq!(shop.provider.seen().len(), 1, "{provider}");
    }
}

#[tokio::test]
async fn start_to_twilio_ends_twilios_own_block_too() {
    let shop = Shop::at("twilio").await;
    shop.agree(ADA).await;
    let refused = json!({ "code": 21_610, "message": "No", "status": 400 }).to_string();
    shop.send(ADA, Says::Answer(400, refused)).await;
    shop.app.post("/v1/messages", &shop.message(ADA)).await.is_problem("message-not-allowed");
    shop.app.advance(sayso_core::time::Span::seconds(5));
    let start = [("MessageSid", "SM1"), ("Body", "START"), ("OptOutType", "START")];
    assert_eq!(write_by_twilio(&shop, &start).await.status, StatusCode::OK);
    shop.queue(&shop.message(ADA)).await;
}

#[tokio::test]
async fn a_refusal_that_the_provider_took_for_something_else_is_a_refusal() {
    let shop = Shop::at("twilio").await;
    shop.agree(ADA).await;
    let words = [("MessageSid", "SM1"), ("Body", "Stop. Thank you"), ("OptOutType", "HELP")];
    assert_eq!(write_by_twilio(&shop, &words).await.status, StatusCode::OK);
    let refused = shop.app.post("/v1/messages", &shop.message(ADA)).await;
    let problem = refused.is_problem("message-not-allowed");
    assert_eq!(problem["decision"]["reason"], "opted_out");
}

#[tokio::test]
async fn the_switch_of_a_platform_blocks_marketing_there_and_its_resume_lifts_the_block() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    let switch = async |value: &str, at: &str| {
        let told = json!({ "wa_id": "14155552671", "detail": "User requested", "category": "marketing_messages", "value": value, "timestamp": at });
        let metadata =
            json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
        let value = json!({ "messaging_product": "whatsapp", "metadata": metadata, "user_preferences": [told] });
        let changes = json!([{ "field": "user_preferences", "value": value }]);
        let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] });
        meta_told(&shop, &body.to_string()).await;
    };
    let reason = async || {
        let ask = json!({ "phone": ADA, "channel": "whatsapp" });
        shop.app.post("/v1/check", &ask).await.json()["reason"].clone()
    };
    switch("stop", "1795255190").await;
    assert_eq!(reason().await, "suppressed");
    switch("resume", "1795255195").await;
    assert_eq!(reason().await, Value::Null);
}

#[tokio::test]
async fn the_question_goes_out_with_buttons_and_a_press_is_the_answer() {
    let shop = Shop::at("meta").await;
    let notice = shop.app.notice(&[]).await;
    let sender = shop.app.get("/v1/senders").await.json()["senders"][0].clone();
    let question = json!({ "text": "May we send you offers?", "yes": "Sure thing", "no": "Rather not", "notice": notice });
    let asking = json!({ "name": "Shop", "address": sender["address"], "question": question });
    let path = format!("/v1/senders/{}", sender["id"].as_str().unwrap());
    assert_eq!(shop.app.call("PUT", &path, &asking).await.status, StatusCode::OK);
    assert_eq!(write(&shop, "meta", "Are you open?").await.status, StatusCode::OK);
    let accepted = json!({ "messages": [{ "id": "wamid.q" }] }).to_string();
    shop.provider.tell(Says::Answer(200, accepted));
    shop.app.send_due().await;
    let sent: Value = serde_json::from_str(&shop.provider.seen()[0].body).unwrap();
    let buttons = &sent["interactive"]["action"]["buttons"];
    assert_eq!(buttons[0]["reply"], json!({ "id": "sayso:yes", "title": "Sure thing" }), "{sent}");
    let reason = async || {
        let ask = json!({ "phone": ADA, "channel": "whatsapp" });
        shop.app.post("/v1/check", &ask).await.json()["reason"].clone()
    };
    assert_eq!(reason().await, "no_opt_in");
    let press = async |number: u8, id: &str| {
        let reply = json!({ "type": "button_reply", "button_reply": { "id": id, "title": "Oui" } });
        let message = json!({ "from": "14155552671", "id": format!("wamid.in.{number}"), "timestamp": "1795255300", "type": "interactive", "interactive": reply });
        let metadata =
            json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
        let value =
            json!({ "messaging_product": "whatsapp", "metadata": metadata, "messages": [message] });
        let changes = json!([{ "field": "messages", "value": value }]);
        let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] });
        meta_told(&shop, &body.to_string()).await;
    };
    shop.app.advance(sayso_core::time::Span::minutes(10));
    press(2, "sayso:yes").await;
    assert_eq!(reason().await, Value::Null);
    shop.app.advance(sayso_core::time::Span::minutes(1));
    press(3, "sayso:no").await;
    assert_eq!(reason().await, "opted_out", "a no is a no whenever it is pressed");
}

#[tokio::test]
async fn an_event_of_an_unknown_kind_is_kept_and_counted_and_its_neighbours_are_heard() {
    let shop = Shop::at("meta").await;
    shop.agree(ADA).await;
    let metadata =
        json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
    let stop = json!({ "from": "14155552671", "id": "wamid.in.1", "timestamp": "1795255199", "type": "text", "text": { "body": "STOP" } });
    let value =
        json!({ "messaging_product": "whatsapp", "metadata": metadata, "messages": [stop] });
    let changes = json!([{ "field": "weather", "value": { "rain": true } }, { "field": "messages", "value": value }]);
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] });
    meta_told(&shop, &body.to_string()).await;
    let ask = json!({ "phone": ADA, "channel": "whatsapp" });
    assert_eq!(shop.app.post("/v1/check", &ask).await.json()["reason"], "opted_out");
    let rejects = shop.app.get("/v1/rejects?code=hook-event-unknown").await.json();
    assert!(rejects["rejects"][0]["body"].as_str().unwrap().contains("rain"), "{rejects}");
    assert!(shop.app.metrics().await.contains("sayso_hook_unknown_events_total 1"));
}

#[tokio::test]
async fn an_opt_in_that_a_platform_took_counts_as_the_policy_of_its_channel_admits_it() {
    for (policy, status) in [("meta-2020-strict", "pending"), ("meta-2024-11", "opted_in")] {
        let shop = Shop::at("gupshup").await;
        let settings = json!({ "policies": { "whatsapp": { "policy": policy } } });
        assert_eq!(shop.app.call("PUT", "/v1/settings", &settings).await.status, StatusCode::OK);
        let payload = json!({ "phone": "14155552671", "type": "opted-in" });
        let told = json!({ "app": "ShopApp", "timestamp": 1_795_255_199_000_i64, "version": 2, "type": "user-event", "payload": payload });
        let secret = format!("/hooks/{}?token={HOOK_TOKEN}", shop.connection);
        let json = [("content-type", "application/json")];
        let answer = call(&shop.app, &secret, &json, &told.to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let ask = json!({ "phone": ADA, "channel": "whatsapp", "explain": true });
        let found = shop.app.post("/v1/check", &ask).await.json();
        assert_eq!(found["explanation"]["consent"]["status"], status, "{policy}: {found}");
        let events = shop.app.get("/v1/events?phone=%2B14155552671").await.json();
        let fields = &events["events"][0]["evidence"]["fields"];
        assert_eq!(fields["sayso:policy"], format!("{policy}/1"), "{events}");
    }
}
