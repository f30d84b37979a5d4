//! A business with one of everything that people see, in every language: a form, a page before a chat, and a
//! person with links of their own for each language.

use std::path::Path;
use std::process::Child;

use fantoccini::Client;
use hyper::Method;
use serde_json::{Value, json};

use super::{open_browser, sent};
use crate::http::Http;
use crate::running::{Running, sayso_json};

/// The languages of the pages, each with the words of its notice and what its form is called.
pub(super) const LANGUAGES: [(&str, &str, &str); 4] = [
    (
        "en",
        "Offers before others",
        "Yes, Harbour Shop may send me offers by WhatsApp and email, at most twice a month. I can stop at any time by replying STOP.",
    ),
    (
        "tr",
        "Fırsatlar önce size",
        "Evet, Harbour Shop bana ayda en çok iki kez WhatsApp ve e-posta ile fırsat gönderebilir. İstediğim zaman STOP yazarak durdurabilirim.",
    ),
    (
        "hi",
        "ऑफ़र सबसे पहले आपको",
        "हाँ, Harbour Shop मुझे महीने में ज़्यादा से ज़्यादा दो बार WhatsApp और ईमेल से ऑफ़र भेज सकता है। मैं STOP लिखकर कभी भी रोक सकता हूँ।",
    ),
    (
        "ar",
        "العروض لك أولاً",
        "نعم، يمكن لـ Harbour Shop أن يرسل إليّ عروضًا عبر WhatsApp والبريد الإلكتروني، مرتين في الشهر على الأكثر. يمكنني التوقف في أي وقت بالرد بكلمة STOP.",
    ),
];

/// The business, and a browser before its pages.
pub(super) struct Showroom {
    pub(super) browser: Client,
    pub(super) http: Http,
    /// `http://127.0.0.1:1234`.
    pub(super) server: String,
    /// The id of the form, and of one that was deleted.
    pub(super) form: String,
    pub(super) closed: String,
    /// The code of the entry point, and its id.
    pub(super) code: String,
    pub(super) entry: String,
    /// The ids of its topics.
    pub(super) topics: Vec<String>,
    notice: String,
    driver: Child,
    _server: Running,
    _data: tempfile::TempDir,
}

impl Showroom {
    pub(super) async fn open() -> Self {
        let data = tempfile::tempdir().unwrap();
        sayso_json(data.path(), &["workspaces", "create", "Harbour Shop", "--test"]);
        let scopes =
            ["write", "read", "check", "configure", "send", "links"].map(|it| ["--scope", it]);
        let scopes = scopes.concat();
        let key = [&["keys", "create", "shop", "--highest-standing", "act"], &scopes[..]].concat();
        let key = sayso_json(data.path(), &key);
        // Links can only be sent by who knows where they lead.
        let outside = [("SAYSO_SERVER__PUBLIC_URL", Path::new("https://consent.shop.example"))];
        let running = Running::serve_with(data.path(), &[], &outside);
        let mut http =
            Http::connect(&running.address, key["secret"].as_str().unwrap()).await.unwrap();
        let sender = senders(&mut http).await;
        let topics = topics(&mut http).await;
        let notice = notice(&mut http).await;
        let form = form(&notice);
        let closed = make(&mut http, "/v1/forms", &form).await;
        let form = make(&mut http, "/v1/forms", &form).await;
        let deleted = http.must(Method::DELETE, &format!("/v1/forms/{closed}"), None).await;
        assert!(deleted.status < 300, "{deleted:?}");
        let entry = json!({
            "name": "Poster", "sender": sender, "business": "Harbour Shop", "topics": topics[..2],
            "notice": { "id": notice, "version": 1 }, "prefill": "Hello, I saw your poster",
        });
        let entry = post(&mut http, "/v1/entry-points", &entry).await;
        let (code, entry) = (word(&entry, "code"), word(&entry, "id"));
        let server = format!("http://{}", running.address);
        let (driver, browser) = open_browser(&[], json!({})).await;
        Self {
            browser,
            http,
            server,
            form,
            closed,
            code,
            entry,
            notice,
            topics,
            driver,
            _server: running,
            _data: data,
        }
    }

    /// A person who agreed to everything, and their links: the preference centre and the one click.
    pub(super) async fn person(&mut self, phone: &str) -> (String, String) {
        for topic in self.topics.clone() {
            let yes = json!({
                "phone": phone, "channel": "whatsapp", "scope": format!("topic:{topic}"),
                "statement": "opt_in", "standing": "act", "method": "checkbox",
                "occurred_at": "2026-01-01T00:00:00Z",
                "notice": { "id": self.notice, "version": 1, "language": "en" },
                "evidence": { "page": "https://shop.example/checkout" },
            });
            post(&mut self.http, "/v1/consents", &yes).await;
        }
        let about = ("whatsapp", &*self.topics[0].clone());
        let (preferences, one_click) = sent::links(&mut self.http, phone, about).await;
        (format!("{}{preferences}", self.server), format!("{}{one_click}", self.server))
    }

    /// The id of a form that asks the address for a code.
    pub(super) async fn form_by_code(&mut self) -> String {
        let mut form = form(&self.notice);
        form["channels"] = json!(["email"]);
        form["fields"] = json!([{ "kind": "email" }]);
        form["double_opt_in"] = json!("code");
        make(&mut self.http, "/v1/forms", &form).await
    }

    /// The link by which an email address is to confirm that it agreed.
    pub(super) async fn question(&mut self, email: &str, language: &str) -> String {
        let ask = json!({
            "email": email, "channel": "email", "by": "link", "method": "checkbox",
            "notice": { "id": self.notice, "version": 1, "language": language },
        });
        let asked = self.http.must(Method::POST, "/v1/double-opt-ins", Some(&ask)).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        let phone = format!("/v1/sandbox/phone?email={}", email.replace('@', "%40"));
        let phone = self.http.must(Method::GET, &phone, None).await.body;
        let text = word(&phone["messages"][0], "text");
        format!("{}{}", self.server, text.split_once("shop.example").unwrap().1)
    }

    pub(super) async fn end(self) {
        self.browser.clone().close().await.unwrap();
    }
}

impl Drop for Showroom {
    fn drop(&mut self) {
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn word(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field}: {value}")).to_owned()
}

async fn post(http: &mut Http, path: &str, body: &Value) -> Value {
    let answer = http.must(Method::POST, path, Some(body)).await;
    assert_eq!(answer.status, 201, "{path}: {answer:?}");
    answer.body
}

/// Makes one, and gives its id.
async fn make(http: &mut Http, path: &str, body: &Value) -> String {
    word(&post(http, path, body).await, "id")
}

/// A sender for each channel; the id of the first, which chats.
async fn senders(http: &mut Http) -> String {
    let connection = json!({ "name": "Phones", "provider": "sandbox" });
    let connection = make(http, "/v1/connections", &connection).await;
    let mut ids = Vec::new();
    for (channel, address) in [("whatsapp", "+15550100900"), ("sms", "+14155550100")] {
        let sender = json!({
            "channel": channel, "name": "Harbour Shop", "address": address, "connection": connection,
        });
        ids.push(make(http, "/v1/senders", &sender).await);
    }
    ids.remove(0)
}

async fn topics(http: &mut Http) -> Vec<String> {
    let mut ids = Vec::new();
    let topics = [
        ("Weekly offers", "marketing"),
        ("New arrivals", "marketing"),
        ("Order updates", "utility"),
    ];
    for (name, category) in topics {
        let topic = json!({ "name": name, "category": category });
        ids.push(make(http, "/v1/topics", &topic).await);
    }
    ids
}

async fn notice(http: &mut Http) -> String {
    let id = make(http, "/v1/notices", &json!({ "name": "Offers" })).await;
    for (language, _, text) in LANGUAGES {
        let version = json!({
            "version": 1, "language": language, "text": text,
            "names": [{ "channel": "whatsapp" }, { "channel": "email" }],
        });
        post(http, &format!("/v1/notices/{id}/versions"), &version).await;
    }
    id
}

fn form(notice: &str) -> Value {
    let others =
        LANGUAGES[1..].iter().map(|(tag, title, _)| ((*tag).to_owned(), json!({ "title": title })));
    json!({
        "name": "Footer", "business": "Harbour Shop", "channels": ["whatsapp", "email"],
        "notice": notice, "title": LANGUAGES[0].1,
        "languages": others.collect::<serde_json::Map<_, _>>(),
        "fields": [
            { "kind": "phone", "countries": ["TR", "IN", "EG", "US"] }, { "kind": "email" },
            { "kind": "name" },
        ],
    })
}
