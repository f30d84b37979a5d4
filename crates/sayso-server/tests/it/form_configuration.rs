//! `/v1/forms`: what a form may be, its versions, and the code to paste.

use axum::http::StatusCode;
use sayso_core::limits;
use serde_json::{Value, json};

use crate::support::TestApp;

/// A form that has all it needs.
async fn plain(app: &TestApp) -> Value {
    let notice = app.notice(&[]).await;
    json!({
        "name": "Footer", "business": "Harbour Shop", "channels": ["whatsapp"],
        "notice": notice["id"],
    })
}

fn with(form: &Value, changes: &Value) -> Value {
    let mut form = form.clone();
    for (name, value) in changes.as_object().unwrap() {
        form[name] = value.clone();
    }
    form
}

#[tokio::test]
async fn each_change_of_a_form_is_a_new_version_and_the_same_again_is_none() {
    let app = TestApp::start().await;
    let form = plain(&app).await;
    let made = app.post("/v1/forms", &form).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    assert_eq!((&made["version"], &made["test"]), (&json!(1), &json!(false)));
    assert_eq!(made["fields"], json!([{ "kind": "phone", "required": false }]));
    assert_eq!(made["path"], format!("/f/{}", made["id"].as_str().unwrap()));
    let path = format!("/v1/forms/{}", made["id"].as_str().unwrap());
    assert_eq!(app.call("PUT", &path, &form).await.json()["version"], 1);
    let changed = with(&form, &json!({ "title": "Offers", "test": true }));
    let changed = app.call("PUT", &path, &changed).await.json();
    assert_eq!((&changed["version"], &changed["title"]), (&json!(2), &json!("Offers")));
    let gone = app.delete(&path).await.json();
    assert!(gone["deleted_at"].is_string(), "{gone}");
    assert_eq!(app.delete(&path).await.json(), gone, "deleting again changes nothing");
    assert_eq!(app.get(&path).await.json(), gone);
    assert_eq!(app.get("/v1/forms").await.json()["forms"], json!([gone]));
    app.get("/v1/forms/frm_01jd6m9k3te5b8r5v3x5y6z7w8").await.is_problem("not-found");
}

#[tokio::test]
async fn a_form_asked_for_twice_with_one_key_is_made_once() {
    let app = TestApp::start().await;
    let form = plain(&app).await;
    let make = async |form: &Value| {
        let request = app.request("POST", "/v1/forms").header("idempotency-key", "one");
        app.send(
            request
                .header("content-type", "application/json")
                .body(form.to_string().into())
                .unwrap(),
        )
        .await
    };
    let first = make(&form).await.json();
    assert_eq!(make(&form).await.json(), first);
    make(&with(&form, &json!({ "title": "Other" }))).await.is_problem("idempotency-key-reused");
}

#[tokio::test]
async fn what_a_form_cannot_be_is_refused_with_its_place() {
    let app = TestApp::start().await;
    let form = plain(&app).await;
    let countries: Vec<&str> = "DE AT CH FR IT ES PT NL BE LU DK SE NO".split(' ').collect();
    for (changes, pointer, code) in [
        (json!({ "channels": [] }), "/channels", "invalid-value"),
        (json!({ "channels": ["push"] }), "/channels/0", "invalid-value"),
        (json!({ "channels": ["sms", "sms"] }), "/channels/1", "invalid-value"),
        (json!({ "channels": ["viber"] }), "/notice", "notice-does-not-cover"),
        (json!({ "language": "tr" }), "/notice", "notice-does-not-cover"),
        (json!({ "notice": "ntc_01jd6m9k3te5b8r5v3x5y6z7w8" }), "/notice", "unknown-notice"),
        (json!({ "business": " " }), "/business", "invalid-value"),
        (json!({ "language": "de" }), "/language", "invalid-value"),
        (json!({ "languages": { "xx": {} } }), "/languages/xx", "invalid-value"),
        (json!({ "languages": { "en": {} } }), "/languages/en", "invalid-value"),
        (json!({ "title": "a\nb" }), "/title", "invalid-value"),
        (json!({ "topics": ["top_01jd6m9k3te5b8r5v3x5y6z7w8"] }), "/topics/0", "unknown-topic"),
        (json!({ "sender": "snd_01jd6m9k3te5b8r5v3x5y6z7w8" }), "/sender", "unknown-sender"),
        (json!({ "fields": [{ "kind": "email" }] }), "/fields", "invalid-value"),
        (
            json!({ "fields": [{ "kind": "phone" }, { "kind": "phone" }] }),
            "/fields/1",
            "invalid-value",
        ),
        (
            json!({ "fields": [{ "kind": "phone", "countries": countries }] }),
            "/fields/0/countries",
            "invalid-value",
        ),
        (
            json!({ "fields": [{ "kind": "phone" }, { "kind": "text", "name": "email" }] }),
            "/fields/1/name",
            "invalid-value",
        ),
        (
            json!({ "fields": [{ "kind": "phone" }, { "kind": "text", "name": "size" }] }),
            "/labels/size",
            "missing-field",
        ),
        (json!({ "labels": { "size": "Size" } }), "/labels/size", "unknown-field"),
        (json!({ "theme": { "accent": "#ffd400" } }), "/theme/accent", "invalid-value"),
        (json!({ "theme": { "accent": "red" } }), "/theme/accent", "invalid-value"),
        (json!({ "theme": { "radius": 99 } }), "/theme/radius", "invalid-value"),
        (json!({ "theme": { "font": "comic" } }), "/theme/font", "unknown-word"),
        (json!({ "origins": ["shop.example"] }), "/origins/0", "invalid-value"),
        (json!({ "redirect": "https://shop.example/" }), "/redirect", "invalid-value"),
        (json!({ "redirect": "http://shop.example/" }), "/redirect", "invalid-value"),
        (json!({ "pretick": true }), "/pretick", "unknown-field"),
    ] {
        let problem = app.post("/v1/forms", &with(&form, &changes)).await.is_problem(code);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{changes}: {problem}");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{changes}: {problem}");
    }
    let accent = with(&form, &json!({ "theme": { "accent": "#ffd400" } }));
    let problem = app.post("/v1/forms", &accent).await.json();
    let nearest = &problem["errors"][0]["example"];
    let accent = with(&form, &json!({ "theme": { "accent": nearest } }));
    assert_eq!(app.post("/v1/forms", &accent).await.status, StatusCode::CREATED, "{nearest}");
}

#[tokio::test]
async fn an_opt_in_by_a_form_is_for_a_sender_or_for_topics() {
    let app = TestApp::start().await;
    let form = plain(&app).await;
    let sender = json!({ "channel": "whatsapp", "name": "Shop", "address": "+15550100" });
    let sender = app.post("/v1/senders", &sender).await.json();
    let mut topics = Vec::new();
    for place in 0..=limits::FORM_TOPICS_MAX {
        let topic = json!({ "name": format!("Topic {place}"), "category": "marketing" });
        topics.push(app.post("/v1/topics", &topic).await.json()["id"].clone());
    }
    let one = with(&form, &json!({ "sender": sender["id"] }));
    assert_eq!(app.post("/v1/forms", &one).await.status, StatusCode::CREATED);
    let both = with(&one, &json!({ "topics": [topics[0]] }));
    let problem = app.post("/v1/forms", &both).await.is_problem("invalid-value");
    assert_eq!(problem["errors"][0]["pointer"], "/sender");
    let too_many = app.post("/v1/forms", &with(&form, &json!({ "topics": topics }))).await;
    assert_eq!(too_many.is_problem("invalid-value")["errors"][0]["pointer"], "/topics");
    topics.pop();
    let most = with(&form, &json!({ "topics": topics, "channels": ["whatsapp", "sms"] }));
    assert_eq!(app.post("/v1/forms", &most).await.status, StatusCode::CREATED);
    let more = with(&most, &json!({ "channels": ["whatsapp", "sms", "email"] }));
    let problem = app.post("/v1/forms", &more).await.is_problem("invalid-value");
    assert_eq!(problem["errors"][0]["pointer"], "/topics", "more boxes than people choose among");
}

#[tokio::test]
async fn the_code_to_paste_names_this_server_and_the_form() {
    let app = TestApp::start().await;
    let form = app.post("/v1/forms", &plain(&app).await).await.json();
    let id = form["id"].as_str().unwrap();
    let path = format!("/v1/forms/{id}/code?language=tr&trigger=click:%23join");
    let request = app.request("GET", &path).header("host", "consent.example");
    let code = app.send(request.body(axum::body::Body::empty()).unwrap()).await.json();
    let frame = code["iframe"].as_str().unwrap();
    let src = format!("src=\"http://consent.example/f/{id}?embed=1&amp;lang=tr\"");
    assert!(frame.contains(&src) && frame.contains("title=\"Harbour Shop\""), "{frame}");
    assert!(frame.contains("src=\"http://consent.example/form.js\""), "{frame}");
    let popup = format!(
        "<script async src=\"http://consent.example/form.js?form={id}&amp;as=popup&amp;trigger=click%3A%23join&amp;lang=tr\"></script>"
    );
    assert_eq!(code["popup"], popup);
    for shape in ["inline", "slide_in", "bar"] {
        assert!(code[shape].as_str().unwrap().contains(id), "{code}");
    }
    app.get(&format!("/v1/forms/{id}/code?trigger=hover")).await.is_problem("invalid-value");
}
