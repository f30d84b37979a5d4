//! Every durable write four ways: it succeeds, it fails, it fails but is on disk, it is cut short.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use sayso_core::gate::reason::Reason;
use sayso_core::words::statement::Statement;
use sayso_core::workspace::Change;
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::conformance::{SMS, known, marketing, phone, reason, record, said, workspace};
use sayso_store::environment::Environment;
use sayso_store::sqlite::{Commit, Committed, Options, RealCommit, SqliteStore};
use sayso_store::store::{Outcome, StoreError};

/// What the next commits do; empty means "for real".
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// None: this one is for real, the next is not.
    Later,
    /// The disk is full; nothing is written.
    Full,
    /// The directory may not be written.
    ReadOnly,
    /// The flush failed and nothing was written.
    LostAtFlush,
    /// The flush failed and everything was written.
    KeptAtFlush,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// The next commit meets `fault`; of several, the last that was named.
    pub(crate) fn next(&self, fault: Fault) {
        self.0.lock().unwrap().push(fault);
    }

    /// Forgets the faults that no commit met.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

fn engine_error(code: i32) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
}

impl Commit for Faults {
    fn commit(&mut self, ledger: &rusqlite::Connection) -> Committed {
        let fault = self.0.lock().unwrap().pop();
        match fault {
            None | Some(Fault::Later) => RealCommit.commit(ledger),
            Some(Fault::Full) => Committed::Failed(engine_error(rusqlite::ffi::SQLITE_FULL)),
            Some(Fault::ReadOnly) => {
                Committed::Failed(engine_error(rusqlite::ffi::SQLITE_READONLY))
            }
            Some(Fault::LostAtFlush) => {
                ledger.execute_batch("ROLLBACK").unwrap();
                Committed::Unknown("the flush failed".to_owned())
            }
            Some(Fault::KeptAtFlush) => {
                ledger.execute_batch("COMMIT").unwrap();
                Committed::Unknown("the flush failed".to_owned())
            }
        }
    }
}

/// Commits fail as on a full disk while the reserve lies on it.
#[derive(Debug)]
struct FullWhile(PathBuf, Arc<Mutex<bool>>);

impl Commit for FullWhile {
    fn commit(&mut self, ledger: &rusqlite::Connection) -> Committed {
        if *self.1.lock().unwrap() && self.0.exists() {
            return Committed::Failed(engine_error(rusqlite::ffi::SQLITE_FULL));
        }
        RealCommit.commit(ledger)
    }
}

struct Trial {
    directory: tempfile::TempDir,
    faults: Faults,
    words: Arc<Mutex<Vec<String>>>,
}

impl Trial {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            faults: Faults::default(),
            words: Arc::default(),
        }
    }

    fn open(&self) -> SqliteStore {
        let words = Arc::clone(&self.words);
        let options = Options {
            on_unknown_outcome: Arc::new(move |word| words.lock().unwrap().push(word.to_owned())),
            ..Options::default()
        };
        let commit = Box::new(self.faults.clone());
        SqliteStore::open_with(self.directory.path(), options, Environment::system(), commit)
            .unwrap()
    }
}

#[tokio::test]
async fn a_failed_write_is_an_error_and_leaves_nothing() {
    for fault in [Fault::Full, Fault::ReadOnly] {
        let trial = Trial::new();
        let store = trial.open();
        let workspace = workspace(&store).await;
        trial.faults.next(fault);
        let single = said(workspace, &phone(1), SMS, Statement::Single, 1);
        let answer = store.record(workspace, vec![single.clone()]).await;
        assert!(matches!(answer, Err(StoreError::Unwritable(_))), "{fault:?}");
        assert!(known(&store, workspace, &phone(1)).await.is_empty());
        assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, Some(Reason::NoOptIn));
        let again = record(&store, workspace, single).await;
        assert_eq!(again.outcome, Outcome::Appended, "the store lives on");
        drop(store);
        let store = trial.open();
        assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, None);
    }
}

#[tokio::test]
async fn an_unknown_outcome_stops_the_store_and_a_retry_after_the_restart_finds_the_truth() {
    for (fault, outcome) in
        [(Fault::LostAtFlush, Outcome::Appended), (Fault::KeptAtFlush, Outcome::Retried)]
    {
        let trial = Trial::new();
        let store = trial.open();
        let workspace = workspace(&store).await;
        trial.faults.next(fault);
        let out = said(workspace, &phone(1), SMS, Statement::OptOut, 1);
        let answer = store.record(workspace, vec![out.clone()]).await;
        assert!(matches!(answer, Err(StoreError::Unknown)), "{fault:?}");
        let after = store.record(workspace, vec![out.clone()]).await;
        assert!(matches!(after, Err(StoreError::Closed)), "nothing is taken after it");
        drop(store);
        assert_eq!(*trial.words.lock().unwrap(), ["the flush failed"]);
        let store = trial.open();
        assert_eq!(record(&store, workspace, out).await.outcome, outcome);
        assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, Some(Reason::OptedOut));
    }
}

#[tokio::test]
async fn a_failed_change_of_configuration_leaves_the_old_one() {
    let trial = Trial::new();
    let store = trial.open();
    let workspace = workspace(&store).await;
    trial.faults.next(Fault::Full);
    let change = Change::Settings(sayso_core::policy::settings::Settings::default());
    let answer = configure_now(&store, workspace, change.clone()).await;
    assert!(matches!(answer, Err(StoreError::Unwritable(_))));
    assert_eq!(store.workspaces()[&workspace].settings.iter().count(), 0);
    configure_now(&store, workspace, change).await.unwrap();
    assert_eq!(store.workspaces()[&workspace].settings.iter().count(), 1);
}

#[tokio::test]
async fn one_callers_failure_is_not_anothers() {
    let trial = Trial::new();
    let store = trial.open();
    let workspace = workspace(&store).await;
    trial.faults.next(Fault::Full);
    let draft = |n| vec![said(workspace, &phone(n), SMS, Statement::OptOut, 1)];
    let answers = tokio::join!(
        store.record(workspace, draft(1)),
        store.record(workspace, draft(2)),
        store.record(workspace, draft(3)),
    );
    for (n, answer) in [(1, answers.0), (2, answers.1), (3, answers.2)] {
        let stored = !known(&store, workspace, &phone(n)).await.is_empty();
        assert_eq!(answer.is_ok(), stored, "phone {n}");
    }
}

#[tokio::test]
async fn a_full_disk_still_takes_refusals_from_the_reserve() {
    let directory = tempfile::tempdir().unwrap();
    let is_full = Arc::new(Mutex::new(false));
    let commit = FullWhile(directory.path().join("reserve"), Arc::clone(&is_full));
    let store = SqliteStore::open_with(
        directory.path(),
        Options::default(),
        Environment::system(),
        Box::new(commit),
    )
    .unwrap();
    let workspace = workspace(&store).await;
    *is_full.lock().unwrap() = true;
    let single = vec![said(workspace, &phone(1), SMS, Statement::Single, 1)];
    let answer = store.record(workspace, single).await;
    assert!(matches!(answer, Err(StoreError::Unwritable(_))), "an opt-in can wait");
    let out =
        record(&store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 2)).await;
    assert_eq!(out.outcome, Outcome::Appended);
    assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, Some(Reason::OptedOut));
}
