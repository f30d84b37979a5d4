//! What an import came to: counts, the first bad rows, every refusal that a row lifts, and the bad
//! rows in a file of their own.

use sayso_core::id::ImportId;
use serde_json::{Value, json};

use super::first::Look;
use super::lines::Record;
use super::rejects::Rejects;
use super::remarks::Remarks;
use super::sent::Sent;
use crate::commands::text;
use crate::exit::{Exit, Failure};
use crate::options::Import;
use crate::printer::{Printer, Style};

/// How many bad rows are shown; `--rejects` writes all of them.
const BAD_ROWS_SHOWN: usize = 10;

/// What an import came to so far.
pub(super) struct Report {
    id: ImportId,
    list: String,
    is_dry_run: bool,
    may_lift: bool,
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
    unreadable_rows: u64,
    bad_row_count: u64,
    bad_rows: Vec<Value>,
    lifted: Vec<Value>,
    lifting_rows: u64,
    remarks: Remarks,
    look: Option<Look>,
}

impl Report {
    /// A report of nothing yet.
    pub(super) fn new(
        id: ImportId,
        options: &Import,
        rejects: Rejects,
        look: Option<Look>,
        printer: Printer,
    ) -> Self {
        Self {
            id,
            list: options.list.clone(),
            is_dry_run: options.dry_run,
            may_lift: options.lift_refusals,
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
            unreadable_rows: 0,
            bad_row_count: 0,
            bad_rows: Vec::new(),
            lifted: Vec::new(),
            lifting_rows: 0,
            remarks: Remarks::default(),
            look,
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

    /// A row, with an answer for each of its statements that were sent.
    pub(super) fn answered(&mut self, row: &Sent, answers: &[Value]) -> Result<(), Failure> {
        let Sent { record, faults, remarks, .. } = row;
        self.rows += 1;
        match (answers.is_empty(), faults.is_empty()) {
            (true, true) => self.silent_rows += 1,
            (true, false) => self.unreadable_rows += 1,
            (false, _) => {}
        }
        if let Some(look) = &mut self.look {
            look.note(row, answers);
        }
        let mut reasons: Vec<String> = faults.clone();
        for answer in answers {
            // Statements of one row often share a fault, such as a phone that is none.
            let reason = self.count(answer).filter(|reason| !reasons.contains(reason));
            reasons.extend(reason);
        }
        self.remarks.note(record.line, remarks, answers);
        self.note_lifted(record, answers);
        if reasons.is_empty() { Ok(()) } else { self.bad(record, &reasons.join("; ")) }
    }

    /// Counts a statement; if it was not taken, says why.
    fn count(&mut self, answer: &Value) -> Option<String> {
        self.statements += 1;
        match text(answer, "standing") {
            "act" => self.acts += 1,
            "report" => self.reports += 1,
            _ => {}
        }
        let (counter, reason) = match text(answer, "outcome") {
            "appended" => (&mut self.appended, None),
            "retried" => (&mut self.retried, None),
            "repeated" => (&mut self.repeated, None),
            "would_append" => (&mut self.would_append, None),
            "held" => (&mut self.held, Some(format!("held: {}", lifted_words(answer)))),
            _ => (&mut self.rejected, Some(faults_of(answer))),
        };
        *counter += 1;
        reason
    }

    /// A row that was not taken, or not all of it: once, whatever is wrong with it.
    fn bad(&mut self, record: &Record, reason: &str) -> Result<(), Failure> {
        self.bad_row_count += 1;
        if self.bad_rows.len() < BAD_ROWS_SHOWN {
            self.bad_rows.push(json!({ "line": record.line, "reason": reason }));
        }
        self.rejects.write(record, reason)
    }

    /// Every refusal is listed: at once for people, at the end for programs.
    fn note_lifted(&mut self, record: &Record, answers: &[Value]) {
        let lifting = answers.iter().filter(|answer| refusals_of(answer).next().is_some());
        let lifting: Vec<&Value> = lifting.collect();
        self.lifting_rows += u64::from(!lifting.is_empty());
        for answer in lifting {
            match self.printer.style() {
                Style::Json => self.lifted.extend(
                    refusals_of(answer)
                        .map(|refusal| json!({ "line": record.line, "refusal": refusal })),
                ),
                Style::Text => {
                    self.printer.line(&format!("line {}: {}", record.line, lifted_words(answer)));
                }
            }
        }
    }

    /// Prints the report. Rows that were not taken make the exit code 1.
    ///
    /// Each statement is counted once: they are the sum of what was stored, stored before, said
    /// nothing new, would be stored, is held and was rejected.
    pub(super) fn finish(mut self) -> Result<Exit, Failure> {
        self.rejects.finish()?;
        let mut value = json!({
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
            "unreadable_rows": self.unreadable_rows,
            "rows_not_taken": self.bad_row_count,
            "bad_rows": self.bad_rows,
            "lifted_refusals": self.lifted,
            "remarks": self.remarks.values(),
        });
        if let Some(look) = &self.look {
            look.add_to(&mut value);
        }
        self.printer.value(&value, |_| self.words());
        Ok(if self.bad_row_count == 0 { Exit::Yes } else { Exit::No })
    }

    fn words(&self) -> String {
        let mut lines = self.look.as_ref().map(Look::words).unwrap_or_default();
        lines.push(format!(
            "{}, {} ({}, {})",
            counted(self.rows, "row"),
            counted(self.statements, "statement"),
            counted(self.acts, "act"),
            counted(self.reports, "report")
        ));
        let outcomes = [
            (self.appended, "stored"),
            (self.would_append, "would be stored"),
            (self.retried, "stored before"),
            (self.repeated, "said nothing new"),
            (self.held, "held, because a refusal would be lifted"),
            (self.rejected, "rejected"),
        ];
        let outcomes = outcomes.iter().filter(|(count, _)| *count > 0);
        lines.extend(outcomes.map(|(count, word)| format!("  {count} {word}")));
        let rows =
            [(self.unreadable_rows, "could not be read"), (self.silent_rows, "said nothing")];
        let rows = rows.iter().filter(|(count, _)| *count > 0);
        lines.extend(rows.map(|(count, word)| format!("  {} {word}", counted(*count, "row"))));
        lines.extend(self.bad_words());
        lines.extend(self.remarks.words());
        lines.extend(self.lifting_words());
        lines.push(if self.is_dry_run {
            "Nothing was stored: this was a dry run.".to_owned()
        } else {
            format!("Import {}; to leave it all out again: sayso import undo {}", self.id, self.id)
        });
        lines.join("\n")
    }

    /// The first rows that were not taken, and where the others are.
    fn bad_words(&self) -> Vec<String> {
        if self.bad_rows.is_empty() {
            return Vec::new();
        }
        let shown = u64::try_from(self.bad_rows.len()).unwrap_or(u64::MAX);
        let mut lines = vec![if shown == self.bad_row_count {
            format!("Not taken, or not all of it: {}.", counted(shown, "row"))
        } else {
            format!("Not taken, or not all of it: {} rows. The first:", self.bad_row_count)
        }];
        lines.extend(self.bad_rows.iter().map(|row| {
            let line = row.get("line").and_then(Value::as_u64).unwrap_or_default();
            format!("  line {line}: {}", text(row, "reason"))
        }));
        match self.rejects.path() {
            Some(path) => lines.push(format!("They are in {}.", path.display())),
            None if shown < self.bad_row_count => {
                lines.push("To have them all in a file: --rejects bad.csv".to_owned());
            }
            None => {}
        }
        lines
    }

    /// How many rows lift refusals, and who may let them.
    fn lifting_words(&self) -> Option<String> {
        let rows = (self.lifting_rows > 0).then(|| counted(self.lifting_rows, "row"))?;
        Some(match (self.may_lift, self.is_dry_run) {
            (false, _) => format!(
                "{rows} would lift refusals; each refusal is listed above. Only the compliance role may let them: --lift-refusals"
            ),
            (true, true) => format!("{rows} would lift refusals; each refusal is listed above."),
            (true, false) => format!("{rows} lifted refusals; each refusal is listed above."),
        })
    }
}

/// A count with its noun.
fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The refusals that a statement lifts.
fn refusals_of(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.get("lifts_refusals").and_then(Value::as_array).into_iter().flatten()
}

/// The refusals that a row lifts, in words.
fn lifted_words(answer: &Value) -> String {
    let words: Vec<String> = refusals_of(answer)
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
            let fault = text(error, "fault").replace("`region`", "region (--region)");
            format!("{place} {fault}{example}").trim().to_owned()
        })
        .collect();
    if words.is_empty() { text(answer, "outcome").to_owned() } else { words.join("; ") }
}
