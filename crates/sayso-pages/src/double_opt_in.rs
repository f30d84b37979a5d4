//! Double opt-in: what people see until their address has answered, and what their answer came to.
//!
//! Where a code is asked for, the page is the same for everybody who signed up, and so is what is said of a
//! wrong one: nobody learns here whether a message went (rule 23). *Opening a page confirms nothing.*

use maud::{Markup, html};
use sayso_core::words::channel::{Category, Channel};

use crate::form::FormLook;
use crate::page::Document;
use crate::personal::{category_name, channel_name};

/// The field of the code.
pub const CODE: &str = "code";
/// The field of what is confirmed next: the token of a further page like this.
pub const NEXT: &str = "next";

/// A page that asks for the code of a message.
#[derive(Clone, Debug)]
pub struct CodePage<'a> {
    /// How it looks.
    pub look: FormLook<'a>,
    /// The channel that the message went by.
    pub channel: Channel,
    /// Where the code is sent.
    pub action: String,
    /// The tokens of what is to be confirmed after this.
    pub next: Vec<String>,
    /// Whether something was confirmed a moment ago, and this comes besides.
    pub before: Option<()>,
    /// What is wrong with the code that was sent.
    pub fault: Option<CodeFault>,
}

/// What is wrong with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeFault {
    /// It is no six digits.
    Shape,
    /// It is not the one that was sent, or no longer good, or none was sent.
    Wrong,
}

/// What an address is asked to confirm.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// How it looks.
    pub look: FormLook<'a>,
    /// What it is about, by channel; without a channel the processing of data.
    pub about: Vec<(Option<Channel>, About<'a>)>,
    /// The words that were shown, and the tag of their language, where they are still kept.
    pub words: Option<(&'a str, &'a str)>,
}

/// What an opt-in is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About<'a> {
    /// Everything on the channel.
    Everything,
    /// A category of messages.
    Category(Category),
    /// A topic or a sender, by its name.
    Named(&'a str),
}

/// What an answer came to; of several the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answered {
    /// It is confirmed.
    Confirmed,
    /// It is kept, and does not do by itself: the policy of the channel asks for an opt-in of another kind.
    NotEnough,
    /// It was confirmed before, and does not hold any more.
    NotAnyMore,
    /// It came too late.
    Lapsed,
    /// What it was about is over.
    Over,
}

impl CodePage<'_> {
    /// The page.
    pub fn render(&self) -> Document {
        let language = self.look.language;
        let title = language.say("double_opt_in-code-title");
        let channel = channel_name(language, self.channel);
        let fault = self.fault.map(|fault| match fault {
            CodeFault::Shape => language.say("double_opt_in-code-shape"),
            CodeFault::Wrong => language.say("double_opt_in-code-wrong"),
        });
        let described = if fault.is_some() { "code-hint code-fault" } else { "code-hint" };
        let main = html! {
            @if self.before.is_some() {
                p role="status" class="done" { (language.say("double_opt_in-next")) }
            }
            h1 { (title) }
            @if let Some(fault) = &fault {
                div class="summary" role="alert" tabindex="-1" {
                    a href="#code" { (fault) }
                }
            }
            p { (language.say_with("double_opt_in-code", &[("channel", &channel)])) }
            form method="post" action=(self.action) novalidate {
                @for token in &self.next { input type="hidden" name=(NEXT) value=(token); }
                div class="field" {
                    label for="code" { (language.say("double_opt_in-code-label")) }
                    input id="code" name=(CODE) type="text" inputmode="numeric" dir="ltr" required
                        autocomplete="one-time-code" aria-describedby=(described)
                        aria-invalid=[fault.as_ref().map(|_| "true")];
                    p id="code-hint" class="hint" { (language.say("double_opt_in-hint")) }
                    @if let Some(fault) = &fault { p id="code-fault" class="fault" { (fault) } }
                }
                p { button type="submit" { (language.say("double_opt_in-confirm")) } }
            }
        };
        self.look.page(&title, main)
    }
}

impl Question<'_> {
    /// The question. Nothing is confirmed until its button is pressed.
    pub fn render(&self) -> Document {
        let language = self.look.language;
        let title = language.say("double_opt_in-question-title");
        let main = html! {
            h1 { (title) }
            dl class="facts" {
                dt { (language.say("personal-who")) }
                dd { bdi { (self.look.business) } }
                dt { (language.say("personal-what")) }
                @for (channel, about) in &self.about { dd { (self.thing(*channel, *about)) } }
            }
            @if let Some((words, tag)) = self.words {
                p { (language.say("double_opt_in-words")) }
                blockquote lang=(tag) dir="auto" { (words) }
            }
            p { (language.say("double_opt_in-question")) }
            form method="post" {
                p { button type="submit" { (language.say("double_opt_in-yes")) } }
            }
        };
        self.look.page(&title, main)
    }

    fn thing(&self, channel: Option<Channel>, about: About<'_>) -> Markup {
        let language = self.look.language;
        let Some(channel) = channel else {
            return html! { (language.say("double_opt_in-processing")) };
        };
        html! {
            (channel_name(language, channel)) ": "
            @match about {
                About::Everything => { (language.say("personal-everything")) }
                About::Category(category) => { (category_name(language, category)) }
                About::Named(name) => { bdi { (name) } }
            }
        }
    }
}

impl FormLook<'_> {
    /// The page that sends the person to the message with the link. In a frame a redirect is a link out
    /// of it.
    pub fn link_sent(&self, channel: Channel, redirect: Option<&str>) -> Document {
        let language = self.language;
        let title = language.say("double_opt_in-sent-title");
        let channel = channel_name(language, channel);
        let main = html! {
            div class="done" role="status" {
                h1 { (title) }
                p { (language.say_with("double_opt_in-sent", &[("channel", &channel)])) }
            }
            p class="hint" { (language.say("double_opt_in-hint")) }
            (self.way_on(redirect))
        };
        self.page(&title, main)
    }

    /// What an answer came to.
    pub fn answered(&self, answered: Answered, redirect: Option<&str>) -> Document {
        let language = self.language;
        let (title, text) = match answered {
            Answered::Confirmed => ("double_opt_in-done-title", "double_opt_in-done"),
            Answered::NotEnough => ("double_opt_in-kept-title", "double_opt_in-kept"),
            Answered::NotAnyMore => ("double_opt_in-before-title", "double_opt_in-before"),
            Answered::Lapsed => ("double_opt_in-lapsed-title", "double_opt_in-lapsed"),
            Answered::Over => ("double_opt_in-over-title", "double_opt_in-over"),
        };
        let title = language.say(title);
        let is_done = (answered == Answered::Confirmed).then_some("done");
        let redirect = redirect.filter(|_| is_done.is_some());
        let text = language.say_with(text, &[("business", self.business)]);
        let main = html! {
            div class=[is_done] data-sayso=[is_done] role="status" {
                h1 { (title) }
                p { (text) }
            }
            (self.way_on(redirect))
        };
        self.page(&title, main)
    }

    /// The subject of the message, where it is an email.
    pub fn message_subject(&self) -> String {
        self.language.say_with("double_opt_in-subject", &[("business", self.business)])
    }

    /// The words of the message that brings a link, which follows them.
    pub fn link_message(&self) -> String {
        self.language.say_with("double_opt_in-message-link", &[("business", self.business)])
    }

    /// The words of the message that brings a code.
    pub fn code_message(&self, code: &str) -> String {
        let said = [("business", self.business), ("code", code)];
        self.language.say_with("double_opt_in-message-code", &said)
    }

    fn way_on(&self, redirect: Option<&str>) -> Markup {
        html! {
            @if let Some(redirect) = redirect {
                p { a class="button" href=(redirect) target="_top" rel="noreferrer" {
                    (self.language.say("form-go-on"))
                } }
            }
        }
    }
}
