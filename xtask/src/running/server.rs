//! A server: the program itself, in a directory and on a port of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::client::{Answer, Request};
use super::shop::Shop;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    program: PathBuf,
    child: Child,
    directory: PathBuf,
    pub(crate) address: SocketAddr,
    /// A key that may do everything.
    pub(crate) key: String,
    pub(crate) shop: Shop,
}

/// What stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing: all requests come from one network.
    Nothing,
    /// A proxy that says whose requests they are.
    Proxy,
}

/// How the server is called from outside.
pub(crate) const URL: &str = "https://consent.example";

/// The number of somebody; the last four digits tell people of one block apart.
pub(crate) fn phone(block: usize, person: usize) -> String {
    format!("+1415{:03}{person:04}", 200 + block)
}

impl Server {
    pub(crate) fn start(program: &Path, before: Before) -> Result<Self> {
        let name = format!("sayso-xtask-{}-{before:?}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir(&directory)?;
        succeed(sayso(program, &directory, &["workspaces", "create", "shop", "--test"])?)?;
        let made = ["keys", "create", "all", "--role", "admin", "--json"];
        let made = succeed(sayso(program, &directory, &made)?)?;
        let made: Value = serde_json::from_str(&made)?;
        let key = made.get("secret").and_then(Value::as_str).context("the key")?.to_owned();
        let (child, address) = serve(program, &directory, before)?;
        let (program, shop) = (program.to_owned(), Shop::default());
        let mut server = Self { program, child, directory, address, key, shop };
        server.shop = Shop::furnish(&server)?;
        Ok(server)
    }

    /// Starts it again on its files, after it was stopped.
    pub(crate) fn start_again(&mut self, before: Before) -> Result<()> {
        (self.child, self.address) = serve(&self.program, &self.directory, before)?;
        Ok(())
    }

    /// Runs the program on the server's store.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Output> {
        sayso(&self.program, &self.directory, arguments)
    }

    /// Runs the program on a store that the arguments name.
    pub(crate) fn run_elsewhere(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.directory);
        Ok(command.stdin(Stdio::null()).output()?)
    }

    /// A directory of its own, with the data, the log and whatever is put there.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Memory that the process takes, in bytes.
    pub(crate) fn resident(&self) -> Result<usize> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().split(' ').next()).context("no VmRSS")?;
        Ok(kibibytes.parse::<usize>()? << 10)
    }

    /// A call with the key that may do everything; its answer must be a good one.
    pub(crate) fn call(&self, request: Request) -> Result<Answer> {
        let asked = format!("{} {}", request.path(), request.text());
        let answer = self.ask(request)?;
        ensure!(
            answer.status < 300,
            "{asked}: {}: {}",
            answer.head,
            String::from_utf8_lossy(&answer.body)
        );
        Ok(answer)
    }

    /// The same, whatever the answer.
    pub(crate) fn ask(&self, request: Request) -> Result<Answer> {
        request.header("authorization", format!("Bearer {}", self.key)).send(self.address)
    }

    /// The same without a key.
    pub(crate) fn meet(&self, request: &Request) -> Result<Answer> {
        request.send(self.address)
    }

    /// Makes something, and gives a text of its answer.
    pub(crate) fn make(&self, path: &str, what: &Value, name: &str) -> Result<String> {
        let answer = self.call(Request::json(path, what)).with_context(|| path.to_owned())?;
        let made = answer.json()?;
        let text = made.get(name).and_then(Value::as_str);
        text.map(str::to_owned).with_context(|| format!("no {name} in {made}"))
    }

    /// Somebody who once said something.
    pub(crate) fn knows(&self, phone: &str) -> Result<()> {
        let said =
            json!({ "phone": phone, "channel": "sms", "statement": "opt_out", "standing": "act" });
        self.call(Request::json("/v1/consents", &said)).map(|_| ())
    }

    /// Stops it as an operator does; its files stay.
    pub(crate) fn stop(&mut self) -> Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let ended = self.child.wait()?;
        ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever went wrong, nothing stays behind.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

fn sayso(program: &Path, directory: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(program);
    command.args(arguments).arg("--data").arg(directory.join("data"));
    Ok(command.current_dir(directory).stdin(Stdio::null()).output()?)
}

/// What a command printed that must not fail.
pub(crate) fn succeed(output: Output) -> Result<String> {
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "sayso: {words}");
    Ok(String::from_utf8(output.stdout)?)
}

fn serve(program: &Path, directory: &Path, before: Before) -> Result<(Child, SocketAddr)> {
    let mut serve = Command::new(program);
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json", "--data"])
        .arg(directory.join("data"))
        .current_dir(directory)
        .env("SAYSO_SERVER__PUBLIC_URL", URL)
        .env("SAYSO_LOG__LEVEL", "info")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(directory.join("log"))?);
    if before == Before::Proxy {
        serve.env("SAYSO_SERVER__TRUSTED_PROXIES", "127.0.0.1");
    }
    let mut child = serve.spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let started: Value = serde_json::from_str(&lines.next().context("its first line")??)?;
    let url = started.get("url").and_then(Value::as_str).context("its address")?;
    let address = url.trim_start_matches("http://").trim_end_matches('/').parse()?;
    Ok((child, address))
}
