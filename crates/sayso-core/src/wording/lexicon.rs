//! The words we know, by language and kind, with where each comes from.
//!
//! They are files in `data/words`: a line has a kind, a phrase, and its sources, separated by tabs.
//! A phrase may hold alternatives, `remove me (from your list|)`; each way through it is an entry.
//! No phrase has one meaning with its accents and another without, so entries are compared without;
//! they are kept folded in a tree of words, in which the longest one at a place is found by walking
//! down once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::fold::{Token, fold};
use crate::channel::words;

words! {
    /// What a known word or phrase does to the reading of a text.
    Kind: "stop, stop_first, stop_alone, stop_phrase, start, help, yes, no, courtesy, other, doubt, doubt_alone" {
        /// A stop word. Alone it acts; in a sentence that says nothing else it is in doubt.
        Stop = "stop", 1;
        /// A stop word that begins other sentences too: in doubt only at the head of a short text.
        StopFirst = "stop_first", 2;
        /// A stop word that means other things in a sentence, where it counts for nothing.
        StopAlone = "stop_alone", 3;
        /// A phrase that is a refusal wherever it stands.
        StopPhrase = "stop_phrase", 4;
        /// A start word. Acts alone.
        Start = "start", 5;
        /// A help word. Acts alone.
        Help = "help", 6;
        /// A yes. Acts alone, as the answer to an open question.
        Yes = "yes", 7;
        /// A no. Acts alone, as the answer to an open question; otherwise it is in doubt.
        No = "no", 8;
        /// A word that adds nothing to those around it.
        Courtesy = "courtesy", 9;
        /// A phrase with a stop word in it that plainly means something else.
        Other = "other", 10;
        /// A phrase that smells of a wish to stop, wherever it stands.
        Doubt = "doubt", 11;
        /// A text that smells of a wish to stop when nothing else is said, misspellings among them.
        DoubtAlone = "doubt_alone", 12;
    }
}

impl Kind {
    /// Whether it is a refusal, alone or anywhere.
    pub(crate) const fn is_stop(self) -> bool {
        match self {
            Self::Stop | Self::StopFirst | Self::StopAlone | Self::StopPhrase => true,
            Self::Start
            | Self::Help
            | Self::Yes
            | Self::No
            | Self::Courtesy
            | Self::Other
            | Self::Doubt
            | Self::DoubtAlone => false,
        }
    }

    /// Its place among the kinds.
    pub(crate) const fn place(self) -> u32 {
        u32::from_be_bytes([0, 0, 0, self.code()])
    }
}

/// A line of the data: a word or phrase of one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The language, as a BCP 47 tag.
    pub language: &'static str,
    /// What it does.
    pub kind: Kind,
    /// The phrase, with its alternatives.
    pub phrase: &'static str,
    /// The keys of its sources ([`sources`]), separated by commas.
    pub sources: &'static str,
}

/// Where words come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordSource {
    /// The key that words name.
    pub key: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Its address, or nothing.
    pub url: &'static str,
}

/// The languages, as BCP 47 tag, English name and data.
const FILES: [(&str, &str, &str); 14] = [
    ("en", "English", include_str!("../../data/words/en.tsv")),
    ("es", "Spanish", include_str!("../../data/words/es.tsv")),
    ("fr", "French", include_str!("../../data/words/fr.tsv")),
    ("de", "German", include_str!("../../data/words/de.tsv")),
    ("pt", "Portuguese", include_str!("../../data/words/pt.tsv")),
    ("it", "Italian", include_str!("../../data/words/it.tsv")),
    ("tr", "Turkish", include_str!("../../data/words/tr.tsv")),
    ("hi", "Hindi", include_str!("../../data/words/hi.tsv")),
    ("hi-Latn", "Hindi in Latin letters", include_str!("../../data/words/hi-Latn.tsv")),
    ("ar", "Arabic", include_str!("../../data/words/ar.tsv")),
    ("id", "Indonesian", include_str!("../../data/words/id.tsv")),
    ("ru", "Russian", include_str!("../../data/words/ru.tsv")),
    ("zh", "Chinese", include_str!("../../data/words/zh.tsv")),
    ("ja", "Japanese", include_str!("../../data/words/ja.tsv")),
];

const SOURCES: &str = include_str!("../../data/words/sources.tsv");

/// The languages we have words in: BCP 47 tag and English name.
pub fn languages() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().map(|(tag, name, _)| (*tag, *name))
}

/// Every line of the data, language by language.
pub fn words() -> impl Iterator<Item = Word> {
    FILES.iter().flat_map(|(language, _, text)| {
        lines(text).filter_map(|line| {
            let (kind, phrase, sources) = three(line)?;
            Some(Word { language, kind: Kind::parse(kind).ok()?, phrase, sources })
        })
    })
}

/// Where the words come from.
pub fn sources() -> impl Iterator<Item = WordSource> {
    lines(SOURCES).filter_map(|line| {
        let (key, title, url) = three(line)?;
        Some(WordSource { key, title, url })
    })
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn three(line: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let mut columns = line.split('\t');
    let found = (columns.next()?, columns.next()?, columns.next()?);
    columns.next().is_none().then_some(found)
}

/// What makes a text doubtful in company: a refusal of something, and the word for what we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Unwanted,
    Sent,
}

const PAIRS: &str = include_str!("../../data/words/pairs.tsv");

/// The words of which two together, one of each part, are in doubt.
pub(crate) static PAIRED: LazyLock<Tree<Part>> = LazyLock::new(|| {
    let mut tree = Tree::default();
    for (part, phrase, _) in lines(PAIRS).filter_map(three) {
        let part = if part == "unwanted" { Part::Unwanted } else { Part::Sent };
        expand(phrase).iter().for_each(|phrase| tree.insert(&fold(phrase), part));
    }
    tree
});

/// The words of which two together are in doubt: those that refuse, and those for what we send.
pub fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    lines(PAIRS).filter_map(three).map(|(part, phrase, _)| (part, phrase))
}

/// The phrases that a phrase with alternatives stands for.
pub fn expand(phrase: &str) -> Vec<String> {
    let Some((head, rest)) = phrase.split_once('(') else {
        return vec![phrase.to_owned()];
    };
    let (inside, rest) = rest.split_once(')').unwrap_or((rest, ""));
    let tails = expand(rest);
    inside
        .split('|')
        .flat_map(|choice| tails.iter().map(move |tail| format!("{head}{choice}{tail}")))
        .collect()
}

/// All entries, folded.
pub(crate) static LEXICON: LazyLock<Tree<Kind>> = LazyLock::new(|| {
    let mut tree = Tree::default();
    for word in words() {
        for phrase in expand(word.phrase) {
            tree.insert(&fold(&phrase), word.kind);
        }
    }
    tree
});

/// Sequences of words, each with a value: a tree whose edges are words.
#[derive(Clone, Debug)]
pub(crate) struct Tree<T> {
    /// Each word that is on an edge, with its number.
    numbers: BTreeMap<Box<str>, usize>,
    /// From a place by a word to the next place.
    edges: BTreeMap<(usize, usize), usize>,
    /// What is at a place; the first is where every sequence begins.
    values: Vec<Option<T>>,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { numbers: BTreeMap::new(), edges: BTreeMap::new(), values: vec![None] }
    }
}

impl<T: Copy> Tree<T> {
    /// Adds a sequence; the first value it is given stays. An empty sequence is not added.
    pub(crate) fn insert(&mut self, tokens: &[Token], value: T) {
        let mut at = 0;
        for token in tokens {
            let unused = self.numbers.len();
            let number = *self.numbers.entry(token.plain.clone()).or_insert(unused);
            at = *self.edges.entry((at, number)).or_insert(self.values.len());
            if at == self.values.len() {
                self.values.push(None);
            }
        }
        if let Some(kept) = self.values.get_mut(at).filter(|_| at > 0) {
            kept.get_or_insert(value);
        }
    }

    /// The longest sequence that `tokens` begin with and that is accepted, with its length.
    pub(crate) fn longest(
        &self,
        tokens: &[Token],
        accepts: impl Fn(T, usize) -> bool,
    ) -> Option<(T, usize)> {
        let mut at = 0;
        let mut found = None;
        for (index, token) in tokens.iter().enumerate() {
            let number = self.numbers.get(&token.plain);
            let Some(next) = number.and_then(|number| self.edges.get(&(at, *number))) else {
                break;
            };
            at = *next;
            let value = self.values.get(at).copied().flatten();
            let accepted = value.filter(|value| accepts(*value, index + 1));
            found = accepted.map(|value| (value, index + 1)).or(found);
        }
        found
    }

    /// The value of exactly these words.
    pub(crate) fn value(&self, tokens: &[Token]) -> Option<T> {
        self.longest(tokens, |_, length| length == tokens.len()).map(|(value, _)| value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::fold::{exact_text, plain_text};
    use super::*;

    #[test]
    fn every_line_of_the_data_has_a_kind_a_phrase_and_a_known_source() {
        let keys: BTreeSet<_> = sources().map(|source| source.key).collect();
        assert_eq!(keys.len(), lines(SOURCES).count(), "a source is written badly or twice");
        for (language, _, text) in FILES {
            for line in lines(text) {
                let (kind, phrase, cited) =
                    three(line).unwrap_or_else(|| panic!("{language}: {line}"));
                assert!(Kind::parse(kind).is_ok(), "{language}: {line}");
                assert!(phrase.matches('(').count() == phrase.matches(')').count(), "{line}");
                assert!(!fold(phrase).is_empty(), "{language}: {line}");
                assert!(cited.split(',').all(|key| keys.contains(key)), "{language}: {line}");
            }
        }
        assert!(
            keys.iter()
                .all(|key| words().any(|word| word.sources.split(',').any(|cited| cited == *key)))
        );
    }

    #[test]
    fn every_line_of_the_pairs_is_of_one_of_the_parts() {
        let known = |line: &&'static str| {
            three(line).is_some_and(|(part, _, _)| ["unwanted", "sent"].contains(&part))
        };
        assert_eq!(lines(PAIRS).find(|line| !known(line)), None);
    }

    #[test]
    fn phrases_are_written_as_they_fold() {
        let unspaced = |text: &str| text.replace(' ', "").replace('ı', "i");
        let unfolded: Vec<_> = words()
            .filter(|word| {
                let folds =
                    |phrase: &String| unspaced(&exact_text(&fold(phrase))) == unspaced(phrase);
                !expand(word.phrase).iter().all(folds)
            })
            .collect();
        assert!(unfolded.is_empty(), "{unfolded:#?}");
    }

    #[test]
    fn no_line_stands_twice_and_no_phrase_is_of_two_kinds() {
        let mut lines = BTreeSet::new();
        let mut kinds: BTreeMap<String, Word> = BTreeMap::new();
        let mut faults = Vec::new();
        for word in words() {
            if !lines.insert((word.language, exact_text(&fold(word.phrase)), word.phrase.len())) {
                faults.push(format!("{}: `{}` stands twice", word.language, word.phrase));
            }
            for phrase in expand(word.phrase) {
                let plain = plain_text(&fold(&phrase));
                let first = kinds.entry(plain.clone()).or_insert(word);
                if first.kind != word.kind {
                    faults.push(format!(
                        "`{plain}` is {} in {} and {} in {}",
                        first.kind, first.language, word.kind, word.language
                    ));
                }
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
        assert!(kinds.len() < 60_000, "{} entries", kinds.len());
    }

    #[test]
    fn alternatives_are_all_ways_through_a_phrase() {
        assert_eq!(expand("a (b|c) d(e|)"), ["a b de", "a b d", "a c de", "a c d"]);
    }
}
