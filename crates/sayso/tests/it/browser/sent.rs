//! The links of a person. One out of a message that went to a simulated phone of theirs does everything.

use hyper::Method;
use serde_json::{Value, json};

use crate::http::Http;

/// How often it is looked whether the message arrived; each look takes a request.
const LOOKS: usize = 5_000;

/// The paths of the links of somebody who agreed to a topic: the preference center, out of a message about it,
/// and the one click, which leaves by any link.
pub(super) async fn links(
    http: &mut Http,
    phone: &str,
    (channel, topic): (&str, &str),
) -> (String, String) {
    let asked = json!({ "phone": phone, "channel": channel });
    let made = http.must(Method::POST, "/v1/preference-links", Some(&asked)).await;
    let one_click = path(made.body["one_click"].as_str().unwrap_or_else(|| panic!("{made:?}")));
    let message = json!({
        "to": phone, "channel": channel, "topic": topic,
        "template": { "name": "links", "variables": ["{preferences_url}"] },
    });
    let taken = http.must(Method::POST, "/v1/messages", Some(&message)).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    let at = format!("/v1/sandbox/phone?phone={}", phone.replace('+', "%2B"));
    for _ in 0..LOOKS {
        let phone = http.must(Method::GET, &at, None).await.body;
        let texts = phone["messages"].as_array().into_iter().flatten().map(|it| &it["text"]);
        if let Some(text) = texts.filter_map(Value::as_str).find(|it| it.starts_with("links ")) {
            return (path(text.split(' ').nth(1).unwrap()), one_click);
        }
    }
    panic!("no message arrived at {phone}");
}

fn path(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap();
    format!("/{}", rest.split_once('/').unwrap().1)
}
