//! `/v1/profiles` (rules 11, 13).

use axum::http::StatusCode;
use sayso_core::time::Span;
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
async fn an_address_of_another_profile_is_a_conflict_that_says_what_to_do() {
    let app = TestApp::start().await;
    let made = async |body: Value| {
        app.post("/v1/profiles", &body).await.json()["id"].as_str().unwrap().to_owned()
    };
    let one = made(json!({ "external_id": "u-1", "phone": PHONE })).await;
    let two = made(json!({ "phone": "+14155552672" })).await;
    let path = |id: &str| format!("/v1/profiles/{id}/addresses");
    for (id, taken, owner) in [
        (&one, json!({ "phone": "+14155552672" }), &two),
        (&two, json!({ "phone": PHONE }), &one),
        (&two, json!({ "external_id": "u-1" }), &one),
    ] {
        let answer = app.post(&path(id), &taken).await;
        let problem = answer.is_problem("address-linked");
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert_eq!(problem["detail"], format!("belongs to {owner}"));
    }
    // The two ways out: said with the external id it is shared; unlinked there it is free.
    let shared = json!({ "external_id": "u-1", "phone": "+14155552672" });
    assert_eq!(made(shared).await, one);
    let free = json!({ "phone": "+14155552672" });
    for id in [&one, &two] {
        assert_eq!(app.call("DELETE", &path(id), &free).await.status, StatusCode::OK);
    }
    assert_eq!(app.post(&path(&one), &free).await.status, StatusCode::OK);
    let nobody = path("pro_01jd6m9k3te5b8r5v3x5y6z7w8");
    app.post(&nobody, &free).await.is_problem("not-found");
}

#[tokio::test]
async fn an_address_is_linked_to_the_profile_that_was_named_though_others_share_its_first() {
    let app = TestApp::start().await;
    let one = app.post("/v1/profiles", &json!({ "phone": PHONE })).await.json();
    app.post("/v1/profiles", &json!({ "external_id": "u-2", "email": "bob@example.org" })).await;
    app.post("/v1/profiles", &json!({ "external_id": "u-2", "phone": PHONE })).await;
    let path = format!("/v1/profiles/{}/addresses", one["id"].as_str().unwrap());
    let linked = app.post(&path, &json!({ "email": "ada@example.org" })).await;
    assert_eq!(linked.status, StatusCode::OK, "{}", linked.text);
    assert_eq!(linked.json()["id"], one["id"]);
}

#[tokio::test]
async fn refusing_processing_discards_what_was_kept_and_a_lift_brings_nothing_back() {
    let app = TestApp::start().await;
    let notice = app.notice(&["processing"]).await;
    let named = json!({ "phone": PHONE, "attributes": { "name": "Ada" } });
    let read = async || app.get("/v1/profiles?phone=%2B14155552671").await.json();
    app.post("/v1/profiles", &named).await;
    assert_eq!(read().await["attributes"], json!({ "name": "Ada" }));
    let refusal = json!({ "phone": PHONE, "permission": "processing", "statement": "opt_out", "standing": "report" });
    app.post("/v1/consents", &refusal).await;
    assert_eq!(
        (&read().await["attributes"], &read().await["collect"]),
        (&json!({}), &json!(false))
    );
    app.advance(Span::minutes(1));
    let now = app.now();
    app.post("/v1/consents", &act(PHONE, "opt_in", &now, &notice)).await;
    assert_eq!((&read().await["attributes"], &read().await["collect"]), (&json!({}), &json!(true)));
    app.post("/v1/profiles", &named).await;
    assert_eq!(read().await["attributes"], json!({ "name": "Ada" }));
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
