//! Derived files know whose they are: whatever lies beside the ledger, a store answers what the ledger
//! alone would answer, shows nobody another's events, and destroys nobody else's evidence.

use sayso_core::gate::reason::Reason;
use sayso_core::id::ImportId;
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::conformance::{SMS, marketing, of_fact, phone, reason, record, said, workspace};
use sayso_store::erasure::ErasureReach;
use sayso_store::store::HistoryQuery;

use crate::life::{INDEX, LEDGER, Life, Moment, PEOPLE, Truth, VIEWS, open, say, told};
use crate::warnings::warnings_of;

/// Another life of the same store: an early copy of it that went its own way.
async fn parted(life: &Life) -> Moment {
    let elsewhere = life.begun();
    life.moments["early"].put(&LEDGER, elsewhere.path());
    let store = open(elsewhere.path());
    for n in (0..PEOPLE).rev() {
        say(&store, life.workspace, n, Statement::OptOut, 2).await;
        say(&store, life.workspace, n, Statement::Single, 3).await;
    }
    store.close().await.unwrap();
    drop(store);
    Moment::of(elsewhere.path(), life.directory.path(), "parted")
}

/// Another store, with another key.
async fn another(life: &Life) -> Moment {
    let elsewhere = tempfile::tempdir().unwrap();
    let store = open(elsewhere.path());
    let workspace = workspace(&store).await;
    for n in 0..2 * PEOPLE {
        say(&store, workspace, n, Statement::Single, 1).await;
    }
    store.close().await.unwrap();
    drop(store);
    Moment::of(elsewhere.path(), life.directory.path(), "another")
}

#[tokio::test]
async fn every_mixture_of_files_answers_what_the_ledger_in_it_says() {
    let mut life = Life::lived().await;
    let truths = life.truths().await;
    assert!(truths.iter().any(|(_, _, truth)| truth[&5].0 == Some(Reason::OptedOut)));
    assert!(truths.iter().any(|(_, _, truth)| truth[&0].0.is_none() && truth[&0].1.len() == 3));
    let (parted, another) = (parted(&life).await, another(&life).await);
    life.moments.extend([("parted", parted), ("another", another)]);
    // A process that was killed leaves the index of the one before it, or none.
    let indexes = ["early", "middle", "late", "late, killed", "parted", "another"];
    for (ledger, files, truth) in &truths {
        for views in life.moments.keys() {
            for index in indexes {
                let mixture = format!("{files:?} of {ledger}, views of {views}, index of {index}");
                let to = life.begun();
                life.moments[ledger].put(files, to.path());
                life.moments[views].put(&VIEWS, to.path());
                life.moments[index].put(&INDEX, to.path());
                let store = open(to.path());
                assert_eq!(told(&store, life.workspace).await, *truth, "{mixture}");
            }
        }
    }
}

#[tokio::test]
async fn views_and_their_log_of_different_moments_are_not_mixed() {
    let life = Life::lived().await;
    for (ledger, files, truth) in life.truths().await {
        for views in life.moments.keys() {
            for log in life.moments.keys() {
                let mixture =
                    format!("{files:?} of {ledger}, views of {views}, their log of {log}");
                let to = life.begun();
                life.moments[ledger].put(files, to.path());
                life.moments[views].put(&VIEWS[..1], to.path());
                life.moments[log].put(&VIEWS[1..], to.path());
                let store = open(to.path());
                assert_eq!(told(&store, life.workspace).await, truth, "{mixture}");
            }
        }
    }
}

/// What was acknowledged over an older ledger is there after a stop and after a kill.
#[tokio::test]
async fn refusals_acknowledged_over_an_older_ledger_hold_after_a_kill() {
    let life = Life::lived().await;
    for is_killed in [true, false] {
        let to = life.begun();
        life.moments["early"].put(&LEDGER, to.path());
        life.moments["late"].put(&VIEWS, to.path());
        life.moments["late"].put(&INDEX, to.path());
        let store = open(to.path());
        for n in 8..PEOPLE {
            say(&store, life.workspace, n, Statement::OptOut, 5).await;
        }
        let found = if is_killed {
            let kept = tempfile::tempdir().unwrap();
            Moment::of(to.path(), kept.path(), "killed");
            let store = open(&kept.path().join("killed"));
            told(&store, life.workspace).await
        } else {
            store.close().await.unwrap();
            drop(store);
            told(&open(to.path()), life.workspace).await
        };
        for n in 0..PEOPLE {
            let expected = (n >= 8).then_some(Reason::OptedOut);
            assert_eq!(found[&n].0, expected, "phone {n}, killed: {is_killed}");
            assert_eq!(found[&n].1.len(), if n >= 8 { 2 } else { 1 }, "phone {n}");
        }
    }
}

#[tokio::test]
async fn an_erasure_over_an_older_ledger_destroys_nobody_elses_evidence() {
    let life = Life::lived().await;
    let to = life.begun();
    life.moments["early"].put(&LEDGER, to.path());
    life.moments["late"].put(&VIEWS, to.path());
    let store = open(to.path());
    for n in (0..PEOPLE).rev() {
        say(&store, life.workspace, n, Statement::Single, 6).await;
    }
    let draft = of_fact(life.workspace, &phone(4), Fact::Erasure, 7);
    store
        .erase(life.workspace, &Subject::Address(phone(4)), ErasureReach::Person, draft)
        .await
        .unwrap();
    for n in 0..PEOPLE {
        let subject = Subject::Address(phone(n));
        let query = HistoryQuery::newest(50);
        let page = store.history(life.workspace, &subject, &query).await.unwrap();
        for entry in page.entries {
            assert_eq!(entry.evidence.is_some(), n != 4, "phone {n}: {:?}", entry.event.fact);
        }
    }
}

/// An undoing that the ledger does not know of is not in what is derived either.
#[tokio::test]
async fn an_import_undone_after_the_ledger_was_copied_counts_again_with_the_copy() {
    let (directory, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let import = ImportId::from_bytes([6; 16]);
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    say(&store, workspace, 1, Statement::Single, 1).await;
    let mut refusal = said(workspace, &phone(1), SMS, Statement::OptOut, 2);
    refusal.import = Some(import);
    record(&store, workspace, refusal).await;
    store.close().await.unwrap();
    drop(store);
    let before = Moment::of(directory.path(), copies.path(), "before");
    let store = open(directory.path());
    store.undo_import(workspace, import).await.unwrap();
    assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, None);
    store.close().await.unwrap();
    drop(store);
    before.put(&LEDGER, directory.path());
    let store = open(directory.path());
    let found = reason(&store, workspace, &phone(1), marketing()).await;
    assert_eq!(found, Some(Reason::OptedOut));
}

/// An index from before an undoing knows nothing of it, and no event says whom it concerned.
#[tokio::test]
async fn an_index_from_before_an_undoing_is_not_used() {
    let (directory, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let import = ImportId::from_bytes([6; 16]);
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    let mut yes = said(workspace, &phone(1), SMS, Statement::Yes, 1);
    yes.import = Some(import);
    record(&store, workspace, yes).await;
    store.close().await.unwrap();
    drop(store);
    let before = Moment::of(directory.path(), copies.path(), "before");
    let store = open(directory.path());
    assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, None);
    store.undo_import(workspace, import).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    before.put(&INDEX, directory.path());
    let store = open(directory.path());
    let found = reason(&store, workspace, &phone(1), marketing()).await;
    assert_eq!(found, Some(Reason::NoOptIn));
}

#[tokio::test]
async fn a_start_says_how_many_events_the_ledger_lost() {
    let life = Life::lived().await;
    for (views, index, said) in [
        ("late", "early", vec!["views.db lost_events=10"]),
        ("early", "late", vec!["gate.index lost_events=10"]),
        ("middle", "late", vec!["views.db lost_events=4", "gate.index lost_events=10"]),
        ("early", "early", vec![]),
    ] {
        let to = life.begun();
        life.moments["early"].put(&LEDGER, to.path());
        life.moments[views].put(&VIEWS, to.path());
        life.moments[index].put(&INDEX, to.path());
        let warnings = warnings_of(|| drop(open(to.path())));
        let found: Vec<&str> = said
            .iter()
            .filter(|wanted| {
                let parts: Vec<&str> = wanted.split(' ').collect();
                warnings.iter().any(|line| parts.iter().all(|part| line.contains(part)))
            })
            .copied()
            .collect();
        assert_eq!(found, said, "{warnings:?}");
        assert_eq!(warnings.len(), said.len(), "{warnings:?}");
    }
}

#[tokio::test]
async fn files_of_another_store_are_told_and_removed() {
    let life = Life::lived().await;
    let another = another(&life).await;
    let to = life.begun();
    life.moments["late"].put(&LEDGER, to.path());
    another.put(&VIEWS, to.path());
    another.put(&INDEX, to.path());
    let mut store = None;
    let warnings = warnings_of(|| store = Some(open(to.path())));
    assert!(warnings.iter().any(|line| line.contains("another store")), "{warnings:?}");
    assert!(!to.path().join("gate.index").exists(), "an index that is not used is removed at once");
    drop(store);
    assert_eq!(warnings_of(|| drop(open(to.path()))), Vec::<String>::new());
}

/// A store of the last release has no id, and its views do not say whose they are.
#[tokio::test]
async fn a_store_of_the_last_release_opens_and_has_an_id_from_then_on() {
    let life = Life::lived().await;
    let truth = told_by(&life, "late").await;
    let to = life.begun();
    for files in [&LEDGER[..], &VIEWS[..], &INDEX[..]] {
        life.moments["late"].put(files, to.path());
    }
    let as_before = |file: &str, statements: &[&str]| {
        let file = rusqlite::Connection::open(to.path().join(file)).unwrap();
        for statement in statements {
            file.execute(statement, []).unwrap();
        }
        file.execute("DELETE FROM refinery_schema_history WHERE version > 1", []).unwrap();
    };
    as_before("events.db", &["ALTER TABLE store DROP COLUMN store_id"]);
    as_before(
        "views.db",
        &[
            "ALTER TABLE watermark DROP COLUMN lineage",
            "ALTER TABLE watermark DROP COLUMN generation",
            "ALTER TABLE watermark DROP COLUMN generation_before",
            "ALTER TABLE address DROP COLUMN digest",
        ],
    );
    let id = || -> Vec<u8> {
        let ledger = rusqlite::Connection::open(to.path().join("events.db")).unwrap();
        ledger.query_row("SELECT store_id FROM store", [], |row| row.get(0)).unwrap()
    };
    let store = open(to.path());
    assert_eq!(told(&store, life.workspace).await, truth);
    store.close().await.unwrap();
    drop(store);
    let first = id();
    assert_eq!(first.len(), 16);
    assert_eq!(warnings_of(|| drop(open(to.path()))), Vec::<String>::new());
    assert_eq!(id(), first, "written once");
}

async fn told_by(life: &Life, moment: &str) -> Truth {
    let alone = life.begun();
    life.moments[moment].put(&LEDGER, alone.path());
    told(&open(alone.path()), life.workspace).await
}
