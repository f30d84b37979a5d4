//! What people write: whether a text is a refusal, a start, a call for help, an answer, in doubt, or
//! nothing of the kind (rules 5 and 19).
//!
//! [`read`] is pure, total, and takes time in proportion to the text. It folds the text (`fold`),
//! leaves out what is quoted (`quoted`) and our own names, cuts the rest into known phrases
//! (`lexicon`), the longest first, and decides from them:
//!
//! 1. A refusal in clear words acts wherever it stands. A stop word acts when nothing but courtesy,
//!    our names, a number or other known words stand beside it, or when it is a whole sentence.
//! 2. Then a start word, a help word, and in an open question a yes or a no, each alone.
//! 3. A stop word among other words, and what smells of a wish to stop, is unclear.
//! 4. So are words that refuse beside the word for what we send, where nothing else was known.
//! 5. A phrase that holds a stop word and plainly means something else counts for nothing.
//!
//! Absent on purpose: guessing at misspellings (those that we know are listed), and any weighing of
//! words that could make a refusal depend on more than its own text.

use crate::channel::{Channel, words};
use crate::id::TopicId;
use crate::limits;

mod fold;
mod lexicon;
mod own;
mod phrase;
mod quoted;

pub(crate) use fold::{Token, exact_text, fold, plain_text};
pub(crate) use lexicon::LEXICON;
pub use lexicon::{Kind, Word, WordSource, expand, languages, pairs, sources, words};
pub use own::{Code, CodeFault, Codes, Names};
pub(crate) use phrase::Phrase;

use fold::Before;
use lexicon::{PAIRED, Part};

/// Words beside a [`Kind::StopFirst`] word that leave it in doubt; with more it is a sentence of its own.
const FEW_WORDS_MAX: usize = 3;

/// Words from one part of a pair to the other; a character of Han or kana is a word.
const PAIR_WORDS_MAX: usize = 8;

/// Signs that say "stop" without a word.
const SIGNS: [char; 5] = ['\u{1f6d1}', '\u{1f6ab}', '\u{26d4}', '\u{1f515}', '\u{1f6af}'];

/// What a text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// A refusal: of one topic, or of everything.
    Stop {
        /// The topic whose code stood beside the stop word.
        topic: Option<TopicId>,
    },
    /// The person wants to start again.
    Start,
    /// The person wants to know who we are.
    Help,
    /// Yes, to the open question.
    Yes,
    /// No, to the open question: a refusal.
    No,
    /// It may be a refusal; a person decides, and until then nothing is sold (`hold`).
    Unclear,
    /// Nothing that concerns consent.
    Nothing,
}

impl Reading {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop { topic: None } => "stop",
            Self::Stop { topic: Some(_) } => "stop_topic",
            Self::Start => "start",
            Self::Help => "help",
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unclear => "unclear",
            Self::Nothing => "nothing",
        }
    }

    /// Whether it refuses something.
    pub const fn is_refusal(self) -> bool {
        match self {
            Self::Stop { .. } | Self::No => true,
            Self::Start | Self::Help | Self::Yes | Self::Unclear | Self::Nothing => false,
        }
    }
}

words! {
    /// Why a text is read as it is.
    Because: "whole_text, courtesy, own_name, topic_code, sentence, clear_phrase, stop_word, doubtful, other_meaning, too_long, ordinary" {
        /// The whole text is a known word.
        WholeText = "whole_text", 1;
        /// A known word with courtesy, a number or another known word beside it.
        Courtesy = "courtesy", 2;
        /// A known word with one of our names beside it.
        OwnName = "own_name", 3;
        /// A stop word with the code of one topic.
        TopicCode = "topic_code", 4;
        /// A stop word is a sentence or line of its own.
        Sentence = "sentence", 5;
        /// A phrase that is a refusal wherever it stands.
        ClearPhrase = "clear_phrase", 6;
        /// A stop word among others that may change its meaning.
        StopWord = "stop_word", 7;
        /// Words or signs that smell of a wish to stop.
        Doubtful = "doubtful", 8;
        /// A stop word in a phrase that plainly means something else.
        OtherMeaning = "other_meaning", 9;
        /// Longer than [`limits::READ_BYTES_MAX`], and no refusal in what was read.
        TooLong = "too_long", 10;
        /// No word that concerns consent.
        Ordinary = "ordinary", 11;
    }
}

/// How a text was read, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Heard {
    /// What it means.
    pub reading: Reading,
    /// Why.
    pub because: Because,
}

words! {
    /// Whether the writer was asked something that a yes or a no would answer.
    Question: "open, none" {
        /// An opt-in question waits for its answer.
        Open = "open", 1;
        /// Nothing was asked.
        None = "none", 2;
    }
}

/// What a text is read against.
#[derive(Clone, Copy, Debug)]
pub struct Conversation<'a> {
    /// The channel it came by.
    pub channel: Channel,
    /// What we are called.
    pub names: &'a Names,
    /// The codes of our topics.
    pub codes: &'a Codes,
    /// Whether a question is open.
    pub question: Question,
}

/// Reads what a person wrote.
///
/// Of a text longer than [`limits::READ_BYTES_MAX`] the beginning is read; it is then a refusal or
/// unclear.
///
/// ```
/// use sayso_core::channel::Channel;
/// use sayso_core::wording::{Because, Codes, Conversation, Names, Question, Reading, read};
///
/// let (names, codes) = (Names::of(["ACME"]), Codes::default());
/// let conversation =
///     Conversation { channel: Channel::Sms, names: &names, codes: &codes, question: Question::None };
/// let heard = read("Stop. Thank you, Acme", &conversation);
/// assert_eq!(heard.reading, Reading::Stop { topic: None });
/// assert_eq!(heard.because, Because::OwnName);
/// assert_eq!(read("please don't stop", &conversation).reading, Reading::Nothing);
/// ```
pub fn read(text: &str, conversation: &Conversation<'_>) -> Heard {
    let (kept, cut) = beginning(text);
    let own = quoted::own_words(kept, conversation.channel);
    let heard = read_words(&own, conversation);
    match heard.reading {
        Reading::Start
        | Reading::Help
        | Reading::Yes
        | Reading::No
        | Reading::Unclear
        | Reading::Nothing
            if cut =>
        {
            Heard { reading: Reading::Unclear, because: Because::TooLong }
        }
        Reading::Stop { .. }
        | Reading::Start
        | Reading::Help
        | Reading::Yes
        | Reading::No
        | Reading::Unclear
        | Reading::Nothing => heard,
    }
}

/// As much of the text as is read, and whether that is less than all of it.
fn beginning(text: &str) -> (&str, bool) {
    let end = text.floor_char_boundary(limits::READ_BYTES_MAX);
    (text.get(..end).unwrap_or_default(), end < text.len())
}

fn read_words(text: &str, conversation: &Conversation<'_>) -> Heard {
    let tokens = fold(text);
    let (tokens, named) = conversation.names.without(&tokens);
    if tokens.is_empty() {
        let sign = named == Named::No && text.contains(SIGNS);
        return if sign {
            Heard { reading: Reading::Unclear, because: Because::Doubtful }
        } else {
            Heard { reading: Reading::Nothing, because: Because::Ordinary }
        };
    }
    if let Some(topic) = left_topic(&tokens, conversation.codes) {
        return Heard {
            reading: Reading::Stop { topic: Some(topic) },
            because: Because::TopicCode,
        };
    }
    let heard = decide(&cut(&tokens, &Codes::default()), named, conversation.question);
    if heard.because == Because::Ordinary && are_paired(&tokens) {
        return Heard { reading: Reading::Unclear, because: Because::Doubtful };
    }
    heard
}

/// Whether words that refuse and the word for what we send stand near each other in a sentence: a
/// refusal in words that we do not have, perhaps.
fn are_paired(tokens: &[Token]) -> bool {
    let mut last: Option<(Part, usize)> = None;
    for at in 0..tokens.len() {
        let rest = tokens.get(at..).unwrap_or_default();
        if rest.first().is_some_and(|first| first.before == Before::Sentence) {
            last = None;
        }
        let Some((part, _)) = PAIRED.longest(rest, |_, _| true) else { continue };
        if last.is_some_and(|(other, from)| other != part && at - from <= PAIR_WORDS_MAX) {
            return true;
        }
        last = Some((part, at));
    }
    false
}

/// Whether one of our names was in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Yes,
    No,
}

/// A known phrase, or a word that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    what: What,
    before: Before,
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
fn cut(tokens: &[Token], codes: &Codes) -> Vec<Piece> {
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
        pieces.push(Piece { what, before: first.before });
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
            Kind::StopPhrase | Kind::Other | Kind::Doubt => false,
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
        Kind::Stop | Kind::StopFirst | Kind::StopAlone | Kind::StopPhrase | Kind::Doubt => {
            Before::Line
        }
        Kind::Start
        | Kind::Help
        | Kind::Yes
        | Kind::No
        | Kind::Courtesy
        | Kind::Other
        | Kind::DoubtAlone => Before::Space,
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
fn left_topic(tokens: &[Token], codes: &Codes) -> Option<TopicId> {
    if codes.is_empty() {
        return None;
    }
    let pieces = cut(tokens, codes);
    let mut topic = None;
    let mut stops = false;
    for piece in pieces {
        match piece.what {
            What::Code(found) if topic.is_none_or(|known| known == found) => topic = Some(found),
            What::Known(Kind::Stop | Kind::StopFirst | Kind::StopAlone | Kind::StopPhrase) => {
                stops = true;
            }
            What::Known(Kind::Courtesy) => {}
            What::Code(_)
            | What::Number
            | What::Unknown
            | What::Known(
                Kind::Start
                | Kind::Help
                | Kind::Yes
                | Kind::No
                | Kind::Other
                | Kind::Doubt
                | Kind::DoubtAlone,
            ) => return None,
        }
    }
    topic.filter(|_| stops)
}

fn decide(pieces: &[Piece], named: Named, question: Question) -> Heard {
    let heard = |reading, because| Heard { reading, because };
    let tally = Tally::of(pieces);
    let alone = match named {
        Named::Yes => Because::OwnName,
        Named::No if pieces.len() == 1 => Because::WholeText,
        Named::No => Because::Courtesy,
    };
    let stop = Reading::Stop { topic: None };
    if tally.has(Kind::StopPhrase) {
        return heard(stop, Because::ClearPhrase);
    }
    if tally.stops_alone() {
        return heard(stop, alone);
    }
    if sentences(pieces).any(|sentence| Tally::of(sentence).is_stop_word()) {
        return heard(stop, Because::Sentence);
    }
    if tally.is_only(Kind::Start, &[Kind::Yes]) {
        return heard(Reading::Start, alone);
    }
    if tally.is_only(Kind::Help, &[]) {
        return heard(Reading::Help, alone);
    }
    if question == Question::Open && tally.is_only(Kind::Yes, &[]) {
        return heard(Reading::Yes, alone);
    }
    if question == Question::Open && tally.is_only(Kind::No, &[]) {
        return heard(Reading::No, alone);
    }
    if tally.has(Kind::Stop) {
        return heard(Reading::Unclear, Because::StopWord);
    }
    if tally.has(Kind::Doubt) || tally.is_only(Kind::DoubtAlone, &[Kind::No, Kind::Yes]) {
        return heard(Reading::Unclear, Because::Doubtful);
    }
    let both = tally.is_only(Kind::No, &[Kind::Yes]);
    if both || begins_in_doubt(pieces, question) {
        return heard(Reading::Unclear, Because::StopWord);
    }
    let because = if tally.has(Kind::Other) { Because::OtherMeaning } else { Because::Ordinary };
    heard(Reading::Nothing, because)
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
fn begins_in_doubt(pieces: &[Piece], question: Question) -> bool {
    let mut meant = pieces.iter().filter(|piece| piece.what != What::Known(Kind::Courtesy));
    let Some(first) = meant.next() else { return false };
    let others = meant.count();
    match first.what {
        What::Known(Kind::No) => others == 0 || question == Question::Open,
        What::Known(Kind::StopFirst) => others <= FEW_WORDS_MAX,
        What::Known(
            Kind::Stop
            | Kind::StopAlone
            | Kind::StopPhrase
            | Kind::Start
            | Kind::Help
            | Kind::Yes
            | Kind::Courtesy
            | Kind::Other
            | Kind::Doubt
            | Kind::DoubtAlone,
        )
        | What::Code(_)
        | What::Number
        | What::Unknown => false,
    }
}
