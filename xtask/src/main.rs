//! `cargo xtask`: the chores of this workspace, as one program that needs nothing but cargo.
//!
//! `test` runs every test and fetches what they need, `tidy` holds the house rules that no linter
//! knows, `generate` rewrites the committed files that the binary can print, `advisories` looks for
//! dependencies that are known to be vulnerable, `bench` starts the benchmark, `attack` a server and what
//! strangers try on it, `soak` watches the memory of a server under load, `keep-store` keeps a store of a
//! release for later ones to open. Exit codes are those of the product: 0 done, 1 no (a test, a rule or a comparison
//! failed), 2 your input or your machine, 3 our fault.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to its terminal"
)]

mod advisories;
mod attack;
mod bench;
mod generate;
mod keep_store;
mod needs;
mod running;
mod soak;
mod source;
mod test;
mod tidy;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
usage: cargo xtask <command>

  test [--only PART]... [--kill-rounds N]
                       sets up what the tests need, then runs them:
                       unit, doc, real, browser, kill, schemathesis, attack
  tidy                 checks the house rules
  generate [--check]   writes the generated files, or compares them
  advisories PATH      looks every dependency up in a mirror of the advisory database
  bench [ARGS]...      runs the benchmark
  attack [--pairs N] [--seconds N] [--only oracles|outsiders]
         [--profile NAME] [--sayso PATH] [--polls]
                       tries what strangers and weak keys try, and says what held
  keep-store VERSION PROGRAM
                       makes a store by a release's own program, and keeps it
                       for the test that opens it with every later one
  soak [MINUTES [CONTACTS [CLIENTS]]] [--profile NAME]
                       puts a server under load, and says whether its
                       memory stops growing
";

/// How a command ended when nothing broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All done, or all in order.
    Done,
    /// A test, a rule or a comparison failed, and the terminal says which.
    No,
    /// The caller has to change something first: an argument, or the machine.
    YourInput,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::No => Self::from(1),
            Outcome::YourInput => Self::from(2),
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(3)
        }
    }
}

fn run(arguments: &[String]) -> Result<Outcome> {
    let Some((command, rest)) = arguments.split_first() else {
        return Ok(refuse("a command is missing"));
    };
    match command.as_str() {
        "test" => match test::Plan::parse(rest) {
            Ok(plan) => test::run(&plan),
            Err(fault) => Ok(refuse(&fault)),
        },
        "tidy" if rest.is_empty() => tidy::run(),
        "generate" => match generate::Mode::parse(rest) {
            Ok(mode) => generate::run(mode),
            Err(fault) => Ok(refuse(&fault)),
        },
        "advisories" => match rest {
            [mirror] => advisories::run(Path::new(mirror)),
            _ => Ok(refuse("advisories takes the path of a mirror")),
        },
        "bench" => bench::run(rest),
        "attack" => match attack::Plan::parse(rest) {
            Ok(plan) => attack::run(&plan),
            Err(fault) => Ok(refuse(&fault)),
        },
        "keep-store" => match rest {
            [version, program] => keep_store::run(version, Path::new(program)),
            _ => Ok(refuse("keep-store takes a version and the path of its program")),
        },
        "soak" => match soak::Plan::parse(rest) {
            Ok(plan) => soak::run(&plan),
            Err(fault) => Ok(refuse(&fault)),
        },
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(Outcome::Done)
        }
        other => Ok(refuse(&format!("cannot run `{other}` with these arguments"))),
    }
}

fn refuse(fault: &str) -> Outcome {
    eprintln!("xtask: {fault}\n\n{USAGE}");
    Outcome::YourInput
}
