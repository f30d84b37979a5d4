//! How things that people begin end, as they are counted.

/// How a submission ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormEnd {
    /// It was recorded.
    Recorded,
    /// The form is tried out: it was recorded of the test person.
    Tried,
    /// Something was wrong with what was typed.
    Faulty,
    /// Its page was too old, changed since, or not opened from there.
    Stale,
    /// No proof of work, and too soon.
    Early,
    /// Too much came from there or about that address.
    Limited,
    /// It fills in what people do not see.
    Trapped,
    /// It could not be recorded.
    Failed,
}

impl FormEnd {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Recorded,
        Self::Tried,
        Self::Faulty,
        Self::Stale,
        Self::Early,
        Self::Limited,
        Self::Trapped,
        Self::Failed,
    ];

    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Tried => "tried",
            Self::Faulty => "faulty",
            Self::Stale => "stale",
            Self::Early => "early",
            Self::Limited => "limited",
            Self::Trapped => "trapped",
            Self::Failed => "failed",
        }
    }
}

/// How a question, or an answer, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DoubleOptInEnd {
    /// A question went to a sender.
    Asked,
    /// A question went to a simulated phone, for no sender is connected.
    Simulated,
    /// The address was asked within three days, or the same request asked before.
    TooSoon,
    /// As many questions went today as may.
    Limited,
    /// There is no link to send, for the server does not know its own URL.
    NoUrl,
    /// A right answer.
    Confirmed,
    /// A wrong one.
    Wrong,
    /// A right one that came too late.
    Lapsed,
}

impl DoubleOptInEnd {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Asked,
        Self::Simulated,
        Self::TooSoon,
        Self::Limited,
        Self::NoUrl,
        Self::Confirmed,
        Self::Wrong,
        Self::Lapsed,
    ];

    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Simulated => "simulated",
            Self::TooSoon => "too_soon",
            Self::Limited => "limited",
            Self::NoUrl => "no_url",
            Self::Confirmed => "confirmed",
            Self::Wrong => "wrong",
            Self::Lapsed => "lapsed",
        }
    }
}
