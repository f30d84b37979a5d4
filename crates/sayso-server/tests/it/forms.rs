//! `/f/{form}`: what people see and say (rules 1, 4, 5, 6, 14, 23).

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::limits;
use sayso_core::time::Span;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::faulty::Fault;
use crate::support::{Answer, TestApp};

const PHONE: &str = "+14155552671";
const BOX: &str = "box-whatsapp-all";

/// A server with a form.
pub(crate) struct Shop {
    pub(crate) app: TestApp,
    pub(crate) id: String,
    pub(crate) form: Value,
}

/// What a browser holds of a page of the form.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) challenge: String,
    pub(crate) action: String,
}

/// What is between two marks of a text.
pub(crate) fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split(from).nth(1).unwrap_or_else(|| panic!("no {from}: {text}"));
    rest.split(to).next().unwrap()
}

fn proof(challenge: &str, typed: &BTreeMap<&str, &str>) -> String {
    let of = |name: &str| typed.get(name).copied().unwrap_or_default();
    let prefix = format!("{challenge}\n{}\n{}\n{}\n", of("phone"), of("country"), of("email"));
    let is_proof = |count: &u32| {
        let digest = Sha256::digest(format!("{prefix}{count}"));
        let first = u32::from_be_bytes(digest[..4].try_into().unwrap());
        first.leading_zeros() >= limits::FORM_PROOF_BITS
    };
    (0..u32::MAX).find(is_proof).unwrap().to_string()
}

impl Shop {
    pub(crate) async fn open(changes: Value) -> Self {
        let app = TestApp::start().await;
        Self::over(app, changes).await
    }

    pub(crate) async fn over(app: TestApp, changes: Value) -> Self {
        let notice = app.notice(&[]).await;
        let mut form = json!({
            "name": "Footer", "business": "Harbour Shop", "channels": ["whatsapp"],
            "notice": notice["id"], "origins": ["https://shop.example"],
        });
        for (name, value) in changes.as_object().unwrap() {
            form[name] = value.clone();
        }
        let made = app.post("/v1/forms", &form).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        Self { app, id, form }
    }

    pub(crate) async fn get(&self, query: &str) -> Answer {
        self.get_with(query, &[]).await
    }

    pub(crate) async fn get_with(&self, query: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(format!("/f/{}{query}", self.id));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.app.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn opened(&self) -> Opened {
        self.opened_at("").await
    }

    pub(crate) async fn opened_at(&self, query: &str) -> Opened {
        let page = self.get(query).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        Opened {
            challenge: between(&page.text, "name=\"challenge\" value=\"", "\"").to_owned(),
            action: between(&page.text, "action=\"", "\"").replace("&amp;", "&"),
        }
    }

    /// Sends the form as a browser does, with proof of work.
    pub(crate) async fn send(&self, opened: &Opened, typed: &[(&str, &str)]) -> Answer {
        let mut typed: BTreeMap<&str, &str> = typed.iter().copied().collect();
        let proof = proof(&opened.challenge, &typed);
        typed.insert("proof", &proof);
        self.send_as(opened, &typed, &[]).await
    }

    pub(crate) async fn send_as(
        &self,
        opened: &Opened,
        typed: &BTreeMap<&str, &str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("challenge", &opened.challenge).extend_pairs(typed);
        let mut request = Request::post(&opened.action)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "Test/1.0")
            .header("host", "consent.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.app.send(request.body(Body::from(body.finish())).unwrap()).await
    }

    pub(crate) async fn sign_up(&self, typed: &[(&str, &str)]) -> Answer {
        self.send(&self.opened().await, typed).await
    }

    /// How often the person agreed to everything on a channel.
    async fn acts(&self, address: &str) -> usize {
        let is_act = |event: &&Value| {
            let about = event["about"].as_str().unwrap_or_default();
            event["says"] == "single" && !about.contains(' ')
        };
        self.events(address).await.iter().filter(is_act).count()
    }

    pub(crate) async fn events(&self, address: &str) -> Vec<Value> {
        let page = self.app.get(&format!("/v1/events?{address}")).await.json();
        page["events"].as_array().unwrap_or_else(|| panic!("{page}")).clone()
    }

    pub(crate) async fn status(&self, phone: &str) -> Value {
        let ask = json!({ "channel": "whatsapp", "phone": phone });
        self.app.post("/v1/check", &ask).await.json()
    }
}

const ADA: &str = "phone=%2B14155552671";

#[tokio::test]
async fn a_ticked_box_is_an_act_of_the_person_with_all_that_proves_it() {
    let shop = Shop::open(json!({})).await;
    let opened = shop.opened_at("?embed=1&page=https%3A%2F%2Fshop.example%2Fa%3Ftoken%3D1").await;
    let page = "https://shop.example/a?token=1#b";
    let done = shop.send(&opened, &[("phone", PHONE), (BOX, "yes"), ("page", page)]).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(done.text.contains("Your choice is saved"), "{}", done.text);
    let events = shop.events(ADA).await;
    assert_eq!(events.len(), 2, "everything, and marketing, which its words cover (rule 8)");
    assert_eq!(events[0]["about"], "whatsapp category:marketing");
    let event = &events[1];
    assert_eq!((&event["says"], &event["about"]), (&json!("single"), &json!("whatsapp")));
    assert_eq!((&event["road"], &event["source"]), (&json!("form"), &json!("Footer")));
    assert_eq!((&event["standing"], &event["actor"]), (&json!("act"), &json!("subject")));
    let evidence = &event["evidence"];
    assert_eq!(evidence["method"], "web form");
    assert_eq!(evidence["notice"]["id"], shop.form["notice"]);
    assert_eq!(
        (&evidence["notice"]["version"], &evidence["notice"]["language"]),
        (&json!(1), &json!("en"))
    );
    let page = &evidence["page"];
    assert_eq!(page, "https://shop.example/a", "query and fragment are not kept");
    assert_eq!((&evidence["ip"], &evidence["user_agent"]), (&json!("0.0.0.0"), &json!("Test/1.0")));
    assert_eq!(
        evidence["fields"],
        json!({ "sayso:form": shop.id, "sayso:form_version": "1", "sayso:policy": "meta-2024-11/1", "sayso:ticked": "whatsapp all" })
    );
    assert_eq!(shop.status(PHONE).await["decision"], "allow");
}

#[tokio::test]
async fn whoever_types_the_number_of_somebody_who_refused_lifts_nothing() {
    let shop = Shop::open(json!({})).await;
    let no = json!({ "statement": "opt_out", "phone": PHONE, "channel": "whatsapp", "standing": "act", "method": "call", "occurred_at": "2026-11-21T09:00:00Z" });
    assert_eq!(shop.app.post("/v1/consents", &no).await.status, StatusCode::CREATED);
    let done = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert!(done.text.contains("Your choice is saved"), "the answer is everybody's: {}", done.text);
    assert_eq!(shop.status(PHONE).await["reason"], "opted_out");
    let events = shop.events(ADA).await;
    assert_eq!(events[0]["says"], "pending");
    assert_eq!(events[0]["evidence"]["fields"]["sayso:doubt"], "unproven");
}

#[tokio::test]
async fn a_box_that_is_not_ticked_says_nothing() {
    let topics = json!({ "channels": ["whatsapp", "sms"] });
    let app = TestApp::start().await;
    let topic = json!({ "name": "Offers <b>", "category": "marketing" });
    let topic = app.post("/v1/topics", &topic).await.json()["id"].clone();
    let other = json!({ "name": "Orders", "category": "utility" });
    let other = app.post("/v1/topics", &other).await.json()["id"].clone();
    let mut form = topics;
    form["topics"] = json!([topic, other]);
    let shop = Shop::over(app, form).await;
    let page = shop.get("").await.text;
    assert_eq!(page.matches("type=\"checkbox\"").count(), 4, "{page}");
    assert!(page.contains("Offers &lt;b&gt;"), "{page}");
    let none = shop.sign_up(&[("phone", PHONE)]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(none.text.contains("Tick at least one box"), "{}", none.text);
    let one = format!("box-sms-topic-{}", other.as_str().unwrap());
    assert_eq!(shop.sign_up(&[("phone", PHONE), (&one, "yes")]).await.status, StatusCode::OK);
    let events = shop.events(ADA).await;
    assert_eq!(events.len(), 1, "{events:?}");
    let about = format!("sms topic:{}", other.as_str().unwrap());
    assert_eq!(events[0]["about"], about);
}

#[tokio::test]
async fn no_box_is_ticked_when_the_form_is_opened_whatever_its_address_says() {
    let shop = Shop::open(json!({})).await;
    for query in
        ["", "?box-whatsapp-all=yes", "?embed=1&phone=1", "/preview", "/preview?state=error"]
    {
        let page = shop.get(query).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert!(page.text.contains("type=\"checkbox\""), "{query}");
        assert!(!page.text.contains(" checked"), "{query}");
        assert!(!page.headers.contains_key("set-cookie"), "{query}");
    }
}

#[tokio::test]
async fn sending_one_page_twice_is_one_event_and_a_corrected_number_another() {
    let shop = Shop::open(json!({})).await;
    let opened = shop.opened().await;
    for _ in 0..2 {
        assert_eq!(
            shop.send(&opened, &[("phone", PHONE), (BOX, "yes")]).await.status,
            StatusCode::OK
        );
        shop.app.advance(Span::minutes(1));
    }
    assert_eq!(shop.acts(ADA).await, 1);
    shop.send(&opened, &[("phone", "+14155552672"), (BOX, "yes")]).await;
    assert_eq!(shop.acts("phone=%2B14155552672").await, 1);
    shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(shop.acts(ADA).await, 2, "a page opened anew is a submission of its own");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_plain_words_with_an_example_and_what_was_typed_stays() {
    let fields = json!([
        { "kind": "name" },
        { "kind": "phone", "countries": ["DE", "AT"] },
        { "kind": "text", "name": "size", "required": true },
    ]);
    let shop = Shop::open(json!({ "fields": fields, "labels": { "size": "Shoe size" } })).await;
    for (phone, words) in [
        ("", "Please fill this in"),
        ("abc", "This is no phone number"),
        ("0151 2", "too few digits"),
        ("0151 2345678901234", "too many digits"),
        ("+999 123456789", "which country"),
        ("0999 9999999", "Nobody has this number"),
        ("030 12345678", "This is a landline"),
    ] {
        let page = shop
            .sign_up(&[
                ("phone", phone),
                ("country", "DE"),
                (BOX, "yes"),
                ("name", "Ada \"L\" <b>"),
            ])
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{phone}");
        assert!(page.text.contains(words), "{phone}: {}", page.text);
        assert!(phone.is_empty() || page.text.contains("+49"), "an example: {}", page.text);
        let typed = format!("value=\"{phone}\"");
        assert!(page.text.contains(&typed), "{phone}: {}", page.text);
        assert!(page.text.contains("value=\"Ada &quot;L&quot; &lt;b&gt;\""), "{}", page.text);
        assert!(page.text.contains("href=\"#phone\"") && page.text.contains("href=\"#own-size\""));
        assert!(page.text.contains("aria-describedby=\"phone-fault\""), "{}", page.text);
        assert!(page.text.contains(" checked"), "the person's own tick stays: {}", page.text);
    }
    assert_eq!(shop.app.get("/v1/rejects").await.json()["rejects"][0]["road"], "form");
    let shapes = ["data-shape=\"0#### #######\"", "data-shape=\"0### ######\""];
    let page = shop.get("").await.text;
    assert_eq!(shapes.map(|shape| page.matches(shape).count()), [2, 1], "{page}");
    let austrian = shop
        .sign_up(&[("phone", "0664 1234567"), ("country", "AT"), (BOX, "yes"), ("own-size", "42")])
        .await;
    assert_eq!(austrian.status, StatusCode::OK, "{}", austrian.text);
    assert_eq!(shop.acts("phone=%2B436641234567").await, 1);
    let foreign = shop
        .sign_up(&[("phone", PHONE), ("country", "AT"), (BOX, "yes"), ("own-size", "42")])
        .await;
    assert_eq!(foreign.status, StatusCode::OK, "a number with its country code may be of any");
    let other_reading = shop
        .sign_up(&[("phone", "436601234509"), ("country", "DE"), (BOX, "yes"), ("own-size", "42")])
        .await;
    assert_eq!(other_reading.status, StatusCode::OK, "a landline in the one, mobile in the other");
    assert_eq!(shop.acts("phone=%2B436601234509").await, 1);
}

#[tokio::test]
async fn known_and_unknown_people_get_the_same_answer_after_the_same_time() {
    let shop = Shop::open(json!({ "fields": [{ "kind": "phone" }, { "kind": "name" }] })).await;
    let stop =
        json!({ "phone": PHONE, "channel": "whatsapp", "statement": "opt_out", "standing": "act" });
    shop.app.post("/v1/consents", &stop).await;
    let mut answers = Vec::new();
    for phone in [PHONE, "+14155552672", PHONE] {
        let opened = shop.opened().await;
        let started = tokio::time::Instant::now();
        let answer = shop.send(&opened, &[("phone", phone), (BOX, "yes"), ("name", "A")]).await;
        assert!(started.elapsed() >= std::time::Duration::from_millis(250));
        answers.push((answer.status, answer.text));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn a_claim_makes_a_profile_links_no_addresses_and_changes_nothing_of_who_is_known() {
    let fields = json!([{ "kind": "phone" }, { "kind": "email" }, { "kind": "name" }]);
    let shop = Shop::open(json!({ "channels": ["whatsapp", "email"], "fields": fields })).await;
    let both = |name: &'static str| {
        [
            ("phone", PHONE),
            ("email", "ada@shop.example"),
            ("name", name),
            (BOX, "yes"),
            ("box-email-all", "yes"),
        ]
    };
    shop.sign_up(&both("Ada")).await;
    let profile = async |by: &str| shop.app.get(&format!("/v1/profiles?{by}")).await.json();
    let ada = profile(ADA).await;
    assert_eq!(ada["attributes"]["name"], "Ada", "{ada}");
    let mail = profile("email=ada%40shop.example").await;
    assert_ne!(mail["id"], ada["id"], "nobody proved that both are one person's");
    shop.sign_up(&both("Mallory")).await;
    assert_eq!(profile(ADA).await["attributes"]["name"], "Ada");
    assert_eq!(shop.acts("email=ada%40shop.example").await, 2);
}

#[tokio::test]
async fn an_address_that_no_ticked_box_needs_may_stay_empty() {
    let shop = Shop::open(json!({ "channels": ["whatsapp", "email"] })).await;
    let mail = [("email", "ada@shop.example"), ("box-email-all", "yes")];
    assert_eq!(shop.sign_up(&mail).await.status, StatusCode::OK);
    let phone_missing = shop.sign_up(&[("email", "ada@shop.example"), (BOX, "yes")]).await;
    assert!(phone_missing.text.contains("id=\"phone-fault\""), "{}", phone_missing.text);
}

#[tokio::test]
async fn a_form_may_be_framed_by_its_origins_and_by_nobody_else() {
    let shop = Shop::open(json!({ "redirect": "https://shop.example/thanks" })).await;
    let policy = shop.get("").await.headers["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.ends_with("; frame-ancestors 'self' https://shop.example"), "{policy}");
    assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let alone = Shop::open(json!({ "origins": [] })).await;
    let policy =
        alone.get("").await.headers["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.ends_with("; frame-ancestors 'self'"), "{policy}");
}

#[tokio::test]
async fn a_form_leads_on_by_itself_and_in_a_frame_says_where() {
    let shop = Shop::open(
        json!({ "redirect": "https://shop.example/thanks", "confirmation": "Welcome aboard" }),
    )
    .await;
    let alone = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(
        (alone.status, alone.headers["location"].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "https://shop.example/thanks")
    );
    let framed =
        shop.send(&shop.opened_at("?embed=1").await, &[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(framed.status, StatusCode::OK);
    assert!(framed.text.contains("Welcome aboard"), "{}", framed.text);
    assert!(
        framed.text.contains("href=\"https://shop.example/thanks\" target=\"_top\""),
        "{}",
        framed.text
    );
}

#[tokio::test]
async fn without_a_script_a_person_waits_a_moment_and_is_told_so() {
    let shop = Shop::open(json!({})).await;
    let typed: BTreeMap<&str, &str> = [("phone", PHONE), (BOX, "yes")].into();
    let opened = shop.opened().await;
    let early = shop.send_as(&opened, &typed, &[]).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(early.text.contains("Please wait 8 seconds"), "{}", early.text);
    assert!(early.text.contains(" checked") && early.text.contains(&format!("value=\"{PHONE}\"")));
    assert!(early.text.contains(&opened.challenge), "the wait goes on");
    assert!(shop.events(ADA).await.is_empty());
    shop.app.advance(limits::FORM_PATIENCE);
    assert_eq!(shop.send_as(&opened, &typed, &[]).await.status, StatusCode::OK);
    assert_eq!(shop.acts(ADA).await, 1);
    let metrics = shop.app.metrics().await;
    for line in ["end=\"early\"} 1", "end=\"recorded\"} 1", "end=\"stale\"} 0"] {
        assert!(metrics.contains(&format!("sayso_form_submissions_total{{{line}")), "{metrics}");
    }
}

#[tokio::test]
async fn who_only_waits_is_held_at_a_number_of_people_an_hour() {
    let shop = Shop::open(json!({})).await;
    let opened = shop.opened().await;
    shop.app.advance(limits::FORM_PATIENCE);
    let mut limited = 0;
    for number in 0..=limits::FORM_UNPROVEN_PER_NETWORK {
        let phone = format!("+141555526{:02}", number + 10);
        let typed: BTreeMap<&str, &str> = [("phone", phone.as_str()), (BOX, "yes")].into();
        let answer = shop.send_as(&opened, &typed, &[]).await;
        limited += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(limited, 1);
    assert_eq!(
        shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await.status,
        StatusCode::OK,
        "work is let in"
    );
}

#[tokio::test]
async fn nobody_can_be_signed_up_all_day() {
    let shop = Shop::open(json!({})).await;
    for _ in 0..limits::FORM_PER_ADDRESS {
        assert_eq!(shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await.status, StatusCode::OK);
    }
    let more = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(more.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(more.text.contains("Too much was sent"), "{}", more.text);
    assert_eq!(
        shop.sign_up(&[("phone", "+14155552672"), (BOX, "yes")]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn work_for_one_number_is_worth_nothing_for_another() {
    let shop = Shop::open(json!({})).await;
    let opened = shop.opened().await;
    let mut typed: BTreeMap<&str, &str> = [("phone", PHONE), (BOX, "yes")].into();
    let worked = proof(&opened.challenge, &typed);
    typed.insert("phone", "+14155552672");
    typed.insert("proof", &worked);
    let answer = shop.send_as(&opened, &typed, &[]).await;
    assert!(answer.text.contains("Please wait"), "{}", answer.text);
}

#[tokio::test]
async fn a_page_that_is_forged_old_or_changed_is_ticked_anew() {
    let shop = Shop::open(json!({})).await;
    let typed = [("phone", PHONE), (BOX, "yes")];
    let stale = async |opened: &Opened, why: &str| {
        let answer = shop.send(opened, &typed).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}");
        assert!(answer.text.contains("Please tick your choices"), "{why}: {}", answer.text);
        assert!(answer.text.contains(&format!("value=\"{PHONE}\"")), "{why}: what was typed stays");
        assert!(!answer.text.contains(" checked"), "{why}: nobody ticks for the person");
    };
    let opened = shop.opened().await;
    let mut forged = opened.clone();
    forged.challenge.replace_range(0..1, "f");
    stale(&forged, "forged").await;
    stale(&Opened { challenge: String::new(), ..opened.clone() }, "none").await;
    let other = shop.app.post("/v1/forms", &shop.form).await.json();
    let other = shop.app.get(other["path"].as_str().unwrap()).await.text;
    let other = between(&other, "name=\"challenge\" value=\"", "\"").to_owned();
    stale(&Opened { challenge: other, ..opened.clone() }, "another form's").await;
    let changed = shop.opened().await;
    let mut form = shop.form.clone();
    form["title"] = json!("New");
    shop.app.call("PUT", &format!("/v1/forms/{}", shop.id), &form).await;
    stale(&changed, "changed").await;
    let old = shop.opened().await;
    shop.app.advance(limits::FORM_CHALLENGE_HOLDS);
    stale(&old, "old").await;
    assert!(shop.events(ADA).await.is_empty());
}

#[tokio::test]
async fn a_page_of_another_origin_sends_nothing() {
    let shop = Shop::open(json!({})).await;
    let opened = shop.opened().await;
    let mut typed: BTreeMap<&str, &str> = [("phone", PHONE), (BOX, "yes")].into();
    let proof = proof(&opened.challenge, &typed);
    typed.insert("proof", &proof);
    let refused = shop.send_as(&opened, &typed, &[("origin", "https://evil.example")]).await;
    refused.is_problem("origin-not-allowed");
    assert!(!refused.headers.contains_key("access-control-allow-origin"));
    assert!(shop.events(ADA).await.is_empty());
    for origin in ["null", "https://shop.example", "http://consent.example"] {
        let answer = shop.send_as(&opened, &typed, &[("origin", origin)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{origin}: {}", answer.text);
    }
    let page =
        shop.get_with("?page=https://evil.example/", &[("referer", "https://evil.example/")]).await;
    assert!(!page.text.contains("evil"), "a page that is not listed is no evidence");
    let json = shop.app.post_text(&opened.action, "application/json", "{}").await;
    json.is_problem("unsupported-media-type");
}

#[tokio::test]
async fn a_program_that_fills_in_what_nobody_sees_signs_nobody_up() {
    let shop = Shop::open(json!({})).await;
    let answer =
        shop.sign_up(&[("phone", PHONE), (BOX, "yes"), ("homepage", "https://spam.example")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.text.contains("A hidden field") && !answer.text.contains("spam"),
        "{}",
        answer.text
    );
    assert!(shop.events(ADA).await.is_empty());
}

#[tokio::test]
async fn a_form_that_is_tried_out_shows_the_events_that_it_made_of_a_test_person_and_none_of_who_was_typed()
 {
    let shop = Shop::open(json!({ "test": true })).await;
    assert!(shop.get("").await.text.contains("This form is being tried out"));
    let tried = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(tried.status, StatusCode::OK);
    for fact in ["+15550100199", "whatsapp", "single", "web form", "sayso:form_version", "Test/1.0"]
    {
        assert!(tried.text.contains(fact), "{fact}: {}", tried.text);
    }
    assert!(!tried.text.contains(PHONE), "{}", tried.text);
    assert!(shop.events(ADA).await.is_empty());
    assert_eq!(shop.status(PHONE).await["reason"], "no_opt_in");
    let kept = shop.events("phone=%2B15550100199").await;
    assert_eq!((&kept[0]["says"], &kept[2]["says"]), (&json!("single"), &json!("operator set")));
    assert!(tried.text.contains(kept[0]["id"].as_str().unwrap()), "{}", tried.text);
    assert_eq!(shop.status("+15550100199").await["reason"], "suppressed", "nothing is sent there");
    assert_eq!(shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await.status, StatusCode::OK);
    assert_eq!(shop.events("phone=%2B15550100199").await.len(), 5, "blocked once, agreed twice");
}

#[tokio::test]
async fn a_form_is_opened_as_it_stands_with_a_challenge_of_its_own_and_the_page_around_it() {
    let shop = Shop::open(json!({ "languages": { "tr": {} } })).await;
    let around = async |page: &str| {
        let text = shop.get(&format!("?page=https://shop.example/{page}")).await.text;
        between(&text, "name=\"page\" value=\"", "\"").to_owned()
    };
    assert_eq!(around("a").await, "https://shop.example/a");
    assert_eq!(around("b").await, "https://shop.example/b", "not that of who came before");
    let hostile = around("%22%3E%3Cscript%3E").await;
    assert_eq!(hostile, "https://shop.example/&quot;&gt;&lt;script&gt;", "it is text");
    let (one, two) = (shop.opened().await, shop.opened().await);
    assert_ne!(one.challenge, two.challenge);
    assert!(shop.get("?lang=tr").await.text.contains("lang=\"tr\""));
    assert!(shop.get("?embed=1").await.text.contains("class=\"embedded\""));
    assert!(shop.get("").await.text.contains("lang=\"en\""));
    let mut changed = shop.form.clone();
    changed["title"] = json!("Changed meanwhile");
    let path = format!("/v1/forms/{}", shop.id);
    assert_eq!(shop.app.call("PUT", &path, &changed).await.status, StatusCode::OK);
    assert!(shop.get("").await.text.contains("Changed meanwhile"));
    // Words and topics are no part of the form, and yet on its page.
    let notice = shop.form["notice"].as_str().unwrap();
    let words = json!({ "version": 2, "language": "en", "text": "New words of consent.", "names": [{ "channel": "whatsapp" }] });
    let published = shop.app.post(&format!("/v1/notices/{notice}/versions"), &words).await;
    assert_eq!(published.status, StatusCode::CREATED, "{}", published.text);
    assert!(shop.get("").await.text.contains("New words of consent."));
    let typed = shop.sign_up(&[("phone", "12"), (BOX, "yes")]).await;
    assert!(typed.text.contains("value=\"12\""), "{}", typed.text);
    assert!(!shop.get("").await.text.contains("value=\"12\""), "what was typed is never kept");
}

#[tokio::test]
async fn the_words_are_shown_in_the_readers_language_as_far_as_they_are_there() {
    let app = TestApp::start().await;
    let shop =
        Shop::over(app, json!({ "languages": { "ar": { "title": "عروض" }, "tr": {} } })).await;
    let turkish = json!({ "version": 2, "language": "tr", "text": "Evet, bana yazın.", "names": [{ "channel": "whatsapp" }] });
    let path = format!("/v1/notices/{}/versions", shop.form["notice"].as_str().unwrap());
    assert_eq!(shop.app.post(&path, &turkish).await.status, StatusCode::CREATED);
    let arabic = shop.get("?lang=ar").await.text;
    assert!(arabic.contains("<html lang=\"ar\" dir=\"rtl\""), "{arabic}");
    assert!(
        arabic.contains("<h1>عروض</h1>")
            && arabic.contains("lang=\"en\" dir=\"auto\">Yes, write to me."),
        "{arabic}"
    );
    let read = shop.get_with("", &[("accept-language", "tr-TR,tr;q=0.9")]).await.text;
    assert!(read.contains("Evet, bana yazın.") && read.contains("Kaydol"), "{read}");
    let hindi = shop.get("?lang=hi").await.text;
    assert!(hindi.contains("<html lang=\"en\""), "a language that the form does not have: {hindi}");
    let opened = shop.opened_at("?lang=tr").await;
    assert!(opened.action.ends_with("?lang=tr"), "{opened:?}");
    shop.send(&opened, &[("phone", PHONE), (BOX, "yes")]).await;
    let evidence = &shop.events(ADA).await[0]["evidence"];
    assert_eq!(
        (&evidence["notice"]["version"], &evidence["notice"]["language"]),
        (&json!(2), &json!("tr"))
    );
}

#[tokio::test]
async fn words_published_meanwhile_are_not_those_that_were_agreed_to() {
    let shop = Shop::open(json!({})).await;
    let opened = shop.opened().await;
    let next = json!({ "version": 2, "language": "en", "text": "Everything.", "names": [{ "channel": "whatsapp" }] });
    let path = format!("/v1/notices/{}/versions", shop.form["notice"].as_str().unwrap());
    shop.app.post(&path, &next).await;
    shop.send(&opened, &[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(shop.events(ADA).await[0]["evidence"]["notice"]["version"], 1);
    shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(shop.events(ADA).await[0]["evidence"]["notice"]["version"], 2);
}

#[tokio::test]
async fn words_that_name_processing_give_it_too_once_for_each_address() {
    let app = TestApp::start().await;
    let notice = app.notice(&["processing"]).await;
    let shop =
        Shop::over(app, json!({ "channels": ["whatsapp", "sms"], "notice": notice["id"] })).await;
    shop.sign_up(&[("phone", PHONE), (BOX, "yes"), ("box-sms-all", "yes")]).await;
    let mut said: Vec<String> = shop
        .events(ADA)
        .await
        .iter()
        .map(|event| event["about"].as_str().unwrap().to_owned())
        .collect();
    said.sort();
    let expected =
        ["processing", "sms", "sms category:marketing", "whatsapp", "whatsapp category:marketing"];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn an_opt_in_of_a_sender_is_for_that_sender_and_closes_with_it() {
    let app = TestApp::start().await;
    let sender = json!({ "channel": "whatsapp", "name": "Shop", "address": "+15550100" });
    let sender = app.post("/v1/senders", &sender).await.json()["id"].as_str().unwrap().to_owned();
    let shop = Shop::over(app, json!({ "sender": sender })).await;
    let own = format!("box-whatsapp-sender-{sender}");
    shop.sign_up(&[("phone", PHONE), (&own, "yes")]).await;
    assert_eq!(shop.events(ADA).await[0]["about"], format!("whatsapp sender:{sender}"));
    shop.app.delete(&format!("/v1/senders/{sender}")).await;
    assert_eq!(shop.get("").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_form_that_is_gone_says_so_where_it_stood() {
    let shop = Shop::open(json!({})).await;
    let opened = shop.opened().await;
    shop.app.delete(&format!("/v1/forms/{}", shop.id)).await;
    for answer in [shop.get("").await, shop.get("/preview").await, shop.send(&opened, &[]).await] {
        assert_eq!(answer.status, StatusCode::GONE);
        assert!(answer.text.contains("This is closed"), "{}", answer.text);
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("https://shop.example"), "{policy}");
    }
    for path in ["/f/frm_01jd6m9k3te5b8r5v3x5y6z7w8", "/f/nonsense", "/f/%ff"] {
        let answer = shop.app.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.text.contains("This link leads nowhere"), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_form_weighs_little_and_its_script_is_kept_until_it_changes() {
    let app = TestApp::start().await;
    let mut topics = Vec::new();
    for place in 0..limits::FORM_TOPICS_MAX {
        let topic = json!({ "name": format!("Topic number {place}"), "category": "marketing" });
        topics.push(app.post("/v1/topics", &topic).await.json()["id"].clone());
    }
    let shop = Shop::over(app, json!({ "topics": topics, "channels": ["whatsapp", "sms"] })).await;
    let weight = shop.get("").await.text.len();
    assert!(
        weight < 30 * 1_024,
        "{weight} bytes with style, script and {} boxes",
        2 * limits::FORM_TOPICS_MAX
    );
    let script = shop.app.get("/form.js").await;
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    let etag = script.headers["etag"].to_str().unwrap();
    let again = Request::get("/form.js").header("if-none-match", etag).body(Body::empty()).unwrap();
    assert_eq!(shop.app.send(again).await.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn nothing_typed_leaves_a_preview() {
    let shop = Shop::open(json!({})).await;
    let page = shop.get("/preview?state=error&lang=en&brightness=dark").await.text;
    assert!(page.contains("too few digits") && page.contains("color-scheme:dark"), "{page}");
    let named: Vec<&str> =
        page.split(" name=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(
        named,
        ["viewport", "robots", "color-scheme", "referrer", "state", "lang", "brightness"]
    );
    assert!(shop.get("/preview?state=done").await.text.contains("Thank you"));
}

#[tokio::test]
async fn what_cannot_be_saved_is_not_thanked_for_and_nothing_that_was_typed_is_lost() {
    let (app, store) = TestApp::faulty().await;
    let shop = Shop::over(app, json!({})).await;
    let opened = shop.opened().await;
    for fault in [Fault::Busy, Fault::Unwritable, Fault::Unknown, Fault::Unreadable] {
        store.fail(fault);
        let answer = shop.send(&opened, &[("phone", PHONE), (BOX, "yes")]).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{fault:?}");
        assert!(answer.text.contains("We could not save anything"), "{fault:?}: {}", answer.text);
        assert!(answer.text.contains(&format!("value=\"{PHONE}\"")), "{fault:?}");
        assert!(answer.text.contains(&opened.challenge), "sent again it is the same: {fault:?}");
        store.heal();
    }
    assert_eq!(shop.send(&opened, &[("phone", PHONE), (BOX, "yes")]).await.status, StatusCode::OK);
    assert_eq!(shop.acts(ADA).await, 1);
}
