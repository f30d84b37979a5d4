//! The files of a store: owned by one process, private to their owner, of no newer release, and all
//! of one store.
//!
//! Nothing is written before it is known that the directory may be this store's. What the files hold
//! stands in [`super`], and which of them must be there in [`super::presence`].

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use sayso_core::address::phone::reading_version;
use sayso_core::limits;

use super::database::{Database, Durability, make_private_file, open_hardened};
use super::lineage::StoreId;
use super::presence::{self, Presence};
use super::reserve::Reserve;
use super::schema::Schema;
use super::seal::MasterKey;
use super::start::SavedIndex;
use super::{Making, OpenError, derived, rotation};
use crate::environment::Environment;

/// The version of what this release writes into rows.
pub(super) const ROW_VERSION: i64 = 1;

/// The files of a store.
pub(super) struct Files {
    pub(super) ledger: Database,
    /// Where the views are, on a disk.
    pub(super) views_path: Option<PathBuf>,
    pub(super) work: Database,
    pub(super) master: MasterKey,
    pub(super) reserve: Reserve,
    /// Where the reserve lies, on a disk.
    pub(super) reserve_path: Option<PathBuf>,
    pub(super) index: Option<SavedIndex>,
    pub(super) lock: Option<File>,
    /// The directory of a store that this start makes.
    pub(super) made: Option<PathBuf>,
}

impl Files {
    /// Those in a directory, made at the first start; nothing was changed in it where this fails.
    pub(super) fn open(
        directory: &Path,
        making: Making,
        environment: &Environment,
    ) -> Result<Self, OpenError> {
        let at = |name: &str| directory.join(name);
        let presence = presence::look(directory)?;
        if presence != Presence::Whole {
            if making == Making::Never {
                return Err(OpenError::NoStore(directory.to_path_buf()));
            }
            make_private(directory).map_err(file_error(directory))?;
            let path = at(presence::MAKING);
            make_private_file(&path)
                .and_then(|()| sync_directory(directory))
                .map_err(file_error(&path))?;
        }
        let lock = own(directory)?;
        Reserve::give_to_start(&at("reserve"));
        let ledger = stamped(&at("events.db"), Schema::Ledger)?;
        let work = stamped(&at("work.db"), Schema::Work)?;
        if let (Some(ledger), Some(work)) = (&ledger, &work) {
            belongs(ledger, work, &at("work.db"))?;
        }
        let fingerprint = ledger.as_ref().map(noted).transpose()?.flatten();
        if presence == Presence::Whole {
            let is_lost = at(presence::WORK_LOST).exists();
            let made =
                [("events.db", fingerprint.is_some()), ("work.db", work.is_some() || is_lost)];
            if let Some((name, _)) = made.into_iter().find(|(_, is_ours)| !is_ours) {
                let what = "nothing of a store is in it".to_owned();
                return Err(OpenError::Damaged { path: at(name), what });
            }
        }
        let master = match fingerprint {
            Some(noted) => rotation::settle(directory, noted)?,
            None => MasterKey::open(&at("master.key"), environment)
                .map_err(file_error(&at("master.key")))?,
        };
        drop((ledger, work));
        let ledger = Database::open(&at("events.db"), Durability::Full)?;
        let views_path = Some(at("views.db"));
        let work = Database::open(&at("work.db"), Durability::Full)?;
        let reserve = Reserve::at_start(at("reserve"));
        let reserve_path = Some(at("reserve"));
        let index = Some(SavedIndex::at(at("gate.index")));
        let made = (presence != Presence::Whole).then(|| directory.to_path_buf());
        Ok(Self {
            ledger,
            views_path,
            work,
            master,
            reserve,
            reserve_path,
            index,
            lock: Some(lock),
            made,
        })
    }

    /// Those of a store that is gone with the process.
    pub(super) fn in_memory(environment: &Environment) -> Result<Self, OpenError> {
        Ok(Self {
            ledger: Database::in_memory()?,
            views_path: None,
            work: Database::in_memory()?,
            master: MasterKey::ephemeral(environment),
            reserve: Reserve::none(),
            reserve_path: None,
            index: None,
            lock: None,
            made: None,
        })
    }

    /// Gives the ledger and the work the schema of this release, and the ledger the marks of what it was
    /// made with; answers with its id. From then on the store is there.
    pub(super) fn bring_up_to_date(&self, environment: &Environment) -> Result<StoreId, OpenError> {
        Schema::Ledger.bring_up_to_date(&self.ledger)?;
        Schema::Work.bring_up_to_date(&self.work)?;
        note_key(&self.ledger, &self.master)?;
        note_phone_metadata(&self.ledger)?;
        let id = tie(&self.ledger, &self.work, environment)?;
        let directory = self.work.path().and_then(Path::parent);
        let left = [presence::MAKING, presence::WORK_LOST].map(|name| Some(directory?.join(name)));
        for path in left.into_iter().flatten().filter(|path| path.exists()) {
            std::fs::remove_file(&path)
                .and_then(|()| directory.map_or(Ok(()), sync_directory))
                .map_err(file_error(&path))?;
        }
        Ok(id)
    }

    /// Opens the views of the ledger, which is up to date.
    pub(super) fn open_views(
        &self,
        store: StoreId,
        environment: &Environment,
    ) -> Result<Database, OpenError> {
        let ledger = self.ledger.lock();
        derived::open_views(self.views_path.as_deref(), (&ledger, store), environment)
    }
}

/// Makes a directory that its owner alone may look into; one that is there stays as it is.
pub(super) fn make_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Brings a directory's list of files to disk: what was made, renamed or removed in it.
pub(super) fn sync_directory(directory: &Path) -> std::io::Result<()> {
    let here = directory.as_os_str().is_empty();
    File::open(if here { Path::new(".") } else { directory })?.sync_all()
}

/// An error of the file system, with the path it is about.
pub(super) fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> OpenError {
    let path = path.to_path_buf();
    move |source| OpenError::File { path, source }
}

/// Takes the lock that keeps other processes out, for as long as the file is held.
pub(super) fn own(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join("lock");
    let lock = make_private_file(&path)
        .and_then(|()| File::options().write(true).open(&path))
        .map_err(file_error(&path))?;
    lock.try_lock().map_err(|_| OpenError::Owned(directory.to_path_buf()))?;
    Ok(lock)
}

/// Opens a file that says what it is, to be looked at before anything is written to it; `None` if
/// it is to be made yet. One that is damaged is refused, that of a newer release, and one in which somebody
/// put what no release puts there.
fn stamped(path: &Path, schema: Schema) -> Result<Option<Connection>, OpenError> {
    if !path.exists() {
        return Ok(None);
    }
    let failed = || OpenError::of_file(path);
    let file = open_hardened(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed())?;
    let has_store: bool = file
        .query_row("SELECT count(*) FROM sqlite_master WHERE name = 'store'", [], |row| row.get(0))
        .map_err(failed())?;
    if !has_store {
        return Ok(None);
    }
    let found: i64 = file
        .query_row("SELECT coalesce(max(row_version), 0) FROM store", [], |row| row.get(0))
        .map_err(failed())?;
    if found > ROW_VERSION {
        return Err(OpenError::Newer { path: path.to_path_buf(), found, known: ROW_VERSION });
    }
    check_pages(&file, path)?;
    schema.check(&file).map_err(|what| OpenError::Schema { path: path.to_path_buf(), what })?;
    Ok(Some(file))
}

/// Looks at every page of a file that is small enough; in a larger one a damaged page is met when it
/// is read, and is an error then, never an answer.
fn check_pages(file: &Connection, path: &Path) -> Result<(), OpenError> {
    let length = std::fs::metadata(path).map_err(file_error(path))?.len();
    if usize::try_from(length).is_ok_and(|bytes| bytes <= limits::START_CHECK_BYTES_MAX) {
        let word: String = file
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(OpenError::of_file(path))?;
        if word != "ok" {
            return Err(OpenError::Damaged { path: path.to_path_buf(), what: word });
        }
    }
    Ok(())
}

/// Refuses a `work.db` that is tied to another ledger.
fn belongs(ledger: &Connection, work: &Connection, path: &Path) -> Result<(), OpenError> {
    match (store_id(ledger)?, store_id(work)?) {
        (Some(ledger), Some(work)) if ledger != work => Err(OpenError::Foreign(path.to_path_buf())),
        _ => Ok(()),
    }
}

/// The id of the store that a file says it belongs to, if it says so.
fn store_id(file: &Connection) -> rusqlite::Result<Option<[u8; 16]>> {
    let says: bool = file.query_row(
        "SELECT count(*) FROM pragma_table_info('store') WHERE name = 'store_id'",
        [],
        |row| row.get(0),
    )?;
    if !says {
        return Ok(None);
    }
    let id = file.query_row("SELECT store_id FROM store", [], |row| row.get(0)).optional()?;
    Ok(id.flatten())
}

/// Gives the store an id at its first start with this release, and notes it in `work.db` too.
fn tie(
    ledger: &Database,
    work: &Database,
    environment: &Environment,
) -> Result<StoreId, OpenError> {
    let (ledger, work) = (ledger.lock(), work.lock());
    if store_id(&ledger)?.is_none() {
        let id: StoreId = environment.random();
        ledger.execute("UPDATE store SET store_id = ?1", [id])?;
    }
    let id = ledger.query_row("SELECT store_id FROM store", [], |row| row.get(0))?;
    if store_id(&work)? != Some(id) {
        work.execute("UPDATE store SET store_id = ?1", [id])?;
    }
    Ok(id)
}

/// The fingerprint of the master key that the ledger in a file was made with, unless it is to be made
/// yet.
pub(super) fn noted_key(path: &Path) -> Result<Option<[u8; 8]>, OpenError> {
    Ok(stamped(path, Schema::Ledger)?.as_ref().map(noted).transpose()?.flatten())
}

fn noted(ledger: &Connection) -> rusqlite::Result<Option<[u8; 8]>> {
    ledger.query_row("SELECT key_fingerprint FROM store", [], |row| row.get(0)).optional()
}

/// Notes the master key's fingerprint at the first start, and compares it ever after.
fn note_key(ledger: &Database, master: &MasterKey) -> Result<(), OpenError> {
    let ledger = ledger.lock();
    let fingerprint = master.fingerprint();
    ledger.execute(
        "INSERT OR IGNORE INTO store (only_row, row_version, key_fingerprint, phone_metadata)
         VALUES (1, ?1, ?2, ?3)",
        rusqlite::params![ROW_VERSION, fingerprint, reading_version()],
    )?;
    let noted: [u8; 8] =
        ledger.query_row("SELECT key_fingerprint FROM store", [], |row| row.get(0))?;
    if noted == fingerprint {
        Ok(())
    } else {
        Err(OpenError::WrongKey(PathBuf::from("master.key")))
    }
}

/// Says so when this release reads numbers by other metadata, or other old forms, than the one
/// before. A key follows from the digits of E.164, so none moves; which numbers are valid, and what a
/// spelling means, may have changed. What is stored under an old form is asked for wherever its number
/// is, so that no refusal is lost by that.
fn note_phone_metadata(ledger: &Database) -> Result<(), OpenError> {
    let ledger = ledger.lock();
    let before: String =
        ledger.query_row("SELECT phone_metadata FROM store", [], |row| row.get(0))?;
    let now = reading_version();
    if before != now {
        tracing::warn!(before, now, "phone numbers are read by other metadata");
        ledger.execute("UPDATE store SET phone_metadata = ?1", [now])?;
    }
    Ok(())
}
