//! The one row that the views keep about themselves: up to where they go, which ledger they were made
//! from, and which write-ahead log wrote that.

use rusqlite::{Connection, params};

use super::lineage::Lineage;
use super::unreadable;
use crate::environment::Environment;
use crate::store::StoreError;

/// The last row of the ledger that the views hold.
pub(super) fn row(views: &Connection) -> Result<i64, StoreError> {
    views.query_row("SELECT row FROM watermark", [], |row| row.get(0)).map_err(unreadable)
}

/// What an error of the file as a whole names.
pub(super) const TABLE: &str = "views";

/// What the views say of the ledger that they were made from; `None` where an earlier release made them.
pub(super) fn lineage(views: &Connection) -> Result<Option<Lineage>, StoreError> {
    let damaged = || StoreError::Corrupt { table: TABLE, id: "watermark".to_owned() };
    let (row, lineage): (i64, Option<Vec<u8>>) = views
        .query_row("SELECT row, lineage FROM watermark", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(unreadable)?;
    lineage
        .map(|lineage| {
            let lineage = Lineage::from_bytes(&lineage);
            lineage.filter(|lineage| lineage.row() == row).ok_or_else(damaged)
        })
        .transpose()
}

/// Notes what empty views are made from.
pub(super) fn begin(
    views: &Connection,
    lineage: &Lineage,
    environment: &Environment,
) -> rusqlite::Result<()> {
    let generation: [u8; 8] = environment.random();
    views
        .execute(
            "UPDATE watermark SET lineage = ?1, generation = ?2, generation_before = ?2",
            params![lineage.to_bytes(), generation],
        )
        .map(|_| ())
}

/// Which write-ahead log wrote the watermark.
#[derive(Debug)]
pub(super) struct Generation {
    /// The log's own mark.
    pub(super) own: Vec<u8>,
    /// That of the log before it.
    pub(super) before: Vec<u8>,
}

/// The log that wrote the watermark.
pub(super) fn generation(views: &Connection) -> rusqlite::Result<Generation> {
    views.query_row("SELECT generation, generation_before FROM watermark", [], |row| {
        Ok(Generation { own: row.get(0)?, before: row.get(1)? })
    })
}

/// Moves the write-ahead log into the file; whether all of it is there, so that the next write begins
/// another log.
pub(super) fn checkpoint(views: &Connection) -> rusqlite::Result<bool> {
    views.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        let (log, moved): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(log == moved)
    })
}

/// Reads the whole file: whether its pages are what the engine wrote.
pub(super) fn check(views: &Connection) -> Result<(), StoreError> {
    let found: String =
        views.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(unreadable)?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Corrupt { table: TABLE, id: found }) }
}

/// What a flush notes besides the frame.
pub(super) struct Written {
    /// The lineage of the views with the frame.
    pub(super) lineage: Lineage,
    /// The mark of the write-ahead log, where this begins one.
    pub(super) generation: Option<[u8; 8]>,
}

/// Notes what a flush wrote, in its transaction.
pub(super) fn note(views: &Connection, written: &Written) -> rusqlite::Result<()> {
    let Written { lineage, generation } = written;
    views.execute(
        "UPDATE watermark SET row = ?1, lineage = ?2",
        params![lineage.row(), lineage.to_bytes()],
    )?;
    if let Some(generation) = generation {
        views.execute(
            "UPDATE watermark SET generation_before = generation, generation = ?1",
            params![generation],
        )?;
    }
    Ok(())
}
