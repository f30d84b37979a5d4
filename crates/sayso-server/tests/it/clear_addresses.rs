//! No address stands in a file in clear, however it is spelled: not while the server runs, not once it
//! stopped, not in a backup, and after an erasure not even sealed.

use std::path::Path;

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::hooks::{call, encoded, get, meta_told, write};
use crate::support::TestApp;
use crate::support::provider::{HOOK_TOKEN, Says, Shop, meta_signature, twilio_signature};

mod spellings;

const ADA: &str = "+14155552671";
const EMAIL: &str = "ada.lovelace@shop.example";
const FORM: &str = "application/x-www-form-urlencoded";

/// An id as WhatsApp makes them: inside the Base64 is the phone number, after so many other bytes.
fn wamid(before: usize) -> String {
    let number = ADA.trim_start_matches('+').as_bytes();
    let head = [0x1c, 0x18, 0x0b, 0x15, 0x02];
    let bytes =
        [&head[..3 + before], number, b"\x15\x02\x00\x11\x18\x12", b"9D2E0F6A7B1C3D4E", &[0]]
            .concat();
    format!("wamid.{}", STANDARD.encode(bytes))
}

/// A report that names a message by the provider's id, and by nothing else.
async fn report(shop: &Shop, provider: &str, id: &str, status: &str) {
    let path = format!("/hooks/{}", shop.connection);
    let secret = format!("{path}?token={HOOK_TOKEN}");
    let answer = match provider {
        "meta" => {
            let told = json!({ "id": id, "status": status, "timestamp": "1795255201", "recipient_id": &ADA[1..] });
            let metadata = json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
            let value = json!({ "messaging_product": "whatsapp", "metadata": metadata, "statuses": [told] });
            let changes = json!([{ "field": "messages", "value": value }]);
            let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] });
            return meta_told(shop, &body.to_string()).await;
        }
        "gupshup" => {
            let event = json!({ "id": wamid(1), "gsId": id, "type": status, "destination": &ADA[1..], "payload": { "ts": 1_795_255_201 } });
            let body = json!({ "app": "ShopApp", "timestamp": 1_795_255_201_000_i64, "version": 2, "type": "message-event", "payload": event });
            call(&shop.app, &secret, &[], &body.to_string()).await
        }
        "twilio" => {
            let told = [
                ("MessageSid", id),
                ("MessageStatus", status),
                ("From", "+15550100900"),
                ("To", ADA),
            ];
            let signature = twilio_signature(&format!("https://consent.example{path}"), &told);
            let headers = [("x-twilio-signature", signature.as_str()), ("content-type", FORM)];
            call(&shop.app, &path, &headers, &encoded(&told)).await
        }
        _ => {
            let dlr = if status == "delivered" { 1 } else { 8 };
            let id = id.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F");
            get(&shop.app, &format!("{secret}&dlr={dlr}&foreign={id}&answer=&ts=1795255201")).await
        }
    };
    assert_eq!(answer.status, StatusCode::OK, "{provider}: {}", answer.text);
}

/// A call that is the provider's own and says nothing that Sayso knows: it is kept among the rejects.
async fn odd_call(shop: &Shop, provider: &str) {
    let path = format!("/hooks/{}", shop.connection);
    let secret = format!("{path}?token={HOOK_TOKEN}");
    let odd = json!({ "object": [wamid(2)], "phone": ADA }).to_string();
    match provider {
        "meta" => {
            call(&shop.app, &path, &[("x-hub-signature-256", &meta_signature(&odd))], &odd).await
        }
        "gupshup" => call(&shop.app, &secret, &[("content-type", "application/json")], &odd).await,
        "twilio" => {
            let told = [("Id", wamid(2)), ("Phone", ADA.to_owned())];
            let told: Vec<(&str, &str)> =
                told.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let signature = twilio_signature(&format!("https://consent.example{path}"), &told);
            let headers = [("x-twilio-signature", signature.as_str()), ("content-type", FORM)];
            call(&shop.app, &path, &headers, &encoded(&told)).await
        }
        _ => get(&shop.app, &format!("{secret}&odd=%2B14155552671")).await,
    };
}

/// One person's whole story by one provider: asked for, agreed, written to, reported on before and after the
/// provider's answer, looked up, and gone by STOP. Gives the message's id.
async fn live_through(shop: &Shop, provider: &str) -> String {
    shop.agree(ADA).await;
    let person = json!({ "external_id": "u-1", "phone": ADA, "email": EMAIL, "attributes": { "name": "Ada" } });
    let known = shop.app.post("/v1/profiles", &person).await;
    assert!(known.status.is_success(), "{}", known.text);
    let (ours, early) = (wamid(0), wamid(1));
    for id in [&ours, &early] {
        report(shop, provider, id, "sent").await;
    }
    let accepted = match provider {
        "meta" => Says::Answer(200, json!({ "messages": [{ "id": ours }] }).to_string()),
        "gupshup" => {
            Says::Answer(202, json!({ "status": "submitted", "messageId": ours }).to_string())
        }
        "twilio" => Says::Answer(201, json!({ "sid": ours, "status": "queued" }).to_string()),
        _ => Says::Answer(202, "0: Accepted for delivery".into()),
    };
    let message = shop.send(ADA, accepted).await;
    assert_eq!(
        message["state"],
        if provider == "kannel" { "handed_over" } else { "sent" },
        "{provider}: {message}"
    );
    report(shop, provider, &ours, "delivered").await;
    let id = message["id"].as_str().unwrap().to_owned();
    let now = shop.read(&id).await;
    if provider != "kannel" {
        assert_eq!(
            (&now["provider_id"], &now["state"]),
            (&json!(ours), &json!("delivered")),
            "{provider}"
        );
    }
    odd_call(shop, provider).await;
    let wrong =
        json!({ "phone": "+1 (415) 555-2671 or so", "channel": "sms", "statement": "opt_out" });
    assert!(!shop.app.post("/v1/consents", &wrong).await.status.is_success());
    shop.app.get("/v1/events?phone=%2B14155552671").await;
    assert_eq!(write(shop, provider, "STOP").await.status, StatusCode::OK);
    id
}

/// Whatever is asked for is kept by now.
async fn settle(app: &TestApp) -> usize {
    let rejects = app.get("/v1/rejects").await;
    rejects.json()["rejects"].as_array().unwrap().len()
}

fn is_clean(directory: &Path, when: &str) {
    let phone = spellings::of_phone(ADA);
    assert!(phone.len() >= 143, "{}", phone.len());
    for spellings in [phone, spellings::of_email(EMAIL)] {
        let found = spellings::found(directory, &spellings);
        assert!(found.is_empty(), "{when}: {found:#?}");
    }
}

#[tokio::test]
async fn no_address_is_in_clear_in_any_file_running_stopped_backed_up_or_erased() {
    for provider in ["meta", "gupshup", "twilio", "kannel"] {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let app = TestApp::on_disk(&at("store"), Shop::options()).await;
        let shop = Shop::over(app, provider).await;
        let id = live_through(&shop, provider).await;
        assert!(settle(&shop.app).await >= 1, "{provider}");
        is_clean(&at("store"), &format!("{provider}, running"));
        shop.app.store.backup(&at("backup")).await.unwrap();
        is_clean(&at("backup"), &format!("{provider}, backed up"));
        let Shop { app, .. } = shop;
        let app = app.restarted(&at("store"), Span::seconds(1)).await;
        is_clean(&at("store"), &format!("{provider}, stopped and started"));
        let erased = app.post("/v1/erasures", &json!({ "phone": ADA, "reason": "asked" })).await;
        assert!(erased.status.is_success(), "{}", erased.text);
        assert_eq!(settle(&app).await, 0, "{provider}: what may speak of the person is gone");
        let message = app.get(&format!("/v1/messages/{id}")).await.json();
        assert_eq!(
            (&message["to"], &message["provider_id"]),
            (&Value::Null, &Value::Null),
            "{provider}"
        );
        is_clean(&at("store"), &format!("{provider}, erased"));
        app.store.backup(&at("backup after")).await.unwrap();
        is_clean(&at("backup after"), &format!("{provider}, erased and backed up"));
        app.store.close().await.unwrap();
        is_clean(&at("store"), &format!("{provider}, erased and stopped"));
    }
}
