//! Everybody who is opted in on a channel, streamed out.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::TryStreamExt;
use std::pin::pin;
use tokio::time::Instant;

use crate::measure::{Goal, Samples};
use crate::postgres::{self, Session};
use crate::report::{Line, Outcome};
use crate::rig::{Rig, time_audience};

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let session = match rig.postgres_with_contacts().await? {
        None => {
            return Ok(Outcome {
                left_out: vec![postgres::ABSENT.to_owned()],
                ..Outcome::default()
            });
        }
        Some(postgres) => postgres.session(1).await?,
    };
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    let mut people = 0;
    for _ in rig.rounds("audience") {
        let read = time_audience(rig.server().await?).await?;
        let (rows, time) = time_rows(&session).await?;
        ensure!(read.people == rows, "{} people here, {rows} rows in PostgreSQL", read.people);
        ours.push(read.time.as_secs_f64() * 1e3);
        theirs.push(time.as_secs_f64() * 1e3);
        people = rows;
    }
    let line = Line {
        job: format!("{people} opted in on SMS, streamed out"),
        unit: "ms",
        ours,
        rival: "PostgreSQL streaming the same rows".to_owned(),
        theirs,
        goal: Goal::AtMost(0.2),
    };
    let note =
        "ours over HTTP, one JSON object a line; PostgreSQL over its unix socket, one number a row"
            .to_owned();
    Ok(Outcome { lines: vec![line], notes: vec![note], left_out: Vec::new() })
}

async fn time_rows(session: &Session) -> Result<(u64, Duration)> {
    let started = Instant::now();
    let query = "SELECT phone FROM contact WHERE channel = 2 AND status = 1";
    let parameters: [i64; 0] = [];
    let rows = session.client()?.query_raw(query, parameters).await?;
    let mut rows = pin!(rows);
    let mut count = 0;
    while let Some(row) = rows.try_next().await? {
        let _: i64 = row.try_get(0)?;
        count += 1;
    }
    Ok((count, started.elapsed()))
}
