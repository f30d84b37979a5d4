//! Signed calls of a provider, durable before their 2xx: as many as go, and at a steady pace; and
//! whether the gate knows a refusal when its call is answered.
//!
//! Each call is one person's text on WhatsApp, signed as Meta signs. What they wrote is older than five
//! minutes, so no confirmation is queued, and nothing leaves this machine.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};
use sayso_core::id::{ConnectionId, SenderId};
use sayso_core::words::channel::{Channel, Provider};
use sayso_core::workspace::{Change, Connection, Sender};
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sha2::Sha256;
use tokio::time::Instant;

use super::record::{PAST, maker as consents};
use crate::data::{self, Data};
use crate::hello::Hello;
use crate::http::{Call, Load, Maker, Target};
use crate::measure::{Goal, Samples, float, nanos, percentile, short};
use crate::people::{PEOPLE_MAX, digits};
use crate::report::{Line, Outcome};
use crate::rig::Rig;
use crate::server::Server;

/// The clients of the full load: as in the row `record`.
const CLIENTS: usize = 64;
/// The clients of the steady load, and of the refusals that are asked about.
const CLIENTS_OF_STEADY: usize = 16;
/// The steady load as a part of the full one.
const STEADY_PART: f64 = 0.25;
/// Syncs of the disk in a round.
const SYNCS: usize = 200;
/// Bytes that each of them brings to the disk: a page.
const SYNC_BYTES: usize = 4_096;

const CONNECTION: ConnectionId = ConnectionId::from_bytes([0xc0; 16]);
const SENDER: SenderId = SenderId::from_bytes([0x5e; 16]);
const NUMBER: &str = "106540352242922";
const APP_SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// The values of all rounds.
#[derive(Default)]
struct Figures {
    stops: Samples,
    texts: Samples,
    consents: Samples,
    steady_p99_ms: Samples,
    allowed_p99_ms: Samples,
    echo_p99_ms: Samples,
    sync_p99_ms: Samples,
    known: Samples,
    asked: Samples,
    latencies: Vec<u64>,
    put_off: u64,
}

/// What takes part.
struct Parts {
    server: Server,
    hello: Hello,
    scratch: PathBuf,
    newcomers: Arc<AtomicU64>,
    time: Duration,
}

/// Makes the call by which Meta tells that somebody wrote this.
pub(super) fn maker(text: &'static str) -> Maker {
    Arc::new(move |target, person| call(target, person, text))
}

fn call(target: &Target, person: u64, text: &str) -> Result<Call> {
    ensure!(person < PEOPLE_MAX, "there are no more people");
    let from = digits(person);
    let body = format!(
        "{{\"object\":\"whatsapp_business_account\",\"entry\":[{{\"id\":\"102290129340398\",\"changes\":[{{\
         \"field\":\"messages\",\"value\":{{\"messaging_product\":\"whatsapp\",\"metadata\":{{\
         \"display_phone_number\":\"15550100900\",\"phone_number_id\":\"{NUMBER}\"}},\"contacts\":[{{\
         \"profile\":{{\"name\":\"Somebody\"}},\"wa_id\":\"{from}\"}}],\"messages\":[{{\"from\":\"{from}\",\
         \"id\":\"wamid.{person}\",\"timestamp\":\"1772357400\",\"type\":\"text\",\"text\":{{\
         \"body\":\"{text}\"}}}}]}}}}]}}]}}"
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes())?;
    mac.update(body.as_bytes());
    let code: Vec<String> =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut call = target.call(Method::POST, &format!("/hooks/{CONNECTION}"), Bytes::from(body))?;
    let signature = HeaderValue::from_str(&format!("sha256={}", code.concat()))?;
    call.headers_mut().insert("x-hub-signature-256", signature);
    Ok(call)
}

/// Gives a store an account at Meta and a number there.
pub(super) async fn connect(data: &Data) -> Result<()> {
    let store = data::open(&data.directory)?;
    let credentials = [("app_secret", APP_SECRET), ("verify_token", "word"), ("access_token", "x")];
    let connection = Connection {
        name: "Account".into(),
        provider: Provider::Meta,
        credentials: credentials.map(|(name, text)| (name.into(), text.into())).into(),
        deleted_at: None,
    };
    let sender = Sender {
        channel: Channel::WhatsApp,
        name: "Shop".into(),
        address: NUMBER.into(),
        question: None,
        deleted_at: None,
        connection: Some(CONNECTION),
    };
    configure_now(&*store, data.workspace, Change::Connection(CONNECTION, connection)).await?;
    configure_now(&*store, data.workspace, Change::Sender(SENDER, sender)).await?;
    Ok(store.close().await?)
}

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let (data, key) = rig.empty_store("webhooks").await?;
    connect(&data).await?;
    let (server, _) = Server::start(&rig.program()?, &data.directory, &key).await?;
    let parts = Parts {
        server,
        hello: Hello::start(&rig.scratch, None).await?,
        scratch: data.directory.join("sync.bin"),
        newcomers: Arc::default(),
        time: rig.time(),
    };
    // The words of all languages are made ready when the first text is read.
    let first = call(&parts.server.target, PEOPLE_MAX - 1, "Hello")?;
    parts.server.target.connect().await?.expect(first, StatusCode::OK).await?;
    let mut figures = Figures::default();
    for _ in rig.rounds("webhooks") {
        parts.round(&mut figures).await?;
    }
    parts.hello.stop().await?;
    parts.server.stop().await?;
    Ok(outcome(figures))
}

impl Parts {
    fn load(&self, clients: usize, make: Maker, wanted: StatusCode) -> Load {
        Load { clients, time: self.time, make, next: Arc::clone(&self.newcomers), wanted }
    }

    async fn round(&self, figures: &mut Figures) -> Result<()> {
        let target = &self.server.target;
        let stops = self.load(CLIENTS, maker("Stop"), StatusCode::OK).put_on(target).await?;
        let consents = self.load(CLIENTS, consents(PAST), StatusCode::CREATED);
        let consents = consents.put_on(target).await?;
        let texts = self.load(CLIENTS, maker("Hello"), StatusCode::OK).put_on(target).await?;
        figures.put_off += stops.put_off + consents.put_off + texts.put_off;
        figures.stops.push(stops.rate());
        figures.consents.push(consents.rate());
        figures.texts.push(texts.rate());

        let pace = stops.rate() * STEADY_PART;
        let steady = self.load(CLIENTS_OF_STEADY, maker("Stop"), StatusCode::OK);
        let mut steady = steady.put_steadily_on(target, pace).await?;
        let echo = self.load(CLIENTS_OF_STEADY, maker("Stop"), StatusCode::OK);
        let echo = Load { next: Arc::default(), ..echo };
        let mut echo = echo.put_steadily_on(&self.hello.target, pace).await?;
        let path = self.scratch.clone();
        let mut syncs = tokio::task::spawn_blocking(move || time_syncs(&path)).await??;
        let sync_p99_ms = float(percentile(&mut syncs, 99)) / 1e6;
        figures.steady_p99_ms.push(steady.within_ms(99));
        figures.allowed_p99_ms.push(3.0 * echo.within_ms(99) + sync_p99_ms);
        figures.echo_p99_ms.push(echo.within_ms(99));
        figures.sync_p99_ms.push(sync_p99_ms);
        self.ask_after_each(figures).await
    }

    /// Has people refuse, one after the other, and asks the gate as soon as each is answered.
    async fn ask_after_each(&self, figures: &mut Figures) -> Result<()> {
        let target = &self.server.target;
        let (mut telling, mut asking) = (target.connect().await?, target.connect().await?);
        let started = Instant::now();
        let (mut known, mut asked) = (0_u64, 0_u64);
        while started.elapsed() < self.time {
            let person = self.newcomers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let question = format!(
                "{{\"channel\":\"whatsapp\",\"sender\":\"{SENDER}\",\"phone\":\"+{}\"}}",
                digits(person)
            );
            let question = target.call(Method::POST, "/v1/check", Bytes::from(question))?;
            let call = call(target, person, "Stop")?;
            let told = Instant::now();
            telling.expect(call, StatusCode::OK).await?;
            figures.latencies.push(nanos(told.elapsed()));
            let answer = asking.expect(question, StatusCode::OK).await?;
            asked += 1;
            known += u64::from(String::from_utf8_lossy(&answer).contains("\"opted_out\""));
        }
        figures.known.push(float(known));
        figures.asked.push(float(asked));
        Ok(())
    }
}

/// How long it takes to bring a page at the end of a file to the disk, in nanoseconds.
fn time_syncs(path: &std::path::Path) -> Result<Vec<u64>> {
    let mut file = std::fs::File::create(path)?;
    let page = [0x5a_u8; SYNC_BYTES];
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        file.write_all(&page)?;
        let started = Instant::now();
        file.sync_data()?;
        times.push(nanos(started.elapsed()));
    }
    Ok(times)
}

fn outcome(mut figures: Figures) -> Outcome {
    let consents = "consents of the row `record` on the same store, 64 clients";
    let allowed = "3 × p99 of bare hyper's hello at that pace, plus p99 of one fdatasync";
    let lines = [
        (
            "\"Stop\" on WhatsApp, 64 clients",
            "calls/s",
            &figures.stops,
            consents,
            &figures.consents,
            Goal::AtLeast(0.7),
        ),
        (
            "\"Hello\" on WhatsApp, 64 clients",
            "calls/s",
            &figures.texts,
            consents,
            &figures.consents,
            Goal::AtLeast(0.7),
        ),
        (
            "\"Stop\" at a quarter of that pace, p99 of the 2xx",
            "ms",
            &figures.steady_p99_ms,
            allowed,
            &figures.allowed_p99_ms,
            Goal::AtMost(1.0),
        ),
        (
            "in the gate when the 2xx comes",
            "refusals",
            &figures.known,
            "refusals asked about",
            &figures.asked,
            Goal::AtLeast(1.0),
        ),
    ];
    let lines = lines.map(|(job, unit, ours, rival, theirs, goal)| Line {
        job: job.to_owned(),
        unit,
        ours: ours.clone(),
        rival: rival.to_owned(),
        theirs: theirs.clone(),
        goal,
    });
    let mut outcome = Outcome { lines: lines.into(), ..Outcome::default() };
    let middle = |samples: &Samples| {
        samples.spread().map_or_else(|| "–".to_owned(), |spread| short(spread.median))
    };
    let [p50, p99] =
        [50, 99].map(|percent| short(float(percentile(&mut figures.latencies, percent)) / 1e6));
    outcome.notes.extend([
        format!(
            "hello at that pace: p99 {} ms; one fdatasync of {SYNC_BYTES} bytes: p99 {} ms",
            middle(&figures.echo_p99_ms),
            middle(&figures.sync_p99_ms)
        ),
        format!("refusal, receipt to gate, one after the other: p50 {p50} ms, p99 {p99} ms at most, for it is measured to the 2xx"),
        "the steady load is timed from when a call was due, not from when it was sent".to_owned(),
        "every call records two events for \"Stop\" (activity and refusal) and one for \"Hello\"; no confirmation is queued".to_owned(),
    ]);
    if figures.put_off > 0 {
        let note = format!("{} requests were answered 503 and are not counted", figures.put_off);
        outcome.notes.push(note);
    }
    outcome
}
