//! Another master key for the same store.
//!
//! A rotation wraps the secrets of every workspace under a new key. The secrets stay: those that
//! turn an address into its key never rotate, and nothing that is sealed is sealed anew. It runs
//! while no other process owns the store.
//!
//! | Order | What is done | A process that ends after it leaves |
//! |---|---|---|
//! | 1 | `master.key.next` is written and on disk | a key that nothing is wrapped under |
//! | 2 | secrets and fingerprint are changed, in one transaction | a store whose key is the next one |
//! | 3 | `master.key.next` is renamed to `master.key` | nothing to do |
//!
//! The fingerprint in the store says which of the two files is its key, so that `settle` can go
//! on from any of these at the next start. A key file is removed only where the other one fits.

use std::io::{self, ErrorKind};
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::backup::Fingerprint;
use super::database::{Database, Durability};
use super::files::{file_error, noted_key, own, sync_directory};
use super::presence::{self, Presence};
use super::schema::Schema;
use super::seal::MasterKey;
use super::{OpenError, StoreError, events};
use crate::environment::Environment;

/// The key of the store.
const CURRENT: &str = "master.key";
/// What the gate answers from, saved.
pub(super) const INDEX: &str = "gate.index";
/// The key that a rotation puts in its place.
pub(super) const NEXT: &str = "master.key.next";

/// What a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key of before: backups made until now open with it alone.
    pub before: Fingerprint,
    /// The key of now.
    pub after: Fingerprint,
    /// How many workspaces it wraps.
    pub workspaces: usize,
}

/// Puts a new master key in the place of the one in `directory`.
///
/// # Errors
/// [`OpenError::Owned`] while a process owns the store, [`OpenError::WrongKey`] where the key is
/// not the store's, [`OpenError::NoStore`] where there is none, [`OpenError::File`] where a file
/// cannot be written. After an error the next start, or the next rotation, finds the key that fits.
pub fn rotate(directory: &Path, environment: &Environment) -> Result<Rotated, OpenError> {
    if presence::look(directory)? != Presence::Whole {
        return Err(OpenError::NoStore(directory.to_path_buf()));
    }
    let _lock = own(directory)?;
    let ledger = directory.join("events.db");
    let noted = noted_key(&ledger)?.ok_or_else(|| OpenError::NoStore(directory.to_path_buf()))?;
    let current = settle(directory, noted)?;
    let path = directory.join(NEXT);
    let next = MasterKey::make(&path, environment).map_err(file_error(&path))?;
    let ledger = Database::open(&ledger, Durability::Full)?;
    Schema::Ledger.bring_up_to_date(&ledger)?;
    let workspaces = rewrap(&ledger, (&current, &next), environment)?;
    install(directory).map_err(file_error(&path))?;
    forget_index(directory)?;
    Ok(Rotated {
        before: Fingerprint(current.fingerprint()),
        after: Fingerprint(next.fingerprint()),
        workspaces,
    })
}

/// Gives the key that the store was made with, after finishing or undoing a rotation that was
/// broken off.
pub(super) fn settle(directory: &Path, noted: [u8; 8]) -> Result<MasterKey, OpenError> {
    let (current, next) = (directory.join(CURRENT), directory.join(NEXT));
    let fits =
        |key: &io::Result<MasterKey>| key.as_ref().is_ok_and(|key| key.fingerprint() == noted);
    if next.exists() {
        if fits(&MasterKey::read(&next)) {
            install(directory).map_err(file_error(&next))?;
        } else if fits(&MasterKey::read(&current)) {
            std::fs::remove_file(&next)
                .and_then(|()| sync_directory(directory))
                .map_err(file_error(&next))?;
        }
    }
    match MasterKey::read(&current) {
        Ok(key) if key.fingerprint() == noted => Ok(key),
        Ok(_) => Err(OpenError::WrongKey(current)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(OpenError::Gone { missing: current, there: vec!["events.db"] })
        }
        Err(source) => Err(OpenError::File { path: current, source }),
    }
}

/// The key that fits a ledger which may be in use: nothing is finished or undone.
pub(super) fn find_key(directory: &Path, ledger: &Connection) -> Result<MasterKey, OpenError> {
    let noted: [u8; 8] =
        ledger.query_row("SELECT key_fingerprint FROM store", [], |row| row.get(0))?;
    let current = directory.join(CURRENT);
    let keys = [MasterKey::read(&current), MasterKey::read(&directory.join(NEXT))];
    let is_there = keys.iter().any(Result::is_ok);
    let fitting = keys.into_iter().flatten().find(|key| key.fingerprint() == noted);
    fitting.ok_or(if is_there {
        OpenError::WrongKey(current)
    } else {
        OpenError::Gone { missing: current, there: vec!["events.db"] }
    })
}

/// Wraps the secrets of every workspace under the next key and notes its fingerprint, all or
/// nothing.
fn rewrap(
    ledger: &Database,
    (current, next): (&MasterKey, &MasterKey),
    environment: &Environment,
) -> Result<usize, OpenError> {
    let mut ledger = ledger.lock();
    let transaction = ledger.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let workspaces = events::workspaces(&transaction)?;
    for row in &workspaces {
        let rewrapped = current
            .rewrap(next, (row.id.as_bytes(), &row.secrets), environment)
            .map_err(|_| StoreError::Corrupt { table: "workspace", id: row.id.to_string() })?;
        transaction.execute(
            "UPDATE workspace SET secrets = ?2 WHERE workspace = ?1",
            params![row.no, rewrapped],
        )?;
    }
    transaction.execute("UPDATE store SET key_fingerprint = ?1", params![next.fingerprint()])?;
    transaction.commit()?;
    Ok(workspaces.len())
}

/// Removes the saved gate index: it is sealed under the key of before, and is made anew.
fn forget_index(directory: &Path) -> Result<(), OpenError> {
    let path = directory.join(INDEX);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(file_error(&path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Puts the next key in the place of the current one.
fn install(directory: &Path) -> io::Result<()> {
    std::fs::rename(directory.join(NEXT), directory.join(CURRENT))?;
    sync_directory(directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::conformance::{SMS, known, phone, record, said, workspace};
    use crate::sqlite::{Options, SqliteStore};
    use sayso_core::id::WorkspaceId;
    use sayso_core::words::statement::Statement;

    /// A closed store in which one person refused.
    struct Scene {
        directory: tempfile::TempDir,
        workspace: WorkspaceId,
        environment: Environment,
    }

    impl Scene {
        async fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let environment = Environment::system();
            let store = open(directory.path()).unwrap();
            let workspace = workspace(&store).await;
            record(&store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
            store.close().await.unwrap();
            Self { directory, workspace, environment }
        }

        fn file(&self, name: &str) -> std::path::PathBuf {
            self.directory.path().join(name)
        }

        fn key(&self, name: &str) -> Option<Vec<u8>> {
            std::fs::read(self.file(name)).ok()
        }

        /// Steps 1 and 2 of a rotation, and what the directory holds the moment after the commit,
        /// when the change is in SQLite's log alone.
        fn cut_short_after_the_commit(&self) -> tempfile::TempDir {
            let current = MasterKey::read(&self.file(CURRENT)).unwrap();
            let next = MasterKey::make(&self.file(NEXT), &self.environment).unwrap();
            let ledger = Database::open(&self.file("events.db"), Durability::Full).unwrap();
            assert_eq!(rewrap(&ledger, (&current, &next), &self.environment).unwrap(), 1);
            let left = tempfile::tempdir().unwrap();
            for name in ["events.db", "events.db-wal", "work.db", CURRENT, NEXT] {
                std::fs::copy(self.file(name), left.path().join(name)).unwrap();
            }
            left
        }

        /// The store opens, and everybody in it is found by their address, in clear.
        async fn is_whole(&self, directory: &Path) {
            let store = open(directory).unwrap();
            assert!(!known(&store, self.workspace, &phone(1)).await.is_empty());
            let all = store.addresses(self.workspace, None, 9).await.unwrap();
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].address, Some(phone(1)));
        }
    }

    fn open(directory: &Path) -> Result<SqliteStore, OpenError> {
        SqliteStore::open(directory, Options::default(), Environment::system())
    }

    #[tokio::test]
    async fn a_rotated_store_opens_with_the_new_key_alone() {
        let scene = Scene::new().await;
        let old = scene.key(CURRENT).unwrap();
        assert!(scene.key(INDEX).is_some());
        let rotated = rotate(scene.directory.path(), &scene.environment).unwrap();
        assert_ne!(rotated.before, rotated.after);
        assert_eq!(rotated.workspaces, 1);
        assert_ne!(scene.key(CURRENT).unwrap(), old);
        assert_eq!(scene.key(NEXT), None);
        assert_eq!(scene.key(INDEX), None, "it is sealed under the key of before");
        scene.is_whole(scene.directory.path()).await;
        std::fs::write(scene.file(CURRENT), &old).unwrap();
        let refused = open(scene.directory.path()).unwrap_err();
        assert!(matches!(refused, OpenError::WrongKey(path) if path == scene.file(CURRENT)));
    }

    #[tokio::test]
    async fn rotations_follow_one_another_and_views_are_rebuilt_under_the_last() {
        let scene = Scene::new().await;
        let first = rotate(scene.directory.path(), &scene.environment).unwrap();
        let second = rotate(scene.directory.path(), &scene.environment).unwrap();
        assert_eq!(first.after, second.before);
        std::fs::remove_file(scene.file("views.db")).unwrap();
        scene.is_whole(scene.directory.path()).await;
    }

    #[tokio::test]
    async fn a_rotation_that_ended_before_its_commit_is_undone_at_the_next_start() {
        use std::os::unix::fs::PermissionsExt;
        let scene = Scene::new().await;
        let old = scene.key(CURRENT);
        MasterKey::make(&scene.file(NEXT), &scene.environment).unwrap();
        let mode = std::fs::metadata(scene.file(NEXT)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        scene.is_whole(scene.directory.path()).await;
        assert_eq!((scene.key(CURRENT), scene.key(NEXT)), (old, None));
    }

    #[tokio::test]
    async fn a_rotation_that_ended_while_it_wrote_the_next_key_is_undone_at_the_next_start() {
        let scene = Scene::new().await;
        for torn in [&b""[..], &[7; 31], &[7; 33]] {
            std::fs::write(scene.file(NEXT), torn).unwrap();
            scene.is_whole(scene.directory.path()).await;
            assert_eq!(scene.key(NEXT), None);
        }
    }

    #[tokio::test]
    async fn a_rotation_that_ended_after_its_commit_is_finished_at_the_next_start() {
        let scene = Scene::new().await;
        let left = scene.cut_short_after_the_commit();
        let next = scene.key(NEXT).unwrap();
        scene.is_whole(left.path()).await;
        assert_eq!(std::fs::read(left.path().join(CURRENT)).unwrap(), next);
        assert!(!left.path().join(NEXT).exists());
    }

    #[tokio::test]
    async fn a_rotation_that_ended_after_its_commit_is_finished_by_the_next_rotation() {
        let scene = Scene::new().await;
        let left = scene.cut_short_after_the_commit();
        let next = MasterKey::read(&scene.file(NEXT)).unwrap();
        let rotated = rotate(left.path(), &scene.environment).unwrap();
        assert_eq!(rotated.before, Fingerprint(next.fingerprint()));
        scene.is_whole(left.path()).await;
    }

    #[tokio::test]
    async fn no_key_file_is_removed_where_none_of_them_fits() {
        let scene = Scene::new().await;
        std::fs::write(scene.file(CURRENT), [7; 32]).unwrap();
        std::fs::write(scene.file(NEXT), [8; 32]).unwrap();
        assert!(matches!(open(scene.directory.path()), Err(OpenError::WrongKey(_))));
        assert_eq!(scene.key(CURRENT), Some(vec![7; 32]));
        assert_eq!(scene.key(NEXT), Some(vec![8; 32]));
    }

    #[tokio::test]
    async fn a_lost_master_key_is_not_made_anew() {
        let scene = Scene::new().await;
        std::fs::remove_file(scene.file(CURRENT)).unwrap();
        let refused = open(scene.directory.path()).unwrap_err();
        assert!(
            matches!(refused, OpenError::Gone { missing, .. } if missing == scene.file(CURRENT))
        );
        assert_eq!(scene.key(CURRENT), None);
    }

    #[tokio::test]
    async fn a_store_that_somebody_owns_is_not_rotated() {
        let scene = Scene::new().await;
        let old = scene.key(CURRENT);
        let _owner = open(scene.directory.path()).unwrap();
        let refused = rotate(scene.directory.path(), &scene.environment);
        assert!(matches!(refused, Err(OpenError::Owned(_))));
        assert_eq!((scene.key(CURRENT), scene.key(NEXT)), (old, None));
    }

    #[test]
    fn a_directory_without_a_store_gets_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let refused = rotate(directory.path(), &Environment::system());
        assert!(matches!(refused, Err(OpenError::NoStore(_))));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
