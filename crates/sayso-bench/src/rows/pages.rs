//! What people open and send: form page and QR code against the bare floor, forms that are sent against
//! consents that are recorded over HTTP, and what all of it weighs.
//!
//! The answer to a form waits on purpose (rule 23), so many people send theirs at the same time, each a few one
//! after the other, and consents are recorded in the same way beside them. Their proofs of work are made before
//! the clock starts; that the server checks each is part of what is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode};
use sayso_core::limits;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::record::{PAST, maker as consents};
use crate::hello::Hello;
use crate::http::{Call, Load, Maker, Target};
use crate::measure::{Goal, Samples, count};
use crate::people::{NOTICE, digits};
use crate::report::{Line, Outcome};
use crate::rig::Rig;
use crate::server::Server;

/// The clients that open pages: as in the row `record`.
const CLIENTS: usize = 64;
/// Forms that each of them sends, one after the other: the answer to each waits, and what waits costs
/// nothing, so the wait of the first and the last is to be a small part of all.
const FORMS_EACH: u64 = 3;
/// People who send forms at the same time, for each second of a measurement: below the connections that the
/// server takes, and enough to outlast the least time of an answer.
const AT_ONCE_A_SECOND: f64 = 3_500.0;
const AT_ONCE_MAX: f64 = 3_800.0;
/// The budget of a form page with everything.
const FORM_BYTES_MAX: f64 = 30.0 * 1_024.0;

/// A page, and as many bytes of the bare server.
#[derive(Default)]
struct Pair {
    ours: Samples,
    bare: Samples,
}

/// The values of all rounds.
#[derive(Default)]
struct Figures {
    form: Pair,
    entry: Pair,
    svg: Pair,
    png: Pair,
    hello: Samples,
    sent: Samples,
    consents: Samples,
}

/// What takes part.
struct Parts {
    server: Server,
    hello: Hello,
    form: String,
    entry: Entry,
    newcomers: Arc<AtomicU64>,
    time: Duration,
    at_once: u64,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    code: String,
}

#[derive(Deserialize)]
struct Pasted {
    widget: String,
}

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let (data, key) = rig.empty_store("pages").await?;
    let (server, _) = Server::start(&rig.program()?, &data.directory, &key).await?;
    let (form, entry) = make(&server.target).await?;
    let parts = Parts {
        server,
        hello: Hello::start(&rig.scratch, None).await?,
        form: format!("/f/{form}"),
        entry,
        newcomers: Arc::default(),
        time: rig.time(),
        at_once: at_once(rig.options.seconds),
    };
    let mut figures = Figures::default();
    for _ in rig.rounds("pages") {
        parts.round(&mut figures).await?;
    }
    let mut outcome = outcome(&figures, parts.at_once);
    outcome.lines.extend(parts.weights().await?);
    parts.hello.stop().await?;
    parts.server.stop().await?;
    Ok(outcome)
}

/// How many people send a form at once, if a measurement takes so many seconds.
fn at_once(seconds: f64) -> u64 {
    let people = (AT_ONCE_A_SECOND * seconds).clamp(1.0, AT_ONCE_MAX);
    Duration::from_secs_f64(people).as_secs()
}

/// Makes a form, and an entry point of a sender of its own.
async fn make(target: &Target) -> Result<(String, Entry)> {
    let mut connection = target.connect().await?;
    let mut make = async |path: &str, wish: &Value| -> Result<Bytes> {
        let call = target.call(Method::POST, path, Bytes::from(wish.to_string()))?;
        connection.expect(call, StatusCode::CREATED).await.context(path.to_owned())
    };
    let notice = NOTICE.to_string();
    let form = json!({
        "name": "Footer", "business": "Harbour Shop", "channels": ["sms"], "notice": notice,
    });
    let form: Made = serde_json::from_slice(&make("/v1/forms", &form).await?)?;
    let sender = json!({ "channel": "sms", "name": "Harbour Shop", "address": "+14155550100" });
    let sender: Made = serde_json::from_slice(&make("/v1/senders", &sender).await?)?;
    let entry = json!({
        "name": "Poster", "sender": sender.id, "notice": { "id": notice, "version": 1 },
    });
    let entry: Entry = serde_json::from_slice(&make("/v1/entry-points", &entry).await?)?;
    Ok((form.id, entry))
}

/// Opens a page, by an API key where it asks for one.
fn opening(path: String) -> Maker {
    Arc::new(move |target, _| target.call(Method::GET, &path, Bytes::new()))
}

impl Parts {
    fn picture(&self, name: &str) -> String {
        format!("/v1/entry-points/{}/{name}", self.entry.id)
    }

    async fn opened(&self, target: &Target, path: String) -> Result<f64> {
        let load = Load {
            clients: CLIENTS,
            time: self.time,
            make: opening(path),
            next: Arc::default(),
            wanted: StatusCode::OK,
        };
        Ok(load.put_on(target).await?.rate())
    }

    async fn round(&self, figures: &mut Figures) -> Result<()> {
        let target = &self.server.target;
        figures.hello.push(self.opened(&self.hello.target, "/".to_owned()).await?);
        let entry = format!("/e/{}", self.entry.code);
        for (path, pair) in [
            (self.form.clone(), &mut figures.form),
            (entry, &mut figures.entry),
            (self.picture("qr.svg"), &mut figures.svg),
            (self.picture("qr.png"), &mut figures.png),
        ] {
            let bytes = self.get(&path).await?.len();
            pair.ours.push(self.opened(target, path).await?);
            pair.bare.push(self.opened(&self.hello.target, format!("/{bytes}")).await?);
        }
        let sent = self.submissions().await?;
        figures.sent.push(self.put_at_once(sent, StatusCode::OK).await?);
        let record = consents(PAST);
        let said: Vec<Call> =
            self.people().map(|person| record(target, person)).collect::<Result<_>>()?;
        figures.consents.push(self.put_at_once(said, StatusCode::CREATED).await?);
        Ok(())
    }

    /// People who said nothing before.
    fn people(&self) -> impl Iterator<Item = u64> + use<> {
        let count = self.at_once * FORMS_EACH;
        let first = self.newcomers.fetch_add(count, Ordering::Relaxed);
        first..first + count
    }

    /// A form of each of them, with proof of work.
    async fn submissions(&self) -> Result<Vec<Call>> {
        let page = self.get(&self.form).await?;
        let page = String::from_utf8_lossy(&page).into_owned();
        let challenge = page.split("name=\"challenge\" value=\"").nth(1).context("no challenge")?;
        let challenge: String = challenge.chars().take_while(|letter| *letter != '"').collect();
        let people: Vec<u64> = self.people().collect();
        let proving = tokio::task::spawn_blocking(move || prove_all(&challenge, &people));
        let bodies = proving.await?;
        let call = |body: String| {
            let body = Bytes::from(body);
            let mut call = self.server.target.call(Method::POST, &self.form, body)?;
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            call.headers_mut().insert(CONTENT_TYPE, kind);
            Ok(call)
        };
        bodies.into_iter().map(call).collect()
    }

    /// Sends these over so many connections at the same time, on each one after the other; gives answers a
    /// second.
    async fn put_at_once(&self, calls: Vec<Call>, wanted: StatusCode) -> Result<f64> {
        let sent = count(calls.len());
        let each = usize::try_from(FORMS_EACH)?;
        let mut calls = calls.into_iter();
        let mut ready = Vec::new();
        loop {
            let of_one: Vec<Call> = calls.by_ref().take(each).collect();
            if of_one.is_empty() {
                break;
            }
            ready.push((self.server.target.connect().await?, of_one));
        }
        let started = Instant::now();
        let mut people = JoinSet::new();
        for (mut connection, calls) in ready {
            people.spawn(async move {
                for call in calls {
                    connection.expect(call, wanted).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(answered) = people.join_next().await {
            answered??;
        }
        Ok(sent / started.elapsed().as_secs_f64())
    }

    async fn get(&self, path: &str) -> Result<Bytes> {
        let target = &self.server.target;
        let call = target.call(Method::GET, path, Bytes::new())?;
        target.connect().await?.expect(call, StatusCode::OK).await.context(path.to_owned())
    }

    /// What everything weighs, uncompressed, and how often a browser asks for it.
    async fn weights(&self) -> Result<Vec<Line>> {
        let bytes = async |path: &str| Ok::<_, anyhow::Error>(count(self.get(path).await?.len()));
        let form = bytes(&self.form).await?;
        let pasted: Pasted = serde_json::from_slice(&self.get(&self.picture("code")).await?)?;
        let entry = bytes(&format!("/e/{}", self.entry.code)).await?;
        let shown = |job: &str, ours: f64| Line {
            job: job.to_owned(),
            unit: "bytes",
            ours: Samples::once(ours),
            rival: "–".to_owned(),
            theirs: Samples::default(),
            goal: Goal::Shown,
        };
        let by_script = bytes("/form.js").await? + form;
        ensure!(!pasted.widget.contains("<script"), "the widget is a link without a script");
        Ok(vec![
            Line {
                rival: "the budget of 30 KiB".to_owned(),
                theirs: Samples::once(FORM_BYTES_MAX),
                goal: Goal::AtMost(1.0),
                ..shown("form in a frame, 1 request", form)
            },
            shown("form by script, 2 requests", by_script),
            shown("opt-in page, 1 request", entry),
            shown("widget, no request: pasted", count(pasted.widget.len())),
            shown("tag, 1 request, and 1 for what a page says", bytes("/tag.js").await?),
        ])
    }
}

/// The bodies of forms of these people, worked for on every processor.
fn prove_all(challenge: &str, people: &[u64]) -> Vec<String> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let part = people.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = people
            .chunks(part)
            .map(|some| scope.spawn(|| some.iter().map(|it| body(challenge, *it)).collect()))
            .collect();
        let bodies = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        bodies
            .flat_map(|bodies: std::thread::Result<Vec<String>>| bodies.unwrap_or_default())
            .collect()
    })
}

fn body(challenge: &str, person: u64) -> String {
    let phone = digits(person);
    let before = Sha256::new_with_prefix(format!("{challenge}\n+{phone}\n\n\n"));
    let is_proof = |proof: &u64| {
        let digest = before.clone().chain_update(proof.to_string()).finalize();
        let first = digest.first_chunk().copied().map_or(u32::MAX, u32::from_be_bytes);
        first.leading_zeros() >= limits::FORM_PROOF_BITS
    };
    let proof = (0..u64::MAX).find(is_proof).unwrap_or_default();
    format!("challenge={challenge}&proof={proof}&phone=%2B{phone}&box-sms-all=yes")
}

fn outcome(figures: &Figures, at_once: u64) -> Outcome {
    let pages = [
        ("form page, 64 clients", &figures.form),
        ("opt-in page before a chat, 64 clients", &figures.entry),
        ("QR code as PNG, 64 clients", &figures.png),
        ("QR code as SVG, 64 clients", &figures.svg),
    ];
    let page = |(job, pair): (&str, &Pair)| {
        let line = |rival: &str, theirs: &Samples, goal| Line {
            job: job.to_owned(),
            unit: "pages/s",
            ours: pair.ours.clone(),
            rival: rival.to_owned(),
            theirs: theirs.clone(),
            goal,
        };
        [
            line("as many bytes by bare hyper, 64 clients", &pair.bare, Goal::AtLeast(0.5)),
            line("bare hyper's hello, 64 clients", &figures.hello, Goal::Shown),
        ]
    };
    let mut lines: Vec<Line> = pages.into_iter().flat_map(page).collect();
    lines.push(Line {
        job: format!("forms sent with proof of work, {at_once} at once, {FORMS_EACH} each"),
        unit: "forms/s",
        ours: figures.sent.clone(),
        rival: format!("consents of the row `record`, {at_once} at once, {FORMS_EACH} each"),
        theirs: figures.consents.clone(),
        goal: Goal::AtLeast(0.8),
    });
    let notes = vec![
        "nothing is compressed; the page of a form is rendered once and filled in for each reader, the opt-in page is made anew, a picture of a QR code is drawn once and kept".to_owned(),
        "each form records one event and is answered after 250 ms at the least; the rate counts from the first form to the last answer, one such wait and more among it; the proofs are worked for before".to_owned(),
    ];
    Outcome { lines, notes, ..Outcome::default() }
}
