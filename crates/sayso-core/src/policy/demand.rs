//! What policies and packs demand of an offer: what must be shown, what must not be done.

use std::collections::BTreeSet;

use crate::policy::clause::{Clause, Grounds};
use crate::words::channel::{Channel, words};

words! {
    /// What an offer may show.
    Shown {
        /// Who will write, by name.
        Business = "business", 1;
        /// By which channel, by name.
        Channel = "channel", 2;
        /// The channel's name and logo beside the box.
        Mark = "mark", 3;
        /// What kinds of messages come.
        Kinds = "kinds", 4;
        /// How often they come.
        Frequency = "frequency", 5;
        /// What they may cost.
        Fees = "fees", 6;
        /// The number, for the person to change.
        NumberEditable = "number_editable", 7;
        /// How to stop.
        WayOut = "way_out", 8;
        /// How to reach the business.
        Contact = "contact", 9;
        /// Where the terms are.
        Terms = "terms", 10;
        /// Where it is told what happens to the data.
        Privacy = "privacy", 11;
        /// That nothing depends on saying yes.
        NoCondition = "no_condition", 12;
    }
}

words! {
    /// What an offer must not do.
    Flaw {
        /// The box is ticked before the person comes.
        PreTicked = "pre_ticked", 1;
        /// One yes agrees to the terms and to the messages.
        Bundled = "bundled", 2;
        /// Without the yes nothing is sold.
        Condition = "condition", 3;
        /// The person answers nothing: a bare link, a number saved.
        NoAct = "no_act", 4;
    }
}

words! {
    /// How bad a finding is.
    Severity {
        /// The rule asks for it.
        Error = "error", 1;
        /// The rule advises it, or it is not sure.
        Warning = "warning", 2;
    }
}

words! {
    /// What a finding is about.
    FindingCode {
        /// The business is not named.
        BusinessMissing = "business_missing", 1;
        /// A channel is not named.
        ChannelMissing = "channel_missing", 2;
        /// The channel's name and logo are not beside the box.
        MarkMissing = "mark_missing", 3;
        /// The kinds of messages are not stated.
        KindsMissing = "kinds_missing", 4;
        /// How often messages come is not stated.
        FrequencyMissing = "frequency_missing", 5;
        /// That messages may cost something is not stated.
        FeesMissing = "fees_missing", 6;
        /// The number cannot be changed.
        NumberNotEditable = "number_not_editable", 7;
        /// How to stop is not stated.
        WayOutMissing = "way_out_missing", 8;
        /// There is no way to reach the business.
        ContactMissing = "contact_missing", 9;
        /// The terms are not linked.
        TermsMissing = "terms_missing", 10;
        /// The privacy notice is not linked.
        PrivacyMissing = "privacy_missing", 11;
        /// It is not stated that nothing depends on it.
        NoConditionMissing = "no_condition_missing", 12;
        /// The box is ticked beforehand.
        PreTicked = "pre_ticked", 13;
        /// The yes agrees to the terms as well.
        Bundled = "bundled", 14;
        /// The yes is a condition.
        Condition = "condition", 15;
        /// Nobody answers anything.
        NoAct = "no_act", 16;
        /// The policy of the channel does not admit this way.
        WayNotAdmitted = "way_not_admitted", 17;
        /// The policy of the channel asks for a higher level.
        LevelTooLow = "level_too_low", 18;
        /// The opt-in should be confirmed through the address itself.
        DoubleOptIn = "double_opt_in", 19;
    }
}

/// One thing that a policy or a pack demands of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What must be shown, or must not be done.
    pub of: Demanded,
    /// How bad it is where it is not met.
    pub severity: Severity,
    /// The channels it is about.
    pub channels: BTreeSet<Channel>,
    /// What it rests on; absent for a policy of the workspace's own.
    pub grounds: Option<Grounds>,
}

/// What a demand is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demanded {
    /// It must be shown.
    Show(Shown),
    /// It must not be done.
    Avoid(Flaw),
}

impl Shown {
    /// Whether words alone show it, as those of a notice do.
    pub const fn is_worded(self) -> bool {
        match self {
            Self::Mark | Self::NumberEditable => false,
            Self::Business
            | Self::Channel
            | Self::Kinds
            | Self::Frequency
            | Self::Fees
            | Self::WayOut
            | Self::Contact
            | Self::Terms
            | Self::Privacy
            | Self::NoCondition => true,
        }
    }

    const fn missing(self) -> FindingCode {
        match self {
            Self::Business => FindingCode::BusinessMissing,
            Self::Channel => FindingCode::ChannelMissing,
            Self::Mark => FindingCode::MarkMissing,
            Self::Kinds => FindingCode::KindsMissing,
            Self::Frequency => FindingCode::FrequencyMissing,
            Self::Fees => FindingCode::FeesMissing,
            Self::NumberEditable => FindingCode::NumberNotEditable,
            Self::WayOut => FindingCode::WayOutMissing,
            Self::Contact => FindingCode::ContactMissing,
            Self::Terms => FindingCode::TermsMissing,
            Self::Privacy => FindingCode::PrivacyMissing,
            Self::NoCondition => FindingCode::NoConditionMissing,
        }
    }
}

impl Flaw {
    const fn found(self) -> FindingCode {
        match self {
            Self::PreTicked => FindingCode::PreTicked,
            Self::Bundled => FindingCode::Bundled,
            Self::Condition => FindingCode::Condition,
            Self::NoAct => FindingCode::NoAct,
        }
    }
}

impl Demand {
    /// The demand that a clause makes, if it makes one.
    pub(crate) fn of(clause: &Clause) -> Option<Self> {
        let of = match clause.kind {
            "show" => Demanded::Show(Shown::parse(clause.what).ok()?),
            "flaw" => Demanded::Avoid(Flaw::parse(clause.what).ok()?),
            _ => return None,
        };
        let severity = Severity::parse(clause.value).ok()?;
        let channels = clause.channels.clone();
        Some(Self { of, severity, channels, grounds: Some(clause.grounds) })
    }

    /// What a finding of it is about.
    pub(crate) const fn code(&self) -> FindingCode {
        match self.of {
            Demanded::Show(shown) => shown.missing(),
            Demanded::Avoid(flaw) => flaw.found(),
        }
    }
}
