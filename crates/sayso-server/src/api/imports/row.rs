//! One row of a list: what is sent, and the events it makes.

use std::collections::BTreeMap;

use sayso_core::address::Address;
use sayso_core::address::phone::Region;
use sayso_core::canonical::Writer;
use sayso_core::id::{ImportId, TopicId};
use sayso_core::limits;
use sayso_core::state::capture::undated_row_at;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Scope;
use sayso_core::words::doubt::Doubt;
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::source::{EvidenceText, Source};
use sayso_core::words::statement::{Standing, Statement};
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Dating;
use utoipa::ToSchema;

use super::number::{self, Spelled, Understood};
use crate::api::consents::plan::{Context, Plan, plan};
use crate::api::consents::request::{ConsentRequest, EvidenceRequest, NoticeRequest};
use crate::body::texts::{
    ChannelText, ClaimedTimeText, KindText, LanguageText, NoteText, NoticeIdText, OpaqueIdText,
    PermissionText, RegionText, Said, ScopeText, Sha256Text, StandingText, StatementText,
};
use crate::body::{Faults, json_object};
use crate::problem::{Code, FieldError, Problem};
use crate::views::hex::hex;

use doubt::ListedText;

mod disconnected;
pub(super) mod doubt;

json_object! {
    /// One row: one person, one channel, one statement. Exactly one of `phone`, `email`,
    /// `external_id`, `channel_id` and `hash` names the person; `external_id` may stand beside
    /// another, and then says whose customer record the row speaks of.
    #[derive(ToSchema)]
    ImportRow {
        /// The line of the list. Required: it makes the row the same row when it is sent again.
        #[schema(example = 12)]
        line: u32,
        /// A telephone number: E.164, a provider's spelling of it, or a national number with a region.
        #[schema(example = "+14155550123")]
        phone: String,
        /// An email address.
        #[schema(example = "ada@example.org")]
        email: String,
        /// Your own id of the person.
        external_id: OpaqueIdText,
        /// A channel's own id of the person: a WhatsApp BSUID, a push token.
        channel_id: OpaqueIdText,
        /// The SHA-256 of the address's normal form, for refusals. A phone is hashed as its digits.
        hash: Sha256Text,
        /// The kind of the hashed address.
        kind: KindText,
        /// Where a national phone number belongs; without it the list's region.
        region: RegionText,
        /// `messages` (the default): messages on `channel`. `processing`: the processing of the person's data at all; takes no channel and no scope.
        permission: PermissionText,
        /// The channel. Required for messages.
        channel: ChannelText,
        /// What is covered; `all` if absent.
        scope: ScopeText,
        /// Instead of a scope: the id of a topic, or its name.
        #[schema(example = "Order updates")]
        topic: String,
        /// `opt_in` or `opt_out`. Required. A refusal is also read in other words: `no`, `unsubscribed`, `FALSCH`, `false`.
        #[schema(value_type = crate::body::texts::StatementText)]
        statement: ListedText,
        /// When it was said.
        occurred_at: ClaimedTimeText,
        /// How it was said: `checkbox`, `keyword`, `paper form`.
        method: NoteText,
        /// What proves it, in words: a file number, the place of the paper form.
        evidence: NoteText,
        /// The words that were shown.
        notice: NoticeRequest,
        /// Where the list says it got this from.
        source: NoteText,
    }
}

/// What rows are planned with.
pub(crate) struct Planner<'a> {
    /// As for one consent; the source is the list.
    pub(crate) context: Context<'a>,
    /// The import.
    pub(crate) import: ImportId,
    /// Where the list's national numbers belong.
    pub(crate) region: Option<Region>,
    /// What the list lists.
    pub(crate) kind: ListKind,
}

/// What a list lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// Consents and refusals.
    Consents,
    /// Numbers that were disconnected, at this time where their row does not say.
    Disconnected(Timestamp),
}

/// A row that can be stored.
pub(crate) struct PlannedRow {
    /// Its line.
    pub(crate) line: u32,
    /// Whether it is an act or a report.
    pub(crate) standing: Standing,
    /// The number that was understood, and whether the list alone had to say of which country it is.
    pub(crate) number: Option<Understood>,
    /// Its events.
    pub(crate) plan: Plan,
}

/// A row that cannot.
pub(crate) struct RejectedRow {
    /// Its line, if it says so.
    pub(crate) line: Option<u32>,
    /// What is wrong.
    pub(crate) errors: Vec<FieldError>,
    /// How much more.
    pub(crate) left_out: u64,
}

impl Planner<'_> {
    /// Plans the events of one row.
    pub(crate) fn plan(
        &self,
        mut row: ImportRow,
        mut faults: Faults,
    ) -> Result<PlannedRow, RejectedRow> {
        match self.kind {
            ListKind::Consents => {}
            ListKind::Disconnected(date) => return disconnected::plan(self, row, faults, date),
        }
        let line = row.line;
        doubt::note_lost_bytes(&row, &mut faults);
        let hash = self.hash(&row);
        let number = faults.require("/line", line, "12");
        let said = row.statement.as_ref().map(|ListedText(said)| *said);
        let mut remarks = match said {
            Some(Said::OptOut) => doubt::leave_out(&row, &mut faults),
            _ => Vec::new(),
        };
        let spelled = self.spelled(&row);
        if said.is_some_and(|said| !matches!(said, Said::OptIn | Said::OptOut)) {
            faults.note_with_example(
                "/statement",
                Code::InvalidValue,
                "is neither opt_in nor opt_out in a list",
                "opt_in",
            );
        }
        let spoke_of = row.take_spoke_of().map(|id| id.key(&self.context.workspace.secret));
        let unknown_topic = self.resolve_topic(&mut row, &mut faults, &mut remarks);
        let standing = self.standing(&row, said);
        let dating = if row.occurred_at.is_some() { Dating::Dated } else { Dating::Undated };
        let doubt = unknown_topic.is_some().then_some(Doubt::UnknownTopic);
        let request = row.into_request(standing, self.region, unknown_topic);
        let source = Source { spoke_of, ..self.context.source.clone() };
        let context = Context { source: &source, doubt, ..self.context };
        let planned = plan(request, faults, 0, &context);
        let mut plan = planned.map_err(|problem| {
            let mut errors = errors_of(&problem);
            if spelled == Spelled::Unplaced {
                number::name_region(&mut errors);
            }
            RejectedRow { line, errors, left_out: problem.left_out() }
        })?;
        let none = || RejectedRow { line, errors: Vec::new(), left_out: 0 };
        let line = number.ok_or_else(none)?;
        remarks.append(&mut plan.remarks);
        plan.remarks = remarks;
        self.make_own(&mut plan, hash, dating);
        let number = Understood::of(plan.drafts.first(), spelled);
        Ok(PlannedRow { line, standing, number, plan })
    }

    /// Whether the row's number says of which country it is, or somebody else does.
    pub(crate) fn spelled(&self, row: &ImportRow) -> Spelled {
        let is_placed = self.region.or(self.context.settings.region).is_some();
        match &row.phone {
            Some(text) if !is_placed && row.region.is_none() && number::is_long(text) => {
                Spelled::of(text)
            }
            Some(_) | None => Spelled::Placed,
        }
    }

    /// An opt-in is an act with date, method, evidence and notice; a refusal with date and method;
    /// and a key that may only report brings reports (rules 4 and 16).
    fn standing(&self, row: &ImportRow, said: Option<Said>) -> Standing {
        let told = row.occurred_at.is_some() && row.method.is_some();
        let proven = told && row.evidence.is_some() && row.notice.is_some();
        match (self.context.highest, said) {
            (Standing::Act, Some(Said::OptIn)) if proven => Standing::Act,
            (Standing::Act, Some(Said::OptOut)) if told => Standing::Act,
            (Standing::Act | Standing::Report, _) => Standing::Report,
        }
    }

    /// Gives the row the scope of a topic that is named by id or by name. A refusal of an unknown
    /// topic refuses everything; an opt-in to one is in doubt, and its name comes back (rule 5).
    fn resolve_topic(
        &self,
        row: &mut ImportRow,
        faults: &mut Faults,
        remarks: &mut Vec<String>,
    ) -> Option<NoteText> {
        let text = row.topic.take()?;
        let refusal = matches!(row.statement, Some(ListedText(Said::OptOut)));
        if row.scope.is_some() {
            if refusal {
                remarks.push(
                    "/topic stands beside a scope: the refusal covers the whole channel".to_owned(),
                );
                row.scope = None;
            } else {
                faults.note(
                    "/topic",
                    Code::InvalidValue,
                    "stands beside a scope; send one of them",
                );
            }
            return None;
        }
        match find_topic(self.context.workspace, text.trim()) {
            Some(id) => row.scope = Some(ScopeText(Scope::Topic(id))),
            None if refusal => {
                remarks.push(
                    "the topic is unknown here: the refusal covers the whole channel".to_owned(),
                );
            }
            None => {
                let named = EvidenceText::parse(text.trim());
                let fault = |fault| faults.note("/topic", Code::InvalidValue, fault);
                return named.map(NoteText).map_err(fault).ok();
            }
        }
        None
    }

    fn hash(&self, row: &ImportRow) -> RequestHash {
        let mut fields = Writer::default();
        fields.text("import row");
        fields.raw(self.import.as_bytes());
        fields.text(self.context.source.name.as_str());
        row.write(&mut fields, self.region);
        RequestHash::of(&fields, &self.context.workspace.secret)
    }

    /// Makes the planned events those of this row of this import: a row sent again is the same.
    fn make_own(&self, plan: &mut Plan, hash: RequestHash, dating: Dating) {
        let workspace = self.context.workspace.id;
        let id = |part| event_id(workspace, RequestIdentity::Dated(hash), part);
        for (part, draft) in (0_u32..).zip(&mut plan.drafts) {
            draft.id = id(part);
            draft.request = hash;
            draft.basis = (part > 0).then(|| id(0));
            draft.import = Some(self.import);
            // Each row stands for itself: a row dropped as a repeat would be lost with the undoing
            // of the import that it repeats.
            draft.dating = Dating::Dated;
            if let (Fact::Consent(_, statement), Dating::Undated) = (draft.fact, dating) {
                draft.occurred_at = undated_row_at(statement);
            }
        }
    }
}

pub(super) fn errors_of(problem: &Problem) -> Vec<FieldError> {
    if problem.errors().is_empty() {
        let code = problem.code();
        vec![FieldError {
            pointer: String::new(),
            code,
            fault: code.title().to_owned(),
            example: None,
        }]
    } else {
        problem.errors().to_vec()
    }
}

impl RejectedRow {
    /// The row with all that is wrong with it, or with the first of it where a batch was told enough.
    pub(crate) fn within(mut self, told: &mut usize) -> Self {
        *told += self.errors.len();
        if *told > limits::BATCH_FAULTS_MAX {
            let more = self.errors.len().saturating_sub(1);
            self.errors.truncate(1);
            self.left_out += u64::try_from(more).unwrap_or(u64::MAX);
        }
        self
    }

    /// A line that is no row at all.
    pub(crate) fn unreadable(problem: &Problem) -> Self {
        Self { line: None, errors: errors_of(problem), left_out: problem.left_out() }
    }
}

/// A topic by id, or by name without regard to case; of several with one name a living one.
fn find_topic(workspace: &Workspace, text: &str) -> Option<TopicId> {
    if let Ok(id) = TopicId::parse(text) {
        return Some(id);
    }
    let wanted = text.to_lowercase();
    let named = workspace.topics.iter().filter(|(_, topic)| topic.name.to_lowercase() == wanted);
    named.min_by_key(|(id, topic)| (topic.deleted_at.is_some(), **id)).map(|(id, _)| *id)
}

impl ImportRow {
    /// The external id that stands beside another address: whose record the row speaks of.
    fn take_spoke_of(&mut self) -> Option<Address> {
        let is_beside = self.phone.is_some()
            || self.email.is_some()
            || self.channel_id.is_some()
            || self.hash.is_some();
        let id = if is_beside { self.external_id.take() } else { None };
        id.map(|OpaqueIdText(id)| Address::ExternalId(id))
    }

    fn into_request(
        self,
        standing: Standing,
        region: Option<Region>,
        unknown_topic: Option<NoteText>,
    ) -> ConsentRequest {
        let named = |name: &str, text: Option<NoteText>| Some((name.to_owned(), text?));
        let fields: BTreeMap<String, NoteText> = [
            named("evidence", self.evidence),
            named("source", self.source),
            named("topic", unknown_topic),
        ]
        .into_iter()
        .flatten()
        .collect();
        let evidence = (!fields.is_empty())
            .then(|| EvidenceRequest { fields: Some(fields), ..EvidenceRequest::default() });
        ConsentRequest {
            phone: self.phone,
            email: self.email,
            external_id: self.external_id,
            channel_id: self.channel_id,
            hash: self.hash,
            kind: self.kind,
            region: self.region.or(region.map(RegionText)),
            permission: self.permission,
            channel: self.channel,
            scope: self.scope,
            statement: self.statement.map(|ListedText(said)| StatementText(said)),
            standing: Some(StandingText(standing)),
            occurred_at: self.occurred_at,
            method: self.method,
            notice: self.notice,
            evidence,
            ..ConsentRequest::default()
        }
    }

    /// What was sent, field by field, in an order that never changes (rule 3).
    pub(super) fn write(&self, fields: &mut Writer, region: Option<Region>) {
        fields.number(self.line.map_or(0, u64::from));
        let mut put = |text: Option<String>| {
            fields.option(text.as_deref(), Writer::text);
        };
        let note = |note: &Option<NoteText>| {
            note.as_ref().map(|NoteText(text)| EvidenceText::as_str(text).to_owned())
        };
        put(self.phone.clone());
        put(self.email.clone());
        put(self.external_id.as_ref().map(|OpaqueIdText(id)| id.as_str().to_owned()));
        put(self.channel_id.as_ref().map(|OpaqueIdText(id)| id.as_str().to_owned()));
        put(self.hash.as_ref().map(|Sha256Text(hash)| hex(hash)));
        put(self.kind.as_ref().map(|KindText(kind)| kind.to_string()));
        let own = self.region.as_ref().map(|RegionText(region)| *region);
        put(own.or(region).map(|region| region.to_string()));
        put(self.permission.as_ref().map(|PermissionText(kind)| format!("{kind:?}")));
        put(self.channel.as_ref().map(|ChannelText(channel)| channel.to_string()));
        put(self.scope.as_ref().map(|ScopeText(scope)| scope.to_string()));
        put(self.topic.clone());
        put(self.statement.as_ref().map(|ListedText(said)| said.as_str().to_owned()));
        put(self
            .occurred_at
            .as_ref()
            .map(|ClaimedTimeText(at)| format!("{}/{}", at.first(), at.last())));
        put(note(&self.method));
        put(note(&self.evidence));
        put(note(&self.source));
        let notice = self.notice.as_ref();
        put(notice.and_then(|notice| notice.id.as_ref()).map(|NoticeIdText(id)| id.to_string()));
        put(notice.and_then(|notice| notice.version).map(|version| version.to_string()));
        let language = notice.and_then(|notice| notice.language.as_ref());
        put(language.map(|LanguageText(language)| language.to_string()));
    }
}

/// Whether a planned statement can lift anything at all: an undated yes is older than everything.
pub(crate) fn can_lift(plan: &Plan) -> bool {
    plan.drafts.iter().any(|draft| match draft.fact.consent() {
        Some((_, Statement::Single | Statement::Confirmed | Statement::Term(_))) => true,
        Some((_, Statement::Yes)) => draft.occurred_at != sayso_core::time::Timestamp::DISTANT_PAST,
        Some((
            _,
            Statement::OptOut
            | Statement::Hold
            | Statement::Pending
            | Statement::Start
            | Statement::Implied(_)
            | Statement::No,
        ))
        | None => false,
    })
}
