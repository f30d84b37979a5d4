//! What is acknowledged is there after every kind of end, and what is not ours to open stays shut.

use std::path::Path;

use sayso_core::address::Address;
use sayso_core::address::phone::Phone;
use sayso_core::gate::reason::Reason;
use sayso_core::id::{SenderId, WorkspaceId};
use sayso_core::words::channel::{Category, Channel, Message, Permission};
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;
use sayso_core::workspace::Mode;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::conformance::{
    SMS, external, keyed_id, known, marketing, of_fact, phone, reason, record, said, workspace,
};
use sayso_store::environment::Environment;
use sayso_store::erasure::ErasureReach;
use sayso_store::sqlite::{OpenError, Options, SqliteStore};
use sayso_store::store::{HistoryQuery, Outcome, ProfileDraft};

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default(), Environment::system()).unwrap()
}

/// Forty people, every fourth of whom refused, one of them with a profile.
async fn fill(store: &SqliteStore) -> WorkspaceId {
    let workspace = workspace(store).await;
    for n in 0..40 {
        record(store, workspace, said(workspace, &phone(n), SMS, Statement::Single, 1)).await;
        if n % 4 == 0 {
            record(store, workspace, said(workspace, &phone(n), SMS, Statement::OptOut, 2)).await;
        }
    }
    let draft = ProfileDraft {
        profile: None,
        addresses: vec![external("u-1"), phone(1)],
        attributes: std::collections::BTreeMap::new(),
        source: sayso_store::conformance::source(sayso_core::words::source::Road::Api, "test"),
        actor: sayso_core::words::source::Actor::Operator,
    };
    store.upsert_profile(workspace, draft).await.unwrap();
    workspace
}

async fn is_whole(store: &SqliteStore, workspace: WorkspaceId) {
    for n in 0..40 {
        let expected = (n % 4 == 0).then_some(Reason::OptedOut);
        assert_eq!(reason(store, workspace, &phone(n), marketing()).await, expected, "phone {n}");
        let subject = Subject::Address(phone(n));
        let entries =
            store.history(workspace, &subject, &HistoryQuery::newest(10)).await.unwrap().entries;
        let links = usize::from(n == 1);
        assert_eq!(entries.len(), if n % 4 == 0 { 2 } else { 1 } + links, "phone {n}");
    }
    let found = store.find_profile(workspace, &Subject::Address(phone(1))).await.unwrap().unwrap();
    assert_eq!(found.addresses.len(), 2);
}

#[tokio::test]
async fn a_store_that_was_closed_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = fill(&store).await;
    store.close().await.unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.health().watermark_lag, 0, "a clean stop leaves nothing to replay");
    is_whole(&store, workspace).await;
}

#[tokio::test]
async fn a_store_that_was_dropped_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = fill(&store).await;
    drop(store);
    is_whole(&open(directory.path()), workspace).await;
}

#[tokio::test]
async fn deleted_views_are_rebuilt() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = fill(&store).await;
    store.close().await.unwrap();
    drop(store);
    std::fs::remove_file(directory.path().join("views.db")).unwrap();
    let store = open(directory.path());
    is_whole(&store, workspace).await;
    store.close().await.unwrap();
    drop(store);
    is_whole(&open(directory.path()), workspace).await;
}

#[tokio::test]
async fn damaged_views_are_rebuilt() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = fill(&store).await;
    store.close().await.unwrap();
    drop(store);
    std::fs::write(directory.path().join("views.db"), b"this is no database").unwrap();
    is_whole(&open(directory.path()), workspace).await;
}

#[tokio::test]
async fn a_tail_larger_than_its_bound_is_flushed_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { tail_bytes_max: 8_000, ..Options::default() };
    let store =
        SqliteStore::open(directory.path(), options.clone(), Environment::system()).unwrap();
    let workspace = workspace(&store).await;
    let mut taken = Vec::new();
    for n in 0..400 {
        let draft = said(workspace, &phone(n), SMS, Statement::OptOut, 1);
        // A full tail answers "busy": the caller comes back, and nothing was stored meanwhile.
        if store.record(workspace, vec![draft]).await.is_ok() {
            taken.push(n);
        }
    }
    assert!(!taken.is_empty());
    drop(store);
    let store = SqliteStore::open(directory.path(), options, Environment::system()).unwrap();
    for n in 0..400 {
        let is_known = !known(&store, workspace, &phone(n)).await.is_empty();
        assert_eq!(is_known, taken.contains(&n), "phone {n}");
    }
}

#[tokio::test]
async fn processing_and_links_survive_a_rebuild() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = fill(&store).await;
    let refused = said(workspace, &external("u-1"), Permission::Processing, Statement::OptOut, 5);
    record(&store, workspace, refused).await;
    store.close().await.unwrap();
    drop(store);
    std::fs::remove_file(directory.path().join("views.db")).unwrap();
    let store = open(directory.path());
    let found = reason(&store, workspace, &phone(1), marketing()).await;
    assert_eq!(found, Some(Reason::ProcessingRefused));
}

/// A person with a name, flushed into the views, of whom the store then learns `said` and dies
/// before the next flush.
async fn named_then(directory: &Path, fact: sayso_core::words::event::Fact) -> WorkspaceId {
    let store = open(directory);
    let workspace = workspace(&store).await;
    let name = sayso_core::words::source::EvidenceText::parse("name").unwrap();
    let draft = ProfileDraft {
        profile: None,
        addresses: vec![external("u-1"), phone(1)],
        attributes: std::collections::BTreeMap::from([(name, Some("\"Ada\"".into()))]),
        source: sayso_store::conformance::source(sayso_core::words::source::Road::Api, "test"),
        actor: sayso_core::words::source::Actor::Operator,
    };
    store.upsert_profile(workspace, draft).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = open(directory);
    let draft = sayso_store::conformance::of_fact(workspace, &phone(1), fact, 1);
    let subject = draft.subject.clone();
    if fact == sayso_core::words::event::Fact::Erasure {
        store.erase(workspace, &subject, ErasureReach::Person, draft).await.unwrap();
    } else {
        record(&store, workspace, draft).await;
    }
    drop(store);
    workspace
}

#[tokio::test]
async fn attributes_that_a_refusal_destroyed_stay_destroyed_after_a_crash_and_a_rebuild() {
    let directory = tempfile::tempdir().unwrap();
    let refusal =
        sayso_core::words::event::Fact::Consent(Permission::Processing, Statement::OptOut);
    let workspace = named_then(directory.path(), refusal).await;
    for rebuild in [false, true] {
        if rebuild {
            std::fs::remove_file(directory.path().join("views.db")).unwrap();
        }
        let store = open(directory.path());
        let found = store.find_profile(workspace, &Subject::Address(phone(1))).await.unwrap();
        assert_eq!(found.unwrap().attributes.len(), 0, "rebuilt: {rebuild}");
    }
}

#[tokio::test]
async fn an_erased_person_stays_unknown_after_a_crash_and_a_rebuild() {
    let directory = tempfile::tempdir().unwrap();
    let workspace = named_then(directory.path(), sayso_core::words::event::Fact::Erasure).await;
    for rebuild in [false, true] {
        if rebuild {
            std::fs::remove_file(directory.path().join("views.db")).unwrap();
        }
        let store = open(directory.path());
        let known = store.addresses(workspace, None, 10).await.unwrap();
        assert_eq!(known.len(), 2);
        assert!(known.iter().all(|known| known.address.is_none()), "rebuilt: {rebuild}");
        let found = store.find_profile(workspace, &Subject::Address(phone(1))).await.unwrap();
        assert_eq!(found, None, "rebuilt: {rebuild}");
    }
}

#[tokio::test]
async fn who_comes_back_after_an_erasure_is_known_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let workspace = named_then(directory.path(), sayso_core::words::event::Fact::Erasure).await;
    let store = open(directory.path());
    record(&store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 60 * 24 * 36_500))
        .await;
    assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, None);
    drop(store);
    // The erasure and the return are taken in together.
    let store = open(directory.path());
    assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, None);
    let known = store.addresses(workspace, None, 10).await.unwrap();
    let back: Vec<_> = known.into_iter().filter_map(|known| known.address).collect();
    assert_eq!(back, [phone(1)]);
}

#[tokio::test]
async fn a_key_used_for_another_person_is_a_conflict_after_a_flush_and_a_rebuild() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    let keyed = |n| {
        let mut draft = said(workspace, &phone(n), SMS, Statement::OptOut, 1);
        draft.id = keyed_id(workspace, "order-17");
        draft
    };
    record(&store, workspace, keyed(1)).await;
    store.close().await.unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(record(&store, workspace, keyed(2)).await.outcome, Outcome::KeyReused);
    drop(store);
    std::fs::remove_file(directory.path().join("views.db")).unwrap();
    let store = open(directory.path());
    assert_eq!(record(&store, workspace, keyed(2)).await.outcome, Outcome::KeyReused);
    assert_eq!(record(&store, workspace, keyed(1)).await.outcome, Outcome::Retried);
}

#[tokio::test]
async fn an_undone_import_stays_undone_after_a_rebuild() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    let import = sayso_core::id::ImportId::from_bytes([6; 16]);
    let mut draft = said(workspace, &phone(1), SMS, Statement::Yes, 1);
    draft.import = Some(import);
    record(&store, workspace, draft).await;
    assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, None);
    store.undo_import(workspace, import).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    std::fs::remove_file(directory.path().join("views.db")).unwrap();
    let found = reason(&open(directory.path()), workspace, &phone(1), marketing()).await;
    assert_eq!(found, Some(Reason::NoOptIn));
}

#[tokio::test]
async fn an_undone_import_stays_undone_whatever_was_flushed_and_saved_before() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    let import = sayso_core::id::ImportId::from_bytes([6; 16]);
    let mut draft = said(workspace, &phone(1), SMS, Statement::Yes, 1);
    draft.import = Some(import);
    record(&store, workspace, draft).await;
    // The views and the saved index hold the import; nothing but the undoing happens after that.
    store.close().await.unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, None);
    store.undo_import(workspace, import).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    for _ in 0..2 {
        let store = open(directory.path());
        assert_eq!(reason(&store, workspace, &phone(1), marketing()).await, Some(Reason::NoOptIn));
        let registers = known(&store, workspace, &phone(1)).await;
        assert!(registers.channels().is_empty(), "{registers:?}");
        // Once from the index, once from the views.
        store.close().await.unwrap();
        drop(store);
        std::fs::remove_file(directory.path().join("gate.index")).unwrap();
    }
}

#[test]
fn two_processes_do_not_own_one_store() {
    let directory = tempfile::tempdir().unwrap();
    let _owner = open(directory.path());
    let second = SqliteStore::open(directory.path(), Options::default(), Environment::system());
    assert!(matches!(second, Err(OpenError::Owned(_))));
}

#[tokio::test]
async fn a_store_of_a_newer_release_is_refused_untouched() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store).await;
    store.close().await.unwrap();
    drop(store);
    let ledger = directory.path().join("events.db");
    rusqlite::Connection::open(&ledger)
        .unwrap()
        .execute("UPDATE store SET row_version = 99", [])
        .unwrap();
    let before = std::fs::read(&ledger).unwrap();
    let answer = SqliteStore::open(directory.path(), Options::default(), Environment::system());
    assert!(matches!(answer, Err(OpenError::Newer { found: 99, known: 1, .. })));
    assert_eq!(std::fs::read(&ledger).unwrap(), before);
}

#[tokio::test]
async fn another_master_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store).await;
    drop(store);
    std::fs::write(directory.path().join("master.key"), [7; 32]).unwrap();
    let answer = SqliteStore::open(directory.path(), Options::default(), Environment::system());
    assert!(matches!(answer, Err(OpenError::WrongKey(_))));
}

#[tokio::test]
async fn the_files_are_readable_by_their_owner_alone_and_nothing_personal_is_in_clear() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store).await;
    store.close().await.unwrap();
    for name in ["master.key", "events.db", "views.db", "work.db"] {
        let file = std::fs::metadata(directory.path().join(name)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let digits = b"15550100001";
        assert!(!bytes.windows(digits.len()).any(|window| window == digits));
    }
}

#[tokio::test]
async fn a_backup_of_a_running_store_opens_with_its_key() {
    let (directory, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(directory.path());
    let workspace = fill(&store).await;
    let copy = copies.path().join("backup");
    store.backup(&copy).await.unwrap();
    assert!(!copy.join("master.key").exists(), "a backup never holds the key");
    std::fs::copy(directory.path().join("master.key"), copy.join("master.key")).unwrap();
    is_whole(&open(&copy), workspace).await;
}

#[tokio::test]
async fn workspaces_and_their_configuration_are_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let made = store.create_workspace("Example", Mode::Live).await.unwrap();
    let settings =
        sayso_core::policy::settings::Settings { require_opt_in: false, ..Default::default() };
    let change = sayso_core::workspace::Change::Settings(settings.clone());
    configure_now(&store, made.id, change).await.unwrap();
    drop(store);
    let store = open(directory.path());
    let found = &store.workspaces()[&made.id];
    assert_eq!((&*found.name, found.mode), ("Example", Mode::Live));
    assert_eq!(found.settings.iter().map(|(_, of)| of.clone()).collect::<Vec<_>>(), [settings]);
}

/// Rule 1: from the saved index as from one that is made anew.
#[tokio::test]
async fn a_refusal_under_an_old_form_of_a_number_denies_after_a_restart() {
    let number = |digits| Address::Phone(Phone::from_digits(digits).unwrap());
    let (today, before) = (number(5_531_988_887_777), number(553_188_887_777));
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    record(&store, workspace, said(workspace, &before, SMS, Statement::OptOut, 2)).await;
    record(&store, workspace, said(workspace, &today, SMS, Statement::Single, 1)).await;
    store.close().await.unwrap();
    drop(store);
    let index = directory.path().join("gate.index");
    for saved in [true, false] {
        assert!(index.exists());
        if !saved {
            std::fs::remove_file(&index).unwrap();
        }
        let store = open(directory.path());
        let why = reason(&store, workspace, &today, marketing()).await;
        assert_eq!(why, Some(Reason::OptedOut), "saved: {saved}");
        store.close().await.unwrap();
    }
}

/// Rule 27: what cannot be read is an error for the whole batch, and never an answer.
#[tokio::test]
async fn registers_that_cannot_be_read_are_an_error_and_never_an_allow() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    record(&store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
    record(&store, workspace, said(workspace, &phone(2), SMS, Statement::Single, 1)).await;
    // What a person who wrote may be sent depends on when, which the index leaves to the store.
    let wrote = Fact::Activity(SenderId::from_bytes([7; 16]));
    record(&store, workspace, of_fact(workspace, &phone(2), wrote, 2)).await;
    let service = Message::ordinary(Channel::Sms, Category::Service);
    store.close().await.unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(reason(&store, workspace, &phone(2), service).await, None);
    rusqlite::Connection::open(directory.path().join("views.db"))
        .unwrap()
        .execute("UPDATE address SET registers = x'ff' /* every workspace: damage */", [])
        .unwrap();
    let question = sayso_store::store::Question {
        message: service,
        requirement: sayso_core::gate::decision::Requirement::OptIn,
        zone: None,
    };
    let recipients = [1, 2].map(|n| {
        let sayso_core::address::Address::Phone(phone) = phone(n) else { panic!("no phone") };
        sayso_store::store::Recipient::Phone(phone)
    });
    let answer = store.screen(workspace, &question, &recipients).await;
    assert!(matches!(answer, Err(sayso_store::store::StoreError::Corrupt { .. })), "{answer:?}");
}
