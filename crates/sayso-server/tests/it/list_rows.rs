//! Rows of lists as people have them: what cannot be read beside a refusal never loses it, and never
//! changes whom it is about (rules 1, 2, 5 and 16; cases A3 and A13 of the field).

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

const LINES: &str = "application/x-ndjson";
const IMPORT: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";
const ADA: &str = "+14155552671";

async fn import_as(app: &TestApp, query: &str, rows: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let path = format!("/v1/imports/{IMPORT}/rows?list=crm{query}");
    let answer = app.post_text(&path, LINES, lines.join("\n")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.lines()
}

async fn import(app: &TestApp, rows: &[Value]) -> Vec<Value> {
    import_as(app, "", rows).await
}

fn with(line: u32, statement: &str, more: &Value) -> Value {
    let mut row = json!({ "line": line, "phone": ADA, "channel": "sms", "statement": statement });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

#[tokio::test]
async fn b_what_cannot_be_read_beside_a_refusal_never_loses_it() {
    for beside in [
        json!({ "occurred_at": "06/07/2025" }),
        json!({ "occurred_at": 20_250_607 }),
        json!({ "external_id": "undefined" }),
        json!({ "external_id": "" }),
        json!({ "notes": "moved, call later" }),
        json!({ "first_name": "M\u{fffd}ller" }),
        json!({ "scope": "everything" }),
        json!({ "topic": 7 }),
        json!({ "method": "x".repeat(5_000) }),
        json!({ "notice": "v1" }),
        json!({ "region": "Colorado" }),
    ] {
        let app = TestApp::start().await;
        let answer = import(&app, &[with(2, "opt_out", &beside)]).await.remove(0);
        assert_eq!(answer["outcome"], "appended", "{beside}: {answer}");
        assert!(!answer["remarks"].as_array().unwrap().is_empty(), "{beside}: it is told");
        assert_eq!(answer["phone"], ADA);
        assert_eq!(app.sms(ADA).await["reason"], "opted_out", "{beside}");
    }
}

#[tokio::test]
async fn b_what_is_left_out_of_a_refusal_never_changes_whom_it_is_about() {
    let app = TestApp::start().await;
    app.call("PUT", "/v1/settings", &json!({ "region": "GB" })).await;
    for more in [
        json!({ "phone": "020 7946 0018", "region": "London" }),
        json!({ "phone": "2079460018", "region": 44 }),
        json!({ "phone": "020 7946 0018", "regoin": "US" }),
    ] {
        let answer = import(&app, &[with(2, "opt_out", &more)]).await.remove(0);
        assert_eq!(answer["outcome"], "rejected", "{more}: {answer}");
    }
    assert_eq!(app.sms("+442079460018").await["reason"], "no_opt_in");
    let placed = with(2, "opt_out", &json!({ "phone": "+44 20 7946 0018", "region": "London" }));
    assert_eq!(import(&app, &[placed]).await.remove(0)["outcome"], "appended");
    assert_eq!(app.sms("+442079460018").await["reason"], "opted_out");
}

#[tokio::test]
async fn b_a_refusal_is_read_in_other_words_and_a_yes_is_not() {
    for said in [json!("no"), json!("FALSCH"), json!("Unsubscribed"), json!(false), json!("nein")] {
        let app = TestApp::start().await;
        let answer = import(&app, &[with(2, "", &json!({ "statement": said }))]).await.remove(0);
        assert_eq!(answer["outcome"], "appended", "{said}: {answer}");
        assert_eq!(app.sms(ADA).await["reason"], "opted_out", "{said}");
    }
    let app = TestApp::start().await;
    for said in [json!("yes"), json!(true), json!("maybe")] {
        let answer = import(&app, &[with(2, "", &json!({ "statement": said }))]).await.remove(0);
        assert_eq!(answer["outcome"], "rejected", "{said}: {answer}");
    }
}

#[tokio::test]
async fn a3_a_list_most_of_whose_plus_less_numbers_are_valid_nowhere_is_not_taken() {
    let app = TestApp::start().await;
    let numbers = ["(646) 355-0134", "2125550147", "4155550101", "4795550101", "3035550122"];
    let rows: Vec<Value> = (2..)
        .zip(numbers)
        .map(|(line, phone)| with(line, "opt_out", &json!({ "phone": phone })))
        .chain([with(9, "opt_out", &json!({}))])
        .collect();
    for query in ["&preview=true", ""] {
        let mut answers = import_as(&app, query, &rows).await;
        let placed = answers.pop().unwrap();
        assert_ne!(placed["outcome"], "rejected", "a number with + is taken: {placed}");
        for answer in answers {
            assert_eq!(answer["outcome"], "rejected", "{answer}");
            assert_eq!(answer["errors"][0]["pointer"], "/region", "{answer}");
        }
    }
    let stored = app.get("/v1/exports/consents?channel=sms").await.lines();
    assert_eq!(stored.len(), 1, "nobody else is refused for: {stored:?}");
    let named = import_as(&app, "&region=US", &rows).await;
    assert!(named.iter().all(|answer| answer["outcome"] != "rejected"), "{named:?}");
    assert_eq!(named[0]["phone"], "+16463550134");
}

#[tokio::test]
async fn a3_a_preview_says_of_which_country_each_number_is() {
    let app = TestApp::start().await;
    let row = with(2, "opt_out", &json!({ "phone": "4915123456789" }));
    let shown = import_as(&app, "&preview=true", std::slice::from_ref(&row)).await.remove(0);
    assert_eq!((&shown["phone"], &shown["region"]), (&json!("+4915123456789"), &json!("DE")));
    assert!(shown["remarks"][0].as_str().unwrap().contains("number of DE"), "{shown}");
    let placed = import_as(&app, "&preview=true&region=DE", &[row]).await.remove(0);
    assert_eq!(placed["remarks"], Value::Null, "a region that is named is no doubt: {placed}");
    let single = with(2, "opt_in", &json!({ "phone": "0151 23456789" }));
    let refused = import(&app, &[single]).await.remove(0);
    assert_eq!(refused["outcome"], "rejected");
    assert!(refused["errors"][0]["fault"].as_str().unwrap().contains("`region`"), "{refused}");
}

#[tokio::test]
async fn a13_a_day_without_a_zone_is_that_day_anywhere() {
    for (out, reason) in [
        ("2026-11-20", json!("opted_out")),
        ("2026-11-20-08:00", json!("opted_out")),
        ("2026-11-20T20:00:00.000-08:00", json!("opted_out")),
        ("2026-11-19-08:00", Value::Null),
    ] {
        let app = TestApp::start().await;
        let said = json!({ "occurred_at": "2026-11-20T20:00:00.4-08:00" });
        let rows = [with(2, "opt_in", &said), with(3, "opt_out", &json!({ "occurred_at": out }))];
        for answer in import(&app, &rows).await {
            assert_eq!(answer["outcome"], "appended", "{out}: {answer}");
        }
        assert_eq!(app.sms(ADA).await["reason"], reason, "{out}");
    }
}

#[tokio::test]
async fn b_a_byte_that_is_no_utf_8_costs_the_value_that_it_is_in() {
    let app = TestApp::start().await;
    let row = |line: u32, email: &str, source: &str| {
        format!(
            r#"{{"line":{line},"email":"{email}","channel":"email","statement":"opt_out","source":"{source}"}}"#
        )
        .into_bytes()
    };
    let mut body = row(2, "ada@example.org", "M?ller");
    body.push(b'\n');
    body.extend(row(3, "b?b@example.org", "crm"));
    for byte in &mut body {
        if *byte == b'?' {
            *byte = 0xfc;
        }
    }
    let path = format!("/v1/imports/{IMPORT}/rows?list=crm");
    let request = app.request("POST", &path).header("content-type", LINES);
    let answer = app.send(request.body(axum::body::Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answers = answer.lines();
    assert_eq!(answers[0]["outcome"], "appended", "{answers:?}");
    assert_eq!(answers[1]["outcome"], "rejected", "whom it is about is lost: {answers:?}");
    assert_eq!(answers[1]["errors"][0]["pointer"], "/email");
}
