//! A server without a socket: the router, a store in memory, a clock that tests set.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use sayso_core::id::WorkspaceId;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::source::SourceName;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{Change, KeyScope, Mode, Workspace};
use sayso_server::app::{App, Options};
use sayso_server::keyring::{KeyGrant, mint};
use sayso_server::rate::{Rate, RateLimits};
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::environment::{Clock, Entropy, Environment};
use sayso_store::sqlite::{Options as StoreOptions, SqliteStore};
use serde_json::{Value, json};
use tower::ServiceExt;

use faulty::FaultyStore;

pub(crate) mod certificate;
pub(crate) mod faulty;
pub(crate) mod kannel;
pub(crate) mod links;
pub(crate) mod polls;
pub(crate) mod provider;
pub(crate) mod relay;
pub(crate) mod told;

/// A clock that moves when it is told to, and a microsecond at each look.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

/// Bytes that differ at each call, the same in every run.
#[derive(Debug, Default)]
struct CountedBytes(AtomicU64);

/// A server under test.
pub(crate) struct TestApp {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) environment: Environment,
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) key: String,
    router: Router,
    app: Arc<App>,
    options: Options,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Clock for ManualClock {
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

pub(crate) fn plenty() -> RateLimits {
    let rate = Rate { requests: NonZeroU32::new(1_000_000).unwrap(), per: Duration::from_secs(1) };
    RateLimits { key: rate, network: rate, address: rate, workspace: rate }
}

impl TestApp {
    /// A server with one workspace and a key that may do everything.
    pub(crate) async fn start() -> Self {
        Self::with_rates(plenty()).await
    }

    pub(crate) async fn with_rates(rates: RateLimits) -> Self {
        Self::with_options(Options::with_rates(rates)).await
    }

    pub(crate) async fn with_options(options: Options) -> Self {
        Self::over(options, |store| store).await
    }

    /// A server over a store that fails when it is told to.
    pub(crate) async fn faulty() -> (Self, Arc<FaultyStore>) {
        let mut faulty = None;
        let app = Self::over(Options::with_rates(plenty()), |inner| {
            let store = Arc::new(FaultyStore::over(inner));
            faulty = Some(Arc::clone(&store));
            store
        });
        (app.await, faulty.unwrap())
    }

    async fn over(options: Options, wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        let in_memory = |environment| SqliteStore::in_memory(environment).unwrap();
        Self::with_store(options, |environment| wrap(Arc::new(in_memory(environment)))).await
    }

    async fn with_store(
        options: Options,
        open: impl FnOnce(Environment) -> Arc<dyn Store>,
    ) -> Self {
        let start = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
        let clock = Arc::new(ManualClock(AtomicI64::new(start.as_micros())));
        let environment = Environment {
            clock: Arc::<ManualClock>::clone(&clock),
            entropy: Arc::new(CountedBytes::default()),
        };
        let store = open(environment.clone());
        let workspace = store.create_workspace("test", Mode::Test).await.unwrap();
        let app = App::new(Arc::clone(&store), environment.clone(), options.clone());
        let router = app.public_router();
        let key = String::new();
        let mut test = Self { store, clock, environment, workspace, key, router, app, options };
        test.key = test.make_key("test", KeyScope::ALL, Standing::Act).await;
        test
    }

    /// A server whose store is in a directory.
    pub(crate) async fn on_disk(directory: &Path, options: Options) -> Self {
        let open = |environment| {
            SqliteStore::open(directory, StoreOptions::default(), environment).unwrap()
        };
        Self::with_store(options, |environment| Arc::new(open(environment))).await
    }

    /// The server after a stop, and a start of the machine with its clock moved by this much.
    pub(crate) async fn restarted(self, directory: &Path, moved: Span) -> Self {
        self.store.close().await.unwrap();
        let Self { store, clock, environment, workspace, key, router, app, options } = self;
        drop((store, router, app));
        clock.0.fetch_add(moved.as_micros(), Ordering::SeqCst);
        let store: Arc<dyn Store> = Arc::new(
            SqliteStore::open(directory, StoreOptions::default(), environment.clone()).unwrap(),
        );
        let app = App::new(Arc::clone(&store), environment.clone(), options.clone());
        let router = app.public_router();
        Self { store, clock, environment, workspace, key, router, app, options }
    }

    /// Makes a key of the workspace.
    pub(crate) async fn make_key(
        &self,
        name: &str,
        scopes: &[KeyScope],
        highest: Standing,
    ) -> String {
        self.make_key_of(self.workspace.id, name, scopes, highest).await
    }

    /// Makes a key of any workspace.
    pub(crate) async fn make_key_of(
        &self,
        workspace: WorkspaceId,
        name: &str,
        scopes: &[KeyScope],
        highest: Standing,
    ) -> String {
        let grant =
            KeyGrant { name: SourceName::parse(name).unwrap(), scopes: scopes.to_vec(), highest };
        let minted = mint(&self.environment, Mode::Test, grant);
        let change = Change::Key(minted.id, minted.key);
        configure_now(&*self.store, workspace, change).await.unwrap();
        minted.secret
    }

    /// Hands over every message that is due.
    pub(crate) async fn send_due(&self) -> usize {
        self.app.send_due().await.unwrap()
    }

    /// The page of metrics.
    pub(crate) async fn metrics(&self) -> String {
        let request = Request::builder().uri("/metrics").body(Body::empty()).unwrap();
        let response = self.app.admin_router().oneshot(request).await.unwrap();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, span: Span) {
        self.clock.0.fetch_add(span.as_micros(), Ordering::SeqCst);
    }

    /// The time as texts of requests have it.
    pub(crate) fn now(&self) -> String {
        self.clock.now().to_string()
    }

    /// The answer as it begins, with its body still to come.
    pub(crate) async fn begin(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.begin(request).await.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        // The worker that counts is not running here.
        self.app.count_noted().await;
        Answer {
            status: parts.status,
            headers: parts.headers,
            // A picture is no text, and no test reads it as one.
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key))
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, body).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn post_text(
        &self,
        path: &str,
        media_type: &str,
        body: impl Into<Body>,
    ) -> Answer {
        let request = self.request("POST", path).header("content-type", media_type);
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    /// The same under the condition that this header says.
    pub(crate) async fn call_if(
        &self,
        method: &str,
        path: &str,
        (header, tag): (&str, &str),
        body: &Value,
    ) -> Answer {
        let request = self.request(method, path).header("content-type", "application/json");
        let request = request.header(header, tag);
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path).body(Body::empty()).unwrap()).await
    }

    /// Publishes a notice that names SMS, WhatsApp, email and, if asked for, processing.
    pub(crate) async fn notice(&self, processing: &[&str]) -> Value {
        let made = self.post("/v1/notices", &json!({ "name": "Checkout" })).await.json();
        let id = made["id"].as_str().unwrap().to_owned();
        let mut names = vec![
            json!({ "channel": "sms" }),
            json!({ "channel": "whatsapp" }),
            json!({ "channel": "email" }),
        ];
        names.extend(processing.iter().map(|word| json!({ "permission": word })));
        let version =
            json!({ "version": 1, "language": "en", "text": "Yes, write to me.", "names": names });
        let published = self.post(&format!("/v1/notices/{id}/versions"), &version).await;
        assert_eq!(published.status, StatusCode::CREATED, "{}", published.text);
        json!({ "id": id, "version": 1, "language": "en" })
    }

    /// Makes a site whose pages at `https://shop.example` may use the tag.
    pub(crate) async fn site(&self) -> Value {
        let body = json!({ "name": "shop", "origins": ["https://shop.example"], "new_user_hash_secret": true });
        self.post("/v1/sites", &body).await.json()
    }

    /// Takes every setting back, so that a PUT may leave any of them out.
    pub(crate) async fn reset_settings(&self) {
        let settings = self.get("/v1/settings").await.json();
        let members = settings.as_object().unwrap().keys();
        let nothing: serde_json::Map<String, Value> =
            members.map(|name| (name.clone(), Value::Null)).collect();
        let answer = self.call("PATCH", "/v1/settings", &nothing.into()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }

    /// What the gate says to marketing by SMS to this phone.
    pub(crate) async fn sms(&self, phone: &str) -> Value {
        self.post("/v1/check", &json!({ "channel": "sms", "phone": phone })).await.json()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The tag of the state that it shows.
    pub(crate) fn tag(&self) -> String {
        let tag = self.headers.get("etag").unwrap_or_else(|| panic!("no tag: {}", self.text));
        tag.to_str().unwrap().to_owned()
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asserts a problem, and that its body is one.
    pub(crate) fn is_problem(&self, code: &str) -> Value {
        let body = self.json();
        assert_eq!(body["code"], code, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["instance"], self.headers["x-request-id"].to_str().unwrap());
        body
    }
}

/// An opt-in or opt-out as an act, with all an act needs.
pub(crate) fn act(phone: &str, statement: &str, occurred_at: &str, notice: &Value) -> Value {
    json!({
        "phone": phone, "channel": "sms", "statement": statement, "standing": "act",
        "occurred_at": occurred_at, "method": "checkbox", "notice": notice,
    })
}
