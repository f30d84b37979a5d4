//! One spelling is one person on every road, and one line is one person under all its forms (rules
//! 1 and 13).

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::address::phone::{Phone, PhoneBook, Region};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::provider::{Shop, meta_signature};
use crate::support::{TestApp, act};

const SPELLINGS: &str = include_str!("../../../sayso-core/tests/data/phones.tsv");
const LINES: &str = "application/x-ndjson";
const IMPORT: &str = "imp_01jd6m9k3te5b8r5v3x5y6z7w8";
const BEFORE: &str = "2026-11-21T08:00:00Z";
const THEN: &str = "2026-11-21T09:00:00Z";

/// A spelling, with its region and the number that it is, if it is one.
type Spelling = (String, Option<String>, Option<String>);

fn unescape(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut text, part| {
        let (hex, rest) = part.split_once('}').unwrap();
        text.extend(char::from_u32(u32::from_str_radix(hex, 16).unwrap()));
        text + rest
    })
}

/// The spellings of the table, and of every region's example as providers, people and those who write
/// a trunk prefix after the country code spell it.
fn corpus() -> Vec<Spelling> {
    let book = PhoneBook::builtin();
    let table = SPELLINGS.lines().filter(|row| !row.starts_with('#')).map(|row| {
        let [text, region, parse, possible] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("four columns: {row}");
        };
        let number = if possible == "=" { parse } else { possible };
        let region = Some(region.to_owned()).filter(|region| region != "-");
        (unescape(text), region, Some(number.to_owned()).filter(|number| number.starts_with('+')))
    });
    let of_regions = Region::all().flat_map(|region| {
        let example = region.example(&book).digits().to_string();
        let code = region.calling_code(&book).unwrap().to_string();
        let national = example.strip_prefix(&code).unwrap().to_owned();
        [
            format!("+{example}"),
            example.clone(),
            format!("00{example}"),
            format!("whatsapp:+{example}"),
            format!("+{code} {national}"),
            format!("+{code}0{national}"),
            format!("+{code} (0) {national}"),
        ]
        .map(|text| {
            let number = Phone::parse_possible(&text, None, &book).ok();
            (text, None, number.map(|number| number.to_string()))
        })
    });
    table.chain(of_regions).collect()
}

async fn refuse(app: &TestApp, phone: &str) {
    let said =
        json!({ "phone": phone, "channel": "sms", "statement": "opt_out", "standing": "act" });
    let answer = app.post("/v1/consents", &said).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{phone}: {}", answer.text);
}

async fn agree(app: &TestApp, phone: &str) {
    let notice = app.notice(&[]).await;
    for channel in ["sms", "whatsapp"] {
        let mut said = act(phone, "opt_in", BEFORE, &notice);
        said["channel"] = channel.into();
        let answer = app.post("/v1/consents", &said).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{phone}: {}", answer.text);
    }
}

/// A message that goes to whoever did not refuse.
fn question() -> Value {
    json!({ "channel": "sms", "category": "utility", "require_opt_in": false })
}

/// Why not by SMS, asked alone and in a batch, which must say the same.
async fn reason(app: &TestApp, channel: &str, phone: &str) -> Value {
    let alone = app.post("/v1/check", &json!({ "channel": channel, "phone": phone })).await.json();
    let many = json!({ "channel": channel, "to": [phone] });
    let many = app.post("/v1/check/batch", &many).await.json();
    let said = if alone["decision"] == "allow" { json!("allow") } else { alone["reason"].clone() };
    assert_eq!(many["answers"], json!([said]), "{phone}");
    alone["reason"].clone()
}

/// Scenario 56, and every other spelling: a batch answers what a single question is answered, and
/// what is no number is invalid in the one and a fault in the other.
#[tokio::test]
async fn a_batch_reads_every_spelling_as_a_check_does() {
    let app = TestApp::start().await;
    let corpus = corpus();
    let numbers: BTreeSet<&String> =
        corpus.iter().filter_map(|(.., number)| number.as_ref()).collect();
    for number in numbers {
        refuse(&app, number).await;
    }
    let mut by_region: BTreeMap<Option<String>, Vec<(String, &'static str)>> = BTreeMap::new();
    for (text, region, number) in corpus {
        let mut asked = question();
        asked["phone"] = text.as_str().into();
        if let Some(region) = &region {
            asked["region"] = region.as_str().into();
        }
        let answer = app.post("/v1/check", &asked).await;
        let expected = if let Some(number) = number {
            let answer = answer.json();
            assert_eq!(answer["reason"], "opted_out", "{text} {region:?}");
            let understood = answer["phone"].as_str().unwrap_or(&text);
            assert_eq!(understood, number, "{text} {region:?}");
            "opted_out"
        } else {
            assert!(answer.text.contains("invalid-phone"), "{text} {region:?}: {}", answer.text);
            "invalid"
        };
        by_region.entry(region).or_default().push((text, expected));
    }
    for (region, asked) in by_region {
        let mut body = question();
        body["to"] = asked.iter().map(|(text, _)| text.as_str()).collect();
        if let Some(region) = &region {
            body["region"] = region.as_str().into();
        }
        let answers = app.post("/v1/check/batch", &body).await.json();
        for ((text, expected), answer) in asked.iter().zip(answers["answers"].as_array().unwrap()) {
            assert_eq!(answer, expected, "{text} {region:?}");
        }
    }
}

/// A no, told by one road in one spelling.
async fn tell(road: &str, text: &str) -> TestApp {
    if road == "hook" {
        let shop = Shop::at("meta").await;
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        stop(&shop, &digits).await;
        return shop.app;
    }
    let app = TestApp::start().await;
    let said = json!({ "phone": text, "channel": "whatsapp", "statement": "opt_out" });
    let answer = match road {
        "consents" => {
            let mut said = said;
            said["standing"] = "act".into();
            app.post("/v1/consents", &said).await
        }
        "batch" => {
            let mut said = said;
            said["standing"] = "act".into();
            app.post_text("/v1/consents/batch", LINES, said.to_string()).await
        }
        "import" => {
            let mut row = said;
            row["line"] = 1.into();
            app.post_text(&format!("/v1/imports/{IMPORT}/rows?list=crm"), LINES, row.to_string())
                .await
        }
        "tag" => {
            let site = app.site().await;
            let body = json!({
                "site": site["site"], "user": { "phone_number": text, "whatsapp_optin": false },
                "page": "https://shop.example/",
            });
            let request = Request::post("/capture/tag")
                .header("origin", "https://shop.example")
                .header("content-type", "text/plain");
            app.send(request.body(Body::from(body.to_string())).unwrap()).await
        }
        other => panic!("{other} is no road"),
    };
    assert!(answer.status.is_success(), "{road} {text}: {}", answer.text);
    app
}

/// A signed call of Meta's: somebody wrote STOP.
async fn stop(shop: &Shop, from: &str) {
    let message = json!({
        "from": from, "id": format!("wamid.{from}"), "timestamp": "1795255201", "type": "text",
        "text": { "body": "STOP" },
    });
    let value = json!({
        "metadata": { "display_phone_number": "15550100900", "phone_number_id": "106540352242922" },
        "messages": [message],
    });
    let changes = json!([{ "field": "messages", "value": value }]);
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] })
        .to_string();
    let request = Request::post(format!("/hooks/{}", shop.connection))
        .header("host", "10.0.0.1:8080")
        .header("x-hub-signature-256", meta_signature(&body));
    let answer = shop.app.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn every_road_reads_a_spelling_as_the_same_person() {
    for (text, number) in [
        ("+4407911123456", "+447911123456"),
        ("553187650002", "+5531987650002"),
        ("5215512345678", "+525512345678"),
        ("22997123456", "+2290197123456"),
        ("+54 9 11 15 2345 6789", "+5491123456789"),
    ] {
        for road in ["consents", "batch", "import", "tag", "hook"] {
            let app = tell(road, text).await;
            for spelling in [text, number] {
                let mut asked = question();
                asked["channel"] = "whatsapp".into();
                asked["template"] = true.into();
                asked["phone"] = spelling.into();
                let reason = app.post("/v1/check", &asked).await.json()["reason"].clone();
                assert_eq!(reason, "opted_out", "{road} {text}, asked as {spelling}");
            }
        }
    }
}

/// Scenario 55, case A1, and case A5 beside it.
#[tokio::test]
async fn a_stop_from_an_old_form_of_a_number_reaches_its_person() {
    for (today, old) in [
        ("+5531987650002", "553187650002"),
        ("+525512345678", "5215512345678"),
        ("+2250745123456", "22545123456"),
        ("+2290190123456", "22990123456"),
    ] {
        let shop = Shop::at("meta").await;
        if today.starts_with("+22507") {
            // The digits tell the operator: 45 is MTN's, whose numbers begin with 05.
            agree(&shop.app, "+2250545123456").await;
            stop(&shop, old).await;
            assert_eq!(reason(&shop.app, "whatsapp", "+2250545123456").await, "opted_out");
            continue;
        }
        agree(&shop.app, today).await;
        assert_ne!(reason(&shop.app, "whatsapp", today).await, "opted_out");
        stop(&shop, old).await;
        for spelling in [today.to_owned(), format!("+{old}")] {
            assert_eq!(reason(&shop.app, "whatsapp", &spelling).await, "opted_out", "{spelling}");
        }
    }
}

#[tokio::test]
async fn a_refusal_counts_for_the_second_form_of_a_number_and_an_opt_in_never_crosses() {
    for (one, other) in [
        ("+5491123456789", "+541123456789"),
        ("+5511978501234", "+551178501234"),
        ("+970599123456", "+972599123456"),
    ] {
        for (agrees, refuses) in [(one, other), (other, one)] {
            let app = TestApp::start().await;
            agree(&app, agrees).await;
            assert_eq!(reason(&app, "sms", agrees).await, Value::Null);
            assert_eq!(reason(&app, "sms", refuses).await, "no_opt_in", "an opt-in never crosses");
            refuse(&app, refuses).await;
            for spelling in [agrees, refuses] {
                assert_eq!(reason(&app, "sms", spelling).await, "opted_out", "{spelling}");
            }
            let asked = json!({ "channel": "sms", "phone": agrees, "explain": true });
            let explained = app.post("/v1/check", &asked).await.json();
            assert_eq!(explained["explanation"]["consent"]["status"], "opted_out", "{explained}");
        }
    }
}

#[tokio::test]
async fn a_later_opt_in_lifts_what_the_second_form_refused_for_its_own_number_alone() {
    let app = TestApp::start().await;
    let notice = app.notice(&[]).await;
    let refused = act("+541123456789", "opt_out", BEFORE, &notice);
    app.post("/v1/consents", &refused).await;
    app.post("/v1/consents", &act("+5491123456789", "opt_in", THEN, &notice)).await;
    assert_eq!(reason(&app, "sms", "+5491123456789").await, Value::Null);
    assert_eq!(reason(&app, "sms", "+541123456789").await, "opted_out");
}

#[tokio::test]
async fn an_imported_hash_of_an_old_form_refuses_for_todays_number() {
    for (old, today) in [
        ("553187650002", "+5531987650002"),
        ("5215512345678", "+525512345678"),
        ("22507123456", "+2250707123456"),
        ("541123456789", "+5491123456789"),
    ] {
        for agrees_first in [true, false] {
            let app = TestApp::start().await;
            if agrees_first {
                agree(&app, today).await;
            }
            let sha256: String = Sha256::digest(old)
                .iter()
                .flat_map(|byte| {
                    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap();
                    [digit(byte >> 4), digit(byte & 15)]
                })
                .collect();
            let said = json!({
                "hash": sha256, "kind": "phone", "channel": "sms", "statement": "opt_out",
                "standing": "act",
            });
            let answer = app.post("/v1/consents", &said).await;
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
            if !agrees_first {
                agree(&app, today).await;
            }
            assert_eq!(reason(&app, "sms", today).await, "opted_out", "{old}");
        }
    }
}

/// Case A3: who wrote a national number meant nobody abroad.
#[tokio::test]
async fn a_national_number_without_a_region_is_a_fault_that_names_the_region() {
    let app = TestApp::start().await;
    for text in ["(646) 355-0134", "646-355-0134", "646/355-0134", "98765 43210", "4155550123"] {
        let said =
            json!({ "phone": text, "channel": "sms", "statement": "opt_out", "standing": "act" });
        let answer = app.post("/v1/consents", &said).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        assert!(answer.text.contains("or name its `region`"), "{text}: {}", answer.text);
        let many = json!({ "channel": "sms", "to": [text] });
        let many = app.post("/v1/check/batch", &many).await.json();
        assert_eq!(
            (&many["answers"][0], &many["invalid"]),
            (&json!("invalid"), &json!(1)),
            "{text}"
        );
    }
    for (text, region, number) in [
        ("(646) 355-0134", "US", "+16463550134"),
        ("4795550101", "US", "+14795550101"),
        ("98765 43210", "IN", "+919876543210"),
    ] {
        let said = json!({
            "phone": text, "region": region, "channel": "sms", "statement": "opt_out",
            "standing": "act",
        });
        let answer = app.post("/v1/consents", &said).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        assert!(answer.text.contains(number), "the answer shows the number: {}", answer.text);
        assert_eq!(reason(&app, "sms", number).await, "opted_out");
    }
}

#[tokio::test]
async fn a_cell_that_a_spreadsheet_spoilt_is_no_number_and_the_fault_says_why() {
    let app = TestApp::start().await;
    for text in ["62812345678.0", "9.19E+11", "9,19877E+11"] {
        let said =
            json!({ "phone": text, "channel": "sms", "statement": "opt_out", "standing": "act" });
        let answer = app.post("/v1/consents", &said).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        assert!(answer.text.contains("format the column as text"), "{}", answer.text);
    }
}
