//! The preference centre and the page to unsubscribe, by keyboard on a small telephone and by pointer on a wide
//! screen. How they look is seen in `looks`.

use std::path::Path;
use std::process::Child;

use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use hyper::Method;
use serde_json::{Value, json};

use super::{open_browser, sent, window};
use crate::http::Http;
use crate::running::{Running, sayso_json};

const PHONE: &str = "+14155550123";
/// How many elements can be reached by keyboard on a page at the most.
const STOPS_MAX: usize = 40;

/// A person on the pages of their links.
struct Telephone {
    browser: Client,
    driver: Child,
    http: Http,
    preferences: String,
    one_click: String,
    _server: Running,
    _data: tempfile::TempDir,
}

/// A light or a dark telephone.
#[derive(Clone, Copy)]
enum Theme {
    Light,
    Dark,
}

impl Telephone {
    /// A person who agreed to two topics by SMS.
    async fn open(width: u32, theme: Theme) -> Self {
        let data = tempfile::tempdir().unwrap();
        sayso_json(data.path(), &["workspaces", "create", "Shop", "--test"]);
        let scopes =
            ["write", "read", "check", "configure", "send", "links"].map(|it| ["--scope", it]);
        let scopes = scopes.concat();
        let key = [&["keys", "create", "shop", "--highest-standing", "act"], &scopes[..]].concat();
        let key = sayso_json(data.path(), &key);
        // Links can only be sent by who knows where they lead.
        let outside = [("SAYSO_SERVER__PUBLIC_URL", Path::new("https://consent.shop.example"))];
        let server = Running::serve_with(data.path(), &[], &outside);
        let mut http =
            Http::connect(&server.address, key["secret"].as_str().unwrap()).await.unwrap();
        let topic = agree(&mut http).await;
        let (preferences, one_click) = sent::links(&mut http, PHONE, ("sms", &topic)).await;
        let url = |path: &str| format!("http://{}{path}", server.address);
        let (preferences, one_click) = (url(&preferences), url(&one_click));
        let scheme = match theme {
            Theme::Light => "--blink-settings=preferredColorScheme=1",
            Theme::Dark => "--blink-settings=preferredColorScheme=0",
        };
        let screen = json!({ "width": width, "height": 1_900, "pixelRatio": 1, "touch": false });
        let options = json!({ "mobileEmulation": { "deviceMetrics": screen } });
        let (driver, browser) = open_browser(&[scheme], options).await;
        Self { browser, driver, http, preferences, one_click, _server: server, _data: data }
    }

    async fn visit(&self, url: &str) {
        self.browser.goto(url).await.unwrap();
    }

    async fn script(&self, script: &str) -> Value {
        window::script(&self.browser, script).await
    }

    async fn press(&self, key: &str) {
        self.browser.active_element().await.unwrap().send_keys(key).await.unwrap();
    }

    /// Goes on by the Tab key until the focus is on an element with these words, which shows it.
    async fn tab_to(&self, words: &str) {
        let look = "const at = document.activeElement; const label = at.labels?.[0];\
            return [(label ?? at).textContent.trim(), getComputedStyle(at).outlineStyle];";
        for _ in 0..STOPS_MAX {
            self.press(&char::from(Key::Tab).to_string()).await;
            let at = self.script(look).await;
            if at[0] == words {
                assert_eq!(at[1], "solid", "the focus on {words} is seen");
                return;
            }
        }
        panic!("the keyboard does not reach {words}: {}", self.text().await);
    }

    /// Points at what is found and presses, and waits for the page that it leads to.
    async fn point_at(&self, css: &str) {
        let found = self.browser.find(Locator::Css(css)).await.unwrap();
        window::leave_by(&self.browser, async || found.click().await.unwrap()).await;
    }

    /// Presses the button with these words, and waits for the page that it leads to.
    async fn push(&self, words: &str) {
        self.tab_to(words).await;
        let enter = char::from(Key::Enter).to_string();
        window::leave_by(&self.browser, async || self.press(&enter).await).await;
    }

    async fn text(&self) -> String {
        self.script("return document.body.innerText").await.as_str().unwrap().to_owned()
    }

    /// Waits until the page says this.
    async fn says(&self, words: &str) {
        for _ in 0..window::TRIES {
            if self.text().await.contains(words) {
                return;
            }
            window::pause(&self.browser).await;
        }
        panic!("{words}: {}", self.text().await);
    }

    /// What was recorded since the person agreed, the oldest first, as `channel says`.
    async fn said(&mut self) -> Vec<String> {
        let path = "/v1/events?phone=%2B14155550123&limit=100";
        let page = self.http.must(Method::GET, path, None).await.body;
        let word = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
        let events = page["events"].as_array().unwrap().iter().rev().skip(2);
        let said = events.map(|event| {
            let about = word(event, "about");
            let about = about.split(" topic:").next().unwrap().to_owned();
            format!("{about} {}", word(event, "says"))
        });
        said.collect()
    }

    async fn end(mut self) {
        self.browser.clone().close().await.unwrap();
        self.driver.kill().unwrap();
        self.driver.wait().unwrap();
    }
}

impl Drop for Telephone {
    fn drop(&mut self) {
        // A scenario that failed leaves the driver running.
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

async fn must(http: &mut Http, path: &str, body: &Value) -> Value {
    let answer = http.must(Method::POST, path, Some(body)).await;
    assert_eq!(answer.status, 201, "{path}: {answer:?}");
    answer.body
}

async fn agree(http: &mut Http) -> String {
    let connection = json!({ "name": "Phones", "provider": "sandbox" });
    let connection = must(http, "/v1/connections", &connection).await["id"].clone();
    let sender = json!({
        "channel": "sms", "name": "Harbour Shop", "address": "+14155550100", "connection": connection,
    });
    must(http, "/v1/senders", &sender).await;
    let notice = must(http, "/v1/notices", &json!({ "name": "Checkout" })).await["id"].clone();
    let version = json!({
        "version": 1, "language": "en", "names": [{ "channel": "sms" }],
        "text": "Yes, Harbour Shop may write to me by SMS. I can stop at any time by replying STOP.",
    });
    let id = notice.as_str().unwrap();
    must(http, &format!("/v1/notices/{id}/versions"), &version).await;
    let mut offers = String::new();
    for (name, category) in [("Weekly offers", "marketing"), ("Order updates", "utility")] {
        let topic = json!({ "name": name, "category": category });
        let topic = must(http, "/v1/topics", &topic).await["id"].clone();
        if category == "marketing" {
            topic.as_str().unwrap().clone_into(&mut offers);
        }
        let yes = json!({
            "phone": PHONE, "channel": "sms", "scope": format!("topic:{}", topic.as_str().unwrap()),
            "statement": "opt_in", "standing": "act", "method": "checkbox",
            "occurred_at": "2026-01-01T00:00:00Z",
            "notice": { "id": notice, "version": 1, "language": "en" },
            "evidence": { "page": "https://shop.example/checkout" },
        });
        must(http, "/v1/consents", &yes).await;
    }
    offers
}

#[tokio::test]
async fn the_preference_centre_works_by_keyboard_on_a_small_telephone() {
    let mut telephone = Telephone::open(360, Theme::Light).await;
    telephone.visit(&telephone.preferences.clone()).await;
    telephone.says("Your messages from Harbour Shop").await;

    telephone.tab_to("Weekly offers").await;
    telephone.press(" ").await;
    telephone.push("Save").await;
    telephone.says("Saved.").await;
    assert_eq!(telephone.said().await, ["sms opt_out"]);

    telephone.tab_to("Weekly offers").await;
    telephone.press(" ").await;
    telephone.push("Save").await;
    telephone.says("Saved.").await;
    assert_eq!(telephone.said().await, ["sms opt_out", "sms confirmed"]);

    for box_of in ["Weekly offers", "Order updates"] {
        telephone.tab_to(box_of).await;
        telephone.press(" ").await;
    }
    telephone.push("Save").await;
    telephone.says("Does that mean everything?").await;
    telephone.push("Yes, stop everything").await;
    telephone.says("Saved.").await;
    let said = telephone.said().await;
    assert!(said.contains(&"whatsapp opt_out".to_owned()), "{said:?}");

    telephone.push("Forget me").await;
    telephone.says("Shall we forget you?").await;
    telephone.push("Yes, forget me").await;
    telephone.says("You are forgotten").await;
    assert_eq!(telephone.said().await.last().unwrap(), "all erased");
    telephone.end().await;
}

#[tokio::test]
async fn leaving_takes_one_key_on_a_small_telephone() {
    let mut telephone = Telephone::open(360, Theme::Dark).await;
    telephone.visit(&telephone.one_click.clone()).await;
    telephone.says("Stop these messages?").await;
    telephone.push("Stop these messages").await;
    telephone.says("Done: these messages have stopped").await;
    assert_eq!(telephone.said().await, ["sms category:marketing opt_out"]);
    telephone.end().await;
}

#[tokio::test]
async fn everything_works_by_pointer_on_a_wide_screen() {
    let mut screen = Telephone::open(1_280, Theme::Light).await;
    screen.visit(&format!("{}?language=hi", screen.preferences)).await;
    let label = "return [...document.querySelectorAll('label')]\
        .find((it) => it.textContent.trim() === 'Weekly offers').htmlFor";
    let label = screen.script(label).await;
    let label = format!("label[for={}]", label.as_str().unwrap());
    screen.browser.find(Locator::Css(&label)).await.unwrap().click().await.unwrap();
    screen.point_at("[value=save]").await;
    assert_eq!(screen.said().await, ["sms opt_out"]);
    screen.point_at("[value=stop_channel]").await;
    assert_eq!(screen.said().await.len(), 2);
    screen.visit(&format!("{}?language=tr", screen.one_click)).await;
    screen.point_at("main button").await;
    assert_eq!(screen.said().await.last().unwrap(), "sms category:marketing opt_out");
    screen.end().await;
}
