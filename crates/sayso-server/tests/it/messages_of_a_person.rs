//! `GET /v1/messages?phone=…`: what was sent to one person.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

const ADA: &str = "+14155550101";
const BOB: &str = "+14155550102";
const MAIL: &str = "ada@example.org";

/// A shop that sends by SMS and email, and three messages to Ada, by two ways, with one to Bob between.
async fn shop() -> (TestApp, Vec<String>) {
    let app = TestApp::start().await;
    let phones = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let phones = app.post("/v1/connections", &phones).await.json()["id"].clone();
    for (channel, address) in [("sms", "12345"), ("email", "shop@example.org")] {
        let sender =
            json!({ "channel": channel, "name": "Shop", "address": address, "connection": phones });
        let made = app.post("/v1/senders", &sender).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    }
    let mut ids = Vec::new();
    for to in [ADA, BOB, ADA, MAIL] {
        ids.push(send(&app, to).await);
    }
    (app, ids)
}

async fn send(app: &TestApp, to: &str) -> String {
    let mut message = json!({ "to": to, "channel": "sms", "text": "Paid.", "category": "utility",
        "require_opt_in": false });
    if to.contains('@') {
        message["channel"] = json!("email");
        message["subject"] = json!("Your order");
    }
    let answer = app.post("/v1/messages", &message).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn ids(app: &TestApp, query: &str) -> Vec<String> {
    let answer = app.get(&format!("/v1/messages?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text);
    let page = answer.json();
    let messages = page["messages"].as_array().unwrap().iter();
    messages.map(|message| message["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn messages_to_a_phone_are_listed_the_newest_first_and_nobody_elses() {
    let (app, sent) = shop().await;
    let [first, bobs, second, mail] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(ids(&app, "phone=%2B14155550101").await, [second, first].map(Clone::clone));
    assert_eq!(ids(&app, "phone=%2B1%20(415)%20555-0101").await.len(), 2, "as it is typed");
    assert_eq!(ids(&app, "phone=%2B14155550102").await, std::slice::from_ref(bobs));
    assert_eq!(ids(&app, "email=ada@example.org").await, std::slice::from_ref(mail));
    assert!(ids(&app, "phone=%2B14155550109").await.is_empty());
    assert!(ids(&app, "phone=%2B14155550101&state=failed").await.is_empty());
    assert_eq!(ids(&app, "phone=%2B14155550101&state=queued").await.len(), 2);
    assert_eq!(ids(&app, "").await.len(), 4);
}

#[tokio::test]
async fn messages_of_a_profile_are_those_to_all_its_addresses() {
    let (app, sent) = shop().await;
    let person = json!({ "external_id": "u-1", "phone": ADA, "email": MAIL });
    let profile = app.post("/v1/profiles", &person).await.json()["id"].clone();
    let all = [sent[3].clone(), sent[2].clone(), sent[0].clone()];
    assert_eq!(ids(&app, &format!("profile={}", profile.as_str().unwrap())).await, all);
    assert_eq!(ids(&app, "external_id=u-1").await, all);
    assert!(ids(&app, "external_id=u-2").await.is_empty());
    let unknown = app.get("/v1/messages?profile=pro_01jd6m9k3te5b8r5v3x5y6z7w8").await;
    unknown.is_problem("not-found");
}

#[tokio::test]
async fn messages_of_a_person_come_in_pages() {
    let (app, sent) = shop().await;
    let person = json!({ "external_id": "u-1", "phone": ADA, "email": MAIL });
    app.post("/v1/profiles", &person).await;
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = app.get(&format!("/v1/messages?external_id=u-1&limit=1{cursor}")).await.json();
        found.push(page["messages"][0]["id"].as_str().unwrap().to_owned());
        cursor = page["next"].as_str().map_or(String::new(), |next| format!("&cursor={next}"));
    }
    assert_eq!(found, [sent[3].clone(), sent[2].clone(), sent[0].clone()]);
    assert!(cursor.is_empty(), "the last page says so");
}

#[tokio::test]
async fn an_erased_person_has_no_messages() {
    let (app, _) = shop().await;
    let erased = app.post("/v1/erasures", &json!({ "phone": ADA })).await;
    assert!(erased.status.is_success(), "{}", erased.text);
    assert!(ids(&app, "phone=%2B14155550101").await.is_empty());
    assert_eq!(ids(&app, "phone=%2B14155550102").await.len(), 1);
    assert_eq!(ids(&app, "").await.len(), 4, "that they were sent is still known");
}

#[tokio::test]
async fn at_most_one_person_is_named_and_in_a_form_that_can_be_read() {
    let (app, _) = shop().await;
    for (query, code) in [
        ("phone=%2B14155550101&email=ada@example.org", "one-address-needed"),
        ("phone=%2B14155550101&profile=pro_01jd6m9k3te5b8r5v3x5y6z7w8", "one-address-needed"),
        ("phone=12", "invalid-phone"),
        ("email=ada", "invalid-email"),
        ("phone=%2B14155550101&cursor=x", "invalid-value"),
    ] {
        app.get(&format!("/v1/messages?{query}")).await.is_problem(code);
    }
}

#[tokio::test]
async fn looking_at_the_messages_of_a_person_is_noted_even_where_there_are_none() {
    let (app, _) = shop().await;
    app.call("PUT", "/v1/settings", &json!({ "audit_look_ups": true })).await;
    ids(&app, "phone=%2B14155550101").await;
    ids(&app, "phone=%2B14155550109").await;
    for phone in ["%2B14155550101", "%2B14155550109"] {
        let noted = app.get(&format!("/v1/look-ups?phone={phone}")).await.json();
        let noted: &Vec<Value> = noted["look_ups"].as_array().unwrap();
        assert_eq!(noted.len(), 1, "{phone}");
        assert_eq!(noted[0]["route"], "GET /v1/messages");
    }
    assert_eq!(app.get("/v1/look-ups").await.json()["look_ups"].as_array().unwrap().len(), 2);
}
