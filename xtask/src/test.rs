//! `cargo xtask test`: everything that is tested, in one run, with one table at the end.
//!
//! What the tests need is set up first ([`crate::needs`]). Then the parts run in order, all of them
//! even when one fails. Browser tests and the kill drill are those of the integration test `it` of the
//! binary whose path has a module `browser` or `kill`; those against real programs of others, of the
//! integration test `it` of the server in a module `real`. They run alone, the rest runs together.
//! cargo-nextest is used when it is there, `cargo test` otherwise.

mod axe;
mod python;
mod schemathesis;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::needs::{self, Need};
use crate::{Outcome, attack, workspace};

/// How often the kill drill kills the server when nobody says otherwise.
const KILL_ROUNDS: u32 = 50;

/// The tests that run alone; the nextest configuration has the first two filters as well.
const BROWSER_FILTER: &str = "binary_id(/^sayso::it$/) & test(/(^|::)browser::/)";
const KILL_FILTER: &str = "binary_id(/^sayso::it$/) & test(/(^|::)kill::/)";
const REAL_FILTER: &str = "binary_id(/^sayso-server::it$/) & test(/(^|::)real::/)";

/// One part of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Unit,
    Doc,
    Real,
    Browser,
    Kill,
    Schemathesis,
    Attack,
}

impl Part {
    const ALL: [Self; 7] = [
        Self::Unit,
        Self::Doc,
        Self::Real,
        Self::Browser,
        Self::Kill,
        Self::Schemathesis,
        Self::Attack,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Doc => "doc",
            Self::Real => "real",
            Self::Browser => "browser",
            Self::Kill => "kill",
            Self::Schemathesis => "schemathesis",
            Self::Attack => "attack",
        }
    }

    fn parse(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|part| part.name() == name);
        known.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.into_iter().map(Self::name).collect();
            format!("there is no part `{name}`: the parts are {}", names.join(", "))
        })
    }

    fn needs(self) -> &'static [Need] {
        match self {
            Self::Unit | Self::Doc | Self::Kill | Self::Attack => &[],
            Self::Real => &[needs::KANNEL, needs::KANNEL_EXTRAS, needs::PYTHON, needs::CURL],
            Self::Browser => {
                &[needs::CHROMIUM, needs::CHROMEDRIVER, needs::FONTS, needs::NPM, needs::ZBAR]
            }
            Self::Schemathesis => &[needs::PYTHON],
        }
    }
}

/// Which parts run, and how long the kill drill goes on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    parts: Vec<Part>,
    kill_rounds: u32,
}

impl Plan {
    /// Reads the arguments of the command; the error says what is wrong with them.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut kill_rounds = KILL_ROUNDS;
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("`{argument}` needs a value"));
            match argument.as_str() {
                "--only" => parts.push(Part::parse(value?)?),
                "--kill-rounds" => {
                    let value = value?;
                    let fault = |_| format!("`{value}` is no number of rounds, such as 50");
                    kill_rounds = value.parse().map_err(fault)?;
                }
                other => return Err(format!("test does not know `{other}`")),
            }
        }
        if parts.is_empty() {
            parts.extend(Part::ALL);
        }
        Ok(Self { parts, kill_rounds })
    }
}

/// How a part ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed(String),
    Skipped(String),
}

impl Verdict {
    /// Runs a command that shows its own failures on the terminal.
    fn of(command: &mut Command) -> Result<Self> {
        let succeeded = workspace::succeeds(command)?;
        Ok(if succeeded { Self::Passed } else { Self::Failed("see above".to_owned()) })
    }

    fn describe(&self) -> String {
        match self {
            Self::Passed => "passed".to_owned(),
            Self::Failed(why) => format!("FAILED   {why}"),
            Self::Skipped(why) => format!("skipped  {why}"),
        }
    }
}

/// Who runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    Nextest,
    CargoTest,
}

/// Runs the parts of the plan.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let mut needed: Vec<Need> = Vec::new();
    for need in plan.parts.iter().flat_map(|part| part.needs()) {
        if !needed.contains(need) {
            needed.push(*need);
        }
    }
    if needs::ensure_met(&needed)? != Outcome::Done {
        return Ok(Outcome::YourInput);
    }

    let runner = find_runner()?;
    let mut results = Vec::new();
    for part in &plan.parts {
        println!("\n=== {}", part.name());
        let started = now();
        // A part that cannot run has failed, and says nothing about the others.
        let verdict = run_part(*part, plan, runner)
            .unwrap_or_else(|error| Verdict::Failed(format!("could not run: {error:#}")));
        results.push((*part, verdict, started.elapsed()));
    }
    print!("{}", summary(&results));
    let failed = results.iter().any(|(_, verdict, _)| matches!(verdict, Verdict::Failed(_)));
    Ok(if failed { Outcome::No } else { Outcome::Done })
}

fn run_part(part: Part, plan: &Plan, runner: Runner) -> Result<Verdict> {
    match part {
        Part::Unit => run_unit(runner),
        Part::Doc => {
            let mut cargo = workspace::cargo();
            cargo.args(["test", "--doc", "--workspace"]);
            Verdict::of(&mut cargo)
        }
        Part::Real => {
            let python = python::install(&python_directory()?)?.join("python");
            let (package, module, filter) = ("sayso-server", "real::", REAL_FILTER);
            let environment = vec![("SAYSO_TEST_PYTHON", python.into_os_string())];
            run_alone(runner, plan, Alone { package, module, filter, environment })
        }
        Part::Browser => {
            axe::install()?;
            let (package, module, filter) = ("sayso", "browser::", BROWSER_FILTER);
            run_alone(runner, plan, Alone { package, module, filter, environment: Vec::new() })
        }
        Part::Kill => {
            let (package, module, filter) = ("sayso", "kill::", KILL_FILTER);
            let environment = vec![("SAYSO_TEST_KILL_ROUNDS", plan.kill_rounds.to_string().into())];
            run_alone(runner, plan, Alone { package, module, filter, environment })
        }
        Part::Schemathesis => schemathesis::run(),
        Part::Attack => match attack::run(&attack::Plan::short())? {
            Outcome::Done => Ok(Verdict::Passed),
            Outcome::No | Outcome::YourInput => {
                Ok(Verdict::Failed("an attack broke something".to_owned()))
            }
        },
    }
}

/// Everything but the parts that run alone; then the race of refusals against hand-overs once more, in a
/// build whose claims decide nothing: a test that cannot fail shows nothing.
fn run_unit(runner: Runner) -> Result<Verdict> {
    let mut blind = test_command();
    blind.args([
        "test",
        "--package",
        "sayso-store",
        "--features",
        "undecided-claims",
        "--test",
        "it",
    ]);
    blind.args(["--", "no_hand_over_begins_after_an_acknowledged_refusal"]);
    if !workspace::succeeds(&mut blind)? {
        return Ok(Verdict::Failed("a build that decides nothing was not found out".to_owned()));
    }
    let mut cargo = test_command();
    match runner {
        Runner::Nextest => {
            let filter = format!("not (({BROWSER_FILTER}) | ({KILL_FILTER}) | ({REAL_FILTER}))");
            cargo.args(["nextest", "run", "--workspace", "--filterset", &filter]);
        }
        Runner::CargoTest => {
            cargo.args(["test", "--workspace", "--tests", "--"]);
            cargo.args(["--skip", "browser::", "--skip", "kill::", "--skip", "real::"]);
        }
    }
    Verdict::of(&mut cargo)
}

/// Where the Python of the tests is installed.
fn python_directory() -> Result<PathBuf> {
    Ok(workspace::target_directory()?.join("schemathesis"))
}

/// Integration tests of a package in one module, which run alone.
struct Alone {
    package: &'static str,
    module: &'static str,
    filter: &'static str,
    environment: Vec<(&'static str, OsString)>,
}

/// Runs such tests; no test at all is a failure.
fn run_alone(runner: Runner, plan: &Plan, alone: Alone) -> Result<Verdict> {
    let Alone { package, module, filter, environment } = alone;
    let mut cargo = test_command();
    cargo.envs(environment);
    match runner {
        Runner::Nextest => {
            cargo.args(["nextest", "run", "--package", package, "--test", "it"]);
            cargo.args(["--filterset", filter, "--no-tests", "fail"]);
            if plan.kill_rounds > KILL_ROUNDS {
                cargo.args(["--profile", "drill"]);
            }
        }
        Runner::CargoTest => {
            let base = ["test", "--package", package, "--test", "it", "--", module];
            let listing = workspace::stdout_of(test_command().args(base).arg("--list"))?;
            if !listing.lines().any(|line| line.ends_with(": test")) {
                return Ok(Verdict::Failed(format!("no test has `{module}` in its path")));
            }
            cargo.args(base).arg("--test-threads=1");
        }
    }
    Verdict::of(&mut cargo)
}

/// A cargo command under which snapshots are compared, never written.
fn test_command() -> Command {
    let mut cargo = workspace::cargo();
    cargo.env("INSTA_UPDATE", "no").stdin(Stdio::null());
    cargo
}

fn find_runner() -> Result<Runner> {
    let mut probe = workspace::cargo();
    probe.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if workspace::succeeds(&mut probe)? {
        return Ok(Runner::Nextest);
    }
    println!("cargo-nextest is not installed: running with cargo test, which is slower");
    let mut probe = workspace::cargo();
    ensure!(workspace::succeeds(probe.arg("--version"))?, "cargo does not run");
    Ok(Runner::CargoTest)
}

fn summary(results: &[(Part, Verdict, Duration)]) -> String {
    let mut lines = vec![String::new(), "part          seconds  result".to_owned()];
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (part, verdict, time) in results {
        match verdict {
            Verdict::Passed => passed += 1,
            Verdict::Failed(_) => failed += 1,
            Verdict::Skipped(_) => skipped += 1,
        }
        let (name, seconds) = (part.name(), time.as_secs());
        lines.push(format!("{name:<13} {seconds:>7}  {}", verdict.describe()));
    }
    let total: Duration = results.iter().map(|(_, _, time)| *time).sum();
    lines.push(format!("{:<13} {:>7}\n", "all", total.as_secs()));
    let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    lines.push(format!("{passed} passed, {failed} failed{skipped}\n"));
    lines.join("\n")
}

#[expect(clippy::disallowed_methods, reason = "how long a part took is shown, and decides nothing")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> Result<Plan, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Plan::parse(&arguments)
    }

    #[test]
    fn all_parts_run_unless_some_are_named() {
        let all = plan(&[]).expect("no argument is needed");
        assert_eq!((all.parts.as_slice(), all.kill_rounds), (Part::ALL.as_slice(), 50));
        let some = plan(&["--only", "kill", "--kill-rounds", "500", "--only", "doc"]);
        assert_eq!(some, Ok(Plan { parts: vec![Part::Kill, Part::Doc], kill_rounds: 500 }));
    }

    #[test]
    fn a_wrong_argument_is_refused_with_what_would_be_right() {
        assert!(plan(&["--only", "units"]).is_err_and(|fault| fault.contains("unit, doc")));
        assert!(plan(&["--only"]).is_err_and(|fault| fault.contains("needs a value")));
        assert!(plan(&["--kill-rounds", "-1"]).is_err_and(|fault| fault.contains("such as 50")));
        assert!(plan(&["--fast", "x"]).is_err());
    }

    #[test]
    fn the_summary_ends_with_the_count_alone_on_its_line() {
        let time = Duration::from_secs(61);
        let passed = (Part::Unit, Verdict::Passed, time);
        let failed = (Part::Kill, Verdict::Failed("see above".to_owned()), time);
        let text = summary(&[passed.clone(), failed]);
        assert!(text.ends_with("\n\n1 passed, 1 failed\n"), "{text}");
        assert!(text.contains("kill               61  FAILED   see above\n"), "{text}");

        let skipped = (Part::Schemathesis, Verdict::Skipped("why".to_owned()), time);
        assert!(summary(&[passed, skipped]).ends_with("\n1 passed, 0 failed, 1 skipped\n"));
    }
}
