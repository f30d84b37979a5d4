//! What providers are sent, and what is not sent to them.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;

use sayso_channels::call::Method;
use sayso_channels::outbound::{
    Button, CannotSend, HttpRequest, OUR_ID_PARAMETER, Outgoing, Payload,
};
use sayso_channels::{gupshup, kannel, meta, twilio};
use sayso_core::address::email::Email;
use sayso_core::address::phone::Phone;
use sayso_core::address::{Address, OpaqueId};
use sayso_core::limits::TEMPLATE_VARIABLES_MAX;
use sayso_core::words::channel::Channel;
use serde_json::{Value, json};

use crate::support::{connection, kannel_credentials, meta_credentials};

fn phone() -> Address {
    Address::Phone(Phone::from_digits(15_550_100_001).unwrap())
}

fn user_id() -> Address {
    Address::ChannelId(OpaqueId::parse("US.10000000000000000001").unwrap())
}

fn buttons(count: usize) -> Vec<Button> {
    (0..count).map(|at| Button { id: format!("b{at}"), title: format!("Button {at}") }).collect()
}

/// One message through one provider.
fn send(provider: &str, outgoing: &Outgoing<'_>) -> Result<HttpRequest, CannotSend> {
    connection(provider).send(outgoing)
}

/// A message that the provider takes.
fn outgoing<'a>(provider: &str, to: &'a Address, payload: Payload<'a>) -> Outgoing<'a> {
    let (channel, from) = match provider {
        "meta" => (Channel::WhatsApp, "100000000000001"),
        "gupshup" => (Channel::WhatsApp, "15550100900"),
        "twilio" => (Channel::Sms, "+15550100900"),
        _ => (Channel::Sms, "12345"),
    };
    let status_url = Some("https://h.example/hooks/con_1?token=t");
    Outgoing { channel, to, from, payload, our_id: "msg_1", status_url }
}

fn sent(provider: &str, payload: Payload<'_>) -> Result<HttpRequest, CannotSend> {
    let to = phone();
    send(provider, &outgoing(provider, &to, payload))
}

fn body_json(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn form(bytes: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(bytes).into_owned().collect()
}

#[test]
fn meta_is_sent_text() {
    let request = sent("meta", Payload::Text("Hi \"Ana\"")).unwrap();
    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url, "https://graph.facebook.com/v25.0/100000000000001/messages");
    assert_eq!(request.headers[0], ("authorization", "Bearer EAAofnobody".to_owned()));
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "15550100001",
        "type": "text", "text": {"body": "Hi \"Ana\""}, "biz_opaque_callback_data": "msg_1",
    });
    assert_eq!(body_json(&request), expected);
}

#[test]
fn meta_is_sent_a_template_and_buttons() {
    let variables = ["Ana".to_owned()];
    let template = |variables| Payload::Template { name: "offer", language: "en_US", variables };
    let body = body_json(&sent("meta", template(&variables)).unwrap());
    let parameters = json!([{"type": "text", "text": "Ana"}]);
    assert_eq!(
        body["template"],
        json!({"name": "offer", "language": {"code": "en_US"},
               "components": [{"type": "body", "parameters": parameters}]})
    );
    let body = body_json(&sent("meta", template(&[])).unwrap());
    assert_eq!(body["template"], json!({"name": "offer", "language": {"code": "en_US"}}));
    let question = Payload::Question { text: "May we?", buttons: &buttons(2) };
    let body = body_json(&sent("meta", question).unwrap());
    let reply = |at| json!({"type": "reply", "reply": {"id": format!("b{at}"), "title": format!("Button {at}")}});
    assert_eq!(
        body["interactive"],
        json!({"type": "button", "body": {"text": "May we?"},
               "action": {"buttons": [reply(0), reply(1)]}})
    );
}

#[test]
fn meta_reaches_a_user_id_as_a_recipient() {
    let to = user_id();
    let request = send("meta", &outgoing("meta", &to, Payload::Text("Hi"))).unwrap();
    let body = body_json(&request);
    assert_eq!(body["recipient"], "US.10000000000000000001");
    assert_eq!(body.get("to"), None);
}

#[test]
fn meta_makes_a_link_with_words_in_it() {
    let image = meta::QrImage::Svg;
    let request =
        meta::create_qr_link("100000000000001", "OFFERS", image, &meta_credentials()).unwrap();
    assert_eq!(request.url, "https://graph.facebook.com/v25.0/100000000000001/message_qrdls");
    let expected = json!({"prefilled_message": "OFFERS", "generate_qr_image": "SVG"});
    assert_eq!(body_json(&request), expected);
}

#[test]
fn gupshup_is_sent_a_form_with_json_in_it() {
    let request = sent("gupshup", Payload::Text("Hi & bye")).unwrap();
    assert_eq!(request.url, "https://api.gupshup.io/wa/api/v1/msg");
    assert_eq!(request.headers[0], ("apikey", "key-of-nobody".to_owned()));
    let fields = form(&request.body);
    let expected = [
        ("channel", "whatsapp"),
        ("source", "15550100900"),
        ("destination", "15550100001"),
        ("src.name", "DemoApp"),
    ];
    for (name, value) in expected {
        assert_eq!(fields[name], value);
    }
    let message: Value = serde_json::from_str(&fields["message"]).unwrap();
    assert_eq!(message, json!({"type": "text", "text": "Hi & bye"}));
    let variables = ["Ana".to_owned()];
    let template = Payload::Template { name: "t-1", language: "", variables: &variables };
    let request = sent("gupshup", template).unwrap();
    assert_eq!(request.url, "https://api.gupshup.io/wa/api/v1/template/msg");
    let template: Value = serde_json::from_str(&form(&request.body)["template"]).unwrap();
    assert_eq!(template, json!({"id": "t-1", "params": ["Ana"]}));
    let question = Payload::Question { text: "May we?", buttons: &buttons(1) };
    let fields = form(&sent("gupshup", question).unwrap().body);
    let message: Value = serde_json::from_str(&fields["message"]).unwrap();
    let option = json!({"type": "text", "title": "Button 0", "postbackText": "b0"});
    assert_eq!(
        message,
        json!({"type": "quick_reply", "msgid": "msg_1", "options": [option],
               "content": {"type": "text", "text": "May we?"}})
    );
}

#[test]
fn twilio_is_sent_a_form_and_told_where_to_report() {
    let request = sent("twilio", Payload::Text("Hi")).unwrap();
    let account = format!("AC{}", "0".repeat(32));
    let url = format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Messages.json");
    assert_eq!(request.url, url);
    // Base64 of the account and the token, computed with Python.
    let login = "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDp0b2tlbi1vZi1ub2JvZHk=";
    assert_eq!(request.headers[0], ("authorization", login.to_owned()));
    let expected = [
        ("Body", "Hi"),
        ("From", "+15550100900"),
        ("StatusCallback", "https://h.example/hooks/con_1?token=t&sayso_message=msg_1"),
        ("To", "+15550100001"),
    ];
    let found = form(&request.body);
    let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn twilio_is_sent_on_whatsapp_through_a_service_and_by_content() {
    let to = phone();
    let service = format!("MG{}", "0".repeat(32));
    let variables = ["Ana".to_owned(), "7".to_owned()];
    let payload = Payload::Template { name: "HX1", language: "", variables: &variables };
    let base = outgoing("twilio", &to, payload);
    let outgoing =
        Outgoing { channel: Channel::WhatsApp, from: &service, status_url: None, ..base };
    let fields = form(&send("twilio", &outgoing).unwrap().body);
    assert_eq!(fields["To"], "whatsapp:+15550100001");
    assert_eq!(fields["MessagingServiceSid"], service);
    assert_eq!(fields["ContentSid"], "HX1");
    let variables: Value = serde_json::from_str(&fields["ContentVariables"]).unwrap();
    assert_eq!(variables, json!({"1": "Ana", "2": "7"}));
    assert!(!fields.contains_key("From") && !fields.contains_key("StatusCallback"));
    let number = Outgoing { from: "whatsapp:+15550100900", ..outgoing };
    let fields = form(&send("twilio", &number).unwrap().body);
    assert_eq!(fields["From"], "whatsapp:+15550100900");
}

#[test]
fn where_there_are_no_buttons_the_answers_stand_under_the_question() {
    let buttons = buttons(2);
    let question = Payload::Question { text: "May we?", buttons: &buttons };
    let fields = form(&sent("twilio", question).unwrap().body);
    assert_eq!(fields["Body"], "May we?\nButton 0 / Button 1");
}

#[test]
fn kannel_is_called_with_escapes_that_it_fills_in() {
    let request = sent("kannel", Payload::Text("Hi & bye")).unwrap();
    assert_eq!((request.method, request.body.len()), (Method::Get, 0));
    let (url, query) = request.url.split_once('?').unwrap();
    assert_eq!(url, "http://127.0.0.1:13013/cgi-bin/sendsms");
    let report = "https://h.example/hooks/con_1?token=t&sayso_message=msg_1\
                  &dlr=%d&foreign=%F&answer=%A&ts=%T";
    let expected = [
        ("charset", "UTF-8"),
        ("coding", "0"),
        ("dlr-mask", "31"),
        ("dlr-url", report),
        ("from", "12345"),
        ("password", "a word & more"),
        ("text", "Hi & bye"),
        ("to", "+15550100001"),
        ("username", "nobody"),
    ];
    let found = form(query.as_bytes());
    let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
    let request = sent("kannel", Payload::Text("बंद")).unwrap();
    assert!(request.url.contains("coding=2"));
}

#[test]
fn kannel_is_told_which_url_to_call() {
    assert_eq!(
        kannel::get_url("https://h.example/hooks/con_1", &kannel_credentials()),
        "https://h.example/hooks/con_1?token=token-of-nobody-0&from=%q&to=%Q&text=%a&ts=%T\
         &smsc=%i&id=%I&charset=%C&account=%o"
    );
}

#[test]
fn kannel_would_read_a_percent_sign_in_the_url_for_reports_as_an_escape() {
    let to = phone();
    let base = outgoing("kannel", &to, Payload::Text("Hi"));
    let escaped = Outgoing { status_url: Some("https://h.example/%70"), ..base };
    assert_eq!(send("kannel", &escaped).err(), Some(CannotSend::WrongStatusUrl));
    let escaped = Outgoing { our_id: "a b%", ..base };
    assert_eq!(send("kannel", &escaped).err(), Some(CannotSend::WrongStatusUrl));
    assert!(!OUR_ID_PARAMETER.contains('%'));
}

#[test]
fn kannel_has_no_templates() {
    let template = Payload::Template { name: "offer", language: "en", variables: &[] };
    assert_eq!(sent("kannel", template).err(), Some(CannotSend::NoTemplates));
}

#[test]
fn a_text_goes_up_to_the_limit_of_its_channel() {
    for (provider, limit) in
        [("meta", 4_096), ("gupshup", 4_096), ("twilio", 1_600), ("kannel", 1_600)]
    {
        let longest = "é".repeat(limit);
        assert!(sent(provider, Payload::Text(&longest)).is_ok(), "{provider}");
        let past = CannotSend::TooLong { part: "the text", length: limit + 1, limit };
        let text = longest + "é";
        assert_eq!(sent(provider, Payload::Text(&text)).err(), Some(past), "{provider}");
        let empty = CannotSend::Empty { part: "the text" };
        assert_eq!(sent(provider, Payload::Text("\n")).err(), Some(empty), "{provider}");
    }
}

#[test]
fn a_question_of_whatsapp_has_one_to_three_short_buttons() {
    for provider in ["meta", "gupshup"] {
        let ask = |text: &str, buttons: &[Button]| {
            sent(provider, Payload::Question { text, buttons }).err()
        };
        assert_eq!(ask("May we?", &buttons(3)), None);
        let past = CannotSend::TooMany { part: "buttons", count: 4, limit: 3 };
        assert_eq!(ask("May we?", &buttons(4)), Some(past));
        let none = CannotSend::Empty { part: "the list of buttons" };
        assert_eq!(ask("May we?", &[]), Some(none));
        let titled = |title: String| [Button { id: "b".to_owned(), title }];
        assert_eq!(ask("May we?", &titled("é".repeat(20))), None);
        assert!(matches!(
            ask("May we?", &titled("é".repeat(21))),
            Some(CannotSend::TooLong { .. })
        ));
        assert_eq!(ask(&"é".repeat(1_024), &buttons(1)), None);
        let long = ask(&"é".repeat(1_025), &buttons(1));
        assert!(matches!(long, Some(CannotSend::TooLong { limit: 1_024, .. })));
    }
}

#[test]
fn a_template_has_a_name_and_a_bounded_number_of_variables() {
    for provider in ["meta", "gupshup", "twilio"] {
        let named = |name, variables| {
            sent(provider, Payload::Template { name, language: "en", variables }).err()
        };
        let variables = vec!["a".to_owned(); TEMPLATE_VARIABLES_MAX + 1];
        assert_eq!(named("offer", &variables[1..]), None, "{provider}");
        assert!(matches!(named("offer", &variables), Some(CannotSend::TooMany { .. })));
        assert!(matches!(named("", &[]), Some(CannotSend::Empty { .. })));
    }
}

#[test]
fn each_provider_serves_its_channels_and_addresses() {
    let (phone, user_id) = (phone(), user_id());
    let email = Address::Email(Email::parse("ana@example.org").unwrap());
    let text = Payload::Text("Hi");
    for provider in ["meta", "gupshup", "twilio", "kannel"] {
        let base = outgoing(provider, &phone, text);
        let wrong = Outgoing { channel: Channel::Email, ..base };
        assert_eq!(send(provider, &wrong).err(), Some(CannotSend::WrongChannel), "{provider}");
        let wrong = Outgoing { to: &email, ..base };
        assert_eq!(send(provider, &wrong).err(), Some(CannotSend::WrongAddress), "{provider}");
        let by_id = send(provider, &Outgoing { to: &user_id, ..base });
        assert_eq!(by_id.is_ok(), provider == "meta", "{provider}");
    }
}

#[test]
fn a_sender_that_would_name_another_path_or_header_is_refused() {
    let to = phone();
    for provider in ["meta", "gupshup", "twilio", "kannel"] {
        for from in ["", "../100", "1/messages?x=", "1\r\nx: y", "whatsapp:", "é", "1&to=2"] {
            let outgoing = Outgoing { from, ..outgoing(provider, &to, Payload::Text("Hi")) };
            let fault = send(provider, &outgoing).err();
            assert!(matches!(fault, Some(CannotSend::WrongSender { .. })), "{provider} {from}");
        }
    }
    let image = meta::QrImage::Png;
    assert!(meta::create_qr_link("1/2", "Hi", image, &meta_credentials()).is_err());
}

#[test]
fn ids_in_paths_are_parsed_first() {
    assert!(twilio::AccountSid::parse("AC1/../2").is_err());
    assert!(twilio::AccountSid::parse(&format!("SM{}", "0".repeat(32))).is_err());
    assert!(gupshup::AppName::parse("a/b").is_err());
    assert!(gupshup::AppName::parse("").is_err());
}
