//! Rows of a text, with the bytes they were made of.
//!
//! A quote that was left open swallows the rows after it, refusals among them. So a row that goes on
//! over several lines is looked at again: where a line inside it could be a row of its own, the quote is
//! a letter like any other, and each line is a row.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use csv::StringRecord;

use super::encoding::decode;
use crate::exit::Failure;

/// A row longer than this holds a quote that was left open, not a person.
pub(super) const ROW_BYTES_MAX: usize = 65_536;

/// The lines of a text.
#[derive(Debug)]
pub(super) struct Lines {
    file: BufReader<File>,
    delimiter: u8,
    line_end: u8,
    /// Lines that were read ahead and are rows of their own.
    ahead: VecDeque<Line>,
    line: u32,
    position: u64,
}

/// A line with its number.
#[derive(Debug)]
struct Line {
    number: u32,
    bytes: Vec<u8>,
    is_cut: bool,
}

/// A row with its line.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The line it begins on, from 1.
    pub(super) line: u32,
    /// Its cells.
    pub(super) cells: StringRecord,
    /// Its bytes, with their line end.
    pub(super) raw: Vec<u8>,
    /// What is wrong with it as a whole: what it refuses is taken, and nothing else.
    pub(super) defect: Option<&'static str>,
}

/// Where a reader is in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    CellBegins,
    InCell,
    InQuotes,
    QuoteInQuotes,
}

/// What quotes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    /// They go around cells.
    Around,
    /// One at the beginning of a cell that never ends is a letter.
    Letters,
}

impl Lines {
    /// The lines of a text from its beginning.
    pub(super) fn new(file: File, delimiter: u8, line_end: u8) -> Self {
        Self {
            file: BufReader::with_capacity(1 << 17, file),
            delimiter,
            line_end,
            ahead: VecDeque::new(),
            line: 0,
            position: 0,
        }
    }

    /// Reads over what stands before the first row: whole lines are counted.
    pub(super) fn skip(&mut self, bytes: usize) -> Result<(), Failure> {
        let mut skipped = Vec::new();
        let limit = u64::try_from(bytes).unwrap_or(0);
        let read = self.file.by_ref().take(limit).read_to_end(&mut skipped);
        read.map_err(|error| Failure::Input(format!("the list cannot be read: {error}")))?;
        let ends = skipped.split(|byte| *byte == self.line_end).count() - 1;
        self.line += u32::try_from(ends).unwrap_or(0);
        self.position += limit;
        Ok(())
    }

    /// How much was read.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// The next row. `columns` is how many a row has, as far as that is known.
    pub(super) fn next(&mut self, columns: usize) -> Result<Option<Record>, Failure> {
        let Some(first) = self.take()? else { return Ok(None) };
        if first.is_cut {
            let defect = Some("is longer than 64 KiB");
            let Line { number: line, bytes: raw, .. } = first;
            return Ok(Some(Record { line, cells: StringRecord::new(), raw, defect }));
        }
        let has_quotes = first.bytes.contains(&b'"');
        let begun = State::CellBegins;
        let mut state = if has_quotes { self.scan(begun, &first.bytes) } else { begun };
        if state != State::InQuotes {
            return Ok(Some(self.row(first.number, first.bytes, Quotes::Around, None)));
        }
        let mut whole = first.bytes.clone();
        let mut taken = Vec::new();
        while state == State::InQuotes && whole.len() <= ROW_BYTES_MAX {
            let Some(line) = self.take()? else { break };
            state = self.scan(state, &line.bytes);
            whole.extend_from_slice(&line.bytes);
            taken.push(line);
        }
        if state != State::InQuotes && !self.holds_rows(&whole, columns) {
            return Ok(Some(self.row(first.number, whole, Quotes::Around, None)));
        }
        taken.into_iter().rev().for_each(|line| self.ahead.push_front(line));
        let defect = Some("has a quote that was left open");
        Ok(Some(self.row(first.number, first.bytes, Quotes::Letters, defect)))
    }

    fn row(&self, line: u32, raw: Vec<u8>, quotes: Quotes, defect: Option<&'static str>) -> Record {
        let cells = self.split(without_end(&raw, self.line_end), quotes);
        Record { line, cells, raw, defect }
    }

    /// The next line with its end, of which no more than a row may have is kept.
    fn take(&mut self) -> Result<Option<Line>, Failure> {
        if let Some(line) = self.ahead.pop_front() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::with_capacity(128);
        let limit = u64::try_from(ROW_BYTES_MAX).unwrap_or(u64::MAX);
        let mut read = self.read_up_to(limit, &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        self.line = self.line.saturating_add(1);
        let is_cut = read == limit && bytes.last() != Some(&self.line_end);
        while read == limit && bytes.last() != Some(&self.line_end) {
            bytes.clear();
            read = self.read_up_to(limit, &mut bytes)?;
        }
        if is_cut {
            bytes.clear();
        }
        Ok(Some(Line { number: self.line, bytes, is_cut }))
    }

    fn read_up_to(&mut self, limit: u64, bytes: &mut Vec<u8>) -> Result<u64, Failure> {
        let read = self.file.by_ref().take(limit).read_until(self.line_end, bytes);
        let read =
            read.map_err(|error| Failure::Input(format!("the list cannot be read: {error}")))?;
        let read = u64::try_from(read).unwrap_or(0);
        self.position += read;
        Ok(read)
    }

    /// Where the reader is after these bytes.
    fn scan(&self, state: State, bytes: &[u8]) -> State {
        bytes.iter().fold(state, |state, byte| match (state, byte) {
            (State::InQuotes, b'"') => State::QuoteInQuotes,
            (State::InQuotes, _) | (State::CellBegins | State::QuoteInQuotes, b'"') => {
                State::InQuotes
            }
            (_, byte) if *byte == self.delimiter => State::CellBegins,
            (State::CellBegins, b' ') => State::CellBegins,
            (State::CellBegins | State::InCell | State::QuoteInQuotes, _) => State::InCell,
        })
    }

    fn split(&self, row: &[u8], quotes: Quotes) -> StringRecord {
        let mut cells = StringRecord::with_capacity(row.len(), 16);
        if !row.contains(&b'"') {
            for cell in row.split(|byte| *byte == self.delimiter) {
                cells.push_field(&decode(cell));
            }
            return cells;
        }
        let mut rest = Some(row);
        while let Some(row) = rest {
            let (cell, further) = self.cell(row, quotes);
            cells.push_field(&decode(&cell));
            rest = further;
        }
        cells
    }

    /// The first cell of a row, and what is behind its delimiter.
    fn cell<'a>(&self, row: &'a [u8], quotes: Quotes) -> (Vec<u8>, Option<&'a [u8]>) {
        let begun = row.iter().position(|byte| *byte != b' ').unwrap_or(row.len());
        let is_quoted = row.get(begun) == Some(&b'"')
            && (quotes == Quotes::Around || self.is_closed(row.get(begun..).unwrap_or_default()));
        let mut state = if is_quoted { State::CellBegins } else { State::InCell };
        let mut cell = Vec::new();
        for (at, byte) in row.iter().enumerate() {
            match (state, byte) {
                (State::CellBegins, b' ') => {}
                (State::CellBegins, _) => state = State::InQuotes,
                (State::InQuotes, b'"') => state = State::QuoteInQuotes,
                (State::InQuotes, byte) => cell.push(*byte),
                (State::QuoteInQuotes, b'"') => {
                    cell.push(b'"');
                    state = State::InQuotes;
                }
                (State::QuoteInQuotes | State::InCell, byte) if *byte == self.delimiter => {
                    return (cell, row.get(at + 1..));
                }
                (State::QuoteInQuotes | State::InCell, byte) => {
                    cell.push(*byte);
                    state = State::InCell;
                }
            }
        }
        (cell, None)
    }

    /// Whether the quote at the beginning is closed before a delimiter or the end.
    fn is_closed(&self, row: &[u8]) -> bool {
        let mut inside = row.iter().skip(1).enumerate().filter(|(_, byte)| **byte == b'"');
        inside.any(|(at, _)| {
            let after = row.get(at + 2);
            after.is_none_or(|after| *after == self.delimiter)
        })
    }

    /// Whether a line inside a cell could be a row of its own, or a quote is closed inside a cell.
    fn holds_rows(&self, row: &[u8], columns: usize) -> bool {
        let mut state = State::CellBegins;
        let is_odd = row.iter().any(|byte| {
            let is_outside = *byte == self.delimiter || matches!(byte, b'"' | b'\r' | b'\n' | b' ');
            let is_odd = state == State::QuoteInQuotes && !is_outside;
            state = self.scan(state, &[*byte]);
            is_odd
        });
        if is_odd {
            return true;
        }
        let delimiters = columns.saturating_sub(1);
        let delimiter = char::from(self.delimiter);
        let cells = self.split(without_end(row, self.line_end), Quotes::Around);
        let is_row = |line: &str| line.matches(delimiter).count() >= delimiters;
        cells.iter().any(|cell| cell.lines().skip(1).any(is_row))
    }
}

impl Record {
    /// Whether it holds nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.defect.is_none() && self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

fn without_end(row: &[u8], line_end: u8) -> &[u8] {
    let row = row.strip_suffix(&[line_end]).unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}
