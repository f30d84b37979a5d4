//! Requests that cost too much: what one client sends may cost the server a bounded multiple of it.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Finding;
use crate::running::client::{Request, connect, dawdle, now};
use crate::running::server::Server;

/// Connections that read nothing.
const SILENT: usize = 400;
/// The largest answer to a request in which everything is wrong.
const FAULTS_BYTES_MAX: usize = 65_536;
/// Batches of faults that are sent at the same time, 32 MB in all.
const BATCHES: usize = 8;
/// Lines of each, so that it has 4 MB.
const LINES: usize = 60_000;
/// Memory that they may take: the 128 MiB for bodies, and what reads and answers them.
const FAULTS_MEMORY_MAX: usize = 256 << 20;
/// Rules of a workspace.
const RULES: usize = 1_000;
/// What they may add to the reading of a text.
const RULES_COST_MAX: Duration = Duration::from_millis(20);
/// What a text is read for, and read often for the middle of it.
const READINGS: usize = 21;

/// What they cost, where anybody else may wait for so long meanwhile.
pub(super) fn all(server: &Server, others_wait: Duration) -> Result<Vec<Finding>> {
    let waits = |(tried, took)| Finding::within(tried, took, others_wait);
    Ok(vec![
        answer_to_faults(server)?,
        waits(others_beside_faults(server)?),
        waits(others_beside_silence(server)?),
        memory_of_faults(server)?,
        rules_on_a_text(server)?,
    ])
}

/// A consent with thousands of fields that nobody knows.
fn faulty_consent() -> Request {
    let fields: Vec<String> = (0..20_000).map(|field| format!("\"f{field}\":1")).collect();
    Request::post("/v1/consents", "application/json", format!("{{{}}}", fields.join(",")))
}

/// A batch in which every line is wrong.
fn faulty_batch() -> Request {
    let line = json!({ "phone": "x", "channel": "pigeon", "statement": "perhaps" }).to_string();
    let body = vec![line; 10_000].join("\n");
    Request::post("/v1/consents/batch", "application/x-ndjson", body)
}

fn answer_to_faults(server: &Server) -> Result<Finding> {
    let answer = server.ask(faulty_consent())?;
    let bytes = answer.body.len();
    Ok(Finding::at_most("bytes that answer a consent of 20,000 faults", bytes, FAULTS_BYTES_MAX))
}

fn check(server: &Server) -> Result<Duration> {
    let started = now();
    let ask = json!({ "channel": "sms", "phone": "+14155550101" });
    server.call(Request::json("/v1/check", &ask))?;
    Ok(started.elapsed())
}

/// What a check takes while another client sends nothing but faults.
fn others_beside_faults(server: &Server) -> Result<(&'static str, Duration)> {
    let slowest = std::thread::scope(|scope| {
        let faulty = scope.spawn(|| server.ask(faulty_batch()).map(|_| ()));
        let mut slowest = Duration::ZERO;
        while !faulty.is_finished() {
            slowest = slowest.max(check(server)?);
        }
        anyhow::Ok(slowest)
    })?;
    Ok(("a check beside a batch of faults", slowest))
}

/// What a check takes while others ask for much and read nothing.
fn others_beside_silence(server: &Server) -> Result<(&'static str, Duration)> {
    let mut silent: Vec<TcpStream> = Vec::new();
    for _ in 0..SILENT {
        let Ok(mut stream) = connect(server.address) else { break };
        let head = Request::get("/openapi.json").head("keep-alive").repeat(4);
        if stream.write_all(head.as_bytes()).is_ok() {
            silent.push(stream);
        }
    }
    let took = check(server)?;
    drop(silent);
    Ok(("a check beside 400 clients that read nothing", took))
}

/// What the process takes while batches of faults come in, beyond what it took before.
fn memory_of_faults(server: &Server) -> Result<Finding> {
    let line = json!({ "phone": "x", "channel": "pigeon", "statement": "perhaps" }).to_string();
    let body = vec![line; LINES].join("\n");
    let before = server.resident()?;
    let most = std::thread::scope(|scope| {
        let send = || {
            let path = "/v1/consents/batch";
            server.ask(Request::post(path, "application/x-ndjson", body.clone())).map(|_| ())
        };
        let batches: Vec<_> = (0..BATCHES).map(|_| scope.spawn(send)).collect();
        let mut most = before;
        while !batches.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            most = most.max(server.resident()?);
            dawdle(Duration::from_millis(20));
        }
        anyhow::Ok(most)
    })?;
    let mebibytes = |bytes: usize| bytes >> 20;
    let came = mebibytes(most.saturating_sub(before));
    Ok(Finding::at_most("MiB for 32 MB of faults", came, mebibytes(FAULTS_MEMORY_MAX)))
}

/// What a thousand rules add to the reading of a text.
fn rules_on_a_text(server: &Server) -> Result<Finding> {
    let text = "where is my parcel, it should have come on tuesday".to_owned();
    let asked = json!({ "channel": "sms", "text": text });
    let middle = || -> Result<Duration> {
        let read = || Ok(server.call(Request::json("/v1/rules/dry-run", &asked))?.took);
        let mut took = (0..READINGS).map(|_| read()).collect::<Result<Vec<Duration>>>()?;
        took.sort_unstable();
        Ok(took.get(READINGS / 2).copied().unwrap_or_default())
    };
    let without = middle()?;
    for number in 0..RULES {
        let rule = json!({
            "channel": "sms", "matches": format!("(q{number}|zz{number})[a-z]* z{{2,4}}y"),
            "does": "opt_out", "permissions": [{ "channel": "sms" }],
        });
        server.call(Request::json("/v1/rules", &rule))?;
    }
    // The first text after a change makes the automaton.
    middle()?;
    let more = middle()?.saturating_sub(without);
    Ok(Finding::within("what 1,000 rules add to the reading of a text", more, RULES_COST_MAX))
}
