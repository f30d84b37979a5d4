//! Chromium and its driver, with commands that hold on a slow machine: none of them depends on the moment at
//! which a page leaves or arrives, and none runs in a page to let time pass.

use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use fantoccini::actions::{InputSource, NullAction, NullActions};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper::Method;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

/// How often a state is asked for before the test gives up; each time takes [`ROUND`] or more.
pub(super) const TRIES: u32 = 600;

/// How long a page is left to its own work at a time.
const ROUND: Duration = Duration::from_millis(50);

/// How a page that is on its way out is told from the one that comes.
const MARK: &str = "document.documentElement.dataset.left = ''";
const IS_NEXT: &str =
    "return document.readyState === 'complete' && !('left' in document.documentElement.dataset)";

/// Starts chromedriver on a port of its own and opens a browser, with more arguments and options than the
/// usual.
pub(super) async fn open_browser(more: &[&str], mut options: Value) -> (Child, Client) {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let driver = Command::new("chromedriver")
        .arg(format!("--port={port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The driver is ready when its port answers.
    let mut tries = 0;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tries += 1;
        assert!(tries < 200_000, "chromedriver does not answer");
        tokio::task::yield_now().await;
    }
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        // Where a chat would begin, the test ends: nothing outside this machine is asked.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ];
    options["args"] = json!([&arguments[..], more].concat());
    let Value::Object(wishes) = json!({ "goog:chromeOptions": options }) else {
        unreachable!("an object literal")
    };
    let browser = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
        .capabilities(wishes)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .unwrap();
    (driver, browser)
}

/// Leaves the page to its own work for one round. The driver waits, not the page: so it does not matter
/// whether the page is being left meanwhile.
pub(super) async fn pause(browser: &Client) {
    let round = NullActions::new("round".into()).then(NullAction::Pause { duration: ROUND });
    browser.perform_actions(round).await.unwrap();
}

/// What a script of the page says. A page that is being left answers nothing; then the next one is asked.
pub(super) async fn script(browser: &Client, script: &str) -> Value {
    for _ in 1..TRIES {
        if let Ok(said) = browser.execute(script, vec![]).await {
            return said;
        }
        pause(browser).await;
    }
    browser.execute(script, vec![]).await.unwrap()
}

/// Waits until a script of the page says this.
pub(super) async fn until(browser: &Client, asked: &str, expected: &Value) {
    let mut said = Value::Null;
    for _ in 0..TRIES {
        said = script(browser, asked).await;
        if said == *expected {
            return;
        }
        pause(browser).await;
    }
    panic!("{asked}: {said}, not {expected}");
}

/// Does what leads to another page, and waits until that is there, whole.
pub(super) async fn leave_by(browser: &Client, act: impl AsyncFnOnce()) {
    script(browser, MARK).await;
    act().await;
    until(browser, IS_NEXT, &json!(true)).await;
}

/// Out of every frame. What is done in a frame that went away fails; this does not.
pub(super) async fn leave_frames(browser: &Client) {
    let whole = DriverCommand { path: "frame", body: json!({ "id": null }) };
    browser.issue_cmd(whole).await.unwrap();
}

/// A command of the browser's protocol for developers, and its answer.
pub(super) async fn devtools(browser: &Client, command: &str, parameters: Value) -> Value {
    let body = json!({ "cmd": command, "params": parameters });
    browser.issue_cmd(DriverCommand { path: "goog/cdp/execute", body }).await.unwrap()
}

/// A command of the driver that the client has no name for: its place below the session, and its words.
#[derive(Debug)]
struct DriverCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for DriverCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
