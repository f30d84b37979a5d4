//! `cargo xtask attack`: what strangers and weak keys try, on a server of its own with the limits that ship.
//!
//! Each attack is one that once worked. It says what it tried, what came of it, and what may come of it at
//! the most; the table at the end has a line for each. The server is the built binary with its default
//! limits, in a directory of its own on a port of its own, and is stopped afterwards. Numbers are few by
//! default, so that it can run with the tests; `--pairs` and `--seconds` make it as hard as one likes.

mod client;
mod costs;
mod oracles;
mod server;
mod strangers;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{Outcome, workspace};

use server::Server;

/// How hard it is tried.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// Pairs of a known and an unknown person whose answers are timed, for each public page.
    pairs: usize,
    /// How long a flood lasts.
    seconds: u64,
    /// The program; the debug build of this workspace if absent.
    sayso: Option<PathBuf>,
}

/// What came of an attack.
#[derive(Debug, Clone)]
struct Finding {
    /// What was tried.
    tried: &'static str,
    /// What came of it.
    came: String,
    /// What may come of it at the most.
    may: String,
    /// Whether it held.
    held: bool,
}

impl Finding {
    /// A count that may be no more than this.
    fn at_most(tried: &'static str, came: usize, most: usize) -> Self {
        Self { tried, came: came.to_string(), may: format!("≤ {most}"), held: came <= most }
    }

    /// A time that may be no more than this.
    fn within(tried: &'static str, took: Duration, most: Duration) -> Self {
        Self {
            tried, came: format!("{took:.0?}"), may: format!("≤ {most:?}"), held: took <= most
        }
    }
}

impl Plan {
    /// As hard as it is tried with the tests.
    pub(crate) const fn short() -> Self {
        Self { pairs: 40, seconds: 3, sayso: None }
    }

    /// Reads the arguments of the command; the error says what is wrong with them.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut plan = Self::short();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("`{argument}` needs a value"));
            let number = |value: &String| {
                value.parse().map_err(|_| format!("`{value}` is no number, such as 400"))
            };
            match argument.as_str() {
                "--pairs" => plan.pairs = number(value?)?,
                "--seconds" => {
                    plan.seconds = value?.parse().map_err(|_| "`--seconds` needs a number")?;
                }
                "--sayso" => plan.sayso = Some(value?.into()),
                other => return Err(format!("attack does not know `{other}`")),
            }
        }
        Ok(plan)
    }

    fn program(&self) -> Result<PathBuf> {
        if let Some(program) = &self.sayso {
            return Ok(program.clone());
        }
        let mut build: Command = workspace::cargo();
        build.args(["build", "--quiet", "--workspace", "--bins"]);
        anyhow::ensure!(workspace::succeeds(&mut build)?, "the program does not build");
        Ok(workspace::target_directory()?.join("debug").join("sayso"))
    }
}

/// Tries them all.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let server = Server::start(&plan.program()?).context("starting the server")?;
    let mut findings = Vec::new();
    // The oracles first: what follows uses up the limits of this machine's network.
    findings.extend(oracles::all(&server, plan.pairs)?);
    findings.extend(strangers::all(&server, Duration::from_secs(plan.seconds))?);
    findings.extend(costs::all(&server)?);
    server.stop()?;
    let broken = findings.iter().filter(|finding| !finding.held).count();
    println!("{}", table(&findings));
    println!("{} attacks, {broken} of them broke something", findings.len());
    Ok(if broken == 0 { Outcome::Done } else { Outcome::No })
}

fn table(findings: &[Finding]) -> String {
    let mut lines =
        vec!["| attack | came | may | |".to_owned(), "| --- | --- | --- | --- |".to_owned()];
    for Finding { tried, came, may, held } in findings {
        let verdict = if *held { "held" } else { "BROKEN" };
        lines.push(format!("| {tried} | {came} | {may} | {verdict} |"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_set_against_what_may_come() {
        let held = [Finding::at_most("a", 3, 3), Finding::at_most("b", 4, 3)].map(|it| it.held);
        assert_eq!(held, [true, false]);
        let table = table(&[Finding::at_most("writing to a block of numbers", 4, 3)]);
        assert!(table.ends_with("| writing to a block of numbers | 4 | ≤ 3 | BROKEN |"), "{table}");
    }

    #[test]
    fn arguments_make_it_harder() {
        let parse = |words: &[&str]| {
            Plan::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(parse(&["--pairs", "400"]).unwrap().pairs, 400);
        assert!(parse(&["--pairs"]).is_err() && parse(&["--hard", "1"]).is_err());
    }
}
