//! Pacing: what time alone holds a message back for, and until when.
//!
//! Quiet hours and frequency caps pass by themselves, so they come with the time at which to ask again.
//! That time is true of both: when a cap is over in the middle of the night, it is the morning.
//!
//! Absent on purpose: who counts messages, and who knows where a person is.

use crate::gate::reason::{Reason, Reasons};
use crate::time::Timestamp;

/// Until when quiet hours and caps hold a message back. [`Timestamp::DISTANT_FUTURE`] means that no end
/// is in sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pacing {
    /// Until when it is quiet where the person may be.
    pub quiet_until: Option<Timestamp>,
    /// Until when the person got enough, and may then be written to.
    pub capped_until: Option<Timestamp>,
}

impl Pacing {
    /// Nothing holds a message back.
    pub const NONE: Self = Self { quiet_until: None, capped_until: None };

    /// What holds a message back at `now`. `open_from` says when from some time on it is not quiet where
    /// the person may be ([`QuietHours::open_from`]; that time itself where no quiet hours bear on the
    /// message), `caps_over` when the last cap is over.
    ///
    /// [`QuietHours::open_from`]: crate::gate::quiet::QuietHours::open_from
    pub fn at(
        now: Timestamp,
        mut open_from: impl FnMut(Timestamp) -> Option<Timestamp>,
        caps_over: Option<Timestamp>,
    ) -> Self {
        let mut open_from = |at| open_from(at).unwrap_or(Timestamp::DISTANT_FUTURE);
        let later = |until: &Timestamp| now < *until;
        Self {
            quiet_until: Some(open_from(now)).filter(later),
            capped_until: caps_over.filter(later).map(open_from),
        }
    }

    /// What holds a message back that both hold back.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            quiet_until: self.quiet_until.max(other.quiet_until),
            capped_until: self.capped_until.max(other.capped_until),
        }
    }

    /// The reasons that this is at `now`.
    pub fn reasons(self, now: Timestamp) -> Reasons {
        [(Reason::QuietHours, self.quiet_until), (Reason::FrequencyCap, self.capped_until)]
            .into_iter()
            .filter(|(_, until)| until.is_some_and(|until| now < until))
            .fold(Reasons::NONE, |set, (reason, _)| set.with(reason))
    }

    /// When to ask again, if anything holds the message back at `now` and an end is in sight.
    pub fn retry_at(self, now: Timestamp) -> Option<Timestamp> {
        let until = self.quiet_until.max(self.capped_until)?;
        (now < until && until < Timestamp::DISTANT_FUTURE).then_some(until)
    }
}

impl Reasons {
    /// Those that pass by themselves.
    #[must_use]
    pub fn passing(self) -> Self {
        self.and(Self::of(&[Reason::QuietHours, Reason::FrequencyCap]))
    }

    /// Whether there is a reason, and each passes by itself.
    pub fn pass_by_themselves(self) -> bool {
        !self.is_empty() && self.passing() == self
    }
}
