//! `/v1/rules`: what a text does beside the words of every workspace (rule 20), and a dry run of it.

use axum::http::StatusCode;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::TestApp;

const GRACE: &str = "+14155552672";

/// A server with senders on SMS and WhatsApp by simulated phones, and a notice that names both.
struct Shop {
    app: TestApp,
    sms: Value,
    notice: Value,
}

impl Shop {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
        let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
        let mut senders = Vec::new();
        for channel in ["sms", "whatsapp"] {
            let sender = json!({ "channel": channel, "name": "Harbour Books", "address": "12345", "connection": connection });
            senders.push(app.post("/v1/senders", &sender).await.json()["id"].clone());
        }
        let notice = app.notice(&[]).await;
        Self { app, sms: senders[0].clone(), notice }
    }

    async fn make(&self, rule: &Value) -> Value {
        let made = self.app.post("/v1/rules", rule).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        made.json()
    }

    async fn says(&self, text: &str) -> Value {
        let message = json!({ "sender": self.sms, "text": text });
        let path = "/v1/sandbox/phone/messages?phone=%2B14155552672";
        self.app.post(path, &message).await.json()
    }

    async fn reason(&self, channel: &str) -> Value {
        let ask = json!({ "phone": GRACE, "channel": channel });
        self.app.post("/v1/check", &ask).await.json()["reason"].clone()
    }

    async fn arrived(&self) -> Vec<String> {
        self.app.send_due().await;
        let phone = self.app.get("/v1/sandbox/phone?phone=%2B14155552672").await.json();
        let messages = phone["messages"].as_array().unwrap().iter();
        messages.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }

    fn opts_in(&self, permissions: &Value) -> Value {
        json!({ "channel": "sms", "begins": "offers", "does": "opt_in", "permissions": permissions, "notice": self.notice, "reply": "Welcome! Reply STOP to leave." })
    }
}

#[tokio::test]
async fn a_keyword_opts_in_with_the_words_that_were_shown_and_is_answered() {
    let shop = Shop::open().await;
    let rule = shop.make(&shop.opts_in(&Value::Null)).await;
    assert_eq!(shop.reason("sms").await, "no_opt_in");
    let heard = shop.says("Offers please!").await;
    assert_eq!((&heard["reading"], &heard["rule"]), (&json!("nothing"), &rule["id"]));
    assert_eq!(shop.reason("sms").await, Value::Null);
    assert_eq!(shop.arrived().await, ["Welcome! Reply STOP to leave."]);
    let events = shop.app.get("/v1/events?phone=%2B14155552672").await.json();
    let opt_in = &events["events"][0];
    assert_eq!(
        (&opt_in["says"], &opt_in["actor"]),
        (&json!("single"), &json!("subject")),
        "{events}"
    );
    assert_eq!(opt_in["evidence"]["notice"]["id"], shop.notice["id"]);
    assert_eq!(opt_in["evidence"]["fields"]["sayso:rule"], rule["id"]);
}

#[tokio::test]
async fn an_sms_opts_into_whatsapp_where_the_notice_names_it() {
    let shop = Shop::open().await;
    let both = json!([{ "channel": "sms" }, { "channel": "whatsapp" }]);
    let text = json!({ "version": 2, "language": "en", "text": "Only SMS.", "names": [{ "channel": "sms" }] });
    let id = shop.notice["id"].as_str().unwrap();
    let versions = format!("/v1/notices/{id}/versions");
    assert_eq!(shop.app.post(&versions, &text).await.status, StatusCode::CREATED);
    let mut unnamed = shop.opts_in(&both);
    unnamed["notice"]["version"] = json!(2);
    let problem = shop.app.post("/v1/rules", &unnamed).await.is_problem("notice-does-not-cover");
    assert_eq!(problem["errors"][0]["pointer"], "/notice");
    let text = json!({ "version": 3, "language": "en", "text": "SMS and WhatsApp.", "names": [{ "channel": "sms" }, { "channel": "whatsapp" }] });
    assert_eq!(shop.app.post(&versions, &text).await.status, StatusCode::CREATED);
    let mut named = shop.opts_in(&both);
    named["notice"]["version"] = json!(3);
    shop.make(&named).await;
    shop.says("OFFERS").await;
    assert_eq!(shop.reason("whatsapp").await, Value::Null);
}

#[tokio::test]
async fn a_keyword_that_opts_out_is_obeyed_and_confirmed_once() {
    let shop = Shop::open().await;
    shop.make(&shop.opts_in(&Value::Null)).await;
    let rule =
        json!({ "channel": "sms", "is": "no shoes", "does": "opt_out", "reply": "You are out." });
    shop.make(&rule).await;
    shop.says("offers").await;
    shop.app.advance(Span::minutes(1));
    shop.says("No shoes!").await;
    assert_eq!(shop.reason("sms").await, "opted_out");
    shop.says("No shoes!").await;
    let arrived = shop.arrived().await;
    assert_eq!(arrived.iter().filter(|text| *text == "You are out.").count(), 1, "{arrived:?}");
}

#[tokio::test]
async fn words_of_every_workspace_beat_a_rule_and_no_rule_opts_in_by_a_stop_word() {
    let shop = Shop::open().await;
    shop.make(&json!({ "channel": "sms", "matches": "stop|offers", "does": "opt_out" })).await;
    let heard = shop.says("STOP").await;
    assert_eq!((&heard["reading"], &heard["rule"]), (&json!("stop"), &Value::Null));
    let mut taken = shop.opts_in(&Value::Null);
    taken["begins"] = "stop offers".into();
    let problem = shop.app.post("/v1/rules", &taken).await.is_problem("invalid-value");
    assert!(problem.to_string().contains("stop word in every workspace"), "{problem}");
}

#[tokio::test]
async fn a_dry_run_says_what_a_text_would_do_and_why_and_records_nothing() {
    let shop = Shop::open().await;
    let rule = shop.make(&shop.opts_in(&Value::Null)).await;
    let run = async |text: &str| {
        let ask = json!({ "channel": "sms", "sender": shop.sms, "text": text });
        let answer = shop.app.post("/v1/rules/dry-run", &ask).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    };
    let offers = run("offers").await;
    assert_eq!((&offers["rule"], &offers["why"]), (&rule["id"], &json!("only_match")));
    let said = |scope: &str| json!({ "permission": "messages", "channel": "sms", "scope": scope, "statement": "single" });
    assert_eq!(offers["statements"], json!([said("all"), said("category:marketing")]));
    let stop = run("Stop. Thank you").await;
    assert_eq!((&stop["reading"], &stop["why"]), (&json!("stop"), &json!("built_in_word")));
    assert_eq!(stop["statements"][0]["statement"], "opt_out");
    let unclear = run("why do I get these").await;
    assert_eq!(
        (&unclear["why"], &unclear["statements"][0]["statement"]),
        (&json!("in_doubt"), &json!("hold"))
    );
    assert_eq!(run("Are you open?").await["statements"], json!([]));
    assert_eq!(shop.reason("sms").await, "no_opt_in");
    let open =
        json!({ "channel": "sms", "sender": shop.sms, "text": "yes", "question_open": true });
    shop.app.post("/v1/rules/dry-run", &open).await.is_problem("invalid-value");
}

#[tokio::test]
async fn a_deleted_rule_does_nothing_more_and_what_was_said_by_it_stays() {
    let shop = Shop::open().await;
    let rule = shop.make(&shop.opts_in(&Value::Null)).await;
    shop.says("offers").await;
    let path = format!("/v1/rules/{}", rule["id"].as_str().unwrap());
    assert!(shop.app.delete(&path).await.json()["deleted_at"].is_string());
    assert_eq!(shop.reason("sms").await, Value::Null);
    assert_eq!(shop.says("offers").await["rule"], Value::Null);
    assert_eq!(shop.app.get("/v1/rules").await.json()["rules"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_changed_rule_keeps_its_age_and_a_retry_makes_one_rule() {
    let shop = Shop::open().await;
    let rule = shop.make(&shop.opts_in(&Value::Null)).await;
    let path = format!("/v1/rules/{}", rule["id"].as_str().unwrap());
    shop.app.advance(Span::minutes(1));
    let mut wanted = shop.opts_in(&Value::Null);
    wanted["begins"] = "deals".into();
    let changed = shop.app.call("PUT", &path, &wanted).await.json();
    assert_eq!(
        (&changed["begins"], &changed["created_at"]),
        (&json!("deals"), &rule["created_at"])
    );
    let keyed = async |body: &Value| {
        let request = shop.app.request("POST", "/v1/rules").header("idempotency-key", "k");
        shop.app.send(request.body(body.to_string().into()).unwrap()).await
    };
    let first = keyed(&wanted).await.json();
    shop.app.advance(Span::minutes(1));
    assert_eq!(keyed(&wanted).await.json(), first);
    keyed(&shop.opts_in(&Value::Null)).await.is_problem("idempotency-key-reused");
}

#[tokio::test]
async fn a_rule_that_cannot_be_is_refused_with_its_field() {
    let shop = Shop::open().await;
    let good = shop.opts_in(&Value::Null);
    let with = |name: &str, value: Value| {
        let mut rule = good.clone();
        rule[name] = value;
        rule
    };
    let nobody = json!("snd_01jd6m9k3te5b8r5v3x5y6z7w8");
    let lost = json!([{ "channel": "sms", "scope": "topic:top_01jd6m9k3te5b8r5v3x5y6z7w8" }]);
    for (rule, pointer, code) in [
        (with("channel", Value::Null), "/channel", "missing-field"),
        (with("does", Value::Null), "/does", "missing-field"),
        (with("begins", Value::Null), "/begins", "missing-field"),
        (with("begins", json!("!")), "/begins", "invalid-value"),
        (with("is", json!("deals")), "", "invalid-value"),
        (with("notice", Value::Null), "/notice", "missing-field"),
        (with("reply", json!(" ")), "/reply", "invalid-value"),
        (with("sender", nobody), "/sender", "unknown-sender"),
        (with("permissions", json!([])), "/permissions", "missing-field"),
        (with("permissions", lost), "/permissions/0/scope", "unknown-topic"),
    ] {
        let problem = shop.app.post("/v1/rules", &rule).await.is_problem(code);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let mut broken = json!({ "channel": "sms", "matches": "a(b", "does": "opt_out" });
    let problem = shop.app.post("/v1/rules", &broken).await.is_problem("invalid-value");
    assert_eq!(
        problem["errors"][0]["fault"], "is no regular expression: unclosed group",
        "{problem}"
    );
    broken["matches"] = "a*".into();
    shop.app.post("/v1/rules", &broken).await.is_problem("invalid-value");
}
