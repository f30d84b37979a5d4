//! The bare server that others are compared with: hyper alone, in a process of its own.
//!
//! It answers "hello", or as many bytes as its path says, or decides by a prepared statement of PostgreSQL over 16 pipelined
//! connections: what somebody would build who keeps consent in a table.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio_postgres::{Client, Statement};

use crate::child::Child;
use crate::http::Target;
use crate::postgres::connect;
use crate::scratch::Scratch;

/// The most bytes that it answers: more than any page has.
const BYTES_MAX: usize = 65_536;

/// What is sent where so many bytes are asked for.
static PAGE: &[u8] = &[b'x'; BYTES_MAX];

/// Connections to PostgreSQL.
const CONNECTIONS: usize = 16;

/// How it answers.
enum Answering {
    Hello,
    Deciding { clients: Vec<(Client, Statement)>, next: AtomicUsize },
}

#[derive(Deserialize)]
struct Question<'a> {
    phone: &'a str,
}

/// The bare server, as a child of this program.
#[derive(Debug)]
pub(crate) struct Hello {
    child: Child,
    /// Where it listens.
    pub(crate) target: Target,
}

impl Hello {
    /// Starts this program as the bare server.
    pub(crate) async fn start(scratch: &Scratch, postgres: Option<&Path>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--hello");
        if let Some(socket) = postgres {
            command.arg("--postgres").arg(socket);
        }
        let mut child = Child::start("the bare server", command, scratch.path().join("hello.log"))?;
        let address = child.line().await?;
        Ok(Self { child, target: Target::new(&address, "none")? })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id()
    }

    /// Stops it.
    pub(crate) async fn stop(self) -> Result<()> {
        self.child.stop().await
    }
}

/// Is the bare server, until it is killed.
pub(crate) async fn serve(postgres: Option<&Path>) -> Result<()> {
    let mut drivers = JoinSet::new();
    let answering = match postgres {
        None => Answering::Hello,
        Some(socket) => {
            let (connections, driving) = connect(socket, CONNECTIONS).await?.into_parts();
            drivers = driving;
            let mut clients = Vec::new();
            for client in connections {
                let statement = client.prepare(DECISION).await?;
                clients.push((client, statement));
            }
            Answering::Deciding { clients, next: AtomicUsize::new(0) }
        }
    };
    let answering = Arc::new(answering);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answering = Arc::clone(&answering);
        drivers.spawn(async move {
            let service = service_fn(|request| answer(&answering, request));
            // A client that goes away is none of a benchmark's business.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

/// What stands for `check`: the state of one contact on one channel.
const DECISION: &str = "SELECT status FROM contact WHERE phone = $1 AND channel = 2";

async fn answer(
    answering: &Answering,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match answering {
        Answering::Hello => {
            let wanted = request.uri().path().trim_start_matches('/').parse().ok();
            Response::new(Full::new(
                wanted.map_or(Bytes::from_static(b"hello"), |wanted: usize| {
                    Bytes::from_static(PAGE).slice(..wanted.min(BYTES_MAX))
                }),
            ))
        }
        Answering::Deciding { clients, next } => match decide(clients, next, request).await {
            Ok(body) => Response::new(Full::new(Bytes::from_static(body))),
            Err(error) => {
                let mut response = Response::new(Full::new(Bytes::from(format!("{error:#}"))));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }
        },
    })
}

async fn decide(
    clients: &[(Client, Statement)],
    next: &AtomicUsize,
    request: Request<Incoming>,
) -> Result<&'static [u8]> {
    let body = request.into_body().collect().await?.to_bytes();
    let question: Question<'_> = serde_json::from_slice(&body)?;
    let phone: i64 = question.phone.trim_start_matches('+').parse()?;
    let turn = next.fetch_add(1, Ordering::Relaxed) % clients.len().max(1);
    let (client, statement) = clients.get(turn).context("no connection")?;
    let row = client.query_opt(statement, &[&phone]).await?;
    let status: Option<i16> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(match status {
        Some(1) => br#"{"decision":"allow","reason":null,"reasons":[]}"#,
        Some(_) => br#"{"decision":"deny","reason":"opted_out","reasons":["opted_out"]}"#,
        None => br#"{"decision":"deny","reason":"no_opt_in","reasons":["no_opt_in"]}"#,
    })
}
