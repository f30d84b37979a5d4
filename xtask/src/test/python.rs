//! The Python of the tests: a virtual environment of its own under the target directory, with the
//! versions that `.ci/requirements.txt` pins, and nothing that is not written there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace;

const REQUIREMENTS: &str = ".ci/requirements.txt";

/// Installs the pinned versions unless they are there already; answers the directory of the programs.
pub(super) fn install(directory: &Path) -> Result<PathBuf> {
    let programs = directory.join("venv/bin");
    let requirements = workspace::root().join(REQUIREMENTS);
    let wanted = std::fs::read(&requirements).with_context(|| format!("reading {REQUIREMENTS}"))?;
    let stamp = directory.join("requirements.txt");
    if programs.exists() && std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    std::fs::create_dir_all(directory)?;
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(directory.join("venv"));
    ensure!(workspace::succeeds(&mut venv)?, "python3 -m venv failed");
    let mut pip = Command::new(programs.join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    ensure!(workspace::succeeds(pip.arg(&requirements))?, "pip install failed");
    std::fs::write(&stamp, wanted)?;
    Ok(programs)
}
