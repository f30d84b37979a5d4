//! `work.db`: durable, sealed, swept, copied, and in nobody's way.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use sayso_core::id::{ProfileId, WorkspaceId};
use sayso_core::limits;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::conformance::{
    SMS, by_code, looked_up, of_fact, phone, record, refused, said, workspace,
};
use sayso_store::double_opt_in::AskingEnd;
use sayso_store::environment::{Clock, Environment};
use sayso_store::erasure::ErasureCounts;
use sayso_store::erasure::ErasureReach;
use sayso_store::look_up::{LookUpQuery, LookedUp};
use sayso_store::reject::RejectQuery;
use sayso_store::sqlite::{Commit, Committed, OpenError, Options, RealCommit, SqliteStore};
use sayso_store::store::{Outcome, StoreError};

const DIGITS: &str = "15550100001";
const ASKED: LookedUp = LookedUp::Profile(ProfileId::from_bytes([1; 16]));

/// A clock that stands still until it is told to move.
#[derive(Debug)]
struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

impl ManualClock {
    fn advance(&self, span: Span) {
        self.0.fetch_add(span.as_micros(), Ordering::SeqCst);
    }
}

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default(), Environment::system()).unwrap()
}

async fn fill(store: &SqliteStore) -> WorkspaceId {
    let workspace = workspace(store).await;
    store.keep_rejects(workspace, vec![refused("shop", "invalid-phone", DIGITS)]);
    store.note_look_up(workspace, looked_up(1, &[ASKED])).await.unwrap();
    workspace
}

async fn counts(store: &SqliteStore, workspace: WorkspaceId) -> (usize, usize) {
    let rejects = store.rejects(workspace, &RejectQuery::default(), 500).await.unwrap();
    let look_ups = store.look_ups(workspace, &LookUpQuery::default(), 500).await.unwrap();
    (rejects.rejects.len(), look_ups.look_ups.len())
}

/// What the file holds, seen from outside.
fn rows(directory: &Path, table: &str) -> i64 {
    let work = rusqlite::Connection::open(directory.join("work.db")).unwrap();
    work.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn execute(directory: &Path, statement: &str) {
    let work = rusqlite::Connection::open(directory.join("work.db")).unwrap();
    work.execute_batch(statement).unwrap();
}

#[tokio::test]
async fn a_look_up_is_in_the_file_before_it_is_answered() {
    let (directory, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    store.note_look_up(workspace, looked_up(1, &[ASKED])).await.unwrap();
    // What a process that dies now leaves behind.
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let after = open(copy.path());
    assert_eq!(counts(&after, workspace).await, (0, 1));
}

#[tokio::test]
async fn what_was_kept_and_noted_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = fill(&store).await;
    store.close().await.unwrap();
    drop(store);
    assert_eq!(counts(&open(directory.path()), workspace).await, (1, 1));
}

#[tokio::test]
async fn a_look_up_that_cannot_be_written_is_an_error_and_a_reject_that_cannot_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = fill(&store).await;
    assert_eq!(counts(&store, workspace).await, (1, 1));
    execute(directory.path(), "ALTER TABLE look_up RENAME TO gone");
    let noted = store.note_look_up(workspace, looked_up(1, &[ASKED])).await;
    assert!(matches!(noted, Err(StoreError::Unwritable(_))), "{noted:?}");
    execute(directory.path(), "ALTER TABLE gone RENAME TO look_up");
    execute(directory.path(), "ALTER TABLE reject RENAME TO gone");
    store.keep_rejects(workspace, vec![refused("shop", "not-json", "{")]);
    let stop = said(workspace, &phone(1), SMS, Statement::OptOut, 1);
    assert_eq!(record(&store, workspace, stop).await.outcome, Outcome::Appended);
    let read = store.rejects(workspace, &RejectQuery::default(), 1).await;
    assert!(matches!(read, Err(StoreError::Unreadable(_))), "{read:?}");
    execute(directory.path(), "ALTER TABLE gone RENAME TO reject");
    store.keep_rejects(workspace, vec![refused("shop", "not-json", "{")]);
    assert_eq!(counts(&store, workspace).await, (2, 1), "the store lives on");
}

#[tokio::test]
async fn nothing_is_kept_longer_than_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let start = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
    let clock = Arc::new(ManualClock(AtomicI64::new(start.as_micros())));
    let environment =
        Environment { clock: Arc::<ManualClock>::clone(&clock), ..Environment::system() };
    let store = SqliteStore::open(directory.path(), Options::default(), environment).unwrap();
    let workspace = fill(&store).await;
    clock.advance(limits::REJECT_RETENTION);
    store.keep_rejects(workspace, vec![refused("shop", "not-json", "new")]);
    assert_eq!(counts(&store, workspace).await, (2, 1), "exactly 30 days are not too many");
    // The clock stands still, so what was kept is a microsecond later than the workspace.
    clock.advance(Span::micros(2));
    assert_eq!(counts(&store, workspace).await, (1, 1));
    assert_eq!(rows(directory.path(), "reject"), 1, "reading deletes what is too old");
    clock.advance(limits::LOOK_UP_RETENTION);
    let look_ups = store.look_ups(workspace, &LookUpQuery::default(), 500).await.unwrap();
    assert!(look_ups.look_ups.is_empty(), "too old to be shown, though nothing deleted it yet");
    assert_eq!(rows(directory.path(), "look_up"), 1);
    assert_eq!(counts(&store, workspace).await, (0, 0));
    assert_eq!((rows(directory.path(), "reject"), rows(directory.path(), "look_up")), (0, 0));
}

#[tokio::test]
async fn a_question_is_remembered_over_a_restart_for_ten_days_and_shows_no_address() {
    let directory = tempfile::tempdir().unwrap();
    let start = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
    let clock = Arc::new(ManualClock(AtomicI64::new(start.as_micros())));
    let environment =
        Environment { clock: Arc::<ManualClock>::clone(&clock), ..Environment::system() };
    let open =
        || SqliteStore::open(directory.path(), Options::default(), environment.clone()).unwrap();
    let store = open();
    let workspace = workspace(&store).await;
    let first = by_code(&store, workspace, &phone(1), 1).await;
    let asked = store.ask_double_opt_in(workspace, first.clone()).await.unwrap();
    assert_eq!(asked.end, AskingEnd::Asked);
    store.close().await.unwrap();
    drop(store);
    let store = open();
    let kept = store.double_opt_in(workspace, first.id).await.unwrap().unwrap();
    assert_eq!(kept.waiting, first.waiting);
    // A second before: the store's time is some microseconds later than a clock that stands still.
    clock.advance(Span::micros(limits::DOUBLE_OPT_IN_INTERVAL.as_micros() - 1_000_000));
    let second = by_code(&store, workspace, &phone(1), 2).await;
    let asked = store.ask_double_opt_in(workspace, second).await.unwrap();
    assert_eq!(asked.end, AskingEnd::TooSoon);
    clock.advance(Span::micros(1_001_000));
    let third = by_code(&store, workspace, &phone(1), 3).await;
    let asked = store.ask_double_opt_in(workspace, third).await.unwrap();
    assert_eq!(asked.end, AskingEnd::Asked, "three days after the first");
    clock.advance(limits::DOUBLE_OPT_IN_ASKED_WITHIN);
    assert_eq!(
        store.double_opt_in(workspace, first.id).await.unwrap(),
        None,
        "too old to be shown"
    );
    counts(&store, workspace).await;
    assert_eq!(rows(directory.path(), "double_opt_in"), 1, "and deleted");
    store.close().await.unwrap();
    let bytes = std::fs::read(directory.path().join("work.db")).unwrap();
    assert!(!bytes.windows(DIGITS.len()).any(|window| window == DIGITS.as_bytes()));
}

#[tokio::test]
async fn the_file_is_its_owners_and_holds_no_word_of_what_was_sent() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = fill(&store).await;
    let mut draft = refused("shop", "unknown-field", "{}");
    draft.faults[0].pointer = format!("/{DIGITS}").into();
    store.keep_rejects(workspace, vec![draft]);
    store.close().await.unwrap();
    assert_eq!(rows(directory.path(), "reject"), 2);
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let is_there = bytes.windows(DIGITS.len()).any(|window| window == DIGITS.as_bytes());
        assert!(!is_there, "{}", path.display());
        if path.file_name().unwrap().to_str().unwrap().starts_with("work.db") {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
}

#[tokio::test]
async fn a_sealed_reject_opens_in_its_own_row_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = fill(&store).await;
    store.keep_rejects(workspace, vec![refused("shop", "not-json", "other")]);
    assert_eq!(counts(&store, workspace).await.0, 2);
    execute(
        directory.path(),
        "UPDATE reject SET sealed = (SELECT sealed FROM reject ORDER BY row LIMIT 1)
         /* every workspace: there is one */",
    );
    let read = store.rejects(workspace, &RejectQuery::default(), 500).await;
    assert!(matches!(read, Err(StoreError::Corrupt { table: "reject", .. })), "{read:?}");
}

#[tokio::test]
async fn a_backup_holds_it() {
    let (directory, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(directory.path());
    let workspace = fill(&store).await;
    assert_eq!(counts(&store, workspace).await, (1, 1));
    let copy = copies.path().join("backup");
    store.backup(&copy).await.unwrap();
    std::fs::copy(directory.path().join("master.key"), copy.join("master.key")).unwrap();
    assert_eq!(counts(&open(&copy), workspace).await, (1, 1));
}

#[tokio::test]
async fn what_finds_no_room_in_the_queue_is_lost_and_later_ones_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    let long = "x".repeat(limits::REJECT_BODY_BYTES_MAX);
    let fit = limits::REJECT_QUEUE_BYTES_MAX / limits::REJECT_BODY_BYTES_MAX;
    store.keep_rejects(workspace, vec![refused("shop", "not-json", &long); fit + 10]);
    let count = async || {
        let query = RejectQuery::default();
        store.rejects(workspace, &query, 2 * fit).await.unwrap().rejects.len()
    };
    let kept = count().await;
    assert!(kept < fit && kept > fit - 20, "{kept} of {fit}");
    store.keep_rejects(workspace, vec![refused("shop", "not-json", &long); 10]);
    assert_eq!(count().await, kept + 10);
}

#[test]
fn a_file_of_a_newer_release_is_refused_untouched() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    execute(directory.path(), "UPDATE store SET row_version = 99");
    let before = std::fs::read(directory.path().join("work.db")).unwrap();
    let answer = SqliteStore::open(directory.path(), Options::default(), Environment::system());
    assert!(matches!(answer, Err(OpenError::Newer { found: 99, known: 1, .. })));
    assert_eq!(std::fs::read(directory.path().join("work.db")).unwrap(), before);
}

/// A commit that says when it begins, and waits until it may go on.
#[derive(Debug)]
struct Held {
    begun: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Commit for Held {
    fn commit(&mut self, ledger: &rusqlite::Connection) -> Committed {
        self.begun.send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        RealCommit.commit(ledger)
    }
}

#[test]
fn neither_waits_for_the_writer_of_consent() {
    let directory = tempfile::tempdir().unwrap();
    let (begun, has_begun) = channel();
    let (let_go, go_on) = channel();
    let commit = Held { begun, go_on: Mutex::new(go_on) };
    let (options, environment) = (Options::default(), Environment::system());
    let store =
        SqliteStore::open_with(directory.path(), options, environment, Box::new(commit)).unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let_go.send(()).unwrap();
    let workspace = runtime().block_on(workspace(&store));
    has_begun.recv().unwrap();
    std::thread::scope(|scope| {
        let stop = said(workspace, &phone(1), SMS, Statement::OptOut, 1);
        let recording = scope.spawn(|| runtime().block_on(record(&store, workspace, stop)));
        has_begun.recv().unwrap();
        store.keep_rejects(workspace, vec![refused("shop", "not-json", "{")]);
        runtime().block_on(store.note_look_up(workspace, looked_up(1, &[ASKED]))).unwrap();
        assert_eq!(runtime().block_on(counts(&store, workspace)), (1, 1));
        assert!(!recording.is_finished());
        let_go.send(()).unwrap();
        assert_eq!(recording.join().unwrap().outcome, Outcome::Appended);
    });
}

async fn erase(store: &SqliteStore, workspace: WorkspaceId, n: u64) -> ErasureCounts {
    let draft = of_fact(workspace, &phone(n), Fact::Erasure, 2);
    let subject = Subject::Address(phone(n));
    store.erase(workspace, &subject, ErasureReach::Person, draft).await.unwrap().counts
}

async fn bodies(store: &SqliteStore, workspace: WorkspaceId) -> Vec<String> {
    let page = store.rejects(workspace, &RejectQuery::default(), 500).await.unwrap();
    page.rejects.iter().map(|reject| reject.draft.body.text().to_owned()).collect()
}

#[tokio::test]
async fn an_erasure_finds_rejects_by_hashes_and_reads_those_that_have_none() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    let many: Vec<String> = (2_000_000..2_000_100).map(|n| n.to_string()).collect();
    let many = format!("{},", many.join(","));
    let of_one = ["+1 (555) 010-0001", "15550100001;no", &format!("{many}15550100001")];
    let of_others = ["+1 555 010 0002", "15550100003;no", many.as_str()];
    let drafts = of_one.iter().chain(&of_others).map(|body| refused("shop", "not-json", body));
    store.keep_rejects(workspace, drafts.collect());
    assert_eq!(bodies(&store, workspace).await.len(), 6);
    assert_eq!(rows(directory.path(), "reject WHERE hashed = 0"), 2);
    // As a file of before the hashes has it.
    execute(
        directory.path(),
        "UPDATE reject SET hashed = 0 WHERE row = 2; DELETE FROM reject_about WHERE row = 2
         /* every workspace: there is one */",
    );
    assert_eq!(erase(&store, workspace, 1).await.rejects, 3);
    let mut left = bodies(&store, workspace).await;
    left.reverse();
    assert_eq!(left, of_others);
    let orphans = "reject_about WHERE row NOT IN (SELECT row FROM reject) /* every workspace: there is one */";
    assert_eq!(rows(directory.path(), orphans), 0);
}

#[tokio::test]
async fn no_hash_outlives_its_reject() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock(AtomicI64::new(
        Timestamp::parse("2026-11-21T10:00:00Z").unwrap().as_micros(),
    )));
    let environment =
        Environment { clock: Arc::<ManualClock>::clone(&clock), ..Environment::system() };
    let store = SqliteStore::open(directory.path(), Options::default(), environment).unwrap();
    let workspace = fill(&store).await;
    assert_eq!(counts(&store, workspace).await.0, 1);
    assert_eq!(rows(directory.path(), "reject_about"), 1);
    clock.advance(limits::REJECT_RETENTION);
    clock.advance(Span::hours(1));
    counts(&store, workspace).await;
    assert_eq!(rows(directory.path(), "reject_about"), 0);
    let drafts = (0..limits::REJECTS_PER_WORKSPACE_MAX + 10)
        .map(|n| refused("shop", "not-json", &(15_550_100_000 + n).to_string()));
    for some in drafts.collect::<Vec<_>>().chunks(2_000) {
        store.keep_rejects(workspace, some.to_vec());
        counts(&store, workspace).await;
    }
    let kept = i64::try_from(limits::REJECTS_PER_WORKSPACE_MAX).unwrap();
    assert_eq!(
        (rows(directory.path(), "reject"), rows(directory.path(), "reject_about")),
        (kept, kept)
    );
}

#[tokio::test]
async fn a_refusal_does_not_wait_for_somebodys_erasure() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = fill(&store).await;
    // Whatever the erasure does in the file, it waits for this.
    let held = rusqlite::Connection::open(directory.path().join("work.db")).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refusing = async {
        for n in 2..40 {
            let stop = said(workspace, &phone(n), SMS, Statement::OptOut, 1);
            record(&store, workspace, stop).await;
        }
        held.execute_batch("COMMIT").unwrap();
    };
    let (counts, ()) = futures_util::future::join(erase(&store, workspace, 1), refusing).await;
    assert_eq!(counts.rejects, 1, "and it was done");
}

#[tokio::test]
async fn messages_that_went_or_ended_long_ago_are_deleted_and_those_that_wait_never() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock(AtomicI64::new(
        Timestamp::parse("2026-11-21T10:00:00Z").unwrap().as_micros(),
    )));
    let environment =
        Environment { clock: Arc::<ManualClock>::clone(&clock), ..Environment::system() };
    let store = SqliteStore::open(directory.path(), Options::default(), environment).unwrap();
    let workspace = workspace(&store).await;
    let old = clock.now().minus(limits::MESSAGE_RETENTION).minus(Span::hours(1)).as_micros();
    let young = clock.now().minus(Span::hours(1)).as_micros();
    let of_workspace = workspace.as_bytes().iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write;
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let message = |n: u32, state: u8, queued: i64, handed_over: &str, ended: &str| {
        format!(
            "INSERT INTO message (workspace, message, request, sender, address_key, state, route, routes, queued_at,
                 due_at, expires_at, handed_over_at, ended_at, channel, category)
             VALUES (x'{of_workspace}', x'{n:032x}', x'00', x'{n:032x}', x'{n:032x}', {state}, 0, x'00', {queued},
                 {queued}, {queued}, {handed_over}, {ended}, 2, 1);"
        )
    };
    let (was, is) = (old.to_string(), young.to_string());
    let rows_of = [
        message(1, 1, old, "NULL", "NULL"),
        message(2, 2, old, "NULL", "NULL"),
        message(3, 3, old, &was, "NULL"),
        message(4, 7, old, "NULL", &was),
        message(5, 8, old, "NULL", &was),
        message(6, 9, old, "NULL", &was),
        // Old, and it ended a moment ago.
        message(7, 7, old, "NULL", &is),
        message(8, 7, young, "NULL", &is),
    ];
    execute(directory.path(), &rows_of.concat());
    counts(&store, workspace).await;
    assert_eq!(rows(directory.path(), "message"), 4);
    assert_eq!(rows(directory.path(), "message WHERE state IN (1, 2)"), 2);
    assert_eq!(rows(directory.path(), "message WHERE state = 7"), 2);
    clock.advance(limits::MESSAGE_RETENTION);
    counts(&store, workspace).await;
    assert_eq!(rows(directory.path(), "message"), 2, "what waits stays");
}
