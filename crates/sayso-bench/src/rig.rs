//! What the rows share: the store and its server, the rivals, and how often and how long.
//!
//! Everything is made when a row first needs it, and lasts until the end of the run.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use tokio::time::Instant;

use crate::data::{self, Data};
use crate::options::Options;
use crate::people::{Detail, People, digits, has_email_only};
use crate::postgres::{self, Postgres};
use crate::redis::{self, Redis};
use crate::scratch::Scratch;
use crate::server::{self, Server};

/// The rig.
#[derive(Debug)]
pub(crate) struct Rig {
    /// What was asked for.
    pub(crate) options: Options,
    /// Where the files are.
    pub(crate) scratch: Scratch,
    /// Who is known.
    pub(crate) people: People,
    loaded: Option<Loaded>,
    server: Option<Server>,
    redis: Option<Redis>,
    postgres: Option<Postgres>,
    has_contacts: Contacts,
}

/// A store with everybody in it.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The store.
    pub(crate) data: Data,
    /// The key of the benchmark.
    pub(crate) key: String,
    /// How many events it holds.
    pub(crate) events: u64,
    /// What it took to load, through the store in this process.
    pub(crate) time: Duration,
}

/// Whether PostgreSQL has the table of contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contacts {
    NotYet,
    Copied,
}

/// What was read of an audience.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audience {
    /// How many people.
    pub(crate) people: u64,
    /// The time from the request to the last byte.
    pub(crate) time: Duration,
}

impl Rig {
    /// A rig with nothing made yet.
    pub(crate) fn new(options: Options, scratch: Scratch) -> Result<Self> {
        let detail = if options.plain { Detail::Plain } else { Detail::Scoped };
        let people = People::new(options.contacts, detail)?;
        Ok(Self {
            options,
            scratch,
            people,
            loaded: None,
            server: None,
            redis: None,
            postgres: None,
            has_contacts: Contacts::NotYet,
        })
    }

    /// How long one measurement takes in one round.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(self.options.seconds)
    }

    /// The rounds, told as they begin.
    pub(crate) fn rounds(&self, row: &'static str) -> impl Iterator<Item = u32> + use<> {
        let rounds = self.options.rounds;
        (0..rounds).inspect(move |round| eprintln!("{row}: round {} of {rounds}", round + 1))
    }

    /// The program that is measured.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        server::find(self.options.sayso.as_deref())
    }

    /// A new store with a key and nobody in it.
    pub(crate) async fn empty_store(&self, name: &str) -> Result<(Data, String)> {
        let directory = self.scratch.directory(name)?;
        let data = data::furnish(directory, self.people.detail).await?;
        let key = server::make_key(&self.program()?, &data.directory).await?;
        Ok((data, key))
    }

    /// The store with everybody in it.
    pub(crate) async fn loaded(&mut self) -> Result<Loaded> {
        if let Some(loaded) = &self.loaded {
            return Ok(loaded.clone());
        }
        let (data, key) = self.empty_store("loaded").await?;
        eprintln!("loading {} people", self.people.contacts);
        let started = Instant::now();
        let (of_thread, people) = (data.clone(), self.people.clone());
        let filling = tokio::task::spawn_blocking(move || data::fill(&of_thread, &people));
        let events = filling.await??;
        let time = started.elapsed();
        eprintln!("loaded {events} events in {time:.1?}");
        Ok(self.loaded.insert(Loaded { data, key, events, time }).clone())
    }

    /// Whether that store was made.
    pub(crate) const fn is_loaded(&self) -> bool {
        self.loaded.is_some()
    }

    /// The server of that store.
    pub(crate) async fn server(&mut self) -> Result<&Server> {
        if self.server.is_none() {
            let loaded = self.loaded().await?;
            let (server, _) =
                Server::start(&self.program()?, &loaded.data.directory, &loaded.key).await?;
            self.server = Some(server);
        }
        self.server.as_ref().context("the server was started")
    }

    /// Stops the server of that store, if it runs.
    pub(crate) async fn stop_server(&mut self) -> Result<()> {
        match self.server.take() {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }

    /// Redis with everybody in its set; `None` where it is not installed.
    pub(crate) async fn redis(&mut self) -> Result<Option<&mut Redis>> {
        if self.redis.is_none()
            && let Some(program) = redis::installed()
        {
            self.redis = Some(Redis::start(program, &self.scratch, &self.people).await?);
        }
        Ok(self.redis.as_mut())
    }

    /// Stops Redis and starts it again; gives the time to its first answer, or `None` where it is not installed.
    pub(crate) async fn restart_redis(&mut self) -> Result<Option<Duration>> {
        let Some(redis) = self.redis.take() else { return Ok(None) };
        let (redis, time) = redis.restart().await?;
        self.redis = Some(redis);
        Ok(Some(time))
    }

    /// PostgreSQL; `None` where it is not installed.
    pub(crate) async fn postgres(&mut self) -> Result<Option<&Postgres>> {
        if self.postgres.is_none()
            && let Some(program) = postgres::installed()
        {
            self.postgres = Some(Postgres::start(&program, &self.scratch).await?);
        }
        Ok(self.postgres.as_ref())
    }

    /// PostgreSQL with a table of every contact's state on two channels, whose audience on SMS is the
    /// very one that our server gives.
    pub(crate) async fn postgres_with_contacts(&mut self) -> Result<Option<&Postgres>> {
        if self.postgres().await?.is_some() && self.has_contacts == Contacts::NotYet {
            let mut opted_in = HashSet::new();
            read_audience(self.server().await?, |line| {
                opted_in.insert(line.digits()?);
                Ok(())
            })
            .await?;
            let people = self.people.contacts;
            if let Some(postgres) = self.postgres().await? {
                eprintln!("copying {people} contacts into PostgreSQL");
                copy_contacts(postgres, people, &opted_in).await?;
            }
            self.has_contacts = Contacts::Copied;
        }
        self.postgres().await
    }

    /// Stops whatever runs.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.stop_server().await?;
        if let Some(redis) = self.redis.take() {
            redis.stop().await?;
        }
        if let Some(postgres) = self.postgres.take() {
            postgres.stop().await?;
        }
        Ok(())
    }
}

/// Where a person of the audience is reached.
#[derive(Deserialize)]
pub(crate) struct AudienceLine<'a> {
    phone: &'a str,
}

impl AudienceLine<'_> {
    fn digits(&self) -> Result<u64> {
        Ok(self.phone.trim_start_matches('+').parse()?)
    }
}

/// The audience that is asked for.
pub(crate) const AUDIENCE: &str = "/v1/consents?channel=sms&status=opted_in";

/// Reads the audience on SMS, each line as what it says.
async fn read_audience(
    server: &Server,
    mut each: impl FnMut(AudienceLine<'_>) -> Result<()>,
) -> Result<()> {
    let call = server.target.call(Method::GET, AUDIENCE, Bytes::new())?;
    let mut connection = server.target.connect().await?;
    let body = connection.expect(call, StatusCode::OK).await?;
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Ok(serde_json::from_slice(line)?)).try_for_each(|line: Result<_>| each(line?))
}

/// Reads the audience on SMS as it comes, counting its lines.
pub(crate) async fn time_audience(server: &Server) -> Result<Audience> {
    let call = server.target.call(Method::GET, AUDIENCE, Bytes::new())?;
    let mut connection = server.target.connect().await?;
    let started = Instant::now();
    let response = connection.begin(call).await?;
    anyhow::ensure!(response.status() == StatusCode::OK, "the audience: {}", response.status());
    let mut body = response.into_body();
    let mut people = 0_u64;
    while let Some(frame) = body.frame().await {
        if let Some(piece) = frame?.data_ref() {
            let pieces = piece.split(|byte| *byte == b'\n').count();
            people += u64::try_from(pieces)? - 1;
        }
    }
    Ok(Audience { people, time: started.elapsed() })
}

async fn copy_contacts(postgres: &Postgres, people: u64, opted_in: &HashSet<u64>) -> Result<()> {
    let session = postgres.session(1).await?;
    let client = session.client()?;
    client
        .batch_execute(
            "CREATE TABLE contact (
                 phone bigint NOT NULL, channel smallint NOT NULL, status smallint NOT NULL,
                 level smallint NOT NULL, source smallint NOT NULL, since bigint NOT NULL,
                 changed_at bigint NOT NULL, PRIMARY KEY (phone, channel))",
        )
        .await?;
    let lines = (0..people).filter(|person| !has_email_only(*person)).flat_map(|person| {
        let phone = digits(person);
        let on_sms = if opted_in.contains(&phone) { 1 } else { 2 };
        [(2, on_sms), (1, person % 3)].map(|(channel, status)| {
            Ok(format!("{phone}\t{channel}\t{status}\t2\t1\t1767225600000000\t1767225600000000"))
        })
    });
    session.copy("COPY contact FROM STDIN", lines).await?;
    session.client()?.batch_execute("VACUUM ANALYZE contact").await?;
    Ok(())
}
