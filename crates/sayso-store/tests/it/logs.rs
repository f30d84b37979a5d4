//! What an erasure destroyed is in no file any more, the write-ahead logs among them.

use std::path::Path;

use sayso_core::id::WorkspaceId;
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::conformance::{SMS, of_fact, phone, record, refused, said, workspace};
use sayso_store::environment::Environment;
use sayso_store::erasure::ErasureReach;
use sayso_store::sqlite::{Options, SqliteStore};

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default(), Environment::system()).unwrap()
}

/// The sealed parts of an address's events and of the rejects, as they stand in the files.
fn sealed(directory: &Path) -> Vec<Vec<u8>> {
    let read = |file: &str, sql: &str| -> Vec<Vec<u8>> {
        let file = rusqlite::Connection::open(directory.join(file)).unwrap();
        let mut statement = file.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let mut all = read(
        "events.db",
        "SELECT sealed FROM event WHERE sealed IS NOT NULL /* every workspace: a test */",
    );
    all.extend(read("work.db", "SELECT sealed FROM reject /* every workspace: a test */"));
    all
}

/// Which files hold one of these.
fn holding(directory: &Path, sealed: &[Vec<u8>]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        let holds = |part: &Vec<u8>| bytes.windows(part.len()).any(|window| window == part);
        if entry.file_name() != "reserve" && sealed.iter().any(holds) {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found
}

async fn filled(store: &SqliteStore) -> WorkspaceId {
    let workspace = workspace(store).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
    store.keep_rejects(workspace, vec![refused("shop", "invalid-phone", "15550100001")]);
    // Once that is read, it was kept.
    store.rejects(workspace, &sayso_store::reject::RejectQuery::default(), 1).await.unwrap();
    workspace
}

async fn erase(store: &SqliteStore, workspace: WorkspaceId) {
    let erasure = of_fact(workspace, &phone(1), Fact::Erasure, 2);
    store
        .erase(workspace, &Subject::Address(phone(1)), ErasureReach::Person, erasure)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_was_erased_is_in_no_log_once_the_erasure_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = filled(&store).await;
    let personal = sealed(directory.path());
    assert_eq!(personal.len(), 2);
    assert!(holding(directory.path(), &personal).contains(&"events.db-wal".to_owned()));
    erase(&store, workspace).await;
    assert_eq!(holding(directory.path(), &personal), Vec::<String>::new());
}

#[tokio::test]
async fn a_log_that_somebody_reads_is_emptied_once_they_are_done() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = filled(&store).await;
    let personal = sealed(directory.path());
    let reader = rusqlite::Connection::open(directory.path().join("events.db")).unwrap();
    let reading = reader.unchecked_transaction().unwrap();
    let events: i64 = reading
        .query_row("SELECT count(*) FROM event /* every workspace: a test */", [], |row| row.get(0))
        .unwrap();
    assert_eq!(events, 1);
    erase(&store, workspace).await;
    assert!(!holding(directory.path(), &personal).is_empty(), "the reader has it");
    drop(reading);
    // The next erasure, of anybody, finishes it, as the flusher does in a while.
    let other = of_fact(workspace, &phone(2), Fact::Erasure, 3);
    store.erase(workspace, &Subject::Address(phone(2)), ErasureReach::Person, other).await.unwrap();
    assert_eq!(holding(directory.path(), &personal), Vec::<String>::new());
}
