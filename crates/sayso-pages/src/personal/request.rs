//! The page on which somebody who has no link asks for theirs: an address, and one answer for all.

use maud::html;

use super::preferences::ANSWERED;
use super::{languages_of, page};
use crate::language::Language;
use crate::page::Document;

/// The field of the address.
pub const ADDRESS: &str = "address";
/// The field, and the parameter, of the workspace.
pub const WORKSPACE: &str = "workspace";

/// Somebody who asks for their link.
#[derive(Clone, Copy, Debug)]
pub struct LinkRequest<'a> {
    /// The language of the reader.
    pub language: Language,
    /// Who sends the messages.
    pub business: &'a str,
    /// The id of the workspace.
    pub workspace: &'a str,
    /// What was sent that is no address, if that was.
    pub refused: Option<&'a str>,
    /// The word that another address of the person answered, which the link is to carry.
    pub answered: Option<&'a str>,
}

impl LinkRequest<'_> {
    /// The question for the address.
    pub fn ask(&self) -> Document {
        let language = self.language;
        let title = language.say("personal-request-title");
        let is_wrong = self.refused.map(|_| "true");
        let main = html! {
            h1 { (title) }
            @if self.refused.is_some() {
                div class="summary" role="alert" {
                    a href="#address" { (language.say("personal-request-fault")) }
                }
            }
            p { (language.say_with("personal-request", &[("business", self.business)])) }
            form method="post" {
                input type="hidden" name=(WORKSPACE) value=(self.workspace);
                div class="field" {
                    label for="address" { (language.say("personal-request-label")) }
                    p class="hint" id="address-hint" { (language.say("personal-request-hint")) }
                    input type="text" id="address" name=(ADDRESS) required dir="ltr" autocomplete="on"
                        value=[self.refused] aria-invalid=[is_wrong] aria-describedby="address-hint";
                }
                button type="submit" { (language.say("personal-request-send")) }
            }
            (languages_of(language, &format!("&{WORKSPACE}={}", self.workspace)))
        };
        self.page(&title, main)
    }

    /// The answer, whoever asked.
    pub fn sent(&self) -> Document {
        let title = self.language.say("personal-request-sent-title");
        let main = html! {
            div role="status" class="done" { h1 { (title) } }
            p { (self.language.say("personal-request-sent")) }
        };
        self.page(&title, main)
    }

    /// The words of the message that brings the link.
    pub fn message(&self, link: &str) -> String {
        let words =
            self.language.say_with("personal-request-message", &[("business", self.business)]);
        match self.answered {
            Some(word) => format!("{words} {link}?{ANSWERED}={word}"),
            None => format!("{words} {link}"),
        }
    }

    /// The subject of that message, where it is an email.
    pub fn subject(&self) -> String {
        self.language.say_with("personal-request-subject", &[("business", self.business)])
    }

    fn page(&self, title: &str, main: maud::Markup) -> Document {
        let title = format!("{title} · {}", self.business);
        page(self.language, &title, main)
    }
}
