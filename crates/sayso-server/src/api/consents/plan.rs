//! From what a client sent to the events it makes: pure, given the configuration and the receipt.
//!
//! Rules 1 to 5 are applied here: a refusal is accepted in doubt, and what was in doubt is remarked
//! in the answer; an opt-in in doubt is `pending`, and the answer says why and what to do; what is
//! malformed in an opt-in is refused with every fault that was found.

use std::collections::BTreeMap;

use sayso_core::address::phone::PhoneBook;
use sayso_core::limits;
use sayso_core::policy::Way;
use sayso_core::policy::pack::Pack;
use sayso_core::policy::settings::Settings;
use sayso_core::state::capture::{
    Receipt, ServerClock, permissions_of, read_in_doubt, settle_time, start,
};
use sayso_core::state::guard::Guard;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Message, Permission, Scope};
use sayso_core::words::doubt::Doubt;
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::notice::Notice;
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Source};
use sayso_core::words::statement::{Level, Standing, Statement};
use sayso_core::workspace::Workspace;
use sayso_plan::draft::{Dating, Draft, Drafter, Subject};
use sayso_plan::evidence;

use super::request::{ConsentRequest, EvidenceRequest, NoticeRequest};
use crate::body::address::{Care, Place, Reading};
use crate::body::texts::{
    BasisText, ChannelText, ClaimedTimeText, LanguageText, LevelText, NoteText, NoticeIdText,
    PermissionKind, PermissionText, RegionText, Said, ScopeText, StandingText, StatementText,
    TimeText,
};
use crate::body::{Faults, Told};
use crate::problem::{Code, Problem};
use sayso_plan::judging;
use sayso_plan::judging::message_for;

/// What a refusal may get wrong and still be taken (rule 5).
const DOUBTFUL: [&str; 8] =
    ["/scope", "/notice", "/evidence", "/method", "/occurred_at", "/level", "/ends_at", "/basis"];

/// What planning depends on.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// What is known of phone numbers.
    pub(crate) phones: &'a PhoneBook,
    /// The workspace.
    pub(crate) workspace: &'a Workspace,
    /// Its settings in force.
    pub(crate) settings: &'a Settings,
    /// When the request arrived.
    pub(crate) received: Timestamp,
    /// What the server's clock was worth then.
    pub(crate) clock: ServerClock,
    /// Who sent it.
    pub(crate) source: &'a Source,
    /// The highest standing it may record.
    pub(crate) highest: Standing,
    /// The idempotency key, made the caller's own.
    pub(crate) key: Option<&'a str>,
    /// What was in doubt about the scope before the request was made of it.
    pub(crate) doubt: Option<Doubt>,
}

/// The events that one request makes, and the message whose status answers it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// One event, and a second where an opt-in gives the processing permission too. A START has beside it
    /// what rule 19 says of categories that are refused, and a pending for those who never opted in.
    pub(crate) drafts: Vec<Draft>,
    /// The permission that was stated.
    pub(crate) permission: Permission,
    /// A message that needs that permission.
    pub(crate) message: Message,
    /// What was in doubt, and how it was read.
    pub(crate) remarks: Vec<String>,
    /// Why an opt-in is recorded as pending.
    pub(crate) doubt: Option<Doubt>,
}

impl Plan {
    /// Whether it takes something away, and so is recorded whatever the limits say (rule 5).
    pub(crate) fn refuses(&self) -> bool {
        self.drafts.iter().any(|draft| draft.fact.is_refusal())
    }
}

/// One request under planning.
struct Planning<'a> {
    context: &'a Context<'a>,
    faults: Faults,
    remarks: Vec<String>,
    said: Option<Said>,
    standing: Option<Standing>,
    doubt: Option<Doubt>,
    /// The policy that an opt-in by act was judged by.
    judged_by: Option<String>,
}

/// Plans the events of one request; `index` is its place in a batch.
pub(crate) fn plan(
    mut request: ConsentRequest,
    faults: Faults,
    index: u32,
    context: &Context<'_>,
) -> Result<Plan, Problem> {
    let hash = request.hash(&context.source.name, &context.workspace.secret);
    let mut planning = Planning::begin(&request, faults, context);
    let permission = planning.permission(&request);
    let statement = planning.statement(&request, permission);
    let occurred_at = planning.occurred_at(&request, statement);
    planning.check_end(statement, occurred_at);
    let notice = planning.notice(request.notice.take(), permission);
    planning.require_proof(&request, notice);
    let subject = planning.subject(&mut request);
    let dating = if request.occurred_at.is_some() { Dating::Dated } else { Dating::Undated };
    let evidence = planning.evidence(request, notice);
    planning.check_standing()?;
    let read = planning.read_in_doubt(statement.zip(permission));
    let Planning { faults, remarks, doubt, .. } = planning;
    let known = subject.zip(read).zip(statement.zip(occurred_at));
    let ((subject, (statement, permission)), (said, occurred_at)) = faults.settle(known)?;
    let identity = match (context.key, dating, doubt) {
        (Some(key), _, _) => {
            RequestIdentity::Key(RequestHash::of_key(key, &context.workspace.secret))
        }
        (None, Dating::Dated, _) => RequestIdentity::Dated(hash),
        // A report in doubt has no register of its source to be compared with (rule 4).
        (None, Dating::Undated, Some(_)) if said.standing() == Standing::Report => {
            RequestIdentity::Dated(hash)
        }
        (None, Dating::Undated, _) => RequestIdentity::Undated(hash, context.received),
    };
    // Under a key the items of a batch are told apart by their places; else by what they say.
    let place = match identity {
        RequestIdentity::Key(_) => index,
        RequestIdentity::Dated(_) | RequestIdentity::Undated(..) => 0,
    };
    let actor = match said.standing() {
        Standing::Act => Actor::Subject,
        Standing::Report => Actor::Operator,
    };
    let identity = (context.workspace.id, identity);
    let drafter = Drafter::new(identity, context.source.clone(), actor, occurred_at)
        .of_request(hash)
        .with_dating(dating)
        .with_evidence(evidence);
    let own = place.saturating_mul(2);
    let draft = |(permission, statement), part| {
        drafter.draft(subject.clone(), Fact::Consent(permission, statement), part)
    };
    let mut drafts = vec![draft((permission, statement), own)];
    let first = Some(drafter.id(own));
    if statement == Statement::Start {
        let parts = STARTS_FROM.saturating_add(place.saturating_mul(STARTS_PER_REQUEST))..;
        let besides = parts.zip(started_besides(permission));
        drafts.extend(besides.map(|(part, (permission, statement, guard))| {
            draft((permission, statement), part).resting_on(first).guarded(guard)
        }));
    }
    if permissions_of(permission, statement, notice).any(|other| other != permission) {
        drafts.push(draft((Permission::Processing, statement), own + 1).resting_on(first));
    }
    Ok(Plan {
        drafts,
        permission,
        message: message_for(permission, context.workspace),
        remarks,
        doubt,
    })
}

/// Where the parts of a request begin that START says besides, past those of every place of a batch.
const STARTS_FROM: u32 = 1 << 31;
/// The parts that one START may have.
const STARTS_PER_REQUEST: u32 = 16;

/// What START says besides: about everything on the channel what rule 19 says; in a narrower scope, that
/// the person is to be asked who never opted in.
fn started_besides(permission: Permission) -> Vec<(Permission, Statement, Guard)> {
    match permission {
        Permission::Messages(channel, Scope::All) => start(channel, None).skip(1).collect(),
        Permission::Messages(..) | Permission::Processing => {
            vec![(permission, Statement::Pending, Guard::WithoutOptIn)]
        }
    }
}

impl<'a> Planning<'a> {
    fn begin(request: &ConsentRequest, mut faults: Faults, context: &'a Context<'a>) -> Self {
        let said = request.statement.as_ref().map(|StatementText(said)| *said);
        let said = faults.require("/statement", said, "opt_in");
        let standing = request.standing.as_ref().map(|StandingText(standing)| *standing);
        let standing = faults.require("/standing", standing, "report");
        let doubts = match said {
            Some(said) if said.is_refusal() => faults.take_at(&DOUBTFUL),
            Some(_) | None => Told::default(),
        };
        let remarks = doubts.remarks().collect();
        let doubt = context.doubt;
        Self { context, remarks, faults, said, standing, doubt, judged_by: None }
    }

    fn is_refusal(&self) -> bool {
        self.said.is_some_and(Said::is_refusal)
    }

    fn is_opt_in(&self) -> bool {
        matches!(self.said, Some(Said::OptIn | Said::Implied))
    }

    fn permission(&mut self, request: &ConsentRequest) -> Option<Permission> {
        let kind = request
            .permission
            .as_ref()
            .map_or(PermissionKind::Messages, |PermissionText(kind)| *kind);
        let channel = request.channel.as_ref().map(|ChannelText(channel)| *channel);
        match kind {
            PermissionKind::Processing => {
                let alone = "does not go with the permission to process";
                if channel.is_some() {
                    self.faults.note("/channel", Code::InvalidValue, alone);
                }
                if request.scope.is_some() {
                    self.faults.note("/scope", Code::InvalidValue, alone);
                }
                if !matches!(self.said, None | Some(Said::OptIn | Said::OptOut)) {
                    self.faults.note(
                        "/statement",
                        Code::InvalidValue,
                        "must be opt_in or opt_out for processing",
                    );
                }
                Some(Permission::Processing)
            }
            PermissionKind::Messages => {
                let channel = self.faults.require("/channel", channel, "sms")?;
                let scope = request.scope.as_ref().map_or(Scope::All, |ScopeText(scope)| *scope);
                self.doubt = self.doubt.or(self.doubt_about(channel, scope));
                Some(Permission::Messages(channel, scope))
            }
        }
    }

    /// Why it is in doubt what is meant: the workspace does not know the sender or topic, or for an
    /// opt-in has it no longer.
    fn doubt_about(&self, channel: Channel, scope: Scope) -> Option<Doubt> {
        let workspace = self.context.workspace;
        let counts = |deleted: Option<Timestamp>| self.is_refusal() || deleted.is_none();
        match scope {
            Scope::All | Scope::Category(_) => None,
            Scope::Sender(id) => {
                let sender = workspace.senders.get(&id);
                let known = sender
                    .is_some_and(|known| known.channel == channel && counts(known.deleted_at));
                (!known).then_some(Doubt::UnknownSender)
            }
            Scope::Topic(id) => {
                let topic = workspace.topics.get(&id);
                let known = topic.is_some_and(|known| counts(known.deleted_at));
                (!known).then_some(Doubt::UnknownTopic)
            }
        }
    }

    /// What is recorded, given the doubt (rule 5). How a refusal was read is a remark; the doubt of
    /// anything else stays in the plan.
    fn read_in_doubt(
        &mut self,
        stated: Option<(Statement, Permission)>,
    ) -> Option<(Statement, Permission)> {
        let (statement, permission) = stated?;
        let (Permission::Messages(channel, named), Some(_)) = (permission, self.doubt) else {
            return stated;
        };
        if self.is_refusal() {
            self.doubt = None;
            self.remarks
                .push(format!("{named} is unknown here: the refusal covers the whole channel"));
        }
        let (statement, scope) = read_in_doubt(statement, named);
        Some((statement, Permission::Messages(channel, scope)))
    }

    /// What is said, of which an act is judged by the policy of its channel (rule 6).
    fn statement(
        &mut self,
        request: &ConsentRequest,
        permission: Option<Permission>,
    ) -> Option<Statement> {
        let (said, standing) = self.said.zip(self.standing)?;
        let level = request.level.as_ref().map(|LevelText(level)| *level);
        let ends_at = request.ends_at.as_ref().map(|TimeText(at)| *at);
        let implied_until = self.implied_until(request, said, permission);
        let ends_at = ends_at.or(implied_until);
        let statement = match standing {
            Standing::Report => return self.report(said, level, ends_at),
            Standing::Act => self.act(said, level, ends_at)?,
        };
        if let Some(Permission::Messages(channel, _)) = permission {
            let method = request.method.as_ref().map_or("", |NoteText(text)| text.as_str());
            let way = Way::of_road(self.context.source.road, method, channel);
            let policies = &self.context.settings.policies;
            let judged = policies.judge(Permission::Messages(channel, Scope::All), statement, way);
            self.judged_by = judged.judged_by;
            self.doubt = self.doubt.or(judged.doubt);
        }
        Some(statement)
    }

    /// Until when the relation that a request names implies consent, by the country packs of the settings;
    /// of several the first end.
    fn implied_until(
        &mut self,
        request: &ConsentRequest,
        said: Said,
        permission: Option<Permission>,
    ) -> Option<Timestamp> {
        let BasisText(basis) = *request.basis.as_ref()?;
        if said != Said::Implied {
            let fault = "goes with the statement implied only";
            self.faults.note("/basis", Code::InvalidValue, fault);
            return None;
        }
        let Permission::Messages(channel, _) = permission? else { return None };
        let packs = self.context.settings.country_packs.iter();
        let spans = packs.filter_map(|name| Pack::named(*name).implied_for(basis, channel));
        let Some(span) = spans.min() else {
            if request.ends_at.is_none() {
                let fault = format!(
                    "is {basis}, for which no country pack of the settings names an end; send ends_at"
                );
                self.faults.note("/basis", Code::InvalidValue, fault);
            }
            return None;
        };
        let ClaimedTimeText(since) = request.occurred_at.as_ref()?;
        Some(since.first().min(self.context.received).plus(span))
    }

    fn report(
        &mut self,
        said: Said,
        level: Option<Level>,
        ends_at: Option<Timestamp>,
    ) -> Option<Statement> {
        let acts_only = "goes with an act only";
        match said {
            Said::OptIn => {
                if level.is_some() {
                    self.faults.note("/level", Code::NotAReport, acts_only);
                }
                if ends_at.is_some() {
                    self.faults.note("/ends_at", Code::NotAReport, acts_only);
                }
                Some(Statement::Yes)
            }
            Said::OptOut => Some(Statement::No),
            Said::Hold | Said::Pending | Said::Start | Said::Implied => {
                self.faults.note_with_example("/statement", Code::NotAReport, acts_only, "opt_in");
                None
            }
        }
    }

    fn act(
        &mut self,
        said: Said,
        level: Option<Level>,
        ends_at: Option<Timestamp>,
    ) -> Option<Statement> {
        if !self.is_opt_in() && !self.is_refusal() && (level.is_some() || ends_at.is_some()) {
            self.faults.note("/statement", Code::InvalidValue, "takes neither level nor ends_at");
        }
        match said {
            Said::OptOut => Some(Statement::OptOut),
            Said::Hold => Some(Statement::Hold),
            Said::Pending => Some(Statement::Pending),
            Said::Start => Some(Statement::Start),
            Said::Implied => self
                .faults
                .require("/ends_at", ends_at, "2027-11-21T10:00:00Z")
                .map(Statement::Implied),
            Said::OptIn => match (level.unwrap_or(Level::Single), ends_at) {
                (Level::Single, None) => Some(Statement::Single),
                (Level::Confirmed, None) => Some(Statement::Confirmed),
                (Level::Single, Some(end)) => Some(Statement::Term(end)),
                (Level::Confirmed, Some(_)) => {
                    self.faults.note(
                        "/ends_at",
                        Code::InvalidValue,
                        "does not go with the level confirmed",
                    );
                    None
                }
                (Level::Implied, _) => {
                    let fault = "is not the level of an opt_in; send the statement implied";
                    self.faults.note_with_example("/level", Code::InvalidValue, fault, "single");
                    None
                }
            },
        }
    }

    fn occurred_at(
        &mut self,
        request: &ConsentRequest,
        statement: Option<Statement>,
    ) -> Option<Timestamp> {
        let claimed = request.occurred_at.as_ref().map(|ClaimedTimeText(at)| *at);
        let receipt = Receipt { at: self.context.received, clock: self.context.clock };
        let settled = settle_time(statement?, claimed, receipt);
        settled
            .map_err(|fault| {
                let now = self.context.received.to_string();
                self.faults.note_with_example("/occurred_at", Code::TimeInTheFuture, fault, now);
            })
            .ok()
    }

    fn check_end(&mut self, statement: Option<Statement>, occurred_at: Option<Timestamp>) {
        let end = statement.and_then(Statement::ends_at);
        if end.zip(occurred_at).is_some_and(|(end, occurred_at)| end <= occurred_at) {
            self.faults.note("/ends_at", Code::EndInThePast, "is not later than occurred_at");
        }
    }

    /// The published notice, if it is known and names the permission.
    fn notice(
        &mut self,
        sent: Option<NoticeRequest>,
        permission: Option<Permission>,
    ) -> Option<&'a Notice> {
        let sent = sent?;
        if self.is_refusal()
            && (sent.id.is_none() || sent.version.is_none() || sent.language.is_none())
        {
            return None;
        }
        let id = self.faults.require("/notice/id", sent.id, "ntc_01jd6m9k3te5b8r5v3x5y6z7w8");
        let version = self.faults.require("/notice/version", sent.version, "1");
        let language = self.faults.require("/notice/language", sent.language, "en");
        let (NoticeIdText(id), (version, LanguageText(language))) =
            id.zip(version.zip(language))?;
        let published = self.context.workspace.notices.get(&id);
        let notice = published.and_then(|notice| notice.versions.get(&(version, language)));
        match notice {
            None if self.is_refusal() => {
                self.remarks.push("the notice is unknown here: left out".to_owned());
            }
            None => self.faults.note(
                "/notice",
                Code::UnknownNotice,
                "is not published in this version and language",
            ),
            Some(notice) if self.is_opt_in() && self.standing == Some(Standing::Act) => {
                // Whether the words name what is unknown cannot be told, and nothing is granted.
                let is_known = match self.doubt {
                    None | Some(Doubt::NotAdmitted | Doubt::Unproven) => true,
                    Some(Doubt::UnknownSender | Doubt::UnknownTopic) => false,
                };
                if permission.is_some_and(|named| {
                    is_known && !self.context.workspace.is_named(notice, named)
                }) {
                    self.faults.note(
                        "/notice",
                        Code::NoticeDoesNotCover,
                        "does not name what the opt-in covers",
                    );
                }
            }
            Some(_) => {}
        }
        notice
    }

    /// An opt-in by act needs a time, a method and a notice; START and implied consent a time and a
    /// method (rule 4). The workspace may demand a notice of every opt-in.
    fn require_proof(&mut self, request: &ConsentRequest, notice: Option<&Notice>) {
        let wants_notice = match (self.standing, self.said) {
            (Some(Standing::Act), Some(Said::OptIn)) => true,
            (Some(Standing::Act), Some(Said::Implied | Said::Start)) => false,
            (_, _) => {
                self.require_demanded_notice(notice);
                return;
            }
        };
        let needed = "is needed for an act; without it, record a report";
        if request.occurred_at.is_none() && !self.faults.is_wrong_at(&["/occurred_at"]) {
            self.faults.note_with_example(
                "/occurred_at",
                Code::NotAnAct,
                needed,
                "2026-11-21T10:00:00Z",
            );
        }
        if request.method.is_none() && !self.faults.is_wrong_at(&["/method"]) {
            self.faults.note_with_example("/method", Code::NotAnAct, needed, "checkbox");
        }
        if !wants_notice || self.context.settings.notice_required {
            self.require_demanded_notice(notice);
        } else if notice.is_none() && !self.faults.is_wrong_at(&["/notice"]) {
            self.faults.note("/notice", Code::NotAnAct, needed);
        }
    }

    fn require_demanded_notice(&mut self, notice: Option<&Notice>) {
        let demanded = self.context.settings.notice_required && self.is_opt_in();
        if demanded && notice.is_none() && !self.faults.is_wrong_at(&["/notice"]) {
            self.faults.note(
                "/notice",
                Code::NoticeRequired,
                "is demanded by the workspace for each opt-in",
            );
        }
    }

    fn subject(&mut self, request: &mut ConsentRequest) -> Option<Subject> {
        let region = request.region.as_ref().map(|RegionText(region)| *region);
        let reading = Reading {
            phones: self.context.phones,
            region: region.or(self.context.settings.region),
            care: if self.is_refusal() { Care::Possible } else { Care::Valid },
            place: Place::Body,
        };
        let subject = request.take_address().settle(&reading, &mut self.faults);
        if matches!(subject, Some(Subject::Hash(_))) && !self.is_refusal() {
            self.faults.note("/hash", Code::HashedOptIn, "may be used for a refusal only");
        }
        subject
    }

    fn evidence(&mut self, request: ConsentRequest, notice: Option<&Notice>) -> Evidence {
        let text = |note: Option<NoteText>| note.map(|NoteText(text)| text);
        let sent = request.evidence.unwrap_or_default();
        let mut fields = self.evidence_fields(sent.fields.unwrap_or_default());
        let basis = request.basis.map(|BasisText(basis)| basis);
        fields.extend(evidence::fields(basis.iter().map(|it| (evidence::BASIS, it.as_str()))));
        let EvidenceRequest { page, ip, user_agent, .. } = EvidenceRequest { fields: None, ..sent };
        let mut evidence = Evidence {
            method: text(request.method),
            notice: notice.map(Notice::reference),
            page: text(page),
            ip: text(ip),
            user_agent: text(user_agent),
            fields,
        };
        let doubt = self.doubt.filter(|_| !self.is_refusal());
        judging::keep(self.judged_by.as_deref(), doubt, &mut evidence);
        evidence
    }

    fn evidence_fields(
        &mut self,
        sent: BTreeMap<String, NoteText>,
    ) -> BTreeMap<EvidenceText, EvidenceText> {
        if sent.len() > limits::EVIDENCE_FIELDS_MAX {
            if self.is_refusal() {
                self.remarks.push(
                    "/evidence/fields has more than 32 fields: the rest is left out".to_owned(),
                );
            } else {
                self.faults.note("/evidence/fields", Code::InvalidValue, "has more than 32 fields");
            }
        }
        let named = sent
            .into_iter()
            .filter_map(|(name, NoteText(text))| Some((EvidenceText::parse(&name).ok()?, text)));
        named.take(limits::EVIDENCE_FIELDS_MAX).collect()
    }

    /// A key that may only report records no act (rule 4).
    fn check_standing(&self) -> Result<(), Problem> {
        match (self.context.highest, self.standing) {
            (Standing::Report, Some(Standing::Act)) => Err(Problem::new(Code::StandingTooHigh)),
            (Standing::Report | Standing::Act, _) => Ok(()),
        }
    }
}
