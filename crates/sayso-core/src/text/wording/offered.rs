//! The words by which our own messages say that one can leave: "Reply 9 to opt out". Whoever answers
//! with one refuses, also where no list has it.

use super::fold::{Before, Token, fold};
use super::lexicon::{FILES, Kind, LEXICON, Tree, expand, lines, three};
use super::slot::{Slot, Slots};
use super::speech::SPEECH;
use super::trie::Walked;
use crate::limits;
use std::sync::LazyLock;

/// Words beyond "reply" among which the offered one stands: `reply with the word X`.
const FAR_WORDS_MAX: usize = 4;

/// Words of a language that come before the word that is offered, and those between.
static BEFORE: LazyLock<Tree<Role>> = LazyLock::new(|| {
    let mut tree = Tree::default();
    for (_, _, _, text) in FILES.iter().copied() {
        for (kind, phrase, _) in lines(text).filter_map(three) {
            let role = match kind {
                "offers" => Role::Offers,
                "offers_with" => Role::With,
                _ => continue,
            };
            expand(&format!("({phrase})")).iter().for_each(|it| tree.insert(&fold(it), role));
        }
    }
    tree
});

/// What stands before an offered word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// "reply"
    Offers,
    /// "with the word"
    With,
}

/// Words that our messages offered.
#[derive(Clone, Debug, Default)]
pub struct Offered(Tree<()>);

impl Offered {
    /// The words that these messages offer, of which the first [`limits::OFFERED_WORDS_MAX`] count. A
    /// word that says yes, or starts, or asks for help, is no way out.
    pub fn of<'a>(messages: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tree = Tree::default();
        let mut count = 0;
        for message in messages {
            let tokens = fold(message);
            for sentence in tokens.chunk_by(|_, next| next.before < Before::Line) {
                for word in offered(sentence) {
                    if count < limits::OFFERED_WORDS_MAX {
                        tree.insert(std::slice::from_ref(word), ());
                        count += 1;
                    }
                }
            }
        }
        Self(tree)
    }

    /// Whether a text is an offered word, courtesy apart.
    pub(crate) fn is_said_by(&self, tokens: &[Token]) -> bool {
        let mut rest = tokens;
        let mut said = false;
        while !rest.is_empty() {
            let own = self.0.longest(rest, |(), _| true).map(|((), length)| length);
            let courtesy = LEXICON.longest(rest, |kind, _| kind == Kind::Courtesy);
            let Some(length) = own.or(courtesy.map(|(_, length)| length)) else { return false };
            said |= own.is_some();
            rest = rest.get(length..).unwrap_or_default();
        }
        said
    }
}

/// The words that a sentence of ours offers as a way out.
fn offered(sentence: &[Token]) -> impl Iterator<Item = &Token> {
    let leads_out = leads_out(sentence);
    (0..sentence.len()).filter(move |_| leads_out).filter_map(|at| {
        let rest = sentence.get(at..)?;
        let (_, mut length) = BEFORE.longest(rest, |role, _| role == Role::Offers)?;
        for _ in 0..FAR_WORDS_MAX {
            let next = rest.get(length..)?;
            match BEFORE.longest(next, |role, _| role == Role::With) {
                Some((_, more)) => length += more,
                None => break,
            }
        }
        let word = rest.get(length)?;
        let known = LEXICON.value(std::slice::from_ref(word));
        let taken = matches!(known, Some(Kind::Start | Kind::Help | Kind::Yes | Kind::Courtesy));
        (!taken).then_some(word)
    })
}

/// Whether a sentence speaks of a way out.
fn leads_out(sentence: &[Token]) -> bool {
    let ends = Slots::of(&[Slot::Leave, Slot::Cease, Slot::End, Slot::Remove, Slot::Key]);
    let walked = Walked::of(sentence);
    let mut found = Vec::new();
    (0..sentence.len()).any(|at| {
        SPEECH.trie.find(&walked, at, &mut found);
        found.iter().any(|one| one.entry.slots.any(ends))
    })
}
