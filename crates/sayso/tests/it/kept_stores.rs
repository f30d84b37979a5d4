//! Stores that earlier releases wrote, opened by this one.
//!
//! `cargo xtask keep-store VERSION PROGRAM` made each: the files, a key, and what that release answered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hyper::Method;
use serde_json::Value;

use crate::http::Http;
use crate::running::Running;

fn kept() -> Vec<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores");
    let mut kept: Vec<_> =
        std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    kept.sort();
    kept
}

/// Whether all that was shown is still shown, whatever is new beside it.
fn still_says(now: &Value, then: &Value) -> bool {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            then.iter().all(|(name, then)| now.get(name).is_some_and(|now| still_says(now, then)))
        }
        (Value::Array(now), Value::Array(then)) => {
            now.len() == then.len() && now.iter().zip(then).all(|(now, then)| still_says(now, then))
        }
        (now, then) => now == then,
    }
}

#[tokio::test]
async fn a_store_of_an_earlier_release_opens_and_says_what_it_said() {
    let kept = kept();
    assert!(!kept.is_empty(), "no release left a store");
    for store in kept {
        let release = store.file_name().unwrap().to_str().unwrap().to_owned();
        let data = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(&store).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), data.path().join(entry.file_name())).unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(store.join(name)).unwrap();
        let key = read("key");
        let shown: BTreeMap<String, Value> = serde_json::from_str(&read("shown.json")).unwrap();
        // Once as it was kept, and once after this release wrote its own files.
        for start in ["first", "second"] {
            let url = ("SAYSO_SERVER__PUBLIC_URL", Path::new("https://consent.example"));
            let server = Running::serve_with(data.path(), &[], &[url]);
            let mut http = Http::connect(&server.address, &key).await.unwrap();
            for (path, then) in &shown {
                let now = http.must(Method::GET, path, None).await;
                assert_eq!(now.status, then["status"], "{release}, {start} start: {path}");
                assert!(
                    still_says(&now.body, &then["body"]),
                    "{release}, {start} start: {path}\nnow  {}\nthen {}",
                    now.body,
                    then["body"]
                );
            }
            assert!(server.stop());
        }
    }
}
