//! An answer of 401, 404, 405, 409 or 415 says what was wrong, and what would be right.

use axum::body::Body;
use axum::http::Request;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

fn detail(answer: &Answer, code: &str) -> String {
    let problem = answer.is_problem(code);
    problem["detail"].as_str().unwrap_or_else(|| panic!("no detail: {problem}")).to_owned()
}

async fn with_header(app: &TestApp, name: &str, value: &str) -> Answer {
    let request = Request::builder().uri("/v1/senders").header(name, value);
    app.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_call_without_a_key_is_told_how_to_send_one() {
    let app = TestApp::start().await;
    let request = Request::builder().uri("/v1/senders").body(Body::empty()).unwrap();
    let none = app.send(request).await;
    assert!(detail(&none, "unauthorized").contains("Authorization: Bearer sk_"));
    assert_eq!(none.headers["www-authenticate"], "Bearer realm=\"sayso\"");
    let elsewhere = with_header(&app, "x-api-key", &app.key).await;
    assert!(detail(&elsewhere, "unauthorized").contains("x-api-key"));
    let basic = with_header(&app, "authorization", "Basic c2F5c286c2F5c28=").await;
    assert!(detail(&basic, "unauthorized").contains("does not begin with `Bearer `"));
    let bare = with_header(&app, "authorization", &app.key).await;
    assert!(detail(&bare, "unauthorized").contains("does not begin with `Bearer `"));
}

#[tokio::test]
async fn a_key_that_opens_nothing_is_told_why() {
    let app = TestApp::start().await;
    let key = app.make_key("old", &[KeyScope::Configure], Standing::Report).await;
    let keys = app.get("/v1/keys").await.json();
    let old = keys["keys"].as_array().unwrap().iter().find(|key| key["name"] == "old").unwrap();
    app.delete(&format!("/v1/keys/{}", old["id"].as_str().unwrap())).await;
    let cut = &app.key[..app.key.len() - 1];
    let mistyped = format!("{cut}{}", if app.key.ends_with('0') { "1" } else { "0" });
    for (sent, says) in [
        ("hunter2", "not an API key"),
        ("YOUR_KEY", "not an API key"),
        (cut, "not an API key"),
        (mistyped.as_str(), "typing error"),
        (key.as_str(), "revoked"),
    ] {
        let answer = with_header(&app, "authorization", &format!("Bearer {sent}")).await;
        let said = detail(&answer, "unauthorized");
        assert!(said.contains(says), "{sent}: {said}");
        assert!(!said.contains(sent), "{said}");
        let challenge = "Bearer realm=\"sayso\", error=\"invalid_token\"";
        assert_eq!(answer.headers["www-authenticate"], challenge);
    }
}

#[tokio::test]
async fn a_key_of_another_server_is_said_to_be_unknown_here() {
    let app = TestApp::start().await;
    let environment = sayso_store::environment::Environment::system();
    let grant = sayso_server::keyring::KeyGrant {
        name: sayso_core::words::source::SourceName::parse("elsewhere").unwrap(),
        scopes: KeyScope::ALL.to_vec(),
        highest: Standing::Act,
    };
    let mode = sayso_core::workspace::Mode::Live;
    let key = sayso_server::keyring::mint(&environment, mode, grant).secret;
    let answer = with_header(&app, "authorization", &format!("bearer  {key}")).await;
    assert!(detail(&answer, "unauthorized").contains("another server"));
}

#[tokio::test]
async fn a_path_that_there_is_not_is_told_from_a_thing_that_there_is_not() {
    let app = TestApp::start().await;
    let near = |answer: Answer| detail(&answer, "not-found");
    let said = near(app.get("/v1/consent").await);
    assert!(said.contains("did you mean `/v1/consents`?"), "{said}");
    let said = near(app.get("/v1/message/msg_01jd6m9k3te5b8r5v3x5y6z7w8").await);
    assert!(said.contains("did you mean `/v1/messages/{id}`?"), "{said}");
    let said = near(app.post("/api/v1/check", &json!({})).await);
    assert!(said.contains("did you mean `/v1/check`?"), "{said}");
    let said = near(app.get("/+14155550101/never/heard/of/that").await);
    assert_eq!(said, "there is no such path; `/docs` lists all of them");

    let said = near(app.get("/v1/messages/msg_01jd6m9k3te5b8r5v3x5y6z7w8").await);
    assert!(said.contains("`GET /v1/messages` lists what there is"), "{said}");
    let said = near(app.delete("/v1/keys/key_01jd6m9k3te5b8r5v3x5y6z7w8").await);
    assert!(said.contains("`GET /v1/keys` lists what there is"), "{said}");
    let said = near(app.get("/v1/messages/42").await);
    assert!(said.contains("one looks like `msg_"), "{said}");
}

#[tokio::test]
async fn a_method_that_the_path_does_not_have_is_answered_with_those_that_it_has() {
    let app = TestApp::start().await;
    for (method, path, has) in [
        ("PUT", "/v1/consents", &["GET", "POST"][..]),
        ("GET", "/v1/check", &["POST"][..]),
        ("PATCH", "/v1/keys/key_01jd6m9k3te5b8r5v3x5y6z7w8", &["DELETE"][..]),
        ("POST", "/docs", &["GET"][..]),
    ] {
        let answer = app.call(method, path, &json!({})).await;
        let said = detail(&answer, "method-not-allowed");
        let allow = answer.headers["allow"].to_str().unwrap();
        for one in has {
            assert!(allow.contains(one), "{path}: {allow}");
            assert!(said.contains(one) || said.contains("the header allow"), "{path}: {said}");
        }
        assert!(said.contains(method), "{said}");
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_told_which_type_is_read() {
    let app = TestApp::start().await;
    for (path, reads) in [
        ("/v1/check", "`application/json`"),
        ("/v1/check/batch", "`application/json` or `application/x-ndjson`"),
        ("/v1/consents/batch", "`application/x-ndjson`"),
    ] {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "text/csv"] {
            let answer = app.post_text(path, kind, "{}").await;
            let said = detail(&answer, "unsupported-media-type");
            assert!(said.contains(reads), "{path} {kind}: {said}");
        }
    }
}

#[tokio::test]
async fn a_conflict_names_the_field_or_the_key_that_conflicts() {
    let app = TestApp::start().await;
    let topic = app.post("/v1/topics", &json!({ "name": "News", "category": "marketing" })).await;
    let path = format!("/v1/topics/{}", topic.json()["id"].as_str().unwrap());
    let other = json!({ "name": "News", "category": "utility" });
    let problem = app.call("PUT", &path, &other).await.is_problem("category-fixed");
    assert_eq!(problem["errors"][0]["pointer"], "/category");
    assert_eq!(problem["errors"][0]["example"], "marketing");

    let notice = app.notice(&[]).await;
    let path = format!("/v1/notices/{}/versions", notice["id"].as_str().unwrap());
    let other = json!({ "version": 1, "language": "en", "text": "Other words.",
        "names": [{ "channel": "sms" }] });
    let problem = app.post(&path, &other).await.is_problem("version-exists");
    assert_eq!(problem["errors"][0]["pointer"], "/version");
    assert_eq!(problem["errors"][0]["example"], "2");

    let one = json!({ "phone": "+14155550101", "external_id": "u-1" });
    let two = json!({ "email": "ada@example.org", "external_id": "u-2" });
    let (one, two) = (app.post("/v1/profiles", &one).await, app.post("/v1/profiles", &two).await);
    let both = json!({ "phone": "+14155550101", "email": "ada@example.org" });
    let problem = app.post("/v1/profiles", &both).await.is_problem("ambiguous-profile");
    for (pointer, profile) in [("/phone", one.json()), ("/email", two.json())] {
        let errors = problem["errors"].as_array().unwrap();
        let error = errors.iter().find(|error| error["pointer"] == pointer).unwrap();
        assert!(error["fault"].as_str().unwrap().contains(profile["id"].as_str().unwrap()));
    }

    let keyed = |body: Value| {
        let request = app.request("POST", "/v1/consents").header("idempotency-key", "k-1");
        let request = request.header("content-type", "application/json");
        app.send(request.body(Body::from(body.to_string())).unwrap())
    };
    let no = json!({ "phone": "+14155550101", "channel": "sms", "statement": "opt_out", "standing": "act" });
    keyed(no).await;
    let no = json!({ "phone": "+14155550102", "channel": "sms", "statement": "opt_out", "standing": "act" });
    let said = detail(&keyed(no).await, "idempotency-key-reused");
    assert!(said.contains("idempotency-key"), "{said}");
}
