//! The gate index says what the registers say: after every operation, as time passes, and after a
//! start from its file, from an old file, and from none.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;
use proptest::sample::select;
use sayso_core::gate::decision::{Circumstances, Requirement, SenderState, check};
use sayso_core::id::{SenderId, TopicId, WorkspaceId};
use sayso_core::policy::settings::Settings;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Content, Message, Permission, Scope};
use sayso_core::words::event::{Fact, Retracted};
use sayso_core::words::statement::Statement;
use sayso_plan::draft::Draft;
use sayso_store::Store;
use sayso_store::conformance::{at, external, known, of_fact, one_account, phone, workspace};
use sayso_store::environment::{Clock, Environment};
use sayso_store::erasure::ErasureReach;
use sayso_store::sqlite::{Options, SqliteStore};
use sayso_store::store::{Question, Recipient};

pub(crate) const SENDERS: [SenderId; 2] =
    [SenderId::from_bytes([1; 16]), SenderId::from_bytes([2; 16])];
pub(crate) const TOPICS: [TopicId; 2] =
    [TopicId::from_bytes([3; 16]), TopicId::from_bytes([4; 16])];
/// Phones whose answers are compared.
pub(crate) const PEOPLE: u64 = 3;

#[derive(Clone, Debug)]
enum Operation {
    Say(u64, Fact, i64),
    RetractNth(u64, usize),
    Link(u64, u64),
    Tie(u64, u64, i64),
    Wait(i64),
}

/// A clock that goes on when a test says so.
#[derive(Debug)]
pub(crate) struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that shows the twentieth minute, and the surroundings it is part of.
pub(crate) fn surroundings() -> (Arc<Hand>, Environment) {
    let hand = Arc::new(Hand(AtomicI64::new(20)));
    let clock: Arc<dyn Clock> = Arc::<Hand>::clone(&hand);
    (hand, Environment { clock, entropy: Environment::system().entropy })
}

fn open(directory: &Path, environment: &Environment) -> SqliteStore {
    SqliteStore::open(directory, Options::default(), environment.clone()).unwrap()
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![
        3 => Just(Scope::All),
        1 => select(SENDERS.to_vec()).prop_map(Scope::Sender),
        1 => select(TOPICS.to_vec()).prop_map(Scope::Topic),
        1 => select(Category::ALL.to_vec()).prop_map(Scope::Category),
    ]
}

fn facts() -> impl Strategy<Value = Fact> {
    let statements = select(vec![
        Statement::OptOut,
        Statement::Hold,
        Statement::Pending,
        Statement::Start,
        Statement::Single,
        Statement::Confirmed,
        Statement::Yes,
        Statement::No,
        Statement::Term(at(30)),
        Statement::Implied(at(40)),
    ]);
    let channels = select(vec![Channel::Sms, Channel::WhatsApp]);
    let messages =
        (channels.clone(), scopes(), statements.clone()).prop_map(|(channel, scope, said)| {
            Fact::Consent(Permission::Messages(channel, scope), said)
        });
    let processing = statements.prop_map(|said| Fact::Consent(Permission::Processing, said));
    let covers = (proptest::option::of(channels), proptest::option::of(select(SENDERS.to_vec())))
        .prop_map(|(channel, sender)| Cover { channel, sender, category: None });
    let blocks =
        (select(Suppression::ALL.to_vec()), covers, any::<bool>()).prop_map(|(kind, cover, on)| {
            Fact::Suppression(kind, cover, if on { Switched::On } else { Switched::Off })
        });
    let wrote = select(SENDERS.to_vec()).prop_map(Fact::Activity);
    prop_oneof![8 => messages, 1 => processing, 2 => blocks, 1 => wrote, 1 => Just(Fact::Erasure)]
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let one = prop_oneof![
        8 => (0..PEOPLE, facts(), 0_i64..60).prop_map(|(who, fact, when)| Operation::Say(who, fact, when)),
        1 => (0..PEOPLE, 0_usize..8).prop_map(|(who, nth)| Operation::RetractNth(who, nth)),
        1 => (0..PEOPLE, 0..PEOPLE).prop_map(|(a, b)| Operation::Link(a, b)),
        2 => (0..PEOPLE, 0..PEOPLE, 0_i64..60).prop_map(|(a, b, when)| Operation::Tie(a, b, when)),
        2 => select(vec![1, 15, 60, 8 * 24 * 60]).prop_map(Operation::Wait),
    ];
    proptest::collection::vec(one, 1..25)
}

fn questions() -> Vec<Message> {
    let mut messages = Vec::new();
    for channel in [Channel::Sms, Channel::WhatsApp] {
        for category in Category::ALL {
            for sender in [None, Some(SENDERS[0]), Some(SenderId::from_bytes([9; 16]))] {
                for topic in [None, Some(TOPICS[0]), Some(TopicId::from_bytes([9; 16]))] {
                    let plain = Message { sender, topic, ..Message::ordinary(channel, *category) };
                    messages.push(plain);
                    messages.push(Message { content: Content::FreeForm, ..plain });
                }
            }
        }
    }
    messages
}

/// The index says of every phone and of many messages what the registers say.
pub(crate) async fn agrees(store: &SqliteStore, workspace: WorkspaceId, environment: &Environment) {
    let settings = Settings::default();
    for who in 0..PEOPLE {
        let registers = known(store, workspace, &phone(who)).await;
        for message in questions() {
            let circumstances = Circumstances {
                now: environment.clock.now(),
                settings: &settings,
                requirement: Requirement::OptIn,
                quiet_until: None,
                capped_until: None,
                sender: SenderState::Sending,
            };
            let question = Question { message, requirement: Requirement::OptIn, zone: None };
            let sayso_core::address::Address::Phone(number) = phone(who) else {
                continue;
            };
            let answers =
                store.screen(workspace, &question, &[Recipient::Phone(number)]).await.unwrap();
            let mut expected = check(&registers, &message, &circumstances).reasons;
            // Somebody erased is not in the index: the answer is a refusal, for whichever reason.
            if registers.is_erased() && !answers[0].is_empty() {
                assert!(!expected.is_empty());
                expected = answers[0];
            }
            assert_eq!(answers[0], expected, "phone {who}: {message:?}\n{registers:#?}");
        }
    }
}

async fn perform(
    store: &SqliteStore,
    workspace: WorkspaceId,
    operation: Operation,
    said: &mut Vec<(u64, Draft)>,
    hand: &Hand,
) {
    match operation {
        Operation::Wait(minutes) => {
            hand.0.fetch_add(minutes, Ordering::SeqCst);
        }
        Operation::Say(who, Fact::Erasure, when) => {
            let draft = of_fact(workspace, &phone(who), Fact::Erasure, when);
            let subject = draft.subject.clone();
            store.erase(workspace, &subject, ErasureReach::Person, draft).await.unwrap();
        }
        Operation::Say(who, fact, when) => {
            let draft = of_fact(workspace, &phone(who), fact, when);
            store.record(workspace, vec![draft.clone()]).await.unwrap();
            said.push((who, draft));
        }
        Operation::RetractNth(who, nth) => {
            let own = said.iter().filter(|(speaker, _)| *speaker == who).nth(nth);
            if let Some((_, draft)) = own.cloned() {
                let fact = Fact::Retraction(Retracted::Event(draft.id));
                store
                    .record(workspace, vec![of_fact(workspace, &phone(who), fact, 1)])
                    .await
                    .unwrap();
            }
        }
        Operation::Tie(a, b, when) if a != b => {
            let drafts = one_account(store, workspace, (&phone(a), &phone(b)), when);
            said.push((a, drafts[0].clone()));
            store.record(workspace, drafts).await.unwrap();
        }
        Operation::Tie(..) => {}
        Operation::Link(a, b) => {
            let draft = sayso_store::store::ProfileDraft {
                profile: None,
                addresses: vec![external("u-1"), phone(a), phone(b)],
                attributes: std::collections::BTreeMap::new(),
                source: sayso_store::conformance::source(
                    sayso_core::words::source::Road::Api,
                    "test",
                ),
                actor: sayso_core::words::source::Actor::Operator,
            };
            store.upsert_profile(workspace, draft).await.unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_equals_the_registers_after_every_operation(
        operations in operations(), more in operations(), still_more in operations()
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let (hand, environment) = surroundings();
            let store = open(directory.path(), &environment);
            let workspace = workspace(&store).await;
            let mut said = Vec::new();
            for operation in operations {
                perform(&store, workspace, operation, &mut said, &hand).await;
                agrees(&store, workspace, &environment).await;
            }
            store.close().await.unwrap();
            drop(store);
            // From the file.
            let store = open(directory.path(), &environment);
            agrees(&store, workspace, &environment).await;
            for operation in more {
                perform(&store, workspace, operation, &mut said, &hand).await;
            }
            drop(store);
            // From an old file, if nobody was erased, and a replay.
            let store = open(directory.path(), &environment);
            agrees(&store, workspace, &environment).await;
            let index = std::fs::read(directory.path().join("gate.index")).ok();
            for operation in still_more {
                perform(&store, workspace, operation, &mut said, &hand).await;
            }
            store.close().await.unwrap();
            drop(store);
            // From an old file, whoever was erased since, beside views that hold everything.
            if let Some(index) = index {
                std::fs::write(directory.path().join("gate.index"), index).unwrap();
            }
            let store = open(directory.path(), &environment);
            agrees(&store, workspace, &environment).await;
            let mut before = Vec::new();
            for who in 0..PEOPLE {
                before.push(known(&store, workspace, &phone(who)).await);
            }
            drop(store);
            // From the ledger alone.
            std::fs::remove_file(directory.path().join("views.db")).unwrap();
            let store = open(directory.path(), &environment);
            for (who, before) in (0..PEOPLE).zip(before) {
                let rebuilt = known(&store, workspace, &phone(who)).await;
                assert_eq!(rebuilt, before, "phone {who} after a rebuild");
            }
            agrees(&store, workspace, &environment).await;
        });
    }
}

/// A store with one opt-in, closed; and its workspace.
async fn closed_store(directory: &Path, environment: &Environment) -> WorkspaceId {
    let store = open(directory, environment);
    let workspace = workspace(&store).await;
    let yes = Permission::Messages(Channel::Sms, Scope::All);
    let draft = of_fact(workspace, &phone(1), Fact::Consent(yes, Statement::Single), 1);
    store.record(workspace, vec![draft]).await.unwrap();
    store.close().await.unwrap();
    workspace
}

#[tokio::test]
async fn a_damaged_index_is_built_anew() {
    let (_, environment) = surroundings();
    let directory = tempfile::tempdir().unwrap();
    let workspace = closed_store(directory.path(), &environment).await;
    let file = directory.path().join("gate.index");
    let whole = std::fs::read(&file).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    for damaged in [&[][..], &whole[..whole.len() / 2], &changed] {
        std::fs::write(&file, damaged).unwrap();
        let store = open(directory.path(), &environment);
        agrees(&store, workspace, &environment).await;
    }
}

#[tokio::test]
async fn an_index_is_its_owners_alone_and_goes_when_somebody_is_erased() {
    use std::os::unix::fs::PermissionsExt;
    let (_, environment) = surroundings();
    let directory = tempfile::tempdir().unwrap();
    let workspace = closed_store(directory.path(), &environment).await;
    let file = directory.path().join("gate.index");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let store = open(directory.path(), &environment);
    let draft = of_fact(workspace, &phone(1), Fact::Erasure, 1);
    let subject = draft.subject.clone();
    store.erase(workspace, &subject, ErasureReach::Person, draft).await.unwrap();
    assert!(!file.exists());
}
