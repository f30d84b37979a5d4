//! What bad input gets: a problem with a code of its own, every field by name.

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures_util::stream;
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let app = TestApp::start().await;
    let body = json!({
        "phone": 5, "chanel": "sms", "channel": "fax", "statement": "yes", "standing": "act", "ocurred_at": "now",
        "occurred_at": "now", "evidence": { "fields": { "a/b": 1 } }, "notice": { "version": -1 },
    });
    let problem = app.post("/v1/consents", &body).await.is_problem("invalid-fields");
    let mut seen: Vec<(String, String)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (
                error["pointer"].as_str().unwrap().to_owned(),
                error["code"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    seen.sort();
    let seen: Vec<(&str, &str)> =
        seen.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("/chanel", "unknown-field"),
            ("/channel", "unknown-channel"),
            ("/evidence/fields/a~1b", "wrong-type"),
            ("/notice/id", "missing-field"),
            ("/notice/language", "missing-field"),
            ("/notice/version", "wrong-type"),
            ("/occurred_at", "invalid-time"),
            ("/ocurred_at", "unknown-field"),
            ("/phone", "wrong-type"),
            ("/statement", "unknown-word"),
        ]
    );
    let misspelled = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|error| error["pointer"] == "/ocurred_at")
        .unwrap();
    assert_eq!(misspelled["example"], "occurred_at");
}

#[tokio::test]
async fn bodies_that_cannot_be_read_have_codes_of_their_own() {
    let app = TestApp::start().await;
    let json = "application/json";
    app.post_text("/v1/check", json, "{\"a\":").await.is_problem("not-json");
    app.post_text("/v1/check", json, "").await.is_problem("not-json");
    app.post_text("/v1/check", json, "[]").await.is_problem("wrong-type");
    app.post_text("/v1/check", json, "{} {}").await.is_problem("not-json");
    app.post_text("/v1/check", json, &b"{\"a\":\"\xff\"}"[..]).await.is_problem("not-utf8");
    app.post_text("/v1/check", json, "[".repeat(40)).await.is_problem("too-deep");
    app.post_text("/v1/check", json, " ".repeat(300_000)).await.is_problem("body-too-large");
    app.post_text("/v1/check", "text/html", "{}").await.is_problem("unsupported-media-type");
    let problem = app
        .post_text("/v1/check", json, "{\"phone\": \"+14155552671\", oops}")
        .await
        .is_problem("not-json");
    assert!(!problem.to_string().contains("4155552671"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_too_slowly_is_cut_off() {
    let app = TestApp::start().await;
    // The clock is the test's own: it jumps to the next tick.
    let ticks = tokio::time::interval(std::time::Duration::from_secs(3));
    let endless = stream::unfold(ticks, |mut ticks| async {
        ticks.tick().await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ticks))
    });
    let request = app.request("POST", "/v1/check").body(Body::from_stream(endless)).unwrap();
    let answer = app.send(request).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    answer.is_problem("body-too-slow");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let app = TestApp::start().await;
    app.get("/v1/nothing").await.is_problem("not-found");
    let wrong = app.delete("/v1/check").await;
    wrong.is_problem("method-not-allowed");
    assert_eq!(wrong.headers["allow"], "POST");
    app.get("/v1/profiles/pro_1").await.is_problem("not-found");
}

#[tokio::test]
async fn queries_name_their_parameters() {
    let app = TestApp::start().await;
    let problem =
        app.get("/v1/events?phone=12&limit=9999&curser=x").await.is_problem("invalid-fields");
    let pointers: Vec<&Value> =
        problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["?curser", "?limit", "?phone"]);
    app.get("/v1/events?phone=%zz").await.is_problem("invalid-query");
}

#[tokio::test]
async fn the_request_past_the_limit_gets_a_time_to_come_back() {
    let mut rates = crate::support::plenty();
    rates.key.requests = std::num::NonZeroU32::new(3).unwrap();
    rates.key.per = std::time::Duration::from_hours(1);
    let app = TestApp::with_rates(rates).await;
    for _ in 0..3 {
        app.sms("+14155552671").await;
    }
    let answer = app.get("/v1/settings").await;
    answer.is_problem("rate-limited");
    assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
}
