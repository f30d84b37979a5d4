//! A stand-in for a provider: it keeps what it is sent, and answers as it was told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sayso_server::app::Options;
use sayso_server::outgoing::Guard;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{TestApp, plenty};

pub(crate) const APP_SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub(crate) const AUTH_TOKEN: &str = "ffeeddccbbaa99887766554433221100";
pub(crate) const ACCOUNT: &str = "AC00112233445566778899aabbccddeeff";
pub(crate) const HOOK_TOKEN: &str = "kSx3PzQ7wLm9RtY2";

/// What a provider was sent.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What a provider answers.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// This.
    Answer(u16, String),
    /// That it is to be asked again after so many seconds.
    Later(u32),
    /// Nothing.
    Silence,
}

#[derive(Debug, Default)]
struct Script {
    seen: Vec<Seen>,
    says: VecDeque<Says>,
}

/// A provider on a port of this machine.
#[derive(Debug)]
pub(crate) struct StandIn {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
    _tasks: JoinSet<()>,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::<Mutex<Script>>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, script, _tasks: tasks }
    }

    /// Tells what is answered next.
    pub(crate) fn tell(&self, says: Says) {
        self.script.lock().unwrap().says.push_back(says);
    }

    /// What it was sent since this was last asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.script.lock().unwrap().seen)
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(to_bytes(body, 100_000).await.unwrap().to_vec()).unwrap();
    let says = {
        let mut script = script.lock().unwrap();
        let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
        script.seen.push(Seen { method, uri, headers, body });
        script.says.pop_front().unwrap_or(Says::Answer(404, String::new()))
    };
    let answer = Response::builder();
    match says {
        Says::Answer(status, body) => answer.status(status).body(Body::from(body)).unwrap(),
        Says::Later(seconds) => {
            answer.status(429).header("retry-after", seconds).body(Body::empty()).unwrap()
        }
        Says::Silence => std::future::pending().await,
    }
}

impl Seen {
    /// The parameters of its query, or of its body in form encoding, sorted.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let encoded = self.uri.query().unwrap_or(&self.body);
        let uri = format!("/?{encoded}").parse().unwrap();
        let Query(mut pairs) = Query::<Vec<(String, String)>>::try_from_uri(&uri).unwrap();
        pairs.sort();
        pairs
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// A provider with an account and a sender there.
pub(crate) struct Shop {
    pub(crate) app: TestApp,
    pub(crate) provider: StandIn,
    pub(crate) channel: &'static str,
    pub(crate) connection: String,
}

/// The credentials of an account at a provider, without where its API is.
pub(crate) fn credentials(provider: &str) -> Value {
    match provider {
        "meta" => {
            json!({ "app_secret": APP_SECRET, "verify_token": "a-word", "access_token": "EAAG" })
        }
        "gupshup" => json!({ "api_key": "key", "app": "ShopApp", "hook_token": HOOK_TOKEN }),
        "twilio" => json!({ "account": ACCOUNT, "auth_token": AUTH_TOKEN }),
        "kannel" => json!({ "username": "us", "password": "pa ss", "hook_token": HOOK_TOKEN }),
        other => panic!("no provider {other}"),
    }
}

impl Shop {
    /// A shop that sends by this provider.
    pub(crate) async fn at(provider: &'static str) -> Self {
        Self::over(TestApp::with_options(Self::options()).await, provider).await
    }

    /// The options of a server that calls the stand-in.
    pub(crate) fn options() -> Options {
        let mut options = Options::with_rates(plenty());
        options.provider_timeout = Duration::from_millis(300);
        options.outside.url = Some("https://consent.example".into());
        options.outgoing = Guard::new(vec!["127.0.0.1/32".parse().unwrap()]);
        options
    }

    /// A shop of this server, made with [`Shop::options`].
    pub(crate) async fn over(app: TestApp, provider: &'static str) -> Self {
        let stand_in = StandIn::start().await;
        let mut account = credentials(provider);
        account["base_url"] = stand_in.url.clone().into();
        let connection = json!({ "name": "Account", "provider": provider, "credentials": account });
        let made = app.post("/v1/connections", &connection).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let connection = made.json()["id"].as_str().unwrap().to_owned();
        let (channel, address) = match provider {
            "meta" => ("whatsapp", "106540352242922"),
            "gupshup" => ("whatsapp", "+15550100900"),
            _ => ("sms", "+15550100900"),
        };
        let sender = json!({ "channel": channel, "name": "Shop", "address": address, "connection": connection });
        assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
        Self { app, provider: stand_in, channel, connection }
    }

    /// The person agrees to everything.
    pub(crate) async fn agree(&self, phone: &str) {
        let notice = self.app.notice(&[]).await;
        let mut yes = super::act(phone, "opt_in", "2026-11-21T09:00:00Z", &notice);
        yes["channel"] = self.channel.into();
        let recorded = self.app.post("/v1/consents", &yes).await;
        assert_eq!(recorded.status, StatusCode::CREATED, "{}", recorded.text);
    }

    /// A message that this channel takes at any time.
    pub(crate) fn message(&self, to: &str) -> Value {
        if self.channel == "sms" {
            return json!({ "to": to, "channel": "sms", "text": "Grüße & STOP" });
        }
        let template = json!({ "name": "offer", "language": "en_US", "variables": ["Ana"] });
        json!({ "to": to, "channel": self.channel, "template": template })
    }

    pub(crate) async fn queue(&self, message: &Value) -> String {
        let answer = self.app.post("/v1/messages", message).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Sends a message, to which the provider says this; the message as it then is.
    pub(crate) async fn send(&self, to: &str, says: Says) -> Value {
        self.provider.tell(says);
        let id = self.queue(&self.message(to)).await;
        self.app.send_due().await;
        self.read(&id).await
    }

    pub(crate) async fn read(&self, id: &str) -> Value {
        self.app.get(&format!("/v1/messages/{id}")).await.json()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// `X-Hub-Signature-256` of a body.
pub(crate) fn meta_signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

/// `X-Twilio-Signature` of a form: over the URL, then each name and value in order.
pub(crate) fn twilio_signature(url: &str, form: &[(&str, &str)]) -> String {
    let mut form = form.to_vec();
    form.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(AUTH_TOKEN.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in form {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}
