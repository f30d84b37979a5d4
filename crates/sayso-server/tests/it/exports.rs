//! Lists that are written out: whom may be written to, who may not, and as it was (case A15).

use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::TestApp;

const LINES: &str = "application/x-ndjson";
const IMPORT: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";
const PEOPLE: [&str; 5] =
    ["+14155552671", "+14155552672", "+14155552673", "+14155552674", "+14155552675"];

/// Five people who agreed: one as before, one blocked by hand, one whose number is somebody else's, one
/// who refuses processing, one who refused since.
async fn five_people() -> TestApp {
    let app = TestApp::start().await;
    let row = |line: u32, phone: &str, more: &Value| {
        let mut row =
            json!({ "line": line, "phone": phone, "channel": "sms", "statement": "opt_in" });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row.to_string()
    };
    let dated = json!({ "occurred_at": "2026-01-01T10:00:00Z" });
    let mut rows: Vec<String> =
        (2..).zip(PEOPLE).map(|(line, phone)| row(line, phone, &dated)).collect();
    rows.push(row(8, PEOPLE[4], &json!({ "statement": "opt_out" })));
    rows.push(json!({ "line": 9, "phone": PEOPLE[3], "permission": "processing", "statement": "opt_out" }).to_string());
    let path = format!("/v1/imports/{IMPORT}/rows?list=crm");
    let taken = app.post_text(&path, LINES, rows.join("\n")).await.lines();
    assert!(taken.iter().all(|row| row["outcome"] == "appended"), "{taken:?}");
    for (phone, suppression) in [(PEOPLE[1], "operator"), (PEOPLE[2], "reassigned")] {
        let block = json!({
            "phone": phone, "blocked": true, "suppression": suppression, "occurred_at": app.now(),
        });
        let block = if suppression == "operator" {
            json!({ "phone": phone, "blocked": true })
        } else {
            block
        };
        let blocked = app.post("/v1/suppressions", &block).await;
        assert!(blocked.status.is_success(), "{}", blocked.text);
    }
    app
}

fn phones(rows: &[Value]) -> Vec<String> {
    let mut phones: Vec<String> =
        rows.iter().map(|row| row["phone"].as_str().unwrap().to_owned()).collect();
    phones.sort();
    phones.dedup();
    phones
}

#[tokio::test]
async fn a15_a_list_of_whom_may_be_written_to_holds_nobody_who_may_not() {
    let app = five_people().await;
    let rows = app.get("/v1/exports/consents?channel=sms&status=opted_in").await.lines();
    assert_eq!(phones(&rows), [PEOPLE[0]]);
    let out = app.get("/v1/exports/consents?channel=sms&status=opted_out").await.lines();
    assert_eq!(phones(&out), PEOPLE[1..]);
    let of = |phone: &str, rows: &[Value]| {
        rows.iter().find(|row| row["phone"] == phone).cloned().unwrap()
    };
    assert_eq!(of(PEOPLE[1], &out)["suppression"], "operator");
    assert_eq!(of(PEOPLE[2], &out)["suppression"], "reassigned");
    assert_eq!(of(PEOPLE[3], &out)["permission"], "processing");
    for phone in PEOPLE {
        let may = app.sms(phone).await["decision"] == "allow";
        assert_eq!(may, phone == PEOPLE[0], "{phone}: the list says what the gate says");
    }
}

#[tokio::test]
async fn a15_the_rows_of_a_table_keep_blocked_people_out_wherever_they_are_imported() {
    let app = five_people().await;
    let table = app.get("/v1/exports/consents?channel=sms&format=csv").await.text;
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|header| *header == name).unwrap();
    let mut said: Vec<(String, String)> = lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let processing = cells[column("gdpr_optin")];
            let what = if processing.is_empty() { cells[column("status")] } else { processing };
            (cells[0].trim_start_matches("tel:").to_owned(), what.to_owned())
        })
        .filter(|(_, what)| !what.is_empty())
        .collect();
    said.sort();
    let expected: Vec<(String, String)> = PEOPLE
        .iter()
        .zip(["opted_in", "opted_out", "opted_out", "false", "opted_out"])
        .map(|(phone, what)| ((*phone).to_owned(), what.to_owned()))
        .collect();
    assert_eq!(said, expected);
}

#[tokio::test]
async fn an_export_is_of_all_channels_and_of_a_day() {
    let app = five_people().await;
    let said = json!({
        "email": "ada@example.org", "channel": "email", "statement": "opt_out", "standing": "report",
    });
    let before = app.now();
    app.advance(Span::days(2));
    assert!(app.post("/v1/consents", &said).await.status.is_success());
    let said = json!({ "phone": PEOPLE[0], "channel": "sms", "statement": "opt_out", "standing": "report" });
    assert!(app.post("/v1/consents", &said).await.status.is_success());
    let all = app.get("/v1/exports/consents").await.lines();
    let channels: std::collections::BTreeSet<&str> =
        all.iter().filter_map(|row| row["channel"].as_str()).collect();
    assert!(channels.contains("sms") && channels.contains("email"), "{channels:?}");
    let day = &before[..10];
    for as_of in [day, before.as_str()] {
        let path = format!("/v1/exports/consents?status=opted_in&as_of={as_of}");
        let then = app.get(&path).await.lines();
        assert_eq!(phones(&then), [PEOPLE[0]], "{as_of}");
    }
    assert!(app.get("/v1/exports/consents?status=opted_in").await.lines().is_empty());
}
