//! The preference centre (rules 4, 8, 11, 17, 22).

use axum::http::StatusCode;
use sayso_core::limits;
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::links::{PHONE, form_of};
use crate::support::{Answer, TestApp, act};

/// A page of the person, and what they do on it.
struct Centre {
    app: TestApp,
    path: String,
}

impl Centre {
    /// A workspace whose notice names SMS, WhatsApp and email, and a person who agreed to both topics.
    async fn open() -> (Self, String, String) {
        let app = TestApp::start().await;
        let sender = json!({ "channel": "sms", "name": "Harbour Shop", "address": "+14155550100" });
        app.post("/v1/senders", &sender).await;
        let offers = app.topic("Weekly offers", "marketing").await;
        let orders = app.topic("Order updates", "utility").await;
        let notice = app.notice(&[]).await;
        for topic in [&offers, &orders] {
            let now = app.now();
            let mut yes = act(PHONE, "opt_in", &now, &notice);
            yes["scope"] = json!(format!("topic:{topic}"));
            yes["evidence"] = json!({ "page": "https://shop.example/checkout" });
            assert_eq!(app.post("/v1/consents", &yes).await.status, StatusCode::CREATED);
        }
        app.advance(Span::minutes(1));
        let path = app.links().await.preferences;
        (Self { app, path }, offers, orders)
    }

    async fn page(&self) -> Answer {
        let page = self.app.open(&self.path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        page
    }

    /// Sends the form of a page with these boxes ticked, and no others.
    async fn save(&self, page: &Answer, ticked: &[String]) -> Answer {
        let mut fields = form_of(&page.text);
        fields.retain(|(name, _)| name != "on");
        fields.extend(ticked.iter().map(|name| ("on".to_owned(), name.clone())));
        self.submit(&fields).await
    }

    async fn submit(&self, fields: &[(String, String)]) -> Answer {
        self.app.advance(Span::minutes(1));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let answer = self.app.submit(&self.path, &fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer
    }

    async fn ask(&self, act: &str) -> Answer {
        self.submit(&[("act".to_owned(), act.to_owned())]).await
    }

    /// What was recorded on this page, the oldest first.
    async fn said_here(&self) -> Vec<String> {
        self.app.said().await.split_off(2)
    }
}

fn on(topic: &str) -> String {
    format!("sms/topic:{topic}")
}

#[tokio::test]
async fn the_page_shows_what_was_agreed_when_where_and_in_which_words() {
    let (centre, ..) = Centre::open().await;
    let page = centre.page().await.text;
    for part in [
        "Your messages from Harbour Shop",
        "+•••671",
        "Weekly offers",
        "Order updates",
        "Agreed on <time datetime=\"2026-11-21\">",
        "https://shop.example/checkout",
        "Yes, write to me.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("4155552671"), "a link may be passed on");
    assert_eq!(page.matches(" checked").count(), 2, "{page}");
}

#[tokio::test]
async fn what_is_unticked_is_refused_and_nothing_else() {
    let (centre, offers, orders) = Centre::open().await;
    let page = centre.page().await;
    let saved = centre.save(&page, &[on(&orders)]).await;
    assert!(saved.text.contains("Saved."), "{}", saved.text);
    assert_eq!(centre.said_here().await, [format!("sms topic:{offers} opt_out")]);
    let event = &centre.app.get("/v1/events?phone=%2B14155552671").await.json()["events"][0];
    assert_eq!((&event["road"], &event["actor"]), (&json!("preference_centre"), &json!("subject")));
}

#[tokio::test]
async fn an_empty_save_says_nothing_and_lifts_nothing() {
    let (centre, offers, _) = Centre::open().await;
    let page = centre.page().await;
    // A stop arrives by another way, while the page is open with its boxes ticked.
    let stop =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    centre.app.post("/v1/consents", &stop).await;
    let untouched = centre.submit(&form_of(&page.text)).await;
    assert!(untouched.text.contains("Nothing was changed."), "{}", untouched.text);
    assert_eq!(centre.said_here().await, ["sms opt_out"]);
    for fields in [
        vec![("act".to_owned(), "save".to_owned())],
        vec![("on".to_owned(), on(&offers)), ("act".to_owned(), "save".to_owned())],
        Vec::new(),
    ] {
        centre.submit(&fields).await;
    }
    assert_eq!(centre.said_here().await, ["sms opt_out"]);
    assert_eq!(centre.app.sms(PHONE).await["reason"], "opted_out");
}

#[tokio::test]
async fn what_is_ticked_is_confirmed_with_the_words_beside_the_box() {
    let (centre, offers, orders) = Centre::open().await;
    let page = centre.page().await;
    centre.save(&page, &[on(&orders)]).await;
    let page = centre.page().await;
    assert!(page.text.contains("If you tick this, you agree to:"), "{}", page.text);
    let saved = centre.save(&page, &[on(&orders), on(&offers)]).await;
    assert!(saved.text.contains("Saved."), "{}", saved.text);
    let event = &centre.app.get("/v1/events?phone=%2B14155552671").await.json()["events"][0];
    assert_eq!((&event["says"], &event["standing"]), (&json!("confirmed"), &json!("act")));
    let notice = centre.app.get("/v1/notices").await.json()["notices"][0]["id"].clone();
    assert_eq!(event["evidence"]["notice"]["id"], notice);
    assert_eq!(event["evidence"]["notice"]["text_sha256"].as_str().unwrap().len(), 64);
    let ask = json!({ "phone": PHONE, "channel": "sms", "topic": offers });
    assert_eq!(centre.app.post("/v1/check", &ask).await.json()["decision"], "allow");
}

#[tokio::test]
async fn a_refusal_that_arrived_meanwhile_keeps_a_tick_from_counting() {
    let (centre, offers, orders) = Centre::open().await;
    let page = centre.page().await;
    centre.save(&page, &[on(&orders)]).await;
    let page = centre.page().await;
    centre.app.advance(Span::minutes(1));
    let stop =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    centre.app.post("/v1/consents", &stop).await;
    let before = centre.app.said().await;
    let saved = centre.save(&page, &[on(&orders), on(&offers)]).await;
    assert!(saved.text.contains("Something was changed"), "{}", saved.text);
    assert_eq!(centre.app.said().await, before);
    // Having seen it, they may tick it again.
    let page = centre.page().await;
    centre.save(&page, &[on(&offers)]).await;
    let ask = json!({ "phone": PHONE, "channel": "sms", "topic": offers });
    assert_eq!(centre.app.post("/v1/check", &ask).await.json()["decision"], "allow");
}

#[tokio::test]
async fn what_no_notice_names_cannot_be_ticked() {
    let app = TestApp::start().await;
    let topic = app.topic("Weekly offers", "marketing").await;
    app.agrees().await;
    let path = app.links().await.preferences;
    let centre = Centre { app, path };
    let made = centre.app.post("/v1/notices", &json!({ "name": "Elsewhere" })).await.json();
    let notice = made["id"].as_str().unwrap();
    let names = [json!({ "channel": "whatsapp" })];
    let version = json!({ "version": 1, "language": "en", "text": "By WhatsApp.", "names": names });
    centre.app.post(&format!("/v1/notices/{notice}/versions"), &version).await;
    let page = centre.page().await;
    let name = on(&topic);
    let yes = [
        ("shown_at".to_owned(), centre.app.now()),
        ("shown".to_owned(), format!("{name} off {notice},1,en")),
        ("on".to_owned(), name),
        ("act".to_owned(), "save".to_owned()),
    ];
    assert!(!page.text.contains("If you tick this"), "{}", page.text);
    centre.submit(&yes).await;
    assert_eq!(centre.app.said().await, ["sms yes"]);
}

#[tokio::test]
async fn unticking_everything_asks_whether_it_means_everything() {
    let (centre, offers, orders) = Centre::open().await;
    let asked = centre.save(&centre.page().await, &[]).await;
    assert!(asked.text.contains("Does that mean everything?"), "{}", asked.text);
    let unticked = [format!("sms topic:{orders} opt_out"), format!("sms topic:{offers} opt_out")];
    let mut said = centre.said_here().await;
    said.sort();
    let mut expected = unticked.to_vec();
    expected.sort();
    assert_eq!(said, expected, "what was unticked counts at once, and no more than that");
    centre.ask("show").await;
    assert_eq!(centre.said_here().await.len(), 2);
    centre.ask("stop_everything").await;
    let said = centre.said_here().await;
    for channel in ["sms", "whatsapp", "rcs", "voice", "viber"] {
        assert!(said.contains(&format!("{channel} opt_out")), "{said:?}");
    }
}

#[tokio::test]
async fn a_channel_is_stopped_alone() {
    let (centre, ..) = Centre::open().await;
    let fields = [
        ("act".to_owned(), "stop_channel".to_owned()),
        ("channel".to_owned(), "whatsapp".to_owned()),
    ];
    centre.submit(&fields).await;
    assert_eq!(centre.said_here().await, ["whatsapp opt_out"]);
}

#[tokio::test]
async fn offers_as_a_whole_stop_their_topics_too() {
    let (centre, offers, orders) = Centre::open().await;
    let marketing = "sms/category:marketing".to_owned();
    centre.save(&centre.page().await, &[marketing, on(&offers), on(&orders)]).await;
    let page = centre.page().await;
    assert!(page.text.contains("the offers and news listed below stop too"), "{}", page.text);
    centre.save(&page, &[on(&offers), on(&orders)]).await;
    assert_eq!(centre.said_here().await.last().unwrap(), "sms category:marketing opt_out");
    for (topic, decision) in [(&offers, "deny"), (&orders, "allow")] {
        let ask = json!({ "phone": PHONE, "channel": "sms", "topic": topic });
        assert_eq!(centre.app.post("/v1/check", &ask).await.json()["decision"], decision);
    }
}

#[tokio::test]
async fn processing_is_refused_for_the_person_and_allowed_again_by_words_that_name_it() {
    let (centre, ..) = Centre::open().await;
    let person = json!({ "phone": PHONE, "email": "ada@example.org", "external_id": "u-1", "attributes": { "first_name": "Ada" } });
    centre.app.post("/v1/profiles", &person).await;
    centre.ask("refuse_processing").await;
    let profile = async || centre.app.get("/v1/profiles?email=ada%40example.org").await.json();
    let refused = profile().await;
    assert_eq!((&refused["processing"], &refused["attributes"]), (&json!("refused"), &json!({})));
    let page = centre.page().await;
    assert!(page.text.contains("You refused the use of your data."), "{}", page.text);
    assert!(!page.text.contains("allow_processing"), "no published words name it");
    let notice = centre.app.notice(&["processing"]).await;
    let page = centre.page().await;
    assert!(page.text.contains("allow_processing"), "{}", page.text);
    let named = format!("{},1,en", notice["id"].as_str().unwrap());
    let fields = [("act".to_owned(), "allow_processing".to_owned()), ("notice".to_owned(), named)];
    centre.submit(&fields).await;
    assert_eq!(profile().await["processing"], "allowed");
}

#[tokio::test]
async fn a_person_downloads_what_is_kept_about_them() {
    let (centre, ..) = Centre::open().await;
    let person = json!({ "phone": PHONE, "email": "ada@example.org", "attributes": { "first_name": "Ada" } });
    centre.app.post("/v1/profiles", &person).await;
    let file = centre.ask("download").await;
    assert_eq!(file.headers["content-type"], "application/json");
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"my-data.json\"");
    let kept = file.json();
    assert_eq!(kept["business"], "Harbour Shop");
    let addresses: Vec<&Value> =
        kept["person"]["addresses"].as_array().unwrap().iter().map(|it| &it["address"]).collect();
    assert_eq!(addresses, [&json!({ "phone": PHONE })], "of the address that was asked by alone");
    assert_eq!(kept["person"]["attributes"], json!({}));
    let pages = kept["events"].as_array().unwrap().iter();
    assert!(pages.clone().any(|it| it["evidence"]["page"] == "https://shop.example/checkout"));
}

#[tokio::test]
async fn a_person_is_forgotten_once_they_said_so_twice() {
    let (centre, ..) = Centre::open().await;
    let asked = centre.ask("ask_forget").await;
    assert!(asked.text.contains("Shall we forget you?"), "{}", asked.text);
    assert_eq!(centre.said_here().await, Vec::<String>::new());
    let forgotten = centre.ask("forget").await;
    assert!(forgotten.text.contains("You are forgotten"), "{}", forgotten.text);
    assert_eq!(centre.app.said().await.last().unwrap(), "all erased");
    let page = centre.page().await;
    assert!(page.text.contains("no longer keep an address"), "{}", page.text);
    let file = centre.ask("download").await;
    assert!(!file.text.contains("14155552671"), "{}", file.text);
}

#[tokio::test]
async fn a_link_erases_the_address_that_it_was_sent_to_and_no_other() {
    let (centre, ..) = Centre::open().await;
    let other = "ada@example.org";
    let linked = json!({ "phone": PHONE, "email": other, "external_id": "u-1" });
    centre.app.post("/v1/profiles", &linked).await;
    let left =
        json!({ "email": other, "channel": "email", "statement": "opt_out", "standing": "act" });
    centre.app.post("/v1/consents", &left).await;
    let asked = centre.ask("ask_forget").await;
    assert!(asked.text.contains("What is kept about this address"), "{}", asked.text);
    let forgotten = centre.ask("forget").await;
    assert!(forgotten.text.contains("You are forgotten"), "{}", forgotten.text);
    let gone = centre.app.get("/v1/profiles?phone=%2B14155552671").await;
    assert_eq!(gone.json()["id"], Value::Null, "{}", gone.text);
    let kept = centre.app.get("/v1/events?email=ada%40example.org").await;
    assert!(!kept.text.contains("erased"), "{}", kept.text);
    assert_eq!(
        kept.json()["events"].as_array().unwrap().len(),
        2,
        "linked, and a no: {}",
        kept.text
    );
}

#[tokio::test]
async fn erasures_by_the_links_of_one_address_are_counted_and_leaving_is_not() {
    let (centre, ..) = Centre::open().await;
    let ask = async |act| centre.app.submit(&centre.path, &[("act", act)]).await.status;
    for _ in 0..6 {
        assert_eq!(ask("forget").await, StatusCode::OK);
    }
    assert_eq!(ask("forget").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask("ask_forget").await, StatusCode::OK);
    assert_eq!(ask("stop_everything").await, StatusCode::OK);
}

#[tokio::test]
async fn who_shares_an_address_is_not_forgotten_by_it_alone() {
    let (centre, ..) = Centre::open().await;
    for id in ["u-1", "u-2"] {
        let person =
            json!({ "phone": PHONE, "external_id": id, "attributes": { "first_name": id } });
        centre.app.post("/v1/profiles", &person).await;
    }
    let answer = centre.app.submit(&centre.path, &[("act", "forget")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    assert!(!centre.app.said().await.contains(&"all erased".to_owned()));
    let file = centre.ask("download").await;
    assert!(
        !file.text.contains("first_name"),
        "neither of them is shown to the other: {}",
        file.text
    );
}

#[tokio::test]
async fn the_page_is_in_the_language_of_its_reader() {
    let (centre, ..) = Centre::open().await;
    for (tag, direction) in [("en", "ltr"), ("tr", "ltr"), ("hi", "ltr"), ("ar", "rtl")] {
        let page = centre.app.open(&format!("{}?language={tag}", centre.path)).await.text;
        assert!(page.contains(&format!("<html lang=\"{tag}\" dir=\"{direction}\"")), "{page}");
        assert!(!page.contains("personal-"), "{page}");
    }
}

#[tokio::test]
async fn a_page_shows_no_more_choices_than_anybody_reads() {
    let (centre, ..) = Centre::open().await;
    for number in 0..limits::PREFERENCE_CHOICES_MAX {
        centre.app.topic(&format!("Topic {number}"), "marketing").await;
    }
    let page = centre.page().await.text;
    assert_eq!(page.matches("type=\"checkbox\"").count(), limits::PREFERENCE_CHOICES_MAX);
    assert_eq!(page.matches(" checked").count(), 2, "what they get is among them");
    // What the page did not show is not touched by saving it.
    centre.submit(&form_of(&page)).await;
    assert_eq!(centre.said_here().await, Vec::<String>::new());
}
