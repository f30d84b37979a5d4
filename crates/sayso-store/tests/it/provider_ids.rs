//! A provider's id of a message, which may hold the number that it went to: sealed, found by a keyed hash,
//! gone with an erasure, and taken out of the files of earlier releases.

use std::path::Path;

use refinery::Target;
use rusqlite::Connection;
use sayso_core::gate::message::MessageState;
use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::conformance::{
    SENDER, SMS, message_id, message_to, of_fact, phone, record, refused, said, workspace,
};
use sayso_store::environment::Environment;
use sayso_store::erasure::ErasureReach;
use sayso_store::message::{HandOver, HandOverEnd, MessageName, MessageReport};
use sayso_store::reject::RejectQuery;
use sayso_store::sqlite::{Options, SqliteStore};

mod migrations {
    refinery::embed_migrations!("migrations/sqlite/work");
}

/// As WhatsApp makes them: `15550100001` is inside.
const WAMID: &str = "wamid.HBgLMTU1NTAxMDAwMDEVAgARGBI5RDJFMEY2QTdCMUMzRDRFAA==";

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default(), Environment::system()).unwrap()
}

/// A message to phone 1 is claimed, and its hand-over has begun.
async fn begun(store: &SqliteStore) -> WorkspaceId {
    let workspace = workspace(store).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
    store.queue_message(workspace, message_to(1)).await.unwrap();
    assert_eq!(store.claim_messages(workspace, SENDER, 1).await.unwrap().claimed.len(), 1);
    assert!(store.begin_hand_over(message_id(1)).is_some());
    workspace
}

async fn accepted(store: &SqliteStore, workspace: WorkspaceId) {
    let now = Timestamp::from_micros(1_795_255_200_000_000);
    let end = HandOverEnd::Accepted { provider_id: Some(WAMID.into()) };
    let ended = HandOver { id: message_id(1), began_at: Some(now), at: now, end };
    store.settle_messages(workspace, vec![ended]).await.unwrap();
}

fn by_provider() -> MessageName {
    MessageName::Provider(WAMID.into())
}

async fn report(store: &SqliteStore, workspace: WorkspaceId, state: MessageState) -> bool {
    let at = Timestamp::from_micros(1_795_255_201_000_000);
    let report = MessageReport { message: by_provider(), state, at, failure: None };
    store.report_messages(workspace, vec![report]).await.unwrap()[0]
}

async fn erase(store: &SqliteStore, workspace: WorkspaceId) {
    let erasure = of_fact(workspace, &phone(1), Fact::Erasure, 2);
    store
        .erase(workspace, &Subject::Address(phone(1)), ErasureReach::Person, erasure)
        .await
        .unwrap();
}

/// How many messages have an id at a provider, in any column.
fn named(directory: &Path) -> i64 {
    let work = Connection::open(directory.join("work.db")).unwrap();
    work.query_row(
        "SELECT count(*) FROM message /* every workspace: a test */
         WHERE coalesce(provider_id, provider_key, provider_sealed) IS NOT NULL",
        [],
        |row| row.get(0),
    )
    .unwrap()
}

/// Which files hold the number inside the id, or the id.
fn holding(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == "reserve" {
            continue;
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        if bytes.windows(12).any(|window| window == b"MTU1NTAxMDAw") {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found
}

#[tokio::test]
async fn a_providers_id_is_in_no_file_finds_its_message_and_goes_with_an_erasure() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = begun(&store).await;
    assert!(!report(&store, workspace, MessageState::Sent).await, "it came early, and is kept");
    assert_eq!(holding(directory.path()), Vec::<String>::new(), "an early report");
    accepted(&store, workspace).await;
    assert!(report(&store, workspace, MessageState::Delivered).await);
    let message = store.message_named(workspace, &by_provider()).await.unwrap().unwrap();
    assert_eq!(message.provider_id.as_deref(), Some(WAMID));
    assert_eq!(message.state, MessageState::Delivered);
    assert!(message.times.sent_at.is_some(), "the early report was heard");
    assert_eq!(holding(directory.path()), Vec::<String>::new());
    assert_eq!(named(directory.path()), 1);
    erase(&store, workspace).await;
    assert_eq!(named(directory.path()), 0);
    assert_eq!(store.message_named(workspace, &by_provider()).await.unwrap(), None);
    let message = store.message(workspace, message_id(1)).await.unwrap().unwrap();
    assert_eq!((message.personal, message.provider_id), (None, None));
}

#[tokio::test]
async fn an_id_that_comes_after_the_erasure_of_its_person_is_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = begun(&store).await;
    erase(&store, workspace).await;
    accepted(&store, workspace).await;
    let message = store.message(workspace, message_id(1)).await.unwrap().unwrap();
    assert_eq!((message.state, message.provider_id), (MessageState::HandedOver, None));
    assert_eq!(named(directory.path()), 0);
}

#[tokio::test]
async fn a_reject_that_holds_the_number_inside_an_id_goes_with_its_erasure() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = begun(&store).await;
    let other = WAMID.replace("wamid.HBgLMTU1NTAxMDAwMDEV", "wamid.HBgLMTU1NTAxMDAwMDIV");
    for id in [WAMID, &other] {
        let sent = format!("{{\"id\": \"{id}\"}}");
        store.keep_rejects(workspace, vec![refused("meta", "hook-not-understood", &sent)]);
    }
    erase(&store, workspace).await;
    let left = store.rejects(workspace, &RejectQuery::default(), 9).await.unwrap().rejects;
    assert_eq!(left.len(), 1);
    assert!(left[0].draft.body.text().contains(&other));
}

/// Makes the file one of the release before, which kept ids in clear.
fn of_before(directory: &Path) {
    let (file, before) = (directory.join("work.db"), directory.join("before.db"));
    let mut old = Connection::open(&before).unwrap();
    migrations::migrations::runner().set_target(Target::Version(4)).run(&mut old).unwrap();
    old.execute("ATTACH ?1 AS new", [file.to_str().unwrap()]).unwrap();
    let tables: Vec<String> = old
        .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'refinery%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for table in tables.iter().filter(|table| *table != "early_report") {
        let columns: Vec<String> = old
            .prepare("SELECT name FROM pragma_table_info(?1, 'main')")
            .unwrap()
            .query_map([table], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let columns = columns.join(", ");
        let copy = format!(
            "DELETE FROM main.{table}; INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table};"
        );
        old.execute_batch(&format!("{copy} /* every workspace: the whole file */")).unwrap();
    }
    old.execute_batch(&format!(
        "UPDATE main.message SET provider_id = '{WAMID}' /* every workspace: a test */;
         INSERT INTO main.early_report (workspace, provider_id, state, at, kept_at)
             SELECT workspace, provider_id, 5, 0, 0 FROM main.message /* every workspace: a test */;
         DETACH new; PRAGMA journal_mode = WAL;"
    ))
    .unwrap();
    drop(old);
    std::fs::rename(before, file).unwrap();
}

#[tokio::test]
async fn ids_of_an_earlier_release_are_sealed_at_the_first_start_and_found_as_before() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = begun(&store).await;
    accepted(&store, workspace).await;
    store.close().await.unwrap();
    drop(store);
    of_before(directory.path());
    assert_eq!(holding(directory.path()), ["work.db"]);
    let store = open(directory.path());
    assert_eq!(holding(directory.path()), Vec::<String>::new(), "running");
    let message = store.message_named(workspace, &by_provider()).await.unwrap().unwrap();
    assert_eq!(message.provider_id.as_deref(), Some(WAMID));
    assert!(report(&store, workspace, MessageState::Read).await);
    store.close().await.unwrap();
    drop(store);
    assert_eq!(holding(directory.path()), Vec::<String>::new(), "stopped");
    assert!(!directory.path().join("work.db.new").exists());
    let store = open(directory.path());
    assert_eq!(named(directory.path()), 1);
    drop(store);
}

#[tokio::test]
async fn ids_of_people_who_were_erased_before_are_destroyed_at_the_first_start() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = begun(&store).await;
    accepted(&store, workspace).await;
    erase(&store, workspace).await;
    store.close().await.unwrap();
    drop(store);
    of_before(directory.path());
    let store = open(directory.path());
    assert_eq!(named(directory.path()), 0);
    assert_eq!(store.message_named(workspace, &by_provider()).await.unwrap(), None);
}

#[tokio::test]
async fn rejects_of_a_workspace_are_bounded_by_bytes_and_the_oldest_go_first() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let (loud, quiet) = (workspace(&store).await, workspace(&store).await);
    store.keep_rejects(quiet, vec![refused("shop", "not-json", "quiet")]);
    let long = "x".repeat(limits::REJECT_BODY_BYTES_MAX);
    let most = limits::REJECT_BYTES_PER_WORKSPACE_MAX / limits::REJECT_BODY_BYTES_MAX;
    for n in 0..most + 100 {
        let body = format!("{n:06}{long}");
        store.keep_rejects(loud, vec![refused("shop", "not-json", &body)]);
        if n % 100 == 0 {
            store.rejects(loud, &RejectQuery::default(), 1).await.unwrap();
        }
    }
    let newest = store.rejects(loud, &RejectQuery::default(), 1).await.unwrap().rejects;
    assert!(newest[0].draft.body.text().starts_with(&format!("{:06}", most + 99)));
    let work = Connection::open(directory.path().join("work.db")).unwrap();
    let bytes = |workspace: WorkspaceId| -> i64 {
        let sum = "SELECT sum(length(sealed)) FROM reject WHERE workspace = ?1";
        work.query_row(sum, [workspace.as_bytes()], |row| row.get(0)).unwrap()
    };
    let bound = i64::try_from(limits::REJECT_BYTES_PER_WORKSPACE_MAX).unwrap();
    assert!(bytes(loud) <= bound && bytes(loud) > bound - 40_000, "{}", bytes(loud));
    assert!(bytes(quiet) > 0, "another workspace's stay");
    let abouts: i64 = work
        .query_row(
            "SELECT count(*) FROM reject_about WHERE row NOT IN (SELECT row FROM reject) /* every workspace: a test */",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(abouts, 0);
}
