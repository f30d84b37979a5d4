//! Several clients at once against the slow model: acts, ticks, rows, pages, START, retractions and undone
//! imports in one commit or in several, over commits that fail and over restarts.
//!
//! What the store says must be what the rules say of the ledger that it shows, and each guarded event must
//! be what its guard makes of everything that was written before it.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use sayso_core::gate::decision::{Circumstances, Requirement, SenderState};
use sayso_core::id::{EventId, ImportId, SenderId, TopicId, WorkspaceId};
use sayso_core::policy::settings::Settings;
use sayso_core::state::capture::start;
use sayso_core::state::guard::{Guard, Guarded};
use sayso_core::state::registers::Registers;
use sayso_core::state::retraction::Role;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::{ConsentEvent, Fact};
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::source::{Actor, Road};
use sayso_core::words::statement::Statement;
use sayso_plan::draft::{Draft, Subject};
use sayso_store::Store;
use sayso_store::conformance::{at, phone, said, source, workspace};
use sayso_store::environment::Environment;
use sayso_store::sqlite::{Options, SqliteStore};
use sayso_store::store::{
    HistoryQuery, Outcome, Question, Recipient, Recorded, RetractDraft, StoreError,
};

use crate::faults::{Fault, Faults};

#[path = "../../../sayso-core/tests/it/support/model.rs"]
mod model;

const SENDER: SenderId = SenderId::from_bytes([0x51; 16]);
const TOPIC: TopicId = TopicId::from_bytes([0x71; 16]);
const IMPORT: ImportId = ImportId::from_bytes([0x33; 16]);
const PEOPLE: u64 = 3;
const ROUNDS: u32 = 10;
const SEEDS: u64 = 200;
/// Seeds that found something once.
const KEPT: [u64; 0] = [];

/// Numbers that are the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % most
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.below(u64::try_from(items.len()).unwrap())).unwrap()]
    }
}

/// What one client sends.
enum Sent {
    Drafts(Vec<Draft>),
    Retraction(RetractDraft),
}

/// What is known of a run.
struct Run {
    chance: Chance,
    workspace: WorkspaceId,
    /// What was asked under each guard, and under which.
    asked: Vec<(EventId, Fact, Guard)>,
    events: Vec<(u64, EventId)>,
    undone: BTreeSet<ImportId>,
    serial: u64,
    last: Option<Vec<Draft>>,
}

const fn on(scope: Scope) -> Permission {
    Permission::Messages(Channel::Sms, scope)
}

fn about_t() -> Message {
    let ordinary = Message::ordinary(Channel::Sms, Category::Marketing);
    Message { sender: Some(SENDER), topic: Some(TOPIC), ..ordinary }
}

/// A message that needs the permission.
fn message_for(scope: Scope) -> Message {
    let ordinary = Message::ordinary(Channel::Sms, Category::Marketing);
    match scope {
        Scope::All => ordinary,
        Scope::Sender(sender) => Message { sender: Some(sender), ..ordinary },
        Scope::Category(category) => Message::ordinary(Channel::Sms, category),
        Scope::Topic(topic) => Message { topic: Some(topic), ..ordinary },
    }
}

impl Run {
    fn scope(&mut self) -> Scope {
        self.chance.of(&[
            Scope::All,
            Scope::All,
            Scope::Category(Category::Marketing),
            Scope::Sender(SENDER),
            Scope::Topic(TOPIC),
        ])
    }

    fn draft(
        &mut self,
        n: u64,
        statement: Statement,
        guard: Option<fn(Message) -> Guard>,
    ) -> Draft {
        let scope = self.scope();
        let minutes = i64::try_from(self.chance.below(60)).unwrap();
        let draft = said(self.workspace, &phone(n), on(scope), statement, minutes);
        let mut draft = self.unique(draft);
        if let Some(guard) = guard {
            draft.guard = guard(message_for(scope));
            draft.source = source(Road::Form, "shop");
        }
        if matches!(statement, Statement::Yes | Statement::No) {
            draft.source = source(Road::Tag, "shop");
        }
        draft
    }

    /// Gives a draft an id that no other has.
    fn unique(&mut self, draft: Draft) -> Draft {
        self.serial += 1;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.serial.to_le_bytes());
        let request = RequestHash(bytes);
        let id = event_id(self.workspace, RequestIdentity::Dated(request), 0);
        Draft { id, request, ..draft }
    }

    /// What a client sends: something new, or once in eight what was sent before.
    fn next(&mut self) -> Sent {
        match &self.last {
            Some(drafts) if self.chance.below(8) == 0 => Sent::Drafts(drafts.clone()),
            _ => {
                let sent = self.fresh();
                if let Sent::Drafts(drafts) = &sent {
                    self.last = Some(drafts.clone());
                }
                sent
            }
        }
    }

    /// What a client sends of one person.
    fn fresh(&mut self) -> Sent {
        let n = self.chance.below(PEOPLE);
        let tick = self.chance.of(&[Statement::Single, Statement::Confirmed]);
        match self.chance.below(10) {
            0..=2 => {
                let refusal = self.chance.of(&[
                    Statement::OptOut,
                    Statement::OptOut,
                    Statement::Hold,
                    Statement::No,
                ]);
                Sent::Drafts(vec![self.draft(n, refusal, None)])
            }
            3 => {
                let statement = self.chance.of(&[
                    Statement::Single,
                    Statement::Yes,
                    Statement::Pending,
                    Statement::Start,
                    Statement::Implied(at(500)),
                    Statement::Term(at(400)),
                ]);
                Sent::Drafts(vec![self.draft(n, statement, None)])
            }
            4 | 5 => {
                let first = self.draft(n, tick, Some(Guard::LiftsNothing));
                let second = self.draft(n, tick, Some(Guard::LiftsNothing));
                Sent::Drafts(vec![first, second])
            }
            6 => {
                let draft = self.draft(n, tick, Some(Guard::HeldIfLifting));
                Sent::Drafts(vec![Draft { import: Some(IMPORT), ..draft }])
            }
            7 => {
                let shown_at = at(i64::try_from(self.chance.below(60)).unwrap());
                let mut draft = self.draft(n, tick, Some(Guard::LiftsNothing));
                if let Guard::LiftsNothing(message) = draft.guard {
                    draft.guard = Guard::NotRefusedSince(message, shown_at);
                }
                Sent::Drafts(vec![draft])
            }
            8 => Sent::Drafts(self.start(n)),
            _ => match self.events.len() {
                0 => Sent::Drafts(vec![self.draft(n, Statement::OptOut, None)]),
                many => {
                    let place = self.chance.below(u64::try_from(many).unwrap());
                    let (n, event) = self.events[usize::try_from(place).unwrap()];
                    Sent::Retraction(RetractDraft {
                        subject: Subject::Address(phone(n)),
                        event,
                        role: Role::Compliance,
                        source: source(Road::Operator, "portal"),
                        actor: Actor::Operator,
                        reason: None,
                    })
                }
            },
        }
    }

    fn start(&mut self, n: u64) -> Vec<Draft> {
        let minutes = i64::try_from(self.chance.below(60)).unwrap();
        let mut first: Option<EventId> = None;
        let draft = |(about, statement, guard): (Permission, Statement, Guard)| {
            let draft = said(self.workspace, &phone(n), about, statement, minutes);
            let draft = self.unique(draft);
            let basis = first.filter(|_| guard != Guard::None);
            first = first.or(Some(draft.id));
            Draft { guard, basis, ..draft }
        };
        start(Channel::Sms, Some(SENDER)).map(draft).collect()
    }

    /// Several clients send at once.
    async fn round(&mut self, store: &SqliteStore) -> Vec<Result<Vec<Recorded>, StoreError>> {
        let clients = 2 + self.chance.below(5);
        let sent: Vec<Sent> = (0..clients).map(|_| self.next()).collect();
        for sent in &sent {
            let Sent::Drafts(drafts) = sent else { continue };
            for draft in drafts {
                self.asked.push((draft.id, draft.fact, draft.guard));
                let of = (0..PEOPLE).find(|n| draft.subject == Subject::Address(phone(*n)));
                self.events.extend(of.map(|n| (n, draft.id)));
            }
        }
        let workspace = self.workspace;
        let calls = sent.into_iter().map(async |sent| match sent {
            Sent::Drafts(drafts) => store.record(workspace, drafts).await,
            Sent::Retraction(target) => store.retract(workspace, target).await.map(|_| Vec::new()),
        });
        join_all(calls).await
    }

    /// What the store says of each person is what the rules say of their events.
    async fn judge(&self, store: &SqliteStore, answers: &[Result<Vec<Recorded>, StoreError>]) {
        let now = Environment::system().clock.now();
        let mut stored = BTreeSet::new();
        for n in 0..PEOPLE {
            let subject = Subject::Address(phone(n));
            let newest = HistoryQuery::newest(1_000);
            let history = store.history(self.workspace, &subject, &newest).await.unwrap();
            let mut events: Vec<ConsentEvent> =
                history.entries.into_iter().map(|entry| entry.event).collect();
            events.sort_by_key(|event| event.recorded_at);
            stored.extend(events.iter().map(|event| (event.id, event.recorded_at)));
            let moment = sayso_store::store::Moment::Now;
            let known = store.registers(self.workspace, &subject, moment).await.unwrap();
            assert_eq!(*known, Registers::fold(&events, &self.undone), "the registers of {n}");
            self.judge_gate(store, n, &events, now).await;
            self.judge_guards(&events);
        }
        for recorded in answers.iter().flatten().flatten() {
            if recorded.outcome == Outcome::Appended {
                let event = (recorded.id, recorded.recorded_at);
                assert!(stored.contains(&event), "{recorded:?} was answered and is not there");
            }
        }
    }

    /// The gate says what the slow model says.
    async fn judge_gate(
        &self,
        store: &SqliteStore,
        n: u64,
        events: &[ConsentEvent],
        now: Timestamp,
    ) {
        let settings = Settings::default();
        let circumstances = Circumstances {
            now,
            settings: &settings,
            requirement: Requirement::OptIn,
            quiet_until: None,
            capped_until: None,
            sender: SenderState::Sending,
        };
        let model = model::Model::of(events, &self.undone);
        for message in
            [about_t(), message_for(Scope::All), message_for(Scope::Category(Category::Utility))]
        {
            let recipient = match phone(n) {
                sayso_core::address::Address::Phone(phone) => Recipient::Phone(phone),
                other @ (sayso_core::address::Address::Email(_)
                | sayso_core::address::Address::ChannelId(_)
                | sayso_core::address::Address::ExternalId(_)) => panic!("{other:?} is no phone"),
            };
            let question = Question { message, requirement: Requirement::OptIn, zone: None };
            let answer = store.screen(self.workspace, &question, &[recipient]).await.unwrap();
            let reasons: Vec<_> = answer[0].iter().collect();
            let expected = model.check(&message, &circumstances);
            assert_eq!(reasons, expected.reasons, "{n}, {message:?}, {events:#?}");
        }
    }

    /// Each event that was written under a guard is what the guard makes of everything before it.
    fn judge_guards(&self, events: &[ConsentEvent]) {
        for (place, event) in events.iter().enumerate() {
            let asked = self.asked.iter().rev().find(|(id, ..)| *id == event.id);
            let Some((_, fact, guard)) = asked.filter(|(_, _, guard)| *guard != Guard::None) else {
                continue;
            };
            let before = Registers::fold(&events[..place], &self.undone);
            let as_asked = ConsentEvent { fact: *fact, ..event.clone() };
            let judged = guard.judge(&as_asked, &before, event.recorded_at);
            let is_right = match judged {
                Guarded::Stands => event.fact == *fact,
                Guarded::Doubted(_) => matches!(event.fact, Fact::Consent(_, Statement::Pending)),
                Guarded::Withheld => false,
            };
            assert!(is_right, "{guard:?} of {event:?} after {:#?}: {judged:?}", &events[..place]);
        }
    }
}

async fn run(seed: u64) {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults::default();
    let open = || {
        let commit = Box::new(faults.clone());
        let environment = Environment::system();
        SqliteStore::open_with(directory.path(), Options::default(), environment, commit).unwrap()
    };
    let mut store = open();
    let workspace = workspace(&store).await;
    let chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (asked, events, undone) = (Vec::new(), Vec::new(), BTreeSet::new());
    let (serial, last) = (0, None);
    let mut run = Run { chance, workspace, asked, events, undone, serial, last };
    for _ in 0..ROUNDS {
        if run.chance.below(5) == 0 {
            (0..run.chance.below(4)).for_each(|_| faults.next(Fault::Full));
        }
        let answers = run.round(&store).await;
        faults.clear();
        run.judge(&store, &answers).await;
        match run.chance.below(12) {
            0 => {
                store.close().await.unwrap();
                drop(store);
                store = open();
                run.judge(&store, &answers).await;
            }
            1 if run.undone.is_empty() => {
                store.undo_import(workspace, IMPORT).await.unwrap();
                run.undone.insert(IMPORT);
                // What was written before is judged by what counted then.
                run.asked.clear();
                run.judge(&store, &[]).await;
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_clients_at_once_leave_what_the_rules_say() {
    for seed in KEPT.into_iter().chain(1..=SEEDS) {
        eprintln!("seed {seed}");
        run(seed).await;
    }
}
