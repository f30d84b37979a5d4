//! The languages of the pages, and what the pages say in each.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

/// A language in which every page can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English, the language of who asks for none that we have.
    #[default]
    English,
    /// Turkish.
    Turkish,
    /// Hindi.
    Hindi,
    /// Arabic, from right to left.
    Arabic,
}

/// Which way a language is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From left to right.
    LeftToRight,
    /// From right to left.
    RightToLeft,
}

impl Direction {
    /// The value of the attribute `dir`.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::English, Self::Turkish, Self::Hindi, Self::Arabic];

    /// The tag of the language, as in the attribute `lang`: `en`.
    ///
    /// *Source*: BCP 47.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Turkish => "tr",
            Self::Hindi => "hi",
            Self::Arabic => "ar",
        }
    }

    /// The name of the language, in the language.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Turkish => "Türkçe",
            Self::Hindi => "हिन्दी",
            Self::Arabic => "العربية",
        }
    }

    /// Which way it is written.
    pub const fn direction(self) -> Direction {
        match self {
            Self::English | Self::Turkish | Self::Hindi => Direction::LeftToRight,
            Self::Arabic => Direction::RightToLeft,
        }
    }

    /// The language of a tag, whatever its region and letter case: `tr`, `ar-EG`, `en_US`.
    pub fn find(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The language that a browser likes best among those offered; the first one offered if it likes
    /// none of them, English if none is offered.
    ///
    /// *Shape*: the value of `Accept-Language`: `tr-TR,tr;q=0.9,en;q=0.8`.
    ///
    /// *Source*: RFC 9110, section 12.5.4.
    pub fn choose(accept_language: &str, offered: &[Self]) -> Self {
        let mut liked: Vec<(u16, Self)> = accept_language
            .split(',')
            .filter_map(|item| {
                let (tag, weight) = item.split_once(';').unwrap_or((item, ""));
                let language = Self::find(tag)?;
                let weight = thousandths(weight)?;
                (weight > 0 && offered.contains(&language)).then_some((weight, language))
            })
            .collect();
        // A stable sort: among those liked alike, the one named first.
        liked.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let best = liked.first().map(|(_, language)| *language);
        best.or_else(|| offered.first().copied()).unwrap_or_default()
    }

    /// What the pages say under this key.
    pub fn say(self, key: &str) -> String {
        self.say_with(key, &[])
    }

    /// What the pages say under this key, with its arguments. Their values are text, not yet escaped.
    ///
    /// A key that is nowhere gives itself: a page with a strange word beats no page. A test finds it.
    pub fn say_with(self, key: &str, arguments: &[(&str, &str)]) -> String {
        let bundle = BUNDLES.iter().find(|(language, _)| *language == self).map(|(_, it)| it);
        let pattern = bundle.and_then(|bundle| bundle.get_message(key)).and_then(|it| it.value());
        let (Some(bundle), Some(pattern)) = (bundle, pattern) else { return key.to_owned() };
        let mut given = FluentArgs::new();
        for (name, value) in arguments {
            given.set(*name, FluentValue::from(*value));
        }
        let mut faults = Vec::new();
        bundle.format_pattern(pattern, Some(&given), &mut faults).into_owned()
    }
}

/// A weight of RFC 9110, section 12.4.2, in thousandths; none if it is no weight.
fn thousandths(weight: &str) -> Option<u16> {
    let weight = weight.trim();
    if weight.is_empty() {
        return Some(1_000);
    }
    let digits = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part: u16 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    match whole {
        "1" => Some(1_000),
        "0" => Some(part),
        _other => None,
    }
}

/// What the pages say in one language: a file for each module that says something.
macro_rules! texts {
    ($language:literal: $($module:literal),+) => {
        &[$(include_str!(concat!("../texts/", $language, "/", $module, ".ftl"))),+]
    };
    ($language:literal) => {
        texts!($language: "page", "double_opt_in", "entry", "form", "personal", "trouble")
    };
}

static BUNDLES: LazyLock<Vec<(Language, FluentBundle<FluentResource>)>> = LazyLock::new(|| {
    let texts = |language| -> &[&str] {
        match language {
            Language::English => texts!("en"),
            Language::Turkish => texts!("tr"),
            Language::Hindi => texts!("hi"),
            Language::Arabic => texts!("ar"),
        }
    };
    Language::ALL
        .into_iter()
        .map(|language| (language, bundle(language, texts(language))))
        .collect()
});

/// What is wrong in a text is left out here; the test of texts finds it.
fn bundle(language: Language, texts: &[&str]) -> FluentBundle<FluentResource> {
    let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // A language isolates no argument: the markup does, with `bdi`, where it matters.
    bundle.set_use_isolating(false);
    for text in texts {
        let resource = match FluentResource::try_new((*text).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        bundle.add_resource_overriding(resource);
    }
    bundle
}
