//! Why a message may not be sent: the reasons, and sets of them.

use crate::words::channel::words;

words! {
    /// Why a message may not be sent, in the order in which they are given (rule 24).
    Reason {
        /// A suppression covers it.
        Suppressed = "suppressed", 0;
        /// The person refused the processing of their data.
        ProcessingRefused = "processing_refused", 1;
        /// The person refused.
        OptedOut = "opted_out", 2;
        /// The person wrote something that must be read first.
        UnderReview = "under_review", 3;
        /// The opt-in has ended.
        Expired = "expired", 4;
        /// The opt-in is not confirmed yet.
        Pending = "pending", 5;
        /// There is no opt-in on the channel.
        NoOptIn = "no_opt_in", 6;
        /// There is an opt-in on the channel, but none that covers this message.
        CategoryNotCovered = "category_not_covered", 7;
        /// Free words are allowed only within 24 hours of the person's last message.
        OutsideWindow = "outside_window", 8;
        /// It is quiet where the person may be.
        QuietHours = "quiet_hours", 9;
        /// The person got enough messages for now.
        FrequencyCap = "frequency_cap", 10;
        /// The sender does not send at the moment.
        SenderPaused = "sender_paused", 11;
    }
}

/// A set of reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reasons(u16);

impl Reasons {
    /// No reason: the message may go.
    pub const NONE: Self = Self(0);

    /// A set of these.
    pub fn of(reasons: &[Reason]) -> Self {
        reasons.iter().fold(Self::NONE, |set, reason| set.with(*reason))
    }

    /// The set as bits, one for each reason's code; for storing.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set with these bits; those that stand for no reason are dropped.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits).and(Self::of(Reason::ALL))
    }

    /// This set and `reason`.
    #[must_use]
    pub fn with(self, reason: Reason) -> Self {
        Self(self.0 | (1 << reason.code()))
    }

    /// This set without those in `waived`.
    #[must_use]
    pub fn without(self, waived: Self) -> Self {
        Self(self.0 & !waived.0)
    }

    /// Those in either set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The reasons in order.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.iter().copied().filter(move |reason| self.0 & (1 << reason.code()) != 0)
    }

    /// The first reason, which the compact answer gives.
    pub fn first(self) -> Option<Reason> {
        let lowest = u8::try_from(self.0.trailing_zeros()).ok()?;
        Reason::from_code(lowest)
    }
}
