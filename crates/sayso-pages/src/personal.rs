//! The pages of people who come by a link of theirs: one to leave with a click, one to see and change
//! everything.
//!
//! *Opening a page changes nothing*: all that changes something is a button that sends a form by POST. No
//! page names an address in full, since a link may be passed on.

pub mod preferences;
pub mod request;
pub mod unsubscribe;

use maud::{Markup, html};
use sayso_core::words::channel::{Category, Channel};
use sayso_core::words::source::Road;

use crate::language::Language;
use crate::page::{Document, Frame, Page};

/// The field that says what a form asks for.
pub const ACT: &str = "act";
/// The parameter of a link that asks for a language.
pub const LANGUAGE: &str = "language";

/// What people call a channel.
pub(crate) fn channel_name(language: Language, channel: Channel) -> String {
    language.say(match channel {
        Channel::WhatsApp => "personal-channel-whatsapp",
        Channel::Sms => "personal-channel-sms",
        Channel::Email => "personal-channel-email",
        Channel::Rcs => "personal-channel-rcs",
        Channel::Voice => "personal-channel-voice",
        Channel::Push => "personal-channel-push",
        Channel::Viber => "personal-channel-viber",
        Channel::Telegram => "personal-channel-telegram",
        Channel::Messenger => "personal-channel-messenger",
        Channel::Line => "personal-channel-line",
    })
}

/// What people call a category.
pub(crate) fn category_name(language: Language, category: Category) -> String {
    language.say(match category {
        Category::Marketing => "personal-category-marketing",
        Category::Utility => "personal-category-utility",
        Category::Authentication => "personal-category-authentication",
        Category::Service => "personal-category-service",
    })
}

/// How a statement came in, as people say it.
pub(crate) fn road_name(language: Language, road: Road) -> String {
    language.say(match road {
        Road::Api => "personal-road-api",
        Road::Tag => "personal-road-tag",
        Road::Form => "personal-road-form",
        Road::EntryPoint => "personal-road-entry-point",
        Road::Import => "personal-road-import",
        Road::Inbound | Road::Sentence => "personal-road-inbound",
        Road::PreferenceCentre => "personal-road-preference-centre",
        Road::OneClick => "personal-road-one-click",
        Road::Provider => "personal-road-provider",
        Road::Link => "personal-road-link",
        Road::Operator => "personal-road-operator",
        Road::System => "personal-road-system",
    })
}

/// The same page in the other languages.
fn languages(current: Language) -> Markup {
    languages_of(current, "")
}

/// The same, of a page that has further parameters.
fn languages_of(current: Language, more: &str) -> Markup {
    html! {
        nav aria-label=(current.say("personal-languages")) class="languages" {
            @for language in Language::ALL {
                @if language == current {
                    span aria-current="true" { (language.own_name()) }
                } @else {
                    a href={ "?" (LANGUAGE) "=" (language.tag()) (more) } lang=(language.tag()) hreflang=(language.tag()) {
                        (language.own_name())
                    }
                }
            }
        }
    }
}

/// A form of one button that asks for this.
fn button(act: &str, words: &str, class: Option<&str>) -> Markup {
    html! {
        form method="post" {
            button type="submit" name=(ACT) value=(act) class=[class] { (words) }
        }
    }
}

/// A page of somebody who came by a link of theirs, in a window of its own.
fn page(language: Language, title: &str, main: Markup) -> Document {
    Page {
        language,
        title,
        styles: &[STYLE],
        made_style: "",
        scripts: &[],
        frame: Frame::Window,
        main,
    }
    .render()
}

/// Style that these pages have beyond that of every page.
const STYLE: &str = "\
@layer parts{\
.facts{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:1.25rem 0}\
.facts dt{color:var(--quiet)}.facts dd{margin:0;font-weight:600}\
.languages{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin-top:2rem;font-size:.875rem}\
.languages>*{min-height:1.5rem}\
.choices{padding-block:.25rem;border-block-start:1px solid var(--hair)}\
.choices legend{float:inline-start;width:100%;padding-block-start:1rem;font-size:1.125rem}\
.choices legend+*{clear:both}\
.under{margin-inline-start:2.125rem}\
.choice .more{grid-column:2;margin:0;font-size:.875rem;color:var(--quiet)}\
.more blockquote{margin:.375rem 0 0;padding-inline-start:.75rem;border-inline-start:3px solid var(--hair);white-space:pre-line}\
summary{cursor:pointer;min-height:1.5rem}\
form+form{margin-top:.75rem}\
}";
