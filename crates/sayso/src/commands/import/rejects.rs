//! Rows that were not taken, in a file of their own: each as it was, byte for byte, after its line and
//! the reason, so that the file can be mended and imported as the list was.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::encoding::Encoding;
use super::lines::Record;
use super::table::Layout;
use crate::exit::Failure;
use crate::private_file;

/// How a file of bad rows begins, and how its cells stand.
#[derive(Clone, Debug)]
pub(super) struct Head {
    before: Vec<u8>,
    header: Vec<u8>,
    delimiter: u8,
    line_end: u8,
    encoding: Encoding,
    /// Whether rows are texts of no table, which are put into quotes.
    are_quoted: bool,
}

/// Bad rows, written to a file as they are found.
#[derive(Default)]
pub(super) struct Rejects {
    to: Option<To>,
}

struct To {
    path: PathBuf,
    head: Head,
    writer: BufWriter<File>,
}

impl Head {
    /// As the list is laid out.
    pub(super) fn of(layout: &Layout) -> Self {
        let delimiter = [layout.delimiter];
        let named = || {
            let names: Vec<String> =
                layout.headers.iter().map(|name| quoted(name, layout.delimiter)).collect();
            let delimiter = char::from(layout.delimiter).to_string();
            names.join(&delimiter).into_bytes()
        };
        let header = layout.header.clone().unwrap_or_else(named);
        let header = ["line".as_bytes(), &delimiter, b"reason", &delimiter, &header].concat();
        Self {
            before: layout.before.clone(),
            header,
            delimiter: layout.delimiter,
            line_end: layout.line_end,
            encoding: layout.encoding,
            are_quoted: false,
        }
    }

    /// For a list of Gupshup's users.
    pub(super) fn of_users() -> Self {
        Self {
            before: Vec::new(),
            header: b"line,reason,user".to_vec(),
            delimiter: b',',
            line_end: b'\n',
            encoding: Encoding::AsIs,
            are_quoted: true,
        }
    }

    /// A line with its end.
    fn line(&self, mut line: Vec<u8>) -> Vec<u8> {
        if line.last() != Some(&self.line_end) {
            line.push(self.line_end);
        }
        self.encoding.encode(&line).into_owned()
    }
}

impl Rejects {
    /// A file for bad rows, with the columns of the list after line and reason.
    pub(super) fn open(path: Option<&Path>, head: Head) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::default()) };
        let begin = || {
            let mut writer = BufWriter::new(private_file::create(path)?);
            writer.write_all(head.encoding.mark())?;
            writer.write_all(&head.encoding.encode(&head.before))?;
            writer.write_all(&head.line(head.header.clone()))?;
            Ok(writer)
        };
        let writer = begin().map_err(|error: std::io::Error| {
            Failure::Input(format!("cannot write {}: {error}", path.display()))
        })?;
        Ok(Self { to: Some(To { path: path.to_owned(), head, writer }) })
    }

    /// Where they are.
    pub(super) fn path(&self) -> Option<&Path> {
        self.to.as_ref().map(|to| to.path.as_path())
    }

    /// Writes a row.
    pub(super) fn write(&mut self, record: &Record, reason: &str) -> Result<(), Failure> {
        let Some(To { head, writer, .. }) = &mut self.to else { return Ok(()) };
        let reason = quoted(&reason.replace(['\n', '\r'], " "), head.delimiter);
        let raw = if head.are_quoted {
            quoted(&String::from_utf8_lossy(&record.raw), head.delimiter).into_bytes()
        } else {
            record.raw.clone()
        };
        let line = record.line.to_string();
        let delimiter = [head.delimiter];
        let row = [line.as_bytes(), &delimiter, reason.as_bytes(), &delimiter, &raw].concat();
        let written = writer.write_all(&head.line(row));
        Ok(written.map_err(|error| anyhow::anyhow!("the rejects: {error}"))?)
    }

    /// Writes what is still to be written.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        let Some(To { writer, .. }) = &mut self.to else { return Ok(()) };
        Ok(writer.flush().map_err(|error| anyhow::anyhow!("the rejects: {error}"))?)
    }
}

/// A cell in quotes, where it needs them.
fn quoted(cell: &str, delimiter: u8) -> String {
    if cell.contains([char::from(delimiter), '"', ',', ';', '\t', '|']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
