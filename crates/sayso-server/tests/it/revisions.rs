//! What is configured, read, put back, patched, and changed by many at once (field case A17).

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::provider::credentials;
use crate::support::{Answer, TestApp};

mod at_once;
mod settings;

/// Something configured.
struct Thing {
    /// Where it is.
    path: String,
    /// A change of it, the member that is different then, and its value.
    patch: Value,
}

impl Thing {
    fn new(path: &str, made: &Value, patch: Value) -> Self {
        let id = made.get("id").or(made.get("site")).and_then(Value::as_str);
        let id = id.unwrap_or_else(|| panic!("{path}: {made}"));
        Self { path: format!("{path}/{id}"), patch }
    }

    /// The members that the change is of.
    fn changed(&self) -> Vec<&String> {
        self.patch.as_object().unwrap().keys().collect()
    }
}

async fn make(app: &TestApp, path: &str, body: &Value) -> Value {
    let made = app.post(path, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{path}: {}", made.text);
    assert_eq!(made.tag().len(), 26, "what is made has a tag");
    made.json()
}

/// One of each kind that can be changed, with as much said of it as can be.
async fn things(app: &TestApp) -> Vec<Thing> {
    let notice = app.notice(&[]).await;
    let topic = json!({ "name": "Offers", "category": "marketing", "code": "OFFERS" });
    let topic = make(app, "/v1/topics", &topic).await;
    let account =
        json!({ "name": "Account", "provider": "twilio", "credentials": credentials("twilio") });
    let account = make(app, "/v1/connections", &account).await;
    let sandbox = json!({ "name": "Phones", "provider": "sandbox" });
    let sandbox = make(app, "/v1/connections", &sandbox).await;
    let question = json!({ "text": "May we write?", "thanks": "Thank you.", "notice": notice });
    let sender = json!({
        "channel": "sms", "name": "Shop", "address": "+15550100900",
        "connection": sandbox["id"], "question": question,
    });
    let sender = make(app, "/v1/senders", &sender).await;
    let rule = json!({
        "channel": "sms", "sender": sender["id"], "begins": "OFFERS", "does": "opt_in",
        "permissions": [{ "channel": "sms" }], "notice": notice, "reply": "Welcome.",
    });
    let rule = make(app, "/v1/rules", &rule).await;
    let site = app.site().await;
    let form = json!({
        "name": "Footer", "business": "Harbour Shop", "channels": ["sms"], "notice": notice["id"],
        "title": "Offers", "origins": ["https://shop.example"], "labels": { "size": "Size" },
        "redirect": "https://shop.example/thanks", "theme": { "radius": 3 },
        "fields": [{ "kind": "phone", "countries": ["DE"] }, { "kind": "text", "name": "size" }],
        "languages": { "tr": { "title": "Haberler" } },
        "shown_by_tag": [{ "site": site["site"], "shape": "bar" }],
    });
    let form = make(app, "/v1/forms", &form).await;
    let entry = json!({
        "name": "Poster", "sender": sender["id"], "topics": [topic["id"]], "prefill": "Hi there",
        "notice": { "id": notice["id"], "version": 1 }, "widget": { "corner": "bottom_start" },
        "call_to_action": "Ask us",
    });
    let entry = make(app, "/v1/entry-points", &entry).await;
    vec![
        Thing::new("/v1/topics", &topic, json!({ "name": "Sales" })),
        Thing::new("/v1/connections", &account, json!({ "name": "Other" })),
        Thing::new("/v1/senders", &sender, json!({ "name": "Other" })),
        Thing::new("/v1/rules", &rule, json!({ "reply": "Hello." })),
        // A form is shown on the site, whose pages it names.
        Thing::new(
            "/v1/sites",
            &site,
            json!({ "origins": ["https://shop.example", "https://two.example"] }),
        ),
        Thing::new("/v1/forms", &form, json!({ "title": "News" })),
        Thing::new("/v1/entry-points", &entry, json!({ "call_to_action": "Write to us" })),
        Thing { path: "/v1/settings".to_owned(), patch: json!({ "region": "DE" }) },
    ]
}

/// A thing without what is counted, versioned or dated.
fn plain(mut thing: Value) -> Value {
    let members = thing.as_object_mut().unwrap();
    members.retain(|name, _| !matches!(name.as_str(), "version" | "findings" | "reach" | "hook"));
    thing
}

#[tokio::test]
async fn put_takes_what_get_gave_and_changes_nothing() {
    let app = TestApp::start().await;
    for thing in things(&app).await {
        let Thing { path, .. } = &thing;
        let read = app.get(path).await;
        let put = app.call("PUT", path, &read.json()).await;
        assert_eq!(put.status, StatusCode::OK, "{path}: {}", put.text);
        assert_eq!(put.tag(), read.tag(), "{path}");
        let after = app.get(path).await;
        assert_eq!((after.tag(), after.json()), (read.tag(), read.json()), "{path}");
        // What a list shows is taken too, wherever it shows all.
        let list = path.rsplit_once('/').unwrap().0;
        if !["/v1", "/v1/entry-points"].contains(&list) {
            let listed = app.get(list).await.json();
            let all = listed.as_object().unwrap().values().find_map(Value::as_array).unwrap();
            for listed in all {
                let id = listed.get("id").or(listed.get("site")).unwrap().as_str().unwrap();
                let put = app.call("PUT", &format!("{list}/{id}"), listed).await;
                assert_eq!(put.status, StatusCode::OK, "{path}: {}", put.text);
            }
        }
    }
}

#[tokio::test]
async fn put_takes_what_get_gave_of_a_deleted_thing_and_brings_nothing_back() {
    let app = TestApp::start().await;
    let mut things = things(&app).await;
    things.retain(|thing| thing.path != "/v1/settings");
    for thing in things.iter().rev() {
        assert_eq!(app.delete(&thing.path).await.status, StatusCode::OK);
    }
    for Thing { path, patch } in &things {
        let read = app.get(path).await;
        assert!(read.json()["deleted_at"].is_string(), "{path}: {}", read.text);
        let put = app.call("PUT", path, &read.json()).await;
        assert_eq!(put.status, StatusCode::OK, "{path}: {}", put.text);
        let mut changed = read.json();
        changed.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        changed.as_object_mut().unwrap().remove("deleted_at");
        app.call("PUT", path, &changed).await;
        app.call("PATCH", path, patch).await;
        let after = app.get(path).await.json();
        assert_eq!(after["deleted_at"], read.json()["deleted_at"], "{path}");
    }
}

#[tokio::test]
async fn a_form_comes_back_when_its_deletion_is_taken_back_and_not_else() {
    let app = TestApp::start().await;
    let form = things(&app).await.into_iter().find(|it| it.path.contains("/forms/")).unwrap();
    let before = app.get(&form.path).await.json();
    app.delete(&form.path).await;
    let put = app.call("PUT", &form.path, &json!({ "version": 9 })).await;
    put.is_problem("missing-field");
    let back = app.call("PATCH", &form.path, &json!({ "deleted_at": null })).await.json();
    assert_eq!(plain(back), plain(before));
    let topic = json!({ "name": "t", "category": "utility" });
    let topic = make(&app, "/v1/topics", &topic).await;
    let topic = format!("/v1/topics/{}", topic["id"].as_str().unwrap());
    app.delete(&topic).await;
    let back = app.call("PATCH", &topic, &json!({ "deleted_at": null })).await;
    assert_eq!(back.is_problem("invalid-value")["errors"][0]["pointer"], "/deleted_at");
}

#[tokio::test]
async fn patch_changes_what_it_names_and_nothing_else() {
    let app = TestApp::start().await;
    for thing in things(&app).await {
        let path = &thing.path;
        let before = app.get(path).await;
        let request = app.request("PATCH", path);
        let request = request.header("content-type", "application/merge-patch+json");
        let patched = app.send(request.body(Body::from(thing.patch.to_string())).unwrap()).await;
        assert_eq!(patched.status, StatusCode::OK, "{path}: {}", patched.text);
        assert_ne!(patched.tag(), before.tag(), "{path}");
        let after = app.get(path).await;
        assert_eq!(after.tag(), patched.tag(), "{path}");
        let mut wanted = plain(before.json());
        for name in thing.changed() {
            wanted[name] = thing.patch[name].clone();
        }
        assert_eq!(plain(after.json()), wanted, "{path}");
        // Nothing named, nothing changed; and once more the same.
        for again in [json!({}), thing.patch.clone()] {
            assert_eq!(app.call("PATCH", path, &again).await.tag(), after.tag(), "{path}");
        }
        let text = app.request("PATCH", path).header("content-type", "text/plain");
        let refused = app.send(text.body(Body::from("{}")).unwrap()).await;
        refused.is_problem("unsupported-media-type");
        assert_eq!(refused.headers["accept-patch"], "application/merge-patch+json");
        app.call("PATCH", path, &json!([])).await.is_problem("wrong-type");
        app.call("PATCH", path, &json!({ "nmae": "a" })).await.is_problem("unknown-field");
    }
}

#[tokio::test]
async fn null_takes_away_and_is_refused_where_something_must_stand() {
    let app = TestApp::start().await;
    for (kind, name) in
        [("topics", "code"), ("senders", "question"), ("senders", "connection"), ("rules", "reply")]
    {
        let all = things(&app).await;
        let thing = all.iter().find(|it| it.path.contains(&format!("/{kind}/"))).unwrap();
        let patched = app.call("PATCH", &thing.path, &json!({ name: null })).await;
        assert_eq!(patched.status, StatusCode::OK, "{kind} {name}: {}", patched.text);
        assert_eq!(app.get(&thing.path).await.json().get(name), None, "{kind} {name}");
        // The codes of topics are few.
        app.delete(&all[0].path).await;
    }
    let all = things(&app).await;
    for (kind, name) in [("topics", "name"), ("sites", "origins"), ("forms", "business")] {
        let thing = all.iter().find(|it| it.path.contains(&format!("/{kind}/"))).unwrap();
        let patched = app.call("PATCH", &thing.path, &json!({ name: null })).await;
        let problem = patched.is_problem("missing-field");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{name}"), "{problem}");
    }
}

#[tokio::test]
async fn a_credential_goes_when_it_is_null_and_stays_when_it_is_not_named() {
    let app = TestApp::start().await;
    let mut account = credentials("meta");
    account["base_url"] = json!("https://api.example");
    let account = json!({ "name": "Account", "provider": "meta", "credentials": account });
    let made = make(&app, "/v1/connections", &account).await;
    let path = format!("/v1/connections/{}", made["id"].as_str().unwrap());
    let renewed = json!({ "credentials": { "access_token": "EAAH" } });
    let renewed = app.call("PATCH", &path, &renewed).await.json();
    assert_eq!(renewed["credentials"], made["credentials"]);
    let moved = json!({ "credentials": { "base_url": null } });
    let problem = app.call("PATCH", &path, &moved).await.is_problem("missing-field");
    assert_eq!(
        problem["errors"].as_array().unwrap().len(),
        3,
        "secrets go nowhere else: {problem}"
    );
    let mut whole = credentials("meta");
    whole["base_url"] = Value::Null;
    let moved = app.call("PATCH", &path, &json!({ "credentials": whole })).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    assert!(!moved.json()["credentials"].as_array().unwrap().contains(&json!("base_url")));
    let needed = json!({ "credentials": { "app_secret": null } });
    let problem = app.call("PATCH", &path, &needed).await.is_problem("missing-field");
    assert_eq!(problem["errors"][0]["pointer"], "/credentials/app_secret");
    let listed = json!({ "name": "A", "credentials": ["app_secret"] });
    app.call("PUT", &path, &listed).await.is_problem("wrong-type");
}

#[tokio::test]
async fn what_only_the_server_sets_is_taken_as_it_is_and_refused_otherwise() {
    let app = TestApp::start().await;
    for thing in things(&app).await {
        let Thing { path, patch } = &thing;
        if path == "/v1/settings" {
            continue;
        }
        let other = app.get(path).await.json();
        let id = if other.get("id").is_some() { "id" } else { "site" };
        let stolen = json!({ id: "top_01jd6m9k3te5b8r5v3x5y6z7w8" });
        let mut all = patch.clone();
        all.as_object_mut().unwrap().extend(stolen.as_object().unwrap().clone());
        let problem = app.call("PATCH", path, &all).await.is_problem("invalid-value");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{id}"));
        assert_eq!(problem["errors"][0]["example"], other[id]);
        assert_eq!(app.get(path).await.json(), other, "{path}");
    }
}

#[tokio::test]
async fn a_change_of_what_somebody_else_changed_since_is_refused() {
    let app = TestApp::start().await;
    for thing in things(&app).await {
        let Thing { path, patch } = &thing;
        let read = app.get(path).await;
        let (tag, mine) = (read.tag(), read.json());
        let first = app.call_if("PATCH", path, ("if-match", &tag), patch).await;
        assert_eq!(first.status, StatusCode::OK, "{path}: {}", first.text);
        let now = app.get(path).await;
        for method in ["PUT", "PATCH", "DELETE"] {
            if method == "DELETE" && path == "/v1/settings" {
                continue;
            }
            let late = app.call_if(method, path, ("if-match", &tag), &mine).await;
            assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "{path}: {}", late.text);
            let problem = late.is_problem("precondition-failed");
            assert!(problem["detail"].as_str().unwrap().contains(&now.tag()), "{problem}");
            assert_eq!(late.tag(), now.tag());
            assert_eq!(app.get(path).await.json(), now.json(), "nothing was changed");
        }
        // The first again is there already, as after an answer that was lost.
        let again = app.call_if("PATCH", path, ("if-match", &tag), patch).await;
        assert_eq!((again.status, again.tag()), (StatusCode::OK, now.tag()), "{path}");
        let several = format!("{tag}, {}", now.tag());
        let both = app.call_if("PUT", path, ("if-match", &several), &now.json()).await;
        assert_eq!(both.status, StatusCode::OK, "{path}: {}", both.text);
        let mut back = mine.clone();
        back.as_object_mut().unwrap().remove("version");
        let any = app.call_if("PUT", path, ("if-match", "*"), &back).await;
        assert_eq!(any.status, StatusCode::OK, "{path}: {}", any.text);
    }
}

#[tokio::test]
async fn tags_that_cannot_match_are_told() {
    let app = TestApp::start().await;
    for thing in things(&app).await {
        let Thing { path, patch } = &thing;
        let tag = app.get(path).await.tag();
        let weak = format!("W/{tag}");
        let problem = app.call_if("PATCH", path, ("if-match", &weak), patch).await;
        let problem = problem.is_problem("precondition-failed");
        assert!(problem["detail"].as_str().unwrap().contains("weak"), "{problem}");
        for garbled in [tag.trim_matches('"'), "", "'a'", "\"a", "*, \"a\""] {
            let refused = app.call_if("PATCH", path, ("if-match", garbled), patch).await;
            let detail = refused.is_problem("invalid-value")["detail"].clone();
            assert!(detail.as_str().unwrap().contains("if-match"), "{garbled}: {detail}");
        }
        assert_eq!(app.get(path).await.tag(), tag);
    }
}

#[tokio::test]
async fn the_version_in_a_body_is_a_condition_too() {
    let app = TestApp::start().await;
    for thing in things(&app).await {
        let Thing { path, patch } = &thing;
        let first = app.get(path).await.json();
        if first.get("version").is_none() {
            continue;
        }
        let patched = app.call("PATCH", path, patch).await.json();
        assert_eq!(patched["version"], 2);
        let late = app.call("PUT", path, &first).await;
        assert_eq!(late.is_problem("precondition-failed")["status"], 412);
        let mut same = patched.clone();
        same["version"] = json!(1);
        let again = app.call("PUT", path, &same).await;
        assert_eq!(again.status, StatusCode::OK, "a retry is answered as the first was");
        assert_eq!(again.json()["version"], 2);
    }
}

#[tokio::test]
async fn who_has_it_already_is_answered_with_nothing() {
    let app = TestApp::start().await;
    let key = json!({ "name": "k", "scopes": ["check"] });
    let key = make(&app, "/v1/keys", &key).await;
    let notice = make(&app, "/v1/notices", &json!({ "name": "n" })).await;
    let mut paths = vec![
        format!("/v1/keys/{}", key["id"].as_str().unwrap()),
        format!("/v1/notices/{}", notice["id"].as_str().unwrap()),
    ];
    let whole = |path: &&Thing| {
        let counted = ["/senders/", "/forms/", "/entry-points/"];
        !counted.iter().any(|kind| path.path.contains(kind))
    };
    let things = things(&app).await;
    paths.extend(things.iter().filter(whole).map(|thing| thing.path.clone()));
    let none = ("if-none-match", "\"other\"");
    for path in &paths {
        let read = app.get(path).await;
        let known = app.call_if("GET", path, ("if-none-match", &read.tag()), &json!({})).await;
        assert_eq!((known.status, known.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
        assert_eq!(known.tag(), read.tag());
        let weak = format!("\"x\", W/{}", read.tag());
        let known = app.call_if("GET", path, ("if-none-match", &weak), &json!({})).await;
        assert_eq!(known.status, StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(app.call_if("GET", path, none, &json!({})).await.text, read.text);
    }
}

#[tokio::test]
async fn tags_are_of_the_state_and_of_the_workspace() {
    let mut app = TestApp::start().await;
    let before = app.get("/v1/settings").await.tag();
    let there = app.call("PATCH", "/v1/settings", &json!({ "region": "DE" })).await.tag();
    assert_ne!(there, before);
    let back = app.call("PATCH", "/v1/settings", &json!({ "region": null })).await.tag();
    assert_eq!(back, before, "the same state has the same tag");
    app.workspace =
        app.store.create_workspace("other", sayso_core::workspace::Mode::Test).await.unwrap();
    app.key = app
        .make_key(
            "other",
            sayso_core::workspace::KeyScope::ALL,
            sayso_core::words::statement::Standing::Act,
        )
        .await;
    assert_ne!(app.get("/v1/settings").await.tag(), before);
}
