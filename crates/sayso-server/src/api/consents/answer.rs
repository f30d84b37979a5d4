//! What a client hears about a recorded consent: the event, and where the person stands now.

use sayso_core::address::Address;
use sayso_core::policy::settings::Settings;
use sayso_core::state::capture::still_refused;
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Permission, Scope};
use sayso_core::words::doubt::Doubt;
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;
use sayso_plan::draft::{Draft, Subject};
use sayso_store::store::Recorded;
use serde::Serialize;
use utoipa::ToSchema;

use super::plan::Plan;
use crate::body::texts::{ChannelText, PermissionText};
use crate::observe::outcome_word;
use crate::views::consent::{ConsentView, processing_word, standing};

/// The stored event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EventAnswer {
    /// The id of the event.
    #[schema(example = "evt_01jd6m9k3te5b8r5v3x5y6z7w8")]
    pub(crate) id: String,
    /// `appended`; `retried` if the same request was recorded before (times are those of then); `repeated` if an undated report said nothing new and nothing was stored.
    #[schema(example = "appended")]
    pub(crate) outcome: &'static str,
    /// When it was said, as settled.
    #[schema(example = "2026-11-21T10:00:00.000000Z")]
    pub(crate) occurred_at: String,
    /// When we stored it.
    #[schema(example = "2026-11-21T10:00:01.000000Z")]
    pub(crate) recorded_at: String,
}

/// Why an opt-in was recorded as `pending`, and what to do about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DoubtAnswer {
    /// `unknown_sender` or `unknown_topic`: the workspace has none such, or has it no longer. `not_admitted`: the policy of the channel does not admit it.
    #[schema(example = "unknown_topic")]
    pub(crate) reason: &'static str,
    /// What to do.
    pub(crate) remedy: &'static str,
}

/// The answer to a recorded consent. It states the resulting status: once a refusal is answered so,
/// nothing that it refuses is sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ConsentAnswer {
    /// The event.
    pub(crate) event: EventAnswer,
    /// The number that was understood; absent unless a phone was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+14155550123")]
    pub(crate) phone: Option<String>,
    /// `messages` or `processing`.
    #[schema(value_type = PermissionText, example = "messages")]
    pub(crate) permission: &'static str,
    /// The channel; absent for processing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ChannelText>, example = "sms")]
    pub(crate) channel: Option<&'static str>,
    /// What the statement covers, which is `all` where a refusal named an unknown sender or topic; absent for processing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "all")]
    pub(crate) scope: Option<String>,
    /// Where the person stands now; for processing see `processing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consent: Option<ConsentView>,
    /// `allowed` or `refused`: the processing of the person's data.
    #[schema(example = "allowed")]
    pub(crate) processing: &'static str,
    /// What was in doubt in a refusal, and how it was read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) remarks: Vec<String>,
    /// Why an opt-in was recorded as `pending`, which grants nothing; absent where it was not in doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) doubt: Option<DoubtAnswer>,
    /// After an opt-in to `all`: the scopes that stay refused, because the person left them by themselves. Each needs an opt-in of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["category:marketing"]))]
    pub(crate) still_refused: Vec<String>,
}

impl DoubtAnswer {
    /// The answer to this doubt.
    pub(crate) const fn of(doubt: Doubt) -> Self {
        let remedy = match doubt {
            Doubt::UnknownSender => {
                "record the opt-in again with a sender of the channel; GET /v1/senders lists them"
            }
            Doubt::UnknownTopic => {
                "record the opt-in again with a topic of the workspace; GET /v1/topics lists them"
            }
            Doubt::Unproven => {
                "have the person answer through the address itself: a reply, or a link that was sent to it"
            }
            Doubt::NotAdmitted => {
                "ask for the opt-in in a way and at a level that the policy of the channel admits; GET /v1/settings shows it"
            }
        };
        Self { reason: doubt.as_str(), remedy }
    }
}

impl EventAnswer {
    /// What became of an event.
    pub(crate) fn of(recorded: &Recorded) -> Self {
        Self {
            id: recorded.id.to_string(),
            outcome: outcome_word(recorded.outcome),
            occurred_at: recorded.occurred_at.to_string(),
            recorded_at: recorded.recorded_at.to_string(),
        }
    }
}

/// What an opt-in to everything on a channel leaves refused (rule 8).
fn left_refused(fact: Fact, registers: &Registers, now: Timestamp) -> Vec<String> {
    let Some((
        Permission::Messages(channel, Scope::All),
        Statement::Single | Statement::Confirmed | Statement::Term(_),
    )) = fact.consent()
    else {
        return Vec::new();
    };
    let categories = still_refused(registers, channel, now);
    categories.map(|category| Scope::Category(category).to_string()).collect()
}

/// The number of the person that a draft is about.
fn understood(draft: &Draft) -> Option<String> {
    match &draft.subject {
        Subject::Address(Address::Phone(phone)) => Some(phone.to_string()),
        Subject::Address(Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_))
        | Subject::Hash(_)
        | Subject::Key(_) => None,
    }
}

impl ConsentAnswer {
    /// The answer to a plan that was recorded; `registers` are those after all of it.
    pub(crate) fn of(
        plan: &Plan,
        recorded: &Recorded,
        registers: &Registers,
        settings: &Settings,
        now: Timestamp,
    ) -> Self {
        let (permission, channel, scope) = match plan.permission {
            Permission::Messages(channel, scope) => {
                ("messages", Some(channel.as_str()), Some(scope.to_string()))
            }
            Permission::Processing => ("processing", None, None),
        };
        Self {
            event: EventAnswer::of(recorded),
            phone: plan.drafts.first().and_then(understood),
            permission,
            channel,
            scope,
            consent: channel.map(|_| standing(registers, &plan.message, settings, now)),
            processing: processing_word(registers, now),
            remarks: plan.remarks.clone(),
            doubt: plan.doubt.map(DoubtAnswer::of),
            still_refused: left_refused(recorded.fact, registers, now),
        }
    }
}
