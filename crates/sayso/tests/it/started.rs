//! What a server says of itself once it is ready: one line.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::running::{Running, SAYSO, sayso_json};

/// What a server says on standard error until it listens, with these variables; then it is stopped.
fn said(data: &Path, variables: &[(&str, &str)]) -> Vec<String> {
    said_by(Command::new(SAYSO), data, variables)
}

fn said_by(mut sayso: Command, data: &Path, variables: &[(&str, &str)]) -> Vec<String> {
    let mut child: Child = sayso
        .args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
        .arg("--data")
        .arg(data)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let mut lines = Vec::new();
    for line in stderr.lines().map_while(Result::ok) {
        let is_ready = line.contains("listening");
        lines.push(line);
        if is_ready {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A shop in a directory that its owner alone may read, as `sayso` makes one.
fn shop() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    open(data.path(), 0o700);
    sayso_json(data.path(), &["workspaces", "create", "Shop", "--test"]);
    for phone in ["+14155550101", "+14155550102"] {
        let said = ["consent", "opt_out", "--phone", phone, "--channel", "sms"];
        sayso_json(data.path(), &[&said[..], &["--standing", "act"]].concat());
    }
    data
}

#[test]
fn a_start_says_what_it_is_on_which_data_and_where() {
    let data = shop();
    let server = Running::serve(data.path());
    let line = &server.greeting;
    assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        line["data"].as_str().unwrap(),
        data.path().canonicalize().unwrap().to_str().unwrap()
    );
    assert!(line["events"].as_u64().unwrap() >= 2, "{line}");
    assert_eq!(line["tls"], false);
    assert_eq!(line["clock_held_back_us"], 0);
    for url in ["url", "admin_url"] {
        assert!(line[url].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
    }
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    sayso_json(data.path(), &["backup", backup.to_str().unwrap()]);
    let manifest = std::fs::read_to_string(backup.join("backup.json")).unwrap();
    assert!(manifest.contains(line["master_key"].as_str().unwrap()), "{line}: {manifest}");
}

#[test]
fn the_line_is_one_json_object_where_logs_are_json_whatever_their_level() {
    let data = shop();
    for level in ["info", "error", "off"] {
        let lines = said(data.path(), &[("SAYSO_LOG__LEVEL", level)]);
        let shown: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        assert_eq!((&shown["message"], &shown["level"]), (&"listening".into(), &"INFO".into()));
        for field in ["timestamp", "version", "url", "admin_url", "data", "master_key"] {
            assert!(shown[field].is_string(), "{field}: {shown}");
        }
        assert!(shown["events"].is_u64() && shown["tls"].is_boolean(), "{shown}");
        for line in &lines {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        }
    }
}

#[test]
fn the_line_is_in_words_where_logs_are() {
    let data = shop();
    let lines = said(data.path(), &[("SAYSO_LOG__FORM", "text")]);
    let line = lines.last().unwrap();
    let place = data.path().canonicalize().unwrap();
    for part in [
        "sayso: listening on http://127.0.0.1:",
        "without TLS",
        env!("CARGO_PKG_VERSION"),
        place.to_str().unwrap(),
        "events",
        "master key",
        "clock right",
    ] {
        assert!(line.contains(part), "{part} is not in: {line}");
    }
}

#[test]
fn a_start_warns_of_a_key_or_a_directory_that_others_may_read() {
    let data = shop();
    let key = data.path().join("master.key");
    let warnings = || {
        let lines = said(data.path(), &[]);
        let is_warning = |line: &String| line.contains("others on this machine may read");
        lines.into_iter().filter(is_warning).collect::<Vec<_>>()
    };
    assert!(warnings().is_empty(), "what sayso makes is private");
    for (path, mode, right) in [
        (key.as_path(), 0o644, "chmod 600"),
        (key.as_path(), 0o640, "chmod 600"),
        (data.path(), 0o755, "chmod 700"),
        (data.path(), 0o750, "chmod 700"),
    ] {
        open(path, mode);
        let warned = warnings();
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(
            warned[0].contains(right) && warned[0].contains(&format!("{mode:o}")),
            "{warned:?}"
        );
        open(path, if path == key { 0o600 } else { 0o700 });
    }
    assert!(warnings().is_empty());
}

#[test]
fn where_few_files_may_be_open_the_start_says_how_many_connections_that_leaves() {
    let data = shop();
    let limited = |files: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -S -n 200; {files}; exec \"$0\" \"$@\""), SAYSO]);
        said_by(shell, data.path(), &[("SAYSO_SERVER__CONNECTIONS_MAX", "256")])
    };
    let lowered = "the process may open too few files for server.connections_max";
    let lines = limited("ulimit -H -n 300");
    let line = lines.iter().find(|line| line.contains(lowered)).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["files_max"], &line["connections_max"]), (&300.into(), &150.into()));
    // The soft limit is raised by the server itself.
    let lines = limited("ulimit -H -n 768");
    assert!(!lines.iter().any(|line| line.contains(lowered)), "{lines:?}");
}
