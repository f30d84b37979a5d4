//! The states of one send, and which may follow which.
//!
//! `queued → claimed → handed_over → sent → delivered | read | failed | unknown`, or `refused`. A
//! provider reports late and in any order, so a report moves a message forwards only: whatever the
//! order, the same reports give the same state.

use crate::words::channel::words;

words! {
    /// Where a message is on its way.
    MessageState {
        /// It waits for its turn.
        Queued = "queued", 1;
        /// It was decided and may go; the hand-over is under way.
        Claimed = "claimed", 2;
        /// The provider has it.
        HandedOver = "handed_over", 3;
        /// The provider sent it on.
        Sent = "sent", 4;
        /// It is on the person's device.
        Delivered = "delivered", 5;
        /// The person has seen it.
        Read = "read", 6;
        /// It will not arrive.
        Failed = "failed", 7;
        /// The hand-over began, and nobody knows how it ended; it is never tried again.
        Unknown = "unknown", 8;
        /// The gate said no.
        Refused = "refused", 9;
    }
}

impl MessageState {
    /// The state after a provider's report that the message has come as far as `reported`.
    ///
    /// A report tells of `sent`, `delivered`, `read` or `failed`; any other changes nothing. What
    /// was delivered did not fail, and a message that was not handed over has no reports.
    #[must_use]
    pub fn after_report(self, reported: Self) -> Self {
        let is_report =
            matches!(reported, Self::Sent | Self::Delivered | Self::Read | Self::Failed);
        if !is_report || !self.is_with_provider() {
            return self;
        }
        if self.rank() < reported.rank() { reported } else { self }
    }

    /// Whether a provider has it, or may have it.
    pub const fn is_with_provider(self) -> bool {
        match self {
            Self::HandedOver
            | Self::Sent
            | Self::Delivered
            | Self::Read
            | Self::Failed
            | Self::Unknown => true,
            Self::Queued | Self::Claimed | Self::Refused => false,
        }
    }

    /// Whether Sayso itself will do nothing more about it.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Claimed)
    }

    /// How much a state says about a message that a provider may have.
    const fn rank(self) -> u8 {
        match self {
            Self::Queued | Self::Claimed | Self::Refused => 0,
            Self::Unknown => 1,
            Self::HandedOver => 2,
            Self::Sent => 3,
            Self::Failed => 4,
            Self::Delivered => 5,
            Self::Read => 6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_in_any_order_give_the_same_state() {
        use MessageState::{Delivered, Failed, HandedOver, Read, Sent, Unknown};
        let reports = [Sent, Delivered, Read, Failed];
        for begin in [HandedOver, Unknown] {
            for one in reports {
                for two in reports {
                    for three in reports {
                        let forth = begin.after_report(one).after_report(two).after_report(three);
                        let back = begin.after_report(three).after_report(two).after_report(one);
                        assert_eq!(forth, back, "{begin} {one} {two} {three}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_delivered_did_not_fail_and_what_was_refused_has_no_reports() {
        use MessageState::{Delivered, Failed, Queued, Refused, Sent};
        assert_eq!(Delivered.after_report(Failed), Delivered);
        assert_eq!(Sent.after_report(Failed), Failed);
        assert_eq!(Refused.after_report(Delivered), Refused);
        assert_eq!(Queued.after_report(Delivered), Queued);
        assert_eq!(Sent.after_report(Queued), Sent);
    }
}
