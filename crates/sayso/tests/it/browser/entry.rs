//! A QR code, the opt-in page it leads to, by keyboard on a phone's width, and the chat.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";

/// A business with a WhatsApp sender in the sandbox, two topics, and an entry point.
struct Poster {
    scene: Scene,
    sender: String,
    offers: String,
    id: String,
    code: String,
    wished: Value,
}

impl Poster {
    async fn hang() -> Self {
        Self::hang_before((360, 740)).await
    }

    /// The same, before a screen of this size.
    async fn hang_before((width, height): (u32, u32)) -> Self {
        let screen = json!({ "width": width, "height": height, "pixelRatio": 2.0 });
        let phone = json!({ "deviceMetrics": screen });
        let mut scene = Scene::open_as(json!({ "mobileEmulation": phone })).await;
        let mut post = async |path: &str, body: Value| {
            let made = scene.http.must(Method::POST, path, Some(&body)).await;
            assert_eq!(made.status, 201, "{path}: {:?}", made.body);
            made.body
        };
        let text = |value: &Value, field: &str| value[field].as_str().unwrap().to_owned();
        let connection = json!({ "name": "Phones", "provider": "sandbox" });
        let connection = post("/v1/connections", connection).await["id"].clone();
        let sender = json!({ "channel": "whatsapp", "name": "Harbour Books", "address": "+15550100900", "connection": connection });
        let sender = text(&post("/v1/senders", sender).await, "id");
        let mut topics = Vec::new();
        for name in ["Offers", "New books"] {
            let topic = json!({ "name": name, "category": "marketing" });
            topics.push(text(&post("/v1/topics", topic).await, "id"));
        }
        let notice = text(&post("/v1/notices", json!({ "name": "Poster" })).await, "id");
        for (language, words) in [
            (
                "en",
                "Yes, Harbour Books may send me what I ticked, at most twice a month. I can stop at any time by replying STOP.",
            ),
            (
                "ar",
                "نعم، يمكن لمكتبة الميناء أن ترسل إليّ ما اخترته، مرتين في الشهر على الأكثر. يمكنني التوقف في أي وقت بالرد بكلمة STOP.",
            ),
        ] {
            let version = json!({ "version": 1, "language": language, "text": words, "names": [{ "channel": "whatsapp" }] });
            post(&format!("/v1/notices/{notice}/versions"), version).await;
        }
        let entry = json!({
            "name": "Poster", "sender": sender, "business": "Harbour Books", "topics": topics,
            "notice": { "id": notice, "version": 1 }, "prefill": "Hello",
        });
        let wished = entry.clone();
        let entry = post("/v1/entry-points", entry).await;
        let (id, code) = (text(&entry, "id"), text(&entry, "code"));
        let offers = topics.remove(0);
        Self { scene, sender, offers, id, code, wished }
    }

    fn link(&self) -> String {
        format!("http://{}/e/{}", self.scene.http.address(), self.code)
    }

    /// A drawing as the browser shows it.
    async fn seen(&self, svg: &[u8]) -> Vec<u8> {
        let drawn = format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg));
        let page = format!("data:text/html,<body style=margin:0><img width=360 src='{drawn}'>");
        self.scene.browser.goto(&page).await.unwrap();
        self.scene.browser.screenshot().await.unwrap()
    }

    async fn press(&self, keys: &str) {
        let focused = self.scene.browser.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    }

    async fn focused(&self) -> String {
        let who = "const it = document.activeElement; return it.id || it.value || it.getAttribute('href') || it.tagName";
        let who = self.scene.browser.execute(who, vec![]).await.unwrap();
        who.as_str().unwrap().to_owned()
    }

    /// Waits until the browser is where it was sent, and says where.
    async fn is_at(&self, beginning: &str) -> String {
        for _ in 0..TRIES {
            let url = self.scene.browser.current_url().await.unwrap().to_string();
            if url.starts_with(beginning) {
                return url;
            }
            self.scene.pause().await;
        }
        panic!("the browser did not come to {beginning}");
    }

    async fn consent(&mut self) -> (Value, Value) {
        let ask = json!({ "phone": "+14155550123", "channel": "whatsapp", "topic": self.offers, "explain": true });
        let answer = self.scene.http.must(Method::POST, "/v1/check", Some(&ask)).await.body;
        let consent = &answer["explanation"]["consent"];
        (consent["status"].clone(), consent["level"].clone())
    }

    /// The person sends the message that the chat begins with.
    async fn is_written_to(&mut self, chat: &str) {
        let text = chat.split("text=").nth(1).unwrap();
        let text = text.replace("%20", " ").replace("%28", "(").replace("%29", ")");
        assert!(text.starts_with("Hello (ref "), "{text}");
        let message = json!({ "sender": self.sender, "text": text });
        let written = "/v1/sandbox/phone/messages?phone=%2B14155550123";
        let heard = self.scene.http.must(Method::POST, written, Some(&message)).await;
        assert_eq!(heard.status, 201, "{:?}", heard.body);
    }

    async fn end(self) {
        self.scene.browser.goto(&self.link()).await.unwrap();
        self.scene.end().await;
    }
}

/// What a foreign reader of QR codes finds in a picture.
fn decoded(picture: &[u8], folder: &Path) -> String {
    let file = folder.join("code.png");
    std::fs::write(&file, picture).unwrap();
    let output = Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&file).output().unwrap();
    assert!(
        output.status.success(),
        "nothing was read: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_foreign_reader_finds_the_link_in_every_picture_of_the_code() {
    let mut poster = Poster::hang().await;
    let folder = tempfile::tempdir().unwrap();
    let path = format!("/v1/entry-points/{}", poster.id);
    for query in ["", "?size=64&correction=L", "?size=301&quiet=10&correction=H", "?size=4096"] {
        let png = poster.scene.http.bytes(&format!("{path}/qr.png{query}")).await;
        assert_eq!(decoded(&png, folder.path()), poster.link(), "{query}");
    }
    for drawing in ["qr.svg?size=300&correction=Q", "sheet.svg"] {
        let svg = poster.scene.http.bytes(&format!("{path}/{drawing}")).await;
        assert_eq!(decoded(&poster.seen(&svg).await, folder.path()), poster.link(), "{drawing}");
    }
    // One red pixel: the most of a logo that hides what is below it.
    let logo = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
    poster.wished["logo"] = json!(logo);
    let changed = poster.scene.http.must(Method::PUT, &path, Some(&poster.wished)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    for query in ["", "?size=64", "?size=301&quiet=10", "?size=4096"] {
        let png = poster.scene.http.bytes(&format!("{path}/qr.png{query}")).await;
        assert_eq!(decoded(&png, folder.path()), poster.link(), "with a logo: {query}");
    }
    for drawing in ["qr.svg?size=300", "sheet.svg"] {
        let svg = poster.scene.http.bytes(&format!("{path}/{drawing}")).await;
        assert_eq!(decoded(&poster.seen(&svg).await, folder.path()), poster.link(), "{drawing}");
    }
    poster.end().await;
}

#[tokio::test]
async fn a_person_opts_in_by_keyboard_and_the_message_confirms_it() {
    let mut poster = Poster::hang().await;
    poster.scene.browser.goto(&poster.link()).await.unwrap();
    let width = "return [innerWidth, document.documentElement.scrollWidth, document.querySelectorAll(':checked').length]";
    let width = poster.scene.browser.execute(width, vec![]).await.unwrap();
    assert_eq!(width, json!([360, 360, 0]), "it fits, and nothing is ticked");
    let mut order = Vec::new();
    for keys in [" ", "", "+1 415 555 0123", ""] {
        poster.press(TAB).await;
        order.push(poster.focused().await);
        if !keys.is_empty() {
            poster.press(keys).await;
        }
    }
    assert_eq!(order, ["choice-0", "choice-1", "address", "opt_in"]);
    poster.press(ENTER).await;
    let chat = poster.is_at("https://wa.me/15550100900?text=").await;
    assert_eq!(poster.consent().await, (json!("pending"), Value::Null));
    poster.is_written_to(&chat).await;
    assert_eq!(poster.consent().await, (json!("opted_in"), json!("confirmed")));
    poster.end().await;
}

#[tokio::test]
async fn in_arabic_what_is_missing_is_named_and_a_link_leads_there() {
    let poster = Poster::hang().await;
    poster.scene.browser.goto(&format!("{}?lang=ar", poster.link())).await.unwrap();
    let shown = "return [document.documentElement.dir, document.documentElement.lang, document.documentElement.scrollWidth]";
    let shown = poster.scene.browser.execute(shown, vec![]).await.unwrap();
    assert_eq!(shown, json!(["rtl", "ar", 360]));
    for _ in 0..3 {
        poster.press(TAB).await;
    }
    poster.press(&format!("12{ENTER}")).await;
    poster.scene.browser.wait().for_element(Locator::Css("[role=alert]")).await.unwrap();
    poster.press(TAB).await;
    assert_eq!(poster.focused().await, "#choice-0");
    poster.press(TAB).await;
    assert_eq!(poster.focused().await, "#address");
    poster.press(ENTER).await;
    let typed = "const it = document.getElementById('address'); return [it.value, it.getAttribute('aria-invalid')]";
    let typed = poster.scene.browser.execute(typed, vec![]).await.unwrap();
    assert_eq!(typed, json!(["12", "true"]));
    poster.end().await;
}

#[tokio::test]
async fn just_chat_goes_to_the_chat_without_a_reference() {
    let mut poster = Poster::hang().await;
    poster.scene.browser.goto(&poster.link()).await.unwrap();
    let chat = poster.scene.browser.find(Locator::Css("button[value=chat]")).await.unwrap();
    chat.click().await.unwrap();
    assert_eq!(poster.is_at("https://wa.me/").await, "https://wa.me/15550100900?text=Hello");
    assert_eq!(poster.consent().await.0, "never");
    poster.end().await;
}

#[tokio::test]
async fn a_person_opts_in_by_pointer_on_a_wide_screen_and_the_message_confirms_it() {
    let mut poster = Poster::hang_before((1_280, 900)).await;
    poster.scene.browser.goto(&format!("{}?lang=ar", poster.link())).await.unwrap();
    let find = async |css: &str| poster.scene.browser.find(Locator::Css(css)).await.unwrap();
    // The label is as good as its box.
    find("label[for=choice-0]").await.click().await.unwrap();
    find("#address").await.send_keys("+14155550123").await.unwrap();
    find("[value=opt_in]").await.click().await.unwrap();
    let chat = poster.is_at("https://wa.me/15550100900?text=").await;
    assert_eq!(poster.consent().await, (json!("pending"), Value::Null));
    poster.is_written_to(&chat).await;
    assert_eq!(poster.consent().await, (json!("opted_in"), json!("confirmed")));
    poster.end().await;
}
