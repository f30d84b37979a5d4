//! `cargo xtask advisories`: whether a dependency is known to be vulnerable.
//!
//! The database of advisories is a git repository. Where there is no network, a mirror of it is as good as
//! its age: `cargo deny` reads it by its path, and asks nobody else.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::{Outcome, workspace};

/// What `cargo deny` is told beside `deny.toml`, which it does not read then.
const SETTINGS: &str = "target/advisories/deny.toml";

/// Where it keeps its copy of the mirror.
const COPY: &str = "target/advisories/database";

/// Looks every dependency up in the mirror at `mirror`.
pub(crate) fn run(mirror: &Path) -> Result<Outcome> {
    let Ok(mirror) = fs::canonicalize(mirror) else {
        eprintln!(
            "xtask: {} is not there: name a clone of the advisory database",
            mirror.display()
        );
        return Ok(Outcome::YourInput);
    };
    if !mirror.join("crates").is_dir() {
        eprintln!("xtask: {} is no clone of the advisory database", mirror.display());
        return Ok(Outcome::YourInput);
    }
    let settings = workspace::root().join(SETTINGS);
    let directory = settings.parent().context("the settings have no directory")?;
    fs::create_dir_all(directory).context("making the directory of the settings")?;
    let copy = workspace::root().join(COPY);
    fs::write(&settings, settings_of(&mirror, &copy)).context("writing the settings")?;
    let mut cargo = workspace::cargo();
    cargo.args(["deny", "--all-features", "check", "--hide-inclusion-graph", "--config"]);
    cargo.arg(&settings).arg("advisories");
    Ok(if workspace::succeeds(&mut cargo)? { Outcome::Done } else { Outcome::No })
}

/// The settings. Whether a crate was yanked stands in the registry, which is not asked.
fn settings_of(mirror: &Path, copy: &Path) -> String {
    let (mirror, copy) = (mirror.display(), copy.display());
    format!(
        "[advisories]\nversion = 2\ndb-path = \"{copy}\"\ndb-urls = [\"file://{mirror}\"]\n\
         git-fetch-with-cli = true\nmaximum-db-staleness = \"P1Y\"\nyanked = \"allow\"\nunmaintained = \"workspace\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_all_that_is_asked() {
        let settings = settings_of(Path::new("/mirror"), Path::new("/copy"));
        assert!(settings.contains("db-urls = [\"file:///mirror\"]"), "{settings}");
        assert!(!settings.contains("http"), "{settings}");
    }

    #[test]
    fn what_is_no_mirror_is_refused_with_what_to_name() {
        assert_eq!(run(Path::new("/nowhere")).unwrap(), Outcome::YourInput);
        assert_eq!(run(Path::new("/")).unwrap(), Outcome::YourInput);
    }
}
