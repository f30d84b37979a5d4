//! `cargo xtask generate`: the committed files that the binary itself can print, and the page of words.
//!
//! Each file is the standard output of one command. With `--check` nothing is written: a file that
//! differs is named with the first line that does, and the exit code is 1.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{Outcome, workspace};

/// What is generated: the arguments of `sayso`, and the file that holds its answer.
const GENERATED: [(&[&str], &str); 6] = [
    (&["openapi"], "docs/reference/openapi.json"),
    (&["docs", "problems"], "docs/reference/problems.md"),
    (&["docs", "config"], "docs/reference/configuration.md"),
    (&["docs", "limits"], "docs/reference/limits.md"),
    (&["docs", "keys"], "docs/reference/keys.md"),
    (&["docs", "cli"], "docs/reference/cli.md"),
];

/// The page of what people write, printed by an example of the core: its table is made from the
/// core's test data, which the binary does not hold.
const WORDS: &str = "docs/reference/words.md";

/// Whether the files are written or only compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

impl Mode {
    /// Reads the arguments of the command; the error says what is wrong with them.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        match arguments {
            [] => Ok(Self::Write),
            [one] if one == "--check" => Ok(Self::Check),
            others => Err(format!("generate takes --check or nothing, not `{}`", others.join(" "))),
        }
    }
}

/// Generates every file, or compares it with what is committed.
pub(crate) fn run(mode: Mode) -> Result<Outcome> {
    let mut build = workspace::cargo();
    build.args(["build", "--quiet", "--package", "sayso"]);
    ensure!(workspace::succeeds(&mut build)?, "sayso does not build");
    let binary = workspace::target_directory()?.join("debug/sayso");

    let printed = GENERATED.map(|(arguments, path)| {
        let mut command = Command::new(&binary);
        command.args(arguments);
        (command, path)
    });
    let mut words = workspace::cargo();
    words.args(["run", "--quiet", "--package", "sayso-core", "--example", "words-page"]);

    let mut stale = 0_usize;
    for (mut command, path) in printed.into_iter().chain([(words, WORDS)]) {
        let fresh = workspace::stdout_of(&mut command)?;
        let fresh = format!("{}\n", fresh.trim_end());
        let full = workspace::root().join(path);
        let committed = std::fs::read_to_string(&full).ok();
        if committed.as_deref() == Some(fresh.as_str()) {
            continue;
        }
        match mode {
            Mode::Write => {
                write(&full, &fresh).with_context(|| format!("writing {path}"))?;
                println!("wrote {path}");
            }
            Mode::Check => {
                stale += 1;
                println!("{path}: {}", difference(committed.as_deref(), &fresh));
            }
        }
    }
    if stale > 0 {
        println!("{stale} generated files are not current: run `cargo xtask generate`");
        return Ok(Outcome::No);
    }
    Ok(Outcome::Done)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    Ok(std::fs::write(path, text)?)
}

/// Says in a few lines how the committed text differs from the fresh one.
fn difference(committed: Option<&str>, fresh: &str) -> String {
    let Some(committed) = committed else {
        return "is missing".to_owned();
    };
    let (old, new): (Vec<_>, Vec<_>) = (committed.lines().collect(), fresh.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let line_of = |lines: &[&str]| (*lines.get(same).unwrap_or(&"(end of file)")).to_owned();
    format!(
        "differs from line {} on ({} lines committed, {} fresh)\n  - {}\n  + {}",
        same + 1,
        old.len(),
        new.len(),
        line_of(&old),
        line_of(&new)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_first_line_that_differs() {
        let text = difference(Some("a\nb\n"), "a\nc\nd\n");
        assert_eq!(text, "differs from line 2 on (2 lines committed, 3 fresh)\n  - b\n  + c");
        assert_eq!(difference(None, "a\n"), "is missing");
        assert!(difference(Some("a\n"), "a\nb\n").contains("- (end of file)\n  + b"));
    }

    #[test]
    fn only_check_is_an_argument() {
        assert_eq!(Mode::parse(&[]), Ok(Mode::Write));
        assert_eq!(Mode::parse(&["--check".to_owned()]), Ok(Mode::Check));
        assert!(Mode::parse(&["--chekc".to_owned()]).is_err());
    }
}
