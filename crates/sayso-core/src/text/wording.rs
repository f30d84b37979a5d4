//! What people write: whether a text is a refusal, a start, a call for help, an answer, in doubt, or
//! nothing of the kind (rules 5 and 19).
//!
//! [`read`] is pure, total, and takes time in proportion to the text. It leaves out what is not the
//! writer's own (`quoted`, `reaction`), folds the rest (`fold`) and takes out our names. Then the first
//! of these that holds is the reading:
//!
//! 1. A word that our own message offered, alone: a refusal.
//! 2. A stop word (`keyword`) and nothing that could change its meaning, or as a whole sentence.
//! 3. A sentence that refuses, by what its words do in it (`grammar`): stop or send, to whom, what, and
//!    what turns it round. It is a refusal that we read in a sentence ([`Heard::is_from_a_sentence`]).
//! 4. A start word, a help word, and in an open question a yes or a no, each alone.
//! 5. A stop word among others, and what is negative and unclear, is in doubt.
//!
//! Absent on purpose: any weighing of words that could make a refusal depend on more than its own text.

use crate::id::TopicId;
use crate::limits;
use crate::words::channel::{Channel, words};

mod clause;
mod fold;
mod grammar;
mod keyword;
mod kindred;
mod lexicon;
mod offered;
mod own;
mod phrase;
mod prefill;
mod quoted;
mod reaction;
mod ready;
mod slot;
mod speech;
mod trie;
mod typing;

pub(crate) use fold::{Token, exact_text, fold, plain_text};
pub(crate) use lexicon::LEXICON;
pub use lexicon::{Kind, Sure, Word, WordSource, expand, languages, sources, sureness, words};
pub use offered::Offered;
pub use own::{Code, CodeFault, Codes, Names};
pub(crate) use phrase::Phrase;
pub use prefill::{Edited, edited};
pub use ready::{is_ready, make_ready};
pub use slot::Slot;

use grammar::Verdict;
use keyword::Meant;
use own::Named;

/// Signs that say "stop" without a word.
const SIGNS: [char; 5] = ['\u{1f6d1}', '\u{1f6ab}', '\u{26d4}', '\u{1f515}', '\u{1f6af}'];

/// Words that a text has before it can be in a language that we do not know.
const STRANGE_WORDS_MIN: usize = 4;

/// Letters that count as a word in scripts without spaces.
const LETTERS_OF_A_WORD: usize = 3;

/// One word in so many is known by chance in a language that we do not know.
const KNOWN_BY_CHANCE: usize = 6;

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
    Because {
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
        /// A sentence that refuses, by what its words do in it.
        ClearPhrase = "clear_phrase", 6;
        /// A stop word among others that may change its meaning.
        StopWord = "stop_word", 7;
        /// Words or signs that smell of a wish to stop.
        Doubtful = "doubtful", 8;
        /// A word that stops or refuses, of which the sentence says that something else is meant.
        OtherMeaning = "other_meaning", 9;
        /// Longer than [`limits::READ_BYTES_MAX`], and no refusal in what was read.
        TooLong = "too_long", 10;
        /// No word that concerns consent.
        Ordinary = "ordinary", 11;
        /// The text that a phone sends for a reaction to a message.
        Reaction = "reaction", 12;
        /// In a language that we have no words for.
        NotUnderstood = "not_understood", 13;
        /// A word that our own message offered.
        Offered = "offered", 14;
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

impl Heard {
    /// Whether it is a refusal that we read in a sentence, and no keyword: compliance may retract it
    /// (rule 9).
    pub const fn is_from_a_sentence(&self) -> bool {
        self.reading.is_refusal() && matches!(self.because, Because::ClearPhrase)
    }
}

words! {
    /// Whether the writer was asked something that a yes or a no would answer.
    Question {
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
    /// The words by which our messages say that one can leave.
    pub offered: &'a Offered,
}

/// Reads what a person wrote.
///
/// Of a text longer than [`limits::READ_BYTES_MAX`] the beginning is read; it is then a refusal or
/// unclear.
///
/// ```
/// use sayso_core::words::channel::Channel;
/// use sayso_core::text::wording::{Because, Codes, Conversation, Names, Offered, Question, Reading, read};
///
/// let (names, codes, offered) = (Names::of(["ACME"]), Codes::default(), Offered::default());
/// let conversation = Conversation {
///     channel: Channel::Sms,
///     names: &names,
///     codes: &codes,
///     question: Question::None,
///     offered: &offered,
/// };
/// let heard = read("Stop. Thank you, Acme", &conversation);
/// assert_eq!(heard.reading, Reading::Stop { topic: None });
/// assert_eq!(heard.because, Because::OwnName);
/// assert_eq!(read("please don't stop", &conversation).reading, Reading::Nothing);
/// ```
pub fn read(text: &str, conversation: &Conversation<'_>) -> Heard {
    let (kept, cut) = beginning(text);
    if reaction::is_reaction(kept) {
        return Heard { reading: Reading::Nothing, because: Because::Reaction };
    }
    let own = quoted::own_words(kept, conversation.channel);
    let mut heard = read_words(&own.text, conversation);
    let is_quoted = |words: &str| read_words(words, conversation).reading.is_refusal();
    if heard.reading == Reading::Nothing && own.others.iter().any(|words| is_quoted(words)) {
        heard = Heard { reading: Reading::Unclear, because: Because::StopWord };
    }
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

/// How many words a text has, numbers left out.
fn words_written(tokens: &[Token]) -> usize {
    let words = tokens.iter().filter(|token| !token.is_number());
    let (letters, spaced) = words.fold((0, 0), |(letters, spaced), token| {
        let is_letter = token.plain.chars().next().is_some_and(fold::is_unspaced);
        if is_letter { (letters + 1, spaced) } else { (letters, spaced + 1) }
    });
    spaced + letters / LETTERS_OF_A_WORD
}

fn read_words(text: &str, conversation: &Conversation<'_>) -> Heard {
    let tokens = fold(text);
    let (tokens, named) = conversation.names.without(&tokens);
    let heard = |reading, because| Heard { reading, because };
    let stop = Reading::Stop { topic: None };
    if tokens.is_empty() {
        let sign = named == Named::No && text.contains(SIGNS);
        return if sign {
            heard(Reading::Unclear, Because::Doubtful)
        } else {
            heard(Reading::Nothing, Because::Ordinary)
        };
    }
    if conversation.offered.is_said_by(&tokens) {
        return heard(stop, Because::Offered);
    }
    if let Some(topic) = keyword::left_topic(&tokens, conversation.codes) {
        return heard(Reading::Stop { topic: Some(topic) }, Because::TopicCode);
    }
    let words = keyword::cut(&tokens, &Codes::default());
    let stopped = keyword::stops(&words, named);
    if let Some(stopped) = stopped.filter(|_| words.len() == 1) {
        return stopped;
    }
    let (marked, topic) = conversation.codes.marked(&tokens);
    let said = grammar::said(&marked, conversation.channel);
    let is_denied = said.idiom || keyword::may_be_denied(&words, &tokens);
    let is_turned = said.verdict == Verdict::Turned && is_denied;
    if let Some(stopped) = stopped.filter(|_| !is_turned) {
        return stopped;
    }
    if said.verdict == Verdict::Stop {
        return heard(Reading::Stop { topic: topic.filter(|_| said.topic) }, Because::ClearPhrase);
    }
    if let Some(answered) = keyword::answers(&words, named, conversation.question) {
        return answered;
    }
    let turned = said.turned;
    let meant = if turned { Meant::Otherwise } else { Meant::AsWritten };
    if keyword::ends_in_stop(&words) && !turned {
        return heard(stop, Because::Sentence);
    }
    if said.verdict == Verdict::Doubt {
        return heard(Reading::Unclear, Because::Doubtful);
    }
    if let Some(because) = keyword::doubts(&words, conversation.question, meant) {
        return heard(Reading::Unclear, because);
    }
    let strange = words_written(&tokens);
    let known = said.known.max(keyword::known_words(&words));
    if strange >= STRANGE_WORDS_MIN && known * KNOWN_BY_CHANCE < strange {
        return heard(Reading::Unclear, Because::NotUnderstood);
    }
    let because = if turned { Because::OtherMeaning } else { Because::Ordinary };
    heard(Reading::Nothing, because)
}
