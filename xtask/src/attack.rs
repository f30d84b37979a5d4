//! `cargo xtask attack`: what strangers and weak keys try, on a server of its own with the limits that ship.
//!
//! Each attack is one that once worked. It says what it tried, what came of it, and what may come of it at
//! the most; the table at the end has a line for each. The server is the built binary with its default
//! limits, in a directory of its own on a port of its own, and is stopped afterwards. Numbers are few by
//! default, so that it can run with the tests; `--pairs` and `--seconds` make it as hard as one likes.

mod answers;
mod clocks;
mod costs;
mod doors;
mod files;
mod keys;
mod links;
mod oracles;
mod people;
mod polls;
mod strangers;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{Outcome, workspace};

use crate::running::server::{Before, Server};

/// How hard it is tried.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// Pairs of a known and an unknown person whose answers are timed, for each public page.
    pairs: usize,
    /// How long a flood lasts.
    seconds: u64,
    /// The program; that of the profile if absent.
    sayso: Option<PathBuf>,
    /// The profile that the program is built with.
    profile: String,
    /// Whether the longest poll is measured, by the tests of the server in that profile.
    polls: bool,
    /// The part that is tried alone.
    only: Option<Part>,
}

/// A part of the attacks, each on a server of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Whether answers tell who is known.
    Oracles,
    /// Everything that people, keys and files of one place do.
    Outsiders,
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

    /// Nothing may come of it; the first few of what did are named.
    fn none(tried: &'static str, came: &[String]) -> Self {
        let named: Vec<String> = came.iter().take(3).map(|it| it.replace('|', "/")).collect();
        let words = if came.is_empty() {
            "none".to_owned()
        } else {
            format!("{}: {}", came.len(), named.join("; "))
        };
        Self { tried, came: words, may: "none".to_owned(), held: came.is_empty() }
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
    pub(crate) fn short() -> Self {
        Self {
            pairs: 40,
            seconds: 3,
            sayso: None,
            profile: "dev".to_owned(),
            polls: false,
            only: None,
        }
    }

    /// Reads the arguments of the command; the error says what is wrong with them.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut plan = Self::short();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--polls" {
                plan.polls = true;
                continue;
            }
            let value = rest.next().ok_or_else(|| format!("`{argument}` needs a value"));
            let number = |value: &String| {
                value.parse().map_err(|_| format!("`{value}` is no number, such as 400"))
            };
            match argument.as_str() {
                "--pairs" => plan.pairs = number(value?)?,
                "--seconds" => {
                    plan.seconds = value?.parse().map_err(|_| "`--seconds` needs a number")?;
                }
                "--profile" => plan.profile.clone_from(value?),
                "--only" => plan.only = Some(Part::parse(value?)?),
                "--sayso" => plan.sayso = Some(value?.into()),
                other => return Err(format!("attack does not know `{other}`")),
            }
        }
        Ok(plan)
    }

    /// How long anybody may wait while others ask for what costs much: three times as long without
    /// optimization.
    fn others_wait(&self) -> Duration {
        Duration::from_secs(if self.profile == "dev" { 6 } else { 2 })
    }

    fn program(&self) -> Result<PathBuf> {
        if let Some(program) = &self.sayso {
            return Ok(program.clone());
        }
        let mut build: Command = workspace::cargo();
        build.args(["build", "--quiet", "--package", "sayso", "--profile", &self.profile]);
        anyhow::ensure!(workspace::succeeds(&mut build)?, "the program does not build");
        let place = if self.profile == "dev" { "debug" } else { &self.profile };
        Ok(workspace::target_directory()?.join(place).join("sayso"))
    }
}

/// Tries them all.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let program = plan.program()?;
    let mut findings = Vec::new();
    if plan.only != Some(Part::Outsiders) {
        // People of many networks, as a proxy names them: the limits of one would be used up.
        let server = Server::start(&program, Before::Proxy).context("starting the server")?;
        findings.extend(oracles::all(&server, plan.pairs)?);
    }
    if plan.only != Some(Part::Oracles) {
        let mut server = Server::start(&program, Before::Nothing).context("starting the server")?;
        findings.extend(strangers::all(&server, Duration::from_secs(plan.seconds))?);
        findings.extend(answers::all(&server)?);
        findings.extend(keys::all(&server)?);
        findings.extend(links::all(&server)?);
        findings.extend(costs::all(&server, plan.others_wait())?);
        findings.extend(clocks::all(&server)?);
        findings.extend(files::all(&mut server)?);
    }
    if plan.polls {
        findings.push(polls::longest(&plan.profile)?);
    }
    let broken = findings.iter().filter(|finding| !finding.held).count();
    println!("{}", table(&findings));
    println!("\n{}\n", doors::that_tell_nothing());
    println!("{} attacks, {broken} of them broke something", findings.len());
    Ok(if broken == 0 { Outcome::Done } else { Outcome::No })
}

impl Part {
    fn parse(name: &str) -> Result<Self, String> {
        match name {
            "oracles" => Ok(Self::Oracles),
            "outsiders" => Ok(Self::Outsiders),
            other => Err(format!("there is no part `{other}`: the parts are oracles, outsiders")),
        }
    }
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
        let optimized = parse(&["--profile", "dist", "--polls"]).unwrap();
        assert!(optimized.polls && optimized.profile == "dist");
        assert_eq!(parse(&["--only", "oracles"]).unwrap().only, Some(Part::Oracles));
        assert!(parse(&["--only", "all"]).is_err());
        assert!(parse(&["--pairs"]).is_err() && parse(&["--hard", "1"]).is_err());
    }
}
