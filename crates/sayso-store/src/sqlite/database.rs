//! One database: the connection that writes it, and those that read it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::files::file_error;
use super::{OpenError, unreadable};
use crate::store::StoreError;

/// How hard a database works for durability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// A commit is on disk: `synchronous=FULL`.
    Full,
    /// The file may be rebuilt: `synchronous=NORMAL`.
    Derived,
}

/// A database in a file, or in memory for tests.
#[derive(Debug)]
pub(super) struct Database {
    path: Option<PathBuf>,
    /// Dropped before `main`: the connection that closes last moves the log into the file, and a
    /// reader cannot.
    idle: Mutex<Vec<Connection>>,
    main: Mutex<Connection>,
}

/// Read connections kept open between reads.
const IDLE_READERS_MAX: usize = 16;
/// Pages of the write-ahead log before SQLite moves them into the file: 16 MiB.
const CHECKPOINT_PAGES: u32 = 4_096;
/// Memory for pages of the connection that writes, in KiB.
const CACHE_KIB: i32 = 16_384;
/// Memory for pages of each connection that reads, in KiB: the system's cache is behind it.
const READER_CACHE_KIB: i32 = 1_024;
/// How long a statement waits for another process's lock: there is none, but for a backup's first moment.
const BUSY: Duration = Duration::from_secs(5);
/// Prepared statements kept by each connection.
const STATEMENTS: usize = 64;

impl Database {
    /// Opens or makes the file.
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Self, OpenError> {
        let main = open_main(path, durability)?;
        Ok(Self { path: Some(path.to_path_buf()), main: Mutex::new(main), idle: Mutex::default() })
    }

    /// A database that is gone with the process.
    pub(super) fn in_memory() -> rusqlite::Result<Self> {
        let main = Connection::open_in_memory()?;
        harden(&main)?;
        set_up(&main, Durability::Derived)?;
        Ok(Self { path: None, main: Mutex::new(main), idle: Mutex::default() })
    }

    /// Closes every connection, so that the file may be removed.
    pub(super) fn close(&self) -> rusqlite::Result<()> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.lock() = Connection::open_in_memory()?;
        Ok(())
    }

    /// Opens or makes the file again after it was closed.
    pub(super) fn reopen(&self, durability: Durability) -> Result<(), OpenError> {
        if let Some(path) = &self.path {
            *self.lock() = open_main(path, durability)?;
        }
        Ok(())
    }

    /// Moves the write-ahead log into the file and cuts it off, so that what was deleted is in neither; false
    /// where somebody reads what it would lose.
    pub(super) fn empty_log(&self) -> rusqlite::Result<bool> {
        let Some(path) = self.path.as_deref().filter(|path| log_bytes(path) > 0) else {
            return Ok(true);
        };
        // Most of the work, while others write.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        open_hardened(path, flags)?.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        // Whoever writes waits for the rest, so nobody is waited for here.
        let main = self.lock();
        main.busy_timeout(Duration::ZERO)?;
        let is_busy = main.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        main.busy_timeout(BUSY)?;
        is_busy.map(|is_busy: bool| !is_busy)
    }

    /// The length of the write-ahead log.
    pub(super) fn log_bytes(&self) -> u64 {
        self.path.as_deref().map_or(0, log_bytes)
    }

    /// The file; absent in memory.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The connection that writes.
    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.main.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads on a connection of this moment's own: it sees what is committed and waits for nobody.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(path) = &self.path else {
            return read(&self.lock());
        };
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match idle().pop() {
            Some(connection) => connection,
            None => open_reader(path).map_err(unreadable)?,
        };
        let result = read(&connection);
        let mut idle = idle();
        if idle.len() < IDLE_READERS_MAX {
            idle.push(connection);
        }
        result
    }
}

fn open_main(path: &Path, durability: Durability) -> Result<Connection, OpenError> {
    // What SQLite puts beside the file has the file's permissions.
    make_private_file(path).map_err(file_error(path))?;
    let main = open_hardened(path, OpenFlags::default()).map_err(OpenError::of_file(path))?;
    set_up(&main, durability).map_err(OpenError::of_file(path))?;
    Ok(main)
}

/// Opens a file that is there, in which nothing runs but our own statements: no trigger and no view that
/// somebody put into it, and no function named by its schema.
pub(super) fn open_hardened(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    harden(&connection)?;
    Ok(connection)
}

/// The same, for a connection that writes nothing.
pub(super) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    open_hardened(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

fn harden(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, is_on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
    ] {
        connection.set_db_config(setting, is_on)?;
    }
    Ok(())
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open_to_read(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn set_up(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(
        None,
        "synchronous",
        match durability {
            Durability::Full => "FULL",
            Durability::Derived => "NORMAL",
        },
    )?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(
        None,
        "wal_autocheckpoint",
        match durability {
            Durability::Full => CHECKPOINT_PAGES,
            // The flusher does it, since each log has a generation of its own.
            Durability::Derived => 0,
        },
    )?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// The length of the write-ahead log beside a file.
fn log_bytes(path: &Path) -> u64 {
    std::fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len())
}

/// A file beside another, by what its name ends with besides.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Makes an empty file that its owner alone may read and write; one that is there stays.
pub(super) fn make_private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).open(path).map(|_| ())
}
