//! `/v1/events`: what was recorded about a person, and what is to be left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::event::{Fact, Retracted, Switched};
use sayso_core::id::{ProfileId, WorkspaceId};
use sayso_core::limits;
use sayso_core::notice::NoticeRef;
use sayso_core::source::{Actor, Evidence};
use sayso_core::statement::Statement;
use sayso_store::configuration::Configuration;
use sayso_store::look_up::LookedUp;
use sayso_store::store::{HistoryEntry, Moment, RetractDraft, Retracting, Retraction, Subject};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::address::{AddressFields, Care, Place, Reading, ShownAddress};
use crate::api::check::{about, moment};
use crate::api::consents::answer::processing_word;
use crate::api::consents::request::hex;
use crate::api::look_ups::LookingUp;
use crate::api::page::{InPath, items};
use crate::app::App;
use crate::body::texts::{
    EventIdText, KindText, NoteText, OpaqueIdText, ProfileIdText, RegionText, Sha256Text, TimeText,
};
use crate::body::{Asked, Faults, Sent, json_object};
use crate::caller::{Caller, Read, Write};
use crate::problem::{Code, Problem, ProblemBody};

use history::{Cursor, Told, read_history};

mod history;

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

/// One event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Its id.
    #[schema(example = "evt_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// The address; absent if only a hash was known or the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<ShownAddress>,
    /// What kind of fact: `consent`, `suppression`, `activity`, `retraction`, `link`, `same_account`, `moved_from`, `attributes` or `erasure`.
    #[schema(example = "consent")]
    fact: &'static str,
    /// What it is about: `processing`, a channel with its scope, a sender, a profile or an event.
    #[schema(example = "sms")]
    about: String,
    /// What was said or done: a slot such as `opt_out` or `single`, a suppression, `set`, `cleared`.
    #[schema(example = "opt_out")]
    says: String,
    /// `act` or `report`; absent unless it is a consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<&'static str>,
    /// How it came in.
    #[schema(example = "api")]
    road: &'static str,
    /// Which site, integration or list.
    source: String,
    /// Who acted: `subject`, `operator`, `provider` or `system`.
    #[schema(example = "subject")]
    actor: &'static str,
    /// When it happened.
    occurred_at: String,
    /// When we stored it.
    recorded_at: String,
    /// Until when it counts; absent if it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    /// The import that brought it; absent if none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<String>,
    /// The event it follows from; absent if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<String>,
    /// The evidence; absent once the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidenceView>,
    /// Its leaf in the transparency log.
    leaf_hash: String,
    /// Whether a retraction leaves it out; with `as_of`, by what was known then.
    retracted: bool,
}

/// What proves an event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceView {
    /// How it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// The words that were shown: notice, version, language, and the SHA-256 of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<NoticeView>,
    /// The page it happened on.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// The IP address it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    /// The user agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    /// Further fields.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, String>,
}

/// Which words were shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoticeView {
    /// The notice.
    id: String,
    /// Its version.
    version: u32,
    /// The language shown.
    language: String,
    /// The SHA-256 of the text.
    text_sha256: String,
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
    let region = caller.configuration().settings.at(app.now()).region;
    let reading =
        Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Query };
    let whose = match profile {
        Some(ProfileIdText(id)) => Some(Whose::Profile(id)),
        None => take_address(request).settle(&reading, &mut faults).map(Whose::Subject),
    };
    let (whose, cursor) = faults.settle(whose.zip(cursor))?;
    looking.note(&app, &caller, vec![whose.looked_up(caller.configuration())]).await?;
    let subjects = whose.subjects(&app, caller.workspace()).await?;
    let asked = Told { configuration: caller.configuration(), subjects: &subjects, moment };
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
    let retracting = app.store().retract(caller.workspace(), draft).await?;
    let registers = retracted(retracting)?;
    let processing = processing_word(&registers, app.now());
    Ok(Json(RetractionAnswer { event: event.to_string(), processing }))
}

/// The newest events of these addresses, at most [`limits::PREFERENCE_EVENTS_MAX`].
pub(crate) async fn newest_of(
    app: &App,
    configuration: &Configuration,
    subjects: &[Subject],
) -> Result<Vec<EventView>, Problem> {
    let (mut events, mut cursor) = (Vec::new(), Some(Cursor::default()));
    while let Some(after) = cursor.take() {
        let told = Told { configuration, subjects, moment: Moment::Now };
        let page = read_history(app.store(), &told, after, limits::PAGE_ITEMS_MAX).await?;
        events.extend(page.entries.iter().map(EventView::of));
        let has_room = events.len() < limits::PREFERENCE_EVENTS_MAX;
        let next = page.next.filter(|_| has_room);
        cursor = next.and_then(|text| Cursor::parse(Some(&text), &mut Faults::default()));
    }
    Ok(events)
}

/// What a retraction came to, as a problem where it was not done.
pub(crate) fn retracted(
    retracting: Retracting,
) -> Result<Arc<sayso_core::registers::Registers>, Problem> {
    match retracting {
        Retracting::Done(registers) => Ok(registers),
        Retracting::NoEvent => Err(Problem::new(Code::NotFound)),
        Retracting::Refused(fault) => {
            Err(Problem::new(Code::RetractionRefused).detail(format!("the event {fault}")))
        }
    }
}

impl Whose {
    fn looked_up(&self, configuration: &Configuration) -> LookedUp {
        match self {
            Self::Subject(subject) => LookedUp::Address(subject.key(&configuration.secret)),
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
    let region = region.or(caller.configuration().settings.at(app.now()).region);
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

impl EventView {
    fn of(entry: &HistoryEntry) -> Self {
        let event = &entry.event;
        let (fact, about, says) = describe(event.fact);
        let statement = match event.fact {
            Fact::Consent(_, statement) => Some(statement),
            Fact::Suppression(..)
            | Fact::Activity(_)
            | Fact::Retraction(_)
            | Fact::Link(_)
            | Fact::SameAccount(..)
            | Fact::MovedFrom(_)
            | Fact::Attributes(_)
            | Fact::Erasure => None,
        };
        Self {
            id: event.id.to_string(),
            address: entry.address.as_ref().map(ShownAddress::of),
            fact,
            about,
            says,
            standing: statement.map(|statement| statement.standing().as_str()),
            road: event.source.road.as_str(),
            source: event.source.name.to_string(),
            actor: event.actor.as_str(),
            occurred_at: event.occurred_at.to_string(),
            recorded_at: event.recorded_at.to_string(),
            ends_at: statement.and_then(Statement::ends_at).map(|end| end.to_string()),
            import: event.import.map(|import| import.to_string()),
            basis: event.basis.map(|basis| basis.to_string()),
            evidence: entry.evidence.as_ref().map(EvidenceView::of),
            leaf_hash: hex(&entry.leaf_hash),
            retracted: entry.retracted == Retraction::Retracted,
        }
    }
}

/// A fact in words: its kind, what it is about, what it says.
fn describe(fact: Fact) -> (&'static str, String, String) {
    let switched = |switched| match switched {
        Switched::On => "set",
        Switched::Off => "cleared",
    };
    match fact {
        Fact::Consent(permission, statement) => {
            ("consent", about(permission), statement.slot().to_string())
        }
        Fact::Suppression(suppression, cover, side) => {
            let parts = [
                cover.channel.map(|channel| channel.to_string()),
                cover.sender.map(|sender| sender.to_string()),
                cover.category.map(|category| category.to_string()),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            let about = if parts.is_empty() { "all".to_owned() } else { parts.join(" ") };
            ("suppression", about, format!("{suppression} {}", switched(side)))
        }
        Fact::Activity(sender) => ("activity", sender.to_string(), "wrote".to_owned()),
        Fact::Retraction(Retracted::Event(id)) => {
            ("retraction", id.to_string(), "left out".to_owned())
        }
        Fact::Retraction(Retracted::Import(id)) => {
            ("retraction", id.to_string(), "left out".to_owned())
        }
        Fact::Link(profile) => ("link", profile.to_string(), "linked".to_owned()),
        Fact::SameAccount(channel, _) => {
            let said = "named as one account with another address";
            ("same_account", channel.to_string(), said.to_owned())
        }
        Fact::MovedFrom(_) => {
            ("moved_from", "all".to_owned(), "in the place of another address".to_owned())
        }
        Fact::Attributes(profile) => ("attributes", profile.to_string(), "changed".to_owned()),
        Fact::Erasure => ("erasure", "all".to_owned(), "erased".to_owned()),
    }
}

impl NoticeView {
    /// How a reference to published words is shown.
    pub(crate) fn of(notice: &NoticeRef) -> Self {
        Self {
            id: notice.id.to_string(),
            version: notice.version,
            language: notice.language.to_string(),
            text_sha256: hex(&notice.text_sha256),
        }
    }
}

impl EvidenceView {
    fn of(evidence: &Evidence) -> Self {
        let text = |text: &Option<sayso_core::source::EvidenceText>| {
            text.as_ref().map(|text| text.as_str().to_owned())
        };
        let fields = evidence.fields.iter();
        Self {
            method: text(&evidence.method),
            notice: evidence.notice.as_ref().map(NoticeView::of),
            page: text(&evidence.page),
            ip: text(&evidence.ip),
            user_agent: text(&evidence.user_agent),
            fields: fields
                .map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()))
                .collect(),
        }
    }
}
