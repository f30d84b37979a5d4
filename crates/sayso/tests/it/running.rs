//! The real binary: commands run to their end, servers started and stopped.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

/// The path of the built binary.
pub(crate) const SAYSO: &str = env!("CARGO_BIN_EXE_sayso");

/// Runs a command to its end.
pub(crate) fn sayso(arguments: &[&str]) -> Output {
    Command::new(SAYSO).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Runs a command on a store and gives its JSON.
pub(crate) fn sayso_json(data: &Path, arguments: &[&str]) -> Value {
    let data = data.to_str().unwrap();
    let output = sayso(&[arguments, &["--data", data, "--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A running server. Killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// `127.0.0.1:1234`.
    pub(crate) address: String,
    /// What the server printed once it was ready.
    pub(crate) greeting: Value,
    /// What it has said on standard error so far.
    said: Arc<Mutex<String>>,
    listening: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a server on a store, on a port of its own.
    pub(crate) fn serve(data: &Path) -> Self {
        Self::serve_with(data, &[], &[])
    }

    /// The same with more arguments and environment variables.
    pub(crate) fn serve_with(data: &Path, more: &[&str], variables: &[(&str, &Path)]) -> Self {
        let data = data.to_str().unwrap();
        let listen = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
        let arguments = [&["serve", "--json", "--data", data], &listen[..], more].concat();
        Self::start(&arguments, variables)
    }

    /// Starts the demo, on a port of its own.
    pub(crate) fn demo() -> Self {
        Self::start(&["demo", "--json", "--port", "0"], &[])
    }

    fn start(arguments: &[&str], variables: &[(&str, &Path)]) -> Self {
        let mut child = Command::new(SAYSO)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let Ok(greeting) = serde_json::from_str::<Value>(&line) else {
            let mut words = String::new();
            child.stderr.take().unwrap().read_to_string(&mut words).unwrap();
            panic!("{arguments:?} did not start: {line}{words}");
        };
        // What a server says later must not fill a pipe that nobody reads.
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let listening = std::thread::spawn({
            let said = Arc::clone(&said);
            move || {
                for line in stderr.lines().map_while(Result::ok) {
                    said.lock().unwrap().extend([line.as_str(), "\n"]);
                }
            }
        });
        let url = greeting["url"].as_str().unwrap();
        let address = url.trim_start_matches("http://").to_owned();
        Self { child, address, greeting, said, listening: Some(listening) }
    }

    /// What the process has said on standard error so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Tells the process to read its configuration again.
    pub(crate) fn reload(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Waits until the process ends by itself; gives its exit code and all it said.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        self.listening.take().unwrap().join().unwrap();
        (code, self.said())
    }

    /// Ends the process at once, as a power cut does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to stop, and waits until it has; whether it says that all went well.
    pub(crate) fn stop(mut self) -> bool {
        self.signal("-TERM");
        self.child.wait().unwrap().success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A process that has ended already needs no kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
