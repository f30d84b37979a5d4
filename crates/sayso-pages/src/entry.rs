//! The page between a QR code, link or widget and the chat: what the business may send, a box for each,
//! and the chat with or without it.
//!
//! No box is ticked, and the way into the chat without any is a button like the other. Whether a person is
//! known is in no view, so the page cannot tell.

use maud::{Markup, html};
use sayso_core::words::channel::Channel;

use crate::language::Language;
use crate::mark::mark;
use crate::page::{Document, Frame, Page};

/// Where the chat takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thread {
    /// WhatsApp.
    WhatsApp,
    /// Text messages.
    Sms,
    /// Email.
    Email,
}

/// One box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// What the form sends for it.
    pub value: &'a str,
    /// What it is called; absent for the one box that stands for the whole channel.
    pub topic: Option<&'a str>,
    /// Whether what was sent had it ticked.
    pub ticked: Ticked,
}

/// Whether a box is ticked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ticked {
    /// It is not, as on every first page.
    #[default]
    No,
    /// The person ticked it, and something else is to be put right.
    Yes,
}

/// What is to be put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryFault {
    /// To opt in, something must be ticked.
    NothingTicked,
    /// The address is needed: no message will tell it.
    NoAddress,
    /// What was typed is no number, or no address.
    BadAddress,
    /// What was typed is the number of a landline or a service.
    NotMobile,
}

/// The words of the notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words<'a> {
    /// The words.
    pub text: &'a str,
    /// Their language, as a tag.
    pub language: &'a str,
}

/// What one opt-in page shows.
#[derive(Clone, Copy, Debug)]
pub struct EntryPage<'a> {
    /// The language it is written in.
    pub language: Language,
    /// Those it is offered in.
    pub languages: &'a [Language],
    /// Where the form goes, and the page in another language is.
    pub action: &'a str,
    /// What makes the same form sent twice one request.
    pub visit: &'a str,
    /// The business, as people know it.
    pub business: &'a str,
    /// Where the chat takes place.
    pub thread: Thread,
    /// Its number or mailbox.
    pub number: &'a str,
    /// The boxes.
    pub choices: &'a [Choice<'a>],
    /// What a tick agrees to.
    pub notice: Words<'a>,
    /// A good address, as an example.
    pub example: &'a str,
    /// What was typed.
    pub typed: &'a str,
    /// What is to be put right.
    pub faults: &'a [EntryFault],
}

/// Lines of a notice stay lines; what is wrong is seen at its place.
const STYLE: &str = ".notice{white-space:pre-line}.actions{display:flex;flex-wrap:wrap;gap:.75rem}\
    .actions button{flex:1 1 12rem}.languages{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:1.5rem 0 0;\
    font-size:.875rem}.languages a{display:inline-block;min-height:1.5rem}.summary h2,.summary ul{margin:0 0 .25rem}\
    #address[aria-invalid=true]{border:2px solid var(--wrong)}";

/// Where the form leads: to the chat, by redirects that the platform chooses.
const CHATS: &str = "https: sms: mailto: whatsapp: intent:";

impl Thread {
    /// What people call it.
    pub fn name(self, language: Language) -> String {
        match self {
            Self::WhatsApp => "WhatsApp".to_owned(),
            Self::Sms => language.say("entry-channel-sms"),
            Self::Email => language.say("entry-channel-email"),
        }
    }

    const fn channel(self) -> Channel {
        match self {
            Self::WhatsApp => Channel::WhatsApp,
            Self::Sms => Channel::Sms,
            Self::Email => Channel::Email,
        }
    }

    const fn is_mail(self) -> bool {
        match self {
            Self::Email => true,
            Self::WhatsApp | Self::Sms => false,
        }
    }
}

impl EntryPage<'_> {
    /// The page.
    pub fn render(&self) -> Document {
        let title = self.with_channel("entry-title");
        let page = Page {
            language: self.language,
            title: &title,
            styles: &[STYLE],
            made_style: "",
            scripts: &[],
            frame: Frame::Window,
            main: self.main(&title),
        };
        page.render().leading_to(CHATS)
    }

    fn main(&self, title: &str) -> Markup {
        let say = |key: &str| self.language.say(key);
        html! {
            (self.summary())
            h1 { (title) }
            p { (say("entry-lead")) " " bdi class="code" { (self.number) } }
            form method="post" action=(self.action) {
                input type="hidden" name="visit" value=(self.visit);
                input type="hidden" name="lang" value=(self.language.tag());
                (self.boxes())
                (self.address())
                p.notice id="notice" lang=(self.notice.language) dir="auto" { (self.notice.text) }
                div.actions {
                    button name="do" value="opt_in" aria-describedby="notice" { (say("entry-opt-in")) }
                    button.plain name="do" value="chat" aria-describedby="just-chat" { (say("entry-just-chat")) }
                }
                p.hint id="just-chat" { (say("entry-just-chat-hint")) }
            }
            (self.other_languages())
        }
    }

    /// What is to be put right, with a way to each place.
    fn summary(&self) -> Markup {
        html! {
            @if !self.faults.is_empty() {
                div.summary role="alert" aria-labelledby="summary" {
                    h2 id="summary" { (self.language.say("entry-faults")) }
                    ul {
                        @for fault in self.faults {
                            li { a href=(fault.place()) { (self.say_fault(*fault)) } }
                        }
                    }
                }
            }
        }
    }

    fn boxes(&self) -> Markup {
        let fault = self.fault_of(&[EntryFault::NothingTicked]);
        html! {
            fieldset aria-describedby=[fault.map(|_| "choices-fault")] {
                legend { (mark(self.thread.channel())) (self.with_channel("entry-choices")) }
                @if let Some(fault) = fault {
                    p.fault id="choices-fault" { (self.say_fault(fault)) }
                }
                @for (place, choice) in self.choices.iter().enumerate() {
                    @let id = format!("choice-{place}");
                    div.choice {
                        input type="checkbox" name="choice" id=(id) value=(choice.value)
                            checked[choice.ticked == Ticked::Yes];
                        label for=(id) {
                            @match choice.topic {
                                Some(topic) => bdi { (topic) },
                                None => (self.with_channel("entry-all")),
                            }
                        }
                    }
                }
            }
        }
    }

    fn address(&self) -> Markup {
        let fault =
            self.fault_of(&[EntryFault::NoAddress, EntryFault::BadAddress, EntryFault::NotMobile]);
        let (label, hint, kind, autocomplete) = if self.thread.is_mail() {
            (self.language.say("entry-email"), "entry-email-hint", "email", "email")
        } else {
            (self.with_channel("entry-number"), "entry-number-hint", "tel", "tel")
        };
        let described = if fault.is_some() { "address-fault address-hint" } else { "address-hint" };
        html! {
            div.field {
                label for="address" { (label) }
                @if let Some(fault) = fault {
                    p.fault id="address-fault" { (self.say_fault(fault)) }
                }
                input type=(kind) id="address" name="address" value=(self.typed) autocomplete=(autocomplete)
                    aria-describedby=(described) aria-invalid=[fault.map(|_| "true")];
                p.hint id="address-hint" {
                    (self.language.say_with(hint, &[("example", &self.isolated_example())]))
                }
            }
        }
    }

    fn other_languages(&self) -> Markup {
        let others = || self.languages.iter().filter(|other| **other != self.language);
        html! {
            @if others().next().is_some() {
                nav.languages aria-label=(self.language.say("entry-languages")) {
                    @for other in others() {
                        a href=(format!("{}?lang={}", self.action, other.tag())) lang=(other.tag())
                            dir=(other.direction().attribute()) hreflang=(other.tag()) { (other.own_name()) }
                    }
                }
            }
        }
    }

    fn with_channel(&self, key: &str) -> String {
        let channel = self.thread.name(self.language);
        self.language.say_with(key, &[("business", self.business), ("channel", &channel)])
    }

    fn fault_of(&self, faults: &[EntryFault]) -> Option<EntryFault> {
        self.faults.iter().copied().find(|fault| faults.contains(fault))
    }

    /// The example, read from left to right whatever stands around it.
    fn isolated_example(&self) -> String {
        format!("\u{2066}{}\u{2069}", self.example)
    }

    fn say_fault(&self, fault: EntryFault) -> String {
        let isolated = self.isolated_example();
        let example = [("example", isolated.as_str())];
        match (fault, self.thread.is_mail()) {
            (EntryFault::NothingTicked, _) => self.language.say("entry-nothing-ticked"),
            (EntryFault::NoAddress, _) => self.language.say_with("entry-no-address", &example),
            (EntryFault::BadAddress, true) => self.language.say_with("entry-bad-email", &example),
            (EntryFault::BadAddress, false) => self.language.say_with("entry-bad-number", &example),
            (EntryFault::NotMobile, _) => {
                let channel = self.thread.name(self.language);
                self.language
                    .say_with("entry-landline", &[("example", &isolated), ("channel", &channel)])
            }
        }
    }
}

impl EntryFault {
    /// Where it is put right.
    const fn place(self) -> &'static str {
        match self {
            Self::NothingTicked => "#choice-0",
            Self::NoAddress | Self::BadAddress | Self::NotMobile => "#address",
        }
    }
}
