//! `sayso-bench`: every hot job of Sayso beside its floor or rival, measured in one run.
//!
//! The program that ships is started and driven over HTTP, as its clients drive it; its store is
//! filled through the store's own interface. Redis and PostgreSQL are the real ones, started and
//! stopped here. What is compared takes turns within each round, and a ratio is formed round by round:
//! absolute figures of a shared machine mean little, ratios within a round mean something. Nothing
//! leaves this machine.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints: the table to standard output, its progress to standard error"
)]

mod child;
mod data;
mod hello;
mod http;
mod machine;
mod measure;
mod options;
mod people;
mod postgres;
mod redis;
mod report;
mod rig;
mod rows;
mod scratch;
mod server;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::machine::{Machine, load_average};
use crate::options::{Options, Row};
use crate::people::SEED;
use crate::report::{Report, Section};
use crate::rig::Rig;
use crate::scratch::Scratch;

/// The allocator of the program that is measured: one row runs its store in this process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One thread for the load leaves the other processors to what is measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(run_unless_stopped(Options::parse()));
            // A load that was cut short is not waited for.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sayso-bench: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// Runs, and cleans up when it is told to stop: whatever was started is ended as it is dropped.
async fn run_unless_stopped(options: Options) -> Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = run(options) => result,
        _ = terminate.recv() => bail!("stopped"),
        _ = tokio::signal::ctrl_c() => bail!("stopped"),
    }
}

async fn run(options: Options) -> Result<ExitCode> {
    if options.hello {
        hello::serve(options.postgres.as_deref()).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = measure(&options).await?;
    if options.json {
        println!("{}", report.json()?);
    } else if options.markdown {
        print!("{}", report.markdown());
    } else {
        print!("{}", report.text());
    }
    Ok(if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

async fn measure(options: &Options) -> Result<Report> {
    let scratch = Scratch::make(options.dir.as_deref())?;
    let machine = Machine::look(scratch.path(), rivals().await);
    let mut rig = Rig::new(options.clone(), scratch)?;
    let is_wanted = |row: &Row| options.rows.is_empty() || options.rows.contains(row);
    let mut sections = Vec::new();
    for row in Row::MEASURED.into_iter().filter(is_wanted) {
        let before = load_average();
        let outcome = rows::measure(row, &mut rig).await.map_err(|error| format!("{error:#}"));
        if let Err(fault) = &outcome {
            eprintln!("{}: FAILED: {fault}", row.as_str());
        }
        sections.push(Section { row: row.as_str(), outcome, load: [before, load_average()] });
    }
    let place = |section: &Section| Row::ALL.iter().position(|row| row.as_str() == section.row);
    sections.sort_by_key(place);
    let data = describe_data(&mut rig).await;
    rig.stop().await?;
    Ok(Report { machine, data, method: describe_method(options), sections })
}

async fn rivals() -> Vec<String> {
    let mut rivals = Vec::new();
    let programs = [redis::installed(), postgres::installed()];
    for program in programs.into_iter().flatten() {
        rivals.push(child::version_of(&program).await);
    }
    rivals
}

async fn describe_data(rig: &mut Rig) -> String {
    let detail = if rig.options.plain {
        "nobody spoke of a single sender or topic (plain)"
    } else {
        "30 % with sender or topic scopes"
    };
    let loaded = if rig.is_loaded() { rig.loaded().await.ok() } else { None };
    let events = loaded.map_or_else(String::new, |loaded| {
        format!("; {} events, loaded in {:.0?} through the store", loaded.events, loaded.time)
    });
    format!(
        "{} contacts of six countries, two channels, 10 % email only, {detail}, 4 % suppressed, 1 % with an end, \
         two sources, evidence of about 200 bytes; seed {SEED:#x}{events}",
        rig.people.contacts
    )
}

fn describe_method(options: &Options) -> String {
    let few = if options.rounds < 5 { " (too few to publish: at least 5)" } else { "" };
    let build = if cfg!(debug_assertions) {
        "; DEBUG BUILD of the benchmark, figures mean nothing"
    } else {
        ""
    };
    format!(
        "{} rounds{few}, ours and theirs in turn, {} s each; min / median / max of the rounds; ratios are ours / theirs, \
         formed round by round and judged by their median; one thread makes the load{build}",
        options.rounds, options.seconds
    )
}
