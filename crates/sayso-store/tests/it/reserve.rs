//! A disk that is full: what is left of it is for refusals, also over a restart.

use std::path::Path;
use std::process::Command;

use sayso_core::id::WorkspaceId;
use sayso_core::words::statement::Statement;
use sayso_store::Store;
use sayso_store::conformance::{SMS, phone, said, workspace};
use sayso_store::environment::Environment;
use sayso_store::sqlite::{Options, SqliteStore};
use sayso_store::store::StoreError;

/// A small disk in memory; gone when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where this user may mount nothing: the unit tests of the reserve say the same of a
    /// disk without any room.
    fn mount() -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256m", "tmpfs"]).arg(place.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self(place))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all room that is left but for some bytes.
    fn fill(&self, left: u64) {
        let disk = rustix::fs::statvfs(self.path()).unwrap();
        let free = disk.f_bavail * disk.f_frsize;
        let bytes = usize::try_from(free.saturating_sub(left)).unwrap();
        std::fs::write(self.path().join("filler"), vec![1_u8; bytes]).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mut unmount = Command::new("umount");
        unmount.arg("-l").arg(self.path());
        assert!(unmount.status().unwrap().success());
    }
}

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default(), Environment::system()).unwrap()
}

async fn says(
    store: &SqliteStore,
    workspace: WorkspaceId,
    n: u64,
    statement: Statement,
) -> Result<(), StoreError> {
    let draft = said(workspace, &phone(n), SMS, statement, 1);
    store.record(workspace, vec![draft]).await.map(drop)
}

#[tokio::test]
async fn the_reserve_is_for_refusals_over_a_restart_on_a_full_disk_and_made_anew_with_room() {
    let Some(disk) = Disk::mount() else { return };
    let data = disk.path().join("data");
    let reserve = data.join("reserve");
    let store = open(&data);
    let workspace = workspace(&store).await;
    assert!(reserve.exists());
    disk.fill(1_048_576);
    // Until the last of it is taken.
    let mut n = 1;
    while says(&store, workspace, n, Statement::Single).await.is_ok() {
        n += 1;
        assert!(n < 50_000, "the disk is never full");
    }
    says(&store, workspace, n, Statement::OptOut).await.unwrap();
    assert!(!reserve.exists(), "it was given to the refusal");
    // The views may not fit any more; the ledger holds everything.
    drop(store.close().await);
    drop(store);
    for _ in 0..2 {
        let store = open(&data);
        for _ in 0..400 {
            n += 1;
            let yes = says(&store, workspace, n, Statement::Single).await;
            assert!(matches!(yes, Err(StoreError::Unwritable(_))), "{yes:?}");
            says(&store, workspace, n, Statement::OptOut).await.unwrap();
        }
        drop(store.close().await);
    }
    std::fs::remove_file(disk.path().join("filler")).unwrap();
    let store = open(&data);
    says(&store, workspace, n + 1, Statement::Single).await.unwrap();
    assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 67_108_864);
}

#[tokio::test]
async fn the_reserve_is_made_anew_by_the_running_store_once_there_is_room() {
    let Some(disk) = Disk::mount() else { return };
    let data = disk.path().join("data");
    let store = open(&data);
    let workspace = workspace(&store).await;
    drop(store.close().await);
    drop(store);
    std::fs::remove_file(data.join("reserve")).unwrap();
    disk.fill(16 * 1_048_576);
    let store = open(&data);
    assert!(says(&store, workspace, 1, Statement::Single).await.is_err());
    says(&store, workspace, 1, Statement::OptOut).await.unwrap();
    std::fs::remove_file(disk.path().join("filler")).unwrap();
    says(&store, workspace, 2, Statement::Single).await.unwrap();
    assert!(data.join("reserve").exists());
}

#[tokio::test]
async fn a_start_on_a_disk_without_any_room_gives_the_reserve_to_refusals() {
    let Some(disk) = Disk::mount() else { return };
    let data = disk.path().join("data");
    let store = open(&data);
    let workspace = workspace(&store).await;
    store.close().await.unwrap();
    drop(store);
    disk.fill(0);
    let store = open(&data);
    assert!(!data.join("reserve").exists());
    assert!(says(&store, workspace, 1, Statement::Single).await.is_err());
    says(&store, workspace, 1, Statement::OptOut).await.unwrap();
}
