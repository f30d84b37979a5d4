//! `/v1/look-ups`: who looked a person up, where the workspace asks for that (rule 29).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_store::look_up::{LookUp, LookUpQuery, LookedUp};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::page::{items, position};
use crate::app::App;
use crate::body::address::{AddressFields, Care, Place, Reading};
use crate::body::texts::{OpaqueIdText, ProfileIdText};
use crate::body::{Asked, Faults, json_object};
use crate::caller::{Caller, Compliance};
use crate::problem::{Code, Problem};

json_object! {
    /// Whose look-ups are asked for: all, or those of one address or profile, as it was looked up.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    LookUpsQuery {
        /// A telephone number.
        #[param(example = "+14155552671")]
        phone: String,
        /// An email address.
        email: String,
        /// Your own id of the person.
        #[param(value_type = Option<String>)]
        external_id: OpaqueIdText,
        /// A channel's own id of the person.
        #[param(value_type = Option<String>)]
        channel_id: OpaqueIdText,
        /// A profile.
        #[param(value_type = Option<String>)]
        profile: ProfileIdText,
        /// How many look-ups; 50 if absent, at most 500.
        #[param(maximum = 500, minimum = 1)]
        limit: u32,
        /// Where to go on: `next` of the page before.
        cursor: String,
    }
}

/// A page of look-ups, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LookUpsPage {
    /// The look-ups.
    look_ups: Vec<LookUpView>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// One look-up of one address or profile.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LookUp)]
pub(crate) struct LookUpView {
    /// When.
    #[schema(example = "2026-11-21T10:00:00.000000Z")]
    looked_up_at: String,
    /// The id of the API key that asked; `null` for the operator of the server's machine, and where the route
    /// is a page of people's own links.
    #[schema(example = "key_01jd6m9k3te5b8r5v3x5y6z7w8")]
    key: Option<String>,
    /// What was asked: the method and the route.
    #[schema(example = "GET /v1/profiles")]
    route: String,
    /// The id of the request, as in the header `x-request-id` of its answer.
    request: String,
    /// The key of the address that was asked for; absent if a profile was, or a list of many people.
    #[serde(skip_serializing_if = "Option::is_none")]
    address_key: Option<String>,
    /// The profile that was asked for; absent if an address was, or a list of many people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "pro_01jd6m9k3te5b8r5v3x5y6z7w8")]
    profile: Option<String>,
}

/// Lists who looked people up, the newest first.
///
/// Look-ups are noted while the setting `audit_look_ups` is on, and kept for 400 days: reads of
/// profiles, events, messages and simulated phones, answers that show a profile, checks that explain
/// themselves, links that are made for a person, and what people download by a link of theirs. Each names
/// the person by the address or the profile that was asked for, never in clear. Audiences, exports and
/// rejects show many people: such a look-up names nobody.
#[utoipa::path(
    get, path = "/v1/look-ups", tag = "Compliance", operation_id = "list_look_ups",
    params(LookUpsQuery),
    responses((status = 200, description = "A page of look-ups.", body = LookUpsPage)),
    security(("api_key" = ["compliance"])),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<Compliance>,
    asked: Asked<LookUpsQuery>,
) -> Result<Json<LookUpsPage>, Problem> {
    let Asked { mut request, mut faults } = asked;
    let limit = items(request.limit, &mut faults);
    let after = position(request.cursor.take().as_deref(), &mut faults);
    let asked = looked_up(request, &app, &caller, &mut faults);
    let query = faults.settle(Some(LookUpQuery { asked, after }))?;
    let page = app.store().look_ups(caller.workspace().id, &query, limit).await?;
    Ok(Json(LookUpsPage {
        look_ups: page.look_ups.iter().map(LookUpView::of).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

/// Whose look-ups are asked for; all if nobody is named.
fn looked_up(
    request: LookUpsQuery,
    app: &App,
    caller: &Caller<Compliance>,
    faults: &mut Faults,
) -> Option<LookedUp> {
    let LookUpsQuery { phone, email, external_id, channel_id, profile, .. } = request;
    let names_address =
        phone.is_some() || email.is_some() || external_id.is_some() || channel_id.is_some();
    match (profile, names_address) {
        (None, false) => None,
        (Some(ProfileIdText(id)), false) => Some(LookedUp::Profile(id)),
        (Some(_), true) => {
            let fault = "names an address and a profile; send one of them";
            faults.note("", Code::OneAddress, fault);
            None
        }
        (None, true) => {
            let workspace = caller.workspace();
            let region = workspace.settings.at(app.now()).region;
            let reading =
                Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Query };
            let fields =
                AddressFields { phone, email, external_id, channel_id, hash: None, kind: None };
            let subject = fields.settle(&reading, faults)?;
            Some(LookedUp::Address(subject.key(&workspace.secret)))
        }
    }
}

impl LookUpView {
    fn of(look_up: &LookUp) -> Self {
        let (address_key, profile) = match look_up.asked {
            LookedUp::Address(key) => (Some(key.to_string()), None),
            LookedUp::Profile(id) => (None, Some(id.to_string())),
            LookedUp::Many => (None, None),
        };
        Self {
            looked_up_at: look_up.looked_up_at.to_string(),
            key: look_up.api_key.map(|id| id.to_string()),
            route: look_up.route.to_string(),
            request: look_up.request.to_string(),
            address_key,
            profile,
        }
    }
}
