//! How an event is shown: what was said, by whom, and what proves it.

use std::collections::BTreeMap;

use sayso_core::state::suppression::Switched;
use sayso_core::words::event::{Fact, Retracted};
use sayso_core::words::notice::NoticeRef;
use sayso_core::words::source::Evidence;
use sayso_core::words::statement::Statement;
use sayso_store::store::{HistoryEntry, Retraction};
use serde::Serialize;
use utoipa::ToSchema;

use super::address::ShownAddress;
use super::hex::hex;
use super::permission::about;

/// One event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Its id.
    #[schema(example = "evt_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// The address; absent if only a hash was known or the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<ShownAddress>,
    /// What kind of fact: `consent`, `suppression`, `activity`, `retraction`, `link`, `same_account`, `moved_from`, `attributes` or `erasure`.
    #[schema(example = "consent")]
    fact: &'static str,
    /// What it is about: `processing`, a channel with its scope, a sender, a profile or an event.
    #[schema(example = "sms")]
    about: String,
    /// What was said or done: a slot such as `opt_out` or `single`, a suppression, `set`, `cleared`.
    #[schema(example = "opt_out")]
    says: String,
    /// `act` or `report`; absent unless it is a consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<&'static str>,
    /// How it came in.
    #[schema(example = "api")]
    road: &'static str,
    /// Which site, integration or list.
    source: String,
    /// Who acted: `subject`, `operator`, `provider` or `system`.
    #[schema(example = "subject")]
    actor: &'static str,
    /// When it happened.
    occurred_at: String,
    /// When we stored it.
    recorded_at: String,
    /// Until when it counts; absent if it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    /// The import that brought it; absent if none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<String>,
    /// The event it follows from; absent if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<String>,
    /// The evidence; absent once the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidenceView>,
    /// Its leaf in the transparency log.
    leaf_hash: String,
    /// Whether a retraction leaves it out; with `as_of`, by what was known then.
    retracted: bool,
}

/// What proves an event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceView {
    /// How it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// The words that were shown: notice, version, language, and the SHA-256 of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<NoticeView>,
    /// The page it happened on.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// The IP address it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    /// The user agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    /// Further fields.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, String>,
}

/// Which words were shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoticeView {
    /// The notice.
    id: String,
    /// Its version.
    version: u32,
    /// The language shown.
    language: String,
    /// The SHA-256 of the text.
    text_sha256: String,
}

impl EventView {
    /// How an event of a history is shown.
    pub(crate) fn of(entry: &HistoryEntry) -> Self {
        let event = &entry.event;
        let (fact, about, says) = describe(event.fact);
        let statement = event.fact.consent().map(|(_, statement)| statement);
        Self {
            id: event.id.to_string(),
            address: entry.address.as_ref().map(ShownAddress::of),
            fact,
            about,
            says,
            standing: statement.map(|statement| statement.standing().as_str()),
            road: event.source.road.as_str(),
            source: event.source.name.to_string(),
            actor: event.actor.as_str(),
            occurred_at: event.occurred_at.to_string(),
            recorded_at: event.recorded_at.to_string(),
            ends_at: statement.and_then(Statement::ends_at).map(|end| end.to_string()),
            import: event.import.map(|import| import.to_string()),
            basis: event.basis.map(|basis| basis.to_string()),
            evidence: entry.evidence.as_ref().map(EvidenceView::of),
            leaf_hash: hex(&entry.leaf_hash),
            retracted: entry.retracted == Retraction::Retracted,
        }
    }
}

/// A fact in words: its kind, what it is about, what it says.
fn describe(fact: Fact) -> (&'static str, String, String) {
    let switched = |switched| match switched {
        Switched::On => "set",
        Switched::Off => "cleared",
    };
    match fact {
        Fact::Consent(permission, statement) => {
            ("consent", about(permission), statement.slot().to_string())
        }
        Fact::Suppression(suppression, cover, side) => {
            let parts = [
                cover.channel.map(|channel| channel.to_string()),
                cover.sender.map(|sender| sender.to_string()),
                cover.category.map(|category| category.to_string()),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            let about = if parts.is_empty() { "all".to_owned() } else { parts.join(" ") };
            ("suppression", about, format!("{suppression} {}", switched(side)))
        }
        Fact::Activity(sender) => ("activity", sender.to_string(), "wrote".to_owned()),
        Fact::Retraction(Retracted::Event(id)) => {
            ("retraction", id.to_string(), "left out".to_owned())
        }
        Fact::Retraction(Retracted::Import(id)) => {
            ("retraction", id.to_string(), "left out".to_owned())
        }
        Fact::Link(profile) => ("link", profile.to_string(), "linked".to_owned()),
        Fact::SameAccount(channel, _) => {
            let said = "named as one account with another address";
            ("same_account", channel.to_string(), said.to_owned())
        }
        Fact::MovedFrom(_) => {
            ("moved_from", "all".to_owned(), "in the place of another address".to_owned())
        }
        Fact::Attributes(profile) => ("attributes", profile.to_string(), "changed".to_owned()),
        Fact::Erasure => ("erasure", "all".to_owned(), "erased".to_owned()),
    }
}

impl NoticeView {
    /// How a reference to published words is shown.
    pub(crate) fn of(notice: &NoticeRef) -> Self {
        Self {
            id: notice.id.to_string(),
            version: notice.version,
            language: notice.language.to_string(),
            text_sha256: hex(&notice.text_sha256),
        }
    }
}

impl EvidenceView {
    fn of(evidence: &Evidence) -> Self {
        let text = |text: &Option<sayso_core::words::source::EvidenceText>| {
            text.as_ref().map(|text| text.as_str().to_owned())
        };
        let fields = evidence.fields.iter();
        Self {
            method: text(&evidence.method),
            notice: evidence.notice.as_ref().map(NoticeView::of),
            page: text(&evidence.page),
            ip: text(&evidence.ip),
            user_agent: text(&evidence.user_agent),
            fields: fields
                .map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()))
                .collect(),
        }
    }
}
