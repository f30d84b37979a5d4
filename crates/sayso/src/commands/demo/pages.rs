//! The pages of the demo: an opt-in form, the page behind a QR code, and the preference centre of somebody
//! who agreed.

use hyper::Method;
use sayso_core::address::Address;
use sayso_core::id::SenderId;
use sayso_core::proof::personal_link::{Leaves, LinkPurpose, Making, PersonalLink};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel};
use sayso_core::words::day::Day;
use sayso_core::workspace::Workspace;
use serde_json::{Value, json};

use crate::client::{Client, Payload};
use crate::exit::Failure;

/// What a page is, and its path on the server.
pub(super) type Page = (&'static str, String);

/// Makes the pages through the API, as a shop would.
pub(super) async fn make(
    client: &Client,
    (sender, topic, notice): (&str, &str, &str),
    preferences: &str,
) -> Result<Vec<Page>, Failure> {
    let form = json!({
        "name": "Footer", "business": "Harbour Books", "channels": ["sms"], "topics": [topic],
        "notice": notice, "title": "New books by text message", "test": false,
    });
    let form = post(client, "/v1/forms", form).await?;
    let entry = json!({
        "name": "Poster at the till", "business": "Harbour Books", "sender": sender, "topics": [topic],
        "notice": { "id": notice, "version": 1 }, "prefill": "Hello, I saw your poster",
    });
    let entry = post(client, "/v1/entry-points", entry).await?;
    Ok(vec![
        ("Opt-in form", format!("/f/{}", text(&form, "id"))),
        ("Behind a QR", format!("/e/{}", text(&entry, "code"))),
        ("Preferences", format!("/p/{preferences}")),
    ])
}

/// The token of the link of somebody who agreed by SMS, as a message of today to their own phone holds it.
pub(super) fn preferences(
    workspace: &Workspace,
    address: &Address,
    (sender, today): (SenderId, Timestamp),
) -> String {
    let link = PersonalLink {
        workspace: workspace.id,
        address: address.key(&workspace.secret),
        channel: Channel::Sms,
        purpose: LinkPurpose::Preferences,
        leaves: Leaves::Category(Category::Marketing),
        sender: Some(sender),
        making: Making::Sent(Day::of(today)),
    };
    link.token(workspace.link_key(), &workspace.secret)
}

async fn post(client: &Client, path: &str, sent: Value) -> Result<Value, Failure> {
    client.json(Method::POST, path, Payload::Json(sent)).await
}

fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer.get(field).and_then(Value::as_str).unwrap_or_default()
}
