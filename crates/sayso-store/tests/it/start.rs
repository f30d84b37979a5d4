//! A start makes a store only where it may and where there never was one; a store of which a file is
//! gone, damaged or another's is named and left as it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sayso_core::id::WorkspaceId;
use sayso_core::words::statement::Statement;
use sayso_store::Store;
use sayso_store::conformance::{SMS, known, phone, record, said, workspace};
use sayso_store::environment::Environment;
use sayso_store::sqlite::{Making, OpenError, Options, SqliteStore};

fn open_if(directory: &Path, making: Making) -> Result<SqliteStore, OpenError> {
    let options = Options { making, ..Options::default() };
    SqliteStore::open(directory, options, Environment::system())
}

/// A store that was closed, in which one person refused.
struct Closed {
    folder: tempfile::TempDir,
    workspace: WorkspaceId,
}

impl Closed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open_if(&folder.path().join("data"), Making::IfNone).unwrap();
        let workspace = workspace(&store).await;
        record(&store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
        store.close().await.unwrap();
        Self { folder, workspace }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    fn contents(&self) -> BTreeSet<(String, Vec<u8>)> {
        let entries = std::fs::read_dir(self.data()).unwrap().map(Result::unwrap);
        // What SQLite puts beside a file that it reads comes and goes.
        let lasting = entries.filter(|entry| {
            let name = entry.file_name().into_string().unwrap();
            !(name.ends_with("-shm") || name.ends_with("-wal"))
        });
        lasting
            .map(|entry| {
                let content = std::fs::read(entry.path()).unwrap_or_default();
                (entry.file_name().into_string().unwrap(), content)
            })
            .collect()
    }

    /// The start is refused, by either kind of command, and changes nothing.
    fn is_refused(&self) -> OpenError {
        let before = self.contents();
        let refused = open_if(&self.data(), Making::Never).unwrap_err();
        assert_eq!(
            refused.to_string(),
            open_if(&self.data(), Making::IfNone).unwrap_err().to_string()
        );
        assert_eq!(self.contents(), before, "{refused}");
        refused
    }

    async fn stands(&self) {
        let store = open_if(&self.data(), Making::Never).unwrap();
        assert_eq!(store.made(), None);
        assert!(!known(&store, self.workspace, &phone(1)).await.is_empty());
    }
}

#[tokio::test]
async fn a_store_is_made_only_by_who_may_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let refused = open_if(&data, Making::Never).unwrap_err();
    assert!(matches!(&refused, OpenError::NoStore(path) if *path == data));
    assert!(refused.to_string().contains("--data") && !data.exists(), "{refused}");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("notes.txt"), "of somebody").unwrap();
    assert!(matches!(open_if(&data, Making::Never), Err(OpenError::NoStore(_))));
    let made = open_if(&data, Making::IfNone).unwrap();
    assert_eq!(made.made(), Some(data.as_path()));
    made.close().await.unwrap();
    drop(made);
    assert_eq!(open_if(&data, Making::Never).unwrap().made(), None);
}

#[tokio::test]
async fn a_store_of_which_a_file_is_gone_is_named_and_not_begun_anew() {
    let scene = Closed::new().await;
    for name in ["events.db", "work.db", "master.key"] {
        let content = std::fs::read(scene.file(name)).unwrap();
        std::fs::remove_file(scene.file(name)).unwrap();
        let refused = scene.is_refused();
        let is_named =
            matches!(&refused, OpenError::Gone { missing, .. } if *missing == scene.file(name));
        assert!(is_named && refused.to_string().contains("put "), "{refused}");
        std::fs::write(scene.file(name), content).unwrap();
    }
    scene.stands().await;
    // What can be made again is made again.
    for name in ["views.db", "gate.index", "reserve", "lock"] {
        std::fs::remove_file(scene.file(name)).unwrap();
        scene.stands().await;
    }
}

#[tokio::test]
async fn whatever_is_left_of_a_store_tells_that_its_ledger_is_gone() {
    for left in ["views.db", "work.db", "master.key", "gate.index", "lock"] {
        let scene = Closed::new().await;
        for (name, _) in scene.contents() {
            if name != left {
                std::fs::remove_file(scene.file(&name)).unwrap();
            }
        }
        let refused = scene.is_refused();
        let is_named = matches!(&refused, OpenError::Gone { missing, there }
            if *missing == scene.file("events.db") && *there == [left]);
        assert!(is_named, "{left}: {refused}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_named_with_what_to_do() {
    let scene = Closed::new().await;
    for name in ["events.db", "work.db"] {
        let whole = std::fs::read(scene.file(name)).unwrap();
        let mut zeroed = whole.clone();
        zeroed[4_096..].fill(0);
        let mut flipped = whole.clone();
        // The header of a page: how many cells it has, and where they begin.
        flipped[4_096 + 3..4_096 + 8].fill(0xff);
        let cut = whole.len() / 8_192 * 4_096;
        let kinds = [
            ("empty", Vec::new()),
            ("not a database", b"this is no database, but a text of some length".to_vec()),
            ("cut to a page", whole[..4_096].to_vec()),
            ("cut in half", whole[..cut].to_vec()),
            ("zeroed", zeroed),
            ("overwritten", flipped),
        ];
        for (kind, content) in kinds {
            std::fs::write(scene.file(name), content).unwrap();
            let refused = scene.is_refused();
            let is_named =
                matches!(&refused, OpenError::Damaged { path, .. } if *path == scene.file(name));
            let words = refused.to_string();
            assert!(is_named && words.contains("sayso restore"), "{name} {kind}: {refused:?}");
        }
        std::fs::write(scene.file(name), whole).unwrap();
    }
    scene.stands().await;
}

#[tokio::test]
async fn a_file_of_another_kind_in_the_place_of_the_ledger_is_not_made_a_ledger() {
    let scene = Closed::new().await;
    for name in ["events.db", "work.db"] {
        let whole = std::fs::read(scene.file(name)).unwrap();
        std::fs::remove_file(scene.file(name)).unwrap();
        let other = rusqlite::Connection::open(scene.file(name)).unwrap();
        other
            .execute_batch("CREATE TABLE reject (text TEXT) /* every workspace: not ours */")
            .unwrap();
        drop(other);
        let refused = scene.is_refused();
        assert!(matches!(&refused, OpenError::Damaged { path, .. } if *path == scene.file(name)));
        std::fs::remove_file(scene.file(name)).unwrap();
        std::fs::create_dir(scene.file(name)).unwrap();
        let refused = scene.is_refused();
        assert!(refused.to_string().contains("directory"), "{refused}");
        std::fs::remove_dir(scene.file(name)).unwrap();
        std::fs::write(scene.file(name), whole).unwrap();
    }
    let refused = open_if(&scene.file("events.db"), Making::IfNone).unwrap_err();
    assert!(refused.to_string().contains("directory belongs there"), "{refused}");
}

#[tokio::test]
async fn a_file_of_another_store_is_named() {
    let (scene, other) = (Closed::new().await, Closed::new().await);
    let exchange = |name: &str| {
        let own = std::fs::read(scene.file(name)).unwrap();
        std::fs::copy(other.file(name), scene.file(name)).unwrap();
        own
    };
    let own = exchange("work.db");
    let refused = scene.is_refused();
    assert!(matches!(&refused, OpenError::Foreign(path) if *path == scene.file("work.db")));
    assert!(refused.to_string().contains("put back"), "{refused}");
    std::fs::write(scene.file("work.db"), own).unwrap();
    let own = exchange("master.key");
    assert!(
        matches!(scene.is_refused(), OpenError::WrongKey(path) if path == scene.file("master.key"))
    );
    std::fs::write(scene.file("master.key"), own).unwrap();
    let own = exchange("events.db");
    assert!(matches!(scene.is_refused(), OpenError::Foreign(_) | OpenError::WrongKey(_)));
    std::fs::write(scene.file("events.db"), own).unwrap();
    scene.stands().await;
}

#[tokio::test]
async fn a_work_db_that_is_lost_for_good_is_begun_anew_once_the_operator_says_so() {
    let scene = Closed::new().await;
    std::fs::remove_file(scene.file("work.db")).unwrap();
    assert!(scene.is_refused().to_string().contains("work.db.lost"));
    std::fs::write(scene.file("work.db.lost"), "").unwrap();
    scene.stands().await;
    assert!(!scene.file("work.db.lost").exists(), "it counts once");
    std::fs::remove_file(scene.file("work.db")).unwrap();
    assert!(matches!(scene.is_refused(), OpenError::Gone { .. }));
}

#[tokio::test]
async fn a_first_start_that_was_broken_off_goes_on_at_the_next() {
    for left in [&["store.new"][..], &["store.new", "lock"], &["store.new", "lock", "events.db"]] {
        let folder = tempfile::tempdir().unwrap();
        for name in left {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert!(matches!(open_if(folder.path(), Making::Never), Err(OpenError::NoStore(_))));
        let store = open_if(folder.path(), Making::IfNone).unwrap();
        assert!(store.made().is_some());
        workspace(&store).await;
        store.close().await.unwrap();
        assert!(!folder.path().join("store.new").exists());
    }
}

#[tokio::test]
async fn what_a_start_counts_and_gives_up_is_found_by_an_index() {
    let scene = Closed::new().await;
    for (file, statement) in [
        (
            "views.db",
            "SELECT count(*) FROM address INDEXED BY addressless WHERE workspace = ?1 AND sealed IS NULL",
        ),
        (
            "work.db",
            "UPDATE message SET state = 8 WHERE state = 2 AND ?1 > 0 /* every workspace: a test */",
        ),
    ] {
        let opened = rusqlite::Connection::open(scene.file(file)).unwrap();
        let plan: String = opened
            .query_row(&format!("EXPLAIN QUERY PLAN {statement}"), [1], |row| row.get(3))
            .unwrap();
        assert!(plan.contains("USING") && plan.contains("INDEX"), "{file}: {plan}");
    }
}
