//! One row of an export: where a person stands, and the event that this rests on.

use std::collections::BTreeMap;

use sayso_core::address::Address;
use sayso_core::gate::decision::Circumstances;
use sayso_core::gate::decision::{Requirement, check};
use sayso_core::gate::reason::Reason;
use sayso_core::state::blocking::blocking;
use sayso_core::state::register::Mark;
use sayso_core::state::registers::Registers;
use sayso_core::state::status::Status;
use sayso_core::state::suppression::{Cover, Suppression, Switch};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_store::store::{HistoryEntry, KnownAddress, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use super::Export;
use crate::views::hex::hex;
use sayso_plan::judging::message_for;

/// One consent. Of `phone`, `email`, `external_id` and `channel_id` at most one is present; none
/// for people who are known by hash only, or were erased.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ExportRow {
    /// A telephone number in E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+14155550123")]
    pub(crate) phone: Option<String>,
    /// An email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// Your own id of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<String>,
    /// A channel's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel_id: Option<String>,
    /// What stands for the address in this workspace, and survives erasure.
    #[schema(example = "0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    pub(crate) address_key: String,
    /// `messages`, or `processing`: the processing of the person's data, of which only refusals are exported.
    #[schema(example = "messages")]
    pub(crate) permission: &'static str,
    /// The channel; absent for processing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sms")]
    pub(crate) channel: Option<&'static str>,
    /// What the consent covers; absent for processing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "all")]
    pub(crate) scope: Option<String>,
    /// Where the person stands towards this: `never`, `pending`, `opted_in`, `opted_out`, `under_review` or `expired`.
    #[schema(example = "opted_in")]
    pub(crate) status: &'static str,
    /// How well an opt-in is evidenced; absent unless there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "single")]
    pub(crate) level: Option<&'static str>,
    /// When that was said; absent where nothing was, or nobody knows when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-21T10:00:00.000000Z")]
    pub(crate) since: Option<String>,
    /// Why the gate denies such a message; empty if it may be sent.
    pub(crate) reasons: Vec<&'static str>,
    /// In the row of a block, which outranks consent: `complaint`, `erased`, `invalid`, `reassigned`, `operator` or `provider`. Its status is `opted_out`, as which an import reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "complaint")]
    pub(crate) suppression: Option<&'static str>,
    /// The event that the status rests on; absent where nothing was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) basis: Option<Basis>,
}

/// The event that a status rests on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Basis {
    /// The event.
    #[schema(example = "evt_01jd6m9k3te5b8r5v3x5y6z7w8")]
    pub(crate) event: String,
    /// `act`: the person did it. `report`: a source believes it.
    #[schema(example = "act")]
    pub(crate) standing: &'static str,
    /// The road it came by.
    #[schema(example = "form")]
    pub(crate) road: &'static str,
    /// The site, integration or list it came from.
    pub(crate) source: String,
    /// Who acted.
    #[schema(example = "subject")]
    pub(crate) actor: &'static str,
    /// When it was said; absent if nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) occurred_at: Option<String>,
    /// When it was recorded.
    pub(crate) recorded_at: String,
    /// How it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "checkbox")]
    pub(crate) method: Option<String>,
    /// The words that were shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) notice: Option<ExportedNotice>,
    /// The page it happened on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<String>,
    /// The IP address it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ip: Option<String>,
    /// The user agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_agent: Option<String>,
    /// Further fields of the evidence.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) fields: BTreeMap<String, String>,
}

/// Which words were shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportedNotice {
    /// The notice.
    #[schema(example = "ntc_01jd6m9k3te5b8r5v3x5y6z7w8")]
    pub(crate) id: String,
    /// Its version.
    #[schema(example = 1)]
    pub(crate) version: u32,
    /// The language shown.
    #[schema(example = "en")]
    pub(crate) language: String,
    /// The SHA-256 of the words, in hexadecimal digits.
    pub(crate) text_sha256: String,
}

/// The rows of one address: one for each scope of each channel of which something is known, one for each
/// block, and one for a refusal of processing.
pub(super) async fn rows_of(
    export: &Export,
    known: &KnownAddress,
) -> Result<Vec<ExportRow>, StoreError> {
    let registers = export.registers(known).await?;
    let mut found = Vec::new();
    for channel in &export.channels {
        let scopes = registers.on_channel(*channel).map(|(scope, _)| scope);
        found
            .extend(scopes.map(|scope| about_messages(export, known, &registers, *channel, scope)));
        found.extend(blocks(export, known, &registers, *channel));
    }
    let is_of_channels = export.channels.iter().any(|channel| {
        registers.on_channel(*channel).next().is_some() || reaches(known.address.as_ref(), *channel)
    });
    let refusal = registers.processing().standing_refusal(export.now);
    if let Some(refusal) = refusal.filter(|_| is_of_channels) {
        found.push((about_processing(known), Some(*refusal)));
    }
    let mut rows = Vec::new();
    for (row, basis) in found {
        if export.wants(&row) {
            rows.push(with_basis(export, known, row, basis).await?);
        }
    }
    Ok(rows)
}

/// What blocks an address on a channel that it may be reached on, whatever was said.
fn blocks(
    export: &Export,
    known: &KnownAddress,
    registers: &Registers,
    channel: Channel,
) -> Vec<(ExportRow, Option<Mark>)> {
    let is_of_channel = |cover: &Cover| cover.channel.is_none_or(|covered| covered == channel);
    let mut rows = Vec::new();
    for (suppression, cover, _) in registers.suppressions().iter() {
        let is_heard = registers.on_channel(channel).next().is_some()
            || reaches(known.address.as_ref(), channel);
        if !is_heard || !is_of_channel(&cover) {
            continue;
        }
        let category = cover.category.unwrap_or(Category::Marketing);
        let message = Message { sender: cover.sender, ..Message::ordinary(channel, category) };
        let standing = blocking(registers, &message, export.now);
        let mark = registers.suppressions().switch(suppression, cover).and_then(Switch::standing);
        let is_standing =
            |(kind, set): (Suppression, &Mark)| kind == suppression && Some(set) == mark;
        if !standing.into_iter().any(is_standing) {
            continue;
        }
        let scope = match (cover.sender, cover.category) {
            (Some(sender), _) => Scope::Sender(sender),
            (None, Some(category)) => Scope::Category(category),
            (None, None) => Scope::All,
        };
        let row = ExportRow {
            permission: "messages",
            channel: Some(channel.as_str()),
            scope: Some(scope.to_string()),
            status: Status::OptedOut.as_str(),
            reasons: vec![Reason::Suppressed.as_str()],
            suppression: Some(suppression.as_str()),
            ..ExportRow::at(known)
        };
        rows.push((row, mark.copied()));
    }
    rows
}

/// Whether an address could be reached on a channel, as far as its kind tells.
const fn reaches(address: Option<&Address>, channel: Channel) -> bool {
    match (address, channel) {
        (Some(Address::Phone(_)), Channel::Email) => false,
        (Some(Address::Email(_)), _) => matches!(channel, Channel::Email),
        (Some(Address::Phone(_) | Address::ChannelId(_) | Address::ExternalId(_)) | None, _) => {
            true
        }
    }
}

/// The row for one scope, and what it rests on.
fn about_messages(
    export: &Export,
    known: &KnownAddress,
    registers: &Registers,
    channel: Channel,
    scope: Scope,
) -> (ExportRow, Option<Mark>) {
    let message = message_for(Permission::Messages(channel, scope), &export.workspace);
    let circumstances = Circumstances::of_consent(&export.settings, Requirement::OptIn, export.now);
    let decision = check(registers, &message, &circumstances);
    let row = ExportRow {
        permission: "messages",
        channel: Some(channel.as_str()),
        scope: Some(scope.to_string()),
        status: decision.consent.status.as_str(),
        level: decision.consent.level.map(sayso_core::words::statement::Level::as_str),
        since: decision.consent.basis.and_then(|mark| shown(mark.at)),
        reasons: decision.reasons.iter().map(Reason::as_str).collect(),
        ..ExportRow::at(known)
    };
    (row, decision.consent.basis)
}

fn about_processing(known: &KnownAddress) -> ExportRow {
    ExportRow {
        permission: "processing",
        status: Status::OptedOut.as_str(),
        reasons: vec![Reason::ProcessingRefused.as_str()],
        ..ExportRow::at(known)
    }
}

async fn with_basis(
    export: &Export,
    known: &KnownAddress,
    row: ExportRow,
    mark: Option<Mark>,
) -> Result<ExportRow, StoreError> {
    let Some(mark) = mark else { return Ok(row) };
    let entry = export.store.find_event(export.workspace.id, known.key, mark.event).await?;
    let since = row.since.or_else(|| shown(mark.at));
    Ok(ExportRow { since, basis: entry.map(Basis::of), ..row })
}

/// A time, unless it stands for "nobody knows when".
fn shown(at: Timestamp) -> Option<String> {
    (at != Timestamp::DISTANT_PAST).then(|| at.to_string())
}

impl ExportRow {
    fn at(known: &KnownAddress) -> Self {
        let row = Self { address_key: known.key.to_string(), ..Self::default() };
        match &known.address {
            None => row,
            Some(Address::Phone(phone)) => Self { phone: Some(phone.to_string()), ..row },
            Some(Address::Email(email)) => Self { email: Some(email.as_str().to_owned()), ..row },
            Some(Address::ExternalId(id)) => {
                Self { external_id: Some(id.as_str().to_owned()), ..row }
            }
            Some(Address::ChannelId(id)) => {
                Self { channel_id: Some(id.as_str().to_owned()), ..row }
            }
        }
    }
}

impl Basis {
    /// What an event tells.
    pub(crate) fn of(entry: HistoryEntry) -> Self {
        let HistoryEntry { event, evidence, .. } = entry;
        let evidence = evidence.unwrap_or_default();
        let text = |text: sayso_core::words::source::EvidenceText| text.as_str().to_owned();
        let standing = event.fact.consent().map_or("act", |(_, it)| it.standing().as_str());
        Self {
            event: event.id.to_string(),
            standing,
            road: event.source.road.as_str(),
            source: event.source.name.to_string(),
            actor: event.actor.as_str(),
            occurred_at: shown(event.occurred_at),
            recorded_at: event.recorded_at.to_string(),
            method: evidence.method.map(text),
            notice: evidence.notice.map(|notice| ExportedNotice {
                id: notice.id.to_string(),
                version: notice.version,
                language: notice.language.to_string(),
                text_sha256: hex(&notice.text_sha256),
            }),
            page: evidence.page.map(text),
            ip: evidence.ip.map(text),
            user_agent: evidence.user_agent.map(text),
            fields: evidence
                .fields
                .into_iter()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
        }
    }
}
