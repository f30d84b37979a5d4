//! Backups, restores and the master key, as a shell sees them.

use std::path::Path;

use hyper::Method;
use serde_json::{Value, json};

use crate::http::Http;
use crate::running::{Running, sayso, sayso_json};

const AGREED: &str = "+14155550101";
const REFUSED: &str = "+14155550102";

/// A folder with a store in `data`: one workspace, where somebody agreed and somebody refused.
fn folder_with_store() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    sayso_json(&data, &["workspaces", "create", "Shop", "--test"]);
    say(&data, "start", AGREED);
    say(&data, "opt_out", REFUSED);
    folder
}

fn say(data: &Path, statement: &str, phone: &str) {
    let said = ["consent", statement, "--phone", phone, "--channel", "sms", "--standing", "act"];
    let proof = ["--method", "phone call", "--occurred-at", "2026-01-01T10:00:00Z"];
    sayso_json(data, &[&said[..], &proof[..]].concat());
}

/// Says what a list believes: that the person agreed.
fn report(data: &Path, phone: &str) {
    let said = ["consent", "opt_in", "--phone", phone, "--channel", "sms", "--standing", "report"];
    sayso_json(data, &said);
}

/// The reason why nothing may be sent to a phone; null where it may.
fn reason(data: &Path, phone: &str) -> Value {
    let place = data.to_str().unwrap();
    let ask = ["check", "--phone", phone, "--channel", "sms", "--json", "--data", place];
    let answer: Value = serde_json::from_slice(&sayso(&ask).stdout).unwrap();
    answer["reason"].clone()
}

/// What a command that is refused says; its exit code is 2.
fn refused(arguments: &[&str]) -> String {
    let output = sayso(arguments);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {words}");
    words
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_backup_is_shown_with_what_it_holds_and_never_made_twice() {
    let folder = folder_with_store();
    let (data, to) = (folder.path().join("data"), folder.path().join("backup"));
    let made = sayso_json(&data, &["backup", text(&to)]);
    // The start is two events: it is pending, too.
    assert_eq!((&made["events"], &made["refusals"]), (&json!(3), &json!(1)));
    let again = refused(&["backup", text(&to), "--data", text(&data)]);
    assert!(again.contains(text(&to)) && again.contains("new directory"), "{again}");
}

#[test]
fn a_server_that_cannot_make_a_backup_says_where_and_what_to_do() {
    let folder = folder_with_store();
    let data = folder.path().join("data");
    let server = Running::serve(&data);
    let to = folder.path().join("missing/backup");
    let words = refused(&["backup", text(&to), "--data", text(&data)]);
    assert!(words.contains(text(&to)) && words.contains("may write to"), "{words}");
    assert!(server.stop());
}

#[tokio::test]
async fn somebody_erased_since_the_backup_is_erased_in_the_restored_store() {
    let folder = folder_with_store();
    let at = |name: &str| folder.path().join(name);
    let (data, backup, list, to) = (at("data"), at("backup"), at("erasures"), at("restored"));
    let server = Running::serve(&data);
    sayso_json(&data, &["backup", text(&backup)]);
    let key = sayso_json(&data, &["keys", "create", "shop", "--scope", "compliance"]);
    let mut http = Http::connect(&server.address, key["secret"].as_str().unwrap()).await.unwrap();
    let erased = http.must(Method::POST, "/v1/erasures", Some(&json!({ "phone": AGREED }))).await;
    assert_eq!(erased.status, 201);
    // Beside the running server: to a file, and to the terminal.
    let export = ["export", "--erasures", "--data", text(&data)];
    let to_file = [&export[..], &["--output", text(&list)]].concat();
    assert!(sayso(&to_file).status.success());
    let lines = std::fs::read_to_string(&list).unwrap();
    assert_eq!(lines.lines().count(), 1);
    assert_eq!(String::from_utf8(sayso(&export).stdout).unwrap(), lines);
    drop(http);
    assert!(server.stop());

    let master = data.join("master.key");
    let restore = ["restore", text(&backup), "--master-key", text(&master)];
    let restored = sayso_json(&to, &[&restore[..], &["--erasures", text(&list)]].concat());
    assert_eq!(restored["erasures"]["replayed"], 1);
    assert_eq!(restored["refusals_lost"], Value::Null);
    // An old list that is imported again reaches nobody.
    report(&to, AGREED);
    assert_eq!(reason(&to, AGREED), "suppressed");
    assert_eq!(reason(&to, REFUSED), "opted_out");
    // Without the list they are back, and the command says so.
    let place = at("without");
    let output = sayso(&[&restore[..], &["--data", text(&place)]].concat());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--erasures"));
    report(&place, AGREED);
    assert_eq!(reason(&place, AGREED), Value::Null);
}

#[test]
fn a_restore_says_which_refusals_are_lost_and_refuses_what_does_not_fit() {
    let folder = folder_with_store();
    let at = |name: &str| folder.path().join(name);
    let (data, backup, to) = (at("data"), at("backup"), at("restored"));
    sayso_json(&data, &["backup", text(&backup)]);
    say(&data, "opt_out", AGREED);
    let master = data.join("master.key");
    let restore = ["restore", text(&backup), "--master-key"];
    let other = at("other.key");
    std::fs::write(&other, [7; 32]).unwrap();
    let words = refused(&[&restore[..], &[text(&other), "--data", text(&to)]].concat());
    assert!(words.contains(text(&other)) && words.contains("master key of that time"), "{words}");
    assert!(!to.exists());
    let compare = [text(&master), "--compare", text(&data), "--data", text(&to), "--json"];
    let output = sayso(&[&restore[..], &compare[..]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["refusals_lost"], 1);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("not in this one: 1."), "{words}");
    let words = refused(&[&restore[..], &[text(&master), "--data", text(&to)]].concat());
    assert!(words.contains("events.db is there already"), "{words}");
}

#[test]
fn the_master_key_is_rotated_while_no_server_runs() {
    let folder = folder_with_store();
    let at = |name: &str| folder.path().join(name);
    let (data, backup, to) = (at("data"), at("backup"), at("restored"));
    let old = at("old.key");
    std::fs::copy(data.join("master.key"), &old).unwrap();
    let made = sayso_json(&data, &["backup", text(&backup)]);
    let server = Running::serve(&data);
    let words = refused(&["keys", "rotate", "--data", text(&data)]);
    assert!(words.contains(text(&data)) && words.contains("stop it first"), "{words}");
    assert!(server.stop());

    let rotated = sayso_json(&data, &["keys", "rotate"]);
    assert_eq!(rotated["fingerprint_before"], made["master_key_fingerprint"]);
    assert_ne!(rotated["fingerprint"], made["master_key_fingerprint"]);
    assert_ne!(std::fs::read(data.join("master.key")).unwrap(), std::fs::read(&old).unwrap());
    let profile = sayso_json(&data, &["profile", "--phone", REFUSED]);
    assert_eq!(profile["addresses"][0]["address"]["phone"], REFUSED, "{profile}");
    assert_eq!(reason(&data, REFUSED), "opted_out");

    // A backup of before needs the key of before.
    let new = data.join("master.key");
    let restore = ["restore", text(&backup), "--master-key"];
    let words = refused(&[&restore[..], &[text(&new), "--data", text(&to)]].concat());
    assert!(words.contains(made["master_key_fingerprint"].as_str().unwrap()), "{words}");
    sayso_json(&to, &[&restore[..], &[text(&old)]].concat());
    assert_eq!(reason(&to, REFUSED), "opted_out");

    std::fs::copy(&old, &new).unwrap();
    let words = refused(&["check", "--phone", REFUSED, "--channel", "sms", "--data", text(&data)]);
    assert!(words.contains("master.key is not the key this store was made with"), "{words}");
}

#[test]
fn a_directory_without_a_store_has_nothing_to_rotate_or_to_list() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for command in [&["keys", "rotate"][..], &["export", "--erasures"]] {
        let words = refused(&[command, &["--data", text(&data)]].concat());
        assert!(words.contains("there is no store"), "{words}");
        assert!(!data.exists(), "nothing was made");
    }
}

/// Runs a command somewhere, with no setting from outside.
fn sayso_in(place: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(crate::running::SAYSO);
    command.args(arguments).current_dir(place).env_remove("SAYSO_STORE__DIRECTORY");
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

fn words_of(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_backup_from_another_directory_makes_no_store_and_no_backup() {
    let elsewhere = tempfile::tempdir().unwrap();
    let place = elsewhere.path();
    std::fs::write(place.join("list.csv"), "phone,sms_optin\n+14155550101,no\n").unwrap();
    let commands: [&[&str]; 10] = [
        &["backup", "copy"],
        &["check", "--phone", AGREED, "--channel", "sms"],
        &["consent", "opt_out", "--phone", AGREED, "--channel", "sms", "--standing", "act"],
        &["profile", "--phone", AGREED],
        &["import", "list.csv"],
        &["export", "--channel", "sms"],
        &["export", "--erasures"],
        &["keys", "create", "shop", "--scope", "check"],
        &["keys", "list"],
        &["workspaces", "list"],
    ];
    for command in commands {
        let output = sayso_in(place, command);
        let words = words_of(&output);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {words}");
        assert!(words.contains("there is no store in data"), "{command:?}: {words}");
        assert!(words.contains("--data") && words.contains("workspaces create"), "{words}");
        let left: Vec<_> = std::fs::read_dir(place).unwrap().collect();
        assert_eq!(left.len(), 1, "{command:?} made something");
    }
}

#[test]
fn a_store_is_made_by_its_first_workspace_and_by_the_first_serve_which_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let made = sayso_in(folder.path(), &["workspaces", "create", "Shop", "--test"]);
    assert!(words_of(&made).contains("made a new store in"), "{made:?}");
    assert!(words_of(&made).contains("master.key"), "{made:?}");
    let again = sayso_in(folder.path(), &["workspaces", "create", "Other", "--test"]);
    assert!(!words_of(&again).contains("made a new store"), "{again:?}");

    let data = folder.path().join("served");
    for is_new in [true, false] {
        let server = Running::serve(&data);
        assert_eq!(server.greeting["new_store"], is_new);
        assert!(server.stop());
    }
}

#[test]
fn a_relative_path_in_a_file_is_relative_to_the_file_wherever_the_command_runs() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = folder.path().join("sayso.toml");
    std::fs::write(&config, "[store]\ndirectory = \"store\"\n").unwrap();
    let with = ["--config", text(&config)];
    let made = sayso_in(elsewhere.path(), &[&["workspaces", "create", "Shop"], &with[..]].concat());
    assert!(made.status.success(), "{}", words_of(&made));
    assert!(folder.path().join("store/events.db").exists());
    for place in [folder.path(), elsewhere.path()] {
        let listed = sayso_in(place, &[&["workspaces", "list"], &with[..]].concat());
        assert!(listed.status.success(), "{}", words_of(&listed));
    }
    assert!(!elsewhere.path().join("store").exists());
}

#[test]
fn a_backup_says_what_it_holds_until_when_and_from_where_and_warns_of_an_empty_one() {
    let folder = folder_with_store();
    let at = |name: &str| folder.path().join(name);
    let copy = ["backup", text(&at("copy")), "--data", text(&at("data"))].map(str::to_owned);
    let copy: Vec<&str> = copy.iter().map(String::as_str).collect();
    let output = sayso(&copy);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    for word in
        [text(&at("copy")), text(&at("data")), "refusals    1", "workspaces  1", "until       20"]
    {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(!words_of(&output).contains("empty"));
    let (empty, to) = (at("empty"), at("copy of empty"));
    sayso_json(&empty, &["workspaces", "create", "Shop", "--test"]);
    let output = sayso(&["backup", text(&to), "--data", text(&empty)]);
    assert!(output.status.success());
    let words = words_of(&output);
    assert!(words.contains("this backup is empty") && words.contains(text(&empty)), "{words}");
}

#[test]
fn a_store_of_which_the_ledger_is_gone_is_not_served_as_a_new_one() {
    let folder = folder_with_store();
    let data = folder.path().join("data");
    std::fs::remove_file(data.join("events.db")).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["workspaces", "create", "Shop"]] {
        let words = refused(&[command, &["--data", text(&data)]].concat());
        assert!(words.contains("events.db is gone") && words.contains("sayso restore"), "{words}");
        assert!(!data.join("events.db").exists());
    }
}

#[test]
fn the_doctor_says_whether_the_files_of_a_store_are_what_sayso_wrote() {
    let folder = folder_with_store();
    let data = folder.path().join("data");
    let examine = || {
        let output = sayso(&["doctor", "store", "--json", "--data", text(&data)]);
        (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap())
    };
    let server = Running::serve(&data);
    let (code, found) = examine();
    assert_eq!((code, &found["proven"], &found["faults"]), (Some(0), &json!(3), &json!([])));
    assert!(server.stop());
    let path = data.join("events.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // A name in the schema is another's.
    let at = bytes.windows(13).position(|window| window == b"phone_metadat").unwrap();
    bytes[at] = b'q';
    std::fs::write(&path, bytes).unwrap();
    let (code, found) = examine();
    let fault = &found["faults"][0];
    assert_eq!((code, &fault["file"]), (Some(1), &json!("events.db")), "{found}");
    assert!(fault["message"].as_str().unwrap().contains("not the one that Sayso made"), "{found}");
    let words = refused(&["check", "--phone", AGREED, "--channel", "sms", "--data", text(&data)]);
    assert!(words.contains("was changed by somebody"), "{words}");
}
