//! Where the workspace is, what files it has, and how cargo describes it.
//!
//! Everything else in this program gets its facts from here, as values, so that the rules stay
//! pure functions.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The platforms that releases are built for; the dependency graph is judged for these.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// One file of the repository: committed, or new and not ignored.
#[derive(Debug)]
pub(crate) struct File {
    /// The path from the root of the repository, with `/` between its parts.
    pub(crate) path: String,
    /// The content; empty for a file that is not UTF-8, about which no rule says anything.
    pub(crate) text: String,
}

/// Whether the path ends in the extension, spelled as this repository spells it: in lower case.
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension() == Some(OsStr::new(extension))
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// Every file that git tracks or would track.
pub(crate) fn files() -> Result<Vec<File>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listing = stdout_of(Command::new("git").args(arguments))?;
    let mut files = Vec::new();
    for path in listing.split('\0').filter(|path| !path.is_empty()) {
        let full = root().join(path);
        // A file deleted but not yet committed is still listed, and a submodule is a directory.
        if full.is_file() {
            let bytes = std::fs::read(&full).with_context(|| format!("reading {path}"))?;
            let text = String::from_utf8(bytes).unwrap_or_default();
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

/// What `cargo metadata` says of the workspace and all it depends on.
pub(crate) fn metadata() -> Result<Value> {
    let mut cargo = cargo();
    cargo.args(["metadata", "--format-version", "1", "--all-features"]);
    for platform in PLATFORMS {
        cargo.args(["--filter-platform", platform]);
    }
    serde_json::from_str(&stdout_of(&mut cargo)?).context("reading the output of cargo metadata")
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let mut cargo = cargo();
    cargo.args(["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&stdout_of(&mut cargo)?)?;
    let directory = metadata.get("target_directory").and_then(Value::as_str);
    Ok(directory.context("cargo metadata names no target directory")?.into())
}

/// A cargo command in the root of the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root());
    command
}

/// Runs a command with its output on the terminal; says whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.status().with_context(|| format!("starting {}", name(command)))?;
    Ok(status.success())
}

/// Runs a command for its standard output, which must be text; an unsuccessful end is an error.
pub(crate) fn stdout_of(command: &mut Command) -> Result<String> {
    if command.get_current_dir().is_none() {
        command.current_dir(root());
    }
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("starting {}", name(command)))?;
    ensure!(output.status.success(), "{} ended with {}", name(command), output.status);
    String::from_utf8(output.stdout).with_context(|| format!("output of {}", name(command)))
}

fn name(command: &Command) -> String {
    let program = [command.get_program()];
    let words: Vec<_> =
        program.into_iter().chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    format!("`{}`", words.join(" "))
}
