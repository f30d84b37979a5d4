//! Sending rows to the API, a batch at a time.

use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::Value;

use super::report::Report;
use super::rows::Row;
use super::sent::{ROWS_SHOWN, Sent};
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
        let asked = client.ask(Method::POST, path, Payload::Lines(lines.clone())).await;
        let answer = asked.map_err(to_be_run_again)?;
        if answer.status.is_success() {
            return Ok(String::from_utf8(answer.body.into()).map_err(anyhow::Error::new)?);
        }
        let is_passing = matches!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        );
        if !is_passing || attempt == ATTEMPTS {
            let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            return Err(to_be_run_again(failure_of(answer.status, &problem)));
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    Err(to_be_run_again(anyhow::anyhow!("the server stays busy").into()))
}

/// What to do when the server, and not the list, is what an import ended by.
fn to_be_run_again(failure: Failure) -> Failure {
    match failure {
        Failure::Input(_) => failure,
        Failure::Fault(error) => Failure::Fault(anyhow::anyhow!(
            "{error:#}\n  Run the same command again: it goes on where it ended, and takes nothing twice."
        )),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixListener;

    use super::*;
    use crate::local::Local;

    #[tokio::test]
    async fn a_server_that_goes_is_told_in_words_with_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let client = Client::new(Local::Socket(socket), None);
        let mut batch = Batch { lines: "{}\n".to_owned(), statements: 1, ..Batch::default() };
        let goes = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _read = stream.read(&mut [0; 64]).await.unwrap();
        };
        let (asked, ()) = tokio::join!(ask(&client, "/v1/imports", &mut batch), goes);
        let words = asked.unwrap_err().to_string();
        assert!(words.starts_with("the server went away before it answered"), "{words}");
        assert!(words.contains("Run the same command again"), "{words}");
        assert!(!words.contains("hyper") && !words.contains("Error("), "{words}");
    }
}
