//! `sayso demo`: a server with invented people in a temporary directory.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;

use anyhow::Context;
use sayso_core::address::Address;
use sayso_core::address::phone::Phone;
use sayso_core::id::{ConnectionId, NoticeId, SenderId, TopicId, WorkspaceId};
use sayso_core::words::channel::{Category, Channel, Provider};
use sayso_core::words::notice::{Language, Notice, NoticeRef};
use sayso_core::words::source::SourceName;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{
    Change, Connection, KeyScope, Mode, OptInQuestion, Sender, Site, Topic,
};
use sayso_server::config::Config;
use sayso_server::keyring::{KeyGrant, mint};
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::environment::Environment;
use sayso_store::sqlite::Making;
use serde_json::{Value, json};

use super::Place;
use super::serve::started::Listening;
use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::local::{self, Local};
use crate::options::Demo;
use crate::printer::{Printer, Style};

mod conversation;
mod pages;

/// The public key of the demo's site, for a page of your own that carries the tag.
const SITE_KEY: &str = "site_demo";

/// What the demo made, for what it prints.
struct Made {
    workspace: WorkspaceId,
    api_key: String,
    topic: TopicId,
    sender: SenderId,
}

/// What there is to see: pages, and a conversation.
struct Shown {
    pages: Vec<pages::Page>,
    told: Vec<String>,
}

/// Runs the demo until it is stopped.
pub(crate) async fn run(options: &Demo, printer: Printer) -> Result<Exit, Failure> {
    let directory = Scratch::make()?;
    let listen = format!("127.0.0.1:{}", options.port);
    let mut place = Place::default();
    place.argue("store.directory", Some(directory.0.display().to_string()));
    place.argue("server.address", Some(listen.clone()));
    // Links that are sent begin with it. A port of the system's choice is not known yet.
    if options.port != 0 {
        place.argue("server.public_url", Some(format!("http://{listen}")));
    }
    place.argue("admin.address", Some("127.0.0.1:0".to_owned()));
    place.argue("log.level", Some("warn".to_owned()));
    let config = place.config()?;
    let store = local::open(&directory.0, Making::IfNone)
        .map_err(|error| local::open_failure(&directory.0, error))?;
    let store: Arc<dyn Store> = Arc::new(store);
    let made = furnish(&store, &Environment::system(), &format!("http://{listen}")).await?;
    let shown = people(&store, &made, &config).await?;
    let greet = |listening: &Listening| self::greet(printer, &listening.url, (&made, &shown));
    super::serve::until_stopped(store, &place, config, None, greet).await
}

/// A temporary directory, removed at the end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn make() -> Result<Self, Failure> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
        let name = format!("sayso-demo-{:016x}", u64::from_be_bytes(random));
        let path = std::env::temp_dir().join(name);
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(error = %error, "the demo's directory could not be removed");
        }
    }
}

/// A workspace with a sender, two topics, a notice, a site and a key.
async fn furnish(
    store: &Arc<dyn Store>,
    environment: &Environment,
    origin: &str,
) -> Result<Made, Failure> {
    let fault = |error: sayso_store::store::StoreError| anyhow::Error::new(error);
    let workspace =
        store.create_workspace("Harbour Books (demo)", Mode::Test).await.map_err(fault)?;
    let workspace_id = workspace.id;
    let id = || environment.time_sortable_id();
    let topic = TopicId::from_bytes(id());
    let grant = KeyGrant {
        name: SourceName::parse("demo").map_err(anyhow::Error::new)?,
        scopes: KeyScope::ALL.to_vec(),
        highest: Standing::Act,
    };
    let key = mint(environment, Mode::Test, grant);
    let names = |channel| {
        sayso_core::words::channel::Permission::Messages(
            channel,
            sayso_core::words::channel::Scope::All,
        )
    };
    let notice = Notice {
        id: NoticeId::from_bytes([1; 16]),
        version: 1,
        language: Language::parse("en").map_err(anyhow::Error::new)?,
        text: "Yes, Harbour Books may send me news about books by SMS and WhatsApp. I can stop at any \
               time by answering STOP."
            .into(),
        names: vec![names(Channel::Sms), names(Channel::WhatsApp)],
    };
    let sender = SenderId::from_bytes(id());
    let sending = sending(environment, sender, notice.reference());
    let changes = [
        Change::Topic(
            topic,
            Topic {
                name: "New books".into(),
                category: Category::Marketing,
                code: None,
                deleted_at: None,
            },
        ),
        Change::Topic(
            TopicId::from_bytes(id()),
            Topic {
                name: "Orders".into(),
                category: Category::Utility,
                code: None,
                deleted_at: None,
            },
        ),
        Change::NoticeName(notice.id, "Messages from the shop".into()),
        Change::Notice(notice),
        Change::Site(
            SourceName::parse(SITE_KEY).map_err(anyhow::Error::new)?,
            Site {
                name: SourceName::parse("shop").map_err(anyhow::Error::new)?,
                origins: vec![origin.into(), "http://localhost:3000".into()],
                user_hash_secret: None,
                requires_user_hash: false,
                deleted_at: None,
            },
        ),
        Change::Key(key.id, key.key),
    ];
    for change in sending.into_iter().chain(changes) {
        configure_now(store.as_ref(), workspace_id, change).await.map_err(fault)?;
    }
    Ok(Made { workspace: workspace_id, api_key: key.secret, topic, sender })
}

/// Simulated phones, and a sender that reaches them.
fn sending(environment: &Environment, sender: SenderId, notice: NoticeRef) -> [Change; 2] {
    let sandbox = ConnectionId::from_bytes(environment.time_sortable_id());
    [
        Change::Connection(
            sandbox,
            Connection {
                name: "Simulated phones".into(),
                provider: Provider::Sandbox,
                credentials: BTreeMap::new(),
                deleted_at: None,
            },
        ),
        Change::Sender(
            sender,
            Sender {
                channel: Channel::Sms,
                name: "Harbour Books".into(),
                address: "+14155550100".into(),
                connection: Some(sandbox),
                question: Some(OptInQuestion {
                    text: "May we text you about new books, twice a month?".into(),
                    yes: "Yes".into(),
                    no: "No".into(),
                    thanks: Some("Welcome! Reply STOP to leave.".into()),
                    notice,
                }),
                deleted_at: None,
            },
        ),
    ]
}

/// A few invented people, recorded through the API as a shop would; a conversation with one, and pages for all.
async fn people(store: &Arc<dyn Store>, made: &Made, config: &Config) -> Result<Shown, Failure> {
    let app =
        sayso_server::App::new(Arc::clone(store), Environment::system(), config.app_options());
    let local = Local::Here { store: Arc::clone(store), router: app.local_router(), made: None };
    let client = Client::new(local, Some(made.workspace.to_string()));
    let notice_id = NoticeId::from_bytes([1; 16]).to_string();
    let notice = json!({ "id": notice_id, "version": 1, "language": "en" });
    let act = |phone: &str, statement: &str, scope: Value, at: &str| {
        let mut request = json!({
            "phone": phone, "channel": "sms", "statement": statement, "standing": "act",
            "occurred_at": at, "method": "checkbox", "scope": scope,
        });
        if let (Some(fields), "opt_in") = (request.as_object_mut(), statement) {
            fields.insert("notice".to_owned(), notice.clone());
        }
        request
    };
    let topic = json!(format!("topic:{}", made.topic));
    let facts = [
        act("+14155550101", "opt_in", json!("all"), "2026-03-01T09:30:00Z"),
        act("+14155550102", "opt_in", json!("all"), "2026-03-02T10:00:00Z"),
        act("+14155550102", "opt_out", json!("all"), "2026-05-11T18:20:00Z"),
        act("+14155550103", "opt_in", topic, "2026-06-20T12:00:00Z"),
        json!({ "phone": "+14155550104", "channel": "sms", "statement": "opt_in", "standing": "report" }),
    ];
    for fact in facts {
        client.json(hyper::Method::POST, "/v1/consents", Payload::Json(fact)).await?;
    }
    let (sender, topic) = (made.sender.to_string(), made.topic.to_string());
    let workspaces = store.workspaces();
    let workspace = workspaces.get(&made.workspace).context("the demo's workspace is gone")?;
    let ada = Phone::from_digits(14_155_550_101).context("no phone number")?;
    let whose = (made.sender, Environment::system().clock.now());
    let preferences = pages::preferences(workspace, &Address::Phone(ada), whose);
    let names = (sender.as_str(), topic.as_str(), notice_id.as_str());
    let pages = pages::make(&client, names, &preferences).await?;
    let told = conversation::play(&client, &app, &sender).await?;
    Ok(Shown { pages, told })
}

/// Says where everything is.
fn greet(printer: Printer, url: &str, (made, shown): (&Made, &Shown)) {
    let pages = shown.pages.iter().map(|(name, path)| format!("  {name:<11} {url}{path}"));
    let pages: Vec<String> = pages.collect();
    match printer.style() {
        Style::Json => {
            let line = json!({ "url": url, "api_key": made.api_key, "workspace": made.workspace.to_string() });
            printer.line(&line.to_string());
        }
        Style::Text => printer.line(&format!(
            "Sayso is running at {url} with invented people in a temporary directory.\n\n  \
             Reference   {url}/docs\n  API key     {key}\n{pages}\n\nMay we send a marketing SMS to somebody who \
             agreed in March and left in May?\n\n  curl -s {url}/v1/check \\\n    -H \
             'authorization: Bearer {key}' -H 'content-type: application/json' \\\n    -d \
             '{{\"channel\": \"sms\", \"phone\": \"+14155550102\", \"explain\": true}}'\n\nTry \
             +14155550101 for a yes. A conversation by simulated phones has been there already:\n\n{told}\n\n\
             Stop with Ctrl-C; nothing is kept.",
            told = shown.told.join("\n"),
            pages = pages.join("\n"),
            key = made.api_key,
        )),
    }
}
