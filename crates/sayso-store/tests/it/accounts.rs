//! What two addresses of one account are sent does not depend on the order in which anything came
//! (rules 7 and 13): random facts about both, and the naming, in two orders.

use proptest::prelude::*;
use proptest::sample::select;
use sayso_core::address::Address;
use sayso_core::address::phone::Phone;
use sayso_core::gate::decision::Requirement;
use sayso_core::gate::reason::Reasons;
use sayso_core::id::WorkspaceId;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;
use sayso_store::Store;
use sayso_store::conformance::{at, channel_id, of_fact, one_account, phone, workspace};
use sayso_store::environment::Environment;
use sayso_store::sqlite::SqliteStore;
use sayso_store::store::{Question, Recipient};

use crate::gate::{SENDERS, TOPICS};

/// What is told: a fact about one of the addresses, or that the two are one.
#[derive(Clone, Debug)]
enum Told {
    Said(Address, Fact, i64),
    OneAccount,
}

/// Few scopes and few blocks, so that things meet. No erasure: that is of its own moment.
fn facts() -> impl Strategy<Value = Fact> {
    let statements = select(vec![
        Statement::OptOut,
        Statement::OptOut,
        Statement::Hold,
        Statement::Start,
        Statement::Single,
        Statement::Single,
        Statement::Yes,
        Statement::No,
        Statement::Term(at(30)),
    ]);
    let scopes = prop_oneof![
        4 => Just(Scope::All),
        1 => Just(Scope::Topic(TOPICS[0])),
        1 => Just(Scope::Category(Category::Marketing)),
    ];
    let messages = (scopes, statements.clone()).prop_map(|(scope, said)| {
        Fact::Consent(Permission::Messages(Channel::WhatsApp, scope), said)
    });
    let processing = statements.prop_map(|said| Fact::Consent(Permission::Processing, said));
    let blocks = (
        select(vec![Suppression::Operator, Suppression::Complaint, Suppression::Invalid]),
        select(vec![Switched::On, Switched::Off]),
    )
        .prop_map(|(kind, switched)| Fact::Suppression(kind, Cover::default(), switched));
    prop_oneof![8 => messages, 1 => processing, 1 => blocks]
}

fn told() -> impl Strategy<Value = Vec<Told>> {
    let said = (select(vec![phone(1), channel_id(1)]), facts(), 0_i64..12)
        .prop_map(|(who, fact, when)| Told::Said(who, fact, when));
    proptest::collection::vec(said, 1..7).prop_map(|mut told| {
        told.push(Told::OneAccount);
        told
    })
}

async fn take_in(store: &SqliteStore, workspace: WorkspaceId, told: &[Told]) {
    for one in told {
        let drafts = match one {
            Told::Said(who, fact, when) => vec![of_fact(workspace, who, *fact, *when)],
            Told::OneAccount => one_account(store, workspace, (&phone(1), &channel_id(1)), 20),
        };
        store.record(workspace, drafts).await.unwrap();
    }
}

/// Why neither address may be sent each of many messages.
async fn answers(store: &SqliteStore, workspace: WorkspaceId) -> Vec<Vec<Reasons>> {
    let secret = store.workspaces()[&workspace].secret.clone();
    let number = Phone::from_digits(15_550_100_001).unwrap();
    let both = [Recipient::Phone(number), Recipient::Key(channel_id(1).key(&secret))];
    let mut answers = Vec::new();
    for category in Category::ALL {
        for sender in [None, Some(SENDERS[0])] {
            for topic in [None, Some(TOPICS[0])] {
                let ordinary = Message::ordinary(Channel::WhatsApp, *category);
                let message = Message { sender, topic, ..ordinary };
                let question = Question { message, requirement: Requirement::OptIn, zone: None };
                answers.push(store.screen(workspace, &question, &both).await.unwrap());
            }
        }
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_an_account_is_sent_does_not_depend_on_any_order(
        (told, shuffled) in told().prop_flat_map(|told| (Just(told.clone()), Just(told).prop_shuffle()))
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (one, other) = runtime.block_on(async {
            let store = SqliteStore::in_memory(Environment::system()).unwrap();
            let (one, other) = (workspace(&store).await, workspace(&store).await);
            take_in(&store, one, &told).await;
            take_in(&store, other, &shuffled).await;
            (answers(&store, one).await, answers(&store, other).await)
        });
        prop_assert_eq!(one, other);
    }
}
