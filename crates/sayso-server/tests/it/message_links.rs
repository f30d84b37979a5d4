//! Links of people in the words of messages (rule 22).

use axum::http::StatusCode;
use sayso_core::id::MessageId;
use sayso_server::app::Options;
use serde_json::{Value, json};

use crate::support::links::PHONE;
use crate::support::{TestApp, plenty};

const URL: &str = "https://consent.example";

/// A server that knows its own URL, with a sender by simulated phones, and a person who agreed.
async fn shop(url: Option<&str>) -> TestApp {
    let mut options = Options::with_rates(plenty());
    options.outside.url = url.map(Box::from);
    let app = TestApp::with_options(options).await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    let sender =
        json!({ "channel": "sms", "name": "Shop", "address": "12345", "connection": connection });
    assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    app.agrees().await;
    app
}

fn says(text: &str) -> Value {
    json!({ "to": PHONE, "channel": "sms", "text": text })
}

/// What arrived last at the person's phone.
async fn arrived(app: &TestApp) -> Value {
    let phone = app.get("/v1/sandbox/phone?phone=%2B14155552671").await.json();
    phone["messages"].as_array().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn a_message_holds_the_links_of_its_person_and_they_work() {
    let app = shop(Some(URL)).await;
    let text =
        "Sale today. No more: {unsubscribe_url} Choose: {preferences_url} ({unsubscribe_url})";
    let taken = app.post("/v1/messages", &says(text)).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    app.send_due().await;
    let arrived = arrived(&app).await["text"].as_str().unwrap().to_owned();
    let words: Vec<&str> =
        arrived.split([' ', '(', ')']).filter(|word| word.contains("://")).collect();
    let [one_click, preferences, again] = words.as_slice() else { panic!("{arrived}") };
    assert_eq!(one_click, again);
    let page = app.open(preferences.strip_prefix(URL).unwrap()).await;
    assert!(page.text.contains("Your messages from Shop"), "{}", page.text);
    app.submit(one_click.strip_prefix(URL).unwrap(), &[]).await;
    assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
    // What is stored names nobody by a link.
    let id = MessageId::parse(taken.json()["id"].as_str().unwrap()).unwrap();
    let stored = app.store.message(app.workspace.id, id).await.unwrap().unwrap();
    let kept = format!("{:?}", stored.personal);
    assert!(kept.contains("{unsubscribe_url}") && !kept.contains("/u/"), "{kept}");
}

#[tokio::test]
async fn a_message_about_a_topic_that_is_no_marketing_is_left_by_that_topic_too() {
    let app = shop(Some(URL)).await;
    let topic = app.topic("Order updates", "utility").await;
    let mut message = says("{unsubscribe_url}");
    message["topic"] = json!(topic);
    app.post("/v1/messages", &message).await;
    app.send_due().await;
    let arrived = arrived(&app).await["text"].as_str().unwrap().to_owned();
    app.submit(arrived.strip_prefix(URL).unwrap(), &[]).await;
    let said = app.said().await;
    for left in ["category:marketing".to_owned(), format!("topic:{topic}")] {
        assert!(said.contains(&format!("sms {left} opt_out")), "{left}: {said:?}");
    }
}

#[tokio::test]
async fn the_variables_of_a_template_may_be_links() {
    let app = shop(Some(URL)).await;
    let template = json!({ "name": "offer", "variables": ["Ada", "Leave: {unsubscribe_url}"] });
    let message = json!({ "to": PHONE, "channel": "sms", "template": template });
    let taken = app.post("/v1/messages", &message).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    app.send_due().await;
    let arrived = arrived(&app).await["text"].as_str().unwrap().to_owned();
    let (_, path) = arrived.split_once("offer Ada Leave: https://consent.example").unwrap();
    assert_eq!(app.open(path).await.status, StatusCode::OK, "{arrived}");
}

#[tokio::test]
async fn a_server_that_does_not_know_its_own_url_takes_no_text_with_a_link() {
    let app = shop(None).await;
    for text in ["{unsubscribe_url}", "{preferences_url}"] {
        let problem = app.post("/v1/messages", &says(text)).await.is_problem("invalid-value");
        assert_eq!(problem["errors"][0]["pointer"], "/text");
        assert!(problem["errors"][0].to_string().contains("server.public_url"), "{problem}");
    }
    assert_eq!(app.post("/v1/messages", &says("{other} STOP")).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_text_is_measured_with_its_links() {
    let app = shop(Some(URL)).await;
    // An SMS has 1,600 characters; the longest link here is the URL, "/u/" and 128.
    let room = 1_600 - (URL.len() + 3 + 128);
    let fits = format!("{}{{unsubscribe_url}}", "x".repeat(room));
    assert_eq!(app.post("/v1/messages", &says(&fits)).await.status, StatusCode::ACCEPTED);
    let problem =
        app.post("/v1/messages", &says(&format!("x{fits}"))).await.is_problem("text-too-long");
    assert_eq!(problem["errors"][0]["pointer"], "/text");
}

#[tokio::test]
async fn marketing_that_does_not_say_how_to_leave_is_refused_and_nothing_is_queued() {
    let app = shop(Some(URL)).await;
    for text in ["Sale today.", "Don't stop now: sale!", "Leave: {unsubscribe_link}"] {
        let refused = app.post("/v1/messages", &says(text)).await;
        let problem = refused.is_problem("way-out-required");
        assert_eq!(problem["errors"][0]["pointer"], "/text", "{text}");
        assert!(problem["errors"][0].to_string().contains("Reply STOP to leave"), "{problem}");
    }
    assert_eq!(app.send_due().await, 0);
    for text in ["Sale today. Reply STOP to leave.", "Sale. RET ile bitirin.", "{preferences_url}"]
    {
        let taken = app.post("/v1/messages", &says(text)).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{text} {}", taken.text);
    }
    let mut paid = says("Paid.");
    paid["category"] = json!("utility");
    assert_eq!(app.post("/v1/messages", &paid).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_word_of_the_workspaces_own_is_a_way_out_while_its_rule_lives() {
    let app = shop(Some(URL)).await;
    let text = says("Sale today. Send FAREWELL to get no more.");
    app.post("/v1/messages", &text).await.is_problem("way-out-required");
    let rule = json!({ "channel": "sms", "begins": "farewell", "does": "opt_out" });
    let rule = app.post("/v1/rules", &rule).await;
    assert_eq!(rule.status, StatusCode::CREATED, "{}", rule.text);
    let taken = app.post("/v1/messages", &text).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    app.delete(&format!("/v1/rules/{}", rule.json()["id"].as_str().unwrap())).await;
    app.post("/v1/messages", &text).await.is_problem("way-out-required");
}
