//! The links of a person, out of a message that went to a simulated phone of theirs: such links do everything.

use hyper::Method;
use serde_json::{Value, json};

use crate::http::Http;

/// How often it is looked whether the message arrived; each look takes a request.
const LOOKS: usize = 5_000;

/// The paths of the links that a message by this channel brings: the preference centre and the one click.
pub(super) async fn links(http: &mut Http, phone: &str, channel: &str) -> (String, String) {
    let variables = json!(["{preferences_url}", "{unsubscribe_url}"]);
    let message = json!({
        "to": phone, "channel": channel, "template": { "name": "links", "variables": variables },
    });
    let taken = http.must(Method::POST, "/v1/messages", Some(&message)).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    let at = format!("/v1/sandbox/phone?phone={}", phone.replace('+', "%2B"));
    for _ in 0..LOOKS {
        let phone = http.must(Method::GET, &at, None).await.body;
        let texts = phone["messages"].as_array().into_iter().flatten().map(|it| &it["text"]);
        if let Some(text) = texts.filter_map(Value::as_str).find(|it| it.starts_with("links ")) {
            let path = |url: &str| {
                let (_, rest) = url.split_once("://").unwrap();
                format!("/{}", rest.split_once('/').unwrap().1)
            };
            let urls: Vec<&str> = text.split(' ').skip(1).collect();
            return (path(urls[0]), path(urls[1]));
        }
    }
    panic!("no message arrived at {phone}");
}
