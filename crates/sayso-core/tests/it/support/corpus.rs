//! The corpus of texts: what people write, and how a reasonable person reads it.
//!
//! A line has a text, its language, what it is read against, the expected reading and a note, which
//! begins with "misread as" where we know that we read it otherwise.

use sayso_core::id::TopicId;
use sayso_core::text::wording::{Code, Codes, Conversation, Heard, Names, Offered, Question, read};
use sayso_core::words::channel::Channel;

/// The readings, in the order of the table.
pub(crate) const READINGS: [&str; 8] =
    ["stop", "stop_topic", "start", "help", "yes", "no", "unclear", "nothing"];

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) text: String,
    pub(crate) language: &'static str,
    pub(crate) context: &'static str,
    pub(crate) expected: &'static str,
    pub(crate) note: &'static str,
}

/// All lines.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let lines = include_str!("../../data/words.tsv").lines();
    lines.filter(|line| !line.starts_with("# ")).map(|line| {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap_or_default();
        Case {
            text: unescaped(next()),
            language: next(),
            context: next(),
            expected: next(),
            note: next(),
        }
    })
}

impl Case {
    /// How it is read.
    pub(crate) fn heard(&self) -> Heard {
        self.heard_as(&self.text)
    }

    /// How another text is read in its place.
    pub(crate) fn heard_as(&self, text: &str) -> Heard {
        let within = |word: &str| self.context.split(',').any(|part| part == word);
        let our_names: &[&str] =
            if within("name") { &["ACME", "Acme Shoes", "Stop & Shop"] } else { &[] };
        let names = Names::of(our_names.iter().copied());
        let parsed: Vec<_> = [("OFFERS", 1), ("12345", 1), ("News", 2)]
            .into_iter()
            .filter(|_| within("code"))
            .filter_map(|(code, topic)| Some((Code::parse(code).ok()?, topic)))
            .collect();
        let codes =
            Codes::of(parsed.iter().map(|(code, topic)| (code, TopicId::from_bytes([*topic; 16]))));
        let conversation = Conversation {
            channel: if within("email") { Channel::Email } else { Channel::Sms },
            names: &names,
            codes: &codes,
            question: if within("question") { Question::Open } else { Question::None },
            offered: &Offered::default(),
        };
        read(text, &conversation)
    }
}

/// `\n` and `\uXXXX` stand for what cannot be seen in a file.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(4).unwrap_or((part, ""));
        whole.extend(u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
        whole.push_str(rest);
    }
    whole.replace("\\n", "\n")
}

/// What a reasonable person reads in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// A clear refusal.
    Refusal,
    /// No refusal.
    Other,
    /// Neither for sure.
    Unclear,
}

/// Which part of the corpus a text is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// By which the words are mended.
    Tuned,
    /// Set aside: nobody looks at it while mending.
    Aside,
}

/// A text as people write them.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) language: &'static str,
    pub(crate) sort: Sort,
    pub(crate) words: String,
}

/// Texts as people write them, by language.
pub(crate) fn texts() -> impl Iterator<Item = Text> {
    let lines = include_str!("../../data/readings.tsv").lines();
    lines.filter(|line| !line.starts_with("# ")).filter_map(|line| {
        let mut columns = line.split('\t');
        let language = columns.next()?;
        let sort = match columns.next()? {
            "refusal" => Sort::Refusal,
            "other" => Sort::Other,
            _ => Sort::Unclear,
        };
        Some(Text { language, sort, words: unescaped(columns.next()?) })
    })
}

impl Text {
    /// How it is read, by SMS and with no question open.
    pub(crate) fn heard(&self) -> Heard {
        let (names, codes, offered) = (Names::default(), Codes::default(), Offered::default());
        let conversation = Conversation {
            channel: Channel::Sms,
            names: &names,
            codes: &codes,
            question: Question::None,
            offered: &offered,
        };
        read(&self.words, &conversation)
    }

    /// Three of ten texts are set aside, by a hash of their bytes.
    pub(crate) fn part(&self) -> Part {
        let hash = self.words.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        if (hash >> 20) % 10 < 3 { Part::Aside } else { Part::Tuned }
    }
}
