//! Debian's Chromium: the browser tag on pages as customers build them, and our own pages.

use std::path::Path;
use std::process::{Child, Command};

use fantoccini::{Client, Locator};
use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::http::Http;
use crate::running::{Running, sayso_json};

mod axe;
mod double_opt_in;
mod entry;
mod forms;
mod hostile;
mod looks;
mod pictures;
mod pointer;
mod preferences;
mod sent;
mod showroom;
mod window;

use window::{TRIES, open_browser, pause};

/// Everything one scenario needs.
struct Scene {
    browser: Client,
    driver: Child,
    http: Http,
    pages: String,
    sayso: String,
    _server: Running,
    _data: tempfile::TempDir,
}

/// Serves the pages of this folder, with the server's origin and the site's key filled in.
///
/// Browsers open connections before they have anything to ask, so each is served beside the others.
async fn serve_pages(listener: TcpListener, sayso: String, site: String) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn(serve_page(stream, sayso.clone(), site.clone()));
    }
}

async fn serve_page(mut stream: TcpStream, sayso: String, site: String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/pages");
    let mut request = vec![0; 8_192];
    let Ok(read) = stream.read(&mut request).await else { return };
    let line = String::from_utf8_lossy(&request[..read]).into_owned();
    let name = line.split([' ', '?']).nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    // Routes of the single-page app are the app.
    let name = if name.starts_with("app/") { "spa.html".to_owned() } else { name };
    let (status, text) = match std::fs::read_to_string(folder.join(&name)) {
        Ok(text) => ("200 OK", text.replace("{{sayso}}", &sayso).replace("{{site}}", &site)),
        Err(_) => ("404 Not Found", String::new()),
    };
    let kind = if Path::new(&name).extension().is_some_and(|kind| kind == "js") {
        "text/javascript"
    } else {
        "text/html"
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    // A browser that went away needs no page.
    drop(stream.write_all([head.as_bytes(), text.as_bytes()].concat().as_slice()).await);
}

impl Scene {
    async fn open() -> Self {
        Self::open_as(json!({})).await
    }

    /// The same in a browser with these options.
    async fn open_as(besides: Value) -> Self {
        Self::open_with(&[], besides).await
    }

    /// The same in a browser with these arguments and options.
    async fn open_with(more: &[&str], besides: Value) -> Self {
        let data = tempfile::tempdir().unwrap();
        sayso_json(data.path(), &["workspaces", "create", "Shop", "--test"]);
        let scopes =
            ["write", "read", "check", "configure"].map(|scope| ["--scope", scope]).concat();
        let key = sayso_json(
            data.path(),
            &[&["keys", "create", "shop", "--highest-standing", "act"], &scopes[..]].concat(),
        );
        let server = Running::serve(data.path());
        let mut http =
            Http::connect(&server.address, key["secret"].as_str().unwrap()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pages = format!("http://{}", listener.local_addr().unwrap());
        let site = json!({ "name": "shop", "origins": [pages] });
        let site = http.must(Method::POST, "/v1/sites", Some(&site)).await;
        assert_eq!(site.status, 201, "{site:?}");
        let key = site.body["site"].as_str().unwrap().to_owned();
        let sayso = format!("http://{}", server.address);
        tokio::task::spawn(serve_pages(listener, sayso.clone(), key));
        let (driver, browser) = open_browser(more, besides).await;
        Self { browser, driver, http, pages, sayso, _server: server, _data: data }
    }

    async fn visit(&self, page: &str) {
        self.browser.goto(&format!("{}/{page}", self.pages)).await.unwrap();
    }

    async fn click(&self, id: &str) {
        self.browser.find(Locator::Id(id)).await.unwrap().click().await.unwrap();
    }

    /// The events of an address, the oldest first, as `channel says`.
    async fn said(&mut self, address: &str) -> Vec<String> {
        let page =
            self.http.must(Method::GET, &format!("/v1/events?{address}&limit=100"), None).await;
        let events = page.body["events"].as_array().cloned().unwrap_or_default();
        let word =
            |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .rev()
            .map(|event| format!("{} {}", word(event, "about"), word(event, "says")))
            .collect()
    }

    /// Waits until an address has said as many things as expected, then compares.
    async fn has_said(&mut self, address: &str, expected: &[&str]) {
        for _ in 0..TRIES {
            if self.said(address).await.len() >= expected.len() {
                break;
            }
            self.pause().await;
        }
        assert_eq!(self.said(address).await, expected, "{address}");
    }

    /// Lets the page do one round of its own work.
    async fn pause(&self) {
        pause(&self.browser).await;
    }

    /// Lets the page do what it would do in two seconds, twice what the tag's timers need.
    async fn let_settle(&self) {
        for _ in 0..40 {
            self.pause().await;
        }
    }

    /// Waits until the server has answered what the tag sent on this page.
    async fn is_heard(&self) {
        let answered = "return performance.getEntriesByType('resource')\
            .some((it) => it.name.endsWith('/capture/tag') && it.responseEnd > 0)";
        window::until(&self.browser, answered, &json!(true)).await;
    }

    async fn sms(&mut self, phone: &str) -> Value {
        let ask = json!({ "phone": phone, "channel": "sms", "explain": true });
        self.http.must(Method::POST, "/v1/check", Some(&ask)).await.body
    }

    /// Nothing was kept in the browser.
    async fn nothing_is_stored(&self) {
        let look = "const done = arguments[0];\
            (async () => [document.cookie.length, localStorage.length, sessionStorage.length,\
            (await indexedDB.databases()).length, self.caches ? (await caches.keys()).length : 0])().then(done);";
        let found = self.browser.execute_async(look, vec![]).await.unwrap();
        assert_eq!(found, json!([0, 0, 0, 0, 0]), "cookie, local, session, IndexedDB, caches");
    }

    async fn end(mut self) {
        self.nothing_is_stored().await;
        self.browser.clone().close().await.unwrap();
        self.driver.kill().unwrap();
        self.driver.wait().unwrap();
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A scenario that failed leaves the driver running.
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

const ADA: &str = "phone=%2B14155550123";

#[tokio::test]
async fn what_the_page_says_before_the_tag_loads_is_recorded_once() {
    let mut scene = Scene::open().await;
    scene.visit("before.html").await;
    scene.has_said(ADA, &["whatsapp no", "sms yes", "processing yes"]).await;
    for _ in 0..3 {
        scene.visit("before.html").await;
        scene.is_heard().await;
    }
    assert_eq!(scene.said(ADA).await.len(), 3, "a page view that says the same says nothing new");
    assert_eq!(scene.sms("+14155550123").await["decision"], "allow");
    scene.end().await;
}

#[tokio::test]
async fn what_the_page_says_after_the_tag_has_loaded_is_recorded() {
    let mut scene = Scene::open().await;
    scene.visit("after.html").await;
    scene.has_said("email=ada%40shop.example", &["email yes", "processing yes"]).await;
    scene.end().await;
}

#[tokio::test]
async fn both_queues_are_read_before_and_after() {
    let mut scene = Scene::open().await;
    scene.visit("queue.html").await;
    scene.has_said("phone=%2B14155550124", &["sms yes"]).await;
    scene.click("vendor-wraps").await;
    scene.click("sms-no").await;
    scene.has_said("phone=%2B14155550124", &["sms yes", "sms no"]).await;
    scene.click("own-queue").await;
    scene.has_said("phone=%2B14155550124", &["sms yes", "sms no", "whatsapp yes"]).await;
    scene.end().await;
}

#[tokio::test]
async fn a_stop_stands_however_often_the_site_says_yes() {
    let mut scene = Scene::open().await;
    let stop = json!({
        "phone": "+14155550123", "channel": "sms", "statement": "opt_out", "standing": "act",
        "method": "keyword", "occurred_at": "2026-01-01T00:00:00Z",
    });
    assert_eq!(scene.http.must(Method::POST, "/v1/consents", Some(&stop)).await.status, 201);
    for _ in 0..10 {
        scene.visit("before.html").await;
        scene.is_heard().await;
    }
    let after_views = scene.sms("+14155550123").await;
    assert_eq!(after_views["reason"], "opted_out", "{after_views}");

    // False, then true, on the site: still out, and shown as what the site claims.
    scene.visit("spa.html").await;
    let mut said = vec!["sms opt_out", "whatsapp no", "sms yes", "processing yes"];
    for (button, more) in
        [("login-ada", "processing yes"), ("sms-no", "sms no"), ("sms-yes", "sms yes")]
    {
        scene.click(button).await;
        said.push(more);
        scene.has_said(ADA, &said).await;
    }
    let claimed = scene.sms("+14155550123").await;
    assert_eq!(claimed["reason"], "opted_out", "{claimed}");
    let claims = claimed["explanation"]["claims"].as_array().unwrap();
    assert!(
        claims.iter().any(|claim| claim["source"] == "shop" && claim["says"] == "yes"),
        "{claimed}"
    );

    // The person's own act lifts it.
    let start = json!({
        "phone": "+14155550123", "channel": "sms", "statement": "start", "standing": "act",
        "method": "keyword", "occurred_at": "2026-02-01T00:00:00Z",
    });
    assert_eq!(scene.http.must(Method::POST, "/v1/consents", Some(&start)).await.status, 201);
    assert_ne!(scene.sms("+14155550123").await["reason"], "opted_out");
    scene.end().await;
}

#[tokio::test]
async fn a_single_page_app_speaks_for_whoever_is_logged_in() {
    let mut scene = Scene::open().await;
    scene.visit("spa.html").await;
    scene.let_settle().await;
    scene.click("login-ada").await;
    scene.click("go-account").await;
    scene.click("sms-yes").await;
    scene.has_said(ADA, &["processing yes", "sms yes"]).await;
    scene.click("logout").await;
    scene.click("login-bob").await;
    scene.has_said("phone=%2B14155550199", &["processing yes"]).await;
    assert_eq!(scene.said(ADA).await, ["processing yes", "sms yes"], "Bob says nothing about Ada");
    scene.end().await;
}

#[tokio::test]
async fn refused_processing_is_kept_and_silences_the_tag() {
    let mut scene = Scene::open().await;
    scene.visit("spa.html").await;
    scene.click("login-ada").await;
    scene.has_said(ADA, &["processing yes"]).await;
    scene.click("gdpr-no").await;
    scene.has_said(ADA, &["processing yes", "processing no"]).await;
    scene.click("sms-yes").await;
    scene.let_settle().await;
    assert_eq!(scene.said(ADA).await, ["processing yes", "processing no"], "the tag is silent");
    assert_eq!(scene.sms("+14155550123").await["reason"], "processing_refused");
    scene.click("gdpr-yes").await;
    scene.has_said(ADA, &["processing yes", "processing no", "sms yes", "processing yes"]).await;
    scene.end().await;
}

#[tokio::test]
async fn a_strict_content_security_policy_lets_the_tag_work() {
    let mut scene = Scene::open().await;
    scene.visit("strict-csp.html").await;
    scene.has_said("phone=%2B14155550125", &["whatsapp yes", "processing yes"]).await;
    let violations = scene.browser.execute("return window.violations", vec![]).await.unwrap();
    assert_eq!(violations, json!([]));
    scene.end().await;
}

#[tokio::test]
async fn a_page_of_another_origin_is_not_heard() {
    let mut scene = Scene::open().await;
    // The same pages under another name are another origin, which the site does not list.
    scene.pages = scene.pages.replace("127.0.0.1", "localhost");
    scene.visit("before.html").await;
    scene.let_settle().await;
    assert_eq!(scene.said(ADA).await, Vec::<String>::new());
    scene.end().await;
}

#[tokio::test]
async fn a_bad_value_loses_nothing_that_is_good_and_the_console_says_which_and_why() {
    let mut scene = Scene::open().await;
    scene.visit("debug.html").await;
    scene.has_said("phone=%2B14155550126", &["whatsapp yes"]).await;
    let mut words = Vec::new();
    for _ in 0..TRIES {
        let said = scene.browser.execute("return window.words", vec![]).await.unwrap();
        words = said.as_array().unwrap().iter().map(ToString::to_string).collect();
        if words.iter().any(|word| word.contains("accepted:")) {
            break;
        }
        scene.pause().await;
    }
    let has =
        |parts: &[&str]| words.iter().any(|word| parts.iter().all(|part| word.contains(part)));
    assert!(has(&["warn [sayso] email: ", "A good value: "]), "{words:?}");
    assert!(has(&["warn [sayso] sms_optin: "]), "{words:?}");
    assert!(has(&["info [sayso] accepted: ", "whatsapp_optin"]), "{words:?}");
    scene.end().await;
}

#[tokio::test]
async fn where_fetch_fails_the_beacon_carries_it() {
    let mut scene = Scene::open().await;
    scene.visit("no-fetch.html").await;
    scene.has_said("phone=%2B14155550127", &["sms no"]).await;
    scene.end().await;
}
