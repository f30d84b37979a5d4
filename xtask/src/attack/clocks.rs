//! Clocks: how long somebody keeps a seat who sends slowly, or takes nothing of what they asked for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;

use super::Finding;
use crate::running::client::{Request, connect, dawdle, now};
use crate::running::server::Server;

/// The clock for headers, with room.
const HEADERS: Duration = Duration::from_secs(15);
/// The clocks for bodies, and for taking answers, with room.
const BODIES: Duration = Duration::from_secs(28);
/// How long is waited for an end at the most.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a slow client sends a byte, or looks whether it is still welcome.
const BEAT: Duration = Duration::from_millis(500);

/// All three at the same time, for each takes as long as its clock.
pub(super) fn all(server: &Server) -> Result<Vec<Finding>> {
    std::thread::scope(|scope| {
        let slow_head = scope.spawn(|| slow_head(server));
        let slow_body = scope.spawn(|| slow_body(server));
        let takes_nothing = scope.spawn(|| takes_nothing(server));
        [slow_head, slow_body, takes_nothing]
            .into_iter()
            .map(|it| it.join().map_err(|_| anyhow::anyhow!("an attacker fell"))?)
            .collect()
    })
}

/// A request whose head comes a byte at a time.
fn slow_head(server: &Server) -> Result<Finding> {
    let head = format!("GET /p HTTP/1.1\r\nhost: localhost\r\nx-slow: {}", "a".repeat(500));
    let took = drip(server, "", &head)?;
    Ok(Finding::within("a seat for a head that comes a byte at a time", took, HEADERS))
}

/// A request whose body comes a byte at a time.
fn slow_body(server: &Server) -> Result<Finding> {
    let head = Request::form("/p", &[("address", &"a".repeat(500))]).head("close");
    let took = drip(server, &head, &"a".repeat(500))?;
    Ok(Finding::within("a seat for a body that comes a byte at a time", took, BODIES))
}

/// Sends the first part at once and the rest by bytes, and says after how long that came to an end.
fn drip(server: &Server, at_once: &str, slowly: &str) -> Result<Duration> {
    let mut stream = connect(server.address)?;
    stream.set_read_timeout(Some(BEAT))?;
    stream.write_all(at_once.as_bytes())?;
    let begun = now();
    for byte in slowly.as_bytes() {
        if begun.elapsed() > PATIENCE
            || stream.write_all(&[*byte]).is_err()
            || has_ended(&mut stream)
        {
            break;
        }
    }
    Ok(begun.elapsed())
}

/// Whether the server has ended the connection, after the beat at the most.
fn has_ended(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 1_024];
    match stream.read(&mut bytes) {
        Ok(0) => true,
        // An answer came before the end.
        Ok(_) => false,
        Err(error) => {
            !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
        }
    }
}

/// A client that asks for more than fits anywhere, and takes nothing of it.
fn takes_nothing(server: &Server) -> Result<Finding> {
    let mut stream = connect(server.address)?;
    stream.set_nonblocking(true)?;
    let head = Request::get("/openapi.json").head("keep-alive");
    let begun = now();
    // The server reads no further once answers wait, so writing stops; when it lets go, writing fails.
    let mut rest: Vec<u8> = Vec::new();
    while begun.elapsed() < PATIENCE {
        if rest.is_empty() {
            rest = head.repeat(16).into_bytes();
        }
        match stream.write(&rest) {
            Ok(written) => drop(rest.drain(..written)),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => dawdle(BEAT),
            Err(_) => break,
        }
    }
    Ok(Finding::within("a seat for a client that takes nothing", begun.elapsed(), BODIES))
}
