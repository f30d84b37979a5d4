//! Logs hold no personal data and no secret.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use sayso_server::observe::{LogForm, subscriber};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{TestApp, act};

/// Log lines, kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_log_line_holds_an_address_a_token_or_evidence() {
    let lines = Lines::default();
    let (logs, _control) = subscriber("trace", LogForm::Json, lines.clone()).unwrap();
    // For the whole process: what other tests log meanwhile is scanned too.
    tracing::subscriber::set_global_default(logs).unwrap();
    let app = TestApp::start().await;
    let notice = app.notice(&["processing"]).await;
    let phone = "+14155552671";
    let mut request = act(phone, "opt_in", "2026-11-21T09:00:00Z", &notice);
    request["evidence"] = json!({ "page": "https://shop.example/secret-page", "ip": "192.0.2.77" });
    app.post("/v1/consents", &request).await;
    app.post("/v1/profiles", &json!({ "phone": phone, "email": "ada@example.org", "attributes": { "name": "Lovelace" } })).await;
    app.get("/v1/profiles?phone=%2B14155552671").await;
    app.get("/v1/events?email=ada@example.org").await;
    app.sms(phone).await;
    app.post("/v1/consents", &json!({ "phone": "not 4155552671", "email": "ada@example" })).await;
    app.call("PUT", "/v1/settings", &json!({ "audit_look_ups": true })).await;
    app.get("/v1/profiles?phone=%2B14155552671").await;
    let look_ups = app.get("/v1/look-ups?phone=%2B14155552671").await.json();
    assert_eq!(look_ups["look_ups"].as_array().unwrap().len(), 1);
    let rejects = app.get("/v1/rejects").await.json();
    assert!(rejects["rejects"][0]["body"].as_str().unwrap().contains("ada@example"));
    app.post_text("/v1/check", "application/json", "{\"phone\": \"+14155552671\"").await;
    let site = app.site().await;
    let body = json!({ "site": site["site"], "user": { "phone_number": phone, "email": "ada@example.org", "sms_optin": true } });
    let page = Request::post("/capture/tag")
        .header("origin", "https://shop.example")
        .header("user-agent", "Curious/1.0");
    app.send(page.body(Body::from(body.to_string())).unwrap()).await;
    let links = app.links().await;
    let mut tokens = Vec::new();
    for path in [&links.preferences, &links.one_click] {
        let token = path.rsplit_once('/').unwrap().1;
        tokens.push(token[..24].to_owned());
        app.open(path).await;
        app.submit(path, &[("act", "stop_everything")]).await;
    }
    for place in ["/p", "/u", "/c", "/f", "/e", "/hooks", "/hooks/x", "/nowhere", "/p/more/of"] {
        for end in ["leaked-token-1", "leaked%2Dtoken-1", "%ff-leaked-token-1"] {
            let path = format!("{place}/{end}?answered=leaked-token-1&key=leaked-token-1");
            app.open(&path).await;
            app.submit(&path, &[]).await;
        }
    }
    app.post("/v1/erasures", &json!({ "phone": phone })).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("\"http.route\":\"/v1/consents\""), "{text}");
    for route in ["/p/{token}", "/u/{token}", "/c/{token}"] {
        assert!(text.contains(&format!("\"http.route\":\"{route}\"")), "{route}: {text}");
    }
    for secret in [
        "leaked",
        tokens[0].as_str(),
        tokens[1].as_str(),
        "4155552671",
        "ada@",
        "Lovelace",
        "192.0.2.77",
        "secret-page",
        "Curious",
        &app.key[8..],
        site["user_hash_secret"].as_str().unwrap(),
    ] {
        assert!(!text.contains(secret), "{secret} is in the log: {text}");
    }
}

#[tokio::test]
async fn lines_that_say_the_same_are_bounded_and_those_left_out_are_counted() {
    let lines = Lines::default();
    let (logs, control) = subscriber("info", LogForm::Json, lines.clone()).unwrap();
    tracing::subscriber::set_global_default(logs).unwrap();
    let app = TestApp::start().await;
    let written = || String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let begun = tokio::time::Instant::now();
    for _ in 0..500 {
        app.get("/v1/nowhere").await.is_problem("not-found");
    }
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
    let told = written().matches("answered a request with a problem").count();
    assert!((1..=seconds * 16).contains(&told), "{told} lines in {seconds} s");
    control.tell_left_out();
    let left_out = format!("\"log.left_out\":{}", 500 - told);
    assert!(written().contains(&left_out), "{left_out}: {}", written());
    assert!(written().contains("track.rs"));
    let length = written().len();
    control.tell_left_out();
    assert_eq!(written().len(), length, "what was told once is not told again");
}
