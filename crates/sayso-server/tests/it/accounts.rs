//! A phone and an id that a provider names as one account, and numbers that change (rule 13).

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::limits;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::act;
use crate::support::provider::{Shop, meta_signature};

const PHONE: &str = "+14155552671";
const ID: &str = "US.10000000000000000001";
const NEW_PHONE: &str = "+14155552672";
const NEW_ID: &str = "US.10000000000000000002";

/// What Meta says in one field of a call.
fn meta(field: &str, mut value: Value) -> String {
    value["metadata"] =
        json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
    let changes = json!([{ "field": field, "value": value }]);
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] })
        .to_string()
}

/// A text, with as much of its writer as `from` says.
fn text(id: &str, from: &Value, text: &str) -> String {
    let mut message = json!({
        "id": id, "timestamp": "1795255201", "type": "text", "text": { "body": text },
    });
    for (name, value) in from.as_object().unwrap() {
        message[name] = value.clone();
    }
    meta("messages", json!({ "messages": [message] }))
}

fn both() -> Value {
    json!({ "from": "14155552671", "from_user_id": ID })
}

/// A person of WhatsApp, as requests name them.
fn who(address: &str) -> (&'static str, String) {
    let field = if address.starts_with('+') { "phone" } else { "channel_id" };
    (field, address.to_owned())
}

struct World {
    shop: Shop,
}

impl World {
    /// A shop at Meta's; whoever is named has agreed on WhatsApp.
    async fn with(agreed: &[&str]) -> Self {
        let world = Self { shop: Shop::at("meta").await };
        for address in agreed {
            world.say(address, "opt_in", "2026-11-21T09:00:00Z").await;
        }
        world
    }

    async fn say(&self, address: &str, statement: &str, at: &str) {
        let notice = self.shop.app.notice(&[]).await;
        let mut said = act(PHONE, statement, at, &notice);
        said.as_object_mut().unwrap().remove("phone");
        let (field, address) = who(address);
        said[field] = address.into();
        said["channel"] = "whatsapp".into();
        let recorded = self.shop.app.post("/v1/consents", &said).await;
        assert_eq!(recorded.status, StatusCode::CREATED, "{}", recorded.text);
    }

    async fn told(&self, body: &str) {
        let path = format!("/hooks/{}", self.shop.connection);
        let request = Request::builder().method("POST").uri(path).header("host", "10.0.0.1:8080");
        let request = request.header("x-hub-signature-256", meta_signature(body));
        let answer = self.shop.app.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""));
    }

    async fn reason(&self, address: &str) -> Value {
        let (field, address) = who(address);
        let question = json!({ field: address, "channel": "whatsapp", "category": "marketing" });
        let answer = self.shop.app.post("/v1/check", &question).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()["reason"].clone()
    }

    async fn events(&self, address: &str) -> Vec<Value> {
        let (field, address) = who(address);
        let path = format!("/v1/events?limit=500&{field}={}", address.replace('+', "%2B"));
        self.shop.app.get(&path).await.json()["events"].as_array().unwrap().clone()
    }

    async fn facts(&self, address: &str) -> Vec<String> {
        let fact = |event: &Value| event["fact"].as_str().unwrap().to_owned();
        self.events(address).await.iter().map(fact).collect()
    }
}

#[tokio::test]
async fn a_refusal_by_any_road_denies_both_addresses_that_a_call_named() {
    let world = World::with(&[PHONE, ID]).await;
    let hello = text("wamid.1", &both(), "What time do you open?");
    world.told(&hello).await;
    assert_eq!((world.reason(PHONE).await, world.reason(ID).await), (Value::Null, Value::Null));
    world.say(ID, "opt_out", "2026-11-21T09:30:00Z").await;
    assert_eq!(world.reason(PHONE).await, "opted_out");
    let send = world.shop.app.post("/v1/messages", &world.shop.message(PHONE)).await;
    assert_eq!(send.is_problem("message-not-allowed")["decision"]["reason"], "opted_out");

    let before = (world.events(PHONE).await, world.events(ID).await);
    world.told(&hello).await;
    assert_eq!((world.events(PHONE).await, world.events(ID).await), before, "a replay");
    world.told(&text("wamid.2", &both(), "And on Sundays?")).await;
    let named = |facts: Vec<String>| facts.iter().filter(|fact| *fact == "same_account").count();
    assert_eq!(named(world.facts(PHONE).await), 1, "named once, it is known");
}

#[tokio::test]
async fn a_stop_by_the_id_alone_denies_the_phone_that_was_named_with_it() {
    let world = World::with(&[PHONE, ID]).await;
    world.told(&text("wamid.1", &both(), "Hello")).await;
    world.told(&text("wamid.2", &json!({ "from_user_id": ID }), "STOP")).await;
    assert_eq!(world.reason(PHONE).await, "opted_out");
    world.shop.app.advance(Span::minutes(10));
    world.say(ID, "opt_in", "2026-11-21T10:05:00Z").await;
    assert_eq!(world.reason(PHONE).await, Value::Null, "what lifts it there ends it here");
}

#[tokio::test]
async fn an_opt_in_goes_to_no_other_address_of_the_account() {
    let world = World::with(&[PHONE]).await;
    world.told(&text("wamid.1", &both(), "Hello")).await;
    assert_eq!(
        (world.reason(PHONE).await, world.reason(ID).await),
        (Value::Null, json!("no_opt_in"))
    );
}

#[tokio::test]
async fn a_stop_with_both_names_is_one_event_of_each_address() {
    let world = World::with(&[PHONE, ID]).await;
    world.told(&text("wamid.1", &both(), "STOP")).await;
    for address in [PHONE, ID] {
        assert_eq!(world.reason(address).await, "opted_out");
        let events = world.events(address).await;
        let own = events.iter().filter(|it| it["says"] == "opt_out" && it["road"] == "inbound");
        assert_eq!(own.count(), 1);
    }
}

#[tokio::test]
async fn a_report_that_names_both_makes_them_one() {
    let world = World::with(&[PHONE, ID]).await;
    let status = json!({
        "id": "wamid.of.others", "status": "delivered", "timestamp": "1795255201",
        "recipient_id": "14155552671", "recipient_user_id": ID,
    });
    let report = meta("messages", json!({ "statuses": [status] }));
    world.told(&report).await;
    world.say(PHONE, "opt_out", "2026-11-21T09:30:00Z").await;
    assert_eq!(world.reason(ID).await, "opted_out");
    let before = world.events(ID).await;
    world.told(&report).await;
    assert_eq!(world.events(ID).await, before);
}

#[tokio::test]
async fn an_unclear_text_of_both_is_reviewed_once() {
    let world = World::with(&[PHONE, ID]).await;
    world.told(&text("wamid.1", &both(), "why do I get these")).await;
    for address in [PHONE, ID] {
        assert_eq!(world.reason(address).await, "under_review");
    }
    let app = &world.shop.app;
    let reviews = app.get("/v1/reviews?channel=whatsapp").await.json();
    let reviews = reviews["reviews"].as_array().unwrap();
    assert_eq!(reviews.len(), 1, "{reviews:?}");
    assert_eq!(reviews[0]["text"], "why do I get these");
    let passed_on = world.events(ID).await;
    let passed_on = passed_on.iter().find(|event| event["says"] == "hold").unwrap();
    assert_eq!(passed_on["source"], "account");
    let path = format!("/v1/reviews/{}/decision", passed_on["id"].as_str().unwrap());
    let decision = json!({ "channel_id": ID, "decision": "opt_out" });
    app.post(&path, &decision).await.is_problem("retraction-refused");
    assert_eq!(world.reason(ID).await, "under_review", "nothing was recorded");
    let path = format!("/v1/reviews/{}/decision", reviews[0]["id"].as_str().unwrap());
    let answer = app.post(&path, &json!({ "phone": PHONE, "decision": "nothing" })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    for address in [PHONE, ID] {
        assert_eq!(world.reason(address).await, Value::Null);
    }
}

#[tokio::test]
async fn an_unclear_text_holds_both_also_where_they_cannot_become_one() {
    let world = World::with(&[PHONE, ID]).await;
    for n in 1..=limits::SAME_ACCOUNT_MAX {
        let other = json!({ "from": "14155552671", "from_user_id": format!("US.9{n}") });
        world.told(&text(&format!("wamid.{n}"), &other, "Hello")).await;
    }
    world.told(&text("wamid.last", &both(), "why do I get these")).await;
    for address in [PHONE, ID] {
        assert_eq!(world.reason(address).await, "under_review");
    }
}

fn changed(system: &Value) -> String {
    let message = json!({
        "from": "14155552671", "id": "wamid.S", "timestamp": "1795255201", "type": "system",
        "system": system,
    });
    meta("messages", json!({ "messages": [message] }))
}

#[tokio::test]
async fn a_new_number_takes_over_refusals_and_no_opt_in_and_a_replay_nothing() {
    let world = World::with(&[PHONE, NEW_PHONE, NEW_ID]).await;
    let news = changed(&json!({
        "type": "user_changed_number", "wa_id": "14155552672", "user_id": NEW_ID,
        "previous_user_id": ID,
    }));
    world.say(ID, "opt_out", "2026-11-21T09:30:00Z").await;
    world.told(&news).await;
    for address in [PHONE, ID, NEW_PHONE, NEW_ID] {
        assert_eq!(world.reason(address).await, "opted_out", "{address}");
    }
    let before = (world.events(NEW_PHONE).await, world.events(PHONE).await);
    world.told(&news).await;
    assert_eq!((world.events(NEW_PHONE).await, world.events(PHONE).await), before);
    assert!(world.facts(NEW_PHONE).await.contains(&"moved_from".to_owned()));
    assert!(!world.facts(PHONE).await.contains(&"moved_from".to_owned()));
}

#[tokio::test]
async fn a_new_number_is_a_new_consent() {
    let world = World::with(&[PHONE]).await;
    let before = world.events(PHONE).await;
    world
        .told(&changed(&json!({ "type": "customer_changed_number", "new_wa_id": "14155552672" })))
        .await;
    assert_eq!(world.reason(NEW_PHONE).await, "no_opt_in");
    assert_eq!(world.events(PHONE).await, before, "the old one stays as it was");
}

#[tokio::test]
async fn a_new_id_without_a_new_number_is_one_account_with_the_number() {
    let world = World::with(&[PHONE, NEW_ID]).await;
    let news = json!({ "type": "user_changed_user_id", "previous_user_id": ID, "user_id": NEW_ID });
    world.told(&changed(&news)).await;
    world.say(PHONE, "opt_out", "2026-11-21T09:30:00Z").await;
    assert_eq!(world.reason(NEW_ID).await, "opted_out");
}
