//! The rows of a list, however it is written.

use super::columns::Mapping;
use super::statements::Statement;
use super::table::{List, Record, Row, Table};
use super::users::Users;
use crate::exit::Failure;
use crate::options::{Import, ListFormat};
use crate::printer::Printer;

/// A row with the statements it makes, or why it makes none.
pub(super) type Said = (Record, Result<Vec<Statement>, String>);

/// A list as rows, each with the statements it makes or why it makes none.
pub(super) enum Rows {
    /// A table, and which column says what.
    Table(Box<Table>, Mapping),
    /// Users of Gupshup's.
    Users(Box<Users>),
}

impl Rows {
    /// Opens the list as the options say; names the columns that are not used.
    pub(super) fn open(list: List, options: &Import, printer: Printer) -> Result<Self, Failure> {
        match options.format {
            ListFormat::GupshupUsers => Ok(Self::Users(Box::new(Users::open(list)?))),
            ListFormat::Csv => {
                let table = Table::open(list, options.kind)?;
                let mapping = Mapping::of(table.headers(), &options.columns, options.kind);
                let mapping = mapping.map_err(Failure::Input)?;
                let unused = mapping.unused();
                if !unused.is_empty() {
                    printer.say(&format!("Columns not used: {}", unused.join(", ")));
                }
                Ok(Self::Table(Box::new(table), mapping))
            }
        }
    }

    /// The names of the columns, for the file of bad rows.
    pub(super) fn headers(&self) -> Vec<String> {
        match self {
            Self::Table(table, _) => table.headers().to_vec(),
            Self::Users(_) => vec!["user".to_owned()],
        }
    }

    /// The length of the list.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Table(table, _) => table.bytes(),
            Self::Users(users) => users.bytes(),
        }
    }

    /// How much of it was read.
    pub(super) fn position(&self) -> u64 {
        match self {
            Self::Table(table, _) => table.position(),
            Self::Users(users) => users.position(),
        }
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Said>, Failure> {
        match self {
            Self::Users(users) => users.next(),
            Self::Table(table, mapping) => Ok(table.next()?.map(|row| match row {
                Row::Cells(record) => {
                    let statements = mapping.statements(&record);
                    (record, statements)
                }
                Row::Unreadable(record, reason) => (record, Err(reason.to_owned())),
            })),
        }
    }
}
