//! Keys on the command line: roles, scopes, and the way of a newcomer with one key.

use hyper::Method;
use sayso_core::workspace::{KeyRole, KeyScope};
use serde_json::json;

use crate::http::Http;
use crate::running::{Running, sayso, sayso_json};

fn store() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    sayso_json(data.path(), &["workspaces", "create", "Shop", "--test"]);
    data
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_role_gives_its_scopes_and_its_highest_standing() {
    let data = store();
    for role in KeyRole::ALL {
        let name = role.as_str();
        let made = sayso_json(data.path(), &["keys", "create", name, "--role", name]);
        let scopes: Vec<&str> = role.scopes().iter().map(|scope| scope.as_str()).collect();
        assert_eq!(
            (&made["scopes"], &made["highest"]),
            (&json!(scopes), &json!(role.highest().as_str()))
        );
    }
    let more = ["keys", "create", "more", "--role", "sender", "--scope", "send:exempt"];
    let made = sayso_json(data.path(), &more);
    assert_eq!(made["scopes"], json!(["check", "send", "send:exempt"]));
    let lower = ["keys", "create", "lower", "--role", "backend", "--highest-standing", "report"];
    assert_eq!(sayso_json(data.path(), &lower)["highest"], "report");
    let scopes = ["keys", "create", "plain", "--scope", "write", "--scope", "check"];
    let made = sayso_json(data.path(), &scopes);
    assert_eq!((&made["scopes"], &made["highest"]), (&json!(["check", "write"]), &json!("report")));
}

#[test]
fn the_list_shows_what_each_key_may_do() {
    let data = store();
    sayso_json(data.path(), &["keys", "create", "shop", "--role", "backend"]);
    let output = sayso(&["keys", "list", "--data", data.path().to_str().unwrap()]);
    let listed = text(&output.stdout);
    assert!(listed.contains("act") && listed.contains("check, read, write, send"), "{listed}");
}

#[test]
fn help_completions_and_faults_name_every_scope_and_role() {
    let help = text(&sayso(&["keys", "create", "--help"]).stdout);
    let reference = text(&sayso(&["docs", "keys"]).stdout);
    let openapi = text(&sayso(&["openapi"]).stdout);
    let data = store();
    let place = data.path().to_str().unwrap();
    let fault = text(&sayso(&["keys", "create", "x", "--scope", "fly", "--data", place]).stderr);
    let completions: Vec<String> = ["bash", "zsh", "fish"]
        .iter()
        .map(|shell| text(&sayso(&["completions", shell]).stdout))
        .collect();
    for scope in KeyScope::ALL {
        let word = scope.as_str();
        for (place, text) in
            [("help", &help), ("docs", &reference), ("openapi", &openapi), ("fault", &fault)]
        {
            assert!(text.contains(word), "{word} is not in {place}: {text}");
        }
        // A colon is escaped in some shells.
        let escaped = [word.to_owned(), word.replace(':', "\\:"), word.replace(':', "\\\\:")];
        for script in &completions {
            assert!(escaped.iter().any(|word| script.contains(word)), "{word}");
        }
    }
    for role in KeyRole::ALL {
        for text in [&help, &reference, &openapi].into_iter().chain(&completions) {
            assert!(text.contains(role.as_str()), "{role:?} is not in {text}");
        }
    }
    let wrong = sayso(&["keys", "create", "x", "--role", "king", "--data", place]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("backend"), "{}", text(&wrong.stderr));
}

#[tokio::test]
async fn the_first_act_of_a_newcomer_needs_one_key() {
    let data = store();
    let server = Running::serve(data.path());
    let key = sayso_json(data.path(), &["keys", "create", "setup", "--role", "admin"]);
    let mut http = Http::connect(&server.address, key["secret"].as_str().unwrap()).await.unwrap();
    let notice = json!({ "name": "Checkout" });
    let notice = http.must(Method::POST, "/v1/notices", Some(&notice)).await;
    let id = notice.body["id"].as_str().unwrap().to_owned();
    let words = json!({ "version": 1, "language": "en", "text": "Text me about offers.",
        "names": [{ "channel": "sms" }] });
    let path = format!("/v1/notices/{id}/versions");
    assert_eq!(http.must(Method::POST, &path, Some(&words)).await.status, 201);
    let yes = json!({ "phone": "+14155550101", "channel": "sms", "statement": "opt_in",
        "standing": "act", "occurred_at": "2026-01-01T10:00:00Z", "method": "checkbox",
        "notice": { "id": id, "version": 1, "language": "en" } });
    let recorded = http.must(Method::POST, "/v1/consents", Some(&yes)).await;
    assert_eq!(recorded.status, 201, "{recorded:?}");
    assert_eq!(recorded.body["consent"]["status"], "opted_in");

    let key = sayso_json(data.path(), &["keys", "create", "my-shop", "--role", "backend"]);
    let mut http = Http::connect(&server.address, key["secret"].as_str().unwrap()).await.unwrap();
    let no = json!({ "phone": "+14155550101", "channel": "sms", "statement": "opt_out",
        "standing": "act" });
    assert_eq!(http.must(Method::POST, "/v1/consents", Some(&no)).await.status, 201);
    let ask = json!({ "phone": "+14155550101", "channel": "sms" });
    assert_eq!(http.must(Method::POST, "/v1/check", Some(&ask)).await.body["reason"], "opted_out");
}
