//! `sayso import`: take in a list of consents and refusals, or leave one out again.
//!
//! Two passes over the list. The first hashes it: the id of the import follows from the bytes, the
//! name of the list and how its columns are read, so the same command on the same file is the same
//! import, and whoever was cut off runs it again and doubles nothing. The second reads it row by
//! row and sends the rows in batches; the next are read while some are on their way.

mod list;

mod encoding;
mod workbook;

mod lines;
mod table;

mod cells;
mod columns;
mod headers;

mod rows;
mod says;
mod statements;

mod first;
mod rejects;
mod remarks;
mod report;
mod sending;
mod sent;

use std::path::Path;

use std::thread::JoinHandle;

use anyhow::{Context, anyhow};
use hyper::Method;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sayso_core::id::ImportId;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{Receiver, Sender};

use super::profile::percent_encoded;
use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::options::{Import, ImportCommand, ListFormat, ListKind};
use crate::printer::Printer;

use first::Look;
use list::List;
use rejects::Rejects;
use report::Report;
use rows::Rows;
use sending::Batch;
use statements::Statement;

/// Imports a list, shows what importing it would do, or undoes an import.
pub(crate) async fn run(
    client: &Client,
    options: Import,
    printer: Printer,
) -> Result<Exit, Failure> {
    if let Some(ImportCommand::Undo { id }) = &options.command {
        return undo(client, id, printer).await;
    }
    let Some(file) = &options.file else {
        return Err(Failure::Input("name the file to import, or - for standard input".to_owned()));
    };
    refuse_what_does_not_fit(&options)?;
    let list = List::open(file)?;
    let id = import_id(&list, &options);
    let mut list = Rows::open(list, &options, &mut |words| printer.say(words))?;
    let mut request =
        json!({ "id": id.to_string(), "list": options.list, "region": options.region });
    if let (ListKind::Disconnected, Some(date)) = (options.kind, &options.date) {
        request = json!({
            "id": id.to_string(), "list": options.list, "region": options.region,
            "kind": "disconnected", "date": date,
        });
    }
    let begun = client.json(Method::POST, "/v1/imports", Payload::Json(request)).await?;
    let rows = super::text(&begun, "rows");
    let format = match options.format {
        ListFormat::Csv => "",
        ListFormat::GupshupUsers => "&format=gupshup-users",
    };
    let (preview, lifting) = (options.dry_run, options.lift_refusals);
    let path = format!("{rows}&preview={preview}&lift_refusals={lifting}{format}");
    refuse_overwriting(file, options.rejects.as_deref())?;
    refuse_national(client, &format!("{rows}&preview=true{format}"), &mut list).await?;
    let rejects = Rejects::open(options.rejects.as_deref(), list.head())?;
    let look = options.dry_run.then(|| Look::new(list.described()));
    let report = Report::new(id, &options, rejects, look, printer);
    take_all(client, &path, list, report).await?.finish()
}

/// Options that say nothing for such a list are not passed over.
fn refuse_what_does_not_fit(options: &Import) -> Result<(), Failure> {
    let fault = match (options.kind, options.format) {
        (ListKind::Disconnected, ListFormat::GupshupUsers) => {
            "--format gupshup-users is a list of consents: leave --kind out"
        }
        (ListKind::Consents, _) if options.date.is_some() => {
            "--date is for --kind disconnected; in a list of consents each row has its own"
        }
        (ListKind::Consents, ListFormat::GupshupUsers) if options.describe_a_table() => {
            "--column, --set, --ignore, --dates, --zone, --encoding and --sheet are for tables: a list of Gupshup's \
             users has no columns"
        }
        (ListKind::Consents | ListKind::Disconnected, ListFormat::Csv)
        | (ListKind::Consents, ListFormat::GupshupUsers) => return Ok(()),
    };
    Err(Failure::Input(fault.to_owned()))
}

/// Bad rows are not written over the list that they are read from.
fn refuse_overwriting(list: &Path, rejects: Option<&Path>) -> Result<(), Failure> {
    let same = rejects.filter(|rejects| {
        matches!((list.canonicalize(), rejects.canonicalize()), (Ok(one), Ok(other)) if one == other)
    });
    match same {
        Some(path) => Err(Failure::Input(format!(
            "--rejects {} is the list itself, and would be written over: name another file",
            path.display()
        ))),
        None => Ok(()),
    }
}

/// How many rows are looked at before anything is stored, if numbers among them do not say of which
/// country they are: a request, of which a list of one country has enough that are valid nowhere.
const ROWS_LOOKED_AT: usize = 1_000;

/// Stops at a list of one country's numbers of which nobody said which country it is, before anything of
/// it is stored: half of them would be read as numbers of strangers (rule 1).
async fn refuse_national(client: &Client, path: &str, list: &mut Rows) -> Result<(), Failure> {
    let mut batch = Batch::default();
    for row in list.look_ahead(ROWS_LOOKED_AT)? {
        let is_unplaced = |statement: &Statement| {
            let phone = statement.get("phone").and_then(Value::as_str);
            let phone = phone.map(|phone| phone.trim_start_matches(['(', ' ']));
            phone.is_some_and(|phone| phone.starts_with(|first: char| first.is_ascii_digit()))
                && !statement.contains_key("region")
        };
        batch.ask_about(row, is_unplaced);
    }
    let answers = sending::ask(client, path, &mut batch).await?;
    let is_national = answers.lines().any(|line| {
        let answer: Value = serde_json::from_str(line).unwrap_or_default();
        let errors = answer.get("errors").and_then(Value::as_array);
        errors.into_iter().flatten().any(|error| {
            super::text(error, "pointer") == "/region"
                && super::text(error, "code") == "missing-field"
        })
    });
    if is_national {
        return Err(Failure::Input(
            "many of the numbers without + are valid in no country, so this is a list of one country's numbers: name \
             the country with --region, as in --region US. Nothing was stored"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Batches read ahead of the one on its way, and answers that wait to be reported.
const BATCHES_AHEAD: usize = 1;

/// Sends every row of the list. While a batch is on its way, the next is read and the one before
/// is reported.
async fn take_all(
    client: &Client,
    path: &str,
    list: Rows,
    report: Report,
) -> Result<Report, Failure> {
    let bar = progress(list.bytes(), report.printer());
    let (read, mut batches) = tokio::sync::mpsc::channel(BATCHES_AHEAD);
    thread("sayso-read", move || read_all(list, &read))?;
    let (answered, answers) = tokio::sync::mpsc::channel(BATCHES_AHEAD);
    let reporting = thread("sayso-report", move || report_all(answers, report, &bar))?;
    let sent = async {
        while let Some(batch) = batches.recv().await {
            let mut batch: Batch = batch?;
            let answer = sending::ask(client, path, &mut batch).await?;
            if answered.send((batch, answer)).await.is_err() {
                break;
            }
        }
        Ok::<_, Failure>(())
    };
    let sent = sent.await;
    drop(answered);
    // What was answered is reported, also when what came after it failed.
    let report = reporting.join().map_err(|_| anyhow!("the report broke off"))??;
    sent.map(|()| report)
}

fn thread<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    Ok(thread.context("a thread cannot be started")?)
}

/// Reports what was answered, row by row, as long as answers come.
fn report_all(
    mut answers: Receiver<(Batch, String)>,
    mut report: Report,
    bar: &ProgressBar,
) -> Result<Report, Failure> {
    while let Some((batch, answer)) = answers.blocking_recv() {
        let position = batch.position();
        sending::report(batch, &answer, &mut report)?;
        show(bar, position, &report);
    }
    bar.finish_and_clear();
    Ok(report)
}

/// Reads the list into batches, until its end or until nobody takes them any more.
fn read_all(mut list: Rows, read: &Sender<Result<Batch, Failure>>) {
    loop {
        let (batch, is_last) = match next_batch(&mut list) {
            Ok(batch) => {
                let is_last = !batch.is_full();
                (Ok(batch), is_last)
            }
            Err(failure) => (Err(failure), true),
        };
        if read.blocking_send(batch).is_err() || is_last {
            return;
        }
    }
}

/// The next rows of the list; fewer than a batch holds only at its end.
fn next_batch(list: &mut Rows) -> Result<Batch, Failure> {
    let mut batch = Batch::default();
    while !batch.is_full() {
        match list.next()? {
            Some(row) => batch.push(row),
            None => break,
        }
    }
    batch.read_up_to(list.position());
    Ok(batch)
}

/// Reads a list to its end by one of some options; the rows, if it is a list.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_any(bytes: &[u8], options: u8) -> Option<u64> {
    use std::io::Write;

    let options = Import::numbered(options);
    let mut file = list::nameless_file().ok()?;
    file.write_all(bytes).ok()?;
    let mut rows = Rows::open(List::hash(file).ok()?, &options, &mut |_| {}).ok()?;
    drop((rows.head(), rows.described()));
    let (mut count, mut line) = (0, 0);
    rows.look_ahead(ROWS_LOOKED_AT).ok()?.count();
    while let Some(row) = rows.next().ok()? {
        assert!(row.record.line > line, "rows stand one below the other");
        line = row.record.line;
        count += 1;
    }
    Some(count)
}

/// A bar on the terminal, if somebody watches.
fn progress(bytes: u64, printer: Printer) -> ProgressBar {
    let target = if printer.is_watched() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(bytes), target);
    // A template that cannot be read leaves the plain bar.
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {eta} left") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, position: u64, report: &Report) {
    let rows = report.rows();
    let millis = bar.elapsed().as_millis().max(1);
    bar.set_position(position);
    bar.set_message(format!("{rows} rows, {} rows/s", u128::from(rows) * 1_000 / millis));
}

/// The id of the import: the same for the same bytes, read the same way, under the same name.
fn import_id(list: &List, options: &Import) -> ImportId {
    let mut hasher = Sha256::new();
    hasher.update(b"sayso import v1\n");
    hasher.update(list.sha256());
    let mut put = |text: &str| {
        hasher.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(text);
    };
    put(&options.list);
    put(options.region.as_deref().unwrap_or_default());
    options.columns.iter().for_each(|column| put(column));
    let named = [
        ("dates", &options.dates),
        ("zone", &options.zone),
        ("encoding", &options.encoding),
        ("sheet", &options.sheet),
    ];
    for (name, told) in named {
        told.iter().for_each(|told| put(&format!("--{name}={told}")));
    }
    options.constants.iter().for_each(|constant| put(&format!("--set={constant}")));
    options.ignored.iter().for_each(|ignored| put(&format!("--ignore={ignored}")));
    if let (ListKind::Disconnected, Some(date)) = (options.kind, &options.date) {
        put("disconnected");
        put(date);
    }
    match options.format {
        ListFormat::Csv => {}
        ListFormat::GupshupUsers => put("gupshup-users"),
    }
    let full: [u8; 32] = hasher.finalize().into();
    ImportId::from_bytes(*full.first_chunk().unwrap_or(&[0; 16]))
}

async fn undo(client: &Client, id: &str, printer: Printer) -> Result<Exit, Failure> {
    let path = format!("/v1/imports/{}/undo", percent_encoded(id));
    let undone = client.json(Method::POST, &path, Payload::Nothing).await?;
    printer.value(&undone, |undone| {
        match undone.get("addresses").and_then(Value::as_u64).unwrap_or_default() {
            0 => format!(
                "undone: nothing of {id} is stored here, and nothing will count that it may bring. Did you \
                 mean another import? Its id is in its report."
            ),
            1 => format!("undone: nothing that {id} brought counts any more; it concerned 1 address"),
            addresses => format!(
                "undone: nothing that {id} brought counts any more; it concerned {addresses} addresses"
            ),
        }
    });
    Ok(Exit::Yes)
}
