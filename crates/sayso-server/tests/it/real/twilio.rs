//! Calls signed by Twilio's own library are taken, and refused once a byte of them differs.

use std::io::Write;
use std::process::{Command, Stdio};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::plenty;
use crate::support::provider::{AUTH_TOKEN, credentials};
use sayso_server::app::Options;

const SIGNER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/real/sign.py");

/// What Twilio would send.
#[derive(Clone, Debug, Deserialize)]
struct Signed {
    url: String,
    body: String,
    signature: String,
}

/// Has Twilio's library sign calls, with the Python that `SAYSO_TEST_PYTHON` names.
fn sign(cases: &[Value]) -> Vec<Signed> {
    let python = std::env::var_os("SAYSO_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut signer = Command::new(python)
        .arg(SIGNER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("python3: {error}; apt-get install python3-venv"));
    let asked = json!({ "token": AUTH_TOKEN, "cases": cases }).to_string();
    signer.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let output = signer.wait_with_output().unwrap();
    assert!(output.status.success(), "see above; `cargo xtask test --only real` installs twilio");
    let signed: Vec<Signed> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(signed.len(), cases.len());
    signed
}

/// Brings a call to the server, which knows by its settings how it is called from outside.
async fn bring(app: &TestApp, kind: &str, call: &Signed) -> StatusCode {
    let (_, path) = call.url.split_once("/hooks").unwrap();
    let method = if call.body.is_empty() { "GET" } else { "POST" };
    let request = Request::builder()
        .method(method)
        .uri(format!("/hooks{path}"))
        .header("content-type", kind)
        .header("x-twilio-signature", &call.signature);
    app.send(request.body(Body::from(call.body.clone())).unwrap()).await.status
}

/// Every call that differs from this one in one place.
fn changed(call: &Signed) -> Vec<Signed> {
    let (path, query) = call.url.split_once('?').unwrap_or((&call.url, ""));
    let mut all = Vec::new();
    let other = |byte: u8| if byte == b'7' { '8' } else { '7' };
    for (at, byte) in query.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_alphanumeric()) {
        let mut query = query.to_owned();
        query.replace_range(at..=at, &other(byte).to_string());
        all.push(Signed { url: format!("{path}?{query}"), ..call.clone() });
    }
    for (at, byte) in call.body.bytes().enumerate().filter(|(_, byte)| byte.is_ascii()) {
        let mut body = call.body.clone();
        body.replace_range(at..=at, &other(byte).to_string());
        all.push(Signed { body, ..call.clone() });
    }
    for (at, byte) in call.signature.bytes().enumerate() {
        let mut signature = call.signature.clone();
        signature.replace_range(at..=at, &other(byte).to_string());
        all.push(Signed { signature, ..call.clone() });
    }
    let tail = format!("{}&Body=STOP", call.body);
    all.extend((!call.body.is_empty()).then(|| Signed { body: tail, ..call.clone() }));
    all
}

/// A server that is called at this URL, and the URL of its hook for Twilio.
async fn shop(outside: &str) -> (TestApp, String) {
    let mut options = Options::with_rates(plenty());
    options.outside.url = Some(outside.into());
    let app = TestApp::with_options(options).await;
    let connection =
        json!({ "name": "Account", "provider": "twilio", "credentials": credentials("twilio") });
    let made = app.post("/v1/connections", &connection).await.json();
    let hook = made["hook"].as_str().unwrap().to_owned();
    (app, hook)
}

async fn is_taken_unchanged_alone(app: &TestApp, case: Value) {
    let kind = if case["json"].is_null() {
        "application/x-www-form-urlencoded; charset=utf-8"
    } else {
        "application/json"
    };
    let signed = sign(&[case]).remove(0);
    assert_eq!(bring(app, kind, &signed).await, StatusCode::OK, "{signed:?}");
    let changed = changed(&signed);
    assert!(changed.len() > 28, "{signed:?}");
    for call in changed {
        let status = bring(app, kind, &call).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{call:?} of {signed:?}");
    }
}

const STOP: [[&str; 2]; 5] = [
    ["MessageSid", "SM00112233445566778899aabbccddeeff"],
    ["From", "+14155552671"],
    ["To", "+15550100900"],
    ["Body", "Arrêt ! Ça & ça = 100 %"],
    ["OptOutType", ""],
];

#[tokio::test]
async fn a_form_is_taken_as_it_was_signed_and_refused_with_a_byte_changed() {
    let (app, hook) = shop("https://consent.example").await;
    is_taken_unchanged_alone(&app, json!({ "url": hook, "form": STOP, "json": null })).await;
    let repeated = [["Tag", "b"], ["Body", "hi"], ["Tag", "a"], ["tag", "c"], ["Tag", "é"]];
    is_taken_unchanged_alone(&app, json!({ "url": hook, "form": repeated, "json": null })).await;
    let with_query = format!("{hook}?sayso_message=msg_01jd6m9k3te5b8r5v3x5y6z7w8&a=%C3%A9+b");
    is_taken_unchanged_alone(&app, json!({ "url": with_query, "form": STOP, "json": null })).await;
}

#[tokio::test]
async fn what_says_the_same_twice_says_it_once() {
    let (app, hook) = shop("https://consent.example").await;
    let form = [["Body", "hi"], ["Tag", "b"], ["Tag", "b"]];
    let signed = sign(&[json!({ "url": hook, "form": form, "json": null })]).remove(0);
    let kind = "application/x-www-form-urlencoded";
    assert_eq!(bring(&app, kind, &signed).await, StatusCode::OK);
}

#[tokio::test]
async fn a_query_is_taken_as_it_was_signed_and_refused_with_a_byte_changed() {
    let (app, hook) = shop("https://consent.example").await;
    let url = format!("{hook}?From=%2B14155552671&Body=STOP&Tag=b&Tag=a");
    is_taken_unchanged_alone(&app, json!({ "url": url, "form": null, "json": null })).await;
}

#[tokio::test]
async fn a_json_body_is_covered_by_its_hash_in_the_url() {
    let (app, hook) = shop("https://consent.example").await;
    let text = json!({ "Body": "Arrêt", "From": "+14155552671" }).to_string();
    is_taken_unchanged_alone(&app, json!({ "url": hook, "form": null, "json": text })).await;
    let url = format!("{hook}?a=b");
    is_taken_unchanged_alone(&app, json!({ "url": url, "form": null, "json": text })).await;
}

#[tokio::test]
async fn a_url_may_be_signed_with_its_port_and_without() {
    for (outside, spelled) in [
        ("https://consent.example", "https://consent.example:443"),
        ("http://consent.example", "http://consent.example:80"),
        ("https://consent.example:8443", "https://consent.example"),
        ("https://consent.example:8443", "https://consent.example:8443"),
    ] {
        let (app, hook) = shop(outside).await;
        let url = hook.replace(outside, spelled);
        let signed = sign(&[json!({ "url": url, "form": STOP, "json": null })]).remove(0);
        let kind = "application/x-www-form-urlencoded";
        assert_eq!(bring(&app, kind, &signed).await, StatusCode::OK, "{spelled} for {outside}");
        let elsewhere = hook.replace("consent.", "other.");
        let signed = sign(&[json!({ "url": elsewhere, "form": STOP, "json": null })]).remove(0);
        assert_eq!(bring(&app, kind, &signed).await, StatusCode::UNAUTHORIZED, "{elsewhere}");
    }
}
