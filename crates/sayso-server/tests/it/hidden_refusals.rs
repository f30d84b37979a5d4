//! The places where a refusal can stand in what a person sends: edits, buttons, captions, flows, and words
//! that the provider could not pass on.

use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::provider::Shop;
use crate::support::told::{message_of, text_of};

const PHONE: &str = "+14155552671";

fn ada() -> Value {
    json!({ "from": "14155552671" })
}

/// An edit of a message into another.
fn edit(id: &str, message: &Value) -> Value {
    message_of(id, &ada(), "edit", &json!({ "original_message_id": "w0", "message": message }))
}

async fn after(message: Value) -> Value {
    let shop = Shop::at("meta").await;
    shop.agree(PHONE).await;
    shop.wrote_by_meta(message).await;
    shop.reason(PHONE).await
}

#[tokio::test]
async fn a7_a_message_edited_into_stop_is_a_stop() {
    for inner in [
        json!({ "context": { "id": "M0" }, "type": "text", "text": { "body": "STOP" } }),
        json!({ "type": "image", "image": { "caption": "Stop promotions", "id": "1" } }),
        json!({ "text": { "body": "Unsubscribe" } }),
        json!({ "type": "video", "video": { "caption": "STOP" } }),
    ] {
        assert_eq!(after(edit("w1", &inner)).await, "opted_out", "{inner}");
    }
    for lost in [json!({ "type": "poll" }), json!({}), Value::Null] {
        assert_eq!(after(edit("w1", &lost)).await, "under_review", "{lost}");
    }
}

#[tokio::test]
async fn an_edit_or_a_deletion_of_a_stop_takes_nothing_back() {
    let hello = json!({ "type": "text", "text": { "body": "Hello" } });
    let later = [
        edit("w2", &hello),
        edit("w2", &json!({ "type": "text", "text": { "body": "Yes" } })),
        message_of("w2", &ada(), "revoke", &json!({ "original_message_id": "w1" })),
        message_of("w2", &ada(), "reaction", &json!({ "message_id": "w1", "emoji": "👍" })),
    ];
    for later in later {
        let shop = Shop::at("meta").await;
        shop.agree(PHONE).await;
        shop.wrote_by_meta(text_of("w1", &ada(), "STOP")).await;
        shop.app.advance(Span::minutes(1));
        shop.wrote_by_meta(later.clone()).await;
        assert_eq!(shop.reason(PHONE).await, "opted_out", "{later}");
    }
}

#[tokio::test]
async fn an_edited_message_is_a_message_of_its_own() {
    let shop = Shop::at("meta").await;
    shop.agree(PHONE).await;
    shop.wrote_by_meta(text_of("w1", &ada(), "Hello")).await;
    let stop = json!({ "type": "text", "text": { "body": "STOP" } });
    // Some gateways repeat the id of the message that was edited.
    shop.wrote_by_meta(edit("w1", &stop)).await;
    assert_eq!(shop.reason(PHONE).await, "opted_out");
    let events = shop.app.get("/v1/events?phone=%2B14155552671").await.text;
    shop.wrote_by_meta(edit("w1", &stop)).await;
    assert_eq!(shop.app.get("/v1/events?phone=%2B14155552671").await.text, events, "a replay");
}

fn pressed(payload: &str, text: &str) -> Value {
    message_of("w1", &ada(), "button", &json!({ "payload": payload, "text": text }))
}

fn replied(kind: &str, reply: &Value) -> Value {
    message_of("w1", &ada(), "interactive", &json!({ "type": kind, kind: reply }))
}

#[tokio::test]
async fn a_refusal_on_a_button_or_behind_it_is_a_refusal() {
    for message in [
        pressed("PAYLOAD_1", "Stop promotions"),
        pressed("STOP", "No more of this"),
        pressed("opt-out", "👋"),
        pressed("UNSUBSCRIBE", ""),
        replied("button_reply", &json!({ "id": "stop_all", "title": "STOP" })),
        replied("list_reply", &json!({ "id": "opt_out", "title": "3", "description": "…" })),
        replied("list_reply", &json!({ "id": "3", "title": "Unsubscribe" })),
        message_of(
            "w1",
            &ada(),
            "order",
            &json!({ "catalog_id": "1", "text": "STOP", "product_items": [] }),
        ),
        message_of(
            "w1",
            &ada(),
            "document",
            &json!({ "id": "1", "filename": "a.pdf", "caption": "STOP" }),
        ),
        message_of(
            "w1",
            &ada(),
            "ephemeral",
            &json!({ "message": { "type": "text", "text": { "body": "STOP" } } }),
        ),
        message_of("w1", &ada(), "news_of_2027", &json!({ "body": "STOP" })),
    ] {
        assert_eq!(after(message.clone()).await, "opted_out", "{message}");
    }
}

#[tokio::test]
async fn a_button_that_stops_something_else_says_nothing() {
    for message in [
        pressed("cancel", "Cancel my order"),
        pressed("YES", "Yes please"),
        pressed("offers", "More offers"),
        message_of("w1", &ada(), "reaction", &json!({ "message_id": "M", "emoji": "🛑" })),
        message_of("w1", &ada(), "request_welcome", &json!({})),
        message_of("w1", &ada(), "location", &json!({ "latitude": 1, "longitude": 2 })),
    ] {
        assert_eq!(after(message.clone()).await, Value::Null, "{message}");
    }
}

#[tokio::test]
async fn words_that_were_lost_or_may_be_anybodys_are_held_for_review() {
    let errors = json!([{ "code": 131_051, "title": "Message type unknown" }]);
    let unsupported = |of: Value| {
        let mut message = message_of("w1", &ada(), "unsupported", &of);
        message["errors"] = errors.clone();
        message
    };
    let flow = json!({ "name": "flow", "body": "Sent", "response_json": "{\"flow_token\":\"t\",\"comment\":\"STOP\"}" });
    for message in [
        unsupported(json!({ "type": "edit" })),
        unsupported(json!({ "type": "button" })),
        unsupported(json!({ "type": "interactive" })),
        unsupported(Value::Null),
        replied("nfm_reply", &flow),
        replied(
            "list_reply",
            &json!({ "id": "2", "title": "Two", "description": "Stop promotions" }),
        ),
    ] {
        assert_eq!(after(message.clone()).await, "under_review", "{message}");
    }
    for of in ["poll_creation", "pin", "gif", "reaction"] {
        assert_eq!(after(unsupported(json!({ "type": of }))).await, Value::Null, "{of}");
    }
    let shop = Shop::at("meta").await;
    shop.agree(PHONE).await;
    shop.wrote_by_meta(unsupported(json!({ "type": "edit" }))).await;
    let reviews = shop.app.get("/v1/reviews?channel=whatsapp").await.json();
    let text = reviews["reviews"][0]["text"].as_str().unwrap();
    assert!(text.contains("unsupported/edit"), "{text}");
}

#[tokio::test]
async fn in_a_group_and_in_standby_a_refusal_is_heard_and_in_a_history_it_is_held() {
    let mut grouped = text_of("w1", &ada(), "STOP");
    grouped["group_id"] = "g1".into();
    assert_eq!(after(grouped.clone()).await, "opted_out");
    grouped["text"]["body"] = "START".into();
    let shop = Shop::at("meta").await;
    shop.wrote_by_meta(grouped).await;
    let events = shop.app.get("/v1/events?phone=%2B14155552671").await.json();
    assert_eq!(events["events"], json!([]), "a group opens nothing");

    let shop = Shop::at("meta").await;
    shop.agree(PHONE).await;
    let standby = json!({ "messages": [text_of("w1", &ada(), "STOP")] });
    shop.told_by_meta("standby", standby).await;
    assert_eq!(shop.reason(PHONE).await, "opted_out");

    for (text, reason) in [("STOP", json!("under_review")), ("Hello", Value::Null)] {
        let shop = Shop::at("meta").await;
        shop.agree(PHONE).await;
        let thread = json!({ "id": "14155552671", "messages": [text_of("w1", &ada(), text)] });
        let history = json!({ "history": [{ "metadata": { "phase": 0 }, "threads": [thread] }] });
        shop.told_by_meta("history", history).await;
        assert_eq!(shop.reason(PHONE).await, reason, "{text}");
    }
}

#[tokio::test]
async fn the_platforms_stop_of_a_kind_that_we_do_not_know_is_a_stop_of_all() {
    for (value, category) in
        [("stop", "all_messages"), ("STOP", "marketing_messages"), ("stop", "")]
    {
        let shop = Shop::at("meta").await;
        shop.agree(PHONE).await;
        let said = json!({ "wa_id": "14155552671", "category": category, "value": value, "timestamp": 1_795_255_201 });
        shop.told_by_meta("user_preferences", json!({ "user_preferences": [said] })).await;
        assert_eq!(shop.reason(PHONE).await, "suppressed", "{value} {category}");
    }
}

#[tokio::test]
async fn gupshup_brings_a_refusal_in_each_of_its_places() {
    let of = |kind: &str, content: &Value| json!({ "id": "A1", "source": "14155552671", "type": kind, "payload": content });
    for (message, reason) in [
        (
            of(
                "button_reply",
                &json!({ "id": "1", "title": "No thanks", "postbackText": "STOP", "reply": "No thanks 1" }),
            ),
            "opted_out",
        ),
        (of("quick_reply", &json!({ "text": "Stop promotions" })), "opted_out"),
        (of("quick_reply", &json!({ "postbackText": "unsubscribe", "text": "Bye" })), "opted_out"),
        (of("list_reply", &json!({ "id": "opt_out", "title": "3" })), "opted_out"),
        (of("button", &json!({ "payload": "STOP", "text": "Bye" })), "opted_out"),
        (of("image", &json!({ "url": "https://x.example", "caption": "STOP" })), "opted_out"),
        (
            of("edit", &json!({ "message": { "type": "text", "text": { "body": "STOP" } } })),
            "opted_out",
        ),
        (of("edit", &json!({ "text": "STOP" })), "opted_out"),
        (of("edit", &json!({})), "under_review"),
        (of("unsupported", &json!({})), "under_review"),
        (of("new_kind", &json!({ "text": "STOP" })), "opted_out"),
    ] {
        let shop = Shop::at("gupshup").await;
        shop.agree(PHONE).await;
        shop.told_by_gupshup("message", &message).await;
        assert_eq!(shop.reason(PHONE).await, reason, "{message}");
    }
}

#[tokio::test]
async fn twilio_brings_a_refusal_in_each_of_its_places() {
    let form = |more: &[(&'static str, &'static str)]| {
        let mut form = vec![
            ("MessageSid", "SM1"),
            ("SmsStatus", "received"),
            ("From", "whatsapp:+14155552671"),
            ("To", "whatsapp:+15550100901"),
        ];
        form.extend(more);
        form
    };
    for (form, reason) in [
        (form(&[("Body", "Bye"), ("ButtonText", "Bye"), ("ButtonPayload", "STOP")]), "opted_out"),
        (form(&[("Body", ""), ("ButtonText", "Stop promotions")]), "opted_out"),
        (form(&[("Body", "3"), ("ListId", "opt_out"), ("ListTitle", "3")]), "opted_out"),
        (form(&[("ListTitle", "Unsubscribe"), ("ListId", "3")]), "opted_out"),
        (
            form(&[("Body", "STOP"), ("NumMedia", "1"), ("MediaUrl0", "https://x.example/1")]),
            "opted_out",
        ),
        (form(&[("OptOutType", "STOP")]), "opted_out"),
        (form(&[("Body", "Baja ya"), ("OptOutType", " stop ")]), "opted_out"),
        (form(&[("Body", ""), ("InteractiveData", "{\"a\":[{\"b\":\"STOP\"}]}")]), "under_review"),
    ] {
        let shop = Shop::at_twilio_by_whatsapp().await;
        shop.agree(PHONE).await;
        shop.told_by_twilio(&form).await;
        assert_eq!(shop.reason(PHONE).await, reason, "{form:?}");
    }
    for (event, source, reason) in [
        ("onMessageAdded", "WHATSAPP", json!("opted_out")),
        ("onMessageUpdated", "WHATSAPP", json!("opted_out")),
        ("onMessageAdded", "API", Value::Null),
    ] {
        let shop = Shop::at_twilio_by_whatsapp().await;
        shop.agree(PHONE).await;
        let form = [
            ("EventType", event),
            ("Source", source),
            ("MessageSid", "IM1"),
            ("Author", "whatsapp:+14155552671"),
            ("Body", "STOP"),
        ];
        shop.told_by_twilio(&form).await;
        assert_eq!(shop.reason(PHONE).await, reason, "{event} {source}");
    }
}
