//! A floating button for the customer's own page: a plain link with its style beside it. It needs no script,
//! loads nothing, and knows nothing of who sees it.

use maud::html;

use crate::entry::Thread;
use crate::language::Language;

/// What the button looks like.
#[derive(Clone, Copy, Debug)]
pub struct Button<'a> {
    /// The language of its words.
    pub language: Language,
    /// What it says; the pages' own words if absent.
    pub call: Option<&'a str>,
    /// Where the chat takes place.
    pub thread: Thread,
    /// Where it leads.
    pub link: &'a str,
    /// Its color, as CSS has it; parsed.
    pub background: &'a str,
    /// The color of its words, likewise.
    pub text: &'a str,
    /// The corner, as the property that holds it there.
    pub side: Side,
}

/// At which end of the lines it floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where they begin.
    Start,
    /// Where they end.
    End,
}

impl Button<'_> {
    /// The HTML to paste.
    pub fn html(&self) -> String {
        let channel = self.thread.name(self.language);
        let own = || self.language.say_with("entry-call", &[("channel", &channel)]);
        let call = self.call.map_or_else(own, str::to_owned);
        let side = match self.side {
            Side::Start => "inset-inline-start",
            Side::End => "inset-inline-end",
        };
        let (background, text) = (self.background, self.text);
        let style = format!(
            "position:fixed;bottom:1rem;{side}:1rem;z-index:2147483000;padding:.75rem 1.25rem;\
             border-radius:2rem;background:{background};color:{text};font:600 1rem/1.5 system-ui,sans-serif;\
             text-decoration:none;box-shadow:0 2px 12px #0004"
        );
        html! {
            a href=(self.link) target="_blank" rel="noopener" lang=(self.language.tag())
                dir=(self.language.direction().attribute()) style=(style) { (call) }
        }
        .into_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_is_a_link_without_a_script() {
        let button = Button {
            language: Language::Arabic,
            call: Some("Chat <now>"),
            thread: Thread::WhatsApp,
            link: "https://consent.example/e/7m29qx4k0c",
            background: "#0b6b50",
            text: "#ffffff",
            side: Side::Start,
        };
        let html = button.html();
        assert!(html.starts_with("<a href=\"https://consent.example/e/7m29qx4k0c\""), "{html}");
        assert!(html.contains("inset-inline-start:1rem") && html.contains("dir=\"rtl\""), "{html}");
        assert!(html.contains("Chat &lt;now&gt;") && !html.contains("script"), "{html}");
        let own = Button { call: None, side: Side::End, language: Language::English, ..button };
        assert!(own.html().contains(">Chat with us on WhatsApp</a>"), "{}", own.html());
    }
}
