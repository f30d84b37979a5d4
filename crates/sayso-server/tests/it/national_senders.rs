//! Who wrote, where a gateway names them as they are dialed there, and where no plan knows the number.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::provider::Shop;
use crate::support::told::text_of;

const AMERICAN: &str = "+16463550166";

/// Why marketing may not go to somebody from the second sender; null if it may.
async fn reason(shop: &Shop, phone: &str) -> Value {
    let senders = shop.app.get("/v1/senders").await.json();
    let other =
        senders["senders"].as_array().unwrap().iter().find(|it| it["name"] == "Other").unwrap();
    let ask = json!({ "channel": "sms", "phone": phone, "sender": other["id"] });
    let answer = shop.app.post("/v1/check", &ask).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["reason"].clone()
}

async fn kannel(region: Option<&str>, ours: &str) -> Shop {
    let shop = Shop::at("kannel").await;
    if let Some(region) = region {
        let set = shop.app.call("PUT", "/v1/settings", &json!({ "region": region })).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.text);
    }
    let sender = json!({ "channel": "sms", "name": "Other", "address": ours, "connection": shop.connection });
    assert_eq!(shop.app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    shop.agree(AMERICAN).await;
    shop
}

async fn stop(shop: &Shop, from: &str, to: &str) {
    let call = [
        ("from", from),
        ("to", to),
        ("text", "STOP"),
        ("ts", "1795255201"),
        ("id", "k-1"),
        ("charset", "UTF-8"),
    ];
    shop.told_by_kannel(&call).await;
}

#[tokio::test]
async fn a4_a_national_number_is_read_by_the_region_of_the_workspace_else_of_our_own_number() {
    for (region, ours, to) in [
        (Some("US"), "12345", "12345"),
        (None, "+12015550123", "+12015550123"),
        (None, "+12015550123", "12345"),
        (Some("US"), "+4915123456789", "+4915123456789"),
    ] {
        for from in ["6463550166", "(646) 355-0166", "16463550166", "+16463550166"] {
            let shop = kannel(region, ours).await;
            stop(&shop, from, to).await;
            assert_eq!(reason(&shop, AMERICAN).await, "opted_out", "{region:?} {ours} {to} {from}");
        }
    }
}

#[tokio::test]
async fn a_number_with_its_country_code_is_of_no_other_country() {
    let shop = kannel(Some("NZ"), "12345").await;
    stop(&shop, "+16463550166", "12345").await;
    assert_eq!(reason(&shop, AMERICAN).await, "opted_out");
    let shop = kannel(Some("US"), "12345").await;
    shop.agree("+4915123456789").await;
    stop(&shop, "4915123456789", "12345").await;
    assert_eq!(reason(&shop, "+4915123456789").await, "opted_out");
}

#[tokio::test]
async fn who_cannot_be_read_is_counted_and_kept_among_the_rejects() {
    for from in ["0171", "INFO", ""] {
        let shop = kannel(None, "12345").await;
        stop(&shop, from, "12345").await;
        let rejects = shop.app.get(&format!("/v1/rejects?source={}", shop.connection)).await.json();
        assert!(rejects["rejects"][0]["body"].as_str().unwrap().contains("text=STOP"), "{rejects}");
        assert!(!shop.app.metrics().await.contains("sayso_hook_unknown_events_total 0"));
    }
}

#[tokio::test]
async fn a5_a_number_that_no_plan_knows_is_kept_as_whatsapp_writes_it() {
    for from in ["999123456789", "+999123456789"] {
        let shop = Shop::at("meta").await;
        shop.wrote_by_meta(text_of("w1", &json!({ "from": from }), "STOP")).await;
        assert_eq!(shop.reason("999123456789").await, "opted_out", "{from}");
        let events = shop.app.get("/v1/events?channel_id=999123456789").await.json();
        assert_eq!(events["events"][0]["evidence"]["fields"]["sayso:text"], "STOP", "{events}");
    }
    let shop = Shop::at("gupshup").await;
    let message = json!({ "id": "A1", "source": "999123456789", "type": "text", "payload": { "text": "STOP" } });
    shop.told_by_gupshup("message", &message).await;
    assert_eq!(shop.reason("999123456789").await, "opted_out");
    // It is no number of the country that the workspace is in, though its digits may look so.
    let shop = Shop::at("meta").await;
    shop.app.call("PUT", "/v1/settings", &json!({ "region": "DE" })).await;
    shop.wrote_by_meta(text_of("w1", &json!({ "from": "553187650002" }), "STOP")).await;
    assert_eq!(shop.reason("+49553187650002").await, "no_opt_in");
    let nobody = shop.app.get("/v1/events?phone=%2B49553187650002").await.json();
    assert_eq!(nobody["events"], Value::Array(Vec::new()));
}
