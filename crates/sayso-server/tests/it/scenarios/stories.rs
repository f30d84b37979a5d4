//! The rows that take more than statements: sites, lists, retractions, settings, links, and time
//! that passes.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::time::Span;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use sayso_store::environment::Clock;
use serde_json::{Value, json};

use super::PHONE;
use crate::support::{Answer, TestApp, act};

const OTHER: &str = "+14155552672";
const IMPORT: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";

/// A workspace, with a site and notices, where time passes between what is said.
struct Story {
    app: TestApp,
    notice: Value,
    site: Value,
}

impl Story {
    async fn begin() -> Self {
        let app = TestApp::start().await;
        let notice = app.notice(&[]).await;
        let site = app.site().await["site"].clone();
        Self { app, notice, site }
    }

    /// The person does this now, and an hour passes.
    async fn person(&self, statement: &str) -> Value {
        self.person_at(PHONE, statement, &self.app.now()).await
    }

    async fn person_at(&self, phone: &str, statement: &str, occurred_at: &str) -> Value {
        let said = act(phone, statement, occurred_at, &self.notice);
        let answer = self.app.post("/v1/consents", &said).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        self.app.advance(Span::hours(1));
        answer.json()
    }

    /// A page says this of its user now, and an hour passes.
    async fn page(&self, user: Value) {
        let body = json!({ "site": self.site, "user": user });
        let request = Request::post("/capture/tag").header("origin", "https://shop.example");
        let answer = self.app.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        self.app.advance(Span::hours(1));
    }

    /// A list has this row, and an hour passes.
    async fn list(&self, query: &str, row: &Value) -> Value {
        let path = format!("/v1/imports/{IMPORT}/rows?list=crm{query}");
        let answer = self.app.post_text(&path, "application/x-ndjson", row.to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        self.app.advance(Span::hours(1));
        answer.lines().remove(0)
    }

    async fn settle(&self, settings: Value) {
        let answer = self.app.call("PUT", "/v1/settings", &settings).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }

    async fn ask(&self, more: Value) -> Answer {
        let mut question = json!({ "channel": "sms", "phone": PHONE, "explain": true });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.app.post("/v1/check", &question).await;
        if answer.status == StatusCode::OK && question.get("as_of").is_none() {
            let mut plain = question.clone();
            plain.as_object_mut().unwrap().remove("explain");
            let plain = self.app.post("/v1/check", &plain).await.json();
            assert_eq!(plain["reasons"], answer.json()["reasons"], "the index and the store agree");
        }
        answer
    }

    /// What the gate says, and where the person stands.
    async fn stands(&self, more: Value) -> (String, String) {
        let answer = self.ask(more).await.json();
        let said = answer["reason"].as_str().unwrap_or("allow").to_owned();
        (said, answer["explanation"]["consent"]["status"].as_str().unwrap().to_owned())
    }
}

fn are(said: &str, status: &str) -> (String, String) {
    (said.to_owned(), status.to_owned())
}

fn row(statement: &str) -> Value {
    json!({ "line": 2, "phone": PHONE, "channel": "sms", "statement": statement })
}

#[tokio::test]
async fn row_3_a_question_that_lapsed_lifts_no_refusal_and_no_waiver_does() {
    let story = Story::begin().await;
    story.person("opt_out").await;
    story.person("pending").await;
    story.app.advance(Span::days(8));
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
    let waived = json!({ "category": "utility", "require_opt_in": false });
    assert_eq!(story.stands(waived).await, are("opted_out", "opted_out"));
}

#[tokio::test]
async fn row_5_a_list_that_says_yes_is_an_opt_in_unless_more_is_asked() {
    let story = Story::begin().await;
    story.person("pending").await;
    let mut yes = row("opt_in");
    yes["occurred_at"] = json!(story.app.now());
    let told = story.list("", &yes).await;
    assert_eq!((&told["standing"], &told["outcome"]), (&json!("report"), &json!("appended")));
    assert_eq!(story.stands(json!({})).await, are("allow", "opted_in"));
    assert_eq!(story.ask(json!({})).await.json()["explanation"]["consent"]["level"], "single");
    story.settle(json!({ "least_levels": { "sms": "confirmed" } })).await;
    assert_eq!(story.stands(json!({})).await, are("pending", "pending"));
}

#[tokio::test]
async fn row_11_a_row_without_a_notice_is_a_report_and_lifts_nothing() {
    let story = Story::begin().await;
    story.person("opt_out").await;
    let mut yes = row("opt_in");
    yes["occurred_at"] = json!(story.app.now());
    yes["method"] = json!("paper form");
    yes["evidence"] = json!("crm");
    let previewed = story.list("&preview=true", &yes).await;
    assert_eq!(
        (&previewed["standing"], &previewed["outcome"], &previewed["status"]),
        (&json!("report"), &json!("would_append"), &json!("opted_out"))
    );
    story.list("", &yes).await;
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
}

#[tokio::test]
async fn row_12_a_retraction_counts_from_the_beginning_and_was_not_known_before() {
    let story = Story::begin().await;
    story.person("opt_out").await;
    let wrong = story.person("opt_in").await["event"]["id"].as_str().unwrap().to_owned();
    let then = story.app.now();
    story.app.advance(Span::hours(1));
    let path = format!("/v1/events/{wrong}/retraction");
    story.app.post(&path, &json!({ "phone": PHONE })).await;
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
    assert_eq!(story.stands(json!({ "as_of": then })).await, are("allow", "opted_in"));
    let truth = json!({ "effective_at": then });
    assert_eq!(story.stands(truth).await, are("opted_out", "opted_out"));
    let listed = async |moment: &str| {
        let path = format!("/v1/consents?channel=sms&{moment}={then}");
        story.app.get(&path).await.lines().len()
    };
    assert_eq!((listed("as_of").await, listed("effective_at").await), (1, 0));
}

#[tokio::test]
async fn row_13_a_site_that_repeats_its_no_says_nothing_new() {
    let story = Story::begin().await;
    let no = json!({ "uuid": "u-1", "phone_number": PHONE, "sms_optin": false });
    story.page(no.clone()).await;
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
    story.person("opt_in").await;
    story.page(no).await;
    assert_eq!(story.stands(json!({})).await, are("allow", "opted_in"));
    let claims = story.ask(json!({})).await.json()["explanation"]["claims"].clone();
    assert_eq!((&claims[0]["road"], &claims[0]["says"]), (&json!("tag"), &json!("no")));
    let events = story.app.get("/v1/events?phone=%2B14155552671").await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 2, "the repetition is dropped");
}

#[tokio::test]
async fn row_14_a_yes_of_one_customer_lifts_no_no_of_another_on_the_same_phone() {
    let story = Story::begin().await;
    story.page(json!({ "uuid": "u-a", "phone_number": PHONE, "sms_optin": false })).await;
    story.page(json!({ "uuid": "u-b", "phone_number": PHONE, "sms_optin": true })).await;
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
}

#[tokio::test]
async fn row_20_a_refusal_of_marketing_leaves_utility_untouched() {
    let story = Story::begin().await;
    story.person("opt_in").await;
    let refusal = json!({ "phone": PHONE, "channel": "sms", "scope": "category:marketing", "statement": "opt_out", "standing": "act" });
    story.app.post("/v1/consents", &refusal).await;
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
    assert_eq!(story.stands(json!({ "category": "utility" })).await, are("allow", "opted_in"));
}

#[tokio::test]
async fn row_21_no_default_reaches_an_erased_person() {
    let story = Story::begin().await;
    story.settle(json!({ "defaults": { "sms": "opted_in" } })).await;
    let utility = json!({ "category": "utility" });
    assert_eq!(story.stands(utility.clone()).await.0, "allow");
    let erasure = json!({ "phone": PHONE, "reason": "ticket 7" });
    assert_eq!(story.app.post("/v1/erasures", &erasure).await.status, StatusCode::CREATED);
    assert_eq!(story.stands(utility).await.0, "suppressed");
    // The index holds no key without an address: it knows the denial, and not every reason of it.
    assert_eq!(story.app.sms(PHONE).await["decision"], "deny");
}

#[tokio::test]
async fn row_22_the_default_holds_where_nothing_at_all_was_recorded() {
    let story = Story::begin().await;
    story.settle(json!({ "defaults": { "sms": "opted_in" } })).await;
    story.person("pending").await;
    story.app.advance(Span::days(8));
    let utility = json!({ "category": "utility" });
    assert_eq!(story.stands(utility).await, are("no_opt_in", "never"));
    let stranger = json!({ "category": "utility", "phone": OTHER });
    assert_eq!(story.stands(stranger).await.0, "allow");
}

#[tokio::test]
async fn row_23_the_default_of_then_holds_for_then() {
    let story = Story::begin().await;
    story.settle(json!({ "defaults": { "sms": "opted_out" } })).await;
    story.app.advance(Span::days(5));
    let day_5 = story.app.now();
    story.app.advance(Span::days(5));
    story.settle(json!({ "defaults": { "sms": "opted_in" } })).await;
    story.app.advance(Span::days(1));
    let utility = |more: Value| {
        let mut question = json!({ "category": "utility" });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        question
    };
    assert_eq!(story.stands(utility(json!({ "as_of": day_5 }))).await.0, "no_opt_in");
    assert_eq!(story.stands(utility(json!({}))).await.0, "allow");
    assert_eq!(story.stands(json!({})).await.0, "no_opt_in", "marketing is never in by default");
}

#[tokio::test]
async fn row_24_a_link_carries_a_refusal_with_its_own_time() {
    for (own, expected) in [
        ("2026-11-21T07:00:00Z", are("allow", "opted_in")),
        ("2026-11-21T03:00:00Z", are("opted_out", "opted_out")),
    ] {
        let story = Story::begin().await;
        story.person_at(PHONE, "opt_out", "2026-11-21T05:00:00Z").await;
        story.person_at(OTHER, "opt_in", own).await;
        let person = json!({ "external_id": "u-1", "phone": PHONE });
        let profile = story.app.post("/v1/profiles", &person).await.json();
        let path = format!("/v1/profiles/{}/addresses", profile["id"].as_str().unwrap());
        let linked = story.app.post(&path, &json!({ "phone": OTHER })).await;
        assert_eq!(linked.status, StatusCode::OK, "{}", linked.text);
        assert_eq!(story.stands(json!({ "phone": OTHER })).await, expected, "agreed at {own}");
        assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
    }
}

#[tokio::test]
async fn rows_25_and_26_refused_processing_is_lifted_by_an_act_that_names_it() {
    let story = Story::begin().await;
    story.page(json!({ "uuid": "u-a", "phone_number": PHONE, "gdpr_optin": false })).await;
    story.page(json!({ "uuid": "u-b", "phone_number": PHONE, "gdpr_optin": true })).await;
    story.person("opt_in").await;
    assert_eq!(story.stands(json!({})).await, are("processing_refused", "opted_in"));
    let naming = story.app.notice(&["processing"]).await;
    let named = act(PHONE, "opt_in", &story.app.now(), &naming);
    assert_eq!(story.app.post("/v1/consents", &named).await.status, StatusCode::CREATED);
    assert_eq!(story.stands(json!({})).await, are("allow", "opted_in"));
}

#[tokio::test]
async fn row_26_a_refusal_of_processing_outlasts_an_act_that_does_not_name_it() {
    let story = Story::begin().await;
    let refusal = json!({ "phone": PHONE, "permission": "processing", "statement": "opt_out", "standing": "act" });
    assert_eq!(story.app.post("/v1/consents", &refusal).await.status, StatusCode::CREATED);
    story.person("opt_in").await;
    assert_eq!(story.stands(json!({})).await, are("processing_refused", "opted_in"));
}

#[tokio::test]
async fn row_31_an_unclear_text_holds_marketing_alone() {
    let story = Story::begin().await;
    story.person("opt_in").await;
    story.person("hold").await;
    assert_eq!(story.stands(json!({})).await, are("under_review", "under_review"));
    assert_eq!(story.stands(json!({ "category": "utility" })).await, are("allow", "opted_in"));
}

#[tokio::test]
async fn row_33_an_undone_import_takes_its_refusals_back() {
    let story = Story::begin().await;
    story.person("opt_in").await;
    story.list("", &row("opt_out")).await;
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
    story.app.post(&format!("/v1/imports/{IMPORT}/undo"), &json!({})).await;
    assert_eq!(story.stands(json!({})).await, are("allow", "opted_in"));
}

#[tokio::test]
async fn row_34_a_refusal_by_hash_meets_its_address_later() {
    let story = Story::begin().await;
    // SHA-256 of 14155552671.
    let hash = "758fbf68945f21c416814c539ab578876c8d98fb69e6da692def92cd52417fe0";
    let refused = json!({ "line": 2, "hash": hash, "kind": "phone", "channel": "sms", "statement": "opt_out" });
    assert_eq!(story.list("", &refused).await["outcome"], "appended");
    story.page(json!({ "uuid": "u-1", "phone_number": PHONE, "sms_optin": true })).await;
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
}

#[tokio::test]
async fn row_35_the_answer_to_a_late_refusal_states_where_the_person_stands() {
    let story = Story::begin().await;
    story.person_at(PHONE, "opt_in", "2026-11-21T01:00:00Z").await;
    story.person_at(PHONE, "start", "2026-11-21T03:00:00Z").await;
    let late = story.person_at(PHONE, "opt_out", "2026-11-21T02:00:00Z").await;
    assert_eq!(late["consent"]["status"], "opted_in");
    assert_eq!(story.stands(json!({})).await, are("allow", "opted_in"));
}

#[tokio::test]
async fn row_40_an_opt_in_dated_ahead_counts_at_its_receipt() {
    let story = Story::begin().await;
    let now = story.app.clock.now();
    let ahead = now.plus(Span::minutes(4)).to_string();
    let said = act(PHONE, "opt_in", &ahead, &story.notice);
    let recorded = story.app.post("/v1/consents", &said).await.json();
    assert!(recorded["event"]["occurred_at"].as_str().unwrap() < ahead.as_str());
    story.app.advance(Span::minutes(1));
    story.person("opt_out").await;
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
}

#[tokio::test]
async fn row_41_a_refusal_to_the_second_is_read_at_the_end_of_it() {
    let story = Story::begin().await;
    story.person_at(PHONE, "opt_in", "2026-11-21T09:00:00.5Z").await;
    story.person_at(PHONE, "opt_out", "2026-11-21T09:00:00Z").await;
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
}

#[tokio::test]
async fn row_42_a_retry_after_a_refusal_is_the_first_event() {
    let story = Story::begin().await;
    let said = act(PHONE, "opt_in", &story.app.now(), &story.notice);
    let send = async || {
        let request = story.app.request("POST", "/v1/consents").header("idempotency-key", "k1");
        story.app.send(request.body(Body::from(said.to_string())).unwrap()).await
    };
    assert_eq!(send().await.status, StatusCode::CREATED);
    story.app.advance(Span::hours(1));
    story.person("opt_out").await;
    let retried = send().await;
    assert_eq!(retried.json()["event"]["outcome"], "retried");
    assert_eq!(retried.json()["consent"]["status"], "opted_out");
    assert_eq!(story.stands(json!({})).await, are("opted_out", "opted_out"));
}

#[tokio::test]
async fn row_44_a_message_that_was_asked_for_may_go_for_ten_minutes() {
    let story = Story::begin().await;
    story.person("opt_out").await;
    let asked = json!({ "category": "authentication", "requested_at": story.app.now() });
    story.app.advance(Span::minutes(3));
    assert_eq!(story.stands(asked.clone()).await, are("allow", "opted_out"));
    story.app.advance(Span::minutes(17));
    assert_eq!(story.stands(asked).await, are("opted_out", "opted_out"));
}

#[tokio::test]
async fn row_46_marketing_is_never_exempt_and_other_messages_by_some_keys_alone() {
    let mut story = Story::begin().await;
    let exempt = |category: &str| json!({ "category": category, "require_opt_in": false });
    story.ask(exempt("marketing")).await.is_problem("exemption-for-marketing");
    assert_eq!(story.stands(exempt("utility")).await.0, "allow");
    story.app.key = story.app.make_key("plain", &[KeyScope::Check], Standing::Report).await;
    story.ask(exempt("utility")).await.is_problem("exemption-not-allowed");
    story.ask(exempt("marketing")).await.is_problem("exemption-for-marketing");
}
