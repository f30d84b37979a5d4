//! `/v1/policies`: the policies and country packs that come with Sayso, and the linter.
//!
//! Which of them a workspace follows is in its settings.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::limits;
use sayso_core::policy::offer::{Offer, lint};
use sayso_core::policy::pack::PackName;
use sayso_core::policy::settings::Settings;
use sayso_core::words::channel::{Category, Channel};
use sayso_core::words::statement::Level;
use sayso_core::workspace::Workspace;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::body::texts::{
    CategoryText, ChannelText, FlawText, LevelText, PackText, ShownText, WayText,
};
use crate::body::{Sent, json_object};
use crate::caller::{Caller, Read};
use crate::problem::{Code, Problem};

pub(crate) use self::view::{FindingAnswer, PoliciesAnswer};

pub(crate) mod offered;
mod view;

json_object! {
    /// What people see where they may say yes.
    #[derive(ToSchema)]
    OfferRequest {
        /// The channels that the yes is for. Required.
        #[schema(value_type = Option<Vec<String>>, example = json!(["whatsapp"]))]
        channels: Vec<ChannelText>,
        /// How the yes is collected; without it the ways of the policies are not looked at.
        way: WayText,
        /// What the messages are for, of several the one that needs most consent; `marketing` if absent.
        category: CategoryText,
        /// The level that the opt-in reaches: `confirmed` with double opt-in; `single` if absent.
        level: LevelText,
        /// All words that the person reads before they answer, at most 16,384 bytes. What they name is found in them.
        #[schema(example = "Yes, Ada's Shop may send me offers on WhatsApp. I can stop at any time by replying STOP.")]
        text: String,
        /// How the business calls itself there; the names of the workspace and of its senders are known.
        #[schema(example = json!(["Ada's Shop"]))]
        names: Vec<String>,
        /// What it shows besides, or says in other words.
        #[schema(value_type = Option<Vec<String>>, example = json!(["mark", "number_editable"]))]
        shows: Vec<ShownText>,
        /// What it does wrong, as far as it is known.
        #[schema(value_type = Option<Vec<String>>, example = json!(["pre_ticked"]))]
        flaws: Vec<FlawText>,
        /// The country packs to hold it against; those of the settings if absent.
        #[schema(value_type = Option<Vec<String>>, example = json!(["us", "ca"]))]
        country_packs: Vec<PackText>,
    }
}

/// What an offer lacks or does wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LintAnswer {
    /// How many findings are errors.
    errors: usize,
    /// The findings, the worst first.
    findings: Vec<FindingAnswer>,
}

/// Lists the policies and country packs that come with Sayso: what each demands, where that comes from, and
/// when it was looked at.
#[utoipa::path(
    get, path = "/v1/policies", tag = "Policies", operation_id = "list_policies",
    responses((status = 200, description = "All of them.", body = PoliciesAnswer)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn list(_: Caller<Read>) -> Json<PoliciesAnswer> {
    Json(PoliciesAnswer::all())
}

/// Says what a form, an entry page, a question or a notice lacks, by the policies of its channels and by
/// country packs. Nothing is kept. A finding is a thing to look at, and no advice on law.
#[utoipa::path(
    post, path = "/v1/policies/lint", tag = "Policies", operation_id = "lint_offer",
    request_body(content = OfferRequest, description = "What people see."),
    responses((status = 200, description = "What it lacks or does wrong.", body = LintAnswer)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn lint_offer(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    sent: Sent<OfferRequest>,
) -> Result<Json<LintAnswer>, Problem> {
    let settings = caller.workspace().settings.at(app.now());
    let (offer, packs) = parse(sent, caller.workspace(), &settings)?;
    let findings = lint(&offer, &settings.policies, packs);
    let findings: Vec<FindingAnswer> = findings.iter().map(FindingAnswer::of).collect();
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    Ok(Json(LintAnswer { errors, findings }))
}

fn parse(
    sent: Sent<OfferRequest>,
    workspace: &Workspace,
    settings: &Settings,
) -> Result<(Offer, BTreeSet<PackName>), Problem> {
    let Sent { request, mut faults } = sent;
    let channels = faults.require("/channels", request.channels, "[\"whatsapp\"]");
    let channels: Option<BTreeSet<Channel>> =
        channels.map(|named| named.into_iter().map(|ChannelText(channel)| channel).collect());
    if channels.as_ref().is_some_and(BTreeSet::is_empty) && !faults.is_wrong_at(&["/channels"]) {
        let example = "[\"whatsapp\"]";
        faults.note_with_example("/channels", Code::InvalidValue, "names no channel", example);
    }
    let text = request.text.unwrap_or_default();
    if text.len() > limits::NOTICE_TEXT_BYTES_MAX {
        let fault = format!("is longer than {} bytes", limits::NOTICE_TEXT_BYTES_MAX);
        faults.note("/text", Code::InvalidValue, fault);
    }
    let names = request.names.unwrap_or_default();
    if names.len() > limits::OWN_NAMES_MAX {
        let fault = format!("has more than {} names", limits::OWN_NAMES_MAX);
        faults.note("/names", Code::InvalidValue, fault);
    }
    let channels = faults.settle(channels)?;
    let category = request.category.map_or(Category::Marketing, |CategoryText(it)| it);
    let mut offer = Offer::new(channels, category);
    read_words(&mut offer, &text, names.iter().map(String::as_str), workspace);
    offer.way = request.way.map(|WayText(way)| way);
    offer.level = request.level.map_or(Level::Single, |LevelText(level)| level);
    offer.shows.extend(request.shows.into_iter().flatten().map(|ShownText(shown)| shown));
    offer.flaws.extend(request.flaws.into_iter().flatten().map(|FlawText(flaw)| flaw));
    let packs = request.country_packs.map_or_else(
        || settings.country_packs.clone(),
        |named| named.into_iter().map(|PackText(pack)| pack).collect(),
    );
    Ok((offer, packs))
}

/// Takes in what words show, by what the workspace calls itself, its senders and its topics.
fn read_words<'a>(
    offer: &mut Offer,
    words: &str,
    names: impl Iterator<Item = &'a str>,
    workspace: &'a Workspace,
) {
    let senders = workspace.senders.values().filter(|sender| sender.deleted_at.is_none());
    let own = senders.map(|sender| sender.name.as_ref()).chain([workspace.name.as_ref()]);
    let topics = workspace.topics.values().filter(|topic| topic.deleted_at.is_none());
    let names: Vec<&str> = own.chain(names).collect();
    offer.read(words, names, topics.map(|topic| topic.name.as_ref()));
}
