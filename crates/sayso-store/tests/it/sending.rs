//! Messages on the files of a store: races with refusals, and ends of the process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sayso_core::address::Address;
use sayso_core::gate::cap::FrequencyCap;
use sayso_core::gate::decision::Requirement;
use sayso_core::gate::message::MessageState;
use sayso_core::gate::reason::Reason;
use sayso_core::id::WorkspaceId;
use sayso_core::policy::settings::Settings;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message};
use sayso_core::words::statement::Statement;
use sayso_core::workspace::Change;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::conformance::{
    SENDER, SMS, marketing, message_id, message_to, phone, reason, record, said, workspace,
};
use sayso_store::environment::Environment;
use sayso_store::erasure::ErasureReach;
use sayso_store::message::{HandOver, HandOverEnd};
use sayso_store::sqlite::{Options, SqliteStore};
use sayso_store::store::{Moment, Question, Recipient};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default(), Environment::system()).unwrap()
}

/// People, each of whom agreed and has a message in the queue.
async fn agree_and_queue(store: &SqliteStore, workspace: WorkspaceId, people: u64) {
    let yes = (0..people).map(|n| said(workspace, &phone(n), SMS, Statement::Single, 1));
    store.record(workspace, yes.collect()).await.unwrap();
    let queued = (0..people).map(|n| store.queue_message(workspace, message_to(n)));
    futures_util::future::try_join_all(queued).await.unwrap();
}

const PEOPLE: u64 = 3_000;
/// Messages that are claimed together.
const WINDOW: u32 = 32;

/// Claims and hands over until nothing is left; gives when each hand-over began. For each window it
/// waits until as many people refused as are in it, so that neither side is done before the other.
async fn send_all(
    store: Arc<SqliteStore>,
    workspace: WorkspaceId,
    turns: Arc<Semaphore>,
) -> BTreeMap<u64, Timestamp> {
    let clock = Environment::system().clock;
    let mut began = BTreeMap::new();
    loop {
        if let Ok(turn) = turns.acquire_many(WINDOW).await {
            turn.forget();
        }
        let items = usize::try_from(WINDOW).unwrap();
        let claimed = store.claim_messages(workspace, SENDER, items).await.unwrap();
        if claimed.claimed.is_empty() && !claimed.more {
            return began;
        }
        let mut ended = Vec::new();
        for claimed in claimed.claimed {
            // Others get their turn between a claim and its hand-over.
            tokio::task::yield_now().await;
            let n = u64::try_from(u128::from_be_bytes(*claimed.id.as_bytes())).unwrap();
            let began_at = store.begin_hand_over(claimed.id);
            let at = clock.now();
            let end = match began_at {
                Some(began_at) => {
                    began.insert(n, began_at);
                    HandOverEnd::Accepted { provider_id: None }
                }
                None => HandOverEnd::Requeued { due_at: at },
            };
            ended.push(HandOver { id: claimed.id, began_at, at, end });
        }
        store.settle_messages(workspace, ended).await.unwrap();
    }
}

/// Every fourth person refuses, in an order of its own; gives when each refusal was acknowledged.
async fn refuse_some(
    store: Arc<SqliteStore>,
    workspace: WorkspaceId,
    part: u64,
    turns: Arc<Semaphore>,
) -> BTreeMap<u64, Timestamp> {
    let clock = Environment::system().clock;
    let mut acknowledged = BTreeMap::new();
    for turn in (part..PEOPLE).step_by(4) {
        let n = turn * 7_919 % PEOPLE;
        let refusal = said(workspace, &phone(n), SMS, Statement::OptOut, 2);
        store.record(workspace, vec![refusal]).await.unwrap();
        acknowledged.insert(n, clock.now());
        turns.add_permits(1);
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_hand_over_begins_after_an_acknowledged_refusal() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()));
    let workspace = workspace(&*store).await;
    agree_and_queue(&store, workspace, PEOPLE).await;
    let turns = Arc::new(Semaphore::new(0));
    let (mut sending, mut refusing) = (JoinSet::new(), JoinSet::new());
    sending.spawn(send_all(Arc::clone(&store), workspace, Arc::clone(&turns)));
    for part in 0..4 {
        refusing.spawn(refuse_some(Arc::clone(&store), workspace, part, Arc::clone(&turns)));
    }
    let refused: BTreeMap<u64, Timestamp> =
        refusing.join_all().await.into_iter().flatten().collect();
    turns.close();
    let began: BTreeMap<u64, Timestamp> = sending.join_all().await.into_iter().flatten().collect();
    let late: Vec<u64> =
        began.iter().filter(|(n, began_at)| **began_at > refused[n]).map(|(n, _)| *n).collect();
    if cfg!(feature = "undecided-claims") {
        assert!(!late.is_empty(), "a build that decides nothing must be found out");
        return;
    }
    assert_eq!(late, Vec::<u64>::new(), "began after the refusal was acknowledged");
    let mut states = BTreeMap::new();
    for n in 0..PEOPLE {
        let message = store.message(workspace, message_id(n)).await.unwrap().unwrap();
        *states.entry(message.state).or_insert(0_u64) += 1;
        assert_eq!(message.state == MessageState::HandedOver, began.contains_key(&n));
    }
    // A race in which one side always wins shows nothing.
    assert!(states[&MessageState::HandedOver] > 0 && states[&MessageState::Refused] > 0);
    assert_eq!(states.values().sum::<u64>(), PEOPLE);
}

#[tokio::test]
async fn what_was_claimed_when_the_process_ended_is_unknown_and_what_was_queued_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    agree_and_queue(&store, workspace, 2).await;
    store.claim_messages(workspace, SENDER, 1).await.unwrap();
    store.begin_hand_over(message_id(0)).unwrap();
    drop(store);
    let store = open(directory.path());
    let state = async |n| store.message(workspace, message_id(n)).await.unwrap().unwrap();
    let unknown = state(0).await;
    assert_eq!(unknown.state, MessageState::Unknown);
    assert_eq!(unknown.failure.as_deref(), Some("process_ended"));
    assert_eq!(state(1).await.state, MessageState::Queued);
    assert_eq!(store.claim_messages(workspace, SENDER, 10).await.unwrap().claimed.len(), 1);
}

#[tokio::test]
async fn an_erasure_destroys_what_is_said_to_the_person_and_refuses_what_waits() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    agree_and_queue(&store, workspace, 2).await;
    let mut erasure = said(workspace, &phone(0), SMS, Statement::OptOut, 2);
    erasure.fact = sayso_core::words::event::Fact::Erasure;
    store
        .erase(workspace, &Subject::Address(phone(0)), ErasureReach::Person, erasure)
        .await
        .unwrap();
    let claimed = store.claim_messages(workspace, SENDER, 10).await.unwrap().claimed;
    assert_eq!(claimed.len(), 1);
    let message = store.message(workspace, message_id(0)).await.unwrap().unwrap();
    assert_eq!((message.state, message.personal), (MessageState::Refused, None));
    record(&store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 2)).await;
}

#[tokio::test]
async fn a_damaged_message_fails_and_holds_nobody_up() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    agree_and_queue(&store, workspace, 3).await;
    drop(store);
    let work = rusqlite::Connection::open(directory.path().join("work.db")).unwrap();
    let damaged =
        "UPDATE message SET sealed = x'00' WHERE row = 1 /* every workspace: there is one */";
    assert_eq!(work.execute(damaged, []).unwrap(), 1);
    drop(work);
    let store = open(directory.path());
    let claimed = store.claim_messages(workspace, SENDER, 10).await.unwrap().claimed;
    assert_eq!(claimed.len(), 2);
    assert!(store.claim_messages(workspace, SENDER, 10).await.unwrap().claimed.is_empty());
}

#[tokio::test]
async fn what_waited_when_a_backup_was_made_is_unknown_after_a_restore() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let store = open(&at("store"));
    let workspace = workspace(&store).await;
    agree_and_queue(&store, workspace, 2).await;
    store.claim_messages(workspace, SENDER, 1).await.unwrap();
    store.backup(&at("backup")).await.unwrap();
    drop(store);
    let (from, master_key, to) = (at("backup"), at("store/master.key"), at("restored"));
    let restore = sayso_store::sqlite::backup::Restore {
        from: &from,
        master_key: &master_key,
        to: &to,
        erasures: None,
        lines: sayso_store::sqlite::backup::Lines::default(),
        replaced: None,
    };
    restore.run().unwrap();
    let store = open(&to);
    for n in 0..2 {
        let message = store.message(workspace, message_id(n)).await.unwrap().unwrap();
        assert_eq!(message.state, MessageState::Unknown);
        assert_eq!(message.failure.as_deref(), Some("restored"));
    }
    assert!(store.claim_messages(workspace, SENDER, 10).await.unwrap().claimed.is_empty());
    cap_of_one(&store, workspace).await;
    for n in 0..2 {
        let reason = reason(&store, workspace, &phone(n), marketing()).await;
        assert_eq!(reason, Some(Reason::FrequencyCap), "they may have got it");
    }
}

/// One marketing message an hour.
async fn cap_of_one(store: &SqliteStore, workspace: WorkspaceId) {
    let caps = vec![FrequencyCap::new(None, Category::Marketing, 1, 1).unwrap()];
    let settings = Settings { frequency_caps: caps, ..Settings::default() };
    configure_now(store, workspace, Change::Settings(settings)).await.unwrap();
}

#[tokio::test]
async fn where_it_cannot_be_read_what_people_got_nobody_is_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    agree_and_queue(&store, workspace, 1).await;
    cap_of_one(&store, workspace).await;
    assert_eq!(reason(&store, workspace, &phone(0), marketing()).await, None);
    rusqlite::Connection::open(directory.path().join("work.db"))
        .unwrap()
        .execute_batch("ALTER TABLE message RENAME TO lost /* every workspace: damage */")
        .unwrap();
    let Address::Phone(number) = phone(0) else { panic!("no phone") };
    let recipient = Recipient::Phone(number);
    let question = Question { message: marketing(), requirement: Requirement::OptIn, zone: None };
    assert!(store.screen(workspace, &question, &[recipient]).await.is_err());
    assert!(store.pacing(workspace, &question, recipient, Moment::Now).await.is_err());
    let utility =
        Question { message: Message::ordinary(Channel::Sms, Category::Utility), ..question };
    assert!(store.screen(workspace, &utility, &[recipient]).await.is_ok(), "no cap covers it");
}
