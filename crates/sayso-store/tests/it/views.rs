//! Views that cannot be written, and an index that cannot be saved, cost a slower start: nothing
//! that was acknowledged.

use std::path::Path;
use std::sync::Arc;

use sayso_core::gate::reason::Reason;
use sayso_core::id::{ImportId, WorkspaceId};
use sayso_core::words::statement::Statement;
use sayso_plan::draft::{Draft, Subject};
use sayso_store::Store;
use sayso_store::conformance::{
    SMS, external, known, marketing, phone, reason, record, said, source, workspace,
};
use sayso_store::environment::Environment;
use sayso_store::sqlite::{Options, SqliteStore};
use sayso_store::store::{HistoryQuery, Outcome, ProfileDraft, StoreError};
use tokio::task::JoinSet;

use crate::gate::{agrees, surroundings};

fn open(directory: &Path, environment: &Environment) -> SqliteStore {
    SqliteStore::open(directory, Options::default(), environment.clone()).unwrap()
}

/// Another hand on the views: they may be read, and what is written fails in the middle.
fn views_refuse(directory: &Path) {
    on_views(directory, "ALTER TABLE watermark RENAME TO gone");
}

fn views_heal(directory: &Path) {
    // A renamed table has its name in quotes, which is another schema.
    let unquoted = "UPDATE sqlite_schema SET sql = replace(sql, '\"watermark\"', 'watermark') WHERE name = 'watermark'";
    on_views(
        directory,
        &format!(
            "PRAGMA writable_schema = ON; BEGIN IMMEDIATE; ALTER TABLE gone RENAME TO watermark; {unquoted}; COMMIT"
        ),
    );
}

fn on_views(directory: &Path, statement: &str) {
    rusqlite::Connection::open(directory.join("views.db"))
        .unwrap()
        .execute_batch(statement)
        .unwrap();
}

/// Undoing an import that brought nothing flushes the views in this very call.
async fn flush(store: &SqliteStore, workspace: WorkspaceId, n: u8) {
    store.undo_import(workspace, ImportId::from_bytes([n; 16])).await.unwrap();
}

/// Phone 0 said yes and no, phone 1 said yes, and phone 2 belongs to the person `u-1`.
async fn fill(store: &SqliteStore, workspace: WorkspaceId) {
    for (n, statement, minute) in
        [(0, Statement::Single, 1), (0, Statement::OptOut, 2), (1, Statement::Single, 1)]
    {
        record(store, workspace, said(workspace, &phone(n), SMS, statement, minute)).await;
    }
    let draft = ProfileDraft {
        profile: None,
        addresses: vec![external("u-1"), phone(2)],
        attributes: std::collections::BTreeMap::new(),
        source: source(sayso_core::words::source::Road::Api, "test"),
        actor: sayso_core::words::source::Actor::Operator,
    };
    store.upsert_profile(workspace, draft).await.unwrap();
}

/// Everything that [`fill`] said is there by every way to ask.
async fn is_whole(store: &SqliteStore, workspace: WorkspaceId, environment: &Environment) {
    let refused = [Some(Reason::OptedOut), None, Some(Reason::NoOptIn)];
    for (n, (expected, events)) in (0..).zip(refused.into_iter().zip([2, 1, 1])) {
        assert_eq!(reason(store, workspace, &phone(n), marketing()).await, expected, "phone {n}");
        let subject = Subject::Address(phone(n));
        let page = store.history(workspace, &subject, &HistoryQuery::newest(10)).await.unwrap();
        assert_eq!(page.entries.len(), events, "phone {n}");
    }
    let listed = store.addresses(workspace, None, 10).await.unwrap();
    assert_eq!(listed.len(), 4);
    let found = store.find_profile(workspace, &Subject::Address(phone(2))).await.unwrap().unwrap();
    assert_eq!(found.addresses.len(), 2);
    let again = said(workspace, &phone(0), SMS, Statement::OptOut, 2);
    assert_eq!(record(store, workspace, again).await.outcome, Outcome::Retried);
    agrees(store, workspace, environment).await;
}

#[tokio::test]
async fn what_the_views_cannot_take_stays_in_the_tail_until_a_later_flush() {
    let directory = tempfile::tempdir().unwrap();
    let (_, environment) = surroundings();
    let store = open(directory.path(), &environment);
    let workspace = workspace(&store).await;
    views_refuse(directory.path());
    fill(&store, workspace).await;
    for n in 0..2 {
        flush(&store, workspace, n).await;
        assert_eq!(store.health().watermark_lag, store.health().events, "flush {n} failed");
        is_whole(&store, workspace, &environment).await;
    }
    // What comes after a failed flush joins what it left.
    let single = said(workspace, &phone(1), SMS, Statement::Confirmed, 3);
    record(&store, workspace, single.clone()).await;
    let retract = |draft: Draft| sayso_store::store::RetractDraft {
        subject: draft.subject,
        event: draft.id,
        role: sayso_core::state::retraction::Role::Other,
        source: draft.source,
        actor: draft.actor,
        reason: None,
    };
    store.retract(workspace, retract(single)).await.unwrap();
    assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, None);
    views_heal(directory.path());
    flush(&store, workspace, 2).await;
    assert_eq!(store.health().watermark_lag, 0, "the views took it all");
    assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, None);
    store.close().await.unwrap();
    drop(store);
    let store = open(directory.path(), &environment);
    assert_eq!(store.health().watermark_lag, 0);
    agrees(&store, workspace, &environment).await;
    let first = said(workspace, &phone(1), SMS, Statement::Single, 1);
    store.retract(workspace, retract(first)).await.unwrap();
    let left = reason(&store, workspace, &phone(1), marketing()).await;
    assert_eq!(left, Some(Reason::NoOptIn), "both retractions are known");
}

#[tokio::test]
async fn views_that_cannot_be_written_are_made_up_for_by_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let (_, environment) = surroundings();
    let store = open(directory.path(), &environment);
    let workspace = workspace(&store).await;
    views_refuse(directory.path());
    fill(&store, workspace).await;
    let closed = store.close().await;
    assert!(matches!(closed, Err(StoreError::Unwritable(_))), "a stop says so: {closed:?}");
    drop(store);
    views_heal(directory.path());
    let store = open(directory.path(), &environment);
    is_whole(&store, workspace, &environment).await;
    store.close().await.unwrap();
    drop(store);
    let store = open(directory.path(), &environment);
    assert_eq!(store.health().watermark_lag, 0);
    is_whole(&store, workspace, &environment).await;
}

/// Half of the tail is for others than imports, also while nothing empties it.
#[tokio::test]
async fn an_import_is_told_to_come_back_while_the_views_cannot_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let (_, environment) = surroundings();
    let options = Options { tail_bytes_max: 4_000, ..Options::default() };
    let store = SqliteStore::open(directory.path(), options, environment.clone()).unwrap();
    let workspace = workspace(&store).await;
    views_refuse(directory.path());
    let brought = |n| {
        let draft = said(workspace, &phone(n), SMS, Statement::Yes, 1);
        vec![Draft { import: Some(ImportId::from_bytes([1; 16])), ..draft }]
    };
    // A flush has failed before the import comes: none under way makes room for it.
    record(&store, workspace, said(workspace, &phone(60), SMS, Statement::Yes, 1)).await;
    flush(&store, workspace, 9).await;
    let mut taken = Vec::new();
    for n in 0..40 {
        match store.record(workspace, brought(n)).await {
            Ok(_) => taken.push(n),
            Err(error) => assert!(matches!(error, StoreError::Busy), "{error:?}"),
        }
    }
    assert!((1..40).contains(&taken.len()), "some fit: {taken:?}");
    let out = said(workspace, &phone(50), SMS, Statement::OptOut, 1);
    assert_eq!(record(&store, workspace, out).await.outcome, Outcome::Appended);
    views_heal(directory.path());
    flush(&store, workspace, 2).await;
    record(&store, workspace, brought(39).remove(0)).await;
    taken.push(39);
    drop(store);
    let store = open(directory.path(), &environment);
    for n in 0..40 {
        let is_known = !known(&store, workspace, &phone(n)).await.is_empty();
        assert_eq!(is_known, taken.contains(&n), "phone {n}");
    }
    agrees(&store, workspace, &environment).await;
}

#[tokio::test]
async fn an_index_that_cannot_be_saved_costs_a_slower_start_and_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let (_, environment) = surroundings();
    let index = directory.path().join("gate.index");
    std::fs::create_dir(&index).unwrap();
    let store = open(directory.path(), &environment);
    let workspace = workspace(&store).await;
    fill(&store, workspace).await;
    is_whole(&store, workspace, &environment).await;
    store.close().await.unwrap();
    drop(store);
    let names = || {
        let files = std::fs::read_dir(directory.path()).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let beside = "gate.index.new".to_owned();
    assert!(!names().contains(&beside), "people's phones lie in a file beside it");
    let store = open(directory.path(), &environment);
    is_whole(&store, workspace, &environment).await;
    flush(&store, workspace, 1).await;
    store.close().await.unwrap();
    drop(store);
    std::fs::remove_dir(&index).unwrap();
    let store = open(directory.path(), &environment);
    is_whole(&store, workspace, &environment).await;
    store.close().await.unwrap();
    assert!(index.is_file(), "it is saved once it can be");
}

/// The writer tells the gate of a commit first, and the tail then: in between nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_that_is_read_while_a_large_commit_is_told_is_never_taken_for_lost() {
    const PEOPLE: u64 = 8_000;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path(), &Environment::system()));
    let workspace = workspace(&*store).await;
    for round in 0..5 {
        let people = round * PEOPLE..(round + 1) * PEOPLE;
        let mut reading = JoinSet::new();
        let told = Arc::clone(&store);
        reading.spawn(async move {
            let subject = Subject::Address(phone(round * PEOPLE + PEOPLE / 2));
            let newest = HistoryQuery::newest(1);
            while told.history(workspace, &subject, &newest).await.unwrap().entries.is_empty() {}
        });
        let drafts = people.map(|n| said(workspace, &phone(n), SMS, Statement::Single, 1));
        store.record(workspace, drafts.collect()).await.unwrap();
        reading.join_all().await;
    }
}
