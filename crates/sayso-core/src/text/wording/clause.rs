//! Clauses: a text cut into what each part of it says, with the slots of its words in the language that
//! the part is in.

use std::collections::BTreeSet;

use super::fold::{Before, Token};
use super::own::TOPIC_MARK;
use super::slot::{Slot, Slots};
use super::speech::SPEECH;
use super::trie::{Found, Walked};
use super::typing::MENDED_MAX;

/// Languages that there may be.
pub(crate) const LANGUAGES_MAX: usize = 64;

/// Unknown words of one text that are guessed: the rest of a long text stays as it is.
const GUESSED_MAX: usize = 12;

/// What somebody does or wants, said of messages.
pub(crate) const ACTS: Slots = Slots::of(&[
    Slot::Leave,
    Slot::Cease,
    Slot::Ceased,
    Slot::End,
    Slot::Remove,
    Slot::Send,
    Slot::Write,
    Slot::Sent,
    Slot::Call,
    Slot::Mail,
    Slot::Reach,
    Slot::Get,
    Slot::Got,
    Slot::Want,
    Slot::Final,
    Slot::Key,
    Slot::Keep,
]);

/// What begins a thing that somebody wants, after an "and".
const NEW_ACTS: Slots = Slots::of(&[
    Slot::Leave,
    Slot::Cease,
    Slot::End,
    Slot::Remove,
    Slot::Neg,
    Slot::No,
    Slot::Want,
    Slot::Keep,
    Slot::Final,
]);

/// A word or several, with what they do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// What it does; none for a word that nobody knows.
    pub(crate) slots: Slots,
    /// What stands before it.
    pub(crate) before: Before,
    /// Whether a question mark follows it.
    pub(crate) asks: bool,
    /// Its first word.
    pub(crate) at: usize,
}

impl Piece {
    /// Whether it does one of these.
    pub(crate) const fn is(&self, slots: Slots) -> bool {
        self.slots.any(slots)
    }
}

/// A text in pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pieces {
    /// The pieces, in order.
    pub(crate) all: Vec<Piece>,
    /// The languages that its sentences are in.
    pub(crate) languages: u64,
    /// Words that some language knows.
    pub(crate) known: usize,
}

/// What each word of a text may be, in every language.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    found: Vec<Vec<Found<'static>>>,
}

/// Looks up the words of a text.
pub(crate) fn words(tokens: &[Token]) -> Words {
    let walked = Walked::of(tokens);
    let mut mended = 0;
    let mut buffer = Vec::new();
    let found = (0..tokens.len())
        .map(|at| {
            SPEECH.trie.find(&walked, at, &mut buffer);
            if buffer.is_empty() {
                behind_prefix(tokens, at, &mut buffer);
            }
            if buffer.is_empty() && mended < MENDED_MAX {
                mended += usize::from(mend(tokens, at, &mut buffer));
            }
            buffer.clone()
        })
        .collect();
    Words { found }
}

impl Words {
    /// Takes words that nobody knows for the known ones that begin alike, in languages that the text
    /// has a word of. Whether there is one.
    pub(crate) fn guess(&mut self, tokens: &[Token]) -> bool {
        let spoken: BTreeSet<u8> =
            self.found.iter().flatten().map(|found| found.entry.language).collect();
        let mut guessed = 0;
        let mut buffer = Vec::new();
        let unknown = self.found.iter_mut().zip(tokens).filter(|(found, _)| found.is_empty());
        for (found, token) in unknown.take(GUESSED_MAX) {
            for kindred in SPEECH.kindred.of(&token.plain) {
                let meant =
                    Token { plain: kindred.clone(), exact: kindred.clone(), ..token.clone() };
                SPEECH.trie.find(&Walked::of(std::slice::from_ref(&meant)), 0, &mut buffer);
                buffer.retain(|found| spoken.contains(&found.entry.language));
                found.append(&mut buffer);
            }
            guessed += usize::from(!found.is_empty());
        }
        guessed > 0
    }
}

/// Cuts a text into pieces, sentence by sentence, each in its own language.
pub(crate) fn pieces(tokens: &[Token], words: &Words) -> Pieces {
    let found = &*words.found;
    let text = scores(found, 0..tokens.len());
    let mut pieces = Pieces::default();
    let mut from = 0;
    while from < tokens.len() {
        let rest = tokens.get(from + 1..).unwrap_or_default();
        let length = rest.iter().position(|token| token.before >= Before::Line);
        let end = length.map_or(tokens.len(), |length| from + 1 + length);
        sentence(tokens, found, from..end, &text, &mut pieces);
        from = end;
    }
    pieces
}

/// Looks for a Hebrew or Arabic word behind the letters that are written as one with it: "and", "the",
/// "to". It is looked for alone.
fn behind_prefix(tokens: &[Token], at: usize, found: &mut Vec<Found<'static>>) {
    const PREFIXES: [&str; 14] =
        ["وال", "بال", "فال", "ال", "لل", "و", "ف", "ب", "ל", "ו", "ש", "ה", "ב", "מ"];
    let Some(token) = tokens.get(at) else { return };
    let rest = |prefix: &&str| token.plain.strip_prefix(*prefix);
    let long = |rest: &&str| rest.chars().count() >= 3;
    for bare in PREFIXES.iter().filter_map(rest).filter(long) {
        let bare = Token { plain: bare.into(), exact: bare.into(), ..token.clone() };
        SPEECH.trie.find(&Walked::of(std::slice::from_ref(&bare)), 0, found);
        if !found.is_empty() {
            return;
        }
    }
}

/// Looks for what an unknown word was meant to be.
fn mend(tokens: &[Token], at: usize, found: &mut Vec<Found<'static>>) -> bool {
    let Some(token) = tokens.get(at) else { return false };
    let Some(meant) = SPEECH.mending.meant(&token.plain) else { return false };
    let meant = Token { plain: meant.into(), exact: meant.into(), ..token.clone() };
    SPEECH.trie.find(&Walked::of(std::slice::from_ref(&meant)), 0, found);
    true
}

type Scores = [usize; LANGUAGES_MAX];

/// How many words each language has in a part of a text.
fn scores(found: &[Vec<Found<'_>>], part: std::ops::Range<usize>) -> Scores {
    let mut scores = [0; LANGUAGES_MAX];
    let mut free = [0; LANGUAGES_MAX];
    for at in part {
        for one in found.get(at).into_iter().flatten() {
            let language = usize::from(one.entry.language);
            if let (Some(score), Some(free)) = (scores.get_mut(language), free.get_mut(language))
                && *free <= at
            {
                *score += one.length;
                *free = at + one.length;
            }
        }
    }
    scores
}

fn sentence(
    tokens: &[Token],
    found: &[Vec<Found<'_>>],
    part: std::ops::Range<usize>,
    text: &Scores,
    pieces: &mut Pieces,
) {
    let here = scores(found, part.clone());
    let weight = |language: usize| {
        let of = |scores: &Scores| scores.get(language).copied().unwrap_or_default();
        if of(&here) == 0 { 0 } else { 2 * of(&here) + of(text) }
    };
    let best = (0..LANGUAGES_MAX).map(weight).max().unwrap_or_default();
    let is_main = |language: u8| best > 0 && weight(usize::from(language)) == best;
    for language in (0..LANGUAGES_MAX).filter(|it| best > 0 && weight(*it) == best) {
        pieces.languages |=
            1_u64.checked_shl(u32::try_from(language).unwrap_or(63)).unwrap_or_default();
    }
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let mut at = part.start;
    while at < part.end {
        taken.retain(|(_, end)| *end > at);
        if let Some((_, end)) = taken.iter().find(|(from, end)| (*from..*end).contains(&at)) {
            at = *end;
            continue;
        }
        let (slots, length, tail) =
            chosen(found.get(at).map(Vec::as_slice).unwrap_or_default(), is_main);
        taken.extend(tail);
        let asked = |end: usize| tokens.get(end - 1).is_some_and(|token| token.asks);
        let asks = asked(at + length.max(1)) || tail.is_some_and(|(_, end)| asked(end));
        let token = tokens.get(at);
        let slots = if token.is_some_and(|it| *it.plain == *TOPIC_MARK) {
            Slots::of(&[Slot::Topic])
        } else {
            slots
        };
        pieces.known += usize::from(!slots.is_none());
        pieces.all.push(Piece {
            slots,
            before: token.map_or(Before::Space, |token| token.before),
            asks,
            at,
        });
        at += length.max(1);
    }
}

/// What a word does: in the languages of its sentence, else in any other where it cannot be mistaken.
fn chosen(
    found: &[Found<'_>],
    is_main: impl Fn(u8) -> bool,
) -> (Slots, usize, Option<(usize, usize)>) {
    let longest = |of: &mut dyn Iterator<Item = &Found<'_>>| {
        let mut best: Option<Found<'_>> = None;
        for one in of {
            best = match best {
                Some(known) if known.weight().0 > one.weight().0 => Some(known),
                Some(known) if known.weight().0 == one.weight().0 => {
                    let slots = known.slots.and(one.slots);
                    Some(Found { slots, tail: known.tail.or(one.tail), ..known })
                }
                Some(_) | None => Some(*one),
            };
        }
        best.map(|best| (best.slots, best.length, best.tail))
    };
    longest(&mut found.iter().filter(|one| is_main(one.entry.language)))
        .or_else(|| longest(&mut found.iter().filter(|one| !one.entry.is_weak)))
        .unwrap_or((Slots::NONE, 1, None))
}

/// The clauses of a text: its sentences and lines, cut again at a "but", and at a pause or an "and" that
/// parts two acts.
pub(crate) fn clauses(pieces: &[Piece]) -> Vec<&[Piece]> {
    let mut clauses = Vec::new();
    for sentence in pieces.chunk_by(|_, next| next.before < Before::Line) {
        let mut from = 0;
        for at in 1..sentence.len() {
            let left = sentence.get(from..at).unwrap_or_default();
            let right = sentence.get(at..).unwrap_or_default();
            if is_border(left, right) {
                clauses.push(left);
                from = at;
            }
        }
        clauses.push(sentence.get(from..).unwrap_or_default());
    }
    clauses
}

/// Pieces that are looked at on either side of a border; a clause has no more.
const CLAUSE_PIECES_MAX: usize = 60;

fn is_border(left: &[Piece], right: &[Piece]) -> bool {
    let Some(first) = right.first() else { return false };
    let is_pause = first.before == Before::Pause;
    if left.len() >= CLAUSE_PIECES_MAX {
        return true;
    }
    if !is_pause && !first.is(Slots::of(&[Slot::But, Slot::And])) {
        return false;
    }
    let right = right.get(..CLAUSE_PIECES_MAX).unwrap_or(right);
    let acts = |part: &[Piece], of: Slots| part.iter().any(|piece| piece.is(of));
    let said = ACTS.and(Slots::of(&[Slot::Neg, Slot::No, Slot::Msg]));
    if first.is(Slots::of(&[Slot::But])) {
        return acts(left, said);
    }
    let sends = Slots::of(&[Slot::Send, Slot::Write, Slot::Reach]);
    let objects = sends.and(Slots::of(&[Slot::Msg, Slot::Weak]));
    let waits = left.len() > 1 && acts(left, Slots::of(&[Slot::Cease])) && !acts(left, objects);
    if is_pause && waits && acts(right, sends) && !acts(right, Slots::of(&[Slot::Neg])) {
        // "Hören Sie auf, mir zu schreiben"
        return false;
    }
    if is_pause {
        // What follows up to the next pause.
        let next = right.iter().skip(1).position(|piece| piece.before >= Before::Pause);
        let next = next.map_or(right.len(), |next| next + 1);
        return acts(left, said)
            && acts(right.get(..next).unwrap_or_default(), ACTS.and(Slots::of(&[Slot::Fine])));
    }
    acts(left, ACTS) && acts(right, NEW_ACTS)
}
