//! A text as a table: its delimiter, its header, and its rows.
//!
//! A bad row is a row, not the end of the list. A table needs no header where its cells say what they
//! are; lines above the header are read over.

use super::cells;
use super::encoding::{Encoding, decode};
use super::lines::{Lines, Record};
use super::list::Text;
use crate::exit::Failure;

/// How many rows are looked at to tell where the table begins and what its columns hold.
const ROWS_SEEN: usize = 20;

/// A list as rows.
pub(super) struct Table {
    lines: Lines,
    layout: Layout,
    bytes: u64,
    /// Rows that were read to find the header.
    seen: Vec<Record>,
}

/// How a table is laid out: what is needed to write rows of it again.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The names of the columns; without a header what their cells are.
    pub(super) headers: Vec<String>,
    /// What stands before the header: a mark, and a line that names the delimiter.
    pub(super) before: Vec<u8>,
    /// The header as it was written, if there is one.
    pub(super) header: Option<Vec<u8>>,
    /// What stands between cells.
    pub(super) delimiter: u8,
    /// What ends a line.
    pub(super) line_end: u8,
    /// In what the list was written.
    pub(super) encoding: Encoding,
    /// The line of the header, or of the first row.
    pub(super) line: u32,
}

impl Layout {
    /// Whether the header is written in one byte a letter that nobody named.
    pub(super) fn is_header_guessed(&self) -> bool {
        self.encoding == Encoding::AsIs
            && self.header.as_deref().is_some_and(|header| std::str::from_utf8(header).is_err())
    }
}

impl Table {
    /// Reads the header, or tells the columns by what they hold. `names_address` says whether a cell is
    /// the name of a column that says whom a row is about.
    pub(super) fn open(text: Text, names_address: &dyn Fn(&str) -> bool) -> Result<Self, Failure> {
        let Text { file, bytes, sample, encoding } = text;
        let (before, told) = preamble_of(&sample);
        let rest = sample.get(before.len()..).unwrap_or_default();
        let line_end = if rest.contains(&b'\n') || !rest.contains(&b'\r') { b'\n' } else { b'\r' };
        let delimiter = told.unwrap_or_else(|| delimiter_of(rest, line_end));
        let mut lines = Lines::new(file, delimiter, line_end);
        lines.skip(before.len())?;
        let mut seen: Vec<Record> = Vec::new();
        while seen.len() < ROWS_SEEN {
            // Columns are not known yet: a quote that is left open is found by any delimiter.
            let columns = seen.iter().map(|record| record.cells.len()).max().unwrap_or(2);
            let Some(record) = lines.next(columns.max(2))? else { break };
            if !record.is_empty() {
                seen.push(record);
            }
        }
        let empty = "the list is empty: its first line must name the columns";
        let first = seen.first().ok_or_else(|| Failure::Input(empty.to_owned()))?;
        let line = first.line;
        let mut layout = Layout {
            headers: Vec::new(),
            before: before.to_vec(),
            header: None,
            delimiter,
            line_end,
            encoding,
            line,
        };
        match header_at(&seen, names_address) {
            Begins::Header(at) => {
                let header = seen.drain(..=at).next_back();
                if let Some(header) = header {
                    layout.headers =
                        header.cells.iter().map(|cell| cells::clean(cell).to_owned()).collect();
                    layout.line = header.line;
                    layout.header = Some(header.raw);
                }
            }
            Begins::Rows(at) => {
                seen.drain(..at);
                layout.line = seen.first().map_or(line, |record| record.line);
                layout.headers = names_of(&seen);
            }
        }
        Ok(Self { lines, layout, bytes, seen })
    }

    /// The names of the columns.
    pub(super) fn headers(&self) -> &[String] {
        &self.layout.headers
    }

    /// How the table is laid out.
    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The rows that were looked at.
    pub(super) fn seen(&self) -> &[Record] {
        &self.seen
    }

    /// The length of the list.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How much of it was read.
    pub(super) fn position(&self) -> u64 {
        self.lines.position()
    }

    /// The next row that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Failure> {
        if !self.seen.is_empty() {
            return Ok(Some(self.seen.remove(0)));
        }
        while let Some(record) = self.lines.next(self.layout.headers.len())? {
            if !record.is_empty() {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }
}

/// Where a table begins.
enum Begins {
    /// With the names of its columns, in this row.
    Header(usize),
    /// With this row, without names.
    Rows(usize),
}

fn header_at(seen: &[Record], names_address: &dyn Fn(&str) -> bool) -> Begins {
    let is_header = |record: &Record| record.cells.iter().any(names_address);
    let is_row = |record: &Record| record.cells.iter().any(cells::is_like_an_address);
    let header = seen.iter().position(is_header);
    let row = seen.iter().position(is_row);
    match (header, row) {
        (Some(header), Some(row)) if header < row => Begins::Header(header),
        (Some(header), None) => Begins::Header(header),
        (_, Some(0)) => Begins::Rows(0),
        (_, Some(row)) => {
            // A row of as many names as the rows below have cells is a header, whatever it says.
            let cells = |at: usize| seen.get(at).map_or(0, |record| record.cells.len());
            let is_named = cells(row) > 1 && cells(row - 1) == cells(row);
            if is_named { Begins::Header(row - 1) } else { Begins::Rows(row) }
        }
        (None, None) => Begins::Header(0),
    }
}

/// The names of columns without a header: what their cells are, else their number.
fn names_of(seen: &[Record]) -> Vec<String> {
    let columns = seen.iter().map(|record| record.cells.len()).max().unwrap_or(0);
    let all = |at: usize, is: fn(&str) -> bool| {
        let cells = || seen.iter().filter_map(|record| record.cells.get(at));
        let filled = || cells().filter(|cell| !cells::clean(cell).is_empty());
        filled().next().is_some() && filled().all(is)
    };
    let columns_that = |is: fn(&str) -> bool| (0..columns).filter(move |at| all(*at, is));
    // Numbers without a plus may be ids, where several columns have such.
    let with_plus: Vec<usize> =
        columns_that(|cell| cell.contains('+') && cells::is_like_a_phone(cell)).collect();
    let mut phones: Vec<usize> = columns_that(cells::is_like_a_phone).collect();
    if !with_plus.is_empty() {
        phones = with_plus;
    } else if phones.len() > 1 {
        phones.clear();
    }
    let emails: Vec<usize> = columns_that(cells::is_like_an_email).collect();
    if columns == 1 && phones.is_empty() && emails.is_empty() {
        // Some cells are spoilt: what the others are, they were.
        let cells = || seen.iter().filter_map(|record| record.cells.get(0));
        let is_phone = cells().filter(|cell| cells::is_like_a_phone(cell)).count();
        let is_email = cells().filter(|cell| cells::is_like_an_email(cell)).count();
        return vec![if is_email > is_phone { "email" } else { "phone" }.to_owned()];
    }
    (0..columns)
        .map(|at| match (phones.contains(&at), emails.contains(&at)) {
            (true, _) => "phone".to_owned(),
            (false, true) => "email".to_owned(),
            (false, false) => format!("column {}", at + 1),
        })
        .collect()
}

/// A mark of UTF-8, and a line `sep=;` as Excel writes it, with the delimiter that it names.
fn preamble_of(sample: &[u8]) -> (&[u8], Option<u8>) {
    let mark = if sample.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 };
    let rest = sample.get(mark..).unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    let line = decode(rest.get(..end).unwrap_or_default()).to_lowercase();
    let line = line.trim_matches('"');
    let told = match line.strip_prefix("sep=").map(str::as_bytes) {
        Some([delimiter]) => *delimiter,
        Some(b"\\t") => b'\t',
        Some(_) | None => return (sample.get(..mark).unwrap_or_default(), None),
    };
    let ends = rest.get(end..).unwrap_or_default();
    let line_end = usize::from(!ends.is_empty()) + usize::from(ends.starts_with(b"\r\n"));
    (sample.get(..mark + end + line_end).unwrap_or_default(), Some(told))
}

/// The delimiter that most lines have equally often, outside quotes; on equal counts the first of the
/// list, which is the comma.
fn delimiter_of(sample: &[u8], line_end: u8) -> u8 {
    let lines = sample.split(|byte| *byte == line_end).filter(|line| !line.is_empty());
    let lines: Vec<&[u8]> = lines.take(ROWS_SEEN).collect();
    let count = |delimiter: u8, line: &[u8]| {
        let mut quoted = false;
        let outside = line.iter().filter(|byte| {
            quoted ^= **byte == b'"';
            !quoted && **byte == delimiter
        });
        outside.count()
    };
    let score = |delimiter: u8| {
        let counts: Vec<usize> = lines.iter().map(|line| count(delimiter, line)).collect();
        let same = |wanted: usize| counts.iter().filter(|count| **count == wanted).count();
        let usual =
            counts.iter().copied().filter(|count| *count > 0).max_by_key(|one| (same(*one), *one));
        usual.map_or((0, 0), |usual| (same(usual), usual))
    };
    let candidates = [b',', b';', b'\t', b'|'];
    let best = candidates.iter().rev().max_by_key(|delimiter| score(**delimiter));
    best.copied().filter(|best| score(*best).0 > 0).unwrap_or(b',')
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::super::lines::ROW_BYTES_MAX;
    use super::super::list::{List, nameless_file};
    use super::*;

    pub(in crate::commands::import) fn list(bytes: &[u8]) -> List {
        let mut file = nameless_file().unwrap();
        file.write_all(bytes).unwrap();
        List::hash(file).unwrap()
    }

    pub(in crate::commands::import) fn table(bytes: &[u8]) -> Table {
        let text = list(bytes).into_text(None, None, &mut |_| {}).unwrap();
        Table::open(text, &|cell| matches!(cells::clean(cell), "phone" | "email")).unwrap()
    }

    type Shown = (u32, Vec<String>, Option<&'static str>);

    fn rows(bytes: &[u8]) -> Vec<Shown> {
        let mut table = table(bytes);
        let mut rows = Vec::new();
        while let Some(record) = table.next().unwrap() {
            let cells = record.cells.iter().map(|cell| cell.trim().to_owned()).collect();
            rows.push((record.line, cells, record.defect));
        }
        rows
    }

    fn row(line: u32, cells: &[&str]) -> Shown {
        (line, names(cells), None)
    }

    fn names(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_are_read_over() {
        let bytes = b"\xef\xbb\xbf\"phone\",email\r\n1,a\r\n2,b\r\n";
        assert_eq!(table(bytes).headers(), ["phone", "email"]);
        assert_eq!(rows(bytes), [row(2, &["1", "a"]), row(3, &["2", "b"])]);
        assert_eq!(rows(b"phone,email\r1,a\r2,b"), [row(2, &["1", "a"]), row(3, &["2", "b"])]);
    }

    #[test]
    fn delimiters_are_told_by_the_lines_that_have_them_equally_often() {
        for (bytes, headers) in [
            (&b"\"phone, mobile\";email;x\n"[..], &["phone, mobile", "email", "x"][..]),
            (b"phone\temail\n1\ta, b, c\n", &["phone", "email"]),
            (b"phone|note\n1|a,b\n2|c\n", &["phone", "note"]),
            (b"sep=;\nphone;note\n1;a,b\n2;c,d,e\n", &["phone", "note"]),
            (b"\xef\xbb\xbfsep=|\r\nphone|note\r\n1|a\r\n", &["phone", "note"]),
            (b"phone\n1\n", &["phone"]),
        ] {
            assert_eq!(table(bytes).headers(), headers);
        }
    }

    #[test]
    fn lines_above_the_header_are_read_over_and_the_lines_are_still_known() {
        let bytes = b"Opt-outs, exported 7 June\n\nphone,email\n+14155550101,a@example.org\n";
        assert_eq!(table(bytes).headers(), ["phone", "email"]);
        assert_eq!(rows(bytes), [row(4, &["+14155550101", "a@example.org"])]);
        let bytes = b"sep=,\nOpt-outs\nphone,email\n+14155550101,\n";
        assert_eq!(rows(bytes), [row(4, &["+14155550101", ""])]);
    }

    #[test]
    fn a_table_needs_no_header_where_its_cells_say_what_they_are() {
        assert_eq!(table(b"+14155550101\n+14155550102\n").headers(), ["phone"]);
        assert_eq!(table(b"Do not text\n+14155550101\n").headers(), ["phone"]);
        assert_eq!(table(b"ada@example.org\nbob@example.org\n").headers(), ["email"]);
        assert_eq!(
            table(b"Ada;+1 415 555 0101\nBob;+1 415 555 0102\n").headers(),
            ["column 1", "phone"]
        );
        assert_eq!(
            rows(b"+14155550101\n+14155550102"),
            [row(1, &["+14155550101"]), row(2, &["+14155550102"])]
        );
        assert_eq!(table(b"+14155550101, +14155550102\n").headers(), ["phone", "phone"]);
        assert_eq!(
            table(b"1000001;4155550101\n").headers(),
            ["column 1", "column 2"],
            "which is it?"
        );
        assert_eq!(table(b"Name;Handy\nAda;+14155550101\n").headers(), ["Name", "Handy"]);
    }

    #[test]
    fn quoted_cells_may_hold_line_ends_and_the_next_line_is_still_known() {
        let bytes = b"evidence,phone,email\n\"two\nlines\",1,a\n\"x, \"\"y\"\"\",2,\n";
        assert_eq!(
            rows(bytes),
            [row(2, &["two\nlines", "1", "a"]), row(4, &["x, \"y\"", "2", ""])]
        );
    }

    #[test]
    fn a_bad_row_is_a_row_and_not_the_end_of_the_list() {
        let bytes = b"phone,email\n1,a,too,many\n2,M\xfcller\n\n3,c\n4\n5,e,,\n";
        assert_eq!(
            rows(bytes),
            [
                row(2, &["1", "a", "too", "many"]),
                row(3, &["2", "Müller"]),
                row(5, &["3", "c"]),
                row(6, &["4"]),
                row(7, &["5", "e", "", ""]),
            ]
        );
    }

    #[test]
    fn an_open_quote_swallows_no_row() {
        let open = Some("has a quote that was left open");
        let bytes = b"phone,sms_optin,name\n1,no,\"Bob\n2,no,Eve\n3,no,\"Ann\n4,\"no\",Zoe\n";
        assert_eq!(
            rows(bytes),
            [
                (2, names(&["1", "no", "\"Bob"]), open),
                row(3, &["2", "no", "Eve"]),
                (4, names(&["3", "no", "\"Ann"]), open),
                row(5, &["4", "no", "Zoe"]),
            ]
        );
        let mut bytes = b"phone,email\n1,\"open\n".to_vec();
        bytes.extend(b"2,b\n".repeat(20_000));
        assert_eq!(rows(&bytes).len(), 20_001);
    }

    #[test]
    fn a_row_without_end_is_one_bad_row() {
        let mut bytes = b"phone,email\n1,".to_vec();
        bytes.extend(b"x".repeat(ROW_BYTES_MAX * 3));
        bytes.extend(b"\n2,b\n");
        let found = rows(&bytes);
        assert_eq!((found[0].0, found[0].2), (2, Some("is longer than 64 KiB")));
        assert_eq!(found[1], row(3, &["2", "b"]));
    }

    #[test]
    fn utf_16_is_read_with_and_without_its_mark() {
        let text = "phone\tname\n+14155550123\tÜnal\n";
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(rows(&bytes), [row(2, &["+14155550123", "Ünal"])]);
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(rows(&bytes), [row(2, &["+14155550123", "Ünal"])]);
    }

    #[test]
    fn the_same_bytes_are_the_same_list() {
        assert_eq!(list(b"phone\n1\n").sha256(), list(b"phone\n1\n").sha256());
        assert_ne!(list(b"phone\n1\n").sha256(), list(b"phone\n2\n").sha256());
    }
}
