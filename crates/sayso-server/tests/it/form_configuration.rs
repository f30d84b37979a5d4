//! `/v1/forms`: what a form may be, its versions, and the code to paste.

use axum::body::Body;
use axum::http::{Request, StatusCode};
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

#[tokio::test]
async fn the_code_of_a_form_without_origins_says_that_no_page_may_show_it() {
    let app = TestApp::start().await;
    let mut form = plain(&app).await;
    form["origins"] = json!([]);
    let made = app.post("/v1/forms", &form).await.json();
    let path = format!("/v1/forms/{}", made["id"].as_str().unwrap());
    let code = app.get(&format!("{path}/code")).await.json();
    assert!(code["findings"][0].as_str().unwrap().contains("origins is empty"), "{code}");
    form["origins"] = json!(["https://shop.example"]);
    assert_eq!(app.call("PUT", &path, &form).await.status, StatusCode::OK);
    let code = app.get(&format!("{path}/code")).await.json();
    assert_eq!(code.get("findings"), None);
}

#[tokio::test]
async fn the_tag_of_a_site_learns_which_forms_to_show_and_no_other_origin_does() {
    let app = TestApp::start().await;
    let site = app.site().await["site"].as_str().unwrap().to_owned();
    let shown = json!([{ "site": site, "shape": "bar", "trigger": "scroll:30" }]);
    let origins = json!(["https://shop.example"]);
    let form = with(&plain(&app).await, &json!({ "origins": origins, "shown_by_tag": shown }));
    let made = app.post("/v1/forms", &form).await.json();
    assert_eq!(made["shown_by_tag"], shown);
    let ask = async |origin: &str, site: &str| {
        let request = Request::get(format!("/capture/forms?site={site}")).header("origin", origin);
        app.send(request.body(Body::empty()).unwrap()).await
    };
    let told = ask("https://shop.example", &site).await;
    let id = made["id"].as_str().unwrap();
    let script = format!("/form.js?form={id}&as=bar&trigger=scroll%3A30");
    assert_eq!(told.json(), json!({ "scripts": [script] }));
    assert_eq!(told.headers["access-control-allow-origin"], "https://shop.example");
    ask("https://other.example", &site).await.is_problem("origin-not-allowed");
    ask("https://shop.example", "site_of_nobody").await.is_problem("origin-not-allowed");
    app.delete(&format!("/v1/forms/{id}")).await;
    assert_eq!(ask("https://shop.example", &site).await.json(), json!({ "scripts": [] }));
}

#[tokio::test]
async fn a_form_is_shown_by_the_tag_of_living_sites_that_share_an_origin_with_it() {
    let app = TestApp::start().await;
    let site = app.site().await["site"].as_str().unwrap().to_owned();
    let plain = plain(&app).await;
    let usual = json!({ "origins": ["https://shop.example"], "shown_by_tag": [{ "site": site }] });
    let made = app.post("/v1/forms", &with(&plain, &usual)).await.json();
    let popup = json!([{ "site": site, "shape": "popup", "trigger": "time:5" }]);
    assert_eq!(made["shown_by_tag"], popup);
    for (changes, pointer) in [
        (json!({ "shown_by_tag": [{ "site": site }] }), "/shown_by_tag/0/site"),
        (json!({ "shown_by_tag": [{ "site": "site_of_nobody" }] }), "/shown_by_tag/0/site"),
        (json!({ "shown_by_tag": [{ "shape": "bar" }] }), "/shown_by_tag/0/site"),
        (
            json!({ "origins": ["https://shop.example"], "shown_by_tag": [{ "site": site }, { "site": site }] }),
            "/shown_by_tag/1/site",
        ),
        (
            json!({ "origins": ["https://shop.example"], "shown_by_tag": [{ "site": site, "trigger": "hover:#a" }] }),
            "/shown_by_tag/0/trigger",
        ),
    ] {
        let refused = app.post("/v1/forms", &with(&plain, &changes)).await;
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
}
