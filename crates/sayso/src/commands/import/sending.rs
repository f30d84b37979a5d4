//! Sending rows to the API, a batch at a time.

use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::Value;

use super::report::Report;
use super::statements::Statement;
use super::table::Record;
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
    records: Vec<(Record, Result<usize, String>)>,
    lines: String,
    statements: usize,
    position: u64,
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
    pub(super) fn push(&mut self, record: Record, statements: Vec<Statement>) {
        self.statements += statements.len();
        self.records.push((record, Ok(statements.len())));
        for statement in statements {
            self.lines.push_str(&Value::Object(statement).to_string());
            self.lines.push('\n');
        }
    }

    /// Adds a row that is not sent, so that it is reported in its place.
    pub(super) fn push_bad(&mut self, record: Record, reason: String) {
        self.records.push((record, Err(reason)));
    }

    /// Whether it is time to send it.
    pub(super) fn is_full(&self) -> bool {
        self.statements >= BATCH_STATEMENTS_MAX
            || self.lines.len() >= BATCH_BYTES_MAX
            || self.records.len() >= BATCH_STATEMENTS_MAX
    }
}

/// Reports the answers to a batch, row by row.
pub(super) fn report(batch: Batch, answers: &str, report: &mut Report) -> Result<(), Failure> {
    let mut answers = answers.lines();
    for (record, statements) in batch.records {
        let statements = match statements {
            Ok(statements) => statements,
            Err(reason) => {
                report.rejected_here(&record, &reason)?;
                continue;
            }
        };
        let of_row: Vec<Value> = answers
            .by_ref()
            .take(statements)
            .map(|line| serde_json::from_str(line).map_err(anyhow::Error::new))
            .collect::<Result<_, _>>()?;
        if of_row.len() != statements {
            return Err(anyhow::anyhow!("the server answered fewer rows than were sent").into());
        }
        report.answered(&record, &of_row)?;
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
