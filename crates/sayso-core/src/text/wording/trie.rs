//! Finding words of all languages in a text at once: a tree of bytes, walked from the beginning of each
//! word. It takes time in proportion to the text: an entry is short, and so is each walk.

use super::fold::{Before, Token};
use super::slot::{GAP_WORDS_MAX, Slot, Slots};

/// Stands for the rest of a word whose ending is open.
const OPEN: u8 = 1;

/// Stands for up to [`GAP_WORDS_MAX`] words.
const GAP: u8 = 2;

/// A word or phrase of one language.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The place of its language among the files.
    pub(crate) language: u8,
    /// What it does.
    pub(crate) slots: Slots,
    /// Whether it counts only beside other words of its language.
    pub(crate) is_weak: bool,
    /// How it is written where accents part it from another word.
    pub(crate) exact: Option<Box<str>>,
}

/// An entry that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    /// What was found.
    pub(crate) entry: &'a Entry,
    /// What it does: of a stop word, also what the word does otherwise.
    pub(crate) slots: Slots,
    /// How many words it takes from where it begins.
    pub(crate) length: usize,
    /// The words that it takes further on, first and end.
    pub(crate) tail: Option<(usize, usize)>,
    /// How many bytes of it are written out: the more, the surer it is.
    pub(crate) written: usize,
}

/// The entries of all languages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// By byte, in order.
    edges: Vec<(u8, usize)>,
    entries: Vec<Entry>,
}

/// A text as the tree is walked with: its words, each followed by a space.
pub(crate) struct Walked<'a> {
    tokens: &'a [Token],
    bytes: Vec<u8>,
    /// Where each word begins, and the end.
    starts: Vec<usize>,
}

impl<'a> Walked<'a> {
    /// The words of a text.
    pub(crate) fn of(tokens: &'a [Token]) -> Self {
        let mut bytes = Vec::with_capacity(tokens.len() * 8);
        let mut starts = Vec::with_capacity(tokens.len() + 1);
        for token in tokens {
            starts.push(bytes.len());
            bytes.extend_from_slice(token.plain.as_bytes());
            bytes.push(b' ');
        }
        starts.push(bytes.len());
        Self { tokens, bytes, starts }
    }

    /// Whether the words from one to before another stand in one breath.
    fn is_one(&self, from: usize, end: usize, widest: Before) -> bool {
        let inside = self.tokens.get(from + 1..end).unwrap_or_default();
        inside.iter().all(|token| token.before <= widest)
    }

    fn is_written(&self, exact: &str, from: usize, end: usize) -> bool {
        let tokens = self.tokens.get(from..end).unwrap_or_default();
        let mut words = exact.split(' ');
        tokens.iter().all(|token| {
            let word = words.next().unwrap_or_default();
            token.exact.is_ascii() || *token.exact == *word
        })
    }
}

impl Trie {
    /// Adds an entry, written folded, with `~` and `…`. One that is there twice is there once, with the
    /// slots of both.
    pub(crate) fn insert(&mut self, words: &[Piece], entry: Entry) {
        let mut key = Vec::new();
        for word in words {
            match word {
                Piece::Whole(text) => key.extend_from_slice(text.as_bytes()),
                Piece::Open(text) => {
                    key.extend_from_slice(text.as_bytes());
                    key.push(OPEN);
                }
                Piece::Gap => {
                    key.push(GAP);
                    continue;
                }
            }
            key.push(b' ');
        }
        let at = self.place(&key);
        let Some(node) = self.nodes.get_mut(at) else { return };
        let same = |it: &&mut Entry| it.language == entry.language && it.exact == entry.exact;
        match node.entries.iter_mut().find(same) {
            Some(known) => {
                known.slots = known.slots.and(entry.slots);
                known.is_weak &= entry.is_weak;
            }
            None => node.entries.push(entry),
        }
    }

    fn place(&mut self, key: &[u8]) -> usize {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        for byte in key {
            let unused = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { break };
            at = match node.edges.binary_search_by_key(byte, |edge| edge.0) {
                Ok(found) => node.edges.get(found).map_or(0, |edge| edge.1),
                Err(free) => {
                    node.edges.insert(free, (*byte, unused));
                    self.nodes.push(Node::default());
                    unused
                }
            };
        }
        at
    }

    fn step(&self, at: usize, byte: u8) -> Option<usize> {
        let edges = &self.nodes.get(at)?.edges;
        let found = edges.binary_search_by_key(&byte, |edge| edge.0).ok()?;
        edges.get(found).map(|edge| edge.1)
    }

    /// Finds what begins at a word: of each language the longest, and of those the one most written out.
    pub(crate) fn find<'a>(&'a self, text: &Walked<'_>, at: usize, found: &mut Vec<Found<'a>>) {
        found.clear();
        if let Some(byte) = text.starts.get(at).copied() {
            let place = Place { node: 0, byte, word: at, from: at, head: None, written: 0 };
            self.walk(text, place, found);
        }
    }

    /// Walks on from a place.
    fn walk<'a>(&'a self, text: &Walked<'_>, mut place: Place, found: &mut Vec<Found<'a>>) {
        loop {
            if let Some(node) = self.step(place.node, OPEN) {
                let end = text.starts.get(place.word + 1).map_or(place.byte, |next| next - 1);
                if end >= place.byte {
                    self.walk(text, Place { node, byte: end, ..place }, found);
                }
            }
            let Some(letter) = text.bytes.get(place.byte) else { return };
            let Some(next) = self.step(place.node, *letter) else { return };
            place.node = next;
            place.byte += 1;
            place.written += 1;
            if *letter == b' ' {
                place.word += 1;
                self.gather(text, place, found);
                self.leap(text, place, found);
                let is_apart = |token: &Token| token.before > Before::Space;
                if text.tokens.get(place.word).is_none_or(is_apart) {
                    return;
                }
            }
        }
    }

    /// Goes on beyond a gap.
    fn leap<'a>(&'a self, text: &Walked<'_>, place: Place, found: &mut Vec<Found<'a>>) {
        let Some(node) = self.step(place.node, GAP) else { return };
        for word in place.word..=place.word + GAP_WORDS_MAX {
            let Some(byte) = text.starts.get(word).copied() else { return };
            if !text.is_one(place.from, word + 1, Before::Pause) {
                return;
            }
            let head = Some((place.word, word));
            self.walk(text, Place { node, byte, word, head, ..place }, found);
        }
    }

    fn gather<'a>(&'a self, text: &Walked<'_>, place: Place, found: &mut Vec<Found<'a>>) {
        let entries = self.nodes.get(place.node).map(|node| &*node.entries).unwrap_or_default();
        for entry in entries {
            let fits = |exact: &str| text.is_written(exact, place.from, place.word);
            if !entry.exact.as_deref().is_none_or(fits) {
                continue;
            }
            let head = place.head.map_or(place.word, |head| head.0);
            let tail = place.head.map(|head| (head.1, place.word));
            let length = head - place.from;
            // What is written with its accents is that word, and none that looks like it without.
            let words = text.tokens.get(place.from..place.word).unwrap_or_default();
            let is_exact =
                entry.exact.is_some() && words.iter().any(|token| !token.exact.is_ascii());
            let written = place.written + usize::from(is_exact);
            let mut new = Found { entry, slots: entry.slots, length, tail, written };
            let language = |known: &&mut Found<'_>| known.entry.language == entry.language;
            let Some(known) = found.iter_mut().find(language) else {
                found.push(new);
                continue;
            };
            if known.weight().0 == new.weight().0 && (known.is_key() || new.is_key()) {
                new.slots = new.slots.and(known.slots);
                known.slots = new.slots;
            }
            if new.weight() > known.weight() {
                *known = new;
            }
        }
    }
}

impl Found<'_> {
    fn is_key(&self) -> bool {
        self.entry.slots == Slots::of(&[Slot::Key])
    }

    /// How many words it takes in all, and how much of them is written out.
    pub(crate) fn weight(&self) -> (usize, usize) {
        (self.length + self.tail.map_or(0, |(from, end)| end - from), self.written)
    }
}

/// Where a walk is.
#[derive(Clone, Copy)]
struct Place {
    /// Where it is in the tree.
    node: usize,
    /// Where it is in the text.
    byte: usize,
    /// The word it is in.
    word: usize,
    /// The word it began with.
    from: usize,
    /// Where its first part ended and its second began.
    head: Option<(usize, usize)>,
    written: usize,
}

/// A word of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// All of it.
    Whole(Box<str>),
    /// How it begins.
    Open(Box<str>),
    /// Some other words.
    Gap,
}
