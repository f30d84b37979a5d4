//! A provider's "Stop" while strangers flood the tag from 64 connections, beside the same "Stop" alone.
//!
//! The limit of a network is as good as none here, so every page of the flood is read, and its refusals
//! wait in their lane.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use hyper::header::{HeaderValue, ORIGIN};
use hyper::{Method, StatusCode};
use sayso_core::words::source::SourceName;
use sayso_core::workspace::{Change, Site};
use sayso_store::Store;
use sayso_store::configure::configure_now;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::webhooks::{connect, maker};
use crate::data::{self, Data};
use crate::http::{Load, Target};
use crate::measure::{Goal, Samples, short};
use crate::people::{PEOPLE_MAX, digits};
use crate::report::{Line, Outcome};
use crate::rig::Rig;
use crate::server::Server;

/// Connections of the flood.
const STRANGERS: usize = 64;
/// Clients of the provider.
const CLIENTS: usize = 16;
/// Calls of the provider a second: people who say "Stop".
const PACE: f64 = 200.0;
const ORIGIN_OF_SITE: &str = "https://shop.example";
const SITE: &str = "site_00000000000000000000000001";

/// The values of all rounds.
#[derive(Default)]
struct Figures {
    beside_p99_ms: Samples,
    beside_p50_ms: Samples,
    alone_p99_ms: Samples,
    taken: u64,
    put_off: u64,
}

struct Parts {
    target: Target,
    newcomers: Arc<AtomicU64>,
    time: Duration,
}

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let (data, key) = rig.empty_store("flood").await?;
    connect(&data).await?;
    open_site(&data).await?;
    let (server, _) = Server::start(&rig.program()?, &data.directory, &key).await?;
    let parts = Parts {
        target: server.target.clone(),
        newcomers: Arc::new(AtomicU64::new(rig.people.first_newcomer())),
        time: rig.time(),
    };
    let mut figures = Figures::default();
    for _ in rig.rounds("flood") {
        parts.round(&mut figures).await?;
    }
    server.stop().await?;
    Ok(outcome(&figures))
}

/// Gives a store a site whose pages anybody can pretend to be.
async fn open_site(data: &Data) -> Result<()> {
    let store = data::open(&data.directory)?;
    let site = Site {
        name: SourceName::parse("shop")?,
        origins: vec![ORIGIN_OF_SITE.into()],
        user_hash_secret: None,
        requires_user_hash: false,
        deleted_at: None,
    };
    let change = Change::Site(SourceName::parse(SITE)?, site);
    configure_now(&*store, data.workspace, change).await?;
    Ok(store.close().await?)
}

impl Parts {
    fn stops(&self) -> Load {
        Load {
            clients: CLIENTS,
            time: self.time,
            make: maker("Stop"),
            next: Arc::clone(&self.newcomers),
            wanted: StatusCode::OK,
        }
    }

    async fn round(&self, figures: &mut Figures) -> Result<()> {
        let stops = self.stops();
        let flood = self.flood();
        let (beside, (taken, put_off)) =
            tokio::try_join!(stops.put_steadily_on(&self.target, PACE), flood)?;
        let mut beside = beside;
        figures.beside_p99_ms.push(beside.within_ms(99));
        figures.beside_p50_ms.push(beside.within_ms(50));
        figures.taken += taken;
        figures.put_off += put_off;
        let mut alone = self.stops().put_steadily_on(&self.target, PACE).await?;
        figures.alone_p99_ms.push(alone.within_ms(99));
        Ok(())
    }

    /// Refuses for one person after the other from every connection until it is time; gives how many pages
    /// were taken, and how many were asked to come back.
    async fn flood(&self) -> Result<(u64, u64)> {
        let until = Instant::now() + self.time;
        let mut strangers = JoinSet::new();
        for _ in 0..STRANGERS {
            let (target, newcomers) = (self.target.clone(), Arc::clone(&self.newcomers));
            strangers.spawn(async move { be_a_stranger(&target, &newcomers, until).await });
        }
        let (mut taken, mut put_off) = (0, 0);
        while let Some(stranger) = strangers.join_next().await {
            let (of_one, put_off_of_one) = stranger??;
            taken += of_one;
            put_off += put_off_of_one;
        }
        Ok((taken, put_off))
    }
}

async fn be_a_stranger(
    target: &Target,
    newcomers: &AtomicU64,
    until: Instant,
) -> Result<(u64, u64)> {
    let mut connection = target.connect().await?;
    let (mut taken, mut put_off) = (0, 0);
    while Instant::now() < until {
        let person = newcomers.fetch_add(1, Ordering::Relaxed);
        ensure!(person < PEOPLE_MAX, "there are no more people");
        let body = format!(
            "{{\"site\":\"{SITE}\",\"user\":{{\"phone_number\":\"+{}\",\"gdpr_optin\":false,\
             \"sms_optin\":false}}}}",
            digits(person)
        );
        let mut call = target.call(Method::POST, "/capture/tag", Bytes::from(body))?;
        call.headers_mut().insert(ORIGIN, HeaderValue::from_static(ORIGIN_OF_SITE));
        let (status, answer) = connection.send(call).await?;
        match status {
            StatusCode::OK => taken += 1,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => put_off += 1,
            other => anyhow::bail!("the tag answers {other}: {answer:?}"),
        }
    }
    Ok((taken, put_off))
}

fn outcome(figures: &Figures) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.lines.push(Line {
        job: format!("\"Stop\" on WhatsApp while {STRANGERS} connections flood the tag, p99"),
        unit: "ms",
        ours: figures.beside_p99_ms.clone(),
        rival: "the same \"Stop\" alone".to_owned(),
        theirs: figures.alone_p99_ms.clone(),
        goal: Goal::AtMost(3.0),
    });
    let p50 = figures.beside_p50_ms.spread().map_or(0.0, |spread| spread.median);
    outcome.notes.push(format!(
        "{PACE} calls a second by {CLIENTS} clients, timed from when each was due (p50 beside the flood {} ms)",
        short(p50)
    ));
    outcome.notes.push(format!(
        "the flood refuses for one stranger after the other, without a limit of its network: {} pages were taken, {} asked to come back",
        figures.taken, figures.put_off
    ));
    outcome
}
