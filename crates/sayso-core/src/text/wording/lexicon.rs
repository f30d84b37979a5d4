//! The words we know, by language and kind, with where each comes from.
//!
//! They are files in `data/words`: a line has a kind, a phrase, and its sources, separated by tabs.
//! A phrase may hold alternatives, `sir (or madam|)`; each way through it is an entry.
//! No keyword has one meaning with its accents and another without, so entries are compared without;
//! they are kept folded in a tree of words, in which the longest one at a place is found by walking
//! down once. The lines whose kind is a slot are those of the grammar (`speech`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::fold::{Token, fold};
use crate::words::channel::words;

words! {
    /// What a known word or phrase does to the reading of a text.
    Kind {
        /// A stop word. Alone it acts; in a sentence that says nothing else it is in doubt.
        Stop = "stop", 1;
        /// A stop word that begins other sentences too: in doubt only at the head of a short text.
        StopFirst = "stop_first", 2;
        /// A stop word that means other things in a sentence, where it counts for nothing.
        StopAlone = "stop_alone", 3;
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
            Self::Stop | Self::StopFirst | Self::StopAlone => true,
            Self::Start
            | Self::Help
            | Self::Yes
            | Self::No
            | Self::Courtesy
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

/// How sure we are of what we read in the sentences of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sure {
    /// Its sentences act.
    Acts,
    /// Nobody who speaks it has looked at its words: its sentences only hold.
    Holds,
}

/// The languages, as BCP 47 tag, English name, how sure we are of their sentences, and data.
pub(super) const FILES: [(&str, &str, Sure, &str); 57] = [
    ("en", "English", Sure::Acts, include_str!("../../../data/words/en.tsv")),
    ("es", "Spanish", Sure::Acts, include_str!("../../../data/words/es.tsv")),
    ("fr", "French", Sure::Acts, include_str!("../../../data/words/fr.tsv")),
    ("de", "German", Sure::Acts, include_str!("../../../data/words/de.tsv")),
    ("pt", "Portuguese", Sure::Acts, include_str!("../../../data/words/pt.tsv")),
    ("it", "Italian", Sure::Acts, include_str!("../../../data/words/it.tsv")),
    ("tr", "Turkish", Sure::Acts, include_str!("../../../data/words/tr.tsv")),
    ("hi", "Hindi", Sure::Acts, include_str!("../../../data/words/hi.tsv")),
    (
        "hi-Latn",
        "Hindi and Urdu in Latin letters",
        Sure::Acts,
        include_str!("../../../data/words/hi-Latn.tsv"),
    ),
    ("ar", "Arabic", Sure::Acts, include_str!("../../../data/words/ar.tsv")),
    ("id", "Indonesian", Sure::Acts, include_str!("../../../data/words/id.tsv")),
    ("ru", "Russian", Sure::Acts, include_str!("../../../data/words/ru.tsv")),
    ("zh", "Chinese", Sure::Acts, include_str!("../../../data/words/zh.tsv")),
    ("ja", "Japanese", Sure::Acts, include_str!("../../../data/words/ja.tsv")),
    ("ca", "Catalan", Sure::Acts, include_str!("../../../data/words/ca.tsv")),
    ("nl", "Dutch", Sure::Acts, include_str!("../../../data/words/nl.tsv")),
    ("sv", "Swedish", Sure::Acts, include_str!("../../../data/words/sv.tsv")),
    ("nb", "Norwegian", Sure::Acts, include_str!("../../../data/words/nb.tsv")),
    ("da", "Danish", Sure::Acts, include_str!("../../../data/words/da.tsv")),
    ("fi", "Finnish", Sure::Acts, include_str!("../../../data/words/fi.tsv")),
    ("et", "Estonian", Sure::Acts, include_str!("../../../data/words/et.tsv")),
    ("lv", "Latvian", Sure::Acts, include_str!("../../../data/words/lv.tsv")),
    ("lt", "Lithuanian", Sure::Acts, include_str!("../../../data/words/lt.tsv")),
    ("pl", "Polish", Sure::Acts, include_str!("../../../data/words/pl.tsv")),
    ("cs", "Czech", Sure::Acts, include_str!("../../../data/words/cs.tsv")),
    ("sk", "Slovak", Sure::Acts, include_str!("../../../data/words/sk.tsv")),
    ("hu", "Hungarian", Sure::Acts, include_str!("../../../data/words/hu.tsv")),
    ("ro", "Romanian", Sure::Acts, include_str!("../../../data/words/ro.tsv")),
    ("bg", "Bulgarian", Sure::Acts, include_str!("../../../data/words/bg.tsv")),
    ("mk", "Macedonian", Sure::Holds, include_str!("../../../data/words/mk.tsv")),
    ("sr", "Serbian, Croatian and Bosnian", Sure::Acts, include_str!("../../../data/words/sr.tsv")),
    ("sl", "Slovenian", Sure::Acts, include_str!("../../../data/words/sl.tsv")),
    ("el", "Greek", Sure::Acts, include_str!("../../../data/words/el.tsv")),
    ("az", "Azerbaijani", Sure::Holds, include_str!("../../../data/words/az.tsv")),
    ("uk", "Ukrainian", Sure::Acts, include_str!("../../../data/words/uk.tsv")),
    ("fa", "Persian", Sure::Acts, include_str!("../../../data/words/fa.tsv")),
    ("he", "Hebrew", Sure::Acts, include_str!("../../../data/words/he.tsv")),
    ("ur", "Urdu", Sure::Acts, include_str!("../../../data/words/ur.tsv")),
    ("bn", "Bengali", Sure::Acts, include_str!("../../../data/words/bn.tsv")),
    ("ta", "Tamil", Sure::Acts, include_str!("../../../data/words/ta.tsv")),
    ("mr", "Marathi", Sure::Holds, include_str!("../../../data/words/mr.tsv")),
    ("gu", "Gujarati", Sure::Holds, include_str!("../../../data/words/gu.tsv")),
    ("pa", "Punjabi", Sure::Holds, include_str!("../../../data/words/pa.tsv")),
    ("te", "Telugu", Sure::Holds, include_str!("../../../data/words/te.tsv")),
    ("kn", "Kannada", Sure::Holds, include_str!("../../../data/words/kn.tsv")),
    ("ml", "Malayalam", Sure::Holds, include_str!("../../../data/words/ml.tsv")),
    ("ms", "Malay", Sure::Acts, include_str!("../../../data/words/ms.tsv")),
    ("fil", "Filipino", Sure::Acts, include_str!("../../../data/words/fil.tsv")),
    ("vi", "Vietnamese", Sure::Acts, include_str!("../../../data/words/vi.tsv")),
    ("th", "Thai", Sure::Acts, include_str!("../../../data/words/th.tsv")),
    ("ko", "Korean", Sure::Acts, include_str!("../../../data/words/ko.tsv")),
    ("yue", "Cantonese", Sure::Holds, include_str!("../../../data/words/yue.tsv")),
    ("sw", "Swahili", Sure::Acts, include_str!("../../../data/words/sw.tsv")),
    ("am", "Amharic", Sure::Holds, include_str!("../../../data/words/am.tsv")),
    ("af", "Afrikaans", Sure::Holds, include_str!("../../../data/words/af.tsv")),
    ("sq", "Albanian", Sure::Holds, include_str!("../../../data/words/sq.tsv")),
    ("is", "Icelandic", Sure::Holds, include_str!("../../../data/words/is.tsv")),
];

const SOURCES: &str = include_str!("../../../data/words/sources.tsv");

/// The languages we have words in: BCP 47 tag and English name.
pub fn languages() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().map(|(tag, name, _, _)| (*tag, *name))
}

/// How sure we are of the sentences of each language.
pub fn sureness() -> impl Iterator<Item = (&'static str, Sure)> {
    FILES.iter().map(|(tag, _, sure, _)| (*tag, *sure))
}

/// The places of the languages whose sentences only hold, as bits.
pub(crate) fn unsure() -> u64 {
    static UNSURE: LazyLock<u64> = LazyLock::new(|| {
        let held = (0_u32..).zip(FILES.iter()).filter(|(_, file)| file.2 == Sure::Holds);
        held.map(|(place, _)| 1_u64.rotate_left(place)).fold(0, |all, bit| all | bit)
    });
    *UNSURE
}

/// Every line of the data, language by language.
pub fn words() -> impl Iterator<Item = Word> {
    FILES.iter().flat_map(|(language, _, _, text)| {
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

pub(super) fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

pub(super) fn three(line: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let mut columns = line.split('\t');
    let found = (columns.next()?, columns.next()?, columns.next()?);
    columns.next().is_none().then_some(found)
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
    // Politeness in a sentence is courtesy beside a keyword.
    for (_, _, _, text) in FILES.iter().copied() {
        for (_, phrases, _) in lines(text).filter_map(three).filter(|line| line.0 == "polite") {
            for phrase in expand(&format!("({phrases})")).iter().filter(|it| !it.contains('~')) {
                tree.insert(&fold(phrase), Kind::Courtesy);
            }
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
    use super::super::slot::Slots;
    use super::*;

    #[test]
    fn every_line_of_the_data_has_a_kind_a_phrase_and_a_known_source() {
        let keys: BTreeSet<_> = sources().map(|source| source.key).collect();
        assert_eq!(keys.len(), lines(SOURCES).count(), "a source is written badly or twice");
        for (language, _, _, text) in FILES {
            for line in lines(text) {
                let (kind, phrase, cited) =
                    three(line).unwrap_or_else(|| panic!("{language}: {line}"));
                let is_known = Kind::parse(kind).is_ok()
                    || Slots::parse(kind).is_some()
                    || ["offers", "offers_with"].contains(&kind);
                assert!(is_known, "{language}: {line}");
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
