//! Policies per channel (rule 6), country packs, the linter, and notices with placeholders.

use axum::http::StatusCode;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::{TestApp, act};

const ADA: &str = "+14155552671";
const ADA_EVENTS: &str = "/v1/events?phone=%2B14155552671";

async fn put(app: &TestApp, settings: &Value) -> Value {
    app.reset_settings().await;
    let answer = app.call("PUT", "/v1/settings", settings).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn strict() -> Value {
    json!({ "policies": { "whatsapp": { "policy": "meta-2020-strict" } } })
}

/// Records an opt-in by act that was collected by this method.
async fn agree(app: &TestApp, channel: &str, method: &str) -> Value {
    let notice = app.notice(&["processing"]).await;
    let mut yes = act(ADA, "opt_in", &app.now(), &notice);
    (yes["channel"], yes["method"]) = (channel.into(), method.into());
    let answer = app.post("/v1/consents", &yes).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    app.advance(Span::minutes(1));
    answer.json()
}

async fn status(app: &TestApp, channel: &str) -> Value {
    let ask = json!({ "phone": ADA, "channel": channel, "explain": true });
    app.post("/v1/check", &ask).await.json()["explanation"]["consent"]["status"].clone()
}

async fn newest(app: &TestApp) -> Value {
    app.get(ADA_EVENTS).await.json()["events"][0].clone()
}

#[tokio::test]
async fn an_opt_in_that_the_policy_does_not_admit_is_pending_and_names_the_policy() {
    let app = TestApp::start().await;
    put(&app, &strict()).await;
    for method in ["WhatsApp keyword", "keyword", "automated question", "a way of our own"] {
        let answer = agree(&app, "whatsapp", method).await;
        assert_eq!(answer["consent"]["status"], "pending", "{method}");
        assert_eq!(answer["doubt"]["reason"], "not_admitted", "{method}");
        let event = newest(&app).await;
        assert_eq!(event["says"], "pending", "{method}");
        let fields = &event["evidence"]["fields"];
        assert_eq!(fields["sayso:policy"], "meta-2020-strict/1", "{method}");
        assert_eq!(fields["sayso:doubt"], "not_admitted", "{method}");
    }
    for method in ["checkbox", "SMS keyword", "paper form", "phone call"] {
        let answer = agree(&app, "whatsapp", method).await;
        assert_eq!(answer["consent"]["status"], "opted_in", "{method}");
        assert_eq!(answer.get("doubt"), None, "{method}");
    }
}

#[tokio::test]
async fn a_later_policy_promotes_nothing() {
    let app = TestApp::start().await;
    put(&app, &strict()).await;
    agree(&app, "whatsapp", "WhatsApp keyword").await;
    put(&app, &json!({})).await;
    assert_eq!(status(&app, "whatsapp").await, "pending");
    app.advance(Span::days(8));
    assert_eq!(status(&app, "whatsapp").await, "never", "a pending lapses");
    agree(&app, "whatsapp", "WhatsApp keyword").await;
    assert_eq!(status(&app, "whatsapp").await, "opted_in");
    put(&app, &strict()).await;
    assert_eq!(status(&app, "whatsapp").await, "opted_in", "it was judged when it was said");
}

#[tokio::test]
async fn an_opt_in_below_the_level_of_its_policy_stays_pending_when_the_policy_is_eased() {
    let app = TestApp::start().await;
    let own = |level: &str| json!({ "policies": { "sms": { "policy": "custom", "ways": ["form"], "least_level": level } } });
    let settings = put(&app, &own("confirmed")).await;
    assert_eq!(settings["least_levels"]["sms"], "confirmed");
    let answer = agree(&app, "sms", "checkbox").await;
    assert_eq!(answer["doubt"]["reason"], "not_admitted");
    put(&app, &own("single")).await;
    assert_eq!(status(&app, "sms").await, "pending");
    let policy = newest(&app).await["evidence"]["fields"]["sayso:policy"].clone();
    assert_eq!(policy.as_str().unwrap().len(), "custom/01234567".len());
}

#[tokio::test]
async fn whatsapp_has_its_rules_of_today_and_other_channels_admit_everything() {
    let app = TestApp::start().await;
    let policies = app.get("/v1/settings").await.json()["policies"].clone();
    assert_eq!(policies.as_object().unwrap().len(), 1);
    assert_eq!(policies["whatsapp"]["policy"], "meta-2024-11");
    agree(&app, "whatsapp", "automated question").await;
    assert_eq!(status(&app, "whatsapp").await, "opted_in");
    let fields = newest(&app).await["evidence"]["fields"].clone();
    assert_eq!(fields, json!({ "sayso:policy": "meta-2024-11/1" }));
    agree(&app, "sms", "keyword").await;
    assert_eq!(status(&app, "sms").await, "opted_in");
    assert_eq!(newest(&app).await["evidence"].get("fields"), None);
}

#[tokio::test]
async fn words_that_do_not_cover_an_opt_in_are_a_fault_whatever_the_policy_says() {
    let app = TestApp::start().await;
    put(&app, &strict()).await;
    let notice = app.notice(&[]).await;
    let mut yes = act(ADA, "opt_in", &app.now(), &notice);
    (yes["channel"], yes["method"]) = ("whatsapp".into(), "keyword".into());
    yes["scope"] = "category:marketing".into();
    assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
    let path = blank_notice(&app).await;
    let version = json!({ "version": 1, "language": "en", "text": "Yes.", "names": [{ "channel": "email" }] });
    let id = app.post(&path, &version).await.json()["id"].clone();
    yes["notice"] = json!({ "id": id, "version": 1, "language": "en" });
    app.post("/v1/consents", &yes).await.is_problem("notice-does-not-cover");
}

#[tokio::test]
async fn a_refusal_asks_no_policy() {
    let app = TestApp::start().await;
    put(&app, &strict()).await;
    let no = json!({ "phone": ADA, "channel": "whatsapp", "statement": "opt_out", "standing": "act", "method": "WhatsApp keyword" });
    let answer = app.post("/v1/consents", &no).await.json();
    assert_eq!(answer["consent"]["status"], "opted_out");
    assert_eq!(newest(&app).await["evidence"].get("fields"), None);
}

/// A server with a sender on SMS, by simulated phones, that asks at the first message.
async fn asking() -> (TestApp, Value) {
    let app = TestApp::start().await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    let notice = app.notice(&["processing"]).await;
    let question = json!({ "text": "May we send you offers?", "yes": "Sure", "no": "Rather not", "notice": notice });
    let sender = json!({ "channel": "sms", "name": "Harbour Books", "address": "12345", "connection": connection, "question": question });
    let sender = app.post("/v1/senders", &sender).await.json()["id"].clone();
    let rule = json!({ "channel": "sms", "is": "BOOKS", "does": "opt_in", "notice": notice });
    assert_eq!(app.post("/v1/rules", &rule).await.status, StatusCode::CREATED);
    (app, sender)
}

async fn says(app: &TestApp, sender: &Value, text: &str) -> Value {
    let path = "/v1/sandbox/phone/messages?phone=%2B14155552671";
    app.post(path, &json!({ "sender": sender, "text": text })).await.json()
}

fn no_thread() -> Value {
    json!({ "policies": { "sms": { "policy": "custom", "ways": ["form", "other_channel"] } } })
}

#[tokio::test]
async fn no_question_is_asked_where_the_policy_admits_no_answer_in_the_thread() {
    let (app, sender) = asking().await;
    put(&app, &no_thread()).await;
    assert_eq!(says(&app, &sender, "Hello").await.get("reply"), None);
    assert_eq!(says(&app, &sender, "START").await.get("reply"), None);
    put(&app, &json!({})).await;
    app.advance(Span::minutes(1));
    assert!(says(&app, &sender, "START").await["reply"].is_string(), "and now it is");
}

#[tokio::test]
async fn a_yes_to_a_question_from_before_the_policy_is_pending_and_gives_no_processing() {
    let (app, sender) = asking().await;
    assert!(says(&app, &sender, "Hello").await["reply"].is_string());
    app.send_due().await;
    app.advance(Span::minutes(1));
    let refuse = |way: &str| json!({ "policy": "custom", "ways": [way] });
    let none = json!({ "policies": { "sms": refuse("form"), "whatsapp": refuse("form"), "email": refuse("form") } });
    put(&app, &none).await;
    assert_eq!(says(&app, &sender, "Sure").await["reading"], "yes");
    assert_eq!(status(&app, "sms").await, "pending");
    let events = app.get(ADA_EVENTS).await.json();
    let said: Vec<&Value> = events["events"].as_array().unwrap().iter().collect();
    let consents: Vec<&&Value> = said.iter().filter(|it| it["says"] == "pending").collect();
    assert_eq!(consents.len(), 6, "each channel, and its marketing: {events}");
    for event in consents {
        assert_eq!(event["evidence"]["fields"]["sayso:doubt"], "not_admitted", "{event}");
    }
    assert!(said.iter().all(|it| it["says"] != "confirmed"), "{events}");
}

#[tokio::test]
async fn a_keyword_in_the_thread_is_pending_until_the_policy_admits_keywords() {
    let (app, sender) = asking().await;
    put(&app, &no_thread()).await;
    let dry = json!({ "channel": "sms", "text": "BOOKS" });
    let dry = app.post("/v1/rules/dry-run", &dry).await.json();
    assert_eq!(dry["statements"][0]["statement"], "pending", "{dry}");
    let about_messages = |it: &Value| it["permission"] == "messages";
    assert!(
        dry["statements"].as_array().unwrap().iter().all(about_messages),
        "no processing: {dry}"
    );
    says(&app, &sender, "BOOKS").await;
    assert_eq!(status(&app, "sms").await, "pending");
    let other = json!({ "policies": { "sms": { "policy": "custom", "ways": ["thread_keyword"] }, "whatsapp": { "policy": "meta-2020-strict" } } });
    put(&app, &other).await;
    app.advance(Span::minutes(1));
    says(&app, &sender, "BOOKS").await;
    assert_eq!(status(&app, "sms").await, "opted_in");
    let events = app.get(ADA_EVENTS).await.json();
    let said = events["events"].as_array().unwrap().iter().filter(|it| it["says"] == "single");
    let policies: Vec<_> =
        said.filter_map(|it| it["evidence"]["fields"]["sayso:policy"].as_str()).collect();
    assert_eq!(
        policies.len(),
        2,
        "SMS and its marketing; processing has no channel, and no policy: {events}"
    );
    assert!(policies[0].starts_with("custom/"), "{events}");
}

#[tokio::test]
async fn settings_refuse_policies_that_cannot_be() {
    let app = TestApp::start().await;
    let wrong = json!({
        "policies": {
            "fax": { "policy": "meta-2024-11" },
            "sms": { "policy": "custom", "ways": [] },
            "email": { "policy": "custom" },
            "rcs": { "policy": "meta-1999" },
            "whatsapp": { "policy": "meta-2020-07", "ways": ["form"], "least_level": "confirmed" },
        },
        "country_packs": ["us", "atlantis"],
    });
    let problem = app.call("PUT", "/v1/settings", &wrong).await.is_problem("invalid-fields");
    let errors = problem["errors"].as_array().unwrap();
    let mut places: Vec<_> = errors.iter().map(|it| it["pointer"].as_str().unwrap()).collect();
    places.sort_unstable();
    let expected = [
        "/country_packs/1",
        "/policies/email/ways",
        "/policies/fax",
        "/policies/rcs/policy",
        "/policies/sms/ways",
        "/policies/whatsapp/least_level",
        "/policies/whatsapp/ways",
    ];
    assert_eq!(places, expected, "{problem}");
    let low = json!({ "least_levels": { "whatsapp": "implied" } });
    let problem = app.call("PUT", "/v1/settings", &low).await.is_problem("invalid-value");
    assert_eq!(problem["errors"][0]["pointer"], "/least_levels/whatsapp");
    assert_eq!(problem["errors"][0]["example"], "single");
}

#[tokio::test]
async fn policies_and_packs_are_listed_with_versions_sources_and_the_day_they_were_checked() {
    let app = TestApp::start().await;
    let all = app.get("/v1/policies").await.json();
    let names = |list: &Value, key: &str| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|it| it[key].as_str().unwrap().to_owned()).collect()
    };
    let presets = ["meta-2020-strict", "meta-2020-07", "meta-2024-11"];
    assert_eq!(names(&all["policies"], "policy"), presets);
    let packs = ["us", "ca", "eu", "uk", "in", "au", "br"];
    assert_eq!(names(&all["country_packs"], "country_pack"), packs);
    let us = &all["country_packs"][0];
    let texas = us["hours"].as_array().unwrap().iter().find(|it| it["region"] == "US-TX").unwrap();
    assert_eq!(texas["open"], "mon-sat 09:00-21:00, sun 12:00-21:00");
    assert_eq!(texas["grounds"]["confidence"], "secondary");
    assert_eq!(texas["grounds"]["checked"], "2026-11-21");
    let source = texas["grounds"]["sources"][0]["url"].as_str().unwrap();
    assert!(source.starts_with("https://"), "{source}");
    assert_eq!(all["country_packs"][1]["implied"][0]["days"], 730);
}

#[tokio::test]
async fn the_linter_says_what_an_offer_lacks_and_who_demands_it() {
    let app = TestApp::start().await;
    put(&app, &strict()).await;
    let offer = json!({ "channels": ["whatsapp"], "way": "thread_keyword", "text": "Get our news!", "flaws": ["pre_ticked"] });
    let answer = app.post("/v1/policies/lint", &offer).await.json();
    let findings = answer["findings"].as_array().unwrap();
    let codes: Vec<_> = findings.iter().map(|it| it["code"].as_str().unwrap()).collect();
    let expected = [
        "business_missing",
        "channel_missing",
        "mark_missing",
        "kinds_missing",
        "number_not_editable",
        "pre_ticked",
        "way_not_admitted",
        "way_out_missing",
    ];
    assert_eq!(codes, expected, "{answer}");
    assert_eq!(answer["errors"], 7);
    assert_eq!(findings[0]["demanded_by"][0]["name"], "meta-2020-strict");
    assert!(findings[0]["advice"].as_str().unwrap().starts_with("Name the business"));
    let whole = json!({
        "channels": ["whatsapp"], "way": "form", "names": ["Ada's Shop"], "shows": ["mark", "number_editable", "kinds"],
        "text": "Yes, Ada's Shop may send me offers on WhatsApp. Reply STOP at any time.",
    });
    let answer = app.post("/v1/policies/lint", &whole).await.json();
    assert_eq!(answer, json!({ "errors": 0, "findings": [] }));
    let strict = json!({ "channels": ["sms"], "country_packs": ["us"] });
    let answer = app.post("/v1/policies/lint", &strict).await.json();
    assert!(answer["errors"].as_u64().unwrap() > 5, "{answer}");
    let wrong = json!({ "channels": [], "shows": ["everything"], "country_packs": ["xx"] });
    let problem = app.post("/v1/policies/lint", &wrong).await.is_problem("invalid-fields");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3, "{problem}");
}

async fn blank_notice(app: &TestApp) -> String {
    let made = app.post("/v1/notices", &json!({ "name": "Box" })).await.json();
    format!("/v1/notices/{}/versions", made["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_notice_is_filled_in_when_it_is_published_and_the_filled_text_is_hashed() {
    let app = TestApp::start().await;
    let (first, second) = (blank_notice(&app).await, blank_notice(&app).await);
    let version = |text: &str, values: Value| json!({ "version": 1, "language": "en", "text": text, "values": values, "names": [{ "channel": "sms" }] });
    let text = "{business} may text me {topics}.";
    let values = json!({ "business": "Ada's {Shop}", "topics": "offers" });
    let filled = app.post(&first, &version(text, values)).await.json();
    let plain = "Ada's {Shop} may text me offers.";
    assert_eq!(filled["versions"][0]["text"], plain);
    let same = version("{business} may text me offers.", json!({ "business": "Ada's {Shop}" }));
    assert_eq!(app.post(&first, &same).await.status, StatusCode::CREATED, "the same words");
    let spoken =
        app.post(&second, &version("Ada's Shop may text me offers.", json!({}))).await.json();
    assert_ne!(filled["versions"][0]["text_sha256"], spoken["versions"][0]["text_sha256"]);
    app.post(&first, &version("{business} writes.", json!({ "business": "Eve" })))
        .await
        .is_problem("version-exists");
}

#[tokio::test]
async fn a_placeholder_that_is_unknown_or_has_no_value_is_refused() {
    let app = TestApp::start().await;
    let path = blank_notice(&app).await;
    let publish = async |text: &str, values: Value| {
        let version = json!({ "version": 1, "language": "en", "text": text, "values": values, "names": [{ "channel": "sms" }] });
        let answer = app.post(&path, &version).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        let error = answer.json()["errors"][0].clone();
        (error["pointer"].as_str().unwrap().to_owned(), error["fault"].as_str().unwrap().to_owned())
    };
    let (place, fault) = publish("From {company}.", json!({})).await;
    assert_eq!(place, "/text");
    assert!(fault.contains("{company}") && fault.contains("{business}, {channels}"), "{fault}");
    assert_eq!(publish("From {business}.", json!({})).await.0, "/values/business");
    assert_eq!(publish("From us.", json!({ "company": "Ada" })).await.0, "/values/company");
    assert_eq!(publish("{terms}", json!({ "terms": " " })).await.0, "/values/terms");
    let long = "x".repeat(1_025);
    assert_eq!(publish("{terms}", json!({ "terms": long })).await.0, "/values/terms");
    let full = "x".repeat(1_024);
    assert_eq!(publish(&"{terms}".repeat(17), json!({ "terms": full })).await.0, "/text");
}

#[tokio::test]
async fn publishing_tells_what_the_words_lack() {
    let app = TestApp::start().await;
    put(&app, &json!({ "country_packs": ["ca"] })).await;
    let path = blank_notice(&app).await;
    let version = |version: u32, text: &str, values: Value| json!({ "version": version, "language": "en", "text": text, "values": values, "names": [{ "channel": "sms" }] });
    let bare = app.post(&path, &version(1, "Yes!", json!({}))).await.json();
    let codes = |answer: &Value| -> Vec<String> {
        let findings = answer["findings"].as_array().into_iter().flatten();
        findings.map(|it| it["code"].as_str().unwrap().to_owned()).collect()
    };
    let lacking = [
        "business_missing",
        "kinds_missing",
        "way_out_missing",
        "contact_missing",
        "channel_missing",
    ];
    assert_eq!(codes(&bare), lacking, "{bare}");
    let text = "{business} may send {topics} by {channels}. Reply STOP. Contact: {contact}";
    let values = json!({ "business": "Ada's Shop", "topics": "offers", "channels": "SMS", "contact": "1 Main Street" });
    let whole = app.post(&path, &version(2, text, values)).await.json();
    assert_eq!(codes(&whole), [""; 0], "{whole}");
}

#[tokio::test]
async fn the_hours_of_a_country_pack_hold_marketing_back_beside_ones_own() {
    let app = TestApp::start().await;
    agree(&app, "sms", "checkbox").await;
    let ask = async |more: Value| {
        let mut question = json!({ "channel": "sms", "phone": ADA });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.post("/v1/check", &question).await.json()
    };
    assert_eq!(ask(json!({})).await["decision"], "allow");
    let settings = put(&app, &json!({ "country_packs": ["us"] })).await;
    assert_eq!(settings["country_packs"], json!(["us"]));
    // Saturday, ten in the morning in London: night in all of the United States.
    let held = ask(json!({})).await;
    assert_eq!(held["reasons"], json!(["quiet_hours"]));
    assert_eq!(held["retry_at"], "2026-11-21T18:00:00.000000Z", "eight in the Aleutians");
    assert_eq!(ask(json!({ "category": "utility" })).await["reasons"], json!([]));
    let profile = json!({ "phone": ADA, "attributes": { "time_zone": "America/New_York" } });
    assert_eq!(app.post("/v1/profiles", &profile).await.status, StatusCode::OK);
    let held = ask(json!({})).await;
    assert_eq!(held["retry_at"], "2026-11-21T15:00:00.000000Z", "ten, as in Rhode Island");
    let profile = json!({ "phone": ADA, "attributes": { "region": "US-NY" } });
    assert_eq!(app.post("/v1/profiles", &profile).await.status, StatusCode::OK);
    assert_eq!(ask(json!({})).await["retry_at"], "2026-11-21T13:00:00.000000Z", "eight");
    let both = json!({ "country_packs": ["us"], "quiet_hours": { "sms": { "from": "07:00", "to": "12:00" } } });
    put(&app, &both).await;
    assert_eq!(ask(json!({})).await["retry_at"], "2026-11-21T17:00:00.000000Z", "the stricter");
}

#[tokio::test]
async fn what_a_relation_implies_ends_when_the_law_of_a_pack_says() {
    let app = TestApp::start().await;
    let implied = |more: Value| {
        let mut body = json!({ "phone": ADA, "channel": "sms", "statement": "implied", "standing": "act", "method": "purchase", "occurred_at": "2026-11-01T00:00:00Z" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let basis = json!({ "basis": "purchase" });
    let problem = app.post("/v1/consents", &implied(basis.clone())).await;
    let problem = problem.is_problem("invalid-fields");
    let places: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|it| &it["pointer"]).collect();
    assert!(places.contains(&&json!("/basis")), "{problem}");
    put(&app, &json!({ "country_packs": ["ca", "us"], "least_levels": { "sms": "implied" } }))
        .await;
    let answer = app.post("/v1/consents", &implied(basis)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(answer.json()["consent"]["status"], "opted_in");
    let event = newest(&app).await;
    assert_eq!(event["ends_at"], "2028-10-31T00:00:00.000000Z", "730 days: {event}");
    assert_eq!(event["evidence"]["fields"]["sayso:basis"], "purchase");
    let wrong = json!({ "statement": "opt_in", "basis": "purchase" });
    let problem = app.post("/v1/consents", &implied(wrong)).await.is_problem("invalid-fields");
    assert!(problem["errors"].as_array().unwrap().iter().any(|it| it["pointer"] == "/basis"));
}
