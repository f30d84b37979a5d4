//! Where a person stands, as answers say it: towards a message, by what sources claim, and to processing at all.

use sayso_core::gate::decision::Circumstances;
use sayso_core::gate::decision::{Requirement, check};
use sayso_core::policy::settings::Settings;
use sayso_core::state::register::{Claims, Register};
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Message;
use sayso_core::words::source::Source;
use serde::Serialize;
use utoipa::ToSchema;

use super::words::{DecisionWord, ReasonWord};
use crate::body::texts::{LevelText, StatusText};

/// Where the person stands towards one permission.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ConsentView {
    /// Where the person stands.
    #[schema(value_type = StatusText, example = "opted_in")]
    pub(crate) status: &'static str,
    /// How well an opt-in is evidenced; absent unless there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LevelText>, example = "single")]
    pub(crate) level: Option<&'static str>,
    /// When that was said; absent where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    /// The event it rests on; absent where nothing was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) basis: Option<String>,
    /// `allow` or `deny`: what the gate says to a message that needs this permission.
    #[schema(value_type = DecisionWord, example = "allow")]
    pub(crate) decision: &'static str,
    /// Why not, the weightiest first.
    #[schema(value_type = Vec<ReasonWord>)]
    pub(crate) reasons: Vec<&'static str>,
}

/// What a source believes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Claim {
    /// How the claim came in: `tag`, `api`, `import`.
    #[schema(example = "tag")]
    road: &'static str,
    /// Which site, integration or list.
    source: String,
    /// `processing`, or the scope on the channel.
    #[schema(example = "all")]
    about: String,
    /// `yes` or `no`: what it said last, where a `no` counts while it is not older than the `yes`.
    #[schema(example = "yes")]
    says: &'static str,
    /// When it said so.
    at: String,
    /// The event.
    event: String,
}

/// Where the person with these registers stands towards a message.
pub(crate) fn standing(
    registers: &Registers,
    message: &Message,
    settings: &Settings,
    now: Timestamp,
) -> ConsentView {
    let circumstances = Circumstances::of_consent(settings, Requirement::OptIn, now);
    let decision = check(registers, message, &circumstances);
    let basis = decision.consent.basis;
    ConsentView {
        status: decision.consent.status.as_str(),
        level: decision.consent.level.map(sayso_core::words::statement::Level::as_str),
        since: basis.map(|mark| mark.at.to_string()),
        basis: basis.map(|mark| mark.event.to_string()),
        decision: if decision.is_allow() { "allow" } else { "deny" },
        reasons: decision.reasons.iter().map(sayso_core::gate::reason::Reason::as_str).collect(),
    }
}

/// Whether the person's data may be processed.
pub(crate) fn processing_word(registers: &Registers, now: Timestamp) -> &'static str {
    match registers.processing().standing_refusal(now) {
        Some(_) => "refused",
        None => "allowed",
    }
}

/// What sources believe, by register.
pub(crate) fn claims_of(about: String, register: &Register) -> impl Iterator<Item = Claim> {
    register.reports().filter_map(move |(source, claims)| Claim::of(source, &about, claims))
}

impl Claim {
    fn of(source: &Source, about: &str, claims: &Claims) -> Option<Self> {
        let no = claims.counting_no().map(|mark| ("no", mark));
        let (says, mark) = no.or(claims.counting_yes().map(|mark| ("yes", mark)))?;
        Some(Self {
            road: source.road.as_str(),
            source: source.name.to_string(),
            about: about.to_owned(),
            says,
            at: mark.at.to_string(),
            event: mark.event.to_string(),
        })
    }
}
