//! `/v1/profiles` (rules 11, 13).

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestApp, act};

const PHONE: &str = "+14155552671";

fn channel<'a>(profile: &'a Value, address: usize, name: &str) -> &'a Value {
    let channels = profile["addresses"][address]["channels"].as_array().unwrap();
    channels.iter().find(|channel| channel["channel"] == name).unwrap()
}

#[tokio::test]
async fn a_profile_shows_status_level_since_source_and_claims_of_every_channel() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let made = app.post("/v1/profiles", &json!({ "external_id": "u-1001", "phone": PHONE, "attributes": { "first_name": "Ada", "orders": 3 } })).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    app.post("/v1/consents", &act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    let path = format!("/v1/profiles/{}", made.json()["id"].as_str().unwrap());
    let profile = app.get(&path).await.json();
    assert_eq!(profile["attributes"], json!({ "first_name": "Ada", "orders": 3 }));
    let by_phone = app.get("/v1/profiles?phone=%2B14155552671").await.json();
    assert_eq!(by_phone["id"], profile["id"]);
    let at = profile["addresses"]
        .as_array()
        .unwrap()
        .iter()
        .position(|address| address["address"]["phone"] == PHONE)
        .unwrap();
    let sms = channel(&profile, at, "sms");
    assert_eq!(sms["consent"]["status"], "opted_in");
    assert_eq!(sms["consent"]["level"], "single");
    assert_eq!(sms["consent"]["since"], "2026-11-21T09:00:00.000000Z");
    assert_eq!(sms["source"], json!({ "road": "api", "name": "test" }));
    assert_eq!(channel(&profile, at, "whatsapp")["consent"]["status"], "never");
}

#[tokio::test]
async fn an_address_without_a_profile_is_shown_with_what_is_known_of_it() {
    let app = TestApp::start().await;
    let profile = app.get("/v1/profiles?email=ada@example.org").await.json();
    assert_eq!(profile["id"], Value::Null);
    assert_eq!(channel(&profile, 0, "email")["consent"]["status"], "never");
}

#[tokio::test]
async fn a_new_number_takes_over_refusals_and_never_an_opt_in() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let new = "+14155552672";
    app.post("/v1/consents", &act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    let refusal =
        json!({ "phone": PHONE, "channel": "whatsapp", "statement": "opt_out", "standing": "act" });
    app.post("/v1/consents", &refusal).await;
    let profile =
        app.post("/v1/profiles", &json!({ "external_id": "u-1", "phone": PHONE })).await.json();
    let path = format!("/v1/profiles/{}/addresses", profile["id"].as_str().unwrap());
    let linked = app.post(&path, &json!({ "phone": new })).await;
    assert_eq!(linked.status, StatusCode::OK, "{}", linked.text);
    assert_eq!(app.sms(new).await["reason"], "no_opt_in");
    let whatsapp = json!({ "channel": "whatsapp", "phone": new });
    assert_eq!(app.post("/v1/check", &whatsapp).await.json()["reason"], "opted_out");
    let unlinked = app.call("DELETE", &path, &json!({ "phone": new })).await;
    assert_eq!(unlinked.status, StatusCode::OK, "{}", unlinked.text);
    assert_eq!(app.post("/v1/check", &whatsapp).await.json()["reason"], "no_opt_in");
}

#[tokio::test]
async fn identifiers_of_two_people_are_a_conflict_and_change_nothing() {
    let app = TestApp::start().await;
    app.post("/v1/profiles", &json!({ "phone": PHONE })).await;
    app.post("/v1/profiles", &json!({ "email": "bob@example.org" })).await;
    let both = json!({ "phone": PHONE, "email": "bob@example.org" });
    app.post("/v1/profiles", &both).await.is_problem("ambiguous-profile");
}

#[tokio::test]
async fn who_refused_processing_has_no_attributes_kept() {
    let app = TestApp::start().await;
    app.post("/v1/profiles", &json!({ "phone": PHONE })).await;
    let refusal = json!({ "phone": PHONE, "permission": "processing", "statement": "opt_out", "standing": "act" });
    app.post("/v1/consents", &refusal).await;
    let profile = app
        .post("/v1/profiles", &json!({ "phone": PHONE, "attributes": { "name": "Ada" } }))
        .await
        .json();
    assert_eq!(profile["collect"], false);
    assert_eq!(profile["attributes"], json!({}));
    assert_eq!(app.sms(PHONE).await["reason"], "processing_refused");
}

#[tokio::test]
async fn attributes_are_small_and_flat_and_null_removes_one() {
    let app = TestApp::start().await;
    let wrong =
        json!({ "phone": PHONE, "attributes": { "a": { "b": 1 }, "c": "x".repeat(2_000) } });
    let problem = app.post("/v1/profiles", &wrong).await.is_problem("invalid-fields");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    app.post("/v1/profiles", &json!({ "phone": PHONE, "attributes": { "a": true, "b": 2 } })).await;
    let profile = app
        .post("/v1/profiles", &json!({ "phone": PHONE, "attributes": { "a": null } }))
        .await
        .json();
    assert_eq!(profile["attributes"], json!({ "b": 2 }));
}
