//! `/v1/connections`: credentials that are checked when they are given, and never shown.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};

use sayso_server::app::Options;
use sayso_server::outgoing::Guard;

use crate::support::provider::{HOOK_TOKEN, credentials};
use crate::support::{Answer, TestApp, plenty};

const PROVIDERS: [&str; 4] = ["meta", "gupshup", "twilio", "kannel"];

async fn make(app: &TestApp, provider: &str, credentials: &Value) -> Answer {
    let body = json!({ "name": "Account", "provider": provider, "credentials": credentials });
    app.post("/v1/connections", &body).await
}

#[tokio::test]
async fn every_credential_that_is_missing_or_wrong_is_named_with_an_example() {
    let app = TestApp::start().await;
    for provider in PROVIDERS {
        let good = credentials(provider);
        for name in good.as_object().unwrap().keys().filter(|name| *name != "hook_token") {
            let pointer = format!("/credentials/{name}");
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(name);
            let problem = make(&app, provider, &without).await.is_problem("missing-field");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
            let example = problem["errors"][0]["example"].clone();
            assert!(example.is_string(), "{problem}");
            let mut wrong = good.clone();
            wrong[name] = "\n".into();
            let problem = make(&app, provider, &wrong).await.is_problem("invalid-value");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
            wrong[name] = example;
            assert_eq!(make(&app, provider, &wrong).await.status, StatusCode::CREATED);
        }
        make(&app, provider, &Value::Null).await;
        for url in ["ftp://a", "http://api.example", "https://169.254.169.254"] {
            let mut wrong = good.clone();
            wrong["base_url"] = url.into();
            let problem = make(&app, provider, &wrong).await.is_problem("invalid-value");
            assert_eq!(problem["errors"][0]["pointer"], "/credentials/base_url");
        }
    }
    let short = json!({ "username": "u", "password": "p", "hook_token": "short" });
    let problem = make(&app, "kannel", &short).await.is_problem("invalid-value");
    assert_eq!(problem["errors"][0]["pointer"], "/credentials/hook_token");
}

#[tokio::test]
async fn a_name_that_is_no_credential_of_the_provider_is_refused() {
    let app = TestApp::start().await;
    let mut misspelled = credentials("meta");
    misspelled["app_secrte"] = "a".into();
    let problem = make(&app, "meta", &misspelled).await.is_problem("unknown-field");
    assert_eq!(problem["errors"][0]["example"], "app_secret");
    let mut others = credentials("twilio");
    others["hook_token"] = HOOK_TOKEN.into();
    let problem = make(&app, "twilio", &others).await.is_problem("unknown-field");
    assert_eq!(problem["errors"][0]["pointer"], "/credentials/hook_token");
    let problem = make(&app, "sandbox", &json!({ "app": "a" })).await.is_problem("unknown-field");
    assert_eq!(problem["errors"][0]["pointer"], "/credentials/app");
}

#[tokio::test]
async fn credentials_are_never_shown_and_the_token_of_a_hook_once() {
    let app = TestApp::start().await;
    let mut secrets: Vec<String> = Vec::new();
    for provider in PROVIDERS {
        let mut given = credentials(provider);
        given.as_object_mut().unwrap().remove("hook_token");
        let made = make(&app, provider, &given).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let body = made.json();
        let hook = body["hook"].as_str().unwrap();
        let path = format!("/hooks/{}", body["id"].as_str().unwrap());
        match hook.strip_prefix(&path).unwrap().strip_prefix("?token=") {
            Some(token) => {
                assert!(token.len() >= 32 && matches!(provider, "gupshup" | "kannel"), "{hook}");
                secrets.push(token.to_owned());
            }
            None => assert!(matches!(provider, "meta" | "twilio"), "{hook}"),
        }
        let set: Vec<&str> = given.as_object().unwrap().keys().map(String::as_str).collect();
        for name in set {
            assert!(body["credentials"].as_array().unwrap().contains(&json!(name)), "{body}");
            let secret = given[name].as_str().unwrap();
            assert!(!made.text.contains(&format!("\"{secret}\"")), "{}", made.text);
            secrets.push(secret.to_owned());
        }
    }
    let listed = app.get("/v1/connections").await.text;
    for secret in secrets {
        assert!(
            !listed.contains(&format!("\"{secret}\"")) && !listed.contains("token="),
            "{listed}"
        );
    }
}

#[tokio::test]
async fn credentials_are_changed_one_by_one() {
    let app = TestApp::start().await;
    let made = make(&app, "kannel", &credentials("kannel")).await.json();
    let path = format!("/v1/connections/{}", made["id"].as_str().unwrap());
    let change = json!({ "name": "Gateway", "credentials": { "password": "new" } });
    let changed = app.call("PUT", &path, &change).await.json();
    assert_eq!(changed["name"], "Gateway");
    assert_eq!(changed["credentials"], made["credentials"]);
    assert!(!changed["hook"].as_str().unwrap().contains("token"), "{changed}");
    let change = json!({ "name": "Gateway", "credentials": { "hook_token": "0123456789abcdef" } });
    let changed = app.call("PUT", &path, &change).await.json();
    assert!(changed["hook"].as_str().unwrap().ends_with("?token=0123456789abcdef"), "{changed}");
    let wrong = json!({ "name": "Gateway", "credentials": { "password": "" } });
    let problem = app.call("PUT", &path, &wrong).await.is_problem("invalid-value");
    assert_eq!(problem["errors"][0]["pointer"], "/credentials/password");
    let moved = json!({ "name": "Gateway", "provider": "twilio" });
    app.call("PUT", &path, &moved).await.is_problem("invalid-value");
}

#[tokio::test]
async fn stored_secrets_go_to_no_other_place_than_they_were_given_for() {
    let app = TestApp::start().await;
    let made = make(&app, "twilio", &credentials("twilio")).await.json();
    let path = format!("/v1/connections/{}", made["id"].as_str().unwrap());
    let elsewhere = "https://elsewhere.example";
    let change = json!({ "name": "Account", "credentials": { "base_url": elsewhere } });
    let problem = app.call("PUT", &path, &change).await.is_problem("missing-field");
    let told: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["/credentials/account", "/credentials/auth_token"], "{problem}");
    let mut again = credentials("twilio");
    again["base_url"] = elsewhere.into();
    let change = json!({ "name": "Account", "credentials": again });
    assert_eq!(app.call("PUT", &path, &change).await.status, StatusCode::OK);
    let same = json!({ "name": "Renamed", "credentials": { "base_url": elsewhere } });
    assert_eq!(app.call("PUT", &path, &same).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_retry_is_one_connection_and_does_not_say_a_made_token_again() {
    let app = TestApp::start().await;
    let keyed = async |credentials: Value| {
        let body = json!({ "name": "Account", "provider": "gupshup", "credentials": credentials });
        let request = app.request("POST", "/v1/connections").header("idempotency-key", "k");
        app.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let made = keyed(json!({ "api_key": "a", "app": "b" })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    keyed(json!({ "api_key": "a", "app": "b" })).await.is_problem("idempotency-key-reused");
    assert_eq!(app.get("/v1/connections").await.json()["connections"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn no_connection_leads_into_a_private_network_that_the_settings_do_not_allow() {
    let mut options = Options::with_rates(plenty());
    options.outgoing = Guard::new(vec!["10.1.0.0/16".parse().unwrap()]);
    let app = TestApp::with_options(options).await;
    for provider in PROVIDERS {
        let at = async |url: &str| {
            let mut account = credentials(provider);
            account["base_url"] = url.into();
            make(&app, provider, &account).await
        };
        for url in [
            "https://10.0.0.7",
            "https://192.168.1.1/api",
            "https://172.16.0.1",
            "https://100.64.0.1",
            "https://169.254.169.254/latest",
            "https://0xa9fea9fe",
            "https://[fd00:ec2::254]",
            "https://[::ffff:10.0.0.7]",
            "https://[64:ff9b::a00:7]",
            "https://0.0.0.0",
            "https://224.0.0.1",
            "https://localhost",
            "https://api.example:22",
        ] {
            let problem = at(url).await.is_problem("invalid-value");
            assert_eq!(problem["errors"][0]["pointer"], "/credentials/base_url", "{url}");
            assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
            assert_eq!(problem["errors"][0]["example"], "https://api.example");
        }
        for url in ["https://api.example", "https://10.1.2.3:8443", "http://10.1.2.3"] {
            assert_eq!(at(url).await.status, StatusCode::CREATED, "{provider} {url}");
        }
        // A Kannel beside this server is no exception.
        for url in ["http://127.0.0.1:13013", "http://[::1]:13013"] {
            let problem = at(url).await.is_problem("invalid-value");
            assert!(problem.to_string().contains("outgoing.allow_private"), "{provider} {url}");
        }
    }
}
