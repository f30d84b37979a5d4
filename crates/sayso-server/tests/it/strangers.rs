//! What strangers who write can do, and cannot (rules 11, 15, 22 and 23).

use axum::http::StatusCode;
use futures_util::future::join_all;
use sayso_core::time::Span;
use sayso_server::app::Options;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, plenty};
use crate::tag::Shop;

const PHONE: &str = "+14155552671";

/// What strangers and customers do at a shop whose pages anybody can pretend to be.
impl Shop {
    async fn vouched(&self, identifier: &str, user: Value) -> Answer {
        let hash = self.user_hash(identifier);
        self.page_with(json!({ "site": self.site["site"], "user": user, "user_hash": hash })).await
    }

    /// The same page of many people at once; they wait for their answers together.
    async fn pages(&self, numbers: std::ops::Range<usize>, said: &Value) -> Vec<StatusCode> {
        let pages = numbers.map(|number| {
            let mut user = said.clone();
            user["phone_number"] = json!(phone(number));
            async move { self.page(user).await.status }
        });
        join_all(pages).await
    }

    /// A customer of whom something is kept.
    async fn customer(&self, id: &str, phone: &str) {
        let profile =
            json!({ "external_id": id, "phone": phone, "attributes": { "tier": "gold" } });
        let made = self.app.post("/v1/profiles", &profile).await;
        assert!(made.status.is_success(), "{}", made.text);
    }

    async fn attributes(&self, id: &str) -> Value {
        self.app.get(&format!("/v1/profiles?external_id={id}")).await.json()["attributes"].clone()
    }

    async fn processing(&self, id: &str) -> Value {
        self.app.get(&format!("/v1/profiles?external_id={id}")).await.json()["processing"].clone()
    }

    /// The refusals of processing of somebody, the newest first.
    async fn refusals(&self, query: &str) -> Vec<Value> {
        let events = self.app.get(&format!("/v1/events?{query}")).await.json();
        let events = events["events"].as_array().unwrap().clone();
        events.into_iter().filter(|event| event["says"] == "no").collect()
    }

    /// Time passes, and what is due by then is done.
    async fn wait(&self, days: i64) {
        self.app.advance(Span::days(days));
        // Whoever reads the rejects waits until what is too old is deleted.
        assert_eq!(self.app.get("/v1/rejects").await.status, StatusCode::OK);
    }

    async fn retract(&self, event: &Value, address: Value) -> Answer {
        let path = format!("/v1/events/{}/retraction", event["id"].as_str().unwrap());
        self.app.post(&path, &address).await
    }
}

fn phone(number: usize) -> String {
    format!("+1415555{:04}", 2_000 + number)
}

#[tokio::test]
async fn what_a_stranger_says_hides_and_destroys_nothing() {
    let shop = Shop::open().await;
    shop.customer("u-1", PHONE).await;
    let answer = shop.page(json!({ "phone_number": PHONE, "gdpr_optin": false })).await;
    assert_eq!(answer.json()["collect"], false);
    assert_eq!(shop.app.sms(PHONE).await["reason"], "processing_refused", "at once");
    assert_eq!(shop.attributes("u-1").await, json!({}), "hidden");
    let more = json!({ "external_id": "u-1", "attributes": { "tier": "iron" } });
    assert_eq!(shop.app.post("/v1/profiles", &more).await.json()["attributes"], json!({}));
    let refusal = shop.refusals("phone=%2B14155552671").await.remove(0);
    assert_eq!(refusal["actor"], "visitor", "{refusal}");
    let retracted = shop.retract(&refusal, json!({ "phone": PHONE })).await;
    assert_eq!(retracted.status, StatusCode::OK, "{}", retracted.text);
    assert_eq!(shop.processing("u-1").await, "allowed");
    assert_eq!(shop.attributes("u-1").await, json!({ "tier": "gold" }), "shown again");
}

#[tokio::test]
async fn what_was_hidden_for_thirty_days_is_destroyed() {
    let shop = Shop::open().await;
    shop.customer("u-1", PHONE).await;
    shop.customer("u-2", "+14155552672").await;
    shop.page(json!({ "phone_number": PHONE, "gdpr_optin": false })).await;
    shop.page(json!({ "phone_number": "+14155552672", "gdpr_optin": false })).await;
    shop.wait(29).await;
    let second = shop.refusals("phone=%2B14155552672").await.remove(0);
    shop.retract(&second, json!({ "phone": "+14155552672" })).await;
    shop.wait(2).await;
    let refusal = shop.refusals("phone=%2B14155552671").await.remove(0);
    shop.retract(&refusal, json!({ "phone": PHONE })).await;
    assert_eq!(shop.processing("u-1").await, "allowed");
    assert_eq!(shop.attributes("u-1").await, json!({}), "nobody said that it was a stranger");
    assert_eq!(shop.attributes("u-2").await, json!({ "tier": "gold" }), "retracted in time");
}

#[tokio::test]
async fn who_is_vouched_for_destroys_at_once_also_after_a_stranger() {
    for stranger_first in [false, true] {
        let shop = Shop::open().await;
        shop.customer("u-1", PHONE).await;
        let refuses = json!({ "uuid": "u-1", "gdpr_optin": false });
        if stranger_first {
            shop.page(refuses.clone()).await;
        }
        shop.app.advance(Span::minutes(1));
        shop.vouched("u-1", refuses).await;
        for refusal in shop.refusals("external_id=u-1").await {
            shop.retract(&refusal, json!({ "external_id": "u-1" })).await;
        }
        assert_eq!(shop.processing("u-1").await, "allowed", "{stranger_first}");
        assert_eq!(shop.attributes("u-1").await, json!({}), "{stranger_first}");
    }
}

#[tokio::test]
async fn a_persons_own_refusal_destroys_what_a_stranger_hid() {
    let shop = Shop::open().await;
    shop.customer("u-1", PHONE).await;
    shop.page(json!({ "phone_number": PHONE, "gdpr_optin": false })).await;
    let act = json!({ "phone": PHONE, "permission": "processing", "statement": "opt_out", "standing": "act" });
    assert_eq!(shop.app.post("/v1/consents", &act).await.status, StatusCode::CREATED);
    let yes = json!({ "phone": PHONE, "permission": "processing", "statement": "opt_in", "standing": "report" });
    shop.app.post("/v1/consents", &yes).await;
    for event in shop.refusals("phone=%2B14155552671").await {
        shop.retract(&event, json!({ "phone": PHONE })).await;
    }
    let events = shop.app.get("/v1/events?phone=%2B14155552671").await.json();
    let own = events["events"].as_array().unwrap().iter().find(|it| it["says"] == "opt_out");
    shop.retract(own.unwrap(), json!({ "phone": PHONE })).await;
    assert_eq!(shop.attributes("u-1").await, json!({}));
}

#[tokio::test]
async fn an_account_of_ones_own_vouches_for_nobody_else() {
    let shop = Shop::open().await;
    shop.customer("u-1", PHONE).await;
    shop.customer("mallory", "+14155552699").await;
    let refuses = json!({ "uuid": "mallory", "phone_number": PHONE, "gdpr_optin": false });
    shop.vouched("mallory", refuses).await;
    assert_eq!(shop.app.sms(PHONE).await["reason"], "processing_refused");
    let refusal = shop.refusals("phone=%2B14155552671").await.remove(0);
    assert_eq!(refusal["actor"], "visitor", "{refusal}");
    shop.retract(&refusal, json!({ "phone": PHONE })).await;
    assert_eq!(shop.attributes("u-1").await, json!({ "tier": "gold" }));
    // Nor is the number of somebody else linked with the account.
    let names = json!({ "uuid": "mallory", "phone_number": PHONE, "name": "Mallory" });
    shop.vouched("mallory", names).await;
    let linked = shop.app.get("/v1/profiles?phone=%2B14155552671").await.json();
    assert!(!linked.to_string().contains("mallory"), "{linked}");
    // A number that was known as the account's is believed.
    let own = json!({ "uuid": "mallory", "phone_number": "+14155552699", "sms_optin": false });
    shop.vouched("mallory", own).await;
    let refusal = shop.refusals("phone=%2B14155552699").await.remove(0);
    assert_eq!(refusal["actor"], "operator", "{refusal}");
}

#[tokio::test]
async fn somebody_known_by_a_text_alone_is_not_linked_with_the_account_of_a_stranger() {
    let shop = Shop::open().await;
    let left =
        json!({ "phone": PHONE, "channel": "sms", "statement": "opt_out", "standing": "act" });
    let left = shop.app.post("/v1/consents", &left).await;
    assert_eq!(left.status, StatusCode::CREATED, "{}", left.text);
    let claims = json!({ "uuid": "mallory", "phone_number": PHONE, "name": "Mallory" });
    let answer = shop.vouched("mallory", claims).await;
    assert_eq!(answer.status, StatusCode::OK, "the answer tells nothing: {}", answer.text);
    let linked = shop.app.get("/v1/profiles?phone=%2B14155552671").await;
    assert!(!linked.text.contains("mallory"), "{}", linked.text);
    let refuses = json!({ "uuid": "mallory", "phone_number": PHONE, "gdpr_optin": false });
    shop.vouched("mallory", refuses).await;
    let refusal = shop.refusals("phone=%2B14155552671").await.remove(0);
    assert_eq!(refusal["actor"], "visitor", "{refusal}");
    // A number that nobody ever spoke of is the account's, also where the page refuses in the same breath.
    let own = json!({ "uuid": "mallory", "phone_number": "+14155552698", "sms_optin": false, "name": "Mallory" });
    shop.vouched("mallory", own).await;
    let linked = shop.app.get("/v1/profiles?phone=%2B14155552698").await.json();
    assert!(linked.to_string().contains("mallory"), "{linked}");
}

#[tokio::test]
async fn a_yes_that_nobody_vouches_for_lifts_no_vouched_no() {
    let shop = Shop::open().await;
    shop.customer("u-1", PHONE).await;
    shop.vouched("u-1", json!({ "uuid": "u-1", "phone_number": PHONE, "sms_optin": false })).await;
    shop.app.advance(Span::minutes(1));
    // Who knows the number may know the id too: it is the same source that would lift its own no.
    let stranger = json!({ "uuid": "u-1", "phone_number": PHONE, "sms_optin": true });
    let answer = shop.page(stranger).await;
    assert_eq!(answer.json()["accepted"], json!(["sms_optin"]), "the answer is the same");
    assert_eq!(shop.app.sms(PHONE).await["reason"], "opted_out");
    shop.app.advance(Span::minutes(1));
    shop.vouched("u-1", json!({ "uuid": "u-1", "phone_number": PHONE, "sms_optin": true })).await;
    assert_eq!(shop.app.sms(PHONE).await["decision"], "allow");
}

#[tokio::test]
async fn a_flood_of_refusals_is_held_as_one_group_and_retracted_together() {
    let shop = Shop::open().await;
    shop.customer("u-249", &phone(249)).await;
    let refuses = json!({ "gdpr_optin": false, "sms_optin": false });
    assert_eq!(shop.pages(0..200, &refuses).await, [StatusCode::OK; 200]);
    assert_eq!(shop.pages(200..250, &refuses).await, [StatusCode::OK; 50]);
    assert_eq!(shop.app.sms(&phone(249)).await["reason"], "processing_refused", "it denies");
    let groups = shop.app.get("/v1/reviews/inferred").await.json();
    let groups = groups["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{groups:?}");
    assert_eq!((&groups[0]["site"], &groups[0]["held"]), (&shop.site["site"], &json!(50)));
    assert_eq!((&groups[0]["state"], groups[0].get("sender")), (&json!("open"), None));
    let alarm = "sayso_held_refusal_groups_total 1";
    assert!(shop.app.metrics().await.contains(alarm), "operators see it");
    let path = format!("/v1/reviews/inferred/{}/decision", groups[0]["id"].as_str().unwrap());
    let decided = shop.app.post(&path, &json!({ "decision": "retract" })).await;
    assert_eq!(decided.json()["state"], "retracted", "{}", decided.text);
    assert_eq!(shop.app.sms(&phone(249)).await["reason"], "no_opt_in");
    assert_eq!(
        shop.attributes("u-249").await,
        json!({ "tier": "gold" }),
        "and its copies go along"
    );
    assert_eq!(shop.app.sms(&phone(199)).await["reason"], "processing_refused", "before the flood");
    // In the next hour the site has its usual share again.
    shop.app.advance(Span::hours(1));
    shop.page(json!({ "phone_number": phone(300), "sms_optin": false })).await;
    let refusal = shop.refusals(&format!("phone=%2B{}", &phone(300)[1..])).await.remove(0);
    assert_eq!(refusal.get("import"), None, "{refusal}");
}

#[tokio::test]
async fn what_a_site_said_in_a_span_is_retracted_by_compliance_and_what_people_said_stays() {
    let shop = Shop::open().await;
    for number in 0..150 {
        shop.customer(&format!("u-{number}"), &phone(number)).await;
    }
    shop.page(json!({ "phone_number": phone(0), "sms_optin": false })).await;
    shop.app.advance(Span::minutes(10));
    let from = shop.app.now();
    shop.pages(1..150, &json!({ "gdpr_optin": false })).await;
    let stop =
        json!({ "phone": phone(1), "channel": "sms", "statement": "opt_out", "standing": "act" });
    shop.app.post("/v1/consents", &stop).await;
    let vouched = json!({ "uuid": "u-2", "phone_number": phone(2), "sms_optin": false });
    shop.vouched("u-2", vouched).await;
    shop.app.advance(Span::minutes(10));
    let until = shop.app.now();
    let span = |dry_run| json!({ "source": "shop", "from": from, "until": until, "dry_run": dry_run, "reason": "a stranger" });
    let counted = shop.app.post("/v1/retractions", &span(true)).await;
    assert_eq!(counted.json(), json!({ "retracted": 149, "kept": 0, "next_from": null }));
    assert_eq!(shop.attributes("u-5").await, json!({}), "only counted");
    let done = shop.app.post("/v1/retractions", &span(false)).await;
    assert_eq!(
        done.json(),
        json!({ "retracted": 149, "kept": 0, "next_from": null }),
        "{}",
        done.text
    );
    for number in 1..150 {
        assert_eq!(shop.processing(&format!("u-{number}")).await, "allowed", "{number}");
    }
    assert_eq!(shop.attributes("u-5").await, json!({ "tier": "gold" }));
    assert_eq!(shop.app.sms(&phone(0)).await["reason"], "opted_out", "before the span");
    assert_eq!(shop.app.sms(&phone(1)).await["reason"], "opted_out", "the person's own");
    assert_eq!(shop.app.sms(&phone(2)).await["reason"], "opted_out", "vouched for");
    let backwards = json!({ "source": "shop", "from": until, "until": from });
    let backwards = shop.app.post("/v1/retractions", &backwards).await;
    assert_eq!(backwards.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", backwards.text);
}

#[tokio::test]
async fn a_site_may_take_only_what_its_server_vouches_for() {
    let mut shop = Shop::open().await;
    let path = format!("/v1/sites/{}", shop.site["site"].as_str().unwrap());
    let wish = json!({ "origins": ["https://shop.example"], "requires_user_hash": true });
    let changed = shop.app.call("PUT", &path, &wish).await;
    assert_eq!(changed.json()["requires_user_hash"], true, "{}", changed.text);
    let stranger = shop.page(json!({ "phone_number": PHONE, "sms_optin": false })).await;
    assert_eq!(stranger.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = stranger.json();
    assert_eq!(answer["accepted"], json!([]));
    assert_eq!(answer["rejected"][0]["pointer"], "/user_hash", "{answer}");
    assert_eq!(shop.refusals("phone=%2B14155552671").await, Vec::<Value>::new());
    let own = shop.vouched(PHONE, json!({ "phone_number": PHONE, "sms_optin": false })).await;
    assert_eq!(own.json()["accepted"], json!(["sms_optin"]), "{}", own.text);
    assert_eq!(shop.app.sms(PHONE).await["reason"], "opted_out");
    shop.site = json!({});
    let without =
        json!({ "name": "other", "origins": ["https://o.example"], "requires_user_hash": true });
    let refused = shop.app.post("/v1/sites", &without).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/requires_user_hash", "{}", refused.text);
}

#[tokio::test]
async fn a_network_past_its_limit_is_read_for_refusals_and_no_further_than_that() {
    let mut rates = plenty();
    rates.network.requests = std::num::NonZeroU32::new(5).unwrap();
    rates.network.per = std::time::Duration::from_hours(1);
    let app = TestApp::with_rates(rates).await;
    let site = app.site().await;
    let shop = Shop { app, site };
    let (mut taken, mut turned_away) = (0, 0);
    for hundred in 0..7 {
        let numbers = hundred * 100..(hundred + 1) * 100;
        for status in shop.pages(numbers, &json!({ "sms_optin": false })).await {
            match status {
                StatusCode::OK => taken += 1,
                StatusCode::TOO_MANY_REQUESTS => turned_away += 1,
                other => panic!("{other}"),
            }
        }
    }
    assert!((605..=620).contains(&taken), "{taken} taken, {turned_away} turned away");
}

async fn stand() -> TestApp {
    let mut options = Options::with_rates(plenty());
    options.outside.url = Some("https://consent.example".into());
    let app = TestApp::with_options(options).await;
    let connection = json!({ "name": "Simulated phones", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    let sender =
        json!({ "channel": "sms", "name": "Shop", "address": "12345", "connection": connection });
    assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    app
}

async fn links_sent_to(app: &TestApp, numbers: std::ops::Range<usize>) -> usize {
    app.send_due().await;
    let mut sent = 0;
    for number in numbers {
        let path = format!("/v1/sandbox/phone?phone=%2B{}", &phone(number)[1..]);
        sent += app.get(&path).await.json()["messages"].as_array().unwrap().len();
    }
    sent
}

async fn refuses(app: &TestApp, number: usize, standing: &str) {
    let said = json!({ "phone": phone(number), "channel": "sms", "statement": "opt_out", "standing": standing });
    assert_eq!(app.post("/v1/consents", &said).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn nobody_has_many_links_sent_to_a_block_of_numbers() {
    let app = stand().await;
    for number in 0..40 {
        refuses(&app, number, "act").await;
    }
    for number in 0..40 {
        assert_eq!(app.submit("/p", &[("address", &phone(number))]).await.status, StatusCode::OK);
    }
    assert_eq!(links_sent_to(&app, 0..40).await, 20);
}

#[tokio::test]
async fn a_request_for_a_link_counts_alike_whether_or_not_anybody_is_known() {
    let app = stand().await;
    refuses(&app, 30, "act").await;
    for number in 0..20 {
        app.submit("/p", &[("address", &phone(number))]).await;
    }
    app.submit("/p", &[("address", &phone(30))]).await;
    assert_eq!(links_sent_to(&app, 0..31).await, 0, "the block is used up by strangers");
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_of_which_only_a_report_speaks() {
    let app = stand().await;
    refuses(&app, 1, "report").await;
    refuses(&app, 2, "act").await;
    for number in [1, 2] {
        app.submit("/p", &[("address", &phone(number))]).await;
    }
    assert_eq!(links_sent_to(&app, 1..2).await, 0);
    assert_eq!(links_sent_to(&app, 2..3).await, 1);
}

#[tokio::test]
async fn a_link_goes_by_email_first_where_the_person_was_heard_from_by_both() {
    let app = stand().await;
    let connection = json!({ "name": "Simulated mail", "provider": "sandbox" });
    let connection = app.post("/v1/connections", &connection).await.json()["id"].clone();
    let sender = json!({ "channel": "email", "name": "Shop", "address": "shop@example.org", "connection": connection });
    assert_eq!(app.post("/v1/senders", &sender).await.status, StatusCode::CREATED);
    let person = json!({ "external_id": "u-1", "phone": phone(1), "email": "ada@example.org" });
    app.post("/v1/profiles", &person).await;
    refuses(&app, 1, "act").await;
    app.submit("/p", &[("address", &phone(1))]).await;
    assert_eq!(links_sent_to(&app, 1..2).await, 1, "the email address is only a claim");
    app.advance(Span::days(1));
    let stop = json!({ "email": "ada@example.org", "channel": "email", "statement": "opt_out", "standing": "act" });
    assert_eq!(app.post("/v1/consents", &stop).await.status, StatusCode::CREATED);
    app.submit("/p", &[("address", &phone(1))]).await;
    assert_eq!(links_sent_to(&app, 1..2).await, 1, "no further text message");
    let messages = app.get("/v1/messages?email=ada%40example.org").await.json();
    assert_eq!(messages["messages"].as_array().unwrap().len(), 1, "{messages}");
}

#[tokio::test]
async fn links_and_double_opt_ins_draw_on_one_budget() {
    let app = stand().await;
    for number in 0..19 {
        app.submit("/p", &[("address", &phone(number))]).await;
    }
    app.send_due().await;
    let notice = app.notice(&[]).await;
    let mut states = Vec::new();
    for number in [40, 41] {
        let asks =
            json!({ "phone": phone(number), "channel": "sms", "method": "form", "notice": notice });
        states.push(app.post("/v1/double-opt-ins", &asks).await.json()["state"].clone());
    }
    assert_eq!(states, [json!("asked"), json!("limited")]);
    // Somebody who asked for a link may be asked to confirm something all the same.
    let app = stand().await;
    app.submit("/p", &[("address", &phone(1))]).await;
    app.send_due().await;
    let notice = app.notice(&[]).await;
    let asks = json!({ "phone": phone(1), "channel": "sms", "method": "form", "notice": notice });
    assert_eq!(app.post("/v1/double-opt-ins", &asks).await.json()["state"], "asked");
}

#[tokio::test]
async fn no_limit_tells_whether_somebody_is_known() {
    let mut rates = plenty();
    rates.address.requests = std::num::NonZeroU32::new(3).unwrap();
    rates.address.per = std::time::Duration::from_hours(1);
    let mut options = Options::with_rates(rates);
    options.outside.url = Some("https://consent.example".into());
    let app = TestApp::with_options(options).await;
    let site = app.site().await;
    let shop = Shop { app, site };
    refuses(&shop.app, 1, "act").await;
    let mut answers = Vec::new();
    for number in [1, 2] {
        let mut heard = Vec::new();
        for _ in 0..2 {
            heard.push(shop.app.submit("/p", &[("address", &phone(number))]).await.status);
        }
        for _ in 0..4 {
            let said = json!({ "phone_number": phone(number), "sms_optin": true });
            heard.push(shop.page(said).await.status);
        }
        answers.push(heard);
    }
    assert_eq!(answers[0], answers[1]);
}
