//! Workbooks of spreadsheets (`.xlsx`), written over as a table of commas a cell at a time.
//!
//! Only the strings that cells share are in memory. A number is written with all its digits, which is
//! what a phone needs; a date as its day, with the time of day where it has one.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx};

use crate::exit::Failure;

/// How a zip archive begins, which a workbook is.
const ZIP: &[u8] = b"PK\x03\x04";
/// How the workbooks of before 2007 begin.
const OLD: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];
/// Whole numbers below this are exact in a cell.
const EXACT_BELOW: f64 = 1e15;
/// A cell further right than this belongs to no list of people.
const COLUMNS_MAX: u32 = 1_024;

/// Whether a file that begins so is a workbook.
pub(super) fn is_one(head: &[u8]) -> bool {
    head.starts_with(ZIP)
}

/// Refuses a workbook that cannot be read.
pub(super) fn refuse_old(head: &[u8]) -> Result<(), Failure> {
    if head.starts_with(OLD) {
        let fault = "the list is a workbook of before 2007 (.xls): save it as .xlsx or as CSV";
        return Err(Failure::Input(fault.to_owned()));
    }
    Ok(())
}

/// Writes a sheet as a table: the one that is named, else the first that holds anything.
pub(super) fn to_csv(
    from: impl Read + Seek,
    sheet: Option<&str>,
    to: File,
    say: &mut dyn FnMut(&str),
) -> Result<File, Failure> {
    let fault = |error: calamine::XlsxError| {
        Failure::Input(format!(
            "the list is a zip archive and no workbook that can be read: {error}; unpack it, or save it as CSV"
        ))
    };
    let mut workbook = Xlsx::new(from).map_err(fault)?;
    let names = workbook.sheet_names();
    if let Some(sheet) = sheet
        && !names.iter().any(|name| name == sheet)
    {
        return Err(Failure::Input(format!(
            "--sheet {sheet}: there is no such sheet; the sheets found are: {}",
            names.join(", ")
        )));
    }
    let mut to = BufWriter::new(to);
    let mut chosen = None;
    for name in names.iter().filter(|name| sheet.is_none_or(|sheet| *name == sheet)) {
        if write_sheet(&mut workbook, name, &mut to).map_err(fault)? {
            chosen = Some(name);
            break;
        }
    }
    let others: Vec<&str> =
        names.iter().filter(|name| Some(*name) != chosen).map(String::as_str).collect();
    if sheet.is_none() && !others.is_empty() {
        let chosen = chosen.map_or("", String::as_str);
        say(&format!(
            "Read is the sheet {chosen:?}. Not read: {}; choose with --sheet",
            others.join(", ")
        ));
    }
    let file = to.into_inner().map_err(std::io::IntoInnerError::into_error);
    Ok(file.map_err(anyhow::Error::new)?)
}

/// Writes one sheet; false if it holds nothing.
fn write_sheet(
    workbook: &mut Xlsx<impl Read + Seek>,
    name: &str,
    to: &mut impl Write,
) -> Result<bool, calamine::XlsxError> {
    let mut cells = workbook.worksheet_cells_reader(name)?;
    let (mut row, mut column, mut is_there) = (0, 0, false);
    while let Some(cell) = cells.next_cell()? {
        let (at, place) = cell.get_position();
        let text = text_of(cell.get_value());
        if text.is_empty() || place >= COLUMNS_MAX {
            continue;
        }
        is_there = true;
        while row < at {
            to.write_all(b"\n")?;
            (row, column) = (row + 1, 0);
        }
        while column < place {
            to.write_all(b",")?;
            column += 1;
        }
        to.write_all(quoted(&text).as_bytes())?;
    }
    if is_there {
        to.write_all(b"\n")?;
    }
    Ok(is_there)
}

/// What a cell shows.
fn text_of(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < EXACT_BELOW => {
            format!("{number:.0}")
        }
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(time) => time_of(time),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

fn time_of(time: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second, milli) {
        (0, 0, 0, 0) => date,
        (_, _, _, 0) => format!("{date} {hour:02}:{minute:02}:{second:02}"),
        _ => format!("{date} {hour:02}:{minute:02}:{second:02}.{milli:03}"),
    }
}

/// A cell as a table of commas has it. Line ends are spaces: a list has one person a line.
fn quoted(text: &str) -> String {
    let text = text.replace(['\r', '\n'], " ");
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
