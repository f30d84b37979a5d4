//! A web opt-in form: as it is opened, with what was typed and what was wrong, once it was sent, and
//! what a form that is tried out records of the test person.
//!
//! A box is ticked here only where the person ticked it a moment ago. WhatsApp and the other channels
//! stand beside their boxes by name and mark. What a form records is not known here.

use maud::{Markup, html};
use sayso_core::words::channel::Channel;
use sayso_core::words::form::{Brightness, Font, Theme};

use crate::language::Language;
use crate::mark::mark;
use crate::page::{Document, Frame, Page};

/// The style of forms, beside that of every page.
const STYLE: &str = include_str!("../../../web/form.css");
/// What a form does with a script: the proof of work, its height for the page around it, Escape.
const SCRIPT: &str = include_str!("../../../web/form-page.js");

/// What all pages of one form share.
#[derive(Clone, Copy, Debug)]
pub struct FormLook<'a> {
    /// The language it is shown in.
    pub language: Language,
    /// The business that people agree to hear from.
    pub business: &'a str,
    /// How it looks.
    pub theme: Theme,
    /// Where it is shown.
    pub frame: Frame,
}

/// A form to be filled in.
#[derive(Clone, Debug)]
pub struct FormPage<'a> {
    /// How it looks.
    pub look: FormLook<'a>,
    /// What stands above it; absent: words of ours.
    pub title: Option<&'a str>,
    /// What stands below the title.
    pub description: Option<&'a str>,
    /// What stands on the button; absent: words of ours.
    pub button: Option<&'a str>,
    /// The words of consent, and the tag of their language.
    pub notice: (&'a str, &'a str),
    /// The boxes, by channel.
    pub groups: Vec<Group<'a>>,
    /// What is wrong with the boxes as a whole.
    pub boxes_fault: Option<FieldFault>,
    /// What it asks.
    pub fields: Vec<FormField<'a>>,
    /// What the person must know of the form as a whole.
    pub remark: Option<Remark>,
    /// What the button does.
    pub sends: Sends<'a>,
}

/// What the button of a form does.
#[derive(Clone, Debug)]
pub enum Sends<'a> {
    /// It sends the form.
    Form {
        /// Where to.
        action: String,
        /// What the server gave it for proof of work and against forgery.
        challenge: String,
        /// How many bits the proof begins with.
        bits: u32,
        /// The page around it, as far as it is known.
        page: &'a str,
        /// Whether it is recorded of who fills it in.
        trial: Trial,
    },
    /// It shows another state of the preview.
    Preview {
        /// Where it is.
        action: String,
        /// Which state, by names and values.
        next: Vec<(&'static str, String)>,
    },
}

/// Whether what is sent is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It is.
    Recorded,
    /// It is recorded of the test person alone.
    Tried,
}

/// The boxes of one channel.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The channel.
    pub channel: Channel,
    /// Its boxes.
    pub boxes: Vec<TickBox<'a>>,
}

/// One box.
#[derive(Clone, Debug)]
pub struct TickBox<'a> {
    /// How it is sent.
    pub name: String,
    /// The topic that it is about; without one, all messages.
    pub topic: Option<&'a str>,
    /// Whether the person ticked it a moment ago.
    pub tick: Tick,
}

/// Whether a box is ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// It is.
    Ticked,
    /// It is not.
    Empty,
}

/// One thing that a form asks.
#[derive(Clone, Debug)]
pub struct FormField<'a> {
    /// How it is sent.
    pub name: String,
    /// What it asks.
    pub asks: AsksFor<'a>,
    /// What was typed.
    pub value: &'a str,
    /// When it must be filled in.
    pub needed: Needed,
    /// What is wrong with what was typed.
    pub fault: Option<FieldFault>,
}

/// When a field must be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// Always.
    Always,
    /// Where a box is ticked that needs it.
    ByTick,
    /// Never.
    Never,
}

/// What a field asks for.
#[derive(Clone, Debug)]
pub enum AsksFor<'a> {
    /// A phone number.
    Phone {
        /// The countries to choose from.
        countries: Vec<Country>,
        /// The one that is chosen.
        chosen: String,
        /// How numbers of the chosen one are written there, as [`Country::shape`]; empty if unknown.
        shape: String,
        /// A number that would be right.
        example: String,
    },
    /// An email address.
    Email,
    /// The person's name.
    Name,
    /// Something of the business's own, as it is called.
    Text(&'a str),
}

/// A country to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country {
    /// Its two letters.
    pub letters: String,
    /// What its numbers begin with, after the plus.
    pub number: u16,
    /// How they are written there, a `#` for each digit; empty if unknown. A script writes them so as they
    /// are typed.
    pub shape: String,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldFault {
    /// No box is ticked.
    NoBox,
    /// It is empty.
    Missing,
    /// It is no phone number; such as this one would be.
    Phone(String),
    /// It has too few digits.
    PhoneTooShort(String),
    /// It has too many digits.
    PhoneTooLong(String),
    /// It is of no country that is known.
    PhoneCountry(String),
    /// Nobody has it.
    PhoneNotInUse(String),
    /// No mobile phone has it.
    PhoneNotMobile(String),
    /// It is no email address.
    Email,
    /// It has more characters than this.
    TooLong(usize),
}

/// What the person must know of the form as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// It was open for long, or came from elsewhere than it was sent to: tick and press once more.
    Again,
    /// Without a script: wait so many seconds, then press again.
    Wait(u32),
    /// A field that people do not see was filled in by a program; it is empty again.
    Program,
    /// Too much was sent from there or about that address.
    TooMany,
    /// It could not be saved; nothing was.
    Unavailable,
}

impl FieldFault {
    fn say(&self, language: Language) -> String {
        let with = |key: &'static str, example: &str| {
            // A number is read from left to right in every language.
            let example = format!("\u{2066}{example}\u{2069}");
            language.say_with(key, &[("example", &example)])
        };
        match self {
            Self::NoBox => language.say("form-fault-boxes"),
            Self::Missing => language.say("form-fault-missing"),
            Self::Phone(example) => with("form-fault-phone", example),
            Self::PhoneTooShort(example) => with("form-fault-phone-short", example),
            Self::PhoneTooLong(example) => with("form-fault-phone-long", example),
            Self::PhoneCountry(example) => with("form-fault-phone-country", example),
            Self::PhoneNotInUse(example) => with("form-fault-phone-unused", example),
            Self::PhoneNotMobile(example) => with("form-fault-phone-landline", example),
            Self::Email => with("form-fault-email", "ada@example.org"),
            Self::TooLong(most) => {
                language.say_with("form-fault-long", &[("most", &most.to_string())])
            }
        }
    }
}

impl Remark {
    fn say(self, language: Language) -> String {
        match self {
            Self::Again => language.say("form-remark-again"),
            Self::Wait(seconds) => {
                language.say_with("form-remark-wait", &[("seconds", &seconds.to_string())])
            }
            Self::Program => language.say("form-remark-program"),
            Self::TooMany => language.say("form-remark-too-many"),
            Self::Unavailable => language.say("form-remark-unavailable"),
        }
    }
}

impl FormLook<'_> {
    pub(crate) fn page(&self, title: &str, main: Markup) -> Document {
        let title = format!("{title} · {}", self.business);
        Page {
            language: self.language,
            title: &title,
            styles: &[STYLE],
            made_style: &style_of(self.theme),
            scripts: &[SCRIPT],
            frame: self.frame,
            main,
        }
        .render()
    }

    /// The page that says that the form was sent: in the form's own words if it has some. In a frame
    /// a redirect is a link out of it.
    pub fn done(&self, confirmation: Option<&str>, redirect: Option<&str>) -> Document {
        let language = self.language;
        let title = language.say("form-done-title");
        let ours = || language.say_with("form-done", &[("business", self.business)]);
        let text = confirmation.map_or_else(ours, str::to_owned);
        let main = html! {
            div class="done" data-sayso="done" data-redirect=[redirect] role="status" {
                h1 { (title) }
                p { (text) }
            }
            @if let Some(redirect) = redirect {
                p { a class="button" href=(redirect) target="_top" rel="noreferrer" {
                    (language.say("form-go-on"))
                } }
            }
        };
        self.page(&title, main)
    }

    /// What a form that is tried out recorded of the test person: for each event its facts, by name.
    pub fn tried(&self, events: &[Vec<(String, String)>]) -> Document {
        let language = self.language;
        let title = language.say("form-tried-title");
        let main = html! {
            h1 { (title) }
            p { (language.say("form-tried")) }
            @for (number, event) in (1..).zip(events) {
                h2 { (number) }
                dl class="facts" dir="ltr" {
                    @for (name, value) in event { dt { (name) } dd { bdi { (value) } } }
                }
            }
        };
        self.page(&title, main)
    }
}

impl FormPage<'_> {
    /// The page.
    pub fn render(&self) -> Document {
        let language = self.look.language;
        let ours = || language.say_with("form-title", &[("business", self.look.business)]);
        let title = self.title.map_or_else(ours, str::to_owned);
        let main = html! {
            h1 { (title) }
            @if let Some(description) = self.description { p { (description) } }
            @if let Sends::Form { trial: Trial::Tried, .. } = self.sends {
                p class="trial" { (language.say("form-trial")) }
            }
            (self.summary())
            (self.form())
        };
        self.look.page(&title, main)
    }

    /// What is wrong, above the form, each fault a link to its field.
    fn summary(&self) -> Markup {
        let language = self.look.language;
        let has_faults =
            self.boxes_fault.is_some() || self.fields.iter().any(|field| field.fault.is_some());
        html! {
            @if let Some(remark) = self.remark {
                div class="summary" role="alert" { p { (remark.say(language)) } }
            }
            @if has_faults {
                div class="summary" role="alert" tabindex="-1" {
                    h2 { (language.say("form-summary")) }
                    ul {
                        @for field in self.fields.iter().filter(|field| field.fault.is_some()) {
                            li { a href={ "#" (field.name) } {
                                (field.label(language)) ": "
                                @if let Some(fault) = &field.fault { (fault.say(language)) }
                            } }
                        }
                        @if let Some(fault) = &self.boxes_fault {
                            li { a href={ "#" (self.first_box()) } { (fault.say(language)) } }
                        }
                    }
                }
            }
        }
    }

    fn first_box(&self) -> &str {
        let mut boxes = self.groups.iter().flat_map(|group| &group.boxes);
        boxes.next().map_or("boxes", |first| &first.name)
    }

    fn form(&self) -> Markup {
        let language = self.look.language;
        let ours = || language.say("form-button");
        let button = self.button.map_or_else(ours, str::to_owned);
        let inside = html! {
            @for field in &self.fields { (field.markup(language, self.names())) }
            (self.boxes())
            @if self.names() == Names::Sent { (self.bait()) }
            p { button type="submit" { (button) } }
            p class="hint working" role="status" data-working=(language.say("form-working")) {}
        };
        match &self.sends {
            Sends::Form { action, challenge, bits, page, .. } => html! {
                form method="post" action=(action) novalidate data-bits=(bits) {
                    input type="hidden" name="challenge" value=(challenge);
                    input type="hidden" name="proof" value="";
                    input type="hidden" name="page" value=(page);
                    (inside)
                }
            },
            // Its fields have no names, so nothing that is typed is sent.
            Sends::Preview { action, next } => html! {
                form method="get" action=(action) novalidate {
                    @for (name, value) in next { input type="hidden" name=(name) value=(value); }
                    (inside)
                }
            },
        }
    }

    const fn names(&self) -> Names {
        match self.sends {
            Sends::Form { .. } => Names::Sent,
            Sends::Preview { .. } => Names::Withheld,
        }
    }

    /// A field that people do not see and programs fill in.
    fn bait(&self) -> Markup {
        html! {
            div class="hidden-from-people" aria-hidden="true" {
                label for="homepage" { (self.look.language.say("form-bait")) }
                input id="homepage" name="homepage" type="text" tabindex="-1" autocomplete="off";
            }
        }
    }

    /// The boxes. A single one has the words of consent for its label; several stand below them.
    fn boxes(&self) -> Markup {
        let language = self.look.language;
        let (words, tag) = self.notice;
        let is_single = self.groups.iter().map(|group| group.boxes.len()).sum::<usize>() == 1;
        let words = html! { span lang=(tag) dir="auto" { (words) } };
        let described = described_by([
            (!is_single).then(|| "notice".to_owned()),
            self.boxes_fault.as_ref().map(|_| "boxes-fault".to_owned()),
        ]);
        html! {
            @if !is_single { p id="notice" class="notice" { (words) } }
            @for group in &self.groups {
                fieldset {
                    legend { (mark(group.channel)) (channel_name(group.channel, language)) }
                    @for it in &group.boxes {
                        div class="choice" {
                            input type="checkbox" id=(it.name) name=[self.names().of(&it.name)]
                                value="yes" checked[it.tick == Tick::Ticked]
                                aria-invalid=[self.boxes_fault.as_ref().map(|_| "true")]
                                aria-describedby=[described.clone()];
                            label for=(it.name) {
                                @if is_single { (words) } @else { (self.label_of(it)) }
                            }
                        }
                    }
                }
            }
            @if let Some(fault) = &self.boxes_fault {
                p id="boxes-fault" class="fault" { (fault.say(language)) }
            }
        }
    }

    fn label_of(&self, it: &TickBox<'_>) -> Markup {
        let business = [("business", self.look.business)];
        html! {
            @match it.topic {
                Some(topic) => { span dir="auto" { (topic) } }
                None => { (self.look.language.say_with("form-box", &business)) }
            }
        }
    }
}

/// The ids of what describes an input.
fn described_by<const N: usize>(ids: [Option<String>; N]) -> Option<String> {
    let ids: Vec<String> = ids.into_iter().flatten().collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// Whether the fields of a form have names: without, nothing that is typed is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Sent,
    Withheld,
}

impl Names {
    fn of(self, name: &str) -> Option<&str> {
        match self {
            Self::Sent => Some(name),
            Self::Withheld => None,
        }
    }
}

impl FormField<'_> {
    fn label(&self, language: Language) -> String {
        match &self.asks {
            AsksFor::Phone { .. } => language.say("form-phone"),
            AsksFor::Email => language.say("form-email"),
            AsksFor::Name => language.say("form-name"),
            AsksFor::Text(label) => (*label).to_owned(),
        }
    }

    fn markup(&self, language: Language, names: Names) -> Markup {
        let hint = match &self.asks {
            // A fault says it too.
            AsksFor::Phone { example, .. } if self.fault.is_none() => {
                let example = format!("\u{2066}{example}\u{2069}");
                Some(language.say_with("form-phone-hint", &[("example", &example)]))
            }
            AsksFor::Phone { .. } | AsksFor::Email | AsksFor::Name | AsksFor::Text(_) => None,
        };
        let described = described_by([
            self.fault.as_ref().map(|_| format!("{}-fault", self.name)),
            hint.as_ref().map(|_| format!("{}-hint", self.name)),
        ]);
        let (kind, autocomplete) = match &self.asks {
            AsksFor::Phone { .. } => ("tel", "tel"),
            AsksFor::Email => ("email", "email"),
            AsksFor::Name => ("text", "name"),
            AsksFor::Text(_) => ("text", "off"),
        };
        let shape = match &self.asks {
            AsksFor::Phone { shape, .. } => Some(shape),
            AsksFor::Email | AsksFor::Name | AsksFor::Text(_) => None,
        };
        let input = html! {
            input type=(kind) id=(self.name) name=[names.of(&self.name)] value=(self.value)
                autocomplete=(autocomplete) data-shape=[shape]
                aria-invalid=[self.fault.as_ref().map(|_| "true")] aria-describedby=[described];
        };
        html! {
            div class="field" {
                label for=(self.name) {
                    span dir="auto" { (self.label(language)) }
                    @match self.needed {
                        Needed::Always => {}
                        Needed::ByTick => { " " span class="optional" { (language.say("form-by-tick")) } }
                        Needed::Never => { " " span class="optional" { (language.say("form-optional")) } }
                    }
                }
                @if let AsksFor::Phone { countries, chosen, .. } = &self.asks && countries.len() > 1 {
                    div class="number" {
                        (country_choice(countries, chosen, language, names))
                        (input)
                    }
                } @else { (input) }
                @if let Some(hint) = hint { p id={ (self.name) "-hint" } class="hint" { (hint) } }
                @if let Some(fault) = &self.fault {
                    p id={ (self.name) "-fault" } class="fault" { (fault.say(language)) }
                }
            }
        }
    }
}

/// The countries, by letters and number; a script puts their names in place of the letters.
fn country_choice(countries: &[Country], chosen: &str, language: Language, names: Names) -> Markup {
    html! {
        select id="country" name=[names.of("country")] aria-label=(language.say("form-country"))
            autocomplete="off" {
            @for Country { letters, number, shape } in countries {
                option value=(letters) data-number=(number) data-shape=(shape) selected[letters == chosen] {
                    (letters) " +" (number)
                }
            }
        }
    }
}

/// How people know a channel.
fn channel_name(channel: Channel, language: Language) -> String {
    match channel {
        Channel::WhatsApp => "WhatsApp".into(),
        Channel::Sms => language.say("form-channel-sms"),
        Channel::Email => language.say("form-channel-email"),
        Channel::Rcs => "RCS".into(),
        Channel::Voice => language.say("form-channel-voice"),
        Channel::Push => language.say("form-channel-push"),
        Channel::Viber => "Viber".into(),
        Channel::Telegram => "Telegram".into(),
        Channel::Messenger => "Messenger".into(),
        Channel::Line => "LINE".into(),
    }
}

/// A theme as style. All its values were parsed.
fn style_of(theme: Theme) -> String {
    let scheme = match theme.brightness() {
        Brightness::Auto => "light dark",
        Brightness::Light => "light",
        Brightness::Dark => "dark",
    };
    let font = match theme.font() {
        Font::System => None,
        Font::Serif => Some("Charter,\"Bitstream Charter\",Georgia,\"Noto Serif\",serif"),
        Font::Rounded => Some(
            "ui-rounded,\"SF Pro Rounded\",\"Hiragino Maru Gothic ProN\",Quicksand,system-ui,sans-serif",
        ),
        Font::Monospace => Some("ui-monospace,Menlo,Consolas,\"Noto Sans Mono\",monospace"),
    };
    let font = font.map(|font| format!("--font:{font};")).unwrap_or_default();
    let accent = theme.accent().zip(theme.accent_in_the_dark()).map(|(light, dark)| {
        let (on_light, on_dark) = (light.ink(), dark.ink());
        format!("--accent:light-dark({light},{dark});--on-accent:light-dark({on_light},{on_dark});")
    });
    let accent = accent.unwrap_or_default();
    format!(":root{{color-scheme:{scheme};--radius:{}px;{accent}{font}}}", theme.radius_px())
}
