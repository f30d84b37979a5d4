//! `/v1/profiles`: a person with their addresses, attributes, and where they stand on each channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::address::Address;
use sayso_core::gate::zone::Zone;
use sayso_core::id::ProfileId;
use sayso_core::limits;
use sayso_core::words::source::{Actor, EvidenceText};
use sayso_plan::draft::Subject;
use sayso_store::look_up::LookedUp;
use sayso_store::store::{Moment, Profile, ProfileDraft, Upserted};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::api::check::moment;
use crate::api::events::retracted;
use crate::api::page::InPath;
use crate::app::App;
use crate::body::address::{AddressFields, Care, Place, Reading};
use crate::body::attribute;
use crate::body::texts::{OpaqueIdText, ProfileIdText, RegionText, TimeText};
use crate::body::{Asked, Faults, Sent, json_object};
use crate::caller::{Caller, Read, Write};
use crate::looking::LookingUp;
use crate::problem::{Code, Problem, ProblemBody};

use crate::views::profile::{ProfileView, view, view_address};

json_object! {
    /// What you know of one person. At least one identifier; all of them belong to the one person.
    #[derive(ToSchema)]
    ProfileRequest {
        /// Your own id of the person.
        external_id: OpaqueIdText,
        /// A telephone number.
        #[schema(example = "+14155550123")]
        phone: String,
        /// An email address.
        email: String,
        /// A channel's own id of the person.
        channel_id: OpaqueIdText,
        /// Where a national phone number belongs; without it the workspace's region.
        region: RegionText,
        /// Attributes to set, by name; `null` removes one. `time_zone`, a name of the IANA database, tells where the person is, for quiet hours. Values are texts, numbers and truth values of at most 1,024 bytes.
        #[schema(value_type = Option<BTreeMap<String, Value>>, example = json!({"first_name": "Ada"}))]
        attributes: BTreeMap<String, Value>,
    }
}

json_object! {
    /// One address of a person.
    #[derive(ToSchema)]
    AddressRequest {
        /// Your own id of the person.
        external_id: OpaqueIdText,
        /// A telephone number.
        #[schema(example = "+14155550123")]
        phone: String,
        /// An email address.
        email: String,
        /// A channel's own id of the person.
        channel_id: OpaqueIdText,
        /// Where a national phone number belongs; without it the workspace's region.
        region: RegionText,
    }
}

json_object! {
    /// Whose profile is asked for, and of when.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    ProfileQuery {
        /// A telephone number.
        #[param(example = "+14155550123")]
        phone: String,
        /// An email address.
        email: String,
        /// Your own id of the person.
        #[param(value_type = Option<String>)]
        external_id: OpaqueIdText,
        /// A channel's own id of the person.
        #[param(value_type = Option<String>)]
        channel_id: OpaqueIdText,
        /// By what we knew then.
        #[param(value_type = Option<String>)]
        as_of: TimeText,
        /// By what was true then, by all we know now.
        #[param(value_type = Option<String>)]
        effective_at: TimeText,
    }
}

json_object! {
    /// Of when a profile is asked for.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    MomentQuery {
        /// By what we knew then.
        #[param(value_type = Option<String>)]
        as_of: TimeText,
        /// By what was true then, by all we know now.
        #[param(value_type = Option<String>)]
        effective_at: TimeText,
    }
}

/// Makes or extends a profile.
///
/// New addresses are linked to the person: refusals are carried to them, opt-ins never (rule 13).
/// Where the person refused processing, attributes are discarded and `collect` is false.
#[utoipa::path(
    post, path = "/v1/profiles", tag = "Profiles", operation_id = "upsert_profile",
    request_body(content = ProfileRequest, description = "The person."),
    responses(
        (status = 200, description = "The profile, made or extended.", body = ProfileView),
        (status = 409, description = "The identifiers belong to several profiles; nothing was changed.", body = ProblemBody),
    ),
    security(("api_key" = ["write"])),
)]
pub(crate) async fn upsert(
    State(app): State<Arc<App>>,
    caller: Caller<Write>,
    looking: LookingUp,
    sent: Sent<ProfileRequest>,
) -> Result<Json<ProfileView>, Problem> {
    let Sent { mut request, mut faults } = sent;
    let reading = reading(&app, &caller, request.region.take(), Place::Body);
    let attributes = attributes(request.attributes.take().unwrap_or_default(), &mut faults);
    let addresses = take_profile_address(request).settle_all(&reading, &mut faults);
    let (addresses, attributes) = faults.settle(Some((addresses, attributes)))?;
    let secret = &caller.workspace().secret;
    let asked = addresses.iter().map(|address| LookedUp::Address(address.key(secret))).collect();
    looking.note(&app, &caller, asked).await?;
    let draft = ProfileDraft {
        profile: None,
        addresses,
        attributes,
        source: caller.source(),
        actor: Actor::Operator,
    };
    let profile = store(&app, &caller, draft, Code::AmbiguousProfile).await?;
    Ok(Json(view(&app, caller.workspace(), profile, Moment::Now).await?))
}

/// Reads the profile that an address belongs to.
///
/// An address without a profile is answered too: with what is recorded about it alone, and no id.
#[utoipa::path(
    get, path = "/v1/profiles", tag = "Profiles", operation_id = "find_profile",
    params(ProfileQuery),
    responses((status = 200, description = "The person.", body = ProfileView)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn find(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    looking: LookingUp,
    asked: Asked<ProfileQuery>,
) -> Result<Json<ProfileView>, Problem> {
    let Asked { mut request, mut faults } = asked;
    let moment = moment(request.as_of.take(), request.effective_at.take(), &mut faults);
    let reading = reading(&app, &caller, None, Place::Query);
    let subject = take_query_address(request).settle(&reading, &mut faults);
    let subject = faults.settle(subject)?;
    let key = subject.key(&caller.workspace().secret);
    looking.note(&app, &caller, vec![LookedUp::Address(key)]).await?;
    let found = app.store().find_profile(caller.workspace().id, &subject).await?;
    let view = match (found, subject) {
        (Some(profile), _) => view(&app, caller.workspace(), profile, moment).await?,
        (None, Subject::Address(address)) => {
            view_address(&app, caller.workspace(), address, moment).await?
        }
        (None, Subject::Hash(_) | Subject::Key(_)) => return Err(Problem::new(Code::NotFound)),
    };
    Ok(Json(view))
}

/// Reads a profile.
#[utoipa::path(
    get, path = "/v1/profiles/{id}", tag = "Profiles", operation_id = "get_profile",
    params(("id" = String, Path, description = "The id of the profile."), MomentQuery),
    responses(
        (status = 200, description = "The person.", body = ProfileView),
        (status = 404, description = "There is no such profile.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    looking: LookingUp,
    id: InPath<ProfileIdText>,
    asked: Asked<MomentQuery>,
) -> Result<Json<ProfileView>, Problem> {
    let Asked { request, mut faults } = asked;
    let moment = moment(request.as_of, request.effective_at, &mut faults);
    let moment = faults.settle(Some(moment))?;
    let InPath(ProfileIdText(id)) = id;
    looking.note(&app, &caller, vec![LookedUp::Profile(id)]).await?;
    let profile = app.store().profile(caller.workspace().id, id).await?;
    let profile = profile.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(Json(view(&app, caller.workspace(), profile, moment).await?))
}

/// Links an address to a profile.
///
/// The person's refusals are carried to it before this is answered; opt-ins never are. An address
/// that belongs to another profile is not taken from it: unlink it there first, or, where two people
/// share it, say so with `POST /v1/profiles` and the `external_id` of each.
#[utoipa::path(
    post, path = "/v1/profiles/{id}/addresses", tag = "Profiles", operation_id = "link_address",
    params(("id" = String, Path, description = "The id of the profile.")),
    request_body(content = AddressRequest, description = "The address."),
    responses(
        (status = 200, description = "The profile with the address.", body = ProfileView),
        (status = 404, description = "There is no such profile.", body = ProblemBody),
        (status = 409, description = "The address belongs to another profile; nothing was changed.", body = ProblemBody),
    ),
    security(("api_key" = ["write"])),
)]
pub(crate) async fn link(
    State(app): State<Arc<App>>,
    caller: Caller<Write>,
    looking: LookingUp,
    id: InPath<ProfileIdText>,
    sent: Sent<AddressRequest>,
) -> Result<Json<ProfileView>, Problem> {
    let address = one_address(&app, &caller, sent)?;
    looking.note(&app, &caller, both(&id, &address, &caller)).await?;
    let InPath(ProfileIdText(id)) = id;
    let draft = ProfileDraft {
        profile: Some(id),
        addresses: vec![address],
        attributes: BTreeMap::new(),
        source: caller.source(),
        actor: Actor::Operator,
    };
    let linked = store(&app, &caller, draft, Code::AddressLinked).await?;
    Ok(Json(view(&app, caller.workspace(), linked, Moment::Now).await?))
}

/// Unlinks an address from a profile: the link, and what was carried by it, is left out.
#[utoipa::path(
    delete, path = "/v1/profiles/{id}/addresses", tag = "Profiles", operation_id = "unlink_address",
    params(("id" = String, Path, description = "The id of the profile.")),
    request_body(content = AddressRequest, description = "The address."),
    responses(
        (status = 200, description = "The profile without the address.", body = ProfileView),
        (status = 404, description = "There is no such profile, or the address is not linked to it.", body = ProblemBody),
    ),
    security(("api_key" = ["write"])),
)]
pub(crate) async fn unlink(
    State(app): State<Arc<App>>,
    caller: Caller<Write>,
    looking: LookingUp,
    id: InPath<ProfileIdText>,
    sent: Sent<AddressRequest>,
) -> Result<Json<ProfileView>, Problem> {
    let address = one_address(&app, &caller, sent)?;
    looking.note(&app, &caller, both(&id, &address, &caller)).await?;
    let known = known_profile(&app, &caller, id).await?;
    retracted(app.store().unlink(caller.workspace().id, known.id, &address).await?)?;
    let rest = app.store().profile(caller.workspace().id, known.id).await?;
    let rest = rest.unwrap_or(Profile { addresses: Vec::new(), ..known });
    Ok(Json(view(&app, caller.workspace(), rest, Moment::Now).await?))
}

fn reading<'a, N>(
    app: &'a App,
    caller: &Caller<N>,
    region: Option<RegionText>,
    place: Place,
) -> Reading<'a> {
    let region = region.map(|RegionText(region)| region);
    let region = region.or(caller.workspace().settings.at(app.now()).region);
    Reading { phones: app.phones(), region, care: Care::Possible, place }
}

fn one_address(
    app: &App,
    caller: &Caller<Write>,
    sent: Sent<AddressRequest>,
) -> Result<Address, Problem> {
    let Sent { mut request, mut faults } = sent;
    let reading = reading(app, caller, request.region.take(), Place::Body);
    let fields = AddressFields {
        phone: request.phone,
        email: request.email,
        external_id: request.external_id,
        channel_id: request.channel_id,
        hash: None,
        kind: None,
    };
    let subject = fields.settle(&reading, &mut faults);
    match faults.settle(subject)? {
        Subject::Address(address) => Ok(address),
        Subject::Hash(_) | Subject::Key(_) => Err(Problem::new(Code::Internal)),
    }
}

/// Whom a change of a profile's addresses shows.
fn both(
    InPath(ProfileIdText(id)): &InPath<ProfileIdText>,
    address: &Address,
    caller: &Caller<Write>,
) -> Vec<LookedUp> {
    let key = address.key(&caller.workspace().secret);
    vec![LookedUp::Profile(*id), LookedUp::Address(key)]
}

async fn known_profile(
    app: &App,
    caller: &Caller<Write>,
    id: InPath<ProfileIdText>,
) -> Result<Profile, Problem> {
    let InPath(ProfileIdText(id)) = id;
    let known = app.store().profile(caller.workspace().id, id).await?;
    known.ok_or_else(|| Problem::new(Code::NotFound))
}

/// Stores a profile; identifiers that belong to others are a problem of this code.
async fn store(
    app: &App,
    caller: &Caller<Write>,
    draft: ProfileDraft,
    conflict: Code,
) -> Result<Profile, Problem> {
    app.rates().take_events(caller.workspace().id, draft.addresses.len() + 1)?;
    let addresses = draft.addresses.clone();
    match app.store().upsert_profile(caller.workspace().id, draft).await? {
        Upserted::Profile(profile) | Upserted::ProcessingRefused(profile) => Ok(profile),
        Upserted::Ambiguous(profiles) => {
            let conflicts = conflicts(app, caller, addresses, conflict).await?;
            let problem = if conflicts.is_empty() {
                Problem::new(conflict)
            } else {
                conflicts.into_problem()
            };
            Err(problem.detail(belong_to(&profiles)))
        }
        Upserted::Full(profile) => Err(Problem::new(Code::LimitReached).detail(format!(
            "{profile} has {} addresses, as many as a profile may have: unlink one with DELETE /v1/profiles/{profile}/addresses",
            limits::ADDRESSES_PER_PROFILE_MAX
        ))),
        Upserted::NoProfile => Err(Problem::new(Code::NotFound)),
    }
}

/// Which field names whom.
async fn conflicts(
    app: &App,
    caller: &Caller<Write>,
    addresses: Vec<Address>,
    code: Code,
) -> Result<Faults, Problem> {
    let mut faults = Faults::default();
    for address in addresses {
        let pointer = format!("/{}", address.kind());
        let subject = Subject::Address(address);
        if let Some(owner) = app.store().find_profile(caller.workspace().id, &subject).await? {
            faults.note(pointer, code, format!("belongs to {}", owner.id));
        }
    }
    Ok(faults)
}

fn belong_to(profiles: &[ProfileId]) -> String {
    let ids: Vec<String> = profiles.iter().map(ToString::to_string).collect();
    format!("belongs to {}", ids.join(", "))
}

fn attributes(
    sent: BTreeMap<String, Value>,
    faults: &mut Faults,
) -> BTreeMap<EvidenceText, Option<Box<str>>> {
    if sent.len() > limits::ATTRIBUTES_PER_PROFILE_MAX {
        faults.note("/attributes", Code::InvalidValue, "has more than 100 attributes");
    }
    let parsed = sent.into_iter().filter_map(|(name, value)| {
        let pointer = format!("/attributes/{}", name.replace('~', "~0").replace('/', "~1"));
        let name = EvidenceText::parse(&name)
            .map_err(|fault| {
                faults.note(&pointer, Code::InvalidValue, format!("has a name that {fault}"));
            })
            .ok()?;
        if value.is_null() {
            return Some((name, None));
        }
        // The one attribute that Sayso itself reads: quiet hours go by it.
        if name.as_str() == TIME_ZONE
            && let Err(fault) = Zone::parse(value.as_str().unwrap_or_default())
        {
            faults.note_with_example(&pointer, Code::UnknownTimeZone, fault, "Europe/Berlin");
            return None;
        }
        Some((name, Some(attribute::read(&value, &pointer, faults)?)))
    });
    parsed.collect()
}

/// The attribute that says in which time zone the person is.
const TIME_ZONE: &str = "time_zone";

fn take_profile_address(request: ProfileRequest) -> AddressFields {
    AddressFields {
        phone: request.phone,
        email: request.email,
        external_id: request.external_id,
        channel_id: request.channel_id,
        hash: None,
        kind: None,
    }
}

fn take_query_address(request: ProfileQuery) -> AddressFields {
    AddressFields {
        phone: request.phone,
        email: request.email,
        external_id: request.external_id,
        channel_id: request.channel_id,
        hash: None,
        kind: None,
    }
}
