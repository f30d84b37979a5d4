//! What an import came to: counts, the first bad rows, every refusal that a row lifts, and the bad
//! rows in a file of their own.

use std::fs::File;
use std::path::Path;

use sayso_core::id::ImportId;
use serde_json::{Value, json};

use super::table::Record;
use crate::commands::text;
use crate::exit::{Exit, Failure};
use crate::options::Import;
use crate::printer::{Printer, Style};

/// How many bad rows are shown; `--rejects` writes all of them.
const BAD_ROWS_SHOWN: usize = 10;

/// Bad rows, written to a file as they are found.
pub(super) struct Rejects(Option<csv::Writer<File>>);

/// What an import came to so far.
pub(super) struct Report {
    id: ImportId,
    list: String,
    is_dry_run: bool,
    printer: Printer,
    rejects: Rejects,
    rows: u64,
    silent_rows: u64,
    statements: u64,
    acts: u64,
    reports: u64,
    appended: u64,
    retried: u64,
    repeated: u64,
    would_append: u64,
    held: u64,
    rejected: u64,
    bad_rows: Vec<Value>,
    lifted: Vec<Value>,
    lifting_rows: u64,
}

impl Rejects {
    /// A file for bad rows, with the columns of the list after line and reason.
    pub(super) fn open(path: Option<&Path>, headers: &[String]) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self(None)) };
        let fault = |error: csv::Error| Failure::Input(format!("{}: {error}", path.display()));
        let mut writer = csv::WriterBuilder::new().flexible(true).from_path(path).map_err(fault)?;
        let columns = ["line", "reason"].into_iter().chain(headers.iter().map(String::as_str));
        writer.write_record(columns).map_err(fault)?;
        Ok(Self(Some(writer)))
    }

    fn write(&mut self, record: &Record, reason: &str) -> Result<(), Failure> {
        let Some(writer) = &mut self.0 else { return Ok(()) };
        let line = record.line.to_string();
        let cells = [line.as_str(), reason].into_iter().chain(record.cells.iter());
        Ok(writer.write_record(cells).map_err(|error| anyhow::anyhow!("the rejects: {error}"))?)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let Some(writer) = &mut self.0 else { return Ok(()) };
        Ok(writer.flush().map_err(|error| anyhow::anyhow!("the rejects: {error}"))?)
    }
}

impl Report {
    /// A report of nothing yet.
    pub(super) fn new(id: ImportId, options: &Import, rejects: Rejects, printer: Printer) -> Self {
        Self {
            id,
            list: options.list.clone(),
            is_dry_run: options.dry_run,
            printer,
            rejects,
            rows: 0,
            silent_rows: 0,
            statements: 0,
            acts: 0,
            reports: 0,
            appended: 0,
            retried: 0,
            repeated: 0,
            would_append: 0,
            held: 0,
            rejected: 0,
            bad_rows: Vec::new(),
            lifted: Vec::new(),
            lifting_rows: 0,
        }
    }

    /// Who prints.
    pub(super) fn printer(&self) -> Printer {
        self.printer
    }

    /// The rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// A row that was not sent.
    pub(super) fn rejected_here(&mut self, record: &Record, reason: &str) -> Result<(), Failure> {
        self.rows += 1;
        self.rejected += 1;
        self.bad(record, reason)
    }

    /// A row that was sent, with an answer for each of its statements.
    pub(super) fn answered(&mut self, record: &Record, answers: &[Value]) -> Result<(), Failure> {
        self.rows += 1;
        if answers.is_empty() {
            self.silent_rows += 1;
        }
        for answer in answers {
            self.statements += 1;
            match text(answer, "standing") {
                "act" => self.acts += 1,
                "report" => self.reports += 1,
                _ => {}
            }
            let counter = match text(answer, "outcome") {
                "appended" => &mut self.appended,
                "retried" => &mut self.retried,
                "repeated" => &mut self.repeated,
                "would_append" => &mut self.would_append,
                "held" => &mut self.held,
                _ => &mut self.rejected,
            };
            *counter += 1;
            self.note_lifted(record, answer);
            match text(answer, "outcome") {
                "held" => self.bad(record, &format!("held: {}", lifted_words(answer)))?,
                "appended" | "retried" | "repeated" | "would_append" => {}
                _ => self.bad(record, &faults_of(answer))?,
            }
        }
        Ok(())
    }

    fn bad(&mut self, record: &Record, reason: &str) -> Result<(), Failure> {
        if self.bad_rows.len() < BAD_ROWS_SHOWN {
            self.bad_rows.push(json!({ "line": record.line, "reason": reason }));
        }
        self.rejects.write(record, reason)
    }

    /// Every refusal is listed: at once for people, at the end for programs.
    fn note_lifted(&mut self, record: &Record, answer: &Value) {
        let refusals =
            answer.get("lifts_refusals").and_then(Value::as_array).filter(|all| !all.is_empty());
        let Some(refusals) = refusals else { return };
        self.lifting_rows += 1;
        match self.printer.style() {
            Style::Json => {
                self.lifted.extend(
                    refusals
                        .iter()
                        .map(|refusal| json!({ "line": record.line, "refusal": refusal })),
                );
            }
            Style::Text => {
                self.printer.line(&format!("line {}: {}", record.line, lifted_words(answer)));
            }
        }
    }

    /// Prints the report. Rows that were not taken make the exit code 1.
    pub(super) fn finish(mut self) -> Result<Exit, Failure> {
        self.rejects.finish()?;
        let value = json!({
            "import": self.id.to_string(),
            "list": self.list,
            "dry_run": self.is_dry_run,
            "rows": self.rows,
            "rows_that_say_nothing": self.silent_rows,
            "statements": self.statements,
            "acts": self.acts,
            "reports": self.reports,
            "appended": self.appended,
            "retried": self.retried,
            "repeated": self.repeated,
            "would_append": self.would_append,
            "held": self.held,
            "rejected": self.rejected,
            "bad_rows": self.bad_rows,
            "lifted_refusals": self.lifted,
        });
        self.printer.value(&value, |_| self.words());
        Ok(if self.held + self.rejected == 0 { Exit::Yes } else { Exit::No })
    }

    fn words(&self) -> String {
        let mut lines = Vec::new();
        let counted = [
            (self.appended, "stored"),
            (self.would_append, "would be stored"),
            (self.retried, "stored before"),
            (self.repeated, "said nothing new"),
            (self.held, "held: they would lift a refusal"),
            (self.rejected, "rejected"),
        ];
        lines.push(format!(
            "{} rows, {} statements ({} acts, {} reports)",
            self.rows, self.statements, self.acts, self.reports
        ));
        lines.extend(
            counted
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, word)| format!("  {count} {word}")),
        );
        if self.silent_rows > 0 {
            lines.push(format!("  {} rows say nothing", self.silent_rows));
        }
        if !self.bad_rows.is_empty() {
            lines.push("The first rows that were not taken:".to_owned());
            lines.extend(self.bad_rows.iter().map(|row| {
                let line = row.get("line").and_then(Value::as_u64).unwrap_or_default();
                format!("  line {line}: {}", text(row, "reason"))
            }));
        }
        if self.lifting_rows > 0 {
            let rows = self.lifting_rows;
            lines.push(format!("{rows} statements lift refusals; each is listed above."));
        }
        if self.held > 0 {
            lines.push("Only the compliance role may lift them: --lift-refusals".to_owned());
        }
        lines.push(if self.is_dry_run {
            "Nothing was stored: this was a dry run.".to_owned()
        } else {
            format!("Import {}; to leave it all out again: sayso import undo {}", self.id, self.id)
        });
        lines.join("\n")
    }
}

/// The refusals that a row lifts, in words.
fn lifted_words(answer: &Value) -> String {
    let refusals = answer.get("lifts_refusals").and_then(Value::as_array).into_iter().flatten();
    let words: Vec<String> = refusals
        .map(|refusal| {
            let of = |field: &str| text(refusal, field).to_owned();
            format!(
                "lifts the refusal ({}) of {} said at {}, {}",
                of("refusal"),
                of("covers"),
                of("at"),
                of("event")
            )
        })
        .collect();
    words.join("; ")
}

/// What is wrong with a row, in words.
fn faults_of(answer: &Value) -> String {
    let errors = answer.get("errors").and_then(Value::as_array).into_iter().flatten();
    let words: Vec<String> = errors
        .map(|error| {
            let place = text(error, "pointer").trim_start_matches('/');
            let example = text(error, "example");
            let example = if example.is_empty() {
                String::new()
            } else {
                format!(" (a good value: {example})")
            };
            format!("{place} {}{example}", text(error, "fault")).trim().to_owned()
        })
        .collect();
    if words.is_empty() { text(answer, "outcome").to_owned() } else { words.join("; ") }
}
