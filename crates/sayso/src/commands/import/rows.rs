//! The rows of a list, however it is written.

use std::collections::VecDeque;

use sayso_core::gate::zone::Zone;
use sayso_core::time::list::{DateOrder, ListTimes};

use super::columns::{Mapping, Told};
use super::headers::words::is_a_time;
use super::headers::{Field, plain, seems_to_refuse};
use super::lines::Record;
use super::list::List;
use super::rejects::Head;
use super::statements::Said;
use super::table::Table;
use crate::exit::Failure;
use crate::options::{Import, ListFormat};

use users::Users;

mod users;

/// A row with what it says.
#[derive(Debug)]
pub(super) struct Row {
    /// The row.
    pub(super) record: Record,
    /// What it says.
    pub(super) said: Said,
}

/// A list as rows, each with what it says.
pub(super) struct Rows {
    source: Source,
    /// Rows that were read ahead.
    ahead: VecDeque<Row>,
}

enum Source {
    /// A table, and which column says what.
    Table(Box<Table>, Box<Mapping>),
    /// Users of Gupshup's.
    Users(Box<Users>),
}

impl Rows {
    /// Opens the list as the options say; says what is not read of it.
    pub(super) fn open(
        list: List,
        options: &Import,
        say: &mut dyn FnMut(&str),
    ) -> Result<Self, Failure> {
        let source = match options.format {
            ListFormat::GupshupUsers => Source::Users(Box::new(Users::open(list)?)),
            ListFormat::Csv => {
                let told = told(options)?;
                let (encoding, sheet) = (options.encoding.as_deref(), options.sheet.as_deref());
                let text = list.into_text(encoding, sheet, say)?;
                let table = Table::open(text, &|cell| names_address(cell, &told))?;
                if table.layout().is_header_guessed() {
                    say(
                        "The names of the columns are no UTF-8 and were read as Windows-1252: if their letters look \
                         wrong, say how the file is written, as in --encoding windows-1250 or --encoding shift_jis",
                    );
                }
                let mapping = Mapping::of(table.headers(), table.seen(), &told);
                let mapping = mapping.map_err(Failure::Input)?;
                if table.layout().header.is_some() && table.layout().line > 1 {
                    let line = table.layout().line;
                    say(&format!("The columns are named in line {line}"));
                }
                let unused = mapping.unused();
                if !unused.is_empty() {
                    say(&format!("Columns not used: {}", unused.join(", ")));
                }
                for header in unused.iter().filter(|header| seems_to_refuse(header)) {
                    say(&format!(
                        "The column {header:?} seems to say who refused, and is not read: if so, map it, as in --column \
                         email_optout={header:?}"
                    ));
                }
                let is_dated = mapping.fields().iter().any(|it| matches!(it, Field::OccurredAt(_)));
                for header in unused.iter().filter(|header| !is_dated && is_a_time(header)) {
                    say(&format!(
                        "The column {header:?} is a date, and nobody says of what: if it is when people said yes or no, map \
                         it, as in --column occurred_at={header:?}"
                    ));
                }
                Source::Table(Box::new(table), Box::new(mapping))
            }
        };
        Ok(Self { source, ahead: VecDeque::new() })
    }

    /// How a file of bad rows begins.
    pub(super) fn head(&self) -> Head {
        match &self.source {
            Source::Table(table, _) => Head::of(table.layout()),
            Source::Users(_) => Head::of_users(),
        }
    }

    /// How the list is read, a line for each field.
    pub(super) fn described(&self) -> Vec<(String, String)> {
        match &self.source {
            Source::Table(_, mapping) => mapping.described(),
            Source::Users(_) => Vec::new(),
        }
    }

    /// The length of the list.
    pub(super) fn bytes(&self) -> u64 {
        match &self.source {
            Source::Table(table, _) => table.bytes(),
            Source::Users(users) => users.bytes(),
        }
    }

    /// How much of it was read.
    pub(super) fn position(&self) -> u64 {
        match &self.source {
            Source::Table(table, _) => table.position(),
            Source::Users(users) => users.position(),
        }
    }

    /// The first rows, which are read again.
    pub(super) fn look_ahead(
        &mut self,
        rows: usize,
    ) -> Result<impl Iterator<Item = &Row>, Failure> {
        while self.ahead.len() < rows {
            let Some(row) = self.read()? else { break };
            self.ahead.push_back(row);
        }
        Ok(self.ahead.iter())
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Failure> {
        match self.ahead.pop_front() {
            Some(row) => Ok(Some(row)),
            None => self.read(),
        }
    }

    fn read(&mut self) -> Result<Option<Row>, Failure> {
        match &mut self.source {
            Source::Users(users) => users.next(),
            Source::Table(table, mapping) => Ok(table.next()?.map(|record| {
                let said = mapping.read(&record);
                Row { record, said }
            })),
        }
    }
}

/// What the options say of a table.
fn told(options: &Import) -> Result<Told, Failure> {
    let order = options.dates.as_deref().map(|text| {
        DateOrder::parse(text)
            .map_err(|fault| Failure::Input(format!("--dates {text} {fault}; a good value: mdy")))
    });
    let zone = options.zone.as_deref().map(|text| {
        Zone::parse(text).map_err(|fault| Failure::Input(format!("--zone {text} {fault}")))
    });
    Ok(Told {
        columns: options.columns.clone(),
        constants: options.constants.clone(),
        ignored: options.ignored.clone(),
        has_region: options.region.is_some(),
        kind: options.kind,
        times: ListTimes { order: order.transpose()?, zone: zone.transpose()? },
    })
}

/// Whether a cell is the name of a column that says whom a row is about.
fn names_address(cell: &str, told: &Told) -> bool {
    let is_told = told.columns.iter().any(|told| {
        let (field, header) = told.split_once('=').unwrap_or_default();
        Field::named(field).is_some_and(Field::is_address) && plain(header) == plain(cell)
    });
    is_told || Field::of(cell).is_some_and(Field::is_address)
}
