//! PostgreSQL: a fresh cluster of this run, on a unix socket, with fsync on.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures_util::SinkExt;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio_postgres::{Client, Config, NoTls};

use crate::child::{Child, find_program};
use crate::machine::memory_bytes;
use crate::scratch::Scratch;

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Postgres {
    child: Child,
    directory: PathBuf,
}

/// Connections to it.
pub(crate) struct Session {
    clients: Vec<Client>,
    /// Drives the connections; they end with this.
    drivers: JoinSet<()>,
}

/// An account: PostgreSQL refuses to run as root.
#[derive(Clone, Copy, Debug)]
struct Account {
    user: u32,
    group: u32,
}

/// Where Debian keeps the programs of the release that is compared with.
const PROGRAMS: [&str; 1] = ["/usr/lib/postgresql/15/bin"];

/// What to say where it is not there.
pub(crate) const ABSENT: &str =
    "PostgreSQL 15 is not installed here (apt-get install postgresql-15)";

/// Where its program is, if it is installed.
pub(crate) fn installed() -> Option<PathBuf> {
    find_program("initdb", &PROGRAMS)?;
    find_program("postgres", &PROGRAMS)
}

/// The account to run it as, where this program runs as root.
fn account() -> Result<Option<Account>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let is_root = status.lines().any(|line| line.starts_with("Uid:\t0\t"));
    if !is_root {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let is_it = fields.next() == Some(name);
            let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            is_it.then_some(Account { user, group })
        })
    };
    find("postgres").or_else(|| find("nobody")).context("no account to run PostgreSQL as").map(Some)
}

fn command(program: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    if let Some(Account { user, group }) = account {
        command.uid(user).gid(group);
    }
    command
}

impl Postgres {
    /// Makes a cluster and starts its server.
    pub(crate) async fn start(program: &Path, scratch: &Scratch) -> Result<Self> {
        let account = account()?;
        let directory = scratch.directory("postgres")?;
        if let Some(Account { user, group }) = account {
            chown(&directory, Some(user), Some(group))?;
        }
        let data = directory.join("data");
        let init = find_program("initdb", &PROGRAMS).context("initdb is missing")?;
        let mut init = command(&init, account);
        init.args([
            "--username=bench",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        init.arg("--pgdata").arg(&data).current_dir(&directory).stdin(Stdio::null());
        let output = init.output().await?;
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "initdb: {words}");

        // An eighth of the memory, as its manual says for a machine that it shares with others.
        let buffers_mib = (memory_bytes() >> 20) / 8;
        let settings = [
            "listen_addresses=".to_owned(),
            format!("shared_buffers={}MB", buffers_mib.clamp(128, 4_096)),
            "max_wal_size=8GB".to_owned(),
            "fsync=on".to_owned(),
            "synchronous_commit=on".to_owned(),
        ];
        let mut server = command(program, account);
        server.arg("-D").arg(&data).arg("-k").arg(&directory).current_dir(&directory);
        settings.iter().for_each(|setting| {
            server.arg("-c").arg(setting);
        });
        let log = scratch.path().join("postgres.log");
        let mut postgres = Self { child: Child::start("postgres", server, log)?, directory };
        let directory = postgres.directory.clone();
        postgres.child.wait_for(async || connect(&directory, 1).await.map(|_| ())).await?;
        Ok(postgres)
    }

    /// The directory of its socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.directory
    }

    /// Connections.
    pub(crate) async fn session(&self, connections: usize) -> Result<Session> {
        connect(&self.directory, connections).await
    }

    /// Stops the server, without waiting for clients to leave.
    pub(crate) async fn stop(self) -> Result<()> {
        self.child.stop_by("-INT").await
    }
}

/// Connections to the server whose socket is in a directory.
pub(crate) async fn connect(directory: &Path, connections: usize) -> Result<Session> {
    let mut config = Config::new();
    config.host_path(directory).user("bench").dbname("postgres");
    let (mut clients, mut drivers) = (Vec::new(), JoinSet::new());
    for _ in 0..connections {
        let (client, connection) = config.connect(NoTls).await?;
        // A connection that fails makes the statement on it fail, which is where it is seen.
        drivers.spawn(async move { drop(connection.await) });
        clients.push(client);
    }
    Ok(Session { clients, drivers })
}

impl Session {
    /// The connections.
    pub(crate) fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// The first connection.
    pub(crate) fn client(&self) -> Result<&Client> {
        self.clients.first().context("no connection to PostgreSQL")
    }

    /// The connections and what drives them, for tasks that outlive a borrow.
    pub(crate) fn into_parts(self) -> (Vec<Client>, JoinSet<()>) {
        (self.clients, self.drivers)
    }

    /// Copies lines of text into a table; gives how many there were.
    pub(crate) async fn copy(
        &self,
        statement: &str,
        lines: impl Iterator<Item = Result<String>>,
    ) -> Result<u64> {
        let sink = self.client()?.copy_in::<_, Bytes>(statement).await?;
        let mut sink = std::pin::pin!(sink);
        let mut piece = String::with_capacity(COPY_BYTES * 2);
        for line in lines {
            piece += &line?;
            piece.push('\n');
            if piece.len() >= COPY_BYTES {
                sink.send(Bytes::from(std::mem::take(&mut piece))).await?;
            }
        }
        sink.send(Bytes::from(piece)).await?;
        Ok(sink.finish().await?)
    }

    /// One number.
    pub(crate) async fn number(&self, query: &str) -> Result<u64> {
        let number: i64 = self.client()?.query_one(query, &[]).await?.try_get(0)?;
        Ok(u64::try_from(number)?)
    }
}

/// Bytes of one piece of a copy.
const COPY_BYTES: usize = 1 << 18;
