//! What is ours in a text: our names, which may stand beside a stop word, and the codes of our topics.

use std::collections::BTreeSet;

use thiserror::Error;

use super::fold::{Token, fold};
use super::lexicon::{Kind, LEXICON, Tree};
use crate::id::TopicId;
use crate::limits;

/// Stands for the code of a topic among the words of a sentence; nobody types it.
pub(super) const TOPIC_MARK: &str = "\u{e000}";

/// Whether one of our names was in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// It was.
    Yes,
    /// It was not.
    No,
}

/// What a business and its senders are called. People write it beside a stop word.
#[derive(Clone, Debug, Default)]
pub struct Names(Tree<()>);

impl Names {
    /// The names, of which the first [`limits::OWN_NAMES_MAX`] count. One that is a word with a meaning
    /// of its own (a shop called "Stop") is left out, and so is what is longer than
    /// [`limits::OWN_NAME_BYTES_MAX`].
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tree = Tree::default();
        for name in names.into_iter().take(limits::OWN_NAMES_MAX) {
            let tokens = fold(name);
            let fits = name.len() <= limits::OWN_NAME_BYTES_MAX;
            if fits && LEXICON.value(&tokens).is_none() {
                tree.insert(&tokens, ());
            }
        }
        Self(tree)
    }

    /// The text without our names, and whether one was there. A pause or end of sentence beside a
    /// name stays.
    pub(crate) fn without(&self, tokens: &[Token]) -> (Vec<Token>, Named) {
        let mut kept = Vec::with_capacity(tokens.len());
        let mut named = Named::No;
        let mut rest = tokens;
        let mut pending = None;
        while let Some(first) = rest.first() {
            let length = if let Some(((), length)) = self.0.longest(rest, |(), _| true) {
                named = Named::Yes;
                pending = pending.max(Some(first.before));
                length
            } else {
                let before = pending.take().map_or(first.before, |it| first.before.max(it));
                kept.push(Token { before, ..first.clone() });
                1
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        (kept, named)
    }
}

/// What a person writes after STOP to leave one topic.
///
/// *Shape*: one or more words, up to [`limits::TOPIC_CODE_BYTES_MAX`] bytes, compared folded:
/// `12345`, `OFFERS`.
#[derive(Clone, Debug)]
pub struct Code(Vec<Token>);

/// Why a text is no topic's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodeFault {
    /// No letter or digit in it.
    #[error("has no letter or digit")]
    Empty,
    /// Longer than [`limits::TOPIC_CODE_BYTES_MAX`].
    #[error("is longer than {max} bytes", max = limits::TOPIC_CODE_BYTES_MAX)]
    TooLong,
    /// A word that means something already, alone or after STOP.
    #[error("is a word that already has a meaning in a refusal")]
    Taken,
}

impl Code {
    /// Parses a code.
    ///
    /// # Errors
    /// [`CodeFault`]; [`CodeFault::Taken`] for `ALL`, since STOP ALL leaves everything.
    pub fn parse(text: &str) -> Result<Self, CodeFault> {
        if text.len() > limits::TOPIC_CODE_BYTES_MAX {
            return Err(CodeFault::TooLong);
        }
        let tokens = fold(text);
        if tokens.is_empty() {
            return Err(CodeFault::Empty);
        }
        let after_stop: Vec<_> = fold("stop").into_iter().chain(tokens.iter().cloned()).collect();
        if LEXICON.value(&tokens).is_some() || LEXICON.value(&after_stop) == Some(Kind::Stop) {
            return Err(CodeFault::Taken);
        }
        Ok(Self(tokens))
    }
}

/// The codes of a workspace's topics.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    tree: Tree<TopicId>,
    topics: BTreeSet<TopicId>,
}

impl Codes {
    /// The codes; of two topics with one code the first has it.
    pub fn of<'a>(codes: impl IntoIterator<Item = (&'a Code, TopicId)>) -> Self {
        let mut all = Self::default();
        for (code, topic) in codes {
            all.tree.insert(&code.0, topic);
            all.topics.insert(topic);
        }
        all
    }

    /// The words with a mark in place of each code, and the topic where they name one alone.
    pub(super) fn marked(&self, tokens: &[Token]) -> (Vec<Token>, Option<TopicId>) {
        let mut marked = Vec::with_capacity(tokens.len());
        let mut named = BTreeSet::new();
        let mut rest = tokens;
        while let Some(first) = rest.first() {
            let found = self.first_of(rest);
            let length = found.map_or(1, |(_, length)| length);
            let asks = rest.get(..length).unwrap_or_default().iter().any(|token| token.asks);
            let mut token = Token { asks, ..first.clone() };
            if let Some((topic, _)) = found {
                named.insert(topic);
                token.plain = TOPIC_MARK.into();
                token.exact = TOPIC_MARK.into();
            }
            marked.push(token);
            rest = rest.get(length..).unwrap_or_default();
        }
        let topic = named.pop_first().filter(|_| named.is_empty());
        (marked, topic)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The longest code that the words begin with, with its length.
    pub(super) fn first_of(&self, tokens: &[Token]) -> Option<(TopicId, usize)> {
        self.tree.longest(tokens, |_, _| true)
    }
}
