//! A store that fails: every operation says so with the documented problem, and the gate never
//! allows what it could not read (rule 27).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use sayso_core::id::{ImportId, SenderId};
use sayso_core::time::Timestamp;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{HeldOf, HeldRefusals, KeyScope, RuntimeFact};
use serde_json::{Value, json};

use crate::support::faulty::{Fault, FaultyStore, INNER};
use crate::support::{Answer, TestApp, act};

const ADA: &str = "+14155552671";
const HELD: &str = "+14155552674";
const BOB: &str = "+14155552672";
const IMPORT: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";
const LINES: &str = "application/x-ndjson";

/// Operations that are answered from the configuration in memory, or that store nothing.
const WITHOUT_STORE: &[&str] = &[
    "get /capture/forms",
    "get /v1/connections",
    "get /v1/connections/{id}",
    "get /v1/entry-points",
    "get /v1/entry-points/{id}/code",
    "get /v1/entry-points/{id}/qr.png",
    "get /v1/entry-points/{id}/qr.svg",
    "get /v1/entry-points/{id}/sheet.svg",
    "get /v1/forms",
    "get /v1/forms/{id}",
    "get /v1/forms/{id}/code",
    "get /v1/keys",
    "get /v1/keys/{id}",
    "get /v1/link-keys",
    "get /v1/notices",
    "get /v1/notices/{id}",
    "get /v1/policies",
    "get /v1/sandbox/phone",
    "get /v1/rules",
    "get /v1/rules/{id}",
    "get /v1/senders",
    "get /v1/senders/{id}",
    "get /v1/settings",
    "get /v1/sites",
    "get /v1/sites/{site}",
    "get /v1/topics",
    "get /v1/topics/{id}",
    "post /v1/policies/lint",
    "post /v1/rules/dry-run",
    "post /v1/imports",
    "post /v1/preference-links",
    "put /v1/sandbox/phone",
];

/// A request, and the operation of the document that it is.
struct Asking {
    operation: &'static str,
    path: String,
    media_type: &'static str,
    body: String,
}

impl Asking {
    async fn send(&self, app: &TestApp) -> Answer {
        let method = self.operation.split(' ').next().unwrap().to_uppercase();
        let request = app
            .request(&method, &self.path)
            .header("content-type", self.media_type)
            .header("origin", "https://shop.example");
        app.send(request.body(Body::from(self.body.clone())).unwrap()).await
    }
}

fn ask(operation: &'static str, body: &Value) -> Asking {
    let path = operation.split(' ').nth(1).unwrap().to_owned();
    Asking { operation, path, media_type: "application/json", body: body.to_string() }
}

fn ask_of(operation: &'static str, id: &str, body: &Value) -> Asking {
    let mut asking = ask(operation, body);
    asking.path = asking.path.replace("{id}", id).replace("{site}", id);
    asking
}

fn ask_lines(operation: &'static str, path: &str, lines: &[Value]) -> Asking {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let path = path.to_owned();
    Asking { operation, path, media_type: LINES, body: lines.join("\n") }
}

fn read(operation: &'static str, path: &str) -> Asking {
    Asking { path: path.to_owned(), body: String::new(), ..ask(operation, &Value::Null) }
}

fn id_of(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

/// A request for every operation on forms, on messages, what carries them, and what leads to them.
async fn sending_requests(app: &TestApp) -> Vec<Asking> {
    // While no sender is connected: the simulated phone has the code at once.
    let mut requests = double_opt_in_requests(app).await;
    let connection = json!({ "name": "c", "provider": "sandbox" });
    let connection_id = id_of(&app.post("/v1/connections", &connection).await.json());
    let sending =
        json!({ "channel": "sms", "name": "s", "address": "54321", "connection": connection_id });
    let sending_id = id_of(&app.post("/v1/senders", &sending).await.json());
    let message = json!({ "to": "+14155552673", "channel": "sms", "sender": sending_id, "category": "utility", "require_opt_in": false, "text": "Hello" });
    let message_id = id_of(&app.post("/v1/messages", &message).await.json());
    let hold = json!({ "phone": HELD, "channel": "sms", "statement": "hold", "standing": "act", "method": "phone call", "occurred_at": "2026-11-20T10:00:00Z" });
    let held = id_of(&app.post("/v1/consents", &hold).await.json()["event"]);
    requests.extend(entry_requests(app).await);
    requests.extend(form_requests(app).await);
    requests.extend([
        ask("post /v1/messages", &message),
        read("get /v1/messages", "/v1/messages"),
        read("get /v1/messages/{id}", &format!("/v1/messages/{message_id}")),
        Asking {
            path: "/v1/sandbox/phone/messages?phone=%2B14155552673".to_owned(),
            ..ask(
                "post /v1/sandbox/phone/messages",
                &json!({ "sender": sending_id, "text": "STOP" }),
            )
        },
        read("get /v1/reviews", "/v1/reviews?channel=sms"),
        ask_of(
            "post /v1/reviews/{id}/decision",
            &held,
            &json!({ "phone": HELD, "decision": "nothing" }),
        ),
        read("get /v1/reviews/inferred", "/v1/reviews/inferred"),
        ask_of(
            "post /v1/reviews/inferred/{id}/decision",
            &held_together(app).await,
            &json!({ "decision": "retract" }),
        ),
        ask("post /v1/link-keys", &json!({})),
        ask("post /v1/connections", &connection),
        ask_of("put /v1/connections/{id}", &connection_id, &json!({ "name": "d" })),
        ask_of("patch /v1/connections/{id}", &connection_id, &json!({ "name": "e" })),
        ask_of("delete /v1/connections/{id}", &connection_id, &json!({})),
    ]);
    requests
}

/// What an entry point is made of.
async fn entry_point(app: &TestApp) -> Value {
    let sender = json!({ "channel": "sms", "name": "e", "address": "54322" });
    let sender_id = id_of(&app.post("/v1/senders", &sender).await.json());
    let notice = app.notice(&[]).await;
    json!({ "name": "e", "sender": sender_id, "notice": { "id": notice["id"], "version": 1 } })
}

/// A request for every operation on entry points that needs the store.
async fn entry_requests(app: &TestApp) -> Vec<Asking> {
    let entry = entry_point(app).await;
    let id = id_of(&app.post("/v1/entry-points", &entry).await.json());
    let mut other = entry.clone();
    other["name"] = json!("f");
    vec![
        ask("post /v1/entry-points", &entry),
        ask_of("get /v1/entry-points/{id}", &id, &json!({})),
        ask_of("put /v1/entry-points/{id}", &id, &other),
        ask_of("patch /v1/entry-points/{id}", &id, &json!({ "name": "g" })),
        ask_of("delete /v1/entry-points/{id}", &id, &json!({})),
    ]
}

/// A form that has all it needs.
async fn form(app: &TestApp) -> Value {
    let notice = app.notice(&[]).await;
    json!({ "name": "f", "business": "Shop", "channels": ["sms"], "notice": notice["id"] })
}

/// A request for every operation on forms.
async fn form_requests(app: &TestApp) -> Vec<Asking> {
    let form = form(app).await;
    let id = id_of(&app.post("/v1/forms", &form).await.json());
    let mut changed = form.clone();
    changed["title"] = json!("Offers");
    vec![
        ask("post /v1/forms", &form),
        ask_of("put /v1/forms/{id}", &id, &changed),
        ask_of("patch /v1/forms/{id}", &id, &json!({ "title": "News" })),
        ask_of("delete /v1/forms/{id}", &id, &json!({})),
    ]
}

/// A request for every operation on double opt-ins: one person is asked, another answers.
async fn double_opt_in_requests(app: &TestApp) -> Vec<Asking> {
    let notice = app.notice(&[]).await;
    let asks = |phone: &str| json!({ "phone": phone, "channel": "sms", "method": "checkbox", "notice": notice });
    let asked = id_of(&app.post("/v1/double-opt-ins", &asks("+14155552675")).await.json());
    let phone = app.get("/v1/sandbox/phone?phone=%2B14155552675").await.json();
    let text = phone["messages"][0]["text"].as_str().unwrap().to_owned();
    let mut words = text.split(|it: char| !it.is_ascii_digit());
    let code = words.find(|word| word.len() == 6).unwrap();
    vec![
        ask("post /v1/double-opt-ins", &asks("+14155552676")),
        ask_of("post /v1/double-opt-ins/{id}/answer", &asked, &json!({ "code": code })),
    ]
}

/// A group of inferred refusals.
async fn held_together(app: &TestApp) -> String {
    let id = ImportId::from_bytes([7; 16]);
    let at = Timestamp::parse("2026-11-21T00:00:00Z").unwrap();
    let sender = SenderId::from_bytes([8; 16]);
    let held =
        HeldRefusals { of: HeldOf::Sender(sender), since: at, opened_at: at, confirmed_at: None };
    let fact = RuntimeFact::HeldRefusals(id, held);
    app.store.note(app.workspace.id, fact).await.unwrap();
    id.to_string()
}

/// A request for every operation that needs the store. In this order each of them is done.
#[expect(clippy::too_many_lines, reason = "a list of all operations")]
async fn every_request(app: &TestApp) -> Vec<Asking> {
    let named = |name: &str| json!({ "name": name });
    let sender = json!({ "channel": "sms", "name": "s", "address": "12345" });
    let topic = json!({ "name": "t", "category": "utility" });
    let sender_id = id_of(&app.post("/v1/senders", &sender).await.json());
    let topic_id = id_of(&app.post("/v1/topics", &topic).await.json());
    let rule = json!({ "channel": "sms", "is": "deals", "does": "opt_out" });
    let rule_id = id_of(&app.post("/v1/rules", &rule).await.json());
    let notice_id = id_of(&app.post("/v1/notices", &named("n")).await.json());
    let site = app.site().await["site"].as_str().unwrap().to_owned();
    let key = json!({ "name": "k", "scopes": ["check"] });
    let key_id = id_of(&app.post("/v1/keys", &key).await.json());
    let profile = app.post("/v1/profiles", &json!({ "external_id": "u-1", "phone": ADA })).await;
    let profile_id = id_of(&profile.json());
    let yes =
        json!({ "phone": ADA, "channel": "sms", "statement": "opt_in", "standing": "report" });
    let event_id = id_of(&app.post("/v1/consents", &yes).await.json()["event"]);
    let no = json!({ "phone": ADA, "channel": "sms", "statement": "opt_out", "standing": "act" });
    let row = json!({ "line": 2, "phone": BOB, "channel": "sms", "statement": "opt_out" });
    let version =
        json!({ "version": 1, "language": "en", "text": "Yes.", "names": [{ "channel": "sms" }] });
    let question = json!({ "channel": "sms", "phone": ADA, "sender": sender_id });
    let questions = json!({ "channel": "sms", "to": [ADA], "sender": sender_id });
    let by_phone = |path: &str| format!("{path}?phone=%2B14155552671");
    let rows = format!("/v1/imports/{IMPORT}/rows?list=crm");
    let page = json!({ "site": site, "user": { "phone_number": ADA, "sms_optin": true } });
    let others = vec![
        ask("post /v1/check", &question),
        ask("post /v1/check/batch", &questions),
        ask("post /v1/consents", &no),
        ask_lines("post /v1/consents/batch", "/v1/consents/batch", &[no.clone(), yes]),
        read("get /v1/consents", "/v1/consents?channel=sms"),
        read("get /v1/events", &by_phone("/v1/events")),
        ask_of("post /v1/events/{id}/retraction", &event_id, &json!({ "phone": ADA })),
        read("get /v1/look-ups", "/v1/look-ups"),
        read("get /v1/erasures", "/v1/erasures"),
        read("get /v1/profiles", &by_phone("/v1/profiles")),
        read("get /v1/rejects", "/v1/rejects"),
        read("get /v1/profiles/{id}", &format!("/v1/profiles/{profile_id}")),
        ask("post /v1/profiles", &json!({ "external_id": "u-1", "phone": ADA })),
        ask_of("post /v1/profiles/{id}/addresses", &profile_id, &json!({ "phone": BOB })),
        ask_of("delete /v1/profiles/{id}/addresses", &profile_id, &json!({ "phone": BOB })),
        ask("post /v1/suppressions", &json!({ "phone": ADA, "blocked": true })),
        ask_lines("post /v1/imports/{id}/rows", &rows, &[row]),
        ask_of("post /v1/imports/{id}/undo", IMPORT, &json!({})),
        read("get /v1/exports/consents", "/v1/exports/consents?channel=sms"),
        ask("post /capture/tag", &page),
        ask("put /v1/settings", &json!({ "region": "US" })),
        ask("patch /v1/settings", &json!({ "region": "DE" })),
        ask("post /v1/senders", &sender),
        ask_of("put /v1/senders/{id}", &sender_id, &json!({ "name": "s2", "address": "1" })),
        ask_of("patch /v1/senders/{id}", &sender_id, &json!({ "name": "s3" })),
        ask_of("post /v1/senders/{id}/pause", &sender_id, &json!({ "reason": "why" })),
        ask_of("post /v1/senders/{id}/resume", &sender_id, &json!({ "reason": "why" })),
        ask_of("delete /v1/senders/{id}", &sender_id, &json!({})),
        read("get /v1/senders/{id}/people", &format!("/v1/senders/{sender_id}/people")),
        ask("post /v1/rules", &rule),
        ask_of("put /v1/rules/{id}", &rule_id, &rule),
        ask_of("patch /v1/rules/{id}", &rule_id, &json!({ "reply": "Done." })),
        ask_of("delete /v1/rules/{id}", &rule_id, &json!({})),
        ask("post /v1/topics", &topic),
        ask_of("put /v1/topics/{id}", &topic_id, &named("t2")),
        ask_of("patch /v1/topics/{id}", &topic_id, &named("t3")),
        ask_of("delete /v1/topics/{id}", &topic_id, &json!({})),
        ask("post /v1/notices", &named("n2")),
        ask_of("post /v1/notices/{id}/versions", &notice_id, &version),
        ask("post /v1/sites", &json!({ "name": "s2", "origins": ["https://two.example"] })),
        ask_of("put /v1/sites/{site}", &site, &json!({ "origins": ["https://two.example"] })),
        ask_of("patch /v1/sites/{site}", &site, &json!({ "new_user_hash_secret": true })),
        ask_of("delete /v1/sites/{site}", &site, &json!({})),
        ask("post /v1/keys", &key),
        ask_of("delete /v1/keys/{id}", &key_id, &json!({})),
        ask(
            "post /v1/retractions",
            &json!({ "source": "shop", "from": "2026-11-21T10:00:00Z", "until": "2026-11-21T10:05:00Z" }),
        ),
        ask("post /v1/erasures", &json!({ "phone": ADA, "reason": "ticket 7" })),
    ];
    sending_requests(app).await.into_iter().chain(others).collect()
}

/// The problem that a fault is, and after how many seconds to come back.
fn problem_of(fault: Fault) -> (StatusCode, &'static str, Option<&'static str>) {
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    match fault {
        Fault::Busy => (unavailable, "busy", Some("1")),
        Fault::Unwritable => (unavailable, "store-unwritable", Some("30")),
        Fault::Closed => (unavailable, "stopping", Some("5")),
        Fault::Unknown | Fault::Kept => (unavailable, "outcome-unknown", Some("5")),
        Fault::Unreadable | Fault::Corrupt | Fault::Silent => {
            (StatusCode::INTERNAL_SERVER_ERROR, "store-unreadable", None)
        }
    }
}

fn document() -> Value {
    serde_json::from_str(&sayso_server::openapi()).unwrap()
}

#[tokio::test]
async fn every_operation_that_needs_the_store_says_what_is_wrong_with_it() {
    let (app, store) = TestApp::faulty().await;
    let (document, requests) = (document(), every_request(&app).await);
    // What was done and is not known is a matter of writes alone, and told below.
    for fault in Fault::ERRORS.into_iter().filter(|fault| *fault != Fault::Kept) {
        store.fail(fault);
        let (status, code, retry_after) = problem_of(fault);
        for asking in &requests {
            let name = format!("{}, {fault:?}", asking.operation);
            let answer = asking.send(&app).await;
            assert_eq!(answer.status, status, "{name}: {}", answer.text);
            answer.is_problem(code);
            let header = answer.headers.get("retry-after").map(|value| value.to_str().unwrap());
            assert_eq!(header, retry_after, "{name}");
            assert!(!answer.text.contains(INNER), "{name}: {}", answer.text);
            let (method, path) = asking.operation.split_once(' ').unwrap();
            let responses = &document["paths"][path][method]["responses"];
            assert!(responses[status.as_str()].is_object(), "{name} is documented");
        }
    }
    // Each of them was a good request: the store alone was in its way.
    store.heal();
    for asking in &requests {
        let answer = asking.send(&app).await;
        assert!(answer.status.is_success(), "{}: {}", asking.operation, answer.text);
    }
}

#[tokio::test]
async fn no_operation_is_left_out_of_these_tests() {
    let (app, store) = TestApp::faulty().await;
    let document = document();
    let mut all = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        all.extend(item.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    let requests = every_request(&app).await;
    let told = requests.iter().map(|asking| asking.operation).chain(WITHOUT_STORE.iter().copied());
    assert_eq!(told.map(str::to_owned).collect::<BTreeSet<_>>(), all);
    let notice = id_of(&app.post("/v1/notices", &json!({ "name": "n" })).await.json());
    let sender = json!({ "channel": "sms", "name": "s", "address": "777" });
    let sender = id_of(&app.post("/v1/senders", &sender).await.json());
    let entry = entry_point(&app).await;
    let entry = id_of(&app.post("/v1/entry-points", &entry).await.json());
    let form = form(&app).await;
    let form = id_of(&app.post("/v1/forms", &form).await.json());
    let site = app.site().await["site"].as_str().unwrap().to_owned();
    let topic = json!({ "name": "t", "category": "utility" });
    let topic = id_of(&app.post("/v1/topics", &topic).await.json());
    let rule = json!({ "channel": "sms", "is": "deals", "does": "opt_out" });
    let rule = id_of(&app.post("/v1/rules", &rule).await.json());
    let connection = json!({ "name": "c", "provider": "sandbox" });
    let connection = id_of(&app.post("/v1/connections", &connection).await.json());
    let key = json!({ "name": "k", "scopes": ["check"] });
    let key = id_of(&app.post("/v1/keys", &key).await.json());
    store.fail(Fault::Unreadable);
    for &operation in WITHOUT_STORE {
        let sent = match operation {
            "put /v1/sandbox/phone" => json!({}),
            "post /v1/preference-links" => json!({ "channel": "sms", "phone": ADA }),
            "post /v1/policies/lint" => json!({ "channels": ["sms"] }),
            "post /v1/rules/dry-run" => json!({ "channel": "sms", "text": "deals" }),
            _ => json!({ "list": "crm" }),
        };
        let id = match operation.split('/').nth(2) {
            Some("senders") => &sender,
            Some("forms") => &form,
            Some("entry-points") => &entry,
            Some("topics") => &topic,
            Some("rules") => &rule,
            Some("connections") => &connection,
            Some("keys") => &key,
            Some("sites") => &site,
            _ => &notice,
        };
        let mut asking = ask_of(operation, id, &sent);
        if operation == "get /capture/forms" {
            asking.path = format!("{}?site={site}", asking.path);
        }
        if operation.ends_with("phone") {
            asking.path += "?phone=%2B14155552671";
        }
        let answer = asking.send(&app).await;
        assert!(answer.status.is_success(), "{operation}: {}", answer.text);
    }
}

/// A workspace where everything is allowed to one phone, and to strangers what is not marketing.
async fn generous() -> (TestApp, Arc<FaultyStore>) {
    let (app, store) = TestApp::faulty().await;
    let notice = app.notice(&[]).await;
    let settings = json!({ "defaults": { "sms": "opted_in" }, "require_opt_in": false });
    assert_eq!(app.call("PUT", "/v1/settings", &settings).await.status, StatusCode::OK);
    let yes = act(ADA, "opt_in", "2026-11-21T09:00:00Z", &notice);
    assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
    (app, store)
}

/// Questions that are all answered "allow" in a generous workspace, by a store that is well.
fn questions(app: &TestApp) -> Vec<Asking> {
    let now = app.now();
    let of = |more: Value| {
        let mut question = json!({ "channel": "sms", "phone": ADA });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask("post /v1/check", &question)
    };
    let path = "/v1/check/batch";
    vec![
        of(json!({})),
        of(json!({ "explain": true })),
        of(json!({ "as_of": now })),
        of(json!({ "effective_at": now })),
        of(json!({ "category": "utility", "require_opt_in": false })),
        of(json!({ "category": "utility", "phone": BOB })),
        of(json!({ "category": "utility", "phone": BOB, "explain": true })),
        ask("post /v1/check/batch", &json!({ "channel": "sms", "to": [ADA, ADA] })),
        ask_lines("post /v1/check/batch", path, &[json!({ "channel": "sms" }), json!(ADA)]),
    ]
}

#[tokio::test]
async fn the_gate_never_allows_what_it_could_not_read() {
    let (app, store) = generous().await;
    let questions = questions(&app);
    for asking in &questions {
        let answer = asking.send(&app).await;
        assert!(answer.text.contains("\"allow\""), "{}: {}", asking.body, answer.text);
    }
    for fault in Fault::ERRORS {
        store.fail(fault);
        for asking in &questions {
            let answer = asking.send(&app).await;
            let (status, code, _) = problem_of(fault);
            assert_eq!(answer.status, status, "{fault:?}, {}", asking.body);
            answer.is_problem(code);
            assert!(!answer.text.contains("\"allow\""), "{fault:?}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_missing_answer_of_the_gate_is_no_allow() {
    let (app, store) = generous().await;
    store.fail(Fault::Silent);
    let one = app.post("/v1/check", &json!({ "channel": "sms", "phone": ADA })).await;
    one.is_problem("store-unreadable");
    let many = json!({ "channel": "sms", "to": [ADA, "nobody", ADA] });
    let many = app.post("/v1/check/batch", &many).await;
    assert!(!many.text.contains("\"allow\""), "{}", many.text);
}

#[tokio::test]
async fn the_right_to_ask_is_looked_at_before_the_store() {
    let (mut app, store) = generous().await;
    app.key = app.make_key("reader", &[KeyScope::Read], Standing::Report).await;
    store.fail(Fault::Unreadable);
    let question = json!({ "channel": "sms", "phone": ADA });
    app.post("/v1/check", &question).await.is_problem("scope-missing");
}

#[tokio::test]
async fn a_write_that_nobody_knows_of_is_one_event_when_it_is_sent_again() {
    for (fault, outcome) in [(Fault::Unknown, "appended"), (Fault::Kept, "retried")] {
        let (app, store) = TestApp::faulty().await;
        let no =
            json!({ "phone": ADA, "channel": "sms", "statement": "opt_out", "standing": "act" });
        let send = async || {
            let request = app.request("POST", "/v1/consents").header("idempotency-key", "k1");
            app.send(request.body(Body::from(no.to_string())).unwrap()).await
        };
        store.fail(fault);
        send().await.is_problem("outcome-unknown");
        store.heal();
        assert_eq!(send().await.json()["event"]["outcome"], outcome);
        let events = app.get("/v1/events?phone=%2B14155552671").await.json();
        assert_eq!(events["events"].as_array().unwrap().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_stream_that_cannot_go_on_is_cut_off_and_does_not_seem_whole() {
    let (app, store) = generous().await;
    let then = app.now();
    let rows: Vec<Value> = (0..300)
        .map(|n| {
            let phone = format!("+1415{}", 5_550_000 + n);
            json!({ "line": n + 2, "phone": phone, "channel": "sms", "statement": "opt_out" })
        })
        .collect();
    let import = ask_lines(
        "post /v1/imports/{id}/rows",
        &format!("/v1/imports/{IMPORT}/rows?list=crm"),
        &rows,
    );
    assert_eq!(import.send(&app).await.status, StatusCode::OK);
    for path in [
        "/v1/consents?channel=sms",
        &format!("/v1/consents?channel=sms&as_of={then}"),
        "/v1/exports/consents?channel=sms",
        "/v1/exports/consents?channel=sms&format=csv",
    ] {
        let begin = async || {
            let request: Request<Body> = app.request("GET", path).body(Body::empty()).unwrap();
            let response = app.begin(request).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            to_bytes(response.into_body(), usize::MAX).await
        };
        store.heal();
        assert!(begin().await.is_ok(), "{path}");
        // An export asks for the proof of each of the 256 addresses of its first page.
        let calls_before = if path.contains("exports") { 290 } else { 1 };
        store.fail_after(calls_before, Fault::Unreadable);
        assert!(begin().await.is_err(), "{path}");
    }
}
