//! A person as answers show them: every address, and where it stands on every channel.

use std::collections::BTreeMap;

use sayso_core::address::{Address, AddressKind};
use sayso_core::id::EventId;
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::state::activity::Activity;
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message, Scope};
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Subject;
use sayso_store::store::{HistoryQuery, Moment, Profile};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;
use crate::views::address::ShownAddress;
use crate::views::consent::{Claim, claims_of};
use crate::views::consent::{ConsentView, processing_word, standing};

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
pub(crate) struct ProfileView {
    /// The id; `null` where the address belongs to no profile.
    #[schema(example = "pro_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: Option<String>,
    /// `allowed` or `refused`: the processing of the person's data, by any of their addresses.
    #[schema(example = "allowed")]
    processing: &'static str,
    /// Whether attributes may be collected: false once processing is refused.
    collect: bool,
    /// The attributes, by name.
    attributes: BTreeMap<String, Value>,
    /// The addresses.
    addresses: Vec<AddressView>,
}

/// One address of a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddressView {
    /// The address.
    address: ShownAddress,
    /// Every channel that reaches it, and every other on which something was recorded.
    channels: Vec<ChannelView>,
    /// What blocks it.
    suppressions: Vec<SuppressionView>,
    /// When the person last wrote from it, by sender.
    activity: Vec<ActivityView>,
}

/// Where an address stands on a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelView {
    /// The channel.
    #[schema(example = "sms")]
    channel: &'static str,
    /// Where the person stands towards marketing of no particular sender and topic.
    consent: ConsentView,
    /// How the statement that this rests on came in; absent where nothing was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceView>,
    /// Where the person stands within each scope that was spoken of.
    scopes: Vec<ScopeView>,
    /// What sources believe. A claim may be without effect: an act outweighs it.
    claims: Vec<Claim>,
}

/// How a statement came in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SourceView {
    /// The road: `api`, `tag`, `form`, `import`.
    #[schema(example = "api")]
    road: &'static str,
    /// Which site, integration or list.
    name: String,
}

/// Where an address stands within a scope.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScopeView {
    /// The scope.
    #[schema(example = "category:marketing")]
    scope: String,
    /// Where the person stands.
    consent: ConsentView,
}

/// A block.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SuppressionView {
    /// Its kind: `complaint`, `erased`, `invalid`, `reassigned`, `operator` or `provider`.
    #[schema(example = "operator")]
    kind: &'static str,
    /// The channel; absent if all.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    /// The sender; absent if all.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// The category; absent if all.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'static str>,
    /// Since when.
    since: String,
}

/// When the person last wrote to a sender.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityView {
    /// The sender.
    sender: String,
    /// `active` within 24 hours of the person's last message, else `inactive`.
    #[schema(example = "inactive")]
    state: &'static str,
    /// When the person last wrote.
    wrote_at: String,
}

/// What a view is made with.
struct Looking<'a> {
    workspace: &'a Workspace,
    settings: Settings,
    at: Timestamp,
}

/// A profile, as it stands at a moment.
pub(crate) async fn view(
    app: &App,
    workspace: &Workspace,
    profile: Profile,
    moment: Moment,
) -> Result<ProfileView, Problem> {
    let looking = Looking::at(app, workspace, moment);
    let mut addresses = Vec::new();
    let mut refused = false;
    for address in profile.addresses {
        let (view, processing) = looking.address(app, address, moment).await?;
        refused |= processing == "refused";
        addresses.push(view);
    }
    let attributes = profile.attributes.iter().map(|(name, value)| {
        (name.as_str().to_owned(), serde_json::from_str(value).unwrap_or(Value::Null))
    });
    Ok(ProfileView {
        id: Some(profile.id.to_string()),
        processing: if refused { "refused" } else { "allowed" },
        collect: !refused,
        attributes: attributes.collect(),
        addresses,
    })
}

/// An address without a profile, as it stands at a moment.
pub(crate) async fn view_address(
    app: &App,
    workspace: &Workspace,
    address: Address,
    moment: Moment,
) -> Result<ProfileView, Problem> {
    let looking = Looking::at(app, workspace, moment);
    let (address, processing) = looking.address(app, address, moment).await?;
    Ok(ProfileView {
        id: None,
        processing,
        collect: processing == "allowed",
        attributes: BTreeMap::new(),
        addresses: vec![address],
    })
}

impl<'a> Looking<'a> {
    fn at(app: &App, workspace: &'a Workspace, moment: Moment) -> Self {
        let at = moment.time(app.now());
        Self { workspace, settings: workspace.settings.at(at), at }
    }

    async fn address(
        &self,
        app: &App,
        address: Address,
        moment: Moment,
    ) -> Result<(AddressView, &'static str), Problem> {
        let workspace = self.workspace.id;
        let (shown, kind) = (ShownAddress::of(&address), address.kind());
        let subject = Subject::Address(address);
        let registers = app.store().registers(workspace, &subject, moment).await?;
        let newest = HistoryQuery { moment, ..HistoryQuery::newest(limits::PAGE_ITEMS_MAX) };
        let history = app.store().history(workspace, &subject, &newest).await?;
        let sources = history.entries.iter().map(|entry| {
            let source = &entry.event.source;
            (
                entry.event.id,
                SourceView { road: source.road.as_str(), name: source.name.to_string() },
            )
        });
        let sources: BTreeMap<EventId, SourceView> = sources.collect();
        let view = AddressView {
            address: shown,
            channels: self.channels(&registers, kind, &sources),
            suppressions: suppressions(&registers),
            activity: self.activity(&registers),
        };
        Ok((view, processing_word(&registers, self.at)))
    }

    fn channels(
        &self,
        registers: &Registers,
        kind: AddressKind,
        sources: &BTreeMap<EventId, SourceView>,
    ) -> Vec<ChannelView> {
        let recorded = registers.channels();
        let shown = Channel::ALL.iter().copied();
        let shown =
            shown.filter(|channel| AddressKind::on(*channel) == kind || recorded.contains(channel));
        shown.map(|channel| self.channel(registers, channel, sources)).collect()
    }

    fn channel(
        &self,
        registers: &Registers,
        channel: Channel,
        sources: &BTreeMap<EventId, SourceView>,
    ) -> ChannelView {
        let consent = self.standing(registers, channel, Scope::All);
        let basis = consent.basis.as_deref().and_then(|basis| EventId::parse(basis).ok());
        let scopes = registers.on_channel(channel).map(|(scope, _)| ScopeView {
            scope: scope.to_string(),
            consent: self.standing(registers, channel, scope),
        });
        let claims = registers.on_channel(channel).flat_map(|(scope, register)| {
            claims_of(scope.to_string(), register).collect::<Vec<_>>()
        });
        ChannelView {
            channel: channel.as_str(),
            source: basis.and_then(|basis| sources.get(&basis).cloned()),
            scopes: scopes.collect(),
            claims: claims.collect(),
            consent,
        }
    }

    fn standing(&self, registers: &Registers, channel: Channel, scope: Scope) -> ConsentView {
        let marketing = Message::ordinary(channel, Category::Marketing);
        let message = match scope {
            Scope::All => marketing,
            Scope::Sender(sender) => Message { sender: Some(sender), ..marketing },
            Scope::Category(category) => Message::ordinary(channel, category),
            Scope::Topic(id) => {
                let topic = self.workspace.topics.get(&id);
                let category = topic.map_or(Category::Marketing, |topic| topic.category);
                Message { topic: Some(id), ..Message::ordinary(channel, category) }
            }
        };
        standing(registers, &message, &self.settings, self.at)
    }

    fn activity(&self, registers: &Registers) -> Vec<ActivityView> {
        let senders = self.workspace.senders.keys();
        let wrote = senders.filter_map(|sender| Some((sender, registers.wrote_to_at(*sender)?)));
        let views = wrote.map(|(sender, wrote_at)| ActivityView {
            sender: sender.to_string(),
            state: Activity::of(Some(wrote_at), self.at).as_str(),
            wrote_at: wrote_at.to_string(),
        });
        views.collect()
    }
}

fn suppressions(registers: &Registers) -> Vec<SuppressionView> {
    let standing = registers.suppressions().iter();
    let standing =
        standing.filter_map(|(kind, cover, switch)| Some((kind, cover, switch.standing()?)));
    let views = standing.map(|(kind, cover, mark)| SuppressionView {
        kind: kind.as_str(),
        channel: cover.channel.map(Channel::as_str),
        sender: cover.sender.map(|sender| sender.to_string()),
        category: cover.category.map(Category::as_str),
        since: mark.at.to_string(),
    });
    views.collect()
}
