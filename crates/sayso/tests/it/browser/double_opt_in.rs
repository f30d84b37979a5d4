//! Double opt-in by keyboard on a small telephone: the form, the message on the simulated phone, the answer.

use std::path::Path;
use std::process::Child;

use fantoccini::Client;
use fantoccini::key::Key;
use hyper::Method;
use serde_json::{Value, json};

use super::{TRIES, open_browser, pause};
use crate::http::Http;
use crate::running::{Running, sayso_json};

const PHONE: &str = "+14155550123";
/// The server's URL, as its operator named it; the test calls it by its port.
const PUBLIC_URL: &str = "https://consent.example";

/// Somebody who signs up by a form that wants the number to confirm it.
struct SignUp {
    browser: Client,
    driver: Child,
    http: Http,
    server: Running,
    form: String,
    _data: tempfile::TempDir,
}

impl SignUp {
    async fn open(by: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        sayso_json(data.path(), &["workspaces", "create", "Shop", "--test"]);
        let scopes = ["write", "read", "check", "configure"].map(|it| ["--scope", it]).concat();
        let key = [&["keys", "create", "shop", "--highest-standing", "act"], &scopes[..]].concat();
        let key = sayso_json(data.path(), &key);
        let url = [("SAYSO_SERVER__PUBLIC_URL", Path::new(PUBLIC_URL))];
        let server = Running::serve_with(data.path(), &[], &url);
        let mut http =
            Http::connect(&server.address, key["secret"].as_str().unwrap()).await.unwrap();
        let notice = json!({ "name": "Box" });
        let notice = must(&mut http, "/v1/notices", &notice).await["id"].clone();
        let version = json!({
            "version": 1, "language": "en", "names": [{ "channel": "sms" }],
            "text": "Yes, Harbour Shop may write to me by SMS. I can stop at any time by replying STOP.",
        });
        must(&mut http, &format!("/v1/notices/{}/versions", notice.as_str().unwrap()), &version)
            .await;
        let form = json!({
            "name": "Footer", "business": "Harbour Shop", "channels": ["sms"], "notice": notice,
            "double_opt_in": by,
        });
        let form = must(&mut http, "/v1/forms", &form).await["id"].as_str().unwrap().to_owned();
        let screen = json!({ "width": 360, "height": 740, "pixelRatio": 1, "touch": false });
        let options = json!({ "mobileEmulation": { "deviceMetrics": screen } });
        let (driver, browser) = open_browser(&[], options).await;
        Self { browser, driver, http, server, form, _data: data }
    }

    async fn visit(&self, path: &str) {
        let url = format!("http://{}{path}", self.server.address);
        self.browser.goto(&url).await.unwrap();
    }

    async fn press(&self, keys: &[Key]) {
        for key in keys {
            let focused = self.browser.active_element().await.unwrap();
            focused.send_keys(&char::from(*key).to_string()).await.unwrap();
        }
    }

    async fn write(&self, text: &str) {
        self.browser.active_element().await.unwrap().send_keys(text).await.unwrap();
    }

    /// Goes on by the Tab key until this has the focus.
    async fn tab_to(&self, css: &str) {
        let look = format!("return document.activeElement.matches('{css}')");
        for _ in 0..20 {
            self.press(&[Key::Tab]).await;
            if self.browser.execute(&look, vec![]).await.unwrap() == json!(true) {
                return;
            }
        }
        panic!("the keyboard does not reach {css}");
    }

    /// Waits until the page says this, and looks whether it fits its screen.
    async fn says(&self, words: &str) {
        let look = "return [document.body.innerText, document.documentElement.scrollWidth,\
            [...document.querySelectorAll('button, input:not([type=hidden])')]\
              .filter((it) => it.offsetParent && it.name !== 'homepage')\
              .every((it) => it.offsetHeight >= 22 && (it.labels.length || it.tagName === 'BUTTON'))]";
        let mut found = Value::Null;
        for _ in 0..TRIES {
            // A page that is being left has no body for a moment.
            found = self.browser.execute(look, vec![]).await.unwrap_or_default();
            if found[0].as_str().unwrap_or_default().contains(words) {
                assert_eq!((&found[1], &found[2]), (&json!(360), &json!(true)), "{found}");
                return;
            }
            pause(&self.browser).await;
        }
        panic!("{words}: {found}");
    }

    /// Signs up, by keyboard alone.
    async fn sign_up(&self) {
        self.visit(&format!("/f/{}", self.form)).await;
        self.tab_to("#phone").await;
        self.write(PHONE).await;
        self.tab_to("input[type=checkbox]").await;
        self.press(&[Key::Space]).await;
        self.tab_to("button").await;
        self.press(&[Key::Enter]).await;
    }

    /// What arrived last on the simulated phone.
    async fn message(&mut self) -> String {
        let path = "/v1/sandbox/phone?phone=%2B14155550123";
        let phone = self.http.must(Method::GET, path, None).await.body;
        phone["messages"][0]["text"].as_str().unwrap_or_else(|| panic!("{phone}")).to_owned()
    }

    async fn decision(&mut self) -> Value {
        let ask = json!({ "phone": PHONE, "channel": "sms" });
        self.http.must(Method::POST, "/v1/check", Some(&ask)).await.body["decision"].clone()
    }

    async fn end(mut self) {
        let stored = "return [document.cookie.length, localStorage.length, sessionStorage.length]";
        assert_eq!(self.browser.execute(stored, vec![]).await.unwrap(), json!([0, 0, 0]));
        self.browser.clone().close().await.unwrap();
        self.driver.kill().unwrap();
        self.driver.wait().unwrap();
    }
}

impl Drop for SignUp {
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

#[tokio::test]
async fn who_signs_up_enters_the_code_of_the_message() {
    let mut person = SignUp::open("code").await;
    person.sign_up().await;
    person.says("Enter the code").await;
    assert_eq!(person.decision().await, "deny");
    let message = person.message().await;
    let code = message.split(' ').find(|word| word.len() == 6 && word.parse::<u32>().is_ok());
    let code = code.unwrap_or_else(|| panic!("{message}")).to_owned();
    person.tab_to("#code").await;
    person.write("12").await;
    person.press(&[Key::Enter]).await;
    // The summary of what is wrong has the focus, and its link leads to the field.
    person.says("A code has six digits").await;
    person.press(&[Key::Tab, Key::Enter]).await;
    let focused = "return document.activeElement.id";
    assert_eq!(person.browser.execute(focused, vec![]).await.unwrap(), "code");
    person.write(&code).await;
    person.press(&[Key::Enter]).await;
    person.says("Confirmed").await;
    assert_eq!(person.decision().await, "allow");
    person.end().await;
}

#[tokio::test]
async fn who_signs_up_opens_the_link_of_the_message_and_presses_the_button() {
    let mut person = SignUp::open("link").await;
    person.sign_up().await;
    person.says("Open the link in it").await;
    let message = person.message().await;
    let (_, path) = message.split_once(PUBLIC_URL).unwrap_or_else(|| panic!("{message}"));
    person.visit(path).await;
    person.says("Do you want these messages?").await;
    person.says("I can stop at any time by replying STOP").await;
    assert_eq!(person.decision().await, "deny", "opening it confirms nothing");
    person.tab_to("button").await;
    person.press(&[Key::Enter]).await;
    person.says("Confirmed").await;
    assert_eq!(person.decision().await, "allow");
    person.visit(&format!("{path}?language=ar")).await;
    let shown = "return [document.dir, document.documentElement.lang, document.documentElement.scrollWidth]";
    let shown = person.browser.execute(shown, vec![]).await.unwrap();
    assert_eq!(shown, json!(["rtl", "ar", 360]));
    person.end().await;
}
