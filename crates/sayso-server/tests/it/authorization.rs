//! Every operation asks who calls.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use serde_json::{Value, json};

use crate::support::TestApp;

/// Every operation of the document: path with ids filled in, method, the scope it names.
fn operations() -> Vec<(String, String, Option<String>)> {
    let document: Value = serde_json::from_str(&sayso_server::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path =
                path.replace("{id}", "evt_01jd6m9k3te5b8r5v3x5y6z7w8").replace("{site}", "site_x");
            let scope = operation["security"][0]["api_key"][0].as_str().map(str::to_owned);
            operations.push((path, method.to_uppercase(), scope));
        }
    }
    operations
}

async fn status(app: &TestApp, path: &str, method: &str, key: Option<&str>) -> StatusCode {
    let mut request =
        Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    app.send(request.body(Body::from("{}")).unwrap()).await.status
}

#[tokio::test]
async fn every_operation_refuses_who_has_no_key_a_broken_one_or_a_revoked_one() {
    let app = TestApp::start().await;
    let revoked = app.make_key("old", KeyScope::ALL, Standing::Act).await;
    let keys = app.get("/v1/keys").await.json();
    let old = keys["keys"].as_array().unwrap().iter().find(|key| key["name"] == "old").unwrap();
    app.delete(&format!("/v1/keys/{}", old["id"].as_str().unwrap())).await;
    let broken = format!("{}x", &app.key[..app.key.len() - 1]);
    for (path, method, scope) in operations() {
        if scope.is_none() {
            assert!(path.starts_with("/capture/"), "an operation without a scope: {path}");
            assert_eq!(status(&app, &path, &method, None).await, StatusCode::FORBIDDEN);
            continue;
        }
        for key in [None, Some("sk_test_nonsense"), Some(broken.as_str()), Some(revoked.as_str())] {
            assert_eq!(
                status(&app, &path, &method, key).await,
                StatusCode::UNAUTHORIZED,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn every_operation_refuses_a_key_without_its_scope() {
    let app = TestApp::start().await;
    for (path, method, scope) in operations() {
        let Some(scope) = scope else { continue };
        let others: Vec<KeyScope> =
            KeyScope::ALL.iter().copied().filter(|other| other.as_str() != scope).collect();
        let key = app.make_key("others", &others, Standing::Act).await;
        assert_eq!(
            status(&app, &path, &method, Some(&key)).await,
            StatusCode::FORBIDDEN,
            "{method} {path}"
        );
        let only = app.make_key("only", &[KeyScope::parse(&scope).unwrap()], Standing::Act).await;
        assert_ne!(
            status(&app, &path, &method, Some(&only)).await,
            StatusCode::FORBIDDEN,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_gives_no_more_than_its_maker_has() {
    let mut app = TestApp::start().await;
    let made = app
        .post("/v1/keys", &json!({ "name": "shop", "scopes": ["configure", "check"] }))
        .await
        .json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert_eq!(made["highest"], "report");
    assert!(!app.get("/v1/keys").await.text.contains(&secret));
    app.key = secret;
    app.post("/v1/keys", &json!({ "name": "more", "scopes": ["write"] }))
        .await
        .is_problem("scope-missing");
    app.post("/v1/keys", &json!({ "name": "more", "scopes": ["check"], "highest": "act" }))
        .await
        .is_problem("standing-too-high");
    let problem = app
        .post("/v1/keys", &json!({ "name": "more", "scopes": ["chek"] }))
        .await
        .is_problem("unknown-word");
    assert_eq!(problem["errors"][0]["pointer"], "/scopes/0");
}

#[tokio::test]
async fn one_workspace_never_sees_another() {
    let mut app = TestApp::start().await;
    let sender = app
        .post("/v1/senders", &json!({ "channel": "sms", "name": "a", "address": "+1" }))
        .await
        .json();
    let yes = json!({ "phone": "+14155552671", "channel": "sms", "statement": "opt_in", "standing": "report" });
    app.post("/v1/consents", &yes).await;
    app.workspace =
        app.store.create_workspace("other", sayso_core::workspace::Mode::Live).await.unwrap();
    app.key = app.make_key("other", KeyScope::ALL, Standing::Act).await;
    assert_eq!(app.get("/v1/senders").await.json(), json!({ "senders": [], "next": null }));
    let path = format!("/v1/senders/{}", sender["id"].as_str().unwrap());
    app.call("PUT", &path, &json!({ "name": "b", "address": "+2" })).await.is_problem("not-found");
    assert_eq!(app.sms("+14155552671").await["reason"], "no_opt_in");
    assert_eq!(app.get("/v1/consents?channel=sms").await.text, "");
}
