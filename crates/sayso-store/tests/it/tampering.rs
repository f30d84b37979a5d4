//! A file into which somebody put what no release puts there is refused before anything in it runs, and
//! facts that were changed are found by their hashes.

use std::path::Path;

use rusqlite::Connection;
use sayso_core::id::{KeyId, WorkspaceId};
use sayso_core::time::Timestamp;
use sayso_core::words::event::Fact;
use sayso_core::words::source::SourceName;
use sayso_core::words::statement::{Standing, Statement};
use sayso_core::workspace::{ApiKey, Change, KeyScope};
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::conformance::{SMS, known, of_fact, phone, record, said, workspace};
use sayso_store::environment::Environment;
use sayso_store::erasure::ErasureReach;
use sayso_store::sqlite::examination::{Examined, examine};
use sayso_store::sqlite::{OpenError, Options, SqliteStore};

fn open(directory: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(directory, Options::default(), Environment::system())
}

fn execute(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

/// A closed store in which phone 1 refused.
async fn closed(directory: &Path) -> WorkspaceId {
    let store = open(directory).unwrap();
    let workspace = workspace(&store).await;
    record(&store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    store.close().await.unwrap();
    workspace
}

/// What makes every new refusal vanish.
const NO_REFUSALS: &str = "CREATE TRIGGER quiet AFTER INSERT ON event BEGIN
    DELETE FROM event WHERE row = new.row; /* every workspace: a thief */ END";

#[tokio::test]
async fn an_entry_of_a_workspace_opens_in_its_own_row_alone() {
    let directory = tempfile::tempdir().unwrap();
    let workspace = closed(directory.path()).await;
    let store = open(directory.path()).unwrap();
    let key = |revoked_at| ApiKey {
        name: SourceName::parse("shop").unwrap(),
        sha256: [7; 32],
        scopes: vec![KeyScope::Read],
        highest: Standing::Act,
        created_at: Timestamp::from_micros(1),
        revoked_at,
    };
    let id = KeyId::from_bytes([9; 16]);
    for revoked_at in [None, Some(Timestamp::from_micros(2))] {
        configure_now(&store, workspace, Change::Key(id, key(revoked_at))).await.unwrap();
    }
    store.close().await.unwrap();
    // The key lives again, says whoever can write to the file.
    let revive = "INSERT INTO configuration (workspace, changed_at, change)
        SELECT workspace, changed_at + 9, change FROM configuration
        WHERE row = (SELECT max(row) - 1 FROM configuration) /* every workspace: a thief */";
    execute(&directory.path().join("events.db"), revive);
    assert!(open(directory.path()).is_err());
}

#[tokio::test]
async fn a_file_with_anything_that_no_release_made_is_refused_and_named() {
    for (file, sql, named) in [
        ("events.db", NO_REFUSALS, "the trigger \"quiet\" is in it"),
        ("events.db", "CREATE VIEW other AS SELECT 1", "the view \"other\" is in it"),
        ("events.db", concat!("CREATE ", "TABLE more (a)"), "the table \"more\" is in it"),
        ("events.db", "CREATE INDEX slow ON event (facts)", "the index \"slow\" is in it"),
        ("events.db", "ALTER TABLE event ADD COLUMN more", "the table \"event\" is not the one"),
        (
            "events.db",
            "ALTER TABLE event RENAME TO held; CREATE VIEW event AS SELECT * FROM held WHERE 0",
            "which Sayso did not make",
        ),
        (
            "work.db",
            "CREATE TRIGGER on_message AFTER INSERT ON message BEGIN SELECT 1; END",
            "the trigger \"on_message\" is in it",
        ),
        ("work.db", "DROP INDEX message_of_address", "the index \"message_of_address\" is missing"),
        (
            "work.db",
            "DROP INDEX message_by_id; CREATE INDEX message_by_id ON message (workspace)",
            "the index \"message_by_id\" is not the one",
        ),
        (
            "work.db",
            "DELETE FROM refinery_schema_history WHERE version > 1",
            "which Sayso did not make",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        closed(directory.path()).await;
        execute(&directory.path().join(file), sql);
        let before = std::fs::read(directory.path().join(file)).unwrap();
        let refused = open(directory.path()).unwrap_err();
        let words = refused.to_string();
        assert!(matches!(&refused, OpenError::Schema { .. }), "{sql}: {words}");
        assert!(words.contains(named) && words.contains(file), "{sql}: {words}");
        assert_eq!(std::fs::read(directory.path().join(file)).unwrap(), before, "untouched");
        let faults = examine(directory.path()).unwrap().faults;
        assert!(
            faults.iter().any(|fault| fault.file == file && fault.what.contains(named)),
            "{faults:?}"
        );
    }
}

#[tokio::test]
async fn views_with_anything_that_no_release_made_are_rebuilt() {
    let directory = tempfile::tempdir().unwrap();
    let workspace = closed(directory.path()).await;
    let trigger = "CREATE TRIGGER quiet AFTER INSERT ON address BEGIN
        DELETE FROM address /* every workspace: a thief */; END";
    execute(&directory.path().join("views.db"), trigger);
    let store = open(directory.path()).unwrap();
    assert!(!known(&store, workspace, &phone(1)).await.is_empty());
    store.close().await.unwrap();
    let views = Connection::open(directory.path().join("views.db")).unwrap();
    let triggers = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'";
    assert_eq!(views.query_row(triggers, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    drop(views);
    let examined = examine(directory.path()).unwrap();
    assert_eq!(examined, Examined { proven: 1, ..Examined::default() });
}

#[tokio::test]
async fn a_trigger_planted_while_the_store_runs_does_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let workspace = workspace(&store).await;
    execute(&directory.path().join("events.db"), NO_REFUSALS);
    record(&store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    store.close().await.unwrap();
    let ledger = Connection::open(directory.path().join("events.db")).unwrap();
    let events: i64 = ledger
        .query_row("SELECT count(*) FROM event /* every workspace: a test */", [], |row| row.get(0))
        .unwrap();
    assert_eq!(events, 1);
    assert!(matches!(open(directory.path()), Err(OpenError::Schema { .. })));
}

#[tokio::test]
async fn facts_that_were_changed_or_deleted_are_found_by_an_examination() {
    for (sql, named) in [
        (
            "UPDATE event SET address_key = zeroblob(16) WHERE row = 2 /* every workspace: a test */",
            "event 2 is not what its hash says",
        ),
        (
            "UPDATE event SET recorded_at = recorded_at - 1 WHERE row = 2 /* every workspace: a test */",
            "event 2 is not what its hash says",
        ),
        (
            "UPDATE event SET facts = (SELECT facts FROM event WHERE row = 1) WHERE row = 2 /* every workspace: a test */",
            "event 2 is not what its hash says",
        ),
        (
            "UPDATE event SET sealed = zeroblob(60) WHERE row = 1 /* every workspace: a test */",
            "event 1 is not what its hash says",
        ),
        (
            "UPDATE event SET sealed = NULL WHERE row = 1 /* every workspace: a test */",
            "event 1 lost what proves it",
        ),
        (
            "DELETE FROM event WHERE row = 2 /* every workspace: a test */",
            "event 1 is not followed by the next",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        let workspace = workspace(&store).await;
        for (n, statement) in [(1, Statement::OptOut), (2, Statement::Single), (3, Statement::Hold)]
        {
            record(&store, workspace, said(workspace, &phone(n), SMS, statement, 1)).await;
        }
        let erasure = of_fact(workspace, &phone(3), Fact::Erasure, 2);
        store
            .erase(workspace, &Subject::Address(phone(3)), ErasureReach::Person, erasure)
            .await
            .unwrap();
        let whole = examine(directory.path()).unwrap();
        assert_eq!(whole.faults, [], "beside a running server");
        assert_eq!((whole.proven, whole.destroyed), (2, 2), "the erasure and what it was about");
        store.close().await.unwrap();
        execute(&directory.path().join("events.db"), sql);
        let faults = examine(directory.path()).unwrap().faults;
        assert_eq!(faults.len(), 1, "{sql}: {faults:?}");
        assert!(faults[0].file == "events.db" && faults[0].what.contains(named), "{faults:?}");
    }
}

#[test]
fn a_directory_without_a_store_is_not_examined() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(examine(directory.path()), Err(OpenError::NoStore(_))));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
