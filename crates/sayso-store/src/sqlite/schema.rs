//! The schema that a file of a store has: that of its migrations, to the letter.
//!
//! Whoever may write to a file could put a trigger into it that makes refusals vanish, or a view in the
//! place of a table. So what a file holds is compared with what the same migrations make in memory, before
//! the first statement that writes to it. Connections run no trigger and read no view besides: see
//! [`super::database`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use refinery::{Runner, Target};
use rusqlite::{Connection, OptionalExtension};

use super::OpenError;
use super::database::Database;

mod ledger {
    refinery::embed_migrations!("migrations/sqlite/events");
}

mod work {
    refinery::embed_migrations!("migrations/sqlite/work");
}

mod views {
    refinery::embed_migrations!("migrations/sqlite/views");
}

/// Whose schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Schema {
    /// `events.db`.
    Ledger,
    /// `work.db`.
    Work,
    /// `views.db`.
    Views,
}

/// What a schema holds: by kind and name, the table it is of and its text.
type Parts = BTreeMap<(String, String), (String, Option<String>)>;

/// The schemas that were made in memory to compare with, by version.
static MADE: Mutex<BTreeMap<(Schema, i32), Arc<Parts>>> = Mutex::new(BTreeMap::new());

impl Schema {
    /// What makes it.
    pub(super) fn runner(self) -> Runner {
        match self {
            Self::Ledger => ledger::migrations::runner(),
            Self::Work => work::migrations::runner(),
            Self::Views => views::migrations::runner(),
        }
    }

    /// Gives a database the schema of this release. What it had before was [checked](Self::check).
    pub(super) fn bring_up_to_date(self, database: &Database) -> Result<(), OpenError> {
        let mut connection = database.lock();
        self.runner().run(&mut *connection)?;
        // A file without a schema of before was not checked.
        self.check(&connection).map_err(|what| OpenError::Schema {
            path: database.path().map(std::path::Path::to_path_buf).unwrap_or_default(),
            what,
        })
    }

    /// Compares what a file holds with what the migrations make that it says it has had; says what differs.
    /// That of a newer release is left to the migrations, which refuse it.
    pub(super) fn check(self, file: &Connection) -> Result<(), String> {
        let unread = |error: rusqlite::Error| error.to_string();
        let found = parts(file).map_err(unread)?;
        let version = version(file).map_err(unread)?;
        let newest = self.runner().get_migrations().iter().map(refinery::Migration::version).max();
        if version > newest {
            return Ok(());
        }
        let expected = version.map_or(Ok(Arc::default()), |version| self.made(version))?;
        match difference(&found, &expected) {
            None => Ok(()),
            Some(what) => Err(what),
        }
    }

    /// What the migrations up to a version make.
    fn made(self, version: i32) -> Result<Arc<Parts>, String> {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(&(self, version)) {
            return Ok(Arc::clone(known));
        }
        let make = || -> Result<Parts, Box<dyn std::error::Error>> {
            let mut memory = Connection::open_in_memory()?;
            self.runner().set_target(Target::Version(version)).run(&mut memory)?;
            Ok(parts(&memory)?)
        };
        let parts = Arc::new(make().map_err(|error| error.to_string())?);
        made.insert((self, version), Arc::clone(&parts));
        Ok(parts)
    }
}

/// The last migration that a file has had.
fn version(file: &Connection) -> rusqlite::Result<Option<i32>> {
    let has_history: bool = file.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'refinery_schema_history'",
        [],
        |row| row.get(0),
    )?;
    if !has_history {
        return Ok(None);
    }
    let last: Option<Option<i32>> = file
        .query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))
        .optional()?;
    Ok(last.flatten())
}

fn parts(file: &Connection) -> rusqlite::Result<Parts> {
    file.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?))))?
        .collect()
}

/// The first difference, in words.
fn difference(found: &Parts, expected: &Parts) -> Option<String> {
    let named = |(kind, name): &(String, String), word: &str| {
        // A name may be anything: it is shown as text between quotes, and no longer than a line.
        let short: String = name.chars().take(60).collect();
        format!("the {kind} {short:?} {word}")
    };
    let strange = found.keys().find(|part| !expected.contains_key(part));
    let missing = expected.keys().find(|part| !found.contains_key(*part));
    let changed = expected.iter().find(|(part, is)| found.get(*part).is_some_and(|was| was != *is));
    strange
        .map(|part| named(part, "is in it, which Sayso did not make"))
        .or_else(|| missing.map(|part| named(part, "is missing")))
        .or_else(|| changed.map(|(part, _)| named(part, "is not the one that Sayso made")))
}
