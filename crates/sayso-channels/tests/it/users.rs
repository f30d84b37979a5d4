//! Gupshup's list of users, as something to import.

use sayso_channels::call::{Malformed, Method};
use sayso_channels::gupshup::users::{
    ListFault, OptIn, Row, RowFault, User, list, parse, read_list,
};
use sayso_channels::outbound::Answer;
use sayso_core::address::phone::PhoneFault;

use crate::support::{book, gupshup_credentials};

#[test]
fn each_row_is_a_user_or_its_fault_in_its_place() {
    let bytes = br#"{"status":"success","users":[
        {"countryCode":"1","phoneCode":"5550100001","optinStatus":"OPT_IN","optinSource":"URL",
         "optinTimeStamp":1795255200123,"lastMessageTimeStamp":0},
        {"countryCode":"1","phoneCode":"5550100002","optinStatus":"OPT_OUT","optinTimeStamp":1795255200123},
        {"countryCode":"1","phoneCode":"55","optinStatus":"OPT_IN"},
        7,
        {"countryCode":1,"phoneCode":5550100003,"optinStatus":"LATER"}]}"#;
    let rows = parse(bytes, &book()).unwrap();
    let users: Vec<_> = rows
        .iter()
        .map(|row| match row {
            Row::User(User { phone, opt_in, source, occurred_at, last_message_at }) => {
                let at = occurred_at.map(|at| at.first().to_string()).unwrap_or_default();
                format!("{phone} {opt_in:?} {source:?} {at} {}", last_message_at.is_some())
            }
            Row::Fault(fault) => fault.to_string(),
        })
        .collect();
    assert_eq!(
        users,
        [
            "+15550100001 In Some(\"URL\") 2026-11-21T10:00:00.123000Z false",
            "+15550100002 Out None 2026-11-21T10:00:00.123000Z false",
            "the number has too few digits",
            "is no object",
            "+15550100003 Other(Some(\"LATER\")) None  false",
        ]
    );
    assert_eq!(rows[2], Row::Fault(RowFault::Phone(PhoneFault::TooShort)));
    assert!(matches!(&rows[1], Row::User(user) if user.opt_in == OptIn::Out));
}

#[test]
fn a_wrong_name_of_the_app_is_a_refusal_though_its_status_is_success() {
    let body = br#"{"status":"error","message":"Invalid App Details"}"#;
    let answer = Answer { status: 200, retry_after: None, body };
    let Err(ListFault::Refused(failure)) = read_list(&answer, &book()) else {
        panic!("refused");
    };
    assert_eq!(failure.reason, "Invalid App Details");
}

#[test]
fn what_is_no_list_says_why() {
    let read = |status, body: &'static [u8]| {
        read_list(&Answer { status, retry_after: None, body }, &book()).unwrap_err().to_string()
    };
    assert_eq!(read(200, b""), "the answer is no JSON object");
    assert_eq!(read(200, b"{}"), "the answer has no `users` as the provider writes it");
    assert_eq!(
        read(401, b""),
        "Gupshup refused with code http 401: the provider refuses our credentials"
    );
    assert_eq!(read(502, b""), "Gupshup did not answer the question");
    let fault = parse(b"[]", &book()).unwrap_err();
    assert_eq!(fault, ListFault::Malformed(Malformed::NotJson));
}

#[test]
fn a_page_is_asked_for_by_its_number() {
    let request = list(2, &gupshup_credentials());
    assert_eq!(request.method, Method::Get);
    assert_eq!(
        request.url,
        "https://api.gupshup.io/sm/api/v1/users/DemoApp?maxResult=5000&pageNo=2"
    );
    assert_eq!(request.headers, [("apikey", "key-of-nobody".to_owned())]);
}
