//! Restoring: everything is verified before anything is written, and the ledger comes last.
//!
//! The copy is made beside its place and renamed once it is whole and on disk, so that a restore
//! that was killed leaves a directory without a store, and the next try begins anew. One that fails
//! takes away all that it made.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use sayso_core::address::AddressKey;
use sayso_core::id::{EventId, WorkspaceId};
use sayso_core::limits;

use super::super::database::open_hardened;
use super::super::examination::Leaves;
use super::super::files::{ROW_VERSION, own, sync_directory};
use super::super::rotation::{INDEX, NEXT};
use super::super::schema::Schema;
use super::super::seal::MasterKey;
use super::super::{OpenError, double_opt_ins, events, messages, presence, references, work};
use super::erasures::{self, Erasure, Replayed};
use super::fault::RestoreError;
use super::made::Made;
use super::manifest::{Content, FORMAT, Manifest, ManifestFault, Sealed};
use super::{Fingerprint, LEDGER, MANIFEST, WORK, make_private_file, open_to_read, unreadable};
use crate::environment::Environment;
use crate::store::StoreError;

/// The copy until it is whole.
const PARTIAL: &str = "events.db.restoring";
/// The longest manifest that is read, as files count.
#[expect(clippy::as_conversions, reason = "TryFrom is not const, and the limit is 64 KiB")]
const MANIFEST_BYTES_MAX: u64 = limits::BACKUP_MANIFEST_BYTES_MAX as u64;

/// What is to be restored, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Restore<'a> {
    /// The backup.
    pub from: &'a Path,
    /// The master key that the store had when the backup was made.
    pub master_key: &'a Path,
    /// The directory of the new store, which holds none.
    pub to: &'a Path,
    /// A list of erasures done since.
    pub erasures: Option<&'a Path>,
    /// Whether lines of that list may lack the code that says who wrote them.
    pub lines: Lines,
    /// The directory of the store that is replaced: its erasures are taken over.
    pub replaced: Option<&'a Path>,
}

/// Which lines of a list of erasures are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lines {
    /// Those of which it is known that the store wrote them.
    #[default]
    Authenticated,
    /// Those without a code too, as an earlier release wrote them. A wrong code is refused all the same.
    Any,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup holds.
    pub manifest: Manifest,
    /// What came of the erasures.
    pub erasures: Replayed,
    /// Refusals of the replaced store that the backup lacks, where that store was named.
    pub refusals_lost: Option<u64>,
    /// Whether somebody took `work.db` out of the backup: then what it held begins anew.
    pub lacks_work: bool,
    made: Made,
}

impl Restored {
    /// Takes the restored store away again, with all that was made for it.
    pub fn discard(self) {
        self.made.discard();
    }
}

impl Restore<'_> {
    /// Restores.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn run(self) -> Result<Restored, RestoreError> {
        let sealed = read_manifest(self.from)?;
        let manifest = sealed.manifest;
        // First: what the seal holds for true is what everything else is compared with.
        let key = self.fitting_key(&manifest)?;
        if !sealed.is_of(&key) {
            return Err(RestoreError::Forged(self.from.join(MANIFEST)));
        }
        let copy = self.from.join(LEDGER);
        verify_content(&copy, manifest.files.ledger)?;
        let work = self.from.join(WORK);
        // Consent is restored also where nothing else was saved.
        let lacks_work = !work.exists();
        if !lacks_work {
            verify_content(&work, manifest.files.work)?;
        }
        let ledger = verify(&copy, &manifest)?;
        if !lacks_work {
            open_copy(&work, Schema::Work)?;
        }
        verify_leaves(&copy, &ledger, &key)?;
        let (erasures, refusals_lost) = self.since(&ledger, &key)?;
        drop(ledger);
        // Before anything is made there; and again once no other process can make anything.
        self.is_vacant(&key)?;
        let mut made =
            Made::begin(self.to).map_err(|(path, source)| RestoreError::Write { path, source })?;
        let copied = (manifest.files.ledger, (!lacks_work).then_some(manifest.files.work));
        let erasures = match self.fill(&key, erasures, copied, &mut made) {
            Ok(erasures) => erasures,
            Err(error) => {
                made.discard();
                return Err(error);
            }
        };
        Ok(Restored { manifest, erasures, refusals_lost, lacks_work, made })
    }

    /// Makes the store from a backup that was verified; the ledger last.
    fn fill(
        &self,
        key: &MasterKey,
        erasures: Vec<Erasure>,
        (ledger, work): (Content, Option<Content>),
        made: &mut Made,
    ) -> Result<Replayed, RestoreError> {
        let write = |path: &Path| {
            let path = path.to_path_buf();
            move |source| RestoreError::Write { path, source }
        };
        made.will_make(self.to.join("lock"));
        let _lock = own(self.to).map_err(|error| self.not_ours(error))?;
        self.is_vacant(key)?;
        let partial = self.to.join(PARTIAL);
        let erased: Vec<(WorkspaceId, AddressKey)> = erasures.iter().map(Erasure::place).collect();
        made.makes(partial.clone());
        let replayed = fill((&self.from.join(LEDGER), ledger), &partial, erasures)?;
        let master = self.to.join("master.key");
        if !master.exists() {
            made.makes(self.to.join("master.key.partial"));
            made.makes(master.clone());
            key.write(&master).map_err(write(&master))?;
        }
        // Views and an index without a ledger are left over from another store, and derived.
        let derived = ["views.db", "views.db-wal", "views.db-shm", INDEX, presence::MAKING];
        for name in derived {
            match fs::remove_file(self.to.join(name)) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(RestoreError::Write { path: self.to.join(name), source });
                }
                Ok(()) | Err(_) => {}
            }
        }
        if let Some(content) = work {
            for name in [WORK, "work.db-wal", "work.db-shm", "work.db-journal"] {
                made.makes(self.to.join(name));
            }
            fill_work((&self.from.join(WORK), content), &self.to.join(WORK), &erased)?;
        } else {
            let lost = self.to.join(presence::WORK_LOST);
            made.makes(lost.clone());
            make_private_file(&lost).map_err(write(&lost))?;
        }
        for name in [LEDGER, "events.db-wal", "events.db-shm"].into_iter().chain(derived) {
            made.makes(self.to.join(name));
        }
        made.will_make(self.to.join("reserve"));
        fs::rename(&partial, self.to.join(LEDGER))
            .and_then(|()| sync_directory(self.to))
            .map_err(write(&partial))?;
        Ok(replayed)
    }

    /// Reads the master key, which must be that of the backup's time.
    fn fitting_key(&self, manifest: &Manifest) -> Result<MasterKey, RestoreError> {
        let path = || self.master_key.to_path_buf();
        let key = MasterKey::read(self.master_key).map_err(|source| {
            if source.kind() == ErrorKind::InvalidData {
                RestoreError::NotAKey(path())
            } else {
                RestoreError::Read { path: path(), source }
            }
        })?;
        let has = Fingerprint(key.fingerprint());
        if has == manifest.master_key {
            Ok(key)
        } else {
            Err(RestoreError::WrongKey { key: path(), has, needs: manifest.master_key })
        }
    }

    /// What was erased since the backup, and how many refusals of the replaced store it lacks.
    fn since(
        &self,
        copy: &Connection,
        key: &MasterKey,
    ) -> Result<(Vec<Erasure>, Option<u64>), RestoreError> {
        let mut list = match self.erasures {
            None => Vec::new(),
            Some(path) => {
                let list = read_erasures(path)?;
                self.authenticate(copy, key, (path, &list))?;
                list
            }
        };
        let Some(directory) = self.replaced else {
            return Ok((list, None));
        };
        let path = directory.join(LEDGER);
        let failed = |source| RestoreError::Replaced { path: path.clone(), source };
        let replaced = open_to_read(&path).map_err(unreadable).map_err(failed)?;
        let lost = refusals_lacking(copy, &replaced).map_err(failed)?;
        list.extend(erasures::without_codes(directory).map_err(failed)?);
        Ok((list, Some(lost)))
    }

    /// Refuses a list of which a line was not written by this store. A backup without a workspace knows
    /// nobody, and whom its erasures destroy is nobody.
    fn authenticate(
        &self,
        copy: &Connection,
        key: &MasterKey,
        (path, list): (&Path, &[Erasure]),
    ) -> Result<(), RestoreError> {
        let damaged = |error: StoreError| RestoreError::Damaged {
            path: self.from.join(LEDGER),
            what: error.to_string(),
        };
        let Some(secrets) = erasures::first_secrets(copy, key).map_err(damaged)? else {
            return Ok(());
        };
        for (line, erasure) in (1..).zip(list) {
            let path = path.to_path_buf();
            match erasure.is_of(&secrets) {
                Some(true) => {}
                None if self.lines == Lines::Any => {}
                None => return Err(RestoreError::Unauthenticated { path, line }),
                Some(false) => return Err(RestoreError::ForgedErasure { path, line }),
            }
        }
        Ok(())
    }

    fn not_ours(&self, error: OpenError) -> RestoreError {
        match error {
            OpenError::File { path, source } => RestoreError::Write { path, source },
            OpenError::Owned(_)
            | OpenError::NoStore(_)
            | OpenError::Gone { .. }
            | OpenError::BrokenOff(_)
            | OpenError::Foreign(_)
            | OpenError::Damaged { .. }
            | OpenError::Schema { .. }
            | OpenError::Newer { .. }
            | OpenError::WrongKey(_)
            | OpenError::Engine(_)
            | OpenError::Migration(_)
            | OpenError::Store(_) => RestoreError::Owned(self.to.to_path_buf()),
        }
    }

    /// Whether the directory may become this store: nothing of another one is in it.
    fn is_vacant(&self, key: &MasterKey) -> Result<(), RestoreError> {
        let ledger = [LEDGER, "events.db-wal", "events.db-shm", "events.db-journal", NEXT];
        // A restore that was broken off leaves its copy of the ledger, and may leave this too.
        let broken_off = self.to.join(PARTIAL).exists();
        let work = [WORK, "work.db-wal", "work.db-shm"].into_iter().filter(|_| !broken_off);
        for name in ledger.into_iter().chain(work) {
            let path = self.to.join(name);
            if path.exists() {
                return Err(RestoreError::Occupied(path));
            }
        }
        // The same key is there where a store was moved away, or a restore was broken off.
        let path = self.to.join("master.key");
        match MasterKey::read(&path) {
            Ok(there) if there.fingerprint() == key.fingerprint() => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Ok(_) | Err(_) => Err(RestoreError::Occupied(path)),
        }
    }
}

/// Reads the manifest of the backup in `directory`.
pub(super) fn read_manifest(directory: &Path) -> Result<Sealed, RestoreError> {
    let path = directory.join(MANIFEST);
    let mut text = Vec::new();
    let read =
        File::open(&path).and_then(|file| file.take(MANIFEST_BYTES_MAX).read_to_end(&mut text));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(RestoreError::NoManifest(path)),
        Err(source) => Err(RestoreError::Read { path, source }),
        Ok(_) => Manifest::parse(&text).map_err(|fault| match fault {
            ManifestFault::Newer(found) => RestoreError::Newer {
                path,
                what: "format",
                found: found.into(),
                known: FORMAT.into(),
            },
            ManifestFault::Older => RestoreError::Older(path),
            ManifestFault::Malformed => RestoreError::Manifest(path),
        }),
    }
}

/// Opens a copy that is sound and that no newer release wrote.
fn open_copy(copy: &Path, schema: Schema) -> Result<(Connection, i64), RestoreError> {
    let path = || copy.to_path_buf();
    if let Err(source) = File::open(copy) {
        return Err(RestoreError::Read { path: path(), source });
    }
    let damaged = |what: String| RestoreError::Damaged { path: path(), what };
    let opened = open_to_read(copy).map_err(|error| damaged(error.to_string()))?;
    let found: i64 = opened
        .query_row("SELECT row_version FROM store", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if found > ROW_VERSION {
        let (what, known) = ("row version", ROW_VERSION);
        return Err(RestoreError::Newer { path: path(), what, found, known });
    }
    let sound: String = opened
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if sound != "ok" {
        return Err(damaged(sound));
    }
    schema.check(&opened).map_err(damaged)?;
    Ok((opened, found))
}

/// Compares a file with what the manifest says of it, byte by byte.
fn verify_content(path: &Path, expected: Content) -> Result<(), RestoreError> {
    let found = Content::of(path)
        .map_err(|source| RestoreError::Read { path: path.to_path_buf(), source })?;
    let differs = |what| RestoreError::Differs { path: path.to_path_buf(), what };
    if found.bytes != expected.bytes {
        return Err(differs("size"));
    }
    if found == expected { Ok(()) } else { Err(differs("content")) }
}

/// Opens the copy and compares it with its manifest, the digest of all refusals included.
fn verify(copy: &Path, manifest: &Manifest) -> Result<Connection, RestoreError> {
    let (ledger, row_version) = open_copy(copy, Schema::Ledger)?;
    let path = || copy.to_path_buf();
    let found = Manifest::of(&ledger, manifest.files)
        .map_err(|error| RestoreError::Damaged { path: path(), what: error.to_string() })?;
    let differs = |what| RestoreError::Differs { path: path(), what };
    if row_version != manifest.row_version {
        return Err(differs("row version"));
    }
    if found.master_key != manifest.master_key {
        return Err(differs("master key"));
    }
    if found.refusals != manifest.refusals {
        return Err(differs("set of refusals"));
    }
    if found == *manifest { Ok(ledger) } else { Err(differs("last event")) }
}

/// Opens the secrets of every workspace, and compares every event with its leaf hash. What an erasure
/// destroyed leaves a hash that nobody can compute any more; the digest speaks for those.
fn verify_leaves(copy: &Path, ledger: &Connection, key: &MasterKey) -> Result<(), RestoreError> {
    let damaged = |what: String| RestoreError::Damaged { path: copy.to_path_buf(), what };
    let leaves = Leaves::of(ledger, key).map_err(|error| damaged(error.to_string()))?;
    match leaves.wrong.first() {
        None => Ok(()),
        Some(row) => Err(damaged(format!("event {row} is not what its hash says"))),
    }
}

fn read_erasures(path: &Path) -> Result<Vec<Erasure>, RestoreError> {
    File::open(path)
        .and_then(|file| erasures::read_list(BufReader::new(file)))
        .map_err(|source| RestoreError::Read { path: path.to_path_buf(), source })?
        .map_err(|(line, fault)| RestoreError::Erasures { path: path.to_path_buf(), line, fault })
}

/// How many refusals the replaced ledger holds that the copy does not.
fn refusals_lacking(copy: &Connection, replaced: &Connection) -> Result<u64, StoreError> {
    // By their ids, not by where the copy ends: either may have been restored before.
    let mut held: BTreeSet<EventId> = BTreeSet::new();
    events::for_each_after(copy, 0, |row| {
        if row.event.fact.takes_away() {
            held.insert(row.event.id);
        }
        Ok(())
    })?;
    let mut lacking = 0;
    events::for_each_after(replaced, 0, |row| {
        lacking += u64::from(row.event.fact.takes_away() && !held.contains(&row.event.id));
        Ok(())
    })?;
    Ok(lacking)
}

/// Copies a file into one that its owner alone may read, and waits for the disk. What is there now is
/// compared with the manifest once more: somebody may have changed the backup after it was verified.
fn copy_file((from, content): (&Path, Content), to: &Path) -> Result<(), RestoreError> {
    let write = |source| RestoreError::Write { path: to.to_path_buf(), source };
    let mut source = File::open(from)
        .map_err(|error| RestoreError::Read { path: from.to_path_buf(), source: error })?;
    make_private_file(to).map_err(write)?;
    let mut file = File::create(to).map_err(write)?;
    io::copy(&mut source, &mut file).and_then(|_| file.sync_all()).map_err(write)?;
    if Content::of(to).map_err(write)? == content {
        return Ok(());
    }
    Err(RestoreError::Differs { path: from.to_path_buf(), what: "content" })
}

/// Opens a copy in the target, to change it. What is destroyed is overwritten, and no journal of it reaches
/// the disk: a copy that is broken off is made again.
fn open_to_change(path: &Path) -> rusqlite::Result<Connection> {
    let opened = open_hardened(path, OpenFlags::default())?;
    opened.execute_batch(
        "PRAGMA secure_delete = ON; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = FULL;",
    )?;
    Ok(opened)
}

/// Copies what is not derivable. Messages that were under way may have gone since, so they become
/// `unknown`; what was said to people who were erased is destroyed, and what may speak of them.
fn fill_work(
    copy: (&Path, Content),
    to: &Path,
    erased: &[(WorkspaceId, AddressKey)],
) -> Result<(), RestoreError> {
    copy_file(copy, to)?;
    let replay = |source| RestoreError::Replay { path: to.to_path_buf(), source };
    let failed = |error| replay(unreadable(error));
    let mut copied = open_to_change(to).map_err(failed)?;
    // An earlier release's file has not all that is destroyed here.
    let migrated = Schema::Work.runner().run(&mut copied);
    migrated.map_err(|error| replay(StoreError::Unreadable(Box::new(error))))?;
    let copied = copied.transaction().map_err(failed)?;
    messages::give_up_restored(&copied, Environment::system().clock.now()).map_err(failed)?;
    // Which rejects speak of them is not told by their keys: none of the workspace comes back.
    let workspaces: BTreeSet<WorkspaceId> =
        erased.iter().map(|(workspace, _)| *workspace).collect();
    for workspace in workspaces {
        work::forget_rejects(&copied, workspace).map_err(failed)?;
    }
    for (workspace, key) in erased {
        messages::forget(&copied, *workspace, *key).map_err(failed)?;
        references::forget(&copied, *workspace, *key).map_err(failed)?;
        double_opt_ins::forget(&copied, *workspace, *key).map_err(failed)?;
    }
    copied.commit().map_err(failed)
}

/// Copies the ledger and takes the erasures in.
fn fill(
    copy: (&Path, Content),
    to: &Path,
    erasures: Vec<Erasure>,
) -> Result<Replayed, RestoreError> {
    copy_file(copy, to)?;
    if erasures.is_empty() {
        return Ok(Replayed::default());
    }
    let failed = |source| RestoreError::Replay { path: to.to_path_buf(), source };
    let mut ledger = open_to_change(to).map_err(unreadable).map_err(failed)?;
    erasures::replay(&mut ledger, erasures).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Copied;
    use super::*;
    use crate::Store;
    use crate::conformance::{SMS, phone, record, said, workspace};
    use crate::sqlite::{Options, SqliteStore};
    use sayso_core::words::statement::Statement;

    /// A backup in which one person refused, and the key of its store.
    async fn backup() -> (tempfile::TempDir, MasterKey) {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let opened = SqliteStore::open(&store, Options::default(), Environment::system()).unwrap();
        let workspace = workspace(&opened).await;
        let said = said(workspace, &phone(1), SMS, Statement::OptOut, 1);
        record(&opened, workspace, said).await;
        opened.backup(&folder.path().join("backup")).await.unwrap();
        let key = MasterKey::read(&store.join("master.key")).unwrap();
        (folder, key)
    }

    /// Changes the copy and writes a manifest that fits it, as who has the master key can.
    fn forge(folder: &Path, key: &MasterKey, sql: &str) {
        let backup = folder.join("backup");
        let copy = Connection::open(backup.join(LEDGER)).unwrap();
        assert_eq!(copy.execute(sql, []).unwrap(), 1, "{sql}");
        let files = Copied::of(&backup).unwrap();
        let manifest = Manifest::of(&copy, files).unwrap();
        drop(copy);
        fs::write(backup.join(MANIFEST), manifest.to_json(key)).unwrap();
    }

    fn restore(folder: &Path) -> Result<Restored, RestoreError> {
        let (from, to) = (folder.join("backup"), folder.join("restored"));
        let key = folder.join("store/master.key");
        let lines = Lines::default();
        Restore { from: &from, master_key: &key, to: &to, erasures: None, lines, replaced: None }
            .run()
    }

    #[tokio::test]
    async fn an_event_that_is_not_what_its_leaf_hash_says_is_refused_whatever_the_manifest_says() {
        for sql in [
            "UPDATE event SET address_key = zeroblob(16) /* every workspace: a test */",
            "UPDATE event SET recorded_at = recorded_at - 1 /* every workspace: a test */",
            "UPDATE event SET event_id = zeroblob(16) /* every workspace: a test */",
            "UPDATE event SET leaf_hash = zeroblob(32) /* every workspace: a test */",
        ] {
            let (folder, key) = backup().await;
            forge(folder.path(), &key, sql);
            let refused = restore(folder.path()).unwrap_err();
            assert!(matches!(&refused, RestoreError::Damaged { .. }), "{sql}: {refused}");
            assert!(!folder.path().join("restored").exists());
        }
    }

    #[tokio::test]
    async fn a_copy_of_a_newer_release_is_refused_untouched() {
        let (folder, key) = backup().await;
        forge(folder.path(), &key, "UPDATE store SET row_version = 9");
        let refused = restore(folder.path()).unwrap_err();
        assert!(matches!(refused, RestoreError::Newer { found: 9, known: 1, .. }), "{refused}");
    }
}
