//! What errors of sends say about people: refusals that are inferred (rule 15), and addresses that do
//! not exist (rule 12).

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::act;
use crate::support::provider::{HOOK_TOKEN, Says, Shop, twilio_signature};

const ADA: &str = "+14155552671";

fn error(code: u32) -> Says {
    Says::Answer(400, json!({ "code": code, "message": "No", "status": 400 }).to_string())
}

async fn reason(shop: &Shop, phone: &str, category: &str) -> Value {
    let ask = json!({ "phone": phone, "channel": shop.channel, "category": category });
    shop.app.post("/v1/check", &ask).await.json()["reason"].clone()
}

async fn events(shop: &Shop, phone: &str) -> Value {
    let phone = phone.replace('+', "%2B");
    shop.app.get(&format!("/v1/events?phone={phone}")).await.json()["events"].clone()
}

/// People who agreed and then blocked the sender, by what Twilio says.
async fn block(shop: &Shop, people: &[&str]) {
    let notice = shop.app.notice(&[]).await;
    for phone in people {
        let yes = act(phone, "opt_in", "2026-11-21T09:00:00Z", &notice);
        shop.app.post("/v1/consents", &yes).await;
        assert_eq!(shop.send(phone, error(63_014)).await["failure"], "63014");
    }
}

async fn limit(shop: &Shop, most: u32) {
    let settings = json!({ "inferred_refusals_per_day": most });
    let put = shop.app.call("PUT", "/v1/settings", &settings).await;
    assert_eq!(put.json()["inferred_refusals_per_day"], most, "{}", put.text);
}

async fn groups(shop: &Shop) -> Vec<Value> {
    let page = shop.app.get("/v1/reviews/inferred").await.json();
    page["groups"].as_array().unwrap().clone()
}

fn path(group: &Value) -> String {
    format!("/v1/reviews/inferred/{}/decision", group["id"].as_str().unwrap())
}

#[tokio::test]
async fn an_inferred_refusal_is_the_systems_and_may_be_retracted() {
    let shop = Shop::at("twilio").await;
    block(&shop, &[ADA]).await;
    assert_eq!(reason(&shop, ADA, "utility").await, "opted_out");
    let event = events(&shop, ADA).await[0].clone();
    assert_eq!((&event["actor"], &event["road"]), (&json!("system"), &json!("system")), "{event}");
    assert!(groups(&shop).await.is_empty(), "one is no group");
    let retraction = json!({ "phone": ADA });
    let path = format!("/v1/events/{}/retraction", event["id"].as_str().unwrap());
    let retracted = shop.app.post(&path, &retraction).await;
    assert_eq!(retracted.status, StatusCode::OK, "{}", retracted.text);
    assert_eq!(reason(&shop, ADA, "utility").await, Value::Null);
}

#[tokio::test]
async fn past_the_limit_of_a_day_they_deny_and_are_left_out_together() {
    let shop = Shop::at("twilio").await;
    limit(&shop, 1).await;
    let people = ["+14155552671", "+14155552672", "+14155552673"];
    block(&shop, &people).await;
    for phone in people {
        assert_eq!(reason(&shop, phone, "utility").await, "opted_out", "{phone}");
    }
    let open = groups(&shop).await;
    assert_eq!(open.len(), 1);
    assert_eq!((&open[0]["held"], &open[0]["state"]), (&json!(2), &json!("open")), "{open:?}");
    assert_eq!(open[0]["day"], "2026-11-21");
    shop.app.post(&path(&open[0]), &json!({})).await.is_problem("missing-field");
    let retract = json!({ "decision": "retract" });
    for _ in 0..2 {
        let decided = shop.app.post(&path(&open[0]), &retract).await.json();
        assert_eq!(decided["state"], "retracted", "{decided}");
    }
    assert_eq!(reason(&shop, people[0], "utility").await, "opted_out", "it was none of the group");
    for phone in &people[1..] {
        assert_eq!(reason(&shop, phone, "utility").await, Value::Null, "{phone}");
    }
    // What comes after the decision is another group.
    block(&shop, &["+14155552674"]).await;
    assert_eq!(reason(&shop, "+14155552674", "utility").await, "opted_out");
    let all = groups(&shop).await;
    assert_eq!(all.len(), 2);
    let next = all.iter().find(|group| group["state"] == "open").unwrap();
    assert_eq!(next["held"], 1);
    let confirmed = shop.app.post(&path(next), &json!({ "decision": "confirm" })).await.json();
    assert_eq!(confirmed["state"], "confirmed");
    shop.app.post(&path(next), &retract).await.is_problem("already-decided");
    assert_eq!(reason(&shop, "+14155552674", "utility").await, "opted_out");
}

#[tokio::test]
async fn a_new_day_counts_anew_and_the_same_report_again_counts_nothing() {
    let shop = Shop::at("twilio").await;
    limit(&shop, 1).await;
    block(&shop, &["+14155552671"]).await;
    shop.app.advance(Span::hours(14));
    block(&shop, &["+14155552672"]).await;
    assert!(groups(&shop).await.is_empty());
    block(&shop, &["+14155552673"]).await;
    assert_eq!(groups(&shop).await.len(), 1);
    let too_many = json!({ "inferred_refusals_per_day": 100_001 });
    let refused = shop.app.call("PUT", "/v1/settings", &too_many).await;
    assert_eq!(
        refused.is_problem("invalid-value")["errors"][0]["pointer"],
        "/inferred_refusals_per_day"
    );
}

#[tokio::test]
async fn what_is_told_later_and_twice_is_inferred_and_counted_once() {
    let shop = Shop::at("twilio").await;
    limit(&shop, 0).await;
    shop.agree(ADA).await;
    let accepted = json!({ "sid": "SM7", "status": "queued" }).to_string();
    let message = shop.send(ADA, Says::Answer(201, accepted)).await;
    let path =
        format!("/hooks/{}?sayso_message={}", shop.connection, message["id"].as_str().unwrap());
    let form = [
        ("MessageSid", "SM7"),
        ("MessageStatus", "undelivered"),
        ("ErrorCode", "63014"),
        ("From", "+15550100900"),
        ("To", ADA),
    ];
    for _ in 0..2 {
        assert_eq!(tell(&shop, &path, &form).await, StatusCode::OK);
    }
    let id = message["id"].as_str().unwrap();
    assert_eq!(shop.read(id).await["failure"], "63014");
    assert_eq!(reason(&shop, ADA, "utility").await, "opted_out");
    let open = groups(&shop).await;
    assert_eq!((open.len(), &open[0]["held"]), (1, &json!(1)), "{open:?}");
}

#[tokio::test]
async fn an_address_counts_as_invalid_once_three_messages_fail_so_and_a_message_from_it_lifts_that()
{
    let shop = Shop::at("twilio").await;
    shop.agree(ADA).await;
    for n in 1..=3 {
        assert_eq!(reason(&shop, ADA, "utility").await, Value::Null, "before message {n}");
        assert_eq!(shop.send(ADA, error(21_211)).await["failure"], "21211");
    }
    assert_eq!(reason(&shop, ADA, "utility").await, "suppressed");
    assert_eq!(events(&shop, ADA).await[0]["actor"], "provider");
    let elsewhere = json!({ "phone": ADA, "channel": "whatsapp", "category": "utility", "require_opt_in": false });
    assert_eq!(
        shop.app.post("/v1/check", &elsewhere).await.json()["decision"],
        "allow",
        "that channel alone"
    );
    shop.app.advance(Span::seconds(5));
    assert_eq!(write(&shop, "Hello").await, StatusCode::OK);
    assert_eq!(reason(&shop, ADA, "utility").await, Value::Null);
    assert_eq!(shop.send(ADA, error(21_211)).await["failure"], "21211");
    assert_eq!(reason(&shop, ADA, "utility").await, Value::Null, "it counts anew");
}

/// Words of Ada's by Twilio.
async fn write(shop: &Shop, text: &str) -> StatusCode {
    let path = format!("/hooks/{}", shop.connection);
    let form = [("MessageSid", "SM1"), ("Body", text), ("From", ADA), ("To", "+15550100900")];
    tell(shop, &path, &form).await
}

/// What Twilio tells.
async fn tell(shop: &Shop, path: &str, form: &[(&str, &str)]) -> StatusCode {
    let signature = twilio_signature(&format!("https://consent.example{path}"), form);
    let pairs = form.iter().map(|(name, value)| format!("{name}={}", value.replace('+', "%2B")));
    let body = pairs.collect::<Vec<_>>().join("&");
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature);
    shop.app.send(request.body(Body::from(body)).unwrap()).await.status
}

#[tokio::test]
async fn a_carrier_that_knows_no_such_number_makes_it_invalid_at_once() {
    let shop = Shop::at("kannel").await;
    shop.agree(ADA).await;
    let message = shop.send(ADA, Says::Answer(202, "0: Accepted for delivery".into())).await;
    let id = message["id"].as_str().unwrap();
    let path = format!(
        "/hooks/{}?token={HOOK_TOKEN}&sayso_message={id}&dlr=16&foreign=7&answer=NACK/0x0000000b/Invalid&ts=1795255201",
        shop.connection
    );
    for _ in 0..2 {
        let request = Request::builder().uri(&path).body(Body::empty()).unwrap();
        assert_eq!(shop.app.send(request).await.status, StatusCode::OK);
        assert_eq!(reason(&shop, ADA, "utility").await, "suppressed");
    }
    assert_eq!(events(&shop, ADA).await.as_array().unwrap().len(), 2, "told twice, one event");
}
