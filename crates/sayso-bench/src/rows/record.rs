//! One consent, durable, over HTTP: with 1, 64 and 256 clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures_util::future::try_join_all;
use hyper::{Method, StatusCode};
use tokio::time::Instant;
use tokio_postgres::{Client, Statement};

use crate::data::{self, RowBytes};
use crate::http::{Answers, Load, Maker, Target};
use crate::measure::{Goal, Samples, float, short};
use crate::people::{NOTICE, PEOPLE_MAX, digits, mix};
use crate::postgres::{self, Session};
use crate::report::{Line, Outcome};
use crate::rig::Rig;
use crate::server::Server;

/// How many clients there are.
const CLIENTS: [usize; 3] = [1, 64, 256];
/// The number of clients at which a full store is compared with an empty one.
const CLIENTS_OF_GROWTH: usize = 64;
/// Connections to PostgreSQL, shared by the clients.
const CONNECTIONS: usize = 16;
/// A time that was: the consent is recorded.
pub(super) const PAST: &str = "2026-03-01T09:30:00Z";
/// A time that is to come: the request is read in full, and refused.
const FUTURE: &str = "2999-03-01T09:30:00Z";

/// The values for one number of clients.
#[derive(Default)]
struct Figures {
    ours: Samples,
    floor: Samples,
    postgres: Samples,
    p50_ms: Samples,
    p99_ms: Samples,
    floor_p99_ms: Samples,
    empty: Samples,
    put_off: u64,
}

/// What is compared in a round.
struct Parts {
    target: Target,
    empty: Server,
    postgres: Option<Rival>,
    newcomers: Arc<AtomicU64>,
    time: Duration,
}

/// PostgreSQL with its tables.
pub(super) struct Rival {
    session: Session,
    /// The statement, on each connection.
    statements: Vec<Statement>,
    bytes: RowBytes,
    /// How many events were begun.
    begun: AtomicU64,
}

/// Makes a consent of somebody who said nothing before.
pub(super) fn maker(occurred_at: &'static str) -> Maker {
    Arc::new(move |target, person| {
        ensure!(person < PEOPLE_MAX, "there are no more people");
        let body = format!(
            "{{\"phone\":\"+{}\",\"channel\":\"sms\",\"statement\":\"opt_in\",\"standing\":\"act\",\
             \"occurred_at\":\"{occurred_at}\",\"method\":\"checkbox\",\
             \"notice\":{{\"id\":\"{NOTICE}\",\"version\":1,\"language\":\"en\"}},\
             \"evidence\":{{\"page\":\"https://shop.example/checkout/thank-you\",\"ip\":\"203.0.113.77\",\
             \"user_agent\":\"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/131.0.0.0 Mobile Safari/537.36\"}}}}",
            digits(person)
        );
        target.call(Method::POST, "/v1/consents", Bytes::from(body))
    })
}

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let loaded = rig.loaded().await?;
    let bytes = data::row_bytes(&loaded.data.directory)?;
    let (empty, key) = rig.empty_store("empty").await?;
    let (empty, _) = Server::start(&rig.program()?, &empty.directory, &key).await?;
    let postgres = match rig.postgres().await? {
        Some(postgres) => Some(Rival::new(postgres.session(CONNECTIONS).await?, bytes).await?),
        None => None,
    };
    let parts = Parts {
        target: rig.server().await?.target.clone(),
        empty,
        postgres,
        newcomers: Arc::new(AtomicU64::new(rig.people.first_newcomer())),
        time: rig.time(),
    };
    let mut all = CLIENTS.map(|clients| (clients, Figures::default()));
    for _ in rig.rounds("record") {
        for (clients, figures) in &mut all {
            parts.round(*clients, figures).await?;
        }
    }
    let has_postgres = parts.postgres.is_some();
    parts.empty.stop().await?;
    let mut outcome = outcome(&all, loaded.events);
    if !has_postgres {
        outcome.left_out.push(postgres::ABSENT.to_owned());
    }
    Ok(outcome)
}

impl Parts {
    async fn round(&self, clients: usize, figures: &mut Figures) -> Result<()> {
        let load = |occurred_at, wanted| Load {
            clients,
            time: self.time,
            make: maker(occurred_at),
            next: Arc::clone(&self.newcomers),
            wanted,
        };
        let mut ours = load(PAST, StatusCode::CREATED).put_on(&self.target).await?;
        figures.ours.push(ours.rate());
        figures.p50_ms.push(ours.within_ms(50));
        figures.p99_ms.push(ours.within_ms(99));
        figures.put_off += ours.put_off;
        let refused = load(FUTURE, StatusCode::UNPROCESSABLE_ENTITY);
        // Nothing is stored of these, so they take no newcomers.
        let refused = Load { next: Arc::default(), ..refused };
        let mut floor: Answers = refused.put_on(&self.target).await?;
        figures.floor.push(floor.rate());
        figures.floor_p99_ms.push(floor.within_ms(99));
        if let Some(rival) = &self.postgres {
            figures.postgres.push(rival.insert(clients, self.time).await?);
        }
        if clients == CLIENTS_OF_GROWTH {
            let empty = load(PAST, StatusCode::CREATED).put_on(&self.empty.target).await?;
            figures.empty.push(empty.rate());
            figures.put_off += empty.put_off;
        }
        Ok(())
    }
}

/// The ledger and the state of the same event, as one statement.
const TABLES: &str = "
    CREATE TABLE event (
        row bigserial PRIMARY KEY, address_key bytea NOT NULL, event_id bytea NOT NULL UNIQUE,
        recorded_at bigint NOT NULL, request_hash bytea NOT NULL, leaf_hash bytea NOT NULL,
        facts bytea NOT NULL, sealed bytea);
    CREATE TABLE state (
        address_key bytea NOT NULL, channel smallint NOT NULL, status smallint NOT NULL,
        occurred_at bigint NOT NULL, PRIMARY KEY (address_key, channel))";
const STATEMENT: &str = "
    WITH ledger AS (
        INSERT INTO event (address_key, event_id, recorded_at, request_hash, leaf_hash, facts, sealed)
        VALUES ($1, $2, $3, $4, $4, $5, $6))
    INSERT INTO state (address_key, channel, status, occurred_at) VALUES ($1, 2, 1, $3)
    ON CONFLICT (address_key, channel) DO UPDATE
    SET status = excluded.status, occurred_at = excluded.occurred_at
    WHERE state.occurred_at <= excluded.occurred_at";

/// The same for many events at once, as a group commit would do it.
const GROUP: &str = "
    WITH sent AS (
        SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) AS t (key, id, at)),
    ledger AS (
        INSERT INTO event (address_key, event_id, recorded_at, request_hash, leaf_hash, facts, sealed)
        SELECT key, id, at, $4, $4, $5, $6 FROM sent)
    INSERT INTO state (address_key, channel, status, occurred_at) SELECT key, 2, 1, at FROM sent
    ON CONFLICT (address_key, channel) DO UPDATE
    SET status = excluded.status, occurred_at = excluded.occurred_at
    WHERE state.occurred_at <= excluded.occurred_at";

/// Two different numbers of 16 random bytes: keys and ids are random in both stores.
fn sixteen(turn: u64, salt: u64) -> Vec<u8> {
    [mix(turn ^ salt).to_be_bytes(), mix(!turn ^ salt).to_be_bytes()].concat()
}

impl Rival {
    /// Makes the tables, empty.
    pub(super) async fn new(session: Session, bytes: RowBytes) -> Result<Self> {
        session.client()?.batch_execute("DROP TABLE IF EXISTS event, state").await?;
        session.client()?.batch_execute(TABLES).await?;
        let mut statements = Vec::new();
        for client in session.clients() {
            statements.push(client.prepare(STATEMENT).await?);
        }
        Ok(Self { session, statements, bytes, begun: AtomicU64::new(0) })
    }

    /// Inserts events, each in a transaction of its own; gives events a second.
    async fn insert(&self, clients: usize, time: Duration) -> Result<f64> {
        let started = Instant::now();
        let connections: Vec<(&Client, &Statement)> =
            self.session.clients().iter().zip(&self.statements).collect();
        let workers = connections
            .iter()
            .cycle()
            .take(clients)
            .map(|(client, statement)| self.be_client(client, statement, started + time));
        let done: u64 = try_join_all(workers).await?.into_iter().sum();
        Ok(float(done) / started.elapsed().as_secs_f64())
    }

    /// Inserts groups of events on one connection, a transaction each; gives events a second.
    pub(super) async fn insert_groups(&self, events: usize, time: Duration) -> Result<f64> {
        let client = self.session.client()?;
        let statement = client.prepare(GROUP).await?;
        let (facts, sealed) = (vec![0xfa_u8; self.bytes.facts], vec![0x5e_u8; self.bytes.sealed]);
        let hash = [0x4a_u8; 32];
        let started = Instant::now();
        let mut done = 0;
        while started.elapsed() < time {
            let first = self.begun.fetch_add(u64::try_from(events)?, Ordering::Relaxed);
            let turns: Vec<u64> = (first..).take(events).collect();
            let keys: Vec<Vec<u8>> = turns.iter().map(|turn| sixteen(*turn, 0)).collect();
            let ids: Vec<Vec<u8>> = turns.iter().map(|turn| sixteen(*turn, 1 << 63)).collect();
            let times: Vec<i64> =
                turns.iter().map(|turn| i64::try_from(*turn)).collect::<Result<_, _>>()?;
            client
                .execute(&statement, &[&keys, &ids, &times, &hash.as_slice(), &facts, &sealed])
                .await?;
            done += u64::try_from(events)?;
        }
        Ok(float(done) / started.elapsed().as_secs_f64())
    }

    async fn be_client(
        &self,
        client: &Client,
        statement: &Statement,
        until: Instant,
    ) -> Result<u64> {
        let (facts, sealed) = (vec![0xfa_u8; self.bytes.facts], vec![0x5e_u8; self.bytes.sealed]);
        let hash = [0x4a_u8; 32];
        let mut done = 0;
        while Instant::now() < until {
            let turn = self.begun.fetch_add(1, Ordering::Relaxed);
            let (key, id) = (sixteen(turn, 0), sixteen(turn, 1 << 63));
            let at = i64::try_from(turn)?;
            client.execute(statement, &[&key, &id, &at, &hash.as_slice(), &facts, &sealed]).await?;
            done += 1;
        }
        Ok(done)
    }
}

fn outcome(all: &[(usize, Figures)], events: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for (clients, figures) in all {
        let name = if *clients == 1 { "1 client".to_owned() } else { format!("{clients} clients") };
        let mut line = |job: &str,
                        unit,
                        (ours, rival, theirs): (&Samples, &str, &Samples),
                        goal| {
            if theirs.spread().is_some() {
                let (ours, theirs) = (ours.clone(), theirs.clone());
                let job = format!("{name}{job}");
                outcome.lines.push(Line { job, unit, ours, rival: rival.to_owned(), theirs, goal });
            }
        };
        let floor = "the same request, refused after full parsing (422)";
        line("", "consents/s", (&figures.ours, floor, &figures.floor), Goal::AtLeast(0.4));
        let rival = "PostgreSQL, one statement each, at most 16 connections";
        line("", "consents/s", (&figures.ours, rival, &figures.postgres), Goal::AtLeast(2.0));
        let growth = format!("an empty store beside {events} events");
        line("", "consents/s", (&figures.ours, &growth, &figures.empty), Goal::AtLeast(0.8));
        line(", p99", "ms", (&figures.p99_ms, floor, &figures.floor_p99_ms), Goal::Shown);
        let (p50, p99) = (figures.p50_ms.spread(), figures.p99_ms.spread());
        if let Some((p50, p99)) = p50.zip(p99) {
            let note =
                format!("{name}: p50 {} ms, p99 {} ms", short(p50.median), short(p99.median));
            outcome.notes.push(note);
        }
        if figures.put_off > 0 {
            let note = format!(
                "{name}: {} requests were answered 503 and are not counted",
                figures.put_off
            );
            outcome.notes.push(note);
        }
    }
    outcome.notes.extend([
        "the floor is no constant route: it reads the request in full and answers a problem instead of a consent; what is refused is kept among the rejects, which costs the floor a little".to_owned(),
        "PostgreSQL is asked directly, without HTTP before it; ledger and state are one statement, with a unique event id".to_owned(),
        "one fdatasync of this disk may be acknowledged from a cache: look at the rate against the number of clients".to_owned(),
    ]);
    outcome.left_out.extend([
        "PostgreSQL behind the same group commit: beside the engine, where no HTTP hides it"
            .to_owned(),
        "five minutes at a stretch, unless --seconds says so".to_owned(),
    ]);
    outcome
}
