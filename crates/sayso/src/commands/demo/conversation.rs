//! A conversation on a simulated phone, for the terminal: a person writes, answers the question, gets a
//! message, leaves, and the next message is refused.

use hyper::Method;
use sayso_server::App;
use serde_json::{Value, json};

use crate::client::{Client, Payload};
use crate::exit::Failure;

/// Who talks with the shop.
const PHONE: &str = "+14155550105";

/// What the shop sends.
const NEWS: &str = "A new book. STOP ends it.";

/// A conversation under way.
struct Conversation<'a> {
    client: &'a Client,
    app: &'a App,
    sender: &'a str,
    told: Vec<String>,
}

/// Plays the conversation, and tells it line by line.
pub(crate) async fn play(client: &Client, app: &App, sender: &str) -> Result<Vec<String>, Failure> {
    let told = vec![format!("{PHONE} and Harbour Books, by simulated phones:")];
    let mut conversation = Conversation { client, app, sender, told };
    conversation.person_writes("Hello, are you open?").await?;
    conversation.person_writes("yes").await?;
    conversation.shop_sends().await?;
    conversation.person_writes("Stop. Thank you").await?;
    conversation.shop_sends().await?;
    Ok(conversation.told)
}

impl Conversation<'_> {
    /// The person writes; and the shop's answer.
    async fn person_writes(&mut self, words: &str) -> Result<(), Failure> {
        let message = json!({ "sender": self.sender, "text": words });
        let phone = PHONE.replace('+', "%2B");
        let write = format!("/v1/sandbox/phone/messages?phone={phone}");
        let heard = self.client.json(Method::POST, &write, Payload::Json(message)).await?;
        self.tell("person", words, &format!("read as {}", text(&heard, "reading")));
        self.app.send_due().await.map_err(anyhow::Error::new)?;
        if heard.get("reply").is_some() {
            let inbox = format!("/v1/sandbox/phone?phone={phone}");
            let inbox = self.client.json(Method::GET, &inbox, Payload::Nothing).await?;
            let reply = inbox.pointer("/messages/0").unwrap_or(&Value::Null);
            let buttons = reply.get("buttons").and_then(Value::as_array).into_iter().flatten();
            let buttons = buttons.filter_map(|button| Some(format!(" [{}]", button.as_str()?)));
            let words = text(reply, "text").to_owned() + &buttons.collect::<String>();
            self.told.push(format!("  shop    {words}"));
        }
        Ok(())
    }

    /// The shop sends its news; and what became of it.
    async fn shop_sends(&mut self) -> Result<(), Failure> {
        let news = json!({ "to": PHONE, "channel": "sms", "text": NEWS });
        let answer = self.client.ask(Method::POST, "/v1/messages", Payload::Json(news)).await?;
        let answer: Value = serde_json::from_slice(&answer.body).map_err(anyhow::Error::new)?;
        let refused = answer.pointer("/decision/reason").and_then(Value::as_str);
        let became = if let Some(reason) = refused {
            format!("not sent: {reason}")
        } else {
            self.app.send_due().await.map_err(anyhow::Error::new)?;
            let path = format!("/v1/messages/{}", text(&answer, "id"));
            let sent = self.client.json(Method::GET, &path, Payload::Nothing).await?;
            text(&sent, "state").to_owned()
        };
        self.tell("shop", NEWS, &became);
        Ok(())
    }

    fn tell(&mut self, who: &str, words: &str, became: &str) {
        self.told.push(format!("  {who:<7} {words:<29} ({became})"));
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
