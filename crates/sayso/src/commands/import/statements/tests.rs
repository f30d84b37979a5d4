//! Rows as people have them, and what is read of each.

use serde_json::{Value, json};

use super::super::columns::Told;
use super::super::table::Table;
use super::super::table::tests::list;
use super::*;

/// What each row says.
fn read_as(text: &[u8], told: &Told) -> Vec<Said> {
    let text = list(text).into_text(None, None, &mut |_| {}).unwrap();
    let mut table = Table::open(text, &|cell| {
        Field::of(cell).is_some_and(Field::is_address)
            || told.columns.iter().any(|told| told.ends_with(&format!("={cell}")))
    })
    .unwrap();
    let mapping = Mapping::of(table.headers(), table.seen(), told).unwrap();
    let mut rows = Vec::new();
    while let Some(record) = table.next().unwrap() {
        rows.push(mapping.read(&record));
    }
    rows
}

fn read(text: &str) -> Vec<Said> {
    read_as(text.as_bytes(), &Told::default())
}

fn told(columns: &[&str], constants: &[&str]) -> Told {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Told { columns: texts(columns), constants: texts(constants), ..Told::default() }
}

/// The statements of a row, where nothing is wrong with it.
fn statements(said: &Said) -> Vec<Value> {
    assert_eq!(said.faults, Vec::<String>::new());
    said.statements.iter().cloned().map(Value::Object).collect()
}

/// What a row refuses: channel, and whom.
fn refused(said: &Said) -> Vec<String> {
    let of = |statement: &Statement, name: &str| {
        statement.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    said.statements
        .iter()
        .filter(|statement| is_refusal(statement))
        .map(|statement| {
            let who = ["phone", "email", "channel_id", "hash", "external_id"];
            let who = who.iter().find_map(|name| of(statement, name)).unwrap_or_default();
            format!("{} {who}", of(statement, "channel").unwrap_or_default())
        })
        .collect()
}

#[test]
fn each_flag_is_a_statement_and_an_empty_one_is_none() {
    let rows = read(
        "phone,email,whatsapp_optin,sms_optin,email_optin\n\
         +14155550123,ada@example.org,TRUE,0,yes\n\
         +14155550124,,,null,\n",
    );
    assert_eq!(
        statements(&rows[0]),
        [
            json!({"line": 2, "statement": "opt_in", "channel": "whatsapp", "phone": "+14155550123"}),
            json!({"line": 2, "statement": "opt_out", "channel": "sms", "phone": "+14155550123"}),
            json!({"line": 2, "statement": "opt_in", "channel": "email", "email": "ada@example.org"}),
        ]
    );
    assert_eq!(rows[1], Said::default());
}

#[test]
fn b_a_rows_statements_stand_by_themselves() {
    for (list, refusal) in [
        ("phone,email,sms_optin,email_optin\n+14155550331,,no,no\n", "sms +14155550331"),
        (
            "phone,email,sms_optin,email_optin\n+14155550331,ada@example.org,no,perhaps\n",
            "sms +14155550331",
        ),
        (
            "phone,email,sms_optin,email_optin\n9.19877E+11,ada@example.org,no,no\n",
            "email ada@example.org",
        ),
        ("phone,sms_optin,status,channel\n+14155550331,no,yes,pigeon\n", "sms +14155550331"),
        (
            "phone,sms_optin,whatsapp_optin,whatsapp_occurred_at\n+14155550331,no,yes,perhaps\n",
            "sms +14155550331",
        ),
        ("phone,sms_optin,notes\n+14155550331,no,moved, call later\n", "sms +14155550331"),
        ("phone,notes,sms_optin\n+14155550331,moved, call later,no\n", "sms +14155550331"),
        ("phone,sms_optin,notes\n+14155550331,no,\"moved\n+14155550332,no,x\n", "sms +14155550331"),
    ] {
        let said = &read(list)[0];
        assert_eq!(refused(said), [refusal], "{list}");
        assert!(!said.faults.is_empty(), "{list}: the other is reported");
    }
    for list in [
        "phone,sms_optin,occurred_at\n+14155550331,no,perhaps\n",
        "phone,sms_optin,occurred_at\n+14155550331,no,06/07/2025\n",
        "phone,sms_optin,notice\n+14155550331,no,v1\n",
        "phone,sms_optin\n+14155550331,no thanks\n",
        "phone,sms_optin,email_optin,email\n+14155550331,no,bounced,ada@example.org\n",
    ] {
        let said = &read(list)[0];
        assert_eq!(
            (refused(said), &said.faults),
            (vec!["sms +14155550331".to_owned()], &vec![]),
            "{list}"
        );
        assert_eq!(said.remarks.len(), 1, "{list}: it is told");
    }
    let umlaut = read_as(b"phone,name,sms_optin\n+14155550331,M\xfcller,no\n", &Told::default());
    assert_eq!(
        (refused(&umlaut[0]), umlaut[0].faults.len()),
        (vec!["sms +14155550331".to_owned()], 0)
    );
}

#[test]
fn b_a_broken_row_refuses_and_agrees_to_nothing() {
    let said = &read("phone,sms_optin,whatsapp_optin,notes\n+14155550331,no,yes,a,b\n")[0];
    assert_eq!(refused(said), ["sms +14155550331"]);
    assert_eq!(said.statements.len(), 1);
    assert!(said.faults[0].contains("more cells"));
    let said = &read("phone,sms_optin,notes\n+14155550331,yes,\"a\n+14155550332,yes,b\n")[0];
    assert_eq!((said.statements.len(), said.faults.len()), (0, 1));
    let shifted = &read("id,notes,phone,sms_optin\n7,a,b,+14155550331,no\n")[0];
    assert_eq!(refused(shifted), ["sms +14155550331"], "whom it is about is not shifted");
    let unclear = &read("notes,phone,name,sms_optin\na,+14155550331,+14155550332,b,no\n")[0];
    assert_eq!(refused(unclear), Vec::<String>::new(), "nobody knows whom it is about");
}

#[test]
fn a_status_goes_with_its_channel_and_topic() {
    let rows = read(
        "email;channel;status;topic;method;evidence;source;occurred_at;notice\n\
         ada@example.org;Email;Unsubscribed;News;form;file 7;crm;2026-01-02 03:04:05 UTC;ntc_x/2/en\n\
         ada@example.org;email;never;;;;;;\n\
         ada@example.org;pigeon;yes;;;;;;\n",
    );
    assert_eq!(
        statements(&rows[0]),
        [json!({
            "line": 2, "statement": "opt_out", "channel": "email", "email": "ada@example.org", "topic": "News",
            "method": "form", "evidence": "file 7", "source": "crm", "occurred_at": "2026-01-02T03:04:05.999999Z",
            "notice": {"id": "ntc_x", "version": 2, "language": "en"},
        })]
    );
    assert_eq!(rows[1], Said::default());
    assert!(rows[2].faults[0].starts_with("channel is \"pigeon\""));
}

#[test]
fn b_a_list_can_be_the_refusal_itself() {
    for list in [
        "+14155550101\n+14155550102\n",
        "phone\n+14155550101\n+14155550102\n",
        "Do not text\n+14155550101\n+14155550102\n",
        "Phone Number,First Name\n+14155550101,Ada\n+14155550102,Bob\n",
    ] {
        let rows = read_as(list.as_bytes(), &told(&[], &["channel=sms", "status=no"]));
        let all: Vec<String> = rows.iter().flat_map(refused).collect();
        assert_eq!(all, ["sms +14155550101", "sms +14155550102"], "{list}");
    }
    let rows = read_as(b"ada@example.org\n", &told(&[], &["email_optin=no"]));
    assert_eq!(refused(&rows[0]), ["email ada@example.org"]);
    let rows =
        read_as(b"Ada;+14155550101\n", &told(&["phone=2"], &["sms_optin=no", "evidence=gateway"]));
    assert_eq!(rows[0].statements[0]["evidence"], "gateway");
}

#[test]
fn b_inverse_flags_refuse_and_never_agree() {
    let rows = read(
        "phone,email,sms_optout,Unsubscribed from all email\n\
         +14155550101,ada@example.org,yes,no\n\
         +14155550102,bob@example.org,,2025-06-07\n\
         +14155550103,eve@example.org,0,FALSE\n",
    );
    let all: Vec<Vec<String>> = rows.iter().map(refused).collect();
    assert_eq!(
        all,
        [vec!["sms +14155550101".to_owned()], vec!["email bob@example.org".to_owned()], vec![]]
    );
    assert_eq!(rows[1].statements[0]["occurred_at"], "2025-06-07");
    assert_eq!(rows[2], Said::default(), "who has not left has not agreed");
    let all = read("phone,email,do_not_contact\n+14155550101,ada@example.org,1\n");
    let refused = refused(&all[0]);
    assert!(
        [
            "sms +14155550101",
            "whatsapp +14155550101",
            "voice +14155550101",
            "email ada@example.org"
        ]
        .iter()
        .all(|one| refused.contains(&(*one).to_owned())),
        "{refused:?}"
    );
}

#[test]
fn b_a_row_speaks_of_all_its_phones() {
    let rows = read(
        "phone,mobile,sms_optin\n\
         +14155550101,+14155550102,no\n\
         +14155550103 ::: +14155550104,,no\n\
         +14155550105,9.19877E+11,no\n\
         +14155550106,+14155550106,yes\n",
    );
    assert_eq!(refused(&rows[0]), ["sms +14155550101", "sms +14155550102"]);
    assert_eq!(refused(&rows[1]), ["sms +14155550103", "sms +14155550104"]);
    assert_eq!(refused(&rows[2]), ["sms +14155550105"]);
    assert_eq!(rows[3].statements.len(), 1);
}

#[test]
fn b_each_channel_has_its_own_date() {
    let rows = read(
        "phone,sms_optin,sms_occurred_at,whatsapp_optin,occurred_at\n\
         +14155550101,no,2025-06-07,no,2025-01-01T10:00:00Z\n",
    );
    let times: Vec<&Value> = rows[0].statements.iter().map(|one| &one["occurred_at"]).collect();
    assert_eq!(times, ["2025-06-07", "2025-01-01T10:00:00Z"]);
}

#[test]
fn b_a_time_of_the_list_is_that_of_its_zone_and_its_order() {
    let read = |dates: Option<&str>, zone: Option<&str>, time: &str| {
        use sayso_core::gate::zone::Zone;
        use sayso_core::time::list::{DateOrder, ListTimes};
        let times = ListTimes {
            order: dates.map(|text| DateOrder::parse(text).unwrap()),
            zone: zone.map(|text| Zone::parse(text).unwrap()),
        };
        let list =
            format!("phone;sms_optin;whatsapp_optin;occurred_at\n+14155550101;yes;no;{time}\n");
        read_as(list.as_bytes(), &Told { times, ..Told::default() }).remove(0)
    };
    let at = |said: &Said, place: usize| {
        said.statements[place].get("occurred_at").cloned().unwrap_or_default()
    };
    let placed = read(None, Some("America/Los_Angeles"), "2025-06-07 08:09:10");
    assert_eq!(at(&placed, 0), "2025-06-07T15:09:10.000000Z");
    assert_eq!(at(&placed, 1), "2025-06-07T15:09:10.999999Z");
    let day = read(None, Some("America/Los_Angeles"), "2025-06-07");
    assert_eq!(at(&day, 0), "2025-06-07T07:00:00.000000Z");
    let ordered = read(Some("mdy"), Some("UTC"), "06/07/2025 8:09 PM");
    assert_eq!(at(&ordered, 0), "2025-06-07T20:09:00.000000Z");
    let unplaced = read(None, None, "2025-06-07 08:09:10");
    assert!(unplaced.faults[0].contains("--zone"), "the yes is not taken: {unplaced:?}");
    assert_eq!(
        at(&unplaced, 0),
        "2025-06-07T20:09:10.999999Z",
        "the refusal is, as late as it may be"
    );
    for time in ["06/07/2025", "7.6.2025 10:00", "06-07-2025"] {
        let unclear = read(None, Some("UTC"), time);
        assert!(unclear.faults[0].contains("--dates"), "{unclear:?}");
        assert!(unclear.remarks[0].contains("counts from now"), "{unclear:?}");
        assert_eq!(at(&unclear, 0), Value::Null);
    }
}

#[test]
fn a_disconnected_number_is_a_row_where_the_register_says_so() {
    let list = "phone,date,result,disconnect_date\n\
         4155550123,2024-01-01,yes,2026-02-03\n\
         4155550124,2024-01-01,no,\n\
         4155550125,2024-01-01,no data,\n\
         4155550126,2024-01-01,perhaps,\n";
    let told = Told { kind: ListKind::Disconnected, ..Told::default() };
    let rows = read_as(list.as_bytes(), &told);
    let first = json!({"line": 2, "phone": "4155550123", "occurred_at": "2026-02-03"});
    assert_eq!(
        statements(&rows[0]),
        [first],
        "the day that was asked about is no day of disconnection"
    );
    assert_eq!((&rows[1], &rows[2]), (&Said::default(), &Said::default()));
    assert!(rows[3].faults[0].contains("perhaps"));
    let bare = read_as(b"+14155550123\n+14155550124\n", &told);
    assert_eq!(statements(&bare[0]), [json!({"line": 1, "phone": "+14155550123"})]);
}

#[test]
fn a_refusal_by_hash_names_its_kind() {
    let rows = read("sha256,kind,sms_optin\nabc,Phone,no\n");
    assert_eq!(
        statements(&rows[0]),
        [
            json!({"line": 2, "statement": "opt_out", "channel": "sms", "hash": "abc", "kind": "phone"})
        ]
    );
}

#[test]
fn an_external_id_stands_beside_the_address_or_for_it() {
    let rows = read("uuid,phone,sms_optin\nu-1,+14155550123,no\nu-2,,no\n,,no\n");
    let statement = |fields: Value| {
        let mut statement = json!({"statement": "opt_out", "channel": "sms"});
        statement.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        vec![statement]
    };
    assert_eq!(
        statements(&rows[0]),
        statement(json!({"line": 2, "phone": "+14155550123", "external_id": "u-1"}))
    );
    assert_eq!(statements(&rows[1]), statement(json!({"line": 3, "external_id": "u-2"})));
    assert!(rows[2].faults[0].contains("no address for sms"));
}

#[test]
fn a_refusal_of_processing_is_said_under_every_address() {
    let rows = read("phone,email,gdpr_optin\n+14155550123,ada@example.org,false\n");
    let said = statements(&rows[0]);
    assert_eq!(said.len(), 2);
    assert!(
        said.iter().all(|one| one["permission"] == "processing" && one["statement"] == "opt_out")
    );
}

#[test]
fn b_a_calling_code_goes_before_its_number() {
    let rows = read(
        "country_code,phone,sms_optin\n49,0151 23456789,no\n+1,4155550101,no\nGB,020 7946 0018,no\n",
    );
    assert_eq!(rows[0].statements[0]["phone"], "+49 0151 23456789");
    assert_eq!(rows[1].statements[0]["phone"], "+1 4155550101");
    assert_eq!(rows[2].statements[0]["region"], "GB");
}

#[test]
fn an_unreadable_notice_stops_an_opt_in_and_no_refusal() {
    let rows = read("phone,sms_optin,notice\n+14155550123,yes,v1\n+14155550123,no,v1\n");
    assert!(rows[0].faults[0].contains("id/version/language"));
    assert_eq!(rows[1].statements.len(), 1);
}
