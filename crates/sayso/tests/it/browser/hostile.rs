//! What a page of somebody else cannot do, though it knows the addresses of our pages: show them in a frame of
//! its own, send their forms, read what they answer.

use fantoccini::Locator;
use hyper::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::showroom::Showroom;
use super::{serve_pages, window};

/// Who was never asked.
const VICTIM: &str = "+14155550177";

/// A page that can be reached from elsewhere, and what somebody would send there.
struct Target {
    url: String,
    fields: Value,
}

/// The pages, with what their forms would send if a person had ticked and pressed.
fn targets(room: &Showroom, preferences: &str, one_click: &str) -> Vec<Target> {
    let target = |url: &str, fields: Value| Target { url: url.to_owned(), fields };
    // One letter of the token is another: nobody but the person has theirs.
    let altered = |url: &str| {
        let (kept, last) = url.split_at(url.len() - 1);
        format!("{kept}{}", if last == "A" { "Q" } else { "A" })
    };
    vec![
        target(
            &format!("{}/f/{}", room.server, room.form),
            json!([["phone", VICTIM], ["box-whatsapp-all", "yes"], ["proof", "1"]]),
        ),
        target(
            &format!("{}/e/{}", room.server, room.code),
            json!([["choice", room.topics[0]], ["address", VICTIM], ["do", "opt_in"]]),
        ),
        target(&altered(preferences), json!([["act", "stop_everything"]])),
        target(&altered(one_click), json!([["act", "everything"]])),
    ]
}

async fn events(room: &mut Showroom, phone: &str) -> usize {
    let path = format!("/v1/events?phone={}&limit=100", phone.replace('+', "%2B"));
    let page = room.http.must(Method::GET, &path, None).await.body;
    page["events"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_page_of_somebody_else_can_neither_frame_nor_forge_nor_read_a_page_of_ours() {
    let mut room = Showroom::open().await;
    let person = "+14155550130";
    let (preferences, one_click) = room.person(person).await;
    let agreed = events(&mut room, person).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::task::spawn(serve_pages(listener, room.server.clone(), String::new()));
    // The one is of the same site by the rules of browsers, the other of none of ours.
    for host in ["127.0.0.1", "localhost"] {
        room.browser.goto(&format!("http://{host}:{port}/hostile.html")).await.unwrap();
        for Target { url, fields } in targets(&room, &preferences, &one_click) {
            for method in ["GET", "POST"] {
                let ask = vec![json!(url), json!(method), fields.clone()];
                let read = room.browser.execute("return window.read(...arguments)", ask).await;
                assert_eq!(read.unwrap(), "refused", "{method} {url} from {host}");
            }
            let forge = vec![json!(url), fields];
            room.browser.execute("return window.forge(...arguments)", forge).await.unwrap();
        }
    }
    let form = format!("{}/f/{}", room.server, room.form);
    let entry = format!("{}/e/{}", room.server, room.code);
    for url in [&form, &entry, &preferences, &one_click] {
        let show = vec![json!(url)];
        room.browser.execute("return window.show(...arguments)", show).await.unwrap();
        let frame = room.browser.find(Locator::Css("iframe")).await.unwrap();
        frame.enter_frame().await.unwrap();
        assert!(room.browser.find(Locator::Css("main")).await.is_err(), "{url}");
        window::leave_frames(&room.browser).await;
    }
    assert_eq!(events(&mut room, VICTIM).await, 0, "nobody was signed up");
    assert_eq!(events(&mut room, person).await, agreed, "nothing was changed");

    // One click is for mail programs of any origin (RFC 8058): who has the link can do no more than refuse.
    let click = vec![json!(one_click), json!([["List-Unsubscribe", "One-Click"]])];
    room.browser.execute("return window.forge(...arguments)", click).await.unwrap();
    let path = "/v1/events?phone=%2B14155550130&limit=100";
    let newest = room.http.must(Method::GET, path, None).await.body["events"][0].clone();
    assert_eq!(newest["says"], "opt_out", "{newest}");
    assert_eq!(events(&mut room, person).await, agreed + 1);
    room.end().await;
}
