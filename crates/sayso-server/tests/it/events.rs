//! History, retraction, erasure, suppression (rules 9, 12, 17).

use axum::http::StatusCode;
use sayso_core::time::Span;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use serde_json::{Value, json};

use crate::support::{TestApp, act};

const PHONE: &str = "+14155552671";
const BY_PHONE: &str = "/v1/events?phone=%2B14155552671";

fn ids(page: &Value) -> Vec<String> {
    page["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_history_is_read_page_by_page_the_newest_first() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let mut recorded = Vec::new();
    for minute in 0..5 {
        let at = format!("2026-11-21T09:0{minute}:00Z");
        let answer = app.post("/v1/consents", &act(PHONE, "opt_in", &at, &notice)).await.json();
        recorded.insert(0, answer["event"]["id"].as_str().unwrap().to_owned());
    }
    let whole = app.get(BY_PHONE).await.json();
    assert_eq!(ids(&whole), recorded);
    assert_eq!(whole["next"], Value::Null);
    let mut read = Vec::new();
    let mut path = format!("{BY_PHONE}&limit=2");
    loop {
        let page = app.get(&path).await.json();
        read.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => path = format!("{BY_PHONE}&limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(read, recorded);
    app.get(&format!("{BY_PHONE}&cursor=elsewhere")).await.is_problem("invalid-value");
}

#[tokio::test]
async fn a_history_of_then_is_what_was_known_or_what_was_true() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let profile = app.post("/v1/profiles", &json!({ "external_id": "u-1", "phone": PHONE })).await;
    let base = format!("/v1/events?profile={}", profile.json()["id"].as_str().unwrap());
    app.advance(Span::minutes(1));
    let say = async |statement: &str, occurred_at: &str| {
        let answer = app.post("/v1/consents", &act(PHONE, statement, occurred_at, &notice)).await;
        app.advance(Span::minutes(1));
        answer.json()["event"]["id"].as_str().unwrap().to_owned()
    };
    let wrong = say("opt_in", "2026-11-21T09:00:00Z").await;
    let then = app.now();
    let path = format!("/v1/events/{wrong}/retraction");
    assert_eq!(app.post(&path, &json!({ "phone": PHONE })).await.status, StatusCode::OK);
    let late = say("opt_out", "2026-11-21T08:00:00Z").await;
    let at_nine = "2026-11-21T09:00:00Z";
    let told = async |base: &str, moment: &str| -> Vec<(String, Value)> {
        let (mut events, mut path) = (Vec::new(), format!("{base}&{moment}&limit=1"));
        for _ in 0..20 {
            let page = app.get(&path).await.json();
            events.extend(page["events"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => path = format!("{base}&{moment}&limit=1&cursor={next}"),
                None => break,
            }
        }
        let consents = events.iter().filter(|event| event["fact"] == "consent");
        let told = consents
            .map(|event| (event["id"].as_str().unwrap().to_owned(), event["retracted"].clone()));
        told.collect()
    };
    for base in [BY_PHONE, &base] {
        assert_eq!(
            told(base, &format!("as_of={then}")).await,
            [(wrong.clone(), json!(false))],
            "what was known: the refusal was not, nor was the mistake"
        );
        assert_eq!(
            told(base, &format!("effective_at={at_nine}")).await,
            [(late.clone(), json!(false)), (wrong.clone(), json!(true))],
            "what was true, by all that is known now"
        );
        assert_eq!(told(base, "effective_at=2026-11-21T07:00:00Z").await, []);
    }
    let both = format!("{BY_PHONE}&as_of={then}&effective_at={then}");
    app.get(&both).await.is_problem("one-moment");
    app.get(&format!("{BY_PHONE}&as_of=yesterday")).await.is_problem("invalid-time");
}

#[tokio::test]
async fn an_event_shows_who_said_what_when_and_the_proof() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let mut request = act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice);
    request["evidence"] = json!({ "page": "https://shop.example/checkout", "ip": "192.0.2.1", "fields": { "form": "f1" } });
    app.post("/v1/consents", &request).await;
    let event = app.get(BY_PHONE).await.json()["events"][0].clone();
    assert_eq!(event["address"], json!({ "phone": PHONE }));
    assert_eq!(
        (&event["fact"], &event["about"], &event["says"]),
        (&json!("consent"), &json!("sms"), &json!("single"))
    );
    assert_eq!(
        (&event["standing"], &event["actor"], &event["source"]),
        (&json!("act"), &json!("subject"), &json!("test"))
    );
    assert_eq!(event["evidence"]["fields"], json!({ "form": "f1" }));
    assert_eq!(event["evidence"]["notice"]["id"], notice["id"]);
    assert_eq!(event["leaf_hash"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn the_history_of_a_profile_merges_those_of_its_addresses() {
    let app = TestApp::start().await;
    let profile = app
        .post("/v1/profiles", &json!({ "phone": PHONE, "email": "ada@example.org" }))
        .await
        .json();
    for body in [
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report" }),
        json!({ "email": "ada@example.org", "channel": "email", "statement": "opt_in", "standing": "report" }),
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" }),
    ] {
        app.post("/v1/consents", &body).await;
    }
    let base = format!("/v1/events?profile={}", profile["id"].as_str().unwrap());
    let whole = app.get(&base).await.json();
    let times: Vec<&str> = whole["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["recorded_at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
    let mut read = Vec::new();
    let mut path = format!("{base}&limit=1");
    while let page = app.get(&path).await.json()
        && let Some(next) = page["next"].as_str()
    {
        read.extend(ids(&page));
        path = format!("{base}&limit=1&cursor={next}");
    }
    read.extend(ids(&app.get(&path).await.json()));
    assert_eq!(read, ids(&whole));
}

#[tokio::test]
async fn an_address_that_is_read_to_its_end_is_not_read_again() {
    let app = TestApp::start().await;
    let yes = |email: &str| json!({ "email": email, "channel": "email", "statement": "opt_in", "standing": "report" });
    let both = json!({ "external_id": "u-1", "email": "ada@example.org" });
    let profile = app.post("/v1/profiles", &both).await.json();
    app.post("/v1/consents", &yes("ada@example.org")).await;
    let path = format!("/v1/profiles/{}/addresses", profile["id"].as_str().unwrap());
    // The newest event is the only one of its address.
    app.post(&path, &json!({ "email": "ada@example.com" })).await;
    let base = format!("/v1/events?profile={}", profile["id"].as_str().unwrap());
    let whole = ids(&app.get(&base).await.json());
    let (mut read, mut path) = (Vec::new(), format!("{base}&limit=1"));
    for _ in &whole {
        let page = app.get(&path).await.json();
        read.extend(ids(&page));
        let next = page["next"].as_str().unwrap_or("none");
        path = format!("{base}&limit=1&cursor={next}");
    }
    assert_eq!(read, whole);
    assert!(path.ends_with("cursor=none"), "that was the last page: {path}");
}

#[tokio::test]
async fn a_refusal_that_a_caller_recorded_is_left_out_by_the_compliance_role_alone() {
    let mut app = TestApp::start().await;
    let refusal =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    let id =
        app.post("/v1/consents", &refusal).await.json()["event"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/events/{id}/retraction");
    let compliance = app.key.clone();
    app.key = app
        .make_key("crm", &[KeyScope::Write, KeyScope::Check, KeyScope::Read], Standing::Act)
        .await;
    app.post(&path, &json!({ "phone": PHONE })).await.is_problem("retraction-refused");
    app.key = compliance;
    app.post(&path, &json!({ "phone": "+14155552672" })).await.is_problem("not-found");
    assert_eq!(
        app.post(&path, &json!({ "phone": PHONE, "reason": "wrong number" })).await.status,
        StatusCode::OK
    );
    assert_eq!(app.sms(PHONE).await["reason"], "no_opt_in");
    let events = app.get(BY_PHONE).await.json();
    let retracted = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["id"] == id.as_str())
        .unwrap();
    assert_eq!(retracted["retracted"], true);
}

#[tokio::test]
async fn an_erased_person_stays_refused_and_their_data_is_gone() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    app.post("/v1/profiles", &json!({ "phone": PHONE, "attributes": { "name": "Ada" } })).await;
    app.post("/v1/consents", &act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    let erased = app.post("/v1/erasures", &json!({ "phone": PHONE, "reason": "ticket 7" })).await;
    assert_eq!(erased.status, StatusCode::CREATED, "{}", erased.text);
    assert_eq!(app.sms(PHONE).await["decision"], "deny");
    app.advance(Span::hours(1));
    let listed =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report" });
    app.post("/v1/consents", &listed).await;
    assert_eq!(app.sms(PHONE).await["reason"], "suppressed", "an old list reaches nobody");
    let events = app.get(BY_PHONE).await;
    assert!(!events.text.contains("checkbox"), "{}", events.text);
}

#[tokio::test]
async fn an_erasure_keeps_its_reason_answers_with_counts_and_is_listed() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    app.post("/v1/consents", &act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    let bad = json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "yes" });
    assert!(app.post("/v1/consents", &bad).await.status.is_client_error());
    let erasure = json!({ "phone": PHONE, "reason": "ticket 7" });
    let erased = app.post("/v1/erasures", &erasure).await;
    assert_eq!(erased.json()["outcome"], "appended");
    let destroyed = json!({
        "addresses": 1, "unlinked": 0, "events": 1, "rejects": 1, "messages": 0, "waiting": 0,
    });
    assert_eq!(erased.json()["destroyed"], destroyed);
    let events = app.get(BY_PHONE).await;
    assert!(events.text.contains("ticket 7"), "the reason stays: {}", events.text);
    app.post("/v1/erasures", &json!({ "email": "nobody@example.org" })).await;
    let list = app.get("/v1/erasures").await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.text);
    let listed = list.json()["erasures"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1]["id"], erased.json()["id"]);
    assert_eq!(listed[1]["reason"], "ticket 7");
    assert_eq!(listed[1]["destroyed"], destroyed);
    assert_eq!(listed[1]["road"], "api");
    assert!(listed[0].get("reason").is_none());
    assert!(!list.text.contains("415555") && !list.text.contains("nobody"), "{}", list.text);
    let first = app.get("/v1/erasures?limit=1").await;
    assert_eq!(first.json()["erasures"][0]["id"], listed[0]["id"]);
    let next = format!("/v1/erasures?limit=1&cursor={}", first.json()["next"].as_str().unwrap());
    let second = app.get(&next).await;
    assert_eq!(second.json()["erasures"][0]["id"], erased.json()["id"]);
    assert_eq!(second.json()["next"], json!(null));
}

#[tokio::test]
async fn an_erasure_names_one_person_and_leaves_the_other_what_they_share() {
    let app = TestApp::start().await;
    for id in ["u-1", "u-2"] {
        let person = json!({ "external_id": id, "phone": PHONE, "attributes": { "name": id } });
        app.post("/v1/profiles", &person).await;
    }
    let stop =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    app.post("/v1/consents", &stop).await;
    app.post("/v1/erasures", &json!({ "phone": PHONE })).await.is_problem("ambiguous-profile");
    let answer = app.post("/v1/erasures", &json!({ "external_id": "u-1" })).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let profile = app.get("/v1/profiles?phone=%2B14155552671").await.json();
    assert_eq!(profile["attributes"], json!({ "name": "u-2" }));
    assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
    assert_eq!(app.get("/v1/profiles?external_id=u-1").await.json()["id"], Value::Null);
}

#[tokio::test]
async fn an_operators_block_outranks_consent_until_it_is_cleared() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    app.post("/v1/consents", &act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    let block = |blocked: bool| json!({ "phone": PHONE, "blocked": blocked, "channel": "sms", "reason": "legal" });
    assert_eq!(app.post("/v1/suppressions", &block(true)).await.status, StatusCode::CREATED);
    assert_eq!(app.sms(PHONE).await["reason"], "suppressed");
    let profile = app.get("/v1/profiles?phone=%2B14155552671").await.json();
    assert_eq!(profile["addresses"][0]["suppressions"][0]["kind"], "operator");
    app.advance(Span::seconds(1));
    app.post("/v1/suppressions", &block(false)).await;
    assert_eq!(app.sms(PHONE).await["decision"], "allow");
}

#[tokio::test]
async fn only_compliance_clears_an_operators_block_or_leaves_it_out() {
    let mut app = TestApp::start().await;
    let full = app.key.clone();
    let scopes = [KeyScope::Write, KeyScope::Import, KeyScope::Configure, KeyScope::Send];
    let writes = app.make_key("backend", &scopes, Standing::Act).await;
    let both = [KeyScope::Write, KeyScope::Compliance];
    let compliance = app.make_key("compliance", &both, Standing::Act).await;
    let block = |blocked: bool| json!({ "phone": PHONE, "blocked": blocked });
    app.key.clone_from(&writes);
    let set = app.post("/v1/suppressions", &block(true)).await;
    assert_eq!(set.status, StatusCode::CREATED, "anybody who writes may set one: {}", set.text);
    app.advance(Span::seconds(1));
    let refused = app.post("/v1/suppressions", &block(false)).await;
    let problem = refused.is_problem("scope-missing");
    assert!(problem["detail"].as_str().unwrap().contains("compliance"), "{problem}");
    let path = format!("/v1/events/{}/retraction", set.json()["id"].as_str().unwrap());
    app.post(&path, &json!({ "phone": PHONE })).await.is_problem("retraction-refused");
    app.key.clone_from(&full);
    assert_eq!(app.sms(PHONE).await["reason"], "suppressed");
    app.key.clone_from(&compliance);
    let cleared = app.post("/v1/suppressions", &block(false)).await;
    assert_eq!(cleared.status, StatusCode::CREATED, "{}", cleared.text);
    app.key.clone_from(&full);
    assert_eq!(app.sms(PHONE).await["reason"], "no_opt_in");
}
