//! Reading a list: any of the usual delimiters, byte by byte, a row at a time.
//!
//! A bad row is a row, not the end of the list: rows are read as bytes, and what is wrong with one
//! is said with its line.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use csv::{ByteRecord, StringRecord};
use sha2::{Digest, Sha256};

use crate::exit::Failure;
use crate::options::ListKind;

/// A row longer than this holds a quote that was left open, not a person.
const ROW_BYTES_MAX: usize = 65_536;
/// Fewer digits are no telephone number.
const DIGITS_MIN: usize = 7;
/// How much of the list is looked at to tell its delimiter.
const SAMPLE_BYTES: u64 = 65_536;

/// A list as bytes that can be read twice.
pub(super) struct List {
    file: File,
    bytes: u64,
    last_byte: Option<u8>,
    sha256: [u8; 32],
}

/// A list as rows.
pub(super) struct Table {
    reader: csv::Reader<File>,
    delimiter: char,
    headers: Vec<String>,
    bytes: u64,
    last_byte: Option<u8>,
    /// A first row that stands where the names of the columns would.
    first: Option<Record>,
}

/// One row of it.
pub(super) enum Row {
    /// Cells of text.
    Cells(Record),
    /// What is no row of this table, and why.
    Unreadable(Record, &'static str),
}

/// A row with its line. Cells that are not UTF-8 have replacement characters.
pub(super) struct Record {
    /// The line it begins on, from 1.
    pub(super) line: u32,
    /// Its cells.
    pub(super) cells: StringRecord,
}

impl List {
    /// Opens a file; `-` is standard input, which is copied to a file without a name, because it
    /// is read twice.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let fault = |error: std::io::Error| {
            Failure::Input(format!("cannot read {}: {error}", path.display()))
        };
        if path == Path::new("-") {
            let mut file = nameless_file().context("no temporary file can be made")?;
            std::io::copy(&mut std::io::stdin().lock(), &mut file).map_err(fault)?;
            Self::hash(file).map_err(fault)
        } else {
            Self::hash(File::open(path).map_err(fault)?).map_err(fault)
        }
    }

    fn hash(mut file: File) -> std::io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        let (mut bytes, mut last_byte) = (0, None);
        loop {
            let read = file.read(&mut buffer)?;
            let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
                break;
            };
            hasher.update(piece);
            last_byte = piece.last().copied();
            bytes += u64::try_from(read).unwrap_or(0);
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { file, bytes, last_byte, sha256: hasher.finalize().into() })
    }

    /// The file, at its beginning, and its length.
    pub(super) fn into_file(self) -> (File, u64) {
        (self.file, self.bytes)
    }

    /// The SHA-256 of the bytes.
    pub(super) fn sha256(&self) -> [u8; 32] {
        self.sha256
    }
}

/// A file that nobody else can open, and that is gone with the process.
fn nameless_file() -> anyhow::Result<File> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("{error}"))?;
    let name = u128::from_be_bytes(random);
    let path = std::env::temp_dir().join(format!("sayso-import-{name:032x}"));
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

impl Table {
    /// Reads the header. A list of disconnected numbers may be nothing but numbers, a line each.
    pub(super) fn open(list: List, kind: ListKind) -> Result<Self, Failure> {
        let List { mut file, bytes, last_byte, .. } = list;
        let fault =
            |error: std::io::Error| Failure::Input(format!("the list cannot be read: {error}"));
        let mut sample = Vec::new();
        file.by_ref().take(SAMPLE_BYTES).read_to_end(&mut sample).map_err(fault)?;
        file.seek(SeekFrom::Start(0)).map_err(fault)?;
        if sample.starts_with(&[0xff, 0xfe]) || sample.starts_with(&[0xfe, 0xff]) {
            return Err(Failure::Input("the list is UTF-16: save it as \"CSV UTF-8\"".to_owned()));
        }
        if sample.contains(&b'\r') && !sample.contains(&b'\n') {
            let fault =
                "the lines of the list end as on an old Macintosh: save it as \"CSV UTF-8\"";
            return Err(Failure::Input(fault.to_owned()));
        }
        let delimiter = delimiter_of(&sample);
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // With this a carriage return belongs to the last cell, which is trimmed, and each line
            // ends where its number is counted.
            .terminator(csv::Terminator::Any(b'\n'))
            .delimiter(delimiter)
            .from_reader(file);
        let mut table = Self {
            reader,
            delimiter: char::from(delimiter),
            headers: Vec::new(),
            bytes,
            last_byte,
            first: None,
        };
        let header =
            table.read()?.filter(|record| record.cells.iter().any(|cell| !cell.trim().is_empty()));
        let header = header.ok_or_else(|| {
            Failure::Input("the list is empty: its first line must name the columns".to_owned())
        })?;
        if kind == ListKind::Disconnected && is_number_alone(&header) {
            table.headers = vec!["phone".to_owned()];
            table.first = Some(header);
            return Ok(table);
        }
        table.headers = header
            .cells
            .iter()
            .map(|cell| cell.trim_start_matches('\u{feff}').trim().to_owned())
            .collect();
        Ok(table)
    }

    /// The names of the columns.
    pub(super) fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The length of the list.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How much of it was read.
    pub(super) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The next row that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Failure> {
        while let Some(record) = self.read()? {
            if record.cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let further = record.cells.iter().skip(self.headers.len());
            let length = record.cells.as_slice().len();
            return Ok(Some(if length > ROW_BYTES_MAX {
                Row::Unreadable(
                    record.without_cells(),
                    "is longer than 64 KiB: a quote was left open",
                )
            } else if record.cells.iter().any(|cell| cell.contains('\u{fffd}')) {
                Row::Unreadable(record, "is not UTF-8")
            } else if further.into_iter().any(|cell| !cell.trim().is_empty()) {
                Row::Unreadable(record, "has more cells than there are columns")
            } else if self.holds_rows(&record) {
                Row::Unreadable(record, "holds what looks like further rows: a quote was left open")
            } else {
                Row::Cells(record)
            }));
        }
        Ok(None)
    }

    /// Whether a cell holds a line with as many cells as a row: an open quote swallows the rows
    /// after it, refusals among them, and that must not go unseen.
    fn holds_rows(&self, record: &Record) -> bool {
        let delimiters = self.headers.len().saturating_sub(1);
        let is_row = |line: &str| line.matches(self.delimiter).count() >= delimiters;
        delimiters > 0 && record.cells.iter().any(|cell| cell.lines().skip(1).any(is_row))
    }

    fn read(&mut self) -> Result<Option<Record>, Failure> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let mut bytes = ByteRecord::new();
        let is_there = self
            .reader
            .read_byte_record(&mut bytes)
            .map_err(|error| Failure::Input(format!("the list cannot be read: {error}")))?;
        let inner = bytes.as_slice().split(|byte| *byte == b'\n').skip(1).count();
        let ended = self.reader.position();
        let is_last = ended.byte() >= self.bytes;
        // A quote that was left open swallowed the last line end.
        let is_swallowed = bytes.as_slice().ends_with(b"\n");
        let is_cut_off = is_last && (self.last_byte != Some(b'\n') || is_swallowed);
        let below = u64::try_from(inner).unwrap_or(0) + u64::from(!is_cut_off);
        let line = ended.line().saturating_sub(below);
        let cells = StringRecord::from_byte_record_lossy(bytes);
        Ok(is_there.then(|| Record { line: u32::try_from(line).unwrap_or(u32::MAX), cells }))
    }
}

impl Record {
    /// The row without what it holds.
    fn without_cells(self) -> Self {
        Self { cells: StringRecord::new(), ..self }
    }
}

/// Whether a row is one number: digits, and what people write between them.
fn is_number_alone(row: &Record) -> bool {
    let cells: Vec<&str> = row.cells.iter().map(str::trim).collect();
    let [cell] = cells[..] else { return false };
    let cell = cell.trim_start_matches('\u{feff}');
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let is_written_so = |letter: char| letter.is_ascii_digit() || "+-.() ".contains(letter);
    digits >= DIGITS_MIN && cell.chars().all(is_written_so)
}

/// The delimiter that the first line has most of, outside quotes.
fn delimiter_of(sample: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    for byte in sample {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                for (_, count) in counts.iter_mut().filter(|(delimiter, _)| delimiter == byte) {
                    *count += 1;
                }
            }
        }
    }
    // On equal counts the first of the list, which is the comma.
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(delimiter, _)| *delimiter)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    pub(in crate::commands::import) fn list(bytes: &[u8]) -> List {
        let mut file = nameless_file().unwrap();
        file.write_all(bytes).unwrap();
        List::hash(file).unwrap()
    }

    pub(in crate::commands::import) fn table(bytes: &[u8]) -> Table {
        Table::open(list(bytes), ListKind::Consents).unwrap()
    }

    #[test]
    fn a_list_of_disconnected_numbers_needs_no_header() {
        let open = |bytes: &[u8]| Table::open(list(bytes), ListKind::Disconnected).unwrap();
        let lines = |mut table: Table| {
            let mut lines = Vec::new();
            while let Some(Row::Cells(record)) = table.next().unwrap() {
                lines
                    .push((record.line, record.cells.get(0).unwrap_or_default().trim().to_owned()));
            }
            (table.headers().to_vec(), lines)
        };
        let numbers = |first: u32| {
            vec![(first, "+14155550123".to_owned()), (first + 1, "+14155550124".to_owned())]
        };
        let bare = lines(open(b"+14155550123\r\n+14155550124\r\n"));
        assert_eq!(bare, (cells(&["phone"]), numbers(1)));
        let headed = lines(open(b"phone\n+14155550123\n+14155550124\n"));
        assert_eq!(headed, (cells(&["phone"]), numbers(2)));
        assert_eq!(open(b"4155550123,2026-11-01\n").headers().len(), 2, "that is no number alone");
    }

    fn rows(bytes: &[u8]) -> Vec<(u32, Result<Vec<String>, &'static str>)> {
        let mut table = table(bytes);
        let mut rows = Vec::new();
        while let Some(row) = table.next().unwrap() {
            rows.push(match row {
                Row::Cells(record) => (
                    record.line,
                    Ok(record.cells.iter().map(|cell| cell.trim().to_owned()).collect()),
                ),
                Row::Unreadable(record, reason) => (record.line, Err(reason)),
            });
        }
        rows
    }

    fn cells(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_are_read_over() {
        let bytes = b"\xef\xbb\xbf\"phone\",email\r\n1,a\r\n2,b\r\n";
        assert_eq!(table(bytes).headers(), ["phone", "email"]);
        assert_eq!(rows(bytes), [(2, Ok(cells(&["1", "a"]))), (3, Ok(cells(&["2", "b"])))]);
    }

    #[test]
    fn semicolons_and_tabs_are_told_from_commas_within_quotes() {
        assert_eq!(
            table(b"\"phone, mobile\";email;x\n").headers(),
            ["phone, mobile", "email", "x"]
        );
        assert_eq!(table(b"phone\temail\n").headers(), ["phone", "email"]);
        assert_eq!(table(b"phone\n").headers(), ["phone"]);
    }

    #[test]
    fn quoted_cells_may_hold_line_ends_and_the_next_line_is_still_known() {
        let bytes = b"phone,evidence\n1,\"two\nlines\"\n2,x\n";
        assert_eq!(
            rows(bytes),
            [(2, Ok(cells(&["1", "two\nlines"]))), (4, Ok(cells(&["2", "x"])))]
        );
    }

    #[test]
    fn a_bad_row_is_a_row_and_not_the_end_of_the_list() {
        let bytes = b"phone,email\n1,a,too,many\n2,\xff\n\n3,c\n4\n5,e,,\n";
        assert_eq!(
            rows(bytes),
            [
                (2, Err("has more cells than there are columns")),
                (3, Err("is not UTF-8")),
                (5, Ok(cells(&["3", "c"]))),
                (6, Ok(cells(&["4"]))),
                (7, Ok(cells(&["5", "e", "", ""]))),
            ]
        );
    }

    #[test]
    fn a_quote_left_open_is_one_bad_row() {
        let mut bytes = b"phone,email\n1,\"open\n".to_vec();
        bytes.extend(b"2,b\n".repeat(20_000));
        assert_eq!(rows(&bytes), [(2, Err("is longer than 64 KiB: a quote was left open"))]);
    }

    #[test]
    fn rows_that_an_open_quote_swallows_do_not_go_unseen() {
        let bytes = b"phone,sms_optin,name\n1,no,\"Bob\n2,no,Eve\n3,no,\"Ann\n4,no,Zoe\n";
        let reason = "holds what looks like further rows: a quote was left open";
        assert_eq!(rows(bytes), [(2, Err(reason)), (5, Ok(cells(&["4", "no", "Zoe"])))]);
    }

    #[test]
    fn the_same_bytes_are_the_same_list() {
        let hash = |bytes: &[u8]| {
            let mut file = nameless_file().unwrap();
            file.write_all(bytes).unwrap();
            List::hash(file).unwrap().sha256()
        };
        assert_eq!(hash(b"phone\n1\n"), hash(b"phone\n1\n"));
        assert_ne!(hash(b"phone\n1\n"), hash(b"phone\n2\n"));
    }
}
