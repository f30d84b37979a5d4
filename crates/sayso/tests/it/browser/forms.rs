//! Opt-in forms in Debian's Chromium: in frames of other origins, by keyboard, with and without a
//! script, on a narrow phone and from right to left.

use fantoccini::Locator;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use hyper::Method;
use serde_json::{Value, json};

use super::looks::{look_at, photograph, pictures};
use super::{ADA, Scene, TRIES, axe, window};

const TAB: char = '\u{E004}';
const ENTER: char = '\u{E007}';
const END: char = '\u{E010}';
const ESCAPE: char = '\u{E00C}';
pub(super) const BOX: &str = "box-whatsapp-all";

/// A page of a customer with a form to show, and the form.
pub(super) struct FormScene {
    pub(super) scene: Scene,
    pub(super) id: String,
}

impl FormScene {
    pub(super) async fn open() -> Self {
        let scene = Scene::open().await;
        let form = json!({ "origins": [scene.pages] });
        Self::with(scene, form).await
    }

    /// The same in this scene, where the form is like this besides.
    pub(super) async fn with(mut scene: Scene, besides: Value) -> Self {
        let notice = json!({ "name": "Box" });
        let notice = scene.http.must(Method::POST, "/v1/notices", Some(&notice)).await.body;
        let notice = notice["id"].as_str().unwrap().to_owned();
        let version = json!({
            "version": 1, "language": "en",
            "text": "Yes, send me offers by WhatsApp. I can stop at any time by answering STOP.",
            "names": [{ "channel": "whatsapp" }],
        });
        let path = format!("/v1/notices/{notice}/versions");
        assert_eq!(scene.http.must(Method::POST, &path, Some(&version)).await.status, 201);
        let mut form = json!({
            "name": "Footer", "business": "Harbour Shop", "channels": ["whatsapp"],
            "notice": notice, "languages": { "ar": {} },
        });
        form.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
        let made = scene.http.must(Method::POST, "/v1/forms", Some(&form)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let id = made.body["id"].as_str().unwrap().to_owned();
        scene.visit("form.html").await;
        Self { scene, id }
    }

    /// Pastes the code that the server gives into the page.
    pub(super) async fn paste(&mut self, shape: &str, query: &str) {
        let path = format!("/v1/forms/{}/code{query}", self.id);
        let code = self.scene.http.must(Method::GET, &path, None).await.body;
        let code = code[shape].as_str().unwrap_or_else(|| panic!("{code}")).to_owned();
        // The client of the test calls the server by a name without its port.
        let code = code.replace("http://localhost/", &format!("{}/", self.scene.sayso));
        self.scene.browser.execute("window.paste(arguments[0])", vec![json!(code)]).await.unwrap();
    }

    pub(super) async fn press(&self, keys: &[char]) {
        let pressed = keys.iter().fold(KeyActions::new("keyboard".into()), |actions, key| {
            let actions = actions.then(KeyAction::Down { value: *key });
            actions.then(KeyAction::Up { value: *key })
        });
        self.scene.browser.perform_actions(pressed).await.unwrap();
    }

    pub(super) async fn type_text(&self, text: &str) {
        self.press(&text.chars().collect::<Vec<_>>()).await;
    }

    /// Out of every frame.
    pub(super) async fn leave(&self) {
        window::leave_frames(&self.scene.browser).await;
    }

    /// Into the frame, if there is one yet.
    async fn may_enter(&self) -> bool {
        self.leave().await;
        match self.scene.browser.find(Locator::Css("iframe")).await {
            Ok(frame) => frame.enter_frame().await.is_ok(),
            Err(_) => false,
        }
    }

    pub(super) async fn enter(&self) {
        assert!(self.may_enter().await, "there is no frame");
    }

    /// Waits until a script of the page says what is expected.
    pub(super) async fn until(&self, script: &str, expected: Value) {
        self.leave().await;
        window::until(&self.scene.browser, script, &expected).await;
    }

    /// Waits until the frame holds what is looked for, and its page is whole; stays in it.
    pub(super) async fn until_in_frame(&self, css: &str) {
        for _ in 0..TRIES {
            if self.may_enter().await && self.is_whole().await && self.holds(css).await {
                return;
            }
            self.leave().await;
            self.scene.pause().await;
        }
        self.enter().await;
        panic!("no {css} in the frame: {}", self.scene.browser.source().await.unwrap());
    }

    /// Whether the page of the frame is whole, its scripts included.
    async fn is_whole(&self) -> bool {
        let state = self.scene.browser.execute("return document.readyState", vec![]).await;
        state.is_ok_and(|state| state == "complete")
    }

    async fn holds(&self, css: &str) -> bool {
        self.scene.browser.find(Locator::Css(css)).await.is_ok()
    }

    /// The form stands inside the window, narrow and wide, and can be scrolled where it is higher.
    async fn fits(&self, shape: &str) {
        let outside = "const it = document.querySelector('dialog') ?? document.querySelector('iframe');\
            const box = it.getBoundingClientRect(); const page = document.documentElement;\
            const cross = it.querySelector('button')?.getBoundingClientRect().bottom ?? 0;\
            const frame = document.querySelector('iframe').getBoundingClientRect();\
            const high = cross > frame.top || it.tagName === 'DIALOG' && (box.top < 0 || box.bottom > innerHeight);\
            return [box.left < 0 || box.right > innerWidth || page.scrollWidth > innerWidth, high]";
        for (width, scheme) in [(360, "dark"), (1_280, "light")] {
            look_at(&self.scene.browser, (width, 740), scheme).await;
            self.until(outside, json!([false, false])).await;
            let picture = photograph(&self.scene.browser, 740).await;
            std::fs::write(pictures().join(format!("shape-{shape}-{width}.png")), picture).unwrap();
        }
    }

    /// What stands in the frame that has the focus.
    async fn focused(&self) -> Value {
        self.enter().await;
        let script = "return document.activeElement ? document.activeElement.id : null";
        self.scene.browser.execute(script, vec![]).await.unwrap()
    }

    pub(super) async fn end(self) {
        self.leave().await;
        self.scene.end().await;
    }
}

#[tokio::test]
async fn a_form_in_a_frame_of_another_origin_is_filled_in_by_keyboard_alone() {
    let mut shop = FormScene::open().await;
    shop.paste("iframe", "").await;
    shop.until_in_frame("#phone").await;
    let height = "const frame = document.querySelector('iframe'); return frame.offsetHeight !== 640 && frame.offsetHeight > 300";
    shop.until(height, json!(true)).await;
    let join = shop.scene.browser.find(Locator::Id("join")).await.unwrap();
    join.send_keys(&TAB.to_string()).await.unwrap();
    assert_eq!(shop.focused().await, "phone");
    shop.type_text("+1 415 555 01").await;
    shop.press(&[TAB]).await;
    assert_eq!(shop.focused().await, BOX);
    axe::finds_nothing(&shop.scene.browser, "a form in a frame").await;
    shop.press(&[TAB, ENTER]).await;
    // Two faults, told in a summary that has the focus; the first link leads to its field.
    shop.until_in_frame(".summary:focus").await;
    assert_eq!(shop.scene.browser.find_all(Locator::Css(".summary li")).await.unwrap().len(), 2);
    axe::finds_nothing(&shop.scene.browser, "a form in a frame with faults").await;
    shop.press(&[TAB, ENTER]).await;
    assert_eq!(shop.focused().await, "phone");
    shop.press(&[END]).await;
    shop.type_text("23").await;
    shop.press(&[TAB, ' ', TAB, ENTER]).await;
    shop.until_in_frame("[data-sayso=done]").await;
    axe::finds_nothing(&shop.scene.browser, "a form in a frame that was sent").await;
    shop.until("return window.heard", json!(["done"])).await;
    shop.scene.has_said(ADA, &["whatsapp single", "whatsapp category:marketing single"]).await;
    let events = shop.scene.http.must(Method::GET, &format!("/v1/events?{ADA}"), None).await.body;
    let evidence = &events["events"][0]["evidence"];
    assert_eq!(evidence["page"], format!("{}/", shop.scene.pages), "as far as browsers tell");
    shop.end().await;
}

#[tokio::test]
async fn a_form_works_in_a_sandbox_without_scripts() {
    let shop = FormScene::open().await;
    let frame = "const frame = document.createElement('iframe');\
        frame.setAttribute('sandbox', 'allow-forms'); frame.src = arguments[0]; frame.height = 900;\
        document.getElementById('place').append(frame);";
    let url = json!(format!("{}/f/{}?embed=1", shop.scene.sayso, shop.id));
    shop.scene.browser.execute(frame, vec![url]).await.unwrap();
    shop.until_in_frame("#phone").await;
    let find = async |css: &str| shop.scene.browser.find(Locator::Css(css)).await.unwrap();
    find("#phone").await.send_keys("+14155550123").await.unwrap();
    find(&format!("#{BOX}")).await.click().await.unwrap();
    find("button").await.click().await.unwrap();
    shop.until_in_frame(".summary").await;
    // Whoever presses again and again is let in once the wait is over.
    for _ in 0..TRIES {
        if let Ok(button) = shop.scene.browser.find(Locator::Css("button")).await {
            // The page may be on its way already.
            drop(button.click().await);
        }
        shop.leave().await;
        for _ in 0..10 {
            shop.scene.pause().await;
        }
        shop.enter().await;
        if shop.scene.browser.find(Locator::Css("[data-sayso=done]")).await.is_ok() {
            break;
        }
    }
    shop.until_in_frame("[data-sayso=done]").await;
    shop.leave().await;
    let mut shop = shop;
    shop.scene.has_said(ADA, &["whatsapp single", "whatsapp category:marketing single"]).await;
    shop.end().await;
}

#[tokio::test]
async fn on_a_narrow_phone_and_from_right_to_left_nothing_is_cut_off() {
    let mut shop = FormScene::open().await;
    shop.scene
        .browser
        .execute("document.getElementById('place').style.width = '360px'", vec![])
        .await
        .unwrap();
    shop.paste("iframe", "?language=ar").await;
    shop.until_in_frame("html[dir=rtl] #phone").await;
    let look = "const page = document.documentElement; return [page.clientWidth, page.scrollWidth,\
        getComputedStyle(document.getElementById('phone')).direction,\
        [...document.querySelectorAll('button, input[type=checkbox] , input[type=tel]')]\
          .every((it) => it.offsetHeight >= 22)]";
    let found = shop.scene.browser.execute(look, vec![]).await.unwrap();
    assert_eq!(
        found,
        json!([360, 360, "ltr", true]),
        "width, width of what is in it, number, targets"
    );
    shop.end().await;
}

#[tokio::test]
async fn a_popup_holds_the_focus_and_escape_gives_it_back() {
    let mut shop = FormScene::open().await;
    shop.paste("popup", "?trigger=click:%23join").await;
    let loaded = "return performance.getEntriesByType('resource').some((it) => it.name.includes('/form.js'))";
    shop.until(loaded, json!(true)).await;
    shop.scene.browser.execute("document.getElementById('join').focus()", vec![]).await.unwrap();
    shop.until("document.getElementById('join').click(); return window.heard", json!(["shown"]))
        .await;
    axe::finds_nothing(&shop.scene.browser, "a page with a popup").await;
    shop.until_in_frame("#phone").await;
    // Round and round: the page behind is never reached.
    for _ in 0..12 {
        shop.leave().await;
        shop.press(&[TAB]).await;
        let script = "const at = document.activeElement; return at === document.body || !!at.closest('dialog')";
        assert_eq!(shop.scene.browser.execute(script, vec![]).await.unwrap(), json!(true));
    }
    shop.enter().await;
    shop.scene
        .browser
        .find(Locator::Id("phone"))
        .await
        .unwrap()
        .send_keys(&ESCAPE.to_string())
        .await
        .unwrap();
    shop.until("return [window.heard, document.activeElement.id, document.querySelectorAll('dialog').length]", json!([["shown", "closed"], "join", 0])).await;
    shop.end().await;
}

#[tokio::test]
async fn each_shape_of_a_form_appears_and_knows_its_page() {
    let mut shop = FormScene::open().await;
    for (shape, query) in [
        ("inline", ""),
        ("slide_in", "?trigger=time:0"),
        ("bar", "?trigger=scroll:0"),
        ("popup", "?trigger=time:0"),
    ] {
        shop.scene.visit("form.html").await;
        shop.paste(shape, query).await;
        // A popup takes the focus; the others leave the page to its reader.
        let holder = if shape == "popup" { "BUTTON" } else { "BODY" };
        let shown = "return [window.heard, document.activeElement.tagName]";
        shop.until(shown, json!([["shown"], holder])).await;
        shop.until_in_frame("#phone").await;
        let page = shop.scene.browser.find(Locator::Css("[name=page]")).await.unwrap();
        let page = page.attr("value").await.unwrap();
        assert_eq!(page, Some(format!("{}/form.html", shop.scene.pages)), "{shape}");
        shop.leave().await;
        shop.fits(shape).await;
    }
    shop.end().await;
}
