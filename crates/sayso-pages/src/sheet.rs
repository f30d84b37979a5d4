//! A sheet to print: the business, what to do, the QR code, and the link in words for who has no camera
//! at hand.
//!
//! It is one SVG of the size A4 without a font of its own: whatever prints it has one for its language.

use maud::{Markup, html};

use crate::entry::Thread;
use crate::language::Language;
use crate::qr::{QUIET_MODULES_MIN, Qr};

/// What a sheet shows.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The language it is written in.
    pub language: Language,
    /// The business.
    pub business: &'a str,
    /// What people are called to do; the pages' own words if absent.
    pub call: Option<&'a str>,
    /// Where the chat takes place.
    pub thread: Thread,
    /// Where the code leads.
    pub link: &'a str,
    /// The code.
    pub qr: &'a Qr,
}

/// The width of A4, in millimeters. *Source:* ISO 216.
const WIDTH: u32 = 210;
/// Its height.
const HEIGHT: u32 = 297;
/// The side of the code with its quiet zone.
const CODE: u32 = 120;

/// Lines of text in the middle of the sheet.
struct Lines<'a> {
    text: &'a str,
    /// The base line of the first, in millimeters from the top.
    top: u32,
    /// The height of the letters.
    size: u32,
    /// The most letters in a line.
    letters: usize,
    weight: &'static str,
}

impl Sheet<'_> {
    /// The sheet.
    pub fn svg(&self) -> String {
        let modules = self.qr.modules() + 2 * QUIET_MODULES_MIN;
        let left = (WIDTH - CODE) / 2;
        let call = self.call();
        let shown = self.link.split_once("://").map_or(self.link, |(_, rest)| rest);
        html! {
            svg xmlns="http://www.w3.org/2000/svg" width=(format!("{WIDTH}mm")) height=(format!("{HEIGHT}mm"))
                viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) font-family="system-ui, 'Noto Sans', 'Noto Sans Devanagari', 'Noto Sans Arabic', sans-serif"
                text-anchor="middle" fill="#000000" lang=(self.language.tag())
                direction=(self.language.direction().attribute()) {
                title { (self.business) ": " (call) }
                path fill="#ffffff" d=(format!("M0 0h{WIDTH}v{HEIGHT}H0z")) {}
                (Lines { text: self.business, top: 38, size: 14, letters: 24, weight: "700" }.render())
                (Lines { text: &call, top: 68, size: 9, letters: 38, weight: "400" }.render())
                svg x=(left) y="88" width=(CODE) height=(CODE) viewBox=(format!("0 0 {modules} {modules}"))
                    shape-rendering="crispEdges" {
                    path fill="#000000" d=(self.qr.path(QUIET_MODULES_MIN)) {}
                    (self.qr.logo(QUIET_MODULES_MIN))
                }
                (Lines { text: &self.language.say("entry-sheet-scan"), top: 220, size: 6, letters: 56, weight: "400" }.render())
                text x=(WIDTH / 2) y="236" font-size="8" font-weight="700" direction="ltr" { (shown) }
                (Lines { text: &self.language.say("entry-sheet-note"), top: 264, size: 5, letters: 64, weight: "400" }.render())
            }
        }
        .into_string()
    }

    fn call(&self) -> String {
        let channel = self.thread.name(self.language);
        let own = || self.language.say_with("entry-call", &[("channel", &channel)]);
        self.call.map_or_else(own, str::to_owned)
    }
}

impl Lines<'_> {
    fn render(&self) -> Markup {
        html! {
            text x=(WIDTH / 2) y=(self.top) font-size=(self.size) font-weight=(self.weight) {
                @for (place, line) in wrapped(self.text, self.letters).iter().enumerate() {
                    tspan x=(WIDTH / 2) dy=(if place == 0 { 0 } else { self.size * 5 / 4 }) { (line) }
                }
            }
        }
    }
}

/// A text in lines of at most so many letters, broken between words.
fn wrapped(text: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= letters => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qr::Correction;

    #[test]
    fn a_sheet_says_the_business_the_call_and_the_link_in_every_language() {
        let link = "https://consent.example/e/7m29qx4k0c";
        let qr = Qr::of(link, Correction::Quartile).unwrap();
        for language in Language::ALL {
            let sheet = Sheet {
                language,
                business: "Harbour & Books",
                call: None,
                thread: Thread::WhatsApp,
                link,
                qr: &qr,
            };
            let svg = sheet.svg();
            assert!(svg.contains("Harbour &amp; Books") && svg.contains("WhatsApp"), "{svg}");
            assert!(svg.contains(">consent.example/e/7m29qx4k0c<"), "{svg}");
            assert!(!svg.contains("entry-"), "{svg}");
            let own = Sheet { call: Some("Say hello"), ..sheet }.svg();
            assert!(own.contains("Say hello"), "{own}");
        }
    }

    #[test]
    fn long_texts_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
        assert!(wrapped("  ", 4).is_empty());
    }
}
