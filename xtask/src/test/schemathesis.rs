//! The part `schemathesis`: requests made from the API's own description, against the real server.
//!
//! The server is `sayso demo --port 0 --json`: its first line on standard output says where it
//! listens and with which key, and SIGTERM stops it cleanly, which is checked too. Seed and number of
//! examples are fixed, so that a failure can be had again. Before all that the description itself is
//! held against the schema of OpenAPI.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{Verdict, python, python_directory};
use crate::workspace;

const DESCRIPTION: &str = "docs/reference/openapi.json";
const SEED: &str = "20260101";
/// Test cases per operation and phase.
const EXAMPLES_MAX: &str = "25";
/// The whole run; far more than it takes, so that only a hang or a flood of cases meets it.
const RUN_SECONDS_MAX: &str = "300";
const START_MAX: Duration = Duration::from_mins(1);
/// The server drains for up to 20 seconds.
const STOP_MAX: Duration = Duration::from_secs(30);

/// What is asked of which operation.
const CONFIG: &str = ".ci/schemathesis.toml";

/// Where the hooks are that teach schemathesis our media types.
const HOOKS_FOLDER: &str = ".ci";

/// Runs schemathesis against a server of its own.
pub(super) fn run() -> Result<Verdict> {
    let description = workspace::root().join(DESCRIPTION);
    if !description.exists() {
        println!("SKIPPED: {DESCRIPTION} does not exist yet, so the API is NOT tested against it");
        return Ok(Verdict::Skipped(format!("{DESCRIPTION} does not exist yet")));
    }
    let target = workspace::target_directory()?;
    let directory = python_directory()?;
    let program = python::install(&directory)?.join("schemathesis");
    let mut validate = Command::new(program.with_file_name("openapi-spec-validator"));
    if !workspace::succeeds(validate.args(["--errors", "all"]).arg(&description))? {
        return Ok(Verdict::Failed(format!("{DESCRIPTION} is no OpenAPI 3.1: see above")));
    }

    let mut build = workspace::cargo();
    build.args(["build", "--package", "sayso"]);
    ensure!(workspace::succeeds(&mut build)?, "sayso does not build");
    let mut server = Server::start(&target.join("debug/sayso"), &directory)?;

    let status = command(&program, &directory, &server, &description)
        .status()
        .context("starting schemathesis")?;
    if server.has_ended()? {
        return Ok(Verdict::Failed(format!("the server died: see {}", server.log.display())));
    }
    if let Err(error) = server.stop() {
        return Ok(Verdict::Failed(format!("{error:#}")));
    }
    Ok(match status.code() {
        Some(0) => Verdict::Passed,
        Some(124) => Verdict::Failed(format!("not done after {RUN_SECONDS_MAX} s")),
        Some(_) | None => Verdict::Failed("see above".to_owned()),
    })
}

fn command(program: &Path, directory: &Path, server: &Server, description: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--signal=INT", "--kill-after=20", RUN_SECONDS_MAX]).arg(program);
    command.arg("--config-file").arg(workspace::root().join(CONFIG));
    command.args(["--no-color", "run"]).arg(description).args(["--url", &server.url]);
    command.arg("--header").arg(format!("Authorization: Bearer {}", server.api_key));
    command.args(["--phases", "examples,coverage,fuzzing"]);
    command.args(["--seed", SEED, "--max-examples", EXAMPLES_MAX, "--workers", "1"]);
    command.args(["--generation-database", "none", "--request-timeout", "20"]);
    command.env("SCHEMATHESIS_HOOKS", "schemathesis_hooks");
    command.env("PYTHONPATH", workspace::root().join(HOOKS_FOLDER));
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// A demo server; killed when dropped.
struct Server {
    child: Child,
    url: String,
    api_key: String,
    log: PathBuf,
    /// Closes when the server closes its standard output.
    output: Receiver<String>,
}

impl Server {
    fn start(binary: &Path, directory: &Path) -> Result<Self> {
        let log = directory.join("server.log");
        let mut child = Command::new(binary)
            .args(["demo", "--port", "0", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("starting {}", binary.display()))?;
        let (sender, output) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || forward(stdout, &sender));
        }
        // From here on the child is killed whatever happens.
        let mut server =
            Self { child, url: String::new(), api_key: String::new(), log: log.clone(), output };
        let line = server.output.recv_timeout(START_MAX).with_context(|| {
            format!("the demo printed no line on standard output: see {}", log.display())
        })?;
        (server.url, server.api_key) = read_ready_line(&line)?;
        Ok(server)
    }

    fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Asks the server to stop and sees that it does, cleanly and in time.
    fn stop(mut self) -> Result<()> {
        let signal = format!("kill -TERM {}", self.child.id());
        ensure!(workspace::succeeds(Command::new("sh").args(["-c", &signal]))?, "{signal} failed");
        loop {
            match self.output.recv_timeout(STOP_MAX) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    bail!("the server did not stop within {} s of SIGTERM", STOP_MAX.as_secs())
                }
            }
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status} after SIGTERM");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when the server has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn forward(stdout: ChildStdout, sender: &Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if sender.send(line).is_err() {
            return;
        }
    }
}

fn read_ready_line(line: &str) -> Result<(String, String)> {
    let ready: Value = serde_json::from_str(line)
        .with_context(|| format!("the demo's first line is not JSON: {line}"))?;
    let text = |field: &str| {
        let value = ready.get(field).and_then(Value::as_str).map(str::to_owned);
        value.with_context(|| format!("the demo's first line has no text `{field}`: {line}"))
    };
    Ok((text("url")?, text("api_key")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_gives_url_and_key_or_says_what_it_lacks() {
        let line = r#"{"url": "http://127.0.0.1:8080", "api_key": "sk_test_a", "more": 1}"#;
        let ready = read_ready_line(line).expect("the line is complete");
        assert_eq!(ready, ("http://127.0.0.1:8080".to_owned(), "sk_test_a".to_owned()));
        let error = read_ready_line(r#"{"url": "http://127.0.0.1:8080"}"#).expect_err("no key");
        assert!(error.to_string().contains("`api_key`"));
        assert!(read_ready_line("listening").is_err());
    }
}
