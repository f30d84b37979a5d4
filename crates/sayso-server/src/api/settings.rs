//! `/v1/settings`: what a workspace decided for itself. Every version stays, dated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use sayso_core::id::SenderId;
use sayso_core::limits;
use sayso_core::policy::pack::PackName;
use sayso_core::policy::settings::{ChannelDefault, Settings};
use sayso_core::words::channel::Channel;
use sayso_core::words::statement::Level;
use sayso_core::workspace::{Change, Workspace};
use sayso_store::configure::Plan;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::revisions::{
    Edit, Edited, IfMatchHeader, IfNoneMatch, IfNoneMatchHeader, Patch, Put, Shown, Tag, Tagged,
    Way, revise,
};
use crate::app::App;
use crate::body::texts::{LevelText, PackText, RegionText, SenderIdText, TimeText};
use crate::body::{Asked, Faults, Sent, json_object};
use crate::caller::{Caller, Configure, Read};
use crate::problem::{Code, Problem, ProblemBody};

use self::policies::{PolicyAnswer, PolicyRequest};
use pacing::{FrequencyCapAnswer, FrequencyCapRequest, QuietHoursAnswer, QuietHoursRequest};

mod pacing;
pub(crate) mod policies;
mod whole;

/// The words that acknowledge a default of opted in for marketing (rule 10).
const ACKNOWLEDGEMENT: &str = "people who said nothing will get marketing";

json_object! {
    /// All settings of the workspace. What is left out has its default: a `PUT` that would reset a setting so is
    /// refused, and `PATCH` leaves alone what it does not name.
    #[derive(ToSchema)]
    SettingsRequest {
        /// Where national phone numbers belong; without it only E.164 is understood.
        region: RegionText,
        /// Whether a send needs an opt-in where the caller does not say; `true` if absent.
        require_opt_in: bool,
        /// What holds for people who said nothing, by channel: `opted_out` (the default), `opted_in` (for messages that are not marketing), `opted_in_acknowledged` (for marketing too, except on SMS).
        #[schema(example = json!({"email": "opted_in"}))]
        defaults: BTreeMap<String, String>,
        /// The least level of opt-in that counts, by channel; below it the status is `pending`.
        #[schema(value_type = Option<BTreeMap<String, String>>, example = json!({"whatsapp": "confirmed"}))]
        least_levels: BTreeMap<String, LevelText>,
        /// Whether every opt-in must name its notice, reports included; `false` if absent.
        notice_required: bool,
        /// Whether it is noted who looks a person up; `false` if absent. `GET /v1/look-ups` lists it.
        audit_look_ups: bool,
        /// Refusals inferred from providers' errors, per sender and day, past which the rest of the day's are held together; 200 if absent, at most 100,000.
        #[schema(maximum = 100_000, example = 200)]
        inferred_refusals_per_day: u32,
        /// When people are left alone, by channel and by the clock where they are; never if absent.
        #[schema(value_type = Option<BTreeMap<String, QuietHoursRequest>>)]
        quiet_hours: BTreeMap<String, QuietHoursRequest>,
        /// How many messages of a category a person gets within some hours; at most 32 caps, none if absent.
        frequency_caps: Vec<FrequencyCapRequest>,
        /// Where opt-in may be collected, by channel. WhatsApp has `meta-2024-11` if absent, other channels none.
        #[schema(value_type = Option<BTreeMap<String, PolicyRequest>>)]
        policies: BTreeMap<String, PolicyRequest>,
        /// The countries whose packs apply: their hours hold marketing back, and the linter follows them. None if absent.
        #[schema(value_type = Option<Vec<String>>, example = json!(["us", "ca"]))]
        country_packs: Vec<PackText>,
        /// Who sends what names no sender, by channel: a living sender of it. Needed where a channel has several and requests name none.
        #[schema(value_type = Option<BTreeMap<String, String>>, example = json!({"sms": "snd_01jd6m9k3te5b8r5v3x5y6z7w8"}))]
        default_senders: BTreeMap<String, SenderIdText>,
        /// Needed for `opted_in_acknowledged` on a channel that does not have it yet: the words "people who said nothing will get marketing".
        acknowledgement: String,
    }
}

json_object! {
    /// Which settings are asked for.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    SettingsQuery {
        /// The settings in force then; now if absent.
        #[param(value_type = Option<String>, example = "2026-11-21T10:00:00Z")]
        as_of: TimeText,
    }
}

/// The settings in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingsAnswer {
    /// Where national phone numbers belong.
    region: Option<String>,
    /// Whether a send needs an opt-in where the caller does not say.
    require_opt_in: bool,
    /// What holds for people who said nothing, for every channel.
    defaults: BTreeMap<&'static str, &'static str>,
    /// The least level of opt-in that counts, for every channel.
    least_levels: BTreeMap<&'static str, &'static str>,
    /// Whether every opt-in must name its notice.
    notice_required: bool,
    /// Whether it is noted who looks a person up.
    audit_look_ups: bool,
    /// Refusals inferred from providers' errors, per sender and day, past which the rest are held together.
    inferred_refusals_per_day: u32,
    /// When people are left alone, for every channel with such hours.
    quiet_hours: BTreeMap<&'static str, QuietHoursAnswer>,
    /// How many messages of a category a person gets within some hours.
    frequency_caps: Vec<FrequencyCapAnswer>,
    /// Where opt-in may be collected, for every channel with a policy.
    policies: BTreeMap<&'static str, PolicyAnswer>,
    /// The countries whose packs apply.
    country_packs: Vec<&'static str>,
    /// Who sends what names no sender, for every channel with such a sender.
    default_senders: BTreeMap<&'static str, String>,
}

/// Reads the settings, now or as they were.
#[utoipa::path(
    get, path = "/v1/settings", tag = "Settings", operation_id = "get_settings",
    params(SettingsQuery, IfNoneMatchHeader),
    responses(
        (status = 200, description = "The settings in force.", body = SettingsAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 304, description = "They are as you have them."),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    caller: Caller<Read>,
    asked: Asked<SettingsQuery>,
    condition: IfNoneMatch,
) -> Result<Tagged<SettingsAnswer>, Problem> {
    let Asked { request, faults } = asked;
    let request = faults.settle(Some(request))?;
    let known = caller.workspace();
    let settings = match request.as_of {
        Some(TimeText(at)) => known.settings.at(at),
        None => latest(known),
    };
    Ok(answer(known, &settings).unless_known(&condition))
}

/// Replaces the settings, from now on. Questions about earlier times are answered with those of then.
///
/// Nothing is reset in silence: a setting that is not as by default and is left out is a fault. Send it as
/// it is to be, or change single settings with `PATCH`.
#[utoipa::path(
    put, path = "/v1/settings", tag = "Settings", operation_id = "put_settings",
    params(IfMatchHeader),
    request_body(content = SettingsRequest, description = "All settings."),
    responses(
        (status = 200, description = "The settings in force.", body = SettingsAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    Put(edit): Put,
) -> Result<Tagged<SettingsAnswer>, Problem> {
    change(&app, &caller, &edit).await
}

/// Changes the settings that are named, from now on. All others stay.
///
/// A JSON merge patch (RFC 7396): members that are absent stay, `null` gives a setting its default.
#[utoipa::path(
    patch, path = "/v1/settings", tag = "Settings", operation_id = "patch_settings",
    params(IfMatchHeader),
    request_body(content = SettingsRequest, content_type = "application/merge-patch+json", description = "The settings that are to be different."),
    responses(
        (status = 200, description = "The settings in force.", body = SettingsAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    Patch(edit): Patch,
) -> Result<Tagged<SettingsAnswer>, Problem> {
    change(&app, &caller, &edit).await
}

/// What answers show besides what a client sets.
const SHOWN: Shown = Shown { fixed: &[], told: &["policies.*.version"], comes_back: false };

async fn change(
    app: &App,
    caller: &Caller<Configure>,
    edit: &Edit,
) -> Result<Tagged<SettingsAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let before = latest(known);
        let edited = edit.read_as(&SettingsAnswer::of(&before), &SHOWN, whole::adapt)?;
        let Edited { mut sent, basis } = edited;
        if let Some(members) = edit.members().filter(|_| edit.way() == Way::Put) {
            whole::refuse_resets(members, &before, &mut sent.faults);
        }
        let settings = parse(sent, &before, known)?;
        edit.admit(&tag(known, &before), &basis, settings == before)?;
        Ok(Plan::Changes(Change::Settings(settings), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    // What the settings of before held back may go by these.
    for sender in workspace.senders.keys() {
        app.dispatch().wake(caller.workspace().id, *sender);
    }
    Ok(answer(&workspace, &latest(&workspace)))
}

/// The settings in force, whatever the clock says.
fn latest(known: &Workspace) -> Settings {
    known.settings.latest().cloned().unwrap_or_default()
}

fn tag(known: &Workspace, settings: &Settings) -> Tag {
    Tag::of(&known.secret, 0, &[Change::Settings(settings.clone())])
}

fn answer(known: &Workspace, settings: &Settings) -> Tagged<SettingsAnswer> {
    Tagged::new(tag(known, settings), SettingsAnswer::of(settings))
}

/// The settings that a request makes of those before. What is only shown (a level that follows from a policy,
/// the policy that a channel has anyway) is not taken for named.
fn parse(
    sent: Sent<SettingsRequest>,
    before: &Settings,
    known: &Workspace,
) -> Result<Settings, Problem> {
    let Sent { request, mut faults } = sent;
    let defaults =
        request.defaults.unwrap_or_default().into_iter().filter_map(|(channel, word)| {
            let pointer = format!("/defaults/{channel}");
            Some((
                parse_channel(&channel, &pointer, &mut faults)?,
                parse_default(&word, &pointer, &mut faults)?,
            ))
        });
    let mut defaults: BTreeMap<Channel, ChannelDefault> = defaults.collect();
    defaults.retain(|_, default| *default != ChannelDefault::OptedOut);
    let least_levels = request.least_levels.unwrap_or_default().into_iter().filter_map(
        |(channel, LevelText(level))| {
            let pointer = format!("/least_levels/{channel}");
            Some((parse_channel(&channel, &pointer, &mut faults)?, level))
        },
    );
    let mut least_levels: BTreeMap<Channel, Level> = least_levels.collect();
    least_levels.retain(|channel, level| {
        before.least_levels.contains_key(channel) || *level != before.least_level(*channel)
    });
    let acknowledged = request.acknowledgement.as_deref().map(str::trim) == Some(ACKNOWLEDGEMENT);
    let is_new = |(channel, default): (&Channel, &ChannelDefault)| {
        *default == ChannelDefault::OptedInAcknowledged
            && before.defaults.get(channel) != Some(default)
    };
    if defaults.iter().any(is_new) && !acknowledged {
        let fault = "must acknowledge what opted_in_acknowledged means";
        faults.note_with_example(
            "/acknowledgement",
            Code::AcknowledgementRequired,
            fault,
            ACKNOWLEDGEMENT,
        );
    }
    let inferred = request.inferred_refusals_per_day.unwrap_or(limits::INFERRED_REFUSALS_PER_DAY);
    if inferred > limits::INFERRED_REFUSALS_PER_DAY_MAX {
        let fault = format!("is more than {}", limits::INFERRED_REFUSALS_PER_DAY_MAX);
        let pointer = "/inferred_refusals_per_day";
        faults.note_with_example(pointer, Code::InvalidValue, fault, "200");
    }
    let named = request.default_senders.unwrap_or_default();
    let settings = Settings {
        region: request.region.map(|RegionText(region)| region),
        require_opt_in: request.require_opt_in.unwrap_or(true),
        defaults,
        least_levels,
        notice_required: request.notice_required.unwrap_or(false),
        audit_look_ups: request.audit_look_ups.unwrap_or(false),
        inferred_refusals_per_day: inferred,
        quiet_hours: pacing::quiet_hours(request.quiet_hours.unwrap_or_default(), &mut faults),
        frequency_caps: pacing::frequency_caps(
            request.frequency_caps.unwrap_or_default(),
            &mut faults,
        ),
        policies: policies::policies(
            request.policies.unwrap_or_default(),
            &before.policies,
            &mut faults,
        ),
        country_packs: packs(request.country_packs),
        default_senders: default_senders(named, before, known, &mut faults),
    };
    policies::check_levels(&settings, &mut faults);
    faults.settle(Some(settings))
}

/// The default senders: each lives on its channel, or was named before.
fn default_senders(
    named: BTreeMap<String, SenderIdText>,
    before: &Settings,
    known: &Workspace,
    faults: &mut Faults,
) -> BTreeMap<Channel, SenderId> {
    let read = named.into_iter().filter_map(|(channel, SenderIdText(id))| {
        let pointer = format!("/default_senders/{channel}");
        let channel = parse_channel(&channel, &pointer, faults)?;
        let is_known = before.default_senders.get(&channel) == Some(&id);
        if !is_known && !known.living_senders(channel).any(|living| living == id) {
            let fault = "is no living sender of this channel; GET /v1/senders lists them";
            faults.note(pointer, Code::UnknownSender, fault);
        }
        Some((channel, id))
    });
    read.collect()
}

fn packs(named: Option<Vec<PackText>>) -> BTreeSet<PackName> {
    named.unwrap_or_default().into_iter().map(|PackText(pack)| pack).collect()
}

fn parse_channel(text: &str, pointer: &str, faults: &mut Faults) -> Option<Channel> {
    Channel::parse(text)
        .map_err(|fault| faults.note_with_example(pointer, Code::UnknownChannel, fault, "sms"))
        .ok()
}

fn parse_default(text: &str, pointer: &str, faults: &mut Faults) -> Option<ChannelDefault> {
    match text {
        "opted_out" => Some(ChannelDefault::OptedOut),
        "opted_in" => Some(ChannelDefault::OptedIn),
        "opted_in_acknowledged" => Some(ChannelDefault::OptedInAcknowledged),
        _ => {
            let fault = "is none of opted_out, opted_in, opted_in_acknowledged";
            faults.note_with_example(pointer, Code::UnknownWord, fault, "opted_out");
            None
        }
    }
}

impl SettingsAnswer {
    fn of(settings: &Settings) -> Self {
        let default = |channel: &Channel| match settings.defaults.get(channel) {
            None | Some(ChannelDefault::OptedOut) => "opted_out",
            Some(ChannelDefault::OptedIn) => "opted_in",
            Some(ChannelDefault::OptedInAcknowledged) => "opted_in_acknowledged",
        };
        let channels = || Channel::ALL.iter();
        Self {
            region: settings.region.map(|region| region.to_string()),
            require_opt_in: settings.require_opt_in,
            defaults: channels().map(|channel| (channel.as_str(), default(channel))).collect(),
            least_levels: channels()
                .map(|channel| (channel.as_str(), settings.least_level(*channel).as_str()))
                .collect(),
            notice_required: settings.notice_required,
            audit_look_ups: settings.audit_look_ups,
            inferred_refusals_per_day: settings.inferred_refusals_per_day,
            quiet_hours: QuietHoursAnswer::all(&settings.quiet_hours),
            frequency_caps: settings.frequency_caps.iter().map(FrequencyCapAnswer::of).collect(),
            policies: PolicyAnswer::all(&settings.policies),
            country_packs: settings.country_packs.iter().map(|pack| pack.as_str()).collect(),
            default_senders: settings
                .default_senders
                .iter()
                .map(|(channel, sender)| (channel.as_str(), sender.to_string()))
                .collect(),
        }
    }
}
