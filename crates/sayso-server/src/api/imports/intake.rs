//! Taking in rows: each judged by what is known of its person and by the rows before it.

use std::collections::BTreeMap;

use sayso_core::address::AddressKey;
use sayso_core::address::phone::Region;
use sayso_core::id::ImportId;
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::state::guard::Guard;
use sayso_core::state::lifting::{Lifted, lifted_by};
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Permission;
use sayso_core::words::event::ConsentEvent;
use sayso_core::words::source::{Actor, Road, Source, SourceName};
use sayso_core::words::statement::Standing;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Draft;
use sayso_store::store::{Moment, Outcome, Recorded, StoreError};
use tokio::task::JoinSet;

use super::Import;
use super::answer::RowAnswer;
use super::gupshup::{self, Read};
use super::number::{self, Spelled, Unplaced};
use super::row::{ImportRow, ListKind, PlannedRow, Planner, RejectedRow, can_lift};
use crate::api::consents::plan::Context;
use crate::app::App;
use crate::body::{Turn, parse_object, too_long};
use crate::caller::Caller;
use crate::observe::outcome_word;
use crate::problem::{Code, Problem};
use crate::rejecting::Rejecting;
use crate::views::consent::standing;

/// Whether rows are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They are.
    Record,
    /// They are only looked at.
    Preview,
}

/// What becomes of rows that lift a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifting {
    /// They are not stored.
    Held,
    /// They are stored: the compliance role said so.
    Allowed,
}

/// The rows of one request.
pub(crate) struct Intake<'a> {
    app: &'a App,
    workspace: &'a Workspace,
    settings: Settings,
    received: Timestamp,
    import: ImportId,
    source: Source,
    highest: Standing,
    region: Option<Region>,
    kind: ListKind,
    format: RowFormat,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowFormat {
    /// As this API has them.
    Rows,
    /// As Gupshup's API gives the users of an app.
    GupshupUsers,
}

impl RowFormat {
    /// Parses the word.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "rows" => Ok(Self::Rows),
            "gupshup-users" => Ok(Self::GupshupUsers),
            _ => Err("is none of rows, gupshup-users"),
        }
    }
}

/// A row on its way.
enum Taken {
    /// It is answered.
    Answered(RowAnswer),
    /// It is to be stored.
    Wanted(PlannedRow, Vec<Lifted>),
}

/// Rows whose events are stored together.
#[derive(Default)]
struct Group {
    rows: Vec<GroupedRow>,
    drafts: Vec<Draft>,
}

/// A row of a group: answered, or to be answered once its events are stored.
enum GroupedRow {
    Answered(RowAnswer),
    Waiting { row: PlannedRow, lifted: Vec<Lifted>, events: usize },
}

/// A group on its way to the store: while it is stored, the next is planned.
struct Storing {
    rows: Vec<GroupedRow>,
    recorded: JoinSet<Result<Vec<Recorded>, StoreError>>,
}

impl Group {
    /// Whether the row's events are to be stored with the next group.
    fn is_full_for(&self, taken: &Taken) -> bool {
        let events = match taken {
            Taken::Wanted(row, _) => row.plan.drafts.len(),
            Taken::Answered(_) => 0,
        };
        self.drafts.len() + events > limits::COMMIT_GROUP_MAX
    }

    fn push(&mut self, taken: Taken) {
        self.rows.push(match taken {
            Taken::Answered(answer) => GroupedRow::Answered(answer),
            Taken::Wanted(mut row, lifted) => {
                let events = row.plan.drafts.len();
                self.drafts.append(&mut row.plan.drafts);
                GroupedRow::Waiting { row, lifted, events }
            }
        });
    }
}

/// The events of the request's earlier rows, by address: not stored yet, but to be reckoned with.
type Earlier = BTreeMap<AddressKey, Vec<ConsentEvent>>;

impl<'a> Intake<'a> {
    /// An intake for an API key.
    pub(crate) fn begin(
        app: &'a App,
        caller: &'a Caller<Import>,
        import: ImportId,
        list: SourceName,
    ) -> Self {
        let received = app.now();
        let workspace = caller.workspace();
        Self {
            app,
            workspace,
            settings: workspace.settings.at(received),
            received,
            import,
            source: Source { road: Road::Import, name: list, spoke_of: None },
            highest: caller.key().highest,
            region: None,
            kind: ListKind::Consents,
            format: RowFormat::Rows,
        }
    }

    /// The intake for a list of this kind, written so.
    pub(crate) fn of(self, kind: ListKind, format: RowFormat) -> Self {
        Self { kind, format, ..self }
    }

    /// The intake for a list whose national numbers belong there.
    pub(crate) fn region(self, region: Option<Region>) -> Self {
        Self { region, ..self }
    }

    /// Takes in the rows, one a line, and answers each.
    pub(crate) async fn take(
        &self,
        text: &str,
        mode: Mode,
        lifting: Lifting,
    ) -> Result<Vec<RowAnswer>, Problem> {
        let lines = || text.lines().filter(|line| !line.trim().is_empty());
        match lines().count() {
            0 => return Err(Problem::new(Code::NotJson).detail("the body has no rows")),
            1..=limits::CONSENT_BATCH_ITEMS_MAX => {}
            _ => {
                let detail = format!("at most {} rows are taken", limits::CONSENT_BATCH_ITEMS_MAX);
                return Err(Problem::new(Code::TooManyItems).detail(detail));
            }
        }
        let planner = self.planner();
        let mut earlier = Earlier::new();
        let mut rejecting = Rejecting::of_import(self.app, self.workspace, self.import);
        let mut answers = Vec::new();
        let (mut group, mut storing) = (Group::default(), None);
        let (mut turn, mut told) = (Turn::default(), 0);
        let mut read = Vec::new();
        for line in lines() {
            read.push(self.read(line));
            turn.line(line.len()).await;
        }
        let is_national = self.are_national(&planner, &read, &mut turn).await;
        for (line, read) in lines().zip(read) {
            turn.line(line.len()).await;
            let planned = match read {
                Ok(Read::Silent(line)) => Ok(Err(RowAnswer::silent(line))),
                Ok(Read::Row(row))
                    if is_national && planner.spelled(&row.request) == Spelled::Unplaced =>
                {
                    let errors = vec![number::national()];
                    Err(RejectedRow { line: row.request.line, errors, left_out: 0 })
                }
                Ok(Read::Row(row)) => planner.plan(row.request, row.faults).map(Ok),
                Err(rejected) => Err(rejected),
            };
            let taken = match planned {
                Ok(Ok(row)) => self.judge(row, mode, lifting, &mut earlier).await?,
                Ok(Err(silent)) => Taken::Answered(silent),
                Err(rejected) => {
                    let rejected = rejected.within(&mut told);
                    let problem = Problem::of_fields(rejected.errors.clone());
                    rejecting.add(&problem, rejected.line, line.as_bytes());
                    Taken::Answered(RowAnswer::rejected(rejected))
                }
            };
            if group.is_full_for(&taken) {
                let full = std::mem::take(&mut group);
                storing = Some(self.store(full, storing, &mut answers).await?);
            }
            group.push(taken);
        }
        let last = self.store(group, storing, &mut answers).await?;
        self.settle(last, &mut answers).await?;
        // A preview keeps nothing; the rows of a request that failed are sent again.
        if mode == Mode::Record {
            rejecting.keep();
        }
        Ok(answers)
    }

    /// Reads a row, or a user of Gupshup's as one.
    fn read(&self, line: &str) -> Result<Read, RejectedRow> {
        if line.len() > limits::BODY_BYTES_MAX {
            let problem = too_long("a row", limits::BODY_BYTES_MAX);
            return Err(RejectedRow::unreadable(&problem));
        }
        match self.format {
            RowFormat::GupshupUsers => gupshup::read(line, self.app.phones()),
            RowFormat::Rows => parse_object::<ImportRow>(line)
                .map(|sent| Read::Row(Box::new(sent)))
                .map_err(|problem| RejectedRow::unreadable(&problem)),
        }
    }

    /// Whether many of the numbers that nobody places are valid nowhere: then none of them is taken.
    async fn are_national(
        &self,
        planner: &Planner<'_>,
        rows: &[Result<Read, RejectedRow>],
        turn: &mut Turn,
    ) -> bool {
        let mut unplaced = Unplaced::default();
        for row in rows {
            turn.line(0).await;
            if let Ok(Read::Row(row)) = row
                && planner.spelled(&row.request) == Spelled::Unplaced
                && let Some(phone) = &row.request.phone
            {
                unplaced.count(phone, self.app.phones());
            }
        }
        unplaced.are_national()
    }

    fn planner(&self) -> Planner<'_> {
        let context = Context {
            phones: self.app.phones(),
            workspace: self.workspace,
            settings: &self.settings,
            received: self.received,
            clock: self.app.server_clock(),
            source: &self.source,
            highest: self.highest,
            key: None,
            doubt: None,
        };
        Planner { context, import: self.import, region: self.region, kind: self.kind }
    }

    /// Whether a row is to be stored, and which refusals it lifts.
    async fn judge(
        &self,
        row: PlannedRow,
        mode: Mode,
        lifting: Lifting,
        earlier: &mut Earlier,
    ) -> Result<Taken, Problem> {
        let Some(first) = row.plan.drafts.first() else {
            return Err(Problem::new(Code::Internal));
        };
        let key = first.subject.key(&self.workspace.secret);
        let said: Vec<ConsentEvent> =
            row.plan.drafts.iter().map(|draft| draft.event(key, self.received)).collect();
        if mode == Mode::Record && !can_lift(&row.plan) {
            earlier.entry(key).or_default().extend(said);
            return Ok(Taken::Wanted(row, Vec::new()));
        }
        let stored = self.app.store().registers(self.workspace.id, &first.subject, Moment::Now);
        let mut registers = (*stored.await?).clone();
        join_all(&mut registers, earlier.get(&key).into_iter().flatten());
        let lifted: Vec<Lifted> = said
            .iter()
            .flat_map(|event| lifted_by(&registers, event, &row.plan.message, self.received))
            .collect();
        let is_held = !lifted.is_empty() && lifting == Lifting::Held;
        if is_held {
            let status = self.status(&row, &registers, self.received);
            let answer = RowAnswer::of(&row, "held", status, &lifted);
            return Ok(Taken::Answered(self.shown(&row, answer, mode)));
        }
        join_all(&mut registers, &said);
        earlier.entry(key).or_default().extend(said);
        Ok(match mode {
            Mode::Record => {
                let mut row = row;
                if lifting == Lifting::Held {
                    let guard = Guard::HeldIfLifting(row.plan.message);
                    row.plan.drafts.iter_mut().for_each(|draft| draft.guard = guard);
                }
                Taken::Wanted(row, lifted)
            }
            Mode::Preview => {
                let status = self.status(&row, &registers, self.received);
                let answer = RowAnswer::of(&row, "would_append", status, &lifted);
                Taken::Answered(self.shown(&row, answer, mode))
            }
        })
    }

    /// The answer with how the row's number is read, in a preview.
    fn shown(&self, row: &PlannedRow, mut answer: RowAnswer, mode: Mode) -> RowAnswer {
        if let (Mode::Preview, Some(number)) = (mode, &row.number) {
            let region = number.region(self.app.phones());
            answer.remarks.extend(number.remark(region));
            answer.region = region.map(|region| region.to_string());
        }
        answer
    }

    /// Begins to store a group once the one before it is stored. Groups are small, so that others'
    /// refusals never wait for a whole list. What one group stored stays stored if a later one
    /// fails: the rows are sent again as a whole.
    async fn store(
        &self,
        group: Group,
        before: Option<Storing>,
        answers: &mut Vec<RowAnswer>,
    ) -> Result<Storing, Problem> {
        if let Some(before) = before {
            self.settle(before, answers).await?;
        }
        let (store, workspace) = (self.app.shared_store(), self.workspace.id);
        let Group { rows, drafts } = group;
        let mut recorded = JoinSet::new();
        recorded.spawn(async move {
            if drafts.is_empty() { Ok(Vec::new()) } else { store.record(workspace, drafts).await }
        });
        Ok(Storing { rows, recorded })
    }

    /// Waits until a group is stored, and answers its rows.
    async fn settle(
        &self,
        mut group: Storing,
        answers: &mut Vec<RowAnswer>,
    ) -> Result<(), Problem> {
        let recorded = group.recorded.join_next().await.and_then(Result::ok);
        let recorded = recorded.ok_or_else(|| Problem::new(Code::Internal))??;
        let mut recorded = recorded.into_iter();
        for row in group.rows {
            answers.push(match row {
                GroupedRow::Answered(answer) => answer,
                GroupedRow::Waiting { row, lifted, events } => {
                    let events: Vec<Recorded> = recorded.by_ref().take(events).collect();
                    self.answer(&row, &events, &lifted)?
                }
            });
        }
        Ok(())
    }

    fn answer(
        &self,
        row: &PlannedRow,
        recorded: &[Recorded],
        lifted: &[Lifted],
    ) -> Result<RowAnswer, Problem> {
        let (Some(first), Some(last)) = (recorded.first(), recorded.last()) else {
            return Err(Problem::new(Code::Internal));
        };
        for event in recorded {
            self.app.metrics().count_consent(event.outcome);
        }
        let status = self.status(row, &last.registers, self.received.max(last.recorded_at));
        if first.outcome == Outcome::Withheld {
            // Somebody refused after the row was looked at.
            return Ok(RowAnswer::of(row, "held", status, &self.withheld(row, first)));
        }
        let answer = RowAnswer::of(row, outcome_word(first.outcome), status, lifted);
        Ok(RowAnswer { event: Some(first.id.to_string()), ..answer })
    }

    /// What a row would have lifted that its guard withheld.
    fn withheld(&self, row: &PlannedRow, first: &Recorded) -> Vec<Lifted> {
        let event = ConsentEvent {
            id: first.id,
            key: AddressKey::from_bytes([0; 16]),
            fact: first.fact,
            source: self.source.clone(),
            actor: Actor::Operator,
            occurred_at: first.occurred_at,
            recorded_at: first.recorded_at,
            import: Some(self.import),
            basis: None,
        };
        lifted_by(&first.registers, &event, &row.plan.message, self.received)
    }

    /// Where the person stands towards messages, if the row is about messages.
    fn status(
        &self,
        row: &PlannedRow,
        registers: &Registers,
        now: Timestamp,
    ) -> Option<&'static str> {
        if self.kind != ListKind::Consents {
            return None;
        }
        match row.plan.permission {
            Permission::Messages(..) => {
                Some(standing(registers, &row.plan.message, &self.settings, now).status)
            }
            Permission::Processing => None,
        }
    }
}

/// Takes in statements; none of them leaves others out.
fn join_all<'a>(registers: &mut Registers, events: impl IntoIterator<Item = &'a ConsentEvent>) {
    for event in events {
        let _done = registers.join(event);
    }
}
