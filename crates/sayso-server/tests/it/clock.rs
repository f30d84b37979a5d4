//! Case A12: the machine's clock is an hour behind what the store recorded (rule 2).
//!
//! The time of a store never runs backwards, so whatever arrives then is later than what is known,
//! however it arrives, and nobody honest is turned away meanwhile.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::policy::settings::Settings;
use sayso_core::time::{Span, Timestamp};
use sayso_core::workspace::Change;
use sayso_store::configure::configure_now;
use serde_json::{Value, json};

use crate::forms;
use crate::support::links::PHONE;
use crate::support::provider::{Shop, meta_signature};
use crate::support::{TestApp, act, plenty};

const BACK: Span = Span::hours(-1);

fn options() -> sayso_server::app::Options {
    sayso_server::app::Options::with_rates(plenty())
}

/// A statement without a time: a report.
fn undated(phone: &str, statement: &str) -> Value {
    json!({ "phone": phone, "channel": "sms", "statement": statement, "standing": "report" })
}

async fn told(app: &TestApp, statement: &Value) -> Value {
    let answer = app.post("/v1/consents", statement).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json()
}

async fn agrees_now(app: &TestApp, phone: &str) {
    let notice = app.notice(&[]).await;
    told(app, &act(phone, "opt_in", &app.now(), &notice)).await;
    assert_eq!(app.sms(phone).await["decision"], "allow");
}

/// How far the metrics say that the clock is behind.
async fn held_back(app: &TestApp) -> u64 {
    let metrics = app.metrics().await;
    let line = metrics.lines().find(|line| line.starts_with("sayso_store_clock_held_back_us "));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

/// Scenario 57: single@5 · the clock is set back to @3 · out without a time.
#[tokio::test]
async fn a12_scenario_57_a_refusal_without_a_time_counts_although_the_clock_is_behind() {
    let directory = tempfile::tempdir().unwrap();
    let app = TestApp::on_disk(directory.path(), options()).await;
    agrees_now(&app, PHONE).await;
    assert!(held_back(&app).await < 1_000);
    let app = app.restarted(directory.path(), BACK).await;
    let hour = u64::try_from(-BACK.as_micros()).unwrap();
    let behind = held_back(&app).await;
    assert!(behind > hour - 60_000_000 && behind <= hour, "said at once: {behind}");
    told(&app, &undated(PHONE, "opt_out")).await;
    assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
    let events = app.get("/v1/events?phone=%2B14155552671").await.json();
    let at = |of: usize, field: &str| {
        Timestamp::parse(events["events"][of][field].as_str().unwrap()).unwrap()
    };
    assert!(at(0, "occurred_at") > at(1, "occurred_at"), "{events}");
    assert!(at(0, "recorded_at") > at(1, "recorded_at"), "{events}");
    // And so after the clock is right again.
    let app = app.restarted(directory.path(), Span::hours(1)).await;
    assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
    assert!(held_back(&app).await < 60_000_000);
}

#[tokio::test]
async fn a12_a_clock_set_back_while_the_server_runs_is_held_at_once() {
    let app = TestApp::start().await;
    agrees_now(&app, PHONE).await;
    app.advance(Span::days(-300));
    told(&app, &undated(PHONE, "opt_out")).await;
    assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
    let dated = act(PHONE, "opt_out", "2026-11-21T10:00:00Z", &Value::Null);
    told(&app, &dated).await;
    assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
    assert!(held_back(&app).await > 299 * 24 * 3_600_000_000);
}

/// An honest caller's clock is right: for this server it is an hour in the future.
#[tokio::test]
async fn a12_what_callers_date_by_the_right_time_counts_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let app = TestApp::on_disk(directory.path(), options()).await;
    let notice = app.notice(&[]).await;
    agrees_now(&app, PHONE).await;
    let app = app.restarted(directory.path(), BACK).await;
    let right = |minutes: i64| {
        let start = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
        start.plus(Span::minutes(minutes)).to_string()
    };
    let (grace, alan) = ("+14155552672", "+14155552673");
    for (phone, minutes) in [(grace, 20), (alan, 45)] {
        told(&app, &act(phone, "opt_in", &right(minutes), &notice)).await;
        assert_eq!(app.sms(phone).await["decision"], "allow", "{phone}");
    }
    told(&app, &act(PHONE, "opt_out", &right(10), &Value::Null)).await;
    assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
    told(&app, &undated(grace, "opt_out")).await;
    assert_eq!(app.sms(grace).await["reason"], "opted_out");
    // What happened before the opt-in is not lifted by it, and does not lift it.
    told(&app, &act(alan, "opt_out", "2026-11-21T08:00:00Z", &Value::Null)).await;
    assert_eq!(app.sms(alan).await["decision"], "allow");
    // With the clock right again, what lies in the future is a mistake again.
    let app = app.restarted(directory.path(), Span::hours(1)).await;
    let far = act(alan, "opt_in", &right(120), &notice);
    app.post("/v1/consents", &far).await.is_problem("time-in-the-future");
}

#[tokio::test]
async fn a12_a_stop_by_hook_counts_although_the_clock_is_behind() {
    for timestamp in [json!("1795255300"), Value::Null] {
        let directory = tempfile::tempdir().unwrap();
        let app = TestApp::on_disk(directory.path(), Shop::options()).await;
        let mut shop = Shop::over(app, "meta").await;
        let notice = shop.app.notice(&[]).await;
        let mut yes = act(PHONE, "opt_in", "2026-11-21T09:59:00Z", &notice);
        yes["channel"] = "whatsapp".into();
        told(&shop.app, &yes).await;
        shop.app = shop.app.restarted(directory.path(), BACK).await;
        let metadata =
            json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
        let mut message = json!({
            "from": "14155552671", "id": "wamid.stop", "type": "text", "text": { "body": "STOP" },
        });
        if !timestamp.is_null() {
            message["timestamp"] = timestamp.clone();
        }
        let value = json!({
            "messaging_product": "whatsapp", "metadata": metadata, "messages": [message],
        });
        let entry = json!([{ "id": "1", "changes": [{ "field": "messages", "value": value }] }]);
        let body = json!({ "object": "whatsapp_business_account", "entry": entry }).to_string();
        let request = Request::post(format!("/hooks/{}", shop.connection))
            .header("x-hub-signature-256", meta_signature(&body));
        let answer = shop.app.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let ask = json!({ "channel": "whatsapp", "phone": PHONE });
        let decision = shop.app.post("/v1/check", &ask).await.json();
        assert_eq!(decision["reason"], "opted_out", "{timestamp}: {decision}");
    }
}

#[tokio::test]
async fn a12_one_click_counts_although_the_clock_is_behind() {
    let directory = tempfile::tempdir().unwrap();
    let app = TestApp::on_disk(directory.path(), options()).await;
    let link = app.links().await.one_click;
    agrees_now(&app, PHONE).await;
    let app = app.restarted(directory.path(), BACK).await;
    let answer = app.submit(&link, &[("List-Unsubscribe", "One-Click")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
}

/// A box ticked now is later than the refusal before it, and a refusal after it is later still.
#[tokio::test]
async fn a12_a_form_is_later_than_what_was_recorded_before_the_clock_was_set_back() {
    let directory = tempfile::tempdir().unwrap();
    let app = TestApp::on_disk(directory.path(), options()).await;
    let mut shop = forms::Shop::over(app, json!({})).await;
    let before = shop.app.now();
    shop.app = shop.app.restarted(directory.path(), BACK).await;
    let typed = [("phone", PHONE), ("box-whatsapp-all", "yes")];
    let sent = shop.sign_up(&typed).await;
    assert!(sent.status.is_success() || sent.status.is_redirection(), "{}", sent.text);
    let events = shop.events("phone=%2B14155552671").await;
    let ticked = events.first().unwrap_or_else(|| panic!("{}", sent.text));
    // By the second: the store's time goes by its last record, a moment before this.
    assert!(ticked["occurred_at"].as_str().unwrap()[..19] >= before[..19], "{ticked}");
    assert_ne!(shop.status(PHONE).await["reason"], "opted_out");
    let no = json!({ "phone": PHONE, "channel": "whatsapp", "statement": "opt_out", "standing": "report" });
    told(&shop.app, &no).await;
    assert_eq!(shop.status(PHONE).await["reason"], "opted_out");
}

/// A setting that was made before the clock was set back is in force after it.
#[tokio::test]
async fn a12_what_was_configured_last_is_in_force_although_the_clock_is_behind() {
    let directory = tempfile::tempdir().unwrap();
    let app = TestApp::on_disk(directory.path(), options()).await;
    let waived = Settings { require_opt_in: false, ..Settings::default() };
    let change = Change::Settings(waived);
    configure_now(app.store.as_ref(), app.workspace.id, change).await.unwrap();
    let app = app.restarted(directory.path(), BACK).await;
    assert_eq!(app.get("/v1/settings").await.json()["require_opt_in"], false);
}
