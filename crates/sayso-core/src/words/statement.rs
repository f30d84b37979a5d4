//! What was said: statements, their standing, and the slots that keep them.

use crate::time::Timestamp;
use crate::words::channel::words;

words! {
    /// Whether the person did it, or a source says what it believes (rule 4).
    Standing {
        /// The person did it here, or an authenticated caller records that they did.
        Act = "act", 1;
        /// A source says what it believes.
        Report = "report", 2;
    }
}

words! {
    /// How well an opt-in is evidenced, the weakest first.
    Level {
        /// From a relation, not from words; always with an end.
        Implied = "implied", 1;
        /// The person said so once.
        Single = "single", 2;
        /// The person said so through the address itself.
        Confirmed = "confirmed", 3;
    }
}

words! {
    /// What a register keeps: one place per kind of statement (rule 7). The first eight are filled
    /// by acts, the last two by reports.
    Slot {
        /// The person refuses.
        OptOut = "opt_out", 1;
        /// An unclear text: marketing waits until somebody has read it (rule 19).
        Hold = "hold", 2;
        /// A question is open, or the opt-in was in doubt.
        Pending = "pending", 3;
        /// START: lifts refusals and revives older opt-ins (rule 19).
        Start = "start", 4;
        /// The person agreed.
        Single = "single", 5;
        /// The person agreed through the address itself.
        Confirmed = "confirmed", 6;
        /// The person agreed until a day.
        Term = "term", 7;
        /// Agreement implied by a relation, until a day.
        Implied = "implied", 8;
        /// A source believes the person agreed.
        Yes = "yes", 9;
        /// A source believes the person refused.
        No = "no", 10;
    }
}

/// What was said about a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Statement {
    /// An act: no.
    OptOut,
    /// An act: unclear, marketing waits.
    Hold,
    /// An act: asked, or in doubt.
    Pending,
    /// An act: START.
    Start,
    /// An act: yes.
    Single,
    /// An act: yes, through the address itself.
    Confirmed,
    /// An act: yes, until this time.
    Term(Timestamp),
    /// An act: a relation implies yes, until this time.
    Implied(Timestamp),
    /// A report: the source believes yes.
    Yes,
    /// A report: the source believes no.
    No,
}

impl Statement {
    /// The slot that keeps it.
    pub const fn slot(self) -> Slot {
        match self {
            Self::OptOut => Slot::OptOut,
            Self::Hold => Slot::Hold,
            Self::Pending => Slot::Pending,
            Self::Start => Slot::Start,
            Self::Single => Slot::Single,
            Self::Confirmed => Slot::Confirmed,
            Self::Term(_) => Slot::Term,
            Self::Implied(_) => Slot::Implied,
            Self::Yes => Slot::Yes,
            Self::No => Slot::No,
        }
    }

    /// Act or report.
    pub const fn standing(self) -> Standing {
        match self {
            Self::Yes | Self::No => Standing::Report,
            Self::OptOut
            | Self::Hold
            | Self::Pending
            | Self::Start
            | Self::Single
            | Self::Confirmed
            | Self::Term(_)
            | Self::Implied(_) => Standing::Act,
        }
    }

    /// When it ends, for the two that do.
    pub const fn ends_at(self) -> Option<Timestamp> {
        match self {
            Self::Term(end) | Self::Implied(end) => Some(end),
            Self::OptOut
            | Self::Hold
            | Self::Pending
            | Self::Start
            | Self::Single
            | Self::Confirmed
            | Self::Yes
            | Self::No => None,
        }
    }

    /// Whether it takes something away: read at the end of a coarse time (rule 2), accepted in
    /// doubt (rule 5), and kept through erasure (rule 17).
    pub const fn is_refusal(self) -> bool {
        match self {
            Self::OptOut | Self::Hold | Self::No => true,
            Self::Pending
            | Self::Start
            | Self::Single
            | Self::Confirmed
            | Self::Term(_)
            | Self::Implied(_)
            | Self::Yes => false,
        }
    }

    /// The statement a slot held, given its end.
    pub const fn from_slot(slot: Slot, ends_at: Option<Timestamp>) -> Option<Self> {
        match (slot, ends_at) {
            (Slot::OptOut, None) => Some(Self::OptOut),
            (Slot::Hold, None) => Some(Self::Hold),
            (Slot::Pending, None) => Some(Self::Pending),
            (Slot::Start, None) => Some(Self::Start),
            (Slot::Single, None) => Some(Self::Single),
            (Slot::Confirmed, None) => Some(Self::Confirmed),
            (Slot::Term, Some(end)) => Some(Self::Term(end)),
            (Slot::Implied, Some(end)) => Some(Self::Implied(end)),
            (Slot::Yes, None) => Some(Self::Yes),
            (Slot::No, None) => Some(Self::No),
            (
                Slot::OptOut
                | Slot::Hold
                | Slot::Pending
                | Slot::Start
                | Slot::Single
                | Slot::Confirmed
                | Slot::Yes
                | Slot::No,
                Some(_),
            )
            | (Slot::Term | Slot::Implied, None) => None,
        }
    }
}
