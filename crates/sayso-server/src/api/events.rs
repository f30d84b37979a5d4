//! `/v1/events`: what was recorded about a person, and what is to be left out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::id::{ProfileId, WorkspaceId};
use sayso_core::words::source::Actor;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Subject;
use sayso_store::look_up::LookedUp;
use sayso_store::store::{RetractDraft, Retracting};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::check::moment;
use crate::api::page::{InPath, items};
use crate::app::App;
use crate::body::address::{AddressFields, Care, Place, Reading};
use crate::body::texts::{
    EventIdText, KindText, NoteText, OpaqueIdText, ProfileIdText, RegionText, Sha256Text, TimeText,
};
use crate::body::{Asked, Faults, Sent, json_object};
use crate::caller::{Caller, Read, Write};
use crate::looking::LookingUp;
use crate::problem::{Code, Problem, ProblemBody};
use crate::views::consent::processing_word;

use crate::views::event::EventView;
use crate::views::history::{Cursor, Told, read_history};

json_object! {
    /// Whose events are asked for, and of when. Exactly one of `phone`, `email`, `external_id`, `channel_id`
    /// and `profile` names the person.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    EventsQuery {
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
        /// A profile: the events of all the addresses it has now.
        #[param(value_type = Option<String>)]
        profile: ProfileIdText,
        /// What we knew then: the events recorded up to that time, `retracted` by what was known.
        #[param(value_type = Option<String>)]
        as_of: TimeText,
        /// What was true then, by all we know now: the events that occurred up to that time.
        #[param(value_type = Option<String>)]
        effective_at: TimeText,
        /// How many events; 50 if absent, at most 500.
        #[param(maximum = 500, minimum = 1)]
        limit: u32,
        /// Where to go on: `next` of the page before, with the same person and moment.
        cursor: String,
    }
}

json_object! {
    /// Which event is to be left out, by one address of the person.
    #[derive(ToSchema)]
    RetractionRequest {
        /// A telephone number.
        #[schema(example = "+14155550123")]
        phone: String,
        /// An email address.
        email: String,
        /// Your own id of the person.
        external_id: OpaqueIdText,
        /// A channel's own id of the person.
        channel_id: OpaqueIdText,
        /// The SHA-256 of the address's normal form.
        hash: Sha256Text,
        /// The kind of the hashed address.
        kind: KindText,
        /// Where a national phone number belongs.
        region: RegionText,
        /// Why it is left out.
        reason: NoteText,
    }
}

/// A page of events, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsPage {
    /// The events.
    events: Vec<EventView>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// What a retraction came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RetractionAnswer {
    /// The event that is left out.
    event: String,
    /// The processing of the person's data now: `allowed` or `refused`.
    processing: &'static str,
}

/// Whose events are asked for.
enum Whose {
    Subject(Subject),
    Profile(ProfileId),
}

/// Lists what was recorded about a person, the newest first.
#[utoipa::path(
    get, path = "/v1/events", tag = "Events", operation_id = "list_events",
    params(EventsQuery),
    responses(
        (status = 200, description = "A page of events.", body = EventsPage),
        (status = 404, description = "There is no such profile.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    looking: LookingUp,
    asked: Asked<EventsQuery>,
) -> Result<Json<EventsPage>, Problem> {
    let Asked { mut request, mut faults } = asked;
    let limit = items(request.limit, &mut faults);
    let cursor = Cursor::parse(request.cursor.as_deref(), &mut faults);
    let moment = moment(request.as_of.take(), request.effective_at.take(), &mut faults);
    let profile = request.profile.take();
    let region = caller.workspace().settings.at(app.now()).region;
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Query };
    let whose = match profile {
        Some(ProfileIdText(id)) => Some(Whose::Profile(id)),
        None => take_address(request).settle(&reading, &mut faults).map(Whose::Subject),
    };
    let (whose, cursor) = faults.settle(whose.zip(cursor))?;
    looking.note(&app, &caller, vec![whose.looked_up(caller.workspace())]).await?;
    let subjects = whose.subjects(&app, caller.workspace().id).await?;
    let asked = Told { workspace: caller.workspace(), subjects: &subjects, moment };
    let page = read_history(app.store(), &asked, cursor, limit).await?;
    let events = page.entries.iter().map(EventView::of).collect();
    Ok(Json(EventsPage { events, next: page.next }))
}

/// Leaves an event out, for good (rule 9).
///
/// A refusal that came from the person cannot be left out; one that a caller recorded for them
/// needs a key with the scope `compliance`.
#[utoipa::path(
    post, path = "/v1/events/{id}/retraction", tag = "Events", operation_id = "retract_event",
    params(("id" = String, Path, description = "The id of the event.")),
    request_body(content = RetractionRequest, description = "The person, and why."),
    responses(
        (status = 200, description = "The event is left out, and what was carried from it.", body = RetractionAnswer),
        (status = 404, description = "The person has no such event.", body = ProblemBody),
    ),
    security(("api_key" = ["write"])),
)]
pub(crate) async fn retract(
    State(app): State<Arc<App>>,
    caller: Caller<Write>,
    id: InPath<EventIdText>,
    sent: Sent<RetractionRequest>,
) -> Result<Json<RetractionAnswer>, Problem> {
    let InPath(EventIdText(event)) = id;
    let Sent { mut request, mut faults } = sent;
    let reason = request.reason.take().map(|NoteText(reason)| reason);
    let subject = retraction_subject(request, &app, &caller, &mut faults);
    let subject = faults.settle(subject)?;
    let draft = RetractDraft {
        subject,
        event,
        role: caller.role(),
        source: caller.source(),
        actor: Actor::Operator,
        reason,
    };
    let retracting = app.store().retract(caller.workspace().id, draft).await?;
    let registers = retracted(retracting)?;
    let processing = processing_word(&registers, app.now());
    Ok(Json(RetractionAnswer { event: event.to_string(), processing }))
}

/// What a retraction came to, as a problem where it was not done.
pub(crate) fn retracted(
    retracting: Retracting,
) -> Result<Arc<sayso_core::state::registers::Registers>, Problem> {
    match retracting {
        Retracting::Done(registers) => Ok(registers),
        Retracting::NoEvent => Err(Problem::new(Code::NotFound)),
        Retracting::Refused(fault) => {
            Err(Problem::new(Code::RetractionRefused).detail(format!("the event {fault}")))
        }
    }
}

impl Whose {
    fn looked_up(&self, workspace: &Workspace) -> LookedUp {
        match self {
            Self::Subject(subject) => LookedUp::Address(subject.key(&workspace.secret)),
            Self::Profile(id) => LookedUp::Profile(*id),
        }
    }

    /// Everybody whose events they are.
    async fn subjects(self, app: &App, workspace: WorkspaceId) -> Result<Vec<Subject>, Problem> {
        match self {
            Self::Subject(subject) => Ok(vec![subject]),
            Self::Profile(id) => {
                let profile = app.store().profile(workspace, id).await?;
                let profile = profile.ok_or_else(|| Problem::new(Code::NotFound))?;
                Ok(profile.addresses.into_iter().map(Subject::Address).collect())
            }
        }
    }
}

fn take_address(request: EventsQuery) -> AddressFields {
    AddressFields {
        phone: request.phone,
        email: request.email,
        external_id: request.external_id,
        channel_id: request.channel_id,
        hash: None,
        kind: None,
    }
}

fn retraction_subject(
    request: RetractionRequest,
    app: &App,
    caller: &Caller<Write>,
    faults: &mut Faults,
) -> Option<Subject> {
    let region = request.region.as_ref().map(|RegionText(region)| *region);
    let region = region.or(caller.workspace().settings.at(app.now()).region);
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
    let fields = AddressFields {
        phone: request.phone,
        email: request.email,
        external_id: request.external_id,
        channel_id: request.channel_id,
        hash: request.hash,
        kind: request.kind,
    };
    fields.settle(&reading, faults)
}
