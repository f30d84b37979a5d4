//! Refusals raced against sends, over the real binary: nothing is handed over after a refusal that was
//! answered (rule 28), however it came in; and a kill leaves every message in one final state.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::http::Http;
use crate::running::{Running, sayso_json};

/// Messages, each raced by one refusal of its person, unless `SAYSO_TEST_RACED_PAIRS` says otherwise.
const PAIRS: u64 = 20_000;
/// Connections that send, and that refuse on each road.
const SENDERS: u64 = 6;
const REFUSERS: u64 = 3;
/// How far one side may be ahead of the other, in people.
const LEAD: u64 = 4;
/// Messages of the run that is killed.
const KILLED: u64 = 3_000;

/// A server with a sender by simulated phones, and a site.
struct Shop {
    directory: tempfile::TempDir,
    key: String,
    sender: String,
    site: String,
}

fn phone(n: u64) -> String {
    format!("+1415{}", 5_550_000 + n)
}

fn now_us() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

/// A time of an answer, in microseconds.
fn micros(time: &Value) -> u64 {
    let time = sayso_core::time::Timestamp::parse(time.as_str().unwrap()).unwrap();
    u64::try_from(time.as_micros()).unwrap()
}

impl Shop {
    async fn open() -> (Self, Running) {
        let directory = tempfile::tempdir().unwrap();
        let limits = "[log]\nlevel = \"error\"\n[limits]\nkey_requests = 1000000\nnetwork_requests = \
                      1000000\naddress_requests = 1000000\nworkspace_events = 1000000\n";
        std::fs::write(directory.path().join("sayso.toml"), limits).unwrap();
        let data = directory.path().join("data");
        sayso_json(&data, &["workspaces", "create", "Shop", "--test"]);
        let scopes = ["write", "read", "check", "configure", "send"];
        let scopes = scopes.map(|scope| ["--scope", scope]).concat();
        let made = [&["keys", "create", "shop", "--highest-standing", "act"], &scopes[..]].concat();
        let key = sayso_json(&data, &made)["secret"].as_str().unwrap().to_owned();
        let mut shop = Self { directory, key, sender: String::new(), site: String::new() };
        let running = shop.serve();
        let mut http = shop.connect(&running).await;
        let mut make = async |path: &str, body: Value, field: &str| {
            let made = http.must(Method::POST, path, Some(&body)).await;
            assert_eq!(made.status, 201, "{made:?}");
            made.body[field].as_str().unwrap().to_owned()
        };
        let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
        let connection = make("/v1/connections", connection, "id").await;
        let sender = json!({ "channel": "sms", "name": "Shop", "address": "12345", "connection": connection });
        shop.sender = make("/v1/senders", sender, "id").await;
        let site = json!({ "name": "shop", "origins": ["https://shop.example"] });
        shop.site = make("/v1/sites", site, "site").await;
        (shop, running)
    }

    fn serve(&self) -> Running {
        let config = self.directory.path().join("sayso.toml");
        let data = self.directory.path().join("data");
        Running::serve_with(&data, &["--config", config.to_str().unwrap()], &[])
    }

    async fn connect(&self, running: &Running) -> Http {
        Http::connect(&running.address, &self.key).await.unwrap()
    }

    /// Everybody agrees.
    async fn agree(&self, http: &mut Http, people: u64) {
        for n in 0..people {
            let yes = json!({ "phone": phone(n), "channel": "sms", "statement": "opt_in", "standing": "report" });
            assert_eq!(http.must(Method::POST, "/v1/consents", Some(&yes)).await.status, 201);
        }
    }

    /// Every message there is.
    async fn messages(&self, http: &mut Http) -> Vec<Value> {
        let (mut all, mut path) = (Vec::new(), "/v1/messages?limit=500".to_owned());
        loop {
            let page = http.must(Method::GET, &path, None).await.body;
            all.extend(page["messages"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => path = format!("/v1/messages?limit=500&cursor={next}"),
                None => return all,
            }
        }
    }

    /// Waits until no message waits.
    async fn drain(&self, http: &mut Http) {
        for state in ["queued", "claimed"] {
            let path = format!("/v1/messages?limit=1&state={state}");
            let bound = std::time::Duration::from_mins(2);
            let drained = async {
                while http.must(Method::GET, &path, None).await.body["messages"] != json!([]) {}
            };
            tokio::time::timeout(bound, drained).await.unwrap();
        }
    }
}

/// How far each side has come, so that neither runs away from the other.
#[derive(Debug, Default)]
struct Pace {
    sent: AtomicU64,
    refused: AtomicU64,
    moved: Notify,
}

impl Pace {
    /// Counts one of `mine`, and waits while it is too far ahead of the other side.
    async fn step(&self, mine: &AtomicU64, other: &AtomicU64) {
        let done = mine.fetch_add(1, Ordering::SeqCst) + 1;
        self.moved.notify_waiters();
        loop {
            let moved = self.moved.notified();
            if other.load(Ordering::SeqCst) + LEAD >= done {
                return;
            }
            moved.await;
        }
    }
}

/// How a person refuses.
#[derive(Clone, Copy, Debug)]
enum Way {
    Api,
    Words,
    Tag,
}

impl Way {
    /// Which way a person refuses; few by the tag, whose answers take their time (rule 23).
    const fn of(n: u64) -> Self {
        match n % 16 {
            0 => Self::Tag,
            1..=8 => Self::Api,
            _ => Self::Words,
        }
    }
}

/// Refuses for a person, and gives when that was answered.
async fn refuse(http: &mut Http, n: u64, sender: &str, site: &str) -> u64 {
    let phone = phone(n);
    let (path, body, status) = match Way::of(n) {
        Way::Api => {
            let no = json!({ "phone": phone, "channel": "sms", "statement": "opt_out", "standing": "report" });
            ("/v1/consents".to_owned(), no, 201)
        }
        Way::Words => {
            let path = format!("/v1/sandbox/phone/messages?phone={}", phone.replace('+', "%2B"));
            (path, json!({ "sender": sender, "text": "STOP" }), 201)
        }
        Way::Tag => {
            let user = json!({ "phone_number": phone, "sms_optin": false });
            ("/capture/tag".to_owned(), json!({ "site": site, "user": user }), 200)
        }
    };
    let answer = http.must(Method::POST, &path, Some(&body)).await;
    let answered = now_us();
    assert_eq!(answer.status, status, "{answer:?}");
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_handed_over_after_an_answered_refusal() {
    let pairs = std::env::var("SAYSO_TEST_RACED_PAIRS").ok();
    let pairs: u64 = pairs.and_then(|text| text.parse().ok()).unwrap_or(PAIRS);
    let (shop, running) = Shop::open().await;
    let mut http = shop.connect(&running).await;
    shop.agree(&mut http, pairs).await;
    let pace = Arc::new(Pace::default());
    let mut sending = JoinSet::new();
    for part in 0..SENDERS {
        let (mut http, pace) = (shop.connect(&running).await, Arc::clone(&pace));
        sending.spawn(async move {
            let mut taken = 0_u64;
            for n in (part..pairs).step_by(usize::try_from(SENDERS).unwrap()) {
                // So many refusals rest a sender, from marketing alone.
                let hello = json!({ "to": phone(n), "channel": "sms", "category": "utility", "text": "Hello" });
                let answer = http.must(Method::POST, "/v1/messages", Some(&hello)).await;
                assert!(matches!(answer.status, 202 | 409), "{answer:?}");
                taken += u64::from(answer.status == 202);
                pace.step(&pace.sent, &pace.refused).await;
            }
            taken
        });
    }
    let mut refusing = JoinSet::new();
    for part in 0..REFUSERS {
        let (mut http, pace) = (shop.connect(&running).await, Arc::clone(&pace));
        http.origin("https://shop.example");
        let (sender, site) = (shop.sender.clone(), shop.site.clone());
        refusing.spawn(async move {
            let mut answered = BTreeMap::new();
            for n in (part..pairs).step_by(usize::try_from(REFUSERS).unwrap()) {
                answered.insert(phone(n), refuse(&mut http, n, &sender, &site).await);
                pace.step(&pace.refused, &pace.sent).await;
            }
            answered
        });
    }
    let answered: BTreeMap<String, u64> = refusing.join_all().await.into_iter().flatten().collect();
    let taken: u64 = sending.join_all().await.into_iter().sum();
    shop.drain(&mut http).await;
    let messages = shop.messages(&mut http).await;
    let (mut states, mut late) = (BTreeMap::new(), Vec::new());
    // Confirmations of refusals go after them, as they may.
    for message in messages.iter().filter(|message| message["category"] == "utility") {
        *states.entry(message["state"].as_str().unwrap().to_owned()).or_insert(0_u64) += 1;
        let to = message["to"]["phone"].as_str().unwrap();
        if message["began_at"].is_string() && micros(&message["began_at"]) > answered[to] {
            late.push(to.to_owned());
        }
    }
    assert_eq!(late, Vec::<String>::new(), "{states:?}");
    assert_eq!(states.values().sum::<u64>(), taken, "{states:?}");
    // A race in which one side always wins shows nothing.
    assert!(
        states["delivered"] > 0 && (states.contains_key("refused") || taken < pairs),
        "{states:?}"
    );
    assert!(running.stop());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_leaves_every_message_in_one_final_state() {
    let (shop, running) = Shop::open().await;
    let mut http = shop.connect(&running).await;
    shop.agree(&mut http, 100).await;
    let mut sending = JoinSet::new();
    let bell = Arc::new(Notify::new());
    let count = Arc::new(AtomicU64::new(0));
    for part in 0..SENDERS {
        let mut http = shop.connect(&running).await;
        let (bell, count) = (Arc::clone(&bell), Arc::clone(&count));
        sending.spawn(async move {
            let mut taken = Vec::new();
            for n in (part..).step_by(usize::try_from(SENDERS).unwrap()) {
                let hello = json!({ "to": phone(n % 100), "channel": "sms", "category": "utility", "text": "Hello" });
                let Some(answer) = http.ask(Method::POST, "/v1/messages", Some(&hello)).await
                else {
                    break;
                };
                assert_eq!(answer.status, 202, "{answer:?}");
                taken.push(answer.body["id"].as_str().unwrap().to_owned());
                if count.fetch_add(1, Ordering::SeqCst) + 1 == KILLED {
                    bell.notify_one();
                }
            }
            taken
        });
    }
    bell.notified().await;
    running.kill();
    let taken: Vec<String> = sending.join_all().await.into_iter().flatten().collect();
    let running = shop.serve();
    let mut http = shop.connect(&running).await;
    shop.drain(&mut http).await;
    let messages = shop.messages(&mut http).await;
    let states: BTreeMap<&str, &str> = messages
        .iter()
        .map(|message| (message["id"].as_str().unwrap(), message["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states.len(), messages.len(), "one state each");
    for id in &taken {
        let state = states.get(id.as_str()).unwrap_or_else(|| panic!("{id} is lost"));
        let is_final = ["delivered", "sent", "handed_over", "unknown"].contains(state);
        assert!(is_final, "{id} is {state}");
    }
    assert!(running.stop());
    assert!(Path::new(&shop.directory.path().join("data")).exists());
}
