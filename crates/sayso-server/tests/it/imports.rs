//! Lists: previewed, taken row by row, resumed, undone, and written out again.

use axum::http::StatusCode;
use sayso_core::time::Span;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::KeyScope;
use serde_json::{Value, json};

use crate::support::{TestApp, act};

const LINES: &str = "application/x-ndjson";
const ADA: &str = "+14155552671";
const IMPORT: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";
const OTHER: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w9";

fn row(line: u32, statement: &str) -> Value {
    json!({ "line": line, "phone": ADA, "channel": "sms", "statement": statement })
}

/// An opt-in with all that an act needs.
fn proven(line: u32, occurred_at: &str, notice: &Value) -> Value {
    let mut row = row(line, "opt_in");
    row["occurred_at"] = occurred_at.into();
    row["method"] = "paper form".into();
    row["evidence"] = "file 7".into();
    row["notice"] = notice.clone();
    row
}

async fn import_as(app: &TestApp, id: &str, query: &str, rows: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let path = format!("/v1/imports/{id}/rows?list=crm{query}");
    let answer = app.post_text(&path, LINES, lines.join("\n")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.lines()
}

async fn import(app: &TestApp, rows: &[Value]) -> Vec<Value> {
    import_as(app, IMPORT, "", rows).await
}

async fn reason(app: &TestApp, phone: &str) -> Value {
    app.sms(phone).await["reason"].clone()
}

/// The person says STOP, now.
async fn stop(app: &TestApp) -> String {
    let now = app.now();
    let said = act(ADA, "opt_out", &now, &Value::Null);
    assert_eq!(app.post("/v1/consents", &said).await.status, StatusCode::CREATED);
    now
}

#[tokio::test]
async fn an_import_can_never_lift_a_refusal_without_newer_proof_from_the_person() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let before = app.now();
    app.advance(Span::minutes(5));
    stop(&app).await;
    app.advance(Span::minutes(5));
    let after = app.now();
    app.advance(Span::minutes(5));
    // What an old copy of the list says: an undated yes, a dated one, and one with old proof.
    let mut dated = row(3, "opt_in");
    dated["occurred_at"] = after.clone().into();
    let old = [row(2, "opt_in"), dated, proven(4, &before, &notice)];
    for answer in import(&app, &old).await {
        assert_eq!(answer["outcome"], "appended", "{answer}");
        assert_eq!(answer["status"], "opted_out", "{answer}");
    }
    assert_eq!(reason(&app, ADA).await, "opted_out");
    // Newer proof is held until the compliance role lets it through.
    let newer = [proven(5, &after, &notice)];
    let held = import(&app, &newer).await.remove(0);
    assert_eq!((&held["outcome"], &held["status"]), (&json!("held"), &json!("opted_out")));
    assert_eq!(held["lifts_refusals"][0]["refusal"], "opt_out");
    assert_eq!(held["lifts_refusals"][0]["covers"], "all");
    assert_eq!(reason(&app, ADA).await, "opted_out");
    let lifted = import_as(&app, IMPORT, "&lift_refusals=true", &newer).await.remove(0);
    assert_eq!((&lifted["outcome"], &lifted["status"]), (&json!("appended"), &json!("opted_in")));
    assert_eq!(lifted["lifts_refusals"].as_array().unwrap().len(), 1);
    assert_eq!(app.sms(ADA).await["decision"], "allow");
}

#[tokio::test]
async fn lifting_refusals_needs_the_compliance_role() {
    let mut app = TestApp::start().await;
    app.key = app.make_key("importer", &[KeyScope::Import], Standing::Act).await;
    let path = format!("/v1/imports/{IMPORT}/rows?list=crm&lift_refusals=true");
    let answer = app.post_text(&path, LINES, row(2, "opt_in").to_string()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    answer.is_problem("scope-missing");
}

#[tokio::test]
async fn a_row_without_a_notice_is_a_report_and_lifts_nothing() {
    let app = TestApp::start().await;
    stop(&app).await;
    app.advance(Span::minutes(5));
    let mut reported = row(2, "opt_in");
    reported["occurred_at"] = app.now().into();
    reported["method"] = "paper form".into();
    reported["evidence"] = "crm".into();
    let answer = import(&app, &[reported]).await.remove(0);
    assert_eq!((&answer["standing"], &answer["status"]), (&json!("report"), &json!("opted_out")));
    let question = json!({ "phone": ADA, "channel": "sms", "explain": true });
    let explained = app.post("/v1/check", &question).await;
    assert!(explained.text.contains("crm"), "the claim is shown");
}

#[tokio::test]
async fn a_row_with_date_method_evidence_and_notice_is_an_act_at_its_date() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let answer = import(&app, &[proven(2, "2026-03-01", &notice)]).await.remove(0);
    assert_eq!((&answer["standing"], &answer["status"]), (&json!("act"), &json!("opted_in")));
    let event = app.get("/v1/exports/consents?channel=sms").await.lines().remove(0);
    let since = "2026-02-28T10:00:00.000000Z";
    assert_eq!(event["since"], since, "a day without a zone begins at UTC+14");
    assert_eq!(event["basis"]["standing"], "act");
    assert_eq!(event["basis"]["fields"]["evidence"], "file 7");
}

#[tokio::test]
async fn a_key_that_may_only_report_imports_reports() {
    let mut app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    app.key = app.make_key("importer", &[KeyScope::Import], Standing::Report).await;
    let answer = import(&app, &[proven(2, "2026-03-01", &notice)]).await.remove(0);
    assert_eq!(answer["standing"], "report");
}

#[tokio::test]
async fn a_preview_stores_nothing_and_names_every_refusal_that_a_row_would_lift() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    stop(&app).await;
    app.advance(Span::minutes(5));
    let rows = [proven(2, &app.now(), &notice), row(3, "opt_out"), row(4, "nonsense")];
    for (query, outcome) in
        [("&preview=true", "held"), ("&preview=true&lift_refusals=true", "would_append")]
    {
        let answers = import_as(&app, IMPORT, query, &rows).await;
        assert_eq!(answers[0]["outcome"], outcome);
        assert_eq!(answers[0]["lifts_refusals"].as_array().unwrap().len(), 1);
        assert_eq!(answers[1]["outcome"], "would_append");
        assert_eq!(answers[2]["outcome"], "rejected");
    }
    let history = app.get("/v1/exports/consents?channel=sms").await.lines();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["basis"]["road"], "api", "nothing was stored");
}

#[tokio::test]
async fn a_row_that_lifts_a_refusal_of_an_earlier_row_is_held_too() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let mut out = row(2, "opt_out");
    out["occurred_at"] = "2026-03-01".into();
    out["method"] = "phone call".into();
    for query in ["&preview=true", ""] {
        let rows = [out.clone(), proven(3, "2026-04-01", &notice)];
        let answers = import_as(&app, IMPORT, query, &rows).await;
        assert_eq!(answers[1]["outcome"], "held", "{query}");
    }
    assert_eq!(reason(&app, ADA).await, "opted_out");
}

#[tokio::test]
async fn a_newer_report_of_a_list_that_would_lift_its_own_no_is_held() {
    let app = TestApp::start().await;
    import(&app, &[row(2, "opt_out")]).await;
    app.advance(Span::minutes(5));
    let mut yes = row(3, "opt_in");
    yes["occurred_at"] = app.now().into();
    app.advance(Span::minutes(5));
    let answer = import_as(&app, OTHER, "", &[yes]).await.remove(0);
    assert_eq!(answer["outcome"], "held");
    assert_eq!(answer["lifts_refusals"][0]["refusal"], "report");
    assert_eq!(reason(&app, ADA).await, "opted_out");
}

#[tokio::test]
async fn an_import_that_is_sent_again_doubles_nothing() {
    let app = TestApp::start().await;
    let rows = [row(2, "opt_in"), row(3, "opt_out")];
    let first = import(&app, &rows).await;
    app.advance(Span::minutes(5));
    let again = import(&app, &rows).await;
    for (first, again) in first.iter().zip(&again) {
        assert_eq!((&first["outcome"], &again["outcome"]), (&json!("appended"), &json!("retried")));
        assert_eq!(first["event"], again["event"]);
    }
    let other = import_as(&app, OTHER, "", &rows).await;
    assert_eq!(other[0]["outcome"], "appended", "another import is another");
}

#[tokio::test]
async fn an_undated_no_is_of_now_and_is_gone_when_the_import_is_undone() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let yes = act(ADA, "opt_in", &app.now(), &notice);
    app.post("/v1/consents", &yes).await;
    app.advance(Span::minutes(5));
    import(&app, &[row(2, "opt_out")]).await;
    assert_eq!(reason(&app, ADA).await, "opted_out");
    let undone = app.post(&format!("/v1/imports/{IMPORT}/undo"), &json!({})).await;
    assert_eq!(undone.json(), json!({ "id": IMPORT, "addresses": 1 }));
    assert_eq!(app.sms(ADA).await["decision"], "allow");
    let path = format!("/v1/imports/{IMPORT}/rows?list=crm");
    app.post_text(&path, LINES, row(3, "opt_out").to_string()).await.is_problem("import-undone");
    let begin = json!({ "list": "crm", "id": IMPORT });
    app.post("/v1/imports", &begin).await.is_problem("import-undone");
}

#[tokio::test]
async fn a_refusal_imported_by_hash_meets_its_address_later() {
    let app = TestApp::start().await;
    // SHA-256 of 14155552671.
    let hash = "758fbf68945f21c416814c539ab578876c8d98fb69e6da692def92cd52417fe0";
    let refused = json!({ "line": 2, "hash": hash, "kind": "phone", "channel": "sms", "statement": "opt_out" });
    assert_eq!(import(&app, std::slice::from_ref(&refused)).await[0]["outcome"], "appended");
    let yes =
        json!({ "phone": ADA, "channel": "sms", "statement": "opt_in", "standing": "report" });
    app.post("/v1/consents", &yes).await;
    assert_eq!(reason(&app, ADA).await, "opted_out");
    let mut hashed_yes = refused;
    hashed_yes["statement"] = "opt_in".into();
    let answer = import(&app, &[hashed_yes]).await.remove(0);
    assert_eq!(answer["errors"][0]["code"], "hashed-opt-in");
}

#[tokio::test]
async fn a_bad_row_is_rejected_with_every_fault_and_the_others_are_taken() {
    let app = TestApp::start().await;
    let lines = [
        row(2, "opt_in").to_string(),
        json!({ "line": 3, "phone": "12", "channel": "fax", "statement": "opt_in" }).to_string(),
        "{".to_owned(),
        json!({ "phone": ADA, "channel": "sms", "statement": "opt_in" }).to_string(),
        json!({ "line": 6, "phone": ADA, "channel": "sms", "statment": "opt_in" }).to_string(),
    ];
    let path = format!("/v1/imports/{IMPORT}/rows?list=crm");
    let answers = app.post_text(&path, LINES, lines.join("\n")).await.lines();
    let outcomes: Vec<&Value> = answers.iter().map(|answer| &answer["outcome"]).collect();
    assert_eq!(outcomes, ["appended", "rejected", "rejected", "rejected", "rejected"]);
    let pointers: Vec<&Value> =
        answers[1]["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/channel", "/phone"]);
    assert_eq!(answers[2]["errors"][0]["code"], "not-json");
    assert_eq!(answers[3]["errors"][0]["pointer"], "/line");
    assert_eq!(answers[4]["errors"][0]["example"], "statement");
}

#[tokio::test]
async fn a_refusal_is_taken_in_doubt_and_says_what_was_left_out() {
    let app = TestApp::start().await;
    let mut doubtful = row(2, "opt_out");
    doubtful["topic"] = "Nobody knows".into();
    doubtful["occurred_at"] = "last week".into();
    doubtful["source"] = 7.into();
    // Possible, and given to nobody: enough for a refusal.
    doubtful["phone"] = "+14155550000".into();
    let answer = import(&app, &[doubtful]).await.remove(0);
    assert_eq!(answer["outcome"], "appended", "{answer}");
    assert_eq!(answer["remarks"].as_array().unwrap().len(), 3, "{answer}");
    assert_eq!(reason(&app, "+14155550000").await, "opted_out");
}

#[tokio::test]
async fn a_topic_is_found_by_its_name() {
    let app = TestApp::start().await;
    let topic = app
        .post("/v1/topics", &json!({ "name": "Order updates", "category": "utility" }))
        .await
        .json();
    let mut yes = row(2, "opt_in");
    yes["topic"] = "order UPDATES".into();
    let mut unknown = yes.clone();
    unknown["topic"] = "Weather".into();
    unknown["line"] = 3.into();
    unknown["phone"] = "+14155552673".into();
    let answers = import(&app, &[yes, unknown]).await;
    assert_eq!(answers[0]["outcome"], "appended");
    // Rule 5: an opt-in in doubt is pending, with the reason; an undated one is older than the week
    // for which a pending counts.
    assert_eq!(answers[1]["outcome"], "appended", "{}", answers[1]);
    assert_eq!(answers[1]["doubt"]["reason"], "unknown_topic", "{}", answers[1]);
    assert_eq!(answers[1]["status"], "never");
    assert_eq!(reason(&app, "+14155552673").await, "no_opt_in");
    let events = app.get("/v1/events?phone=%2B14155552673").await.json();
    assert_eq!(events["events"][0]["says"], "pending", "{events}");
    assert_eq!(
        events["events"][0]["evidence"]["fields"],
        json!({ "sayso:doubt": "unknown_topic", "topic": "Weather" })
    );
    let exported = app.get("/v1/exports/consents?channel=sms").await.lines();
    let scope = format!("topic:{}", topic["id"].as_str().unwrap());
    assert!(exported.iter().any(|row| row["scope"] == scope.as_str()), "{exported:?}");
}

#[tokio::test]
async fn national_numbers_are_read_by_the_region_of_the_list() {
    let app = TestApp::start().await;
    let national = |line| json!({ "line": line, "phone": "030 123456", "channel": "sms", "statement": "opt_out" });
    assert_eq!(import(&app, &[national(2)]).await[0]["outcome"], "rejected");
    let begun =
        app.post("/v1/imports", &json!({ "list": "crm", "id": IMPORT, "region": "DE" })).await;
    assert_eq!(begun.status, StatusCode::CREATED);
    let rows = begun.json()["rows"].as_str().unwrap().to_owned();
    let answer = app.post_text(&rows, LINES, national(2).to_string()).await.lines().remove(0);
    assert_eq!(answer["outcome"], "appended", "{answer}");
    assert_eq!(reason(&app, "+4930123456").await, "opted_out");
}

#[tokio::test]
async fn two_customers_who_share_a_phone_are_two_sources_and_the_no_counts() {
    let app = TestApp::start().await;
    let mut of_a = row(2, "opt_out");
    of_a["external_id"] = "a".into();
    let mut of_b = row(3, "opt_in");
    of_b["external_id"] = "b".into();
    of_b["occurred_at"] = app.now().into();
    app.advance(Span::minutes(5));
    import(&app, &[of_a, of_b]).await;
    assert_eq!(reason(&app, ADA).await, "opted_out");
}

#[tokio::test]
async fn a_refusal_of_processing_is_imported_too() {
    let app = TestApp::start().await;
    let refused =
        json!({ "line": 2, "phone": ADA, "permission": "processing", "statement": "opt_out" });
    assert_eq!(import(&app, &[refused, row(3, "opt_in")]).await[0]["outcome"], "appended");
    assert_eq!(reason(&app, ADA).await, "processing_refused");
}

#[tokio::test]
async fn more_rows_than_a_request_may_have_are_refused_whole() {
    let app = TestApp::start().await;
    let path = format!("/v1/imports/{IMPORT}/rows?list=crm&preview=true");
    app.post_text(&path, LINES, "{}\n".repeat(10_001)).await.is_problem("too-many-items");
}

#[tokio::test]
async fn an_import_id_is_made_where_the_caller_has_none() {
    let app = TestApp::start().await;
    let begun = app.post("/v1/imports", &json!({ "list": "old crm" })).await;
    assert_eq!(begun.status, StatusCode::CREATED);
    let begun = begun.json();
    let id = begun["id"].as_str().unwrap();
    assert_eq!(begun["rows"], format!("/v1/imports/{id}/rows?list=old%20crm"));
    app.post("/v1/imports", &json!({ "id": "imp_1" })).await.is_problem("invalid-fields");
}

#[tokio::test]
async fn an_export_holds_refusals_and_the_people_whose_address_is_not_known() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let mut yes = act("+14155552672", "opt_in", "2026-11-20T10:00:00Z", &notice);
    yes["evidence"] = json!({ "page": "https://shop.example/" });
    app.post("/v1/consents", &yes).await;
    stop(&app).await;
    let hashed = json!({
        "line": 2, "hash": "993c5aad31c306489b00a1dc3e242a7d3500ce060eaad3e8840790d2ba3620b1", "kind": "phone", "channel": "sms", "statement": "opt_out"
    });
    import(&app, &[hashed]).await;
    app.post("/v1/consents", &json!({
        "email": "ada@example.org", "channel": "email", "statement": "opt_in", "standing": "report"
    }))
    .await;
    let rows = app.get("/v1/exports/consents?channel=sms").await.lines();
    assert_eq!(rows.len(), 3, "the email address has nothing on this channel");
    let of = |phone: Value| rows.iter().find(|row| row["phone"] == phone).unwrap();
    let opted_in = of(json!("+14155552672"));
    assert_eq!((&opted_in["status"], &opted_in["level"]), (&json!("opted_in"), &json!("single")));
    assert_eq!(opted_in["since"], "2026-11-20T10:00:00.000000Z");
    assert_eq!(opted_in["basis"]["method"], "checkbox");
    assert_eq!(opted_in["basis"]["notice"]["id"], notice["id"]);
    assert_eq!(opted_in["basis"]["page"], "https://shop.example/");
    assert_eq!(opted_in["basis"]["source"], "test");
    assert_eq!(of(json!(ADA))["status"], "opted_out");
    let nameless = of(Value::Null);
    assert_eq!(nameless["status"], "opted_out");
    assert_eq!(nameless["address_key"].as_str().unwrap().len(), 32);
    assert_eq!(nameless["basis"]["source"], "crm");
    let refusals = app.get("/v1/exports/consents?channel=sms&status=opted_out").await.lines();
    assert_eq!(refusals.len(), 2);
}

#[tokio::test]
async fn an_export_as_a_table_runs_nothing_in_a_spreadsheet() {
    let app = TestApp::start().await;
    let mut refusal = row(2, "opt_out");
    refusal["evidence"] = "=HYPERLINK(\"https://evil.example\")".into();
    import(&app, &[refusal]).await;
    let table = app.get("/v1/exports/consents?channel=sms&format=csv").await;
    assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
    let lines: Vec<&str> = table.text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("phone,email,external_id,"));
    assert!(lines[1].starts_with("tel:+14155552671,"), "{}", lines[1]);
    assert!(lines[1].contains("\"'=HYPERLINK(\"\"https://evil.example\"\")\""), "{}", lines[1]);
    app.get("/v1/exports/consents?channel=sms&format=xls").await.is_problem("unknown-word");
    app.get("/v1/exports/consents?as_of=March").await.is_problem("invalid-time");
}

#[tokio::test]
async fn an_export_of_many_pages_holds_each_person_once() {
    let app = TestApp::start().await;
    let rows: Vec<Value> = (0..1_000)
        .map(|n| {
            let phone = format!("+1415{}", 5_550_000 + n);
            json!({ "line": n + 2, "phone": phone, "channel": "sms", "statement": "opt_out" })
        })
        .collect();
    assert!(import(&app, &rows).await.iter().all(|answer| answer["outcome"] == "appended"));
    let exported = app.get("/v1/exports/consents?channel=sms").await.lines();
    let phones: std::collections::BTreeSet<&str> =
        exported.iter().map(|row| row["phone"].as_str().unwrap()).collect();
    assert_eq!((exported.len(), phones.len()), (1_000, 1_000));
}

#[tokio::test]
async fn an_export_holds_refusals_of_processing_and_people_who_are_blocked_in_silence() {
    let app = TestApp::start().await;
    let refused =
        json!({ "line": 2, "phone": ADA, "permission": "processing", "statement": "opt_out" });
    import(&app, &[refused]).await;
    let block = json!({ "phone": "+14155552672", "blocked": true });
    let blocked = app.post("/v1/suppressions", &block).await;
    assert!(blocked.status.is_success(), "{}", blocked.text);
    let rows = app.get("/v1/exports/consents?channel=sms").await.lines();
    assert_eq!(rows.len(), 2, "{rows:?}");
    let of = |phone: &str| rows.iter().find(|row| row["phone"] == phone).unwrap();
    assert_eq!(of(ADA)["permission"], "processing");
    assert_eq!(of(ADA)["status"], "opted_out");
    assert_eq!(of(ADA)["basis"]["source"], "crm");
    assert_eq!(of("+14155552672")["reasons"][0], "suppressed");
    assert!(of("+14155552672")["basis"]["event"].is_string());
    assert_eq!(
        app.get("/v1/exports/consents?channel=email").await.text,
        "",
        "no phone takes email"
    );
}
