//! A store's life in a few moments, and what a store says of everybody in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sayso_core::gate::reason::Reason;
use sayso_core::id::{ImportId, WorkspaceId};
use sayso_core::limits;
use sayso_core::words::statement::Statement;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::conformance::{SMS, marketing, phone, reason, record, said, workspace};
use sayso_store::environment::Environment;
use sayso_store::sqlite::{OpenError, Options, SqliteStore};
use sayso_store::store::HistoryQuery;

/// People of these stores.
pub(crate) const PEOPLE: u64 = 12;

pub(crate) fn open(directory: &Path) -> SqliteStore {
    try_open(directory).unwrap()
}

pub(crate) fn try_open(directory: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(directory, Options::default(), Environment::system())
}

/// What a store says of one person: why marketing is refused, and the ids of their events.
pub(crate) type Told = (Option<Reason>, Vec<String>);

/// What a store says of everybody.
pub(crate) async fn told(store: &SqliteStore, workspace: WorkspaceId) -> Truth {
    let mut told = BTreeMap::new();
    for n in 0..PEOPLE {
        let why = reason(store, workspace, &phone(n), marketing()).await;
        told.insert(n, (why, history(store, workspace, n).await));
    }
    told
}

/// The ids of a person's events, each of which names the person.
async fn history(store: &SqliteStore, workspace: WorkspaceId, n: u64) -> Vec<String> {
    let subject = Subject::Address(phone(n));
    let page = store.history(workspace, &subject, &HistoryQuery::newest(50)).await.unwrap();
    for entry in &page.entries {
        assert!(entry.address.as_ref().is_none_or(|address| *address == phone(n)), "phone {n}");
    }
    page.entries.iter().map(|entry| entry.event.id.to_string()).collect()
}

pub(crate) async fn say(
    store: &SqliteStore,
    workspace: WorkspaceId,
    n: u64,
    says: Statement,
    at: i64,
) {
    record(store, workspace, said(workspace, &phone(n), SMS, says, at)).await;
}

/// Files of a store, as of a moment.
#[derive(Clone, Debug)]
pub(crate) struct Moment(PathBuf);

impl Moment {
    /// Copies the files of a store: of one that runs, as a process that is killed leaves them.
    pub(crate) fn of(store: &Path, copies: &Path, name: &str) -> Self {
        let to = copies.join(name);
        std::fs::create_dir(&to).unwrap();
        let moment = Self(to);
        for file in FILES.into_iter().filter(|file| store.join(file).exists()) {
            std::fs::copy(store.join(file), moment.0.join(file)).unwrap();
        }
        moment
    }

    /// Puts some of the files into a directory.
    pub(crate) fn put(&self, files: &[&str], to: &Path) {
        for file in files {
            if self.0.join(file).exists() {
                std::fs::copy(self.0.join(file), to.join(file)).unwrap();
            }
        }
    }
}

const FILES: [&str; 8] = [
    "master.key",
    "work.db",
    "work.db-wal",
    "events.db",
    "events.db-wal",
    "views.db",
    "views.db-wal",
    "gate.index",
];
pub(crate) const LEDGER: [&str; 2] = ["events.db", "events.db-wal"];
pub(crate) const VIEWS: [&str; 2] = ["views.db", "views.db-wal"];
pub(crate) const INDEX: [&str; 1] = ["gate.index"];

/// The moments of a store's life, each stopped in order or killed.
pub(crate) struct Life {
    pub(crate) workspace: WorkspaceId,
    pub(crate) moments: BTreeMap<&'static str, Moment>,
    pub(crate) directory: tempfile::TempDir,
}

/// Makes the views of a running store take in all that was recorded.
async fn flush(store: &SqliteStore, workspace: WorkspaceId) {
    store.undo_import(workspace, ImportId::from_bytes([9; 16])).await.unwrap();
}

impl Life {
    /// All agree; then some refuse; then others do, and some of the first come back.
    pub(crate) async fn lived() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (at, copies) = (directory.path().join("store"), directory.path().to_path_buf());
        let mut moments = BTreeMap::new();
        let mut take = |name: &'static str| {
            moments.insert(name, Moment::of(&directory.path().join("store"), &copies, name));
        };
        let store = open(&at);
        let workspace = workspace(&store).await;
        for n in 0..PEOPLE {
            say(&store, workspace, n, Statement::Single, 1).await;
        }
        store.close().await.unwrap();
        drop(store);
        take("early");
        let store = open(&at);
        for n in 0..4 {
            say(&store, workspace, n, Statement::OptOut, 2).await;
        }
        take("middle, killed");
        store.close().await.unwrap();
        drop(store);
        take("middle");
        let store = open(&at);
        for n in 4..8 {
            say(&store, workspace, n, Statement::OptOut, 3).await;
        }
        flush(&store, workspace).await;
        for n in 0..2 {
            say(&store, workspace, n, Statement::Single, 4).await;
        }
        take("late, killed");
        store.close().await.unwrap();
        drop(store);
        take("late");
        Self { workspace, moments, directory }
    }

    /// A directory with the key and the work of the store, and none of its other files.
    pub(crate) fn begun(&self) -> tempfile::TempDir {
        let to = tempfile::tempdir().unwrap();
        self.moments["late"].put(&["master.key", "work.db"], to.path());
        // A hole is as good as zeros here, and quicker.
        let reserve = std::fs::File::create(to.path().join("reserve")).unwrap();
        reserve.set_len(u64::try_from(limits::REFUSAL_RESERVE_BYTES).unwrap()).unwrap();
        to
    }

    /// What each ledger says on its own.
    pub(crate) async fn truths(&self) -> Vec<(&'static str, &'static [&'static str], Truth)> {
        let mut truths = Vec::new();
        for (name, moment) in &self.moments {
            // With the log beside it, and as a hand copies it who forgets the log.
            let has_log = moment.0.join(LEDGER[1]).exists();
            let copied = [&LEDGER[..], &LEDGER[..1]];
            for files in copied.into_iter().take(1 + usize::from(has_log)) {
                let alone = self.begun();
                self.moments[name].put(files, alone.path());
                let store = open(alone.path());
                truths.push((*name, files, told(&store, self.workspace).await));
            }
        }
        truths
    }
}

/// What a store says of everybody.
pub(crate) type Truth = BTreeMap<u64, Told>;
