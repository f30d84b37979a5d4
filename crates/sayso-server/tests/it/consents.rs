//! `/v1/consents`, one at a time (rules 1 to 5, 11, 28).

use axum::http::StatusCode;
use sayso_core::time::Span;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use serde_json::{Value, json};

use crate::support::{TestApp, act};

const PHONE: &str = "+14155552671";

#[tokio::test]
async fn an_opt_in_by_act_is_answered_with_the_resulting_status() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let answer =
        app.post("/v1/consents", &act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["event"]["outcome"], "appended");
    assert_eq!(body["event"]["occurred_at"], "2026-11-21T09:00:00.000000Z");
    assert_eq!(body["consent"]["status"], "opted_in");
    assert_eq!(body["consent"]["level"], "single");
    assert_eq!(body["consent"]["decision"], "allow");
    assert_eq!(app.sms(PHONE).await["decision"], "allow");
}

#[tokio::test]
async fn a_refusal_is_answered_once_nothing_it_refuses_may_go() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    app.post("/v1/consents", &act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    let refusal =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    let body = app.post("/v1/consents", &refusal).await.json();
    assert_eq!(body["consent"]["status"], "opted_out");
    assert_eq!(body["consent"]["decision"], "deny");
    let check = app.sms(PHONE).await;
    assert_eq!((&check["decision"], &check["reason"]), (&json!("deny"), &json!("opted_out")));
}

#[tokio::test]
async fn an_opt_in_by_act_without_its_proof_is_refused_by_field() {
    let app = TestApp::start().await;
    let bare =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "act" });
    let body = app.post("/v1/consents", &bare).await.is_problem("not-an-act");
    let pointers: Vec<&Value> =
        body["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/occurred_at", "/method", "/notice"]);
    let report =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report" });
    assert_eq!(app.post("/v1/consents", &report).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn an_undated_report_that_repeats_its_source_says_nothing_new() {
    let app = TestApp::start().await;
    let report =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report" });
    app.post("/v1/consents", &report).await;
    app.advance(Span::hours(1));
    let again = app.post("/v1/consents", &report).await;
    assert_eq!(
        (again.status, &again.json()["event"]["outcome"]),
        (StatusCode::OK, &json!("repeated"))
    );
}

#[tokio::test]
async fn a_retry_is_one_event_and_answers_with_the_first() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let request = act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice);
    let first = app.post("/v1/consents", &request).await.json();
    app.advance(Span::hours(1));
    let again = app.post("/v1/consents", &request).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.json()["event"]["id"], first["event"]["id"]);
    assert_eq!(again.json()["event"]["recorded_at"], first["event"]["recorded_at"]);
}

#[tokio::test]
async fn the_same_key_with_other_content_is_a_conflict_and_keys_of_others_do_not_meet() {
    let mut app = TestApp::start().await;
    let send = async |app: &TestApp, statement: &str| {
        let body = json!({ "phone": PHONE, "channel": "sms", "statement": statement, "standing": "report" });
        let request = app.request("POST", "/v1/consents").header("idempotency-key", "k1");
        app.send(request.body(body.to_string().into()).unwrap()).await
    };
    assert_eq!(send(&app, "opt_in").await.status, StatusCode::CREATED);
    assert_eq!(send(&app, "opt_in").await.status, StatusCode::OK);
    send(&app, "opt_out").await.is_problem("idempotency-key-reused");
    app.key = app.make_key("other", KeyScope::ALL, Standing::Act).await;
    assert_eq!(send(&app, "opt_out").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_refusal_of_an_unknown_sender_or_topic_refuses_the_whole_channel() {
    let app = TestApp::start().await;
    for scope in ["sender:snd_01jd6m9k3te5b8r5v3x5y6z7w8", "topic:top_01jd6m9k3te5b8r5v3x5y6z7w8"] {
        let refusal = json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act", "scope": scope });
        let body = app.post("/v1/consents", &refusal).await.json();
        assert_eq!(body["scope"], "all");
        assert!(body["remarks"][0].as_str().unwrap().contains(scope));
        assert_eq!(body.get("doubt"), None);
    }
}

const UNKNOWN: [(&str, &str); 2] = [
    ("sender:snd_01jd6m9k3te5b8r5v3x5y6z7w8", "unknown_sender"),
    ("topic:top_01jd6m9k3te5b8r5v3x5y6z7w8", "unknown_topic"),
];

#[tokio::test]
async fn an_opt_in_in_doubt_is_pending_with_the_reason() {
    let app = TestApp::start().await;
    let notice = app.notice(&["processing"]).await;
    for (scope, reason) in UNKNOWN {
        let mut opt_in = act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice);
        opt_in["scope"] = json!(scope);
        let answer = app.post("/v1/consents", &opt_in).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let body = answer.json();
        assert_eq!(body["scope"], scope);
        assert_eq!(body["consent"]["status"], "pending");
        assert_eq!(body["consent"]["decision"], "deny");
        assert_eq!(body["doubt"]["reason"], reason);
        assert!(body["doubt"]["remedy"].as_str().unwrap().starts_with("record the opt-in again"));
        let event = app.get("/v1/events?phone=%2B14155552671").await.json()["events"][0].clone();
        assert_eq!((&event["says"], &event["actor"]), (&json!("pending"), &json!("subject")));
        assert_eq!(event["evidence"]["fields"]["sayso:doubt"], reason);
        let again = app.post("/v1/consents", &opt_in).await;
        assert_eq!((again.status, &again.json()["doubt"]), (StatusCode::OK, &body["doubt"]));
    }
    assert_eq!(app.sms(PHONE).await["reason"], "no_opt_in", "it grants nothing");
}

#[tokio::test]
async fn an_opt_in_in_doubt_refuses_and_hides_nothing() {
    let app = TestApp::start().await;
    let notice = app.notice(&["processing"]).await;
    let refusal = json!({ "phone": PHONE, "permission": "processing", "statement": "opt_out", "standing": "act" });
    app.post("/v1/consents", &refusal).await;
    app.advance(Span::minutes(1));
    let mut doubtful = act(PHONE, "opt_in", &app.now(), &notice);
    doubtful["scope"] = json!(UNKNOWN[1].0);
    // The notice names processing, but nobody knows what the person agreed to.
    assert_eq!(app.post("/v1/consents", &doubtful).await.json()["processing"], "refused");
    let other = "+14155552672";
    app.post("/v1/consents", &act(other, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    doubtful["phone"] = json!(other);
    app.post("/v1/consents", &doubtful).await;
    assert_eq!(app.sms(other).await["decision"], "allow");
}

#[tokio::test]
async fn a_report_in_doubt_that_is_repeated_says_nothing_new() {
    let app = TestApp::start().await;
    let report = json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report", "scope": UNKNOWN[1].0 });
    let first = app.post("/v1/consents", &report).await.json();
    assert_eq!(first["consent"]["status"], "pending");
    app.advance(Span::hours(1));
    let again = app.post("/v1/consents", &report).await;
    assert_eq!(
        (again.status, &again.json()["event"]["id"]),
        (StatusCode::OK, &first["event"]["id"])
    );
    let events = app.get("/v1/events?phone=%2B14155552671").await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 1);
    assert_eq!(events["events"][0]["actor"], "operator", "the source spoke, not the person");
}

#[tokio::test]
async fn a_malformed_opt_in_is_refused_and_never_pending() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let good = act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice);
    for (field, value, code) in [
        ("scope", json!("topic:weather"), "unknown-word"),
        ("scope", json!("everything"), "unknown-word"),
        ("phone", json!("+1200"), "invalid-phone"),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        app.post("/v1/consents", &wrong).await.is_problem(code);
    }
    let mut unproven = good.clone();
    unproven["scope"] = json!(UNKNOWN[0].0);
    unproven["method"] = Value::Null;
    app.post("/v1/consents", &unproven).await.is_problem("not-an-act");
    assert_eq!(app.get("/v1/events?phone=%2B14155552671").await.json()["events"], json!([]));
}

#[tokio::test]
async fn a_refusal_is_taken_although_what_goes_with_it_is_wrong() {
    let app = TestApp::start().await;
    let refusal = json!({
        "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act", "scope": "everything",
        "occurred_at": "yesterday", "method": "", "notice": { "id": "none" },
        "evidence": { "user_agent": "x".repeat(3_000) },
    });
    let answer = app.post("/v1/consents", &refusal).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(answer.json()["consent"]["status"], "opted_out");
    assert_eq!(answer.json()["remarks"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn an_opt_in_needs_a_valid_number_and_a_refusal_a_possible_one() {
    let app = TestApp::start().await;
    let with = |statement: &str| json!({ "phone": "+12002345678", "channel": "sms", "statement": statement, "standing": "report" });
    app.post("/v1/consents", &with("opt_in")).await.is_problem("invalid-phone");
    assert_eq!(app.post("/v1/consents", &with("opt_out")).await.status, StatusCode::CREATED);
    let never =
        json!({ "phone": "hello", "channel": "sms", "statement": "opt_out", "standing": "report" });
    app.post("/v1/consents", &never).await.is_problem("invalid-phone");
}

#[tokio::test]
async fn an_opt_in_from_the_future_is_refused_and_a_refusal_cut_to_now() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let opt_in =
        app.post("/v1/consents", &act(PHONE, "opt_in", "2026-11-21T11:00:00Z", &notice)).await;
    opt_in.is_problem("time-in-the-future");
    let refusal =
        app.post("/v1/consents", &act(PHONE, "opt_out", "2027-11-21T11:00:00Z", &notice)).await;
    assert_eq!(refusal.status, StatusCode::CREATED);
    assert!(refusal.json()["event"]["occurred_at"].as_str().unwrap() < "2026-11-21T10:01");
}

#[tokio::test]
async fn an_opt_in_under_a_notice_that_names_processing_gives_that_too() {
    let app = TestApp::start().await;
    let refusal = json!({ "phone": PHONE, "permission": "processing", "statement": "opt_out", "standing": "act" });
    assert_eq!(app.post("/v1/consents", &refusal).await.json()["processing"], "refused");
    app.advance(Span::hours(1));
    let plain = app.notice(&[]).await;
    let body = app.post("/v1/consents", &act(PHONE, "opt_in", &app.now(), &plain)).await.json();
    assert_eq!(
        (&body["processing"], &body["consent"]["decision"]),
        (&json!("refused"), &json!("deny"))
    );
    let naming = app.notice(&["processing"]).await;
    app.advance(Span::hours(1));
    let body = app.post("/v1/consents", &act(PHONE, "opt_in", &app.now(), &naming)).await.json();
    assert_eq!(
        (&body["processing"], &body["consent"]["decision"]),
        (&json!("allowed"), &json!("allow")),
        "{body}"
    );
}

#[tokio::test]
async fn an_opt_in_covers_no_more_than_its_notice_names() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let mut request = act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice);
    request["channel"] = json!("viber");
    app.post("/v1/consents", &request).await.is_problem("notice-does-not-cover");
}

#[tokio::test]
async fn a_key_that_may_only_report_records_no_act() {
    let mut app = TestApp::start().await;
    app.key = app.make_key("crm", KeyScope::ALL, Standing::Report).await;
    let act =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    app.post("/v1/consents", &act).await.is_problem("standing-too-high");
}

#[tokio::test]
async fn a_workspace_that_demands_notices_gets_no_opt_in_without_one() {
    let app = TestApp::start().await;
    app.call("PUT", "/v1/settings", &json!({ "notice_required": true })).await;
    let report =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report" });
    app.post("/v1/consents", &report).await.is_problem("notice-required");
}

#[tokio::test]
async fn a_hash_names_a_person_for_a_refusal_alone() {
    let app = TestApp::start().await;
    // SHA-256 of "14155552671".
    let hash = "2f2b6cd8a3b2e6a9a4e4d9e4a2a5b0f1c9b0a9e8d7c6b5a49382716051423324";
    let refusal = |statement: &str| json!({ "hash": hash, "kind": "phone", "channel": "sms", "statement": statement, "standing": "report" });
    assert_eq!(app.post("/v1/consents", &refusal("opt_out")).await.status, StatusCode::CREATED);
    app.post("/v1/consents", &refusal("opt_in")).await.is_problem("hashed-opt-in");
}

#[tokio::test]
async fn an_opt_in_with_an_end_expires() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let mut request = act(PHONE, "opt_in", "2026-11-21T09:00:00Z", &notice);
    request["ends_at"] = json!("2026-11-22T00:00:00Z");
    app.post("/v1/consents", &request).await;
    assert_eq!(app.sms(PHONE).await["decision"], "allow");
    app.advance(Span::days(2));
    assert_eq!(app.sms(PHONE).await["reason"], "expired");
}

#[tokio::test]
async fn exactly_one_address_is_named() {
    let app = TestApp::start().await;
    let none = json!({ "channel": "sms", "statement": "opt_out", "standing": "act" });
    app.post("/v1/consents", &none).await.is_problem("one-address-needed");
    let two = json!({ "phone": PHONE, "email": "ada@example.org", "channel": "sms", "statement": "opt_out", "standing": "act" });
    app.post("/v1/consents", &two).await.is_problem("one-address-needed");
}

#[tokio::test]
async fn an_audience_lists_each_person_with_the_status_once() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    for number in 0..30 {
        let phone = format!("+1415555{:04}", 2600 + number);
        let statement = if number % 3 == 0 { "opt_out" } else { "opt_in" };
        let answer = app
            .post("/v1/consents", &act(&phone, statement, "2026-11-21T09:00:00Z", &notice))
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    }
    let listed = app.get("/v1/consents?channel=sms").await;
    assert_eq!(listed.headers["content-type"], "application/x-ndjson");
    let lines = listed.lines();
    let phones: std::collections::BTreeSet<&str> =
        lines.iter().map(|line| line["phone"].as_str().unwrap()).collect();
    assert_eq!((lines.len(), phones.len()), (20, 20));
    assert_eq!(app.get("/v1/consents?channel=sms&status=opted_out").await.lines().len(), 10);
    app.get("/v1/consents").await.is_problem("missing-field");
    app.get("/v1/consents?channel=fax").await.is_problem("unknown-channel");
}

#[tokio::test]
async fn a_start_without_an_opt_in_to_return_to_is_pending_besides() {
    let app = TestApp::start().await;
    let start = |phone: &str, at: &str| json!({ "phone": phone, "channel": "sms", "statement": "start", "standing": "act", "occurred_at": at, "method": "keyword" });
    let new = app.post("/v1/consents", &start(PHONE, "2026-11-21T09:00:00Z")).await.json();
    assert_eq!(new["consent"]["status"], "pending");
    let again = app.post("/v1/consents", &start(PHONE, "2026-11-21T09:00:00Z")).await;
    assert_eq!((again.status, &again.json()["event"]["id"]), (StatusCode::OK, &new["event"]["id"]));
    let says = async |query: &str| -> Vec<String> {
        let page = app.get(&format!("/v1/events?{query}")).await.json();
        let events = page["events"].as_array().unwrap().iter();
        events.map(|event| event["says"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(says("phone=%2B14155552671").await, ["pending", "start"]);
    let known = "+14155552672";
    let notice = app.notice(&[]).await;
    app.post("/v1/consents", &act(known, "opt_in", "2026-11-21T08:00:00Z", &notice)).await;
    app.post("/v1/consents", &start(known, "2026-11-21T09:00:00Z")).await;
    assert_eq!(says("phone=%2B14155552672").await, ["start", "single"]);
}

#[tokio::test]
async fn an_audience_of_then_is_who_was_in_it_by_the_settings_of_then() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let (one, two) = (PHONE, "+14155552672");
    app.post("/v1/consents", &act(one, "opt_in", "2026-11-21T09:00:00Z", &notice)).await;
    let then = app.now();
    app.advance(Span::hours(1));
    app.post("/v1/consents", &act(one, "opt_out", "2026-11-21T09:30:00Z", &notice)).await;
    app.post("/v1/consents", &act(two, "opt_in", "2026-11-21T09:15:00Z", &notice)).await;
    let listed = async |query: &str| {
        let lines = app.get(&format!("/v1/consents?channel=sms{query}")).await.lines();
        let phones = lines.iter().map(|line| line["phone"].as_str().unwrap().to_owned());
        let mut phones: Vec<String> = phones.collect();
        phones.sort();
        phones
    };
    assert_eq!(listed("").await, [two]);
    assert_eq!(listed(&format!("&as_of={then}")).await, [one], "what was known");
    assert_eq!(listed("&effective_at=2026-11-21T09:20:00Z").await, [one, two], "what was true");
    assert_eq!(listed("&status=opted_out&effective_at=2026-11-21T09:40:00Z").await, [one]);
    app.call("PUT", "/v1/settings", &json!({ "least_levels": { "sms": "confirmed" } })).await;
    assert!(listed("").await.is_empty());
    assert_eq!(listed(&format!("&as_of={then}")).await, [one], "the settings of then");
    let both = format!("/v1/consents?channel=sms&as_of={then}&effective_at={then}");
    app.get(&both).await.is_problem("one-moment");
    app.get("/v1/consents?channel=sms&as_of=yesterday").await.is_problem("invalid-time");
}
