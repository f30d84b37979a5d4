//! `/v1/senders/{id}/people`: everyone who wrote to a sender, or opted in to it by name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::address::AddressKey;
use sayso_core::id::SenderId;
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::state::activity::Activity;
use sayso_core::state::registers::Registers;
use sayso_core::state::status::Status;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Message, Scope};
use sayso_store::look_up::LookedUp;
use sayso_store::store::KnownAddress;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::page::{InPath, items};
use crate::app::App;
use crate::body::texts::{ActivityText, SenderIdText, StatusText};
use crate::body::{Asked, Faults, json_object};
use crate::caller::{Caller, Read};
use crate::looking::LookingUp;
use crate::problem::{Code, Problem, ProblemBody};
use crate::views::address::ShownAddress;
use crate::views::consent::{ConsentView, standing};

json_object! {
    /// Which people of a sender are asked for.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    PeopleQuery {
        /// Those with this status towards the sender's marketing.
        #[param(inline, value_type = Option<StatusText>, example = "never")]
        status: StatusText,
        /// Those with this activity.
        #[param(inline, value_type = Option<ActivityText>, example = "active")]
        activity: ActivityText,
        /// How many people; 50 if absent, at most 500.
        #[param(maximum = 500, minimum = 1)]
        limit: u32,
        /// Where to go on: `next` of the page before.
        cursor: String,
    }
}

/// A page of people, in no order that means anything. It may hold fewer than asked for, even none:
/// whether to go on is for `next` to say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeoplePage {
    /// The people.
    people: Vec<PersonView>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Somebody who wrote to a sender, or opted in to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub(crate) struct PersonView {
    /// Where they are reached.
    address: ShownAddress,
    /// The profile, if the address belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "pro_01jd6m9k3te5b8r5v3x5y6z7w8")]
    profile: Option<String>,
    /// `active` within 24 hours of their last message to the sender, then `inactive`; `none` if they never wrote.
    #[schema(example = "active")]
    activity: &'static str,
    /// When they last wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrote_at: Option<String>,
    /// Until when they are, or were, active.
    #[serde(skip_serializing_if = "Option::is_none")]
    active_until: Option<String>,
    /// Where they stand towards the sender's marketing.
    consent: ConsentView,
}

/// Which people are wanted, and when it is.
struct Wanted {
    sender: SenderId,
    message: Message,
    settings: Settings,
    status: Option<Status>,
    activity: Option<Activity>,
    now: Timestamp,
}

/// Lists who wrote to a sender or opted in to it by name, with their activity and where they stand.
#[utoipa::path(
    get, path = "/v1/senders/{id}/people", tag = "Senders", operation_id = "list_people_of_sender",
    params(("id" = String, Path, description = "The id of the sender."), PeopleQuery),
    responses(
        (status = 200, description = "A page of people.", body = PeoplePage),
        (status = 404, description = "There is no such sender.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    looking: LookingUp,
    InPath(SenderIdText(id)): InPath<SenderIdText>,
    asked: Asked<PeopleQuery>,
) -> Result<Json<PeoplePage>, Problem> {
    let workspace = caller.workspace();
    let sender = workspace.senders.get(&id).ok_or_else(|| Problem::new(Code::NotFound))?;
    let Asked { request, mut faults } = asked;
    let limit = items(request.limit, &mut faults);
    let after = cursor(request.cursor.as_deref(), &mut faults);
    let mut after = faults.settle(Some(after))?;
    let now = app.now();
    let ordinary = Message::ordinary(sender.channel, Category::Marketing);
    let wanted = Wanted {
        sender: id,
        message: Message { sender: Some(id), ..ordinary },
        settings: workspace.settings.at(now),
        status: request.status.map(|StatusText(status)| status),
        activity: request.activity.map(|ActivityText(activity)| activity),
        now,
    };
    let (mut people, mut shown, mut seen, mut is_last) = (Vec::new(), Vec::new(), 0, false);
    while people.len() < limit && seen < limits::PEOPLE_SEEN_MAX && !is_last {
        let known =
            app.store().addresses(caller.workspace().id, after, limits::PAGE_ITEMS_MAX).await?;
        is_last = known.len() < limits::PAGE_ITEMS_MAX;
        for known in known {
            seen += 1;
            after = Some(known.key);
            if let Some(person) = wanted.person(&known) {
                shown.push(LookedUp::Address(known.key));
                people.push(person);
            }
            if people.len() == limit {
                is_last = false;
                break;
            }
        }
    }
    looking.note(&app, &caller, shown).await?;
    let next = after.filter(|_| !is_last).map(|key| key.to_string());
    Ok(Json(PeoplePage { people, next }))
}

impl Wanted {
    /// Somebody, if they are wanted. Who is known by hash only, or erased, is shown to nobody.
    fn person(&self, known: &KnownAddress) -> Option<PersonView> {
        let address = known.address.as_ref()?;
        let wrote_at = known.registers.wrote_to_at(self.sender);
        if wrote_at.is_none() && !self.opted_in(&known.registers) {
            return None;
        }
        let activity = Activity::of(wrote_at, self.now);
        let consent = standing(&known.registers, &self.message, &self.settings, self.now);
        let fits = self.activity.is_none_or(|wanted| wanted == activity)
            && self.status.is_none_or(|wanted| wanted.as_str() == consent.status);
        let profile = known.registers.links().min_by_key(|(_, link)| link.at);
        fits.then(|| PersonView {
            address: ShownAddress::of(address),
            profile: profile.map(|(profile, _)| profile.to_string()),
            activity: activity.as_str(),
            wrote_at: wrote_at.map(|at| at.to_string()),
            active_until: wrote_at.map(|at| at.plus(limits::ACTIVITY_WINDOW).to_string()),
            consent,
        })
    }

    /// Whether they ever opted in to this sender by name.
    fn opted_in(&self, registers: &Registers) -> bool {
        let register = registers.register(self.message.channel, Scope::Sender(self.sender));
        register.is_some_and(|register| {
            register.opt_ins().next().is_some()
                || register.reports().any(|(_, claims)| claims.counting_yes().is_some())
        })
    }
}

fn cursor(text: Option<&str>, faults: &mut Faults) -> Option<AddressKey> {
    let key = AddressKey::parse(text?);
    if key.is_none() {
        let fault = "is no cursor of ours; use `next` as it was given";
        faults.note("?cursor", Code::InvalidValue, fault);
    }
    key
}
