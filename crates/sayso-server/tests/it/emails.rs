//! Emails go out by SMTP (rules 22 and 28), to a stand-in that holds us to the letter of RFC 5321.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::time::Span;
use sayso_server::app::{App, Options};
use sayso_server::outgoing::Guard;
use serde_json::{Value, json};

use crate::support::certificate::Certificate;
use crate::support::relay::{ENDLESS, Encrypted, HANG_UP, PASSWORD, Relay, SILENCE, Taken, USER};
use crate::support::{TestApp, act, plenty};

const URL: &str = "https://consent.example";
const ADA: &str = "ada@example.org";

/// A shop that sends email by a relay.
struct Shop {
    app: TestApp,
    relay: Relay,
    connection: String,
}

fn options() -> Options {
    let mut options = Options::with_rates(plenty());
    options.provider_timeout = Duration::from_millis(300);
    options.outside.url = Some(URL.into());
    let near = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap());
    options.outgoing = Guard::new(near.to_vec());
    options
}

impl Shop {
    async fn new() -> Self {
        Self::with(Encrypted::Never, &json!({ "tls": "none" })).await
    }

    /// A shop with a relay like this, by a connection with these credentials.
    async fn with(encrypted: Encrypted, credentials: &Value) -> Self {
        Self::over(options(), encrypted, credentials).await
    }

    async fn over(options: Options, encrypted: Encrypted, credentials: &Value) -> Self {
        let app = TestApp::with_options(options).await;
        let relay = Relay::start(encrypted).await;
        let mut account = json!({ "host": "localhost", "port": relay.port });
        let more = credentials.as_object().unwrap().clone();
        account.as_object_mut().unwrap().extend(more);
        let connection = json!({ "name": "Our relay", "provider": "smtp", "credentials": account });
        let made = app.post("/v1/connections", &connection).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        assert_eq!(made.json()["hook"], Value::Null, "a relay calls nobody");
        let connection = made.json()["id"].as_str().unwrap().to_owned();
        let sender = json!({ "channel": "email", "name": "Shop", "address": "news@shop.example", "connection": connection });
        let made = app.post("/v1/senders", &sender).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let notice = app.notice(&[]).await;
        let mut yes = act(ADA, "opt_in", "2026-11-21T09:00:00Z", &notice);
        yes["channel"] = "email".into();
        yes["email"] = yes.as_object_mut().unwrap().remove("phone").unwrap();
        let recorded = app.post("/v1/consents", &yes).await;
        assert_eq!(recorded.status, StatusCode::CREATED, "{}", recorded.text);
        Self { app, relay, connection }
    }

    async fn queue(&self, more: &Value) -> String {
        let mut message =
            json!({ "to": ADA, "channel": "email", "subject": "Sale", "text": "50 % off." });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.app.post("/v1/messages", &message).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Sends an email; the message as it then is.
    async fn send(&self, more: &Value) -> Value {
        let id = self.queue(more).await;
        self.app.send_due().await;
        self.read(&id).await
    }

    async fn read(&self, id: &str) -> Value {
        self.app.get(&format!("/v1/messages/{id}")).await.json()
    }

    /// The one email that the relay took.
    fn taken(&self) -> Taken {
        let mut taken = self.relay.taken();
        assert_eq!(taken.len(), 1, "{taken:?}");
        taken.remove(0)
    }

    async fn gate(&self) -> Value {
        let asked = json!({ "channel": "email", "email": ADA });
        self.app.post("/v1/check", &asked).await.json()
    }
}

/// Asserts that a message waits, and was not taken.
fn waits(shop: &Shop, message: &Value) {
    assert_eq!(message["state"], "queued", "{message}");
    assert_eq!(shop.relay.taken().len(), 0);
}

#[tokio::test]
async fn an_email_arrives_with_its_words_and_what_names_it() {
    let shop = Shop::new().await;
    let text = "Come by.\n.\n..dots\nWe are open.";
    let message = shop.send(&json!({ "subject": "Sale today", "text": text })).await;
    assert_eq!(message["state"], "handed_over", "{message}");
    let id = message["id"].as_str().unwrap();
    assert_eq!(message["provider_id"], format!("{id}@shop.example"));
    let taken = shop.taken();
    assert_eq!((taken.from.as_str(), taken.to.as_str()), ("news@shop.example", ADA));
    assert_eq!(taken.header("From"), Some("Shop <news@shop.example>"));
    assert_eq!(taken.header("To"), Some(ADA));
    assert_eq!(taken.header("Subject"), Some("Sale today"));
    assert_eq!(taken.header("Message-ID"), Some(format!("<{id}@shop.example>").as_str()));
    assert_eq!(taken.header("Date"), Some("Sat, 21 Nov 2026 10:00:00 +0000"));
    assert_eq!(taken.words().trim_end(), text.replace('\n', "\r\n"));
    assert_eq!((taken.user, taken.is_encrypted), (None, false));
    assert_eq!(shop.relay.said(), ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]);
}

#[tokio::test]
async fn a_mail_program_leaves_by_the_header_alone() {
    let shop = Shop::new().await;
    shop.send(&json!({})).await;
    let taken = shop.taken();
    assert_eq!(taken.header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    let link = taken.header("List-Unsubscribe").unwrap();
    let link = link.strip_prefix('<').and_then(|link| link.strip_suffix('>')).unwrap();
    let request = Request::post(link.strip_prefix(URL).unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("List-Unsubscribe=One-Click"));
    assert_eq!(shop.gate().await["decision"], "allow");
    assert_eq!(shop.app.send(request.unwrap()).await.status, StatusCode::OK);
    assert_eq!(shop.gate().await["reason"], "opted_out");
}

#[tokio::test]
async fn every_email_but_those_that_guard_an_account_can_be_left() {
    let shop = Shop::new().await;
    let topic = json!({ "name": "Orders", "category": "utility" });
    let topic = shop.app.post("/v1/topics", &topic).await.json()["id"].clone();
    for (category, is_left) in [("marketing", true), ("utility", true), ("authentication", false)] {
        shop.send(&json!({ "category": category })).await;
        let taken = shop.taken();
        for name in ["List-Unsubscribe", "List-Unsubscribe-Post"] {
            assert_eq!(taken.header(name).is_some(), is_left, "{category}");
        }
    }
    shop.send(&json!({ "topic": topic })).await;
    assert!(shop.taken().header("List-Unsubscribe").is_some());
}

#[tokio::test]
async fn an_email_that_cannot_be_left_by_a_click_needs_a_link_in_its_words() {
    let mut plain = options();
    plain.outside.url = Some("http://consent.example".into());
    let shop = Shop::over(plain, Encrypted::Never, &json!({ "tls": "none" })).await;
    let mut email =
        json!({ "to": ADA, "channel": "email", "subject": "Sale", "text": "Sale. STOP" });
    let problem = shop.app.post("/v1/messages", &email).await.is_problem("way-out-required");
    assert!(problem["errors"][0].to_string().contains("server.public_url"), "{problem}");
    email["text"] = "Sale. {unsubscribe_url}".into();
    assert_eq!(shop.app.post("/v1/messages", &email).await.status, StatusCode::ACCEPTED);
    shop.app.send_due().await;
    assert_eq!(shop.taken().header("List-Unsubscribe"), None);
}

#[tokio::test]
async fn an_email_does_not_go_once_nobody_could_leave_by_it() {
    let shop = Shop::new().await;
    let (sale, code) = (json!({}), json!({ "category": "authentication" }));
    let (sale, code) = (shop.queue(&sale).await, shop.queue(&code).await);
    // The same store after a restart of a server that does not know its URL any more.
    let (store, environment) = (Arc::clone(&shop.app.store), shop.app.environment.clone());
    let mut nameless = options();
    nameless.outside.url = None;
    App::new(store, environment, nameless).send_due().await.unwrap();
    let sale = shop.read(&sale).await;
    assert_eq!((&sale["state"], &sale["failure"]), (&json!("failed"), &json!("no_public_url")));
    assert_eq!(shop.read(&code).await["state"], "handed_over");
}

#[tokio::test]
async fn links_stand_in_the_words() {
    let shop = Shop::new().await;
    shop.send(&json!({ "text": "Leave: {unsubscribe_url}" })).await;
    let taken = shop.taken();
    let link = taken.header("List-Unsubscribe").unwrap().trim_matches(['<', '>']).to_owned();
    let words = taken.words().replace("=\r\n", "");
    assert!(words.contains(&format!("Leave: {link}")), "{words}");
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_gets_nothing_more() {
    let shop = Shop::new().await;
    shop.relay.tell("RCPT", "550 5.1.1 <ada@example.org>: no such user");
    let message = shop.send(&json!({})).await;
    assert_eq!((&message["state"], &message["failure"]), (&json!("failed"), &json!("5.1.1")));
    assert_eq!(shop.gate().await["reason"], "suppressed");
    assert_eq!(shop.relay.said(), ["EHLO", "MAIL", "RCPT"], "the text is not said");
}

#[tokio::test]
async fn a_relay_that_refuses_says_nothing_of_people_otherwise() {
    let shop = Shop::new().await;
    for (word, reply, failure) in [
        ("RCPT", "550 Relaying denied", "smtp 550"),
        ("RCPT", "554-5.7.1 Not from you\r\n554 5.7.1 Go away", "5.7.1"),
        ("MAIL", "553 5.7.1 You are somebody else", "5.7.1"),
        ("DATA", "554 5.5.1 No", "5.5.1"),
        ("end", "554 5.7.1 This is spam", "5.7.1"),
    ] {
        shop.relay.tell(word, reply);
        let message = shop.send(&json!({})).await;
        assert_eq!(message["state"], "failed", "{word} {message}");
        assert_eq!(message["failure"], failure, "{word}");
        assert_eq!(shop.gate().await["decision"], "allow", "{word}");
        assert_eq!(shop.relay.taken().len(), 0);
    }
}

#[tokio::test]
async fn what_a_relay_takes_later_is_tried_later() {
    for (word, reply) in [
        ("greeting", "421 4.3.2 Too busy"),
        ("greeting", "554 No service"),
        ("greeting", HANG_UP),
        ("EHLO", HANG_UP),
        ("MAIL", "452 4.3.1 Full"),
        ("MAIL", SILENCE),
        ("RCPT", "451 4.7.1 Greylisted"),
        ("RCPT", HANG_UP),
        ("DATA", "421 4.3.2 Closing"),
        ("DATA", SILENCE),
        ("DATA", "250 What?"),
        ("end", "451 4.3.0 Not now"),
    ] {
        let shop = Shop::new().await;
        shop.relay.tell(word, reply);
        let message = shop.send(&json!({})).await;
        waits(&shop, &message);
        shop.app.advance(Span::minutes(1));
        shop.app.send_due().await;
        let message = shop.read(message["id"].as_str().unwrap()).await;
        assert_eq!(message["state"], "handed_over", "{word} {reply}: {message}");
        shop.taken();
    }
}

#[tokio::test]
async fn a_relay_that_is_gone_got_nothing() {
    let shop = Shop::new().await;
    let Shop { app, relay, .. } = shop;
    relay.stop().await;
    let message = json!({ "to": ADA, "channel": "email", "subject": "Sale", "text": "50 % off." });
    let id = app.post("/v1/messages", &message).await.json()["id"].as_str().unwrap().to_owned();
    app.send_due().await;
    let message = app.get(&format!("/v1/messages/{id}")).await.json();
    assert_eq!(message["state"], "queued", "{message}");
}

#[tokio::test]
async fn a_text_whose_end_is_not_answered_may_have_gone_and_never_goes_again() {
    for reply in [SILENCE, HANG_UP, "nonsense", "354 Go on"] {
        let shop = Shop::new().await;
        shop.relay.tell("end", reply);
        let message = shop.send(&json!({})).await;
        assert_eq!(message["state"], "unknown", "{reply}: {message}");
        shop.app.advance(Span::hours(1));
        shop.app.send_due().await;
        assert_eq!(shop.relay.taken().len(), 0, "{reply}");
    }
}

#[tokio::test]
async fn who_is_not_let_in_waits_and_no_email_fails() {
    let log_in = json!({ "tls": "none", "username": USER, "password": "wrong" });
    let shop = Shop::with(Encrypted::Never, &log_in).await;
    let message = shop.send(&json!({})).await;
    waits(&shop, &message);
    assert_eq!(shop.relay.said(), ["EHLO", "AUTH"], "nothing is said of the message");
    let right = json!({ "name": "Our relay", "credentials": { "password": PASSWORD } });
    let path = format!("/v1/connections/{}", shop.connection);
    assert_eq!(shop.app.call("PUT", &path, &right).await.status, StatusCode::OK);
    shop.app.advance(Span::minutes(1));
    shop.app.send_due().await;
    assert_eq!(shop.taken().user.as_deref(), Some(USER));
}

#[tokio::test]
async fn a_relay_that_wants_a_log_in_first_refuses_no_message() {
    let shop = Shop::new().await;
    shop.relay.tell("MAIL", "530 5.7.0 Log in first");
    let message = shop.send(&json!({})).await;
    waits(&shop, &message);
}

#[tokio::test]
async fn nothing_is_said_in_clear_to_a_relay_that_is_to_encrypt() {
    let log_in = json!({ "tls": "starttls", "username": USER, "password": PASSWORD });
    let shop = Shop::with(Encrypted::Never, &log_in).await;
    let message = shop.send(&json!({})).await;
    waits(&shop, &message);
    assert_eq!(shop.relay.said(), ["EHLO"]);
}

#[tokio::test]
async fn a_relay_with_a_certificate_of_nobody_gets_nothing() {
    for (encrypted, tls) in [(Encrypted::AtOnce, "implicit"), (Encrypted::WhenAsked, "starttls")] {
        let log_in = json!({ "tls": tls, "username": USER, "password": PASSWORD });
        let shop = Shop::with(encrypted, &log_in).await;
        let message = shop.send(&json!({})).await;
        waits(&shop, &message);
        let said = shop.relay.said();
        assert!(said.iter().all(|word| word == "EHLO" || word == "STARTTLS"), "{tls} {said:?}");
    }
}

/// Set in the run of the test below that trusts the stand-in.
const TRUSTS: &str = "SAYSO_TEST_TRUSTS_RELAY";

#[tokio::test]
async fn a_relay_with_a_certificate_that_this_system_trusts_gets_its_email_encrypted() {
    if std::env::var_os(TRUSTS).is_none() {
        // What a system trusts is read from its environment when a program starts.
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("trusted.pem");
        std::fs::write(&file, Certificate::of(7).pem).unwrap();
        let name =
            "emails::a_relay_with_a_certificate_that_this_system_trusts_gets_its_email_encrypted";
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env("SSL_CERT_FILE", &file)
            .env(TRUSTS, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success() && said.contains("1 passed"), "{said} {complaint}");
        return;
    }
    for (encrypted, tls) in [(Encrypted::AtOnce, "implicit"), (Encrypted::WhenAsked, "starttls")] {
        let log_in = json!({ "tls": tls, "username": USER, "password": PASSWORD });
        let shop = Shop::with(encrypted, &log_in).await;
        let message = shop.send(&json!({})).await;
        assert_eq!(message["state"], "handed_over", "{tls}: {message}");
        let taken = shop.taken();
        assert_eq!((taken.user.as_deref(), taken.is_encrypted), (Some(USER), true), "{tls}");
    }
}

#[tokio::test]
async fn an_email_has_a_subject_and_nothing_else_has() {
    let shop = Shop::new().await;
    let app = &shop.app;
    let email = json!({ "to": ADA, "channel": "email", "text": "50 % off." });
    let problem = app.post("/v1/messages", &email).await.is_problem("missing-field");
    assert_eq!(problem["errors"][0]["pointer"], "/subject");
    for bad in ["", "  ", "a\r\nBcc: eve@example.org", &"x".repeat(201), "{unsubscribe_url}"] {
        let mut email = email.clone();
        email["subject"] = bad.into();
        let problem = app.post("/v1/messages", &email).await.is_problem("invalid-value");
        assert_eq!(problem["errors"][0]["pointer"], "/subject", "{bad}");
    }
    let template =
        json!({ "to": ADA, "channel": "email", "subject": "Hi", "template": { "name": "offer" } });
    let problem = app.post("/v1/messages", &template).await.is_problem("invalid-value");
    assert_eq!(problem["errors"][0]["pointer"], "/template");
    let sms = json!({ "to": "+14155552671", "channel": "sms", "subject": "Hi", "text": "Hi" });
    let problem = app.post("/v1/messages", &sms).await.json();
    let pointers: Vec<&Value> =
        problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert!(pointers.contains(&&json!("/subject")), "{problem}");
}

#[tokio::test]
async fn a_simulated_mailbox_shows_the_subject() {
    let app = TestApp::with_options(options()).await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    let sender = json!({ "channel": "email", "name": "Shop", "address": "shop.example", "connection": connection });
    assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    let message = json!({
        "to": ADA, "channel": "email", "subject": "Your code", "text": "123456",
        "category": "authentication", "requested_at": app.now(),
    });
    let taken = app.post("/v1/messages", &message).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    app.send_due().await;
    let phone = app.get("/v1/sandbox/phone?email=ada%40example.org").await.json();
    let arrived = &phone["messages"][0];
    assert_eq!((&arrived["subject"], &arrived["text"]), (&json!("Your code"), &json!("123456")));
}

#[tokio::test]
async fn who_asks_for_their_link_by_email_gets_an_email() {
    let shop = Shop::new().await;
    shop.app.submit("/p", &[("address", ADA)]).await;
    shop.app.send_due().await;
    let taken = shop.taken();
    assert_eq!(taken.header("Subject"), Some("Your messages from test"));
    assert_eq!(taken.header("List-Unsubscribe"), None);
    assert!(taken.words().replace("=\r\n", "").contains("https://consent.example/p/"), "{taken:?}");
}

#[tokio::test]
async fn a_relay_is_where_the_operator_lets_it_be() {
    let app = TestApp::with_options(Options::with_rates(plenty())).await;
    for (credentials, place) in [
        (json!({ "host": "127.0.0.1", "tls": "none" }), "host"),
        (json!({ "host": "localhost", "tls": "none" }), "host"),
        (json!({ "host": "10.0.0.7" }), "host"),
        (json!({ "host": "169.254.169.254" }), "host"),
        (json!({ "host": "smtp.shop.example", "port": 22 }), "port"),
        (json!({ "host": "smtp.shop.example", "port": 0 }), "port"),
        (json!({ "host": "smtp.shop.example", "tls": "none" }), "tls"),
        (json!({ "host": "smtp.shop.example", "tls": "ssl" }), "tls"),
        (json!({ "host": "smtp://smtp.shop.example" }), "host"),
        (json!({ "host": "smtp.shop.example", "username": "us" }), "password"),
        (json!({}), "host"),
    ] {
        let connection = json!({ "name": "Relay", "provider": "smtp", "credentials": credentials });
        let problem = app.post("/v1/connections", &connection).await.json();
        let errors = problem["errors"].as_array().unwrap();
        let pointers: Vec<&Value> = errors.iter().map(|error| &error["pointer"]).collect();
        assert_eq!(pointers, [&json!(format!("/credentials/{place}"))], "{credentials} {problem}");
    }
}

#[tokio::test]
async fn an_email_waits_while_its_relay_is_where_the_settings_let_nothing_go() {
    let shop = Shop::new().await;
    let id = shop.queue(&json!({})).await;
    // The same store after a restart with settings that allow no private network.
    let (store, environment) = (Arc::clone(&shop.app.store), shop.app.environment.clone());
    let mut strict = options();
    strict.outgoing = Guard::default();
    App::new(store, environment, strict).send_due().await.unwrap();
    assert_eq!(shop.read(&id).await["state"], "queued");
    assert_eq!(shop.relay.said(), Vec::<String>::new());
}

#[tokio::test]
async fn a_password_goes_to_no_other_relay_than_it_was_given_for() {
    let log_in = json!({ "tls": "none", "username": USER, "password": PASSWORD });
    let shop = Shop::with(Encrypted::Never, &log_in).await;
    let path = format!("/v1/connections/{}", shop.connection);
    for moved in
        [json!({ "host": "127.0.0.1" }), json!({ "port": 2525 }), json!({ "tls": "starttls" })]
    {
        let change = json!({ "name": "Our relay", "credentials": moved });
        let problem = shop.app.call("PUT", &path, &change).await.is_problem("missing-field");
        let errors = problem["errors"].as_array().unwrap();
        let pointers: Vec<&Value> = errors.iter().map(|error| &error["pointer"]).collect();
        assert_eq!(pointers, ["/credentials/password", "/credentials/username"], "{problem}");
    }
}

#[tokio::test]
async fn a_sender_by_a_relay_is_an_email_address() {
    let shop = Shop::new().await;
    for (channel, address, place) in
        [("sms", "+15550100900", "/connection"), ("email", "shop.example", "/address")]
    {
        let sender = json!({ "channel": channel, "name": "Shop", "address": address, "connection": shop.connection });
        let problem = shop.app.post("/v1/senders", &sender).await.is_problem("invalid-value");
        assert_eq!(problem["errors"][0]["pointer"], place, "{problem}");
    }
}

#[tokio::test]
async fn a_relay_whose_reply_never_ends_is_read_a_little_and_left() {
    for word in ["greeting", "EHLO", "MAIL"] {
        let shop = Shop::new().await;
        shop.relay.tell(word, ENDLESS);
        let message = shop.send(&json!({})).await;
        assert_eq!(message["state"], "queued", "{word}: {message}");
        // What the operating system holds on its way is some mebibytes.
        let taken = shop.relay.endless();
        assert!(taken < 16 << 20, "{word}: {taken} bytes");
    }
}
