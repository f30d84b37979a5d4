//! Entry points: from a QR code, link or widget by the opt-in page into the chat, and the reference that
//! proves who came.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::time::Span;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{KeyScope, Mode};
use sayso_server::app::{Options, Peer};
use serde_json::{Value, json};

use crate::support::faulty::Fault;
use crate::support::provider::{Shop, meta_signature};
use crate::support::{Answer, TestApp, plenty};

const GRACE: &str = "+14155552672";
const MALLORY: &str = "+14155552673";

pub(crate) struct Stand {
    pub(crate) app: TestApp,
    sender: Value,
    pub(crate) notice: Value,
    pub(crate) offers: String,
    news: String,
    entry: Value,
}

impl Stand {
    pub(crate) async fn open() -> Self {
        let mut options = Options::with_rates(plenty());
        options.outside.url = Some("https://consent.example".into());
        Self::over(TestApp::with_options(options).await).await
    }

    async fn over(app: TestApp) -> Self {
        let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
        let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
        let notice = app.notice(&[]).await;
        let question = json!({ "text": "May we send you offers?", "notice": notice });
        let sender = json!({ "channel": "whatsapp", "name": "Harbour Books", "address": "+15550100900", "connection": connection, "question": question });
        let sender = app.post("/v1/senders", &sender).await.json()["id"].clone();
        let mut topics = Vec::new();
        for name in ["Offers", "News"] {
            let topic = json!({ "name": name, "category": "marketing" });
            let made = app.post("/v1/topics", &topic).await.json();
            topics.push(made["id"].as_str().unwrap().to_owned());
        }
        let [offers, news] = <[String; 2]>::try_from(topics).unwrap();
        let mut stand = Self { app, sender, notice, offers, news, entry: Value::Null };
        let made = stand.app.post("/v1/entry-points", &stand.wished()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        stand.entry = made.json();
        stand
    }

    fn wished(&self) -> Value {
        json!({
            "name": "Poster at the till", "sender": self.sender, "business": "Harbour Books",
            "topics": [self.offers, self.news],
            "notice": { "id": self.notice["id"], "version": 1 },
            "prefill": "Hello, I saw your poster",
        })
    }

    fn page(&self) -> String {
        format!("/e/{}", self.entry["code"].as_str().unwrap())
    }

    async fn visit(&self, method: &str, path: &str) -> Answer {
        self.app
            .send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap())
            .await
    }

    async fn send(&self, fields: &[(&str, &str)]) -> Answer {
        self.send_with(fields, &[]).await
    }

    async fn send_with(&self, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace('+', "%2B").replace(' ', "+")))
            .collect();
        let mut request = Request::builder().method("POST").uri(self.page());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "a phone")
            .body(Body::from(body.join("&")))
            .unwrap();
        request.extensions_mut().insert(Peer("192.0.2.7".parse().unwrap()));
        self.app.send(request).await
    }

    /// Ticks offers, and comes back with the text that stands in the chat.
    pub(crate) async fn tick(&self, address: &str, visit: &str) -> String {
        let fields = [("visit", visit), ("choice", &*self.offers), ("address", address)];
        text_of(&self.send(&fields).await)
    }

    pub(crate) async fn says(&self, phone: &str, text: &str) -> Value {
        self.says_again(phone, text, None).await
    }

    async fn says_again(&self, phone: &str, text: &str, id: Option<&str>) -> Value {
        let message = json!({ "sender": self.sender, "text": text, "message_id": id });
        let path = format!("/v1/sandbox/phone/messages?phone={}", phone.replace('+', "%2B"));
        let answer = self.app.post(&path, &message).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()
    }

    async fn events(&self, phone: &str) -> Vec<Value> {
        let path = format!("/v1/events?phone={}", phone.replace('+', "%2B"));
        self.app.get(&path).await.json()["events"].as_array().unwrap().clone()
    }

    /// What was said about consent, the oldest first.
    async fn said(&self, phone: &str) -> Vec<String> {
        let word = |event: &Value| event["says"].as_str().map(str::to_owned);
        let mut said: Vec<String> = self.events(phone).await.iter().filter_map(word).collect();
        said.retain(|word| word != "wrote" && word != "activity");
        said.reverse();
        said
    }

    async fn status(&self, phone: &str, topic: &str) -> (String, Value) {
        let ask = json!({ "phone": phone, "channel": "whatsapp", "topic": topic, "explain": true });
        let answer = self.app.post("/v1/check", &ask).await.json();
        let consent = &answer["explanation"]["consent"];
        (consent["status"].as_str().unwrap().to_owned(), consent["level"].clone())
    }

    async fn reach(&self) -> Value {
        let path = format!("/v1/entry-points/{}", self.entry["id"].as_str().unwrap());
        self.app.get(&path).await.json()["reach"].clone()
    }

    async fn arrived(&self, phone: &str) -> Vec<Value> {
        self.app.send_due().await;
        let path = format!("/v1/sandbox/phone?phone={}", phone.replace('+', "%2B"));
        self.app.get(&path).await.json()["messages"].as_array().unwrap().clone()
    }
}

/// The text in the chat to which an answer leads.
fn text_of(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let link = answer.headers["location"].to_str().unwrap();
    let text = link.strip_prefix("https://wa.me/15550100900?text=").unwrap();
    text.replace("%20", " ").replace("%2C", ",").replace("%28", "(").replace("%29", ")")
}

fn pending() -> (String, Value) {
    ("pending".to_owned(), Value::Null)
}

fn confirmed() -> (String, Value) {
    ("opted_in".to_owned(), json!("confirmed"))
}

#[tokio::test]
async fn opening_the_page_shows_unticked_boxes_and_records_nothing() {
    let stand = Stand::open().await;
    let shown = stand.visit("GET", &stand.page()).await;
    assert_eq!(shown.status, StatusCode::OK);
    for words in
        ["Harbour Books", "WhatsApp", "Offers", "News", "Yes, write to me.", "+15550100900"]
    {
        assert!(shown.text.contains(words), "{words}: {}", shown.text);
    }
    assert_eq!(shown.text.matches("type=\"checkbox\"").count(), 2);
    assert!(!shown.text.contains("checked"), "{}", shown.text);
    assert!(shown.headers.get("set-cookie").is_none());
    let policy = shown.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    assert_eq!(stand.visit("HEAD", &stand.page()).await.status, StatusCode::OK);
    let upper = stand.page().to_uppercase().replace("/E/", "/e/");
    assert_eq!(stand.visit("GET", &upper).await.status, StatusCode::OK, "codes are read loosely");
    assert_eq!(stand.said(GRACE).await, Vec::<String>::new());
    let reach = stand.reach().await;
    assert_eq!((&reach["shown"], &reach["started"]), (&json!(2), &json!(0)), "{reach}");
}

#[tokio::test]
async fn just_chat_opens_the_chat_and_records_nothing() {
    let stand = Stand::open().await;
    // Whatever else was typed and ticked.
    let sent = [("do", "chat"), ("choice", stand.offers.as_str()), ("address", GRACE)];
    let answer = stand.send(&sent).await;
    assert_eq!(text_of(&answer), "Hello, I saw your poster");
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    assert_eq!(stand.said(GRACE).await, Vec::<String>::new());
    assert_eq!(
        stand.reach().await,
        json!({ "shown": 0, "started": 1, "opted_in": 0, "confirmed": 0, "refused": 0 })
    );
}

#[tokio::test]
async fn what_was_ticked_is_pending_with_the_words_and_the_page_as_evidence() {
    let stand = Stand::open().await;
    let text = stand.tick("+1 (415) 555-2672", "v1").await;
    assert!(text.starts_with("Hello, I saw your poster (ref "), "{text}");
    assert_eq!(stand.status(GRACE, &stand.offers).await, pending());
    assert_eq!(stand.status(GRACE, &stand.news).await.0, "never", "it was not ticked");
    let event = stand.events(GRACE).await.remove(0);
    assert_eq!(
        (&event["road"], &event["source"]),
        (&json!("entry_point"), &json!("Poster at the till"))
    );
    assert_eq!(event["actor"], "subject");
    let evidence = &event["evidence"];
    assert_eq!(evidence["method"], "entry point page", "{event}");
    assert_eq!(evidence["notice"]["id"], stand.notice["id"]);
    assert_eq!(evidence["notice"]["language"], "en");
    assert_eq!(evidence["ip"], "192.0.2.7");
    assert_eq!(evidence["user_agent"], "a phone");
    assert_eq!(evidence["page"], format!("https://consent.example{}", stand.page()));
    assert_eq!(evidence["fields"]["sayso:entry_point"], stand.entry["id"]);
    assert_eq!(evidence["fields"]["sayso:entry_point_version"], "1");
}

#[tokio::test]
async fn the_message_with_the_reference_from_the_typed_number_confirms_it() {
    let stand = Stand::open().await;
    let text = stand.tick(GRACE, "v1").await;
    let read = stand.says(GRACE, &text).await;
    assert_eq!(read["reading"], "nothing");
    assert_eq!(stand.status(GRACE, &stand.offers).await, confirmed());
    assert_eq!(stand.said(GRACE).await, ["pending", "confirmed"]);
    let event = &stand.events(GRACE).await[0];
    assert_eq!(event["road"], "entry_point", "{event}");
    assert_eq!(event["evidence"]["notice"]["id"], stand.notice["id"]);
    assert_eq!(event["evidence"]["ip"], "192.0.2.7", "the page's");
    assert!(stand.arrived(GRACE).await.is_empty(), "who came by a good reference is not asked");
    let reach = stand.reach().await;
    assert_eq!((&reach["opted_in"], &reach["confirmed"]), (&json!(1), &json!(1)), "{reach}");
}

#[tokio::test]
async fn without_a_number_typed_the_opt_in_waits_for_the_message() {
    let stand = Stand::open().await;
    let text = stand.tick("", "v1").await;
    assert_eq!(stand.reach().await["opted_in"], 0);
    stand.says(GRACE, &text).await;
    assert_eq!(stand.status(GRACE, &stand.offers).await, confirmed());
    assert!(stand.arrived(GRACE).await.is_empty(), "who opted in on the page is not asked");
    let reach = stand.reach().await;
    assert_eq!((&reach["opted_in"], &reach["confirmed"]), (&json!(1), &json!(1)), "{reach}");
    stand.says(MALLORY, &text).await;
    assert_eq!(stand.status(MALLORY, &stand.offers).await.0, "never", "it was used up");
}

#[tokio::test]
async fn from_another_number_nothing_is_confirmed_and_the_claim_stays_pending() {
    let stand = Stand::open().await;
    let text = stand.tick(GRACE, "v1").await;
    stand.says(MALLORY, &text).await;
    assert_eq!(stand.status(MALLORY, &stand.offers).await.0, "never");
    assert_eq!(stand.status(GRACE, &stand.offers).await, pending());
    assert_eq!(stand.arrived(MALLORY).await[0]["text"], "May we send you offers?");
    stand.says(GRACE, &text).await;
    assert_eq!(stand.status(GRACE, &stand.offers).await, confirmed(), "it was not used up");
}

#[tokio::test]
async fn an_edited_text_is_matched_loosely_and_a_missing_reference_is_an_ordinary_message() {
    let edits: [fn(&str) -> String; 5] = [
        |text| text.to_lowercase(),
        |text| text.replace('0', "O").replace('1', "l"),
        |text| text.replace('-', " ").replace("Hello", "Hi there"),
        |text| text.replace("(ref ", "ref: ").replace(')', ", thanks"),
        |text| text.replace("Hello, I saw your poster ", ""),
    ];
    for edit in edits {
        let stand = Stand::open().await;
        let text = edit(&stand.tick(GRACE, "v1").await);
        stand.says(GRACE, &text).await;
        assert_eq!(stand.status(GRACE, &stand.offers).await, confirmed(), "{text}");
    }
    let stand = Stand::open().await;
    stand.tick("", "v1").await;
    stand.says(GRACE, "Hello, I saw your poster").await;
    assert_eq!(stand.status(GRACE, &stand.offers).await.0, "never");
    assert_eq!(stand.arrived(GRACE).await[0]["text"], "May we send you offers?");
}

#[tokio::test]
async fn a_refusal_beside_the_reference_is_obeyed_and_confirms_nothing() {
    for words in ["STOP", "Stop. Thank you", "stop all messages"] {
        let stand = Stand::open().await;
        let text = stand.tick(GRACE, "v1").await.replace("Hello, I saw your poster", words);
        let read = stand.says(GRACE, &text).await;
        assert_eq!(read["reading"], "stop", "{text}");
        assert_eq!(stand.status(GRACE, &stand.offers).await.0, "opted_out", "{text}");
        assert_eq!(stand.reach().await["refused"], 1, "{text}");
    }
}

#[tokio::test]
async fn an_edited_prefill_that_may_deny_leaves_what_was_ticked_pending_and_is_reviewed() {
    for words in [
        "Hello, I saw your poster, but no newsletter please",
        "No offers. Only chat.",
        "Hello, I saw your poster, aber keine Werbung",
    ] {
        let stand = Stand::open().await;
        let ticked = stand.tick(GRACE, "v1").await;
        let text = ticked.replace("Hello, I saw your poster", words);
        let read = stand.says(GRACE, &text).await;
        assert_eq!(read["reading"], "unclear", "{text}");
        let (status, _) = stand.status(GRACE, &stand.offers).await;
        assert!(["under_review", "pending"].contains(&status.as_str()), "{text}: {status}");
        assert!(!stand.said(GRACE).await.contains(&"confirmed".to_owned()), "{text}");
        let reviews = stand.app.get("/v1/reviews?channel=whatsapp").await.json();
        assert_eq!(reviews["reviews"].as_array().unwrap().len(), 1, "{text}");
    }
}

#[tokio::test]
async fn what_was_read_in_a_sentence_may_be_retracted_and_a_stop_may_not() {
    let stand = Stand::open().await;
    stand.says(GRACE, "please stop texting me").await;
    let events = stand.events(GRACE).await;
    let refusal = events.iter().find(|event| event["says"] == "opt_out").unwrap();
    assert_eq!(refusal["road"], "inbound_sentence", "{refusal}");
    assert_eq!(
        refusal["evidence"]["fields"]["sayso:read_from"], "please stop texting me",
        "{refusal}"
    );
    let path = format!("/v1/events/{}/retraction", refusal["id"].as_str().unwrap());
    let retracted = stand.app.post(&path, &json!({ "phone": GRACE })).await;
    assert!(retracted.status.is_success(), "{}", retracted.text);
    assert_ne!(stand.status(GRACE, &stand.offers).await.0, "opted_out");
    stand.says(MALLORY, "STOP").await;
    let events = stand.events(MALLORY).await;
    let refusal = events.iter().find(|event| event["says"] == "opt_out").unwrap();
    let path = format!("/v1/events/{}/retraction", refusal["id"].as_str().unwrap());
    stand.app.post(&path, &json!({ "phone": MALLORY })).await.is_problem("retraction-refused");
}

#[tokio::test]
async fn a_text_in_a_language_without_words_is_reviewed_with_a_sign() {
    let stand = Stand::open().await;
    for _ in 0..2 {
        stand.says(GRACE, "გთხოვთ აღარ გამომიგზავნოთ შეტყობინებები").await;
    }
    let reviews = stand.app.get("/v1/reviews?channel=whatsapp").await.json();
    let reviews = reviews["reviews"].as_array().unwrap();
    assert_eq!(reviews.len(), 1, "{reviews:?}");
    assert_eq!(reviews[0]["because"], "not_understood");
}

#[tokio::test]
async fn whoever_types_the_number_of_somebody_who_refused_lifts_nothing_until_the_number_answers() {
    let stand = Stand::open().await;
    stand.says(GRACE, "STOP").await;
    stand.app.advance(Span::seconds(1));
    let text = stand.tick(GRACE, "v1").await;
    assert_eq!(stand.said(GRACE).await, ["opt_out", "pending"]);
    assert_eq!(stand.status(GRACE, &stand.offers).await.0, "opted_out");
    let pending = stand.events(GRACE).await.remove(0);
    assert_eq!(pending["evidence"]["fields"]["sayso:doubt"], "unproven", "{pending}");
    stand.app.advance(Span::seconds(1));
    stand.says(GRACE, &text).await;
    assert_eq!(stand.status(GRACE, &stand.offers).await, confirmed());
}

#[tokio::test]
async fn a_reference_is_good_once_and_for_a_week_however_often_its_message_is_told() {
    let stand = Stand::open().await;
    let text = stand.tick(GRACE, "v1").await;
    for _ in 0..2 {
        stand.says_again(GRACE, &text, Some("m-1")).await;
    }
    assert_eq!(stand.said(GRACE).await, ["pending", "confirmed"]);
    assert_eq!(stand.reach().await["confirmed"], 1);
    stand.app.advance(Span::minutes(1));
    stand.says(GRACE, "STOP").await;
    stand.app.advance(Span::minutes(1));
    stand.says(GRACE, &text).await;
    assert_eq!(stand.status(GRACE, &stand.offers).await.0, "opted_out", "it was used up before");

    let late = stand.tick("", "v2").await;
    stand.app.advance(Span::days(7));
    stand.says(MALLORY, &late).await;
    assert_eq!(stand.status(MALLORY, &stand.offers).await.0, "never");
}

#[tokio::test]
async fn the_same_form_sent_twice_is_one_event_and_one_reference() {
    let stand = Stand::open().await;
    let first = stand.tick(GRACE, "v1").await;
    assert_eq!(stand.tick(GRACE, "v1").await, first);
    assert_eq!(stand.said(GRACE).await, ["pending"]);
    assert_ne!(stand.tick(GRACE, "v2").await, first);
    assert_eq!(stand.reach().await["opted_in"], 0, "nothing is proven yet");
}

#[tokio::test]
async fn what_is_wrong_is_shown_with_what_was_sent_and_nothing_is_recorded() {
    let stand = Stand::open().await;
    let nothing = stand.send(&[("visit", "v1"), ("address", GRACE)]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nothing.text.contains("Tick what you want to receive"), "{}", nothing.text);
    assert!(nothing.text.contains(&format!("value=\"{GRACE}\"")), "{}", nothing.text);
    for address in ["123", "+1415555", "nobody", "+1 415 555 26722222222"] {
        let sent = [("visit", "v1"), ("choice", stand.offers.as_str()), ("address", address)];
        let answer = stand.send(&sent).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        assert!(answer.text.contains("This is no phone number"), "{}", answer.text);
        assert_eq!(answer.text.matches(" checked").count(), 1, "{}", answer.text);
    }
    let turkish = stand.send(&[("visit", "v1"), ("choice", "top_x"), ("lang", "tr")]).await;
    assert!(turkish.text.contains("lang=\"en\""), "it is not offered: {}", turkish.text);
    assert_eq!(stand.said(GRACE).await, Vec::<String>::new());
    assert_eq!(stand.reach().await["started"], 0);
}

#[tokio::test]
async fn a_number_that_gets_no_messages_is_told_from_one_that_is_wrong() {
    let stand = Stand::open().await;
    for (number, words) in [
        ("+49 30 12345678", "This is a landline or a service number. On WhatsApp"),
        ("+1 800 555 0123", "This is a landline or a service number. On WhatsApp"),
        ("030 12345678", "This is no phone number"),
        ("+999 1234567", "This is no phone number"),
        ("my number", "This is no phone number"),
    ] {
        let sent = [("visit", "v1"), ("choice", stand.offers.as_str()), ("address", number)];
        let answer = stand.send(&sent).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{number}");
        assert_eq!(answer.text.matches(words).count(), 2, "{number}: {}", answer.text);
        assert!(answer.text.contains(&format!("value=\"{number}\"")), "{}", answer.text);
        assert!(answer.text.contains(" checked"), "the tick stays: {}", answer.text);
    }
    assert_eq!(stand.reach().await["opted_in"], 0);
    let foreign = [("visit", "v1"), ("choice", &*stand.offers), ("address", "+49 1512 3456789")];
    assert_eq!(stand.send(&foreign).await.status, StatusCode::SEE_OTHER, "of any country");
}

#[tokio::test]
async fn a_form_of_another_site_opts_nobody_in() {
    let stand = Stand::open().await;
    let sent = [("visit", "v1"), ("choice", stand.offers.as_str()), ("address", GRACE)];
    let answer = stand.send_with(&sent, &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!answer.text.contains("checked") && !answer.text.contains(GRACE), "{}", answer.text);
    assert_eq!(stand.said(GRACE).await, Vec::<String>::new());
    let own = stand.send_with(&sent, &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(own.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn unknown_closed_and_unreadable_are_pages_in_plain_words() {
    let stand = Stand::open().await;
    for code in ["/e/0000000000", "/e/x", "/e/%20%F0%9F%98%80", "/e/%ff"] {
        let answer = stand.visit("GET", code).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{code}");
        assert!(answer.text.contains("This link leads nowhere"), "{}", answer.text);
    }
    let path = format!("/v1/entry-points/{}", stand.entry["id"].as_str().unwrap());
    assert!(stand.app.delete(&path).await.json()["deleted_at"].is_string());
    for method in ["GET", "POST"] {
        let answer = stand.visit(method, &stand.page()).await;
        assert_eq!(answer.status, StatusCode::GONE, "{method}");
        assert!(answer.text.contains("This is closed"), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_an_error_and_the_same_form_does_it_later() {
    let (app, faulty) = TestApp::faulty().await;
    let stand = Stand::over(app).await;
    let sent = [("visit", "v1"), ("choice", stand.offers.as_str()), ("address", GRACE)];
    // The event, then the reference.
    for calls_before in [0, 1] {
        faulty.fail_after(calls_before, Fault::Unwritable);
        let answer = stand.send(&sent).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{calls_before}");
        assert!(answer.text.contains("Please try again"), "{}", answer.text);
    }
    faulty.heal();
    let text = text_of(&stand.send(&sent).await);
    assert_eq!(stand.said(GRACE).await, ["pending"]);
    stand.says(GRACE, &text).await;
    assert_eq!(stand.status(GRACE, &stand.offers).await, confirmed());
}

#[tokio::test]
async fn a_refusal_is_heard_whatever_becomes_of_references() {
    let (app, faulty) = TestApp::faulty().await;
    let stand = Stand::over(app).await;
    let text = stand.tick(GRACE, "v1").await;
    stand.says(GRACE, "STOP").await;
    assert_eq!(stand.status(GRACE, &stand.offers).await.0, "opted_out");
    // A reference that cannot be read is an error: the provider tells its message again.
    let message = json!({ "sender": stand.sender, "text": text, "message_id": "m-2" });
    let path = format!("/v1/sandbox/phone/messages?phone={}", GRACE.replace('+', "%2B"));
    for calls_before in 0..20 {
        faulty.fail_after(calls_before, Fault::Unwritable);
        let answer = stand.app.post(&path, &message).await;
        faulty.heal();
        if answer.status == StatusCode::CREATED {
            break;
        }
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{calls_before}");
    }
    assert_eq!(stand.status(GRACE, &stand.offers).await, confirmed());
    let said = stand.said(GRACE).await;
    assert_eq!(said, ["pending", "opt_out", "confirmed"], "told again, it is one message");
}

#[tokio::test]
async fn an_entry_point_is_made_once_read_replaced_by_its_next_version_and_deleted() {
    let stand = Stand::open().await;
    let entry = &stand.entry;
    assert_eq!(entry["version"], 1);
    let link = format!("https://consent.example/e/{}", entry["code"].as_str().unwrap());
    assert_eq!(entry["link"], link);
    assert_eq!(
        (&entry["languages"], &entry["source"]),
        (&json!(["en"]), &json!("Poster at the till"))
    );
    let keyed = || {
        let request = stand.app.request("POST", "/v1/entry-points");
        let request =
            request.header("idempotency-key", "poster").header("content-type", "application/json");
        request.body(Body::from(stand.wished().to_string())).unwrap()
    };
    let once = stand.app.send(keyed()).await.json();
    assert_eq!(stand.app.send(keyed()).await.json(), once);
    assert_eq!(
        stand.app.get("/v1/entry-points").await.json()["entry_points"].as_array().unwrap().len(),
        2
    );

    let path = format!("/v1/entry-points/{}", entry["id"].as_str().unwrap());
    let mut other = stand.wished();
    other["topics"] = json!([]);
    other["source"] = json!("till");
    let changed = stand.app.call("PUT", &path, &other).await.json();
    assert_eq!((&changed["version"], &changed["code"]), (&json!(2), &entry["code"]), "{changed}");
    assert_eq!(stand.app.call("PUT", &path, &other).await.json()["version"], 2, "nothing changed");
    let page = stand.visit("GET", &stand.page()).await;
    assert!(page.text.contains("Messages from Harbour Books on WhatsApp"), "{}", page.text);
    let sent = [("visit", "v1"), ("choice", "all"), ("address", GRACE)];
    text_of(&stand.send(&sent).await);
    let mut events = stand.events(GRACE).await;
    assert_eq!(events[0]["about"], "whatsapp category:marketing", "its words cover it (rule 8)");
    let event = events.remove(1);
    assert_eq!(
        (&event["about"], &event["source"]),
        (&json!("whatsapp"), &json!("till")),
        "{event}"
    );
    assert_eq!(event["evidence"]["fields"]["sayso:entry_point_version"], "2");

    assert!(stand.app.delete(&path).await.json()["deleted_at"].is_string());
    assert!(stand.app.get(&path).await.json()["deleted_at"].is_string());
}

#[tokio::test]
async fn an_entry_point_that_cannot_stand_is_refused_by_its_fields() {
    let stand = Stand::open().await;
    let rcs = json!({ "channel": "rcs", "name": "Agent", "address": "agent" });
    let rcs = stand.app.post("/v1/senders", &rcs).await.json()["id"].clone();
    let meta = json!({ "channel": "whatsapp", "name": "Meta", "address": "an app" });
    let meta = stand.app.post("/v1/senders", &meta).await.json()["id"].clone();
    let email_only = stand.app.post("/v1/notices", &json!({ "name": "Mail" })).await.json();
    let email_only = email_only["id"].as_str().unwrap();
    let words = json!({ "version": 1, "language": "en", "text": "Mail me.", "names": [{ "channel": "email" }] });
    stand.app.post(&format!("/v1/notices/{email_only}/versions"), &words).await;
    let nowhere = "snd_01jd6m9k3te5b8r5v3x5y6z7w8";
    for (field, value, pointer, code) in [
        ("name", Value::Null, "/name", "missing-field"),
        ("sender", Value::Null, "/sender", "missing-field"),
        ("sender", json!(nowhere), "/sender", "unknown-sender"),
        ("sender", rcs, "/sender", "invalid-value"),
        ("sender", meta, "/address", "invalid-value"),
        ("address", json!("12"), "/address", "invalid-value"),
        ("topics", json!(["top_01jd6m9k3te5b8r5v3x5y6z7w8"]), "/topics/0", "unknown-topic"),
        ("notice", Value::Null, "/notice", "missing-field"),
        ("notice", json!({ "id": stand.notice["id"], "version": 2 }), "/notice", "unknown-notice"),
        ("notice", json!({ "id": email_only, "version": 1 }), "/notice", "notice-does-not-cover"),
        ("languages", json!(["tr"]), "/languages/0", "unknown-notice"),
        ("languages", json!(["de"]), "/languages/0", "invalid-value"),
        ("languages", json!(["en", "en"]), "/languages/1", "invalid-value"),
        ("prefill", json!("STOP"), "/prefill", "invalid-value"),
        ("prefill", json!("Order K7M2-9QX4"), "/prefill", "invalid-value"),
        ("prefill", json!("x".repeat(257)), "/prefill", "invalid-value"),
        ("business", json!(" "), "/business", "invalid-value"),
        ("widget", json!({ "background": "red" }), "/widget/background", "invalid-value"),
        ("widget", json!({ "background": "#ffff00" }), "/widget/text", "invalid-value"),
        ("widget", json!({ "corner": "middle" }), "/widget/corner", "unknown-word"),
        ("logo", json!("no base64"), "/logo", "invalid-value"),
        ("logo", json!("PHN2Zy8+"), "/logo", "invalid-value"),
        ("logo", json!("AAAA".repeat(4_096)), "/logo", "invalid-value"),
    ] {
        let mut wished = stand.wished();
        wished[field] = value.clone();
        let problem = stand.app.post("/v1/entry-points", &wished).await.json();
        let errors =
            problem["errors"].as_array().unwrap_or_else(|| panic!("{field} {value}: {problem}"));
        let found = errors.iter().find(|error| error["pointer"] == pointer);
        let found = found.unwrap_or_else(|| panic!("{field} {value}: {problem}"));
        assert_eq!(found["code"], code, "{field} {value}: {problem}");
    }
    let path = format!("/v1/entry-points/{}", stand.entry["id"].as_str().unwrap());
    let mut moved = stand.wished();
    moved["sender"] = json!(nowhere);
    let problem = stand.app.call("PUT", &path, &moved).await.json();
    assert_eq!(problem["errors"][0]["pointer"], "/sender", "{problem}");
}

#[tokio::test]
async fn every_rendering_leads_to_the_page_and_none_records_anything() {
    let stand = Stand::open().await;
    let path = format!("/v1/entry-points/{}", stand.entry["id"].as_str().unwrap());
    let svg = stand.app.get(&format!("{path}/qr.svg?size=300&quiet=8&correction=H")).await;
    assert_eq!(svg.headers["content-type"], "image/svg+xml");
    assert!(svg.text.contains("width=\"300\""), "{}", svg.text);
    let png = stand
        .app
        .begin(stand.app.request("GET", &format!("{path}/qr.png")).body(Body::empty()).unwrap())
        .await;
    assert_eq!(png.headers()["content-type"], "image/png");
    let sheet = stand.app.get(&format!("{path}/sheet.svg")).await;
    let code = stand.entry["code"].as_str().unwrap();
    assert!(sheet.text.contains(&format!(">consent.example/e/{code}<")), "{}", sheet.text);
    assert!(sheet.text.contains("Chat with us on WhatsApp"), "{}", sheet.text);
    let pasted = stand.app.get(&format!("{path}/code?language=en")).await.json();
    assert_eq!(pasted["link"], format!("https://consent.example/e/{code}"));
    assert_eq!(pasted["chat"], "https://wa.me/15550100900?text=Hello%2C%20I%20saw%20your%20poster");
    let widget = pasted["widget"].as_str().unwrap();
    assert!(widget.contains(&format!("href=\"https://consent.example/e/{code}\"")), "{widget}");
    for (query, pointer) in [
        ("qr.svg?size=63", "?size"),
        ("qr.png?size=4097", "?size"),
        ("qr.png?size=64&quiet=16&correction=H", "?size"),
        ("qr.png?quiet=3", "?quiet"),
        ("qr.png?quiet=17", "?quiet"),
        ("qr.svg?correction=X", "?correction"),
        ("sheet.svg?language=tr", "?language"),
    ] {
        let problem = stand.app.get(&format!("{path}/{query}")).await.json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}: {problem}");
    }
    let reach = stand.reach().await;
    assert_eq!(
        reach,
        json!({ "shown": 0, "started": 0, "opted_in": 0, "confirmed": 0, "refused": 0 })
    );
}

#[tokio::test]
async fn in_a_live_workspace_nothing_is_printed_for_a_host_that_a_request_names() {
    for (mode, url, status) in [
        (Mode::Live, None, StatusCode::CONFLICT),
        (Mode::Live, Some("https://consent.example"), StatusCode::OK),
        (Mode::Test, None, StatusCode::OK),
    ] {
        let mut options = Options::with_rates(plenty());
        options.outside.url = url.map(Box::from);
        let mut app = TestApp::with_options(options).await;
        app.workspace = app.store.create_workspace("shop", mode).await.unwrap();
        app.key = app.make_key("all", KeyScope::ALL, Standing::Act).await;
        let stand = Stand::over(app).await;
        let path = format!("/v1/entry-points/{}", stand.entry["id"].as_str().unwrap());
        for drawing in ["qr.svg", "qr.png", "sheet.svg", "code"] {
            let request = stand.app.request("GET", &format!("{path}/{drawing}"));
            let request = request.header("host", "evil.example").body(Body::empty()).unwrap();
            let answer = stand.app.send(request).await;
            assert_eq!(answer.status, status, "{drawing}: {}", answer.text);
            if status == StatusCode::CONFLICT {
                let problem = answer.is_problem("public-url-required");
                assert!(problem["detail"].as_str().unwrap().contains("server.public_url"));
            } else if url.is_some() {
                assert!(!answer.text.contains("evil.example"), "{drawing}");
            }
        }
    }
}

/// One red pixel.
const LOGO: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

#[tokio::test]
async fn a_logo_stands_in_every_rendering_of_the_code_and_asks_for_the_highest_correction() {
    let stand = Stand::open().await;
    let path = format!("/v1/entry-points/{}", stand.entry["id"].as_str().unwrap());
    assert_eq!(stand.app.get(&path).await.json().get("logo"), None);
    let mut wished = stand.wished();
    wished["logo"] = json!(LOGO);
    let changed = stand.app.call("PUT", &path, &wished).await.json();
    assert_eq!((&changed["logo"], &changed["version"]), (&json!(LOGO), &json!(2)));
    assert_eq!(stand.app.get(&path).await.json()["logo"], LOGO);
    for drawing in ["qr.svg", "qr.svg?correction=H", "sheet.svg"] {
        let svg = stand.app.get(&format!("{path}/{drawing}")).await.text;
        assert!(svg.contains(&format!("href=\"data:image/png;base64,{LOGO}\"")), "{svg}");
    }
    for drawing in ["qr.svg", "qr.png"] {
        let problem = stand.app.get(&format!("{path}/{drawing}?correction=M")).await.json();
        assert_eq!(problem["errors"][0]["pointer"], "?correction", "{problem}");
        assert_eq!(problem["errors"][0]["example"], "H", "{problem}");
    }
    assert_eq!(stand.app.get(&format!("{path}/qr.png")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_sms_and_an_email_sender_have_links_of_their_own() {
    let stand = Stand::open().await;
    for (channel, address, chat) in [
        ("sms", "12345", "sms:12345?body=Hello"),
        ("sms", "+1 555 010 0901", "sms:+15550100901?body=Hello"),
        ("email", "hello@shop.example", "mailto:hello@shop.example?body=Hello"),
    ] {
        let sender = json!({ "channel": channel, "name": "Other", "address": address });
        let sender = stand.app.post("/v1/senders", &sender).await.json()["id"].clone();
        let entry = json!({ "name": "Other", "sender": sender, "notice": { "id": stand.notice["id"], "version": 1 } });
        let entry = stand.app.post("/v1/entry-points", &entry).await.json();
        let path = format!("/v1/entry-points/{}/code", entry["id"].as_str().unwrap());
        assert_eq!(stand.app.get(&path).await.json()["chat"], chat);
        let page = format!("/e/{}", entry["code"].as_str().unwrap());
        let shown = stand.visit("GET", &page).await;
        assert_eq!(shown.text.contains("type=\"email\""), channel == "email", "{}", shown.text);
        let without =
            Request::builder().method("POST").uri(&page).body(Body::from("choice=all")).unwrap();
        let answer = stand.app.send(without).await;
        // No message of ours comes in by email, so an address is needed there.
        let expected = if channel == "email" {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::SEE_OTHER
        };
        assert_eq!(answer.status, expected, "{channel}: {}", answer.text);
    }
}

#[tokio::test]
async fn who_is_known_and_who_is_not_get_the_same_answer() {
    let stand = Stand::open().await;
    stand.tick(GRACE, "v0").await;
    let sent = |address| [("visit", "v1"), ("choice", "top_none"), ("address", address)];
    let known = stand.send(&sent(GRACE)).await;
    let unknown = stand.send(&sent(MALLORY)).await;
    assert_eq!(known.text.replace(GRACE, ""), unknown.text.replace(MALLORY, ""));
    let [known, unknown] = [stand.tick(GRACE, "v1").await, stand.tick(MALLORY, "v1").await];
    assert_eq!(known.len(), unknown.len());
}

#[tokio::test]
async fn a_refusal_by_any_road_is_counted_once_of_the_entry_point_that_the_person_came_from() {
    let stand = Stand::open().await;
    let refused = async || stand.reach().await["refused"].clone();
    let opt_in = async |visit: &str| {
        stand.app.advance(Span::minutes(1));
        let text = stand.tick(GRACE, visit).await;
        stand.says(GRACE, &text).await;
        assert_eq!(stand.status(GRACE, &stand.offers).await, confirmed());
        stand.app.advance(Span::minutes(1));
    };
    let by_api = async |phone: &str| {
        let no = json!({ "phone": phone, "channel": "whatsapp", "statement": "opt_out", "standing": "act" });
        let answer = stand.app.post("/v1/consents", &no).await;
        assert!(answer.status.is_success(), "{}", answer.text);
    };
    let links = json!({ "phone": GRACE, "channel": "whatsapp" });
    let links = stand.app.links_for(&links).await;
    by_api(MALLORY).await;
    assert_eq!(refused().await, 0, "nobody came from there yet");

    opt_in("v1").await;
    by_api(GRACE).await;
    assert_eq!(refused().await, 1, "by the API");
    by_api(GRACE).await;
    stand.app.submit(&links.one_click, &[]).await;
    stand.says(GRACE, "STOP").await;
    assert_eq!(refused().await, 1, "and once, however often they say it");

    opt_in("v2").await;
    let channel = [("act", "stop_channel"), ("channel", "whatsapp")];
    stand.app.submit(&links.preferences, &channel).await;
    assert_eq!(refused().await, 2, "by the preference centre");
    opt_in("v3").await;
    stand.app.submit(&links.one_click, &[]).await;
    assert_eq!(refused().await, 3, "by one click");
    opt_in("v4").await;
    stand.app.submit(&links.preferences, &[("act", "refuse_processing")]).await;
    stand.says(GRACE, "STOP").await;
    assert_eq!(refused().await, 4, "by refusing that their data is used");
}

/// A text as Meta tells it, from a person whose phone and id it names.
fn told_by_meta(id: &str, text: &str) -> String {
    let message = json!({
        "id": id, "timestamp": "1795255201", "type": "text", "text": { "body": text },
        "from": "14155552672", "from_user_id": "US.131",
    });
    let metadata =
        json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
    let value =
        json!({ "messaging_product": "whatsapp", "metadata": metadata, "messages": [message] });
    let changes = json!([{ "field": "messages", "value": value }]);
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] })
        .to_string()
}

#[tokio::test]
async fn a_message_told_by_meta_confirms_for_the_phone_and_the_id_and_a_replay_changes_nothing() {
    let Shop { app, connection, provider: _provider, .. } = Shop::at("meta").await;
    let sender = app.get("/v1/senders").await.json()["senders"][0]["id"].clone();
    let notice = app.notice(&[]).await["id"].clone();
    let entry = json!({
        "name": "Parcel", "sender": sender, "address": "+1 555 010 0900",
        "notice": { "id": notice, "version": 1 },
    });
    let entry = app.post("/v1/entry-points", &entry).await.json();
    assert_eq!(entry["address"], "+15550100900", "{entry}");
    let form = Request::builder()
        .method("POST")
        .uri(format!("/e/{}", entry["code"].as_str().unwrap()))
        .body(Body::from("visit=v1&choice=all&address=%2B14155552672"))
        .unwrap();
    let text = text_of(&app.send(form).await);
    let body = told_by_meta("wamid.1", &text);
    let told = async || {
        let request = Request::builder()
            .method("POST")
            .uri(format!("/hooks/{connection}"))
            .header("x-hub-signature-256", meta_signature(&body));
        app.send(request.body(Body::from(body.clone())).unwrap()).await
    };
    assert_eq!(told().await.status, StatusCode::OK);
    for who in ["phone=%2B14155552672", "channel_id=US.131"] {
        let events = app.get(&format!("/v1/events?{who}")).await;
        let says = events.json()["events"].clone();
        let confirmed =
            |event: &Value| event["says"] == "confirmed" && event["about"] == "whatsapp";
        assert!(says.as_array().unwrap().iter().any(confirmed), "{who}: {says}");
        assert_eq!(told().await.status, StatusCode::OK);
        assert_eq!(app.get(&format!("/v1/events?{who}")).await.text, events.text, "{who}");
    }
}
