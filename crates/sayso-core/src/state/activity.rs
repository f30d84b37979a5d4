//! Whether a person wrote to a sender lately (rule 18). It is a matter of time alone, and opts nobody in.

use crate::limits;
use crate::time::Timestamp;
use crate::words::channel::words;

words! {
    /// Whether a person wrote to a sender lately.
    Activity {
        /// Less than [`limits::ACTIVITY_WINDOW`] ago.
        Active = "active", 1;
        /// Longer ago.
        Inactive = "inactive", 2;
        /// Never.
        None = "none", 3;
    }
}

impl Activity {
    /// The activity at `now` of who last wrote at `wrote_at`: `active` up to and without the instant at
    /// which the window ends.
    pub fn of(wrote_at: Option<Timestamp>, now: Timestamp) -> Self {
        match wrote_at {
            Some(wrote_at) if now < wrote_at.plus(limits::ACTIVITY_WINDOW) => Self::Active,
            Some(_) => Self::Inactive,
            None => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[test]
    fn it_ends_at_the_instant_24_hours_after_the_last_message() {
        let wrote_at = Timestamp::from_micros(1_000_000);
        let at = |span| Activity::of(Some(wrote_at), wrote_at.plus(span));
        assert_eq!(at(Span::micros(0)), Activity::Active);
        assert_eq!(at(Span::micros(86_399_999_999)), Activity::Active);
        assert_eq!(at(Span::hours(24)), Activity::Inactive);
        assert_eq!(Activity::of(None, wrote_at), Activity::None);
    }
}
