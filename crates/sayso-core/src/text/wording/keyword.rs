//! Keywords: what a text means that is a known word and little else.
//!
//! The text is cut into known words, the longest first. A stop word acts when nothing but courtesy, our
//! names, a number or other known words stand beside it, or when it is a whole sentence. A start word, a
//! help word, and in an open question a yes or a no, act alone. A stop word among others leaves a text
//! in doubt, unless its sentence plainly means something else.

use super::fold::{Before, Token, is_unspaced};
use super::lexicon::{Kind, LEXICON};
use super::own::{Codes, Named};
use super::{Because, Heard, Question, Reading};
use crate::id::TopicId;

/// Words beside a [`Kind::StopFirst`] word that leave it in doubt; with more it is a sentence of its own.
const FEW_WORDS_MAX: usize = 3;

/// A known phrase, or a word that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    what: What,
    before: Before,
    asks: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Known(Kind),
    Code(TopicId),
    Number,
    Unknown,
}

/// Cuts a text into known phrases, from the left, the longest first. No refusal goes beyond a
/// sentence, no other phrase beyond a comma.
pub(super) fn cut(tokens: &[Token], codes: &Codes) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = tokens;
    while let Some(first) = rest.first() {
        let (what, length) = if let Some((topic, length)) = codes.first_of(rest) {
            (What::Code(topic), length)
        } else if let Some((kind, length)) = known(rest, codes) {
            (What::Known(kind), length)
        } else if first.is_number() {
            (What::Number, 1)
        } else {
            (What::Unknown, 1)
        };
        let words = rest.get(..length).unwrap_or_default();
        let asks = words.iter().any(|token| token.asks);
        pieces.push(Piece { what, before: first.before, asks });
        rest = rest.get(length..).unwrap_or_default();
    }
    pieces
}

fn known(tokens: &[Token], codes: &Codes) -> Option<(Kind, usize)> {
    LEXICON.longest(tokens, |kind, length| {
        let inside =
            || (1..length).filter_map(|at| tokens.get(at..).map(|rest| (rest, length - at)));
        let takes_a_code = inside().any(|(rest, _)| codes.first_of(rest).is_some());
        let takes_a_stop = match kind {
            Kind::Doubt => false,
            Kind::Stop
            | Kind::StopFirst
            | Kind::StopAlone
            | Kind::Start
            | Kind::Help
            | Kind::Yes
            | Kind::No
            | Kind::Courtesy
            | Kind::DoubtAlone => inside().any(|(rest, within)| stop_beyond(rest, within)),
        };
        !crosses(tokens, kind, length) && !takes_a_code && !takes_a_stop
    })
}

/// Whether a phrase goes beyond what it may.
fn crosses(tokens: &[Token], kind: Kind, length: usize) -> bool {
    let inside = tokens.get(1..length).unwrap_or_default();
    let widest = inside.iter().map(|token| token.before).max().unwrap_or(Before::Space);
    let allowed = match kind {
        Kind::Stop | Kind::StopFirst | Kind::StopAlone | Kind::Doubt => Before::Pause,
        Kind::Start | Kind::Help | Kind::Yes | Kind::No | Kind::Courtesy | Kind::DoubtAlone => {
            Before::Space
        }
    };
    widest > allowed
}

/// Whether a stop word or phrase begins here and goes on after the first `within` words: it must not
/// lose its beginning to the phrase before it.
fn stop_beyond(tokens: &[Token], within: usize) -> bool {
    let found = LEXICON.longest(tokens, |kind, length| {
        kind.is_stop() && length > within && !crosses(tokens, kind, length)
    });
    found.is_some()
}

/// The one topic that a text leaves: a stop word or phrase, the topic's code, and courtesy.
pub(super) fn left_topic(tokens: &[Token], codes: &Codes) -> Option<TopicId> {
    if codes.is_empty() {
        return None;
    }
    let pieces = cut(tokens, codes);
    let mut topic = None;
    let mut stops = false;
    for piece in pieces {
        match piece.what {
            What::Code(found) if topic.is_none_or(|known| known == found) => topic = Some(found),
            What::Known(Kind::Stop | Kind::StopFirst | Kind::StopAlone) => stops = true,
            What::Known(Kind::Courtesy) => {}
            What::Code(_)
            | What::Number
            | What::Unknown
            | What::Known(
                Kind::Start | Kind::Help | Kind::Yes | Kind::No | Kind::Doubt | Kind::DoubtAlone,
            ) => return None,
        }
    }
    topic.filter(|_| stops)
}

/// What a text means that is a stop word, or has one as a sentence of its own.
pub(super) fn stops(pieces: &[Piece], named: Named) -> Option<Heard> {
    let tally = Tally::of(pieces);
    let stop = |because| Some(Heard { reading: Reading::Stop { topic: None }, because });
    if tally.stops_alone() {
        return stop(alone(pieces, named));
    }
    let says_it = |sentence: &[Piece]| Tally::of(sentence).is_stop_word();
    if sentences(pieces).any(|sentence| says_it(sentence) && !sentence.iter().any(|it| it.asks)) {
        return stop(Because::Sentence);
    }
    None
}

/// Whether beside its stop word a text has one that may deny it: a "don't", and no plain "no". In a
/// script without spaces it may be any.
pub(super) fn may_be_denied(pieces: &[Piece], tokens: &[Token]) -> bool {
    let tally = Tally::of(pieces);
    let is_plain_no =
        tokens.first().is_some_and(|token| &*token.plain == "no") && tally.is_stop_word();
    let is_unspaced = tokens.iter().all(|token| token.plain.chars().any(is_unspaced));
    (tally.has(Kind::No) || tally.has(Kind::DoubtAlone) || is_unspaced) && !is_plain_no
}

/// What the sentences of a text say of its stop words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// Nothing else.
    AsWritten,
    /// That another thing is meant.
    Otherwise,
}

/// Whether a text ends in a stop word after a pause: "for the last time: stop".
pub(super) fn ends_in_stop(pieces: &[Piece]) -> bool {
    let mut parts = pieces.chunk_by(|_, next| next.before < Before::Pause);
    parts
        .next_back()
        .is_some_and(|last| Tally::of(last).is_stop_word() && last.iter().all(|piece| !piece.asks))
}

/// What a text means that is a start word, a help word, or the answer to an open question.
pub(super) fn answers(pieces: &[Piece], named: Named, question: Question) -> Option<Heard> {
    let tally = Tally::of(pieces);
    let heard = |reading| Some(Heard { reading, because: alone(pieces, named) });
    if tally.is_only(Kind::Start, &[Kind::Yes]) {
        return heard(Reading::Start);
    }
    if tally.is_only(Kind::Help, &[]) {
        return heard(Reading::Help);
    }
    if question == Question::Open && tally.is_only(Kind::Yes, &[]) {
        return heard(Reading::Yes);
    }
    if question == Question::Open && tally.is_only(Kind::No, &[]) {
        return heard(Reading::No);
    }
    None
}

/// Why a text is in doubt, by its keywords.
pub(super) fn doubts(pieces: &[Piece], question: Question, meant: Meant) -> Option<Because> {
    let tally = Tally::of(pieces);
    if tally.has(Kind::Stop) && meant == Meant::AsWritten {
        return Some(Because::StopWord);
    }
    let alone = tally.is_only(Kind::DoubtAlone, &[Kind::No, Kind::Yes]);
    if (tally.has(Kind::Doubt) && meant == Meant::AsWritten) || alone {
        return Some(Because::Doubtful);
    }
    let both = tally.is_only(Kind::No, &[Kind::Yes]);
    (both || begins_in_doubt(pieces, question, meant)).then_some(Because::StopWord)
}

/// How many pieces of a text are known words.
pub(super) fn known_words(pieces: &[Piece]) -> usize {
    pieces.iter().filter(|piece| matches!(piece.what, What::Known(_))).count()
}

/// Why a text is a known word and nothing else.
fn alone(pieces: &[Piece], named: Named) -> Because {
    match named {
        Named::Yes => Because::OwnName,
        Named::No if pieces.len() == 1 => Because::WholeText,
        Named::No => Because::Courtesy,
    }
}

/// What a text is made of.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    kinds: u32,
    numbers: usize,
    unknown: usize,
}

impl Tally {
    fn of(pieces: &[Piece]) -> Self {
        let mut tally = Self::default();
        for piece in pieces {
            match piece.what {
                What::Known(kind) => tally.kinds |= bit(kind),
                What::Number => tally.numbers += 1,
                What::Unknown | What::Code(_) => tally.unknown += 1,
            }
        }
        tally
    }

    const fn has(&self, kind: Kind) -> bool {
        self.kinds & bit(kind) != 0
    }

    /// Whether nothing but these kinds is there, and courtesy.
    fn has_only(&self, kinds: &[Kind]) -> bool {
        let allowed = kinds.iter().fold(bit(Kind::Courtesy), |bits, kind| bits | bit(*kind));
        self.unknown == 0 && self.kinds & !allowed == 0
    }

    /// Whether the kind is there, and nothing else but courtesy and `besides`.
    fn is_only(&self, kind: Kind, besides: &[Kind]) -> bool {
        let allowed: Vec<_> = besides.iter().copied().chain([kind]).collect();
        self.has(kind) && self.numbers == 0 && self.has_only(&allowed)
    }

    /// A stop word, with nothing beside it that could change its meaning. A number may be a topic's
    /// code that we do not know (rule 5) beside a word that means nothing else.
    fn stops_alone(&self) -> bool {
        let weak = self.has(Kind::StopFirst) || self.has(Kind::StopAlone);
        let stops = self.has(Kind::Stop) || (weak && self.numbers == 0);
        stops
            && self.has_only(&[
                Kind::Stop,
                Kind::StopFirst,
                Kind::StopAlone,
                Kind::Start,
                Kind::Help,
                Kind::Yes,
                Kind::No,
                Kind::DoubtAlone,
            ])
    }

    /// A stop word and courtesy.
    fn is_stop_word(&self) -> bool {
        self.is_only(Kind::Stop, &[Kind::No])
    }
}

/// The bit of a kind; its codes are below 32.
const fn bit(kind: Kind) -> u32 {
    1_u32.rotate_left(kind.place())
}

/// The sentences and lines of a text.
fn sentences(pieces: &[Piece]) -> impl Iterator<Item = &[Piece]> {
    pieces.chunk_by(|_, next| next.before < Before::Line)
}

/// Whether a text begins with a word that may be meant as a refusal: a no where none was asked, or
/// one that was asked and says more; or a word like "cancel" and little else.
fn begins_in_doubt(pieces: &[Piece], question: Question, meant: Meant) -> bool {
    let mut said = pieces.iter().filter(|piece| piece.what != What::Known(Kind::Courtesy));
    let Some(first) = said.next() else { return false };
    let others = said.count();
    match first.what {
        What::Known(Kind::No) => {
            others == 0 || (question == Question::Open && meant == Meant::AsWritten)
        }
        What::Known(Kind::StopFirst) => others <= FEW_WORDS_MAX && meant == Meant::AsWritten,
        What::Known(
            Kind::Stop
            | Kind::StopAlone
            | Kind::Start
            | Kind::Help
            | Kind::Yes
            | Kind::Courtesy
            | Kind::Doubt
            | Kind::DoubtAlone,
        )
        | What::Code(_)
        | What::Number
        | What::Unknown => false,
    }
}
