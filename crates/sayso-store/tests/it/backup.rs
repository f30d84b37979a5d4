//! A backup is whole, private and true of itself; a restore refuses any other, and brings nobody
//! back who was erased.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sayso_core::address::Address;
use sayso_core::gate::reason::Reason;
use sayso_core::id::{ProfileId, WorkspaceId};
use sayso_core::proof::personal_link::{Leaves, LinkPurpose, Making, PersonalLink, UnverifiedLink};
use sayso_core::proof::reference::Reference;
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;
use sayso_core::workspace::Change;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::conformance::{
    SMS, by_code, channel_id, external, known, looked_up, marketing, of_fact, one_account, phone,
    reason, record, refused, said, source, ticked, workspace,
};
use sayso_store::environment::Environment;
use sayso_store::erasure::ErasureReach;
use sayso_store::look_up::LookedUp;
use sayso_store::reject::RejectQuery;
use sayso_store::sqlite::backup::{
    Erasure, ErasureFault, Lines, Manifest, Replayed, Restore, RestoreError, Restored, erasures,
};
use sayso_store::sqlite::{Options, SqliteStore, rotation};
use sayso_store::store::{BackupError, HistoryQuery, ProfileDraft};
use sha2::{Digest, Sha256};

/// A store in which phone 1 refused and phone 2 agreed, and places for backups and restores.
struct Scene {
    folder: tempfile::TempDir,
    store: Option<SqliteStore>,
    workspace: WorkspaceId,
}

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default(), Environment::system()).unwrap()
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("store"));
        let workspace = workspace(&store).await;
        let scene = Self { folder, store: Some(store), workspace };
        scene.say(1, Statement::OptOut).await;
        scene.say(2, Statement::Single).await;
        scene
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> &SqliteStore {
        self.store.as_ref().unwrap()
    }

    async fn say(&self, n: u64, statement: Statement) {
        record(self.store(), self.workspace, said(self.workspace, &phone(n), SMS, statement, 1))
            .await;
    }

    async fn back_up(&self) -> Manifest {
        self.store().backup(&self.at("backup")).await.unwrap();
        Manifest::read(&self.at("backup")).unwrap()
    }

    async fn link(&self, addresses: Vec<Address>) {
        let name = sayso_core::words::source::EvidenceText::parse("name").unwrap();
        let draft = ProfileDraft {
            profile: None,
            addresses,
            attributes: std::collections::BTreeMap::from([(name, Some("\"Ada\"".into()))]),
            source: source(sayso_core::words::source::Road::Api, "test"),
            actor: sayso_core::words::source::Actor::Operator,
        };
        self.store().upsert_profile(self.workspace, draft).await.unwrap();
    }

    async fn erase(&self, address: &Address) {
        let draft = of_fact(self.workspace, address, Fact::Erasure, 2);
        let subject = Subject::Address(address.clone());
        self.store().erase(self.workspace, &subject, ErasureReach::Person, draft).await.unwrap();
    }

    /// The erasures of the store, in a file.
    fn list(&self) -> PathBuf {
        let list = erasures(&self.at("store")).unwrap();
        let lines: String = list.iter().map(|erasure| erasure.to_line() + "\n").collect();
        std::fs::write(self.at("erasures"), lines).unwrap();
        self.at("erasures")
    }

    fn restore_with(&self, erasures: Option<&Path>) -> Result<Restored, RestoreError> {
        let (from, key, to) = (self.at("backup"), self.at("store/master.key"), self.at("restored"));
        let restore = Restore {
            from: &from,
            master_key: &key,
            to: &to,
            erasures,
            lines: Lines::default(),
            replaced: None,
        };
        restore.run()
    }

    fn restore_lines(&self, list: &Path, lines: Lines) -> Result<Restored, RestoreError> {
        let (from, key, to) = (self.at("backup"), self.at("store/master.key"), self.at("restored"));
        let erasures = Some(list);
        Restore { from: &from, master_key: &key, to: &to, erasures, lines, replaced: None }.run()
    }

    /// The restore is refused, and nothing was made.
    fn is_refused(&self) -> RestoreError {
        let refused = self.restore_with(None).unwrap_err();
        assert!(!self.at("restored").exists(), "{refused}");
        refused
    }

    fn change_copy(&self, sql: &str) {
        let copy = rusqlite::Connection::open(self.at("backup/events.db")).unwrap();
        assert_eq!(copy.execute(sql, []).unwrap(), 1, "{sql}");
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut digits = String::new();
    bytes.iter().for_each(|byte| write!(digits, "{byte:02x}").unwrap());
    digits
}

/// A list as an earlier release wrote it.
fn without_codes(list: &str) -> String {
    let lines = list.lines().map(|line| {
        let (before, _) = line.split_once(",\"mac\"").unwrap();
        format!("{before}}}\n")
    });
    lines.collect()
}

fn names_in(directory: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_backup_is_three_files_for_its_owner_alone() {
    let scene = Scene::new().await;
    scene.back_up().await;
    let backup = scene.at("backup");
    assert_eq!(mode(&backup), 0o700);
    assert_eq!(
        names_in(&backup),
        ["backup.json", "events.db", "work.db"].map(str::to_owned).into()
    );
    for name in names_in(&backup) {
        assert_eq!(mode(&backup.join(&name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn the_digest_is_over_what_each_refusal_says_and_when_in_order() {
    let scene = Scene::new().await;
    let (workspace, store) = (scene.workspace, scene.store());
    let mut drafts = vec![
        said(workspace, &phone(3), SMS, Statement::No, 3),
        said(workspace, &phone(2), SMS, Statement::Hold, 4),
    ];
    let (suppression, cover) = (
        sayso_core::state::suppression::Suppression::Operator,
        sayso_core::state::suppression::Cover::default(),
    );
    for (switched, minute) in [
        (sayso_core::state::suppression::Switched::On, 5),
        (sayso_core::state::suppression::Switched::Off, 6),
    ] {
        let fact = Fact::Suppression(suppression, cover, switched);
        drafts.push(of_fact(workspace, &phone(4), fact, minute));
    }
    let of_first = said(workspace, &phone(1), SMS, Statement::OptOut, 1).id;
    let mut expected = vec![(phone(1), of_first)];
    for (at, draft) in drafts.into_iter().enumerate() {
        let Subject::Address(address) = draft.subject.clone() else { unreachable!() };
        let recorded = record(store, workspace, draft).await;
        // The last clears a suppression, which takes nothing away.
        if at < 3 {
            expected.push((address, recorded.id));
        }
    }
    scene.erase(&phone(5)).await;
    expected.push((phone(5), of_fact(workspace, &phone(5), Fact::Erasure, 2).id));

    let mut hasher = Sha256::new();
    hasher.update(b"sayso refusals 2\n");
    let secret = store.workspaces()[&workspace].secret.clone();
    let ledger = rusqlite::Connection::open(scene.at("store/events.db")).unwrap();
    for (address, id) in &expected {
        hasher.update(workspace.as_bytes());
        hasher.update(address.key(&secret).as_bytes());
        hasher.update(id.as_bytes());
        let (recorded_at, facts, leaf): (i64, Vec<u8>, Vec<u8>) = ledger
            .query_row(
                "SELECT recorded_at, facts, leaf_hash FROM event WHERE event_id = ?1 /* every workspace: a test */",
                [id.as_bytes()],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        hasher.update(recorded_at.to_be_bytes());
        hasher.update(u64::try_from(facts.len()).unwrap().to_be_bytes());
        hasher.update(&facts);
        hasher.update(&leaf);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let manifest = scene.back_up().await;
    assert_eq!(manifest.refusals.count, 5);
    assert_eq!(manifest.refusals.digest, digest);
    assert_eq!((manifest.last_row, manifest.workspaces), (7, 1));
}

#[tokio::test]
async fn a_backup_overwrites_nothing() {
    let scene = Scene::new().await;
    scene.back_up().await;
    let before = std::fs::read(scene.at("backup/events.db")).unwrap();
    scene.say(3, Statement::OptOut).await;
    let refused = scene.store().backup(&scene.at("backup")).await;
    assert!(matches!(refused, Err(BackupError::Exists(path)) if path == scene.at("backup")));
    assert_eq!(std::fs::read(scene.at("backup/events.db")).unwrap(), before);
}

#[tokio::test]
async fn a_backup_that_fails_leaves_nothing() {
    use std::os::unix::ffi::OsStrExt;
    let scene = Scene::new().await;
    // SQLite takes paths that are UTF-8, so this one is made and cannot be filled.
    let to = scene.folder.path().join(std::ffi::OsStr::from_bytes(b"backup\xff"));
    let refused = scene.store().backup(&to).await;
    assert!(matches!(refused, Err(BackupError::Copy { path, .. }) if path == to.join("work.db")));
    assert!(!to.exists());
}

#[tokio::test]
async fn a_backup_into_a_missing_directory_names_it_and_makes_nothing() {
    let scene = Scene::new().await;
    let to = scene.at("missing/backup");
    let refused = scene.store().backup(&to).await.unwrap_err();
    assert!(refused.to_string().contains(to.to_str().unwrap()), "{refused}");
    assert!(!scene.at("missing").exists());
}

#[tokio::test]
async fn a_restored_store_holds_what_the_backup_held() {
    let scene = Scene::new().await;
    let manifest = scene.back_up().await;
    scene.say(2, Statement::OptOut).await;
    let restored = scene.restore_with(None).unwrap();
    assert_eq!(restored.manifest, manifest);
    assert_eq!(restored.refusals_lost, None);
    assert_eq!(mode(&scene.at("restored")), 0o700);
    assert_eq!(
        names_in(&scene.at("restored")),
        ["events.db", "lock", "master.key", "work.db"].map(str::to_owned).into()
    );
    for name in ["events.db", "master.key", "work.db"] {
        assert_eq!(mode(&scene.at("restored").join(name)), 0o600, "{name}");
    }
    let store = open(&scene.at("restored"));
    assert_eq!(
        reason(&store, scene.workspace, &phone(1), marketing()).await,
        Some(Reason::OptedOut)
    );
    let second = reason(&store, scene.workspace, &phone(2), marketing()).await;
    assert_eq!(second, None, "this refusal came after the backup");
    assert_eq!(names_in(&scene.at("backup")).len(), 3, "the backup is as it was");
}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_untouched() {
    let scene = Scene::new().await;
    scene.back_up().await;
    let manifest = scene.at("backup/backup.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::remove_file(&manifest).unwrap();
    assert!(matches!(scene.is_refused(), RestoreError::NoManifest(path) if path == manifest));
    std::fs::write(&manifest, "{}").unwrap();
    assert!(matches!(scene.is_refused(), RestoreError::Manifest(path) if path == manifest));
    std::fs::write(&manifest, text.replace("\"format\": 2", "\"format\": 3")).unwrap();
    assert!(matches!(scene.is_refused(), RestoreError::Newer { found: 3, known: 2, .. }));
    std::fs::write(&manifest, text.replace("\"format\": 2", "\"format\": 1")).unwrap();
    assert!(matches!(scene.is_refused(), RestoreError::Older(path) if path == manifest));
    std::fs::write(&manifest, text.replace("\"refusals\": 1", "\"refusals\": 0")).unwrap();
    assert!(matches!(scene.is_refused(), RestoreError::Forged(path) if path == manifest));
    std::fs::write(&manifest, &text).unwrap();
    let copy = scene.at("backup/events.db");
    let whole = std::fs::read(&copy).unwrap();
    std::fs::write(&copy, b"this is no database").unwrap();
    assert!(
        matches!(scene.is_refused(), RestoreError::Differs { path, what: "size" } if path == copy)
    );
    std::fs::remove_file(&copy).unwrap();
    assert!(matches!(scene.is_refused(), RestoreError::Read { path, .. } if path == copy));
    std::fs::write(&copy, &whole).unwrap();
    let work = scene.at("backup/work.db");
    std::fs::write(&work, b"this is no database").unwrap();
    assert!(matches!(scene.is_refused(), RestoreError::Differs { path, .. } if path == work));
    std::fs::remove_file(&work).unwrap();
    let restored = scene.restore_with(None).unwrap();
    assert!(restored.lacks_work, "and it says so");
    let store = open(&scene.at("restored"));
    let found = reason(&store, scene.workspace, &phone(1), marketing()).await;
    assert_eq!(found, Some(Reason::OptedOut));
}

#[tokio::test]
async fn a_copy_that_its_manifest_does_not_speak_of_is_refused_untouched() {
    for sql in [
        "DELETE FROM event WHERE row = 1 /* every workspace: a test */",
        "UPDATE event SET address_key = zeroblob(16) WHERE row = 1 /* every workspace: a test */",
        "UPDATE event SET recorded_at = recorded_at + 1 WHERE row = 2 /* every workspace: a test */",
        "UPDATE store SET row_version = 9",
    ] {
        let scene = Scene::new().await;
        scene.back_up().await;
        scene.change_copy(sql);
        let copy = scene.at("backup/events.db");
        let refused = scene.is_refused();
        assert!(matches!(refused, RestoreError::Differs { path, .. } if path == copy), "{sql}");
    }
}

/// The rows of a ledger, in order, all columns.
fn rows_of(ledger: &Path) -> Vec<Vec<rusqlite::types::Value>> {
    let ledger = rusqlite::Connection::open(ledger).unwrap();
    let mut statement =
        ledger.prepare("SELECT * FROM event ORDER BY row /* every workspace: a test */").unwrap();
    let columns = statement.column_count();
    statement
        .query_map([], |row| (0..columns).map(|column| row.get(column)).collect())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[tokio::test]
async fn no_bit_flipped_in_a_backup_is_restored() {
    let scene = Scene::new().await;
    for n in 3..40 {
        let statement = if n % 3 == 0 { Statement::Single } else { Statement::OptOut };
        scene.say(n, statement).await;
    }
    scene.erase(&phone(9)).await;
    scene.store().keep_rejects(scene.workspace, vec![refused("shop", "not-json", "{")]);
    scene.back_up().await;
    let expected = rows_of(&scene.at("backup/events.db"));
    let names = ["events.db", "work.db", "backup.json"];
    let mut seed = 20_261_130_u64;
    let mut random = |below: usize| {
        // Of Knuth's generator the upper bits.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for n in 0..500 {
        let name = names[n % names.len()];
        let path = scene.at("backup").join(name);
        let mut content = std::fs::read(&path).unwrap();
        let (byte, bit) = (random(content.len()), random(8));
        content[byte] ^= 1 << bit;
        std::fs::write(&path, &content).unwrap();
        let error = scene.is_refused();
        assert!(error.to_string().contains(name), "bit {bit} of byte {byte}: {error}");
        content[byte] ^= 1 << bit;
        std::fs::write(&path, &content).unwrap();
    }
    scene.restore_with(None).unwrap();
    assert_eq!(rows_of(&scene.at("restored/events.db")), expected);
}

#[tokio::test]
async fn a_restore_that_fails_leaves_nothing_behind() {
    let scene = Scene::new().await;
    scene.back_up().await;
    // The target is made, and something in the place of a file that is to be written.
    for in_the_way in ["work.db", "master.key.partial", "views.db"] {
        let to = scene.at("restored");
        std::fs::create_dir_all(to.join(in_the_way).join("inside")).unwrap();
        let before = names_in(&to);
        let refused = scene.restore_with(None);
        assert!(refused.is_err(), "{in_the_way}");
        assert_eq!(names_in(&to), before, "{in_the_way}: {refused:?}");
        std::fs::remove_dir_all(&to).unwrap();
    }
    // Directories above the target that were made for it go too.
    let (from, key) = (scene.at("backup"), scene.at("store/master.key"));
    let list = scene.at("erasures");
    std::fs::write(&list, "x\n").unwrap();
    let to = scene.at("one/two/restored");
    let restore = Restore {
        from: &from,
        master_key: &key,
        to: &to,
        erasures: Some(&list),
        lines: Lines::default(),
        replaced: None,
    };
    assert!(restore.run().is_err());
    assert!(!scene.at("one").exists());
    Restore { erasures: None, ..restore }.run().unwrap().discard();
    assert!(!scene.at("one").exists());
}

#[tokio::test]
async fn a_backup_needs_the_master_key_of_its_time() {
    let mut scene = Scene::new().await;
    let manifest = scene.back_up().await;
    drop(scene.store.take());
    let old = std::fs::read(scene.at("store/master.key")).unwrap();
    rotation::rotate(&scene.at("store"), &Environment::system()).unwrap();
    let refused = scene.is_refused();
    let fits = |needs| needs == manifest.master_key;
    assert!(matches!(refused, RestoreError::WrongKey { needs, .. } if fits(needs)), "{refused}");
    std::fs::write(scene.at("store/master.key"), &old[1..]).unwrap();
    assert!(matches!(scene.is_refused(), RestoreError::NotAKey(_)));
    std::fs::write(scene.at("store/master.key"), old).unwrap();
    scene.restore_with(None).unwrap();
}

#[tokio::test]
async fn a_directory_that_holds_a_store_is_left_alone() {
    let scene = Scene::new().await;
    scene.back_up().await;
    let there = scene.at("restored");
    drop(open(&there));
    let before = names_in(&there);
    let refused = scene.restore_with(None);
    assert!(
        matches!(refused, Err(RestoreError::Occupied(path)) if path == there.join("events.db"))
    );
    std::fs::remove_file(there.join("events.db")).unwrap();
    let refused = scene.restore_with(None);
    assert!(matches!(refused, Err(RestoreError::Occupied(path)) if path == there.join("work.db")));
    std::fs::remove_file(there.join("work.db")).unwrap();
    let refused = scene.restore_with(None);
    assert!(
        matches!(refused, Err(RestoreError::Occupied(path)) if path == there.join("master.key")),
        "another store's key is not overwritten"
    );
    assert_eq!(names_in(&there).len(), before.len() - 2);
}

#[tokio::test]
async fn a_restore_that_was_broken_off_is_done_again() {
    let scene = Scene::new().await;
    scene.back_up().await;
    let there = scene.at("restored");
    std::fs::create_dir(&there).unwrap();
    std::fs::copy(scene.at("store/master.key"), there.join("master.key")).unwrap();
    std::fs::write(there.join("events.db.restoring"), vec![1; 1_000_000]).unwrap();
    std::fs::write(there.join("master.key.partial"), [7; 9]).unwrap();
    for name in ["views.db", "gate.index", "work.db"] {
        std::fs::write(there.join(name), b"of another store").unwrap();
    }
    scene.restore_with(None).unwrap();
    assert!(!there.join("events.db.restoring").exists());
    assert!(!there.join("views.db").exists() && !there.join("gate.index").exists());
    let store = open(&there);
    assert_eq!(
        reason(&store, scene.workspace, &phone(1), marketing()).await,
        Some(Reason::OptedOut)
    );
}

#[tokio::test]
async fn what_an_erased_person_ticked_and_was_asked_does_not_come_back() {
    let scene = Scene::new().await;
    let (store, workspace) = (scene.store(), scene.workspace);
    for n in [1, 2] {
        let mut reference = ticked(store, workspace, Some(&phone(n)));
        reference.reference = Reference::from_bytes([u8::try_from(n).unwrap(); 5]);
        store.keep_reference(workspace, reference).await.unwrap();
        let asked = by_code(store, workspace, &phone(n), u8::try_from(n).unwrap()).await;
        store.ask_double_opt_in(workspace, asked).await.unwrap();
    }
    scene.back_up().await;
    scene.erase(&phone(2)).await;
    scene.restore_with(Some(&scene.list())).unwrap();
    let work = rusqlite::Connection::open(scene.at("restored/work.db")).unwrap();
    for table in ["reference", "double_opt_in"] {
        let of_every_workspace = format!("SELECT count(*) FROM {table} /* every workspace */");
        let left: i64 = work.query_row(&of_every_workspace, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 1, "{table}: that of the person who was not erased");
    }
}

#[tokio::test]
async fn nobody_erased_since_the_backup_is_in_the_restored_store() {
    let scene = Scene::new().await;
    scene.back_up().await;
    // One whom the backup knows, and one whom it does not.
    scene.erase(&phone(2)).await;
    scene.say(3, Statement::Single).await;
    scene.erase(&phone(3)).await;
    let list = scene.list();
    let restored = scene.restore_with(Some(&list)).unwrap();
    assert_eq!(restored.erasures, Replayed { erased: 2, known: 0, elsewhere: 0 });
    let store = open(&scene.at("restored"));
    for n in [2, 3] {
        let subject = Subject::Address(phone(n));
        let page =
            store.history(scene.workspace, &subject, &HistoryQuery::newest(9)).await.unwrap();
        assert!(!page.entries.is_empty());
        assert!(page.entries.iter().all(|one| one.address.is_none() && one.evidence.is_none()));
        // An old list that is imported again reaches nobody.
        let yes = said(scene.workspace, &phone(n), SMS, Statement::Yes, 0);
        record(&store, scene.workspace, yes).await;
        let found = reason(&store, scene.workspace, &phone(n), marketing()).await;
        assert_eq!(found, Some(Reason::Suppressed), "phone {n}");
    }
    assert_eq!(
        reason(&store, scene.workspace, &phone(1), marketing()).await,
        Some(Reason::OptedOut)
    );
}

#[tokio::test]
async fn rejects_of_a_workspace_in_which_somebody_was_erased_do_not_come_back() {
    let scene = Scene::new().await;
    let asked = LookedUp::Profile(ProfileId::from_bytes([1; 16]));
    scene.store().keep_rejects(scene.workspace, vec![refused("shop", "not-json", "{")]);
    scene.store().note_look_up(scene.workspace, looked_up(1, &[asked])).await.unwrap();
    let rejects = async |store: &SqliteStore| {
        store.rejects(scene.workspace, &RejectQuery::default(), 9).await.unwrap().rejects.len()
    };
    assert_eq!(rejects(scene.store()).await, 1);
    scene.back_up().await;
    scene.erase(&phone(2)).await;
    scene.restore_with(Some(&scene.list())).unwrap();
    assert_eq!(rejects(&open(&scene.at("restored"))).await, 0);
}

/// The columns of a row of the ledger that are compared.
type Row = (i64, Vec<u8>, i64, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

#[tokio::test]
async fn a_replayed_erasure_is_the_event_that_was_lost() {
    let scene = Scene::new().await;
    scene.back_up().await;
    scene.erase(&phone(2)).await;
    scene.restore_with(Some(&scene.list())).unwrap();
    let last = |ledger: &str| -> Row {
        let columns = "row, event_id, recorded_at, leaf_hash, facts, sealed";
        rusqlite::Connection::open(scene.at(ledger))
            .unwrap()
            .query_row(
                &format!(
                    "SELECT {columns} FROM event ORDER BY row DESC /* every workspace: a test */"
                ),
                [],
                |row| {
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                        row.get(5)?,
                    ))
                },
            )
            .unwrap()
    };
    assert_eq!(last("restored/events.db"), last("store/events.db"));
    // What the person's rows held is overwritten, as it is by an erasure.
    let sealed: i64 = rusqlite::Connection::open(scene.at("restored/events.db"))
        .unwrap()
        .query_row(
            "SELECT count(*) FROM event WHERE sealed IS NOT NULL /* every workspace: a test */",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(sealed, 1, "phone 1 alone was not erased");
}

#[tokio::test]
async fn who_came_back_after_an_erasure_that_the_backup_holds_is_left_alone() {
    let scene = Scene::new().await;
    scene.erase(&phone(2)).await;
    let again = said(scene.workspace, &phone(2), SMS, Statement::Single, 1_000_000);
    record(scene.store(), scene.workspace, again).await;
    scene.back_up().await;
    let restored = scene.restore_with(Some(&scene.list())).unwrap();
    assert_eq!(restored.erasures, Replayed { erased: 0, known: 1, elsewhere: 0 });
    let store = open(&scene.at("restored"));
    let all = store.addresses(scene.workspace, None, 9).await.unwrap();
    assert!(all.iter().any(|one| one.address == Some(phone(2))));
}

#[tokio::test]
async fn an_address_shared_with_somebody_erased_is_unlinked_again() {
    let scene = Scene::new().await;
    // The attributes of the first stand under the phone that they share.
    scene.link(vec![phone(2), external("u-1")]).await;
    scene.link(vec![external("u-2"), phone(2)]).await;
    scene.back_up().await;
    scene.erase(&external("u-1")).await;
    let restored = scene.restore_with(Some(&scene.list())).unwrap();
    assert_eq!(restored.erasures.erased, 1);
    let store = open(&scene.at("restored"));
    let lost = known(scene.store(), scene.workspace, &phone(2)).await;
    assert_eq!(lost.links().count(), 1);
    assert_eq!(known(&store, scene.workspace, &phone(2)).await, lost);
    assert_eq!(reason(&store, scene.workspace, &phone(2), marketing()).await, None);
    let kept = |ledger: &str| -> i64 {
        rusqlite::Connection::open(scene.at(ledger))
            .unwrap()
            .query_row(
                "SELECT count(*) FROM event WHERE sealed IS NOT NULL AND row <= ?1 /* every workspace: a test */",
                [restored.manifest.last_row],
                |row| row.get(0),
            )
            .unwrap()
    };
    assert_eq!(kept("restored/events.db"), kept("store/events.db"));
}

#[tokio::test]
async fn the_other_address_of_an_erased_account_is_suppressed_again() {
    let scene = Scene::new().await;
    let (workspace, id) = (scene.workspace, channel_id(2));
    let whatsapp = Permission::Messages(Channel::WhatsApp, Scope::All);
    let naming = one_account(scene.store(), workspace, (&phone(2), &id), 1);
    scene.store().record(workspace, naming).await.unwrap();
    let yes = said(workspace, &id, whatsapp, Statement::Single, 2);
    record(scene.store(), workspace, yes).await;
    scene.back_up().await;
    scene.erase(&phone(2)).await;
    let restored = scene.restore_with(Some(&scene.list())).unwrap();
    assert_eq!(restored.erasures.erased, 1);
    let store = open(&scene.at("restored"));
    let offer = Message::ordinary(Channel::WhatsApp, Category::Marketing);
    assert_eq!(reason(&store, workspace, &id, offer).await, Some(Reason::Suppressed));
}

#[tokio::test]
async fn an_unlinking_without_an_erasure_is_not_in_the_list() {
    let scene = Scene::new().await;
    scene.link(vec![external("u-1"), phone(1)]).await;
    scene.link(vec![external("u-1"), phone(2)]).await;
    let profile = scene.store().find_profile(scene.workspace, &Subject::Address(phone(1))).await;
    let profile = profile.unwrap().unwrap().id;
    scene.store().unlink(scene.workspace, profile, &phone(2)).await.unwrap();
    assert_eq!(erasures(&scene.at("store")).unwrap(), []);
    scene.erase(&phone(9)).await;
    assert_eq!(erasures(&scene.at("store")).unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_holds_nothing_personal_and_brings_in_nothing_else() {
    let scene = Scene::new().await;
    scene.link(vec![external("customer-17"), phone(2)]).await;
    scene.back_up().await;
    scene.erase(&phone(2)).await;
    let text = std::fs::read_to_string(scene.list()).unwrap();
    assert_eq!(text.lines().count(), 2, "one for each address");
    for personal in ["15550100002", "customer-17"] {
        assert!(!text.contains(personal) && !text.contains(&hex(personal.as_bytes())));
    }
    for line in text.lines() {
        assert_eq!(Erasure::parse(line).unwrap().to_line(), line);
    }
    // The facts of an opt-in in the place of those of an erasure.
    let facts: Vec<u8> = rusqlite::Connection::open(scene.at("store/events.db"))
        .unwrap()
        .query_row(
            "SELECT facts FROM event WHERE row = 2 /* a row names its workspace */",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let opt_in = hex(&facts);
    let line = text.lines().next().unwrap();
    let (before, rest) = line.split_once("\"facts\":\"").unwrap();
    let after = rest.split_once('"').unwrap().1;
    let forged = format!("{before}\"facts\":\"{opt_in}\"{after}");
    assert_eq!(Erasure::parse(&forged), Err(ErasureFault::AnotherKind));
    let spaced = line.replacen(':', ": ", 1);
    let too_long = line.replacen(':', &format!(":{}", " ".repeat(4_096)), 1);
    for (bad, fault) in [
        (forged.as_str(), ErasureFault::AnotherKind),
        (spaced.as_str(), ErasureFault::Shape),
        (too_long.as_str(), ErasureFault::Shape),
        ("x", ErasureFault::Shape),
    ] {
        std::fs::write(scene.at("erasures"), format!("{line}\n{bad}\n")).unwrap();
        let refused = scene.restore_with(Some(&scene.at("erasures"))).unwrap_err();
        assert!(
            matches!(refused, RestoreError::Erasures { line: 2, fault: found, .. } if found == fault)
        );
        assert!(!scene.at("restored").exists());
    }
}

#[tokio::test]
async fn no_list_takes_back_a_refusal() {
    let scene = Scene::new().await;
    scene.link(vec![external("u-1"), phone(1)]).await;
    scene.link(vec![external("u-2"), phone(1)]).await;
    scene.back_up().await;
    scene.erase(&external("u-1")).await;
    let text = std::fs::read_to_string(scene.list()).unwrap();
    // The line that unlinks names the refusal of phone 1 instead of a link.
    let refusal = said(scene.workspace, &phone(1), SMS, Statement::OptOut, 1).id;
    let id_of = |row: i64| -> Vec<u8> {
        let ledger = rusqlite::Connection::open(scene.at("store/events.db")).unwrap();
        ledger
            .query_row(
                "SELECT event_id FROM event WHERE row = ?1 /* a row names its workspace */",
                [row],
                |row| row.get(0),
            )
            .unwrap()
    };
    let mut forged = String::new();
    for line in text.lines() {
        let (head, facts) = line.split_once("\"facts\"").unwrap();
        let mut facts = facts.to_owned();
        for row in 1..9 {
            facts = facts.replace(&hex(&id_of(row)), &hex(refusal.as_bytes()));
        }
        forged.extend([head, "\"facts\"", &facts, "\n"]);
    }
    assert_ne!(forged, text);
    std::fs::write(scene.at("erasures"), &forged).unwrap();
    let refused = scene.restore_with(Some(&scene.at("erasures"))).unwrap_err();
    assert!(matches!(refused, RestoreError::ForgedErasure { .. }), "{refused}");
    // Not even where its code is not asked for.
    std::fs::write(scene.at("erasures"), without_codes(&forged)).unwrap();
    scene.restore_lines(&scene.at("erasures"), Lines::Any).unwrap();
    let store = open(&scene.at("restored"));
    assert_eq!(
        reason(&store, scene.workspace, &phone(1), marketing()).await,
        Some(Reason::OptedOut)
    );
}

#[tokio::test]
async fn erasures_of_a_workspace_that_the_backup_does_not_hold_are_counted_apart() {
    let scene = Scene::new().await;
    scene.back_up().await;
    let other = workspace(scene.store()).await;
    record(scene.store(), other, said(other, &phone(2), SMS, Statement::Single, 1)).await;
    let draft = of_fact(other, &phone(2), Fact::Erasure, 2);
    scene
        .store()
        .erase(other, &Subject::Address(phone(2)), ErasureReach::Person, draft)
        .await
        .unwrap();
    let restored = scene.restore_with(Some(&scene.list())).unwrap();
    assert_eq!(restored.erasures, Replayed { erased: 0, known: 0, elsewhere: 1 });
    let store = open(&scene.at("restored"));
    assert_eq!(reason(&store, scene.workspace, &phone(2), marketing()).await, None);
}

#[tokio::test]
async fn a_replaced_store_gives_its_erasures_and_the_number_of_refusals_that_are_lost() {
    let scene = Scene::new().await;
    scene.back_up().await;
    scene.say(2, Statement::OptOut).await;
    scene.say(3, Statement::OptOut).await;
    scene.say(4, Statement::Single).await;
    scene.erase(&phone(2)).await;
    let (from, key, to) = (scene.at("backup"), scene.at("store/master.key"), scene.at("restored"));
    let replaced = scene.at("store");
    let list = scene.list();
    let restore = Restore {
        from: &from,
        master_key: &key,
        to: &to,
        erasures: Some(&list),
        lines: Lines::default(),
        replaced: Some(&replaced),
    };
    let missing = scene.at("nowhere");
    let refused = Restore { replaced: Some(&missing), ..restore }.run();
    assert!(matches!(refused, Err(RestoreError::Replaced { .. })));
    assert!(!to.exists());
    let restored = restore.run().unwrap();
    assert_eq!(restored.refusals_lost, Some(3), "two opt-outs, and the erasure");
    assert_eq!(restored.erasures.erased, 1, "the list and the store name the same one");
    let store = open(&to);
    let found = known(&store, scene.workspace, &phone(2)).await;
    assert_eq!(
        reason(&store, scene.workspace, &phone(2), marketing()).await,
        Some(Reason::NoOptIn)
    );
    assert!(!found.is_empty());
}

#[tokio::test]
async fn links_made_before_a_backup_and_after_it_are_alive_once_it_is_restored() {
    let mut scene = Scene::new().await;
    let workspace = scene.store().workspaces()[&scene.workspace].clone();
    let link = PersonalLink {
        workspace: scene.workspace,
        address: phone(1).key(&workspace.secret),
        channel: Channel::Sms,
        purpose: LinkPurpose::OneClick,
        leaves: Leaves::Category(Category::Marketing),
        sender: None,
        making: Making::Unsaid,
    };
    let before = link.token(workspace.link_key(), &workspace.secret);
    scene.back_up().await;
    // The store that is lost went on: its keys were rotated, and messages went with links of the new one.
    let rotated = Change::LinkKey(workspace.link_key().next());
    let rotated = configure_now(scene.store(), scene.workspace, rotated).await.unwrap();
    let after = link.token(rotated.link_key(), &rotated.secret);
    assert_ne!(before, after);
    scene.store.take().unwrap().close().await.unwrap();

    scene.restore_with(None).unwrap();
    let restored = open(&scene.at("restored"));
    let workspace = restored.workspaces()[&scene.workspace].clone();
    for token in [before, after] {
        let verified = UnverifiedLink::parse(&token).unwrap().verify(&workspace.secret);
        assert_eq!(verified, Some(link));
        let known = restored.find_address(scene.workspace, link.address).await.unwrap();
        assert_eq!(known, Some(phone(1)), "and says whose it is");
    }
}

#[tokio::test]
async fn each_flipped_byte_of_a_list_of_erasures_is_refused() {
    let scene = Scene::new().await;
    scene.link(vec![external("u-1"), phone(2)]).await;
    scene.back_up().await;
    scene.erase(&phone(2)).await;
    let path = scene.list();
    let whole = std::fs::read(&path).unwrap();
    for byte in 0..whole.len() {
        for bit in [byte % 5, 5] {
            let mut flipped = whole.clone();
            flipped[byte] ^= 1 << bit;
            std::fs::write(&path, &flipped).unwrap();
            let refused = scene.restore_with(Some(&path));
            assert!(
                matches!(
                    refused,
                    Err(RestoreError::Erasures { .. } | RestoreError::ForgedErasure { .. })
                ),
                "bit {bit} of byte {byte}: {refused:?}"
            );
        }
    }
    assert!(!scene.at("restored").exists());
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(scene.restore_with(Some(&path)).unwrap().erasures.erased, 2);
}

#[tokio::test]
async fn each_flipped_byte_of_a_manifest_is_refused() {
    let scene = Scene::new().await;
    scene.back_up().await;
    let path = scene.at("backup/backup.json");
    let whole = std::fs::read(&path).unwrap();
    for byte in 0..whole.len() {
        for bit in [byte % 5, 5] {
            let mut flipped = whole.clone();
            flipped[byte] ^= 1 << bit;
            std::fs::write(&path, &flipped).unwrap();
            assert!(scene.restore_with(None).is_err(), "bit {bit} of byte {byte}");
        }
    }
    let cut: Vec<String> = String::from_utf8(whole).unwrap().lines().map(str::to_owned).collect();
    let without_seal = cut.iter().filter(|line| !line.contains("\"mac\""));
    let without_seal = without_seal.fold(String::new(), |text, line| format!("{text}{line}\n"));
    std::fs::write(&path, without_seal.replace("  },\n}", "  }\n}")).unwrap();
    assert!(matches!(scene.is_refused(), RestoreError::Manifest(_)));
}

#[tokio::test]
async fn a_list_of_an_earlier_release_is_taken_only_where_the_operator_says_so() {
    let scene = Scene::new().await;
    scene.back_up().await;
    scene.erase(&phone(2)).await;
    let path = scene.list();
    let list = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, without_codes(&list)).unwrap();
    let refused = scene.restore_with(Some(&path)).unwrap_err();
    assert!(matches!(refused, RestoreError::Unauthenticated { line: 1, .. }));
    let words = refused.to_string();
    assert!(words.contains("--unauthenticated") && words.contains("destroys"), "{words}");
    assert!(!scene.at("restored").exists());
    assert_eq!(scene.restore_lines(&path, Lines::Any).unwrap().erasures.erased, 1);
}

#[tokio::test]
async fn a_list_is_known_after_a_rotation_of_the_master_key_and_that_of_another_store_is_not() {
    let mut scene = Scene::new().await;
    scene.back_up().await;
    scene.erase(&phone(2)).await;
    drop(scene.store.take());
    let old = std::fs::read(scene.at("store/master.key")).unwrap();
    rotation::rotate(&scene.at("store"), &Environment::system()).unwrap();
    let path = scene.list();
    std::fs::write(scene.at("store/master.key"), old).unwrap();
    assert_eq!(scene.restore_with(Some(&path)).unwrap().erasures.erased, 1);
    let other = Scene::new().await;
    other.back_up().await;
    let refused = other.restore_with(Some(&path)).unwrap_err();
    assert!(matches!(refused, RestoreError::ForgedErasure { line: 1, .. }), "{refused}");
}
