//! `sayso export`: write out every consent with its proof, refusals included.
//!
//! As text it is a CSV table, with `--json` a JSON object a line; both are streamed, and both come
//! from the server as they are written. In the table, cells that a spreadsheet would run begin with
//! an apostrophe, and phones are written as `tel:+…`: bare digits would be read as a national number
//! wherever a region is set. `sayso import` reads both again as they were.
//!
//! With `--erasures` it is the list of erasures instead, of all workspaces, read from the ledger
//! beside the server: what a restore must do again so that nobody erased since is there.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use hyper::body::Bytes;
use sayso_store::sqlite::{OpenError, backup};

use super::Place;
use super::profile::percent_encoded;
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::local;
use crate::options::Export;
use crate::printer::{Printer, Style};
use crate::private_file;

/// Writes the export to a file or to standard output.
pub(crate) async fn run(
    client: &Client,
    options: Export,
    printer: Printer,
) -> Result<Exit, Failure> {
    let format = match printer.style() {
        Style::Json => "ndjson",
        Style::Text => "csv",
    };
    let mut path = format!(
        "/v1/exports/consents?format={format}&status={}",
        percent_encoded(&options.status.join(","))
    );
    for (name, value) in [("channel", &options.channel), ("as_of", &options.as_of)] {
        if let Some(value) = value {
            path = format!("{path}&{name}={}", percent_encoded(value));
        }
    }
    match &options.output {
        None => {
            let print = |piece: Bytes| Ok(printer.piece(&piece).context("standard output")?);
            client.stream(&path, print).await?;
        }
        Some(output) => {
            let mut file = Unfinished::create(output)?;
            let write = |piece: Bytes| file.write(&piece).map(ControlFlow::Continue);
            client.stream(&path, write).await?;
            file.finish(printer)?;
        }
    }
    Ok(Exit::Yes)
}

/// Writes the list of erasures to a file or to standard output.
pub(crate) fn erasures(
    place: &Place,
    output: Option<&Path>,
    printer: Printer,
) -> Result<Exit, Failure> {
    let directory = place.config()?.store.directory;
    let ledger = directory.join("events.db");
    if !ledger.exists() {
        let error = OpenError::NoStore(directory.clone());
        return Err(local::open_failure(&directory, error));
    }
    let list =
        backup::erasures(&directory).map_err(|error| local::open_failure(&directory, error))?;
    match output {
        None => list.iter().for_each(|erasure| printer.line(&erasure.to_line())),
        Some(output) => {
            let mut file = Unfinished::create(output)?;
            for erasure in &list {
                file.write((erasure.to_line() + "\n").as_bytes())?;
            }
            file.finish(printer)?;
        }
    }
    Ok(Exit::Yes)
}

/// A file that gets its name once it is whole.
struct Unfinished<'a> {
    output: &'a Path,
    partial: OsString,
    file: BufWriter<File>,
    bytes: usize,
}

impl<'a> Unfinished<'a> {
    fn create(output: &'a Path) -> Result<Self, Failure> {
        let mut partial = output.as_os_str().to_owned();
        partial.push(".partial");
        let file = private_file::create(partial.as_ref()).map_err(|error| fault(output, &error))?;
        Ok(Self { output, partial, file: BufWriter::new(file), bytes: 0 })
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.bytes += piece.len();
        self.file.write_all(piece).map_err(|error| fault(self.output, &error))
    }

    fn finish(mut self, printer: Printer) -> Result<(), Failure> {
        let whole = self.file.flush().and_then(|()| std::fs::rename(&self.partial, self.output));
        whole.map_err(|error| fault(self.output, &error))?;
        printer.say(&format!("{} bytes written to {}", self.bytes, self.output.display()));
        Ok(())
    }
}

fn fault(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Input(format!("cannot write {}: {error}", path.display()))
}
