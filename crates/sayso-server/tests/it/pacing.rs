//! Quiet hours and frequency caps as answers of `/v1/check` and `/v1/messages` (rule 24).

use axum::http::StatusCode;
use sayso_core::time::{Span, Timestamp};
use serde_json::{Value, json};

use crate::support::{TestApp, act};

/// A number of the United States, which reach from Puerto Rico's neighbors to the Aleutians.
const ADA: &str = "+14155552671";
const BOB: &str = "+14155552672";

/// When it is eight in the morning in the last zone of the United States.
const MORNING: &str = "2026-11-21T18:00:00.000000Z";

/// A server with a sender on SMS and one on WhatsApp, both by simulated phones; Ada agreed to SMS.
async fn shop(settings: &Value) -> TestApp {
    let app = TestApp::start().await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    for channel in ["sms", "whatsapp"] {
        let sender = json!({ "channel": channel, "name": "Shop", "address": "12345", "connection": connection });
        assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    }
    agree(&app, ADA, "sms").await;
    put(&app, settings).await;
    app
}

async fn agree(app: &TestApp, phone: &str, channel: &str) {
    let notice = app.notice(&[]).await;
    let mut yes = act(phone, "opt_in", "2026-11-21T09:00:00Z", &notice);
    yes["channel"] = channel.into();
    assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
}

async fn put(app: &TestApp, settings: &Value) {
    app.reset_settings().await;
    let answer = app.call("PUT", "/v1/settings", settings).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

fn night() -> Value {
    json!({ "quiet_hours": { "sms": { "from": "21:00", "to": "08:00" } } })
}

fn one_a_day() -> Value {
    json!({ "frequency_caps": [{ "category": "marketing", "messages": 1, "hours": 24 }] })
}

async fn ask(app: &TestApp, phone: &str, more: &Value) -> Value {
    let mut question = json!({ "channel": "sms", "phone": phone });
    let fields = more.as_object().unwrap().clone();
    question.as_object_mut().unwrap().extend(fields);
    app.post("/v1/check", &question).await.json()
}

fn hello(more: &Value) -> Value {
    let mut message = json!({ "to": ADA, "channel": "sms", "text": "Hello. STOP ends it." });
    let fields = more.as_object().unwrap().clone();
    message.as_object_mut().unwrap().extend(fields);
    message
}

async fn send(app: &TestApp, message: &Value) -> Value {
    let answer = app.post("/v1/messages", message).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    answer.json()
}

async fn read(app: &TestApp, message: &Value) -> Value {
    app.get(&format!("/v1/messages/{}", message["id"].as_str().unwrap())).await.json()
}

/// Moves the clock to a time.
fn go_to(app: &TestApp, at: &str) {
    let now = Timestamp::parse(&app.now()).unwrap();
    let at = Timestamp::parse(at).unwrap();
    app.advance(Span::micros(at.as_micros() - now.as_micros()));
}

#[tokio::test]
async fn a_check_by_night_says_when_the_night_is_over() {
    let app = shop(&night()).await;
    let held = json!({ "decision": "deny", "reason": "quiet_hours", "reasons": ["quiet_hours"], "retry_at": MORNING });
    assert_eq!(ask(&app, ADA, &json!({})).await, held);
    assert_eq!(ask(&app, ADA, &json!({ "explain": true })).await["retry_at"], MORNING);
    let berlin = json!({ "time_zone": "europe/berlin" });
    assert_eq!(ask(&app, ADA, &berlin).await["decision"], "allow", "it is eleven there");
    let utility = json!({ "category": "utility" });
    assert_eq!(ask(&app, ADA, &utility).await["decision"], "allow", "marketing waits alone");
    let stranger = ask(&app, BOB, &json!({})).await;
    assert_eq!(stranger["reasons"], json!(["no_opt_in", "quiet_hours"]));
    go_to(&app, "2026-11-21T17:59:59Z");
    assert_eq!(ask(&app, ADA, &json!({})).await, held);
    go_to(&app, MORNING);
    assert_eq!(ask(&app, ADA, &json!({})).await["decision"], "allow");
}

#[tokio::test]
async fn a_profile_says_where_the_person_is_and_a_number_where_they_may_be() {
    let app = shop(&night()).await;
    let profile = |zone: &str| json!({ "phone": ADA, "attributes": { "time_zone": zone } });
    let problem =
        app.post("/v1/profiles", &profile("Berlin")).await.is_problem("unknown-time-zone");
    assert_eq!(problem["errors"][0]["pointer"], "/attributes/time_zone");
    assert_eq!(problem["errors"][0]["example"], "Europe/Berlin");
    assert_eq!(app.post("/v1/profiles", &profile("Europe/Berlin")).await.status, StatusCode::OK);
    assert_eq!(ask(&app, ADA, &json!({})).await["decision"], "allow");
    let hawaii = json!({ "time_zone": "Pacific/Honolulu" });
    assert_eq!(ask(&app, ADA, &hawaii).await["reason"], "quiet_hours", "the caller knows better");
    let wrong = json!({ "channel": "sms", "phone": ADA, "time_zone": "+02:00" });
    let problem = app.post("/v1/check", &wrong).await.is_problem("unknown-time-zone");
    assert_eq!(problem["errors"][0]["pointer"], "/time_zone");
    // Nobody knows where an email address is: at every hour it is night somewhere.
    put(&app, &json!({ "quiet_hours": { "email": { "from": "21:00", "to": "08:00" } } })).await;
    let mail = json!({ "channel": "email", "email": "ada@example.com" });
    let answer = app.post("/v1/check", &mail).await.json();
    assert_eq!(answer["reasons"], json!(["no_opt_in", "quiet_hours"]));
    assert!(answer.get("retry_at").is_none(), "no end is in sight: {answer}");
    let mut home = json!({ "quiet_hours": { "email": { "from": "21:00", "to": "08:00" } } });
    home["region"] = "DE".into();
    put(&app, &home).await;
    assert_eq!(app.post("/v1/check", &mail).await.json()["reasons"], json!(["no_opt_in"]));
}

#[tokio::test]
async fn an_earlier_moment_is_judged_by_the_quiet_hours_of_then_and_by_no_cap() {
    let app = shop(&json!({})).await;
    let before = app.now();
    let both = json!({ "quiet_hours": night()["quiet_hours"], "frequency_caps": one_a_day()["frequency_caps"] });
    put(&app, &both).await;
    let berlin = json!({ "time_zone": "Europe/Berlin" });
    send(&app, &hello(&berlin)).await;
    assert_eq!(app.send_due().await, 1);
    app.advance(Span::seconds(1));
    let after = app.now();
    assert_eq!(
        ask(&app, ADA, &json!({})).await["reasons"],
        json!(["quiet_hours", "frequency_cap"])
    );
    let then = ask(&app, ADA, &json!({ "as_of": after })).await;
    assert_eq!((&then["reasons"], &then["retry_at"]), (&json!(["quiet_hours"]), &json!(MORNING)));
    assert_eq!(ask(&app, ADA, &json!({ "as_of": before })).await["decision"], "allow");
}

#[tokio::test]
async fn a_batch_knows_quiet_hours_and_caps() {
    let app = shop(&night()).await;
    let german = "+4915123456789";
    agree(&app, german, "sms").await;
    let batch = |more: &str| json!({ "channel": "sms", "to": [ADA, BOB, german], "detail": more });
    let answer = app.post("/v1/check/batch", &batch("compact")).await.json();
    assert_eq!(answer["answers"], json!(["quiet_hours", "no_opt_in", "allow"]));
    let answer = app.post("/v1/check/batch", &batch("reasons")).await.json();
    assert_eq!(answer["answers"], json!([["quiet_hours"], ["no_opt_in", "quiet_hours"], []]));
    let mut tokyo = batch("compact");
    tokyo["time_zone"] = "Asia/Tokyo".into();
    let answer = app.post("/v1/check/batch", &tokyo).await.json();
    assert_eq!(answer["answers"], json!(["allow", "no_opt_in", "allow"]), "it is seven there");
    put(&app, &one_a_day()).await;
    send(&app, &hello(&json!({}))).await;
    assert_eq!(app.send_due().await, 1);
    let answer = app.post("/v1/check/batch", &batch("compact")).await.json();
    assert_eq!(answer["answers"], json!(["frequency_cap", "no_opt_in", "allow"]));
}

#[tokio::test]
async fn a_message_by_night_waits_for_the_morning_and_goes() {
    let app = shop(&night()).await;
    let queued = send(&app, &hello(&json!({}))).await;
    assert_eq!((&queued["state"], &queued["retry_at"]), (&json!("queued"), &json!(MORNING)));
    assert_eq!(queued["reasons"], json!(["quiet_hours"]));
    assert_eq!(app.send_due().await, 0);
    let waits = read(&app, &queued).await;
    assert_eq!(
        (&waits["state"], &waits["decision"]["retry_at"]),
        (&json!("queued"), &json!(MORNING))
    );
    assert_eq!(waits["decision"]["reasons"], json!(["quiet_hours"]));
    go_to(&app, "2026-11-21T17:59:59Z");
    assert_eq!(app.send_due().await, 0);
    go_to(&app, MORNING);
    assert_eq!(app.send_due().await, 1);
    let sent = read(&app, &queued).await;
    assert_eq!(
        (&sent["state"], &sent["decision"]["decision"]),
        (&json!("delivered"), &json!("allow"))
    );
    assert!(sent.get("retry_at").is_none() && sent.get("reasons").is_none(), "{sent}");
}

#[tokio::test]
async fn a_message_that_waits_for_the_morning_goes_when_the_nights_are_no_longer_quiet() {
    let app = shop(&night()).await;
    let message = send(&app, &hello(&json!({}))).await;
    assert_eq!(app.send_due().await, 0);
    assert_eq!(read(&app, &message).await["retry_at"], MORNING);
    put(&app, &json!({})).await;
    assert_eq!(app.send_due().await, 1);
    assert_eq!(read(&app, &message).await["state"], "delivered");
}

#[tokio::test]
async fn a_message_that_is_of_no_use_in_the_morning_is_not_taken() {
    let app = shop(&night()).await;
    let short = hello(&json!({ "expires_at": "2026-11-21T17:00:00Z" }));
    let problem = app.post("/v1/messages", &short).await.is_problem("message-not-allowed");
    assert_eq!(problem["decision"]["retry_at"], MORNING);
    assert!(problem["detail"].as_str().unwrap().contains(MORNING), "{problem}");
    let here =
        hello(&json!({ "expires_at": "2026-11-21T17:00:00Z", "time_zone": "Europe/Berlin" }));
    assert!(send(&app, &here).await.get("retry_at").is_none());
    assert_eq!(app.send_due().await, 1);
}

#[tokio::test]
async fn a_message_whose_night_begins_before_its_turn_waits_or_comes_to_its_end() {
    let app = shop(&night()).await;
    let here = json!({ "time_zone": "Europe/Berlin" });
    let long = send(&app, &hello(&here)).await;
    let short = json!({ "time_zone": "Europe/Berlin", "expires_at": "2026-11-22T06:00:00Z" });
    let short = send(&app, &hello(&short)).await;
    // Nobody claimed them by day.
    go_to(&app, "2026-11-21T20:30:00Z");
    assert_eq!(app.send_due().await, 0);
    let waits = read(&app, &long).await;
    assert_eq!(waits["retry_at"], "2026-11-22T07:00:00.000000Z", "{waits}");
    assert_eq!(read(&app, &short).await["decision"]["reasons"], json!(["quiet_hours"]));
    assert!(read(&app, &short).await.get("retry_at").is_none(), "it is of no use by then");
    go_to(&app, "2026-11-22T06:00:00Z");
    assert_eq!(app.send_due().await, 0);
    let short = read(&app, &short).await;
    assert_eq!((&short["state"], &short["failure"]), (&json!("failed"), &json!("expired")));
    go_to(&app, "2026-11-22T07:00:00Z");
    assert_eq!(app.send_due().await, 1);
}

#[tokio::test]
async fn the_second_message_of_a_day_waits_for_the_next() {
    let app = shop(&one_a_day()).await;
    let patient = hello(&json!({ "expires_at": "2026-11-30T00:00:00Z" }));
    let [first, second] = [send(&app, &patient).await, send(&app, &patient).await];
    assert!(second.get("retry_at").is_none(), "nothing was sent yet");
    assert_eq!(app.send_due().await, 1, "claimed together, one goes");
    let sent = read(&app, &first).await;
    let over = Timestamp::parse(sent["decided_at"].as_str().unwrap()).unwrap().plus(Span::days(1));
    let over = json!(over.to_string());
    let waits = read(&app, &second).await;
    assert_eq!((&waits["reasons"], &waits["retry_at"]), (&json!(["frequency_cap"]), &over));
    let answer = ask(&app, ADA, &json!({})).await;
    assert_eq!((&answer["reason"], &answer["retry_at"]), (&json!("frequency_cap"), &over));
    assert_eq!(ask(&app, ADA, &json!({ "category": "utility" })).await["decision"], "allow");
    let hasty = hello(&json!({ "expires_at": "2026-11-22T09:00:00Z" }));
    let third = app.post("/v1/messages", &hasty).await;
    let problem = third.is_problem("message-not-allowed");
    assert_eq!(problem["decision"]["retry_at"], over, "it is of no use by then: {problem}");
    app.advance(Span::days(1));
    let later = send(&app, &patient).await;
    assert_eq!(app.send_due().await, 1, "the cap is one again");
    let states =
        [read(&app, &second).await, read(&app, &later).await].map(|it| it["state"].clone());
    assert!(states.contains(&json!("delivered")), "{states:?}");
}

#[tokio::test]
async fn what_the_person_asked_for_goes_at_any_hour_and_beyond_any_cap() {
    let app = shop(
        &json!({ "frequency_caps": [{ "category": "authentication", "messages": 1, "hours": 1 }] }),
    )
    .await;
    let code = |asked: bool| {
        let mut code = hello(&json!({ "category": "authentication" }));
        if asked {
            code["requested_at"] = app.now().into();
        }
        code
    };
    send(&app, &code(false)).await;
    assert_eq!(app.send_due().await, 1);
    assert!(send(&app, &code(false)).await["retry_at"].is_string(), "of its own accord, it waits");
    assert!(send(&app, &code(true)).await.get("retry_at").is_none());
    assert_eq!(app.send_due().await, 1);
}

#[tokio::test]
async fn of_several_channels_the_first_that_is_free_now_wins_else_the_one_that_is_free_first() {
    let app = shop(&night()).await;
    agree(&app, ADA, "whatsapp").await;
    let several =
        json!({ "channel": ["sms", "whatsapp"], "template": { "name": "hello" }, "text": null });
    let goes = send(&app, &hello(&several)).await;
    assert_eq!((&goes["channel"], goes.get("retry_at")), (&json!("whatsapp"), None));
    assert_eq!(app.send_due().await, 1);
    let nights = |sms: &str, whatsapp: &str| {
        json!({ "quiet_hours": {
        "sms": { "from": "21:00", "to": sms }, "whatsapp": { "from": "21:00", "to": whatsapp },
    } })
    };
    put(&app, &nights("09:00", "08:00")).await;
    let waits = send(&app, &hello(&several)).await;
    assert_eq!((&waits["channel"], &waits["retry_at"]), (&json!("whatsapp"), &json!(MORNING)));
    put(&app, &nights("08:00", "09:00")).await;
    let waits = send(&app, &hello(&several)).await;
    assert_eq!((&waits["channel"], &waits["retry_at"]), (&json!("sms"), &json!(MORNING)));
    // By the morning SMS is refused: it goes by the other, whenever that is free.
    let no =
        json!({ "phone": ADA, "channel": "sms", "statement": "opt_out", "standing": "report" });
    assert_eq!(app.post("/v1/consents", &no).await.status, StatusCode::CREATED);
    go_to(&app, MORNING);
    app.send_due().await;
    let waits = read(&app, &waits).await;
    assert_eq!((&waits["channel"], &waits["state"]), (&json!("whatsapp"), &json!("queued")));
    go_to(&app, "2026-11-21T19:00:00Z");
    assert!(app.send_due().await >= 1);
    assert_eq!(read(&app, &waits).await["state"], "delivered");
}

#[tokio::test]
async fn who_was_erased_gets_nothing_and_what_they_got_still_counts_for_nobody_else() {
    let app = shop(&one_a_day()).await;
    agree(&app, BOB, "sms").await;
    send(&app, &hello(&json!({ "time_zone": "Europe/Berlin" }))).await;
    assert_eq!(app.send_due().await, 1);
    let waits = json!({ "to": ADA, "channel": "sms", "text": "Hello. STOP ends it.", "expires_at": "2026-12-01T00:00:00Z", "time_zone": "Europe/Berlin" });
    let waits = send(&app, &waits).await;
    assert_eq!(
        app.post("/v1/erasures", &json!({ "phone": ADA })).await.status,
        StatusCode::CREATED
    );
    assert_eq!(ask(&app, ADA, &json!({})).await["reason"], "suppressed");
    assert_eq!(ask(&app, BOB, &json!({})).await["decision"], "allow");
    app.advance(Span::days(2));
    assert_eq!(app.send_due().await, 0);
    assert_eq!(read(&app, &waits).await["state"], "refused");
}
