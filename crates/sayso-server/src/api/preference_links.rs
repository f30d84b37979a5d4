//! `/v1/preference-links`: the links of one person, to put into a message that others send.
//!
//! They are handed to a key, which need not be the person: so they may refuse, and ask for a fresh link to be
//! sent to the address itself, and no more (rule 22). Making them is a look-up of the person.

use sayso_core::address::AddressKind;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use sayso_core::address::Address;
use sayso_core::proof::personal_link::{LinkPurpose, Making};
use sayso_core::words::channel::{Category, Channel, Message};
use sayso_core::words::day::Day;
use sayso_plan::draft::Subject;
use sayso_store::look_up::LookedUp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, Peer};
use crate::body::address::{Care, Place, Reading, addressed_object};
use crate::body::texts::{CategoryText, ChannelText, RegionText, SenderIdText, TopicIdText};
use crate::body::{Faults, Sent};
use crate::caller::{Caller, Links};
use crate::looking::LookingUp;
use crate::personal_links::{link_in, url};
use crate::problem::{Code, Problem, ProblemBody};

addressed_object! {
    /// Whose links are to be made, and what they leave.
    #[derive(ToSchema)]
    PreferenceLinksRequest {
        /// Where a national phone number belongs; without it the workspace's region.
        region: RegionText,
        /// The channel of the message that the links stand in. Required.
        channel: ChannelText,
        /// Who sends that message; the person sees its name.
        sender: SenderIdText,
        /// What that message is about. One click leaves marketing, and this topic where it is none.
        topic: TopicIdText,
        /// What that message is for, where it has no topic; `marketing` if absent. One click leaves marketing, and this as well.
        category: CategoryText,
    }
}

/// The links of one person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreferenceLinks {
    /// To the preference centre, where the person sees what they get and refuses what they want. To do more
    /// there, they have a fresh link sent to the address itself, with one click.
    #[schema(example = "https://consent.example/p/AQABAQEBAQEB")]
    preferences: String,
    /// To unsubscribe with one click: for `List-Unsubscribe`, or for a text.
    #[schema(example = "https://consent.example/u/AQABAQEBAQEB")]
    one_click: String,
}

/// Makes the links that one person leaves by.
///
/// They hold no address, work for years and as often as they are used, and need no login. Nothing is
/// stored, so a person may be given new ones at any time. Send them to that address alone. They may refuse
/// and no more, and what is refused by them names your key. To let people agree, download and erase, send
/// the message with Sayso and write `{preferences_url}` in its text: that link goes through the address
/// itself. Making links counts as looking the person up.
#[utoipa::path(
    post, path = "/v1/preference-links", tag = "Preferences", operation_id = "make_preference_links",
    request_body(content = PreferenceLinksRequest, description = "Whose links, and what they leave."),
    responses(
        (status = 201, description = "The links.", body = PreferenceLinks),
        (status = 422, description = "The channel reaches no address of this kind, or the workspace has no such sender or topic.", body = ProblemBody),
        (status = 409, description = "The workspace is live, and `server.public_url` is not set.", body = ProblemBody),
    ),
    security(("api_key" = ["links"])),
)]
pub(crate) async fn make(
    State(app): State<Arc<App>>,
    caller: Caller<Links>,
    looking: LookingUp,
    parts: Parts,
    sent: Sent<PreferenceLinksRequest>,
) -> Result<(StatusCode, Json<PreferenceLinks>), Problem> {
    let workspace = caller.workspace();
    let (message, address) = whose(sent, &app, &caller)?;
    let peer = parts.extensions.get::<Peer>().copied();
    let base = app.link_base(workspace, peer, &parts)?;
    let key = address.key(&workspace.secret);
    looking.note(&app, &caller, vec![LookedUp::Address(key)]).await?;
    let handed = Making::Handed(caller.key_id(), Day::of(app.now()));
    let link =
        |purpose| url(&base, workspace, &link_in(workspace, (&message, key), purpose, handed));
    let links = PreferenceLinks {
        preferences: link(LinkPurpose::Preferences),
        one_click: link(LinkPurpose::OneClick),
    };
    Ok((StatusCode::CREATED, Json(links)))
}

/// The message that the links stand in, and to whom it goes.
fn whose(
    sent: Sent<PreferenceLinksRequest>,
    app: &App,
    caller: &Caller<Links>,
) -> Result<(Message, Address), Problem> {
    let Sent { mut request, mut faults } = sent;
    let workspace = caller.workspace();
    let region = request.region.take().map(|RegionText(region)| region);
    let region = region.or(workspace.settings.at(app.now()).region);
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
    let channel = request.channel.take().map(|ChannelText(channel)| channel);
    let channel = faults.require("/channel", channel, "sms");
    let sender = request.sender.take().map(|SenderIdText(id)| id);
    if let (Some(sender), Some(channel)) = (sender, channel)
        && !workspace.living_senders(channel).any(|living| living == sender)
    {
        faults.note("/sender", Code::UnknownSender, "is no living sender of the channel");
    }
    let topic = request.topic.take().map(|TopicIdText(id)| id);
    let category = match topic.map(|id| workspace.topics.get(&id)) {
        None => request.category.take().map(|CategoryText(category)| category),
        Some(Some(topic)) if topic.deleted_at.is_none() => Some(topic.category),
        Some(_) => {
            faults.note("/topic", Code::UnknownTopic, "is no living topic of the workspace");
            None
        }
    };
    let subject = request.take_address().settle(&reading, &mut faults);
    let address = subject.zip(channel).and_then(|(subject, on)| reached(subject, on, &mut faults));
    let (address, channel) = faults.settle(address.zip(channel))?;
    let ordinary = Message::ordinary(channel, category.unwrap_or(Category::Marketing));
    Ok((Message { sender, topic, ..ordinary }, address))
}

/// The address, if the channel reaches it.
fn reached(subject: Subject, channel: Channel, faults: &mut Faults) -> Option<Address> {
    let kind = AddressKind::on(channel);
    match subject {
        Subject::Address(address) if address.kind() == kind => Some(address),
        Subject::Address(_) | Subject::Hash(_) | Subject::Key(_) => {
            let fault = format!("reaches no other address than one of the kind {kind}");
            faults.note("/channel", Code::InvalidValue, fault);
            None
        }
    }
}
