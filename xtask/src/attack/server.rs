//! The server that is attacked: the program itself, with a workspace, a site, an opt-in page and people.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::client::{Answer, Request};

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    directory: PathBuf,
    pub(super) address: SocketAddr,
    /// A key that may do everything.
    pub(super) key: String,
    pub(super) site: String,
    /// The path of an opt-in page.
    pub(super) page: String,
}

/// The origin of the site.
pub(super) const ORIGIN: &str = "https://shop.example";

/// The number of somebody; the last four digits tell people of one block apart.
pub(super) fn phone(block: usize, person: usize) -> String {
    format!("+1415{:03}{person:04}", 200 + block)
}

impl Server {
    pub(super) fn start(program: &Path) -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("sayso-attack-{}", std::process::id()));
        std::fs::create_dir(&directory)?;
        let data = directory.join("data");
        let sayso = |arguments: &[&str]| -> Result<String> {
            let mut command = Command::new(program);
            command.args(arguments).arg("--data").arg(&data).current_dir(&directory);
            let output = command.stdin(Stdio::null()).output()?;
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            ensure!(output.status.success(), "sayso {}: {words}", arguments.join(" "));
            Ok(String::from_utf8(output.stdout)?)
        };
        sayso(&["workspaces", "create", "shop", "--test"])?;
        let made: Value = serde_json::from_str(&sayso(&[
            "keys",
            "create",
            "all",
            "--role",
            "admin",
            "--scope",
            "write",
            "--scope",
            "read",
            "--scope",
            "check",
            "--scope",
            "send",
            "--scope",
            "compliance",
            "--highest-standing",
            "act",
            "--json",
        ])?)?;
        let key = made.get("secret").and_then(Value::as_str).context("the key")?.to_owned();
        let mut serve = Command::new(program);
        serve
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--admin",
                "127.0.0.1:0",
                "--json",
                "--data",
            ])
            .arg(&data)
            .current_dir(&directory)
            .env("SAYSO_SERVER__PUBLIC_URL", "https://consent.example")
            .env("SAYSO_LOG__LEVEL", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(directory.join("log"))?);
        let mut child = serve.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let started: Value = serde_json::from_str(&lines.next().context("its first line")??)?;
        let url = started.get("url").and_then(Value::as_str).context("its address")?;
        let address = url.trim_start_matches("http://").trim_end_matches('/').parse()?;
        let mut server =
            Self { child, directory, address, key, site: String::new(), page: String::new() };
        server.furnish()?;
        Ok(server)
    }

    /// A call with the key that may do everything; its answer must be a good one.
    pub(super) fn call(&self, request: Request) -> Result<Answer> {
        let answer = self.ask(request)?;
        ensure!(answer.status < 300, "{}: {}", answer.head, String::from_utf8_lossy(&answer.body));
        Ok(answer)
    }

    /// The same, whatever the answer.
    pub(super) fn ask(&self, request: Request) -> Result<Answer> {
        request.header("authorization", format!("Bearer {}", self.key)).send(self.address)
    }

    /// Makes something, and gives a text of its answer.
    fn make(&self, path: &str, what: &Value, name: &str) -> Result<String> {
        let answer = self.call(Request::json(path, what)).with_context(|| path.to_owned())?;
        let made = answer.json()?;
        let text = made.get(name).and_then(Value::as_str);
        text.map(str::to_owned).with_context(|| format!("no {name} in {made}"))
    }

    fn furnish(&mut self) -> Result<()> {
        let site = json!({ "name": "shop", "origins": [ORIGIN] });
        self.site = self.make("/v1/sites", &site, "site")?;
        let connection = json!({ "name": "phones", "provider": "sandbox" });
        let connection = self.make("/v1/connections", &connection, "id")?;
        let sender = json!({
            "channel": "sms", "name": "Shop", "address": "12345", "connection": connection,
        });
        let sender = self.make("/v1/senders", &sender, "id")?;
        let notice = self.make("/v1/notices", &json!({ "name": "Offers" }), "id")?;
        let words = json!({
            "version": 1, "language": "en", "text": "Yes, write to me.",
            "names": [{ "channel": "sms" }],
        });
        self.call(Request::json(format!("/v1/notices/{notice}/versions"), &words))?;
        let entry = json!({
            "name": "Poster", "sender": sender, "business": "Harbour Books", "address": "12345",
            "prefill": "Hello", "notice": { "id": notice, "version": 1 }, "languages": ["en"],
        });
        let link = self.make("/v1/entry-points", &entry, "link")?;
        let path = link.splitn(4, '/').nth(3).context("a path")?;
        self.page = format!("/{path}");
        Ok(())
    }

    /// Somebody who once said something.
    pub(super) fn knows(&self, phone: &str) -> Result<()> {
        let said =
            json!({ "phone": phone, "channel": "sms", "statement": "opt_out", "standing": "act" });
        self.call(Request::json("/v1/consents", &said)).map(|_| ())
    }

    pub(super) fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        std::fs::remove_dir_all(&self.directory)?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever went wrong, nothing stays behind.
        drop(self.child.kill());
        drop(std::fs::remove_dir_all(&self.directory));
    }
}
