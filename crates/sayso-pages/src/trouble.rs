//! The page that says what went wrong, in plain words, and what to do next.

use maud::html;

use crate::language::Language;
use crate::page::{Document, Frame, Page};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The link leads to nothing: mistyped, cut, or altered.
    NotFound,
    /// What the link led to is over.
    Closed,
    /// Too much was sent from there; later it works again.
    TooMany,
    /// The server cannot answer now; nothing was changed.
    Unavailable,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 4] = [Self::NotFound, Self::Closed, Self::TooMany, Self::Unavailable];

    /// The page.
    pub fn page(self, language: Language) -> Document {
        let (title, text) = match self {
            Self::NotFound => {
                (language.say("trouble-not-found-title"), language.say("trouble-not-found"))
            }
            Self::Closed => (language.say("trouble-closed-title"), language.say("trouble-closed")),
            Self::TooMany => {
                (language.say("trouble-too-many-title"), language.say("trouble-too-many"))
            }
            Self::Unavailable => {
                (language.say("trouble-unavailable-title"), language.say("trouble-unavailable"))
            }
        };
        let main = html! { h1 { (title) } p { (text) } };
        let title = title.as_str();
        Page {
            language,
            title,
            styles: &[],
            made_style: "",
            scripts: &[],
            frame: Frame::Window,
            main,
        }
        .render()
    }
}
