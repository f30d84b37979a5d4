//! Channels, scopes, categories: what a consent covers and what a message needs.

use std::fmt;

use thiserror::Error;

use crate::id::{SenderId, TopicId};
use crate::limits;
use crate::time::Timestamp;

/// A text that names none of the known words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("is none of {expected}")]
pub struct UnknownWord {
    /// The words that would have been right, separated by commas.
    pub expected: &'static str,
}

/// Declares an enum of words: one spelling for Display, parse, JSON and columns, and one stable
/// byte for the canonical encoding. Codes are never reused.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal, $code:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Their words, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($text),+];

            /// The words, separated by commas.
            const EXPECTED: &'static str = {
                let each_with_a_comma = concat!($($text, ", "),+);
                each_with_a_comma.split_at(each_with_a_comma.len() - 2).0
            };

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The byte that stands for it in canonical bytes.
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The word a canonical byte stands for.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// Parses the word.
            ///
            /// # Errors
            /// [`UnknownWord`](crate::words::channel::UnknownWord), which lists the known ones.
            pub fn parse(text: &str) -> Result<Self, $crate::words::channel::UnknownWord> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::words::channel::UnknownWord { expected: Self::EXPECTED }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// A road by which a message reaches a person.
    Channel {
        /// WhatsApp.
        WhatsApp = "whatsapp", 1;
        /// Text messages.
        Sms = "sms", 2;
        /// Electronic mail.
        Email = "email", 3;
        /// Rich communication services.
        Rcs = "rcs", 4;
        /// Voice calls.
        Voice = "voice", 5;
        /// Push notifications.
        Push = "push", 6;
        /// Viber.
        Viber = "viber", 7;
        /// Telegram.
        Telegram = "telegram", 8;
        /// Messenger.
        Messenger = "messenger", 9;
        /// LINE.
        Line = "line", 10;
    }
}

words! {
    /// Who carries messages for a business.
    Provider {
        /// Simulated phones inside this server.
        Sandbox = "sandbox", 1;
        /// The WhatsApp Cloud API of Meta.
        Meta = "meta", 2;
        /// Gupshup.
        Gupshup = "gupshup", 3;
        /// Twilio.
        Twilio = "twilio", 4;
        /// A Kannel gateway.
        Kannel = "kannel", 5;
        /// A mail relay, by SMTP.
        Smtp = "smtp", 6;
    }
}

words! {
    /// What a message is for, which decides how much consent it needs.
    Category {
        /// Wants to sell or to keep in touch; also every message that names no category (rule 25).
        Marketing = "marketing", 1;
        /// Belongs to something the person ordered or uses.
        Utility = "utility", 2;
        /// Codes and warnings that guard an account.
        Authentication = "authentication", 3;
        /// An answer to a message of the person.
        Service = "service", 4;
    }
}

/// What a consent covers on its channel: `All` ⊃ `Sender(s)`; `All` ⊃ `Category(c)` ⊃ `Topic(t)`
/// (rule 8).
///
/// *Shape:* `all`, `sender:snd_…`, `category:marketing`, `topic:top_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything on the channel.
    All,
    /// Messages of one sender.
    Sender(SenderId),
    /// Messages of one category.
    Category(Category),
    /// Messages about one topic.
    Topic(TopicId),
}

impl Scope {
    /// Parses the text form.
    ///
    /// # Errors
    /// [`UnknownWord`] when the text is none of the four shapes.
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        let fault =
            UnknownWord { expected: "all, sender:snd_…, category:marketing, topic:top_…" };
        match text.split_once(':') {
            None if text == "all" => Ok(Self::All),
            Some(("sender", id)) => SenderId::parse(id).map(Self::Sender).map_err(|_| fault),
            Some(("category", word)) => {
                Category::parse(word).map(Self::Category).map_err(|_| fault)
            }
            Some(("topic", id)) => TopicId::parse(id).map(Self::Topic).map_err(|_| fault),
            None | Some(_) => Err(fault),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Sender(id) => write!(f, "sender:{id}"),
            Self::Category(category) => write!(f, "category:{category}"),
            Self::Topic(id) => write!(f, "topic:{id}"),
        }
    }
}

/// What a statement permits or refuses: messages on a channel within a scope, or the processing
/// of the person's data at all (`gdpr_optin`, rule 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Messages on a channel, within a scope.
    Messages(Channel, Scope),
    /// Processing of the person's data.
    Processing,
}

/// The message somebody wants to send, as far as consent is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The channel it goes by.
    pub channel: Channel,
    /// Who sends it; absent only in a workspace that has no sender on the channel.
    pub sender: Option<SenderId>,
    /// What it is about, if it is about a topic.
    pub topic: Option<TopicId>,
    /// The topic's category, or the one the caller named.
    pub category: Category,
    /// Whether the words were approved beforehand.
    pub content: Content,
    /// Why it is sent.
    pub occasion: Occasion,
}

words! {
    /// Whether a message's words were approved by the platform beforehand.
    Content {
        /// An approved template.
        Template = "template", 1;
        /// Any words; on WhatsApp only within 24 hours of the person's last message.
        FreeForm = "free_form", 2;
    }
}

/// Why a message is sent: what rule 26 lets pass despite an opt-out. Only Sayso itself names an
/// occasion other than [`Occasion::Ordinary`] and [`Occasion::Requested`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// Because the business wants to.
    Ordinary,
    /// The person asked for this authentication message at that time.
    Requested(crate::time::Timestamp),
    /// The one confirmation of a refusal made at that time (rule 21).
    RefusalConfirmation(crate::time::Timestamp),
    /// The answer to a help word.
    HelpReply,
    /// The double opt-in question; the time is that of the last one asked, if any.
    OptInQuestion(Option<crate::time::Timestamp>),
}

impl Category {
    /// The one of two that needs more consent: they are declared from the strictest on.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        self.min(other)
    }
}

impl Message {
    /// Whether the person is owed this message even after an opt-out.
    pub fn is_owed(&self, now: Timestamp) -> bool {
        match self.occasion {
            Occasion::Ordinary => false,
            Occasion::Requested(at) => {
                self.category == Category::Authentication
                    && at <= now
                    && now <= at.plus(limits::REQUESTED_MESSAGE_WINDOW)
            }
            Occasion::RefusalConfirmation(refused_at) => {
                self.category != Category::Marketing
                    && refused_at <= now
                    && now <= refused_at.plus(limits::CONFIRMATION_WINDOW)
            }
            Occasion::HelpReply => true,
            Occasion::OptInQuestion(last) => {
                last.is_none_or(|last| last.plus(limits::QUESTION_INTERVAL) <= now)
            }
        }
    }

    /// An ordinary message: free-form if it is a service reply, else a template.
    pub const fn ordinary(channel: Channel, category: Category) -> Self {
        let content = match category {
            Category::Service => Content::FreeForm,
            Category::Marketing | Category::Utility | Category::Authentication => Content::Template,
        };
        Self { channel, sender: None, topic: None, category, content, occasion: Occasion::Ordinary }
    }

    /// The scopes that apply to this message, the widest first (rule 8).
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + Clone + use<> {
        [
            Some(Scope::All),
            self.sender.map(Scope::Sender),
            Some(Scope::Category(self.category)),
            self.topic.map(Scope::Topic),
        ]
        .into_iter()
        .flatten()
    }
}

impl Scope {
    /// Whether `self` is `inner` or contains it, both applying to one message. Sender and Topic
    /// never contain each other.
    pub const fn covers(self, inner: Self) -> bool {
        match (self, inner) {
            (Self::All, _)
            | (Self::Sender(_), Self::Sender(_))
            | (Self::Category(_), Self::Category(_) | Self::Topic(_))
            | (Self::Topic(_), Self::Topic(_)) => true,
            (Self::Sender(_), Self::All | Self::Category(_) | Self::Topic(_))
            | (Self::Category(_), Self::All | Self::Sender(_))
            | (Self::Topic(_), Self::All | Self::Sender(_) | Self::Category(_)) => false,
        }
    }

    /// Whether one message may fall under both: a topic may be of any category.
    pub fn may_meet(self, other: Self) -> bool {
        match (self, other) {
            (Self::Sender(one), Self::Sender(other)) => one == other,
            (Self::Category(one), Self::Category(other)) => one == other,
            (Self::Topic(one), Self::Topic(other)) => one == other,
            (_, _) => true,
        }
    }
}
