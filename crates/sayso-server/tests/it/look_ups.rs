//! `/v1/look-ups` (rule 29): who looked a person up, if the workspace asks for that.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::id::ProfileId;
use sayso_core::time::Span;
use sayso_server::app::{App, Options};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Answer, TestApp, plenty};

const PHONE: &str = "+14155552671";
const BY_PHONE: &str = "/v1/profiles?phone=%2B14155552671";

async fn audit(app: &TestApp, on: &Value) {
    let put = app.call("PUT", "/v1/settings", &json!({ "audit_look_ups": on })).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    assert_eq!(&put.json()["audit_look_ups"], on);
}

async fn look_ups(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.get(&format!("/v1/look-ups{query}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.json()["look_ups"].as_array().unwrap().clone()
}

fn request_id(answer: &Answer) -> &str {
    answer.headers["x-request-id"].to_str().unwrap()
}

#[tokio::test]
async fn nothing_is_noted_unless_the_workspace_asks_for_it() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/v1/settings").await.json()["audit_look_ups"], false);
    app.get(BY_PHONE).await;
    assert_eq!(look_ups(&app, "").await, Vec::<Value>::new());
    audit(&app, &json!(true)).await;
    app.get(BY_PHONE).await;
    audit(&app, &json!(false)).await;
    app.advance(Span::seconds(1));
    app.get(BY_PHONE).await;
    assert_eq!(look_ups(&app, "").await.len(), 1);
}

#[tokio::test]
async fn a_look_up_says_who_asked_what_of_whom_when_and_in_which_request() {
    let app = TestApp::start().await;
    audit(&app, &json!(true)).await;
    let answer = app.get(BY_PHONE).await;
    assert_eq!(answer.status, StatusCode::OK);
    let page = app.get("/v1/look-ups").await;
    assert!(!page.text.contains("4155552671"), "no address in clear: {}", page.text);
    let look_up = &page.json()["look_ups"][0];
    assert_eq!(look_up["key"], app.get("/v1/keys").await.json()["keys"][0]["id"]);
    assert_eq!(look_up["route"], "GET /v1/profiles");
    assert_eq!(look_up["request"], request_id(&answer));
    assert!(look_up["looked_up_at"].as_str().unwrap().starts_with("2026-11-21T10:00:0"));
    let phone = sayso_core::address::phone::Phone::from_digits(14_155_552_671).unwrap();
    let key = sayso_core::address::Address::Phone(phone).key(&app.workspace.secret);
    assert_eq!(look_up["address_key"], key.to_string());
    assert_eq!(look_up["profile"], Value::Null);
}

#[tokio::test]
async fn every_way_to_see_a_person_is_noted() {
    let app = TestApp::start().await;
    let made = app.post("/v1/profiles", &json!({ "external_id": "u-1", "phone": PHONE })).await;
    let profile = made.json()["id"].as_str().unwrap().to_owned();
    let addresses = format!("/v1/profiles/{profile}/addresses");
    let email = json!({ "email": "ada@example.org" });
    audit(&app, &json!(true)).await;
    let explain = json!({ "phone": PHONE, "channel": "sms", "explain": true });
    let asked = [
        ("GET /v1/profiles", app.get(BY_PHONE).await),
        ("GET /v1/profiles", app.get("/v1/profiles?external_id=u-1").await),
        ("GET /v1/profiles/{id}", app.get(&format!("/v1/profiles/{profile}")).await),
        ("GET /v1/events", app.get("/v1/events?phone=%2B14155552671").await),
        ("GET /v1/events", app.get(&format!("/v1/events?profile={profile}")).await),
        ("POST /v1/check", app.post("/v1/check", &explain).await),
        ("POST /v1/profiles", app.post("/v1/profiles", &json!({ "phone": PHONE })).await),
        ("POST /v1/profiles/{id}/addresses", app.post(&addresses, &email).await),
        ("DELETE /v1/profiles/{id}/addresses", app.call("DELETE", &addresses, &email).await),
    ];
    let noted = look_ups(&app, "").await;
    for (route, answer) in &asked {
        assert_eq!(answer.status, StatusCode::OK, "{route}: {}", answer.text);
        let of_request = noted.iter().filter(|look_up| look_up["request"] == request_id(answer));
        let routes: Vec<_> = of_request.map(|look_up| look_up["route"].clone()).collect();
        assert!(!routes.is_empty() && routes.iter().all(|noted| noted == route), "{route}");
    }
    // A link and an unlink name the profile and the address.
    assert_eq!(noted.len(), asked.len() + 2);
}

#[tokio::test]
async fn lists_phones_links_and_downloads_are_noted() {
    let app = TestApp::start().await;
    app.agrees().await;
    let download = app.links().await.preferences;
    audit(&app, &json!(true)).await;
    let ask = json!({ "phone": PHONE, "channel": "sms" });
    let behavior = json!({ "behavior": "delivers" });
    let phone = "/v1/sandbox/phone?phone=%2B14155552671";
    let asked = [
        ("GET /v1/consents", false, app.get("/v1/consents?channel=sms").await),
        ("GET /v1/exports/consents", false, app.get("/v1/exports/consents").await),
        ("GET /v1/exports/consents", false, app.get("/v1/exports/consents?format=csv").await),
        ("GET /v1/rejects", false, app.get("/v1/rejects").await),
        ("GET /v1/sandbox/phone", true, app.get(phone).await),
        ("PUT /v1/sandbox/phone", true, app.call("PUT", phone, &behavior).await),
        ("POST /v1/preference-links", true, app.post("/v1/preference-links", &ask).await),
        ("POST /p/{token}", true, app.submit(&download, &[("act", "download")]).await),
    ];
    let noted = look_ups(&app, "").await;
    for (route, names_one, answer) in &asked {
        assert!(answer.status.is_success(), "{route}: {}", answer.text);
        let noted = noted.iter().find(|look_up| look_up["request"] == request_id(answer));
        let noted = noted.unwrap_or_else(|| panic!("{route} is not noted"));
        assert_eq!(noted["route"], *route);
        assert_eq!(noted["address_key"].is_string(), *names_one, "{route}");
        assert_eq!(noted["key"].is_string(), !route.contains("/p/"), "{route}");
    }
    assert_eq!(noted.len(), asked.len());
    assert_eq!(look_ups(&app, "?phone=%2B14155552671").await.len(), 4);
    // Opening the page, and leaving by it, shows nothing that the person does not see in any message.
    app.open(&download).await;
    app.submit(&download, &[("act", "stop_everything")]).await;
    assert_eq!(look_ups(&app, "").await.len(), asked.len());
}

#[tokio::test]
async fn what_shows_nobody_is_not_noted() {
    let app = TestApp::start().await;
    audit(&app, &json!(true)).await;
    app.sms(PHONE).await;
    app.get("/v1/profiles?phone=12").await.is_problem("invalid-phone");
    app.get("/v1/events?phone=%2B14155552671&limit=0").await.is_problem("invalid-value");
    let yes =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report" });
    app.post("/v1/consents", &yes).await;
    assert_eq!(look_ups(&app, "").await, Vec::<Value>::new());
}

#[tokio::test]
async fn look_ups_are_found_by_person_and_paged_newest_first() {
    let app = TestApp::start().await;
    audit(&app, &json!(true)).await;
    let unknown = ProfileId::from_bytes([7; 16]);
    let path = format!("/v1/profiles/{unknown}");
    app.get(BY_PHONE).await;
    app.get("/v1/profiles?email=ada@example.org").await;
    app.get(&path).await.is_problem("not-found");
    let last = app.get(BY_PHONE).await;
    let of_phone = look_ups(&app, "?phone=%2B14155552671").await;
    assert_eq!(of_phone.len(), 2);
    assert_eq!(of_phone[0]["request"], request_id(&last));
    assert_eq!(look_ups(&app, "?email=ada@example.org").await.len(), 1);
    assert_eq!(look_ups(&app, "?email=bob@example.org").await.len(), 0);
    let of_profile = look_ups(&app, &format!("?profile={unknown}")).await;
    assert_eq!(of_profile[0]["profile"], unknown.to_string());
    let first = app.get("/v1/look-ups?limit=3").await.json();
    let rest =
        app.get(&format!("/v1/look-ups?limit=3&cursor={}", first["next"].as_str().unwrap())).await;
    assert_eq!(rest.json()["look_ups"].as_array().unwrap().len(), 1);
    assert_eq!(rest.json()["next"], Value::Null);
    let both = format!("/v1/look-ups?phone=%2B14155552671&profile={unknown}");
    app.get(&both).await.is_problem("one-address-needed");
    app.get("/v1/look-ups?cursor=-1").await.is_problem("invalid-value");
}

#[tokio::test]
async fn who_cannot_be_noted_is_shown_nobody() {
    for on in [false, true] {
        let app = TestApp::start().await;
        let profile = app.post("/v1/profiles", &json!({ "phone": PHONE })).await.json();
        let path = format!("/v1/profiles/{}", profile["id"].as_str().unwrap());
        audit(&app, &json!(on)).await;
        // A closed store reads, and writes nothing.
        app.store.close().await.unwrap();
        let explain = json!({ "phone": PHONE, "channel": "sms", "explain": true });
        for answer in [
            app.get(BY_PHONE).await,
            app.get(&path).await,
            app.get("/v1/events?phone=%2B14155552671").await,
            app.post("/v1/check", &explain).await,
            app.get("/v1/consents?channel=sms").await,
            app.get("/v1/exports/consents").await,
        ] {
            if on {
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
                answer.is_problem("stopping");
            } else {
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            }
        }
    }
}

#[tokio::test]
async fn the_operator_of_the_machine_is_noted_without_a_key() {
    let app = TestApp::start().await;
    audit(&app, &json!(true)).await;
    let options = Options::with_rates(plenty());
    let local = App::new(Arc::clone(&app.store), app.environment.clone(), options).local_router();
    let call =
        async |request: Request<Body>| local.clone().oneshot(request).await.unwrap().status();
    assert_eq!(call(Request::get(BY_PHONE).body(Body::empty()).unwrap()).await, StatusCode::OK);
    let wrong = Request::post("/v1/consents").body(Body::from("{")).unwrap();
    assert_eq!(call(wrong).await, StatusCode::BAD_REQUEST);
    let noted = look_ups(&app, "").await;
    assert_eq!((noted.len(), &noted[0]["key"]), (1, &Value::Null));
    let kept = app.get("/v1/rejects?source=operator").await.json();
    assert_eq!(kept["rejects"][0]["road"], "operator");
}
