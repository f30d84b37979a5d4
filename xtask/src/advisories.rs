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

/// The address by which the mirror is named; nobody has it.
const ADDRESS: &str = "https://advisories.invalid/advisory-db";

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
    fs::write(&settings, settings_of(&copy)).context("writing the settings")?;
    let mut cargo = workspace::cargo();
    // An address that git reads from the mirror: cargo-deny takes none of a file.
    let address = format!("url.file://{}.insteadOf", mirror.display());
    cargo.envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_VALUE_0", ADDRESS)]);
    cargo.env("GIT_CONFIG_KEY_0", address);
    cargo.args(["deny", "--all-features", "--config"]).arg(&settings);
    cargo.args(["check", "--hide-inclusion-graph", "advisories"]);
    Ok(if workspace::succeeds(&mut cargo)? { Outcome::Done } else { Outcome::No })
}

/// The settings. Whether a crate was yanked stands in the registry, which is not asked.
fn settings_of(copy: &Path) -> String {
    let copy = copy.display();
    format!(
        "[advisories]\nversion = 2\ndb-path = \"{copy}\"\ndb-urls = [\"{ADDRESS}\"]\n\
         git-fetch-with-cli = true\nmaximum-db-staleness = \"P1Y\"\nyanked = \"allow\"\nunmaintained = \"workspace\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_all_that_is_asked() {
        let settings = settings_of(Path::new("/copy"));
        assert!(settings.contains(&format!("db-urls = [\"{ADDRESS}\"]")), "{settings}");
        assert_eq!(settings.matches("http").count(), 1, "{settings}");
        assert!(ADDRESS.contains(".invalid/"), "RFC 2606: it leads nowhere");
    }

    #[test]
    fn what_is_no_mirror_is_refused_with_what_to_name() {
        assert_eq!(run(Path::new("/nowhere")).unwrap(), Outcome::YourInput);
        assert_eq!(run(Path::new("/")).unwrap(), Outcome::YourInput);
    }
}
