//! Programs that this program starts, and ends again whatever happens.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child as Process, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

/// How long a program may take to be ready: 10 M people are rebuilt in it.
pub(crate) const READY_MAX: Duration = Duration::from_mins(30);
/// How long a program may take to end when it is asked to.
const STOP_MAX: Duration = Duration::from_mins(5);

/// A program that runs. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Child {
    name: &'static str,
    process: Process,
    log: PathBuf,
    output: Option<Lines<BufReader<ChildStdout>>>,
}

impl Child {
    /// Starts a program; what it has to say goes to `log`.
    pub(crate) fn start(name: &'static str, mut command: Command, log: PathBuf) -> Result<Self> {
        let file = std::fs::File::create(&log).with_context(|| log.display().to_string())?;
        command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut process =
            command.spawn().with_context(|| format!("{name} cannot be started: {command:?}"))?;
        let output = process.stdout.take().map(|output| BufReader::new(output).lines());
        Ok(Self { name, process, log, output })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Result<u32> {
        self.process.id().with_context(|| format!("{} has ended", self.name))
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> Result<String> {
        let output = self.output.as_mut().context("its output is not read")?;
        match timeout(READY_MAX, output.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => bail!("{} ended: {}", self.name, self.last_words()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => bail!("{} was not ready in {READY_MAX:?}", self.name),
        }
    }

    /// Waits until `probe` succeeds.
    pub(crate) async fn wait_for(
        &mut self,
        mut probe: impl AsyncFnMut() -> Result<()>,
    ) -> Result<()> {
        let started = Instant::now();
        loop {
            let Err(error) = probe().await else { return Ok(()) };
            if self.process.try_wait()?.is_some() {
                bail!("{} ended: {}", self.name, self.last_words());
            }
            if started.elapsed() > READY_MAX {
                return Err(error.context(format!("{} was not ready in time", self.name)));
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stop_by("-TERM").await
    }

    /// Asks it to end by a signal, and waits until it has.
    pub(crate) async fn stop_by(mut self, name: &str) -> Result<()> {
        signal(self.id()?, name).await?;
        if timeout(STOP_MAX, self.process.wait()).await.is_err() {
            self.process.kill().await?;
            bail!("{} did not end in {STOP_MAX:?}", self.name);
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

async fn signal(process: u32, name: &str) -> Result<()> {
    let status = Command::new("kill").args([name, &process.to_string()]).status().await?;
    if status.success() { Ok(()) } else { bail!("process {process} could not be signalled") }
}

/// Lets a process run on these processors alone; whether that was possible.
pub(crate) async fn pin(process: u32, processors: &str) -> bool {
    let mut command = Command::new("taskset");
    command.args(["-acp", processors, &process.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().await.is_ok_and(|status| status.success())
}

/// The program with this name: in one of the directories, else where programs are.
pub(crate) fn find_program(name: &str, directories: &[&str]) -> Option<PathBuf> {
    let places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    directories
        .iter()
        .chain(&places)
        .map(|place| Path::new(place).join(name))
        .find(|path| path.is_file())
}

/// The first line of what a program says of its version.
pub(crate) async fn version_of(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output().await;
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or("of unknown version").to_owned()
}
