//! Slots: what a word does in a sentence. Each language has a file that says which words fill which.
//!
//! A line of `data/words` whose kind is a slot, or several joined by `+`, lists the words that fill it,
//! parted by `|`. A word may end in `~`, where its ending is open; ` … ` stands for up to
//! [`GAP_WORDS_MAX`] other words; `=` before it says that it counts only beside other words of its
//! language, as every word of up to [`SHORT_LETTERS_MAX`] letters does.

use crate::words::channel::words;

/// Words between the parts of a verb that is parted: `melde mich bitte von allem ab`.
pub(crate) const GAP_WORDS_MAX: usize = 6;

/// Letters up to which a word counts only beside others of its language.
pub(crate) const SHORT_LETTERS_MAX: usize = 3;

words! {
    /// What a word does in a sentence.
    Slot {
        /// Ends messages by itself: unsubscribe.
        Leave = "leave", 0;
        /// Stop, quit: needs an object.
        Cease = "cease", 1;
        /// Stopped, of its own accord or by somebody.
        Ceased = "ceased", 2;
        /// Cancel, terminate.
        End = "end", 3;
        /// Remove, delete.
        Remove = "remove", 4;
        /// Send: what is sent is its object.
        Send = "send", 5;
        /// Write to, text: a person is its object.
        Write = "write", 6;
        /// Sends or sent, as a statement of what happens.
        Sent = "sent", 7;
        /// To call by voice, and calls.
        Call = "call", 8;
        /// To write by email or post, and such mails.
        Mail = "mail", 9;
        /// Contact, bother: by no channel.
        Reach = "reach", 10;
        /// To receive, as a wish or an infinitive.
        Get = "get", 11;
        /// Receives, as a statement of what happens.
        Got = "got", 12;
        /// Want, wish, need.
        Want = "want", 13;
        /// Revoke, withdraw, object.
        Revoke = "revoke", 14;
        /// Consent, permission.
        Consent = "consent", 15;
        /// Messages, and what is in them.
        Msg = "msg", 16;
        /// This, it, anything.
        Weak = "weak", 17;
        /// A list, a database.
        List = "list", 18;
        /// Me, my number.
        Me = "me", 19;
        /// My account, my data.
        Account = "account", 20;
        /// A subscription or service, which may be one of messages.
        Service = "service", 21;
        /// Things that are no messages.
        Other = "other", 22;
        /// Not, never.
        Neg = "neg", 23;
        /// May follow its verb, as a negation.
        After = "after", 24;
        /// Only forbids.
        Forbid = "forbid", 25;
        /// No, none, without: of things.
        No = "none", 26;
        /// More, again, any longer.
        More = "more", 27;
        /// Keep, continue; miss.
        Keep = "keep", 28;
        /// Why.
        Why = "why", 29;
        /// Asked, told, already.
        Past = "past", 30;
        /// Still, nevertheless.
        Still = "still", 31;
        /// If, might.
        If = "if", 32;
        /// Idioms that refuse by themselves.
        Final = "final", 33;
        /// A wrong number.
        Wrong = "wrong", 34;
        /// Anger: spam, report, lawyer.
        Angry = "angry", 35;
        /// Just kidding, no wait.
        Joke = "joke", 36;
        /// By mistake.
        Mistake = "mistake", 37;
        /// To forget to.
        Forget = "forget", 38;
        /// Can, is able, works.
        Can = "can", 39;
        /// You, as the subject of a statement.
        You = "you", 40;
        /// I, as a subject.
        I = "i", 41;
        /// But, only, instead.
        But = "but", 42;
        /// And.
        And = "and", 43;
        /// A phrase with such a word in it that plainly means something else.
        Idiom = "idiom", 44;
        /// Words without a slot by which a language is known.
        Common = "common", 45;
        /// Did, have: of what happened.
        Did = "did", 46;
        /// How to.
        How = "how", 47;
        /// Will, of what somebody does not do.
        Will = "will", 48;
        /// A stop word of the language.
        Key = "key", 49;
        /// The code of a topic.
        Topic = "topic", 50;
        /// Politeness.
        Polite = "polite", 51;
        /// This channel is welcome: fine, ok, yes to.
        Fine = "fine", 52;
        /// When, until when.
        When = "when", 53;
        /// An offer that ends by itself: a sale, a discount.
        Deal = "deal", 54;
        /// To sign up, to be put on a list.
        Join = "join", 55;
        /// Ends by itself, as a statement of what happens.
        Ends = "ends", 56;
    }
}

/// Several slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots(u64);

impl Slots {
    /// None.
    pub(crate) const NONE: Self = Self(0);

    /// These.
    pub(crate) const fn of(slots: &[Slot]) -> Self {
        let mut bits = 0;
        let mut rest = slots;
        while let [first, more @ ..] = rest {
            bits |= 1_u64.rotate_left(u32::from_be_bytes([0, 0, 0, first.code()]));
            rest = more;
        }
        Self(bits)
    }

    /// All of both.
    pub(crate) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Those of the first that are not of the second.
    pub(crate) const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether one of these is among them.
    pub(crate) const fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    /// Whether there are none.
    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The slots that a line of the data names: `neg+send`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.split('+').try_fold(Self::NONE, |all, name| {
            Slot::parse(name).ok().map(|slot| all.and(Self::of(&[slot])))
        })
    }
}
