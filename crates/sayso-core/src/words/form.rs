//! What an opt-in form may look like and where it may stand: colors that can be read, fonts, the
//! origins whose pages may show it, and where it may lead.
//!
//! Only values that fit are here, so that what stands in a page's style or in a header is never an
//! operator's free text. Which consents a form asks for is no matter of looks and stands with the
//! workspace's configuration; no HTML is written here.

use std::fmt;

use thiserror::Error;

use crate::limits;
use crate::words::channel::words;
use crate::words::color::Color;

words! {
    /// The typeface of a form. Each is one that devices have: nothing is loaded.
    Font {
        /// That of the device's own pages.
        System = "system", 1;
        /// With serifs, as in books.
        Serif = "serif", 2;
        /// With round ends, where the device has such a one.
        Rounded = "rounded", 3;
        /// All letters as wide.
        Monospace = "monospace", 4;
    }
}

words! {
    /// Whether a form is dark on light or light on dark.
    Brightness {
        /// As the person's device is set.
        Auto = "auto", 1;
        /// Always dark on light.
        Light = "light", 2;
        /// Always light on dark.
        Dark = "dark", 3;
    }
}

words! {
    /// How a script shows a form above a page.
    Shape {
        /// With everything else at rest.
        Popup = "popup", 1;
        /// In the corner.
        SlideIn = "slide-in", 2;
        /// Along the foot of the window.
        Bar = "bar", 3;
    }
}

/// When a form appears on a page.
///
/// *Shape*: `time:5`, `scroll:50`, `exit`, `click:#join`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// After so many seconds.
    Time(u16),
    /// When so many percent of the page were seen.
    Scroll(u8),
    /// When the pointer leaves the window.
    Exit,
    /// When what this selector of CSS finds is pressed; at most [`limits::FORM_SELECTOR_BYTES_MAX`].
    Click(Box<str>),
}

/// A text that is no trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is none of time:5, scroll:50, exit, click:#join")]
pub struct TriggerFault;

/// How a form looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    accent: Option<Color>,
    radius_px: u8,
    font: Font,
    brightness: Brightness,
}

/// Why a form cannot look so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ThemeFault {
    /// The accent cannot be read on the form.
    #[error("cannot be read on the form: its contrast is below 4.5 to 1")]
    Contrast {
        /// The nearest color that can.
        nearest: Color,
    },
    /// Corners rounder than [`limits::FORM_RADIUS_PX_MAX`].
    #[error("is more than 24 pixels")]
    Radius,
}

/// The origin of a page: scheme, host and, if need be, port.
///
/// *Shape*: as browsers write it, `https://shop.example` or `http://localhost:8000`: lower case, no
/// default port; the host in letters, digits, `-` and `.`, or an IPv6 address in brackets.
///
/// *Source*: RFC 6454, section 6.2.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(Box<str>);

/// A text that is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no origin: scheme, host and, if need be, port")]
pub struct OriginFault;

/// Where a form leads once it was sent: a page, over https.
///
/// *Shape*: `https://shop.example/thanks?from=form#top`, at most [`limits::FORM_URL_BYTES_MAX`]
/// bytes of visible ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    url: Box<str>,
    origin: Origin,
}

/// A text that is no address of a page over https.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no https address of at most 2048 visible ASCII characters")]
pub struct RedirectFault;

/// The name of a field that a form asks beside phone, email and name; also that of the attribute it
/// becomes.
///
/// *Shape*: 1 to 32 of `a`–`z`, `0`–`9` and `_`, a letter first; none that Sayso itself uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldName(Box<str>);

/// Why a text names no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FieldNameFault {
    /// Not of the shape.
    #[error("is not 1 to 32 of a-z, 0-9 and _, a letter first")]
    Shape,
    /// Sayso itself uses it.
    #[error("is a name that Sayso itself uses")]
    Taken,
}

/// The names that attributes and fields of Sayso itself have.
const TAKEN_NAMES: [&str; 6] = ["phone", "email", "name", "surname", "language", "time_zone"];

impl Theme {
    /// A theme whose accent can be read on the form it is for. A form that follows the device is
    /// judged light; for the dark it gets a lighter accent.
    ///
    /// # Errors
    /// [`ThemeFault`].
    pub fn new(
        accent: Option<Color>,
        radius_px: u8,
        font: Font,
        brightness: Brightness,
    ) -> Result<Self, ThemeFault> {
        if radius_px > limits::FORM_RADIUS_PX_MAX {
            return Err(ThemeFault::Radius);
        }
        let ground = match brightness {
            Brightness::Auto | Brightness::Light => Color::LIGHT_CARD,
            Brightness::Dark => Color::DARK_CARD,
        };
        match accent {
            Some(color) if !color.is_readable_on(ground) => {
                Err(ThemeFault::Contrast { nearest: color.readable_on(ground) })
            }
            Some(_) | None => Ok(Self { accent, radius_px, font, brightness }),
        }
    }

    /// The color of buttons, ticks and the focus; without one that of all pages.
    pub const fn accent(&self) -> Option<Color> {
        self.accent
    }

    /// The accent on a dark ground.
    pub fn accent_in_the_dark(&self) -> Option<Color> {
        self.accent.map(|accent| accent.readable_on(Color::DARK_CARD))
    }

    /// How round the corners are. *Units*: pixels.
    pub const fn radius_px(&self) -> u8 {
        self.radius_px
    }

    /// The typeface.
    pub const fn font(&self) -> Font {
        self.font
    }

    /// Light, dark, or as the device is.
    pub const fn brightness(&self) -> Brightness {
        self.brightness
    }

    /// The same in another brightness, for a look at it. The accent stays readable, so it may change.
    #[must_use]
    pub fn seen_in(self, brightness: Brightness) -> Self {
        let ground = match brightness {
            Brightness::Auto | Brightness::Light => Color::LIGHT_CARD,
            Brightness::Dark => Color::DARK_CARD,
        };
        Self { accent: self.accent.map(|accent| accent.readable_on(ground)), brightness, ..self }
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self { accent: None, radius_px: 8, font: Font::System, brightness: Brightness::Auto }
    }
}

impl Shape {
    /// When it appears unless something else is said: a popup after five seconds, the others at half the page.
    pub const fn usual_trigger(self) -> Trigger {
        match self {
            Self::Popup => Trigger::Time(5),
            Self::SlideIn | Self::Bar => Trigger::Scroll(50),
        }
    }
}

impl Trigger {
    /// Parses a trigger.
    ///
    /// # Errors
    /// [`TriggerFault`].
    pub fn parse(text: &str) -> Result<Self, TriggerFault> {
        let (word, value) = text.split_once(':').unwrap_or((text, ""));
        let is_selector = !value.is_empty()
            && value.len() <= limits::FORM_SELECTOR_BYTES_MAX
            && !value.chars().any(char::is_control);
        match word {
            "time" => value.parse().map(Self::Time).map_err(|_| TriggerFault),
            "scroll" => {
                let percent = value.parse().ok().filter(|percent| *percent <= 100);
                percent.map(Self::Scroll).ok_or(TriggerFault)
            }
            "exit" if text == word => Ok(Self::Exit),
            "click" if is_selector => Ok(Self::Click(value.into())),
            _ => Err(TriggerFault),
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(seconds) => write!(f, "time:{seconds}"),
            Self::Scroll(percent) => write!(f, "scroll:{percent}"),
            Self::Exit => f.write_str("exit"),
            Self::Click(selector) => write!(f, "click:{selector}"),
        }
    }
}

impl Origin {
    /// Parses an origin; upper case, a slash at the end and the scheme's own port are dropped.
    ///
    /// # Errors
    /// [`OriginFault`].
    pub fn parse(text: &str) -> Result<Self, OriginFault> {
        let text = text.trim().to_ascii_lowercase();
        let bare = text.strip_suffix('/').unwrap_or(&text);
        let (scheme, authority) = bare.split_once("://").ok_or(OriginFault)?;
        let own_port = match scheme {
            "https" => "443",
            "http" => "80",
            _ => return Err(OriginFault),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            Some(_) | None => (authority, None),
        };
        let has_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
        if !is_host(host) || port.is_some_and(|port| !has_port(port)) {
            return Err(OriginFault);
        }
        Ok(Self(match port.filter(|port| *port != own_port) {
            Some(port) => format!("{scheme}://{host}:{port}").into(),
            None => format!("{scheme}://{host}").into(),
        }))
    }

    /// The origin of the page with this address.
    ///
    /// # Errors
    /// [`OriginFault`].
    pub fn of_url(url: &str) -> Result<Self, OriginFault> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(OriginFault)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        Self::parse(&format!("{scheme}://{authority}"))
    }

    /// The origin, as browsers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<core::net::Ipv6Addr>().is_ok();
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(fits);
    host.len() <= HOST_BYTES_MAX && host.split('.').all(is_label)
}

/// *Source*: RFC 1035, section 2.3.4.
const HOST_BYTES_MAX: usize = 253;

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Redirect {
    /// Parses the address of a page.
    ///
    /// # Errors
    /// [`RedirectFault`].
    pub fn parse(text: &str) -> Result<Self, RedirectFault> {
        let url = text.trim();
        let is_visible = url.bytes().all(|byte| byte.is_ascii_graphic());
        let is_safe = is_visible && !url.contains(['"', '<', '>', '\\', '`', '@']);
        if url.len() > limits::FORM_URL_BYTES_MAX || !is_safe || !url.starts_with("https://") {
            return Err(RedirectFault);
        }
        let origin = Origin::of_url(url).map_err(|_| RedirectFault)?;
        Ok(Self { url: url.into(), origin })
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The origin of the page.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl FieldName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`FieldNameFault`].
    pub fn parse(text: &str) -> Result<Self, FieldNameFault> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = text.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
        if !begins || text.len() > 32 || !text.bytes().all(fits) {
            Err(FieldNameFault::Shape)
        } else if TAKEN_NAMES.contains(&text) {
            Err(FieldNameFault::Taken)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_read_as_it_is_written() {
        for text in ["time:0", "time:5", "scroll:100", "exit", "click:#join", "click:a[href$=':x']"]
        {
            assert_eq!(Trigger::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "time", "time:-1", "scroll:101", "exit:", "exit:1", "click:", "hover:#a"] {
            assert!(Trigger::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_accent_that_cannot_be_read_is_refused_with_one_that_can() {
        let yellow = Color::parse("#ffd400").unwrap();
        let theme = |brightness| Theme::new(Some(yellow), 8, Font::System, brightness);
        let Err(ThemeFault::Contrast { nearest }) = theme(Brightness::Auto) else {
            panic!("yellow on white")
        };
        assert!(nearest.is_readable_on(Color::WHITE));
        assert!(theme(Brightness::Dark).is_ok(), "it can be read in the dark");
        let green = Theme::new(Color::parse("#0b6b50").ok(), 8, Font::System, Brightness::Auto);
        let dark = green.unwrap().accent_in_the_dark().unwrap();
        assert!(dark.is_readable_on(Color::DARK_CARD), "{dark}");
        let round = Theme::new(None, 25, Font::System, Brightness::Auto);
        assert_eq!(round, Err(ThemeFault::Radius));
    }

    #[test]
    fn an_origin_is_kept_as_browsers_write_it() {
        for (text, origin) in [
            ("https://Shop.Example:443/", "https://shop.example"),
            ("http://localhost:8000", "http://localhost:8000"),
            (" https://xn--bcher-kva.example ", "https://xn--bcher-kva.example"),
            ("http://[2001:db8::1]:80", "http://[2001:db8::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), origin);
        }
        for text in [
            "shop.example",
            "https://shop.example/page",
            "https://shop.example?a",
            "ftp://shop.example",
            "https://a@b",
            "https://a;script-src",
            "https://a b",
            "https://*.shop.example",
            "https://a:0",
            "https://a:99999",
            "https://",
            "null",
            "*",
        ] {
            assert_eq!(Origin::parse(text), Err(OriginFault), "{text}");
        }
    }

    #[test]
    fn a_form_leads_over_https_alone() {
        let redirect = Redirect::parse("https://Shop.example:8443/thanks?from=form#top").unwrap();
        assert_eq!(redirect.origin().as_str(), "https://shop.example:8443");
        assert_eq!(redirect.as_str(), "https://Shop.example:8443/thanks?from=form#top");
        for text in [
            "http://shop.example/",
            "javascript:alert(1)",
            "//shop.example",
            "https://shop.example@evil.example/",
            "https://shop.example/a b",
            "https://shop.example\\evil",
            "https://",
        ] {
            assert_eq!(Redirect::parse(text), Err(RedirectFault), "{text}");
        }
    }

    #[test]
    fn a_field_is_named_as_no_field_of_ours() {
        assert_eq!(FieldName::parse("shoe_size").unwrap().as_str(), "shoe_size");
        assert_eq!(FieldName::parse("phone"), Err(FieldNameFault::Taken));
        for text in ["", "Shoe", "9a", "shoe-size", "a b", &"a".repeat(33)] {
            assert_eq!(FieldName::parse(text), Err(FieldNameFault::Shape), "{text}");
        }
    }
}
