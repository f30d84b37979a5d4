//! Leaving with one click (rule 22, RFC 8058).

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sayso_core::address::Address;
use sayso_core::address::phone::Phone;
use sayso_core::id::{SenderId, TopicId};
use sayso_core::limits;
use sayso_core::proof::link_key::LinkKey;
use sayso_core::proof::personal_link::{Leaves, LinkPurpose, Making, PersonalLink};
use sayso_core::time::Span;
use sayso_core::words::channel::Channel;
use sayso_core::workspace::Change;
use sayso_store::configure::configure_now;
use serde_json::json;

use crate::support::faulty::Fault;
use crate::support::links::PHONE;
use crate::support::{TestApp, act};

/// Who opens links without anybody having clicked: mail scanners, previews of messengers, crawlers,
/// prefetching browsers.
const OPENERS: [&str; 20] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "GoogleImageProxy",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0 A",
    "TelegramBot (like TwitterBot)",
    "Twitterbot/1.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "SkypeUriPreview Preview/0.5",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17126; Pro)",
    "Mozilla/5.0 (compatible; Microsoft Defender SmartScreen; SafeLinks)",
    "BarracudaCentral/1.0",
    "Mimecast-URL-Protect/1.0",
    "ProofPoint-URL-Defense/2.0",
    "Cisco-IronPort-WebScanner/11",
    "Viber/13.3 (preview)",
    "curl/8.5.0",
];

#[tokio::test]
async fn opening_a_link_changes_nothing_whoever_opens_it() {
    let app = TestApp::start().await;
    app.agrees().await;
    let links = app.links().await;
    let before = app.said().await;
    for path in [&links.one_click, &links.preferences] {
        for opener in OPENERS {
            for method in ["GET", "HEAD"] {
                for (name, value) in [
                    ("accept", "*/*"),
                    ("purpose", "prefetch"),
                    ("sec-purpose", "prefetch;prerender"),
                ] {
                    let request = Request::builder()
                        .method(method)
                        .uri(path)
                        .header("user-agent", opener)
                        .header(name, value);
                    let answer = app.send(request.body(Body::empty()).unwrap()).await;
                    assert_eq!(answer.status, StatusCode::OK, "{method} {path} by {opener}");
                    assert!(!answer.headers.contains_key("set-cookie"));
                }
            }
        }
    }
    assert_eq!(app.said().await, before);
    assert_eq!(app.sms(PHONE).await["decision"], "allow");
}

#[tokio::test]
async fn the_page_of_a_link_says_what_is_left_and_has_a_button() {
    let app = TestApp::start().await;
    let page = app.open(&app.links().await.one_click).await;
    for part in
        ["<dd><bdi>test</bdi></dd>", "<dd>SMS</dd>", "Offers and news", "<form method=\"post\">"]
    {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    let path = format!("{}?language=tr", app.links().await.one_click);
    assert!(app.open(&path).await.text.contains("<html lang=\"tr\" dir=\"ltr\">"));
}

#[tokio::test]
async fn any_post_acts_at_once_and_is_answered_with_200() {
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click".to_owned()),
        ("multipart/form-data; boundary=b", multipart.to_owned()),
        ("application/x-www-form-urlencoded", "act=leave".to_owned()),
        ("text/plain", String::new()),
        ("application/octet-stream", "x".repeat(200_000)),
    ] {
        let app = TestApp::start().await;
        app.agrees().await;
        let path = app.links().await.one_click;
        app.advance(Span::minutes(1));
        let request = Request::post(&path).header("content-type", kind).body(Body::from(body));
        let answer = app.send(request.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{kind}: {}", answer.text);
        assert!(!answer.headers.contains_key("location"));
        assert!(answer.text.contains("have stopped"), "{}", answer.text);
        assert_eq!(app.said().await, ["sms yes", "sms category:marketing opt_out"], "{kind}");
        assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
    }
}

#[tokio::test]
async fn one_click_leaves_marketing_on_its_channel_and_nothing_else() {
    let app = TestApp::start().await;
    app.agrees().await;
    let yes = json!({ "phone": PHONE, "channel": "whatsapp", "statement": "opt_in", "standing": "report" });
    app.post("/v1/consents", &yes).await;
    app.advance(Span::minutes(1));
    app.submit(&app.links().await.one_click, &[("List-Unsubscribe", "One-Click")]).await;
    for (channel, category, decision) in [
        ("sms", "marketing", "deny"),
        ("sms", "utility", "allow"),
        ("whatsapp", "marketing", "allow"),
    ] {
        let ask = json!({ "phone": PHONE, "channel": channel, "category": category });
        let answer = app.post("/v1/check", &ask).await.json();
        assert_eq!(answer["decision"], decision, "{channel} {category}: {answer}");
    }
    let event = &app.get("/v1/events?phone=%2B14155552671").await.json()["events"][0];
    assert_eq!(
        (&event["road"], &event["actor"], &event["standing"]),
        (&json!("one_click"), &json!("subject"), &json!("act"))
    );
    assert_eq!(event["evidence"]["user_agent"], "Test/1.0");
    assert!(!event.to_string().contains("/u/"), "the token is kept nowhere: {event}");
}

#[tokio::test]
async fn everything_stops_on_every_channel_if_the_person_says_so() {
    let app = TestApp::start().await;
    app.agrees().await;
    app.advance(Span::minutes(1));
    let done = app.submit(&app.links().await.one_click, &[("act", "everything")]).await;
    assert!(done.text.contains("everything has stopped"), "{}", done.text);
    let said = app.said().await;
    for channel in ["sms", "whatsapp", "rcs", "voice", "viber"] {
        assert!(said.contains(&format!("{channel} opt_out")), "{said:?}");
    }
    assert!(!said.contains(&"email opt_out".to_owned()), "{said:?}");
}

#[tokio::test]
async fn a_link_of_a_marketing_topic_leaves_marketing_also_when_the_topic_is_deleted() {
    let app = TestApp::start().await;
    app.agrees().await;
    let topic = app.topic("Weekly offers", "marketing").await;
    let ask = json!({ "phone": PHONE, "channel": "sms", "topic": topic });
    let path = app.links_for(&ask).await.one_click;
    for _ in 0..2 {
        app.advance(Span::minutes(1));
        assert!(app.open(&path).await.text.contains("Offers and news"));
        app.submit(&path, &[]).await;
        assert_eq!(app.said().await.last().unwrap(), "sms category:marketing opt_out");
        app.delete(&format!("/v1/topics/{topic}")).await;
    }
    assert_eq!(app.said().await.len(), 3);
    app.post("/v1/preference-links", &ask).await.is_problem("unknown-topic");
}

#[tokio::test]
async fn a_link_of_other_messages_leaves_those_and_marketing_and_says_so() {
    let app = TestApp::start().await;
    app.agrees().await;
    let topic = app.topic("Order updates", "utility").await;
    let ask = json!({ "phone": PHONE, "channel": "sms", "topic": topic });
    let path = app.links_for(&ask).await.one_click;
    app.advance(Span::minutes(1));
    let page = app.open(&path).await.text;
    assert!(page.contains("Order updates") && page.contains("Offers and news"), "{page}");
    app.submit(&path, &[]).await;
    let said = app.said().await;
    assert!(said.contains(&"sms category:marketing opt_out".to_owned()), "{said:?}");
    assert!(said.contains(&format!("sms topic:{topic} opt_out")), "{said:?}");
    app.delete(&format!("/v1/topics/{topic}")).await;
    app.submit(&path, &[]).await;
    assert_eq!(app.said().await.last().unwrap(), "sms category:utility opt_out");
}

#[tokio::test]
async fn a_link_works_again_and_again_for_years_and_after_every_rotation() {
    let app = TestApp::start().await;
    let path = app.links().await.one_click;
    for number in 1..=3 {
        let made = app.post("/v1/link-keys", &json!({})).await;
        assert_eq!((made.status, &made.json()["number"]), (StatusCode::CREATED, &json!(number)));
    }
    let keys = app.get("/v1/link-keys").await.json();
    let numbers: Vec<_> =
        keys["keys"].as_array().unwrap().iter().map(|key| &key["number"]).collect();
    assert_eq!(numbers, [3, 2, 1, 0]);
    let newer = app.links().await.one_click;
    assert_ne!(newer, path);
    let notice = app.notice(&[]).await;
    for link in [&path, &newer, &path] {
        app.advance(Span::days(900));
        let now = app.now();
        let mut yes = act(PHONE, "opt_in", &now, &notice);
        yes["scope"] = json!("category:marketing");
        app.post("/v1/consents", &yes).await;
        let answer = app.sms(PHONE).await;
        assert_eq!(answer["decision"], "allow", "{answer}");
        app.advance(Span::minutes(1));
        assert_eq!(app.submit(link, &[]).await.status, StatusCode::OK);
        assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
    }
}

/// A store that was restored from before a rotation, or from before a topic was made.
#[tokio::test]
async fn a_link_works_whose_key_and_topic_the_store_never_heard_of() {
    let app = TestApp::start().await;
    app.agrees().await;
    let secret = &app.workspace.secret;
    let link = PersonalLink {
        workspace: app.workspace.id,
        address: Address::Phone(Phone::from_digits(14_155_552_671).unwrap()).key(secret),
        channel: Channel::Sms,
        purpose: LinkPurpose::OneClick,
        leaves: Leaves::Topic(TopicId::from_bytes([9; 16])),
        sender: Some(SenderId::from_bytes([9; 16])),
        making: Making::Unsaid,
    };
    let path = format!("/u/{}", link.token(LinkKey::from_number(7), secret));
    assert!(app.open(&path).await.text.contains("<dd><bdi>Everything</bdi></dd>"));
    assert_eq!(app.submit(&path, &[]).await.status, StatusCode::OK);
    assert_eq!(app.said().await, ["sms yes", "sms opt_out"], "in doubt all of it is refused");
}

#[tokio::test]
async fn who_was_erased_can_still_refuse_by_an_old_link() {
    let app = TestApp::start().await;
    app.agrees().await;
    let links = app.links().await;
    app.post("/v1/erasures", &json!({ "phone": PHONE })).await;
    assert_eq!(app.submit(&links.one_click, &[]).await.status, StatusCode::OK);
    assert_eq!(app.said().await.last().unwrap(), "sms category:marketing opt_out");
    let page = app.open(&links.preferences).await;
    assert!(page.text.contains("no longer keep an address"), "{}", page.text);
}

#[tokio::test]
async fn a_tampered_link_is_a_page_with_a_next_step_and_changes_nothing() {
    let app = TestApp::start().await;
    app.agrees().await;
    let links = app.links().await;
    let token = links.one_click.strip_prefix("/u/").unwrap();
    let swapped: String = token.chars().rev().collect();
    let other = app.store.create_workspace("other", sayso_core::workspace::Mode::Test).await;
    drop(other.unwrap());
    for path in [
        format!("/u/{swapped}"),
        format!("/u/{}", &token[..token.len() - 1]),
        format!("/u/{token}A"),
        "/u/x".to_owned(),
        "/u/%ff".to_owned(),
        format!("/p/{token}"),
        links.preferences.replace("/p/", "/u/"),
    ] {
        for answer in [app.open(&path).await, app.submit(&path, &[("act", "everything")]).await] {
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert!(answer.text.contains("This link leads nowhere"), "{}", answer.text);
            assert!(answer.text.contains("copy the whole of it"), "{}", answer.text);
        }
    }
    assert_eq!(app.said().await, ["sms yes"]);
}

#[tokio::test]
async fn what_is_not_durable_is_never_answered_as_done() {
    for fault in Fault::ERRORS {
        let (app, store) = TestApp::faulty().await;
        app.agrees().await;
        let links = app.links().await;
        for calls_before in 0..2 {
            store.fail_after(calls_before, fault);
            let answer = app.submit(&links.one_click, &[]).await;
            store.heal();
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{fault:?} {calls_before}");
            assert!(!answer.text.contains("have stopped"), "{fault:?}: {}", answer.text);
        }
        store.fail(fault);
        assert_eq!(app.open(&links.preferences).await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn a_refusal_by_a_link_is_taken_past_every_limit_and_written_once() {
    let mut rates = crate::support::plenty();
    let hour = std::time::Duration::from_hours(1);
    let one = sayso_server::rate::Rate { requests: std::num::NonZeroU32::MIN, per: hour };
    (rates.network, rates.address) = (one, one);
    let app = TestApp::with_rates(rates).await;
    app.agrees().await;
    let links = app.links().await;
    for _ in 0..5 {
        app.advance(Span::minutes(1));
        assert_eq!(app.submit(&links.one_click, &[]).await.status, StatusCode::OK);
    }
    assert_eq!(app.said().await, ["sms yes", "sms category:marketing opt_out"]);
    // The person agreed again in the meantime: the next refusal says something new.
    let notice = app.notice(&[]).await;
    app.advance(Span::hours(2));
    let now = app.now();
    let mut yes = act(PHONE, "opt_in", &now, &notice);
    yes["scope"] = json!("category:marketing");
    app.post("/v1/consents", &yes).await;
    assert_eq!(app.sms(PHONE).await["decision"], "allow");
    app.submit(&links.one_click, &[]).await;
    assert_eq!(app.sms(PHONE).await["reason"], "opted_out");
    assert_eq!(app.open("/u/x").await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.open("/u/x").await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_ring_has_room_for_so_many_keys() {
    let app = TestApp::start().await;
    let last = LinkKey::from_number(limits::LINK_KEYS_PER_WORKSPACE_MAX - 1);
    let workspace = app.workspace.id;
    configure_now(&*app.store, workspace, Change::LinkKey(last)).await.unwrap();
    let problem = app.post("/v1/link-keys", &json!({})).await.is_problem("limit-reached");
    assert!(problem["detail"].as_str().unwrap().contains("1000"), "{problem}");
    assert_eq!(app.open(&app.links().await.one_click).await.status, StatusCode::OK);
}
