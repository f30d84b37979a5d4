//! Rules of a workspace: an inbound text that opts a person in or out (rule 20).
//!
//! A rule is checked when it is made ([`Rule::new`]); [`choose`] then says which one a text follows,
//! if any. The built-in words come first, always: a rule adds to them and takes nothing away.
//!
//! Absent on purpose: what the chosen rule records. That is an event like any other.

use std::cmp::Reverse;

use regex_automata::nfa::thompson;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::util::syntax::Config as Syntax;
use thiserror::Error;

use crate::id::{RuleId, SenderId};
use crate::limits;
use crate::text::wording::{Heard, LEXICON, Reading, Token, exact_text, expand, fold, plain_text};
use crate::time::Timestamp;
use crate::words::channel::{Channel, Permission, Scope, words};
use crate::words::notice::{Notice, NoticeRef};

pub use patterns::{Found, Patterns};

mod patterns;

/// A word or several that a text is compared with, folded.
///
/// *Shape*: at least one letter or digit, up to [`limits::KEYWORD_BYTES_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyword {
    written: Box<str>,
    tokens: Vec<Token>,
}

/// A regular expression that is searched for in the folded text: lower case, words joined by single
/// spaces, with accents and without. It takes time in proportion to the text.
///
/// *Shape*: up to [`limits::PATTERN_BYTES_MAX`] bytes; `^` and `$` are the ends of the text. Two are
/// equal if they are written alike.
#[derive(Clone, Debug)]
pub struct Pattern {
    written: Box<str>,
    machine: PikeVM,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

/// How a rule's text is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// The text begins with these words.
    Begins(Keyword),
    /// The text is these words.
    Is(Keyword),
    /// The pattern is found in the text.
    Matches(Pattern),
}

words! {
    /// What a rule does to the permissions it names.
    Does {
        /// Gives them.
        OptIn = "opt_in", 1;
        /// Refuses them.
        OptOut = "opt_out", 2;
    }
}

/// A rule as somebody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The rule.
    pub id: RuleId,
    /// The channel the text comes by.
    pub channel: Channel,
    /// The sender it comes to; absent means any.
    pub sender: Option<SenderId>,
    /// Which texts it is for.
    pub matching: Matching,
    /// What it does.
    pub does: Does,
    /// To which channels and scopes; channels beside its own are those of the same number.
    pub permissions: Vec<(Channel, Scope)>,
    /// The words that the person was shown.
    pub notice: Option<NoticeRef>,
    /// What is answered.
    pub reply: Option<Box<str>>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A rule that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule(Draft);

/// Why a rule may not be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuleFault {
    /// The keyword has no letter or digit.
    #[error("has no letter or digit")]
    KeywordEmpty,
    /// The keyword is longer than [`limits::KEYWORD_BYTES_MAX`].
    #[error("is longer than {max} bytes", max = limits::KEYWORD_BYTES_MAX)]
    KeywordTooLong,
    /// The pattern is empty or would match every text.
    #[error("matches every text")]
    PatternMatchesAll,
    /// The pattern is longer than [`limits::PATTERN_BYTES_MAX`], or takes more than
    /// [`limits::PATTERN_COMPILED_BYTES_MAX`] when it is compiled.
    #[error("is too long or repeats too much")]
    PatternTooLarge,
    /// The pattern is no regular expression.
    #[error("is no regular expression: {0}")]
    Pattern(Box<str>),
    /// A stop word would opt in.
    #[error("would opt in by `{0}`, which is a stop word in every workspace")]
    TakesStopWord(Box<str>),
    /// The rule names no permission.
    #[error("names no channel")]
    NoPermission,
    /// An opt-in without the words that were shown to the person.
    #[error("opts in without a notice")]
    NoNotice,
    /// An opt-in to another channel that the notice does not name.
    #[error("opts in to {0}, which the notice does not name")]
    NotNamed(Channel),
    /// The reply is empty.
    #[error("has no words")]
    ReplyEmpty,
    /// The reply is longer than [`limits::REPLY_BYTES_MAX`].
    #[error("is longer than {max} bytes", max = limits::REPLY_BYTES_MAX)]
    ReplyTooLong,
}

impl Keyword {
    /// Parses a keyword.
    ///
    /// # Errors
    /// [`RuleFault::KeywordEmpty`], [`RuleFault::KeywordTooLong`].
    pub fn parse(text: &str) -> Result<Self, RuleFault> {
        if text.len() > limits::KEYWORD_BYTES_MAX {
            return Err(RuleFault::KeywordTooLong);
        }
        let tokens = fold(text);
        if tokens.is_empty() {
            return Err(RuleFault::KeywordEmpty);
        }
        Ok(Self { written: text.trim().into(), tokens })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether the whole text is these words.
    pub fn is_said_by(&self, text: &str) -> bool {
        self.is(&fold(text))
    }

    fn len(&self) -> usize {
        self.tokens.iter().map(|token| token.plain.chars().count()).sum()
    }

    fn begins(&self, text: &[Token]) -> bool {
        text.len() >= self.tokens.len()
            && self.tokens.iter().zip(text).all(|(mine, theirs)| mine.plain == theirs.plain)
    }

    fn is(&self, text: &[Token]) -> bool {
        text.len() == self.tokens.len() && self.begins(text)
    }
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`RuleFault::PatternMatchesAll`], [`RuleFault::PatternTooLarge`], [`RuleFault::Pattern`].
    pub fn parse(text: &str) -> Result<Self, RuleFault> {
        if text.len() > limits::PATTERN_BYTES_MAX {
            return Err(RuleFault::PatternTooLarge);
        }
        let machine = PikeVM::builder()
            .syntax(syntax())
            .thompson(
                thompson::Config::new().nfa_size_limit(Some(limits::PATTERN_COMPILED_BYTES_MAX)),
            )
            .build(text)
            .map_err(|fault| match fault.size_limit() {
                Some(_) => RuleFault::PatternTooLarge,
                None => RuleFault::Pattern(reason(&fault)),
            })?;
        let pattern = Self { written: text.into(), machine };
        if pattern.is_found("") {
            return Err(RuleFault::PatternMatchesAll);
        }
        Ok(pattern)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    fn is_found(&self, text: &str) -> bool {
        let mut cache = self.machine.create_cache();
        self.machine.is_match(&mut cache, text)
    }

    fn matches(&self, text: &[Token]) -> bool {
        self.is_found(&exact_text(text)) || self.is_found(&plain_text(text))
    }
}

/// How patterns are written.
fn syntax() -> Syntax {
    Syntax::new().case_insensitive(true).nest_limit(16)
}

/// The part of a text that rules read.
fn read_part(text: &str) -> &str {
    text.get(..text.floor_char_boundary(limits::READ_BYTES_MAX)).unwrap_or_default()
}

/// The last line of what the compiler says: the ones before it draw the pattern.
fn reason(fault: &thompson::BuildError) -> Box<str> {
    let whole =
        std::error::Error::source(fault).map_or_else(|| fault.to_string(), ToString::to_string);
    let last = whole.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").into()
}

impl Matching {
    /// How long the keyword is; a pattern has none.
    fn len(&self) -> usize {
        match self {
            Self::Begins(keyword) | Self::Is(keyword) => keyword.len(),
            Self::Matches(_) => 0,
        }
    }

    /// A stop word that this takes: the keyword is one or begins with one, or the pattern is found
    /// in one.
    fn stop_word(&self) -> Option<Box<str>> {
        match self {
            Self::Begins(keyword) | Self::Is(keyword) => {
                let (_, length) = LEXICON.longest(&keyword.tokens, |kind, _| kind.is_stop())?;
                Some(plain_text(keyword.tokens.get(..length)?).into())
            }
            Self::Matches(pattern) => crate::text::wording::words()
                .filter(|word| word.kind.is_stop())
                .flat_map(|word| expand(word.phrase))
                .find(|phrase| pattern.matches(&fold(phrase)))
                .map(Into::into),
        }
    }
}

impl Rule {
    /// Checks a rule. `notice` is the one that the draft refers to.
    ///
    /// # Errors
    /// [`RuleFault::TakesStopWord`], [`RuleFault::NoPermission`], [`RuleFault::NoNotice`],
    /// [`RuleFault::NotNamed`], [`RuleFault::ReplyEmpty`], [`RuleFault::ReplyTooLong`].
    pub fn new(draft: Draft, notice: Option<&Notice>) -> Result<Self, RuleFault> {
        if draft.permissions.is_empty() {
            return Err(RuleFault::NoPermission);
        }
        if let Some(reply) = &draft.reply {
            if reply.trim().is_empty() {
                return Err(RuleFault::ReplyEmpty);
            }
            if reply.len() > limits::REPLY_BYTES_MAX {
                return Err(RuleFault::ReplyTooLong);
            }
        }
        if draft.does == Does::OptIn {
            if let Some(word) = draft.matching.stop_word() {
                return Err(RuleFault::TakesStopWord(word));
            }
            if draft.notice.is_none() {
                return Err(RuleFault::NoNotice);
            }
            let mut others = draft.permissions.iter().filter(|(on, _)| *on != draft.channel);
            if let Some((other, _)) = others.find(|(on, scope)| !is_named(notice, *on, *scope)) {
                return Err(RuleFault::NotNamed(*other));
            }
        }
        Ok(Self(draft))
    }

    /// A rule as a store kept it: it was checked when it was made.
    pub const fn kept(draft: Draft) -> Self {
        Self(draft)
    }

    /// What the rule says.
    pub const fn says(&self) -> &Draft {
        &self.0
    }

    fn matches(&self, text: &[Token], found: &Found) -> bool {
        match &self.0.matching {
            Matching::Begins(keyword) => keyword.begins(text),
            Matching::Is(keyword) => keyword.is(text),
            Matching::Matches(_) => found.has(self.0.id),
        }
    }

    fn is_for(&self, channel: Channel, sender: Option<SenderId>) -> bool {
        self.0.channel == channel && (self.0.sender.is_none() || self.0.sender == sender)
    }
}

/// Whether the notice asks for this, or for more.
fn is_named(notice: Option<&Notice>, channel: Channel, scope: Scope) -> bool {
    notice.is_some_and(|notice| {
        notice.names.iter().any(|named| match named {
            Permission::Messages(on, within) => *on == channel && within.covers(scope),
            Permission::Processing => false,
        })
    })
}

words! {
    /// Why a rule was chosen, or none.
    Why {
        /// The text is a stop, start or help word, or an answer; no rule is asked.
        BuiltInWord = "built_in_word", 1;
        /// The text may be a refusal, so that no rule may opt in by it, and none opts out.
        InDoubt = "in_doubt", 2;
        /// No other rule matches.
        OnlyMatch = "only_match", 3;
        /// Its keyword is longer than those of the others that match.
        LongestKeyword = "longest_keyword", 4;
        /// Of those with the longest keyword it was made first.
        Oldest = "oldest", 5;
        /// No rule matches.
        NoMatch = "no_match", 6;
    }
}

/// The rule that a text follows, and why it is this one or none.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The rule.
    pub rule: Option<&'a Rule>,
    /// Why.
    pub why: Why,
}

/// Chooses the rule for a text that came to `sender` and was read as `heard`: none for a built-in
/// word; then the longest keyword, a pattern having none; then the oldest rule. For a text in doubt
/// only rules that opt out count. `found` says which patterns are in the text; it is asked for once it is
/// needed.
pub fn choose<'a>(
    rules: impl IntoIterator<Item = &'a Rule>,
    text: &str,
    (channel, sender): (Channel, Option<SenderId>),
    heard: Heard,
    found: impl FnOnce() -> Found,
) -> Choice<'a> {
    let unclear = match heard.reading {
        Reading::Stop { .. } | Reading::Start | Reading::Help | Reading::Yes | Reading::No => {
            return Choice { rule: None, why: Why::BuiltInWord };
        }
        Reading::Unclear => true,
        Reading::Nothing => false,
    };
    let (tokens, found) = (fold(read_part(text)), found());
    let mut matching: Vec<_> = rules
        .into_iter()
        .filter(|rule| rule.is_for(channel, sender))
        .filter(|rule| !unclear || rule.0.does == Does::OptOut)
        .filter(|rule| rule.matches(&tokens, &found))
        .collect();
    matching.sort_by_key(|rule| (Reverse(rule.0.matching.len()), rule.0.created_at, rule.0.id));
    let length = |rule: &Rule| rule.0.matching.len();
    match matching.as_slice() {
        [] if unclear => Choice { rule: None, why: Why::InDoubt },
        [] => Choice { rule: None, why: Why::NoMatch },
        [only] => Choice { rule: Some(only), why: Why::OnlyMatch },
        [first, second, ..] if length(first) > length(second) => {
            Choice { rule: Some(first), why: Why::LongestKeyword }
        }
        [first, ..] => Choice { rule: Some(first), why: Why::Oldest },
    }
}
