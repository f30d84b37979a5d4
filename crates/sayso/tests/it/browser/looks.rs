//! Every page that people see, as it looks: narrow and wide, light and dark, in every language. Each look is
//! kept as a picture under `target/screenshots`.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::axe;
use super::showroom::{LANGUAGES, Showroom};
use super::window::{devtools, leave_by, script};

/// How high a picture is at the most, in pixels: a reference is longer than anybody looks at.
const PICTURE_HEIGHT_MAX: u64 = 2_000;

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
struct Look {
    width: u32,
    scheme: &'static str,
}

const LOOKS: [Look; 4] = [
    Look { width: 360, scheme: "light" },
    Look { width: 360, scheme: "dark" },
    Look { width: 1_280, scheme: "dark" },
    Look { width: 1_280, scheme: "light" },
];

/// What a person does on a page before it looks as it is to be looked at.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Writes this into what is found.
    Write(&'static str, &'static str),
    /// Ticks or unticks every box that is found.
    Tick(&'static str),
    /// Presses what is found, which leads to another page.
    Press(&'static str),
}

/// A page in one state.
#[derive(Debug)]
struct Stop {
    name: &'static str,
    url: String,
    steps: &'static [Step],
}

/// What is wrong with how a page looks: wider than the screen, in another language or direction, targets that
/// are too small or cut off, something kept in the browser.
const FAULTS: &str = "const [width, language] = WISHES; const page = document.documentElement; const faults = [];\
    if (page.scrollWidth > width) faults.push('is ' + page.scrollWidth + ' px wide');\
    const direction = language === 'ar' ? 'rtl' : 'ltr';\
    if (page.lang !== language) faults.push('is in ' + page.lang);\
    if (getComputedStyle(page).direction !== direction) faults.push('does not run ' + direction);\
    for (const it of document.querySelectorAll('a, button, summary, select, input:not([type=hidden])')) {\
      if (!it.checkVisibility() || it.closest('.hidden-from-people')) continue;\
      const { width, height } = it.getBoundingClientRect();\
      if (getComputedStyle(it).display !== 'inline' && Math.min(width, height) < 24)\
        faults.push(width + ' x ' + height + ' px: ' + it.outerHTML);\
      if (it.scrollWidth > it.clientWidth + 1 && it.tagName === 'BUTTON') faults.push('cut off: ' + it.outerHTML);\
    }\
    for (const it of document.querySelectorAll('option'))\
      if (direction === 'rtl' && /[^\\u2066]\\+[0-9]/.test(it.textContent)) faults.push('sign on the wrong side: ' + it.outerHTML);\
    if (document.cookie || localStorage.length || sessionStorage.length) faults.push('keeps something');\
    return faults;";

/// Where pictures of the run are kept.
pub(super) fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// From now on the browser prefers this language, as its owner set it.
pub(super) async fn prefer(browser: &Client, language: &str) {
    let agent = script(browser, "return navigator.userAgent").await;
    let wish = json!({ "userAgent": agent, "acceptLanguage": language });
    devtools(browser, "Emulation.setUserAgentOverride", wish).await;
}

/// From now on the browser has a screen of this size and these colors.
pub(super) async fn look_at(browser: &Client, (width, height): (u32, u32), scheme: &str) {
    screen(browser, u64::from(width), u64::from(height)).await;
    let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
    devtools(browser, "Emulation.setEmulatedMedia", json!({ "features": features })).await;
}

async fn screen(browser: &Client, width: u64, height: u64) {
    let is_phone = width < 600;
    let screen =
        json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone });
    devtools(browser, "Emulation.setDeviceMetricsOverride", screen).await;
}

/// A picture of the page, as high as the page is or this, and so is the screen from now on: what is taken
/// beyond a screen begins beside the edge of a page from right to left.
pub(super) async fn photograph(browser: &Client, height_max: u64) -> Vec<u8> {
    let size = "return [innerWidth, document.documentElement.scrollHeight]";
    let size = script(browser, size).await;
    let height = size[1].as_u64().unwrap().min(height_max);
    screen(browser, size[0].as_u64().unwrap(), height).await;
    let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": height, "scale": 1 });
    let wish = json!({ "format": "png", "captureBeyondViewport": false, "clip": clip });
    let picture = devtools(browser, "Page.captureScreenshot", wish).await;
    STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()
}

impl Step {
    async fn run(self, browser: &Client) {
        match self {
            Self::Write(css, text) => {
                let field = browser.find(Locator::Css(css)).await.unwrap();
                field.clear().await.unwrap();
                field.send_keys(text).await.unwrap();
            }
            Self::Tick(css) => {
                for found in browser.find_all(Locator::Css(css)).await.unwrap() {
                    found.click().await.unwrap();
                }
            }
            Self::Press(css) => {
                let found = browser.find(Locator::Css(css)).await.unwrap();
                leave_by(browser, async || found.click().await.unwrap()).await;
            }
        }
    }
}

/// Looks at a page in every way; gives what is wrong with it.
async fn look(browser: &Client, stop: &Stop, language: &str, looks: &[Look]) -> Vec<String> {
    look_at(browser, (360, 740), "light").await;
    browser.goto(&stop.url).await.unwrap();
    for step in stop.steps {
        step.run(browser).await;
    }
    let mut faults = Vec::new();
    for Look { width, scheme } in looks.iter().copied() {
        look_at(browser, (width, 900), scheme).await;
        let name = format!("{}-{language}-{width}-{scheme}", stop.name);
        let seen = FAULTS.replace("WISHES", &json!([width, language]).to_string());
        let Value::Array(seen) = script(browser, &seen).await else { panic!("{name}") };
        faults.extend(seen.iter().map(|fault| format!("{name} {fault}")));
        let breaches = axe::breaches(browser).await;
        faults.extend(breaches.iter().map(|breach| format!("{name}: {breach}")));
        let picture = photograph(browser, PICTURE_HEIGHT_MAX).await;
        std::fs::write(pictures().join(format!("{name}.png")), picture).unwrap();
    }
    faults
}

/// What is seen of forms, and of the page before a chat.
fn public_stops(room: &Showroom) -> Vec<Stop> {
    let form = format!("{}/f/{}/preview?state=", room.server, room.form);
    let entry = format!("{}/e/{}", room.server, room.code);
    let closed = format!("{}/f/{}", room.server, room.closed);
    let stop = |name, url, steps| Stop { name, url, steps };
    vec![
        stop("form", format!("{form}empty"), &[]),
        stop("form-wrong", format!("{form}error"), &[]),
        stop("form-done", format!("{form}done"), &[]),
        stop("form-framed", format!("{form}empty&embed=1"), &[]),
        stop("entry", entry.clone(), &[]),
        stop("entry-wrong", entry, &[Step::Write("#address", "12"), Step::Press("[value=opt_in]")]),
        stop("closed", closed, &[]),
        stop("not-found", format!("{}/e/7777777777", room.server), &[]),
    ]
}

/// What is seen by who has a link, or asks for one.
async fn personal_stops(room: &mut Showroom, phone: &str) -> Vec<Stop> {
    let (preferences, one_click) = room.person(phone).await;
    let request = format!("{}/p", room.server);
    let stop = |name, url: &String, steps| Stop { name, url: url.clone(), steps };
    vec![
        stop("request", &request, &[]),
        stop(
            "request-wrong",
            &request,
            &[Step::Write("#address", "12"), Step::Press("main button")],
        ),
        stop(
            "request-sent",
            &request,
            &[Step::Write("#address", "ada@shop.example"), Step::Press("main button")],
        ),
        stop("preferences", &preferences, &[]),
        stop(
            "preferences-saved",
            &preferences,
            &[Step::Tick(".choice:nth-of-type(2) input:checked"), Step::Press("[value=save]")],
        ),
        stop("unsubscribe", &one_click, &[]),
        stop("unsubscribe-done", &one_click, &[Step::Press("main button")]),
        stop(
            "preferences-everything",
            &preferences,
            &[Step::Tick("input:checked"), Step::Press("[value=save]")],
        ),
        stop("preferences-refused", &preferences, &[Step::Press("[value=refuse_processing]")]),
        stop("preferences-forget", &preferences, &[Step::Press("[value=ask_forget]")]),
        stop(
            "preferences-forgotten",
            &preferences,
            &[Step::Press("[value=ask_forget]"), Step::Press("[value=forget]")],
        ),
    ]
}

#[tokio::test]
async fn forms_and_pages_before_a_chat_look_well_in_every_language_on_every_screen() {
    let room = Showroom::open().await;
    let mut faults = Vec::new();
    for (language, ..) in LANGUAGES {
        prefer(&room.browser, language).await;
        for stop in public_stops(&room) {
            faults.extend(look(&room.browser, &stop, language, &LOOKS).await);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    room.end().await;
}

#[tokio::test]
async fn pages_of_a_persons_own_links_look_well_in_every_language_on_every_screen() {
    let mut room = Showroom::open().await;
    let mut faults = Vec::new();
    for (index, (language, ..)) in LANGUAGES.into_iter().enumerate() {
        prefer(&room.browser, language).await;
        for stop in personal_stops(&mut room, &format!("+1415555013{index}")).await {
            faults.extend(look(&room.browser, &stop, language, &LOOKS).await);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    room.end().await;
}

/// What is seen of double opt-in, by code and by link.
async fn double_opt_in_stops(room: &mut Showroom, language: &str) -> Vec<Stop> {
    let form = room.form_by_code().await;
    let form = format!("{}/f/{form}", room.server);
    let link = room.question(&format!("ada-{language}@shop.example"), language).await;
    let stop = |name, url: &String, steps| Stop { name, url: url.clone(), steps };
    vec![
        stop("double-opt-in-code", &form, &SIGN_UP),
        stop(
            "double-opt-in-wrong-code",
            &form,
            // Somebody else: nobody signs up more often in an hour than the forms of one page are sent here.
            &[
                Step::Write("#email", "bob@shop.example"),
                SIGN_UP[1],
                SIGN_UP[2],
                Step::Write("#code", "12"),
                SIGN_UP[2],
            ],
        ),
        stop("double-opt-in-link", &link, &[]),
        stop("double-opt-in-done", &link, &[Step::Press("main button")]),
    ]
}

/// Fills in a form by email, and sends it.
const SIGN_UP: [Step; 3] = [
    Step::Write("#email", "ada@shop.example"),
    Step::Tick("[type=checkbox]"),
    Step::Press("main button"),
];

#[tokio::test]
async fn double_opt_in_looks_well_in_every_language_on_every_screen() {
    let mut room = Showroom::open().await;
    let mut faults = Vec::new();
    for (language, ..) in LANGUAGES {
        prefer(&room.browser, language).await;
        for stop in double_opt_in_stops(&mut room, language).await {
            faults.extend(look(&room.browser, &stop, language, &LOOKS).await);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    room.end().await;
}

#[tokio::test]
async fn the_reference_looks_well_on_every_screen() {
    let room = Showroom::open().await;
    let mut faults = Vec::new();
    // So long a page is judged twice, not four times.
    let looks = [Look { width: 360, scheme: "dark" }, Look { width: 1_280, scheme: "light" }];
    for (name, path) in [("docs", "/docs"), ("docs-problems", "/docs/problems")] {
        let stop = Stop { name, url: format!("{}{path}", room.server), steps: &[] };
        faults.extend(look(&room.browser, &stop, "en", &looks).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    room.end().await;
}
