//! What the browser tests judge the accessibility of pages with: axe-core, under the target directory, in the
//! version and with the hash that `.ci/axe` pins. No part of the product.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace;

const PINNED: &str = ".ci/axe";
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs the pinned version below the target directory unless it is there already.
pub(super) fn install() -> Result<()> {
    let directory = workspace::target_directory()?.join("axe");
    let pinned = workspace::root().join(PINNED);
    let read = |folder: &Path, file: &str| std::fs::read(folder.join(file)).ok();
    let is_current = FILES.iter().all(|file| read(&directory, file) == read(&pinned, file));
    if is_current && directory.join("node_modules/.package-lock.json").exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&directory)?;
    for file in FILES {
        let (from, to) = (pinned.join(file), directory.join(file));
        std::fs::copy(&from, &to).with_context(|| format!("copying {PINNED}/{file}"))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&directory);
    ensure!(workspace::succeeds(&mut npm)?, "npm ci failed in {}", directory.display());
    Ok(())
}
