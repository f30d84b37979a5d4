//! The gate index says what the registers say, after every operation, and after a restart.

use proptest::prelude::*;
use proptest::sample::select;
use sayso_core::channel::{Category, Channel, Content, Message, Permission, Scope};
use sayso_core::decision::{Circumstances, Requirement, SenderState, check};
use sayso_core::event::{Fact, Retracted, Switched};
use sayso_core::id::{SenderId, TopicId, WorkspaceId};
use sayso_core::settings::Settings;
use sayso_core::statement::Statement;
use sayso_core::suppression::{Cover, Suppression};
use sayso_store::Store;
use sayso_store::conformance::{at, external, known, of_fact, phone, workspace};
use sayso_store::environment::Environment;
use sayso_store::sqlite::{Options, SqliteStore};
use sayso_store::store::{Draft, Question, Recipient};

const SENDERS: [SenderId; 2] = [SenderId::from_bytes([1; 16]), SenderId::from_bytes([2; 16])];
const TOPICS: [TopicId; 2] = [TopicId::from_bytes([3; 16]), TopicId::from_bytes([4; 16])];
const PEOPLE: u64 = 3;

#[derive(Clone, Debug)]
enum Operation {
    Say(u64, Fact, i64),
    RetractNth(u64, usize),
    Link(u64, u64),
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

async fn agrees(store: &SqliteStore, workspace: WorkspaceId) {
    let settings = Settings::default();
    for who in 0..PEOPLE {
        let registers = known(store, workspace, &phone(who)).await;
        for message in questions() {
            let circumstances = Circumstances {
                now: Environment::system().clock.now(),
                settings: &settings,
                requirement: Requirement::OptIn,
                quiet_until: None,
                capped_until: None,
                sender: SenderState::Sending,
            };
            let question = Question { message, requirement: Requirement::OptIn };
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
) {
    match operation {
        Operation::Say(who, Fact::Erasure, when) => {
            let draft = of_fact(workspace, &phone(who), Fact::Erasure, when);
            let subject = draft.subject.clone();
            store.erase(workspace, &subject, draft).await.unwrap();
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
        Operation::Link(a, b) => {
            let draft = sayso_store::store::ProfileDraft {
                addresses: vec![external("u-1"), phone(a), phone(b)],
                attributes: std::collections::BTreeMap::new(),
                source: sayso_store::conformance::source(sayso_core::source::Road::Api, "test"),
                actor: sayso_core::source::Actor::Operator,
            };
            store.upsert_profile(workspace, draft).await.unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_equals_the_registers_after_every_operation(operations in operations()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let open = || {
                SqliteStore::open(directory.path(), Options::default(), Environment::system()).unwrap()
            };
            let store = open();
            let workspace = workspace(&store).await;
            let mut said = Vec::new();
            for operation in operations {
                perform(&store, workspace, operation, &mut said).await;
                agrees(&store, workspace).await;
            }
            let before: Vec<_> = {
                let mut all = Vec::new();
                for who in 0..PEOPLE {
                    all.push(known(&store, workspace, &phone(who)).await);
                }
                all
            };
            drop(store);
            std::fs::remove_file(directory.path().join("views.db")).unwrap();
            let store = open();
            for who in 0..PEOPLE {
                let rebuilt = known(&store, workspace, &phone(who)).await;
                assert_eq!(rebuilt, before[usize::try_from(who).unwrap()], "phone {who} after a rebuild");
            }
            agrees(&store, workspace).await;
        });
    }
}
