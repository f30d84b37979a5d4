//! Polls: the longest time for which one request keeps a thread of the runtime, as the server's own tests
//! measure it, in the build that ships.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Finding;
use crate::workspace;

/// The tests that measure it.
const TESTS: &str = "doors::";
/// The file that each measure adds a line to.
const TOLD: &str = "SAYSO_TEST_POLLS";
/// What a poll may take in what ships.
const POLL_MAX: Duration = Duration::from_millis(50);

/// Runs those tests in a profile, and gives the longest poll of all.
pub(super) fn longest(profile: &str) -> Result<Finding> {
    let name = format!("sayso-attack-polls-{}", std::process::id());
    let told = std::env::temp_dir().join(name);
    let mut test = workspace::cargo();
    test.args(["test", "--quiet", "--profile", profile, "--package", "sayso-server"]);
    test.args(["--test", "it", TESTS]).env(TOLD, &told);
    let passed = workspace::succeeds(&mut test)?;
    let lines = std::fs::read_to_string(&told).context("no poll was measured")?;
    std::fs::remove_file(&told)?;
    let polls: Vec<u64> = lines.lines().filter_map(|line| line.parse().ok()).collect();
    let longest = polls.iter().copied().max().context("no poll was measured")?;
    ensure!(polls.len() > 10, "{} polls were measured", polls.len());
    let finding = Finding::within("the longest poll", Duration::from_micros(longest), POLL_MAX);
    Ok(Finding { held: finding.held && passed, ..finding })
}
