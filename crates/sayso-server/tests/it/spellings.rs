//! One person under several names (rule 13): the number we write to, the spelling that WhatsApp has of it,
//! and an id. What one of them refuses is refused by all.

use serde_json::{Value, json};

use crate::support::provider::{Says, Shop};
use crate::support::told::text_of;

const NEW: &str = "+5531987650002";
const OLD: &str = "553187650002";
const PHONE: &str = "+14155552671";
const ID: &str = "US.10000000000000000001";
/// Digits that no numbering plan knows.
const RAW: &str = "999123456789";

/// Meta's answer to a send.
fn accepted(id: &str, contact: &Value) -> Value {
    json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": [{ "id": id }] })
}

fn failed(id: &str, recipient: &str, code: u32) -> Value {
    let errors = json!([{ "code": code, "title": "No" }]);
    json!({ "id": id, "status": "failed", "timestamp": "1795255201", "recipient_id": recipient, "errors": errors })
}

async fn meta_with(phone: &str) -> Shop {
    let shop = Shop::at("meta").await;
    shop.agree(phone).await;
    shop
}

#[tokio::test]
async fn a1_parar_from_whatsapps_old_form_stops_both_spellings() {
    let shop = meta_with(NEW).await;
    shop.sent(NEW, &accepted("wamid.1", &json!({ "input": &NEW[1..], "wa_id": OLD }))).await;
    assert_eq!(shop.reason(NEW).await, Value::Null);
    shop.wrote_by_meta(text_of("wamid.in", &json!({ "from": OLD }), "PARAR")).await;
    assert_eq!(shop.reason(NEW).await, "opted_out");
    assert_eq!(shop.reason(&format!("+{OLD}")).await, "opted_out");
    shop.app.post("/v1/messages", &shop.message(NEW)).await.is_problem("message-not-allowed");
}

#[tokio::test]
async fn what_the_answer_to_a_send_names_is_one_account_before_and_after_a_refusal() {
    for other in ["14155552699", RAW] {
        let shown = if other == RAW { RAW.to_owned() } else { format!("+{other}") };
        let contact = json!({ "input": &PHONE[1..], "wa_id": other });
        let after = meta_with(PHONE).await;
        after.sent(PHONE, &accepted("wamid.1", &contact)).await;
        after.wrote_by_meta(text_of("wamid.in", &json!({ "from": other }), "STOP")).await;
        let before = meta_with(PHONE).await;
        before.wrote_by_meta(text_of("wamid.in", &json!({ "from": other }), "STOP")).await;
        assert_eq!(before.reason(PHONE).await, Value::Null, "nobody said that they are one");
        // The one confirmation goes first.
        let confirmed = json!({ "messages": [{ "id": "wamid.0" }] }).to_string();
        before.provider.tell(Says::Answer(200, confirmed));
        before.app.send_due().await;
        before.sent(PHONE, &accepted("wamid.1", &contact)).await;
        for shop in [after, before] {
            assert_eq!(shop.reason(PHONE).await, "opted_out", "{other}");
            assert_eq!(shop.reason(&shown).await, "opted_out", "{other}");
        }
    }
}

#[tokio::test]
async fn an_answer_about_somebody_else_joins_nothing() {
    let shop = meta_with(PHONE).await;
    let contact = json!({ "input": "14155552688", "wa_id": "14155552699" });
    shop.sent(PHONE, &accepted("wamid.1", &contact)).await;
    let two = json!([{ "input": "14155552671", "wa_id": "1" }, { "input": "14155552688", "wa_id": "14155552699" }]);
    shop.sent(PHONE, &json!({ "contacts": two, "messages": [{ "id": "wamid.2" }] })).await;
    shop.wrote_by_meta(text_of("wamid.in", &json!({ "from": "14155552699" }), "STOP")).await;
    assert_eq!(shop.reason(PHONE).await, Value::Null);
}

#[tokio::test]
async fn scenario_60_a_failure_of_our_message_blocks_the_address_we_wrote_to_and_the_one_named() {
    let shop = meta_with(PHONE).await;
    shop.agree("+14155552699").await;
    shop.sent(PHONE, &json!({ "messages": [{ "id": "wamid.1" }] })).await;
    let report = failed("wamid.1", "14155552699", 131_050);
    shop.told_by_meta("messages", json!({ "statuses": [report] })).await;
    for phone in [PHONE, "+14155552699"] {
        assert_eq!(shop.reason(phone).await, "suppressed", "{phone}");
    }
    // From now on the two are one.
    let both = meta_with(PHONE).await;
    both.sent(PHONE, &json!({ "messages": [{ "id": "wamid.1" }] })).await;
    let delivered = json!({ "id": "wamid.1", "status": "delivered", "timestamp": "1795255201", "recipient_id": RAW });
    both.told_by_meta("messages", json!({ "statuses": [delivered] })).await;
    both.wrote_by_meta(text_of("wamid.in", &json!({ "from": RAW }), "STOP")).await;
    assert_eq!(both.reason(PHONE).await, "opted_out");
}

#[tokio::test]
async fn a_failure_that_names_an_id_or_nobody_blocks_the_address_we_wrote_to() {
    let errors = json!([{ "code": 1, "title": "?" }, { "code": 131_050, "title": "No" }]);
    for named in [json!({}), json!({ "recipient_user_id": ID }), json!({ "recipient_id": "" })] {
        let shop = meta_with(PHONE).await;
        shop.sent(PHONE, &json!({ "messages": [{ "id": "wamid.1" }] })).await;
        let mut report = json!({ "id": "wamid.1", "status": "failed", "timestamp": "1795255201", "errors": errors });
        for (name, value) in named.as_object().unwrap() {
            report[name] = value.clone();
        }
        shop.told_by_meta("messages", json!({ "statuses": [report] })).await;
        assert_eq!(shop.reason(PHONE).await, "suppressed", "{named}");
    }
}

#[tokio::test]
async fn a_stop_at_the_platforms_switch_reaches_every_name_of_the_account() {
    let stop = |wa_id: &str, id: &str| json!({ "user_preferences": [{ "wa_id": wa_id, "user_id": id, "detail": "stop", "category": "marketing_messages", "value": "stop", "timestamp": 1_795_255_201 }] });
    let shop = meta_with(NEW).await;
    shop.sent(NEW, &accepted("wamid.1", &json!({ "input": &NEW[1..], "wa_id": RAW }))).await;
    shop.told_by_meta("user_preferences", stop(RAW, ID)).await;
    for address in [NEW, RAW, ID] {
        assert_eq!(shop.reason(address).await, "suppressed", "{address}");
    }
    let resume = json!({ "user_preferences": [{ "wa_id": RAW, "user_id": ID, "category": "marketing_messages", "value": "resume", "timestamp": 1_795_255_205 }] });
    shop.app.advance(sayso_core::time::Span::minutes(1));
    shop.told_by_meta("user_preferences", resume).await;
    assert_eq!(
        shop.reason(NEW).await,
        Value::Null,
        "the platform's own switch opens its own block"
    );
}

#[tokio::test]
async fn what_is_named_with_one_spelling_is_one_with_the_other_in_any_order() {
    let named = text_of("wamid.in.1", &json!({ "from": RAW, "from_user_id": ID }), "Hello");
    let contact = json!({ "input": &PHONE[1..], "wa_id": RAW });
    for id_first in [true, false] {
        let shop = meta_with(PHONE).await;
        if id_first {
            shop.wrote_by_meta(named.clone()).await;
        }
        shop.sent(PHONE, &accepted("wamid.1", &contact)).await;
        if !id_first {
            shop.wrote_by_meta(named.clone()).await;
        }
        shop.wrote_by_meta(text_of("wamid.in.2", &json!({ "from_user_id": ID }), "STOP")).await;
        assert_eq!(shop.reason(PHONE).await, "opted_out", "{id_first}");
    }
}

#[tokio::test]
async fn two_people_who_had_one_number_after_each_other_are_two() {
    let shop = meta_with(PHONE).await;
    shop.agree_by_id("US.2").await;
    let from = |id: &str| json!({ "from": &PHONE[1..], "from_user_id": id });
    shop.wrote_by_meta(text_of("wamid.1", &from("US.1"), "Hello")).await;
    shop.wrote_by_meta(text_of("wamid.2", &from("US.2"), "Hello")).await;
    shop.wrote_by_meta(text_of("wamid.3", &json!({ "from_user_id": "US.1" }), "STOP")).await;
    assert_eq!(
        (shop.reason(PHONE).await, shop.reason("US.2").await),
        (json!("opted_out"), Value::Null)
    );
}

#[tokio::test]
async fn an_id_in_the_place_of_a_number_is_an_id() {
    let shop = meta_with(PHONE).await;
    let contacts = json!([{ "wa_id": "14155552671", "user_id": ID }]);
    let hello = text_of("wamid.1", &json!({ "from": ID }), "Hello");
    shop.told_by_meta("messages", json!({ "messages": [hello], "contacts": contacts })).await;
    shop.wrote_by_meta(text_of("wamid.2", &json!({ "from": ID }), "STOP")).await;
    assert_eq!(shop.reason(PHONE).await, "opted_out");
}

#[tokio::test]
async fn calls_and_echoes_that_name_both_make_them_one() {
    let call = json!({ "calls": [{ "id": "c1", "from": "14155552671", "from_user_id": ID, "to": "15550100900", "timestamp": "1795255201" }] });
    let echo = json!({ "message_echoes": [{ "id": "e1", "from": "15550100900", "to": "14155552671", "to_user_id": ID, "timestamp": "1795255201", "type": "text", "text": { "body": "STOP" } }] });
    let card = json!([{ "origin": "contact_request", "phones": [{ "phone": "+1 415-555-2671", "wa_id": "14155552671" }] }]);
    let shared = json!({ "messages": [{ "id": "w1", "from_user_id": ID, "timestamp": "1795255201", "type": "contacts", "contacts": card }] });
    for (field, value) in [("calls", call), ("smb_message_echoes", echo), ("messages", shared)] {
        let shop = meta_with(PHONE).await;
        shop.told_by_meta(field, value).await;
        assert_eq!(shop.reason(PHONE).await, Value::Null, "{field}: nobody refused");
        shop.wrote_by_meta(text_of("wamid.2", &json!({ "from_user_id": ID }), "STOP")).await;
        assert_eq!(shop.reason(PHONE).await, "opted_out", "{field}");
    }
}

#[tokio::test]
async fn what_names_no_account_joins_nothing() {
    let lone = json!({ "messages": [text_of("w1", &json!({ "from_user_id": ID }), "STOP")], "contacts": [{ "wa_id": "14155552671", "user_id": "US.9" }] });
    let card = json!([{ "origin": "other", "phones": [{ "phone": "+14155552671", "wa_id": "14155552671" }] }]);
    let cards = json!({ "messages": [{ "id": "w2", "from_user_id": ID, "timestamp": "1795255201", "type": "contacts", "contacts": card }, text_of("w3", &json!({ "from_user_id": ID }), "STOP")] });
    for value in [lone, cards] {
        let shop = meta_with(PHONE).await;
        shop.told_by_meta("messages", value).await;
        assert_eq!(
            (shop.reason(PHONE).await, shop.reason(ID).await),
            (Value::Null, json!("opted_out"))
        );
    }
    let shop = meta_with(PHONE).await;
    shop.sent(PHONE, &json!({ "messages": [{ "id": "wamid.1" }] })).await;
    let group = json!({ "id": "wamid.1", "status": "sent", "timestamp": "1795255201", "recipient_type": "group", "recipient_id": RAW });
    shop.told_by_meta("messages", json!({ "statuses": [group] })).await;
    shop.wrote_by_meta(text_of("w4", &json!({ "from": RAW }), "STOP")).await;
    assert_eq!(shop.reason(PHONE).await, Value::Null);
}

#[tokio::test]
async fn gupshup_names_accounts_in_messages_reports_and_preferences() {
    let by_message = json!({ "id": "A1", "source": "14155552671", "type": "text", "payload": { "text": "Hello" }, "sender": { "phone": "14155552671", "userId": ID } });
    let by_report = json!({ "id": "wa-1", "gsId": "gs-1", "type": "delivered", "destination": "14155552671", "userId": ID, "payload": { "ts": 1_795_255_201 } });
    let by_user = json!({ "phone": "14155552671", "userId": ID, "type": "opted-in" });
    for (kind, payload) in
        [("message", by_message), ("message-event", by_report), ("user-event", by_user)]
    {
        let shop = Shop::at("gupshup").await;
        shop.agree(PHONE).await;
        shop.told_by_gupshup(kind, &payload).await;
        let stop = json!({ "id": "A2", "type": "text", "payload": { "text": "STOP" }, "sender": { "userId": ID } });
        shop.told_by_gupshup("message", &stop).await;
        assert_eq!(shop.reason(PHONE).await, "opted_out", "{kind}");
    }
    let shop = Shop::at("gupshup").await;
    shop.agree(PHONE).await;
    shop.agree_by_id(ID).await;
    let preference = json!({ "wa_id": "14155552671", "userid": ID, "category": "marketing_messages", "value": "stop", "timestamp": 1_795_255_201 });
    let payload =
        json!({ "type": "user_preferences", "payload": { "user_preferences": [preference] } });
    shop.told_by_gupshup("preference-event", &payload).await;
    assert_eq!(
        (shop.reason(PHONE).await, shop.reason(ID).await),
        (json!("suppressed"), json!("suppressed"))
    );
}

#[tokio::test]
async fn gupshups_reports_are_of_the_address_we_wrote_to() {
    let taken = json!({ "status": "submitted", "messageId": "gs-1" });
    let v2 = json!({ "id": "wa-1", "gsId": "gs-1", "type": "failed", "destination": RAW, "payload": { "code": 131_050, "reason": "No" } });
    let v3 = json!({ "gs_id": "gs-1", "id": "wamid.1", "meta_msg_id": "wamid.1", "status": "failed", "timestamp": "1795255201", "recipient_id": RAW, "errors": [{ "code": 131_050 }] });
    for version in [2, 3] {
        let shop = Shop::at("gupshup").await;
        shop.agree(PHONE).await;
        shop.sent(PHONE, &taken).await;
        if version == 2 {
            shop.told_by_gupshup("message-event", &v2).await;
        } else {
            shop.passed_on_by_gupshup(&json!({ "statuses": [v3] })).await;
        }
        assert_eq!(
            (shop.reason(PHONE).await, shop.reason(RAW).await),
            (json!("suppressed"), json!("suppressed")),
            "{version}"
        );
    }
}

#[tokio::test]
async fn a6_twilio_names_the_phone_and_the_id_in_any_of_its_parameters() {
    let prefixed = "whatsapp:US.10000000000000000001";
    let hello = |more: &[(&'static str, &'static str)]| {
        let mut form = vec![
            ("MessageSid", "SM1"),
            ("SmsStatus", "received"),
            ("Body", "Hello"),
            ("To", "whatsapp:+15550100901"),
        ];
        form.extend(more);
        form
    };
    for named in [
        hello(&[("From", "whatsapp:+14155552671"), ("ExternalUserId", prefixed)]),
        hello(&[("From", "whatsapp:+14155552671"), ("ExternalUserIdentifier", ID)]),
        hello(&[("From", prefixed), ("WaId", "14155552671")]),
        hello(&[("From", ""), ("WaId", "14155552671"), ("ExternalUserId", prefixed)]),
    ] {
        for stop in [
            hello(&[("From", prefixed)]),
            hello(&[("From", ""), ("ExternalUserId", prefixed)]),
            hello(&[("ExternalUserId", ID)]),
        ] {
            let shop = Shop::at_twilio_by_whatsapp().await;
            shop.agree(PHONE).await;
            shop.told_by_twilio(&named).await;
            assert_eq!(shop.reason(PHONE).await, Value::Null);
            let mut stop = stop;
            stop[0].1 = "SM2";
            stop[2].1 = "STOP";
            shop.told_by_twilio(&stop).await;
            assert_eq!(shop.reason(PHONE).await, "opted_out", "{named:?} {stop:?}");
        }
    }
}

#[tokio::test]
async fn twilios_answers_and_reports_are_of_the_address_we_wrote_to() {
    let shop = Shop::at_twilio_by_whatsapp().await;
    shop.agree(NEW).await;
    shop.sent(NEW, &json!({ "sid": "SM1", "status": "queued", "to": format!("whatsapp:+{RAW}") }))
        .await;
    let stop = [
        ("MessageSid", "SM2"),
        ("SmsStatus", "received"),
        ("Body", "STOP"),
        ("From", "whatsapp:+999123456789"),
        ("To", "whatsapp:+15550100901"),
    ];
    shop.told_by_twilio(&stop).await;
    assert_eq!(shop.reason(NEW).await, "opted_out");

    let shop = Shop::at("twilio").await;
    shop.agree(PHONE).await;
    shop.sent(PHONE, &json!({ "sid": "SM1", "status": "queued" })).await;
    let report = [
        ("MessageSid", "SM1"),
        ("MessageStatus", "undelivered"),
        ("ErrorCode", "21610"),
        ("From", "+15550100900"),
        ("To", "+14155552699"),
    ];
    shop.told_by_twilio(&report).await;
    assert_eq!(shop.reason(PHONE).await, "suppressed");
    assert_eq!(shop.reason("+14155552699").await, "suppressed");
}
