//! An answer beside the words that stood ready in the chat (rule 20): a person may edit what an entry
//! point wrote for them, and an edit may say no.

use super::clause::{pieces, words};
use super::fold::{Token, fold};
use super::lexicon::{Kind, LEXICON};
use super::slot::{Slot, Slots};

/// What a person made of the words that stood ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edited {
    /// They sent them as they were, courtesy apart.
    Same,
    /// They said more, or otherwise, and nothing that denies.
    Otherwise,
    /// They wrote words that may deny what was offered.
    Doubtful,
}

/// What makes words doubtful beside a yes.
const DENIES: Slots = Slots::of(&[
    Slot::Neg,
    Slot::No,
    Slot::Leave,
    Slot::Cease,
    Slot::End,
    Slot::Remove,
    Slot::But,
    Slot::Joke,
    Slot::Mistake,
    Slot::Angry,
    Slot::Wrong,
    Slot::Final,
    Slot::Revoke,
]);

/// Compares an answer with the words that stood ready.
///
/// ```
/// use sayso_core::text::wording::{Edited, edited};
///
/// let ready = "Hello, I saw your poster. Send me the newsletter!";
/// assert_eq!(edited("hello I saw your poster, send me the newsletter", ready), Edited::Same);
/// assert_eq!(edited("Send me the newsletter, see you at the fair", ready), Edited::Otherwise);
/// assert_eq!(edited("Hello, I saw your poster, but no newsletter please", ready), Edited::Doubtful);
/// ```
pub fn edited(answer: &str, ready: &str) -> Edited {
    let (answer, ready) = (fold(answer), fold(ready));
    let added = without(&answer, &ready);
    let denies = pieces(&answer, &words(&answer))
        .all
        .iter()
        .any(|piece| piece.is(DENIES) && added.contains(&piece.at))
        || added.iter().any(|at| says_no(answer.get(*at..).unwrap_or_default()));
    let missing = without(&ready, &answer);
    if denies {
        Edited::Doubtful
    } else if added.is_empty() && missing.is_empty() {
        Edited::Same
    } else {
        Edited::Otherwise
    }
}

fn says_no(tokens: &[Token]) -> bool {
    let first = tokens.get(..1).unwrap_or_default();
    matches!(LEXICON.value(first), Some(Kind::No | Kind::Doubt | Kind::DoubtAlone))
        || LEXICON.value(first).is_some_and(Kind::is_stop)
}

/// The places of words that the other text lacks at that point, courtesy apart: what a longest common
/// beginning and end leave.
fn without(text: &[Token], other: &[Token]) -> Vec<usize> {
    let is_courtesy =
        |token: &&Token| LEXICON.value(std::slice::from_ref(*token)) == Some(Kind::Courtesy);
    let words = |of: &[Token]| -> Vec<Box<str>> {
        of.iter().filter(|it| !is_courtesy(it)).map(|it| it.plain.clone()).collect()
    };
    let places: Vec<usize> = (0..text.len())
        .filter(|at| text.get(*at).is_some_and(|token| !is_courtesy(&token)))
        .collect();
    let (mine, theirs) = (words(text), words(other));
    let begin = mine.iter().zip(&theirs).take_while(|(one, other)| one == other).count();
    let most = mine.len().min(theirs.len()) - begin;
    let end = mine
        .iter()
        .rev()
        .zip(theirs.iter().rev())
        .take(most)
        .take_while(|(one, other)| one == other);
    let end = mine.len() - end.count();
    places.get(begin..end).unwrap_or_default().to_vec()
}
