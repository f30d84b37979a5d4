//! Links of people, followed as browsers and mail programs follow them.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::proof::personal_link::{Making, PersonalLink, UnverifiedLink};
use sayso_core::words::day::Day;
use sayso_store::environment::Clock;
use serde_json::{Value, json};

use super::{Answer, TestApp};

/// The phone of the person of these tests.
pub(crate) const PHONE: &str = "+14155552671";

/// The links of a person.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    /// The path of the preference centre.
    pub(crate) preferences: String,
    /// The path to unsubscribe by one click.
    pub(crate) one_click: String,
}

impl TestApp {
    /// The links of the person by SMS, as a message of today to their own phone holds them.
    pub(crate) async fn links(&self) -> Links {
        self.links_made(Making::Sent(Day::of(self.clock.now()))).await
    }

    /// The links of the person by SMS, made in this way.
    pub(crate) async fn links_made(&self, making: Making) -> Links {
        let handed = self.handed_links().await;
        let secret = &self.workspace.secret;
        let key = self.store.workspaces()[&self.workspace.id].link_key();
        let made = |path: &str| {
            let (place, token) = path.rsplit_once('/').unwrap();
            let link = UnverifiedLink::parse(token).unwrap().verify(secret).unwrap();
            format!("{place}/{}", PersonalLink { making, ..link }.token(key, secret))
        };
        Links { preferences: made(&handed.preferences), one_click: made(&handed.one_click) }
    }

    /// The links of the person by SMS, as a key is given them.
    pub(crate) async fn handed_links(&self) -> Links {
        self.links_for(&json!({ "phone": PHONE, "channel": "sms" })).await
    }

    /// The links that a key is given which asks for them so.
    pub(crate) async fn links_for(&self, asked: &Value) -> Links {
        let made = self.post("/v1/preference-links", asked).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let made = made.json();
        let path = |field: &str| {
            let url = made[field].as_str().unwrap();
            let (_, rest) = url.split_once("://").unwrap();
            format!("/{}", rest.split_once('/').unwrap().1)
        };
        Links { preferences: path("preferences"), one_click: path("one_click") }
    }

    /// Opens a page as a browser does.
    pub(crate) async fn open(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form as a browser does.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "Test/1.0");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// What was recorded about the person, the oldest first, as `channel scope says`.
    pub(crate) async fn said(&self) -> Vec<String> {
        let page = self.get("/v1/events?phone=%2B14155552671&limit=500").await.json();
        let events = page["events"].as_array().unwrap();
        let word = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
        events
            .iter()
            .rev()
            .map(|event| format!("{} {}", word(event, "about"), word(event, "says")))
            .collect()
    }

    /// A report that the person agrees to everything by SMS.
    pub(crate) async fn agrees(&self) {
        let yes = json!({
            "phone": PHONE, "channel": "sms", "statement": "opt_in", "standing": "report",
        });
        assert_eq!(self.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
    }

    /// Makes a topic.
    pub(crate) async fn topic(&self, name: &str, category: &str) -> String {
        let made = self.post("/v1/topics", &json!({ "name": name, "category": category })).await;
        made.json()["id"].as_str().unwrap().to_owned()
    }
}

/// What a page would send if nobody touched it: the fields of its first form.
pub(crate) fn form_of(html: &str) -> Vec<(String, String)> {
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.replace("&amp;", "&"))
    };
    let form = html.split("<form").nth(1).unwrap().split("</form>").next().unwrap();
    let inputs = form.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap());
    let sent = inputs.filter(|tag| tag.contains("type=\"hidden\"") || tag.contains(" checked"));
    let mut fields: Vec<(String, String)> = sent
        .map(|tag| (attribute(tag, "name").unwrap(), attribute(tag, "value").unwrap()))
        .collect();
    fields.push(("act".to_owned(), "save".to_owned()));
    fields
}
