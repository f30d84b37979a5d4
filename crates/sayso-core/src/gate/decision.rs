//! The gate: may this message be sent? Pure, and the same for every store (rules 24 to 26).

use crate::gate::pacing::Pacing;
use crate::gate::reason::{Reason, Reasons};
use crate::policy::settings::Settings;
use crate::state::activity::Activity;
use crate::state::blocking::blocking;
use crate::state::registers::Registers;
use crate::state::status::{Consent, Status, consent};
use crate::time::Timestamp;
use crate::words::channel::{Category, Channel, Content, Message};

/// What the registers say about one message, before policy, default and circumstances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Findings {
    /// The consent; `None` where nothing at all was recorded on the channel.
    pub consent: Option<Consent>,
    /// Which of `suppressed`, `processing_refused` and `category_not_covered` hold, the last
    /// meaning that there is an opt-in somewhere on the channel.
    pub standing: Reasons,
    /// When the person last wrote to the message's sender.
    pub wrote_at: Option<Timestamp>,
}

/// What else a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The time of the decision.
    pub now: Timestamp,
    /// The settings in force.
    pub settings: &'a Settings,
    /// Whether an opt-in is needed.
    pub requirement: Requirement,
    /// Until when it is quiet where the person may be: [`Pacing::quiet_until`].
    pub quiet_until: Option<Timestamp>,
    /// Until when the person got enough: [`Pacing::capped_until`].
    pub capped_until: Option<Timestamp>,
    /// Whether the sender sends.
    pub sender: SenderState,
}

impl<'a> Circumstances<'a> {
    /// Circumstances in which nothing but consent stands in the way.
    pub const fn of_consent(
        settings: &'a Settings,
        requirement: Requirement,
        now: Timestamp,
    ) -> Self {
        let (quiet_until, capped_until) = (None, None);
        let sender = SenderState::Sending;
        Self { now, settings, requirement, quiet_until, capped_until, sender }
    }
}

impl Circumstances<'_> {
    /// What time alone holds the message back for.
    const fn pacing(&self) -> Pacing {
        Pacing { quiet_until: self.quiet_until, capped_until: self.capped_until }
    }

    /// When to ask again, if what holds the message back passes and an end of all of it is in sight.
    fn retry_at(&self) -> Option<Timestamp> {
        let until = self.quiet_until.max(self.capped_until).max(self.sender.until())?;
        (self.now < until && until < Timestamp::DISTANT_FUTURE).then_some(until)
    }
}

/// Whether a sender sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderState {
    /// It does.
    Sending,
    /// It is paused by an operator or by its health, until then if that is known.
    Paused(Option<Timestamp>),
}

impl SenderState {
    /// Until when it is paused; [`Timestamp::DISTANT_FUTURE`] where no end is in sight.
    pub fn until(self) -> Option<Timestamp> {
        match self {
            Self::Sending => None,
            Self::Paused(until) => Some(until.unwrap_or(Timestamp::DISTANT_FUTURE)),
        }
    }
}

/// Whether a message needs an opt-in (rule 26).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// It does.
    OptIn,
    /// `no_opt_in`, `pending` and `expired` are waived: [`Requirement::waived`].
    Waived(NotMarketing),
}

/// Proof that the message is not marketing; only [`Requirement::waived`] makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotMarketing(());

impl Requirement {
    /// Waives the opt-in, which is never possible for marketing. That the caller's key may do so
    /// is for the caller of this function to see to.
    pub fn waived(category: Category) -> Option<Self> {
        (category != Category::Marketing).then_some(Self::Waived(NotMarketing(())))
    }
}

/// What a send says of `require_opt_in` (rule 26). What that comes to is settled whenever it is decided,
/// so that a message which waits follows the settings of then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequireOptIn {
    /// Nothing: it is as the settings say.
    AsSettings,
    /// This.
    Said(Requirement),
}

impl RequireOptIn {
    /// Whether a message of this category needs an opt-in under these settings.
    pub fn requirement(self, category: Category, settings: &Settings) -> Requirement {
        match self {
            Self::Said(requirement) => requirement,
            Self::AsSettings if settings.require_opt_in => Requirement::OptIn,
            Self::AsSettings => Requirement::waived(category).unwrap_or(Requirement::OptIn),
        }
    }
}

/// The answer of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Why not; none means allow.
    pub reasons: Reasons,
    /// What would have been a reason and was waived by rule 26; counted and shown.
    pub waived: Reasons,
    /// The consent after policy and default.
    pub consent: Consent,
    /// When to ask again, where the reasons pass by themselves.
    pub retry_at: Option<Timestamp>,
}

impl Decision {
    /// Whether the message may go.
    pub fn is_allow(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// May `message` be sent to the person with these registers?
pub fn check(
    registers: &Registers,
    message: &Message,
    circumstances: &Circumstances<'_>,
) -> Decision {
    decide(&findings(registers, message, circumstances.now), message, circumstances)
}

/// What the registers say about `message` at `now`.
pub fn findings(registers: &Registers, message: &Message, now: Timestamp) -> Findings {
    let mut standing = Reasons::NONE;
    if blocking(registers, message, now).next().is_some() {
        standing = standing.with(Reason::Suppressed);
    }
    if registers.processing().standing_refusal(now).is_some() {
        standing = standing.with(Reason::ProcessingRefused);
    }
    if has_opt_in(registers, message.channel, now) {
        standing = standing.with(Reason::CategoryNotCovered);
    }
    let wrote_at = match message.sender {
        Some(sender) => registers.wrote_to_at(sender),
        None => registers.last_message_at(),
    };
    Findings { consent: consent(registers, message, now), standing, wrote_at }
}

/// Whether any scope of the channel holds an opt-in, by act or by report.
fn has_opt_in(registers: &Registers, channel: Channel, now: Timestamp) -> bool {
    registers.on_channel(channel).any(|(_, register)| {
        register.opt_ins().any(|(_, mark)| mark.counts_at(now))
            || register.reports().any(|(_, claims)| claims.counting_yes().is_some())
    })
}

/// Decides from what was found.
pub fn decide(
    findings: &Findings,
    message: &Message,
    circumstances: &Circumstances<'_>,
) -> Decision {
    let settings = circumstances.settings;
    let consent = match findings.consent {
        Some(recorded) => recorded.at_least(settings.least_level(message.channel)),
        None => settings.default_consent(message.channel, message.category),
    };
    let outranking = Reasons::of(&[Reason::Suppressed, Reason::ProcessingRefused]);
    let lacking = lack_of(&consent, findings);
    let waived = lacking.and(waivable(&consent, findings, message, circumstances));
    let reasons = findings.standing.and(outranking).or(lacking.without(waived));
    let reasons = reasons.or(hindrances(findings, message, circumstances));
    let retry_at = circumstances.retry_at();
    Decision { reasons, waived, consent, retry_at }
}

/// What is missing for an opt-in. An open question hides nothing (rule 14): that the opt-in is for
/// something else stands beside it, since it is waived less often.
fn lack_of(consent: &Consent, findings: &Findings) -> Reasons {
    let elsewhere = Reasons::of(&[Reason::CategoryNotCovered]);
    let pending = Reasons::of(&[Reason::Pending]);
    match consent.status {
        Status::OptedIn => Reasons::NONE,
        Status::OptedOut => Reasons::of(&[Reason::OptedOut]),
        Status::UnderReview => Reasons::of(&[Reason::UnderReview]),
        Status::Expired => Reasons::of(&[Reason::Expired]),
        Status::Pending if consent.level.is_some() => pending,
        Status::Pending => pending.or(findings.standing.and(elsewhere)),
        Status::Never if findings.standing.and(elsewhere) == elsewhere => elsewhere,
        Status::Never => Reasons::of(&[Reason::NoOptIn]),
    }
}

/// What rule 26 lets pass.
fn waivable(
    consent: &Consent,
    findings: &Findings,
    message: &Message,
    circumstances: &Circumstances<'_>,
) -> Reasons {
    let no_opt_in = Reasons::of(&[Reason::NoOptIn, Reason::Pending, Reason::Expired]);
    let any_lack = no_opt_in.with(Reason::CategoryNotCovered);
    let despite_opt_out = any_lack.with(Reason::OptedOut);
    if message.is_owed(circumstances.now) {
        return despite_opt_out;
    }
    if let (Category::Service, Some(wrote_at)) =
        (message.category, active_since(findings, circumstances.now))
    {
        let refused_at =
            consent.basis.filter(|_| consent.status == Status::OptedOut).map(|mark| mark.at);
        return if refused_at.is_none_or(|refused_at| refused_at < wrote_at) {
            despite_opt_out
        } else {
            any_lack
        };
    }
    match circumstances.requirement {
        Requirement::OptIn => Reasons::NONE,
        Requirement::Waived(NotMarketing(())) => no_opt_in,
    }
}

/// The time of the person's last message, while it keeps them active (rule 18).
fn active_since(findings: &Findings, now: Timestamp) -> Option<Timestamp> {
    findings.wrote_at.filter(|wrote_at| Activity::of(Some(*wrote_at), now) == Activity::Active)
}

/// What stands in the way besides consent.
fn hindrances(
    findings: &Findings,
    message: &Message,
    circumstances: &Circumstances<'_>,
) -> Reasons {
    let now = circumstances.now;
    let free_form_on_whatsapp =
        message.channel == Channel::WhatsApp && message.content == Content::FreeForm;
    [
        (Reason::OutsideWindow, free_form_on_whatsapp && active_since(findings, now).is_none()),
        (Reason::SenderPaused, circumstances.sender != SenderState::Sending),
    ]
    .into_iter()
    .filter(|(_, holds)| *holds)
    .fold(circumstances.pacing().reasons(now), |set, (reason, _)| set.with(reason))
}
