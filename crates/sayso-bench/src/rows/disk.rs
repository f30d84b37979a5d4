//! Bytes on disk of an event with 200 bytes of evidence, views counted, beside PostgreSQL with the
//! same columns and the same sealed bytes.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rusqlite::Row;

use crate::data::open_file;
use crate::machine::file_bytes;
use crate::measure::{Goal, Samples, float};
use crate::postgres::{self, Postgres, Session};
use crate::report::{Line, Outcome};
use crate::rig::Rig;

/// Events copied into PostgreSQL at most: their size does not depend on how many there are.
const EVENTS_MAX: u64 = 1_000_000;
/// Rows read at a time.
const PAGE: u64 = 20_000;

const TABLES: &str = "
    CREATE TABLE kept_event (
        row bigint PRIMARY KEY, workspace bigint NOT NULL, address_key bytea NOT NULL,
        event_id bytea NOT NULL, recorded_at bigint NOT NULL, request_hash bytea NOT NULL,
        leaf_hash bytea NOT NULL, facts bytea NOT NULL, sealed bytea);
    CREATE UNIQUE INDEX ON kept_event (workspace, address_key, event_id);
    CREATE TABLE kept_address (
        workspace bigint NOT NULL, address_key bytea NOT NULL, registers bytea NOT NULL,
        sealed bytea, PRIMARY KEY (workspace, address_key))";

/// A table of ours, read in pages by its rows' order.
struct Table {
    file: &'static str,
    query: &'static str,
    copy: &'static str,
    line: fn(&Row<'_>) -> rusqlite::Result<String>,
}

const EVENTS: Table = Table {
    file: "events.db",
    query: "SELECT row, workspace, address_key, event_id, recorded_at, request_hash, leaf_hash, facts, sealed
            FROM event WHERE row > ?1 ORDER BY row LIMIT ?2",
    copy: "COPY kept_event FROM STDIN",
    line: |row| {
        let numbers: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(4)?];
        let [number, workspace, recorded_at] = numbers;
        let (key, id) = (cell(row, 2)?, cell(row, 3)?);
        let rest = [cell(row, 5)?, cell(row, 6)?, cell(row, 7)?, cell(row, 8)?].join("\t");
        Ok(format!("{number}\t{workspace}\t{key}\t{id}\t{recorded_at}\t{rest}"))
    },
};

const ADDRESSES: Table = Table {
    file: "views.db",
    query: "SELECT workspace, address_key, registers, sealed FROM address ORDER BY workspace, address_key LIMIT ?2 OFFSET ?1",
    copy: "COPY kept_address FROM STDIN",
    line: |row| {
        let workspace: i64 = row.get(0)?;
        Ok(format!("{workspace}\t{}\t{}\t{}", cell(row, 1)?, cell(row, 2)?, cell(row, 3)?))
    },
};

/// Bytes in the form that COPY reads.
fn cell(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    Ok(bytes.map_or_else(
        || "\\N".to_owned(),
        |bytes| {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("\\\\x{}", digits.concat())
        },
    ))
}

impl Table {
    /// Copies the first rows; gives how many there were.
    async fn copy(&self, directory: &Path, session: &Session, rows_max: u64) -> Result<u64> {
        let file = open_file(&directory.join(self.file))?;
        let mut copied = 0;
        while copied < rows_max {
            let mut statement = file.prepare_cached(self.query)?;
            let (after, items) =
                (i64::try_from(copied)?, i64::try_from(PAGE.min(rows_max - copied))?);
            let page = statement.query_map([after, items], self.line)?;
            let lines: Vec<String> = page.collect::<rusqlite::Result<_>>()?;
            let added = session.copy(self.copy, lines.into_iter().map(Ok)).await?;
            if added == 0 {
                break;
            }
            copied += added;
        }
        Ok(copied)
    }
}

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let loaded = rig.loaded().await?;
    // A closed store has no write-ahead log that is still to be moved into its file.
    rig.stop_server().await?;
    let directory = &loaded.data.directory;
    let bytes = file_bytes(directory, &["events.db", "views.db"])?;
    let ours = float(bytes) / float(loaded.events);
    let mut outcome = Outcome::default();
    match rig.postgres().await? {
        None => outcome.left_out.push(postgres::ABSENT.to_owned()),
        Some(rival) => {
            let (theirs, events) = size_in(rival, directory, loaded.events).await?;
            outcome.lines.push(Line {
                job: "event with 200 bytes of evidence, views counted".to_owned(),
                unit: "bytes an event",
                ours: Samples::once(ours),
                rival: "PostgreSQL, the same columns and sealed bytes".to_owned(),
                theirs: Samples::once(theirs),
                goal: Goal::AtMost(0.7),
            });
            outcome.notes.push(format!(
                "of {} events here, {events} were copied into PostgreSQL with the addresses in proportion; measured once",
                loaded.events
            ));
        }
    }
    let [ledger, logs] = [&["events.db"][..], &["events.db-wal", "views.db-wal"]]
        .map(|names| file_bytes(directory, names));
    let an_event = |bytes: u64| float(bytes) / float(loaded.events);
    outcome.notes.push(format!(
        "the ledger alone takes {:.0} bytes an event; write-ahead logs that a clean stop left are counted here, {:.0} bytes an event, and not in PostgreSQL",
        an_event(ledger?),
        an_event(logs?)
    ));
    Ok(outcome)
}

/// Bytes an event takes in PostgreSQL, and how many events that was measured on.
async fn size_in(postgres: &Postgres, directory: &Path, events: u64) -> Result<(f64, u64)> {
    let session = postgres.session(1).await?;
    session.client()?.batch_execute(TABLES).await?;
    let copied = EVENTS.copy(directory, &session, events.min(EVENTS_MAX)).await?;
    ensure!(copied > 0, "the ledger is empty");
    let addresses: i64 = open_file(&directory.join("views.db"))?
        .query_row("SELECT count(*) FROM address", [], |row| row.get(0))
        .context("the addresses")?;
    let share = u64::try_from(addresses)? * copied / events.max(1);
    ADDRESSES.copy(directory, &session, share).await?;
    let bytes = session
        .number(
            "SELECT pg_total_relation_size('kept_event') + pg_total_relation_size('kept_address')",
        )
        .await?;
    Ok((float(bytes) / float(copied), copied))
}
