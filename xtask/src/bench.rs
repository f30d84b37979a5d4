//! `cargo xtask bench`: the benchmark, built the way that ships.
//!
//! All it takes and all it needs (its rivals among them) is the business of `sayso-bench`.

use anyhow::Result;

use crate::{Outcome, workspace};

/// Builds `sayso-bench` with the profile `dist` and hands it the arguments.
pub(crate) fn run(arguments: &[String]) -> Result<Outcome> {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--profile", "dist", "--package", "sayso-bench", "--"]).args(arguments);
    Ok(if workspace::succeeds(&mut cargo)? { Outcome::Done } else { Outcome::No })
}
