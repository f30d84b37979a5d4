//! Double opt-in by form: an address is asked, and its answer is the act (rules 8, 14, 22, 23, 26).

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::limits;
use sayso_core::time::Span;
use sayso_server::app::{Options, Outside};
use serde_json::{Value, json};

use crate::forms::{Shop, between};
use crate::support::faulty::Fault;
use crate::support::provider::{Says, Shop as Provider};
use crate::support::{Answer, TestApp, plenty};

const PHONE: &str = "+14155552671";
const ADA: &str = "phone=%2B14155552671";
const BOX: &str = "box-sms-all";

async fn server() -> TestApp {
    let mut options = Options::with_rates(plenty());
    options.outside = Outside { url: Some("https://consent.example".into()), ..Outside::default() };
    TestApp::with_options(options).await
}

/// A form by SMS that is confirmed so.
async fn shop(by: &str) -> Shop {
    Shop::over(server().await, json!({ "channels": ["sms"], "double_opt_in": by })).await
}

impl Shop {
    /// What arrived on a simulated phone, the newest first.
    async fn arrived(&self, phone: &str) -> Vec<Value> {
        self.app.send_due().await;
        let phone = phone.replace('+', "%2B");
        let found = self.app.get(&format!("/v1/sandbox/phone?phone={phone}")).await.json();
        found["messages"].as_array().unwrap().clone()
    }

    /// The six digits that arrived last.
    async fn code(&self, phone: &str) -> String {
        let text = self.arrived(phone).await[0]["text"].as_str().unwrap().to_owned();
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|it| it.is_ascii_digit());
        text.split(' ').find(is_code).unwrap_or_else(|| panic!("no code: {text}")).to_owned()
    }

    /// The path of the link that arrived last.
    async fn link(&self, phone: &str) -> String {
        let text = self.arrived(phone).await[0]["text"].as_str().unwrap().to_owned();
        text.split_once("https://consent.example").unwrap().1.to_owned()
    }

    async fn sms(&self) -> Value {
        self.app.sms(PHONE).await
    }

    async fn refuse(&self) {
        let now = self.app.now();
        let no = json!({ "statement": "opt_out", "phone": PHONE, "channel": "sms", "standing": "act", "method": "call", "occurred_at": now });
        assert_eq!(self.app.post("/v1/consents", &no).await.status, StatusCode::CREATED);
    }

    async fn counts(&self, end: &str, times: u32) {
        let metrics = self.app.metrics().await;
        let line = format!("sayso_double_opt_in_total{{end=\"{end}\"}} {times}");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
}

/// Where the code of a page is sent.
fn action(page: &Answer) -> String {
    assert!(page.text.contains("autocomplete=\"one-time-code\""), "{}", page.text);
    between(&page.text, "action=\"", "\"").replace("&amp;", "&")
}

/// A code that is another one.
fn wrong(code: &str) -> String {
    let first = if code.starts_with('0') { '1' } else { '0' };
    format!("{first}{}", &code[1..])
}

/// The page with its token left out, which differs from person to person.
fn without_token(page: &Answer) -> (StatusCode, String) {
    let token = between(&page.text, "action=\"/c/", "?").to_owned();
    (page.status, page.text.replace(&token, "…"))
}

#[tokio::test]
async fn what_is_ticked_waits_until_the_code_is_entered() {
    let shop = shop("code").await;
    let page = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(shop.sms().await["reason"], "pending");
    let code = shop.code(PHONE).await;
    let typed = format!("{} {}", &code[..3], &code[3..]);
    let done = shop.app.submit(&action(&page), &[("code", &typed)]).await;
    assert!(done.status == StatusCode::OK && done.text.contains("Confirmed"), "{}", done.text);
    assert_eq!(shop.sms().await["decision"], "allow");
    let events = shop.events(ADA).await;
    assert_eq!(events.len(), 4, "everything, and marketing, each pending and then confirmed");
    let (confirmed, pending) = (&events[0], &events[2]);
    assert_eq!((&confirmed["says"], &pending["says"]), (&json!("confirmed"), &json!("pending")));
    assert_eq!((&confirmed["road"], &confirmed["source"]), (&json!("form"), &json!("Footer")));
    let evidence = &confirmed["evidence"];
    assert_eq!(evidence["method"], "double opt-in by code");
    assert_eq!(evidence["fields"]["sayso:pending_event"], pending["id"]);
    assert_eq!(evidence["fields"]["sayso:form"], shop.id.as_str());
    assert_eq!(evidence["notice"], pending["evidence"]["notice"]);
    assert_eq!(evidence["user_agent"], "Test/1.0");
    shop.counts("simulated", 1).await;
    shop.counts("confirmed", 1).await;
}

#[tokio::test]
async fn a_link_is_confirmed_by_post_alone_and_once() {
    let shop = shop("link").await;
    let page = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert!(
        page.text.contains("Open the link in it") && !page.text.contains("/c/"),
        "{}",
        page.text
    );
    let link = shop.link(PHONE).await;
    for method in ["GET", "HEAD", "GET"] {
        let request = Request::builder().method(method).uri(&link);
        let opened = shop.app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(opened.status, StatusCode::OK);
        if method == "GET" {
            assert!(opened.text.contains("Yes, write to me."), "the words: {}", opened.text);
            assert!(opened.text.contains("SMS: Everything"), "{}", opened.text);
        }
        let policy = opened.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
    assert_eq!(shop.sms().await["reason"], "pending");
    for _ in 0..2 {
        let done = shop.app.submit(&link, &[]).await;
        assert!(done.text.contains("Confirmed"), "{}", done.text);
        shop.app.advance(Span::minutes(1));
    }
    assert_eq!(shop.sms().await["decision"], "allow");
    assert_eq!(shop.events(ADA).await.len(), 4);
}

#[tokio::test]
async fn an_answer_after_a_refusal_is_an_act_and_an_old_one_lifts_no_later_refusal() {
    let shop = shop("link").await;
    shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    let link = shop.link(PHONE).await;
    shop.app.advance(Span::minutes(1));
    shop.refuse().await;
    assert_eq!(shop.sms().await["reason"], "opted_out");
    shop.app.advance(Span::minutes(1));
    assert!(shop.app.submit(&link, &[]).await.text.contains("Confirmed"));
    assert_eq!(shop.sms().await["decision"], "allow", "scenario 38");
    shop.app.advance(Span::minutes(1));
    shop.refuse().await;
    shop.app.advance(Span::minutes(1));
    let again = shop.app.submit(&link, &[]).await;
    assert!(again.text.contains("no longer holds"), "{}", again.text);
    assert_eq!(shop.sms().await["reason"], "opted_out");
}

#[tokio::test]
async fn an_answer_after_seven_days_changes_nothing_and_the_page_asks_again() {
    for by in ["link", "code"] {
        let shop = shop(by).await;
        let page = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
        let (path, code) = match by {
            "link" => (shop.link(PHONE).await, String::new()),
            _ => (action(&page), shop.code(PHONE).await),
        };
        shop.refuse().await;
        for days in [8, 4] {
            shop.app.advance(Span::days(days));
            let opened = shop.app.open(&path).await;
            assert_eq!(opened.status, StatusCode::GONE);
            assert!(opened.text.contains("fill in the form again"), "{}", opened.text);
            let late = shop.app.submit(&path, &[("code", &code)]).await;
            assert!(late.text.contains("fill in the form again"), "{}", late.text);
        }
        assert_eq!(shop.sms().await["reason"], "opted_out");
    }
}

#[tokio::test]
async fn the_page_for_a_code_never_tells_whoever_typed_the_address_that_it_answered() {
    let shop = shop("code").await;
    let answered = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    let silent = shop.sign_up(&[("phone", "+14155552672"), (BOX, "yes")]).await;
    let done = shop.app.submit(&action(&answered), &[("code", &shop.code(PHONE).await)]).await;
    assert!(done.text.contains("Confirmed"), "{}", done.text);
    for days in [1, 5, 1, 1, 2] {
        shop.app.advance(Span::days(days));
        let mut seen = Vec::new();
        for page in [&answered, &silent] {
            let (path, token) = (action(page), between(&page.text, "action=\"/c/", "?"));
            for answer in
                [shop.app.open(&path).await, shop.app.submit(&path, &[("code", "12")]).await]
            {
                seen.push((answer.status, answer.text.replace(token, "…")));
            }
        }
        assert_eq!(seen[..2], seen[2..]);
    }
}

#[tokio::test]
async fn after_five_wrong_codes_the_right_one_is_wrong_too_and_the_page_says_the_same() {
    let shop = shop("code").await;
    let page = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    let code = shop.code(PHONE).await;
    let mut said = Vec::new();
    for _ in 0..limits::DOUBLE_OPT_IN_TRIES {
        said.push(shop.app.submit(&action(&page), &[("code", &wrong(&code))]).await);
    }
    said.push(shop.app.submit(&action(&page), &[("code", &code)]).await);
    assert_eq!(shop.sms().await["reason"], "pending");
    // Who was asked lately gets no second message, and hears the same.
    let again = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(without_token(&page), without_token(&again));
    said.push(shop.app.submit(&action(&again), &[("code", &code)]).await);
    for answer in &said {
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text.contains("This is not the code"), "{}", answer.text);
        assert_eq!(without_token(answer), without_token(&said[0]));
    }
    assert_eq!(shop.arrived(PHONE).await.len(), 1);
    shop.counts("wrong", limits::DOUBLE_OPT_IN_TRIES + 2).await;
}

#[tokio::test]
async fn what_is_no_code_is_named_and_costs_no_try() {
    let shop = shop("code").await;
    let page = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    for given in ["", "12345", "1234567", "abcdef", "12 34"] {
        for _ in 0..2 {
            let answer = shop.app.submit(&action(&page), &[("code", given)]).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(answer.text.contains("for example 048213"), "{}", answer.text);
            assert!(answer.text.contains("aria-invalid=\"true\""), "{}", answer.text);
        }
    }
    let code = shop.code(PHONE).await;
    let done = shop.app.submit(&action(&page), &[("code", &code)]).await;
    assert!(done.text.contains("Confirmed"), "{}", done.text);
}

#[tokio::test]
async fn nobody_is_asked_twice_in_three_days_and_the_older_code_confirms_what_came_after() {
    let shop = shop("code").await;
    shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    let code = shop.code(PHONE).await;
    shop.app.advance(Span::days(2));
    let again = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(shop.arrived(PHONE).await.len(), 1);
    let done = shop.app.submit(&action(&again), &[("code", &code)]).await;
    assert!(done.text.contains("Confirmed"), "{}", done.text);
    assert_eq!(shop.sms().await["decision"], "allow");
    shop.app.advance(Span::days(1));
    shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(shop.arrived(PHONE).await.len(), 2, "three days after the first");
    shop.counts("simulated", 2).await;
    shop.counts("too_soon", 1).await;
}

#[tokio::test]
async fn sending_one_page_twice_asks_once_and_shows_the_same_page() {
    let shop = shop("code").await;
    let opened = shop.opened().await;
    let first = shop.send(&opened, &[("phone", PHONE), (BOX, "yes")]).await;
    let again = shop.send(&opened, &[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(first.text, again.text);
    assert_eq!(shop.arrived(PHONE).await.len(), 1);
}

#[tokio::test]
async fn a_number_block_gets_as_many_questions_a_day_as_may_and_nobody_sees_the_limit() {
    let shop = shop("code").await;
    let most = limits::DOUBLE_OPT_INS_PER_NUMBER_BLOCK;
    let mut pages = Vec::new();
    for n in 0..=most {
        let phone = format!("+1415555{:04}", 2600 + n);
        pages.push(shop.sign_up(&[("phone", &phone), (BOX, "yes")]).await);
        let arrived = shop.arrived(&phone).await.len();
        assert_eq!(arrived, usize::from(n < most), "{phone}");
    }
    let (first, last) = (&pages[0], &pages[usize::try_from(most).unwrap()]);
    assert_eq!(without_token(first), without_token(last));
    let refused = shop.app.submit(&action(last), &[("code", "000000")]).await;
    assert!(refused.text.contains("This is not the code"), "{}", refused.text);
    shop.counts("limited", 1).await;
    shop.app.advance(Span::days(1));
    shop.sign_up(&[("phone", "+14155552699"), (BOX, "yes")]).await;
    assert_eq!(shop.arrived("+14155552699").await.len(), 1, "the next day");
}

#[tokio::test]
async fn a_question_goes_by_the_connected_sender_despite_a_refusal_and_past_no_block() {
    let shop = shop("code").await;
    let connection = json!({ "name": "trial", "provider": "sandbox" });
    let connection = shop.app.post("/v1/connections", &connection).await.json()["id"].clone();
    let sender = json!({ "name": "Harbour", "channel": "sms", "address": "+14155550100", "connection": connection });
    let sender = shop.app.post("/v1/senders", &sender).await.json()["id"].clone();
    shop.refuse().await;
    shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    let code = shop.code(PHONE).await;
    assert_eq!(shop.arrived(PHONE).await[0]["sender"], sender);
    let listed = shop.app.get("/v1/messages").await;
    assert_eq!(listed.json()["messages"][0]["category"], "authentication");
    assert!(!listed.text.contains(&code), "no answer shows it: {}", listed.text);
    shop.counts("asked", 1).await;
    let blocked = "+14155552672";
    let block = json!({ "phone": blocked, "blocked": true, "channel": "sms", "reason": "legal" });
    assert!(shop.app.post("/v1/suppressions", &block).await.status.is_success());
    shop.sign_up(&[("phone", blocked), (BOX, "yes")]).await;
    assert_eq!(shop.arrived(blocked).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_simulated_phone_gets_what_the_gate_lets_through() {
    let shop = shop("code").await;
    let [refuses, blocked, silent] = [PHONE, "+14155552672", "+14155552673"];
    shop.refuse().await;
    let block = json!({ "phone": blocked, "blocked": true, "channel": "sms", "reason": "legal" });
    assert_eq!(shop.app.post("/v1/suppressions", &block).await.status, StatusCode::CREATED);
    let no = json!({ "phone": silent, "permission": "processing", "statement": "opt_out", "standing": "act" });
    assert_eq!(shop.app.post("/v1/consents", &no).await.status, StatusCode::CREATED);
    let mut pages = Vec::new();
    for (phone, arrives) in [(refuses, 1), (blocked, 0), (silent, 0)] {
        pages.push(without_token(&shop.sign_up(&[("phone", phone), (BOX, "yes")]).await));
        assert_eq!(shop.arrived(phone).await.len(), arrives, "{phone}");
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "nobody sees who is blocked");
}

#[tokio::test]
async fn a_country_demands_it_where_the_form_does_not() {
    let shop = shop("off").await;
    let packs = json!({ "country_packs": ["in"] });
    let put = shop.app.call("PUT", "/v1/settings", &packs).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let mumbai = "+919820012345";
    let page = shop.sign_up(&[("phone", mumbai), (BOX, "yes")]).await;
    let done = shop.app.submit(&action(&page), &[("code", &shop.code(mumbai).await)]).await;
    assert!(done.text.contains("Confirmed"), "{}", done.text);
    shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(shop.arrived(PHONE).await, Vec::<Value>::new());
    assert_eq!(shop.events(ADA).await[0]["says"], "single");
}

#[tokio::test]
async fn a_phone_and_an_email_address_are_asked_for_a_code_each() {
    let form = json!({ "channels": ["sms", "email"], "double_opt_in": "code" });
    let shop = Shop::over(server().await, form).await;
    let typed =
        [("phone", PHONE), ("email", "ada@shop.example"), (BOX, "yes"), ("box-email-all", "yes")];
    let page = shop.sign_up(&typed).await;
    let next = between(&page.text, "name=\"next\" value=\"", "\"").to_owned();
    let by_phone = shop.code(PHONE).await;
    let mail = shop.app.get("/v1/sandbox/phone?email=ada%40shop.example").await.json();
    assert_eq!(mail["messages"][0]["subject"], "Please confirm: messages from Harbour Shop");
    let text = mail["messages"][0]["text"].as_str().unwrap();
    let by_mail = between(text, "Harbour Shop: ", " is").to_owned();
    let second = shop.app.submit(&action(&page), &[("code", &by_phone), ("next", &next)]).await;
    assert!(second.text.contains("One more code"), "{}", second.text);
    let done = shop.app.submit(&action(&second), &[("code", &by_mail)]).await;
    assert!(
        done.text.contains("Confirmed") && !done.text.contains("one-time-code"),
        "{}",
        done.text
    );
    for about in [ADA, "email=ada%40shop.example"] {
        assert_eq!(shop.events(about).await[0]["says"], "confirmed");
    }
}

#[tokio::test]
async fn an_answer_that_the_policy_does_not_take_for_an_opt_in_is_said_to_be_kept_alone() {
    let shop = shop("code").await;
    let by_call = json!({ "policies": { "sms": { "policy": "custom", "ways": ["call"] } } });
    assert_eq!(shop.app.call("PUT", "/v1/settings", &by_call).await.status, StatusCode::OK);
    let page = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    let code = shop.code(PHONE).await;
    let kept = shop.app.submit(&action(&page), &[("code", &code)]).await;
    assert!(kept.text.contains("Your answer is kept"), "{}", kept.text);
    assert_eq!(shop.sms().await["reason"], "pending");
}

#[tokio::test]
async fn whatsapp_is_asked_by_its_template_alone() {
    let app = server().await;
    let template = json!({ "name": "confirm_opt_in", "language": "en" });
    let without = json!({ "name": "Footer", "business": "Harbour Shop", "channels": ["whatsapp"], "notice": app.notice(&[]).await["id"], "double_opt_in": "code" });
    let refused = app.post("/v1/forms", &without).await;
    assert_eq!(
        refused.is_problem("missing-field")["errors"][0]["pointer"],
        "/double_opt_in_template"
    );
    let form = json!({ "double_opt_in": "code", "double_opt_in_template": template });
    let shop = Shop::over(app, form).await;
    let kept = shop.app.get(&format!("/v1/forms/{}", shop.id)).await.json();
    assert_eq!(
        (&kept["double_opt_in"], &kept["double_opt_in_template"]),
        (&json!("code"), &template)
    );
    let page = shop.sign_up(&[("phone", PHONE), ("box-whatsapp-all", "yes")]).await;
    let text = shop.arrived(PHONE).await[0]["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("confirm_opt_in"), "{text}");
    let code = text.split(|it: char| !it.is_ascii_digit()).find(|word| word.len() == 6).unwrap();
    let done = shop.app.submit(&action(&page), &[("code", code)]).await;
    assert!(done.text.contains("Confirmed"), "{}", done.text);
    assert_eq!(shop.status(PHONE).await["decision"], "allow");
}

#[tokio::test]
async fn a_link_needs_a_server_that_knows_its_own_url() {
    let app = TestApp::start().await;
    let form = json!({ "name": "Footer", "business": "Harbour Shop", "channels": ["sms"], "notice": app.notice(&[]).await["id"], "double_opt_in": "link" });
    let refused = app.post("/v1/forms", &form).await;
    assert_eq!(refused.is_problem("invalid-value")["errors"][0]["pointer"], "/double_opt_in");
}

#[tokio::test]
async fn a_tampered_token_is_no_page_and_one_of_another_kind_neither() {
    let shop = shop("link").await;
    shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    let link = shop.link(PHONE).await;
    let personal = shop.app.links().await.preferences.replace("/p/", "/c/");
    let cut = link[..link.len() - 1].to_owned();
    let altered = link.replace("/c/A", "/c/B");
    for path in ["/c/x", &*personal, &*cut, &*altered] {
        for answer in [shop.app.open(path).await, shop.app.submit(path, &[]).await] {
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert!(answer.text.contains("<h1>"), "{}", answer.text);
        }
    }
    assert_eq!(shop.sms().await["reason"], "pending");
}

#[tokio::test]
async fn what_is_over_is_said_in_plain_words() {
    let app = server().await;
    let topic = app.post("/v1/topics", &json!({ "name": "Offers", "category": "marketing" })).await;
    let topic = topic.json()["id"].as_str().unwrap().to_owned();
    let form = json!({ "channels": ["sms"], "topics": [topic], "double_opt_in": "link" });
    let shop = Shop::over(app, form).await;
    let ticked = format!("box-sms-topic-{topic}");
    shop.sign_up(&[("phone", PHONE), (&ticked, "yes")]).await;
    let link = shop.link(PHONE).await;
    assert!(shop.app.open(&link).await.text.contains("<bdi>Offers</bdi>"));
    shop.app.delete(&format!("/v1/topics/{topic}")).await;
    for answer in [shop.app.open(&link).await, shop.app.submit(&link, &[]).await] {
        assert_eq!(answer.status, StatusCode::GONE);
        assert!(answer.text.contains("no longer offered"), "{}", answer.text);
    }
    assert_eq!(shop.events(ADA).await.len(), 1);
}

#[tokio::test]
async fn an_erased_person_has_nothing_to_confirm() {
    let shop = shop("link").await;
    shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    let link = shop.link(PHONE).await;
    shop.app.post("/v1/erasures", &json!({ "phone": PHONE })).await;
    let answer = shop.app.submit(&link, &[]).await;
    assert_eq!(answer.status, StatusCode::GONE);
    assert_eq!(shop.sms().await["decision"], "deny");
}

#[tokio::test]
async fn the_page_for_a_code_may_be_framed_where_its_form_may() {
    let shop = shop("code").await;
    let opened = shop.opened_at("?embed=1&lang=en").await;
    let page = shop.send(&opened, &[("phone", PHONE), (BOX, "yes")]).await;
    let action = action(&page);
    assert!(action.ends_with("&embed=1"), "{action}");
    for answer in [&page, &shop.app.submit(&action, &[("code", "1")]).await] {
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'self' https://shop.example"), "{policy}");
        assert!(answer.text.contains("class=\"embedded\""), "{}", answer.text);
    }
}

#[tokio::test]
async fn whatsapp_brings_the_code_as_the_variable_of_its_template() {
    let there = Provider::at("meta").await;
    let template = json!({ "name": "confirm_opt_in", "language": "en_US" });
    let form = json!({ "double_opt_in": "code", "double_opt_in_template": template });
    let shop = Shop::over(there.app, form).await;
    there.provider.tell(Says::Answer(200, r#"{"messages":[{"id":"wamid.1"}]}"#.to_owned()));
    let page = shop.sign_up(&[("phone", PHONE), ("box-whatsapp-all", "yes")]).await;
    assert_eq!(shop.app.send_due().await, 1);
    let seen = there.provider.seen();
    let sent: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(sent["template"]["name"], "confirm_opt_in");
    let parameters = &sent["template"]["components"][0]["parameters"];
    let code = parameters[0]["text"].as_str().unwrap();
    let done = shop.app.submit(&action(&page), &[("code", code)]).await;
    assert!(done.text.contains("Confirmed"), "{}", done.text);
    assert_eq!(shop.status(PHONE).await["decision"], "allow");
}

#[tokio::test]
async fn a_text_message_brings_the_link() {
    let there = Provider::at("twilio").await;
    let form = json!({ "channels": ["sms"], "double_opt_in": "link" });
    let shop = Shop::over(there.app, form).await;
    there.provider.tell(Says::Answer(201, r#"{"sid":"SM1","status":"queued"}"#.to_owned()));
    shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
    assert_eq!(shop.app.send_due().await, 1);
    let parameters = there.provider.seen()[0].parameters();
    let (_, text) = parameters.iter().find(|(name, _)| name == "Body").unwrap();
    let link = text.split_once("https://consent.example").unwrap().1.to_owned();
    assert!(shop.app.submit(&link, &[]).await.text.contains("Confirmed"), "{text}");
    assert_eq!(shop.sms().await["decision"], "allow");
}

#[tokio::test]
async fn whatever_fails_on_the_way_sending_the_page_again_asks_once() {
    for fault in [Fault::Busy, Fault::Unreadable, Fault::Kept, Fault::Unknown] {
        let (app, store) = TestApp::faulty().await;
        let form = json!({ "channels": ["sms"], "double_opt_in": "code" });
        let shop = Shop::over(app, form).await;
        let opened = shop.opened().await;
        let typed = [("phone", PHONE), (BOX, "yes")];
        let mut calls = 0;
        // One call further each time, until nothing fails any more.
        let page = loop {
            store.fail_after(calls, fault);
            let page = shop.send(&opened, &typed).await;
            store.heal();
            if page.status == StatusCode::OK {
                break page;
            }
            assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{fault:?}: {}", page.text);
            calls += 1;
        };
        assert!(calls >= 3, "{fault:?}: {calls}");
        assert_eq!(shop.events(ADA).await.len(), 2, "{fault:?}");
        let arrived = shop.arrived(PHONE).await.len();
        // What was asked and is not known to have been has cost the message, and not the answer.
        assert_eq!(arrived, usize::from(fault != Fault::Kept), "{fault:?}");
        assert!(page.text.contains("one-time-code"), "{}", page.text);
    }
}

/// Field A9: one click leaves marketing; a sign-up with the right code comes back, and the page is true.
#[tokio::test]
async fn a9_who_left_by_one_click_comes_back_by_the_right_code() {
    for by in ["code", "link"] {
        let shop = shop(by).await;
        shop.app.agrees().await;
        shop.app.advance(Span::minutes(1));
        let left = shop.app.links().await.one_click;
        let clicked = shop.app.submit(&left, &[("List-Unsubscribe", "One-Click")]).await;
        assert!(clicked.status.is_success(), "{}", clicked.text);
        assert_eq!(shop.sms().await["reason"], "opted_out");
        shop.app.advance(Span::minutes(1));
        let page = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
        assert_eq!(shop.sms().await["reason"], "opted_out", "typing a number lifts nothing");
        let done = match by {
            "code" => {
                let code = shop.code(PHONE).await;
                shop.app.submit(&action(&page), &[("code", &code)]).await
            }
            _ => shop.app.submit(&shop.link(PHONE).await, &[]).await,
        };
        assert!(done.text.contains("Confirmed"), "{by}: {}", done.text);
        assert_eq!(shop.sms().await["decision"], "allow", "{by}");
    }
}

/// Field A9: a question that was answered is over: who left since and comes again is asked anew.
#[tokio::test]
async fn a9_an_answered_question_is_asked_anew_after_a_refusal() {
    let shop = shop("code").await;
    for round in 0..2 {
        let page = shop.sign_up(&[("phone", PHONE), (BOX, "yes")]).await;
        let code = shop.code(PHONE).await;
        let done = shop.app.submit(&action(&page), &[("code", &code)]).await;
        assert!(done.text.contains("Confirmed"), "{round}: {}", done.text);
        assert_eq!(shop.sms().await["decision"], "allow", "{round}");
        shop.app.advance(Span::minutes(5));
        shop.refuse().await;
        assert_eq!(shop.sms().await["reason"], "opted_out", "{round}");
        shop.app.advance(Span::minutes(5));
    }
}
