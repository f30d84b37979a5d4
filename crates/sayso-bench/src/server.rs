//! The program that is measured.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::Instant;

use crate::child::Child;
use crate::http::Target;

/// The server, running.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens, and with which key.
    pub(crate) target: Target,
}

#[derive(Deserialize)]
struct Greeting {
    url: String,
}

#[derive(Deserialize)]
struct KeyMade {
    secret: String,
}

/// The program: the one that was named, else the one beside this program.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf> {
    let path = match named {
        Some(path) => path.to_path_buf(),
        None => std::env::current_exe()?.with_file_name("sayso"),
    };
    ensure!(
        path.is_file(),
        "{} is missing: build it (cargo build --profile dist -p sayso), or name it with --sayso",
        path.display()
    );
    Ok(path.canonicalize()?)
}

/// Makes an API key in a store that no server owns.
pub(crate) async fn make_key(program: &Path, directory: &Path) -> Result<String> {
    let mut command = program_in(program, directory);
    command.args(["keys", "create", "bench", "--json"]);
    command.args(["--scope", "check", "--scope", "read", "--scope", "write"]);
    command.args(["--scope", "configure", "--scope", "compliance"]);
    command.args(["--highest-standing", "act"]);
    command.stdin(Stdio::null());
    let output = command.output().await?;
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "sayso keys create: {words}");
    let made: KeyMade = serde_json::from_slice(&output.stdout).context("sayso keys create")?;
    Ok(made.secret)
}

/// The settings that are not the defaults: one key may ask, and record, as often as it can, which is
/// what is measured, so may the one network that people come from, over as many connections, and the refused requests of the floor are not logged one by one.
const SETTINGS: [(&str, &str); 7] = [
    ("SAYSO_LIMITS__KEY_REQUESTS", "4294967295"),
    ("SAYSO_LIMITS__KEY_SECONDS", "1"),
    ("SAYSO_LIMITS__NETWORK_REQUESTS", "4294967295"),
    ("SAYSO_LIMITS__NETWORK_SECONDS", "1"),
    ("SAYSO_LIMITS__WORKSPACE_EVENTS", "4294967295"),
    ("SAYSO_SERVER__NETWORK_CONNECTIONS_MAX", "4096"),
    ("SAYSO_LOG__LEVEL", "warn"),
];

fn program_in(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--data").arg(directory).current_dir(directory).envs(SETTINGS);
    command
}

impl Server {
    /// Starts it; gives it back with the time from its start to its first decision.
    pub(crate) async fn start(
        program: &Path,
        directory: &Path,
        key: &str,
    ) -> Result<(Self, Duration)> {
        let mut command = program_in(program, directory);
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json"]);
        let started = Instant::now();
        let mut child = Child::start("sayso serve", command, directory.join("bench-serve.log"))?;
        let greeting = child.line().await?;
        let Greeting { url } = serde_json::from_str(&greeting).context(greeting)?;
        let target = Target::new(&url, key)?;
        let question = Bytes::from_static(br#"{"channel":"email","email":"nobody@mail.example"}"#);
        let call = target.call(Method::POST, "/v1/check", question)?;
        target.connect().await?.expect(call, StatusCode::OK).await?;
        Ok((Self { child, target }, started.elapsed()))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id()
    }

    /// Stops it, as an operator does.
    pub(crate) async fn stop(self) -> Result<()> {
        self.child.stop().await
    }
}
