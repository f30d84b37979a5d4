//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures every hot job of Sayso beside its floor or rival, in one run.
///
/// Redis and PostgreSQL are started by this program, in a temporary directory, and stopped again.
#[derive(Clone, Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(name = "sayso-bench", version)]
pub(crate) struct Options {
    /// How many people the store knows; 10000000 is the published size.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..=15_000_000))]
    pub(crate) contacts: u64,
    /// Nobody spoke of a single sender or topic.
    #[arg(long)]
    pub(crate) plain: bool,
    /// The rows to measure; all if absent.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) rows: Vec<Row>,
    /// Rounds, in each of which ours and theirs take turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Seconds of one measurement in one round.
    #[arg(long, default_value_t = 2.0, value_parser = parse_seconds)]
    pub(crate) seconds: f64,
    /// The program to measure; the one beside this program if absent.
    #[arg(long, value_name = "PATH")]
    pub(crate) sayso: Option<PathBuf>,
    /// Where the files go, on the disk that is to be measured; the system's temporary directory if absent.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// Print Markdown, for docs/reference/benchmarks.md.
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Be the bare server that others are compared with; this program starts itself so.
    #[arg(long, hide = true)]
    pub(crate) hello: bool,
    /// Let the bare server decide by the PostgreSQL whose socket is in this directory.
    #[arg(long, hide = true, requires = "hello", value_name = "DIR")]
    pub(crate) postgres: Option<PathBuf>,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// Many recipients, one question.
    #[value(name = "check/batch")]
    Batch,
    /// One consent, durable, over HTTP.
    Record,
    /// Commits of 64 events, without HTTP.
    Engine,
    /// One recipient over HTTP.
    Check,
    /// From the start to the first answer.
    Ready,
    /// Memory of the process.
    Memory,
    /// Bytes on disk of an event.
    Disk,
    /// A whole audience, streamed out.
    Audience,
    /// A list, imported by the command.
    Import,
    /// Signed calls of a provider, durable before their 2xx.
    Webhooks,
    /// Messages through claim, decision and hand-over.
    Messages,
    /// What people open and send: forms, QR codes.
    Pages,
    /// Opt-outs while people are erased.
    Erasure,
    /// A provider's "Stop" while strangers flood the tag.
    Flood,
    /// What people write, read for refusals.
    Words,
}

impl Row {
    /// The order of the table.
    pub(crate) const ALL: [Self; 15] = [
        Self::Batch,
        Self::Record,
        Self::Engine,
        Self::Check,
        Self::Ready,
        Self::Memory,
        Self::Disk,
        Self::Audience,
        Self::Import,
        Self::Webhooks,
        Self::Messages,
        Self::Pages,
        Self::Erasure,
        Self::Flood,
        Self::Words,
    ];

    /// The order of measuring: what adds to the store comes last, so that the others and their
    /// rivals know the same people.
    pub(crate) const MEASURED: [Self; 15] = [
        Self::Batch,
        Self::Check,
        Self::Memory,
        Self::Audience,
        Self::Disk,
        Self::Ready,
        Self::Engine,
        Self::Record,
        Self::Webhooks,
        Self::Messages,
        Self::Pages,
        Self::Erasure,
        Self::Flood,
        Self::Import,
        Self::Words,
    ];

    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "check/batch",
            Self::Record => "record",
            Self::Engine => "engine",
            Self::Check => "check",
            Self::Ready => "ready",
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Audience => "audience",
            Self::Import => "import",
            Self::Webhooks => "webhooks",
            Self::Messages => "messages",
            Self::Pages => "pages",
            Self::Erasure => "erasure",
            Self::Flood => "flood",
            Self::Words => "words",
        }
    }
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.05..=600.0).contains(&seconds) => Ok(seconds),
        Ok(_) => Err("is not between 0.05 and 600".to_owned()),
        Err(_) => Err("is no number of seconds".to_owned()),
    }
}
