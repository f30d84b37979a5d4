//! What became of a hand-over: every answer of a provider says it was taken, refused, put off, or
//! that nobody knows.

use sayso_channels::meta;
use sayso_channels::outbound::{Answer, HandOver};

use crate::support::{connection, describe};

/// An answer read, in one line.
fn read(provider: &str, status: u16, body: &str) -> String {
    let answer = Answer { status, retry_after: Some(b"7"), body: body.as_bytes() };
    match connection(provider).read_answer(&answer) {
        HandOver::Accepted { provider_id, .. } => {
            format!("accepted {}", provider_id.as_deref().unwrap_or("-"))
        }
        HandOver::Refused(failure) => format!("refused {}", describe(&failure)),
        HandOver::TryLater { after, failure } => {
            let seconds = after.map(|after| after.as_micros() / 1_000_000);
            format!("later {seconds:?} {}", describe(&failure))
        }
        HandOver::Unknown { why } => format!("unknown: {why}"),
    }
}

#[test]
fn every_answer_reads_as_the_table_says() {
    let error = |code: u32| {
        format!(
            r#"{{"error":{{"message":"(#{code}) Hello Ana","code":{code},
            "error_data":{{"details":"Message failed to 15550100001"}}}}}}"#
        )
    };
    let table = [
        ("meta", 200, r#"{"messages":[{"id":"wamid.1"}]}"#.to_owned(), "accepted wamid.1"),
        ("meta", 200, r#"{"messages":[{}]}"#.to_owned(),
         "unknown: the provider answered 200 with a body that cannot be read"),
        ("meta", 400, error(131_047), "refused outside_window [131047] Message failed to …"),
        ("meta", 400, error(131_026), "refused says_nothing [131026] Message failed to …"),
        ("meta", 400, error(130_429), "later Some(7) rate_limited [130429] Message failed to …"),
        ("meta", 400, error(131_048), "later Some(7) spam_limited [131048] Message failed to …"),
        ("meta", 429, error(4), "later Some(7) rate_limited [4] Message failed to …"),
        ("meta", 429, error(100), "later Some(7) rate_limited [100] Message failed to …"),
        ("meta", 401, error(190), "refused wrong_credentials [190] Message failed to …"),
        ("meta", 403, error(131_031), "refused account_blocked [131031] Message failed to …"),
        ("meta", 404, error(100), "refused permanent [100] Message failed to …"),
        ("meta", 500, error(131_000), "unknown: the provider failed with status 500"),
        ("gupshup", 202, r#"{"status":"submitted","messageId":"5f0c"}"#.to_owned(), "accepted 5f0c"),
        ("gupshup", 202, r#"{"status":"submitted"}"#.to_owned(),
         "unknown: the provider answered 202 with a body that cannot be read"),
        ("gupshup", 200, r#"{"status":"error","message":"Invalid Destination 15550100001"}"#.to_owned(),
         "refused permanent [none] Invalid Destination …"),
        ("gupshup", 400, r#"{"status":"error","message":{"code":1012,"reason":"opted out"}}"#.to_owned(),
         "refused sender_blocked [1012] opted out"),
        ("gupshup", 401, r#"{"status":"error","message":"Invalid apikey"}"#.to_owned(),
         "refused wrong_credentials [http 401] Invalid apikey"),
        ("gupshup", 429, r#"{"status":"error","message":"Too Many Requests"}"#.to_owned(),
         "later Some(7) rate_limited [http 429] Too Many Requests"),
        ("twilio", 201, r#"{"sid":"SM1","status":"queued","error_code":null}"#.to_owned(), "accepted SM1"),
        ("twilio", 201, r#"{"status":"queued"}"#.to_owned(),
         "unknown: the provider answered 201 with a body that cannot be read"),
        ("twilio", 400, r#"{"code":21610,"message":"Attempt to send to unsubscribed recipient +15550100001","status":400}"#.to_owned(),
         "refused sender_blocked [21610] the person texted a stop word to this sender"),
        ("twilio", 400, r#"{"code":21211,"message":"The 'To' number +15550100001 is not valid","status":400}"#.to_owned(),
         "refused perhaps_not_on_channel [21211] the number is none"),
        ("twilio", 400, r#"{"code":21612,"message":"The number +15550100001 is out"}"#.to_owned(),
         "refused permanent [21612] The number … is out"),
        ("twilio", 400, r#"{"code":63014,"message":"Blocked by +15550100001","status":400}"#.to_owned(),
         "refused inferred_refusal [63014] the person blocked this sender"),
        ("twilio", 401, r#"{"code":20003,"message":"Authenticate"}"#.to_owned(),
         "refused wrong_credentials [20003] Twilio refuses our credentials"),
        ("twilio", 429, r#"{"code":20429,"message":"Too Many Requests"}"#.to_owned(),
         "later Some(7) rate_limited [20429] too many requests"),
        ("twilio", 503, r#"{"code":20503,"message":"Service unavailable"}"#.to_owned(),
         "unknown: the provider failed with status 503"),
        ("kannel", 202, "0: Accepted for delivery".to_owned(), "accepted -"),
        ("kannel", 202, "3: Queued for later delivery\n".to_owned(), "accepted -"),
        ("kannel", 202, "Sent.".to_owned(),
         "unknown: the provider answered 202 with a body that cannot be read"),
        ("kannel", 403, "Authorization failed for sendsms".to_owned(),
         "refused wrong_credentials [http 403] the provider refuses our credentials"),
        ("kannel", 503, "Temporal failure, try again later.".to_owned(),
         "later Some(7) rate_limited [http 503] Kannel asks to try again later"),
        ("kannel", 503, "<html>".to_owned(), "unknown: the provider failed with status 503"),
    ];
    for (provider, status, body, expected) in table {
        assert_eq!(read(provider, status, &body), expected, "{provider} {status} {body}");
    }
}

#[test]
fn an_answer_without_sense_is_read_by_its_status() {
    for provider in ["meta", "gupshup", "twilio", "kannel"] {
        for body in ["", "<html>", "{", "[]", "null", r#"{"error":5,"sid":5,"status":5}"#, "\u{0}"]
        {
            let read = |status| read(provider, status, body);
            if !(provider == "twilio" && body.contains("sid")) {
                assert!(read(200).starts_with("unknown"), "{provider} {body}");
            }
            assert!(read(302).starts_with("unknown"), "{provider} {body}");
            assert!(read(400).starts_with("refused permanent [http 400]"), "{provider} {body}");
            assert!(read(429).starts_with("later Some(7) rate_limited"), "{provider} {body}");
            assert!(read(500).starts_with("unknown"), "{provider} {body}");
            assert!(read(504).starts_with("unknown"), "{provider} {body}");
        }
    }
}

#[test]
fn a_link_is_read_or_its_fault() {
    let read = |status, body: &str| {
        let answer = Answer { status, retry_after: None, body: body.as_bytes() };
        meta::read_qr_link(&answer).map_err(|fault| fault.to_string())
    };
    let link = read(
        200,
        r#"{"code":"AB12CD34EF56GH","prefilled_message":"OFFERS",
            "deep_link_url":"https://wa.me/message/AB12CD34EF56GH"}"#,
    );
    let expected = meta::QrLink {
        code: "AB12CD34EF56GH".to_owned(),
        prefilled_message: Some("OFFERS".to_owned()),
        url: "https://wa.me/message/AB12CD34EF56GH".to_owned(),
        image_url: None,
    };
    assert_eq!(link, Ok(expected));
    let unknown = "whether the link was made is unknown".to_owned();
    assert_eq!(read(200, "{}"), Err(unknown.clone()));
    assert_eq!(read(500, ""), Err(unknown));
    let refused = read(400, r#"{"error":{"code":100,"title":"Invalid parameter"}}"#);
    assert_eq!(refused, Err("Meta refused with code 100: Invalid parameter".to_owned()));
}
