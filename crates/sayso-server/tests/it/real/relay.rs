//! Emails to aiosmtpd, read there by Python's own library: what was meant is what arrives.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use axum::http::StatusCode;
use sayso_core::time::Span;
use sayso_server::app::Options;
use sayso_server::outgoing::Guard;
use serde_json::{Value, json};

use crate::support::relay::{PASSWORD, USER};
use crate::support::{TestApp, act, plenty};

const RELAY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/real/relay.py");

/// A running relay. It ends with its standard input.
struct Relay {
    port: u64,
    says: Lines<BufReader<ChildStdout>>,
    _input: ChildStdin,
    child: Child,
}

impl Relay {
    fn start() -> Self {
        let python = std::env::var_os("SAYSO_TEST_PYTHON").unwrap_or_else(|| "python3".into());
        let mut child = Command::new(python)
            .arg(RELAY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("python3: {error}; apt-get install python3-venv"));
        let input = child.stdin.take().unwrap();
        let says = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut relay = Self { port: 0, says, _input: input, child };
        relay.port = relay.next()["port"].as_u64().unwrap();
        relay
    }

    /// What it says next.
    fn next(&mut self) -> Value {
        let line = self.says.next();
        let Some(Ok(line)) = line else {
            panic!("see above; `cargo xtask test --only real` installs aiosmtpd");
        };
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // A process that has ended already needs no kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A shop that sends by this relay.
async fn shop(relay: &Relay, password: &str) -> TestApp {
    let mut options = Options::with_rates(plenty());
    options.outside.url = Some("https://consent.example".into());
    options.outgoing = Guard::new(vec!["127.0.0.1/32".parse().unwrap()]);
    let app = TestApp::with_options(options).await;
    let account = json!({ "host": "127.0.0.1", "port": relay.port, "tls": "none", "username": USER, "password": password });
    let connection = json!({ "name": "Our relay", "provider": "smtp", "credentials": account });
    let made = app.post("/v1/connections", &connection).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let sender = json!({ "channel": "email", "name": "Bücher & Mehr", "address": "news@shop.example", "connection": made.json()["id"] });
    assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    app
}

/// Sends an email to somebody who agreed; the message as it then is.
async fn send(app: &TestApp, to: &str, subject: &str, text: &str) -> Value {
    let notice = app.notice(&[]).await;
    let mut yes = act(to, "opt_in", "2026-11-21T09:00:00Z", &notice);
    yes["channel"] = "email".into();
    yes["email"] = yes.as_object_mut().unwrap().remove("phone").unwrap();
    assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
    let message = json!({ "to": to, "channel": "email", "subject": subject, "text": text });
    let taken = app.post("/v1/messages", &message).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    app.send_due().await;
    read(app, &taken.json()).await
}

async fn read(app: &TestApp, message: &Value) -> Value {
    app.get(&format!("/v1/messages/{}", message["id"].as_str().unwrap())).await.json()
}

fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let headers = mail["headers"].as_array().unwrap();
    let found = headers.iter().find(|header| header[0] == name);
    found.unwrap_or_else(|| panic!("no {name} in {mail}"))[1].as_str().unwrap()
}

#[tokio::test]
async fn an_email_in_any_script_arrives_as_it_was_written() {
    let mut relay = Relay::start();
    let app = shop(&relay, PASSWORD).await;
    let long = format!("{} Ende", "Wörter über Wörter, ".repeat(40));
    for (subject, text) in [
        ("Sale", "Come by.\n.\n.hidden\nWe are open = always."),
        (
            "İndirim başladı: %50’ye varan fırsatlar sizi bekliyor, kaçırmayın",
            "Çıkmak için: {unsubscribe_url}",
        ),
        ("आपका ऑर्डर तैयार है", "नमस्ते,\n\nकृपया आएँ। "),
        ("طلبك جاهز", "مرحبا بك في متجرنا."),
        ("Long", &long),
    ] {
        let message = send(&app, "ada@example.org", subject, text).await;
        assert_eq!(message["state"], "handed_over", "{message}");
        let mail = relay.next();
        assert_eq!(mail["defects"], json!([]), "{mail}");
        assert_eq!(
            (&mail["from"], &mail["to"]),
            (&json!("news@shop.example"), &json!(["ada@example.org"]))
        );
        assert_eq!(header(&mail, "Subject"), subject);
        assert_eq!(header(&mail, "From"), "Bücher & Mehr <news@shop.example>");
        assert_eq!(header(&mail, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        let link = header(&mail, "List-Unsubscribe").trim_matches(['<', '>']);
        assert!(link.starts_with("https://consent.example/u/"), "{link}");
        let arrived = mail["text"].as_str().unwrap().replace("\r\n", "\n");
        let wanted = text.replace("{unsubscribe_url}", link);
        assert_eq!(arrived.trim_end_matches('\n'), wanted);
        let id = header(&mail, "Message-ID").trim_matches(['<', '>']);
        assert_eq!(message["provider_id"], id);
    }
}

#[tokio::test]
async fn a_mailbox_that_is_not_there_is_blocked_and_a_greylisted_one_is_tried_again() {
    let mut relay = Relay::start();
    let app = shop(&relay, PASSWORD).await;
    let nobody = send(&app, "nobody@example.org", "Sale", "Come by.").await;
    assert_eq!((&nobody["state"], &nobody["failure"]), (&json!("failed"), &json!("5.1.1")));
    let asked = json!({ "channel": "email", "email": "nobody@example.org" });
    assert_eq!(app.post("/v1/check", &asked).await.json()["reason"], "suppressed");
    let later = send(&app, "later@example.org", "Sale", "Come by.").await;
    assert_eq!(later["state"], "queued", "{later}");
    app.advance(Span::minutes(10));
    app.send_due().await;
    assert_eq!(read(&app, &later).await["state"], "handed_over");
    assert_eq!(relay.next()["to"], json!(["later@example.org"]));
}

#[tokio::test]
async fn a_wrong_password_and_a_relay_that_is_gone_lose_no_email() {
    let relay = Relay::start();
    let app = shop(&relay, "wrong").await;
    let message = send(&app, "ada@example.org", "Sale", "Come by.").await;
    assert_eq!(message["state"], "queued", "{message}");
    drop(relay);
    app.advance(Span::minutes(10));
    app.send_due().await;
    assert_eq!(read(&app, &message).await["state"], "queued");
}
