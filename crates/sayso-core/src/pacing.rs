//! Pacing: what time alone holds a message back for, and until when.
//!
//! Quiet hours and frequency caps pass by themselves, so they come with the time at which to ask again.
//! That time is true of both: when a cap is over in the middle of the night, it is the morning.
//!
//! Absent on purpose: who counts messages, and who knows where a person is.

use crate::decision::{Reason, Reasons};
use crate::quiet::QuietHours;
use crate::time::Timestamp;
use crate::zone::Zone;

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

    /// What holds a message back at `now`, by the quiet hours that bear on it, the zones in which the
    /// person may be, and the time at which the last cap is over.
    pub fn at(
        now: Timestamp,
        quiet: Option<(&QuietHours, &[Zone])>,
        caps_over: Option<Timestamp>,
    ) -> Self {
        let open_from = |at: Timestamp| match quiet {
            Some((hours, zones)) => hours.open_from(zones, at).unwrap_or(Timestamp::DISTANT_FUTURE),
            None => at,
        };
        let later = |until: &Timestamp| now < *until;
        Self {
            quiet_until: Some(open_from(now)).filter(later),
            capped_until: caps_over.filter(later).map(open_from),
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
    /// Whether there is a reason, and each passes by itself.
    pub fn pass_by_themselves(self) -> bool {
        let passing = Self::of(&[Reason::QuietHours, Reason::FrequencyCap]);
        !self.is_empty() && self.without(passing).is_empty()
    }
}
