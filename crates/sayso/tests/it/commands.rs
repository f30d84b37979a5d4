//! The commands, as a shell sees them: data, talk, exit codes.

use hyper::Method;
use serde_json::json;

use crate::http::Http;
use crate::running::{Running, sayso, sayso_json};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A store with one workspace, where somebody agreed and somebody refused.
fn small_store() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    sayso_json(data.path(), &["workspaces", "create", "Shop", "--test"]);
    for (statement, phone) in [("start", "+14155550101"), ("opt_out", "+14155550102")] {
        let said =
            ["consent", statement, "--phone", phone, "--channel", "sms", "--standing", "act"];
        let proof = ["--method", "phone call", "--occurred-at", "2026-01-01T10:00:00Z"];
        sayso_json(data.path(), &[&said[..], &proof[..]].concat());
    }
    data
}

#[test]
fn a_denied_check_is_exit_code_1_and_names_the_reason() {
    let data = small_store();
    let place = data.path().to_str().unwrap();
    let ask = ["check", "--phone", "+14155550102", "--channel", "sms", "--data", place];
    let output = sayso(&ask);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "deny (opted_out)\n");
    assert_eq!(text(&output.stderr), "");
    let output = sayso(&[&ask[..], &["--json"]].concat());
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &answer["reason"]), (Some(1), &json!("opted_out")));
}

#[test]
fn wrong_input_is_exit_code_2_with_the_field_and_a_good_value() {
    let data = small_store();
    let place = data.path().to_str().unwrap();
    let output = sayso(&["check", "--phone", "12", "--channel", "smoke", "--data", place]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    let words = text(&output.stderr);
    assert!(words.contains("phone") && words.contains("+12015550123"), "{words}");
    assert!(words.contains("channel") && words.contains("whatsapp, sms"), "{words}");
}

#[test]
fn a_wrong_setting_is_named_with_its_fix_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sayso.toml");
    std::fs::write(&file, "[server]\nadress = \"0.0.0.0:80\"\n").unwrap();
    let data = folder.path().join("data");
    let output =
        sayso(&["serve", "--config", file.to_str().unwrap(), "--data", data.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let words = text(&output.stderr);
    for part in ["sayso.toml", "server.adress", "0.0.0.0:80", "server.address"] {
        assert!(words.contains(part), "{part} is not in: {words}");
    }
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn a_store_without_a_workspace_says_how_to_make_one() {
    let data = tempfile::tempdir().unwrap();
    let place = data.path().to_str().unwrap();
    let output = sayso(&["check", "--phone", "+14155550102", "--channel", "sms", "--data", place]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("sayso workspaces create"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn commands_reach_a_running_server_by_its_socket() {
    let data = small_store();
    let server = Running::serve(data.path());
    let profile = sayso_json(data.path(), &["profile", "--phone", "+14155550102"]);
    let channels = profile["addresses"][0]["channels"].as_array().unwrap();
    let sms = channels.iter().find(|channel| channel["channel"] == "sms").unwrap();
    assert_eq!(sms["consent"]["status"], "opted_out");
    let key = sayso_json(data.path(), &["keys", "create", "shop", "--scope", "check"]);
    let mut http = Http::connect(&server.address, key["secret"].as_str().unwrap()).await.unwrap();
    let ask = json!({ "phone": "+14155550102", "channel": "sms" });
    let answer = http.must(Method::POST, "/v1/check", Some(&ask)).await;
    assert_eq!(answer.body["reason"], "opted_out", "the server knows the new key at once");
    sayso_json(data.path(), &["keys", "revoke", key["id"].as_str().unwrap()]);
    assert_eq!(http.must(Method::POST, "/v1/check", Some(&ask)).await.status, 401);
    drop(http);
    assert!(server.stop(), "a stop is a success");
    assert!(!data.path().join("sayso.sock").exists());
}

#[test]
fn a_backup_of_a_running_server_is_restored_with_its_key() {
    let data = small_store();
    let server = Running::serve(data.path());
    let folder = tempfile::tempdir().unwrap();
    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored"));
    sayso_json(data.path(), &["backup", backup.to_str().unwrap()]);
    drop(server);
    let key = data.path().join("master.key");
    let from = ["restore", backup.to_str().unwrap(), "--master-key", key.to_str().unwrap()];
    assert_eq!(sayso_json(&restored, &from)["events"], 3);
    let place = restored.to_str().unwrap();
    let output = sayso(&["check", "--phone", "+14155550102", "--channel", "sms", "--data", place]);
    assert_eq!(text(&output.stdout), "deny (opted_out)\n");
}

#[tokio::test]
async fn the_demo_answers_its_own_example_and_leaves_nothing_behind() {
    let demo = Running::demo();
    let key = demo.greeting["api_key"].as_str().unwrap().to_owned();
    let mut http = Http::connect(&demo.address, &key).await.unwrap();
    for (phone, reason) in [("+14155550101", json!(null)), ("+14155550102", json!("opted_out"))] {
        let ask = json!({ "channel": "sms", "phone": phone, "explain": true });
        let answer = http.must(Method::POST, "/v1/check", Some(&ask)).await;
        assert_eq!(answer.body["reason"], reason, "{answer:?}");
    }
    drop(http);
    assert!(demo.stop());
}

#[test]
fn the_doctor_finds_the_mistakes_of_a_page() {
    let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/pages");
    let good = sayso(&["doctor", "page", pages.join("before.html").to_str().unwrap()]);
    let broken = sayso(&["doctor", "page", "--json", pages.join("broken.html").to_str().unwrap()]);
    assert_eq!(broken.status.code(), Some(1), "{}", text(&broken.stdout));
    let shown: serde_json::Value = serde_json::from_slice(&broken.stdout).unwrap();
    let codes: Vec<&str> = shown["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    for code in ["phone-not-e164", "flag-not-boolean", "email-malformed"] {
        assert!(codes.contains(&code), "{code} is not among {codes:?}");
    }
    assert!(text(&good.stdout).contains("good"), "{}", text(&good.stdout));
}

#[test]
fn generated_pages_are_the_same_each_time() {
    for arguments in [
        &["openapi"][..],
        &["docs", "problems"],
        &["docs", "config"],
        &["docs", "limits"],
        &["docs", "keys"],
        &["docs", "cli"],
    ] {
        let (one, two) = (sayso(arguments), sayso(arguments));
        assert!(one.status.success() && one.stdout.len() > 500, "{arguments:?}");
        assert_eq!(one.stdout, two.stdout, "{arguments:?}");
    }
    assert!(text(&sayso(&["completions", "bash"]).stdout).contains("_sayso"));
}
