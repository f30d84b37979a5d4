//! Refusals and yeses that meet: at the same moment, in general scopes, under retries, by START.

use axum::http::StatusCode;
use futures_util::future::join_all;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::links::{PHONE, form_of};
use crate::support::{TestApp, act};

/// What the gate says to marketing by SMS to the person, and their status.
async fn stands(app: &TestApp, phone: &str) -> (Value, Value) {
    let ask = json!({ "phone": phone, "channel": "sms", "explain": true });
    let answer = app.post("/v1/check", &ask).await.json();
    (answer["decision"].clone(), answer["explanation"]["consent"]["status"].clone())
}

/// A person at simulated phones, a sender, and a notice.
struct Chat {
    app: TestApp,
    sender: Value,
    notice: Value,
}

impl Chat {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
        let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
        let sender = json!({ "channel": "sms", "name": "Harbour Books", "address": "12345", "connection": connection });
        let sender = app.post("/v1/senders", &sender).await.json()["id"].clone();
        let notice = app.notice(&[]).await;
        Self { app, sender, notice }
    }

    /// Records an act about a scope, a minute after the last.
    async fn records(&self, statement: &str, scope: &str) -> Value {
        self.app.advance(Span::minutes(1));
        let mut said = act(PHONE, statement, &self.app.now(), &self.notice);
        said["scope"] = json!(scope);
        let answer = self.app.post("/v1/consents", &said).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()
    }

    async fn writes(&self, text: &str) -> Value {
        self.app.advance(Span::minutes(1));
        let message = json!({ "sender": self.sender, "text": text });
        let path = "/v1/sandbox/phone/messages?phone=%2B14155552671";
        let answer = self.app.post(path, &message).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()
    }

    /// What arrived last on the phone.
    async fn hears(&self) -> String {
        self.app.send_due().await;
        let phone = self.app.get("/v1/sandbox/phone?phone=%2B14155552671").await.json();
        phone["messages"][0]["text"].as_str().unwrap_or_default().to_owned()
    }

    async fn status(&self) -> Value {
        let ask =
            json!({ "phone": PHONE, "channel": "sms", "sender": self.sender, "explain": true });
        self.app.post("/v1/check", &ask).await.json()["explanation"]["consent"]["status"].clone()
    }

    fn of_sender(&self) -> String {
        format!("sender:{}", self.sender.as_str().unwrap())
    }
}

/// Field A9: somebody who left marketing by one click comes back by whatever says yes to everything.
#[tokio::test]
async fn a9_who_left_marketing_comes_back_by_a_yes_to_everything() {
    let chat = Chat::open().await;
    chat.records("opt_in", "all").await;
    chat.records("opt_out", "category:marketing").await;
    let start = chat.writes("START").await;
    assert_eq!(start["reading"], "start");
    assert_eq!(chat.status().await, "opted_in", "START");
    assert!(chat.hears().await.contains("welcome back"), "the person hears what it did");

    // The box of the preference centre does so too.
    chat.records("opt_out", "category:marketing").await;
    chat.app.advance(Span::minutes(1));
    let links = chat.app.links().await;
    let page = chat.app.open(&links.preferences).await;
    let mut fields = form_of(&page.text);
    fields.push(("on".to_owned(), "sms/category:marketing".to_owned()));
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    chat.app.advance(Span::minutes(1));
    chat.app.submit(&links.preferences, &fields).await;
    assert_eq!(chat.status().await, "opted_in", "{:?}", chat.app.said().await);
}

/// Field A9, the caller's side: an opt-in to everything names the scope that it leaves refused.
#[tokio::test]
async fn a9_a_caller_hears_which_scope_stays_refused() {
    let chat = Chat::open().await;
    chat.records("opt_out", "category:marketing").await;
    let answer = chat.records("opt_in", "all").await;
    assert_eq!(answer["still_refused"], json!(["category:marketing"]), "{answer}");
    assert_eq!(answer["consent"]["status"], "opted_out");
    let answer = chat.records("opt_in", "category:marketing").await;
    assert_eq!(answer.get("still_refused"), None);
    assert_eq!(answer["consent"]["status"], "opted_in");
    chat.records("opt_out", "category:utility").await;
    let answer = chat.records("opt_in", "all").await;
    assert_eq!(answer["still_refused"], json!(["category:utility"]), "{answer}");
    assert_eq!(answer["consent"]["status"], "opted_in");
}

/// Field A10: START lifts what was refused of the sender that it is written to.
#[tokio::test]
async fn a10_start_lifts_the_refusal_of_the_sender_it_is_written_to() {
    for refused in ["sender", "category:marketing", "all"] {
        let chat = Chat::open().await;
        chat.records("opt_in", "all").await;
        let scope = if refused == "sender" { chat.of_sender() } else { refused.to_owned() };
        chat.records("opt_out", &scope).await;
        assert_eq!(chat.status().await, "opted_out", "{refused}");
        chat.writes("START").await;
        assert_eq!(chat.status().await, "opted_in", "{refused}");
        assert!(chat.hears().await.contains("welcome back"), "{refused}");
    }
}

/// Field A10: topics keep their own refusals, and nobody is welcomed who is not.
#[tokio::test]
async fn a10_start_does_not_reach_into_a_topic() {
    let chat = Chat::open().await;
    let topic = chat.app.topic("Offers", "marketing").await;
    chat.records("opt_in", "all").await;
    chat.records("opt_out", &format!("topic:{topic}")).await;
    chat.writes("START").await;
    let ask = json!({ "phone": PHONE, "channel": "sms", "topic": topic, "explain": true });
    let answer = chat.app.post("/v1/check", &ask).await.json();
    assert_eq!(answer["reasons"], json!(["opted_out"]));
}

/// Field A16: the same dated consent is one event, wherever it stands in a batch.
#[tokio::test]
async fn a16_the_same_dated_consent_is_one_event_at_any_place_of_a_batch() {
    let chat = Chat::open().await;
    let said = act(PHONE, "opt_in", &chat.app.now(), &chat.notice);
    chat.app.advance(Span::minutes(1));
    let other = act("+14155552675", "opt_in", &chat.app.now(), &chat.notice);
    let batch = |items: &[&Value]| {
        items.iter().map(|item| format!("{item}\n")).collect::<Vec<_>>().concat()
    };
    let send = async |items: &[&Value]| {
        let answer = chat.app.post_text("/v1/consents/batch", "application/x-ndjson", batch(items));
        answer.await.lines()
    };
    let first = send(&[&said]).await;
    let again = send(&[&other, &said]).await;
    let twice = send(&[&said, &other, &said]).await;
    assert_eq!(first[0]["status"], 201);
    assert_eq!((&again[0]["status"], &again[1]["status"]), (&json!(201), &json!(200)));
    assert_eq!(again[1]["consent"]["event"]["id"], first[0]["consent"]["event"]["id"]);
    assert!(twice.iter().all(|line| line["status"] == 200), "{twice:?}");
    assert_eq!(chat.app.said().await.len(), 1);
    // So one retraction leaves nothing of it.
    let id = first[0]["consent"]["event"]["id"].as_str().unwrap();
    let retraction = json!({ "phone": PHONE, "reason": "wrong person" });
    let retracted = chat.app.post(&format!("/v1/events/{id}/retraction"), &retraction).await;
    assert!(retracted.status.is_success(), "{}", retracted.text);
    assert_eq!(stands(&chat.app, PHONE).await, (json!("deny"), json!("never")));
}

/// Field A16: items under one key are told apart by their places, and a retry of them is the same.
#[tokio::test]
async fn a16_equal_items_under_one_key_stay_what_they_were() {
    let chat = Chat::open().await;
    let said = act(PHONE, "opt_in", &chat.app.now(), &chat.notice).to_string();
    let send = async || {
        let request = chat.app.request("POST", "/v1/consents/batch");
        let request = request.header("content-type", "application/x-ndjson");
        let request = request.header("idempotency-key", "sunday");
        let body = axum::body::Body::from(format!("{said}\n{said}\n"));
        chat.app.send(request.body(body).unwrap()).await.lines()
    };
    let (first, again) = (send().await, send().await);
    let ids = |lines: &[Value]| -> Vec<Value> {
        lines.iter().map(|line| line["consent"]["event"]["id"].clone()).collect()
    };
    assert_eq!(ids(&first), ids(&again));
    assert_ne!(ids(&first)[0], ids(&first)[1]);
}

/// Field A16: START under a key, retried after another refusal, appends nothing and lifts nothing.
#[tokio::test]
async fn a16_a_retried_start_appends_nothing() {
    let chat = Chat::open().await;
    chat.records("opt_in", "all").await;
    chat.records("opt_out", "all").await;
    let mut start = act(PHONE, "start", &chat.app.now(), &chat.notice);
    start.as_object_mut().unwrap().remove("notice");
    let send = async || {
        let request = chat.app.request("POST", "/v1/consents");
        let request = request.header("content-type", "application/json");
        let request = request.header("idempotency-key", "come back");
        let body = axum::body::Body::from(start.to_string());
        chat.app.send(request.body(body).unwrap()).await
    };
    let first = send().await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    assert_eq!(chat.status().await, "opted_in");
    chat.records("opt_out", "category:marketing").await;
    let before = chat.app.said().await;
    assert_eq!(send().await.status, StatusCode::OK);
    assert_eq!(chat.app.said().await, before);
    assert_eq!(chat.status().await, "opted_out");
}

/// Field A17: an opt-out beside ticks that would lift it never ends as allow.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a17_an_opt_out_beside_a_tick_is_never_allow() {
    let stand = crate::entry::Stand::open().await;
    for n in 0..24 {
        let phone = format!("+1415555{:04}", 2_700 + n);
        let out = json!({ "phone": phone, "channel": "whatsapp", "statement": "opt_out", "standing": "act" });
        let refuse = async {
            let answer = stand.app.post("/v1/consents", &out).await;
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        };
        let visit = format!("visit-{n}");
        let tick = async {
            stand.tick(&phone, &visit).await;
        };
        if n % 2 == 0 {
            tokio::join!(refuse, tick);
        } else {
            tokio::join!(tick, refuse);
        }
        let ask = json!({ "phone": phone, "channel": "whatsapp", "topic": stand.offers });
        let answer = stand.app.post("/v1/check", &ask).await.json();
        assert_eq!(answer["decision"], "deny", "pair {n}: {answer}");
    }
}

/// Field A17, by many at once: whatever order they come in, a refusal that was answered stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a17_many_ticks_beside_one_refusal_lift_nothing() {
    let stand = crate::entry::Stand::open().await;
    let phone = "+14155552799";
    let out =
        json!({ "phone": phone, "channel": "whatsapp", "statement": "opt_out", "standing": "act" });
    let ticks = (0..8).map(async |n: u32| {
        let visit = format!("visit-{n}");
        stand.tick(phone, &visit).await;
    });
    let refuse = async {
        assert_eq!(stand.app.post("/v1/consents", &out).await.status, StatusCode::CREATED);
    };
    tokio::join!(join_all(ticks), refuse);
    let ask = json!({ "phone": phone, "channel": "whatsapp", "topic": stand.offers });
    assert_eq!(stand.app.post("/v1/check", &ask).await.json()["decision"], "deny");
}

/// Field A17, by a caller who dates the refusal: a tick that was made while it was on its way lifts nothing.
#[tokio::test]
async fn a17_a_tick_made_while_a_dated_refusal_was_on_its_way_does_not_outrun_it() {
    for (before, decision) in [(Span::seconds(2), "deny"), (Span::minutes(10), "allow")] {
        let stand = crate::entry::Stand::open().await;
        let phone = "+14155552671";
        let said_at = stand.app.now();
        stand.app.advance(before);
        let text = stand.tick(phone, "visit").await;
        if decision == "allow" {
            stand.says(phone, &text).await;
        }
        let mut out = act(phone, "opt_out", &said_at, &stand.notice);
        out["channel"] = json!("whatsapp");
        assert_eq!(stand.app.post("/v1/consents", &out).await.status, StatusCode::CREATED);
        let ask = json!({ "phone": phone, "channel": "whatsapp", "topic": stand.offers });
        let answer = stand.app.post("/v1/check", &ask).await.json();
        assert_eq!(answer["decision"], decision, "{before:?}: {answer}");
    }
}

/// Field A17: what the address itself confirmed afterwards still counts.
#[tokio::test]
async fn a17_a_later_act_of_the_person_outlives_a_dated_refusal() {
    let chat = Chat::open().await;
    chat.records("opt_in", "all").await;
    let said_at = chat.app.now();
    chat.app.advance(Span::seconds(2));
    let mut yes = act(PHONE, "opt_in", &chat.app.now(), &chat.notice);
    yes["level"] = json!("confirmed");
    assert_eq!(chat.app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
    let out = act(PHONE, "opt_out", &said_at, &chat.notice);
    assert_eq!(chat.app.post("/v1/consents", &out).await.status, StatusCode::CREATED);
    assert_eq!(chat.status().await, "opted_in");
}
