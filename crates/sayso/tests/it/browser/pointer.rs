//! By pointer: a form that is filled in and sent, the popup that appears as the pointer leaves the window or by the
//! tag alone and is closed by its cross, and the page that a form leads on to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use fantoccini::Locator;
use hyper::Method;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::forms::{BOX, FormScene};
use super::window::{devtools, until};
use super::{ADA, Scene};
use crate::doctor::tls;

/// Serves the pages of the folder over TLS. Browsers open connections that they may never use, so each is
/// served beside the others.
fn serve_securely() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = tls("server.pem");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let config = Arc::clone(&config);
            // A browser that went away needs no page.
            std::thread::spawn(move || drop(answer(config, stream.unwrap())));
        }
    });
    address
}

fn answer(config: Arc<ServerConfig>, stream: TcpStream) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let mut request = [0; 8_192];
    let read = stream.read(&mut request)?;
    let line = String::from_utf8_lossy(&request[..read]).into_owned();
    let name = line.split([' ', '?']).nth(1).unwrap_or_default().trim_start_matches('/');
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/pages");
    let text = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\ncontent-length:";
    write!(stream, "{head} {}\r\n\r\n{text}", text.len())?;
    stream.flush()
}

impl FormScene {
    /// Has the tag of the site show the form.
    async fn shown_by_tag(&mut self) {
        let path = format!("/v1/forms/{}", self.id);
        let sites = self.scene.http.must(Method::GET, "/v1/sites", None).await.body;
        let mut form = self.scene.http.must(Method::GET, &path, None).await.body;
        for told in ["id", "version", "path", "findings"] {
            form.as_object_mut().unwrap().remove(told);
        }
        let site = &sites["sites"][0]["site"];
        form["shown_by_tag"] = json!([{ "site": site, "shape": "popup", "trigger": "time:0" }]);
        let changed = self.scene.http.must(Method::PUT, &path, Some(&form)).await;
        assert_eq!(changed.status, 200, "{changed:?}");
    }

    async fn point_at(&self, css: &str) {
        self.scene.browser.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
    }

    /// Fills in the form of the frame and sends it.
    async fn sign_up(&self) {
        self.until_in_frame("#phone").await;
        self.point_at("#phone").await;
        self.type_text("+14155550123").await;
        // The label is as good as its box.
        self.point_at(&format!("label[for={BOX}]")).await;
        self.point_at("button").await;
    }
}

#[tokio::test]
async fn a_form_is_filled_in_and_sent_by_pointer() {
    let mut shop = FormScene::open().await;
    shop.paste("inline", "").await;
    shop.sign_up().await;
    shop.until_in_frame("[data-sayso=done]").await;
    shop.until("return window.heard", json!(["shown", "done"])).await;
    shop.scene.has_said(ADA, &["whatsapp single", "whatsapp category:marketing single"]).await;
    shop.end().await;
}

#[tokio::test]
async fn a_popup_appears_once_as_the_pointer_leaves_and_its_cross_closes_it() {
    let mut shop = FormScene::open().await;
    shop.paste("popup", "?trigger=exit").await;
    // The script has run, and listens.
    shop.until("return 'saysoForms' in window", json!(true)).await;
    let leave = async || {
        for y in [200, 20, -20] {
            let moved = json!({ "type": "mouseMoved", "x": 200, "y": y });
            devtools(&shop.scene.browser, "Input.dispatchMouseEvent", moved).await;
        }
    };
    leave().await;
    shop.until("return window.heard", json!(["shown"])).await;
    shop.until_in_frame("#phone").await;
    shop.leave().await;
    shop.point_at("dialog button").await;
    shop.until(
        "return [window.heard, !document.querySelector('dialog')]",
        json!([["shown", "closed"], true]),
    )
    .await;
    leave().await;
    shop.scene.let_settle().await;
    shop.until("return window.heard", json!(["shown", "closed"])).await;
    shop.end().await;
}

#[tokio::test]
async fn the_tag_alone_shows_a_form_and_none_to_who_refuses_processing() {
    let mut shop = FormScene::open().await;
    shop.shown_by_tag().await;
    for visitor in ["", "?gdpr=yes"] {
        shop.scene.visit(&format!("tag-form.html{visitor}")).await;
        shop.until("return window.heard", json!(["shown"])).await;
    }
    shop.sign_up().await;
    shop.until_in_frame("[data-sayso=done]").await;
    shop.until("return window.heard", json!(["shown", "done"])).await;
    shop.scene.has_said(ADA, &["whatsapp single", "whatsapp category:marketing single"]).await;
    shop.scene.nothing_is_stored().await;
    shop.scene.visit("tag-form.html?gdpr=no").await;
    shop.scene.has_said("phone=%2B14155550128", &["processing yes", "processing no"]).await;
    shop.scene.let_settle().await;
    shop.until("return [window.heard, document.querySelectorAll('dialog').length]", json!([[], 0]))
        .await;
    shop.end().await;
}

#[tokio::test]
async fn once_sent_a_form_leads_the_page_around_it_on() {
    let pages = format!("https://{}", serve_securely());
    let scene = Scene::open_with(&["--ignore-certificate-errors"], json!({})).await;
    let thanks = format!("{pages}/thanks.html");
    let mut shop = FormScene::with(scene, json!({ "origins": [pages], "redirect": thanks })).await;
    shop.scene.pages = pages;
    shop.scene.visit("form.html").await;
    shop.paste("inline", "").await;
    shop.sign_up().await;
    shop.leave().await;
    until(&shop.scene.browser, "return location.href", &json!(thanks)).await;
    shop.scene.has_said(ADA, &["whatsapp single", "whatsapp category:marketing single"]).await;
    shop.end().await;
}
