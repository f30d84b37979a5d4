//! Opt-outs while people are erased in a workspace with 10,000 rejects, beside the same opt-outs alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use tokio::time::Instant;

use crate::http::{Load, Maker, Target};
use crate::measure::{Goal, Samples, short};
use crate::people::{PEOPLE_MAX, digits};
use crate::report::{Line, Outcome};
use crate::rig::Rig;
use crate::server::Server;

/// Rejects that lie there: as many as are kept of a workspace.
const REJECTS: u64 = 10_000;
/// Clients that opt people out.
const CLIENTS: usize = 16;

/// By what a person is named who is erased.
#[derive(Clone, Copy, Debug)]
enum NamedBy {
    /// Rejects are found by the hash of a phone.
    Phone,
    /// An id has no form of its own, so all rejects are read.
    ExternalId,
}

/// The values of one way.
#[derive(Default)]
struct Figures {
    beside_p99_ms: Samples,
    beside_p50_ms: Samples,
    alone_p99_ms: Samples,
    erasures: u64,
    put_off: u64,
}

struct Parts {
    target: Target,
    newcomers: Arc<AtomicU64>,
    time: Duration,
}

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let (data, key) = rig.empty_store("erasure").await?;
    let (server, _) = Server::start(&rig.program()?, &data.directory, &key).await?;
    let parts = Parts {
        target: server.target.clone(),
        newcomers: Arc::new(AtomicU64::new(rig.people.first_newcomer())),
        time: rig.time(),
    };
    parts.be_refused().await?;
    let ways = [NamedBy::Phone, NamedBy::ExternalId];
    let mut all = ways.map(|way| (way, Figures::default()));
    for _ in rig.rounds("erasure") {
        for (way, figures) in &mut all {
            parts.round(*way, figures).await?;
        }
    }
    server.stop().await?;
    Ok(outcome(&all))
}

impl Parts {
    fn newcomer(&self) -> Result<u64> {
        let person = self.newcomers.fetch_add(1, Ordering::Relaxed);
        ensure!(person < PEOPLE_MAX, "there are no more people");
        Ok(digits(person))
    }

    /// Sends what is refused and kept.
    async fn be_refused(&self) -> Result<()> {
        let mut connection = self.target.connect().await?;
        for _ in 0..REJECTS {
            let body = format!(
                "{{\"phone\":\"+{}\",\"channel\":\"sms\",\"statement\":\"opt_in\",\"standing\":\"perhaps\"}}",
                self.newcomer()?
            );
            let call = self.target.call(Method::POST, "/v1/consents", Bytes::from(body))?;
            connection.expect(call, StatusCode::UNPROCESSABLE_ENTITY).await?;
        }
        Ok(())
    }

    fn opt_outs(&self) -> Load {
        let make: Maker = Arc::new(|target, person| {
            ensure!(person < PEOPLE_MAX, "there are no more people");
            let body = format!(
                "{{\"phone\":\"+{}\",\"channel\":\"sms\",\"statement\":\"opt_out\",\"standing\":\"act\",\
                 \"method\":\"keyword\"}}",
                digits(person)
            );
            target.call(Method::POST, "/v1/consents", Bytes::from(body))
        });
        let next = Arc::clone(&self.newcomers);
        Load { clients: CLIENTS, time: self.time, make, next, wanted: StatusCode::CREATED }
    }

    /// Erases one after the other until it is time; gives how many.
    async fn erase(&self, way: NamedBy) -> Result<u64> {
        let until = Instant::now() + self.time;
        let mut connection = self.target.connect().await?;
        let mut erased = 0;
        while Instant::now() < until {
            let person = self.newcomer()?;
            let body = match way {
                NamedBy::Phone => format!("{{\"phone\":\"+{person}\",\"reason\":\"ticket 7\"}}"),
                NamedBy::ExternalId => {
                    format!("{{\"external_id\":\"u-{person}\",\"reason\":\"ticket 7\"}}")
                }
            };
            let call = self.target.call(Method::POST, "/v1/erasures", Bytes::from(body))?;
            connection.expect(call, StatusCode::CREATED).await?;
            erased += 1;
        }
        Ok(erased)
    }

    async fn round(&self, way: NamedBy, figures: &mut Figures) -> Result<()> {
        let opt_outs = self.opt_outs();
        let (mut beside, erased) =
            tokio::try_join!(opt_outs.put_on(&self.target), self.erase(way))?;
        figures.beside_p99_ms.push(beside.within_ms(99));
        figures.beside_p50_ms.push(beside.within_ms(50));
        figures.erasures += erased;
        let mut alone = self.opt_outs().put_on(&self.target).await?;
        figures.alone_p99_ms.push(alone.within_ms(99));
        figures.put_off += beside.put_off + alone.put_off;
        Ok(())
    }
}

fn outcome(all: &[(NamedBy, Figures)]) -> Outcome {
    let mut outcome = Outcome::default();
    for (way, figures) in all {
        let by = match way {
            NamedBy::Phone => "by phone",
            NamedBy::ExternalId => "by external id",
        };
        outcome.lines.push(Line {
            job: format!("opt-out while people are erased {by}, p99"),
            unit: "ms",
            ours: figures.beside_p99_ms.clone(),
            rival: "the same opt-outs alone".to_owned(),
            theirs: figures.alone_p99_ms.clone(),
            goal: Goal::AtMost(2.0),
        });
        let p50 = figures.beside_p50_ms.spread().map_or(0.0, |spread| spread.median);
        outcome.notes.push(format!(
            "{by}: {} erasures, one after the other, beside the opt-outs (p50 {} ms); {} requests were answered 503",
            figures.erasures,
            short(p50),
            figures.put_off
        ));
    }
    outcome.notes.push(format!(
        "{CLIENTS} clients opt people out; {REJECTS} rejects of other people lie there; nobody who is erased was known before"
    ));
    outcome
}
