//! `/v1/double-opt-ins`: an address is proven without a form of ours (rules 3, 4, 5, 14).

use axum::http::StatusCode;
use sayso_core::limits;
use sayso_core::time::Span;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

const PHONE: &str = "+14155552671";

/// What a server of a business sends.
async fn request(app: &TestApp) -> Value {
    let notice = app.notice(&[]).await;
    json!({ "phone": PHONE, "channel": "sms", "method": "checkbox", "notice": notice })
}

async fn ask(app: &TestApp, request: &Value) -> Value {
    let asked = app.post("/v1/double-opt-ins", request).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text);
    asked.json()
}

async fn arrived(app: &TestApp) -> Vec<Value> {
    let phone = app.get("/v1/sandbox/phone?phone=%2B14155552671").await.json();
    phone["messages"].as_array().unwrap().clone()
}

/// The six digits that arrived last.
async fn code(app: &TestApp) -> String {
    let text = arrived(app).await[0]["text"].as_str().unwrap().to_owned();
    let mut words = text.split(|it: char| !it.is_ascii_digit());
    words.find(|word| word.len() == 6).unwrap().to_owned()
}

async fn answer(app: &TestApp, asked: &Value, code: &str) -> Answer {
    let path = format!("/v1/double-opt-ins/{}/answer", asked["id"].as_str().unwrap());
    app.post(&path, &json!({ "code": code })).await
}

#[tokio::test]
async fn a_number_is_proven_by_the_code_that_it_was_sent() {
    let app = TestApp::start().await;
    let asked = ask(&app, &request(&app).await).await;
    assert_eq!((&asked["state"], &asked["channel"]), (&json!("simulated"), &json!("sms")));
    assert_eq!(app.sms(PHONE).await["reason"], "pending");
    let code = code(&app).await;
    assert!(!asked.to_string().contains(&code), "the caller is not told: {asked}");
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answered = answer(&app, &asked, &code).await;
        assert_eq!(answered.status, StatusCode::OK, "{}", answered.text);
        assert_eq!(answered.json()["state"], "confirmed");
        answers.push(answered.json()["events"].clone());
        app.advance(Span::minutes(1));
    }
    assert_eq!(answers[0], answers[1], "the same answer is the same event");
    assert_eq!(app.sms(PHONE).await["decision"], "allow");
    let events = app.get("/v1/events?phone=%2B14155552671").await.json();
    let (confirmed, pending) = (&events["events"][0], &events["events"][1]);
    assert_eq!((&confirmed["says"], &pending["says"]), (&json!("confirmed"), &json!("pending")));
    assert_eq!((&confirmed["road"], &confirmed["source"]), (&json!("api"), &json!("test")));
    assert_eq!(confirmed["evidence"]["fields"]["sayso:pending_event"], pending["id"]);
    assert_eq!(pending["evidence"]["method"], "checkbox");
}

#[tokio::test]
async fn a_wrong_code_says_how_many_tries_are_left() {
    let app = TestApp::start().await;
    let asked = ask(&app, &request(&app).await).await;
    let right = code(&app).await;
    let wrong = if right.starts_with('0') { "111111" } else { "000000" };
    for left in ["4 tries are left", "3 tries", "2 tries", "1 try is left", "no try is left"] {
        let problem = answer(&app, &asked, wrong).await.is_problem("wrong-code");
        assert!(problem["detail"].as_str().unwrap().starts_with(left), "{problem}");
    }
    answer(&app, &asked, &right).await.is_problem("wrong-code");
    answer(&app, &asked, "12345").await.is_problem("invalid-value");
    app.advance(limits::LAPSE_OF_PENDING);
    answer(&app, &asked, &right).await.is_problem("wrong-code");
    assert_eq!(app.sms(PHONE).await["reason"], "no_opt_in");
}

#[tokio::test]
async fn an_answer_after_seven_days_is_too_late() {
    let app = TestApp::start().await;
    let asked = ask(&app, &request(&app).await).await;
    let code = code(&app).await;
    app.advance(limits::LAPSE_OF_PENDING);
    let late = answer(&app, &asked, &code).await;
    assert_eq!(late.status, StatusCode::GONE);
    late.is_problem("double-opt-in-lapsed");
    app.advance(Span::days(4));
    answer(&app, &asked, &code).await.is_problem("not-found");
}

#[tokio::test]
async fn the_same_request_asks_once_and_another_within_three_days_says_that_none_went() {
    let app = TestApp::start().await;
    let mut body = request(&app).await;
    body["occurred_at"] = json!("2026-11-21T09:59:00Z");
    let asked = ask(&app, &body).await;
    let again = ask(&app, &body).await;
    assert_eq!(asked["id"], again["id"]);
    body["occurred_at"] = json!("2026-11-21T09:59:30Z");
    let second = ask(&app, &body).await;
    assert_eq!(second["state"], "too_soon");
    assert_eq!(arrived(&app).await.len(), 1);
    let answered = answer(&app, &second, &code(&app).await).await;
    assert_eq!(answered.json()["state"], "confirmed", "the code of then is good for it");
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_asked() {
    let app = TestApp::start().await;
    let good = request(&app).await;
    for (changes, pointer) in [
        (json!({ "notice": null }), "/notice"),
        (json!({ "method": null }), "/method"),
        (json!({ "channel": null }), "/channel"),
        (json!({ "channel": "whatsapp" }), "/double_opt_in_template"),
        (json!({ "channel": "email" }), "/phone"),
        (json!({ "by": "link" }), "/by"),
        (json!({ "by": "pigeon" }), "/by"),
        (json!({ "phone": "+1415" }), "/phone"),
        (json!({ "phone": null, "external_id": "u-1" }), ""),
    ] {
        let mut body = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                body.as_object_mut().unwrap().remove(name);
            } else {
                body[name] = value.clone();
            }
        }
        let refused = app.post("/v1/double-opt-ins", &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", refused.text);
        let errors = refused.json()["errors"].clone();
        let places: Vec<_> = errors.as_array().unwrap().iter().map(|it| &it["pointer"]).collect();
        assert!(places.contains(&&json!(pointer)), "{body}: {errors}");
    }
    assert_eq!(arrived(&app).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_key_that_may_only_report_proves_no_number() {
    let mut app = TestApp::start().await;
    let body = request(&app).await;
    app.key = app.make_key("reports", KeyScope::ALL, Standing::Report).await;
    app.post("/v1/double-opt-ins", &body).await.is_problem("standing-too-high");
    assert_eq!(arrived(&app).await, Vec::<Value>::new());
}
