//! How far the link of a person reaches: what it may do, what a download by it holds, and the buttons for that.

use maud::{Markup, html};

use super::act::Act;
use super::{ANSWERED, NOTICE, OTHER, Preferences, Processing, quote};
use crate::personal::{ACT, button, languages, languages_of};

/// What a link may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Everything.
    Everything,
    /// Refuse; a fresh link, which may do everything, can be sent to the address.
    RefuseOrAsk,
    /// Refuse; no fresh link can be sent.
    Refuse,
}

/// What a download holds.
#[derive(Clone, Copy, Debug)]
pub enum Download<'a> {
    /// What is kept about the address. A link to one of these other addresses of the person, each with its
    /// key and as much of it as is shown, would show everything.
    Address(&'a [(String, String)]),
    /// Everything about the person, as this word says that another address answered.
    Person(&'a str),
}

impl Preferences<'_> {
    /// What the link may do, where that is not everything, and how to get one that may.
    pub(super) fn limits(&self) -> Markup {
        let language = self.language;
        html! {
            @match self.may {
                May::Everything => {}
                May::RefuseOrAsk => {
                    p { (language.say("personal-limited")) }
                    (button(Act::SendFresh.as_str(), &language.say("personal-limited-send"), None))
                    p class="hint" { (language.say("personal-limited-hint")) }
                }
                May::Refuse => {
                    p { (language.say("personal-limited")) }
                    p { (language.say_with("personal-limited-write", &[("business", self.business)])) }
                }
            }
        }
    }

    pub(super) fn languages(&self) -> Markup {
        match self.download {
            Download::Address(_) => languages(self.language),
            Download::Person(word) => languages_of(self.language, &format!("&{ANSWERED}={word}")),
        }
    }

    pub(super) fn data(&self) -> Markup {
        let language = self.language;
        html! {
            section aria-labelledby="data" {
                h2 id="data" { (language.say("personal-data-title")) }
                @match self.processing {
                    Processing::Allowed => {
                        p class="hint" { (language.say("personal-processing-hint")) }
                        (button(Act::RefuseProcessing.as_str(), &language.say("personal-processing-refuse"), Some("plain")))
                    }
                    Processing::Refused(words) => {
                        p { (language.say("personal-processing-refused")) }
                        @if let Some(words) = words {
                            form method="post" {
                                div class="more" { (quote(words)) }
                                input type="hidden" name=(NOTICE) value=(words.name);
                                div {
                                    button type="submit" class="plain" name=(ACT) value=(Act::AllowProcessing.as_str()) {
                                        (language.say("personal-processing-allow"))
                                    }
                                }
                            }
                        }
                    }
                }
                @if self.may == May::Everything {
                    (self.download())
                    @if self.address.is_some() {
                        (button(Act::AskForget.as_str(), &language.say("personal-forget"), Some("plain")))
                    }
                }
            }
        }
    }

    fn download(&self) -> Markup {
        let language = self.language;
        match self.download {
            Download::Person(_) => button(
                Act::Download.as_str(),
                &language.say("personal-download-all"),
                Some("plain"),
            ),
            Download::Address(others) => html! {
                (button(Act::Download.as_str(), &language.say("personal-download"), Some("plain")))
                @if !others.is_empty() {
                    p class="hint" { (language.say("personal-download-hint")) }
                    @for (key, address) in others {
                        form method="post" {
                            input type="hidden" name=(OTHER) value=(key);
                            button type="submit" class="plain" name=(ACT) value=(Act::SendOther.as_str()) {
                                (language.say("personal-download-other")) " " bdi dir="ltr" { (address) }
                            }
                        }
                    }
                }
            },
        }
    }
}
