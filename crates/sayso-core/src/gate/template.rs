//! What a provider says of a template: its category, and whether it may be used.
//!
//! A template's change at the provider changes which consent it needs (rule 25). Of each aspect and
//! language the latest word counts, so late and repeated ones change nothing. Absent on purpose: what
//! is said of templates nobody told us about, which is nothing.

use std::collections::BTreeMap;

use crate::canonical::{Canonical, Malformed, Reader, Writer};
use crate::gate::sender_health::Known;
use crate::limits;
use crate::time::Timestamp;
use crate::words::channel::{Category, words};

words! {
    /// Whether a template may be used, from the best to the worst.
    TemplateState {
        /// It may.
        Usable = "usable", 1;
        /// The platform rests it, for its quality.
        Paused = "paused", 2;
        /// The platform never approved it, or no longer does.
        Rejected = "rejected", 3;
        /// The platform ended its use.
        Disabled = "disabled", 4;
        /// It is gone.
        Deleted = "deleted", 5;
    }
}

impl TemplateState {
    /// Reads a provider's word; `None` where it says nothing of that (`FLAGGED`, `PENDING`).
    ///
    /// *Source*: Meta, `message_template_status_update`; Gupshup passes the words on.
    pub fn of_provider(word: &str) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_str() {
            "APPROVED" | "REINSTATED" => Self::Usable,
            "PAUSED" => Self::Paused,
            "REJECTED" => Self::Rejected,
            "DISABLED" => Self::Disabled,
            "DELETED" | "PENDING_DELETION" => Self::Deleted,
            _ => return None,
        })
    }

    /// Why a message with it fails before the provider is asked; nothing where it may go.
    pub const fn failure(self) -> Option<&'static str> {
        match self {
            Self::Usable => None,
            Self::Paused => Some("template_paused"),
            Self::Rejected => Some("template_rejected"),
            Self::Disabled => Some("template_disabled"),
            Self::Deleted => Some("template_deleted"),
        }
    }
}

/// What is said of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TemplateSays {
    /// Its category.
    Category(Category),
    /// Whether it may be used.
    State(TemplateState),
}

/// One dated word about a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateWord {
    /// When, by the provider's clock, and not after our receipt.
    pub at: Timestamp,
    /// The language it is about, in the provider's spelling; all if absent.
    pub language: Option<Box<str>>,
    /// What it says.
    pub says: TemplateSays,
}

/// What was said of one template, each with when it was recorded; at most
/// [`limits::TEMPLATE_WORDS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateWords(Vec<(Timestamp, TemplateWord)>);

/// How a template stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// The strictest category of its languages, as far as it was said.
    pub category: Option<Category>,
    /// The worst state of its languages, as far as it was said.
    pub state: Option<TemplateState>,
}

impl TemplateWords {
    /// Takes in a word. Where there are too many, the oldest goes.
    pub fn put(&mut self, recorded_at: Timestamp, word: TemplateWord) {
        self.0.push((recorded_at, word));
        if self.0.len() > limits::TEMPLATE_WORDS_MAX {
            self.0.remove(0);
        }
    }

    /// Whether a word was heard already.
    pub fn holds(&self, word: &TemplateWord) -> bool {
        self.0.iter().any(|(_, known)| known == word)
    }

    /// How the template stands in a language; in any, where none is named.
    pub fn template(&self, language: Option<&str>, known: Known) -> Template {
        let applies = |word: &&TemplateWord| {
            let fits = match (word.language.as_deref(), language) {
                (None, _) | (_, None) => true,
                (Some(of), Some(asked)) => of == asked,
            };
            fits && word.at <= known.at
        };
        let known_by = self.0.iter().filter(|(recorded_at, _)| *recorded_at <= known.by);
        let mut categories: BTreeMap<Option<&str>, (Timestamp, Category)> = BTreeMap::new();
        let mut states: BTreeMap<Option<&str>, (Timestamp, TemplateState)> = BTreeMap::new();
        for word in known_by.map(|(_, word)| word).filter(applies) {
            let of = word.language.as_deref();
            match word.says {
                TemplateSays::Category(category) => {
                    let held = categories.entry(of).or_insert((word.at, category));
                    if word.at == held.0 {
                        held.1 = held.1.stricter(category);
                    } else if word.at > held.0 {
                        *held = (word.at, category);
                    }
                }
                TemplateSays::State(state) => {
                    let held = states.entry(of).or_insert((word.at, state));
                    *held = (*held).max((word.at, state));
                }
            }
        }
        Template {
            category: categories
                .into_values()
                .map(|(_, category)| category)
                .reduce(Category::stricter),
            state: states.into_values().map(|(_, state)| state).max(),
        }
    }
}

impl Canonical for TemplateWord {
    fn write(&self, to: &mut Writer) {
        to.instant(self.at);
        to.option(self.language.as_deref(), Writer::text);
        match self.says {
            TemplateSays::Category(category) => {
                to.byte(1);
                category.write(to);
            }
            TemplateSays::State(state) => {
                to.byte(2);
                to.byte(state.code());
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let at = from.instant()?;
        let language = from.option(|from| from.text().map(Box::from))?;
        let says = match from.byte()? {
            1 => TemplateSays::Category(Category::read(from)?),
            2 => TemplateSays::State(TemplateState::from_code(from.byte()?).ok_or(Malformed)?),
            _ => return Err(Malformed),
        };
        Ok(Self { at, language, says })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    const T: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn at(hours: i64) -> Timestamp {
        T.plus(Span::hours(hours))
    }

    fn word(says: TemplateSays, language: &str, hours: i64) -> TemplateWord {
        TemplateWord { at: at(hours), language: Some(language.into()), says }
    }

    fn words(all: &[TemplateWord]) -> TemplateWords {
        let mut words = TemplateWords::default();
        all.iter().for_each(|word| words.put(word.at, word.clone()));
        words
    }

    #[test]
    fn the_latest_word_counts_in_whatever_order_it_comes() {
        use TemplateSays::{Category as OfCategory, State};
        let told = [
            word(OfCategory(Category::Marketing), "en", 2),
            word(OfCategory(Category::Utility), "en", 1),
            word(State(TemplateState::Usable), "en", 3),
            word(State(TemplateState::Paused), "en", 2),
        ];
        let mut back = told.to_vec();
        back.reverse();
        for told in [told.to_vec(), back] {
            let template = words(&told).template(Some("en"), Known::all(at(4)));
            assert_eq!(template.category, Some(Category::Marketing));
            assert_eq!(template.state, Some(TemplateState::Usable));
            let before = words(&told).template(Some("en"), Known::all(at(1)));
            assert_eq!(before.category, Some(Category::Utility));
        }
    }

    #[test]
    fn without_a_language_the_strictest_of_all_counts_and_another_language_says_nothing() {
        let told = words(&[
            word(TemplateSays::Category(Category::Marketing), "de", 1),
            word(TemplateSays::Category(Category::Utility), "en", 2),
            word(TemplateSays::State(TemplateState::Disabled), "de", 1),
        ]);
        let of = |language| told.template(language, Known::all(at(3)));
        assert_eq!(of(Some("en")).category, Some(Category::Utility));
        assert_eq!(of(Some("en")).state, None);
        assert_eq!(of(None).category, Some(Category::Marketing));
        assert_eq!(of(None).state, Some(TemplateState::Disabled));
        assert_eq!(of(Some("fr")), Template::default());
    }

    #[test]
    fn of_two_words_at_the_same_time_the_stricter_counts() {
        let told = [
            word(TemplateSays::Category(Category::Utility), "en", 1),
            word(TemplateSays::Category(Category::Marketing), "en", 1),
            word(TemplateSays::Category(Category::Authentication), "en", 1),
        ];
        let template = words(&told).template(None, Known::all(at(1)));
        assert_eq!(template.category, Some(Category::Marketing));
    }

    #[test]
    fn a_word_is_read_as_it_was_written() {
        for said in [
            word(TemplateSays::Category(Category::Marketing), "en_US", 1),
            TemplateWord {
                language: None,
                ..word(TemplateSays::State(TemplateState::Paused), "en", 1)
            },
        ] {
            assert_eq!(TemplateWord::from_bytes(&said.to_bytes()).unwrap(), said);
        }
    }
}
