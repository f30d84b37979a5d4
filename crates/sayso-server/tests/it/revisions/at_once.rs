//! Field case A17: many at once, over the real router and the real store.

use super::*;

const MANY: usize = 32;

/// How versions of a thing were answered, each with the names it was said to have.
fn by_version(answers: &[Answer]) -> BTreeMap<u64, BTreeSet<String>> {
    let mut all: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for answer in answers.iter().filter(|answer| answer.status == StatusCode::OK) {
        let answer = answer.json();
        let name = answer["name"].as_str().unwrap().to_owned();
        all.entry(answer["version"].as_u64().unwrap()).or_default().insert(name);
    }
    all
}

#[tokio::test]
async fn of_two_texts_for_one_version_of_a_notice_one_is_published() {
    let app = TestApp::start().await;
    for languages in [vec!["en"], vec!["en", "tr"], vec!["en", "tr", "hi", "ar"]] {
        let id = make(&app, "/v1/notices", &json!({ "name": "Box" })).await["id"].clone();
        let path = format!("/v1/notices/{}/versions", id.as_str().unwrap());
        let version = |n: usize| {
            json!({
                "version": 1, "language": languages[n % languages.len()],
                "text": format!("Text {n}."), "names": [{ "channel": "sms" }],
            })
        };
        let versions: Vec<Value> = (0..MANY).map(version).collect();
        let answers = join_all(versions.iter().map(|version| app.post(&path, version))).await;
        let mut published = BTreeMap::new();
        for (answer, version) in answers.iter().zip(&versions) {
            if answer.status == StatusCode::CREATED {
                let language = version["language"].as_str().unwrap();
                assert_eq!(published.insert(language, &version["text"]), None, "{language}");
            } else {
                answer.is_problem("version-exists");
            }
        }
        assert_eq!(published.len(), languages.len());
        let read = app.get(&format!("/v1/notices/{}", id.as_str().unwrap())).await.json();
        for version in read["versions"].as_array().unwrap() {
            let language = version["language"].as_str().unwrap();
            assert_eq!(published[language], &version["text"], "what was acknowledged is there");
        }
    }
}

#[tokio::test]
async fn of_puts_at_once_each_has_a_version_of_its_own() {
    let app = TestApp::start().await;
    for thing in things(&app).await {
        let Thing { path, .. } = &thing;
        let mut whole = app.get(path).await.json();
        if whole.as_object_mut().unwrap().remove("version").is_none() {
            continue;
        }
        let bodies: Vec<Value> = (0..MANY)
            .map(|n| {
                let mut body = whole.clone();
                body["name"] = json!(format!("Name {n}"));
                body
            })
            .collect();
        let methods = ["PUT", "PATCH"].into_iter().cycle();
        let asked = bodies.iter().zip(methods).map(|(body, method)| app.call(method, path, body));
        let answers = join_all(asked).await;
        assert!(answers.iter().all(|answer| answer.status == StatusCode::OK), "{path}");
        let versions = by_version(&answers);
        assert_eq!(versions.len(), MANY, "{path}: {versions:?}");
        assert!(versions.values().all(|names| names.len() == 1), "{path}: {versions:?}");
        let (last, names) = versions.last_key_value().unwrap();
        let now = app.get(path).await.json();
        assert_eq!(
            (&now["version"], names.contains(now["name"].as_str().unwrap())),
            (&json!(last), true)
        );
    }
}

#[tokio::test]
async fn what_was_deleted_beside_puts_and_patches_stays_deleted() {
    let app = &TestApp::start().await;
    let mut things = things(app).await;
    things.retain(|thing| thing.path != "/v1/settings");
    for Thing { path, patch } in things.iter().rev() {
        let mut whole = app.get(path).await.json();
        whole.as_object_mut().unwrap().remove("version");
        whole.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        let asked = (0..MANY).map(|n| {
            let (method, body) = match n % 4 {
                0 => ("PUT", whole.clone()),
                2 => ("PATCH", patch.clone()),
                _ => ("DELETE", Value::Null),
            };
            async move { app.call(method, path, &body).await }
        });
        for answer in join_all(asked).await {
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        }
        let after = app.get(path).await.json();
        assert!(after["deleted_at"].is_string(), "{path}: {after}");
    }
}

#[tokio::test]
async fn of_changes_on_one_tag_at_once_one_is_done() {
    let app = TestApp::start().await;
    for thing in things(&app).await {
        let Thing { path, patch } = &thing;
        let read = app.get(path).await;
        let tag = read.tag();
        let name = thing.changed()[0].clone();
        let value = |n: usize| match &patch[&name] {
            Value::Array(_) => json!(["https://shop.example", format!("https://{n}.example")]),
            _ if name == "region" => json!(["DE", "FR", "IT", "ES", "PT", "NL", "BE", "AT"][n]),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => {
                json!(format!("Word {n}"))
            }
        };
        let bodies: Vec<Value> = (0..8).map(|n| json!({ &name: value(n) })).collect();
        let condition = ("if-match", tag.as_str());
        let asked = bodies.iter().map(|body| app.call_if("PATCH", path, condition, body));
        let answers = join_all(asked).await;
        let done: Vec<usize> = (0..8).filter(|n| answers[*n].status == StatusCode::OK).collect();
        assert_eq!(done.len(), 1, "{path}");
        for (n, answer) in answers.iter().enumerate() {
            if n != done[0] {
                answer.is_problem("precondition-failed");
            }
        }
        assert_eq!(app.get(path).await.json()[&name], value(done[0]), "{path}");
    }
}

#[tokio::test]
async fn patches_of_different_settings_at_once_are_all_done() {
    let app = TestApp::start().await;
    let channels = ["whatsapp", "sms", "email", "rcs", "voice", "push", "viber", "telegram"];
    let hours = |n: usize| json!({ "from": format!("2{}:00", n % 4), "to": "08:00" });
    let mut patches: Vec<Value> = channels
        .iter()
        .enumerate()
        .map(|(n, channel)| json!({ "quiet_hours": { *channel: hours(n) } }))
        .collect();
    patches.extend([
        json!({ "region": "DE" }),
        json!({ "audit_look_ups": true }),
        json!({ "notice_required": true }),
        json!({ "inferred_refusals_per_day": 9 }),
    ]);
    let asked = patches.iter().map(|patch| app.call("PATCH", "/v1/settings", patch));
    for answer in join_all(asked).await {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    let after = app.get("/v1/settings").await.json();
    assert_eq!(after["quiet_hours"].as_object().unwrap().len(), channels.len(), "{after}");
    assert_eq!((&after["region"], &after["audit_look_ups"]), (&json!("DE"), &json!(true)));
    assert_eq!(after["notice_required"], true);
    assert_eq!(after["inferred_refusals_per_day"], 9);
}

#[tokio::test]
async fn what_many_make_at_once_is_made_once_for_each_key_and_no_more_than_fit() {
    let app = TestApp::start().await;
    let made = |key: String| {
        let app = &app;
        async move {
            let body = json!({ "name": "Offers", "category": "marketing" });
            let request = app.request("POST", "/v1/topics").header("idempotency-key", key);
            let request = request.header("content-type", "application/json");
            app.send(request.body(Body::from(body.to_string())).unwrap()).await
        }
    };
    let answers = join_all((0..MANY).map(|n| made(format!("k{}", n % 4)))).await;
    let ids: BTreeSet<String> = answers.iter().map(|answer| answer.text.clone()).collect();
    assert_eq!(ids.len(), 4);
    let key = json!({ "name": "shop", "scopes": ["check"] });
    let minted = (0..8).map(|_| {
        let request = app.request("POST", "/v1/keys").header("idempotency-key", "k");
        let request = request.header("content-type", "application/json");
        app.send(request.body(Body::from(key.to_string())).unwrap())
    });
    let minted = join_all(minted).await;
    let said = minted.iter().filter(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(said.count(), 1, "a secret is said once");
    let nothing = json!({});
    let rings = join_all((0..8).map(|_| app.call("POST", "/v1/link-keys", &nothing))).await;
    let numbers: BTreeSet<u64> =
        rings.iter().map(|ring| ring.json()["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers.len(), 8, "each has a number of its own");
}
