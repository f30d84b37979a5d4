//! The page of a link to unsubscribe with one click: a question with a button, and what it came to.

use maud::html;
use sayso_core::words::channel::{Category, Channel};

use super::{button, category_name, channel_name, languages, page};
use crate::language::Language;
use crate::page::Document;

/// What the button that refuses everything asks for.
pub const EVERYTHING: &str = "everything";

/// Who leaves what.
#[derive(Clone, Copy, Debug)]
pub struct Unsubscribe<'a> {
    /// The language of the reader.
    pub language: Language,
    /// Who sends the messages.
    pub business: &'a str,
    /// By which channel.
    pub channel: Channel,
    /// What kind of messages.
    pub left: Left<'a>,
}

/// What is left. Marketing is left in any case (rule 22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left<'a> {
    /// A category of messages on the channel.
    Category(Category),
    /// A topic on the channel.
    Topic(&'a str),
    /// Everything on the channel.
    Channel,
    /// Everything on every channel.
    Everything,
}

impl Unsubscribe<'_> {
    /// The question. Nothing is changed until its button is pressed.
    pub fn ask(&self) -> Document {
        let language = self.language;
        let title = language.say("personal-leave-title");
        let main = html! {
            h1 { (title) }
            (self.facts())
            p { (language.say("personal-leave-hint")) }
            (button("leave", &language.say("personal-leave"), None))
            (self.offer_everything())
            (languages(language))
        };
        self.page(&title, main)
    }

    /// What the button, or the click in a mail program, came to.
    pub fn done(&self) -> Document {
        let language = self.language;
        let title = match self.left {
            Left::Everything => language.say("personal-left-everything-title"),
            Left::Category(_) | Left::Topic(_) | Left::Channel => {
                language.say("personal-left-title")
            }
        };
        let main = html! {
            div role="status" class="done" { h1 { (title) } }
            (self.facts())
            p { (language.say("personal-left")) }
            @if self.left != Left::Everything { (self.offer_everything()) }
        };
        self.page(&title, main)
    }

    fn page(&self, title: &str, main: maud::Markup) -> Document {
        let title = format!("{title} · {}", self.business);
        page(self.language, &title, main)
    }

    fn facts(&self) -> maud::Markup {
        let language = self.language;
        let channel = channel_name(language, self.channel);
        let everything = language.say("personal-everything");
        let marketing = category_name(language, Category::Marketing);
        let (how, what) = match self.left {
            Left::Category(Category::Marketing) => (channel, vec![marketing]),
            Left::Category(category) => {
                (channel, vec![category_name(language, category), marketing])
            }
            Left::Topic(name) => (channel, vec![name.to_owned(), marketing]),
            Left::Channel => (channel, vec![everything]),
            Left::Everything => (everything.clone(), vec![everything]),
        };
        html! {
            dl class="facts" {
                dt { (language.say("personal-who")) } dd { bdi { (self.business) } }
                dt { (language.say("personal-how")) } dd { (how) }
                dt { (language.say("personal-what")) }
                @for what in what { dd { bdi { (what) } } }
            }
        }
    }

    fn offer_everything(&self) -> maud::Markup {
        button(EVERYTHING, &self.language.say("personal-leave-everything"), Some("plain"))
    }
}
