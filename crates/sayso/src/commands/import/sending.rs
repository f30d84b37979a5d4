//! Sending rows to the API, a batch at a time.

use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::Value;

use super::first::ROWS_SHOWN;
use super::lines::Record;
use super::report::Report;
use super::rows::Row;
use super::statements::{Said, Statement};
use crate::client::{Client, Payload, failure_of};
use crate::exit::Failure;

/// Statements of one request: several commits, of which each is made while the next is planned; few
/// enough for the bar to move.
const BATCH_STATEMENTS_MAX: usize = 4_000;
/// Bytes of one request.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// How often a busy server is asked again before the import ends; running it again goes on.
const ATTEMPTS: u32 = 8;

/// Rows on their way.
#[derive(Default)]
pub(super) struct Batch {
    rows: Vec<Sent>,
    lines: String,
    statements: usize,
    position: u64,
}

/// A row whose statements are on their way.
pub(super) struct Sent {
    /// The row.
    pub(super) record: Record,
    /// How many statements are sent.
    pub(super) statements: usize,
    /// Those of the first rows, which are shown.
    pub(super) shown: Vec<Statement>,
    /// Why others are not sent.
    pub(super) faults: Vec<String>,
    /// What was in doubt.
    pub(super) remarks: Vec<String>,
}

impl Batch {
    /// Notes where in the list it ends, in bytes.
    pub(super) fn read_up_to(&mut self, position: u64) {
        self.position = position;
    }

    /// Where in the list it ends, in bytes.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// Adds a row with what it says.
    pub(super) fn push(&mut self, row: Row) {
        let Row { record, said: Said { statements, faults, remarks } } = row;
        self.statements += statements.len();
        for statement in &statements {
            // Texts and numbers under texts are always JSON.
            self.lines.push_str(&serde_json::to_string(statement).unwrap_or_default());
            self.lines.push('\n');
        }
        let count = statements.len();
        let is_shown = u64::try_from(self.rows.len()).unwrap_or(u64::MAX) < ROWS_SHOWN;
        let shown = if is_shown { statements } else { Vec::new() };
        self.rows.push(Sent { record, statements: count, shown, faults, remarks });
    }

    /// Asks about the statements of a row that are so; nothing of them is reported.
    pub(super) fn ask_about(&mut self, row: &Row, is_asked: impl Fn(&Statement) -> bool) {
        for statement in row.said.statements.iter().filter(|statement| is_asked(statement)) {
            self.statements += 1;
            self.lines.push_str(&serde_json::to_string(statement).unwrap_or_default());
            self.lines.push('\n');
        }
    }

    /// Whether it is time to send it.
    pub(super) fn is_full(&self) -> bool {
        self.statements >= BATCH_STATEMENTS_MAX
            || self.lines.len() >= BATCH_BYTES_MAX
            || self.rows.len() >= BATCH_STATEMENTS_MAX
    }
}

/// Reports the answers to a batch, row by row.
pub(super) fn report(batch: Batch, answers: &str, report: &mut Report) -> Result<(), Failure> {
    let mut answers = answers.lines();
    for row in batch.rows {
        let of_row: Vec<Value> = answers
            .by_ref()
            .take(row.statements)
            .map(|line| serde_json::from_str(line).map_err(anyhow::Error::new))
            .collect::<Result<_, _>>()?;
        if of_row.len() != row.statements {
            return Err(anyhow::anyhow!("the server answered fewer rows than were sent").into());
        }
        report.answered(&row, &of_row)?;
    }
    Ok(())
}

/// Sends what a batch says and gives the answer, a line for each statement.
pub(super) async fn ask(client: &Client, path: &str, batch: &mut Batch) -> Result<String, Failure> {
    if batch.statements == 0 {
        return Ok(String::new());
    }
    let lines = std::mem::take(&mut batch.lines);
    let mut wait = Duration::from_millis(250);
    for attempt in 1.. {
        let answer = client.ask(Method::POST, path, Payload::Lines(lines.clone())).await?;
        if answer.status.is_success() {
            return Ok(String::from_utf8(answer.body.into()).map_err(anyhow::Error::new)?);
        }
        let is_passing = matches!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        );
        if !is_passing || attempt == ATTEMPTS {
            let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            return Err(failure_of(answer.status, &problem));
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    Err(anyhow::anyhow!("the server stays busy").into())
}
