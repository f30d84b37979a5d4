//! Settings, senders, topics, notices, sites.

use axum::body::Body;
use axum::http::StatusCode;
use sayso_core::id::{NoticeId, SenderId, TopicId};
use sayso_core::limits;
use sayso_core::time::Span;
use sayso_core::workspace::{Change, Sender, Site, Topic};
use sayso_store::configure::configure_now;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

#[tokio::test]
async fn settings_are_dated_and_the_default_of_then_answers_for_then() {
    let app = TestApp::start().await;
    let before = app.now();
    app.advance(Span::hours(1));
    let put = app
        .call("PUT", "/v1/settings", &json!({ "defaults": { "sms": "opted_in" }, "region": "DE" }))
        .await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let ask = |at: &str| json!({ "channel": "sms", "phone": "+14155552671", "category": "utility", "as_of": at });
    assert_eq!(app.post("/v1/check", &ask(&before)).await.json()["decision"], "deny");
    assert_eq!(app.post("/v1/check", &ask(&app.now())).await.json()["decision"], "allow");
    assert_eq!(
        app.sms("+14155552671").await["decision"],
        "deny",
        "marketing by SMS is never in by default"
    );
    assert_eq!(
        app.get(&format!("/v1/settings?as_of={before}")).await.json()["defaults"]["sms"],
        "opted_out"
    );
    assert_eq!(app.get("/v1/settings").await.json()["region"], "DE");
}

#[tokio::test]
async fn marketing_to_people_who_said_nothing_must_be_acknowledged() {
    let app = TestApp::start().await;
    let mut settings = json!({ "defaults": { "email": "opted_in_acknowledged" } });
    let problem =
        app.call("PUT", "/v1/settings", &settings).await.is_problem("acknowledgement-required");
    settings["acknowledgement"] = problem["errors"][0]["example"].clone();
    assert_eq!(app.call("PUT", "/v1/settings", &settings).await.status, StatusCode::OK);
    let wrong = json!({ "defaults": { "fax": "opted_in", "sms": "perhaps" }, "least_levels": { "sms": "some" } });
    let problem = app.call("PUT", "/v1/settings", &wrong).await.is_problem("invalid-fields");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 4, "and what was left out: {problem}");
}

#[tokio::test]
async fn a_published_version_never_changes() {
    let app = TestApp::start().await;
    let id = app.post("/v1/notices", &json!({ "name": "Box" })).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let version = |text: &str| json!({ "version": 1, "language": "en", "text": text, "names": [{ "channel": "sms" }] });
    let path = format!("/v1/notices/{id}/versions");
    assert_eq!(app.post(&path, &version("Yes.")).await.status, StatusCode::CREATED);
    assert_eq!(app.post(&path, &version("Yes.")).await.status, StatusCode::CREATED);
    app.post(&path, &version("No.")).await.is_problem("version-exists");
    let read = app.get(&format!("/v1/notices/{id}")).await.json();
    assert_eq!(read["versions"][0]["text"], "Yes.");
    assert_eq!(
        read["versions"][0]["names"],
        json!([{ "permission": "messages", "channel": "sms", "scope": "all" }])
    );
    assert_eq!(app.get("/v1/notices").await.json()["notices"][0], read);
}

#[tokio::test]
async fn a_topic_keeps_its_category_and_refusals_outlive_it() {
    let app = TestApp::start().await;
    let topic =
        app.post("/v1/topics", &json!({ "name": "Offers", "category": "marketing" })).await.json();
    let id = topic["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/topics/{id}");
    app.call("PUT", &path, &json!({ "name": "Offers", "category": "utility" }))
        .await
        .is_problem("category-fixed");
    assert_eq!(app.call("PUT", &path, &json!({ "name": "Sales" })).await.json()["name"], "Sales");
    app.delete(&path).await;
    assert!(app.get("/v1/topics").await.json()["topics"][0]["deleted_at"].is_string());
    let phone = "+14155552671";
    let scoped = |statement: &str| json!({ "phone": phone, "channel": "sms", "scope": format!("topic:{id}"), "statement": statement, "standing": "report" });
    assert_eq!(
        app.post("/v1/consents", &scoped("opt_out")).await.json()["scope"],
        format!("topic:{id}")
    );
    let late = app.post("/v1/consents", &scoped("opt_in")).await.json();
    assert_eq!(late["doubt"]["reason"], "unknown_topic", "{late}");
    assert_eq!(late["consent"]["status"], "opted_out", "a pending lifts nothing");
    app.post("/v1/check", &json!({ "channel": "sms", "phone": phone, "topic": id }))
        .await
        .is_problem("unknown-topic");
}

#[tokio::test]
async fn senders_are_made_changed_and_deleted() {
    let app = TestApp::start().await;
    let made = app
        .post("/v1/senders", &json!({ "channel": "sms", "name": "Shop", "address": "12345" }))
        .await;
    assert_eq!(made.status, StatusCode::CREATED);
    let path = format!("/v1/senders/{}", made.json()["id"].as_str().unwrap());
    let moved = json!({ "channel": "email", "name": "Shop", "address": "12345" });
    app.call("PUT", &path, &moved).await.is_problem("invalid-value");
    assert_eq!(
        app.call("PUT", &path, &json!({ "name": "New", "address": "1" })).await.json()["name"],
        "New"
    );
    assert!(app.delete(&path).await.json()["deleted_at"].is_string());
    app.post("/v1/senders", &json!({ "name": " " })).await.is_problem("invalid-fields");
}

#[tokio::test]
async fn deleting_a_sender_deletes_no_refusal() {
    let app = TestApp::start().await;
    let sender = json!({ "channel": "sms", "name": "Shop", "address": "12345" });
    let made = app.post("/v1/senders", &sender).await.json();
    let id = made["id"].as_str().unwrap();
    let phone = "+14155552671";
    let said = |statement: &str| json!({ "phone": phone, "channel": "sms", "scope": format!("sender:{id}"), "statement": statement, "standing": "report" });
    app.post("/v1/consents", &said("opt_out")).await;
    app.delete(&format!("/v1/senders/{id}")).await;
    // Rule 17: the refusal stays, and one that comes later is of that sender still.
    let late = app.post("/v1/consents", &said("opt_out")).await.json();
    assert_eq!(
        (&late["scope"], &late["consent"]["status"]),
        (&json!(format!("sender:{id}")), &json!("opted_out"))
    );
    let doubtful = app.post("/v1/consents", &said("opt_in")).await.json();
    assert_eq!(doubtful["doubt"]["reason"], "unknown_sender");
    assert_eq!(doubtful["consent"]["status"], "opted_out");
}

#[tokio::test]
async fn a_site_shows_its_secret_once() {
    let app = TestApp::start().await;
    let made = app.site().await;
    let secret = made["user_hash_secret"].as_str().unwrap();
    assert!(made["site"].as_str().unwrap().starts_with("site_"));
    let listed = app.get("/v1/sites").await;
    assert!(!listed.text.contains(secret) && listed.json()["sites"][0]["user_hash"] == true);
    let path = format!("/v1/sites/{}", made["site"].as_str().unwrap());
    let wrong = app
        .call("PUT", &path, &json!({ "origins": ["shop.example"] }))
        .await
        .is_problem("invalid-value");
    assert_eq!(wrong["errors"][0]["pointer"], "/origins/0");
    let kept = app.call("PUT", &path, &json!({ "origins": ["https://two.example"] })).await.json();
    assert_eq!(
        (&kept["origins"], &kept["user_hash"]),
        (&json!(["https://two.example"]), &json!(true))
    );
}

/// Asserts that a workspace which lacks one of its `most` is given it, and refused one more.
async fn is_full_at(most: usize, change: impl Fn([u8; 16]) -> Change, path: &str, body: Value) {
    let app = TestApp::start().await;
    for n in 1..most {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        configure_now(&*app.store, app.workspace.id, change(id)).await.unwrap();
    }
    let last = app.post(path, &body).await;
    assert_eq!(last.status, StatusCode::CREATED, "{path}: {}", last.text);
    let past = app.post(path, &body).await;
    let detail = past.is_problem("limit-reached")["detail"].as_str().unwrap().to_owned();
    assert!(detail.ends_with(&format!("_PER_WORKSPACE_MAX is {most}")), "{path}: {detail}");
    assert_eq!(past.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_workspace_holds_no_more_senders_than_its_limit() {
    let channel = sayso_core::words::channel::Channel::Sms;
    // What was deleted counts: consents may name it.
    let deleted_at = Some(sayso_core::time::Timestamp::DISTANT_PAST);
    let sender = |id| {
        let sender = Sender {
            channel,
            name: "s".into(),
            address: "1".into(),
            connection: None,
            question: None,
            deleted_at,
        };
        Change::Sender(SenderId::from_bytes(id), sender)
    };
    let one = json!({ "channel": "sms", "name": "Shop", "address": "12345" });
    is_full_at(limits::SENDERS_PER_WORKSPACE_MAX, sender, "/v1/senders", one).await;
}

#[tokio::test]
async fn a_workspace_holds_no_more_topics_than_its_limit() {
    let category = sayso_core::words::channel::Category::Marketing;
    let topic = |id| {
        let topic = Topic { name: "t".into(), category, code: None, deleted_at: None };
        Change::Topic(TopicId::from_bytes(id), topic)
    };
    let one = json!({ "name": "Offers", "category": "marketing" });
    is_full_at(limits::TOPICS_PER_WORKSPACE_MAX, topic, "/v1/topics", one).await;
}

#[tokio::test]
async fn a_workspace_holds_no_more_notices_than_its_limit() {
    let notice = |id| Change::NoticeName(NoticeId::from_bytes(id), "n".into());
    let one = json!({ "name": "Box" });
    is_full_at(limits::NOTICES_PER_WORKSPACE_MAX, notice, "/v1/notices", one).await;
}

#[tokio::test]
async fn a_workspace_holds_no_more_sites_than_its_limit() {
    let name = |text: &str| sayso_core::words::source::SourceName::parse(text).unwrap();
    let site = |id| {
        let site = Site {
            name: name("s"),
            origins: Vec::new(),
            user_hash_secret: None,
            requires_user_hash: false,
            deleted_at: None,
        };
        Change::Site(name(&format!("site_{}", u128::from_be_bytes(id))), site)
    };
    let one = json!({ "name": "s", "origins": ["https://shop.example"] });
    is_full_at(limits::SITES_PER_WORKSPACE_MAX, site, "/v1/sites", one).await;
}

/// Asks to make something under an idempotency key.
async fn make(app: &TestApp, path: &str, key: &str, body: &Value) -> Answer {
    let request = app.request("POST", path).header("content-type", "application/json");
    let request = request.header("idempotency-key", key);
    app.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_list_comes_in_pages_that_hold_every_item_once() {
    let app = TestApp::start().await;
    for n in 0..7 {
        app.post("/v1/topics", &json!({ "name": format!("t{n}"), "category": "marketing" })).await;
        app.advance(Span::seconds(1));
    }
    let (mut names, mut path) = (Vec::new(), "/v1/topics?limit=3".to_owned());
    loop {
        let page = app.get(&path).await.json();
        let topics = page["topics"].as_array().unwrap();
        assert!((1..=3).contains(&topics.len()));
        names.extend(topics.iter().map(|topic| topic["name"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/topics?limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["t0", "t1", "t2", "t3", "t4", "t5", "t6"]);
    app.get("/v1/topics?cursor=top_nobody").await.is_problem("invalid-value");
    app.get("/v1/senders?limit=501").await.is_problem("invalid-value");
}

#[tokio::test]
async fn what_is_asked_for_again_with_its_key_is_made_once() {
    let app = TestApp::start().await;
    let cases = [
        ("/v1/senders", json!({ "channel": "sms", "name": "Shop", "address": "12345" }), "senders"),
        ("/v1/topics", json!({ "name": "Offers", "category": "marketing" }), "topics"),
        ("/v1/notices", json!({ "name": "Box" }), "notices"),
        ("/v1/sites", json!({ "name": "s", "origins": ["https://shop.example"] }), "sites"),
    ];
    for (path, body, items) in cases {
        let first = make(&app, path, "k-1", &body).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
        app.advance(Span::hours(40));
        let again = make(&app, path, "k-1", &body).await;
        assert_eq!((again.status, &again.text), (StatusCode::CREATED, &first.text));
        let mut other = body.clone();
        other["name"] = json!("Another");
        make(&app, path, "k-1", &other).await.is_problem("idempotency-key-reused");
        let second = make(&app, path, "k-2", &body).await;
        assert_ne!(second.text, first.text);
        assert_eq!(app.get(path).await.json()[items].as_array().unwrap().len(), 2, "{path}");
    }
}

#[tokio::test]
async fn requests_with_one_key_that_come_at_once_make_one_thing() {
    let app = TestApp::start().await;
    let body = json!({ "name": "Box" });
    let asked = (0..8).map(|_| make(&app, "/v1/notices", "k", &body));
    let answers = futures_util::future::join_all(asked).await;
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
    assert_eq!(app.get("/v1/notices").await.json()["notices"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_is_not_said_again_to_the_key_that_made_it() {
    let app = TestApp::start().await;
    let body = json!({ "name": "shop", "scopes": ["check"] });
    let made = make(&app, "/v1/keys", "k", &body).await.json();
    let again = make(&app, "/v1/keys", "k", &body).await.is_problem("idempotency-key-reused");
    assert!(again["detail"].as_str().unwrap().contains(made["id"].as_str().unwrap()));
    let site =
        json!({ "name": "s", "origins": ["https://shop.example"], "new_user_hash_secret": true });
    assert_eq!(make(&app, "/v1/sites", "k", &site).await.status, StatusCode::CREATED);
    make(&app, "/v1/sites", "k", &site).await.is_problem("idempotency-key-reused");
}

#[tokio::test]
async fn quiet_hours_and_caps_are_kept_as_they_were_put_and_past_ones_answer_for_then() {
    let app = TestApp::start().await;
    let before = app.now();
    let night = json!({ "from": "21:00", "to": "08:00", "categories": ["marketing", "utility"] });
    let caps = json!([
        { "category": "marketing", "messages": 1_000, "hours": 720 },
        { "channel": "sms", "category": "marketing", "messages": 1, "hours": 1 },
    ]);
    let settings = json!({ "quiet_hours": { "sms": night }, "frequency_caps": caps });
    assert_eq!(app.call("PUT", "/v1/settings", &settings).await.status, StatusCode::OK);
    let now = app.get("/v1/settings").await.json();
    assert_eq!((&now["quiet_hours"], &now["frequency_caps"]), (&json!({ "sms": night }), &caps));
    let then = app.get(&format!("/v1/settings?as_of={before}")).await.json();
    assert_eq!((&then["quiet_hours"], &then["frequency_caps"]), (&json!({}), &json!([])));
    app.reset_settings().await;
    let plain = json!({ "quiet_hours": { "email": { "from": "20:00", "to": "00:00" } } });
    let put = app.call("PUT", "/v1/settings", &plain).await.json();
    assert_eq!(put["quiet_hours"]["email"]["categories"], json!(["marketing"]));
}

#[tokio::test]
async fn what_can_be_no_quiet_hours_and_no_cap_is_refused_by_field() {
    let app = TestApp::start().await;
    let wrong = json!({
        "quiet_hours": {
            "fax": { "from": "21:00", "to": "08:00" },
            "sms": { "from": "9pm", "to": "24:00" },
            "email": { "from": "08:00", "to": "08:00" },
            "rcs": { "from": "21:00", "to": "08:00", "categories": ["authentication"] },
            "push": { "from": "21:00", "to": "08:00", "categories": [] },
            "line": {},
        },
        "frequency_caps": [
            { "messages": 3, "hours": 24 },
            { "category": "marketing", "messages": 1_001, "hours": 24 },
            { "category": "marketing", "messages": 0, "hours": 24 },
            { "category": "marketing", "messages": 1, "hours": 721 },
            { "category": "marketing", "channel": "fax", "messages": 1, "hours": 24 },
        ],
    });
    let problem = app.call("PUT", "/v1/settings", &wrong).await.is_problem("invalid-fields");
    let errors = problem["errors"].as_array().unwrap();
    let mut places: Vec<&str> =
        errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "/frequency_caps/0/category",
            "/frequency_caps/1/messages",
            "/frequency_caps/2/messages",
            "/frequency_caps/3/hours",
            "/frequency_caps/4/channel",
            "/quiet_hours/email/to",
            "/quiet_hours/fax",
            "/quiet_hours/line/from",
            "/quiet_hours/line/to",
            "/quiet_hours/push/categories",
            "/quiet_hours/rcs/categories",
            "/quiet_hours/sms/from",
            "/quiet_hours/sms/to",
        ]
    );
    assert!(errors.iter().all(|error| error["example"].is_string()), "{problem}");
    let cap = json!({ "category": "marketing", "messages": 1, "hours": 1 });
    let many = json!({ "frequency_caps": vec![cap; 33] });
    let problem = app.call("PUT", "/v1/settings", &many).await.is_problem("invalid-value");
    assert_eq!(problem["errors"][0]["pointer"], "/frequency_caps");
}
