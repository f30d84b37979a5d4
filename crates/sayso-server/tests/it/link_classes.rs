//! What a link may do, by how it was made (rules 22 and 29).

use axum::http::StatusCode;
use sayso_core::id::KeyId;
use sayso_core::proof::personal_link::Making;
use sayso_core::time::Span;
use sayso_core::words::day::Day;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use sayso_server::app::Options;
use sayso_store::environment::Clock;
use serde_json::{Value, json};

use crate::support::links::PHONE;
use crate::support::{TestApp, act, plenty};

const URL: &str = "https://consent.example";
const EMAIL: &str = "ada@example.org";

/// A shop with simulated phones and mailboxes, and a person who agreed to offers by SMS and has two addresses.
async fn shop() -> TestApp {
    let mut options = Options::with_rates(plenty());
    options.outside.url = Some(URL.into());
    let app = TestApp::with_options(options).await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    for (channel, address) in [("sms", "12345"), ("email", "news@shop.example")] {
        let sender = json!({ "channel": channel, "name": "Shop", "address": address, "connection": connection });
        assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    }
    let notice = app.notice(&["processing"]).await;
    let now = app.now();
    let mut yes = act(PHONE, "opt_in", &now, &notice);
    yes["scope"] = json!("category:marketing");
    yes["evidence"] = json!({ "page": "https://shop.example/checkout" });
    assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
    let person = json!({
        "phone": PHONE, "email": EMAIL, "external_id": "u-1", "attributes": { "first_name": "Ada" },
    });
    assert_eq!(app.post("/v1/profiles", &person).await.status, StatusCode::OK);
    let now = app.now();
    let yes = json!({
        "email": EMAIL, "channel": "email", "statement": "opt_in", "standing": "act",
        "occurred_at": now, "method": "checkbox", "notice": notice,
    });
    assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
    app.advance(Span::minutes(1));
    app
}

/// Every link that may only leave: one from before links said how they were made, one that is too old, one of
/// a clock that is ahead, and one that a key was given.
async fn weak(app: &TestApp) -> Vec<(&'static str, String)> {
    let now = app.clock.now();
    let day = |days| Day::of(now.plus(Span::days(days)));
    let mut links = Vec::new();
    for (name, making) in [
        ("unsaid", Making::Unsaid),
        ("seven days old", Making::Sent(day(-7))),
        ("ten years old", Making::Sent(day(-3_650))),
        ("of tomorrow", Making::Sent(day(1))),
        ("handed", Making::Handed(KeyId::from_bytes([9; 16]), day(0))),
    ] {
        links.push((name, app.links_made(making).await.preferences));
    }
    links.push(("made by the API", app.handed_links().await.preferences));
    links
}

/// Everything that is more than leaving.
fn more(app: &TestApp) -> Vec<Vec<(&'static str, String)>> {
    let notice = app.store.workspaces()[&app.workspace.id].notices.clone();
    let words = format!("{},1,en", notice.keys().next().unwrap());
    let shown = format!("sms/category:utility off {words}");
    vec![
        vec![
            ("shown_at", app.now()),
            ("shown", shown),
            ("on", "sms/category:utility".to_owned()),
            ("act", "save".to_owned()),
        ],
        vec![("act", "allow_processing".to_owned()), ("notice", words)],
        vec![("act", "download".to_owned())],
        vec![("act", "ask_forget".to_owned())],
        vec![("act", "forget".to_owned())],
        vec![("act", "send_other".to_owned()), ("other", "any".to_owned())],
    ]
}

async fn submit(app: &TestApp, path: &str, fields: &[(&'static str, String)]) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = app.submit(path, &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.text
}

/// What arrived at an address, the newest first.
async fn arrived(app: &TestApp, of: &str) -> Vec<String> {
    app.send_due().await;
    let phone = app.get(&format!("/v1/sandbox/phone?{of}")).await.json();
    let messages = phone["messages"].as_array().unwrap().iter();
    messages.map(|it| it["text"].as_str().unwrap().to_owned()).collect()
}

/// The path of the link at the end of a message.
fn path_in(text: &str) -> String {
    text.split_once(URL).unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

#[tokio::test]
async fn a_link_that_is_old_or_was_handed_to_a_key_does_nothing_but_leave() {
    let app = shop().await;
    let before = app.said().await;
    for (name, path) in weak(&app).await {
        for fields in more(&app) {
            app.advance(Span::seconds(1));
            let page = submit(&app, &path, &fields).await;
            assert!(
                page.contains("This link can only stop messages."),
                "{name} {fields:?}: {page}"
            );
            assert!(
                !page.contains("first_name") && !page.contains("14155552671"),
                "{name}: {page}"
            );
        }
    }
    assert_eq!(app.said().await, before);
}

#[tokio::test]
async fn leaving_works_with_any_link_for_years() {
    for index in 0..6 {
        let app = shop().await;
        let (name, path) = weak(&app).await.swap_remove(index);
        app.advance(Span::days(4_000));
        for (fields, said) in [
            (
                vec![("act", "stop_channel".to_owned()), ("channel", "whatsapp".to_owned())],
                "whatsapp opt_out",
            ),
            (vec![("act", "refuse_processing".to_owned())], "processing opt_out"),
            (
                vec![
                    ("shown_at", app.now()),
                    ("shown", "sms/category:marketing on".to_owned()),
                    ("act", "save".to_owned()),
                ],
                "sms category:marketing opt_out",
            ),
            (vec![("act", "stop_everything".to_owned())], "voice opt_out"),
        ] {
            app.advance(Span::minutes(1));
            let page = submit(&app, &path, &fields).await;
            assert!(!page.contains("can only stop"), "{name}: {page}");
            assert!(app.said().await.contains(&said.to_owned()), "{name}: {:?}", app.said().await);
        }
        let one_click = app.links_made(Making::Unsaid).await.one_click;
        assert_eq!(app.submit(&one_click, &[]).await.status, StatusCode::OK);
        assert_eq!(app.sms(PHONE).await["decision"], "deny");
    }
}

#[tokio::test]
async fn what_a_weak_link_unticks_is_saved_though_what_it_ticks_is_not() {
    let app = shop().await;
    let path = app.handed_links().await.preferences;
    let mut fields = more(&app).swap_remove(0);
    fields.insert(0, ("shown", "sms/category:marketing on".to_owned()));
    let page = submit(&app, &path, &fields).await;
    assert!(page.contains("What you stopped is saved"), "{page}");
    assert_eq!(app.said().await.last().unwrap(), "sms category:marketing opt_out");
}

#[tokio::test]
async fn a_link_of_these_days_through_the_address_does_everything() {
    let app = shop().await;
    let path = app.links().await.preferences;
    app.advance(Span::days(6));
    let yes = more(&app).swap_remove(0);
    assert!(submit(&app, &path, &yes).await.contains("Saved."));
    let said = app.said().await;
    assert!(said.contains(&"sms category:utility confirmed".to_owned()), "{said:?}");
    let file = submit(&app, &path, &[("act", "download".to_owned())]).await;
    assert!(file.contains("14155552671"), "{file}");
    assert!(submit(&app, &path, &[("act", "ask_forget".to_owned())]).await.contains("forget you?"));
}

#[tokio::test]
async fn a_weak_link_shows_what_can_be_refused_and_nothing_of_how_it_was_agreed() {
    let app = shop().await;
    let full = app.open(&app.links().await.preferences).await.text;
    for told in ["Agreed on", "https://shop.example/checkout", "Yes, write to me.", "Forget me"] {
        assert!(full.contains(told), "{told}: {full}");
    }
    assert!(!full.contains("you need a fresh link"), "{full}");
    for (name, path) in weak(&app).await {
        let page = app.open(&path).await.text;
        for told in ["Agreed on", "shop.example", "Yes, write to me.", "Forget me", "Download"] {
            assert!(!page.contains(told), "{name} {told}: {page}");
        }
        for shown in
            ["value=\"sms/category:marketing\" checked", "Send me a fresh link", "Stop everything"]
        {
            assert!(page.contains(shown), "{name} {shown}: {page}");
        }
        assert!(!page.contains("<script"), "no script is needed");
    }
}

#[tokio::test]
async fn one_button_sends_a_fresh_link_to_the_address_itself_which_does_everything() {
    let app = shop().await;
    let old = app.links_made(Making::Unsaid).await.preferences;
    let sent = submit(&app, &old, &[("act", "send_fresh".to_owned())]).await;
    assert!(sent.contains("Look at your messages"), "{sent}");
    let messages = arrived(&app, "phone=%2B14155552671").await;
    assert_eq!(messages.len(), 1);
    let page = app.open(&path_in(&messages[0])).await.text;
    assert!(page.contains("Forget me") && !page.contains("you need a fresh link"), "{page}");
    // Once a day at the most, as for whoever asks without a link.
    submit(&app, &old, &[("act", "send_fresh".to_owned())]).await;
    app.submit("/p", &[("address", PHONE)]).await;
    assert_eq!(arrived(&app, "phone=%2B14155552671").await.len(), 1);
}

#[tokio::test]
async fn where_no_fresh_link_can_be_sent_the_page_says_whom_to_write_to() {
    let app = TestApp::start().await;
    app.agrees().await;
    let path = app.handed_links().await.preferences;
    let page = app.open(&path).await.text;
    assert!(!page.contains("Send me a fresh link"), "{page}");
    assert!(page.contains("To do more, please write to test."), "{page}");
}

#[tokio::test]
async fn a_download_by_one_address_shows_it_and_the_whole_person_once_a_second_one_answered() {
    let app = shop().await;
    let path = app.links().await.preferences;
    let download = [("act", "download".to_owned())];
    let file: Value = serde_json::from_str(&submit(&app, &path, &download).await).unwrap();
    let addresses = file["person"]["addresses"].as_array().unwrap();
    assert_eq!(addresses.len(), 1, "{file}");
    assert_eq!(addresses[0]["address"], json!({ "phone": PHONE }));
    assert!(!file.to_string().contains("Ada") && !file.to_string().contains(EMAIL), "{file}");
    // The page offers the other address, in part.
    let page = app.open(&path).await.text;
    let (_, rest) = page.split_once("name=\"other\" value=\"").unwrap();
    let (other, rest) = rest.split_once('"').unwrap();
    assert!(rest.contains("a•••@example.org") && !page.contains(EMAIL), "{page}");
    let ask = [("act", "send_other".to_owned()), ("other", other.to_owned())];
    submit(&app, &path, &ask).await;
    assert_eq!(arrived(&app, "phone=%2B14155552671").await.len(), 0);
    let messages = arrived(&app, "email=ada@example.org").await;
    let second = path_in(&messages[0]);
    assert!(second.contains("?answered="), "{second}");
    let page = app.open(&second).await.text;
    assert!(page.contains("Download everything that is kept about you"), "{page}");
    let whole: Value = serde_json::from_str(&submit(&app, &second, &download).await).unwrap();
    assert_eq!(whole["person"]["attributes"]["first_name"], "Ada", "{whole}");
    assert_eq!(whole["person"]["addresses"].as_array().unwrap().len(), 3, "{whole}");
    // The link alone, or with another word, shows the one address that it went to.
    let (plain, word) = second.split_once("?answered=").unwrap();
    for path in [plain.to_owned(), format!("{plain}?answered={}A", &word[..word.len() - 1])] {
        let file = submit(&app, &path, &download).await;
        assert!(file.contains(EMAIL) && !file.contains("first_name"), "{file}");
    }
    // A word about the address that the link itself is about says nothing more.
    let file = submit(&app, &format!("{path}?answered={word}"), &download).await;
    assert!(!file.contains("first_name"), "{file}");
    // Neither does any of it after a week.
    app.advance(Span::days(7));
    assert!(submit(&app, &second, &download).await.contains("can only stop messages"));
}

#[tokio::test]
async fn what_is_done_by_a_link_says_how_it_was_made_and_names_its_key() {
    let mut app = shop().await;
    let full = app.key.clone();
    app.key = app.make_key("mailer", &[KeyScope::Links], Standing::Report).await;
    let links = app.handed_links().await;
    app.key = full;
    let keys = app.get("/v1/keys").await.json();
    let mailer = keys["keys"].as_array().unwrap().iter().find(|key| key["name"] == "mailer");
    let mailer = mailer.unwrap()["id"].clone();
    for path in [&links.one_click, &links.preferences] {
        app.advance(Span::minutes(1));
        submit(&app, path, &[("act", "stop_everything".to_owned())]).await;
        let event = app.get("/v1/events?phone=%2B14155552671").await.json()["events"][0].clone();
        assert_eq!(event["evidence"]["fields"]["sayso:link"], "handed", "{event}");
        assert_eq!(event["evidence"]["fields"]["sayso:link_key"], mailer, "{event}");
        assert_eq!(event["evidence"]["fields"]["sayso:link_made_on"], "2026-11-21", "{event}");
    }
    app.advance(Span::minutes(1));
    let sent = app.links().await.preferences;
    submit(&app, &sent, &[("act", "stop_everything".to_owned())]).await;
    let event = app.get("/v1/events?phone=%2B14155552671").await.json()["events"][0].clone();
    assert_eq!(event["evidence"]["fields"]["sayso:link"], "sent", "{event}");
    assert_eq!(event["evidence"]["fields"]["sayso:link_key"], Value::Null, "{event}");
}

#[tokio::test]
async fn a_key_that_sends_makes_no_links_and_one_that_makes_links_does_nothing_else() {
    let mut app = shop().await;
    let ask = json!({ "phone": PHONE, "channel": "sms" });
    let sends = app.make_key("sender", &[KeyScope::Send], Standing::Report).await;
    let makes = app.make_key("mailer", &[KeyScope::Links], Standing::Report).await;
    app.key = sends;
    app.post("/v1/preference-links", &ask).await.is_problem("scope-missing");
    app.key = makes;
    assert_eq!(app.post("/v1/preference-links", &ask).await.status, StatusCode::CREATED);
    app.get("/v1/events?phone=%2B14155552671").await.is_problem("scope-missing");
}

#[tokio::test]
async fn the_pages_say_what_an_old_link_does_in_every_language() {
    let app = shop().await;
    let path = app.links_made(Making::Unsaid).await.preferences;
    for tag in ["en", "tr", "hi", "ar"] {
        let page = app.open(&format!("{path}?language={tag}")).await.text;
        assert!(page.contains("value=\"send_fresh\""), "{tag}: {page}");
        assert!(!page.contains("personal-"), "{tag}: {page}");
    }
}
