//! Imports with the real binaries: killed and resumed, and with refusals lifted.

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use hyper::Method;
use serde_json::{Value, json};

use crate::http::Http;
use crate::running::{Running, SAYSO, sayso_json};

/// Rows of the list: several requests of 2,000 statements.
const ROWS: usize = 13_000;
/// What a bad row holds besides: the bad rows of one request are more than a pipe takes unread.
const EVIDENCE_BYTES: usize = 600;
/// How often a state is asked for before the test gives up.
const TRIES: u32 = 200_000;

/// What a row of the list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One statement that is taken.
    Good,
    /// Two statements under one phone that is none.
    WrongPhone,
    /// A word that is neither yes nor no.
    Unreadable,
    /// Neither yes nor no to anything.
    Silent,
}

fn kind(row: usize) -> Kind {
    match row % 10 {
        3 => Kind::WrongPhone,
        6 => Kind::Unreadable,
        9 => Kind::Silent,
        _ => Kind::Good,
    }
}

fn count(wanted: Kind) -> usize {
    (0..ROWS).filter(|row| kind(*row) == wanted).count()
}

fn email(row: usize) -> String {
    format!("row-{row}@example.org")
}

/// The line that a row stands on, below the header.
fn line(row: usize) -> usize {
    row + 2
}

fn write_list(path: &Path) {
    let evidence = "x".repeat(EVIDENCE_BYTES);
    let mut list = "phone,email,sms_optin,whatsapp_optin,email_optin,evidence\n".to_owned();
    for row in 0..ROWS {
        let email = email(row);
        match kind(row) {
            Kind::Good => writeln!(list, ",{email},,,yes,"),
            Kind::WrongPhone => writeln!(list, "12,{email},yes,yes,,{evidence}"),
            Kind::Unreadable => writeln!(list, ",{email},,,maybe,{evidence}"),
            Kind::Silent => writeln!(list, ",{email},,,,"),
        }
        .unwrap();
    }
    std::fs::write(path, list).unwrap();
}

/// A shop with a running server.
struct Shop {
    folder: tempfile::TempDir,
    server: Running,
    http: Http,
}

impl Shop {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        sayso_json(&data, &["workspaces", "create", "Shop", "--test"]);
        let scopes = ["write", "read", "configure"].map(|scope| ["--scope", scope]).concat();
        let key = ["keys", "create", "shop", "--highest-standing", "act"];
        let key = sayso_json(&data, &[&key[..], &scopes[..]].concat());
        let server = Running::serve(&data);
        let http = Http::connect(&server.address, key["secret"].as_str().unwrap()).await.unwrap();
        Self { folder, server, http }
    }

    /// The import command, the same each time but for what is added.
    fn import(&self, further: &[&str]) -> Command {
        let mut command = Command::new(SAYSO);
        command
            .current_dir(self.folder.path())
            .args(["import", "list.csv", "--list", "crm", "--data", "data"])
            .args(further)
            .stdin(Stdio::null());
        command
    }

    async fn events_of(&mut self, email: &str) -> Vec<Value> {
        let path = format!("/v1/events?email={}", email.replace('@', "%40"));
        let page = self.http.must(Method::GET, &path, None).await;
        assert_eq!(page.status, 200, "{page:?}");
        page.body["events"].as_array().unwrap().clone()
    }

    /// Whether a row is stored within the time that an import takes.
    async fn waits_for(&mut self, email: &str) -> bool {
        for _ in 0..TRIES {
            if !self.events_of(email).await.is_empty() {
                return true;
            }
        }
        false
    }
}

fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was killed before it was done");
}

/// Every count of a report says what the list holds, whatever was stored before.
fn is_right(report: &Value) {
    let (wrong, unreadable) = (count(Kind::WrongPhone), count(Kind::Unreadable));
    let number = |name: &str| usize::try_from(report[name].as_u64().unwrap()).unwrap();
    assert_eq!(number("rows"), ROWS);
    assert_eq!(number("statements"), count(Kind::Good) + 2 * wrong);
    assert_eq!(number("appended") + number("retried"), count(Kind::Good));
    assert_eq!(number("reports"), count(Kind::Good));
    assert_eq!(number("rejected"), 2 * wrong);
    assert_eq!(number("unreadable_rows"), unreadable);
    assert_eq!(number("rows_not_taken"), wrong + unreadable);
    assert_eq!(number("rows_that_say_nothing"), count(Kind::Silent));
    let others = ["repeated", "held", "would_append", "acts"];
    assert!(others.iter().all(|name| number(name) == 0), "{report}");
}

/// Each bad row once, in the order of the list, with what is wrong with it.
fn is_complete(rejects: &Path) {
    let mut reader = csv::Reader::from_path(rejects).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let bad = (0..ROWS).filter(|row| matches!(kind(*row), Kind::WrongPhone | Kind::Unreadable));
    let bad: Vec<usize> = bad.collect();
    let lines: Vec<usize> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(lines, bad.iter().map(|row| line(*row)).collect::<Vec<_>>());
    for (record, row) in rows.iter().zip(bad) {
        let reason = match kind(row) {
            Kind::WrongPhone => "phone isn't an international number",
            Kind::Unreadable | Kind::Good | Kind::Silent => "email_optin is \"maybe\"",
        };
        assert_eq!(record[1].matches(reason).count(), 1, "{}", &record[1]);
        assert_eq!(record[3], email(row));
    }
}

#[tokio::test]
async fn a_killed_import_is_run_again_and_every_row_is_there_once() {
    let mut shop = Shop::open().await;
    write_list(&shop.folder.path().join("list.csv"));
    let rejects = shop.folder.path().join("bad.csv");

    // The bad rows go into a pipe that nobody empties: once its first byte is there, the first
    // request was answered, and two more may be answered before the report holds everything up.
    assert!(Command::new("mkfifo").arg(&rejects).status().unwrap().success());
    let arguments = ["--rejects", "bad.csv", "--json"];
    let child = shop.import(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut pipe = std::fs::File::open(&rejects).unwrap();
    pipe.read_exact(&mut [0]).unwrap();
    kill(child.unwrap());
    drop(pipe);
    std::fs::remove_file(&rejects).unwrap();
    assert_eq!(shop.events_of(&email(0)).await.len(), 1, "the first rows are stored");
    assert!(shop.events_of(&email(ROWS - 2)).await.is_empty(), "the last ones are not");

    // Killed once more, as soon as rows of the second request are there.
    let child = shop.import(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    assert!(shop.waits_for(&email(4_800)).await);
    let mut child = child.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();

    let resumed = report(&shop.import(&arguments).output().unwrap());
    is_right(&resumed);
    assert!(resumed["retried"].as_u64().unwrap() > 0, "what was stored is not stored again");
    is_complete(&rejects);
    for row in (0..ROWS).filter(|row| kind(*row) == Kind::Good) {
        assert_eq!(shop.events_of(&email(row)).await.len(), 1, "row {row}");
    }

    let again = report(&shop.import(&arguments).output().unwrap());
    is_right(&again);
    assert_eq!(again["appended"], 0, "nothing is left to store");
    assert_eq!(again["import"], resumed["import"]);
    is_complete(&rejects);
    assert!(shop.server.stop());
}

#[tokio::test]
async fn refusals_are_lifted_when_told_and_then_nobody_is_asked_for_them() {
    let mut shop = Shop::open().await;
    let words = json!({
        "version": 1, "language": "en", "text": "Yes, send me news by SMS.",
        "names": [{ "channel": "sms", "scope": "all" }],
    });
    let made = shop.http.must(Method::POST, "/v1/notices", Some(&json!({ "name": "News" }))).await;
    let notice = made.body["id"].as_str().unwrap();
    let path = format!("/v1/notices/{notice}/versions");
    let made = shop.http.must(Method::POST, &path, Some(&words)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let notice = format!("{notice}/1/en");
    let refusal = json!({
        "phone": "+14155550102", "channel": "sms", "statement": "opt_out", "standing": "act",
        "method": "phone call", "occurred_at": "2025-01-01T10:00:00Z",
    });
    assert_eq!(shop.http.must(Method::POST, "/v1/consents", Some(&refusal)).await.status, 201);
    let list = format!(
        "phone,sms_optin,occurred_at,method,evidence,notice\n\
         +14155550101,yes,2025-03-01,paper form,file 7,{notice}\n\
         +14155550102,yes,2025-03-01,paper form,file 8,{notice}\n"
    );
    std::fs::write(shop.folder.path().join("list.csv"), list).unwrap();

    let printed = |output: Output| String::from_utf8(output.stdout).unwrap();
    let asks = "Only the compliance role";
    let held = shop.import(&[]).output().unwrap();
    assert_eq!(held.status.code(), Some(1));
    let held = printed(held);
    assert!(held.contains("1 held") && held.contains(asks), "{held}");
    assert!(held.contains("1 row would lift refusals"), "{held}");

    let looked = printed(shop.import(&["--lift-refusals", "--dry-run"]).output().unwrap());
    assert!(looked.contains("1 row would lift refusals") && !looked.contains(asks), "{looked}");

    let lifted = shop.import(&["--lift-refusals"]).output().unwrap();
    assert_eq!(lifted.status.code(), Some(0));
    let lifted = printed(lifted);
    assert!(lifted.contains("line 3: lifts the refusal"), "{lifted}");
    assert!(lifted.contains("1 row lifted refusals") && !lifted.contains(asks), "{lifted}");
    assert!(shop.server.stop());
}

#[tokio::test]
async fn lists_of_carriers_and_of_gupshup_are_imported_and_undone() {
    let mut shop = Shop::open().await;
    let list = |text: &str| std::fs::write(shop.folder.path().join("list.csv"), text).unwrap();
    let printed = |output: Output| {
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    list("+14155550101\n+14155550102\n");
    let undated = shop.import(&["--kind", "disconnected", "--json"]).output().unwrap();
    assert_eq!(undated.status.code(), Some(2), "the date of the list is needed");
    let carrier = ["--kind", "disconnected", "--date", "2026-01-10", "--json"];
    let looked = printed(shop.import(&[&carrier[..], &["--dry-run"]].concat()).output().unwrap());
    assert_eq!((&looked["would_append"], &looked["rows"]), (&json!(2), &json!(2)));
    let taken = printed(shop.import(&carrier).output().unwrap());
    assert_eq!(taken["appended"], 2);
    let again = printed(shop.import(&carrier).output().unwrap());
    assert_eq!((&again["retried"], &again["import"]), (&json!(2), &taken["import"]));

    list(
        r#"{"status":"success","users":[
            {"countryCode":"1","phoneCode":"4155550103","optinStatus":"OPT_IN","optinTimeStamp":1763719200123},
            {"countryCode":"1","phoneCode":"4155550104","optinStatus":"OPT_OUT"},
            {"countryCode":"1","phoneCode":"4155550105","optinStatus":"LATER"}]}"#,
    );
    let users = printed(shop.import(&["--format", "gupshup-users", "--json"]).output().unwrap());
    assert_eq!((&users["appended"], &users["repeated"]), (&json!(2), &json!(1)), "{users}");
    let events = shop.http.must(Method::GET, "/v1/events?phone=%2B14155550101", None).await;
    assert_eq!(events.body["events"][0]["says"], "reassigned set");
    for id in [&taken["import"], &users["import"]] {
        let undo = ["import", "undo", id.as_str().unwrap(), "--data", "data"];
        let output = Command::new(SAYSO).current_dir(shop.folder.path()).args(undo).output();
        assert_eq!(output.unwrap().status.code(), Some(0));
    }
    assert!(shop.server.stop());
}
