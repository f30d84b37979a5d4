//! `/v1/check` (rules 24 to 27).

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use sayso_core::limits;
use sayso_core::time::Span;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::faulty::Fault;
use crate::support::{TestApp, act};

const PHONE: &str = "+14155552671";

async fn opted_in(app: &TestApp) {
    let notice = app.notice(&[]).await;
    let answer =
        app.post("/v1/consents", &act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
}

#[tokio::test]
async fn who_said_nothing_gets_nothing() {
    let app = TestApp::start().await;
    let answer = app.sms(PHONE).await;
    assert_eq!(
        answer,
        json!({ "decision": "deny", "reason": "no_opt_in", "reasons": ["no_opt_in"] })
    );
}

#[tokio::test]
async fn a_deny_is_explained_with_the_events_and_claims_it_rests_on() {
    let app = TestApp::start().await;
    opted_in(&app).await;
    let refusal =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    let refused = app.post("/v1/consents", &refusal).await.json();
    let claim =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report" });
    app.post("/v1/consents", &claim).await;
    let answer = app
        .post("/v1/check", &json!({ "channel": "sms", "phone": PHONE, "explain": true }))
        .await
        .json();
    assert_eq!(answer["reasons"], json!(["opted_out"]));
    let explanation = &answer["explanation"];
    assert_eq!(explanation["consent"]["status"], "opted_out");
    assert_eq!(explanation["consent"]["basis"], refused["event"]["id"]);
    let says: Vec<&Value> =
        explanation["rests_on"].as_array().unwrap().iter().map(|ground| &ground["says"]).collect();
    assert_eq!(says, ["opt_out", "single"]);
    assert_eq!(explanation["claims"][0]["says"], "yes");
    assert_eq!(explanation["claims"][0]["source"], "test");
}

#[tokio::test]
async fn a_waiver_needs_a_message_that_is_not_marketing_and_a_key_that_may() {
    let mut app = TestApp::start().await;
    let ask = |category: &str| json!({ "channel": "sms", "phone": PHONE, "category": category, "require_opt_in": false });
    let allowed = app.post("/v1/check", &ask("utility")).await.json();
    assert_eq!(
        (&allowed["decision"], &allowed["waived"]),
        (&json!("allow"), &json!(["no_opt_in"]))
    );
    app.post("/v1/check", &ask("marketing")).await.is_problem("exemption-for-marketing");
    let refusal =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    app.post("/v1/consents", &refusal).await;
    assert_eq!(app.post("/v1/check", &ask("utility")).await.json()["reason"], "opted_out");
    app.key = app.make_key("plain", &[KeyScope::Check], Standing::Report).await;
    app.post("/v1/check", &ask("utility")).await.is_problem("exemption-not-allowed");
}

#[tokio::test]
async fn the_sender_may_be_left_out_where_there_is_only_one() {
    let app = TestApp::start().await;
    let sender = |name: &str| json!({ "channel": "sms", "name": name, "address": "+14155552600" });
    let one = app.post("/v1/senders", &sender("one")).await.json();
    assert_eq!(app.sms(PHONE).await["decision"], "deny");
    app.post("/v1/senders", &sender("two")).await;
    app.post("/v1/check", &json!({ "channel": "sms", "phone": PHONE }))
        .await
        .is_problem("sender-required");
    let named = json!({ "channel": "sms", "phone": PHONE, "sender": one["id"] });
    assert_eq!(app.post("/v1/check", &named).await.status, StatusCode::OK);
    let elsewhere = json!({ "channel": "whatsapp", "phone": PHONE, "sender": one["id"] });
    app.post("/v1/check", &elsewhere).await.is_problem("unknown-sender");
}

#[tokio::test]
async fn the_category_of_a_topic_is_fixed() {
    let app = TestApp::start().await;
    let topic =
        app.post("/v1/topics", &json!({ "name": "Orders", "category": "utility" })).await.json();
    let ask = |category: &str| json!({ "channel": "sms", "phone": PHONE, "topic": topic["id"], "category": category });
    assert_eq!(app.post("/v1/check", &ask("utility")).await.status, StatusCode::OK);
    app.post("/v1/check", &ask("marketing")).await.is_problem("category-conflict");
}

#[tokio::test]
async fn as_of_answers_by_what_was_known_and_effective_at_by_what_was_true() {
    let app = TestApp::start().await;
    let before = app.now();
    app.advance(Span::hours(1));
    opted_in(&app).await; // said at 9, before both moments, recorded at 11
    let ask = |name: &str| json!({ "channel": "sms", "phone": PHONE, name: before });
    assert_eq!(app.post("/v1/check", &ask("as_of")).await.json()["reason"], "no_opt_in");
    assert_eq!(app.post("/v1/check", &ask("effective_at")).await.json()["decision"], "allow");
    let both = json!({ "channel": "sms", "phone": PHONE, "as_of": before, "effective_at": before });
    app.post("/v1/check", &both).await.is_problem("one-moment");
}

#[tokio::test]
async fn an_authentication_message_that_was_asked_for_may_go_for_ten_minutes() {
    let app = TestApp::start().await;
    let refusal =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    app.post("/v1/consents", &refusal).await;
    let asked_at = app.now();
    let ask = json!({ "channel": "sms", "phone": PHONE, "category": "authentication", "requested_at": asked_at });
    app.advance(Span::minutes(3));
    assert_eq!(app.post("/v1/check", &ask).await.json()["decision"], "allow");
    app.advance(Span::minutes(20));
    assert_eq!(app.post("/v1/check", &ask).await.json()["reason"], "opted_out");
}

#[tokio::test]
async fn a_batch_answers_in_order_and_sums_up() {
    let app = TestApp::start().await;
    opted_in(&app).await;
    let to = json!([
        PHONE,
        "+14155552672",
        "nobody",
        "14155552671",
        "(415) 555-2671",
        "\u{2b}14155552671"
    ]);
    let answer = app.post("/v1/check/batch", &json!({ "to": to, "channel": "sms" })).await.json();
    assert_eq!(
        answer["answers"],
        json!(["allow", "no_opt_in", "invalid", "allow", "invalid", "allow"])
    );
    assert_eq!(answer["allowed"], 3);
    assert_eq!(answer["denied"], json!({ "no_opt_in": 1 }));
    assert_eq!(answer["invalid"], 2);
    let regional =
        json!({ "to": ["(415) 555-2671", "4155552671"], "channel": "sms", "region": "US" });
    assert_eq!(
        app.post("/v1/check/batch", &regional).await.json()["answers"],
        json!(["allow", "allow"])
    );
    let detailed =
        json!({ "detail": "reasons", "channel": "sms", "to": [PHONE, "+14155552672", "x"] });
    let answer = app.post("/v1/check/batch", &detailed).await.json();
    assert_eq!(answer["answers"], json!([[], ["no_opt_in"], ["invalid"]]));
}

#[tokio::test]
async fn a_batch_by_lines_is_answered_by_lines() {
    let app = TestApp::start().await;
    opted_in(&app).await;
    let body = format!("{{\"channel\":\"sms\"}}\n\"{PHONE}\"\n\"+14155552672\"\n");
    let lines = app.post_text("/v1/check/batch", "application/x-ndjson", body).await.lines();
    assert_eq!(
        lines,
        [
            json!("allow"),
            json!("no_opt_in"),
            json!({ "allowed": 1, "denied": { "no_opt_in": 1 }, "invalid": 0 })
        ]
    );
}

#[tokio::test]
async fn a_batch_of_nobody_and_one_past_the_limit() {
    let app = TestApp::start().await;
    let nobody = app.post("/v1/check/batch", &json!({ "channel": "sms", "to": [] })).await.json();
    assert_eq!(nobody, json!({ "allowed": 0, "denied": {}, "invalid": 0, "answers": [] }));
    app.post("/v1/check/batch", &json!({ "channel": "sms" })).await.is_problem("missing-field");
    let many = json!({ "channel": "sms", "to": vec!["+14155552671"; 100_001] });
    app.post("/v1/check/batch", &many).await.is_problem("too-many-items");
    app.post("/v1/check/batch", &json!({ "channel": "sms", "to": [1] }))
        .await
        .is_problem("wrong-type");
}

#[tokio::test]
async fn emails_and_ids_are_checked_by_their_kind() {
    let app = TestApp::start().await;
    let yes = json!({ "email": "Ada@Example.org", "channel": "email", "statement": "opt_in", "standing": "report" });
    assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
    let ask =
        json!({ "channel": "email", "to": ["ada@example.org", "bob@example.org", "no address"] });
    assert_eq!(
        app.post("/v1/check/batch", &ask).await.json()["answers"],
        json!(["allow", "no_opt_in", "invalid"])
    );
}

#[tokio::test]
async fn a_known_phone_that_is_asked_about_by_its_hash_is_judged_as_itself() {
    let app = TestApp::start().await;
    let settings = json!({ "defaults": { "sms": "opted_in" }, "require_opt_in": false });
    assert_eq!(app.call("PUT", "/v1/settings", &settings).await.status, StatusCode::OK);
    let no =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "report" });
    assert_eq!(app.post("/v1/consents", &no).await.status, StatusCode::CREATED);
    let ask = async |digits: &str| {
        let bytes: [u8; 32] = Sha256::digest(digits).into();
        let hash = bytes.map(|byte| format!("{byte:02x}")).concat();
        let question =
            json!({ "hash": hash, "kind": "phone", "channel": "sms", "category": "utility" });
        app.post("/v1/check", &question).await.json()
    };
    assert_eq!(ask("14155552671").await["reason"], "opted_out");
    assert_eq!(ask("14155552672").await["decision"], "allow", "nobody heard of");
}

/// The recipients of a batch that is answered in several pieces: every thirteenth is no number.
fn crowd() -> Vec<String> {
    let phone = |n: usize| match n % 13 {
        0 => "nobody".to_owned(),
        1 => PHONE.to_owned(),
        _ => format!("+1415{}", 5_550_000 + n),
    };
    (0..2 * limits::CHECK_BATCH_ANSWERS_PIECE + 7).map(phone).collect()
}

fn crowd_as_lines() -> String {
    let question = json!({ "channel": "sms" });
    let lines = std::iter::once(question).chain(crowd().into_iter().map(Value::from));
    lines.flat_map(|line| [line.to_string(), "\n".to_owned()]).collect()
}

#[tokio::test]
async fn lines_that_come_in_pieces_are_the_answers_of_the_one_value_and_its_sum() {
    let app = TestApp::start().await;
    opted_in(&app).await;
    let whole =
        app.post("/v1/check/batch", &json!({ "channel": "sms", "to": crowd() })).await.json();
    let text = crowd_as_lines();
    let mut lines = app.post_text("/v1/check/batch", "application/x-ndjson", text).await.lines();
    let sum = lines.pop().unwrap();
    assert_eq!(Value::Array(lines), whole["answers"]);
    for field in ["allowed", "denied", "invalid"] {
        assert_eq!(sum[field], whole[field]);
    }
    assert!(sum["allowed"].as_u64() > Some(1_000) && sum["invalid"].as_u64() > Some(1_000));
}

#[tokio::test]
async fn lines_that_cannot_go_on_break_off_before_the_sum() {
    let (app, store) = TestApp::faulty().await;
    let ask = async || {
        let request = app.request("POST", "/v1/check/batch");
        let request = request.header("content-type", "application/x-ndjson");
        let response = app.begin(request.body(Body::from(crowd_as_lines())).unwrap()).await;
        (response.status(), to_bytes(response.into_body(), usize::MAX).await)
    };
    store.fail_after(1, Fault::Unreadable);
    let (status, body) = ask().await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.is_err());
    store.fail(Fault::Unreadable);
    assert_eq!(ask().await.0, StatusCode::INTERNAL_SERVER_ERROR);
}
