//! What one request may cost, and what a request may not say.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::limits;
use sayso_server::app::{Options, Outside, Scheme};
use serde_json::{Value, json};

use crate::support::polls::{POLL_MAX, longest_poll};
use crate::support::{Answer, TestApp, plenty};

const NDJSON: &str = "application/x-ndjson";

/// An object of so many bytes with nothing but unknown fields.
fn unknown_fields(bytes: usize) -> String {
    let fields: Vec<String> = (0..bytes / 12).map(|field| format!("\"{field:06}\":1")).collect();
    format!("{{{}}}", fields.join(","))
}

/// Sends a body, and says whether nobody had to wait for long.
async fn send(app: &TestApp, path: &str, kind: &str, body: &str) -> Answer {
    let (answer, longest) = longest_poll(app.post_text(path, kind, body.to_owned())).await;
    assert!(longest <= POLL_MAX, "{path} kept its thread for {longest:?}");
    answer
}

#[tokio::test]
async fn a_body_of_nothing_but_faults_is_told_32_of_them_and_how_many_there_are() {
    let app = TestApp::start().await;
    let body = unknown_fields(limits::BODY_BYTES_MAX - 100);
    for path in ["/v1/consents", "/v1/check", "/v1/profiles", "/v1/forms"] {
        let answer = send(&app, path, "application/json", &body).await;
        assert!(answer.text.len() <= 65_536, "{path}: {}", answer.text.len());
        let problem = answer.json();
        let told = problem["errors"].as_array().unwrap().len();
        assert_eq!(told, 32, "{path}");
        let left_out = problem["errors_left_out"].as_u64().unwrap();
        assert!(left_out > 20_000, "{path}: {left_out}");
    }
}

#[tokio::test]
async fn a_refusal_is_taken_however_much_is_wrong_beside_it() {
    let app = TestApp::start().await;
    let fields: serde_json::Map<String, Value> =
        (0..5_000).map(|at| (format!("f{at}"), Value::from(1))).collect();
    let body = json!({
        "phone": "+14155552671", "channel": "sms", "statement": "opt_out", "standing": "act",
        "evidence": fields,
    });
    let answer = app.post("/v1/consents", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let remarks = answer.json()["remarks"].as_array().unwrap().clone();
    assert_eq!(remarks.len(), 33);
    assert_eq!(remarks[32], "4968 more could not be read: left out");
}

#[tokio::test]
async fn a_batch_of_faults_costs_a_bounded_multiple_of_itself_and_others_have_their_turn() {
    let app = TestApp::start().await;
    let rows = "/v1/imports/imp_01jd6m9k3te5b8r5v3x5y6z7w8/rows?list=crm";
    let large = unknown_fields(limits::BODY_BYTES_MAX - 100) + "\n";
    let small = unknown_fields(600) + "\n";
    for (path, line, lines) in [
        ("/v1/consents/batch", &large, 12),
        (rows, &large, 12),
        ("/v1/consents/batch", &small, 4_000),
        (rows, &small, 4_000),
    ] {
        let body = line.repeat(lines);
        let answer = send(&app, path, NDJSON, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.text.lines().count(), lines);
        let longest = answer.text.lines().map(str::len).max().unwrap();
        assert!(longest <= 65_536, "{path}: {longest}");
        assert!(answer.text.len() < 16 << 20, "{path}: {}", answer.text.len());
        assert!(answer.text.lines().all(|line| line.contains("errors_left_out")), "{path}");
    }
    let long = format!("{{\"phone\":\"{}\"}}\n", "1".repeat(limits::BODY_BYTES_MAX));
    for path in ["/v1/consents/batch", rows] {
        let answer = send(&app, path, NDJSON, &long.repeat(4)).await;
        assert_eq!(
            answer.text.matches("\"code\":\"body-too-large\"").count(),
            4,
            "{path}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_batch_of_recipients_that_are_hard_to_read_gives_others_their_turn() {
    let app = TestApp::start().await;
    let hard = |at: usize| format!("\"(0) 415-555 {:04} ext. ä{at}\"", at % 10_000);
    let most = limits::CHECK_BATCH_ITEMS_MAX;
    let texts: Vec<String> = (0..most / 10).map(hard).collect();
    let numbers: Vec<String> = (0..most).map(|at| format!("\"+1415{at:07}\"")).collect();
    for to in [texts, numbers] {
        let body = format!("{{\"channel\":\"sms\",\"to\":[{}]}}", to.join(","));
        let answer = send(&app, "/v1/check/batch", "application/json", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let lines = format!("{{\"channel\":\"sms\"}}\n{}", to.join("\n"));
        let answer = send(&app, "/v1/check/batch", NDJSON, &lines).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    let nested = format!("{{\"channel\":\"sms\",\"to\":[],\"x\":[{}1]}}", "1,".repeat(4 << 20));
    let answer = send(&app, "/v1/check/batch", "application/json", &nested).await;
    answer.is_problem("body-too-large");
}

#[tokio::test]
async fn a_good_batch_gives_others_their_turn() {
    let app = TestApp::start().await;
    let line = |at: usize| {
        let phone = format!("+1415{at:07}");
        let said =
            json!({ "phone": phone, "channel": "sms", "statement": "opt_out", "standing": "act" });
        format!("{said}\n")
    };
    let body: String = (0..limits::CONSENT_BATCH_ITEMS_MAX / 2).map(line).collect();
    let answer = send(&app, "/v1/consents/batch", NDJSON, &body).await;
    assert_eq!(answer.text.matches("\"status\":201").count(), 5_000, "{}", &answer.text[..500]);
}

#[tokio::test]
async fn a_long_text_is_searched_for_many_patterns_where_nobody_waits() {
    let app = TestApp::start().await;
    let text = "qaarts zzz qabred z ".repeat(limits::READ_BYTES_MAX / 20 - 1) + "qabred zzy";
    let asked = json!({ "channel": "sms", "text": text }).to_string();
    let dry_run = async || {
        let asked = app.post_text("/v1/rules/dry-run", "application/json", asked.clone());
        let (answer, longest) = longest_poll(asked).await;
        (answer.json()["why"].clone(), longest)
    };
    // As the server does before it listens.
    sayso_core::text::wording::make_ready();
    // The words of so long a text take their time without optimization; patterns would come on top.
    dry_run().await;
    let (why, of_words) = dry_run().await;
    assert_eq!(why, "no_match");
    let letter = |number: u8| char::from(b'a' + number % 20);
    for number in 0..200 {
        let word = format!("q{}{}", letter(number / 20), letter(number));
        let rule = json!({
            "channel": "sms", "matches": format!("{word}[a-z]+ z{{2,4}}y"), "does": "opt_out",
            "permissions": [{ "channel": "sms" }],
        });
        let made = app.post("/v1/rules", &rule).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    }
    for _ in 0..2 {
        let (why, longest) = dry_run().await;
        assert_eq!(why, "only_match");
        let more = longest.saturating_sub(of_words);
        assert!(more <= Duration::from_millis(50), "{more:?} more than without rules");
    }
}

#[tokio::test]
async fn a_host_that_is_none_is_refused_before_anything_is_done() {
    let app = TestApp::start().await;
    for host in ["a b", "ada@shop.example", "shop.example/x", "\"><script>", "a,b", ""] {
        for path in ["/v1/senders", "/p", "/u/x", "/hooks/con_x", "/tag.js", "/nowhere"] {
            let request = Request::get(path).header("host", host).body(Body::empty()).unwrap();
            app.send(request).await.is_problem("invalid-host");
        }
    }
    let twice = Request::get("/p").header("host", "a.example").header("host", "b.example");
    app.send(twice.body(Body::empty()).unwrap()).await.is_problem("invalid-host");
    for host in ["shop.example", "shop.example:8443", "[::1]:80", "127.0.0.1"] {
        let request = Request::get("/p").header("host", host).body(Body::empty()).unwrap();
        assert_ne!(app.send(request).await.status, StatusCode::BAD_REQUEST, "{host}");
    }
}

#[tokio::test]
async fn a_path_that_is_no_text_is_answered_as_ours() {
    let app = TestApp::start().await;
    let ends = ["%ff", "%c3%28", "%00", "%", "%f0%9f", "%zz"];
    for end in ends {
        for page in ["/c", "/u", "/p", "/f", "/e"] {
            for method in ["GET", "POST"] {
                let request = Request::builder().method(method).uri(format!("{page}/{end}"));
                let answer = app.send(request.body(Body::empty()).unwrap()).await;
                let kind = answer.headers["content-type"].to_str().unwrap();
                assert!(
                    kind.starts_with("text/html") || kind == "application/problem+json",
                    "{method} {page}/{end}: {kind} {}",
                    answer.text
                );
                assert!(answer.status.is_client_error(), "{method} {page}/{end}: {}", answer.text);
            }
        }
        for path in
            ["/hooks/END", "/v1/rules/END", "/v1/messages/END", "/v1/imports/END/undo", "/END"]
        {
            for method in ["GET", "POST", "DELETE"] {
                let path = path.replace("END", end);
                let request = app.request(method, &path).body(Body::empty()).unwrap();
                let answer = app.send(request).await;
                assert_eq!(
                    answer.headers["content-type"], "application/problem+json",
                    "{method} {path}: {}",
                    answer.text
                );
            }
        }
    }
}

#[tokio::test]
async fn every_answer_says_what_browsers_and_caches_may_make_of_it() {
    let paths = ["/v1/senders", "/p", "/u/x", "/c/x", "/hooks/con_x", "/nowhere", "/openapi.json"];
    for (outside, is_encrypted) in [
        (Outside::default(), false),
        (Outside { url: Some("https://consent.shop.example".into()), listens: Scheme::Http }, true),
        (Outside { url: None, listens: Scheme::Https }, true),
        (Outside { url: Some("http://consent.shop.example".into()), listens: Scheme::Http }, false),
    ] {
        let mut options = Options::with_rates(plenty());
        options.outside = outside;
        let app = TestApp::with_options(options).await;
        for path in paths {
            let answer = app.get(path).await;
            assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
            let lasting = answer.headers.get("strict-transport-security");
            assert_eq!(lasting.is_some(), is_encrypted, "{path}");
            let caching = &answer.headers["cache-control"];
            assert_eq!(caching == "no-store", path != "/openapi.json", "{path}: {caching:?}");
        }
    }
}
