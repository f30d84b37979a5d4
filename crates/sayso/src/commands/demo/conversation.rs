//! A conversation on a simulated phone, for the terminal: a message goes, the person leaves, and the
//! next message is refused.

use hyper::Method;
use sayso_server::App;
use serde_json::{Value, json};

use crate::client::{Client, Payload};
use crate::exit::Failure;

/// Who talks with the shop.
const PHONE: &str = "+14155550105";

/// Plays the conversation, and tells it line by line.
pub(crate) async fn play(
    client: &Client,
    app: &App,
    (sender, yes): (&str, Value),
) -> Result<Vec<String>, Failure> {
    client.json(Method::POST, "/v1/consents", Payload::Json(yes)).await?;
    let mut told = vec![format!("{PHONE} agreed to messages of Harbour Books.")];
    let news = json!({ "to": PHONE, "channel": "sms", "text": "A new book has come." });
    let path = "/v1/messages";
    let sent = client.json(Method::POST, path, Payload::Json(news.clone())).await?;
    app.send_due().await.map_err(anyhow::Error::new)?;
    let id = text(&sent, "id");
    let sent = client.json(Method::GET, &format!("{path}/{id}"), Payload::Nothing).await?;
    told.push(format!("  shop    A new book has come.          ({})", text(&sent, "state")));

    let words = json!({ "sender": sender, "text": "Stop. Thank you" });
    let phone = PHONE.replace('+', "%2B");
    let write = format!("/v1/sandbox/phone/messages?phone={phone}");
    let heard = client.json(Method::POST, &write, Payload::Json(words)).await?;
    told.push(format!(
        "  person  Stop. Thank you               (read as {})",
        text(&heard, "reading")
    ));
    app.send_due().await.map_err(anyhow::Error::new)?;
    let inbox = format!("/v1/sandbox/phone?phone={phone}");
    let inbox = client.json(Method::GET, &inbox, Payload::Nothing).await?;
    let confirmation = inbox.pointer("/messages/0/text").and_then(Value::as_str);
    told.push(format!("  shop    {}", confirmation.unwrap_or_default()));

    let refused = client.ask(Method::POST, path, Payload::Json(news)).await?;
    let refused: Value = serde_json::from_slice(&refused.body).map_err(anyhow::Error::new)?;
    let reason = refused.pointer("/decision/reason").and_then(Value::as_str).unwrap_or_default();
    told.push(format!("  shop    A new book has come.          (not sent: {reason})"));
    Ok(told)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
