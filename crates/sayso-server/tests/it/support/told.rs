//! What providers tell: calls as each of them makes and proves them.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::provider::{HOOK_TOKEN, Says, Shop, meta_signature, twilio_signature};

const FORM: &str = "application/x-www-form-urlencoded";

/// Text as forms and queries have it.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn pairs(form: &[(&str, &str)]) -> String {
    let pairs = form.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A text as Meta brings it, from whoever `from` names.
pub(crate) fn text_of(id: &str, from: &Value, text: &str) -> Value {
    message_of(id, from, "text", &json!({ "body": text }))
}

/// A message of a kind as Meta brings it.
pub(crate) fn message_of(id: &str, from: &Value, kind: &str, content: &Value) -> Value {
    let mut message = json!({ "id": id, "timestamp": "1795255201", "type": kind, kind: content });
    for (name, value) in from.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

impl Shop {
    async fn hooked(&self, query: &str, headers: &[(&str, &str)], body: Option<String>) {
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/hooks/{}{query}", self.connection))
            .header("host", "10.0.0.1:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Body::from(body.unwrap_or_default());
        let answer = self.app.send(request.body(body).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }

    /// Meta tells something in a field.
    pub(crate) async fn told_by_meta(&self, field: &str, mut value: Value) {
        value["metadata"] =
            json!({ "display_phone_number": "15550100900", "phone_number_id": "106540352242922" });
        let changes = json!([{ "field": field, "value": value }]);
        let entry = json!([{ "id": "1", "changes": changes }]);
        let body = json!({ "object": "whatsapp_business_account", "entry": entry }).to_string();
        let signature = meta_signature(&body);
        self.hooked("", &[("x-hub-signature-256", &signature)], Some(body)).await;
    }

    /// Meta brings a message.
    pub(crate) async fn wrote_by_meta(&self, message: Value) {
        self.told_by_meta("messages", json!({ "messages": [message] })).await;
    }

    /// Gupshup tells something in version 2.
    pub(crate) async fn told_by_gupshup(&self, kind: &str, payload: &Value) {
        let body = json!({
            "app": "ShopApp", "timestamp": 1_795_255_201_000_i64, "version": 2, "type": kind,
            "payload": payload,
        });
        self.hooked(&format!("?token={HOOK_TOKEN}"), &[], Some(body.to_string())).await;
    }

    /// Gupshup passes on a call of Meta's.
    pub(crate) async fn passed_on_by_gupshup(&self, value: &Value) {
        let changes = json!([{ "field": "messages", "value": value }]);
        let entry = json!([{ "id": "1", "changes": changes }]);
        let object = "whatsapp_business_account";
        let body = json!({ "object": object, "gs_app_id": "a", "entry": entry });
        self.hooked(&format!("?token={HOOK_TOKEN}"), &[], Some(body.to_string())).await;
    }

    /// Twilio calls with these parameters.
    pub(crate) async fn told_by_twilio(&self, form: &[(&str, &str)]) {
        let url = format!("https://consent.example/hooks/{}", self.connection);
        let signature = twilio_signature(&url, form);
        let headers = [("x-twilio-signature", signature.as_str()), ("content-type", FORM)];
        self.hooked("", &headers, Some(pairs(form))).await;
    }

    /// Kannel calls with these parameters.
    pub(crate) async fn told_by_kannel(&self, query: &[(&str, &str)]) {
        self.hooked(&format!("?token={HOOK_TOKEN}&{}", pairs(query)), &[], None).await;
    }

    /// A shop at Twilio that writes by WhatsApp too.
    pub(crate) async fn at_twilio_by_whatsapp() -> Self {
        let shop = Self::at("twilio").await;
        let sender = json!({ "channel": "whatsapp", "name": "Chat", "address": "+15550100901", "connection": shop.connection });
        assert_eq!(shop.app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
        Self { channel: "whatsapp", ..shop }
    }

    /// Records that an address, which is no number, agreed to WhatsApp.
    pub(crate) async fn agree_by_id(&self, id: &str) {
        let notice = self.app.notice(&[]).await;
        let mut yes = super::act("", "opt_in", "2026-11-21T09:00:00Z", &notice);
        yes.as_object_mut().unwrap().remove("phone");
        yes["channel_id"] = id.into();
        yes["channel"] = "whatsapp".into();
        let recorded = self.app.post("/v1/consents", &yes).await;
        assert_eq!(recorded.status, StatusCode::CREATED, "{}", recorded.text);
    }

    /// Sends a message which the provider takes, saying this.
    pub(crate) async fn sent(&self, to: &str, answer: &Value) -> Value {
        let message = self.send(to, Says::Answer(200, answer.to_string())).await;
        assert_eq!(message["state"], "handed_over", "{message}");
        message
    }

    /// Why marketing may not go to an address on a channel; null if it may.
    pub(crate) async fn reason_on(&self, channel: &str, address: &str) -> Value {
        let field = if address.starts_with('+') { "phone" } else { "channel_id" };
        let question = json!({ field: address, "channel": channel, "category": "marketing" });
        let answer = self.app.post("/v1/check", &question).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()["reason"].clone()
    }

    /// Why marketing may not go to an address on this shop's channel; null if it may.
    pub(crate) async fn reason(&self, address: &str) -> Value {
        self.reason_on(self.channel, address).await
    }
}
