//! `cargo xtask bench`: the benchmark, built the way that ships.
//!
//! All it takes and all it needs (its rivals among them) is the business of `sayso-bench`.

use anyhow::Result;

use crate::{Outcome, workspace};

/// Builds `sayso` and `sayso-bench` with the profile `dist`, and hands the latter the arguments.
pub(crate) fn run(arguments: &[String]) -> Result<Outcome> {
    let mut build = workspace::cargo();
    build.args(["build", "--profile", "dist", "--package", "sayso"]);
    if !workspace::succeeds(&mut build)? {
        return Ok(Outcome::No);
    }
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--profile", "dist", "--package", "sayso-bench", "--"]).args(arguments);
    Ok(if workspace::succeeds(&mut cargo)? { Outcome::Done } else { Outcome::No })
}
