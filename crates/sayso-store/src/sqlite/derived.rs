//! The views' file: opened where it is whole and of this ledger, and begun anew where it is not.
//!
//! What is derived is never a reason not to start. A file that is damaged, of another store, of an
//! earlier release, or ahead of the ledger is removed with a warning, and rebuilt by the replay. What
//! is damaged further inside is met when it is read: the reader gets an error, never an answer, and a
//! mark is left by which the next start begins the file anew.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::database::{Database, Durability, beside, make_private_file, open_hardened};
use super::lineage::{Fit, Lineage, StoreId};
use super::schema::Schema;
use super::{OpenError, Shared, unwritable, watermark, write_lock};
use crate::environment::Environment;
use crate::store::StoreError;

/// A file, what SQLite puts beside it, and at last the mark of damage.
const PARTS: [&str; 4] = ["", "-wal", "-shm", DAMAGED];

/// Ends the name of the mark that the views were found to be damaged.
const DAMAGED: &str = "-damaged";

/// Why views are not used.
enum Unusable {
    /// They are of another ledger.
    Misfit(Fit),
    /// They are no database, or none that this release can read.
    Damaged(String),
    /// Nobody knows: the ledger cannot be read.
    Ledger(StoreError),
    /// Nobody knows: there is no room for it to be opened, or no permission. It stays.
    Unopened(Box<OpenError>),
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        if says_damage(&error) {
            Self::Damaged(error.to_string())
        } else {
            Self::Unopened(Box::new(error.into()))
        }
    }
}

impl From<refinery::Error> for Unusable {
    fn from(error: refinery::Error) -> Self {
        let source = std::error::Error::source(&error);
        let engine = source.and_then(|source| source.downcast_ref::<rusqlite::Error>());
        if engine.is_none_or(says_damage) {
            Self::Damaged(error.to_string())
        } else {
            Self::Unopened(Box::new(error.into()))
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else keeps it from opening is no damage"
)]
impl From<OpenError> for Unusable {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Damaged { what, .. } => Self::Damaged(what),
            other => Self::Unopened(Box::new(other)),
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else is wrong with its rows is damage"
)]
impl From<StoreError> for Unusable {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unreadable(source) => match source.downcast::<rusqlite::Error>() {
                Ok(error) => (*error).into(),
                Err(source) => Self::Damaged(source.to_string()),
            },
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// Opens the views of a ledger.
pub(super) fn open_views(
    path: Option<&Path>,
    (ledger, store): (&Connection, StoreId),
    environment: &Environment,
) -> Result<Database, OpenError> {
    let Some(path) = path else {
        let views = Database::in_memory()?;
        begin(&views, store, environment)?;
        return Ok(views);
    };
    if path.exists() {
        match open_known(path, (ledger, store)) {
            Ok(views) => return Ok(views),
            Err(Unusable::Misfit(fit)) => fit.warn("views.db"),
            Err(Unusable::Ledger(error)) => return Err(error.into()),
            Err(Unusable::Unopened(error)) => return Err(*error),
            Err(Unusable::Damaged(reason)) => {
                tracing::warn!(reason, "views.db cannot be used: it is rebuilt from events.db");
            }
        }
    }
    remove(path)?;
    let views = Database::open(path, Durability::Derived)?;
    begin(&views, store, environment)?;
    Ok(views)
}

/// Opens views that are there, if they are of this ledger.
fn open_known(path: &Path, (ledger, store): (&Connection, StoreId)) -> Result<Database, Unusable> {
    if beside(path, DAMAGED).exists() {
        return Err(Unusable::Damaged("the last process met damage in it".to_owned()));
    }
    if !is_of_one_piece(path)? {
        let reason = "the write-ahead log beside it does not continue it";
        return Err(Unusable::Damaged(reason.to_owned()));
    }
    let database = Database::open(path, Durability::Derived)?;
    Schema::Views.check(&database.lock()).map_err(Unusable::Damaged)?;
    migrate(&database)?;
    let lineage = {
        let views = database.lock();
        if let Err(error) = watermark::checkpoint(&views) {
            // The log stays as long as it was.
            tracing::debug!(error = %error, "the views' log could not be moved into their file");
        }
        watermark::lineage(&views)?
    };
    let Some(lineage) = lineage else {
        let reason = "an earlier release wrote it";
        return Err(Unusable::Damaged(reason.to_owned()));
    };
    match lineage.fit(ledger, store).map_err(Unusable::Ledger)? {
        Fit::Fits => Ok(database),
        misfit @ (Fit::OtherStore | Fit::Lost(_) | Fit::Parted) => Err(Unusable::Misfit(misfit)),
    }
}

fn migrate(views: &Database) -> Result<(), refinery::Error> {
    Schema::Views.runner().run(&mut *views.lock()).map(|_| ())
}

/// Makes empty views of a store.
fn begin(views: &Database, store: StoreId, environment: &Environment) -> Result<(), OpenError> {
    migrate(views)?;
    let views = views.lock();
    watermark::begin(&views, &Lineage::beginning(store), environment)?;
    // The file has its schema without the log from here on.
    watermark::checkpoint(&views)?;
    Ok(())
}

/// Whether the write-ahead log beside the file continues it: a log that was left behind, or a file that
/// was put back, would be read as a mixture of two states.
fn is_of_one_piece(path: &Path) -> rusqlite::Result<bool> {
    let log = std::fs::metadata(beside(path, "-wal"));
    if log.map_or(0, |log| log.len()) == 0 {
        return Ok(true);
    }
    let Some(text) = path.to_str() else { return Ok(false) };
    let text = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let alone = open_hardened(
        Path::new(&format!("file:{text}?immutable=1")),
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
    )?;
    let alone = watermark::generation(&alone)?;
    let with_log = watermark::generation(&open_hardened(path, OpenFlags::default())?)?;
    Ok(with_log.own == alone.own || with_log.before == alone.own)
}

/// Removes the file and what SQLite put beside it.
fn remove(path: &Path) -> Result<(), OpenError> {
    for suffix in PARTS {
        let path = beside(path, suffix);
        if let Err(source) = std::fs::remove_file(&path)
            && source.kind() != std::io::ErrorKind::NotFound
        {
            return Err(OpenError::File { path, source });
        }
    }
    Ok(())
}

/// Whether an error says that what is derived is damaged.
fn is_damage(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt { table: "address" | "profile" | watermark::TABLE, .. })
}

/// What an error of the engine means where the views are written.
pub(super) fn unwritten(error: &rusqlite::Error) -> StoreError {
    if is_engine_damage(error) {
        StoreError::Corrupt { table: watermark::TABLE, id: error.to_string() }
    } else {
        unwritable(error)
    }
}

/// Whether the engine says that a file is not what it wrote, or that the disk does not give it back.
fn is_engine_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    use rusqlite::ffi::{SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ};
    let Some(failure) = error.sqlite_error() else { return false };
    let is_unread = [SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ];
    matches!(failure.code, DatabaseCorrupt | NotADatabase)
        || is_unread.contains(&failure.extended_code)
}

/// Whether an error at opening says that the file is damaged, or is of another schema or of other types,
/// rather than that there is no room for it or no permission.
fn says_damage(error: &rusqlite::Error) -> bool {
    let is_unknown = |failure: &rusqlite::ffi::Error| {
        failure.extended_code & 0xff == rusqlite::ffi::SQLITE_ERROR
    };
    is_engine_damage(error) || error.sqlite_error().is_none_or(is_unknown)
}

impl Shared {
    /// Reads the views. What is damaged in them is an error, and noted.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "one kind of error is damage of the engine's"
    )]
    pub(super) fn read_views<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.views.read(read).map_err(|error| {
            let damage = match &error {
                StoreError::Unreadable(source) => source
                    .downcast_ref::<rusqlite::Error>()
                    .is_some_and(is_engine_damage)
                    .then(|| source.to_string()),
                _ => None,
            };
            let corrupt = |id| StoreError::Corrupt { table: watermark::TABLE, id };
            let error = damage.map_or(error, corrupt);
            self.note_damage(&error);
            error
        })
    }

    /// Notes that the views are damaged, if the error says so. Whoever asks about what is damaged gets
    /// an error until the next start, which begins them anew; and so it does with the index, whose
    /// states may be of before.
    pub(super) fn note_damage(&self, error: &StoreError) {
        if !is_damage(error) || self.damage.swap(true, std::sync::atomic::Ordering::SeqCst) {
            return;
        }
        tracing::error!(
            error = %error,
            "views.db is damaged: what it cannot tell is answered with an error; restart, and it is rebuilt from events.db"
        );
        let marked =
            self.views.path().map_or(Ok(()), |path| make_private_file(&beside(path, DAMAGED)));
        if let Err(error) = marked
            .map_err(|error| StoreError::Unwritable(error.to_string()))
            .and(self.forget_index())
        {
            tracing::error!(error = %error, "the damage could not be marked: delete views.db and gate.index before the next start");
        }
    }

    /// Whether the views were found to be damaged.
    pub(super) fn is_damaged(&self) -> bool {
        self.damage.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Begins everything anew that is derived, during a start that met damage in it.
    pub(super) fn begin_derived_anew(&self, met: StoreError) -> Result<(), OpenError> {
        let Some(path) = self.views.path().filter(|_| is_damage(&met)) else {
            return Err(met.into());
        };
        tracing::warn!(reason = %met, "views.db is damaged: it is rebuilt from events.db");
        self.forget_index()?;
        write_lock(&self.gates).clear();
        self.tail.clear();
        self.views.close()?;
        remove(path)?;
        self.views.reopen(Durability::Derived)?;
        begin(&self.views, self.store_id, &self.environment)?;
        self.flusher.note_log(false);
        self.damage.store(false, std::sync::atomic::Ordering::SeqCst);
        Ok(())
    }
}
