//! The preference centre: what a person is signed up to, as it was agreed, and all that they may change.
//!
//! The page carries what it showed, each box with whether it was ticked, so that what comes back is read as
//! differences: a box that nobody touched says nothing, whatever was recorded in the meantime.
//!
//! By a link that may only leave, the page shows what can be refused, and nothing of when, where and by which
//! words it was agreed; one button has a fresh link sent to the address itself.

pub mod act;
pub mod reach;

use maud::{Markup, html};
use sayso_core::words::channel::{Category, Channel};
use sayso_core::words::source::Road;

use self::act::Act;
use self::reach::{Download, May};
use super::{ACT, button, category_name, channel_name, page, road_name};
use crate::language::Language;
use crate::mark::mark;
use crate::page::Document;

/// The field of a box that is ticked, with its name.
pub const TICKED: &str = "on";
/// The field of a box that was shown: its name, whether it was ticked, and the words beside it.
pub const SHOWN: &str = "shown";
/// The field of the time at which the page was made.
pub const SHOWN_AT: &str = "shown_at";
/// The field of a channel.
pub const CHANNEL: &str = "channel";
/// The field of another address of the person, by its key.
pub const OTHER: &str = "other";
/// The parameter of a link that says that another address of the person answered.
pub const ANSWERED: &str = "answered";
/// The field of the words that were shown for the processing of data.
pub const NOTICE: &str = "notice";

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Preferences<'a> {
    /// The language of the reader.
    pub language: Language,
    /// Who sends the messages.
    pub business: &'a str,
    /// The address, in part; absent where none is known.
    pub address: Option<&'a str>,
    /// What became of what was sent before.
    pub said: Option<Said>,
    /// The channels that reach the address.
    pub channels: &'a [Part<'a>],
    /// Whether the data may be processed.
    pub processing: Processing<'a>,
    /// When the page was made, RFC 3339.
    pub shown_at: &'a str,
    /// What the person's link may do.
    pub may: May,
    /// What a download holds.
    pub download: Download<'a>,
}

/// What became of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It is saved.
    Saved,
    /// It changed nothing.
    Unchanged,
    /// What was ticked is not saved, since something was recorded in the meantime.
    ChangedMeanwhile,
    /// More was asked for than the link may do; what was refused is saved.
    Limited,
}

/// One channel.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// The channel.
    pub channel: Channel,
    /// Whether a block keeps everything from the address.
    pub is_blocked: bool,
    /// What there is to choose.
    pub choices: Vec<Choice<'a>>,
}

/// One box.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// The name of the box.
    pub name: String,
    /// What it is about.
    pub about: About<'a>,
    /// Whether the person gets it.
    pub is_on: bool,
    /// What was last said about it, if anything was.
    pub told: Option<Told<'a>>,
    /// The words that an opt-in here agrees to; without them it cannot be ticked.
    pub words: Option<Words<'a>>,
}

/// What a box is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About<'a> {
    /// All messages of a category.
    Category(Category),
    /// A topic of that category.
    Topic(&'a str, Category),
}

/// What was said, when and where.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Whether it was a yes.
    pub is_yes: bool,
    /// The day.
    pub on: &'a str,
    /// How it came in.
    pub road: Road,
    /// The page, if it is known.
    pub page: Option<&'a str>,
    /// The words that were shown.
    pub words: Option<Words<'a>>,
}

/// Words of a notice.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// How a form names them.
    pub name: &'a str,
    /// The words.
    pub text: &'a str,
    /// Their language.
    pub language: &'a str,
}

/// Whether the person's data may be processed.
#[derive(Clone, Copy, Debug)]
pub enum Processing<'a> {
    /// It may.
    Allowed,
    /// It may not; the words by which it may again, if there are any.
    Refused(Option<Words<'a>>),
}

impl Choice<'_> {
    /// Whether it can be ticked or unticked.
    fn is_free(&self) -> bool {
        self.is_on || self.words.is_some()
    }

    /// What the page carries of it: its name, whether it is ticked, and the words beside it.
    pub fn shown(&self) -> String {
        let state = if self.is_on { "on" } else { "off" };
        let words = self.words.filter(|_| !self.is_on).map_or("", |words| words.name);
        format!("{} {state} {words}", self.name).trim_end().to_owned()
    }
}

impl Preferences<'_> {
    /// The page.
    pub fn page(&self) -> Document {
        let language = self.language;
        let title = language.say_with("personal-title", &[("business", self.business)]);
        let is_empty = self.channels.iter().all(|part| part.choices.is_empty());
        let is_free = self.channels.iter().flat_map(|part| &part.choices).any(Choice::is_free);
        let main = html! {
            @if let Some(said) = self.said { (self.said(said)) }
            h1 { (title) }
            @match self.address {
                Some(address) => p {
                    (language.say("personal-about")) " " strong { bdi dir="ltr" { (address) } } br;
                    (language.say("personal-about-hint"))
                },
                None => p { (language.say("personal-about-nobody")) },
            }
            (self.limits())
            @if is_empty { p { (language.say("personal-none")) } }
            form method="post" {
                input type="hidden" name=(SHOWN_AT) value=(self.shown_at);
                @for (place, part) in self.channels.iter().enumerate() {
                    @if !part.choices.is_empty() { (self.part(place, part)) }
                }
                @if is_free {
                    div { button type="submit" name=(ACT) value=(Act::Save.as_str()) { (language.say("personal-save")) } }
                }
            }
            (self.stops())
            (self.data())
            (self.languages())
        };
        self.whole(&title, main)
    }

    /// The question whether nothing ticked means everything.
    pub fn ask_everything(&self) -> Document {
        let language = self.language;
        let title = language.say("personal-ask-title");
        let main = html! {
            h1 { (title) }
            p { (language.say("personal-ask")) }
            (button(Act::StopEverything.as_str(), &language.say("personal-ask-yes"), None))
            (button(Act::Show.as_str(), &language.say("personal-ask-no"), Some("plain")))
        };
        self.whole(&title, main)
    }

    /// The question whether to forget the person.
    pub fn ask_forget(&self) -> Document {
        let language = self.language;
        let title = language.say("personal-forget-title");
        let (what, others) = match self.download {
            Download::Address([]) => ("personal-forget-what-here", None),
            Download::Address([_, ..]) => {
                ("personal-forget-what-here", Some("personal-forget-others"))
            }
            Download::Person(_) => ("personal-forget-what", None),
        };
        let main = html! {
            h1 { (title) }
            p { (language.say(what)) }
            @if let Some(others) = others { p { (language.say(others)) } }
            (button(Act::Forget.as_str(), &language.say("personal-forget-yes"), None))
            (button(Act::Show.as_str(), &language.say("personal-back"), Some("plain")))
        };
        self.whole(&title, main)
    }

    /// What it says once the person is forgotten.
    pub fn forgotten(&self) -> Document {
        let language = self.language;
        let title = language.say("personal-forgotten-title");
        let main = html! {
            div role="status" class="done" { h1 { (title) } }
            p { (language.say("personal-forgotten")) }
        };
        self.whole(&title, main)
    }

    /// What it says where several people share the address.
    pub fn shared(&self) -> Document {
        let language = self.language;
        let title = language.say("personal-shared-title");
        let main = html! {
            h1 { (title) }
            p { (language.say_with("personal-shared", &[("business", self.business)])) }
            (button(Act::Show.as_str(), &language.say("personal-back"), Some("plain")))
        };
        self.whole(&title, main)
    }

    fn whole(&self, title: &str, main: Markup) -> Document {
        page(self.language, title, main)
    }

    fn said(&self, said: Said) -> Markup {
        let (class, words) = match said {
            Said::Saved => ("done", self.language.say("personal-saved")),
            Said::Unchanged => ("done", self.language.say("personal-unchanged")),
            Said::ChangedMeanwhile => ("summary", self.language.say("personal-changed-meanwhile")),
            Said::Limited => ("summary", self.language.say("personal-limited-said")),
        };
        html! { p class=(class) role="status" { (words) } }
    }

    fn part(&self, place: usize, part: &Part<'_>) -> Markup {
        html! {
            fieldset class="choices" {
                legend { (mark(part.channel)) (channel_name(self.language, part.channel)) }
                @if part.is_blocked { p class="hint" { (self.language.say("personal-blocked")) } }
                @for (at, choice) in part.choices.iter().enumerate() {
                    (self.choice(&format!("c{place}-{at}"), choice, part))
                }
            }
        }
    }

    fn choice(&self, id: &str, choice: &Choice<'_>, part: &Part<'_>) -> Markup {
        let language = self.language;
        let hint = format!("{id}-hint");
        let name = match choice.about {
            About::Category(category) => category_name(language, category),
            About::Topic(name, _) => name.to_owned(),
        };
        let is_offer = |it: &Choice<'_>| matches!(it.about, About::Topic(_, Category::Marketing));
        let is_all = |it: &Choice<'_>| it.about == About::Category(Category::Marketing);
        let is_under = is_offer(choice) && part.choices.iter().any(is_all);
        let stops_more = is_all(choice) && choice.is_on && part.choices.iter().any(is_offer);
        html! {
            div class={ "choice" @if is_under { " under" } } {
                @if choice.is_free() {
                    input type="hidden" name=(SHOWN) value=(choice.shown());
                    input type="checkbox" id=(id) name=(TICKED) value=(choice.name)
                        checked[choice.is_on] aria-describedby=(hint);
                    label for=(id) { bdi { (name) } }
                } @else {
                    span aria-hidden="true" { "–" }
                    span { bdi { (name) } }
                }
                div id=(hint) class="more" {
                    @if !choice.is_free() { p class="hint" { (language.say("personal-not-offered")) } }
                    @if stops_more { p class="hint" { (language.say("personal-offers-hint")) } }
                    @if let Some(told) = choice.told { (self.told(&told)) }
                    @if let (Some(words), false) = (choice.words, choice.is_on) {
                        (language.say("personal-if-ticked"))
                        (quote(words))
                    }
                }
            }
        }
    }

    fn told(&self, told: &Told<'_>) -> Markup {
        let language = self.language;
        let said = language.say(if told.is_yes { "personal-agreed" } else { "personal-refused" });
        html! {
            p class="hint" {
                (said) " " time datetime=(told.on) { bdi { (told.on) } }
                " · " (road_name(language, told.road))
                @if let Some(page) = told.page { " · " bdi dir="ltr" { (page) } }
            }
            @if let Some(words) = told.words {
                details { summary { (language.say("personal-words")) } (quote(words)) }
            }
        }
    }

    fn stops(&self) -> Markup {
        let language = self.language;
        html! {
            section aria-labelledby="stop" {
                h2 id="stop" { (language.say("personal-stop-title")) }
                p class="hint" { (language.say("personal-stop-hint")) }
                @for part in self.channels {
                    @let channel = channel_name(language, part.channel);
                    form method="post" {
                        input type="hidden" name=(CHANNEL) value=(part.channel.as_str());
                        button type="submit" class="plain" name=(ACT) value=(Act::StopChannel.as_str()) {
                            (language.say_with("personal-stop-channel", &[("channel", &channel)]))
                        }
                    }
                }
                (button(Act::StopEverything.as_str(), &language.say("personal-stop-everything"), Some("plain")))
            }
        }
    }
}

fn quote(words: Words<'_>) -> Markup {
    html! { blockquote lang=(words.language) dir="auto" { (words.text) } }
}
