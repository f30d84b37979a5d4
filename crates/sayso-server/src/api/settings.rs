//! `/v1/settings`: what a workspace decided for itself. Every version stays, dated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::channel::Channel;
use sayso_core::limits;
use sayso_core::pack::PackName;
use sayso_core::settings::{ChannelDefault, Settings};
use sayso_core::statement::Level;
use sayso_store::configuration::Change;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::body::texts::{LevelText, PackText, RegionText, TimeText};
use crate::body::{Asked, Faults, Sent, json_object};
use crate::caller::{Caller, Configure, Read};
use crate::problem::{Code, Problem};

use self::policies::{PolicyAnswer, PolicyRequest};
use pacing::{FrequencyCapAnswer, FrequencyCapRequest, QuietHoursAnswer, QuietHoursRequest};

mod pacing;
pub(crate) mod policies;

/// The words that acknowledge a default of opted in for marketing (rule 10).
const ACKNOWLEDGEMENT: &str = "people who said nothing will get marketing";

json_object! {
    /// All settings of the workspace; what is left out takes its default.
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
        /// Needed for `opted_in_acknowledged`: the words "people who said nothing will get marketing".
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
}

/// Reads the settings, now or as they were.
#[utoipa::path(
    get, path = "/v1/settings", tag = "Settings", operation_id = "get_settings",
    params(SettingsQuery),
    responses((status = 200, description = "The settings in force.", body = SettingsAnswer)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    asked: Asked<SettingsQuery>,
) -> Result<Json<SettingsAnswer>, Problem> {
    let Asked { request, faults } = asked;
    let at = request.as_of.map_or_else(|| app.now(), |TimeText(at)| at);
    let at = faults.settle(Some(at))?;
    Ok(Json(SettingsAnswer::of(&caller.configuration().settings.at(at))))
}

/// Replaces the settings, from now on. Questions about earlier times are answered with those of then.
#[utoipa::path(
    put, path = "/v1/settings", tag = "Settings", operation_id = "put_settings",
    request_body(content = SettingsRequest, description = "All settings."),
    responses((status = 200, description = "The settings in force.", body = SettingsAnswer)),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    sent: Sent<SettingsRequest>,
) -> Result<Json<SettingsAnswer>, Problem> {
    let settings = parse(sent)?;
    let answer = SettingsAnswer::of(&settings);
    app.store().configure(caller.workspace(), Change::Settings(settings)).await?;
    // What the settings of before held back may go by these.
    for sender in caller.configuration().senders.keys() {
        app.dispatch().wake(caller.workspace(), *sender);
    }
    Ok(Json(answer))
}

fn parse(sent: Sent<SettingsRequest>) -> Result<Settings, Problem> {
    let Sent { request, mut faults } = sent;
    let defaults =
        request.defaults.unwrap_or_default().into_iter().filter_map(|(channel, word)| {
            let pointer = format!("/defaults/{channel}");
            Some((
                parse_channel(&channel, &pointer, &mut faults)?,
                parse_default(&word, &pointer, &mut faults)?,
            ))
        });
    let defaults: BTreeMap<Channel, ChannelDefault> = defaults.collect();
    let least_levels = request.least_levels.unwrap_or_default().into_iter().filter_map(
        |(channel, LevelText(level))| {
            let pointer = format!("/least_levels/{channel}");
            Some((parse_channel(&channel, &pointer, &mut faults)?, level))
        },
    );
    let least_levels: BTreeMap<Channel, Level> = least_levels.collect();
    let acknowledged = request.acknowledgement.as_deref().map(str::trim) == Some(ACKNOWLEDGEMENT);
    if defaults.values().any(|default| *default == ChannelDefault::OptedInAcknowledged)
        && !acknowledged
    {
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
        policies: policies::policies(request.policies.unwrap_or_default(), &mut faults),
        country_packs: packs(request.country_packs),
    };
    policies::check_levels(&settings, &mut faults);
    faults.settle(Some(settings))
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
        }
    }
}
