//! What pages say (rules 1, 4, 5, 11, 23).

use axum::body::Body;
use axum::http::{Request, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use sayso_core::time::Span;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, act};

const PHONE: &str = "+14155552671";
const ORIGIN: &str = "https://shop.example";

/// A server with a site, and the site.
pub(crate) struct Shop {
    pub(crate) app: TestApp,
    pub(crate) site: Value,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let app = TestApp::start().await;
        let site = app.site().await;
        Self { app, site }
    }

    pub(crate) async fn page(&self, user: Value) -> Answer {
        self.page_with(json!({ "site": self.site["site"], "user": user, "page": "https://shop.example/a?token=1#b" })).await
    }

    pub(crate) async fn page_with(&self, body: Value) -> Answer {
        self.app.send(request(ORIGIN, &body)).await
    }

    pub(crate) fn user_hash(&self, identifier: &str) -> String {
        let secret = self.site["user_hash_secret"].as_str().unwrap();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(identifier.as_bytes());
        mac.finalize()
            .into_bytes()
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }
}

fn request(origin: &str, body: &Value) -> Request<Body> {
    Request::post("/capture/tag")
        .header("origin", origin)
        .header("content-type", "text/plain")
        .header("user-agent", "Test/1.0")
        .body(Body::from(body.to_string()))
        .unwrap()
}

#[tokio::test]
async fn a_page_reports_what_it_believes_of_its_user() {
    let shop = Shop::open().await;
    let answer = shop.page(json!({ "phone_number": PHONE, "sms_optin": true, "whatsapp_optin": false, "gdpr_optin": true })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(
        answer.json(),
        json!({ "accepted": ["whatsapp_optin", "sms_optin", "gdpr_optin"], "rejected": [], "collect": true })
    );
    assert_eq!(answer.headers["access-control-allow-origin"], ORIGIN);
    assert!(!answer.headers.contains_key("set-cookie"));
    assert_eq!(shop.app.sms(PHONE).await["decision"], "allow");
    let events = shop.app.get("/v1/events?phone=%2B14155552671").await.json();
    let event = &events["events"][0];
    assert_eq!(
        (&event["road"], &event["source"], &event["standing"]),
        (&json!("tag"), &json!("shop"), &json!("report"))
    );
    assert_eq!(
        event["evidence"]["page"], "https://shop.example/a",
        "query and fragment are not kept"
    );
}

#[tokio::test]
async fn repeating_a_page_view_appends_nothing_and_never_undoes_a_stop() {
    let shop = Shop::open().await;
    let said = json!({ "uuid": "u-1", "phone_number": PHONE, "sms_optin": true });
    shop.page(said.clone()).await;
    let stop =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    shop.app.advance(Span::minutes(1));
    shop.app.post("/v1/consents", &stop).await;
    let events = async || {
        shop.app.get("/v1/events?phone=%2B14155552671").await.json()["events"]
            .as_array()
            .unwrap()
            .len()
    };
    let before = events().await;
    for _ in 0..10 {
        shop.app.advance(Span::minutes(1));
        assert_eq!(shop.page(said.clone()).await.status, StatusCode::OK);
    }
    assert_eq!(events().await, before);
    assert_eq!(shop.app.sms(PHONE).await["reason"], "opted_out");
    // The site turns it off and on again: a claim, without effect.
    for flag in [false, true] {
        shop.app.advance(Span::minutes(1));
        shop.page(json!({ "uuid": "u-1", "phone_number": PHONE, "sms_optin": flag })).await;
    }
    let explained = shop
        .app
        .post("/v1/check", &json!({ "channel": "sms", "phone": PHONE, "explain": true }))
        .await
        .json();
    assert_eq!(explained["reason"], "opted_out");
    assert_eq!(explained["explanation"]["claims"][0]["says"], "yes");
    // The person agrees: that lifts it.
    let notice = shop.app.notice(&[]).await;
    shop.app.advance(Span::minutes(1));
    let now = shop.app.now();
    shop.app.post("/v1/consents", &act(PHONE, "opt_in", &now, &notice)).await;
    assert_eq!(shop.app.sms(PHONE).await["decision"], "allow");
}

#[tokio::test]
async fn absent_null_and_empty_flags_say_nothing() {
    let shop = Shop::open().await;
    let user =
        json!({ "phone_number": PHONE, "sms_optin": null, "whatsapp_optin": "", "name": "Ada" });
    let answer = shop.page(user).await;
    assert_eq!((answer.status, answer.json()["accepted"].clone()), (StatusCode::OK, json!([])));
    assert_eq!(shop.app.get("/v1/events?phone=%2B14155552671").await.json()["events"], json!([]));
}

#[tokio::test]
async fn good_fields_are_kept_when_others_are_bad() {
    let shop = Shop::open().await;
    let user = json!({ "phone_number": "0151", "email": "ada@example.org", "sms_optin": true, "email_optin": true, "whatsapp_optin": "yes", "uuid": "undefined" });
    let answer = shop.page(user).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let body = answer.json();
    assert_eq!(body["accepted"], json!(["email_optin"]));
    let pointers: Vec<&Value> =
        body["rejected"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(
        pointers,
        ["/user/uuid", "/user/phone_number", "/user/whatsapp_optin", "/user/sms_optin"]
    );
    let check = json!({ "channel": "email", "email": "ada@example.org" });
    assert_eq!(shop.app.post("/v1/check", &check).await.json()["decision"], "allow");
}

#[tokio::test]
async fn refused_processing_is_kept_and_stops_collection() {
    let shop = Shop::open().await;
    let answer = shop.page(json!({ "uuid": "u-1", "phone_number": PHONE, "email": "ada@example.org", "gdpr_optin": false, "sms_optin": true })).await;
    assert_eq!(answer.json()["collect"], false);
    assert_eq!(shop.app.sms(PHONE).await["reason"], "processing_refused");
    for query in ["external_id=u-1", "email=ada@example.org"] {
        assert_eq!(
            shop.app.get(&format!("/v1/profiles?{query}")).await.json()["processing"],
            "refused"
        );
    }
}

#[tokio::test]
async fn unverified_claims_link_nothing_and_keep_no_attribute() {
    let shop = Shop::open().await;
    let user = json!({ "uuid": "u-1", "phone_number": PHONE, "name": "Ada", "custom": { "tier": "gold" }, "sms_optin": true });
    let unsigned = shop.page(user.clone()).await;
    assert_eq!(unsigned.json()["accepted"], json!(["sms_optin"]));
    assert_eq!(shop.app.get("/v1/profiles?phone=%2B14155552671").await.json()["id"], Value::Null);
    let forged = json!({ "site": shop.site["site"], "user": user, "user_hash": "00".repeat(32) });
    let forged = shop.page_with(forged).await;
    assert_eq!(forged.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(forged.json()["rejected"][0]["pointer"], "/user_hash");
    assert_eq!(shop.app.get("/v1/profiles?phone=%2B14155552671").await.json()["id"], Value::Null);
    let signed =
        json!({ "site": shop.site["site"], "user": user, "user_hash": shop.user_hash("u-1") });
    let signed = shop.page_with(signed).await;
    assert_eq!(
        signed.json()["accepted"],
        json!(["sms_optin", "name", "custom"]),
        "{}",
        signed.text
    );
    let profile = shop.app.get("/v1/profiles?phone=%2B14155552671").await.json();
    assert_eq!(profile["attributes"], json!({ "name": "Ada", "tier": "gold" }));
}

#[tokio::test]
async fn only_listed_origins_are_heard_and_others_learn_nothing() {
    let shop = Shop::open().await;
    let body =
        json!({ "site": shop.site["site"], "user": { "phone_number": PHONE, "sms_optin": true } });
    for origin in
        ["https://evil.example", "null", "https://shop.example.evil.example", "http://shop.example"]
    {
        let answer = shop.app.send(request(origin, &body)).await;
        answer.is_problem("origin-not-allowed");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let unknown = json!({ "site": "site_unknown", "user": {} });
    shop.app.send(request(ORIGIN, &unknown)).await.is_problem("origin-not-allowed");
    assert_eq!(shop.app.sms(PHONE).await["reason"], "no_opt_in");
    let preflight =
        Request::builder().method("OPTIONS").uri("/capture/tag").header("origin", ORIGIN);
    let answer = shop.app.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (answer.status, &answer.headers["access-control-allow-headers"]),
        (StatusCode::NO_CONTENT, &"content-type".parse().unwrap())
    );
}

#[tokio::test]
async fn known_and_unknown_people_get_the_same_answer_in_the_same_time() {
    let shop = Shop::open().await;
    let stop = json!({ "phone": PHONE, "permission": "processing", "statement": "opt_out", "standing": "act" });
    shop.app.post("/v1/consents", &stop).await;
    let user =
        |phone: &str| json!({ "phone_number": phone, "sms_optin": true, "gdpr_optin": true });
    let mut answers = Vec::new();
    for phone in [PHONE, "+14155552672", PHONE] {
        let started = tokio::time::Instant::now();
        let answer = shop.page(user(phone)).await;
        let floor = sayso_core::limits::PUBLIC_ANSWER_TIME.as_micros().unsigned_abs();
        assert!(started.elapsed() >= std::time::Duration::from_micros(floor));
        answers.push((answer.status, answer.text));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn statements_are_limited_by_network_and_by_address() {
    let mut rates = crate::support::plenty();
    rates.address.requests = std::num::NonZeroU32::new(2).unwrap();
    rates.address.per = std::time::Duration::from_hours(1);
    let app = TestApp::with_rates(rates).await;
    let site = app.site().await;
    let shop = Shop { app, site };
    let user = |phone: &str| json!({ "phone_number": phone, "sms_optin": true });
    for _ in 0..2 {
        assert_eq!(shop.page(user(PHONE)).await.status, StatusCode::OK);
    }
    let limited = shop.page(user(PHONE)).await;
    limited.is_problem("rate-limited");
    assert_eq!(limited.headers["access-control-allow-origin"], ORIGIN);
    assert_eq!(shop.page(user("+14155552672")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn past_the_limit_of_events_a_page_is_heard_where_it_refuses() {
    let mut rates = crate::support::plenty();
    rates.workspace.requests = std::num::NonZeroU32::new(1).unwrap();
    rates.workspace.per = std::time::Duration::from_hours(1);
    let app = TestApp::with_rates(rates).await;
    let site = app.site().await;
    let shop = Shop { app, site };
    shop.page(json!({ "phone_number": PHONE, "sms_optin": true })).await;
    let other = json!({ "phone_number": PHONE, "whatsapp_optin": true });
    shop.page(other).await.is_problem("rate-limited");
    let both = json!({ "phone_number": PHONE, "sms_optin": false, "whatsapp_optin": true });
    assert_eq!(shop.page(both).await.json()["accepted"], json!(["sms_optin"]));
    assert_eq!(shop.app.sms(PHONE).await["reason"], "opted_out");
}

#[tokio::test]
async fn the_tag_is_served_and_kept_until_it_changes() {
    let shop = Shop::open().await;
    let get = |tag: Option<&str>| {
        let request = Request::get("/tag.js").header("if-none-match", tag.unwrap_or("\"none\""));
        request.body(Body::empty()).unwrap()
    };
    let script = shop.app.send(get(None)).await;
    assert_eq!(
        (script.status, &script.headers["content-type"]),
        (StatusCode::OK, &"text/javascript; charset=utf-8".parse().unwrap())
    );
    let etag = script.headers["etag"].to_str().unwrap().to_owned();
    let unchanged = shop.app.send(get(Some(&etag))).await;
    assert_eq!((unchanged.status, unchanged.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[tokio::test]
async fn a8_a_no_is_taken_in_every_spelling_that_can_only_be_a_no() {
    for no in [
        json!("false"),
        json!("FALSE"),
        json!(" no "),
        json!(0),
        json!("0"),
        json!("off"),
        json!("N"),
    ] {
        let shop = Shop::open().await;
        shop.page(json!({ "phone_number": PHONE, "sms_optin": true })).await;
        assert_eq!(shop.app.sms(PHONE).await["decision"], "allow");
        shop.app.advance(Span::minutes(1));
        let answer = shop.page(json!({ "phone_number": PHONE, "sms_optin": no })).await;
        assert_eq!(
            (answer.status, answer.json()["accepted"].clone()),
            (StatusCode::OK, json!(["sms_optin"])),
            "{no}"
        );
        assert_eq!(shop.app.sms(PHONE).await["reason"], "opted_out", "{no}");
    }
}

#[tokio::test]
async fn a_no_reaches_a_phone_that_is_given_as_a_number() {
    for phone in [json!(14_155_552_671_u64), json!(14_155_552_671.0), json!("14155552671")] {
        let shop = Shop::open().await;
        shop.page(json!({ "phone_number": PHONE, "sms_optin": true })).await;
        shop.app.advance(Span::minutes(1));
        let answer = shop.page(json!({ "phone_number": phone, "sms_optin": "false" })).await;
        assert_eq!(answer.status, StatusCode::OK, "{phone}: {}", answer.text);
        assert_eq!(shop.app.sms(PHONE).await["reason"], "opted_out", "{phone}");
    }
}

#[tokio::test]
async fn processing_is_refused_in_every_spelling_and_a_yes_is_true_alone() {
    let shop = Shop::open().await;
    let answer = shop.page(json!({ "uuid": 1001, "gdpr_optin": "False" })).await;
    assert_eq!((answer.status, &answer.json()["collect"]), (StatusCode::OK, &json!(false)));
    for yes in
        [json!("true"), json!(1), json!("yes"), json!("maybe"), json!("ei tietoa"), json!([])]
    {
        let answer = shop.page(json!({ "phone_number": PHONE, "sms_optin": yes })).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{yes}");
        let fault = &answer.json()["rejected"][0];
        assert_eq!(
            (&fault["pointer"], &fault["example"]),
            (&json!("/user/sms_optin"), &Value::Null)
        );
    }
    assert_eq!(shop.app.sms(PHONE).await["reason"], "no_opt_in");
}
