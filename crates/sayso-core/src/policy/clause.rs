//! Clauses: what a policy or a country pack demands, each with where it comes from, when that was looked
//! at, and how sure it is.
//!
//! They are files in `data/policies`, with a clause a line: kind, what, value, channels, sources, confidence
//! and day, separated by tabs. Lines with fewer columns are headings. Absent on purpose: advice on law.
//! What a clause says is a fact about a text that somebody else wrote.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::words::channel::{Channel, words};

const REFERENCES: &str = include_str!("../../data/policies/sources.tsv");

words! {
    /// How sure a clause is.
    Confidence {
        /// Seen with whoever makes the rule, or in a copy of their text.
        Confirmed = "confirmed", 1;
        /// Told by others.
        Secondary = "secondary", 2;
        /// Seen nowhere yet.
        Unconfirmed = "unconfirmed", 3;
    }
}

/// Where a clause comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The key that clauses name.
    pub key: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Its address, or nothing.
    pub url: &'static str,
}

/// What a clause rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grounds {
    keys: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
    /// The day on which it was looked at.
    ///
    /// *Shape:* `2026-11-21`.
    pub checked: &'static str,
}

/// One line that demands something.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    pub(crate) kind: &'static str,
    pub(crate) what: &'static str,
    pub(crate) value: &'static str,
    pub(crate) channels: BTreeSet<Channel>,
    pub(crate) grounds: Grounds,
}

impl Reference {
    /// All of them.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Reference>> = LazyLock::new(|| {
            let read = |line: &'static str| {
                let mut columns = line.split('\t');
                let (key, title) = columns.next().zip(columns.next())?;
                Some(Reference { key, title, url: columns.next().unwrap_or_default() })
            };
            lines(REFERENCES).filter_map(read).collect()
        });
        &ALL
    }
}

impl Grounds {
    /// Where the clause comes from; never nowhere.
    pub fn references(self) -> impl Iterator<Item = &'static Reference> {
        let keys = self.keys.split(',');
        keys.filter_map(|key| Reference::all().iter().find(|reference| reference.key == key))
    }
}

/// The lines of a file without its remarks.
pub(crate) fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The clauses of a file.
pub(crate) fn clauses(text: &'static str) -> impl Iterator<Item = Clause> {
    lines(text).filter_map(clause)
}

/// What stands after a heading, the first of this name.
pub(crate) fn heading(text: &'static str, name: &str) -> Option<&'static str> {
    headings(text, name).next()
}

/// What stands after each heading of this name.
pub(crate) fn headings(text: &'static str, name: &str) -> impl Iterator<Item = &'static str> {
    let is_heading = |line: &&str| line.split('\t').count() < COLUMNS;
    let rest = move |line: &'static str| line.strip_prefix(name)?.strip_prefix('\t');
    lines(text).filter(is_heading).filter_map(rest)
}

const COLUMNS: usize = 7;

fn clause(line: &'static str) -> Option<Clause> {
    let mut columns = line.split('\t');
    let (kind, what, value) = (columns.next()?, columns.next()?, columns.next()?);
    let (channels, keys) = (columns.next()?, columns.next()?);
    let confidence = Confidence::parse(columns.next()?).ok()?;
    let grounds = Grounds { keys, confidence, checked: columns.next()? };
    let channels = match channels {
        "*" => Channel::ALL.iter().copied().collect(),
        named => named.split(',').map(|word| Channel::parse(word).ok()).collect::<Option<_>>()?,
    };
    Some(Clause { kind, what, value, channels, grounds })
}

/// Whether each line of a file is a heading or a clause, and each clause names sources that there are.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_whole(text: &'static str, kinds: &[&str], titles: &[&str]) {
    for line in lines(text) {
        if line.split('\t').count() < COLUMNS {
            let title = line.split('\t').next().unwrap();
            assert!(titles.contains(&title), "{line}");
            continue;
        }
        let clause = clause(line).unwrap_or_else(|| panic!("{line}"));
        assert!(kinds.contains(&clause.kind), "{line}");
        assert_eq!(clause.grounds.references().count(), clause.grounds.keys.split(',').count());
        let day = format!("{}T00:00:00Z", clause.grounds.checked);
        assert!(crate::time::Timestamp::parse(&day).is_ok(), "{line}");
    }
}
