//! A list of consents imported by the command, validated, with ledger and registers, beside
//! PostgreSQL doing the same job from the same file.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::machine::peak_bytes;
use crate::measure::{Goal, Samples, float};
use crate::people::{digits, mix};
use crate::postgres::{self, Session};
use crate::report::{Line, Outcome};
use crate::rig::Rig;

/// From this many rows on, the job is done once.
const ONCE_FROM: u64 = 1_000_000;
/// Memory that an import may take.
const MEMORY_MAX_MB: f64 = 500.0;
/// How often the importing process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What the job makes in PostgreSQL, from empty tables.
const TABLES: &str = "
    DROP TABLE IF EXISTS staged, import_event, import_state, copied;
    CREATE UNLOGGED TABLE staged (phone text, channel text, status text, occurred_at timestamptz, source text);
    CREATE TABLE import_event (
        row bigserial PRIMARY KEY, phone bigint NOT NULL, channel smallint NOT NULL, status smallint NOT NULL,
        occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL, source text NOT NULL, leaf_hash bytea NOT NULL);
    CREATE TABLE import_state (
        phone bigint NOT NULL, channel smallint NOT NULL, status smallint NOT NULL,
        occurred_at timestamptz NOT NULL, source text NOT NULL, PRIMARY KEY (phone, channel));
    CREATE TABLE copied (phone bigint NOT NULL, channel text, status text, occurred_at timestamptz, source text);
    CREATE UNIQUE INDEX ON copied (phone, channel)";

/// The ledger, with a hash of every row, and the state, which only a later statement changes.
const EVENTS: &str = "
    INSERT INTO import_event (phone, channel, status, occurred_at, recorded_at, source, leaf_hash)
    SELECT phone::bigint, 2, CASE status WHEN 'opt_in' THEN 1 ELSE 2 END, occurred_at, clock_timestamp(), source,
           sha256(convert_to(phone || channel || status || occurred_at::text || source, 'UTF8'))
    FROM staged WHERE phone ~ '^[+][1-9][0-9]{6,14}$'";
const STATES: &str = "
    INSERT INTO import_state (phone, channel, status, occurred_at, source)
    SELECT phone, channel, status, occurred_at, source FROM import_event
    ON CONFLICT (phone, channel) DO UPDATE
    SET status = excluded.status, occurred_at = excluded.occurred_at, source = excluded.source
    WHERE import_state.occurred_at < excluded.occurred_at";

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let rows = rig.people.contacts;
    let list = rig.scratch.path().join("list.csv");
    write_list(&list, rows)?;
    let once = rows >= ONCE_FROM;
    let rounds: Vec<u32> = rig.rounds("import").take(if once { 1 } else { 3 }).collect();
    let mut ours = Samples::default();
    let (mut theirs, mut one_table) = (Samples::default(), Samples::default());
    let (mut memory, mut parsing) = (Samples::default(), Samples::default());
    for round in rounds {
        parsing.push(seconds(parse(&list, rows)?));
        let (data, _) = rig.empty_store(&format!("import-{round}")).await?;
        let (time, peak) = import(&rig.program()?, &data.directory, &list, rows).await?;
        ours.push(seconds(time));
        memory.push(float(peak) / 1e6);
        std::fs::remove_dir_all(&data.directory)?;
        if let Some(rival) = rig.postgres().await? {
            let session = rival.session(1).await?;
            let (whole, copy) = import_into_postgres(&session, &list, rows).await?;
            theirs.push(seconds(whole));
            one_table.push(seconds(copy));
        }
    }
    let mut outcome = Outcome::default();
    let job = || format!("{rows} rows: validated, ledger and registers, source kept");
    let mut line = |rival: &str, theirs: Samples, goal| {
        outcome.lines.push(Line {
            job: job(),
            unit: "s",
            ours: ours.clone(),
            rival: rival.to_owned(),
            theirs,
            goal,
        });
    };
    if theirs.spread().is_some() {
        line("PostgreSQL: COPY to staging, ledger, state", theirs, Goal::AtMost(1.0));
        line("PostgreSQL: COPY into one table with an index", one_table, Goal::Shown);
    } else {
        outcome.left_out.push(postgres::ABSENT.to_owned());
    }
    outcome.lines.push(Line {
        job: job(),
        unit: "s",
        ours,
        rival: "the csv crate reading the same file".to_owned(),
        theirs: parsing,
        goal: Goal::Shown,
    });
    outcome.lines.push(Line {
        job: "peak memory of the importing process".to_owned(),
        unit: "MB",
        ours: memory,
        rival: "the bound".to_owned(),
        theirs: Samples::once(MEMORY_MAX_MB),
        goal: Goal::AtMost(1.0),
    });
    outcome.notes.push(
        "`sayso import` without a server, start, flush and stop of the store included; each row is a report of the list with its time; measured once from a million rows on"
            .to_owned(),
    );
    Ok(outcome)
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// Writes the list: a phone, yes or no, when and from where.
fn write_list(path: &Path, rows: u64) -> Result<()> {
    let mut to = BufWriter::new(File::create(path)?);
    writeln!(to, "phone,channel,status,occurred_at,source")?;
    for person in 0..rows {
        let bits = mix(person ^ 7);
        let status = if bits % 10 < 8 { "opt_in" } else { "opt_out" };
        let (day, hour, minute) = (1 + bits % 28, (bits >> 8) % 24, (bits >> 16) % 60);
        let source = if bits & 1 == 0 { "shop" } else { "crm" };
        let phone = digits(person);
        writeln!(to, "+{phone},sms,{status},2025-03-{day:02}T{hour:02}:{minute:02}:00Z,{source}")?;
    }
    Ok(to.flush()?)
}

/// Reads the list by the csv crate, and does nothing with it.
fn parse(list: &Path, rows: u64) -> Result<Duration> {
    let started = Instant::now();
    let mut reader = csv::Reader::from_path(list)?;
    let mut record = csv::ByteRecord::new();
    let mut read = 0;
    while reader.read_byte_record(&mut record)? {
        read += 1;
    }
    ensure!(read == rows, "the list has {read} rows");
    Ok(started.elapsed())
}

/// Runs the command; gives its time and the most memory it had.
async fn import(
    program: &Path,
    directory: &Path,
    list: &Path,
    rows: u64,
) -> Result<(Duration, u64)> {
    let mut command = Command::new(program);
    command.arg("--data").arg(directory).args(["import", "--json", "--list", "bench"]).arg(list);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let started = Instant::now();
    let process = command.spawn()?;
    let id = process.id().context("the import ended at once")?;
    let mut peak = 0;
    let mut ending = std::pin::pin!(process.wait_with_output());
    let output = loop {
        tokio::select! {
            biased;
            output = &mut ending => break output?,
            () = sleep(LOOK_EVERY) => peak = peak_bytes(id).unwrap_or(peak),
        }
    };
    let time = started.elapsed();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "sayso import: {words}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let appended = report.get("appended").and_then(serde_json::Value::as_u64);
    ensure!(appended == Some(rows), "the import took {appended:?} of {rows} rows: {report}");
    Ok((time, peak))
}

/// The whole job, and the copy into one table alone.
async fn import_into_postgres(
    session: &Session,
    list: &Path,
    rows: u64,
) -> Result<(Duration, Duration)> {
    let client = session.client()?;
    client.batch_execute(TABLES).await?;
    let lines = || -> Result<_> {
        let lines = BufReader::new(File::open(list)?).lines().skip(1);
        Ok(lines.map(|line| Ok(line?)))
    };
    let started = Instant::now();
    session.copy("COPY staged FROM STDIN (FORMAT csv)", lines()?).await?;
    client.batch_execute(EVENTS).await?;
    client.batch_execute(STATES).await?;
    let whole = started.elapsed();
    let stored = session.number("SELECT count(*) FROM import_event").await?;
    ensure!(stored == rows, "PostgreSQL took {stored} of {rows} rows");
    let started = Instant::now();
    let bare = lines()?.map(|line: Result<String>| Ok(line?.trim_start_matches('+').to_owned()));
    session.copy("COPY copied FROM STDIN (FORMAT csv)", bare).await?;
    let copy = started.elapsed();
    client.batch_execute("DROP TABLE staged, import_event, import_state, copied").await?;
    Ok((whole, copy))
}
