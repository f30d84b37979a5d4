//! `sayso export`: write out every consent of a channel with its proof, refusals included.
//!
//! As text it is a CSV table, with `--json` a JSON object a line; both are streamed, and both come
//! from the server as they are written. In the table, cells that a spreadsheet would run begin with
//! an apostrophe, and phones are written as `tel:+…`: bare digits would be read as a national number
//! wherever a region is set. `sayso import` reads both again as they were.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use hyper::body::Bytes;

use super::profile::percent_encoded;
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::options::Export;
use crate::printer::{Printer, Style};

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
    let path = format!(
        "/v1/exports/consents?format={format}&channel={}&status={}",
        percent_encoded(&options.channel),
        percent_encoded(&options.status.join(","))
    );
    match &options.output {
        None => {
            let print = |piece: Bytes| Ok(printer.piece(&piece).context("standard output")?);
            client.stream(&path, print).await?;
        }
        Some(output) => to_file(client, &path, output, printer).await?,
    }
    Ok(Exit::Yes)
}

/// Writes beside the file first, so that a file of that name is a whole export.
async fn to_file(
    client: &Client,
    path: &str,
    output: &Path,
    printer: Printer,
) -> Result<(), Failure> {
    let mut partial = output.as_os_str().to_owned();
    partial.push(".partial");
    let fault = |error: std::io::Error| {
        Failure::Input(format!("cannot write {}: {error}", output.display()))
    };
    let mut file = std::io::BufWriter::new(File::create(&partial).map_err(fault)?);
    let mut bytes = 0;
    let write = |piece: Bytes| {
        bytes += piece.len();
        file.write_all(&piece).context("the export cannot be written")?;
        Ok(ControlFlow::Continue(()))
    };
    client.stream(path, write).await?;
    file.flush().map_err(fault)?;
    std::fs::rename(&partial, output).map_err(fault)?;
    printer.say(&format!("{bytes} bytes written to {}", output.display()));
    Ok(())
}
