//! A provider's START ends the provider's own block, never a refusal of ours (rule 19).

use axum::http::StatusCode;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::provider::{Says, Shop};

const ADA: &str = "+14155552671";

async fn told(shop: &Shop, id: &'static str, words: &[(&'static str, &'static str)]) {
    let mut form =
        vec![("MessageSid", id), ("SmsStatus", "received"), ("From", ADA), ("To", "+15550100900")];
    form.extend(words);
    shop.app.advance(Span::seconds(5));
    shop.told_by_twilio(&form).await;
}

async fn refused_elsewhere(shop: &Shop) {
    let out = json!({ "phone": ADA, "channel": "sms", "statement": "opt_out", "standing": "act", "method": "preference centre" });
    let recorded = shop.app.post("/v1/consents", &out).await;
    assert_eq!(recorded.status, StatusCode::CREATED, "{}", recorded.text);
}

/// Twilio says that the person texted a stop word to this sender.
async fn blocked_at_twilio(shop: &Shop) {
    let refused = json!({ "code": 21_610, "message": "No", "status": 400 }).to_string();
    shop.send(ADA, Says::Answer(400, refused)).await;
    assert_eq!(shop.reason(ADA).await, "suppressed");
}

#[tokio::test]
async fn a14_a_yes_that_twilio_takes_for_start_lifts_no_refusal_of_ours() {
    for words in ["Yes", "yes please", "Sí", "Hello", ""] {
        let shop = Shop::at("twilio").await;
        shop.agree(ADA).await;
        refused_elsewhere(&shop).await;
        told(&shop, "SM1", &[("Body", words), ("OptOutType", "START")]).await;
        assert_eq!(shop.reason(ADA).await, "opted_out", "{words}");
    }
}

#[tokio::test]
async fn whatever_twilio_takes_for_start_ends_twilios_block() {
    for words in ["Yes", "JOIN", "START", ""] {
        let shop = Shop::at("twilio").await;
        shop.agree(ADA).await;
        blocked_at_twilio(&shop).await;
        told(&shop, "SM1", &[("Body", words), ("OptOutType", "START")]).await;
        assert_eq!(shop.reason(ADA).await, Value::Null, "{words}");
    }
}

#[tokio::test]
async fn both_locks_open_by_their_own_keys() {
    let shop = Shop::at("twilio").await;
    shop.agree(ADA).await;
    blocked_at_twilio(&shop).await;
    refused_elsewhere(&shop).await;
    told(&shop, "SM1", &[("Body", "Yes"), ("OptOutType", "START")]).await;
    assert_eq!(shop.reason(ADA).await, "opted_out");
    // Their own word for it is one to us.
    told(&shop, "SM2", &[("Body", "START"), ("OptOutType", "START")]).await;
    assert_eq!(shop.reason(ADA).await, Value::Null);
}

#[tokio::test]
async fn a_yes_without_a_refusal_is_no_opt_in() {
    let shop = Shop::at("twilio").await;
    told(&shop, "SM1", &[("Body", "Yes"), ("OptOutType", "START")]).await;
    assert_eq!(shop.reason(ADA).await, "no_opt_in");
}
