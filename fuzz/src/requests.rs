//! Requests to the server, through its real router, over a store in memory.
//!
//! The server knows one shop: a site, a form, an entry point, a notice, an import, a rule. Words in capitals
//! in the bytes stand for what only it can know, as `SITE` for the key of its site. Its clock moves by a
//! microsecond at each look, and its random bytes are the same in every run.

use std::cell::RefCell;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::source::SourceName;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{Change, KeyScope, Mode};
use sayso_server::app::{App, Options, Peer};
use sayso_server::keyring::{KeyGrant, mint};
use sayso_server::rate::{Rate, RateLimits};
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::environment::{Clock, Entropy, Environment};
use sayso_store::sqlite::SqliteStore;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// Requests that one server answers, so that what they leave behind stays small.
const REQUESTS_MAX: u32 = 5_000;

/// The longest answer that any of these requests may have.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// How long it takes at most until other threads are heard of, usually.
const MOMENT: Duration = Duration::from_millis(2);

/// By how much the clock of the runtime is then set forward; less than any request may take.
const STEP: Duration = Duration::from_millis(125);

const FORM_TYPE: &str = "application/x-www-form-urlencoded";
const LINES_TYPE: &str = "application/x-ndjson";
const IMPORT: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";

/// Any body of the tag, at the site's own page.
pub(crate) fn tag(bytes: &[u8]) {
    with_server(|server| {
        let request = Request::post("/capture/tag").header("origin", "https://shop.example");
        let answer = server.ask(request.body(server.fill(bytes)));
        let may_be = [200, 400, 403, 413, 422];
        assert!(may_be.contains(&answer.status.as_u16()), "{answer:?}");
    });
}

/// Any body of a form, behind the challenge of its page.
pub(crate) fn form(bytes: &[u8]) {
    with_server(|server| {
        let body = [b"challenge=CHALLENGE&", bytes].concat();
        let request = Request::post(server.known("FORM_PAGE")).header("content-type", FORM_TYPE);
        server.ask(request.body(server.fill(&body)));
    });
}

/// Any body of an entry page.
pub(crate) fn entry(bytes: &[u8]) {
    with_server(|server| {
        let request = Request::post(server.known("ENTRY_PAGE")).header("content-type", FORM_TYPE);
        server.ask(request.body(server.fill(bytes)));
    });
}

/// Any batch of consents, a line each; each line is answered by a line.
pub(crate) fn batch(bytes: &[u8]) {
    lines("/v1/consents/batch", bytes);
    lines("/v1/check/batch", bytes);
}

/// Any rows of a list, as the command line sends them and as a provider lists its users.
pub(crate) fn import_rows(bytes: &[u8]) {
    lines(&format!("/v1/imports/{IMPORT}/rows?list=crm"), bytes);
    lines(&format!("/v1/imports/{IMPORT}/rows?list=crm&format=gupshup-users"), bytes);
}

fn lines(path: &str, bytes: &[u8]) {
    with_server(|server| {
        let request = server.request("POST", path).header("content-type", LINES_TYPE);
        let answer = server.ask(request.body(server.fill(bytes)));
        if answer.status == StatusCode::OK {
            for line in answer.text.lines() {
                let read: Result<Value, _> = serde_json::from_str(line);
                assert!(read.is_ok_and(|line| line.is_object()), "{line}");
            }
        }
    });
}

/// Any request: a line `METHOD path`, headers a line each, an empty line, then the body.
pub(crate) fn requests(bytes: &[u8]) {
    let at = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = at.map_or((bytes, &[][..]), |at| (&bytes[..at], &bytes[at + 2..]));
    let Ok(head) = str::from_utf8(head) else { return };
    let mut head = head.lines();
    let Some((method, path)) = head.next().and_then(|line| line.split_once(' ')) else { return };
    with_server(|server| {
        let mut request = Request::builder().method(method).uri(server.fill_text(path));
        let mut has_key = false;
        for line in head {
            let Some((name, value)) = line.split_once(": ") else { return };
            let value = server.fill_text(value);
            let name = HeaderName::from_bytes(name.as_bytes());
            let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) else { return };
            has_key |= name == header::AUTHORIZATION;
            request = request.header(name, value);
        }
        if !has_key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", server.key));
        }
        let request = request.body(server.fill(body));
        if request.is_ok() {
            server.ask(request);
        }
    });
}

/// A clock that moves a microsecond at each look.
#[derive(Debug)]
struct CountedTime(AtomicI64);

/// Bytes that differ at each call, the same in every run.
#[derive(Debug, Default)]
struct CountedBytes(AtomicU64);

impl Clock for CountedTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

impl Entropy for CountedBytes {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state =
            self.0.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for byte in bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[0];
        }
    }
}

/// A server with one shop.
struct Server {
    runtime: Runtime,
    store: Arc<dyn Store>,
    router: Router,
    key: String,
    /// What the words in capitals stand for.
    known: Vec<(&'static str, String)>,
    requests: u32,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    text: String,
}

thread_local!(static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) });

/// Hands the server over; a new one where the last has answered enough.
fn with_server(run: impl FnOnce(&Server)) {
    SERVER.with_borrow_mut(|kept| {
        if let Some(old) = kept.take_if(|server| server.requests >= REQUESTS_MAX) {
            old.stop();
        }
        let server = kept.get_or_insert_with(Server::start);
        server.requests += 1;
        run(server);
    });
}

impl Server {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        let start = Timestamp::parse("2026-11-21T10:00:00Z").expect("a time");
        let clock = Arc::new(CountedTime(AtomicI64::new(start.as_micros())));
        let environment = Environment {
            clock: Arc::<CountedTime>::clone(&clock),
            entropy: Arc::new(CountedBytes::default()),
        };
        let store = SqliteStore::in_memory(environment.clone()).expect("a store");
        let store: Arc<dyn Store> = Arc::new(store);
        let rate = Rate { requests: NonZeroU32::MAX, per: Duration::from_secs(1) };
        let rates = RateLimits { key: rate, network: rate, address: rate, workspace: rate };
        let mut options = Options::with_rates(rates);
        options.outside.url = Some("https://consent.example".into());
        let (router, key) = runtime.block_on(async {
            let made = store.create_workspace("test", Mode::Test).await.expect("a workspace");
            let app = App::new(Arc::clone(&store), environment.clone(), options);
            let name = SourceName::parse("test").expect("a name");
            let scopes = KeyScope::ALL.to_vec();
            let minted =
                mint(&environment, Mode::Test, KeyGrant { name, scopes, highest: Standing::Act });
            let change = Change::Key(minted.id, minted.key);
            configure_now(&*store, made.id, change).await.expect("a key");
            (app.public_router(), minted.secret)
        });
        let mut server = Self { runtime, store, router, key, known: Vec::new(), requests: 0 };
        server.open_shop();
        // Whoever runs no script is let in only some seconds after the page was opened.
        clock.0.fetch_add(Span::minutes(1).as_micros(), Ordering::SeqCst);
        server
    }

    fn stop(self) {
        self.runtime.block_on(self.store.close()).expect("a store that closes");
    }

    /// Makes everything that requests can be about.
    fn open_shop(&mut self) {
        let site = json!({ "name": "shop", "origins": ["https://shop.example"] });
        let site = text_of(&self.make("/v1/sites", &site), "site");
        let notice = text_of(&self.make("/v1/notices", &json!({ "name": "Checkout" })), "id");
        let names = ["sms", "whatsapp", "email"].map(|channel| json!({ "channel": channel }));
        let version =
            json!({ "version": 1, "language": "en", "text": "Yes, write to me.", "names": names });
        self.make(&format!("/v1/notices/{notice}/versions"), &version);
        let form = json!({
            "name": "Footer", "business": "Harbour Shop", "channels": ["whatsapp", "email"],
            "notice": notice, "origins": ["https://shop.example"],
        });
        let form = text_of(&self.make("/v1/forms", &form), "id");
        let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
        let connection = text_of(&self.make("/v1/connections", &connection), "id");
        let noticed = json!({ "id": notice, "version": 1, "language": "en" });
        let sender = json!({
            "channel": "whatsapp", "name": "Harbour Shop", "address": "+14155550100",
            "connection": connection,
            "question": { "text": "May we send you offers?", "notice": noticed },
        });
        let sender = text_of(&self.make("/v1/senders", &sender), "id");
        let topic = json!({ "name": "Offers", "category": "marketing" });
        let topic = text_of(&self.make("/v1/topics", &topic), "id");
        let entry = json!({
            "name": "Poster", "sender": sender, "business": "Harbour Shop", "topics": [topic],
            "notice": { "id": notice, "version": 1 }, "prefill": "Hello, I saw your poster",
        });
        let entry = text_of(&self.make("/v1/entry-points", &entry), "code");
        self.make("/v1/imports", &json!({ "id": IMPORT, "list": "crm", "region": "US" }));
        let page = self.ask(Request::get(format!("/f/{form}")).body(Body::empty())).text;
        let (_, rest) = page.split_once("name=\"challenge\" value=\"").expect("a challenge");
        let challenge = rest.split('"').next().unwrap_or_default().to_owned();
        self.known = vec![
            ("FORM_PAGE", format!("/f/{form}")),
            ("ENTRY_PAGE", format!("/e/{entry}")),
            ("CHALLENGE", challenge),
            ("IMPORT", IMPORT.to_owned()),
            ("NOTICE", notice),
            ("SENDER", sender),
            ("TOPIC", topic),
            ("ENTRY", entry),
            ("SITE", site),
            ("FORM", form),
        ];
    }

    fn make(&self, path: &str, body: &Value) -> Value {
        let request = self.request("POST", path).header("content-type", "application/json");
        let answer = self.ask(request.body(Body::from(body.to_string())));
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        serde_json::from_str(&answer.text).unwrap_or_default()
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path);
        request.header(header::AUTHORIZATION, format!("Bearer {}", self.key))
    }

    fn known(&self, word: &str) -> &str {
        self.known.iter().find(|(known, _)| *known == word).map_or("", |(_, text)| text)
    }

    fn fill_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (word, stands_for) in
            self.known.iter().filter(|(word, _)| text.contains(word)).collect::<Vec<_>>()
        {
            text = text.replace(word, stands_for);
        }
        text
    }

    /// The bytes with what their words in capitals stand for; those that are no text as they are.
    fn fill(&self, bytes: &[u8]) -> Body {
        match str::from_utf8(bytes) {
            Ok(text) => Body::from(self.fill_text(text)),
            Err(_) => Body::from(bytes.to_vec()),
        }
    }

    /// Asks, and looks at what every answer must be.
    fn ask(&self, request: axum::http::Result<Request<Body>>) -> Answer {
        let mut request = request.expect("a request");
        request.extensions_mut().insert(Peer([192, 0, 2, 7].into()));
        let (parts, bytes) = self.runtime.block_on(async {
            let answer = in_its_time(self.router.clone().oneshot(request)).await;
            let (parts, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
            let bytes = in_its_time(to_bytes(body, ANSWER_BYTES_MAX)).await;
            (parts, bytes.expect("an answer within its bound"))
        });
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let answer = Answer { status: parts.status, text };
        assert!(!answer.status.is_server_error(), "our fault: {answer:?}");
        let kind = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        if kind.ends_with(b"json") && !kind.ends_with(b"ndjson") && !answer.text.is_empty() {
            let read: Result<Value, _> = serde_json::from_str(&answer.text);
            let read = read.unwrap_or_else(|error| panic!("{error}: {answer:?}"));
            let is_problem = kind == b"application/problem+json";
            assert!(!is_problem || read["code"].is_string(), "a problem has a code: {answer:?}");
        }
        answer
    }
}

/// What a future comes to. The clock of the runtime stands while other threads work; only where nothing
/// comes of that for a moment, an answer waits for its time to leave, which is then let pass.
async fn in_its_time<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let (answered, moment) = mpsc::channel::<()>();
        let moment = tokio::task::spawn_blocking(move || moment.recv_timeout(MOMENT));
        tokio::select! {
            biased;
            output = &mut future => {
                drop(answered);
                return output;
            }
            _ = moment => tokio::time::advance(STEP).await,
        }
    }
}

fn text_of(made: &Value, member: &str) -> String {
    made[member].as_str().unwrap_or_else(|| panic!("no {member}: {made}")).to_owned()
}
