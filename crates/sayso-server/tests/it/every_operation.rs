//! The doors of the API: who may call what, and whose things anybody sees. *The tables are made from the OpenAPI
//! document*, so that an operation to come is tried as well; one that cannot be tried fails and says what
//! `every_operation/world.rs` lacks.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{KeyScope, Mode};
use serde_json::Value;

use crate::support::{Answer, TestApp};
use world::{Call, Operation, World};

mod world;

/// The operations that browsers call, without a key.
const PUBLIC: [&str; 2] = ["capture_forms", "capture_tag"];

/// The operations of the document.
fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&sayso_server::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let scope = operation["security"][0]["api_key"][0].as_str();
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                takes_body: operation.get("requestBody").is_some(),
                scope: scope.map(|word| KeyScope::parse(word).unwrap()),
            });
        }
    }
    assert!(operations.len() >= 97, "the document lost operations");
    operations
}

/// Those that need a key.
fn guarded() -> impl Iterator<Item = (Operation, KeyScope)> {
    operations().into_iter().filter_map(|operation| {
        let scope = operation.scope;
        assert_eq!(
            scope.is_none(),
            PUBLIC.contains(&operation.id.as_str()),
            "{operation}: an operation names its scope under `security`, or stands in PUBLIC with a reason"
        );
        scope.map(|scope| (operation, scope))
    })
}

async fn send(app: &TestApp, operation: &Operation, call: &Call, key: Option<&str>) -> Answer {
    let uri = format!("{}{}", call.path, call.query);
    let mut request = Request::builder().method(operation.method.as_str()).uri(uri);
    request = request.header("content-type", call.media_type);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    app.send(request.body(Body::from(call.body.clone())).unwrap()).await
}

#[tokio::test]
async fn no_operation_answers_without_a_key_but_those_of_browsers() {
    let world = World::new().await;
    let no_keys = [None, Some("sk_test_nonsense"), Some("")];
    for (operation, _) in guarded() {
        let call = world.call(&operation).await;
        for key in no_keys {
            let answer = send(&world.app, &operation, &call, key).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{operation}: {}", answer.text);
            answer.is_problem("unauthorized");
        }
    }
}

#[tokio::test]
async fn an_operation_refuses_a_key_of_each_scope_that_it_does_not_name() {
    let world = World::new().await;
    let mut keys = BTreeMap::new();
    for scope in KeyScope::ALL {
        keys.insert(*scope, world.app.make_key(scope.as_str(), &[*scope], Standing::Act).await);
    }
    let before = world.everything().await;
    for (operation, needed) in guarded() {
        let call = world.call(&operation).await;
        for (scope, key) in keys.iter().filter(|(scope, _)| **scope != needed) {
            let answer = send(&world.app, &operation, &call, Some(key)).await;
            let (scope, text) = (scope.as_str(), &answer.text);
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{operation} by {scope}: {text}");
            answer.is_problem("scope-missing");
        }
    }
    assert_eq!(world.everything().await, before, "what was refused changed something");
}

#[tokio::test]
async fn no_key_sees_or_changes_what_is_of_another_workspace() {
    let world = World::new().await;
    let other = world.app.store.create_workspace("other", Mode::Test).await.unwrap().id;
    let stranger = world.app.make_key_of(other, "stranger", KeyScope::ALL, Standing::Act).await;
    let before = world.everything().await;
    // What strangers say themselves, they may be shown: so they read first.
    let mut table: Vec<(Operation, KeyScope)> = guarded().collect();
    table.sort_by_key(|(operation, _)| (operation.method != "GET", operation.order()));
    let mut said = String::new();
    for (operation, _) in table {
        let call = world.call(&operation).await;
        let answer = send(&world.app, &operation, &call, Some(&stranger)).await;
        said.push_str(&call.body);
        for mark in world.marks() {
            let is_said = said.contains(mark) || call.path.contains(mark);
            let is_shown = answer.text.contains(mark) && !is_said;
            assert!(!is_shown, "{operation} shows {mark}: {}", answer.text);
        }
        if operation.names_an_object() {
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{operation}: {}", answer.text);
            answer.is_problem("not-found");
        }
    }
    assert_eq!(world.everything().await, before, "a stranger changed something");
}

/// The calls that a stranger is refused are good ones: the workspace's own key is answered. Without this, the
/// tables above would be full of calls that nobody is ever answered.
#[tokio::test]
async fn every_call_of_the_tables_is_a_good_one() {
    let world = World::new().await;
    let mut table: Vec<(Operation, KeyScope)> = guarded().collect();
    table.sort_by_key(|(operation, _)| operation.order());
    for (operation, _) in table {
        let call = world.call(&operation).await;
        let answer = send(&world.app, &operation, &call, Some(&world.app.key)).await;
        assert!(
            answer.status.is_success(),
            "{operation} answers {} to the call that `every_operation/world.rs` makes: {}",
            answer.status,
            answer.text
        );
    }
}
