//! What a running server takes in when it is told to read its configuration again.

use hyper::Method;

use crate::http::Http;
use crate::running::{Running, sayso_json};

#[tokio::test]
async fn a_reload_changes_what_is_logged() {
    let directory = tempfile::tempdir().unwrap();
    let (data, config) = (directory.path().join("data"), directory.path().join("sayso.toml"));
    let log_at = |level: &str| {
        std::fs::write(&config, format!("[log]\nlevel = \"{level}\"\n")).unwrap();
    };
    sayso_json(&data, &["workspaces", "create", "Shop", "--test"]);
    log_at("error");
    let running = Running::serve_with(&data, &["--config", config.to_str().unwrap()], &[]);
    let mut http = Http::connect(&running.address, "sk_test_nobody").await.unwrap();
    let mut ask = async || http.must(Method::GET, "/v1/topics", None).await.status;
    assert_eq!(ask().await, 401);
    assert!(!running.said().contains("/v1/topics"), "{}", running.said());
    log_at("info");
    running.reload();
    // The signal arrives when it arrives; each request after it is logged.
    let logged = async {
        while !running.said().contains("/v1/topics") {
            assert_eq!(ask().await, 401);
        }
    };
    let bound = std::time::Duration::from_mins(1);
    tokio::time::timeout(bound, logged).await.unwrap();
    assert!(running.stop());
}
