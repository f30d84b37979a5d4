//! Placeholders: what a notice's text leaves open until it is published.
//!
//! A version is filled in when it is published, and the filled text is what is kept, shown and hashed. So the
//! proof of an opt-in is one text and its hash: nobody has to believe that it was filled in later as it
//! was then. A new value is a new version.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::policy::demand::Shown;
use crate::words::channel::words;

words! {
    /// Something that a notice's text may leave open.
    Placeholder {
        /// The business, by name.
        Business = "business", 1;
        /// The channels, by name.
        Channels = "channels", 2;
        /// The kinds of messages.
        Topics = "topics", 3;
        /// How often they come.
        Frequency = "frequency", 4;
        /// How to reach the business.
        Contact = "contact", 5;
        /// Where the terms are.
        Terms = "terms", 6;
        /// Where it is told what happens to the data.
        Privacy = "privacy", 7;
    }
}

/// Why a text cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlaceholderFault {
    /// It has a placeholder that there is none of.
    #[error("has the unknown placeholder {{{0}}}; the known ones are {known}", known = known())]
    Unknown(Box<str>),
    /// It has a placeholder for which no value is given.
    #[error("has the placeholder {{{0}}} without a value for it")]
    NoValue(Placeholder),
}

/// A text that was filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The words.
    pub text: String,
    /// What its placeholders showed.
    pub shows: BTreeSet<Shown>,
}

fn known() -> String {
    let names: Vec<String> = Placeholder::ALL.iter().map(|it| format!("{{{it}}}")).collect();
    names.join(", ")
}

impl Placeholder {
    const fn shows(self) -> Shown {
        match self {
            Self::Business => Shown::Business,
            Self::Channels => Shown::Channel,
            Self::Topics => Shown::Kinds,
            Self::Frequency => Shown::Frequency,
            Self::Contact => Shown::Contact,
            Self::Terms => Shown::Terms,
            Self::Privacy => Shown::Privacy,
        }
    }
}

/// Puts the values in the places that the text leaves open. A placeholder is a word of letters and `_` in
/// braces; any other brace is itself, and so is every brace in a value.
///
/// # Errors
/// [`PlaceholderFault`], of the first placeholder that is at fault.
pub fn fill(
    text: &str,
    values: &BTreeMap<Placeholder, String>,
) -> Result<Filled, PlaceholderFault> {
    let mut filled = Filled { text: String::with_capacity(text.len()), shows: BTreeSet::new() };
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.text.push_str(before);
        let named = after.split_once('}').filter(|(name, _)| is_name(name));
        let Some((name, after)) = named else {
            filled.text.push('{');
            rest = after;
            continue;
        };
        let place = Placeholder::parse(name).map_err(|_| PlaceholderFault::Unknown(name.into()))?;
        let value = values.get(&place).ok_or(PlaceholderFault::NoValue(place))?;
        filled.text.push_str(value);
        filled.shows.insert(place.shows());
        rest = after;
    }
    filled.text.push_str(rest);
    Ok(filled)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, PlaceholderFault> {
        let values = [(Placeholder::Business, "Ada's {Shop}"), (Placeholder::Topics, "offers")];
        let values = values.map(|(place, value)| (place, value.to_owned())).into();
        fill(text, &values).map(|filled| filled.text)
    }

    #[test]
    fn a_text_is_filled_in_once_and_every_other_brace_is_itself() {
        let text = "{business} sends {topics}. {}{ {a b}} {business}";
        let shown = "Ada's {Shop} sends offers. {}{ {a b}} Ada's {Shop}";
        assert_eq!(filled(text).as_deref(), Ok(shown));
        assert_eq!(filled("no places").as_deref(), Ok("no places"));
        assert_eq!(filled("{").as_deref(), Ok("{"));
    }

    #[test]
    fn what_is_unknown_or_has_no_value_is_refused_by_name() {
        let fault = filled("from {Business}").unwrap_err();
        assert_eq!(
            fault.to_string(),
            "has the unknown placeholder {Business}; the known ones are {business}, {channels}, \
             {topics}, {frequency}, {contact}, {terms}, {privacy}"
        );
        assert_eq!(filled("{terms}"), Err(PlaceholderFault::NoValue(Placeholder::Terms)));
    }

    #[test]
    fn a_placeholder_that_is_filled_shows_what_it_stands_for() {
        let values = [(Placeholder::Business, "Ada".to_owned())].into();
        let filled = fill("{business} writes", &values).unwrap();
        assert_eq!(filled.shows, [Shown::Business].into());
    }
}
