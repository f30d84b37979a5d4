//! `/v1/rejects` (rule 1): what was refused is kept, with who sent it, what was wrong and what it was.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::limits;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use serde_json::{Value, json};

use crate::support::TestApp;

const LINES: &str = "application/x-ndjson";
const PHONE: &str = "+14155552671";
const IMPORT: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";

async fn rejects(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.get(&format!("/v1/rejects{query}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.json()["rejects"].as_array().unwrap().clone()
}

async fn key_id(app: &TestApp) -> Value {
    app.get("/v1/keys").await.json()["keys"][0]["id"].clone()
}

#[tokio::test]
async fn a_refused_consent_is_kept_with_what_was_wrong_and_what_was_sent() {
    let app = TestApp::start().await;
    let sent =
        json!({ "phone": "12", "channel": "sms", "statement": "opt_in", "standing": "report" });
    let problem = app.post("/v1/consents", &sent).await.is_problem("invalid-phone");
    let kept = rejects(&app, "").await;
    assert_eq!(kept.len(), 1);
    let reject = &kept[0];
    assert!(reject["id"].as_str().unwrap().starts_with("rej_"));
    assert!(reject["refused_at"].as_str().unwrap().starts_with("2026-11-21T10:00:0"));
    assert_eq!((&reject["road"], &reject["source"]), (&json!("api"), &key_id(&app).await));
    assert_eq!((&reject["code"], &reject["errors"]), (&problem["code"], &problem["errors"]));
    assert_eq!(serde_json::from_str::<Value>(reject["body"].as_str().unwrap()).unwrap(), sent);
    assert_eq!((&reject["body_is_cut"], &reject["line"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_too_and_what_was_taken_is_not() {
    let app = TestApp::start().await;
    let yes =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report" });
    assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
    for (body, code) in [("{\"phone\": ", "not-json"), ("[]", "wrong-type")] {
        app.post_text("/v1/consents", "application/json", body).await.is_problem(code);
    }
    app.post_text("/v1/consents", "application/json", vec![b'"', 0xff])
        .await
        .is_problem("not-utf8");
    let kept = rejects(&app, "").await;
    let told: Vec<_> = kept.iter().map(|reject| (&reject["code"], &reject["body"])).collect();
    let expected = [("not-utf8", "\"\u{fffd}"), ("wrong-type", "[]"), ("not-json", "{\"phone\": ")];
    assert_eq!(told.len(), expected.len());
    for ((code, body), expected) in told.into_iter().zip(expected) {
        assert_eq!((code.as_str().unwrap(), body.as_str().unwrap()), expected);
    }
}

#[tokio::test]
async fn a_request_that_only_came_too_late_or_without_a_key_leaves_nothing() {
    let mut app = TestApp::start().await;
    let long = format!("{{\"phone\": \"{}\"}}", "1".repeat(limits::BODY_BYTES_MAX));
    app.post_text("/v1/consents", "application/json", long).await.is_problem("body-too-large");
    app.post_text("/v1/consents", "text/plain", "{}").await.is_problem("unsupported-media-type");
    let all = std::mem::replace(&mut app.key, "sk_test_nonsense".to_owned());
    app.post("/v1/consents", &json!({})).await.is_problem("unauthorized");
    app.key = all;
    assert_eq!(rejects(&app, "").await, Vec::<Value>::new());
}

#[tokio::test]
async fn each_refused_line_of_a_batch_is_kept_with_its_place() {
    let app = TestApp::start().await;
    let good =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report" });
    let lines = format!("{good}\n\nnot json\n{good}\n{}", json!({ "phone": PHONE }));
    let answers = app.post_text("/v1/consents/batch", LINES, lines).await.lines();
    let refused: Vec<_> = answers.iter().filter(|answer| answer["problem"].is_object()).collect();
    let kept = rejects(&app, "").await;
    assert_eq!((refused.len(), kept.len()), (2, 2));
    for (reject, answer) in kept.iter().rev().zip(refused) {
        assert_eq!(reject["line"], answer["index"]);
        assert_eq!(reject["code"], answer["problem"]["code"]);
    }
    assert_eq!(kept[1]["body"], "not json");
}

#[tokio::test]
async fn a_key_used_for_another_request_is_kept() {
    let app = TestApp::start().await;
    let send = async |statement: &str| {
        let body = json!({ "phone": PHONE, "channel": "sms", "statement": statement, "standing": "report" });
        let request = app.request("POST", "/v1/consents").header("idempotency-key", "k");
        app.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    assert_eq!(send("opt_in").await.status, StatusCode::CREATED);
    send("opt_out").await.is_problem("idempotency-key-reused");
    let kept = rejects(&app, "?code=idempotency-key-reused").await;
    assert!(kept[0]["body"].as_str().unwrap().contains("opt_out"));
}

#[tokio::test]
async fn a_refused_row_is_kept_with_its_import_and_line_and_a_preview_keeps_none() {
    let app = TestApp::start().await;
    let rows = [
        json!({ "line": 2, "phone": PHONE, "channel": "sms", "statement": "opt_in" }),
        json!({ "line": 3, "phone": "12", "channel": "sms", "statement": "opt_in" }),
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in" }),
    ];
    let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    let path = format!("/v1/imports/{IMPORT}/rows?list=crm");
    app.post_text(&format!("{path}&preview=true"), LINES, rows.join("\n")).await;
    assert_eq!(rejects(&app, "").await, Vec::<Value>::new());
    app.post_text(&path, LINES, rows.join("\n")).await;
    let kept = rejects(&app, &format!("?source={IMPORT}")).await;
    let told: Vec<_> =
        kept.iter().map(|reject| (&reject["road"], &reject["line"], &reject["code"])).collect();
    let import = json!("import");
    assert_eq!(
        told,
        [
            (&import, &Value::Null, &json!("missing-field")),
            (&import, &json!(3), &json!("invalid-phone")),
        ]
    );
    assert_eq!(kept[1]["errors"][0]["pointer"], "/phone");
    assert_eq!(kept[1]["body"], rows[1].as_str());
}

#[tokio::test]
async fn what_a_page_said_wrongly_is_kept_without_attributes() {
    let app = TestApp::start().await;
    let site = app.site().await;
    let page = async |user: Value| {
        let body = json!({ "site": site["site"], "user": user, "user_hash": "0123456789" });
        let request = Request::post("/capture/tag").header("origin", "https://shop.example");
        app.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let said = json!({
        "phone_number": "12", "sms_optin": true, "email": "ada@example.org", "email_optin": true,
        "name": "Ada", "surname": "Lovelace", "language": "en_US", "custom": { "tier": "gold" },
    });
    let answer = page(said).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    let kept = rejects(&app, "?source=shop").await;
    assert_eq!(kept.len(), 1);
    assert_eq!((&kept[0]["road"], &kept[0]["errors"]), (&json!("tag"), &answer.json()["rejected"]));
    let body: Value = serde_json::from_str(kept[0]["body"].as_str().unwrap()).unwrap();
    let user = json!({ "phone_number": "12", "sms_optin": true, "email": "ada@example.org", "email_optin": true });
    assert_eq!(body, json!({ "site": site["site"], "user": user }));
}

#[tokio::test]
async fn what_a_page_said_well_is_not_kept() {
    let app = TestApp::start().await;
    let site = app.site().await;
    let body = json!({ "site": site["site"], "user": { "email": "ada@example.org", "email_optin": true } });
    let request = Request::post("/capture/tag").header("origin", "https://shop.example");
    let answer = app.send(request.body(Body::from(body.to_string())).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(rejects(&app, "").await, Vec::<Value>::new());
}

#[tokio::test]
async fn rejects_are_paged_and_filtered_and_wrong_filters_are_named() {
    let mut app = TestApp::start().await;
    for n in 0..5 {
        app.post("/v1/consents", &json!({ "phone": n.to_string() })).await;
    }
    let other = app.make_key("other", KeyScope::ALL, Standing::Act).await;
    let first = std::mem::replace(&mut app.key, other);
    app.post_text("/v1/consents", "application/json", "{").await.is_problem("not-json");
    app.key = first;
    let mut cursor = String::new();
    let mut found = Vec::new();
    loop {
        let page = app.get(&format!("/v1/rejects?limit=2{cursor}")).await.json();
        found.extend(page["rejects"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let bodies: Vec<&str> = found.iter().map(|reject| reject["body"].as_str().unwrap()).collect();
    let phone = |n: u8| format!("{{\"phone\":\"{n}\"}}");
    assert_eq!(bodies, ["{", &phone(4), &phone(3), &phone(2), &phone(1), &phone(0)]);
    let source = key_id(&app).await;
    let of_key = rejects(&app, &format!("?source={}", source.as_str().unwrap())).await;
    assert!(of_key.iter().all(|reject| reject["source"] == source));
    assert!((1..6).contains(&of_key.len()), "of one key alone: {}", of_key.len());
    assert_eq!(rejects(&app, "?code=not-json").await.len(), 1);
    let problem =
        app.get("/v1/rejects?code=broken&cursor=x&limit=0").await.is_problem("invalid-fields");
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["?limit", "?cursor", "?code"]);
}

#[tokio::test]
async fn an_answer_is_the_same_where_nothing_can_be_kept() {
    let app = TestApp::start().await;
    let wrong = json!({ "phone": "12", "channel": "sms", "statement": "opt_in" });
    let before = app.post("/v1/consents", &wrong).await.is_problem("invalid-fields");
    app.store.close().await.unwrap();
    let after = app.post("/v1/consents", &wrong).await.is_problem("invalid-fields");
    assert_eq!(before["errors"], after["errors"]);
}

#[tokio::test]
async fn an_erasure_takes_the_rejects_that_speak_of_the_person() {
    let app = TestApp::start().await;
    let refused = |phone: &str| json!({ "phone": phone, "channel": "sms", "statement": "opt_in", "ocurred_at": 1 });
    for phone in [PHONE, "(415) 555-2671", "+14155550199"] {
        app.post("/v1/consents", &refused(phone)).await;
    }
    assert_eq!(rejects(&app, "").await.len(), 3);
    let erased = app.post("/v1/erasures", &json!({ "phone": PHONE })).await;
    assert_eq!(erased.status, StatusCode::CREATED, "{}", erased.text);
    let kept = rejects(&app, "").await;
    assert_eq!(kept.len(), 1);
    assert!(kept[0]["body"].as_str().unwrap().contains("+14155550199"));
}
