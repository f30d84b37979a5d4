//! A workspace that has one of everything, and a good call of every operation upon it.
//!
//! What a new operation needs: where its path names a thing, one of that kind in [`World::new`]; where it wants a
//! body or a query, an arm in [`sample`]. A `PUT` sends what `GET` shows, and a `PATCH` nothing, by themselves.

use std::collections::BTreeMap;
use std::fmt;

use axum::body::Body;
use axum::http::Request;
use sayso_core::id::{ImportId, SenderId};
use sayso_core::time::Span;
use sayso_core::workspace::{HeldOf, HeldRefusals, KeyScope, RuntimeFact};
use sayso_server::app::Options;
use sayso_store::environment::Clock;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, plenty};

const PHONE: &str = "+14155552671";
const BY_PHONE: &str = "?phone=%2B14155552671";

/// An operation of the document.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) takes_body: bool,
    /// None: browsers call it.
    pub(super) scope: Option<KeyScope>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) query: String,
    pub(super) media_type: &'static str,
    pub(super) body: String,
}

/// A workspace that has one of everything.
pub(super) struct World {
    pub(super) app: TestApp,
    /// The id of one thing of each kind, by the path of its collection.
    objects: BTreeMap<&'static str, String>,
    notice: Value,
    code: String,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.id, self.method, self.path)
    }
}

impl Operation {
    /// Whether its path names a thing of the workspace, which a stranger does not find. An import has the id
    /// that its caller gives it, and belongs to the workspace of whoever sends its rows.
    pub(super) fn names_an_object(&self) -> bool {
        self.path.contains('{') && !self.path.starts_with("/v1/imports/{id}/")
    }

    /// What ends things goes after what needs them.
    pub(super) fn order(&self) -> u8 {
        match (self.method.as_str(), self.id.as_str()) {
            (_, "erase" | "undo_import") => 3,
            ("DELETE", "unlink_address") => 1,
            ("DELETE", _) => 2,
            _ => 0,
        }
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let mut options = Options::with_rates(plenty());
        options.outside.url = Some("https://consent.example".into());
        let app = TestApp::with_options(options).await;
        let mut world =
            Self { app, objects: BTreeMap::new(), notice: Value::Null, code: String::new() };
        world.configure().await;
        world.people().await;
        world.writes().await;
        let settings = json!({ "audit_look_ups": true });
        world.app.call("PATCH", "/v1/settings", &settings).await;
        world.app.advance(Span::minutes(1));
        world
    }

    async fn make(&mut self, kind: &'static str, sent: &Value) -> Value {
        let made = self.app.post(&format!("/v1/{kind}"), sent).await;
        assert!(made.status.is_success(), "{kind}: {}", made.text);
        let made = made.json();
        let id = made.get("id").or(made.get("site")).and_then(Value::as_str);
        self.objects.insert(kind, id.unwrap_or_else(|| panic!("{kind}: {made}")).to_owned());
        made
    }

    fn id(&self, kind: &str) -> &str {
        &self.objects[kind]
    }

    async fn configure(&mut self) {
        self.notice = self.app.notice(&["processing"]).await;
        self.objects.insert("notices", self.notice["id"].as_str().unwrap().to_owned());
        let connection = json!({ "name": "Marked phones", "provider": "sandbox" });
        self.make("connections", &connection).await;
        let sender = json!({ "channel": "sms", "name": "Marked Books", "address": "12345", "connection": self.id("connections") });
        self.make("senders", &sender).await;
        self.make("topics", &json!({ "name": "Marked offers", "category": "marketing" })).await;
        let sample = |id: &str| sample(id, self).unwrap().1.unwrap();
        let (form, entry, rule) =
            (sample("create_form"), sample("create_entry_point"), sample("create_rule"));
        let (site, key) = (sample("create_site"), sample("create_key"));
        self.make("forms", &form).await;
        self.make("entry-points", &entry).await;
        self.make("rules", &rule).await;
        self.make("sites", &site).await;
        self.make("keys", &key).await;
        let import = self.app.post("/v1/imports", &json!({ "list": "marked list" })).await.json();
        self.objects.insert("imports", import["id"].as_str().unwrap().to_owned());
        let group = ImportId::from_bytes([7; 16]);
        let now = self.app.clock.now();
        let sender = SenderId::parse(self.id("senders")).unwrap();
        let held = HeldRefusals {
            of: HeldOf::Sender(sender),
            since: now,
            opened_at: now,
            confirmed_at: None,
        };
        let fact = RuntimeFact::HeldRefusals(group, held);
        self.app.store.note(self.app.workspace.id, fact).await.unwrap();
        self.objects.insert("reviews/inferred", group.to_string());
    }

    async fn people(&mut self) {
        let now = self.app.now();
        let consent = json!({
            "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "act",
            "occurred_at": now, "method": "marked checkbox", "notice": self.notice,
            "evidence": { "page": "https://shop.example/marked-page" },
        });
        let recorded = self.app.post("/v1/consents", &consent).await.json();
        let event = recorded["event"]["id"].as_str().unwrap_or_else(|| panic!("{recorded}"));
        self.objects.insert("events", event.to_owned());
        let person = json!({
            "phone": PHONE, "email": "marked@example.org", "external_id": "marked-id",
            "attributes": { "first_name": "Marked Ada" },
        });
        self.make("profiles", &person).await;
        self.app.post("/v1/consents", &json!({ "phone": "marked reject" })).await;
    }

    async fn writes(&mut self) {
        let asked = sample("ask_double_opt_in", self).unwrap().1.unwrap();
        self.make("double-opt-ins", &asked).await;
        let message = sample("send_message", self).unwrap().1.unwrap();
        self.make("messages", &message).await;
        self.app.send_due().await;
        let phone = self.app.get(&format!("/v1/sandbox/phone{BY_PHONE}")).await.text;
        let is_code = |word: &&str| word.len() == 6;
        let mut words = phone.split(|letter: char| !letter.is_ascii_alphanumeric());
        let code = words
            .find(|word| is_code(word) && word.bytes().all(|byte| byte.is_ascii_digit()))
            .unwrap_or_else(|| panic!("no code: {phone}"));
        code.clone_into(&mut self.code);
        let unclear = json!({ "sender": self.id("senders"), "text": "why do I get these" });
        let path = format!("/v1/sandbox/phone/messages{BY_PHONE}");
        let heard = self.app.post(&path, &unclear).await;
        assert_eq!(heard.json()["reading"], "unclear", "{}", heard.text);
        let reviews = self.app.get("/v1/reviews?channel=sms").await.json();
        let review = reviews["reviews"][0]["id"].as_str().unwrap().to_owned();
        self.objects.insert("reviews", review);
    }

    /// What shows that an answer is about this workspace: its ids and words that nobody else has.
    pub(super) fn marks(&self) -> impl Iterator<Item = &str> {
        let words = ["Marked", "marked", "Yes, write to me.", "why do I get these"];
        words.into_iter().chain(self.objects.values().map(String::as_str))
    }

    /// A good call of an operation.
    pub(super) async fn call(&self, operation: &Operation) -> Call {
        let path = self.filled(operation);
        let (query, body) = sample(&operation.id, self).unwrap_or_default();
        let by_itself = match (&body, operation.method.as_str()) {
            (None, "PUT") => {
                let shown = self.app.get(&format!("{path}{query}")).await;
                assert!(shown.status.is_success(), "{operation}: GET says {}", shown.text);
                Some(without_state(shown.json()))
            }
            (None, "PATCH") => Some(json!({})),
            (None, _) if operation.takes_body => {
                panic!("{operation} takes a body: add one to `sample` in every_operation/world.rs")
            }
            (Some(_) | None, _) => None,
        };
        let media_type = match operation.id.as_str() {
            "record_consents" | "import_rows" => "application/x-ndjson",
            _ if operation.method == "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let body = body.or(by_itself).map(|body| body.to_string()).unwrap_or_default();
        Call { path, query: query.to_owned(), media_type, body }
    }

    fn filled(&self, operation: &Operation) -> String {
        let Some((collection, rest)) = operation.path.split_once("/{") else {
            return operation.path.clone();
        };
        let kind = collection.strip_prefix("/v1/").unwrap_or(collection);
        let id = self.objects.get(kind).unwrap_or_else(|| {
            panic!("{operation} names one of {kind}: make one in `World::new` in every_operation/world.rs")
        });
        let (_, after) = rest.split_once('}').unwrap();
        assert!(!after.contains('{'), "{operation} names two things: teach `filled` how");
        format!("{collection}/{id}{after}")
    }

    /// Everything that the workspace is shown of itself: what every reading operation answers, without what the
    /// reading itself adds.
    pub(super) async fn everything(&self) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::new();
        for operation in super::operations() {
            let adds = ["list_look_ups", "capture_forms"];
            // What a wrong call leaves among the rejects of the workspace is no change of anything in it.
            if operation.method != "GET" || adds.contains(&operation.id.as_str()) {
                continue;
            }
            let call = self.call(&operation).await;
            let answer = self.read(&call).await;
            assert!(answer.status.is_success(), "{operation}: {}", answer.text);
            shown.insert(operation.id, answer.text);
        }
        shown
    }

    async fn read(&self, call: &Call) -> Answer {
        let uri = format!("{}{}", call.path, call.query);
        let request = Request::get(uri).header("authorization", format!("Bearer {}", self.app.key));
        self.app.send(request.body(Body::empty()).unwrap()).await
    }
}

/// A thing as it is shown, without what only the server says of it.
fn without_state(mut shown: Value) -> Value {
    let members = shown.as_object_mut().unwrap();
    for name in ["messages", "acknowledgement"] {
        members.remove(name);
    }
    shown
}

/// The query and the body of an operation that needs any.
#[expect(clippy::too_many_lines, reason = "a table of all operations")]
fn sample(operation: &str, world: &World) -> Option<(&'static str, Option<Value>)> {
    let id = |kind: &str| world.objects.get(kind).cloned().unwrap_or_default();
    let about = |more: Value| {
        let mut body = json!({ "phone": PHONE });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(body)
    };
    let words = json!({ "id": id("notices"), "version": 1 });
    let by_phone = (BY_PHONE, None);
    let with = |body: Value| ("", Some(body));
    Some(match operation {
        "find_profile" | "list_events" | "list_messages" | "get_sandbox_phone" => by_phone,
        "list_reviews" => ("?channel=sms", None),
        "list_audience" => ("?channel=sms&explain=true", None),
        "check" => (
            "",
            about(
                json!({ "channel": "sms", "sender": id("senders"), "topic": id("topics"), "explain": true }),
            ),
        ),
        "check_batch" => with(json!({ "channel": "sms", "to": [PHONE], "sender": id("senders") })),
        "create_connection" => with(json!({ "name": "More phones", "provider": "sandbox" })),
        "create_sender" => with(json!({ "channel": "sms", "name": "More", "address": "54321" })),
        "pause_sender" | "resume_sender" => with(json!({ "reason": "a test" })),
        "create_topic" => with(json!({ "name": "More offers", "category": "marketing" })),
        "create_notice" => with(json!({ "name": "More words" })),
        "retract_span" => with(
            json!({ "source": "shop", "from": "2026-11-21T10:00:00Z", "until": "2026-11-21T10:05:00Z" }),
        ),
        "publish_notice" => with(
            json!({ "version": 2, "language": "en", "text": "Yes.", "names": [{ "channel": "sms" }] }),
        ),
        "create_form" => with(
            json!({ "name": "Footer", "business": "Marked Books", "channels": ["sms"], "notice": id("notices") }),
        ),
        "create_entry_point" => with(
            json!({ "name": "Marked poster", "business": "Marked Books", "sender": id("senders"), "topics": [id("topics")], "notice": words }),
        ),
        "create_rule" => with(
            json!({ "channel": "sms", "is": "marked", "does": "opt_out", "sender": id("senders") }),
        ),
        "dry_run_rules" => {
            with(json!({ "channel": "sms", "sender": id("senders"), "text": "marked" }))
        }
        "create_site" => {
            with(json!({ "name": "marked-site", "origins": ["https://shop.example"] }))
        }
        "create_key" => with(json!({ "name": "marked-key", "scopes": ["check"] })),
        "rotate_link_keys" | "undo_import" => with(json!({})),
        "lint_offer" => with(json!({ "channels": ["sms"], "text": "Yes" })),
        "record_consent" | "record_consents" => (
            "",
            about(
                json!({ "channel": "sms", "statement": "opt_in", "standing": "report", "scope": format!("topic:{}", id("topics")) }),
            ),
        ),
        "ask_double_opt_in" => {
            ("", about(json!({ "channel": "sms", "method": "checkbox", "notice": world.notice })))
        }
        "answer_double_opt_in" => with(json!({ "code": world.code })),
        "upsert_profile" => ("", about(json!({ "attributes": { "city": "London" } }))),
        "link_address" | "unlink_address" => with(json!({ "email": "marked@example.org" })),
        "retract_event" | "erase" => ("", about(json!({ "reason": "a test" }))),
        "switch_suppression" => ("", about(json!({ "blocked": true, "sender": id("senders") }))),
        "begin_import" => with(json!({ "list": "another list" })),
        "import_rows" => (
            "?list=another",
            Some(
                json!({ "line": 1, "phone": "+14155552672", "channel": "sms", "statement": "opt_out" }),
            ),
        ),
        "send_message" => with(
            json!({ "to": PHONE, "channel": "sms", "sender": id("senders"), "category": "utility", "text": "Marked order." }),
        ),
        "make_preference_links" => {
            ("", about(json!({ "channel": "sms", "sender": id("senders") })))
        }
        "decide_review" => ("", about(json!({ "decision": "nothing" }))),
        "decide_inferred_refusals" => with(json!({ "decision": "confirm" })),
        "put_sandbox_phone" => (BY_PHONE, Some(json!({ "behavior": "delivers" }))),
        "write_from_sandbox_phone" => {
            (BY_PHONE, Some(json!({ "sender": id("senders"), "text": "Hello" })))
        }
        _ => return None,
    })
}
