//! Requests that cost too much: what one client sends may cost the server a bounded multiple of it.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Finding;
use super::client::{Request, connect, now};
use super::server::Server;

/// Connections that read nothing.
const SILENT: usize = 400;
/// The largest answer to a request in which everything is wrong.
const FAULTS_BYTES_MAX: usize = 65_536;
/// How long anybody else may wait meanwhile.
const OTHERS_WAIT: Duration = Duration::from_secs(2);

pub(super) fn all(server: &Server) -> Result<Vec<Finding>> {
    Ok(vec![
        answer_to_faults(server)?,
        others_beside_faults(server)?,
        others_beside_silence(server)?,
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
fn others_beside_faults(server: &Server) -> Result<Finding> {
    let slowest = std::thread::scope(|scope| {
        let faulty = scope.spawn(|| server.ask(faulty_batch()).map(|_| ()));
        let mut slowest = Duration::ZERO;
        while !faulty.is_finished() {
            slowest = slowest.max(check(server)?);
        }
        anyhow::Ok(slowest)
    })?;
    Ok(Finding::within("a check beside a batch of faults", slowest, OTHERS_WAIT))
}

/// What a check takes while others ask for much and read nothing.
fn others_beside_silence(server: &Server) -> Result<Finding> {
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
    Ok(Finding::within("a check beside 400 clients that read nothing", took, OTHERS_WAIT))
}
