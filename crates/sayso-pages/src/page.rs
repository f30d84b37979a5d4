//! A whole page: its head, its style, its scripts, and the policy that lets no others run.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::language::Language;

/// The style of every page.
const STYLE: &str = include_str!("../../../web/pages.css");

/// What one page shows.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// The language it is written in.
    pub language: Language,
    /// What the window is called: the page and the business, plain text.
    pub title: &'a str,
    /// Style beyond that of every page.
    pub styles: &'a [&'static str],
    /// Style of this page alone, such as the colors of a form. It is ours: no text of a customer stands in
    /// it, save values that were parsed.
    pub made_style: &'a str,
    /// Scripts, in order; the page works without them.
    pub scripts: &'a [&'static str],
    /// How much of the window it fills.
    pub frame: Frame,
    /// What stands in `main`.
    pub main: Markup,
}

/// Where a page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// In a window of its own: a card in the middle, and a line at the foot.
    Window,
    /// Inside a page of the customer: no margin, no background, no foot.
    Embedded,
}

/// A page as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The HTML, UTF-8.
    pub html: String,
    /// The content security policy, without `frame-ancestors`, which the server adds.
    ///
    /// *Source*: Content Security Policy Level 3, section 6.
    pub policy: String,
}

/// Where forms of a page may lead: nowhere but to this server.
const FORM_ACTION: &str = "form-action 'self'";

impl Document {
    /// The same where forms may lead to these places besides. Browsers judge the redirects of what was sent
    /// as well.
    ///
    /// *Shape*: sources of a policy, `https://shop.example sms:`. *Source*: Content Security Policy Level 3,
    /// section 6.4.2.
    #[must_use]
    pub fn leading_to(self, sources: &str) -> Self {
        let policy = self.policy.replacen(FORM_ACTION, &format!("{FORM_ACTION} {sources}"), 1);
        Self { policy, ..self }
    }
}

impl Page<'_> {
    /// The page as it is sent.
    pub fn render(&self) -> Document {
        let made = Some(self.made_style).filter(|style| !style.is_empty());
        let mut styles = digests([&[STYLE], self.styles].concat());
        if let Some(style) = made {
            styles = format!("{styles} {}", digest(style));
        }
        let scripts = match self.scripts {
            [] => "'none'".to_owned(),
            scripts => digests(scripts.to_vec()),
        };
        let policy = format!(
            "default-src 'none'; style-src {styles}; script-src {scripts}; img-src 'self' data:; \
             connect-src 'self'; {FORM_ACTION}; base-uri 'none'",
        );
        Document { html: self.markup(made).into_string(), policy }
    }

    fn markup(&self, made: Option<&str>) -> Markup {
        let embedded = match self.frame {
            Frame::Window => None,
            Frame::Embedded => Some("embedded"),
        };
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) dir=(self.language.direction().attribute()) class=[embedded] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                    @for style in self.styles { style { (PreEscaped(*style)) } }
                    @if let Some(style) = made { style { (PreEscaped(style)) } }
                }
                body {
                    main { (self.main) }
                    @if self.frame == Frame::Window {
                        footer { (self.language.say("page-made-with")) }
                    }
                    @for script in self.scripts { script { (PreEscaped(*script)) } }
                }
            }
        }
    }
}

/// How a policy names texts that stand in many pages. Each is hashed once: hashing them anew took a quarter
/// of the time of a page.
fn digests(texts: Vec<&'static str>) -> String {
    static KNOWN: RwLock<BTreeMap<(usize, usize), String>> = RwLock::new(BTreeMap::new());
    let named = texts.into_iter().map(|text| {
        let place = (text.as_ptr().addr(), text.len());
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        known.unwrap_or_else(|| {
            let named = digest(text);
            let mut all = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
            all.entry(place).or_insert(named).clone()
        })
    });
    named.collect::<Vec<String>>().join(" ")
}

/// How a policy names a text that stands in the page.
fn digest(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}
