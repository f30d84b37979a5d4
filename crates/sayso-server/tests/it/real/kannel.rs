//! Kannel from Debian, with the configuration of `docs/guides/kannel.md`: words typed on a phone reach
//! the gate, messages reach the phone, and reports come back.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use sayso_core::words::source::SourceName;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{Change, KeyScope, Mode};
use sayso_server::app::App;
use sayso_server::config::{Config, Sources};
use sayso_server::keyring::{KeyGrant, mint};
use sayso_server::serve::Server;
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::environment::Environment;
use sayso_store::sqlite::SqliteStore;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::support::act;
use crate::support::kannel::{Gateway, Ports, until};

const ADA: &str = "+14155552671";
const OURS: &str = "+15550100900";

/// A shop that sends by Kannel; its server is yet to be started.
struct Shop {
    ports: Ports,
    config: Config,
    store: Arc<dyn Store>,
    api: Router,
    key: String,
    hook: String,
    _directory: tempfile::TempDir,
    tasks: JoinSet<()>,
}

impl Shop {
    async fn new() -> Self {
        let ports = Ports::reserve();
        let directory = tempfile::tempdir().unwrap();
        let at = format!("127.0.0.1:{}", ports.sayso);
        let arguments = [
            ("server.address", at.clone()),
            ("server.public_url", format!("http://{at}")),
            ("admin.address", "127.0.0.1:0".to_owned()),
            ("outgoing.allow_private", "127.0.0.1/32".to_owned()),
            ("store.directory", directory.path().to_str().unwrap().to_owned()),
        ];
        let arguments = arguments.into_iter().map(|(key, value)| (key.to_owned(), value));
        let sources = Sources { arguments: arguments.collect(), ..Sources::default() };
        let config = Config::load(&sources).unwrap();
        let environment = Environment::system();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory(environment.clone()).unwrap());
        let workspace = store.create_workspace("shop", Mode::Test).await.unwrap().id;
        let name = SourceName::parse("test").unwrap();
        let grant = KeyGrant { name, scopes: KeyScope::ALL.to_vec(), highest: Standing::Act };
        let minted = mint(&environment, Mode::Test, grant);
        configure_now(&*store, workspace, Change::Key(minted.id, minted.key)).await.unwrap();
        let api = App::new(Arc::clone(&store), environment, config.app_options()).public_router();
        let (key, hook, tasks) = (minted.secret, String::new(), JoinSet::new());
        let mut shop = Self { ports, config, store, api, key, hook, _directory: directory, tasks };
        shop.connect().await;
        shop
    }

    /// What the guide tells to do at Sayso.
    async fn connect(&mut self) {
        let base_url = format!("http://127.0.0.1:{}", self.ports.sending);
        let credentials =
            json!({ "username": "sayso", "password": "change-me", "base_url": base_url });
        let connection =
            json!({ "name": "Our gateway", "provider": "kannel", "credentials": credentials });
        let (status, connection) = self.ask("POST", "/v1/connections", &connection).await;
        assert_eq!(status, StatusCode::CREATED, "{connection}");
        connection["hook"].as_str().unwrap().clone_into(&mut self.hook);
        let sender = json!({ "channel": "sms", "name": "Shop", "address": OURS, "connection": connection["id"] });
        let (status, sender) = self.ask("POST", "/v1/senders", &sender).await;
        assert_eq!(status, StatusCode::CREATED, "{sender}");
    }

    /// Starts the server: from now on Kannel reaches it.
    async fn serve(&mut self) {
        let (config, store) = (self.config.clone(), Arc::clone(&self.store));
        let server = Server::bind(config, store, Environment::system()).await.unwrap();
        self.api = server.app().public_router();
        let (_changes, reload) = watch::channel(None);
        self.tasks.spawn(async {
            server.run(std::future::pending(), reload, None).await.unwrap();
        });
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) });
        let response = self.api.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn agree(&self, phone: &str) {
        let made = self.ask("POST", "/v1/notices", &json!({ "name": "Checkout" })).await.1;
        let id = made["id"].as_str().unwrap();
        let version = json!({ "version": 1, "language": "en", "text": "Yes, write to me.", "names": [{ "channel": "sms" }] });
        let (status, published) =
            self.ask("POST", &format!("/v1/notices/{id}/versions"), &version).await;
        assert_eq!(status, StatusCode::CREATED, "{published}");
        let notice = json!({ "id": id, "version": 1, "language": "en" });
        let yes = act(phone, "opt_in", "2026-01-01T00:00:00Z", &notice);
        let (status, recorded) = self.ask("POST", "/v1/consents", &yes).await;
        assert_eq!(status, StatusCode::CREATED, "{recorded}");
    }

    /// What the gate says to marketing by SMS, once it is no longer this.
    async fn gate_after(&self, phone: &str, before: &str) -> String {
        let question = json!({ "channel": "sms", "phone": phone });
        until(&format!("anything but {before}"), async || {
            let (_, said) = self.ask("POST", "/v1/check", &question).await;
            let reason = said["reason"].as_str().unwrap_or("allow").to_owned();
            (reason != before).then_some(reason)
        })
        .await
    }

    /// Sends a text, and waits until it came as far as this.
    async fn send_until(&self, phone: &str, text: &str, state: &str) {
        let message = json!({ "to": phone, "channel": "sms", "text": text });
        let (status, queued) = self.ask("POST", "/v1/messages", &message).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{queued}");
        let path = format!("/v1/messages/{}", queued["id"].as_str().unwrap());
        until(state, async || {
            let (_, message) = self.ask("GET", &path, &Value::Null).await;
            (message["state"] == state).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_text_typed_on_a_phone_opts_its_owner_out_and_a_send_arrives_and_is_reported() {
    let mut shop = Shop::new().await;
    shop.agree(ADA).await;
    let gateway = Gateway::start(&shop.ports, &shop.hook).await;
    shop.serve().await;

    let phone = gateway.phone();
    shop.send_until(ADA, "Grüße & 50 % STOP", "delivered").await;
    phone.until_said(&format!("<{OURS} {ADA} text Grüße & 50 % STOP>"), 1).await;
    drop(phone);

    let phone = gateway.phone_that_types(&format!("{ADA} {OURS} text Stop. Thank you"));
    phone.until_said(&format!("<{OURS} {ADA} text Shop: you will get no more messages"), 1).await;
    assert_eq!(shop.gate_after(ADA, "allow").await, "opted_out");
    let message = json!({ "to": ADA, "channel": "sms", "text": "50 % STOP" });
    let (status, refused) = shop.ask("POST", "/v1/messages", &message).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    assert_eq!(refused["decision"]["reason"], "opted_out", "{refused}");
    let (_, events) = shop.ask("GET", "/v1/events?phone=%2B14155552671", &Value::Null).await;
    assert!(events.to_string().contains("Stop. Thank you"), "{events}");
    assert_eq!(phone.said().matches("Got message").count(), 1, "{}", phone.said());
}

#[tokio::test]
async fn a_stop_that_is_typed_while_the_server_is_away_is_obeyed_when_it_is_back() {
    let mut shop = Shop::new().await;
    let zoe = "+33612345678";
    shop.agree(zoe).await;
    let gateway = Gateway::start(&shop.ports, &shop.hook).await;
    // In the alphabet of every language, as phones write where one letter is none of the first's.
    let _phone = gateway.phone_that_types(&format!("{zoe} {OURS} ucs2 %00A%00R%00R%00%CA%00T"));
    gateway.smsbox.until_said("Couldn't fetch", 2).await;
    assert_eq!(shop.gate_after(zoe, "").await, "allow");
    shop.serve().await;
    assert_eq!(shop.gate_after(zoe, "allow").await, "opted_out");
}

#[tokio::test]
async fn the_longest_text_arrives_whole() {
    let mut shop = Shop::new().await;
    shop.agree(ADA).await;
    let gateway = Gateway::start(&shop.ports, &shop.hook).await;
    shop.serve().await;
    let phone = gateway.phone();
    shop.send_until(ADA, &("я".repeat(1_595) + " STOP"), "delivered").await;
    phone.until_said("Got message", 24).await;
}
